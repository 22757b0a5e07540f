// SPDX-License-Identifier: GPL-2.0
/*
 * Servers with OpenSSL's sessions; see servers.h. A session comes from a handshake
 * of its own over memory, and stays for all rows. Its client's end lives on as the
 * key that it writes with.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "openssl.h"
#include "servers.h"

#define TABLE_BITS	18	/* more than twice CLIENTS_MAX places */
#define KEY_LEN		16
#define IV_LEN		4

static struct session {
	SSL *ssl;
	__u8 client_key[KEY_LEN];
	__u8 client_iv[IV_LEN];
} *sessions;
static unsigned int made;

static struct place {
	struct sockaddr_in address;
	SSL *ssl;
} *table;

static unsigned char out[BATCH * DATAGRAM_ROOM], in[BATCH * DATAGRAM_ROOM];

/* Return the place of an address in the table, which may be empty. */
static struct place *find(const struct sockaddr_in *address)
{
	__u64 both = (__u64)address->sin_addr.s_addr << 16 | address->sin_port;
	unsigned int i = both * 0x9e3779b97f4a7c15ULL >> (64 - TABLE_BITS);

	while (table[i].ssl &&
	       (table[i].address.sin_addr.s_addr != address->sin_addr.s_addr ||
		table[i].address.sin_port != address->sin_port))
		i = (i + 1) % (1U << TABLE_BITS);
	return &table[i];
}

/* The client's write key and IV are in the key block's first and third part. */
static bool derive_client_key(SSL *ssl, struct session *s)
{
	__u8 master[48], random[64], block[2 * KEY_LEN + 2 * IV_LEN];
	static char label[] = "key expansion", digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 6),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SECRET, master, 48),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SEED, label, 13),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SEED, random, 64),
		OSSL_PARAM_END,
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	bool ok;

	SSL_SESSION_get_master_key(SSL_get_session(ssl), master, 48);
	SSL_get_server_random(ssl, random, 32);
	SSL_get_client_random(ssl, random + 32, 32);
	ok = ctx && EVP_KDF_derive(ctx, block, sizeof(block), params) == 1;
	memcpy(s->client_key, block, KEY_LEN);
	memcpy(s->client_iv, block + 2 * KEY_LEN, IV_LEN);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

static bool make_sessions(unsigned int n)
{
	SSL *client;
	bool ok;

	if (!sessions) {
		sessions = calloc(CLIENTS_MAX, sizeof(*sessions));
		table = calloc(1U << TABLE_BITS, sizeof(*table));
	}
	for (ok = sessions && table; ok && made < n; made++) {
		struct sockaddr_in address = wire_client(made);
		struct session *s = &sessions[made];
		struct place *p = find(&address);

		ok = openssl_pair(DTLS_CIPHER_AES_GCM_128, &client, &s->ssl) &&
		     derive_client_key(s->ssl, s);
		*p = (struct place){ address, s->ssl };
		SSL_free(client);
	}
	return ok;
}

static bool memory_bios(SSL *ssl)
{
	BIO *rbio = BIO_new(BIO_s_mem()), *wbio = BIO_new(BIO_s_mem());

	if (!rbio || !wbio)
		return false;
	BIO_set_mem_eof_return(rbio, -1);
	SSL_set_bio(ssl, rbio, wbio);
	return true;
}

static bool own_bio(const struct service *s)
{
	return s->server->batch == GSO_GRO;
}

bool server_openssl_open(struct service *s)
{
	unsigned int i;

	if (!server_udp_open(s) || !make_sessions(s->clients))
		return false;
	for (i = 0; i < s->clients; i++)
		if (own_bio(s) ? !openssl_bio_use(sessions[i].ssl) :
				 !memory_bios(sessions[i].ssl))
			return false;
	return true;
}

void server_openssl_key(struct service *s, unsigned int client,
			struct peer_key *k)
{
	(void)s;
	memset(k, 0, sizeof(*k));
	k->cipher = DTLS_CIPHER_AES_GCM_128;
	k->epoch = 1;
	memcpy(k->key, sessions[client].client_key, KEY_LEN);
	memcpy(k->iv, sessions[client].client_iv, IV_LEN);
}

bool server_openssl_recv(struct service *s, const unsigned int *clients)
{
	unsigned int left, got;
	struct sockaddr_in from;
	int segment = 0;
	ssize_t len;
	SSL *ssl;

	(void)clients;
	for (left = BATCH; left; left -= got) {
		len = server_udp_recv_segments(s->fd, &from, in, sizeof(in),
					       own_bio(s) ? &segment : NULL);
		ssl = len > 0 ? find(&from)->ssl : NULL;
		if (!ssl)
			return false;
		if (own_bio(s))
			got = openssl_unseal(ssl, s->size, in, len, segment);
		else
			got = BIO_write(SSL_get_rbio(ssl), in, (int)len) > 0 &&
			      SSL_read(ssl, in, sizeof(in)) == (int)s->size;
		if (!got || got > left)
			return false;
	}
	return true;
}

bool server_openssl_send(struct service *s, const unsigned int *clients)
{
	struct sockaddr_in to;
	unsigned int i;
	size_t bytes;
	int len;

	if (own_bio(s)) {
		to = wire_client(clients[0]);
		bytes = openssl_seal(sessions[clients[0]].ssl, s->size, BATCH,
				     out, sizeof(out));
		return bytes && server_udp_send_segments(s->fd, &to, out, bytes,
							 bytes / BATCH);
	}
	for (i = 0; i < BATCH; i++) {
		SSL *ssl = sessions[clients[i]].ssl;

		to = wire_client(clients[i]);
		if (SSL_write(ssl, out, (int)s->size) != (int)s->size)
			return false;
		len = BIO_read(SSL_get_wbio(ssl), in, sizeof(in));
		if (len <= 0 || sendto(s->fd, in, len, 0, (void *)&to,
				       sizeof(to)) != len)
			return false;
	}
	return true;
}
