// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file has the callbacks that the engines of the driver call. They pass
 * keys and connection IDs on to the record layer, through struct owner_ops.
 *
 * The read key of the handshake is passed on first. So it is there when the
 * peer answers the first record of this end. Records that overtook the
 * handshake were kept, and are opened when both keys are there.
 */
#include "driver.h"
#include "engine/state.h"

int owner_init(struct owner *o, struct kdtls_endpoint *ep, enum kdtls_role role,
	       const uint8_t *key, size_t key_len)
{
	uint8_t *buf = scratch_take(ep);
	int err;

	scratch_give(ep, buf);
	if (!buf)
		return -KDTLS_EMEMORY;
	o->endpoint = ep;
	o->server = role == KDTLS_SERVER;
	err = kdtls_engine_new(ep, role, o, key, key_len, &o->engine);
	if (!err)
		dtls_state_set_kept(o->engine);
	return err;
}

void owner_exit(struct owner *o)
{
	kept_forget(o);
	unread_free(o);
	user_records_exit(&o->user);
	kdtls_engine_free(o->engine);
}

void owner_move(struct owner *to, struct owner *from, const struct owner_ops *ops)
{
	*to = *from;
	to->ops = ops;
	dtls_state_set_ctx(to->engine, to);
	memset(from, 0, sizeof(*from));
}

bool owner_established(const struct owner *o)
{
	return kdtls_engine_state(o->engine) == KDTLS_ESTABLISHED;
}

size_t owner_held(const struct owner *o)
{
	size_t early = o->kept ? o->kept->size : 0;

	return early + dtls_state_held(o->engine);
}

/* Take a read key of the handshake. Records of its epoch may have been kept. */
static int begin_epoch(struct owner *o, const struct dtls_key_info *key,
		       const struct dtls_window *seen)
{
	struct dtls_window window = *seen;
	struct dtls_key_info rx = *key;
	int err;

	err = kept_sort(o, &rx, &window);
	if (!err)
		err = o->ops->key(o, DTLS_RX, &rx,
				  window.next > rx.rec_seq ? &window : NULL);
	OPENSSL_cleanse(&rx, sizeof(rx));
	return err;
}

static int take_key(struct owner *o, int direction,
		    const struct dtls_key_info *key,
		    const struct dtls_window *seen)
{
	int err;

	if (owner_established(o))
		return o->ops->key(o, direction, key, seen);
	if (!o->keyed) {
		err = o->ops->first(o, key);
		if (err)
			return err;
		o->keyed = true;
	}
	if (direction == DTLS_RX)
		return begin_epoch(o, key, seen);
	err = o->ops->key(o, direction, key, seen);
	return err ? err : o->ops->ready(o);
}

int owner_key(void *ctx, int direction, const struct dtls_key_info *key,
	      const struct dtls_window *seen)
{
	struct owner *o = ctx;
	int err = take_key(o, direction, key, seen);

	if (err)
		o->why = err;
	return err;
}

int owner_cid(void *ctx, uint8_t *cid, size_t len)
{
	struct owner *o = ctx;

	return o->ops->cid(o, cid, len);
}

int owner_peer_cid(void *ctx, const uint8_t *cid, size_t len)
{
	struct owner *o = ctx;

	return o->ops->peer_cid(o, cid, len);
}
