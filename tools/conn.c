// SPDX-License-Identifier: BSD-3-Clause
/* This file says how data goes out on an association; see conn.h. */
#include "conn.h"
#include <errno.h>
#include <netinet/udp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * DEFAULT_RECORD is the bytes of content of a record without --mtu. A loopback takes
 * records of 16 KiB, but charges the receiver twice as much for each, so that a few of
 * them fill its buffer.
 */
#define DEFAULT_RECORD	1400

size_t conn_record(const struct options *o, int payload,
		   const struct kdtls_engine *engine)
{
	size_t max = o->mtu ? DTLS_RECORD_SIZE_MAX : DEFAULT_RECORD;
	struct kdtls_info info;

	if (payload > 0 && (size_t)payload < max)
		max = payload;
	/* --mtu counts the record's header, nonce and tag, too. */
	if (o->mtu && max > o->mtu - CONN_OVERHEAD)
		max = o->mtu - CONN_OVERHEAD;
	/* After large datagrams were lost the handshake has tried smaller ones. */
	kdtls_engine_info(engine, &info);
	if (info.flights_resent && max > info.mtu - CONN_OVERHEAD)
		max = info.mtu - CONN_OVERHEAD;
	return max;
}

void conn_init(struct conn *c, struct kdtls_socket *s, const struct options *o)
{
	*c = (struct conn){
		.s = s,
		.fd = kdtls_fd(s),
		.kernel = kdtls_path(s, NULL) == KDTLS_PATH_KERNEL,
		.mtu = conn_record(o, kdtls_payload(s), kdtls_engine(s)),
	};
}

/* Let the kernel cut what is sent into records of @c->mtu bytes (UDP_SEGMENT). */
static void cut_sends(struct conn *c)
{
	int n = (int)c->mtu;

	if (!c->cuts)
		setsockopt(c->fd, SOL_UDP, UDP_SEGMENT, &n, sizeof(n));
	c->cuts = true;
}

ssize_t conn_send_file(struct conn *c, int file, size_t len)
{
	char buf[DTLS_RECORD_SIZE_MAX];
	ssize_t n, sent;

	if (c->kernel) {
		cut_sends(c);
		n = sendfile(c->fd, file, NULL, len);
		return n < 0 ? -errno : n;
	}
	n = read(file, buf, len < c->mtu ? len : c->mtu);
	if (n <= 0)
		return n < 0 ? -errno : 0;
	sent = kdtls_send(c->s, buf, n);
	if (sent < 0)
		lseek(file, -n, SEEK_CUR);
	return sent;
}
