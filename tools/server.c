// SPDX-License-Identifier: BSD-3-Clause
/* kdtls server */
#include "commands.h"
#include "conn.h"
#include "net.h"
#include "tls.h"
#include "transfer.h"
#include <err.h>
#include <unistd.h>

struct listener {
	const struct options *o;
	int fd;
};

/* The socket is a client's now: others shall find a new one at once. */
static void listen_again(void *arg)
{
	struct listener *l = arg;

	l->fd = l->o->once ? -1 : net_bind(l->o->host, l->o->port);
}

int command_server(int argc, char **argv)
{
	struct listener l;
	struct options o;
	struct conn c;
	SSL_CTX *ctx;
	SSL *ssl;
	int fd, status;

	options_parse(&o, true, argc, argv);
	ctx = tls_context(&o);
	l = (struct listener){ .o = &o, .fd = net_bind(o.host, o.port) };
	warnx("listening on %s port %s", o.host, o.port);
	do {
		fd = l.fd;
		status = 1;
		ssl = tls_accept(ctx, &o, fd, listen_again, &l);
		if (ssl) {
			conn_init(&c, ssl, &o);
			status = transfer(&c, &o);
			SSL_free(ssl);
		} else if (l.fd == fd) {
			listen_again(&l);
		}
		close(fd);
	} while (l.fd >= 0);
	SSL_CTX_free(ctx);
	return status;
}
