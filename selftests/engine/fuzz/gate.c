// SPDX-License-Identifier: GPL-2.0
/*
 * A gate that strangers send pieces of hellos to, and anything else, while an
 * honest client's hello comes in pieces of its own. Nobody gets more than he
 * gave, what is held is bounded, and whatever came before, the honest client
 * gets in.
 */
#include <stdlib.h>

#include "common.h"

#define SENDERS		16	/* 0: the honest client */
#define HELLO_MAX	4096

enum { FRAGMENT, DATAGRAM, HONEST, TIME };

struct hello {
	u8 body[HELLO_MAX];
	u32 len;
	u16 seq;
};

static struct end client, server;
static struct hello hello;
static size_t heard[SENDERS], sent[SENDERS];
static u64 now;

/* The hello that the client has to send, out of all its datagrams */
static void next_hello(void)
{
	struct dtls_bytes content;
	struct dtls_fragment f;
	u8 datagram[2048];
	long n;

	while ((n = end_output(&client, datagram, sizeof(datagram), now)) > 0) {
		content = (struct dtls_bytes){ datagram + DTLS12_HEADER_SIZE,
					       (size_t)n - DTLS12_HEADER_SIZE };
		if (!dtls_fragment_parse(&content, &f) ||
		    f.type != DTLS_CLIENT_HELLO || f.length > HELLO_MAX)
			abort();
		memcpy(hello.body + f.offset, f.body.p, f.body.len);
		hello.len = f.length;
		hello.seq = f.seq;
	}
}

static void start_client(void)
{
	client.ep = NULL;
	end_exit(&client);
	fuzz_client(&client);
	kdtls_engine_start(client.e, now);
	next_hello();
}

/* A server's engine for a hello that was let in */
static void let_in(struct kdtls_hello *in, const u8 *address)
{
	static u8 buf[END_DATAGRAM];

	end_close(&server);
	if (kdtls_engine_new(fuzz_gate(), KDTLS_SERVER, &server, address, 8,
			     &server.e)) {
		kdtls_hello_free(in);
		return;
	}
	kdtls_engine_accept(server.e, in, now);
	if (address[0])
		while (end_output(&server, buf, sizeof(buf), now) > 0)
			;
}

static enum kdtls_gate ask(unsigned int who, const u8 *datagram, size_t len)
{
	const u8 address[8] = { (u8)who };
	struct kdtls_sender from = { address, sizeof(address), 0 };
	struct kdtls_endpoint *ep = fuzz_gate();
	u8 *copy = malloc(len + 1);
	struct kdtls_verdict v;
	enum kdtls_gate gate;

	memcpy(copy, datagram, len);
	gate = kdtls_endpoint_gate(ep, &from, copy, len, now, &v);
	free(copy);
	heard[who] += len;
	sent[who] += v.reply_len;
	if (sent[who] > 2 * heard[who])
		abort();
	if (ep->collector.held > DTLS_COLLECT_MAX ||
	    !ep->collector.held != TAILQ_EMPTY(&ep->collector.all))
		abort();
	if (gate == KDTLS_GATE_ACCEPT) {
		let_in(v.hello, address);
	} else if (gate == KDTLS_GATE_REPLY && !who) {
		end_input(&client, v.reply, v.reply_len, now);
		next_hello();
	}
	return gate;
}

/* One record with a fragment of a ClientHello */
static enum kdtls_gate ask_piece(unsigned int who, u16 seq, u32 length,
				 u32 offset, struct dtls_bytes part)
{
	static u64 number;
	struct dtls_record r = {
		.type = DTLS_CT_HANDSHAKE, .version = 0xfeff, .seq = number++,
		.fragment_len = (u16)(DTLS_MESSAGE_HEADER + part.len),
	};
	u8 *record = malloc(DTLS12_HEADER_SIZE + DTLS_MESSAGE_HEADER +
			    part.len);
	size_t n = dtls_record_write_header(record, &r);
	enum kdtls_gate gate;

	dtls_fragment_write(record + n, DTLS_CLIENT_HELLO, length, seq, offset,
			    (u32)part.len);
	memcpy(record + n + DTLS_MESSAGE_HEADER, part.p, part.len);
	gate = ask(who, record, n + DTLS_MESSAGE_HEADER + part.len);
	free(record);
	return gate;
}

static enum kdtls_gate ask_honest(u32 offset, u32 n)
{
	if (offset > hello.len)
		offset = hello.len;
	if (n > hello.len - offset)
		n = hello.len - offset;
	return ask_piece(0, hello.seq, hello.len, offset,
			 (struct dtls_bytes){ hello.body + offset, n });
}

/* The honest client says hello, and hello again, in halves: it gets in. */
static void must_get_in(void)
{
	struct end *c = &client;
	enum kdtls_gate gate;
	int i;

	/* A hello that it has sent in part is no more than half a hello. */
	now += DTLS_COLLECT_LIFE + 1;
	start_client();
	for (i = 0; i < 2; i++) {
		u32 half = hello.len / 2;

		if (ask_honest(0, half) != KDTLS_GATE_DROP)
			abort();
		gate = ask_honest(half, hello.len - half);
		if (gate != (i ? KDTLS_GATE_ACCEPT : KDTLS_GATE_REPLY))
			abort();
	}
	if (end_exchange(&server, c, &now, 20) || !end_agree(c, &server))
		abort();
}

static void do_piece(struct dtls_bytes piece)
{
	u8 what, seq;
	u16 a, b;

	if (!rd_u8(&piece, &what))
		return;
	switch (what >> 6) {
	case FRAGMENT:
		if (rd_u8(&piece, &seq) && rd_u16(&piece, &a) &&
		    rd_u16(&piece, &b))
			ask_piece(1 + what % (SENDERS - 1), seq, a, b, piece);
		break;
	case DATAGRAM:
		ask(1 + what % (SENDERS - 1), piece.p, piece.len);
		break;
	case HONEST:
		if (rd_u16(&piece, &a) && rd_u16(&piece, &b))
			ask_honest(a, b);
		break;
	default:
		now += (what & 63) * 250000ULL;
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct dtls_bytes in = { data, len }, piece;

	if (!fuzz_version(&in))
		return 0;
	/* The gate remembers what it was sent; its clock goes on. */
	now += 1000000000;
	memset(heard, 0, sizeof(heard));
	memset(sent, 0, sizeof(sent));
	if (!server.ep) {
		end_config(&server, "secret of theirs");
		server.ep = fuzz_gate();
	}
	start_client();
	while (next_piece(&in, &piece))
		do_piece(piece);
	must_get_in();
	end_close(&server);
	client.ep = NULL;
	end_exit(&client);
	return 0;
}
