#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pktgen-DPDK as a generator of trials (bench/pktgen/README.md): each line RATE COUNT on stdin is answered by a line of JSON.
#
#   PKTGEN=/path/to/pktgen bench/pktgen/pktgen.sh --capture FILE [--log FILE] -- EAL...
#
# EAL: DPDK's arguments for two lcores: 0, Pktgen's own, and 1, which sends through the first port. The capture is one of
# bench/pktgen/capture.py. --log keeps what Pktgen prints. Exit code 2: no Pktgen, wrong arguments.
set -u
folder=$(cd "$(dirname "$0")" && pwd)

usage()
{
	printf '%s\n' "$1" "usage: PKTGEN=/path/to/pktgen pktgen.sh --capture FILE [--log FILE] -- EAL..." >&2
	exit 2
}

capture= log=/dev/null
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	case $1 in
	--capture) capture=${2:-} ;;
	--log) log=${2:-} ;;
	*) usage "got \"$1\", want --capture, --log or --" ;;
	esac
	shift 2 || usage "an option without its value"
done
[ $# -gt 0 ] || usage "EAL arguments are missing"
shift
[ -n "${PKTGEN:-}" ] || usage "PKTGEN is not set: it names the binary of a Pktgen-DPDK built with Lua"
[ -x "$PKTGEN" ] || usage "PKTGEN=$PKTGEN: not to be run"
[ -r "$capture" ] || usage "--capture: got \"$capture\", want a capture"

pipes=$(mktemp -d)
pktgen= answers=
end()
{
	[ -z "$pktgen" ] || kill -TERM "$pktgen" 2>/dev/null
	[ -z "$answers" ] || kill -TERM "$answers" 2>/dev/null
	rm -rf "$pipes"
}
trap end EXIT
trap 'exit 143' INT TERM HUP
mkfifo "$pipes/asked" "$pipes/told"
ASKED=$pipes/asked TOLD=$pipes/told "$PKTGEN" "$@" -- -m 1.0 -s "0:$capture" -f "$folder/generator.lua" \
	</dev/null >"$log" 2>&1 &
pktgen=$!
cat "$pipes/told" &
answers=$!
# Ends with its stdin, or with Pktgen, which then reads no more of it.
cat <&0 >"$pipes/asked" &
asking=$!
wait "$pktgen"
code=$?
pktgen=
kill "$asking" 2>/dev/null
exit "$code"
