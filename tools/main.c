// SPDX-License-Identifier: BSD-3-Clause
/* This file is the program kdtls: it finds the command and runs it. */
#include "commands.h"
#include <argp.h>
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

const char *argp_program_version = "kdtls " KDTLS_VERSION;

static const struct {
	const char *name;
	const char *what;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "client", "connect to a DTLS server, move data both ways",
	  command_client },
	{ "server", "wait for DTLS clients, move data both ways",
	  command_server },
	{ "info", "show the kernel's counters, or a socket's state",
	  command_info },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *f)
{
	size_t i;

	fputs("Usage: kdtls COMMAND [OPTION...]\n\n"
	      "DTLS over UDP. When hands are shaken the kernel module dtls makes the records,\n"
	      "or libkdtls where the module is missing.\n\n", f);
	for (i = 0; i < N_COMMANDS; i++)
		fprintf(f, "  %-8s %s\n", commands[i].name, commands[i].what);
	fputs("\n\"kdtls COMMAND --help\" tells more.\n", f);
}

/*
 * Give each standard stream that is closed a file that can neither be read nor written.
 * A socket would be given its number otherwise, and what is written to the stream would go
 * to the network, in the clear.
 */
static void fill_streams(void)
{
	int fd;

	do {
		fd = open("/", O_PATH);
	} while (fd >= 0 && fd < STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
	if (fd < 0)
		exit(1);
}

/* Fail if standard output did not take all that was printed, as on a full disk. */
static void close_output(void)
{
	if (!fclose(stdout))
		return;
	warn("standard output");
	_exit(1);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	char title[32];
	size_t i;

	fill_streams();
	atexit(close_output);
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < N_COMMANDS; i++) {
		if (strcmp(name, commands[i].name))
			continue;
		snprintf(title, sizeof(title), "kdtls %s", name);
		argv[1] = title;
		return commands[i].run(argc - 1, argv + 1);
	}
	if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		puts(argp_program_version);
		return 0;
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-?")) {
		usage(stdout);
		return 0;
	}
	if (argc > 1)
		warnx("%s: no such command", name);
	usage(stderr);
	return EX_USAGE;
}
