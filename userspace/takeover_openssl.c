// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file takes over sessions from OpenSSL after the handshake. See
 * kdtls/openssl.h. It uses only the public interface of OpenSSL 3.0.
 */
#include "engine/keys12.h"
#include "seen.h"
#include <kdtls/openssl.h>
#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>

/* --- crypto -------------------------------------------------------------- */

/*
 * CCM and CCM_8 have the same NID, and only the size of the tag tells them
 * apart.
 */
static const struct {
	int nid;
	unsigned int cipher;
} ciphers[] = {
	{ NID_aes_128_gcm, DTLS_CIPHER_AES_GCM_128 },
	{ NID_aes_256_gcm, DTLS_CIPHER_AES_GCM_256 },
	{ NID_aes_128_ccm, DTLS_CIPHER_AES_CCM_128 },
	{ NID_aes_256_ccm, DTLS_CIPHER_AES_CCM_256 },
	{ NID_aes_128_ccm, DTLS_CIPHER_AES_CCM_8_128 },
	{ NID_aes_256_ccm, DTLS_CIPHER_AES_CCM_8_256 },
	{ NID_chacha20_poly1305, DTLS_CIPHER_CHACHA20_POLY1305 },
};

#define N_CIPHERS (sizeof(ciphers) / sizeof(ciphers[0]))

static const EVP_CIPHER *evp_of(unsigned int cipher)
{
	size_t i = 0;

	while (ciphers[i].cipher != cipher)
		i++;
	return EVP_get_cipherbynid(ciphers[i].nid);
}

static bool open_record(const struct dtls_key_info *key,
			const struct sealed *s, u8 *plain)
{
	int tag_size = s->cipher->tag_len;
	int len = (int)s->text_len - tag_size;
	const EVP_CIPHER *evp = evp_of(key->cipher);
	bool ccm = EVP_CIPHER_get_mode(evp) == EVP_CIPH_CCM_MODE;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok;
	int n;

	/*
	 * CCM wants its tag and length before the key; the others take any
	 * order.
	 */
	ok = ctx &&
	     EVP_DecryptInit_ex(ctx, evp, NULL, NULL, NULL) &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN,
				 DTLS_NONCE_SIZE, NULL) > 0 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, tag_size,
				 (void *)(s->text + len)) > 0 &&
	     EVP_DecryptInit_ex(ctx, NULL, NULL, key->key, s->nonce) &&
	     (!ccm || EVP_DecryptUpdate(ctx, NULL, &n, NULL, len)) &&
	     EVP_DecryptUpdate(ctx, NULL, &n, s->aad, (int)s->aad_len) &&
	     EVP_DecryptUpdate(ctx, plain, &n, s->text, len) &&
	     (ccm || EVP_DecryptFinal_ex(ctx, plain + len, &n));
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

/* --- what a session can tell --------------------------------------------- */

/*
 * Return the DTLS_CIPHER_* of the session, or 0 if the kernel has no such
 * cipher.
 */
static unsigned int cipher_of(const SSL *ssl)
{
	const SSL_CIPHER *suite = SSL_get_current_cipher(ssl);
	bool ccm8;
	size_t i;

	if (!suite)
		return 0;
	ccm8 = strstr(SSL_CIPHER_standard_name(suite), "_CCM_8");
	for (i = 0; i < N_CIPHERS; i++)
		if (ciphers[i].nid == SSL_CIPHER_get_cipher_nid(suite) &&
		    ccm8 == (dtls_aead_find(ciphers[i].cipher)->tag_len == 8))
			return ciphers[i].cipher;
	return 0;
}

static int session_fits(const SSL *ssl)
{
	const SSL_SESSION *session = SSL_get_session(ssl);
	int mfl;

	if (!SSL_is_init_finished(ssl) || !session)
		return -KDTLS_EHANDSHAKE;
	if (SSL_version(ssl) != DTLS1_2_VERSION)
		return -KDTLS_EVERSION;
	if (!cipher_of(ssl))
		return -KDTLS_ESUITE;
	if (SSL_get_shutdown(ssl))
		return -KDTLS_ECLOSED;
	mfl = SSL_SESSION_get_max_fragment_length(session);
	if (SSL_get_current_compression(ssl) ||
	    (mfl >= TLSEXT_max_fragment_length_512 &&
	     mfl <= TLSEXT_max_fragment_length_4096))
		return -KDTLS_EEXTENSION;
	return 0;
}

/*
 * Fill in keys and IVs of both directions for epoch 1, without sequence
 * numbers.
 */
