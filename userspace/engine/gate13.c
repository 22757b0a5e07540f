// SPDX-License-Identifier: BSD-3-Clause
/* This file decides what becomes of a ClientHello of DTLS 1.3. See gate.h. */
#include "gate13.h"
#include "keys13.h"
#include "retry.h"
#include "transcript.h"

/*
 * Write one record of epoch 0, with the sequence number of the record @to,
 * which it answers.
 */
static size_t reply_record(const struct dtls_record *to, u8 type,
			   struct dtls_bytes content, u8 *out)
{
	struct dtls_record r = {
		.type = type,
		.version = DTLS_VERSION_1_2,
		.fragment_len = (u16)content.len,
		.seq = to->seq,
	};
	size_t n = dtls_record_write_header(out, &r);

	memcpy(out + n, content.p, content.len);
	return n + content.len;
}

enum kdtls_gate dtls_gate13_alert(const struct dtls_asked *a, u8 alert,
				  struct kdtls_verdict *v)
{
	u8 content[] = { DTLS_ALERT_FATAL, alert };

	v->reply_len = reply_record(a->record, DTLS_CT_ALERT,
				    (struct dtls_bytes){ content,
							 sizeof(content) },
				    v->reply);
	return KDTLS_GATE_REPLY;
}

/* Hash a first hello as the transcript does (RFC 9147 5.2). */
static bool hash_hello(const struct dtls_crypto *c, const EVP_MD *md,
		       const struct dtls_fragment *f, struct dtls_retry *r)
{
	u8 header[DTLS_SHORT_HEADER] = { f->type };
	const struct dtls_bytes pieces[] = {
		{ header, sizeof(header) },
		f->body,
	};

	dtls_put_be(header + 1, 3, f->length);
	r->hash_len = (u8)dtls_crypto_digest(c, md, pieces, 2, r->hash);
	return r->hash_len;
}

_Static_assert(DTLS12_HEADER_SIZE + DTLS_RETRY_MESSAGE_MAX <=
	       KDTLS_GATE_REPLY_SIZE, "a HelloRetryRequest fits into a verdict");

/*
 * Write a HelloRetryRequest as a datagram. Return how many bytes it has, or 0
 * if libcrypto failed or there is no memory.
 */
static size_t make_request(const struct dtls_asked *a,
			   const struct dtls_choice *choice, u8 *out)
{
	struct kdtls_endpoint *ep = a->ep;
	/*
	 * A key_share in HelloRetryRequest answers that of the client (RFC 8446
	 * 4.1.4).
	 */
	struct dtls_retry r = {
		.suite = choice->suite->id,
		.group = choice->group && !choice->share.len &&
			 dtls_ext_has(&a->ch->ext, DTLS_EXT_KEY_SHARE) ?
			 choice->group->id : 0,
	};
	u8 cookie[DTLS_RETRY_COOKIE_MAX];
	struct dtls_writer w = { 0 };
	size_t len = 0;

	if (hash_hello(&ep->crypto, dtls_suite_md(&ep->crypto, choice->suite),
		       a->f, &r))
		len = dtls_cookie_seal(&ep->cookie, a->from->address, &r,
				       a->now, cookie);
	if (!len)
		return 0;
	wr_room(&w, DTLS_MESSAGE_HEADER);
	dtls_retry_write(&w, r.suite, r.group,
			 (struct dtls_bytes){ cookie, len });
	len = 0;
	if (!w.failed) {
		u32 body = (u32)(w.len - DTLS_MESSAGE_HEADER);

		dtls_fragment_write(w.p, DTLS_SERVER_HELLO, body, a->f->seq, 0,
				    body);
		len = reply_record(a->record, DTLS_CT_HANDSHAKE,
				   (struct dtls_bytes){ w.p, w.len }, out);
	}
	wr_free(&w);
	return len;
}

/* Check the cookie of the hello. Return true if it is valid. */
static bool check_cookie(const struct dtls_asked *a)
{
	struct dtls_bytes ext = a->ch->ext.ext[DTLS_EXT_COOKIE], cookie;

	a->hello->has_retry = rd_vec(&ext, 2, &cookie) && !ext.len &&
			      dtls_cookie_open(&a->ep->cookie, a->from->address,
					       cookie, a->now,
					       &a->hello->retry);
	if (a->hello->has_retry)
		a->hello->proven = a->hello->retry.made;
	return a->hello->has_retry;
}

static bool is_offered(const struct kdtls_endpoint *ep,
		       const struct dtls_client_hello *ch)
{
	return ep->config.max_early_data &&
	       dtls_ext_has(&ch->ext, DTLS_EXT_EARLY_DATA) &&
	       dtls_ext_has(&ch->ext, DTLS_EXT_PSK) &&
	       !dtls_ext_has(&ch->ext, DTLS_EXT_COOKIE);
}

