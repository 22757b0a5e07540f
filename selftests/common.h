/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the selftests share: sockets, keys, and a second implementation of the
 * record layers of DTLS 1.2 and 1.3.
 *
 * The second implementation is written from RFC 6347, 5288, 6655, 7905, 9146
 * and 9147 on libcrypto and shares no line with kernel/: a test that holds the
 * kernel against it holds it against the RFCs, and can look at and forge every
 * byte on the wire.
 */
#ifndef _SELFTESTS_COMMON_H
#define _SELFTESTS_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <linux/dtls.h>

#ifndef SOL_UDP
#define SOL_UDP		17
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif
#ifndef UDP_GRO
#define UDP_GRO		104
#endif

#define CT_CCS		20
#define CT_ALERT	21
#define CT_HANDSHAKE	22
#define CT_DATA		23
#define CT_HEARTBEAT	24
#define CT_CID		25
#define CT_ACK		26

#define ALERT_WARNING		1
#define ALERT_FATAL		2
#define ALERT_CLOSE_NOTIFY	0
#define ALERT_INTERNAL_ERROR	80

#define ALERT_USER_CANCELED	90

#define HEADER_LEN	13	/* bytes of header without connection ID */
#define PLAIN_MAX	16384	/* most bytes of content in a record */
#define DGRAM_MAX	65536	/* room for any datagram */

/*
 * These are for calls that return 0, or -1 with errno set. The report has errno
 * if the call failed.
 */
