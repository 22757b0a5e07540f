// SPDX-License-Identifier: GPL-2.0
/*
 * The server object: many clients on one socket over loopback, which come, talk,
 * start anew, fall silent and flood. Sending goes through wrappers that count and
 * lose. The program server has the server's records in user space, server_kernel has
 * them in the kernel.
 */
#include "../../userspace/engine/secret.h"
#include "../engine/end.h"
#include "../engine/heap.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <kdtls/server.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "harness.h"

#define CLIENTS_MAX	1000
#define MESSAGES	64
#define PEELED_MAX	8
#define SOON		180000000ULL	/* µs, on the slowest machine */
#define RECORD		1200		/* bytes that this program sends at most */

#ifdef KERNEL_PATH
#define PATH		KDTLS_PATH_KERNEL
#else
#define PATH		KDTLS_PATH_USER
#endif

/* Return how often to do something: fewer times on an emulated debug kernel. */
static unsigned int rounds(unsigned int many, unsigned int few)
{
	return getenv("DTLS_TEST_SLOW") ? few : many;
}

/*
 * Return how many clients a crowd has. The kernel's records are tested on an emulated
 * machine, where a handshake takes milliseconds.
 */
static unsigned int crowd(unsigned int many, unsigned int few)
{
	return PATH == KDTLS_PATH_USER ? many : rounds(few, few / 4);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

/* ---- what the library sends ---- */

static unsigned int loss;		/* of a hundred datagrams */
static unsigned int batches;		/* calls of sendmmsg() */
static unsigned int singles;		/* calls of sendmsg() */
static unsigned int no_room;		/* calls that find no room */
static bool uncut;			/* the kernel does not know UDP_SEGMENT */
static unsigned int halves;		/* calls that send half of their (first) message */
static unsigned int seed = 1;

static unsigned int next_random(unsigned int below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 16) % below;
}

static bool is_lost(void)
{
	return next_random(100) < loss;
}

/* ---- a network that repeats and turns round ---- */

static bool disorder;			/* for what clients send */
static bool late;			/* the next datagram is held until release() */
static bool packed;			/* two datagrams become one */
static bool copied;			/* the next datagram comes again at release() */
static struct {
	int fd;				/* -1: nothing is held */
	size_t len;
	uint8_t data[2048];
} held = { .fd = -1 };
static uint8_t *gathered;		/* where all datagrams go that clients send, if set */
static size_t gathered_len;		/* bytes that have gone there */

ssize_t __real_send(int fd, const void *data, size_t len, int flags);

static void release(void)
{
	if (held.fd < 0)
		return;
	__real_send(held.fd, held.data, held.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(held.fd);
	held.fd = -1;
}

/* Hold a datagram until others have gone. Return false if there is no room for it. */
static bool hold(int fd, const void *data, size_t len)
{
	if (held.fd >= 0 || len > sizeof(held.data))
		return false;
	held.fd = dup(fd);
	held.len = len;
	memcpy(held.data, data, len);
	return true;
}

/* Hold a datagram, or send it behind the one that is held, as one datagram. */
static bool pack(int fd, const void *data, size_t len)
{
	if (held.fd < 0)
		return hold(fd, data, len);
	if (held.len + len > sizeof(held.data))
		return false;
	memcpy(held.data + held.len, data, len);
	held.len += len;
	release();
	return true;
}

/* Return true if the datagram is held until others have gone. */
static bool disturb(int fd, const void *data, size_t len)
{
	switch (next_random(8)) {
	case 0:
		__real_send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		return false;
	case 1:
		release();
		return false;
	case 2:
		return hold(fd, data, len);
	default:
		return false;
	}
}

ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags)
{
	if (halves) {
		halves--;
		len /= 2;
	}
	if (is_lost())
		return len;
	if (gathered) {
		memcpy(gathered + gathered_len, data, len);
		gathered_len += len;
		return len;
	}
	if (late) {
		late = false;
		if (hold(fd, data, len))
			return len;
	}
	if (copied)
		copied = !hold(fd, data, len);
	if (packed && pack(fd, data, len))
		return len;
	if (disorder && disturb(fd, data, len))
		return len;
	return __real_send(fd, data, len, flags);
}

ssize_t __real_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	singles++;
	return is_lost() ? (ssize_t)msg->msg_iov->iov_len :
			   __real_sendmsg(fd, msg, flags);
}

/*
 * Send half of the records of @msg, as the kernel does if there is no room for the second of
 * two GSO packets. sendmmsg() ends with such a message.
 */
static int send_half(int fd, struct mmsghdr *msg, int flags)
{
	struct msghdr half = msg->msg_hdr;
	size_t i, all = 0, left;
	struct cmsghdr *c;
	struct iovec iov[64];
	uint16_t segment = 0;
	ssize_t n;

	for (c = CMSG_FIRSTHDR(&half); c; c = CMSG_NXTHDR(&half, c))
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_SEGMENT)
			memcpy(&segment, CMSG_DATA(c), sizeof(segment));
	for (i = 0; i < half.msg_iovlen; i++)
		all += half.msg_iov[i].iov_len;
	if (!segment || half.msg_iovlen > sizeof(iov) / sizeof(iov[0]))
		exit(1);
	left = all / segment / 2 * segment;
	for (i = 0; left; left -= iov[i++].iov_len) {
		iov[i] = half.msg_iov[i];
		if (iov[i].iov_len > left)
			iov[i].iov_len = left;
	}
	half.msg_iov = iov;
	half.msg_iovlen = i;
	n = __real_sendmsg(fd, &half, flags);
	msg->msg_len = n > 0 ? n : 0;
	return n > 0 ? 1 : -1;
}

int __real_sendmmsg(int fd, struct mmsghdr *msg, unsigned int count, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *msg, unsigned int count, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *msg, unsigned int count, int flags)
{
	batches++;
	if (no_room && !--no_room) {
		errno = EAGAIN;
		return -1;
	}
	if (halves) {
		halves--;
		return send_half(fd, msg, flags);
	}
	if (uncut && msg->msg_hdr.msg_controllen) {
		errno = EINVAL;
		return -1;
	}
	if (uncut)
		count = 1;
	return __real_sendmmsg(fd, msg, count, flags);
}

static unsigned int junk_left;		/* datagrams of a stranger that come at once */
static unsigned int junk_len;		/* bytes of each */
static bool junk_merged;		/* each is so many of one byte (UDP_GRO) */

int __real_recvmmsg(int fd, struct mmsghdr *m, unsigned int count, int flags,
		    struct timespec *timeout);
int __wrap_recvmmsg(int fd, struct mmsghdr *m, unsigned int count, int flags,
		    struct timespec *timeout);

static void merge(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int one = 1;

	c->cmsg_level = SOL_UDP;
	c->cmsg_type = UDP_GRO;
	c->cmsg_len = CMSG_LEN(sizeof(one));
	memcpy(CMSG_DATA(c), &one, sizeof(one));
	msg->msg_controllen = CMSG_SPACE(sizeof(one));
}

/* The datagrams of the stranger are behind whatever the socket has. */
int __wrap_recvmmsg(int fd, struct mmsghdr *m, unsigned int count, int flags,
		    struct timespec *timeout)
{
	int n = __real_recvmmsg(fd, m, count, flags, timeout);
	struct sockaddr_in from = { .sin_family = AF_INET };

	if (!junk_left)
		return n;
	inet_pton(AF_INET, "127.0.0.3", &from.sin_addr);
	for (n = n < 0 ? 0 : n; n < (int)count && junk_left; n++, junk_left--) {
		memcpy(m[n].msg_hdr.msg_name, &from, sizeof(from));
		memset(m[n].msg_hdr.msg_iov->iov_base, 0, junk_len);
		m[n].msg_hdr.msg_namelen = sizeof(from);
		if (junk_merged)
			merge(&m[n].msg_hdr);
		else
			m[n].msg_hdr.msg_controllen = 0;
		m[n].msg_len = junk_len;
	}
	return n;
}

static bool cid_denied;			/* there is no memory for a connection ID */
static uint8_t denied_cid[20];		/* the last one of these */

int __real_handover_add_cid(struct kdtls_socket *s, const uint8_t *cid, size_t len);
int __wrap_handover_add_cid(struct kdtls_socket *s, const uint8_t *cid, size_t len);
int __wrap_handover_add_cid(struct kdtls_socket *s, const uint8_t *cid, size_t len)
{
	if (!cid_denied)
		return __real_handover_add_cid(s, cid, len);
	memcpy(denied_cid, cid, len);
	return -ENOMEM;
}

static void (*connected)(void *arg);	/* called behind the next connect() */
static void *connected_arg;

int __real_connect(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	int err = __real_connect(fd, address, len);
	void (*call)(void *arg) = connected;

	connected = NULL;
	if (call)
		call(connected_arg);
	return err;
}

/* ---- both ends ---- */

/* What the program knows of a client of the server */
struct peer {
	unsigned int opened, closed, records;
	size_t bytes;
	int error;
};

FIXTURE(server)
{
	struct kdtls_config config;
	struct kdtls_endpoint *server_ep, *client_ep;
	struct kdtls_server_options options;
	struct kdtls_server *server;
	const char *name;		/* of the server's certificate; NULL: it has none */
	struct sockaddr_storage at;	/* the server's address */
	socklen_t at_len;
	struct kdtls_socket *c[CLIENTS_MAX];
	unsigned int clients;		/* in @c */
	struct kdtls_socket *own[PEELED_MAX];	/* of clients that were peeled off */
	size_t room;			/* messages in one call */
	bool echo;
	struct kdtls_message kept;	/* the last data message */
	char last[RECORD];		/* its data */
};

FIXTURE_VARIANT(server)
{
	uint16_t version;
	uint32_t cid_len;
};

FIXTURE_VARIANT_ADD(server, dtls12) {
	.version = DTLS_VERSION_1_2,
};

FIXTURE_VARIANT_ADD(server, dtls13) {
	.version = DTLS_VERSION_1_3,
};

FIXTURE_VARIANT_ADD(server, dtls12_cid) {
	.version = DTLS_VERSION_1_2, .cid_len = 8,
};

FIXTURE_VARIANT_ADD(server, dtls13_cid) {
	.version = DTLS_VERSION_1_3, .cid_len = 8,
};

static unsigned int opened, closed, refused, goodbyes, records;
static int last_error;

__attribute__((constructor)) static void set_up(void)
{
	struct rlimit files;

	if (!heap_watch())
		exit(1);
	/* A client takes a file. */
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

static int bound(int family, const char *address, uint16_t port)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in a4 = { .sin_family = AF_INET };
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0), err;

	a4.sin_port = port;
	a6.sin6_port = port;
	if (family == AF_INET) {
		inet_pton(AF_INET, address, &a4.sin_addr);
		err = bind(fd, (struct sockaddr *)&a4, sizeof(a4));
	} else {
		inet_pton(AF_INET6, address, &a6.sin6_addr);
		err = bind(fd, (struct sockaddr *)&a6, sizeof(a6));
	}
	if (fd < 0 || err) {
		perror("bind");
		exit(1);
	}
	return fd;
}

static void start_server(struct __test_metadata *_metadata,
			 struct _test_data_server *self, int family,
			 const char *address)
{
	int fd = bound(family, address, 0), err;

	self->at_len = sizeof(self->at);
	getsockname(fd, (struct sockaddr *)&self->at, &self->at_len);
	err = kdtls_server_new(self->server_ep, fd, &self->options,
			       &self->server);
	ASSERT_EQ(0, err) TH_LOG("%s", kdtls_strerror(err));
	if (self->options.path)
		ASSERT_EQ(self->options.path,
			  kdtls_server_path(self->server, NULL));
}

static void restart_server(struct __test_metadata *_metadata,
			   struct _test_data_server *self)
{
	kdtls_server_close(self->server);
	start_server(_metadata, self, AF_INET, "127.0.0.1");
}

FIXTURE_SETUP(server)
{
	struct kdtls_config *c = &self->config;

	kdtls_socket_config(c);
	c->version_min = variant->version;
	c->version_max = variant->version;
	c->timeout_initial = 200;
	c->timeout_min = 200;
	c->retransmits = 30;
	c->timeout_max = 1000;
	c->flags = KDTLS_CID;
	ASSERT_EQ(0, kdtls_endpoint_new(c, &self->server_ep));
	ASSERT_EQ(0, kdtls_endpoint_new(c, &self->client_ep));
	ASSERT_EQ(0, kdtls_use_psk(self->server_ep, "me", "0123456789abcdef",
				   16));
	ASSERT_EQ(0, kdtls_use_psk(self->client_ep, "me", "0123456789abcdef",
				   16));
	self->options.path = PATH;
	self->options.cid_len = variant->cid_len;
	self->room = MESSAGES;
	self->echo = true;
	opened = 0;
	closed = 0;
	refused = 0;
	goodbyes = 0;
	records = 0;
	last_error = 0;
	loss = 0;
	disorder = false;
	late = false;
	packed = false;
	copied = false;
	uncut = false;
	no_room = 0;
	halves = 0;
	junk_left = 0;
	junk_merged = false;
	start_server(_metadata, self, AF_INET, "127.0.0.1");
}

FIXTURE_TEARDOWN(server)
{
	unsigned int i;

	for (i = 0; i < self->clients; i++)
		kdtls_close(self->c[i]);
	for (i = 0; i < PEELED_MAX; i++)
		kdtls_close(self->own[i]);
	kdtls_server_close(self->server);
	kdtls_endpoint_free(self->server_ep);
	kdtls_endpoint_free(self->client_ep);
}

static uint8_t session[4096];
static size_t session_len;

static void take_session(void *ctx, const uint8_t *data, size_t len)
{
	(void)ctx;
	session_len = len < sizeof(session) ? len : 0;
	memcpy(session, data, session_len);
}

/* Begin a handshake from @fd that resumes the last session, if there is one. */
static void resume(struct __test_metadata *_metadata,
		   struct _test_data_server *self, int fd, unsigned int i)
{
	struct kdtls_socket_options options = {
		.path = KDTLS_PATH_USER,
		.name = self->name,
		.session = session_len ? session : NULL,
		.session_len = session_len,
	};

	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&self->at, self->at_len));
	ASSERT_EQ(-EINPROGRESS, kdtls_connect(self->client_ep, fd, &options, 0,
					      &self->c[i]));
	if (i >= self->clients)
		self->clients = i + 1;
}

/* Begin a handshake from @fd. */
static void begin(struct __test_metadata *_metadata,
		  struct _test_data_server *self, int fd, unsigned int i)
{
	session_len = 0;
	resume(_metadata, self, fd, i);
}

static void begin_from(struct __test_metadata *_metadata,
		       struct _test_data_server *self, const char *address,
		       unsigned int count)
{
	while (count--)
		begin(_metadata, self, bound(AF_INET, address, 0),
		      self->clients);
}

/*
 * Return a socket on @port of an address that is of this process alone, as another process
 * of these tests may run at the same time.
 */
static int own_socket(uint16_t port)
{
	char address[INET_ADDRSTRLEN];
	pid_t pid = getpid();

	/* Linux has at most 2^22 processes (PID_MAX_LIMIT). */
	snprintf(address, sizeof(address), "127.%d.%d.%d",
		 64 + (pid >> 16 & 0x3f), pid >> 8 & 0xff, pid & 0xff);
	return bound(AF_INET, address, htons(port));
}

#define OWN_PORTS	20000

/*
 * Return a socket for a client that comes back to its port, or one of many of an address,
 * where @i is the client's number. The port is below those that the kernel gives out
 * (ip_local_port_range): nobody else gets it while no client has it.
 */
static int own_port(unsigned int i)
{
	return own_socket(OWN_PORTS + i);
}

/* Let so many clients begin, each on a port to which it can come back. */
static void begin_own(struct __test_metadata *_metadata,
		      struct _test_data_server *self, unsigned int count)
{
	while (count--)
		begin(_metadata, self, own_port(self->clients), self->clients);
}

/* Note what the program is told. */
static void take(struct _test_data_server *self, struct kdtls_message *m,
		 ssize_t n)
{
	ssize_t i;

	for (i = 0; i < n; i++) {
		struct peer *p = kdtls_client_data(m[i].client);

		switch (m[i].news) {
		case KDTLS_NEWS_OPENED:
			opened++;
			p = calloc(1, sizeof(*p));
			p->opened = 1;
			kdtls_client_set_data(m[i].client, p);
			break;
		case KDTLS_NEWS_CLOSED:
			closed++;
			last_error = m[i].error;
			free(p);
			break;
		case KDTLS_NEWS_REFUSED:
			refused++;
			last_error = m[i].error;
			break;
		case KDTLS_NEWS_GOODBYE:
			goodbyes++;
			break;
		case KDTLS_NEWS_DATA:
			if (!p)
				exit(1);	/* data before the news */
			records++;
			p->records++;
			self->kept = m[i];
			memcpy(self->last, m[i].data,
			       m[i].len < RECORD ? m[i].len : RECORD);
		}
	}
	if (self->echo && n > 0)
		kdtls_server_send(self->server, m, n);
}

/* Send back what comes to the sockets of clients that were peeled off. */
static void serve_peeled(struct _test_data_server *self)
{
	char data[RECORD];
	unsigned int i;
	ssize_t n;

	for (i = 0; i < PEELED_MAX; i++) {
		if (!self->own[i] || !self->echo)
			continue;
		while ((n = kdtls_recv(self->own[i], data, sizeof(data))) > 0)
			kdtls_send(self->own[i], data, n);
	}
}

static void serve(struct _test_data_server *self)
{
	struct kdtls_message m[MESSAGES];
	ssize_t n;

	while ((n = kdtls_server_recv(self->server, m, self->room, 0)) > 0)
		take(self, m, n);
	serve_peeled(self);
}

