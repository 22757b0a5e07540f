// SPDX-License-Identifier: GPL-2.0
/*
 * Keys, numbers and replay state taken from finished sessions, proved without
 * the kernel: the sealing and opening here is the test's own.
 */
#include "session.h"
#include "../../kernel/record.h"
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <openssl/evp.h>
#include <sys/socket.h>
#include <unistd.h>
#include "harness.h"

#define DATAGRAM	2048

/* --- one record by libcrypto's EVP --------------------------------------- */

struct aead {
	const EVP_CIPHER *evp;
	int iv, nonce, tag;	/* bytes: of write IV, on the wire, of tag */
};

static struct aead aead_of(unsigned int cipher)
{
	switch (cipher) {
	case DTLS_CIPHER_AES_GCM_128:
		return (struct aead){ EVP_aes_128_gcm(), 4, 8, 16 };
	case DTLS_CIPHER_AES_GCM_256:
		return (struct aead){ EVP_aes_256_gcm(), 4, 8, 16 };
	case DTLS_CIPHER_AES_CCM_128:
		return (struct aead){ EVP_aes_128_ccm(), 4, 8, 16 };
	case DTLS_CIPHER_AES_CCM_256:
		return (struct aead){ EVP_aes_256_ccm(), 4, 8, 16 };
	case DTLS_CIPHER_AES_CCM_8_128:
		return (struct aead){ EVP_aes_128_ccm(), 4, 8, 8 };
	case DTLS_CIPHER_AES_CCM_8_256:
		return (struct aead){ EVP_aes_256_ccm(), 4, 8, 8 };
	}
	return (struct aead){ EVP_chacha20_poly1305(), 12, 0, 16 };
}

static void nonce_of(const struct aead *a, const struct dtls_key_info *key,
		     const struct dtls_record *rec, const u8 *explicit,
		     u8 nonce[12])
{
	u8 number[8];
	int i;

	memcpy(nonce, key->iv, 12);
	dtls_put_be(number, 8, rec->epoch << 48 | rec->seq);
	if (a->nonce)
		memcpy(nonce + a->iv, explicit, a->nonce);
	else
		for (i = 0; i < 8; i++)
			nonce[4 + i] ^= number[i];
}

/* Return: bytes of content, or -1 if the record is not genuine. */
static int unseal(const struct dtls_key_info *key, const u8 *buf, size_t len,
		  struct dtls_record *rec, u8 *plain)
{
	struct aead a = aead_of(key->cipher);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ccm = EVP_CIPHER_mode(a.evp) == EVP_CIPH_CCM_MODE;
	u8 nonce[12], aad[DTLS_AAD_SIZE_MAX];
	const u8 *text;
	int n, aad_len, ret = -1;

	if (dtls_record_parse(rec, buf, len, len, 0))
		goto out;
	n = rec->fragment_len - a.nonce - a.tag;
	text = buf + rec->header_len + a.nonce;
	nonce_of(&a, key, rec, buf + rec->header_len, nonce);
	aad_len = (int)dtls_record_aad(aad, rec, n);
	if (n >= 0 &&
	    EVP_DecryptInit_ex(ctx, a.evp, NULL, NULL, NULL) &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL) &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, a.tag,
				(void *)(text + n)) &&
	    EVP_DecryptInit_ex(ctx, NULL, NULL, key->key, nonce) &&
	    (!ccm || EVP_DecryptUpdate(ctx, NULL, &ret, NULL, n)) &&
	    EVP_DecryptUpdate(ctx, NULL, &ret, aad, aad_len) &&
	    EVP_DecryptUpdate(ctx, plain, &ret, text, n) &&
	    (ccm || EVP_DecryptFinal_ex(ctx, plain + n, &ret)))
		ret = n;
	else
		ret = -1;
out:
	EVP_CIPHER_CTX_free(ctx);
	return ret;
}

