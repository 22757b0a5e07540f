// SPDX-License-Identifier: GPL-2.0
/*
 * Lifetime: sockets that end while something is queued or somebody is at work
 * in them, namespaces that end around them, and a module that must not go
 * before them. What went wrong here shows as a reference that stays, as memory
 * that stays charged, or in the kernel's log.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common.h"
#include "traffic.h"

#ifndef IPV6_ADDRFORM
#define IPV6_ADDRFORM	1
#endif

/* Some go a moment after the close. */
static bool refs_come_down_to(int want)
{
	int i;

	for (i = 0; i < 500 && module_refs() != want; i++)
		usleep(20000);
	if (module_refs() != want)
		printf("# %d references, not %d\n", module_refs(), want);
	return module_refs() == want;
}

/* Wait until a thread sleeps in a system call. */
static bool falls_asleep(pid_t tid)
{
	int i, seen = 0;
	char state;

	for (i = 0; i < 1000 && seen < 3; i++) {
		state = thread_state(tid);
		if (!state)
			break;
		seen = state == 'S' ? seen + 1 : 0;
		usleep(10000);
	}
	return seen == 3;
}

static __u32 meminfo(int fd, int which)
{
	__u32 info[SK_MEMINFO_VARS];
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len))
		return ~0U;
	return info[which];
}

FIXTURE(lifetime) {
	struct link l;
	int refs;	/* on the module before there was a socket */
};

FIXTURE_VARIANT(lifetime) {
	int family;
	__u16 cipher;
};

FIXTURE_VARIANT_ADD(lifetime, v4) {
	.family = AF_INET,
	.cipher = DTLS_CIPHER_AES_GCM_128,
};

FIXTURE_VARIANT_ADD(lifetime, v6) {
	.family = AF_INET6,
	.cipher = DTLS_CIPHER_CHACHA20_POLY1305,
};

FIXTURE_SETUP(lifetime)
{
	self->refs = module_refs();
	ASSERT_LE(0, self->refs);
	ASSERT_EQ(0, link_raw(&self->l, variant->family, variant->cipher, 0));
	ASSERT_EQ(self->refs + 1, module_refs());
}

FIXTURE_TEARDOWN(lifetime)
{
	link_close(&self->l);
	EXPECT_TRUE(refs_come_down_to(self->refs));
}

TEST_F(lifetime, close_with_datagrams_queued)
{
	char buf[1000] = {};
	int i;

	for (i = 0; i < 50; i++)
		ASSERT_EQ(1000, link_send(&self->l, CT_DATA, buf, 1000));
	ASSERT_EQ(0, close(self->l.a));
	EXPECT_TRUE(refs_come_down_to(self->refs));
}

TEST_F(lifetime, close_with_a_record_peeked_at)
{
	char buf[1000] = {};
	int i;

	for (i = 0; i < 10; i++)
		ASSERT_EQ(1000, link_send(&self->l, CT_DATA, buf, 1000));
	ASSERT_EQ(1000, recv(self->l.a, buf, sizeof(buf), MSG_PEEK));
	ASSERT_LT(0, meminfo(self->l.a, SK_MEMINFO_RMEM_ALLOC));
	ASSERT_EQ(0, close(self->l.a));
	EXPECT_TRUE(refs_come_down_to(self->refs));
}

TEST_F(lifetime, close_with_a_rest_of_a_datagram)
{
	unsigned char out[2000];
	char buf[100] = {};
	size_t n = 0;
	int i;

	for (i = 0; i < 10; i++)
		n += peer_seal(&self->l.ba, CT_DATA, self->l.b_seq++, buf,
			       sizeof(buf), out + n);
	ASSERT_EQ(n, send(self->l.b, out, n, 0));
	ASSERT_EQ(100, recv(self->l.a, buf, sizeof(buf), 0));
	ASSERT_EQ(0, close(self->l.a));
	EXPECT_TRUE(refs_come_down_to(self->refs));
}

TEST_F(lifetime, close_with_control_records_queued)
{
	struct dtls_info info;
	char buf[100] = {};
	int i;

	for (i = 0; i < 20; i++)
		ASSERT_EQ(100, link_send(&self->l, CT_HANDSHAKE, buf, 100));
	EXPECT_EQ(0, poll_for(self->l.a, POLLIN, 100));
	ASSERT_EQ(0, dtls_get_info(self->l.a, &info));
	EXPECT_LT(0, info.control_queued);
	ASSERT_EQ(0, close(self->l.a));
	EXPECT_TRUE(refs_come_down_to(self->refs));
}

