/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DTLS record layer for UDP sockets: what the module's files know of each
 * other. A file uses only what stands above its own section.
 */
#ifndef _DTLS_H
#define _DTLS_H

#include <linux/bvec.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>
#include <linux/seqlock.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/udp.h>
#include <linux/workqueue.h>
#include <crypto/aead.h>
#include <crypto/skcipher.h>
#include <net/sock.h>

#include "record.h"
#include "replay.h"

/* ---- stats.c: counters, and /proc/net/dtls_stat ---- */

enum dtls_stat {
	DTLS_STAT_ATTACHED,
	DTLS_STAT_TX_EPOCHS,
	DTLS_STAT_RX_EPOCHS,
	DTLS_STAT_TX_RECORDS,
	DTLS_STAT_TX_BYTES,
	DTLS_STAT_TX_ERRORS,
	DTLS_STAT_TX_EXPIRED,
	DTLS_STAT_RX_RECORDS,
	DTLS_STAT_RX_BYTES,
	DTLS_STAT_RX_CONTROL,
	DTLS_STAT_RX_EMPTY,
	DTLS_STAT_RX_REPLAYS,
	DTLS_STAT_RX_AUTH_FAILED,
	DTLS_STAT_RX_NO_KEY,
	DTLS_STAT_RX_MALFORMED,
	DTLS_STAT_RX_OVERSIZE,
	DTLS_STAT_RX_NO_BUDGET,
	DTLS_STAT_RX_EXPIRED,
	DTLS_STAT_MAX
};

int dtls_stats_init(void);
void dtls_stats_exit(void);
u64 __percpu *dtls_stats_of(struct net *net);

/* ---- records on their way in ---- */

struct dtls_epoch;

/* Records of a coalesced datagram that are taken at once */
#define DTLS_RUN_MAX	32

/**
 * struct dtls_opened - what became of one record
 * @content:	in the scratch's; NULL: it was a replay when it came
 * @len:	bytes of content or an error; see dtls_crypt_open()
 * @type:	of the content
 * @verdict:	enum dtls_verdict or -ENOMEM
 */
struct dtls_opened {
	u8 *content;
	int len;
	u8 type;
	s8 verdict;
};

/**
 * struct dtls_run - a run of records on its way; in the scratch of who carries it
 * @skb:	one reference
 * @dgram:	serial of the datagram
 * @seg_end:	end of the datagram within @skb that the first one is of
 * @offset:	of the first record in @skb; the others follow without a gap
 * @rec:	the first one's header; the others' differs in the number
 *		alone, which goes up by one
 * @has_cid:	a connection ID of ours stands in them or before the first
 * @intact:	the checksum of @skb was looked at, and is right
 * @why:	enum skb_drop_reason, if a record of them was dropped
 * @newest:	read epoch when they came; 0: there was none
 * @epoch:	of @rec if it has a key, with a reference, or NULL
 * @n:		records; most runs are of one
 * @fresh:	bit i: of the i-th, no record of its number is known to have
 *		been verified
 * @under_way:	struct dtls_assoc's list, where @fresh may be cleared
 * @carried:	in dtls_sock's list, from the intake to dtls_wait_done()
 * @missed:	somebody looked for records meanwhile and found nothing
 * @goodbye:	the peer's close_notify was in it, or in one taken in later
 * @opened:	after dtls_rx_open()
 * @wire:	the bytes of each record, in one piece that nobody else writes to,
 *		if there is @epoch
 * @piece:	the first record where it lies, or NULL if it is in several pieces
 * @ours:	nobody else writes to @piece
 * @room:	DTLS_SCRATCH_ROOM bytes of the scratch's, where @wire may lie
 * @used:	bytes of @room that are taken
 * @header:	where @rec.cid may point
 */
struct dtls_run {
	struct sk_buff *skb;
	u64 dgram;
	unsigned int seg_end;
	unsigned int offset;
	struct dtls_record rec;
	bool has_cid;
	bool intact;
	u8 why;
	u64 newest;
	struct dtls_epoch *epoch;
	unsigned int n;
	u64 fresh;
	struct hlist_node under_way;
	struct hlist_node carried;
	bool missed;
	bool goodbye;
	struct dtls_opened opened[DTLS_RUN_MAX];
	const u8 *wire[DTLS_RUN_MAX];
	const u8 *piece;
	bool ours;
	u8 *room;
	unsigned int used;
	u8 header[DTLS_HEADER_SIZE_MAX];
};

/* Bytes of each record on the wire */
static inline unsigned int dtls_run_size(const struct dtls_run *rx)
{
	return rx->rec.header_len + rx->rec.fragment_len;
}

/* ---- cipher.c, mask.c: sealing and opening ---- */

/**
 * struct dtls_aead - what there is to know of one AEAD
 * @id:		DTLS_CIPHER_*
 * @name:	the crypto API's name for it
 * @key_len:	bytes
 * @salt_len:	bytes of the write IV that DTLS 1.2 uses
 * @explicit_len: bytes of nonce in each DTLS 1.2 record
 * @tag_len:	bytes
 * @ccm:	the crypto API wants a whole first counter block for an IV
 * @v13:	DTLS 1.3 has it too
 * @seal_limit:	records one key may protect, if its owner says nothing else
 * @open_limit:	forgeries after which a read key goes, likewise
 */
