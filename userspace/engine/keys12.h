/* SPDX-License-Identifier: BSD-3-Clause */
/* The key schedule of DTLS 1.2 (RFC 5246 5, 6.3, 8.1; RFC 7627; RFC 5705). */
#ifndef _DTLS_KEYS12_H
#define _DTLS_KEYS12_H

#include "suites.h"

#define DTLS12_VERIFY_SIZE	12

/*
 * What the keys are derived from. It is kept for the exporter after the
 * handshake.
 */
struct dtls12_secrets {
	u8 master[DTLS_SECRET_SIZE];
	u8 client_random[DTLS_RANDOM_SIZE];
	u8 server_random[DTLS_RANDOM_SIZE];
};

/**
 * dtls_keys12_prf() - P_hash (RFC 5246 5)
 * @label:	part of the seed, without its NUL
 * @seed:	pieces that follow the label; 4 at most
 */
bool dtls_keys12_prf(const struct dtls_crypto *c, const EVP_MD *md,
		     const u8 *secret, size_t secret_len, const char *label,
		     const struct dtls_bytes *seed, unsigned int seed_count,
		     u8 *out, size_t len);

/**
 * dtls_keys12_master() - master secret (RFC 5246 8.1, RFC 7627 4)
 * @s:		randoms filled in; master is set
 * @session_hash: empty: without extended master secret
 */
bool dtls_keys12_master(const struct dtls_crypto *c, const EVP_MD *md,
			struct dtls12_secrets *s, const u8 *premaster,
			size_t premaster_len, struct dtls_bytes session_hash);

/**
 * dtls_keys12_keys() - write keys of epoch 1 (RFC 5246 6.3)
 * @client:	version, cipher, epoch, key and IV are set
 * @server:	the same
 */
bool dtls_keys12_keys(const struct dtls_crypto *c,
		      const struct dtls_suite *suite,
		      const struct dtls12_secrets *s,
		      struct dtls_key_info *client,
		      struct dtls_key_info *server);

/**
 * dtls_keys12_verify_data() - content of Finished (RFC 5246 7.4.9)
 * @out:	DTLS12_VERIFY_SIZE bytes
 */
bool dtls_keys12_verify_data(const struct dtls_crypto *c, const EVP_MD *md,
			     const struct dtls12_secrets *s, bool server,
			     struct dtls_bytes hash, u8 *out);

/**
 * dtls_keys12_export() - RFC 5705 4
 * @context:	NULL: without
 */
bool dtls_keys12_export(const struct dtls_crypto *c, const EVP_MD *md,
			const struct dtls12_secrets *s, const char *label,
			const struct dtls_bytes *context, u8 *out, size_t len);

#endif /* _DTLS_KEYS12_H */
