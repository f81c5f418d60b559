#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The highest offered rate at which not a datagram is lost, from another process to the ledger (bench/ndr/README.md says how to read it).
#
#   [PKTGEN=/path/to/pktgen] bench/ndr.sh [--link memif|vhost|af_packet] [--workload NAME] [--ring N] [--trial-seconds S]
#           [--seconds S] [--max-pps N] [--rates N,...] [--latency-seconds S] [--loads N,...] [--epochs MS,...] [--no-huge]
#           [--favour] [--json] [--build FOLDER]
#
# PKTGEN= names a Pktgen-DPDK, which is the generator then (bench/pktgen/README.md). Hugepages are borrowed if they are to
# be had, and given back. --link af_packet wants root, for a network namespace that goes with the run.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/setup.sh

arguments=("$@")
folder=build
huge=yes
link=
while [ $# -gt 0 ]; do
	case $1 in
	--build) folder=${2:-} ;;
	--build=*) folder=${1#*=} ;;
	--no-huge) huge=no ;;
	--link) link=${2:-} ;;
	--link=*) link=${1#*=} ;;
	esac
	shift
done

pages=384
if [ -n "${PKTGEN:-}" ]; then
	[ -x "$PKTGEN" ] || { say "PKTGEN=$PKTGEN: not to be run" >&2; exit 2; }
	pages=1024 # its pools have mbufs of 10 KiB
fi
trap return_hugepages EXIT
trap 'exit 143' INT TERM HUP
need_packages "${BUILD_PACKAGES[@]}" "${BENCH_PACKAGES[@]}" >&2
build "$folder" >&2 || die "the build failed"
if [ $huge = yes ] && ! borrow_hugepages $pages; then
	say "no hugepages to be had: ordinary pages" >&2
	arguments+=(--no-huge)
fi
within=()
if [ "$link" = af_packet ]; then
	is_root || die "a network namespace needs root"
	need_packages "${DEMO_PACKAGES[@]}" util-linux >&2
	within=(unshare --net)
fi
"${within[@]}" python3 bench/ndr/search.py "${arguments[@]}" &
search=$!
trap 'kill -TERM $search; wait $search; exit 143' INT TERM HUP
wait $search
