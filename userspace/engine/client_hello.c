// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file writes the ClientHello, which is the same for both versions (RFC
 * 5246 7.4.1.2, RFC 8446 4.1.2).
 */
#include "client_hello.h"
#include "early.h"
#include "extensions.h"
#include "handshake.h"
#include "psks.h"

/*
 * A hello without a key share has about so many bytes. A key share that would
 * make the hello larger than a datagram is not sent in the first hello.
 */
#define HELLO_REST	512

static u32 ticket_age(const struct kdtls_engine *e)
{
	const struct dtls_session *s = &e->hs->session;

	/*
	 * The age is sent in milliseconds, with a number added that came with
	 * the ticket, so that an observer cannot tell it (RFC 8446 4.2.11.1).
	 */
	return (u32)(1000 * (dtls_state_time(e) - s->made)) + s->age_add;
}

unsigned int dtls_client_hello_psks(const struct kdtls_engine *e,
				    struct dtls_offered_psk *list)
{
	const struct dtls_handshake *hs = e->hs;
	const struct dtls_session *s = &hs->session;
	const struct dtls_suite *suite;
	unsigned int i, n = 0, kept = 0;

	if (hs->has_session && s->version == DTLS_VERSION_1_3) {
		suite = dtls_suite_find(s->suite);
		list[n++] = (struct dtls_offered_psk){
			{ s->master, dtls_suite_hash_len(suite) }, s->ticket,
			ticket_age(e), true, suite->sha384,
		};
	}
	if (hs->psk_len)
		list[n++] = (struct dtls_offered_psk){
			{ hs->psk, hs->psk_len },
			{ hs->psk_identity, hs->psk_identity_len },
			0, false, false,
		};
	for (i = 0; i < n; i++)
		if (!hs->retried ||
		    dtls_suite_find(hs->retry_suite)->sha384 == list[i].sha384)
			list[kept++] = list[i];
	return kept;
}

/* Return the best group with which the hello still fits one datagram. */
static const struct dtls_group *first_group(const struct kdtls_engine *e)
{
	size_t i;

	for (i = 0; i < e->ep->group_count; i++)
		if (e->mtu >= HELLO_REST + (u32)e->ep->groups[i]->point_len)
			return e->ep->groups[i];
	return e->ep->groups[0];
}

bool dtls_client_hello_share_key(struct kdtls_engine *e,
				 const struct dtls_group *group)
{
	EVP_PKEY_free(e->hs->kex_key);
	e->hs->kex_key = dtls_kex_generate(&e->ep->crypto, group);
	e->hs->share_group = group->id;
	return e->hs->kex_key;
}

static int write_share(struct kdtls_engine *e, struct dtls_writer *w)
{
	struct dtls_handshake *hs = e->hs;
	u8 share[DTLS_POINT_MAX];
	size_t ext, list, len;

	if (!hs->kex_key && !dtls_client_hello_share_key(e, first_group(e)))
		return dtls_fail_internal(e);
	len = dtls_kex_public(dtls_group_find(hs->share_group), hs->kex_key,
			      share);
	if (!len)
		return dtls_fail_internal(e);
	ext = dtls_extensions_offer(e, w, DTLS_EXT_KEY_SHARE);
	list = wr_open(w, 2);
	wr_u16(w, hs->share_group);
	wr_vec(w, 2, share, len);
	wr_close(w, list, 2);
	wr_close(w, ext, 2);
	return 0;
}

/*
 * Ask the owner for a pre-shared key, once for an engine. The server's hint is
 * not known before the hello. Return 0 or an error.
 */
static int ask_psk(struct kdtls_engine *e)
{
	struct dtls_handshake *hs = e->hs;
	size_t identity_len;
	int len;

	if (hs->psk_asked)
		return 0;
	hs->psk_asked = true;
	len = dtls_psks_client(e, NULL, hs->psk_identity, &identity_len,
			       hs->psk);
	if (len > 0 && identity_len) {
		hs->psk_len = (u8)len;
		hs->psk_identity_len = (u8)identity_len;
	}
	return len < 0 ? len : 0;
}