static int derive(const SSL *ssl, struct kdtls_keys *keys)
{
	const EVP_MD *md =
		SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl));
	struct dtls_suite suite = {
		.cipher = cipher_of(ssl),
		.sha384 = md && EVP_MD_is_a(md, "SHA384"),
	};
	struct dtls_key_info *client = &keys->tx, *server = &keys->rx;
	struct dtls12_secrets secrets;
	struct dtls_crypto crypto = { 0 };
	int err = -KDTLS_EKEYS;

	if (!dtls_crypto_init(&crypto))
		return err;
	if (SSL_is_server(ssl)) {
		client = &keys->rx;
		server = &keys->tx;
	}
	SSL_get_client_random(ssl, secrets.client_random, DTLS_RANDOM_SIZE);
	SSL_get_server_random(ssl, secrets.server_random, DTLS_RANDOM_SIZE);
	if (SSL_SESSION_get_master_key(SSL_get_session(ssl), secrets.master,
				       DTLS_SECRET_SIZE) == DTLS_SECRET_SIZE &&
	    dtls_keys12_keys(&crypto, &suite, &secrets, client, server))
		err = 0;
	OPENSSL_cleanse(&secrets, sizeof(secrets));
	dtls_crypto_exit(&crypto);
	return err;
}

/*
 * Return a memory BIO that reports a retry, and not the end of file, when all
 * of it is read.
 */
static BIO *memory_bio(void)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (bio)
		BIO_set_mem_eof_return(bio, -1);
	return bio;
}

/*
 * Find the write epoch and the next sequence number: OpenSSL writes a record of
 * one byte to memory, and its header tells both. The record also proves the
 * write key. It is never sent, and its sequence number is never used again.
 */
static int probe_write(SSL *ssl, struct dtls_key_info *tx)
{
	BIO *memory = memory_bio(), *wbio = SSL_get_wbio(ssl);
	int err = -KDTLS_EKEYS;
	struct dtls_record rec;
	struct sealed sealed;
	u8 plain[1];
	char *p;
	long len;

	if (!memory || !BIO_up_ref(wbio)) {
		BIO_free(memory);
		return -ENOMEM;
	}
	BIO_up_ref(memory);
	SSL_set0_wbio(ssl, memory);
	ERR_set_mark();
	SSL_write(ssl, "", 1);
	ERR_pop_to_mark();
	SSL_set0_wbio(ssl, wbio);

	len = BIO_get_mem_data(memory, &p);
	if (!dtls_record_parse(&rec, (u8 *)p, len, len, 0)) {
		tx->epoch = rec.epoch;
		tx->rec_seq = rec.seq + 1;
		if (sealed_parse(&sealed, tx, (u8 *)p, len) == (size_t)len &&
		    sealed.text_len == sizeof(plain) + sealed.cipher->tag_len &&
		    open_record(tx, &sealed, plain))
			err = 0;
	}
	BIO_free(memory);
	return err;
}

/*
 * Return 0 if OpenSSL holds no received data. SSL_pending() and
 * SSL_has_pending() do not see every queue of OpenSSL's. A peek sees all of
 * them, and the BIO with nothing to read keeps it from taking a datagram.
 */
static int probe_read(SSL *ssl)
{
	BIO *memory = memory_bio(), *rbio = SSL_get_rbio(ssl);
	char byte;
	int n, why;

	if (!memory || !BIO_up_ref(rbio)) {
		BIO_free(memory);
		return -ENOMEM;
	}
	SSL_set0_rbio(ssl, memory);
	ERR_set_mark();
	n = SSL_peek(ssl, &byte, 1);
	why = SSL_get_error(ssl, n);
	ERR_pop_to_mark();
	SSL_set0_rbio(ssl, rbio);

	OPENSSL_cleanse(&byte, 1);
	if (n > 0)
		return -KDTLS_EUNREAD;
	return why == SSL_ERROR_WANT_READ ? 0 : -KDTLS_ECLOSED;
}

/* --- the watch: a filter BIO --------------------------------------------- */

#define FLIGHT_MAX	8192

/**
 * struct watch - one watched session
 * @ssl:	the session
 * @seen:	the records that the session has read
 * @flight:	the records of this end's last handshake flight
 * @flight_len:	bytes of @flight; SIZE_MAX: the flight does not fit or cannot be
 *		sent again
 * @flight_open: the records of epoch 1 in @flight are plaintext behind a header
 * @flight_seq:	next sequence number of epoch 0
 * @answered:	something was read after the last write, so the next write
 *		begins another flight
 */
struct watch {
	SSL *ssl;
	struct seen seen;
	u8 flight[FLIGHT_MAX];
	size_t flight_len;
	bool flight_open;
	u64 flight_seq;
	bool answered;
};

/* Open the copies of what was read. Return 0 or -ENOMEM. */
static int watch_settle(struct watch *w, const struct dtls_key_info *rx)
{
	return seen_settle(&w->seen, rx, open_record) ? 0 : -ENOMEM;
}