/* Return: the record's bytes. */
static int seal(const struct dtls_key_info *key, u64 seq, const void *plain,
		int len, u8 *out)
{
	struct aead a = aead_of(key->cipher);
	struct dtls_record rec = {
		.type = DTLS_CT_APPLICATION_DATA,
		.version = DTLS_VERSION_1_2,
		.epoch = key->epoch,
		.seq = seq,
		.fragment_len = a.nonce + len + a.tag,
	};
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ccm = EVP_CIPHER_mode(a.evp) == EVP_CIPH_CCM_MODE;
	u8 nonce[12], aad[DTLS_AAD_SIZE_MAX];
	u8 *fragment = out + dtls_record_write_header(out, &rec);
	u8 *text = fragment + a.nonce;
	int n, aad_len;

	dtls_put_be(fragment, a.nonce, rec.epoch << 48 | seq);
	nonce_of(&a, key, &rec, fragment, nonce);
	aad_len = (int)dtls_record_aad(aad, &rec, len);
	EVP_EncryptInit_ex(ctx, a.evp, NULL, NULL, NULL);
	EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL);
	if (ccm)
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, a.tag, NULL);
	EVP_EncryptInit_ex(ctx, NULL, NULL, key->key, nonce);
	if (ccm)
		EVP_EncryptUpdate(ctx, NULL, &n, NULL, len);
	EVP_EncryptUpdate(ctx, NULL, &n, aad, aad_len);
	EVP_EncryptUpdate(ctx, text, &n, plain, len);
	EVP_EncryptFinal_ex(ctx, text + n, &n);
	EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, a.tag, text + len);
	EVP_CIPHER_CTX_free(ctx);
	return DTLS12_HEADER_SIZE + rec.fragment_len;
}

/* How often memory with the plaintext of a Finished was freed */
static unsigned int freed_finished;

void __real_free(void *p);
void __wrap_free(void *p);

void __wrap_free(void *p)
{
	static const u8 finished[] = { SSL3_MT_FINISHED, 0, 0, 12 };

	if (p)
		freed_finished += !!memmem(p, malloc_usable_size(p), finished,
					   sizeof(finished));
	__real_free(p);
}

static bool seen(const struct kdtls_keys *keys, u64 seq)
{
	u64 back = keys->seen.next - 1 - seq;

	if (seq >= keys->seen.next)
		return false;
	return back >= DTLS_REPLAY_WINDOW_MAX ||
	       keys->seen.seen[back / 64] >> back % 64 & 1;
}

/* --- sessions of every cipher and every pair of libraries ----------------- */

FIXTURE(takeover)
{
	struct end a, b;	/* client, server */
	int fd[2];
	u8 buf[DATAGRAM], plain[DATAGRAM];
	struct kdtls_keys ka, kb;
};

#include "variants.h"

VARIANTS(takeover);

FIXTURE_SETUP(takeover)
{
	socket_pair(self->fd);
	end_init(&self->a, variant->client, false, self->fd[0],
		 &variant->setup);
	end_init(&self->b, variant->server, true, self->fd[1],
		 &variant->setup);
	ASSERT_TRUE(ends_handshake(&self->a, &self->b));
}

FIXTURE_TEARDOWN(takeover)
{
	end_fini(&self->a);
	end_fini(&self->b);
	close(self->fd[0]);
	close(self->fd[1]);
}

TEST_F(takeover, both_ends_agree)
{
	ASSERT_EQ(0, end_keys(&self->a, &self->ka));
	ASSERT_EQ(0, end_keys(&self->b, &self->kb));

	EXPECT_EQ(variant->cipher, self->ka.tx.cipher);
	EXPECT_EQ(variant->cipher, self->ka.rx.cipher);
	EXPECT_EQ(DTLS_VERSION_1_2, self->ka.tx.version);
	EXPECT_EQ(1, self->ka.tx.epoch);
	EXPECT_EQ(1, self->ka.rx.epoch);
	EXPECT_EQ(0, memcmp(self->ka.tx.key, self->kb.rx.key, 32));
	EXPECT_EQ(0, memcmp(self->ka.rx.key, self->kb.tx.key, 32));
	EXPECT_EQ(0, memcmp(self->ka.tx.iv, self->kb.rx.iv, 12));
	EXPECT_EQ(0, memcmp(self->ka.rx.iv, self->kb.tx.iv, 12));
	EXPECT_NE(0, memcmp(self->ka.tx.key, self->ka.rx.key, 32));
	EXPECT_LE(self->kb.seen.next, self->ka.tx.rec_seq);
	EXPECT_LE(self->ka.seen.next, self->kb.tx.rec_seq);
	EXPECT_EQ(1, self->ka.seen.epoch);
}

