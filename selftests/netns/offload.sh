#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Devices that can do more, or less, than a socket hopes for: checksums, UDP
# segmentation, coalescing. The records are the same.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

n=4000 checks=22
[ -z "$slow" ] || n=200 checks=11

plan $checks
neighbours

exact=(sent==1 strange==0 repeated==0 "given==$n" "rx_records==$n"
       rx_replays==0 rx_other==0)

# features HOST FEATURE VALUE…
features()
{
	local name=$1

	shift
	on "$name" ethtool -K eth0 "$@" 2>&1 | grep -i 'cannot' | sed 's/^/# /'
}

# What sockets ask for, of devices that can do all
sockets()
{
	transfer "$from" "$to" "" "" "-n $n"
	check "${family}_single" "${exact[@]}" largest==200
	transfer "$from" "$to" "" "-g 10" "-n $n"
	check "${family}_segments" "${exact[@]}" largest==200
	transfer "$from" "$to" "-G" "-g 10" "-n $n"
	check "${family}_segments_to_gro_reader" "${exact[@]}" largest==2000
	# Over an Ethernet frame's size: IP fragments
	transfer "$from" "$to" "" "" "-n $n -s 4000"
	check "${family}_fragments" "${exact[@]}" largest==4000
}

# What devices can and cannot do
devices()
{
	features a tx-udp-segmentation off
	transfer "$from" "$to" "" "-g 10" "-n $n"
	check "${family}_without_segmentation_offload" "${exact[@]}"
	features a tx-udp-segmentation on

	features a tx off
	transfer "$from" "$to" "" "-g 10" "-n $n"
	check "${family}_without_checksum_offload" "${exact[@]}"
	transfer "$from" "$to" "-G" "-g 10 -d 10" "-n $n -k $((n / 8))"
	check "${family}_without_checksum_offload_keys_change" "${exact[@]}"
	features a tx on

	features b gro on
	transfer "$from" "$to" "" "" "-n $n"
	check "${family}_receiver_coalesces" "${exact[@]}" largest==200
	transfer "$from" "$to" "-G" "" "-n $n"
	check "${family}_receiver_coalesces_to_gro_reader" "${exact[@]}"
	transfer "$from" "$to" "-G" "-g 10 -d 10" "-n $n -k $((n / 8))"
	check "${family}_receiver_coalesces_segments" "${exact[@]}"
	features b gro off

	on a ip link set eth0 mtu 1280
	transfer "$from" "$to" "" "-g 10" "-n $n -s 1190"
	check "${family}_segments_of_almost_the_mtu" "${exact[@]}"
	on a ip link set eth0 mtu 1500
}

# Where it is slow, each of them with one family
for family in v4 v6; do
	addresses $family
	[ "$slow" ] && [ $family = v6 ] || sockets
	[ "$slow" ] && [ $family = v4 ] || devices
done
