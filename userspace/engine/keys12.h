/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions are the key schedule of DTLS 1.2 (RFC 5246 5, 6.3, 8.1; RFC
 * 7627; RFC 5705).
 */
#ifndef _DTLS_KEYS12_H
#define _DTLS_KEYS12_H

#include "suites.h"

#define DTLS12_VERIFY_SIZE	12

/**
 * struct dtls12_secrets - the values that the keys of DTLS 1.2 are derived from
 * @master:	the master secret
 * @client_random: the client's random
 * @server_random: the server's random
 *
 * The structure is kept for the exporter after the handshake. In DTLS 1.3 the
 * key log needs the randoms, too.
 */
struct dtls12_secrets {
	u8 master[DTLS_SECRET_SIZE];
	u8 client_random[DTLS_RANDOM_SIZE];
	u8 server_random[DTLS_RANDOM_SIZE];
};

/**
 * dtls_keys12_master() - make the master secret (RFC 5246 8.1, RFC 7627 4)
 * @c:		the endpoint's algorithms
 * @md:		the hash of the suite's PRF
 * @s:		has the randoms, and gets the master secret
 * @premaster:	the premaster secret, which the caller wipes
 * @premaster_len: bytes of @premaster
 * @session_hash: hash of the handshake so far; empty without extended master
 *		secret
 *
 * Return: false if libcrypto failed.
 */
bool dtls_keys12_master(const struct dtls_crypto *c, const EVP_MD *md,
			struct dtls12_secrets *s, const u8 *premaster,
			size_t premaster_len, struct dtls_bytes session_hash);

/**
 * dtls_keys12_keys() - make the write keys of epoch 1 (RFC 5246 6.3)
 * @c:		the endpoint's algorithms
 * @suite:	the suite, whose cipher and hash are used
 * @s:		master secret and randoms
 * @client:	gets version, cipher, epoch, key and IV of the client
 * @server:	gets version, cipher, epoch, key and IV of the server
 *
 * Return: false if libcrypto failed.
 */
bool dtls_keys12_keys(const struct dtls_crypto *c,
		      const struct dtls_suite *suite,
		      const struct dtls12_secrets *s,
		      struct dtls_key_info *client,
		      struct dtls_key_info *server);

/**
 * dtls_keys12_verify_data() - make the content of Finished (RFC 5246 7.4.9)
 * @c:		the endpoint's algorithms
 * @md:		the hash of the suite's PRF
 * @s:		has the master secret
 * @server:	true for the server's Finished, false for the client's
 * @hash:	hash of the messages before Finished
 * @out:	room for DTLS12_VERIFY_SIZE bytes
 *
 * Return: false if libcrypto failed.
 */
bool dtls_keys12_verify_data(const struct dtls_crypto *c, const EVP_MD *md,
			     const struct dtls12_secrets *s, bool server,
			     struct dtls_bytes hash, u8 *out);

/*
 * Export keying material, @len bytes (RFC 5705 4). Return false if libcrypto
 * failed.
 */
bool dtls_keys12_export(const struct dtls_crypto *c, const EVP_MD *md,
			const struct dtls12_secrets *s,
			const struct dtls_label *label, u8 *out, size_t len);

#endif /* _DTLS_KEYS12_H */
