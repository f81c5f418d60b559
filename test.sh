#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Everything that can be checked without hardware; sets up what it needs. The last line is "N passed, N failed".
#
#   ./test.sh            all phases
#   ./test.sh PHASE...   some: folders gcc clang unit address thread fuzz replay commands api seal peers live clients bench gate demo
#
# What is built goes to $TEST_BUILD (default build-test).
set -u
cd "$(dirname "$0")" || exit 1
. scripts/setup.sh

ALL_PHASES=(folders gcc clang unit address thread fuzz replay commands api seal peers live clients bench gate demo)
TEST_BUILD=${TEST_BUILD:-build-test}
ORACLE_FLEETS=200
FUZZ_RUNS=20000
FUZZ_SECONDS=20
passed=0
failed=0
skipped=0

clean_up()
{
	trap '' INT TERM HUP
	return_hugepages
}

header()
{
	printf '\n== %s (%d s)\n' "$*" "$SECONDS"
}

pass()
{
	passed=$((passed + 1))
}

fail()
{
	failed=$((failed + 1))
	printf 'FAILED: %s\n' "$*"
}

skip()
{
	skipped=$((skipped + 1))
	printf 'skipped: %s\n' "$*"
}

# check WHAT COMMAND...: one check, its output only when it fails.
check()
{
	local what=$1 output
	shift

	if output=$("$@" </dev/null 2>&1); then
		pass
	else
		printf '%s\n' "$output" | tail -n 60
		fail "$what"
	fi
}

# counted WHAT COMMAND...: a program that ends with "N passed, N failed"; an exit code that does not go with it is a failure.
counted()
{
	local what=$1 log code line counts
	shift

	log=$(mktemp)
	"$@" </dev/null 2>&1 | tee "$log"
	code=${PIPESTATUS[0]}
	line=$(tail -n 1 "$log")
	counts=$(grep -c '^skipped: .*:' "$log")
	skipped=$((skipped + counts))
	rm -f "$log"
	if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
		[ "$code" -eq 0 ] || [ "${BASH_REMATCH[2]}" -gt 0 ] || fail "$what: exit code $code"
	else
		fail "$what: ended with exit code $code and no count"
	fi
}

