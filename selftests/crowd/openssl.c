// SPDX-License-Identifier: GPL-2.0
/* Clients of OpenSSL; see clients.h. */
#include "clients.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

static SSL_CTX *ctx;

static const char *version(void)
{
	return OpenSSL_version(OPENSSL_VERSION_STRING);
}

static unsigned int give_key(SSL *ssl, const char *hint, char *identity,
			     unsigned int identity_size, unsigned char *key,
			     unsigned int key_size)
{
	(void)ssl;
	(void)hint;
	(void)key_size;
	snprintf(identity, identity_size, CROWD_IDENTITY);
	memcpy(key, CROWD_KEY, strlen(CROWD_KEY));
	return (unsigned int)strlen(CROWD_KEY);
}

static bool init(const struct crowd *crowd)
{
	ctx = SSL_CTX_new(DTLS_client_method());
	if (!ctx)
		return false;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (crowd->ca)
		return SSL_CTX_load_verify_locations(ctx, crowd->ca, NULL) == 1;
	SSL_CTX_set_psk_client_callback(ctx, give_key);
	return SSL_CTX_set_cipher_list(ctx, "PSK") == 1;
}

static bool open_session(struct client *c)
{
	BIO_ADDR *peer = BIO_ADDR_new();
	BIO *bio = BIO_new_dgram(c->fd, BIO_NOCLOSE);
	SSL *ssl = SSL_new(ctx);

	if (!peer || !bio || !ssl)
		return false;
	BIO_ADDR_rawmake(peer, AF_INET, &c->crowd->server.sin_addr,
			 sizeof(c->crowd->server.sin_addr),
			 c->crowd->server.sin_port);
	BIO_ctrl_set_connected(bio, peer);
	BIO_ADDR_free(peer);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_connect_state(ssl);
	SSL_set_tlsext_host_name(ssl, CROWD_NAME);
	c->session = ssl;
	return SSL_set1_host(ssl, CROWD_NAME) == 1;
}

/* Return 0 if the library waits for the network, or -1 after an error. */
static int result(struct client *c, int ret)
{
	int error = SSL_get_error(c->session, ret);

	ERR_clear_error();
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ?
	       0 : -1;
}

static int step(struct client *c)
{
	int ret;

	ERR_clear_error();
	DTLSv1_handle_timeout(c->session);
	ret = SSL_do_handshake(c->session);
	return ret == 1 ? 1 : result(c, ret);
}

static bool send_record(struct client *c, const char *line, size_t len)
{
	return SSL_write(c->session, line, (int)len) == (int)len;
}

static ssize_t receive(struct client *c, char *line, size_t size)
{
	int ret;

	ERR_clear_error();
	ret = SSL_read(c->session, line, (int)size);
	return ret > 0 ? ret : result(c, ret);
}

static void close_session(struct client *c, bool goodbye)
{
	if (goodbye)
		SSL_shutdown(c->session);
	SSL_free(c->session);
	c->session = NULL;
}

const struct library library = {
	.name = "OpenSSL",
	.version = version,
	.tls = "1.2",
	.init = init,
	.open = open_session,
	.step = step,
	.send = send_record,
	.receive = receive,
	.close = close_session,
};
