/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This list has every member of struct proto, and says what the copy of an attached
 * socket has for it. compat_copy.h alone includes this file, and does so more than
 * once.
 *
 *   OURS	The copy has a function of this module: the member moves data,
 *		or decides where data may go.
 *   BASE	The copy has UDP's own member: accounting, hashing, and calls
 *		that move no data.
 *   NONE	The copy has nothing, whatever UDP has: the member would move
 *		data past this module, or UDP does not use the member. The list
 *		does not name the member in code, as some versions lack it.
 */
OURS(close, dtls_close);
BASE(pre_connect);
OURS(connect, dtls_connect);
OURS(disconnect, dtls_disconnect);
NONE(void *, accept);
OURS(ioctl, dtls_proto_ioctl);
BASE(init);
BASE(destroy);
BASE(shutdown);
OURS(setsockopt, dtls_setsockopt);
OURS(getsockopt, dtls_getsockopt);
NONE(void *, keepalive);
#ifdef CONFIG_COMPAT
NONE(void *, compat_ioctl);
#endif
OURS(sendmsg, dtls_sendmsg);
OURS(recvmsg, dtls_proto_recvmsg);
#if !SINCE(6, 5)
OURS(sendpage, dtls_sendpage);
#endif
NONE(void *, splice_eof);	/* struct proto_ops has its own */
BASE(bind);
NONE(void *, bind_add);
NONE(void *, backlog_rcv);
NONE(void *, bpf_bypass_getsockopt);
OURS(release_cb, dtls_sock_release_cb);
BASE(hash);
BASE(unhash);
BASE(rehash);
BASE(get_port);
BASE(put_port);
#ifdef CONFIG_BPF_SYSCALL
NONE(void *, psock_update_sk_prot);	/* a sockmap would take data away */
#endif
#ifdef CONFIG_PROC_FS
BASE(inuse_idx);
#endif
#if IS_ENABLED(CONFIG_MPTCP) && !SINCE(7, 2)
NONE(void *, forward_alloc_get);
#endif
NONE(void *, stream_memory_free);
NONE(void *, sock_is_readable);
BASE(enter_memory_pressure);
BASE(leave_memory_pressure);
BASE(memory_allocated);
BASE(per_cpu_fw_alloc);
BASE(sockets_allocated);
BASE(memory_pressure);
BASE(sysctl_mem);
BASE(sysctl_wmem);
BASE(sysctl_rmem);
BASE(sysctl_wmem_offset);
BASE(sysctl_rmem_offset);
BASE(max_header);
BASE(no_autobind);
BASE(slab);
BASE(obj_size);
#if SINCE(6, 6)
BASE(ipv6_pinfo_offset);
#endif
#if SINCE(6, 13)
NONE(unsigned int, freeptr_offset);	/* for proto_register() */
#endif
BASE(slab_flags);
BASE(useroffset);
BASE(usersize);
#if !SINCE(7, 2)
NONE(void *, orphan_count);
#endif
NONE(void *, rsk_prot);
NONE(void *, twsk_prot);
BASE(h);
BASE(owner);
BASE(name);
NONE(struct list_head, node);	/* for proto_register() */
BASE(diag_destroy);
