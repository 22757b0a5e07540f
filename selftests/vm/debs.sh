# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Debian packages that are unpacked into the cache, not installed; sourced.
#
# A package of another suite is reached through a copy of the machine's own
# apt source with the suite replaced, in folders of its own: the system's apt
# configuration and lists stay as they are.

apt_opts=()

use_suite()
{
	local dir=$cache/apt-$1 codename

	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	mkdir -p "$dir/lists/partial"
	if [ -f /etc/apt/sources.list.d/debian.sources ]; then
		awk -v RS= -v from="$codename" -v to="$1" '
			$0 ~ "(^|\n)Suites:[^\n]* " from "( |\n|$)" {
				sub(/Suites:[^\n]*/, "Suites: " to)
				print
				exit
			}' /etc/apt/sources.list.d/debian.sources >"$dir/suite.sources"
		apt_opts=(-o "Dir::Etc::sourcelist=$dir/suite.sources")
	else
		awk -v from="$codename" -v to="$1" '
			$1 == "deb" && sub(" " from " ", " " to " ") {
				print
				exit
			}' /etc/apt/sources.list >"$dir/suite.list"
		apt_opts=(-o "Dir::Etc::sourcelist=$dir/suite.list")
	fi
	apt_opts+=(-o Dir::Etc::sourceparts=/dev/null
		   -o "Dir::State::lists=$dir/lists"
		   -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
}

deb_update()
{
	mkdir -p "$cache"
	say "apt-get update${apt_opts:+ (${apt_opts[1]##*/kernel-dtls/})}"
	quietly flock "$cache/.apt.lock" apt-get -q "${apt_opts[@]}" update
}

# deb_field PACKAGE FIELD: of the version that apt would install.
deb_field()
{
	{ apt-cache "${apt_opts[@]}" show --no-all-versions "$1" 2>/dev/null || :; } |
		sed -n "/^$2: /{s///p;q}"
}

deb_version()
{
	local version

	version=$(deb_field "$1" Version)
	if [ -z "$version" ]; then
		deb_update >&2
		version=$(deb_field "$1" Version)
	fi
	[ -n "$version" ] || die "no package $1: is it still in the suite?"
	echo "$version"
}

# deb_unpack DIR PACKAGE…: fetch and unpack below DIR.
deb_unpack()
{
	local dir=$1 get=$1/.debs deb

	shift
	mkdir -p "$get"
	say "fetching $*"
	if ! (cd "$get" && quietly apt-get -q "${apt_opts[@]}" \
			-o APT::Sandbox::User=root download "$@"); then
		# The lists may be older than the archive.
		deb_update
		die "could not fetch $*; the package lists are now fresh: run again"
	fi
	for deb in "$get"/*.deb; do
		dpkg-deb -x "$deb" "$dir"
	done
	rm -r "$get"
}
