/* SPDX-License-Identifier: GPL-2.0 */
/*
 * These functions are the socket options that add, move, delete and list
 * associations.
 */
#ifndef _DTLS_ASSOCOPT_H
#define _DTLS_ASSOCOPT_H

struct dtls_assoc_table;
struct dtls_assoc_peer;
struct dtls_sock;

int __must_check dtls_assocopt_set_table(struct dtls_sock *ds,
					 const struct dtls_assoc_table *value);
int __must_check dtls_assocopt_get_table(struct dtls_sock *ds,
					 struct dtls_assoc_table *value);
int __must_check dtls_assocopt_add(struct dtls_sock *ds,
				   const struct dtls_assoc_peer *value);
int __must_check dtls_assocopt_move(struct dtls_sock *ds,
				    const struct dtls_assoc_peer *value);
int __must_check dtls_assocopt_del(struct dtls_sock *ds, u64 id);
int __must_check dtls_assocopt_next(struct dtls_sock *ds,
				    struct dtls_assoc_peer *value);

#endif /* _DTLS_ASSOCOPT_H */
