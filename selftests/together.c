// SPDX-License-Identifier: GPL-2.0
/*
 * Eight tasks do anything at once with a socket that has a table: associations are added,
 * moved, deleted, peeled off and succeeded, get keys and connection IDs, while records
 * come and go. No record comes with the number of another association, and nothing stays
 * when the sockets are closed. What goes wrong without that is for the kernel to tell.
 *
 * DTLS_TEST_SEED sets the seed, and DTLS_TEST_SECONDS how long the tasks run.
 */
#include "harness.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <linux/filter.h>

#include "clients.h"
#include "common.h"

#define IDS	6	/* numbers 1 to 6 */
#define PORTS	4
#define OWN	3
#define TASKS	8
#define CID_LEN	4

/**
 * struct slot - what is known of the association with one number
 * @up:		what its client sends is protected with in the first epoch
 * @down:	what the server sends is protected with in the first epoch
 * @seq:	number of the next record
 * @rx:		epoch of the last read key
 * @tx:		epoch of the last write key
 * @port:	where it was added or moved to last
 */
struct slot {
	struct peer_key up;
	struct peer_key down;
	__u64 seq;
	__u64 rx;
	__u64 tx;
	unsigned int port;
};

static struct slot slots[IDS + 1];
static int server, ports[PORTS], own[OWN];
static unsigned int mixed, received, stop;

/**
 * struct task - what a thread has of its own
 * @seed:	its random numbers
 * @buf:	what it has received
 * @wire:	what it sends
 */
struct task {
	unsigned int seed;
	__u8 buf[DGRAM_MAX];
	__u8 wire[DGRAM_MAX];
};

/* Return a random number below @n. */
static unsigned int any(struct task *t, unsigned int n)
{
	return (unsigned int)rand_r(&t->seed) / 7 % n;
}

/* Return the server's socket, or one that an association was peeled off to. */
static int some_socket(struct task *t)
{
	int fd = any(t, 3) ? server : __atomic_load_n(&own[any(t, OWN)],
						     __ATOMIC_RELAXED);

	return fd < 0 ? server : fd;
}

/* Return the number of some association on the socket @fd. */
static __u64 id_on(struct task *t, int fd)
{
	return fd == server ? 1 + any(t, IDS) : 0;
}

/* Make a record of the association @id, which begins with that number. */
static size_t make_record(struct task *t, __u64 id, __u8 *to, size_t content)
{
	static const __u8 types[] = { CT_DATA, CT_DATA, CT_DATA, CT_DATA, CT_DATA,
				      CT_DATA, CT_HANDSHAKE, CT_ALERT };
	struct slot *s = &slots[id];
	struct peer_key k = s->up;
	__u64 said[600] = { id }, seq;

	k.epoch = __atomic_load_n(&s->rx, __ATOMIC_RELAXED) +
		  (any(t, 16) ? 0 : any(t, 3));
	seq = __atomic_fetch_add(&s->seq, 1, __ATOMIC_RELAXED);
	return peer_seal_more(&k, types[any(t, ARRAY_SIZE(types))], seq, said,
			      content, to);
}

/* Send a datagram of @n records of @id or, with @mix, of any association. */
static void send_datagram(struct task *t, int fd, __u64 id, bool mix,
			  unsigned int n, size_t content)
{
	size_t len = 0;

	while (n-- && len + content + 100 < sizeof(t->wire))
		len += make_record(t, mix ? 1 + any(t, IDS) : id, t->wire + len,
				   content);
	if (!any(t, 8))
		t->wire[any(t, len)] ^= 1;
	send(fd, t->wire, len, 0);
}

/*
 * Send @n datagrams that arrive coalesced, of one record or two. Some of them are of
 * other protocols. Those that are shorter than the first end with zeros.
 */
static void send_coalesced(struct task *t, int fd, __u64 id, bool mix,
			   unsigned int n, size_t content)
{
	bool two = !any(t, 4);
	size_t len = 0, size = 0, at;

	memset(t->wire, 0, sizeof(t->wire));
	for (; n; n--, len = at + size) {
		at = len;
		len += make_record(t, mix ? 1 + any(t, IDS) : id, t->wire + len,
				   content);
		if (two)
			len += make_record(t, id, t->wire + len, 64);
		if (!any(t, 6))
			memset(t->wire + at, 128, len - at);
		size = size ?: len;
	}
	send_segments(fd, t->wire, len, size, 0);
}

