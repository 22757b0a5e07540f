// SPDX-License-Identifier: BSD-3-Clause
/*
 * A client whose handshake is OpenSSL's. Afterwards the kernel makes the records, if it
 * can, and OpenSSL does if not. It sends a line, and prints what comes back.
 *
 *	openssl-client ROOTS ADDRESS PORT NAME TEXT
 *
 *	cc -o openssl-client openssl-client.c \
 *		$(pkg-config --cflags --libs libkdtls-openssl)
 */
#include <kdtls/openssl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Return a UDP socket that is connected, or -1. */
static int connected(const char *address, const char *port,
		     struct sockaddr_storage *peer)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *a;
	int fd = -1;

	if (getaddrinfo(address, port, &hints, &a))
		return -1;
	memcpy(peer, a->ai_addr, a->ai_addrlen);
	fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen)) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(a);
	return fd;
}

static SSL *shake_hands(SSL_CTX *ctx, int fd, struct sockaddr_storage *peer,
			const char *name)
{
	SSL *ssl = SSL_new(ctx);
	BIO *bio = BIO_new_dgram(fd, BIO_NOCLOSE);

	BIO_ctrl_set_connected(bio, peer);
	SSL_set_bio(ssl, bio, bio);
	SSL_set1_host(ssl, name);
	SSL_set_tlsext_host_name(ssl, name);
	/* The kernel has to know which records OpenSSL has read. */
	kdtls_openssl_watch(ssl);
	if (SSL_connect(ssl) == 1)
		return ssl;
	ERR_print_errors_fp(stderr);
	SSL_free(ssl);
	return NULL;
}

/* Ask through the kernel: each send(2) is a record, and each recv(2) is one. */
static int ask_kernel(int fd, const char *text, char *answer, size_t room)
{
	ssize_t n;

	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return -1;
	n = recv(fd, answer, room, 0);
	kdtls_close_notify(fd);
	return (int)n;
}

static int ask_openssl(SSL *ssl, const char *text, char *answer, size_t room)
{
	int n;

	if (SSL_write(ssl, text, (int)strlen(text)) <= 0)
		return -1;
	n = SSL_read(ssl, answer, (int)room);
	SSL_shutdown(ssl);
	return n;
}

int main(int argc, char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(DTLS_client_method());
	struct sockaddr_storage peer = { 0 };
	char answer[DTLS_RECORD_SIZE_MAX];
	int fd, err, n = -1;
	SSL *ssl;

	if (argc != 6) {
		fprintf(stderr, "usage: openssl-client ROOTS ADDRESS PORT NAME TEXT\n");
		return 1;
	}
	if (!ctx || SSL_CTX_load_verify_locations(ctx, argv[1], NULL) != 1) {
		ERR_print_errors_fp(stderr);
		return 1;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	fd = connected(argv[2], argv[3], &peer);
	if (fd < 0) {
		fprintf(stderr, "no connection to %s port %s\n", argv[2], argv[3]);
		return 1;
	}
	ssl = shake_hands(ctx, fd, &peer, argv[4]);
	if (!ssl)
		return 1;
	err = kdtls_offload_openssl(ssl);
	if (err)
		fprintf(stderr, "no records in the kernel: %s\n", kdtls_strerror(err));
	else
		fprintf(stderr, "records in the kernel\n");
	/* -KDTLS_EHALF alone leaves a socket that is of no use. */
	if (!err)
		n = ask_kernel(fd, argv[5], answer, sizeof(answer));
	else if (err != -KDTLS_EHALF)
		n = ask_openssl(ssl, argv[5], answer, sizeof(answer));
	if (n > 0)
		printf("%.*s\n", n, answer);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	return n > 0 ? 0 : 1;
}
