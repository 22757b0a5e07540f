// SPDX-License-Identifier: GPL-2.0
/*
 * A writer's bytes on their way to the wire, top to bottom:
 *
 *   dtls_sendmsg()	what is asked for: parse_control(), check()
 *   send_records()	plaintext copied once, sealed where it lies, in batches
 *   push()		a batch to the base proto, as one GSO packet or one
 *			datagram after the other
 *
 * No lock is taken but the cork's: any number of tasks seal on one socket at
 * once, and the sequence number is the one thing they share. One sendmsg makes
 * one record, unless UDP_SEGMENT or splice says where to cut.
 */
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/dst.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/udp.h>

#include "compat.h"
#include "dtls.h"
#include "trace.h"

/* What the base may see of the caller's flags */
#define BASE_FLAGS	(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CONFIRM | \
			 MSG_DONTROUTE)

/* One datagram's payload, and a GSO packet's whatever its headers are */
#define DATAGRAM_MAX	65507
#define GSO_MAX		(65535 - 60 - 8)

/* Longer records are cheaper lent to the base than copied by it. */
#define COPY_MAX	1024

/* What one sendmsg asks for; on its stack */
struct tx {
	struct dtls_sock *ds;
	struct dtls_epoch *epoch;	/* a reference */
	struct dtls_scratch *scratch;
	const u8 *staged;		/* plaintext copied beforehand, or NULL */
	struct msghdr *msg;
	unsigned int flags;		/* for the base */
	unsigned int segment;		/* plaintext bytes a record; 0: all */
	u8 type;
	struct dtls_record_info info;
	bool has_info;
	void *control;			/* the user's cmsgs but those we ate */
	size_t control_len;
};

/* ---- batches ---- */

/* Records in one batch: dtls_place() must not make it more pages than an skb's */
static unsigned int batch_records(size_t size)
{
	unsigned int n = min_t(size_t, GSO_MAX / size ?: 1, UDP_MAX_SEGMENTS);

	if (size <= PAGE_SIZE / 2)
		n = min_t(size_t, n, (MAX_SKB_FRAGS - 1) * (PAGE_SIZE / size));
	return n;
}

/* Contiguous memory for @len bytes at the end of @batch, or NULL */
static u8 *batch_room(struct dtls_batch *batch, size_t len)
{
	struct page_frag *frag = &current->task_frag;
	struct bio_vec *last;
	u8 *room;

	if (batch->linear) {
		room = batch->linear + batch->len;
		batch->len += len;
		return room;
	}
	frag->offset = dtls_place(frag->offset, len);
	if (frag->page && frag->size < len) {
		/* Left from when memory was short; a refill would keep it. */
		put_page(frag->page);
		frag->page = NULL;
	}
	/* At a batch's start a refill may find that the page is free again. */
	if (!batch->nr || !frag->page || frag->offset + len > frag->size) {
		if (!skb_page_frag_refill(len, frag, GFP_KERNEL) ||
		    frag->size - frag->offset < len)
			return NULL;
	}

	last = batch->nr ? &batch->bvec[batch->nr - 1] : NULL;
	room = page_address(frag->page) + frag->offset;
	if (last && last->bv_page == frag->page &&
	    last->bv_offset + last->bv_len == frag->offset) {
		last->bv_len += len;
	} else {
		if (batch->nr == DTLS_BATCH_PAGES)
			return NULL;
		get_page(frag->page);
		bvec_set_page(&batch->bvec[batch->nr++], frag->page, len,
			      frag->offset);
	}
	frag->offset += len;
	batch->len += len;
	return room;
}

/* Give back what batch_room() gave last and nobody wrote a record to. */
static void batch_trim(struct dtls_batch *batch, size_t len)
{
	if (!batch->linear)
		batch->bvec[batch->nr - 1].bv_len -= len;
	batch->len -= len;
}

static void batch_free(struct dtls_batch *batch)
{
	while (batch->nr)
		put_page(batch->bvec[--batch->nr].bv_page);
	batch->len = 0;
}

/* ---- down ---- */

/* Every send goes down here; UDP must neither cut nor pack what it is given. */
static int to_base(struct dtls_sock *ds, struct msghdr *msg, size_t len)
{
	if (dtls_options_came(ds->sk))
		dtls_take_options(ds);
	return ds->base->sendmsg(ds->sk, msg, len);
}

