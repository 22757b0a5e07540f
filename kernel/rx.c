// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of a record, top to bottom:
 *
 *   dtls_rx_next()	in intake.c, cuts it out of a datagram and admits it
 *   dtls_rx_open()	by its epoch: opens it, keeps it for a key to come, shows
 *			it to the library, or drops it
 *   settle()		says whether it is the first of its number
 *   dtls_recvmsg()	in recv.c, to the user; or dtls_rx_fill(), to a queue
 *
 * All of it runs in the reader's context, and several readers may be in it at
 * once. Crypto and the copy to the user are under no lock.
 *
 * What cannot be delivered is dropped without a word and counted. It harms
 * neither association nor socket: anybody can send it (RFC 6347 4.1.2.7).
 */
#include "dtls.h"
#include "trace.h"

/* RFC 8446 6 */
#define ALERT_CLOSE_NOTIFY	0
#define ALERT_USER_CANCELED	90

/* An AEAD's tag makes the checksum superfluous; without a key there is none. */
static bool checksum_wrong(struct dtls_sock *ds, struct sk_buff *skb)
{
	if (skb_csum_unnecessary(skb) || !__skb_checksum_complete(skb))
		return false;
	dtls_count(ds, DTLS_COUNT_RX_MALFORMED);
	return true;
}

/* A record nobody here can verify goes to the library as it came. */
static void queue_raw(struct dtls_sock *ds, struct dtls_rx *rx)
{
	unsigned int len = rx->rec.header_len + rx->rec.fragment_len;
	struct sk_buff *headers;
	struct dtls_msg *m;

	if (checksum_wrong(ds, rx->skb))
		return;
	headers = dtls_cut(rx->skb, 0, 0);
	m = headers ? dtls_msg_new(ds, headers, len) : NULL;
	if (!m || skb_copy_bits(rx->skb, rx->offset, m->data, len)) {
		dtls_count(ds, DTLS_COUNT_RX_NO_BUDGET);
		dtls_msg_put(ds, m);
		return;
	}
	m->info.type = rx->rec.type;
	m->info.epoch = rx->rec.unified ? DTLS13_EPOCH_HANDSHAKE :
					  rx->rec.epoch;
	m->info.seq = rx->rec.unified ? 0 : rx->rec.seq;
	m->info.flags = DTLS_RECORD_RAW;
	dtls_control_queue(ds, m);
}

/*
 * A peer that lost its state starts anew on the same port and counts epochs
 * from the beginning (RFC 6347 4.2.8, RFC 9147 5.11): what its handshake sends
 * under the new keys does not verify under ours. The library has those keys. Of
 * a unified header there are only the epoch's last bits to tell it by.
 */
static void show_unverified(struct dtls_sock *ds, struct dtls_rx *rx)
{
	if (rx->rec.type == DTLS_CT_HANDSHAKE || dtls_may_be_handshake(&rx->rec))
		queue_raw(ds, rx);
}

/* Without a read key for its epoch, a record waits, is shown, or goes. */
static void route_unopened(struct dtls_sock *ds, struct dtls_rx *rx)
{
	bool unified = rx->rec.unified;
	bool data = rx->rec.type == DTLS_CT_APPLICATION_DATA ||
		    rx->rec.type == DTLS_CT_TLS12_CID || unified;

	if (unified && rx->rec.epoch == DTLS13_EPOCH_HANDSHAKE) {
		queue_raw(ds, rx);	/* the library has the keys */
	} else if (!rx->rec.epoch && data) {
		dtls_count(ds, DTLS_COUNT_RX_MALFORMED);
	} else if (!rx->rec.epoch) {
		queue_raw(ds, rx);
	} else if (rx->rec.epoch <= rx->newest) {
		dtls_count(ds, DTLS_COUNT_RX_NO_KEY);
		show_unverified(ds, rx);
	} else if (!data) {
		queue_raw(ds, rx);
	} else if (!rx->newest || unified ||
		   rx->rec.epoch == rx->newest + 1) {
		if (checksum_wrong(ds, rx->skb))
			return;
		dtls_rx_keep_early(ds, rx);
		show_unverified(ds, rx);
	} else {
		dtls_count(ds, DTLS_COUNT_RX_NO_KEY);
	}
}

