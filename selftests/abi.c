// SPDX-License-Identifier: GPL-2.0
/*
 * The interface as a program sees it that knows the header alone: where every
 * member of every structure lies, how structures grow, and a whole exchange.
 * Compiled twice: abi, and for 32 bits abi32, which must see the same.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <linux/dtls.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* A structure is @bytes long. */
#define SIZE(type, bytes)						\
	_Static_assert(sizeof(struct type) == (bytes), #type)
/* A member lies at @at, and is @bytes long. */
#define AT(type, member, at, bytes)					\
	_Static_assert(offsetof(struct type, member) == (at) &&		\
		       sizeof(((struct type *)0)->member) == (bytes),	\
		       #type "." #member)

SIZE(dtls_key_info, 376);
AT(dtls_key_info, id, 0, 8);
AT(dtls_key_info, version, 8, 2);
AT(dtls_key_info, cipher, 10, 2);
AT(dtls_key_info, cid_len, 12, 2);
AT(dtls_key_info, max_plaintext, 14, 2);
AT(dtls_key_info, epoch, 16, 8);
AT(dtls_key_info, rec_seq, 24, 8);
AT(dtls_key_info, limit, 32, 8);
AT(dtls_key_info, key, 40, 32);
AT(dtls_key_info, sn_key, 72, 32);
AT(dtls_key_info, iv, 104, 12);
AT(dtls_key_info, pad, 116, 4);
AT(dtls_key_info, cid, 120, 256);

SIZE(dtls_record_number, 16);
AT(dtls_record_number, epoch, 0, 8);
AT(dtls_record_number, seq, 8, 8);

SIZE(dtls_record_info, 40);
AT(dtls_record_info, id, 0, 8);
AT(dtls_record_info, epoch, 8, 8);
AT(dtls_record_info, seq, 16, 8);
AT(dtls_record_info, type, 24, 1);
AT(dtls_record_info, flags, 25, 1);
AT(dtls_record_info, event, 26, 2);
AT(dtls_record_info, reserved, 28, 4);
AT(dtls_record_info, number_ptr, 32, 8);

SIZE(dtls_info, 96);
AT(dtls_info, id, 0, 8);
AT(dtls_info, version, 8, 2);
AT(dtls_info, tx_cipher, 10, 2);
AT(dtls_info, rx_cipher, 12, 2);
AT(dtls_info, flags, 14, 2);
AT(dtls_info, tx_epoch, 16, 8);
AT(dtls_info, tx_seq, 24, 8);
AT(dtls_info, tx_limit, 32, 8);
AT(dtls_info, rx_epoch, 40, 8);
AT(dtls_info, rx_seq, 48, 8);
AT(dtls_info, rx_forged, 56, 8);
AT(dtls_info, rx_limit, 64, 8);
AT(dtls_info, replay_window, 72, 4);
AT(dtls_info, mtu, 76, 4);
AT(dtls_info, control_queued, 80, 4);
AT(dtls_info, early_queued, 84, 4);
AT(dtls_info, heard, 88, 8);

SIZE(dtls_assoc_table, 16);
AT(dtls_assoc_table, max, 0, 4);
AT(dtls_assoc_table, cid_len, 4, 2);
AT(dtls_assoc_table, reserved, 6, 2);
AT(dtls_assoc_table, count, 8, 4);
AT(dtls_assoc_table, reserved2, 12, 4);

SIZE(dtls_addr, 24);
AT(dtls_addr, family, 0, 2);
AT(dtls_addr, port, 2, 2);
AT(dtls_addr, scope_id, 4, 4);
AT(dtls_addr, addr, 8, 16);

SIZE(dtls_assoc_peer, 64);
AT(dtls_assoc_peer, id, 0, 8);
AT(dtls_assoc_peer, flags, 8, 4);
AT(dtls_assoc_peer, reserved, 12, 4);
AT(dtls_assoc_peer, peer, 16, 24);
AT(dtls_assoc_peer, local, 40, 24);

SIZE(dtls_assoc_peel, 16);
AT(dtls_assoc_peel, id, 0, 8);
AT(dtls_assoc_peel, fd, 8, 4);
AT(dtls_assoc_peel, reserved, 12, 4);

SIZE(dtls_counters, 112);
AT(dtls_counters, id, 0, 8);
AT(dtls_counters, tx_records, 8, 8);
AT(dtls_counters, tx_bytes, 16, 8);
AT(dtls_counters, rx_records, 24, 8);
AT(dtls_counters, rx_bytes, 32, 8);
AT(dtls_counters, rx_replays, 40, 8);
AT(dtls_counters, rx_auth_failed, 48, 8);
AT(dtls_counters, rx_no_key, 56, 8);
AT(dtls_counters, rx_malformed, 64, 8);
AT(dtls_counters, rx_oversize, 72, 8);
AT(dtls_counters, rx_empty, 80, 8);
AT(dtls_counters, rx_control, 88, 8);
AT(dtls_counters, rx_no_budget, 96, 8);
AT(dtls_counters, rx_expired, 104, 8);

SIZE(dtls_window, 536);
AT(dtls_window, id, 0, 8);
AT(dtls_window, epoch, 8, 8);
AT(dtls_window, next, 16, 8);
AT(dtls_window, seen, 24, 512);

SIZE(dtls_replay_window, 16);
AT(dtls_replay_window, id, 0, 8);
AT(dtls_replay_window, records, 8, 4);
AT(dtls_replay_window, reserved, 12, 4);

SIZE(dtls_cid, 528);
AT(dtls_cid, id, 0, 8);
AT(dtls_cid, tx_len, 8, 2);
AT(dtls_cid, rx_len, 10, 2);
AT(dtls_cid, reserved, 12, 4);
AT(dtls_cid, tx, 16, 256);
AT(dtls_cid, rx, 272, 256);

SIZE(dtls_feed, 16);
AT(dtls_feed, id, 0, 8);
AT(dtls_feed, reserved, 8, 8);
_Static_assert(offsetof(struct dtls_feed, datagram) == 16, "dtls_feed");

/* Ciphers that TLS in the kernel has bear its numbers, and no other does. */
_Static_assert(DTLS_CIPHER_AES_GCM_128 == TLS_CIPHER_AES_GCM_128 &&
	       DTLS_CIPHER_AES_GCM_256 == TLS_CIPHER_AES_GCM_256 &&
	       DTLS_CIPHER_AES_CCM_128 == TLS_CIPHER_AES_CCM_128 &&
	       DTLS_CIPHER_CHACHA20_POLY1305 == TLS_CIPHER_CHACHA20_POLY1305,
	       "ciphers that linux/tls.h has");
_Static_assert(DTLS_CIPHER_AES_CCM_256 == 257 &&
	       DTLS_CIPHER_AES_CCM_8_128 == 258 &&
	       DTLS_CIPHER_AES_CCM_8_256 == 259,
	       "ciphers that linux/tls.h has not");

_Static_assert(DTLS_ULP == 17484 && SOL_DTLS == 290, "levels");
_Static_assert(DTLS_TX == 1 && DTLS_RX == 2 && DTLS_INFO == 3 &&
	       DTLS_COUNTERS == 4 && DTLS_WINDOW == 5 &&
	       DTLS_REPLAY_WINDOW == 6 && DTLS_CID == 7 && DTLS_FEED == 8 &&
	       DTLS_ASSOC_TABLE == 16 && DTLS_ASSOC_ADD == 17 &&
	       DTLS_ASSOC_DEL == 18 && DTLS_ASSOC_MOVE == 19 &&
	       DTLS_ASSOC_NEXT == 20 && DTLS_ASSOC_PEEL == 21 &&
	       DTLS_POLL_CONTROL == 32 && DTLS_PASS == 33, "options");

/*
 * Both ends are attached, and say with DTLS 1.3's connection IDs what they have
 * to say: every structure has something to tell.
 */
FIXTURE(abi)
{
	int a;
	int b;
};

#define EPOCH	3
#define CT_DATA	23
#define CT_HANDSHAKE 22

static int udp(void)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -1;
	return fd;
}

static int connect_to(int fd, int to)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);

	if (getsockname(to, (struct sockaddr *)&addr, &len))
		return -1;
	return connect(fd, (struct sockaddr *)&addr, len);
}

