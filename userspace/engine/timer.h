/* SPDX-License-Identifier: BSD-3-Clause */
/* The retransmission timer of a flight or of a heartbeat. */
#ifndef _DTLS_TIMER_H
#define _DTLS_TIMER_H

#include <stdint.h>

#include "record.h"

/*
 * The retransmission timer (RFC 6347 4.2.4.1), in microseconds. The estimate of
 * the round trip is that of RFC 6298.
 */
struct dtls_timer {
	u64 expiry;		/* when it expires; KDTLS_NEVER: off */
	u64 again;		/* see dtls_timer_soon(); KDTLS_NEVER: off */
	u64 timeout;		/* the present timeout */
	u64 sent;		/* when the flight first went out */
	u64 srtt;		/* 0 if not measured yet */
	u64 rttvar;
	u32 tries;		/* retransmissions of this flight */
};

/* struct dtls_timer_limits is the first, least and longest timeout, in µs. */
struct dtls_timer_limits {
	u64 initial, min, max;
};

/* Start the timer for a new flight that goes out. */
void dtls_timer_start(struct dtls_timer *t, const struct dtls_timer_limits *l,
		      u64 now);

/* Double the timeout for a flight that goes out again. */
void dtls_timer_back_off(struct dtls_timer *t,
			 const struct dtls_timer_limits *l, u64 now);

/*
 * Set @again, as part of the flight has arrived: the rest goes out in a while
 * unless it is acknowledged by then.
 */
void dtls_timer_soon(struct dtls_timer *t, u64 now);

/*
 * Double the timeout because the peer asked for the flight, which uses up no
 * retransmission.
 */
void dtls_timer_asked(struct dtls_timer *t, const struct dtls_timer_limits *l,
		      u64 now);

/*
 * Measure the round trip when the answer comes. A flight that was sent twice
 * gives no measure (Karn's algorithm, RFC 6298 3).
 */
void dtls_timer_answered(struct dtls_timer *t, u64 now);

/* Turn the timer off. */
void dtls_timer_stop(struct dtls_timer *t);

#endif /* _DTLS_TIMER_H */
