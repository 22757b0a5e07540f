/* SPDX-License-Identifier: BSD-3-Clause */
/* These functions make an endpoint from the options, and report its handshakes. */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include "options.h"
#include <kdtls/socket.h>

/*
 * Make an endpoint. The program exits with a message if a file or an option is not
 * usable.
 */
struct kdtls_endpoint *endpoint_open(const struct options *o);

/*
 * Wipe the pre-shared key and the passphrases, those that were asked for too, and the PINs
 * in URIs of the command line. No endpoint can be opened any more.
 */
void endpoint_forget(struct options *o);

/* Fill @cid with random bytes for --cid. Return @cid, or NULL without --cid. */
const uint8_t *endpoint_cid(const struct options *o, uint8_t *cid);

/*
 * Read the file of --session. Return the session's bytes, or 0 if there is
 * none.
 */
size_t endpoint_session(const struct options *o, uint8_t *session, size_t size);

/*
 * Call kdtls_recv(), and print a message if the data is early data, which an
 * attacker can replay (RFC 8446 8).
 */
ssize_t endpoint_recv(struct kdtls_socket *s, void *buf, size_t len);

/* Say that @peer is connected, how, and who makes the records, and why. */
void endpoint_describe(const struct kdtls_engine *engine, const char *peer,
		       enum kdtls_path path, const char *why);

/*
 * Return why a call on an association failed with @error: what the engine says where the
 * engine failed, such as which alert came, else the words of the error. The text lives as
 * long as the engine.
 */
const char *endpoint_reason(const struct kdtls_engine *engine, int error);

/* Say why the handshake with @peer failed. */
void endpoint_complain(const struct kdtls_engine *engine, const char *peer,
		       int error);

/* Say why the handshake of a socket failed. */
void endpoint_refused(struct kdtls_socket *s, int error);

#endif