/* One call of the base's sendmsg for @len bytes of @batch from @pos on */
static int base_send(struct tx *tx, struct dtls_batch *batch, size_t pos,
		     size_t len, u16 gso_size)
{
	u8 small[CMSG_SPACE(sizeof(u16))] __aligned(sizeof(long));
	struct msghdr msg = {
		.msg_flags = tx->flags,
		.msg_control = tx->control,
		.msg_controllen = tx->control_len,
	};
	struct kvec kvec;

	if (batch->linear) {
		kvec.iov_base = batch->linear + pos;
		kvec.iov_len = len;
		iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &kvec, 1, len);
	} else {
		msg.msg_flags |= DTLS_MSG_SPLICE_PAGES;
		iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, batch->bvec,
			      batch->nr, batch->len);
		if (pos)
			iov_iter_advance(&msg.msg_iter, pos);
		iov_iter_truncate(&msg.msg_iter, len);
	}

	if (gso_size) {
		struct cmsghdr *cmsg;

		/* parse_control() left room for it behind the others. */
		if (!tx->control)
			msg.msg_control = small;
		cmsg = msg.msg_control + tx->control_len;
		cmsg->cmsg_level = SOL_UDP;
		cmsg->cmsg_type = UDP_SEGMENT;
		cmsg->cmsg_len = CMSG_LEN(sizeof(u16));
		memcpy(CMSG_DATA(cmsg), &gso_size, sizeof(gso_size));
		msg.msg_controllen += CMSG_SPACE(sizeof(u16));
	}
	return to_base(tx->ds, &msg, len);
}

/*
 * Send @batch, records of @size bytes (the last may be shorter) in a datagram
 * each, or all in one if @size is 0. Where GSO cannot be had (no checksum
 * offload, IPsec, SO_NO_CHECK, a record larger than the path) the same records
 * go one by one. Returns bytes of ciphertext sent, or an error if none were.
 */
static ssize_t push(struct tx *tx, struct dtls_batch *batch, size_t size)
{
	size_t pos = 0, len;
	int err = 0;

	if (size && batch->len > size) {
		err = base_send(tx, batch, 0, batch->len, size);
		if (err >= 0)
			return batch->len;
		if (err != -EIO && err != -EINVAL && err != -EMSGSIZE)
			return err;
	}
	for (; pos < batch->len; pos += len) {
		len = size ? min(size, batch->len - pos) : batch->len;
		err = base_send(tx, batch, pos, len, 0);
		if (err < 0)
			break;
	}
	return pos ? pos : err;
}

/* ---- records ---- */

/* A handshake is acknowledged by its records' numbers: see struct dtls_info. */
static void note_number(struct tx *tx, u64 seq)
{
	struct dtls_sock *ds = tx->ds;

	spin_lock(&ds->lock);
	ds->sent_epoch = tx->epoch->number;
	ds->sent_seq = seq;
	spin_unlock(&ds->lock);
}

/*
 * From the caller to memory of whole pages, which a batch's and a scratch's is:
 * copy_from_iter() would first look for a stack or a slab.
 */
static bool copy_in(struct tx *tx, u8 *to, size_t len)
{
	return copy_page_from_iter(virt_to_page(to), offset_in_page(to), len,
				   &tx->msg->msg_iter) == len;
}

/* The records added from now on are of @len bytes of content each. */
static void begin_records(struct tx *tx, size_t len, bool more)
{
	dtls_seal_begin(&tx->epoch->key, tx->scratch, len, tx->type,
			tx->epoch->number, more);
}

/*
 * Seal the next bytes of the caller's data, as begin_records() has it, at the
 * end of @batch, where they take @size.
 */
static int add_record(struct tx *tx, struct dtls_batch *batch, size_t size,
		      u64 seq)
{
	unsigned int head = tx->scratch->sealing.head;
	size_t len = tx->scratch->sealing.len;
	u8 *record = batch_room(batch, size);
	int err;

	if (!record)
		return -ENOBUFS;
	if (tx->staged) {
		memcpy(record + head, tx->staged, len);
		tx->staged += len;
	} else if (!copy_in(tx, record + head, len)) {
		err = -EFAULT;
		goto trim;
	}
	err = dtls_seal(&tx->epoch->key, tx->scratch, record, seq);
	if (err)
		goto trim;
	if (tx->has_info)
		note_number(tx, seq);
	trace_dtls_seal(tx->ds->sk, tx->epoch->number, seq, tx->type, len);
	return 0;
trim:
	/* What is in there may be plaintext: it must not go down. */
	batch_trim(batch, size);
	return err;
}