static void send_some(struct task *t)
{
	__u64 id = 1 + any(t, IDS);
	unsigned int port = __atomic_load_n(&slots[id].port, __ATOMIC_RELAXED);
	int fd = ports[any(t, 4) ? port : any(t, PORTS)];
	size_t len, content = any(t, 4) ? 64 : 2000;
	unsigned int n = 1 + any(t, 12);
	bool mix = any(t, 2);

	switch (any(t, 8)) {
	case 0:
		memset(t->wire, any(t, 256), 100);
		send(fd, t->wire, 100, 0);
		break;
	case 1:
		len = plain_record(CT_HANDSHAKE, 0, any(t, 100), t->buf, 60, t->wire);
		send(fd, t->wire, len, 0);
		break;
	case 2 ... 4:
		send_datagram(t, fd, id, mix, n, content);
		break;
	default:
		send_coalesced(t, fd, id, mix, n, content);
	}
}

/* Each record of the @n bytes in t->buf, which came with @msg, begins with its number. */
static void check_numbers(struct task *t, struct msghdr *msg, ssize_t n)
{
	struct dtls_record_info info = {};
	__u64 id = 0, said;
	ssize_t i;
	int gso = 0;

	find_control(msg, SOL_DTLS, DTLS_ASSOC, &id, sizeof(id));
	find_control(msg, SOL_DTLS, DTLS_RECORD_INFO, &info, sizeof(info));
	find_control(msg, SOL_UDP, UDP_GRO, &gso, sizeof(gso));
	if (info.flags & DTLS_RECORD_RAW)
		return;
	__atomic_fetch_add(&received, 1, __ATOMIC_RELAXED);
	for (i = 0; i + (ssize_t)sizeof(said) <= n; i += gso ?: n) {
		memcpy(&said, t->buf + i, sizeof(said));
		if (said != id)
			__atomic_fetch_add(&mixed, 1, __ATOMIC_RELAXED);
	}
}

static void read_some(struct task *t)
{
	static const int flags[] = { 0, 0, 0, 0, MSG_OOB, MSG_OOB, MSG_PEEK,
				     MSG_PEEK | MSG_OOB };
	int fd = some_socket(t), f = flags[any(t, ARRAY_SIZE(flags))], bytes;
	char space[256];
	struct iovec iov = { t->buf, any(t, 8) ? sizeof(t->buf) : 20 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = space,
			      .msg_controllen = sizeof(space) };
	struct pollfd pfd = { fd, POLLIN | POLLPRI, 0 };
	ssize_t n;

	if (!any(t, 4))
		poll(&pfd, 1, any(t, 3));
	if (!any(t, 10))
		ioctl(fd, FIONREAD, &bytes);
	n = recvmsg(fd, &msg, f | MSG_DONTWAIT);
	if (n > 0 && fd == server && !(f & MSG_OOB))
		check_numbers(t, &msg, n);
}

static void set_some_key(struct task *t)
{
	int fd = some_socket(t), dir = any(t, 2) ? DTLS_TX : DTLS_RX;
	__u64 id = id_on(t, fd) ?: 1 + any(t, IDS);
	struct slot *s = &slots[id];
	struct peer_key k = dir == DTLS_TX ? s->down : s->up;
	__u64 *last = dir == DTLS_TX ? &s->tx : &s->rx;

	k.epoch = *last + !any(t, 8);
	if (k.epoch > nth_epoch(k.cipher, 3))
		return;
	if (!set_key(fd, fd == server ? id : 0, dir, &k))
		__atomic_store_n(last, k.epoch, __ATOMIC_RELAXED);
}