TEST_F(lifetime, close_with_early_records_queued)
{
	struct dtls_info info;
	char buf[100] = {};
	int i;

	self->l.ba.epoch = 2;
	for (i = 0; i < 20; i++)
		ASSERT_EQ(100, link_send(&self->l, CT_DATA, buf, 100));
	EXPECT_EQ(0, poll_for(self->l.a, POLLIN, 100));
	ASSERT_EQ(0, dtls_get_info(self->l.a, &info));
	EXPECT_LT(0, info.early_queued);
	ASSERT_EQ(0, close(self->l.a));
	EXPECT_TRUE(refs_come_down_to(self->refs));
}

TEST_F(lifetime, close_with_a_corked_datagram)
{
	char buf[100] = {};

	ASSERT_EQ(100, send(self->l.a, buf, 100, MSG_MORE));
	ASSERT_EQ(100, send(self->l.a, buf, 100, MSG_MORE));
	ASSERT_EQ(0, close(self->l.a));
	EXPECT_TRUE(refs_come_down_to(self->refs));
	/* What was begun is not sent by a close. */
	EXPECT_EQ(-1, recv(self->l.b, buf, sizeof(buf), MSG_DONTWAIT));
}

TEST_F(lifetime, close_without_keys)
{
	char buf[100] = {};
	struct link l;
	int i;

	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, link_open(&l, variant->family, variant->cipher,
				       0));
		ASSERT_EQ(0, dtls_attach(l.a));
		ASSERT_EQ(100, link_send(&l, CT_DATA, buf, 100));
		if (i & 1)
			ASSERT_EQ(0, dtls_set_key(l.a, DTLS_TX, &l.ab));
		if (i & 2)
			ASSERT_EQ(0, dtls_set_key(l.a, DTLS_RX, &l.ba));
		link_close(&l);
	}
}

/* Somebody at work in a socket */
struct worker {
	pthread_t thread;
	struct link *l;
	int epfd;
	pid_t tid;
	volatile bool stop;
	ssize_t ret;	/* of the call that ended it */
	int err;
	volatile unsigned long n;
	char buf[64];
};

static void *recv_once(void *arg)
{
	struct worker *w = arg;

	__atomic_store_n(&w->tid, gettid(), __ATOMIC_RELEASE);
	w->ret = recv(w->l->a, w->buf, sizeof(w->buf), 0);
	w->err = errno;
	return NULL;
}

static void *poll_once(void *arg)
{
	struct worker *w = arg;
	struct pollfd p = { .fd = w->l->a, .events = POLLIN };

	__atomic_store_n(&w->tid, gettid(), __ATOMIC_RELEASE);
	w->ret = poll(&p, 1, SOON_MS);
	w->err = p.revents;
	return NULL;
}

static void *epoll_once(void *arg)
{
	struct worker *w = arg;
	struct epoll_event ev;

	__atomic_store_n(&w->tid, gettid(), __ATOMIC_RELEASE);
	w->ret = epoll_wait(w->epfd, &ev, 1, SOON_MS);
	w->err = ev.data.fd;
	return NULL;
}

static void *send_until_error(void *arg)
{
	struct worker *w = arg;

	__atomic_store_n(&w->tid, gettid(), __ATOMIC_RELEASE);
	while (!w->stop) {
		w->ret = send(w->l->a, w->buf, sizeof(w->buf), 0);
		w->err = errno;
		/* A full receive queue is no error of UDP's. */
		if (w->ret < 0 && w->err != ECONNREFUSED &&
		    w->err != ENOBUFS && w->err != EAGAIN)
			break;
		w->n += w->ret > 0;
	}
	return NULL;
}

static void *recv_until_error(void *arg)
{
	struct worker *w = arg;

	__atomic_store_n(&w->tid, gettid(), __ATOMIC_RELEASE);
	while (!w->stop) {
		w->ret = recv(w->l->a, w->buf, sizeof(w->buf), 0);
		w->err = errno;
		if (w->ret <= 0)
			break;
		w->n++;
	}
	return NULL;
}

/* The other end of a flood: sealed records as fast as they can be made */
static void *peer_flood(void *arg)
{
	struct worker *w = arg;
	char buf[64] = {};

	while (!w->stop) {
		link_send(w->l, CT_DATA, buf, sizeof(buf));
		while (recv(w->l->b, buf, sizeof(buf), MSG_DONTWAIT) >= 0)
			w->n++;
	}
	return NULL;
}

static int start(struct worker *w, void *(*fn)(void *), struct link *l)
{
	w->l = l;
	w->stop = false;
	return pthread_create(&w->thread, NULL, fn, w);
}

static void stop(struct worker *w)
{
	w->stop = true;
	pthread_join(w->thread, NULL);
}

static bool blocks(struct worker *w)
{
	while (!__atomic_load_n(&w->tid, __ATOMIC_ACQUIRE))
		usleep(1000);
	return falls_asleep(w->tid);
}

