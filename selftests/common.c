// SPDX-License-Identifier: GPL-2.0
/*
 * What the selftests share; see common.h.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <openssl/evp.h>

#include "common.h"

struct cipher {
	__u16 id;
	const char *name;
	const char *evp;
	unsigned int key_len;
	unsigned int salt_len;		/* of the nonce's 12 bytes, from the IV */
	unsigned int explicit_len;	/* of the nonce's 12 bytes, on the wire */
	unsigned int tag_len;
	bool ccm;
	const char *sn;			/* for sequence numbers; NULL: no 1.3 */
};

/*
 * RFC 5288 3 (GCM), RFC 6655 3 and 4 (CCM, CCM_8), RFC 7905 2 (ChaCha20);
 * RFC 8446 B.4 and RFC 9147 4.2.3 for DTLS 1.3
 */
static const struct cipher ciphers[] = {
	{ DTLS_CIPHER_AES_GCM_128, "AES_128_GCM", "AES-128-GCM",
	  16, 4, 8, 16, false, "AES-128-ECB" },
	{ DTLS_CIPHER_AES_GCM_256, "AES_256_GCM", "AES-256-GCM",
	  32, 4, 8, 16, false, "AES-256-ECB" },
	{ DTLS_CIPHER_AES_CCM_128, "AES_128_CCM", "AES-128-CCM",
	  16, 4, 8, 16, true, "AES-128-ECB" },
	{ DTLS_CIPHER_AES_CCM_256, "AES_256_CCM", "AES-256-CCM",
	  32, 4, 8, 16, true, NULL },
	{ DTLS_CIPHER_AES_CCM_8_128, "AES_128_CCM_8", "AES-128-CCM",
	  16, 4, 8, 8, true, "AES-128-ECB" },
	{ DTLS_CIPHER_AES_CCM_8_256, "AES_256_CCM_8", "AES-256-CCM",
	  32, 4, 8, 8, true, NULL },
	{ DTLS_CIPHER_CHACHA20_POLY1305, "CHACHA20_POLY1305",
	  "ChaCha20-Poly1305", 32, 12, 0, 16, false, "ChaCha20" },
};

#define N_CIPHERS	(sizeof(ciphers) / sizeof(ciphers[0]))

static EVP_CIPHER *fetched[N_CIPHERS], *fetched_sn[N_CIPHERS];

