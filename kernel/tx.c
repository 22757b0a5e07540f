// SPDX-License-Identifier: GPL-2.0
/*
 * This file makes records of what a program sends. In the order of the calls:
 *
 *   dtls_sendmsg()	finds out what is asked for: dtls_cmsg_parse(), check_send()
 *   send_records()	makes batch after batch: it finds memory for the records,
 *			copies the plaintext there once, takes sequence numbers,
 *			and seals the records where they lie
 *   dtls_push_batch()	gives a batch to the base proto, as one GSO packet or as
 *			one datagram after the other
 *
 * Any number of tasks may seal on one socket at once. They share the sequence
 * number, which is atomic. The only lock of this module that they wait for is
 * dtls_sock.cork_lock. A sequence number is taken when nothing but the cipher
 * can fail any more. One sendmsg() makes one record, unless UDP_SEGMENT or
 * splice says where to cut.
 */
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/udp.h>
#include <linux/uio.h>
#include <net/udp.h>

#include "assoc.h"
#include "batch.h"
#include "compat.h"
#include "control.h"
#include "crypt.h"
#include "dest.h"
#include "epoch.h"
#include "mask.h"
#include "path.h"
#include "scratch.h"
#include "sock.h"
#include "stats.h"
#include "trace.h"
#include "tx.h"

/*
 * DTLS_BASE_FLAGS are the flags of the caller that are passed on to the base.
 */
#define DTLS_BASE_FLAGS	(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CONFIRM | \
			 MSG_DONTROUTE)

/*
 * This module adds at most two control messages to those of the caller: the
 * source address of dtls_dest_put_source() and UDP_SEGMENT. They take so many
 * bytes.
 */
#define DTLS_CONTROL_ROOM	(DTLS_DEST_SOURCE_MAX + CMSG_SPACE(sizeof(u16)))

/*
 * It is cheaper that the base copies one record of up to COPY_MAX bytes than
 * that it takes a reference to the record's page. For several records the limit
 * is DTLS_LINEAR_SIZE. Both were measured, for sender and receiver together.
 */
#define COPY_MAX	1024
static_assert(COPY_MAX <= DTLS_LINEAR_SIZE);

/**
 * struct dtls_send - one call of sendmsg()
 * @ds:		the socket
 * @assoc:	the association that the message goes to
 * @dest:	destination of the message on a socket with a table; NULL on a
 *		connected socket
 * @id:		number of the association from the control message DTLS_ASSOC,
 *		or 0
 * @epoch:	the write epoch, with a reference
 * @msg:	the caller's message
 * @flags:	MSG_* for the base
 * @segment:	bytes of plaintext of each record but the last; 0: the message
 *		is one record
 * @cut:	the call has a control message UDP_SEGMENT
 * @dontfrag:	value of the control message IPV6_DONTFRAG; negative: there is
 *		none
 * @type:	content type of the records
 * @info:	the control message DTLS_RECORD_INFO, if @has_info; else zero
 * @has_info:	the call has a control message DTLS_RECORD_INFO
 * @control:	control messages for the base, or NULL
 * @control_len: bytes of control messages at @control
 *
 * The structure lies on the stack of the call.
 */
struct dtls_send {
	struct dtls_sock *ds;
	struct dtls_assoc *assoc;
	struct dtls_dest *dest;
	u64 id;
	struct dtls_epoch *epoch;
	struct msghdr *msg;
	unsigned int flags;
	unsigned int segment;
	bool cut;
	int dontfrag;
	u8 type;
	struct dtls_record_info info;
	bool has_info;
	void *control;
	size_t control_len;
};

/**
 * struct dtls_seal_run - records that are made together
 * @spot:	the place in the batch where the first record lies
 * @n:		the number of records
 * @len:	bytes of content of all records
 * @segment:	bytes of content of each record but the last, which has the rest
 * @size:	bytes of each record but the last
 * @last:	bytes of the last record
 * @head:	bytes before the content of each record
 * @more:	another record will follow in the same datagram
 */
struct dtls_seal_run {
	struct dtls_spot spot;
	unsigned int n;
	size_t len;
	size_t segment;
	size_t size;
	size_t last;
	unsigned int head;
	bool more;
};

