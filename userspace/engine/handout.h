/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys go to their owner, which protects data with them. */
#ifndef _DTLS_HANDOUT_H
#define _DTLS_HANDOUT_H

#include "state.h"

/**
 * dtls_handout_keys() - give the owner keys
 * @e:		the engine whose owner gets them
 * @rx:		what the engine has opened records with under @rx_key, so that
 *		the owner's replay window goes on from there; NULL if nothing
 * @rx_key:	read key, or NULL
 * @tx_key:	write key, or NULL
 *
 * The record size limits of both ends are filled in.
 *
 * Return: 0, or an error if the owner did not take a key.
 */
int dtls_handout_keys(struct kdtls_engine *e, struct dtls_protection *rx,
		      struct dtls_key_info *rx_key,
		      struct dtls_key_info *tx_key);

#endif /* _DTLS_HANDOUT_H */