/* RFC 5246 7.2; RFC 8446 6: all but two are fatal, whatever the level */
static bool alert_is_fatal(const struct dtls_assoc *assoc, const u8 *alert)
{
	if (dtls_is_13(assoc->version))
		return alert[1] != ALERT_USER_CANCELED;
	return alert[0] == 2;
}

/* From a peer whose tag was verified */
static void heed_alert(struct dtls_sock *ds, struct dtls_assoc *assoc,
		       const u8 *alert, int len)
{
	struct sock *sk = ds->sk;

	if (len != 2)
		return;
	if (alert[1] == ALERT_CLOSE_NOTIFY) {
		WRITE_ONCE(assoc->eof, true);
		dtls_rx_wake(sk);
	} else if (alert_is_fatal(assoc, alert)) {
		WRITE_ONCE(sk->sk_err, ECONNRESET);
		sk_error_report(sk);
	}
}

static bool authentic(const struct dtls_rx *rx)
{
	return rx->len >= 0 || rx->len == -EPROTO;
}

/*
 * Is this authentic record, the @i-th of @rx, the first of its number? It was
 * in the window when it came; that it fell out since then is our doing.
 */
static bool first_of_number(struct dtls_replay *window,
			    const struct dtls_rx *rx, unsigned int i)
{
	u64 seq = rx[i].rec.seq;

	if (dtls_replay_mark(window, seq))
		return true;
	if (seq + window->size >= window->next)
		return false;
	while (i--)
		if (rx[i].fresh && rx[i].rec.seq == seq)
			return false;
	return true;
}

/*
 * @rx are no longer under way. Those that are authentic and the first of their
 * number are marked so, for those to come and those under way. Returns how many
 * are fresh application data.
 */
static unsigned int settle(struct dtls_sock *ds, struct dtls_rx *rx)
{
	struct dtls_assoc *assoc = dtls_sock_assoc(ds);
	unsigned int i, j, n = rx->n, records = 0, bytes = 0;
	struct dtls_epoch *epoch = rx->epoch;
	struct dtls_rx *other;

	spin_lock(&assoc->lock);
	hlist_del(&rx->under_way);
	for (i = 0; i < n; i++) {
		struct dtls_rx *r = &rx[i];

		if (!r->fresh)
			continue;
		r->fresh = authentic(r) &&
			   first_of_number(&epoch->replay, rx, i);
		if (!r->fresh)
			continue;
		if (unlikely(!epoch->used))
			dtls_assoc_used(assoc, epoch);
		hlist_for_each_entry(other, &assoc->under_way, under_way)
			for (j = 0; other->epoch == epoch && j < other->n; j++)
				if (other[j].rec.seq == r->rec.seq)
					other[j].fresh = false;
		if (r->verdict == DTLS_RX_DATA) {
			trace_dtls_open(ds->sk, r->rec.epoch, r->rec.seq,
					r->type, r->len);
			records++;
			bytes += r->len;
		}
	}
	assoc->rx_records += records;
	assoc->rx_bytes += bytes;
	spin_unlock(&assoc->lock);

	dtls_stat_add(ds, DTLS_STAT_RX_RECORDS, records);
	dtls_stat_add(ds, DTLS_STAT_RX_BYTES, bytes);
	return records;
}

/*
 * RFC 9146 3: with a connection ID agreed on, every record has one; in DTLS 1.3
 * every datagram.
 */
static bool has_cid(const struct dtls_key *key, const struct dtls_rx *rx)
{
	if (rx->rec.unified && key->cid_len)
		return rx->has_cid;
	return rx->rec.cid_len == key->cid_len;
}

