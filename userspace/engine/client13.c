// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file is the client's handshake of DTLS 1.3 (RFC 8446 4, RFC 9147 5).
 */
#include "auth.h"
#include "client13.h"
#include "client_hello.h"
#include "early.h"
#include "extensions.h"
#include "handshake.h"
#include "handshake13.h"
#include "identity.h"

static int out_of_turn(struct kdtls_engine *e)
{
	return dtls_fail(e, KDTLS_EPROTOCOL, KDTLS_ALERT_UNEXPECTED_MESSAGE,
			 "a message came out of turn");
}

/* Replace the first hello in the transcript by its hash (RFC 8446 4.4.1). */
static bool fold(struct kdtls_engine *e)
{
	struct dtls_transcript *t = &e->hs->transcript;
	size_t first = DTLS_SHORT_HEADER + dtls_get_be(t->all.p + 1, 3);
	u8 buf[DTLS_HASH_MAX];
	struct dtls_bytes hash = dtls_handshake_hash(e, first, buf);

	return hash.len &&
	       dtls_transcript_fold(t, hash,
				    (struct dtls_bytes){ t->all.p + first,
							 t->all.len - first });
}

static int read_retry_group(struct kdtls_engine *e, struct dtls_bytes r)
{
	const struct dtls_group *group;
	u16 id;

	if (!rd_u16(&r, &id) || r.len)
		return dtls_fail_decode(e, "malformed key_share");
	group = dtls_endpoint_group(e->ep, id);
	if (!group || id == e->hs->share_group)
		return dtls_fail_illegal(e, "group was not offered, or has a share");
	return dtls_client_hello_share_key(e, group) ? 0 : dtls_fail_internal(e);
}

static int hello_retry(struct kdtls_engine *e, const struct dtls_extensions *x)
{
	struct dtls_bytes r = x->ext[DTLS_EXT_COOKIE], cookie = { 0 };
	struct dtls_handshake *hs = e->hs;
	int i;

	if (hs->retried)
		return out_of_turn(e);
	for (i = 0; i < DTLS_EXT_COUNT; i++)
		if (i != DTLS_EXT_VERSIONS && i != DTLS_EXT_COOKIE &&
		    i != DTLS_EXT_KEY_SHARE && dtls_ext_has(x, i))
			break;
	if (i < DTLS_EXT_COUNT || x->unknown)
		return dtls_fail(e, KDTLS_EPROTOCOL,
				 KDTLS_ALERT_UNSUPPORTED_EXTENSION,
				 "the server answers what was not offered");
	if (dtls_ext_has(x, DTLS_EXT_COOKIE) &&
	    (!rd_vec(&r, 2, &cookie) || r.len || !cookie.len))
		return dtls_fail_decode(e, "malformed cookie");
	if (!dtls_ext_has(x, DTLS_EXT_COOKIE) &&
	    !dtls_ext_has(x, DTLS_EXT_KEY_SHARE))
		return dtls_fail_illegal(e, "HelloRetryRequest changes nothing");
	if (dtls_ext_has(x, DTLS_EXT_KEY_SHARE) &&
	    read_retry_group(e, x->ext[DTLS_EXT_KEY_SHARE]))
		return -e->error;
	OPENSSL_free((void *)hs->cookie.p);
	hs->cookie.len = cookie.len;
	hs->cookie.p = cookie.len ? OPENSSL_memdup(cookie.p, cookie.len) : NULL;
	if (cookie.len && !hs->cookie.p) {
		hs->cookie.len = 0;
		return dtls_fail_memory(e);
	}
	if (!fold(e))
		return dtls_fail_internal(e);
	hs->retried = true;
	hs->retry_suite = e->suite->id;
	dtls_early_refused(e);
	dtls_handshake_flight_begin(e);
	if (dtls_client_hello_send(e))
		return -e->error;
	dtls_handshake_flight_end(e, true);
	return 0;
}

