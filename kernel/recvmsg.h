/* SPDX-License-Identifier: GPL-2.0 */
/* This function is the recvmsg() of an attached socket. See recvmsg.c. */
#ifndef _DTLS_RECVMSG_H
#define _DTLS_RECVMSG_H

#include <linux/types.h>

struct msghdr;
struct sock;

int dtls_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags);

#endif /* _DTLS_RECVMSG_H */
