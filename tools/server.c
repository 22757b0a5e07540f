// SPDX-License-Identifier: BSD-3-Clause
/* kdtls server */
#include "commands.h"
#include "endpoint.h"
#include "net.h"
#include "serve.h"
#include "transfer.h"
#include <err.h>

/* Standard input and output are one: so is the client. */
static int serve_in_turn(struct kdtls_listener *l, const struct options *o)
{
	struct kdtls_socket *s;
	int bad, status;

	do {
		bad = kdtls_accept(l, -1, &s);
		if (bad)
			errx(1, "%s", kdtls_strerror(bad));
		status = transfer(s, o);
		kdtls_close(s);
	} while (!o->once);
	return status;
}

int command_server(int argc, char **argv)
{
	struct kdtls_listener_options lo;
	struct kdtls_endpoint *ep;
	struct kdtls_listener *l;
	struct options o;
	int bad, status;

	options_parse(&o, true, argc, argv);
	ep = endpoint_open(&o);
	lo = (struct kdtls_listener_options){
		.path = o.path,
		.max_sockets = o.max_clients,
		.handshake_timeout = o.timeout * 1000,
		.receive_buffer = RECEIVE_BUFFER,
		.cid_len = o.cid_len,
		.refused = endpoint_complain,
	};
	bad = kdtls_listen_on(ep, o.host, o.port, &lo, &l);
	if (bad)
		errx(1, "%s port %s: %s", o.host, o.port, kdtls_strerror(bad));
	warnx("listening on %s port %s", o.host, o.port);
	status = o.echo || o.command ? serve(l, &o) : serve_in_turn(l, &o);
	kdtls_listener_close(l);
	kdtls_endpoint_free(ep);
	return status;
}
