// SPDX-License-Identifier: GPL-2.0
/*
 * What an engine holds, and what it does when it gets nothing: each of its
 * allocations fails once; an established end keeps less than 1 KiB, and less than
 * half of it when it is idle; keys that share contexts stay apart; a million strangers
 * leave nothing behind.
 *
 *	memory [HELLOS]
 */
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "end.h"
#include "heap.h"

#define LAST_FLIGHT_MAX	1024
#define IDLE_MAX	448
#define STACK_USED	65536

static const char secret[] = "secret of theirs";

static struct cert ca, leaf;
static struct end client, server;
static unsigned int tests, failures;
static bool stack_keeps_key;

static void result(bool ok, const char *what)
{
	printf("%sok %u %s\n", ok ? "" : "not ", ++tests, what);
	failures += !ok;
}

static int give_credentials(struct end *end)
{
	return trust(end, &ca) || show(end, &leaf);
}

struct way {
	bool certificates;
	bool by_id;
};

/*
 * left_on_stack() returns true if the pre-shared key still lies in the part of the stack
 * that the handshake has used. The part begins below this function's own frame. The key
 * is compared byte by byte, as a call would overwrite a part of what is looked through.
 */
static __attribute__((noinline, no_sanitize("address", "undefined")))
bool left_on_stack(void)
{
	const volatile char *p = (char *)__builtin_frame_address(0) - STACK_USED;
	size_t i, n;

	for (i = 0; i < STACK_USED - 512; i++) {
		for (n = 0; n < sizeof(secret) - 1 && p[i + n] == secret[n]; n++)
			;
		if (n == sizeof(secret) - 1)
			return true;
	}
	return false;
}

/* A full handshake and one that resumes it, with all that can be negotiated */
static int twice(void *arg)
{
	bool certificates = ((struct way *)arg)->certificates;
	bool by_id = ((struct way *)arg)->by_id;
	static const char *const protocols[] = { "coap", NULL };
	u64 now = 1000000;
	int round, err = 0;

	end_config(&client, certificates ? NULL : secret);
	end_config(&server, certificates ? NULL : secret);
	client.config.alpn = protocols;
	server.config.alpn = protocols;
	server.config.psk_hint = "hint";
	server.config.flags = KDTLS_REQUIRE_CERT * certificates |
			      KDTLS_HEARTBEAT;
	server.config.cache_size = 4;
	client.config.flags = KDTLS_HEARTBEAT | KDTLS_NO_TICKETS * by_id;
	for (round = 0; round < 2 && !err; round++) {
		err = end_open(&client, KDTLS_CLIENT);
		if (!err)
			err = end_open(&server, KDTLS_SERVER);
		if (!err && certificates && !round)
			err = give_credentials(&client);
		if (!err && certificates && !round)
			err = give_credentials(&server);
		if (!err)
			err = kdtls_engine_set_name(client.e, "end.example");
		if (!err)
			err = kdtls_engine_set_cid(client.e, (u8 *)"cid", 3);
		if (!err)
			err = kdtls_engine_set_cid(server.e, (u8 *)"id", 2);
		if (!err && round && client.session)
			err = kdtls_engine_set_session(client.e, client.session,
						       client.session_len);
		if (!err)
			err = end_handshake(&client, &server);
		if (!err && !end_agree(&client, &server))
			err = -1;
		if (!err)
			err = kdtls_engine_heartbeat(client.e, 64, now);
		if (!err && end_version == DTLS_VERSION_1_3)
			err = kdtls_engine_update_keys(client.e, true);
		if (!err && end_version == DTLS_VERSION_1_3)
			err = kdtls_engine_give_cids(client.e, 2, true);
		if (!err && end_version == DTLS_VERSION_1_3)
			err = kdtls_engine_request_cids(client.e, 2);
		if (!err)
			err = end_exchange(&client, &server, &now, 8);
		end_close(&client);
		end_close(&server);
	}
	end_exit(&client);
	end_exit(&server);
	ERR_clear_error();
	stack_keeps_key |= left_on_stack();
	return err;
}

