// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file makes, stops and frees the state of one association. See state.h.
 */
#include "state.h"

bool dtls_state_random(struct kdtls_engine *e, u8 *buf, size_t len)
{
	if (e->ep->config.ops.random)
		e->ep->config.ops.random(e->ctx, buf, len);
	else if (!dtls_pool_take(e->ep->crypto.pool, buf, len))
		return !dtls_fail_internal(e);
	return true;
}

int64_t dtls_state_time(const struct kdtls_engine *e)
{
	return dtls_endpoint_time(e->ep, e->ctx);
}

void dtls_state_timer_limits(const struct kdtls_engine *e,
			     struct dtls_timer_limits *l)
{
	l->initial = 1000ULL * e->ep->config.timeout_initial;
	l->min = 1000ULL * e->ep->config.timeout_min;
	l->max = 1000ULL * e->ep->config.timeout_max;
}

void dtls_state_set_ctx(struct kdtls_engine *e, void *ctx)
{
	e->ctx = ctx;
}

void dtls_state_set_kept(struct kdtls_engine *e)
{
	e->kept = true;
}

bool dtls_state_wake(struct kdtls_engine *e)
{
	struct dtls_motion *m = e->m;

	if (!m) {
		m = OPENSSL_zalloc(sizeof(*m));
		if (!m)
			return false;
		dtls_timer_stop(&m->timer);
		m->timer.srtt = e->srtt;
		m->timer.rttvar = e->rttvar;
		m->linger = KDTLS_NEVER;
		e->m = m;
	}
	m->calls++;
	return true;
}

/* Return true if no call goes on and nothing is under way. */
static bool is_idle(const struct kdtls_engine *e)
{
	const struct dtls_motion *m = e->m;

	return !m->calls && e->state != KDTLS_IDLE && !e->hs && !m->tx &&
	       !m->rx && !m->flight.first &&
	       m->timer.expiry == KDTLS_NEVER && m->timer.again == KDTLS_NEVER &&
	       !m->reply && !m->heartbeat && !m->early && !m->in &&
	       !(e->acks && (e->acks->due || e->acks->expiry != KDTLS_NEVER));
}

void dtls_state_rest(struct kdtls_engine *e)
{
	struct dtls_motion *m = e->m;

	m->calls--;
	if (!is_idle(e))
		return;
	e->srtt = m->timer.srtt < UINT32_MAX ? (u32)m->timer.srtt : UINT32_MAX;
	e->rttvar = m->timer.rttvar < UINT32_MAX ? (u32)m->timer.rttvar :
						   UINT32_MAX;
	dtls_state_drop_motion(e);
}

void dtls_state_drop_motion(struct kdtls_engine *e)
{
	struct dtls_motion *m = e->m;

	if (!m)
		return;
	dtls_state_drop_keys(e);
	dtls_state_drop_heartbeat(e);
	dtls_flight_clear(&m->flight);
	OPENSSL_free(m->reply);
	OPENSSL_free(m->address);
	if (m->in)
		dtls_reassembly_clear(m->in);
	OPENSSL_free(m->in);
	OPENSSL_free(m);
	e->m = NULL;
}

struct dtls_handshake *dtls_state_handshake_new(struct kdtls_engine *e)
{
	struct dtls_handshake *hs;

	if (e->ep->handshakes >= e->ep->config.max_handshakes)
		return NULL;
	hs = OPENSSL_zalloc(sizeof(*hs));
	if (hs)
		e->ep->handshakes++;
	return hs;
}

void dtls_state_handshake_drop(struct kdtls_engine *e)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_held *h;

	if (!hs)
		return;
	e->hs = NULL;
	e->ep->handshakes--;
	dtls_crypto_forget_keys(&e->ep->crypto);
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
	dtls_cids_free(&hs->unused);
	OPENSSL_clear_free(hs, sizeof(*hs));
}

void dtls_state_drop_keys(struct kdtls_engine *e)
{
	dtls_protection_free(e->m->tx);
	dtls_protection_free(e->m->rx);
	e->m->tx = NULL;
	e->m->rx = NULL;
	e->m->linger = KDTLS_NEVER;
}

