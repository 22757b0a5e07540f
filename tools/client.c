// SPDX-License-Identifier: BSD-3-Clause
/* kdtls client */
#include "commands.h"
#include "endpoint.h"
#include "net.h"
#include "transfer.h"
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define SESSION_MAX	65536
#define EARLY_MAX	1000	/* a record that a datagram holds */

/* Return: 0, or why it failed. */
static int handshake(struct kdtls_socket *s, const struct options *o)
{
	uint64_t end = net_now() + o->timeout * 1000000ULL;
	struct pollfd p = { .fd = kdtls_fd(s), .events = POLLIN };
	int bad, wait, left;

	while ((bad = kdtls_process(s)) == -EINPROGRESS) {
		if (net_now() >= end)
			return -ETIMEDOUT;
		wait = kdtls_timeout(s);
		left = (int)((end - net_now()) / 1000) + 1;
		poll(&p, 1, wait < 0 || wait > left ? left : wait);
	}
	return bad;
}

/* Before the handshake or after it: the server shall have it once. */
static int say_again(struct kdtls_socket *s, const uint8_t *early, size_t len)
{
	struct kdtls_info info;
	ssize_t n;

	kdtls_engine_info(kdtls_engine(s), &info);
	if (!len || info.early == KDTLS_EARLY_ACCEPTED)
		return 0;
	n = kdtls_send(s, early, len);
	return n < 0 ? (int)n : 0;
}

int command_client(int argc, char **argv)
{
	static uint8_t session[SESSION_MAX], cid[CID_MAX];
	static char early[EARLY_MAX + 1];
	struct kdtls_socket_options so;
	struct kdtls_endpoint *ep;
	struct kdtls_socket *s;
	struct options o;
	int bad, early_len = 0, status = 1;

	options_parse(&o, false, argc, argv);
	ep = endpoint_open(&o);
	if (o.early)
		early_len = snprintf(early, sizeof(early), "%s\n", o.early);
	if (early_len > EARLY_MAX)
		errx(1, "--early-data takes up to %d bytes", EARLY_MAX);
	so = (struct kdtls_socket_options){
		.path = o.path,
		.name = o.servername,
		.session = session,
		.session_len = endpoint_session(&o, session, sizeof(session)),
		.early = o.early ? (uint8_t *)early : NULL,
		.early_len = early_len,
		.cid = endpoint_cid(&o, cid),
		.cid_len = o.cid_len,
	};
	bad = kdtls_connect_to(ep, o.host, o.port, &so, 0, &s);
	if (bad != -EINPROGRESS)
		errx(1, "%s port %s: %s", o.host, o.port, kdtls_strerror(bad));
	net_prepare(kdtls_fd(s));
	bad = handshake(s, &o);
	if (!bad)
		bad = say_again(s, (uint8_t *)early, early_len);
	if (bad)
		endpoint_complain(s, bad);
	else
		status = transfer(s, &o);
	kdtls_close(s);
	kdtls_endpoint_free(ep);
	return status;
}
