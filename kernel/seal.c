// SPDX-License-Identifier: GPL-2.0
/*
 * This file makes records of what a program sends. The caller provides the
 * memory. The plaintext is copied there once, and the records are sealed where
 * they lie.
 */
#include <linux/highmem.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "batch.h"
#include "compat.h"
#include "control.h"
#include "crypt.h"
#include "epoch.h"
#include "mask.h"
#include "scratch.h"
#include "seal.h"
#include "send.h"
#include "sock.h"
#include "stats.h"
#include "trace.h"

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
int dtls_seal_clear_number(const struct dtls_send *s)
{
	return clear_user(u64_to_user_ptr(s->info.number_ptr),
			  sizeof(struct dtls_record_number)) ? -EFAULT : 0;
}

/*
 * take_seq() takes @n sequence numbers from the write epoch, and counts a key
 * that has none left. Returns what dtls_epoch_take_seq() returns.
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

/* copy_to_places() copies the content of @run to where it will be sealed. */
static int copy_to_places(struct dtls_send *s, const struct dtls_seal_run *run)
{
	struct dtls_spot spot = run->spot;
	const struct bio_vec *pages;
	size_t len = run->len, part;
	unsigned int i;
	u8 *record;

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
 * dtls_seal_copy() copies the caller's next @run->len bytes to where they will
 * be sealed, or to where they wait for it. The content of several short records
 * is copied at once to the end of the linear memory, and seal_run() moves each
 * part to its place. A record is longer than its content, so no record is
 * written over content that still waits. Returns 0 or -EFAULT.
 */
int dtls_seal_copy(struct dtls_send *s, const struct dtls_batch *batch,
		   struct dtls_seal_run *run)
{
	run->wait = NULL;
	if (!batch->linear)
		return copy_to_places(s, run);
	if (run->n == 1)
		return copy_in(s, batch->linear + run->head, run->len) ? 0 :
								     -EFAULT;
	run->wait = batch->linear + batch->len - run->len;
	return copy_in(s, run->wait, run->len) ? 0 : -EFAULT;
}

/*
 * seal_run() seals the first @n records of @run with the sequence numbers from
 * @seq on. Sleeps. Returns 0 or an error, after which records may still be
 * plaintext.
 */
static int seal_run(struct dtls_send *s, const struct dtls_seal_run *run,
		    struct dtls_scratch *scratch, unsigned int n, u64 seq)
{
	const struct dtls_epoch *epoch = s->epoch;
	const struct dtls_key *key = &epoch->key;
	size_t len = run->len, part = run->segment, size = run->size;
	struct dtls_spot spot = run->spot;
	u8 *wait = run->wait;
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
int dtls_seal_make(struct dtls_send *s, const struct dtls_seal_run *run)
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
		err = seal_run(s, run, scratch, n, seq);
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
