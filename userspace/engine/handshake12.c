// SPDX-License-Identifier: BSD-3-Clause
/* This file has the steps of a DTLS 1.2 handshake that both ends take. */
#include "auth.h"
#include "handshake12.h"

int dtls_handshake12_send_certificate(struct kdtls_engine *e)
{
	const struct dtls_identity *id = e->hs->identity;
	struct dtls_writer *w = dtls_handshake_message(e, DTLS_CERTIFICATE);

	if (id)
		wr_bytes(w, id->message.p, id->message.len);
	else
		wr_int(w, 3, 0);
	return dtls_handshake_message_end(e);
}

int dtls_handshake12_keys(struct kdtls_engine *e)
{
	const struct dtls_crypto *c = &e->ep->crypto;
	struct dtls_handshake *hs = e->hs;
	struct dtls_key_info *client = e->server ? &hs->rx_key : &hs->tx_key;
	struct dtls_key_info *server = e->server ? &hs->tx_key : &hs->rx_key;

	if (!dtls_keys12_keys(c, e->suite, &e->d12->secrets, client, server))
		return dtls_fail_internal(e);
	hs->rx_key.cid_len = e->cids.len;
	if (e->cids.len)
		memcpy(hs->rx_key.cid, dtls_cids_all(&e->cids), e->cids.len);
	hs->tx_key.cid_len = e->cid_tx_len;
	if (e->cid_tx_len)
		memcpy(hs->tx_key.cid, e->cid_tx, e->cid_tx_len);
	e->m->rx = dtls_protection_new(c, DTLS_RX, &hs->rx_key);
	e->m->tx = dtls_protection_new(c, DTLS_TX, &hs->tx_key);
	if (!e->m->rx || !e->m->tx)
		return dtls_fail_internal(e);
	dtls_handshake_key_log(e, "CLIENT_RANDOM", e->d12->secrets.master,
			       DTLS_SECRET_SIZE);
	return 0;
}

int dtls_handshake12_master(struct kdtls_engine *e, u8 *premaster, size_t len)
{
	const struct dtls_crypto *c = &e->ep->crypto;
	struct dtls_bytes hash = { 0 };
	u8 buf[DTLS_HASH_MAX];
	bool ok = true;

	if (e->ems) {
		hash = dtls_handshake_hash(e, e->hs->transcript.all.len, buf);
		ok = hash.len;
	}
	ok = ok && dtls_keys12_master(c, dtls_suite_md(c, e->suite),
				      &e->d12->secrets, premaster, len, hash);
	OPENSSL_cleanse(premaster, len);
	return ok ? dtls_handshake12_keys(e) : dtls_fail_internal(e);
}

int dtls_handshake12_send_finished(struct kdtls_engine *e)
{
	const struct dtls_crypto *c = &e->ep->crypto;
	struct dtls_handshake *hs = e->hs;
	u8 buf[DTLS_HASH_MAX], verify[DTLS12_VERIFY_SIZE];
	static const u8 change = 1;
	struct dtls_bytes hash;
	struct dtls_writer *w;

	if (!dtls_flight_add(&e->m->flight, 0, DTLS_CT_CHANGE_CIPHER_SPEC, &change,
			     1))
		return dtls_fail_memory(e);
	hs->tx_epoch = DTLS12_EPOCH_DATA;
	hash = dtls_handshake_hash(e, hs->transcript.all.len, buf);
	if (!hash.len ||
	    !dtls_keys12_verify_data(c, dtls_suite_md(c, e->suite), &e->d12->secrets,
				     e->server, hash, verify))
		return dtls_fail_internal(e);
	w = dtls_handshake_message(e, DTLS_FINISHED);
	wr_bytes(w, verify, sizeof(verify));
	return dtls_handshake_message_end(e);
}

int dtls_handshake12_receive_finished(struct kdtls_engine *e,
				      struct dtls_bytes body)
{
	const struct dtls_crypto *c = &e->ep->crypto;
	u8 buf[DTLS_HASH_MAX], verify[DTLS12_VERIFY_SIZE];
	struct dtls_bytes hash = dtls_handshake_hash(e, e->hs->before, buf);

	if (!hash.len ||
	    !dtls_keys12_verify_data(c, dtls_suite_md(c, e->suite), &e->d12->secrets,
				     !e->server, hash, verify))
		return dtls_fail_internal(e);
	if (body.len != sizeof(verify) ||
	    CRYPTO_memcmp(body.p, verify, sizeof(verify)))
		return dtls_fail(e, KDTLS_EPROTOCOL, KDTLS_ALERT_DECRYPT_ERROR,
				 "Finished does not match the handshake");
	e->peer_finished = e->hs->in.next;
	return dtls_auth_proven(e);
}

void dtls_handshake12_signed_params(const struct kdtls_engine *e,
				    struct dtls_bytes params,
				    struct dtls_writer *w)
{
	wr_bytes(w, e->d12->secrets.client_random, DTLS_RANDOM_SIZE);
	wr_bytes(w, e->d12->secrets.server_random, DTLS_RANDOM_SIZE);
	wr_bytes(w, params.p, params.len);
}
