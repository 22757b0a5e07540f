# SPDX-License-Identifier: GPL-2.0
# What bench printed, one document: with sums, and ratios to OpenSSL's cost and
# to the floor of the same cipher and size.

def cost: .send + .receive;

def with_ratios:
	. as $all
	| map(. as $r
	| ($all | map(select(.size == $r.size and .cipher == $r.cipher))) as $same
	| ($same | map(select(.row == "OpenSSL DTLS"))[0]) as $openssl
	| ($same | map(select(.row == "floor" and .batch == $r.batch))[0]) as $floor
	| . + { sum: cost }
	+ (if $openssl then { to_openssl: (cost / ($openssl | cost)) } else {} end)
	+ (if $floor then { to_floor: (cost / ($floor | cost)) } else {} end));

{ kernel: $kernel, counter: $counter, costs: ($costs | with_ratios),
  scale: $scale, clock: $clock }