/* What the library put on the wire opens with the key taken from it. */
TEST_F(takeover, captured_record_opens)
{
	struct dtls_record rec;
	ssize_t n;

	ASSERT_EQ(5, end_write(&self->a, "hello", 5));
	ASSERT_EQ(0, end_keys(&self->a, &self->ka));
	n = recv(self->fd[1], self->buf, DATAGRAM, 0);
	ASSERT_LT(0, n);
	ASSERT_EQ(5, unseal(&self->ka.tx, self->buf, n, &rec, self->plain));
	EXPECT_EQ(0, memcmp(self->plain, "hello", 5));
	EXPECT_EQ(DTLS_CT_APPLICATION_DATA, rec.type);
	/* The number handed over is higher than any on the wire. */
	EXPECT_LT(rec.seq, self->ka.tx.rec_seq);
	EXPECT_GT(rec.seq + 3, self->ka.tx.rec_seq);

	self->buf[n - 1] ^= 1;
	EXPECT_EQ(-1, unseal(&self->ka.tx, self->buf, n, &rec, self->plain));
}

/* The other end's library takes what is sealed with the keys and numbers. */
TEST_F(takeover, library_reads_our_records)
{
	int i, n;

	ASSERT_EQ(0, end_keys(&self->b, &self->kb));
	for (i = 0; i < 3; i++) {
		n = seal(&self->kb.tx, self->kb.tx.rec_seq + i, "answer", 6,
			 self->buf);
		ASSERT_EQ(n, send(self->fd[1], self->buf, n, 0));
		ASSERT_EQ(6, end_read(&self->a, self->plain, DATAGRAM));
		EXPECT_EQ(0, memcmp(self->plain, "answer", 6));
	}
}

/* The last flight is kept in the clear, for when the peer asks for it again. */
TEST_F(takeover, no_finished_is_left_in_memory)
{
	freed_finished = 0;
	ASSERT_EQ(0, end_keys(&self->a, &self->ka));
	ASSERT_EQ(0, end_keys(&self->b, &self->kb));
	end_fini(&self->a);
	end_fini(&self->b);
	EXPECT_EQ(0, freed_finished);
	end_init(&self->a, variant->client, false, self->fd[0],
		 &variant->setup);
	end_init(&self->b, variant->server, true, self->fd[1],
		 &variant->setup);
}

/* A take-over that failed leaves a session that works in user space. */
TEST_F(takeover, session_works_on)
{
	ASSERT_EQ(0, end_keys(&self->a, &self->ka));
	ASSERT_EQ(0, end_keys(&self->b, &self->kb));
	ASSERT_EQ(4, end_write(&self->a, "ping", 4));
	ASSERT_EQ(4, end_read(&self->b, self->plain, DATAGRAM));
	ASSERT_EQ(4, end_write(&self->b, "pong", 4));
	ASSERT_EQ(4, end_read(&self->a, self->plain, DATAGRAM));
	EXPECT_EQ(0, memcmp(self->plain, "pong", 4));
	ASSERT_EQ(0, end_keys(&self->a, &self->ka));
}

/* Delivered: seen. Lost, still queued, or forged: not seen. */
TEST_F(takeover, replay_state_is_exact)
{
	u8 wire[6][DATAGRAM], forged[DATAGRAM];
	struct dtls_record rec[6];
	ssize_t len[6];
	int i;

	for (i = 0; i < 6; i++) {
		ASSERT_EQ(1, end_write(&self->a, "0" + 0, 1));
		len[i] = recv(self->fd[1], wire[i], DATAGRAM, 0);
		ASSERT_EQ(0, dtls_record_parse(&rec[i], wire[i], len[i],
					       len[i], 0));
	}
	/* A number far ahead, which nobody vouches for */
	memcpy(forged, wire[0], len[0]);
	dtls_put_be(forged + 5, 6, rec[0].seq + 100000);
	send(self->fd[0], forged, len[0], 0);
	end_read(&self->b, self->plain, DATAGRAM);

	/* Out of order, one of them (2) never; the last stays in the queue. */
	send(self->fd[0], wire[3], len[3], 0);
	send(self->fd[0], wire[0], len[0], 0);
	send(self->fd[0], wire[4], len[4], 0);
	send(self->fd[0], wire[1], len[1], 0);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(1, end_read(&self->b, self->plain, DATAGRAM));
	send(self->fd[0], wire[5], len[5], 0);

	ASSERT_EQ(0, end_keys(&self->b, &self->kb));
	EXPECT_TRUE(seen(&self->kb, rec[0].seq));
	EXPECT_TRUE(seen(&self->kb, rec[1].seq));
	EXPECT_FALSE(seen(&self->kb, rec[2].seq));
	EXPECT_TRUE(seen(&self->kb, rec[3].seq));
	EXPECT_TRUE(seen(&self->kb, rec[4].seq));
	EXPECT_FALSE(seen(&self->kb, rec[5].seq));
	EXPECT_EQ(rec[4].seq + 1, self->kb.seen.next);
	/* It is still there for the kernel. */
	EXPECT_EQ(len[5], recv(self->fd[1], self->buf, DATAGRAM, 0));
}

