#!/bin/sh
# make conformance: porthouse and its clients, held to every case over every transport. Arguments go
# to porthouse-conformance.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh --dev
sh scripts/debian.sh
peers=conformance/peers
for build in $peers/*/build.sh; do sh "$build"; done
exec bin/porthouse-conformance \
  --server-command "node $peers/gateway/main.ts" \
  --client "node $peers/ts/peer.ts" \
  --client .tools/bin/porthouse-peer-go \
  --client .tools/bin/porthouse-peer-c --known-failing $peers/c/known-failing.txt \
  "$@"
