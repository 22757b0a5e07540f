# SPDX-License-Identifier: GPL-2.0
# The code of a public header's manual pages, as one file:
#
#	awk -f examples.awk include/kdtls/socket.h

BEGIN {
	n = split("errno netinet/in poll stdio stdlib string sys/socket unistd", names, " ")
	for (i = 1; i <= n; i++)
		print "#include <" names[i] ".h>"
}

FNR == 1 {
	header = FILENAME
	sub(/.*\/include\//, "", header)
	print "#include <" header ">"
}

/^ \* Example:$/ {
	on = 1
	next
}

on && !/^ \*(\t|$)/ {
	on = 0
}

on {
	sub(/^ \*\t?/, "")
	print
}