/**
 * struct dtls_cork - sealed records that wait for the end of their datagram
 * @batch:	the records
 * @frag:	the page that memory for the next record is taken from
 * @bvec:	pieces of memory of @batch
 *
 * The records lie in pages of the cork and not in those of the tasks that add
 * them, as the records of many tasks would be more pieces than a datagram
 * takes.
 */
struct dtls_cork {
	struct dtls_batch batch;
	struct page_frag frag;
	struct bio_vec bvec[DTLS_PIECES(DTLS_DATAGRAM_MAX)];
};

/* ---- datagrams to the base ---- */

/*
 * dtls_push_datagram() gives @len bytes to the base's sendmsg. Everything that
 * the module sends passes here. UDP must neither cut nor pack datagrams, so
 * options that a call inside UDP has set there since the attach are taken over
 * first.
 */
static int dtls_push_datagram(struct dtls_sock *ds, struct msghdr *msg,
			      size_t len)
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
 * dtls_push_batch() sends @batch: each record in a datagram of its own, where
 * records have @size bytes and the last one may be shorter; or all records in
 * one datagram, if @size is 0. Where GSO is not possible (no checksum offload,
 * IPsec, SO_NO_CHECK, a record larger than the path MTU), the same records are
 * sent one by one. They are not sealed again, so no nonce is used twice. If the
 * base cannot take references to all pages of one record
 * (net.core.max_skb_frags), it copies the record. Returns how many bytes of
 * records were sent, or an error if none were.
 */
static ssize_t dtls_push_batch(struct dtls_send *s, struct dtls_batch *batch,
			       size_t size)
{
	size_t pos = 0, len;
	int err = 0;

	if (size && batch->len > size) {
		err = base_send(s, batch, 0, batch->len, size);
		if (batch->linear)
			mark_copied();
		if (err >= 0)
			return batch->len;
		if (err != -EIO && err != -EINVAL && err != -EMSGSIZE)
			return err;
	}
	for (; pos < batch->len; pos += len) {
		len = size ? min(size, batch->len - pos) : batch->len;
		err = base_send(s, batch, pos, len, 0);
		if (err == -EMSGSIZE && batch->lent) {
			batch->lent = false;
			err = base_send(s, batch, pos, len, 0);
		}
		if (err < 0)
			break;
	}
	return pos ? pos : err;
}

/* ---- records ---- */

/*
 * tell_number() writes the epoch and the number of a record to the address that
 * the caller gave in dtls_record_info.number_ptr.
 */
static noinline int tell_number(const struct dtls_send *s, u64 seq)
{
	const struct dtls_record_number number = {
		.epoch = s->epoch->number,
		.seq = seq,
	};

	return copy_to_user(u64_to_user_ptr(s->info.number_ptr), &number,
			    sizeof(number)) ? -EFAULT : 0;
}

/*
 * dtls_seal_clear_number() writes zeros to where tell_number() will write, so
 * that a bad address is found before a sequence number is spent.
 */
static int dtls_seal_clear_number(const struct dtls_send *s)
{
	if (!s->info.number_ptr)
		return 0;
	return clear_user(u64_to_user_ptr(s->info.number_ptr),
			  sizeof(struct dtls_record_number)) ? -EFAULT : 0;
}

/*
 * dtls_send_count() counts @records that were sent, with @bytes of content.
 */
static void dtls_send_count(struct dtls_send *s, unsigned int records,
			      size_t bytes)
{
	struct dtls_assoc *assoc = s->assoc;

	atomic64_add(records, &assoc->count[DTLS_COUNT_TX_RECORDS]);
	atomic64_add(bytes, &assoc->count[DTLS_COUNT_TX_BYTES]);
	dtls_stats_add(s->ds, DTLS_STAT_TX_RECORDS, records);
	dtls_stats_add(s->ds, DTLS_STAT_TX_BYTES, bytes);
}

/*
 * take_seq() takes @n sequence numbers from the write epoch, counts a key that
 * has none left, and queues an event when the key comes near its limit. Returns
 * what dtls_epoch_take_seq() returns. Sleeps.
 */
static int take_seq(struct dtls_send *s, unsigned int n, u64 *seq)
{
	int taken = dtls_epoch_take_seq(s->epoch, n, seq);

	if (taken < 0)
		dtls_stats_inc(s->ds, DTLS_STAT_TX_EXPIRED);
	return taken;
}

