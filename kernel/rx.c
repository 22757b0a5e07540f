// SPDX-License-Identifier: GPL-2.0
/*
 * This file decides what becomes of a received record. In the order of the calls:
 *
 *   dtls_intake_next()	in intake.c, cuts a record out of a datagram and admits it
 *   dtls_rx_open()	opens the record if there is a key for its epoch; otherwise
 *			keeps it for a key to come, shows it to the library, or
 *			drops it
 *   settle_run()	finds out whether the record is the first of its number
 *   place_record()	in look.c, gives the record to the user or to a queue
 *   dtls_wait_done()	in wait.c, wakes tasks that wait for records left behind
 *
 * All of these functions run in the reader's context, and several readers may be
 * in them at the same time. No lock is held during crypto and the copy to the user.
 *
 * A record that cannot be delivered is dropped and counted. It changes neither
 * the association nor the socket, as anybody can send it (RFC 6347 4.1.2.7).
 */
#include <linux/jiffies.h>
#include <linux/skbuff.h>
#include <net/sock.h>

#include "assoc.h"
#include "control.h"
#include "crypt.h"
#include "dgram.h"
#include "early.h"
#include "epoch.h"
#include "msg.h"
#include "ready.h"
#include "record.h"
#include "replay.h"
#include "rest.h"
#include "run.h"
#include "rx.h"
#include "scratch.h"
#include "sock.h"
#include "stats.h"
#include "succeed.h"
#include "trace.h"
#include "wait.h"

/* drop_record() counts a record of @rx as dropped, for the reason @what. */
static void drop_record(struct dtls_sock *ds, struct dtls_run *rx,
			enum dtls_count what)
{
	dtls_stats_count(ds, rx->assoc, what);
	rx->why = dtls_stats_drop_reason(what);
}

/*
 * checksum_wrong() returns true if the UDP checksum of the datagram of @rx is wrong,
 * and counts @rx as dropped then.
 */
static bool checksum_wrong(struct dtls_sock *ds, struct dtls_run *rx)
{
	if (dtls_rest_intact(ds, rx))
		return false;
	dtls_stats_count(ds, rx->assoc, DTLS_COUNT_RX_MALFORMED);
	rx->why = SKB_DROP_REASON_UDP_CSUM;
	return true;
}

/*
 * queue_raw() puts the @i-th record of @rx, which cannot be verified here, into the
 * control queue as it was received. The library reads it there.
 */
static void queue_raw(struct dtls_sock *ds, struct dtls_run *rx, unsigned int i)
{
	unsigned int len = dtls_run_size(rx);
	struct dtls_msg *m;

	if (checksum_wrong(ds, rx))
		return;
	m = dtls_control_new(ds, rx->assoc, rx->skb, len, true);
	if (!m)
		return;
	if (skb_copy_bits(rx->skb, rx->offset + i * len, m->data, len)) {
		drop_record(ds, rx, DTLS_COUNT_RX_NO_BUDGET);
		dtls_msg_put(ds, m);
		return;
	}
	m->info.type = rx->rec.type;
	m->info.epoch = rx->rec.unified ? DTLS13_EPOCH_HANDSHAKE :
					  rx->rec.epoch;
	m->info.seq = rx->rec.unified ? 0 : rx->rec.seq + i;
	m->info.flags = DTLS_RECORD_RAW;
	dtls_control_queue(ds, m);
}

/*
 * show_unverified() shows the library a record that may be of a new handshake. A
 * peer that lost its state starts anew on the same port and counts epochs from
 * the beginning (RFC 6347 4.2.8, RFC 9147 5.11). What its handshake sends under
 * the new keys does not verify under the keys here, but the library has the new
 * keys. A unified header tells such a record by the last bits of the epoch alone.
 * A record of DTLS 1.2 that bears a connection ID of this association belongs to
 * no other association. Return true if the record was shown.
 */
static bool show_unverified(struct dtls_sock *ds, struct dtls_run *rx,
			    unsigned int i)
{
	bool ours = rx->rec.type == DTLS_CT_TLS12_CID && rx->has_cid;

	if (ours || !dtls_may_be_handshake(&rx->rec))
		return false;
	queue_raw(ds, rx, i);
	return true;
}

/*
 * drop_junk() counts @rx as dropped for the reason @what, and against the number of
 * such records that one datagram may have.
 */
