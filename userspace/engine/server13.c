// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file is the server's handshake of DTLS 1.3 (RFC 8446 4, RFC 9147 5).
 */
#include "ack.h"
#include "auth.h"
#include "early.h"
#include "extensions.h"
#include "handshake.h"
#include "handshake13.h"
#include "identity.h"
#include "psks.h"
#include "resumption.h"
#include "retry.h"
#include "server13.h"

/*
 * At most so many identities of one hello are tried, as each may cost a
 * decryption or a call of the owner.
 */
#define IDENTITIES_MAX	8

static int missing(struct kdtls_engine *e, const char *what)
{
	return dtls_fail(e, KDTLS_EPROTOCOL, KDTLS_ALERT_MISSING_EXTENSION,
			 what);
}

static int nothing_in_common(struct kdtls_engine *e, const char *what)
{
	return dtls_fail(e, KDTLS_ENEGOTIATION, KDTLS_ALERT_HANDSHAKE_FAILURE,
			 what);
}

static bool has_mode(const struct dtls_client_hello *ch, u8 mode)
{
	struct dtls_bytes r = ch->ext.ext[DTLS_EXT_PSK_MODES], list;

	return rd_vec(&r, 1, &list) && list.len &&
	       memchr(list.p, mode, list.len);
}

/*
 * Return true if a pre-shared key may be used without Diffie-Hellman, which
 * both ends have to allow (psk_ke, RFC 8446 4.2.9).
 */
static bool can_do_without_group(const struct kdtls_engine *e,
				 const struct dtls_client_hello *ch)
{
	return dtls_ext_has(&ch->ext, DTLS_EXT_PSK) && has_mode(ch, DTLS_MODE_PSK) &&
	       dtls_endpoint_flag(e->ep, KDTLS_PSK_KE);
}

/*
 * Put the messages before the second hello into the transcript, from its
 * cookie: the hash of the first hello, which is in the cookie, and the
 * HelloRetryRequest, which is written again with the same bytes. Return 0 or an
 * error.
 */
static int restore(struct kdtls_engine *e, const struct dtls_retry *r,
		   struct dtls_bytes cookie)
{
	struct dtls_transcript *t = &e->hs->transcript;
	struct dtls_writer w = { 0 };
	size_t mark;
	bool ok;

	wr_u8(&w, DTLS_SERVER_HELLO);
	mark = wr_open(&w, 3);
	dtls_retry_write(&w, r->suite, r->group, cookie);
	wr_close(&w, mark, 3);
	wr_bytes(&w, t->all.p, t->all.len);
	ok = !w.failed &&
	     dtls_transcript_fold(t, (struct dtls_bytes){ r->hash, r->hash_len },
				  (struct dtls_bytes){ w.p, w.len });
	wr_free(&w);
	return ok ? 0 : dtls_fail_memory(e);
}

/*
 * Take the cookie of a second hello, which proves the client's address. The
 * gate has checked the cookie, unless the engine itself has sent it: that
 * happens when a ticket took the place of a cookie at the gate and was refused
 * here, see ask_for_cookie(). Such a cookie is checked here. Return 0 or an
 * error.
 */
static int recall(struct kdtls_engine *e, const struct dtls_client_hello *ch)
{
	struct dtls_bytes address = { e->m->address, e->m->address_len };
	struct dtls_bytes ext = ch->ext.ext[DTLS_EXT_COOKIE], cookie;
	struct dtls_handshake *hs = e->hs;
	const struct kdtls_hello *hello = hs->hello;
	struct dtls_retry r;

	if (!rd_vec(&ext, 2, &cookie) || ext.len)
		return dtls_fail_decode(e, "malformed cookie");
	if (hello ? !hello->has_retry :
		    !e->unproven || !dtls_cookie_open(&e->ep->cookie, address,
						      cookie, e->m->now, &r))
		return dtls_fail_illegal(e, "the cookie is not good");
	if (hello)
		r = hello->retry;
	e->unproven = false;
	/* A request that this engine has sent is in the transcript already. */
	if (hs->retried)
		return 0;
	hs->retried = true;
	hs->retry_suite = r.suite;
	hs->retry_group = r.group;
	return restore(e, &r, cookie);
}

/*
 * Send HelloRetryRequest. With @want_cookie it asks for a proof of the client's
 * address, else for a key share of the chosen group. Return 0 or an error.
 */
