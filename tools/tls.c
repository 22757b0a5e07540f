// SPDX-License-Identifier: BSD-3-Clause
/* See tls.h. */
#include "tls.h"
#include "net.h"
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <kdtls/openssl.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define CERT_SUITES	"ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AESCCM:!aPSK"
#define PSK_SUITES	"PSK+AESGCM:PSK+CHACHA20:PSK+AESCCM"
#define COOKIE_SIZE	32

static const struct options *options;
static unsigned char cookie_secret[32];
static int keylog_fd = -1;

/* Why OpenSSL failed, as far as it tells */
static const char *reason(void)
{
	unsigned long e = ERR_peek_last_error();
	const char *s = e ? ERR_reason_error_string(e) : NULL;

	return s ? s : "no reason given";
}

static unsigned int client_psk(SSL *ssl, const char *hint, char *identity,
			       unsigned int size, unsigned char *key,
			       unsigned int max)
{
	(void)ssl;
	(void)hint;
	if (strlen(options->psk_identity) >= size || options->psk_len > max)
		return 0;
	strcpy(identity, options->psk_identity);
	memcpy(key, options->psk, options->psk_len);
	return options->psk_len;
}

static unsigned int server_psk(SSL *ssl, const char *identity,
			       unsigned char *key, unsigned int max)
{
	(void)ssl;
	if (strcmp(identity, options->psk_identity) || options->psk_len > max)
		return 0;
	memcpy(key, options->psk, options->psk_len);
	return options->psk_len;
}

/* RFC 6347 4.2.1: an HMAC over the client's address */
static int make_cookie(SSL *ssl, unsigned char *cookie, unsigned int *len)
{
	BIO_ADDR *peer = BIO_ADDR_new();
	unsigned char text[32];
	size_t n = 0;
	int ok = 0;

	if (peer && BIO_dgram_get_peer(SSL_get_rbio(ssl), peer) > 0 &&
	    BIO_ADDR_rawaddress(peer, NULL, &n) &&
	    n + sizeof(uint16_t) <= sizeof(text)) {
		uint16_t port = BIO_ADDR_rawport(peer);

		BIO_ADDR_rawaddress(peer, text, &n);
		memcpy(text + n, &port, sizeof(port));
		ok = HMAC(EVP_sha256(), cookie_secret, sizeof(cookie_secret),
			  text, n + sizeof(port), cookie, len) ? 1 : 0;
	}
	BIO_ADDR_free(peer);
	return ok;
}

static int verify_cookie(SSL *ssl, const unsigned char *cookie,
			 unsigned int len)
{
	unsigned char good[EVP_MAX_MD_SIZE];
	unsigned int good_len;

	return make_cookie(ssl, good, &good_len) && len == good_len &&
	       !CRYPTO_memcmp(good, cookie, len);
}

static void log_key(const SSL *ssl, const char *line)
{
	(void)ssl;
	dprintf(keylog_fd, "%s\n", line);
}

SSL_CTX *tls_context(const struct options *o)
{
	SSL_CTX *ctx = SSL_CTX_new(DTLS_method());
	const char *suites = o->cipher;

	if (!suites)
		suites = o->psk_len ? PSK_SUITES : CERT_SUITES;
	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) ||
	    RAND_bytes(cookie_secret, sizeof(cookie_secret)) <= 0)
		errx(1, "OpenSSL: %s", reason());
	if (!SSL_CTX_set_cipher_list(ctx, suites))
		errx(1, "--cipher %s: %s", suites, reason());

	options = o;
	if (o->psk_len) {
		SSL_CTX_set_psk_client_callback(ctx, client_psk);
		SSL_CTX_set_psk_server_callback(ctx, server_psk);
	}
	if (o->cert) {
		const char *key = o->key ? o->key : o->cert;

		if (SSL_CTX_use_certificate_chain_file(ctx, o->cert) <= 0)
			errx(1, "--cert %s: %s", o->cert, reason());
		if (SSL_CTX_use_PrivateKey_file(ctx, key,
						SSL_FILETYPE_PEM) <= 0)
			errx(1, "--key %s: %s", key, reason());
	}
	if (o->ca) {
		if (!SSL_CTX_load_verify_file(ctx, o->ca))
			errx(1, "--ca %s: %s", o->ca, reason());
	} else {
		SSL_CTX_set_default_verify_paths(ctx);
	}
	if (o->verify)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER |
				   SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (o->keylog) {
		keylog_fd = open(o->keylog, O_WRONLY | O_CREAT | O_APPEND |
				 O_CLOEXEC, 0600);
		if (keylog_fd < 0)
			err(1, "--keylog %s", o->keylog);
		SSL_CTX_set_keylog_callback(ctx, log_key);
	}
	SSL_CTX_set_cookie_generate_cb(ctx, make_cookie);
	SSL_CTX_set_cookie_verify_cb(ctx, verify_cookie);
	/* A session may be taken over only if it had one handshake. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	return ctx;
}

static SSL *new_session(SSL_CTX *ctx, const struct options *o, int fd)
{
	SSL *ssl = SSL_new(ctx);
	BIO *bio = BIO_new_dgram(fd, BIO_NOCLOSE);

	if (!ssl || !bio)
		errx(1, "OpenSSL: %s", reason());
	SSL_set_bio(ssl, bio, bio);
	if (o->mtu) {
		SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
		SSL_set_mtu(ssl, o->mtu);
	}
	return ssl;
}

static void tell_connected(SSL *ssl)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	/* A BIO_ADDR is a union of the kinds of sockaddr. */
	if (!getpeername(SSL_get_fd(ssl), (struct sockaddr *)&peer, &len))
		BIO_ctrl(SSL_get_rbio(ssl), BIO_CTRL_DGRAM_SET_CONNECTED, 0,
			 &peer);
}

