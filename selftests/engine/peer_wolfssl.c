// SPDX-License-Identifier: GPL-2.0
/*
 * wolfSSL as the other end; see peer.h. Built twice: with 5.5, that speaks DTLS
 * 1.2, and with a later one, that speaks 1.3, for a process of its own.
 */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

#include "peer.h"

#define HELLO_MTU	1280	/* a first hello with a ticket fits */
#define KEM_HELLO_MTU	1500	/* and one with a share of X25519MLKEM768 */

struct peer {
	struct peer_options o;
	WOLFSSL_CTX *ctx;
	WOLFSSL *ssl;
	WOLFSSL_SESSION *session;
	u64 timer;			/* its own counts in seconds */
	unsigned int timeout;
	bool gave_up;			/* as often as it counts them */
};

static bool ok(int ret)
{
	return ret == WOLFSSL_SUCCESS;
}

static bool is_13(u16 suite)
{
	return suite >> 8 == 0x13;
}

static WOLFSSL_CTX *new_ctx(const struct peer_options *o)
{
#ifdef WOLFSSL_DTLS13
	if (is_13(o->suite))
		return wolfSSL_CTX_new(o->server ?
				       wolfDTLSv1_3_server_method() :
				       wolfDTLSv1_3_client_method());
#endif
	return wolfSSL_CTX_new(o->server ? wolfDTLSv1_2_server_method() :
					   wolfDTLSv1_2_client_method());
}

static const char *version(void)
{
	return wolfSSL_lib_version();
}

static const char *name_of(u16 suite)
{
	return wolfSSL_get_cipher_name_from_suite((u8)(suite >> 8), (u8)suite);
}

static bool speaks(u16 suite)
{
	const struct peer_options o = { .suite = suite };
	WOLFSSL_CTX *ctx;
	bool known;

	wolfSSL_Init();
	ctx = new_ctx(&o);
	known = ctx && ok(wolfSSL_CTX_set_cipher_list(ctx, name_of(suite)));
	wolfSSL_CTX_free(ctx);
	return known;
}

/* A datagram with a ChangeCipherSpec of whoever has the last word */
static bool last_flight(struct peer *p, const char *data, int len)
{
	struct dtls_record r;
	int at;

	if (wolfSSL_lib_version_hex() >= 0x05006000 ||
	    p->o.server == !!wolfSSL_session_reused(p->ssl))
		return false;
	for (at = 0; at < len; at += r.header_len + r.fragment_len) {
		if (dtls_record_parse(&r, (const u8 *)data + at,
				      (size_t)(len - at), (size_t)(len - at), 0))
			return false;
		if (r.type == DTLS_CT_CHANGE_CIPHER_SPEC)
			return true;
	}
	return false;
}

/*
 * Version 5.5 drops what is in the clear when it is done, and so never learns
 * that its last flight was lost: that one is spared.
 */
static int push(WOLFSSL *ssl, char *data, int len, void *ctx)
{
	struct peer *p = ctx;
	struct wire *out = p->o.out;
	unsigned int loss = out->loss;

	(void)ssl;
	if (last_flight(p, data, len))
		out->loss = 0;
	wire_put(out, data, (size_t)len);
	out->loss = loss;
	return len;
}

static int pull(WOLFSSL *ssl, char *data, int size, void *ctx)
{
	struct peer *p = ctx;
	size_t n = wire_get(p->o.in, data, (size_t)size);

	(void)ssl;
	return n ? (int)n : WOLFSSL_CBIO_ERR_WANT_READ;
}

static int make_cookie(WOLFSSL *ssl, u8 *cookie, int size, void *ctx)
{
	(void)ssl;
	(void)ctx;
	memset(cookie, 0xc0, (size_t)size);
	return size;
}

static unsigned int psk_client(WOLFSSL *ssl, const char *hint, char *identity,
			       unsigned int identity_size, u8 *key,
			       unsigned int key_size)
{
	struct peer *p = wolfSSL_get_psk_callback_ctx(ssl);

	(void)hint;
	snprintf(identity, identity_size, "%s", p->o.identity);
	return peer_psk(&p->o, p->o.identity, key, key_size);
}

static unsigned int psk_server(WOLFSSL *ssl, const char *identity, u8 *key,
			       unsigned int key_size)
{
	struct peer *p = wolfSSL_get_psk_callback_ctx(ssl);

	return peer_psk(&p->o, identity, key, key_size);
}

#ifdef WOLFSSL_DTLS13
static unsigned int psk_client13(WOLFSSL *ssl, const char *hint, char *identity,
				 unsigned int identity_size, u8 *key,
				 unsigned int key_size, const char **suite)
{
	struct peer *p = wolfSSL_get_psk_callback_ctx(ssl);

	*suite = name_of(p->o.suite);
	return psk_client(ssl, hint, identity, identity_size, key, key_size);
}

