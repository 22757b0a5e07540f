// SPDX-License-Identifier: BSD-3-Clause
/* This file runs the retransmission timer of a flight. See timer.h. */
#include "timer.h"

static u64 clamp(u64 v, u64 min, u64 max)
{
	return v < min ? min : v > max ? max : v;
}

static void arm(struct dtls_timer *t, const struct dtls_timer_limits *l,
		u64 now)
{
	t->timeout = clamp(t->timeout, l->min, l->max);
	t->expiry = now + t->timeout;
	t->again = UINT64_MAX;
}

void dtls_timer_start(struct dtls_timer *t, const struct dtls_timer_limits *l,
		      u64 now)
{
	t->timeout = t->srtt ? t->srtt + 4 * t->rttvar : l->initial;
	t->sent = now;
	t->tries = 0;
	arm(t, l, now);
}

void dtls_timer_back_off(struct dtls_timer *t,
			 const struct dtls_timer_limits *l, u64 now)
{
	t->timeout *= 2;
	t->tries++;
	arm(t, l, now);
}

/*
 * The pause lets an acknowledgement arrive that another datagram has overtaken,
 * as the reordering window of RACK does (RFC 8985 6.2).
 */
void dtls_timer_soon(struct dtls_timer *t, u64 now)
{
	u64 at = now + t->timeout / 16;

	if (at < t->again)
		t->again = at;
}

void dtls_timer_asked(struct dtls_timer *t, const struct dtls_timer_limits *l,
		      u64 now)
{
	u32 tries = t->tries;

	dtls_timer_back_off(t, l, now);
	if (tries)
		t->tries = tries;
}

void dtls_timer_answered(struct dtls_timer *t, u64 now)
{
	u64 rtt = now > t->sent ? now - t->sent : 1;
	u64 delta;

	if (t->tries || t->expiry == UINT64_MAX)
		return;
	if (!t->srtt) {
		t->srtt = rtt;
		t->rttvar = rtt / 2;
		return;
	}
	delta = rtt > t->srtt ? rtt - t->srtt : t->srtt - rtt;
	t->rttvar = (3 * t->rttvar + delta) / 4;
	t->srtt = (7 * t->srtt + rtt) / 8;
}

void dtls_timer_stop(struct dtls_timer *t)
{
	t->expiry = UINT64_MAX;
	t->again = UINT64_MAX;
}
