#!/bin/sh
# Brings the Debian packages that the tests use, or with `bench` what the bench compares with. Root
# installs them; anybody else is told the line.
set -eu
for_what=${1:-tests}
missing=
if [ "$for_what" = bench ]; then
  [ -x /usr/sbin/mosquitto ] || command -v mosquitto >/dev/null || missing=" mosquitto"
else
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
  for tool in strace faketime; do
    command -v $tool >/dev/null || missing="$missing $tool"
  done
  command -v chromium >/dev/null || missing="$missing chromium"
  command -v promtool >/dev/null || missing="$missing prometheus"
fi
[ -n "$missing" ] || exit 0

line="apt-get update && apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "for the $for_what these packages are needed; as root: $line" >&2
  exit 1
fi
echo "installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
sh -c "$line" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
rm -f "$log"
# The bench and the tests start their own; the services of the packages would take their ports.
if [ -d /run/systemd/system ]; then
  for service in mosquitto prometheus; do
    case "$missing " in *" $service "*) systemctl disable --now $service >&2 ;; esac
  done
fi