/* Peel off whoever is at some port, and close what was peeled off before. */
static void peel_some(struct task *t)
{
	int fd = connected_socket(server, ports[any(t, PORTS)]);
	int *at = &own[any(t, OWN)], old, on = 1;
	__u64 id;

	if (fd < 0)
		return;
	if (any(t, 2))
		setsockopt(fd, SOL_DTLS, DTLS_PASS, &on, sizeof(on));
	for (id = 1; id <= IDS; id++)
		if (!peel_off(fd, server, id))
			break;
	old = __atomic_exchange_n(at, id > IDS ? -1 : fd, __ATOMIC_RELAXED);
	if (id > IDS)
		close(fd);
	if (old >= 0)
		close(old);
}

static void ask_some(struct task *t)
{
	int fd = some_socket(t);
	__u64 id = any(t, 4) ? id_on(t, fd) : 0;
	union {
		struct dtls_info info;
		struct dtls_counters counters;
		struct dtls_window window;
		struct dtls_cid cid;
		struct dtls_assoc_peer peer;
		struct dtls_replay_window size;
	} u = { .info.id = id };
	socklen_t len = sizeof(u);

	switch (any(t, 7)) {
	case 0:
		getsockopt(fd, SOL_DTLS, DTLS_INFO, &u, &len);
		break;
	case 1:
		getsockopt(fd, SOL_DTLS, DTLS_COUNTERS, &u, &len);
		break;
	case 2:
		getsockopt(fd, SOL_DTLS, DTLS_CID, &u, &len);
		break;
	case 3:
		do {
			len = sizeof(u);
		} while (!getsockopt(server, SOL_DTLS, DTLS_ASSOC_NEXT, &u, &len));
		break;
	case 4:
		u.size.records = 64 << any(t, 7);
		setsockopt(fd, SOL_DTLS, DTLS_REPLAY_WINDOW, &u, sizeof(u.size));
		break;
	case 5:
		u.window.epoch = slots[1 + any(t, IDS)].rx;
		if (!getsockopt(fd, SOL_DTLS, DTLS_WINDOW, &u, &len))
			setsockopt(fd, SOL_DTLS, DTLS_WINDOW, &u, sizeof(u.window));
		break;
	case 6:
		u.cid.rx_len = CID_LEN;
		u.cid.rx[0] = id ?: any(t, IDS);
		u.cid.rx[1] = 1 + any(t, 30);
		setsockopt(fd, SOL_DTLS, DTLS_CID, &u, sizeof(u.cid));
		break;
	}
}

static void feed_some(struct task *t)
{
	struct dtls_feed *feed = (void *)t->buf;
	int fd = some_socket(t);
	size_t len;

	feed->id = id_on(t, fd);
	feed->reserved = 0;
	len = make_record(t, 1 + any(t, IDS), feed->datagram, 64);
	setsockopt(fd, SOL_DTLS, DTLS_FEED, feed, sizeof(*feed) + len);
}

static void toggle_some(struct task *t)
{
	static struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, -1U) };
	static const struct sock_fprog prog = { 1, all };
	int v = any(t, 2), room = 4000 << any(t, 6), fd = some_socket(t);

	switch (any(t, 5)) {
	case 0:
		setsockopt(fd, SOL_DTLS, DTLS_PASS, &v, sizeof(v));
		break;
	case 1:
		setsockopt(fd, SOL_DTLS, DTLS_POLL_CONTROL, &v, sizeof(v));
		break;
	case 2:
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
		break;
	case 3:
		if (!any(t, 8))
			setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
				   sizeof(prog));
		else
			setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &v, sizeof(v));
		break;
	case 4:
		v = any(t, 4) > 0;
		setsockopt(fd, SOL_UDP, UDP_GRO, &v, sizeof(v));
		break;
	}
}

static void answer_some(struct task *t)
{
	int fd = some_socket(t);

	send_cut(fd, id_on(t, fd), -1, t->buf, 3000, any(t, 2) ? 700 : 0,
		 MSG_DONTWAIT);
}

