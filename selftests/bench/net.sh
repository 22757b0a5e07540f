#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# net.sh up|down: the networks that bench's rows run over, beside loopback: two
# namespaces with a veth pair between them, and a WireGuard tunnel whose outer
# datagrams go over the loopback device of the namespace this runs in, where
# its sockets stay when its devices move.

set -euo pipefail

down()
{
	local name

	for name in a b; do
		ip netns del "kdtls-$name" 2>/dev/null || :
	done
}

case ${1-} in
up)
	down
	trap down ERR
	for name in a b; do
		ip netns add "kdtls-$name"
		ip -n "kdtls-$name" link set lo up
	done
	ip link add eth0 netns kdtls-a type veth peer name eth0 netns kdtls-b
	keys=$(mktemp -d)
	number=1
	for name in a b; do
		ip -n "kdtls-$name" addr add "10.66.0.$number/24" dev eth0
		ip -n "kdtls-$name" link set eth0 up
		wg genkey | tee "$keys/$name" | wg pubkey >"$keys/$name.pub"
		# Room for a datagram of the bench's largest record, unfragmented
		ip link add "kdtls-wg$name" mtu 1500 type wireguard
		number=$((number + 1))
	done
	wg set kdtls-wga listen-port 51820 private-key "$keys/a" \
		peer "$(cat "$keys/b.pub")" allowed-ips 10.67.0.2/32 \
		endpoint 127.0.0.1:51821
	wg set kdtls-wgb listen-port 51821 private-key "$keys/b" \
		peer "$(cat "$keys/a.pub")" allowed-ips 10.67.0.1/32 \
		endpoint 127.0.0.1:51820
	rm -r "$keys"
	number=1
	for name in a b; do
		ip link set "kdtls-wg$name" netns "kdtls-$name" name wg0
		ip -n "kdtls-$name" addr add "10.67.0.$number/24" dev wg0
		ip -n "kdtls-$name" link set wg0 up
		number=$((number + 1))
	done
	;;
down)
	down
	;;
*)
	echo "usage: net.sh up|down" >&2
	exit 2
	;;
esac
