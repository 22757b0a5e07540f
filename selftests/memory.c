// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: what a socket holds is known to its cgroup and to UDP, is bounded,
 * and what nobody asked for never keeps out what is genuine. The figures are
 * the system's own: those of memory cgroups, /proc/net/sockstat, SO_MEMINFO.
 */
#include "harness.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <linux/sock_diag.h>

#include "common.h"
#include "figures.h"
#include "traffic.h"

static __u8 text[1 << 16], buf[1 << 17], wire[1 << 17];

static void set_rcvbuf(struct __test_metadata *_metadata, int fd, int size)
{
	ASSERT_OK(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
			     sizeof(size)));
}

/*
 * What is held is charged
 */

enum kind { RAW, EARLY, CONTROL, READY };

FIXTURE(held)
{
	struct link l;
};

FIXTURE_VARIANT(held)
{
	enum kind kind;
};

FIXTURE_VARIANT_ADD(held, raw) { .kind = RAW };
FIXTURE_VARIANT_ADD(held, early) { .kind = EARLY };
FIXTURE_VARIANT_ADD(held, control) { .kind = CONTROL };
FIXTURE_VARIANT_ADD(held, ready) { .kind = READY };

FIXTURE_SETUP(held)
{
	stay();
	ASSERT_OK(enter_cgroup("max"));
	ASSERT_OK(link_raw(&self->l, AF_INET, DTLS_CIPHER_AES_GCM_128, 0));
	ASSERT_OK(leave_cgroup());
	set_rcvbuf(_metadata, self->l.a, 32 << 20);
	fill(text, sizeof(text), 1);
}

FIXTURE_TEARDOWN(held)
{
	link_close(&self->l);
}

/* A record that ends up where the variant says, of 16000 bytes */
static void send_one(struct __test_metadata *_metadata, struct link *l,
		     enum kind kind, int i)
{
	__u8 type = kind == RAW || kind == CONTROL ? CT_HANDSHAKE : CT_DATA;
	ssize_t len;

	if (kind == RAW || kind == EARLY) {
		len = plain_record(type, kind == RAW ? 0 : 2, i, text, 16000,
				   wire);
		ASSERT_EQ(len, send(l->b, wire, len, 0));
	} else {
		ASSERT_EQ(16000, link_send(l, type, text, 16000));
	}
}

/* Sixteen megabytes go in; at least five are held, whatever the budget. */
TEST_F(held, is_charged_to_cgroup_and_udp)
{
	long cgroup = cgroup_bytes_in_use(), udp = udp_bytes();
	struct link *l = &self->l;
	int i, far = 1 << 30;

	ASSERT_LE(0, cgroup);
	if (variant->kind == READY)
		ASSERT_OK(setsockopt(l->a, SOL_SOCKET, SO_PEEK_OFF, &far,
				     sizeof(far)));
	for (i = 0; i < 1000; i++) {
		send_one(_metadata, l, variant->kind, i);
		if (i % 50 != 49)
			continue;
		settle();
		ASSERT_ERRNO(EAGAIN, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT |
				(variant->kind == READY ? MSG_PEEK : 0)));
	}
	/* UDP's queue is empty now: this is held by us. */
	EXPECT_LT(5 << 20, cgroup_bytes_in_use() - cgroup);
	EXPECT_LT(5 << 20, udp_bytes() - udp);

	/* A per-CPU share of a megabyte may be left of UDP's. */
	link_close(l);
	EXPECT_GT(3 << 20, cgroup_bytes_in_use() - cgroup);
	EXPECT_GT(3 << 20, udp_bytes() - udp);
}

/*
 * Sockets without any key hold what came early. Many of them together hold
 * no more than the cgroup knows of.
 */
