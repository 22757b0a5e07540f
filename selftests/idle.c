// SPDX-License-Identifier: GPL-2.0
/*
 * Idle associations of a server's socket: how little each of them takes, and that the
 * transforms of the crypto API, which associations of a socket with a table share,
 * always have the right key. There are fewer transforms than keys in these tests, so
 * most records find one with another association's key.
 */
#include "harness.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clients.h"
#include "common.h"
#include "figures.h"

/* More than twice as many keys as a CPU has transforms of one kind */
#define CLIENTS	20

static __u8 text[4096];

/* ---- what one takes ---- */

/* Add @n associations with both keys, whose peers are nobody. */
static int add_idle(int server, __u16 cipher, unsigned int n, unsigned int first)
{
	struct dtls_assoc_peer p = { .peer.family = AF_INET };
	struct peer_key key;
	unsigned int i;

	peer_key_init(&key, cipher, nth_epoch(cipher, 1), 0, 7);
	p.peer.addr[0] = 127;
	p.peer.addr[3] = 9;
	for (i = first; i < first + n; i++) {
		p.id = i + 1;
		p.peer.port = htons(1 + i);
		if (setsockopt(server, SOL_DTLS, DTLS_ASSOC_ADD, &p,
			       sizeof(p)) ||
		    set_key(server, p.id, DTLS_RX, &key) ||
		    set_key(server, p.id, DTLS_TX, &key))
			return -1;
	}
	return 0;
}

FIXTURE(idle_memory) {
	int server;
};

FIXTURE_VARIANT(idle_memory) {
	__u16 cipher;
	long bound;
};

/* The bound is for an association with both keys, all that the slabs have of it. */
FIXTURE_VARIANT_ADD(idle_memory, gcm_128) {
	.cipher = DTLS_CIPHER_AES_GCM_128,
	.bound = 1024,
};

FIXTURE_VARIANT_ADD(idle_memory, v13_gcm_128) {
	.cipher = V13(DTLS_CIPHER_AES_GCM_128),
	.bound = 1024,
};

FIXTURE_VARIANT_ADD(idle_memory, v13_ccm_128) {
	.cipher = V13(DTLS_CIPHER_AES_CCM_128),
	.bound = 1024,
};

FIXTURE_VARIANT_ADD(idle_memory, chacha) {
	.cipher = DTLS_CIPHER_CHACHA20_POLY1305,
	.bound = 1024,
};

FIXTURE_VARIANT_ADD(idle_memory, v13_chacha) {
	.cipher = V13(DTLS_CIPHER_CHACHA20_POLY1305),
	.bound = 1200,
};

FIXTURE_SETUP(idle_memory)
{
	self->server = udp_socket(AF_INET);
	ASSERT_LE(0, self->server);
	ASSERT_OK(dtls_attach(self->server));
	ASSERT_OK(set_table(self->server, 0, 0));
	/* What is made once is there then. */
	ASSERT_OK(add_idle(self->server, variant->cipher, 20, 0));
}

FIXTURE_TEARDOWN(idle_memory)
{
	leave_cgroup();
	close(self->server);
}

/*
 * A debug kernel adds to each object and each lock, and keeps for long what was freed.
 * Where kmalloc() has multiples of 128 bytes alone, as on arm64 before Linux 6.5, the entry
 * of the addresses and both epochs take more; where a line of the cache has 128 bytes, as
 * on ppc64, the association does. A cgroup is charged for 64 pages at a time, which are
 * 4 MiB where a page has 64 KiB, and their share of each of @n associations counts.
 */
static long bound_here(long bound, unsigned int n)
{
	bound += 64 * (sysconf(_SC_PAGESIZE) - 4096) / n;
	if (access("/sys/kernel/slab/kmalloc-64", F_OK) ||
	    figure("/sys/kernel/slab/dtls_assoc/align", "", "") > 64)
		bound += 128;
	return slow() ? 16 * bound : bound;
}

/*
 * The hash tables, which have just grown when there are 8,200 associations, have their
 * largest part in the figures.
 */
