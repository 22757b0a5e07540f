// SPDX-License-Identifier: GPL-2.0
/*
 * Floods: what anybody can send costs a bounded amount of work, keeps no
 * reader, and is seen by the system's own counters. And relays: whoever can
 * still write to the pages a record lies in does not change what is read.
 */
#include "harness.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <linux/sock_diag.h>

#include "common.h"
#include "traffic.h"

static __u8 text[1 << 16], buf[1 << 17], wire[1 << 17];

LINK_FIXTURE(flood);

LINK_VARIANT(flood, v12, DTLS_CIPHER_AES_GCM_128, AF_INET, 0);
LINK_VARIANT(flood, v12_cid, DTLS_CIPHER_AES_GCM_128, AF_INET6, 8);
LINK_VARIANT(flood, v13, V13(DTLS_CIPHER_AES_GCM_128), AF_INET6, 0);

LINK_SETUP(flood, text)

/* The drops of the socket (ss -m) and UDP's, of all sockets together */
enum { DROPS, IN_ERRORS, CSUM_ERRORS, N_FIGURES };

static void figures(struct __test_metadata *_metadata, int fd, int family,
		    long *f)
{
	__u32 info[SK_MEMINFO_VARS] = {};
	socklen_t len = sizeof(info);

	ASSERT_OK(getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len));
	f[DROPS] = info[SK_MEMINFO_DROPS];
	f[IN_ERRORS] = udp_counter(family, "InErrors");
	f[CSUM_ERRORS] = udp_counter(family, "InCsumErrors");
	ASSERT_LE(0, f[IN_ERRORS]);
	ASSERT_LE(0, f[CSUM_ERRORS]);
}

static void send_wire(struct __test_metadata *_metadata, struct link *l,
		      size_t len)
{
	ASSERT_EQ((ssize_t)len, send(l->b, wire, len, 0));
}

static void nothing_to_read(struct __test_metadata *_metadata, struct link *l)
{
	ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
}

