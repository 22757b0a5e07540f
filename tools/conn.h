/* SPDX-License-Identifier: BSD-3-Clause */
/* struct conn is an established association, as the code that moves data needs it. */
#ifndef CONN_H
#define CONN_H

#include "options.h"
#include <kdtls/socket.h>

#define CONN_OVERHEAD	80	/* most bytes of header, connection ID, nonce and tag */

/**
 * struct conn - an association
 * @s:		the association's socket
 * @fd:		file descriptor of @s, non-blocking
 * @kernel:	the kernel makes the records
 * @cuts:	the kernel cuts data into records of @mtu bytes (UDP_SEGMENT)
 * @mtu:	bytes of content of the largest record to send
 */
struct conn {
	struct kdtls_socket *s;
	int fd;
	bool kernel;
	bool cuts;
	size_t mtu;
};

/*
 * Return the bytes of content of the largest record to send to the peer of @engine.
 * @payload is what kdtls_payload() or kdtls_client_payload() returned for the peer.
 */
size_t conn_record(const struct options *o, int payload,
		   const struct kdtls_engine *engine);

/* Fill in @c for a socket whose handshake is done. */
void conn_init(struct conn *c, struct kdtls_socket *s, const struct options *o);

/*
 * Send up to @len bytes of a file as records. Return the bytes that were sent, 0 at the
 * end of the file, or a negative error.
 */
ssize_t conn_send_file(struct conn *c, int file, size_t len);

#endif
