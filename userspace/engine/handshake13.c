// SPDX-License-Identifier: BSD-3-Clause
/* This file has the steps of a DTLS 1.3 handshake that both ends take. */
#include "auth.h"
#include "handshake13.h"

int dtls_handshake13_begin(struct kdtls_engine *e)
{
	struct dtls_handshake *hs = e->hs;

	e->version = DTLS_VERSION_1_3;
	/* The key schedule binds keys to the handshake, as RFC 7627 does. */
	e->ems = true;
	hs->answer = dtls_transcript_shorten(&hs->transcript, hs->answer);
	if (!e->d13)
		e->d13 = OPENSSL_zalloc(sizeof(*e->d13));
	if (!e->d13)
		return dtls_fail_memory(e);
	return 0;
}

/*
 * Derive a secret from the present stage of the schedule and the messages so
 * far: Derive-Secret (RFC 8446 7.1).
 */
static bool derive(struct kdtls_engine *e, const char *name, u8 *out)
{
	const struct dtls_crypto *c = &e->ep->crypto;
	u8 buf[DTLS_HASH_MAX];
	struct dtls_bytes hash;

	hash = dtls_handshake_hash(e, e->hs->transcript.all.len, buf);
	return hash.len &&
	       dtls_keys13_expand(c, dtls_suite_md(c, e->suite), e->hs->secret,
				  &(struct dtls_label){ name, hash }, out,
				  hash.len);
}

/* Derive a traffic secret and give it to the key log. */
static bool derive_logged(struct kdtls_engine *e, const char *label, u8 *out,
			  const char *name)
{
	if (!derive(e, label, out))
		return false;
	dtls_handshake_key_log(e, name, out, dtls_suite_hash_len(e->suite));
	return true;
}

static void set_cid(struct kdtls_engine *e, int direction,
		    struct dtls_key_info *key)
{
	const u8 *cid = direction == DTLS_RX ? dtls_cids_all(&e->cids) : e->cid_tx;

	key->cid_len = direction == DTLS_RX ? e->cids.len : e->cid_tx_len;
	if (key->cid_len)
		memcpy(key->cid, cid, key->cid_len);
}

static struct dtls_protection *protection(struct kdtls_engine *e, int direction,
					  const u8 *secret)
{
	struct dtls_protection *p = NULL;
	struct dtls_key_info key;

	if (dtls_keys13_key(&e->ep->crypto, e->suite, secret,
			    DTLS13_EPOCH_HANDSHAKE, &key)) {
		set_cid(e, direction, &key);
		if (direction == DTLS_TX)
			key.rec_seq = e->hs->tx_from;
		p = dtls_protection_new(&e->ep->crypto, direction, &key);
	}
	OPENSSL_cleanse(&key, sizeof(key));
	return p;
}

int dtls_handshake13_keys(struct kdtls_engine *e, struct dtls_bytes psk)
{
	const struct dtls_crypto *c = &e->ep->crypto;
	const EVP_MD *md = dtls_suite_md(c, e->suite);
	struct dtls_handshake *hs = e->hs;
	struct dtls_bytes shared = { hs->shared, hs->shared_len };

	if (!dtls_keys13_extract(c, md, NULL, psk, hs->secret) ||
	    !dtls_keys13_derived(c, md, hs->secret) ||
	    !dtls_keys13_extract(c, md, hs->secret, shared, hs->secret) ||
	    !derive_logged(e, "c hs traffic", hs->client_secret,
			   "CLIENT_HANDSHAKE_TRAFFIC_SECRET") ||
	    !derive_logged(e, "s hs traffic", hs->server_secret,
			   "SERVER_HANDSHAKE_TRAFFIC_SECRET"))
		return dtls_fail_internal(e);
	OPENSSL_cleanse(hs->shared, sizeof(hs->shared));
	e->m->rx = protection(e, DTLS_RX, e->server ? hs->client_secret :
						   hs->server_secret);
	e->m->tx = protection(e, DTLS_TX, e->server ? hs->server_secret :
						   hs->client_secret);
	if (!e->m->rx || !e->m->tx)
		return dtls_fail_internal(e);
	hs->tx_epoch = DTLS13_EPOCH_HANDSHAKE;
	return 0;
}

