/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A flight goes out again when its timer expires, or when the peer shows that
 * it has not received the flight (RFC 6347 4.2.4, RFC 9147 5.8).
 */
#ifndef _DTLS_RETRANSMIT_H
#define _DTLS_RETRANSMIT_H

#include "state.h"

/* Make all of the flight that the peer has not acknowledged go out again. */
void dtls_retransmit_flight(struct kdtls_engine *e);

/*
 * Call dtls_retransmit_flight(), unless the flight went out less than half of
 * the initial timeout ago. The record that causes the call may be a replay, or
 * a forgery of epoch 0, and must not cause more datagrams than a timer would.
 */
void dtls_retransmit_paced(struct kdtls_engine *e);

/*
 * Send the last flight of DTLS 1.2 again, if it is still kept and is not going out
 * already. The peer has repeated its own flight, in a record that was verified, so the
 * last flight got lost. No timer tells of that, as nothing answers the last flight.
 */
void dtls_retransmit_last(struct kdtls_engine *e);

/*
 * Send the flight of a handshake again, as its timer has expired; after the
 * last try the handshake fails. Return 0 or an error.
 */
int dtls_retransmit_expired(struct kdtls_engine *e);

/*
 * Send the rest of a flight, as the pause after an ACK that named a part of it
 * is over (RFC 9147 5.8.1).
 */
void dtls_retransmit_rest(struct kdtls_engine *e);

/*
 * Send a flight after the handshake of DTLS 1.3 again, as its timer has
 * expired. After the last try the flight waits for dtls_retransmit_alive(): the
 * peer may be asleep, which is no reason to end the association.
 */
void dtls_retransmit_expired13(struct kdtls_engine *e);

/*
 * Return the bytes of the largest datagram for the present flight. That is @e->mtu in a
 * handshake, whose losses make @e->mtu itself smaller. After the handshake of DTLS 1.3
 * only this flight gets smaller datagrams: that the peer does not answer may mean that
 * it is asleep, and says too little of the path to make all later records smaller.
 */
u32 dtls_retransmit_mtu(const struct kdtls_engine *e);

/*
 * Send a flight again that waits for a sign of life of the peer, because a
 * record has come from the peer.
 */
void dtls_retransmit_alive(struct kdtls_engine *e);

#endif /* _DTLS_RETRANSMIT_H */
