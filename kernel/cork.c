// SPDX-License-Identifier: GPL-2.0
/*
 * The cork puts several records into one datagram, as MSG_MORE and UDP_CORK ask
 * for.
 */
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <net/sock.h>

#include "batch.h"
#include "cork.h"
#include "epoch.h"
#include "push.h"
#include "seal.h"
#include "send.h"
#include "sock.h"
#include "wait.h"

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

static void free_cork(struct dtls_cork *cork)
{
	dtls_batch_free(&cork->batch);
	if (cork->frag.page)
		put_page(cork->frag.page);
	kfree(cork);
}

/*
 * push_cork() sends the records in the cork as one datagram, and frees the cork. If the
 * base refuses the datagram because the send buffer is full, or because a signal came while
 * the base waited for room, the cork stays for a caller who tries again. Returns 0 or an
 * error.
 */
static int push_cork(struct dtls_send *s)
{
	struct dtls_cork *cork = s->ds->cork;
	ssize_t sent;

	lockdep_assert_held(&s->ds->cork_lock);
	sent = cork->batch.len ? dtls_push_batch(s, &cork->batch, 0) : 0;
	if (sent == -EAGAIN || sent == -EINTR || sent == -ERESTARTSYS)
		return sent;
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
 * drop_last() takes the last record out of @cork, which had @len bytes and @frag before. The
 * next record begins where this one did, as struct dtls_cork has pieces for records that lie
 * side by side. A page that the record began holds nothing else.
 */
static void drop_last(struct dtls_cork *cork, size_t len,
		      const struct page_frag *frag)
{
	dtls_batch_cut(&cork->batch, len);
	cork->frag.offset = cork->frag.page == frag->page ? frag->offset : 0;
}

/*
 * add_to_cork() makes one record of the caller's next @len bytes in @cork.
 * Returns 0; or an error, and the records that are in the cork stay there.
 */
static int add_to_cork(struct dtls_send *s, struct dtls_cork *cork,
		       size_t len, bool more)
{
	struct dtls_batch *batch = &cork->batch;
	struct page_frag frag = cork->frag;
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
		ret = dtls_seal_make(s, &run);
	if (ret < 0)
		drop_last(cork, before, &frag);
	return min(ret, 0);
}

/*
 * dtls_cork_send() adds a record of @len bytes of content to the cork and,
 * unless @more records follow, sends the datagram. If the record does not fit, or
 * if the datagram cannot be sent yet, the datagram stays as it was. Takes
 * dtls_sock.cork_lock. Returns @len or an error.
 */
ssize_t dtls_cork_send(struct dtls_send *s, size_t len, bool more)
{
	struct dtls_sock *ds = s->ds;
	struct page_frag frag = {};
	struct dtls_cork *cork;
	ssize_t ret = -ENOMEM;
	size_t before = 0;

	if (mutex_lock_interruptible(&ds->cork_lock))
		return -ERESTARTSYS;
	cork = get_cork(ds);
	if (cork) {
		before = cork->batch.len;
		frag = cork->frag;
		ret = add_to_cork(s, cork, len, more);
	}
	if (!ret && !more) {
		ret = push_cork(s);
		/* The caller sends the content of this record again. */
		if (ds->cork)
			drop_last(cork, before, &frag);
	}
	if (!ret) {
		dtls_send_count(s, 1, len);
		ret = len;
	}
	mutex_unlock(&ds->cork_lock);
	return ret;
}

/*
 * dtls_cork_flush() sends the records in the cork as one datagram, when
 * UDP_CORK is cleared or a splice ends. It waits for room in the send buffer unless the
 * file is non-blocking. As in UDP, an error that was waiting on the socket goes on waiting;
 * the base would give it instead of sending. Takes dtls_sock.cork_lock. Returns 0 or an
 * error; the cork is still there if that is -EAGAIN, -EINTR or -ERESTARTSYS.
 */
int dtls_cork_flush(struct dtls_sock *ds)
{
	const struct file *file = ds->sk->sk_socket->file;
	struct dtls_send s = { .ds = ds };
	int err = 0, pending;

	if (file && READ_ONCE(file->f_flags) & O_NONBLOCK)
		s.flags = MSG_DONTWAIT;
	mutex_lock(&ds->cork_lock);
	if (ds->cork) {
		pending = sock_error(ds->sk);
		err = push_cork(&s);
		if (pending)
			dtls_wait_put_error(ds->sk, pending);
	}
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
