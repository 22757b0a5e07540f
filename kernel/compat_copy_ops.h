/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This list has every member of struct proto_ops, and says what the copy of an attached
 * socket has for it. compat_copy_proto.h explains the words. UDP's functions that move
 * data are BASE here, as they call those of struct proto, which are this module's.
 */
BASE(family);
OURS(owner, THIS_MODULE);
BASE(release);
BASE(bind);
BASE(connect);
BASE(socketpair);
BASE(accept);
BASE(getname);
OURS(poll, dtls_poll);
BASE(ioctl);
#ifdef CONFIG_COMPAT
BASE(compat_ioctl);
#endif
BASE(gettstamp);
BASE(listen);
BASE(shutdown);
BASE(setsockopt);
BASE(getsockopt);
#if SINCE(6, 12)
NONE(void *, getsockopt_iter);	/* the socket layer then calls @getsockopt */
#endif
NONE(void *, show_fdinfo);
BASE(sendmsg);
BASE(recvmsg);
BASE(mmap);
#if !SINCE(6, 5)
OURS(sendpage, inet_sendpage);	/* UDP over IPv6 has no sendpage */
#endif
NONE(void *, splice_read);	/* splice() then calls recvmsg */
#if SINCE(6, 5)
OURS(splice_eof, dtls_splice_eof);
#else
NONE(void *, splice_eof);	/* sendpage has a flag for it */
#endif
BASE(set_peek_off);
NONE(void *, peek_len);
NONE(void *, read_sock);
NONE(void *, read_skb);
NONE(void *, sendmsg_locked);
#if !SINCE(6, 5)
NONE(void *, sendpage_locked);
#endif
BASE(set_rcvlowat);
#if SINCE(6, 13)
NONE(void *, set_rcvbuf);
#endif
