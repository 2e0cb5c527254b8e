#!/bin/sh
# Brings the Debian packages that the tests use, or with `bench` what the bench compares with. Root
# installs them; anybody else is told the line.
set -eu
for_what=${1:-tests}
missing=
# need PACKAGES COMMAND...: where the command fails, the packages are missing.
need() {
  packages=$1
  shift
  "$@" >/dev/null 2>&1 || missing="$missing $packages"
}

if [ "$for_what" = bench ]; then
  need mosquitto sh -c 'command -v mosquitto || test -x /usr/sbin/mosquitto'
else
  need postgresql sh -c 'ls /usr/lib/postgresql/*/bin/initdb'
  for tool in strace faketime chromium openssl; do
    need $tool command -v $tool
  done
  need prometheus command -v promtool
  # Clients that users of MQTT have: scripts of mosquitto, and what paho's are built with.
  need mosquitto-clients command -v mosquitto_pub
  need libpaho-mqtt-dev test -f /usr/include/MQTTClient.h
  need python3-venv python3 -c 'import ensurepip, venv'
  # The client in C: its compilers, fuzzer and emulator, and the libraries of its samples.
  need 'gcc libc6-dev' command -v cc
  need clang command -v clang
  need libclang-rt-dev sh -c 'ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*'
  for tool in cmake make valgrind qemu-system-arm; do
    need $tool command -v $tool
  done
  need ninja-build command -v ninja
  need gcc-arm-none-eabi command -v arm-none-eabi-gcc
  need libnewlib-arm-none-eabi test -d /usr/lib/arm-none-eabi/newlib
  need libwslay-dev test -f /usr/include/wslay/wslay.h
  need libmosquitto-dev test -f /usr/include/mosquitto.h
  # That of Debian is too old for the client in Go.
  if ! go -C clients/go list -m >/dev/null 2>&1; then
    echo 'for the tests Go 1.26 or newer is needed: see https://go.dev/dl' >&2
    exit 1
  fi
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
