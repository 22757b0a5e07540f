/* SPDX-License-Identifier: GPL-2.0 */
/* A fixture's variants: every cipher, every pair of libraries. */
#ifndef VARIANTS_H
#define VARIANTS_H

#include "session.h"

#define GNUTLS_PRIORITY(c) \
	"NORMAL:-VERS-ALL:+VERS-DTLS1.2:-KX-ALL:+PSK:-CIPHER-ALL:+" c

#define VARIANT(fixture_, name_, client_, server_, cipher_, openssl_, gnutls_) \
	FIXTURE_VARIANT_ADD(fixture_, name_) {				\
		.client = client_, .server = server_,			\
		.cipher = DTLS_CIPHER_ ## cipher_,			\
		.setup = { .openssl = openssl_ ":@SECLEVEL=0",		\
			   .gnutls = GNUTLS_PRIORITY(gnutls_),		\
			   .watch = true },				\
	}

#define PAIRS(fixture_, cipher_, openssl_, gnutls_)			\
	VARIANT(fixture_, cipher_ ## _openssl_openssl, OPENSSL, OPENSSL, \
		cipher_, openssl_, gnutls_);				\
	VARIANT(fixture_, cipher_ ## _openssl_gnutls, OPENSSL, GNUTLS,	\
		cipher_, openssl_, gnutls_);				\
	VARIANT(fixture_, cipher_ ## _gnutls_openssl, GNUTLS, OPENSSL,	\
		cipher_, openssl_, gnutls_);				\
	VARIANT(fixture_, cipher_ ## _gnutls_gnutls, GNUTLS, GNUTLS,	\
		cipher_, openssl_, gnutls_)

#define VARIANTS(fixture_)						\
	FIXTURE_VARIANT(fixture_) {					\
		enum library client, server;				\
		unsigned int cipher;					\
		struct setup setup;					\
	};								\
	PAIRS(fixture_, AES_GCM_128, "PSK-AES128-GCM-SHA256", "AES-128-GCM"); \
	PAIRS(fixture_, AES_GCM_256, "PSK-AES256-GCM-SHA384", "AES-256-GCM"); \
	PAIRS(fixture_, AES_CCM_128, "PSK-AES128-CCM", "AES-128-CCM");	\
	PAIRS(fixture_, AES_CCM_256, "PSK-AES256-CCM", "AES-256-CCM");	\
	PAIRS(fixture_, AES_CCM_8_128, "PSK-AES128-CCM8", "AES-128-CCM-8"); \
	PAIRS(fixture_, AES_CCM_8_256, "PSK-AES256-CCM8", "AES-256-CCM-8"); \
	PAIRS(fixture_, CHACHA20_POLY1305, "PSK-CHACHA20-POLY1305",	\
	      "CHACHA20-POLY1305")

#endif
