// SPDX-License-Identifier: BSD-3-Clause
/* This file recognises datagrams that begin with a piece of a ClientHello. */
#include "hello_piece.h"
#include "driver.h"

/* These bytes of a record with the first piece of a ClientHello are looked at. */
#define VERSION_OFFSET	(DTLS12_HEADER_SIZE + 12)
#define FRAGMENT_OFFSET	(DTLS12_HEADER_SIZE + 6)
#define CLIENT_HELLO	1

bool hello_piece_is(const uint8_t *data, size_t len)
{
	return len >= VERSION_OFFSET && data[0] == DTLS_CT_HANDSHAKE &&
	       !dtls_get_be(data + 3, 2) &&
	       data[DTLS12_HEADER_SIZE] == CLIENT_HELLO;
}

const uint8_t *hello_piece_random(const uint8_t *data, size_t len)
{
	const uint8_t *random = data + VERSION_OFFSET + 2;

	return len >= VERSION_OFFSET + 2 + DTLS_RANDOM_SIZE &&
	       !dtls_get_be(data + FRAGMENT_OFFSET, 3) ? random : NULL;
}
