/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Proof that a link between two sockets still works, for tests that did
 * something to it that must not have changed anything.
 */
#ifndef _SELFTESTS_TRAFFIC_H
#define _SELFTESTS_TRAFFIC_H

#include <string.h>
#include <sys/socket.h>

#include "common.h"

/*
 * The first socket that turns UDP_GRO on and the last one that goes make the
 * kernel patch its own code. QEMU's emulated processors sometimes trap on code
 * patched under traffic ("Oops: int3"), so keep one socket that has it on.
 */
static void __attribute__((constructor)) keep_udp_gro_on(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	int on = 1;

	setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
}

/* One record from attached @l->a to raw @l->b, and one back. */
static inline bool link_raw_works(struct link *l)
{
	static const char ping[] = "there", pong[] = "and back again";
	static struct peer_record rec;
	char buf[64];

	if (send(l->a, ping, sizeof(ping), 0) != sizeof(ping) ||
	    link_recv(l, &rec) != sizeof(ping) || rec.type != CT_DATA ||
	    memcmp(rec.data, ping, sizeof(ping)))
		return false;
	return link_send(l, CT_DATA, pong, sizeof(pong)) == sizeof(pong) &&
	       recv(l->a, buf, sizeof(buf), 0) == sizeof(pong) &&
	       !memcmp(buf, pong, sizeof(pong));
}

/* One record from @from arrives at @to, both attached. */
static inline bool record_arrives(int from, int to)
{
	static const char text[] = "from one end to the other";
	char buf[64];

	return send(from, text, sizeof(text), 0) == sizeof(text) &&
	       recv(to, buf, sizeof(buf), 0) == sizeof(text) &&
	       !memcmp(buf, text, sizeof(text));
}

static inline bool link_dtls_works(struct link *l)
{
	return record_arrives(l->a, l->b) && record_arrives(l->b, l->a);
}

#endif /* _SELFTESTS_TRAFFIC_H */