static int send_retry(struct kdtls_engine *e, const struct dtls_choice *choice,
		      bool want_cookie)
{
	struct dtls_bytes address = { e->m->address, e->m->address_len };
	struct dtls_handshake *hs = e->hs;
	struct dtls_bytes none = { 0 }, hash, cookie = { 0 };
	u8 buf[DTLS_HASH_MAX], sealed[DTLS_RETRY_COOKIE_MAX];
	struct dtls_retry r = { .suite = choice->suite->id };
	struct dtls_writer *w;

	e->suite = choice->suite;
	hash = dtls_handshake_hash(e, hs->transcript.all.len, buf);
	if (!hash.len || !dtls_transcript_fold(&hs->transcript, hash, none))
		return dtls_fail_internal(e);
	if (want_cookie) {
		r.hash_len = (u8)hash.len;
		memcpy(r.hash, hash.p, hash.len);
		cookie.p = sealed;
		cookie.len = dtls_cookie_seal(&e->ep->cookie, address, &r,
					      e->m->now, sealed);
		if (!cookie.len)
			return dtls_fail_internal(e);
	} else {
		r.group = choice->group->id;
	}
	hs->retried = true;
	hs->retry_suite = r.suite;
	hs->retry_group = r.group;
	dtls_handshake_flight_begin(e);
	w = dtls_handshake_message(e, DTLS_SERVER_HELLO);
	dtls_retry_write(w, r.suite, r.group, cookie);
	if (dtls_handshake_message_end(e))
		return -e->error;
	dtls_handshake_flight_end(e, true);
	return 0;
}

/*
 * Check that a second hello does what the HelloRetryRequest asked for (RFC 8446
 * 4.1.2). Return 0 or an error.
 */
static int keep_to_retry(struct kdtls_engine *e,
			 const struct dtls_client_hello *ch,
			 struct dtls_choice *choice)
{
	const struct dtls_handshake *hs = e->hs;

	choice->suite = dtls_endpoint_suite(e->ep, hs->retry_suite);
	if (!choice->suite || !rd_has_u16(ch->suites, hs->retry_suite))
		return dtls_fail_illegal(e, "the second hello is another");
	if (!hs->retry_group)
		return 0;
	choice->group = dtls_endpoint_group(e->ep, hs->retry_group);
	if (!choice->group ||
	    !dtls_hello_share(ch, hs->retry_group, &choice->share))
		return dtls_fail_illegal(e, "no share of the group asked for");
	return 0;
}

/*
 * Return true if the gate has tried to open the key hs->psk_index as a ticket.
 */
static bool was_tried(const struct dtls_handshake *hs)
{
	return hs->hello && hs->hello->tried && !hs->psk_index;
}

/*
 * Return true if the gate has checked the binder of the key hs->psk_index.
 */
static bool was_proven(const struct dtls_handshake *hs)
{
	return was_tried(hs) && hs->hello->early;
}

/*
 * Open a ticket into hs->session, unless the gate has done so. Return false if
 * it is not a ticket of this endpoint.
 */
static bool open_ticket(struct kdtls_engine *e, struct dtls_bytes ticket)
{
	struct dtls_handshake *hs = e->hs;

	wr_free(&hs->session_bytes);
	if (!was_tried(hs))
		return dtls_ticket_open(&e->ep->tickets, &e->ep->crypto, ticket,
					dtls_state_time(e), &hs->session_bytes,
					&hs->session);
	if (!hs->hello->opened)
		return false;
	hs->session_bytes = hs->hello->plain;
	hs->session = hs->hello->session;
	memset(&hs->hello->plain, 0, sizeof(hs->hello->plain));
	return true;
}

/*
 * Take a ticket, if its session may be resumed and its hash is that of the
 * suite. Return true if the ticket was taken.
 */
static bool take_ticket(struct kdtls_engine *e, struct dtls_bytes ticket)
{
	struct dtls_handshake *hs = e->hs;
	const struct dtls_session *s = &hs->session;
	const struct dtls_suite *suite;

	if (dtls_endpoint_flag(e->ep, KDTLS_NO_TICKETS) ||
	    !open_ticket(e, ticket))
		return false;
	suite = dtls_endpoint_suite(e->ep, s->suite);
	if (s->version != DTLS_VERSION_1_3 || !suite ||
	    suite->sha384 != e->suite->sha384)
		return false;
	hs->psk_len = (u8)dtls_suite_hash_len(suite);
	memcpy(hs->psk, s->master, hs->psk_len);
	hs->psk_resumes = true;
	return true;
}

