"""
Packs a library as `pio pkg pack` does, after PlatformIO has found its manifest right. The list of
licences it would ask the network for.
"""

import sys

from platformio.package.manifest.schema import ManifestSchema
from platformio.package.pack import PackagePacker

LICENCES = {"licenses": [{"licenseId": "Apache-2.0"}]}

ManifestSchema.load_spdx_licenses = staticmethod(lambda: LICENCES)
source, archive = sys.argv[1:]
PackagePacker(source).pack(archive)
