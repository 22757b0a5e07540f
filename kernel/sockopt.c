// SPDX-License-Identifier: GPL-2.0
/*
 * Options of level SOL_DTLS, and those options of UDP and IPv6 that mean
 * something else on an attached socket or nothing at all.
 */
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/udp.h>

#include "assoc.h"
#include "early.h"
#include "epoch.h"
#include "key.h"
#include "record.h"
#include "replay.h"
#include "rx.h"
#include "sock.h"
#include "sockopt.h"
#include "stats.h"
#include "tx.h"
#include "wait.h"

static bool is_zero(const u8 *p, size_t len)
{
	return !memchr_inv(p, 0, len);
}

/* ---- structures in and out ---- */

/*
 * Copy a structure that may be shorter or longer than the kernel's, as
 * copy_struct_from_user() does. 6.1 has no copy_struct_from_sockptr(), and that
 * of 6.12 is wrong: it does not look at the bytes that the kernel does not
 * know.
 */
static int copy_struct(void *dst, size_t size, sockptr_t src, size_t len)
{
	const u8 *kernel = src.kernel;

	if (!sockptr_is_kernel(src))
		return copy_struct_from_user(dst, size, src.user, len);
	if (len > size && !is_zero(kernel + size, len - size))
		return -E2BIG;
	memset(dst, 0, size);
	memcpy(dst, kernel, min(size, len));
	return 0;
}

/*
 * The structures of the user-space interface have no holes and the same layout
 * in 32-bit and 64-bit programs. A structure of an association begins with the
 * association's number.
 */
#define LAYOUT(type, size, last, at)					\
	static_assert(sizeof(struct type) == (size) &&			\
		      offsetof(struct type, last) == (at))
#define LAYOUT_ID(type, size, last, at)					\
	static_assert(sizeof(struct type) == (size) &&			\
		      offsetof(struct type, last) == (at) &&		\
		      offsetof(struct type, id) == 0 &&			\
		      sizeof_field(struct type, id) == sizeof(u64))

LAYOUT_ID(dtls_key_info, 376, cid, 120);
LAYOUT_ID(dtls_record_info, 40, number_ptr, 32);
LAYOUT_ID(dtls_info, 88, early_queued, 84);
LAYOUT_ID(dtls_counters, 112, rx_expired, 104);
LAYOUT_ID(dtls_window, 536, seen, 24);
LAYOUT_ID(dtls_replay_window, 16, reserved, 12);
LAYOUT_ID(dtls_cid, 528, rx, 272);
LAYOUT_ID(dtls_feed, 16, datagram, 16);
LAYOUT(dtls_record_number, 16, seq, 8);
static_assert(sizeof_field(struct dtls_key_info, cid) > DTLS_CID_SIZE_MAX);
static_assert(sizeof_field(struct dtls_cid, tx) > DTLS_CID_SIZE_MAX);
static_assert(sizeof_field(struct dtls_cid, rx) > DTLS_CID_SIZE_MAX);
static_assert(sizeof_field(struct dtls_window, seen) ==
	      DTLS_REPLAY_WINDOW_MAX / 8);
/*
 * The ring of a window is of whole words, and a size that is rounded up to a
 * power of two stays within the maximum.
 */
static_assert(DTLS_REPLAY_WINDOW_MIN % 64 == 0);
static_assert((DTLS_REPLAY_WINDOW_MAX & (DTLS_REPLAY_WINDOW_MAX - 1)) == 0);

/*
 * Return 0 if @value begins with the number of an association that there is.
 * That of a connected socket has number 0, also before its first key.
 */
static int check_id(const void *value)
{
	return *(const u64 *)value ? -ENOENT : 0;
}

/**
 * get_struct() - copy a structure that concerns an association
 * @size:	bytes of the structure that this kernel knows
 * @min:	bytes that the user has to give
 * @src:	the user's structure
 * @len:	its bytes: a page at most, which any future structure will fit
 *		into
 *
 * Return: memory that the caller frees, zero behind the user's bytes; or an
 * error.
 */
static void *get_struct(size_t size, size_t min, sockptr_t src, size_t len)
{
	void *value;
	int err;

	if (len < min)
		return ERR_PTR(-EINVAL);
	if (len > PAGE_SIZE)
		return ERR_PTR(-E2BIG);
	value = kmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!value)
		return ERR_PTR(-ENOMEM);
	err = copy_struct(value, size, src, len) ?: check_id(value);
	if (!err)
		return value;
	kfree_sensitive(value);
	return ERR_PTR(err);
}