/*
 * Ask the owner for the external pre-shared key of an identity. Such a key is
 * used with SHA-256 only (RFC 8446 4.2.11), and without certificates. Return 1
 * if there is such a key, 0 if not, or an error.
 */
static int take_external(struct kdtls_engine *e, struct dtls_bytes identity)
{
	struct dtls_handshake *hs = e->hs;
	int len;

	if (e->suite->sha384 || dtls_endpoint_flag(e->ep, KDTLS_REQUIRE_CERT))
		return 0;
	len = dtls_psks_server(e, identity, hs->psk);
	if (len <= 0)
		return len;
	hs->psk_len = (u8)len;
	hs->psk_resumes = false;
	return 1;
}

/*
 * Check the binder of a pre-shared key. It covers the hello up to the list of
 * binders, which is the end of the hello (RFC 8446 4.2.11.2). Return 0 or an
 * error.
 */
static int check_binder(struct kdtls_engine *e, struct dtls_bytes binder,
			size_t list_len)
{
	const struct dtls_crypto *c = &e->ep->crypto;
	struct dtls_handshake *hs = e->hs;
	struct dtls_bytes psk = { hs->psk, hs->psk_len };
	u8 buf[DTLS_HASH_MAX], wanted[DTLS_HASH_MAX];
	struct dtls_bytes hash;

	hash = dtls_handshake_hash(e, hs->transcript.all.len - 2 - list_len,
				   buf);
	if (!hash.len || !dtls_keys13_binder(c, dtls_suite_md(c, e->suite), psk,
					     hs->psk_resumes, hash, wanted))
		return dtls_fail_internal(e);
	if (binder.len != hash.len ||
	    CRYPTO_memcmp(binder.p, wanted, hash.len))
		return dtls_fail(e, KDTLS_EPROTOCOL, KDTLS_ALERT_DECRYPT_ERROR,
				 "the client's proof of its key is wrong");
	return 0;
}

/*
 * Take one of the client's pre-shared keys if it is known, its binder is right
 * and, if it is that of a session, the session may be resumed. The binder is
 * checked before the owner is asked about the session, as anybody may repeat a
 * ticket. Return 1 if the key was taken, 0 if not, or an error.
 */
static int try_psk(struct kdtls_engine *e, struct dtls_bytes identity,
		   struct dtls_bytes binder, size_t list_len)
{
	struct dtls_handshake *hs = e->hs;
	int found = take_ticket(e, identity);

	if (!found)
		found = take_external(e, identity);
	if (found <= 0)
		return found;
	if (!(hs->psk_resumes && was_proven(hs)) &&
	    check_binder(e, binder, list_len))
		return -e->error;
	if (hs->psk_resumes && !dtls_resumption_allowed(e, &hs->session)) {
		OPENSSL_cleanse(hs->psk, sizeof(hs->psk));
		return 0;
	}
	if (hs->psk_resumes ? dtls_auth_claim_session(e, &hs->session) :
			      dtls_auth_claim_key(e, identity))
		return -e->error;
	if (dtls_auth_proven(e))
		return -e->error;
	hs->psk_chosen = true;
	return 1;
}

/*
 * Take an identity and its binder, which has 32 bytes or more, off their lists
 * (RFC 8446 4.2.11). Return false if they are malformed.
 */
static bool next_psk(struct dtls_bytes *ids, struct dtls_bytes *binders,
		     struct dtls_bytes *identity, struct dtls_bytes *binder)
{
	u32 age;

	return rd_vec(ids, 2, identity) && identity->len &&
	       rd_u32(ids, 4, &age) && rd_vec(binders, 1, binder) &&
	       binder->len >= 32;
}

/*
 * Take the first of the client's pre-shared keys that this server knows, if
 * any. Both lists are checked to their ends before one of the keys is used.
 * Return 0 or an error.
 */
