// SPDX-License-Identifier: GPL-2.0
/*
 * Options: what each one takes, what it refuses and how, and that what was
 * refused changed nothing.
 */
#include "harness.h"

#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "common.h"
#include "traffic.h"

#ifndef UDP_CORK
#define UDP_CORK	1
#endif

static const int dirs[] = { DTLS_TX, DTLS_RX };

#define for_each_dir(dir)						\
	for (size_t _i = 0; _i < 2 && ((dir) = dirs[_i], true); _i++)

/* Bytes of IV the cipher takes (RFC 5288, RFC 6655; RFC 7905; RFC 9147) */
static size_t iv_len(__u16 cipher)
{
	return cipher == DTLS_CIPHER_CHACHA20_POLY1305 || IS_V13(cipher) ? 12 :
									   4;
}

FIXTURE(sockopt) {
	struct link l;		/* both keys of the first epoch in use */
	struct dtls_key_info next[DTLS_RX + 1];	/* good ones of the second */
};

FIXTURE_VARIANT(sockopt) {
	int family;
	__u16 cipher;
	unsigned int cid_len;
};

#define SOCKOPT(name, f, c, n)						\
	FIXTURE_VARIANT_ADD(sockopt, name) {				\
		.family = f, .cipher = c, .cid_len = n,			\
	}

SOCKOPT(v4_gcm_128, AF_INET, DTLS_CIPHER_AES_GCM_128, 0);
SOCKOPT(v6_gcm_256, AF_INET6, DTLS_CIPHER_AES_GCM_256, 0);
SOCKOPT(v4_ccm_256, AF_INET, DTLS_CIPHER_AES_CCM_256, 0);
SOCKOPT(v6_ccm_8_128, AF_INET6, DTLS_CIPHER_AES_CCM_8_128, 0);
SOCKOPT(v4_chacha, AF_INET, DTLS_CIPHER_CHACHA20_POLY1305, 0);
SOCKOPT(v6_gcm_128_cid, AF_INET6, DTLS_CIPHER_AES_GCM_128, 8);
SOCKOPT(v13_v4_gcm_256, AF_INET, V13(DTLS_CIPHER_AES_GCM_256), 0);
SOCKOPT(v13_v6_ccm_8_cid, AF_INET6, V13(DTLS_CIPHER_AES_CCM_8_128), 8);
SOCKOPT(v13_v4_chacha_cid, AF_INET, V13(DTLS_CIPHER_CHACHA20_POLY1305), 1);

FIXTURE_SETUP(sockopt)
{
	struct peer_key tx, rx;

	ASSERT_EQ(0, link_raw(&self->l, variant->family, variant->cipher,
			      variant->cid_len));
	ASSERT_TRUE(link_raw_works(&self->l));
	peer_key_init(&tx, variant->cipher, self->l.ab.epoch + 1,
		      self->l.ab.cid_len, 1);
	peer_key_init(&rx, variant->cipher, self->l.ba.epoch + 1,
		      self->l.ba.cid_len, 2);
	key_info(&tx, &self->next[DTLS_TX]);
	key_info(&rx, &self->next[DTLS_RX]);
}

FIXTURE_TEARDOWN(sockopt)
{
	link_close(&self->l);
}

/* Bytes of a key's structure without which there is no key */
#define KEY_INFO_MIN	offsetof(struct dtls_key_info, cid)

/* setsockopt() fails with @want and DTLS_INFO says the same as before. */
static bool set_fails(int fd, int opt, const void *val, socklen_t len, int want)
{
	struct dtls_info before, after;
	int ret, err;

	if (dtls_get_info(fd, &before))
		return false;
	ret = setsockopt(fd, SOL_DTLS, opt, val, len);
	err = errno;
	if (ret != -1 || err != want) {
		printf("# option %d, length %u: %s, wanted %s\n", opt, len,
		       ret ? strerror(err) : "accepted", strerror(want));
		return false;
	}
	if (dtls_get_info(fd, &after))
		return false;
	return !memcmp(&before, &after, sizeof(before));
}

TEST_F(sockopt, key_too_short)
{
	socklen_t len;
	int dir;

	for_each_dir(dir)
		for (len = 0; len < KEY_INFO_MIN; len++)
			ASSERT_TRUE(set_fails(self->l.a, dir, &self->next[dir],
					      len, EINVAL));
	EXPECT_TRUE(set_fails(self->l.a, DTLS_TX, &self->next[DTLS_TX], -1,
			      EINVAL));
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(sockopt, key_longer_with_zero_tail)
{
	static const size_t more[] = { 1, 8, 100, 1000 };
	struct peer_key tx = self->l.ab, rx = self->l.ba;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(more); i++) {
		char buf[sizeof(struct dtls_key_info) + 1000] = {};

		tx.epoch++;
		rx.epoch++;
		key_info(&tx, (struct dtls_key_info *)buf);
		ASSERT_EQ(0, setsockopt(self->l.a, SOL_DTLS, DTLS_TX, buf,
					sizeof(struct dtls_key_info) + more[i]));
		key_info(&rx, (struct dtls_key_info *)buf);
		ASSERT_EQ(0, setsockopt(self->l.a, SOL_DTLS, DTLS_RX, buf,
					sizeof(struct dtls_key_info) + more[i]));
		self->l.ab = tx;
		self->l.ba = rx;
		self->l.b_seq = 0;
		EXPECT_TRUE(link_raw_works(&self->l));
	}
}

