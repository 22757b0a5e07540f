// SPDX-License-Identifier: BSD-3-Clause
/* This file is the command kdtls server. */
#include "commands.h"
#include "endpoint.h"
#include "listen.h"
#include "net.h"
#include "serve.h"
#include "transfer.h"
#include <err.h>
#include <errno.h>
#include <poll.h>

/*
 * struct listeners has the listeners that clients are accepted from: one or, if no
 * address was given, one for each address family.
 */
struct listeners {
	const struct options *o;
	struct kdtls_endpoint *endpoint;
	struct kdtls_listener *listener[LISTEN_MAX];
	int count;
};

/* Wait for the next client of any listener. Return 0 or an error. */
static int accept_next(const struct listeners *ls, struct kdtls_socket **s)
{
	struct pollfd p[LISTEN_MAX];
	int i, err;

	for (;;) {
		for (i = 0; i < ls->count; i++) {
			err = kdtls_accept(ls->listener[i], 0, s);
			if (err != -EAGAIN)
				return err;
			p[i].fd = kdtls_listener_fd(ls->listener[i]);
			p[i].events = POLLIN;
		}
		if (poll(p, ls->count, -1) < 0 && errno != EINTR)
			return -errno;
	}
}

static int add_listener(void *ctx, const char *host)
{
	struct listeners *ls = ctx;
	struct kdtls_listener_options lo = {
		.path = ls->o->path,
		.max_sockets = ls->o->max_clients,
		.handshake_timeout = ls->o->timeout * 1000,
		.receive_buffer = RECEIVE_BUFFER,
		.cid_len = ls->o->cid_len,
		.refused = endpoint_refused,
	};
	struct kdtls_listener *l;
	int bad = kdtls_listen_on(ls->endpoint, host, ls->o->port, &lo, &l);

	if (!bad)
		ls->listener[ls->count++] = l;
	return bad;
}

/* Serve one client after the other, with standard input and output. */
static int serve_in_turn(struct options *o)
{
	struct listeners ls = { .o = o, .endpoint = endpoint_open(o) };
	struct kdtls_socket *s;
	int bad, status;

	transfer_prepare(o);
	endpoint_forget(o);
	listen_all(o, add_listener, &ls);
	listen_tell(o);
	do {
		bad = accept_next(&ls, &s);
		if (bad)
			errx(1, "%s", kdtls_strerror(bad));
		status = transfer(s, o);
		kdtls_close(s);
	} while (!o->once);
	while (ls.count > 0)
		kdtls_listener_close(ls.listener[--ls.count]);
	kdtls_endpoint_free(ls.endpoint);
	return status;
}

int command_server(int argc, char **argv)
{
	struct options o;

	options_parse(&o, true, argc, argv);
	return o.echo || o.command ? serve(&o) : serve_in_turn(&o);
}
