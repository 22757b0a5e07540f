// SPDX-License-Identifier: BSD-3-Clause
/* This file derives keys from a secret that forgets the past. See tree.h. */
#include <openssl/crypto.h>

#include "tree.h"

#define DEPTH	DTLS_TREE_DEPTH
#define NODE	DTLS_TREE_NODE_SIZE

/* Go from a node to its left (0) or right (1) child, which may be in place. */
static bool go_down(struct dtls_hmac *k, const u8 *node, u8 side, u8 *child)
{
	const struct dtls_bytes piece = { &side, 1 };
	u8 out[DTLS_HASH_MAX];
	bool ok = dtls_hmac_set(k, node, NODE) &&
		  dtls_hmac_digest(k, &piece, 1, out);

	if (ok)
		memcpy(child, out, NODE);
	OPENSSL_cleanse(out, sizeof(out));
	return ok;
}

/* Return which child leads from a node of @level, the root's 0, to @second. */
static u8 side_of(u64 second, unsigned int level)
{
	return second >> (DEPTH - 1 - level) & 1;
}

/*
 * Go from @t->leaf, which holds a node of @level, down to the leaf of @second, and
 * keep the right sisters.
 */
static bool walk(struct dtls_hmac *k, struct dtls_tree *t, unsigned int level,
		 u64 second)
{
	for (; level < DEPTH; level++) {
		if (side_of(second, level))
			OPENSSL_cleanse(t->right[level], NODE);
		else if (!go_down(k, t->leaf, 1, t->right[level]))
			return false;
		if (!go_down(k, t->leaf, side_of(second, level), t->leaf))
			return false;
	}
	t->least = second;
	return true;
}

/* Move to @second, which is later. The ways to both part at a node's children. */
static bool move(struct dtls_hmac *k, struct dtls_tree *t, u64 second)
{
	unsigned int level = 0;

	while (side_of(t->least, level) == side_of(second, level))
		level++;
	memcpy(t->leaf, t->right[level], NODE);
	OPENSSL_cleanse(t->right[level], NODE);
	return walk(k, t, level + 1, second);
}

bool dtls_tree_grow(struct dtls_tree *t, const u8 *root)
{
	struct dtls_hmac *k = dtls_hmac_new("SHA256");
	bool ok;

	memcpy(t->leaf, root, NODE);
	ok = k && walk(k, t, 0, 0);
	dtls_hmac_free(k);
	return ok;
}

bool dtls_tree_forget(struct dtls_tree *t, u64 second)
{
	struct dtls_hmac *k;
	struct dtls_tree rest;
	bool ok;

	if (second <= t->least)
		return true;
	if (second >> DEPTH)
		return false;
	k = dtls_hmac_new("SHA256");
	rest = *t;
	ok = k && move(k, &rest, second);
	if (ok)
		*t = rest;
	OPENSSL_cleanse(&rest, sizeof(rest));
	dtls_hmac_free(k);
	return ok;
}

bool dtls_tree_derive(const struct dtls_tree *t, u64 second, const char *label,
		      u8 *out)
{
	const struct dtls_bytes piece = { (const u8 *)label, strlen(label) };
	struct dtls_tree rest = *t;
	struct dtls_hmac *k = NULL;
	bool ok = second >= t->least && dtls_tree_forget(&rest, second);

	if (ok)
		k = dtls_hmac_new("SHA256");
	ok = k && dtls_hmac_set(k, rest.leaf, NODE) &&
	     dtls_hmac_digest(k, &piece, 1, out);
	dtls_hmac_free(k);
	OPENSSL_cleanse(&rest, sizeof(rest));
	return ok;
}
