// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that cannot be had: the first allocation of a system call fails, then
 * the second, and so on until the call gets through. Each time it must either
 * work or say ENOMEM or ENOBUFS, and the socket must work afterwards. That
 * nothing is left over is for kmemleak to say, after the tests.
 */
#include "harness.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "clients.h"
#include "common.h"
#include "held.h"
#include "traffic.h"

/* No system call here needs as many allocations. */
#define FAULTS_MAX	1000

#define N_SEGMENTS	6
#define SEGMENT		500

struct fault {
	struct link l;
	int family;
	__u16 cipher;
	unsigned int cid_len;
	int nth;		/* /proc/thread-self/fail-nth */
	int file;		/* for sendfile() */
	int own;		/* a socket for one association of many */
	__u64 next_seq;		/* no number below may come again */
	bool failed;		/* the call did */
};

static int knob(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, value, strlen(value));
	close(fd);
	return n < 0 ? -1 : 0;
}

/* Allocations that may sleep fail too, and those of single pages. */
static int let_everything_fail(void)
{
	static const char debugfs[] = "/sys/kernel/debug";
	static const struct { const char *file, *value; } knobs[] = {
		{ "failslab/ignore-gfp-wait", "N" },
		{ "failslab/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/min-order", "0" },
		{ "fail_page_alloc/verbose", "0" },
	};
	char path[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		snprintf(path, sizeof(path), "%s/%s", debugfs, knobs[i].file);
		if (knob(path, knobs[i].value))
			return -1;
	}
	return 0;
}

static void arm(struct fault *f, unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(f->nth, text, len, 0) != len)
		abort();
}

/* Return true if an allocation failed. */
static bool disarm(struct fault *f)
{
	char text[16] = {};

	if (pread(f->nth, text, sizeof(text) - 1, 0) <= 0)
		abort();
	arm(f, 0);
	return atoi(text) == 0;
}

/* What came out while memory was short: no number twice, nothing in the clear. */
static bool drain(struct fault *f)
{
	static unsigned char in[DGRAM_MAX];
	static struct peer_record rec;
	ssize_t n, used;
	size_t at;

	while ((n = recv(f->l.b, in, sizeof(in), MSG_DONTWAIT)) >= 0) {
		for (at = 0; at < (size_t)n; at += used) {
			used = peer_open(&f->l.ab, in + at, n - at, &rec);
			if (used < 0 || rec.seq < f->next_seq) {
				printf("# bad record on the wire\n");
				return false;
			}
			f->next_seq = rec.seq + 1;
		}
	}
	while (recv(f->l.a, in, sizeof(in), MSG_DONTWAIT) >= 0)
		;
	return true;
}

static bool still_works(struct fault *f)
{
	if (!drain(f) || !link_raw_works(&f->l))
		return false;
	f->next_seq++;
	return true;
}

/* Sockets and keys anew, nothing attached */
static int fresh(struct fault *f)
{
	link_close(&f->l);
	f->next_seq = 0;
	return link_open(&f->l, f->family, f->cipher, f->cid_len);
}

static int fresh_attached(struct fault *f)
{
	return fresh(f) ? -1 : dtls_attach(f->l.a);
}

/**
 * struct op - a system call and what belongs to it
 * @setup:	before each call; NULL: nothing to do
 * @call:	returns 0, or errno, or -1 if it told untruth
 * @check:	returns true if everything is as it should be afterwards
 */
struct op {
	int (*setup)(struct fault *f);
	int (*call)(struct fault *f);
	bool (*check)(struct fault *f);
};

static bool survives(struct fault *f, const struct op *op)
{
	unsigned int n, errors = 0;
	int err;

	for (n = 1; n <= FAULTS_MAX; n++) {
		bool injected;

		if (op->setup && op->setup(f)) {
			printf("# setup %u: %s\n", n, strerror(errno));
			return false;
		}
		arm(f, n);
		err = op->call(f);
		injected = disarm(f);
		f->failed = err;
		errors += !!err;
		if (err && err != ENOMEM && err != ENOBUFS) {
			printf("# allocation %u: errno %d\n", n, err);
			return false;
		}
		if (err && !injected) {
			printf("# failed without a reason, errno %d\n", err);
			return false;
		}
		if (!op->check(f)) {
			printf("# allocation %u: does not work afterwards\n",
			       n);
			return false;
		}
		if (!injected) {
			printf("# %u allocations, %u errors\n", n - 1, errors);
			return true;
		}
	}
	printf("# no end of allocations\n");
	return false;
}

FIXTURE(fault) {
	struct fault f;
};

FIXTURE_VARIANT(fault) {
	int family;
	__u16 cipher;
	unsigned int cid_len;
};

LINK_VARIANT(fault, v4_gcm, DTLS_CIPHER_AES_GCM_128, AF_INET, 0);
LINK_VARIANT(fault, v6_ccm, DTLS_CIPHER_AES_CCM_128, AF_INET6, 0);
LINK_VARIANT(fault, v4_chacha, DTLS_CIPHER_CHACHA20_POLY1305, AF_INET, 0);

/* A second cipher object, for sequence numbers */
LINK_VARIANT(fault, v13_v6_gcm_cid, V13(DTLS_CIPHER_AES_GCM_256), AF_INET6, 5);
LINK_VARIANT(fault, v13_v4_chacha_cid, V13(DTLS_CIPHER_CHACHA20_POLY1305),
	     AF_INET, 1);

