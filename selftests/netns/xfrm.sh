#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# DTLS inside ESP: a route on which UDP cannot segment.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Nothing holds the sender back, and where packets out of ESP wait for softirqs
# there is room for 1000 (net.core.netdev_max_backlog): more may be lost.
n=900
[ -z "$slow" ] || n=200

plan 3
neighbours
addresses v4

# esp HOST: both directions' states and policies
esp()
{
	local name=$1 local=$2 peer=$3 way src dst key

	key=0x000102030405060708090a0b0c0d0e0f10111213
	for way in out in; do
		src=$local dst=$peer
		[ $way = out ] || { src=$peer dst=$local; }
		on "$name" ip xfrm state add src "$src" dst "$dst" proto esp \
			spi "0x${src##*.}000" mode transport \
			aead 'rfc4106(gcm(aes))' "$key" 128 || return
		on "$name" ip xfrm policy add src "$src" dst "$dst" dir $way \
			tmpl proto esp mode transport || return
	done
}

names=(single segments segments_to_gro_reader)
if ! esp a "$from" "$to" 2>"$tmp/esp" || ! esp b "$to" "$from" 2>"$tmp/esp"
then
	for name in "${names[@]}"; do
		skip "$name" "no ESP: $(tail -n 1 "$tmp/esp")"
	done
	exit
fi

exact=(sent==1 strange==0 repeated==0 "given==$n" "rx_records==$n"
       rx_replays==0 rx_other==0)

transfer "$from" "$to" "" "" "-n $n"
check "${names[0]}" "${exact[@]}"
transfer "$from" "$to" "" "-g 10" "-n $n"
check "${names[1]}" "${exact[@]}"
transfer "$from" "$to" "-G" "-g 10" "-n $n"
check "${names[2]}" "${exact[@]}"