/* Copy a struct @type, which may end behind its member @last. */
#define GET_STRUCT(type, last, src, len)				\
	get_struct(sizeof(struct type), offsetofend(struct type, last), src, len)

/* ---- keys ---- */

/* Return 0 if @info is a key that can be installed, or an error. */
static int check_key(const struct dtls_key_info *info,
		     const struct dtls_aead *cipher)
{
	bool v13 = dtls_is_13(info->version);
	unsigned int iv_len, sn_len;

	if (info->version != DTLS_VERSION_1_2 && !v13)
		return -EOPNOTSUPP;
	if (!cipher || (v13 && !cipher->v13))
		return -ENOENT;
	iv_len = v13 ? DTLS_IV_SIZE : cipher->salt_len;
	sn_len = v13 ? cipher->key_len : 0;
	if (!info->epoch || info->epoch > (v13 ? DTLS13_EPOCH_MAX : U16_MAX) ||
	    info->rec_seq > DTLS_SEQ_MAX ||
	    info->max_plaintext > DTLS_RECORD_SIZE_MAX ||
	    info->cid_len > DTLS_CID_SIZE_MAX)
		return -EINVAL;
	if (!is_zero(info->key + cipher->key_len,
		     DTLS_KEY_SIZE_MAX - cipher->key_len) ||
	    !is_zero(info->iv + iv_len, DTLS_IV_SIZE - iv_len) ||
	    !is_zero(info->pad, sizeof(info->pad)) ||
	    !is_zero(info->sn_key + sn_len, sizeof(info->sn_key) - sn_len) ||
	    !is_zero(info->cid + info->cid_len,
		     sizeof(info->cid) - info->cid_len))
		return -EINVAL;
	return 0;
}

/*
 * Return true if the connection ID of @info is as long as that of the other
 * read keys: a record does not tell the length of its own, so there can be but
 * one. In DTLS 1.3 the key of early data comes before a connection ID was
 * agreed on.
 */
static bool cid_len_fits(const struct dtls_assoc *assoc,
			 const struct dtls_key_info *info)
{
	const struct dtls_epoch *e;

	e = dtls_assoc_slot(assoc, assoc->rx[0]);
	if (!e || info->cid_len == assoc->rx_cid_len)
		return true;
	return dtls_is_13(assoc->version) && e->number == DTLS13_EPOCH_EARLY &&
	       info->epoch > e->number && !assoc->rx_cid_len;
}

/*
 * Give the association the key in @epoch, and make the association if it is the
 * first key. The setup mutex is held. The reference to @epoch is taken over on
 * success.
 */
static int install_key(struct dtls_sock *ds, int optname,
		       const struct dtls_key_info *info, struct dtls_epoch *epoch)
{
	struct dtls_assoc *assoc = ds->assoc;
	int err;

	lockdep_assert_held(&ds->setup);
	err = dtls_sock_bind_peer(ds);
	if (err)
		return err;

	if (!assoc) {
		assoc = dtls_assoc_new(info->version, ds->replay_window,
				       &ds->setup);
		if (!assoc)
			return -ENOMEM;
	}
	if (info->version != assoc->version) {
		err = -EINVAL;
	} else if (optname == DTLS_TX) {
		err = dtls_assoc_set_tx(assoc, epoch);
	} else if (!cid_len_fits(assoc, info)) {
		err = -EINVAL;
	} else {
		WRITE_ONCE(assoc->rx_cid_len, info->cid_len);
		err = dtls_assoc_set_rx(assoc, epoch);
	}
	if (!ds->assoc && err)
		kfree(assoc);	/* it has no key and no work */
	else if (!ds->assoc)
		/* Pairs with dtls_sock_assoc(). */
		smp_store_release(&ds->assoc, assoc);
	return err;
}

static int set_key(struct dtls_sock *ds, int optname, sockptr_t optval,
		   unsigned int optlen)
{
	const struct dtls_aead *cipher;
	struct dtls_key_info *info;
	struct dtls_epoch *epoch;
	int err;

	info = GET_STRUCT(dtls_key_info, pad, optval, optlen);
	if (IS_ERR(info))
		return PTR_ERR(info);
	cipher = dtls_key_find_aead(info->cipher);
	err = check_key(info, cipher);
	if (err)
		goto out;

	mutex_lock(&ds->setup);
	epoch = dtls_epoch_new(info, cipher,
			       optname == DTLS_RX ? ds->replay_window : 0);
	if (IS_ERR(epoch)) {
		err = PTR_ERR(epoch);
	} else {
		err = install_key(ds, optname, info, epoch);
		if (err)
			dtls_epoch_put(epoch);
	}
	mutex_unlock(&ds->setup);
	if (err)
		goto out;

	if (optname == DTLS_RX) {
		dtls_stats_inc(ds, DTLS_STAT_RX_EPOCHS);
		dtls_early_new_key(ds);
	} else {
		dtls_stats_inc(ds, DTLS_STAT_TX_EPOCHS);
	}
out:
	kfree_sensitive(info);
	return err;
}