/* Until when poll may wait: OpenSSL's retransmission, or our own limit. */
static int wait_ms(SSL *ssl, uint64_t end)
{
	uint64_t now = net_now();
	struct timeval tv;
	uint64_t us = now < end ? end - now : 0;

	if (DTLSv1_get_timeout(ssl, &tv) &&
	    tv.tv_sec * 1000000ULL + tv.tv_usec < us)
		us = tv.tv_sec * 1000000ULL + tv.tv_usec;
	return (int)(us / 1000) + 1;
}

static bool handshake(SSL *ssl, const struct options *o)
{
	uint64_t end = net_now() + o->timeout * 1000000ULL;
	struct pollfd p = { .fd = SSL_get_fd(ssl), .events = POLLIN };
	char peer[ADDRESS_MAX];
	int ret, why;

	net_peer(p.fd, peer);
	for (;;) {
		ERR_clear_error();
		errno = 0;
		ret = SSL_do_handshake(ssl);
		if (ret == 1)
			return true;
		why = SSL_get_error(ssl, ret);
		if (why == SSL_ERROR_SYSCALL && errno) {
			warn("handshake with %s", peer);
			return false;
		}
		if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
			long verify = SSL_get_verify_result(ssl);

			warnx("handshake with %s: %s", peer, verify ?
			      X509_verify_cert_error_string(verify) : reason());
			return false;
		}
		if (net_now() > end) {
			warnx("handshake with %s: no answer for %u seconds",
			      peer, o->timeout);
			return false;
		}
		if (!poll(&p, 1, wait_ms(ssl, end)))
			DTLSv1_handle_timeout(ssl);
	}
}

static void describe(SSL *ssl, const struct options *o)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	char peer[ADDRESS_MAX], name[256] = "";

	if (cert)
		X509_NAME_oneline(X509_get_subject_name(cert), name,
				  sizeof(name));
	warnx("connected with %s: %s, %s%s%s%s",
	      net_peer(SSL_get_fd(ssl), peer), SSL_get_version(ssl),
	      SSL_get_cipher_name(ssl), cert ? ", peer " : "", name,
	      cert && !o->verify ? " (not verified)" : "");
}

/* From a connected socket to a finished handshake */
static SSL *finish(SSL *ssl, const struct options *o)
{
	int bad = kdtls_openssl_watch(ssl);

	if (bad)
		warnx("watch: %s", kdtls_strerror(bad));
	tell_connected(ssl);
	if (!bad && handshake(ssl, o)) {
		describe(ssl, o);
		return ssl;
	}
	SSL_free(ssl);
	return NULL;
}

SSL *tls_connect(SSL_CTX *ctx, const struct options *o, int fd)
{
	SSL *ssl = new_session(ctx, o, fd);
	const char *name = o->servername;
	struct in6_addr addr;

	/* A literal address is no name for SNI (RFC 6066 3). */
	if (!name && !inet_pton(AF_INET, o->host, &addr) &&
	    !inet_pton(AF_INET6, o->host, &addr))
		name = o->host;
	if (name) {
		SSL_set_tlsext_host_name(ssl, name);
		SSL_set1_host(ssl, name);
	} else {
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), o->host);
	}
	SSL_set_connect_state(ssl);
	return finish(ssl, o);
}

SSL *tls_accept(SSL_CTX *ctx, const struct options *o, int fd,
		void (*claimed)(void *arg), void *arg)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	SSL *ssl = new_session(ctx, o, fd);
	struct sockaddr_storage peer = { 0 };

	SSL_set_accept_state(ssl);
	SSL_set_options(ssl, SSL_OP_COOKIE_EXCHANGE);
	do {
		poll(&p, 1, -1);
		ERR_clear_error();
	} while (DTLSv1_listen(ssl, (BIO_ADDR *)&peer) <= 0);

	if (net_claim(fd, (struct sockaddr *)&peer)) {
		warn("connect to a client");
		SSL_free(ssl);
		return NULL;
	}
	claimed(arg);
	return finish(ssl, o);
}