static void turn(struct _test_data_server *self)
{
	unsigned int i;

	serve(self);
	for (i = 0; i < self->clients; i++)
		if (self->c[i])
			kdtls_process(self->c[i]);
	usleep(200);
}

static unsigned int established(const struct _test_data_server *self)
{
	unsigned int i, n = 0;

	for (i = 0; i < self->clients; i++)
		n += self->c[i] && !kdtls_process(self->c[i]);
	return n;
}

/* Say what the server and the program know, for a condition that does not come. */
static const char *state_of(const struct _test_data_server *self)
{
	static char text[250];
	struct kdtls_server_info info;

	kdtls_server_get_info(self->server, &info);
	snprintf(text, sizeof(text),
		 "%u clients, %u of them half open; %" PRIu64 " established, %" PRIu64 " refused, %" PRIu64 " closed, %" PRIu64 " dropped, %" PRIu64 " limited; told of %u opened, %u closed, %u refused, at last with %d",
		 info.clients, info.half_open, info.established, info.refused,
		 info.closed, info.dropped, info.limited, opened, closed,
		 refused, last_error);
	return text;
}

#define UNTIL(condition)						\
do {									\
	uint64_t end_ = now() + SOON;					\
	bool met_;							\
									\
	while (!(met_ = (condition)) && now() < end_)			\
		turn(self);						\
	ASSERT_TRUE(met_) TH_LOG("%s: %s", #condition, state_of(self));	\
} while (0)

/* Take turns for so many ms. */
static void wait_for(struct _test_data_server *self, unsigned int ms)
{
	uint64_t end = now() + 1000ULL * ms;

	while (now() < end)
		turn(self);
}

static struct kdtls_server_info counters(const struct _test_data_server *self)
{
	struct kdtls_server_info info;

	kdtls_server_get_info(self->server, &info);
	return info;
}

/* Each client sends its number, until it has come back. */
static void exchange(struct __test_metadata *_metadata,
		     struct _test_data_server *self)
{
	bool done[CLIENTS_MAX] = { 0 };
	uint64_t end = now() + 2 * SOON;
	unsigned int i, left = 0;
	uint32_t n;

	for (i = 0; i < self->clients; i++)
		left += self->c[i] ? 1 : 0;
	while (left && now() < end) {
		for (i = 0; i < self->clients; i++)
			if (self->c[i] && !done[i])
				kdtls_send(self->c[i], &i, sizeof(i));
		wait_for(self, loss ? 50 : 1);
		for (i = 0; i < self->clients; i++) {
			if (!self->c[i] || done[i])
				continue;
			while (kdtls_recv(self->c[i], &n, sizeof(n)) > 0) {
				ASSERT_EQ(i, n);
				left -= !done[i];
				done[i] = true;
			}
		}
	}
	ASSERT_EQ(0, left);
}

/* Let the file of a client be another one, so that nobody says goodbye for it. */
static void forget(struct _test_data_server *self, unsigned int i)
{
	dup2(STDERR_FILENO, kdtls_fd(self->c[i]));
	kdtls_close(self->c[i]);
	self->c[i] = NULL;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	getsockname(fd, (struct sockaddr *)&a, &len);
	return a.sin_port;
}

/* Return the client of the server whose address has this port. */
static struct kdtls_client *client_at(const struct _test_data_server *self,
				      uint16_t port)
{
	struct kdtls_client *c = NULL;
	struct sockaddr_in a;
	socklen_t len;

	while ((c = kdtls_server_next(self->server, c))) {
		len = sizeof(a);
		kdtls_client_address(c, (struct sockaddr *)&a, &len);
		if (a.sin_port == port)
			break;
	}
	return c;
}

static const uint8_t secret[KDTLS_SECRET_SIZE] = "what these endpoints have in all";

/* Make another endpoint, with this pre-shared key. */
static struct kdtls_endpoint *another(struct __test_metadata *_metadata,
				      struct _test_data_server *self,
				      const char *key, bool shares)
{
	struct kdtls_endpoint *ep = NULL;

	ASSERT_EQ(0, kdtls_endpoint_new(&self->config, &ep));
	ASSERT_EQ(0, kdtls_use_psk(ep, "me", key, 16));
	if (shares)
		ASSERT_EQ(0, kdtls_endpoint_use_secret(ep, secret,
						       sizeof(secret)));
	return ep;
}

/* Let the server go on with another endpoint. */
static void exchange_endpoint(struct _test_data_server *self,
			      struct kdtls_endpoint *ep)
{
	kdtls_server_set_endpoint(self->server, ep);
	kdtls_endpoint_free(self->server_ep);
	self->server_ep = ep;
}

/* Let clients keep the sessions that the server gives them. */
static void remember_sessions(struct __test_metadata *_metadata,
			      struct _test_data_server *self)
{
	self->config.ops.session = take_session;
	kdtls_endpoint_free(self->client_ep);
	self->client_ep = another(_metadata, self, "0123456789abcdef", false);
}

/* Let clients have a first timer of @ms. */
static void wait_longer(struct __test_metadata *_metadata,
			struct _test_data_server *self, unsigned int ms)
{
	self->config.timeout_initial = ms;
	self->config.timeout_max = 60000;
	kdtls_endpoint_free(self->client_ep);
	self->client_ep = another(_metadata, self, "0123456789abcdef", false);
}

/*
 * Let both ends have a first timer that a slow machine does not outlast. A flight that the
 * server sends again may come to a client that has begun anew on the port: its numbers are
 * those of the flight that this client waits for, and its keys are others.
 */
static void be_patient(struct __test_metadata *_metadata,
		       struct _test_data_server *self)
{
	wait_longer(_metadata, self, 10000);
	exchange_endpoint(self, another(_metadata, self, "0123456789abcdef",
					false));
}

/*
 * Let handshakes take as long as they want, at both ends. Where hundreds begin at once, each
 * takes as long as all of them, which is over half a minute on a slow machine.
 */
static void take_time(struct __test_metadata *_metadata,
		      struct _test_data_server *self)
{
	wait_longer(_metadata, self, 2000);
	exchange_endpoint(self, another(_metadata, self, "0123456789abcdef",
					false));
	self->options.handshake_timeout = 1000 * 3600;
	restart_server(_metadata, self);
}

/* Return how many flights the client 0 has sent again. */
static unsigned int flights_resent(const struct _test_data_server *self)
{
	struct kdtls_info info;

	kdtls_engine_info(kdtls_engine(self->c[0]), &info);
	return info.flights_resent;
}

/* ---- many ---- */

TEST_F(server, hundreds_of_clients_get_their_own_data_back)
{
	unsigned int n = rounds(200, 60);

	take_time(_metadata, self);
	begin_from(_metadata, self, "127.0.0.1", n);
	UNTIL(established(self) == n);
	exchange(_metadata, self);
	EXPECT_EQ(n, opened);
	EXPECT_EQ(0, refused + closed);
	EXPECT_EQ(n, counters(self).clients);
	EXPECT_EQ(0, counters(self).half_open);
}

TEST_F(server, clients_get_through_a_network_that_loses)
{
	loss = 20;
	begin_from(_metadata, self, "127.0.0.1", 40);
	UNTIL(established(self) == 40 && opened == 40);
	exchange(_metadata, self);
	EXPECT_EQ(40, opened);
	EXPECT_EQ(0, closed);
}

TEST_F(server, messages_of_a_client_are_in_order_whatever_the_room)
{
	/* One message a call; take() ends the program on data before the news. */
	self->room = 1;
	begin_from(_metadata, self, "127.0.0.1", 20);
	UNTIL(established(self) == 20);
	exchange(_metadata, self);
	EXPECT_EQ(20, opened);
}

TEST_F(server, many_records_go_out_in_few_calls)
{
	struct kdtls_message m[MESSAGES];
	char data[100], got[RECORD];
	int i, n = 0;

	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 1 && opened == 1);
	for (i = 0; i < MESSAGES; i++)
		m[i] = (struct kdtls_message){
			.client = kdtls_server_next(self->server, NULL),
			.data = data,
			.len = i == MESSAGES - 1 ? 50 : 100,
		};
	for (uncut = false; ; uncut = true) {
		batches = 0;
		ASSERT_EQ(MESSAGES, kdtls_server_send(self->server, m,
						      MESSAGES));
		EXPECT_EQ(1, batches);
		for (n = 0; n < MESSAGES; n++) {
			EXPECT_EQ(0, m[n].error);
			UNTIL((i = kdtls_recv(self->c[0], got, sizeof(got))) > 0);
			EXPECT_EQ(n == MESSAGES - 1 ? 50 : 100, i);
		}
		if (uncut)
			break;
	}
}

TEST_F(server, what_finds_no_room_can_be_sent_again)
{
	struct kdtls_message m[4];
	char got[RECORD];
	uint32_t i, n;

	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(established(self) == 2 && opened == 2);
	for (i = 0; i < 4; i++)
		m[i] = (struct kdtls_message){
			.client = kdtls_server_next(self->server, i % 2 ?
				  kdtls_server_next(self->server, NULL) : NULL),
			.data = "hello",
			.len = 5,
		};
	no_room = 1;
	EXPECT_EQ(0, kdtls_server_send(self->server, m, 4));
	EXPECT_EQ(4, kdtls_server_send(self->server, m, 4));
	for (i = 0; i < 2; i++)
		for (n = 0; n < 2; n++)
			UNTIL(kdtls_recv(self->c[i], got, sizeof(got)) == 5);
	EXPECT_EQ(-EAGAIN, kdtls_recv(self->c[0], got, sizeof(got)));
}

/* The client number @i receives the numbers from @from to @end - 1, in this order. */
static void hear_numbers(struct __test_metadata *_metadata,
			 struct _test_data_server *self, unsigned int i,
			 uint32_t from, uint32_t end)
{
	char got[RECORD];
	uint32_t number;

	for (; from < end; from++) {
		UNTIL(kdtls_recv(self->c[i], got, sizeof(got)) == 100);
		memcpy(&number, got, sizeof(number));
		ASSERT_EQ(from, number);
	}
	EXPECT_EQ(-EAGAIN, kdtls_recv(self->c[i], got, sizeof(got)));
}

/* The first message has the records of the entries 0, 2 to 8 and 10. */
TEST_F(server, a_message_that_goes_out_in_part_loses_nothing)
{
	static char data[15][120];	/* 100 bytes of each are sent */
	struct kdtls_client *c[2];
	struct kdtls_message m[15];
	uint32_t i, n = 0;

	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(established(self) == 2 && opened == 2);
	for (i = 0; i < 2; i++)
		c[i] = client_at(self, port_of(kdtls_fd(self->c[i])));
	for (i = 0; i < 15; i++) {
		m[i] = (struct kdtls_message){
			.client = i < 11 || i > 12 ? c[0] : c[1],
			.data = data[i],
			.len = i == 1 ? 0 : i == 9 ? 20000 : 100,
		};
		if (i == 11)
			n = 0;
		if (i == 13)
			n = 9;
		if (m[i].len == 100)
			memcpy(data[i], &(uint32_t){ n++ }, sizeof(n));
	}
	/* The rest of the message goes out at once. */
	halves = 2;
	EXPECT_EQ(15, kdtls_server_send(self->server, m, 15));
	hear_numbers(_metadata, self, 0, 0, 11);
	hear_numbers(_metadata, self, 1, 0, 2);
	/* There is no room for the rest. */
	halves = 1;
	no_room = 2;
	EXPECT_EQ(5, kdtls_server_send(self->server, m, 15));
	hear_numbers(_metadata, self, 0, 0, 4);
	EXPECT_EQ(10, kdtls_server_send(self->server, m + 5, 10));
	hear_numbers(_metadata, self, 0, 4, 11);
	hear_numbers(_metadata, self, 1, 0, 2);
	/* The rest goes out record by record. */
	halves = 1;
	uncut = true;
	EXPECT_EQ(15, kdtls_server_send(self->server, m, 15));
	hear_numbers(_metadata, self, 0, 0, 11);
	hear_numbers(_metadata, self, 1, 0, 2);
	for (i = 0; i < 15; i++)
		EXPECT_EQ(i == 9 ? -EMSGSIZE : 0, m[i].error);
}

TEST_F(server, an_error_is_its_entrys_alone)
{
	static char big[20000];
	struct kdtls_message m[3];
	char got[RECORD];
	int i;

	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 1 && opened == 1);
	for (i = 0; i < 3; i++)
		m[i] = (struct kdtls_message){
			.client = kdtls_server_next(self->server, NULL),
			.data = big,
			.len = i == 1 ? sizeof(big) : 10,
		};
	EXPECT_EQ(3, kdtls_server_send(self->server, m, 3));
	EXPECT_EQ(0, m[0].error);
	EXPECT_EQ(-EMSGSIZE, m[1].error);
	EXPECT_EQ(0, m[2].error);
	for (i = 0; i < 2; i++)
		UNTIL(kdtls_recv(self->c[0], got, sizeof(got)) == 10);
}

/* ---- the end ---- */

/* Both servers number their clients from 1 on. */
TEST_F(server, a_client_of_another_server_is_sent_nothing)
{
	struct kdtls_message m = { .data = "secret", .len = 6 };
	struct kdtls_server *first = self->server;
	char got[RECORD];
	unsigned int i;

	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 1 && opened == 1);
	m.client = kdtls_server_next(first, NULL);
	start_server(_metadata, self, AF_INET, "127.0.0.1");
	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 2 && opened == 2);
	EXPECT_EQ(1, kdtls_server_send(self->server, &m, 1));
	EXPECT_EQ(-ENOTCONN, m.error);
	wait_for(self, 50);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(-EAGAIN, kdtls_recv(self->c[i], got, sizeof(got)));
	free(kdtls_client_data(m.client));
	kdtls_server_close(first);
}

TEST_F(server, a_goodbye_is_told_and_answered)
{
	char got[16];

	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(established(self) == 2 && opened == 2);
	ASSERT_EQ(0, kdtls_shutdown(self->c[0]));
	UNTIL(closed == 1);
	EXPECT_EQ(0, last_error);
	UNTIL(kdtls_recv(self->c[0], got, sizeof(got)) == 0);
	kdtls_close(self->c[0]);
	self->c[0] = NULL;
	exchange(_metadata, self);
	EXPECT_EQ(1, counters(self).clients);
	EXPECT_EQ(1, counters(self).closed);
}

TEST_F(server, what_came_before_a_goodbye_is_answered)
{
	char got[16];
	int i;

	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 1 && opened == 1);
	/* All of it is there before the server looks. */
	for (i = 0; i < 3; i++)
		ASSERT_EQ(5, kdtls_send(self->c[0], "hello", 5));
	ASSERT_EQ(0, kdtls_shutdown(self->c[0]));
	for (i = 0; i < 3; i++)
		UNTIL(kdtls_recv(self->c[0], got, sizeof(got)) == 5);
	UNTIL(kdtls_recv(self->c[0], got, sizeof(got)) == 0);
	UNTIL(!counters(self).clients);
	EXPECT_EQ(1, closed);
	EXPECT_EQ(0, last_error);
}

TEST_F(server, a_client_that_said_goodbye_can_be_sent_to)
{
	struct kdtls_message m = { .data = "later", .len = 5 };
	char got[16];

	self->options.half_close = true;
	restart_server(_metadata, self);
	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(established(self) == 2 && opened == 2);
	exchange(_metadata, self);
	ASSERT_EQ(5, kdtls_send(self->c[0], "hello", 5));
	UNTIL(records > 0 && !memcmp(self->last, "hello", 5));
	m.client = self->kept.client;
	UNTIL(kdtls_recv(self->c[0], got, sizeof(got)) == 5);
	ASSERT_EQ(0, kdtls_shutdown(self->c[0]));
	UNTIL(goodbyes == 1);
	wait_for(self, 50);
	EXPECT_EQ(0, closed);
	EXPECT_EQ(1, goodbyes);
	ASSERT_EQ(1, kdtls_server_send(self->server, &m, 1));
	EXPECT_EQ(0, m.error);
	UNTIL(kdtls_recv(self->c[0], got, sizeof(got)) == 5);
	EXPECT_EQ(0, memcmp(got, "later", 5));
	EXPECT_EQ(2, counters(self).clients);
	free(kdtls_client_data(m.client));
	kdtls_client_close(m.client);
	UNTIL(kdtls_recv(self->c[0], got, sizeof(got)) == 0);
	EXPECT_EQ(1, counters(self).clients);
	EXPECT_EQ(0, closed);
}

TEST_F(server, a_hundred_goodbyes_at_once_are_all_heard)
{
	unsigned int i;

	begin_from(_metadata, self, "127.0.0.1", 100);
	UNTIL(established(self) == 100 && opened == 100);
	exchange(_metadata, self);
	/* Nobody looks until all of them have come. */
	for (i = 0; i < 100; i++) {
		kdtls_close(self->c[i]);
		self->c[i] = NULL;
	}
	self->clients = 0;
	UNTIL(!counters(self).clients);
	EXPECT_EQ(100, closed);
	EXPECT_EQ(0, last_error);
}

TEST_F(server, nothing_follows_the_close_of_a_client)
{
	struct kdtls_message m[MESSAGES];
	struct kdtls_client *c;
	char got[16];
	ssize_t n = 0, i;

	self->room = 8;
	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 1 && opened == 1);
	for (i = 0; i < 10; i++)
		kdtls_send(self->c[0], "hello", 5);
	UNTIL((n = kdtls_server_recv(self->server, m, 2, 0)) > 0);
	c = m[0].client;
	free(kdtls_client_data(c));
	kdtls_client_close(c);
	kdtls_client_close(c);
	EXPECT_EQ(n, (ssize_t)kdtls_server_send(self->server, m, n));
	EXPECT_EQ(-ENOTCONN, m[0].error);
	records = 0;
	UNTIL(kdtls_recv(self->c[0], got, sizeof(got)) == 0);
	EXPECT_EQ(0, records + closed);
	EXPECT_EQ(0, counters(self).clients);
}

