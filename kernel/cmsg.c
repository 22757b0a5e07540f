// SPDX-License-Identifier: GPL-2.0
/*
 * This file reads the control messages of sendmsg(). ancillary.c writes those
 * of recvmsg().
 */
#include <linux/ipv6.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/string.h>
#include <linux/udp.h>
#include <net/sock.h>

#include "cmsg.h"
#include "record.h"
#include "send.h"
#include "sock.h"

/*
 * parse_info() copies the control message DTLS_RECORD_INFO to @s->info. The
 * structure of a program of another version may be shorter or longer; bytes
 * that this module does not know must be zero. Returns 0, -EINVAL or -E2BIG.
 */
static int parse_info(struct dtls_send *s, const struct cmsghdr *cmsg)
{
	size_t len = cmsg->cmsg_len - sizeof(*cmsg);
	size_t known = min(len, sizeof(s->info));
	const u8 *data = CMSG_DATA(cmsg);

	if (cmsg->cmsg_type != DTLS_RECORD_INFO ||
	    len < offsetofend(struct dtls_record_info, event))
		return -EINVAL;
	if (memchr_inv(data + known, 0, len - known))
		return -E2BIG;
	memset(&s->info, 0, sizeof(s->info));
	memcpy(&s->info, data, known);
	s->has_info = true;
	return 0;
}

/* parse_id() copies the number in the control message DTLS_ASSOC to @s->id. */
static int parse_id(struct dtls_send *s, const struct cmsghdr *cmsg)
{
	if (cmsg->cmsg_len != CMSG_LEN(sizeof(s->id)))
		return -EINVAL;
	memcpy(&s->id, CMSG_DATA(cmsg), sizeof(s->id));
	return 0;
}

/*
 * parse_dontfrag() copies the value of @cmsg to @s->dontfrag if @cmsg is
 * IPV6_DONTFRAG. The base gets that control message, too. It decides how long a
 * datagram may be, which check_send() has to know. Returns 0 or -EINVAL.
 */
static int parse_dontfrag(struct dtls_send *s, const struct cmsghdr *cmsg)
{
	if (cmsg->cmsg_level != SOL_IPV6 || cmsg->cmsg_type != IPV6_DONTFRAG ||
	    s->ds->sk->sk_family != AF_INET6)
		return 0;
	if (cmsg->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EINVAL;
	s->dontfrag = *(int *)CMSG_DATA(cmsg);
	return s->dontfrag < 0 || s->dontfrag > 1 ? -EINVAL : 0;
}

/*
 * dtls_cmsg_parse() reads the caller's control messages. Those of level
 * SOL_DTLS and UDP_SEGMENT, whose value is in bytes of plaintext, are for this
 * module. The others are copied to @s->control for the base, with
 * DTLS_CONTROL_ROOM behind them. Sleeps. Returns 0 or an error; @s->control is
 * the caller's to free in both cases.
 */
int dtls_cmsg_parse(struct dtls_send *s)
{
	struct msghdr *msg = s->msg;
	struct cmsghdr *cmsg;
	int err;

	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;
		if (cmsg->cmsg_level == SOL_DTLS) {
			err = cmsg->cmsg_type == DTLS_ASSOC ?
			      parse_id(s, cmsg) : parse_info(s, cmsg);
			if (err)
				return err;
		} else if (cmsg->cmsg_level == SOL_UDP) {
			if (cmsg->cmsg_type != UDP_SEGMENT ||
			    cmsg->cmsg_len != CMSG_LEN(sizeof(u16)))
				return -EINVAL;
			s->segment = *(u16 *)CMSG_DATA(cmsg);
			s->cut = true;
		} else {
			size_t space = CMSG_ALIGN(cmsg->cmsg_len);

			err = parse_dontfrag(s, cmsg);
			if (err)
				return err;
			if (!s->control)
				s->control = kzalloc(CMSG_ALIGN(msg->msg_controllen) +
						     DTLS_CONTROL_ROOM,
						     GFP_KERNEL_ACCOUNT);
			if (!s->control)
				return -ENOMEM;
			memcpy(s->control + s->control_len, cmsg,
			       cmsg->cmsg_len);
			s->control_len += space;
		}
	}
	return 0;
}