/* Add an association, with its first keys in most cases. */
static void add_some(struct task *t, __u64 id, unsigned int port, __u32 flags)
{
	struct slot *s = &slots[id];

	if (set_peer_flags(server, DTLS_ASSOC_ADD, id, ports[port], flags))
		return;
	__atomic_store_n(&s->port, port, __ATOMIC_RELAXED);
	__atomic_store_n(&s->rx, s->up.epoch, __ATOMIC_RELAXED);
	__atomic_store_n(&s->tx, s->down.epoch, __ATOMIC_RELAXED);
	if (!any(t, 4))
		return;
	set_key(server, id, DTLS_RX, &s->up);
	set_key(server, id, DTLS_TX, &s->down);
}

/* Add, move or delete an association. */
static void change_some(struct task *t)
{
	__u32 flags = any(t, 3) ? DTLS_PEER_SUCCEED : 0;
	unsigned int port = any(t, PORTS);
	__u64 id = 1 + any(t, IDS);

	switch (any(t, 6)) {
	case 0:
		if (!set_peer_flags(server, DTLS_ASSOC_MOVE, id, ports[port],
				    flags))
			__atomic_store_n(&slots[id].port, port, __ATOMIC_RELAXED);
		break;
	case 1:
		delete(server, id);
		break;
	default:
		add_some(t, id, port, flags);
	}
}

static void *run(void *arg)
{
	static void (*const acts[])(struct task *t) = {
		change_some, change_some, change_some, set_some_key, set_some_key,
		peel_some, ask_some, feed_some, toggle_some, answer_some,
		send_some, send_some, send_some, send_some, send_some,
		read_some, read_some, read_some, read_some, read_some,
		read_some, read_some,
	};
	struct task *t = arg;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		acts[any(t, ARRAY_SIZE(acts))](t);
	return NULL;
}

/* Make all sockets and, in a form that a key can be made of, all associations. */
static int set_up(void)
{
	static const __u16 ciphers[IDS] = {
		DTLS_CIPHER_AES_GCM_128, V13(DTLS_CIPHER_AES_GCM_128),
		DTLS_CIPHER_AES_GCM_128, V13(DTLS_CIPHER_CHACHA20_POLY1305),
		V13(DTLS_CIPHER_AES_GCM_128), DTLS_CIPHER_AES_GCM_128,
	};
	int on = 1, i;

	server = udp_socket(AF_INET);
	if (setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    dtls_attach(server) || set_table(server, CID_LEN, 0))
		return -1;
	for (i = 0; i < PORTS; i++) {
		ports[i] = udp_socket(AF_INET);
		if (udp_connect(ports[i], server))
			return -1;
	}
	for (i = 0; i < OWN; i++)
		own[i] = -1;
	for (i = 1; i <= IDS; i++) {
		struct slot *s = &slots[i];
		__u16 c = ciphers[i - 1];

		s->rx = nth_epoch(c, 1);
		s->tx = s->rx;
		peer_key_init(&s->up, c, s->rx, i % 2 ? CID_LEN : 0, 2 * i);
		peer_key_init(&s->down, c, s->tx, 0, 2 * i + 1);
	}
	return 0;
}

TEST(anything_at_once)
{
	const char *seed = getenv("DTLS_TEST_SEED");
	const char *seconds = getenv("DTLS_TEST_SECONDS");
	struct task *tasks = calloc(TASKS, sizeof(*tasks));
	pthread_t threads[TASKS];
	int refs = module_refs(), i;

	ASSERT_NE(NULL, tasks);
	ASSERT_OK(set_up());
	for (i = 0; i < TASKS; i++) {
		tasks[i].seed = (seed ? atoi(seed) : 1) * TASKS + i;
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, run, &tasks[i]));
	}
	sleep(seconds ? atoi(seconds) : slow() ? 40 : 10);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < TASKS; i++)
		pthread_join(threads[i], NULL);
	TH_LOG("%u records received", received);
	EXPECT_EQ(0u, mixed);
	EXPECT_LT(0u, received);
	for (i = 0; i < OWN; i++)
		if (own[i] >= 0)
			close(own[i]);
	close(server);
	ASSERT_EQ(refs, module_refs());
	for (i = 0; i < PORTS; i++)
		close(ports[i]);
	free(tasks);
}

TEST_HARNESS_MAIN
