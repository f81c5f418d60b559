#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The appliance beside VictoriaMetrics and InfluxDB on the same Influx lines over UDP, and beside netdata, collectd and
# brubeck on the same StatsD lines (bench/README.md says how to read it).
#
#   bench/peers.sh [--peers NAME,...] [--rates N,...] [--seconds S] [--rmem BYTES] [--json] [--build FOLDER]
#
# Root only. Sockets' receive buffers (--rmem, 0: as they are) are as they were again when it ends. Everything runs in a
# network namespace that goes with it. VICTORIA=, INFLUXD=, NETDATA=, COLLECTD= and BRUBECK= name programs that are not in PATH.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/setup.sh

arguments=("$@")
folder=build
rmem=33554432
while [ $# -gt 0 ]; do
	case $1 in
	--build) folder=${2:-} ;;
	--build=*) folder=${1#*=} ;;
	--rmem) rmem=${2:-} ;;
	--rmem=*) rmem=${1#*=} ;;
	esac
	shift
done

# buffers SIZE SIZE: the kernel's sizes of sockets' receive buffers, most and default; they concern the whole machine.
buffers()
{
	sysctl -qw net.core.rmem_max="$1" net.core.rmem_default="$2"
}

is_root || die "network namespaces need root"
need_packages "${BUILD_PACKAGES[@]}" "${DEMO_PACKAGES[@]}" python3 util-linux >&2
build "$folder" >&2 || die "the build failed"
if [ "$rmem" != 0 ]; then
	before=$(sysctl -n net.core.rmem_max net.core.rmem_default) || die "no net.core.rmem_max here: --rmem 0"
	# shellcheck disable=SC2064,SC2086
	trap "buffers ${before//$'\n'/ }" EXIT
	buffers "$rmem" "$rmem" || die "--rmem $rmem: refused; 0 leaves the buffers alone"
fi
unshare --net python3 bench/peers/compare.py "${arguments[@]}" &
table=$!
trap 'kill -TERM $table; wait $table; exit 143' INT TERM HUP
wait $table
