/* SPDX-License-Identifier: BSD-3-Clause */
/* The passphrase of keys and certificates, from --passin or from a terminal. */
#ifndef PASSPHRASE_H
#define PASSPHRASE_H

#include <kdtls/engine.h>
#include <stdbool.h>

#define PASSPHRASE_SIZE	(KDTLS_PASSPHRASE_MAX + 1)

/*
 * Get the passphrase that --passin names: "pass:", "env:", "file:" or "fd:" and a value,
 * or "stdin", as with openssl(1). Files and descriptors are read up to the end of a line.
 * A passphrase in @source itself is overwritten there. Return NULL, or what is wrong.
 */
const char *passphrase_get(char *source, char *buf);

/* Ask for the passphrase of @what on the terminal. Return false if there is none. */
bool passphrase_ask(const char *what, char *buf);

#endif
