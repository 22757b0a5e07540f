// SPDX-License-Identifier: BSD-3-Clause
/* This file reads the command line; see options.h. */
#include "options.h"
#include "suites.h"
#include <argp.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_RATE	10	/* Mbit/s */
#define THREADS_MAX	256	/* The first byte of a connection ID names the thread. */
#define CLIENTS_MAX	1048576
#define TIMER_MIN	50	/* ms: the least that the library takes */

enum {
	OPT_PATH = 256, OPT_PSK_IDENTITY, OPT_PSK, OPT_CERT, OPT_KEY, OPT_CA,
	OPT_PASSIN, OPT_VERIFY, OPT_NO_VERIFY, OPT_SERVERNAME, OPT_SUITES, OPT_MTU,
	OPT_KEYLOG, OPT_FILE, OPT_OUTPUT, OPT_RATE, OPT_TIMEOUT, OPT_LINGER,
	OPT_LISTEN, OPT_ONCE, OPT_ECHO, OPT_EXEC, OPT_MAX_CLIENTS, OPT_SESSION,
	OPT_ALPN, OPT_CID, OPT_FIRST_TIMER, OPT_LAST_TIMER, OPT_RETRANSMITS,
	OPT_MIN, OPT_MAX, OPT_EARLY, OPT_EARLY_MAX, OPT_MAX_CERTS,
	OPT_OLD_PEERS, OPT_THREADS, OPT_MAX_HALF_OPEN, OPT_MAX_CLIENTS_SOURCE,
	OPT_MAX_HALF_OPEN_SOURCE, OPT_IDLE_TIMEOUT, OPT_TURN,
};

static const struct argp_option common_options[] = {
	{ .doc = "Data:" },
	{ "file", OPT_FILE, "FILE", 0,
	  "send FILE, then close_notify, instead of standard input", 0 },
	{ "output", OPT_OUTPUT, "FILE", 0,
	  "write what is received to FILE; standard input is not read then", 0 },
	{ "rate", OPT_RATE, "MBIT", 0,
	  "send at most MBIT megabits a second (10; 0: no limit)", 0 },
	{ "mtu", OPT_MTU, "BYTES", 0,
	  "send datagrams up to BYTES (1400 of data or less)", 0 },
	{ "linger", OPT_LINGER, "SECONDS", 0,
	  "after our close_notify wait so long in silence for the peer's (3)", 0 },

	{ .doc = "Who is who:" },
	{ "psk", OPT_PSK, "HEX", 0,
	  "pre-shared key, 16 bytes or more; or, as with --passin, where it is", 0 },
	{ "psk-identity", OPT_PSK_IDENTITY, "NAME", 0,
	  "its name (Client_identity)", 0 },
	{ "cert", OPT_CERT, "FILE", 0,
	  "own certificate chain: PEM, PKCS#12, or a URI such as pkcs11:", 0 },
	{ "key", OPT_KEY, "FILE", 0, "its private key (in the same file)", 0 },
	{ "ca", OPT_CA, "FILE", 0, "whom to trust (the system's authorities)", 0 },
	{ "passin", OPT_PASSIN, "SOURCE", 0,
	  "passphrase of these: pass:WORD, env:NAME, file:FILE, fd:NUMBER or stdin "
	  "(asked for at a terminal)", 0 },

	{ .doc = "Handshake:" },
	{ "min", OPT_MIN, "1.2|1.3", 0, "oldest version to speak (1.2)", 0 },
	{ "max", OPT_MAX, "1.2|1.3", 0, "newest version to speak (1.3)", 0 },
	{ "suites", OPT_SUITES, "NAME,...", 0,
	  "cipher suites by IANA name, best first (all)", 0 },
	{ "alpn", OPT_ALPN, "NAME,...", 0, "application protocols, best first", 0 },
	{ "cid", OPT_CID, "BYTES", 0,
	  "have the peer put a connection ID of 1 to 20 bytes into its records (with "
	  "--echo or --exec of 8 at least)", 0 },
	{ "timeout", OPT_TIMEOUT, "SECONDS", 0,
	  "that the whole handshake may take (30)", 0 },
	{ "first-timer", OPT_FIRST_TIMER, "MS", 0,
	  "until a flight is sent again, from 50 (1000)", 0 },
	{ "last-timer", OPT_LAST_TIMER, "MS", 0,
	  "where the doubling of that stops, from 50 (60000)", 0 },
	{ "retransmits", OPT_RETRANSMITS, "NUMBER", 0,
	  "how often a flight is sent again (8)", 0 },
	{ "max-certs", OPT_MAX_CERTS, "BYTES", 0,
	  "take certificates, and lists of authorities, up to BYTES (102400)", 0 },
	{ "old-peers", OPT_OLD_PEERS, NULL, 0,
	  "talk to peers without extended master secret or secure renegotiation",
	  0 },

	{ .doc = "Records:" },
	{ "path", OPT_PATH, "kernel|user|auto", 0,
	  "where they are made: by default in the kernel if it can", 0 },
	{ "keylog", OPT_KEYLOG, "FILE", 0,
	  "append the session's secrets to FILE, for tshark -o tls.keylog_file:FILE", 0 },
	{ 0 }
};

