// SPDX-License-Identifier: GPL-2.0
/*
 * A later wolfSSL as the other end, in a process of its own; see remote.h.
 * WOLFSSL_HOST names the program, WOLFSSL_LIBS the directory with its loader
 * and libraries.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "remote.h"

struct peer {
	struct peer_options o;
	struct remote *r;
	pid_t pid;
	int turns;
};

static void run_host(const char *host, const char *libs, int memory, int turns)
{
	char loader[256];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(loader, sizeof(loader), "%s/ld-linux-x86-64.so.2", libs);
	/* Out of each other's way first: either may be where the other goes. */
	memory = dup(memory);
	turns = dup(turns);
	dup2(memory, REMOTE_FD);
	dup2(turns, REMOTE_TURNS);
	unsetenv("LD_PRELOAD");
	execl(loader, loader, "--library-path", libs, host, NULL);
	perror(loader);
	_exit(127);
}

static bool spawn(struct peer *p)
{
	const char *host = getenv("WOLFSSL_HOST"), *libs = getenv("WOLFSSL_LIBS");
	int memory = memfd_create("remote", 0), turns[2];

	if (!host || !libs || memory < 0 ||
	    ftruncate(memory, sizeof(*p->r)) ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, turns))
		return false;
	p->r = mmap(NULL, sizeof(*p->r), PROT_READ | PROT_WRITE, MAP_SHARED,
		    memory, 0);
	p->pid = fork();
	if (!p->pid) {
		close(turns[0]);
		run_host(host, libs, memory, turns[1]);
	}
	close(memory);
	close(turns[1]);
	p->turns = turns[0];
	return p->pid > 0 && p->r != MAP_FAILED;
}

/* Have it done; datagrams go along there and back. Return: the result. */
static int call(struct peer *p, enum remote_op op, int argument)
{
	struct remote *r = p->r;
	u8 buf[WIRE_SIZE];
	char turn = 0;
	size_t n;

	r->op = op;
	r->argument = argument;
	while (p->o.in && (n = wire_get(p->o.in, buf, sizeof(buf))))
		wire_put(&r->in, buf, n);
	if (send(p->turns, &turn, 1, MSG_NOSIGNAL) != 1 ||
	    read(p->turns, &turn, 1) != 1)
		return -1;
	while (p->o.out && (n = wire_get(&r->out, buf, sizeof(buf))))
		wire_put(p->o.out, buf, n);
	return r->result;
}

static void close_peer(struct peer *p)
{
	if (p->pid > 0) {
		close(p->turns);
		waitpid(p->pid, NULL, 0);
		munmap(p->r, sizeof(*p->r));
	}
	free(p);
}

static struct peer *new_peer(void)
{
	struct peer *p = calloc(1, sizeof(*p));

	if (spawn(p))
		return p;
	close_peer(p);
	return NULL;
}

static void write_options(struct remote *r, const struct peer_options *options)
{
	const char **strings[] = REMOTE_STRINGS(&r->options);
	size_t i, len, at = 1;

	r->options = *options;
	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		if (!*strings[i])
			continue;
		len = strlen(*strings[i]) + 1;
		memcpy(r->text + at, *strings[i], len);
		*strings[i] = (const char *)at;
		at += len;
	}
}

static struct peer *open_peer(const struct peer_options *options)
{
	struct peer *p = new_peer();

	if (!p)
		return NULL;
	p->o = *options;
	write_options(p->r, options);
	if (call(p, REMOTE_OPEN, 0) > 0)
		return p;
	close_peer(p);
	return NULL;
}

static const char *version(void)
{
	static char text[16];
	struct peer *p;

	if (*text)
		return text;
	p = new_peer();
	if (!p)
		return NULL;
	call(p, REMOTE_VERSION, 0);
	snprintf(text, sizeof(text), "%.15s", (char *)p->r->data);
	close_peer(p);
	return *text ? text : NULL;
}

static bool speaks(u16 suite)
{
	static struct { u16 suite; bool yes; } known[16];
	struct peer *p;
	size_t i;

	for (i = 0; i < 16 && known[i].suite; i++)
		if (known[i].suite == suite)
			return known[i].yes;
	p = new_peer();
	if (!p || i == 16)
		return false;
	known[i].suite = suite;
	known[i].yes = call(p, REMOTE_SPEAKS, suite) > 0;
	close_peer(p);
	return known[i].yes;
}

static bool start_peer(struct peer *p, bool resume)
{
	return call(p, REMOTE_START, resume) > 0;
}

static int step_peer(struct peer *p)
{
	return call(p, REMOTE_STEP, 0);
}

static bool send_peer(struct peer *p, const void *data, size_t len)
{
	memcpy(p->r->data, data, len);
	p->r->len = len;
	return call(p, REMOTE_SEND, 0) > 0;
}

static long receive_peer(struct peer *p, void *data, size_t size)
{
	int n;

	p->r->len = size;
	n = call(p, REMOTE_RECEIVE, 0);
	if (n > 0)
		memcpy(data, p->r->data, (size_t)n);
	return n;
}

static bool gave_up_peer(struct peer *p)
{
	return call(p, REMOTE_GAVE_UP, 0) > 0;
}

static bool resumed_peer(struct peer *p)
{
	return call(p, REMOTE_RESUMED, 0) > 0;
}

static bool export_peer(struct peer *p, const char *label, u8 *out, size_t len)
{
	snprintf((char *)p->r->data, REMOTE_LABEL, "%s", label);
	p->r->len = len;
	if (call(p, REMOTE_EXPORT, 0) <= 0)
		return false;
	memcpy(out, p->r->data, len);
	return true;
}

static size_t alpn_peer(struct peer *p, const char **name)
{
	*name = (const char *)p->r->data;
	return (size_t)call(p, REMOTE_ALPN, 0);
}

static bool update_peer(struct peer *p)
{
	return call(p, REMOTE_UPDATE, 0) > 0;
}

static void stop_peer(struct peer *p)
{
	call(p, REMOTE_STOP, 0);
}

const struct peer_ops peer_wolfssl13 = {
	.name = "wolfSSL",
	.note = "5.9 cannot cut its first hello: a client's MTU is 1280 at "
		"least, and 1500 with a share of X25519MLKEM768; its server "
		"takes a first hello in one piece only: below 1500 none with "
		"such a share, or with a ticket, is tried, and no ticket with "
		"loss; a client that had a part of a message before the whole "
		"came never looks at what it holds behind it, though it "
		"acknowledges that, and is tried anew; "
		"Debian builds it without early data (0-RTT)",
	.can = PEER_13 | PEER_ED25519_CLIENT | PEER_ED25519_SERVER |
	       PEER_WHOLE_HELLO | PEER_CID,
	PEER_CALLS,
	.gave_up = gave_up_peer,
	.update = update_peer,
};