static void still_works(struct __test_metadata *_metadata, struct link *l)
{
	ASSERT_EQ(60, link_send(l, CT_DATA, text + 1000, 60));
	ASSERT_EQ(60, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_EQ(0, memcmp(buf, text + 1000, 60));
}

/* Records of known length that are none of ours: no number, no such ID, … */
static size_t unwanted(const struct link *l, size_t room)
{
	bool v13 = IS_V13(l->ba.cipher);
	size_t one = v13 ? 4 : HEADER_LEN + l->ba.cid_len, n;

	for (n = 0; n + one <= room; n += one) {
		memset(wire + n, 0, one);
		if (v13) {
			/* A unified header, and nothing behind it */
			wire[n] = 0x20 | 0x04 | 3;
			continue;
		}
		/* An epoch that is neither there nor next; or another's ID */
		wire[n] = l->ba.cid_len ? CT_CID : CT_DATA;
		wire[n + 1] = 0xfe;
		wire[n + 2] = 0xfd;
		wire[n + 3] = l->ba.cid_len ? 0 : 0x7f;
		wire[n + 4] = 1;
	}
	return n;
}

static unsigned long long unwanted_count(const struct dtls_counters *c)
{
	return c->rx_malformed + c->rx_no_key + c->rx_auth_failed;
}

/* Of thousands of useless records in one datagram few are looked at. */
TEST_F(flood, a_datagram_of_useless_records_is_given_up)
{
	struct dtls_counters before, now;
	struct link *l = &self->l;

	ASSERT_OK(dtls_get_counters(l->a, &before));
	send_wire(_metadata, l, unwanted(l, 60000));
	nothing_to_read(_metadata, l);
	ASSERT_OK(dtls_get_counters(l->a, &now));
	EXPECT_LT(unwanted_count(&before), unwanted_count(&now));
	EXPECT_GE(unwanted_count(&before) + 16, unwanted_count(&now));
	still_works(_metadata, l);
}

/* A datagram of forgeries, which of all records cost most; returns its bytes */
static size_t forgeries(const struct link *l)
{
	size_t len = 0;

	while (len < 60000) {
		len += peer_seal_more(&l->ba, CT_DATA, 1000 + len, text, 1,
				      wire + len);
		wire[len - 1] ^= 1;
	}
	return len;
}

/* Likewise of thousands of forgeries */
TEST_F(flood, a_datagram_of_forgeries_is_given_up)
{
	struct dtls_counters before, now;
	struct link *l = &self->l;
	size_t len = forgeries(l);

	ASSERT_OK(dtls_get_counters(l->a, &before));
	send_wire(_metadata, l, len);
	nothing_to_read(_metadata, l);
	ASSERT_OK(dtls_get_counters(l->a, &now));
	EXPECT_LT(before.rx_auth_failed, now.rx_auth_failed);
	EXPECT_GE(before.rx_auth_failed + 16, now.rx_auth_failed);
	still_works(_metadata, l);
}

/* A few do not spoil what is genuine behind them in the same datagram. */
TEST_F(flood, genuine_records_behind_a_few_useless_ones_are_read)
{
	struct link *l = &self->l;
	size_t len, forged;
	int i;

	len = unwanted(l, 4 * (HEADER_LEN + l->ba.cid_len));
	if (IS_V13(variant->cipher))
		len = 3 * 4;
	forged = peer_seal_more(&l->ba, CT_DATA, 500, text, 10, wire + len);
	len += forged;
	wire[len - 1] ^= 1;
	for (i = 0; i < 40; i++)
		len += peer_seal_more(&l->ba, CT_DATA, l->b_seq++, text + i,
				      100, wire + len);
	/* An unknown ID in DTLS 1.3 would take the rest with it. */
	send_wire(_metadata, l, len);
	for (i = 0; i < 40; i++) {
		ASSERT_EQ(100, recv_now(l->a, buf, sizeof(buf)));
		ASSERT_EQ(0, memcmp(buf, text + i, 100));
	}
	nothing_to_read(_metadata, l);
}

/* A flight of many records in the clear is shown whole. */
TEST_F(flood, a_handshake_datagram_of_many_records_is_shown_whole)
{
	struct dtls_record_info info;
	struct link *l = &self->l;
	size_t len = 0;
	__u64 i;

	for (i = 0; i < 14; i++)
		len += plain_record(CT_HANDSHAKE, 0, i, text, 100, wire + len);
	send_wire(_metadata, l, len);
	for (i = 0; i < 14; i++) {
		ASSERT_EQ(HEADER_LEN + 100,
			  recv_control(l->a, &info, buf, sizeof(buf)));
		EXPECT_EQ(i, info.seq);
	}
}

/*
 * A signal ends a reader's call however many datagrams of @len bytes in wire come.
 * The reader has a processor of its own, and the queue is deep: the reader does not
 * come to its end, as long as it looks at each record.
 */
static void ends_by_signal(struct __test_metadata *_metadata, struct link *l,
			   size_t len)
{
	int status, i, n = rounds(8000, 800);
	bool dead = false;
	pid_t child;

	ASSERT_OK(deep_queue(l->a));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		stay_on(0);
		recv(l->a, buf, sizeof(buf), 0);
		_exit(0);
	}
	stay_on(1);
	for (i = 0; i < n && !dead; i++) {
		send(l->b, wire, len, MSG_DONTWAIT);
		if (i == n / 8)
			ASSERT_OK(kill(child, SIGKILL));
		if (i > n / 8)
			dead = waitpid(child, &status, WNOHANG) == child;
	}
	EXPECT_TRUE(dead)
		TH_LOG("it ran as long as the flood, of %d datagrams", i);
	if (!dead)
		waitpid(child, &status, 0);
}

/* Useless records are dropped by their headers, before a key is looked for. */
TEST_F(flood, a_flood_of_useless_records_does_not_hold_a_reader)
{
	ends_by_signal(_metadata, &self->l, unwanted(&self->l, 60000));
}

/* Forgeries are opened first, which costs most. */
TEST_F(flood, a_flood_of_forgeries_does_not_hold_a_reader)
{
	ends_by_signal(_metadata, &self->l, forgeries(&self->l));
}

/*
 * Counted by the system
 */

static void counted(struct __test_metadata *_metadata, struct link *l,
		    int family, size_t len, bool csum)
{
	long before[N_FIGURES], now[N_FIGURES];

	figures(_metadata, l->a, family, before);
	send_wire(_metadata, l, len);
	nothing_to_read(_metadata, l);
	figures(_metadata, l->a, family, now);
	EXPECT_EQ(before[DROPS] + 1, now[DROPS]);
	EXPECT_EQ(before[IN_ERRORS] + 1, now[IN_ERRORS]);
	EXPECT_EQ(before[CSUM_ERRORS] + csum, now[CSUM_ERRORS]);
}

