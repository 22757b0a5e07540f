// SPDX-License-Identifier: GPL-2.0
/*
 * OpenSSL: DTLS 1.2 with its records in user space, one record a call as it has no
 * other way of its own; the same with a BIO of the bench's, so that the program can
 * send and receive many records with a call; and TLS 1.2 over TCP with the records
 * handed to the kernel, where each send makes one record.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <openssl/ssl.h>

#include "openssl.h"
#include "../common.h"

static unsigned char out[BATCH * 2048], in[BATCH * 2048];

static bool use_socket(SSL *ssl, int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	BIO *bio;

	if (!SSL_is_dtls(ssl))
		return SSL_set_fd(ssl, fd) == 1;
	bio = BIO_new_dgram(fd, BIO_NOCLOSE);
	if (!bio || getpeername(fd, (struct sockaddr *)&peer, &len))
		return false;
	BIO_ctrl_set_connected(bio, &peer);
	SSL_set_bio(ssl, bio, bio);
	return true;
}

/* Shake hands over the sockets. */
static bool shake_hands(struct ends *e, const SSL_METHOD *method)
{
	SSL *client = openssl_session(method, e->cipher);
	SSL *server = openssl_session(method, e->cipher);
	bool ok;

	e->tx_session = client;
	e->rx_session = server;
	if (!client || !server || !use_socket(client, e->tx) ||
	    !use_socket(server, e->rx))
		return false;
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	fcntl(e->tx, F_SETFL, O_NONBLOCK);
	fcntl(e->rx, F_SETFL, O_NONBLOCK);
	ok = openssl_shake_hands(client, server, NULL);
	fcntl(e->tx, F_SETFL, 0);
	fcntl(e->rx, F_SETFL, 0);
	return ok;
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

bool openssl_batch_open(struct ends *e)
{
	SSL *client, *server;
	int on = 1;

	if (!open_pair(e, SOCK_DGRAM) ||
	    setsockopt(e->rx, SOL_UDP, UDP_GRO, &on, sizeof(on)) ||
	    !openssl_pair(e->cipher, &client, &server))
		return false;
	e->tx_session = client;
	e->rx_session = server;
	return true;
}

bool openssl_batch_send(struct ends *e, unsigned int n)
{
	for (; n; n -= BATCH) {
		size_t len = openssl_seal(e->tx_session, e->size, BATCH, out,
					  sizeof(out));

		if (!len || send_segments(e->tx, out, len, len / BATCH, 0) !=
				    (ssize_t)len)
			return false;
	}
	return true;
}

bool openssl_batch_recv(struct ends *e, unsigned int n)
{
	unsigned int got;
	ssize_t len;
	int segment;

	for (; n; n -= got) {
		len = recv_segments(e->rx, in, sizeof(in), &segment, 0);
		got = openssl_unseal(e->rx_session, e->size, in, len, segment);
		if (!got)
			return false;
	}
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
