// SPDX-License-Identifier: BSD-3-Clause
/* This file reads a passphrase; see passphrase.h. */
#include "passphrase.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/ui.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The names of the variables that passphrases were read from */
static const char **variables;
static size_t variable_count;

/*
 * Read a line of @fd to @buf, byte by byte, so that the rest of the file is left to its
 * next reader. Return NULL, or a text that says what is wrong.
 */
static const char *read_line(int fd, char *buf)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, buf + len, 1)) == 1 && buf[len] != '\n')
		if (++len == PASSPHRASE_SIZE)
			return "the passphrase is too long";
	if (n < 0)
		return strerror(errno);
	buf[len] = 0;
	return NULL;
}

static const char *read_file(const char *name, char *buf)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	const char *bad;

	if (fd < 0)
		return strerror(errno);
	bad = read_line(fd, buf);
	close(fd);
	return bad;
}

static const char *read_fd(const char *number, char *buf)
{
	char *end;
	long fd = strtol(number, &end, 10);

	return *end || end == number || fd < 0 || fd > 1 << 20 ?
	       "not the number of a file descriptor" : read_line((int)fd, buf);
}

static const char *copy_word(const char *word, char *buf)
{
	if (strlen(word) > KDTLS_PASSPHRASE_MAX)
		return "the passphrase is too long";
	memcpy(buf, word, strlen(word) + 1);
	return NULL;
}

/* Copy the variable @name, and note the name for passphrase_forget(). */
static const char *copy_variable(const char *name, char *buf)
{
	const char *word = getenv(name);
	const char **more;

	if (!word)
		return "the environment has no such variable";
	more = reallocarray(variables, variable_count + 1, sizeof(*more));
	if (!more)
		return strerror(ENOMEM);
	variables = more;
	variables[variable_count++] = name;
	return copy_word(word, buf);
}

static const struct {
	const char *prefix;
	const char *(*get)(const char *value, char *buf);
} ways[] = {
	{ "pass:", copy_word },
	{ "env:", copy_variable },
	{ "file:", read_file },
	{ "fd:", read_fd },
};

const char *passphrase_get(char *source, char *buf)
{
	const char *bad;
	size_t i, len;

	if (!strcmp(source, "stdin"))
		return read_line(STDIN_FILENO, buf);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		len = strlen(ways[i].prefix);
		if (strncmp(source, ways[i].prefix, len))
			continue;
		bad = ways[i].get(source + len, buf);
		/* ps(1) shows the arguments to everybody. */
		if (ways[i].get == copy_word)
			memset(source + len, 'x', strlen(source + len));
		return bad;
	}
	return "not pass:WORD, env:NAME, file:FILE, fd:NUMBER or stdin";
}

void passphrase_forget(void)
{
	char *word;

	while (variable_count) {
		word = getenv(variables[--variable_count]);
		/* The kernel shows the environment that a process began with. */
		if (word)
			OPENSSL_cleanse(word, strlen(word));
		unsetenv(variables[variable_count]);
	}
	free(variables);
	variables = NULL;
}

bool passphrase_ask(const char *what, char *buf)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	char prompt[4200];

	/* Without a terminal libcrypto would read standard input, which is data. */
	if (tty < 0)
		return false;
	close(tty);
	snprintf(prompt, sizeof(prompt), "Passphrase of %s: ", what);
	return !UI_UTIL_read_pw_string(buf, PASSPHRASE_SIZE, prompt, 0);
}
