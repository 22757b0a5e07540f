// SPDX-License-Identifier: GPL-2.0
/* OpenSSL as the other end; see peer.h. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

#include "peer.h"

struct peer {
	struct peer_options o;
	SSL_CTX *ctx;
	SSL *ssl;
	SSL_SESSION *session;
	BIO_METHOD *method;
	u8 alpn[32];			/* a list of one, as on the wire */
	bool expired;			/* its tries were used up */
	bool memory;			/* what it writes is gathered here */
	u8 pending[WIRE_SIZE];
	size_t pending_len;
};

static const char *name_of(u16 suite)
{
	const u8 id[2] = { (u8)(suite >> 8), (u8)suite };
	SSL_CTX *ctx = SSL_CTX_new(DTLS_method());
	SSL *ssl = SSL_new(ctx);
	const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, id);

	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return cipher ? SSL_CIPHER_get_name(cipher) : NULL;
}

static bool speaks(u16 suite)
{
	return name_of(suite);
}

/* Since 3.2 a short tag is below the security level that Debian has. */
static bool is_weak(u16 suite)
{
	return OPENSSL_VERSION_NUMBER >= 0x30200000L &&
	       strstr(name_of(suite), "CCM8");
}

bool peer_openssl_allows(u16 suite)
{
	return speaks(suite) && !is_weak(suite);
}

/* Return true if the suite is one of those that nobody has to ask for. */
static bool speaks_usually(u16 suite)
{
	SSL_CTX *ctx = SSL_CTX_new(DTLS_method());
	STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);
	bool usual = false;
	int i;

	for (i = 0; i < sk_SSL_CIPHER_num(all); i++)
		usual |= SSL_CIPHER_get_protocol_id(sk_SSL_CIPHER_value(all, i)) ==
			 suite;
	SSL_CTX_free(ctx);
	return usual;
}

static const char *version(void)
{
	return OpenSSL_version(OPENSSL_VERSION_STRING);
}

static int wire_write(BIO *bio, const char *data, int len)
{
	struct peer *p = BIO_get_data(bio);

	if (!p->memory) {
		wire_put(p->o.out, data, (size_t)len);
	} else if ((size_t)len <= sizeof(p->pending) - p->pending_len) {
		memcpy(p->pending + p->pending_len, data, (size_t)len);
		p->pending_len += (size_t)len;
	}
	return len;
}

/* Event loops over memory BIOs send what is in one as a datagram. */
static void flush(struct peer *p)
{
	if (p->pending_len)
		wire_put(p->o.out, p->pending, p->pending_len);
	p->pending_len = 0;
}

static int wire_read(BIO *bio, char *data, int len)
{
	struct peer *p = BIO_get_data(bio);
	size_t n = wire_get(p->o.in, data, (size_t)len);

	BIO_clear_retry_flags(bio);
	if (n)
		return (int)n;
	BIO_set_retry_read(bio);
	return -1;
}

static long wire_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	(void)bio;
	(void)num;
	(void)ptr;
	return cmd == BIO_CTRL_FLUSH || cmd == BIO_CTRL_DGRAM_SET_PEER;
}

static unsigned int psk_client(SSL *ssl, const char *hint, char *identity,
			       unsigned int identity_size, u8 *key,
			       unsigned int key_size)
{
	struct peer *p = SSL_get_app_data(ssl);

	(void)hint;
	snprintf(identity, identity_size, "%s", p->o.identity);
	return peer_psk(&p->o, p->o.identity, key, key_size);
}

static unsigned int psk_server(SSL *ssl, const char *identity, u8 *key,
			       unsigned int key_size)
{
	struct peer *p = SSL_get_app_data(ssl);

	return peer_psk(&p->o, identity, key, key_size);
}

/* Nobody lies about an address here. */
static const u8 any_cookie[32] = { 0xc0 };

static int make_cookie(SSL *ssl, u8 *cookie, unsigned int *len)
{
	(void)ssl;
	memcpy(cookie, any_cookie, sizeof(any_cookie));
	*len = sizeof(any_cookie);
	return 1;
}

static int check_cookie(SSL *ssl, const u8 *cookie, unsigned int len)
{
	(void)ssl;
	return len == sizeof(any_cookie) && !memcmp(cookie, any_cookie, len);
}

