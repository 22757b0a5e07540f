// SPDX-License-Identifier: GPL-2.0
/*
 * This file reads and sets the options of level SOL_DTLS, and those options of UDP and
 * IPv6 that have another meaning on an attached socket or are refused there.
 */
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/udp.h>

#include "assoc.h"
#include "assocopt.h"
#include "cork.h"
#include "dest.h"
#include "early.h"
#include "epoch.h"
#include "key.h"
#include "peel.h"
#include "record.h"
#include "replay.h"
#include "rx.h"
#include "sock.h"
#include "sockopt.h"
#include "stats.h"
#include "table.h"
#include "tx.h"
#include "wait.h"

static bool is_zero(const u8 *p, size_t len)
{
	return !memchr_inv(p, 0, len);
}

/* ---- structures in and out ---- */

/*
 * Copy the @len bytes of a structure at @src to @dst, which has @size bytes, as
 * copy_struct_from_user() does: missing bytes become zero, and bytes that this kernel
 * does not know must be zero. 6.1 has no copy_struct_from_sockptr(), and that of 6.12
 * does not check the unknown bytes. The structure may be a page long at most, which is
 * enough for later versions of it and bounds how long the bytes are looked at. Return:
 * 0, -E2BIG or -EFAULT.
 */
static int copy_struct(void *dst, size_t size, sockptr_t src, size_t len)
{
	const u8 *kernel = src.kernel;

	if (len > PAGE_SIZE)
		return -E2BIG;
	if (!sockptr_is_kernel(src))
		return copy_struct_from_user(dst, size, src.user, len);
	if (len > size && !is_zero(kernel + size, len - size))
		return -E2BIG;
	memset(dst, 0, size);
	memcpy(dst, kernel, min(size, len));
	return 0;
}

/*
 * The structures of the user-space interface have no holes and the same layout in
 * 32-bit and 64-bit programs. A structure of an option that concerns an association
 * begins with the association's number.
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
LAYOUT_ID(dtls_info, 96, heard, 88);
LAYOUT_ID(dtls_counters, 112, rx_expired, 104);
LAYOUT_ID(dtls_window, 536, seen, 24);
LAYOUT_ID(dtls_replay_window, 16, reserved, 12);
LAYOUT_ID(dtls_cid, 528, rx, 272);
LAYOUT_ID(dtls_feed, 16, datagram, 16);
LAYOUT_ID(dtls_assoc_peer, 64, local, 40);
LAYOUT_ID(dtls_assoc_peel, 16, reserved, 12);
LAYOUT(dtls_addr, 24, addr, 8);
LAYOUT(dtls_assoc_table, 16, reserved2, 12);
LAYOUT(dtls_record_number, 16, seq, 8);
static_assert(sizeof_field(struct dtls_key_info, cid) > DTLS_CID_SIZE_MAX);
static_assert(sizeof_field(struct dtls_cid, tx) > DTLS_CID_SIZE_MAX);
static_assert(sizeof_field(struct dtls_cid, rx) > DTLS_CID_SIZE_MAX);
static_assert(sizeof_field(struct dtls_window, seen) ==
	      DTLS_REPLAY_WINDOW_MAX / 8);
/*
 * The ring of a replay window has whole words of 64 bits, and a size that is rounded
 * up to a power of two stays within the maximum.
 */
static_assert(DTLS_REPLAY_WINDOW_MIN % 64 == 0);
static_assert((DTLS_REPLAY_WINDOW_MAX & (DTLS_REPLAY_WINDOW_MAX - 1)) == 0);

/*
 * Return the association of @ds whose number is the first member of the structure at
 * @value, with a reference, or NULL.
 */
static struct dtls_assoc *find_assoc(struct dtls_sock *ds, const void *value)
{
	return dtls_dest_by_id(ds, *(const u64 *)value);
}

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
 * Return true if the connection ID of @info is as long as those of the other read keys
 * of @assoc. A record does not tell how long its connection ID is, so all of them must
 * have one length. The exception is the key of early data of DTLS 1.3, which is
 * installed before a connection ID is agreed on. On a socket with a @table, one length
 * holds for all associations. The caller holds the setup mutex of @assoc.
 */
