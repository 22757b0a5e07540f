// SPDX-License-Identifier: BSD-3-Clause
/* This file writes a file that holds a secret; see replace.h. */
#include "replace.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Write all of @data, and close @fd. Return 0 or -errno. */
static int write_close(int fd, const char *data, size_t len)
{
	int err = 0;
	ssize_t n;

	while (len && !err) {
		n = write(fd, data, len);
		if (n >= 0) {
			data += n;
			len -= n;
		} else if (errno != EINTR) {
			err = -errno;
		}
	}
	/* Some file systems tell only at the close that there is no room. */
	if (close(fd) && !err)
		err = -errno;
	return err;
}

/*
 * Write @data to a new file in the folder of @name, and give the file that name.
 * mkostemp() makes a file that only its owner can read. Return 0 or -errno.
 */
static int write_new(const char *name, const void *data, size_t len)
{
	char *new;
	int fd, err;

	if (asprintf(&new, "%s.XXXXXX", name) < 0)
		return -ENOMEM;
	fd = mkostemp(new, O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
	} else {
		err = write_close(fd, data, len);
		if (!err && rename(new, name))
			err = -errno;
		if (err)
			unlink(new);
	}
	free(new);
	return err;
}

int replace_file(const char *name, const void *data, size_t len)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC), err;
	bool made = fd < 0 && errno == ENOENT;
	struct stat st;
	char *real;

	/* So a symbolic link to nothing leads to a file. */
	if (made)
		fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && !S_ISREG(st.st_mode))
		return write_close(fd, data, len);
	close(fd);
	real = realpath(name, NULL);
	if (!real)
		return -errno;
	err = write_new(real, data, len);
	if (err && made)
		unlink(real);
	free(real);
	return err;
}
