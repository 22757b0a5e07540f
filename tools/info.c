// SPDX-License-Identifier: BSD-3-Clause
/* The command kdtls info shows counters of a network namespace or of a socket. */
#include "commands.h"
#include <argp.h>
#include <err.h>
#include <errno.h>
#include <kdtls/kdtls.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STAT_FILE	"/proc/net/dtls_stat"

struct which {
	long pid;
	long fd;
};

static const struct argp_option options[] = {
	{ "pid", 'p', "PID", 0, "the process that has the socket", 0 },
	{ "fd", 'f', "NUMBER", 0, "its file descriptor there", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct which *w = state->input;
	bool has_pid = w->pid >= 0, has_fd = w->fd >= 0;
	char *end = "";

	switch (key) {
	case 'p':
		w->pid = strtol(arg, &end, 10);
		break;
	case 'f':
		w->fd = strtol(arg, &end, 10);
		break;
	case ARGP_KEY_END:
		if (has_pid != has_fd)
			argp_error(state, "--pid and --fd go together");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	if (*end || end == arg)
		argp_error(state, "%s: not a number", arg);
	return 0;
}

static const struct argp info = {
	.options = options,
	.parser = parse,
	.doc = "Show the DTLS counters of this network namespace or, with --pid and --fd,\n"
	"state and counters of one socket.\v"
	"The socket of another's process takes the right to trace it.\n\n"
	"  kdtls info\n"
	"  kdtls info --pid 1234 --fd 5\n",
};

static int show_namespace(void)
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
	while (fscanf(f, "%63s %llu", name, &value) == 2)
		printf("%-20s %20llu\n", name, value);
	fclose(f);
	return 0;
}

static void row(const char *name, unsigned long long value)
{
	printf("%-20s %20llu\n", name, value);
}

static void text_row(const char *name, const char *value)
{
	printf("%-20s %20s\n", name, value);
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

static int show_socket(const struct which *w)
{
	struct dtls_counters c;
	struct dtls_info i;
	int pidfd, fd, bad;

	pidfd = syscall(SYS_pidfd_open, w->pid, 0);
	if (pidfd < 0)
		err(1, "process %ld", w->pid);
	fd = syscall(SYS_pidfd_getfd, pidfd, w->fd, 0);
	if (fd < 0)
		err(1, "descriptor %ld of process %ld", w->fd, w->pid);
	bad = kdtls_get_info(fd, &i);
	if (!bad)
		bad = kdtls_get_counters(fd, &c);
	if (bad) {
		warnx("descriptor %ld of process %ld: %s", w->fd, w->pid,
		      kdtls_strerror(bad));
		return 1;
	}

	text_row("version", version_name(i.version));
	text_row("tx_cipher", kdtls_cipher_name(i.tx_cipher));
	row("tx_epoch", i.tx_epoch);
	row("tx_updates", updates(&i, i.tx_epoch));
	row("tx_seq", i.tx_seq);
	row("tx_limit", i.tx_limit);
	text_row("rx_cipher", kdtls_cipher_name(i.rx_cipher));
	row("rx_epoch", i.rx_epoch);
	row("rx_updates", updates(&i, i.rx_epoch));
	row("rx_seq", i.rx_seq);
	row("rx_forged", i.rx_forged);
	row("rx_limit", i.rx_limit);
	text_row("end_of_file", i.flags & DTLS_INFO_EOF ? "yes" : "no");
	text_row("gro", i.flags & DTLS_INFO_GRO ? "yes" : "no");
	row("replay_window", i.replay_window);
	row("mtu", i.mtu);
	row("control_queued", i.control_queued);
	row("early_queued", i.early_queued);
	row("tx_records", c.tx_records);
	row("tx_bytes", c.tx_bytes);
	row("rx_records", c.rx_records);
	row("rx_bytes", c.rx_bytes);
	row("rx_replays", c.rx_replays);
	row("rx_auth_failed", c.rx_auth_failed);
	row("rx_no_key", c.rx_no_key);
	row("rx_malformed", c.rx_malformed);
	row("rx_oversize", c.rx_oversize);
	row("rx_empty", c.rx_empty);
	row("rx_control", c.rx_control);
	row("rx_no_budget", c.rx_no_budget);
	row("rx_expired", c.rx_expired);
	return 0;
}

int command_info(int argc, char **argv)
{
	struct which w = { .pid = -1, .fd = -1 };

	argp_parse(&info, argc, argv, 0, NULL, &w);
	return w.pid < 0 ? show_namespace() : show_socket(&w);
}
