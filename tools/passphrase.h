/* SPDX-License-Identifier: BSD-3-Clause */
/* These functions read a passphrase, as --passin says or from a terminal. */
#ifndef PASSPHRASE_H
#define PASSPHRASE_H

#include <kdtls/engine.h>
#include <stdbool.h>

#define PASSPHRASE_SIZE	(KDTLS_PASSPHRASE_MAX + 1)

/*
 * Write the passphrase that --passin names to @buf. @source is "pass:", "env:", "file:" or
 * "fd:" and a value, or "stdin", as with openssl(1). Of a file the first line is read. A
 * passphrase in @source itself is overwritten there. Return NULL, or a text that says
 * what is wrong.
 */
const char *passphrase_get(char *source, char *buf);

/*
 * Wipe the variables of the environment that passphrases were read from, and remove them,
 * so that no command gets them. Several options may name one variable, so this is done when
 * all options were read.
 */
void passphrase_forget(void);

/*
 * Ask for the passphrase of @what on the terminal, and write it to @buf. Return false if
 * there is no terminal, or no passphrase was given.
 */
bool passphrase_ask(const char *what, char *buf);

#endif
