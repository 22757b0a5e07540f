# SPDX-License-Identifier: BSD-3-Clause
#
# The manual page of the constants of all public headers:
#
#	awk -v version=VERSION -f constants.awk HEADER…
#
# A constant is a #define or a member of an enum, with a comment behind it. A comment
# above a group of them says what they are.

function escape(s)
{
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	return s
}

# Print a constant, with the comment that stands behind it in @rest.
function constant(name, value, rest)
{
	if (about != "")
		print ".PP\n\\&" escape(about)
	about = ""
	if (!sub(/^.*\/\*[ \t]*/, "", rest))
		rest = ""
	# The comment may go on in the next lines.
	while (rest != "" && !sub(/[ \t]*\*\/.*/, "", rest) && (getline line) > 0) {
		sub(/^[ \t]*\*?[ \t]*/, "", line)
		rest = rest " " line
	}
	print ".TP\n.BR " name (value == "" ? "" : " \" = " value "\"")
	print "\\&" escape(rest)
}

BEGIN {
	print ".\\\" SPDX-License-Identifier: BSD-3-Clause"
	print ".TH KDTLS_CONSTANTS 3 2026-11-28 \"libkdtls " version "\""
	print ".SH NAME\nkdtls_constants \\- errors, flags and other constants"
	print ".SH DESCRIPTION"
}

FNR == 1 {
	header = FILENAME
	sub(/.*include\/(uapi\/)?/, "", header)
	print ".SS #include <" header ">"
	about = ""
}

# A comment above a group
/^\/\*( |$)/ {
	about = ""
	for (line = $0; ; line = $0) {
		last = line ~ /\*\//
		gsub(/^\/?[ *]*|[ *]*\*\/$/, "", line)
		about = about (about == "" || line == "" ? "" : " ") line
		if (last || (getline) <= 0)
			break
	}
	next
}

/^#define (KDTLS|DTLS|SOL_DTLS)[A-Z0-9_]*[ \t]/ && !/ KDTLS_API / {
	value = $0
	sub(/^#define [A-Z0-9_]+[ \t]+/, "", value)
	sub(/[ \t]*\/\*.*/, "", value)
	constant($2, value, $0)
	next
}

/^enum .*{$/	{ members = 1; next }
/^};/		{ members = 0 }

members && /^\t[A-Z]/ {
	name = value = $1
	sub(/,$/, "", name)
	value = $0 ~ /=/ ? $3 : ""
	sub(/,$/, "", value)
	constant(name, value, $0)
	next
}

!members { about = "" }

END {
	print ".SH SEE ALSO\n.BR libkdtls (3),\n.BR dtls (7)"
}
