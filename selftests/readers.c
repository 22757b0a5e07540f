// SPDX-License-Identifier: GPL-2.0
/*
 * Several tasks with different interests in one socket: recv, MSG_OOB, MSG_PEEK,
 * poll, epoll, io_uring. Each record reaches exactly one of those that take it,
 * and no task sleeps while there is something for it.
 *
 * A task that is in the middle of reading is made with userfaultfd: the buffer
 * that it passes has no page, and the fault is answered when the test says so.
 */
#include "harness.h"

#include <fcntl.h>
#include <liburing.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "held.h"

#ifndef SO_PEEK_OFF
#define SO_PEEK_OFF	42
#endif

#define EXPECT_FAILS(error, call)					\
	do {								\
		errno = 0;						\
		EXPECT_EQ(-1, (call));					\
		EXPECT_EQ(error, errno);				\
	} while (0)

/* A record that is long enough to be met while it is being opened */
#define LONG	1200

static __u8 text[4096], buf[DGRAM_MAX], wire[DGRAM_MAX];

static const __u8 close_notify[] = { ALERT_WARNING, ALERT_CLOSE_NOTIFY };

LINK_FIXTURE(readers);

LINK_VARIANT(readers, v4, DTLS_CIPHER_CHACHA20_POLY1305, AF_INET, 0);

/* Control records look like data from outside. */
LINK_VARIANT(readers, v13_v6_cid, V13(DTLS_CIPHER_AES_GCM_128), AF_INET6, 5);

FIXTURE_SETUP(readers)
{
	ASSERT_OK(link_raw(&self->l, variant->family, variant->cipher,
			   variant->cid_len));
	fill(text, sizeof(text), 1);
}

FIXTURE_TEARDOWN(readers)
{
	link_close(&self->l);
}

static int want_control(int fd)
{
	int on = 1;

	return setsockopt(fd, SOL_DTLS, DTLS_POLL_CONTROL, &on, sizeof(on));
}

/**
 * struct call - a call of recv in a thread of its own
 * @fd:		socket
 * @flags:	of recv
 * @to:		where to; NULL: @data
 * @len:	room there
 * @tid:	of the thread
 * @over:	it returned
 * @n:		what recv returned
 * @error:	errno then
 * @switches:	how often the thread went to sleep
 */
struct call {
	int fd;
	int flags;
	void *to;
	size_t len;
	pthread_t thread;
	pid_t tid;
	bool over;
	ssize_t n;
	int error;
	long switches;
	__u8 data[2048];
};

static void *do_call(void *arg)
{
	struct rusage before, after;
	struct call *c = arg;

	getrusage(RUSAGE_THREAD, &before);
	__atomic_store_n(&c->tid, gettid(), __ATOMIC_RELEASE);
	c->n = recv(c->fd, c->to ?: c->data, c->to ? c->len : sizeof(c->data),
		    c->flags);
	c->error = errno;
	getrusage(RUSAGE_THREAD, &after);
	c->switches = after.ru_nvcsw - before.ru_nvcsw;
	__atomic_store_n(&c->over, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Begin a call, and wait until it sleeps or is over. */
static void begin(struct __test_metadata *_metadata, struct call *c)
{
	ASSERT_OK(pthread_create(&c->thread, NULL, do_call, c));
	while (!__atomic_load_n(&c->over, __ATOMIC_ACQUIRE) &&
	       (!__atomic_load_n(&c->tid, __ATOMIC_ACQUIRE) || thread_state(c->tid) != 'S'))
		usleep(1000);
}

static ssize_t end(struct call *c)
{
	pthread_join(c->thread, NULL);
	errno = c->error;
	return c->n;
}

/*
 * Begin a call whose reader has a record in hand, and stays so. The first @there
 * bytes that it reads find a page.
 */
static void begin_held(struct __test_metadata *_metadata, struct held *h,
		       struct call *c, size_t there)
{
	ASSERT_OK(held_open(h, 1));
	c->to = h->page - there;
	c->len = 2048;
	ASSERT_OK(pthread_create(&c->thread, NULL, do_call, c));
	ASSERT_TRUE(held_somebody(h));
}

/*
 * Who takes application data, and who does not
 */

static void one_wake_up_two_readers(struct __test_metadata *_metadata,
				    struct link *l, int flags)
{
	struct call other = { .fd = l->a, .flags = flags };
	struct call taker = { .fd = l->a };

	begin(_metadata, &other);
	begin(_metadata, &taker);
	ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
	/* A lost wake-up ends with SO_RCVTIMEO. */
	ASSERT_EQ(10, end(&taker));
	ASSERT_OK(shutdown(l->a, SHUT_RD));
	ASSERT_EQ(0, end(&other));
}

TEST_F(readers, a_reader_of_control_records_takes_no_readers_wake_up)
{
	one_wake_up_two_readers(_metadata, &self->l, MSG_OOB);
}

TEST_F(readers, a_peeker_at_an_offset_takes_no_readers_wake_up)
{
	int off = 100000;

	ASSERT_OK(setsockopt(self->l.a, SOL_SOCKET, SO_PEEK_OFF, &off,
			     sizeof(off)));
	one_wake_up_two_readers(_metadata, &self->l, MSG_PEEK);
}

/* Both sleep; the control record's datagram may wake the wrong one. */
TEST_F(readers, a_reader_of_data_passes_a_control_record_on)
{
	struct call taker = { .fd = self->l.a };
	struct call control = { .fd = self->l.a, .flags = MSG_OOB };
	struct link *l = &self->l;

	begin(_metadata, &taker);
	begin(_metadata, &control);
	ASSERT_EQ(20, link_send(l, CT_HANDSHAKE, text, 20));
	ASSERT_EQ(20, end(&control));
	ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
	ASSERT_EQ(10, end(&taker));
}

/* A program that sends on the socket does not wake its reader by that. */
TEST_F(readers, sending_wakes_no_reader)
{
	struct call taker = { .fd = self->l.a };
	unsigned int i, n = rounds(500, 100);
	struct link *l = &self->l;

	begin(_metadata, &taker);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(10, send(l->a, text, 10, 0));
		ASSERT_LT(0, recv(l->b, buf, sizeof(buf), 0));
		if (i % 8 == 0)
			usleep(1000);
	}
	ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
	ASSERT_EQ(10, end(&taker));
	EXPECT_GT(n / 10, taker.switches);
}

/*
 * What is under way
 */

struct watcher {
	int fd;
	__u32 events;
	bool stop;
	unsigned int got;
	pthread_t thread;
};

/* Sleep in epoll, and read what it says is there. */
static void *read_by_epoll(void *arg)
{
	struct epoll_event ev = {};
	struct watcher *w = arg;
	int ep = epoll_create1(0);
	__u8 data[2048];

	ev.events = w->events;
	epoll_ctl(ep, EPOLL_CTL_ADD, w->fd, &ev);
	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		if (epoll_wait(ep, &ev, 1, 50) != 1)
			continue;
		while (recv(w->fd, data, sizeof(data), MSG_DONTWAIT) > 0)
			__atomic_add_fetch(&w->got, 1, __ATOMIC_RELEASE);
	}
	close(ep);
	return NULL;
}