/* Two records in a datagram: the second waits inside the library. */
TEST_F(takeover, unread_data_is_refused)
{
	ssize_t one, two;

	ASSERT_EQ(3, end_write(&self->a, "one", 3));
	one = recv(self->fd[1], self->buf, DATAGRAM, 0);
	ASSERT_EQ(3, end_write(&self->a, "two", 3));
	two = recv(self->fd[1], self->buf + one, DATAGRAM - one, 0);
	ASSERT_LT(0, two);
	ASSERT_EQ(one + two, send(self->fd[0], self->buf, one + two, 0));

	ASSERT_EQ(3, end_read(&self->b, self->plain, DATAGRAM));
	EXPECT_EQ(-KDTLS_EUNREAD, end_keys(&self->b, &self->kb));
	EXPECT_EQ(-KDTLS_EUNREAD, end_keys(&self->b, &self->kb));
	ASSERT_EQ(3, end_read(&self->b, self->plain, DATAGRAM));
	EXPECT_EQ(0, memcmp(self->plain, "two", 3));
	EXPECT_EQ(0, end_keys(&self->b, &self->kb));
}

/* A genuine record behind a malformed one must not get past the watch. */
TEST_F(takeover, malformed_datagrams_hide_nothing)
{
	struct dtls_record rec;
	u8 evil[DATAGRAM] = { 23, 0xfe, 0x01 };
	ssize_t n;

	ASSERT_EQ(4, end_write(&self->a, "data", 4));
	n = recv(self->fd[1], evil + 13, DATAGRAM - 13, 0);
	ASSERT_EQ(0, dtls_record_parse(&rec, evil + 13, n, n, 0));
	ASSERT_EQ(n + 13, send(self->fd[0], evil, n + 13, 0));
	EXPECT_EQ(-1, end_read(&self->b, self->plain, DATAGRAM));
	ASSERT_EQ(0, end_keys(&self->b, &self->kb));
	EXPECT_FALSE(seen(&self->kb, rec.seq));

	ASSERT_EQ(n, send(self->fd[0], evil + 13, n, 0));
	EXPECT_EQ(4, end_read(&self->b, self->plain, DATAGRAM));
	ASSERT_EQ(0, end_keys(&self->b, &self->kb));
	EXPECT_TRUE(seen(&self->kb, rec.seq));
}

/* Anybody who knows the addresses can send one. */
TEST_F(takeover, an_empty_datagram_ends_nothing)
{
	ASSERT_EQ(0, send(self->fd[0], "", 0, 0));
	EXPECT_EQ(-1, end_read(&self->b, self->plain, DATAGRAM));
	ASSERT_EQ(4, end_write(&self->a, "data", 4));
	EXPECT_EQ(4, end_read(&self->b, self->plain, DATAGRAM));
	EXPECT_EQ(0, end_keys(&self->b, &self->kb));
}

/* More than the watch keeps copies of */
TEST_F(takeover, long_session)
{
	int i;

	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(1000, end_write(&self->a, self->plain, 1000));
		ASSERT_EQ(1000, end_read(&self->b, self->buf, DATAGRAM));
	}
	ASSERT_EQ(0, end_keys(&self->a, &self->ka));
	ASSERT_EQ(0, end_keys(&self->b, &self->kb));
	EXPECT_LE(1000, self->kb.seen.next);
	EXPECT_LE(self->kb.seen.next, self->ka.tx.rec_seq);
	EXPECT_GT(self->kb.seen.next + 2, self->ka.tx.rec_seq);
	for (i = 0; i < 1000; i++)
		EXPECT_TRUE(seen(&self->kb, self->kb.seen.next - 1 - i));
}

TEST_F(takeover, offload_without_module)
{
	struct dtls_info info;

	if (!kdtls_available())
		SKIP(return, "the module is loaded");
	EXPECT_EQ(-KDTLS_ENOMODULE, end_offload(&self->a));
	EXPECT_EQ(-KDTLS_ENOMODULE, kdtls_get_info(self->fd[0], &info));
	ASSERT_EQ(2, end_write(&self->a, "ok", 2));
	EXPECT_EQ(2, end_read(&self->b, self->plain, DATAGRAM));
}

