// SPDX-License-Identifier: BSD-3-Clause
/* This file makes the records of a server's clients in user space; see server_object.h. */
#include "server_object.h"
#include <errno.h>

static int user_first(struct owner *o, const struct dtls_key_info *key)
{
	(void)key;
	return server_client_succeed((struct kdtls_client *)o);
}

static int user_key(struct owner *o, int direction,
		    const struct dtls_key_info *key,
		    const struct dtls_window *seen)
{
	struct kdtls_client *c = (struct kdtls_client *)o;

	if (direction == DTLS_TX)
		c->overhead = (uint16_t)dtls_protection_overhead_of(key);
	return user_records_key(&o->user, &o->endpoint->crypto, direction, key,
				seen);
}

/* Open the records that came before their keys; tell_kept() reads their content. */
static int user_ready(struct owner *o)
{
	kept_open(o);
	return 0;
}

static int user_peer_cid(struct owner *o, const uint8_t *cid, size_t len)
{
	return user_records_peer_cid(&o->user, cid, len);
}

/* Note the goodbye of a client that goes to the list of news when its handshake is done. */
static void user_goodbye(struct owner *o, const struct dtls_record_info *info)
{
	struct kdtls_client *c = (struct kdtls_client *)o;

	(void)info;
	c->goodbye = true;
}

/* Do nothing: owner_exit() frees the keys with the client. */
static void user_end(struct kdtls_client *c)
{
	(void)c;
}

/* Do nothing: user_records_open() gets the engine's connection IDs. */
static int user_add_cid(struct kdtls_client *c, const uint8_t *cid, size_t len)
{
	(void)c;
	(void)cid;
	(void)len;
	return 0;
}

static ssize_t user_send(struct kdtls_client *c,
			 const struct dtls_record_info *info,
			 const uint8_t *data, size_t len,
			 struct dtls_record_number *number)
{
	uint8_t *record = scratch_take(c->owner->endpoint);
	ssize_t n = -ENOBUFS;

	if (record) {
		*number = user_records_next(&c->owner->user);
		n = user_records_seal(&c->owner->user, info->type, data, len,
				      record);
	}
	if (n > 0)
		n = server_out_datagram(c->server, c->key, c->key_len, record,
					n);
	if (n < 0)
		number->epoch = 0;
	scratch_give(c->owner->endpoint, record);
	return n;
}

const struct server_path server_user_path = {
	.owner = {
		.first = user_first,
		.key = user_key,
		.ready = user_ready,
		.cid = server_cids_take,
		.peer_cid = user_peer_cid,
		.goodbye = user_goodbye,
	},
	.begin = server_client_begin,
	.free = server_client_free_own,
	.end = user_end,
	.add_cid = user_add_cid,
	.send = user_send,
};
