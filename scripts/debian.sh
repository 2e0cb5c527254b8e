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
# The bench starts its own; the service of the package would take the port of MQTT.
if [ "$missing" = " mosquitto" ] && [ -d /run/systemd/system ]; then
  systemctl disable --now mosquitto >&2
fi
