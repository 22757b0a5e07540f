// SPDX-License-Identifier: BSD-3-Clause
/* An engine's life: made, set up, started, timed out, failed, finished, freed. */
#include <openssl/err.h>

#include "early.h"
#include "name.h"
#include "state.h"

/*
 * Datagram sizes to fall back to when flights get lost: what IPv6 guarantees,
 * what IPv4 hosts must take, the least there is (each without IP and UDP).
 */
static const u32 mtu_steps[] = { 1232, 548, KDTLS_MTU_MIN };

void dtls_random(struct kdtls_engine *e, u8 *buf, size_t len)
{
	if (e->ep->config.ops.random)
		e->ep->config.ops.random(e->ctx, buf, len);
	else if (!dtls_pool_take(e->ep->crypto.pool, buf, len))
		dtls_fail_internal(e);
}

int64_t dtls_unix_time(const struct kdtls_engine *e)
{
	return dtls_endpoint_time(e->ep, e->ctx);
}

void dtls_timer_limits(const struct kdtls_engine *e, struct dtls_timer_limits *l)
{
	l->initial = 1000ULL * e->ep->config.timeout_initial;
	l->min = 1000ULL * e->ep->config.timeout_min;
	l->max = 1000ULL * e->ep->config.timeout_max;
}

struct dtls_handshake *dtls_handshake_new(struct kdtls_engine *e)
{
	struct dtls_handshake *hs;

	if (e->ep->handshakes >= e->ep->config.max_handshakes)
		return NULL;
	hs = OPENSSL_zalloc(sizeof(*hs));
	if (hs)
		e->ep->handshakes++;
	return hs;
}

void dtls_handshake_drop(struct kdtls_engine *e)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_held *h;

	if (!hs)
		return;
	e->hs = NULL;
	e->ep->handshakes--;
	dtls_hmac_forget(&e->ep->crypto);
	while (hs->held) {
		h = hs->held;
		hs->held = h->next;
		OPENSSL_clear_free(h, sizeof(*h) + h->len);
	}
	dtls_protection_free(hs->data_tx);
	dtls_transcript_clear(&hs->transcript);
	dtls_reassembly_clear(&hs->in);
	wr_free(&hs->out);
	wr_free(&hs->session_bytes);
	wr_free(&hs->ticket);
	EVP_PKEY_free(hs->kex_key);
	EVP_PKEY_free(hs->peer_key);
	dtls_peer_forget(&hs->peer);
	OPENSSL_free(hs->psk_hint);
	OPENSSL_free((void *)hs->cookie.p);
	OPENSSL_clear_free(hs, sizeof(*hs));
}

void dtls_drop_protection(struct kdtls_engine *e)
{
	dtls_protection_free(e->tx);
	dtls_protection_free(e->rx);
	e->tx = NULL;
	e->rx = NULL;
}

int kdtls_engine_new(struct kdtls_endpoint *endpoint, enum kdtls_role role,
		     void *ctx, const void *address, size_t address_len,
		     struct kdtls_engine **engine)
{
	struct kdtls_engine *e;

	if (address_len > DTLS_ADDRESS_MAX)
		return -KDTLS_EUSAGE;
	e = OPENSSL_zalloc(sizeof(*e) + address_len);
	if (!e)
		return -KDTLS_EMEMORY;
	e->ep = endpoint;
	e->ctx = ctx;
	e->server = role == KDTLS_SERVER;
	e->mtu = endpoint->config.mtu;
	e->peer_record_limit = DTLS_RECORD_SIZE_MAX;
	e->alert = KDTLS_ALERT_NONE;
	e->alert_received = KDTLS_ALERT_NONE;
	e->address_len = (u8)address_len;
	if (address_len)
		memcpy(e->address, address, address_len);
	dtls_timer_stop(&e->timer);
	if (!e->server) {
		e->hs = dtls_handshake_new(e);
		if (!e->hs) {
			kdtls_engine_free(e);
			return -KDTLS_EMEMORY;
		}
	}
	*engine = e;
	return 0;
}