static void drop_junk(struct dtls_sock *ds, struct dtls_run *rx,
		      enum dtls_count what)
{
	drop_record(ds, rx, what);
	dtls_rest_junk(ds, rx, DTLS_DGRAM_USELESS);
}

/*
 * show_raw() puts @rx, for which there is no key, into the control queue, and counts it
 * against the number of such records that one datagram may have.
 */
static void show_raw(struct dtls_sock *ds, struct dtls_run *rx)
{
	queue_raw(ds, rx, 0);
	dtls_rest_junk(ds, rx, DTLS_DGRAM_UNVERIFIED);
}

/*
 * route_unopened() decides about a record for whose epoch there is no read key. A
 * record of a handshake goes to the library, which has or will have the key. Protected
 * application data of the next epoch waits for its key. Other records are dropped.
 */
static void route_unopened(struct dtls_sock *ds, struct dtls_run *rx)
{
	bool unified = rx->rec.unified;
	bool data = rx->rec.type == DTLS_CT_APPLICATION_DATA ||
		    rx->rec.type == DTLS_CT_TLS12_CID || unified;

	if (dtls_sock_table(ds) && rx->assoc == ds->assoc) {
		queue_raw(ds, rx, 0);	/* This is a datagram of a stranger. */
	} else if (unlikely(rcu_access_pointer(rx->assoc->home) != ds)) {
		if (!checksum_wrong(ds, rx))
			dtls_early_pass_on(ds, rx);
	} else if (unified && rx->rec.epoch == DTLS13_EPOCH_HANDSHAKE) {
		show_raw(ds, rx);	/* The library has the keys. */
	} else if (!rx->rec.epoch && data) {
		drop_junk(ds, rx, DTLS_COUNT_RX_MALFORMED);
	} else if (!rx->rec.epoch) {
		show_raw(ds, rx);
	} else if (rx->rec.epoch <= rx->newest) {
		drop_junk(ds, rx, DTLS_COUNT_RX_NO_KEY);
		show_unverified(ds, rx, 0);
	} else if (!data) {
		show_raw(ds, rx);
	} else if (dtls_run_early(rx)) {
		if (checksum_wrong(ds, rx))
			return;
		dtls_early_keep(ds, rx);
		show_unverified(ds, rx, 0);
		dtls_rest_junk(ds, rx, DTLS_DGRAM_UNVERIFIED);
	} else {
		drop_junk(ds, rx, DTLS_COUNT_RX_NO_KEY);
	}
}

/*
 * alert_is_fatal() returns true if @alert, which is not close_notify, ends the
 * association. In DTLS 1.2 the level tells (RFC 5246 7.2). In DTLS 1.3 every alert but
 * user_canceled is fatal, whatever its level is (RFC 8446 6).
 */
static bool alert_is_fatal(const struct dtls_assoc *assoc, const u8 *alert)
{
	if (dtls_is_13(dtls_assoc_version(assoc)))
		return alert[1] != DTLS_ALERT_USER_CANCELED;
	return alert[0] == DTLS_ALERT_FATAL;
}

/*
 * reset_home() sets the error of the socket that has @assoc, whose peer has sent a fatal
 * alert, if that socket is a connected one. The error of a socket with a table is not
 * set, as the alert concerns one association: its owner reads the record from the
 * control queue. A socket that peels the association off later finds the alert, too.
 */
static noinline void reset_home(struct dtls_sock *ds, struct dtls_assoc *assoc)
{
	struct dtls_sock *home = dtls_sock_lock_home(ds, assoc);

	assoc->reset = true;
	if (dtls_sock_has(home, assoc) && !dtls_sock_number(home, assoc)) {
		WRITE_ONCE(home->sk->sk_err, ECONNRESET);
		sk_error_report(home->sk);
	}
	dtls_wait_unlock_home(ds, home);
}

/* heed_alert() acts on an alert in a record that was verified. */
static void heed_alert(struct dtls_sock *ds, struct dtls_run *rx,
		       const u8 *alert, int len)
{
	if (len != DTLS_ALERT_SIZE)
		return;
	if (alert[1] == DTLS_ALERT_CLOSE_NOTIFY) {
		spin_lock(&ds->lock);
		rx->goodbye = true;
		spin_unlock(&ds->lock);
	} else if (alert_is_fatal(rx->assoc, alert)) {
		reset_home(ds, rx->assoc);
	}
}