static int choose_alpn(SSL *ssl, const u8 **out, u8 *out_len, const u8 *in,
		       unsigned int in_len, void *arg)
{
	const u8 *ours = arg;

	(void)ssl;
	return SSL_select_next_proto((u8 **)out, out_len, ours, ours[0] + 1U,
				     in, in_len) == OPENSSL_NPN_NEGOTIATED ?
	       SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static unsigned int timer(SSL *ssl, unsigned int us)
{
	(void)ssl;
	return us ? timer_after(us) : TIMER_FIRST;
}

static X509 *read_cert(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return x;
}

static bool use_cert(SSL_CTX *ctx, const char *cert, const char *key_pem)
{
	BIO *bio = BIO_new_mem_buf(key_pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	X509 *x = read_cert(cert);
	bool ok;

	ok = SSL_CTX_use_certificate(ctx, x) == 1 &&
	     SSL_CTX_use_PrivateKey(ctx, key) == 1;
	X509_free(x);
	EVP_PKEY_free(key);
	BIO_free(bio);
	return ok;
}

static bool set_credentials(struct peer *p)
{
	const struct peer_options *o = &p->o;
	X509 *ca;

	if (o->psk) {
		SSL_CTX_set_psk_client_callback(p->ctx, psk_client);
		SSL_CTX_set_psk_server_callback(p->ctx, psk_server);
		SSL_CTX_use_psk_identity_hint(p->ctx, "hint");
	}
	if (o->ca) {
		ca = read_cert(o->ca);
		X509_STORE_add_cert(SSL_CTX_get_cert_store(p->ctx), ca);
		X509_free(ca);
		SSL_CTX_set_verify(p->ctx, !o->server ? SSL_VERIFY_PEER :
				   o->request_cert ? SSL_VERIFY_PEER |
				   SSL_VERIFY_FAIL_IF_NO_PEER_CERT :
				   SSL_VERIFY_NONE, NULL);
	}
	return !o->cert || use_cert(p->ctx, o->cert, o->key);
}

static void set_alpn(struct peer *p)
{
	p->alpn[0] = (u8)strlen(p->o.alpn);
	memcpy(p->alpn + 1, p->o.alpn, p->alpn[0]);
	if (p->o.server)
		SSL_CTX_set_alpn_select_cb(p->ctx, choose_alpn, p->alpn);
	else
		SSL_CTX_set_alpn_protos(p->ctx, p->alpn, p->alpn[0] + 1U);
}

static bool set_suite(struct peer *p)
{
	u16 suite = p->o.suite;
	char list[64];

	snprintf(list, sizeof(list), "%s%s", name_of(suite),
		 is_weak(suite) ? ":@SECLEVEL=0" : "");
	return SSL_CTX_set_cipher_list(p->ctx, list);
}

static bool set_up(struct peer *p)
{
	const struct peer_options *o = &p->o;

	SSL_CTX_set_min_proto_version(p->ctx, DTLS1_2_VERSION);
	SSL_CTX_set_options(p->ctx, SSL_OP_NO_QUERY_MTU |
			    (o->tickets ? 0 : SSL_OP_NO_TICKET) |
			    (o->no_ems ? SSL_OP_NO_EXTENDED_MASTER_SECRET : 0) |
			    (o->server ? SSL_OP_COOKIE_EXCHANGE : 0));
	SSL_CTX_set_cookie_generate_cb(p->ctx, make_cookie);
	SSL_CTX_set_cookie_verify_cb(p->ctx, check_cookie);
	SSL_CTX_set_session_id_context(p->ctx, (const u8 *)"test", 4);
	/* Programs that write into memory are as most are: they set no suite. */
	if ((!p->memory && !set_suite(p)) || !set_credentials(p))
		return false;
	if (o->alpn)
		set_alpn(p);
	return !o->srtp || !SSL_CTX_set_tlsext_use_srtp(p->ctx, o->srtp);
}

static struct peer *open_kind(const struct peer_options *options, bool memory)
{
	struct peer *p = calloc(1, sizeof(*p));

	p->o = *options;
	p->memory = memory;
	p->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(),
				 "wire");
	BIO_meth_set_write(p->method, wire_write);
	BIO_meth_set_read(p->method, wire_read);
	BIO_meth_set_ctrl(p->method, wire_ctrl);
	p->ctx = SSL_CTX_new(options->server ? DTLS_server_method() :
					       DTLS_client_method());
	if (set_up(p))
		return p;
	ERR_print_errors_fp(stderr);
	peer_openssl.close(p);
	return NULL;
}

static struct peer *open_peer(const struct peer_options *options)
{
	return open_kind(options, false);
}

static struct peer *open_memory(const struct peer_options *options)
{
	return open_kind(options, true);
}

static bool start_peer(struct peer *p, bool resume)
{
	BIO *bio;

	p->expired = false;
	p->ssl = SSL_new(p->ctx);
	bio = BIO_new(p->method);
	BIO_set_data(bio, p);
	BIO_set_init(bio, 1);
	SSL_set_bio(p->ssl, bio, bio);
	SSL_set_app_data(p->ssl, p);
	SSL_set_mtu(p->ssl, p->o.mtu);
	DTLS_set_timer_cb(p->ssl, timer);
	if (p->o.server) {
		SSL_set_accept_state(p->ssl);
		return true;
	}
	SSL_set_connect_state(p->ssl);
	SSL_set_tlsext_host_name(p->ssl, PEER_NAME);
	SSL_set1_host(p->ssl, PEER_NAME);
	return !resume || SSL_set_session(p->ssl, p->session) == 1;
}

static int step_peer(struct peer *p)
{
	int ret, err;

	DTLSv1_handle_timeout(p->ssl);
	ret = SSL_do_handshake(p->ssl);
	flush(p);
	if (ret == 1)
		return 1;
	err = SSL_get_error(p->ssl, ret);
	if (err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE)
		return 0;
	p->expired = ERR_GET_REASON(ERR_peek_last_error()) ==
		     SSL_R_READ_TIMEOUT_EXPIRED;
	ERR_print_errors_fp(stderr);
	return p->expired ? 0 : -1;
}

static bool gave_up_peer(struct peer *p)
{
	return p->expired;
}

static bool send_peer(struct peer *p, const void *data, size_t len)
{
	bool sent = SSL_write(p->ssl, data, (int)len) == (int)len;

	flush(p);
	return sent;
}

static long receive_peer(struct peer *p, void *data, size_t size)
{
	int n = SSL_read(p->ssl, data, (int)size);

	flush(p);
	return n;
}

static bool resumed_peer(struct peer *p)
{
	return SSL_session_reused(p->ssl);
}

static bool export_peer(struct peer *p, const char *label, u8 *out, size_t len)
{
	return SSL_export_keying_material(p->ssl, out, len, label,
					  strlen(label), NULL, 0, 0) == 1;
}

static size_t alpn_peer(struct peer *p, const char **name)
{
	unsigned int len;

	SSL_get0_alpn_selected(p->ssl, (const u8 **)name, &len);
	return len;
}

static void stop_peer(struct peer *p)
{
	if (!p->ssl)
		return;
	SSL_SESSION_free(p->session);
	p->session = SSL_get1_session(p->ssl);
	/* Without this it counts as an error, and is not resumed. */
	SSL_set_shutdown(p->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(p->ssl);
	p->ssl = NULL;
}

static void close_peer(struct peer *p)
{
	stop_peer(p);
	SSL_SESSION_free(p->session);
	SSL_CTX_free(p->ctx);
	BIO_meth_free(p->method);
	free(p);
}

const struct peer_ops peer_openssl = {
	.name = "OpenSSL",
	.note = "a 3.0 server takes Ed25519 for TLS alone",
	.can = PEER_SRTP_AEAD | PEER_ED25519_CLIENT | PEER_NO_EMS_SERVER,
	PEER_CALLS,
	.gave_up = gave_up_peer,
};

const struct peer_ops peer_openssl_memory = {
	.name = "OpenSSL mem",
	.note = "it offers all that it has; several records of a flight come "
		"in one datagram, larger than its MTU",
	.can = PEER_OTHERWISE,
	PEER_CALLS_BUT_OPEN_AND_SPEAKS,
	.open = open_memory,
	.speaks = speaks_usually,
	.gave_up = gave_up_peer,
};