/* A call that sleeps holds the socket: it ends as if nothing had happened. */
TEST_F(lifetime, close_while_a_thread_receives)
{
	struct worker w = {};

	ASSERT_EQ(0, start(&w, recv_once, &self->l));
	ASSERT_TRUE(blocks(&w));
	ASSERT_EQ(0, close(self->l.a));
	EXPECT_EQ(self->refs + 1, module_refs());
	EXPECT_EQ(4, link_send(&self->l, CT_DATA, "last", 4));
	pthread_join(w.thread, NULL);
	EXPECT_EQ(4, w.ret);
	EXPECT_EQ(0, memcmp(w.buf, "last", 4));
	EXPECT_TRUE(refs_come_down_to(self->refs));
}

/* poll() looks the descriptor up again when it wakes. */
TEST_F(lifetime, close_while_a_thread_polls)
{
	struct worker w = {};

	ASSERT_EQ(0, start(&w, poll_once, &self->l));
	ASSERT_TRUE(blocks(&w));
	ASSERT_EQ(0, close(self->l.a));
	EXPECT_EQ(4, link_send(&self->l, CT_DATA, "last", 4));
	pthread_join(w.thread, NULL);
	EXPECT_EQ(1, w.ret);
	EXPECT_EQ(POLLNVAL, w.err);
	EXPECT_TRUE(refs_come_down_to(self->refs));
}

/* The socket leaves the set when its last descriptor is closed. */
TEST_F(lifetime, close_while_a_thread_epolls)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct worker w = { .epfd = epoll_create1(0) };
	int end = eventfd(0, 0);

	ev.data.fd = self->l.a;
	ASSERT_EQ(0, epoll_ctl(w.epfd, EPOLL_CTL_ADD, self->l.a, &ev));
	ev.data.fd = end;
	ASSERT_EQ(0, epoll_ctl(w.epfd, EPOLL_CTL_ADD, end, &ev));
	ASSERT_EQ(0, start(&w, epoll_once, &self->l));
	ASSERT_TRUE(blocks(&w));
	ASSERT_EQ(0, close(self->l.a));
	EXPECT_TRUE(refs_come_down_to(self->refs));
	EXPECT_EQ(4, link_send(&self->l, CT_DATA, "last", 4));
	/* The wait goes on until something else ends it. */
	ASSERT_EQ(0, eventfd_write(end, 1));
	pthread_join(w.thread, NULL);
	EXPECT_EQ(1, w.ret);
	EXPECT_EQ(end, w.err);
	close(w.epfd);
	close(end);
}

TEST_F(lifetime, close_while_a_thread_sends)
{
	unsigned int i, n = rounds(100, 10);

	for (i = 0; i < n; i++) {
		struct worker w = {};
		struct link l;

		ASSERT_EQ(0, link_raw(&l, variant->family, variant->cipher, 0));
		ASSERT_EQ(0, start(&w, send_until_error, &l));
		usleep(i * 50 % 3000);
		ASSERT_EQ(0, close(l.a));
		pthread_join(w.thread, NULL);
		EXPECT_EQ(EBADF, w.err);
		close(l.b);
	}
}

