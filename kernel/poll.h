/* SPDX-License-Identifier: GPL-2.0 */
/* These functions are poll() and FIONREAD of an attached socket. See poll.c. */
#ifndef _DTLS_POLL_H
#define _DTLS_POLL_H

#include <linux/poll.h>

struct file;
struct sock;
struct socket;

__poll_t dtls_poll(struct file *file, struct socket *sock,
		   struct poll_table_struct *wait);
int dtls_poll_inq(struct sock *sk, int *bytes);

#endif /* _DTLS_POLL_H */
