# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# How both sides of the demo say what they did; sourced.

# step STATUS TEXT
step()
{
	if [ "$1" -eq 0 ]; then
		echo "step ok: $2"
	else
		echo "step FAILED: $2"
	fi
}
