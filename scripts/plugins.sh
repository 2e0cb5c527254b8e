#!/bin/sh
# Brings the plugins by which buf generates the clients' code: two of Go, one of Python for C. The
# one for TypeScript comes with npm. Needs Go and Python; each is fetched once a version.
set -eu
cd "$(dirname "$0")/.."
mkdir -p .tools
# Tests that run side by side may want them at once.
if command -v flock >/dev/null; then exec 9>.tools/plugins.lock && flock 9; fi

go_plugin() { # PACKAGE VERSION
  case $(".tools/bin/${1##*/}" --version 2>/dev/null) in *"$2") return ;; esac
  echo "plugins: installing ${1##*/} $2" >&2
  GOBIN=$PWD/.tools/bin go install "$1@v$2"
}

go_plugin google.golang.org/protobuf/cmd/protoc-gen-go 1.36.12
go_plugin connectrpc.com/connect/cmd/protoc-gen-connect-go 1.21.1

requirements=scripts/plugins.txt
if ! cmp -s $requirements .tools/py/requirements.txt; then
  echo 'plugins: installing nanopb' >&2
  rm -rf .tools/py
  python3 -m venv .tools/py
  .tools/py/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r $requirements
  # Last, so that what was interrupted is done again.
  cp $requirements .tools/py/requirements.txt
fi
