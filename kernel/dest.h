/* SPDX-License-Identifier: GPL-2.0 */
/* A destination is an association and its peer's address. See dest.c. */
#ifndef _DTLS_DEST_H
#define _DTLS_DEST_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/types.h>

#include "path.h"

struct dtls_assoc;
struct dtls_sock;

/**
 * struct dtls_dest - the destination of a message on a socket with a table
 * @assoc:	the association: one reference
 * @flow:	the addresses of @assoc, copied when it was looked up
 * @name_len:	bytes of the member of @name that the socket's family uses
 * @name:	the peer's address in the form that UDP's sendmsg() takes
 */
struct dtls_dest {
	struct dtls_assoc *assoc;
	struct dtls_flow flow;
	int name_len;
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} name;
};

/* dtls_dest_put_source() writes at most so many bytes. */
#define DTLS_DEST_SOURCE_MAX	CMSG_SPACE(sizeof(struct in6_pktinfo))

struct dtls_assoc *dtls_dest_by_id(struct dtls_sock *ds, u64 id);
int __must_check dtls_dest_find(struct dtls_sock *ds, struct dtls_dest *dest,
				u64 id, const void *name, int name_len);
size_t dtls_dest_put_source(const struct dtls_sock *ds,
			    const struct dtls_dest *dest, void *control);

#endif /* _DTLS_DEST_H */
