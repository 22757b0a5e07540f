#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A path that loses, reorders and duplicates a fifth of all packets each. The
# receiver knows from a packet socket which records reached it.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Each family and each version; where it is slow, not each with each.
if [ "$slow" ]; then
	n=900 delay=500 epoch=300 families='v4 v13_v6'
else
	n=8000 delay=60 epoch=1000 families='v4 v6 v13_v4 v13_v6'
fi

# path COMMAND MS: what is not among a fifth of the packets comes so much later.
path()
{
	delay=$2
	on a tc qdisc "$1" dev eth0 root netem limit 100000 \
		delay "${delay}ms" reorder 20% loss 20% duplicate 20%
}

# through RECV-OPTIONS SEND-OPTIONS [OPTIONS OF BOTH]: a transfer in which at
# least one record is overtaken by 64 others. A machine that does not send so
# many within the delay gets a longer one, eight seconds at most.
through()
{
	while
		transfer "$from" "$to" "-i eth0 $1" "${2/DELAY/$delay}" \
			"-n $n -t $((2 * delay + 1000)) $version ${3-}"
		[ "$sent" -eq 1 ] && [ "$late" -eq 0 ] && [ "$delay" -lt 8000 ]
	do
		path change $((4 * delay))
	done
}

plan $((5 * $(wc -w <<<"$families")))
neighbours
path add "$delay"

# Each arrival was a new record or taken for a replay; the path did its worst:
# what it loses of what it duplicates arrives, so a sixth is missing of the
# packets, of which four records a call make but 225.
always=(sent==1 strange==0 unseen==0 repeated==0 unwatched==0 rx_other==0
	"rx_records==given" "rx_records+rx_replays==arrivals"
	"distinct<$n*19/20" "arrivals>distinct" "late>0")

for family in $families; do
	addresses "${family#v13_}"
	version=
	[ "$family" = "${family#v13_}" ] || version=-3

	through "-w 4096" "-p 10000"
	check "${family}_window_4096_all_that_arrive_once" "${always[@]}" \
		missing==0 "given==distinct"

	# Those less than 64 behind the newest are still good.
	through "-w 64" "-p 10000"
	check "${family}_window_64_none_twice" "${always[@]}" \
		"missing>0" "missing<=late"

	through "-w 4096" "-p 20000 -d DELAY" "-k $epoch"
	check "${family}_keys_change" "${always[@]}" missing==0 \
		"given==distinct" "rx_epoch>=$n/$epoch"

	through "-w 4096" "-p 10000 -g 4"
	check "${family}_segments" "${always[@]}" missing==0 "given==distinct"

	through "-w 4096 -G" "-p 20000 -g 4 -d DELAY" "-k $epoch"
	check "${family}_segments_gro_and_keys_change" "${always[@]}" \
		missing==0 "given==distinct" "rx_epoch>=$n/$epoch"
done
