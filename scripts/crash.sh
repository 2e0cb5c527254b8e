#!/bin/sh
# make crash: the crash tests at length, one after the other. ROUNDS (100) and MINUTES (30) say how
# long: about an hour and a half.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh --dev
sh scripts/debian.sh
export CRASH_ROUNDS="${ROUNDS:-100}" CRASH_MINUTES="${MINUTES:-30}"
if [ $# = 0 ]; then set -- test/crash; fi
exec node_modules/.bin/vitest run --no-file-parallelism "$@"