/* For what cannot go wrong unless the test itself is broken. */
#define MUST(cond)							\
	do {								\
		if (!(cond)) {						\
			fprintf(stderr, "# %s:%d: %s\n", __FILE__,	\
				__LINE__, #cond);			\
			abort();					\
		}							\
	} while (0)

bool slow(void)
{
	return getenv("DTLS_TEST_SLOW");
}

unsigned int rounds(unsigned int n, unsigned int min)
{
	if (!slow())
		return n;
	return n / 30 > min ? n / 30 : min;
}

static const struct cipher *cipher_get(__u16 id)
{
	bool v13 = IS_V13(id);
	size_t i;

	for (i = 0; i < N_CIPHERS; i++)
		if (id == (v13 ? V13(ciphers[i].id) : ciphers[i].id) &&
		    (!v13 || ciphers[i].sn))
			return &ciphers[i];
	MUST(!"known cipher");
	return NULL;
}

const char *cipher_name(__u16 cipher)
{
	return cipher_get(cipher)->name;
}

size_t cipher_key_len(__u16 cipher)
{
	return cipher_get(cipher)->key_len;
}

size_t cipher_tag_len(__u16 cipher)
{
	return cipher_get(cipher)->tag_len;
}

/*
 * Looking a cipher up takes libcrypto longer than using it, and its own beginning longer
 * than many a test. Each test runs in a child of the program, which does both once here.
 */
__attribute__((constructor))
static void fetch_all(void)
{
	size_t i;

	for (i = 0; i < N_CIPHERS; i++) {
		fetched[i] = EVP_CIPHER_fetch(NULL, ciphers[i].evp, NULL);
		MUST(fetched[i]);
		if (!ciphers[i].sn)
			continue;
		fetched_sn[i] = EVP_CIPHER_fetch(NULL, ciphers[i].sn, NULL);
		MUST(fetched_sn[i]);
	}
}

static void put_be(__u8 *p, unsigned int n, __u64 v)
{
	while (n--) {
		p[n] = v;
		v >>= 8;
	}
}

static __u64 get_be(const __u8 *p, unsigned int n)
{
	__u64 v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

void fill(void *buf, size_t len, unsigned int seed)
{
	__u64 x = 0x9e3779b97f4a7c15ULL * (seed + 1);
	__u8 *p = buf;

	while (len--) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		*p++ = x >> 24;
	}
}

void peer_key_init(struct peer_key *k, __u16 cipher, __u64 epoch,
		   unsigned int cid_len, unsigned int who)
{
	const struct cipher *c = cipher_get(cipher);
	unsigned int seed = cipher << 20 ^ epoch << 4 ^ who;

	memset(k, 0, sizeof(*k));
	k->cipher = cipher;
	k->epoch = epoch;
	fill(k->key, c->key_len, seed);
	if (IS_V13(cipher)) {
		fill(k->iv, sizeof(k->iv), seed + 0x1000000);
		fill(k->sn_key, c->key_len, seed + 0x4000000);
	} else {
		fill(k->iv, c->salt_len, seed + 0x1000000);
	}
	if (c->explicit_len)
		fill(&k->nonce_xor, sizeof(k->nonce_xor), seed + 0x2000000);
	k->cid_len = cid_len;
	fill(k->cid, cid_len, 0x3000000 + who);
}

void key_info(const struct peer_key *k, struct dtls_key_info *ki)
{
	memset(ki, 0, sizeof(*ki));
	ki->version = IS_V13(k->cipher) ? DTLS_VERSION_1_3 : DTLS_VERSION_1_2;
	ki->cipher = cipher_get(k->cipher)->id;
	ki->epoch = k->epoch;
	ki->rec_seq = k->rec_seq;
	memcpy(ki->key, k->key, sizeof(k->key));
	memcpy(ki->iv, k->iv, sizeof(k->iv));
	memcpy(ki->sn_key, k->sn_key, sizeof(k->sn_key));
	ki->cid_len = k->cid_len;
	memcpy(ki->cid, k->cid, k->cid_len);
}

size_t peer_overhead(const struct peer_key *k)
{
	const struct cipher *c = cipher_get(k->cipher);
	size_t n = HEADER_LEN + c->explicit_len + c->tag_len;

	if (IS_V13(k->cipher))
		return 3 + k->cid_len + 1 + c->tag_len;
	return k->cid_len ? n + k->cid_len + 1 : n;
}

/* RFC 9147 4.2.3 */
void peer_mask(const struct peer_key *k, const __u8 *sample, __u8 *mask)
{
	const struct cipher *c = cipher_get(k->cipher);
	bool chacha = c->id == DTLS_CIPHER_CHACHA20_POLY1305;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	static const __u8 zeroes[16];
	int n;

	MUST(ctx);
	/* libcrypto's IV: block counter and nonce */
	MUST(EVP_CipherInit_ex2(ctx, fetched_sn[c - ciphers], k->sn_key,
				chacha ? sample : NULL, 1, NULL));
	MUST(EVP_CIPHER_CTX_set_padding(ctx, 0));
	MUST(EVP_CipherUpdate(ctx, mask, &n, chacha ? zeroes : sample, 16));
	MUST(n == 16);
	EVP_CIPHER_CTX_free(ctx);
}

/*
 * RFC 5288 3: GCMNonce is salt[4], nonce_explicit[8]; RFC 6655 3 says the same
 * of CCM. RFC 7905 2: the IV XORed with the 64-bit sequence number, which in
 * DTLS is epoch and sequence number. RFC 9147 4: without the epoch.
 */
static void make_nonce(const struct peer_key *k, const struct peer_record *rec,
		       __u8 *nonce)
{
	const struct cipher *c = cipher_get(k->cipher);
	__u8 num[8];
	int i;

	memcpy(nonce, k->iv, sizeof(k->iv));
	if (c->explicit_len && !IS_V13(k->cipher)) {
		put_be(nonce + 4, 8, rec->nonce);
		return;
	}
	put_be(num, 2, IS_V13(k->cipher) ? 0 : rec->epoch);
	put_be(num + 2, 6, rec->seq);
	for (i = 0; i < 8; i++)
		nonce[4 + i] ^= num[i];
}

/*
 * RFC 6347 4.1.2.1: epoch and number, type, version, length (of the content).
 * RFC 9146 5.3, AEAD: eight bytes of ones, tls12_cid, cid_length, tls12_cid,
 * version, epoch, sequence_number, cid, length_of_DTLSInnerPlaintext.
 */
static size_t make_aad(const struct peer_key *k, const struct peer_record *rec,
		       size_t inner_len, __u8 *aad)
{
	__u8 *p = aad;

	if (k->cid_len) {
		memset(p, 0xff, 8);
		p[8] = CT_CID;
		p[9] = k->cid_len;
		p += 10;
		*p++ = CT_CID;
		put_be(p, 2, rec->version);
		put_be(p + 2, 2, rec->epoch);
		put_be(p + 4, 6, rec->seq);
		p += 10;
		memcpy(p, k->cid, k->cid_len);
		p += k->cid_len;
	} else {
		put_be(p, 2, rec->epoch);
		put_be(p + 2, 6, rec->seq);
		p[8] = rec->type;
		put_be(p + 9, 2, rec->version);
		p += 11;
	}
	put_be(p, 2, inner_len);
	return p + 2 - aad;
}

/* One pass of the AEAD over @in; @tag is written (@enc) or checked. */
static bool aead(const struct peer_key *k, bool enc, const __u8 *nonce,
		 const __u8 *aad, size_t aad_len, const __u8 *in, size_t len,
		 __u8 *out, __u8 *tag)
{
	const struct cipher *c = cipher_get(k->cipher);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok = true;
	__u8 none[16];
	int n;

	MUST(ctx);
	MUST(EVP_CipherInit_ex2(ctx, fetched[c - ciphers], NULL, NULL, enc,
				NULL));
	MUST(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL));
	if (c->ccm || !enc)
		MUST(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, c->tag_len,
					 enc ? NULL : tag));
	MUST(EVP_CipherInit_ex2(ctx, NULL, k->key, nonce, enc, NULL));
	if (c->ccm)
		MUST(EVP_CipherUpdate(ctx, NULL, &n, NULL, len));
	MUST(EVP_CipherUpdate(ctx, NULL, &n, aad, aad_len));
	/* CCM verifies here already, and wants to be called with 0 bytes too. */
	if (!EVP_CipherUpdate(ctx, len ? out : none, &n, len ? in : none, len)) {
		MUST(!enc);
		ok = false;
	}
	if (ok && (enc || !c->ccm)) {
		if (!EVP_CipherFinal_ex(ctx, len ? out + n : none, &n)) {
			MUST(!enc);
			ok = false;
		}
	}
	if (enc)
		MUST(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, c->tag_len,
					 tag));
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