/* ---- state ---- */

static int get_info(struct dtls_sock *ds, void *value)
{
	struct dtls_info *info = value;
	struct dtls_assoc *assoc;
	struct dtls_epoch *tx;

	mutex_lock(&ds->setup);
	assoc = ds->assoc;
	info->replay_window = ds->replay_window;
	if (assoc)
		dtls_assoc_info(assoc, info);
	tx = assoc ? dtls_assoc_slot(assoc, assoc->tx) : NULL;
	if (tx)
		info->mtu = dtls_tx_mtu(ds, &tx->key);
	mutex_unlock(&ds->setup);

	if (READ_ONCE(ds->gro))
		info->flags |= DTLS_INFO_GRO;
	spin_lock(&ds->lock);
	info->control_queued = ds->control_bytes + ds->raw_bytes;
	info->early_queued = ds->early_bytes;
	spin_unlock(&ds->lock);
	return 0;
}

static int get_counters(struct dtls_sock *ds, void *value)
{
	struct dtls_assoc *assoc = dtls_sock_assoc(ds);

	if (assoc)
		dtls_assoc_counters(assoc, value);
	return 0;
}

/*
 * Give the window of each read epoch @size records. After an error those before
 * it have the new size already, which does no harm: what was received stays so.
 */
static int resize_windows(struct dtls_sock *ds, u32 size)
{
	struct dtls_epoch *epoch;
	int i, err = 0;

	if (size < DTLS_REPLAY_WINDOW_MIN || size > DTLS_REPLAY_WINDOW_MAX)
		return -EINVAL;
	size = roundup_pow_of_two(size);

	mutex_lock(&ds->setup);
	for (i = 0; ds->assoc && !err && i < DTLS_RX_EPOCHS; i++) {
		epoch = dtls_assoc_slot(ds->assoc, ds->assoc->rx[i]);
		if (epoch)
			err = dtls_epoch_resize(epoch, &ds->assoc->lock, size);
	}
	if (!err) {
		ds->replay_window = size;
		if (ds->assoc)
			ds->assoc->replay_window = size;
	}
	mutex_unlock(&ds->setup);
	return err;
}

static int set_replay_window(struct dtls_sock *ds, sockptr_t optval,
			     unsigned int optlen)
{
	struct dtls_replay_window *window;
	int err = -EINVAL;

	window = GET_STRUCT(dtls_replay_window, records, optval,
			    optlen);
	if (IS_ERR(window))
		return PTR_ERR(window);
	if (!window->reserved)
		err = resize_windows(ds, window->records);
	kfree(window);
	return err;
}

static int set_window(struct dtls_sock *ds, sockptr_t optval,
		      unsigned int optlen)
{
	struct dtls_assoc *assoc = dtls_sock_assoc(ds);
	struct dtls_epoch *epoch = NULL;
	struct dtls_window *window;
	int err = 0;

	window = GET_STRUCT(dtls_window, next, optval, optlen);
	if (IS_ERR(window))
		return PTR_ERR(window);
	if (window->next > DTLS_SEQ_MAX + 1)
		err = -EINVAL;
	if (!err) {
		epoch = assoc ? dtls_assoc_rx(assoc, window->epoch) : NULL;
		if (!epoch)
			err = -ENOENT;
	}
	if (!err) {
		if (!dtls_rx_import(assoc, epoch, window->next, window->seen))
			err = -EINVAL;
		dtls_epoch_put(epoch);
	}
	kfree(window);
	return err;
}

static int get_window(struct dtls_sock *ds, void *value)
{
	struct dtls_assoc *assoc = dtls_sock_assoc(ds);
	struct dtls_window *window = value;
	struct dtls_epoch *epoch;

	epoch = assoc ? dtls_assoc_rx(assoc, window->epoch) : NULL;
	if (!epoch)
		return -ENOENT;
	spin_lock(&assoc->lock);
	window->next = epoch->replay.next;
	dtls_replay_export(&epoch->replay, window->seen);
	spin_unlock(&assoc->lock);
	dtls_epoch_put(epoch);
	return 0;
}

