// SPDX-License-Identifier: GPL-2.0
/*
 * This file provides the memory that sealing and opening work in. Each CPU has one
 * spare of each kind, which is made when it is first needed and charged to no cgroup. A
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

#include "mask.h"
#include "scratch.h"

/* A spare is NULL until it is made, and IN_USE while a task has it. */
static DEFINE_PER_CPU(void *, spare_scratch);
static DEFINE_PER_CPU(void *, spare_linear);

#define IN_USE	ERR_PTR(-EBUSY)

/*
 * take_spare() takes this CPU's spare out of @spares and sets @home to the CPU. If it
 * returns NULL, the spare does not exist yet, and the caller makes the spare of CPU
 * @home; or @home is negative, because the spare is in use.
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
	/* The release pairs with xchg() in take_spare(), whose task finds it wiped. */
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
 * add_receive() adds the buffers that only receiving needs. If memory is short, it
 * returns false and leaves those that it could allocate for the next try.
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
 * scratch_complete() adds to @scratch what it lacks; if @scratch is NULL, it makes a
 * new one. @home is from take_spare(). Sleeps. Returns NULL if there is no memory.
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
 * dtls_scratch_get() - get memory to seal or open records in
 * @receive:	true to open records, false to seal them
 *
 * The caller makes the scratch fit its key with dtls_scratch_fit(). Sleeps.
 *
 * Return: a scratch, or NULL if there is no memory.
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
 * wipe_memory() zeroes the @len bytes at @from, rounded up to whole words, which must
 * belong to the same memory. memset64() is one instruction on x86, while memset() needs
 * longer to choose its method than to write a few bytes.
 */
static void wipe_memory(void *from, size_t len)
{
	memset64(from, 0, DIV_ROUND_UP(len, sizeof(u64)));
	barrier_data(from);
}

static_assert(IS_ALIGNED(DTLS_SCRATCH_ROOM, sizeof(u64)));

/*
 * dtls_scratch_put() wipes the plaintext, the context of the request and the nonce in
 * @scratch, and gives @scratch back, and with it what was borrowed for it.
 */
void dtls_scratch_put(struct dtls_scratch *scratch)
{
	dtls_scratch_return(scratch);
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
 * dtls_scratch_borrow() gets @scratch a transform for @key, which has none of its own.
 * Sleeps. Returns 0 or an error.
 */
int dtls_scratch_borrow(struct dtls_scratch *scratch, const struct dtls_key *key)
{
	struct dtls_loan *loan;

	dtls_mask_prepare(key);
	loan = dtls_transform_borrow(key);
	if (IS_ERR(loan))
		return PTR_ERR(loan);
	scratch->loan = loan;
	scratch->aead = loan->aead;
	return 0;
}

/*
 * dtls_scratch_grow() makes the requests of @scratch large enough for the ciphers of
 * @key. dtls_scratch_fit() calls it if they are not. Sleeps. Returns 0 or -ENOMEM.
 */
int dtls_scratch_grow(struct dtls_scratch *scratch, const struct dtls_key *key)
{
	unsigned int size = crypto_aead_reqsize(scratch->aead);
	struct crypto_skcipher *ecb = key->ecb;
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

/*
 * new_linear() makes the spare of CPU @home or, if @home is negative, memory of @len
 * bytes for one use. Sleeps. Returns NULL if there is no memory.
 */
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
 * dtls_scratch_get_linear() - get memory in one piece for a few short records
 * @len:	how many bytes, DTLS_LINEAR_SIZE at most
 * @home:	set to the value that dtls_scratch_put_linear() needs
 *
 * The memory is no part of a scratch, because the task needs it, with ciphertext, while
 * the base waits for room in the send buffer. Sleeps.
 *
 * Return: the memory, or NULL.
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