TEST_F(server, idle_clients_are_closed)
{
	char got[16];

	self->options.idle_timeout = 1000;
	restart_server(_metadata, self);
	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(established(self) == 2 && opened == 2);
	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 3 && opened == 3);
	EXPECT_LE(0, kdtls_server_timeout(self->server));
	EXPECT_GE(1000, kdtls_server_timeout(self->server));
	self->echo = false;
	while (closed < 1) {
		kdtls_send(self->c[0], "here", 4);
		kdtls_send(self->c[1], "", 0);
		wait_for(self, 20);
	}
	EXPECT_EQ(-ETIMEDOUT, last_error);
	UNTIL(kdtls_recv(self->c[2], got, sizeof(got)) == 0);
	EXPECT_EQ(2, counters(self).clients);
	UNTIL(closed == 3);
}

/* ---- starting anew ---- */

TEST_F(server, a_client_that_starts_anew_replaces_itself)
{
	unsigned int i;

	begin_own(_metadata, self, 3);
	UNTIL(established(self) == 3 && opened == 3);
	for (i = 1; i <= 3; i++) {
		forget(self, 0);
		begin(_metadata, self, own_port(0), 0);
		UNTIL(established(self) == 3 && closed == i);
		EXPECT_EQ(-KDTLS_ERESTARTED, last_error);
		exchange(_metadata, self);
		EXPECT_EQ(3 + i, opened);
		EXPECT_EQ(3, counters(self).clients);
		EXPECT_EQ(i, counters(self).restarted);
	}
}

/*
 * Let the client 0 start anew from its port with its last session, up to its Finished,
 * which the server does not see yet. With @hold the network delivers it after release().
 */
static void start_anew(struct __test_metadata *_metadata,
		       struct _test_data_server *self, bool hold)
{
	uint64_t end = now() + SOON;
	int err;

	forget(self, 0);
	resume(_metadata, self, own_port(0), 0);
	while (!counters(self).half_open && now() < end) {
		ASSERT_EQ(-EINPROGRESS, kdtls_process(self->c[0]));
		serve(self);
	}
	late = hold;
	do {
		err = kdtls_process(self->c[0]);
	} while (err == -EINPROGRESS && now() < end);
	ASSERT_EQ(0, err);
	ASSERT_EQ(hold, held.fd >= 0);
}

/*
 * A client that resumes its session may send data right behind its Finished, and a network
 * may deliver the Finished last. The server has the keys of the old association until it
 * sees the Finished, and these do not open the data.
 */
TEST_F(server, data_around_the_finished_of_a_client_that_starts_anew_is_received)
{
	unsigned int i, round;

	remember_sessions(_metadata, self);
	begin_own(_metadata, self, 2);
	UNTIL(established(self) == 2 && opened == 2 && session_len);
	exchange(_metadata, self);
	for (round = 0; round < 2; round++) {
		self->echo = false;
		records = 0;
		start_anew(_metadata, self, round == 1);
		for (i = 0; i < 10; i++)
			ASSERT_EQ(5, kdtls_send(self->c[0], "hello", 5));
		serve(self);
		release();
		UNTIL(records == 10 && closed == round + 1);
		EXPECT_EQ(-KDTLS_ERESTARTED, last_error);
		EXPECT_EQ(round + 3, opened);
		self->echo = true;
		exchange(_metadata, self);
	}
	EXPECT_EQ(2, counters(self).clients);
}

/* The network delivers the Finished behind all that the client says. */
TEST_F(server, a_goodbye_that_overtakes_the_handshake_loses_nothing)
{
	uint64_t end = now() + SOON;
	int err;

	if (variant->version == DTLS_VERSION_1_2)
		SKIP(return, "a client of DTLS 1.2 waits for the server's Finished");
	be_patient(_metadata, self);
	self->echo = false;
	begin_from(_metadata, self, "127.0.0.1", 1);
	while (!counters(self).half_open && now() < end) {
		ASSERT_EQ(-EINPROGRESS, kdtls_process(self->c[0]));
		serve(self);
	}
	late = true;
	do {
		err = kdtls_process(self->c[0]);
	} while (err == -EINPROGRESS && now() < end);
	ASSERT_EQ(0, err);
	ASSERT_LE(0, held.fd);
	ASSERT_EQ(5, kdtls_send(self->c[0], "hello", 5));
	ASSERT_EQ(0, kdtls_shutdown(self->c[0]));
	serve(self);
	EXPECT_EQ(0, opened + closed + refused);
	release();
	UNTIL(opened == 1 && records == 1 && closed == 1);
	EXPECT_EQ(0, refused);
	EXPECT_EQ(0, last_error);
}

TEST_F(server, a_goodbye_and_a_hello_from_one_port_are_both_heard)
{
	be_patient(_metadata, self);
	begin_own(_metadata, self, 1);
	UNTIL(established(self) == 1 && opened == 1);
	/* Both are there before the server looks. */
	kdtls_close(self->c[0]);
	begin(_metadata, self, own_port(0), 0);
	UNTIL(established(self) == 1 && opened == 2);
	EXPECT_EQ(0, flights_resent(self));
	EXPECT_EQ(1, closed);
	EXPECT_EQ(0, last_error);
	exchange(_metadata, self);
}

TEST_F(server, a_handshake_outlives_the_association_that_it_was_to_replace)
{
	struct kdtls_client *old;
	uint64_t end = now() + SOON;

	be_patient(_metadata, self);
	begin_own(_metadata, self, 1);
	UNTIL(established(self) == 1 && opened == 1);
	forget(self, 0);
	begin(_metadata, self, own_port(0), 0);
	while (!counters(self).half_open && now() < end) {
		kdtls_process(self->c[0]);
		serve(self);
	}
	old = kdtls_server_next(self->server, NULL);
	ASSERT_NE(NULL, old);
	free(kdtls_client_data(old));
	kdtls_client_close(old);
	UNTIL(established(self) == 1 && opened == 2);
	EXPECT_EQ(0, flights_resent(self));
	EXPECT_EQ(0, closed);
	exchange(_metadata, self);
	EXPECT_EQ(1, counters(self).clients);
}

TEST_F(server, a_crowd_starts_anew_at_once)
{
	unsigned int i, n = crowd(CLIENTS_MAX, 100);

	take_time(_metadata, self);
	begin_own(_metadata, self, n);
	UNTIL(established(self) == n && opened == n);
	exchange(_metadata, self);
	for (i = 0; i < n; i++)
		forget(self, i);
	for (i = 0; i < n; i++)
		begin(_metadata, self, own_port(i), i);
	UNTIL(established(self) == n && closed == n);
	exchange(_metadata, self);
	EXPECT_EQ(2 * n, opened);
	EXPECT_EQ(-KDTLS_ERESTARTED, last_error);
	EXPECT_EQ(n, counters(self).restarted);
	EXPECT_EQ(n, counters(self).clients);
}

/* Wait until what was sent is there: on a busy machine that may be later. */
static void await_input(int fd, int events)
{
	struct pollfd p = { .fd = fd, .events = (short)events };

	poll(&p, 1, 1000);
}

/* Let the server take what was sent just now. */
static void serve_next(struct _test_data_server *self)
{
	await_input(kdtls_server_fd(self->server),
		    kdtls_server_events(self->server));
	serve(self);
}

/*
 * Let the client @i begin a handshake from @fd, and prove its address. With @copy the
 * network delivers its hello with the cookie once more at release().
 */
static void prove(struct __test_metadata *_metadata,
		  struct _test_data_server *self, int fd, unsigned int i,
		  bool copy)
{
	uint64_t replies = counters(self).replies;
	unsigned int tries;

	begin(_metadata, self, fd, i);
	for (tries = 0; tries < 1000 && counters(self).replies == replies;
	     tries++)
		serve(self);
	/* The hello with the cookie, and no more */
	await_input(kdtls_fd(self->c[i]), POLLIN);
	copied = copy;
	kdtls_process(self->c[i]);
	serve_next(self);
}

/* Let a handshake begin from @fd, prove its address, and stop. */
static void half_open_on(struct __test_metadata *_metadata,
			 struct _test_data_server *self, int fd)
{
	unsigned int i = self->clients;

	prove(_metadata, self, fd, i, false);
	forget(self, i);
	self->clients = i;
}

static void half_open(struct __test_metadata *_metadata,
		      struct _test_data_server *self, const char *address,
		      unsigned int count)
{
	int keep[CLIENTS_MAX];
	unsigned int i;

	for (i = 0; i < count; i++) {
		/* Nobody may come back to a port by chance. */
		keep[i] = bound(AF_INET, address, 0);
		half_open_on(_metadata, self, dup(keep[i]));
	}
	for (i = 0; i < count; i++)
		close(keep[i]);
}

TEST_F(server, half_a_handshake_replaces_nobody)
{
	unsigned int i;

	self->options.handshake_timeout = 8000;
	restart_server(_metadata, self);
	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 1 && opened == 1);
	/* From the very socket of the client */
	for (i = 0; i < 3; i++)
		half_open_on(_metadata, self, dup(kdtls_fd(self->c[0])));
	EXPECT_EQ(1, counters(self).half_open);
	EXPECT_EQ(2, counters(self).clients);
	exchange(_metadata, self);
	UNTIL(!counters(self).half_open);
	EXPECT_EQ(-ETIMEDOUT, last_error);
	exchange(_metadata, self);
	EXPECT_EQ(1, counters(self).clients);
	EXPECT_EQ(1, opened);
	EXPECT_EQ(0, closed);
}

/* Drop what has come to @fd for a client that is no more. */
static void drain(int fd)
{
	char data[2048];

	while (recv(fd, data, sizeof(data), MSG_DONTWAIT) >= 0)
		;
}

/* Let the client 0 establish an association from @fd, and vanish. */
static void establish_and_vanish(struct __test_metadata *_metadata,
				 struct _test_data_server *self, int fd)
{
	unsigned int before = opened;

	begin(_metadata, self, dup(fd), 0);
	UNTIL(established(self) == 1 && opened == before + 1);
	forget(self, 0);
	drain(fd);
}

/*
 * A client begins a handshake, starts anew on its port, and the network repeats what it
 * said first: once where nobody was before, and once beside an association.
 */
TEST_F(server, a_late_copy_of_an_older_hello_displaces_no_handshake)
{
	int fd = bound(AF_INET, "127.0.0.1", 0);
	unsigned int round;

	be_patient(_metadata, self);
	for (round = 0; round < 2; round++) {
		opened = 0;
		if (round)
			establish_and_vanish(_metadata, self, fd);
		prove(_metadata, self, dup(fd), 0, true);
		forget(self, 0);
		drain(fd);
		prove(_metadata, self, dup(fd), 0, false);
		ASSERT_LE(0, held.fd);
		release();
		serve_next(self);
		EXPECT_EQ(1, counters(self).half_open);
		UNTIL(established(self) == 1 && opened == round + 1);
		EXPECT_EQ(0, flights_resent(self));
		EXPECT_EQ(0, refused);
		exchange(_metadata, self);
		restart_server(_metadata, self);
		forget(self, 0);
		drain(fd);
	}
	close(fd);
}

TEST_F(server, a_client_is_found_by_its_connection_id)
{
	struct kdtls_message m = { .data = "x", .len = 1 };
	int fd;

	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(established(self) == 2 && opened == 2);
	self->echo = false;
	/* The same association, from another port */
	fd = bound(AF_INET, "127.0.0.2", 0);
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&self->at, self->at_len));
	dup2(fd, kdtls_fd(self->c[0]));
	close(fd);
	ASSERT_EQ(5, kdtls_send(self->c[0], "moved", 5));
	if (variant->cid_len) {
		UNTIL(records == 1);
		EXPECT_EQ(0, memcmp(self->last, "moved", 5));
	} else {
		wait_for(self, 100);
		EXPECT_EQ(0, records);
	}
	/* A record with a connection ID that nobody has is of no use. */
	m.client = kdtls_server_next(self->server, NULL);
	EXPECT_NE(NULL, m.client);
	EXPECT_EQ(2, counters(self).clients);
}

/* Return how many connection IDs the client @i has that it has not used yet. */
static unsigned int cid_spares(const struct _test_data_server *self, unsigned int i)
{
	struct kdtls_info info;

	kdtls_engine_info(kdtls_engine(self->c[i]), &info);
	return info.cid_spares;
}

/* As many as one message has; a client uses the first of them, and then the others. */
TEST_F(server, each_connection_id_that_a_client_was_given_is_good)
{
	struct kdtls_client *c;
	unsigned int i, before;
	uint64_t dropped;

	if (variant->version != DTLS_VERSION_1_3 || !variant->cid_len)
		SKIP(return, "without more connection IDs");
	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 1 && opened == 1);
	c = client_at(self, port_of(kdtls_fd(self->c[0])));
	ASSERT_EQ(0, kdtls_engine_give_cids(kdtls_client_engine(c), DTLS_CIDS_MAX,
					    true));
	UNTIL(cid_spares(self, 0) == DTLS_CIDS_MAX - 1);
	dropped = counters(self).dropped;
	for (i = 0; i < DTLS_CIDS_MAX; i++) {
		if (i)
			ASSERT_EQ(0, kdtls_engine_change_cid(kdtls_engine(self->c[0])));
		before = records;
		ASSERT_EQ(3, kdtls_send(self->c[0], "cid", 3));
		UNTIL(records > before || counters(self).dropped > dropped);
		ASSERT_EQ(dropped, counters(self).dropped)
			TH_LOG("connection ID %u of %u", i + 1, DTLS_CIDS_MAX);
	}
	ASSERT_EQ(0, cid_spares(self, 0));
}

/*
 * Begin a handshake of the client 0 from @fd, up to its last flight, which the network holds
 * until release().
 */
static void shake_but_end(struct __test_metadata *_metadata,
			  struct _test_data_server *self, int fd)
{
	uint64_t end = now() + SOON;

	begin(_metadata, self, fd, 0);
	while (!counters(self).half_open && now() < end) {
		kdtls_process(self->c[0]);
		serve(self);
	}
	late = true;
	while (held.fd < 0 && now() < end)
		kdtls_process(self->c[0]);
	ASSERT_LE(0, held.fd);
}

/* Return the connection ID in the datagram that is held, or NULL. */
static const uint8_t *held_cid(void)
{
	const uint8_t *p = held.data;

	while (p < held.data + held.len) {
		if (p[0] >> 5 == 1)
			return p + 1;
		if (p[0] == 25)
			return p + 11;
		p += 13 + p[11] * 256 + p[12];
	}
	return NULL;
}

/*
 * Send records to @cid that do not verify, with both kinds of headers, and behind each an
 * alert in the clear that ends a handshake.
 */
static void forge_alerts(int fd, const uint8_t *cid, size_t cid_len)
{
	static const uint8_t alert[] = {
		21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40
	};
	static const uint8_t head12[] = {
		25, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9
	};
	uint8_t data[100], *p;
	int unified;

	for (unified = 0; unified < 2; unified++) {
		memset(data, 9, sizeof(data));
		p = data;
		*p = 0x3e;
		if (!unified)
			memcpy(p, head12, sizeof(head12));
		p += unified ? 1 : sizeof(head12);
		memcpy(p, cid, cid_len);
		p += cid_len + (unified ? 2 : 0);
		*p++ = 0;
		*p++ = 30;
		p += 30;
		memcpy(p, alert, sizeof(alert));
		__real_send(fd, data, p + sizeof(alert) - data, 0);
	}
}

/* Return a socket that is connected to the server from another address than the clients'. */
static int elsewhere(struct __test_metadata *_metadata,
		     struct _test_data_server *self)
{
	int fd = bound(AF_INET, "127.0.0.2", 0);

	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&self->at, self->at_len));
	return fd;
}

/*
 * Somebody elsewhere knows the connection ID of a client that shakes hands, or has guessed
 * it, and cannot end the handshake.
 */
TEST_F(server, what_is_in_the_clear_behind_a_connection_id_counts_for_nothing)
{
	int fd;

	if (!variant->cid_len)
		SKIP(return, "without connection IDs");
	be_patient(_metadata, self);
	shake_but_end(_metadata, self, bound(AF_INET, "127.0.0.1", 0));
	ASSERT_NE(NULL, held_cid());
	fd = elsewhere(_metadata, self);
	forge_alerts(fd, held_cid(), variant->cid_len);
	wait_for(self, 20);
	EXPECT_EQ(0, refused);
	EXPECT_EQ(1, counters(self).half_open);
	release();
	UNTIL(established(self) == 1 && opened == 1);
	exchange(_metadata, self);
	close(fd);
}

/* The same while the client starts anew, with its old connection ID and with the new one */
static void forge_beside(struct __test_metadata *_metadata,
			 struct _test_data_server *self, uint32_t cid_len)
{
	int fd = elsewhere(_metadata, self);
	uint8_t cid[20];

	late = true;
	ASSERT_EQ(1, kdtls_send(self->c[0], "x", 1));
	ASSERT_NE(NULL, held_cid());
	memcpy(cid, held_cid(), cid_len);
	release();
	wait_for(self, 20);
	forget(self, 0);
	shake_but_end(_metadata, self, own_port(0));
	ASSERT_NE(NULL, held_cid());
	forge_alerts(fd, cid, cid_len);
	wait_for(self, 20);
	EXPECT_EQ(0, refused);
	EXPECT_EQ(1, counters(self).half_open);
	forge_alerts(fd, held_cid(), cid_len);
	wait_for(self, 20);
	EXPECT_EQ(0, refused);
	EXPECT_EQ(1, counters(self).half_open);
	release();
	UNTIL(established(self) == 1 && opened == 2);
	EXPECT_EQ(1, counters(self).restarted);
	exchange(_metadata, self);
	close(fd);
}

