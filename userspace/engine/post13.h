/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions exchange messages after a handshake of DTLS 1.3: tickets and
 * key updates (RFC 8446 4.6, RFC 9147 5.8.4, 8), and the order of all messages
 * that are sent or received then.
 */
#ifndef _DTLS_POST13_H
#define _DTLS_POST13_H

#include "state.h"

/**
 * dtls_post13_receive() - read handshake content when the keys are out
 * @e:		the engine that the record is for
 * @record:	header of the record, with its epoch and number
 * @content:	verified content of the record: fragments of handshake messages
 *
 * Return: 0 or an error.
 */
int dtls_post13_receive(struct kdtls_engine *e,
			const struct dtls_record *record,
			struct dtls_bytes content);

/*
 * Go on when the peer has acknowledged the whole flight. Return 0 or an error.
 */
int dtls_post13_acknowledged(struct kdtls_engine *e);

/*
 * Begin the flight that is to be sent next, if nothing is on its way. Return 0
 * or an error.
 */
int dtls_post13_next_flight(struct kdtls_engine *e);

/*
 * Take an event of the owner of the keys about a limit of a key: DTLS_EVENT_*
 * (linux/dtls.h).
 */
void dtls_post13_event(struct kdtls_engine *e, u16 event);

/* Drop the handshake's keys when nobody can need them any more. */
void dtls_post13_expire(struct kdtls_engine *e);

#endif /* _DTLS_POST13_H */