/* tell_limit() tells the library when the write key comes near its limit. */
static void tell_limit(struct dtls_send *s)
{
	if (dtls_epoch_tx_warn(s->epoch))
		dtls_control_event(s->ds, s->assoc, s->epoch,
				   DTLS_EVENT_TX_LIMIT);
}

/*
 * dtls_seal_begin() fills in @run for @n records with @len bytes of content in
 * all, @segment bytes in each but the last. The caller has set @run->spot and
 * @run->more.
 */
static void dtls_seal_begin(struct dtls_seal_run *run,
			    const struct dtls_key *key, unsigned int n,
			    size_t segment, size_t len)
{
	run->n = n;
	run->len = len;
	run->head = dtls_key_head(key, run->more);
	run->last = dtls_key_size(key, len - (n - 1) * segment, run->more);
	run->segment = n > 1 ? segment : len;
	run->size = n > 1 ? dtls_key_size(key, segment, run->more) : run->last;
}

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
 * copy_in() copies the caller's next @len bytes to @to, in memory of a batch.
 * Unlike copy_from_iter(), copy_page_from_iter() does not check for stack and
 * slab memory, which is not needed here. Returns false if the caller's memory
 * cannot be read.
 */
static bool copy_in(struct dtls_send *s, u8 *to, size_t len)
{
	return copy_page_from_iter(virt_to_page(to), offset_in_page(to), len,
				   &s->msg->msg_iter) == len;
}

static bool copy_to_pages(struct dtls_send *s, const struct bio_vec *pages,
			  size_t pos, size_t len)
{
	size_t part, room;
	u8 *to;

	for (; len; len -= part, pos += part) {
		to = dtls_batch_pages_at(pages, pos, &room);
		part = min(len, room);
		if (!copy_in(s, to, part))
			return false;
	}
	return true;
}

/*
 * waiting_content() returns where the plaintext of several short records waits
 * to be sealed, or NULL if each part lies in its record. dtls_seal_copy()
 * copies this plaintext at once to the end of the linear memory, and seal_run()
 * moves each part to its place. A record is longer than its content, so no
 * record is written over plaintext that still waits.
 */
static u8 *waiting_content(const struct dtls_batch *batch,
			   const struct dtls_seal_run *run)
{
	if (!batch->linear || run->n == 1)
		return NULL;
	return batch->linear + batch->len - run->len;
}

/*
 * dtls_seal_copy() copies the caller's next @run->len bytes to where they will
 * be sealed, or to where they wait for it. Returns 0 or -EFAULT.
 */
static __always_inline int dtls_seal_copy(struct dtls_send *s,
					  const struct dtls_batch *batch,
					  const struct dtls_seal_run *run)
{
	struct dtls_spot spot = run->spot;
	u8 *wait = waiting_content(batch, run);
	const struct bio_vec *pages;
	size_t len = run->len, part;
	unsigned int i;
	u8 *record;

	if (wait)
		return copy_in(s, wait, len) ? 0 : -EFAULT;
	for (i = 1; i <= run->n; i++, len -= part) {
		part = i < run->n ? run->segment : len;
		record = dtls_batch_next(&spot, i < run->n ? run->size :
							    run->last, &pages);
		if (unlikely(pages)) {
			if (!copy_to_pages(s, pages, run->head, part))
				return -EFAULT;
		} else if (!copy_in(s, record + run->head, part)) {
			return -EFAULT;
		}
	}
	return 0;
}

/*
 * seal_run() seals the first @n records of @run with the sequence numbers from
 * @seq on. Sleeps. Returns 0 or an error, after which records may still be
 * plaintext.
 */
static int seal_run(struct dtls_send *s, const struct dtls_batch *batch,
		    const struct dtls_seal_run *run,
		    struct dtls_scratch *scratch, unsigned int n, u64 seq)
{
	const struct dtls_epoch *epoch = s->epoch;
	const struct dtls_key *key = &epoch->key;
	size_t len = run->len, part = run->segment, size = run->size;
	struct dtls_spot spot = run->spot;
	u8 *wait = waiting_content(batch, run);
	const struct bio_vec *pages;
	int err = 0;
	u8 *record;