/* RFC 9147 4: the unified header, its number in the clear; returns its bytes */
static size_t unified_header(const struct peer_key *k,
			     const struct peer_record *rec, size_t fragment_len,
			     __u8 *out)
{
	unsigned int cid_len = rec->no_cid ? 0 : k->cid_len;
	unsigned int seq_len = rec->seq8 ? 1 : 2;
	__u8 *p = out;

	*p++ = 0x20 | (cid_len ? 0x10 : 0) | (rec->seq8 ? 0 : 0x08) |
	       (rec->length ? 0x04 : 0) | (rec->epoch & 3);
	memcpy(p, k->cid, cid_len);
	p += cid_len;
	put_be(p, seq_len, rec->seq);
	p += seq_len;
	if (rec->length) {
		put_be(p, 2, fragment_len);
		p += 2;
	}
	return p - out;
}

static size_t seal_unified(const struct peer_key *k,
			   const struct peer_record *rec, __u8 *out)
{
	const struct cipher *c = cipher_get(k->cipher);
	size_t inner_len = rec->len + 1 + rec->pad, head;
	__u8 header[300], nonce[12], mask[16], *inner;

	if (inner_len + c->tag_len < 16)
		inner_len = 16 - c->tag_len;
	inner = calloc(1, inner_len);
	MUST(inner);
	if (rec->len)
		memcpy(inner, rec->data, rec->len);
	inner[rec->len] = rec->type;

	head = unified_header(k, rec, inner_len + c->tag_len, header);
	memcpy(out, header, head);
	make_nonce(k, rec, nonce);
	aead(k, true, nonce, header, head, inner, inner_len, out + head,
	     out + head + inner_len);
	free(inner);

	peer_mask(k, out + head, mask);
	out += head - (rec->length ? 2 : 0) - (rec->seq8 ? 1 : 2);
	out[0] ^= mask[0];
	if (!rec->seq8)
		out[1] ^= mask[1];
	return head + inner_len + c->tag_len;
}

