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

# Records that host b was given so far
received()
{
	on b sed -n 's/^DtlsRxRecords *//p' /proc/net/dtls_stat
}

# start: both ends, with more to send than there is time for, and at it
start()
{
	local i before_it

	before_it=$(received)
	listen b -n 10000000 "$to" "$from"
	spawn "$tmp/send" a "$numbered" send -n 10000000 "$from" "$to"
	sender=$pid
	for ((i = 0; i < 300; i++)); do
		[ "$(received)" -eq "$before_it" ] || return 0
		sleep 0.1
	done
}

# aborted FILE CALL. A send that was past the check for errors when the socket
# lost its peer says that, as it does on plain UDP.
aborted()
{
	local why='Software caused connection abort'

	[ "$2" != send ] || why+='|Destination address required'
	grep -qE "failed: $2 \\(($why)\\)" "$1" && return
	sed 's/^/# /' "$1"
	return 1
}

before=$(refs)
for family in v4 v6; do
	neighbours
	addresses $family

	start
	on a ss -K -u dst "[$to]" >/dev/null
	wait "$sender"
	aborted "$tmp/send" send
	report $? ${family}_sender_is_destroyed
	finish "$listener"

	start
	on b ss -K -u dst "[$from]" >/dev/null
	wait "$listener"
	aborted "$tmp/recv" recv
	report $? ${family}_receiver_is_destroyed
	finish "$sender"

	# The namespace's name goes first, then its last process in full flight.
	start
	ip netns del "a-$$"
	ip netns del "b-$$"
	hosts=()
	finish "$sender" "$listener"
	released
	report $? ${family}_namespace_ends
done