/* Why a record could not be opened. A forgery is what the AEAD calls one. */
static void count_failure(struct dtls_sock *ds, struct dtls_epoch *epoch,
			  int err)
{
	if (err == -EBADMSG) {
		dtls_count(ds, DTLS_COUNT_RX_AUTH_FAILED);
		if (dtls_epoch_rx_failed(epoch))
			dtls_control_event(ds, epoch->number,
					   DTLS_EVENT_RX_LIMIT);
	} else if (err == -ENOKEY) {
		dtls_count(ds, DTLS_COUNT_RX_NO_KEY);
	} else if (err == -EMSGSIZE) {
		dtls_count(ds, DTLS_COUNT_RX_MALFORMED);
	} else {
		dtls_count(ds, DTLS_COUNT_RX_NO_BUDGET);
	}
}

/* What dtls_open() made of a record, if it was the first of its number */
static int judge(const struct dtls_rx *rx)
{
	if (rx->len == 0 && rx->type == DTLS_CT_APPLICATION_DATA)
		return DTLS_RX_DONE;	/* recv() returning 0 means end of file */
	if (rx->len < 0 || rx->len > DTLS_RECORD_SIZE_MAX)
		return DTLS_RX_DONE;
	return rx->type == DTLS_CT_APPLICATION_DATA ? DTLS_RX_DATA :
						      DTLS_RX_CONTROL;
}

/* What becomes of a record that is not fresh application data */
static void conclude(struct dtls_sock *ds, struct dtls_epoch *epoch,
		     struct dtls_rx *rx)
{
	bool opened = rx->content;	/* it was no replay when it came */

	if (opened && !authentic(rx)) {
		count_failure(ds, epoch, rx->len);
		show_unverified(ds, rx);
		rx->verdict = rx->len == -ENOMEM ? -ENOMEM : DTLS_RX_DONE;
	} else if (!rx->fresh) {
		dtls_count(ds, DTLS_COUNT_RX_REPLAYS);
		/* A unified one is likelier the network's copy of some data. */
		if (!rx->rec.unified)
			show_unverified(ds, rx);
		rx->verdict = DTLS_RX_DONE;
	} else if (rx->verdict == DTLS_RX_CONTROL) {
		if (rx->type == DTLS_CT_ALERT)
			heed_alert(ds, dtls_sock_assoc(ds), rx->content,
				   rx->len);
	} else if (rx->len < 0) {
		dtls_count(ds, DTLS_COUNT_RX_MALFORMED);
	} else if (rx->len > 0) {
		dtls_count(ds, DTLS_COUNT_RX_OVERSIZE);
	} else {
		dtls_count(ds, DTLS_COUNT_RX_EMPTY);
	}
}

/*
 * Open @rx and those that came with it into @scratch->content, one behind the
 * other, or find them another place, as each one's verdict says. Sleeps.
 */
void dtls_rx_open(struct dtls_sock *ds, struct dtls_rx *rx,
		  struct dtls_scratch *scratch)
{
	struct dtls_rx *r, *end = rx + rx->n;
	struct dtls_epoch *epoch = rx->epoch;
	size_t place = 0;

	if (!epoch) {
		for (r = rx; r < end; r++) {
			route_unopened(ds, r);
			r->verdict = DTLS_RX_DONE;
		}
		return;
	}

	for (r = rx; r < end; r++) {
		r->verdict = DTLS_RX_DONE;
		r->content = NULL;
		if (!READ_ONCE(r->fresh))
			continue;
		place = dtls_place(place, r->rec.fragment_len);
		r->content = scratch->content + place;
		r->len = -ENOKEY;
		if (has_cid(&epoch->key, r))
			r->len = dtls_open(&epoch->key, scratch, &r->rec,
					   r->skb, r->offset, r->flat,
					   r->content, &r->type);
		r->verdict = judge(r);
		place += max(r->len, 0);
	}
	if (settle(ds, rx) < rx->n)
		for (r = rx; r < end; r++)
			if (!r->fresh || r->verdict != DTLS_RX_DATA)
				conclude(ds, epoch, r);
	dtls_epoch_put(epoch);
}

