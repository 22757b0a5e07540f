// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file keeps application data that was received and opened, and waits for its reader;
 * see driver.h.
 */
#include "driver.h"
#include <errno.h>

#define UNREAD_MAX	(256 * 1024)	/* So many bytes at most wait for a reader. */

struct chunk {
	STAILQ_ENTRY(chunk) list;
	uint8_t flags;
	size_t len;
	uint8_t data[];
};

/* struct unread is data that waits for a reader, and the bytes of its memory. */
struct unread {
	STAILQ_HEAD(, chunk) list;
	size_t bytes;
};

/* Return the queue of data, which is made if it is not there, or NULL. */
static struct unread *get_queue(struct owner *o)
{
	if (o->unread)
		return o->unread;
	o->unread = OPENSSL_zalloc(sizeof(*o->unread));
	if (o->unread)
		STAILQ_INIT(&o->unread->list);
	return o->unread;
}

static struct chunk *pop(struct owner *o)
{
	struct chunk *c;

	if (unread_is_empty(o))
		return NULL;
	c = STAILQ_FIRST(&o->unread->list);
	STAILQ_REMOVE_HEAD(&o->unread->list, list);
	o->unread->bytes -= sizeof(*c) + c->len;
	return c;
}

static void chunk_free(struct chunk *c)
{
	OPENSSL_clear_free(c, sizeof(*c) + c->len);
}

void unread_free(struct owner *o)
{
	struct chunk *c;

	while ((c = pop(o)))
		chunk_free(c);
	OPENSSL_free(o->unread);
	o->unread = NULL;
}

bool unread_is_full(const struct owner *o)
{
	return o->unread && o->unread->bytes >= UNREAD_MAX - DATAGRAM_MAX;
}

bool unread_is_empty(const struct owner *o)
{
	return !o->unread || STAILQ_EMPTY(&o->unread->list);
}

bool unread_has_room(const struct owner *o, size_t len)
{
	size_t bytes = o->unread ? o->unread->bytes : 0;

	return bytes + sizeof(struct chunk) + len <= UNREAD_MAX;
}

void unread_add(struct owner *o, const uint8_t *data, size_t len, uint8_t flags)
{
	struct unread *u = get_queue(o);
	struct chunk *c;

	if (!u)
		return;
	c = OPENSSL_malloc(sizeof(*c) + len);
	if (!c)
		return;
	c->flags = flags;
	c->len = len;
	memcpy(c->data, data, len);
	u->bytes += sizeof(*c) + len;
	STAILQ_INSERT_TAIL(&u->list, c, list);
}

ssize_t unread_take(struct owner *o, void *buf, size_t len, uint8_t *flags,
		    bool *cut)
{
	struct chunk *c = pop(o);
	size_t n;

	if (!c)
		return -EAGAIN;
	*flags = c->flags;
	n = c->len < len ? c->len : len;
	*cut = c->len > len;
	memcpy(buf, c->data, n);
	chunk_free(c);
	return (ssize_t)n;
}
