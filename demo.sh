#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A fleet of 40 simulated sites, one of them failing, into the appliance over real sockets; its judgement, live.
#
#   ./demo.sh                         fleetctl top until Ctrl-C
#   ./demo.sh --headless --seconds N  fleetctl status every few seconds; exit code 0 when at the end the ledger
#                                     balances, north-3 is found out and every other site is good
#
# Everything it makes (a veth pair, a network namespace, files, processes, hugepages) goes again when it ends.
set -u
cd "$(dirname "$0")" || exit 1
. scripts/setup.sh

BUILD=${BUILD:-build}
FAILING=north-3
SECONDS_MIN=15 # the fault needs 8 s to show, a window 4 s to close
headless=
seconds=
scratch=
link=
api_port=
appliance=
senders=()

usage()
{
	echo "usage: ./demo.sh [--headless] [--seconds N]   (N at least $SECONDS_MIN; without it until Ctrl-C)"
}

read_arguments()
{
	while [ $# -gt 0 ]; do
		case $1 in
		--headless) headless=1 ;;
		--seconds)
			seconds=${2:-}
			shift
			;;
		-h | --help)
			usage
			exit 0
			;;
		*)
			usage >&2
			exit 2
			;;
		esac
		[ $# -eq 0 ] || shift
	done
	[ -z "$headless" ] || seconds=${seconds:-30}
	case $seconds in
	*[!0-9]* | ?????????*) usage >&2 && exit 2 ;;
	esac
	[ -z "$seconds" ] || [ "$seconds" -ge "$SECONDS_MIN" ] || { usage >&2; exit 2; }
}

clean_up()
{
	local code=$? pid

	trap '' INT TERM HUP
	trap - EXIT
	for pid in ${senders[@]+"${senders[@]}"}; do
		stop_process "$pid" 2
	done
	stop_appliance || { [ $code -ne 0 ] || code=1; }
	[ -z "$link" ] || scripts/network.sh down "$link"
	return_hugepages
	[ -z "$scratch" ] || rm -rf "$scratch"
	exit $code
}

stop_appliance()
{
	local result

	[ -n "$appliance" ] || return 0
	stop_process "$appliance" 5
	result=$?
	appliance=
	tail -n 1 "$scratch/appliance.log"
	return $result
}

is_port_free()
{
	! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

choose_api_port()
{
	for api_port in 8080 8081 8082 8083 8084 18080 28080; do
		is_port_free "$api_port" && break
	done
	[ "$api_port" = 8080 ] || say "port 8080 is taken: the API is on $api_port"
	sed "s/127.0.0.1:8080/127.0.0.1:$api_port/" configs/demo.yaml >"$scratch/demo.yaml"
	export ESTREAM_URL=http://127.0.0.1:$api_port
}

start_appliance()
{
	local eal=(--no-pci "--vdev=net_af_packet0,iface=${link}a,framecnt=4096,blocksz=65536") tenths=150

	if ! borrow_hugepages 64; then
		say "no hugepages to be had: DPDK runs on ordinary memory (--no-huge)"
		eal+=(--no-huge -m 256)
	fi
	"$BUILD/estream-fleetd" "${eal[@]}" -- run --config "$scratch/demo.yaml" \
		</dev/null >"$scratch/appliance.log" 2>&1 &
	appliance=$!
	until grep -q '^ready: ' "$scratch/appliance.log"; do
		kill -0 "$appliance" 2>/dev/null && [ $tenths -gt 0 ] || {
			cat "$scratch/appliance.log" >&2
			die "the appliance did not start"
		}
		tenths=$((tenths - 1))
		sleep 0.1
	done
	grep -E '^(plan|ready): ' "$scratch/appliance.log"
}

start_senders()
{
	local format port

	for format in etd:47700 influx:8089; do
		port=${format#*:}
		format=${format%:*}
		ip netns exec "$link" "$BUILD/fleetgen" send --to "10.9.0.2:$port" --format "$format" \
			--scenario bench/scenarios/demo.yaml </dev/null >"$scratch/$format.log" 2>&1 &
		senders+=($!)
	done
}

# Whether the fleet is judged as it is; says why not.
judge()
{
	local not_good

	"$BUILD/fleetctl" --json ledger >"$scratch/ledger.json" &&
		"$BUILD/fleetctl" --json sites --limit 100 >"$scratch/sites.json" || return 1
	not_good=$(python3 scripts/not_good.py "$scratch/ledger.json" "$scratch/sites.json") || return 1
	if [ "$not_good" != "$FAILING" ]; then
		say "not good: ${not_good:-none}; wanted $FAILING and no other" >&2
		return 1
	fi
	say "the ledger balances; $FAILING is found out, the other 39 sites are good"
}

watch_headless()
{
	local left=$seconds step

	while [ "$left" -gt 0 ]; do
		step=$((left > 5 ? 5 : left))
		sleep $step &
		wait $!
		left=$((left - step))
		echo
		"$BUILD/fleetctl" status || return 1
	done
	judge
}

watch()
{
	if [ -n "$headless" ] || [ ! -t 1 ]; then
		seconds=${seconds:-30}
		watch_headless
	else
		"$BUILD/fleetctl" top ${seconds:+--count "$seconds"}
	fi
}

# Without root there is no DPDK port on a packet socket, so the same code runs a capture.
replay()
{
	say "not root, so no network port: replaying a capture made by fleetgen instead"
	"$BUILD/fleetgen" pcap --out "$scratch/demo.pcap" --format etd --scenario bench/scenarios/demo.yaml \
		--seconds 30 || return 1
	"$BUILD/estream-fleetd" replay --config configs/demo.yaml "$scratch/demo.pcap" >"$scratch/windows" ||
		return 1
	python3 scripts/show_replay.py "$scratch/windows"
}

live()
{
	need_packages "${DEMO_PACKAGES[@]}"
	link=esfd$$
	scripts/network.sh up "$link" || die "the veth pair could not be made"
	choose_api_port
	start_appliance
	start_senders
	watch
}

read_arguments "$@"
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
need_packages "${BUILD_PACKAGES[@]}"
say "building"
build "$BUILD" -Dtests=false || die "the build failed"
scratch=$(mktemp -d)
if is_root; then
	live
else
	replay
fi