static double decimal(struct argp_state *state, const char *option,
		      const char *arg, double max)
{
	char *end;
	double n = strtod(arg, &end);

	if (*end || end == arg || !(n >= 0 && n <= max))
		argp_error(state, "%s %s: not a number from 0 to %.0f", option,
			   arg, max);
	return n;
}

static unsigned int number(struct argp_state *state, const char *option,
			   const char *arg, long min, long max)
{
	char *end;
	long n = strtol(arg, &end, 10);

	if (*end || end == arg || n < min || n > max)
		argp_error(state, "%s %s: not a whole number from %ld to %ld",
			   option, arg, min, max);
	return (unsigned int)n;
}

/* Parse a pre-shared key in hexadecimal. Return the number of its bytes. */
static size_t psk_of(struct argp_state *state, const char *arg,
		     unsigned char *out)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	size_t i, len = strlen(arg);
	unsigned int byte;
	char pair[3] = "";

	if (len % 2 || len / 2 < KDTLS_PSK_MIN || len / 2 > PSK_MAX ||
	    strspn(arg, digits) != len)
		argp_error(state, "--psk: the key must be %d to %d bytes in hex",
			   KDTLS_PSK_MIN, PSK_MAX);
	for (i = 0; i < len / 2; i++) {
		memcpy(pair, arg + 2 * i, 2);
		byte = strtoul(pair, NULL, 16);
		out[i] = byte;
	}
	return len / 2;
}

/*
 * Take the pre-shared key @arg, or the one that is where @arg says, as with --passin. No
 * message has @arg in it, which may be a key that was written otherwise.
 */
static void parse_psk(struct argp_state *state, struct options *o, char *arg)
{
	char line[PASSPHRASE_SIZE];
	const char *bad;

	if (strchr(arg, ':') || !strcmp(arg, "stdin")) {
		bad = passphrase_get(arg, line);
		if (bad)
			argp_error(state, "--psk: %s", bad);
		o->psk_len = psk_of(state, line, o->psk);
		OPENSSL_cleanse(line, sizeof(line));
		return;
	}
	o->psk_len = psk_of(state, arg, o->psk);
	/* ps(1) shows the arguments to everybody. */
	memset(arg, 'x', strlen(arg));
}

static enum kdtls_path path_of(struct argp_state *state, const char *arg)
{
	if (!strcmp(arg, "kernel"))
		return KDTLS_PATH_KERNEL;
	if (!strcmp(arg, "user"))
		return KDTLS_PATH_USER;
	if (strcmp(arg, "auto"))
		argp_error(state, "--path %s: not kernel, user or auto", arg);
	return KDTLS_PATH_AUTO;
}

static uint16_t version_of(struct argp_state *state, const char *option,
			   const char *arg)
{
	if (!strcmp(arg, "1.3"))
		return DTLS_VERSION_1_3;
	if (strcmp(arg, "1.2"))
		argp_error(state, "%s %s: not 1.2 or 1.3", option, arg);
	return DTLS_VERSION_1_2;
}

static void parse_suites(struct argp_state *state, struct options *o, char *arg)
{
	uint16_t number;
	char *name;

	o->suite_count = 0;
	for (name = strtok(arg, ","); name; name = strtok(NULL, ",")) {
		number = suite_number(name);
		if (!number)
			argp_error(state, "--suites %s: no suite known here", name);
		if (o->suite_count == SUITES_MAX)
			argp_error(state, "--suites: more than %d", SUITES_MAX);
		o->suites[o->suite_count++] = number;
	}
	if (!o->suite_count)
		argp_error(state, "--suites: none is named");
}