/*
 * Open the copies of records to make room for more, if the session is read from
 * for long before it is taken over.
 */
static void watch_make_room(struct watch *w)
{
	struct kdtls_keys keys = { 0 };

	if (!session_fits(w->ssl) && !derive(w->ssl, &keys))
		watch_settle(w, &keys.rx);
	kdtls_keys_wipe(&keys);
}

static int watch_read(BIO *bio, char *buf, int size)
{
	struct watch *w = BIO_get_data(bio);
	BIO *next = BIO_next(bio);
	int n = BIO_read(next, buf, size);

	BIO_clear_retry_flags(bio);
	BIO_copy_next_retry(bio);
	/* An empty datagram, which anybody may send, is not the end of file. */
	if (n < 0 || (!n && BIO_method_type(next) != BIO_TYPE_DGRAM))
		return n;
	w->answered = true;
	if (!seen_room(&w->seen, n))
		watch_make_room(w);
	return (int)seen_datagram(&w->seen, (u8 *)buf, n);
}

static void watch_note_flight(struct watch *w, const u8 *buf, size_t len)
{
	struct dtls_record rec;
	size_t at;

	if (SSL_is_init_finished(w->ssl))
		return;
	for (at = 0; !dtls_record_parse(&rec, buf + at, len - at, len - at, 0);
	     at += rec.header_len + rec.fragment_len)
		if (!rec.epoch && rec.seq >= w->flight_seq)
			w->flight_seq = rec.seq + 1;

	if (w->answered)
		w->flight_len = 0;
	w->answered = false;
	if (w->flight_len > FLIGHT_MAX || FLIGHT_MAX - w->flight_len < len) {
		w->flight_len = SIZE_MAX;
		return;
	}
	memcpy(w->flight + w->flight_len, buf, len);
	w->flight_len += len;
}

/*
 * Decrypt the records of the last flight. If the peer asks for the flight, the
 * kernel seals them again under new sequence numbers.
 */
static void watch_open_flight(struct watch *w, const struct dtls_key_info *tx)
{
	size_t at, size, plain_len, len = 0;
	struct dtls_record rec;
	struct sealed sealed;
	u8 plain[FLIGHT_MAX];

	if (w->flight_open || w->flight_len > FLIGHT_MAX)
		return;
	w->flight_open = true;
	for (at = 0; at < w->flight_len; at += size) {
		u8 *p = w->flight + at;
		size_t left = w->flight_len - at;

		if (dtls_record_parse(&rec, p, left, left, 0))
			break;
		size = rec.header_len + rec.fragment_len;
		if (!rec.epoch) {
			memmove(w->flight + len, p, size);
			len += size;
			continue;
		}
		if (!sealed_parse(&sealed, tx, p, size) ||
		    !open_record(tx, &sealed, plain))
			break;
		plain_len = sealed.text_len - sealed.cipher->tag_len;
		rec.fragment_len = plain_len;
		len += dtls_record_write_header(w->flight + len, &rec);
		memcpy(w->flight + len, plain, plain_len);
		len += plain_len;
	}
	OPENSSL_cleanse(plain, sizeof(plain));
	w->flight_len = at < w->flight_len ? SIZE_MAX : len;
}

static int watch_write(BIO *bio, const char *buf, int len)
{
	int n = BIO_write(BIO_next(bio), buf, len);

	if (len > 0)
		watch_note_flight(BIO_get_data(bio), (const u8 *)buf, len);
	BIO_clear_retry_flags(bio);
	BIO_copy_next_retry(bio);
	return n;
}

static long watch_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	return BIO_next(bio) ? BIO_ctrl(BIO_next(bio), cmd, num, ptr) : 0;
}

static int watch_destroy(BIO *bio)
{
	struct watch *w = BIO_get_data(bio);

	if (!w)
		return 1;
	seen_fini(&w->seen);
	/* The flight has the plaintext of the Finished. */
	OPENSSL_cleanse(w->flight, sizeof(w->flight));
	free(w);
	return 1;
}

static BIO_METHOD *watch_method;
static int watch_type;

static void watch_method_init(void)
{
	BIO_METHOD *m;

	watch_type = BIO_get_new_index() | BIO_TYPE_FILTER;
	m = BIO_meth_new(watch_type, "kdtls watch");
	if (m && BIO_meth_set_read(m, watch_read) &&
	    BIO_meth_set_write(m, watch_write) &&
	    BIO_meth_set_ctrl(m, watch_ctrl) &&
	    BIO_meth_set_destroy(m, watch_destroy))
		watch_method = m;
	else
		BIO_meth_free(m);
}

