#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Sockets that end from outside, under traffic: by ss -K, by a signal, and with
# them the namespace they live in.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

plan 6

refs()
{
	cat /sys/module/dtls/refcnt
}

# Nothing may hold the module once its sockets are gone.
released()
{
	local i

	for ((i = 0; i < 100; i++)); do
		[ "$(refs)" -gt "$before" ] || return 0
		sleep 0.1
	done
	echo "# references: $(refs), before: $before"
	return 1
}

before=$(refs)
for family in v4 v6; do
	neighbours
	addresses $family

	listen b -n 100000000 "$to" "$from"
	on a "$numbered" send -n 100000000 "$from" "$to" >"$tmp/send" 2>&1 &
	sender=$!
	sleep 1
	on a ss -K -u dst "$to" >/dev/null
	wait $sender
	grep -q 'failed: send (Software caused connection abort)' "$tmp/send"
	report $? ${family}_sender_is_destroyed

	on a "$numbered" send -n 100000000 "$from" "$to" >"$tmp/send" 2>&1 &
	sender=$!
	sleep 1
	on b ss -K -u dst "$from" >/dev/null
	wait $listener
	grep -q 'failed: recv (Software caused connection abort)' "$tmp/recv"
	report $? ${family}_receiver_is_destroyed
	kill $sender
	wait $sender 2>/dev/null

	# The namespace's name goes first, then its last process in full flight.
	listen b -n 100000000 "$to" "$from"
	on a "$numbered" send -n 100000000 "$from" "$to" >"$tmp/send" 2>&1 &
	sender=$!
	sleep 1
	ip netns del "a-$$"
	ip netns del "b-$$"
	hosts=()
	kill -9 $sender $listener
	wait $sender $listener 2>/dev/null
	released
	report $? ${family}_namespace_ends
done
