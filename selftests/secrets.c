// SPDX-License-Identifier: GPL-2.0
/*
 * What was secret is gone: after the last close neither a key nor a byte of
 * plaintext is left in the machine's memory, of which /proc/kcore shows all.
 *
 * Keys and plaintext are made of one secret here, of which this program keeps
 * nothing but the complement. The secret goes through no vector register, as
 * the kernel would keep that with the task.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <sys/random.h>

#include "common.h"

#define SECRET_LEN	32
#define REPEATED	16

static volatile __u8 complement[SECRET_LEN];

/* Write the secret @n times to @to. */
static void put_secret(void *to, unsigned int n)
{
	volatile __u8 *p = to;
	unsigned int i;

	for (i = 0; i < n * SECRET_LEN; i++)
		p[i] = complement[i % SECRET_LEN] ^ 0xff;
}

static bool is_secret(const void *at, unsigned int n)
{
	const volatile __u8 *p = at;
	unsigned int i;

	for (i = 0; i < n * SECRET_LEN; i++)
		if ((p[i] ^ complement[i % SECRET_LEN]) != 0xff)
			return false;
	return true;
}

static void forget(void *at, size_t len)
{
	volatile __u8 *p = at;

	while (len--)
		*p++ = 0;
}

/* Count the places of @len bytes at @p where the secret stands. */
static unsigned int count_secrets(const __u8 *p, size_t len)
{
	const __u8 *end = p + len - SECRET_LEN + 1;
	unsigned int n = 0;

	while (p < end) {
		p = memchr(p, complement[0] ^ 0xff, end - p);
		if (!p)
			break;
		n += is_secret(p, 1);
		p++;
	}
	return n;
}

#define WINDOW		(1 << 20)	/* a multiple of every page's size */

/* Likewise of @len bytes of @core, at most WINDOW, as far as they can be read. */
static unsigned int search_window(int core, ElfW(Off) from, size_t len)
{
	static __u8 window[WINDOW];
	ssize_t got = pread(core, window, len, from);
	unsigned int n = 0;

	if (got >= SECRET_LEN)
		n = count_secrets(window, got);
	forget(window, n ? sizeof(window) : 0);
	return n;
}

/* Likewise of one segment of @core, up to @enough */
static unsigned int search_segment(int core, const ElfW(Phdr) *segment,
				   unsigned int enough)
{
	unsigned int n = 0;
	ElfW(Off) at;
	size_t len;

	for (at = 0; n < enough && at < segment->p_filesz;
	     at += WINDOW - SECRET_LEN) {
		len = WINDOW;
		if (len > segment->p_filesz - at)
			len = segment->p_filesz - at;
		n += search_window(core, segment->p_offset + at, len);
	}
	return n;
}

/* Read a window of the segment where the secret does not stand. */
static bool read_another(int core, const ElfW(Phdr) *segment)
{
	ElfW(Off) at;

	for (at = 0; at + WINDOW <= segment->p_filesz; at += WINDOW)
		if (!search_window(core, segment->p_offset + at, WINDOW))
			return true;
	return false;
}

/* What has no physical address maps memory that other segments show. */
static bool is_memory(const ElfW(Phdr) *segment)
{
	return segment->p_type == PT_LOAD && segment->p_paddr != (ElfW(Addr))-1;
}

/*
 * Count the places in the machine's memory where the secret stands, until there
 * are @enough; -1: there is no /proc/kcore.
 */
static int count_in_memory(int enough)
{
	static ElfW(Phdr) segments[512];
	int core = open("/proc/kcore", O_RDONLY), n = 0, i;
	ElfW(Ehdr) head;

	if (core < 0)
		return -1;
	if (pread(core, &head, sizeof(head), 0) != sizeof(head) ||
	    head.e_phnum > ARRAY_SIZE(segments) ||
	    pread(core, segments, head.e_phnum * sizeof(*segments),
		  head.e_phoff) < 0)
		n = -1;
	for (i = 0; n >= 0 && n < enough && i < head.e_phnum; i++)
		if (is_memory(&segments[i]))
			n += search_segment(core, &segments[i], enough - n);
	/*
	 * The kernel reads page by page into a buffer of its own, and frees that with the
	 * last page that it read. A page with the secret would be found there later.
	 */
	for (i = 0; n > 0 && i < head.e_phnum; i++)
		if (is_memory(&segments[i]) && read_another(core, &segments[i]))
			break;
	close(core);
	return n;
}

