/* SPDX-License-Identifier: GPL-2.0 */
/* This function reads the control messages of sendmsg(). See cmsg.c. */
#ifndef _DTLS_CMSG_H
#define _DTLS_CMSG_H

struct dtls_send;

int __must_check dtls_cmsg_parse(struct dtls_send *s);

#endif /* _DTLS_CMSG_H */