void kdtls_engine_free(struct kdtls_engine *engine)
{
	struct kdtls_engine *e = engine;

	if (!e)
		return;
	dtls_handshake_drop(e);
	dtls_drop_protection(e);
	dtls13_free(e);
	dtls_early_free(e);
	dtls_ack_clear(e);
	dtls_heartbeat_free(e);
	dtls_flight_clear(&e->flight);
	OPENSSL_free(e->name);
	OPENSSL_free(e->peer);
	dtls_cids_free(&e->cids);
	OPENSSL_free(e->cid_tx);
	OPENSSL_free(e->reply);
	OPENSSL_clear_free(e, sizeof(*e) + e->address_len);
}

int kdtls_engine_set_name(struct kdtls_engine *engine, const char *name)
{
	char read[DTLS_NAME_MAX + 1];
	char *copy;

	if (engine->server || engine->state != KDTLS_IDLE)
		return -KDTLS_EUSAGE;
	if (!dtls_name_read(name, read))
		return -KDTLS_ENAME;
	copy = OPENSSL_strdup(read);
	if (!copy)
		return -KDTLS_EMEMORY;
	OPENSSL_free(engine->name);
	engine->name = copy;
	return 0;
}

int kdtls_engine_set_session(struct kdtls_engine *engine,
			     const uint8_t *session, size_t len)
{
	struct kdtls_engine *e = engine;
	struct dtls_handshake *hs = e->hs;
	const char *name = e->name;
	struct dtls_session *s;

	if (e->server || e->state != KDTLS_IDLE)
		return -KDTLS_EUSAGE;
	s = &hs->session;
	dtls_early_free(e);	/* it was for another */
	wr_free(&hs->session_bytes);
	wr_bytes(&hs->session_bytes, session, len);
	hs->has_session =
		!hs->session_bytes.failed &&
		dtls_session_read(s, (struct dtls_bytes){ hs->session_bytes.p,
				  len }) &&
		!dtls_session_expired(s, e->ep->config.ticket_life,
				      dtls_unix_time(e)) &&
		(!e->name || dtls_bytes_equal(s->name, name, strlen(name))) &&
		dtls_own_suite(e, s->suite) &&
		(s->version == DTLS_VERSION_1_3 ? e->ep->speaks13 :
						  e->ep->speaks12) &&
		(s->ems || dtls_endpoint_flag(e->ep, KDTLS_ALLOW_NO_EMS)) &&
		(!s->ticket.len ||
		 !dtls_endpoint_flag(e->ep, KDTLS_NO_TICKETS)) &&
		(s->ticket.len || s->id.len);
	return hs->has_session ? 0 : -KDTLS_EUSAGE;
}

int kdtls_engine_set_cid(struct kdtls_engine *engine, const uint8_t *cid,
			 size_t len)
{
	struct kdtls_engine *e = engine;
	struct dtls_cids cids = { 0 };

	if (e->state != KDTLS_IDLE || !len || len > DTLS_CID_SIZE_MAX)
		return -KDTLS_EUSAGE;
	if (!dtls_cids_add(&cids, cid, len))
		return -KDTLS_EMEMORY;
	dtls_cids_free(&e->cids);
	e->cids = cids;
	return 0;
}

void kdtls_engine_set_mtu(struct kdtls_engine *engine, uint32_t mtu)
{
	if (mtu < KDTLS_MTU_MIN)
		mtu = KDTLS_MTU_MIN;
	engine->mtu = mtu > 65507 ? 65507 : mtu;
}

/* Could the server be asked for a certificate with a name to check? */
static bool name_missing(const struct kdtls_engine *e)
{
	return e->ep->trust_x509 && !e->name &&
	       !(e->ep->config.flags & (KDTLS_NO_NAME_CHECK | KDTLS_NO_VERIFY));
}

int kdtls_engine_start(struct kdtls_engine *engine, uint64_t now)
{
	struct kdtls_engine *e = engine;
	int err;

	if (e->server || e->state != KDTLS_IDLE || name_missing(e))
		return -KDTLS_EUSAGE;
	e->now = now;
	e->state = KDTLS_HANDSHAKE;
	ERR_set_mark();
	err = dtls_client_start(e);
	ERR_pop_to_mark();
	return err;
}

