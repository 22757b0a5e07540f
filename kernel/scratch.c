// SPDX-License-Identifier: GPL-2.0
/*
 * This file has the memory that sealing and opening work in. Each CPU has one spare
 * of each kind, which is made when it is first needed and charged to no cgroup. A
 * task that finds the spare in use gets memory that is charged to its own cgroup and
 * freed after use. So the memory that many tasks can make the kernel hold is bounded.
 *
 * Nothing secret stays in a spare: plaintext, nonces and the contexts of
 * requests, where a cipher keeps one-time keys, are wiped before it is put back.
 */
#include <linux/err.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "scratch.h"

/* A spare is NULL until it is made, and IN_USE while a task has it. */
static DEFINE_PER_CPU(void *, spare_scratch);
static DEFINE_PER_CPU(void *, spare_linear);

#define IN_USE	ERR_PTR(-EBUSY)

/*
 * take_spare() takes this CPU's spare out of @spares. It returns NULL if there is
 * none: with a CPU in @home the caller makes the spare of that CPU, and with a
 * negative @home the spare is in use.
 */
static void *take_spare(void *__percpu *spares, int *home)
{
	int cpu = raw_smp_processor_id();
	void *spare = xchg(per_cpu_ptr(spares, cpu), IN_USE);

	*home = cpu;
	if (likely(spare != IN_USE))
		return spare;
	*home = -1;
	return NULL;
}

/* put_spare() puts @spare, or NULL if it could not be made, back in @spares. */
static void put_spare(void *__percpu *spares, int home, void *spare)
{
	/* Pairs with xchg() in take_spare(): the next user finds the spare wiped. */
	smp_store_release(per_cpu_ptr(spares, home), spare);
}

static gfp_t gfp_of(int home)
{
	return home < 0 ? GFP_KERNEL_ACCOUNT : GFP_KERNEL;
}

static void scratch_free(struct dtls_scratch *scratch)
{
	if (!scratch)
		return;
	kfree(scratch->req);
	kfree(scratch->masks);
	kfree(scratch->content);
	kfree(scratch->fragment);
	kfree(scratch->rx);
	kfree(scratch);
}

static struct dtls_scratch *scratch_new(int home)
{
	struct dtls_scratch *scratch = kzalloc(sizeof(*scratch), gfp_of(home));

	if (!scratch)
		return NULL;
	scratch->home = home;
	crypto_init_wait(&scratch->wait);
	sg_init_table(scratch->flat, ARRAY_SIZE(scratch->flat));
	sg_init_table(scratch->pieces, ARRAY_SIZE(scratch->pieces));
	sg_unmark_end(&scratch->pieces[DTLS_RECORD_PAGES]);
	sg_init_table(scratch->dst, ARRAY_SIZE(scratch->dst));
	sg_set_buf(&scratch->flat[0], scratch->aad, sizeof(scratch->aad));
	sg_set_buf(&scratch->dst[0], scratch->aad, sizeof(scratch->aad));
	return scratch;
}

/*
 * add_receive() adds what receiving alone needs. If memory is short, what could be
 * allocated stays for the next try.
 */
static bool add_receive(struct dtls_scratch *scratch)
{
	gfp_t gfp = gfp_of(scratch->home);

	if (!scratch->fragment)
		scratch->fragment = kmalloc(DTLS_SCRATCH_ROOM, gfp);
	if (!scratch->rx)
		scratch->rx = kcalloc(2, sizeof(*scratch->rx), gfp);
	if (!scratch->fragment || !scratch->rx)
		return false;
	scratch->rx[0].room = scratch->fragment;
	scratch->rx[1].room = scratch->fragment;
	scratch->content = kmalloc(DTLS_SCRATCH_ROOM, gfp);
	if (!scratch->content)
		return false;
	sg_set_buf(&scratch->dst[1], scratch->content, DTLS_SCRATCH_ROOM);
	return true;
}

/*
 * scratch_complete() makes what @scratch lacks, or all of it if it is NULL; see
 * dtls_scratch_get(). Sleeps.
 */
static noinline struct dtls_scratch *
scratch_complete(struct dtls_scratch *scratch, int home, bool receive)
{
	if (!scratch)
		scratch = scratch_new(home);
	if (!scratch) {
		if (home >= 0)
			put_spare(&spare_scratch, home, NULL);
		return NULL;
	}
	if (receive && !scratch->content && !add_receive(scratch)) {
		dtls_scratch_put(scratch);
		return NULL;
	}
	return scratch;
}

/**
 * dtls_scratch_get() - memory to seal or open records in
 * @receive:	to open them
 *
 * The key need not be known yet; see dtls_scratch_fit(). Sleeps.
 *
 * Return: NULL if there is no memory.
 */