static int choose_psk(struct kdtls_engine *e,
		      const struct dtls_client_hello *ch)
{
	struct dtls_bytes r = ch->ext.ext[DTLS_EXT_PSK], ids, binders;
	struct dtls_bytes i, b, identity, binder;
	struct dtls_handshake *hs = e->hs;
	int found = 0;

	if (!rd_vec(&r, 2, &ids) || !ids.len || !rd_vec(&r, 2, &binders) ||
	    r.len)
		return dtls_fail_decode(e, "malformed pre_shared_key");
	for (i = ids, b = binders; i.len && b.len;)
		if (!next_psk(&i, &b, &identity, &binder))
			return dtls_fail_decode(e, "malformed pre_shared_key");
	if (i.len || b.len)
		return dtls_fail_illegal(e, "keys and proofs differ in number");
	for (i = ids, b = binders; i.len; hs->psk_index++) {
		if (hs->psk_index == IDENTITIES_MAX)
			break;
		next_psk(&i, &b, &identity, &binder);
		found = try_psk(e, identity, binder, binders.len);
		if (found)
			break;
	}
	return found < 0 ? found : 0;
}

/*
 * Return the extension that a hello without a pre-shared key has to have and
 * lacks, or NULL (RFC 8446 9.2).
 */
static const char *lacking(const struct dtls_client_hello *ch)
{
	if (!dtls_ext_has(&ch->ext, DTLS_EXT_GROUPS))
		return "no supported_groups";
	if (!dtls_ext_has(&ch->ext, DTLS_EXT_KEY_SHARE))
		return "no key_share";
	if (!dtls_ext_has(&ch->ext, DTLS_EXT_SCHEMES))
		return "no signature_algorithms";
	return NULL;
}

/*
 * Choose the server's certificate, and decide whether the client is asked for
 * one. Return 0 or an error.
 */
static int choose_certificate(struct kdtls_engine *e,
			      const struct dtls_client_hello *ch,
			      const struct dtls_choice *choice)
{
	if (!choice->group || !dtls_identity_for_hello(e, DTLS_KX_13, ch)) {
		/*
		 * The alert is the same as for a wrong binder, so that a
		 * stranger cannot find out which identities exist (RFC 8446
		 * 6.2).
		 */
		if (dtls_ext_has(&ch->ext, DTLS_EXT_PSK))
			return dtls_fail(e, KDTLS_EPROTOCOL,
					 KDTLS_ALERT_DECRYPT_ERROR,
					 "no key in common");
		if (lacking(ch))
			return missing(e, lacking(ch));
		if (!choice->group)
			return nothing_in_common(e, "no group in common");
		return dtls_identity_none(e, ch, "no certificate for this client");
	}
	return dtls_identity_ask_client(e, ch);
}

static int send_hello(struct kdtls_engine *e, const struct dtls_client_hello *ch,
		      const struct dtls_choice *choice)
{
	bool share = choice->share.len;
	struct dtls_handshake *hs = e->hs;
	u8 answer[DTLS_POINT_MAX];
	struct dtls_writer *w;
	size_t list, ext;

	if (share) {
		hs->shared_len = dtls_kex_answer(&e->ep->crypto, choice->group,
						 choice->share, answer,
						 hs->shared);
		if (!hs->shared_len)
			return dtls_fail_illegal(e,
						 "bad public key from the client");
		e->group = choice->group->id;
	}
	dtls_state_random(e, e->d12->secrets.server_random, DTLS_RANDOM_SIZE);
	w = dtls_handshake_message(e, DTLS_SERVER_HELLO);
	list = dtls_hello_open13(w, e->d12->secrets.server_random, e->suite->id);
	if (share) {
		ext = dtls_ext_open(w, DTLS_EXT_KEY_SHARE);
		wr_u16(w, choice->group->id);
		wr_vec(w, 2, answer, choice->group->answer_len);
		wr_close(w, ext, 2);
	}
	if (hs->psk_chosen) {
		ext = dtls_ext_open(w, DTLS_EXT_PSK);
		wr_u16(w, hs->psk_index);
		wr_close(w, ext, 2);
	}
	dtls_extensions_write_cid(e, w, &ch->ext);
	wr_close(w, list, 2);
	return dtls_handshake_message_end(e);
}

static int send_certificate_request(struct kdtls_engine *e)
{
	struct dtls_writer *w;
	size_t list, ext;

	w = dtls_handshake_message(e, DTLS_CERTIFICATE_REQUEST);
	wr_u8(w, 0);
	list = wr_open(w, 2);
	ext = dtls_ext_open(w, DTLS_EXT_SCHEMES);
	dtls_extensions_write_schemes(e, w);
	wr_close(w, ext, 2);
	wr_close(w, list, 2);
	return dtls_handshake_message_end(e);
}