/* Set connection IDs that came or went in a NewConnectionId (RFC 9147 9). */
static int set_cid(struct dtls_sock *ds, sockptr_t optval, unsigned int optlen)
{
	struct dtls_epoch *tx = NULL;
	struct dtls_assoc *assoc;
	struct dtls_cid *cid;
	int err = 0;

	cid = GET_STRUCT(dtls_cid, reserved, optval, optlen);
	if (IS_ERR(cid))
		return PTR_ERR(cid);

	mutex_lock(&ds->setup);
	assoc = ds->assoc;
	if (assoc)
		tx = dtls_assoc_slot(assoc, assoc->tx);
	if (!assoc)
		err = -ENOKEY;
	else if (!dtls_is_13(assoc->version))
		err = -EOPNOTSUPP;
	else if (cid->reserved ||
		 (cid->tx_len && (!tx || cid->tx_len != tx->key.cid_len)) ||
		 (cid->rx_len && cid->rx_len != assoc->rx_cid_len) ||
		 !is_zero(cid->tx + cid->tx_len, sizeof(cid->tx) - cid->tx_len) ||
		 !is_zero(cid->rx + cid->rx_len, sizeof(cid->rx) - cid->rx_len))
		err = -EINVAL;
	else if (cid->rx_len)
		err = dtls_assoc_add_cid(assoc, cid->rx);
	if (!err && cid->tx_len) {
		write_seqlock(&tx->key.cid_lock);
		memcpy(tx->key.cid, cid->tx, cid->tx_len);
		write_sequnlock(&tx->key.cid_lock);
	}
	mutex_unlock(&ds->setup);
	kfree(cid);
	return err;
}

static int get_cid(struct dtls_sock *ds, void *value)
{
	struct dtls_cid *cid = value;
	struct dtls_epoch *tx, *rx;
	struct dtls_cid_list *cids;

	mutex_lock(&ds->setup);
	if (ds->assoc) {
		tx = dtls_assoc_slot(ds->assoc, ds->assoc->tx);
		rx = dtls_assoc_slot(ds->assoc, ds->assoc->rx[0]);
		if (tx) {
			cid->tx_len = tx->key.cid_len;
			memcpy(cid->tx, tx->key.cid, cid->tx_len);
		}
		if (rx) {
			cid->rx_len = rx->key.cid_len;
			memcpy(cid->rx, rx->key.cid, cid->rx_len);
			cids = dtls_assoc_slot(ds->assoc, ds->assoc->cids);
			if (cids)
				memcpy(cid->rx, cids->cid + cid->rx_len *
				       (cids->n - 1), cid->rx_len);
		}
	}
	mutex_unlock(&ds->setup);
	return 0;
}

/* ---- set ---- */

static int set_feed(struct dtls_sock *ds, sockptr_t optval, unsigned int optlen)
{
	struct dtls_feed feed;

	if (optlen < sizeof(feed))
		return -EINVAL;
	if (copy_from_sockptr(&feed, optval, sizeof(feed)))
		return -EFAULT;
	if (feed.reserved)
		return -EINVAL;
	return check_id(&feed) ?: dtls_early_feed(ds, optval, sizeof(feed),
						  optlen - sizeof(feed));
}

static int set_poll_control(struct dtls_sock *ds, sockptr_t optval,
			    unsigned int optlen)
{
	u32 val;

	if (optlen < sizeof(val))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	if (val > 1)
		return -EINVAL;
	WRITE_ONCE(ds->poll_control, val);
	/*
	 * A control record may be in the queue already, so a waiter looks
	 * again.
	 */
	if (val)
		dtls_wait_wake_one(ds->sk);
	return 0;
}

static int set_dtls(struct dtls_sock *ds, int optname, sockptr_t optval,
		    unsigned int optlen)
{
	switch (optname) {
	case DTLS_TX:
	case DTLS_RX:
		return set_key(ds, optname, optval, optlen);
	case DTLS_WINDOW:
		return set_window(ds, optval, optlen);
	case DTLS_CID:
		return set_cid(ds, optval, optlen);
	case DTLS_FEED:
		return set_feed(ds, optval, optlen);
	case DTLS_REPLAY_WINDOW:
		return set_replay_window(ds, optval, optlen);
	case DTLS_POLL_CONTROL:
		return set_poll_control(ds, optval, optlen);
	}
	return -ENOPROTOOPT;
}

