// SPDX-License-Identifier: GPL-2.0
/*
 * The memory that records are made and opened in: it is large enough for every
 * key, page and batch; what many tasks make the kernel hold is little, and
 * charged to them; and what could not be had costs no sequence number.
 */
#include "harness.h"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common.h"
#include "held.h"
#include "traffic.h"

static __u8 text[1 << 18], wire[DGRAM_MAX];
static struct peer_record rec;

LINK_FIXTURE(scratch);

LINK_VARIANT(scratch, v4, DTLS_CIPHER_AES_GCM_128, AF_INET, 0);
LINK_VARIANT(scratch, v6_cid, DTLS_CIPHER_CHACHA20_POLY1305, AF_INET6, 255);
LINK_VARIANT(scratch, v13_v6, V13(DTLS_CIPHER_AES_GCM_128), AF_INET6, 0);
LINK_VARIANT(scratch, v13_v4_cid, V13(DTLS_CIPHER_AES_CCM_128), AF_INET, 20);

#define HIGH_ORDER	"/proc/sys/net/core/high_order_alloc_disable"
#define SKB_FRAGS	"/proc/sys/net/core/max_skb_frags"

static long read_number(const char *path)
{
	FILE *f = fopen(path, "r");
	long n = -1;

	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

static int write_number(const char *path, long n)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return -1;
	fprintf(f, "%ld\n", n);
	return fclose(f);
}

/* What they are before the first test: one that fails leaves them changed. */
static long high_order, skb_frags;
static pid_t program;

static void __attribute__((constructor)) note_limits(void)
{
	program = getpid();
	high_order = read_number(HIGH_ORDER);
	skb_frags = read_number(SKB_FRAGS);
}

static void __attribute__((destructor)) reset_limits(void)
{
	if (getpid() != program)
		return;
	write_number(HIGH_ORDER, high_order);
	write_number(SKB_FRAGS, skb_frags);
}

static void open_link(struct __test_metadata *_metadata, struct link *l,
		      int family, __u16 cipher, int cid_len)
{
	stay();
	write_number(SKB_FRAGS, skb_frags);
	fill(text, sizeof(text), 1);
	ASSERT_OK(link_raw(l, family, cipher, cid_len));
	ASSERT_OK(deep_queue(l->b));
}

FIXTURE_SETUP(scratch)
{
	open_link(_metadata, &self->l, variant->family, variant->cipher,
		  variant->cid_len);
}

FIXTURE_TEARDOWN(scratch)
{
	write_number(SKB_FRAGS, skb_frags);
	link_close(&self->l);
}

static __u64 tx_seq(struct __test_metadata *_metadata, struct link *l)
{
	struct dtls_info info;

	ASSERT_OK(dtls_get_info(l->a, &info));
	return info.tx_seq;
}

/* @want arrives in records of @size bytes, numbered from @seq on */
static void arrives(struct __test_metadata *_metadata, struct link *l,
		    const __u8 *want, size_t len, size_t size, __u64 seq)
{
	ssize_t n, at, one;

	while (len) {
		n = recv(l->b, wire, sizeof(wire), 0);
		ASSERT_LT(0, n);
		for (at = 0; at < n; at += one, seq++) {
			one = peer_open(&l->ab, wire + at, n - at, &rec);
			ASSERT_LT(0, one);
			ASSERT_EQ(seq, rec.seq);
			ASSERT_EQ(size < len ? size : len, rec.len);
			ASSERT_EQ(0, memcmp(rec.data, want, rec.len));
			want += rec.len;
			len -= rec.len;
		}
	}
	ASSERT_ERRNO(EAGAIN, recv_now(l->b, wire, sizeof(wire)));
}

/* Send and receive what lies in one page, in a few, and in many. */
static void all_sizes_arrive(struct __test_metadata *_metadata, struct link *l)
{
	static const int whole[] = {
		1, 1000, 1100, 4000, 4096, 5000, 8192, 12000, PLAIN_MAX
	};
	static const int cut[][2] = {
		{ 6000, 100 }, { 44800, 1400 }, { 60000, 2500 },
		{ 62000, 5000 }, { 60000, PLAIN_MAX },
	};
	unsigned int i, count;
	__u64 seq = 0;

	for (i = 0; i < ARRAY_SIZE(whole); i++) {
		ASSERT_EQ(whole[i], send(l->a, text + i, whole[i], 0))
			TH_LOG("%d: %s", whole[i], strerror(errno));
		arrives(_metadata, l, text + i, whole[i], whole[i], seq++);
	}
	for (i = 0; i < ARRAY_SIZE(cut); i++) {
		count = (cut[i][0] + cut[i][1] - 1) / cut[i][1];
		ASSERT_EQ(cut[i][0], send_segments(l->a, text + i, cut[i][0],
						   cut[i][1], 0))
			TH_LOG("%d/%d: %s", cut[i][0], cut[i][1],
			       strerror(errno));
		arrives(_metadata, l, text + i, cut[i][0], cut[i][1], seq);
		seq += count;
	}
	/* In one datagram */
	for (i = 0; i < 12; i++)
		ASSERT_EQ(5000, send(l->a, text + i * 5000, 5000,
				     i < 11 ? MSG_MORE : 0));
	arrives(_metadata, l, text, 60000, 5000, seq);
	seq += 12;
	ASSERT_EQ(seq, tx_seq(_metadata, l));
}