TEST_F(sockopt, key_longer_with_something_in_the_tail)
{
	char buf[sizeof(struct dtls_key_info) + 100] = {};
	size_t at;
	int dir;

	for_each_dir(dir) {
		memcpy(buf, &self->next[dir], sizeof(struct dtls_key_info));
		for (at = sizeof(struct dtls_key_info); at < sizeof(buf); at++) {
			buf[at] = 1;
			ASSERT_TRUE(set_fails(self->l.a, dir, buf, sizeof(buf),
					      E2BIG));
			ASSERT_TRUE(set_fails(self->l.a, dir, buf, at + 1,
					      E2BIG));
			buf[at] = 0;
		}
	}
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(sockopt, key_bad_pointer)
{
	long page = sysconf(_SC_PAGESIZE);
	char *map;
	int dir;

	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, munmap(map + page, page));
	for_each_dir(dir) {
		EXPECT_TRUE(set_fails(self->l.a, dir, NULL,
				      sizeof(struct dtls_key_info), EFAULT));
		EXPECT_TRUE(set_fails(self->l.a, dir, (void *)8,
				      sizeof(struct dtls_key_info), EFAULT));
		/* The last byte is missing. */
		memcpy(map + page - sizeof(struct dtls_key_info) + 1,
		       &self->next[dir],
		       sizeof(struct dtls_key_info) - 1);
		EXPECT_TRUE(set_fails(self->l.a, dir,
				      map + page - sizeof(struct dtls_key_info) + 1,
				      sizeof(struct dtls_key_info), EFAULT));
	}
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(sockopt, key_version)
{
	static const __u16 versions[] = {
		0, 1, 0x0303, 0x0304, 0xfeff, 0xfefe, 0xfefb, 0xffff,
	};
	struct dtls_key_info ki;
	int a, b, dir;
	size_t i;

	ASSERT_EQ(0, udp_pair(variant->family, &a, &b));
	ASSERT_EQ(0, dtls_attach(a));
	for_each_dir(dir) {
		ki = self->next[dir];
		for (i = 0; i < ARRAY_SIZE(versions); i++) {
			ki.version = versions[i];
			EXPECT_TRUE(set_fails(a, dir, &ki, sizeof(ki),
					      EOPNOTSUPP));
		}
	}
	close(a);
	close(b);
}

/* One association speaks one version. */
TEST_F(sockopt, key_of_another_version)
{
	__u16 other = IS_V13(variant->cipher) ? DTLS_CIPHER_AES_GCM_128 :
						V13(DTLS_CIPHER_AES_GCM_128);
	struct dtls_key_info ki;
	struct peer_key k;
	int dir;

	for_each_dir(dir) {
		peer_key_init(&k, other, self->next[dir].epoch,
			      self->next[dir].cid_len, 1);
		key_info(&k, &ki);
		EXPECT_TRUE(set_fails(self->l.a, dir, &ki, sizeof(ki), EINVAL));
	}
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(sockopt, key_cipher)
{
	/* 55 to 58: SM4 and ARIA in linux/tls.h */
	static const __u16 ciphers[] = { 0, 1, 50, 55, 56, 57, 58, 59, 60, 256,
					 260, 65535 };
	/* Those that RFC 8446 B.4 has no suite for */
	static const __u16 not_13[] = {
		DTLS_CIPHER_AES_CCM_256, DTLS_CIPHER_AES_CCM_8_256,
	};
	struct dtls_key_info ki;
	size_t i;
	int dir;

	for_each_dir(dir) {
		ki = self->next[dir];
		for (i = 0; i < ARRAY_SIZE(ciphers); i++) {
			ki.cipher = ciphers[i];
			EXPECT_TRUE(set_fails(self->l.a, dir, &ki, sizeof(ki),
					      ENOENT));
		}
		for (i = 0; IS_V13(variant->cipher) && i < 2; i++) {
			ki.cipher = not_13[i];
			EXPECT_TRUE(set_fails(self->l.a, dir, &ki, sizeof(ki),
					      ENOENT));
		}
	}
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(sockopt, key_epoch)
{
	static const __u64 epochs[] = {
		0, 65536, 65537, 1ULL << 32, (1ULL << 32) + 2, ~0ULL,
	};
	/* RFC 9147 8 */
	static const __u64 epochs_13[] = {
		0, 1ULL << 48, (1ULL << 48) + 4, ~0ULL,
	};
	bool v13 = IS_V13(variant->cipher);
	struct dtls_key_info ki;
	size_t i;
	int dir;

	for_each_dir(dir) {
		ki = self->next[dir];
		for (i = 0; i < (v13 ? ARRAY_SIZE(epochs_13) :
				       ARRAY_SIZE(epochs)); i++) {
			ki.epoch = v13 ? epochs_13[i] : epochs[i];
			EXPECT_TRUE(set_fails(self->l.a, dir, &ki, sizeof(ki),
					      EINVAL));
		}
	}
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(sockopt, key_epoch_not_newer)
{
	struct dtls_key_info ki;
	__u64 epoch;
	int dir;

	for_each_dir(dir) {
		struct peer_key *k = dir == DTLS_TX ? &self->l.ab : &self->l.ba;
		struct dtls_key_info same;

		key_info(k, &same);
		EXPECT_TRUE(set_fails(self->l.a, dir, &same, sizeof(same),
				      EEXIST));
		same.rec_seq = 1000;
		EXPECT_TRUE(set_fails(self->l.a, dir, &same, sizeof(same),
				      EEXIST));

		ki = self->next[dir];
		ki.epoch = 10;
		ASSERT_EQ(0, setsockopt(self->l.a, SOL_DTLS, dir, &ki,
					sizeof(ki)));
		for (epoch = 1; epoch <= 10; epoch++) {
			ki.epoch = epoch;
			EXPECT_TRUE(set_fails(self->l.a, dir, &ki, sizeof(ki),
					      EEXIST));
		}
	}
}

TEST_F(sockopt, key_last_epoch)
{
	__u64 last = IS_V13(variant->cipher) ? (1ULL << 48) - 1 : 65535;
	struct peer_key tx = self->l.ab, rx = self->l.ba;
	struct dtls_key_info ki;
	int dir;

	tx.epoch = last;
	rx.epoch = last;
	ASSERT_EQ(0, dtls_set_key(self->l.a, DTLS_TX, &tx));
	ASSERT_EQ(0, dtls_set_key(self->l.a, DTLS_RX, &rx));
	self->l.ab = tx;
	self->l.ba = rx;
	self->l.b_seq = 0;
	EXPECT_TRUE(link_raw_works(&self->l));
	for_each_dir(dir) {
		ki = self->next[dir];
		ki.epoch = last;
		EXPECT_TRUE(set_fails(self->l.a, dir, &ki, sizeof(ki), EEXIST));
	}
}

TEST_F(sockopt, key_sequence_number)
{
	static const __u64 seqs[] = {
		DTLS_SEQ_MAX + 1, DTLS_SEQ_MAX + 2, 1ULL << 63, ~0ULL,
	};
	struct dtls_key_info ki;
	size_t i;
	int dir;

	for_each_dir(dir) {
		ki = self->next[dir];
		for (i = 0; i < ARRAY_SIZE(seqs); i++) {
			ki.rec_seq = seqs[i];
			EXPECT_TRUE(set_fails(self->l.a, dir, &ki, sizeof(ki),
					      EINVAL));
		}
	}
	EXPECT_TRUE(link_raw_works(&self->l));
	for_each_dir(dir) {
		ki = self->next[dir];
		ki.rec_seq = DTLS_SEQ_MAX;
		EXPECT_EQ(0, setsockopt(self->l.a, SOL_DTLS, dir, &ki,
					sizeof(ki)));
	}
}

TEST_F(sockopt, key_bytes_that_must_be_zero)
{
	struct dtls_key_info *ki;
	struct range { size_t from, to; } ranges[] = {
		{ offsetof(struct dtls_key_info, key) +
		  cipher_key_len(variant->cipher),
		  offsetof(struct dtls_key_info, sn_key) },
		{ offsetof(struct dtls_key_info, iv) + iv_len(variant->cipher),
		  offsetof(struct dtls_key_info, pad) },
		{ offsetof(struct dtls_key_info, pad),
		  offsetof(struct dtls_key_info, cid) },
		{ offsetof(struct dtls_key_info, sn_key) +
		  (IS_V13(variant->cipher) ? cipher_key_len(variant->cipher) :
					     0),
		  offsetof(struct dtls_key_info, iv) },
		{ 0, sizeof(*ki) },	/* after the connection ID */
	};
	size_t i, at;
	int dir;

	for_each_dir(dir) {
		ki = &self->next[dir];
		ranges[4].from = offsetof(struct dtls_key_info, cid) +
				 ki->cid_len;
		for (i = 0; i < ARRAY_SIZE(ranges); i++) {
			for (at = ranges[i].from; at < ranges[i].to; at++) {
				((char *)ki)[at] = 1;
				ASSERT_TRUE(set_fails(self->l.a, dir, ki,
						      sizeof(*ki), EINVAL))
					TH_LOG("byte %zu", at);
				((char *)ki)[at] = 0;
			}
		}
	}
	EXPECT_TRUE(link_raw_works(&self->l));
	/* And the rest of the structure was right all the time. */
	for_each_dir(dir)
		EXPECT_EQ(0, setsockopt(self->l.a, SOL_DTLS, dir,
					&self->next[dir], sizeof(*ki)));
}

TEST_F(sockopt, key_cid)
{
	static const __u16 lens[] = { 256, 257, 1000, 65535 };
	struct dtls_key_info ki;
	size_t i;
	int dir;

	for_each_dir(dir) {
		ki = self->next[dir];
		for (i = 0; i < ARRAY_SIZE(lens); i++) {
			ki.cid_len = lens[i];
			memset(ki.cid, 7, sizeof(ki.cid));
			EXPECT_TRUE(set_fails(self->l.a, dir, &ki, sizeof(ki),
					      EINVAL));
		}
		/* One byte after the ID is not zero. */
		memset(ki.cid, 0, sizeof(ki.cid));
		ki.cid_len = 4;
		ki.cid[4] = 1;
		EXPECT_TRUE(set_fails(self->l.a, dir, &ki, sizeof(ki), EINVAL));
		ki.cid_len = 255;
		memset(ki.cid, 0, sizeof(ki.cid));
		ki.cid[255] = 1;
		EXPECT_TRUE(set_fails(self->l.a, dir, &ki, sizeof(ki), EINVAL));
	}
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(sockopt, key_sets_first_number)
{
	struct peer_key tx = self->l.ab, rx = self->l.ba;
	static struct peer_record rec;
	struct dtls_info info;
	char buf[64];

	tx.epoch++;
	tx.rec_seq = 123456;
	rx.epoch++;
	rx.rec_seq = 100;
	ASSERT_EQ(0, dtls_set_key(self->l.a, DTLS_TX, &tx));
	ASSERT_EQ(0, dtls_set_key(self->l.a, DTLS_RX, &rx));
	ASSERT_EQ(0, dtls_get_info(self->l.a, &info));
	EXPECT_EQ(123456, info.tx_seq);

	self->l.ab = tx;
	self->l.ba = rx;
	ASSERT_EQ(2, send(self->l.a, "hi", 2, 0));
	ASSERT_EQ(2, link_recv(&self->l, &rec));
	EXPECT_EQ(tx.epoch, rec.epoch);
	EXPECT_EQ(123456, rec.seq);

	self->l.b_seq = 99;
	ASSERT_EQ(3, link_send(&self->l, CT_DATA, "old", 3));
	ASSERT_EQ(3, link_send(&self->l, CT_DATA, "new", 3));
	ASSERT_EQ(3, recv(self->l.a, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "new", 3));
	EXPECT_EQ(-1, recv(self->l.a, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(sockopt, info_tells_the_state)
{
	struct dtls_info info;
	struct dtls_counters counters;
	char buf[100] = {};
	static struct peer_record rec;

	/* The fixture sent 6 bytes one way and 15 the other. */
	ASSERT_EQ(100, send(self->l.a, buf, 100, 0));
	ASSERT_EQ(100, link_recv(&self->l, &rec));
	ASSERT_EQ(0, dtls_get_info(self->l.a, &info));
	ASSERT_EQ(0, dtls_get_counters(self->l.a, &counters));
	EXPECT_EQ(self->next[DTLS_TX].version, info.version);
	EXPECT_EQ(self->next[DTLS_TX].cipher, info.tx_cipher);
	EXPECT_EQ(self->next[DTLS_TX].cipher, info.rx_cipher);
	EXPECT_EQ(0, info.flags & DTLS_INFO_EOF);
	EXPECT_EQ(self->l.ab.epoch, info.tx_epoch);
	EXPECT_EQ(self->l.ba.epoch, info.rx_epoch);
	EXPECT_EQ(2, info.tx_seq);
	EXPECT_EQ(1, info.rx_seq);
	EXPECT_LT(info.tx_seq, info.tx_limit);
	EXPECT_LE(info.tx_limit, DTLS_SEQ_MAX);
	EXPECT_EQ(64, info.replay_window);
	EXPECT_EQ(0, info.control_queued);
	EXPECT_EQ(0, info.early_queued);
	EXPECT_EQ(2, counters.tx_records);
	EXPECT_EQ(106, counters.tx_bytes);
	EXPECT_EQ(1, counters.rx_records);
	EXPECT_EQ(15, counters.rx_bytes);
	EXPECT_EQ(0, counters.rx_replays);
	EXPECT_EQ(0, counters.rx_auth_failed);
	EXPECT_EQ(0, counters.rx_no_key);
	EXPECT_EQ(0, counters.rx_malformed);
	EXPECT_EQ(0, counters.rx_oversize);
	EXPECT_EQ(0, counters.rx_empty);
	EXPECT_EQ(0, counters.rx_control);
	EXPECT_EQ(0, counters.rx_no_budget);
}

/* @in: bytes of the answer that ask the question */
struct getter {
	int opt;
	socklen_t in;
	socklen_t size;
};

static const struct getter getters[] = {
	{ DTLS_INFO, sizeof(__u64), sizeof(struct dtls_info) },
	{ DTLS_COUNTERS, sizeof(__u64), sizeof(struct dtls_counters) },
	{ DTLS_WINDOW, 2 * sizeof(__u64), sizeof(struct dtls_window) },
	{ DTLS_CID, sizeof(__u64), sizeof(struct dtls_cid) },
	{ DTLS_POLL_CONTROL, 0, sizeof(__u32) },
};

/* A buffer that asks about association @id and the epoch in use */
static void ask(void *buf, size_t size, const struct getter *g, __u64 id,
		__u64 epoch)
{
	struct dtls_window *w = buf;

	memset(buf, 0xa5, size);
	if (g->in)
		w->id = id;
	if (g->opt == DTLS_WINDOW)
		w->epoch = epoch;
}

/* As much as there is room for, and not a byte more. */
TEST_F(sockopt, getters_of_every_length)
{
	__u64 whole_buf[256], part_buf[256], epoch = self->l.ba.epoch;
	unsigned char *whole = (void *)whole_buf, *part = (void *)part_buf;
	socklen_t len, want;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(getters); i++) {
		const struct getter *g = &getters[i];

		ask(whole, sizeof(whole_buf), g, 0, epoch);
		len = sizeof(whole_buf);
		ASSERT_EQ(0, getsockopt(self->l.a, SOL_DTLS, g->opt, whole,
					&len));
		ASSERT_EQ(g->size, len);
		ASSERT_EQ(0xa5, whole[len]);
		for (want = 0; want < g->in; want++) {
			ask(part, sizeof(part_buf), g, 0, epoch);
			len = want;
			ASSERT_EQ(-1, getsockopt(self->l.a, SOL_DTLS, g->opt,
						 part, &len));
			ASSERT_EQ(EINVAL, errno);
		}
		for (want = g->in; want < g->size; want++) {
			ask(part, sizeof(part_buf), g, 0, epoch);
			len = want;
			ASSERT_EQ(0, getsockopt(self->l.a, SOL_DTLS, g->opt,
						part, &len))
				TH_LOG("option %d, %u bytes", g->opt, want);
			ASSERT_EQ(want, len);
			ASSERT_EQ(0, memcmp(whole, part, want));
			ASSERT_EQ(0xa5, part[want]);
		}
	}
}

TEST_F(sockopt, getters_bad_pointer)
{
	char buf[2048] __attribute__((aligned(8)));
	socklen_t len;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(getters); i++) {
		const struct getter *g = &getters[i];

		ask(buf, sizeof(buf), g, 0, self->l.ba.epoch);
		len = g->size;
		EXPECT_EQ(-1, getsockopt(self->l.a, SOL_DTLS, g->opt, NULL,
					 &len));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(-1, getsockopt(self->l.a, SOL_DTLS, g->opt, buf,
					 NULL));
		EXPECT_EQ(EFAULT, errno);
		len = -1;
		EXPECT_EQ(-1, getsockopt(self->l.a, SOL_DTLS, g->opt, buf,
					 &len));
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_TRUE(link_raw_works(&self->l));
}

/* Unknown ones, and known ones the wrong way round */
TEST_F(sockopt, unknown_options)
{
	static const int no_get[] = { DTLS_TX, DTLS_RX, DTLS_REPLAY_WINDOW,
				      DTLS_FEED, 0, -1, 9, 15, DTLS_ASSOC_ADD,
				      DTLS_ASSOC_DEL, 31, 34, 64, 255,
				      0x10003 };
	static const int no_set[] = { DTLS_INFO, DTLS_COUNTERS, 0, -1, 9, 15,
				      DTLS_ASSOC_NEXT, 31, 34, 64, 255,
				      0x10001 };
	char val[2048] = {};
	socklen_t len;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(no_get); i++) {
		len = sizeof(val);
		EXPECT_EQ(-1, getsockopt(self->l.a, SOL_DTLS, no_get[i], val,
					 &len));
		EXPECT_EQ(ENOPROTOOPT, errno);
		EXPECT_EQ(sizeof(val), len);
	}
	for (i = 0; i < ARRAY_SIZE(no_set); i++)
		EXPECT_TRUE(set_fails(self->l.a, no_set[i], self->next,
				      sizeof(struct dtls_key_info), ENOPROTOOPT));
	EXPECT_TRUE(link_raw_works(&self->l));
}

static bool leaks(const void *out, size_t len, const void *secret, size_t n)
{
	size_t i;

	/* Half of it would be bad enough. */
	for (i = 0; i + n / 2 <= n; i += n / 2)
		if (memmem(out, len, secret + i, n / 2))
			return true;
	return false;
}

TEST_F(sockopt, no_getter_returns_a_key)
{
	static const int levels[] = { SOL_DTLS, SOL_IP, SOL_IPV6, SOL_UDP,
				      SOL_SOCKET };
	size_t key_len = cipher_key_len(variant->cipher);
	unsigned char out[8192];
	unsigned int got = 0;
	size_t i;
	int opt;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		for (opt = 0; opt < 256; opt++) {
			socklen_t len = sizeof(out);

			memset(out, 0, sizeof(out));
			/* in: the epoch of DTLS_WINDOW */
			if (levels[i] == SOL_DTLS)
				memcpy(out + sizeof(__u64), &self->l.ba.epoch,
				       sizeof(__u64));
			if (!getsockopt(self->l.a, levels[i], opt, out, &len))
				got++;
			EXPECT_FALSE(leaks(out, sizeof(out), self->l.ab.key,
					   key_len));
			EXPECT_FALSE(leaks(out, sizeof(out), self->l.ba.key,
					   key_len));
		}
	}
	/* Those of SOL_DTLS among them */
	EXPECT_LT(20, got);
}

TEST_F(sockopt, replay_window_limits)
{
	static const __u32 good[] = { 64, 128, 1024, 4096, 64 };
	static const __u32 bad[] = { 0, 1, 32, 63, 4097, 8192, 1U << 31, ~0U };
	/* What is asked for, and what it is rounded up to */
	static const __u32 odd[][2] = {
		{ 65, 128 }, { 192, 256 }, { 1000, 1024 }, { 4095, 4096 },
	};
	struct dtls_replay_window w = { 0 };
	struct dtls_info info;
	socklen_t len;
	size_t i;

	ASSERT_EQ(0, dtls_get_info(self->l.a, &info));
	EXPECT_EQ(64, info.replay_window);
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		ASSERT_EQ(0, dtls_set_replay_window(self->l.a, good[i]));
		ASSERT_EQ(0, dtls_get_info(self->l.a, &info));
		EXPECT_EQ(good[i], info.replay_window);
		EXPECT_TRUE(link_raw_works(&self->l));
	}
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		ASSERT_EQ(0, dtls_set_replay_window(self->l.a, odd[i][0]));
		ASSERT_EQ(0, dtls_get_info(self->l.a, &info));
		EXPECT_EQ(odd[i][1], info.replay_window);
		EXPECT_TRUE(link_raw_works(&self->l));
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		w.records = bad[i];
		EXPECT_TRUE(set_fails(self->l.a, DTLS_REPLAY_WINDOW, &w,
				      sizeof(w), EINVAL));
	}
	w.records = good[1];
	for (len = 0; len < offsetof(struct dtls_replay_window, reserved); len++)
		EXPECT_TRUE(set_fails(self->l.a, DTLS_REPLAY_WINDOW, &w, len,
				      EINVAL));
	EXPECT_TRUE(set_fails(self->l.a, DTLS_REPLAY_WINDOW, NULL, sizeof(w),
			      EFAULT));
	w.reserved = 1;
	EXPECT_TRUE(set_fails(self->l.a, DTLS_REPLAY_WINDOW, &w, sizeof(w),
			      EINVAL));
}

TEST_F(sockopt, replay_window_before_keys)
{
	struct dtls_info info;
	struct link l;

	ASSERT_EQ(0, link_open(&l, variant->family, variant->cipher,
			       variant->cid_len));
	ASSERT_EQ(0, dtls_attach(l.a));
	ASSERT_EQ(0, dtls_set_replay_window(l.a, 4096));
	ASSERT_EQ(0, dtls_set_key(l.a, DTLS_TX, &l.ab));
	ASSERT_EQ(0, dtls_set_key(l.a, DTLS_RX, &l.ba));
	ASSERT_EQ(0, dtls_get_info(l.a, &info));
	EXPECT_EQ(4096, info.replay_window);

	/* 4095 behind the newest is still taken, 4096 is not. */
	l.b_seq = 4096;
	ASSERT_TRUE(link_raw_works(&l));
	l.b_seq = 1;
	EXPECT_TRUE(link_raw_works(&l));
	l.b_seq = 0;
	ASSERT_EQ(3, link_send(&l, CT_DATA, "old", 3));
	EXPECT_EQ(0, poll_for(l.a, POLLIN, 100));
	link_close(&l);
}

/* Another size is not another chance for a record that was seen. */
TEST_F(sockopt, replay_window_keeps_what_it_saw)
{
	static const __u32 sizes[] = { 4096, 64, 128, 2048, 64 };
	char buf[16];
	size_t i;
	__u64 seq;

	/* Every second one */
	for (seq = 1; seq < 40; seq += 2) {
		self->l.b_seq = seq;
		ASSERT_EQ(1, link_send(&self->l, CT_DATA, "x", 1));
		ASSERT_EQ(1, recv(self->l.a, buf, sizeof(buf), 0));
	}
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, dtls_set_replay_window(self->l.a, sizes[i]));
		for (seq = 1; seq < 40; seq += 2) {
			self->l.b_seq = seq;
			ASSERT_EQ(1, link_send(&self->l, CT_DATA, "x", 1));
		}
		EXPECT_EQ(0, poll_for(self->l.a, POLLIN, 50));
	}
	/* Those left out are still welcome. */
	self->l.b_seq = 20;
	ASSERT_EQ(1, link_send(&self->l, CT_DATA, "x", 1));
	EXPECT_EQ(1, recv(self->l.a, buf, sizeof(buf), 0));
}

TEST_F(sockopt, window_can_be_read)
{
	struct dtls_window w = { .epoch = self->l.ba.epoch };
	socklen_t len = sizeof(w);
	char buf[16];
	size_t i;

	/* 0 came with the fixture; now 3 and 5. */
	self->l.b_seq = 3;
	ASSERT_EQ(1, link_send(&self->l, CT_DATA, "x", 1));
	self->l.b_seq = 5;
	ASSERT_EQ(1, link_send(&self->l, CT_DATA, "x", 1));
	ASSERT_EQ(1, recv(self->l.a, buf, sizeof(buf), 0));
	ASSERT_EQ(1, recv(self->l.a, buf, sizeof(buf), 0));

	ASSERT_EQ(0, getsockopt(self->l.a, SOL_DTLS, DTLS_WINDOW, &w, &len));
	EXPECT_EQ(sizeof(w), len);
	EXPECT_EQ(self->l.ba.epoch, w.epoch);
	EXPECT_EQ(6, w.next);
	/* 5, 3 and 0; what lies below 0 may count as seen. */
	EXPECT_EQ(0x25, w.seen[0] & 0x3f);

	for (i = 0; i < 3; i++) {
		w.epoch = i ? self->l.ba.epoch + i : 0;
		len = sizeof(w);
		EXPECT_EQ(-1, getsockopt(self->l.a, SOL_DTLS, DTLS_WINDOW, &w,
					 &len));
		EXPECT_EQ(ENOENT, errno);
	}
	/* No room for the question. */
	for (len = 0; len < offsetof(struct dtls_window, next); len++) {
		socklen_t l = len;

		w.epoch = self->l.ba.epoch;
		EXPECT_EQ(-1, getsockopt(self->l.a, SOL_DTLS, DTLS_WINDOW, &w,
					 &l));
		EXPECT_EQ(EINVAL, errno);
	}
}

TEST_F(sockopt, window_can_be_set)
{
	struct dtls_window w = { .epoch = self->l.ba.epoch, .next = 20 };
	char buf[16];

	/* 19 and 12 were seen elsewhere. */
	w.seen[0] = 1 | 1 << 7;
	ASSERT_EQ(0, setsockopt(self->l.a, SOL_DTLS, DTLS_WINDOW, &w,
				sizeof(w)));
	self->l.b_seq = 19;
	ASSERT_EQ(2, link_send(&self->l, CT_DATA, "19", 2));
	self->l.b_seq = 12;
	ASSERT_EQ(2, link_send(&self->l, CT_DATA, "12", 2));
	self->l.b_seq = 0;
	ASSERT_EQ(1, link_send(&self->l, CT_DATA, "0", 1));
	self->l.b_seq = 11;
	ASSERT_EQ(2, link_send(&self->l, CT_DATA, "11", 2));
	ASSERT_EQ(2, recv(self->l.a, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "11", 2));
	EXPECT_EQ(-1, recv(self->l.a, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	self->l.b_seq = 20;
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(sockopt, window_refused)
{
	struct dtls_window w = { .epoch = self->l.ba.epoch };
	socklen_t len;

	EXPECT_TRUE(set_fails(self->l.a, DTLS_WINDOW, &w, sizeof(w), EINVAL))
		TH_LOG("next moved back");
	w.next = 100;
	w.epoch = self->l.ba.epoch + 1;
	EXPECT_TRUE(set_fails(self->l.a, DTLS_WINDOW, &w, sizeof(w), ENOENT));
	w.epoch = 0;
	EXPECT_TRUE(set_fails(self->l.a, DTLS_WINDOW, &w, sizeof(w), ENOENT));
	w.epoch = self->l.ba.epoch;
	w.next = DTLS_SEQ_MAX + 2;
	EXPECT_TRUE(set_fails(self->l.a, DTLS_WINDOW, &w, sizeof(w), EINVAL));
	w.next = 100;
	for (len = 0; len < offsetof(struct dtls_window, seen); len++)
		ASSERT_TRUE(set_fails(self->l.a, DTLS_WINDOW, &w, len, EINVAL));
	EXPECT_TRUE(set_fails(self->l.a, DTLS_WINDOW, NULL, sizeof(w), EFAULT));
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(sockopt, cid_can_be_read)
{
	static const __u8 zero[256];
	struct dtls_cid cid;
	socklen_t len = sizeof(cid);

	memset(&cid, 0x55, sizeof(cid));
	cid.id = 0;
	ASSERT_EQ(0, getsockopt(self->l.a, SOL_DTLS, DTLS_CID, &cid, &len));
	EXPECT_EQ(sizeof(cid), len);
	EXPECT_EQ(self->l.ab.cid_len, cid.tx_len);
	EXPECT_EQ(self->l.ba.cid_len, cid.rx_len);
	EXPECT_EQ(0, cid.reserved);
	EXPECT_EQ(0, memcmp(cid.tx, self->l.ab.cid, cid.tx_len));
	EXPECT_EQ(0, memcmp(cid.rx, self->l.ba.cid, cid.rx_len));
	EXPECT_EQ(0, memcmp(cid.tx + cid.tx_len, zero, 256 - cid.tx_len));
	EXPECT_EQ(0, memcmp(cid.rx + cid.rx_len, zero, 256 - cid.rx_len));
}

TEST_F(sockopt, poll_control)
{
	static const __u32 bad[] = { 2, 3, 256, ~0U };
	__u32 val = 7;
	socklen_t len = sizeof(val);
	size_t i;

	ASSERT_EQ(0, getsockopt(self->l.a, SOL_DTLS, DTLS_POLL_CONTROL, &val,
				&len));
	EXPECT_EQ(0, val);
	val = 1;
	ASSERT_EQ(0, setsockopt(self->l.a, SOL_DTLS, DTLS_POLL_CONTROL, &val,
				len));
	val = 0;
	ASSERT_EQ(0, getsockopt(self->l.a, SOL_DTLS, DTLS_POLL_CONTROL, &val,
				&len));
	EXPECT_EQ(1, val);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_TRUE(set_fails(self->l.a, DTLS_POLL_CONTROL, &bad[i],
				      sizeof(val), EINVAL));
	val = 0;
	for (len = 0; len < sizeof(val); len++)
		EXPECT_TRUE(set_fails(self->l.a, DTLS_POLL_CONTROL, &val, len,
				      EINVAL));
	len = sizeof(val);
	ASSERT_EQ(0, getsockopt(self->l.a, SOL_DTLS, DTLS_POLL_CONTROL, &val,
				&len));
	EXPECT_EQ(1, val);
	val = 0;
	ASSERT_EQ(0, setsockopt(self->l.a, SOL_DTLS, DTLS_POLL_CONTROL, &val,
				len));
}

static int set_lo(int request, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int ret;

	strcpy(ifr->ifr_name, "lo");
	ret = ioctl(fd, request, ifr);
	close(fd);
	return ret;
}

/* What DTLS_INFO says of the MTU fits into one packet exactly. */
TEST_F(sockopt, mtu_is_exact)
{
	unsigned int headers = variant->family == AF_INET ? 20 + 8 : 40 + 8;
	int level = variant->family == AF_INET ? SOL_IP : SOL_IPV6;
	int opt = variant->family == AF_INET ? IP_MTU_DISCOVER :
					       IPV6_MTU_DISCOVER;
	int probe = variant->family == AF_INET ? IP_PMTUDISC_DO :
						 IPV6_PMTUDISC_DO;
	static const int mtus[] = { 1500, 1400, 9000, 1280 };
	static struct peer_record rec;
	static char buf[16384];
	struct ifreq ifr = { .ifr_flags = IFF_UP };
	__u32 mtu;
	size_t i;

	link_close(&self->l);
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_EQ(0, set_lo(SIOCSIFFLAGS, &ifr));
	ASSERT_EQ(0, link_raw(&self->l, variant->family, variant->cipher,
			      variant->cid_len));
	ASSERT_EQ(0, setsockopt(self->l.a, level, opt, &probe, sizeof(probe)));
	for (i = 0; i < ARRAY_SIZE(mtus); i++) {
		ifr.ifr_mtu = mtus[i];
		ASSERT_EQ(0, set_lo(SIOCSIFMTU, &ifr));
		mtu = dtls_mtu(self->l.a);
		ASSERT_EQ(mtus[i] - headers - peer_overhead(&self->l.ab), mtu);

		EXPECT_EQ(mtu, send(self->l.a, buf, mtu, 0));
		EXPECT_EQ(mtu, link_recv(&self->l, &rec));
		EXPECT_EQ(-1, send(self->l.a, buf, mtu + 1, 0));
		EXPECT_EQ(EMSGSIZE, errno);
	}
}

/* A record is smaller than the largest datagram. */
TEST_F(sockopt, mtu_is_at_most_a_record)
{
	EXPECT_EQ(DTLS_RECORD_SIZE_MAX, dtls_mtu(self->l.a));
}

TEST_F(sockopt, mtu_needs_peer_and_key)
{
	int fd = udp_socket(variant->family);
	struct dtls_info info;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dtls_attach(fd));
	ASSERT_EQ(0, dtls_get_info(fd, &info));
	EXPECT_EQ(0, info.mtu);
	/* And without a key the size of a record is not known. */
	ASSERT_EQ(0, udp_connect(fd, self->l.b));
	ASSERT_EQ(0, dtls_get_info(fd, &info));
	EXPECT_EQ(0, info.mtu);
	ASSERT_EQ(0, dtls_set_key(fd, DTLS_TX, &self->l.ab));
	EXPECT_LT(0, dtls_mtu(fd));
	close(fd);
}

TEST_F(sockopt, udp_segment_is_shadowed)
{
	static const int bad[] = { -1, 65536, 1 << 30 };
	socklen_t len = sizeof(int);
	int val = -1;
	size_t i;

	ASSERT_EQ(0, getsockopt(self->l.a, SOL_UDP, UDP_SEGMENT, &val, &len));
	EXPECT_EQ(0, val);
	val = 1200;
	ASSERT_EQ(0, setsockopt(self->l.a, SOL_UDP, UDP_SEGMENT, &val, len));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-1, setsockopt(self->l.a, SOL_UDP, UDP_SEGMENT,
					 &bad[i], len));
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_EQ(-1, setsockopt(self->l.a, SOL_UDP, UDP_SEGMENT, &val, 3));
	EXPECT_EQ(EINVAL, errno);
	val = 0;
	ASSERT_EQ(0, getsockopt(self->l.a, SOL_UDP, UDP_SEGMENT, &val, &len));
	EXPECT_EQ(1200, val);
	val = 0;
	ASSERT_EQ(0, setsockopt(self->l.a, SOL_UDP, UDP_SEGMENT, &val, len));
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(sockopt, udp_gro_is_shadowed)
{
	socklen_t len = sizeof(int);
	int val = 1;

	ASSERT_EQ(0, setsockopt(self->l.a, SOL_UDP, UDP_GRO, &val, len));
	val = 0;
	ASSERT_EQ(0, getsockopt(self->l.a, SOL_UDP, UDP_GRO, &val, &len));
	EXPECT_EQ(1, val);
	EXPECT_TRUE(link_raw_works(&self->l));
	val = 0;
	ASSERT_EQ(0, setsockopt(self->l.a, SOL_UDP, UDP_GRO, &val, len));
	val = 1;
	ASSERT_EQ(0, getsockopt(self->l.a, SOL_UDP, UDP_GRO, &val, &len));
	EXPECT_EQ(0, val);
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(sockopt, udp_cork_is_shadowed)
{
	unsigned char in[512];
	static struct peer_record rec;
	socklen_t len = sizeof(int);
	ssize_t n, used;
	int val = 1;

	ASSERT_EQ(0, setsockopt(self->l.a, SOL_UDP, UDP_CORK, &val, len));
	val = 0;
	ASSERT_EQ(0, getsockopt(self->l.a, SOL_UDP, UDP_CORK, &val, &len));
	EXPECT_EQ(1, val);
	ASSERT_EQ(5, send(self->l.a, "first", 5, 0));
	ASSERT_EQ(6, send(self->l.a, "second", 6, 0));
	EXPECT_EQ(-1, recv(self->l.b, in, sizeof(in), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	val = 0;
	ASSERT_EQ(0, setsockopt(self->l.a, SOL_UDP, UDP_CORK, &val, len));
	val = 1;
	ASSERT_EQ(0, getsockopt(self->l.a, SOL_UDP, UDP_CORK, &val, &len));
	EXPECT_EQ(0, val);

	n = recv(self->l.b, in, sizeof(in), 0);
	used = peer_open(&self->l.ab, in, n, &rec);
	ASSERT_LT(0, used);
	EXPECT_EQ(5, rec.len);
	ASSERT_EQ(n - used, peer_open(&self->l.ab, in + used, n - used, &rec));
	EXPECT_EQ(6, rec.len);
	EXPECT_TRUE(link_raw_works(&self->l));
}

/* What has nothing to do with us is as on any UDP socket. */
TEST_F(sockopt, other_levels_work)
{
	int val = 100000;
	socklen_t len = sizeof(val);

	ASSERT_EQ(0, setsockopt(self->l.a, SOL_SOCKET, SO_RCVBUF, &val, len));
	ASSERT_EQ(0, getsockopt(self->l.a, SOL_SOCKET, SO_RCVBUF, &val, &len));
	EXPECT_EQ(200000, val);
	val = 0x20;
	if (variant->family == AF_INET) {
		ASSERT_EQ(0, setsockopt(self->l.a, SOL_IP, IP_TOS, &val, len));
		val = 0;
		ASSERT_EQ(0, getsockopt(self->l.a, SOL_IP, IP_TOS, &val, &len));
	} else {
		ASSERT_EQ(0, setsockopt(self->l.a, SOL_IPV6, IPV6_TCLASS, &val,
					len));
		val = 0;
		ASSERT_EQ(0, getsockopt(self->l.a, SOL_IPV6, IPV6_TCLASS, &val,
					&len));
	}
	EXPECT_EQ(0x20, val);
	len = sizeof(val);
	ASSERT_EQ(0, getsockopt(self->l.a, SOL_SOCKET, SO_PROTOCOL, &val,
				&len));
	EXPECT_EQ(IPPROTO_UDP, val);
	EXPECT_EQ(-1, setsockopt(self->l.a, SOL_UDP, 255, &val, len));
	EXPECT_EQ(ENOPROTOOPT, errno);
	EXPECT_EQ(-1, setsockopt(self->l.a, SOL_IP, 17485, &val, len));
	EXPECT_EQ(ENOPROTOOPT, errno);
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_HARNESS_MAIN