/* A key of direction @who, which has a connection ID of four such bytes */
static void make_key(struct dtls_key_info *key, int who)
{
	memset(key, 0, sizeof(*key));
	key->version = DTLS_VERSION_1_3;
	key->cipher = DTLS_CIPHER_AES_GCM_128;
	key->epoch = EPOCH;
	memset(key->key, 0x10 + who, 16);
	memset(key->iv, 0x20 + who, DTLS_IV_SIZE);
	memset(key->sn_key, 0x30 + who, 16);
	key->cid_len = 4;
	memset(key->cid, 0x40 + who, 4);
}

static int attach(int fd, int who)
{
	struct dtls_key_info tx, rx;

	make_key(&tx, who);
	make_key(&rx, !who);
	if (setsockopt(fd, SOL_IP, DTLS_ULP, "dtls", 4) ||
	    setsockopt(fd, SOL_DTLS, DTLS_TX, &tx, sizeof(tx)))
		return -1;
	return setsockopt(fd, SOL_DTLS, DTLS_RX, &rx, sizeof(rx));
}

FIXTURE_SETUP(abi)
{
	self->a = udp();
	self->b = udp();
	ASSERT_LE(0, self->a);
	ASSERT_LE(0, self->b);
	ASSERT_EQ(0, connect_to(self->a, self->b));
	ASSERT_EQ(0, connect_to(self->b, self->a));
	ASSERT_EQ(0, attach(self->a, 0));
	ASSERT_EQ(0, attach(self->b, 1));
}

