/* SPDX-License-Identifier: BSD-3-Clause */
/* The retransmission timer of a flight or of a heartbeat. */
#ifndef _DTLS_TIMER_H
#define _DTLS_TIMER_H

#include <stdint.h>

#include "record.h"

/*
 * The retransmission timer (RFC 6347 4.2.4.1); the estimate of the round trip
 * is RFC 6298's. All in µs.
 */
struct dtls_timer {
	u64 expiry;		/* KDTLS_NEVER: off */
	u64 again;		/* see dtls_timer_soon(); the same */
	u64 timeout;		/* now in force */
	u64 sent;		/* when the flight first went out */
	u64 srtt;		/* 0: not measured */
	u64 rttvar;
	u32 tries;		/* retransmissions of this flight */
};

struct dtls_timer_limits {
	u64 initial, min, max;
};

/* A new flight goes out. */
void dtls_timer_start(struct dtls_timer *t, const struct dtls_timer_limits *l,
		      u64 now);

/* It goes out again: twice the time. */
void dtls_timer_back_off(struct dtls_timer *t,
			 const struct dtls_timer_limits *l, u64 now);

/*
 * Part of the flight has arrived: the rest goes out in a while, unless it is
 * acknowledged by then.
 */
void dtls_timer_soon(struct dtls_timer *t, u64 now);

/* It goes out again because the peer asked for it, which uses up no try. */
void dtls_timer_asked(struct dtls_timer *t, const struct dtls_timer_limits *l,
		      u64 now);

/* The answer came: a round trip, if nothing was sent twice (Karn). */
void dtls_timer_answered(struct dtls_timer *t, u64 now);

void dtls_timer_stop(struct dtls_timer *t);

#endif /* _DTLS_TIMER_H */