/* Set an option of UDP that would act on ciphertext if UDP knew it. */
static int set_udp(struct dtls_sock *ds, int optname, sockptr_t optval,
		   unsigned int optlen)
{
	int val;

	if (optlen < sizeof(val))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;

	switch (optname) {
	case UDP_SEGMENT:
		if (val < 0 || val > USHRT_MAX)
			return -EINVAL;
		WRITE_ONCE(ds->gso_size, val);
		return 0;
	case UDP_GRO:
		WRITE_ONCE(ds->user_gro, val);
		return 0;
	case UDP_CORK:
		WRITE_ONCE(ds->corked, val);
		return val ? 0 : dtls_tx_uncork(ds, 0);
	default:	/* UDP_ENCAP */
		return -EOPNOTSUPP;
	}
}

int dtls_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval,
		    unsigned int optlen)
{
	struct dtls_sock *ds = dtls_sk(sk);

	if (level == SOL_DTLS)
		return set_dtls(ds, optname, optval, optlen);
	if (level == SOL_UDP &&
	    (optname == UDP_SEGMENT || optname == UDP_GRO ||
	     optname == UDP_CORK || optname == UDP_ENCAP))
		return set_udp(ds, optname, optval, optlen);
	/* IPV6_ADDRFORM would put UDP's own proto under this module. */
	if (level == SOL_IPV6 && optname == IPV6_ADDRFORM)
		return -EOPNOTSUPP;
	return ds->base->setsockopt(sk, level, optname, optval, optlen);
}

/* ---- get ---- */

static int put_opt(const void *src, int size, char __user *optval,
		   int __user *optlen, int len)
{
	len = min(len, size);
	if (copy_to_user(optval, src, len) || put_user(len, optlen))
		return -EFAULT;
	return 0;
}

/*
 * struct assoc_getter says how an option of an association is read: the user
 * fills in the first @in bytes of the structure of @size bytes, and @get fills
 * in the rest, which is zero.
 */
struct assoc_getter {
	int name;
	int in;
	int size;
	int (*get)(struct dtls_sock *ds, void *value);
};

static const struct assoc_getter assoc_getters[] = {
	{ DTLS_INFO, offsetofend(struct dtls_info, id),
	  sizeof(struct dtls_info), get_info },
	{ DTLS_COUNTERS, offsetofend(struct dtls_counters, id),
	  sizeof(struct dtls_counters), get_counters },
	{ DTLS_WINDOW, offsetofend(struct dtls_window, epoch),
	  sizeof(struct dtls_window), get_window },
	{ DTLS_CID, offsetofend(struct dtls_cid, id),
	  sizeof(struct dtls_cid), get_cid },
};

static int get_assoc(struct dtls_sock *ds, const struct assoc_getter *getter,
		     char __user *optval, int __user *optlen, int len)
{
	void *value;
	int err;

	if (len < getter->in)
		return -EINVAL;
	value = kzalloc(getter->size, GFP_KERNEL_ACCOUNT);
	if (!value)
		return -ENOMEM;
	err = copy_from_user(value, optval, getter->in) ? -EFAULT : 0;
	err = err ?: check_id(value) ?: getter->get(ds, value) ?:
	      put_opt(value, getter->size, optval, optlen, len);
	kfree(value);
	return err;
}

static int get_dtls(struct dtls_sock *ds, int optname, char __user *optval,
		    int __user *optlen, int len)
{
	unsigned int i;
	u32 val;

	if (optname == DTLS_POLL_CONTROL) {
		val = READ_ONCE(ds->poll_control);
		return put_opt(&val, sizeof(val), optval, optlen, len);
	}
	for (i = 0; i < ARRAY_SIZE(assoc_getters); i++)
		if (assoc_getters[i].name == optname)
			return get_assoc(ds, &assoc_getters[i], optval, optlen,
					 len);
	return -ENOPROTOOPT;
}

int dtls_getsockopt(struct sock *sk, int level, int optname,
		    char __user *optval, int __user *optlen)
{
	struct dtls_sock *ds = dtls_sk(sk);
	int len, val;

	if (level != SOL_DTLS && level != SOL_UDP)
		goto base;
	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	if (level == SOL_DTLS)
		return get_dtls(ds, optname, optval, optlen, len);

	switch (optname) {
	case UDP_SEGMENT:
		val = READ_ONCE(ds->gso_size);
		break;
	case UDP_GRO:
		val = READ_ONCE(ds->user_gro);
		break;
	case UDP_CORK:
		val = READ_ONCE(ds->corked);
		break;
	default:
		goto base;
	}
	return put_opt(&val, sizeof(val), optval, optlen, len);
base:
	return ds->base->getsockopt(sk, level, optname, optval, optlen);
}
