// SPDX-License-Identifier: GPL-2.0
/*
 * This file is the sendmsg() of an attached socket. In the order of the calls:
 *
 *   dtls_cmsg_parse()	in cmsg.c, reads the control messages
 *   check_send()	refuses what the base would refuse
 *   send_records()	makes batch after batch: it finds memory for the records;
 *			seal.c copies the plaintext there once, takes sequence
 *			numbers, and seals the records where they lie
 *   dtls_cork_send()	in cork.c, adds the record to a datagram that waits for more
 *   dtls_push_batch()	in push.c, gives a batch to the base, as one GSO packet or
 *			as one datagram after the other
 *
 * Any number of tasks may seal on one socket at once. They share the sequence
 * number, which is atomic. The only lock of this module that they sleep for is
 * dtls_sock.cork_lock. A sequence number is taken when nothing but the cipher can fail
 * any more. One sendmsg() makes one record, unless UDP_SEGMENT or splice says where to
 * cut.
 */
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <linux/uio.h>
#include <net/udp.h>

#include "assoc.h"
#include "batch.h"
#include "cmsg.h"
#include "compat.h"
#include "cork.h"
#include "dest.h"
#include "epoch.h"
#include "path.h"
#include "push.h"
#include "scratch.h"
#include "seal.h"
#include "send.h"
#include "sock.h"
#include "stats.h"
#include "tx.h"

/*
 * It is cheaper that the base copies one record of up to COPY_MAX bytes than
 * that it takes a reference to the record's page. For several records the limit
 * is DTLS_LINEAR_SIZE. Both were measured, for sender and receiver together.
 */
#define COPY_MAX	1024
static_assert(COPY_MAX <= DTLS_LINEAR_SIZE);

/* cut_run() drops all records of @run but the first @n. */
static void cut_run(struct dtls_seal_run *run, unsigned int n)
{
	if (n == run->n)
		return;
	run->n = n;
	run->len = n * run->segment;
	run->last = run->size;
}

/*
 * lay_out() provides memory for @run in @batch, which is empty, and shortens
 * the run if one batch does not hold all of it. Short records get linear
 * memory, which the base copies; see COPY_MAX. Sleeps. Returns 0 or -ENOBUFS.
 */
static int lay_out(struct dtls_batch *batch, struct dtls_seal_run *run)
{
	unsigned int same = run->n - (run->last != run->size), i = 0, added;
	size_t total = (run->n - 1) * run->size + run->last;

	if (total <= (run->n > 1 ? DTLS_LINEAR_SIZE : COPY_MAX))
		return dtls_batch_linear(batch, total) ? 0 : -ENOBUFS;

	batch->lent = true;
	do {
		if (i < same)
			added = dtls_batch_add(batch, &current->task_frag,
					       run->size, same - i);
		else
			added = dtls_batch_add(batch, &current->task_frag,
					       run->last, 1);
		i += added;
	} while (added && i < run->n);
	cut_run(run, i);
	return i ? 0 : -ENOBUFS;
}

/*
 * send_batch() makes and sends the records of @run, or as many of them as
 * @batch holds, and adds the bytes of content that were sent to @done. Returns
 * 0, or an error if no more can be sent.
 */
static int send_batch(struct dtls_send *s, struct dtls_batch *batch,
		      struct dtls_seal_run *run, size_t *done)
{
	size_t size = run->size;
	ssize_t sent;
	int n, err;

	err = lay_out(batch, run);
	if (err)
		return err;
	err = dtls_seal_copy(s, batch, run);
	n = err ?: dtls_seal_make(s, run);
	/*
	 * The records that were not made may be plaintext, which must not be
	 * sent.
	 */
	if (n < (int)run->n)
		dtls_batch_cut(batch, n > 0 ? n * size : 0);
	if (n < 0)
		return n;
	cut_run(run, n);
	sent = dtls_push_batch(s, batch, size);
	if (sent < 0)
		return sent;
	/* The base has sent the first records of the batch only. */
	if (sent < batch->len) {
		cut_run(run, sent / size);
		err = -EAGAIN;
	}
	dtls_send_count(s, run->n, run->len);
	*done += run->len;
	return err;
}