TEST_F(lifetime, shutdown_while_a_thread_receives)
{
	struct worker w = {};

	ASSERT_EQ(0, start(&w, recv_once, &self->l));
	ASSERT_TRUE(blocks(&w));
	ASSERT_EQ(0, shutdown(self->l.a, SHUT_RDWR));
	pthread_join(w.thread, NULL);
	EXPECT_EQ(0, w.ret);
	EXPECT_EQ(-1, send(self->l.a, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_TRUE(poll_for(self->l.a, POLLIN | POLLHUP, SOON_MS) & POLLHUP);
}

static void no_handler(int sig __attribute__((unused)))
{
}

TEST_F(lifetime, signal_while_receiving)
{
	struct sigaction sa = { .sa_handler = no_handler };
	struct worker w = {};

	ASSERT_EQ(0, sigaction(SIGUSR1, &sa, NULL));
	ASSERT_EQ(0, start(&w, recv_once, &self->l));
	ASSERT_TRUE(blocks(&w));
	ASSERT_EQ(0, pthread_kill(w.thread, SIGUSR1));
	pthread_join(w.thread, NULL);
	EXPECT_EQ(-1, w.ret);
	EXPECT_EQ(EINTR, w.err);
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(lifetime, exit_with_open_sockets)
{
	unsigned int i, n = rounds(20, 3);

	for (i = 0; i < n; i++) {
		int status, ready[2];
		char byte;
		pid_t pid;

		ASSERT_EQ(0, pipe(ready));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			struct worker w = {}, flood = {};
			struct link l[10];
			unsigned int j;

			close(ready[0]);
			for (j = 0; j < 10; j++) {
				if (link_raw(&l[j], variant->family,
					     variant->cipher, 0))
					_exit(1);
				link_send(&l[j], CT_DATA, "x", 1);
			}
			start(&w, recv_until_error, &l[0]);
			start(&flood, peer_flood, &l[0]);
			if (write(ready[1], "x", 1) != 1)
				_exit(1);
			for (;;)
				if (send(l[0].a, "x", 1, 0) != 1)
					_exit(1);
		}
		close(ready[1]);
		ASSERT_EQ(1, read(ready[0], &byte, 1));
		close(ready[0]);
		usleep(i * 500 % 5000);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_TRUE(refs_come_down_to(self->refs + 1));
	}
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(lifetime, destroyed_while_idle)
{
	char buf[16];
	int ret = destroy(self->l.a);

	if (ret == EOPNOTSUPP || ret == ENOENT)
		SKIP(return, "kernel without INET_DIAG_DESTROY");
	ASSERT_EQ(0, ret);
	EXPECT_EQ(-1, recv(self->l.a, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(ECONNABORTED, errno);
	EXPECT_EQ(-1, send(self->l.a, "secret", 6, MSG_NOSIGNAL));
	EXPECT_EQ(-1, recv(self->l.b, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

/* Who gets a destroyed socket's peer changed must not get its records. */
TEST_F(lifetime, destroyed_then_sent_elsewhere)
{
	int other = udp_socket(variant->family);
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char buf[64];
	int ret;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, getsockname(other, (struct sockaddr *)&addr, &len));
	ret = destroy(self->l.a);
	if (ret == EOPNOTSUPP || ret == ENOENT)
		SKIP(return, "kernel without INET_DIAG_DESTROY");
	ASSERT_EQ(0, ret);
	EXPECT_EQ(-1, sendto(self->l.a, "secret", 6, MSG_NOSIGNAL,
			     (struct sockaddr *)&addr, len));
	EXPECT_EQ(-1, sendto(self->l.a, "secret", 6, MSG_NOSIGNAL,
			     (struct sockaddr *)&addr, len));
	if (!connect(self->l.a, (struct sockaddr *)&addr, len))
		EXPECT_EQ(-1, send(self->l.a, "secret", 6, MSG_NOSIGNAL));
	EXPECT_EQ(-1, recv(other, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	close(other);
}

TEST_F(lifetime, destroyed_under_traffic)
{
	unsigned int i, n = rounds(60, 6);

	for (i = 0; i < n; i++) {
		struct worker flood = {}, in = {}, out = {};
		struct link l;
		int ret;

		ASSERT_EQ(0, link_raw(&l, variant->family, variant->cipher, 0));
		ASSERT_EQ(0, start(&flood, peer_flood, &l));
		ASSERT_EQ(0, start(&in, recv_until_error, &l));
		ASSERT_EQ(0, start(&out, send_until_error, &l));
		usleep(1000 + i * 137 % 5000);
		ret = destroy(l.a);
		if (ret == EOPNOTSUPP || ret == ENOENT) {
			shutdown(l.a, SHUT_RDWR);
			stop(&in);
			stop(&out);
			stop(&flood);
			SKIP(return, "kernel without INET_DIAG_DESTROY");
		}
		EXPECT_EQ(0, ret);
		/* One of the two sees the error itself, the other its result. */
		pthread_join(out.thread, NULL);
		EXPECT_EQ(-1, out.ret);
		in.stop = true;
		shutdown(l.a, SHUT_RDWR);
		pthread_join(in.thread, NULL);
		stop(&flood);
		link_close(&l);
	}
}

/* No thread may ever see half a key. */
TEST_F(lifetime, keys_change_while_others_send_and_receive)
{
	struct worker flood = {}, in = {}, out = {};
	struct peer_key tx = self->l.ab, rx = self->l.ba;
	unsigned int i, n = rounds(2000, 50);
	static struct peer_record rec;

	ASSERT_EQ(0, start(&flood, peer_flood, &self->l));
	ASSERT_EQ(0, start(&in, recv_until_error, &self->l));
	ASSERT_EQ(0, start(&out, send_until_error, &self->l));
	for (i = 0; i < n; i++) {
		tx.epoch++;
		rx.epoch++;
		tx.key[0]++;
		ASSERT_EQ(0, dtls_set_key(self->l.a, DTLS_TX, &tx));
		ASSERT_EQ(0, dtls_set_key(self->l.a, DTLS_RX, &rx));
		/* Unlocked: a record with half of each key is a forgery. */
		if (i % 3 == 0)
			self->l.ba = rx;
		/* On a busy machine the others may have had no turn so far. */
		while (i == n / 2 && (!in.n || !out.n)) {
			self->l.ba = rx;
			usleep(1000);
		}
	}
	stop(&out);
	stop(&flood);
	shutdown(self->l.a, SHUT_RD);
	stop(&in);
	/* And afterwards all is well. */
	self->l.ab = tx;
	self->l.ba = rx;
	while (recv(self->l.b, in.buf, sizeof(in.buf), MSG_DONTWAIT) >= 0)
		;
	EXPECT_EQ(1, send(self->l.a, "x", 1, 0));
	EXPECT_EQ(1, link_recv(&self->l, &rec));
}

/*
 * What the socket holds: in the receive buffer, and beside it in the budgets
 * of control records and of early ones.
 */
static unsigned int held(struct __test_metadata *_metadata, int fd)
{
	struct dtls_info info;

	ASSERT_EQ(0, dtls_get_info(fd, &info));
	return meminfo(fd, SK_MEMINFO_RMEM_ALLOC) + info.control_queued +
	       info.early_queued;
}

/* Everything that was charged to the socket is given back by reading. */
TEST_F(lifetime, memory_after_plain_reads)
{
	char buf[1000] = {};
	int i;

	for (i = 0; i < 40; i++)
		ASSERT_EQ(1000, link_send(&self->l, CT_DATA, buf, 1000));
	EXPECT_LT(40000, meminfo(self->l.a, SK_MEMINFO_RMEM_ALLOC));
	for (i = 0; i < 40; i++)
		ASSERT_EQ(1000, recv(self->l.a, buf, sizeof(buf), 0));
	EXPECT_EQ(0, meminfo(self->l.a, SK_MEMINFO_RMEM_ALLOC));
}

TEST_F(lifetime, memory_after_peeks_and_short_reads)
{
	char buf[1000] = {};
	long before;
	int i;

	/* What is looked at costs no less than what is queued. */
	ASSERT_EQ(1000, link_send(&self->l, CT_DATA, buf, 1000));
	settle();
	before = meminfo(self->l.a, SK_MEMINFO_RMEM_ALLOC);
	ASSERT_EQ(1000, recv(self->l.a, buf, sizeof(buf), MSG_PEEK));
	EXPECT_LE(before, meminfo(self->l.a, SK_MEMINFO_RMEM_ALLOC));
	ASSERT_EQ(1000, recv(self->l.a, buf, sizeof(buf), 0));

	for (i = 0; i < 40; i++)
		ASSERT_EQ(1000, link_send(&self->l, CT_DATA, buf, 1000));
	for (i = 0; i < 40; i++) {
		ASSERT_EQ(1000, recv(self->l.a, buf, sizeof(buf), MSG_PEEK));
		ASSERT_EQ(1, poll_for(self->l.a, POLLIN, 0));
		ASSERT_EQ(10, recv(self->l.a, buf, 10, 0));
	}
	EXPECT_EQ(0, meminfo(self->l.a, SK_MEMINFO_RMEM_ALLOC));
}

TEST_F(lifetime, memory_after_packed_datagrams)
{
	unsigned char out[4000];
	char buf[100] = {};
	int i, j;

	for (i = 0; i < 10; i++) {
		size_t n = 0;

		for (j = 0; j < 20; j++)
			n += peer_seal(&self->l.ba, CT_DATA, self->l.b_seq++,
				       buf, sizeof(buf), out + n);
		ASSERT_EQ(n, send(self->l.b, out, n, 0));
	}
	for (i = 0; i < 200; i++)
		ASSERT_EQ(100, recv(self->l.a, buf, sizeof(buf), 0));
	EXPECT_EQ(0, meminfo(self->l.a, SK_MEMINFO_RMEM_ALLOC));
}

TEST_F(lifetime, memory_after_coalesced_datagrams)
{
	static unsigned char out[60000];
	int i, zero = 0, none = -1;
	size_t n = 0, one = 0;
	char buf[1000] = {};
	long before;

	for (i = 0; i < 40; i++) {
		one = peer_seal(&self->l.ba, CT_DATA, self->l.b_seq++, buf,
				1000, out + n);
		n += one;
	}
	ASSERT_EQ(n, send_segments(self->l.b, out, n, one, 0));
	settle();
	before = meminfo(self->l.a, SK_MEMINFO_RMEM_ALLOC);
	EXPECT_LT(40000, before);

	/* To look at each record holds one super-packet, not forty. */
	ASSERT_EQ(0, setsockopt(self->l.a, SOL_SOCKET, SO_PEEK_OFF, &zero,
				sizeof(zero)));
	for (i = 0; i < 40; i++)
		ASSERT_EQ(1000, recv(self->l.a, buf, sizeof(buf), MSG_PEEK));
	EXPECT_LT(40000, meminfo(self->l.a, SK_MEMINFO_RMEM_ALLOC));
	EXPECT_GT(5 * before, meminfo(self->l.a, SK_MEMINFO_RMEM_ALLOC));
	ASSERT_EQ(0, setsockopt(self->l.a, SOL_SOCKET, SO_PEEK_OFF, &none,
				sizeof(none)));
	for (i = 0; i < 40; i++)
		ASSERT_EQ(1000, recv(self->l.a, buf, sizeof(buf), 0));
	EXPECT_EQ(0, meminfo(self->l.a, SK_MEMINFO_RMEM_ALLOC));

	/* Nor does it cost nothing while the rest of it waits. */
	for (i = 0, n = 0; i < 40; i++)
		n += peer_seal(&self->l.ba, CT_DATA, self->l.b_seq++, buf,
			       1000, out + n);
	ASSERT_EQ(n, send_segments(self->l.b, out, n, one, 0));
	settle();
	for (i = 0; i < 40; i++) {
		EXPECT_LT(1000, meminfo(self->l.a, SK_MEMINFO_RMEM_ALLOC));
		ASSERT_EQ(1000, recv(self->l.a, buf, sizeof(buf), 0));
	}
	EXPECT_EQ(0, meminfo(self->l.a, SK_MEMINFO_RMEM_ALLOC));
}

TEST_F(lifetime, memory_after_forgeries)
{
	char buf[1000] = {};
	struct peer_key bad = self->l.ba;
	struct link l = self->l;
	int i;

	bad.key[0] ^= 1;
	l.ba = bad;
	for (i = 0; i < 40; i++)
		ASSERT_EQ(1000, link_send(&l, CT_DATA, buf, 1000));
	EXPECT_EQ(0, poll_for(self->l.a, POLLIN, 200));
	EXPECT_EQ(0, meminfo(self->l.a, SK_MEMINFO_RMEM_ALLOC));
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(lifetime, memory_after_early_records)
{
	char buf[1000] = {};
	int i;

	self->l.ba.epoch = 2;
	self->l.b_seq = 0;
	for (i = 0; i < 20; i++)
		ASSERT_EQ(1000, link_send(&self->l, CT_DATA, buf, 1000));
	EXPECT_EQ(0, poll_for(self->l.a, POLLIN, 200));
	EXPECT_LT(20000, held(_metadata, self->l.a));
	ASSERT_EQ(0, dtls_set_key(self->l.a, DTLS_RX, &self->l.ba));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(1000, recv(self->l.a, buf, sizeof(buf), 0));
	EXPECT_EQ(0, held(_metadata, self->l.a));
}

TEST_F(lifetime, memory_after_control_records)
{
	struct dtls_record_info ri;
	struct dtls_info info;
	char buf[1000] = {};
	int i;

	for (i = 0; i < 10; i++)
		ASSERT_EQ(500, link_send(&self->l, CT_HANDSHAKE, buf, 500));
	EXPECT_EQ(0, poll_for(self->l.a, POLLIN, 200));
	EXPECT_LT(5000, held(_metadata, self->l.a));
	for (i = 0; i < 10; i++)
		ASSERT_EQ(500, recv_control(self->l.a, &ri, buf, sizeof(buf)));
	ASSERT_EQ(0, dtls_get_info(self->l.a, &info));
	EXPECT_EQ(0, info.control_queued);
	EXPECT_EQ(0, meminfo(self->l.a, SK_MEMINFO_RMEM_ALLOC));
}

/* What nobody reads is bounded by SO_RCVBUF, whatever it is. */
TEST_F(lifetime, memory_stays_within_the_receive_buffer)
{
	static const struct { __u8 type; __u16 epoch; } kinds[] = {
		{ CT_DATA, 1 }, { CT_HANDSHAKE, 1 }, { CT_DATA, 2 },
		{ CT_HANDSHAKE, 0 },
	};
	int size = 32768, i;
	char buf[500] = {};
	size_t k;

	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct link l;

		ASSERT_EQ(0, link_raw(&l, variant->family, variant->cipher, 0));
		ASSERT_EQ(0, setsockopt(l.a, SOL_SOCKET, SO_RCVBUF, &size,
					sizeof(size)));
		l.ba.epoch = kinds[k].epoch;
		for (i = 0; i < 300; i++) {
			ASSERT_EQ(500, link_send(&l, kinds[k].type, buf, 500));
			/* This moves what is not readable elsewhere. */
			if (i % 10 == 9)
				poll_for(l.a, POLLIN, 0);
		}
		/* The option means half of what is charged; UDP goes over it
		 * by one packet. What lies beside it is half of it at most.
		 */
		EXPECT_LT(size / 8, held(_metadata, l.a));
		EXPECT_GT(2 * size + 4096, meminfo(l.a, SK_MEMINFO_RMEM_ALLOC));
		EXPECT_GT(3 * size + 4096, held(_metadata, l.a));
		link_close(&l);
	}
}

TEST_F(lifetime, memory_of_sent_records)
{
	char buf[1000] = {};
	unsigned char in[1500];
	int i;

	for (i = 0; i < 40; i++) {
		ASSERT_EQ(1000, send(self->l.a, buf, 1000, 0));
		ASSERT_LT(1000, recv(self->l.b, in, sizeof(in), 0));
	}
	EXPECT_EQ(0, meminfo(self->l.a, SK_MEMINFO_WMEM_ALLOC));
	EXPECT_EQ(0, meminfo(self->l.a, SK_MEMINFO_WMEM_QUEUED));
}

/* What a namespace counts is its own. */
TEST_F(lifetime, counters_are_the_namespace_s)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	long long before = dtls_stat("DtlsTxRecords");
	int here = open("/proc/self/ns/net", O_RDONLY);
	struct link l;
	int fd;

	ASSERT_LE(0, before);
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_EQ(0, ioctl(fd, SIOCSIFFLAGS, &ifr));
	close(fd);
	EXPECT_EQ(0, dtls_stat("DtlsTxRecords"));
	EXPECT_EQ(0, dtls_stat("DtlsRxRecords"));
	ASSERT_EQ(0, link_raw(&l, variant->family, variant->cipher, 0));
	EXPECT_TRUE(link_raw_works(&l));
	EXPECT_EQ(1, dtls_stat("DtlsTxRecords"));
	EXPECT_EQ(6, dtls_stat("DtlsTxBytes"));
	EXPECT_EQ(1, dtls_stat("DtlsRxRecords"));
	EXPECT_EQ(15, dtls_stat("DtlsRxBytes"));

	/* A socket counts where it was made. */
	ASSERT_EQ(0, setns(here, CLONE_NEWNET));
	EXPECT_TRUE(link_raw_works(&l));
	EXPECT_EQ(before, dtls_stat("DtlsTxRecords"));
	EXPECT_TRUE(link_raw_works(&self->l));
	EXPECT_EQ(before + 1, dtls_stat("DtlsTxRecords"));
	link_close(&l);
	close(here);
}

/* A namespace whose last user is a socket in another process's hands */
TEST_F(lifetime, namespace_ends_before_its_sockets)
{
	unsigned int i, n = rounds(50, 5);

	for (i = 0; i < n; i++) {
		struct link l = self->l;
		int sv[2], status;
		pid_t pid;

		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, sv));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			struct ifreq ifr = { .ifr_name = "lo",
					     .ifr_flags = IFF_UP };
			char ctl[CMSG_SPACE(2 * sizeof(int))] = {};
			struct iovec iov = { "x", 1 };
			struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
					      .msg_control = ctl,
					      .msg_controllen = sizeof(ctl) };
			struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
			int fd;

			if (unshare(CLONE_NEWNET))
				_exit(1);
			fd = socket(AF_INET, SOCK_DGRAM, 0);
			if (ioctl(fd, SIOCSIFFLAGS, &ifr))
				_exit(2);
			if (link_raw(&l, variant->family, variant->cipher, 0))
				_exit(3);
			/* Something is queued, too. */
			send(l.a, "x", 1, 0);
			c->cmsg_level = SOL_SOCKET;
			c->cmsg_type = SCM_RIGHTS;
			c->cmsg_len = CMSG_LEN(2 * sizeof(int));
			memcpy(CMSG_DATA(c), (int[]){ l.a, l.b },
			       2 * sizeof(int));
			_exit(sendmsg(sv[1], &msg, 0) != 1);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
		{
			char byte, ctl[CMSG_SPACE(2 * sizeof(int))];
			struct iovec iov = { &byte, 1 };
			struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
					      .msg_control = ctl,
					      .msg_controllen = sizeof(ctl) };
			struct peer_record rec;
			int fds[2];

			ASSERT_EQ(1, recvmsg(sv[0], &msg, 0));
			ASSERT_NE(NULL, CMSG_FIRSTHDR(&msg));
			memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&msg)),
			       sizeof(fds));
			l.a = fds[0];
			l.b = fds[1];
			EXPECT_EQ(1, link_recv(&l, &rec));
			EXPECT_TRUE(link_raw_works(&l));
			link_send(&l, CT_DATA, "unread", 6);
		}
		link_close(&l);
		close(sv[0]);
		close(sv[1]);
	}
	EXPECT_TRUE(refs_come_down_to(self->refs + 1));
	EXPECT_TRUE(link_raw_works(&self->l));
}

/* The module itself */
static int unload(void)
{
	return syscall(SYS_delete_module, "dtls", O_NONBLOCK);
}

static int load(void)
{
	return system("modprobe dtls");
}

TEST_F(lifetime, unload_is_refused_while_a_socket_is_open)
{
	EXPECT_EQ(-1, unload());
	EXPECT_EQ(EWOULDBLOCK, errno);
	EXPECT_TRUE(link_raw_works(&self->l));
	/* Another end of the same socket counts, too. */
	ASSERT_LE(0, dup2(self->l.a, self->l.b));
	EXPECT_EQ(-1, unload());
	EXPECT_EQ(EWOULDBLOCK, errno);
}

/* rmmod comes at any moment, of which most are wrong ones. */
TEST_F(lifetime, unload_is_refused_under_traffic)
{
	struct worker flood = {}, in = {}, out = {};
	unsigned int i, n = rounds(500, 20);

	ASSERT_EQ(0, start(&flood, peer_flood, &self->l));
	ASSERT_EQ(0, start(&in, recv_until_error, &self->l));
	ASSERT_EQ(0, start(&out, send_until_error, &self->l));
	/* However long the first record takes to get there */
	while (!__atomic_load_n(&in.n, __ATOMIC_RELAXED) ||
	       !__atomic_load_n(&out.n, __ATOMIC_RELAXED))
		usleep(1000);
	for (i = 0; i < n; i++) {
		EXPECT_EQ(-1, unload());
		EXPECT_EQ(EWOULDBLOCK, errno);
		usleep(200);
	}
	stop(&out);
	stop(&flood);
	shutdown(self->l.a, SHUT_RD);
	stop(&in);
}

TEST_F_TIMEOUT(lifetime, load_and_unload_under_traffic, 280)
{
	unsigned int i, n = rounds(50, 6);

	ASSERT_EQ(0, self->refs);
	link_close(&self->l);
	for (i = 0; i < n; i++) {
		struct worker flood = {}, in = {}, out = {};
		int ret, tries = 0;
		struct link l;

		ASSERT_EQ(0, link_raw(&l, variant->family, variant->cipher, 0));
		ASSERT_EQ(0, start(&flood, peer_flood, &l));
		ASSERT_EQ(0, start(&in, recv_until_error, &l));
		ASSERT_EQ(0, start(&out, send_until_error, &l));
		usleep(2000 + i * 97 % 3000);
		/* The traffic goes on into the close, and that into the rmmod. */
		close(l.a);
		pthread_join(out.thread, NULL);
		in.stop = true;
		pthread_join(in.thread, NULL);
		while ((ret = unload()) && errno == EWOULDBLOCK &&
		       tries++ < 1000)
			usleep(10000);
		stop(&flood);
		close(l.b);
		ASSERT_EQ(0, ret) TH_LOG("%s", strerror(errno));
		ASSERT_EQ(0, load());
	}
	/* For the fixture's end */
	ASSERT_EQ(0, link_open(&self->l, variant->family, variant->cipher, 0));
}

/* Attaches race the removal: each is served or refused, none is left over. */
TEST_F_TIMEOUT(lifetime, attach_while_the_module_goes, 280)
{
	unsigned int i, j, n = rounds(20, 4), served = 0, refused = 0;

	ASSERT_EQ(0, self->refs);
	link_close(&self->l);
	for (i = 0; i < n; i++) {
		int fd[16], status;
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid) {
			for (j = 0; j < 200 && unload(); j++)
				usleep(50);
			_exit(0);
		}
		for (j = 0; j < 16; j++) {
			fd[j] = udp_socket(variant->family);
			if (dtls_attach(fd[j])) {
				EXPECT_EQ(ENOPROTOOPT, errno);
				refused++;
			} else {
				served++;
			}
			close(fd[j]);
			usleep(100);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, load());
	}
	TH_LOG("%u served, %u refused", served, refused);
	ASSERT_EQ(0, link_open(&self->l, variant->family, variant->cipher, 0));
}

