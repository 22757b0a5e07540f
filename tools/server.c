// SPDX-License-Identifier: BSD-3-Clause
/* The command kdtls server. */
#include "commands.h"
#include "endpoint.h"
#include "net.h"
#include "serve.h"
#include "transfer.h"
#include <err.h>
#include <errno.h>
#include <poll.h>

/* Wait for the next client of any listener. Return 0 or an error. */
static int accept_next(const struct listeners *ls, struct kdtls_socket **s)
{
	struct pollfd p[LISTENERS_MAX];
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

/* Serve one client after the other, with standard input and output. */
static int serve_in_turn(const struct listeners *ls, const struct options *o)
{
	struct kdtls_socket *s;
	int bad, status;

	do {
		bad = accept_next(ls, &s);
		if (bad)
			errx(1, "%s", kdtls_strerror(bad));
		status = transfer(s, o);
		kdtls_close(s);
	} while (!o->once);
	return status;
}

static int add_listener(struct listeners *ls, struct kdtls_endpoint *ep,
			const char *host, const struct options *o)
{
	struct kdtls_listener_options lo = {
		.path = o->path,
		.max_sockets = o->max_clients,
		.handshake_timeout = o->timeout * 1000,
		.receive_buffer = RECEIVE_BUFFER,
		.cid_len = o->cid_len,
		.refused = endpoint_complain,
	};
	struct kdtls_listener *l;
	int bad = kdtls_listen_on(ep, host, o->port, &lo, &l);

	if (!bad)
		ls->listener[ls->count++] = l;
	return bad;
}

/*
 * Listen at the address of the options, or at all addresses of both families if
 * none was given.
 */
static void listen_all(struct listeners *ls, struct kdtls_endpoint *ep,
		       const struct options *o)
{
	static const char *const any[LISTENERS_MAX] = { "0.0.0.0", "::" };
	int i, bad = 0;

	if (o->host)
		bad = add_listener(ls, ep, o->host, o);
	for (i = 0; i < LISTENERS_MAX && !o->host; i++) {
		bad = add_listener(ls, ep, any[i], o);
		if (bad == -EAFNOSUPPORT || bad == -EADDRNOTAVAIL)
			bad = ls->count ? 0 : bad;
		else if (bad)
			break;
	}
	if (bad)
		errx(1, "%s port %s: %s", o->host ?: "any address", o->port,
		     kdtls_strerror(bad));
	warnx("listening on %s port %s", o->host ?: "any address", o->port);
}

int command_server(int argc, char **argv)
{
	struct listeners ls = { .count = 0 };
	struct kdtls_endpoint *ep;
	struct options o;
	int status;

	options_parse(&o, true, argc, argv);
	ep = endpoint_open(&o);
	listen_all(&ls, ep, &o);
	status = o.echo || o.command ? serve(&ls, &o) : serve_in_turn(&ls, &o);
	while (ls.count > 0)
		kdtls_listener_close(ls.listener[--ls.count]);
	kdtls_endpoint_free(ep);
	return status;
}