struct dtls_aead {
	u16 id;
	const char *name;
	u8 key_len;
	u8 salt_len;
	u8 explicit_len;
	u8 tag_len;
	bool ccm;
	bool v13;
	u64 seal_limit;
	u64 open_limit;
};

/* DTLS 1.3: a key for sequence numbers */
struct dtls_mask {
	struct crypto_cipher *aes;	/* NULL: ChaCha20 */
	struct crypto_skcipher *ecb;	/* @aes for many blocks, or NULL */
	u32 chacha[8];
};

/**
 * struct dtls_key - one direction's key for one epoch, ready for use
 * @cipher:	what it is for
 * @aead:	protects the content
 * @mask:	1.3: hides the sequence number
 * @version:	DTLS_VERSION_*
 * @cid_len:	bytes of connection ID
 * @explicit_len: bytes of nonce in each record
 * @length_len:	bytes of header that are there if another record follows
 * @head:	bytes from a record's start to its content but those
 * @tail:	bytes after the content but padding
 * @max_plaintext: bytes of content a record may have
 * @iv:		write IV
 * @open_limit:	read: forgeries after which it opens nothing more
 * @forged:	read: records whose tag was wrong
 * @cid_lock:	seqlock: @cid, which can change
 * @cid:	connection ID
 */
struct dtls_key {
	const struct dtls_aead *cipher;
	struct crypto_aead *aead;
	struct dtls_mask mask;
	u16 version;
	u8 cid_len;
	u8 explicit_len;
	u8 length_len;
	u16 head;
	u16 tail;
	u16 max_plaintext;
	u8 iv[DTLS_IV_SIZE];
	u64 open_limit;
	atomic64_t forged;
	seqlock_t cid_lock;	/* see above */
	u8 cid[DTLS_CID_SIZE_MAX];
};

/*
 * Pages that records are sealed in are marked, so that a reader on the same
 * machine can tell them from pages that user space may write to. The page
 * allocator clears the mark. A page with several records is marked once for
 * each, while a reader on another processor may look at the mark.
 */
extern const u8 dtls_batch_page_mark;

static inline void dtls_batch_mark_page(struct page *page)
{
	WRITE_ONCE(compound_head(page)->private,
		   (unsigned long)&dtls_batch_page_mark);
}

static inline bool dtls_batch_page_is_marked(struct page *page)
{
	return READ_ONCE(compound_head(page)->private) ==
	       (unsigned long)&dtls_batch_page_mark;
}

static inline bool dtls_is_13(u16 version)
{
	return version == DTLS_VERSION_1_3;
}

/*
 * Room in a scratch for what is received: more than the longest record, and no
 * part of a page. How large a page is matters for speed alone.
 */
#define DTLS_SCRATCH_ROOM	SZ_32K
static_assert(DTLS_SCRATCH_ROOM >= DTLS_HEADER_SIZE_MAX + DTLS_FRAGMENT_SIZE_MAX);
static_assert(IS_ALIGNED(DTLS_SCRATCH_ROOM, PAGE_SIZE) ||
	      IS_ALIGNED(PAGE_SIZE, DTLS_SCRATCH_ROOM));

#define DTLS_TAG_SIZE_MAX	16

/* The longest record made here: its content, and what dtls_key_size() adds */
#define DTLS_SEALED_SIZE_MAX	(DTLS_RECORD_SIZE_MAX + DTLS_HEADER_SIZE_MAX + \
				 DTLS_NONCE_SIZE + 1 + DTLS_TAG_SIZE_MAX)

/*
 * Pages such a record may lie in: its first byte is the first of its first page.
 * All that stands before its content, and the sample behind, lie in that page.
 */
#define DTLS_RECORD_PAGES	DIV_ROUND_UP(DTLS_SEALED_SIZE_MAX, PAGE_SIZE)
static_assert(DTLS_HEADER_SIZE_MAX + DTLS_NONCE_SIZE + DTLS_SAMPLE_SIZE <=
	      PAGE_SIZE);

/**
 * struct dtls_masks - the numbers of a batch's records, to be hidden at its end
 * @block:	the records' samples, of which the masks are made in place
 * @record:	where they start
 * @n:		how many there are
 * @sg:		all of @block
 * @req_size:	bytes of context in @req
 * @req:	for dtls_mask.ecb; the last
 */
struct dtls_masks {
	u8 block[UDP_MAX_SEGMENTS][DTLS_SAMPLE_SIZE];
	u8 *record[UDP_MAX_SEGMENTS];
	unsigned int n;
	struct scatterlist sg;
	unsigned int req_size;
	struct skcipher_request req CRYPTO_MINALIGN_ATTR;
};

/**
 * struct dtls_sealing - what records sealed one after another have in common
 * @rec:	their header; the last one's number
 * @type:	of the content
 * @head:	bytes before it
 * @len:	bytes of content
 * @inner_len:	with what is sealed with it: type and padding
 * @aad_len:	bytes
 */
struct dtls_sealing {
	struct dtls_record rec;
	u8 type;
	unsigned int head;
	size_t len;
	size_t inner_len;
	size_t aad_len;
};