/* Open what there is, in search of something else. */
static void *poll_for_control(void *arg)
{
	struct watcher *w = arg;

	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE))
		poll_for(w->fd, POLLPRI, 50);
	return NULL;
}

static void *read_control(void *arg)
{
	struct watcher *w = arg;
	__u8 data[2048];

	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE))
		recv(w->fd, data, sizeof(data), MSG_OOB);
	return NULL;
}

static void begin_watching(struct __test_metadata *_metadata,
			   struct watcher *w, void *(*run)(void *))
{
	ASSERT_OK(pthread_create(&w->thread, NULL, run, w));
}

static void end_watching(struct watcher *w)
{
	__atomic_store_n(&w->stop, true, __ATOMIC_RELEASE);
	shutdown(w->fd, SHUT_RD);
	pthread_join(w->thread, NULL);
}

/* Each record is announced, whoever @other is who was just opening it. */
static void announced(struct __test_metadata *_metadata, struct link *l,
		      __u32 events, void *(*other)(void *))
{
	struct watcher reader = { .fd = l->a, .events = events };
	struct watcher opener = { .fd = l->a };
	unsigned int i, n = rounds(1500, 150);
	__u64 start;

	ASSERT_OK(want_control(l->a));
	begin_watching(_metadata, &reader, read_by_epoll);
	begin_watching(_metadata, &opener, other);
	usleep(50000);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(LONG, link_send(l, CT_DATA, text, LONG));
		start = now_ms();
		while (__atomic_load_n(&reader.got, __ATOMIC_ACQUIRE) == i &&
		       now_ms() < start + SOON_MS / 2)
			usleep(20);
		if (now_ms() >= start + SOON_MS / 2)
			break;
	}
	end_watching(&opener);
	end_watching(&reader);
	ASSERT_EQ(n, i) TH_LOG("nobody was told of record %u", i);
}

TEST_F(readers, epoll_is_told_of_what_a_poller_was_opening)
{
	announced(_metadata, &self->l, EPOLLIN, poll_for_control);
}

TEST_F(readers, epoll_edge_is_told_of_what_a_poller_was_opening)
{
	announced(_metadata, &self->l, EPOLLIN | EPOLLET, poll_for_control);
}

TEST_F(readers, epoll_is_told_of_what_a_control_reader_was_opening)
{
	announced(_metadata, &self->l, EPOLLIN, read_control);
}

/*
 * Begin a call that has two coalesced records in hand: the first is read, for
 * the second there is no page yet.
 */
static void begin_with_two(struct __test_metadata *_metadata, struct link *l,
			   struct held *h, struct call *c)
{
	ssize_t one = 0, len = 0;
	int on = 1, i;

	ASSERT_OK(setsockopt(l->a, SOL_UDP, UDP_GRO, &on, sizeof(on)));
	for (i = 0; i < 2; i++, len += one)
		one = peer_seal_more(&l->ba, CT_DATA, l->b_seq++, text + i,
				     100, wire + len);
	ASSERT_EQ(len, send_segments(l->b, wire, len, one, 0));
	begin_held(_metadata, h, c, 100);
}

