# SPDX-License-Identifier: GPL-2.0
# Print a program's output as a nested KTAP stream; leave in the file counts
# how many of its cases passed, failed, failed as expected, were skipped, and
# were planned and then never heard of, or not planned. Where the log file is
# given, each case that begins is noted in it.

BEGIN		{ print "  KTAP version 1" }
/^K?TAP version/	{ next }
/^1\.\.[0-9]/	{ plan += substr($1, 4) }
/^ok /		{
	if (/# *SKIP/)
		skip++
	else if (/# *XFAIL/)
		xfail++
	else
		pass++
}
/^not ok /	{ fail++ }
/^#  RUN / && log_file	{
	print "dtls-test: " name " " $3 >log_file
	close(log_file)
}
!/^(ok |not ok |1\.\.[0-9]|#|  )/	{ $0 = "# " $0 }
{
	print "  " $0
	fflush()
}
END {
	seen = pass + fail + xfail + skip
	lost = plan > seen ? plan - seen : seen - plan
	print pass + 0, fail + 0, xfail + 0, skip + 0, lost >counts
}
