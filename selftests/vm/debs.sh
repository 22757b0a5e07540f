# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Debian packages that are unpacked into the cache, not installed; sourced.
#
# A package of another suite or architecture is reached through a copy of the
# machine's own apt source with the suite replaced, in folders of its own: the
# system's apt configuration and lists stay as they are.

apt_opts=() archive=

# use_archive SUITE [ARCHITECTURE]: have the packages of that suite, for that
# architecture. The suite "own" is the one that this machine runs.
use_archive()
{
	local dir=$cache/apt-$1${2:+-$2} codename suite=$1

	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	[ "$suite" != own ] || suite=$codename
	archive=${dir##*/}.
	mkdir -p "$dir/lists/partial"
	if [ -f /etc/apt/sources.list.d/debian.sources ]; then
		awk -v RS= -v from="$codename" -v to="$suite" '
			$0 ~ "(^|\n)Suites:[^\n]* " from "( |\n|$)" {
				sub(/Suites:[^\n]*/, "Suites: " to)
				print
				exit
			}' /etc/apt/sources.list.d/debian.sources >"$dir/suite.sources"
		apt_opts=(-o "Dir::Etc::sourcelist=$dir/suite.sources")
	else
		awk -v from="$codename" -v to="$suite" '
			$1 == "deb" && sub(" " from " ", " " to " ") {
				print
				exit
			}' /etc/apt/sources.list >"$dir/suite.list"
		apt_opts=(-o "Dir::Etc::sourcelist=$dir/suite.list")
	fi
	apt_opts+=(-o Dir::Etc::sourceparts=/dev/null
		   -o "Dir::State::lists=$dir/lists"
		   -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
	# Nothing of a foreign architecture is installed.
	[ $# -eq 1 ] ||
		apt_opts+=(-o "APT::Architecture=$2" -o "APT::Architectures=$2"
			   -o Dir::State::status=/dev/null)
}

deb_update()
{
	mkdir -p "$cache"
	say "apt-get update${apt_opts:+ (${apt_opts[1]##*/kernel-dtls/})}"
	rm -rf "$cache/.versions"
	quietly flock "$cache/.apt.lock" apt-get -q "${apt_opts[@]}" update
}

# deb_field PACKAGE FIELD: of the version that apt would install.
deb_field()
{
	{ apt-cache "${apt_opts[@]}" show --no-all-versions "$1" 2>/dev/null || :; } |
		sed -n "/^$2: /{s///p;q}"
}

# deb_version PACKAGE: the version that apt would install. Where apt keeps no
# index of its lists it takes a second to say that, so an answer holds an hour.
deb_version()
{
	local known=$cache/.versions/$archive$1 version

	if [ -z "$(find "$known" -mmin -60 2>/dev/null)" ]; then
		version=$(deb_field "$1" Version)
		if [ -z "$version" ]; then
			deb_update >&2
			version=$(deb_field "$1" Version)
		fi
		[ -n "$version" ] || die "no package $1: is the security archive among the sources of apt?"
		mkdir -p "$cache/.versions"
		echo "$version" >"$known.$BASHPID"
		mv "$known.$BASHPID" "$known"
	fi
	cat "$known"
}

# deb_fetch DIR COMMAND PACKAGE…: have a command of apt-get fetch into DIR.
deb_fetch()
{
	local get=$1 command=$2

	shift 2
	say "fetching $*"
	mkdir -p "$get/partial"
	if ! (cd "$get" && quietly apt-get -q "${apt_opts[@]}" \
			-o APT::Sandbox::User=root -o Debug::NoLocking=1 \
			-o "Dir::Cache::archives=$get" "$command" "$@"); then
		# The lists may be older than the archive.
		deb_update
		die "could not fetch $*; the package lists are now fresh: run again"
	fi
}

# deb_open DIR: unpack below DIR what was fetched for it.
deb_open()
{
	local deb

	for deb in "$1"/.debs/*.deb; do
		dpkg-deb -x "$deb" "$1"
	done
	rm -r "$1/.debs"
}

# deb_unpack DIR PACKAGE…: fetch and unpack below DIR.
deb_unpack()
{
	deb_fetch "$1/.debs" download "${@:2}"
	deb_open "$1"
}

# deb_system DIR PACKAGE…: fetch and unpack below DIR with all that they depend
# on, as a whole system whose links hold wherever DIR is.
deb_system()
{
	local dir=$1 part link

	apt_opts+=(--yes --download-only --no-install-recommends)
	deb_fetch "$dir/.debs" install "${@:2}"
	deb_open "$dir"
	for part in bin sbin lib lib64; do
		if [ -d "$dir/$part" ] && [ ! -L "$dir/$part" ]; then
			mkdir -p "$dir/usr/$part"
			cp -a "$dir/$part/." "$dir/usr/$part"
			rm -r "${dir:?}/$part"
		fi
		ln -sfn "usr/$part" "$dir/$part"
	done
	find "$dir" -lname '/*' | while read -r link; do
		ln -sfnr "$dir$(readlink "$link")" "$link"
	done
}
