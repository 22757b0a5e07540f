// SPDX-License-Identifier: GPL-2.0
/*
 * This file has the crypto API's transforms of AEADs. A transform is a cipher with one
 * key ready for use, and takes 1 to 2 KB.
 *
 * The key of a connected socket has a transform of its own. The key of a table's
 * association has none: it is kept as bytes, and borrows a transform while records are
 * sealed or opened, in a context that may sleep. Each CPU lends LOANS transforms of each
 * AEAD. The serial of a key says which of them the key borrows, so it finds
 * itself there again if few other keys were used since. Otherwise the transform gets the
 * key anew, which costs less than a tenth of a record. A task that finds the transform
 * in use makes one for itself, as the task that has it may be kept from running by the
 * limits of its cgroup, and the keys may be those of different users.
 *
 * The number of CPUs bounds the transforms that stay, and that of tasks those which are
 * made for one use. The crypto API charges neither to a cgroup. A transform that stays
 * is made when it is first needed, and is freed when the module goes. The first
 * transform for a key is made when the key is installed, so that no record fails for
 * want of a transform: if a CPU cannot make one, that of another CPU is lent.
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

/*
 * struct cpu_loans has the transforms that one CPU lends. No transform gets keys of two
 * sizes: a shorter key overwrites only some of a longer one's round keys, and the longer
 * key can be found from the others.
 */
struct cpu_loans {
	struct dtls_loan of[DTLS_AEADS][LOANS];
};

static struct cpu_loans __percpu *loans;

/* loan_of() returns the loan of @cpu to @key. */
static struct dtls_loan *loan_of(const struct dtls_key *key, int cpu)
{
	struct cpu_loans *l = per_cpu_ptr(loans, cpu);

	return &l->of[key->cipher - dtls_aeads][key->serial % LOANS];
}

/*
 * new_aead() makes a transform for the tags of @cipher. CRYPTO_ALG_ASYNC is not masked:
 * before 7.0 the AES-NI code has that flag, and to mask it is to get the generic code.
 * Sleeps, as the module of the cipher may be loaded.
 */
static struct crypto_aead *new_aead(const struct dtls_aead *cipher)
{
	struct crypto_aead *aead = crypto_alloc_aead(names[cipher->kind], 0, 0);
	int err;

	if (IS_ERR(aead))
		return aead;
	err = crypto_aead_setauthsize(aead, cipher->tag_len);
	if (!err)
		return aead;
	crypto_free_aead(aead);
	return ERR_PTR(err);
}

/* set_key() gives @aead the key @raw of @cipher. */
static int set_key(struct crypto_aead *aead, const struct dtls_aead *cipher,
		   const u8 *raw)
{
	return crypto_aead_setkey(aead, raw, cipher->key_len);
}

/* ---- lending ---- */

/* drop_aead() frees the transform at @loan. The crypto API wipes the key. */
static void drop_aead(struct dtls_loan *loan)
{
	crypto_free_aead(loan->aead);
	WRITE_ONCE(loan->aead, NULL);
	WRITE_ONCE(loan->serial, 0);
}

/* take_loan() returns true if no task had @loan. The caller has it then. */
static bool take_loan(struct dtls_loan *loan)
{
	return !test_and_set_bit_lock(0, &loan->in_use);
}

/* fill_loan() makes the transform at @loan, if it is missing. Returns 0 or an error. */
static int fill_loan(struct dtls_loan *loan, const struct dtls_key *key)
{
	struct crypto_aead *aead;

	if (likely(loan->aead))
		return 0;
	aead = new_aead(key->cipher);
	if (IS_ERR(aead))
		return PTR_ERR(aead);
	WRITE_ONCE(loan->aead, aead);
	return 0;
}

/* loan_once() makes a loan for one use. Returns the loan or an error. */
static noinline struct dtls_loan *loan_once(const struct dtls_key *key)
{
	struct dtls_loan *loan = kzalloc(sizeof(*loan), GFP_KERNEL_ACCOUNT);
	int err;

	if (!loan)
		return ERR_PTR(-ENOMEM);
	loan->once = true;
	err = fill_loan(loan, key);
	if (!err)
		return loan;
	kfree(loan);
	return ERR_PTR(err);
}

