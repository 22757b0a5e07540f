/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tree is a secret that yields a key for every second since 1970, and that can
 * forget the past: what is left of it yields no key of an earlier second.
 *
 * The seconds are the leaves of a binary tree. HMACs lead from each node to its
 * two children, and none leads up. A tree that has forgotten the seconds before
 * one has that second's leaf, and each node that stands to the right of the way
 * to it. So any later second, near or far, takes no more steps than the tree has
 * levels, and holders of one tree come to the same keys in whatever order.
 */
#ifndef _DTLS_TREE_H
#define _DTLS_TREE_H

#include "hmac.h"

#define DTLS_TREE_DEPTH		40	/* 2^40 seconds are 34,000 years. */
#define DTLS_TREE_NODE_SIZE	32	/* A node is an HMAC-SHA256. */

/**
 * struct dtls_tree - what is left of a tree
 * @least:	the earliest second that has a key
 * @leaf:	the leaf of that second
 * @right:	of each level below the root, the right sister of the node on the
 *		way to @leaf; zeros where that node is itself the right one
 */
struct dtls_tree {
	u64 least;
	u8 leaf[DTLS_TREE_NODE_SIZE];
	u8 right[DTLS_TREE_DEPTH][DTLS_TREE_NODE_SIZE];
};

/*
 * Grow the whole tree out of @root, DTLS_TREE_NODE_SIZE bytes. Return false if
 * libcrypto failed.
 */
bool dtls_tree_grow(struct dtls_tree *t, const u8 *root);

/*
 * Derive the key of @second for the purpose that @label names. @out has room for
 * DTLS_HASH_MAX bytes, of which the first DTLS_TREE_NODE_SIZE are the key. Return
 * false if the tree has forgotten that second, or libcrypto failed.
 */
bool dtls_tree_derive(const struct dtls_tree *t, u64 second, const char *label,
		      u8 *out);

/*
 * Forget the keys of all seconds before @second, if that is not done yet. Return
 * false if libcrypto failed; the tree is as before then.
 */
bool dtls_tree_forget(struct dtls_tree *t, u64 second);

#endif /* _DTLS_TREE_H */
