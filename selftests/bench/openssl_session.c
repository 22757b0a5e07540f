// SPDX-License-Identifier: GPL-2.0
/* OpenSSL's sessions as the bench configures them; see openssl.h. */
#include <stdio.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "openssl.h"

static const unsigned char psk[] = "0123456789abcdef";

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

static SSL_CTX *new_context(const SSL_METHOD *method, bool chacha)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (!ctx)
		return NULL;
	SSL_CTX_set_max_proto_version(ctx, method == TLS_method() ?
					   TLS1_2_VERSION : DTLS1_2_VERSION);
	SSL_CTX_set_cipher_list(ctx, chacha ? "PSK-CHACHA20-POLY1305" :
					      "PSK-AES128-GCM-SHA256");
	SSL_CTX_set_psk_client_callback(ctx, psk_client);
	SSL_CTX_set_psk_server_callback(ctx, psk_server);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_ENABLE_KTLS |
				 SSL_OP_NO_QUERY_MTU);
	return ctx;
}

SSL *openssl_session(const SSL_METHOD *method, __u16 cipher)
{
	static SSL_CTX *contexts[2][2];
	bool chacha = cipher == DTLS_CIPHER_CHACHA20_POLY1305;
	SSL_CTX **ctx = &contexts[method == DTLS_method()][chacha];
	SSL *ssl;

	if (!*ctx)
		*ctx = new_context(method, chacha);
	ssl = *ctx ? SSL_new(*ctx) : NULL;
	if (ssl && method == DTLS_method())
		SSL_set_mtu(ssl, 16384);
	return ssl;
}

/* Take one step; -1: it failed, 0: the other end has to take one, 1: finished. */
static int step(SSL *ssl, void (*carry)(void))
{
	int ret = SSL_do_handshake(ssl);
	int err = SSL_get_error(ssl, ret);

	if (carry)
		carry();
	if (ret == 1)
		return 1;
	if (err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE)
		return 0;
	ERR_print_errors_fp(stderr);
	return -1;
}

bool openssl_shake_hands(SSL *client, SSL *server, void (*carry)(void))
{
	int c = 0, s = 0;

	while (c >= 0 && s >= 0 && !(c && s)) {
		c = step(client, carry);
		if (c >= 0)
			s = step(server, carry);
	}
	return c == 1 && s == 1;
}

/* What one end wrote, a whole flight, becomes the datagram that the other reads. */
static void carry_flight(void)
{
	static unsigned char flights[2][16384];
	static unsigned int turn;

	openssl_bio_in(flights[turn], openssl_bio_written());
	turn = !turn;
	openssl_bio_out(flights[turn], sizeof(flights[turn]));
}

bool openssl_pair(__u16 cipher, SSL **client, SSL **server)
{
	*client = openssl_session(DTLS_method(), cipher);
	*server = openssl_session(DTLS_method(), cipher);
	if (!*client || !*server || !openssl_bio_use(*client) ||
	    !openssl_bio_use(*server))
		return false;
	SSL_set_connect_state(*client);
	SSL_set_accept_state(*server);
	openssl_bio_in(NULL, 0);
	openssl_bio_out(NULL, 0);
	carry_flight();
	return openssl_shake_hands(*client, *server, carry_flight);
}
