// SPDX-License-Identifier: BSD-3-Clause
/*
 * The connection IDs that a server gives its clients, all of one length; see
 * server_object.h. They are random, so that nobody can guess that of another.
 */
#include "server_object.h"
#include <openssl/rand.h>

#define TRIES	8

/**
 * struct server_cid - a connection ID
 * @link:	in the server's table; the first member
 * @client:	whose it is
 * @next:	the client's next one
 * @cid:	bytes, as many as the server's options say
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

static void release(struct kdtls_server *server, struct server_cid *one)
{
	table_remove(&server->cids, &one->link);
	OPENSSL_free(one);
}

/*
 * Forget the oldest connection ID but that of the handshake, if @c has as many as
 * its records know; see struct dtls_cids.
 */
static void trim(struct kdtls_client *c)
{
	struct server_cid *one, *oldest = c->cids ? c->cids->next : NULL;
	unsigned int count = 0;

	for (one = c->cids; one; one = one->next)
		count++;
	if (count <= DTLS_CIDS_MAX)
		return;
	c->cids->next = oldest->next;
	release(c->server, oldest);
}

/* Write a connection ID that no client has. Return false if that failed. */
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

/* Let @c have a connection ID. Return false if there is no memory. */
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
	if (kdtls_engine_set_cid(c->owner.engine, cid, len))
		server_cids_free(c);
}

int server_cids_add(struct owner *o, uint8_t *cid, size_t len)
{
	struct kdtls_client *c = (struct kdtls_client *)o;

	if (len != c->server->options.cid_len || !choose(c->server, cid) ||
	    !give(c, cid) || c->server->path->add_cid(c, cid, len))
		return -KDTLS_EMEMORY;
	trim(c);
	return 0;
}

void server_cids_free(struct kdtls_client *c)
{
	struct server_cid *one;

	while ((one = c->cids)) {
		c->cids = one->next;
		release(c->server, one);
	}
}