TEST_F(flood, drops_are_in_the_system_s_counters)
{
	struct link *l = &self->l;
	size_t len;

	/* Nothing sensible */
	memset(wire, 0xff, 100);
	counted(_metadata, l, variant->family, 100, false);

	/* A forgery */
	len = peer_seal(&l->ba, CT_DATA, 7, text, 100, wire);
	wire[len - 1] ^= 1;
	counted(_metadata, l, variant->family, len, false);

	/* A record that came before */
	len = peer_seal(&l->ba, CT_DATA, 8, text, 100, wire);
	send_wire(_metadata, l, len);
	ASSERT_EQ(100, recv(l->a, buf, sizeof(buf), 0));
	counted(_metadata, l, variant->family, len, false);

	/* What is read is no drop. */
	l->b_seq = 100;
	still_works(_metadata, l);
}

/* UDP counts what is lost to a bad buffer, too, and so it does if poll() opened it. */
TEST_F(flood, a_bad_buffer_is_in_the_system_s_counters)
{
	long before[N_FIGURES], now[N_FIGURES];
	struct link *l = &self->l;
	struct pollfd p = { .fd = l->a, .events = POLLIN };
	int polled;

	for (polled = 0; polled < 2; polled++) {
		ASSERT_EQ(100, link_send(l, CT_DATA, text, 100));
		settle();
		if (polled)
			ASSERT_EQ(1, poll(&p, 1, 0));
		figures(_metadata, l->a, variant->family, before);
		ASSERT_ERRNO(EFAULT, recv(l->a, (void *)8, 100, 0));
		figures(_metadata, l->a, variant->family, now);
		EXPECT_EQ(before[DROPS] + 1, now[DROPS]);
		EXPECT_EQ(before[IN_ERRORS] + 1, now[IN_ERRORS]);
	}
	still_works(_metadata, l);
}

/* A wrong sum ends the whole datagram, however many records are in it. */
TEST_F(flood, a_damaged_datagram_is_one_checksum_error)
{
	long before[N_FIGURES], now[N_FIGURES];
	struct dtls_record_info info;
	struct link *l = &self->l;
	size_t len = 0;
	int i;

	for (i = 0; i < 1000; i++)
		len += plain_record(CT_HANDSHAKE, 0, i, text, 30, wire + len);
	figures(_metadata, l->a, variant->family, before);
	/* One of two different sums is wrong. */
	ASSERT_OK(link_send_damaged(l, wire, len, 2));
	nothing_to_read(_metadata, l);
	figures(_metadata, l->a, variant->family, now);
	EXPECT_LE(before[CSUM_ERRORS] + 1, now[CSUM_ERRORS]);
	EXPECT_GE(before[CSUM_ERRORS] + 2, now[CSUM_ERRORS]);
	EXPECT_LE(before[DROPS] + 1, now[DROPS]);
	if (now[CSUM_ERRORS] == before[CSUM_ERRORS] + 2)
		ASSERT_ERRNO(EAGAIN, recv_control(l->a, &info, buf,
						  sizeof(buf)));
	still_works(_metadata, l);
}

/*
 * Relays
 */

/**
 * struct flip - somebody who goes on writing to a page that was sent
 * @at:		the byte
 * @value:	what it is and is not, in turns
 * @on:		do it
 * @end:	go home
 */
struct flip {
	volatile __u8 *at;
	__u8 value[2];
	volatile int on;
	volatile int end;
};

static void *flipper(void *arg)
{
	struct flip *f = arg;
	unsigned int i, wait = 0;

	while (!f->end) {
		if (!f->on)
			continue;
		*f->at = f->value[1];
		/* Different waits, so that one is as long as a cipher's pass. */
		wait = (wait + 37) % 1000;
		for (i = 0; i < wait && f->on; i++)
			__asm__ volatile("");
		*f->at = f->value[0];
		for (i = 0; i < wait && f->on; i++)
			__asm__ volatile("");
	}
	return NULL;
}

/* Let @f write to @at, which has the right byte now, as soon as f->on is set. */
static void aim(struct flip *f, __u8 *at)
{
	f->at = at;
	f->value[0] = *at;
	f->value[1] = *at ^ 1;
}

#define RELAYED	8000
/* The datagrams of a super-packet, each of which lies in one page of any size */
#define SEGMENT		4096
#define SEGMENTS	4

FIXTURE(relay)
{
	struct link l;
	struct flip flip;
	pthread_t thread;
	__u8 *map;
	int file;
};

FIXTURE_VARIANT(relay)
{
	__u16 cipher;
};

/*
 * Ciphers that verify the ciphertext in one pass and decrypt it in another. CCM
 * verifies what it has decrypted.
 */
FIXTURE_VARIANT_ADD(relay, chacha) { DTLS_CIPHER_CHACHA20_POLY1305 };
FIXTURE_VARIANT_ADD(relay, gcm) { DTLS_CIPHER_AES_GCM_128 };
FIXTURE_VARIANT_ADD(relay, v13) { V13(DTLS_CIPHER_CHACHA20_POLY1305) };