/* A record that a reader had in hand and could not take is news to the others. */
TEST_F(readers, what_a_reader_gives_back_is_announced)
{
	struct call failing = { .fd = self->l.a };
	struct link *l = &self->l;
	struct epoll_event ev;
	struct held h;
	int ep;

	ep = epoll_of(l->a, EPOLLIN | EPOLLET);
	ASSERT_LE(0, ep);
	begin_with_two(_metadata, l, &h, &failing);
	/* The datagram's own edge, for nothing */
	epoll_wait(ep, &ev, 1, 0);
	ASSERT_ERRNO(EAGAIN, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
	ASSERT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	ASSERT_OK(held_fail(&h));
	ASSERT_EQ(100, end(&failing));
	ASSERT_EQ(1, epoll_wait(ep, &ev, 1, SOON_MS));
	ASSERT_EQ((__u32)EPOLLIN, ev.events);
	ASSERT_EQ(100, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
	ASSERT_EQ(0, memcmp(buf, text + 1, 100));
	close(ep);
}

TEST_F(readers, what_a_reader_gives_back_wakes_a_reader)
{
	struct call failing = { .fd = self->l.a };
	struct call taker = { .fd = self->l.a };
	struct link *l = &self->l;
	struct held h;

	begin_with_two(_metadata, l, &h, &failing);
	begin(_metadata, &taker);
	ASSERT_OK(held_fail(&h));
	ASSERT_EQ(100, end(&failing));
	ASSERT_EQ(100, end(&taker));
}

/*
 * The end of file comes after what came before it
 */

static void end_after_data(struct __test_metadata *_metadata, struct link *l,
			   bool local)
{
	short all = POLLIN | POLLRDHUP;
	struct call reader = { .fd = l->a }, late = { .fd = l->a };
	struct epoll_event ev;
	struct held h;
	int ep;

	ep = epoll_of(l->a, EPOLLIN | EPOLLRDHUP | EPOLLET);
	ASSERT_LE(0, ep);
	ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
	begin_held(_metadata, &h, &reader, 0);
	ASSERT_LE(0, local ? shutdown(l->a, SHUT_RD) :
			     link_send(l, CT_ALERT, close_notify, 2));
	EXPECT_EQ(0, poll_for(l->a, all, 0));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	EXPECT_FAILS(EAGAIN, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_FAILS(EAGAIN, recv(l->a, buf, 100, MSG_DONTWAIT | MSG_PEEK));
	begin(_metadata, &late);
	ASSERT_OK(held_let_go(&h, NULL, 0));
	EXPECT_EQ(10, end(&reader));
	EXPECT_EQ(0, end(&late));
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, SOON_MS));
	EXPECT_EQ((__u32)(EPOLLIN | EPOLLRDHUP), ev.events);
	EXPECT_EQ(all, poll_for(l->a, all, 0));
	EXPECT_EQ(0, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
	close(ep);
}

TEST_F(readers, goodbye_waits_for_data_under_way)
{
	end_after_data(_metadata, &self->l, false);
}

TEST_F(readers, shutdown_waits_for_data_under_way)
{
	end_after_data(_metadata, &self->l, true);
}

/*
 * A reader that works through forgeries does not look behind those that were there when
 * it began, but what came before the shutdown comes before the end of file.
 */
TEST_F(readers, shutdown_overtakes_no_data_behind_forgeries)
{
	unsigned int i, j, n = rounds(20, 4);
	int size = 16 << 20;

	for (i = 0; i < n; i++) {
		struct dtls_counters counters;
		struct call reader = {};
		struct link m;
		ssize_t len;

		ASSERT_OK(link_raw(&m, variant->family, variant->cipher,
				   variant->cid_len));
		ASSERT_OK(setsockopt(m.a, SOL_SOCKET, SO_RCVBUFFORCE, &size,
				     sizeof(size)));
		len = peer_seal(&m.ba, CT_DATA, 1000, text, LONG, wire);
		wire[len - 1] ^= 1;
		for (j = 0; j < 1000; j++)
			ASSERT_EQ(len, send(m.b, wire, len, 0));
		settle();
		reader.fd = m.a;
		ASSERT_OK(pthread_create(&reader.thread, NULL, do_call,
					 &reader));
		do {
			ASSERT_OK(dtls_get_counters(m.a, &counters));
		} while (!counters.rx_auth_failed);
		ASSERT_EQ(10, link_send(&m, CT_DATA, text, 10));
		settle();
		ASSERT_OK(shutdown(m.a, SHUT_RD));
		ASSERT_EQ(10, end(&reader));
		ASSERT_EQ(0, recv(m.a, buf, sizeof(buf), 0));
		link_close(&m);
	}
}

/* Two readers with a record each; the goodbye comes when both are done. */
TEST_F(readers, goodbye_waits_for_all_data_under_way)
{
	struct call reader[2];
	struct held h[2];
	int first;

	for (first = 0; first < 2; first++) {
		struct link m;

		ASSERT_OK(link_raw(&m, variant->family, variant->cipher,
				   variant->cid_len));
		reader[0] = (struct call){ .fd = m.a };
		reader[1] = reader[0];
		ASSERT_EQ(10, link_send(&m, CT_DATA, text, 10));
		begin_held(_metadata, &h[0], &reader[0], 0);
		ASSERT_EQ(11, link_send(&m, CT_DATA, text, 11));
		begin_held(_metadata, &h[1], &reader[1], 0);
		ASSERT_EQ(2, link_send(&m, CT_ALERT, close_notify, 2));
		EXPECT_EQ(0, poll_for(m.a, POLLIN | POLLRDHUP, 0));
		ASSERT_OK(held_let_go(&h[first], NULL, 0));
		EXPECT_EQ(10 + first, end(&reader[first]));
		EXPECT_EQ(0, poll_for(m.a, POLLIN | POLLRDHUP, 0));
		EXPECT_FAILS(EAGAIN, recv(m.a, buf, sizeof(buf), MSG_DONTWAIT));
		ASSERT_OK(held_let_go(&h[!first], NULL, 0));
		EXPECT_EQ(10 + !first, end(&reader[!first]));
		EXPECT_EQ(POLLIN | POLLRDHUP,
			  poll_for(m.a, POLLIN | POLLRDHUP, SOON_MS));
		EXPECT_EQ(0, recv(m.a, buf, sizeof(buf), MSG_DONTWAIT));
		link_close(&m);
	}
}

/* A poller that opens data must not let the reader see the end before it. */
TEST_F(readers, goodbye_does_not_overtake_what_a_poller_opens)
{
	unsigned int i, n = rounds(150, 20);

	for (i = 0; i < n; i++) {
		struct watcher opener;
		struct link m;

		ASSERT_OK(link_raw(&m, variant->family, variant->cipher,
				   variant->cid_len));
		ASSERT_OK(want_control(m.a));
		opener = (struct watcher){ .fd = m.a };
		begin_watching(_metadata, &opener, poll_for_control);
		usleep(2000);
		ASSERT_EQ(4096, link_send(&m, CT_DATA, text, 4096));
		ASSERT_EQ(2, link_send(&m, CT_ALERT, close_notify, 2));
		EXPECT_EQ(4096, recv(m.a, buf, sizeof(buf), 0));
		EXPECT_EQ(0, recv(m.a, buf, sizeof(buf), 0));
		end_watching(&opener);
		link_close(&m);
	}
}

/* The end of file is news when the last record before it is read. */
TEST_F(readers, rdhup_comes_with_the_last_record_read)
{
	struct link *l = &self->l;
	struct epoll_event ev;
	int ep;

	ASSERT_OK(want_control(l->a));
	ep = epoll_of(l->a, EPOLLRDHUP | EPOLLET);
	ASSERT_LE(0, ep);
	ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
	ASSERT_EQ(2, link_send(l, CT_ALERT, close_notify, 2));
	/* Opens both */
	ASSERT_EQ(POLLPRI, poll_for(l->a, POLLPRI, SOON_MS));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	ASSERT_EQ(10, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
	ASSERT_EQ(1, epoll_wait(ep, &ev, 1, SOON_MS));
	EXPECT_EQ((__u32)EPOLLRDHUP, ev.events);
	close(ep);
}

/*
 * Control records behind data that nobody reads
 */

TEST_F(readers, control_is_announced_behind_unread_data)
{
	struct dtls_record_info info;
	struct link *l = &self->l;
	int i;

	ASSERT_OK(want_control(l->a));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(10, link_send(l, CT_DATA, text + i, 10));
	ASSERT_EQ(20, link_send(l, CT_HANDSHAKE, text, 20));
	EXPECT_EQ(POLLPRI, poll_for(l->a, POLLPRI, SOON_MS));
	EXPECT_EQ(POLLPRI | POLLIN, poll_for(l->a, POLLPRI | POLLIN, 0));
	EXPECT_EQ(20, recv_control(l->a, &info, buf, sizeof(buf)));
	EXPECT_EQ(POLLIN, poll_for(l->a, POLLPRI | POLLIN, 0));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(10, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
		ASSERT_EQ(0, memcmp(buf, text + i, 10));
	}
}

TEST_F(readers, control_behind_unread_data_is_an_edge)
{
	struct link *l = &self->l;
	struct epoll_event ev;
	int ep;

	ASSERT_OK(want_control(l->a));
	ep = epoll_of(l->a, EPOLLPRI | EPOLLET);
	ASSERT_LE(0, ep);
	ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	ASSERT_EQ(20, link_send(l, CT_HANDSHAKE, text, 20));
	ASSERT_EQ(1, epoll_wait(ep, &ev, 1, SOON_MS));
	EXPECT_EQ((__u32)EPOLLPRI, ev.events);
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	close(ep);
}

/* Who polls already is told too when somebody asks for control records. */
TEST_F(readers, asking_for_control_announces_what_is_there)
{
	struct link *l = &self->l;
	struct epoll_event ev;
	int ep;

	ASSERT_EQ(20, link_send(l, CT_HANDSHAKE, text, 20));
	ep = epoll_of(l->a, EPOLLPRI | EPOLLIN);
	ASSERT_LE(0, ep);
	ASSERT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	ASSERT_OK(want_control(l->a));
	ASSERT_EQ(1, epoll_wait(ep, &ev, 1, SOON_MS));
	EXPECT_EQ((__u32)EPOLLPRI, ev.events);
	close(ep);
}

/* Data fills the receive buffer: a control record in it is found all the same. */
TEST_F(readers, control_is_announced_in_a_full_receive_buffer)
{
	struct link *l = &self->l;
	int i;

	ASSERT_OK(want_control(l->a));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(LONG, link_send(l, CT_DATA, text, LONG));
	ASSERT_EQ(20, link_send(l, CT_HANDSHAKE, text, 20));
	for (i = 0; i < 1000; i++)
		link_send(l, CT_DATA, text, LONG);
	EXPECT_EQ(POLLPRI, poll_for(l->a, POLLPRI, SOON_MS));
}

/* A poller that had no room to look further is told when there is some. */
TEST_F(readers, room_for_unread_data_lets_control_be_announced)
{
	struct link *l = &self->l;
	int small = 20000, on = 0;
	struct epoll_event ev;
	ssize_t one, len = 0;
	int ep, i;

	/* One datagram, whose records take more memory once they are opened */
	for (i = 0; i < 200; i++, len += one)
		one = peer_seal_more(&l->ba, i < 199 ? CT_DATA : CT_HANDSHAKE,
				     l->b_seq++, text + i, 20, wire + len);
	ASSERT_OK(setsockopt(l->a, SOL_SOCKET, SO_RCVBUF, &small,
			     sizeof(small)));
	ASSERT_OK(want_control(l->a));
	ep = epoll_of(l->a, EPOLLPRI | EPOLLET);
	ASSERT_LE(0, ep);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	settle();
	ASSERT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	EXPECT_FAILS(ENOBUFS, recv(l->a, buf, 100, MSG_OOB | MSG_DONTWAIT));
	for (i = 0; i < 199 && !on; i++) {
		ASSERT_EQ(20, recv(l->a, buf, 100, MSG_DONTWAIT));
		ASSERT_EQ(0, memcmp(buf, text + i, 20));
		on = epoll_wait(ep, &ev, 1, 0);
	}
	EXPECT_EQ(1, on);
	EXPECT_GT(199, i);
	EXPECT_EQ(20, recv(l->a, buf, 100, MSG_OOB | MSG_DONTWAIT));
	close(ep);
}

/* What poll opened is coalesced no less than what it did not. */
TEST_F(readers, records_opened_early_are_coalesced)
{
	static const int lens[] = { 100, 100, 100, 100, 60 };
	struct link *l = &self->l;
	ssize_t one[5], len = 0;
	int on = 1, size, i;

	ASSERT_OK(want_control(l->a));
	ASSERT_OK(setsockopt(l->a, SOL_UDP, UDP_GRO, &on, sizeof(on)));
	for (i = 0; i < 5; i++) {
		one[i] = peer_seal_more(&l->ba, CT_DATA, l->b_seq++,
					text + 100 * i, lens[i], wire + len);
		len += one[i];
	}
	ASSERT_EQ(len, send_segments(l->b, wire, len, one[0], 0));
	settle();
	ASSERT_EQ(POLLIN, poll_for(l->a, POLLIN | POLLPRI, 0));
	ASSERT_EQ(460, recv_segments(l->a, buf, sizeof(buf), &size,
				     MSG_DONTWAIT));
	EXPECT_EQ(100, size);
	EXPECT_EQ(0, memcmp(buf, text, 460));
	EXPECT_EQ(0, poll_for(l->a, POLLIN, 0));
}

/*
 * What a call that fails costs
 */

/* @n readable bytes before a page that is none */
static __u8 *before_nothing(struct __test_metadata *_metadata, size_t n)
{
	size_t page = sysconf(_SC_PAGESIZE);
	__u8 *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_OK(mprotect(p + page, page, PROT_NONE));
	return p + page - n;
}

/* As with UDP, the record is gone that was to go there. */
TEST_F(readers, a_bad_buffer_costs_no_other_record)
{
	__u8 *bad = before_nothing(_metadata, 5);
	struct dtls_record_info info;
	int opened, now = MSG_DONTWAIT;
	struct link *l = &self->l;

	for (opened = 0; opened < 2; opened++) {
		ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));
		ASSERT_EQ(11, link_send(l, CT_DATA, text, 11));
		ASSERT_EQ(20, link_send(l, CT_HANDSHAKE, text, 20));
		ASSERT_EQ(21, link_send(l, CT_HANDSHAKE, text, 21));
		settle();
		if (opened)
			ASSERT_EQ(POLLIN, poll_for(l->a, POLLIN, 0));
		EXPECT_FAILS(EFAULT, recv(l->a, bad, 9, now));
		EXPECT_FAILS(EFAULT, recv(l->a, bad, 9, now | MSG_PEEK));
		EXPECT_FAILS(EFAULT, recv(l->a, bad, 9, now | MSG_OOB));
		EXPECT_EQ(11, recv(l->a, buf, 100, MSG_DONTWAIT));
		EXPECT_EQ(20, recv_control(l->a, &info, buf, 100));
		EXPECT_EQ(21, recv_control(l->a, &info, buf, 100));
	}
}

/* The first record fits before the bad page, those coalesced with it do not. */
TEST_F(readers, a_bad_buffer_costs_no_coalesced_record)
{
	static const __u8 type[] = { CT_DATA, CT_DATA, CT_HANDSHAKE, CT_DATA,
				     CT_HANDSHAKE, CT_DATA };
	__u8 *bad = before_nothing(_metadata, 150);
	struct dtls_record_info info;
	unsigned int i, data = 0, control = 0;
	struct link *l = &self->l;
	ssize_t one = 0, len = 0;
	int on = 1, size;

	ASSERT_OK(setsockopt(l->a, SOL_UDP, UDP_GRO, &on, sizeof(on)));
	for (i = 0; i < ARRAY_SIZE(type); i++, len += one)
		one = peer_seal_more(&l->ba, type[i], l->b_seq++, text + i,
				     100, wire + len);
	ASSERT_EQ(len, send_segments(l->b, wire, len, one, 0));
	settle();
	ASSERT_EQ(100, recv_segments(l->a, bad, sizeof(text), &size,
				     MSG_DONTWAIT));
	for (i = 1; i < ARRAY_SIZE(type); i++) {
		if (type[i] == CT_DATA) {
			ASSERT_EQ(100, recv(l->a, buf, 100, MSG_DONTWAIT));
			data++;
		} else {
			ASSERT_EQ(100, recv_control(l->a, &info, buf, 100));
			control++;
		}
		ASSERT_EQ(0, memcmp(buf, text + i, 100));
	}
	EXPECT_EQ(3U, data);
	EXPECT_EQ(2U, control);
}

/*
 * All of them at once
 */

#define CROWD_MAX	4000

/**
 * struct crowd - tasks of all kinds at one socket
 * @fd:		socket
 * @data:	how often the record of each number was read
 * @control:	likewise of control records
 * @read:	records of both kinds read
 * @strange:	calls that returned what they must not
 * @stop:	control readers and those that take nothing shall end
 */
struct crowd {
	int fd;
	unsigned int data[CROWD_MAX];
	unsigned int control[CROWD_MAX];
	unsigned int read;
	unsigned int strange;
	bool stop;
};

static bool stopped(struct crowd *c)
{
	return __atomic_load_n(&c->stop, __ATOMIC_ACQUIRE);
}

static void strange(struct crowd *c, const char *what, ssize_t n)
{
	printf("# %s: %zd, %s\n", what, n, strerror(errno));
	__atomic_add_fetch(&c->strange, 1, __ATOMIC_RELEASE);
}

static void count(struct crowd *c, unsigned int *seen, const void *data,
		  ssize_t n)
{
	__u32 number;

	memcpy(&number, data, sizeof(number));
	if (n != LONG || number >= CROWD_MAX) {
		strange(c, "record", n);
		return;
	}
	__atomic_add_fetch(&seen[number], 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&c->read, 1, __ATOMIC_RELEASE);
}

/* The end of file was read: no data may come after it. */
static void *at_end(struct crowd *c)
{
	__u8 data[2048];
	ssize_t n = recv(c->fd, data, sizeof(data), MSG_DONTWAIT);

	if (n)
		strange(c, "recv after the end of file", n);
	return NULL;
}

static void *by_recv(void *arg)
{
	struct crowd *c = arg;
	__u8 data[2048];
	ssize_t n;

	while ((n = recv(c->fd, data, sizeof(data), 0)) > 0)
		count(c, c->data, data, n);
	if (n)
		strange(c, "recv", n);
	return at_end(c);
}

static void *by_poll(void *arg)
{
	struct crowd *c = arg;
	__u8 data[2048];
	ssize_t n = -1;

	while (n) {
		if (!poll_for(c->fd, POLLIN, SOON_MS)) {
			strange(c, "poll", 0);
			break;
		}
		n = recv(c->fd, data, sizeof(data), MSG_DONTWAIT);
		if (n > 0)
			count(c, c->data, data, n);
	}
	return at_end(c);
}

static void *by_epoll_edge(void *arg)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(0);
	struct crowd *c = arg;
	__u8 data[2048];
	ssize_t n = -1;

	epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev);
	while (n) {
		if (epoll_wait(ep, &ev, 1, SOON_MS) != 1) {
			strange(c, "epoll_wait", 0);
			break;
		}
		while ((n = recv(c->fd, data, sizeof(data), MSG_DONTWAIT)) > 0)
			count(c, c->data, data, n);
	}
	close(ep);
	return at_end(c);
}

