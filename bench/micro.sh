#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each stage of a datagram's way alone, beside the machine's floor: one table (bench/README.md says how to read it).
#
#   bench/micro.sh [--only STAGE] [--samples N] [--sample-us N] [--sites N] [--cpu N] [--peer-cpu N] [--json] [--build FOLDER]
#   bench/micro.sh --ring-perf     DPDK's own ring_perf_autotest, where Debian's dpdk-test is installed
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/setup.sh

arguments=()
folder=build
while [ $# -gt 0 ]; do
	case $1 in
	--build)
		[ $# -gt 1 ] || die "--build wants a folder"
		folder=$2
		shift
		;;
	--build=*) folder=${1#*=} ;;
	--ring-perf)
		exec dpdk-test --no-huge --no-pci -m 256 --no-telemetry --file-prefix=micro -l 0,1 ring_perf_autotest
		;;
	*) arguments+=("$1") ;;
	esac
	shift
done

need_packages "${BUILD_PACKAGES[@]}" >&2
build "$folder" >&2 || die "the build failed"
exec "$folder/micro-bench" ${arguments[@]+"${arguments[@]}"}
