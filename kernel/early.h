/* SPDX-License-Identifier: GPL-2.0 */
/*
 * These functions keep records and datagrams that wait for a key. See early.c.
 */
#ifndef _DTLS_EARLY_H
#define _DTLS_EARLY_H

#include <linux/list.h>
#include <linux/sockptr.h>
#include <linux/types.h>

struct dtls_assoc;
struct dtls_msg;
struct dtls_run;
struct dtls_sock;

struct dtls_msg *dtls_early_take(struct dtls_sock *ds);
void dtls_early_keep(struct dtls_sock *ds, struct dtls_run *rx);
void dtls_early_forget(struct dtls_sock *ds, struct dtls_assoc *assoc,
		       struct list_head *gone);
void dtls_early_move(struct dtls_sock *from, struct dtls_sock *to,
		     struct dtls_assoc *assoc);
void dtls_early_adopt(struct dtls_sock *ds);
void dtls_early_pass_on(struct dtls_sock *ds, const struct dtls_run *rx);
void dtls_early_set_gro(struct dtls_sock *ds);
void dtls_early_new_key(struct dtls_sock *ds, struct dtls_assoc *assoc);
int __must_check dtls_early_feed(struct dtls_sock *ds, struct dtls_assoc *assoc,
				 sockptr_t data, size_t offset,
				 unsigned int len);

#endif /* _DTLS_EARLY_H */
