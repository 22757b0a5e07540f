// SPDX-License-Identifier: BSD-3-Clause
/* This file has the tables of cipher suites, groups and signature schemes. */
#include "suites.h"

#define ECDSA	(DTLS_KX_ECDHE | DTLS_KX_ECDSA)
#define RSA	(DTLS_KX_ECDHE | DTLS_KX_RSA)
#define EPSK	(DTLS_KX_ECDHE | DTLS_KX_PSK)
#define PSK	DTLS_KX_PSK

#define GCM_128	DTLS_CIPHER_AES_GCM_128
#define GCM_256	DTLS_CIPHER_AES_GCM_256
#define CHACHA	DTLS_CIPHER_CHACHA20_POLY1305
#define CCM	DTLS_CIPHER_AES_CCM_128
#define CCM_8	DTLS_CIPHER_AES_CCM_8_128

/*
 * The suites stand in the order of preference that holds if none is configured.
 */
const struct dtls_suite dtls_suites[] = {
	{ 0x1301, DTLS_KX_13, GCM_128, false },	/* RFC 8446 B.4 */
	{ 0x1303, DTLS_KX_13, CHACHA, false },
	{ 0x1302, DTLS_KX_13, GCM_256, true },
	{ 0x1304, DTLS_KX_13, CCM, false },
	{ 0xc02b, ECDSA, GCM_128, false },	/* RFC 5289 */
	{ 0xc02f, RSA, GCM_128, false },
	{ 0xcca9, ECDSA, CHACHA, false },	/* RFC 7905 */
	{ 0xcca8, RSA, CHACHA, false },
	{ 0xc02c, ECDSA, GCM_256, true },
	{ 0xc030, RSA, GCM_256, true },
	{ 0xc0ac, ECDSA, CCM, false },		/* RFC 7251 */
	{ 0xd001, EPSK, GCM_128, false },	/* RFC 8442 */
	{ 0xccac, EPSK, CHACHA, false },
	{ 0xd002, EPSK, GCM_256, true },
	{ 0xd005, EPSK, CCM, false },
	{ 0x00a8, PSK, GCM_128, false },	/* RFC 5487 */
	{ 0xccab, PSK, CHACHA, false },
	{ 0x00a9, PSK, GCM_256, true },
	{ 0xc0a4, PSK, CCM, false },		/* RFC 6655 */
	{ 0xd003, EPSK, CCM_8, false },
	{ 0xc0a8, PSK, CCM_8, false },
	/*
	 * These two suites are offered only if they are configured, as 2^7
	 * forgeries use up a key of AES-CCM-8 (RFC 9147 4.5.3). Some peers
	 * have no other than those for pre-shared keys above.
	 */
	{ 0xc0ae, ECDSA, CCM_8, false },
	{ 0x1305, DTLS_KX_13, CCM_8, false },
};

#define ASKED_FOR	2

const struct dtls_group dtls_groups[] = {
	{ 0x11ec, 1216, 1120, true, "X25519MLKEM768", "X25519MLKEM768" },
	{ 29, 32, 32, false, "X25519", "X25519" },
	{ 23, 65, 65, false, "EC", "prime256v1" },
	{ 24, 97, 97, false, "EC", "secp384r1" },
};

#define ECDSA_13	(DTLS_KX_ECDSA | DTLS_KX_13)
#define RSA_13		(DTLS_KX_RSA | DTLS_KX_13)

const struct dtls_scheme dtls_schemes[] = {
	{ 0x0403, ECDSA_13, false, 23, "EC", "SHA256" },
	{ 0x0503, ECDSA_13, false, 24, "EC", "SHA384" },
	{ 0x0807, ECDSA_13, false, 0, "ED25519", NULL },
	{ 0x0804, RSA_13, true, 0, "RSA", "SHA256" },
	{ 0x0805, RSA_13, true, 0, "RSA", "SHA384" },
	{ 0x0806, RSA_13, true, 0, "RSA", "SHA512" },
	{ 0x0809, RSA_13, true, 0, "RSA-PSS", "SHA256" },
	{ 0x080a, RSA_13, true, 0, "RSA-PSS", "SHA384" },
	{ 0x080b, RSA_13, true, 0, "RSA-PSS", "SHA512" },
	{ 0x0401, DTLS_KX_RSA, false, 0, "RSA", "SHA256" },
	{ 0x0501, DTLS_KX_RSA, false, 0, "RSA", "SHA384" },
	{ 0x0601, DTLS_KX_RSA, false, 0, "RSA", "SHA512" },
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

const size_t dtls_suite_count = COUNT(dtls_suites);
const size_t dtls_suite_default_count = COUNT(dtls_suites) - ASKED_FOR;
const size_t dtls_group_count = COUNT(dtls_groups);
_Static_assert(COUNT(dtls_groups) <= DTLS_GROUPS_MAX,
	       "struct dtls_crypto has no room for them");
const size_t dtls_scheme_count = COUNT(dtls_schemes);

#define FIND(table, wanted)						\
	do {								\
		for (size_t i = 0; i < COUNT(table); i++)		\
			if ((table)[i].id == (wanted))			\
				return &(table)[i];			\
		return NULL;						\
	} while (0)

const struct dtls_suite *dtls_suite_find(u16 id)
{
	FIND(dtls_suites, id);
}

const struct dtls_group *dtls_group_find(u16 id)
{
	FIND(dtls_groups, id);
}

const struct dtls_scheme *dtls_scheme_find(u16 id)
{
	FIND(dtls_schemes, id);
}