/* send_records() sends @len bytes as records of s->segment bytes each. */
static ssize_t send_records(struct dtls_send *s, size_t len)
{
	const struct dtls_key *key = &s->epoch->key;
	size_t segment = s->segment && s->segment < len ? s->segment : len;
	/*
	 * The array is large, and zeroing it in each call would be waste, which
	 * kernels that initialise the stack would do.
	 */
	struct bio_vec bvec[DTLS_BATCH_PIECES] __uninitialized;
	struct dtls_batch batch = { .max = ARRAY_SIZE(bvec), .bvec = bvec };
	size_t most = 1, left = len, done = 0, n;
	int err;

	if (segment < len)
		most = min_t(size_t, UDP_MAX_SEGMENTS, DTLS_GSO_MAX /
			     dtls_key_size(key, segment, false));
	do {
		struct dtls_seal_run run __uninitialized;

		n = 1;
		if (most > 1)
			n = min(most, DIV_ROUND_UP(left, segment));
		run.spot = dtls_batch_end(&batch);
		run.more = false;
		dtls_seal_begin(&run, key, n, segment, min(n * segment, left));
		err = send_batch(s, &batch, &run, &done);
		dtls_batch_free(&batch);
		left = len - done;
	} while (!err && left);

	return done ? done : err;
}

/*
 * dtls_tx_mtu() returns the bytes of content of the longest record under @key
 * that can now be sent in one piece to the peer of @flow or, if @flow is NULL,
 * to the connected peer; or 0 if none fits, or if that is unknown. Sleeps.
 */
unsigned int dtls_tx_mtu(struct dtls_sock *ds, const struct dtls_flow *flow,
			 const struct dtls_key *key)
{
	unsigned int payload = dtls_path_payload(ds->sk, flow), mtu;

	if (payload <= key->head + key->tail)
		return 0;
	mtu = min_t(unsigned int, payload - key->head - key->tail,
		    key->max_plaintext);
	return dtls_key_size(key, mtu, false) <= payload ? mtu : 0;
}

static const struct dtls_flow *flow_of(const struct dtls_send *s)
{
	return s->dest ? &s->dest->flow : NULL;
}

/*
 * check_send() returns an error if the base would refuse a record with
 * @record_len bytes of content now. This must be known before a sequence number
 * is taken, as a program that tries again and again would use the key up
 * otherwise.
 */
static int check_send(struct dtls_send *s, size_t record_len)
{
	struct sock *sk = s->ds->sk;
	unsigned int payload;
	int err;

	if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
		return -EPIPE;
	err = sock_error(sk);
	if (err)
		return err;
	if (!s->dest && sk->sk_state != TCP_ESTABLISHED)
		return -EDESTADDRREQ;	/* as after ss -K */
	if (record_len > s->epoch->key.max_plaintext)
		return -EMSGSIZE;
	if (dtls_path_dont_fragment(sk, s->dontfrag)) {
		payload = dtls_path_payload(sk, flow_of(s));
		if (payload && dtls_key_size(&s->epoch->key, record_len,
					     false) > payload)
			return -EMSGSIZE;
	}
	if (s->flags & MSG_DONTWAIT &&
	    sk_wmem_alloc_get(sk) >= READ_ONCE(sk->sk_sndbuf)) {
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		return -EAGAIN;
	}
	return 0;
}

/*
 * names_another() returns true if the message is for another address than the peer of a
 * connected socket with a key. Whoever seals has the key in @s->epoch, which is not set for
 * a raw datagram: the version of the association tells that the socket has a key.
 */
static bool names_another(const struct dtls_send *s)
{
	const struct msghdr *msg = s->msg;

	return msg->msg_name && !s->dest &&
	       (s->epoch || dtls_assoc_version(s->assoc)) &&
	       !dtls_path_is_peer(s->ds->sk, msg->msg_name, msg->msg_namelen);
}