static void parse_alpn(struct argp_state *state, struct options *o, char *arg)
{
	char *name;

	o->alpn_count = 0;
	for (name = strtok(arg, ","); name; name = strtok(NULL, ",")) {
		if (o->alpn_count == ALPN_MAX)
			argp_error(state, "--alpn: more than %d", ALPN_MAX);
		if (strlen(name) > 255)
			argp_error(state, "--alpn %s: longer than 255 bytes", name);
		o->alpn[o->alpn_count++] = name;
	}
	if (!o->alpn_count)
		argp_error(state, "--alpn: none is named");
	o->alpn[o->alpn_count] = NULL;
}

static void parse_passin(struct argp_state *state, struct options *o, char *arg)
{
	const char *bad = passphrase_get(arg, o->passphrase);

	if (bad)
		argp_error(state, "--passin: %s", bad);
	o->has_passphrase = true;
}

/* Parse an option about keys and certificates of this end, or about trust. */
static error_t parse_credentials(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_PSK_IDENTITY:
		if (!*arg || strlen(arg) > KDTLS_PSK_IDENTITY_MAX)
			argp_error(state, "--psk-identity: the identity is 1 to %d bytes",
				   KDTLS_PSK_IDENTITY_MAX);
		o->psk_identity = arg;
		return 0;
	case OPT_PSK:
		parse_psk(state, o, arg);
		return 0;
	case OPT_CERT:
		o->cert = arg;
		return 0;
	case OPT_KEY:
		o->key = arg;
		return 0;
	case OPT_CA:
		o->ca = arg;
		return 0;
	case OPT_PASSIN:
		parse_passin(state, o, arg);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* Parse an option of the handshake. */
static error_t parse_handshake(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_MIN:
		o->version_min = version_of(state, "--min", arg);
		return 0;
	case OPT_MAX:
		o->version_max = version_of(state, "--max", arg);
		return 0;
	case OPT_SUITES:
		parse_suites(state, o, arg);
		return 0;
	case OPT_ALPN:
		parse_alpn(state, o, arg);
		return 0;
	case OPT_CID:
		o->cid_len = number(state, "--cid", arg, 1, CID_MAX);
		return 0;
	case OPT_FIRST_TIMER:
		o->timeout_initial = number(state, "--first-timer", arg,
					    TIMER_MIN, 60000);
		return 0;
	case OPT_LAST_TIMER:
		o->timeout_max = number(state, "--last-timer", arg,
					TIMER_MIN, 600000);
		return 0;
	case OPT_RETRANSMITS:
		o->retransmits = number(state, "--retransmits", arg, 0, 100);
		return 0;
	case OPT_MAX_CERTS:
		o->max_certs = number(state, "--max-certs", arg, 16384, 262144);
		return 0;
	case OPT_OLD_PEERS:
		o->old_peers = true;
		return 0;
	case OPT_KEYLOG:
		o->keylog = arg;
		return 0;
	}
	return parse_credentials(key, arg, state);
}

/* Parse an option of both commands. */
static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_PATH:
		o->path = path_of(state, arg);
		return 0;
	case OPT_MTU:
		o->mtu = number(state, "--mtu", arg,
				KDTLS_MTU_MIN, KDTLS_MTU_MAX);
		return 0;
	case OPT_FILE:
		o->file = arg;
		return 0;
	case OPT_OUTPUT:
		o->output = arg;
		return 0;
	case OPT_RATE:
		o->rate = decimal(state, "--rate", arg, 1e6) * 1e6 / 8;
		return 0;
	case OPT_TIMEOUT:
		o->timeout = number(state, "--timeout", arg, 1, 3600);
		return 0;
	case OPT_LINGER:
		o->linger = number(state, "--linger", arg, 0, 3600);
		return 0;
	case ARGP_KEY_END:
		passphrase_forget();
		if (o->key && !o->cert)
			argp_error(state, "--key needs a --cert");
		if (o->psk_identity && !o->psk_len)
			argp_error(state, "--psk-identity needs a --psk");
		/* Later versions have lower numbers, as on the wire. */
		if (o->version_min && o->version_max > o->version_min)
			argp_error(state, "--min is newer than --max");
		if (o->timeout_max && o->timeout_initial > o->timeout_max)
			argp_error(state, "--first-timer is above --last-timer");
		return 0;
	}
	return parse_handshake(key, arg, state);
}

static const struct argp common = {
	.options = common_options,
	.parser = parse_common,
};

static const struct argp_child common_child[] = {
	{ .argp = &common },
	{ 0 }
};

