// SPDX-License-Identifier: BSD-3-Clause
/* What the handshakes of client and server have in common; see state.h. */
#include "sign.h"
#include "state.h"

struct dtls_writer *dtls_message_begin(struct kdtls_engine *e, u8 type)
{
	struct dtls_writer *w = &e->hs->out;

	w->len = 0;
	w->failed = false;
	wr_u8(w, type);
	wr_room(w, DTLS_MESSAGE_HEADER - 1);
	return w;
}

int dtls_message_end(struct kdtls_engine *e)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_writer *w = &hs->out;
	u32 len;

	if (w->failed)
		return dtls_fail_memory(e);
	len = (u32)(w->len - DTLS_MESSAGE_HEADER);
	dtls_fragment_write(w->p, w->p[0], len, hs->send_seq++, 0, len);
	if (!dtls_transcript_add(&hs->transcript, w->p, w->len,
				 e->ep->config.max_handshake) ||
	    !dtls_flight_add(&e->flight, hs->tx_epoch, DTLS_CT_HANDSHAKE, w->p,
			     w->len))
		return dtls_fail_memory(e);
	return 0;
}

void dtls_flight_begin(struct kdtls_engine *e)
{
	struct dtls_handshake *hs = e->hs;

	hs->flight_end = hs->in.next;
	hs->flight_seen = true;
	dtls_flight_clear(&e->flight);
	dtls_ack_clear(e);
}

void dtls_flight_end(struct kdtls_engine *e, bool answer_due)
{
	struct dtls_timer_limits limits;

	e->hs->answer_due = answer_due;
	if (!answer_due) {
		dtls_timer_stop(&e->timer);
		return;
	}
	dtls_timer_limits(e, &limits);
	dtls_timer_start(&e->timer, &limits, e->now);
}

int dtls_receive_expected(struct kdtls_engine *e,
			  const struct dtls_expected *table, size_t count,
			  u8 type, struct dtls_bytes body)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (table[i].step == e->hs->step && table[i].type == type)
			return table[i].receive(e, body);
	return dtls_fail(e, KDTLS_EPROTOCOL, KDTLS_ALERT_UNEXPECTED_MESSAGE,
			 "a message came out of turn");
}

struct dtls_bytes dtls_hash_upto(const struct kdtls_engine *e, size_t len,
				 u8 *buf)
{
	const struct dtls_crypto *c = &e->ep->crypto;

	return (struct dtls_bytes){
		buf, dtls_transcript_hash(&e->hs->transcript, c,
					  dtls_suite_md(c, e->suite), len, buf)
	};
}

int dtls_send_certificate(struct kdtls_engine *e)
{
	const struct dtls_identity *id = e->hs->identity;
	struct dtls_writer *w = dtls_message_begin(e, DTLS_CERTIFICATE);

	if (id)
		wr_bytes(w, id->message.p, id->message.len);
	else
		wr_int(w, 3, 0);
	return dtls_message_end(e);
}

int dtls_receive_certificate(struct kdtls_engine *e, struct dtls_bytes body)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_chain chain = { 0 };
	int err, alert;

	alert = dtls_chain_parse(&chain, body, hs->peer_raw);
	if (alert) {
		err = dtls_fail(e, KDTLS_EPROTOCOL, (u8)alert,
				"the peer's certificate cannot be read");
		goto out;
	}
	err = 0;
	if (!chain.count)
		goto out;
	err = dtls_peer_judge(e, &chain);
	if (err)
		goto out;
	hs->peer_key = chain.key;
	chain.key = NULL;
out:
	dtls_chain_free(&chain);
	return err;
}

static char *put_hex(char *p, const u8 *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	while (len--) {
		*p++ = digits[*data >> 4];
		*p++ = digits[*data++ & 15];
	}
	return p;
}

void dtls_key_log(struct kdtls_engine *e, const char *label, const u8 *secret,
		  size_t len)
{
	char line[32 + 2 * (DTLS_RANDOM_SIZE + DTLS_SECRET_SIZE) + 3];
	char *p = line;

	if (!e->ep->config.ops.keylog)
		return;
	p = stpcpy(p, label);
	*p++ = ' ';
	p = put_hex(p, e->secrets.client_random, DTLS_RANDOM_SIZE);
	*p++ = ' ';
	*put_hex(p, secret, len) = '\0';
	e->ep->config.ops.keylog(e->ctx, line);
	OPENSSL_cleanse(line, sizeof(line));
}