/* What there is to know of an opened record */
void dtls_rx_info(const struct dtls_rx *rx, struct dtls_record_info *info)
{
	*info = (struct dtls_record_info) {
		.epoch = rx->rec.epoch,
		.seq = rx->rec.seq,
		.type = rx->type,
	};
	if (dtls_rx_replayable(rx))
		info->flags = DTLS_RECORD_REPLAYABLE;
}

/* Turn an opened record into a message, with @skb, whose reference goes. */
static struct dtls_msg *make_msg(struct dtls_sock *ds, struct dtls_rx *rx,
				 struct sk_buff *skb)
{
	struct dtls_msg *m = skb ? dtls_msg_new(ds, skb, rx->len) : NULL;

	if (!m) {
		dtls_count(ds, DTLS_COUNT_RX_NO_BUDGET);
		return NULL;
	}
	memcpy(m->data, rx->content, rx->len);
	m->rec = rx->rec;
	m->rec.cid = NULL;
	dtls_rx_info(rx, &m->info);
	return m;
}

void dtls_rx_control(struct dtls_sock *ds, struct dtls_rx *rx)
{
	struct dtls_msg *m = make_msg(ds, rx, dtls_cut(rx->skb, 0, 0));

	if (m)
		dtls_control_queue(ds, m);
}

bool dtls_rx_ready(struct dtls_sock *ds, struct dtls_rx *rx)
{
	struct dtls_msg *m = make_msg(ds, rx, skb_get(rx->skb));

	if (!m)
		return false;
	spin_lock(&ds->lock);
	list_add_tail(&m->list, &ds->ready);
	spin_unlock(&ds->lock);
	return true;
}

/*
 * Work on what was received until an application record is ready (0) or, with
 * @control, a control record is; or there is nothing more (-EAGAIN).
 */
int dtls_rx_fill(struct dtls_sock *ds, bool control)
{
	unsigned int budget = dtls_rx_queued(ds);
	struct dtls_scratch *scratch;
	struct dtls_rx *rx;
	int err, verdict;

	scratch = dtls_scratch_get();
	if (!scratch)
		return -ENOMEM;
	rx = scratch->rx;
	for (;;) {
		if (control && !list_empty(&ds->control)) {
			err = 0;
			break;
		}
		if (control && atomic_read(&ds->sk->sk_rmem_alloc) >
			       READ_ONCE(ds->sk->sk_rcvbuf)) {
			err = -ENOBUFS;	/* read application data first */
			break;
		}
		err = dtls_rx_next(ds, rx, &budget);
		if (err)
			break;
		dtls_rx_open(ds, rx, scratch);
		verdict = rx->verdict;
		if (verdict == DTLS_RX_CONTROL)
			dtls_rx_control(ds, rx);
		else if (verdict == DTLS_RX_DATA && !dtls_rx_ready(ds, rx))
			verdict = -ENOMEM;
		consume_skb(rx->skb);
		if (verdict < 0 || (verdict == DTLS_RX_DATA && !control)) {
			err = min(verdict, 0);
			break;
		}
		cond_resched();
	}
	dtls_scratch_put(scratch);
	return err;
}

/*
 * Is an application record ready? For poll, whose yes must hold: so it opens
 * records until one is. An error that was waiting is put back.
 */
bool dtls_rx_poll(struct dtls_sock *ds)
{
	int err;

	if (!list_empty(&ds->ready))
		return true;
	if (!dtls_rx_unread(ds))
		return false;
	err = dtls_rx_fill(ds, false);
	if (err && err != -EAGAIN && err != -ENOMEM)
		WRITE_ONCE(ds->sk->sk_err, -err);
	dtls_rx_wake_next(ds);
	return !err;
}
