# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts of this folder share: TAP, and servers on loopback. Sourced, with
# "suite" set to the name of the script.

dir=$(mktemp -d)
cd "$dir" || exit
number=0 failed=0 server='' relay=''
touch last-result

# result STATUS TEXT: a test that failed shows what was logged since the one before.
result()
{
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number ${suite:?}: $2"
	else
		find . -name '*.log' -newer last-result -exec tail -n 5 -v {} \; |
			sed 's/^/# /'
		echo "not ok $number $suite: $2"
		failed=1
	fi
	touch last-result
}

# await_port PORT: wait until a socket is bound to it.
await_port()
{
	local port _

	port=$(printf '%04X' "$1")
	for _ in {1..100}; do
		! grep -q ":$port 00000000:0000 07" /proc/net/udp || return
		sleep 0.1
	done
}

# serve PORT COMMAND…: start it and wait until it has the port.
serve()
{
	"${@:2}" >server.out 2>server.log &
	server=$!
	await_port "$1"
}

stop()
{
	[ -n "$server" ] || return
	kill "$server" 2>/dev/null
	wait "$server" 2>/dev/null
}

# certify NAME OPTION…: a key, and a certificate for the name "here" in its subject
certify()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$1key.pem" -out "$1cert.pem" -days 2 -subj /CN=here \
		"${@:2}" 2>openssl.log
}

# relay PORT ARGUMENT…: socat, which has the port, in a process group of its own, as the
# processes that it forks outlive it.
relay()
{
	setsid socat "${@:2}" >relay.out &
	relay=$!
	await_port "$1"
}

stop_relay()
{
	[ -n "$relay" ] || return
	kill -- "-$relay" 2>/dev/null
	wait "$relay" 2>/dev/null
	relay=
}

# left: a process of the tests still runs, found by its working directory. It would keep
# the pipe open that the tests are read from.
left()
{
	local process found=1

	for process in /proc/[0-9]*; do
		if [ "$process" != "/proc/$$" ] && [ "$process/cwd" -ef "$dir" ]; then
			tr '\0' ' ' <"$process/cmdline" | sed 's/^/# still running: /'
			echo
			found=0
			kill -KILL "${process#/proc/}"
		fi
	done
	return $found
}

leave()
{
	local rc=$?

	stop
	stop_relay
	! left || rc=1
	rm -rf "$dir"
	exit "$rc"
}

trap leave EXIT
