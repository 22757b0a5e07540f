// SPDX-License-Identifier: GPL-2.0
/*
 * Read keys that a newer one has replaced: they stay for what the network holds back,
 * for so long from the newer one's first record on (RFC 9147 4.2.1).
 */
#include "harness.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

#include "clients.h"
#include "common.h"
#include "traffic.h"

FIXTURE(retire)
{
	struct link l;
	struct peer_key key[4];		/* of epochs in a row */
	__u64 seq;
};

FIXTURE_VARIANT(retire)
{
	__u16 cipher;
};

FIXTURE_VARIANT_ADD(retire, v12) { .cipher = DTLS_CIPHER_AES_GCM_128 };
FIXTURE_VARIANT_ADD(retire, v13) { .cipher = V13(DTLS_CIPHER_AES_GCM_128) };

static void install(struct __test_metadata *_metadata, struct link *l,
		    struct peer_key *key, unsigned int i)
{
	peer_key_init(&key[i], l->ba.cipher, nth_epoch(l->ba.cipher, 1 + i), 0,
		      2);
	if (i)
		ASSERT_OK(dtls_set_key(l->a, DTLS_RX, &key[i]));
}

FIXTURE_SETUP(retire)
{
	ASSERT_OK(link_raw(&self->l, AF_INET, variant->cipher, 0));
	install(_metadata, &self->l, self->key, 0);
	install(_metadata, &self->l, self->key, 1);
}

FIXTURE_TEARDOWN(retire)
{
	link_close(&self->l);
	EXPECT_TRUE(set_msl(120));
}

/* Return true if a record of the raw end's under its @i-th key comes in. */
static bool opens(struct _test_data_retire *self, unsigned int i)
{
	char text[] = "held back", buf[64], wire[256];
	size_t n = peer_seal(&self->key[i], CT_DATA, self->seq++, text,
			     sizeof(text), wire);

	return send(self->l.b, wire, n, 0) == (ssize_t)n &&
	       recv_now(self->l.a, buf, sizeof(buf)) == sizeof(text) &&
	       !memcmp(buf, text, sizeof(text));
}

static bool goes(struct _test_data_retire *self, unsigned int i)
{
	int n;

	for (n = 0; n < SOON_MS / 100; n++) {
		if (!opens(self, i))
			return true;
		usleep(100000);
	}
	return false;
}

TEST_F(retire, after_its_time)
{
	struct dtls_info info;
	struct dtls_counters counters;

	ASSERT_TRUE(set_msl(1));
	EXPECT_TRUE(opens(self, 0));
	EXPECT_TRUE(opens(self, 1));
	ASSERT_TRUE(goes(self, 0));
	EXPECT_TRUE(opens(self, 1));
	ASSERT_OK(dtls_get_info(self->l.a, &info));
	ASSERT_OK(dtls_get_counters(self->l.a, &counters));
	EXPECT_EQ((__u64)1, counters.rx_no_key);
	EXPECT_EQ(0u, info.early_queued);

	/* And the next one, whose place is free */
	install(_metadata, &self->l, self->key, 2);
	EXPECT_TRUE(opens(self, 1));
	EXPECT_TRUE(opens(self, 2));
	EXPECT_TRUE(goes(self, 1));
	EXPECT_TRUE(opens(self, 2));
}

TEST_F(retire, not_before)
{
	EXPECT_TRUE(opens(self, 1));
	sleep(3);
	EXPECT_TRUE(opens(self, 0));
}

/* The peer may not know yet that it can use the newer key. */
TEST_F(retire, not_before_the_newer_one_is_used)
{
	ASSERT_TRUE(set_msl(1));
	EXPECT_TRUE(opens(self, 0));
	install(_metadata, &self->l, self->key, 2);
	EXPECT_TRUE(opens(self, 1));
	ASSERT_TRUE(goes(self, 0));
	sleep(2);
	EXPECT_TRUE(opens(self, 1));
	EXPECT_TRUE(opens(self, 2));
	EXPECT_TRUE(goes(self, 1));
}

/* Those of several keys used within the time go one after the other. */
TEST_F(retire, each_in_its_turn)
{
	ASSERT_TRUE(set_msl(2));
	install(_metadata, &self->l, self->key, 2);
	EXPECT_TRUE(opens(self, 1));
	sleep(1);
	EXPECT_TRUE(opens(self, 2));
	EXPECT_TRUE(goes(self, 0));
	EXPECT_TRUE(goes(self, 1));
	EXPECT_TRUE(opens(self, 2));
}

/* A longer time that is set later counts for what waits, too. */
TEST_F(retire, waits_anew)
{
	ASSERT_TRUE(set_msl(3));
	EXPECT_TRUE(opens(self, 1));
	ASSERT_TRUE(set_msl(120));
	sleep(5);
	EXPECT_TRUE(opens(self, 0));
}

/* The socket ends first, with its keys. */
TEST_F(retire, close_before)
{
	struct link links[20], *l;

	ASSERT_TRUE(set_msl(1));
	for (l = links; l < links + ARRAY_SIZE(links); l++) {
		ASSERT_OK(link_raw(l, AF_INET, variant->cipher, 0));
		peer_key_init(&l->ba, variant->cipher,
			      nth_epoch(variant->cipher, 2), 0, 2);
		ASSERT_OK(dtls_set_key(l->a, DTLS_RX, &l->ba));
		EXPECT_TRUE(link_raw_works(l));
	}
	for (l = links; l < links + ARRAY_SIZE(links); l++) {
		usleep(100000);
		link_close(l);
	}
}

/*
 * Many associations of one socket
 */

#define PORT	4433

