#!/bin/sh
# Builds the peer as .tools/bin/porthouse-peer-c, with sanitizers: what they see ends it.
set -eu
cd "$(dirname "$0")"
tools=../../../.tools
build=$tools/c/peer
flags='-Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all'
mkdir -p "$build" "$tools/bin"
cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_C_FLAGS=$flags" >/dev/null
cmake --build "$build" --target peer --parallel 2 >/dev/null
# In one step: another run may be using the one that is there.
cp "$build/peer" "$tools/bin/porthouse-peer-c.$$"
mv "$tools/bin/porthouse-peer-c.$$" "$tools/bin/porthouse-peer-c"
