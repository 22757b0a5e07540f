/* SPDX-License-Identifier: GPL-2.0 */
/* One association succeeds another at an address; see succeed.c. */
#ifndef _DTLS_SUCCEED_H
#define _DTLS_SUCCEED_H

#include <linux/types.h>

struct dtls_run;
struct dtls_scratch;
struct dtls_sock;

bool __must_check dtls_succeed_try(struct dtls_sock *ds, struct dtls_run *rx,
				   struct dtls_scratch *scratch);
void dtls_succeed(struct dtls_sock *ds, struct dtls_run *rx);

#endif /* _DTLS_SUCCEED_H */
