/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * How long a key of each AEAD is good for, unless its owner says otherwise: for
 * the module and the library.
 *
 * The limits are those of RFC 9147 4.5.3; RFC 9325 4.4 asks for the same in DTLS
 * 1.2. 2^24.5 and 2^23.5 are rounded down. The limit of GCM is meant for records
 * of full size, and shorter ones wear a key out less; but RFC 8446 5.5 counts
 * records ("up to 2^24.5 full-size records") and not blocks. ChaCha20-Poly1305
 * has no limit but that of the sequence numbers.
 */
#ifndef _DTLS_AEAD_LIMITS_H
#define _DTLS_AEAD_LIMITS_H

#include "record.h"

/* A write key protects as many records. */
#define DTLS_GCM_SEAL_LIMIT	23726566ULL	/* 2^24.5 */
#define DTLS_CCM_SEAL_LIMIT	8388608ULL	/* 2^23 */
#define DTLS_CHACHA_SEAL_LIMIT	DTLS_SEQ_MAX

/* A read key opens nothing more after as many forgeries. */
#define DTLS_OPEN_LIMIT		68719476736ULL	/* 2^36 */
#define DTLS_CCM_OPEN_LIMIT	11863283ULL	/* 2^23.5 */
#define DTLS_CCM_8_OPEN_LIMIT	128ULL

#endif /* _DTLS_AEAD_LIMITS_H */
