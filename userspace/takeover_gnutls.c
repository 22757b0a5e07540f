// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file takes over sessions from GnuTLS after the handshake. See
 * kdtls/gnutls.h.
 */
#include "seen.h"
#include <kdtls/gnutls.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

/* --- crypto -------------------------------------------------------------- */

static const struct {
	gnutls_cipher_algorithm_t gnutls;
	unsigned int cipher;
} ciphers[] = {
	{ GNUTLS_CIPHER_AES_128_GCM, DTLS_CIPHER_AES_GCM_128 },
	{ GNUTLS_CIPHER_AES_256_GCM, DTLS_CIPHER_AES_GCM_256 },
	{ GNUTLS_CIPHER_AES_128_CCM, DTLS_CIPHER_AES_CCM_128 },
	{ GNUTLS_CIPHER_AES_256_CCM, DTLS_CIPHER_AES_CCM_256 },
	{ GNUTLS_CIPHER_AES_128_CCM_8, DTLS_CIPHER_AES_CCM_8_128 },
	{ GNUTLS_CIPHER_AES_256_CCM_8, DTLS_CIPHER_AES_CCM_8_256 },
	{ GNUTLS_CIPHER_CHACHA20_POLY1305, DTLS_CIPHER_CHACHA20_POLY1305 },
};

#define N_CIPHERS (sizeof(ciphers) / sizeof(ciphers[0]))

static unsigned int cipher_of(gnutls_session_t session)
{
	gnutls_cipher_algorithm_t cipher = gnutls_cipher_get(session);
	size_t i;

	for (i = 0; i < N_CIPHERS; i++)
		if (ciphers[i].gnutls == cipher)
			return ciphers[i].cipher;
	return 0;
}

static bool open_record(const struct dtls_key_info *key,
			const struct sealed *s, u8 *plain)
{
	gnutls_datum_t secret = { (u8 *)key->key, s->cipher->key_len };
	size_t len = DTLS_FRAGMENT_SIZE_MAX, i = 0;
	gnutls_aead_cipher_hd_t aead;
	int err;

	while (ciphers[i].cipher != key->cipher)
		i++;
	if (gnutls_aead_cipher_init(&aead, ciphers[i].gnutls, &secret))
		return false;
	err = gnutls_aead_cipher_decrypt(aead, s->nonce, DTLS_NONCE_SIZE,
					 s->aad, s->aad_len,
					 s->cipher->tag_len,
					 s->text, s->text_len, plain, &len);
	gnutls_aead_cipher_deinit(aead);
	return !err;
}

/* --- what a session can tell --------------------------------------------- */

/*
 * Return true if no handshake is under way, which the last message that GnuTLS
 * has handled tells: it is a Finished, or there was none.
 */
static bool idle(gnutls_handshake_description_t last)
{
	return last == GNUTLS_HANDSHAKE_FINISHED || (int)last == -1;
}

static int session_fits(gnutls_session_t session)
{
	if (gnutls_cipher_get(session) == GNUTLS_CIPHER_NULL ||
	    !idle(gnutls_handshake_get_last_in(session)) ||
	    !idle(gnutls_handshake_get_last_out(session)))
		return -KDTLS_EHANDSHAKE;
	if (gnutls_protocol_get_version(session) != GNUTLS_DTLS1_2)
		return -KDTLS_EVERSION;
	if (!cipher_of(session))
		return -KDTLS_ESUITE;
	if (gnutls_record_get_max_size(session) < DTLS_RECORD_SIZE_MAX)
		return -KDTLS_EEXTENSION;
	return 0;
}

static int read_state(gnutls_session_t session, bool read,
		      struct dtls_key_info *key)
{
	const struct dtls_aead *c = dtls_aead_find(cipher_of(session));
	gnutls_datum_t mac, iv, secret;
	u8 seq[8];

	if (gnutls_record_get_state(session, read, &mac, &iv, &secret, seq) ||
	    iv.size != c->salt_len || secret.size != c->key_len)
		return -KDTLS_EKEYS;

	key->version = DTLS_VERSION_1_2;
	key->cipher = c->id;
	key->epoch = dtls_get_be(seq, 2);
	memcpy(key->key, secret.data, secret.size);
	memcpy(key->iv, iv.data, iv.size);
	/*
	 * GnuTLS tells no number below which all records were read. struct
	 * watch has the replay window instead.
	 */
	if (!read)
		key->rec_seq = dtls_get_be(seq + 2, 6);
	if (!key->epoch)
		return -KDTLS_EHANDSHAKE;
	return key->epoch == FIRST_EPOCH ? 0 : -KDTLS_ERENEGOTIATED;
}

/* --- the watch: pull functions ------------------------------------------- */

/**
 * struct watch - one watched session
 * @next:	the next one in the list of all watches
 * @session:	the session
 * @fd:		UDP socket of the session
 * @seen:	the records that the session has read
 * @buf:	the last datagram
 * @len:	bytes of well-formed records in @buf
 * @at:		how many of these bytes GnuTLS has taken
 */
struct watch {
	struct watch *next;
	gnutls_session_t session;
	int fd;
	struct seen seen;
	u8 buf[65536];
	size_t len;
	size_t at;
};

/*
 * watches is the list of all watches, guarded by watches_lock. A watch cannot be found
 * through its session, as the pointer that a GnuTLS session has belongs to the
 * program.
 */
static struct watch *watches;
static pthread_mutex_t watches_lock = PTHREAD_MUTEX_INITIALIZER;