FIXTURE_TEARDOWN(abi)
{
	close(self->a);
	close(self->b);
}

/* Loopback may deliver a moment later. */
static ssize_t take(int fd, struct msghdr *msg, int flags)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLPRI };
	int on = 1;

	setsockopt(fd, SOL_DTLS, DTLS_POLL_CONTROL, &on, sizeof(on));
	if (poll(&p, 1, 20000) != 1)
		return -1;
	return recvmsg(fd, msg, flags | MSG_DONTWAIT);
}

union room {
	char space[CMSG_SPACE(sizeof(struct dtls_record_info))];
	struct cmsghdr align;
};

/* A message with @info, or with room for one that comes if that is NULL */
static void record_msg(struct msghdr *msg, union room *room, struct iovec *iov,
		       const struct dtls_record_info *info)
{
	struct cmsghdr *cmsg;

	memset(room, 0, sizeof(*room));
	*msg = (struct msghdr){
		.msg_iov = iov, .msg_iovlen = 1, .msg_control = room->space,
		.msg_controllen = sizeof(room->space),
	};
	if (!info)
		return;
	cmsg = CMSG_FIRSTHDR(msg);
	cmsg->cmsg_level = SOL_DTLS;
	cmsg->cmsg_type = DTLS_RECORD_INFO;
	cmsg->cmsg_len = CMSG_LEN(sizeof(*info));
	memcpy(CMSG_DATA(cmsg), info, sizeof(*info));
}

TEST_F(abi, records_go_both_ways)
{
	char buf[16];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	ASSERT_EQ(4, send(self->a, "ping", 4, 0));
	ASSERT_EQ(4, take(self->b, &msg, 0));
	EXPECT_EQ(0, memcmp(buf, "ping", 4));
	ASSERT_EQ(5, send(self->b, "pong!", 5, 0));
	ASSERT_EQ(5, take(self->a, &msg, 0));
	EXPECT_EQ(0, memcmp(buf, "pong!", 5));
}

