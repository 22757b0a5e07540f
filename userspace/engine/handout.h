/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine gives keys to its owner, which protects application data with
 * them.
 */
#ifndef _DTLS_HANDOUT_H
#define _DTLS_HANDOUT_H

#include "state.h"

/**
 * dtls_handout_keys() - give the owner keys
 * @e:		the engine whose owner gets them
 * @rx:		the protection with which the engine has opened records under
 *		@rx_key, whose replay window the owner takes over; NULL if it
 *		has opened none
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
