/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This header has the functions that tell the kernel which of several sockets on one port
 * (SO_REUSEPORT) a datagram is for. The kernel numbers these sockets in the order in which
 * they were bound. When one is closed the last one takes its number.
 *
 * The functions act on all sockets of the port. Those that can fail return 0 or -errno.
 */
#ifndef _KDTLS_SERVER_STEER_H
#define _KDTLS_SERVER_STEER_H

#include <stdint.h>

/*
 * A datagram with a connection ID is for the socket whose number is the first byte of that.
 * The kernel chooses a socket for any other datagram by its addresses.
 */
int steer_by_cid(int fd);

/*
 * A datagram whose connection ID does not begin with @share is for socket 0. Every other
 * datagram is for socket 1 or, if there is none, for socket 0.
 */
int steer_newer(int fd, uint8_t share);

/* Every datagram is for socket 0. */
int steer_alone(int fd);

/*
 * Take the program off the port, before the socket @fd is closed: the kernel chooses by
 * addresses, among the sockets that are not connected. If there is no program nothing is
 * done.
 */
void steer_no_more(int fd);

#endif /* _KDTLS_SERVER_STEER_H */
