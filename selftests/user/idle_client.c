// SPDX-License-Identifier: GPL-2.0
/*
 * What a client of a server takes of the program's heap when it is idle: its handshake
 * is done and lingers no more, its ticket has arrived, and no record is under way. The
 * heap is what malloc() says it is, with all that malloc() adds. The program idle_client
 * has the server's records in user space, idle_client_kernel has them in the kernel.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <kdtls/server.h>
#include <malloc.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "harness.h"

#define LINGER		2000	/* ms, for which a handshake's keys are kept */
#define SOON		60000000ULL	/* µs, on the slowest machine */
#define AGAIN		1000000ULL	/* µs, after which a record is sent again */
#define MESSAGES	8

#ifdef KERNEL_PATH
/* Clients that come before those that are weighed; fewer on a slow kernel */
#define WARM		(getenv("DTLS_TEST_SLOW") ? 40u : 100u)
#define CLIENTS		(getenv("DTLS_TEST_SLOW") ? 20u : 50u)
#define PATH		KDTLS_PATH_KERNEL
#else
/* What malloc() has freed and holds back counts too, and is little beside so many. */
#define WARM		200
#define CLIENTS		400
#define PATH		KDTLS_PATH_USER
#endif
#define MAX		1024	/* bytes that a client may take */

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

/* Return the bytes of the heap that are in use. */
static size_t heap_in_use(void)
{
	struct mallinfo2 heap = mallinfo2();

	return heap.uordblks + heap.hblkhd;
}

FIXTURE(idle_client)
{
	struct kdtls_endpoint *server_ep, *client_ep;
	struct kdtls_server *first;	/* makes the contexts that all keys borrow */
	struct kdtls_server *server;
	struct sockaddr_in at;		/* the server's address */
	unsigned int clients;
};

FIXTURE_VARIANT(idle_client)
{
	uint16_t version;
	uint32_t cid_len;
};

FIXTURE_VARIANT_ADD(idle_client, dtls12) {
	.version = DTLS_VERSION_1_2,
};

FIXTURE_VARIANT_ADD(idle_client, dtls13) {
	.version = DTLS_VERSION_1_3,
};

FIXTURE_VARIANT_ADD(idle_client, dtls12_cid) {
	.version = DTLS_VERSION_1_2, .cid_len = 8,
};

FIXTURE_VARIANT_ADD(idle_client, dtls13_cid) {
	.version = DTLS_VERSION_1_3, .cid_len = 8,
};

static void start_server(struct __test_metadata *_metadata,
			 struct _test_data_idle_client *self,
			 const struct kdtls_server_options *options)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof(self->at);

	self->at = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&self->at, len));
	ASSERT_EQ(0, getsockname(fd, (struct sockaddr *)&self->at, &len));
	ASSERT_EQ(0, kdtls_server_new(self->server_ep, fd, options,
				      &self->server));
	ASSERT_EQ(options->path, kdtls_server_path(self->server, NULL));
}

FIXTURE_SETUP(idle_client)
{
	struct kdtls_config c;

	kdtls_socket_config(&c);
	c.version_min = variant->version;
	c.version_max = variant->version;
	c.linger = LINGER;
	c.flags = KDTLS_CID;
	ASSERT_EQ(0, kdtls_endpoint_new(&c, &self->server_ep));
	ASSERT_EQ(0, kdtls_endpoint_new(&c, &self->client_ep));
	ASSERT_EQ(0, kdtls_use_psk(self->server_ep, "me", "0123456789abcdef", 16));
	ASSERT_EQ(0, kdtls_use_psk(self->client_ep, "me", "0123456789abcdef", 16));
}

FIXTURE_TEARDOWN(idle_client)
{
	kdtls_server_close(self->first);
	kdtls_server_close(self->server);
	kdtls_endpoint_free(self->server_ep);
	kdtls_endpoint_free(self->client_ep);
}

/* Send back what has come. */
static void serve(struct _test_data_idle_client *self)
{
	struct kdtls_message m[MESSAGES];
	ssize_t n;

	while ((n = kdtls_server_recv(self->server, m, MESSAGES, 0)) > 0)
		kdtls_server_send(self->server, m, n);
}

/* Serve for so many ms. */
static void serve_for(struct _test_data_idle_client *self, unsigned int ms)
{
	uint64_t end = now() + 1000ULL * ms;

	while (now() < end) {
		serve(self);
		usleep(10000);
	}
}

/*
 * Let a client come and get a record back. Then the client's own end goes without a
 * word, so that the server alone has memory of the client. Each client has an address of
 * its own: on the address of another one it would be that one, begun anew. Its socket does
 * not block, as this thread is the server, too. The record is sent again: where ksoftirqd
 * gets no processor for long, the loopback device may drop datagrams.
 */
static void come(struct __test_metadata *_metadata,
		 struct _test_data_idle_client *self)
{
	struct kdtls_socket_options options = { .path = KDTLS_PATH_USER };
	struct sockaddr_in from = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), err;
	uint64_t end = now() + SOON, again = 0;
	struct kdtls_socket *s;
	char buf[16];

	from.sin_addr.s_addr = htonl(0x7f020000 + ++self->clients);
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&from, sizeof(from)));
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&self->at, sizeof(self->at)));
	err = kdtls_connect(self->client_ep, fd, &options, 0, &s);
	while (err == -EINPROGRESS && now() < end) {
		serve(self);
		err = kdtls_process(s);
	}
	ASSERT_EQ(0, err) TH_LOG("%s", kdtls_strerror(err));
	do {
		if (now() >= again) {
			ASSERT_EQ(5, kdtls_send(s, "hello", 5));
			again = now() + AGAIN;
		}
		serve(self);
		kdtls_process(s);
		err = kdtls_recv(s, buf, sizeof(buf));
	} while (err == -EAGAIN && now() < end);
	ASSERT_EQ(5, err) TH_LOG("%s", kdtls_strerror(err));
	/* The client acknowledges its ticket. */
	serve(self);
	kdtls_process(s);
	serve(self);
	dup2(STDERR_FILENO, kdtls_fd(s));
	kdtls_close(s);
}

/*
 * An endpoint makes contexts of libcrypto for the first keys that it has at once. So
 * clients whose keys stay in user space come first, to another server of the endpoint.
 */
static void warm_up(struct __test_metadata *_metadata,
		    struct _test_data_idle_client *self)
{
	static const struct kdtls_server_options options = {
		.path = KDTLS_PATH_USER,
	};
	unsigned int i;

	start_server(_metadata, self, &options);
	for (i = 0; i < WARM; i++)
		come(_metadata, self);
	self->first = self->server;
	self->server = NULL;
}

TEST_F(idle_client, takes_less_than_a_kilobyte_of_heap)
{
	struct kdtls_server_options options = {
		.path = PATH,
		.cid_len = variant->cid_len,
	};
	struct kdtls_server_info info;
	size_t before, each;
	unsigned int i;

	warm_up(_metadata, self);
	start_server(_metadata, self, &options);
	for (i = 0; i < WARM; i++)
		come(_metadata, self);
	serve_for(self, 2 * LINGER);
	before = heap_in_use();
	for (i = 0; i < CLIENTS; i++)
		come(_metadata, self);
	serve_for(self, 2 * LINGER);
	each = (heap_in_use() - before) / CLIENTS;
	kdtls_server_get_info(self->server, &info);
	EXPECT_EQ(WARM + CLIENTS, info.clients);
	EXPECT_EQ(0, info.half_open);
	EXPECT_GT(MAX, each);
	TH_LOG("%zu bytes a client", each);
}

TEST_HARNESS_MAIN