static void count_sent(struct tx *tx, unsigned int records, size_t bytes)
{
	struct dtls_assoc *assoc = dtls_sock_assoc(tx->ds);

	atomic64_add(records, &assoc->count[DTLS_COUNT_TX_RECORDS]);
	atomic64_add(bytes, &assoc->count[DTLS_COUNT_TX_BYTES]);
	dtls_stat_add(tx->ds, DTLS_STAT_TX_RECORDS, records);
	dtls_stat_add(tx->ds, DTLS_STAT_TX_BYTES, bytes);
}

static int take_seq(struct tx *tx, unsigned int n, u64 *seq)
{
	int taken = dtls_epoch_take_seq(tx->epoch, n, seq);

	if (taken < 0)
		dtls_stat_inc(tx->ds, DTLS_STAT_TX_EXPIRED);
	if (dtls_epoch_tx_warn(tx->epoch))
		dtls_control_event(tx->ds, tx->epoch->number,
				   DTLS_EVENT_TX_LIMIT);
	return taken;
}

/*
 * Make @n records of @segment bytes, the last of what is left of @len, from
 * number @seq on. Lending pages costs more than to copy a few bytes; and a page
 * of small records is quicker copied from the user all at once.
 */
static int fill_batch(struct tx *tx, struct dtls_batch *batch, unsigned int n,
		      size_t segment, size_t len, u64 seq)
{
	size_t size = dtls_key_size(&tx->epoch->key, segment, false);
	struct dtls_scratch *scratch = tx->scratch;
	int err = 0;

	batch->nr = 0;
	batch->len = 0;
	batch->linear = NULL;
	tx->staged = NULL;
	if (n * size <= (n > 1 ? PAGE_SIZE : COPY_MAX)) {
		batch->linear = scratch->fragment;
		if (n > 1) {
			if (!copy_in(tx, scratch->content, len))
				return -EFAULT;
			tx->staged = scratch->content;
		}
	}
	scratch->masks->hold = dtls_mask_worth(&tx->epoch->key.mask, n);
	begin_records(tx, segment, false);
	while (n-- && !err) {
		if (len < segment) {
			segment = len;
			size = dtls_key_size(&tx->epoch->key, len, false);
			begin_records(tx, len, false);
		}
		err = add_record(tx, batch, size, seq++);
		len -= segment;
	}
	if (scratch->masks->hold)
		err = dtls_mask_batch(&tx->epoch->key, scratch) ?: err;
	return err;
}

/* The caller's @len bytes as records of tx->segment, batch after batch */
static ssize_t send_records(struct tx *tx, size_t len)
{
	size_t segment = tx->segment && tx->segment < len ? tx->segment : len;
	size_t size = dtls_key_size(&tx->epoch->key, segment, false);
	struct dtls_batch *batch = &tx->scratch->batch;
	unsigned int most = segment < len ? batch_records(size) : 1;
	size_t done = 0;
	ssize_t ret = 0;

	do {
		unsigned int n = most;
		ssize_t sent;
		size_t bytes;
		u64 seq;

		if ((size_t)n * segment > len - done)
			n = DIV_ROUND_UP(len - done, segment);
		ret = take_seq(tx, n, &seq);
		if (ret < 0)
			break;
		n = ret;
		bytes = min(n * segment, len - done);
		ret = fill_batch(tx, batch, n, segment, bytes, seq);
		sent = ret ?: push(tx, batch, size);
		if (sent < 0) {
			ret = sent;
		} else {
			/* In part? Then in whole records. */
			if (sent < batch->len) {
				n = sent / size;
				bytes = n * segment;
				ret = -EAGAIN;
			}
			count_sent(tx, n, bytes);
			done += bytes;
		}
		batch_free(batch);
	} while (!ret && done < len);

	return done ? done : ret;
}

/* ---- the cork: several records in one datagram ---- */

