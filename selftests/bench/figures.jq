# SPDX-License-Identifier: GPL-2.0
# What bench printed, one document: with sums, and ratios to OpenSSL's cost and
# to the floor of the same cipher and size. OpenSSL has one record a call, and 32
# with the segments of UDP around it.

# first_of(ROW; BATCH): what such a row costs among these, or null
def first_of(row; batch):
	map(select(.row == row and .batch == batch))[0].sum;

def with_ratios(alike):
	. as $all
	| map(. as $r
	| ($all | map(select(alike == ($r | alike)))) as $same
	| ($same | first_of("OpenSSL DTLS"; "1")) as $openssl
	| ($same | first_of("OpenSSL DTLS"; "gso+gro")) as $segments
	| ($same | first_of("floor"; $r.batch)) as $floor
	| . + (if $openssl then { to_openssl: (.sum / $openssl) } else {} end)
	+ (if $segments and (.batch | startswith("gso"))
	   then { to_openssl_gso: (.sum / $segments) } else {} end)
	+ (if $floor then { to_floor: (.sum / $floor) } else {} end));

# What the server's process does for a record, beside what all the kernel does;
# and that beside what it does where there is one client.
def with_growth:
	. as $all
	| map(. as $r
	| ($all | map(select(.row == $r.row and .batch == $r.batch and
			     .size == $r.size and .clients == 1))[0]) as $one
	| . + { all: (.sum + .deliver),
		to_one: ((.sum + .deliver) / ($one | .sum + .deliver)) });

def sums_of_servers: map(if .what == "server"
			   then . + { sum: (.send + .receive) } else . end);
def sums: map(. + { sum: (.send + .receive) });

{ kernel: $kernel, counter: $counter,
  costs: ($costs | sums | with_ratios([.cipher, .size])),
  servers: ($servers | sums | with_ratios([.cipher, .size, .clients]) |
	    with_growth),
  newcomers: $newcomers,
  flood: $flood,
  million: ($million | sums_of_servers),
  scale: $scale, clock: $clock }