static int send_flight(struct kdtls_engine *e,
		       const struct dtls_client_hello *ch,
		       const struct dtls_choice *choice)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_bytes psk = { hs->psk, hs->psk_chosen ? hs->psk_len : 0 };
	struct dtls_writer *w;

	dtls_handshake_flight_begin(e);
	if (send_hello(e, ch, choice) || dtls_handshake13_keys(e, psk))
		return -e->error;
	OPENSSL_cleanse(hs->psk, sizeof(hs->psk));
	w = dtls_handshake_message(e, DTLS_ENCRYPTED_EXTENSIONS);
	dtls_extensions_write_answers13(e, w, &ch->ext);
	if (dtls_handshake_message_end(e))
		return -e->error;
	if (hs->cert_requested && send_certificate_request(e))
		return -e->error;
	if (!hs->psk_chosen &&
	    (dtls_handshake13_send_certificate(e, (struct dtls_bytes){ 0 }) ||
	     dtls_handshake13_send_verify(e)))
		return -e->error;
	if (dtls_handshake13_send_finished(e) ||
	    dtls_handshake13_data_secrets(e))
		return -e->error;
	dtls_handshake_flight_end(e, true);
	hs->step = hs->cert_requested ? SERVER13_CERTIFICATE :
					SERVER13_FINISHED;
	return 0;
}

/*
 * Forget what a hello has said and claimed. The engine asks for a second one, which is
 * judged anew.
 */
static void forget_hello(struct kdtls_engine *e)
{
	struct dtls_handshake *hs = e->hs;

	dtls_extensions_forget(e);
	OPENSSL_free(e->name);
	e->name = NULL;
	dtls_peer_forget(&hs->peer);
	OPENSSL_free(e->peer);
	e->peer = NULL;
	e->peer_len = 0;
	hs->cert_requested = false;
	hs->psk_chosen = false;
	hs->psk_index = 0;
	e->resumed = false;
}

/*
 * Ask for a cookie after all, because the session of the ticket that let the
 * hello pass the gate without a cookie may not be resumed any more. The client
 * has to prove its address. Return 0 or an error.
 */
static int ask_for_cookie(struct kdtls_engine *e,
			  const struct dtls_choice *choice)
{
	forget_hello(e);
	return send_retry(e, choice, true);
}

/* Check what RFC 9147 5.3 and RFC 8446 4.2.9, 4.2.11 demand of every hello. */
static int check_hello(struct kdtls_engine *e,
		       const struct dtls_client_hello *ch)
{
	bool psk = dtls_ext_has(&ch->ext, DTLS_EXT_PSK);

	if (ch->version != DTLS_VERSION_1_2 || ch->cookie.len ||
	    ch->compressions.len != 1 || ch->compressions.p[0])
		return dtls_fail_illegal(e, "not a hello of DTLS 1.3");
	if (psk && ch->ext.last != DTLS_PSK_NUMBER)
		return dtls_fail_illegal(e, "pre_shared_key is not the last");
	if (psk && !dtls_ext_has(&ch->ext, DTLS_EXT_PSK_MODES))
		return missing(e, "no psk_key_exchange_modes");
	return 0;
}

/* Choose suite and group: as a HelloRetryRequest said, if there was one. */
static int negotiate(struct kdtls_engine *e, const struct dtls_client_hello *ch,
		     struct dtls_choice *choice)
{
	const struct dtls_handshake *hs = e->hs;

	if (!dtls_retry_choose(e->ep, ch, false, choice))
		return nothing_in_common(e, "no cipher suite in common");
	if (dtls_ext_has(&ch->ext, DTLS_EXT_COOKIE) && recall(e, ch))
		return -e->error;
	if (e->unproven && hs->retried)
		return missing(e, "the cookie is gone");
	if (hs->retried && keep_to_retry(e, ch, choice))
		return -e->error;
	e->suite = choice->suite;
	return 0;
}

/* Ask for the key share that the hello lacks. Return 0 or an error. */
static int ask_for_share(struct kdtls_engine *e,
			 const struct dtls_client_hello *ch,
			 const struct dtls_choice *choice)
{
	if (!dtls_ext_has(&ch->ext, DTLS_EXT_KEY_SHARE))
		return missing(e, "no key_share");
	if (e->hs->retried)
		return dtls_fail_illegal(e, "still no share");
	return send_retry(e, choice, false);
}