TEST_F(idle_memory, an_idle_association_is_small_and_charged)
{
	const unsigned int n = rounds(8180, 300);
	long charged, slabs;

	ASSERT_OK(enter_cgroup("max"));
	slabs = figure("/proc/meminfo", "Slab:", " ");
	charged = cgroup_bytes();
	ASSERT_LE(0, charged);
	ASSERT_OK(add_idle(self->server, variant->cipher, n, 20));
	charged = cgroup_bytes() - charged;
	slabs = (figure("/proc/meminfo", "Slab:", " ") - slabs) * 1024;
	TH_LOG("%ld bytes are charged for each, %ld are in slabs",
	       charged / n, slabs / n);
	EXPECT_GT(bound_here(variant->bound, n), charged / n);
	/* The slabs have little beside that. */
	EXPECT_LT(300, charged / n);
	EXPECT_GT(bound_here(variant->bound + 256, n), slabs / n);
}

/* Return the bytes of memory that the kernel has made of slabs and of single pages. */
static long kernel_bytes(void)
{
	return (figure("/proc/meminfo", "Slab:", " ") +
		figure("/proc/meminfo", "VmallocUsed:", " ")) * 1024;
}

/* Add @n associations without keys, the first with the number @first. Return 0 or -1. */
static int add_bare(int server, unsigned int first, unsigned int n)
{
	struct dtls_assoc_peer p = { .peer.family = AF_INET };
	unsigned int i;

	p.peer.addr[0] = 127;
	for (i = first; i < first + n; i++) {
		p.id = i;
		p.peer.addr[2] = i / 60000;
		p.peer.port = htons(1 + i % 60000);
		if (setsockopt(server, SOL_DTLS, DTLS_ASSOC_ADD, &p, sizeof(p)))
			return -1;
	}
	return 0;
}

/*
 * What the hash tables take is charged, too. The last 40 associations make both of them
 * grow from half a mebibyte to one, as a bucket is a pointer.
 */
TEST(the_tables_of_many_associations_are_charged)
{
	const unsigned int few = 65520, n = few + 40;
	int server = udp_socket(AF_INET);
	long charged, taken, grown;

	if (slow())
		SKIP(return, "what a debug kernel adds hides what is measured");
	if (sysconf(_SC_PAGESIZE) > 4096)
		SKIP(return, "memory is taken by pages that are too large to tell");
	ASSERT_OK(dtls_attach(server));
	ASSERT_OK(set_table(server, 0, 0));
	ASSERT_OK(enter_cgroup("max"));
	charged = cgroup_bytes();
	taken = kernel_bytes();
	ASSERT_OK(add_bare(server, 1, few));
	grown = cgroup_bytes();
	ASSERT_OK(add_bare(server, few + 1, n - few));
	grown = cgroup_bytes() - grown;
	charged = cgroup_bytes() - charged;
	taken = kernel_bytes() - taken;
	ASSERT_OK(leave_cgroup());
	TH_LOG("%ld bytes are charged for each, %ld are taken; tables of %ld are new",
	       charged / n, taken / n, grown);
	EXPECT_GT(3 << 19, taken - charged);
	/* The former arrays, which are freed meanwhile or later, make it less. */
	EXPECT_GT(3 << 20, grown);
	EXPECT_LT(1 << 18, grown);
	close(server);
}

/* Return the least time of some rounds that 1000 look-ups among @n take, or 0. */
static __u64 time_of_look_ups(int server, unsigned int n)
{
	struct timespec begin, end;
	__u64 least = ~0ULL, took;
	struct dtls_info info;
	unsigned int i, k;

	for (k = 0; k < 20; k++) {
		clock_gettime(CLOCK_MONOTONIC, &begin);
		for (i = 0; i < 1000; i++)
			if (get_info(server, 1 + i * 7919 % n, &info))
				return 0;
		clock_gettime(CLOCK_MONOTONIC, &end);
		took = (end.tv_sec - begin.tv_sec) * 1000000000LL +
		       end.tv_nsec - begin.tv_nsec;
		if (took < least)
			least = took;
	}
	return least;
}

/*
 * Tables grow with what is in them, however fast it comes and however quiet the system
 * is otherwise: what is found among 50,000 costs little more than among 50. The times
 * are of one run, and caches have their part in them.
 */