/**
 * struct dtls_scratch - what sealing or opening needs besides key and data
 * @home:	the CPU whose spare this is; negative: it is charged to the task
 *		that asked for it
 * @wait:	for the end of a request
 * @req:	for dtls_key.aead
 * @req_size:	bytes of context in @req: at least those of the key in hand
 * @req_used:	of these, what requests since dtls_scratch_get() have used
 * @masks:	made for the first key that has dtls_mask.ecb
 * @hold:	dtls_crypt_seal() shall leave the numbers to @masks
 * @flat:	@aad if it stands there, content, tag
 * @pieces:	the same for a record that lies in single pages
 * @sealing:	the records being made
 * @iv:		nonce
 * @aad:	additional data that does not stand in the record
 * @content:	receiving: DTLS_SCRATCH_ROOM bytes for what is decrypted
 * @plain:	bytes of @content that were decrypted to
 * @fragment:	receiving: as many bytes, for records that must be copied first
 * @rx:		receiving: two
 * @dst:	receiving: @aad, @content
 *
 * Lifetime: from dtls_scratch_get() to dtls_scratch_put() its task owns it and
 * may sleep. A sender owns it while records are sealed, and neither while the
 * caller's data is copied nor while the base waits for room.
 */
struct dtls_scratch {
	int home;
	struct crypto_wait wait;
	struct aead_request *req;
	unsigned int req_size;
	unsigned int req_used;
	struct dtls_masks *masks;
	bool hold;
	struct scatterlist flat[3];
	struct scatterlist pieces[1 + DTLS_RECORD_PAGES];
	struct dtls_sealing sealing;
	u8 iv[16];
	u8 aad[DTLS_AAD_SIZE_MAX];

	u8 *content;
	size_t plain;
	u8 *fragment;
	struct dtls_run *rx;
	struct scatterlist dst[2];
};

/*
 * Where @len bytes are put that shall follow @offset others in memory aligned
 * to pages. Each page that they lie in costs the cipher a round, and a bounce
 * buffer if a block is cut in two; so what is small lies in one.
 */
static inline size_t dtls_scratch_place(size_t offset, size_t len)
{
	if (len <= PAGE_SIZE / 2 && offset_in_page(offset) + len > PAGE_SIZE)
		return round_up(offset, PAGE_SIZE);
	return offset;
}

/* How many pieces of @len bytes get a place in a scratch one behind the other */
static inline unsigned int dtls_scratch_places(size_t len)
{
	const unsigned int page = min_t(size_t, PAGE_SIZE, DTLS_SCRATCH_ROOM);

	if (len > page / 2)
		return DTLS_SCRATCH_ROOM / len;
	return DTLS_SCRATCH_ROOM / page * (page / (len ?: 1));
}

/* Bytes from a record's start to its content; @more: it is not the last one */
static inline unsigned int dtls_key_head(const struct dtls_key *key, bool more)
{
	return key->head + (more ? key->length_len : 0);
}

/* Bytes of a record of @len bytes of content */
static inline size_t dtls_key_size(const struct dtls_key *key, size_t len,
				   bool more)
{
	size_t size = dtls_key_head(key, more) + len + key->tail;

	if (dtls_is_13(key->version))
		size += dtls_record_padding(len, key->cipher->tag_len);
	return size;
}

/* Are the masks of @n records cheaper made at once? */
static inline bool dtls_mask_worth(const struct dtls_mask *mask, unsigned int n)
{
	return n >= 4 && mask->ecb;
}

const struct dtls_aead *dtls_key_find_aead(u16 id);
int dtls_key_init(struct dtls_key *key, const struct dtls_key_info *info,
		  const struct dtls_aead *cipher, bool write);
void dtls_key_destroy(struct dtls_key *key);
void dtls_crypt_seal_begin(const struct dtls_key *key,
			   struct dtls_scratch *scratch, size_t len, u8 type,
			   u64 epoch, bool more);
int dtls_crypt_seal(const struct dtls_key *key, struct dtls_scratch *scratch,
		    u8 *record, const struct bio_vec *pages, u64 seq);
u64 dtls_crypt_open(struct dtls_key *key, struct dtls_scratch *scratch,
		    struct dtls_run *rx);
int dtls_mask_init(struct dtls_mask *mask, u16 cipher, const u8 *sn_key,
		   unsigned int key_len, bool write);
void dtls_mask_destroy(struct dtls_mask *mask);
void dtls_mask_make(const struct dtls_mask *mask, const u8 *sample, u8 *out);
int dtls_crypt_seal_end(const struct dtls_key *key,
			struct dtls_scratch *scratch);

/* ---- scratch.c: memory that sealing and opening work in ---- */

/* A batch is copied by the base rather than lent to it up to this size. */
#define DTLS_LINEAR_SIZE	SZ_4K

struct dtls_scratch *dtls_scratch_get(bool receive);
void dtls_scratch_put(struct dtls_scratch *scratch);
int dtls_scratch_grow(struct dtls_scratch *scratch, const struct dtls_key *key);
u8 *dtls_scratch_get_linear(size_t len, int *home);
void dtls_scratch_put_linear(u8 *linear, int home);
void dtls_scratch_exit(void);

