// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting: poll, epoll and io_uring say "readable" if and only if a record can
 * be read, whatever else arrives; and who waits in recv is woken by all there
 * is to wake him.
 */
#include "harness.h"

#include <liburing.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>

#include "common.h"

static __u8 text[4096], buf[DGRAM_MAX], wire[DGRAM_MAX];

static const __u8 close_notify[] = { ALERT_WARNING, ALERT_CLOSE_NOTIFY };

LINK_FIXTURE(poll);

LINK_VARIANT(poll, v4, DTLS_CIPHER_AES_GCM_128, AF_INET, 0);
LINK_VARIANT(poll, v6_cid, DTLS_CIPHER_CHACHA20_POLY1305, AF_INET6, 5);
LINK_VARIANT(poll, v13_v4, V13(DTLS_CIPHER_AES_GCM_128), AF_INET, 0);
LINK_VARIANT(poll, v13_v6_cid, V13(DTLS_CIPHER_CHACHA20_POLY1305), AF_INET6, 5);

LINK_SETUP(poll, text)

/*
 * Something that must not be seen: a forgery, a replay, an empty record, an
 * unknown epoch, a record of another kind, or no record at all.
 */
static void send_nothing(struct link *l, unsigned int kind)
{
	struct peer_key k = l->ba;
	ssize_t len;

	switch (kind % 8) {
	case 0:
		len = peer_seal(&k, CT_DATA, l->b_seq, text, 100, wire);
		wire[len - 1 - kind % 100] ^= 1;
		break;
	case 1:
		if (!l->b_seq)
			return;
		len = peer_seal(&k, CT_DATA, l->b_seq - 1, text, 100, wire);
		break;
	case 2:
		len = peer_seal(&k, CT_DATA, l->b_seq++, text, 0, wire);
		break;
	case 3:
		k.epoch = 77;
		len = peer_seal(&k, CT_DATA, l->b_seq, text, 100, wire);
		break;
	case 4:
		len = peer_seal(&k, CT_HANDSHAKE, l->b_seq++, text, 100, wire);
		break;
	case 5:
		len = plain_record(CT_HANDSHAKE, 0, kind, text, 100, wire);
		break;
	case 6:
		len = kind % 200;
		memcpy(wire, text, len);
		break;
	default:
		/* Of the next epoch: waits for its key */
		k.epoch++;
		len = peer_seal(&k, CT_DATA, 0, text, 100, wire);
	}
	send(l->b, wire, len, 0);
}

static void drain_control(struct link *l)
{
	struct dtls_record_info info;

	while (recv_control(l->a, &info, buf, sizeof(buf)) >= 0)
		;
}

TEST_F(poll, idle_socket_is_writable_and_not_readable)
{
	struct link *l = &self->l;

	EXPECT_EQ(POLLOUT, poll_for(l->a, POLLIN | POLLPRI | POLLRDHUP |
				    POLLOUT | POLLRDNORM, 0));
	ASSERT_EQ(10, send(l->a, text, 10, 0));
	EXPECT_EQ(POLLOUT, poll_for(l->a, POLLIN | POLLOUT, 0));
}

TEST_F(poll, readable_while_there_is_a_record)
{
	struct link *l = &self->l;
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(POLLIN | POLLRDNORM,
			  poll_for(l->a, POLLIN | POLLRDNORM, 0));
		ASSERT_EQ(POLLIN, poll_for(l->a, POLLIN, 0));
		ASSERT_EQ(10, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
	}
	ASSERT_EQ(0, poll_for(l->a, POLLIN, 0));
}

/* Records left over from one datagram are as good as new datagrams. */
TEST_F(poll, readable_by_leftovers)
{
	struct link *l = &self->l;
	ssize_t one = 0, len = 0;
	int gso, i;

	for (gso = 0; gso < 2; gso++) {
		for (i = 0, len = 0; i < 5; i++, len += one)
			one = peer_seal_more(&l->ba, CT_DATA, l->b_seq++, text,
					     100, wire + len);
		ASSERT_EQ(len, send_segments(l->b, wire, len,
					     gso ? one : len, 0));
		for (i = 0; i < 5; i++) {
			ASSERT_EQ(POLLIN, poll_for(l->a, POLLIN, 0));
			ASSERT_EQ(100, recv(l->a, buf, sizeof(buf),
					    MSG_DONTWAIT));
		}
		ASSERT_EQ(0, poll_for(l->a, POLLIN, 0));
	}
}

