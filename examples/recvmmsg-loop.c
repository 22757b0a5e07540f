// SPDX-License-Identifier: BSD-3-Clause
/*
 * A loop with recvmmsg(2) and sendmmsg(2) on an attached socket, with the socket options
 * of linux/dtls.h alone: many records a call, and control records beside them. It sends
 * each record back.
 *
 * The two ends of the example are in one process and have keys that are written here, as
 * a handshake is no part of it. A program gets keys from its handshake, and no key is
 * ever used for two sessions.
 *
 *	recvmmsg-loop
 *
 *	cc -o recvmmsg-loop recvmmsg-loop.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/dtls.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH	32
#define RECORD	2048
#define ALERT	21	/* content type (RFC 5246 6.2.1) */

/* Attach a connected socket, and set both keys. Return 0 or -1. */
static int attach(int fd, unsigned char tx, unsigned char rx)
{
	struct dtls_key_info key = {
		.version = DTLS_VERSION_1_2,
		.cipher = DTLS_CIPHER_AES_GCM_128,
		.epoch = 1,
	};
	const unsigned int on = 1;

	if (setsockopt(fd, SOL_IP, DTLS_ULP, "dtls", 4))
		return -1;	/* ENOPROTOOPT: the module is not loaded */
	memset(key.key, rx, 16);
	memset(key.iv, rx, 4);
	if (setsockopt(fd, SOL_DTLS, DTLS_RX, &key, sizeof(key)))
		return -1;
	memset(key.key, tx, 16);
	memset(key.iv, tx, 4);
	if (setsockopt(fd, SOL_DTLS, DTLS_TX, &key, sizeof(key)))
		return -1;
	explicit_bzero(&key, sizeof(key));
	return setsockopt(fd, SOL_DTLS, DTLS_POLL_CONTROL, &on, sizeof(on));
}

/* Take the control records that have come. Return 1 after a fatal alert. */
static int take_control(int fd)
{
	char control[CMSG_SPACE(sizeof(struct dtls_record_info))];
	struct dtls_record_info info;
	unsigned char data[RECORD];
	struct cmsghdr *cmsg;
	ssize_t n;

	for (;;) {
		struct iovec iov = { .iov_base = data, .iov_len = sizeof(data) };
		struct msghdr msg = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};

		n = recvmsg(fd, &msg, MSG_OOB | MSG_DONTWAIT);
		if (n < 0)
			return 0;
		memset(&info, 0, sizeof(info));
		for (cmsg = CMSG_FIRSTHDR(&msg); cmsg;
		     cmsg = CMSG_NXTHDR(&msg, cmsg))
			if (cmsg->cmsg_level == SOL_DTLS &&
			    cmsg->cmsg_type == DTLS_RECORD_INFO)
				memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
		/* What is raw may come from anybody, and an event is no record. */
		if (info.flags & (DTLS_RECORD_RAW | DTLS_RECORD_EVENT))
			continue;
		printf("control record: type %u, epoch %llu, number %llu\n",
		       info.type, (unsigned long long)info.epoch,
		       (unsigned long long)info.seq);
		if (info.type == ALERT && n == 2 && data[0] == 2)
			return 1;
	}
}

/*
 * Send back all records that are there. Return 1 when the peer has ended, 0 to go on, or
 * -1.
 */
static int echo(int fd)
{
	static unsigned char data[BATCH][RECORD];
	struct iovec iov[BATCH];
	struct mmsghdr msgs[BATCH];
	int i, n, more;

	for (more = 1; more; ) {
		memset(msgs, 0, sizeof(msgs));
		for (i = 0; i < BATCH; i++) {
			iov[i].iov_base = data[i];
			iov[i].iov_len = RECORD;
			msgs[i].msg_hdr.msg_iov = &iov[i];
			msgs[i].msg_hdr.msg_iovlen = 1;
		}
		n = recvmmsg(fd, msgs, BATCH, MSG_DONTWAIT, NULL);
		if (n < 0)
			return errno == EAGAIN ? 0 : -1;
		more = n == BATCH;
		/* 0 bytes say that the peer has sent close_notify. */
		for (i = 0; i < n && msgs[i].msg_len; i++)
			iov[i].iov_len = msgs[i].msg_len;
		if (i && sendmmsg(fd, msgs, i, MSG_NOSIGNAL) != i)
			return -1;
		printf("%d records sent back\n", i);
		if (i < n)
			return 1;
	}
	return 0;
}

static int serve(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLPRI };
	int ended = 0;

	while (!ended) {
		if (poll(&p, 1, -1) < 0)
			return -1;
		if (p.revents & POLLPRI)
			ended = take_control(fd);
		if (!ended && p.revents & (POLLIN | POLLERR))
			ended = echo(fd);
	}
	return ended;
}

/* Make two UDP sockets that are connected to each other. Return 0 or -1. */
static int make_pair(int fd[2])
{
	struct sockaddr_in a[2];
	socklen_t len;
	int i;

	for (i = 0; i < 2; i++) {
		memset(&a[i], 0, sizeof(a[i]));
		a[i].sin_family = AF_INET;
		a[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		len = sizeof(a[i]);
		fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (fd[i] < 0 ||
		    bind(fd[i], (struct sockaddr *)&a[i], len) ||
		    getsockname(fd[i], (struct sockaddr *)&a[i], &len))
			return -1;
	}
	return connect(fd[0], (struct sockaddr *)&a[1], sizeof(a[1])) ||
	       connect(fd[1], (struct sockaddr *)&a[0], sizeof(a[0])) ? -1 : 0;
}

/* Send 64 records of 16 bytes by one call, and then close_notify. */
static int talk(int fd)
{
	static const unsigned char close_notify[2] = { 1, 0 };
	char control[CMSG_SPACE(sizeof(struct dtls_record_info))] = "";
	struct dtls_record_info info = { .type = ALERT };
	struct iovec iov = {
		.iov_base = (void *)close_notify,
		.iov_len = sizeof(close_notify),
	};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	static char data[64 * 16];
	int size = 16;

	if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)) ||
	    send(fd, data, sizeof(data), MSG_NOSIGNAL) != sizeof(data))
		return -1;
	cmsg->cmsg_level = SOL_DTLS;
	cmsg->cmsg_type = DTLS_RECORD_INFO;
	cmsg->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
	return sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

int main(void)
{
	char data[RECORD];
	int fd[2], n = 0;

	if (make_pair(fd) || attach(fd[0], 'a', 'b') || attach(fd[1], 'b', 'a') ||
	    talk(fd[1]) || serve(fd[0]) < 0) {
		perror("recvmmsg-loop");
		return 1;
	}
	while (recv(fd[1], data, sizeof(data), MSG_DONTWAIT) == 16)
		n++;
	printf("%d records came back\n", n);
	return n == 64 ? 0 : 1;
}
