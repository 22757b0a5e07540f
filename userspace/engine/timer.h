/* SPDX-License-Identifier: BSD-3-Clause */
/* A timer tells when a flight or a heartbeat request is sent again. */
#ifndef _DTLS_TIMER_H
#define _DTLS_TIMER_H

#include <stdint.h>

#include "record.h"

/**
 * struct dtls_timer - a retransmission timer (RFC 6347 4.2.4.1), in microseconds
 * @expiry:	when the timer expires; KDTLS_NEVER: the timer is off
 * @again:	when the rest of the flight goes out, which dtls_timer_soon()
 *		sets; KDTLS_NEVER: no such time is set
 * @timeout:	the present timeout
 * @sent:	when the flight first went out
 * @srtt:	the smoothed round trip; 0: no round trip was measured yet
 * @rttvar:	the variation of the round trip
 * @tries:	retransmissions of this flight
 *
 * The estimate of the round trip is that of RFC 6298.
 */
struct dtls_timer {
	u64 expiry;
	u64 again;
	u64 timeout;
	u64 sent;
	u64 srtt;
	u64 rttvar;
	u32 tries;
};

/**
 * struct dtls_timer_limits - bounds of the timeout, in microseconds
 * @initial:	timeout of a first flight, before a round trip is measured
 * @min:	the shortest timeout
 * @max:	the longest timeout
 */
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
 * Set @again because the peer has acknowledged a part of the flight. The rest
 * goes out after a pause, unless it is acknowledged by then.
 */
void dtls_timer_soon(struct dtls_timer *t, u64 now);

/*
 * Double the timeout because the peer asked for the flight, which uses up no
 * retransmission.
 */
void dtls_timer_asked(struct dtls_timer *t, const struct dtls_timer_limits *l,
		      u64 now);

/*
 * Measure the round trip when the answer to a flight comes. A flight that was
 * sent twice is not measured, as the answer may be to either copy (Karn's
 * algorithm, RFC 6298 3).
 */
void dtls_timer_answered(struct dtls_timer *t, u64 now);

/* Turn the timer off. */
void dtls_timer_stop(struct dtls_timer *t);

#endif /* _DTLS_TIMER_H */