/*
 * send_raw() gives the caller's bytes to the base as one datagram, as they are.
 * The library sends the handshake so, and a program datagrams of other
 * protocols. The options UDP_SEGMENT and UDP_CORK are about records and do not
 * matter here; a control message or a flag of the same meaning is refused.
 */
static int send_raw(struct dtls_send *s, size_t len)
{
	static const struct dtls_record_info raw = { .flags = DTLS_RECORD_RAW };
	struct msghdr msg = *s->msg;

	if (names_another(s))
		return -EISCONN;
	if (memcmp(&s->info, &raw, sizeof(raw)) || s->cut || s->id ||
	    msg.msg_flags & MSG_MORE)
		return -EINVAL;
	msg.msg_flags = s->flags;
	msg.msg_control = s->control;
	msg.msg_controllen = s->control_len;
	return dtls_push_datagram(s->ds, &msg, len);
}

/*
 * check_info() checks the DTLS_RECORD_INFO of a record that is to be sealed,
 * and sets the type of the record from it. Returns 0; -EINVAL; or -ESTALE if
 * the write epoch is not the one that the caller named.
 */
static int check_info(struct dtls_send *s)
{
	const struct dtls_record_info *info = &s->info;
	bool v13 = dtls_is_13(s->epoch->key.version);

	if (info->flags || info->event || info->reserved || info->seq ||
	    info->type < (v13 ? DTLS_CT_ALERT : DTLS_CT_CHANGE_CIPHER_SPEC) ||
	    info->type > (v13 ? DTLS_CT_ACK : DTLS_CT_HEARTBEAT) ||
	    info->type == DTLS_CT_TLS12_CID)
		return -EINVAL;
	if (info->epoch && info->epoch != s->epoch->number)
		return -ESTALE;
	s->type = info->type;
	return 0;
}

/*
 * send_protected() sends the caller's @len bytes as records under @s->epoch: it
 * checks what is asked for, decides where records are cut, and whether they go
 * to the cork. Returns how many bytes of content were sent or corked, or an
 * error.
 */
static ssize_t send_protected(struct dtls_send *s, size_t len)
{
	struct dtls_sock *ds = s->ds;
	bool splice = s->msg->msg_flags & MSG_SPLICE_PAGES;
	bool more = s->msg->msg_flags & MSG_MORE || READ_ONCE(ds->corked);
	struct iov_iter *iter = &s->msg->msg_iter;
	size_t record_len, before = iov_iter_count(iter);
	ssize_t ret;

	if (s->has_info) {
		ret = check_info(s);
		if (ret)
			return ret;
	}
	/* UDP_SEGMENT cuts application data; other content is one record. */
	if (s->type != DTLS_CT_APPLICATION_DATA && s->cut)
		return -EINVAL;
	if (s->type != DTLS_CT_APPLICATION_DATA)
		s->segment = 0;
	else if (splice && !s->segment)
		s->segment = dtls_tx_mtu(ds, flow_of(s), &s->epoch->key) ?:
			     s->epoch->key.max_plaintext;

	/* A cork is one datagram, and it does not tell its association. */
	if (s->dest && more)
		return -EOPNOTSUPP;

	record_len = s->segment ? min_t(size_t, len, s->segment) : len;
	/*
	 * MSG_MORE puts records into one datagram, and UDP_SEGMENT a record
	 * into each datagram, so the two exclude each other. Control messages
	 * for the base are about a whole datagram, so only its last record may
	 * have some. The kernel sets MSG_MORE for each part of a splice but
	 * the last, which means neither.
	 */
	if (!splice && ((s->msg->msg_flags & MSG_MORE && record_len < len) ||
			(more && s->control)))
		return -EINVAL;
	ret = check_send(s, record_len);
	if (!ret && unlikely(s->info.number_ptr))
		ret = dtls_seal_clear_number(s);
	if (ret)
		return ret;

	/* The records of a splice are sent at once and never go to the cork. */
	if (!splice && (more || READ_ONCE(ds->cork)) && record_len == len)
		ret = dtls_cork_send(s, len, more);
	else
		ret = send_records(s, len);
	/*
	 * The iterator must stand behind the bytes that were sent, as a caller
	 * that tries again goes on from there.
	 */
	if (unlikely(ret != (ssize_t)len))
		iov_iter_revert(iter, before - iov_iter_count(iter) -
				      max_t(ssize_t, ret, 0));
	return ret;
}

