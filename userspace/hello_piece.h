/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The first piece of a ClientHello tells, before anything is verified, that a
 * client begins a handshake; and by its random, which handshake that is.
 */
#ifndef _KDTLS_HELLO_PIECE_H
#define _KDTLS_HELLO_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Return true if the datagram begins with a piece of a ClientHello. */
bool hello_piece_is(const uint8_t *data, size_t len);

/*
 * Return the random in a datagram that begins with a piece of a ClientHello; or
 * NULL if that is not the first piece, or is too short.
 */
const uint8_t *hello_piece_random(const uint8_t *data, size_t len);

#endif /* _KDTLS_HELLO_PIECE_H */