static void *by_io_uring(void *arg)
{
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	struct crowd *c = arg;
	__u8 data[2048];
	ssize_t n;

	if (io_uring_queue_init(4, &ring, 0)) {
		strange(c, "io_uring_queue_init", 0);
		return NULL;
	}
	do {
		io_uring_prep_recv(io_uring_get_sqe(&ring), c->fd, data,
				   sizeof(data), 0);
		io_uring_submit(&ring);
		if (io_uring_wait_cqe(&ring, &cqe))
			break;
		n = cqe->res;
		io_uring_cqe_seen(&ring, cqe);
		if (n > 0)
			count(c, c->data, data, n);
		else if (n)
			strange(c, "io_uring recv", n);
	} while (n > 0);
	io_uring_queue_exit(&ring);
	return at_end(c);
}

static void *control_by_recv(void *arg)
{
	struct crowd *c = arg;
	__u8 data[2048];
	ssize_t n;

	while ((n = recv(c->fd, data, sizeof(data), MSG_OOB)) > 0)
		if (n != 2)
			count(c, c->control, data, n);
	if (n)
		strange(c, "recv of control records", n);
	return NULL;
}

static void *control_by_epoll_edge(void *arg)
{
	struct epoll_event ev = { .events = EPOLLPRI | EPOLLRDHUP | EPOLLET };
	int ep = epoll_create1(0);
	struct crowd *c = arg;
	__u8 data[2048];
	ssize_t n;

	epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev);
	while (!stopped(c)) {
		if (epoll_wait(ep, &ev, 1, 100) != 1)
			continue;
		while ((n = recv(c->fd, data, sizeof(data),
				 MSG_OOB | MSG_DONTWAIT)) > 0)
			if (n != 2)
				count(c, c->control, data, n);
	}
	close(ep);
	return NULL;
}