/* Find the watch of a session. With @take, remove it from the list. */
static struct watch *watch_find(gnutls_session_t session, bool take)
{
	struct watch **p, *w;

	pthread_mutex_lock(&watches_lock);
	for (p = &watches; *p && (*p)->session != session; p = &(*p)->next)
		;
	w = *p;
	if (w && take)
		*p = w->next;
	pthread_mutex_unlock(&watches_lock);
	return w;
}

/*
 * Open the copies of records to make room for more, if the session is read from
 * for long before it is taken over.
 */
static void watch_make_room(struct watch *w)
{
	struct dtls_key_info rx = { 0 };

	if (!session_fits(w->session) && !read_state(w->session, true, &rx))
		seen_settle(&w->seen, &rx, open_record);
	explicit_bzero(&rx, sizeof(rx));
}

/*
 * Give GnuTLS one record a call. So kdtls_gnutls_keys() knows which records
 * GnuTLS has not asked for yet.
 */
static ssize_t watch_pull(gnutls_transport_ptr_t ptr, void *buf, size_t size)
{
	struct watch *w = ptr;
	struct dtls_record rec;
	size_t n;

	if (w->at == w->len) {
		ssize_t got = recv(w->fd, w->buf, sizeof(w->buf), 0);

		/* An empty datagram, which anybody may send, is not the end of file. */
		if (got < 0)
			return got;
		if (!seen_room(&w->seen, got))
			watch_make_room(w);
		w->len = seen_datagram(&w->seen, w->buf, got);
		w->at = 0;
	}
	n = w->len - w->at;
	if (!dtls_record_parse(&rec, w->buf + w->at, n, n, 0))
		n = rec.header_len + rec.fragment_len;
	memcpy(buf, w->buf + w->at, n < size ? n : size);
	w->at += n;
	return n < size ? n : size;
}

static int watch_pull_timeout(gnutls_transport_ptr_t ptr, unsigned int ms)
{
	struct watch *w = ptr;
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	if (w->at < w->len)
		return 1;
	return poll(&p, 1, ms == GNUTLS_INDEFINITE_TIMEOUT ? -1 : (int)ms);
}

int kdtls_gnutls_watch(gnutls_session_t session)
{
	struct watch *w;
	int in, out;

	if (watch_find(session, false) ||
	    gnutls_cipher_get(session) != GNUTLS_CIPHER_NULL)
		return -KDTLS_ELATE;
	gnutls_transport_get_int2(session, &in, &out);
	if (in < 0 || in != out)
		return -KDTLS_ENOTUDP;

	w = calloc(1, sizeof(*w));
	if (!w || !seen_init(&w->seen)) {
		free(w);
		return -ENOMEM;
	}
	w->session = session;
	w->fd = in;
	gnutls_transport_set_ptr2(session, w,
				  (gnutls_transport_ptr_t)(long)w->fd);
	gnutls_transport_set_pull_function(session, watch_pull);
	gnutls_transport_set_pull_timeout_function(session,
						   watch_pull_timeout);
	pthread_mutex_lock(&watches_lock);
	w->next = watches;
	watches = w;
	pthread_mutex_unlock(&watches_lock);
	return 0;
}

static ssize_t plain_pull(gnutls_transport_ptr_t ptr, void *buf, size_t size)
{
	return recv((int)(long)ptr, buf, size, 0);
}

void kdtls_gnutls_unwatch(gnutls_session_t session)
{
	struct watch *w = watch_find(session, true);

	if (!w)
		return;
	gnutls_transport_set_int(session, w->fd);
	gnutls_transport_set_pull_function(session, plain_pull);
	gnutls_transport_set_pull_timeout_function(session,
						   gnutls_system_recv_timeout);
	seen_fini(&w->seen);
	free(w);
}

/* --- the take-over ------------------------------------------------------- */

int kdtls_gnutls_keys(gnutls_session_t session, struct kdtls_keys *keys)
{
	struct watch *w = watch_find(session, false);
	int err;

	memset(keys, 0, sizeof(*keys));
	err = session_fits(session);
	if (!err && !w)
		err = -KDTLS_EUNWATCHED;
	if (!err && (gnutls_record_check_pending(session) || w->at < w->len))
		err = -KDTLS_EUNREAD;
	/* GnuTLS would seal the data later, under numbers that the kernel has used. */
	if (!err && gnutls_record_check_corked(session))
		err = -KDTLS_EUNSENT;
	if (!err)
		err = read_state(session, false, &keys->tx);
	if (!err)
		err = read_state(session, true, &keys->rx);
	if (!err && !seen_settle(&w->seen, &keys->rx, open_record))
		err = -ENOMEM;
	if (!err)
		err = seen_report(&w->seen, keys->rx.epoch, &keys->seen);
	if (err)
		kdtls_keys_wipe(keys);
	return err;
}

int kdtls_offload_gnutls(gnutls_session_t session)
{
	struct watch *w = watch_find(session, false);
	struct kdtls_keys keys;
	int err;

	err = session_fits(session);
	if (err)
		return err;
	if (!w)
		return -KDTLS_EUNWATCHED;
	/* These checks come first, as they leave the session as it is. */
	err = kdtls_available();
	if (!err)
		err = kdtls_gnutls_keys(session, &keys);
	if (err)
		return err;
	err = kdtls_install(w->fd, &keys);
	kdtls_keys_wipe(&keys);
	return err;
}