/* Before @scratch is used with @key. Sleeps. Return: 0 or -ENOMEM. */
static inline int dtls_scratch_fit(struct dtls_scratch *scratch,
				   const struct dtls_key *key)
{
	unsigned int size = crypto_aead_reqsize(key->aead);

	if (unlikely(!scratch->req || size > scratch->req_size ||
		     (key->mask.ecb &&
		      (!scratch->masks || scratch->masks->req_size <
		       crypto_skcipher_reqsize(key->mask.ecb)))))
		return dtls_scratch_grow(scratch, key);
	scratch->req_used = max(scratch->req_used, size);
	return 0;
}

/* ---- batch.c: memory of records on their way down ---- */

/* One datagram's payload, and a GSO packet's whatever its headers are */
#define DTLS_DATAGRAM_MAX	65507
#define DTLS_GSO_MAX		(65535 - 60 - 8)
static_assert(DTLS_SEALED_SIZE_MAX <= DTLS_GSO_MAX);

/*
 * Pieces of memory that @bytes of records may lie in if the first piece starts
 * with a page. A new piece is begun where a record does not fit the page at
 * the end of the last one, so any two neighbours are longer than a page.
 */
#define DTLS_PIECES(bytes)	(2 * DIV_ROUND_UP(bytes, PAGE_SIZE) + 1)

/* An skb's fragments are a page at most each, so more pieces are of no use. */
#define DTLS_BATCH_PIECES	(MAX_SKB_FRAGS < DTLS_PIECES(DTLS_GSO_MAX) ? \
				 MAX_SKB_FRAGS : DTLS_PIECES(DTLS_GSO_MAX))
static_assert(DTLS_BATCH_PIECES >= DTLS_RECORD_PAGES);

/**
 * struct dtls_batch - ciphertext on its way down
 * @linear:	where it lies, DTLS_LINEAR_SIZE bytes at most, or NULL
 * @home:	of @linear, for dtls_scratch_put_linear()
 * @lent:	the base takes over the pages; else it copies from them
 * @max:	entries of @bvec
 * @nr:		how many of @bvec are in use
 * @frags:	pages in @bvec: fragments that an skb needs for them
 * @len:	bytes
 * @bvec:	pieces of pages with a reference each, if it is not @linear
 *
 * A record lies in one piece, or it is the only content of pieces of its own
 * but the end of the last one.
 */
struct dtls_batch {
	u8 *linear;
	int home;
	bool lent;
	unsigned int max;
	unsigned int nr;
	unsigned int frags;
	size_t len;
	struct bio_vec *bvec;
};

/**
 * struct dtls_spot - a record's place in a batch
 * @batch:	the batch
 * @piece:	index in its bvec; not for a linear one
 * @offset:	in that piece, or in the linear memory
 */
struct dtls_spot {
	const struct dtls_batch *batch;
	unsigned int piece;
	size_t offset;
};

/* Where the next record that is added will lie */
static inline struct dtls_spot dtls_batch_end(const struct dtls_batch *batch)
{
	struct dtls_spot spot = { .batch = batch };

	if (batch->nr) {
		spot.piece = batch->nr - 1;
		spot.offset = batch->bvec[spot.piece].bv_len;
	}
	return spot;
}

bool dtls_batch_linear(struct dtls_batch *batch, size_t len);
bool dtls_batch_add(struct dtls_batch *batch, struct page_frag *frag,
		    size_t len);
void dtls_batch_cut(struct dtls_batch *batch, size_t len);
void dtls_batch_free(struct dtls_batch *batch);
u8 *dtls_batch_next_in_pages(struct dtls_spot *spot, size_t len,
			     const struct bio_vec **pages);

static inline u8 *dtls_batch_piece(const struct bio_vec *piece)
{
	return page_address(piece->bv_page) + piece->bv_offset;
}

/* Likewise, whatever the batch is made of */
static inline u8 *dtls_batch_next(struct dtls_spot *spot, size_t len,
				  const struct bio_vec **pages)
{
	const struct dtls_batch *batch = spot->batch;
	size_t offset = spot->offset;

	if (batch->linear) {
		*pages = NULL;
		spot->offset += len;
		return batch->linear + offset;
	}
	/* Most records lie in the piece that the one before lies in. */
	if (likely(offset + len <= batch->bvec[spot->piece].bv_len)) {
		*pages = NULL;
		spot->offset += len;
		return dtls_batch_piece(&batch->bvec[spot->piece]) + offset;
	}
	return dtls_batch_next_in_pages(spot, len, pages);
}

/* A record of several pages: where its byte @pos is, and @len bytes after it */
static inline u8 *dtls_batch_pages_at(const struct bio_vec *pages, size_t pos,
				      size_t *len)
{
	while (pos >= pages->bv_len)
		pos -= pages++->bv_len;
	*len = pages->bv_len - pos;
	return dtls_batch_piece(pages) + pos;
}

/* ---- epoch.c: a key's life ---- */

/**
 * struct dtls_epoch - a key, its sequence numbers and its limits
 * @refs:	one held by the association's slot, one by each record under way
 * @rcu:	to free it; who finds it in a slot must get a reference there
 * @number:	epoch
 * @key:	the key
 * @seq:	write: the next sequence number
 * @limit:	write: the number that must not be used any more
 * @told:	bit DTLS_EVENT_*: the event that tells the library of a limit is
 *		queued, or somebody is about to queue it
 * @replay:	read: window, under the association's lock
 * @used:	read: when the first record was opened, in seconds since boot;
 *		0: none was yet
 *
 * The last reference is put in process context, where the AEAD is freed at
 * once: nobody can have got a reference after it fell to zero.
 */