TEST_F(abi, control_record_tells_its_number)
{
	struct dtls_record_number number = { 77, 77 };
	struct dtls_record_info info = {
		.type = CT_HANDSHAKE, .number_ptr = (uintptr_t)&number,
	};
	char buf[16] = "hello";
	struct iovec iov = { buf, 5 };
	struct cmsghdr *cmsg;
	struct msghdr msg;
	union room room;

	ASSERT_EQ(1, send(self->a, "x", 1, 0));
	record_msg(&msg, &room, &iov, &info);
	ASSERT_EQ(5, sendmsg(self->a, &msg, 0));
	EXPECT_EQ(EPOCH, number.epoch);
	EXPECT_EQ(1, number.seq);

	memset(buf, 0, sizeof(buf));
	iov.iov_len = sizeof(buf);
	record_msg(&msg, &room, &iov, NULL);
	ASSERT_EQ(1, take(self->b, &msg, 0));
	record_msg(&msg, &room, &iov, NULL);
	ASSERT_EQ(5, take(self->b, &msg, MSG_OOB));
	EXPECT_EQ(0, memcmp(buf, "hello", 5));
	cmsg = CMSG_FIRSTHDR(&msg);
	ASSERT_NE(NULL, cmsg);
	EXPECT_EQ(CMSG_LEN(sizeof(info)), cmsg->cmsg_len);
	memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
	EXPECT_EQ(0, info.id);
	EXPECT_EQ(EPOCH, info.epoch);
	EXPECT_EQ(1, info.seq);
	EXPECT_EQ(CT_HANDSHAKE, info.type);
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(0, info.number_ptr);

	info = (struct dtls_record_info){
		.type = CT_HANDSHAKE, .number_ptr = 8,
	};
	record_msg(&msg, &room, &iov, &info);
	ASSERT_EQ(-1, sendmsg(self->a, &msg, 0));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(abi, every_structure_tells_what_it_should)
{
	struct dtls_replay_window size = { .records = 256 };
	struct dtls_window window = { .epoch = EPOCH };
	struct dtls_counters counters = { 0 };
	struct dtls_info info = { 0 };
	struct dtls_cid cid = { 0 };
	socklen_t len;
	char buf[16];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	ASSERT_EQ(0, setsockopt(self->b, SOL_DTLS, DTLS_REPLAY_WINDOW, &size,
				sizeof(size)));
	ASSERT_EQ(4, send(self->a, "ping", 4, 0));
	ASSERT_EQ(4, take(self->b, &msg, 0));

	len = sizeof(info);
	ASSERT_EQ(0, getsockopt(self->b, SOL_DTLS, DTLS_INFO, &info, &len));
	EXPECT_EQ(sizeof(info), len);
	EXPECT_EQ(DTLS_VERSION_1_3, info.version);
	EXPECT_EQ(DTLS_CIPHER_AES_GCM_128, info.tx_cipher);
	EXPECT_EQ(DTLS_CIPHER_AES_GCM_128, info.rx_cipher);
	EXPECT_EQ(EPOCH, info.tx_epoch);
	EXPECT_EQ(0, info.tx_seq);
	EXPECT_EQ(23726566, info.tx_limit);
	EXPECT_EQ(EPOCH, info.rx_epoch);
	EXPECT_EQ(1, info.rx_seq);
	EXPECT_EQ(0, info.rx_forged);
	EXPECT_EQ(1ULL << 36, info.rx_limit);
	EXPECT_EQ(256, info.replay_window);
	EXPECT_LT(1000, info.mtu);

	len = sizeof(counters);
	ASSERT_EQ(0, getsockopt(self->b, SOL_DTLS, DTLS_COUNTERS, &counters,
				&len));
	EXPECT_EQ(sizeof(counters), len);
	EXPECT_EQ(0, counters.tx_records);
	EXPECT_EQ(1, counters.rx_records);
	EXPECT_EQ(4, counters.rx_bytes);

	len = sizeof(window);
	ASSERT_EQ(0, getsockopt(self->b, SOL_DTLS, DTLS_WINDOW, &window, &len));
	EXPECT_EQ(sizeof(window), len);
	EXPECT_EQ(1, window.next);
	EXPECT_EQ(1, window.seen[0] & 1);
	window.next = 100;
	ASSERT_EQ(0, setsockopt(self->b, SOL_DTLS, DTLS_WINDOW, &window, len));

	len = sizeof(cid);
	ASSERT_EQ(0, getsockopt(self->b, SOL_DTLS, DTLS_CID, &cid, &len));
	EXPECT_EQ(sizeof(cid), len);
	EXPECT_EQ(4, cid.tx_len);
	EXPECT_EQ(4, cid.rx_len);
	EXPECT_EQ(0x41, cid.tx[0]);
	EXPECT_EQ(0x40, cid.rx[0]);
	ASSERT_EQ(0, setsockopt(self->b, SOL_DTLS, DTLS_CID, &cid, len));
}

TEST_F(abi, datagram_is_fed)
{
	struct {
		struct dtls_feed head;
		__u8 datagram[2048];
	} feed = { 0 };
	char buf[16];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int sender = udp(), plain = udp();
	ssize_t n;

	/* A record of a's that somebody else gets first */
	ASSERT_LE(0, sender);
	ASSERT_LE(0, plain);
	ASSERT_EQ(0, connect_to(sender, plain));
	ASSERT_EQ(0, attach(sender, 0));
	ASSERT_EQ(4, send(sender, "lost", 4, 0));
	n = recv(plain, feed.datagram, sizeof(feed.datagram), 0);
	ASSERT_LT(4, n);
	ASSERT_EQ(0, setsockopt(self->b, SOL_DTLS, DTLS_FEED, &feed,
				sizeof(feed.head) + n));
	ASSERT_EQ(4, take(self->b, &msg, 0));
	EXPECT_EQ(0, memcmp(buf, "lost", 4));
	feed.head.reserved = 1;
	EXPECT_EQ(-1, setsockopt(self->b, SOL_DTLS, DTLS_FEED, &feed,
				 sizeof(feed.head) + n));
	EXPECT_EQ(EINVAL, errno);
	close(sender);
	close(plain);
}

/* An option of an association: its structure, and where that may end */
struct option {
	int name;
	size_t size;
	size_t set_min;		/* 0: it cannot be set */
	size_t get_min;		/* 0: it cannot be got */
};

#define END(type, member)						\
	(offsetof(struct type, member) + sizeof(((struct type *)0)->member))

static const struct option options[] = {
	{ DTLS_TX, sizeof(struct dtls_key_info), END(dtls_key_info, pad), 0 },
	{ DTLS_RX, sizeof(struct dtls_key_info), END(dtls_key_info, pad), 0 },
	{ DTLS_INFO, sizeof(struct dtls_info), 0, END(dtls_info, id) },
	{ DTLS_COUNTERS, sizeof(struct dtls_counters), 0,
	  END(dtls_counters, id) },
	{ DTLS_WINDOW, sizeof(struct dtls_window), END(dtls_window, next),
	  END(dtls_window, epoch) },
	{ DTLS_REPLAY_WINDOW, sizeof(struct dtls_replay_window),
	  END(dtls_replay_window, records), 0 },
	{ DTLS_CID, sizeof(struct dtls_cid), END(dtls_cid, reserved),
	  END(dtls_cid, id) },
};

#define N_OPTIONS	(sizeof(options) / sizeof(options[0]))
#define GROWN		1000

/* What is right for the option, each time anew */
static void fill_in(const struct option *o, void *value)
{
	static __u64 epoch = EPOCH, next = 1;

	memset(value, 0, o->size + GROWN);
	switch (o->name) {
	case DTLS_TX:
	case DTLS_RX:
		make_key(value, 0);
		((struct dtls_key_info *)value)->epoch = ++epoch;
		break;
	case DTLS_WINDOW:
		((struct dtls_window *)value)->epoch = EPOCH;
		((struct dtls_window *)value)->next = ++next;
		break;
	case DTLS_REPLAY_WINDOW:
		((struct dtls_replay_window *)value)->records = 128;
		break;
	}
}

TEST_F(abi, set_takes_what_is_shorter_or_longer_with_zeros)
{
	__u64 value[(sizeof(struct dtls_window) + GROWN) / 8 + 1];
	const struct option *o;
	size_t i, len;

	for (i = 0; i < N_OPTIONS; i++) {
		o = &options[i];
		for (len = 0; len < o->set_min; len++) {
			fill_in(o, value);
			ASSERT_EQ(-1, setsockopt(self->a, SOL_DTLS, o->name,
						 value, len));
			ASSERT_EQ(EINVAL, errno)
				TH_LOG("option %d, %zu bytes", o->name, len);
		}
		for (; o->set_min && len <= o->size + GROWN; len += 12) {
			if (o->name == DTLS_WINDOW)
				break;	/* the epoch's window is of one key */
			fill_in(o, value);
			ASSERT_EQ(0, setsockopt(self->a, SOL_DTLS, o->name,
						value, len))
				TH_LOG("option %d, %zu bytes: %s", o->name, len,
				       strerror(errno));
		}
		for (len = o->size; o->set_min && len < o->size + GROWN;
		     len += 37) {
			fill_in(o, value);
			((char *)value)[len] = 1;
			ASSERT_EQ(-1, setsockopt(self->a, SOL_DTLS, o->name,
						 value, o->size + GROWN));
			ASSERT_EQ(E2BIG, errno);
		}
	}
}

TEST_F(abi, window_may_end_anywhere_behind_its_number)
{
	struct dtls_window window = { .epoch = EPOCH };
	size_t len;

	for (len = END(dtls_window, next); len <= sizeof(window); len++) {
		window.next++;
		ASSERT_EQ(0, setsockopt(self->a, SOL_DTLS, DTLS_WINDOW, &window,
					len));
	}
}

/* What no page holds, no kernel will know; nor is it read to see. */
TEST_F(abi, set_takes_no_more_than_a_page)
{
	size_t size = 1 << 20, i;
	void *zeros = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, zeros);
	for (i = 0; i < N_OPTIONS; i++) {
		if (!options[i].set_min)
			continue;
		fill_in(&options[i], zeros);
		ASSERT_EQ(-1, setsockopt(self->a, SOL_DTLS, options[i].name,
					 zeros, size));
		EXPECT_EQ(E2BIG, errno);
	}
	munmap(zeros, size);
}

