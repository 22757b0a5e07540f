// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of a record. In the order of the calls:
 *
 *   dtls_intake_next()	in intake.c, cuts it out of a datagram and admits it
 *   dtls_rx_open()	by its epoch: opens it, keeps it for a key to come, shows
 *			it to the library, or drops it
 *   settle_run()	says whether it is the first of its number
 *   dtls_recvmsg()	in recv.c, to the user; or dtls_rx_keep(), to a queue
 *   dtls_wait_done()	in wait.c, wakes who is told of what is left
 *
 * All of it runs in the reader's context, and several readers may be in it at
 * once. Crypto and the copy to the user are under no lock.
 *
 * A record that cannot be delivered is dropped and counted. It changes neither
 * the association nor the socket, as anybody can send it (RFC 6347 4.1.2.7).
 */
#include <linux/skbuff.h>
#include <net/sock.h>

#include "assoc.h"
#include "control.h"
#include "crypt.h"
#include "early.h"
#include "epoch.h"
#include "intake.h"
#include "msg.h"
#include "record.h"
#include "replay.h"
#include "run.h"
#include "rx.h"
#include "scratch.h"
#include "sock.h"
#include "stats.h"
#include "trace.h"
#include "wait.h"

/* Count a record of @rx as dropped. */
static void drop_record(struct dtls_sock *ds, struct dtls_run *rx,
			enum dtls_count what)
{
	dtls_stats_count(ds, what);
	rx->why = dtls_stats_drop_reason(what);
}

/* Return true, and count it, if the datagram of @rx was damaged. */
static bool checksum_wrong(struct dtls_sock *ds, struct dtls_run *rx)
{
	if (dtls_intake_intact(ds, rx))
		return false;
	dtls_stats_count(ds, DTLS_COUNT_RX_MALFORMED);
	rx->why = SKB_DROP_REASON_UDP_CSUM;
	return true;
}

