# SPDX-License-Identifier: Apache-2.0
# What demo.sh and test.sh share: packages, the build, hugepages. Sourced by bash, from the repository's root.

BUILD_PACKAGES=(gcc libc6-dev meson ninja-build pkg-config libdpdk-dev libhyperscan-dev liburcu-dev
	libyaml-dev libmuparser-dev libjansson-dev libmicrohttpd-dev libsqlite3-dev libsodium-dev libpcap-dev libcurl4-openssl-dev zlib1g-dev
	libipsec-mb-dev libssl-dev libzstd-dev libxxhash-dev)
DEMO_PACKAGES=(iproute2 procps)
BENCH_PACKAGES=(dpdk-dev python3)
TEST_PACKAGES=(clang libclang-rt-14-dev libcunit1-dev python3 python3-cryptography iproute2 iputils-ping util-linux
	valgrind)

HUGEPAGES=/sys/kernel/mm/hugepages/hugepages-2048kB

say()
{
	printf '%s: %s\n' "${0##*/}" "$*"
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

is_root()
{
	[ "$(id -u)" -eq 0 ]
}

# need_packages NAME...: installs those that are not there; without root, says what to run and fails.
need_packages()
{
	local missing=() package log

	command -v dpkg-query >/dev/null || die "needs Debian 12 or a relative of it (no dpkg here)"
	for package in "$@"; do
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	is_root || die "packages are missing; as root: apt-get install -y ${missing[*]}"
	say "installing ${missing[*]}"
	log=$(mktemp)
	if ! { apt-get update &&
		DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } \
		</dev/null >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		die "apt-get could not install ${missing[*]}"
	fi
	rm -f "$log"
}

# build FOLDER [MESON OPTION]...: configures once, then builds all, or what $build_only names; the compiler's output
# only when it fails.
build()
{
	local folder=$1 log
	shift

	log=$(mktemp)
	if { [ -f "$folder/build.ninja" ] || meson setup "$folder" "$@"; } </dev/null >"$log" 2>&1 &&
		ninja -C "$folder" ${build_only:-} </dev/null >>"$log" 2>&1; then
		rm -f "$log"
		return 0
	fi
	grep -vE "^\\[[0-9]+/" "$log" | tail -n 60 >&2
	rm -f "$log"
	return 1
}

hugepages_free()
{
	cat "$HUGEPAGES/free_hugepages" 2>/dev/null || echo 0
}

# borrow_hugepages COUNT: makes sure that COUNT are free, if root may; return_hugepages undoes it.
borrow_hugepages()
{
	local count=$1 free total

	free=$(hugepages_free)
	[ "$free" -lt "$count" ] || return 0
	is_root && [ -w "$HUGEPAGES/nr_hugepages" ] || return 1
	total=$(cat "$HUGEPAGES/nr_hugepages")
	hugepages_before=$total
	{ echo $((total + count - free)) >"$HUGEPAGES/nr_hugepages"; } 2>/dev/null
	[ "$(hugepages_free)" -ge "$count" ] && return 0
	return_hugepages
	return 1
}

return_hugepages()
{
	[ -n "${hugepages_before:-}" ] || return 0
	{ echo "$hugepages_before" >"$HUGEPAGES/nr_hugepages"; } 2>/dev/null
	hugepages_before=
}

# stop_process PID SECONDS: SIGTERM, and SIGKILL if it has not ended by then. Exit code: the process's.
stop_process()
{
	local pid=$1 tenths=$(($2 * 10))

	kill -TERM "$pid" 2>/dev/null
	while [ "$tenths" -gt 0 ] && kill -0 "$pid" 2>/dev/null; do
		sleep 0.1
		tenths=$((tenths - 1))
	done
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
}