FIXTURE_SETUP(relay)
{
	ASSERT_OK(link_raw(&self->l, AF_INET, variant->cipher, 0));
	self->file = memfd_create("relay", 0);
	ASSERT_LE(0, self->file);
	ASSERT_OK(ftruncate(self->file, DGRAM_MAX));
	self->map = mmap(NULL, DGRAM_MAX, PROT_READ | PROT_WRITE, MAP_SHARED,
			 self->file, 0);
	ASSERT_NE(MAP_FAILED, self->map);
	fill(text, sizeof(text), 7);
	ASSERT_OK(pthread_create(&self->thread, NULL, flipper, &self->flip));
}

FIXTURE_TEARDOWN(relay)
{
	self->flip.end = 1;
	pthread_join(self->thread, NULL);
	munmap(self->map, DGRAM_MAX);
	close(self->file);
	link_close(&self->l);
}

/*
 * A relay passes records on by reference and goes on writing to them. What is
 * read was sealed by the peer, or is not read at all.
 */
TEST_F(relay, what_is_read_is_what_was_sealed)
{
	struct flip *f = &self->flip;
	struct link *l = &self->l;
	int i, n = rounds(3000, 200), read = 0;

	for (i = 0; i < n; i++) {
		size_t len, at;
		off_t off = 0;
		ssize_t got;

		len = peer_seal(&l->ba, CT_DATA, i, text, RELAYED, wire);
		memcpy(self->map, wire, len);
		at = len - 16 - RELAYED + 64;
		aim(f, self->map + at);
		ASSERT_EQ((ssize_t)len, sendfile(l->b, self->file, &off, len));
		f->on = 1;
		got = recv_now(l->a, buf, sizeof(buf));
		f->on = 0;
		if (got < 0)
			continue;
		read++;
		ASSERT_EQ(RELAYED, got);
		ASSERT_EQ(0, memcmp(buf, text, RELAYED))
			TH_LOG("altered after %d records", i);
		usleep(10);
	}
	EXPECT_LT(0, read);
}

/*
 * Records that follow the first ones in a super-packet are admitted together, and what
 * is read of them was sealed, too. The third record is written to.
 */
TEST_F(relay, what_is_read_of_a_super_packet_is_what_was_sealed)
{
	int i, n = rounds(3000, 200), gso, on = 1, segment = SEGMENT;
	struct flip *f = &self->flip;
	struct link *l = &self->l;
	ssize_t size = SEGMENT - peer_overhead(&l->ba), got, at;
	int together = 0;

	ASSERT_OK(setsockopt(l->b, SOL_UDP, UDP_SEGMENT, &segment,
			     sizeof(segment)));
	ASSERT_OK(setsockopt(l->a, SOL_UDP, UDP_GRO, &on, sizeof(on)));
	for (i = 0; i < n; i++) {
		size_t len = 0;
		off_t off = 0;

		while (len < SEGMENTS * SEGMENT)
			len += peer_seal(&l->ba, CT_DATA, l->b_seq++, text,
					 size, wire + len);
		memcpy(self->map, wire, len);
		aim(f, self->map + 2 * SEGMENT + 100);
		ASSERT_EQ((ssize_t)len, sendfile(l->b, self->file, &off, len));
		settle();
		f->on = 1;
		while ((got = recv_segments(l->a, buf, sizeof(buf), &gso,
					    MSG_DONTWAIT)) > 0) {
			for (at = 0; at < got; at += size)
				ASSERT_EQ(0, memcmp(buf + at, text, size))
					TH_LOG("altered after %d packets", i);
			ASSERT_EQ(at, got);
			together += gso == size && got > size;
		}
		f->on = 0;
		usleep(10);
	}
	EXPECT_LT(0, together);
}

/*
 * Return true if the socket has a datagram of which @byte is the last one, and has it as it
 * was before somebody wrote to it. If so, all of it is read.
 */
static bool copies(int fd, const __u8 *byte)
{
	struct dtls_record_info info;
	ssize_t n, last = 0;

	while ((n = recv_control(fd, &info, buf, sizeof(buf))) > 0)
		last = n;
	return last && buf[last - 1] != *byte;
}

/*
 * A datagram of records that no AEAD verifies is summed once: what is written to it
 * afterwards is not noticed, and before that is. Each datagram is sent in two parts, as
 * one that is sent whole needs no sum on the loopback device.
 */
