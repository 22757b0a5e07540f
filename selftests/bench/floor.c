// SPDX-License-Identifier: GPL-2.0
/* The bare AEAD, by the module dtls_floor; see bench.h. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define PARAMETERS	"/sys/module/dtls_floor/parameters/"

static bool put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 &&
		  write(fd, value, strlen(value)) == (ssize_t)strlen(value);

	close(fd);
	return ok;
}

static bool put_number(const char *path, unsigned int n)
{
	char value[16];

	snprintf(value, sizeof(value), "%u", n);
	return put(path, value);
}

bool floor_prepare(__u16 cipher, unsigned int size)
{
	bool chacha = cipher == DTLS_CIPHER_CHACHA20_POLY1305;

	return put(PARAMETERS "name", chacha ? "rfc7539(chacha20,poly1305)" :
					       "gcm(aes)") &&
	       put_number(PARAMETERS "key_len", chacha ? 32 : 16) &&
	       put_number(PARAMETERS "size", size);
}

bool floor_run(bool seal, unsigned int entries, unsigned int rounds)
{
	return put_number(PARAMETERS "entries", entries) &&
	       put_number(seal ? PARAMETERS "seal" : PARAMETERS "open", rounds);
}
