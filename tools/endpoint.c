// SPDX-License-Identifier: BSD-3-Clause
/* This file makes an endpoint of libkdtls from the options; see endpoint.h. */
#include "endpoint.h"
#include "net.h"
#include "replace.h"
#include "suites.h"
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define CACHED_SESSIONS	1024

/* The callbacks of the library use these options, as they get a socket alone. */
static const struct options *options;
static int keylog_fd = -1;

/**
 * struct asked - a passphrase that was asked for on the terminal
 * @known:	a passphrase was given, and @passphrase holds it
 * @passphrase:	the passphrase, which each endpoint uses until endpoint_forget()
 */
struct asked {
	bool known;
	char passphrase[PASSPHRASE_SIZE];
};

static struct asked asked_key;		/* of --cert and --key */
static struct asked asked_roots;	/* of --ca */

static void log_key(void *ctx, const char *line)
{
	(void)ctx;
	if (dprintf(keylog_fd, "%s\n", line) < 0)
		warn("--keylog %s", options->keylog);
}

/* Write the session, which is secret, to a file that only its owner can read. */
static void save_session(void *ctx, const uint8_t *session, size_t len)
{
	int err = replace_file(options->session, session, len);

	(void)ctx;
	if (err)
		warnx("--session %s: %s", options->session, strerror(-err));
}