TEST(many_sockets_without_a_key_are_in_the_cgroup_s_account)
{
	static const int n = 100;
	unsigned long held = 0;
	int a[n], b[n], i, j;
	struct dtls_info info;
	long before;
	ssize_t len;

	stay();
	len = plain_record(CT_DATA, 1, 1, text, 16000, wire);
	ASSERT_OK(enter_cgroup("max"));
	for (i = 0; i < n; i++)
		ASSERT_OK(udp_pair(AF_INET, &a[i], &b[i]));
	ASSERT_OK(leave_cgroup());
	before = cgroup_bytes_in_use();
	for (i = 0; i < n; i++) {
		set_rcvbuf(_metadata, a[i], 1 << 19);
		ASSERT_OK(dtls_attach(a[i]));
		for (j = 0; j < 40; j++) {
			send(b[i], wire, len, MSG_DONTWAIT);
			recv_now(a[i], buf, sizeof(buf));
		}
		ASSERT_OK(dtls_get_info(a[i], &info));
		held += info.early_queued;
	}
	EXPECT_LT(10u << 20, held);
	EXPECT_LT((long)(held - (1 << 20)), cgroup_bytes_in_use() - before);
	for (i = 0; i < n; i++) {
		close(a[i]);
		close(b[i]);
	}
	EXPECT_GT(1 << 20, cgroup_bytes_in_use() - before);
}

/*
 * Charged once, and as what it is
 */

FIXTURE(memory)
{
	struct link l;
};

FIXTURE_SETUP(memory)
{
	stay();
	ASSERT_OK(link_raw(&self->l, AF_INET, DTLS_CIPHER_AES_GCM_128, 0));
	fill(text, sizeof(text), 1);
}

FIXTURE_TEARDOWN(memory)
{
	link_close(&self->l);
}