size_t peer_seal_record(const struct peer_key *k, const struct peer_record *rec,
			void *out)
{
	const struct cipher *c = cipher_get(k->cipher);
	size_t inner_len = rec->len;
	__u8 nonce[12], aad[300];
	__u8 *inner, *p = out;
	size_t aad_len;

	if (IS_V13(k->cipher))
		return seal_unified(k, rec, out);
	if (k->cid_len)
		inner_len += 1 + rec->pad;
	inner = calloc(1, inner_len + 1);
	MUST(inner);
	if (rec->len)
		memcpy(inner, rec->data, rec->len);
	if (k->cid_len)
		inner[rec->len] = rec->type;

	*p++ = k->cid_len ? CT_CID : rec->type;
	put_be(p, 2, rec->version);
	put_be(p + 2, 2, rec->epoch);
	put_be(p + 4, 6, rec->seq);
	p += 10;
	memcpy(p, k->cid, k->cid_len);
	p += k->cid_len;
	put_be(p, 2, c->explicit_len + inner_len + c->tag_len);
	p += 2;
	put_be(p, c->explicit_len, rec->nonce);
	p += c->explicit_len;

	make_nonce(k, rec, nonce);
	aad_len = make_aad(k, rec, inner_len, aad);
	aead(k, true, nonce, aad, aad_len, inner, inner_len, p, p + inner_len);
	free(inner);
	return p + inner_len + c->tag_len - (__u8 *)out;
}

static size_t seal_usual(const struct peer_key *k, __u8 type, __u64 seq,
			 const void *data, size_t len, bool more, void *out)
{
	static __thread struct peer_record rec;

	rec.type = type;
	rec.version = DTLS_VERSION_1_2;
	rec.epoch = k->epoch;
	rec.seq = seq;
	rec.nonce = k->nonce_xor ^ ((__u64)k->epoch << 48 | seq);
	rec.length = more;
	rec.data = data;
	rec.len = len;
	return peer_seal_record(k, &rec, out);
}

size_t peer_seal(const struct peer_key *k, __u8 type, __u64 seq,
		 const void *data, size_t len, void *out)
{
	return seal_usual(k, type, seq, data, len, false, out);
}

size_t peer_seal_more(const struct peer_key *k, __u8 type, __u64 seq,
		      const void *data, size_t len, void *out)
{
	return seal_usual(k, type, seq, data, len, true, out);
}

/* The inner type and what is before it (RFC 9146 4, RFC 8446 5.2) */
static bool open_inner(struct peer_record *rec, size_t inner_len)
{
	rec->len = inner_len;
	while (rec->len && !rec->buf[rec->len - 1])
		rec->len--;
	if (!rec->len)
		return false;
	rec->type = rec->buf[--rec->len];
	rec->pad = inner_len - rec->len - 1;
	return true;
}

/*
 * The tag tells which of the numbers with these last bits it is: those from
 * about the key's first one on are tried.
 */
static ssize_t open_unified(const struct peer_key *k, const __u8 *in,
			    size_t len, struct peer_record *rec)
{
	const struct cipher *c = cipher_get(k->cipher);
	size_t head = 1 + k->cid_len, fragment_len, inner_len;
	__u8 header[300], nonce[12], mask[16], tag[16];
	unsigned int seq_len, try;
	__u64 seq, span;

	if (len < head || (in[0] & 0xe3) != (0x20 | (k->epoch & 3)) ||
	    !(in[0] & 0x10) != !k->cid_len || memcmp(in + 1, k->cid, k->cid_len))
		return -1;
	rec->version = DTLS_VERSION_1_3;
	rec->epoch = k->epoch;
	rec->seq8 = !(in[0] & 0x08);
	rec->length = in[0] & 0x04;
	rec->no_cid = false;
	rec->nonce = 0;
	rec->data = rec->buf;
	seq_len = rec->seq8 ? 1 : 2;
	head += seq_len + (rec->length ? 2 : 0);
	if (len < head)
		return -1;
	fragment_len = len - head;
	if (rec->length) {
		if (get_be(in + head - 2, 2) > fragment_len)
			return -1;
		fragment_len = get_be(in + head - 2, 2);
	}
	if (fragment_len < 16)
		return -1;
	inner_len = fragment_len - c->tag_len;

	peer_mask(k, in + head, mask);
	seq = get_be(in + 1 + k->cid_len, seq_len) ^ get_be(mask, seq_len);
	span = 1ULL << 8 * seq_len;
	rec->seq = (k->rec_seq & ~(span - 1)) | seq;
	if (rec->seq + span / 2 < k->rec_seq)
		rec->seq += span;
	for (try = 0; try < 16; try++, rec->seq += span) {
		unified_header(k, rec, fragment_len, header);
		make_nonce(k, rec, nonce);
		memcpy(tag, in + head + inner_len, c->tag_len);
		if (!aead(k, false, nonce, header, head, in + head, inner_len,
			  rec->buf, tag))
			continue;
		return open_inner(rec, inner_len) ?
		       (ssize_t)(head + fragment_len) : -1;
	}
	return -1;
}

