#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The highest offered rate at which not a datagram is lost, from another process to the ledger (bench/ndr/README.md says how to read it).
#
#   bench/ndr.sh [--workload NAME] [--trial-seconds S] [--seconds S] [--max-pps N] [--no-huge] [--json] [--build FOLDER]
#
# Hugepages are borrowed if they are to be had, and given back.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/setup.sh

arguments=("$@")
folder=build
huge=yes
while [ $# -gt 0 ]; do
	case $1 in
	--build) folder=${2:-} ;;
	--build=*) folder=${1#*=} ;;
	--no-huge) huge=no ;;
	esac
	shift
done

trap return_hugepages EXIT
trap 'exit 143' INT TERM HUP
need_packages "${BUILD_PACKAGES[@]}" "${BENCH_PACKAGES[@]}" >&2
build "$folder" >&2 || die "the build failed"
if [ $huge = yes ] && ! borrow_hugepages 384; then
	say "no hugepages to be had: ordinary pages" >&2
	arguments+=(--no-huge)
fi
python3 bench/ndr/search.py "${arguments[@]}" &
search=$!
trap 'kill -TERM $search; wait $search; exit 143' INT TERM HUP
wait $search