TEST(a_look_up_among_many_costs_what_it_costs_among_few)
{
	int server = udp_socket(AF_INET);
	__u64 few, many;

	if (slow())
		SKIP(return, "what a debug kernel adds hides what is measured");
	ASSERT_OK(dtls_attach(server));
	ASSERT_OK(set_table(server, 0, 0));
	ASSERT_OK(add_bare(server, 1, 50));
	few = time_of_look_ups(server, 50);
	ASSERT_OK(add_bare(server, 51, 49950));
	many = time_of_look_ups(server, 50000);
	ASSERT_LT(0, few);
	ASSERT_LT(0, many);
	TH_LOG("1000 look-ups take %llu us, and %llu us", few / 1000, many / 1000);
	EXPECT_GT(4 * few, many);
	close(server);
}

/* ---- the right key ---- */

FIXTURE(idle) {
	int server;
	struct client c[CLIENTS];
};

FIXTURE_VARIANT(idle) {
	__u16 cipher[4];	/* of the clients in turn */
	int family;
	unsigned int cid_len;
};

FIXTURE_VARIANT_ADD(idle, gcm) {
	.cipher = { DTLS_CIPHER_AES_GCM_128, DTLS_CIPHER_AES_GCM_256,
		    V13(DTLS_CIPHER_AES_GCM_128), V13(DTLS_CIPHER_AES_GCM_256) },
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(idle, ccm) {
	.cipher = { DTLS_CIPHER_AES_CCM_128, DTLS_CIPHER_AES_CCM_8_256,
		    DTLS_CIPHER_AES_CCM_256, DTLS_CIPHER_AES_CCM_8_128 },
	.family = AF_INET6,
};

FIXTURE_VARIANT_ADD(idle, v13_ccm_and_chacha) {
	.cipher = { V13(DTLS_CIPHER_AES_CCM_128), V13(DTLS_CIPHER_AES_CCM_8_128),
		    V13(DTLS_CIPHER_CHACHA20_POLY1305),
		    DTLS_CIPHER_CHACHA20_POLY1305 },
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(idle, one_kind) {
	.cipher = { V13(DTLS_CIPHER_AES_GCM_128), V13(DTLS_CIPHER_AES_GCM_128),
		    V13(DTLS_CIPHER_AES_GCM_128), V13(DTLS_CIPHER_AES_GCM_128) },
	.family = AF_INET6,
	.cid_len = 4,
};

FIXTURE_SETUP(idle)
{
	unsigned int i;

	stay();
	fill(text, sizeof(text), 1);
	self->server = make_server(variant->family, variant->cid_len);
	ASSERT_LE(0, self->server);
	for (i = 0; i < CLIENTS; i++) {
		ASSERT_OK(make_client(&self->c[i], variant->family,
				      variant->cipher[i % 4], variant->cid_len,
				      self->server, i));
		ASSERT_OK(add_client(self->server, &self->c[i]));
	}
}

FIXTURE_TEARDOWN(idle)
{
	unsigned int i;

	for (i = 0; i < CLIENTS; i++)
		close(self->c[i].fd);
	close(self->server);
}

/* A record of @len bytes in each direction */
static void talk(struct __test_metadata *_metadata, int server,
		 struct client *c, size_t len)
{
	__u64 id;

	ASSERT_EQ((ssize_t)len, client_send(c, text + c->id % 64, len));
	ASSERT_EQ((ssize_t)len, server_recv(server, &id, NULL, 0));
	ASSERT_EQ(c->id, id);
	ASSERT_EQ(0, memcmp(buf, text + c->id % 64, len));
	ASSERT_EQ((ssize_t)len, server_send(server, c->id, text + len % 64,
					    len));
	ASSERT_EQ((ssize_t)len, client_recv(c));
	ASSERT_EQ(0, memcmp(rec.data, text + len % 64, len));
}

TEST_F(idle, each_record_is_of_its_own_key_after_those_of_others)
{
	unsigned int n = rounds(60, 2), i, round;

	/* In turn, each twice, and in leaps */
	for (round = 0; round < n; round++)
		for (i = 0; i < CLIENTS; i++) {
			talk(_metadata, self->server, &self->c[i], 50 + round);
			if (round % 3 == 1)
				talk(_metadata, self->server, &self->c[i], 900);
			if (round % 3 == 2)
				talk(_metadata, self->server,
				     &self->c[i * 7 % CLIENTS], 1);
		}
}

TEST_F(idle, a_record_of_another_key_does_not_open)
{
	struct dtls_counters counters;
	unsigned int i, other;
	__u8 out[256];
	size_t len;

	for (i = 0; i < CLIENTS; i++) {
		other = (i + 4) % CLIENTS;	/* of the same cipher */
		talk(_metadata, self->server, &self->c[other], 40);
		/* From the address and with the connection ID of @i */
		memcpy(self->c[other].up.cid, self->c[i].up.cid,
		       sizeof(self->c[i].up.cid));
		len = peer_seal(&self->c[other].up, CT_DATA, 1000, text, 40,
				out);
		ASSERT_EQ((ssize_t)len, send(self->c[i].fd, out, len, 0));
		ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
		ASSERT_OK(get_counters(self->server, self->c[i].id, &counters));
		ASSERT_EQ(1u, counters.rx_auth_failed);
		peer_key_init(&self->c[other].up, self->c[other].up.cipher,
			      self->c[other].up.epoch, variant->cid_len,
			      2 * other + 2);
		talk(_metadata, self->server, &self->c[i], 40);
	}
}

/* An association without keys in the end: others go on, and its number is free. */
TEST_F(idle, keys_change_and_go_while_others_use_the_transforms)
{
	struct peer_key old;
	unsigned int i, n;
	__u8 out[256];
	size_t len;

	for (n = 0; n < rounds(3, 1); n++)
		for (i = 0; i < CLIENTS; i++) {
			struct client *c = &self->c[i];
			struct client *next = &self->c[(i + 1) % CLIENTS];

			/* The next key, and a record under the one before */
			old = c->up;
			peer_key_init(&c->up, old.cipher, old.epoch + 1,
				      variant->cid_len, 100 + i + n);
			memcpy(c->up.cid, old.cid, sizeof(old.cid));
			ASSERT_OK(set_key(self->server, c->id, DTLS_RX, &c->up));
			talk(_metadata, self->server, next, 30);
			talk(_metadata, self->server, c, 30);
			len = peer_seal(&old, CT_DATA, 5000 + n, text, 20, out);
			ASSERT_EQ((ssize_t)len, send(c->fd, out, len, 0));
			ASSERT_EQ(20, recv_now(self->server, buf, sizeof(buf)));

			/* Gone, and there again with keys of its first epoch */
			ASSERT_OK(delete(self->server, c->id));
			talk(_metadata, self->server, next, 31);
			close(c->fd);
			ASSERT_OK(make_client(c, variant->family,
					      variant->cipher[(i + n) % 4],
					      variant->cid_len, self->server,
					      300 + i + n * CLIENTS));
			c->id = 1000 + i;
			ASSERT_OK(add_client(self->server, c));
			talk(_metadata, self->server, c, 32);
			talk(_metadata, self->server, next, 33);
		}
}

/* What another CPU lends was never prepared on this one. */
TEST_F(idle, records_are_made_and_opened_on_any_processor)
{
	unsigned int i, cpu;

	for (i = 0; i < rounds(8, 2) * CLIENTS; i++) {
		for (cpu = 0; cpu < 2; cpu++) {
			stay_on((cpu + i) % 2);
			talk(_metadata, self->server, &self->c[i % CLIENTS],
			     64);
		}
	}
	stay();
}

/* A batch of one association is sealed with one key, whoever comes between. */
TEST_F(idle, batches_are_sealed_with_one_key)
{
	unsigned int i, k;

	for (i = 0; i < CLIENTS; i++) {
		ASSERT_EQ(1200, send_cut(self->server, self->c[i].id, -1, text,
					 1200, 100, 0));
		for (k = 0; k < 12; k++) {
			ASSERT_EQ(100, client_recv(&self->c[i]));
			ASSERT_EQ(0, memcmp(rec.data, text + 100 * k, 100));
		}
	}
}

/* ---- threads ---- */

#define THREADS	6
#define EACH	6	/* records of a thread's to each client */

struct crowd {
	int server;
	const struct client *c;
	unsigned int received;
	unsigned int wrong;
	unsigned int failed;
};

static void *send_to_all(void *arg)
{
	struct crowd *crowd = arg;
	unsigned int i;

	for (i = 0; i < EACH * CLIENTS; i++)
		if (server_send(crowd->server, crowd->c[i % CLIENTS].id, text,
				100) != 100)
			__atomic_fetch_add(&crowd->failed, 1, __ATOMIC_RELAXED);
	return NULL;
}

/* No number is used twice under a key, though many tasks seal at the same time. */
TEST_F(idle, threads_seal_for_all_and_no_number_comes_twice)
{
	struct crowd crowd = { .server = self->server, .c = self->c };
	pthread_t threads[THREADS];
	unsigned int i, n;
	__u64 seen;

	roam();
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, send_to_all,
					    &crowd));
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ASSERT_EQ(0u, crowd.failed);
	for (i = 0; i < CLIENTS; i++) {
		seen = 0;
		for (n = 0; n < THREADS * EACH; n++) {
			ASSERT_EQ(POLLIN, poll_for(self->c[i].fd, POLLIN, SOON_MS));
			ASSERT_EQ(100, client_recv(&self->c[i]));
			ASSERT_EQ(0, memcmp(rec.data, text, 100));
			ASSERT_GT((__u64)THREADS * EACH, rec.seq);
			ASSERT_EQ(0u, seen >> rec.seq & 1);
			seen |= 1ULL << rec.seq;
		}
		ASSERT_ERRNO(EAGAIN, recv_now(self->c[i].fd, wire,
					      sizeof(wire)));
	}
}

