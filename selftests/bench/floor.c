// SPDX-License-Identifier: GPL-2.0
/* The bare AEAD, by the module dtls_floor; see bench.h. */
#include <errno.h>
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

static bool prepare(__u16 cipher, unsigned int size, bool rekey)
{
	bool chacha = cipher == DTLS_CIPHER_CHACHA20_POLY1305;

	return put(PARAMETERS "name", chacha ? "rfc7539(chacha20,poly1305)" :
					       "gcm(aes)") &&
	       put_number(PARAMETERS "key_len", chacha ? 32 : 16) &&
	       put_number(PARAMETERS "size", size) &&
	       put_number(PARAMETERS "rekey", rekey);
}

static bool run(bool seal, unsigned int entries, unsigned int rounds)
{
	return put_number(PARAMETERS "entries", entries) &&
	       put_number(seal ? PARAMETERS "seal" : PARAMETERS "open", rounds);
}

/*
 * What the loop costs beside its records, set-up and all, cancels out. One
 * scatterlist entry for additional data and content is cheaper for one cipher, two
 * are for the other.
 */
static bool measure(bool seal, unsigned int n, double *cost)
{
	uint64_t start, middle;
	unsigned int i;
	double once;

	for (i = 0; i < 6; i++) {
		start = now();
		if (!run(seal, 1 + i % 2, n))
			return false;
		middle = now();
		if (!run(seal, 1 + i % 2, 2 * n))
			return false;
		once = (double)(now() - middle - (middle - start)) / n;
		if (!i || once < *cost)
			*cost = once;
	}
	return true;
}

bool floor_cost(__u16 cipher, unsigned int size, bool rekey,
		unsigned int rounds, struct cost *cost)
{
	unsigned int n = rounds * BATCH / 4;

	*cost = (struct cost){ 0 };
	if (prepare(cipher, size, rekey) && measure(true, n, &cost->send) &&
	    measure(false, n, &cost->recv))
		return true;
	fprintf(stderr, "bench: dtls_floor: %s\n", strerror(errno));
	return false;
}