#define ASSERT_OK(call)							\
	ASSERT_EQ(0, (call)) TH_LOG("%s: %s", #call, strerror(errno))
#define ASSERT_ERRNO(error, call)					\
	do {								\
		errno = 0;						\
		ASSERT_EQ(-1, (call));					\
		ASSERT_EQ(error, errno)					\
			TH_LOG("%s: %s", #call, strerror(errno));	\
	} while (0)

/*
 * Return true if DTLS_TEST_SLOW is set, as it is where the kernel runs at a
 * small part of its speed.
 */
bool slow(void);

/* Return @n, or a thirtieth of it (at least @min) where the kernel is slow. */
unsigned int rounds(unsigned int n, unsigned int min);

/*
 * Where a cipher is asked for, V13() of it says that DTLS 1.3 is meant. A test
 * that counts epochs from 1 gets its nth one from nth_epoch(): application
 * data's is 1 in DTLS 1.2 and 3 in DTLS 1.3.
 */
#define V13(cipher)	((cipher) | 0x8000)
#define IS_V13(cipher)	(!!((cipher) & 0x8000))

static inline __u64 nth_epoch(__u16 cipher, __u64 n)
{
	return IS_V13(cipher) ? n + 2 : n;
}

/**
 * struct peer_key - one direction's key as the second implementation knows it
 * @cipher:	DTLS_CIPHER_* or V13() of it
 * @epoch:	epoch
 * @rec_seq:	what key_info() says the first number is
 * @nonce_xor:	explicit nonces are epoch and number XORed with this, so that
 *		an implementation that makes them up on reading fails
 * @key:	write key
 * @iv:		write IV
 * @sn_key:	1.3: the key for sequence numbers
 * @cid_len:	bytes of @cid; 0: none
 * @cid:	connection ID
 */
struct peer_key {
	__u16 cipher;
	__u64 epoch;
	__u64 rec_seq;
	__u64 nonce_xor;
	__u8 key[32];
	__u8 iv[12];
	__u8 sn_key[32];
	__u8 cid_len;
	__u8 cid[255];
};

/**
 * struct peer_record - one record, opened or to be sealed
 * @type:	the content's type (1.3, or with a connection ID: the inner one)
 * @version:	on the wire
 * @epoch:	on the wire; 1.3: its last bits
 * @seq:	likewise
 * @seq8:	1.3: 8 bits of @seq on the wire, not 16
 * @length:	1.3: the length is told
 * @no_cid:	1.3: without the connection ID that the key has
 * @pad:	zero bytes after the inner type (RFC 9146, 9147); 0 without one
 * @nonce:	explicit nonce on the wire; 0 where the cipher has none
 * @len:	content bytes
 * @data:	content: the caller's when sealing, @buf when opened
 * @buf:	room for what was opened
 */
struct peer_record {
	__u8 type;
	__u16 version;
	__u64 epoch;
	__u64 seq;
	bool seq8;
	bool length;
	bool no_cid;
	size_t pad;
	__u64 nonce;
	size_t len;
	const __u8 *data;
	__u8 buf[DGRAM_MAX];
};

const char *cipher_name(__u16 cipher);
size_t cipher_key_len(__u16 cipher);
size_t cipher_tag_len(__u16 cipher);

/*
 * Make a key that depends on its arguments alone. @who tells directions apart.
 */
void peer_key_init(struct peer_key *k, __u16 cipher, __u64 epoch,
		   unsigned int cid_len, unsigned int who);

/* Write the key in the form that the kernel takes. */
void key_info(const struct peer_key *k, struct dtls_key_info *ki);

/*
 * Return how many bytes a record of this key, the last in its datagram, has
 * beyond its content.
 */
size_t peer_overhead(const struct peer_key *k);

/*
 * Make the mask of the sequence number of a record whose fragment starts with
 * @sample (RFC 9147 4.2.3).
 */
void peer_mask(const struct peer_key *k, const __u8 *sample, __u8 *mask);

/* Seal exactly what @rec says at @out. Return the record's bytes. */
size_t peer_seal_record(const struct peer_key *k, const struct peer_record *rec,
			void *out);

/* Seal a usual record of the key's own epoch, the last in its datagram. */
size_t peer_seal(const struct peer_key *k, __u8 type, __u64 seq,
		 const void *data, size_t len, void *out);

/* Seal a usual record of the key's own epoch that others may follow. */
size_t peer_seal_more(const struct peer_key *k, __u8 type, __u64 seq,
		      const void *data, size_t len, void *out);

/*
 * Open the record that starts at @in. Returns the bytes it takes on the wire
 * (what follows may be another one), or -1 if it is not a valid record of this
 * key.
 */
ssize_t peer_open(const struct peer_key *k, const void *in, size_t len,
		  struct peer_record *rec);

/* Write a record in the clear, as of epoch 0. Return its bytes. */
size_t plain_record(__u8 type, __u16 epoch, __u64 seq, const void *data,
		    size_t len, void *out);

/*
 * Return a UDP socket that is bound to a free port of the loopback address, or
 * -1.
 */
int udp_socket(int family);

/* Connect @fd to the address that @to is bound to. */
int udp_connect(int fd, int to);

/* Make two UDP sockets that are connected to each other. */
int udp_pair(int family, int *a, int *b);

int dtls_attach(int fd);

/* Give the socket a key. @dir is DTLS_TX or DTLS_RX. */
int dtls_set_key(int fd, int dir, const struct peer_key *k);

/* Get state and counters, when all that was sent has arrived. */
int dtls_get_info(int fd, struct dtls_info *info);

int dtls_get_counters(int fd, struct dtls_counters *counters);

/*
 * Return the bytes of content of a record that fits the path, or 0 if the
 * kernel cannot tell.
 */
__u32 dtls_mtu(int fd);

int dtls_set_replay_window(int fd, __u32 records);

/* Give back a datagram that was read before the attach. */
int dtls_feed(int fd, const void *datagram, size_t len);

/* Return a line of /proc/net/dtls_stat, or -1 with ENOENT. */
long long dtls_stat(const char *name);

/*
 * Get @n lines of /proc/net/dtls_stat, as of one moment. A line that is missing
 * is -1.
 */
void dtls_stats(const char *const *names, size_t n, long long *values);

/**
 * struct link - two connected loopback sockets and the keys between them
 * @a:		attached to DTLS once it is up
 * @b:		a plain UDP socket, or attached too
 * @ab:		what @a sends is protected with
 * @ba:		what @b sends is protected with
 * @b_seq:	number of the next record link_send() makes
 */
struct link {
	int a;
	int b;
	struct peer_key ab;
	struct peer_key ba;
	__u64 b_seq;
};

/* LINK_FIXTURE is a fixture with a link, and variants that say of what kind. */
#define LINK_FIXTURE(fixture)						\
	FIXTURE(fixture) {						\
		struct link l;						\
	};								\
	FIXTURE_VARIANT(fixture) {					\
		__u16 cipher;						\
		int family;						\
		unsigned int cid_len;					\
	}

/* LINK_VARIANT is a variant of a fixture that has these members. */
#define LINK_VARIANT(fixture, name, cipher_, family_, cid_len_)		\
	FIXTURE_VARIANT_ADD(fixture, name) {				\
		.cipher = cipher_, .family = family_, .cid_len = cid_len_, \
	}

/* LINK_FORMS are the variants of a cipher: both families, with and without connection ID. */
#define LINK_FORMS(fixture, name, cipher)				\
	LINK_VARIANT(fixture, name##_v4, cipher, AF_INET, 0);		\
	LINK_VARIANT(fixture, name##_v6, cipher, AF_INET6, 0);		\
	LINK_VARIANT(fixture, name##_v4_cid, cipher, AF_INET, 8);	\
	LINK_VARIANT(fixture, name##_v6_cid, cipher, AF_INET6, 1)

/* LINK_EVERY_FORM are the variants of every cipher of both versions. */
#define LINK_EVERY_FORM(fixture)					\
	LINK_FORMS(fixture, gcm_128, DTLS_CIPHER_AES_GCM_128);		\
	LINK_FORMS(fixture, gcm_256, DTLS_CIPHER_AES_GCM_256);		\
	LINK_FORMS(fixture, ccm_128, DTLS_CIPHER_AES_CCM_128);		\
	LINK_FORMS(fixture, ccm_256, DTLS_CIPHER_AES_CCM_256);		\
	LINK_FORMS(fixture, ccm_8_128, DTLS_CIPHER_AES_CCM_8_128);	\
	LINK_FORMS(fixture, ccm_8_256, DTLS_CIPHER_AES_CCM_8_256);	\
	LINK_FORMS(fixture, chacha20, DTLS_CIPHER_CHACHA20_POLY1305);	\
	LINK_FORMS(fixture, v13_gcm_128, V13(DTLS_CIPHER_AES_GCM_128));	\
	LINK_FORMS(fixture, v13_gcm_256, V13(DTLS_CIPHER_AES_GCM_256));	\
	LINK_FORMS(fixture, v13_ccm_128, V13(DTLS_CIPHER_AES_CCM_128));	\
	LINK_FORMS(fixture, v13_ccm_8_128, V13(DTLS_CIPHER_AES_CCM_8_128)); \
	LINK_FORMS(fixture, v13_chacha20, V13(DTLS_CIPHER_CHACHA20_POLY1305))

/*
 * LINK_SETUP makes the link of a LINK_FIXTURE, to a plain socket, and closes it
 * at the end. Data to send is in the array @text then.
 */
#define LINK_SETUP(fixture, text)					\
	FIXTURE_SETUP(fixture) {					\
		stay();							\
		ASSERT_OK(link_raw(&self->l, variant->family,		\
				   variant->cipher, variant->cid_len));	\
		fill(text, sizeof(text), 1);				\
	}								\
	FIXTURE_TEARDOWN(fixture) {					\
		link_close(&self->l);					\
	}

/*
 * Make sockets and keys, and attach nothing. The connection IDs differ, and so
 * do their lengths.
 */
int link_open(struct link *l, int family, __u16 cipher, unsigned int cid_len);

/* Attach one end and give it both keys. */
int link_attach_a(struct link *l);
int link_attach_b(struct link *l);

/* Make a link with @a attached and @b raw, or with both attached. */
int link_raw(struct link *l, int family, __u16 cipher, unsigned int cid_len);
int link_dtls(struct link *l, int family, __u16 cipher, unsigned int cid_len);
void link_close(struct link *l);

/*
 * Let the raw @b send @a one sealed record, numbered in turn. Return its bytes
 * of content or -1.
 */
ssize_t link_send(struct link *l, __u8 type, const void *data, size_t len);

/*
 * Let a datagram come to @a @n times as if raw @b had sent it, with different
 * UDP checksums, of which one at most is right. Return 0 or -1.
 */
int link_send_damaged(struct link *l, const void *datagram, size_t len,
		      unsigned int n);

/*
 * Let the raw @b receive one datagram of one record and open it. Return -1 if
 * it is not one.
 */
ssize_t link_recv(struct link *l, struct peer_record *rec);

/*
 * Before Linux 6.4 the loopback device may put delivery off, to a thread that
 * is busy. settle() returns when everything that was sent on this CPU before
 * has arrived. So that this is where the test sends, it calls stay() first;
 * roam() lets a thread go again, and stay_on() puts it on one of the CPUs there
 * are: those with different numbers on different ones, if there is a second.
 */
void stay(void);
void stay_on(unsigned int cpu);
void roam(void);
void settle(void);

/* Call recv() without waiting, when all that was sent has arrived. */
ssize_t recv_now(int fd, void *buf, size_t len);

/* Write bytes that depend on @seed and do not occur by chance. */
void fill(void *buf, size_t len, unsigned int seed);

/*
 * Call recvmsg() without waiting, when all that was sent has arrived. @info is
 * zero if there is none.
 */
ssize_t recv_info(int fd, struct dtls_record_info *info, void *buf, size_t len,
		  int flags);

/* Do the same for a control record. */
ssize_t recv_control(int fd, struct dtls_record_info *info, void *buf,
		     size_t len);
/* Send a record as @info says. */
ssize_t send_described(int fd, const struct dtls_record_info *info, const void *buf,
		       size_t len);
/* Do the same with @type and @flags alone. */
ssize_t send_control(int fd, __u8 type, __u8 flags, const void *buf,
		     size_t len);

/* Call sendmsg() with a UDP_SEGMENT control message. */
ssize_t send_segments(int fd, const void *buf, size_t len, __u16 size,
		      int flags);

/*
 * Call recvmsg(). @gso is set to the value of the UDP_GRO control message, or
 * 0.
 */
ssize_t recv_segments(int fd, void *buf, size_t len, int *gso, int flags);

/*
 * Return the number in column @name of the lines that begin with @group in a
 * file of /proc/net, of which one has the names and one the numbers; or -1.
 */
long net_counter(const char *file, const char *group, const char *name);

/*
 * Return what UDP has counted here as @name ("InDatagrams") for @family, or -1.
 */
long udp_counter(int family, const char *name);

/* Return an epoll file that waits for @events of @fd, or -1. */
int epoll_of(int fd, __u32 events);

/* Return the milliseconds since some fixed moment. */
__u64 now_ms(void);

/* Return how many sockets hold the module, or -1 if there is no module. */
int module_refs(void);

/*
 * Return what a thread of this process does, as /proc has it ('R', 'S'), or 0
 * if there is no such thread.
 */
char thread_state(pid_t tid);

/*
 * Wait until one of @events is up, @ms at most. Return revents. A wait of 0
 * lets all arrive that was sent.
 */
short poll_for(int fd, short events, int ms);

/*
 * Make room in the receive queue for a thousand records and more, which needs
 * root.
 */
int deep_queue(int fd);

/* Set the module's msl: how long an old read key stays. Needs root. */
bool set_msl(unsigned int seconds);

/*
 * End @fd as `ss -K` does. Return 0 or an errno; ENOENT and EOPNOTSUPP: the kernel
 * cannot.
 */
int destroy(int fd);

/* SOON_MS is long enough for everything that does happen. */
#define SOON_MS		20000

#endif /* _SELFTESTS_COMMON_H */
