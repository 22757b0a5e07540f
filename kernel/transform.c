// SPDX-License-Identifier: GPL-2.0
/*
 * This file has the crypto API's transforms of AEADs. A transform is a cipher with one
 * key ready for use, and takes 1 to 2 KB.
 *
 * The key of a connected socket has a transform of its own. The key of a table's
 * association has none: it is kept as bytes, and borrows a transform while records are
 * sealed or opened, in a context that may sleep. Each CPU lends LOANS transforms of each
 * kind of AEAD. The serial of a key says which of them the key borrows, so it finds
 * itself there again if few other keys were used since. Otherwise the transform gets the
 * key anew, which costs less than a tenth of a record.
 *
 * The number of CPUs bounds the transforms that are lent. They are not charged to a
 * cgroup. A transform is made when it is first needed, and then stays until the module
 * goes. The first transform for a key is made when the key is installed, so no record
 * fails for want of a transform: if a CPU cannot make one, that of another CPU is lent.
 *
 * A key is in a transform only as long as it is in its association. When the key
 * goes, dtls_transform_destroy() overwrites what the transforms have of it.
 */
#include <crypto/aead.h>
#include <linux/err.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "key.h"
#include "transform.h"

/* names[] has the crypto API's name for each kind of AEAD. */
static const char * const names[] = {
	[DTLS_AEAD_GCM] = "gcm(aes)",
	[DTLS_AEAD_CCM] = "ccm(aes)",
	[DTLS_AEAD_CHACHA] = "rfc7539(chacha20,poly1305)",
};

#define LOANS	16

/* struct cpu_loans has the transforms that one CPU lends. */
struct cpu_loans {
	struct dtls_loan of[ARRAY_SIZE(names)][LOANS];
};

static struct cpu_loans __percpu *loans;

/* loan_of() returns the place where @cpu lends a transform to @key. */
static struct dtls_loan *loan_of(const struct dtls_key *key, int cpu)
{
	struct cpu_loans *l = per_cpu_ptr(loans, cpu);

	return &l->of[key->cipher->kind][key->serial % LOANS];
}

/*
 * new_aead() makes a transform. CRYPTO_ALG_ASYNC is not masked: before 7.0 the AES-NI
 * code has that flag, and to mask it is to get the generic code. Sleeps, as the module
 * of the cipher may be loaded.
 */
static struct crypto_aead *new_aead(const struct dtls_aead *cipher)
{
	return crypto_alloc_aead(names[cipher->kind], 0, 0);
}

/* set_key() gives @aead the key @raw of @cipher. */
static int set_key(struct crypto_aead *aead, const struct dtls_aead *cipher,
		   const u8 *raw)
{
	int err = 0;

	if (crypto_aead_authsize(aead) != cipher->tag_len)
		err = crypto_aead_setauthsize(aead, cipher->tag_len);
	return err ?: crypto_aead_setkey(aead, raw, cipher->key_len);
}

/* ---- lending ---- */

/* drop_aead() frees the transform at @loan. The crypto API wipes the key. */
static void drop_aead(struct dtls_loan *loan)
{
	crypto_free_aead(loan->aead);
	WRITE_ONCE(loan->aead, NULL);
	WRITE_ONCE(loan->serial, 0);
}

/*
 * lock_loan() returns this CPU's place for @key with its lock held; or the place of
 * another CPU, if there is no memory for a transform here; or an error.
 */
static struct dtls_loan *lock_loan(const struct dtls_key *key)
{
	struct dtls_loan *loan = loan_of(key, raw_smp_processor_id());
	struct crypto_aead *aead;
	int cpu;

	mutex_lock(&loan->lock);
	if (likely(loan->aead))
		return loan;
	aead = new_aead(key->cipher);
	if (!IS_ERR(aead)) {
		WRITE_ONCE(loan->aead, aead);
		return loan;
	}
	mutex_unlock(&loan->lock);

	for_each_possible_cpu(cpu) {
		loan = loan_of(key, cpu);
		if (!READ_ONCE(loan->aead))
			continue;
		mutex_lock(&loan->lock);
		if (loan->aead)
			return loan;
		mutex_unlock(&loan->lock);
	}
	return ERR_CAST(aead);
}