struct dtls_scratch *dtls_scratch_get(bool receive)
{
	struct dtls_scratch *scratch;
	int home;

	scratch = take_spare(&spare_scratch, &home);
	if (likely(scratch && (!receive || scratch->content)))
		return scratch;
	return scratch_complete(scratch, home, receive);
}

/*
 * wipe_memory() zeroes @len bytes at @from and the rest of the last word, which
 * must belong to the same memory. On x86 memset64() is one instruction, where
 * memset() takes longer to choose a way than to write what is short.
 */
static void wipe_memory(void *from, size_t len)
{
	memset64(from, 0, DIV_ROUND_UP(len, sizeof(u64)));
	barrier_data(from);
}

static_assert(IS_ALIGNED(DTLS_SCRATCH_ROOM, sizeof(u64)));

/*
 * dtls_scratch_put() gives @scratch back, and wipes what was used: plaintext, the
 * context of the request and the nonce.
 */
void dtls_scratch_put(struct dtls_scratch *scratch)
{
	if (likely(scratch->req_used))
		wipe_memory(scratch->req->__ctx, scratch->req_used);
	if (scratch->plain)
		wipe_memory(scratch->content, scratch->plain);
	memset(scratch->iv, 0, sizeof(scratch->iv));
	scratch->req_used = 0;
	scratch->plain = 0;
	if (likely(scratch->home >= 0))
		put_spare(&spare_scratch, scratch->home, scratch);
	else
		scratch_free(scratch);
}

static int grow_masks(struct dtls_scratch *scratch, unsigned int size)
{
	struct dtls_masks *masks;

	masks = kzalloc(sizeof(*masks) + size, gfp_of(scratch->home));
	if (!masks)
		return -ENOMEM;
	masks->req_size = size;
	sg_init_one(&masks->sg, masks->block, sizeof(masks->block));
	skcipher_request_set_callback(&masks->req, CRYPTO_TFM_REQ_MAY_BACKLOG |
				      CRYPTO_TFM_REQ_MAY_SLEEP, crypto_req_done,
				      &scratch->wait);
	kfree(scratch->masks);
	scratch->masks = masks;
	return 0;
}

/*
 * dtls_scratch_grow() makes the requests of @scratch large enough for @key. It is
 * called for each use, as a new key may have come since @scratch was taken.
 */
int dtls_scratch_grow(struct dtls_scratch *scratch, const struct dtls_key *key)
{
	unsigned int size = crypto_aead_reqsize(key->aead);
	struct crypto_skcipher *ecb = key->mask.ecb;
	struct aead_request *req;

	if (!scratch->req || size > scratch->req_size) {
		req = kzalloc(sizeof(*req) + round_up(size, sizeof(u64)),
			      gfp_of(scratch->home));
		if (!req)
			return -ENOMEM;
		aead_request_set_callback(req, CRYPTO_TFM_REQ_MAY_BACKLOG |
					  CRYPTO_TFM_REQ_MAY_SLEEP,
					  crypto_req_done, &scratch->wait);
		kfree_sensitive(scratch->req);
		scratch->req = req;
		scratch->req_size = size;
	}
	scratch->req_used = size;
	if (ecb && (!scratch->masks ||
		    scratch->masks->req_size < crypto_skcipher_reqsize(ecb)))
		return grow_masks(scratch, crypto_skcipher_reqsize(ecb));
	return 0;
}

/* new_linear() makes what dtls_scratch_get_linear() did not find. Sleeps. */
static noinline u8 *new_linear(size_t len, int home)
{
	u8 *linear;

	if (home < 0)
		return kmalloc(len, GFP_KERNEL_ACCOUNT);
	linear = kmalloc(DTLS_LINEAR_SIZE, GFP_KERNEL);
	if (!linear)
		put_spare(&spare_linear, home, NULL);
	return linear;
}

/**
 * dtls_scratch_get_linear() - memory in one piece for a few short records
 * @len:	bytes, DTLS_LINEAR_SIZE at most
 * @home:	set, for dtls_scratch_put_linear()
 *
 * The memory holds ciphertext while the base may wait for room, and is therefore no
 * part of a scratch. It is aligned so that few records cross a page. Sleeps.
 *
 * Return: NULL if there is no memory.
 */
u8 *dtls_scratch_get_linear(size_t len, int *home)
{
	u8 *linear = take_spare(&spare_linear, home);

	return likely(linear) ? linear : new_linear(len, *home);
}

void dtls_scratch_put_linear(u8 *linear, int home)
{
	if (likely(home >= 0))
		put_spare(&spare_linear, home, linear);
	else
		kfree(linear);
}

/* dtls_scratch_exit() frees the spares when no socket is attached any more. */
void dtls_scratch_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		scratch_free(per_cpu(spare_scratch, cpu));
		kfree(per_cpu(spare_linear, cpu));
	}
}
