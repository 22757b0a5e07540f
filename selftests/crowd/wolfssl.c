// SPDX-License-Identifier: GPL-2.0
/*
 * Clients of wolfSSL; see clients.h. Built twice: with a version that speaks DTLS 1.2,
 * and with a later one, for DTLS 1.3.
 */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include "clients.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef WOLFSSL_DTLS13
#define TLS	"1.3"
#define METHOD	wolfDTLSv1_3_client_method
#else
#define TLS	"1.2"
#define METHOD	wolfDTLSv1_2_client_method
#endif

/* The suites with a pre-shared key that a user of DTLS 1.2 names */
#define PSK_SUITES	"ECDHE-PSK-AES128-GCM-SHA256:ECDHE-PSK-CHACHA20-POLY1305:" \
			"DHE-PSK-AES128-GCM-SHA256:PSK-AES128-GCM-SHA256"

/* The last timeout, in seconds, after which a client that is connected sends again */
#define IDLE_TIMEOUT	16

static WOLFSSL_CTX *ctx;

/* The library has timers of whole seconds, which its user has to run. */
struct timer {
	time_t due;
	bool lost;		/* the library has given up */
};

static time_t seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static const char *version(void)
{
	return wolfSSL_lib_version();
}

static unsigned int give_key(WOLFSSL *ssl, const char *hint, char *identity,
			     unsigned int identity_size, unsigned char *key,
			     unsigned int key_size)
{
	(void)ssl;
	(void)hint;
	(void)key_size;
	snprintf(identity, identity_size, CROWD_IDENTITY);
	memcpy(key, CROWD_KEY, strlen(CROWD_KEY));
	return (unsigned int)strlen(CROWD_KEY);
}

#ifdef WOLFSSL_DTLS13
static unsigned int give_key13(WOLFSSL *ssl, const char *hint, char *identity,
			       unsigned int identity_size, unsigned char *key,
			       unsigned int key_size, const char **suite)
{
	*suite = "TLS13-AES128-GCM-SHA256";
	return give_key(ssl, hint, identity, identity_size, key, key_size);
}
#endif

static bool init(const struct crowd *crowd)
{
	wolfSSL_Init();
	ctx = wolfSSL_CTX_new(METHOD());
	if (!ctx)
		return false;
	wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_PEER, NULL);
	if (crowd->ca)
		return wolfSSL_CTX_load_verify_locations(ctx, crowd->ca, NULL) ==
		       WOLFSSL_SUCCESS;
#ifdef WOLFSSL_DTLS13
	wolfSSL_CTX_set_psk_client_tls13_callback(ctx, give_key13);
	return true;
#else
	wolfSSL_CTX_set_psk_client_callback(ctx, give_key);
	return wolfSSL_CTX_set_cipher_list(ctx, PSK_SUITES) == WOLFSSL_SUCCESS;
#endif
}

static void wind(struct client *c)
{
	struct timer *t = c->data;

	t->due = seconds() + wolfSSL_dtls_get_current_timeout(c->session);
}

/* Return false if the library has given up. */
static bool run_timer(struct client *c)
{
	struct timer *t = c->data;

	if (seconds() < t->due)
		return true;
	t->lost = wolfSSL_dtls_got_timeout(c->session) != WOLFSSL_SUCCESS &&
		  wolfSSL_get_error(c->session, 0) != WOLFSSL_ERROR_WANT_WRITE;
	wind(c);
	return !t->lost;
}

static bool open_session(struct client *c)
{
	struct sockaddr_in server = c->crowd->server;
	WOLFSSL *ssl = wolfSSL_new(ctx);

	if (!c->data)
		c->data = calloc(1, sizeof(struct timer));
	if (!ssl || !c->data)
		return false;
	c->session = ssl;
	wolfSSL_dtls_set_peer(ssl, &server, sizeof(server));
	wolfSSL_set_fd(ssl, c->fd);
	wolfSSL_dtls_set_using_nonblock(ssl, 1);
	if (c->crowd->ca) {
		wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, CROWD_NAME,
			       (unsigned short)strlen(CROWD_NAME));
		wolfSSL_check_domain_name(ssl, CROWD_NAME);
	}
	wind(c);
	return true;
}

/* Return 0 if the library waits for the network, or -1 after an error. */
static int result(struct client *c, int ret)
{
	int error = wolfSSL_get_error(c->session, ret);

	return error == WOLFSSL_ERROR_WANT_READ ||
	       error == WOLFSSL_ERROR_WANT_WRITE ? 0 : -1;
}

static int step(struct client *c)
{
	int ret;

	if (!run_timer(c))
		return -1;
	ret = wolfSSL_connect(c->session);
	return ret == WOLFSSL_SUCCESS ? 1 : result(c, ret);
}

static bool send_record(struct client *c, const char *line, size_t len)
{
	return wolfSSL_write(c->session, line, (int)len) == (int)len;
}

static ssize_t receive(struct client *c, char *line, size_t size)
{
	int ret = wolfSSL_read(c->session, line, (int)size);

	if (ret > 0)
		return ret;
#ifdef WOLFSSL_DTLS13
	/*
	 * The Finished, which is acknowledged, may have to be sent again. Each timeout is
	 * twice as long as the one before, whether anything waits for an acknowledgement or
	 * not, and the library ends the session after the longest. An idle client stops
	 * before that.
	 */
	if (wolfSSL_dtls_get_current_timeout(c->session) <= IDLE_TIMEOUT)
		run_timer(c);
#endif
	return result(c, ret);
}

static void close_session(struct client *c, bool goodbye)
{
	if (goodbye)
		wolfSSL_shutdown(c->session);
	wolfSSL_free(c->session);
	c->session = NULL;
}

const struct library library = {
	.name = "wolfSSL",
	.version = version,
	.tls = TLS,
	.init = init,
	.open = open_session,
	.step = step,
	.send = send_record,
	.receive = receive,
	.close = close_session,
};
