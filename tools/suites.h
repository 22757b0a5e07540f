/* SPDX-License-Identifier: BSD-3-Clause */
/* These functions turn numbers of cipher suites into IANA names and back. */
#ifndef SUITES_H
#define SUITES_H

#include <stdint.h>

/*
 * Return the IANA name of a suite, such as TLS_PSK_WITH_AES_128_GCM_SHA256, or its number
 * as text, such as "0x00a8", if the name is not known.
 */
const char *suite_name(uint16_t number);

/*
 * Return the number of the suite with the IANA name @name, with or without "TLS_"; or 0
 * if there is none.
 */
uint16_t suite_number(const char *name);

#endif
