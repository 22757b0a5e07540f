# SPDX-License-Identifier: BSD-3-Clause
#
# A manual page for each function and structure of a header, out of the comment
# before it:
#
#	awk -v dir=FOLDER -v version=VERSION -v header=kdtls/socket.h \
#		-f pages.awk FILE
#
# A comment begins with "name() - what it is" or "struct name - what it is".
# Then come lines with @name: for parameters or fields, paragraphs (with a tab
# in front: as they are), "Return:" with what a function returns, "Context:" with
# who may call it, and "Example:" with code behind a tab. A "Context:" in the
# header's first comment holds for all functions that have none of their own.

function escape(s)
{
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	return s
}

# Running text: names of parameters in italics; no line may be a request
function text(s)
{
	s = escape(s)
	while (match(s, /@[a-z_0-9.]+/))
		s = substr(s, 1, RSTART - 1) "\\fI" \
		    substr(s, RSTART + 1, RLENGTH - 1) "\\fR" \
		    substr(s, RSTART + RLENGTH)
	return "\\&" s
}

function out(s)
{
	print s > page
}

function flush_paragraph()
{
	if (paragraph != "")
		body[++bodies] = paragraph
	paragraph = ""
}

function take(line)
{
	if (!name) {
		structure = sub(/^struct /, "", line)
		name = line
		sub(/[^a-z_0-9].*/, "", name)
		brief = line
		sub(/^[^ ]* - /, "", brief)
		where = "brief"
	} else if (line ~ /^@[a-z_0-9.]+:/) {
		parameter = line
		sub(/:.*/, "", parameter)
		sub(/^@[^:]*:[ \t]*/, "", line)
		names[++count] = substr(parameter, 2)
		meaning[count] = line
		where = "parameter"
	} else if (line ~ /^Return:/) {
		flush_paragraph()
		sub(/^Return:[ \t]*/, "", line)
		returned = line
		where = "return"
	} else if (line ~ /^Context:/) {
		flush_paragraph()
		sub(/^Context:[ \t]*/, "", line)
		context = line
		where = "context"
	} else if (line == "Example:") {
		flush_paragraph()
		where = "example"
	} else if (where == "example") {
		sub(/^\t/, "", line)
		example = example (example == "" && line == "" ? "" : line "\n")
	} else if (line == "") {
		flush_paragraph()
		if (where == "return")
			returned = returned "\n.PP"
		else
			where = "body"
	} else if (where == "brief") {
		brief = brief " " line
	} else if (where == "parameter" && line ~ /^[ \t]/) {
		sub(/^[ \t]+/, "", line)
		meaning[count] = meaning[count] " " line
	} else if (where == "return") {
		returned = returned "\n" line
	} else if (where == "context") {
		context = context "\n" line
	} else if (line ~ /^\t/) {
		sub(/^\t/, "", line)
		paragraph = paragraph (paragraph == "" ? "" : "\n") "\t" line
	} else {
		paragraph = paragraph (paragraph == "" ? "" : "\n") line
	}
}

function lines_of(s,	part, n, i)
{
	n = split(s, part, "\n")
	for (i = 1; i <= n; i++) {
		if (part[i] == ".PP")
			out(i < n ? ".PP" : ".\\\"")
		else if (part[i] ~ /^\t/)
			out(".nf\n" text(part[i]) "\n.fi")
		else
			out(text(part[i]))
	}
}

# Other pages that this one names
function see_also(s,	other, list)
{
	while (match(s, /kdtls_[a-z_0-9]+\(\)/)) {
		other = substr(s, RSTART, RLENGTH - 2)
		s = substr(s, RSTART + RLENGTH)
		if (other == name || index(list, ".BR " other " "))
			continue
		list = list "\n.BR " other " (3),"
	}
	return list
}

function write_page(	i, n, part, all)
{
	page = dir "/" name ".3"
	out(".\\\" SPDX-License-Identifier: BSD-3-Clause")
	out(".TH " toupper(name) " 3 2026-11-28 \"libkdtls " version "\"")
	out(".SH NAME\n" name " \\- " text(brief))
	out(".SH SYNOPSIS\n.nf\n.B #include <" header ">\n.PP")
	n = split(declaration, part, "\n")
	for (i = 1; i <= n; i++)
		out("\\&\\fB" escape(part[i]) "\\fR")
	out(".fi")
	if (count)
		out(".SH " (structure ? "FIELDS" : "PARAMETERS"))
	for (i = 1; i <= count; i++) {
		out(".TP\n.I " names[i] "\n" text(meaning[i]))
		all = all meaning[i]
	}
	if (bodies)
		out(".SH DESCRIPTION")
	for (i = 1; i <= bodies; i++) {
		if (i > 1)
			out(".PP")
		lines_of(body[i])
		all = all body[i]
	}
	if (returned != "") {
		out(".SH RETURN VALUE")
		lines_of(returned)
	}
	if (context == "" && !structure)
		context = of_all
	if (context != "") {
		out(".SH CONTEXT")
		lines_of(context)
	}
	if (example != "") {
		sub(/\n+$/, "", example)
		out(".SH EXAMPLES\n.nf")
		n = split(example, part, "\n")
		for (i = 1; i <= n; i++)
			out("\\&" escape(part[i]))
		out(".fi")
	}
	all = all returned
	out(".SH SEE ALSO" see_also(all))
	if (all ~ /DTLS_[A-Z]/)
		out(".BR kdtls_constants (3),")
	out(".BR libkdtls (3),\n.BR dtls (7)")
	close(page)
	print name
}

/^\/\*\*$/ {
	inside = 1
	name = brief = paragraph = returned = declaration = where = ""
	context = example = ""
	structure = count = bodies = 0
	delete names
	delete meaning
	delete body
	next
}

# The header's first comment
/^ \* Context: / && !inside {
	first = 1
	sub(/^ \* Context: /, "")
	of_all = $0
	next
}

first && /^ \* ./ {
	of_all = of_all "\n" substr($0, 4)
	next
}

{ first = 0 }

inside == 1 && /^ \*\/$/ {
	flush_paragraph()
	inside = name ? 2 : 0
	next
}

inside == 1 {
	sub(/^ \* ?/, "")
	take($0)
	next
}

inside == 2 {
	line = $0
	sub(/^KDTLS_API /, "", line)
	declaration = declaration (declaration == "" ? "" : "\n") line
	if (structure ? /^};/ : /;$/) {
		write_page()
		inside = 0
	}
}
