// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file makes, sets up, starts and frees engines, tells their state, and
 * runs their timers. kdtls/engine.h declares these calls.
 */
#include <openssl/err.h>

#include "ack.h"
#include "auth.h"
#include "client.h"
#include "early.h"
#include "engine.h"
#include "heartbeat.h"
#include "name.h"
#include "post13.h"
#include "retransmit.h"
#include "state.h"

/* Keep the peer's address for the handshake. Return false if there is no memory. */
static bool keep_address(struct kdtls_engine *e, const void *address, size_t len)
{
	if (!len)
		return true;
	e->m->address = OPENSSL_memdup(address, len);
	e->m->address_len = (u8)len;
	return e->m->address;
}

int kdtls_engine_new(struct kdtls_endpoint *endpoint, enum kdtls_role role,
		     void *ctx, const void *address, size_t address_len,
		     struct kdtls_engine **engine)
{
	struct kdtls_engine *e;

	if (address_len > DTLS_ADDRESS_MAX)
		return -KDTLS_EUSAGE;
	e = OPENSSL_zalloc(sizeof(*e));
	if (!e)
		return -KDTLS_EMEMORY;
	e->ep = endpoint;
	endpoint->engines++;
	e->ctx = ctx;
	e->server = role == KDTLS_SERVER;
	e->mtu = endpoint->config.mtu;
	e->peer_record_limit = DTLS_RECORD_SIZE_MAX;
	e->alert = KDTLS_ALERT_NONE;
	e->alert_received = KDTLS_ALERT_NONE;
	e->d12 = OPENSSL_zalloc(sizeof(*e->d12));
	if (!e->server)
		e->hs = dtls_state_handshake_new(e);
	if (!e->d12 || (!e->server && !e->hs) || !dtls_state_wake(e) ||
	    !keep_address(e, address, address_len)) {
		kdtls_engine_free(e);
		return -KDTLS_EMEMORY;
	}
	dtls_state_rest(e);
	*engine = e;
	return 0;
}

void kdtls_engine_free(struct kdtls_engine *engine)
{
	struct kdtls_engine *e = engine;
	struct kdtls_endpoint *ep;

	if (!e)
		return;
	ep = e->ep;
	dtls_state_handshake_drop(e);
	dtls_state_free12(e);
	dtls_state_free13(e);
	if (e->m)
		dtls_early_free(e);
	dtls_state_drop_motion(e);
	dtls_state_drop_acks(e);
	OPENSSL_free(e->name);
	OPENSSL_free(e->peer);
	dtls_cids_free(&e->cids);
	OPENSSL_free(e->cid_tx);
	OPENSSL_clear_free(e, sizeof(*e));
	dtls_endpoint_put(ep);
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
	dtls_early_free(e);	/* Early data belongs to one session. */
	wr_free(&hs->session_bytes);
	wr_bytes(&hs->session_bytes, session, len);
	hs->has_session =
		!hs->session_bytes.failed &&
		dtls_session_read(s, (struct dtls_bytes){ hs->session_bytes.p,
				  len }) &&
		!dtls_session_expired(s, e->ep->config.ticket_life,
				      dtls_state_time(e)) &&
		(!e->name || dtls_bytes_equal(s->name, name, strlen(name))) &&
		dtls_endpoint_suite(e->ep, s->suite) &&
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
	engine->mtu = mtu > KDTLS_MTU_MAX ? KDTLS_MTU_MAX : mtu;
}

/*
 * Return true if the peer's certificate may have to be verified and the owner
 * has given no name that it must have.
 */
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
	if (!dtls_state_wake(e))
		return -KDTLS_EMEMORY;
	e->m->now = now;
	e->state = KDTLS_HANDSHAKE;
	ERR_set_mark();
	err = dtls_client_start(e);
	ERR_pop_to_mark();
	dtls_state_rest(e);
	return err;
}

void kdtls_engine_confirm(struct kdtls_engine *engine)
{
	if (engine->state != KDTLS_ESTABLISHED || !engine->m ||
	    !dtls_state_wake(engine))
		return;
	/*
	 * In DTLS 1.2 data from the peer shows that it has this end's last
	 * flight. In DTLS 1.3 an ACK tells that (RFC 9147 7), and data only
	 * shows that the peer is alive.
	 */
	if (engine->d13) {
		dtls_retransmit_alive(engine);
	} else {
		dtls_flight_clear(&engine->m->flight);
		dtls_timer_stop(&engine->m->timer);
	}
	dtls_state_rest(engine);
}