FIXTURE_SETUP(fault)
{
	struct fault *f = &self->f;

	stay();
	f->family = variant->family;
	f->cipher = variant->cipher;
	f->cid_len = variant->cid_len;
	f->nth = open("/proc/thread-self/fail-nth", O_RDWR);
	if (f->nth < 0)
		SKIP(return, "kernel without CONFIG_FAULT_INJECTION");
	ASSERT_EQ(0, let_everything_fail());
	f->file = memfd_create("fault", 0);
	ASSERT_EQ(0, ftruncate(f->file, 3000));
	f->own = -1;
	ASSERT_EQ(0, link_raw(&f->l, f->family, f->cipher, f->cid_len));
	ASSERT_TRUE(still_works(f));
	/* A page fault is not a system call that could say ENOMEM. */
	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
}

FIXTURE_TEARDOWN(fault)
{
	link_close(&self->f.l);
	close(self->f.own);
	close(self->f.file);
	close(self->f.nth);
}

static int call_attach(struct fault *f)
{
	return dtls_attach(f->l.a) ? errno : 0;
}

static bool check_attach(struct fault *f)
{
	if (f->failed && dtls_attach(f->l.a))
		return false;
	return !dtls_set_key(f->l.a, DTLS_TX, &f->l.ab) &&
	       !dtls_set_key(f->l.a, DTLS_RX, &f->l.ba) && still_works(f);
}