/* --- what cannot be taken over ------------------------------------------- */

FIXTURE(refuse)
{
	struct end a, b;
	int fd[2];
	struct kdtls_keys keys;
};

FIXTURE_VARIANT(refuse)
{
	enum library lib;
};

FIXTURE_VARIANT_ADD(refuse, openssl) { .lib = OPENSSL };
FIXTURE_VARIANT_ADD(refuse, gnutls) { .lib = GNUTLS };

FIXTURE_SETUP(refuse)
{
	socket_pair(self->fd);
}

FIXTURE_TEARDOWN(refuse)
{
	end_fini(&self->a);
	end_fini(&self->b);
	close(self->fd[0]);
	close(self->fd[1]);
}

#define GOOD_SUITE \
	.openssl = "PSK-AES128-GCM-SHA256", \
	.gnutls = GNUTLS_PRIORITY("AES-128-GCM")

#define BOTH(setup_...)	({						\
	struct setup both_ = { setup_ };				\
									\
	end_init(&self->a, variant->lib, false, self->fd[0], &both_); \
	end_init(&self->b, variant->lib, true, self->fd[1], &both_); \
})

static bool all_zero(const void *p, size_t len)
{
	const u8 *b = p;

	while (len--)
		if (b[len])
			return false;
	return true;
}

TEST_F(refuse, an_empty_datagram_ends_no_handshake)
{
	BOTH(GOOD_SUITE, .watch = true);
	ASSERT_EQ(0, send(self->fd[0], "", 0, 0));
	ASSERT_EQ(0, send(self->fd[1], "", 0, 0));
	EXPECT_TRUE(ends_handshake(&self->a, &self->b));
}

TEST_F(refuse, unfinished_handshake)
{
	BOTH(GOOD_SUITE, .watch = true);
	EXPECT_EQ(-KDTLS_EHANDSHAKE, end_keys(&self->a, &self->keys));
	end_handshake(&self->a);
	end_handshake(&self->b);
	EXPECT_EQ(-KDTLS_EHANDSHAKE, end_keys(&self->a, &self->keys));
	EXPECT_EQ(-KDTLS_EHANDSHAKE, end_keys(&self->b, &self->keys));
	EXPECT_EQ(-KDTLS_EHANDSHAKE, end_offload(&self->a));
	EXPECT_TRUE(all_zero(&self->keys, sizeof(self->keys)));
}

TEST_F(refuse, not_watched)
{
	BOTH(GOOD_SUITE);
	ASSERT_TRUE(ends_handshake(&self->a, &self->b));
	EXPECT_EQ(-KDTLS_EUNWATCHED, end_keys(&self->a, &self->keys));
	EXPECT_EQ(-KDTLS_EUNWATCHED, end_keys(&self->b, &self->keys));
	EXPECT_TRUE(all_zero(&self->keys, sizeof(self->keys)));
}

TEST_F(refuse, watch_too_late)
{
	BOTH(GOOD_SUITE);
	ASSERT_TRUE(ends_handshake(&self->a, &self->b));
	EXPECT_EQ(-KDTLS_ELATE, end_watch(&self->a));
}

TEST_F(refuse, watch_twice)
{
	BOTH(GOOD_SUITE, .watch = true);
	EXPECT_EQ(-KDTLS_ELATE, end_watch(&self->a));
	EXPECT_TRUE(ends_handshake(&self->a, &self->b));
}

TEST_F(refuse, cbc_suite)
{
	BOTH(.openssl = "PSK-AES128-CBC-SHA256",
	     .gnutls = GNUTLS_PRIORITY("AES-128-CBC"), .watch = true);
	ASSERT_TRUE(ends_handshake(&self->a, &self->b));
	EXPECT_EQ(-KDTLS_ESUITE, end_keys(&self->a, &self->keys));
	EXPECT_EQ(-KDTLS_ESUITE, end_offload(&self->b));
}

TEST_F(refuse, dtls_1_0)
{
	BOTH(.openssl = "PSK-AES128-CBC-SHA:@SECLEVEL=0",
	     .gnutls = "NORMAL:-VERS-ALL:+VERS-DTLS1.0:-KX-ALL:+PSK",
	     .watch = true, .version_1_0 = true);
	ASSERT_TRUE(ends_handshake(&self->a, &self->b));
	EXPECT_EQ(-KDTLS_EVERSION, end_keys(&self->a, &self->keys));
	EXPECT_EQ(-KDTLS_EVERSION, end_offload(&self->b));
}