int dtls_fail(struct kdtls_engine *e, int error, u8 alert, const char *reason)
{
	if (e->state == KDTLS_FAILED)
		return -e->error;
	e->state = KDTLS_FAILED;
	e->error = error;
	e->reason = reason;
	if (alert != KDTLS_ALERT_NONE)
		dtls_alert_send(e, 2, alert);
	/*
	 * RFC 5246 7.2.2: it shall not be resumed. Before keys are proven
	 * anybody who saw the id could ask for this.
	 */
	if (e->keys_out)
		dtls_cache_remove(&e->ep->cache, (struct dtls_bytes){
			e->session_id, e->session_id_len });
	dtls_flight_clear(&e->flight);
	dtls_timer_stop(&e->timer);
	dtls_ack_clear(e);
	dtls_heartbeat_free(e);
	return -error;
}

/* What the engine has seen, and the number below which it has seen all */
static u64 export_window(const struct dtls_protection *rx,
			 struct dtls_window *window)
{
	const struct dtls_replay *seen = &rx->seen;
	u64 floor = seen->next > seen->size ? seen->next - seen->size : 0;

	memset(window, 0, sizeof(*window));
	window->epoch = rx->epoch;
	window->next = seen->next;
	dtls_replay_export(seen, (u64 *)window->seen);
	while (floor < seen->next && !dtls_replay_check(seen, floor))
		floor++;
	return floor;
}

static int give_key(struct kdtls_engine *e, int direction,
		    const struct dtls_key_info *key,
		    const struct dtls_window *seen)
{
	if (e->ep->config.ops.key(e->ctx, direction, key, seen))
		return dtls_fail(e, KDTLS_ECALLBACK, KDTLS_ALERT_INTERNAL_ERROR,
				 "the keys were not taken");
	return 0;
}

/*
 * RFC 8449 4: a handshake sets the limits for the keys that it produces; early
 * data is under a key of the handshake before.
 */
static bool has_record_limit(const struct dtls_key_info *key)
{
	return key->version != DTLS_VERSION_1_3 ||
	       key->epoch >= DTLS13_EPOCH_DATA;
}

int dtls_hand_out(struct kdtls_engine *e, struct dtls_protection *rx,
		  struct dtls_key_info *rx_key, struct dtls_key_info *tx_key)
{
	struct dtls_window window = { 0 };

	if (tx_key)
		tx_key->max_plaintext = e->peer_record_limit;
	if (rx_key) {
		rx_key->limit = e->ep->config.max_forgeries;
		if (has_record_limit(rx_key))
			rx_key->max_plaintext = e->record_limit;
		window.epoch = rx_key->epoch;
		if (rx)
			rx_key->rec_seq = export_window(rx, &window);
		if (give_key(e, DTLS_RX, rx_key, &window))
			return -e->error;
	}
	return tx_key ? give_key(e, DTLS_TX, tx_key, NULL) : 0;
}

int dtls_complete(struct kdtls_engine *e)
{
	const struct kdtls_ops *ops = &e->ep->config.ops;
	struct dtls_handshake *hs = e->hs;
	const struct dtls_held *h;

	/* Nothing comes after Finished (RFC 5246 7.3, RFC 8446 4.4.4). */
	if (dtls_reassembly_has(&hs->in, 1))
		return dtls_fail(e, KDTLS_EPROTOCOL,
				 KDTLS_ALERT_UNEXPECTED_MESSAGE,
				 "a message came after Finished");
	if (e->d13)
		return dtls13_complete(e);
	hs->tx_key.rec_seq = e->tx->seq;
	if (dtls_hand_out(e, e->rx, &hs->rx_key, &hs->tx_key))
		return -e->error;
	for (h = hs->held; h; h = h->next)
		if (h->opened && ops->early)
			ops->early(e->ctx, h->data, h->len);
	e->keys_out = true;
	e->state = KDTLS_ESTABLISHED;
	dtls_handshake_drop(e);
	dtls_drop_protection(e);
	/* Who sent the last flight keeps it for a while: RFC 6347 4.2.4 */
	if (e->flight.first)
		e->timer.expiry = e->now + 1000ULL * e->ep->config.linger;
	else
		dtls_timer_stop(&e->timer);
	return 0;
}

