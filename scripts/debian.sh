#!/bin/sh
# Brings the Debian packages that the tests use. Root installs them; anybody else is told the line.
set -eu
missing=
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
for tool in strace faketime chromium openssl; do
  command -v $tool >/dev/null || missing="$missing $tool"
done
# Clients that users of MQTT have: scripts of mosquitto, and what paho's are built with.
command -v mosquitto_pub >/dev/null || missing="$missing mosquitto-clients"
[ -f /usr/include/MQTTClient.h ] || missing="$missing libpaho-mqtt-dev"
command -v cc >/dev/null || missing="$missing gcc libc6-dev"
python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
[ -n "$missing" ] || exit 0

line="apt-get update && apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "the tests need these packages; as root: $line" >&2
  exit 1
fi
echo "installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
sh -c "$line" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
rm -f "$log"
