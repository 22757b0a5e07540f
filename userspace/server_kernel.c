// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file lets the kernel make the records of a server's clients; see
 * server_object.h and struct dtls_assoc_table of linux/dtls.h.
 *
 * The socket has an association for each client whose handshake is done, from the
 * first key to the end of the client. The kernel knows no other client: it gives the
 * server every other datagram whole, as one from a stranger.
 *
 * A client that starts anew has its association from the start of its handshake on, beside
 * that of the client which it is to replace (DTLS_PEER_SUCCEED). So the kernel keeps data
 * that overtakes the client's Finished, which the keys of the old association do not open.
 */
#include "server_object.h"
#include <errno.h>

/* ---- the socket ---- */

/*
 * Return 0 if the kernel has every cipher that a handshake with the server's endpoint
 * can end with; or a negative error.
 */
static int has_ciphers(const struct kdtls_server *server)
{
	const struct kdtls_endpoint *ep = server->endpoint;
	size_t i;
	int err;

	for (i = 0; i < ep->suite_count; i++) {
		const struct dtls_suite *suite = ep->suites[i];
		unsigned int version = dtls_suite_is_13(suite) ?
				       DTLS_VERSION_1_3 : DTLS_VERSION_1_2;

		/* A later version has a lower number. */
		if (version > ep->config.version_min ||
		    version < ep->config.version_max)
			continue;
		err = ulp_has_cipher(server->fd,
				     (const struct sockaddr *)&server->local,
				     server->local_len, version, suite->cipher);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Return true if the server's socket is of AF_INET6 and IPv4 peers can write to it.
 * The kernel has no table for such a socket.
 */
static bool is_mapped(const struct kdtls_server *server)
{
	const struct sockaddr_in6 *local = (const void *)&server->local;
	int only = 0;
	socklen_t len = sizeof(only);

	if (local->sin6_family != AF_INET6)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&local->sin6_addr))
		return true;
	getsockopt(server->fd, SOL_IPV6, IPV6_V6ONLY, &only, &len);
	return server->any && !only;
}

int server_kernel_attach(struct kdtls_server *server)
{
	/*
	 * The kernel's table has no limit of its own: it also has the associations of clients
	 * that were peeled off, which the limits of the server do not count.
	 */
	struct dtls_assoc_table table = {
		.cid_len = (uint16_t)server->options.cid_len,
	};
	int err;

	if (is_mapped(server))
		return -KDTLS_EMAPPED;
	err = has_ciphers(server);
	if (!err)
		err = kdtls_attach(server->fd);
	if (err)
		return err;
	server->attached = true;
	if (setsockopt(server->fd, SOL_DTLS, DTLS_ASSOC_TABLE, &table,
		       sizeof(table)))
		return -errno;
	return kdtls_poll_control(server->fd, 1);
}

/* ---- one association ---- */

struct kdtls_client *server_kernel_find(const struct kdtls_server *server,
					uint64_t id)
{
	uint32_t hash = table_hash(&server->ids, &id, sizeof(id));
	struct table_link *link = NULL;
	struct kdtls_client *c;

	while ((link = table_next(&server->ids, hash, link))) {
		c = (struct kdtls_client *)((char *)link -
			offsetof(struct kdtls_client, by_id));
		if (c->id == id)
			return c;
	}
	return NULL;
}

/*
 * Give the kernel a datagram of @c that it took for a stranger's, as it did not have
 * the keys. What the kernel has no room for is lost, as any datagram may be.
 */
static void kernel_take(struct kdtls_client *c, const uint8_t *data, size_t len)
{
	ulp_feed(c->server->fd, c->id, data, len);
}

/* Copy a socket address to the form that the kernel's options have. */
static void set_addr(struct dtls_addr *to, const struct sockaddr_storage *from)
{
	const struct sockaddr_in6 *a6 = (const void *)from;
	const struct sockaddr_in *a4 = (const void *)from;

	to->family = from->ss_family;
	if (from->ss_family == AF_INET) {
		to->port = a4->sin_port;
		memcpy(to->addr, &a4->sin_addr, sizeof(a4->sin_addr));
	} else {
		to->port = a6->sin6_port;
		to->scope_id = a6->sin6_scope_id;
		memcpy(to->addr, &a6->sin6_addr, sizeof(a6->sin6_addr));
	}
}

/*
 * Add an association for @c with @flags (DTLS_PEER_*), which is none if the address has
 * no association yet. Return 0 or -errno.
 */
static int add_assoc(struct kdtls_client *c, uint32_t flags)
{
	struct kdtls_server *server = c->server;
	struct dtls_assoc_peer peer = {
		.id = server->last_id + 1,
		.flags = flags,
	};
	struct stranger s;

	address_of_key(c->key, c->key_len, &s);
	set_addr(&peer.peer, &s.peer);
	if (server->any)
		set_addr(&peer.local, &s.local);
	if (setsockopt(server->fd, SOL_DTLS, DTLS_ASSOC_ADD, &peer,
		       sizeof(peer)))
		return -errno;
	c->id = ++server->last_id;
	table_add(&server->ids, &c->by_id,
		  table_hash(&server->ids, &c->id, sizeof(c->id)));
	return 0;
}

