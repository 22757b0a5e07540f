# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts of this directory share; sourced, never run.

set -euo pipefail
shopt -s inherit_errexit

vm=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
top=$(realpath "$vm/../..")
build=$top/build
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kernel-dtls
jobs=$(nproc)

say()
{
	printf '[%(%H:%M:%S)T] %s\n' -1 "$*" >&2
}

die()
{
	say "error: $*"
	exit 1
}

# Run a command whose output matters only when it fails.
quietly()
{
	local log rc=0

	log=$(mktemp)
	"$@" >"$log" 2>&1 </dev/null || rc=$?
	[ "$rc" -eq 0 ] || tail -n 40 "$log" >&2
	rm -f "$log"
	return "$rc"
}

# cached KEY FUNCTION [ARG…]: print the directory of that name in the cache.
# When it is not there, FUNCTION DIR [ARG…] fills a directory that gets the
# name once it is whole, so what was interrupted leaves nothing half made.
cached()
{
	local key=$1 dir=$cache/$1 tmp

	shift
	if [ ! -d "$dir" ]; then
		mkdir -p "$cache"
		(
			flock 9
			[ ! -d "$dir" ] || exit 0
			tmp=$(mktemp -d "$cache/.$key.XXXXXX")
			trap 'rm -rf "$tmp"' EXIT
			chmod 755 "$tmp"
			"$1" "$tmp" "${@:2}" >&2
			mv -T "$tmp" "$dir"
		) 9>"$cache/.$key.lock"
	fi
	echo "$dir"
}
