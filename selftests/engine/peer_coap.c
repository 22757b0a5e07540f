// SPDX-License-Identifier: GPL-2.0
/*
 * The programs of libcoap as the other end, built with OpenSSL and with GnuTLS:
 * processes on the loopback, that talk CoAP (RFC 7252) and do nothing else.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer.h"

#define FILE_FORMAT	"/proc/self/fd/%d"

/*
 * What it takes for 30 % of loss. libcoap ends a handshake at its fifth time-out,
 * those of all flights together: MAX_RETRANSMIT is 4 (RFC 7252 4.8). GnuTLS
 * sends each record as a datagram: a last flight with a certificate is five, and
 * every time-out spent on a hello is one less for these. Of 72 such handshakes
 * 26 succeeded, with timers of ours from 50 ms and from 1 s alike: it does not
 * depend on them. At 0.64^24 one handshake in 40,000 has no luck.
 */
#define TRIES		24

struct peer {
	struct peer_options o;
	const char *library;
	int ca, cert, key;		/* files in memory, or -1 */
	int sock;
	int said;			/* what the program prints */
	bool ended;			/* and it will print no more */
	pid_t pid;
	struct sockaddr_in address;	/* of the program; no port: not heard */
};

static int file_of(const char *content)
{
	size_t len = content ? strlen(content) : 0;
	int fd;

	if (!content)
		return -1;
	fd = memfd_create("pem", 0);
	return write(fd, content, len) == (ssize_t)len ? fd : -1;
}

static struct peer *open_peer(const struct peer_options *options,
			      const char *library)
{
	struct peer *p = calloc(1, sizeof(*p));

	p->o = *options;
	p->library = library;
	p->ca = file_of(options->ca);
	p->cert = file_of(options->cert);
	p->key = file_of(options->key);
	p->sock = -1;
	p->said = -1;
	return p;
}

static struct peer *open_openssl(const struct peer_options *options)
{
	return open_peer(options, "openssl");
}

static struct peer *open_gnutls(const struct peer_options *options)
{
	return open_peer(options, "gnutls");
}

/*
 * A loopback address that is this process's alone: a server's port is free for
 * a while before it takes it, and its neighbour is never asked for.
 */
static struct in_addr own_address(void)
{
	return (struct in_addr){ htonl(0x7f400000 | (getpid() & 0x3fffff)) };
}

/* A port of ours, and what was bound to it */
static int bind_any(struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*at = (struct sockaddr_in){ .sin_family = AF_INET };
	at->sin_addr = own_address();
	if (fd < 0 || bind(fd, (struct sockaddr *)at, sizeof(*at)) ||
	    getsockname(fd, (struct sockaddr *)at, &len))
		return -1;
	return fd;
}

/*
 * PEER_ROOT is the directory below which another system's programs and
 * libraries are, that was linked with; see selftests/root.mk.
 */
#ifdef PEER_ROOT
#define PROGRAM		PEER_LOADER " --library-path " PEER_LIBS " " PEER_ROOT \
			"/usr/bin/coap-"
#else
#define PROGRAM		"coap-"
#endif

/* What runs it. The files are open in it, too. */
static void command_of(const struct peer *p, u16 port, char *line, size_t size)
{
	const char *address = inet_ntoa(own_address());
	const struct peer_options *o = &p->o;
	FILE *f = fmemopen(line, size, "w");

	fprintf(f, "exec " PROGRAM "%s-%s", o->server ? "server" : "client",
		p->library);
	if (o->psk)
		fprintf(f, " -k %s", o->psk);
	if (o->psk && !o->server)
		fprintf(f, " -u %s", o->identity);
	if (!o->psk && (o->server || o->request_cert))
		fprintf(f, " -c " FILE_FORMAT " -j " FILE_FORMAT, p->cert,
			p->key);
	if (!o->psk)
		fprintf(f, " %s " FILE_FORMAT,
			!o->server || o->request_cert ? "-C" : "-R", p->ca);
	if (!o->psk && o->server && !o->request_cert)
		fprintf(f, " -n");
	if (o->server) /* It takes the port after this one for DTLS. */
		fprintf(f, " -A %s -p %u", address, port - 1U);
	else
		fprintf(f, " coaps://%s:%u/x", address, port);
	fclose(f);
}