static unsigned int psk_server13(WOLFSSL *ssl, const char *identity, u8 *key,
				 unsigned int key_size, const char **suite)
{
	struct peer *p = wolfSSL_get_psk_callback_ctx(ssl);

	*suite = name_of(p->o.suite);
	return psk_server(ssl, identity, key, key_size);
}

/* What a later version can be asked for. Return: false: and cannot do. */
static bool set_later(struct peer *p)
{
	const struct peer_options *o = &p->o;
	int group = o->group;
	u16 mtu = (u16)o->mtu, least = HELLO_MTU;

	if (group == WOLFSSL_X25519MLKEM768)
		least = KEM_HELLO_MTU;
	if (o->psk && is_13(o->suite)) {
		wolfSSL_set_psk_client_tls13_callback(p->ssl, psk_client13);
		wolfSSL_set_psk_server_tls13_callback(p->ssl, psk_server13);
	}
	if (o->server && is_13(o->suite) &&
	    !ok(wolfSSL_dtls13_allow_ch_frag(p->ssl, 1)))
		return false;
	if (group && !ok(wolfSSL_set_groups(p->ssl, &group, 1)))
		return false;
	if (o->cid && !(ok(wolfSSL_dtls_cid_use(p->ssl)) &&
			ok(wolfSSL_dtls_cid_set(p->ssl, (u8 *)o->cid,
						(unsigned int)strlen(o->cid)))))
		return false;
	/* It counts its time-outs by doubling, and cannot cut its first hello. */
	if (!o->server && mtu < least)
		mtu = least;
	return ok(wolfSSL_dtls_set_timeout_max(p->ssl, 1 << 30)) &&
	       ok(wolfSSL_dtls_set_mtu(p->ssl, mtu));
}

static bool update_peer(struct peer *p)
{
	return ok(wolfSSL_update_keys(p->ssl));
}
#else
static bool set_later(struct peer *p)
{
	(void)p;
	return true;
}
#endif

static bool load(WOLFSSL_CTX *ctx, const char *pem,
		 int (*as)(WOLFSSL_CTX *ctx, const u8 *pem, long len, int type))
{
	return ok(as(ctx, (const u8 *)pem, (long)strlen(pem),
		     WOLFSSL_FILETYPE_PEM));
}

static bool set_credentials(struct peer *p)
{
	const struct peer_options *o = &p->o;

	if (o->psk) {
		wolfSSL_CTX_set_psk_callback_ctx(p->ctx, p);
		wolfSSL_CTX_set_psk_client_callback(p->ctx, psk_client);
		wolfSSL_CTX_set_psk_server_callback(p->ctx, psk_server);
		wolfSSL_CTX_use_psk_identity_hint(p->ctx, "hint");
	}
	if (o->ca && !load(p->ctx, o->ca, wolfSSL_CTX_load_verify_buffer))
		return false;
	return !o->cert ||
	       (load(p->ctx, o->cert, wolfSSL_CTX_use_certificate_buffer) &&
		load(p->ctx, o->key, wolfSSL_CTX_use_PrivateKey_buffer));
}

static bool set_up(struct peer *p)
{
	const struct peer_options *o = &p->o;
	int verify = WOLFSSL_VERIFY_NONE;

	if (!p->ctx ||
	    !ok(wolfSSL_CTX_set_cipher_list(p->ctx, name_of(o->suite))) ||
	    !set_credentials(p))
		return false;
	if (!o->server && o->ca)
		verify = WOLFSSL_VERIFY_PEER;
	else if (o->request_cert)
		verify = WOLFSSL_VERIFY_PEER |
			 WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	wolfSSL_CTX_set_verify(p->ctx, verify, NULL);
	wolfSSL_CTX_SetIOSend(p->ctx, push);
	wolfSSL_CTX_SetIORecv(p->ctx, pull);
	wolfSSL_CTX_SetGenCookie(p->ctx, make_cookie);
	if (o->no_ems)
		wolfSSL_CTX_DisableExtendedMasterSecret(p->ctx);
	if (!o->tickets)
		wolfSSL_CTX_NoTicketTLSv12(p->ctx);
	return true;
}

static struct peer *open_peer(const struct peer_options *options)
{
	struct peer *p = calloc(1, sizeof(*p));

	wolfSSL_Init();
	p->o = *options;
	p->ctx = new_ctx(options);
	if (set_up(p))
		return p;
	peer_wolfssl.close(p);
	return NULL;
}

