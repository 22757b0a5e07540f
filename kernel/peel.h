/* SPDX-License-Identifier: GPL-2.0 */
/* These functions peel an association off its table. See peel.c. */
#ifndef _DTLS_PEEL_H
#define _DTLS_PEEL_H

struct dtls_assoc_peel;
struct dtls_sock;

int __must_check dtls_peel(struct dtls_sock *ds,
			   const struct dtls_assoc_peel *value);
void dtls_peel_end(struct dtls_sock *ds);
void dtls_peel_put(struct dtls_sock *ds);

#endif /* _DTLS_PEEL_H */