static bool cid_len_fits(const struct dtls_assoc *assoc,
			 const struct dtls_key_info *info)
{
	const struct dtls_table *table = assoc->table;
	const struct dtls_epoch *e;

	e = dtls_assoc_slot(assoc, assoc->rx[0]);
	if (table && info->cid_len && info->cid_len != table->cid_len)
		return false;
	if (!e || info->cid_len == assoc->rx_cid_len)
		return true;
	return dtls_is_13(assoc->version) && e->number == DTLS13_EPOCH_EARLY &&
	       info->epoch > e->number && !assoc->rx_cid_len;
}

/*
 * Make @epoch, which has the key of @info, the write or read epoch of @assoc. On
 * success the reference to @epoch is taken over. The version is written before the
 * slot, so that a task that finds the key finds its version. The caller holds the setup
 * mutex of @assoc. Return: 0 or an error.
 */
static int install_key(const struct dtls_sock *ds, struct dtls_assoc *assoc,
		       bool write, const struct dtls_key_info *info,
		       struct dtls_epoch *epoch)
{
	int err = 0;

	lockdep_assert_held(&assoc->setup);
	if (rcu_access_pointer(assoc->home) != ds)
		return -ENOENT;
	if (assoc->version && info->version != assoc->version)
		return -EINVAL;
	if (!write && !cid_len_fits(assoc, info))
		return -EINVAL;
	if (!write && assoc->table && info->epoch <= dtls_assoc_newest_rx(assoc))
		return -EEXIST;
	if (!write)
		err = dtls_table_add_cid(assoc, info->cid, info->cid_len);
	if (err)
		return err;
	WRITE_ONCE(assoc->version, info->version);
	if (write)
		return dtls_assoc_set_tx(assoc, epoch);
	WRITE_ONCE(assoc->rx_cid_len, info->cid_len);
	return dtls_assoc_set_rx(assoc, epoch);
}

/*
 * Make an epoch with the key of @info and install it in @assoc. Takes the setup mutex of
 * @assoc. Sleeps. Return: 0 or an error.
 */
static int make_key(const struct dtls_sock *ds, struct dtls_assoc *assoc,
		    bool write, const struct dtls_key_info *info,
		    const struct dtls_aead *cipher)
{
	struct dtls_epoch *epoch;
	int err;

	mutex_lock(&assoc->setup);
	epoch = dtls_epoch_new(info, cipher, write ? 0 : assoc->replay_window,
			       !assoc->id);
	err = PTR_ERR_OR_ZERO(epoch);
	if (!err) {
		err = install_key(ds, assoc, write, info, epoch);
		if (err)
			dtls_epoch_put(epoch);
	}
	mutex_unlock(&assoc->setup);
	return err;
}

static int set_key(struct dtls_sock *ds, struct dtls_assoc *assoc, bool write,
		   const struct dtls_key_info *info)
{
	const struct dtls_aead *cipher = dtls_aead_find(info->cipher);
	int err = check_key(info, cipher);

	if (err)
		return err;
	if (dtls_sock_number(ds, assoc)) {
		/* A call that entered UDP before the attach may have set it since. */
		err = dtls_sock_has_encap(ds->sk) ?
			-EBUSY : make_key(ds, assoc, write, info, cipher);
	} else {
		mutex_lock(&ds->setup);
		/* The socket may have peeled an association off just now. */
		assoc = ds->assoc;
		err = dtls_sock_bind_peer(ds) ?:
		      make_key(ds, assoc, write, info, cipher);
		if (!err)
			dtls_sock_keep_peer(ds);
		mutex_unlock(&ds->setup);
	}
	if (err)
		return err;

	if (write) {
		dtls_stats_inc(ds, DTLS_STAT_TX_EPOCHS);
	} else {
		dtls_stats_inc(ds, DTLS_STAT_RX_EPOCHS);
		dtls_early_new_key(ds, assoc);
	}
	return 0;
}

static int set_tx(struct dtls_sock *ds, struct dtls_assoc *assoc,
		  const void *value)
{
	return set_key(ds, assoc, true, value);
}

static int set_rx(struct dtls_sock *ds, struct dtls_assoc *assoc,
		  const void *value)
{
	return set_key(ds, assoc, false, value);
}

