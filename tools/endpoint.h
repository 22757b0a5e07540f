/* SPDX-License-Identifier: BSD-3-Clause */
/* Options into a libkdtls endpoint, and words about what came of it. */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include "options.h"
#include <kdtls/socket.h>

/* Exits with a message if a file or an option is no good. */
struct kdtls_endpoint *endpoint_open(const struct options *o);

/* Random bytes for --cid. Return: @cid, or NULL if there is no such option. */
const uint8_t *endpoint_cid(const struct options *o, uint8_t *cid);

/* The session of --session. Return: bytes at @session, 0: none. */
size_t endpoint_session(const struct options *o, uint8_t *session, size_t size);

/*
 * kdtls_recv(), and a word if it was early data, which anybody may have sent
 * again.
 */
ssize_t endpoint_recv(struct kdtls_socket *s, void *buf, size_t len);

/* Say who is connected, how, and who makes the records. */
void endpoint_describe(struct kdtls_socket *s);

/* Say why a handshake failed. */
void endpoint_complain(struct kdtls_socket *s, int error);

#endif
