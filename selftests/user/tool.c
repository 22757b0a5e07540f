// SPDX-License-Identifier: GPL-2.0
/*
 * What "kdtls server" does for its clients where a script cannot choose the moment or the
 * error. The program has objects of the command linked in; the server object and the
 * clients are its own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <kdtls/server.h>
#include <kdtls/socket.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include "child.h"
#include "harness.h"
#include "serve.h"

#define SOON	60	/* s, on the slowest machine */
#define CLIENTS	2
#define RECORDS	8	/* of all clients, in one call */

static const char key[] = "0123456789abcdef";

/* No datagram leaves, as with a firewall that drops what this host sends. */
static bool drops;

int __real_sendmmsg(int fd, struct mmsghdr *m, unsigned int count, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned int count, int flags);

int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned int count, int flags)
{
	if (!drops)
		return __real_sendmmsg(fd, m, count, flags);
	errno = EPERM;
	return -1;
}

FIXTURE(tool)
{
	struct kdtls_endpoint *server_ep, *client_ep;
	struct kdtls_server *server;
	struct kdtls_socket *socket[CLIENTS];
	struct kdtls_client *client[CLIENTS];	/* what the server has of @socket */
};

/* Connect the socket number @i with the server. */
static void come(struct __test_metadata *_metadata,
		 struct _test_data_tool *self, int i)
{
	struct kdtls_socket_options options = { .path = KDTLS_PATH_USER };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	time_t end = time(NULL) + SOON;
	struct kdtls_message m = { 0 };
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	int err;

	ASSERT_EQ(0, getsockname(kdtls_server_fd(self->server),
				 (struct sockaddr *)&at, &len));
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&at, len));
	err = kdtls_connect(self->client_ep, fd, &options, 0, &self->socket[i]);
	while ((err == -EINPROGRESS || m.news != KDTLS_NEWS_OPENED) &&
	       time(NULL) < end) {
		if (kdtls_server_recv(self->server, &m, 1, 10) == 1 &&
		    m.news == KDTLS_NEWS_OPENED)
			self->client[i] = m.client;
		err = kdtls_process(self->socket[i]);
	}
	ASSERT_EQ(0, err) TH_LOG("%s", kdtls_strerror(err));
	ASSERT_NE(NULL, self->client[i]);
}

FIXTURE_SETUP(tool)
{
	struct kdtls_server_options options = { .path = KDTLS_PATH_USER };
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct kdtls_config c;
	int i;

	kdtls_socket_config(&c);
	ASSERT_EQ(0, kdtls_endpoint_new(&c, &self->server_ep));
	ASSERT_EQ(0, kdtls_endpoint_new(&c, &self->client_ep));
	ASSERT_EQ(0, kdtls_use_psk(self->server_ep, "me", key, strlen(key)));
	ASSERT_EQ(0, kdtls_use_psk(self->client_ep, "me", key, strlen(key)));
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&at, sizeof(at)));
	ASSERT_EQ(0, kdtls_server_new(self->server_ep, fd, &options,
				      &self->server));
	for (i = 0; i < CLIENTS; i++)
		come(_metadata, self, i);
}

FIXTURE_TEARDOWN(tool)
{
	int i;

	for (i = 0; i < CLIENTS; i++)
		kdtls_close(self->socket[i]);
	kdtls_server_close(self->server);
	kdtls_endpoint_free(self->server_ep);
	kdtls_endpoint_free(self->client_ep);
}

/*
 * A command that another thread is about to run has a copy of each descriptor until its
 * execve(). The copy made here lasts longer.
 */
TEST_F(tool, nothing_points_to_a_command_that_is_buried)
{
	const struct options o = { .command = "true" };
	struct children all = LIST_HEAD_INITIALIZER(all);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event e = { 0 };
	struct child *child;
	int copy;

	signal(SIGCHLD, SIG_IGN);
	child = child_start(&all, epoll, self->server, self->client[0], &o);
	ASSERT_NE(NULL, child);
	copy = dup(child->fd);
	ASSERT_LE(0, copy);
	/* The command ends, and epoll tells of that as long as it watches the file. */
	ASSERT_EQ(1, epoll_wait(epoll, &e, 1, 1000 * SOON));
	ASSERT_EQ(child, e.data.ptr);
	child_end(child);
	child_bury(&all);
	EXPECT_TRUE(LIST_EMPTY(&all));
	EXPECT_EQ(0, epoll_wait(epoll, &e, 1, 0));
	close(copy);
	close(epoll);
}

/* The records of the clients are in turns. A client is ended by the first that fails. */
TEST_F(tool, a_client_to_which_records_fail_is_ended_in_one_line)
{
	struct kdtls_message m[RECORDS];
	struct kdtls_server_info info;
	FILE *terminal = stderr;
	size_t i, lines = 0, len;
	char *text;

	for (i = 0; i < RECORDS; i++)
		m[i] = (struct kdtls_message){
			.client = self->client[i % CLIENTS],
			.data = "x",
			.len = 1,
		};
	stderr = open_memstream(&text, &len);
	drops = true;
	serve_send(self->server, m, RECORDS);
	drops = false;
	fclose(stderr);
	stderr = terminal;
	for (i = 0; i < len; i++)
		lines += text[i] == '\n';
	EXPECT_EQ(CLIENTS, lines) TH_LOG("%s", text);
	kdtls_server_get_info(self->server, &info);
	EXPECT_EQ(CLIENTS, info.closed);
	free(text);
}

TEST_HARNESS_MAIN