/* Add the association of a client that is to replace another one. */
static void kernel_beside(struct kdtls_client *c)
{
	add_assoc(c, DTLS_PEER_SUCCEED);
}

/*
 * Let the client have an association at its address, before its first key. If it stands
 * beside that of another client it has the address when that one is deleted. The Finished
 * of the client was verified, so the other association is not to go on (RFC 6347 4.2.8,
 * RFC 9147 5.11).
 */
static int kernel_first(struct owner *o, const struct dtls_key_info *key)
{
	struct kdtls_client *c = (struct kdtls_client *)o;
	int err;

	(void)key;
	err = server_client_succeed(c);
	return err || c->id ? err : add_assoc(c, 0);
}

/* Install a key, and with a read key which of its numbers the engine has seen. */
static int kernel_key(struct owner *o, int direction,
		      const struct dtls_key_info *key,
		      const struct dtls_window *seen)
{
	struct kdtls_client *c = (struct kdtls_client *)o;
	struct dtls_key_info own = *key;
	struct dtls_window window;
	int err;

	own.id = c->id;
	err = kdtls_set_key(c->server->fd, direction, &own);
	OPENSSL_cleanse(&own, sizeof(own));
	if (!err && direction == DTLS_TX)
		c->overhead = (uint16_t)dtls_protection_overhead_of(key);
	if (err || !seen || !seen->next)
		return err;
	window = *seen;
	window.id = c->id;
	return kdtls_set_window(c->server->fd, &window);
}

/* Give the kernel the records that came before their keys. */
static int kernel_ready(struct owner *o)
{
	struct kdtls_client *c = (struct kdtls_client *)o;
	struct kept *k;

	for (k = kept_first(o); k; k = STAILQ_NEXT(k, list))
		kernel_take(c, k->data, k->len);
	kept_forget(o);
	return 0;
}

static int kernel_peer_cid(struct owner *o, const uint8_t *cid, size_t len)
{
	struct kdtls_client *c = (struct kdtls_client *)o;

	return ulp_change_cid(c->server->fd, c->id, cid, len);
}

static int kernel_add_cid(struct kdtls_client *c, const uint8_t *cid, size_t len)
{
	return ulp_add_cid(c->server->fd, c->id, cid, len);
}

static uint64_t kernel_heard(const struct kdtls_client *c)
{
	struct dtls_info info = { .id = c->id };
	socklen_t len = sizeof(info);

	if (getsockopt(c->server->fd, SOL_DTLS, DTLS_INFO, &info, &len))
		return 0;
	return 1000 * info.heard;
}

/* Let the connected socket @fd have the client's association, with all that waits for it. */
static int kernel_peel(struct kdtls_client *c, int fd)
{
	struct dtls_assoc_peel peel = { .id = c->id, .fd = c->server->fd };
	int err = kdtls_attach(fd);

	if (!err)
		err = kdtls_poll_control(fd, 1);
	if (!err && setsockopt(fd, SOL_DTLS, DTLS_ASSOC_PEEL, &peel,
			       sizeof(peel)))
		err = -errno;
	return err;
}

/* Delete the client's association, with all data that the kernel has of it. */
static void kernel_end(struct kdtls_client *c)
{
	if (!c->id)
		return;
	setsockopt(c->server->fd, SOL_DTLS, DTLS_ASSOC_DEL, &c->id,
		   sizeof(c->id));
	table_remove(&c->server->ids, &c->by_id);
	c->id = 0;
}

static ssize_t kernel_send(struct kdtls_client *c,
			   const struct dtls_record_info *info,
			   const uint8_t *data, size_t len,
			   struct dtls_record_number *number)
{
	struct dtls_record_info own = *info;
	ssize_t n;

	memset(number, 0, sizeof(*number));
	own.id = c->id;
	own.number_ptr = (uintptr_t)number;
	n = ulp_send(c->server->fd, &own, data, len, MSG_DONTWAIT);
	if (n < 0)
		number->epoch = 0;
	return n;
}

const struct server_path server_kernel_path = {
	.owner = {
		.first = kernel_first,
		.key = kernel_key,
		.ready = kernel_ready,
		.cid = server_cids_take,
		.peer_cid = kernel_peer_cid,
	},
	.kernel = true,
	.begin = server_client_begin,
	.free = server_client_free_own,
	.beside = kernel_beside,
	.take = kernel_take,
	.end = kernel_end,
	.peel = kernel_peel,
	.add_cid = kernel_add_cid,
	.heard = kernel_heard,
	.send = kernel_send,
};
