/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the first piece of a ClientHello tells of a datagram, before anything of it
 * is verified: whether a client begins a handshake, and which one.
 */
#ifndef _KDTLS_HELLO_PIECE_H
#define _KDTLS_HELLO_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Return true if the datagram begins with a piece of a ClientHello. */
bool hello_piece_is(const uint8_t *data, size_t len);

/*
 * Return the random of the hello whose first piece begins the datagram, which has
 * a piece of one; NULL if the piece is another one, or too short.
 */
const uint8_t *hello_piece_random(const uint8_t *data, size_t len);

#endif /* _KDTLS_HELLO_PIECE_H */