int dtls_derive_keys(struct kdtls_engine *e)
{
	const struct dtls_crypto *c = &e->ep->crypto;
	struct dtls_handshake *hs = e->hs;
	struct dtls_key_info *client = e->server ? &hs->rx_key : &hs->tx_key;
	struct dtls_key_info *server = e->server ? &hs->tx_key : &hs->rx_key;

	if (!dtls12_keys(c, e->suite, &e->secrets, client, server))
		return dtls_fail_internal(e);
	hs->rx_key.cid_len = e->cids.len;
	if (e->cids.len)
		memcpy(hs->rx_key.cid, e->cids.cid, e->cids.len);
	hs->tx_key.cid_len = e->cid_tx_len;
	if (e->cid_tx_len)
		memcpy(hs->tx_key.cid, e->cid_tx, e->cid_tx_len);
	e->rx = dtls_protection_new(c, DTLS_RX, &hs->rx_key);
	e->tx = dtls_protection_new(c, DTLS_TX, &hs->tx_key);
	if (!e->rx || !e->tx)
		return dtls_fail_internal(e);
	dtls_key_log(e, "CLIENT_RANDOM", e->secrets.master, DTLS_SECRET_SIZE);
	return 0;
}

int dtls_derive_master(struct kdtls_engine *e, u8 *premaster, size_t len)
{
	const struct dtls_crypto *c = &e->ep->crypto;
	struct dtls_bytes hash = { 0 };
	u8 buf[DTLS_HASH_MAX];
	bool ok = true;

	if (e->ems) {
		hash = dtls_hash_upto(e, e->hs->transcript.all.len, buf);
		ok = hash.len;
	}
	ok = ok && dtls12_master(c, dtls_suite_md(c, e->suite), &e->secrets,
				 premaster, len, hash);
	OPENSSL_cleanse(premaster, len);
	return ok ? dtls_derive_keys(e) : dtls_fail_internal(e);
}

int dtls_send_finished(struct kdtls_engine *e)
{
	const struct dtls_crypto *c = &e->ep->crypto;
	struct dtls_handshake *hs = e->hs;
	u8 buf[DTLS_HASH_MAX], verify[DTLS12_VERIFY_SIZE];
	static const u8 change = 1;
	struct dtls_bytes hash;
	struct dtls_writer *w;

	if (!dtls_flight_add(&e->flight, 0, DTLS_CT_CHANGE_CIPHER_SPEC, &change,
			     1))
		return dtls_fail_memory(e);
	hs->tx_epoch = 1;
	hash = dtls_hash_upto(e, hs->transcript.all.len, buf);
	if (!hash.len ||
	    !dtls12_verify_data(c, dtls_suite_md(c, e->suite), &e->secrets,
				e->server, hash, verify))
		return dtls_fail_internal(e);
	w = dtls_message_begin(e, DTLS_FINISHED);
	wr_bytes(w, verify, sizeof(verify));
	return dtls_message_end(e);
}

int dtls_receive_finished(struct kdtls_engine *e, struct dtls_bytes body)
{
	const struct dtls_crypto *c = &e->ep->crypto;
	u8 buf[DTLS_HASH_MAX], verify[DTLS12_VERIFY_SIZE];
	struct dtls_bytes hash = dtls_hash_upto(e, e->hs->before, buf);

	if (!hash.len ||
	    !dtls12_verify_data(c, dtls_suite_md(c, e->suite), &e->secrets,
				!e->server, hash, verify))
		return dtls_fail_internal(e);
	if (body.len != sizeof(verify) ||
	    CRYPTO_memcmp(body.p, verify, sizeof(verify)))
		return dtls_fail(e, KDTLS_EPROTOCOL, KDTLS_ALERT_DECRYPT_ERROR,
				 "Finished does not match the handshake");
	e->peer_finished = e->hs->in.next;
	return dtls_peer_proven(e);
}

/* Our first scheme that key, suite and the peer's list allow */
static const struct dtls_scheme *
own_scheme(const struct kdtls_endpoint *ep, EVP_PKEY *key, u8 kx,
	   struct dtls_bytes schemes)
{
	const struct dtls_scheme *s;
	size_t i;

	for (i = 0; i < ep->scheme_count; i++) {
		s = ep->schemes[i];
		if (dtls_scheme_fits(s, kx, key) &&
		    rd_has_u16(schemes, s->id))
			return s;
	}
	return NULL;
}