static struct watch *watch_of(const SSL *ssl)
{
	BIO *bio = SSL_get_rbio(ssl);

	if (!bio || !watch_method)
		return NULL;
	bio = BIO_find_type(bio, watch_type);
	return bio ? BIO_get_data(bio) : NULL;
}

int kdtls_openssl_watch(SSL *ssl)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl);
	BIO *rbio = SSL_get_rbio(ssl), *filter;
	struct watch *w;

	if (!rbio)
		return -KDTLS_ENOTUDP;
	/*
	 * A watch may begin after DTLSv1_listen(), which reads one ClientHello
	 * in the clear.
	 */
	if ((state != TLS_ST_BEFORE && state != TLS_ST_SR_CLNT_HELLO) ||
	    watch_of(ssl))
		return -KDTLS_ELATE;

	pthread_once(&once, watch_method_init);
	w = calloc(1, sizeof(*w));
	filter = watch_method && w && seen_init(&w->seen) ?
		 BIO_new(watch_method) : NULL;
	if (!filter || !BIO_up_ref(rbio)) {
		if (w)
			seen_fini(&w->seen);
		free(w);
		BIO_free(filter);
		return -ENOMEM;
	}
	w->ssl = ssl;
	BIO_set_data(filter, w);
	BIO_set_init(filter, 1);
	/*
	 * The last flight is seen only if one BIO serves both directions. With
	 * two, kdtls_openssl_answer() has nothing to send.
	 */
	if (SSL_get_wbio(ssl) == rbio && BIO_up_ref(filter))
		SSL_set0_wbio(ssl, filter);
	SSL_set0_rbio(ssl, BIO_push(filter, rbio));
	return 0;
}

/* --- the take-over ------------------------------------------------------- */

int kdtls_openssl_keys(SSL *ssl, struct kdtls_keys *keys)
{
	struct watch *w = watch_of(ssl);
	int err;

	memset(keys, 0, sizeof(*keys));
	err = session_fits(ssl);
	if (!err && !w)
		err = -KDTLS_EUNWATCHED;
	if (!err)
		err = probe_read(ssl);
	/* The peek may have met an alert or the start of another handshake. */
	if (!err)
		err = session_fits(ssl);
	if (!err)
		err = derive(ssl, keys);
	if (!err)
		err = probe_write(ssl, &keys->tx);
	/* A second handshake changes both epochs (RFC 6347 4.1). */
	if (!err && keys->tx.epoch != FIRST_EPOCH)
		err = -KDTLS_ERENEGOTIATED;
	if (!err)
		err = watch_settle(w, &keys->rx);
	if (!err)
		err = seen_report(&w->seen, keys->rx.epoch, &keys->seen);
	if (err)
		kdtls_keys_wipe(keys);
	else
		watch_open_flight(w, &keys->tx);
	return err;
}

int kdtls_offload_openssl(SSL *ssl)
{
	int fd = SSL_get_rfd(ssl);
	struct kdtls_keys keys;
	int err;

	if (fd < 0 || fd != SSL_get_wfd(ssl))
		return -KDTLS_ENOTUDP;
	/* These checks come first, as they leave the session as it is. */
	err = session_fits(ssl);
	if (!err)
		err = kdtls_available();
	if (!err)
		err = kdtls_openssl_keys(ssl, &keys);
	if (err)
		return err;
	err = kdtls_install(fd, &keys);
	kdtls_keys_wipe(&keys);
	if (!err)
		SSL_set_quiet_shutdown(ssl, 1);
	return err;
}

int kdtls_openssl_answer(SSL *ssl, const struct dtls_record_info *info)
{
	struct watch *w = watch_of(ssl);
	int fd = SSL_get_wfd(ssl);
	struct dtls_record rec;
	size_t at, size, left;
	ssize_t n;

	/*
	 * Only a verified record is answered, as anybody could cause a flight
	 * with a forged one.
	 */
	if (!w || w->flight_len > FLIGHT_MAX || info->type != DTLS_CT_HANDSHAKE ||
	    info->flags & (DTLS_RECORD_RAW | DTLS_RECORD_EVENT))
		return 0;
	for (at = 0; at < w->flight_len; at += size) {
		u8 *p = w->flight + at;

		left = w->flight_len - at;
		if (dtls_record_parse(&rec, p, left, left, 0))
			return 0;
		size = rec.header_len + rec.fragment_len;
		if (rec.epoch) {
			n = kdtls_send_record(fd, rec.type, p + rec.header_len,
					      rec.fragment_len);
		} else {
			rec.seq = w->flight_seq++;
			dtls_record_write_header(p, &rec);
			n = kdtls_send_raw(fd, p, size);
		}
		if (n < 0)
			return (int)n;
	}
	return w->flight_len > 0;
}