static int push_cork(struct tx *tx)
{
	struct dtls_batch *cork = tx->ds->cork;
	ssize_t sent;

	if (!cork)
		return 0;
	sent = cork->len ? push(tx, cork, 0) : 0;
	batch_free(cork);
	kfree(cork);
	WRITE_ONCE(tx->ds->cork, NULL);
	return sent < 0 ? sent : 0;
}

/*
 * Add to the cork, and let it go if this is the last. What does not fit leaves
 * the records before it alone.
 */
static ssize_t send_corked(struct tx *tx, size_t len, bool more)
{
	size_t size = dtls_key_size(&tx->epoch->key, len, more);
	struct dtls_sock *ds = tx->ds;
	ssize_t ret = -EMSGSIZE;
	u64 seq;

	if (mutex_lock_interruptible(&ds->cork_lock))
		return -ERESTARTSYS;
	if (!ds->cork) {
		ds->cork = kzalloc(sizeof(*ds->cork), GFP_KERNEL_ACCOUNT);
		if (!ds->cork) {
			ret = -ENOMEM;
			goto out;
		}
	}
	if (ds->cork->len + size > DATAGRAM_MAX)
		goto out;
	ret = take_seq(tx, 1, &seq);
	if (ret < 0)
		goto out;
	begin_records(tx, len, more);
	ret = add_record(tx, ds->cork, size, seq);
	if (ret)
		goto out;
	count_sent(tx, 1, len);
	if (!more)
		ret = push_cork(tx);
	if (!ret)
		ret = len;
out:
	mutex_unlock(&ds->cork_lock);
	return ret;
}

/* UDP_CORK off, or the end of a splice: send what waits. */
int dtls_tx_uncork(struct dtls_sock *ds, int flags)
{
	struct tx tx = { .ds = ds, .flags = flags & BASE_FLAGS };
	int err;

	mutex_lock(&ds->cork_lock);
	err = push_cork(&tx);
	mutex_unlock(&ds->cork_lock);
	return err;
}

/* From close(): nobody else is there. */
void dtls_tx_purge(struct dtls_sock *ds)
{
	if (ds->cork)
		batch_free(ds->cork);
	kfree(ds->cork);
}

/* ---- what is asked for ---- */

/* Copy a DTLS_RECORD_INFO, which may be shorter or longer than we know it. */
static int parse_info(struct tx *tx, const struct cmsghdr *cmsg)
{
	size_t len = cmsg->cmsg_len - sizeof(*cmsg);
	size_t known = min(len, sizeof(tx->info));
	const u8 *data = CMSG_DATA(cmsg);

	if (cmsg->cmsg_type != DTLS_RECORD_INFO ||
	    len < offsetofend(struct dtls_record_info, event))
		return -EINVAL;
	if (memchr_inv(data + known, 0, len - known))
		return -E2BIG;
	memset(&tx->info, 0, sizeof(tx->info));
	memcpy(&tx->info, data, known);
	tx->has_info = true;
	return tx->info.id ? -ENOENT : 0;
}

/*
 * Eat UDP_SEGMENT, whose value means plaintext, and our own cmsg; the rest is
 * for the base, with room behind it for the ciphertext's UDP_SEGMENT.
 */
static int parse_control(struct tx *tx)
{
	struct msghdr *msg = tx->msg;
	struct cmsghdr *cmsg;
	int err;

	if (!msg->msg_controllen)
		return 0;
	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;
		if (cmsg->cmsg_level == SOL_DTLS) {
			err = parse_info(tx, cmsg);
			if (err)
				return err;
		} else if (cmsg->cmsg_level == SOL_UDP) {
			if (cmsg->cmsg_type != UDP_SEGMENT ||
			    cmsg->cmsg_len != CMSG_LEN(sizeof(u16)))
				return -EINVAL;
			tx->segment = *(u16 *)CMSG_DATA(cmsg);
		} else {
			size_t space = CMSG_ALIGN(cmsg->cmsg_len);

			if (!tx->control)
				tx->control = kzalloc(CMSG_ALIGN(msg->msg_controllen) +
						      CMSG_SPACE(sizeof(u16)),
						      GFP_KERNEL);
			if (!tx->control)
				return -ENOMEM;
			memcpy(tx->control + tx->control_len, cmsg,
			       cmsg->cmsg_len);
			tx->control_len += space;
		}
	}
	return 0;
}