ssize_t peer_open(const struct peer_key *k, const void *in, size_t len,
		  struct peer_record *rec)
{
	const struct cipher *c = cipher_get(k->cipher);
	size_t fragment_len, inner_len, aad_len;
	__u8 nonce[12], aad[300], tag[16];
	const __u8 *p = in;

	if (IS_V13(k->cipher))
		return open_unified(k, in, len, rec);
	if (len < HEADER_LEN + (size_t)k->cid_len)
		return -1;
	rec->type = p[0];
	rec->version = get_be(p + 1, 2);
	rec->epoch = get_be(p + 3, 2);
	rec->seq = get_be(p + 5, 6);
	rec->pad = 0;
	rec->data = rec->buf;
	p += 11;
	if (rec->version != DTLS_VERSION_1_2 || rec->epoch != k->epoch)
		return -1;
	if (k->cid_len) {
		if (rec->type != CT_CID || memcmp(p, k->cid, k->cid_len))
			return -1;
		p += k->cid_len;
	} else if (rec->type == CT_CID) {
		return -1;
	}
	fragment_len = get_be(p, 2);
	p += 2;
	if (fragment_len > (size_t)((const __u8 *)in + len - p) ||
	    fragment_len < c->explicit_len + c->tag_len)
		return -1;
	rec->nonce = get_be(p, c->explicit_len);
	p += c->explicit_len;
	inner_len = fragment_len - c->explicit_len - c->tag_len;

	make_nonce(k, rec, nonce);
	aad_len = make_aad(k, rec, inner_len, aad);
	memcpy(tag, p + inner_len, c->tag_len);
	if (!aead(k, false, nonce, aad, aad_len, p, inner_len, rec->buf, tag))
		return -1;

	rec->len = inner_len;
	if (k->cid_len && !open_inner(rec, inner_len))
		return -1;
	return p + inner_len + c->tag_len - (const __u8 *)in;
}

size_t plain_record(__u8 type, __u16 epoch, __u64 seq, const void *data,
		    size_t len, void *out)
{
	__u8 *p = out;

	p[0] = type;
	put_be(p + 1, 2, DTLS_VERSION_1_2);
	put_be(p + 3, 2, epoch);
	put_be(p + 5, 6, seq);
	put_be(p + 11, 2, len);
	memcpy(p + HEADER_LEN, data, len);
	return HEADER_LEN + len;
}

int udp_socket(int family)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in in4 = { .sin_family = AF_INET,
				   .sin_addr = { htonl(INADDR_LOOPBACK) } };
	/* So that a lost wake-up is a failed test, not one that hangs. */
	struct timeval tv = { .tv_sec = SOON_MS / 1000 };
	int fd = socket(family, SOCK_DGRAM, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) ||
	    (family == AF_INET ?
	     bind(fd, (struct sockaddr *)&in4, sizeof(in4)) :
	     bind(fd, (struct sockaddr *)&in6, sizeof(in6)))) {
		close(fd);
		return -1;
	}
	return fd;
}

int udp_connect(int fd, int to)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	if (getsockname(to, (struct sockaddr *)&addr, &len))
		return -1;
	return connect(fd, (struct sockaddr *)&addr, len);
}

int udp_pair(int family, int *a, int *b)
{
	*a = udp_socket(family);
	*b = udp_socket(family);
	if (*a < 0 || *b < 0)
		return -1;
	if (udp_connect(*a, *b))
		return -1;
	return udp_connect(*b, *a);
}

void stay_on(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % sysconf(_SC_NPROCESSORS_ONLN), &set);
	MUST(!sched_setaffinity(0, sizeof(set), &set));
}

void stay(void)
{
	stay_on(sched_getcpu());
}

void roam(void)
{
	cpu_set_t set;

	memset(&set, 0xff, sizeof(set));
	MUST(!sched_setaffinity(0, sizeof(set), &set));
}

static bool may_put_off;