TEST_F(relay, a_datagram_is_summed_once)
{
	long before[N_FIGURES], now[N_FIGURES];
	struct dtls_record_info info;
	struct link *l = &self->l;
	size_t len = 0, first = 0;
	int late;
	__u64 i;

	stay();
	for (i = 0; i < 14; i++) {
		len += plain_record(CT_HANDSHAKE, 0, i, text, 100,
				    self->map + len);
		first = first ?: len;
	}
	for (late = 0; late < 2; late++) {
		off_t off = first;

		figures(_metadata, l->a, AF_INET, before);
		ASSERT_EQ((ssize_t)first,
			  send(l->b, self->map, first, MSG_MORE));
		ASSERT_EQ((ssize_t)(len - first),
			  sendfile(l->b, self->file, &off, len - first));
		if (late)
			ASSERT_EQ(HEADER_LEN + 100,
				  recv_control(l->a, &info, buf, sizeof(buf)));
		self->map[len - 1] ^= 1;
		/* All records come then, and the last one is not what was written. */
		if (!late && copies(l->a, self->map + len - 1))
			SKIP(return, "sendfile copies what is in a memfd here");
		for (i = 1; late && i < 14; i++) {
			ASSERT_EQ(HEADER_LEN + 100,
				  recv_control(l->a, &info, buf, sizeof(buf)));
			EXPECT_EQ(i, info.seq);
		}
		ASSERT_ERRNO(EAGAIN,
			     recv_control(l->a, &info, buf, sizeof(buf)));
		figures(_metadata, l->a, AF_INET, now);
		EXPECT_EQ(before[CSUM_ERRORS] + !late, now[CSUM_ERRORS]);
	}
}

/*
 * Who watches
 */

#define TRACING	"/sys/kernel/tracing/"

static void trace(struct __test_metadata *_metadata, const char *file,
		  const char *value)
{
	char path[100];
	int fd;

	snprintf(path, sizeof(path), TRACING "%s", file);
	fd = open(path, O_WRONLY | O_TRUNC);
	ASSERT_LE(0, fd) TH_LOG("%s: %s", path, strerror(errno));
	if (*value)
		ASSERT_EQ((ssize_t)strlen(value),
			  write(fd, value, strlen(value)));
	close(fd);
}

/* How many datagrams were dropped for @reason while the kernel was traced */
static int traced(const char *reason)
{
	FILE *f = fopen(TRACING "trace", "r");
	char line[512];
	int n = 0;

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, "kfree_skb:") && strstr(line, reason);
	if (f)
		fclose(f);
	return n;
}

/*
 * dropwatch and its like listen to the event kfree_skb. This test is the last one, and leaves
 * the event on until the program ends: with each change the kernel patches its own text, which
 * is what emulators are worst at.
 */
#define KFREE_SKB	"events/skb/kfree_skb/enable"

static pid_t program;

static void __attribute__((constructor)) note_program(void)
{
	program = getpid();
}

static void __attribute__((destructor)) stop_tracing(void)
{
	int fd = getpid() == program ? open(TRACING KFREE_SKB, O_WRONLY) : -1;

	if (fd >= 0 && write(fd, "0", 1) != 1)
		perror(TRACING KFREE_SKB);
	close(fd);
}

LINK_FIXTURE(watched);

LINK_VARIANT(watched, v12, DTLS_CIPHER_AES_GCM_128, AF_INET, 0);
LINK_VARIANT(watched, v12_cid, DTLS_CIPHER_AES_GCM_128, AF_INET6, 8);
LINK_VARIANT(watched, v13, V13(DTLS_CIPHER_AES_GCM_128), AF_INET6, 0);

LINK_SETUP(watched, text)

TEST_F(watched, drops_are_told_to_who_watches)
{
	struct link *l = &self->l;
	size_t len;
	int i;

	trace(_metadata, "trace", "");
	trace(_metadata, KFREE_SKB, "1");
	memset(wire, 0xff, 100);
	for (i = 0; i < 5; i++)
		send_wire(_metadata, l, 100);
	nothing_to_read(_metadata, l);
	len = peer_seal(&l->ba, CT_DATA, 7, text, 100, wire);
	wire[len - 1] ^= 1;
	for (i = 0; i < 5; i++)
		send_wire(_metadata, l, len);
	nothing_to_read(_metadata, l);
	/* What is read is not dropped. */
	for (i = 0; i < 5; i++)
		still_works(_metadata, l);
	EXPECT_EQ(5, traced("reason: INVALID_PROTO"));
	EXPECT_EQ(5, traced("reason: XFRM_POLICY"));
}

TEST_HARNESS_MAIN
