// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file sends and takes data before the handshake. Such data needs the
 * ticket of a session, and is protected under a key of epoch 1 that belongs to
 * one hello. DTLS 1.3 has no EndOfEarlyData message, as the client's Finished
 * is of a later epoch.
 */
#include "early.h"
#include "handshake.h"

/* A record of early data is larger than its content by about so many bytes. */
#define RECORD_REST	64

/* Wipe what has not gone out. */
static void drop_queue(struct dtls_early *early)
{
	struct dtls_early_queue *q;

	while ((q = early->queue)) {
		early->queue = q->next;
		OPENSSL_clear_free(q, sizeof(*q) + q->len);
	}
}

void dtls_early_stop(struct kdtls_engine *e)
{
	struct dtls_early *early = e->m->early;

	if (!early)
		return;
	drop_queue(early);
	dtls_protection_free(early->key);
	early->key = NULL;
}

void dtls_early_free(struct kdtls_engine *e)
{
	dtls_early_stop(e);
	if (e->m->early)
		OPENSSL_clear_free(e->m->early, sizeof(*e->m->early));
	e->m->early = NULL;
}

bool dtls_early_same_alpn(const struct kdtls_engine *e,
			  const struct dtls_session *s)
{
	const char *alpn = e->alpn ? e->alpn : "";

	return dtls_bytes_equal(s->alpn, alpn, strlen(alpn));
}

/*
 * Derive the key of early data from the secret of the session @s and the hash
 * of the whole hello. Return 0 or an error.
 */
static int make_key(struct kdtls_engine *e, const struct dtls_session *s,
		    struct dtls_bytes hash)
{
	const struct dtls_suite *suite = dtls_suite_find(s->suite);
	const struct dtls_crypto *c = &e->ep->crypto;
	const EVP_MD *md = dtls_suite_md(c, suite);
	struct dtls_bytes psk = { s->master, dtls_suite_hash_len(suite) };
	struct dtls_early *early = e->m->early;
	u8 secret[DTLS_HASH_MAX];

	if (hash.len == psk.len && dtls_keys13_extract(c, md, NULL, psk,
						       secret) &&
	    dtls_keys13_expand(c, md, secret,
			       &(struct dtls_label){ "c e traffic", hash },
			       secret, hash.len) &&
	    dtls_keys13_key(c, suite, secret, DTLS13_EPOCH_EARLY,
			    &early->info)) {
		dtls_handshake_key_log(e, "CLIENT_EARLY_TRAFFIC_SECRET", secret,
				       hash.len);
		early->key = dtls_protection_new(c, e->server ? DTLS_RX :
						 DTLS_TX, &early->info);
	}
	OPENSSL_cleanse(secret, sizeof(secret));
	return early->key ? 0 : dtls_fail_internal(e);
}


/*
 * Return true if this client offers the protocol that the session was made for
 * (RFC 8446 4.2.10).
 */
static bool offers_alpn(const struct kdtls_engine *e,
			const struct dtls_session *s)
{
	const char *const *p = e->ep->config.alpn;

	if (!s->alpn.len)
		return true;
	for (; p && *p; p++)
		if (dtls_bytes_equal(s->alpn, *p, strlen(*p)))
			return true;
	return false;
}

static bool can_send(const struct kdtls_engine *e)
{
	const struct dtls_handshake *hs = e->hs;
	const struct dtls_session *s = hs ? &hs->session : NULL;

	if (e->server || !hs || !hs->has_session)
		return false;
	if (e->state == KDTLS_IDLE)
		return s->version == DTLS_VERSION_1_3 && s->early &&
		       offers_alpn(e, s);
	return e->m->early && e->m->early->key && !e->m->early->cut &&
	       e->early_state == KDTLS_EARLY_SENT &&
	       hs->step == CLIENT_SERVER_HELLO;
}

int kdtls_engine_send_early(struct kdtls_engine *engine, const uint8_t *data,
			    size_t len)
{
	struct kdtls_engine *e = engine;
	struct dtls_early_queue **end, *q;

	if (!can_send(e) || !len || len > DTLS_RECORD_SIZE_MAX ||
	    len + RECORD_REST > e->mtu)
		return -KDTLS_EUSAGE;
	if (!e->m->early) {
		e->m->early = OPENSSL_zalloc(sizeof(*e->m->early));
		if (!e->m->early)
			return -KDTLS_EMEMORY;
		e->m->early->left = e->hs->session.early;
	}
	if (len > e->m->early->left)
		return -KDTLS_EUSAGE;
	q = OPENSSL_malloc(sizeof(*q) + len);
	if (!q)
		return -KDTLS_EMEMORY;
	q->next = NULL;
	q->len = len;
	memcpy(q->data, data, len);
	for (end = &e->m->early->queue; *end; end = &(*end)->next)
		;
	*end = q;
	e->m->early->left -= (u32)len;
	return 0;
}