TEST_F(server, what_is_in_the_clear_behind_a_connection_id_ends_no_new_start)
{
	if (!variant->cid_len)
		SKIP(return, "without connection IDs");
	be_patient(_metadata, self);
	begin_own(_metadata, self, 1);
	UNTIL(established(self) == 1 && opened == 1);
	forge_beside(_metadata, self, variant->cid_len);
}

/* A record that verifies is the client's, from whatever address it comes (RFC 9146 6). */
TEST_F(server, a_handshake_is_ended_from_another_address)
{
	int fd;

	if (!variant->cid_len || variant->version == DTLS_VERSION_1_2)
		SKIP(return, "the last flight begins in the clear");
	be_patient(_metadata, self);
	shake_but_end(_metadata, self, bound(AF_INET, "127.0.0.1", 0));
	fd = elsewhere(_metadata, self);
	ASSERT_EQ((ssize_t)held.len, __real_send(fd, held.data, held.len, 0));
	close(held.fd);
	held.fd = -1;
	UNTIL(established(self) == 1 && opened == 1);
	exchange(_metadata, self);
	close(fd);
}

/* Begin a handshake whose server is to put the longest connection ID into its records. */
static void begin_with_long_cid(struct __test_metadata *_metadata,
				struct _test_data_server *self)
{
	static const uint8_t cid[255] = "the longest that there is";
	struct kdtls_socket_options options = {
		.path = KDTLS_PATH_USER,
		.cid = cid,
		.cid_len = sizeof(cid),
	};
	int fd = bound(AF_INET, "127.0.0.1", 0);

	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&self->at, self->at_len));
	ASSERT_EQ(-EINPROGRESS, kdtls_connect(self->client_ep, fd, &options, 0,
					      &self->c[self->clients++]));
}

/* A client chooses how long the headers of its records are. */
TEST_F(server, a_long_connection_id_leaves_no_room_for_content)
{
	struct kdtls_client *c;

	begin_with_long_cid(_metadata, self);
	UNTIL(established(self) == 1 && opened == 1);
	c = kdtls_server_next(self->server, NULL);
	ASSERT_NE(NULL, c);
	EXPECT_LT(500, kdtls_client_payload(c));
	EXPECT_GT(self->config.mtu - 255, kdtls_client_payload(c));
	exchange(_metadata, self);
	kdtls_engine_set_mtu(kdtls_client_engine(c), KDTLS_MTU_MIN);
	EXPECT_EQ(0, kdtls_client_payload(c));
}

/* ---- clients that get sockets ---- */

/* Return the number that the next file gets. */
static int next_file(void)
{
	int fd = open("/dev/null", O_RDONLY);

	close(fd);
	return fd;
}

/* Peel the client @i off. Return what kdtls_client_peel() does. */
static int peel(struct _test_data_server *self, unsigned int i)
{
	struct kdtls_client *c = client_at(self, port_of(kdtls_fd(self->c[i])));
	int err;

	if (!c)
		return -ENOENT;
	free(kdtls_client_data(c));
	kdtls_client_set_data(c, NULL);
	err = kdtls_client_peel(c, &self->own[i]);
	if (err)
		kdtls_client_set_data(c, calloc(1, sizeof(struct peer)));
	return err;
}

TEST_F(server, a_client_that_was_peeled_off_talks_on)
{
	unsigned int i;

	begin_from(_metadata, self, "127.0.0.1", 6);
	UNTIL(established(self) == 6 && opened == 6);
	exchange(_metadata, self);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, peel(self, i));
		EXPECT_EQ(PATH, kdtls_path(self->own[i], NULL));
		EXPECT_EQ(5 - i, counters(self).clients);
		EXPECT_EQ(i + 1, counters(self).peeled);
		exchange(_metadata, self);
	}
	/* Others come and go, and the socket of one client is closed. */
	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(established(self) == 8 && opened == 8);
	kdtls_close(self->own[0]);
	self->own[0] = NULL;
	UNTIL(kdtls_recv(self->c[0], self->last, sizeof(self->last)) == 0);
	kdtls_close(self->c[0]);
	self->c[0] = NULL;
	exchange(_metadata, self);
	EXPECT_EQ(4, counters(self).clients);
	EXPECT_EQ(0, closed + counters(self).closed);
	/* They do not need the server. */
	for (i = 4; i < 8; i++)
		forget(self, i);
	restart_server(_metadata, self);
	exchange(_metadata, self);
	kdtls_shutdown(self->c[1]);
	UNTIL(kdtls_recv(self->own[1], self->last, sizeof(self->last)) == 0);
}

#ifdef KERNEL_PATH
/* With UDP_SEGMENT the kernel may send the first of several records alone. */
TEST_F(server, what_the_kernel_cuts_and_sends_in_part_is_told)
{
	int size = 10;

	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 1 && opened == 1);
	ASSERT_EQ(0, peel(self, 0));
	ASSERT_EQ(0, setsockopt(kdtls_fd(self->own[0]), SOL_UDP, UDP_SEGMENT,
				&size, sizeof(size)));
	halves = 1;
	EXPECT_EQ(20, kdtls_send(self->own[0], "four records of ten bytes each..........",
				 40));
	EXPECT_EQ(20, kdtls_send(self->own[0], "bytes each..........", 20));
}
#endif

/* The sockets of clients that were peeled off live on. */
TEST_F(server, another_server_begins_on_the_port_beside_peeled_clients)
{
	struct sockaddr_in at;
	int fd, one = 1, err;
	unsigned int i;

	begin_from(_metadata, self, "127.0.0.1", 3);
	UNTIL(established(self) == 3 && opened == 3);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, peel(self, i));
	exchange(_metadata, self);
	memcpy(&at, &self->at, sizeof(at));
	kdtls_server_close(self->server);
	forget(self, 2);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)));
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&at, sizeof(at)));
	err = kdtls_server_new(self->server_ep, fd, &self->options,
			       &self->server);
	ASSERT_EQ(0, err);
	begin_from(_metadata, self, "127.0.0.1", 4);
	UNTIL(established(self) == 6 && opened == 7);
	exchange(_metadata, self);
}

/* What a process knows of the numbered records of two clients */
struct tally {
	uint32_t sent, seen[2][400], count[2];
};

/* Let each of the clients send so many records, two in a datagram. */
static void send_pairs(struct _test_data_server *self, struct tally *t,
		       unsigned int count)
{
	unsigned int i, j;
	uint32_t word[2];

	packed = true;
	for (; count; count -= 2, t->sent += 2)
		for (i = 0; i < 2; i++)
			for (j = 0; j < 2; j++) {
				word[0] = i;
				word[1] = t->sent + j;
				kdtls_send(self->c[i], word, sizeof(word));
			}
	packed = false;
}

static void see(struct tally *t, const void *data)
{
	uint32_t word[2];

	memcpy(word, data, sizeof(word));
	t->seen[word[0]][t->count[word[0]]++] = word[1];
}

/* Let the server return up to @room messages, which are data. */
static ssize_t see_messages(struct _test_data_server *self, struct tally *t,
			    size_t room)
{
	struct kdtls_message m[MESSAGES];
	ssize_t n = kdtls_server_recv(self->server, m, room, 0), i;

	for (i = 0; i < n; i++)
		see(t, m[i].data);
	return n;
}

/* Return true if each record of the client @i came once, and in order. */
static bool saw_all(const struct tally *t, unsigned int i)
{
	uint32_t j;

	for (j = 0; j < t->count[i]; j++)
		if (t->seen[i][j] != j)
			return false;
	return t->count[i] == t->sent;
}

/*
 * Records are everywhere when a client is peeled off: told, received by the server, the
 * second one of a datagram whose first one was told, in the server's socket; and those of
 * another client between them.
 */
TEST_F(server, no_record_is_lost_or_repeated_when_a_client_is_peeled_off)
{
	struct tally t = { 0 };
	uint32_t word[2];

	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(established(self) == 2 && opened == 2);
	exchange(_metadata, self);
	self->echo = false;
	send_pairs(self, &t, 40);
	ASSERT_EQ(1, see_messages(self, &t, 1));
	send_pairs(self, &t, 80);
	ASSERT_EQ(1, t.count[0]);
	ASSERT_EQ(0, peel(self, 0));
	/* The server need not look. A window has 64 records. */
	send_pairs(self, &t, 80);
	EXPECT_EQ(0, kdtls_timeout(self->own[0]));
	while (kdtls_recv(self->own[0], word, sizeof(word)) > 0) {
		ASSERT_EQ(0, word[0]);
		see(&t, word);
	}
	EXPECT_TRUE(saw_all(&t, 0)) TH_LOG("%u of %u", t.count[0], t.sent);
	while (see_messages(self, &t, MESSAGES) > 0)
		;
	EXPECT_EQ(t.sent, t.count[0]);
	EXPECT_TRUE(saw_all(&t, 1)) TH_LOG("%u of %u", t.count[1], t.sent);
}

/**
 * struct burst - records that are sent while their client is peeled off
 * @from:	the client's socket
 * @len:	bytes of each record
 * @sent:	number of records that were sent
 * @more:	number of records that send_burst() sends
 */
struct burst {
	struct kdtls_socket *from;
	size_t len;
	uint32_t sent;
	uint32_t more;
};

/* Send numbered records, as fast as that goes. */
static void send_burst(void *arg)
{
	static char data[RECORD];
	struct burst *b = arg;
	uint32_t i;

	for (i = 0; i < b->more; i++, b->sent++) {
		memcpy(data, &b->sent, sizeof(b->sent));
		kdtls_send(b->from, data, b->len);
	}
}

/*
 * Read the records of a burst from the socket of its client, in any order: a processor that
 * had begun to queue a datagram may be late. If that had found the server's socket before
 * the client got its own, the datagram comes by @server, which looks, too, unless it is
 * NULL. Return how many records have come, or -1 if one came twice.
 */
static int read_burst(struct kdtls_server *server, struct kdtls_socket *s, uint32_t max)
{
	uint64_t end = now() + SOON;
	struct kdtls_message m;
	bool seen[450] = { 0 };
	char data[RECORD];
	uint32_t number;
	ssize_t n = 0;
	int count = 0;

	while (now() < end && (count < (int)max || n != -EAGAIN)) {
		/* The other clients send nothing. */
		if (server && kdtls_server_recv(server, &m, 1, 0) != -EAGAIN)
			return -1;
		n = kdtls_recv(s, data, sizeof(data));
		if (n == -EAGAIN)
			continue;
		if (n < (ssize_t)sizeof(number))
			return -1;
		memcpy(&number, data, sizeof(number));
		if (number >= max || seen[number])
			return -1;
		seen[number] = true;
		count++;
	}
	return count;
}

/* More records than a window has wait in the server's socket, and as many are newer. */
TEST_F(server, a_client_that_sends_a_burst_is_peeled_off)
{
	struct burst b = { .len = 8, .more = 70 };

	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(established(self) == 2 && opened == 2);
	self->echo = false;
	b.from = self->c[0];
	send_burst(&b);
	connected = send_burst;
	connected_arg = &b;
	ASSERT_EQ(0, peel(self, 0));
	ASSERT_EQ(140, b.sent);
	/* All this fits a receive buffer of the usual size, also on Linux 7.2. */
	b.more = 10;
	send_burst(&b);
	EXPECT_EQ(150, read_burst(NULL, self->own[0], 150));
}

/* What waits is more than the library keeps for a reader otherwise. */
TEST_F(server, a_client_with_a_long_queue_is_peeled_off)
{
	struct burst b = { .len = RECORD, .more = 400 }, other = b;
	int size = 4 << 20, fd = kdtls_server_fd(self->server);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		SKIP(return, "only root may have a long queue");
	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(established(self) == 2 && opened == 2);
	self->echo = false;
	other.from = self->c[1];
	send_burst(&other);
	b.from = self->c[0];
	send_burst(&b);
	connected = send_burst;
	connected_arg = &b;
	b.more = 50;
	ASSERT_EQ(0, peel(self, 0));
	EXPECT_EQ(450, read_burst(NULL, self->own[0], 450));
	serve(self);
	EXPECT_EQ(400, records);
}

static void *send_burst_thread(void *arg)
{
	send_burst(arg);
	return NULL;
}

/* The moment of the peeling differs from client to client. */
TEST_F(server, clients_are_peeled_off_in_the_middle_of_bursts)
{
	struct burst b[PEELED_MAX];
	pthread_t thread;
	unsigned int i;

	begin_from(_metadata, self, "127.0.0.1", PEELED_MAX);
	UNTIL(established(self) == PEELED_MAX && opened == PEELED_MAX);
	self->echo = false;
	for (i = 0; i < PEELED_MAX; i++) {
		b[i] = (struct burst){ self->c[i], 8, 0, 150 };
		ASSERT_EQ(0, pthread_create(&thread, NULL, send_burst_thread,
					    &b[i]));
		while (__atomic_load_n(&b[i].sent, __ATOMIC_RELAXED) < 20 * i)
			;
		ASSERT_EQ(0, peel(self, i));
		EXPECT_EQ(150, read_burst(self->server, self->own[i], 150));
		ASSERT_EQ(0, pthread_join(thread, NULL));
	}
}

/* The flood does not end while the server looks for what is of the client. */
TEST_F(server, a_flood_is_not_kept_when_a_client_is_peeled_off)
{
	unsigned int i, size = 0;
	socklen_t len = sizeof(size);
	size_t before;

	if (PATH == KDTLS_PATH_KERNEL)
		SKIP(return, "the kernel moves what is of the client");
	getsockopt(kdtls_server_fd(self->server), SOL_SOCKET, SO_RCVBUF, &size,
		   &len);
	begin_from(_metadata, self, "127.0.0.1", 4);
	UNTIL(established(self) == 4 && opened == 4);
	self->echo = false;
	/* They are empty, of one byte, and of one byte and put together. */
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(4, kdtls_send(self->c[i], "mine", 4));
		ASSERT_EQ(6, kdtls_send(self->c[3], "theirs", 6));
		before = heap_used;
		junk_left = 1000000;
		junk_merged = i == 2;
		junk_len = junk_merged ? 64 : i;
		ASSERT_EQ(0, peel(self, i));
		EXPECT_LT(500000, junk_left);
		junk_left = 0;
		EXPECT_GE(before + 2 * size + (2 << 20), heap_used)
			TH_LOG("%zu KiB", (heap_used - before) >> 10);
		EXPECT_EQ(4, kdtls_recv(self->own[i], self->last, RECORD));
		UNTIL(records == i + 1);
	}
	self->echo = true;
	exchange(_metadata, self);
}

/* What others have sent is read before that, and may be no more than so much. */
TEST_F(server, a_client_is_peeled_off_when_there_is_room_for_what_others_sent)
{
	size_t before;

	if (PATH == KDTLS_PATH_KERNEL)
		SKIP(return, "the kernel moves what is of the client");
	begin_from(_metadata, self, "127.0.0.1", 3);
	UNTIL(established(self) == 3 && opened == 3);
	self->echo = false;
	junk_left = 20;
	junk_len = 60000;
	ASSERT_EQ(6, kdtls_send(self->c[2], "theirs", 6));
	ASSERT_EQ(0, peel(self, 0));
	ASSERT_EQ(0, junk_left);
	ASSERT_EQ(6, kdtls_send(self->c[2], "theirs", 6));
	ASSERT_EQ(4, kdtls_send(self->c[1], "mine", 4));
	before = heap_used;
	EXPECT_EQ(-ENOBUFS, peel(self, 1));
	EXPECT_EQ(before, heap_used);
	/* Nothing is lost, and now there is room. */
	UNTIL(records == 3);
	EXPECT_EQ(0, peel(self, 1));
	self->echo = true;
	exchange(_metadata, self);
}

TEST_F(server, a_client_with_an_ipv6_address_is_peeled_off)
{
	unsigned int i;

	kdtls_server_close(self->server);
	start_server(_metadata, self, AF_INET6, "::1");
	for (i = 0; i < 3; i++)
		begin(_metadata, self, bound(AF_INET6, "::1", 0), i);
	UNTIL(established(self) == 3 && opened == 3);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, peel(self, i));
		EXPECT_EQ(PATH, kdtls_path(self->own[i], NULL));
		exchange(_metadata, self);
	}
	EXPECT_EQ(1, counters(self).clients);
}

/*
 * Send numbered records until killed, but fewer than the 64 of a window while a client is
 * peeled off.
 */
static void send_for_ever(struct kdtls_socket *s)
{
	useconds_t pause = rounds(1000, 5000);
	uint32_t i;

	for (i = 0;; i++) {
		kdtls_send(s, &i, sizeof(i));
		usleep(pause);
	}
}

/* Read records from both places, and note that each comes once. */
static void count_once(struct __test_metadata *_metadata,
		       struct _test_data_server *self, uint8_t *seen, size_t max)
{
	struct kdtls_message m[MESSAGES];
	uint32_t number;
	ssize_t n, i;

	while ((n = kdtls_server_recv(self->server, m, 5, 0)) > 0)
		for (i = 0; i < n; i++) {
			ASSERT_EQ(KDTLS_NEWS_DATA, m[i].news);
			memcpy(&number, m[i].data, sizeof(number));
			ASSERT_GT(max, number);
			ASSERT_EQ(0, seen[number]++);
		}
	while (self->own[0] && kdtls_recv(self->own[0], &number,
					  sizeof(number)) > 0) {
		ASSERT_GT(max, number);
		ASSERT_EQ(0, seen[number]++);
	}
}