static u64 earlier(u64 a, u64 b)
{
	return a < b ? a : b;
}

uint64_t kdtls_engine_expiry(const struct kdtls_engine *engine)
{
	const struct dtls_motion *m = engine->m;
	u64 other;

	if (!m)
		return KDTLS_NEVER;
	other = earlier(dtls_heartbeat_expiry(engine), dtls_ack_expiry(engine));
	other = earlier(other, m->linger);
	other = earlier(other, m->timer.again);
	return earlier(m->timer.expiry, other);
}

/* Do what is due. Return 0 or an error. */
static int expire(struct kdtls_engine *e)
{
	dtls_heartbeat_expire(e);
	dtls_ack_expire(e);
	if (e->d13)
		dtls_post13_expire(e);
	if (e->m->timer.expiry > e->m->now) {
		if (e->m->timer.again <= e->m->now)
			dtls_retransmit_rest(e);
		return 0;
	}
	if (e->state == KDTLS_HANDSHAKE || (e->d13 && !e->d13->arrived))
		return dtls_retransmit_expired(e);
	if (e->d13)
		dtls_retransmit_expired13(e);
	else
		kdtls_engine_confirm(e);
	return 0;
}

int kdtls_engine_expire(struct kdtls_engine *engine, uint64_t now)
{
	struct kdtls_engine *e = engine;
	int err;

	if (e->state == KDTLS_FAILED)
		return -e->error;
	if (!e->m || !dtls_state_wake(e))
		return 0;
	e->m->now = now;
	err = expire(e);
	dtls_state_rest(e);
	return err;
}

void kdtls_engine_close(struct kdtls_engine *engine)
{
	struct kdtls_engine *e = engine;

	if (e->state == KDTLS_FAILED || e->state == KDTLS_CLOSED)
		return;
	if (e->state != KDTLS_IDLE)
		dtls_state_alert(e, DTLS_ALERT_WARNING,
				 KDTLS_ALERT_CLOSE_NOTIFY);
	e->state = KDTLS_CLOSED;
	if (!e->m || !dtls_state_wake(e))
		return;
	dtls_state_stop(e);
	dtls_state_rest(e);
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

const struct dtls_cids *dtls_engine_cids(const struct kdtls_engine *engine)
{
	return &engine->cids;
}

void kdtls_engine_info(const struct kdtls_engine *engine,
		       struct kdtls_info *info)
{
	const struct kdtls_engine *e = engine;
	const struct dtls_peer peer = dtls_auth_peer(e);

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
		.peer_verified = peer.verified & (KDTLS_VERIFIED_CHAIN |
						  KDTLS_VERIFIED_OWNER) ? 1 : 0,
		.auth = peer.auth,
		.verified = peer.verified,
		.psk_identity = peer.identity.p,
		.psk_identity_len = peer.identity.len,
		.authenticated = peer.since,
		.chain_end = peer.until == DTLS_NO_END ? 0 : peer.until,
		.early = e->early_state,
		.alpn = e->alpn,
		.name = e->name,
		.cid_rx = dtls_cids_all(&e->cids),
		.cid_rx_len = e->cids.len,
		.cid_tx = e->cid_tx,
		.cid_tx_len = e->cid_tx_len,
		.cid_spares = e->d13 ? e->d13->spare_count : 0,
		.rtt = e->m ? e->m->timer.srtt : e->srtt,
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
	struct dtls_label to = { label, { context, context_len } };
	bool ok;

	if (e->state != KDTLS_ESTABLISHED || !e->ems ||
	    strlen(label) > KDTLS_EXPORT_CONTEXT_MAX / 4 ||
	    context_len > KDTLS_EXPORT_CONTEXT_MAX || !len)
		return -KDTLS_EUSAGE;
	ERR_set_mark();
	if (e->d13)
		ok = dtls_keys13_export(c, dtls_suite_md(c, e->suite),
					dtls13_secret(e->d13,
						      DTLS_SECRET_EXPORTER),
					&to, out, len);
	else
		ok = dtls_keys12_export(c, dtls_suite_md(c, e->suite),
					&e->d12->secrets, &to, out, len);
	dtls_crypto_forget_keys(c);
	ERR_pop_to_mark();
	return ok ? 0 : -KDTLS_ECRYPTO;
}