/*
 * mark_received() marks the authentic records in @set as received and returns those
 * that nobody received before. All of them were inside the window when
 * dtls_admit_run() looked. If another reader or a change of the window's size has
 * moved the window past one since then, the record is still accepted, as this end
 * caused the delay.
 * If a window was imported meanwhile, dtls_rx_import() has cleared the fresh bits of
 * the numbers that it refuses. The caller holds the association's lock.
 */
static u64 mark_received(struct dtls_assoc *assoc, const struct dtls_run *rx,
			 u64 set)
{
	struct dtls_replay *window = &rx->epoch->replay;
	u64 seq = rx->rec.seq, first;
	unsigned int i;

	lockdep_assert_held(&assoc->lock);
	first = dtls_replay_mark_run(window, seq, rx->n, set);
	if (first != set)
		for (i = 0; i < rx->n; i++)
			if (dtls_replay_left(window, seq + i))
				first |= set & BIT_ULL(i);
	return first;
}

/**
 * dtls_rx_import() - mark numbers in a replay window that were received elsewhere
 * @assoc:	the association
 * @epoch:	a read epoch of @assoc, with a reference
 * @next:	dtls_window.next
 * @seen:	dtls_window.seen
 *
 * Records under way whose numbers the window refuses now are dropped. Takes the lock of
 * @assoc.
 *
 * Return: false if @next is less than that of the window; nothing is changed then.
 */
bool dtls_rx_import(struct dtls_assoc *assoc, struct dtls_epoch *epoch,
		    u64 next, const u64 *seen)
{
	struct dtls_run *rx;
	bool done;

	spin_lock(&assoc->lock);
	done = dtls_replay_import(&epoch->replay, next, seen);
	if (done)
		hlist_for_each_entry(rx, &assoc->under_way, under_way)
			if (rx->epoch == epoch)
				rx->fresh &= dtls_replay_check_run(&epoch->replay,
								   rx->rec.seq,
								   rx->n);
	spin_unlock(&assoc->lock);
	return done;
}

/*
 * outdo_copies() clears the fresh bits of records with the same numbers as those of
 * @rx that other readers are still decrypting, so that they are dropped as replays.
 * The records of @rx were marked first. The caller holds the association's lock.
 */
static void outdo_copies(struct dtls_assoc *assoc, const struct dtls_run *rx)
{
	struct dtls_run *other;

	lockdep_assert_held(&assoc->lock);
	hlist_for_each_entry(other, &assoc->under_way, under_way) {
		s64 ahead = other->rec.seq - rx->rec.seq;

		if (other->epoch != rx->epoch)
			continue;
		if (ahead >= 0 && ahead < rx->n)
			other->fresh &= ~(rx->fresh >> ahead);
		else if (ahead < 0 && -ahead < other->n)
			other->fresh &= ~(rx->fresh << -ahead);
	}
}

/* judge_record() returns the verdict about an authentic record that is no replay. */
static int judge_record(const struct dtls_run *rx, const struct dtls_opened *o)
{
	if (o->len < 0 || o->len > rx->epoch->key.max_plaintext)
		return DTLS_RX_DONE;
	if (o->type != DTLS_CT_APPLICATION_DATA)
		return DTLS_RX_CONTROL;
	/* A record without content is dropped, as recv() returns 0 at the end of file. */
	return o->len ? DTLS_RX_DATA : DTLS_RX_DONE;
}

/*
 * settle_run() decides which records of @rx are delivered: those that are @authentic
 * and the first of their number. It marks them as received in the replay window, clears
 * the other bits of @rx->fresh, and sets the verdict of each record. @rx is not under way
 * any more. No record of an association without a home is delivered: the association was
 * deleted. Takes the association's lock. Returns how many records are application data.
 */