int dtls_handshake13_data_secrets(struct kdtls_engine *e)
{
	const struct dtls_crypto *c = &e->ep->crypto;
	const EVP_MD *md = dtls_suite_md(c, e->suite);
	size_t hash_len = dtls_suite_hash_len(e->suite);
	struct dtls_handshake *hs = e->hs;
	struct dtls13 *d;

	d = OPENSSL_realloc(e->d13, sizeof(*d) + DTLS_SECRETS * hash_len);
	if (!d)
		return dtls_fail_memory(e);
	e->d13 = d;
	d->hash_len = (u8)hash_len;
	if (!dtls_keys13_derived(c, md, hs->secret) ||
	    !dtls_keys13_extract(c, md, hs->secret, (struct dtls_bytes){ 0 },
				 hs->secret) ||
	    !derive_logged(e, "c ap traffic",
			   dtls13_secret(d, e->server ? DTLS_SECRET_RX :
							DTLS_SECRET_TX),
			   "CLIENT_TRAFFIC_SECRET_0") ||
	    !derive_logged(e, "s ap traffic",
			   dtls13_secret(d, e->server ? DTLS_SECRET_TX :
							DTLS_SECRET_RX),
			   "SERVER_TRAFFIC_SECRET_0") ||
	    !derive_logged(e, "exp master",
			   dtls13_secret(d, DTLS_SECRET_EXPORTER),
			   "EXPORTER_SECRET"))
		return dtls_fail_internal(e);
	d->rx_epoch = DTLS13_EPOCH_DATA;
	d->tx_epoch = DTLS13_EPOCH_DATA;
	return 0;
}

int dtls_handshake13_resumption(struct kdtls_engine *e)
{
	struct dtls13 *d = e->d13;

	if (e->server && !e->hs->send_ticket)
		return 0;
	d->resumption = OPENSSL_zalloc(d->hash_len);
	if (!d->resumption)
		return dtls_fail_memory(e);
	return derive(e, "res master", d->resumption) ? 0 :
							dtls_fail_internal(e);
}

int dtls_handshake13_data_key(struct kdtls_engine *e, int direction,
			      struct dtls_key_info *key)
{
	struct dtls13 *d = e->d13;
	bool rx = direction == DTLS_RX;

	if (!dtls_keys13_key(&e->ep->crypto, e->suite,
			     dtls13_secret(d, rx ? DTLS_SECRET_RX :
						   DTLS_SECRET_TX),
			     rx ? d->rx_epoch : d->tx_epoch, key))
		return dtls_fail_internal(e);
	set_cid(e, direction, key);
	return 0;
}

/*
 * dtls_handshake13_send_certificate() writes an empty list of extensions behind
 * each certificate (RFC 8446 4.4.2).
 */
int dtls_handshake13_send_certificate(struct kdtls_engine *e,
				      struct dtls_bytes context)
{
	const struct dtls_identity *id = e->hs->identity;
	struct dtls_writer *w = dtls_handshake_message(e, DTLS_CERTIFICATE);
	struct dtls_bytes all, list, der;
	size_t mark;

	wr_vec(w, 1, context.p, context.len);
	mark = wr_open(w, 3);
	if (id) {
		all = (struct dtls_bytes){ id->message.p, id->message.len };
		/* With raw keys, the list has the key as its only entry. */
		if (!id->leaf)
			list = all;
		else if (!rd_vec(&all, 3, &list))
			return dtls_fail_internal(e);
		while (rd_vec(&list, 3, &der)) {
			wr_vec(w, 3, der.p, der.len);
			wr_u16(w, 0);
		}
	}
	wr_close(w, mark, 3);
	return dtls_handshake_message_end(e);
}

/* Write the bytes that CertificateVerify signs (RFC 8446 4.4.3). */
static bool signed_bytes(struct kdtls_engine *e, bool server, size_t upto,
			 struct dtls_writer *w)
{
	static const char client_context[] = "TLS 1.3, client CertificateVerify";
	static const char server_context[] = "TLS 1.3, server CertificateVerify";
	u8 buf[DTLS_HASH_MAX];
	struct dtls_bytes hash = dtls_handshake_hash(e, upto, buf);
	u8 *spaces = wr_room(w, 64);

	if (spaces)
		memset(spaces, ' ', 64);
	wr_bytes(w, server ? server_context : client_context,
		 sizeof(server_context));
	wr_bytes(w, hash.p, hash.len);
	return hash.len && !w->failed;
}