static int set_secret_key(int fd, int direction, __u16 version, __u16 cipher)
{
	static struct dtls_key_info key;
	int ret;

	key.version = version;
	key.cipher = cipher;
	key.epoch = version == DTLS_VERSION_1_3 ? 3 : 1;
	put_secret(key.key, 1);
	if (version == DTLS_VERSION_1_3)
		put_secret(key.sn_key, 1);
	ret = setsockopt(fd, SOL_DTLS, direction, &key, sizeof(key));
	forget(&key, sizeof(key));
	return ret;
}

/* How the reader gets to a record */
enum reading { RECV, POLL, PEEK };

/*
 * The secret goes there under the secret. It is read at once, or after poll() had
 * the record opened; or it is looked at and left in the socket.
 */
static void use_secret(struct __test_metadata *_metadata, int a, int b,
		       __u16 version, __u16 cipher, enum reading reading)
{
	static __u8 text[REPEATED * SECRET_LEN];

	ASSERT_OK(dtls_attach(a));
	ASSERT_OK(dtls_attach(b));
	ASSERT_OK(set_secret_key(a, DTLS_TX, version, cipher));
	ASSERT_OK(set_secret_key(b, DTLS_RX, version, cipher));
	put_secret(text, REPEATED);
	ASSERT_EQ(sizeof(text), send(a, text, sizeof(text), 0));
	forget(text, sizeof(text));
	if (reading == POLL)
		ASSERT_EQ(POLLIN, poll_for(b, POLLIN, SOON_MS));
	ASSERT_EQ(sizeof(text), recv(b, text, sizeof(text),
				     reading == PEEK ? MSG_PEEK : 0));
	ASSERT_TRUE(is_secret(text, REPEATED));
	forget(text, sizeof(text));
}

TEST(nothing_secret_is_left_in_memory)
{
	static const struct {
		__u16 version, cipher;
		enum reading reading;
	} uses[] = {
		{ DTLS_VERSION_1_2, DTLS_CIPHER_AES_GCM_256, RECV },
		{ DTLS_VERSION_1_2, DTLS_CIPHER_AES_GCM_256, POLL },
		{ DTLS_VERSION_1_2, DTLS_CIPHER_AES_GCM_256, PEEK },
		{ DTLS_VERSION_1_2, DTLS_CIPHER_CHACHA20_POLY1305, RECV },
		{ DTLS_VERSION_1_2, DTLS_CIPHER_AES_CCM_256, RECV },
		{ DTLS_VERSION_1_3, DTLS_CIPHER_AES_GCM_256, RECV },
		{ DTLS_VERSION_1_3, DTLS_CIPHER_CHACHA20_POLY1305, RECV },
	};
	int a[ARRAY_SIZE(uses)], b[ARRAY_SIZE(uses)], left, tries = 0;
	unsigned int i;

	if (slow())
		SKIP(return, "all memory is read");
	ASSERT_EQ(SECRET_LEN, getrandom((void *)complement, SECRET_LEN, 0));
	for (i = 0; i < ARRAY_SIZE(uses); i++) {
		ASSERT_OK(udp_pair(AF_INET, &a[i], &b[i]));
		use_secret(_metadata, a[i], b[i], uses[i].version,
			   uses[i].cipher, uses[i].reading);
	}
	/* The keys, as long as they are in use */
	left = count_in_memory(ARRAY_SIZE(uses));
	if (left < 0)
		SKIP(return, "no /proc/kcore");
	ASSERT_LE((int)ARRAY_SIZE(uses), left);
	for (i = 0; i < ARRAY_SIZE(uses); i++) {
		close(a[i]);
		close(b[i]);
	}
	/* Some go a moment after the close. */
	do {
		sleep(1);
		left = count_in_memory(1);
	} while (left && tries++ < 5);
	EXPECT_EQ(0, left);
}

