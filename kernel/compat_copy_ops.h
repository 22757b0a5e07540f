/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every member of struct proto_ops, and what an attached socket's copy has
 * there; see compat_copy_proto.h. The base's calls that move data do so by way
 * of struct proto, which has ours.
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
NONE(void *, getsockopt_iter);	/* without it @getsockopt is called */
#endif
NONE(void *, show_fdinfo);
BASE(sendmsg);
BASE(recvmsg);
BASE(mmap);
#if !SINCE(6, 5)
OURS(sendpage, inet_sendpage);	/* AF_INET6 has none */
#endif
NONE(void *, splice_read);	/* without it splice calls recvmsg */
#if SINCE(6, 5)
OURS(splice_eof, dtls_splice_eof);
#else
NONE(void *, splice_eof);	/* sendpage says by a flag that more follows */
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
