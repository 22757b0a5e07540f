/* SPDX-License-Identifier: BSD-3-Clause */
/* struct options is the command line of kdtls client and kdtls server. */
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
 * struct options - the options of the command line
 * @server:	true: the command is "kdtls server"; false: "kdtls client"
 * @host:	client: the peer; server: address to listen on, or NULL for all addresses
 * @port:	client: the peer's port; server: port to listen on
 * @once:	server: exit after one client
 * @echo:	server: send back what each client sends
 * @command:	server: command to run for each client, or NULL
 * @threads:	server: number of threads that share the port, 1 or more
 * @turn:	server: the file by which processes take turns at the port, or NULL
 * @max_clients: server: most clients with a finished handshake; 0: the library's default
 * @max_half_open: server: most clients in a handshake at once; 0: the library's default
 * @max_clients_source: server: most clients of one source with a finished handshake; 0: the
 *		library's default
 * @max_half_open_source: server: most clients of one source in a handshake at once; 0: the
 *		library's default
 * @idle_timeout: server: seconds without a record after which a client is ended; 0: none
 * @path:	who makes the records: the kernel, the library, or whichever can
 * @psk_identity: identity of the pre-shared key, or NULL
 * @psk:	the pre-shared key
 * @psk_len:	bytes of @psk; 0: no pre-shared key
 * @cert:	file or URI of the certificates of this end, or NULL
 * @key:	file or URI of the private key of @cert, or NULL
 * @ca:		file or URI of the certificates that are trusted, or NULL
 * @passphrase:	passphrase of @cert, @key and @ca, as far as they are encrypted
 * @has_passphrase: --passin was given, so @passphrase is set
 * @servername:	name that the server's certificate has to bear, or NULL
 * @verify:	the peer's certificate must be valid
 * @version_min: the oldest version to speak, DTLS_VERSION_*; 0: the library's default
 * @version_max: the newest version to speak, DTLS_VERSION_*; 0: the library's default
 * @session:	file to keep the session in, for resumption, or NULL
 * @early:	client: line to send before the handshake, or NULL
 * @early_max:	server: bytes of early data that are accepted
 * @suites:	cipher suites, best first
 * @suite_count: number of @suites; 0: all that the library has
 * @alpn:	application protocols, best first, and a NULL
 * @alpn_count:	number of @alpn without the NULL
 * @cid_len:	bytes of the connection ID that the peer is asked to use; 0: none
 * @mtu:	largest datagram in bytes; 0: the library's default
 * @timeout_initial: ms until a flight is sent again; 0: the library's default
 * @timeout_max: ms at which the timeout is doubled no more; 0: the library's default
 * @retransmits: most retransmissions of one flight; -1: the library's default
 * @max_certs:	most bytes of the peer's certificates, or of names of authorities; 0: the
 *		library's default
 * @old_peers:	peers without RFC 5746 and RFC 7627 are accepted
 * @keylog:	file that the secrets are written to, for Wireshark, or NULL
 * @file:	file to send instead of standard input, or NULL
 * @output:	file to write instead of standard output, or NULL
 * @rate:	most bytes to send in a second; 0: no limit
 * @timeout:	seconds that the handshake may take
 * @linger:	seconds to wait for the peer's close_notify after this end has sent its own,
 *		from the last record of the peer on
 */
struct options {
	bool server;
	const char *host;
	const char *port;
	bool once;
	bool echo;
	const char *command;
	unsigned int threads;
	const char *turn;
	unsigned int max_clients;
	unsigned int max_half_open;
	unsigned int max_clients_source;
	unsigned int max_half_open_source;
	unsigned int idle_timeout;
	enum kdtls_path path;
	const char *psk_identity;
	unsigned char psk[PSK_MAX];
	size_t psk_len;
	char *cert;
	char *key;
	char *ca;
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
	int retransmits;
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