static unsigned int settle_run(struct dtls_sock *ds, struct dtls_run *rx,
			       u64 authentic)
{
	struct dtls_assoc *assoc = rx->assoc;
	unsigned int i, records = 0, bytes = 0;
	u64 fresh;

	spin_lock(&assoc->lock);
	__hlist_del(&rx->under_way);
	fresh = mark_received(assoc, rx,
			      rcu_access_pointer(assoc->home) ?
			      rx->fresh & authentic : 0);
	rx->fresh = fresh;
	if (fresh) {
		assoc->heard_tick = get_jiffies_64();
		if (unlikely(!rx->epoch->used))
			dtls_assoc_used(assoc, rx->epoch);
		outdo_copies(assoc, rx);
	}
	for (i = 0; i < rx->n; i++) {
		struct dtls_opened *o = &rx->opened[i];

		o->verdict = fresh >> i & 1 ? judge_record(rx, o) : DTLS_RX_DONE;
		if (o->verdict != DTLS_RX_DATA)
			continue;
		trace_dtls_open(ds->sk, rx->rec.epoch, rx->rec.seq + i, o->type,
				o->len);
		records++;
		bytes += o->len;
	}
	assoc->rx_records += records;
	assoc->rx_bytes += bytes;
	spin_unlock(&assoc->lock);

	dtls_stats_add(ds, DTLS_STAT_RX_RECORDS, records);
	dtls_stats_add(ds, DTLS_STAT_RX_BYTES, bytes);
	return records;
}

/* count_failure() counts a record that could not be opened, for the reason @err. */
static void count_failure(struct dtls_sock *ds, struct dtls_run *rx, int err)
{
	if (err == -EBADMSG) {
		drop_junk(ds, rx, DTLS_COUNT_RX_AUTH_FAILED);
		dtls_control_forgeries(ds, rx->assoc, rx->epoch);
	} else if (err == -EKEYEXPIRED) {
		drop_junk(ds, rx, DTLS_COUNT_RX_EXPIRED);
		dtls_control_forgeries(ds, rx->assoc, rx->epoch);
	} else if (err == -ENOKEY) {
		drop_junk(ds, rx, DTLS_COUNT_RX_NO_KEY);
	} else if (err == -EMSGSIZE) {
		drop_junk(ds, rx, DTLS_COUNT_RX_MALFORMED);
	} else {
		drop_record(ds, rx, DTLS_COUNT_RX_NO_BUDGET);
	}
}

/*
 * conclude_record() handles the @i-th record of @rx, which is not application data to
 * be delivered: it counts the record, acts on a verified alert, and shows the library a
 * record that may be of a new handshake.
 */
static void conclude_record(struct dtls_sock *ds, struct dtls_run *rx,
			    unsigned int i, u64 authentic)
{
	struct dtls_opened *o = &rx->opened[i];

	if (o->content && !(authentic >> i & 1)) {
		count_failure(ds, rx, o->len);
		show_unverified(ds, rx, i);
		if (o->len == -ENOMEM)
			o->verdict = -ENOMEM;
	} else if (!(rx->fresh >> i & 1)) {
		drop_record(ds, rx, DTLS_COUNT_RX_REPLAYS);
		/*
		 * A peer that begins anew counts from 0 again, so that the
		 * records of its handshake look like replays. With a unified
		 * header the record is more likely a copy of application data.
		 * A replay that is not shown does not count against its datagram,
		 * unless succeed.c has tried it with another association: records
		 * behind it, sealed in one batch, may be fresh.
		 */
		if (!rx->rec.unified && show_unverified(ds, rx, i))
			dtls_rest_junk(ds, rx, DTLS_DGRAM_UNVERIFIED);
	} else if (o->verdict == DTLS_RX_CONTROL) {
		if (o->type == DTLS_CT_ALERT)
			heed_alert(ds, rx, o->content, o->len);
	} else if (o->len < 0) {
		drop_record(ds, rx, DTLS_COUNT_RX_MALFORMED);
	} else if (o->len > 0) {
		drop_record(ds, rx, DTLS_COUNT_RX_OVERSIZE);
	} else {
		dtls_stats_count(ds, rx->assoc, DTLS_COUNT_RX_EMPTY);
	}
}

/*
 * pass_foreign() copies a datagram of another protocol to the scratch as if it were an
 * opened record of application data (RFC 7983, DTLS_PASS).
 */
static void pass_foreign(struct dtls_sock *ds, struct dtls_run *rx,
			 struct dtls_scratch *scratch)
{
	struct dtls_opened *o = &rx->opened[0];
	unsigned int len = dtls_run_size(rx);

	o->verdict = DTLS_RX_DONE;
	if (len > DTLS_RECORD_SIZE_MAX) {
		drop_record(ds, rx, DTLS_COUNT_RX_OVERSIZE);
		return;
	}
	if (checksum_wrong(ds, rx))
		return;
	if (skb_copy_bits(rx->skb, rx->offset, scratch->content, len)) {
		drop_record(ds, rx, DTLS_COUNT_RX_NO_BUDGET);
		return;
	}
	o->content = scratch->content;
	o->len = len;
	o->type = 0;
	o->verdict = DTLS_RX_DATA;
}