TEST_F(scratch, every_size_arrives)
{
	all_sizes_arrive(_metadata, &self->l);
}

/* Where a record has more pages than an skb may, they are copied. */
TEST_F(scratch, long_records_fit_an_skb_of_few_pages)
{
	ASSERT_OK(write_number(SKB_FRAGS, 2));
	all_sizes_arrive(_metadata, &self->l);
}

/* Full 64 KiB, in records of which a page holds one, two, three or a part */
TEST_F(scratch, batches_that_fill_a_super_packet)
{
	struct link *l = &self->l;
	__u64 seq = 0;
	int size, len;

	for (size = 600; size < 4400; size += 130) {
		len = 64000 / (size + 310) * size;
		ASSERT_EQ(len, send_segments(l->a, text, len, size, 0))
			TH_LOG("%d of %d: %s", len, size, strerror(errno));
		arrives(_metadata, l, text, len, size, seq);
		seq += len / size;
	}
	ASSERT_EQ(seq, tx_seq(_metadata, l));
}

/* As many short records as are made at once, and one more or less */
TEST_F(scratch, batches_of_every_number_of_records)
{
	static const int sizes[] = { 1, 15, 40, 64, 100, 1000, 2000 };
	struct link *l = &self->l;
	unsigned int i, n;
	__u64 seq = 0;
	int len;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (n = 2; n <= 65 && n * (sizes[i] + 310) < 65000; n++) {
			if (slow() && n > 5 && n % 13)
				continue;
			/* The last one is full, or of a byte. */
			len = n * sizes[i];
			if (n % 2)
				len -= sizes[i] - 1;
			ASSERT_EQ(len, send_segments(l->a, text + n, len,
						     sizes[i], 0))
				TH_LOG("%u of %d: %s", n, sizes[i],
				       strerror(errno));
			arrives(_metadata, l, text + n, len, sizes[i], seq);
			seq += n;
		}
	}
	ASSERT_EQ(seq, tx_seq(_metadata, l));
}

/* Many tasks add to one datagram, each from pages of its own. */
static void *add_one(void *arg)
{
	struct link *l = arg;

	return (void *)send(l->a, text, 1400, MSG_MORE);
}

TEST_F(scratch, tasks_share_a_cork)
{
	struct link *l = &self->l;
	unsigned int i, n = 30;
	pthread_t thread;
	void *ret;

	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, add_one, l));
		ASSERT_EQ(0, pthread_join(thread, &ret));
		ASSERT_EQ(1400, (long)ret);
	}
	ASSERT_EQ(1400, send(l->a, text, 1400, 0));
	ASSERT_LT(0, recv(l->b, wire, sizeof(wire), 0));
	ASSERT_EQ((__u64)n + 1, tx_seq(_metadata, l));
}

/* Of what cannot be read a part may have been. */
TEST_F(scratch, what_cannot_be_copied_takes_no_number)
{
	static const struct { int len, segment, flags; } tries[] = {
		{ 100, 0, 0 }, { 5000, 0, 0 }, { PLAIN_MAX, 0, 0 },
		{ 5000, 100, 0 }, { 40000, 1400, 0 }, { 300, 0, MSG_MORE },
		{ 9000, 0, MSG_MORE },
	};
	struct link *l = &self->l;
	__u8 *end, *area;
	unsigned int i;
	int len;

	area = mmap(NULL, 1 << 17, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, area);
	end = area + (1 << 16);
	ASSERT_OK(munmap(end, 1 << 16));
	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		len = tries[i].len;
		if (tries[i].segment)
			ASSERT_ERRNO(EFAULT, send_segments(l->a, end - len / 2,
							   len,
							   tries[i].segment,
							   0));
		else
			ASSERT_ERRNO(EFAULT, send(l->a, end - len / 2, len,
						  tries[i].flags));
		ASSERT_EQ((__u64)0, tx_seq(_metadata, l));
	}
	ASSERT_TRUE(link_raw_works(l));
}

