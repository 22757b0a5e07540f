// SPDX-License-Identifier: BSD-3-Clause
/* This file decides which flights go out again. See retransmit.h. */
#include "retransmit.h"

/*
 * When flights get lost, datagrams are made smaller in these steps: the size
 * that IPv6 guarantees, the size that every IPv4 host accepts, and the smallest
 * that is allowed, each without the headers of IP and UDP.
 */
static const u32 mtu_steps[] = { 1232, 548, KDTLS_MTU_MIN };

void dtls_retransmit_flight(struct kdtls_engine *e)
{
	dtls_flight_rewind(&e->m->flight);
	e->m->timer.again = KDTLS_NEVER;
	e->resent++;
}

void dtls_retransmit_paced(struct kdtls_engine *e)
{
	u64 pause = 1000ULL * e->ep->config.timeout_initial / 2;

	if (!dtls_flight_pending(&e->m->flight) && e->m->now - e->m->last_out >= pause)
		dtls_retransmit_flight(e);
}

/*
 * Return the bytes of a datagram after @steps more of mtu_steps, none of which goes
 * below mtu_min of the configuration.
 */
static u32 shrink(const struct kdtls_engine *e, u32 steps)
{
	u32 mtu = e->mtu, min = e->ep->config.mtu_min;
	size_t i;

	for (i = 0; i < sizeof(mtu_steps) / sizeof(mtu_steps[0]); i++) {
		if (!steps || mtu <= min)
			break;
		if (mtu_steps[i] >= mtu)
			continue;
		mtu = mtu_steps[i] > min ? mtu_steps[i] : min;
		steps--;
	}
	return mtu;
}

/*
 * Try the next smaller size after every second loss of a flight, as its
 * datagrams may have been too large for the path.
 */
static void mtu_back_off(struct kdtls_engine *e)
{
	if (!(e->m->timer.tries % 2))
		e->mtu = shrink(e, 1);
}

u32 dtls_retransmit_mtu(const struct kdtls_engine *e)
{
	return e->d13 && e->d13->arrived ? shrink(e, e->m->timer.tries / 2) :
					   e->mtu;
}

/*
 * Return a text that tells why the peer may have stopped to answer. A peer
 * drops records that do not verify without an alert (RFC 6347 4.1.2.7). So if
 * the two ends of a DTLS 1.2 handshake have different pre-shared keys, no
 * answer comes after the key exchange.
 */
static const char *silence_reason(const struct kdtls_engine *e)
{
	if (e->m->rx && e->m->rx->failed)
		return "the peer's records do not verify: another pre-shared key?";
	if (e->suite && e->suite->kx & DTLS_KX_PSK && !(e->suite->kx & DTLS_KX_13))
		return "the peer does not answer: is the key the right one, and its name?";
	return "the peer does not answer";
}

void dtls_retransmit_last(struct kdtls_engine *e)
{
	if (!e->m->flight.first || dtls_flight_pending(&e->m->flight))
		return;
	e->m->timer.tries++;
	mtu_back_off(e);
	dtls_retransmit_flight(e);
}

int dtls_retransmit_expired(struct kdtls_engine *e)
{
	/*
	 * An end that has nothing to send waits for one retransmission of the
	 * peer more than it would make itself.
	 */
	bool waits = dtls_flight_done(&e->m->flight);
	u64 max = (u64)e->ep->config.retransmits + waits;
	struct dtls_timer_limits limits;

	if (e->m->timer.tries >= max)
		return dtls_fail(e, KDTLS_ETIMEOUT, KDTLS_ALERT_NONE,
				 silence_reason(e));
	dtls_state_timer_limits(e, &limits);
	dtls_timer_back_off(&e->m->timer, &limits, e->m->now);
	if (waits)
		return 0;
	mtu_back_off(e);
	dtls_retransmit_flight(e);
	return 0;
}

void dtls_retransmit_rest(struct kdtls_engine *e)
{
	struct dtls_timer_limits limits;

	if (dtls_flight_done(&e->m->flight) || dtls_flight_pending(&e->m->flight)) {
		e->m->timer.again = KDTLS_NEVER;
		return;
	}
	dtls_state_timer_limits(e, &limits);
	dtls_timer_asked(&e->m->timer, &limits, e->m->now);
	dtls_retransmit_flight(e);
}

void dtls_retransmit_expired13(struct kdtls_engine *e)
{
	struct dtls_timer_limits limits;

	if (e->m->timer.tries >= e->ep->config.retransmits) {
		dtls_timer_stop(&e->m->timer);
		return;
	}
	dtls_state_timer_limits(e, &limits);
	dtls_timer_back_off(&e->m->timer, &limits, e->m->now);
	dtls_retransmit_flight(e);
}

void dtls_retransmit_alive(struct kdtls_engine *e)
{
	struct dtls_timer_limits limits;

	if (!e->m->flight.first || e->m->timer.expiry != KDTLS_NEVER)
		return;
	dtls_state_timer_limits(e, &limits);
	dtls_timer_start(&e->m->timer, &limits, e->m->now);
	dtls_retransmit_flight(e);
}