static int offer_13(struct kdtls_engine *e, struct dtls_writer *w)
{
	struct dtls_handshake *hs = e->hs;
	size_t ext, list;

	if (ask_psk(e))
		return -e->error;
	/*
	 * The cookie comes first, so that the server finds it in the first
	 * piece of the hello (RFC 9147 5.1).
	 */
	if (hs->retried && hs->cookie.len) {
		ext = dtls_ext_open(w, DTLS_EXT_COOKIE);
		wr_vec(w, 2, hs->cookie.p, hs->cookie.len);
		wr_close(w, ext, 2);
	}
	ext = dtls_extensions_offer(e, w, DTLS_EXT_VERSIONS);
	list = wr_open(w, 1);
	wr_u16(w, DTLS_VERSION_1_3);
	if (e->ep->speaks12)
		wr_u16(w, DTLS_VERSION_1_2);
	wr_close(w, list, 1);
	wr_close(w, ext, 2);
	if (hs->psk_len || !dtls_endpoint_flag(e->ep, KDTLS_NO_TICKETS)) {
		ext = dtls_extensions_offer(e, w, DTLS_EXT_PSK_MODES);
		list = wr_open(w, 1);
		wr_u8(w, DTLS_MODE_PSK_DHE);
		if (dtls_endpoint_flag(e->ep, KDTLS_PSK_KE))
			wr_u8(w, DTLS_MODE_PSK);
		wr_close(w, list, 1);
		wr_close(w, ext, 2);
	}
	if (e->m->early && !hs->retried)
		wr_close(w, dtls_extensions_offer(e, w, DTLS_EXT_EARLY_DATA), 2);
	return write_share(e, w);
}

static void offer_psks(struct kdtls_engine *e, struct dtls_writer *w)
{
	static const u8 zeros[DTLS_HASH_MAX];
	struct dtls_offered_psk psk[DTLS_OFFERED_PSKS];
	unsigned int i, n = dtls_client_hello_psks(e, psk);
	size_t ext, list;

	if (!n)
		return;
	ext = dtls_extensions_offer(e, w, DTLS_EXT_PSK);
	list = wr_open(w, 2);
	for (i = 0; i < n; i++) {
		wr_vec(w, 2, psk[i].identity.p, psk[i].identity.len);
		wr_int(w, 4, psk[i].age);
	}
	wr_close(w, list, 2);
	list = wr_open(w, 2);
	for (i = 0; i < n; i++)
		wr_vec(w, 1, zeros, psk[i].sha384 ? 48 : 32);
	wr_close(w, list, 2);
	wr_close(w, ext, 2);
}

/*
 * Hash the bytes that a binder is made over (RFC 8446 4.2.11.2): the messages
 * before the hello, and the hello up to its binders.
 */
static struct dtls_bytes hash_truncated(const struct kdtls_engine *e,
					const EVP_MD *md,
					const struct dtls_writer *hello,
					size_t len, u8 *out)
{
	const struct dtls_writer *before = &e->hs->transcript.all;
	u8 header[DTLS_SHORT_HEADER] = { DTLS_CLIENT_HELLO };
	const struct dtls_bytes pieces[] = {
		{ before->p, before->len },
		{ header, sizeof(header) },
		{ hello->p + DTLS_MESSAGE_HEADER, len - DTLS_MESSAGE_HEADER },
	};

	dtls_put_be(header + 1, 3, hello->len - DTLS_MESSAGE_HEADER);
	return (struct dtls_bytes){
		out, dtls_crypto_digest(&e->ep->crypto, md, pieces, 3, out)
	};
}

static int bind_psks(struct kdtls_engine *e, struct dtls_writer *w)
{
	const struct dtls_crypto *c = &e->ep->crypto;
	struct dtls_offered_psk psk[DTLS_OFFERED_PSKS];
	unsigned int i, n = dtls_client_hello_psks(e, psk);
	u8 buf[DTLS_HASH_MAX], binder[DTLS_HASH_MAX];
	struct dtls_bytes hash;
	const EVP_MD *md;
	size_t end = w->len;
	u8 *p;

	if (!n)
		return 0;
	if (w->failed)
		return dtls_fail_memory(e);
	for (i = 0; i < n; i++)
		end -= 1 + (psk[i].sha384 ? 48 : 32);
	p = w->p + end;
	end -= 2;
	for (i = 0; i < n; i++) {
		md = psk[i].sha384 ? c->sha384 : c->sha256;
		hash = hash_truncated(e, md, w, end, buf);
		if (!hash.len || !dtls_keys13_binder(c, md, psk[i].key,
						     psk[i].resumes, hash,
						     binder))
			return dtls_fail_internal(e);
		memcpy(p + 1, binder, hash.len);
		p += 1 + hash.len;
	}
	/*
	 * Two hellos may have the same bytes, and so the same key of early data, as
	 * anybody can ask for the same cookie twice. So the first hello alone has such
	 * a key: another one would begin with a number that was used.
	 */
	if (!e->m->early || e->hs->retried || e->hs->verify_requests)
		return 0;
	/* Early data is protected under the first key in the list. */
	md = psk[0].sha384 ? c->sha384 : c->sha256;
	return dtls_early_offered(e, hash_truncated(e, md, w, w->len, buf));
}