int dtls_handshake13_send_verify(struct kdtls_engine *e)
{
	struct dtls_writer *w = dtls_handshake_message(e, DTLS_CERTIFICATE_VERIFY);
	struct dtls_writer content = { 0 };
	int err;

	if (signed_bytes(e, e->server, e->hs->transcript.all.len, &content))
		err = dtls_handshake_sign(e, w, (struct dtls_bytes){ content.p,
					  content.len });
	else
		err = dtls_fail_internal(e);
	wr_free(&content);
	return err ? err : dtls_handshake_message_end(e);
}

static bool verify_data(struct kdtls_engine *e, bool server, size_t upto,
			u8 *out)
{
	const struct dtls_crypto *c = &e->ep->crypto;
	u8 buf[DTLS_HASH_MAX];
	struct dtls_bytes hash = dtls_handshake_hash(e, upto, buf);

	return hash.len &&
	       dtls_keys13_finished(c, dtls_suite_md(c, e->suite),
				    server ? e->hs->server_secret :
					e->hs->client_secret, hash, out);
}

int dtls_handshake13_send_finished(struct kdtls_engine *e)
{
	u8 verify[DTLS_HASH_MAX];
	struct dtls_writer *w;

	if (!verify_data(e, e->server, e->hs->transcript.all.len, verify))
		return dtls_fail_internal(e);
	w = dtls_handshake_message(e, DTLS_FINISHED);
	wr_bytes(w, verify, dtls_suite_hash_len(e->suite));
	return dtls_handshake_message_end(e);
}

/*
 * dtls_handshake13_receive_certificate() brings the list of certificates into
 * the form of DTLS 1.2. This end has asked for no extension of a certificate,
 * so any extension is an error.
 */
int dtls_handshake13_receive_certificate(struct kdtls_engine *e,
					 struct dtls_bytes body)
{
	struct dtls_bytes context, list, der, extensions;
	struct dtls_writer w = { 0 };
	size_t mark = 0;
	int err;

	if (!rd_vec(&body, 1, &context) || !rd_vec(&body, 3, &list) || body.len)
		return dtls_fail_decode(e, "malformed Certificate");
	if (context.len)
		return dtls_fail_illegal(e, "Certificate answers no request");
	if (!e->hs->peer_raw)
		mark = wr_open(&w, 3);
	while (list.len) {
		if (!rd_vec(&list, 3, &der) || !rd_vec(&list, 2, &extensions)) {
			wr_free(&w);
			return dtls_fail_decode(e, "malformed Certificate");
		}
		if (extensions.len) {
			wr_free(&w);
			return dtls_fail(e, KDTLS_EPROTOCOL,
					 KDTLS_ALERT_UNSUPPORTED_EXTENSION,
					 "a certificate's extension was not asked for");
		}
		wr_vec(&w, 3, der.p, der.len);
	}
	if (mark)
		wr_close(&w, mark, 3);
	else if (!w.len)
		wr_int(&w, 3, 0);
	list = (struct dtls_bytes){ w.p, w.len };
	err = w.failed ? dtls_fail_memory(e) :
			 dtls_auth_receive_certificate(e, list);
	wr_free(&w);
	return err;
}

int dtls_handshake13_receive_verify(struct kdtls_engine *e,
				    struct dtls_bytes body)
{
	struct dtls_writer w = { 0 };
	int err;

	err = signed_bytes(e, !e->server, e->hs->before, &w) ?
	      dtls_auth_check_signature(e, body, DTLS_KX_13,
					(struct dtls_bytes){ w.p, w.len }) :
	      dtls_fail_internal(e);
	wr_free(&w);
	return err;
}

int dtls_handshake13_receive_finished(struct kdtls_engine *e,
				      struct dtls_bytes body)
{
	size_t len = dtls_suite_hash_len(e->suite);
	u8 verify[DTLS_HASH_MAX];

	if (!verify_data(e, !e->server, e->hs->before, verify))
		return dtls_fail_internal(e);
	if (body.len != len || CRYPTO_memcmp(body.p, verify, len))
		return dtls_fail(e, KDTLS_EPROTOCOL, KDTLS_ALERT_DECRYPT_ERROR,
				 "Finished does not match the handshake");
	e->peer_finished = e->hs->in.next;
	return dtls_auth_proven(e);
}