size_t endpoint_session(const struct options *o, uint8_t *session, size_t size)
{
	ssize_t n;
	int fd;

	if (!o->session)
		return 0;
	fd = open(o->session, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	n = fd < 0 ? -1 : read(fd, session, size);
	if (n < 0)
		err(1, "--session %s", o->session);
	close(fd);
	return n;
}

const uint8_t *endpoint_cid(const struct options *o, uint8_t *cid)
{
	if (!o->cid_len)
		return NULL;
	if (getrandom(cid, o->cid_len, 0) != (ssize_t)o->cid_len)
		err(1, "random bytes");
	return cid;
}

static void configure(struct kdtls_config *c, const struct options *o)
{
	kdtls_socket_config(c);
	c->flags = KDTLS_CID | KDTLS_HEARTBEAT;
	if (o->server && o->verify)
		c->flags |= KDTLS_REQUEST_CERT | KDTLS_REQUIRE_CERT;
	if (!o->server && !o->verify)
		c->flags |= KDTLS_NO_VERIFY | KDTLS_NO_NAME_CHECK;
	if (o->server)
		c->cache_size = CACHED_SESSIONS;
	c->max_early_data = o->early_max;
	if (o->version_min)
		c->version_min = o->version_min;
	if (o->version_max)
		c->version_max = o->version_max;
	if (o->suite_count) {
		c->suites = o->suites;
		c->suite_count = o->suite_count;
	}
	if (o->alpn_count)
		c->alpn = o->alpn;
	if (o->mtu)
		c->mtu = o->mtu;
	if (o->timeout_max) {
		c->timeout_max = o->timeout_max;
		if (c->timeout_initial > c->timeout_max)
			c->timeout_initial = c->timeout_max;
	}
	if (o->timeout_initial) {
		c->timeout_initial = o->timeout_initial;
		if (c->timeout_max < c->timeout_initial)
			c->timeout_max = c->timeout_initial;
	}
	if (o->retransmits >= 0)
		c->retransmits = o->retransmits;
	if (o->max_certs)
		c->max_certificates = o->max_certs;
	if (o->old_peers)
		c->flags |= KDTLS_ALLOW_NO_EMS |
			    KDTLS_ALLOW_NO_RENEGOTIATION_INFO;
	if (o->session)
		c->ops.session = save_session;
	if (o->keylog)
		c->ops.keylog = log_key;
}

/* Overwrite the PIN in a URI (RFC 7512). */
static void forget_pin(char *uri)
{
	char *pin = uri ? strstr(uri, "pin-value=") : NULL;

	if (!pin)
		return;
	pin += strlen("pin-value=");
	memset(pin, 'x', strcspn(pin, "&;"));
}

/* Overwrite the PINs in the options: ps(1) and what is said of an option show these. */
static void forget_pins(const struct options *o)
{
	forget_pin(o->cert);
	forget_pin(o->key);
	forget_pin(o->ca);
}

static void must(int bad, const char *option, const char *value)
{
	if (!bad)
		return;
	forget_pins(options);
	errx(1, "%s %s: %s", option, value, kdtls_strerror(bad));
}

/* Set the passphrase of --passin, in place of one that was asked for. */
static void set_passphrase(struct kdtls_endpoint *ep, const struct options *o)
{
	must(kdtls_endpoint_set_passphrase(ep, o->has_passphrase ?
					       o->passphrase : NULL),
	     "--passin", "");
}

/*
 * Return true if @bad says that @file is encrypted, and the terminal has given a
 * passphrase, now or for an endpoint before. The caller then reads @file again.
 */
static bool ask_passphrase(struct kdtls_endpoint *ep, int bad, const char *file,
			   struct asked *a)
{
	if (bad == -KDTLS_EENCRYPTED && !a->known)
		a->known = passphrase_ask(file, a->passphrase);
	return bad == -KDTLS_EENCRYPTED && a->known &&
	       !kdtls_endpoint_set_passphrase(ep, a->passphrase);
}

/* If @bad is an error, exit with a message about the file or URI of @option. */
static void must_load(int bad, const char *option, const char *file)
{
	if (bad == -KDTLS_EENCRYPTED) {
		forget_pins(options);
		errx(1, "%s %s: %s with --passin", option, file,
		     kdtls_strerror(bad));
	}
	must(bad, option, file);
}

static void trust_file(struct kdtls_endpoint *ep, const char *file)
{
	int bad = kdtls_trust_file(ep, file);

	if (ask_passphrase(ep, bad, file, &asked_roots))
		bad = kdtls_trust_file(ep, file);
	must_load(bad, "--ca", file);
}

/*
 * Load the certificate of --cert and --key. The library's error does not tell which of
 * the two files is wrong. A certificate file that can be loaded as roots is in order, so
 * the fault is in the file of the key then.
 */
static void use_certificate(struct kdtls_endpoint *ep, const struct options *o)
{
	const char *key = o->key ?: o->cert;
	int bad = kdtls_use_certificate_file(ep, o->cert, o->key);

	if (ask_passphrase(ep, bad, key, &asked_key))
		bad = kdtls_use_certificate_file(ep, o->cert, o->key);
	if (!bad)
		return;
	must_load(kdtls_trust_file(ep, o->cert), "--cert", o->cert);
	forget_pins(o);
	if (bad == -KDTLS_EKEYLESS && !o->key)
		errx(1, "--cert %s: no private key in it: give --key", o->cert);
	if (bad == -KDTLS_EMISMATCH)
		errx(1, "--key %s: %s of --cert %s", key, kdtls_strerror(bad),
		     o->cert);
	must_load(bad, o->key ? "--key" : "--cert", key);
}

struct kdtls_endpoint *endpoint_open(const struct options *o)
{
	struct kdtls_endpoint *ep;
	struct kdtls_config c;
	int bad;

	options = o;
	if (o->keylog && keylog_fd < 0) {
		keylog_fd = open(o->keylog, O_WRONLY | O_CREAT | O_APPEND |
				 O_CLOEXEC, 0600);
		if (keylog_fd < 0)
			err(1, "--keylog %s", o->keylog);
	}
	configure(&c, o);
	bad = kdtls_endpoint_new(&c, &ep);
	/* All else was checked with the command line. */
	if (bad == -KDTLS_EUSAGE && o->suite_count)
		errx(1, "--suites: none is for the versions that --min and --max leave");
	if (bad)
		errx(1, "%s", kdtls_strerror(bad));
	if (o->psk_len)
		must(kdtls_use_psk(ep, o->psk_identity, o->psk, o->psk_len),
		     "--psk with --psk-identity", o->psk_identity);
	set_passphrase(ep, o);
	if (o->cert)
		use_certificate(ep, o);
	set_passphrase(ep, o);
	if (o->ca)
		trust_file(ep, o->ca);
	else if (o->verify && !o->psk_len)
		must(kdtls_endpoint_trust_system(ep), "the system's", "roots");
	kdtls_endpoint_set_passphrase(ep, NULL);
	return ep;
}

void endpoint_forget(struct options *o)
{
	forget_pins(o);
	OPENSSL_cleanse(&asked_key, sizeof(asked_key));
	OPENSSL_cleanse(&asked_roots, sizeof(asked_roots));
	OPENSSL_cleanse(o->passphrase, sizeof(o->passphrase));
	OPENSSL_cleanse(o->psk, sizeof(o->psk));
}

ssize_t endpoint_recv(struct kdtls_socket *s, void *buf, size_t len)
{
	char peer[ADDRESS_MAX];
	unsigned int marks;
	ssize_t n;

	n = kdtls_recv_marked(s, buf, len, &marks);
	if (marks & KDTLS_MARK_REPLAYABLE)
		warnx("%s: %zd bytes of early data, maybe replayed",
		      net_peer(s, peer), n);
	return n;
}

/* Return whether the peer's certificate or raw key, if it has shown one, is trusted. */
static const char *verified_text(const struct kdtls_info *i)
{
	if (i->auth != KDTLS_AUTH_CERTIFICATE && i->auth != KDTLS_AUTH_RAW_KEY)
		return "";
	return i->peer_verified ? ", peer verified" : ", peer not verified";
}

void endpoint_describe(const struct kdtls_engine *engine, const char *peer,
		       enum kdtls_path path, const char *why)
{
	static const char *const early[] = {
		[KDTLS_EARLY_NONE] = "",
		[KDTLS_EARLY_SENT] = "",
		[KDTLS_EARLY_ACCEPTED] = ", early data taken",
		[KDTLS_EARLY_REJECTED] = ", early data refused",
	};
	char resent[40] = "";
	struct kdtls_info i;

	kdtls_engine_info(engine, &i);
	if (i.flights_resent)
		snprintf(resent, sizeof(resent), ", %u flights sent again",
			 i.flights_resent);
	warnx("connected with %s: DTLS %s, %s%s%s%s%s%s%s%s",
	      peer, i.version == DTLS_VERSION_1_3 ? "1.3" : "1.2",
	      suite_name(i.suite), i.resumed ? ", resumed" : "",
	      early[i.early],
	      verified_text(&i),
	      i.cid_rx_len || i.cid_tx_len ? ", connection ID" : "",
	      i.alpn ? ", protocol " : "", i.alpn ? i.alpn : "", resent);
	warnx("records in %s: %s, %s",
	      path == KDTLS_PATH_KERNEL ? "the kernel" : "user space",
	      kdtls_cipher_name(i.cipher), why);
}

const char *endpoint_reason(const struct kdtls_engine *engine, int error)
{
	struct kdtls_failure f;

	kdtls_engine_failure(engine, &f);
	return f.error && f.error == -error ? f.reason : kdtls_strerror(error);
}

/*
 * Write the name of the alert that this end has sent to @text, in brackets, or "" if it
 * has sent none. Return @text. An alert that this end received is in the reason already.
 */
static const char *alert_text(const struct kdtls_failure *f, char *text,
			      size_t size)
{
	if (f->alert_sent == KDTLS_ALERT_NONE)
		return "";
	snprintf(text, size, " (alert %s sent)",
		 kdtls_alert_name(f->alert_sent));
	return text;
}

void endpoint_complain(const struct kdtls_engine *engine, const char *peer,
		       int error)
{
	char alert[80];
	struct kdtls_failure f;

	/* The timeouts of program and engine mean the same: no answer of the peer. */
	if (error == -ETIMEDOUT)
		error = -KDTLS_ETIMEOUT;
	kdtls_engine_failure(engine, &f);
	warnx("handshake with %s: %s%s", peer, endpoint_reason(engine, error),
	      alert_text(&f, alert, sizeof(alert)));
}

void endpoint_refused(struct kdtls_socket *s, int error)
{
	char peer[ADDRESS_MAX];

	endpoint_complain(kdtls_engine(s), net_peer(s, peer), error);
}
