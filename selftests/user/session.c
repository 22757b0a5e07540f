// SPDX-License-Identifier: GPL-2.0
/* See session.h. The key is pre-shared: every AEAD has such a suite. */
#include "session.h"
#include <gnutls/dtls.h>
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char psk[16] = "sixteen bytes ok";

void socket_pair(int fd[2])
{
	struct sockaddr_in addr[2];
	socklen_t len = sizeof(addr[0]);
	int i, big = 4 << 20;

	for (i = 0; i < 2; i++) {
		addr[i] = (struct sockaddr_in){
			.sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		};
		fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		setsockopt(fd[i], SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
		if (fd[i] < 0 || bind(fd[i], (void *)&addr[i], len) ||
		    getsockname(fd[i], (void *)&addr[i], &len))
			err(1, "socket");
	}
	for (i = 0; i < 2; i++)
		if (connect(fd[i], (void *)&addr[!i], len))
			err(1, "connect");
}

static unsigned int openssl_client_psk(SSL *ssl, const char *hint,
				       char *identity, unsigned int size,
				       unsigned char *key, unsigned int max)
{
	(void)ssl;
	(void)hint;
	if (size < 2 || max < sizeof(psk))
		return 0;
	strcpy(identity, "u");
	memcpy(key, psk, sizeof(psk));
	return sizeof(psk);
}

static unsigned int openssl_server_psk(SSL *ssl, const char *identity,
				       unsigned char *key, unsigned int max)
{
	(void)ssl;
	(void)identity;
	if (max < sizeof(psk))
		return 0;
	memcpy(key, psk, sizeof(psk));
	return sizeof(psk);
}

static void openssl_init(struct end *e, const struct setup *setup)
{
	int version = setup->version_1_0 ? DTLS1_VERSION : DTLS1_2_VERSION;
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	BIO *bio;

	e->ctx = SSL_CTX_new(e->server ? DTLS_server_method() :
					 DTLS_client_method());
	if (!e->ctx || !SSL_CTX_set_min_proto_version(e->ctx, version) ||
	    !SSL_CTX_set_max_proto_version(e->ctx, version) ||
	    !SSL_CTX_set_cipher_list(e->ctx, setup->openssl))
		errx(1, "SSL_CTX");
	SSL_CTX_set_psk_client_callback(e->ctx, openssl_client_psk);
	SSL_CTX_set_psk_server_callback(e->ctx, openssl_server_psk);
	e->ssl = SSL_new(e->ctx);
	bio = BIO_new_dgram(e->fd, BIO_NOCLOSE);
	if (!e->ssl || !bio || getpeername(e->fd, (void *)&peer, &len))
		errx(1, "SSL");
	BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &peer);
	SSL_set_bio(e->ssl, bio, bio);
	if (e->server)
		SSL_set_accept_state(e->ssl);
	else
		SSL_set_connect_state(e->ssl);
}

static int gnutls_server_psk(gnutls_session_t session, const char *identity,
			     gnutls_datum_t *key)
{
	(void)session;
	(void)identity;
	key->data = gnutls_malloc(sizeof(psk));
	key->size = sizeof(psk);
	memcpy(key->data, psk, sizeof(psk));
	return 0;
}

static void gnutls_init_end(struct end *e, const struct setup *setup)
{
	gnutls_datum_t key = { (unsigned char *)psk, sizeof(psk) };
	unsigned int flags = GNUTLS_DATAGRAM | GNUTLS_NONBLOCK;
	int bad;

	bad = gnutls_init(&e->session, flags | (e->server ? GNUTLS_SERVER :
							    GNUTLS_CLIENT));
	bad |= gnutls_priority_set_direct(e->session, setup->gnutls, NULL);
	if (e->server) {
		gnutls_psk_server_credentials_t cred;

		bad |= gnutls_psk_allocate_server_credentials(&cred);
		gnutls_psk_set_server_credentials_function(cred,
							   gnutls_server_psk);
		e->cred = cred;
	} else {
		gnutls_psk_client_credentials_t cred;

		bad |= gnutls_psk_allocate_client_credentials(&cred);
		bad |= gnutls_psk_set_client_credentials(cred, "u", &key,
							 GNUTLS_PSK_KEY_RAW);
		e->cred = cred;
	}
	bad |= gnutls_credentials_set(e->session, GNUTLS_CRD_PSK, e->cred);
	if (bad)
		errx(1, "GnuTLS");
	gnutls_transport_set_int(e->session, e->fd);
}

void end_init(struct end *e, enum library lib, bool server, int fd,
	      const struct setup *setup)
{
	memset(e, 0, sizeof(*e));
	e->lib = lib;
	e->server = server;
	e->fd = fd;
	if (lib == OPENSSL)
		openssl_init(e, setup);
	else
		gnutls_init_end(e, setup);
	if (setup->watch && end_watch(e))
		errx(1, "watch");
}

void end_fini(struct end *e)
{
	if (e->lib == OPENSSL) {
		SSL_free(e->ssl);
		SSL_CTX_free(e->ctx);
		return;
	}
	kdtls_gnutls_unwatch(e->session);
	gnutls_deinit(e->session);
	if (e->server)
		gnutls_psk_free_server_credentials(e->cred);
	else
		gnutls_psk_free_client_credentials(e->cred);
}

int end_handshake(struct end *e)
{
	int ret;

	if (e->lib == OPENSSL) {
		SSL_ctrl(e->ssl, DTLS_CTRL_HANDLE_TIMEOUT, 0, NULL);
		ret = SSL_do_handshake(e->ssl);
		if (ret == 1)
			return 1;
		return SSL_get_error(e->ssl, ret) == SSL_ERROR_WANT_READ ?
		       0 : -1;
	}
	ret = gnutls_handshake(e->session);
	if (!ret)
		return 1;
	return gnutls_error_is_fatal(ret) ? -1 : 0;
}

bool ends_handshake(struct end *a, struct end *b)
{
	struct pollfd p[2] = {
		{ .fd = a->fd, .events = POLLIN },
		{ .fd = b->fd, .events = POLLIN },
	};
	int i, done_a = 0, done_b = 0;

	for (i = 0; i < 200; i++) {
		if (!done_a)
			done_a = end_handshake(a);
		if (!done_b)
			done_b = end_handshake(b);
		if (done_a < 0 || done_b < 0)
			return false;
		if (done_a && done_b)
			return true;
		poll(p, 2, 50);
	}
	return false;
}

int end_read(struct end *e, void *buf, int size)
{
	int n = e->lib == OPENSSL ? SSL_read(e->ssl, buf, size) :
		(int)gnutls_record_recv(e->session, buf, size);

	return n > 0 ? n : -1;
}

int end_write(struct end *e, const void *buf, int len)
{
	int n = e->lib == OPENSSL ? SSL_write(e->ssl, buf, len) :
		(int)gnutls_record_send(e->session, buf, len);

	return n > 0 ? n : -1;
}

int end_watch(struct end *e)
{
	return e->lib == OPENSSL ? kdtls_openssl_watch(e->ssl) :
	       kdtls_gnutls_watch(e->session);
}

int end_keys(struct end *e, struct kdtls_keys *keys)
{
	return e->lib == OPENSSL ? kdtls_openssl_keys(e->ssl, keys) :
	       kdtls_gnutls_keys(e->session, keys);
}

int end_offload(struct end *e)
{
	return e->lib == OPENSSL ? kdtls_offload_openssl(e->ssl) :
	       kdtls_offload_gnutls(e->session);
}
