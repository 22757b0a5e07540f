// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file gives the engine's keys to the record layer: to the kernel if it
 * has the cipher, else to user_records.c.
 *
 * The handshake runs on a plain socket. The socket is attached when the keys
 * are there, as version, cipher and connection IDs are not known before. The
 * kernel takes the records that are in the socket's queue at that time. Of the
 * records that the driver has read already, the engine takes those of the
 * handshake, and application records that overtook the handshake are given back
 * to the kernel with DTLS_FEED.
 */
#include "driver.h"
#include <errno.h>

/*
 * Decide whether the kernel or user space makes the records. Return 0 or an
 * error.
 */
static int choose_path(struct kdtls_socket *s, const struct dtls_key_info *key)
{
	int err = 0;

	if (s->wanted != KDTLS_PATH_USER) {
		err = ulp_supports(s->fd, key->version, key->cipher);
		if (!err)
			err = kdtls_attach(s->fd);
		if (!err) {
			s->path = KDTLS_PATH_KERNEL;
			s->attached = true;
			return 0;
		}
	}
	s->owner.why = err;
	if (s->wanted == KDTLS_PATH_KERNEL)
		return err;
	s->path = KDTLS_PATH_USER;
	return 0;
}

static int handover_first(struct owner *o, const struct dtls_key_info *key)
{
	struct kdtls_socket *s = (struct kdtls_socket *)o;
	int err = s->home ? s->home->connect(s) : 0;

	return err ? err : choose_path(s, key);
}

static int handover_key(struct owner *o, int direction,
			const struct dtls_key_info *key,
			const struct dtls_window *seen)
{
	struct kdtls_socket *s = (struct kdtls_socket *)o;
	int err;

	if (!s->attached)
		return user_records_key(&o->user, &o->endpoint->crypto,
					direction, key, seen);
	err = kdtls_set_key(s->fd, direction, key);
	if (!err && seen && seen->next)
		err = kdtls_set_window(s->fd, seen);
	return err;
}

/*
 * Give the records that were kept to the record layer, which has both keys of
 * the handshake now. A record for which it has no room is lost, as any datagram
 * may be.
 */
static int handover_ready(struct owner *o)
{
	struct kdtls_socket *s = (struct kdtls_socket *)o;
	struct kept *k;
	int err;

	/* An ICMP error during the handshake is no error of the data. */
	s->icmp = 0;
	if (!s->attached) {
		kept_open(o);
		return 0;
	}
	err = kdtls_poll_control(s->fd, 1);
	if (err)
		return err;
	for (k = kept_first(o); k; k = STAILQ_NEXT(k, list))
		ulp_feed(s->fd, 0, k->data, k->len);
	kept_forget(o);
	return 0;
}

int handover_add_cid(struct kdtls_socket *s, const uint8_t *cid, size_t len)
{
	/* Records in user space are opened with the engine's connection IDs. */
	return s->attached ? ulp_add_cid(s->fd, 0, cid, len) : 0;
}

/*
 * The engine's random connection ID is accepted as it is for a socket without a
 * listener, which finds its association by the address alone.
 */
static int handover_cid(struct owner *o, uint8_t *cid, size_t len)
{
	struct kdtls_socket *s = (struct kdtls_socket *)o;

	return s->home ? s->home->add_cid(s, cid, len) :
			 handover_add_cid(s, cid, len);
}

static int handover_peer_cid(struct owner *o, const uint8_t *cid, size_t len)
{
	struct kdtls_socket *s = (struct kdtls_socket *)o;

	return s->attached ? ulp_change_cid(s->fd, 0, cid, len) :
			     user_records_peer_cid(&o->user, cid, len);
}

static void handover_goodbye(struct owner *o,
			     const struct dtls_record_info *info)
{
	socket_goodbye((struct kdtls_socket *)o, info);
}

const struct owner_ops handover_ops = {
	.first = handover_first,
	.key = handover_key,
	.ready = handover_ready,
	.cid = handover_cid,
	.peer_cid = handover_peer_cid,
	.goodbye = handover_goodbye,
};
