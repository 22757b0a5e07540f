/* SPDX-License-Identifier: BSD-3-Clause */
/* An established association, as the code sees it that moves its data. */
#ifndef CONN_H
#define CONN_H

#include "options.h"
#include <kdtls/socket.h>

#define CONN_OVERHEAD	80	/* most bytes of header, connection ID, nonce and tag */

/**
 * struct conn - an association
 * @s:		its socket
 * @fd:		of @s, non-blocking
 * @kernel:	the kernel makes the records
 * @cuts:	what is sent goes out in records of @mtu bytes
 * @mtu:	content bytes of the largest record to send
 */
struct conn {
	struct kdtls_socket *s;
	int fd;
	bool kernel;
	bool cuts;
	size_t mtu;
};

/*
 * Return the bytes of content of the largest record to send to a peer, whose @payload
 * the library tells.
 */
size_t conn_record(const struct options *o, int payload,
		   const struct kdtls_engine *engine);

/* Fill in @c for a socket whose handshake is done. */
void conn_init(struct conn *c, struct kdtls_socket *s, const struct options *o);

/*
 * Send up to @len bytes of a file as records. Return the bytes, or 0 at its
 * end.
 */
ssize_t conn_send_file(struct conn *c, int file, size_t len);

#endif