TEST_F(fault, attach)
{
	static const struct op op = { fresh, call_attach, check_attach };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int call_tx_key(struct fault *f)
{
	return dtls_set_key(f->l.a, DTLS_TX, &f->l.ab) ? errno : 0;
}

/* A key that was not taken left nothing behind. */
static bool check_tx_key(struct fault *f)
{
	struct dtls_info info;

	if (f->failed &&
	    (dtls_get_info(f->l.a, &info) || info.version || info.tx_epoch ||
	     dtls_set_key(f->l.a, DTLS_TX, &f->l.ab)))
		return false;
	return !dtls_set_key(f->l.a, DTLS_RX, &f->l.ba) && still_works(f);
}

TEST_F(fault, first_tx_key)
{
	static const struct op op = { fresh_attached, call_tx_key,
				      check_tx_key };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int call_rx_key(struct fault *f)
{
	return dtls_set_key(f->l.a, DTLS_RX, &f->l.ba) ? errno : 0;
}

static bool check_rx_key(struct fault *f)
{
	struct dtls_info info;

	if (f->failed &&
	    (dtls_get_info(f->l.a, &info) || info.version || info.rx_epoch ||
	     dtls_set_key(f->l.a, DTLS_RX, &f->l.ba)))
		return false;
	return !dtls_set_key(f->l.a, DTLS_TX, &f->l.ab) && still_works(f);
}

TEST_F(fault, first_rx_key)
{
	static const struct op op = { fresh_attached, call_rx_key,
				      check_rx_key };

	EXPECT_TRUE(survives(&self->f, &op));
}

/* With a key in use, and traffic on it until the next one is taken */
static int call_rekey(struct fault *f)
{
	struct peer_key ab = f->l.ab, ba = f->l.ba;

	ab.epoch++;
	ba.epoch++;
	if (dtls_set_key(f->l.a, DTLS_RX, &ba))
		return errno;
	f->l.ba = ba;
	f->l.b_seq = 0;
	if (dtls_set_key(f->l.a, DTLS_TX, &ab))
		return errno;
	f->l.ab = ab;
	f->next_seq = 0;
	return 0;
}

static bool check_rekey(struct fault *f)
{
	struct dtls_info info;

	return !dtls_get_info(f->l.a, &info) &&
	       info.tx_epoch == f->l.ab.epoch &&
	       info.rx_epoch == f->l.ba.epoch && still_works(f);
}

TEST_F(fault, rekey)
{
	static const struct op op = { NULL, call_rekey, check_rekey };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int call_send(struct fault *f)
{
	char buf[1000] = {};
	ssize_t n = send(f->l.a, buf, sizeof(buf), 0);

	return n < 0 ? errno : n == sizeof(buf) ? 0 : -1;
}

TEST_F(fault, send)
{
	static const struct op op = { NULL, call_send, still_works };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int call_send_largest(struct fault *f)
{
	static char buf[PLAIN_MAX];
	ssize_t n = send(f->l.a, buf, sizeof(buf), 0);

	return n < 0 ? errno : n == sizeof(buf) ? 0 : -1;
}

TEST_F(fault, send_largest)
{
	static const struct op op = { NULL, call_send_largest, still_works };

	EXPECT_TRUE(survives(&self->f, &op));
}

/* Whole segments may have gone before memory ran out. */
static int call_send_segments(struct fault *f)
{
	static char buf[N_SEGMENTS * SEGMENT];
	ssize_t n = send_segments(f->l.a, buf, sizeof(buf), SEGMENT, 0);

	return n < 0 ? errno : n && n % SEGMENT == 0 ? 0 : -1;
}

TEST_F(fault, send_segments)
{
	static const struct op op = { NULL, call_send_segments, still_works };

	EXPECT_TRUE(survives(&self->f, &op));
}

/* More than one datagram can hold: several sends below */
static int call_send_64k(struct fault *f)
{
	static char buf[60000];
	ssize_t n = send_segments(f->l.a, buf, sizeof(buf), 1000, 0);

	return n < 0 ? errno : n && n % 1000 == 0 ? 0 : -1;
}

TEST_F(fault, send_64k_of_segments)
{
	static const struct op op = { NULL, call_send_64k, still_works };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int call_send_corked(struct fault *f)
{
	char buf[300] = {};
	int i, err = 0;

	for (i = 0; i < 3; i++)
		if (send(f->l.a, buf, sizeof(buf), MSG_MORE) < 0)
			err = errno;
	if (send(f->l.a, buf, sizeof(buf), 0) < 0)
		err = errno;
	return err;
}

/* Something may be left in the cork: the next send takes it along. */
static bool check_corked(struct fault *f)
{
	return send(f->l.a, "x", 1, 0) == 1 && still_works(f);
}

TEST_F(fault, send_corked)
{
	static const struct op op = { NULL, call_send_corked, check_corked };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int call_sendmmsg(struct fault *f)
{
	static char buf[100];
	struct iovec iov = { buf, sizeof(buf) };
	struct mmsghdr mm[4] = {};
	int i, n;

	for (i = 0; i < 4; i++) {
		mm[i].msg_hdr.msg_iov = &iov;
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	n = sendmmsg(f->l.a, mm, 4, 0);
	return n < 0 ? errno : n ? 0 : -1;
}

TEST_F(fault, sendmmsg)
{
	static const struct op op = { NULL, call_sendmmsg, still_works };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int call_sendfile(struct fault *f)
{
	off_t at = 0;

	return sendfile(f->l.a, f->file, &at, 3000) < 0 ? errno : 0;
}

TEST_F(fault, sendfile)
{
	static const struct op op = { NULL, call_sendfile, still_works };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int call_send_control(struct fault *f)
{
	return send_control(f->l.a, CT_HANDSHAKE, 0, "hello", 5) < 0 ? errno :
								       0;
}

TEST_F(fault, send_control)
{
	static const struct op op = { NULL, call_send_control, still_works };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int one_queued(struct fault *f)
{
	return link_send(&f->l, CT_DATA, "queued", 6) == 6 ? 0 : -1;
}

static int call_recv(struct fault *f)
{
	char buf[16];
	ssize_t n = recv(f->l.a, buf, sizeof(buf), MSG_DONTWAIT);

	return n < 0 ? errno : n == 6 && !memcmp(buf, "queued", 6) ? 0 : -1;
}

TEST_F(fault, recv)
{
	static const struct op op = { one_queued, call_recv, still_works };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int call_peek(struct fault *f)
{
	char buf[16];
	ssize_t n = recv(f->l.a, buf, sizeof(buf), MSG_DONTWAIT | MSG_PEEK);

	if (n < 0)
		return errno;
	return n == 6 && !memcmp(buf, "queued", 6) ? call_recv(f) : -1;
}

TEST_F(fault, peek)
{
	static const struct op op = { one_queued, call_peek, still_works };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int largest_queued(struct fault *f)
{
	static char buf[PLAIN_MAX];

	return link_send(&f->l, CT_DATA, buf, PLAIN_MAX) == PLAIN_MAX ? 0 : -1;
}

static int call_recv_largest(struct fault *f)
{
	static char buf[PLAIN_MAX];
	ssize_t n = recv(f->l.a, buf, sizeof(buf), MSG_DONTWAIT);

	return n < 0 ? errno : n == PLAIN_MAX ? 0 : -1;
}

TEST_F(fault, recv_largest)
{
	static const struct op op = { largest_queued, call_recv_largest,
				      still_works };

	EXPECT_TRUE(survives(&self->f, &op));
}

/* One coalesced datagram of several records */
static int segments_queued(struct fault *f)
{
	static unsigned char out[N_SEGMENTS * (SEGMENT + 100)];
	static char buf[SEGMENT];
	size_t n = 0, one = 0;
	int i;

	for (i = 0; i < N_SEGMENTS; i++) {
		one = peer_seal(&f->l.ba, CT_DATA, f->l.b_seq++, buf, SEGMENT,
				out + n);
		n += one;
	}
	return send_segments(f->l.b, out, n, one, 0) == (ssize_t)n ? 0 : -1;
}

static int call_recv_segments(struct fault *f)
{
	char buf[SEGMENT];
	int i;

	for (i = 0; i < N_SEGMENTS; i++)
		if (recv(f->l.a, buf, sizeof(buf), MSG_DONTWAIT) < 0)
			return errno == EAGAIN && i ? ENOMEM : errno;
	return 0;
}

TEST_F(fault, recv_segments)
{
	static const struct op op = { segments_queued, call_recv_segments,
				      still_works };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int call_recv_gro(struct fault *f)
{
	static char buf[N_SEGMENTS * SEGMENT];
	ssize_t n;
	int gso;

	n = recv_segments(f->l.a, buf, sizeof(buf), &gso, MSG_DONTWAIT);
	if (n < 0)
		return errno;
	return n && n % SEGMENT == 0 ? 0 : -1;
}

TEST_F(fault, recv_with_gro)
{
	static const struct op op = { segments_queued, call_recv_gro,
				      still_works };
	int on = 1;

	ASSERT_EQ(0, setsockopt(self->f.l.a, SOL_UDP, UDP_GRO, &on,
				sizeof(on)));
	EXPECT_TRUE(survives(&self->f, &op));
}

/*
 * A reader that hangs in a page fault has this processor's spare memory for
 * sealing and opening, so that all others must allocate theirs.
 */
struct hog {
	struct link l;
	pthread_t thread;
	struct held held;
};

static void *hang(void *arg)
{
	struct hog *h = arg;

	recv(h->l.a, h->held.page, 100, 0);
	return NULL;
}

static int hog_start(struct hog *h)
{
	if (held_open(&h->held, 1) ||
	    link_raw(&h->l, AF_INET, DTLS_CIPHER_AES_GCM_128, 0) ||
	    link_send(&h->l, CT_DATA, "hang", 4) != 4 ||
	    pthread_create(&h->thread, NULL, hang, h))
		return -1;
	return held_somebody(&h->held) ? 0 : -1;
}

static int hog_stop(struct hog *h)
{
	if (held_let_go(&h->held, NULL, 0))
		return -1;
	pthread_join(h->thread, NULL);
	held_close(&h->held);
	link_close(&h->l);
	return 0;
}

TEST_F(fault, without_a_spare)
{
	static const struct op ops[] = {
		{ NULL, call_send, still_works },
		{ NULL, call_send_largest, still_works },
		{ NULL, call_send_segments, still_works },
		{ NULL, call_send_corked, check_corked },
		{ one_queued, call_recv, still_works },
		{ segments_queued, call_recv_gro, still_works },
	};
	struct hog hog;
	int on = 1;
	size_t i;

	ASSERT_EQ(0, hog_start(&hog));
	ASSERT_EQ(0, setsockopt(self->f.l.a, SOL_UDP, UDP_GRO, &on,
				sizeof(on)));
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		EXPECT_TRUE(survives(&self->f, &ops[i]))
			TH_LOG("call %zu", i);
	EXPECT_EQ(0, hog_stop(&hog));
}

static int call_poll(struct fault *f)
{
	/* It may find nothing, but must not find what is not there. */
	return poll_for(f->l.a, POLLIN, 0) & POLLIN ? call_recv(f) : 0;
}

TEST_F(fault, poll)
{
	static const struct op op = { one_queued, call_poll, still_works };

	EXPECT_TRUE(survives(&self->f, &op));
}

/* Two of each kind: one may be lost for want of memory. */
static int four_queued(struct fault *f)
{
	int on = 1, i;

	if (setsockopt(f->l.a, SOL_DTLS, DTLS_POLL_CONTROL, &on, sizeof(on)))
		return -1;
	for (i = 0; i < 4; i++)
		if (link_send(&f->l, i % 2 ? CT_HANDSHAKE : CT_DATA, "queued",
			      6) != 6)
			return -1;
	return 0;
}

static int call_poll_twice(struct fault *f)
{
	if (poll_for(f->l.a, POLLIN, 0) != POLLIN ||
	    poll_for(f->l.a, POLLPRI, 0) != POLLPRI)
		return -1;
	return 0;
}

static bool check_all_read(struct fault *f)
{
	struct dtls_record_info info;
	char buf[16];

	while (recv_control(f->l.a, &info, buf, sizeof(buf)) >= 0)
		;
	return still_works(f);
}

TEST_F(fault, poll_denies_nothing_for_want_of_memory)
{
	static const struct op op = { four_queued, call_poll_twice,
				      check_all_read };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int call_epoll(struct fault *f)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLPRI | EPOLLET };
	int fd = epoll_create1(0), err = 0;

	if (fd < 0)
		return errno;
	if (epoll_ctl(fd, EPOLL_CTL_ADD, f->l.a, &ev) ||
	    epoll_wait(fd, &ev, 1, 0) < 0)
		err = errno;
	close(fd);
	return err;
}

TEST_F(fault, epoll)
{
	static const struct op op = { one_queued, call_epoll, still_works };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int control_queued(struct fault *f)
{
	return link_send(&f->l, CT_HANDSHAKE, "queued", 6) == 6 ? 0 : -1;
}

static int call_recv_control(struct fault *f)
{
	struct dtls_record_info info;
	char buf[16];
	ssize_t n;

	/* Nothing for recv(); what there is goes to the control queue. */
	n = recv(f->l.a, buf, sizeof(buf), MSG_DONTWAIT);
	if (n >= 0)
		return -1;
	if (errno != EAGAIN)
		return errno;
	n = recv_control(f->l.a, &info, buf, sizeof(buf));
	if (n < 0)
		return errno == EAGAIN ? ENOMEM : errno;
	return n == 6 && info.type == CT_HANDSHAKE ? 0 : -1;
}

static bool check_control(struct fault *f)
{
	struct dtls_record_info info;
	char buf[16];

	while (recv_control(f->l.a, &info, buf, sizeof(buf)) >= 0)
		;
	return errno == EAGAIN && still_works(f);
}

TEST_F(fault, recv_control)
{
	static const struct op op = { control_queued, call_recv_control,
				      check_control };

	EXPECT_TRUE(survives(&self->f, &op));
}

/* A write key that is about to tell that it nears its limit */
static int near_limit(struct fault *f)
{
	struct dtls_info info;

	if (dtls_get_info(f->l.a, &info))
		return -1;
	f->l.ab.epoch++;
	f->l.ab.rec_seq = info.tx_limit - 10;
	f->next_seq = f->l.ab.rec_seq;
	return dtls_set_key(f->l.a, DTLS_TX, &f->l.ab);
}

static int call_send_one(struct fault *f)
{
	return send(f->l.a, "x", 1, 0) == 1 ? 0 : errno;
}

/* One record later at the latest the library knows, and it is told once. */
static bool check_told(struct fault *f)
{
	struct dtls_record_info info;
	char buf[16];
	int told = 0;

	if (send(f->l.a, "x", 1, 0) != 1)
		return false;
	while (recv_control(f->l.a, &info, buf, sizeof(buf)) >= 0)
		told += info.flags == DTLS_RECORD_EVENT &&
			info.event == DTLS_EVENT_TX_LIMIT &&
			info.epoch == f->l.ab.epoch;
	return told == 1 && still_works(f);
}

TEST_F(fault, limit_event)
{
	static const struct op op = { near_limit, call_send_one, check_told };

	EXPECT_TRUE(survives(&self->f, &op));
}

/* Send a record whose tag is wrong. */
static int send_forgery(struct fault *f)
{
	__u8 wire[256];
	size_t len = peer_seal(&f->l.ba, CT_DATA, 1000, "x", 1, wire);

	wire[len - 1] ^= 1;
	return send(f->l.b, wire, len, 0) == (ssize_t)len ? 0 : -1;
}

/* What recv() says of forgeries: nothing is there. */
static int recv_forgery(struct fault *f)
{
	char buf[16];

	if (recv(f->l.a, buf, sizeof(buf), MSG_DONTWAIT) >= 0)
		return -1;
	return errno == EAGAIN ? 0 : errno;
}

/* A read key that the next forgery brings near its limit, and that forgery */
static int near_forgeries(struct fault *f)
{
	struct dtls_key_info ki;
	int i;

	f->l.ba.epoch++;
	f->l.b_seq = 0;
	key_info(&f->l.ba, &ki);
	ki.limit = 16;
	if (setsockopt(f->l.a, SOL_DTLS, DTLS_RX, &ki, sizeof(ki)))
		return -1;
	for (i = 0; i < 13; i++)
		if (send_forgery(f) || recv_forgery(f))
			return -1;
	return send_forgery(f);
}

/* One forgery later at the latest the library knows, and it is told once. */
static bool check_forgeries_told(struct fault *f)
{
	struct dtls_record_info info;
	char buf[16];
	int told = 0;

	if (send_forgery(f) || recv_forgery(f))
		return false;
	while (recv_control(f->l.a, &info, buf, sizeof(buf)) >= 0)
		told += info.flags == DTLS_RECORD_EVENT &&
			info.event == DTLS_EVENT_RX_LIMIT &&
			info.epoch == f->l.ba.epoch;
	return told == 1 && still_works(f);
}

TEST_F(fault, forgeries_event)
{
	static const struct op op = { near_forgeries, recv_forgery,
				      check_forgeries_told };

	EXPECT_TRUE(survives(&self->f, &op));
}

/* Records that come before their key, and the key */
static int early_queued(struct fault *f)
{
	f->l.ba.epoch++;
	f->l.b_seq = 0;
	return one_queued(f) || one_queued(f) ? -1 : 0;
}

static int call_early(struct fault *f)
{
	char buf[16];

	if (recv(f->l.a, buf, sizeof(buf), MSG_DONTWAIT) >= 0)
		return -1;
	if (errno != EAGAIN)
		return errno;
	if (dtls_set_key(f->l.a, DTLS_RX, &f->l.ba))
		return errno;
	if (recv(f->l.a, buf, sizeof(buf), MSG_DONTWAIT) < 0)
		return errno == EAGAIN ? ENOMEM : errno;
	return 0;
}

static bool check_early(struct fault *f)
{
	if (f->failed && dtls_set_key(f->l.a, DTLS_RX, &f->l.ba) &&
	    errno != EEXIST)
		return false;
	return still_works(f);
}

TEST_F(fault, recv_early)
{
	static const struct op op = { early_queued, call_early, check_early };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int call_replay_window(struct fault *f)
{
	static __u32 size = 64;

	size = size == 64 ? 4096 : 64;
	return dtls_set_replay_window(f->l.a, size) ? errno : 0;
}

TEST_F(fault, replay_window)
{
	static const struct op op = { NULL, call_replay_window, still_works };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int call_options(struct fault *f)
{
	struct dtls_window w = { .epoch = f->l.ba.epoch };
	struct dtls_counters counters = {};
	struct dtls_info info = {};
	struct dtls_cid cid = {};
	socklen_t len = sizeof(w);

	if (getsockopt(f->l.a, SOL_DTLS, DTLS_WINDOW, &w, &len))
		return errno;
	if (setsockopt(f->l.a, SOL_DTLS, DTLS_WINDOW, &w, sizeof(w)))
		return errno;
	len = sizeof(info);
	if (getsockopt(f->l.a, SOL_DTLS, DTLS_INFO, &info, &len))
		return errno;
	len = sizeof(cid);
	if (getsockopt(f->l.a, SOL_DTLS, DTLS_CID, &cid, &len))
		return errno;
	len = sizeof(counters);
	return getsockopt(f->l.a, SOL_DTLS, DTLS_COUNTERS, &counters, &len) ?
	       errno : 0;
}

TEST_F(fault, options)
{
	static const struct op op = { NULL, call_options, still_works };

	EXPECT_TRUE(survives(&self->f, &op));
}

/* DTLS 1.3: one more connection ID that is good, and one to send */
static int call_cid(struct fault *f)
{
	struct dtls_cid cid = {
		.tx_len = f->l.ab.cid_len, .rx_len = f->l.ba.cid_len,
	};

	f->l.ba.cid[0]++;
	memcpy(cid.tx, f->l.ab.cid, cid.tx_len);
	memcpy(cid.rx, f->l.ba.cid, cid.rx_len);
	if (!setsockopt(f->l.a, SOL_DTLS, DTLS_CID, &cid, sizeof(cid)))
		return 0;
	f->l.ba.cid[0]--;
	return errno;
}

TEST_F(fault, connection_ids)
{
	static const struct op op = { NULL, call_cid, still_works };

	if (!IS_V13(variant->cipher)) {
		EXPECT_EQ(EOPNOTSUPP, call_cid(&self->f));
		return;
	}
	EXPECT_TRUE(survives(&self->f, &op));
}

static int fresh_full(struct fault *f)
{
	return fresh(f) || link_attach_a(&f->l) || one_queued(f) ||
	       control_queued(f) ? -1 : 0;
}

static int call_close(struct fault *f)
{
	int fd = f->l.a;

	f->l.a = -1;
	return close(fd) ? errno : 0;
}

static bool check_closed(struct fault *f)
{
	return !fresh(f) && !link_attach_a(&f->l) && still_works(f);
}

TEST_F(fault, close)
{
	static const struct op op = { fresh_full, call_close, check_closed };

	EXPECT_TRUE(survives(&self->f, &op));
}

/* ---- one association of many ---- */

#define ASSOC_ID	7

/*
 * Make a link whose @a is not connected and has a table. A socket that got its port
 * by itself loses it when it is disconnected, so it is bound again.
 */
static int fresh_server(struct fault *f)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct dtls_assoc_table table = { .cid_len = f->l.ba.cid_len };
	struct sockaddr_in6 name;
	socklen_t len = sizeof(name);
	int on = 1;

	return fresh(f) ||
	       getsockname(f->l.a, (struct sockaddr *)&name, &len) ||
	       connect(f->l.a, &none, sizeof(none)) ||
	       setsockopt(f->l.a, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	       bind(f->l.a, (struct sockaddr *)&name, len) ||
	       dtls_attach(f->l.a) ||
	       setsockopt(f->l.a, SOL_DTLS, DTLS_ASSOC_TABLE, &table,
			  sizeof(table)) ? -1 : 0;
}

static int add_one(struct fault *f)
{
	return set_peer(f->l.a, DTLS_ASSOC_ADD, ASSOC_ID, f->l.b) ||
	       set_key(f->l.a, ASSOC_ID, DTLS_RX, &f->l.ba) ||
	       set_key(f->l.a, ASSOC_ID, DTLS_TX, &f->l.ab) ? -1 : 0;
}

static bool one_works(struct fault *f)
{
	static const __u8 text[50];
	char in[100];

	if (!drain(f) || link_send(&f->l, CT_DATA, "one", 3) != 3 ||
	    recv_now(f->l.a, in, sizeof(in)) != 3 || memcmp(in, "one", 3) ||
	    server_send(f->l.a, ASSOC_ID, text, 50) != 50)
		return false;
	settle();
	return drain(f);
}

static int fresh_one(struct fault *f)
{
	return fresh_server(f) || add_one(f) ? -1 : 0;
}

static int call_add(struct fault *f)
{
	return add_one(f) ? errno : 0;
}

/* What was not added whole is deleted, and can be added again. */
static bool check_add(struct fault *f)
{
	if (f->failed && delete(f->l.a, ASSOC_ID) && errno != ENOENT)
		return false;
	return (!f->failed || !add_one(f)) && one_works(f);
}

TEST_F(fault, one_of_many_is_added)
{
	static const struct op op = { fresh_server, call_add, check_add };

	EXPECT_TRUE(survives(&self->f, &op));
}

/*
 * So many associations a table has room for at first: its array of pointers has 512 bytes,
 * with a header of two pointers and two numbers.
 */
#define BUCKETS	((512 - 2 * sizeof(void *) - 8) / sizeof(void *))

/* Add associations with nobody until the next one makes the table grow. */
static int fill_table(struct fault *f)
{
	struct dtls_assoc_peer p = { .peer.family = f->family };
	unsigned int i;

	if (fresh_server(f))
		return -1;
	memset(p.peer.addr, 1, f->family == AF_INET ? 4 : 16);
	for (i = 0; i < BUCKETS; i++) {
		p.id = 100 + i;
		p.peer.port = htons(1 + i);
		if (setsockopt(f->l.a, SOL_DTLS, DTLS_ASSOC_ADD, &p, sizeof(p)))
			return -1;
	}
	return 0;
}

TEST_F(fault, one_of_many_makes_the_table_grow)
{
	static const struct op op = { fill_table, call_add, check_add };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int call_move(struct fault *f)
{
	/* To an address of nobody's, and back. */
	return set_peer(f->l.a, DTLS_ASSOC_MOVE, ASSOC_ID, f->l.a) ||
	       set_peer(f->l.a, DTLS_ASSOC_MOVE, ASSOC_ID, f->l.b) ? errno : 0;
}

static bool check_move(struct fault *f)
{
	return !set_peer(f->l.a, DTLS_ASSOC_MOVE, ASSOC_ID, f->l.b) && one_works(f);
}

TEST_F(fault, one_of_many_is_moved)
{
	static const struct op op = { fresh_one, call_move, check_move };

	EXPECT_TRUE(survives(&self->f, &op));
}

/* Add a second association at the address, with a key, and delete it. */
static int call_add_beside(struct fault *f)
{
	const __u64 id = ASSOC_ID + 1;
	struct peer_key key;
	int err;

	peer_key_init(&key, f->l.ba.cipher, f->l.ba.epoch, 0, 90);
	if (set_peer_flags(f->l.a, DTLS_ASSOC_ADD, id, f->l.b,
			   DTLS_PEER_SUCCEED))
		return errno;
	err = set_key(f->l.a, id, DTLS_RX, &key) ? errno : 0;
	return delete(f->l.a, id) ? -1 : err;
}

TEST_F(fault, one_of_many_is_to_be_succeeded)
{
	static const struct op op = { fresh_one, call_add_beside, one_works };

	EXPECT_TRUE(survives(&self->f, &op));
}

#define ANEW_ID	(ASSOC_ID + 1)

/* Send a record of the association that is to have the address of the other one. */
static int send_anew(struct fault *f, __u64 seq)
{
	unsigned char out[100];
	struct peer_key key;
	size_t len;

	peer_key_init(&key, f->l.ba.cipher, f->l.ba.epoch, 0, 90);
	len = peer_seal(&key, CT_DATA, seq, "anew", 4, out);
	return send(f->l.b, out, len, 0) == (ssize_t)len ? 0 : -1;
}

/* Two associations are at an address, and a record of the second one is there. */
static int to_be_succeeded(struct fault *f)
{
	struct peer_key key;

	peer_key_init(&key, f->l.ba.cipher, f->l.ba.epoch, 0, 90);
	return fresh_one(f) ||
	       set_peer_flags(f->l.a, DTLS_ASSOC_ADD, ANEW_ID, f->l.b,
			      DTLS_PEER_SUCCEED) ||
	       set_key(f->l.a, ANEW_ID, DTLS_RX, &key) ||
	       send_anew(f, 1) ? -1 : 0;
}

static int recv_anew(struct fault *f)
{
	char in[16];

	/* A record that could not be opened for want of memory is like a forgery. */
	return recv_now(f->l.a, in, sizeof(in)) == 4 || errno == EAGAIN ?
	       0 : errno;
}

/* One record later at the latest the address has changed hands, which is told once. */
static bool check_succeeded(struct fault *f)
{
	struct dtls_record_info info;
	int told = 0;
	char in[16];

	if (send_anew(f, 2))
		return false;
	while (recv_now(f->l.a, in, sizeof(in)) == 4)
		;
	while (recv_control(f->l.a, &info, in, sizeof(in)) >= 0)
		told += info.flags == DTLS_RECORD_EVENT &&
			info.event == DTLS_EVENT_REPLACED &&
			info.id == ASSOC_ID;
	return told == 1 && server_send(f->l.a, ASSOC_ID, in, 1) < 0 &&
	       errno == ENOTCONN;
}

TEST_F(fault, replaced_event)
{
	static const struct op op = { to_be_succeeded, recv_anew,
				      check_succeeded };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int call_delete(struct fault *f)
{
	return delete(f->l.a, ASSOC_ID) ? errno : 0;
}

static bool check_deleted(struct fault *f)
{
	return !f->failed && !add_one(f) && one_works(f);
}

TEST_F(fault, one_of_many_is_deleted)
{
	static const struct op op = { fresh_one, call_delete, check_deleted };

	EXPECT_TRUE(survives(&self->f, &op));
}

static int call_traffic_of_one(struct fault *f)
{
	static __u8 out[2000];
	char in[3000];

	if (link_send(&f->l, CT_DATA, "one", 3) != 3)
		return errno;
	if (recv_now(f->l.a, in, sizeof(in)) < 0 && errno != EAGAIN)
		return errno;
	return server_send(f->l.a, ASSOC_ID, out, sizeof(out)) < 0 ? errno : 0;
}

TEST_F(fault, traffic_of_one_of_many)
{
	static const struct op op = { fresh_one, call_traffic_of_one,
				      one_works };

	EXPECT_TRUE(survives(&self->f, &op));
}

/* ---- an association that is peeled off ---- */

#define WAITING	5	/* records that to_be_peeled() leaves */

/* Make a server and its association anew, without a socket of its own. */
static int fresh_without_own(struct fault *f)
{
	close(f->own);
	f->own = -1;
	return fresh_one(f);
}

static int make_own(struct fault *f)
{
	f->own = connected_socket(f->l.a, f->l.b);
	return f->own < 0 ? -1 : 0;
}

/* Send a record of the next epoch, whose key comes last. */
static int send_early(struct fault *f)
{
	struct peer_key now = f->l.ba;
	__u64 seq = f->l.b_seq;
	int err;

	f->l.ba.epoch++;
	f->l.b_seq = 0;
	err = link_send(&f->l, CT_DATA, "early", 5) == 5 ? 0 : -1;
	f->l.ba = now;
	f->l.b_seq = seq;
	return err;
}

/*
 * Leave something in each queue of the table's socket: a record that waits for its key,
 * one of another type, one that was opened for poll(), the rest of its datagram, and a
 * datagram that nobody has looked at.
 */
static int to_be_peeled(struct fault *f)
{
	unsigned char out[300];
	size_t len;

	if (fresh_without_own(f) || send_early(f) ||
	    link_send(&f->l, CT_HANDSHAKE, "control", 7) != 7)
		return -1;
	len = peer_seal_more(&f->l.ba, CT_DATA, f->l.b_seq++, "ready", 5, out);
	len += peer_seal(&f->l.ba, CT_DATA, f->l.b_seq++, "rest", 4, out + len);
	if (send(f->l.b, out, len, 0) != (ssize_t)len ||
	    poll_for(f->l.a, POLLIN, SOON_MS) != POLLIN ||
	    link_send(&f->l, CT_DATA, "whole", 5) != 5)
		return -1;
	settle();
	return make_own(f);
}

static int call_peel(struct fault *f)
{
	return peel_off(f->own, f->l.a, ASSOC_ID) ? errno : 0;
}

/* The association works on its own socket. */
static bool own_works(struct fault *f)
{
	char in[100];

	if (!drain(f) || link_send(&f->l, CT_DATA, "own", 3) != 3 ||
	    recv_now(f->own, in, sizeof(in)) != 3 || memcmp(in, "own", 3) ||
	    send(f->own, in, 50, 0) != 50)
		return false;
	settle();
	return drain(f);
}

/* Count what waits on @fd for a reader, and for a reader of control records. */
static unsigned int count_waiting(int fd)
{
	struct dtls_record_info info;
	unsigned int n = 0;
	char in[100];

	while (recv_now(fd, in, sizeof(in)) >= 0)
		n++;
	while (recv_control(fd, &info, in, sizeof(in)) >= 0)
		n++;
	return n;
}

/*
 * A peeling that failed has changed nothing. Of the records that waited all are there, or
 * were counted as lost for want of memory.
 */
static bool check_peeled(struct fault *f)
{
	struct dtls_counters counters;
	struct peer_key next = f->l.ba;
	unsigned int n;

	if (f->failed && peel_off(f->own, f->l.a, ASSOC_ID))
		return false;
	n = count_waiting(f->own);
	next.epoch++;
	if (dtls_set_key(f->own, DTLS_RX, &next))
		return false;
	n += count_waiting(f->own);
	if (get_counters(f->own, 0, &counters) ||
	    n + counters.rx_no_budget != WAITING || count_waiting(f->l.a))
		return false;
	return own_works(f);
}

TEST_F(fault, one_of_many_is_peeled_off)
{
	static const struct op op = { to_be_peeled, call_peel, check_peeled };

	EXPECT_TRUE(survives(&self->f, &op));
}

/* Send a datagram to the table's socket from an address that is nobody's. */
static int send_elsewhere(struct fault *f, const void *data, size_t len)
{
	int fd = udp_socket(f->family), err;

	err = fd < 0 || udp_connect(fd, f->l.a) ||
	      send(fd, data, len, 0) != (ssize_t)len;
	close(fd);
	settle();
	return err ? -1 : 0;
}

/* The table's socket has a datagram of the association that was peeled off. */
static int to_be_passed_on(struct fault *f)
{
	unsigned char out[100];
	size_t len;

	if (fresh_without_own(f) || make_own(f) ||
	    peel_off(f->own, f->l.a, ASSOC_ID))
		return -1;
	len = peer_seal(&f->l.ba, CT_DATA, f->l.b_seq++, "passed", 6, out);
	return send_elsewhere(f, out, len);
}

static int call_pass_on(struct fault *f)
{
	char in[16];

	if (recv(f->l.a, in, sizeof(in), MSG_DONTWAIT) >= 0)
		return -1;
	return errno == EAGAIN ? 0 : errno;
}

static bool check_passed_on(struct fault *f)
{
	struct dtls_counters counters;
	unsigned int n;

	count_waiting(f->l.a);
	n = count_waiting(f->own);
	return !get_counters(f->own, 0, &counters) &&
	       n + counters.rx_no_budget == 1 && own_works(f);
}

TEST_F(fault, one_of_many_is_passed_on)
{
	static const struct op op = { to_be_passed_on, call_pass_on,
				      check_passed_on };

	/* Its connection ID leads a datagram of another address to the table's socket. */
	if (!variant->cid_len)
		return;
	EXPECT_TRUE(survives(&self->f, &op));
}

static int to_be_closed(struct fault *f)
{
	return to_be_peeled(f) || call_peel(f) ? -1 : 0;
}

static int call_close_own(struct fault *f)
{
	int fd = f->own;

	f->own = -1;
	return close(fd) ? errno : 0;
}

static bool check_own_closed(struct fault *f)
{
	return !f->failed && !add_one(f) && one_works(f);
}

TEST_F(fault, the_socket_of_one_of_many_is_closed)
{
	static const struct op op = { to_be_closed, call_close_own,
				      check_own_closed };

	EXPECT_TRUE(survives(&self->f, &op));
}

TEST_HARNESS_MAIN
