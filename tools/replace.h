/* SPDX-License-Identifier: BSD-3-Clause */
/* This function writes a file that holds a secret. */
#ifndef REPLACE_H
#define REPLACE_H

#include <stddef.h>

/*
 * Let the file @name hold @data, and let its owner alone read it, whoever could read it
 * before. It is a new file, which takes the place of the one before when all is written: if
 * the function fails the one before is as it was. Where @name is a symbolic link to a file
 * the link stays. What is no regular file is written to as it is. Return 0 or -errno.
 */
int replace_file(const char *name, const void *data, size_t len);

#endif