static void *take_all(void *arg)
{
	struct crowd *crowd = arg;
	__u8 in[256];
	ssize_t n;

	while ((n = recv(crowd->server, in, sizeof(in), MSG_DONTWAIT)) >= 0) {
		if (n != 100 || memcmp(in, text, n))
			__atomic_fetch_add(&crowd->wrong, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&crowd->received, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

TEST_F(idle, threads_open_what_all_have_sent)
{
	struct crowd crowd = { .server = self->server };
	pthread_t threads[THREADS];
	unsigned int i;

	ASSERT_OK(deep_queue(self->server));
	for (i = 0; i < THREADS * EACH * CLIENTS; i++)
		ASSERT_EQ(100, client_send(&self->c[i % CLIENTS], text, 100));
	settle();
	roam();
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, take_all,
					    &crowd));
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	/* One that looked in vain may have left what another one kept. */
	take_all(&crowd);
	EXPECT_EQ(0u, crowd.wrong);
	EXPECT_EQ((unsigned int)THREADS * EACH * CLIENTS, crowd.received);
}

/*
 * Send from a socket of one's own, in a cgroup that gets a hundredth of a processor, until
 * a signal ends it.
 */
static void send_slowly(__u16 cipher)
{
	static __u8 much[16000];
	int server = make_server(AF_INET, 0);
	struct client c;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) ||
	    make_client(&c, AF_INET, cipher, 0, server, 900) ||
	    add_client(server, &c) || enter_slow_cgroup())
		_exit(1);
	while (server_send(server, c.id, much, sizeof(much)) > 0)
		;
	_exit(1);
}