/*
 * An AF_INET6 socket that IPV6_ADDRFORM made an AF_INET one is refused; and
 * when it is the first that asks, the others are served all the same.
 */
TEST_F_TIMEOUT(lifetime, converted_socket_that_asks_first_harms_nobody, 280)
{
	struct sockaddr_in6 peer = { .sin6_family = AF_INET6,
				     .sin6_port = htons(9) };
	int fd, family = AF_INET;

	ASSERT_EQ(0, self->refs);
	link_close(&self->l);
	ASSERT_EQ(0, unload()) TH_LOG("%s", strerror(errno));
	ASSERT_EQ(0, load());

	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	ASSERT_EQ(1, inet_pton(AF_INET6, "::ffff:127.0.0.1", &peer.sin6_addr));
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&peer, sizeof(peer)));
	ASSERT_EQ(0, setsockopt(fd, SOL_IPV6, IPV6_ADDRFORM, &family,
				sizeof(family)));
	EXPECT_EQ(-1, dtls_attach(fd));
	EXPECT_EQ(EAFNOSUPPORT, errno);
	EXPECT_EQ(1, send(fd, "x", 1, 0)) TH_LOG("%s", strerror(errno));
	close(fd);

	ASSERT_EQ(0, link_raw(&self->l, variant->family, variant->cipher, 0));
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_HARNESS_MAIN