/* Takes nothing, but opens what it finds. */
static void *by_looking(void *arg)
{
	struct crowd *c = arg;
	int n;

	while (!stopped(c)) {
		poll_for(c->fd, POLLIN | POLLPRI, 10);
		ioctl(c->fd, FIONREAD, &n);
		poll_for(c->fd, POLLPRI, 10);
	}
	return NULL;
}

static void *by_peeking(void *arg)
{
	struct crowd *c = arg;
	__u8 data[2048];

	while (recv(c->fd, data, sizeof(data), MSG_PEEK) > 0)
		usleep(2000);
	return NULL;
}

/* Send @n records, one in eight a control record, never far ahead. */
static bool send_to_crowd(struct link *l, struct crowd *c, unsigned int n)
{
	unsigned int i, state = 1;
	__u8 record[LONG];
	__u64 start;

	fill(record, sizeof(record), 2);
	for (i = 0; i <= n; i++) {
		unsigned int ahead = i < n ? (state >> 16) % 8 : 0;

		state = state * 1103515245 + 12345;
		start = now_ms();
		while (__atomic_load_n(&c->read, __ATOMIC_ACQUIRE) + ahead <
		       i) {
			/* Before SO_RCVTIMEO would let a sleeper look again */
			if (now_ms() >= start + SOON_MS / 2)
				return false;
			usleep(20);
		}
		memcpy(record, &(__u32){ i }, sizeof(__u32));
		if (i < n &&
		    link_send(l, i % 8 == 5 ? CT_HANDSHAKE : CT_DATA, record,
			      LONG) != LONG)
			return false;
	}
	return true;
}

