"""
What a Kconfig with the module comes to, in CMake's words, after the assignments that are given:
config.py KCONFIG [NAME=VALUE...]
"""

import os
import sys
import tempfile

import kconfiglib

ZEPHYR = """
config NANOPB
    bool "Zephyr's own module"
source "{}"
"""

with tempfile.TemporaryDirectory() as folder:
    top = os.path.join(folder, "Kconfig")
    with open(top, "w", encoding="utf-8") as file:
        file.write(ZEPHYR.format(os.path.abspath(sys.argv[1])))
    config = kconfiglib.Kconfig(top, warn_to_stderr=False)
for assignment in sys.argv[2:]:
    name, value = assignment.split("=")
    config.syms[name].set_value(value)
if config.warnings:
    sys.exit("\n".join(config.warnings))
for symbol in config.unique_defined_syms:
    if symbol.str_value != "n":
        print(f"set(CONFIG_{symbol.name} {symbol.str_value})")
