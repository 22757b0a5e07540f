/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A peer in a process of its own, because its libraries cannot live in ours:
 * peer_remote.c has it do, over memory that both have, what peer_host.c then
 * asks of the peer there. One byte each way says whose turn it is.
 */
#ifndef _TEST_REMOTE_H
#define _TEST_REMOTE_H

#include "peer.h"

#define REMOTE_TEXT	8192
#define REMOTE_LABEL	64
#define REMOTE_FD	3	/* file of the memory, in the host */
#define REMOTE_TURNS	4	/* file of the socket */

enum remote_op {
	REMOTE_VERSION,
	REMOTE_SPEAKS,
	REMOTE_OPEN,
	REMOTE_START,
	REMOTE_STEP,
	REMOTE_SEND,
	REMOTE_RECEIVE,
	REMOTE_GAVE_UP,
	REMOTE_RESUMED,
	REMOTE_EXPORT,
	REMOTE_ALPN,
	REMOTE_UPDATE,
	REMOTE_STOP,
};

struct remote {
	enum remote_op op;
	int argument;
	int result;
	size_t len;			/* bytes of data, there and back */
	u8 data[WIRE_SIZE];
	struct wire in, out;
	struct peer_options options;	/* its strings are offsets into text */
	char text[REMOTE_TEXT];
};

/*
 * REMOTE_STRINGS are the strings of the options, which are put into text and
 * found there again.
 */
#define REMOTE_STRINGS(o) {						\
	&(o)->psk, &(o)->identity, &(o)->ca, &(o)->cert, &(o)->key,	\
	&(o)->alpn, &(o)->srtp, &(o)->cid,				\
}

#endif /* _TEST_REMOTE_H */