/*
 * dtls_rx_open() opens the records of @rx into @scratch->content and sets a verdict for
 * each; see enum dtls_verdict. A record that cannot be opened is kept for its key,
 * queued for the library, or dropped. Sleeps.
 */
void dtls_rx_open(struct dtls_sock *ds, struct dtls_run *rx,
		  struct dtls_scratch *scratch)
{
	unsigned int i;
	u64 authentic;

	if (unlikely(rx->foreign)) {
		pass_foreign(ds, rx, scratch);
		return;
	}
	authentic = rx->epoch ? dtls_crypt_open(scratch, rx) : 0;
	if (unlikely(!authentic) && dtls_succeed_try(ds, rx, scratch))
		authentic = 1;
	if (!rx->epoch) {
		route_unopened(ds, rx);
		rx->opened[0].verdict = DTLS_RX_DONE;
		return;
	}

	if (settle_run(ds, rx, authentic) < rx->n)
		for (i = 0; i < rx->n; i++)
			if (rx->opened[i].verdict != DTLS_RX_DATA)
				conclude_record(ds, rx, i, authentic);
	if (unlikely(READ_ONCE(rx->assoc->succeeds)) && rx->fresh)
		dtls_succeed(ds, rx);
	dtls_epoch_put(rx->epoch);
}

/*
 * dtls_rx_info() fills in @info for the @i-th record of @rx, which was opened, but for
 * the number of its association, which is another one on another socket.
 */
void dtls_rx_info(const struct dtls_run *rx, unsigned int i,
		  struct dtls_record_info *info)
{
	*info = (struct dtls_record_info) {
		.epoch = rx->rec.epoch,
		.seq = rx->rec.seq + i,
		.type = rx->opened[i].type,
	};
	if (dtls_run_replayable(rx))
		info->flags = DTLS_RECORD_REPLAYABLE;
	if (rx->foreign)
		info->flags = DTLS_RECORD_RAW;
}

/* fill_msg() copies the @i-th record of @rx to @m, which was made for its length. */
static void fill_msg(struct dtls_msg *m, const struct dtls_run *rx,
		     unsigned int i)
{
	memcpy(m->data, rx->opened[i].content, m->len);
	m->rec = rx->rec;
	m->rec.cid = NULL;
	m->dgram = rx->dgram;
	dtls_rx_info(rx, i, &m->info);
}

static void keep_control(struct dtls_sock *ds, const struct dtls_run *rx,
			 unsigned int i)
{
	struct dtls_msg *m = dtls_control_new(ds, rx->assoc, rx->skb,
					      rx->opened[i].len, false);

	if (!m)
		return;
	fill_msg(m, rx, i);
	dtls_control_queue(ds, m);
}

static int keep_data(struct dtls_sock *ds, const struct dtls_run *rx,
		     unsigned int i)
{
	struct dtls_msg *m = dtls_msg_new(rx->assoc, rx->skb, rx->opened[i].len);

	if (!m || !dtls_msg_hold(ds, m->skb, DTLS_CHARGE_RECEIVED)) {
		dtls_msg_put(ds, m);
		dtls_stats_count(ds, rx->assoc, DTLS_COUNT_RX_NO_BUDGET);
		return -ENOBUFS;
	}
	fill_msg(m, rx, i);
	dtls_ready_queue(ds, m);
	return 0;
}

/*
 * dtls_rx_keep() puts the @i-th record of @rx, which the reader does not take, into the
 * queue that its verdict names. dtls_wait_done() wakes the tasks that wait for it.
 * Returns 0; or -ENOBUFS if an application record was dropped for want of memory, here
 * or when it was opened, as it may be the one that the caller wants. A control record
 * that its budget has no room for is counted as dropped, and 0 is returned.
 */
int dtls_rx_keep(struct dtls_sock *ds, const struct dtls_run *rx,
		 unsigned int i)
{
	int verdict = rx->opened[i].verdict;

	switch (verdict) {
	case DTLS_RX_CONTROL:
		keep_control(ds, rx, i);
		return 0;
	case DTLS_RX_DATA:
		return keep_data(ds, rx, i);
	}
	return verdict < 0 ? -ENOBUFS : 0;
}
