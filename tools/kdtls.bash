# SPDX-License-Identifier: BSD-3-Clause
# Completion of the command kdtls for bash. The options come from --help.

_kdtls()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} words

	# "--path=user" is three words for bash.
	if [ "$word" = = ]; then
		word=
	elif [ "$before" = = ]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case $COMP_CWORD,$before in
	1,*)		words='client server info --help --version' ;;
	*,--path)	words='kernel user auto' ;;
	*,--passin)	words='pass: env: file: fd: stdin' ;;
	*,--min|*,--max) words='1.2 1.3' ;;
	*)
		case $word in
		-*)	words=$("${COMP_WORDS[0]}" "$command" --help 2>/dev/null |
				grep -oE -- '^ +(-[a-zA-Z?], +)?--[a-z-]+=?' |
				grep -oE -- '--[a-z-]+=?') ;;
		*)	mapfile -t COMPREPLY < <(compgen -f -- "$word")
			compopt -o filenames
			return ;;
		esac ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	[[ ${COMPREPLY[*]} != *[=:] ]] || compopt -o nospace
}

complete -F _kdtls kdtls