static void ask_version(void)
{
	int major = 0, minor = 0;
	struct utsname name;

	MUST(!uname(&name));
	MUST(sscanf(name.release, "%d.%d", &major, &minor) == 2);
	may_put_off = major < 6 || (major == 6 && minor < 4);
}

/* A CPU's backlog is first in, first out: send something through it. */
void settle(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	static __thread int a, b;
	char c = 0;

	MUST(!pthread_once(&once, ask_version));
	if (!may_put_off)
		return;
	/* A network without loopback has nothing to put off. */
	if ((!a && udp_pair(AF_INET, &a, &b)) || send(a, &c, 1, 0) != 1)
		return;
	MUST(recv(b, &c, 1, 0) == 1);
}

ssize_t recv_now(int fd, void *buf, size_t len)
{
	settle();
	return recv(fd, buf, len, MSG_DONTWAIT);
}

int dtls_attach(int fd)
{
	return setsockopt(fd, SOL_IP, DTLS_ULP, "dtls", 4);
}

int dtls_set_key(int fd, int dir, const struct peer_key *k)
{
	struct dtls_key_info ki;

	key_info(k, &ki);
	return setsockopt(fd, SOL_DTLS, dir, &ki, sizeof(ki));
}

static int get_whole(int fd, int opt, void *value, size_t size)
{
	socklen_t len = size;

	settle();
	memset(value, 0, size);
	if (getsockopt(fd, SOL_DTLS, opt, value, &len))
		return -1;
	if (len != size) {
		errno = EMSGSIZE;
		return -1;
	}
	return 0;
}

int dtls_get_info(int fd, struct dtls_info *info)
{
	return get_whole(fd, DTLS_INFO, info, sizeof(*info));
}

int dtls_get_counters(int fd, struct dtls_counters *counters)
{
	return get_whole(fd, DTLS_COUNTERS, counters, sizeof(*counters));
}

__u32 dtls_mtu(int fd)
{
	struct dtls_info info;

	return dtls_get_info(fd, &info) ? 0 : info.mtu;
}

int dtls_set_replay_window(int fd, __u32 records)
{
	struct dtls_replay_window window = { .records = records };

	return setsockopt(fd, SOL_DTLS, DTLS_REPLAY_WINDOW, &window,
			  sizeof(window));
}

int dtls_feed(int fd, const void *datagram, size_t len)
{
	static struct {
		struct dtls_feed head;
		__u8 room[DGRAM_MAX];
	} feed;

	memcpy(feed.head.datagram, datagram, len);
	return setsockopt(fd, SOL_DTLS, DTLS_FEED, &feed, sizeof(feed.head) + len);
}

void dtls_stats(const char *const *names, size_t n, long long *values)
{
	long long value;
	char word[64];
	size_t i;
	FILE *f;

	for (i = 0; i < n; i++)
		values[i] = -1;
	f = fopen("/proc/net/dtls_stat", "r");
	if (!f)
		return;
	errno = ENOENT;
	while (fscanf(f, "%63s %lld", word, &value) == 2)
		for (i = 0; i < n; i++)
			if (!strcmp(word, names[i]))
				values[i] = value;
	fclose(f);
}

long long dtls_stat(const char *name)
{
	long long value;

	dtls_stats(&name, 1, &value);
	return value;
}

int link_open(struct link *l, int family, __u16 cipher, unsigned int cid_len)
{
	memset(l, 0, sizeof(*l));
	peer_key_init(&l->ab, cipher, nth_epoch(cipher, 1), cid_len, 1);
	peer_key_init(&l->ba, cipher, nth_epoch(cipher, 1),
		      cid_len ? cid_len + 3 : 0, 2);
	return udp_pair(family, &l->a, &l->b);
}

int link_attach_a(struct link *l)
{
	if (dtls_attach(l->a) || dtls_set_key(l->a, DTLS_TX, &l->ab))
		return -1;
	return dtls_set_key(l->a, DTLS_RX, &l->ba);
}

int link_attach_b(struct link *l)
{
	if (dtls_attach(l->b) || dtls_set_key(l->b, DTLS_TX, &l->ba))
		return -1;
	return dtls_set_key(l->b, DTLS_RX, &l->ab);
}

int link_raw(struct link *l, int family, __u16 cipher, unsigned int cid_len)
{
	if (link_open(l, family, cipher, cid_len))
		return -1;
	return link_attach_a(l);
}

int link_dtls(struct link *l, int family, __u16 cipher, unsigned int cid_len)
{
	if (link_raw(l, family, cipher, cid_len))
		return -1;
	return link_attach_b(l);
}