/* A thousand records of one datagram do not cost it a thousand times. */
TEST_F(memory, a_datagram_of_many_records_is_charged_once)
{
	struct link *l = &self->l;
	int i, far = 1 << 30;
	size_t len = 0;

	set_rcvbuf(_metadata, l->a, 32 << 20);
	for (i = 0; i < 1000; i++)
		len += peer_seal(&l->ba, CT_DATA, i, text, 10, wire + len);
	ASSERT_EQ((ssize_t)len, send(l->b, wire, len, 0));
	ASSERT_OK(setsockopt(l->a, SOL_SOCKET, SO_PEEK_OFF, &far, sizeof(far)));
	settle();
	ASSERT_ERRNO(EAGAIN, recv(l->a, buf, sizeof(buf),
				  MSG_PEEK | MSG_DONTWAIT));
	EXPECT_GT(4u << 20, meminfo(l->a, SK_MEMINFO_RMEM_ALLOC));
	for (i = 0; i < 1000; i++)
		ASSERT_EQ(10, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(0u, meminfo(l->a, SK_MEMINFO_RMEM_ALLOC));
}

/* One record that poll opened holds no more than itself. */
TEST_F(memory, a_record_looked_at_does_not_hold_its_datagram)
{
	struct link *l = &self->l;
	size_t len = 0;
	int i;

	/* All but the first are no records. */
	len = peer_seal(&l->ba, CT_DATA, 0, text, 10, wire);
	memset(wire + len, 0xff, 50000);
	len += 50000;
	ASSERT_EQ((ssize_t)len, send(l->b, wire, len, 0));
	ASSERT_EQ(POLLIN, poll_for(l->a, POLLIN, SOON_MS));
	/* The rest of the datagram is looked at, and goes. */
	for (i = 0; i < 2; i++)
		ASSERT_ERRNO(EAGAIN, recv_control(l->a, &(struct
				dtls_record_info){}, buf, sizeof(buf)));
	EXPECT_GT(10000u, meminfo(l->a, SK_MEMINFO_RMEM_ALLOC));
	ASSERT_EQ(10, recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(0u, meminfo(l->a, SK_MEMINFO_RMEM_ALLOC));
}

/*
 * Junk that stays
 */

FIXTURE(deaf)
{
	struct link l;
};

FIXTURE_VARIANT(deaf)
{
	int rcvbuf;
};

FIXTURE_VARIANT_ADD(deaf, least) { .rcvbuf = 1 };
FIXTURE_VARIANT_ADD(deaf, small) { .rcvbuf = 32768 };
FIXTURE_VARIANT_ADD(deaf, usual) { .rcvbuf = 0 };

/* All that can lie in the budgets: raw, early and control records */
FIXTURE_SETUP(deaf)
{
	static const struct { __u8 type; __u16 epoch; } kinds[] = {
		{ CT_HANDSHAKE, 0 }, { CT_DATA, 2 },
	};
	struct link *l = &self->l;
	size_t len, k;
	int i;

	stay();
	ASSERT_OK(link_raw(l, AF_INET, DTLS_CIPHER_AES_GCM_128, 0));
	if (variant->rcvbuf)
		ASSERT_OK(setsockopt(l->a, SOL_SOCKET, SO_RCVBUF,
				     &variant->rcvbuf,
				     sizeof(variant->rcvbuf)));
	fill(text, sizeof(text), 1);
	for (i = 0; i < 300; i++) {
		for (k = 0; k < ARRAY_SIZE(kinds); k++) {
			len = plain_record(kinds[k].type, kinds[k].epoch, i,
					   text, 100, wire);
			ASSERT_EQ((ssize_t)len, send(l->b, wire, len, 0));
			ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
		}
		ASSERT_EQ(100, link_send(l, CT_HANDSHAKE, text, 100));
		ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
	}
}

FIXTURE_TEARDOWN(deaf)
{
	link_close(&self->l);
}

TEST_F(deaf, single_records_arrive_behind_junk)
{
	struct link *l = &self->l;
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(1000, link_send(l, CT_DATA, text, 1000));
		ASSERT_EQ(1000, recv_now(l->a, buf, sizeof(buf)));
	}
}

TEST_F(deaf, super_packets_arrive_behind_junk)
{
	struct link *l = &self->l;
	int i, j, on = 1;

	ASSERT_OK(setsockopt(l->a, SOL_UDP, UDP_GRO, &on, sizeof(on)));
	for (i = 0; i < 10; i++) {
		size_t len = 0, one = 0;

		for (j = 0; j < 40; j++) {
			one = peer_seal(&l->ba, CT_DATA, l->b_seq++, text,
					1200, wire + len);
			len += one;
		}
		ASSERT_EQ((ssize_t)len, send_segments(l->b, wire, len, one, 0));
		settle();
		for (j = 0; j < 40 * 1200; j += len) {
			len = recv(l->a, buf, sizeof(buf), MSG_DONTWAIT);
			ASSERT_LT(0, (ssize_t)len);
		}
	}
}

/* The newest flight is the one that counts. */
TEST_F(deaf, the_oldest_junk_goes_first)
{
	struct dtls_record_info info;
	__u64 last = 0, n = 0;

	while (recv_control(self->l.a, &info, buf, sizeof(buf)) >= 0) {
		if (!(info.flags & DTLS_RECORD_RAW))
			continue;
		EXPECT_LE(last, info.seq);
		last = info.seq;
		n++;
	}
	EXPECT_LT(0u, n);
	EXPECT_EQ(299u, last);
}

/*
 * Events
 */

/* Let one key more reach its limit of @records records, and send @n of them. */
static void use_up_key(struct __test_metadata *_metadata, struct link *l, __u64 epoch,
		       __u64 records, unsigned int n)
{
	struct dtls_key_info ki;
	struct peer_key key;

	peer_key_init(&key, DTLS_CIPHER_AES_GCM_128, epoch, 0, 1);
	key_info(&key, &ki);
	ki.limit = records;
	ASSERT_OK(setsockopt(l->a, SOL_DTLS, DTLS_TX, &ki, sizeof(ki)));
	while (n--) {
		ASSERT_EQ(4, send(l->a, "data", 4, 0));
		ASSERT_LT(0, recv_now(l->b, wire, sizeof(wire)));
	}
}

/* Nobody reads them: they have a budget, and what had no room comes again. */
TEST(events_of_many_keys_are_bounded)
{
	unsigned int n = rounds(3000, 600), i, events = 0;
	struct dtls_record_info info = {};
	long before, grown;
	struct link l;

	ASSERT_OK(link_raw(&l, AF_INET, DTLS_CIPHER_AES_GCM_128, 0));
	before = udp_bytes();
	for (i = 0; i < n; i++)
		use_up_key(_metadata, &l, 2 + i, 1, 1);
	use_up_key(_metadata, &l, 2 + n, 8, 7);
	grown = udp_bytes() - before;
	TH_LOG("%u keys: %ld bytes", n, grown);
	EXPECT_GT(1 << 18, grown);
	while (recv_control(l.a, &info, buf, sizeof(buf)) >= 0) {
		ASSERT_EQ(DTLS_RECORD_EVENT, info.flags);
		ASSERT_EQ(DTLS_EVENT_TX_LIMIT, info.event);
		events++;
	}
	EXPECT_LT(0u, events);
	EXPECT_GT(2u + n, info.epoch);
	ASSERT_EQ(4, send(l.a, "data", 4, 0));
	ASSERT_EQ(0, recv_control(l.a, &info, buf, sizeof(buf)));
	EXPECT_EQ(DTLS_EVENT_TX_LIMIT, info.event);
	EXPECT_EQ(2u + n, info.epoch);
	link_close(&l);
}

/* What remains of the budget behind the last event is of many sizes here. */
TEST(events_without_room_are_not_dropped_records)
{
	struct dtls_counters counters;
	struct link l;
	int size, i;

	for (size = 40000; size < 60000; size += 1000) {
		ASSERT_OK(link_raw(&l, AF_INET, DTLS_CIPHER_AES_GCM_128, 0));
		set_rcvbuf(_metadata, l.a, size);
		for (i = 0; i < 40; i++)
			use_up_key(_metadata, &l, 2 + i, 1, 1);
		ASSERT_OK(dtls_get_counters(l.a, &counters));
		EXPECT_EQ(0u, counters.rx_no_budget) TH_LOG("SO_RCVBUF %d", size);
		link_close(&l);
	}
}

/*
 * What one datagram costs
 */

FIXTURE(crowded)
{
	struct link l;
};

FIXTURE_VARIANT(crowded)
{
	__u8 type;
	__u16 epoch;
	bool replay;
};

FIXTURE_VARIANT_ADD(crowded, raw) { .type = CT_HANDSHAKE };
FIXTURE_VARIANT_ADD(crowded, raw_next) { .type = CT_HANDSHAKE, .epoch = 2 };
FIXTURE_VARIANT_ADD(crowded, early) { .type = CT_DATA, .epoch = 2 };
FIXTURE_VARIANT_ADD(crowded, replays) { .type = CT_HANDSHAKE, .epoch = 1, .replay = true };

FIXTURE_SETUP(crowded)
{
	stay();
	ASSERT_OK(link_raw(&self->l, AF_INET, DTLS_CIPHER_AES_GCM_128, 0));
}

FIXTURE_TEARDOWN(crowded)
{
	link_close(&self->l);
}

/*
 * Of a datagram with thousands of small records that nothing can verify, 32 are looked
 * at.
 */
TEST_F(crowded, the_rest_is_dropped)
{
	struct link *l = &self->l;
	struct dtls_counters counters;
	struct dtls_info one, info;
	size_t len;
	__u64 seq = 0;

	set_rcvbuf(_metadata, l->a, 1 << 20);
	/* The window is behind these numbers then. */
	if (variant->replay) {
		seq = l->b_seq;
		l->b_seq += 5000;
		ASSERT_EQ(4, link_send(l, CT_DATA, "data", 4));
		ASSERT_EQ(4, recv_now(l->a, buf, sizeof(buf)));
	}
	/* First one alone, whose memory is known then */
	len = plain_record(variant->type, variant->epoch, seq++, text, 20, wire);
	ASSERT_EQ((ssize_t)len, send(l->b, wire, len, 0));
	ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
	ASSERT_OK(dtls_get_info(l->a, &one));

	for (len = 0; len < 60000; seq++)
		len += plain_record(variant->type, variant->epoch, seq, text, 20,
				    wire + len);
	ASSERT_EQ((ssize_t)len, send(l->b, wire, len, 0));
	ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	ASSERT_OK(dtls_get_info(l->a, &info));
	EXPECT_EQ(variant->replay ? 33u : 0, counters.rx_replays);
	EXPECT_EQ(variant->type == CT_DATA ? 0 : 33u, counters.rx_control);
	EXPECT_EQ(33 * one.early_queued, info.early_queued);
	EXPECT_EQ(variant->type == CT_DATA, info.early_queued > 0);
	EXPECT_EQ(0u, counters.rx_no_budget);
	EXPECT_TRUE(link_raw_works(l));
}

TEST_HARNESS_MAIN