TEST_F(server, a_client_is_peeled_off_while_it_sends)
{
	static uint8_t seen[100000];
	uint32_t last = 0, i;
	pid_t sender;

	memset(seen, 0, sizeof(seen));
	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 1 && opened == 1);
	self->echo = false;
	sender = fork();
	ASSERT_LE(0, sender);
	if (!sender)
		send_for_ever(self->c[0]);
	while (!seen[rounds(300, 100)])
		count_once(_metadata, self, seen, sizeof(seen));
	ASSERT_EQ(0, peel(self, 0));
	while (!seen[rounds(600, 200)])
		count_once(_metadata, self, seen, sizeof(seen));
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
	count_once(_metadata, self, seen, sizeof(seen));
	for (i = 0; i < sizeof(seen); i++)
		if (seen[i])
			last = i;
	for (i = 0; i <= last; i++)
		ASSERT_EQ(1, seen[i]) TH_LOG("record %u of %u", i, last);
	/* What the child has sent was not sent by this process. */
	forget(self, 0);
}

TEST_F(server, what_comes_to_the_server_for_a_peeled_client_is_passed_on)
{
	char got[16];
	int fd, old, i;

	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(established(self) == 2 && opened == 2);
	ASSERT_EQ(0, peel(self, 0));
	self->echo = false;
	/*
	 * The same association, from another port. The one before stays open, or an
	 * ICMP error would answer what the server's end still sends there.
	 */
	old = dup(kdtls_fd(self->c[0]));
	fd = bound(AF_INET, "127.0.0.2", 0);
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&self->at, self->at_len));
	dup2(fd, kdtls_fd(self->c[0]));
	close(fd);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(5, kdtls_send(self->c[0], "moved", 5));
		if (variant->cid_len)
			UNTIL(kdtls_recv(self->own[0], got, sizeof(got)) == 5);
	}
	wait_for(self, 50);
	EXPECT_EQ(-EAGAIN, kdtls_recv(self->own[0], got, sizeof(got)));
	EXPECT_EQ(0, records + closed);
	close(old);
	forget(self, 0);
}

TEST_F(server, a_peeled_client_that_starts_anew_is_a_client_of_the_server)
{
	struct kdtls_server_info before;
	unsigned int i;
	int fd;

	begin_own(_metadata, self, 2);
	UNTIL(established(self) == 2 && opened == 2);
	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(0, peel(self, 0));
		exchange(_metadata, self);
		before = counters(self);
		fd = kdtls_fd(self->own[0]);
		forget(self, 0);
		begin(_metadata, self, own_port(0), 0);
		/* turn() reads the socket, which is what the program has to do. */
		UNTIL(established(self) == 2 && opened == 2 + i);
		EXPECT_EQ(-KDTLS_ERESTARTED, kdtls_process(self->own[0]));
		EXPECT_EQ(0, recv(fd, self->last, 1, 0));
		kdtls_close(self->own[0]);
		self->own[0] = NULL;
		exchange(_metadata, self);
		EXPECT_EQ(before.clients + 1, counters(self).clients);
		EXPECT_EQ(i, counters(self).restarted);
		EXPECT_EQ(0, closed);
	}
}

TEST_F(server, what_is_in_the_clear_ends_no_new_start_of_a_peeled_client)
{
	if (!variant->cid_len)
		SKIP(return, "without connection IDs");
	be_patient(_metadata, self);
	begin_own(_metadata, self, 1);
	UNTIL(established(self) == 1 && opened == 1);
	ASSERT_EQ(0, peel(self, 0));
	exchange(_metadata, self);
	forge_beside(_metadata, self, variant->cid_len);
	EXPECT_EQ(-KDTLS_ERESTARTED, kdtls_process(self->own[0]));
}

TEST_F(server, what_an_engine_does_later_goes_on_in_the_socket_of_a_peeled_client)
{
	struct kdtls_engine *e;

	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(established(self) == 2 && opened == 2);
	ASSERT_EQ(0, peel(self, 0));
	e = kdtls_engine(self->own[0]);
	if (variant->version == DTLS_VERSION_1_3) {
		ASSERT_EQ(0, kdtls_engine_update_keys(e, false));
		kdtls_process(self->own[0]);
		wait_for(self, 50);
		exchange(_metadata, self);
		ASSERT_EQ(0, kdtls_engine_update_keys(kdtls_engine(self->c[0]), true));
		wait_for(self, 50);
		exchange(_metadata, self);
	}
	if (variant->version == DTLS_VERSION_1_3 && variant->cid_len) {
		ASSERT_EQ(0, kdtls_engine_give_cids(e, 1, true));
		kdtls_process(self->own[0]);
		wait_for(self, 50);
		exchange(_metadata, self);
	}
	exchange(_metadata, self);
}

/* The record layer of the client's socket has no memory for it. */
TEST_F(server, a_connection_id_that_is_refused_is_nobodys)
{
	struct kdtls_engine *e;
	uint64_t dropped;
	int fd;

	if (variant->version != DTLS_VERSION_1_3 || !variant->cid_len)
		SKIP(return, "without more connection IDs");
	if (PATH == KDTLS_PATH_KERNEL)
		SKIP(return, "the kernel drops what has an unknown connection ID");
	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 1 && opened == 1);
	ASSERT_EQ(0, peel(self, 0));
	e = kdtls_engine(self->own[0]);
	cid_denied = true;
	EXPECT_EQ(-KDTLS_ECALLBACK, kdtls_engine_give_cids(e, 1, true));
	cid_denied = false;
	dropped = counters(self).dropped;
	fd = elsewhere(_metadata, self);
	forge_alerts(fd, denied_cid, variant->cid_len);
	UNTIL(counters(self).dropped == dropped + 2);
	close(fd);
	ASSERT_EQ(0, kdtls_engine_give_cids(e, DTLS_CIDS_MAX, true));
	kdtls_process(self->own[0]);
	wait_for(self, 20);
	exchange(_metadata, self);
}

TEST_F(server, a_client_that_cannot_be_peeled_off_stays)
{
	struct rlimit files, none;
	struct kdtls_client *c;
	uint16_t port;
	int next;

	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(established(self) == 2 && opened == 2);
	/* No file is left. */
	next = next_file();
	getrlimit(RLIMIT_NOFILE, &files);
	none = files;
	none.rlim_cur = next;
	setrlimit(RLIMIT_NOFILE, &none);
	EXPECT_EQ(-EMFILE, peel(self, 0));
	setrlimit(RLIMIT_NOFILE, &files);
	EXPECT_EQ(next, next_file());
	exchange(_metadata, self);
	/* The client is starting anew. */
	half_open_on(_metadata, self, dup(kdtls_fd(self->c[0])));
	EXPECT_EQ(-EBUSY, peel(self, 0));
	exchange(_metadata, self);
	/* It is gone. */
	port = port_of(kdtls_fd(self->c[1]));
	c = client_at(self, port);
	free(kdtls_client_data(c));
	kdtls_client_close(c);
	EXPECT_EQ(-ENOTCONN, kdtls_client_peel(c, &self->own[0]));
	EXPECT_EQ(0, counters(self).peeled);
	forget(self, 1);
}

TEST_F(server, clients_of_a_wildcard_socket_are_peeled_off)
{
	struct sockaddr_in *at = (struct sockaddr_in *)&self->at;
	unsigned int i;

	kdtls_server_close(self->server);
	start_server(_metadata, self, AF_INET, "0.0.0.0");
	for (i = 0; i < 4; i++) {
		inet_pton(AF_INET, i % 2 ? "127.0.0.1" : "127.1.2.3",
			  &at->sin_addr);
		begin_from(_metadata, self, "127.0.0.1", 1);
	}
	UNTIL(established(self) == 4 && opened == 4);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, peel(self, i));
		exchange(_metadata, self);
	}
	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(established(self) == 6 && opened == 6);
	exchange(_metadata, self);
}

/* ---- hellos without a cookie ---- */

/* Let the server take early data, and clients keep the sessions that allow it. */
static void allow_early_data(struct __test_metadata *_metadata,
			     struct _test_data_server *self)
{
	self->config.max_early_data = 64;
	exchange_endpoint(self, another(_metadata, self, "0123456789abcdef",
					false));
	remember_sessions(_metadata, self);
}

static uint8_t ticket[sizeof(session)];
static size_t ticket_len;

/* Get a ticket, with a client that goes. */
static void get_ticket(struct __test_metadata *_metadata,
		       struct _test_data_server *self)
{
	unsigned int before = closed;

	begin(_metadata, self, bound(AF_INET, "127.0.0.9", 0), 0);
	UNTIL(established(self) == 1 && session_len);
	memcpy(ticket, session, session_len);
	ticket_len = session_len;
	kdtls_close(self->c[0]);
	self->c[0] = NULL;
	UNTIL(closed == before + 1);
}

/*
 * Let the client @i begin a handshake from @fd with the ticket, which is spent then, and
 * early data. The ticket stands in place of a cookie.
 */
static void begin_early(struct __test_metadata *_metadata,
			struct _test_data_server *self, int fd, unsigned int i)
{
	struct kdtls_socket_options options = {
		.path = KDTLS_PATH_USER,
		.session = ticket,
		.session_len = ticket_len,
		.early = (const uint8_t *)"soon",
		.early_len = 4,
	};

	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&self->at, self->at_len));
	ASSERT_EQ(-EINPROGRESS, kdtls_connect(self->client_ep, fd, &options, 0,
					      &self->c[i]));
	if (i >= self->clients)
		self->clients = i + 1;
	serve_next(self);
}

/* Let somebody who has a ticket send a hello with it as if from @fd, and no more. */
static void forge_early(struct __test_metadata *_metadata,
			struct _test_data_server *self, int fd)
{
	unsigned int i = self->clients;

	late = true;
	begin_early(_metadata, self, bound(AF_INET, "127.0.0.8", 0), i);
	forget(self, i);
	self->clients = i;
	ASSERT_LE(0, held.fd);
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&self->at, self->at_len));
	dup2(fd, held.fd);
	release();
	serve_next(self);
}

/*
 * Somebody sends a hello with a ticket from the address of a client that shakes hands:
 * once where nobody was before, and once beside an association.
 */
TEST_F(server, a_hello_without_a_cookie_displaces_no_handshake)
{
	int fd = bound(AF_INET, "127.0.0.1", 0);
	unsigned int round;

	if (variant->version == DTLS_VERSION_1_2)
		SKIP(return, "DTLS 1.2 has no early data");
	be_patient(_metadata, self);
	allow_early_data(_metadata, self);
	for (round = 0; round < 2; round++) {
		get_ticket(_metadata, self);
		if (round)
			establish_and_vanish(_metadata, self, fd);
		prove(_metadata, self, dup(fd), 0, false);
		forge_early(_metadata, self, fd);
		EXPECT_EQ(1, counters(self).half_open);
		UNTIL(established(self) == 1 && !counters(self).half_open);
		EXPECT_EQ(0, flights_resent(self));
		EXPECT_EQ(0, refused);
		exchange(_metadata, self);
		restart_server(_metadata, self);
		forget(self, 0);
		drain(fd);
	}
	close(fd);
}

TEST_F(server, a_cookie_displaces_a_hello_without_one)
{
	int fd = bound(AF_INET, "127.0.0.1", 0);
	unsigned int round;

	if (variant->version == DTLS_VERSION_1_2)
		SKIP(return, "DTLS 1.2 has no early data");
	be_patient(_metadata, self);
	allow_early_data(_metadata, self);
	for (round = 0; round < 2; round++) {
		get_ticket(_metadata, self);
		if (round)
			establish_and_vanish(_metadata, self, fd);
		forge_early(_metadata, self, fd);
		EXPECT_EQ(1, counters(self).half_open);
		drain(fd);
		begin(_metadata, self, dup(fd), 0);
		UNTIL(established(self) == 1 && !counters(self).half_open);
		EXPECT_EQ(0, flights_resent(self));
		EXPECT_EQ(0, refused);
		exchange(_metadata, self);
		restart_server(_metadata, self);
		forget(self, 0);
		drain(fd);
	}
	close(fd);
}

/* Its first hello is dropped, and its ticket spent. So the next one gets a cookie. */
TEST_F(server, a_client_starts_anew_with_early_data_in_the_midst_of_a_handshake)
{
	int fd = bound(AF_INET, "127.0.0.1", 0);

	if (variant->version == DTLS_VERSION_1_2)
		SKIP(return, "DTLS 1.2 has no early data");
	allow_early_data(_metadata, self);
	get_ticket(_metadata, self);
	half_open_on(_metadata, self, dup(fd));
	drain(fd);
	begin_early(_metadata, self, fd, 0);
	EXPECT_EQ(1, counters(self).half_open);
	UNTIL(established(self) == 1 && !counters(self).half_open);
	EXPECT_LT(0, flights_resent(self));
	exchange(_metadata, self);
}

static bool sessions_refused;

static int judge_session(void *ctx, const struct kdtls_resumption *session)
{
	(void)ctx;
	(void)session;
	return sessions_refused ? -1 : 0;
}

/*
 * Get a ticket that lets a hello in without a cookie, and that the server refuses in the
 * handshake, which asks for a cookie then.
 */
static void get_refused_ticket(struct __test_metadata *_metadata,
			       struct _test_data_server *self)
{
	be_patient(_metadata, self);
	allow_early_data(_metadata, self);
	self->config.ops.resume = judge_session;
	exchange_endpoint(self, another(_metadata, self, "0123456789abcdef",
					false));
	sessions_refused = false;
	get_ticket(_metadata, self);
	sessions_refused = true;
}

/* Let the client 0 begin from @fd with the ticket, and prove its address when asked to. */
static void prove_inside(struct __test_metadata *_metadata,
			 struct _test_data_server *self, int fd)
{
	begin_early(_metadata, self, fd, 0);
	await_input(kdtls_fd(self->c[0]), POLLIN);
	kdtls_process(self->c[0]);
	serve_next(self);
	ASSERT_EQ(0, refused);
}

/* The hello has a cookie, and comes only after that of another handshake from there. */
TEST_F(server, an_older_hello_ends_no_handshake_that_has_asked_for_a_cookie)
{
	int fd = bound(AF_INET, "127.0.0.1", 0);
	uint64_t replies;

	if (variant->version == DTLS_VERSION_1_2)
		SKIP(return, "DTLS 1.2 has no early data");
	get_refused_ticket(_metadata, self);
	replies = counters(self).replies;
	begin(_metadata, self, dup(fd), 0);
	while (counters(self).replies == replies)
		serve_next(self);
	await_input(fd, POLLIN);
	late = true;
	kdtls_process(self->c[0]);
	ASSERT_LE(0, held.fd);
	forget(self, 0);
	drain(fd);
	prove_inside(_metadata, self, dup(fd));
	release();
	serve_next(self);
	EXPECT_EQ(1, counters(self).half_open);
	UNTIL(opened == 2 || flights_resent(self));
	ASSERT_EQ(0, flights_resent(self));
	exchange(_metadata, self);
	close(fd);
}

/* ---- limits ---- */

TEST_F(server, a_handshake_without_a_cookie_makes_room_first)
{
	int fd = bound(AF_INET, "127.0.0.3", 0);

	if (variant->version == DTLS_VERSION_1_2)
		SKIP(return, "DTLS 1.2 has no early data");
	be_patient(_metadata, self);
	allow_early_data(_metadata, self);
	get_ticket(_metadata, self);
	self->options.max_half_open = 4;
	self->options.max_half_open_source = 4;
	restart_server(_metadata, self);
	/* The oldest handshake is that of a slow client. */
	prove(_metadata, self, bound(AF_INET, "127.0.0.2", 0), 0, false);
	half_open(_metadata, self, "127.0.0.1", 2);
	forge_early(_metadata, self, fd);
	EXPECT_EQ(4, counters(self).half_open);
	EXPECT_EQ(0, refused);
	half_open(_metadata, self, "127.0.0.1", 1);
	EXPECT_EQ(4, counters(self).half_open);
	EXPECT_EQ(1, counters(self).limited);
	EXPECT_EQ(1, refused);
	close(fd);
	UNTIL(established(self) == 1);
	EXPECT_EQ(0, flights_resent(self));
	exchange(_metadata, self);
}

TEST_F(server, a_handshake_that_has_asked_for_a_cookie_makes_room_in_its_turn)
{
	if (variant->version == DTLS_VERSION_1_2)
		SKIP(return, "DTLS 1.2 has no early data");
	get_refused_ticket(_metadata, self);
	self->options.max_half_open = 4;
	self->options.max_half_open_source = 4;
	restart_server(_metadata, self);
	self->clients = 1;
	half_open(_metadata, self, "127.0.0.2", 1);
	prove_inside(_metadata, self, bound(AF_INET, "127.0.0.3", 0));
	half_open(_metadata, self, "127.0.0.2", 3);
	EXPECT_EQ(4, counters(self).half_open);
	EXPECT_EQ(1, refused);
	UNTIL(opened == 2 || flights_resent(self));
	ASSERT_EQ(0, flights_resent(self));
	exchange(_metadata, self);
}

/* Neither one of its own source nor, if there is no room at all, one of another */
TEST_F(server, a_hello_without_a_cookie_takes_nobodys_room)
{
	unsigned int round;
	int fd;

	if (variant->version == DTLS_VERSION_1_2)
		SKIP(return, "DTLS 1.2 has no early data");
	allow_early_data(_metadata, self);
	for (round = 0; round < 2; round++) {
		get_ticket(_metadata, self);
		fd = bound(AF_INET, round ? "127.0.0.4" : "127.0.0.3", 0);
		self->options.max_half_open = 4 - round;
		self->options.max_half_open_source = 3;
		restart_server(_metadata, self);
		half_open(_metadata, self, "127.0.0.3", 3);
		begin_early(_metadata, self, fd, 0);
		EXPECT_EQ(3, counters(self).half_open);
		EXPECT_EQ(0, refused);
		EXPECT_EQ(1, counters(self).limited);
		/* The ticket is spent. So the next hello gets a cookie, and room. */
		UNTIL(established(self) == 1);
		EXPECT_EQ(1, refused);
		refused = 0;
		forget(self, 0);
	}
}