/* Drop the flight, acknowledgements and heartbeats that are to be sent. */
static void stop_sending(struct kdtls_engine *e)
{
	dtls_state_drop_acks(e);
	if (!e->m)
		return;
	dtls_flight_clear(&e->m->flight);
	dtls_timer_stop(&e->m->timer);
	dtls_state_drop_heartbeat(e);
}

int dtls_fail(struct kdtls_engine *e, int error, u8 alert, const char *reason)
{
	if (e->state == KDTLS_FAILED)
		return -e->error;
	e->state = KDTLS_FAILED;
	e->error = error;
	e->reason = reason;
	if (alert != KDTLS_ALERT_NONE)
		dtls_state_alert(e, DTLS_ALERT_FATAL, alert);
	/*
	 * A session that a fatal alert ended must not be resumed (RFC 5246
	 * 7.2.2). Before the keys are proven, anybody who saw its id could
	 * cause such an alert.
	 */
	if (e->keys_out && e->d12)
		dtls_cache_remove(&e->ep->cache, (struct dtls_bytes){
			e->d12->session_id, e->d12->session_id_len });
	stop_sending(e);
	return -error;
}

void dtls_state_stop(struct kdtls_engine *e)
{
	stop_sending(e);
	/* During a handshake an alert still has to go out under these keys. */
	if (e->keys_out && e->m)
		dtls_state_drop_keys(e);
}

void dtls_state_alert(struct kdtls_engine *e, u8 level, u8 alert)
{
	e->alert_level = level;
	e->alert = alert;
	e->alert_due = true;
}

void dtls_state_drop_acks(struct kdtls_engine *e)
{
	OPENSSL_free(e->acks);
	e->acks = NULL;
}

void dtls_state_drop_heartbeat(struct kdtls_engine *e)
{
	if (e->m->heartbeat)
		OPENSSL_free(e->m->heartbeat->response);
	OPENSSL_free(e->m->heartbeat);
	e->m->heartbeat = NULL;
}

/*
 * dtls_state_credit() bounds what goes to an unproven address: three times the
 * bytes that came from it, however often a flight is sent again (RFC 9147 5.1).
 * Each retransmission of the client raises the limit.
 */
void dtls_state_credit(struct kdtls_engine *e, size_t len)
{
	size_t more = 3 * len;

	e->credit += more < UINT32_MAX - e->credit ? (u32)more :
						     UINT32_MAX - e->credit;
}

bool dtls_state_can_tell13(const struct kdtls_engine *e)
{
	return e->d13 && e->state == KDTLS_ESTABLISHED &&
	       e->d13->send_seq <= DTLS_MESSAGE_SEQ_MAX;
}

bool dtls_state_can_update13(const struct kdtls_engine *e)
{
	return dtls_state_can_tell13(e) && e->d13->tx_epoch < DTLS_EPOCH_MAX;
}

void dtls_state_free12(struct kdtls_engine *e)
{
	OPENSSL_clear_free(e->d12, sizeof(*e->d12));
	e->d12 = NULL;
}

size_t dtls_state_held(const struct kdtls_engine *e)
{
	const struct dtls_handshake *hs = e->hs;

	if (!hs)
		return 0;
	return hs->transcript.all.size + hs->in.held + hs->held_len +
	       dtls_flight_size(&e->m->flight);
}

bool dtls_state_peer_has_keys(const struct kdtls_engine *e)
{
	return e->m->rx && dtls_protection_reading(e->m->rx)->seen.next;
}

void dtls_state_drop_resumption(struct kdtls_engine *e)
{
	OPENSSL_clear_free(e->d13->resumption, e->d13->hash_len);
	e->d13->resumption = NULL;
}

void dtls_state_free13(struct kdtls_engine *e)
{
	struct dtls13 *d = e->d13;

	if (!d)
		return;
	if (d->cids) {
		wr_free(&d->cids->fresh);
		wr_free(&d->cids->spare);
	}
	OPENSSL_free(d->cids);
	dtls_state_drop_resumption(e);
	OPENSSL_clear_free(d, sizeof(*d) + DTLS_SECRETS * d->hash_len);
	e->d13 = NULL;
}