/* The address of the peer of association @id; all peers have one port. */
static struct sockaddr_in peer_name(__u64 id)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(0x7f010000 + id),
	};
}

/* Add @n associations from @first on, each with the read keys @key of two epochs. */
static int add_peers(int server, const struct peer_key *key, __u64 first, unsigned int n)
{
	struct dtls_assoc_peer p = { .peer.family = AF_INET };
	struct sockaddr_in name;

	for (p.id = first; p.id < first + n; p.id++) {
		name = peer_name(p.id);
		p.peer.port = name.sin_port;
		memcpy(p.peer.addr, &name.sin_addr, sizeof(name.sin_addr));
		if (setsockopt(server, SOL_DTLS, DTLS_ASSOC_ADD, &p, sizeof(p)) ||
		    set_key(server, p.id, DTLS_RX, &key[0]) ||
		    set_key(server, p.id, DTLS_RX, &key[1]))
			return -1;
	}
	return 0;
}

/*
 * Send a record of @key from the peer of @id, and receive it. Return how many
 * nanoseconds the kernel takes to receive it, or -1 if there is no such record.
 */
static long takes(int server, __u64 id, const struct peer_key *key, __u64 seq)
{
	int on = 1, fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in name = peer_name(id);
	struct sockaddr_storage to;
	struct timespec begin, end;
	socklen_t len = sizeof(to);
	ssize_t n;

	n = peer_seal(key, CT_DATA, seq, "new", 3, wire);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (getsockname(server, (struct sockaddr *)&to, &len) ||
	    bind(fd, (struct sockaddr *)&name, sizeof(name)) ||
	    sendto(fd, wire, n, 0, (struct sockaddr *)&to, len) != n) {
		close(fd);
		return -1;
	}
	close(fd);
	settle();
	clock_gettime(CLOCK_MONOTONIC, &begin);
	n = recv(server, buf, sizeof(buf), MSG_DONTWAIT);
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (n != 3)
		return -1;
	return (end.tv_sec - begin.tv_sec) * 1000000000L + end.tv_nsec - begin.tv_nsec;
}

/* Return the least time in which one of @n peers' first record of @key is received. */
static long least(int server, const struct peer_key *key, __u64 first, unsigned int n)
{
	long least = -1, took;
	__u64 id;

	for (id = first; id < first + n; id++) {
		took = takes(server, id, key, 0);
		if (took < 0)
			return -1;
		if (least < 0 || took < least)
			least = took;
	}
	return least;
}

#define SOME_MSL	1000	/* s, longer than a slow machine needs for the test below */

/*
 * The times at which keys go are looked after in order. One that comes before those of
 * many finds its place as fast as among few, and goes before them.
 */
TEST(a_key_goes_before_those_of_many_others)
{
	const unsigned int few = 20, many = rounds(6000, 300);
	const __u64 late = 1 + 2 * few;
	int server = make_server(AF_INET, 0), n;
	struct peer_key key[2];
	long among_few, among_many;

	for (n = 0; n < 2; n++)
		peer_key_init(&key[n], DTLS_CIPHER_AES_GCM_128, 1 + n, 0, 2);
	ASSERT_LE(0, server);
	ASSERT_OK(add_peers(server, key, 1, 2 * few + many + 1));
	ASSERT_TRUE(set_msl(SOME_MSL));
	among_few = least(server, &key[1], 1, few);
	ASSERT_TRUE(set_msl(2 * SOME_MSL));
	ASSERT_LT(0, least(server, &key[1], late, many));
	ASSERT_TRUE(set_msl(SOME_MSL));
	among_many = least(server, &key[1], 1 + few, few);
	ASSERT_LT(0, among_few);
	ASSERT_LT(0, among_many);
	TH_LOG("a record takes %ld ns, and %ld among %u", among_few, among_many, many);
	EXPECT_GT(4 * among_few, among_many);

	ASSERT_TRUE(set_msl(1));
	ASSERT_LT(0, takes(server, late + many, &key[1], 0));
	ASSERT_LT(0, takes(server, late + many, &key[0], 0));
	for (n = 1; n < SOON_MS / 100; n++) {
		usleep(100000);
		if (takes(server, late + many, &key[0], n) < 0)
			break;
	}
	EXPECT_GT(SOON_MS / 100, n);
	EXPECT_LT(0, takes(server, late + many, &key[1], 1));
	EXPECT_LT(0, takes(server, 1, &key[0], 0));
	EXPECT_LT(0, takes(server, late, &key[0], 0));
	close(server);
	EXPECT_TRUE(set_msl(120));
}

/* More keys than one call of the kernel's work looks at: all of them go. */
TEST(keys_of_many_go_at_once)
{
	const unsigned int many = 200;
	int server = make_server(AF_INET, 0), n, tries = 0;
	struct peer_key key[2];

	for (n = 0; n < 2; n++)
		peer_key_init(&key[n], DTLS_CIPHER_AES_GCM_128, 1 + n, 0, 2);
	ASSERT_LE(0, server);
	ASSERT_OK(add_peers(server, key, 1, many));
	ASSERT_TRUE(set_msl(1));
	ASSERT_LT(0, least(server, &key[1], 1, many));
	for (n = 0; n < (int)many; n++)
		while (takes(server, 1 + n, &key[0], tries) >= 0) {
			ASSERT_GT(SOON_MS / 100, tries++);
			usleep(100000);
		}
	for (n = 0; n < (int)many; n++)
		ASSERT_LT(0, takes(server, 1 + n, &key[1], 1));
	close(server);
	EXPECT_TRUE(set_msl(120));
}

TEST_HARNESS_MAIN