int dtls_early_offered(struct kdtls_engine *e, struct dtls_bytes hash)
{
	e->early_state = KDTLS_EARLY_SENT;
	return make_key(e, &e->hs->session, hash);
}

/* Return true if each record of the queue has @size bytes at most. */
static bool fits(const struct dtls_early *early, size_t size)
{
	const struct dtls_early_queue *q;

	for (q = early->queue; q; q = q->next)
		if (q->len + dtls_protection_overhead(early->key) > size)
			return false;
	return true;
}

long dtls_early_output(struct kdtls_engine *e, u8 *buf, size_t size)
{
	struct dtls_early *early = e->m->early;
	struct dtls_early_queue *q;
	size_t n = 0;

	if (!early || !early->key)
		return 0;
	/*
	 * The MTU may have become smaller since the data was queued. The caller sends
	 * all of the data again then, also what has gone out already.
	 */
	if (!fits(early, size < e->mtu ? size : e->mtu)) {
		early->cut = true;
		drop_queue(early);
	}
	while (!n && (q = early->queue)) {
		early->queue = q->next;
		n = dtls_protection_seal(early->key, DTLS_CT_APPLICATION_DATA,
					 q->data, q->len, buf);
		OPENSSL_clear_free(q, sizeof(*q) + q->len);
	}
	return (long)n;
}

void dtls_early_refused(struct kdtls_engine *e)
{
	if (e->m->early)
		e->early_state = KDTLS_EARLY_REJECTED;
	dtls_early_free(e);
}

int dtls_early_answer(struct kdtls_engine *e, const struct dtls_extensions *x)
{
	const struct dtls_handshake *hs = e->hs;
	const struct dtls_session *s = &hs->session;

	if (!dtls_ext_has(x, DTLS_EXT_EARLY_DATA)) {
		dtls_early_refused(e);
		return 0;
	}
	if (x->ext[DTLS_EXT_EARLY_DATA].len)
		return dtls_fail_decode(e, "extension should be empty");
	if (e->early_state != KDTLS_EARLY_SENT || !e->resumed ||
	    e->suite->id != s->suite || !dtls_early_same_alpn(e, s))
		return dtls_fail_illegal(e,
			"early data is taken for another session");
	e->early_state = e->m->early->cut ? KDTLS_EARLY_REJECTED :
					    KDTLS_EARLY_ACCEPTED;
	dtls_early_free(e);
	return 0;
}


bool dtls_early_offers(struct kdtls_engine *e,
		       const struct dtls_client_hello *ch)
{
	const struct dtls_handshake *hs = e->hs;

	if (dtls_ext_has(&ch->ext, DTLS_EXT_EARLY_DATA))
		e->early_state = KDTLS_EARLY_REJECTED;
	return hs->hello && hs->hello->early && hs->psk_chosen &&
	       hs->psk_resumes && !hs->psk_index;
}

int dtls_early_accept(struct kdtls_engine *e)
{
	const struct dtls_session *s = &e->hs->session;
	u8 buf[DTLS_HASH_MAX];

	if (!s->early || s->suite != e->suite->id ||
	    !dtls_early_same_alpn(e, s))
		return 0;
	e->m->early = OPENSSL_zalloc(sizeof(*e->m->early));
	if (!e->m->early)
		return dtls_fail_memory(e);
	e->m->early->left = s->early;
	e->early_state = KDTLS_EARLY_ACCEPTED;
	return make_key(e, s, dtls_handshake_hash(e, e->hs->transcript.all.len,
						  buf));
}

int dtls_early_take(struct kdtls_engine *e, struct dtls_bytes content)
{
	const struct kdtls_ops *ops = &e->ep->config.ops;

	if (content.len > e->m->early->left)
		return dtls_fail(e, KDTLS_EPROTOCOL,
				 KDTLS_ALERT_UNEXPECTED_MESSAGE,
				 "more early data than is allowed");
	e->m->early->left -= (u32)content.len;
	if (content.len && ops->replayable)
		ops->replayable(e->ctx, content.p, content.len);
	return 0;
}
