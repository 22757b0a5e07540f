// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file gives a server's clients connection IDs, all of one length; see
 * server_object.h. A connection ID is random, so that nobody can guess which one
 * another client has.
 */
#include "server_object.h"
#include <openssl/rand.h>

#define TRIES	8	/* random connection IDs tried for an unused one */

/**
 * struct server_cid - a connection ID of a client
 * @link:	link of the server's table of connection IDs; the first member
 * @client:	the client whose records bear the connection ID
 * @next:	the connection ID that the client was given next, or NULL
 * @cid:	the connection ID; the server's options have its length
 */
struct server_cid {
	struct table_link link;
	struct kdtls_client *client;
	struct server_cid *next;
	uint8_t cid[];
};

static struct server_cid *find(const struct kdtls_server *server, uint32_t hash,
			       const uint8_t *cid)
{
	struct table_link *link = NULL;

	while ((link = table_next(&server->cids, hash, link))) {
		struct server_cid *one = (struct server_cid *)link;

		if (!memcmp(one->cid, cid, server->options.cid_len))
			return one;
	}
	return NULL;
}

struct kdtls_client *server_cids_find(const struct kdtls_server *server,
				      const uint8_t *cid)
{
	struct server_cid *one;
	uint32_t hash;

	hash = table_hash(&server->cids, cid, server->options.cid_len);
	one = find(server, hash, cid);
	return one ? one->client : NULL;
}

/* Take a connection ID out of the server's table and free it. */
static void release(struct kdtls_server *server, struct server_cid *one)
{
	table_remove(&server->cids, &one->link);
	OPENSSL_free(one);
}

/*
 * Forget a connection ID of @c if @c has more than the record layer keeps for one
 * association; see struct dtls_cids. The record layer forgets the same one: the
 * oldest but the one of the handshake.
 */
static void trim(struct kdtls_client *c)
{
	struct server_cid *one, *oldest = c->cids ? c->cids->next : NULL;
	unsigned int count = 0;

	for (one = c->cids; one; one = one->next)
		count++;
	if (count <= DTLS_CIDS_ALL)
		return;
	c->cids->next = oldest->next;
	release(c->server, oldest);
}

/*
 * Write a connection ID that no client has to @cid. If several sockets share the
 * port, its first byte is the number of this one. Return false if libcrypto failed,
 * or if all TRIES were in use.
 */
static bool choose(const struct kdtls_server *server, uint8_t *cid)
{
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		if (RAND_bytes(cid, (int)server->options.cid_len) != 1)
			return false;
		if (server->options.sharers > 1)
			cid[0] = (uint8_t)server->options.share;
		if (!server_cids_find(server, cid))
			return true;
	}
	return false;
}

/* Note that @c has the connection ID @cid. Return false if there is no memory. */
static bool give(struct kdtls_client *c, const uint8_t *cid)
{
	struct kdtls_server *server = c->server;
	size_t len = server->options.cid_len;
	struct server_cid *one, **end = &c->cids;

	one = OPENSSL_malloc(sizeof(*one) + len);
	if (!one)
		return false;
	one->client = c;
	one->next = NULL;
	memcpy(one->cid, cid, len);
	table_add(&server->cids, &one->link, table_hash(&server->cids, cid, len));
	while (*end)
		end = &(*end)->next;
	*end = one;
	return true;
}

void server_cids_first(struct kdtls_client *c)
{
	uint8_t cid[SERVER_CID_MAX];
	size_t len = c->server->options.cid_len;

	if (!len || !choose(c->server, cid) || !give(c, cid))
		return;
	if (kdtls_engine_set_cid(c->owner->engine, cid, len))
		server_cids_free(c);
}

/* Take the connection ID back that @c was given last. */
static void take_back(struct kdtls_client *c)
{
	struct server_cid *last, **end = &c->cids;

	while ((*end)->next)
		end = &(*end)->next;
	last = *end;
	*end = NULL;
	release(c->server, last);
}

int server_cids_add(struct kdtls_client *c, uint8_t *cid, size_t len)
{
	if (len != c->server->options.cid_len || !choose(c->server, cid) ||
	    !give(c, cid))
		return -KDTLS_EMEMORY;
	if (server_client_path(c)->add_cid(c, cid, len)) {
		take_back(c);
		return -KDTLS_EMEMORY;
	}
	trim(c);
	return 0;
}

int server_cids_take(struct owner *o, uint8_t *cid, size_t len)
{
	return server_cids_add((struct kdtls_client *)o, cid, len);
}

void server_cids_free(struct kdtls_client *c)
{
	struct server_cid *one;

	while ((one = c->cids)) {
		c->cids = one->next;
		release(c->server, one);
	}
}
