#!/bin/sh
# make test: brings what the tests need, runs them all, and ends with `N passed, N failed`.
set -u
cd "$(dirname "$0")/.."
PATH=$PWD/.tools/node/node_modules/.bin:$PATH
export PATH
mkdir -p .tools
rm -f .tools/tally
if sh scripts/setup.sh --dev && sh scripts/debian.sh; then
  exec node scripts/test.ts "$@"
fi
echo '0 passed, 1 failed' | tee .tools/tally
exit 1
