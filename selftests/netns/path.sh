#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A router whose second link takes less than the first: what the sender is told
# of it, and what DTLS_INFO says of the MTU before and after.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

plan 2
host a
host r
host b
cable a eth0 r eth0
cable r eth1 b eth0
address a eth0 10.77.0.1/24 fd77::1/64
address r eth0 10.77.0.3/24 fd77::3/64
address r eth1 10.77.1.3/24 fd78::3/64
address b eth0 10.77.1.2/24 fd78::2/64
on r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
on r ip link set eth1 mtu 1300
on b ip link set eth0 mtu 1300
on a ip route add default via 10.77.0.3
on a ip -6 route add default via fd77::3
on b ip route add default via 10.77.1.3
on b ip -6 route add default via fd78::3

# path NAME LOCAL PEER
path()
{
	# Somebody who listens, else the last send brings ECONNREFUSED.
	listen b "$3" "$2"
	on a "$numbered" path "$2" "$3" 1500 1300 >"$tmp/path" 2>&1
	report $? "$1"
	sed 's/^/# /' "$tmp/path"
	finish "$listener"
}

path v4_mtu_follows_the_path 10.77.0.1 10.77.1.2
path v6_mtu_follows_the_path fd77::1 fd78::2
