/* SPDX-License-Identifier: GPL-2.0 */
/* One end of a DTLS 1.2 session of OpenSSL or GnuTLS over a UDP socket. */
#ifndef SESSION_H
#define SESSION_H

#include <gnutls/gnutls.h>
#include <kdtls/gnutls.h>
#include <kdtls/openssl.h>
#include <stdbool.h>

enum library { OPENSSL, GNUTLS };

/**
 * struct setup - what both ends agree on
 * @openssl:	OpenSSL's cipher list
 * @gnutls:	GnuTLS's priority string
 * @watch:	watch the session, as programs should
 * @version_1_0: DTLS 1.0
 */
struct setup {
	const char *openssl;
	const char *gnutls;
	bool watch;
	bool version_1_0;
};

struct end {
	enum library lib;
	int fd;			/* connected to the other end, non-blocking */
	SSL_CTX *ctx;
	SSL *ssl;
	gnutls_session_t session;
	void *cred;
	bool server;
};

/* Two UDP sockets on the loopback, connected to each other. */
void socket_pair(int fd[2]);

void end_init(struct end *e, enum library lib, bool server, int fd,
	      const struct setup *setup);
void end_fini(struct end *e);

/*
 * Go on with a handshake. Return 1 when done, 0 to be called again, -1 if it
 * failed.
 */
int end_handshake(struct end *e);

/* Return true if both ends finish within some seconds. */
bool ends_handshake(struct end *a, struct end *b);

/*
 * Read what has come. Return the bytes, or -1 if there is nothing to read or it
 * failed.
 */
int end_read(struct end *e, void *buf, int size);
int end_write(struct end *e, const void *buf, int len);

/* These call the functions of the end's library, whichever it is. */
int end_watch(struct end *e);
int end_keys(struct end *e, struct kdtls_keys *keys);
int end_offload(struct end *e);

#endif