TEST_F(abi, get_writes_what_there_is_room_for)
{
	__u64 value[(sizeof(struct dtls_window) + GROWN) / 8 + 1];
	const struct option *o;
	socklen_t len;
	size_t i, room;

	for (i = 0; i < N_OPTIONS; i++) {
		o = &options[i];
		for (room = 0; o->get_min && room <= o->size + 64; room++) {
			memset(value, 0xa5, sizeof(value));
			memset(value, 0, o->get_min);
			if (o->name == DTLS_WINDOW)
				value[1] = EPOCH;
			len = room;
			if (room < o->get_min) {
				ASSERT_EQ(-1, getsockopt(self->a, SOL_DTLS,
							 o->name, value, &len));
				ASSERT_EQ(EINVAL, errno);
				continue;
			}
			ASSERT_EQ(0, getsockopt(self->a, SOL_DTLS, o->name,
						value, &len))
				TH_LOG("option %d, %zu bytes", o->name, room);
			ASSERT_EQ(room < o->size ? room : o->size, len);
			ASSERT_EQ(0xa5, ((__u8 *)value)[len]);
		}
	}
}

/* A connected socket has one association, and its number is 0. */
TEST_F(abi, other_associations_are_not_there)
{
	static const __u64 ids[] = { 1, 1ULL << 32, ~0ULL };
	__u64 value[(sizeof(struct dtls_window) + GROWN) / 8 + 1];
	const struct option *o;
	socklen_t len;
	size_t i, j;

	for (i = 0; i < N_OPTIONS; i++) {
		o = &options[i];
		for (j = 0; j < sizeof(ids) / sizeof(ids[0]); j++) {
			fill_in(o, value);
			value[0] = ids[j];
			if (o->set_min) {
				ASSERT_EQ(-1, setsockopt(self->a, SOL_DTLS,
							 o->name, value,
							 o->size));
				ASSERT_EQ(ENOENT, errno);
			}
			if (o->get_min) {
				len = o->size;
				ASSERT_EQ(-1, getsockopt(self->a, SOL_DTLS,
							 o->name, value, &len));
				ASSERT_EQ(ENOENT, errno);
			}
		}
	}
}

