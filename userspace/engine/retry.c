// SPDX-License-Identifier: BSD-3-Clause
/* Before a server keeps anything; see retry.h. */
#include "early.h"
#include "retry.h"
#include "transcript.h"

static bool usable(const struct dtls_suite *s,
		   const struct dtls_client_hello *ch)
{
	return dtls_suite_is_13(s) && rd_has_u16(ch->suites, s->id);
}

/* The hash of a key from outside is SHA-256 (RFC 8446 4.2.11). */
static const struct dtls_suite *choose_suite(const struct kdtls_endpoint *ep,
					     const struct dtls_client_hello *ch)
{
	bool psk = dtls_ext_has(&ch->ext, DTLS_EXT_PSK) &&
		   ep->config.ops.psk_server;
	size_t i;

	for (i = 0; psk && i < ep->suite_count; i++)
		if (usable(ep->suites[i], ch) && !ep->suites[i]->sha384)
			return ep->suites[i];
	for (i = 0; i < ep->suite_count; i++)
		if (usable(ep->suites[i], ch))
			return ep->suites[i];
	return NULL;
}

bool dtls_choose(const struct kdtls_endpoint *ep,
		 const struct dtls_client_hello *ch, bool again,
		 struct dtls_choice *choice)
{
	struct dtls_bytes r = ch->ext.ext[DTLS_EXT_GROUPS], list, share;
	const struct dtls_group *g;
	bool has;
	size_t i;

	memset(choice, 0, sizeof(*choice));
	choice->suite = choose_suite(ep, ch);
	if (!choice->suite)
		return false;
	if (!rd_vec(&r, 2, &list))
		return true;
	for (i = 0; i < ep->group_count; i++) {
		g = ep->groups[i];
		if (!rd_has_u16(list, g->id))
			continue;
		has = dtls_client_hello_share(ch, g->id, &share);
		if (!choice->group || (has && !choice->share.len && !again)) {
			choice->group = g;
			choice->share = has ? share : (struct dtls_bytes){ 0 };
		}
	}
	return true;
}

void dtls_retry_write(struct dtls_writer *w, u16 suite, u16 group,
		      struct dtls_bytes cookie)
{
	size_t list = dtls13_hello_open(w, dtls_retry_random, suite), ext;

	if (group) {
		ext = dtls_ext_open(w, DTLS_EXT_KEY_SHARE);
		wr_u16(w, group);
		wr_close(w, ext, 2);
	}
	if (cookie.len) {
		ext = dtls_ext_open(w, DTLS_EXT_COOKIE);
		wr_vec(w, 2, cookie.p, cookie.len);
		wr_close(w, ext, 2);
	}
	wr_close(w, list, 2);
}

/* One record of epoch 0, under the number of the one it answers */
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

enum kdtls_gate dtls_retry_alert(const struct dtls_asked *a, u8 alert,
				 struct kdtls_verdict *v)
{
	u8 content[] = { 2, alert };

	v->reply_len = reply_record(a->record, DTLS_CT_ALERT,
				    (struct dtls_bytes){ content,
							 sizeof(content) },
				    v->reply);
	return KDTLS_GATE_REPLY;
}

/* The transcript's hash of a first hello (RFC 9147 5.2) */
static bool hash_hello(const struct dtls_crypto *c, const EVP_MD *md,
		       const struct dtls_fragment *f, struct dtls_retry *r)
{
	u8 header[DTLS_SHORT_HEADER] = { f->type };
	const struct dtls_bytes pieces[] = {
		{ header, sizeof(header) },
		f->body,
	};

	dtls_put_be(header + 1, 3, f->length);
	r->hash_len = (u8)dtls_digest(c, md, pieces, 2, r->hash);
	return r->hash_len;
}

/* Return: bytes of @out; 0: libcrypto failed, or there is no memory. */
static size_t make_request(const struct dtls_asked *a,
			   const struct dtls_choice *choice, u8 *out)
{
	struct kdtls_endpoint *ep = a->ep;
	/* RFC 8446 4.1.4: key_share answers one, and so needs one. */
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
		len = dtls_retry_seal(&ep->cookie, a->from->address, &r, a->now,
				      cookie);
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

/* What its cookie says, if it is a good one */
static bool check_cookie(const struct dtls_asked *a)
{
	struct dtls_bytes ext = a->ch->ext.ext[DTLS_EXT_COOKIE], cookie;

	a->hello->has_retry = rd_vec(&ext, 2, &cookie) && !ext.len &&
			      dtls_retry_open(&a->ep->cookie, a->from->address,
					      cookie, a->now, &a->hello->retry);
	return a->hello->has_retry;
}

enum kdtls_gate dtls_retry_gate(struct dtls_asked *a, struct kdtls_verdict *v)
{
	bool cookies = !dtls_endpoint_flag(a->ep, KDTLS_NO_COOKIE);
	struct dtls_choice choice;

	/* RFC 9147 5.1: with a cookie that is not good it shall begin anew. */
	if (dtls_ext_has(&a->ch->ext, DTLS_EXT_COOKIE))
		return check_cookie(a) || !cookies ? KDTLS_GATE_ACCEPT :
		       dtls_retry_alert(a, KDTLS_ALERT_ILLEGAL_PARAMETER, v);
	if (dtls_choose(a->ep, a->ch, false, &choice) && choice.share.len &&
	    dtls_early_judge(a)) {
		a->hello->unproven = cookies;
		return KDTLS_GATE_ACCEPT;
	}
	if (!cookies)
		return KDTLS_GATE_ACCEPT;
	if (!dtls_choose(a->ep, a->ch, true, &choice))
		return dtls_retry_alert(a, KDTLS_ALERT_HANDSHAKE_FAILURE, v);
	v->reply_len = make_request(a, &choice, v->reply);
	return v->reply_len ? KDTLS_GATE_REPLY : KDTLS_GATE_DROP;
}