/* Forgeries that fill the watch before the handshake ends */
TEST_F(refuse, flood_before_the_end)
{
	static u8 datagram[13 + 16000] = { 23, 0xfe, 0xfd, 0, 1 };
	int i;

	dtls_put_be(datagram + 11, 2, 16000);
	BOTH(GOOD_SUITE, .watch = true);
	for (i = 0; i < 20; i++) {
		send(self->fd[0], datagram, sizeof(datagram), 0);
		end_handshake(&self->b);
	}
	ASSERT_TRUE(ends_handshake(&self->a, &self->b));
	EXPECT_EQ(-KDTLS_EMISSED, end_keys(&self->b, &self->keys));
	EXPECT_TRUE(all_zero(&self->keys, sizeof(self->keys)));
	EXPECT_EQ(0, end_keys(&self->a, &self->keys));
}

TEST(openssl_session_shut_down)
{
	struct setup setup = { GOOD_SUITE, .watch = true };
	struct kdtls_keys keys;
	struct end a, b;
	int fd[2];

	socket_pair(fd);
	end_init(&a, OPENSSL, false, fd[0], &setup);
	end_init(&b, OPENSSL, true, fd[1], &setup);
	ASSERT_TRUE(ends_handshake(&a, &b));
	SSL_shutdown(a.ssl);
	EXPECT_EQ(-KDTLS_ECLOSED, end_keys(&a, &keys));
	EXPECT_EQ(-1, end_read(&b, &keys, 1));
	EXPECT_EQ(-KDTLS_ECLOSED, end_keys(&b, &keys));
	end_fini(&a);
	end_fini(&b);
}

/* --- sockets ------------------------------------------------------------- */

/* What is corked would be sealed with numbers that are the kernel's by then. */
TEST(gnutls_session_with_corked_data)
{
	struct setup setup = { GOOD_SUITE, .watch = true };
	struct kdtls_keys keys;
	struct end a, b;
	char plain[16];
	int fd[2];

	socket_pair(fd);
	end_init(&a, GNUTLS, false, fd[0], &setup);
	end_init(&b, GNUTLS, true, fd[1], &setup);
	ASSERT_TRUE(ends_handshake(&a, &b));
	gnutls_record_cork(a.session);
	ASSERT_EQ(4, end_write(&a, "late", 4));
	EXPECT_EQ(-KDTLS_EUNSENT, end_keys(&a, &keys));
	EXPECT_TRUE(all_zero(&keys, sizeof(keys)));
	ASSERT_EQ(4, gnutls_record_uncork(a.session, GNUTLS_RECORD_WAIT));
	EXPECT_EQ(0, end_keys(&a, &keys));
	EXPECT_EQ(4, end_read(&b, plain, sizeof(plain)));
	end_fini(&a);
	end_fini(&b);
}

TEST(sockets_are_told_apart)
{
	int tcp = socket(AF_INET, SOCK_STREAM, 0);
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	int file = open("/dev/null", O_RDWR);
	int err = kdtls_supports(udp, DTLS_CIPHER_AES_GCM_128);

	EXPECT_EQ(-KDTLS_ENOTUDP, kdtls_attach(tcp));
	EXPECT_EQ(-KDTLS_ENOTUDP, kdtls_attach(file));
	EXPECT_EQ(-EBADF, kdtls_attach(-1));
	EXPECT_EQ(-KDTLS_ENOTUDP,
		  kdtls_supports(tcp, DTLS_CIPHER_AES_GCM_128));
	EXPECT_EQ(kdtls_available() ? -KDTLS_ENOMODULE : -KDTLS_ENOTCONN, err);
}

TEST(every_error_has_words)
{
	int i;

	for (i = KDTLS_ENOMODULE; i <= KDTLS_EUNSENT; i++) {
		EXPECT_NE(NULL, strchr(kdtls_strerror(i), ':'));
		EXPECT_EQ(kdtls_strerror(i), kdtls_strerror(-i));
	}
	EXPECT_STREQ(strerror(EPERM), kdtls_strerror(-EPERM));
	EXPECT_STREQ("AES-128-GCM", kdtls_cipher_name(DTLS_CIPHER_AES_GCM_128));
	EXPECT_STREQ("none", kdtls_cipher_name(0));
	EXPECT_STREQ("unknown", kdtls_cipher_name(9999));
}

TEST_HARNESS_MAIN
