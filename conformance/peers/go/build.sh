#!/bin/sh
# Builds the Go peer into .tools/bin/porthouse-peer-go, and first what it is generated from.
set -eu
cd "$(dirname "$0")/../../.."
sh scripts/plugins.sh
node_modules/.bin/buf generate --template conformance/peers/go/buf.gen.yaml
cd conformance/peers/go
go build -o ../../../.tools/bin/porthouse-peer-go .