/* Send a record to @c, which takes it. Return how often the task waited in the call. */
static long waits_of_sending(struct __test_metadata *_metadata, int server,
			     struct client *c)
{
	struct rusage before, after;

	ASSERT_EQ(0, getrusage(RUSAGE_THREAD, &before));
	ASSERT_EQ(50, server_send(server, c->id, text, 50));
	ASSERT_EQ(0, getrusage(RUSAGE_THREAD, &after));
	ASSERT_EQ(POLLIN, poll_for(c->fd, POLLIN, SOON_MS));
	ASSERT_EQ(50, client_recv(c));
	return after.ru_nvcsw - before.ru_nvcsw;
}

/*
 * A task that gets no processor for now has a transform which other keys borrow, too.
 * The system counts how often a task waits.
 */
TEST_F(idle, no_task_waits_for_a_transform_of_another)
{
	long waits = 0, n;
	unsigned int i;
	pid_t pid;

	if (limit_slow_cgroup("1000 100000") && errno == ENOENT)
		SKIP(return, "a kernel without limits of processor time");
	n = slow_cgroup_stat("nr_throttled");
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		send_slowly(variant->cipher[0]);
	while (slow_cgroup_stat("nr_throttled") < n + 30) {
		ASSERT_EQ(0, waitpid(pid, NULL, WNOHANG));
		for (i = 0; i < CLIENTS; i++)
			waits += waits_of_sending(_metadata, self->server,
						  &self->c[i]);
	}
	/* Without any limit the kernel would patch its own text; see vm/guest/main. */
	ASSERT_OK(limit_slow_cgroup("100000 100000"));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	TH_LOG("%ld waits", waits);
	EXPECT_EQ(0, waits);
}

TEST_HARNESS_MAIN
