// SPDX-License-Identifier: BSD-3-Clause
/* This file is the command kdtls client. */
#include "commands.h"
#include "endpoint.h"
#include "net.h"
#include "transfer.h"
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#define SESSION_MAX	65536
#define EARLY_MAX	1000	/* bytes of early data that one datagram holds */

static bool told;

/* Say why the handshake with one of the host's addresses failed. */
static void refused(struct kdtls_socket *s, int error)
{
	endpoint_refused(s, error);
	told = true;
}

/* Send the early data again unless the server took it before the handshake. */
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
	transfer_prepare(&o);
	ep = endpoint_open(&o);
	endpoint_forget(&o);
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
		.refused = refused,
	};
	bad = kdtls_connect_to(ep, o.host, o.port, &so, o.timeout * 1000, &s);
	if (bad && !told)
		warnx("%s port %s: %s", o.host, o.port, kdtls_strerror(bad));
	if (bad)
		exit(1);
	net_prepare(kdtls_fd(s));
	bad = say_again(s, (uint8_t *)early, early_len);
	if (bad)
		endpoint_refused(s, bad);
	else
		status = transfer(s, &o);
	kdtls_close(s);
	kdtls_endpoint_free(ep);
	return status;
}
