// SPDX-License-Identifier: GPL-2.0
/*
 * A handshake whose messages are tampered with by their sender, and whose
 * datagrams are on their way: each takes some bytes of the input, which say
 * what happens to it. Both ends run to their end; if both have keys, these
 * must be the same.
 */
#include <stdlib.h>

#include "common.h"

enum { PASS, CHANGE, DROP, TWICE, CUT, LATER, KINDS };

static struct end ends[2];
static u8 later[END_DATAGRAM];
static size_t later_len;

static void deliver(struct end *to, u8 *buf, size_t len, struct dtls_bytes *in,
		    u64 now)
{
	u8 kind = PASS, value = 0;
	u16 at = 0;

	if (rd_u8(in, &kind) && rd_u16(in, &at))
		rd_u8(in, &value);
	switch (kind % KINDS) {
	case CHANGE:
		buf[at % len] ^= value;
		break;
	case DROP:
		return;
	case TWICE:
		end_input(to, buf, len, now);
		break;
	case CUT:
		len = at % len;
		break;
	case LATER:
		memcpy(later, buf, len);
		later_len = len;
		return;
	default:
		break;
	}
	end_input(to, buf, len, now);
	if (later_len)
		end_input(to, later, later_len, now);
	later_len = 0;
}

/* A peer with good keys that writes something else into a message */
static void tamper(struct end *from, struct dtls_bytes *in)
{
	struct dtls_outgoing *m = motion(from->e)->flight.cursor;
	u8 which, value;
	u16 at;

	if (!rd_u8(in, &which) || !rd_u16(in, &at) || !rd_u8(in, &value))
		return;
	for (; m && which % 8; which--)
		m = m->next;
	if (m && m->len > DTLS_MESSAGE_HEADER)
		m->data[DTLS_MESSAGE_HEADER +
			at % (m->len - DTLS_MESSAGE_HEADER)] ^= value;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	static u8 buf[END_DATAGRAM];
	struct dtls_bytes in = { data, len };
	u64 now = 1000000;
	int round, i;
	long n;

	if (!fuzz_version(&in))
		return 0;
	fuzz_client(&ends[0]);
	fuzz_server(&ends[1]);
	kdtls_engine_set_mtu(ends[0].e, len % 1000);
	kdtls_engine_set_mtu(ends[1].e, len % 1000);
	kdtls_engine_start(ends[0].e, now);
	later_len = 0;
	for (round = 0; round < 8; round++) {
		for (i = 0; i < 2; i++) {
			tamper(&ends[i], &in);
			while ((n = end_output(&ends[i], buf, sizeof(buf),
					       now)) > 0)
				deliver(&ends[!i], buf, (size_t)n, &in, now);
			kdtls_engine_expire(ends[i].e, now);
		}
		now += 1100000;
	}
	if (end_established(&ends[0]) && end_established(&ends[1]) &&
	    !end_agree(&ends[0], &ends[1]))
		abort();
	for (i = 0; i < 2; i++) {
		ends[i].ep = NULL;
		end_exit(&ends[i]);
	}
	return 0;
}