/* As the next hello with a cookie would end its handshake, of which nobody would tell it. */
TEST_F(server, the_last_room_is_for_hellos_with_a_cookie)
{
	if (variant->version == DTLS_VERSION_1_2)
		SKIP(return, "DTLS 1.2 has no early data");
	allow_early_data(_metadata, self);
	get_ticket(_metadata, self);
	self->options.max_half_open = 8;
	self->options.max_half_open_source = 8;
	restart_server(_metadata, self);
	half_open(_metadata, self, "127.0.0.3", 7);
	begin_early(_metadata, self, bound(AF_INET, "127.0.0.4", 0), 0);
	EXPECT_EQ(7, counters(self).half_open);
	EXPECT_EQ(1, counters(self).limited);
	UNTIL(established(self) == 1);
	EXPECT_EQ(0, refused);
	EXPECT_EQ(1, counters(self).limited);
	exchange(_metadata, self);
}

TEST_F(server, hellos_without_a_cookie_take_no_room_of_each_other)
{
	int fd = bound(AF_INET, "127.0.0.3", 0);
	uint8_t other[sizeof(ticket)];
	size_t other_len;

	if (variant->version == DTLS_VERSION_1_2)
		SKIP(return, "DTLS 1.2 has no early data");
	be_patient(_metadata, self);
	allow_early_data(_metadata, self);
	get_ticket(_metadata, self);
	memcpy(other, ticket, ticket_len);
	other_len = ticket_len;
	get_ticket(_metadata, self);
	self->options.max_half_open = 1;
	restart_server(_metadata, self);
	forge_early(_metadata, self, fd);
	EXPECT_EQ(1, counters(self).half_open);
	memcpy(ticket, other, other_len);
	ticket_len = other_len;
	begin_early(_metadata, self, bound(AF_INET, "127.0.0.4", 0), 0);
	EXPECT_EQ(1, counters(self).half_open);
	EXPECT_EQ(1, counters(self).limited);
	EXPECT_EQ(0, refused);
	/* Its next hello has a cookie. */
	UNTIL(established(self) == 1);
	EXPECT_EQ(1, refused);
	exchange(_metadata, self);
	close(fd);
}

TEST_F(server, the_oldest_handshake_makes_room)
{
	self->options.max_half_open = 16;
	self->options.max_half_open_source = 16;
	restart_server(_metadata, self);
	half_open(_metadata, self, "127.0.0.1", 40);
	EXPECT_EQ(16, counters(self).half_open);
	EXPECT_EQ(24, counters(self).limited);
	EXPECT_EQ(24, refused);
	EXPECT_EQ(-ENOBUFS, last_error);
	begin_from(_metadata, self, "127.0.0.2", 4);
	UNTIL(established(self) == 4);
	exchange(_metadata, self);
}

#define FLOOD_BYTES	(20 << 20)	/* of memory that half-open handshakes may take */

TEST_F(server, a_flood_of_half_open_handshakes_locks_nobody_out)
{
	unsigned int i, n = crowd(10000, 200);
	size_t before;
	int files;

	/* Less than half of the flood, and half of that for one source */
	self->options.max_half_open = n * 2 / 5;
	self->options.handshake_timeout = 1000 * 3600;
	restart_server(_metadata, self);
	files = next_file();
	before = heap_used;
	for (i = 0; i < n; i++)
		half_open_on(_metadata, self, own_port(i));
	EXPECT_GE(before + FLOOD_BYTES, heap_used);
	EXPECT_EQ(n / 5, counters(self).half_open);
	EXPECT_EQ(n - n / 5, counters(self).limited);
	EXPECT_EQ(files, next_file());
	TH_LOG("%zu KiB for %u handshakes", (heap_used - before) >> 10,
	       counters(self).half_open);
	be_patient(_metadata, self);
	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 1);
	EXPECT_GE(1, flights_resent(self));
	exchange(_metadata, self);
}

/* Send @count records from @fd whose key the server does not have yet. */
static void send_early(struct _test_data_server *self, int fd, uint16_t version,
		       unsigned int count)
{
	static const uint8_t header12[] = {
		23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 1000 >> 8, 1000 & 255,
	}, header13[] = { 0x2f, 0, 0, 1000 >> 8, 1000 & 255 };
	uint8_t data[sizeof(header12) + 1000] = { 0 };
	bool is_13 = version == DTLS_VERSION_1_3;
	size_t len = is_13 ? sizeof(header13) : sizeof(header12);
	unsigned int i;

	memcpy(data, is_13 ? header13 : header12, len);
	for (i = 0; i < count; i++) {
		__real_send(fd, data, len + 1000, 0);
		if (i % 20 == 19)
			serve(self);
	}
}

#define HELD_BYTES	(2 << 20)	/* half of 9 KiB for 200, half a MiB, and some more */

TEST_F(server, what_half_open_handshakes_hold_is_bounded_in_all)
{
	unsigned int i, n = rounds(100, 50);
	size_t before;
	int fd;

	be_patient(_metadata, self);
	self->options.max_half_open = 200;
	self->options.max_half_open_source = 200;
	self->options.handshake_timeout = 1000 * 3600;
	restart_server(_metadata, self);
	/* A slow client of another source, whose address is proved */
	begin_from(_metadata, self, "127.0.0.2", 1);
	while (!counters(self).half_open) {
		kdtls_process(self->c[0]);
		serve(self);
	}
	before = heap_used;
	for (i = 0; i < n; i++) {
		fd = own_port(i);
		half_open_on(_metadata, self, dup(fd));
		send_early(self, fd, variant->version, 60);
		close(fd);
	}
	EXPECT_GE(before + HELD_BYTES, heap_used);
	EXPECT_LT(0, counters(self).limited);
	EXPECT_LT(1, counters(self).half_open);
	UNTIL(established(self) == 1);
	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 2 && opened == 2);
	exchange(_metadata, self);
	/* What they held is free for others. */
	self->options.max_half_open = 0;
	restart_server(_metadata, self);
}

/* Let the server show a certificate, and clients ask for one. */
static void use_certificate(struct __test_metadata *_metadata,
			    struct _test_data_server *self)
{
	struct cert_options root_options = { .kind = CERT_P256, .ca = true };
	struct cert_options leaf_options = { .kind = CERT_P256, .name = "DNS:here" };
	struct cert root = { 0 }, leaf = { 0 };
	struct kdtls_endpoint *ep = NULL;

	cert_make(&root, &root_options);
	leaf_options.issuer = &root;
	cert_make(&leaf, &leaf_options);
	ASSERT_EQ(0, kdtls_endpoint_new(&self->config, &ep));
	ASSERT_EQ(0, kdtls_endpoint_use_certificate(ep, leaf.pem, strlen(leaf.pem),
						    leaf.key_pem,
						    strlen(leaf.key_pem)));
	exchange_endpoint(self, ep);
	kdtls_endpoint_free(self->client_ep);
	ASSERT_EQ(0, kdtls_endpoint_new(&self->config, &self->client_ep));
	ASSERT_EQ(0, kdtls_endpoint_trust(self->client_ep, root.pem,
					  strlen(root.pem)));
	self->name = "here";
	cert_free(&root);
	cert_free(&leaf);
}

/*
 * As many as one source may have, each with a flight of certificates to send; and then each
 * with records that came too early besides
 */
TEST_F(server, all_that_handshakes_of_a_source_take_is_bounded)
{
	unsigned int i, round, least, n = crowd(2100, 100);
	size_t before;
	int fd;

	use_certificate(_metadata, self);
	self->options.handshake_timeout = 1000 * 3600;
	for (round = 0; round < 2; round++) {
		restart_server(_metadata, self);
		before = heap_used;
		for (i = 0; i < n; i++) {
			fd = own_port(i);
			half_open_on(_metadata, self, dup(fd));
			send_early(self, fd, variant->version, 6 * round);
			serve(self);
			close(fd);
		}
		EXPECT_GE(before + FLOOD_BYTES, heap_used);
		TH_LOG("%zu KiB for %u handshakes", (heap_used - before) >> 10,
		       counters(self).half_open);
		/* No more of them end than have to. */
		least = round ? 500 : 2048;
		EXPECT_LE(n < least ? n : least, counters(self).half_open);
	}
}

/* Each handshake is to replace an association, whose keys do not open the records. */
TEST_F(server, what_clients_that_start_anew_hold_is_bounded_in_all)
{
	unsigned int i, n = rounds(100, 50);
	size_t before;
	int fd[100];

	self->options.max_half_open = 200;
	self->options.max_half_open_source = 200;
	self->options.handshake_timeout = 1000 * 3600;
	restart_server(_metadata, self);
	for (i = 0; i < n; i++) {
		fd[i] = own_port(i);
		establish_and_vanish(_metadata, self, fd[i]);
	}
	before = heap_used;
	for (i = 0; i < n; i++) {
		half_open_on(_metadata, self, dup(fd[i]));
		send_early(self, fd[i], variant->version, 60);
		close(fd[i]);
	}
	EXPECT_GE(before + HELD_BYTES, heap_used)
		TH_LOG("%zu KiB", (heap_used - before) >> 10);
	/* The kernel itself drops records that no key opens. */
	if (PATH == KDTLS_PATH_USER)
		EXPECT_LT(0, counters(self).limited);
	EXPECT_LT(1, counters(self).half_open);
	EXPECT_EQ(0, closed);
}

#define RESTARTS	512	/* handshakes of one address */
#define SEGMENTS	64	/* datagrams in one call; see UDP_SEGMENT in udp(7) */
#define RESTARTS_BYTES	(1 << 20)	/* of memory that they may take at once */

/*
 * Gather the hellos with a cookie of @n handshakes that begin from @fd, which are equally
 * long. The caller frees them. Set @len to the bytes of each.
 */
static uint8_t *gather_hellos(struct __test_metadata *_metadata,
			      struct _test_data_server *self, int fd, unsigned int n,
			      size_t *len)
{
	uint8_t *hellos = malloc(n * RECORD);
	unsigned int i, slot = self->clients;
	uint64_t replies;

	gathered_len = 0;
	for (i = 0; i < n; i++) {
		replies = counters(self).replies;
		begin(_metadata, self, dup(fd), slot);
		while (counters(self).replies == replies)
			serve(self);
		await_input(fd, POLLIN);
		gathered = hellos;
		kdtls_process(self->c[slot]);
		gathered = NULL;
		forget(self, slot);
		self->clients = slot;
		ASSERT_LT(0, gathered_len);
		ASSERT_EQ(0, gathered_len % (i + 1));
	}
	*len = gathered_len / n;
	return hellos;
}

/* Send @n datagrams of @len bytes from @fd, as few as UDP_SEGMENT can make of them. */
static void send_segments(struct __test_metadata *_metadata, int fd,
			  const uint8_t *data, size_t len, unsigned int n)
{
	int segment = len;
	unsigned int now;

	ASSERT_EQ(0, setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)));
	for (; n; n -= now, data += now * len) {
		now = n < SEGMENTS ? n : SEGMENTS;
		ASSERT_EQ(now * len, __real_send(fd, data, now * len, 0));
	}
	segment = 0;
	setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment));
}

/*
 * A client has proven its address for many handshakes, and begins them all before the
 * server's next call. With UDP_GRO a call takes thousands of hellos.
 */
TEST_F(server, handshakes_that_were_begun_anew_are_freed_within_a_call)
{
	int fd = bound(AF_INET, "127.0.0.3", 0), room = 4 << 20;
	unsigned int n = rounds(RESTARTS, RESTARTS / 2);
	size_t before, len;
	uint8_t *hellos;

	be_patient(_metadata, self);
	self->options.max_half_open = 64;
	restart_server(_metadata, self);
	setsockopt(kdtls_server_fd(self->server), SOL_SOCKET, SO_RCVBUF, &room,
		   sizeof(room));
	hellos = gather_hellos(_metadata, self, fd, n, &len);
	send_segments(_metadata, fd, hellos, len, n);
	before = heap_used;
	heap_peak = heap_used;
	singles = 0;
	serve_next(self);
	while (!kdtls_server_timeout(self->server))
		serve(self);
	EXPECT_GE(before + RESTARTS_BYTES, heap_peak)
		TH_LOG("%zu KiB", (heap_peak - before) >> 10);
	/* Each of them was begun; the kernel may have dropped strangers' datagrams. */
	EXPECT_LE(PATH == KDTLS_PATH_USER ? n : SEGMENTS, singles);
	EXPECT_EQ(1, counters(self).half_open);
	free(hellos);
	close(fd);
}

/* Its socket receives while nobody calls the server's function. */
TEST_F(server, handshakes_begun_anew_on_a_peeled_clients_socket_are_bounded)
{
	unsigned int n = rounds(RESTARTS / 2, RESTARTS / 4);
	int fd, room = 4 << 20;
	size_t before, len;
	uint64_t dropped;
	uint8_t *hellos;
	unsigned int i;
	char got[16];

	if (PATH == KDTLS_PATH_KERNEL)
		SKIP(return, "the kernel keeps few datagrams that it cannot open");
	be_patient(_metadata, self);
	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 1 && opened == 1);
	ASSERT_EQ(0, peel(self, 0));
	fd = dup(kdtls_fd(self->c[0]));
	forget(self, 0);
	setsockopt(kdtls_fd(self->own[0]), SOL_SOCKET, SO_RCVBUF, &room,
		   sizeof(room));
	hellos = gather_hellos(_metadata, self, fd, n, &len);
	send_segments(_metadata, fd, hellos, len, n);
	before = heap_used;
	heap_peak = heap_used;
	dropped = counters(self).dropped;
	await_input(kdtls_fd(self->own[0]), POLLIN);
	for (i = 0; i < n; i++)
		kdtls_recv(self->own[0], got, sizeof(got));
	EXPECT_GE(before + RESTARTS_BYTES, heap_peak)
		TH_LOG("%zu KiB", (heap_peak - before) >> 10);
	EXPECT_LT(dropped, counters(self).dropped);
	EXPECT_EQ(0, kdtls_server_timeout(self->server));
	serve(self);
	EXPECT_EQ(1, counters(self).half_open);
	free(hellos);
	close(fd);
}

TEST_F(server, one_source_takes_no_more_than_its_share)
{
	self->options.max_half_open = 8;
	restart_server(_metadata, self);
	half_open(_metadata, self, "127.0.0.2", 4);
	/* However many come, those of the other source stay. */
	half_open(_metadata, self, "127.0.0.1", 40);
	EXPECT_EQ(8, counters(self).half_open);
	EXPECT_EQ(36, refused);
	self->options.max_half_open = 0;
}

TEST_F(server, a_source_has_so_many_clients_at_most)
{
	self->options.max_clients_source = 3;
	restart_server(_metadata, self);
	begin_from(_metadata, self, "127.0.0.1", 3);
	UNTIL(established(self) == 3);
	begin_from(_metadata, self, "127.0.0.1", 1);
	begin_from(_metadata, self, "127.0.0.2", 3);
	UNTIL(established(self) == 6);
	wait_for(self, 50);
	EXPECT_EQ(6, established(self));
	EXPECT_EQ(6, counters(self).clients);
	EXPECT_LT(0, counters(self).limited);
	/* The place of one that goes is the next one's. */
	kdtls_close(self->c[0]);
	self->c[0] = NULL;
	UNTIL(established(self) == 6);
}

TEST_F(server, there_are_so_many_clients_at_most)
{
	self->options.max_clients = 5;
	restart_server(_metadata, self);
	begin_from(_metadata, self, "127.0.0.1", 5);
	UNTIL(established(self) == 5);
	begin_from(_metadata, self, "127.0.0.2", 2);
	wait_for(self, 100);
	EXPECT_EQ(5, established(self));
	EXPECT_EQ(5, counters(self).clients);
	forget(self, 6);
	forget(self, 5);
	self->clients = 5;
	exchange(_metadata, self);
}

TEST_F(server, a_handshake_that_begins_anew_takes_its_own_room)
{
	int fd = bound(AF_INET, "127.0.0.1", 0);
	unsigned int i;

	be_patient(_metadata, self);
	self->options.max_half_open = 2;
	self->options.max_half_open_source = 2;
	restart_server(_metadata, self);
	/* The oldest handshake is that of a slow client. */
	prove(_metadata, self, bound(AF_INET, "127.0.0.2", 0), 0, false);
	for (i = 0; i < 3; i++)
		half_open_on(_metadata, self, dup(fd));
	close(fd);
	EXPECT_EQ(2, counters(self).half_open);
	ASSERT_EQ(0, counters(self).limited);
	UNTIL(established(self) == 1);
	EXPECT_EQ(0, flights_resent(self));
	exchange(_metadata, self);
}

/* All of them do it at once, and there is no place but theirs. */
TEST_F(server, clients_that_start_anew_take_their_own_places)
{
	unsigned int i, round;

	for (round = 0; round < 2; round++) {
		self->options.max_clients = round ? 0 : 3;
		self->options.max_clients_source = round ? 3 : 0;
		restart_server(_metadata, self);
		opened = 0;
		closed = 0;
		begin_own(_metadata, self, 3);
		UNTIL(established(self) == 3 && opened == 3);
		for (i = 0; i < 3; i++) {
			forget(self, i);
			begin(_metadata, self, own_port(i), i);
		}
		UNTIL((opened == 6 && closed == 3) || counters(self).limited);
		ASSERT_EQ(0, counters(self).limited) TH_LOG("%s", state_of(self));
		EXPECT_EQ(-KDTLS_ERESTARTED, last_error);
		EXPECT_EQ(3, counters(self).clients);
		exchange(_metadata, self);
		for (i = 0; i < 3; i++)
			kdtls_close(self->c[i]);
		self->clients = 0;
	}
}