static bool start_peer(struct peer *p, bool resume)
{
	const struct peer_options *o = &p->o;

	p->ssl = wolfSSL_new(p->ctx);
	if (!p->ssl)
		return false;
	wolfSSL_SetIOReadCtx(p->ssl, p);
	wolfSSL_SetIOWriteCtx(p->ssl, p);
	wolfSSL_dtls_set_using_nonblock(p->ssl, 1);
	wolfSSL_KeepArrays(p->ssl);
	if (!set_later(p))
		return false;
	p->timeout = TIMER_FIRST;
	p->timer = now_us() + p->timeout;
	if (o->alpn && !ok(wolfSSL_UseALPN(p->ssl, (char *)o->alpn,
					   (unsigned int)strlen(o->alpn),
					   WOLFSSL_ALPN_FAILED_ON_MISMATCH)))
		return false;
	if (o->server)
		return true;
	if (o->tickets)
		wolfSSL_UseSessionTicket(p->ssl);
	return ok(wolfSSL_UseSNI(p->ssl, WOLFSSL_SNI_HOST_NAME, PEER_NAME,
				 strlen(PEER_NAME))) &&
	       (!o->ca || ok(wolfSSL_check_domain_name(p->ssl, PEER_NAME))) &&
	       (!resume || ok(wolfSSL_set_session(p->ssl, p->session)));
}

static void run_timer(struct peer *p)
{
	if (now_us() < p->timer)
		return;
	if (is_13(p->o.suite))
		p->gave_up = !ok(wolfSSL_dtls_got_timeout(p->ssl)) &&
			     wolfSSL_get_error(p->ssl, 0) ==
			     WOLFSSL_FATAL_ERROR;
	else
		wolfSSL_dtls_retransmit(p->ssl);
	p->timeout = timer_after(p->timeout);
	p->timer = now_us() + p->timeout;
}

static int step_peer(struct peer *p)
{
	char words[WOLFSSL_MAX_ERROR_SZ];
	int ret, err;

	run_timer(p);
	ret = p->o.server ? wolfSSL_accept(p->ssl) : wolfSSL_connect(p->ssl);
	if (ok(ret))
		return 1;
	err = wolfSSL_get_error(p->ssl, ret);
	if (err == WOLFSSL_ERROR_WANT_READ || err == WOLFSSL_ERROR_WANT_WRITE)
		return 0;
	fprintf(stderr, "wolfSSL: %s\n",
		wolfSSL_ERR_error_string((unsigned long)err, words));
	return p->gave_up ? 0 : -1;
}

static bool send_peer(struct peer *p, const void *data, size_t len)
{
	return wolfSSL_write(p->ssl, data, (int)len) == (int)len;
}

static long receive_peer(struct peer *p, void *data, size_t size)
{
	int n = wolfSSL_read(p->ssl, data, (int)size);

	if (n <= 0 && is_13(p->o.suite))
		run_timer(p);
	return n;
}

static bool gave_up_peer(struct peer *p)
{
	return p->gave_up;
}

static bool resumed_peer(struct peer *p)
{
	return wolfSSL_session_reused(p->ssl);
}

static bool export_peer(struct peer *p, const char *label, u8 *out, size_t len)
{
	return ok(wolfSSL_export_keying_material(p->ssl, out, len, label,
						 strlen(label), NULL, 0, 0));
}

static size_t alpn_peer(struct peer *p, const char **name)
{
	unsigned short len = 0;

	wolfSSL_ALPN_GetProtocol(p->ssl, (char **)name, &len);
	return len;
}

static void stop_peer(struct peer *p)
{
	if (!p->ssl)
		return;
	wolfSSL_SESSION_free(p->session);
	p->session = wolfSSL_get1_session(p->ssl);
	wolfSSL_free(p->ssl);
	p->ssl = NULL;
}

static void close_peer(struct peer *p)
{
	stop_peer(p);
	wolfSSL_SESSION_free(p->session);
	wolfSSL_CTX_free(p->ctx);
	free(p);
}

const struct peer_ops peer_wolfssl = {
	.name = "wolfSSL",
	.note = "5.5 never sends a last flight again, which is spared from "
		"loss; its server always answers EMS, takes a ClientHello in "
		"one piece only, and gives up when a ChangeCipherSpec comes "
		"before a client's certificate",
	.can = PEER_ED25519_CLIENT | PEER_ED25519_SERVER | PEER_WHOLE_HELLO |
	       PEER_CCS_IN_ORDER,
	PEER_CALLS,
	.gave_up = gave_up_peer,
#ifdef WOLFSSL_DTLS13
	.update = update_peer,
#endif
};