/* ---- the options of a table ---- */

/*
 * struct table_option describes an option that takes @min to @size bytes, and fails with
 * @error, or not at all if that is 0, when it takes what fill_table() makes.
 */
static const struct table_option {
	int name;
	size_t size;
	size_t min;
	int error;
} table_options[] = {
	{ DTLS_ASSOC_TABLE, sizeof(struct dtls_assoc_table),
	  END(dtls_assoc_table, reserved), 0 },
	{ DTLS_ASSOC_ADD, sizeof(struct dtls_assoc_peer),
	  END(dtls_assoc_peer, peer), 0 },
	{ DTLS_ASSOC_MOVE, sizeof(struct dtls_assoc_peer),
	  END(dtls_assoc_peer, peer), ENOENT },
	{ DTLS_ASSOC_PEEL, sizeof(struct dtls_assoc_peel),
	  END(dtls_assoc_peel, fd), EBADF },
};

#define N_TABLE_OPTIONS	(sizeof(table_options) / sizeof(table_options[0]))

static void fill_table(const struct table_option *o, void *value)
{
	static __u64 last;
	struct dtls_assoc_peer *peer = value;

	memset(value, 0, o->size + GROWN);
	if (o->name == DTLS_ASSOC_TABLE)
		return;
	peer->id = ++last;
	if (o->name == DTLS_ASSOC_PEEL) {
		((struct dtls_assoc_peel *)value)->fd = -1;
		return;
	}
	peer->peer.family = AF_INET;
	peer->peer.port = last;
	peer->peer.addr[0] = 127;
}

