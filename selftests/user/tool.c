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
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include "child.h"
#include "harness.h"

#define SOON	60	/* s, on the slowest machine */

static const char key[] = "0123456789abcdef";

FIXTURE(tool)
{
	struct kdtls_endpoint *server_ep, *client_ep;
	struct kdtls_server *server;
	struct kdtls_socket *socket;
	struct kdtls_client *client;	/* what the server has of @socket */
};

/* Connect @self->socket with the server. */
static void come(struct __test_metadata *_metadata,
		 struct _test_data_tool *self)
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
	err = kdtls_connect(self->client_ep, fd, &options, 0, &self->socket);
	while ((err == -EINPROGRESS || m.news != KDTLS_NEWS_OPENED) &&
	       time(NULL) < end) {
		if (kdtls_server_recv(self->server, &m, 1, 10) == 1 &&
		    m.news == KDTLS_NEWS_OPENED)
			self->client = m.client;
		err = kdtls_process(self->socket);
	}
	ASSERT_EQ(0, err) TH_LOG("%s", kdtls_strerror(err));
	ASSERT_NE(NULL, self->client);
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

	kdtls_socket_config(&c);
	ASSERT_EQ(0, kdtls_endpoint_new(&c, &self->server_ep));
	ASSERT_EQ(0, kdtls_endpoint_new(&c, &self->client_ep));
	ASSERT_EQ(0, kdtls_use_psk(self->server_ep, "me", key, strlen(key)));
	ASSERT_EQ(0, kdtls_use_psk(self->client_ep, "me", key, strlen(key)));
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&at, sizeof(at)));
	ASSERT_EQ(0, kdtls_server_new(self->server_ep, fd, &options,
				      &self->server));
	come(_metadata, self);
}

FIXTURE_TEARDOWN(tool)
{
	kdtls_close(self->socket);
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
	child = child_start(&all, epoll, self->server, self->client, &o);
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

TEST_HARNESS_MAIN