void link_close(struct link *l)
{
	close(l->a);
	close(l->b);
}

ssize_t link_send(struct link *l, __u8 type, const void *data, size_t len)
{
	static __thread __u8 out[DGRAM_MAX];
	size_t n = peer_seal(&l->ba, type, l->b_seq++, data, len, out);

	return send(l->b, out, n, 0) == (ssize_t)n ? (ssize_t)len : -1;
}

int link_send_damaged(struct link *l, const void *datagram, size_t len,
		      unsigned int n)
{
	struct sockaddr_storage from, to;
	struct sockaddr_in6 *src = (void *)&from, *dst = (void *)&to;
	struct udphdr udp = { .len = htons(sizeof(udp) + len) };
	socklen_t from_len = sizeof(from), to_len = sizeof(to);
	struct iovec iov[] = { { &udp, sizeof(udp) }, { (void *)datagram, len } };
	struct msghdr msg = { .msg_name = &to, .msg_iov = iov,
			      .msg_iovlen = 2 };
	int fd;

	if (getsockname(l->b, (struct sockaddr *)&from, &from_len) ||
	    getsockname(l->a, (struct sockaddr *)&to, &to_len))
		return -1;
	/* The ports are in the same place in all addresses. */
	udp.source = src->sin6_port;
	udp.dest = dst->sin6_port;
	dst->sin6_port = 0;
	msg.msg_namelen = to_len;
	fd = socket(to.ss_family, SOCK_RAW, IPPROTO_UDP);
	if (fd < 0)
		return -1;
	for (; n; n--) {
		udp.check = htons(n);
		if (sendmsg(fd, &msg, 0) != (ssize_t)(sizeof(udp) + len))
			break;
	}
	close(fd);
	return n ? -1 : 0;
}

ssize_t link_recv(struct link *l, struct peer_record *rec)
{
	static __thread __u8 in[DGRAM_MAX];
	ssize_t n = recv(l->b, in, sizeof(in), 0);

	if (n < 0 || peer_open(&l->ab, in, n, rec) != n)
		return -1;
	return rec->len;
}

ssize_t recv_info(int fd, struct dtls_record_info *info, void *buf, size_t len,
		  int flags)
{
	char ctl[CMSG_SPACE(sizeof(*info))];
	struct iovec iov = { buf, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = ctl,
			      .msg_controllen = sizeof(ctl) };
	struct cmsghdr *c;
	ssize_t n;

	settle();
	memset(info, 0, sizeof(*info));
	n = recvmsg(fd, &msg, flags | MSG_DONTWAIT);
	if (n < 0)
		return n;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_DTLS &&
		    c->cmsg_type == DTLS_RECORD_INFO)
			memcpy(info, CMSG_DATA(c), sizeof(*info));
	return n;
}

ssize_t recv_control(int fd, struct dtls_record_info *info, void *buf,
		     size_t len)
{
	return recv_info(fd, info, buf, len, MSG_OOB);
}

