/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This header has the functions of struct proto whose form differs between Linux 6.1
 * and 7.3. ulp.c alone includes it.
 */
#ifndef _DTLS_COMPAT_PROTO_H
#define _DTLS_COMPAT_PROTO_H

#include <linux/sockios.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <net/inet_common.h>

#include "compat.h"
#include "poll.h"
#include "recvmsg.h"
#include "sock.h"
#include "tx.h"

/* Before 7.1 recvmsg tells the length of the address by a pointer. */
#if SINCE(7, 1)
#define dtls_proto_recvmsg	dtls_recvmsg
#else
static inline int dtls_proto_recvmsg(struct sock *sk, struct msghdr *msg,
				     size_t len, int flags, int *addr_len)
{
	int ret = dtls_recvmsg(sk, msg, len, flags);

	*addr_len = msg->msg_namelen;
	return ret;
}
#endif

/* Before 6.5 ioctl writes to user space itself, and splice calls sendpage. */
#if SINCE(6, 5)
static inline int dtls_proto_ioctl(struct sock *sk, int cmd, int *karg)
{
	if (cmd == SIOCINQ)
		return dtls_poll_inq(sk, karg);
	return dtls_sk(sk)->base->ioctl(sk, cmd, karg);
}
#else
static inline int dtls_proto_ioctl(struct sock *sk, int cmd, unsigned long arg)
{
	int bytes, err;

	if (cmd != SIOCINQ)
		return dtls_sk(sk)->base->ioctl(sk, cmd, arg);
	err = dtls_poll_inq(sk, &bytes);
	return err ?: put_user(bytes, (int __user *)arg);
}

static inline int dtls_sendpage(struct sock *sk, struct page *page, int offset,
				size_t size, int flags)
{
	struct msghdr msg = { .msg_flags = flags | MSG_SPLICE_PAGES };
	struct bio_vec bv = {
		.bv_page = page,
		.bv_offset = offset,
		.bv_len = size,
	};

	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, &bv, 1, size);
	return dtls_sendmsg(sk, &msg, size);
}
#endif

#endif /* _DTLS_COMPAT_PROTO_H */
