// SPDX-License-Identifier: BSD-3-Clause
/* kdtls client */
#include "commands.h"
#include "endpoint.h"
#include "net.h"
#include "transfer.h"
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define SESSION_MAX	65536

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

int command_client(int argc, char **argv)
{
	static uint8_t session[SESSION_MAX], cid[CID_MAX];
	struct kdtls_socket_options so;
	struct kdtls_endpoint *ep;
	struct kdtls_socket *s;
	struct options o;
	int bad, status = 1;

	options_parse(&o, false, argc, argv);
	ep = endpoint_open(&o);
	so = (struct kdtls_socket_options){
		.path = o.path,
		.name = o.servername,
		.session = session,
		.session_len = endpoint_session(&o, session, sizeof(session)),
		.cid = endpoint_cid(&o, cid),
		.cid_len = o.cid_len,
	};
	bad = kdtls_connect_to(ep, o.host, o.port, &so, 0, &s);
	if (bad != -EINPROGRESS)
		errx(1, "%s port %s: %s", o.host, o.port, kdtls_strerror(bad));
	net_prepare(kdtls_fd(s));
	bad = handshake(s, &o);
	if (bad)
		endpoint_complain(s, bad);
	else
		status = transfer(s, &o);
	kdtls_close(s);
	kdtls_endpoint_free(ep);
	return status;
}
