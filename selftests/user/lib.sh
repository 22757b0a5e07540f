# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts of this folder share: TAP, and servers on loopback. Sourced, with
# "suite" set to the name of the script.

dir=$(mktemp -d)
cd "$dir" || exit
number=0 failed=0 server=
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

# serve PORT COMMAND…: start it and wait until it has the port.
serve()
{
	local port _

	port=$(printf '%04X' "$1")
	shift
	"$@" >server.out 2>server.log &
	server=$!
	for _ in {1..100}; do
		! grep -q ":$port 00000000:0000 07" /proc/net/udp || return
		sleep 0.1
	done
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

trap 'stop; rm -rf "$dir"' EXIT