/* Read which key the server chose, and set @key to it. Return 0 or an error. */
static int read_psk(struct kdtls_engine *e, struct dtls_bytes r,
		    struct dtls_bytes *key)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_offered_psk psk[DTLS_OFFERED_PSKS];
	u16 index;

	if (!rd_u16(&r, &index) || r.len)
		return dtls_fail_decode(e, "malformed pre_shared_key");
	if (index >= dtls_client_hello_psks(e, psk) || psk[index].sha384 != e->suite->sha384)
		return dtls_fail_illegal(e, "the server chose what was not offered");
	hs->psk_chosen = true;
	*key = psk[index].key;
	return psk[index].resumes ? dtls_auth_claim_session(e, &hs->session) :
				    dtls_auth_claim_key(e, psk[index].identity);
}

static int read_share(struct kdtls_engine *e, struct dtls_bytes r)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_bytes share;
	u16 id;

	if (!rd_u16(&r, &id) || !rd_vec(&r, 2, &share) || r.len)
		return dtls_fail_decode(e, "malformed key_share");
	if (id != hs->share_group)
		return dtls_fail_illegal(e, "group has no share");
	e->group = id;
	hs->shared_len = dtls_kex_finish(dtls_group_find(id), hs->kex_key,
					 share, hs->shared);
	if (!hs->shared_len)
		return dtls_fail_illegal(e, "bad public key from the server");
	return 0;
}

static int accept(struct kdtls_engine *e, const struct dtls_server_hello *sh)
{
	const struct dtls_extensions *x = &sh->ext;
	struct dtls_handshake *hs = e->hs;
	struct dtls_bytes psk = { 0 };

	if (dtls_extensions_check13(e, x, 1ULL << DTLS_EXT_VERSIONS |
				    1ULL << DTLS_EXT_KEY_SHARE |
				    1ULL << DTLS_EXT_PSK |
				    1ULL << DTLS_EXT_CID))
		return -e->error;
	memcpy(e->d12->secrets.server_random, sh->random.p, DTLS_RANDOM_SIZE);
	if (dtls_ext_has(x, DTLS_EXT_PSK) &&
	    read_psk(e, x->ext[DTLS_EXT_PSK], &psk))
		return -e->error;
	if (dtls_ext_has(x, DTLS_EXT_KEY_SHARE) &&
	    read_share(e, x->ext[DTLS_EXT_KEY_SHARE]))
		return -e->error;
	if (!hs->shared_len &&
	    !(hs->psk_chosen && dtls_endpoint_flag(e->ep, KDTLS_PSK_KE)))
		return dtls_fail(e, KDTLS_EPROTOCOL,
				 KDTLS_ALERT_MISSING_EXTENSION,
				 "the server sent no key share");
	if (dtls_extensions_read_cid(e, x) || dtls_handshake13_keys(e, psk))
		return -e->error;
	hs->step = CLIENT13_EXTENSIONS;
	return 0;
}

int dtls_client13_server_hello(struct kdtls_engine *e,
			       const struct dtls_server_hello *sh)
{
	struct dtls_bytes version = sh->ext.ext[DTLS_EXT_VERSIONS];
	const struct dtls_suite *suite = dtls_endpoint_suite(e->ep, sh->suite);

	/* A server of DTLS 1.3 echoes no session id (RFC 9147 5). */
	if (version.len != 2 || dtls_get_be(version.p, 2) != DTLS_VERSION_1_3 ||
	    sh->version != DTLS_VERSION_1_2 || sh->session_id.len ||
	    sh->compression || !suite || !dtls_suite_is_13(suite) ||
	    (e->hs->retried && sh->suite != e->hs->retry_suite))
		return dtls_fail_illegal(e, "the server chose what was not offered");
	if (dtls_handshake13_begin(e))
		return -e->error;
	e->suite = suite;
	if (!memcmp(sh->random.p, dtls_hello_retry_random,
		    sizeof(dtls_hello_retry_random)))
		return hello_retry(e, &sh->ext);
	return accept(e, sh);
}