struct dtls_epoch {
	refcount_t refs;
	struct rcu_head rcu;
	u64 number;
	struct dtls_key key;
	atomic64_t seq ____cacheline_aligned_in_smp;
	u64 limit;
	unsigned long told;
	struct dtls_replay replay;
	u32 used;
};

struct dtls_epoch *dtls_epoch_new(const struct dtls_key_info *info,
				  const struct dtls_aead *cipher,
				  u32 replay_window);
void dtls_epoch_put(struct dtls_epoch *epoch);
int dtls_epoch_take_seq(struct dtls_epoch *epoch, unsigned int n, u64 *seq);
bool dtls_epoch_tx_warn(struct dtls_epoch *epoch);
bool dtls_epoch_rx_warn(struct dtls_epoch *epoch, u16 event);
void dtls_epoch_warn_again(struct dtls_epoch *epoch, u16 event);
int dtls_epoch_resize(struct dtls_epoch *epoch, spinlock_t *lock, u32 size);

/* ---- assoc.c: an association ---- */

#define DTLS_RX_EPOCHS	3	/* previous, current, next */

/* Counters that more than one task may raise at once */
enum dtls_count {
	DTLS_COUNT_TX_RECORDS,
	DTLS_COUNT_TX_BYTES,
	DTLS_COUNT_RX_REPLAYS,
	DTLS_COUNT_RX_AUTH_FAILED,
	DTLS_COUNT_RX_NO_KEY,
	DTLS_COUNT_RX_MALFORMED,
	DTLS_COUNT_RX_OVERSIZE,
	DTLS_COUNT_RX_EMPTY,
	DTLS_COUNT_RX_CONTROL,
	DTLS_COUNT_RX_NO_BUDGET,
	DTLS_COUNT_RX_EXPIRED,
	DTLS_COUNT_MAX
};

/* Connection IDs of one length, side by side, the newest last */
struct dtls_cid_list {
	struct rcu_head rcu;
	unsigned int n;
	u8 cid[];
};

/**
 * struct dtls_assoc - the state shared with one peer
 * @version:	of every key
 * @rx_cid_len:	bytes of connection ID in every record that has one
 * @eof:	the peer said close_notify, and all that was taken in before it
 *		is read or in a queue
 * @replay_window: records, for epochs to come
 * @tx:		current write epoch or NULL
 * @rx:		read epochs, newest first
 * @cids:	connection IDs of ours beside those of the read keys, or NULL
 * @setup:	the socket's mutex, under which @tx, @rx and @cids are written
 * @retire:	makes old ones of @rx go, with the mutex
 * @lock:	replay windows of @rx and what follows it here; taken in process
 *		context alone, innermost
 * @under_way:	runs of records between intake and the window's last word on them
 * @rx_records:	application records verified
 * @rx_bytes:	their content
 * @count:	see enum dtls_count
 *
 * Made with its socket's first key and freed in close(), which waits for @retire.
 * No call runs on a socket that is being closed, so the data path borrows it
 * without a reference. Slots are written under the setup mutex and read under
 * RCU.
 */
struct dtls_assoc {
	u16 version;
	u8 rx_cid_len;
	bool eof;
	u32 replay_window;
	struct dtls_epoch __rcu *tx;
	struct dtls_epoch __rcu *rx[DTLS_RX_EPOCHS];
	struct dtls_cid_list __rcu *cids;
	struct mutex *setup;	/* see above */
	struct delayed_work retire;
	spinlock_t lock ____cacheline_aligned_in_smp;
	struct hlist_head under_way;
	u64 rx_records;
	u64 rx_bytes;
	atomic64_t count[DTLS_COUNT_MAX];
};

struct dtls_assoc *
dtls_assoc_new(u16 version, u32 replay_window, struct mutex *setup);
void dtls_assoc_free(struct dtls_assoc *assoc);
int dtls_assoc_set_tx(struct dtls_assoc *assoc, struct dtls_epoch *epoch);
int dtls_assoc_set_rx(struct dtls_assoc *assoc, struct dtls_epoch *epoch);
struct dtls_epoch *dtls_assoc_tx(struct dtls_assoc *assoc);
struct dtls_epoch *dtls_assoc_rx(struct dtls_assoc *assoc, u64 number);
u64 dtls_assoc_newest_rx(struct dtls_assoc *assoc);
void dtls_assoc_used(struct dtls_assoc *assoc, struct dtls_epoch *epoch);
int dtls_assoc_add_cid(struct dtls_assoc *assoc, const u8 *cid);
bool dtls_assoc_knows_cid(const struct dtls_assoc *assoc,
			  const struct dtls_record *rec);
void dtls_assoc_info(struct dtls_assoc *assoc, struct dtls_info *info);
void dtls_assoc_counters(struct dtls_assoc *assoc,
			 struct dtls_counters *counters);

/* ---- the socket ---- */