/* Not even the last one, which a slow client wants. */
TEST_F(server, who_ends_no_handshake_takes_nobodys_place)
{
	be_patient(_metadata, self);
	self->options.max_clients = 8;
	self->options.handshake_timeout = 1000 * 3600;
	restart_server(_metadata, self);
	begin_from(_metadata, self, "127.0.0.1", 7);
	UNTIL(established(self) == 7 && opened == 7);
	prove(_metadata, self, bound(AF_INET, "127.0.0.2", 0), 7, false);
	half_open(_metadata, self, "127.0.0.3", 40);
	ASSERT_EQ(0, refused);
	UNTIL(established(self) == 8 && opened == 8);
	exchange(_metadata, self);
}

TEST_F(server, of_two_handshakes_one_gets_the_last_place)
{
	self->options.max_clients = 1;
	restart_server(_metadata, self);
	prove(_metadata, self, bound(AF_INET, "127.0.0.1", 0), 0, false);
	prove(_metadata, self, bound(AF_INET, "127.0.0.2", 0), 1, false);
	UNTIL(opened + refused == 2);
	EXPECT_EQ(1, opened);
	EXPECT_EQ(1, counters(self).clients);
	EXPECT_EQ(1, counters(self).limited);
	EXPECT_EQ(-ENOBUFS, last_error);
}

/* No limit of the server counts a client that has a socket of its own. */
TEST_F(server, a_peeled_client_leaves_its_place_to_another)
{
	unsigned int i;

	self->options.max_clients = 2;
	restart_server(_metadata, self);
	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(established(self) == 2 && opened == 2);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, peel(self, i));
	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(opened == 4 || refused);
	ASSERT_EQ(0, refused) TH_LOG("%s", state_of(self));
	exchange(_metadata, self);
}

/* UINT32_MAX is how a program says that there is no limit. */
TEST_F(server, the_largest_limits_let_clients_in)
{
	struct kdtls_server_options *o = &self->options, before = *o;
	uint32_t *const limits[] = {
		&o->max_clients, &o->max_half_open, &o->max_clients_source,
		&o->max_half_open_source, &o->handshake_timeout,
		&o->idle_timeout,
	};
	unsigned int i, n = sizeof(limits) / sizeof(limits[0]);

	/* Each by itself, and then all of them. */
	for (i = 0; i < 2 * n; i++) {
		*limits[i % n] = UINT32_MAX;
		if (i >= n && i < 2 * n - 1)
			continue;
		restart_server(_metadata, self);
		begin_from(_metadata, self, "127.0.0.1", 2);
		UNTIL(established(self) == 2);
		exchange(_metadata, self);
		kdtls_close(self->c[0]);
		kdtls_close(self->c[1]);
		self->clients = 0;
		if (i < n)
			*o = before;
	}
}

/* The hello of one client more comes again, when there is room. */
TEST_F(server, an_endpoint_at_its_limit_sends_no_alert)
{
	kdtls_server_close(self->server);
	kdtls_endpoint_free(self->server_ep);
	self->config.max_handshakes = 1;
	ASSERT_EQ(0, kdtls_endpoint_new(&self->config, &self->server_ep));
	ASSERT_EQ(0, kdtls_use_psk(self->server_ep, "me", "0123456789abcdef",
				   16));
	start_server(_metadata, self, AF_INET, "127.0.0.1");
	half_open(_metadata, self, "127.0.0.2", 1);
	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(counters(self).limited);
	wait_for(self, 50);
	EXPECT_EQ(-EINPROGRESS, kdtls_process(self->c[0]));
	EXPECT_EQ(1, counters(self).half_open);
	EXPECT_EQ(0, counters(self).refused);
}

TEST_F(server, a_handshake_that_takes_too_long_is_given_up)
{
	self->options.handshake_timeout = 300;
	restart_server(_metadata, self);
	/* On a slow machine the first one is given up before the last one begins. */
	half_open(_metadata, self, "127.0.0.1", 5);
	UNTIL(refused == 5);
	EXPECT_EQ(-ETIMEDOUT, last_error);
	EXPECT_EQ(0, counters(self).clients);
	EXPECT_EQ(-1, kdtls_server_timeout(self->server));
}

/* ---- strangers ---- */

TEST_F(server, a_flood_of_strangers_costs_no_memory)
{
	int fd, i, total = rounds(20000, 2000);
	uint8_t junk[64] = { 0 };
	size_t before;

	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(established(self) == 2 && opened == 2);
	exchange(_metadata, self);
	fd = bound(AF_INET, "127.0.0.3", 0);
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&self->at, self->at_len));
	before = heap_used;
	for (i = 0; i < total; i++) {
		/* Records of every kind, with connection IDs or without */
		junk[0] = i % 4 ? 20 + i % 8 : 0x20 + i % 32;
		junk[1] = 0xfe;
		junk[2] = 0xfd;
		junk[4] = i % 3;
		junk[12] = sizeof(junk) - 13;
		memcpy(junk + 13, &i, sizeof(i));
		__real_send(fd, junk, sizeof(junk), 0);
		if (i % 64 == 0)
			serve(self);
	}
	serve(self);
	/* The kernel drops most of it, and what is no DTLS, by itself. */
	EXPECT_LT(PATH == KDTLS_PATH_USER ? total / 2 : 0,
		  (int)counters(self).dropped);
	EXPECT_GE(before + 4096, heap_used);
	exchange(_metadata, self);
	EXPECT_EQ(0, closed + refused);
	close(fd);
}

/* Return the checksum of @len bytes (RFC 1071). */
static uint16_t checksum(const void *data, size_t len)
{
	const uint16_t *p = data;
	uint32_t sum = 0;

	for (; len > 1; len -= 2)
		sum += *p++;
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~(sum + (sum >> 16));
}

/* Send an ICMP error about a datagram from @from to @to, which nobody has sent. */
static ssize_t send_unreachable(int fd, uint8_t code, const struct sockaddr_in *from,
				const struct sockaddr_in *to)
{
	struct {
		struct icmphdr icmp;
		struct iphdr ip;
		struct udphdr udp;
	} e = {
		.icmp = { .type = ICMP_DEST_UNREACH, .code = code },
		.ip = {
			.version = 4, .ihl = 5, .ttl = 64,
			.protocol = IPPROTO_UDP, .tot_len = htons(100),
			.saddr = from->sin_addr.s_addr,
			.daddr = to->sin_addr.s_addr,
		},
		.udp = { .source = from->sin_port, .dest = to->sin_port,
			 .len = htons(80) },
	};

	e.icmp.checksum = checksum(&e, sizeof(e));
	return sendto(fd, &e, sizeof(e), 0, (struct sockaddr *)from,
		      sizeof(*from));
}

/* Errors that the network tells of end nothing, whatever the program asks to be told. */
TEST_F(server, icmp_errors_do_not_end_the_server)
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), on = 1, n = 0;
	struct sockaddr_in at, other = { .sin_family = AF_INET };
	struct kdtls_message m[1];
	uint8_t code;

	if (fd < 0)
		SKIP(return, "only root may send ICMP errors");
	memcpy(&at, &self->at, sizeof(at));
	other.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	other.sin_port = htons(9);
	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 1 && opened == 1);
	ASSERT_EQ(0, setsockopt(kdtls_server_fd(self->server), SOL_IP, IP_RECVERR,
				&on, sizeof(on)));
	for (code = 0; code <= NR_ICMP_UNREACH; code++) {
		/* This one is about the length of datagrams. */
		if (code == ICMP_FRAG_NEEDED)
			continue;
		ASSERT_LT(0, send_unreachable(fd, code, &at, &other));
		ASSERT_EQ(-EAGAIN, kdtls_server_recv(self->server, m, 1, 0))
			TH_LOG("%u", code);
		/* Nor are they about what is sent to others. */
		ASSERT_LT(0, send_unreachable(fd, code, &at, &other));
		m[0] = (struct kdtls_message){
			.client = kdtls_server_next(self->server, NULL),
			.data = "hello", .len = 5,
		};
		ASSERT_EQ(1, kdtls_server_send(self->server, m, 1));
		ASSERT_EQ(0, m[0].error) TH_LOG("%u", code);
		UNTIL(kdtls_recv(self->c[0], self->last, 5) == 5);
		while (recv(kdtls_server_fd(self->server), self->last, 1,
			    MSG_ERRQUEUE | MSG_DONTWAIT) >= 0)
			n++;
	}
	EXPECT_LT(20, n);
	exchange(_metadata, self);
	close(fd);
}

TEST_F(server, forgeries_for_a_client_change_nothing)
{
	uint8_t junk[64] = { 23, 0xfe, 0xfd, 0, 1 };
	int raw, i;

	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(established(self) == 2 && opened == 2);
	/* From the very address of a client */
	raw = dup(kdtls_fd(self->c[0]));
	for (i = 0; i < 500; i++) {
		junk[0] = variant->version == DTLS_VERSION_1_3 ? 0x2f : 23;
		junk[12] = sizeof(junk) - 13;
		memcpy(junk + 20, &i, sizeof(i));
		__real_send(raw, junk, sizeof(junk), 0);
		if (i % 32 == 0)
			serve(self);
	}
	serve(self);
	records = 0;
	exchange(_metadata, self);
	EXPECT_EQ(0, closed + refused);
	close(raw);
}

/* ---- addresses ---- */

TEST_F(server, a_wildcard_socket_answers_from_the_address_written_to)
{
	static const char *const local[] = {
		"127.0.0.1", "127.0.0.2", "127.1.2.3", "127.255.0.9",
	};
	struct sockaddr_in *at = (struct sockaddr_in *)&self->at;
	unsigned int i;

	kdtls_server_close(self->server);
	start_server(_metadata, self, AF_INET, "0.0.0.0");
	for (i = 0; i < 4; i++) {
		/* A connected socket takes nothing from another address. */
		inet_pton(AF_INET, local[i], &at->sin_addr);
		begin_from(_metadata, self, "127.0.0.1", 1);
	}
	UNTIL(established(self) == 4);
	exchange(_metadata, self);
}

TEST_F(server, one_socket_serves_both_families)
{
	struct sockaddr_in6 *at = (struct sockaddr_in6 *)&self->at;
	struct sockaddr_in at4 = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_in6 peer;
	socklen_t len = sizeof(peer);

	kdtls_server_close(self->server);
	/* The kernel does not serve both on one socket: the library does. */
	self->options.path = KDTLS_PATH_AUTO;
	start_server(_metadata, self, AF_INET6, "::");
	EXPECT_EQ(KDTLS_PATH_USER, kdtls_server_path(self->server, NULL));
	at4.sin_port = at->sin6_port;
	at->sin6_addr = in6addr_loopback;
	begin(_metadata, self, bound(AF_INET6, "::1", 0), 0);
	memcpy(&self->at, &at4, sizeof(at4));
	self->at_len = sizeof(at4);
	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 2 && opened == 2);
	exchange(_metadata, self);
	kdtls_client_address(self->kept.client, (struct sockaddr *)&peer, &len);
	EXPECT_EQ(AF_INET6, peer.sin6_family);
	EXPECT_EQ(sizeof(peer), len);
	ASSERT_EQ(0, peel(self, 0));
	ASSERT_EQ(0, peel(self, 1));
	exchange(_metadata, self);
}

TEST_F(server, a_socket_that_cannot_serve_is_refused)
{
	struct kdtls_server *server;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int tcp = socket(AF_INET, SOCK_STREAM, 0);

	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_server_new(self->server_ep, fd, NULL,
						  &server));
	EXPECT_EQ(-KDTLS_ENOTUDP, kdtls_server_new(self->server_ep, tcp, NULL,
						   &server));
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&self->at, self->at_len));
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_server_new(self->server_ep, fd, NULL,
						  &server));
	close(fd);
	close(tcp);
}

#ifndef KERNEL_PATH
/* Serve on a port below 1024, as somebody who may not bind to it, until killed. */
static void serve_low(struct _test_data_server *self, int fd)
{
	struct kdtls_message m[MESSAGES];
	ssize_t n;

	if (setuid(65534) || !setuid(0) ||
	    kdtls_server_new(self->server_ep, fd, &self->options, &self->server))
		_exit(1);
	while ((n = kdtls_server_recv(self->server, m, MESSAGES, -1)) > 0)
		kdtls_server_send(self->server, m, n);
	_exit(1);
}

TEST_F(server, a_low_port_is_served_without_privileges)
{
	struct kdtls_socket_options options = { .path = KDTLS_PATH_USER };
	char got[16];
	pid_t child;
	int i, fd;

	if (getuid())
		SKIP(return, "only root binds to a port below 1024");
	fd = own_socket(443);
	self->at_len = sizeof(self->at);
	getsockname(fd, (struct sockaddr *)&self->at, &self->at_len);
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		serve_low(self, fd);
	close(fd);
	for (i = 0; i < 3; i++) {
		fd = bound(AF_INET, "127.0.0.1", 0);
		fcntl(fd, F_SETFL, 0);
		ASSERT_EQ(0, connect(fd, (struct sockaddr *)&self->at,
				     self->at_len));
		ASSERT_EQ(0, kdtls_connect(self->client_ep, fd, &options, 60000,
					   &self->c[i]));
		self->clients = i + 1;
		ASSERT_EQ(5, kdtls_send(self->c[i], "hello", 5));
		ASSERT_EQ(5, kdtls_recv(self->c[i], got, sizeof(got)));
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}
#endif

/* ---- several endpoints ---- */

TEST_F(server, keys_are_exchanged_while_it_serves)
{
	begin_from(_metadata, self, "127.0.0.1", 3);
	UNTIL(established(self) == 3 && opened == 3);
	exchange_endpoint(self, another(_metadata, self, "fedcba9876543210",
					false));
	/* Those that are there go on; nobody new has the new key. */
	exchange(_metadata, self);
	begin_from(_metadata, self, "127.0.0.1", 1);
	wait_for(self, 500);
	EXPECT_EQ(3, established(self));
	EXPECT_EQ(3, opened);
	forget(self, 3);
	self->clients = 3;
	exchange_endpoint(self, another(_metadata, self, "0123456789abcdef",
					false));
	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 4);
	exchange(_metadata, self);
}

TEST_F(server, a_cookie_is_good_at_another_endpoint_with_the_secret)
{
	uint64_t replies;
	unsigned int i;

	exchange_endpoint(self, another(_metadata, self, "0123456789abcdef",
					true));
	begin_from(_metadata, self, "127.0.0.1", 5);
	for (i = 0; i < 1000 && counters(self).replies < 5; i++)
		serve(self);
	replies = counters(self).replies;
	EXPECT_EQ(5, replies);
	exchange_endpoint(self, another(_metadata, self, "0123456789abcdef",
					true));
	UNTIL(established(self) == 5);
	EXPECT_EQ(replies, counters(self).replies);
}

TEST_F(server, a_session_is_resumed_by_another_endpoint_with_the_secret)
{
	struct kdtls_info info;

	remember_sessions(_metadata, self);
	exchange_endpoint(self, another(_metadata, self, "0123456789abcdef",
					true));
	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 1 && session_len);
	exchange_endpoint(self, another(_metadata, self, "0123456789abcdef",
					true));
	resume(_metadata, self, bound(AF_INET, "127.0.0.1", 0), 1);
	UNTIL(established(self) == 2);
	kdtls_engine_info(kdtls_engine(self->c[1]), &info);
	EXPECT_EQ(1, info.resumed);
	exchange(_metadata, self);
}

TEST_F(server, endpoints_with_a_secret_take_no_early_data)
{
	struct kdtls_endpoint *ep;

	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_endpoint_use_secret(self->server_ep,
							   secret, 16));
	self->config.max_early_data = 64;
	ep = another(_metadata, self, "0123456789abcdef", false);
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_endpoint_use_secret(ep, secret,
							   sizeof(secret)));
	kdtls_endpoint_free(ep);
	/* Nor may the keys change under cookies that were given out. */
	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 1);
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_endpoint_use_secret(self->server_ep,
							   secret,
							   sizeof(secret)));
}

/* Return how often @len bytes at @wanted are between two addresses. */
static unsigned int count_between(unsigned long from, unsigned long to,
				  const void *wanted, size_t len)
{
	unsigned int count = 0;
	const char *p;

	for (p = (const char *)from; p + len <= (const char *)to; p++)
		count += !memcmp(p, wanted, len);
	return count;
}

/* Return how often @len bytes at @wanted are in the heap, which has more parts after a fork. */
static unsigned int count_in_heap(const void *wanted, size_t len)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long from, to;
	unsigned int count = 0;
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "[heap]") &&
		    sscanf(line, "%lx-%lx", &from, &to) == 2)
			count += count_between(from, to, wanted, len);
	if (f)
		fclose(f);
	return count;
}

#define MARK	64			/* the place of a mark in a record */

/* Let the client 0 send a record with a mark that is nowhere else in the heap. */
static void send_mark(struct __test_metadata *_metadata,
		      struct _test_data_server *self)
{
	char data[MARK + sizeof(secret)] = "";

	memcpy(data + MARK, secret, sizeof(secret));
	ASSERT_EQ((ssize_t)sizeof(data),
		  kdtls_send(self->c[0], data, sizeof(data)));
}

TEST_F(server, what_the_program_does_not_get_is_wiped)
{
	self->options.half_close = true;
	self->echo = false;
	/* The memory of a second server is in the heap, and was used before. */
	restart_server(_metadata, self);
	begin_from(_metadata, self, "127.0.0.1", 2);
	UNTIL(established(self) == 2 && opened == 2);
	send_mark(_metadata, self);
	UNTIL(records == 1);
	kdtls_send(self->c[0], "x", 1);
	UNTIL(records == 2);
	EXPECT_EQ(0, count_in_heap(secret, sizeof(secret)));
	/* A record does not verify. */
	late = true;
	send_mark(_metadata, self);
	held.data[held.len - 1] ^= 1;
	release();
	kdtls_send(self->c[0], "x", 1);
	UNTIL(records == 3);
	EXPECT_EQ(0, count_in_heap(secret, sizeof(secret)));
	/* A record comes behind a goodbye. */
	late = true;
	send_mark(_metadata, self);
	kdtls_shutdown(self->c[0]);
	UNTIL(goodbyes == 1);
	release();
	kdtls_send(self->c[1], "x", 1);
	UNTIL(records == 4);
	EXPECT_EQ(0, count_in_heap(secret, sizeof(secret)));
}