/* Is @name the address the socket is connected to? */
bool dtls_is_peer(const struct sock *sk, const void *name, int len)
{
	const struct sockaddr_in *sin = name;

	if (len < (int)sizeof(*sin) || sin->sin_family != sk->sk_family)
		return false;
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		const struct sockaddr_in6 *sin6 = name;

		return len >= SIN6_LEN_RFC2133 &&
		       sin6->sin6_port == inet_sk(sk)->inet_dport &&
		       ipv6_addr_equal(&sin6->sin6_addr, &sk->sk_v6_daddr);
	}
#endif
	return sin->sin_port == inet_sk(sk)->inet_dport &&
	       sin->sin_addr.s_addr == inet_sk(sk)->inet_daddr;
}

static unsigned int ip_overhead(struct sock *sk)
{
	unsigned int len = sizeof(struct iphdr) + sizeof(struct udphdr);
	struct ip_options_rcu *opt;

	rcu_read_lock();
	opt = rcu_dereference(inet_sk(sk)->inet_opt);
	if (opt)
		len += opt->opt.optlen;
	rcu_read_unlock();
	return len;
}

#if IS_ENABLED(CONFIG_IPV6)
static unsigned int ipv6_overhead(struct sock *sk)
{
	unsigned int len = sizeof(struct ipv6hdr) + sizeof(struct udphdr);
	struct ipv6_txoptions *opt;

	rcu_read_lock();
	opt = rcu_dereference(inet6_sk(sk)->opt);
	if (opt)
		len += opt->opt_flen + opt->opt_nflen;
	rcu_read_unlock();
	return len;
}
#endif

/* UDP payload the path takes in one piece; 0: there is no route now */
static unsigned int path_payload(struct sock *sk)
{
	struct dst_entry *dst = sk_dst_get(sk);
	unsigned int mtu, overhead;

	if (!dst)
		return 0;
	mtu = dst_mtu(dst);
	dst_release(dst);
	overhead = ip_overhead(sk);
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6)
		overhead = ipv6_overhead(sk);
#endif
	return mtu > overhead ? min(mtu - overhead, DATAGRAM_MAX) : 0;
}

/* Plaintext bytes that make one record that fits the path now; 0: unknown */
unsigned int dtls_tx_mtu(struct dtls_sock *ds, const struct dtls_key *key)
{
	unsigned int payload = path_payload(ds->sk), mtu;

	if (payload <= key->head + key->tail)
		return 0;
	mtu = min(payload - key->head - key->tail, DTLS_RECORD_SIZE_MAX);
	return dtls_key_size(key, mtu, false) <= payload ? mtu : 0;
}

static bool dont_fragment(const struct sock *sk)
{
	int pmtudisc = READ_ONCE(inet_sk(sk)->pmtudisc);

#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		pmtudisc = dtls_inet6_pmtudisc(sk);
		if (dtls_inet6_dontfrag(sk))
			return true;
	}
#endif
	return pmtudisc == IP_PMTUDISC_DO || pmtudisc == IP_PMTUDISC_PROBE;
}

/*
 * What would make the base refuse this send must do so before a sequence
 * number is spent: a program that retries would use the key up.
 */
static int check(struct tx *tx, size_t record_len)
{
	struct sock *sk = tx->ds->sk;
	unsigned int payload;
	int err;

	if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
		return -EPIPE;
	err = sock_error(sk);
	if (err)
		return err;
	if (sk->sk_state != TCP_ESTABLISHED)
		return -EDESTADDRREQ;	/* ss -K was here */
	if (record_len > DTLS_RECORD_SIZE_MAX)
		return -EMSGSIZE;
	if (dont_fragment(sk)) {
		payload = path_payload(sk);
		if (payload && dtls_key_size(&tx->epoch->key, record_len,
					     false) > payload)
			return -EMSGSIZE;
	}
	if (tx->flags & MSG_DONTWAIT &&
	    sk_wmem_alloc_get(sk) >= READ_ONCE(sk->sk_sndbuf)) {
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		return -EAGAIN;
	}
	return 0;
}