/* More than there are processors, each of which has a spare */
#define READERS		16

struct page_reader {
	int fd;
	__u8 *page;
	ssize_t len;
};

static void *recv_page(void *arg)
{
	struct page_reader *r = arg;

	r->len = recv(r->fd, r->page, sizeof(text), 0);
	return NULL;
}

/*
 * Each task that opens a record has memory of its own, of which several may lie
 * in one page. All of them hold a record here before the first may go on.
 */
TEST_F(scratch, readers_at_once_mix_no_records)
{
	struct page_reader readers[READERS];
	unsigned int i, n, seen = 0;
	struct link *l = &self->l;
	struct dtls_counters counters;
	pthread_t threads[READERS];
	struct held held;

	ASSERT_OK(held_open(&held, READERS));
	for (i = 0; i < READERS; i++) {
		readers[i].fd = l->a;
		readers[i].page = held.page + i * held.size;
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, recv_page,
					    &readers[i]));
		ASSERT_EQ(100, link_send(l, CT_DATA, text + 100 * i, 100));
	}
	do {
		usleep(1000);
		ASSERT_OK(dtls_get_counters(l->a, &counters));
		ASSERT_EQ((__u64)0, counters.rx_malformed);
	} while (counters.rx_records < READERS);

	ASSERT_OK(held_let_go(&held, NULL, 0));
	for (i = 0; i < READERS; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		ASSERT_EQ(100, readers[i].len);
		for (n = 0; n < READERS; n++)
			if (!memcmp(readers[i].page, text + 100 * n, 100))
				seen |= 1u << n;
	}
	EXPECT_EQ((1u << READERS) - 1, seen);
	held_close(&held);
}

/*
 * What tasks hold while they wait
 */

#define GROUP		"/sys/fs/cgroup/dtls_scratch"
#define TASKS		200

/* Pages that nobody has */
static long free_bytes(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	long kb = -1;
	char line[128];

	while (f && fgets(line, sizeof(line), f) &&
	       sscanf(line, "MemFree: %ld", &kb) != 1)
		;
	if (f)
		fclose(f);
	return kb * 1024;
}

static long charged_bytes(void)
{
	return read_number(GROUP "/memory.current");
}

/* From here on what this process takes is charged to a group of its own. */
static int join_group(void)
{
	FILE *f = fopen("/sys/fs/cgroup/cgroup.subtree_control", "w");

	if (!f)
		return -1;
	fputs("+memory", f);
	if (fclose(f) || (mkdir(GROUP, 0755) && errno != EEXIST))
		return -1;
	return write_number(GROUP "/cgroup.procs", getpid());
}

FIXTURE(held)
{
	int fd;			/* what is sent on it waits for ever */
	struct link l;
	pthread_barrier_t barrier;
	size_t size;
	struct held held;	/* with @n: readers wait */
	unsigned int next;
};

FIXTURE_SETUP(held)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(5684),
		.sin_addr.s_addr = htonl(0xc0000202),
	};
	struct peer_key key;
	int size = 1;

	ASSERT_OK(join_group());
	ASSERT_OK(unshare(CLONE_NEWNET));
	/* A peer whose link-layer address nobody tells */
	ASSERT_EQ(0, system("bash -c 'ip link set lo up && "
			    "ip link add v0 type veth peer name v1 && "
			    "ip addr add 192.0.2.1/24 dev v0 && "
			    "ip link set v0 up && ip link set v1 up arp off'"));
	self->fd = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_OK(connect(self->fd, (void *)&to, sizeof(to)));
	ASSERT_OK(setsockopt(self->fd, SOL_SOCKET, SO_SNDBUF, &size,
			     sizeof(size)));
	peer_key_init(&key, DTLS_CIPHER_AES_GCM_128, 1, 0, 1);
	ASSERT_OK(dtls_attach(self->fd));
	ASSERT_OK(dtls_set_key(self->fd, DTLS_TX, &key));
	ASSERT_OK(link_raw(&self->l, AF_INET, DTLS_CIPHER_AES_GCM_128, 0));
	ASSERT_OK(deep_queue(self->l.a));
	pthread_barrier_init(&self->barrier, NULL, TASKS + 1);
}

FIXTURE_TEARDOWN(held)
{
	close(self->fd);
	link_close(&self->l);
}