static ssize_t send_cmsg(int fd, const void *buf, size_t len, int level,
			 int type, const void *val, size_t val_len, int flags)
{
	char ctl[CMSG_SPACE(sizeof(struct dtls_record_info))] = {};
	struct iovec iov = { (void *)buf, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = ctl,
			      .msg_controllen = CMSG_SPACE(val_len) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(val_len);
	memcpy(CMSG_DATA(c), val, val_len);
	return sendmsg(fd, &msg, flags);
}

ssize_t send_described(int fd, const struct dtls_record_info *info, const void *buf,
		       size_t len)
{
	return send_cmsg(fd, buf, len, SOL_DTLS, DTLS_RECORD_INFO, info,
			 sizeof(*info), 0);
}

ssize_t send_control(int fd, __u8 type, __u8 flags, const void *buf,
		     size_t len)
{
	struct dtls_record_info info = { .type = type, .flags = flags };

	return send_described(fd, &info, buf, len);
}

ssize_t send_segments(int fd, const void *buf, size_t len, __u16 size,
		      int flags)
{
	return send_cmsg(fd, buf, len, SOL_UDP, UDP_SEGMENT, &size,
			 sizeof(size), flags);
}

ssize_t recv_segments(int fd, void *buf, size_t len, int *gso, int flags)
{
	char ctl[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { buf, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = ctl,
			      .msg_controllen = sizeof(ctl) };
	struct cmsghdr *c;
	ssize_t n;

	*gso = 0;
	n = recvmsg(fd, &msg, flags);
	if (n < 0)
		return n;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
			memcpy(gso, CMSG_DATA(c), sizeof(*gso));
	return n;
}

int deep_queue(int fd)
{
	int size = 16 << 20;

	return setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
}

short poll_for(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (!ms)
		settle();
	return poll(&p, 1, ms) == 1 ? p.revents : 0;
}

long net_counter(const char *file, const char *group, const char *name)
{
	char path[64], *names = NULL, *values = NULL, *n, *v, *n_at, *v_at;
	size_t names_size = 0, values_size = 0;
	long value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/net/%s", file);
	f = fopen(path, "r");
	while (f && getline(&names, &names_size, f) > 0) {
		if (strncmp(names, group, strlen(group)) ||
		    getline(&values, &values_size, f) < 0)
			continue;
		n = strtok_r(names, "\n ", &n_at);
		v = strtok_r(values, "\n ", &v_at);
		while (n && v) {
			if (!strcmp(n, name))
				value = atol(v);
			n = strtok_r(NULL, "\n ", &n_at);
			v = strtok_r(NULL, "\n ", &v_at);
		}
		break;
	}
	if (f)
		fclose(f);
	free(names);
	free(values);
	return value;
}

/* IPv6 has a line for each. */
static long udp6_counter(const char *name)
{
	FILE *f = fopen("/proc/net/snmp6", "r");
	long value, found = -1;
	char line[64];

	while (f && fscanf(f, "%63s %ld", line, &value) == 2)
		if (!strncmp(line, "Udp6", 4) && !strcmp(line + 4, name))
			found = value;
	if (f)
		fclose(f);
	return found;
}

long udp_counter(int family, const char *name)
{
	return family == AF_INET ? net_counter("snmp", "Udp:", name) :
				   udp6_counter(name);
}

int epoll_of(int fd, __u32 events)
{
	struct epoll_event ev = { .events = events };
	int ep = epoll_create1(0);

	if (ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev)) {
		close(ep);
		return -1;
	}
	return ep;
}

__u64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

int module_refs(void)
{
	FILE *f = fopen("/sys/module/dtls/refcnt", "r");
	int n = -1;

	if (f && fscanf(f, "%d", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

char thread_state(pid_t tid)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "r");
	if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	if (f)
		fclose(f);
	return state;
}

bool set_msl(unsigned int seconds)
{
	FILE *f = fopen("/sys/module/dtls/parameters/msl", "w");

	if (!f)
		return false;
	fprintf(f, "%u", seconds);
	return !fclose(f);
}

int destroy(int fd)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req_v2 r;
	} req = {
		.nlh = { .nlmsg_len = sizeof(req),
			 .nlmsg_type = SOCK_DESTROY,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.r = { .sdiag_protocol = IPPROTO_UDP,
		       .idiag_states = ~0U,
		       .id.idiag_cookie = { INET_DIAG_NOCOOKIE,
					    INET_DIAG_NOCOOKIE } },
	};
	struct sockaddr_in6 local, peer;
	socklen_t len = sizeof(local), plen = sizeof(peer);
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
		char rest[512];
	} reply;
	int nl, ret;

	if (getsockname(fd, (struct sockaddr *)&local, &len))
		return errno;
	/* An unconnected socket is found without a peer. */
	if (getpeername(fd, (struct sockaddr *)&peer, &plen))
		memset(&peer, 0, sizeof(peer));
	req.r.sdiag_family = local.sin6_family;
	/* The port is at the same place in both. */
	req.r.id.idiag_sport = local.sin6_port;
	req.r.id.idiag_dport = peer.sin6_port;
	if (local.sin6_family == AF_INET) {
		req.r.id.idiag_src[0] =
			((struct sockaddr_in *)&local)->sin_addr.s_addr;
		req.r.id.idiag_dst[0] =
			((struct sockaddr_in *)&peer)->sin_addr.s_addr;
	} else {
		memcpy(req.r.id.idiag_src, &local.sin6_addr, 16);
		memcpy(req.r.id.idiag_dst, &peer.sin6_addr, 16);
	}
	nl = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	if (nl < 0)
		return errno;
	if (send(nl, &req, sizeof(req), 0) != sizeof(req) ||
	    recv(nl, &reply, sizeof(reply), 0) < (ssize_t)sizeof(reply.nlh))
		ret = errno;
	else
		ret = -reply.err.error;
	close(nl);
	return ret;
}
