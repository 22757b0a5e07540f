/* SPDX-License-Identifier: GPL-2.0 */
/* The way to the peer; see path.c. */
#ifndef _DTLS_PATH_H
#define _DTLS_PATH_H

#include <linux/types.h>

struct sock;

bool dtls_path_is_peer(const struct sock *sk, const void *name, int len);
unsigned int dtls_path_payload(struct sock *sk);
bool dtls_path_dont_fragment(const struct sock *sk);

#endif /* _DTLS_PATH_H */
