# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# What the scripts of this directory share: KTAP, hosts that are network
# namespaces, and transfers of numbered records between them. Sourced.

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
numbered=$here/../numbered
[ -x "$numbered" ] || numbered=$here/../../build/selftests/numbered
tmp=$(mktemp -d)
hosts=()
number=0
failed=0

# An emulated debug kernel takes its time: fewer records, later ones.
slow=${DTLS_TEST_SLOW:+1}

plan()
{
	echo "TAP version 13"
	echo "1..$1"
}

# report STATUS NAME
report()
{
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number $2"
	else
		echo "not ok $number $2"
		failed=1
	fi
}

skip()
{
	number=$((number + 1))
	echo "ok $number $1 # SKIP $2"
}

# check NAME EXPRESSION…: all of them hold, of what receive() left in variables
check()
{
	local name=$1 expression bad=0

	shift
	for expression in "$@"; do
		if ! ((expression)); then
			echo "# $expression does not hold"
			bad=1
		fi
	done
	[ $bad -eq 0 ] || sed 's/^/# /' "$tmp/recv" "$tmp/send"
	report $bad "$name"
}

# Namespaces have this shell's number in their names, so that several scripts
# may run at once.
host()
{
	hosts+=("$1-$$")
	ip netns add "$1-$$"
	on "$1" ip link set lo up
}

on()
{
	local name=$1

	shift
	ip netns exec "$name-$$" "$@"
}

# spawn FILE HOST COMMAND…: in the background, its output to FILE; sets pid, of
# the command itself and not of a shell around it
spawn()
{
	local file=$1 name=$2

	shift 2
	# At once: who looks for a word in it must not find the last one's.
	: >"$file"
	ip netns exec "$name-$$" "$@" >"$file" 2>&1 &
	pid=$!
}

# finish PID…: end what was spawned
finish()
{
	kill -9 "$@" 2>/dev/null
	wait "$@" 2>/dev/null
}

# cable HOST DEV HOST DEV
cable()
{
	ip link add "$2" netns "$1-$$" type veth peer name "$4" netns "$3-$$"
	on "$1" ip link set "$2" up
	on "$3" ip link set "$4" up
}

# address HOST DEV ADDRESS…
address()
{
	local name=$1 dev=$2 a

	shift 2
	for a in "$@"; do
		case $a in
		*:*)	on "$name" ip addr add "$a" dev "$dev" nodad ;;
		*)	on "$name" ip addr add "$a" dev "$dev" ;;
		esac
	done
}

# know HOST DEV OTHER ADDRESS…: HOST need not ask for OTHER's addresses. Where
# the path loses packets it would lose these questions, too.
know()
{
	local name=$1 dev=$2 mac a

	mac=$(on "$3" cat "/sys/class/net/$dev/address")
	shift 3
	for a in "$@"; do
		on "$name" ip neigh replace "$a" dev "$dev" lladdr "$mac" \
			nud permanent
	done
}

# Two hosts on one cable
neighbours()
{
	host a
	host b
	cable a eth0 b eth0
	address a eth0 10.77.0.1/24 fd77::1/64
	address b eth0 10.77.0.2/24 fd77::2/64
	know a eth0 b 10.77.0.2 fd77::2
	know b eth0 a 10.77.0.1 fd77::1
}

leave()
{
	local name pids

	for name in "${hosts[@]}"; do
		pids=$(ip netns pids "$name")
		# shellcheck disable=SC2086
		[ -z "$pids" ] || kill -9 $pids
		ip netns del "$name"
	done
	rm -rf "$tmp"
	exit "$failed"
}
trap leave EXIT

# addresses FAMILY: sets from, to
addresses()
{
	case $1 in
	v4)	from=10.77.0.1 to=10.77.0.2 ;;
	v6)	from=fd77::1 to=fd77::2 ;;
	esac
}

# listen HOST ARGUMENT…: numbered recv, in the background; its pid in $listener
listen()
{
	local name=$1 i

	shift
	spawn "$tmp/recv" "$name" "$numbered" recv "$@"
	listener=$pid
	for ((i = 0; i < 300; i++)); do
		grep -q ready "$tmp/recv" && return
		kill -0 "$listener" 2>/dev/null || return
		sleep 0.1
	done
}

# transfer FROM TO "RECV-OPTIONS" "SEND-OPTIONS" "OPTIONS OF BOTH": from host a
# to host b; what recv prints becomes variables
transfer()
{
	arrivals=0 distinct=0 late=0 unwatched=0
	given=0 missing=0 unseen=0 repeated=0 strange=1
	largest=0 rx_records=0 rx_replays=0 rx_other=0 rx_epoch=0 sent=0

	# shellcheck disable=SC2086
	listen b $3 $5 "$2" "$1"
	# shellcheck disable=SC2086
	on a "$numbered" send $4 $5 "$1" "$2" >"$tmp/send" 2>&1 && sent=1
	kill -USR1 "$listener" 2>/dev/null
	wait "$listener"
	while read -r line; do
		case $line in
		*=*)	for line in $line; do
				declare -g "$line"
			done ;;
		esac
	done <"$tmp/recv"
}
