// SPDX-License-Identifier: BSD-3-Clause
/* kdtls client */
#include "commands.h"
#include "conn.h"
#include "net.h"
#include "tls.h"
#include "transfer.h"
#include <unistd.h>

int command_client(int argc, char **argv)
{
	struct options o;
	struct conn c;
	SSL_CTX *ctx;
	SSL *ssl;
	int fd, status = 1;

	options_parse(&o, false, argc, argv);
	ctx = tls_context(&o);
	fd = net_connect(o.host, o.port);
	ssl = tls_connect(ctx, &o, fd);
	if (ssl) {
		conn_init(&c, ssl, &o);
		status = transfer(&c, &o);
		SSL_free(ssl);
	}
	close(fd);
	SSL_CTX_free(ctx);
	return status;
}