static int refuse(void *ctx, const struct kdtls_resumption *session)
{
	(void)ctx;
	(void)session;
	return 1;
}

/*
 * Early data lets a hello in without a cookie, and its session is refused. The second
 * hello is judged anew.
 */
static int early_refused(void *arg)
{
	int round, err = 0;

	(void)arg;
	end_config(&client, secret);
	end_config(&server, secret);
	server.config.max_early_data = 1024;
	server.config.ops.resume = refuse;
	for (round = 0; round < 2 && !err; round++) {
		err = end_open(&client, KDTLS_CLIENT);
		if (!err)
			err = end_open(&server, KDTLS_SERVER);
		if (!err)
			err = kdtls_engine_set_name(client.e, "end.example");
		if (!err)
			err = kdtls_engine_set_cid(server.e, (u8 *)"id", 2);
		if (!err && round && client.session)
			err = kdtls_engine_set_session(client.e, client.session,
						       client.session_len);
		if (!err && round && client.session)
			err = kdtls_engine_send_early(client.e, (u8 *)"soon", 4);
		if (!err)
			err = end_handshake(&client, &server);
		if (!err && !end_agree(&client, &server))
			err = -1;
		end_close(&client);
		end_close(&server);
	}
	end_exit(&client);
	end_exit(&server);
	ERR_clear_error();
	return err;
}

static void each_fails_early(void)
{
	struct heap_trial t;

	heap_each_fails(early_refused, NULL, &t);
	result(!t.err, "early data of a session that is refused");
	result(!t.lost, "nothing is lost, whichever allocation fails");
}

static void each_fails(bool certificates, bool by_id, const char *what)
{
	struct way way = { certificates, by_id };
	struct heap_trial t;

	stack_keeps_key = false;
	heap_each_fails(twice, &way, &t);
	result(!t.err, what);
	result(t.allocations > 50 && t.survived < t.allocations,
	       "each allocation fails once");
	result(!t.lost, "and nothing is lost");
	result(!stack_keeps_key, "nor is a pre-shared key left on the stack");
}