static const struct argp_option client_options[] = {
	{ "servername", OPT_SERVERNAME, "NAME", 0,
	  "the peer's name, in its certificate too (HOST, if that is a name)", 0 },
	{ "no-verify", OPT_NO_VERIFY, NULL, 0,
	  "take any certificate, from anybody", 0 },
	{ "session", OPT_SESSION, "FILE", 0,
	  "resume the session kept in FILE, and keep the new one there", 0 },
	{ "early-data", OPT_EARLY, "TEXT", 0,
	  "with a --session say TEXT, a line, before the handshake (0-RTT: others "
	  "can send it again), or after it, if the server does not take it so", 0 },
	{ 0 }
};

static error_t parse_client(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = o;
		return 0;
	case OPT_SERVERNAME:
		o->servername = arg;
		return 0;
	case OPT_NO_VERIFY:
		o->verify = false;
		return 0;
	case OPT_SESSION:
		o->session = arg;
		return 0;
	case OPT_EARLY:
		o->early = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			o->host = arg;
		else if (state->arg_num == 1)
			o->port = arg;
		else
			return ARGP_ERR_UNKNOWN;
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < 2)
			argp_error(state, "give the peer's HOST and PORT");
		if (o->early && !o->session)
			argp_error(state, "--early-data needs a --session");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp client = {
	.options = client_options,
	.parser = parse_client,
	.args_doc = "HOST PORT",
	.doc = "Connect to a DTLS server; send standard input to it and write what it\n"
	"sends to standard output.\v"
	"A line typed at a terminal goes out as one record and datagram; other input\n"
	"in records as large as the path takes. The end of input sends close_notify.\n"
	"Nobody sends a lost datagram again: keep --rate below what the peer drains.\n\n"
	"  kdtls client --psk 000102030405060708090a0b0c0d0e0f 192.0.2.1 4433\n"
	"  kdtls client --ca ca.pem --file data example.org 4433\n",
	.children = common_child,
};

static const struct argp_option server_options[] = {
	{ "listen", OPT_LISTEN, "[ADDRESS:]PORT", 0,
	  "where to listen (all addresses of IPv4 and IPv6, port 4433); "
	  "[ADDRESS]:PORT for one of IPv6", 0 },
	{ "echo", OPT_ECHO, NULL, 0,
	  "send all clients back what they send, at once", 0 },
	{ "exec", OPT_EXEC, "COMMAND", 0,
	  "run COMMAND for each client, many at once: it reads what the client "
	  "sends and sends what it writes; KDTLS_PEER is the client's address", 0 },
	{ "once", OPT_ONCE, NULL, 0,
	  "end after the first client, with its result as exit status", 0 },
	{ "early-data", OPT_EARLY_MAX, "BYTES", 0,
	  "take up to BYTES before the handshake of a resumed session (0-RTT: "
	  "whoever recorded them may send them; 0)", 0 },
	{ "verify", OPT_VERIFY, NULL, 0,
	  "demand a certificate of the client", 0 },

	/* The group is none of common_options, which argp would mix these options with. */
	{ .doc = "With --echo or --exec, for each thread and address family:",
	  .group = 10 },
	{ "threads", OPT_THREADS, "NUMBER", 0,
	  "so many share the port (1); with --cid a client is always its thread's", 0 },
	{ "turn", OPT_TURN, "FILE", 0,
	  "take the port over from the server with this FILE; exit when the next one has "
	  "come and the last client has left", 0 },
	{ "max-clients", OPT_MAX_CLIENTS, "NUMBER", 0,
	  "clients with a finished handshake (1048576)", 0 },
	{ "max-half-open", OPT_MAX_HALF_OPEN, "NUMBER", 0,
	  "clients in a handshake (4096): one more takes the oldest's place", 0 },
	{ "max-clients-source", OPT_MAX_CLIENTS_SOURCE, "NUMBER", 0,
	  "clients of one IPv4 address or IPv6 /56, as with --max-clients (as many)", 0 },
	{ "max-half-open-source", OPT_MAX_HALF_OPEN_SOURCE, "NUMBER", 0,
	  "those of them in a handshake (half of --max-half-open)", 0 },
	{ "idle-timeout", OPT_IDLE_TIMEOUT, "SECONDS", 0,
	  "end a client that is silent so long (0: never)", 0 },
	{ 0 }
};

/*
 * Parse [ADDRESS:]PORT. An IPv6 address stands in brackets, with a port or without
 * one.
 */