TEST(an_endpoint_keeps_no_copy_of_the_secret)
{
	struct kdtls_endpoint *ep;
	struct kdtls_config c;
	char *copy;

	kdtls_socket_config(&c);
	ASSERT_EQ(0, kdtls_endpoint_new(&c, &ep));
	copy = malloc(sizeof(secret));
	/* What the compiler does not see to be used may be left out. */
	memcpy(copy, secret, sizeof(secret));
	__asm__ volatile("" : : "r" (copy) : "memory");
	EXPECT_EQ(1, count_in_heap(secret, sizeof(secret)));
	memset(copy, 0, sizeof(secret));
	__asm__ volatile("" : : "r" (copy) : "memory");
	ASSERT_EQ(0, kdtls_endpoint_use_secret(ep, secret, sizeof(secret)));
	EXPECT_EQ(0, count_in_heap(secret, sizeof(secret)));
	kdtls_endpoint_free(ep);
	free(copy);
}

/*
 * Take a turn by a file that is nobody else's, and give @ep the secret. Return the turn, and
 * set @file to what the file holds of the secret, as do the turn and @ep.
 */
static struct kdtls_turn *take_turn(struct __test_metadata *_metadata,
				    struct kdtls_endpoint *ep,
				    struct dtls_secret *file)
{
	char name[] = "/tmp/server.XXXXXX";
	struct kdtls_turn *turn = NULL;
	int fd = mkstemp(name);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, kdtls_turn_take(name, &turn));
	unlink(name);
	ASSERT_NE(NULL, turn);
	ASSERT_EQ(0, kdtls_turn_use_secret(turn, ep));
	ASSERT_EQ(sizeof(*file), pread(fd, file, sizeof(*file), 0));
	close(fd);
	return turn;
}

/* The time of an endpoint, and how often the endpoint has asked for it */
static int64_t clock_time;
static unsigned int clock_asked;

static int64_t ask_clock(void *ctx)
{
	(void)ctx;
	clock_asked++;
	return clock_time;
}

/* The older one of two processes on a port gets no hello, and so uses no key of tickets. */
TEST_F(server, an_idle_server_with_a_turn_forgets_the_secret_of_the_past)
{
	struct kdtls_server_options options = self->options;
	struct dtls_secret file;
	uint8_t *leaf = file.tickets.leaf;

	self->config.ops.unix_time = ask_clock;
	exchange_endpoint(self, another(_metadata, self, "0123456789abcdef",
					false));
	options.turn = take_turn(_metadata, self->server_ep, &file);
	kdtls_server_close(self->server);
	self->server = NULL;
	ASSERT_EQ(0, kdtls_server_on(self->server_ep, "127.0.0.1", "0", &options,
				     &self->server));
	/* There is nothing to forget in 1970. The turn has a copy, and the clock of time(2). */
	clock_time = 0;
	clock_asked = 0;
	EXPECT_EQ(2, count_in_heap(leaf, sizeof(file.tickets.leaf)));
	UNTIL(clock_asked);
	EXPECT_EQ(2, count_in_heap(leaf, sizeof(file.tickets.leaf)));
	clock_time = time(NULL);
	UNTIL(count_in_heap(leaf, sizeof(file.tickets.leaf)) == 1);
	kdtls_server_close(self->server);
	self->server = NULL;
	kdtls_turn_end(options.turn);
	EXPECT_EQ(0, count_in_heap(leaf, sizeof(file.tickets.leaf)));
}

/* The clients of an endpoint that was exchanged may stay for weeks. */
TEST_F(server, a_freed_endpoint_leaves_no_secret_to_its_clients)
{
	struct kdtls_endpoint *ep;
	struct dtls_secret file;
	uint8_t *right = file.tickets.right[0];

	ep = another(_metadata, self, "0123456789abcdef", false);
	kdtls_turn_end(take_turn(_metadata, ep, &file));
	exchange_endpoint(self, ep);
	begin_from(_metadata, self, "127.0.0.1", 1);
	UNTIL(established(self) == 1 && opened == 1);
	/* This node yields keys of the far future, which no endpoint has forgotten yet. */
	EXPECT_EQ(1, count_in_heap(right, sizeof(file.tickets.right[0])));
	exchange_endpoint(self, another(_metadata, self, "0123456789abcdef",
					false));
	EXPECT_EQ(0, count_in_heap(right, sizeof(file.tickets.right[0])));
	exchange(_metadata, self);
	EXPECT_EQ(1, opened);
}

#define SHARERS	3

/* Servers that share one port, each with an endpoint of its own */
struct sharers {
	struct kdtls_endpoint *ep[SHARERS];
	struct kdtls_server *server[SHARERS];
	unsigned int records[SHARERS], opened[SHARERS];
};

/* Open the next of the servers; the first one chooses the port. */
static void open_sharer(struct __test_metadata *_metadata,
			struct _test_data_server *self, struct sharers *s, int i)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct kdtls_server_options o = self->options;
	int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;

	if (i)
		memcpy(&a, &self->at, sizeof(a));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&a, sizeof(a)));
	self->at_len = sizeof(self->at);
	getsockname(fd, (struct sockaddr *)&self->at, &self->at_len);
	o.sharers = SHARERS;
	o.share = i;
	s->ep[i] = another(_metadata, self, "0123456789abcdef", true);
	ASSERT_EQ(0, kdtls_server_new(s->ep[i], fd, &o, &s->server[i]));
}

static void share_port(struct __test_metadata *_metadata,
		       struct _test_data_server *self, struct sharers *s)
{
	int i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < SHARERS; i++)
		open_sharer(_metadata, self, s, i);
}

static void serve_shared(struct sharers *s)
{
	struct kdtls_message m[MESSAGES];
	ssize_t n, i;
	int j;

	for (j = 0; j < SHARERS && s->server[j]; j++) {
		while ((n = kdtls_server_recv(s->server[j], m, MESSAGES,
					      0)) > 0) {
			for (i = 0; i < n; i++) {
				s->opened[j] += m[i].news == KDTLS_NEWS_OPENED;
				s->records[j] += m[i].news == KDTLS_NEWS_DATA;
			}
		}
	}
}

TEST_F(server, sockets_of_one_port_have_their_clients)
{
	unsigned int i, sent = 0, got = 0, homes = 0;
	struct sharers s;
	int fd;

	share_port(_metadata, self, &s);
	begin_from(_metadata, self, "127.0.0.1", 40);
	for (i = 0; i < 2000 && established(self) < 40; i++) {
		serve_shared(&s);
		usleep(500);
	}
	ASSERT_EQ(40, established(self));
	serve_shared(&s);
	for (i = 0; i < SHARERS; i++)
		homes += s.opened[i] > 0;
	EXPECT_LT(1, homes);
	/* From another port the kernel's own choice would be another socket. */
	for (i = 0; i < 40; i++) {
		if (variant->cid_len) {
			fd = bound(AF_INET, "127.0.0.2", 0);
			ASSERT_EQ(0, connect(fd, (struct sockaddr *)&self->at,
					     self->at_len));
			dup2(fd, kdtls_fd(self->c[i]));
			close(fd);
		}
		sent += kdtls_send(self->c[i], "hello", 5) == 5;
		serve_shared(&s);
	}
	serve_shared(&s);
	EXPECT_EQ(40, sent);
	for (i = 0; i < SHARERS; i++) {
		EXPECT_EQ(s.opened[i], s.records[i]);
		got += s.records[i];
		kdtls_server_close(s.server[i]);
		kdtls_endpoint_free(s.ep[i]);
	}
	EXPECT_EQ(40, got);
}

#ifndef KERNEL_PATH
/* Serve until so many clients are established. Return how many are. */
static unsigned int shake_shared(struct _test_data_server *self,
				 struct sharers *s, unsigned int count)
{
	uint64_t end = now() + SOON;

	while (established(self) < count && now() < end) {
		serve_shared(s);
		usleep(500);
	}
	serve_shared(s);
	return established(self);
}

TEST_F(server, a_second_server_on_the_port_loses_no_record_of_the_first)
{
	unsigned int i, j, sent = 0;
	struct sharers s = { 0 };

	/* Without connection IDs the kernel chooses anew among the sockets. */
	self->options.cid_len = 8;
	open_sharer(_metadata, self, &s, 0);
	begin_from(_metadata, self, "127.0.0.1", 30);
	ASSERT_EQ(30, shake_shared(self, &s, 30));
	for (i = 1; i < SHARERS; i++) {
		open_sharer(_metadata, self, &s, i);
		for (j = 0; j < 30; j++)
			sent += kdtls_send(self->c[j], "hello", 5) == 5;
		serve_shared(&s);
	}
	EXPECT_EQ(sent, s.records[0]);
	EXPECT_EQ(30 * (SHARERS - 1), sent);
	/* Those who come now are of all of them. */
	begin_from(_metadata, self, "127.0.0.1", 30);
	ASSERT_EQ(60, shake_shared(self, &s, 60));
	EXPECT_LT(0, s.opened[1] + s.opened[2]);
	EXPECT_EQ(60, s.opened[0] + s.opened[1] + s.opened[2]);
	for (i = 0; i < SHARERS; i++) {
		kdtls_server_close(s.server[i]);
		kdtls_endpoint_free(s.ep[i]);
	}
}

TEST_F(server, the_last_server_on_the_port_is_closed_without_loss_to_the_others)
{
	struct sharers s;
	unsigned int i;

	self->options.cid_len = 8;
	share_port(_metadata, self, &s);
	begin_from(_metadata, self, "127.0.0.1", 40);
	ASSERT_EQ(40, shake_shared(self, &s, 40));
	kdtls_server_close(s.server[SHARERS - 1]);
	s.server[SHARERS - 1] = NULL;
	for (i = 0; i < 40; i++)
		kdtls_send(self->c[i], "hello", 5);
	serve_shared(&s);
	for (i = 0; i < SHARERS - 1; i++) {
		EXPECT_LT(0, s.opened[i]);
		EXPECT_EQ(s.opened[i], s.records[i]);
	}
	for (i = 0; i < SHARERS; i++) {
		kdtls_server_close(s.server[i]);
		kdtls_endpoint_free(s.ep[i]);
	}
}
#endif

/* ---- lives ---- */

#define SLOTS	24
#define SENT_MAX 1024			/* records of one life */

/* What a client sends: whose it is, in which life, and which record */
struct word {
	uint32_t slot, life, number;
};

/* What the server knows of one life of a client */
struct witness {
	bool known;
	struct word first;
	uint8_t seen[SENT_MAX];
};

/*
 * struct lives - clients that come, talk, crash, start anew on their ports, and go
 * @alive:	witnesses that the program was given and has not been told of as gone
 */
struct lives {
	uint32_t life[SLOTS], number[SLOTS];
	unsigned int alive, data, ended_here;
};

static void witness(struct __test_metadata *_metadata,
		    struct _test_data_server *self, struct lives *l,
		    const struct kdtls_message *m)
{
	struct witness *w = kdtls_client_data(m->client);
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	struct word word;

	if (m->news == KDTLS_NEWS_OPENED) {
		EXPECT_EQ(NULL, w);
		kdtls_client_set_data(m->client, calloc(1, sizeof(*w)));
		l->alive++;
	} else if (m->news == KDTLS_NEWS_CLOSED) {
		ASSERT_NE(NULL, w);
		free(w);
		l->alive--;
	} else if (m->news == KDTLS_NEWS_DATA) {
		ASSERT_NE(NULL, w);
		ASSERT_EQ(sizeof(word), m->len);
		memcpy(&word, m->data, sizeof(word));
		if (!w->known)
			w->first = word;
		w->known = true;
		/* All records of an association are of one life of one client. */
		ASSERT_EQ(w->first.slot, word.slot);
		ASSERT_EQ(w->first.life, word.life);
		ASSERT_GT(SENT_MAX, word.number);
		ASSERT_EQ(0, w->seen[word.number]);
		w->seen[word.number] = 1;
		kdtls_client_address(m->client, (struct sockaddr *)&a, &len);
		ASSERT_EQ(OWN_PORTS + word.slot, ntohs(a.sin_port));
		l->data++;
	}
	(void)self;
}

static void live_turn(struct __test_metadata *_metadata,
		      struct _test_data_server *self, struct lives *l)
{
	struct kdtls_message m[8];
	struct kdtls_client *c;
	ssize_t n, i;

	while ((n = kdtls_server_recv(self->server, m, 8, 0)) > 0)
		for (i = 0; i < n; i++)
			witness(_metadata, self, l, &m[i]);
	if (!next_random(60)) {
		c = kdtls_server_next(self->server, NULL);
		if (c) {
			free(kdtls_client_data(c));
			kdtls_client_close(c);
			l->alive--;
			l->ended_here++;
		}
	}
	for (i = 0; i < SLOTS; i++)
		if (self->c[i] && kdtls_process(self->c[i]) &&
		    kdtls_process(self->c[i]) != -EINPROGRESS)
			forget(self, i);
}

/* One client does something. */
static void live_step(struct __test_metadata *_metadata,
		      struct _test_data_server *self, struct lives *l)
{
	unsigned int i = next_random(SLOTS);
	struct word word = { i, l->life[i], l->number[i] };

	if (!self->c[i]) {
		/* What is held keeps its port. */
		release();
		begin(_metadata, self, own_port(i), i);
		l->life[i]++;
		l->number[i] = 0;
		return;
	}
	switch (next_random(40)) {
	case 0:
		forget(self, i);
		break;
	case 1:
		kdtls_close(self->c[i]);
		self->c[i] = NULL;
		break;
	default:
		if (!kdtls_process(self->c[i]) && l->number[i] < SENT_MAX &&
		    kdtls_send(self->c[i], &word, sizeof(word)) > 0)
			l->number[i]++;
	}
}

TEST_F(server, lives_of_clients_do_not_mix)
{
	static struct lives l;
	unsigned int i, steps = rounds(4000, 2000);

	self->options.idle_timeout = 3000;
	self->options.handshake_timeout = 3000;
	restart_server(_metadata, self);
	memset(&l, 0, sizeof(l));
	loss = 5;
	disorder = true;
	for (i = 0; i < steps; i++) {
		live_step(_metadata, self, &l);
		if (!next_random(3))
			live_turn(_metadata, self, &l);
		if (!next_random(20))
			usleep(1000);
	}
	loss = 0;
	disorder = false;
	release();
	EXPECT_LT(steps / 4, l.data);
	EXPECT_LT(0, counters(self).restarted);
	EXPECT_LT(0, l.ended_here);
	for (i = 0; i < SLOTS; i++) {
		kdtls_close(self->c[i]);
		self->c[i] = NULL;
	}
	/* Those that crashed are idle, and then all are gone. */
	for (i = 0; i < 20000 && counters(self).clients; i++) {
		live_turn(_metadata, self, &l);
		usleep(1000);
	}
	live_turn(_metadata, self, &l);
	EXPECT_EQ(0, counters(self).clients);
	EXPECT_EQ(0, l.alive);
	TH_LOG("%u records, %lu starts anew, %u ended by the server", l.data,
	       (unsigned long)counters(self).restarted, l.ended_here);
}

/* ---- memory ---- */

TEST_F(server, what_clients_took_is_given_back)
{
	size_t before = 0;
	unsigned int i, j;

	for (i = 0; i < 3; i++) {
		begin_from(_metadata, self, "127.0.0.1", 20);
		UNTIL(established(self) == 20);
		exchange(_metadata, self);
		for (j = 0; j < 20; j++)
			kdtls_close(self->c[j]);
		self->clients = 0;
		UNTIL(!counters(self).clients);
		serve(self);
		if (i)
			EXPECT_GE(before + 4096, heap_used);
		before = heap_used;
	}
}

/* ---- stack ---- */

#define STACK_SIZE	(512 * 1024)
#define STACK_MAX	(32 * 1024)
#define PAINT		0xa5

/* All that a server does: clients come, talk, start anew and go. */
static void *live(void *arg)
{
	struct _test_data_server *self = arg;
	uint64_t end = now() + SOON;

	while ((established(self) < 3 || opened < 3) && now() < end)
		turn(self);
	kdtls_send(self->c[0], "hello", 5);
	while (records < 1 && now() < end)
		turn(self);
	kdtls_shutdown(self->c[0]);
	while (closed < 1 && now() < end)
		turn(self);
	kdtls_client_close(kdtls_server_next(self->server, NULL));
	turn(self);
	return self;
}

/* How far down a thread's stack was written to */
TEST_F(server, no_call_takes_more_than_32_kib_of_stack)
{
	uint8_t *stack = aligned_alloc(4096, STACK_SIZE);
	pthread_attr_t attr;
	pthread_t thread;
	size_t unused = 0;

	ASSERT_NE(NULL, stack);
	memset(stack, PAINT, STACK_SIZE);
	begin_from(_metadata, self, "127.0.0.1", 3);
	ASSERT_EQ(0, pthread_attr_init(&attr));
	ASSERT_EQ(0, pthread_attr_setstack(&attr, stack, STACK_SIZE));
	ASSERT_EQ(0, pthread_create(&thread, &attr, live, self));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(1, closed);
	EXPECT_EQ(1, counters(self).clients);
	while (unused < STACK_SIZE && stack[unused] == PAINT)
		unused++;
	EXPECT_GE(STACK_MAX, STACK_SIZE - unused)
		TH_LOG("%zu bytes of stack", STACK_SIZE - unused);
	pthread_attr_destroy(&attr);
	free(stack);
}

TEST_HARNESS_MAIN