/* ---- state ---- */

static int get_info(struct dtls_sock *ds, struct dtls_assoc *assoc,
		    void *value)
{
	u64 number = dtls_sock_number(ds, assoc);
	struct dtls_info *info = value;
	struct dtls_epoch *tx;
	struct dtls_flow flow;

	mutex_lock(&assoc->setup);
	dtls_assoc_info(assoc, info);
	tx = dtls_assoc_slot(assoc, assoc->tx);
	if (tx && !number)
		info->mtu = dtls_tx_mtu(ds, NULL, &tx->key);
	else if (tx && dtls_table_get_flow(assoc, &flow))
		info->mtu = dtls_tx_mtu(ds, &flow, &tx->key);
	mutex_unlock(&assoc->setup);

	if (READ_ONCE(ds->gro))
		info->flags |= DTLS_INFO_GRO;
	spin_lock(&ds->lock);
	info->control_queued = ds->control_bytes + ds->raw_bytes + ds->event_bytes;
	info->early_queued = ds->early_bytes;
	if (number) {
		/* A socket that peels @assoc off now writes under its own lock. */
		info->control_queued = data_race(assoc->control_bytes);
		/* That socket writes the count of early records so, too. */
		info->early_queued = data_race(assoc->early_bytes);
	}
	spin_unlock(&ds->lock);
	return 0;
}

static int get_counters(struct dtls_sock *ds, struct dtls_assoc *assoc,
			void *value)
{
	dtls_assoc_counters(assoc, value);
	return 0;
}

/*
 * Set the size of the replay window of each read epoch of @assoc, and of those to come,
 * to @size records. After an error some windows have the new size already, which does
 * no harm: numbers that were received stay so. Sleeps. Return: 0 or -ENOMEM.
 */
static int resize_windows(struct dtls_assoc *assoc, u32 size)
{
	struct dtls_epoch *epoch;
	int i, err = 0;

	mutex_lock(&assoc->setup);
	for (i = 0; !err && i < DTLS_RX_EPOCHS; i++) {
		epoch = dtls_assoc_slot(assoc, assoc->rx[i]);
		if (epoch)
			err = dtls_epoch_resize(epoch, &assoc->lock, size);
	}
	if (!err)
		WRITE_ONCE(assoc->replay_window, size);
	mutex_unlock(&assoc->setup);
	return err;
}

static int set_replay_window(struct dtls_sock *ds, struct dtls_assoc *assoc,
			     const void *value)
{
	const struct dtls_replay_window *window = value;

	if (window->reserved || window->records < DTLS_REPLAY_WINDOW_MIN ||
	    window->records > DTLS_REPLAY_WINDOW_MAX)
		return -EINVAL;
	return resize_windows(assoc, roundup_pow_of_two(window->records));
}

static int set_window(struct dtls_sock *ds, struct dtls_assoc *assoc,
		      const void *value)
{
	const struct dtls_window *window = value;
	struct dtls_epoch *epoch;
	int err = 0;

	if (window->next > DTLS_SEQ_MAX + 1)
		return -EINVAL;
	epoch = dtls_assoc_rx(assoc, window->epoch);
	if (!epoch)
		return -ENOENT;
	if (!dtls_rx_import(assoc, epoch, window->next, window->seen))
		err = -EINVAL;
	dtls_epoch_put(epoch);
	return err;
}

static int get_window(struct dtls_sock *ds, struct dtls_assoc *assoc,
		      void *value)
{
	struct dtls_window *window = value;
	struct dtls_epoch *epoch;

	epoch = dtls_assoc_rx(assoc, window->epoch);
	if (!epoch)
		return -ENOENT;
	spin_lock(&assoc->lock);
	window->next = epoch->replay.next;
	dtls_replay_export(&epoch->replay, window->seen);
	spin_unlock(&assoc->lock);
	dtls_epoch_put(epoch);
	return 0;
}

/*
 * Set the connection ID of the write key to @cid->tx, and add @cid->rx to those that
 * the peer may use. Either may be empty, and stays as it is then. The caller holds the
 * setup mutex of @assoc. Return: 0 or an error.
 */