void kdtls_engine_confirm(struct kdtls_engine *engine)
{
	if (engine->state != KDTLS_ESTABLISHED)
		return;
	/* DTLS 1.3 has its own word for it (RFC 9147 7). */
	if (engine->d13) {
		dtls13_alive(engine);
		return;
	}
	dtls_flight_clear(&engine->flight);
	dtls_timer_stop(&engine->timer);
}

static u64 earlier(u64 a, u64 b)
{
	return a < b ? a : b;
}

uint64_t kdtls_engine_expiry(const struct kdtls_engine *engine)
{
	u64 other = earlier(dtls_heartbeat_expiry(engine),
			    dtls_ack_expiry(engine));

	if (engine->d13)
		other = earlier(other, engine->d13->linger);
	other = earlier(other, engine->timer.again);
	return earlier(engine->timer.expiry, other);
}

/* Two lost flights in a row may be too large ones. */
static void mtu_back_off(struct kdtls_engine *e)
{
	size_t i;

	if (e->timer.tries % 2 || e->mtu <= e->ep->config.mtu_min)
		return;
	for (i = 0; i < sizeof(mtu_steps) / sizeof(mtu_steps[0]); i++) {
		if (mtu_steps[i] < e->mtu) {
			e->mtu = mtu_steps[i] > e->ep->config.mtu_min ?
				 mtu_steps[i] : e->ep->config.mtu_min;
			return;
		}
	}
}

static int flight_expired(struct kdtls_engine *e)
{
	/* Nothing to send: the peer is given one try more than we have. */
	bool waits = dtls_flight_done(&e->flight);
	struct dtls_timer_limits limits;

	if (e->timer.tries >= e->ep->config.retransmits + waits)
		return dtls_fail(e, KDTLS_ETIMEOUT, KDTLS_ALERT_NONE,
				 e->rx && e->rx->failed ?
				 "the peer's records do not verify: another pre-shared key?" :
				 "the peer does not answer");
	dtls_timer_limits(e, &limits);
	dtls_timer_back_off(&e->timer, &limits, e->now);
	if (waits)
		return 0;
	mtu_back_off(e);
	dtls_resend_flight(e);
	return 0;
}

/* RFC 9147 5.8.1: what an ACK left out goes out, and the timer anew. */
static void rest_due(struct kdtls_engine *e)
{
	struct dtls_timer_limits limits;

	if (dtls_flight_done(&e->flight) || dtls_flight_pending(&e->flight)) {
		e->timer.again = KDTLS_NEVER;
		return;
	}
	dtls_timer_limits(e, &limits);
	dtls_timer_asked(&e->timer, &limits, e->now);
	dtls_resend_flight(e);
}

int kdtls_engine_expire(struct kdtls_engine *engine, uint64_t now)
{
	struct kdtls_engine *e = engine;

	if (e->state == KDTLS_FAILED)
		return -e->error;
	e->now = now;
	dtls_heartbeat_expire(e);
	dtls_ack_expire(e);
	if (e->d13)
		dtls13_expire(e);
	if (e->timer.expiry > now) {
		if (e->timer.again <= now)
			rest_due(e);
		return 0;
	}
	if (e->state == KDTLS_HANDSHAKE || (e->d13 && !e->d13->arrived))
		return flight_expired(e);
	if (e->d13)
		dtls13_flight_expired(e);
	else
		kdtls_engine_confirm(e);
	return 0;
}