static void idle(bool certificates, const char *what)
{
	size_t before, each;
	int i;

	end_config(&client, certificates ? NULL : secret);
	end_config(&server, certificates ? NULL : secret);
	/* The second time libcrypto and the loans have all that they keep. */
	for (i = 0; i < 2; i++) {
		if (i) {
			end_close(&client);
			end_close(&server);
		}
		if (!client.ep && (kdtls_endpoint_new(&client.config,
						      &client.ep) ||
				   kdtls_endpoint_new(&server.config,
						      &server.ep)))
			exit(1);
		if (!i && certificates)
			if (give_credentials(&client) ||
			    give_credentials(&server))
				exit(1);
		before = heap_used;
		if (end_open(&client, KDTLS_CLIENT) ||
		    end_open(&server, KDTLS_SERVER) ||
		    kdtls_engine_set_name(client.e, "end.example") ||
		    end_handshake(&client, &server) ||
		    !end_agree(&client, &server))
			exit(1);
	}
	/* The keys are the kernel's; the last flight is still kept. */
	dtls_protection_free(client.rx);
	dtls_protection_free(client.tx);
	dtls_protection_free(server.rx);
	dtls_protection_free(server.tx);
	client.rx = client.tx = server.rx = server.tx = NULL;
	each = (heap_used - before + 1) / 2;
	printf("# %s: %zu bytes an end while the last flight is kept\n", what,
	       each);
	result(each < LAST_FLIGHT_MAX, "an established end keeps less than 1 KiB");
	kdtls_engine_confirm(server.e);
	kdtls_engine_expire(server.e, KDTLS_NEVER - 1);
	each = (heap_used - before + 1) / 2;
	printf("# %s: %zu bytes an end when it is idle\n", what, each);
	result(!client.e->m && !server.e->m && each < IDLE_MAX,
	       "an idle end keeps less than 448 bytes");
	end_exit(&client);
	end_exit(&server);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* One handshake's processor time, the server's and the client's together */
static double handshake_cost(void)
{
	unsigned int i, n = 200;
	double start;

	end_config(&client, secret);
	end_config(&server, secret);
	start = seconds();
	for (i = 0; i < n; i++) {
		if (end_handshake(&client, &server))
			exit(1);
		end_close(&client);
		end_close(&server);
	}
	start = (seconds() - start) / n;
	end_exit(&client);
	end_exit(&server);
	return start;
}

static void flood(unsigned long count)
{
	u8 hello[2048], reply[KDTLS_GATE_REPLY_SIZE];
	unsigned long i, answered = 0, larger = 0;
	size_t len, reply_len, before, address;
	u64 now = 1000000;
	double start;
	long n;

	end_config(&client, secret);
	end_config(&server, secret);
	if (end_open(&client, KDTLS_CLIENT) ||
	    end_open(&server, KDTLS_SERVER) ||
	    kdtls_engine_start(client.e, now))
		exit(1);
	n = end_output(&client, hello, sizeof(hello), now);
	len = (size_t)n;
	/* The endpoint's cookie keys come with the first hello. */
	end_gate(server.ep, NULL, 0, hello, len, now, reply,
		 &reply_len);
	before = heap_used;
	heap_peak = before;
	start = seconds();
	for (i = 0; i < count; i++) {
		address = i * 0x9e3779b97f4a7c15ULL;
		dtls_put_be(hello + 27, 8, address ^ 0x5bd1e995);
		if (end_gate(server.ep, &address, sizeof(address),
			     hello, len, now + i * 10, reply,
					&reply_len) != KDTLS_GATE_REPLY)
			continue;
		answered++;
		larger += reply_len >= len;
	}
	start = seconds() - start;
	printf("# %lu hellos of %zu bytes, answers of %zu, %.2f us each\n",
	       count, len, reply_len, start / (double)count * 1e6);
	result(answered == count, "every stranger is asked for a cookie");
	result(!larger, "no answer is as large as what it answers");
	result(heap_used == before && !server.ep->handshakes,
	       "nothing is kept");
	printf("# %zu bytes held at most while one is judged\n",
	       heap_peak - before);
	end_exit(&client);
	end_exit(&server);
	printf("# a whole PSK handshake, both ends: %.2f us\n",
	       handshake_cost() * 1e6);
}

#define HALVES		(DTLS_LOANS + 20)
#define HALF_MAX	6144	/* bytes of a half-open handshake */
#define HALF13_MAX	7168	/* the same: it has keys already */
/*
 * The same for shares of X25519MLKEM768: 1,216 bytes have come and 1,120 go
 * out, which are in the transcript, and the latter in the flight.
 */
#define HYBRID_MAX	6144
#define BEGUN		7	/* messages of which a byte has come */
#define BEGUN_MAX	96	/* bytes for each of them */

static struct kdtls_engine *half[HALVES];

/* A client proves its address, and is silent when the server has answered. */
static int begin_half(u8 id)
{
	struct kdtls_sender from = { &id, 1, 1 };
	struct dtls_record_info info;
	struct kdtls_verdict v;
	u64 now = 1000000;
	u8 buf[4096];
	long n;

	if (end_open(&client, KDTLS_CLIENT) ||
	    kdtls_engine_set_name(client.e, "end.example") ||
	    kdtls_engine_start(client.e, now))
		return -1;
	while ((n = end_output(&client, buf, sizeof(buf), now)) > 0) {
		switch (kdtls_endpoint_gate(server.ep, &from, buf, (size_t)n,
					    now, &v)) {
		case KDTLS_GATE_REPLY:
			end_input(&client, v.reply, v.reply_len, now);
			break;
		case KDTLS_GATE_ACCEPT:
			if (kdtls_engine_new(server.ep, KDTLS_SERVER, &server,
					     &id, 1, &half[id]))
				return -1;
			kdtls_engine_accept(half[id], v.hello, now);
			while (kdtls_engine_output(half[id], buf, sizeof(buf),
						   &info, now) > 0)
				;
			end_close(&client);
			return 0;
		default:
			break;
		}
	}
	return -1;
}

/* Begin messages of the largest size, a byte of each. */
static void begin_messages(struct kdtls_engine *e)
{
	u8 piece[26] = { 22, 0xfe, 0xfd };
	unsigned int i;

	for (i = 0; i < BEGUN; i++) {
		dtls_put_be(piece + 5, 6, 100 + i);
		dtls_put_be(piece + 11, 2, 13);
		piece[13] = 11;
		dtls_put_be(piece + 14, 3, 16000);
		dtls_put_be(piece + 17, 2, 2 + i);
		dtls_put_be(piece + 19, 3, 0);
		dtls_put_be(piece + 22, 3, 1);
		kdtls_engine_input(e, piece, sizeof(piece), NULL, 1000000);
	}
}

static void half_open(bool certificates, const char *what)
{
	size_t max = end_version == DTLS_VERSION_1_3 ? HALF13_MAX : HALF_MAX;
	size_t before = 0, open, begun;
	int i;

	if (end_version == DTLS_VERSION_1_3 &&
	    dtls_crypto_has_keys("X25519MLKEM768"))
		max += HYBRID_MAX;
	end_config(&client, certificates ? NULL : secret);
	end_config(&server, certificates ? NULL : secret);
	server.config.flags = KDTLS_REQUEST_CERT * certificates;
	if (end_open(&server, KDTLS_SERVER) ||
	    end_open(&client, KDTLS_CLIENT) ||
	    (certificates && (give_credentials(&client) ||
			      give_credentials(&server))))
		exit(1);
	end_close(&client);
	/* With the first ones libcrypto and the loans have all that they keep. */
	for (i = 0; i < HALVES; i++) {
		if (i == DTLS_LOANS)
			before = heap_used;
		if (begin_half((u8)i))
			exit(1);
	}
	open = (heap_used - before) / (HALVES - DTLS_LOANS);
	before = heap_used;
	for (i = 0; i < HALVES; i++)
		begin_messages(half[i]);
	begun = (heap_used - before) / HALVES;
	printf("# %s: %zu bytes a half-open handshake, %zu for %u messages begun\n",
	       what, open, begun, BEGUN);
	result(open <= max, "a half-open handshake has what its flight needs");
	result(begun <= BEGUN * BEGUN_MAX,
	       "memory is for what has come, not for what is claimed");
	for (i = 0; i < HALVES; i++)
		kdtls_engine_free(half[i]);
	end_exit(&client);
	end_exit(&server);
}

/* Pieces of hellos, from one stranger after the other */
static void flood_of_pieces(unsigned long count)
{
	u8 hello[2048], reply[KDTLS_GATE_REPLY_SIZE];
	size_t reply_len, before, address, most = 0;
	unsigned long i, answered = 0;
	u64 now = 1000000;

	end_config(&client, secret);
	end_config(&server, secret);
	if (end_open(&client, KDTLS_CLIENT) ||
	    end_open(&server, KDTLS_SERVER) ||
	    kdtls_engine_start(client.e, now) ||
	    end_output(&client, hello, sizeof(hello), now) < 100)
		exit(1);
	before = heap_used;
	/* Of 4096 bytes each, says the header. */
	dtls_put_be(hello + 14, 3, 4096);
	dtls_put_be(hello + 22, 3, 64);
	dtls_put_be(hello + 11, 2, 12 + 64);
	for (i = 0; i < count; i++) {
		address = i * 0x9e3779b97f4a7c15ULL;
		answered += end_gate(server.ep, &address,
						sizeof(address), hello, 25 + 64,
						now + i, reply,
						&reply_len) != KDTLS_GATE_DROP;
		if (heap_used - before > most)
			most = heap_used - before;
	}
	printf("# %zu bytes held at most for pieces\n", most);
	result(!answered && most <= DTLS_COLLECT_MAX, "pieces have their bounds");
	end_exit(&client);
	end_exit(&server);
}

#define SCATTERED	100000		/* bytes of a message */

/* Return how many chunks a message has. */
static unsigned int count_chunks(const struct dtls_incoming *m)
{
	const struct dtls_chunk *c;
	unsigned int count = 0;

	for (c = m->chunks; c; c = c->next)
		count++;
	return count;
}

/* Take @len bytes of the message at @offset. */
static void take_bytes(struct dtls_incoming *m, u32 offset, u32 len)
{
	static const u8 zeros[1024];
	struct dtls_fragment f = {
		.type = DTLS_CERTIFICATE, .length = SCATTERED, .offset = offset,
		.body = { zeros, len },
	};

	dtls_incoming_add(m, &f, 1 << 20);
}

/* Each fragment is looked for among all chunks, so there may not be many. */
static void scatter(void)
{
	struct dtls_incoming m = { 0 };
	unsigned int most;
	u32 offset;

	for (offset = 0; offset < SCATTERED; offset += 2)
		take_bytes(&m, offset, 1);
	most = count_chunks(&m);
	printf("# %u chunks of a message of %u bytes in single bytes\n", most,
	       SCATTERED);
	result(most && most <= SCATTERED / 200, "a message has few chunks");
	dtls_incoming_clear(&m);
	/* Whole datagrams in reverse order */
	for (offset = SCATTERED; offset; offset -= 1000)
		take_bytes(&m, offset - 1000, 1000);
	result(!!m.data, "and is put together in any order");
	dtls_incoming_clear(&m);
}

#define KEYS	(3 * DTLS_LOANS)

static struct dtls_protection *keys[KEYS][2];

/*
 * Seal a record with each key, first key first, and open them, last record first, with
 * the keys that are @shift further. The orders differ, so that a context that has the
 * wrong key to seal is not one that has the same wrong key to open. Return how many
 * records opened.
 */
static unsigned int opened(unsigned int shift)
{
	static u8 records[KEYS][256];
	unsigned int i, count = 0;
	u8 plain[256], type;
	struct dtls_record r;
	size_t n[KEYS];

	for (i = 0; i < KEYS; i++)
		n[i] = dtls_protection_seal(keys[i][0], 23, (u8 *)&i, sizeof(i),
					    records[i]);
	while (i--)
		count += n[i] &&
			 !dtls_record_parse(&r, records[i], n[i], n[i], 0) &&
			 dtls_protection_open(keys[(i + shift) % KEYS][1], &r,
					      records[i], plain, &type) ==
				 sizeof(i) && !memcmp(plain, &i, sizeof(i));
	return count;
}

/* Encrypt a block of zeros with a nonce of zeros. The key of @ctx stays. */
static bool encrypt_zeros(EVP_CIPHER_CTX *ctx, u8 block[32])
{
	bool ccm = EVP_CIPHER_CTX_get_mode(ctx) == EVP_CIPH_CCM_MODE;
	static const u8 zeros[16];
	int n;

	return EVP_EncryptInit_ex2(ctx, NULL, NULL, zeros, NULL) == 1 &&
	       /* CCM has to know the length of the plaintext first. */
	       (!ccm || EVP_EncryptUpdate(ctx, NULL, &n, NULL, 16) == 1) &&
	       EVP_EncryptUpdate(ctx, block, &n, zeros, sizeof(zeros)) == 1 &&
	       n == sizeof(zeros);
}

/* Return true if @ctx has another key than zeros. */
static bool keyed(const EVP_CIPHER_CTX *ctx)
{
	static const u8 zeros[DTLS_KEY_SIZE_MAX];
	EVP_CIPHER_CTX *as_is = EVP_CIPHER_CTX_new();
	EVP_CIPHER_CTX *wiped = EVP_CIPHER_CTX_new();
	u8 a[32], b[32];

	if (EVP_CIPHER_CTX_copy(as_is, ctx) != 1 ||
	    EVP_CIPHER_CTX_copy(wiped, ctx) != 1 ||
	    EVP_EncryptInit_ex2(wiped, NULL, zeros, NULL, NULL) != 1 ||
	    !encrypt_zeros(as_is, a) || !encrypt_zeros(wiped, b))
		exit(1);
	EVP_CIPHER_CTX_free(as_is);
	EVP_CIPHER_CTX_free(wiped);
	return memcmp(a, b, 16) != 0;
}

/* Return how many contexts have a key. */
static unsigned int keyed_contexts(const struct dtls_loans *l)
{
	unsigned int i, kind, count = 0;

	for (kind = 0; kind < DTLS_LOAN_KINDS; kind++)
		for (i = 0; i < DTLS_LOANS; i++) {
			const EVP_CIPHER_CTX *ctx = l->of[kind][i].ctx;

			count += ctx && keyed(ctx);
		}
	return count;
}

/* Keys of one AEAD, six of which borrow each context, seal and open in turn. */
static void share(u16 version)
{
	struct dtls_key_info key = { .version = version, .epoch = 3 };
	unsigned int each = DTLS_LOANS * (version == DTLS_VERSION_1_3 ? 2 : 1);
	unsigned int a, i, wrong = 0, silent = 0, left = 0;
	const struct dtls_crypto *c;

	end_config(&server, secret);
	if (end_open(&server, KDTLS_SERVER))
		exit(1);
	c = &server.ep->crypto;
	for (a = 0; a < DTLS_AEADS; a++) {
		key.cipher = dtls_aeads[a].id;
		for (i = 0; i < KEYS; i++) {
			dtls_put_be(key.key, 2, i);
			dtls_put_be(key.sn_key, 2, i);
			keys[i][0] = dtls_protection_new(c, DTLS_TX, &key);
			keys[i][1] = dtls_protection_new(c, DTLS_RX, &key);
			if (!keys[i][0] || !keys[i][1])
				exit(1);
		}
		wrong += opened(0) != KEYS || opened(0) != KEYS ||
			 opened(DTLS_LOANS);
		silent += keyed_contexts(c->loans) != each;
		for (i = 0; i < KEYS; i++) {
			dtls_protection_free(keys[i][0]);
			dtls_protection_free(keys[i][1]);
		}
		left += keyed_contexts(c->loans);
	}
	result(!wrong, "keys that share contexts are not mixed up");
	result(!silent && !left, "and leave nothing there");
	end_exit(&server);
}

int main(int argc, char **argv)
{
	unsigned long hellos = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000000;

	if (!heap_watch())
		return 1;
	cert_make(&ca, &(struct cert_options){ .ca = true });
	cert_make(&leaf, &(struct cert_options){ .issuer = &ca,
		  .name = "DNS:end.example" });
	printf("TAP version 13\n1..51\n");
	end_version = DTLS_VERSION_1_2;
	each_fails(false, false, "PSK, resumed by ticket");
	each_fails(true, false, "certificates, resumed by ticket");
	each_fails(true, true, "certificates, resumed by session id");
	idle(false, "PSK");
	idle(true, "certificates");
	share(DTLS_VERSION_1_2);
	share(DTLS_VERSION_1_3);
	half_open(false, "PSK");
	half_open(true, "certificates");
	flood(hellos);
	end_version = DTLS_VERSION_1_3;
	each_fails(false, false, "1.3: PSK, resumed by ticket");
	each_fails(true, false, "1.3: certificates, resumed by ticket");
	each_fails_early();
	idle(false, "1.3: PSK");
	idle(true, "1.3: certificates");
	half_open(false, "1.3: PSK");
	half_open(true, "1.3: certificates");
	flood(hellos);
	flood_of_pieces(10000);
	scatter();
	cert_free(&ca);
	cert_free(&leaf);
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n",
	       tests - failures, failures);
	return failures;
}
