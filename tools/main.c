// SPDX-License-Identifier: BSD-3-Clause
/* This file is the program kdtls: it finds the command and runs it. */
#include "commands.h"
#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

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

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	char title[32];
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < N_COMMANDS; i++) {
		if (strcmp(name, commands[i].name))
			continue;
		snprintf(title, sizeof(title), "kdtls %s", name);
		argv[1] = title;
		return commands[i].run(argc - 1, argv + 1);
	}
	if (!strcmp(name, "--version")) {
		puts(argp_program_version);
		return 0;
	}
	usage(!strcmp(name, "--help") ? stdout : stderr);
	return strcmp(name, "--help") ? 64 : 0;
}
