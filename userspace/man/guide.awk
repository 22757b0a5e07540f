# SPDX-License-Identifier: BSD-3-Clause
#
# A manual page out of a guide in reStructuredText:
#
#	awk -v name=dtls -v section=7 -v version=VERSION -v brief=TEXT \
#		-f guide.awk docs/dtls.rst
#
# The guide uses this much of the format and no more: a title between lines of
# "=", sections underlined with "=" and "-", paragraphs, lists with "-" and "1.",
# terms with indented definitions, blocks of code after "::" or "code-block",
# and text that is ``literal``, **strong** or *emphasised*.

function escape(s)
{
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	return s
}

# Set what stands between two marks in another font.
function font(s, mark, name,	at, len, rest)
{
	len = length(mark)
	while ((at = index(s, mark)) && (rest = index(substr(s, at + len), mark)))
		s = substr(s, 1, at - 1) "\\f" name \
		    substr(s, at + len, rest - 1) "\\fR" \
		    substr(s, at + 2 * len + rest - 1)
	return s
}

function text(s)
{
	s = font(font(font(escape(s), "``", "B"), "**", "B"), "*", "I")
	# A reference to a section is its title.
	gsub(/`|`_/, "", s)
	return "\\&" s
}

function indent_of(s)
{
	match(s, /^ */)
	return RLENGTH
}

function heading(s, mark)
{
	print (mark == "=" ? ".SH " toupper(escape(s)) : ".SS " escape(s))
	fresh = 1
}

BEGIN {
	print ".\\\" SPDX-License-Identifier: BSD-3-Clause"
	print ".TH " toupper(name) " " section " 2026-11-28 \"libkdtls " version "\""
	print ".SH NAME\n" name " \\- " text(brief)
}

{ line[NR] = $0 }

END {
	for (i = 1; i <= NR; i++)
		take()
}

# Take what starts with line @i, and leave @i at its last line.
function take(	s, next_line)
{
	s = line[i]
	next_line = line[i + 1]
	if (s ~ /^=+$/ && line[i + 2] ~ /^=+$/) {
		i += 2			# the title
	} else if (s ~ /^\.\. code-block/ || s == "::") {
		code()
	} else if (s ~ /^\.\. /) {
		;			# a comment
	} else if (s == "") {
		blank = 1
	} else if (next_line ~ /^(==+|--+)$/) {
		heading(s, substr(next_line, 1, 1))
		i++
	} else if (s ~ /^(-|[0-9]+\.) /) {
		item(s)
	} else if (indent_of(next_line) == 4 && s !~ /^ /) {
		print ".TP\n" text(s)
		fresh = 1
	} else {
		if (blank && !fresh && s !~ /^ /)
			print ".PP"
		print text(substr(s, indent_of(s) + 1))
		blank = fresh = 0
	}
}

function item(s,	mark)
{
	mark = s
	sub(/ .*/, "", mark)
	print ".IP " (mark == "-" ? "\\(bu 2" : mark " 3")
	print text(substr(s, length(mark) + 2))
	fresh = blank = 0
}

function code()
{
	print ".PP\n.RS 4\n.nf"
	for (i += 2; line[i] ~ /^ / || (line[i] == "" && line[i + 1] ~ /^ /); i++)
		print "\\&" escape(substr(line[i], 5))
	print ".fi\n.RE"
	i--
	fresh = 0
	blank = 1
}
