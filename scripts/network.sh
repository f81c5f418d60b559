#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A link whose far end is a machine of its own, for tests and the demo.
#
#   network.sh up NAME     veth pair: NAMEa stays here, for a DPDK port; NAMEb goes into the network namespace
#                          NAME, with 10.9.0.1/24 and fd00:9::1/64
#   network.sh down NAME   removes both; no error if they are gone
#
# NAME: at most 14 characters. This kernel sees what arrives at NAMEa as well, so NAMEa has no addresses and
# forwards nothing: only the DPDK port answers.
set -u

up()
{
	ip netns add "$1" &&
		ip link add "$1a" type veth peer name "$1b" netns "$1" &&
		quiet "$1a" &&
		ip link set "$1a" up &&
		ip -n "$1" link set lo up &&
		ip -n "$1" link set "$1b" up &&
		ip -n "$1" address add 10.9.0.1/24 dev "$1b" &&
		add_ipv6 "$1"
}

quiet()
{
	local net=/proc/sys/net

	[ ! -e "$net/ipv6/conf/$1" ] || echo 1 >"$net/ipv6/conf/$1/disable_ipv6"
	echo 0 >"$net/ipv4/conf/$1/forwarding"
}

add_ipv6()
{
	[ ! -e /proc/sys/net/ipv6 ] || ip -n "$1" address add fd00:9::1/64 dev "$1b" nodad
}

down()
{
	ip link del "$1a" 2>/dev/null
	ip netns del "$1" 2>/dev/null
	return 0
}

case "${1:-} $#" in
"up 2") up "$2" || { down "$2"; exit 1; } ;;
"down 2") down "$2" ;;
*)
	echo "usage: network.sh up|down NAME" >&2
	exit 2
	;;
esac