static void parse_listen(struct argp_state *state, struct options *o, char *arg)
{
	char *colon = strrchr(arg, ':'), *bracket = strrchr(arg, ']');

	if (bracket && colon < bracket)
		colon = NULL;
	else if (colon)
		*colon = 0;
	if (colon)
		o->port = colon + 1;
	if (bracket && arg[0] == '[' && !bracket[1]) {
		*bracket = 0;
		o->host = arg + 1;
	} else if (bracket || strchr(arg, ':')) {
		argp_error(state,
			   "--listen: write an IPv6 address as [ADDRESS]:PORT");
	} else if (colon) {
		o->host = arg;
	} else {
		o->port = arg;
	}
	if (o->host && !*o->host)
		argp_error(state, "--listen: no address before the port");
	/* Port 0 would be any port, which nobody knows. */
	if (strspn(o->port, "0") == strlen(o->port))
		argp_error(state, "--listen: no port");
}

/* Parse an option of a server for many clients. */
static error_t parse_limits(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_THREADS:
		o->threads = number(state, "--threads", arg, 1, THREADS_MAX);
		return 0;
	case OPT_TURN:
		o->turn = arg;
		return 0;
	case OPT_MAX_CLIENTS:
		o->max_clients = number(state, "--max-clients", arg,
					1, CLIENTS_MAX);
		return 0;
	case OPT_MAX_HALF_OPEN:
		o->max_half_open = number(state, "--max-half-open", arg,
					  1, CLIENTS_MAX);
		return 0;
	case OPT_MAX_CLIENTS_SOURCE:
		o->max_clients_source = number(state, "--max-clients-source",
					       arg, 1, CLIENTS_MAX);
		return 0;
	case OPT_MAX_HALF_OPEN_SOURCE:
		o->max_half_open_source = number(state, "--max-half-open-source",
						 arg, 1, CLIENTS_MAX);
		return 0;
	case OPT_IDLE_TIMEOUT:
		o->idle_timeout = number(state, "--idle-timeout", arg,
					 0, 1000000);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* Refuse options that do not go together. */
static void check_server(struct argp_state *state, const struct options *o)
{
	bool many = o->echo || o->command;

	if (!o->psk_len && !o->cert)
		argp_error(state, "give --cert or --psk");
	if (!!o->echo + !!o->command + (o->file || o->output) > 1)
		argp_error(state,
			   "--echo, --exec and --file or --output exclude each other");
	if (!many && (o->threads > 1 || o->turn || o->max_clients ||
		      o->max_half_open || o->max_clients_source ||
		      o->max_half_open_source || o->idle_timeout))
		argp_error(state,
			   "threads, turns and limits of clients need --echo or --exec");
	if (o->threads > 1 && (o->once || o->early_max || o->turn))
		argp_error(state,
			   "--threads excludes --once, --early-data and --turn");
	if (o->turn && (o->once || o->early_max))
		argp_error(state, "--turn excludes --once and --early-data");
}

static error_t parse_server(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = o;
		return 0;
	case OPT_LISTEN:
		parse_listen(state, o, arg);
		return 0;
	case OPT_ONCE:
		o->once = true;
		return 0;
	case OPT_ECHO:
		o->echo = true;
		return 0;
	case OPT_EXEC:
		o->command = arg;
		return 0;
	case OPT_EARLY_MAX:
		o->early_max = number(state, "--early-data", arg, 0, 65536);
		return 0;
	case OPT_VERIFY:
		o->verify = true;
		return 0;
	case ARGP_KEY_END:
		check_server(state, o);
		return 0;
	}
	return parse_limits(key, arg, state);
}

static const struct argp server = {
	.options = server_options,
	.parser = parse_server,
	.doc = "Wait for DTLS clients: with --echo or --exec serve them all at once, else one\n"
	"after the other, sending standard input to them and writing what they send to\n"
	"standard output.\v"
	"A client has to prove its address by a cookie first. It is served until it\n"
	"sends close_notify and, where there is a --file, until that is sent.\n\n"
	"  kdtls server --psk 000102030405060708090a0b0c0d0e0f --echo\n"
	"  kdtls server --cert server.pem --key key.pem --once --output data\n",
	.children = common_child,
};

void options_parse(struct options *o, bool is_server, int argc, char **argv)
{
	*o = (struct options){
		.server = is_server,
		.port = "4433",
		.verify = !is_server,
		.rate = DEFAULT_RATE * 1e6 / 8,
		.threads = 1,
		.timeout = 30,
		.linger = 3,
		.retransmits = -1,
	};
	argp_parse(is_server ? &server : &client, argc, argv, 0, NULL, o);
	o->psk_identity = o->psk_identity ?: "Client_identity";
}
