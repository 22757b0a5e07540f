// SPDX-License-Identifier: GPL-2.0
/*
 * Receiving: the reader gets exactly the plaintext of what is genuine, in
 * every way there is to read, and nothing else ever. The sender is a plain UDP
 * socket with the second implementation behind it, or somebody hostile.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <liburing.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <time.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>

#include "common.h"

static __u8 text[1 << 18], buf[1 << 18], wire[1 << 18];
static struct peer_record rec;

LINK_FIXTURE(receive);

LINK_VARIANT(receive, v4, DTLS_CIPHER_AES_GCM_128, AF_INET, 0);
LINK_VARIANT(receive, v6, DTLS_CIPHER_CHACHA20_POLY1305, AF_INET6, 0);
LINK_VARIANT(receive, v4_cid, DTLS_CIPHER_AES_CCM_128, AF_INET, 4);
LINK_VARIANT(receive, v6_cid, DTLS_CIPHER_AES_GCM_256, AF_INET6, 20);
LINK_VARIANT(receive, v13_v4, V13(DTLS_CIPHER_AES_GCM_128), AF_INET, 0);
LINK_VARIANT(receive, v13_v6_cid, V13(DTLS_CIPHER_CHACHA20_POLY1305),
	     AF_INET6, 9);

LINK_SETUP(receive, text)

/* The counters of what was not delivered */
enum what {
	REPLAYS, AUTH_FAILED, NO_KEY, MALFORMED, OVERSIZE, EMPTY, CONTROL,
	NO_BUDGET, N_WHAT
};

static const char *const stats[N_WHAT] = {
	[REPLAYS]	= "DtlsRxReplays",
	[AUTH_FAILED]	= "DtlsRxAuthFailed",
	[NO_KEY]	= "DtlsRxNoKey",
	[MALFORMED]	= "DtlsRxMalformed",
	[OVERSIZE]	= "DtlsRxOversize",
	[EMPTY]		= "DtlsRxEmpty",
	[CONTROL]	= "DtlsRxControl",
	[NO_BUDGET]	= "DtlsRxNoBudget",
};

static const size_t counters[N_WHAT] = {
#define COUNTER(field) offsetof(struct dtls_counters, field)
	[REPLAYS]	= COUNTER(rx_replays),
	[AUTH_FAILED]	= COUNTER(rx_auth_failed),
	[NO_KEY]	= COUNTER(rx_no_key),
	[MALFORMED]	= COUNTER(rx_malformed),
	[OVERSIZE]	= COUNTER(rx_oversize),
	[EMPTY]		= COUNTER(rx_empty),
	[CONTROL]	= COUNTER(rx_control),
	[NO_BUDGET]	= COUNTER(rx_no_budget),
};

struct counts {
	__u64 socket[N_WHAT];
	long long netns[N_WHAT];
};

static void count(struct __test_metadata *_metadata, struct link *l,
		  struct counts *c)
{
	struct dtls_counters now;
	int i;

	ASSERT_OK(dtls_get_counters(l->a, &now));
	dtls_stats(stats, N_WHAT, c->netns);
	for (i = 0; i < N_WHAT; i++) {
		c->socket[i] = *(__u64 *)((char *)&now +
					  counters[i]);
		ASSERT_LE(0, c->netns[i])
			TH_LOG("no %s", stats[i]);
	}
}

/* Since @before, @n of @what and as many of @also were counted, and no more. */
static void counted_both(struct __test_metadata *_metadata, struct link *l,
			 const struct counts *before, enum what what,
			 enum what also, int n)
{
	struct counts now;
	int i, want;

	count(_metadata, l, &now);
	for (i = 0; i < N_WHAT; i++) {
		want = i == (int)what || i == (int)also ? n : 0;
		ASSERT_EQ(want, (int)(now.socket[i] - before->socket[i]))
			TH_LOG("DTLS_INFO, %s", stats[i]);
		ASSERT_EQ(want, (int)(now.netns[i] - before->netns[i]))
			TH_LOG("dtls_stat, %s", stats[i]);
	}
}

static void counted(struct __test_metadata *_metadata, struct link *l,
		    const struct counts *before, enum what what, int n)
{
	counted_both(_metadata, l, before, what, what, n);
}

/* A genuine record comes through, and nothing before it does. */
static void still_works(struct __test_metadata *_metadata, struct link *l)
{
	ASSERT_EQ(60, link_send(l, CT_DATA, text + 1000, 60));
	ASSERT_EQ(60, recv(l->a, buf, sizeof(buf), 0))
		TH_LOG("%s", strerror(errno));
	ASSERT_EQ(0, memcmp(buf, text + 1000, 60));
}

static void send_wire(struct __test_metadata *_metadata, struct link *l,
		      ssize_t len)
{
	ASSERT_EQ(len, send(l->b, wire, len, 0));
}

static void nothing_to_read(struct __test_metadata *_metadata, struct link *l)
{
	ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
}

/* The datagram in @wire is dropped, counted once and under the right name. */
static void refused(struct __test_metadata *_metadata, struct link *l,
		    ssize_t len, enum what what)
{
	struct counts before;

	count(_metadata, l, &before);
	send_wire(_metadata, l, len);
	nothing_to_read(_metadata, l);
	counted(_metadata, l, &before, what, 1);
}

/*
 * Ways to read
 */

TEST_F(receive, one_record_a_recv)
{
	struct link *l = &self->l;
	int i;

	for (i = 1; i <= 5; i++)
		ASSERT_EQ(100 * i, link_send(l, CT_DATA, text + i, 100 * i));
	for (i = 1; i <= 5; i++) {
		ASSERT_EQ(100 * i, recv(l->a, buf, sizeof(buf), 0));
		ASSERT_EQ(0, memcmp(buf, text + i, 100 * i));
	}
	nothing_to_read(_metadata, l);
}

TEST_F(receive, read_and_readv)
{
	struct link *l = &self->l;
	struct iovec iov[] = {
		{ buf, 1 }, { NULL, 0 }, { buf + 1, 399 }, { buf + 400, 4096 },
	};

	ASSERT_EQ(300, link_send(l, CT_DATA, text, 300));
	ASSERT_EQ(1000, link_send(l, CT_DATA, text, 1000));
	ASSERT_EQ(300, read(l->a, buf, sizeof(buf)));
	ASSERT_EQ(0, memcmp(buf, text, 300));
	memset(buf, 0, 1000);
	ASSERT_EQ(1000, readv(l->a, iov, 4));
	ASSERT_EQ(0, memcmp(buf, text, 1000));
}

TEST_F(receive, into_a_bad_address)
{
	struct link *l = &self->l;

	ASSERT_EQ(300, link_send(l, CT_DATA, text, 300));
	ASSERT_ERRNO(EFAULT, recv(l->a, (void *)8, 300, 0));
	/* As with UDP, the record is gone. */
	ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
	still_works(_metadata, l);
}

