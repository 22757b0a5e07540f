// SPDX-License-Identifier: GPL-2.0
/* Every parser that stands alone: the first byte says which. */
#include "../../../userspace/engine/name.h"
#include "../../../userspace/engine/store.h"
#include "common.h"

static void read_store(struct dtls_bytes in)
{
	const struct dtls_store store = { .data = in, .passphrase = "word" };
	STACK_OF(X509) *certs = NULL;
	EVP_PKEY *key = NULL;

	if (!dtls_store_certificates(&store, &certs))
		sk_X509_pop_free(certs, X509_free);
	dtls_store_private_key(&store, &key);
	EVP_PKEY_free(key);
	dtls_store_public_key(&store, &key);
	EVP_PKEY_free(key);
}

/* What was read once is read again as it is. */
static void read_name(struct dtls_bytes in)
{
	char name[DTLS_NAME_MAX + 1], again[DTLS_NAME_MAX + 1];
	char *given = OPENSSL_strndup((const char *)in.p, in.len);

	if (given && dtls_name_read(given, name) &&
	    (!dtls_name_read(name, again) || strcmp(name, again)))
		abort();
	OPENSSL_free(given);
}

/* What was read once is written, and read again, as it is. */
static void read_session(struct dtls_bytes in)
{
	struct dtls_writer once = { 0 }, twice = { 0 };
	struct dtls_session s;

	if (!dtls_session_read(&s, in))
		return;
	dtls_session_write(&s, &once);
	if (!dtls_session_read(&s, (struct dtls_bytes){ once.p, once.len }))
		abort();
	dtls_session_write(&s, &twice);
	if (!dtls_bytes_equal((struct dtls_bytes){ once.p, once.len }, twice.p,
			      twice.len))
		abort();
	wr_free(&once);
	wr_free(&twice);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	static struct dtls_tickets tickets = { .life = 3600 };
	static struct dtls_crypto crypto;
	struct dtls_bytes in = { data, len };
	struct dtls_writer plain = { 0 };
	struct dtls_client_hello ch;
	struct dtls_server_hello sh;
	struct dtls_session session;
	struct dtls_chain chain = { 0 };
	struct dtls_fragment f;
	u8 which;

	if (!crypto.sha256 && !dtls_crypto_init(&crypto))
		return 0;
	if (!rd_u8(&in, &which))
		return 0;
	switch (which % 9) {
	case 0:
		while (dtls_fragment_parse(&in, &f))
			;
		break;
	case 1:
		dtls_hello_parse_client(&ch, in);
		break;
	case 2:
		dtls_hello_parse_server(&sh, in);
		break;
	case 3:
		read_session(in);
		break;
	case 4:
		dtls_x509_chain_parse(&chain, in, false);
		dtls_x509_chain_free(&chain);
		break;
	case 5:
		dtls_x509_chain_parse(&chain, in, true);
		dtls_x509_chain_free(&chain);
		break;
	case 6:
		read_store(in);
		break;
	case 7:
		read_name(in);
		break;
	default:
		dtls_ticket_open(&tickets, &crypto, in, 1, &plain, &session);
		wr_free(&plain);
		break;
	}
	return 0;
}
