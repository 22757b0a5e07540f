/* SPDX-License-Identifier: GPL-2.0 */
/* The readers of an attached socket; see recvmsg.c. */
#ifndef _DTLS_RECVMSG_H
#define _DTLS_RECVMSG_H

#include <linux/types.h>
#include <linux/poll.h>

struct dtls_sock;
struct msghdr;
struct sock;

int dtls_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags);
__poll_t dtls_recvmsg_poll(struct dtls_sock *ds, __poll_t asked);
int dtls_recvmsg_inq(struct sock *sk, int *bytes);

#endif /* _DTLS_RECVMSG_H */