TEST_F(readers, a_crowd_of_all_kinds_misses_nothing)
{
	static void *(*const takers[])(void *) = {
		by_recv, by_recv, by_poll, by_epoll_edge, by_io_uring,
	};
	static void *(*const others[])(void *) = {
		control_by_recv, control_by_epoll_edge, by_looking, by_peeking,
	};
	pthread_t taker[ARRAY_SIZE(takers)], other[ARRAY_SIZE(others)];
	unsigned int i, n = rounds(CROWD_MAX, 400);
	static struct crowd c;
	struct link *l = &self->l;
	bool sent;

	c = (struct crowd){ .fd = l->a };
	ASSERT_OK(want_control(l->a));
	for (i = 0; i < ARRAY_SIZE(takers); i++)
		ASSERT_OK(pthread_create(&taker[i], NULL, takers[i], &c));
	for (i = 0; i < ARRAY_SIZE(others); i++)
		ASSERT_OK(pthread_create(&other[i], NULL, others[i], &c));
	usleep(100000);
	sent = send_to_crowd(l, &c, n);
	ASSERT_TRUE(sent) TH_LOG("stuck after %u records", c.read);
	ASSERT_EQ(2, link_send(l, CT_ALERT, close_notify, 2));
	for (i = 0; i < ARRAY_SIZE(takers); i++)
		pthread_join(taker[i], NULL);
	__atomic_store_n(&c.stop, true, __ATOMIC_RELEASE);
	ASSERT_OK(shutdown(l->a, SHUT_RD));
	for (i = 0; i < ARRAY_SIZE(others); i++)
		pthread_join(other[i], NULL);
	EXPECT_EQ(0U, c.strange);
	for (i = 0; i < n; i++) {
		ASSERT_EQ((unsigned int)(i % 8 != 5), c.data[i]);
		ASSERT_EQ((unsigned int)(i % 8 == 5), c.control[i]);
	}
}

