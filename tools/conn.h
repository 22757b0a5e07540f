/* SPDX-License-Identifier: BSD-3-Clause */
/* An established session, its records made in the kernel or in user space. */
#ifndef CONN_H
#define CONN_H

#include "options.h"
#include <openssl/ssl.h>
#include <sys/types.h>

#define RECORD_MAX	16384	/* RFC 6347 4.1 */

/**
 * struct conn - a session
 * @fd:		its socket, connected and non-blocking
 * @ssl:	for the names, and for records in user space
 * @kernel:	the kernel makes the records
 * @mtu:	content bytes of the largest record to send
 */
struct conn {
	int fd;
	SSL *ssl;
	bool kernel;
	size_t mtu;
};

void conn_init(struct conn *c, SSL *ssl, const struct options *o);

/**
 * conn_offload() - move to the kernel if that is wanted and possible
 *
 * Return: 0, -EAGAIN if conn_recv() has to be emptied first, or another
 * negative error, after a message, if the session cannot go on.
 */
int conn_offload(struct conn *c, const struct options *o);

/* Send one record. Return: @len or -errno. */
ssize_t conn_send(struct conn *c, const void *buf, size_t len);

/* Send up to @len bytes of a file as records. Return: bytes, 0 at its end. */
ssize_t conn_send_file(struct conn *c, int file, size_t len);

/*
 * Receive the content of one record. Return: bytes, 0 if the peer sent
 * close_notify, or -errno.
 */
ssize_t conn_recv(struct conn *c, void *buf, size_t len);

/* Deal with what is no application data: see struct pollfd, POLLPRI. */
void conn_control(struct conn *c);

/* Return: 0 or -errno. */
int conn_close_notify(struct conn *c);

#endif
