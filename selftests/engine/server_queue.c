// SPDX-License-Identifier: GPL-2.0
/*
 * How long a server whose records the kernel makes looks for the data that its socket had
 * when a control record came. The kernel is this program, and always has more data.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#include "../../userspace/server_object.h"
#include "../harness.h"

#define WIRE		12	/* bytes of the shortest record in a datagram */
#define BATCH		32	/* messages in one call */

static size_t content;		/* bytes of a message's content, in records of one byte */
static unsigned int rounds;	/* control records that were read */
static size_t records;		/* records of data since the last control record */
static size_t least, most;	/* @records when a control record was read */

/* Add a control message behind @len bytes of others. */
static void put(struct mmsghdr *m, size_t *len, int level, int type,
		const void *data, size_t size)
{
	struct cmsghdr *c = (struct cmsghdr *)((char *)m->msg_hdr.msg_control + *len);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), data, size);
	*len += CMSG_SPACE(size);
}

static void give_event(struct mmsghdr *m)
{
	struct dtls_record_info info = {
		.id = 1, .flags = DTLS_RECORD_EVENT,
	};
	size_t len = 0;

	put(m, &len, SOL_DTLS, DTLS_RECORD_INFO, &info, sizeof(info));
	m->msg_hdr.msg_controllen = len;
	m->msg_len = 0;
}

static void give_records(struct mmsghdr *m)
{
	u64 id = 2;
	int one = 1;
	size_t len = 0;

	put(m, &len, SOL_DTLS, DTLS_ASSOC, &id, sizeof(id));
	put(m, &len, SOL_UDP, UDP_GRO, &one, sizeof(one));
	m->msg_hdr.msg_controllen = len;
	m->msg_len = content;
	records += content;
}

int __wrap_recvmmsg(int fd, struct mmsghdr *m, unsigned int count, int flags,
		    struct timespec *timeout);
int __wrap_recvmmsg(int fd, struct mmsghdr *m, unsigned int count, int flags,
		    struct timespec *timeout)
{
	unsigned int i;

	(void)fd;
	(void)timeout;
	if (!(flags & MSG_OOB)) {
		for (i = 0; i < count; i++)
			give_records(&m[i]);
		return (int)count;
	}
	if (count < BATCH) {
		errno = EAGAIN;
		return -1;
	}
	if (rounds++) {
		least = records < least ? records : least;
		most = records > most ? records : most;
	}
	records = 0;
	give_event(m);
	return 1;
}

FIXTURE(queue)
{
	struct kdtls_endpoint *ep;
	struct kdtls_server *server;
	struct server_path path;
	size_t buffer;			/* bytes of SO_RCVBUF */
};

FIXTURE_SETUP(queue)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct kdtls_server_options options = { .path = KDTLS_PATH_USER };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 0;
	struct kdtls_config config;
	socklen_t len = sizeof(size);

	kdtls_socket_config(&config);
	ASSERT_EQ(0, kdtls_endpoint_new(&config, &self->ep));
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&a, sizeof(a)));
	ASSERT_EQ(0, getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len));
	self->buffer = (size_t)size;
	ASSERT_EQ(0, kdtls_server_new(self->ep, fd, &options, &self->server));
	self->path = *self->server->path;
	self->path.kernel = true;
	self->server->path = &self->path;
	rounds = 0;
	records = 0;
	least = SIZE_MAX;
	most = 0;
}

FIXTURE_TEARDOWN(queue)
{
	kdtls_server_close(self->server);
	kdtls_endpoint_free(self->ep);
}

/*
 * All that the socket can have had is read before the control record, and not more than
 * twice as much. The receive buffer is of the usual size, or larger.
 */
TEST_F(queue, short_records_do_not_hold_control_records_back)
{
	static const size_t contents[] = { 1, 64 };
	struct kdtls_message m;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		content = contents[i];
		rounds = 0;
		while (rounds < 10)
			ASSERT_EQ(-EAGAIN, kdtls_server_recv(self->server, &m, 1, 0));
		EXPECT_LE(self->buffer, least * WIRE);
		EXPECT_GE(2 * self->buffer, most * WIRE);
	}
}

TEST_HARNESS_MAIN