static int change_cids(const struct dtls_sock *ds, struct dtls_assoc *assoc,
		       const struct dtls_cid *cid)
{
	struct dtls_epoch *tx = dtls_assoc_slot(assoc, assoc->tx);
	int err = 0;

	lockdep_assert_held(&assoc->setup);
	if (rcu_access_pointer(assoc->home) != ds)
		return -ENOENT;
	if (!assoc->version)
		return -ENOKEY;
	if (!dtls_is_13(assoc->version))
		return -EOPNOTSUPP;
	if (cid->reserved ||
	    (cid->tx_len && (!tx || cid->tx_len != tx->key.cid_len)) ||
	    (cid->rx_len && cid->rx_len != assoc->rx_cid_len) ||
	    !is_zero(cid->tx + cid->tx_len, sizeof(cid->tx) - cid->tx_len) ||
	    !is_zero(cid->rx + cid->rx_len, sizeof(cid->rx) - cid->rx_len))
		return -EINVAL;
	err = dtls_table_add_cid(assoc, cid->rx, cid->rx_len);
	if (!err && cid->rx_len)
		err = dtls_assoc_add_cid(assoc, cid->rx);
	if (!err && cid->tx_len)
		dtls_key_set_cid(&tx->key, cid->tx);
	return err;
}

/*
 * Set DTLS_CID: connection IDs that one of the two ends has given to the other in a
 * NewConnectionId message (RFC 9147 9).
 */
static int set_cid(struct dtls_sock *ds, struct dtls_assoc *assoc,
		   const void *value)
{
	int err;

	mutex_lock(&assoc->setup);
	err = change_cids(ds, assoc, value);
	mutex_unlock(&assoc->setup);
	return err;
}

static int get_cid(struct dtls_sock *ds, struct dtls_assoc *assoc, void *value)
{
	struct dtls_cid *cid = value;
	struct dtls_epoch *tx, *rx;
	struct dtls_cid_list *cids;

	mutex_lock(&assoc->setup);
	tx = dtls_assoc_slot(assoc, assoc->tx);
	rx = dtls_assoc_slot(assoc, assoc->rx[0]);
	cids = dtls_assoc_slot(assoc, assoc->cids);
	if (tx) {
		cid->tx_len = tx->key.cid_len;
		memcpy(cid->tx, dtls_key_cid(&tx->key), cid->tx_len);
	}
	if (rx) {
		cid->rx_len = rx->key.cid_len;
		memcpy(cid->rx, dtls_key_cid(&rx->key), cid->rx_len);
	}
	if (rx && cids)
		memcpy(cid->rx, cids->cid + cid->rx_len * (cids->n - 1),
		       cid->rx_len);
	mutex_unlock(&assoc->setup);
	return 0;
}

/* ---- set ---- */

/*
 * struct assoc_setter describes an option that sets something of an association. The
 * user's structure has @min bytes at least. It is copied to @size bytes, of which
 * missing ones are zero, and @set is called with the copy.
 */
struct assoc_setter {
	int name;
	unsigned int min;
	unsigned int size;
	int (*set)(struct dtls_sock *ds, struct dtls_assoc *assoc,
		   const void *value);
};

/* SETTER() makes an entry. The user's structure may end behind its member @last. */
#define SETTER(name, type, last, set)					\
	{ name, offsetofend(struct type, last), sizeof(struct type), set }

static const struct assoc_setter assoc_setters[] = {
	SETTER(DTLS_TX, dtls_key_info, pad, set_tx),
	SETTER(DTLS_RX, dtls_key_info, pad, set_rx),
	SETTER(DTLS_WINDOW, dtls_window, next, set_window),
	SETTER(DTLS_REPLAY_WINDOW, dtls_replay_window, records,
	       set_replay_window),
	SETTER(DTLS_CID, dtls_cid, reserved, set_cid),
};