TEST_F(poll, readable_after_peek)
{
	struct link *l = &self->l;

	ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
	ASSERT_EQ(10, recv(l->a, buf, sizeof(buf), MSG_PEEK));
	ASSERT_EQ(POLLIN, poll_for(l->a, POLLIN, 0));
	ASSERT_EQ(10, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
	ASSERT_EQ(0, poll_for(l->a, POLLIN, 0));
}

TEST_F(poll, nothing_of_no_value_is_readable)
{
	struct link *l = &self->l;
	unsigned int i;

	for (i = 0; i < 80; i++) {
		send_nothing(l, i);
		ASSERT_EQ(0, poll_for(l->a, POLLIN, 0))
			TH_LOG("kind %u", i % 8);
	}
	drain_control(l);
}

TEST_F(poll, select)
{
	struct timeval tv = {};
	struct link *l = &self->l;
	fd_set set;

	FD_ZERO(&set);
	FD_SET(l->a, &set);
	send_nothing(l, 0);
	ASSERT_EQ(0, select(l->a + 1, &set, NULL, NULL, &tv));
	ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
	FD_SET(l->a, &set);
	settle();
	ASSERT_EQ(1, select(l->a + 1, &set, NULL, NULL, &tv));
	ASSERT_EQ(10, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
}

/*
 * A flood of what must not be seen with records in it, from another thread
 */

struct flood {
	struct link *l;
	int rounds;
	int sent;
	int received;
};

static void *flood(void *arg)
{
	struct flood *f = arg;
	unsigned int state = 1, i;
	int round;

	roam();
	for (round = 0; round < f->rounds; round++) {
		state = state * 1103515245 + 12345;
		for (i = 0; i < (state >> 16) % 6; i++)
			send_nothing(f->l, (state >> 20) + i);
		if (state >> 30)
			continue;
		/* The queue must not overflow with it. */
		while (f->sent - __atomic_load_n(&f->received,
						 __ATOMIC_ACQUIRE) > 30)
			usleep(100);
		if (link_send(f->l, CT_DATA, text, 64) == 64)
			__atomic_add_fetch(&f->sent, 1, __ATOMIC_RELEASE);
	}
	/* The last word: what tells the reader that this was all */
	link_send(f->l, CT_DATA, "end", 3);
	return NULL;
}

/* "Readable" was said. Read what there is; true at the end of the flood. */
static bool read_promised(struct __test_metadata *_metadata, struct flood *f,
			  bool all)
{
	bool first = true;
	ssize_t n;

	do {
		n = recv(f->l->a, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0) {
			ASSERT_EQ(EAGAIN, errno);
			ASSERT_FALSE(first)
				TH_LOG("readable, but there was nothing");
			return false;
		}
		if (n == 3)
			return true;
		ASSERT_EQ(64, n);
		ASSERT_EQ(0, memcmp(buf, text, 64));
		__atomic_add_fetch(&f->received, 1, __ATOMIC_RELEASE);
		first = false;
	} while (all);
	drain_control(f->l);
	return false;
}

#define FLOOD_ROUNDS	rounds(6000, 300)

static void start_flood(struct __test_metadata *_metadata, struct flood *f,
			struct link *l, pthread_t *thread)
{
	*f = (struct flood){ .l = l, .rounds = FLOOD_ROUNDS };
	ASSERT_OK(deep_queue(l->a));
	ASSERT_OK(pthread_create(thread, NULL, flood, f));
}

static void end_flood(struct __test_metadata *_metadata, struct flood *f,
		      pthread_t thread)
{
	pthread_join(thread, NULL);
	ASSERT_LT(0, f->sent);
	ASSERT_EQ(f->sent, f->received);
}

TEST_F(poll, poll_never_lies_under_a_flood)
{
	pthread_t thread;
	struct flood f;

	start_flood(_metadata, &f, &self->l, &thread);
	do {
		ASSERT_EQ(POLLIN, poll_for(self->l.a, POLLIN, SOON_MS));
	} while (!read_promised(_metadata, &f, false));
	end_flood(_metadata, &f, thread);
}

TEST_F(poll, epoll_never_lies_under_a_flood)
{
	struct epoll_event ev;
	pthread_t thread;
	struct flood f;
	int ep;

	ep = epoll_of(self->l.a, EPOLLIN);
	ASSERT_LE(0, ep);
	start_flood(_metadata, &f, &self->l, &thread);
	do {
		ASSERT_EQ(1, epoll_wait(ep, &ev, 1, SOON_MS));
		ASSERT_EQ((__u32)EPOLLIN, ev.events);
	} while (!read_promised(_metadata, &f, false));
	end_flood(_metadata, &f, thread);
	close(ep);
}

/*
 * An edge that comes while the reader still drains may find nothing left. So
 * here each record is waited for before the next is sent.
 */
TEST_F(poll, epoll_edge_never_lies)
{
	struct epoll_event ev;
	struct link *l = &self->l;
	unsigned int i, n = rounds(1000, 60);
	int ep;

	ASSERT_OK(deep_queue(l->a));
	ep = epoll_of(l->a, EPOLLIN | EPOLLET);
	ASSERT_LE(0, ep);
	for (i = 0; i < n; i++) {
		send_nothing(l, i);
		ASSERT_EQ(0, epoll_wait(ep, &ev, 1, 0))
			TH_LOG("kind %u", i % 8);
		ASSERT_EQ(64, link_send(l, CT_DATA, text, 64));
		send_nothing(l, i / 8);
		ASSERT_EQ(1, epoll_wait(ep, &ev, 1, SOON_MS));
		ASSERT_EQ((__u32)EPOLLIN, ev.events);
		ASSERT_EQ(64, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
		ASSERT_EQ(-1, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
		ASSERT_EQ(0, epoll_wait(ep, &ev, 1, 0));
		drain_control(l);
	}
	close(ep);
}

/* No edge is lost: drained after each, everything comes. */
TEST_F(poll, epoll_edge_misses_nothing_under_a_flood)
{
	struct epoll_event ev;
	pthread_t thread;
	struct flood f;
	bool end = false;
	ssize_t n;
	int ep;

	ep = epoll_of(self->l.a, EPOLLIN | EPOLLET);
	ASSERT_LE(0, ep);
	start_flood(_metadata, &f, &self->l, &thread);
	while (!end) {
		ASSERT_EQ(1, epoll_wait(ep, &ev, 1, SOON_MS));
		for (;;) {
			n = recv(self->l.a, buf, sizeof(buf), MSG_DONTWAIT);
			if (n < 0)
				break;
			if (n == 3)
				end = true;
			else
				__atomic_add_fetch(&f.received, 1,
						   __ATOMIC_RELEASE);
		}
		ASSERT_EQ(EAGAIN, errno);
		drain_control(&self->l);
	}
	end_flood(_metadata, &f, thread);
	close(ep);
}

TEST_F(poll, epoll_oneshot)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT };
	struct link *l = &self->l;
	int ep;

	ep = epoll_of(l->a, EPOLLIN | EPOLLONESHOT);
	ASSERT_LE(0, ep);
	send_nothing(l, 0);
	ASSERT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
	ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
	ASSERT_EQ(1, epoll_wait(ep, &ev, 1, SOON_MS));
	ASSERT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	ASSERT_EQ(10, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
	ev.events = EPOLLIN | EPOLLONESHOT;
	ASSERT_OK(epoll_ctl(ep, EPOLL_CTL_MOD, l->a, &ev));
	ASSERT_EQ(1, epoll_wait(ep, &ev, 1, 0));
	close(ep);
}

/* One waiter is as good as another: an epoll in an epoll */
TEST_F(poll, nested_epoll)
{
	struct epoll_event ev;
	struct link *l = &self->l;
	int inner, outer;

	inner = epoll_of(l->a, EPOLLIN);
	ASSERT_LE(0, inner);
	outer = epoll_of(inner, EPOLLIN);
	ASSERT_LE(0, outer);
	send_nothing(l, 0);
	ASSERT_EQ(0, epoll_wait(outer, &ev, 1, 0));
	ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
	ASSERT_EQ(1, epoll_wait(outer, &ev, 1, SOON_MS));
	ASSERT_EQ(1, epoll_wait(inner, &ev, 1, 0));
	ASSERT_EQ(10, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
	ASSERT_EQ(0, epoll_wait(outer, &ev, 1, 0));
	close(outer);
	close(inner);
}

/*
 * io_uring
 */

static int uring_completions(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;

	/* Runs what was put off, too. */
	io_uring_submit(ring);
	return io_uring_peek_cqe(ring, &cqe) == 0;
}

TEST_F(poll, io_uring_poll_never_lies)
{
	unsigned int i, n = rounds(1000, 60);
	struct io_uring_cqe *cqe;
	struct link *l = &self->l;
	struct io_uring ring;

	ASSERT_OK(deep_queue(l->a));
	ASSERT_OK(io_uring_queue_init(4, &ring, 0));
	for (i = 0; i < n; i++) {
		io_uring_prep_poll_add(io_uring_get_sqe(&ring), l->a, POLLIN);
		ASSERT_EQ(1, io_uring_submit(&ring));
		send_nothing(l, i);
		ASSERT_EQ(0, uring_completions(&ring))
			TH_LOG("kind %u", i % 8);
		ASSERT_EQ(64, link_send(l, CT_DATA, text, 64));
		ASSERT_OK(io_uring_wait_cqe(&ring, &cqe));
		ASSERT_TRUE(cqe->res & POLLIN);
		io_uring_cqe_seen(&ring, cqe);
		ASSERT_EQ(64, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
		drain_control(l);
	}
	io_uring_queue_exit(&ring);
}

TEST_F(poll, io_uring_multishot_never_lies)
{
	unsigned int i, n = rounds(1000, 60);
	struct io_uring_cqe *cqe;
	struct link *l = &self->l;
	struct io_uring ring;

	ASSERT_OK(deep_queue(l->a));
	ASSERT_OK(io_uring_queue_init(4, &ring, 0));
	io_uring_prep_poll_multishot(io_uring_get_sqe(&ring), l->a, POLLIN);
	ASSERT_EQ(1, io_uring_submit(&ring));
	for (i = 0; i < n; i++) {
		send_nothing(l, i);
		ASSERT_EQ(0, uring_completions(&ring))
			TH_LOG("kind %u", i % 8);
		ASSERT_EQ(64, link_send(l, CT_DATA, text, 64));
		ASSERT_OK(io_uring_wait_cqe(&ring, &cqe));
		ASSERT_TRUE(cqe->res & POLLIN);
		ASSERT_TRUE(cqe->flags & IORING_CQE_F_MORE);
		io_uring_cqe_seen(&ring, cqe);
		ASSERT_EQ(64, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
		drain_control(l);
	}
	io_uring_queue_exit(&ring);
}

TEST_F(poll, io_uring_recv_under_a_flood)
{
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	pthread_t thread;
	struct flood f;
	int n;

	ASSERT_OK(io_uring_queue_init(4, &ring, 0));
	start_flood(_metadata, &f, &self->l, &thread);
	do {
		io_uring_prep_recv(io_uring_get_sqe(&ring), self->l.a, buf,
				   sizeof(buf), 0);
		ASSERT_EQ(1, io_uring_submit(&ring));
		ASSERT_OK(io_uring_wait_cqe(&ring, &cqe));
		n = cqe->res;
		io_uring_cqe_seen(&ring, cqe);
		ASSERT_TRUE(n == 64 || n == 3)
			TH_LOG("recv: %d", n);
		if (n == 64)
			__atomic_add_fetch(&f.received, 1, __ATOMIC_RELEASE);
		drain_control(&self->l);
	} while (n != 3);
	end_flood(_metadata, &f, thread);
	io_uring_queue_exit(&ring);
}

/*
 * Control records, end of file, errors
 */

TEST_F(poll, pri_only_for_who_asked)
{
	struct dtls_record_info info;
	struct link *l = &self->l;
	socklen_t len = sizeof(int);
	int val = -1;

	ASSERT_OK(getsockopt(l->a, SOL_DTLS, DTLS_POLL_CONTROL, &val, &len));
	EXPECT_EQ(0, val);
	ASSERT_EQ(20, link_send(l, CT_HANDSHAKE, text, 20));
	EXPECT_EQ(0, poll_for(l->a, POLLPRI | POLLIN, 0));

	val = 1;
	ASSERT_OK(setsockopt(l->a, SOL_DTLS, DTLS_POLL_CONTROL, &val, len));
	EXPECT_EQ(POLLPRI, poll_for(l->a, POLLPRI | POLLIN, 0));
	EXPECT_EQ(0, poll_for(l->a, POLLIN, 0));
	ASSERT_EQ(20, recv_control(l->a, &info, buf, sizeof(buf)));
	EXPECT_EQ(0, poll_for(l->a, POLLPRI | POLLIN, 0));

	/* Not looked at by anybody yet */
	ASSERT_EQ(20, link_send(l, CT_HANDSHAKE, text, 20));
	EXPECT_EQ(POLLPRI, poll_for(l->a, POLLPRI, SOON_MS));
	ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
	EXPECT_EQ(POLLPRI | POLLIN, poll_for(l->a, POLLPRI | POLLIN, 0));

	val = 0;
	ASSERT_OK(setsockopt(l->a, SOL_DTLS, DTLS_POLL_CONTROL, &val, len));
	EXPECT_EQ(POLLIN, poll_for(l->a, POLLPRI | POLLIN, 0));
}

static void *send_handshake_soon(void *arg)
{
	struct link *l = arg;

	usleep(50000);
	link_send(l, CT_HANDSHAKE, text, 20);
	return NULL;
}

TEST_F(poll, pri_wakes_epoll)
{
	struct link *l = &self->l;
	struct epoll_event ev;
	pthread_t thread;
	int ep, val = 1;

	ASSERT_OK(setsockopt(l->a, SOL_DTLS, DTLS_POLL_CONTROL, &val,
			     sizeof(val)));
	ep = epoll_of(l->a, EPOLLIN | EPOLLPRI);
	ASSERT_LE(0, ep);
	ASSERT_OK(pthread_create(&thread, NULL, send_handshake_soon, l));
	ASSERT_EQ(1, epoll_wait(ep, &ev, 1, SOON_MS));
	EXPECT_EQ((__u32)EPOLLPRI, ev.events);
	pthread_join(thread, NULL);
	close(ep);
}

/* io_uring arms POLLPRI with every recv: a control record must not end it. */
TEST_F(poll, control_does_not_complete_io_uring_recv)
{
	struct io_uring_cqe *cqe;
	struct link *l = &self->l;
	struct io_uring ring;

	ASSERT_OK(io_uring_queue_init(4, &ring, 0));
	io_uring_prep_recv(io_uring_get_sqe(&ring), l->a, buf, sizeof(buf), 0);
	ASSERT_EQ(1, io_uring_submit(&ring));
	ASSERT_EQ(20, link_send(l, CT_HANDSHAKE, text, 20));
	ASSERT_EQ(0, uring_completions(&ring));
	ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
	ASSERT_OK(io_uring_wait_cqe(&ring, &cqe));
	EXPECT_EQ(10, cqe->res);
	io_uring_queue_exit(&ring);
}

TEST_F(poll, close_notify_is_rdhup)
{
	struct link *l = &self->l;
	short all = POLLIN | POLLRDHUP;

	ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
	ASSERT_EQ(2, link_send(l, CT_ALERT, close_notify, 2));
	ASSERT_TRUE(poll_for(l->a, all, SOON_MS) & POLLIN);
	ASSERT_EQ(10, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
	ASSERT_EQ(all, poll_for(l->a, all, SOON_MS));
	ASSERT_EQ(0, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
	ASSERT_EQ(all, poll_for(l->a, all, 0));
	/* This end may still send. */
	EXPECT_EQ(POLLOUT, poll_for(l->a, POLLOUT, 0));
}

TEST_F(poll, close_notify_wakes_epoll_edge)
{
	struct link *l = &self->l;
	struct epoll_event ev;
	int ep;

	ep = epoll_of(l->a, EPOLLIN | EPOLLRDHUP | EPOLLET);
	ASSERT_LE(0, ep);
	ASSERT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	ASSERT_EQ(2, link_send(l, CT_ALERT, close_notify, 2));
	ASSERT_EQ(1, epoll_wait(ep, &ev, 1, SOON_MS));
	EXPECT_EQ((__u32)(EPOLLIN | EPOLLRDHUP), ev.events);
	close(ep);
}

TEST_F(poll, error_is_pollerr_until_it_is_told)
{
	struct link *l = &self->l;
	socklen_t len = sizeof(int);
	int err = 0;

	close(l->b);
	l->b = -1;
	ASSERT_EQ(10, send(l->a, text, 10, 0));
	/* poll looks into the queue, and leaves the error where it was. */
	ASSERT_TRUE(poll_for(l->a, POLLIN, SOON_MS) & POLLERR);
	ASSERT_TRUE(poll_for(l->a, POLLIN, 0) & POLLERR);
	ASSERT_ERRNO(ECONNREFUSED, recv(l->a, buf, sizeof(buf), 0));
	EXPECT_EQ(0, poll_for(l->a, POLLIN, 0));

	ASSERT_EQ(10, send(l->a, text, 10, 0));
	ASSERT_TRUE(poll_for(l->a, POLLIN, SOON_MS) & POLLERR);
	ASSERT_OK(getsockopt(l->a, SOL_SOCKET, SO_ERROR, &err, &len));
	EXPECT_EQ(ECONNREFUSED, err);
	EXPECT_EQ(0, poll_for(l->a, POLLIN, 0));
}

/* The error queue is EPOLLPRI for who asked for that, as on any socket. */
TEST_F(poll, error_queue_is_pri_for_who_asked)
{
	bool v4 = variant->family == AF_INET;
	struct link *l = &self->l;
	int one = 1;

	ASSERT_OK(setsockopt(l->a, v4 ? SOL_IP : SOL_IPV6,
			     v4 ? IP_RECVERR : IPV6_RECVERR, &one,
			     sizeof(one)));
	close(l->b);
	l->b = -1;
	ASSERT_EQ(10, send(l->a, text, 10, 0));
	ASSERT_EQ(POLLERR, poll_for(l->a, POLLPRI, SOON_MS));
	ASSERT_OK(setsockopt(l->a, SOL_SOCKET, SO_SELECT_ERR_QUEUE, &one,
			     sizeof(one)));
	ASSERT_EQ(POLLERR | POLLPRI, poll_for(l->a, POLLPRI, SOON_MS));
}

/* With something in the queue too, neither hides the other. */
TEST_F(poll, error_amid_data)
{
	struct link *l = &self->l;
	short ev;
	int n;

	send_nothing(l, 0);
	ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
	close(l->b);
	l->b = -1;
	ASSERT_EQ(10, send(l->a, text, 10, 0));
	ev = poll_for(l->a, POLLIN, SOON_MS);
	ASSERT_TRUE(ev & POLLERR);
	/* Nor does who asks for the next record's length take it away. */
	ASSERT_OK(ioctl(l->a, FIONREAD, &n));
	ASSERT_TRUE(poll_for(l->a, POLLIN, SOON_MS) & POLLERR);
	ASSERT_ERRNO(ECONNREFUSED, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
	ASSERT_EQ(POLLIN, poll_for(l->a, POLLIN, SOON_MS));
	ASSERT_EQ(10, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
}

TEST_F(poll, shutdown_is_rdhup)
{
	struct link *l = &self->l;

	ASSERT_OK(shutdown(l->a, SHUT_RD));
	EXPECT_EQ(POLLIN | POLLRDHUP,
		  poll_for(l->a, POLLIN | POLLRDHUP, SOON_MS));
	ASSERT_OK(shutdown(l->a, SHUT_WR));
	EXPECT_TRUE(poll_for(l->a, POLLIN | POLLRDHUP, 0) & POLLHUP);
}

TEST_F(poll, key_makes_early_data_readable)
{
	struct epoll_event ev;
	struct peer_key next;
	struct link *l = &self->l;
	ssize_t len;
	int ep;

	peer_key_init(&next, variant->cipher, l->ba.epoch + 1, l->ba.cid_len,
		      2);
	ep = epoll_of(l->a, EPOLLIN | EPOLLET);
	ASSERT_LE(0, ep);
	len = peer_seal(&next, CT_DATA, 0, text, 30, wire);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	ASSERT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	ASSERT_OK(dtls_set_key(l->a, DTLS_RX, &next));
	ASSERT_EQ(1, epoll_wait(ep, &ev, 1, SOON_MS));
	ASSERT_EQ(30, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
	close(ep);
}

/*
 * What wakes a reader
 */

enum wake { BY_RECORD, BY_KEY, BY_EOF, BY_SHUTDOWN, BY_ERROR, BY_ALERT };

struct waker {
	struct link *l;
	enum wake by;
	__u16 cipher;
};

static void *wake(void *arg)
{
	static const __u8 fatal[] = { ALERT_FATAL, ALERT_INTERNAL_ERROR };
	struct waker *w = arg;
	struct link *l = w->l;
	struct peer_key next;

	usleep(100000);
	/* What is of no value wakes nobody for good. */
	send_nothing(l, 0);
	usleep(20000);
	switch (w->by) {
	case BY_RECORD:
		link_send(l, CT_DATA, text, 10);
		break;
	case BY_KEY:
		peer_key_init(&next, w->cipher, l->ba.epoch + 1, l->ba.cid_len,
			      2);
		dtls_set_key(l->a, DTLS_RX, &next);
		break;
	case BY_EOF:
		link_send(l, CT_ALERT, close_notify, 2);
		break;
	case BY_SHUTDOWN:
		shutdown(l->a, SHUT_RD);
		break;
	case BY_ERROR:
		close(l->b);
		send(l->a, text, 10, 0);
		break;
	case BY_ALERT:
		link_send(l, CT_ALERT, fatal, 2);
		break;
	}
	return NULL;
}

static ssize_t woken(struct __test_metadata *_metadata, struct link *l,
		     enum wake by, __u16 cipher)
{
	struct waker w = { .l = l, .by = by, .cipher = cipher };
	__u64 start = now_ms();
	pthread_t thread;
	ssize_t n;
	int err;

	ASSERT_OK(pthread_create(&thread, NULL, wake, &w));
	n = recv(l->a, buf, sizeof(buf), 0);
	err = errno;
	/* At its time limit it would look again, unwoken. */
	ASSERT_GT(start + SOON_MS, now_ms());
	pthread_join(thread, NULL);
	errno = err;
	return n;
}

TEST_F(poll, recv_is_woken_by_a_record)
{
	ASSERT_EQ(10, woken(_metadata, &self->l, BY_RECORD, variant->cipher));
}

TEST_F(poll, recv_is_woken_by_a_key_for_early_data)
{
	struct link *l = &self->l;
	struct peer_key next;
	ssize_t len;

	peer_key_init(&next, variant->cipher, l->ba.epoch + 1, l->ba.cid_len,
		      2);
	len = peer_seal(&next, CT_DATA, 0, text, 30, wire);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	ASSERT_EQ(30, woken(_metadata, l, BY_KEY, variant->cipher));
	EXPECT_EQ(0, memcmp(buf, text, 30));
}

TEST_F(poll, recv_is_woken_by_end_of_file)
{
	ASSERT_EQ(0, woken(_metadata, &self->l, BY_EOF, variant->cipher));
}

TEST_F(poll, recv_is_woken_by_shutdown)
{
	ASSERT_EQ(0, woken(_metadata, &self->l, BY_SHUTDOWN, variant->cipher));
}

TEST_F(poll, recv_is_woken_by_an_error)
{
	ASSERT_EQ(-1, woken(_metadata, &self->l, BY_ERROR, variant->cipher));
	EXPECT_EQ(ECONNREFUSED, errno);
	self->l.b = -1;
}

TEST_F(poll, recv_is_woken_by_a_fatal_alert)
{
	ASSERT_EQ(-1, woken(_metadata, &self->l, BY_ALERT, variant->cipher));
	EXPECT_EQ(ECONNRESET, errno);
}

static void on_alarm(int sig)
{
	(void)sig;
}

TEST_F(poll, recv_is_woken_by_a_signal)
{
	/* Again and again: the first may come before the call. */
	struct itimerval soon = {
		.it_value = { .tv_usec = 100000 },
		.it_interval = { .tv_usec = 100000 },
	};
	struct sigaction act = { .sa_handler = on_alarm };
	struct timeval tv = {};
	struct link *l = &self->l;

	ASSERT_OK(sigaction(SIGALRM, &act, NULL));
	ASSERT_OK(setitimer(ITIMER_REAL, &soon, NULL));
	ASSERT_ERRNO(EINTR, recv(l->a, buf, sizeof(buf), 0));

	/* And without a time limit */
	ASSERT_OK(setsockopt(l->a, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	ASSERT_ERRNO(EINTR, recv(l->a, buf, sizeof(buf), 0));
	soon = (struct itimerval){};
	ASSERT_OK(setitimer(ITIMER_REAL, &soon, NULL));
}

struct reader {
	int fd;
	int got;
};

#define READERS	4

static void *read_one(void *arg)
{
	struct reader *r = arg;
	__u8 data[256];

	roam();
	r->got = recv(r->fd, data, sizeof(data), 0);
	return NULL;
}

/* One datagram of many records wakes one reader, who must wake the next. */
TEST_F(poll, leftovers_wake_the_other_readers)
{
	struct reader r[READERS];
	struct link *l = &self->l;
	pthread_t t[READERS];
	ssize_t one = 0, len;
	int round, i;
	__u64 start;

	/* In one datagram, and in one super-packet */
	for (round = 0; round < 4; round++) {
		for (i = 0; i < READERS; i++) {
			r[i].fd = l->a;
			ASSERT_OK(pthread_create(&t[i], NULL, read_one, &r[i]));
		}
		usleep(slow() ? 500000 : 100000);
		start = now_ms();
		for (i = 0, len = 0; i < READERS; i++, len += one)
			one = peer_seal_more(&l->ba, CT_DATA, l->b_seq++, text,
					     100, wire + len);
		ASSERT_EQ(len, send_segments(l->b, wire, len,
					     round % 2 ? one : len, 0));
		for (i = 0; i < READERS; i++) {
			pthread_join(t[i], NULL);
			ASSERT_EQ(100, r[i].got);
		}
		ASSERT_GT(start + SOON_MS / 2, now_ms());
	}
}

/* The end of the file is for all of them, and one reads the record. */
TEST_F(poll, end_of_file_wakes_all_readers)
{
	struct reader r[READERS];
	struct link *l = &self->l;
	pthread_t t[READERS];
	__u64 start;
	int i;

	for (i = 0; i < READERS; i++) {
		r[i].fd = l->a;
		ASSERT_OK(pthread_create(&t[i], NULL, read_one, &r[i]));
	}
	usleep(slow() ? 500000 : 100000);
	start = now_ms();
	ASSERT_EQ(2, link_send(l, CT_ALERT, close_notify, 2));
	for (i = 0; i < READERS; i++) {
		pthread_join(t[i], NULL);
		ASSERT_EQ(0, r[i].got);
	}
	ASSERT_GT(start + SOON_MS / 2, now_ms());
}

static void *select_readable(void *arg)
{
	struct reader *r = arg;

	r->got = poll_for(r->fd, POLLIN, SOON_MS);
	return NULL;
}

/* poll in one thread takes nothing from recv in another. */
TEST_F(poll, poller_and_reader)
{
	struct reader r = { .fd = self->l.a };
	struct link *l = &self->l;
	pthread_t thread;
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_OK(pthread_create(&thread, NULL, select_readable, &r));
		if (i % 2)
			usleep(5000);
		ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
		if (i % 3) {
			pthread_join(thread, NULL);
			ASSERT_EQ(POLLIN, r.got);
			ASSERT_EQ(10, recv(l->a, buf, sizeof(buf), 0));
		} else {
			ASSERT_EQ(10, recv(l->a, buf, sizeof(buf), 0));
			ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
			pthread_join(thread, NULL);
			ASSERT_EQ(POLLIN, r.got);
			ASSERT_EQ(10, recv(l->a, buf, sizeof(buf), 0));
		}
	}
}

TEST_HARNESS_MAIN
