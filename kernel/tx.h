/* SPDX-License-Identifier: GPL-2.0 */
/* These functions send on an attached socket. See tx.c. */
#ifndef _DTLS_TX_H
#define _DTLS_TX_H

#include <linux/types.h>

struct dtls_flow;
struct dtls_key;
struct dtls_sock;
struct msghdr;
struct sock;

int dtls_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);
unsigned int dtls_tx_mtu(struct dtls_sock *ds, const struct dtls_flow *flow,
			 const struct dtls_key *key);

#endif /* _DTLS_TX_H */