/**
 * dtls_transform_borrow() - get a transform with a key
 * @key:	the key, which has no transform of its own
 *
 * The caller gives the transform back before it waits for anything but the cipher, and
 * puts no reference to an association or epoch meanwhile. Sleeps.
 *
 * Return: the transform's place, for dtls_transform_return(), or an error.
 */
struct dtls_loan *dtls_transform_borrow(const struct dtls_key *key)
{
	struct dtls_loan *loan = lock_loan(key);
	int err;

	if (IS_ERR(loan) || likely(loan->serial == key->serial))
		return loan;
	err = set_key(loan->aead, key->cipher, key->bytes);
	if (likely(!err)) {
		WRITE_ONCE(loan->serial, key->serial);
		return loan;
	}
	/* The transform may have parts of the key that it had before. */
	drop_aead(loan);
	mutex_unlock(&loan->lock);
	return ERR_PTR(err);
}

/* wipe_loan() overwrites the key of the transform at @loan. */
static void wipe_loan(struct dtls_loan *loan, const struct dtls_aead *cipher)
{
	static const u8 zeros[DTLS_KEY_SIZE_MAX] __aligned(16);

	if (set_key(loan->aead, cipher, zeros))
		drop_aead(loan);
	WRITE_ONCE(loan->serial, 0);
}

/*
 * forget_key() overwrites @key in all transforms that it has borrowed. The last
 * reference to its epoch is gone, so no task borrows a transform for it now.
 */
static void forget_key(const struct dtls_key *key)
{
	struct dtls_loan *loan;
	int cpu;

	for_each_possible_cpu(cpu) {
		loan = loan_of(key, cpu);
		if (READ_ONCE(loan->serial) != key->serial)
			continue;
		mutex_lock(&loan->lock);
		if (loan->serial == key->serial)
			wipe_loan(loan, key->cipher);
		mutex_unlock(&loan->lock);
	}
}

/* ---- the transforms of a key ---- */

/**
 * dtls_transform_init() - make a key ready to seal or open records
 * @key:	after dtls_key_init()
 * @raw:	key of the AEAD
 *
 * A key that will borrow transforms borrows the first one here, so that a cipher which
 * the kernel does not have is found out. Sleeps. Return: 0 or an error.
 */
int dtls_transform_init(struct dtls_key *key, const u8 *raw)
{
	struct crypto_aead *aead;
	struct dtls_loan *loan;
	int err;

	if (key->serial) {
		loan = dtls_transform_borrow(key);
		if (IS_ERR(loan))
			return PTR_ERR(loan);
		dtls_transform_return(loan);
		return 0;
	}
	aead = new_aead(key->cipher);
	if (IS_ERR(aead))
		return PTR_ERR(aead);
	err = set_key(aead, key->cipher, raw);
	if (err)
		crypto_free_aead(aead);
	else
		key->aead = aead;
	return err;
}

/*
 * dtls_transform_destroy() frees the transforms that dtls_transform_init() made, and
 * leaves no copy of the key in those that were borrowed. Sleeps.
 */
void dtls_transform_destroy(struct dtls_key *key)
{
	crypto_free_aead(key->aead);	/* wipes the key schedule */
	if (key->serial)
		forget_key(key);
}

/* ---- load and unload ---- */

/* visit_loans() calls @fn for each place of a transform, filled or not. */
static void visit_loans(void (*fn)(struct dtls_loan *loan))
{
	struct cpu_loans *l;
	int cpu, kind, i;

	for_each_possible_cpu(cpu) {
		l = per_cpu_ptr(loans, cpu);
		for (kind = 0; kind < ARRAY_SIZE(l->of); kind++)
			for (i = 0; i < LOANS; i++)
				fn(&l->of[kind][i]);
	}
}

static void init_loan(struct dtls_loan *loan)
{
	mutex_init(&loan->lock);
}

static void destroy_loan(struct dtls_loan *loan)
{
	drop_aead(loan);
	mutex_destroy(&loan->lock);
}

/* dtls_transform_setup() allocates the places of the CPUs. Return: 0 or -ENOMEM. */
int dtls_transform_setup(void)
{
	loans = alloc_percpu(struct cpu_loans);
	if (!loans)
		return -ENOMEM;
	visit_loans(init_loan);
	return 0;
}

/* dtls_transform_exit() frees all transforms and places, when no key is left. */
void dtls_transform_exit(void)
{
	visit_loans(destroy_loan);
	free_percpu(loans);
}