TEST_F(receive, short_buffer_cuts_the_record)
{
	struct iovec iov = { buf, 100 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct link *l = &self->l;

	ASSERT_EQ(300, link_send(l, CT_DATA, text, 300));
	ASSERT_EQ(300, link_send(l, CT_DATA, text, 300));
	ASSERT_EQ(300, link_send(l, CT_DATA, text, 300));
	memset(buf, 0, 300);
	ASSERT_EQ(100, recvmsg(l->a, &msg, 0));
	EXPECT_EQ(MSG_TRUNC, msg.msg_flags);
	EXPECT_EQ(0, memcmp(buf, text, 100));
	EXPECT_EQ(0, buf[100]);

	/* With MSG_TRUNC the length is the record's. */
	ASSERT_EQ(300, recvmsg(l->a, &msg, MSG_TRUNC));
	EXPECT_EQ(MSG_TRUNC, msg.msg_flags);
	EXPECT_EQ(0, memcmp(buf, text, 100));
	EXPECT_EQ(0, buf[100]);

	/* One that fits is not cut. */
	iov.iov_len = 300;
	ASSERT_EQ(300, recvmsg(l->a, &msg, MSG_TRUNC));
	EXPECT_EQ(0, msg.msg_flags);
	nothing_to_read(_metadata, l);
}

TEST_F(receive, no_buffer_at_all)
{
	struct link *l = &self->l;

	ASSERT_EQ(300, link_send(l, CT_DATA, text, 300));
	ASSERT_EQ(300, link_send(l, CT_DATA, text, 300));
	ASSERT_EQ(300, recv(l->a, NULL, 0, MSG_TRUNC | MSG_PEEK));
	ASSERT_EQ(300, recv(l->a, NULL, 0, MSG_TRUNC));
	ASSERT_EQ(0, recv(l->a, NULL, 0, 0));
	nothing_to_read(_metadata, l);
}

TEST_F(receive, peek_leaves_it_there)
{
	struct link *l = &self->l;
	int i;

	ASSERT_EQ(300, link_send(l, CT_DATA, text, 300));
	ASSERT_EQ(400, link_send(l, CT_DATA, text + 300, 400));
	for (i = 0; i < 3; i++) {
		memset(buf, 0, 300);
		ASSERT_EQ(300, recv(l->a, buf, sizeof(buf), MSG_PEEK));
		ASSERT_EQ(0, memcmp(buf, text, 300));
		ASSERT_EQ(10, recv(l->a, buf, 10, MSG_PEEK));
		ASSERT_EQ(300, recv(l->a, buf, 10, MSG_PEEK | MSG_TRUNC));
	}
	ASSERT_EQ(300, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_EQ(400, recv(l->a, buf, sizeof(buf), MSG_PEEK));
	ASSERT_EQ(0, memcmp(buf, text + 300, 400));
	ASSERT_EQ(400, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_ERRNO(EAGAIN, recv(l->a, buf, sizeof(buf),
				  MSG_PEEK | MSG_DONTWAIT));
}

TEST_F(receive, peek_offset)
{
	struct link *l = &self->l;
	int off = 0;
	socklen_t len = sizeof(off);

	ASSERT_OK(setsockopt(l->a, SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)));
	ASSERT_EQ(300, link_send(l, CT_DATA, text, 300));
	ASSERT_EQ(100, recv(l->a, buf, 100, MSG_PEEK));
	ASSERT_EQ(0, memcmp(buf, text, 100));
	ASSERT_EQ(50, recv(l->a, buf, 50, MSG_PEEK));
	ASSERT_EQ(0, memcmp(buf, text + 100, 50));
	ASSERT_OK(getsockopt(l->a, SOL_SOCKET, SO_PEEK_OFF, &off, &len));
	EXPECT_EQ(150, off);
	ASSERT_EQ(150, recv(l->a, buf, sizeof(buf), MSG_PEEK));
	ASSERT_EQ(0, memcmp(buf, text + 150, 150));

	/* Reading takes the whole record, and the offset back. */
	ASSERT_EQ(300, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_EQ(0, memcmp(buf, text, 300));
	ASSERT_OK(getsockopt(l->a, SOL_SOCKET, SO_PEEK_OFF, &off, &len));
	EXPECT_EQ(0, off);
}

TEST_F(receive, dontwait_on_nothing)
{
	struct link *l = &self->l;

	nothing_to_read(_metadata, l);
	ASSERT_OK(fcntl(l->a, F_SETFL, O_NONBLOCK));
	ASSERT_ERRNO(EAGAIN, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_ERRNO(EAGAIN, read(l->a, buf, sizeof(buf)));
	still_works(_metadata, l);
}

TEST_F(receive, timeout)
{
	struct timeval tv = { .tv_usec = 100000 };
	struct link *l = &self->l;
	__u64 start;

	ASSERT_OK(setsockopt(l->a, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	start = now_ms();
	ASSERT_ERRNO(EAGAIN, recv(l->a, buf, sizeof(buf), 0));
	/*
	 * The test asks only whether the call waited at all, as emulated clocks
	 * do not agree on how long.
	 */
	EXPECT_LE(start + 20, now_ms());
	EXPECT_GE(start + SOON_MS / 2, now_ms());
	still_works(_metadata, l);
}

TEST_F(receive, waitall_takes_one_record)
{
	struct link *l = &self->l;

	ASSERT_EQ(300, link_send(l, CT_DATA, text, 300));
	ASSERT_EQ(300, link_send(l, CT_DATA, text, 300));
	ASSERT_EQ(300, recv(l->a, buf, 5000, MSG_WAITALL));
	ASSERT_EQ(300, recv(l->a, buf, 5000, MSG_WAITALL));
}

TEST_F(receive, fionread_is_the_plaintext_length)
{
	struct link *l = &self->l;
	int n = -1;

	ASSERT_OK(ioctl(l->a, FIONREAD, &n));
	EXPECT_EQ(0, n);
	ASSERT_EQ(300, link_send(l, CT_DATA, text, 300));
	ASSERT_EQ(17, link_send(l, CT_DATA, text, 17));
	ASSERT_OK(ioctl(l->a, FIONREAD, &n));
	EXPECT_EQ(300, n);
	ASSERT_OK(ioctl(l->a, FIONREAD, &n));
	EXPECT_EQ(300, n);
	ASSERT_EQ(300, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_OK(ioctl(l->a, FIONREAD, &n));
	EXPECT_EQ(17, n);
	ASSERT_EQ(17, recv(l->a, buf, sizeof(buf), 0));

	/* Nothing that recv() would not return counts. */
	peer_seal(&l->ba, CT_DATA, 99, text, 300, wire);
	wire[100] ^= 1;
	send_wire(_metadata, l, 300 + peer_overhead(&l->ba));
	ASSERT_OK(ioctl(l->a, FIONREAD, &n));
	EXPECT_EQ(0, n);
}

TEST_F(receive, recvmmsg)
{
	struct mmsghdr msgs[8] = {};
	struct link *l = &self->l;
	struct iovec iov[8];
	int i;

	for (i = 0; i < 8; i++) {
		iov[i].iov_base = buf + i * 1000;
		iov[i].iov_len = 1000;
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	for (i = 0; i < 5; i++)
		ASSERT_EQ(200 + i, link_send(l, CT_DATA, text + i, 200 + i));
	settle();
	ASSERT_EQ(5, recvmmsg(l->a, msgs, 8, MSG_DONTWAIT, NULL));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(200u + i, msgs[i].msg_len);
		ASSERT_EQ(0, memcmp(buf + i * 1000, text + i, 200 + i));
	}
	ASSERT_EQ(9, link_send(l, CT_DATA, text, 9));
	ASSERT_EQ(1, recvmmsg(l->a, msgs, 8, MSG_WAITFORONE, NULL));
	ASSERT_ERRNO(EAGAIN, recvmmsg(l->a, msgs, 8, MSG_DONTWAIT, NULL));
}

TEST_F(receive, name_is_the_peer)
{
	struct sockaddr_storage peer = {}, from = {};
	socklen_t peer_len = sizeof(peer), len = sizeof(from);
	struct link *l = &self->l;

	ASSERT_OK(getsockname(l->b, (struct sockaddr *)&peer, &peer_len));
	ASSERT_EQ(30, link_send(l, CT_DATA, text, 30));
	ASSERT_EQ(30, recvfrom(l->a, buf, sizeof(buf), 0,
			       (struct sockaddr *)&from, &len));
	ASSERT_EQ(peer_len, len);
	EXPECT_EQ(0, memcmp(&peer, &from, len));

	/* Looked at first, it keeps its name. */
	ASSERT_EQ(30, link_send(l, CT_DATA, text, 30));
	ASSERT_EQ(POLLIN, poll_for(l->a, POLLIN, SOON_MS));
	memset(&from, 0, sizeof(from));
	ASSERT_EQ(30, recvfrom(l->a, buf, sizeof(buf), 0,
			       (struct sockaddr *)&from, &len));
	EXPECT_EQ(0, memcmp(&peer, &from, len));
}

/* recvmsg() with room for @ctl; the cmsg of that kind or NULL */
static struct cmsghdr *recv_cmsg(struct msghdr *msg, int fd, int level,
				 int type)
{
	static __u8 ctl[1024];
	static struct iovec iov;
	struct cmsghdr *c;

	iov.iov_base = buf;
	iov.iov_len = sizeof(buf);
	memset(msg, 0, sizeof(*msg));
	msg->msg_iov = &iov;
	msg->msg_iovlen = 1;
	msg->msg_control = ctl;
	msg->msg_controllen = sizeof(ctl);
	if (recvmsg(fd, msg, 0) < 0)
		return NULL;
	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == level && c->cmsg_type == type)
			return c;
	return NULL;
}

static void set_int(struct __test_metadata *_metadata, int fd, int level,
		    int option, int value)
{
	ASSERT_OK(setsockopt(fd, level, option, &value, sizeof(value)));
}

TEST_F(receive, pktinfo)
{
	bool v4 = variant->family == AF_INET;
	struct link *l = &self->l;
	struct cmsghdr *c;
	struct msghdr msg;
	int i;

	set_int(_metadata, l->a, v4 ? SOL_IP : SOL_IPV6,
		v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, 1);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(30, link_send(l, CT_DATA, text, 30));
		if (i)
			poll_for(l->a, POLLIN, SOON_MS);
		c = recv_cmsg(&msg, l->a, v4 ? SOL_IP : SOL_IPV6,
			      v4 ? IP_PKTINFO : IPV6_PKTINFO);
		ASSERT_NE(NULL, c);
		if (v4) {
			struct in_pktinfo *p = (void *)CMSG_DATA(c);

			EXPECT_EQ(htonl(INADDR_LOOPBACK), p->ipi_addr.s_addr);
			EXPECT_EQ(1, p->ipi_ifindex);
		} else {
			struct in6_pktinfo *p = (void *)CMSG_DATA(c);

			EXPECT_TRUE(IN6_IS_ADDR_LOOPBACK(&p->ipi6_addr));
			EXPECT_EQ(1u, p->ipi6_ifindex);
		}
	}
}

TEST_F(receive, tos_and_ttl)
{
	bool v4 = variant->family == AF_INET;
	int level = v4 ? SOL_IP : SOL_IPV6;
	struct link *l = &self->l;
	struct cmsghdr *c;
	struct msghdr msg;

	set_int(_metadata, l->a, level, v4 ? IP_RECVTOS : IPV6_RECVTCLASS, 1);
	set_int(_metadata, l->a, level, v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT, 1);
	set_int(_metadata, l->b, level, v4 ? IP_TOS : IPV6_TCLASS, 0x48);
	set_int(_metadata, l->b, level, v4 ? IP_TTL : IPV6_UNICAST_HOPS, 33);
	ASSERT_EQ(30, link_send(l, CT_DATA, text, 30));
	ASSERT_EQ(30, link_send(l, CT_DATA, text, 30));
	c = recv_cmsg(&msg, l->a, level, v4 ? IP_TOS : IPV6_TCLASS);
	ASSERT_NE(NULL, c);
	EXPECT_EQ(0x48, *(__u8 *)CMSG_DATA(c));
	c = recv_cmsg(&msg, l->a, level, v4 ? IP_TTL : IPV6_HOPLIMIT);
	ASSERT_NE(NULL, c);
	EXPECT_EQ(33, *(int *)CMSG_DATA(c));
}

TEST_F(receive, timestamps)
{
	struct timespec before, after, ts;
	struct link *l = &self->l;
	struct cmsghdr *c;
	struct msghdr msg;
	struct timeval tv;

	set_int(_metadata, l->a, SOL_SOCKET, SO_TIMESTAMP, 1);
	clock_gettime(CLOCK_REALTIME, &before);
	ASSERT_EQ(30, link_send(l, CT_DATA, text, 30));
	c = recv_cmsg(&msg, l->a, SOL_SOCKET, SCM_TIMESTAMP);
	clock_gettime(CLOCK_REALTIME, &after);
	ASSERT_NE(NULL, c);
	memcpy(&tv, CMSG_DATA(c), sizeof(tv));
	EXPECT_LE(before.tv_sec, tv.tv_sec);
	EXPECT_GE(after.tv_sec, tv.tv_sec);

	set_int(_metadata, l->a, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	ASSERT_EQ(30, link_send(l, CT_DATA, text, 30));
	c = recv_cmsg(&msg, l->a, SOL_SOCKET, SCM_TIMESTAMPNS);
	clock_gettime(CLOCK_REALTIME, &after);
	ASSERT_NE(NULL, c);
	memcpy(&ts, CMSG_DATA(c), sizeof(ts));
	EXPECT_LE(before.tv_sec, ts.tv_sec);
	EXPECT_GE(after.tv_sec, ts.tv_sec);

	set_int(_metadata, l->a, SOL_SOCKET, SO_TIMESTAMPNS, 0);
	set_int(_metadata, l->a, SOL_SOCKET, SO_TIMESTAMPING,
		SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
	/* The kernel notes times a while after it was asked to begin anew. */
	do {
		ASSERT_EQ(30, link_send(l, CT_DATA, text, 30));
		c = recv_cmsg(&msg, l->a, SOL_SOCKET, SCM_TIMESTAMPING);
	} while (!c);
	clock_gettime(CLOCK_REALTIME, &after);
	memcpy(&ts, CMSG_DATA(c), sizeof(ts));
	EXPECT_LE(before.tv_sec, ts.tv_sec);
	EXPECT_GE(after.tv_sec, ts.tv_sec);
}

static __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Return the time of the next record, in nanoseconds, or 0 if it has none. */
static __u64 recv_time(int fd)
{
	struct cmsghdr *c;
	struct msghdr msg;
	struct timespec ts;

	c = recv_cmsg(&msg, fd, SOL_SOCKET, SCM_TIMESTAMPING);
	if (!c)
		return 0;
	memcpy(&ts, CMSG_DATA(c), sizeof(ts));
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/*
 * The time of a record is that at which its datagram came, also if the record was
 * opened before it was read, or was cut out of a coalesced datagram. That a time stamp of
 * a driver's own (SKBTX_HW_TSTAMP_NETDEV) is left out of a kept record needs a NIC such as
 * one of igc or tsnep, and is shown by reading the code alone.
 */
TEST_F(receive, kept_records_have_their_datagram_s_time)
{
	struct link *l = &self->l;
	__u64 before, after, time;
	size_t len, one;
	int i;

	set_int(_metadata, l->a, SOL_SOCKET, SO_TIMESTAMPING,
		SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
	/* The kernel begins to note times a while after it was asked to; until
	 * then a datagram has none, or that of its receipt.
	 */
	do {
		ASSERT_EQ(30, link_send(l, CT_DATA, text, 30));
		after = now_ns();
		time = recv_time(l->a);
	} while (!time || time > after);

	before = now_ns();
	ASSERT_EQ(30, link_send(l, CT_DATA, text, 30));
	after = now_ns();
	poll_for(l->a, POLLIN, SOON_MS);
	time = recv_time(l->a);
	EXPECT_LE(before, time);
	EXPECT_GE(after, time);

	one = peer_seal(&l->ba, CT_DATA, l->b_seq++, text, 30, wire);
	len = one;
	for (i = 0; i < 2; i++)
		len += peer_seal(&l->ba, CT_DATA, l->b_seq++, text, 30,
				 wire + len);
	before = now_ns();
	ASSERT_EQ((ssize_t)len, send_segments(l->b, wire, len, one, 0));
	after = now_ns();
	for (i = 0; i < 3; i++) {
		if (i == 2)
			poll_for(l->a, POLLIN, SOON_MS);
		time = recv_time(l->a);
		EXPECT_LE(before, time);
		EXPECT_GE(after, time);
	}
}

TEST_F(receive, overflow_is_told)
{
	struct link *l = &self->l;
	__u32 drops = 0;
	struct cmsghdr *c;
	struct msghdr msg;
	int i;

	set_int(_metadata, l->a, SOL_SOCKET, SO_RXQ_OVFL, 1);
	set_int(_metadata, l->a, SOL_SOCKET, SO_RCVBUF, 1);
	for (i = 0; i < 50; i++)
		ASSERT_EQ(300, link_send(l, CT_DATA, text, 300));
	while (recv_now(l->a, buf, sizeof(buf)) > 0)
		;
	ASSERT_EQ(300, link_send(l, CT_DATA, text, 300));
	c = recv_cmsg(&msg, l->a, SOL_SOCKET, SO_RXQ_OVFL);
	ASSERT_NE(NULL, c);
	memcpy(&drops, CMSG_DATA(c), sizeof(drops));
	EXPECT_LT(0u, drops);
	EXPECT_GE(50u, drops);
}

TEST_F(receive, splice_from_socket_to_pipe)
{
	struct link *l = &self->l;
	ssize_t n, at;
	int p[2], i;

	ASSERT_OK(pipe(p));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(3000, link_send(l, CT_DATA, text + i * 3000, 3000));
	for (at = 0; at < 9000; at += n) {
		n = splice(l->a, NULL, p[1], NULL, 65536, 0);
		ASSERT_LT(0, n);
		ASSERT_LE(at + n, 9000);
		ASSERT_EQ(n, read(p[0], buf + at, n));
	}
	EXPECT_EQ(0, memcmp(buf, text, 9000));
}

static int uring_wait(struct __test_metadata *_metadata, struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int res;

	ASSERT_OK(io_uring_wait_cqe(ring, &cqe));
	res = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return res;
}

TEST_F(receive, io_uring)
{
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct link *l = &self->l;
	struct io_uring ring;
	int early, i;

	ASSERT_OK(io_uring_queue_init(4, &ring, 0));
	/* Data first, then the request, and the other way round */
	for (early = 0; early < 2; early++) {
		for (i = 0; i < 4; i++) {
			struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

			switch (i) {
			case 0:
				io_uring_prep_recv(sqe, l->a, buf, 4096, 0);
				break;
			case 1:
				io_uring_prep_recvmsg(sqe, l->a, &msg, 0);
				break;
			case 2:
				io_uring_prep_read(sqe, l->a, buf, 4096, 0);
				break;
			case 3:
				io_uring_prep_readv(sqe, l->a, &iov, 1, 0);
				break;
			}
			if (early) {
				ASSERT_EQ(700 + i, link_send(l, CT_DATA, text,
							     700 + i));
			}
			ASSERT_EQ(1, io_uring_submit(&ring));
			if (!early) {
				ASSERT_EQ(700 + i, link_send(l, CT_DATA, text,
							     700 + i));
			}
			ASSERT_EQ(700 + i, uring_wait(_metadata, &ring));
			ASSERT_EQ(0, memcmp(buf, text, 700 + i));
			memset(buf, 0, 1000);
		}
	}
	io_uring_queue_exit(&ring);
}

TEST_F(receive, io_uring_multishot)
{
	struct io_uring_cqe *cqe;
	struct link *l = &self->l;
	struct io_uring_sqe *sqe;
	struct io_uring ring;
	int i;

	ASSERT_OK(io_uring_queue_init(4, &ring, 0));
	io_uring_prep_provide_buffers(io_uring_get_sqe(&ring), buf, 2048, 16, 0,
				      0);
	ASSERT_EQ(1, io_uring_submit(&ring));
	ASSERT_LE(0, uring_wait(_metadata, &ring));
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_recv_multishot(sqe, l->a, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	ASSERT_EQ(1, io_uring_submit(&ring));
	for (i = 0; i < 5; i++) {
		/* A forgery in between completes nothing. */
		peer_seal(&l->ba, CT_DATA, 1000, text, 40, wire);
		wire[40] ^= 1;
		send_wire(_metadata, l, 40 + peer_overhead(&l->ba));
		ASSERT_EQ(900 + i, link_send(l, CT_DATA, text + i, 900 + i));
		ASSERT_OK(io_uring_wait_cqe(&ring, &cqe));
		ASSERT_EQ(900 + i, cqe->res);
		ASSERT_TRUE(cqe->flags & IORING_CQE_F_MORE);
		ASSERT_EQ(0, memcmp(buf + 2048 * (cqe->flags >> 16), text + i,
				    900 + i));
		io_uring_cqe_seen(&ring, cqe);
	}
	io_uring_queue_exit(&ring);
}

/*
 * Datagrams and records
 */

/* @n records of @size in one datagram at @wire + @at */
static ssize_t seal_many(struct link *l, ssize_t at, int n, int size)
{
	while (n--) {
		at += peer_seal_more(&l->ba, CT_DATA, l->b_seq,
				     text + l->b_seq * 10, size, wire + at);
		l->b_seq++;
	}
	return at;
}

TEST_F(receive, several_records_come_one_by_one)
{
	struct link *l = &self->l;
	ssize_t len;
	int i;

	len = seal_many(l, 0, 30, 100);
	send_wire(_metadata, l, len);
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(100, recv(l->a, buf, sizeof(buf), 0));
		ASSERT_EQ(0, memcmp(buf, text + i * 10, 100));
	}
	nothing_to_read(_metadata, l);
}

TEST_F(receive, records_of_several_epochs_in_a_datagram)
{
	struct peer_key k[3] = { self->l.ba };
	struct link *l = &self->l;
	ssize_t len = 0;
	int i;

	for (i = 1; i < 3; i++) {
		peer_key_init(&k[i], variant->cipher, l->ba.epoch + i,
			      l->ba.cid_len, 2);
		ASSERT_OK(dtls_set_key(l->a, DTLS_RX, &k[i]));
	}
	for (i = 0; i < 9; i++)
		len += peer_seal_more(&k[i % 3], CT_DATA, i, text + i, 50 + i,
				      wire + len);
	send_wire(_metadata, l, len);
	for (i = 0; i < 9; i++) {
		ASSERT_EQ(50 + i, recv(l->a, buf, sizeof(buf), 0));
		ASSERT_EQ(0, memcmp(buf, text + i, 50 + i));
	}
	nothing_to_read(_metadata, l);
}

TEST_F(receive, control_amid_data_in_a_datagram)
{
	struct dtls_record_info info;
	struct link *l = &self->l;
	ssize_t len = 0;

	len += peer_seal_more(&l->ba, CT_DATA, 0, text, 10, wire + len);
	len += peer_seal_more(&l->ba, CT_HANDSHAKE, 1, text, 20, wire + len);
	len += plain_record(CT_HANDSHAKE, 0, 7, text, 25, wire + len);
	len += peer_seal(&l->ba, CT_DATA, 2, text, 30, wire + len);
	send_wire(_metadata, l, len);
	ASSERT_EQ(10, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_EQ(30, recv(l->a, buf, sizeof(buf), 0));
	nothing_to_read(_metadata, l);
	ASSERT_EQ(20, recv_control(l->a, &info, buf, sizeof(buf)));
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ((__u64)1, info.seq);
	ASSERT_EQ(25 + HEADER_LEN, recv_control(l->a, &info, buf, sizeof(buf)));
	EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
	EXPECT_EQ((__u64)0, info.epoch);
	EXPECT_EQ((__u64)7, info.seq);
}

TEST_F(receive, forgery_amid_data_in_a_datagram)
{
	struct link *l = &self->l;
	struct counts before;
	ssize_t len;

	count(_metadata, l, &before);
	len = seal_many(l, 0, 1, 100);
	len = seal_many(l, len, 1, 100);
	wire[len - 1] ^= 1;
	len = seal_many(l, len, 1, 100);
	send_wire(_metadata, l, len);
	ASSERT_EQ(100, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_EQ(0, memcmp(buf, text, 100));
	ASSERT_EQ(100, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_EQ(0, memcmp(buf, text + 20, 100));
	nothing_to_read(_metadata, l);
	counted(_metadata, l, &before, AUTH_FAILED, 1);
}

TEST_F(receive, empty_records_are_skipped_and_counted)
{
	struct link *l = &self->l;
	struct counts before;
	int i;

	count(_metadata, l, &before);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, link_send(l, CT_DATA, text, 0));
	nothing_to_read(_metadata, l);
	ASSERT_EQ(0, poll_for(l->a, POLLIN, 0));
	counted(_metadata, l, &before, EMPTY, 3);
	still_works(_metadata, l);
}

/*
 * RFC 9146 3: who negotiated a connection ID sends all records with it. RFC
 * 9147 4 has that of datagrams; there only the unasked one is refused.
 */
TEST_F(receive, record_of_the_other_form_is_refused)
{
	struct link *l = &self->l;
	struct peer_key k = l->ba;

	if (IS_V13(variant->cipher) && k.cid_len)
		return;

	k.cid_len = k.cid_len ? 0 : 8;
	send_wire(_metadata, l, peer_seal(&k, CT_DATA, 0, text, 50, wire));
	nothing_to_read(_metadata, l);
	still_works(_metadata, l);
}

/*
 * Coalesced datagrams
 */

TEST_F(receive, super_packet_without_udp_gro)
{
	int one = (int)peer_overhead(&self->l.ba) + 1000, i;
	struct link *l = &self->l;
	struct dtls_info info;
	ssize_t len = 0;

	ASSERT_OK(deep_queue(l->a));
	ASSERT_OK(dtls_get_info(l->a, &info));
	EXPECT_TRUE(info.flags & DTLS_INFO_GRO);
	for (i = 0; i < 50; i++)
		len += peer_seal(&l->ba, CT_DATA, i, text + i * 10,
				 i < 49 ? 1000 : 333, wire + len);
	ASSERT_EQ(len, send_segments(l->b, wire, len, one, 0));
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(i < 49 ? 1000 : 333, recv(l->a, buf, sizeof(buf), 0));
		ASSERT_EQ(0, memcmp(buf, text + i * 10, i < 49 ? 1000 : 333));
	}
	nothing_to_read(_metadata, l);
}

/* Receive @len bytes of plaintext in segments of @size, coalesced or not. */
static int recv_coalesced(struct __test_metadata *_metadata, struct link *l,
			  ssize_t len, int size)
{
	ssize_t n, at = 0;
	int gso, most = 0;

	while (at < len) {
		n = recv_segments(l->a, buf, sizeof(buf), &gso, 0);
		ASSERT_LT(0, n);
		ASSERT_LE(at + n, len);
		if (gso) {
			ASSERT_EQ(size, gso);
			/* Only the very last one may be shorter. */
			ASSERT_TRUE(n % size == 0 || at + n == len);
		} else {
			ASSERT_GE(size, n);
			ASSERT_TRUE(n == size || at + n == len);
		}
		ASSERT_EQ(0, memcmp(buf, text + at, n));
		at += n;
		if (n > most)
			most = n;
	}
	return most;
}

/* Records of @size that carry @text in order, one a segment */
static void send_coalesced(struct __test_metadata *_metadata, struct link *l,
			   ssize_t len, int size)
{
	ssize_t at, n = 0;
	int one;

	for (at = 0; at < len; at += one) {
		one = len - at < size ? len - at : size;
		n += peer_seal(&l->ba, CT_DATA, l->b_seq++, text + at, one,
			       wire + n);
	}
	ASSERT_EQ(n, send_segments(l->b, wire, n,
				   size + peer_overhead(&l->ba), 0));
}

TEST_F(receive, udp_gro_for_who_asks)
{
	struct link *l = &self->l;
	int val = -1;
	socklen_t len = sizeof(val);

	ASSERT_OK(getsockopt(l->a, SOL_UDP, UDP_GRO, &val, &len));
	EXPECT_EQ(0, val);
	set_int(_metadata, l->a, SOL_UDP, UDP_GRO, 1);
	ASSERT_OK(getsockopt(l->a, SOL_UDP, UDP_GRO, &val, &len));
	EXPECT_EQ(1, val);

	send_coalesced(_metadata, l, 40300, 1000);
	EXPECT_LT(1000, recv_coalesced(_metadata, l, 40300, 1000));
	send_coalesced(_metadata, l, 30 * 64, 64);
	EXPECT_LT(64, recv_coalesced(_metadata, l, 30 * 64, 64));
	nothing_to_read(_metadata, l);

	/* Alone it comes without the cmsg, or with its own size. */
	ASSERT_EQ(500, link_send(l, CT_DATA, text, 500));
	ASSERT_EQ(500, recv_coalesced(_metadata, l, 500, 500));

	/* And no more once it is off. */
	set_int(_metadata, l->a, SOL_UDP, UDP_GRO, 0);
	send_coalesced(_metadata, l, 10000, 1000);
	EXPECT_EQ(1000, recv_coalesced(_metadata, l, 10000, 1000));
}

/* A record of another kind in between neither shows nor disturbs. */
TEST_F(receive, udp_gro_with_gaps)
{
	ssize_t one = peer_overhead(&self->l.ba) + 200, n = 0, at = 0;
	struct dtls_record_info info;
	struct link *l = &self->l;
	int i, gso;

	set_int(_metadata, l->a, SOL_UDP, UDP_GRO, 1);
	for (i = 0; i < 9; i++) {
		peer_seal(&l->ba, i == 5 ? CT_HANDSHAKE : CT_DATA, i,
			  text + i * 200, 200, wire + i * one);
		if (i == 2)
			wire[i * one + 50] ^= 1;
	}
	ASSERT_EQ(9 * one, send_segments(l->b, wire, 9 * one, one, 0));
	while (at < 7 * 200) {
		n = recv_segments(l->a, buf + at, sizeof(buf) - at, &gso, 0);
		ASSERT_LT(0, n);
		ASSERT_TRUE(n == 200 || (gso == 200 && n % 200 == 0));
		at += n;
	}
	EXPECT_EQ(0, memcmp(buf, text, 400));
	EXPECT_EQ(0, memcmp(buf + 400, text + 600, 400));
	EXPECT_EQ(0, memcmp(buf + 800, text + 1200, 600));
	nothing_to_read(_metadata, l);
	EXPECT_EQ(200, recv_control(l->a, &info, buf, sizeof(buf)));
	EXPECT_EQ((__u64)5, info.seq);
}

/* A datagram for each of these numbers, coalesced */
static void send_numbers(struct __test_metadata *_metadata, struct link *l,
			 const int *number, int n)
{
	ssize_t one = peer_overhead(&l->ba) + 200;
	int i;

	for (i = 0; i < n; i++)
		peer_seal(&l->ba, CT_DATA, number[i], text + number[i] * 200,
			  200, wire + i * one);
	ASSERT_EQ(n * one, send_segments(l->b, wire, n * one, one, 0));
}

static void expect_numbers(struct __test_metadata *_metadata, struct link *l,
			   const int *number, int n)
{
	ssize_t got = 0, one;
	int i, gso;

	while (got < n * 200) {
		one = recv_segments(l->a, buf + got, sizeof(buf) - got, &gso, 0);
		ASSERT_LT(0, one);
		ASSERT_EQ(0, one % 200);
		got += one;
	}
	ASSERT_EQ(n * 200, got);
	for (i = 0; i < n; i++)
		ASSERT_EQ(0, memcmp(buf + i * 200, text + number[i] * 200,
				    200));
	nothing_to_read(_metadata, l);
}

/* In whatever order, each number comes in once and in its place. */
TEST_F(receive, udp_gro_with_numbers_in_disorder)
{
	const int mixed[] = { 0, 1, 2, 5, 6, 4, 3, 3, 4, 7, 8, 9, 9, 10 };
	const int once[] = { 0, 1, 2, 5, 6, 4, 3, 7, 8, 9, 10 };
	const int before[] = { 22, 23, 26 }, all[] = { 20, 21, 22, 23, 24, 25,
						      26, 27, 28 };
	const int rest[] = { 20, 21, 24, 25, 27, 28 };
	struct link *l = &self->l;
	struct dtls_counters counters;

	set_int(_metadata, l->a, SOL_UDP, UDP_GRO, 1);
	send_numbers(_metadata, l, mixed, ARRAY_SIZE(mixed));
	expect_numbers(_metadata, l, once, ARRAY_SIZE(once));
	send_numbers(_metadata, l, mixed, ARRAY_SIZE(mixed));
	nothing_to_read(_metadata, l);

	/* What came before is missing in a run. */
	send_numbers(_metadata, l, before, ARRAY_SIZE(before));
	expect_numbers(_metadata, l, before, ARRAY_SIZE(before));
	send_numbers(_metadata, l, all, ARRAY_SIZE(all));
	expect_numbers(_metadata, l, rest, ARRAY_SIZE(rest));
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ((__u64)3 + 14 + 3, counters.rx_replays);
	EXPECT_EQ((__u64)11 + 9, counters.rx_records);
	EXPECT_EQ((__u64)0, counters.rx_auth_failed);
}

/* A datagram that breaks off takes along what is behind it in there alone. */
TEST_F(receive, udp_gro_with_datagrams_of_two_records)
{
	const int good[] = { 0, 1, 2, 4, 5, 8, 9 };
	struct link *l = &self->l;
	struct dtls_counters counters;
	ssize_t one = 0, n = 0;
	int i;

	set_int(_metadata, l->a, SOL_UDP, UDP_GRO, 1);
	for (i = 0; i < 10; i++) {
		one = peer_seal_more(&l->ba, CT_DATA, i, text + i * 200, 200,
				     wire + n);
		n += one;
	}
	wire[3 * one] = 0;
	wire[6 * one] = 0;
	ASSERT_EQ(n, send_segments(l->b, wire, n, 2 * one, 0));
	expect_numbers(_metadata, l, good, ARRAY_SIZE(good));
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ((__u64)2, counters.rx_malformed);
}

/* What is of two epochs looks alike, and each is opened with its own key. */
TEST_F(receive, udp_gro_over_a_key_change)
{
	struct peer_key old = self->l.ba, next;
	ssize_t one = peer_overhead(&old) + 200, n, at;
	struct link *l = &self->l;
	int i, gso;

	set_int(_metadata, l->a, SOL_UDP, UDP_GRO, 1);
	peer_key_init(&next, variant->cipher, old.epoch + 1, old.cid_len, 2);
	ASSERT_OK(dtls_set_key(l->a, DTLS_RX, &next));
	for (i = 0; i < 9; i++)
		peer_seal(i % 4 ? &next : &old, CT_DATA, i, text + i * 200, 200,
			  wire + i * one);
	ASSERT_EQ(9 * one, send_segments(l->b, wire, 9 * one, one, 0));
	for (at = 0; at < 9 * 200; at += n) {
		n = recv_segments(l->a, buf + at, sizeof(buf) - at, &gso, 0);
		ASSERT_LT(0, n);
		ASSERT_TRUE(n == 200 || (gso == 200 && n % 200 == 0));
	}
	EXPECT_EQ(0, memcmp(buf, text, 9 * 200));
	nothing_to_read(_metadata, l);
}

/* All there is room for is opened together; what is longer must wait its turn. */
TEST_F(receive, udp_gro_with_a_longer_record_behind)
{
	struct link *l = &self->l;
	ssize_t n, len = 0;
	int i, gso;

	set_int(_metadata, l->a, SOL_UDP, UDP_GRO, 1);
	for (i = 0; i < 14; i++)
		len += peer_seal_more(&l->ba, CT_DATA, i, text + i * 2000, 2000,
				      wire + len);
	len += peer_seal(&l->ba, CT_DATA, i, text, 16000, wire + len);
	send_wire(_metadata, l, len);
	for (i = 0; i < 14; i += n / 2000) {
		n = recv_segments(l->a, buf, sizeof(buf), &gso, 0);
		ASSERT_LT(0, n);
		ASSERT_TRUE(n == 2000 || (gso == 2000 && n % 2000 == 0));
		ASSERT_EQ(0, memcmp(buf, text + i * 2000, n));
	}
	ASSERT_EQ(16000, recv_segments(l->a, buf, sizeof(buf), &gso, 0));
	EXPECT_EQ(0, memcmp(buf, text, 16000));
}

TEST_F(receive, udp_gro_moves_the_peek_offset)
{
	socklen_t len = sizeof(int);
	struct link *l = &self->l;
	int off;

	set_int(_metadata, l->a, SOL_UDP, UDP_GRO, 1);
	set_int(_metadata, l->a, SOL_SOCKET, SO_PEEK_OFF, 100000);
	send_coalesced(_metadata, l, 20000, 1000);
	EXPECT_LT(1000, recv_coalesced(_metadata, l, 20000, 1000));
	ASSERT_OK(getsockopt(l->a, SOL_SOCKET, SO_PEEK_OFF, &off, &len));
	EXPECT_EQ(80000, off);
}

TEST_F(receive, udp_gro_into_a_short_buffer)
{
	struct link *l = &self->l;
	int gso, i, left;
	ssize_t n;

	set_int(_metadata, l->a, SOL_UDP, UDP_GRO, 1);
	send_coalesced(_metadata, l, 5000, 1000);
	/* Whole records that fit; no more is promised, none may be mixed up. */
	for (left = 5000; left; left -= n) {
		n = recv_segments(l->a, buf, 2500, &gso, 0);
		ASSERT_LT(0, n);
		ASSERT_GE(2500, n);
		ASSERT_EQ(0, n % 1000);
		for (i = 0; i < n; i += 1000)
			ASSERT_EQ(0, memcmp(buf + i, text + 5000 - left + i,
					    1000));
	}
	nothing_to_read(_metadata, l);
}

/* What poll opened comes with the rest of its super-packet. */
TEST_F(receive, udp_gro_after_poll)
{
	struct link *l = &self->l;
	int gso = 0;

	set_int(_metadata, l->a, SOL_UDP, UDP_GRO, 1);
	send_coalesced(_metadata, l, 5000, 1000);
	ASSERT_EQ(POLLIN, poll_for(l->a, POLLIN, SOON_MS));
	ASSERT_EQ(5000, recv_segments(l->a, buf, sizeof(buf), &gso, 0));
	EXPECT_EQ(1000, gso);
	EXPECT_EQ(0, memcmp(buf, text, 5000));
	nothing_to_read(_metadata, l);
}

/* A user's socket filter must see datagrams, not super-packets. */
TEST_F(receive, no_coalescing_under_a_socket_filter)
{
	struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, 0xffffffff) };
	struct sock_fprog prog = { .len = 1, .filter = all };
	struct dtls_info info;
	struct link l;

	ASSERT_OK(link_open(&l, variant->family, variant->cipher,
			    variant->cid_len));
	ASSERT_OK(setsockopt(l.a, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			     sizeof(prog)));
	ASSERT_OK(link_attach_a(&l));
	ASSERT_OK(dtls_get_info(l.a, &info));
	EXPECT_FALSE(info.flags & DTLS_INFO_GRO);
	send_coalesced(_metadata, &l, 20000, 1000);
	ASSERT_EQ(1000, recv_coalesced(_metadata, &l, 20000, 1000));
	link_close(&l);
}

TEST_F(receive, kernel_to_kernel_64k)
{
	struct link *l = &self->l;
	ssize_t n, at;
	int gro;

	ASSERT_OK(link_attach_b(l));
	ASSERT_OK(deep_queue(l->a));
	for (gro = 0; gro < 2; gro++) {
		set_int(_metadata, l->a, SOL_UDP, UDP_GRO, gro);
		for (at = 0; at < 65000; at += n) {
			n = send_segments(l->b, text + at, 65000 - at, 1400, 0);
			ASSERT_LT(0, n);
		}
		n = recv_coalesced(_metadata, l, 65000, 1400);
		if (gro) {
			EXPECT_LT(1400, n);
		} else {
			EXPECT_EQ(1400, n);
		}
		nothing_to_read(_metadata, l);
	}
}

/*
 * What must not come through
 */

TEST_F(receive, forged_records)
{
	struct link *l = &self->l;
	ssize_t len, i;

	len = peer_seal(&l->ba, CT_DATA, 0, text, 20, wire);
	for (i = 0; i < 20 + (ssize_t)cipher_tag_len(variant->cipher); i++) {
		wire[len - 1 - i] ^= 0x80;
		refused(_metadata, l, len, AUTH_FAILED);
		wire[len - 1 - i] ^= 0x80;
	}
	send_wire(_metadata, l, len);
	ASSERT_EQ(20, recv(l->a, buf, sizeof(buf), 0));
}

/* A forged number far ahead must not move the window. */
TEST_F(receive, forged_number)
{
	struct link *l = &self->l;
	ssize_t len;

	still_works(_metadata, l);
	len = peer_seal(&l->ba, CT_DATA, 1, text, 20, wire);
	wire[IS_V13(variant->cipher) ? 1 + l->ba.cid_len : 5] ^= 0x7f;
	refused(_metadata, l, len, AUTH_FAILED);
	still_works(_metadata, l);
}

TEST_F(receive, forged_close_notify)
{
	static const __u8 close_notify[] = { ALERT_WARNING, ALERT_CLOSE_NOTIFY };
	struct link *l = &self->l;
	struct dtls_info info;
	ssize_t len;

	len = peer_seal(&l->ba, CT_ALERT, 0, close_notify, 2, wire);
	wire[len - 1] ^= 1;
	refused(_metadata, l, len, AUTH_FAILED);
	ASSERT_OK(dtls_get_info(l->a, &info));
	EXPECT_FALSE(info.flags & DTLS_INFO_EOF);
	still_works(_metadata, l);
}

TEST_F(receive, truncated_records)
{
	struct link *l = &self->l;
	ssize_t len, i;

	len = peer_seal_more(&l->ba, CT_DATA, 0, text, 20, wire);
	for (i = 1; i < len; i++)
		refused(_metadata, l, i, MALFORMED);
	send_wire(_metadata, l, len);
	ASSERT_EQ(20, recv(l->a, buf, sizeof(buf), 0));
}

TEST_F(receive, empty_datagrams)
{
	struct link *l = &self->l;
	int i;

	for (i = 0; i < 5; i++) {
		send_wire(_metadata, l, 0);
		ASSERT_EQ(0, poll_for(l->a, POLLIN, 0));
		send_wire(_metadata, l, 0);
		nothing_to_read(_metadata, l);
	}
	still_works(_metadata, l);
}

TEST_F(receive, wrong_length)
{
	size_t at = (IS_V13(variant->cipher) ? 3 : 11) + self->l.ba.cid_len;
	struct link *l = &self->l;
	struct counts before;
	ssize_t len;

	/* More than the datagram holds */
	len = peer_seal_more(&l->ba, CT_DATA, 0, text, 20, wire);
	wire[at + 1]++;
	refused(_metadata, l, len, MALFORMED);
	wire[at] = wire[at + 1] = 0xff;
	refused(_metadata, l, len, MALFORMED);

	/* Less than nonce and tag */
	wire[at] = 0;
	for (wire[at + 1] = 0; wire[at + 1] < cipher_tag_len(variant->cipher);
	     wire[at + 1]++)
		refused(_metadata, l, at + 2 + wire[at + 1], MALFORMED);

	/* One byte less than it is: a forgery, and a byte that is nothing */
	count(_metadata, l, &before);
	len = peer_seal_more(&l->ba, CT_DATA, 0, text, 20, wire);
	wire[at + 1]--;
	send_wire(_metadata, l, len);
	nothing_to_read(_metadata, l);
	before.socket[AUTH_FAILED]++;
	before.netns[AUTH_FAILED]++;
	counted(_metadata, l, &before, MALFORMED, 1);
	still_works(_metadata, l);
}

/*
 * UDP leaves the checksum of what is not short to who reads it. What the AEAD
 * has no word on is held against it.
 */
TEST_F(receive, damaged_on_the_way)
{
	struct link *l = &self->l;
	struct dtls_record_info ri;
	struct counts before, now;
	struct peer_key next;
	unsigned int kept;
	struct dtls_info info;
	ssize_t len;
	int i;

	/* Such that is shown to the library */
	count(_metadata, l, &before);
	len = plain_record(CT_HANDSHAKE, 0, 0, text, 1000, wire);
	ASSERT_OK(link_send_damaged(l, wire, len, 4));
	nothing_to_read(_metadata, l);
	count(_metadata, l, &now);
	EXPECT_LE(before.socket[MALFORMED] + 3, now.socket[MALFORMED]);
	EXPECT_LE(before.netns[MALFORMED] + 3, now.netns[MALFORMED]);
	for (i = 0; recv_control(l->a, &ri, buf, sizeof(buf)) >= 0; i++)
		;
	EXPECT_GE(1, i);

	/* And such that waits for its key */
	peer_key_init(&next, variant->cipher, l->ba.epoch + 1, l->ba.cid_len,
		      2);
	len = peer_seal(&next, CT_DATA, 0, text, 1000, wire);
	send_wire(_metadata, l, len);
	nothing_to_read(_metadata, l);
	ASSERT_OK(dtls_get_info(l->a, &info));
	kept = info.early_queued;
	ASSERT_LT(0u, kept);
	ASSERT_OK(link_send_damaged(l, wire, len, 4));
	nothing_to_read(_metadata, l);
	ASSERT_OK(dtls_get_info(l->a, &info));
	EXPECT_GE(2 * kept, info.early_queued);
	still_works(_metadata, l);
}

/*
 * RFC 6347 4.1.2.1, RFC 5246 6.2.3: no more than 2^14 + 1024 of ciphertext; RFC
 * 9147 4, RFC 8446 5.2: than 2^14 + 256
 */
TEST_F(receive, too_long_on_the_wire)
{
	struct link *l = &self->l;
	ssize_t len;

	ASSERT_OK(deep_queue(l->a));
	len = peer_seal(&l->ba, CT_DATA, 0, text, PLAIN_MAX +
			(IS_V13(variant->cipher) ? 240 : 1100), wire);
	refused(_metadata, l, len, MALFORMED);
	len = peer_seal(&l->ba, CT_DATA, 0, text, 40000, wire);
	refused(_metadata, l, len, MALFORMED);
	still_works(_metadata, l);
}

TEST_F(receive, oversize_content)
{
	struct link *l = &self->l;
	ssize_t len;

	ASSERT_OK(deep_queue(l->a));
	len = peer_seal(&l->ba, CT_DATA, 0, text, PLAIN_MAX + 1, wire);
	refused(_metadata, l, len, OVERSIZE);
	len = peer_seal(&l->ba, CT_DATA, 1, text, PLAIN_MAX +
			(IS_V13(variant->cipher) ? 239 : 900), wire);
	refused(_metadata, l, len, OVERSIZE);
	l->b_seq = 2;
	still_works(_metadata, l);
}

TEST_F(receive, wrong_version)
{
	static const __u16 versions[] = {
		0, 0x0301, 0x0303, 0x0304, 0x0100, 0xfefc, 0xfefe, 0xffff,
	};
	struct peer_key *k = &self->l.ba, old;
	struct link *l = &self->l;
	unsigned int i;

	if (IS_V13(variant->cipher)) {
		/* None is told but by the header's form. */
		peer_key_init(&old, DTLS_CIPHER_AES_GCM_128, k->epoch,
			      k->cid_len, 2);
		refused(_metadata, l,
			peer_seal(&old, CT_DATA, 0, text, 50, wire), NO_KEY);
		still_works(_metadata, l);
		return;
	}
	rec.type = CT_DATA;
	rec.epoch = k->epoch;
	rec.data = text;
	rec.len = 50;
	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		rec.version = versions[i];
		rec.seq = rec.nonce = i;
		refused(_metadata, l, peer_seal_record(k, &rec, wire),
			MALFORMED);
	}
	/* A version there is, but not this association's */
	rec.version = 0xfeff;
	rec.seq = rec.nonce = i;
	refused(_metadata, l, peer_seal_record(k, &rec, wire), MALFORMED);
	still_works(_metadata, l);
}

TEST_F(receive, wrong_type)
{
	struct link *l = &self->l;
	ssize_t len;
	int type;

	for (type = 0; type < 256; type += 5) {
		if (type == CT_CCS || type == CT_CID ||
		    (IS_V13(variant->cipher) && type >> 5 == 1))
			continue;
		/* A handshake's record of DTLS 1.3: see control.c. */
		if (type >> 5 == 1 && (type & 3) == 2)
			continue;
		len = peer_seal(&l->ba, CT_DATA, 0, text, 50, wire);
		wire[0] = type;
		refused(_metadata, l, len, MALFORMED);
	}
	still_works(_metadata, l);
}

TEST_F(receive, wrong_epoch)
{
	static const __u16 epochs[] = { 3, 7, 0x100, 0x101, 65535 };
	/* Two bits tell no more than that it is not one of 2 to 4. */
	static const __u16 epochs_13[] = { 1, 5, 9, 0x101, 65533 };
	struct link *l = &self->l;
	struct peer_key k;
	unsigned int i;
	ssize_t len;

	for (i = 0; i < ARRAY_SIZE(epochs); i++) {
		k = l->ba;
		k.epoch = IS_V13(variant->cipher) ? epochs_13[i] : epochs[i];
		len = peer_seal(&k, CT_DATA, 0, text, 50, wire);
		refused(_metadata, l, len, NO_KEY);
	}

	/* Data in the clear is nobody's. */
	len = plain_record(CT_DATA, 0, 0, text, 50, wire);
	refused(_metadata, l, len, MALFORMED);
	still_works(_metadata, l);
}

TEST_F(receive, epoch_long_past)
{
	struct link *l = &self->l;
	struct peer_key old = l->ba, k;
	ssize_t len;
	int i;

	for (i = 2; i < 6; i++) {
		peer_key_init(&k, variant->cipher, nth_epoch(variant->cipher, i),
			      l->ba.cid_len, 2);
		ASSERT_OK(dtls_set_key(l->a, DTLS_RX, &k));
	}
	len = peer_seal(&old, CT_DATA, 0, text, 50, wire);
	/* In DTLS 1.3 the newest epoch has the same two bits. */
	refused(_metadata, l, len,
		IS_V13(variant->cipher) ? AUTH_FAILED : NO_KEY);
	l->ba = k;
	still_works(_metadata, l);
}

TEST_F(receive, replays)
{
	struct link *l = &self->l;
	ssize_t len[5], at[5];
	int i;

	for (i = 0; i < 5; i++) {
		at[i] = i * 1000;
		len[i] = peer_seal(&l->ba, CT_DATA, i * 3, text, 50,
				   wire + at[i]);
		ASSERT_EQ(len[i], send(l->b, wire + at[i], len[i], 0));
		ASSERT_EQ(50, recv(l->a, buf, sizeof(buf), 0));
	}
	for (i = 4; i >= 0; i--) {
		memmove(wire, wire + at[i], len[i]);
		refused(_metadata, l, len[i], REPLAYS);
	}
	l->b_seq = 13;
	still_works(_metadata, l);
}

TEST_F(receive, replay_within_a_datagram)
{
	struct link *l = &self->l;
	struct counts before;
	ssize_t len;

	count(_metadata, l, &before);
	len = peer_seal_more(&l->ba, CT_DATA, 0, text, 50, wire);
	memcpy(wire + len, wire, len);
	memcpy(wire + 2 * len, wire, len);
	send_wire(_metadata, l, 3 * len);
	ASSERT_EQ(50, recv(l->a, buf, sizeof(buf), 0));
	nothing_to_read(_metadata, l);
	counted(_metadata, l, &before, REPLAYS, 2);
}

/* A datagram of one batch may have been overtaken so far that its first records are too old. */
TEST_F(receive, many_replays_do_not_hide_the_record_behind_them)
{
	struct link *l = &self->l;
	struct counts before;
	ssize_t len = 0;
	int i;

	for (i = 0; i < 40; i++)
		len += peer_seal_more(&l->ba, CT_DATA, i, text, 20, wire + len);
	send_wire(_metadata, l, len);
	for (i = 0; i < 40; i++)
		ASSERT_EQ(20, recv_now(l->a, buf, sizeof(buf)));
	count(_metadata, l, &before);
	len += peer_seal(&l->ba, CT_DATA, 40, text, 50, wire + len);
	send_wire(_metadata, l, len);
	ASSERT_EQ(50, recv_now(l->a, buf, sizeof(buf)));
	nothing_to_read(_metadata, l);
	counted(_metadata, l, &before, REPLAYS, 40);
}

TEST_F(receive, numbers_below_the_keys_first_are_replays)
{
	struct link *l = &self->l;
	ssize_t len;

	peer_key_init(&l->ba, variant->cipher, l->ba.epoch + 1, l->ba.cid_len,
		      2);
	l->ba.rec_seq = 10;
	ASSERT_OK(dtls_set_key(l->a, DTLS_RX, &l->ba));
	len = peer_seal(&l->ba, CT_DATA, 9, text, 50, wire);
	refused(_metadata, l, len, REPLAYS);
	l->b_seq = 10;
	still_works(_metadata, l);
}

/* What is accepted with window @window, @next the number after the highest */
static void window_is(struct __test_metadata *_metadata, struct link *l,
		      __u64 next, int window)
{
	ssize_t len;

	/* In DTLS 1.3 a number must be within 2^15 of the one expected. */
	while (IS_V13(l->ba.cipher) && next - l->b_seq > 30000) {
		l->b_seq += 30000;
		still_works(_metadata, l);
	}
	l->b_seq = next - 1;
	still_works(_metadata, l);
	len = peer_seal(&l->ba, CT_DATA, next - 1 - window, text, 50, wire);
	refused(_metadata, l, len, REPLAYS);
	l->b_seq = next - window;
	still_works(_metadata, l);
	len = peer_seal(&l->ba, CT_DATA, next - window, text, 50, wire);
	refused(_metadata, l, len, REPLAYS);
	l->b_seq = next;
}

TEST_F(receive, window_of_64)
{
	struct link *l = &self->l;
	struct dtls_info info;

	ASSERT_OK(dtls_get_info(l->a, &info));
	EXPECT_EQ(64u, info.replay_window);
	window_is(_metadata, l, 1000, 64);
	window_is(_metadata, l, 100000, 64);
}

TEST_F(receive, window_of_4096)
{
	struct link *l = &self->l;
	struct dtls_info info;

	ASSERT_OK(dtls_set_replay_window(l->a, 4096));
	ASSERT_OK(dtls_get_info(l->a, &info));
	EXPECT_EQ(4096u, info.replay_window);
	window_is(_metadata, l, 5000, 4096);
	window_is(_metadata, l, 1 << 20, 4096);
}

TEST_F(receive, window_set_before_the_key)
{
	struct link l;

	ASSERT_OK(link_open(&l, variant->family, variant->cipher,
			    variant->cid_len));
	ASSERT_OK(dtls_attach(l.a));
	ASSERT_OK(dtls_set_replay_window(l.a, 1024));
	ASSERT_OK(dtls_set_key(l.a, DTLS_RX, &l.ba));
	ASSERT_OK(dtls_set_key(l.a, DTLS_TX, &l.ab));
	window_is(_metadata, &l, 10000, 1024);
	link_close(&l);
}

/* Growing it lets nothing in again that was seen, or may have been. */
TEST_F(receive, window_set_live)
{
	struct link *l = &self->l;
	ssize_t len;
	int i;

	for (i = 0; i < 200; i++)
		still_works(_metadata, l);
	ASSERT_OK(dtls_set_replay_window(l->a, 4096));
	for (i = 0; i < 200; i += 13) {
		len = peer_seal(&l->ba, CT_DATA, i, text, 50, wire);
		refused(_metadata, l, len, REPLAYS);
	}
	l->b_seq = 1000;
	still_works(_metadata, l);
	for (i = 900; i > 250; i -= 50) {
		l->b_seq = i;
		still_works(_metadata, l);
	}

	/* And shrinking it shuts out what is too old now. */
	ASSERT_OK(dtls_set_replay_window(l->a, 64));
	len = peer_seal(&l->ba, CT_DATA, 899, text, 50, wire);
	refused(_metadata, l, len, REPLAYS);
	len = peer_seal(&l->ba, CT_DATA, 1000, text, 50, wire);
	refused(_metadata, l, len, REPLAYS);
	l->b_seq = 999;
	still_works(_metadata, l);
}

TEST_F(receive, window_set_live_is_every_epoch_s)
{
	struct link *l = &self->l;
	struct peer_key old = l->ba;
	int i;

	for (i = 2; i < 4; i++) {
		peer_key_init(&l->ba, variant->cipher,
			      nth_epoch(variant->cipher, i), l->ba.cid_len, 2);
		ASSERT_OK(dtls_set_key(l->a, DTLS_RX, &l->ba));
	}
	ASSERT_OK(dtls_set_replay_window(l->a, 4096));
	l->ba = old;
	for (i = 1000; i > 0; i -= 100) {
		l->b_seq = i;
		still_works(_metadata, l);
	}
}

TEST_F(receive, burst_loss_of_10000_records_heals)
{
	struct link *l = &self->l;
	ssize_t len;
	int i;

	for (i = 0; i < 3; i++) {
		still_works(_metadata, l);
		l->b_seq += 10000;
		still_works(_metadata, l);
		len = peer_seal(&l->ba, CT_DATA, l->b_seq - 5000, text, 50,
				wire);
		refused(_metadata, l, len, REPLAYS);
	}
}

TEST_F(receive, window_moves_to_another_socket)
{
	static const int seen[] = { 500, 503, 510, 540, 541, 549 };
	struct dtls_window w = { .epoch = self->l.ba.epoch };
	socklen_t len = sizeof(w);
	struct link *l = &self->l, m;
	unsigned int i;
	__u64 bit;

	for (i = 0; i < ARRAY_SIZE(seen); i++) {
		l->b_seq = seen[i];
		still_works(_metadata, l);
	}
	ASSERT_OK(getsockopt(l->a, SOL_DTLS, DTLS_WINDOW, &w, &len));
	EXPECT_EQ((socklen_t)sizeof(w), len);
	EXPECT_EQ(l->ba.epoch, w.epoch);
	EXPECT_EQ((__u64)550, w.next);
	for (i = 0; i < ARRAY_SIZE(seen); i++) {
		bit = 549 - seen[i];
		EXPECT_TRUE(w.seen[bit / 64] >> bit % 64 & 1);
	}
	EXPECT_FALSE(w.seen[0] >> 1 & 1);

	ASSERT_OK(link_raw(&m, variant->family, variant->cipher,
			   variant->cid_len));
	ASSERT_OK(dtls_set_replay_window(m.a, 4096));
	ASSERT_OK(setsockopt(m.a, SOL_DTLS, DTLS_WINDOW, &w, sizeof(w)));
	for (i = 0; i < ARRAY_SIZE(seen); i++) {
		ssize_t n = peer_seal(&m.ba, CT_DATA, seen[i], text, 50, wire);

		refused(_metadata, &m, n, REPLAYS);
	}
	/* What the smaller window has given up may have been seen. */
	for (i = 0; i < 550 - 64; i += 97) {
		ssize_t n = peer_seal(&m.ba, CT_DATA, i, text, 50, wire);

		refused(_metadata, &m, n, REPLAYS);
	}
	m.b_seq = 548;
	still_works(_metadata, &m);
	m.b_seq = 550;
	still_works(_metadata, &m);

	/* It never goes back. */
	ASSERT_ERRNO(EINVAL, setsockopt(m.a, SOL_DTLS, DTLS_WINDOW, &w,
					sizeof(w)));
	w.epoch = 9;
	ASSERT_ERRNO(ENOENT, setsockopt(m.a, SOL_DTLS, DTLS_WINDOW, &w,
					sizeof(w)));
	ASSERT_ERRNO(ENOENT, getsockopt(m.a, SOL_DTLS, DTLS_WINDOW, &w, &len));
	link_close(&m);
}

static __u64 random_state = 88172645463325252ULL;

static __u64 next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* A unified header; with a connection ID or without, a length or none */
static void make_plausible(const struct peer_key *k, __u8 *p, unsigned int size)
{
	unsigned int at = 1, cid_len = k->cid_len;

	p[0] = 0x20 | (p[0] & 0x1f);
	if (p[0] & 0x10 && cid_len && cid_len + 5 <= size) {
		memcpy(p + 1, k->cid, cid_len);
		at += cid_len;
	}
	at += p[0] & 8 ? 2 : 1;
	if (p[0] & 4 && at + 2 <= size) {
		p[at] = 0;
		p[at + 1] = size - at - 2;
	}
}

/*
 * A million over all variants. Bytes of no meaning, some behind a header that
 * has one. They come in bursts, as one super-packet or as single datagrams.
 */
TEST_F_TIMEOUT(receive, million_random_datagrams, 900)
{
	unsigned int left = rounds(250000, 8000), n, size, i, j;
	struct dtls_record_info ri;
	struct link *l = &self->l;
	struct dtls_counters counters;
	__u64 word;
	__u8 *p;

	while (left) {
		n = 1 + next_random() % 64;
		size = 1 + next_random() % 150;
		for (i = 0; i < n * size; i += 8) {
			word = next_random();
			memcpy(wire + i, &word, 8);
		}
		for (i = 0; i < n; i += 1 + next_random() % 8) {
			if (size < HEADER_LEN)
				break;
			p = wire + i * size;
			if (IS_V13(variant->cipher)) {
				make_plausible(&l->ba, p, size);
				continue;
			}
			p[0] = l->ba.cid_len && p[0] & 1 ? CT_CID :
				CT_CCS + p[0] % 6;
			p[1] = 0xfe;
			p[2] = 0xfd;
			p[3] = 0;
			p[4] &= 3;
			if (p[0] == CT_CID && size > 24u + HEADER_LEN) {
				memcpy(p + 11, l->ba.cid, l->ba.cid_len);
				p += l->ba.cid_len;
			}
			j = wire + i * size + size - (p + HEADER_LEN);
			p[11] = j >> 8;
			p[12] = j;
		}
		if (n == 1 || next_random() % 4) {
			i = send_segments(l->b, wire, n * size, size, 0);
			ASSERT_EQ(n * size, i);
		} else {
			for (i = 0; i < n; i++)
				ASSERT_LT(0, send(l->b, wire + i * size, size,
						  0));
		}
		nothing_to_read(_metadata, l);
		while (recv_control(l->a, &ri, buf, sizeof(buf)) >= 0)
			ASSERT_TRUE(ri.flags &
				    (DTLS_RECORD_RAW | DTLS_RECORD_EVENT));
		left -= n < left ? n : left;
	}
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_LT((__u64)0, counters.rx_malformed);
	EXPECT_LT((__u64)0, counters.rx_auth_failed);
	EXPECT_LT((__u64)0, counters.rx_no_key);
	EXPECT_EQ((__u64)0, counters.rx_records);
	still_works(_metadata, l);
}

TEST_F(receive, counters)
{
	struct link *l = &self->l;
	struct dtls_info info;
	struct dtls_counters counters;
	long long records, bytes;

	records = dtls_stat("DtlsRxRecords");
	bytes = dtls_stat("DtlsRxBytes");
	l->b_seq = 7;
	still_works(_metadata, l);
	still_works(_metadata, l);
	ASSERT_EQ(500, link_send(l, CT_DATA, text, 500));
	ASSERT_EQ(10, recv(l->a, buf, 10, 0));
	ASSERT_OK(dtls_get_info(l->a, &info));
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ((__u64)3, counters.rx_records);
	EXPECT_EQ((__u64)620, counters.rx_bytes);
	EXPECT_EQ(l->ba.epoch, info.rx_epoch);
	EXPECT_EQ((__u64)10, info.rx_seq);
	EXPECT_EQ(variant->cipher & ~V13(0), info.rx_cipher);
	EXPECT_EQ(IS_V13(variant->cipher) ? DTLS_VERSION_1_3 : DTLS_VERSION_1_2,
		  info.version);
	EXPECT_EQ(records + 3, dtls_stat("DtlsRxRecords"));
	EXPECT_EQ(bytes + 620, dtls_stat("DtlsRxBytes"));
}

/* What DTLS reads UDP has read. */
TEST_F(receive, udp_counts_too)
{
	long before = udp_counter(variant->family, "InDatagrams");
	struct link *l = &self->l;
	int i;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(50, link_send(l, CT_DATA, text, 50));
		ASSERT_EQ(50, recv(l->a, buf, sizeof(buf), 0));
	}
	EXPECT_EQ(before + 5, udp_counter(variant->family, "InDatagrams"));
}

/*
 * Keys
 */

TEST_F(receive, data_from_before_the_attach)
{
	struct link l;
	int i;

	ASSERT_OK(link_open(&l, variant->family, variant->cipher,
			    variant->cid_len));
	for (i = 0; i < 10; i++)
		ASSERT_EQ(50 + i, link_send(&l, CT_DATA, text + i, 50 + i));
	ASSERT_OK(dtls_attach(l.a));
	ASSERT_OK(dtls_set_key(l.a, DTLS_RX, &l.ba));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(50 + i, recv(l.a, buf, sizeof(buf), 0));
		ASSERT_EQ(0, memcmp(buf, text + i, 50 + i));
	}
	link_close(&l);
}

TEST_F(receive, data_from_between_attach_and_key)
{
	struct link l;
	int i, n;

	ASSERT_OK(link_open(&l, variant->family, variant->cipher,
			    variant->cid_len));
	ASSERT_OK(dtls_attach(l.a));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(50 + i, link_send(&l, CT_DATA, text + i, 50 + i));
		/* Looking for it does not throw it away. */
		nothing_to_read(_metadata, &l);
		ASSERT_EQ(0, poll_for(l.a, POLLIN, 0));
		ASSERT_OK(ioctl(l.a, FIONREAD, &n));
		ASSERT_EQ(0, n);
	}
	ASSERT_OK(dtls_set_key(l.a, DTLS_TX, &l.ab));
	nothing_to_read(_metadata, &l);
	ASSERT_OK(dtls_set_key(l.a, DTLS_RX, &l.ba));
	ASSERT_EQ(POLLIN, poll_for(l.a, POLLIN, 0));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(50 + i, recv(l.a, buf, sizeof(buf), 0));
		ASSERT_EQ(0, memcmp(buf, text + i, 50 + i));
	}
	nothing_to_read(_metadata, &l);
	link_close(&l);
}

TEST_F(receive, super_packet_from_before_the_key)
{
	int val = 1, when;
	struct link l;

	for (when = 0; when < 2; when++) {
		ASSERT_OK(link_open(&l, variant->family, variant->cipher,
				    variant->cid_len));
		if (when) {
			ASSERT_OK(dtls_attach(l.a));
		} else {
			/* A library may have had this on for its handshake. */
			ASSERT_OK(setsockopt(l.a, SOL_UDP, UDP_GRO, &val,
					     sizeof(val)));
		}
		send_coalesced(_metadata, &l, 20000, 1000);
		if (!when) {
			ASSERT_OK(dtls_attach(l.a));
			val = 0;
			ASSERT_OK(setsockopt(l.a, SOL_UDP, UDP_GRO, &val,
					     sizeof(val)));
		}
		ASSERT_OK(dtls_set_key(l.a, DTLS_RX, &l.ba));
		ASSERT_EQ(1000, recv_coalesced(_metadata, &l, 20000, 1000));
		link_close(&l);
	}
}

/* What was read before the attach comes back, in front, as if it had come now */
TEST_F(receive, fed_datagram_is_received)
{
	struct sockaddr_storage from = { 0 }, peer = { 0 };
	socklen_t from_len = sizeof(from), peer_len = sizeof(peer);
	struct link *l = &self->l;
	struct dtls_counters counters;
	ssize_t n;

	ASSERT_EQ(10, link_send(l, CT_DATA, text, 10));		/* 0 */
	n = peer_seal_more(&l->ba, CT_DATA, 1, text + 1, 20, wire);
	n += peer_seal(&l->ba, CT_DATA, 2, text + 2, 30, wire + n);
	ASSERT_OK(dtls_feed(l->a, wire, n));
	ASSERT_OK(dtls_feed(l->a, wire, n));
	ASSERT_OK(dtls_feed(l->a, text, 100));

	ASSERT_EQ(POLLIN, poll_for(l->a, POLLIN, 0));
	ASSERT_EQ(20, recvfrom(l->a, buf, sizeof(buf), MSG_DONTWAIT,
			       (struct sockaddr *)&from, &from_len));
	EXPECT_EQ(0, memcmp(buf, text + 1, 20));
	ASSERT_OK(getpeername(l->a, (struct sockaddr *)&peer, &peer_len));
	EXPECT_EQ(peer_len, from_len);
	EXPECT_EQ(0, memcmp(&peer, &from, peer_len));
	ASSERT_EQ(30, recv_now(l->a, buf, sizeof(buf)));
	ASSERT_EQ(10, recv_now(l->a, buf, sizeof(buf)));
	ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ((__u64)2, counters.rx_replays);
	EXPECT_EQ((__u64)1, counters.rx_malformed);
}

TEST_F(receive, feeding_is_bounded)
{
	struct link *l = &self->l;
	ssize_t n = peer_seal(&l->ba, CT_DATA, 0, text, 1000, wire);
	int i, plain, err = 0, size = 65536;

	ASSERT_ERRNO(EINVAL, dtls_feed(l->a, wire, 0));
	ASSERT_ERRNO(EMSGSIZE, dtls_feed(l->a, wire, 65536));
	ASSERT_ERRNO(EFAULT, setsockopt(l->a, SOL_DTLS, DTLS_FEED, NULL,
					sizeof(struct dtls_feed) + n));
	ASSERT_OK(setsockopt(l->a, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	for (i = 0; i < 1000 && !err; i++)
		err = dtls_feed(l->a, wire, n);
	EXPECT_EQ(-1, err);
	EXPECT_EQ(ENOBUFS, errno);
	EXPECT_LT(10, i);
	ASSERT_EQ(1000, recv_now(l->a, buf, sizeof(buf)));
	ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
	ASSERT_OK(dtls_feed(l->a, wire, n));

	plain = udp_socket(variant->family);
	ASSERT_OK(dtls_attach(plain));
	ASSERT_ERRNO(ENOTCONN, dtls_feed(plain, wire, n));
	close(plain);
}

/* As UDP does, an empty socket takes a datagram that is larger than its buffer. */
TEST_F(receive, an_empty_socket_is_fed_whatever_its_buffer)
{
	struct link *l = &self->l;
	ssize_t n = peer_seal(&l->ba, CT_DATA, 0, text, 4000, wire);
	int size = 1;

	ASSERT_OK(setsockopt(l->a, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	ASSERT_OK(dtls_feed(l->a, wire, n));
	ASSERT_ERRNO(ENOBUFS, dtls_feed(l->a, wire, n));
	ASSERT_EQ(4000, recv_now(l->a, buf, sizeof(buf)));
	ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
}

TEST_F(receive, handshake_before_its_key_is_shown_raw)
{
	struct dtls_record_info info;
	ssize_t n0, n1;
	struct link l;

	ASSERT_OK(link_open(&l, variant->family, variant->cipher,
			    variant->cid_len));
	/* A flight's end: ChangeCipherSpec, then Finished under the new key */
	n0 = plain_record(CT_CCS, 0, 4, "\1", 1, wire);
	n1 = peer_seal(&l.ba, CT_HANDSHAKE, 0, text, 40, wire + n0);
	if (l.ba.cid_len || IS_V13(variant->cipher)) {
		/* Its type is inside, so nobody can tell it from data yet. */
		n1 = 0;
	}
	ASSERT_EQ(n0 + n1, send(l.b, wire, n0 + n1, 0));
	ASSERT_OK(dtls_attach(l.a));
	nothing_to_read(_metadata, &l);
	ASSERT_EQ(n0, recv_control(l.a, &info, buf, sizeof(buf)));
	EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
	EXPECT_EQ(CT_CCS, info.type);
	EXPECT_EQ((__u64)0, info.epoch);
	EXPECT_EQ((__u64)4, info.seq);
	EXPECT_EQ(0, memcmp(buf, wire, n0));
	if (n1) {
		ASSERT_EQ(n1, recv_control(l.a, &info, buf, sizeof(buf)));
		EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
		EXPECT_EQ(CT_HANDSHAKE, info.type);
		EXPECT_EQ((__u64)1, info.epoch);
		EXPECT_EQ((__u64)0, info.seq);
		EXPECT_EQ(0, memcmp(buf, wire + n0, n1));
	}
	ASSERT_OK(dtls_set_key(l.a, DTLS_RX, &l.ba));
	l.b_seq = 1;
	still_works(_metadata, &l);
	link_close(&l);
}

TEST_F(receive, data_of_the_next_epoch_waits_for_its_key)
{
	struct link *l = &self->l;
	struct peer_key next;
	struct dtls_info info;
	struct counts before;
	ssize_t len;
	int i;

	peer_key_init(&next, variant->cipher, l->ba.epoch + 1, l->ba.cid_len,
		      2);
	count(_metadata, l, &before);
	for (i = 0; i < 10; i++) {
		len = peer_seal(&next, CT_DATA, i, text + i, 50 + i, wire);
		send_wire(_metadata, l, len);
	}
	nothing_to_read(_metadata, l);
	ASSERT_OK(dtls_get_info(l->a, &info));
	EXPECT_LT(0u, info.early_queued);
	/* The present epoch does not wait for it. */
	still_works(_metadata, l);
	nothing_to_read(_metadata, l);

	ASSERT_OK(dtls_set_key(l->a, DTLS_RX, &next));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(50 + i, recv(l->a, buf, sizeof(buf), 0));
		ASSERT_EQ(0, memcmp(buf, text + i, 50 + i));
	}
	ASSERT_OK(dtls_get_info(l->a, &info));
	EXPECT_EQ(0u, info.early_queued);
	counted(_metadata, l, &before, N_WHAT, 0);
}

/* Early records are not genuine until proven: they must not crowd data out. */
TEST_F(receive, flood_of_early_records_does_not_starve_data)
{
	struct link *l = &self->l;
	struct dtls_counters counters;
	struct peer_key next;
	ssize_t len;
	int i, n;

	n = rounds(6000, 1000);
	peer_key_init(&next, variant->cipher, l->ba.epoch + 1, l->ba.cid_len,
		      2);
	memset(next.key, 0, sizeof(next.key));
	len = peer_seal(&next, CT_DATA, 0, text, 1000, wire);
	for (i = 0; i < n; i++) {
		send_wire(_metadata, l, len);
		if (i % 16 == 15)
			nothing_to_read(_metadata, l);
	}
	nothing_to_read(_metadata, l);
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_LT((__u64)0, counters.rx_no_budget);
	for (i = 0; i < 20; i++)
		still_works(_metadata, l);
}

static long memory_free(struct __test_metadata *_metadata)
{
	FILE *f = fopen("/proc/meminfo", "r");
	long kib = 0;

	ASSERT_NE(NULL, f);
	while (fscanf(f, "MemAvailable: %ld", &kib) != 1)
		ASSERT_NE(EOF, fscanf(f, "%*[^\n] "));
	fclose(f);
	return kib;
}

/* However small an early record, keeping it must not keep what it came in. */
TEST_F(receive, early_record_does_not_hold_its_datagram)
{
	struct link *l = &self->l;
	int i, kept, n = rounds(1500, 300);
	struct peer_key next;
	long before;
	ssize_t len;

	peer_key_init(&next, variant->cipher, l->ba.epoch + 1, l->ba.cid_len,
		      2);
	before = memory_free(_metadata);
	for (i = 0; i < n; i++) {
		len = peer_seal_more(&next, CT_DATA, i, text + i, 10, wire);
		memset(wire + len, 0xff, 60000);
		send_wire(_metadata, l, len + 60000);
		nothing_to_read(_metadata, l);
	}
	EXPECT_GT(n * 60 / 3, before - memory_free(_metadata));

	/* Those that came last are there, in their order. */
	ASSERT_OK(dtls_set_key(l->a, DTLS_RX, &next));
	for (kept = 0; recv_now(l->a, buf + 10 * kept, 10) == 10; kept++)
		;
	ASSERT_LE(20, kept);
	for (i = 0; i < kept; i++)
		ASSERT_EQ(0, memcmp(buf + 10 * i, text + n - kept + i, 10));
}

TEST_F(receive, key_change_loses_nothing)
{
	struct link *l = &self->l;
	struct peer_key k = l->ba;
	int epoch, i, got;
	char seen[40];

	ASSERT_OK(link_attach_b(l));
	for (epoch = 1; epoch < 8; epoch++) {
		memset(seen, 0, sizeof(seen));
		for (i = 0; i < 40; i++) {
			if (i == 20) {
				peer_key_init(&k, variant->cipher, k.epoch + 1,
					      l->ba.cid_len, 2);
				ASSERT_OK(dtls_set_key(l->b, DTLS_TX, &k));
			}
			buf[0] = i;
			ASSERT_EQ(100, send(l->b, buf, 100, 0));
		}
		/* The receiver meets the new epoch before it has its key. */
		for (got = 0; got < 40; got++) {
			if (got == 20) {
				nothing_to_read(_metadata, l);
				ASSERT_OK(dtls_set_key(l->a, DTLS_RX, &k));
			}
			ASSERT_EQ(100, recv(l->a, buf, sizeof(buf), 0));
			ASSERT_GT(40, buf[0]);
			ASSERT_EQ(0, seen[buf[0]]);
			seen[buf[0]] = 1;
		}
		nothing_to_read(_metadata, l);
	}
}

struct rekey {
	struct link *l;
	__u16 cipher;
	int records;
	int sent;
	int received;
	int error;
};

static void *send_numbered(void *arg)
{
	struct rekey *r = arg;
	__u8 msg[100] = {};
	int i;

	roam();
	for (i = 0; i < r->records; i++) {
		/* Loss by a full receive queue is not what is tested here. */
		while (i - __atomic_load_n(&r->received, __ATOMIC_RELAXED) > 60)
			usleep(100);
		memcpy(msg, &i, sizeof(i));
		if (send(r->l->b, msg, sizeof(msg), 0) != sizeof(msg)) {
			__atomic_store_n(&r->error, errno, __ATOMIC_RELAXED);
			break;
		}
		__atomic_store_n(&r->sent, i + 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *change_keys(void *arg)
{
	struct rekey *r = arg;
	int epoch, at, last = 0, older = 0;
	struct peer_key k;

	roam();
	/*
	 * The sender first: the receiver has to hold on to what is early. A new key
	 * leaves the two before it, so all records under older ones have to be read.
	 */
	for (epoch = 2; epoch < 12; epoch++) {
		at = (epoch - 1) * (r->records / 11);
		while ((__atomic_load_n(&r->sent, __ATOMIC_RELAXED) < at ||
			__atomic_load_n(&r->received, __ATOMIC_RELAXED) < older) &&
		       !__atomic_load_n(&r->error, __ATOMIC_RELAXED))
			usleep(100);
		peer_key_init(&k, r->cipher, nth_epoch(r->cipher, epoch),
			      r->l->ba.cid_len, 2);
		if (dtls_set_key(r->l->b, DTLS_TX, &k) ||
		    dtls_set_key(r->l->a, DTLS_RX, &k))
			__atomic_store_n(&r->error, errno, __ATOMIC_RELAXED);
		/* One more may be on its way under the key before this one. */
		older = last;
		last = __atomic_load_n(&r->sent, __ATOMIC_RELAXED) + 1;
		if (last > r->records)
			last = r->records;
	}
	return NULL;
}

TEST_F(receive, key_change_under_traffic_loses_nothing)
{
	struct rekey r = { .l = &self->l, .cipher = variant->cipher };
	struct link *l = &self->l;
	pthread_t threads[2];
	int i, n;
	char *seen;

	ASSERT_OK(link_attach_b(l));
	r.records = rounds(11000, 550);
	seen = calloc(1, r.records);
	ASSERT_OK(pthread_create(&threads[0], NULL, send_numbered, &r));
	ASSERT_OK(pthread_create(&threads[1], NULL, change_keys, &r));
	for (i = 0; i < r.records; i++) {
		ASSERT_EQ(100, recv(l->a, buf, sizeof(buf), 0))
			TH_LOG("%d of %d, send: %s", i, r.records,
			       strerror(r.error));
		memcpy(&n, buf, sizeof(n));
		ASSERT_TRUE(n >= 0 && n < r.records);
		ASSERT_EQ(0, seen[n]);
		seen[n] = 1;
		__atomic_store_n(&r.received, i + 1, __ATOMIC_RELAXED);
	}
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	ASSERT_EQ(0, r.error);
	nothing_to_read(_metadata, l);
	free(seen);
}

/*
 * Pages that are not ours
 */

static void spliced(struct __test_metadata *_metadata, struct link *l,
		    bool forged, bool pipes)
{
	ssize_t len, n;
	int file, p[2];

	len = peer_seal(&l->ba, CT_DATA, l->b_seq++, text, 3000, wire);
	if (forged)
		wire[len - 1] ^= 1;
	file = memfd_create("record", 0);
	ASSERT_LE(0, file);
	ASSERT_EQ(len, write(file, wire, len));
	ASSERT_EQ(0, lseek(file, 0, SEEK_SET));
	if (pipes) {
		ASSERT_OK(pipe(p));
		ASSERT_EQ(len, splice(file, NULL, p[1], NULL, len, 0));
		ASSERT_EQ(len, splice(p[0], NULL, l->b, NULL, len, 0));
	} else {
		ASSERT_EQ(len, sendfile(l->b, file, NULL, len));
	}
	n = recv_now(l->a, buf, sizeof(buf));
	if (forged) {
		ASSERT_EQ(-1, n);
	} else {
		ASSERT_EQ(3000, n);
		ASSERT_EQ(0, memcmp(buf, text, 3000));
	}
	ASSERT_EQ(len, pread(file, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, wire, len));
	close(file);
}

TEST_F(receive, page_cache_stays_as_it_was)
{
	spliced(_metadata, &self->l, false, false);
	spliced(_metadata, &self->l, false, true);
}

TEST_F(receive, page_cache_stays_as_it_was_under_a_forged_tag)
{
	struct link *l = &self->l;
	struct counts before;

	count(_metadata, l, &before);
	spliced(_metadata, l, true, false);
	spliced(_metadata, l, true, true);
	counted(_metadata, l, &before, AUTH_FAILED, 2);
}

/* The same with poll and MSG_PEEK, which open the record ahead of recv. */
TEST_F(receive, page_cache_stays_as_it_was_when_looked_at)
{
	struct link *l = &self->l;
	ssize_t len;
	int file;

	len = peer_seal(&l->ba, CT_DATA, 0, text, 3000, wire);
	file = memfd_create("record", 0);
	ASSERT_EQ(len, write(file, wire, len));
	ASSERT_EQ(0, lseek(file, 0, SEEK_SET));
	ASSERT_EQ(len, sendfile(l->b, file, NULL, len));
	ASSERT_EQ(POLLIN, poll_for(l->a, POLLIN, SOON_MS));
	ASSERT_EQ(3000, recv(l->a, buf, sizeof(buf), MSG_PEEK));
	ASSERT_EQ(3000, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_EQ(0, memcmp(buf, text, 3000));
	ASSERT_EQ(len, pread(file, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, wire, len));
	close(file);
}

/*
 * Connection IDs
 */

LINK_FIXTURE(receive_cid);

LINK_VARIANT(receive_cid, short, DTLS_CIPHER_AES_GCM_128, AF_INET, 1);
LINK_VARIANT(receive_cid, longest, DTLS_CIPHER_CHACHA20_POLY1305,
	     AF_INET6, DTLS_CID_SIZE_MAX - 3);
LINK_VARIANT(receive_cid, v13_short, V13(DTLS_CIPHER_AES_GCM_128), AF_INET, 1);
LINK_VARIANT(receive_cid, v13_longest, V13(DTLS_CIPHER_CHACHA20_POLY1305),
	     AF_INET6, DTLS_CID_SIZE_MAX - 3);

LINK_SETUP(receive_cid, text)

TEST_F(receive_cid, both_ways)
{
	struct link *l = &self->l;
	int i;

	for (i = 0; i < 3; i++) {
		still_works(_metadata, l);
		ASSERT_EQ(70, send(l->a, text, 70, 0));
		ASSERT_EQ(70, link_recv(l, &rec));
	}
}

TEST_F(receive_cid, padding_is_stripped)
{
	struct peer_key *k = &self->l.ba;
	struct link *l = &self->l;
	int i;

	for (i = 0; i < 4; i++) {
		rec.type = CT_DATA;
		rec.version = DTLS_VERSION_1_2;
		rec.epoch = k->epoch;
		rec.seq = i;
		rec.nonce = i;
		rec.pad = i * 100;
		rec.data = (const __u8 *)"ends in zeroes\0\0";
		rec.len = 16;
		send_wire(_metadata, l, peer_seal_record(k, &rec, wire));
		ASSERT_EQ(16, recv(l->a, buf, sizeof(buf), 0));
		ASSERT_EQ(0, memcmp(buf, "ends in zeroes\0\0", 16));
	}
}

/*
 * On the wire these are all of one size, by their padding; to the reader none but
 * the last of several is shorter than the first, and none is longer.
 */
TEST_F(receive_cid, udp_gro_of_padded_records)
{
	static const size_t lens[] = {
		1000, 1000, 500, 1000, 1000, 1000, 100, 100, 1000, 100,
	};
	struct peer_key *k = &self->l.ba;
	struct link *l = &self->l;
	ssize_t n = 0, size = 0, at, one;
	unsigned int i, round, got;
	int gso;

	set_int(_metadata, l->a, SOL_UDP, UDP_GRO, 1);
	/* From each of them on */
	for (round = 0; round < ARRAY_SIZE(lens); round++) {
		for (i = round, n = 0; i < ARRAY_SIZE(lens); i++, n += size) {
			rec = (struct peer_record){ .type = CT_DATA };
			rec.version = DTLS_VERSION_1_2;
			rec.epoch = k->epoch;
			rec.seq = rec.nonce = l->b_seq++;
			rec.len = lens[i];
			rec.pad = 1000 - rec.len;
			rec.data = text + 1000 * i;
			size = peer_seal_record(k, &rec, wire + n);
		}
		ASSERT_EQ(n, send_segments(l->b, wire, n, size, 0));
		for (got = round; got < ARRAY_SIZE(lens);) {
			n = recv_segments(l->a, buf, sizeof(buf), &gso, 0);
			ASSERT_LT(0, n);
			for (at = 0, i = got; at < n; at += one) {
				one = lens[got];
				ASSERT_TRUE(n == one ||
					    gso == (int)lens[i]);
				ASSERT_TRUE(one == (ssize_t)lens[i] ||
					    (one < (ssize_t)lens[i] &&
					     at + one == n));
				ASSERT_EQ(0, memcmp(buf + at, text + 1000 * got,
						    one));
				got++;
			}
		}
	}
}

TEST_F(receive_cid, inner_record_without_type_is_refused)
{
	struct peer_key *k = &self->l.ba;
	struct link *l = &self->l;

	rec.type = 0;
	rec.version = DTLS_VERSION_1_2;
	rec.epoch = k->epoch;
	rec.seq = 9;
	rec.pad = 50;
	rec.len = 0;
	refused(_metadata, l, peer_seal_record(k, &rec, wire), MALFORMED);
	still_works(_metadata, l);
}

TEST_F(receive_cid, wrong_connection_id_is_refused)
{
	struct link *l = &self->l;
	struct dtls_record_info info;
	struct peer_key k = l->ba;
	struct counts before;
	int i;

	for (i = 0; i < k.cid_len; i++) {
		count(_metadata, l, &before);
		k.cid[i] ^= 0x40;
		send_wire(_metadata, l,
			  peer_seal(&k, CT_DATA, 0, text, 50, wire));
		k.cid[i] ^= 0x40;
		nothing_to_read(_metadata, l);
		/* In DTLS 1.2 it may be a handshake's: see control.c. */
		counted_both(_metadata, l, &before, NO_KEY,
			     IS_V13(variant->cipher) ? NO_KEY : CONTROL, 1);
		if (!IS_V13(variant->cipher))
			ASSERT_LT(0, recv_control(l->a, &info, buf, sizeof(buf)));
	}
	k.cid_len = 0;
	refused(_metadata, l, peer_seal(&k, CT_DATA, 0, text, 50, wire), NO_KEY);
	still_works(_metadata, l);
}

/*
 * ICMP
 */

TEST_F(receive, refused_connection_is_told)
{
	struct link *l = &self->l;

	close(l->b);
	l->b = -1;
	ASSERT_EQ(10, send(l->a, text, 10, 0));
	ASSERT_ERRNO(ECONNREFUSED, recv(l->a, buf, sizeof(buf), 0));
	/* Once, as on any UDP socket */
	nothing_to_read(_metadata, l);
	ASSERT_EQ(10, send(l->a, text, 10, 0));
	ASSERT_ERRNO(ECONNREFUSED, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_EQ(10, send(l->a, text, 10, 0));
	ASSERT_ERRNO(ECONNREFUSED, recv(l->a, buf, sizeof(buf), MSG_PEEK));
	nothing_to_read(_metadata, l);
}

TEST_F(receive, error_queue_quotes_ciphertext)
{
	bool v4 = variant->family == AF_INET;
	struct sock_extended_err *ee = NULL;
	struct iovec iov = { wire, sizeof(wire) };
	static __u8 ctl[512];
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = ctl,
			      .msg_controllen = sizeof(ctl) };
	struct link *l = &self->l;
	struct cmsghdr *c;
	ssize_t n;

	set_int(_metadata, l->a, v4 ? SOL_IP : SOL_IPV6,
		v4 ? IP_RECVERR : IPV6_RECVERR, 1);
	ASSERT_ERRNO(EAGAIN, recvmsg(l->a, &msg, MSG_ERRQUEUE));
	close(l->b);
	l->b = -1;
	ASSERT_EQ(100, send(l->a, text, 100, 0));
	ASSERT_TRUE(poll_for(l->a, 0, SOON_MS) & POLLERR);
	msg.msg_controllen = sizeof(ctl);
	n = recvmsg(l->a, &msg, MSG_ERRQUEUE);
	ASSERT_EQ((ssize_t)(100 + peer_overhead(&l->ab)), n);
	ASSERT_EQ(n, peer_open(&l->ab, wire, n, &rec));
	EXPECT_EQ(0, memcmp(rec.data, text, 100));
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == (v4 ? SOL_IP : SOL_IPV6) &&
		    c->cmsg_type == (v4 ? IP_RECVERR : IPV6_RECVERR))
			ee = (void *)CMSG_DATA(c);
	ASSERT_NE(NULL, ee);
	EXPECT_EQ((unsigned int)ECONNREFUSED, ee->ee_errno);
}

/* An error that is told is not a reason to lose what came before it. */
TEST_F(receive, data_survives_an_error)
{
	struct link *l = &self->l;

	ASSERT_EQ(30, link_send(l, CT_DATA, text, 30));
	ASSERT_EQ(40, link_send(l, CT_DATA, text, 40));
	close(l->b);
	l->b = -1;
	ASSERT_EQ(10, send(l->a, text, 10, 0));
	ASSERT_ERRNO(ECONNREFUSED, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_EQ(30, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_EQ(40, recv(l->a, buf, sizeof(buf), 0));
}

TEST_F(receive, shutdown_is_end_of_file)
{
	struct link *l = &self->l;

	ASSERT_OK(shutdown(l->a, SHUT_RD));
	ASSERT_EQ(0, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_EQ(0, recv(l->a, buf, sizeof(buf), 0));
}

/*
 * Raw records reach a socket before it is connected, by IPv4 too where it takes
 * both: whose they are and whither they were written is told as UDP tells it.
 */
TEST(raw_by_ipv4_has_an_address_on_a_dual_stack_socket)
{
	struct sockaddr_in to = { .sin_family = AF_INET }, me;
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 }, from = {};
	struct iovec iov = { buf, sizeof(buf) };
	static __u8 ctl[512];
	struct msghdr msg = { .msg_name = &from, .msg_namelen = sizeof(from),
			      .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = ctl,
			      .msg_controllen = sizeof(ctl) };
	struct in6_pktinfo info = {}, want;
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), one = 1;
	int out = udp_socket(AF_INET);
	socklen_t len = sizeof(any);
	struct cmsghdr *c;
	ssize_t n;

	stay();
	ASSERT_OK(bind(fd, (void *)&any, sizeof(any)));
	ASSERT_OK(getsockname(fd, (void *)&any, &len));
	ASSERT_OK(dtls_attach(fd));
	ASSERT_OK(setsockopt(fd, SOL_IPV6, IPV6_RECVPKTINFO, &one,
			     sizeof(one)));
	len = sizeof(me);
	ASSERT_OK(getsockname(out, (void *)&me, &len));
	to.sin_port = any.sin6_port;
	inet_pton(AF_INET, "127.0.0.7", &to.sin_addr);
	n = plain_record(CT_HANDSHAKE, 0, 0, text, 50, wire);
	ASSERT_EQ(n, sendto(out, wire, n, 0, (void *)&to, sizeof(to)));

	ASSERT_EQ(n, recvmsg(fd, &msg, MSG_OOB));
	ASSERT_EQ(sizeof(from), msg.msg_namelen);
	EXPECT_EQ(AF_INET6, from.sin6_family);
	EXPECT_EQ(me.sin_port, from.sin6_port);
	ASSERT_TRUE(IN6_IS_ADDR_V4MAPPED(&from.sin6_addr));
	EXPECT_EQ(0, memcmp(from.sin6_addr.s6_addr + 12, &me.sin_addr, 4));
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_PKTINFO)
			memcpy(&info, CMSG_DATA(c), sizeof(info));
	inet_pton(AF_INET6, "::ffff:127.0.0.7", &want.ipi6_addr);
	EXPECT_EQ(0, memcmp(&want.ipi6_addr, &info.ipi6_addr,
			    sizeof(want.ipi6_addr)));
	EXPECT_NE(0u, info.ipi6_ifindex);
	close(fd);
	close(out);
}

TEST_HARNESS_MAIN