/*
 * Take one of the client's pre-shared keys, if both ends allow the same way of
 * using it, with or without Diffie-Hellman. Without Diffie-Hellman the client's
 * key share is not used. Return 0 or an error.
 */
static int use_psk(struct kdtls_engine *e, const struct dtls_client_hello *ch,
		   struct dtls_choice *choice)
{
	bool dhe = has_mode(ch, DTLS_MODE_PSK_DHE);

	if (!dtls_ext_has(&ch->ext, DTLS_EXT_PSK) ||
	    (!(dhe && choice->share.len) && !can_do_without_group(e, ch)))
		return 0;
	if (choose_psk(e, ch))
		return -e->error;
	if (e->hs->psk_chosen && !dhe)
		choice->share.len = 0;
	return 0;
}

int dtls_server13_client_hello(struct kdtls_engine *e,
			       const struct dtls_client_hello *ch)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_choice choice;
	bool early;

	if (check_hello(e, ch) || dtls_handshake13_begin(e))
		return -e->error;
	memcpy(e->d12->secrets.client_random, ch->random.p, DTLS_RANDOM_SIZE);
	if (negotiate(e, ch, &choice))
		return -e->error;
	if (choice.group && !choice.share.len && !can_do_without_group(e, ch))
		return ask_for_share(e, ch, &choice);
	if (dtls_extensions_read_client(e, &ch->ext) || use_psk(e, ch, &choice))
		return -e->error;
	early = dtls_early_offers(e, ch);
	if (e->unproven && !early)
		return ask_for_cookie(e, &choice);
	if (early && dtls_early_accept(e))
		return -e->error;
	if (!hs->psk_chosen && choose_certificate(e, ch, &choice))
		return -e->error;
	if (!hs->psk_chosen && !choice.share.len) {
		forget_hello(e);
		return ask_for_share(e, ch, &choice);
	}
	/*
	 * A client gets no ticket that it could not use with Diffie-Hellman
	 * (RFC 8446 4.2.9).
	 */
	hs->send_ticket = has_mode(ch, DTLS_MODE_PSK_DHE) &&
			  !dtls_endpoint_flag(e->ep, KDTLS_NO_TICKETS);
	return send_flight(e, ch, &choice);
}

static int certificate(struct kdtls_engine *e, struct dtls_bytes body)
{
	struct dtls_handshake *hs = e->hs;

	if (dtls_handshake13_receive_certificate(e, body))
		return -e->error;
	if (!hs->peer_key && dtls_endpoint_flag(e->ep, KDTLS_REQUIRE_CERT))
		return dtls_fail(e, KDTLS_EPEER,
				 KDTLS_ALERT_CERTIFICATE_REQUIRED,
				 "the client shows no certificate");
	hs->step = hs->peer_key ? SERVER13_VERIFY : SERVER13_FINISHED;
	return 0;
}

static int certificate_verify(struct kdtls_engine *e, struct dtls_bytes body)
{
	e->hs->step = SERVER13_FINISHED;
	return dtls_handshake13_receive_verify(e, body);
}

static int finished(struct kdtls_engine *e, struct dtls_bytes body)
{
	if (dtls_handshake13_receive_finished(e, body) ||
	    dtls_handshake13_resumption(e))
		return -e->error;
	dtls_flight_clear(&e->m->flight);
	dtls_timer_stop(&e->m->timer);
	/*
	 * Only an ACK tells the client that its Finished has arrived (RFC 9147
	 * 7.1).
	 */
	dtls_ack_due(e);
	e->hs->step = DTLS_STEP_DONE;
	return 0;
}

static const struct dtls_expected expected[] = {
	{ SERVER13_CERTIFICATE, DTLS_CERTIFICATE, certificate },
	{ SERVER13_VERIFY, DTLS_CERTIFICATE_VERIFY, certificate_verify },
	{ SERVER13_FINISHED, DTLS_FINISHED, finished },
};

int dtls_server13_message(struct kdtls_engine *e, u8 type,
			  struct dtls_bytes body)
{
	return dtls_handshake_receive(e, expected,
				      sizeof(expected) / sizeof(expected[0]),
				      type, body);
}