static void *send_for_ever(void *arg)
{
	FIXTURE_DATA(held) *self = arg;

	pthread_barrier_wait(&self->barrier);
	while (send(self->fd, text, self->size, 0) > 0)
		__atomic_add_fetch(&self->next, 1, __ATOMIC_RELAXED);
	return NULL;
}

/* Into a page that nobody brings */
static void *recv_for_ever(void *arg)
{
	FIXTURE_DATA(held) *self = arg;
	unsigned int i;

	i = __atomic_fetch_add(&self->next, 1, __ATOMIC_RELAXED);
	pthread_barrier_wait(&self->barrier);
	recv(self->l.a, self->held.page + i * self->held.size, self->held.size,
	     0);
	return NULL;
}

/* Return true if all tasks have made the record with which they wait. */
static bool all_wait(FIXTURE_DATA(held) *self)
{
	struct dtls_counters counters;
	struct dtls_info info;

	if (self->held.n)
		return !dtls_get_counters(self->l.a, &counters) &&
		       counters.rx_records == TASKS;
	return !dtls_get_info(self->fd, &info) &&
	       info.tx_seq == TASKS + __atomic_load_n(&self->next,
						      __ATOMIC_RELAXED);
}

/* What the last test's tasks had is free at last, or half a minute is over. */
static void settled(void)
{
	int tries, still = 0;
	long was;

	for (tries = 0; tries < 30 && still < 3; tries++) {
		was = free_bytes();
		sleep(1);
		still = labs(free_bytes() - was) < 1 << 18 ? still + 1 : 0;
	}
}

/*
 * Let TASKS run into it, and tell what they then hold, and what of it is charged. The
 * first is a difference of the machine's free memory, in which whatever else the kernel
 * does shows: with pages of 64 KiB that was as much again once.
 */
static void measure(struct __test_metadata *_metadata, FIXTURE_DATA(held) *self,
		    void *(*task)(void *), long *used, long *charged)
{
	pthread_t thread;
	unsigned int i;

	for (i = 0; i < TASKS; i++)
		ASSERT_EQ(0, pthread_create(&thread, NULL, task, self));
	settled();
	*used = free_bytes();
	*charged = charged_bytes();
	pthread_barrier_wait(&self->barrier);
	while (!all_wait(self))
		usleep(100000);
	sleep(1);
	*used -= free_bytes();
	*charged = charged_bytes() - *charged;
	TH_LOG("%u tasks hold %ld bytes, of which %ld are charged", TASKS,
	       *used, *charged);
}

/* A sender waits for room with its ciphertext and little else. */
TEST_F(held, blocked_sender_holds_a_record)
{
	long used, charged;

	self->size = 900;
	measure(_metadata, self, send_for_ever, &used, &charged);
	EXPECT_GT(TASKS * 20000, used);
}

TEST_F(held, blocked_sender_is_charged_for_long_records)
{
	long used, charged;

	self->size = 1400;	/* in pages, and no IP fragments */
	measure(_metadata, self, send_for_ever, &used, &charged);
	EXPECT_LT(TASKS * 1400, used);
	EXPECT_LT(used / 3, charged);
}

