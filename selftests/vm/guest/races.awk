# SPDX-License-Identifier: GPL-2.0
# Print a kernel's log in which the title of a data race has no "BUG: " where
# the race is not the module's. A race is the module's if the innermost function
# of one of its two accesses is in the module: the module's own code reads or
# writes the variable. Races of the rest of the kernel with itself are known,
# and many.

function end_report(foreign)
{
	if (foreign)
		sub(/BUG: KCSAN: /, "not the module's ", report)
	printf "%s", report
	report = ""
}

# A serial port ends its lines with a carriage return, too.
		{ sub(/\r$/, "") }
/BUG: KCSAN: /	{
	end_report(0)
	report = $0 "\n"
	mine = innermost = 0
	next
}
report == ""	{
	print
	next
}
		{ report = report $0 "\n" }
innermost && /\[dtls\]/	{ mine = 1 }
		{ innermost = / by (task|interrupt).* on cpu .*:$/ }
/={66}$/	{ end_report(!mine) }
# A report that was cut off is not judged.
END		{ end_report(0) }