/*
 * Check the binder of the first key that the hello offers. A binder covers the
 * hello up to its list of binders (RFC 8446 4.2.11.2).
 */
static bool first_binder(const struct dtls_asked *a,
			 const struct dtls_suite *suite,
			 const struct dtls_session *s, struct dtls_bytes list)
{
	const struct dtls_crypto *c = &a->ep->crypto;
	const EVP_MD *md = dtls_suite_md(c, suite);
	u8 header[DTLS_SHORT_HEADER] = { DTLS_CLIENT_HELLO };
	struct dtls_bytes pieces[] = {
		{ header, sizeof(header) },
		{ a->f->body.p, a->f->length - 2 - list.len },
	};
	struct dtls_bytes psk = { s->master, dtls_suite_hash_len(suite) };
	u8 hash[DTLS_HASH_MAX], wanted[DTLS_HASH_MAX];
	struct dtls_bytes binder;
	size_t len;
	bool right;

	dtls_put_be(header + 1, 3, a->f->length);
	len = dtls_crypto_digest(c, md, pieces, 2, hash);
	right = len && rd_vec(&list, 1, &binder) && binder.len == len &&
		dtls_keys13_binder(c, md, psk, true,
				   (struct dtls_bytes){ hash, len }, wanted) &&
		!CRYPTO_memcmp(binder.p, wanted, len);
	dtls_crypto_forget_keys(c);
	return right;
}

/*
 * Return true if the hello has a ticket of this endpoint that is used for the
 * first time, at the time that its age tells, and with the right binder. Then
 * the ticket is spent, and its session is in @a->hello. Such a ticket takes the
 * place of a cookie: a stranger who has copied the hello can make the server
 * answer a false address once per ticket, and with a flight without
 * certificates (RFC 9147 5.1).
 */
static bool judge_ticket(struct dtls_asked *a)
{
	struct dtls_bytes r = a->ch->ext.ext[DTLS_EXT_PSK], ids, ticket, list;
	struct kdtls_endpoint *ep = a->ep;
	struct kdtls_hello *h = a->hello;
	int64_t now = dtls_endpoint_time(ep, NULL);
	const struct dtls_suite *suite;
	u32 age;

	if (!is_offered(ep, a->ch) || a->ch->ext.last != DTLS_PSK_NUMBER ||
	    !rd_vec(&r, 2, &ids) || !rd_vec(&r, 2, &list) || r.len ||
	    !rd_vec(&ids, 2, &ticket) || !rd_u32(&ids, 4, &age))
		return false;
	h->tried = true;
	h->opened = dtls_ticket_open(&ep->tickets, &ep->crypto, ticket, now,
				     &h->plain, &h->session);
	h->early = h->opened && dtls_spent_ask(&ep->spent, ticket, &h->session,
					       age, now, false);
	suite = h->early ? dtls_suite_find(h->session.suite) : NULL;
	h->early = suite && dtls_suite_is_13(suite) &&
		   first_binder(a, suite, &h->session, list) &&
		   dtls_spent_ask(&ep->spent, ticket, &h->session, age, now,
				  true);
	return h->early;
}

enum kdtls_gate dtls_gate13_judge(struct dtls_asked *a, struct kdtls_verdict *v)
{
	bool cookies = !dtls_endpoint_flag(a->ep, KDTLS_NO_COOKIE);
	struct dtls_choice choice;

	/*
	 * A client whose cookie is not valid has to begin anew (RFC 9147 5.1).
	 */
	if (dtls_ext_has(&a->ch->ext, DTLS_EXT_COOKIE))
		return check_cookie(a) || !cookies ? KDTLS_GATE_ACCEPT :
		       dtls_gate13_alert(a, KDTLS_ALERT_ILLEGAL_PARAMETER, v);
	if (dtls_retry_choose(a->ep, a->ch, false, &choice) &&
	    choice.share.len &&
	    judge_ticket(a)) {
		a->hello->unproven = cookies;
		return KDTLS_GATE_ACCEPT;
	}
	if (!cookies)
		return KDTLS_GATE_ACCEPT;
	if (!dtls_retry_choose(a->ep, a->ch, true, &choice))
		return dtls_gate13_alert(a, KDTLS_ALERT_HANDSHAKE_FAILURE, v);
	v->reply_len = make_request(a, &choice, v->reply);
	return v->reply_len ? KDTLS_GATE_REPLY : KDTLS_GATE_DROP;
}