/*
 * Signals and time limits
 */

static void on_signal(int sig)
{
	(void)sig;
}

struct bombardment {
	pthread_t at;
	pthread_t thread;
	unsigned int called;
	bool stop;
};

/*
 * Sends one signal for each call that the reader announces, after a delay that
 * differs from call to call, so that the signals meet all parts of a call. More
 * signals than calls could keep a slow machine's reader in its handler.
 */
static void *bombard(void *arg)
{
	struct bombardment *b = arg;
	unsigned int called, answered = 0;
	volatile unsigned int i;

	while (!__atomic_load_n(&b->stop, __ATOMIC_ACQUIRE)) {
		called = __atomic_load_n(&b->called, __ATOMIC_ACQUIRE);
		if (called == answered)
			continue;
		answered = called;
		for (i = 0; i < answered * 7919 % 20000; i++)
			;
		pthread_kill(b->at, SIGUSR1);
	}
	return NULL;
}

/* A forgery of the current epoch, which must be opened to be told */
static void send_forgery(struct link *l, unsigned int i)
{
	ssize_t len = peer_seal(&l->ba, CT_DATA, l->b_seq + 1 + i, text, 900,
				wire);

	wire[len - 1] ^= 1;
	while (send(l->b, wire, len, 0) != len)
		;
}