/* A datagram as it is: the handshake's own. Nothing here is application data. */
static int send_raw(struct tx *tx, size_t len)
{
	static const struct dtls_record_info raw = { .flags = DTLS_RECORD_RAW };
	struct msghdr msg = *tx->msg;

	if (memcmp(&tx->info, &raw, sizeof(raw)))
		return -EINVAL;
	msg.msg_flags = tx->flags;
	msg.msg_control = tx->control;
	msg.msg_controllen = tx->control_len;
	return to_base(tx->ds, &msg, len);
}

static int check_info(struct tx *tx)
{
	const struct dtls_record_info *info = &tx->info;
	bool v13 = dtls_is_13(tx->epoch->key.version);

	if (info->flags || info->event || info->reserved || info->seq ||
	    info->number_ptr ||
	    info->type < (v13 ? DTLS_CT_ALERT : DTLS_CT_CHANGE_CIPHER_SPEC) ||
	    info->type > (v13 ? DTLS_CT_ACK : DTLS_CT_HEARTBEAT) ||
	    info->type == DTLS_CT_TLS12_CID)
		return -EINVAL;
	if (info->epoch && info->epoch != tx->epoch->number)
		return -ESTALE;
	tx->type = info->type;
	return 0;
}

static ssize_t send_protected(struct tx *tx, size_t len)
{
	struct dtls_sock *ds = tx->ds;
	bool splice = tx->msg->msg_flags & MSG_SPLICE_PAGES;
	bool more = tx->msg->msg_flags & MSG_MORE || READ_ONCE(ds->corked);
	size_t record_len;
	ssize_t ret;

	if (tx->has_info) {
		ret = check_info(tx);
		if (ret)
			return ret;
	}
	if (tx->type != DTLS_CT_APPLICATION_DATA)
		tx->segment = 0;
	else if (splice && !tx->segment)
		tx->segment = dtls_tx_mtu(ds, &tx->epoch->key) ?:
			      DTLS_RECORD_SIZE_MAX;

	record_len = tx->segment ? min_t(size_t, len, tx->segment) : len;
	ret = check(tx, record_len);
	if (ret)
		return ret;

	tx->scratch = dtls_scratch_get();
	if (!tx->scratch)
		return -ENOBUFS;
	/* A splice goes on by itself: its parts are cut, never packed. */
	if (!splice && (more || READ_ONCE(ds->cork)) && record_len == len)
		ret = send_corked(tx, len, more);
	else
		ret = send_records(tx, len);
	dtls_scratch_put(tx->scratch);
	return ret;
}

/*
 * struct proto's sendmsg. Never hands down anything but ciphertext, save a
 * datagram marked DTLS_RECORD_RAW. Sleeps: for the cipher, for memory, and in
 * the base for the send buffer.
 */
int dtls_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct dtls_sock *ds = dtls_sk(sk);
	struct dtls_assoc *assoc = dtls_sock_assoc(ds);
	struct tx tx = {
		.ds = ds,
		.msg = msg,
		.flags = msg->msg_flags & BASE_FLAGS,
		.segment = READ_ONCE(ds->gso_size),
		.type = DTLS_CT_APPLICATION_DATA,
	};
	ssize_t ret;

	if (msg->msg_flags & (MSG_OOB | MSG_ZEROCOPY))
		return -EOPNOTSUPP;
	if (msg->msg_flags & MSG_PROBE)
		return len;	/* it asks for no datagram */
	if (len > 0xffff && !(msg->msg_flags & MSG_SPLICE_PAGES))
		return -EMSGSIZE;

	ret = parse_control(&tx);
	if (ret)
		goto out;
	ret = -EISCONN;
	if (assoc && msg->msg_name &&
	    !dtls_is_peer(sk, msg->msg_name, msg->msg_namelen))
		goto out;

	if (tx.info.flags & DTLS_RECORD_RAW) {
		ret = send_raw(&tx, len);
		goto out;
	}

	ret = -ENOKEY;
	tx.epoch = assoc ? dtls_assoc_tx(assoc) : NULL;
	if (!tx.epoch)
		goto out;
	ret = send_protected(&tx, len);
	dtls_epoch_put(tx.epoch);
out:
	if (ret < 0)
		dtls_stat_inc(ds, DTLS_STAT_TX_ERRORS);
	kfree(tx.control);
	return ret;
}