/* Set an option of an association. */
static int set_assoc(struct dtls_sock *ds, const struct assoc_setter *setter,
		     sockptr_t optval, unsigned int optlen)
{
	struct dtls_assoc *assoc;
	void *value;
	int err;

	if (optlen < setter->min)
		return -EINVAL;
	value = kmalloc(setter->size, GFP_KERNEL_ACCOUNT);
	if (!value)
		return -ENOMEM;
	err = copy_struct(value, setter->size, optval, optlen);
	if (!err) {
		assoc = find_assoc(ds, value);
		err = assoc ? setter->set(ds, assoc, value) : -ENOENT;
		dtls_assoc_put(assoc);
	}
	kfree_sensitive(value);
	return err;
}

static int set_feed(struct dtls_sock *ds, sockptr_t optval, unsigned int optlen)
{
	struct dtls_assoc *assoc;
	struct dtls_feed feed;
	int err;

	if (optlen < sizeof(feed))
		return -EINVAL;
	if (copy_from_sockptr(&feed, optval, sizeof(feed)))
		return -EFAULT;
	if (feed.reserved)
		return -EINVAL;
	assoc = find_assoc(ds, &feed);
	if (!assoc)
		return -ENOENT;
	err = dtls_early_feed(ds, assoc, optval, sizeof(feed),
			      optlen - sizeof(feed));
	dtls_assoc_put(assoc);
	return err;
}

static int set_table(struct dtls_sock *ds, sockptr_t optval,
		     unsigned int optlen)
{
	struct dtls_assoc_table table;
	int err;

	if (optlen < offsetofend(struct dtls_assoc_table, reserved))
		return -EINVAL;
	err = copy_struct(&table, sizeof(table), optval, optlen);
	return err ?: dtls_assocopt_set_table(ds, &table);
}

static int set_peer(struct dtls_sock *ds, int optname, sockptr_t optval,
		    unsigned int optlen)
{
	struct dtls_assoc_peer peer;
	int err;

	if (optlen < offsetofend(struct dtls_assoc_peer, peer))
		return -EINVAL;
	err = copy_struct(&peer, sizeof(peer), optval, optlen);
	if (err)
		return err;
	return optname == DTLS_ASSOC_ADD ? dtls_assocopt_add(ds, &peer) :
					   dtls_assocopt_move(ds, &peer);
}

static int peel_assoc(struct dtls_sock *ds, sockptr_t optval,
		      unsigned int optlen)
{
	struct dtls_assoc_peel peel;
	int err;

	if (optlen < offsetofend(struct dtls_assoc_peel, fd))
		return -EINVAL;
	err = copy_struct(&peel, sizeof(peel), optval, optlen);
	return err ?: dtls_peel(ds, &peel);
}

static int delete_assoc(struct dtls_sock *ds, sockptr_t optval,
			unsigned int optlen)
{
	u64 id;

	if (optlen < sizeof(id))
		return -EINVAL;
	if (copy_from_sockptr(&id, optval, sizeof(id)))
		return -EFAULT;
	return dtls_assocopt_del(ds, id);
}

/* Read an option whose value is 0 or 1. Return the value, or an error. */
static int read_switch(sockptr_t optval, unsigned int optlen)
{
	u32 val;

	if (optlen < sizeof(val))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	return val > 1 ? -EINVAL : (int)val;
}

static int set_pass(struct dtls_sock *ds, sockptr_t optval, unsigned int optlen)
{
	int val = read_switch(optval, optlen);

	if (val < 0)
		return val;
	WRITE_ONCE(ds->pass, val);
	return 0;
}

static int set_poll_control(struct dtls_sock *ds, sockptr_t optval,
			    unsigned int optlen)
{
	int val = read_switch(optval, optlen);

	if (val < 0)
		return val;
	WRITE_ONCE(ds->poll_control, val);
	/*
	 * A control record may be in the queue already, so a task that polls
	 * is woken to find it.
	 */
	if (val)
		dtls_wait_wake_one(ds->sk);
	return 0;
}

static int set_dtls(struct dtls_sock *ds, int optname, sockptr_t optval,
		    unsigned int optlen)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(assoc_setters); i++)
		if (assoc_setters[i].name == optname)
			return set_assoc(ds, &assoc_setters[i], optval, optlen);
	switch (optname) {
	case DTLS_FEED:
		return set_feed(ds, optval, optlen);
	case DTLS_ASSOC_TABLE:
		return set_table(ds, optval, optlen);
	case DTLS_ASSOC_ADD:
	case DTLS_ASSOC_MOVE:
		return set_peer(ds, optname, optval, optlen);
	case DTLS_ASSOC_DEL:
		return delete_assoc(ds, optval, optlen);
	case DTLS_ASSOC_PEEL:
		return peel_assoc(ds, optval, optlen);
	case DTLS_PASS:
		return set_pass(ds, optval, optlen);
	case DTLS_POLL_CONTROL:
		return set_poll_control(ds, optval, optlen);
	}
	return -ENOPROTOOPT;
}