/*
 * send_sealed() sends the message under the write key of @s->assoc. Returns
 * what send_protected() returns, or -ENOKEY.
 */
static ssize_t send_sealed(struct dtls_send *s, size_t len)
{
	ssize_t ret;

	s->epoch = dtls_assoc_tx(s->assoc);
	if (!s->epoch)
		return -ENOKEY;
	ret = names_another(s) ? -EISCONN : send_protected(s, len);
	dtls_epoch_put(s->epoch);
	return ret;
}

/*
 * send_to_one() sends a message on a socket with a table to one of its
 * associations. If both DTLS_ASSOC and DTLS_RECORD_INFO tell a number, it must
 * be the same.
 */
static noinline ssize_t send_to_one(struct dtls_send *s, size_t len)
{
	u8 control[DTLS_CONTROL_ROOM] __aligned(sizeof(long)) __uninitialized;
	const struct msghdr *msg = s->msg;
	struct dtls_dest dest __uninitialized;
	u64 id = s->id ?: s->info.id;
	ssize_t ret;

	if (s->info.id && s->info.id != id)
		return -EINVAL;
	ret = dtls_dest_find(s->ds, &dest, id, msg->msg_name,
			     msg->msg_namelen);
	if (ret)
		return ret;
	s->assoc = dest.assoc;
	s->dest = &dest;
	if (!s->control)
		s->control = control;
	s->control_len += dtls_dest_put_source(s->ds, &dest, s->control +
							     s->control_len);
	ret = send_sealed(s, len);
	if (s->control == control)
		s->control = NULL;	/* dtls_sendmsg() frees what is allocated. */
	dtls_assoc_put(dest.assoc);
	return ret;
}

/* send_to_peer() sends a message on a connected socket to its peer. */
static ssize_t send_to_peer(struct dtls_send *s, size_t len)
{
	if (s->id || s->info.id)
		return -ENOENT;
	return send_sealed(s, len);
}

/*
 * dtls_sendmsg() is the sendmsg of struct proto. The base gets nothing but
 * ciphertext, except for a datagram that is marked DTLS_RECORD_RAW. The
 * function sleeps: for the cipher, for memory, and in the base for the send
 * buffer.
 */
int dtls_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct dtls_sock *ds = dtls_sk(sk);
	struct dtls_send s = {
		.ds = ds,
		.assoc = READ_ONCE(ds->assoc),
		.msg = msg,
		.flags = msg->msg_flags & DTLS_BASE_FLAGS,
		.segment = READ_ONCE(ds->gso_size),
		.type = DTLS_CT_APPLICATION_DATA,
		.dontfrag = -1,
	};
	ssize_t ret;

	ret = -EOPNOTSUPP;
	if (msg->msg_flags & (MSG_OOB | MSG_ZEROCOPY))
		goto out;
	if (msg->msg_flags & MSG_PROBE)
		return len;	/* MSG_PROBE asks UDP to send nothing. */
	/* UDP has the same limit. A splice is cut into records. */
	ret = -EMSGSIZE;
	if (len > 0xffff && !(msg->msg_flags & MSG_SPLICE_PAGES))
		goto out;

	if (msg->msg_controllen) {
		ret = dtls_cmsg_parse(&s);
		if (ret)
			goto out;
	}
	if (s.info.flags & DTLS_RECORD_RAW)
		ret = send_raw(&s, len);
	else if (unlikely(dtls_sock_table(ds)))
		ret = send_to_one(&s, len);
	else
		ret = send_to_peer(&s, len);
out:
	if (ret < 0)
		dtls_stats_inc(ds, DTLS_STAT_TX_ERRORS);
	/* kfree() costs 30 instructions for NULL, too. */
	if (unlikely(s.control_len))
		kfree(s.control);
	return ret;
}
