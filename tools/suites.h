/* SPDX-License-Identifier: BSD-3-Clause */
/* Cipher suites by their IANA names. */
#ifndef SUITES_H
#define SUITES_H

#include <stdint.h>

/* Return the IANA name, such as TLS_PSK_WITH_AES_128_GCM_SHA256, or "0x00a8". */
const char *suite_name(uint16_t number);

/*
 * Return the number of a suite, named with or without "TLS_", or 0 if there is
 * none.
 */
uint16_t suite_number(const char *name);

#endif