bool dtls_client_hello_suite(const struct kdtls_engine *e,
			     const struct dtls_suite *suite)
{
	const struct kdtls_endpoint *ep = e->ep;

	if (dtls_suite_is_13(suite))
		return false;
	if (suite->kx & DTLS_KX_PSK)
		return ep->config.ops.psk_client;
	return ep->trust_x509 || ep->trust.raw_count || ep->config.ops.verify;
}

static void write_suites(struct kdtls_engine *e, struct dtls_writer *w)
{
	const struct kdtls_endpoint *ep = e->ep;
	size_t i, mark = wr_open(w, 2);

	for (i = 0; i < ep->suite_count; i++)
		if (dtls_suite_is_13(ep->suites[i]) ?
		    ep->speaks13 : ep->speaks12 && dtls_client_hello_suite(e, ep->suites[i]))
			wr_u16(w, ep->suites[i]->id);
	wr_close(w, mark, 2);
}

/*
 * dtls_client_hello_send() writes the first hello, or one that answers a
 * HelloVerifyRequest or HelloRetryRequest. The answer to a HelloVerifyRequest
 * has the same bytes as the first hello but for the cookie (RFC 6347 4.2.1).
 * Messages that came before the hello went out cannot answer it: they are of
 * another handshake, and are dropped.
 */
int dtls_client_hello_send(struct kdtls_engine *e)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_writer *w;
	size_t mark;

	hs->hello_record = e->m->tx_seq;
	dtls_reassembly_clear(&hs->in);
	if (!hs->retried)
		dtls_transcript_clear(&hs->transcript);
	w = dtls_handshake_message(e, DTLS_CLIENT_HELLO);
	wr_u16(w, DTLS_VERSION_1_2);
	wr_bytes(w, e->d12->secrets.client_random, DTLS_RANDOM_SIZE);
	wr_vec(w, 1, e->d12->session_id, e->d12->session_id_len);
	if (hs->retried)
		wr_u8(w, 0);	/* legacy_session_id (RFC 9147 5.3) */
	else
		wr_vec(w, 1, hs->cookie.p, hs->cookie.len);
	write_suites(e, w);
	wr_u8(w, 1);
	wr_u8(w, 0); /* no compression */
	mark = wr_open(w, 2);
	if (e->ep->speaks13 && offer_13(e, w))
		return -e->error;
	dtls_extensions_write_client(e, w);
	if (e->ep->speaks13)
		offer_psks(e, w);
	wr_close(w, mark, 2);
	if (e->ep->speaks13 && bind_psks(e, w))
		return -e->error;
	hs->step = CLIENT_SERVER_HELLO;
	return dtls_handshake_message_end(e);
}

/*
 * Begin the transcript anew with the hello, which is the flight. Its headers are
 * long again, as the next ServerHello may be one of DTLS 1.2. After a
 * HelloRetryRequest the version is settled, and the transcript begins with a
 * hash. Return 0 or an error.
 */
static int restore_transcript(struct kdtls_engine *e)
{
	const struct dtls_outgoing *hello = e->m->flight.first;
	struct dtls_handshake *hs = e->hs;

	if (hs->retried) {
		dtls_transcript_cut(&hs->transcript, hs->answer);
		return 0;
	}
	dtls_transcript_clear(&hs->transcript);
	if (!dtls_transcript_add(&hs->transcript, hello->data, hello->len,
				 e->ep->config.max_handshake))
		return dtls_fail_memory(e);
	e->version = 0;
	e->ems = false;
	dtls_state_free13(e);
	return 0;
}

/* Restore the session id, which a ServerHello of DTLS 1.2 may have replaced. */
static void restore_session_id(struct kdtls_engine *e)
{
	const struct dtls_outgoing *hello = e->m->flight.first;
	const size_t at = DTLS_MESSAGE_HEADER + 2 + DTLS_RANDOM_SIZE;

	e->d12->session_id_len = hello->data[at];
	memcpy(e->d12->session_id, hello->data + at + 1, e->d12->session_id_len);
}

int dtls_client_hello_unanswered(struct kdtls_engine *e)
{
	struct dtls_handshake *hs = e->hs;

	hs->taken_back++;
	if (restore_transcript(e))
		return -e->error;
	restore_session_id(e);
	dtls_extensions_forget(e);
	dtls_peer_forget(&hs->peer);
	e->resumed = false;
	e->group = 0;
	hs->psk_chosen = false;
	hs->shared_len = 0;
	hs->tx_epoch = 0;
	if (e->m->tx && e->m->tx->seq > hs->tx_from)
		hs->tx_from = e->m->tx->seq;
	dtls_state_drop_keys(e);
	/* The records that the list names are those of another handshake. */
	dtls_state_drop_acks(e);
	dtls_reassembly_clear(&hs->in);
	hs->in.next = hs->answer_seq;
	hs->step = CLIENT_SERVER_HELLO;
	return 0;
}