/* Give the library a record that cannot be verified here, as it came. */
static void queue_raw(struct dtls_sock *ds, struct dtls_run *rx, unsigned int i)
{
	unsigned int len = dtls_run_size(rx);
	struct dtls_msg *m;

	if (checksum_wrong(ds, rx))
		return;
	m = dtls_control_new(ds, rx->skb, len, true);
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
 * A peer that lost its state starts anew on the same port and counts epochs
 * from the beginning (RFC 6347 4.2.8, RFC 9147 5.11): what its handshake sends
 * under the new keys does not verify under ours. The library has those keys. Of
 * a unified header there are only the epoch's last bits to tell it by. A record
 * of DTLS 1.2 that bears a connection ID of this association is not of another.
 */
static void show_unverified(struct dtls_sock *ds, struct dtls_run *rx,
			    unsigned int i)
{
	bool ours = rx->rec.type == DTLS_CT_TLS12_CID && rx->has_cid;

	if (!ours && dtls_may_be_handshake(&rx->rec))
		queue_raw(ds, rx, i);
}

/* Likewise a record of which a datagram may have no more than a few. */
static void drop_junk(struct dtls_sock *ds, struct dtls_run *rx,
		      enum dtls_count what)
{
	drop_record(ds, rx, what);
	dtls_intake_junk(ds, rx);
}

/* Without a read key for its epoch, a record waits, is shown, or goes. */
static void route_unopened(struct dtls_sock *ds, struct dtls_run *rx)
{
	bool unified = rx->rec.unified;
	bool data = rx->rec.type == DTLS_CT_APPLICATION_DATA ||
		    rx->rec.type == DTLS_CT_TLS12_CID || unified;

	if (unified && rx->rec.epoch == DTLS13_EPOCH_HANDSHAKE) {
		queue_raw(ds, rx, 0);	/* the library has the keys */
	} else if (!rx->rec.epoch && data) {
		drop_junk(ds, rx, DTLS_COUNT_RX_MALFORMED);
	} else if (!rx->rec.epoch) {
		queue_raw(ds, rx, 0);
	} else if (rx->rec.epoch <= rx->newest) {
		drop_junk(ds, rx, DTLS_COUNT_RX_NO_KEY);
		show_unverified(ds, rx, 0);
	} else if (!data) {
		queue_raw(ds, rx, 0);
	} else if (!rx->newest || unified ||
		   rx->rec.epoch == rx->newest + 1) {
		if (checksum_wrong(ds, rx))
			return;
		dtls_early_keep(ds, rx);
		show_unverified(ds, rx, 0);
	} else {
		drop_junk(ds, rx, DTLS_COUNT_RX_NO_KEY);
	}
}

/* RFC 5246 7.2; RFC 8446 6: all but two are fatal, whatever the level */
static bool alert_is_fatal(const struct dtls_assoc *assoc, const u8 *alert)
{
	if (dtls_is_13(assoc->version))
		return alert[1] != DTLS_ALERT_USER_CANCELED;
	return alert[0] == DTLS_ALERT_FATAL;
}

/* From a peer whose tag was verified */
static void heed_alert(struct dtls_sock *ds, struct dtls_run *rx,
		       const u8 *alert, int len)
{
	struct sock *sk = ds->sk;

	if (len != DTLS_ALERT_SIZE)
		return;
	if (alert[1] == DTLS_ALERT_CLOSE_NOTIFY) {
		spin_lock(&ds->lock);
		rx->goodbye = true;
		spin_unlock(&ds->lock);
	} else if (alert_is_fatal(dtls_sock_assoc(ds), alert)) {
		WRITE_ONCE(sk->sk_err, ECONNRESET);
		sk_error_report(sk);
	}
}

/*
 * Mark the authentic records in @set as received and return those that nobody
 * received before. All of them were inside the window when admit_run() looked. If
 * another reader, or another size, has moved the window past one since then, the
 * record is still accepted, as the delay was here. A window that was imported in
 * between has taken the fresh bit of what it refuses. Under the association's
 * lock.
 */
static u64 mark_received(const struct dtls_run *rx, u64 set)
{
	struct dtls_replay *window = &rx->epoch->replay;
	u64 seq = rx->rec.seq, first;
	unsigned int i;

	first = dtls_replay_mark_run(window, seq, rx->n, set);
	if (first != set)
		for (i = 0; i < rx->n; i++)
			if (dtls_replay_left(window, seq + i))
				first |= set & BIT_ULL(i);
	return first;
}

/**
 * dtls_rx_import() - add what others know of an epoch's replay window
 * @assoc:	association
 * @epoch:	read epoch of its, with a reference
 * @next:	as in struct dtls_window
 * @seen:	likewise
 *
 * What the window refuses from now on, it refuses of the records under way too.
 *
 * Return: false if @next lies below the window's; nothing is changed then.
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

/* Of two records with one number under way, the other one is not fresh now. */
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

/* What becomes of a record that is authentic and the first of its number */
static int judge_record(const struct dtls_run *rx, const struct dtls_opened *o)
{
	if (o->len < 0 || o->len > rx->epoch->key.max_plaintext)
		return DTLS_RX_DONE;
	if (o->type != DTLS_CT_APPLICATION_DATA)
		return DTLS_RX_CONTROL;
	/* recv() returning 0 means end of file. */
	return o->len ? DTLS_RX_DATA : DTLS_RX_DONE;
}

/*
 * @rx are no longer under way, and only those of them stay fresh that are
 * @authentic and the first of their number. They are marked so, for those to
 * come and those under way. Returns how many are application data.
 */
static unsigned int settle_run(struct dtls_sock *ds, struct dtls_run *rx,
			       u64 authentic)
{
	struct dtls_assoc *assoc = dtls_sock_assoc(ds);
	unsigned int i, records = 0, bytes = 0;
	u64 fresh;

	spin_lock(&assoc->lock);
	__hlist_del(&rx->under_way);
	fresh = mark_received(rx, rx->fresh & authentic);
	rx->fresh = fresh;
	if (fresh) {
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

/* Tell the library how the forgeries stand to the read key's limit. */
static void tell_forgeries(struct dtls_sock *ds, struct dtls_epoch *epoch)
{
	static const u16 events[] = {
		DTLS_EVENT_RX_LIMIT, DTLS_EVENT_RX_EXPIRED,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (dtls_epoch_rx_warn(epoch, events[i]))
			dtls_control_event(ds, epoch, events[i]);
}

/* Why a record could not be opened. A forgery is what the AEAD calls one. */
static void count_failure(struct dtls_sock *ds, struct dtls_run *rx, int err)
{
	if (err == -EBADMSG) {
		drop_junk(ds, rx, DTLS_COUNT_RX_AUTH_FAILED);
		tell_forgeries(ds, rx->epoch);
	} else if (err == -EKEYEXPIRED) {
		drop_junk(ds, rx, DTLS_COUNT_RX_EXPIRED);
		tell_forgeries(ds, rx->epoch);
	} else if (err == -ENOKEY) {
		drop_junk(ds, rx, DTLS_COUNT_RX_NO_KEY);
	} else if (err == -EMSGSIZE) {
		drop_junk(ds, rx, DTLS_COUNT_RX_MALFORMED);
	} else {
		drop_record(ds, rx, DTLS_COUNT_RX_NO_BUDGET);
	}
}

/* What becomes of the @i-th record if it is not fresh application data */
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
		/* A unified one is likelier the network's copy of some data. */
		if (!rx->rec.unified)
			show_unverified(ds, rx, i);
	} else if (o->verdict == DTLS_RX_CONTROL) {
		if (o->type == DTLS_CT_ALERT)
			heed_alert(ds, rx, o->content, o->len);
	} else if (o->len < 0) {
		drop_record(ds, rx, DTLS_COUNT_RX_MALFORMED);
	} else if (o->len > 0) {
		drop_record(ds, rx, DTLS_COUNT_RX_OVERSIZE);
	} else {
		dtls_stats_count(ds, DTLS_COUNT_RX_EMPTY);
	}
}

/*
 * Open the records of @rx into @scratch->content, or find them another place,
 * as each one's verdict says. Sleeps.
 */
void dtls_rx_open(struct dtls_sock *ds, struct dtls_run *rx,
		  struct dtls_scratch *scratch)
{
	unsigned int i;
	u64 authentic;

	if (!rx->epoch) {
		route_unopened(ds, rx);
		rx->opened[0].verdict = DTLS_RX_DONE;
		return;
	}

	authentic = dtls_crypt_open(&rx->epoch->key, scratch, rx);
	if (settle_run(ds, rx, authentic) < rx->n)
		for (i = 0; i < rx->n; i++)
			if (rx->opened[i].verdict != DTLS_RX_DATA)
				conclude_record(ds, rx, i, authentic);
	dtls_epoch_put(rx->epoch);
}

/* What there is to know of the @i-th record, opened */
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
}

/* Make @m, which has the length for it, the @i-th record of @rx. */
static void fill_msg(struct dtls_msg *m, const struct dtls_run *rx,
		     unsigned int i)
{
	memcpy(m->data, rx->opened[i].content, m->len);
	m->rec = rx->rec;
	m->rec.cid = NULL;
	m->dgram = rx->dgram;
	dtls_rx_info(rx, i, &m->info);
}

/* Queue the application record @m; @oldest: before all others. */
void dtls_rx_queue_ready(struct dtls_sock *ds, struct dtls_msg *m, bool oldest)
{
	spin_lock(&ds->lock);
	if (oldest)
		list_add(&m->list, &ds->ready);
	else
		list_add_tail(&m->list, &ds->ready);
	WRITE_ONCE(ds->ready_bytes, ds->ready_bytes + m->skb->truesize);
	dtls_wait_news(ds);
	spin_unlock(&ds->lock);
}

static void keep_control(struct dtls_sock *ds, const struct dtls_run *rx,
			 unsigned int i)
{
	struct dtls_msg *m = dtls_control_new(ds, rx->skb, rx->opened[i].len,
					      false);

	if (!m)
		return;
	fill_msg(m, rx, i);
	dtls_control_queue(ds, m);
}

static int keep_data(struct dtls_sock *ds, const struct dtls_run *rx,
		     unsigned int i)
{
	struct dtls_msg *m = dtls_msg_new(rx->skb, rx->opened[i].len);

	if (!m || !dtls_msg_hold(ds, m->skb, DTLS_CHARGE_RECEIVED)) {
		dtls_msg_put(ds, m);
		dtls_stats_count(ds, DTLS_COUNT_RX_NO_BUDGET);
		return -ENOBUFS;
	}
	fill_msg(m, rx, i);
	dtls_rx_queue_ready(ds, m, false);
	return 0;
}

/*
 * Keep the @i-th record of @rx, which nobody takes at once, in the queue that
 * its verdict names. dtls_wait_done() wakes who waits for it. Return -ENOBUFS if
 * an application record was dropped for want of memory, here or when it was
 * opened: the caller would have got it. A control record has a budget, and one
 * that is dropped is counted alone.
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
