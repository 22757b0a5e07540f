// SPDX-License-Identifier: BSD-3-Clause
/* This file is kdtls info, which shows counters of a network namespace, or sockets. */
#include "commands.h"
#include "holders.h"
#include "net.h"
#include "report.h"
#include <argp.h>
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STAT_FILE	"/proc/net/dtls_stat"

struct which {
	long pid;
	long fd;
	bool all;
	bool json;
};

enum { OPT_ALL = 256, OPT_JSON };

static const struct argp_option options[] = {
	{ "all", OPT_ALL, NULL, 0, "every association, one in a line", 0 },
	{ "pid", 'p', "PID", 0, "the process that has the socket", 0 },
	{ "fd", 'f', "NUMBER", 0, "its file descriptor there", 0 },
	{ "json", OPT_JSON, NULL, 0, "print JSON, with all fields of a socket", 0 },
	{ 0 }
};

static long whole_number(struct argp_state *state, const char *option,
			 const char *arg)
{
	char *end;
	long n = strtol(arg, &end, 10);

	if (*end || end == arg || n < 0 || n > INT_MAX)
		argp_error(state, "%s %s: not a number from 0 to %d", option,
			   arg, INT_MAX);
	return n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct which *w = state->input;
	bool has_pid = w->pid >= 0, has_fd = w->fd >= 0;

	switch (key) {
	case OPT_ALL:
		w->all = true;
		return 0;
	case OPT_JSON:
		w->json = true;
		return 0;
	case 'p':
		w->pid = whole_number(state, "--pid", arg);
		return 0;
	case 'f':
		w->fd = whole_number(state, "--fd", arg);
		return 0;
	case ARGP_KEY_END:
		if (has_pid != has_fd)
			argp_error(state, "--pid and --fd go together");
		if (has_pid && w->all)
			argp_error(state, "--all and --pid exclude each other");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp info = {
	.options = options,
	.parser = parse,
	.doc = "Show the DTLS counters of this network namespace; or, with --all, its\n"
	"associations; or, with --pid and --fd, state and counters of one socket.\v"
	"Sockets of another user's processes are shown to who may trace these.\n\n"
	"  kdtls info\n"
	"  kdtls info --all\n"
	"  kdtls info --pid 1234 --fd 5 --json\n",
};

/* ---- the namespace ---- */

static int show_namespace(struct report *r)
{
	FILE *f = fopen(STAT_FILE, "r");
	unsigned long long value;
	char name[64];

	if (!f && errno == ENOENT) {
		warnx("%s", kdtls_strerror(KDTLS_ENOMODULE));
		return 1;
	}
	if (!f)
		err(1, STAT_FILE);
	report_begin(r);
	while (fscanf(f, "%63s %llu", name, &value) == 2)
		report_number(r, name, value);
	report_end(r);
	if (r->json)
		putchar('\n');
	fclose(f);
	return 0;
}

/* ---- one socket ---- */

/**
 * struct socket_state - state of a socket, or of one of its associations
 * @holder:	the process that holds the socket
 * @local:	local address and port
 * @peer:	address and port of the peer
 * @info:	state of the association
 * @counters:	counters of the association's records
 */
struct socket_state {
	const struct holder *holder;
	char local[ADDRESS_MAX];
	char peer[ADDRESS_MAX];
	struct dtls_info info;
	struct dtls_counters counters;
};

/*
 * Read the state of association @id of a socket. Number 0 is the association of a
 * connected socket; on a socket with a table it has the counters of datagrams that belong
 * to no association. Return 0 or -errno.
 */
static int read_state(struct socket_state *s, const struct holder *holder,
		      __u64 id)
{
	socklen_t info_len = sizeof(s->info);
	socklen_t counters_len = sizeof(s->counters);

	memset(&s->info, 0, sizeof(s->info));
	memset(&s->counters, 0, sizeof(s->counters));
	s->holder = holder;
	s->info.id = id;
	s->counters.id = id;
	net_socket(holder->fd, s->local, s->peer);
	if (getsockopt(holder->fd, SOL_DTLS, DTLS_INFO, &s->info, &info_len) ||
	    getsockopt(holder->fd, SOL_DTLS, DTLS_COUNTERS, &s->counters,
		       &counters_len))
		return -errno;
	return 0;
}

static const char *version_name(unsigned int version)
{
	switch (version) {
	case 0:
		return "none";
	case DTLS_VERSION_1_2:
		return "DTLS 1.2";
	case DTLS_VERSION_1_3:
		return "DTLS 1.3";
	}
	return "unknown";
}

/* Return the number of key updates (RFC 9147 8): the epochs after epoch 3. */
static unsigned long long updates(const struct dtls_info *i, __u64 epoch)
{
	return i->version == DTLS_VERSION_1_3 && epoch > 3 ? epoch - 3 : 0;
}

static void report_info(struct report *r, const struct dtls_info *i)
{
	report_text(r, "version", version_name(i->version));
	report_text(r, "tx_cipher", kdtls_cipher_name(i->tx_cipher));
	report_number(r, "tx_epoch", i->tx_epoch);
	report_number(r, "tx_updates", updates(i, i->tx_epoch));
	report_number(r, "tx_seq", i->tx_seq);
	report_number(r, "tx_limit", i->tx_limit);
	report_text(r, "rx_cipher", kdtls_cipher_name(i->rx_cipher));
	report_number(r, "rx_epoch", i->rx_epoch);
	report_number(r, "rx_updates", updates(i, i->rx_epoch));
	report_number(r, "rx_seq", i->rx_seq);
	report_number(r, "rx_forged", i->rx_forged);
	report_number(r, "rx_limit", i->rx_limit);
	report_flag(r, "end_of_file", i->flags & DTLS_INFO_EOF);
	report_flag(r, "gro", i->flags & DTLS_INFO_GRO);
	report_number(r, "replay_window", i->replay_window);
	report_number(r, "mtu", i->mtu);
	report_number(r, "control_queued", i->control_queued);
	report_number(r, "early_queued", i->early_queued);
}

static void report_counters(struct report *r, const struct dtls_counters *c)
{
	report_number(r, "tx_records", c->tx_records);
	report_number(r, "tx_bytes", c->tx_bytes);
	report_number(r, "rx_records", c->rx_records);
	report_number(r, "rx_bytes", c->rx_bytes);
	report_number(r, "rx_replays", c->rx_replays);
	report_number(r, "rx_auth_failed", c->rx_auth_failed);
	report_number(r, "rx_no_key", c->rx_no_key);
	report_number(r, "rx_malformed", c->rx_malformed);
	report_number(r, "rx_oversize", c->rx_oversize);
	report_number(r, "rx_empty", c->rx_empty);
	report_number(r, "rx_control", c->rx_control);
	report_number(r, "rx_no_budget", c->rx_no_budget);
	report_number(r, "rx_expired", c->rx_expired);
}

/* Return the ms since the last record of the peer was verified. */
static unsigned long long silence(const struct dtls_info *i)
{
	__u64 now = net_now() / 1000;

	return now > i->heard ? now - i->heard : 0;
}

static void report_socket(struct report *r, const struct socket_state *s)
{
	report_begin(r);
	report_text(r, "command", s->holder->command);
	report_number(r, "pid", s->holder->pid);
	report_number(r, "fd", s->holder->number);
	report_text(r, "local", s->local);
	report_text(r, "peer", s->peer);
	report_number(r, "id", s->info.id);
	if (s->info.heard)
		report_number(r, "silent_ms", silence(&s->info));
	report_info(r, &s->info);
	report_counters(r, &s->counters);
	report_end(r);
}

static int show_socket(struct report *r, const struct which *w)
{
	struct socket_state s;
	struct holder holder;
	int bad = holder_get(&holder, w->pid, w->fd);

	if (!bad)
		bad = read_state(&s, &holder, 0);
	if (bad) {
		warnx("descriptor %ld of process %ld: %s", w->fd, w->pid,
		      kdtls_strerror(bad));
		return 1;
	}
	report_socket(r, &s);
	if (r->json)
		putchar('\n');
	return 0;
}

/* ---- all sockets ---- */

/* Return how many records were dropped. */
static unsigned long long drops(const struct dtls_counters *c)
{
	return c->rx_replays + c->rx_auth_failed + c->rx_no_key +
	       c->rx_malformed + c->rx_oversize + c->rx_no_budget +
	       c->rx_expired;
}

#define LINE								\
	"%-24s %-24s %-8s %-17s %5s %5s %12s %12s %12s %12s %8s %8s  %s\n"

/* Print a socket as a line of the table whose first line names the fields. */
static void print_line(const struct socket_state *s)
{
	const unsigned long long values[] = {
		s->info.tx_epoch, s->info.rx_epoch,
		s->counters.tx_records, s->counters.tx_bytes,
		s->counters.rx_records, s->counters.rx_bytes,
		drops(&s->counters),
	};
	char text[7][24], heard[24] = "never", process[COMMAND_MAX + 32];
	size_t i;

	for (i = 0; i < 7; i++)
		snprintf(text[i], sizeof(text[i]), "%llu", values[i]);
	if (s->info.heard)
		snprintf(heard, sizeof(heard), "%llus",
			 silence(&s->info) / 1000);
	snprintf(process, sizeof(process), "%s[%d] %d", s->holder->command,
		 s->holder->pid, s->holder->number);
	for (i = 0; process[i]; i++)
		if (process[i] < ' ' || process[i] > '~')
			process[i] = '?';
	printf(LINE, s->local, s->peer, version_name(s->info.version),
	       kdtls_cipher_name(s->info.tx_cipher), text[0], text[1], text[2],
	       text[3], text[4], text[5], text[6], heard, process);
}

/* Print an association, as an object of the report or as a line of the table. */
static void show_association(struct report *r, const struct socket_state *s)
{
	if (r->json)
		report_socket(r, s);
	else
		print_line(s);
}

/*
 * Show the associations of one socket of the namespace: the one of a connected socket, or
 * each of a socket that has many. A socket without DTLS has none.
 */
static void show_one(const struct holder *holder, void *ctx)
{
	struct dtls_assoc_peer peer = { .id = 0 };
	struct dtls_assoc_table table = { .max = 0 };
	socklen_t len = sizeof(table);
	struct report *r = ctx;
	struct socket_state s;

	if (getsockopt(holder->fd, SOL_DTLS, DTLS_ASSOC_TABLE, &table, &len)) {
		if (!read_state(&s, holder, 0))
			show_association(r, &s);
		return;
	}
	for (;;) {
		len = sizeof(peer);
		if (getsockopt(holder->fd, SOL_DTLS, DTLS_ASSOC_NEXT, &peer,
			       &len))
			return;
		/* The association may have been deleted since it was listed. */
		if (read_state(&s, holder, peer.id))
			continue;
		net_association(&peer.peer, s.peer);
		if (peer.local.family)
			net_association(&peer.local, s.local);
		show_association(r, &s);
	}
}

static int show_all(struct report *r)
{
	int bad = kdtls_available();

	if (!bad && !r->json)
		printf(LINE, "LOCAL", "PEER", "VERSION", "CIPHER", "TXEP", "RXEP",
		       "TXRECORDS", "TXBYTES", "RXRECORDS", "RXBYTES", "DROPS",
		       "SILENT", "PROCESS, FD");
	if (!bad) {
		report_list_begin(r);
		bad = holders_each(show_one, r);
		report_list_end(r);
	}
	if (bad)
		warnx("%s", kdtls_strerror(bad));
	return bad ? 1 : 0;
}

int command_info(int argc, char **argv)
{
	struct which w = { .pid = -1, .fd = -1 };
	struct report r = { .json = false };

	/* Standard output is often the pipe of a program that reads the first lines only. */
	signal(SIGPIPE, SIG_DFL);
	argp_parse(&info, argc, argv, 0, NULL, &w);
	r.json = w.json;
	if (w.all)
		return show_all(&r);
	return w.pid < 0 ? show_namespace(&r) : show_socket(&r, &w);
}
