/* SPDX-License-Identifier: BSD-3-Clause */
/* The handshake, by OpenSSL. */
#ifndef TLS_H
#define TLS_H

#include "options.h"
#include <openssl/ssl.h>

/* Exits with a message if a file or an option is no good. */
SSL_CTX *tls_context(const struct options *o);

/**
 * tls_connect() - handshake of a client
 * @fd:		connected
 *
 * Return: the session, watched for the take-over, or NULL after a message.
 */
SSL *tls_connect(SSL_CTX *ctx, const struct options *o, int fd);

/**
 * tls_accept() - wait for a client and shake hands with it
 * @fd:		bound; connected to the client on return
 * @claimed:	called with @arg as soon as @fd is connected to a client
 *
 * Return: as tls_connect().
 */
SSL *tls_accept(SSL_CTX *ctx, const struct options *o, int fd,
		void (*claimed)(void *arg), void *arg);

#endif