/* dtls_transform_free() frees a loan for one use. The crypto API wipes the key. */
void dtls_transform_free(struct dtls_loan *loan)
{
	crypto_free_aead(loan->aead);
	kfree(loan);
}

/* loan_elsewhere() takes the loan of any CPU that has a transform, or returns NULL. */
static struct dtls_loan *loan_elsewhere(const struct dtls_key *key)
{
	struct dtls_loan *loan;
	int cpu;

	for_each_possible_cpu(cpu) {
		loan = loan_of(key, cpu);
		if (!READ_ONCE(loan->aead) || !take_loan(loan))
			continue;
		if (loan->aead)
			return loan;
		dtls_transform_return(loan);
	}
	return NULL;
}

/*
 * find_loan() takes this CPU's loan for @key; or makes one for this use, if a task has
 * it; or takes that of another CPU, if there is no memory for a transform. Returns the
 * loan, which has a transform, or an error.
 */
static struct dtls_loan *find_loan(const struct dtls_key *key)
{
	struct dtls_loan *loan = loan_of(key, raw_smp_processor_id()), *once;
	int err;

	if (likely(take_loan(loan))) {
		err = fill_loan(loan, key);
		if (likely(!err))
			return loan;
		dtls_transform_return(loan);
	} else {
		once = loan_once(key);
		if (!IS_ERR(once))
			return once;
		err = PTR_ERR(once);
	}
	return loan_elsewhere(key) ?: ERR_PTR(err);
}

/**
 * dtls_transform_borrow() - get a transform with a key
 * @key:	the key, which has no transform of its own
 *
 * The caller gives the transform back before it waits for anything but the cipher, and
 * puts no reference to an association or epoch meanwhile; see forget_key(). Sleeps.
 *
 * Return: the loan with the transform, for dtls_transform_return(), or an error.
 */
struct dtls_loan *dtls_transform_borrow(const struct dtls_key *key)
{
	struct dtls_loan *loan = find_loan(key);
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
	dtls_transform_return(loan);
	return ERR_PTR(err);
}

/* wipe_loan() overwrites the key of the transform at @loan, which the caller has. */
static void wipe_loan(struct dtls_loan *loan, const struct dtls_aead *cipher)
{
	static const u8 zeros[DTLS_KEY_SIZE_MAX] __aligned(16);

	if (set_key(loan->aead, cipher, zeros))
		drop_aead(loan);
	WRITE_ONCE(loan->serial, 0);
}

/*
 * forget_key() overwrites @key in all transforms that it has borrowed. The last
 * reference to its epoch is gone, so no task borrows a transform for it now. A task that
 * has one of these transforms has it for another key, or wipes it, and so overwrites
 * @key itself. For the same reason a transform is wiped here even if another key has
 * borrowed it in the meantime.
 */
static void forget_key(const struct dtls_key *key)
{
	struct dtls_loan *loan;
	int cpu;

	for_each_possible_cpu(cpu) {
		loan = loan_of(key, cpu);
		if (READ_ONCE(loan->serial) != key->serial || !take_loan(loan))
			continue;
		if (loan->aead)
			wipe_loan(loan, key->cipher);
		dtls_transform_return(loan);
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

/* dtls_transform_setup() allocates the loans of the CPUs. Return: 0 or -ENOMEM. */
int dtls_transform_setup(void)
{
	loans = alloc_percpu(struct cpu_loans);
	return loans ? 0 : -ENOMEM;
}

/* dtls_transform_exit() frees all loans with their transforms, when no key is left. */
void dtls_transform_exit(void)
{
	struct cpu_loans *l;
	int cpu, n, i;

	for_each_possible_cpu(cpu) {
		l = per_cpu_ptr(loans, cpu);
		for (n = 0; n < DTLS_AEADS; n++)
			for (i = 0; i < LOANS; i++)
				crypto_free_aead(l->of[n][i].aead);
	}
	free_percpu(loans);
}
