// SPDX-License-Identifier: GPL-2.0
/*
 * This file makes the masks over the sequence numbers of DTLS 1.3 records (RFC 9147
 * 4.2.3). For AES each key of a connected socket has a transform of its own. Keys of a
 * table's associations borrow one, as those of AEADs in transform.c; but a reader
 * makes a mask under a spin lock, so a spin lock guards what is lent, and it is made
 * beforehand. ChaCha20 is a function that needs nothing but the key.
 */
#include <crypto/aes.h>
#include <crypto/internal/cipher.h>
#include <crypto/skcipher.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "compat.h"
#include "mask.h"
#include "record.h"

DTLS_IMPORT_CRYPTO_INTERNAL;

/* A sample is one block of AES. */
static_assert(DTLS_SAMPLE_SIZE == AES_BLOCK_SIZE);

#define LOANS	16

/**
 * struct loan - a transform that keys without one of their own borrow
 * @lock:	spin lock that a task holds while it uses @aes or changes its key. Taken
 *		in process context only, inside dtls_assoc.lock
 * @aes:	the transform; NULL: it was not needed yet. Once made, it stays
 * @serial:	dtls_key.serial of the key that @aes has; 0: it has the key of no
 *		association. Written under @lock
 */
struct loan {
	spinlock_t lock;	/* The lock guards @aes and @serial. */
	struct crypto_cipher *aes;
	u64 serial;
};

/*
 * struct cpu_loans has the transforms that one CPU lends to keys of each AEAD, so that no
 * transform gets keys of two sizes: a shorter one would leave round keys of a longer one
 * behind. dtls_key.serial chooses one of them.
 */
struct cpu_loans {
	struct loan of[DTLS_AEADS][LOANS];
};

static struct cpu_loans __percpu *loans;

static struct loan *loan_of(const struct dtls_key *key, int cpu)
{
	struct cpu_loans *l = per_cpu_ptr(loans, cpu);

	return &l->of[key->cipher - dtls_aeads][key->serial % LOANS];
}

/* borrows_aes() returns true if @key masks with AES and has no transform for it. */
static bool borrows_aes(const struct dtls_key *key)
{
	return key->serial && dtls_is_13(key->version) &&
	       key->cipher->kind != DTLS_AEAD_CHACHA;
}

/* fill_loan() makes the transform at @loan, if it is missing. Sleeps. */
static int fill_loan(struct loan *loan)
{
	struct crypto_cipher *aes;

	if (READ_ONCE(loan->aes))
		return 0;
	aes = crypto_alloc_cipher("aes", 0, 0);
	if (IS_ERR(aes))
		return PTR_ERR(aes);
	if (cmpxchg(&loan->aes, NULL, aes))
		crypto_free_cipher(aes);
	return 0;
}

/*
 * dtls_mask_prepare() makes what this CPU lends to @key. If it cannot, or if a CPU was
 * not prepared, what another CPU has is lent. Sleeps.
 */
void dtls_mask_prepare(const struct dtls_key *key)
{
	if (borrows_aes(key))
		fill_loan(loan_of(key, raw_smp_processor_id()));
}

/*
 * find_loan() returns what this CPU lends to @key, or else what another one does. There
 * is one, since dtls_mask_init() made it.
 */
static struct loan *find_loan(const struct dtls_key *key)
{
	struct loan *loan = loan_of(key, raw_smp_processor_id());
	int cpu;

	if (likely(READ_ONCE(loan->aes)))
		return loan;
	for_each_possible_cpu(cpu) {
		loan = loan_of(key, cpu);
		if (READ_ONCE(loan->aes))
			return loan;
	}
	return NULL;
}

/* set_key() gives the transform at @loan, whose lock is held, the key @sn_key. */
static int set_key(struct loan *loan, const u8 *sn_key, unsigned int len)
{
	lockdep_assert_held(&loan->lock);
	WRITE_ONCE(loan->serial, 0);
	return crypto_cipher_setkey(loan->aes, sn_key, len);
}

/* make_borrowed() makes a mask as dtls_mask_make() does, with a transform that is lent. */
static noinline int make_borrowed(const struct dtls_key *key, const u8 *sample,
				  u8 *out)
{
	struct loan *loan = find_loan(key);
	int err = 0;

	if (!loan)
		return -ENOMEM;
	spin_lock(&loan->lock);
	if (loan->serial != key->serial) {
		err = set_key(loan, dtls_key_sn(key), key->cipher->key_len);
		if (!err)
			WRITE_ONCE(loan->serial, key->serial);
	}
	if (!err)
		crypto_cipher_encrypt_one(loan->aes, out, sample);
	spin_unlock(&loan->lock);
	return err;
}

