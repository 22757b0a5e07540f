# SPDX-License-Identifier: GPL-2.0
# The figures as a table, columns separated by tabs.

def round2: if . then (. * 100 | round / 100 | tostring) else "" end;

def batch_name:
	{ "1": "one a call", "mmsg": "mmsg 32", "gso": "GSO 32",
	  "gso+gro": "GSO 32 + GRO", "stream": "large recv" }[.];

(["row", "calls", "cipher", "size", "send", "receive", "sum", "/OpenSSL",
  "/floor"],
 (.instructions | sort_by(.cipher != "none", .cipher, .size)[] |
  [.row, (.batch | batch_name), .cipher, .size, .send, .receive, .sum,
   (.to_openssl | round2), (.to_floor | round2)])
 | @tsv)