void dtls_stop(struct kdtls_engine *e)
{
	dtls_flight_clear(&e->flight);
	dtls_timer_stop(&e->timer);
	dtls_ack_clear(e);
	dtls_heartbeat_free(e);
	/* In the middle of a handshake an alert is to be sent under it. */
	if (e->keys_out)
		dtls_drop_protection(e);
	if (e->d13)
		e->d13->linger = KDTLS_NEVER;
}

void kdtls_engine_close(struct kdtls_engine *engine)
{
	struct kdtls_engine *e = engine;

	if (e->state == KDTLS_FAILED || e->state == KDTLS_CLOSED)
		return;
	if (e->state != KDTLS_IDLE)
		dtls_alert_send(e, 1, KDTLS_ALERT_CLOSE_NOTIFY);
	e->state = KDTLS_CLOSED;
	dtls_stop(e);
}

enum kdtls_state kdtls_engine_state(const struct kdtls_engine *engine)
{
	return engine->state;
}

void kdtls_engine_failure(const struct kdtls_engine *engine,
			  struct kdtls_failure *failure)
{
	bool failed = engine->state == KDTLS_FAILED;

	*failure = (struct kdtls_failure){
		.error = engine->error,
		.alert_sent = failed ? engine->alert : KDTLS_ALERT_NONE,
		.alert_received = engine->alert_received,
		.reason = failed ? engine->reason : "",
	};
}

void kdtls_engine_info(const struct kdtls_engine *engine,
		       struct kdtls_info *info)
{
	const struct kdtls_engine *e = engine;
	const struct dtls_peer peer = dtls_peer_of(e);

	*info = (struct kdtls_info){
		.version = e->version,
		.suite = e->suite ? e->suite->id : 0,
		.cipher = e->suite ? e->suite->cipher : 0,
		.group = e->group,
		.scheme = e->peer_scheme,
		.srtp_profile = e->srtp_profile,
		.peer_record_limit = e->peer_record_limit,
		.resumed = e->resumed,
		.extended_master_secret = e->ems,
		.peer_heartbeat = e->peer_heartbeat,
		.peer_verified = peer.auth == KDTLS_AUTH_CERTIFICATE ||
				 peer.auth == KDTLS_AUTH_RAW_KEY,
		.auth = peer.auth,
		.verified = peer.verified,
		.psk_identity = peer.identity.p,
		.psk_identity_len = peer.identity.len,
		.authenticated = peer.since,
		.chain_end = peer.until == DTLS_NO_END ? 0 : peer.until,
		.early = e->early_state,
		.alpn = e->alpn,
		.name = e->name,
		.cid_rx = e->cids.cid,
		.cid_rx_len = e->cids.len,
		.cid_tx = e->cid_tx,
		.cid_tx_len = e->cid_tx_len,
		.cid_spares = e->d13 ? e->d13->spare_count : 0,
		.rtt = e->timer.srtt,
		.mtu = e->mtu,
		.flights_resent = e->resent,
		.dropped = e->dropped,
	};
	memcpy(info->peer_hash, peer.hash, sizeof(info->peer_hash));
}

int kdtls_engine_export(const struct kdtls_engine *engine, const char *label,
			const uint8_t *context, size_t context_len,
			uint8_t *out, size_t len)
{
	const struct kdtls_engine *e = engine;
	const struct dtls_crypto *c = &e->ep->crypto;
	struct dtls_bytes seed = { context, context_len };
	bool ok;

	if (e->state != KDTLS_ESTABLISHED || !e->ems ||
	    strlen(label) > KDTLS_EXPORT_CONTEXT_MAX / 4 ||
	    context_len > KDTLS_EXPORT_CONTEXT_MAX || !len)
		return -KDTLS_EUSAGE;
	ERR_set_mark();
	if (e->d13)
		ok = dtls13_export(c, dtls_suite_md(c, e->suite),
				   e->d13->exporter, label, seed, out, len);
	else
		ok = dtls12_export(c, dtls_suite_md(c, e->suite), &e->secrets,
				   label, context ? &seed : NULL, out, len);
	dtls_hmac_forget(c);
	ERR_pop_to_mark();
	return ok ? 0 : -KDTLS_ECRYPTO;
}
