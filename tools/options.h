/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of kdtls client and kdtls server. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#define PSK_MAX	64

enum path { PATH_AUTO, PATH_KERNEL, PATH_USER };

/**
 * struct options - what was asked for
 * @server:	which of the two
 * @host:	peer, or address to listen on
 * @port:	of @host
 * @once:	server: end after one client
 * @path:	where the records shall be made
 * @psk_len:	bytes of @psk; 0: no pre-shared key
 * @verify:	peer's certificate must be good
 * @mtu:	largest datagram in bytes; 0: what the path takes
 * @file:	to send instead of standard input, or NULL
 * @output:	to write instead of standard output, or NULL
 * @rate:	bytes a second; 0: no limit
 * @timeout:	seconds for the handshake
 * @linger:	seconds of silence after our close_notify
 */
struct options {
	bool server;
	const char *host;
	const char *port;
	bool once;
	enum path path;
	const char *psk_identity;
	unsigned char psk[PSK_MAX];
	size_t psk_len;
	const char *cert;
	const char *key;
	const char *ca;
	const char *servername;
	bool verify;
	const char *cipher;
	unsigned int mtu;
	const char *keylog;
	const char *file;
	const char *output;
	double rate;
	unsigned int timeout;
	unsigned int linger;
};

/* Exits with a message if the command line is wrong. */
void options_parse(struct options *o, bool server, int argc, char **argv);

#endif