/*
 * forget_key() overwrites @key wherever it was lent a transform. The last reference to
 * its epoch is gone, so nobody borrows one for it now.
 */
static void forget_key(const struct dtls_key *key)
{
	static const u8 zeros[AES_KEYSIZE_256] __aligned(16);
	struct loan *loan;
	int cpu;

	for_each_possible_cpu(cpu) {
		loan = loan_of(key, cpu);
		if (READ_ONCE(loan->serial) != key->serial)
			continue;
		spin_lock(&loan->lock);
		if (loan->serial == key->serial)
			set_key(loan, zeros, key->cipher->key_len);
		spin_unlock(&loan->lock);
	}
}

/*
 * init_ecb() makes @key->ecb, unless the kernel has no ecb(aes): then each mask is a
 * call of its own. Return: 0 or an error.
 */
static int init_ecb(struct dtls_key *key, const u8 *sn_key)
{
	struct crypto_skcipher *ecb = crypto_alloc_skcipher("ecb(aes)", 0, 0);

	if (IS_ERR(ecb))
		return PTR_ERR(ecb) == -ENOENT ? 0 : PTR_ERR(ecb);
	key->ecb = ecb;
	return crypto_skcipher_setkey(ecb, sn_key, key->cipher->key_len);
}

/**
 * dtls_mask_init() - make a key ready to hide sequence numbers, or to find them
 * @key:	after dtls_key_init()
 * @sn_key:	the key of the sequence numbers
 * @write:	@key is a write key, which makes many masks at once, too
 *
 * Sleeps, as the cipher's module may be loaded. Return: 0; or an error, and
 * dtls_mask_destroy() is still to be called.
 */
int dtls_mask_init(struct dtls_key *key, const u8 *sn_key, bool write)
{
	struct crypto_cipher *aes;
	int err;

	if (!dtls_is_13(key->version) || key->cipher->kind == DTLS_AEAD_CHACHA)
		return 0;
	if (borrows_aes(key))
		return fill_loan(loan_of(key, raw_smp_processor_id()));
	aes = crypto_alloc_cipher("aes", 0, 0);
	if (IS_ERR(aes))
		return PTR_ERR(aes);
	key->aes = aes;
	err = crypto_cipher_setkey(aes, sn_key, key->cipher->key_len);
	return err || !write ? err : init_ecb(key, sn_key);
}

/*
 * dtls_mask_destroy() lets go of what dtls_mask_init() made, and leaves no copy of the
 * key in transforms. Process context.
 */
void dtls_mask_destroy(struct dtls_key *key)
{
	/* The crypto API wipes both key schedules. */
	if (key->aes)
		crypto_free_cipher(key->aes);
	crypto_free_skcipher(key->ecb);
	if (borrows_aes(key))
		forget_key(key);
}

/**
 * dtls_mask_make() - make the mask of one record
 * @key:	the key
 * @sample:	the first DTLS_SAMPLE_SIZE bytes of the record's ciphertext
 * @out:	DTLS_SAMPLE_SIZE bytes, of which the first two are the mask
 *
 * Process context, maybe under a spin lock, as a reader makes a mask there. For a
 * single record this costs less than a request of ecb(aes), too.
 *
 * Return: 0; or an error, which a cipher of the kernel's has no reason to return for a
 * key that it took before.
 */
int dtls_mask_make(const struct dtls_key *key, const u8 *sample, u8 *out)
{
	if (key->aes)
		crypto_cipher_encrypt_one(key->aes, out, sample);
	else if (key->cipher->kind == DTLS_AEAD_CHACHA)
		dtls_chacha20_block((const u32 *)dtls_key_sn(key), sample, out);
	else
		return make_borrowed(key, sample, out);
	return 0;
}

/* visit_loans() calls @fn for each loan. */
static void visit_loans(void (*fn)(struct loan *loan))
{
	struct cpu_loans *l;
	int cpu, n, i;

	for_each_possible_cpu(cpu) {
		l = per_cpu_ptr(loans, cpu);
		for (n = 0; n < DTLS_AEADS; n++)
			for (i = 0; i < LOANS; i++)
				fn(&l->of[n][i]);
	}
}

static void init_loan(struct loan *loan)
{
	spin_lock_init(&loan->lock);
}

static void free_loan(struct loan *loan)
{
	if (loan->aes)
		crypto_free_cipher(loan->aes);
}

/* dtls_mask_setup() gets ready to lend. Return: 0 or -ENOMEM. */
int dtls_mask_setup(void)
{
	loans = alloc_percpu(struct cpu_loans);
	if (!loans)
		return -ENOMEM;
	visit_loans(init_loan);
	return 0;
}

/* dtls_mask_exit() frees what was lent, when no key is left. */
void dtls_mask_exit(void)
{
	visit_loans(free_loan);
	free_percpu(loans);
}