/*
 * Set an option of UDP that is about plaintext on an attached socket. UDP is not told
 * of it, as it would apply the option to ciphertext. Sleeps.
 */
static int set_udp(struct dtls_sock *ds, int optname, sockptr_t optval,
		   unsigned int optlen)
{
	int val;

	if (optlen < sizeof(val))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;

	/* What was set before, inside UDP, must not be taken for newer later. */
	if (dtls_sock_options_came(ds->sk))
		dtls_sock_take_options(ds);
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
		if (val && dtls_sock_table(ds))
			return -EOPNOTSUPP;
		WRITE_ONCE(ds->corked, val);
		return val ? 0 : dtls_cork_flush(ds);
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
	/* Before 7.1 UDP takes its own options by the level of UDP-Lite, too. */
	if (level == SOL_UDPLITE)
		return -ENOPROTOOPT;
	/* IPV6_ADDRFORM would replace this module's proto by UDP's. */
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
 * struct assoc_getter describes an option that reads something of an association. The
 * user fills in the first @in bytes of the structure, which has @size bytes. @get
 * fills in the others, which are zero before.
 */
struct assoc_getter {
	int name;
	int in;
	int size;
	int (*get)(struct dtls_sock *ds, struct dtls_assoc *assoc, void *value);
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
	struct dtls_assoc *assoc;
	void *value;
	int err;

	if (len < getter->in)
		return -EINVAL;
	value = kzalloc(getter->size, GFP_KERNEL_ACCOUNT);
	if (!value)
		return -ENOMEM;
	err = copy_from_user(value, optval, getter->in) ? -EFAULT : 0;
	if (!err) {
		assoc = find_assoc(ds, value);
		err = assoc ? getter->get(ds, assoc, value) : -ENOENT;
		dtls_assoc_put(assoc);
	}
	err = err ?: put_opt(value, getter->size, optval, optlen, len);
	kfree(value);
	return err;
}

static int get_table(struct dtls_sock *ds, char __user *optval,
		     int __user *optlen, int len)
{
	struct dtls_assoc_table table = {};

	return dtls_assocopt_get_table(ds, &table) ?:
	       put_opt(&table, sizeof(table), optval, optlen, len);
}

static int get_next(struct dtls_sock *ds, char __user *optval,
		    int __user *optlen, int len)
{
	struct dtls_assoc_peer peer = {};

	if (len < (int)sizeof(peer.id))
		return -EINVAL;
	if (copy_from_user(&peer.id, optval, sizeof(peer.id)))
		return -EFAULT;
	return dtls_assocopt_next(ds, &peer) ?:
	       put_opt(&peer, sizeof(peer), optval, optlen, len);
}

static int get_dtls(struct dtls_sock *ds, int optname, char __user *optval,
		    int __user *optlen, int len)
{
	unsigned int i;
	u32 val;

	if (optname == DTLS_POLL_CONTROL || optname == DTLS_PASS) {
		val = optname == DTLS_PASS ? READ_ONCE(ds->pass) :
					     READ_ONCE(ds->poll_control);
		return put_opt(&val, sizeof(val), optval, optlen, len);
	}
	if (optname == DTLS_ASSOC_TABLE)
		return get_table(ds, optval, optlen, len);
	if (optname == DTLS_ASSOC_NEXT)
		return get_next(ds, optval, optlen, len);
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

	if (level == SOL_UDPLITE)
		return -ENOPROTOOPT;
	if (level != SOL_DTLS && level != SOL_UDP)
		goto base;
	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	if (level == SOL_DTLS)
		return get_dtls(ds, optname, optval, optlen, len);

	if (dtls_sock_options_came(sk))
		dtls_sock_take_options(ds);
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