/**
 * struct dtls_dgram - a datagram, or a coalesced one, being cut into records
 * @skb:	one reference; NULL: used up
 * @serial:	tells it from every other one of the socket
 * @pos:	where the next record starts
 * @seg_len:	bytes of each datagram but the last in a coalesced @skb
 * @seg_end:	end of the datagram within it
 * @end:	end of what is ours
 * @piece:	where bytes @piece_start to @piece_end of @skb lie in memory, or
 *		NULL if that cannot be told
 * @piece_start: in @skb
 * @piece_end:	in @skb; 0: not looked for yet
 * @piece_next:	fragment of @skb that follows
 * @piece_ours:	nobody else writes to @piece
 * @has_cid:	a connection ID of ours stands before @pos in the datagram
 * @intact:	the checksum of @skb was looked at, and is right
 * @cut:	a record was cut out of @skb
 * @junk:	records of the datagram that were malformed, of no key or forged
 */
struct dtls_dgram {
	struct sk_buff *skb;
	u64 serial;
	unsigned int pos;
	unsigned int seg_len;
	unsigned int seg_end;
	unsigned int end;
	unsigned int piece_start;
	unsigned int piece_end;
	unsigned int piece_next;
	const u8 *piece;
	bool piece_ours;
	bool has_cid;
	bool intact;
	bool cut;
	unsigned int junk;
};

/**
 * struct dtls_msg - a record that waits for a reader or for its key
 * @list:	in dtls_sock.ready, .control, .early or .pending
 * @raw:	in dtls_sock.raw, if it is in .control and not authenticated
 * @refs:	one held by the queue, one by each reader that peeks
 * @skb:	all of it, this structure too; see dtls_msg_alloc(). Headers and
 *		ancillary data are those of the datagram it came in; an event
 *		has none
 * @info:	what it is
 * @rec:	its header (without the connection ID), for what may follow it
 * @dgram:	serial of the datagram it came in, for the same
 * @since:	jiffies when it began to wait for its key
 * @early:	bytes of dtls_sock.early_bytes that are for it
 * @has_cid:	a connection ID of ours stood before it in its datagram
 * @len:	bytes of @data
 * @data:	content, or for a raw record header and fragment
 */
struct dtls_msg {
	struct list_head list;
	struct list_head raw;
	refcount_t refs;
	struct sk_buff *skb;
	struct dtls_record_info info;
	struct dtls_record rec;
	u64 dgram;
	unsigned long since;
	unsigned int early;
	bool has_cid;
	unsigned int len;
	u8 *data;
};

/**
 * struct dtls_sock - an attached socket
 * @sk:		the socket; holds this structure as its sk_user_data
 * @base:	its own proto
 * @base_ops:	its own proto_ops
 * @data_ready:	its own sk_data_ready
 * @stats:	its network namespace's, which @sk holds: DTLS_STAT_MAX of them
 * @setup:	mutex: keys, connect and disconnect
 * @assoc:	the association of a connected socket; set once, by the first
 *		key. (A server's socket will have a table of them.)
 * @peer_addr:	whom the socket was connected to then (IPv4: a mapped address);
 *		written under the setup mutex and the socket's lock
 * @peer_port:	likewise
 * @replay_window: for associations to come
 * @lock:	intake, and the lists and figures below; taken in process
 *		context alone, around struct dtls_assoc's
 * @serial:	of the datagram taken last
 * @current_dgram: what was taken from UDP's queue last, if not yet used up
 * @kept_dgram:	likewise from @pending, whose records come first
 * @pending:	early records whose key has come, datagrams given back
 * @early:	records whose key is still to come, the oldest first
 * @ready:	application records opened for poll or MSG_PEEK
 * @control:	everything else, for MSG_OOB
 * @raw:	those of @control that are not authenticated, the oldest first
 * @early_bytes: memory of early records in @early and @pending
 * @raw_bytes:	memory of @raw
 * @control_bytes: memory of the rest of @control
 * @carried:	runs of records from the intake to dtls_wait_done(), newest first
 * @news:	counts what was put into @ready or @control, and the end of file
 * @ready_bytes: memory of @ready
 * @turned_away: a poller could not look for control records behind data, for
 *		want of room in @ready
 * @takers:	readers of application data that are asleep in recvmsg
 * @gro:	UDP takes coalesced datagrams in for us
 * @user_gro:	the user asked for UDP_GRO
 * @poll_control: the user asked for EPOLLPRI
 * @gso_size:	the user's UDP_SEGMENT: bytes of plaintext
 * @corked:	the user's UDP_CORK
 * @cork_lock:	mutex: @cork
 * @cork:	records that wait for the end of their datagram
 *
 * Lifetime: made by attach, under the socket's lock; freed in close(), after
 * which the socket is a plain UDP socket again for the rest of its release.
 * Every use is from a system call on the socket's file, which close() cannot
 * overtake; dtls_wait_data_ready(), the one piece of ours that runs in softirq,
 * does not look at it.
 */
struct dtls_sock {
	struct sock *sk;
	struct proto *base;
	const struct proto_ops *base_ops;
	void (*data_ready)(struct sock *sk);
	u64 __percpu *stats;

	struct mutex setup;	/* see above */
	struct dtls_assoc *assoc;
	struct in6_addr peer_addr;
	__be16 peer_port;
	u32 replay_window;