/* Something of libcoap's that is to talk to (server) or at (client) a port */
static bool spawn(struct peer *p, u16 port)
{
	char command[2048];
	int pipes[2];

	command_of(p, port, command, sizeof(command));
	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK))
		return false;
	p->said = pipes[0];
	p->pid = fork();
	if (!p->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(pipes[1], 1);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(pipes[1]);
	return p->pid > 0;
}

static bool start_peer(struct peer *p, bool resume)
{
	struct sockaddr_in at;
	int fd = bind_any(&at);

	/* To the server a client on the same port is the one from before. */
	if (p->sock >= 0)
		close(p->sock);
	p->sock = fd;
	if (p->sock < 0)
		return false;
	if (!p->o.server)
		return !resume && spawn(p, ntohs(at.sin_port));
	if (resume)
		return true;
	do {
		fd = bind_any(&p->address);
		close(fd);
	} while (ntohs(p->address.sin_port) == ntohs(at.sin_port) + 1);
	return spawn(p, ntohs(p->address.sin_port));
}

/* Carry datagrams between the wires and the process. */
static int step_peer(struct peer *p)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	u8 buf[WIRE_SIZE];
	ssize_t n;

	while (p->address.sin_port &&
	       (n = (ssize_t)wire_get(p->o.in, buf, sizeof(buf))))
		sendto(p->sock, buf, (size_t)n, 0,
		       (struct sockaddr *)&p->address, sizeof(p->address));
	while ((n = recvfrom(p->sock, buf, sizeof(buf), 0,
			     (struct sockaddr *)&from, &len)) > 0) {
		p->address = from;
		wire_put(p->o.out, buf, (size_t)n);
	}
	/* Whether it is done shows by what it says then. */
	return 1;
}

static long receive_peer(struct peer *p, void *data, size_t size)
{
	ssize_t n;

	step_peer(p);
	n = read(p->said, data, size);
	p->ended |= !n;
	return n;
}

static bool gave_up_peer(struct peer *p)
{
	return p->ended;
}

static bool resumed_peer(struct peer *p)
{
	(void)p;
	return true;
}

static void stop_peer(struct peer *p)
{
	(void)p;
}

static void close_peer(struct peer *p)
{
	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
	}
	close(p->said);
	close(p->sock);
	close(p->ca);
	close(p->cert);
	close(p->key);
	free(p);
}

/* What the program says of itself; NULL: it cannot be had. */
static const char *version_of(const char *library, char version[8])
{
	char command[1024];
	bool found;
	FILE *f;

	if (*version)
		return version;
	snprintf(command, sizeof(command), PROGRAM "client-%s 2>&1 </dev/null",
		 library);
	f = popen(command, "r");
	found = f && fscanf(f, "%*s v%7s", version) == 1;
	if (f)
		pclose(f);
	return found ? version : NULL;
}

static const char *version_openssl(void)
{
	static char version[8];

	return version_of("openssl", version);
}

static const char *version_gnutls(void)
{
	static char version[8];

	return version_of("gnutls", version);
}

#define COAP_PEER(library_)						\
	.can = PEER_COAP,						\
	.tries = TRIES,							\
	.version = version_##library_,					\
	.open = open_##library_,					\
	.start = start_peer,						\
	.step = step_peer,						\
	.receive = receive_peer,					\
	.gave_up = gave_up_peer,					\
	.resumed = resumed_peer,					\
	.stop = stop_peer,						\
	.close = close_peer

const struct peer_ops peer_coap_openssl = {
	.name = "coap+OpenSSL",
	.note = "with OpenSSL 3.5 it has none of the suites that RFC 7252 9.1.3 "
		"wants, as their tags are below its security level",
	.speaks = peer_openssl_allows,
	COAP_PEER(openssl),
};

const struct peer_ops peer_coap_gnutls = {
	.name = "coap+GnuTLS",
	.library = &peer_gnutls,
	COAP_PEER(gnutls),
};
