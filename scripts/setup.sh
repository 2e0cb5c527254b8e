#!/bin/sh
# Brings what porthouse needs into this folder, and nothing outside it.
#
#   scripts/setup.sh          what running needs: Node and the runtime dependencies
#   scripts/setup.sh --dev    and what testing, building and measuring need
#
# Needs npm (any Node that carries it), a network only where something is missing, and no root.
set -eu
cd "$(dirname "$0")/.."
node_bin=$PWD/.tools/node/node_modules/.bin
PATH=$node_bin:$PATH
say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }

command -v npm >/dev/null || die 'npm is needed: install Node.js with npm, then try again'

# A home that cannot be written to (a service user's) would stop npm at its cache.
[ -w "${HOME:-/nonexistent}" ] || export npm_config_cache="$PWD/.tools/npm-cache"
export npm_config_fund=false npm_config_audit=false npm_config_update_notifier=false
export npm_config_loglevel="${npm_config_loglevel:-error}"

node_runs_typescript() {
  node -e 'const [a, b] = process.versions.node.split(".").map(Number)
           process.exit(a > 22 || (a === 22 && b >= 18) ? 0 : 1)' 2>/dev/null
}

# npm chooses versions by the engine that runs it, so Node comes before anything else.
if ! node_runs_typescript; then
  say 'installing Node 24 into .tools/node'
  npm install --prefix .tools/node --no-save --no-package-lock node@24 >&2
  hash -r
  node_runs_typescript || die 'Node 24 was installed into .tools/node but does not run'
fi

# The stamp says what is installed ("runtime" or "dev"), and for which manifests and Node.
stamp=.tools/installed
manifests='package.json package-lock.json gen/package.json gateway/package.json
  clients/ts/package.json conformance/package.json bench/package.json'
state=$( (node --version; cat $manifests) | cksum | tr -s ' \t' '-')
installed=$(cat $stamp 2>/dev/null || true)

wanted=runtime
if [ "${1:-}" = --dev ]; then wanted=dev; fi
# What was installed for development stays: a run after a test must not remove it.
case $installed in dev*) wanted=dev ;; esac

[ -d node_modules ] && [ "$installed" = "$wanted $state" ] && exit 0

say "installing $wanted dependencies"
before=$(cksum <package-lock.json)
omit=
[ $wanted = dev ] || omit=--omit=dev
# npm install, not npm ci: see docs/decisions. The lock must come out as it went in.
npm install $omit >&2
[ "$(cksum <package-lock.json)" = "$before" ] ||
  die 'package.json and package-lock.json disagreed and npm has changed the lock: commit it'
mkdir -p .tools
echo "$wanted $state" >$stamp
