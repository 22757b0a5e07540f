/* SPDX-License-Identifier: GPL-2.0 */
/* These functions give datagrams to the base. See push.c. */
#ifndef _DTLS_PUSH_H
#define _DTLS_PUSH_H

#include <linux/types.h>

struct dtls_batch;
struct dtls_sock;
struct dtls_send;
struct msghdr;

int dtls_push_datagram(struct dtls_sock *ds, struct msghdr *msg, size_t len);
ssize_t dtls_push_batch(struct dtls_send *s, struct dtls_batch *batch,
			size_t size);

#endif /* _DTLS_PUSH_H */