TEST_F(readers, a_signal_hides_no_record)
{
	struct bombardment b = { .at = pthread_self() };
	struct sigaction act = { .sa_handler = on_signal,
				 .sa_flags = SA_RESTART };
	unsigned int i, j, n = rounds(1500, 100), hidden = 0;
	struct link *l = &self->l;

	ASSERT_OK(sigaction(SIGUSR1, &act, NULL));
	ASSERT_OK(pthread_create(&b.thread, NULL, bombard, &b));
	stay();
	for (i = 0; i < n; i++) {
		for (j = 0; j < 8; j++)
			send_forgery(l, j);
		while (link_send(l, CT_DATA, text, 100) != 100)
			l->b_seq--;
		settle();
		__atomic_add_fetch(&b.called, 1, __ATOMIC_RELEASE);
		for (j = 0; recv(l->a, buf, sizeof(buf), MSG_DONTWAIT) != 100;
		     j++)
			if (j == 1000)
				break;
		hidden += !!j;
	}
	__atomic_store_n(&b.stop, true, __ATOMIC_RELEASE);
	pthread_join(b.thread, NULL);
	EXPECT_EQ(0U, hidden);
}

struct forger {
	struct link *l;
	bool stop;
	bool over;
	pthread_t thread;
};

/*
 * For half a minute or until it is stopped: datagrams of as many forgeries as are opened of
 * one. Forgeries keep a reader busy longest, so it seldom finds its queue empty.
 */
static void *forge(void *arg)
{
	static __u8 junk[60000];
	struct forger *f = arg;
	struct timespec ts;
	size_t len = 0;
	time_t until;
	int i;

	stay_on(1);
	for (i = 0; i < 8; i++) {
		len += peer_seal_more(&f->l->ba, CT_DATA, 1000 + i, text,
				      sizeof(text), junk + len);
		junk[len - 1] ^= 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &ts);
	until = ts.tv_sec + 30;
	while (!__atomic_load_n(&f->stop, __ATOMIC_ACQUIRE) &&
	       ts.tv_sec < until) {
		send(f->l->b, junk, len, MSG_DONTWAIT);
		clock_gettime(CLOCK_MONOTONIC, &ts);
	}
	f->over = ts.tv_sec >= until;
	return NULL;
}

/*
 * recv comes back although junk never ends. A busy machine may keep the caller from
 * running for any time, so what is bounded is the time that the caller runs: that is the
 * limit at most, and what a full queue takes before and after it.
 */
TEST_F(readers, a_time_limit_holds_under_a_flood)
{
	struct timeval tv = { .tv_sec = 1 };
	struct forger f = { .l = &self->l };
	struct timespec from, to;
	struct link *l = &self->l;
	int err;

	stay_on(0);
	ASSERT_OK(setsockopt(l->a, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	ASSERT_OK(pthread_create(&f.thread, NULL, forge, &f));
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	ASSERT_EQ(-1, recv(l->a, buf, sizeof(buf), 0));
	err = errno;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	__atomic_store_n(&f.stop, true, __ATOMIC_RELEASE);
	pthread_join(f.thread, NULL);
	EXPECT_EQ(EAGAIN, err);
	EXPECT_FALSE(f.over);
	EXPECT_GT(4, to.tv_sec - from.tv_sec);
}

TEST_F(readers, a_signal_ends_recv_under_a_flood)
{
	struct itimerval soon = {
		.it_value = { .tv_usec = 200000 },
		.it_interval = { .tv_usec = 200000 },
	};
	struct sigaction act = { .sa_handler = on_signal };
	struct forger f = { .l = &self->l };
	struct link *l = &self->l;
	int err;

	ASSERT_OK(pthread_create(&f.thread, NULL, forge, &f));
	ASSERT_OK(sigaction(SIGALRM, &act, NULL));
	ASSERT_OK(setitimer(ITIMER_REAL, &soon, NULL));
	ASSERT_EQ(-1, recv(l->a, buf, sizeof(buf), 0));
	err = errno;
	soon = (struct itimerval){};
	ASSERT_OK(setitimer(ITIMER_REAL, &soon, NULL));
	__atomic_store_n(&f.stop, true, __ATOMIC_RELEASE);
	pthread_join(f.thread, NULL);
	EXPECT_EQ(EINTR, err);
	EXPECT_FALSE(f.over);
}

TEST_HARNESS_MAIN
