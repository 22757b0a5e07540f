/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of kdtls client and kdtls server. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "passphrase.h"
#include <kdtls/socket.h>
#include <stdbool.h>

#define PSK_MAX		KDTLS_PSK_MAX
#define CID_MAX		20
#define SUITES_MAX	32
#define ALPN_MAX	8

/**
 * struct options - what was asked for
 * @server:	the command is "kdtls server", not "kdtls client"
 * @host:	peer, or address to listen on; NULL: all of ours
 * @port:	of @host
 * @once:	server: exit after one client
 * @echo:	server: send back what comes
 * @command:	server: what to run for each client, or NULL
 * @threads:	server: how many share the port, 1 or more
 * @max_clients: server: clients at once; 0: the library's default
 * @max_half_open: server: those of them in a handshake; 0: likewise
 * @max_clients_source: server: clients of one address at once; 0: likewise
 * @max_half_open_source: server: those of them in a handshake; 0: likewise
 * @idle_timeout: server: seconds of silence after which a client is ended; 0: none
 * @path:	which record layer is asked for
 * @psk_identity: identity of the pre-shared key, or NULL
 * @psk:	the pre-shared key
 * @psk_len:	bytes of @psk; 0: no pre-shared key
 * @cert:	file or URI of the certificates of this end, or NULL
 * @key:	file with the private key of @cert, or NULL
 * @ca:		file with the certificates that are trusted, or NULL
 * @passphrase:	of @cert, @key and @ca, where they are encrypted
 * @has_passphrase: --passin was given
 * @servername:	name that the server's certificate has to bear, or NULL
 * @verify:	the peer's certificate must be valid
 * @version_min: DTLS_VERSION_*, the oldest to speak; 0: as the library has it
 * @version_max: the newest; 0: likewise
 * @session:	file to keep the session in, for resumption, or NULL
 * @early:	client: line to send before the handshake, or NULL
 * @early_max:	server: bytes of early data that are accepted
 * @suites:	cipher suites, best first
 * @suite_count: of @suites; 0: all
 * @alpn:	protocols, best first, and a NULL
 * @alpn_count:	of @alpn
 * @cid_len:	bytes of connection ID the peer shall use; 0: none
 * @mtu:	largest datagram in bytes; 0: as large as the path allows
 * @timeout_initial: ms until a flight is sent again; 0: the library's default
 * @timeout_max: ms the doubling stops at; 0: likewise
 * @retransmits: of one flight; 0: likewise
 * @max_certs:	bytes of certificates, or names of authorities; 0: likewise
 * @old_peers:	peers without RFC 5746 and RFC 7627 are accepted
 * @keylog:	file that the secrets are written to, for Wireshark, or NULL
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
	bool echo;
	const char *command;
	unsigned int threads;
	unsigned int max_clients;
	unsigned int max_half_open;
	unsigned int max_clients_source;
	unsigned int max_half_open_source;
	unsigned int idle_timeout;
	enum kdtls_path path;
	const char *psk_identity;
	unsigned char psk[PSK_MAX];
	size_t psk_len;
	const char *cert;
	const char *key;
	const char *ca;
	char passphrase[PASSPHRASE_SIZE];
	bool has_passphrase;
	const char *servername;
	bool verify;
	uint16_t version_min;
	uint16_t version_max;
	const char *session;
	const char *early;
	unsigned int early_max;
	uint16_t suites[SUITES_MAX];
	size_t suite_count;
	const char *alpn[ALPN_MAX + 1];
	size_t alpn_count;
	size_t cid_len;
	unsigned int mtu;
	unsigned int timeout_initial;
	unsigned int timeout_max;
	unsigned int retransmits;
	unsigned int max_certs;
	bool old_peers;
	const char *keylog;
	const char *file;
	const char *output;
	double rate;
	unsigned int timeout;
	unsigned int linger;
};

/* Parse the command line. The program exits with a message if it is wrong. */
void options_parse(struct options *o, bool server, int argc, char **argv);

#endif