static int encrypted_extensions(struct kdtls_engine *e, struct dtls_bytes body)
{
	struct dtls_extensions x;

	if (body.len < 2 || !dtls_ext_parse(&x, body))
		return dtls_fail_decode(e, "malformed EncryptedExtensions");
	if (dtls_extensions_read_answers13(e, &x) || dtls_early_answer(e, &x))
		return -e->error;
	e->hs->step = e->hs->psk_chosen ? CLIENT13_FINISHED :
					  CLIENT13_CERTIFICATE;
	return 0;
}

static int certificate_request(struct kdtls_engine *e, struct dtls_bytes body)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_wanted wanted = {
		.kx = DTLS_KX_13,
		.raw = hs->own_raw,
		.x509 = !hs->own_raw,
	};
	struct dtls_bytes context, r;
	struct dtls_extensions x;

	if (hs->cert_requested)
		return out_of_turn(e);
	if (!rd_vec(&body, 1, &context) || body.len < 2 ||
	    !dtls_ext_parse(&x, body))
		return dtls_fail_decode(e, "malformed CertificateRequest");
	if (context.len)
		return dtls_fail_illegal(e, "CertificateRequest has a context");
	if (!dtls_ext_has(&x, DTLS_EXT_SCHEMES))
		return dtls_fail(e, KDTLS_EPROTOCOL,
				 KDTLS_ALERT_MISSING_EXTENSION,
				 "CertificateRequest without schemes");
	r = x.ext[DTLS_EXT_SCHEMES];
	if (!rd_vec(&r, 2, &wanted.schemes) || r.len || !wanted.schemes.len ||
	    wanted.schemes.len % 2)
		return dtls_fail_decode(e, "malformed CertificateRequest");
	if (dtls_extensions_authorities(e, &x, &wanted.authorities))
		return -e->error;
	hs->cert_requested = true;
	/*
	 * Without an identity that suits, an empty list is sent (RFC 8446
	 * 4.4.2.3).
	 */
	dtls_identity_choose(e, &wanted);
	return 0;
}

static int certificate(struct kdtls_engine *e, struct dtls_bytes body)
{
	if (dtls_handshake13_receive_certificate(e, body))
		return -e->error;
	if (!e->hs->peer_key)
		return dtls_fail_decode(e, "the server shows no certificate");
	e->hs->step = CLIENT13_VERIFY;
	return 0;
}

static int certificate_verify(struct kdtls_engine *e, struct dtls_bytes body)
{
	e->hs->step = CLIENT13_FINISHED;
	return dtls_handshake13_receive_verify(e, body);
}

static int finished(struct kdtls_engine *e, struct dtls_bytes body)
{
	struct dtls_handshake *hs = e->hs;

	if (dtls_handshake13_receive_finished(e, body) ||
	    dtls_handshake13_data_secrets(e))
		return -e->error;
	dtls_handshake_flight_begin(e);
	if (hs->cert_requested &&
	    dtls_handshake13_send_certificate(e, (struct dtls_bytes){ 0 }))
		return -e->error;
	if (hs->cert_requested && hs->identity &&
	    dtls_handshake13_send_verify(e))
		return -e->error;
	if (dtls_handshake13_send_finished(e) || dtls_handshake13_resumption(e))
		return -e->error;
	dtls_handshake_flight_end(e, true);
	hs->step = DTLS_STEP_FLUSH;
	return 0;
}

static const struct dtls_expected expected[] = {
	{ CLIENT13_EXTENSIONS, DTLS_ENCRYPTED_EXTENSIONS, encrypted_extensions },
	{ CLIENT13_CERTIFICATE, DTLS_CERTIFICATE_REQUEST, certificate_request },
	{ CLIENT13_CERTIFICATE, DTLS_CERTIFICATE, certificate },
	{ CLIENT13_VERIFY, DTLS_CERTIFICATE_VERIFY, certificate_verify },
	{ CLIENT13_FINISHED, DTLS_FINISHED, finished },
};

int dtls_client13_message(struct kdtls_engine *e, u8 type,
			  struct dtls_bytes body)
{
	return dtls_handshake_receive(e, expected,
				      sizeof(expected) / sizeof(expected[0]),
				      type, body);
}
