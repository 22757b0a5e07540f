// SPDX-License-Identifier: GPL-2.0
/*
 * This file gives datagrams to the base, UDP's sendmsg(): a batch of records as
 * one GSO packet or as one datagram after the other.
 */
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <linux/uio.h>
#include <net/udp.h>

#include "batch.h"
#include "compat.h"
#include "push.h"
#include "send.h"
#include "sock.h"

/*
 * dtls_push_datagram() gives @len bytes to the base's sendmsg. Everything that
 * the module sends passes here. UDP must neither cut nor pack datagrams, so
 * options that a call inside UDP has set there since the attach are taken over
 * first.
 */
int dtls_push_datagram(struct dtls_sock *ds, struct msghdr *msg, size_t len)
{
	if (dtls_sock_options_came(ds->sk))
		dtls_sock_take_options(ds);
	return ds->base->sendmsg(ds->sk, msg, len);
}

/*
 * base_send() sends @len bytes of @batch from @pos on: as a GSO packet of
 * datagrams of @gso_size bytes or, if that is 0, as one datagram. Returns what
 * the base's sendmsg returns.
 */
static int base_send(struct dtls_send *s, struct dtls_batch *batch,
		     size_t pos, size_t len, u16 gso_size)
{
	u8 small[CMSG_SPACE(sizeof(u16))] __aligned(sizeof(long));
	struct msghdr msg = {
		.msg_flags = s->flags,
		.msg_control = s->control,
		.msg_controllen = s->control_len,
	};
	struct kvec kvec;

	if (unlikely(s->dest)) {
		msg.msg_name = &s->dest->name;
		msg.msg_namelen = s->dest->name_len;
	}

	if (batch->linear) {
		kvec.iov_base = batch->linear + pos;
		kvec.iov_len = len;
		iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &kvec, 1, len);
	} else {
		if (batch->lent)
			msg.msg_flags |= DTLS_MSG_SPLICE_PAGES;
		iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, batch->bvec,
			      batch->nr, batch->len);
		if (pos)
			iov_iter_advance(&msg.msg_iter, pos);
		iov_iter_truncate(&msg.msg_iter, len);
	}

	if (gso_size) {
		struct cmsghdr *cmsg;

		/*
		 * Behind the control messages at s->control there is room for
		 * UDP_SEGMENT; see DTLS_CONTROL_ROOM.
		 */
		if (!s->control)
			msg.msg_control = small;
		cmsg = msg.msg_control + s->control_len;
		cmsg->cmsg_level = SOL_UDP;
		cmsg->cmsg_type = UDP_SEGMENT;
		cmsg->cmsg_len = CMSG_LEN(sizeof(u16));
		memcpy(CMSG_DATA(cmsg), &gso_size, sizeof(gso_size));
		msg.msg_controllen += CMSG_SPACE(sizeof(u16));
	}
	return dtls_push_datagram(s->ds, &msg, len);
}

/*
 * mark_copied() marks the task's page that the base has copied a GSO packet to.
 * User space cannot write to that page, so a receiver on this machine may open
 * the records there without copying them first. A receiver that is faster than
 * the mark copies them. See dtls_batch_page_mark.
 */
static void mark_copied(void)
{
	struct page *page = current->task_frag.page;

	if (page)
		dtls_batch_mark_page(page);
}

/*
 * push_one() sends @len bytes of @batch from @pos on as one datagram. If the base
 * cannot take references to all pages of a record (net.core.max_skb_frags), it
 * copies the record. Returns @len or an error.
 */
static ssize_t push_one(struct dtls_send *s, struct dtls_batch *batch,
			size_t pos, size_t len)
{
	int err = base_send(s, batch, pos, len, 0);

	if (unlikely(err == -EMSGSIZE && batch->lent)) {
		batch->lent = false;
		err = base_send(s, batch, pos, len, 0);
	}
	return err < 0 ? err : len;
}

/* push_many() sends @batch, which is several datagrams; see dtls_push_batch(). */
static noinline ssize_t push_many(struct dtls_send *s, struct dtls_batch *batch,
				  size_t size)
{
	ssize_t err = base_send(s, batch, 0, batch->len, size);
	size_t pos, len;

	if (batch->linear)
		mark_copied();
	if (err >= 0)
		return batch->len;
	if (err != -EIO && err != -EINVAL && err != -EMSGSIZE)
		return err;
	for (pos = 0; pos < batch->len; pos += len) {
		len = min(size, batch->len - pos);
		err = push_one(s, batch, pos, len);
		if (err < 0)
			break;
	}
	return pos ? pos : err;
}

/*
 * dtls_push_batch() sends @batch: each record in a datagram of its own, where
 * records have @size bytes and the last one may be shorter; or all records in
 * one datagram, if @size is 0. Where GSO is not possible (no checksum offload,
 * IPsec, SO_NO_CHECK, a record larger than the path MTU), the same records are
 * sent one by one. They are not sealed again, so no nonce is used twice. Returns
 * how many bytes of records were sent, or an error if none were.
 */
ssize_t dtls_push_batch(struct dtls_send *s, struct dtls_batch *batch,
			size_t size)
{
	if (size && batch->len > size)
		return push_many(s, batch, size);
	return push_one(s, batch, 0, batch->len);
}