/* A reader that hangs in a page fault has what it needs to open records. */
TEST_F(held, hanging_reader_is_charged)
{
	struct link *l = &self->l;
	long used, charged;
	unsigned int i;
	char buf[16];

	ASSERT_OK(held_open(&self->held, TASKS));
	for (i = 0; i < TASKS; i++)
		ASSERT_EQ(100, link_send(l, CT_DATA, text, 100));

	measure(_metadata, self, recv_for_ever, &used, &charged);
	EXPECT_LT(used / 3, charged);
	EXPECT_LT(TASKS * 40000, charged);
	/* The others go on meanwhile. */
	ASSERT_EQ(5, link_send(l, CT_DATA, "hello", 5));
	ASSERT_EQ(5, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_EQ(5, send(l->a, "hello", 5, 0));
	ASSERT_EQ(5, link_recv(l, &rec));
	held_close(&self->held);
}

/*
 * A key that comes while a reader is at work
 */

FIXTURE(fresh)
{
	struct link l;
	pthread_t thread[2];
	bool quiet;	/* for the flood */
	bool stop;	/* for the reader */
};

FIXTURE_VARIANT(fresh)
{
	__u16 cipher;
};

#define CIPHER(name, c) FIXTURE_VARIANT_ADD(fresh, name) { .cipher = c }
CIPHER(gcm, DTLS_CIPHER_AES_GCM_128);
CIPHER(ccm, DTLS_CIPHER_AES_CCM_128);
CIPHER(chacha, DTLS_CIPHER_CHACHA20_POLY1305);
CIPHER(v13_gcm, V13(DTLS_CIPHER_AES_GCM_256));

/* A module that has not seen a key yet */
FIXTURE_SETUP(fresh)
{
	ASSERT_OK(syscall(SYS_delete_module, "dtls", O_NONBLOCK));
	ASSERT_EQ(0, system("modprobe dtls"));
	ASSERT_OK(link_open(&self->l, AF_INET, variant->cipher, 0));
	ASSERT_OK(dtls_attach(self->l.a));
}

FIXTURE_TEARDOWN(fresh)
{
	link_close(&self->l);
}

static void *read_on(void *arg)
{
	FIXTURE_DATA(fresh) *self = arg;
	char buf[64];

	while (!__atomic_load_n(&self->stop, __ATOMIC_RELAXED))
		recv(self->l.a, buf, sizeof(buf), 0);
	return NULL;
}

/* Handshake records, which need no key, keep a reader at work. */
static void *flood(void *arg)
{
	FIXTURE_DATA(fresh) *self = arg;
	static __u8 out[20000];
	size_t n = 0;
	__u64 seq = 0;

	while (n + 20 < sizeof(out))
		n += plain_record(CT_HANDSHAKE, 0, seq++, "x", 1, out + n);
	while (!__atomic_load_n(&self->quiet, __ATOMIC_RELAXED)) {
		send(self->l.b, out, n, 0);
		usleep(100);
	}
	return NULL;
}

/* KASAN tells of a request that is longer than what it lies in. */
TEST_F(fresh, key_comes_while_a_reader_is_at_work)
{
	struct link *l = &self->l;
	struct dtls_counters counters;
	unsigned int i;

	ASSERT_EQ(0, pthread_create(&self->thread[0], NULL, read_on, self));
	usleep(100000);
	ASSERT_EQ(0, pthread_create(&self->thread[1], NULL, flood, self));
	usleep(200000);
	ASSERT_OK(dtls_set_key(l->a, DTLS_RX, &l->ba));
	/*
	 * The reader meets the first of these in the look it was at when the
	 * key came; the others come when the flood no longer fills the buffer.
	 */
	for (i = 0; i < 20; i++)
		link_send(l, CT_DATA, "x", 1);
	__atomic_store_n(&self->quiet, true, __ATOMIC_RELAXED);
	pthread_join(self->thread[1], NULL);
	do {
		for (i = 0; i < 20; i++)
			link_send(l, CT_DATA, "x", 1);
		usleep(10000);
		ASSERT_OK(dtls_get_counters(l->a, &counters));
	} while (counters.rx_records < 100);
	__atomic_store_n(&self->stop, true, __ATOMIC_RELAXED);
	shutdown(l->a, SHUT_RD);
	pthread_join(self->thread[0], NULL);
}

/*
 * Memory is in single pages: a record of more lies in several of them. These tests are the
 * last ones, and leave it so until the program ends: with each change the kernel patches
 * its own text, which is what emulators are worst at.
 */

LINK_FIXTURE(single_pages);

LINK_VARIANT(single_pages, v4, DTLS_CIPHER_AES_GCM_128, AF_INET, 0);
LINK_VARIANT(single_pages, v6_cid, DTLS_CIPHER_CHACHA20_POLY1305, AF_INET6, 255);
LINK_VARIANT(single_pages, v13_v6, V13(DTLS_CIPHER_AES_GCM_128), AF_INET6, 0);
LINK_VARIANT(single_pages, v13_v4_cid, V13(DTLS_CIPHER_AES_CCM_128), AF_INET, 20);

FIXTURE_SETUP(single_pages)
{
	ASSERT_OK(write_number(HIGH_ORDER, 1));
	open_link(_metadata, &self->l, variant->family, variant->cipher,
		  variant->cid_len);
}

FIXTURE_TEARDOWN(single_pages)
{
	write_number(SKB_FRAGS, skb_frags);
	link_close(&self->l);
}

TEST_F(single_pages, long_records_need_no_neighbouring_pages)
{
	all_sizes_arrive(_metadata, &self->l);
}

TEST_F(single_pages, long_records_fit_an_skb_of_few_pages)
{
	ASSERT_OK(write_number(SKB_FRAGS, 2));
	ASSERT_EQ(PLAIN_MAX, send(self->l.a, text, PLAIN_MAX, 0));
}

TEST_HARNESS_MAIN
