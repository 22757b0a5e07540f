// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file keeps datagrams for a server that came to another socket than the server's;
 * see server_object.h. The next kdtls_server_recv() takes them before it reads the
 * server's socket.
 */
#include "server_object.h"

#define STRAYS_MAX	(1 << 20)	/* bytes, beside those of a socket's queue */

void server_stray_add(struct kdtls_server *server, const struct stranger *from,
		      const uint8_t *data, size_t len)
{
	struct stray *stray = OPENSSL_malloc(sizeof(*stray) + len);

	if (!stray) {
		server->info.dropped++;
		return;
	}
	stray->from = *from;
	stray->len = len;
	memcpy(stray->data, data, len);
	STAILQ_INSERT_TAIL(&server->strays, stray, list);
	server->stray_bytes += sizeof(*stray) + len;
}

struct stray *server_stray_next(struct kdtls_server *server)
{
	struct stray *stray = STAILQ_FIRST(&server->strays);

	if (stray) {
		STAILQ_REMOVE_HEAD(&server->strays, list);
		server->stray_bytes -= sizeof(*stray) + stray->len;
	}
	return stray;
}

bool server_stray_has_room(const struct kdtls_server *server, size_t queue)
{
	return server->stray_bytes < STRAYS_MAX + queue;
}

void server_stray_free_all(struct kdtls_server *server)
{
	struct stray *stray;

	while ((stray = server_stray_next(server)))
		OPENSSL_free(stray);
}