	spinlock_t lock;	/* see above */
	u64 serial;
	struct dtls_dgram current_dgram;
	struct dtls_dgram kept_dgram;
	struct list_head pending;
	struct list_head early;
	struct list_head ready;
	struct list_head control;
	struct list_head raw;
	unsigned int early_bytes;
	unsigned int raw_bytes;
	unsigned int control_bytes;
	struct hlist_head carried;
	unsigned int news;
	unsigned int ready_bytes;
	bool turned_away;
	atomic_t takers;
	bool gro;
	bool user_gro;
	bool poll_control;

	bool corked;
	u16 gso_size;
	struct mutex cork_lock;	/* see above */
	struct dtls_cork *cork;
};

/*
 * Return the attached socket's own structure. The caller was called by way of
 * the socket's proto or proto_ops, which swap_ops() writes after sk_user_data;
 * whoever read the entry there did so without an acquire, so one is made here.
 */
static inline struct dtls_sock *dtls_sk(const struct sock *sk)
{
	smp_rmb();	/* pairs with smp_store_release() in swap_ops() */
	return rcu_dereference_raw(__sk_user_data(sk));
}

static inline struct dtls_assoc *dtls_sock_assoc(const struct dtls_sock *ds)
{
	return smp_load_acquire(&ds->assoc);	/* pairs with its first key */
}

/* Any context. */
static inline void dtls_stats_add(struct dtls_sock *ds, enum dtls_stat stat,
				  u64 n)
{
	this_cpu_add(ds->stats[stat], n);
}

static inline void dtls_stats_inc(struct dtls_sock *ds, enum dtls_stat stat)
{
	dtls_stats_add(ds, stat, 1);
}

void dtls_stats_count(struct dtls_sock *ds, enum dtls_count what);
u8 dtls_stats_drop_reason(enum dtls_count what);

/* ---- msg.c: what is held between two calls, and its charge ---- */

/* What a charge counts against, beside udp_mem and the cgroup */
enum dtls_charge {
	DTLS_CHARGE_RECEIVED,	/* the receive buffer */
	DTLS_CHARGE_ASIDE,	/* a budget of its own */
};

bool dtls_msg_hold(struct dtls_sock *ds, struct sk_buff *skb,
		   enum dtls_charge where);
struct dtls_msg *dtls_msg_alloc(unsigned int headers, unsigned int len);
struct dtls_msg *dtls_msg_new(struct sk_buff *from, unsigned int len);
void dtls_msg_put(struct dtls_sock *ds, struct dtls_msg *m);
void dtls_msg_purge(struct dtls_sock *ds, struct list_head *queue);

/* ---- wait.c: who sleeps, who is woken, and what is under way ---- */

/**
 * struct dtls_waiter - a reader that may have to sleep
 * @seen:	dtls_sock.news when the reader began to look
 * @taker:	it will take application data
 * @limited:	it will sleep until @deadline, in jiffies, at most
 * @deadline:	see @limited
 */
struct dtls_waiter {
	unsigned int seen;
	bool taker;
	bool limited;
	unsigned long deadline;
};

/* Something was put into a queue, or the end of file came. */
static inline void dtls_wait_news(struct dtls_sock *ds)
{
	lockdep_assert_held(&ds->lock);
	/* Who reads the new count finds what it counts in the queue. */
	smp_store_release(&ds->news, ds->news + 1);
}

/* Did the peer end the stream? Look at the ready queue only afterwards. */
static inline bool dtls_wait_closed(const struct dtls_sock *ds)
{
	struct dtls_assoc *assoc = dtls_sock_assoc(ds);

	return assoc && smp_load_acquire(&assoc->eof);	/* end_of_file() */
}

/* Return true if UDP has a datagram for us. */
static inline bool dtls_wait_udp_unread(const struct sock *sk)
{
	return !skb_queue_empty_lockless(&sk->sk_receive_queue) ||
	       !skb_queue_empty_lockless(&udp_sk(sk)->reader_queue);
}

/* Return true if something was received that nobody has looked at. */
static inline bool dtls_wait_unread(const struct dtls_sock *ds)
{
	return READ_ONCE(ds->current_dgram.skb) ||
	       dtls_wait_udp_unread(ds->sk) ||
	       READ_ONCE(ds->kept_dgram.skb) || !list_empty(&ds->pending);
}

/* How many datagrams there are now; what comes later wakes by itself. */
static inline unsigned int dtls_wait_queued(const struct dtls_sock *ds)
{
	return skb_queue_len_lockless(&ds->sk->sk_receive_queue) +
	       skb_queue_len_lockless(&udp_sk(ds->sk)->reader_queue);
}

/* The records of @rx were taken in. The caller owes them a dtls_wait_done(). */
static inline void dtls_wait_begin(struct dtls_sock *ds, struct dtls_run *rx)
{
	lockdep_assert_held(&ds->lock);
	rx->missed = false;
	rx->goodbye = false;
	hlist_add_head(&rx->carried, &ds->carried);
}