/* Give the association @id a key that is the secret, and let a record be sealed. */
static int use_secret_of_one(int fd, __u64 id, __u16 version, __u16 cipher)
{
	static struct dtls_key_info key;
	struct dtls_assoc_peer p = { .id = id };
	int ret;

	p.peer.family = AF_INET;
	p.peer.port = htons(id);
	p.peer.addr[0] = 127;
	p.peer.addr[3] = 1;
	key.id = id;
	key.version = version;
	key.cipher = cipher;
	key.epoch = version == DTLS_VERSION_1_3 ? 3 : 1;
	put_secret(key.key, 1);
	if (version == DTLS_VERSION_1_3)
		put_secret(key.sn_key, 1);
	ret = setsockopt(fd, SOL_DTLS, DTLS_ASSOC_ADD, &p, sizeof(p)) ||
	      setsockopt(fd, SOL_DTLS, DTLS_TX, &key, sizeof(key)) ||
	      setsockopt(fd, SOL_DTLS, DTLS_RX, &key, sizeof(key));
	forget(&key, sizeof(key));
	return ret ? -1 : 0;
}

static ssize_t send_to_one(int fd, __u64 id)
{
	char space[CMSG_SPACE(sizeof(id))] = "", text[100] = "";
	struct iovec iov = { text, sizeof(text) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = space,
			      .msg_controllen = sizeof(space) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_DTLS;
	cmsg->cmsg_type = DTLS_ASSOC;
	cmsg->cmsg_len = CMSG_LEN(sizeof(id));
	memcpy(CMSG_DATA(cmsg), &id, sizeof(id));
	return sendmsg(fd, &msg, 0);
}

/*
 * Round keys of AES (FIPS 197 5.2), in plain bytes: a library would leave parts of them
 * in vector registers.
 */
#define SCHEDULE	240

static __u8 times(__u8 a, __u8 b)
{
	__u8 product = 0;

	for (; b; b >>= 1, a = a << 1 ^ (a >> 7) * 0x1b)
		if (b & 1)
			product ^= a;
	return product;
}

static __u8 substitute(__u8 a)
{
	__u8 inverse = 0, result, i;
	int b;

	for (b = 1; b < 256 && !inverse; b++)
		if (times(a, b) == 1)
			inverse = b;
	result = inverse;
	for (i = 0; i < 4; i++) {
		inverse = inverse << 1 | inverse >> 7;
		result ^= inverse;
	}
	return result ^ 0x63;
}

/* Write the round keys of the 32 bytes @key to @w, one byte at a time. */
static void expand(const __u8 *key, volatile __u8 *w)
{
	__u8 constant = 1, byte;
	unsigned int i, from;

	for (i = 0; i < 32; i++)
		w[i] = key[i];
	for (; i < SCHEDULE; i++) {
		from = i - 4;
		if (i % 32 < 4)
			from = i - i % 4 - 4 + (i + 1) % 4;
		byte = w[from];
		if (i % 16 < 4)
			byte = substitute(byte);
		if (i % 32 == 0) {
			byte ^= constant;
			constant = times(constant, 2);
		}
		w[i] = w[i - 32] ^ byte;
	}
}

/* Add the association @id with the @len bytes at @raw as its write key. */
static int add_with_key(int fd, __u64 id, __u16 cipher, const volatile __u8 *raw,
			unsigned int len)
{
	struct dtls_assoc_peer p = { .id = id, .peer.family = AF_INET };
	static struct dtls_key_info key;
	unsigned int i;
	int ret;

	p.peer.port = htons(id);
	p.peer.addr[0] = 127;
	key.id = id;
	key.version = DTLS_VERSION_1_2;
	key.cipher = cipher;
	key.epoch = 1;
	for (i = 0; i < len; i++)
		((volatile __u8 *)key.key)[i] = raw[i];
	ret = setsockopt(fd, SOL_DTLS, DTLS_ASSOC_ADD, &p, sizeof(p)) ||
	      setsockopt(fd, SOL_DTLS, DTLS_TX, &key, sizeof(key));
	forget(&key, sizeof(key));
	return ret ? -1 : 0;
}

/*
 * Keys of 16 bytes come behind one of 32, and may be in its transform then. The secret is
 * the last eight round keys' words of the long key, which tell the key.
 */
TEST(nothing_of_a_long_key_is_left_behind_short_ones)
{
	static const struct {
		__u16 of_32, of_16;
	} ciphers[] = {
		{ DTLS_CIPHER_AES_GCM_256, DTLS_CIPHER_AES_GCM_128 },
		{ DTLS_CIPHER_AES_CCM_256, DTLS_CIPHER_AES_CCM_128 },
	};
	static __u8 key[32], w[SCHEDULE], other[16];
	struct dtls_assoc_table table = { .max = 0 };
	int server = udp_socket(AF_INET), left, tries = 0;
	unsigned int i, n;
	__u64 id = 0;

	if (slow())
		SKIP(return, "all memory is read");
	stay();
	ASSERT_OK(dtls_attach(server));
	ASSERT_OK(setsockopt(server, SOL_DTLS, DTLS_ASSOC_TABLE, &table,
			     sizeof(table)));
	ASSERT_EQ(32, getrandom(key, sizeof(key), 0));
	expand(key, w);
	for (i = 0; i < SECRET_LEN; i++)
		complement[i] = w[SCHEDULE - SECRET_LEN + i] ^ 0xff;
	forget(w, sizeof(w));
	for (i = 0; i < ARRAY_SIZE(ciphers); i++)
		ASSERT_OK(add_with_key(server, 100 * i + 1, ciphers[i].of_32, key, 32));
	forget(key, sizeof(key));
	left = count_in_memory(ARRAY_SIZE(ciphers));
	if (left < (int)ARRAY_SIZE(ciphers))
		SKIP(return, "no /proc/kcore, or round keys of another form");

	for (i = 0; i < ARRAY_SIZE(ciphers); i++) {
		for (n = 2; n < 40; n++)
			ASSERT_OK(add_with_key(server, 100 * i + n, ciphers[i].of_16,
					       other, sizeof(other)));
		id = 100 * i + 1;
		ASSERT_OK(setsockopt(server, SOL_DTLS, DTLS_ASSOC_DEL, &id,
				     sizeof(id)));
	}
	do {
		sleep(1);
		left = count_in_memory(1);
	} while (left && tries++ < 5);
	EXPECT_EQ(0, left);
	close(server);
}

/* The socket stays, and so do the transforms that the association has borrowed. */
TEST(nothing_secret_is_left_of_an_association_that_was_deleted)
{
	static const struct {
		__u16 version, cipher;
	} uses[] = {
		{ DTLS_VERSION_1_2, DTLS_CIPHER_AES_GCM_256 },
		{ DTLS_VERSION_1_2, DTLS_CIPHER_CHACHA20_POLY1305 },
		{ DTLS_VERSION_1_2, DTLS_CIPHER_AES_CCM_256 },
		{ DTLS_VERSION_1_3, DTLS_CIPHER_AES_GCM_256 },
		{ DTLS_VERSION_1_3, DTLS_CIPHER_CHACHA20_POLY1305 },
	};
	struct dtls_assoc_table table = { .max = 0 };
	int server = udp_socket(AF_INET), left, tries = 0;
	__u64 i;

	if (slow())
		SKIP(return, "all memory is read");
	ASSERT_EQ(SECRET_LEN, getrandom((void *)complement, SECRET_LEN, 0));
	ASSERT_OK(dtls_attach(server));
	ASSERT_OK(setsockopt(server, SOL_DTLS, DTLS_ASSOC_TABLE, &table,
			     sizeof(table)));
	for (i = 0; i < ARRAY_SIZE(uses); i++) {
		ASSERT_OK(use_secret_of_one(server, i + 1, uses[i].version,
					    uses[i].cipher));
		ASSERT_EQ(100, send_to_one(server, i + 1));
	}
	left = count_in_memory(ARRAY_SIZE(uses));
	if (left < 0)
		SKIP(return, "no /proc/kcore");
	ASSERT_LE((int)ARRAY_SIZE(uses), left);
	for (i = 1; i <= ARRAY_SIZE(uses); i++)
		ASSERT_OK(setsockopt(server, SOL_DTLS, DTLS_ASSOC_DEL, &i,
				     sizeof(i)));
	do {
		sleep(1);
		left = count_in_memory(1);
	} while (left && tries++ < 5);
	EXPECT_EQ(0, left);
	close(server);
}

TEST_HARNESS_MAIN