# units WHAT PROGRAM...: CUnit's tests, counted from its summary.
units()
{
	local what=$1 log code summary
	shift

	log=$(mktemp)
	"$@" </dev/null >"$log" 2>&1
	code=$?
	summary=$(awk '$1 == "tests" && NF == 6 { print $4, $5 }' "$log")
	if [ -n "$summary" ]; then
		passed=$((passed + ${summary% *}))
		failed=$((failed + ${summary#* }))
		echo "${summary% *} tests passed, ${summary#* } failed"
	fi
	if [ $code -ne 0 ]; then
		grep -vE '\.\.\.passed$' "$log" | tail -n 80
		[ -n "$summary" ] && [ "${summary#* }" -gt 0 ] || fail "$what: exit code $code"
	elif [ -z "$summary" ]; then
		fail "$what: no summary"
	fi
	rm -f "$log"
}

# compiled NAME MESON_OPTION...: builds once a run; a failure is counted once.
declare -A built
compiled()
{
	local name=$1
	shift

	if [ -z "${built[$name]:-}" ]; then
		built[$name]=failed
		echo "building $name"
		if build "$TEST_BUILD/$name" "$@"; then
			built[$name]=ok
			pass
		else
			fail "the $name build"
		fi
	fi
	[ "${built[$name]}" = ok ]
}

gcc_build()
{
	CC=gcc compiled gcc
}

# Without randomised addresses, which ThreadSanitizer of this age can't take, where that is allowed.
fixed_addresses()
{
	if setarch -R true 2>/dev/null; then
		timeout 600 setarch -R "$@"
	else
		timeout 600 "$@"
	fi
}

phase_folders()
{
	counted "folder dependencies" python3 tests/folders.py
}

phase_gcc()
{
	gcc_build
}

phase_clang()
{
	CC=clang compiled clang -Db_lto=false
}

phase_unit()
{
	gcc_build && units "unit tests" timeout 600 "$TEST_BUILD/gcc/tests/unit-tests"
}

phase_address()
{
	export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1

	CC=clang compiled address -Db_sanitize=address,undefined -Db_lto=false -Db_lundef=false -Doptimization=1 ||
		return
	units "unit tests, addresses checked" timeout 600 "$TEST_BUILD/address/tests/unit-tests"
	counted "replay oracle, addresses checked" python3 tests/e2e/replay_oracle.py \
		"$TEST_BUILD/address/estream-fleetd" 10 1001
	counted "comparison oracle, addresses checked" python3 tests/e2e/compare_oracle.py \
		"$TEST_BUILD/address/estream-fleetd" 2 3
	counted "commands, addresses checked" python3 tests/e2e/commands.py "$TEST_BUILD/address"
}

phase_thread()
{
	CC=clang compiled thread -Db_sanitize=thread -Db_lto=false -Db_lundef=false -Doptimization=1 || return
	units "unit tests, threads checked" fixed_addresses "$TEST_BUILD/thread/tests/unit-tests"
}

# The libraries with coverage, then each target: its corpus, and a short run from a fixed seed.
phase_fuzz()
{
	local source name target folder=$TEST_BUILD/fuzz libraries arguments

	libraries=(libcontrol.a control/config/libdomain_data.a liblcores.a libdataplane.a)
	build_only=${libraries[*]} CC=clang compiled fuzz -Dtests=false -Db_lto=false -Db_lundef=false \
		-Db_sanitize=address,undefined -Doptimization=1 -Dc_args=-fsanitize=fuzzer-no-link || return
	arguments=(-g -O1 -std=c11 -D_GNU_SOURCE -I. -Itests -fsanitize=fuzzer,address,undefined
		-fno-sanitize-recover=undefined)
	for source in tests/fuzz/fuzz_*.c; do
		name=${source##*/fuzz_}
		name=${name%.c}
		target=$folder/fuzz_$name
		# shellcheck disable=SC2046
		check "fuzz_$name builds" clang "${arguments[@]}" $(pkg-config --cflags libdpdk) "$source" -o "$target" \
			-Wl,--start-group "${libraries[@]/#/$folder/}" -Wl,--end-group \
			$(pkg-config --libs libdpdk libhs libsodium liburcu-qsbr liburcu jansson yaml-0.1 \
				libmicrohttpd libpcap muparser sqlite3 libcurl zlib libzstd) -lIPSec_MB -lm -lpthread
		[ -x "$target" ] || continue
		check "fuzz_$name: its corpus" timeout 120 "$target" -runs=0 "tests/fuzz/corpus/$name"
		mkdir -p "$folder/new_$name"
		check "fuzz_$name: $FUZZ_RUNS runs, or $FUZZ_SECONDS s" timeout 240 "$target" -seed=1 -runs=$FUZZ_RUNS \
			-max_total_time=$FUZZ_SECONDS -artifact_prefix="$folder/" "$folder/new_$name" "tests/fuzz/corpus/$name"
	done
}

phase_replay()
{
	gcc_build || return
	counted "replay oracle" python3 tests/e2e/replay_oracle.py "$TEST_BUILD/gcc/estream-fleetd" "$ORACLE_FLEETS" 1
	counted "comparison oracle" python3 tests/e2e/compare_oracle.py "$TEST_BUILD/gcc/estream-fleetd" 10 1
	counted "domains" python3 tests/e2e/domains.py "$TEST_BUILD/gcc"
}

phase_commands()
{
	gcc_build && counted "commands" python3 tests/e2e/commands.py "$TEST_BUILD/gcc"
}

phase_api()
{
	find_promtool
	gcc_build && counted "the API" python3 tests/e2e/api.py "$TEST_BUILD/gcc"
}

phase_seal()
{
	gcc_build && counted "sealed datagrams" python3 tests/e2e/seal_interop.py "$TEST_BUILD/gcc"
}

# unpacked PACKAGE FILE [FOLDER]: the file's path, out of a package that is not installed: installing it would start a
# server.
unpacked()
{
	local package=$1 file=$2 folder=$TEST_BUILD/${3:-$1}

	if [ ! -e "$folder/$file" ]; then
		mkdir -p "$folder"
		(
			cd "$folder" || exit
			{ apt-get download "$package" || { is_root && apt-get update && apt-get download "$package"; }; } &&
				dpkg-deb -x "$package"_*.deb . && rm -f "$package"_*.deb
		) </dev/null >/dev/null 2>&1
	fi
	[ -e "$folder/$file" ] && echo "$PWD/$folder/$file"
}

# find_rsyslogd: its path; what it is linked with beyond Debian's base lies beside it.
find_rsyslogd()
{
	local library

	command -v rsyslogd && return
	for library in libestr0:libestr.so.0 libfastjson4:libfastjson.so.4 liblognorm5:liblognorm.so.5; do
		unpacked "${library%:*}" "usr/lib/x86_64-linux-gnu/${library#*:}" rsyslog >/dev/null || return
	done
	unpacked rsyslog usr/sbin/rsyslogd
}

find_promtool()
{
	local found

	command -v promtool >/dev/null && return
	found=$(unpacked prometheus usr/bin/promtool) && export PROMTOOL=$found
}

phase_peers()
{
	local influxd victoria vmauth

	gcc_build || return
	influxd=$(command -v influxd || unpacked influxdb usr/bin/influxd)
	counted "InfluxDB" timeout 300 python3 tests/e2e/influx_peer.py "$TEST_BUILD/gcc" "$influxd"
	victoria=$(command -v victoria-metrics || unpacked victoria-metrics usr/bin/victoria-metrics)
	vmauth=$(command -v vmauth || unpacked victoria-metrics usr/bin/vmauth)
	find_promtool
	counted "export" timeout 300 python3 tests/e2e/export.py "$TEST_BUILD/gcc" "$influxd" "$victoria" "$vmauth"
}

phase_live()
{
	gcc_build || return
	find_promtool
	borrow_hugepages 256 || echo "no hugepages to be had"
	counted "live" timeout 600 python3 tests/e2e/live.py "$TEST_BUILD/gcc"
	counted "pressure" timeout 120 python3 tests/e2e/pressure.py "$TEST_BUILD/gcc"
	counted "storm" timeout 60 python3 tests/e2e/storm.py "$TEST_BUILD/gcc"
	counted "reload" timeout 180 python3 tests/e2e/reload.py "$TEST_BUILD/gcc"
	counted "history" timeout 300 python3 tests/e2e/history.py "$TEST_BUILD/gcc"
	counted "restart" timeout 240 python3 tests/e2e/restart.py "$TEST_BUILD/gcc"
	counted "redundant paths" timeout 180 python3 tests/e2e/paths.py "$TEST_BUILD/gcc"
	return_hugepages
}

phase_clients()
{
	local rsyslogd

	gcc_build || return
	rsyslogd=$(find_rsyslogd)
	counted "clients" timeout 120 python3 tests/e2e/clients.py "$TEST_BUILD/gcc"
	counted "rsyslog" timeout 60 python3 tests/e2e/rsyslog_peer.py "$TEST_BUILD/gcc" "$rsyslogd"
}

# What it says of speed is nobody's verdict here: that all is accounted for is.
phase_bench()
{
	gcc_build && check "the pipeline's benchmark, in brief: all accepted, balanced, no mbuf lost" timeout 120 \
		bench/pipeline.sh --build "$TEST_BUILD/gcc" --workloads all --repetitions 1 --seconds 1 --no-huge
	brief_ndr
	gcc_build && check "each stage's benchmark, in brief: all accepted, balanced" timeout 60 \
		bench/micro.sh --build "$TEST_BUILD/gcc" --samples 3 --sample-us 20 --sites 1000 --json
	brief_peers
}

# With ndr-generator, and with Pktgen-DPDK where PKTGEN names one.
brief_ndr()
{
	local brief=(bench/ndr.sh --build "$TEST_BUILD/gcc" --rates 10000,20000 --trial-seconds 0.5 --no-huge)

	gcc_build || return
	check "the rate without loss, in brief: sent = received = accepted, balanced, no mbuf lost; all latencies measured" \
		timeout 120 env -u PKTGEN "${brief[@]}" --loads 50 --epochs 100,10 --latency-seconds 0.5
	counted "Pktgen's captures and scripts" timeout 120 python3 tests/e2e/pktgen.py "$TEST_BUILD/gcc"
	[ -n "${PKTGEN:-}" ] || { skip "Pktgen-DPDK as the generator: PKTGEN is not set"; return; }
	check "Pktgen-DPDK as the generator, in brief: each datagram accepted once, sent = received, balanced, no mbuf lost" \
		timeout 120 "${brief[@]}"
}

# The appliance and InfluxDB, a second each.
brief_peers()
{
	local influxd

	[ -x "$TEST_BUILD/gcc/estream-fleetd" ] || return
	is_root || { skip "the peers' benchmark: not root"; return; }
	influxd=$(command -v influxd || unpacked influxdb usr/bin/influxd) || skip "InfluxDB in the peers' benchmark: not to be had"
	check "the peers' benchmark, in brief: balanced, no mbuf lost" env INFLUXD="$influxd" timeout 60 \
		bench/peers.sh --build "$TEST_BUILD/gcc" --peers ours,influxdb --rates 1000 --seconds 1 --rmem 0
}

# Instructions a datagram takes, counted, beside those on record: a time would be nobody's verdict on a shared machine.
phase_gate()
{
	gcc_build && counted "instructions" timeout 120 python3 bench/gate/gate.py "$TEST_BUILD/gcc"
}

phase_demo()
{
	local pid_file

	gcc_build || return
	is_root || echo "not root: the demo replays"
	pid_file=$(mktemp)
	# shellcheck disable=SC2016
	check "demo.sh --headless --seconds 20" env BUILD="$TEST_BUILD/gcc" timeout 300 \
		bash -c 'echo $$ >"$1"; exec ./demo.sh --headless --seconds 20' - "$pid_file"
	check "demo.sh leaves nothing behind" nothing_left "esfd$(cat "$pid_file")"
	if is_root; then
		check "demo.sh ends on SIGTERM" interrupted_demo "$pid_file"
		check "demo.sh leaves nothing behind after SIGTERM" nothing_left "esfd$(cat "$pid_file")"
	else
		skip "demo.sh ends on SIGTERM: not root"
	fi
	rm -f "$pid_file"
}

# interrupted_demo PID_FILE: SIGTERM amid the demo ends it within 10 s, with the code that says so.
interrupted_demo()
{
	local tenths=100 pid

	BUILD=$TEST_BUILD/gcc ./demo.sh --headless --seconds 60 &
	pid=$!
	echo $pid >"$1"
	sleep 8
	kill -TERM $pid
	while [ $tenths -gt 0 ] && kill -0 $pid 2>/dev/null; do
		sleep 0.1
		tenths=$((tenths - 1))
	done
	kill -KILL $pid 2>/dev/null
	wait $pid
	[ $? -eq 143 ]
}

# nothing_left NAME: no link and no network namespace of that name.
nothing_left()
{
	! { ip link; ip netns; } 2>/dev/null | grep -w "$1[ab]\?"
}

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
[ $# -gt 0 ] || set -- "${ALL_PHASES[@]}"
for phase in "$@"; do
	declare -F "phase_$phase" >/dev/null || { echo "test.sh: no phase \"$phase\"; there are: ${ALL_PHASES[*]}" >&2; exit 2; }
done
header setup
need_packages "${BUILD_PACKAGES[@]}" "${DEMO_PACKAGES[@]}" "${BENCH_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
for phase in "$@"; do
	header "$phase"
	"phase_$phase"
done
header "all"
[ $skipped -eq 0 ] || echo "skipped: $skipped"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