void dtls_wait_data_ready(struct sock *sk);
void dtls_wait_wake(struct sock *sk);
void dtls_wait_wake_one(struct sock *sk);
void dtls_wait_wake_next(struct dtls_sock *ds);
void dtls_wait_missed(struct dtls_sock *ds);
bool __dtls_wait_nothing(struct dtls_sock *ds);
void dtls_wait_done(struct dtls_sock *ds, struct dtls_run *rx);
bool dtls_wait_shut(struct dtls_sock *ds, unsigned int seen);
void dtls_wait_busy_poll(struct dtls_sock *ds, bool nonblock);
int dtls_wait_sleep(struct dtls_sock *ds, const struct dtls_waiter *waiter);

/* As __dtls_wait_nothing(), without the lock where there is something */
static inline bool dtls_wait_nothing(struct dtls_sock *ds)
{
	return !dtls_wait_unread(ds) && __dtls_wait_nothing(ds);
}

/* ---- control.c: the out-of-band queue ---- */

struct dtls_msg *dtls_control_new(struct dtls_sock *ds, struct sk_buff *from,
				  unsigned int len, bool raw);
bool dtls_control_queue(struct dtls_sock *ds, struct dtls_msg *m);
void dtls_control_event(struct dtls_sock *ds, struct dtls_epoch *epoch,
			u16 event);
struct dtls_msg *dtls_control_take(struct dtls_sock *ds, bool peek);
void dtls_control_put_back(struct dtls_sock *ds, struct dtls_msg *m);

/* ---- intake.c: records out of datagrams ---- */

/* Is it early data? */
static inline bool dtls_run_replayable(const struct dtls_run *rx)
{
	return rx->rec.unified && rx->rec.epoch == DTLS13_EPOCH_EARLY;
}

int dtls_intake_next(struct dtls_sock *ds, struct dtls_run *rx,
		     unsigned int *budget);
bool dtls_intake_intact(struct dtls_sock *ds, struct dtls_run *rx);
void dtls_intake_junk(struct dtls_sock *ds, const struct dtls_run *rx);
bool dtls_intake_coalesced(struct dtls_sock *ds, u64 dgram,
			   const struct dtls_record *first, struct dtls_run *rx,
			   unsigned int max);
struct dtls_msg *dtls_early_take(struct dtls_sock *ds);
void dtls_early_keep(struct dtls_sock *ds, struct dtls_run *rx);
void dtls_early_new_key(struct dtls_sock *ds);
int dtls_early_feed(struct dtls_sock *ds, sockptr_t data, size_t offset,
		    unsigned int len);
void dtls_intake_purge(struct dtls_sock *ds);

/* ---- rx.c: what becomes of a record ---- */

/* What became of a record */
enum dtls_verdict {
	DTLS_RX_DONE,		/* kept elsewhere or dropped */
	DTLS_RX_DATA,		/* application data for the reader */
	DTLS_RX_CONTROL,	/* verified, for the control queue */
};

void dtls_rx_open(struct dtls_sock *ds, struct dtls_run *rx,
		  struct dtls_scratch *scratch);
void dtls_rx_info(const struct dtls_run *rx, unsigned int i,
		  struct dtls_record_info *info);
void dtls_rx_queue_ready(struct dtls_sock *ds, struct dtls_msg *m, bool oldest);
int dtls_rx_keep(struct dtls_sock *ds, const struct dtls_run *rx,
		 unsigned int i);
bool dtls_rx_import(struct dtls_assoc *assoc, struct dtls_epoch *epoch,
		    u64 next, const u64 *seen);

/* ---- recv.c: readers ---- */

int dtls_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags);
__poll_t dtls_recvmsg_poll(struct dtls_sock *ds, __poll_t asked);
int dtls_recvmsg_inq(struct sock *sk, int *bytes);

/* ---- path.c: the way to the peer ---- */

bool dtls_path_is_peer(const struct sock *sk, const void *name, int len);
unsigned int dtls_path_payload(struct sock *sk);
bool dtls_path_dont_fragment(const struct sock *sk);

/* ---- tx.c: a writer's bytes to the wire ---- */

int dtls_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);
unsigned int dtls_tx_mtu(struct dtls_sock *ds, const struct dtls_key *key);
int dtls_tx_uncork(struct dtls_sock *ds, int flags);
void dtls_tx_purge(struct dtls_sock *ds);

/* ---- sockopt.c ---- */

int dtls_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval,
		    unsigned int optlen);
int dtls_getsockopt(struct sock *sk, int level, int optname,
		    char __user *optval, int __user *optlen);

/* ---- ulp.c: attach and detach ---- */

/*
 * Return true if a call that was inside UDP when the attach came has set
 * UDP_SEGMENT or UDP_CORK there. See dtls_sock_take_options().
 */
static inline bool dtls_sock_options_came(const struct sock *sk)
{
	return unlikely(READ_ONCE(udp_sk(sk)->gso_size) ||
			udp_test_bit(CORK, sk));
}

int attach_sock(struct sock *sk);
bool is_attached(const struct sock *sk);
void dtls_sock_release_cb(struct sock *sk);
void dtls_sock_take_options_locked(struct dtls_sock *ds);
void dtls_sock_take_options(struct dtls_sock *ds);
int dtls_sock_bind_peer(struct dtls_sock *ds);
int dtls_ulp_init(void);
void dtls_ulp_exit(void);

#endif /* _DTLS_H */
