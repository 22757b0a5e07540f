// SPDX-License-Identifier: GPL-2.0
/*
 * OpenSSL: DTLS 1.2 with its records in user space, one record a call as it
 * has no other way; and TLS 1.2 over TCP with the records handed to the kernel,
 * where each send makes one record.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "bench.h"

static const unsigned char psk[] = "0123456789abcdef";
static char out[BATCH * SIZE_MAX_RECORD], in[BATCH * SIZE_MAX_RECORD];

static unsigned int psk_client(SSL *ssl, const char *hint, char *identity,
			       unsigned int identity_len, unsigned char *key,
			       unsigned int key_len)
{
	(void)ssl;
	(void)hint;
	(void)key_len;
	snprintf(identity, identity_len, "bench");
	memcpy(key, psk, sizeof(psk));
	return sizeof(psk);
}

static unsigned int psk_server(SSL *ssl, const char *identity,
			       unsigned char *key, unsigned int key_len)
{
	(void)ssl;
	(void)identity;
	(void)key_len;
	memcpy(key, psk, sizeof(psk));
	return sizeof(psk);
}

static const char *suite(const struct ends *e)
{
	return e->cipher == DTLS_CIPHER_CHACHA20_POLY1305 ?
	       "PSK-CHACHA20-POLY1305" : "PSK-AES128-GCM-SHA256";
}

static SSL *session(struct ends *e, const SSL_METHOD *method, int fd)
{
	SSL_CTX *ctx = SSL_CTX_new(method);
	SSL *ssl;

	SSL_CTX_set_max_proto_version(ctx, method == TLS_method() ?
					   TLS1_2_VERSION : DTLS1_2_VERSION);
	SSL_CTX_set_cipher_list(ctx, suite(e));
	SSL_CTX_set_psk_client_callback(ctx, psk_client);
	SSL_CTX_set_psk_server_callback(ctx, psk_server);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_ENABLE_KTLS |
				 SSL_OP_NO_QUERY_MTU);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	if (method == DTLS_method()) {
		struct sockaddr_storage peer;
		socklen_t len = sizeof(peer);
		BIO *bio = BIO_new_dgram(fd, BIO_NOCLOSE);

		getpeername(fd, (struct sockaddr *)&peer, &len);
		BIO_ctrl_set_connected(bio, &peer);
		SSL_set_bio(ssl, bio, bio);
		SSL_set_mtu(ssl, 16384);
	} else {
		SSL_set_fd(ssl, fd);
	}
	return ssl;
}

static bool failed(SSL *ssl, int ret)
{
	int err = SSL_get_error(ssl, ret);

	return ret != 1 && err != SSL_ERROR_WANT_READ &&
	       err != SSL_ERROR_WANT_WRITE;
}

/* Both ends in one thread: neither may wait for the other. */
static bool shake_hands(struct ends *e, const SSL_METHOD *method)
{
	SSL *client = session(e, method, e->tx);
	SSL *server = session(e, method, e->rx);
	int c = 0, s = 0;

	e->tx_session = client;
	e->rx_session = server;
	fcntl(e->tx, F_SETFL, O_NONBLOCK);
	fcntl(e->rx, F_SETFL, O_NONBLOCK);
	while (c != 1 || s != 1) {
		c = SSL_connect(client);
		if (!failed(client, c))
			s = SSL_accept(server);
		if (failed(client, c) || failed(server, s)) {
			ERR_print_errors_fp(stderr);
			return false;
		}
	}
	fcntl(e->tx, F_SETFL, 0);
	fcntl(e->rx, F_SETFL, 0);
	return true;
}

bool openssl_open(struct ends *e)
{
	return open_pair(e, SOCK_DGRAM) && shake_hands(e, DTLS_method());
}

bool openssl_send(struct ends *e, unsigned int n)
{
	while (n--)
		if (SSL_write(e->tx_session, out, e->size) != (int)e->size)
			return false;
	return true;
}

bool openssl_recv(struct ends *e, unsigned int n)
{
	while (n--)
		if (SSL_read(e->rx_session, in, sizeof(in)) != (int)e->size)
			return false;
	return true;
}

void openssl_close(struct ends *e)
{
	SSL_free(e->tx_session);
	SSL_free(e->rx_session);
	close_pair(e);
}

bool ktls_open(struct ends *e)
{
	if (!open_pair(e, SOCK_STREAM) || !shake_hands(e, TLS_method()))
		return false;
	if (BIO_get_ktls_send(SSL_get_wbio(e->tx_session)) &&
	    BIO_get_ktls_recv(SSL_get_rbio(e->rx_session)))
		return true;
	fprintf(stderr, "kTLS: the kernel did not take over\n");
	return false;
}

/* Each send makes a record; kTLS does not take sendmmsg's flags. */
bool ktls_send(struct ends *e, unsigned int n)
{
	while (n--)
		if (send(e->tx, out, e->size, 0) != (ssize_t)e->size)
			return false;
	return true;
}

bool ktls_recv(struct ends *e, unsigned int n)
{
	size_t left = (size_t)n * e->size;
	ssize_t got;

	for (; left; left -= got) {
		size_t room = left < sizeof(in) ? left : sizeof(in);

		got = recv(e->rx, in, e->row->batch == ONE ? e->size : room, 0);
		if (got <= 0)
			return false;
	}
	return true;
}