/* RFC 8422 5.3: the key's curve must be one the client takes. */
static bool curve_fits(EVP_PKEY *key, struct dtls_bytes groups)
{
	char name[32];
	size_t i;

	if (!groups.len || !EVP_PKEY_is_a(key, "EC"))
		return true;
	if (EVP_PKEY_get_group_name(key, name, sizeof(name), NULL) != 1)
		return false;
	for (i = 0; i < dtls_group_count; i++)
		if (!strcmp(name, dtls_groups[i].name))
			return rd_has_u16(groups, dtls_groups[i].id);
	return false;
}

bool dtls_choose_identity(struct kdtls_engine *e, u8 kx,
			  struct dtls_bytes schemes, struct dtls_bytes groups,
			  bool raw, bool x509, const char *name)
{
	const struct dtls_scheme *scheme;
	const struct dtls_identity *id;
	bool found = false, named;

	for (id = e->ep->identities; id; id = id->next) {
		named = !name || dtls_identity_named(id, name);
		if (!(id->leaf ? x509 : raw) || (found && !named) ||
		    !curve_fits(id->key, groups))
			continue;
		scheme = own_scheme(e->ep, id->key, kx, schemes);
		if (!scheme)
			continue;
		e->hs->identity = id;
		e->hs->scheme = scheme;
		e->hs->own_raw = !id->leaf;
		found = true;
		if (named)
			break;
	}
	return found;
}

static const struct dtls_scheme *peer_scheme(const struct kdtls_engine *e,
					     u16 id, u8 kx, EVP_PKEY *key)
{
	const struct kdtls_endpoint *ep = e->ep;
	size_t i;

	for (i = 0; i < ep->scheme_count; i++)
		if (ep->schemes[i]->id == id &&
		    dtls_scheme_fits(ep->schemes[i], kx, key))
			return ep->schemes[i];
	return NULL;
}

int dtls_check_signature(struct kdtls_engine *e, struct dtls_bytes body, u8 kx,
			 struct dtls_bytes data)
{
	EVP_PKEY *key = e->hs->peer_key;
	const struct dtls_scheme *scheme;
	struct dtls_bytes signature;
	u16 id;

	if (!rd_u16(&body, &id) || !rd_vec(&body, 2, &signature) || body.len)
		return dtls_fail_decode(e, "malformed signature");
	scheme = peer_scheme(e, id, kx, key);
	if (!scheme)
		return dtls_fail_illegal(e, "signature scheme was not offered");
	if (!dtls_sign_verify(scheme, key, data, signature))
		return dtls_fail(e, KDTLS_EPROTOCOL, KDTLS_ALERT_DECRYPT_ERROR,
				 e->server ? "the client's signature is wrong" :
					     "the server's signature is wrong");
	e->peer_scheme = id;
	e->hs->peer.auth = e->hs->peer_raw ? KDTLS_AUTH_RAW_KEY :
					     KDTLS_AUTH_CERTIFICATE;
	return 0;
}

const struct dtls_group *dtls_own_group(const struct kdtls_engine *e, u16 id)
{
	size_t i;

	for (i = 0; i < e->ep->group_count; i++)
		if (e->ep->groups[i]->id == id)
			return e->ep->groups[i];
	return NULL;
}

const struct dtls_suite *dtls_own_suite(const struct kdtls_engine *e, u16 id)
{
	size_t i;

	for (i = 0; i < e->ep->suite_count; i++)
		if (e->ep->suites[i]->id == id)
			return e->ep->suites[i];
	return NULL;
}

void dtls_kex_signed(const struct kdtls_engine *e, struct dtls_bytes params,
		     struct dtls_writer *w)
{
	wr_bytes(w, e->secrets.client_random, DTLS_RANDOM_SIZE);
	wr_bytes(w, e->secrets.server_random, DTLS_RANDOM_SIZE);
	wr_bytes(w, params.p, params.len);
}

void dtls_session_of(const struct kdtls_engine *e, struct dtls_session *s)
{
	memset(s, 0, sizeof(*s));
	s->version = e->version;
	s->suite = e->suite->id;
	s->ems = e->ems;
	s->peer = dtls_peer_of(e);
	memcpy(s->master, e->secrets.master, sizeof(s->master));
	s->made = dtls_unix_time(e);
	s->life = dtls_session_life(&s->peer, e->ep->config.ticket_life,
				    s->made);
	if (e->name)
		s->name = (struct dtls_bytes){ (const u8 *)e->name,
					       strlen(e->name) };
	if (e->alpn)
		s->alpn = (struct dtls_bytes){ (const u8 *)e->alpn,
					       strlen(e->alpn) };
	s->id = (struct dtls_bytes){ e->session_id, e->session_id_len };
}