/* Set @o to the @len bytes at @value. Return 0 or an errno. */
static int set_table(int fd, const struct table_option *o, const void *value,
		     size_t len)
{
	return setsockopt(fd, SOL_DTLS, o->name, value, len) ? errno : 0;
}

TEST(options_of_a_table_take_what_is_shorter_or_longer_with_zeros)
{
	__u64 value[(sizeof(struct dtls_assoc_peer) + GROWN) / 8 + 1];
	size_t size = 1 << 20, len, i;
	void *zeros = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct table_option *o;
	int fd = udp();

	ASSERT_NE(MAP_FAILED, zeros);
	ASSERT_EQ(0, setsockopt(fd, SOL_IP, DTLS_ULP, "dtls", 4));
	for (i = 0; i < N_TABLE_OPTIONS; i++) {
		o = &table_options[i];
		for (len = 0; len <= o->size + GROWN; len += 4) {
			fill_table(o, value);
			ASSERT_EQ(len < o->min ? EINVAL : o->error,
				  set_table(fd, o, value, len))
				TH_LOG("option %d, %zu bytes", o->name, len);
		}
		for (len = o->size; len < o->size + GROWN; len += 37) {
			fill_table(o, value);
			((char *)value)[len] = 1;
			ASSERT_EQ(E2BIG, set_table(fd, o, value,
						   o->size + GROWN));
		}
		/* What no page holds is not read. */
		fill_table(o, zeros);
		ASSERT_EQ(E2BIG, set_table(fd, o, zeros, size));
	}
	munmap(zeros, size);
	close(fd);
}

TEST_HARNESS_MAIN