	scratch->hold = dtls_mask_worth(key, n);
	dtls_crypt_seal_begin(key, scratch, part, s->type, epoch->number,
			      run->more);
	for (; n && !err; n--, len -= part, seq++) {
		if (len < part) {
			part = len;
			size = run->last;
			dtls_crypt_seal_begin(key, scratch, part, s->type,
					      epoch->number, run->more);
		}
		record = dtls_batch_next(&spot, size, &pages);
		if (wait) {
			memmove(record + run->head, wait, part);
			wait += part;
		}
		err = dtls_crypt_seal(key, scratch, record, pages, seq);
		if (!err)
			trace_dtls_seal(s->ds->sk, epoch->number, seq,
					s->type, part);
	}
	if (scratch->hold)
		err = dtls_crypt_seal_end(key, scratch) ?: err;
	return err;
}

/*
 * dtls_seal_make() takes sequence numbers for the records of @run and seals
 * them, after dtls_seal_copy(). Returns how many records were made, which are
 * fewer than @run->n if no more sequence numbers were left; or an error. The
 * scratch is given back before tell_number() writes to user space, and before
 * the base is called, which waits for room: user space can make both take for
 * ever. It is given back before tell_limit(), too, which may free messages and
 * with them the last reference to an association.
 */
static int dtls_seal_make(struct dtls_send *s, const struct dtls_batch *batch,
			  const struct dtls_seal_run *run)
{
	struct dtls_scratch *scratch = dtls_scratch_get(false);
	int n, err;
	u64 seq;

	if (!scratch)
		return -ENOBUFS;
	n = dtls_scratch_fit(scratch, &s->epoch->key);
	if (!n)
		n = take_seq(s, run->n, &seq);
	if (n > 0) {
		err = seal_run(s, batch, run, scratch, n, seq);
		if (err)
			n = err;
	}
	dtls_scratch_put(scratch);
	tell_limit(s);
	if (n > 0 && unlikely(s->info.number_ptr)) {
		/*
		 * If the number cannot be written for the caller, the record
		 * is not sent.
		 */
		err = tell_number(s, seq + n - 1);
		if (err)
			n = err;
	}
	return n;
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
	n = err ?: dtls_seal_make(s, batch, run);
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

/* ---- the cork ---- */

static void free_cork(struct dtls_cork *cork)
{
	dtls_batch_free(&cork->batch);
	if (cork->frag.page)
		put_page(cork->frag.page);
	kfree(cork);
}

static int push_cork(struct dtls_send *s)
{
	struct dtls_cork *cork = s->ds->cork;
	ssize_t sent;

	lockdep_assert_held(&s->ds->cork_lock);
	if (!cork)
		return 0;
	sent = cork->batch.len ? dtls_push_batch(s, &cork->batch, 0) : 0;
	WRITE_ONCE(s->ds->cork, NULL);
	free_cork(cork);
	return sent < 0 ? sent : 0;
}

static struct dtls_cork *get_cork(struct dtls_sock *ds)
{
	struct dtls_cork *cork = ds->cork;

	lockdep_assert_held(&ds->cork_lock);
	if (cork)
		return cork;
	cork = kzalloc(sizeof(*cork), GFP_KERNEL_ACCOUNT);
	if (!cork)
		return NULL;
	cork->batch.max = ARRAY_SIZE(cork->bvec);
	cork->batch.bvec = cork->bvec;
	WRITE_ONCE(ds->cork, cork);
	return cork;
}

/*
 * add_to_cork() makes one record of the caller's next @len bytes in @cork.
 * Returns 0; or an error, and the records that are in the cork stay there.
 */
static int add_to_cork(struct dtls_send *s, struct dtls_cork *cork,
		       size_t len, bool more)
{
	struct dtls_batch *batch = &cork->batch;
	size_t before = batch->len;
	struct dtls_seal_run run __uninitialized;
	int ret;

	run.spot = dtls_batch_end(batch);
	run.more = more;
	dtls_seal_begin(&run, &s->epoch->key, 1, len, len);
	if (before + run.size > DTLS_DATAGRAM_MAX)
		return -EMSGSIZE;
	if (!dtls_batch_add(batch, &cork->frag, run.size, 1))
		return -ENOBUFS;
	ret = dtls_seal_copy(s, batch, &run);
	if (!ret)
		ret = dtls_seal_make(s, batch, &run);
	if (ret < 0)
		dtls_batch_cut(batch, before);
	return min(ret, 0);
}

/*
 * dtls_cork_send() adds a record of @len bytes of content to the cork and,
 * unless @more records follow, sends the datagram. If the record does not fit,
 * the datagram stays as it is. Takes dtls_sock.cork_lock. Returns @len or an
 * error.
 */
static ssize_t dtls_cork_send(struct dtls_send *s, size_t len, bool more)
{
	struct dtls_sock *ds = s->ds;
	struct dtls_cork *cork;
	ssize_t ret = -ENOMEM;

	if (mutex_lock_interruptible(&ds->cork_lock))
		return -ERESTARTSYS;
	cork = get_cork(ds);
	if (cork)
		ret = add_to_cork(s, cork, len, more);
	if (!ret) {
		dtls_send_count(s, 1, len);
		if (!more)
			ret = push_cork(s);
	}
	if (!ret)
		ret = len;
	mutex_unlock(&ds->cork_lock);
	return ret;
}

/*
 * dtls_cork_flush() sends the records in the cork as one datagram, when
 * UDP_CORK is cleared or a splice ends. Takes dtls_sock.cork_lock. Returns 0 or
 * an error.
 */
int dtls_cork_flush(struct dtls_sock *ds, int flags)
{
	struct dtls_send s = { .ds = ds, .flags = flags & DTLS_BASE_FLAGS };
	int err;

	mutex_lock(&ds->cork_lock);
	err = push_cork(&s);
	mutex_unlock(&ds->cork_lock);
	return err;
}

/*
 * dtls_cork_purge() drops the records in the cork. dtls_close() calls it when
 * no other call is on the socket, so no lock is needed.
 */
void dtls_cork_purge(struct dtls_sock *ds)
{
	if (ds->cork)
		free_cork(ds->cork);
}

/* ---- control messages ---- */

/*
 * parse_info() copies the control message DTLS_RECORD_INFO to @s->info. The
 * structure of a program of another version may be shorter or longer; bytes
 * that this module does not know must be zero. Returns 0, -EINVAL or -E2BIG.
 */
static int parse_info(struct dtls_send *s, const struct cmsghdr *cmsg)
{
	size_t len = cmsg->cmsg_len - sizeof(*cmsg);
	size_t known = min(len, sizeof(s->info));
	const u8 *data = CMSG_DATA(cmsg);

	if (cmsg->cmsg_type != DTLS_RECORD_INFO ||
	    len < offsetofend(struct dtls_record_info, event))
		return -EINVAL;
	if (memchr_inv(data + known, 0, len - known))
		return -E2BIG;
	memset(&s->info, 0, sizeof(s->info));
	memcpy(&s->info, data, known);
	s->has_info = true;
	return 0;
}

/* parse_id() copies the number in the control message DTLS_ASSOC to @s->id. */
static int parse_id(struct dtls_send *s, const struct cmsghdr *cmsg)
{
	if (cmsg->cmsg_len != CMSG_LEN(sizeof(s->id)))
		return -EINVAL;
	memcpy(&s->id, CMSG_DATA(cmsg), sizeof(s->id));
	return 0;
}

/*
 * parse_dontfrag() copies the value of @cmsg to @s->dontfrag if @cmsg is
 * IPV6_DONTFRAG. The base gets that control message, too. It decides how long a
 * datagram may be, which check_send() has to know. Returns 0 or -EINVAL.
 */
static int parse_dontfrag(struct dtls_send *s, const struct cmsghdr *cmsg)
{
	if (cmsg->cmsg_level != SOL_IPV6 || cmsg->cmsg_type != IPV6_DONTFRAG ||
	    s->ds->sk->sk_family != AF_INET6)
		return 0;
	if (cmsg->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EINVAL;
	s->dontfrag = *(int *)CMSG_DATA(cmsg);
	return s->dontfrag < 0 || s->dontfrag > 1 ? -EINVAL : 0;
}

/*
 * dtls_cmsg_parse() reads the caller's control messages. Those of level
 * SOL_DTLS and UDP_SEGMENT, whose value is in bytes of plaintext, are for this
 * module. The others are copied to @s->control for the base, with
 * DTLS_CONTROL_ROOM behind them. Sleeps. Returns 0 or an error; @s->control is
 * the caller's to free in both cases.
 */
static int dtls_cmsg_parse(struct dtls_send *s)
{
	struct msghdr *msg = s->msg;
	struct cmsghdr *cmsg;
	int err;

	if (!msg->msg_controllen)
		return 0;
	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;
		if (cmsg->cmsg_level == SOL_DTLS) {
			err = cmsg->cmsg_type == DTLS_ASSOC ?
			      parse_id(s, cmsg) : parse_info(s, cmsg);
			if (err)
				return err;
		} else if (cmsg->cmsg_level == SOL_UDP) {
			if (cmsg->cmsg_type != UDP_SEGMENT ||
			    cmsg->cmsg_len != CMSG_LEN(sizeof(u16)))
				return -EINVAL;
			s->segment = *(u16 *)CMSG_DATA(cmsg);
			s->cut = true;
		} else {
			size_t space = CMSG_ALIGN(cmsg->cmsg_len);

			err = parse_dontfrag(s, cmsg);
			if (err)
				return err;
			if (!s->control)
				s->control = kzalloc(CMSG_ALIGN(msg->msg_controllen) +
						     DTLS_CONTROL_ROOM,
						     GFP_KERNEL_ACCOUNT);
			if (!s->control)
				return -ENOMEM;
			memcpy(s->control + s->control_len, cmsg,
			       cmsg->cmsg_len);
			s->control_len += space;
		}
	}
	return 0;
}

/*
 * dtls_tx_mtu() returns the bytes of content of the longest record under @key
 * that can now be sent in one piece to the peer of @flow or, if @flow is NULL,
 * to the connected peer; or 0 if that is unknown. Sleeps.
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
		return -EDESTADDRREQ;	/* ss -K has disconnected it. */
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
 * send_raw() gives the caller's bytes to the base as one datagram, as they are.
 * The library sends the handshake so, and a program datagrams of other
 * protocols. The options UDP_SEGMENT and UDP_CORK are about records and do not
 * matter here; a control message or a flag of the same meaning is refused.
 */
static int send_raw(struct dtls_send *s, size_t len)
{
	static const struct dtls_record_info raw = { .flags = DTLS_RECORD_RAW };
	struct msghdr msg = *s->msg;

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
	size_t record_len, before = iov_iter_count(iter), unsent;
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
	ret = check_send(s, record_len) ?: dtls_seal_clear_number(s);
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
	unsent = before - iov_iter_count(iter) - max_t(ssize_t, ret, 0);
	if (unsent)
		iov_iter_revert(iter, unsent);
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
	ret = send_protected(s, len);
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
		s->control = NULL;
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
		.assoc = ds->assoc,
		.msg = msg,
		.flags = msg->msg_flags & DTLS_BASE_FLAGS,
		.segment = READ_ONCE(ds->gso_size),
		.type = DTLS_CT_APPLICATION_DATA,
		.dontfrag = -1,
	};
	ssize_t ret;

	if (msg->msg_flags & (MSG_OOB | MSG_ZEROCOPY))
		return -EOPNOTSUPP;
	if (msg->msg_flags & MSG_PROBE)
		return len;	/* MSG_PROBE asks UDP to send nothing. */
	if (len > 0xffff && !(msg->msg_flags & MSG_SPLICE_PAGES))
		return -EMSGSIZE;

	ret = dtls_cmsg_parse(&s);
	if (ret)
		goto out;
	ret = -EISCONN;
	if (dtls_assoc_version(s.assoc) && msg->msg_name &&
	    !dtls_path_is_peer(sk, msg->msg_name, msg->msg_namelen))
		goto out;

	if (s.info.flags & DTLS_RECORD_RAW)
		ret = send_raw(&s, len);
	else if (unlikely(dtls_sock_table(ds)))
		ret = send_to_one(&s, len);
	else
		ret = send_to_peer(&s, len);
out:
	if (ret < 0)
		dtls_stats_inc(ds, DTLS_STAT_TX_ERRORS);
	kfree(s.control);
	return ret;
}
