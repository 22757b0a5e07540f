// SPDX-License-Identifier: BSD-3-Clause
/* This file makes, configures and frees endpoints. See endpoint.h. */
#include <openssl/err.h>
#include <time.h>

#include "endpoint.h"
#include "protection.h"

void kdtls_config_init(struct kdtls_config *config)
{
	*config = (struct kdtls_config){
		.version_min = DTLS_VERSION_1_2,
		.version_max = DTLS_VERSION_1_3,
		.mtu = 1400,
		.mtu_min = KDTLS_MTU_MIN,
		.timeout_initial = 1000,
		.timeout_min = 50,
		.timeout_max = 60000,
		.retransmits = 8,
		.linger = 240000,
		.cookie_life = 15000,
		.ticket_life = 86400,
		.max_message = 16384,
		.max_certificates = 102400,
		.max_handshake = 262144,
		.max_early = 4096,
		.max_handshakes = 100000,
	};
}

static bool version_valid(u16 version)
{
	return version == DTLS_VERSION_1_2 || version == DTLS_VERSION_1_3;
}

_Static_assert(KDTLS_MTU_MAX == DTLS_DATAGRAM_MAX,
	       "the public header names the largest datagram");

#define ALPN_NAME_MAX	255	/* bytes of a protocol's name (RFC 7301 3.1) */
#define ALPN_LIST_MAX	4096	/* bytes of all names: a hello is shorter than 2^14 */

/* Return false if a name of the list is empty or too long, or all of them are. */
static bool alpn_valid(const char *const *name)
{
	size_t len, all = 0;

	for (; name && *name; name++) {
		len = strlen(*name);
		all += len + 1;
		if (!len || len > ALPN_NAME_MAX || all > ALPN_LIST_MAX)
			return false;
	}
	return true;
}

static bool config_valid(const struct kdtls_config *c)
{
	return version_valid(c->version_min) && version_valid(c->version_max) &&
	       c->version_min >= c->version_max && /* Versions count downwards. */
	       c->ops.key && c->mtu >= KDTLS_MTU_MIN && c->mtu <= KDTLS_MTU_MAX &&
	       c->mtu_min >= KDTLS_MTU_MIN && c->mtu_min <= c->mtu &&
	       c->timeout_min >= 50 && c->timeout_initial >= c->timeout_min &&
	       c->timeout_max >= c->timeout_initial && c->cookie_life &&
	       c->ticket_life && c->ticket_life <= DTLS_SESSION_LIFE_MAX &&
	       c->max_message &&
	       c->max_message <= c->max_handshake &&
	       c->max_certificates >= c->max_message &&
	       c->max_certificates <= c->max_handshake &&
	       c->max_handshake <= WR_MAX &&
	       (!c->record_size_limit ||
		(c->record_size_limit >= 64 &&
		 c->record_size_limit <= DTLS_RECORD_SIZE_MAX)) &&
	       (!c->psk_hint || strlen(c->psk_hint) <= KDTLS_PSK_IDENTITY_MAX) &&
	       alpn_valid(c->alpn);
}

/*
 * RESOLVE() makes a function that turns a list of numbers into a list of table
 * entries. Without a list the function takes the whole table. It returns the
 * number of entries, or 0 if a number is unknown or if there are too many.
 */
#define RESOLVE(kind, max, all)						\
static size_t resolve_##kind##s(const struct dtls_##kind **to,		\
				const u16 *list, size_t count)		\
{									\
	size_t n = list ? count : (all);				\
	size_t i;							\
									\
	if (n > (max))							\
		return 0;						\
	for (i = 0; i < n; i++) {					\
		to[i] = list ? dtls_##kind##_find(list[i]) :		\
			       &dtls_##kind##s[i];			\
		if (!to[i])						\
			return 0;					\
	}								\
	return n;							\
}

RESOLVE(suite, DTLS_SUITES_MAX, dtls_suite_default_count)
RESOLVE(group, DTLS_GROUPS_MAX, dtls_group_count)
RESOLVE(scheme, DTLS_SCHEMES_MAX, dtls_scheme_count)

/*
 * Set which versions the endpoint speaks: those within the limits for which it
 * has a suite. Return false if there is none.
 */
static bool find_versions(struct kdtls_endpoint *ep)
{
	size_t i;

	for (i = 0; i < ep->suite_count; i++) {
		if (dtls_suite_is_13(ep->suites[i]))
			ep->speaks13 = true;
		else
			ep->speaks12 = true;
	}
	ep->speaks13 &= ep->config.version_max == DTLS_VERSION_1_3;
	ep->speaks12 &= ep->config.version_min == DTLS_VERSION_1_2;
	return ep->speaks12 || ep->speaks13;
}

static bool has_suite(const struct kdtls_endpoint *ep,
		      const struct dtls_suite *suite)
{
	return dtls_protection_usable(&ep->crypto, suite->cipher);
}

static bool has_group(const struct kdtls_endpoint *ep,
		      const struct dtls_group *group)
{
	(void)ep;
	return dtls_crypto_has_keys(group->type);
}

static bool has_scheme(const struct kdtls_endpoint *ep,
		       const struct dtls_scheme *scheme)
{
	(void)ep;
	return dtls_crypto_has_keys(scheme->key);
}

/*
 * DROP_MISSING() makes a function that leaves out table entries which libcrypto
 * lacks. The function returns false if the configuration names such an entry,
 * or if none is left.
 */
#define DROP_MISSING(kind)						\
static bool drop_missing_##kind##s(struct kdtls_endpoint *ep)		\
{									\
	size_t i, n = 0;						\
									\
	for (i = 0; i < ep->kind##_count; i++) {			\
		if (has_##kind(ep, ep->kind##s[i]))			\
			ep->kind##s[n++] = ep->kind##s[i];		\
		else if (ep->config.kind##s)				\
			return false;					\
	}								\
	ep->kind##_count = n;						\
	return n;							\
}

DROP_MISSING(suite)
DROP_MISSING(group)
DROP_MISSING(scheme)

int kdtls_endpoint_new(const struct kdtls_config *config,
		       struct kdtls_endpoint **endpoint)
{
	struct kdtls_endpoint *ep;
	int err = -KDTLS_EMEMORY;

	if (!config_valid(config))
		return -KDTLS_EUSAGE;
	ep = OPENSSL_zalloc(sizeof(*ep));
	if (!ep)
		return err;
	ep->config = *config;
	ep->suite_count = resolve_suites(ep->suites, config->suites,
					 config->suite_count);
	ep->group_count = resolve_groups(ep->groups, config->groups,
					 config->group_count);
	ep->scheme_count = resolve_schemes(ep->schemes, config->schemes,
					   config->scheme_count);
	if (!ep->suite_count || !ep->group_count || !ep->scheme_count) {
		err = -KDTLS_EUSAGE;
		goto fail;
	}
	ep->trust_x509 = config->flags & KDTLS_NO_VERIFY;
	ep->tickets.life = config->ticket_life;
	ep->trust.store = X509_STORE_new();
	if (!ep->trust.store ||
	    !dtls_cache_init(&ep->cache, config->cache_size) ||
	    (config->max_early_data && !dtls_spent_init(&ep->spent)) ||
	    !dtls_cookie_init(&ep->cookie, 1000ULL * config->cookie_life))
		goto fail;
	if (!dtls_collector_init(&ep->collector) ||
	    !dtls_crypto_init(&ep->crypto)) {
		err = -KDTLS_ECRYPTO;
		goto fail;
	}
	if (!drop_missing_suites(ep) || !drop_missing_groups(ep) ||
	    !drop_missing_schemes(ep) || !find_versions(ep)) {
		err = -KDTLS_EUSAGE;
		goto fail;
	}
	*endpoint = ep;
	return 0;
fail:
	kdtls_endpoint_free(ep);
	return err;
}

static void drop_passphrase(struct kdtls_endpoint *ep)
{
	if (ep->passphrase)
		OPENSSL_clear_free(ep->passphrase, strlen(ep->passphrase));
	ep->passphrase = NULL;
}

static void endpoint_free(struct kdtls_endpoint *endpoint)
{
	struct dtls_scratch *scratch;
	struct dtls_identity *next;

	while ((scratch = endpoint->scratch)) {
		endpoint->scratch = scratch->next;
		OPENSSL_free(scratch);
	}
	while (endpoint->identities) {
		next = endpoint->identities->next;
		dtls_x509_identity_free(endpoint->identities);
		endpoint->identities = next;
	}
	dtls_x509_trust_exit(&endpoint->trust);
	dtls_cache_exit(&endpoint->cache);
	dtls_spent_exit(&endpoint->spent);
	dtls_cookie_exit(&endpoint->cookie);
	dtls_tickets_exit(&endpoint->tickets);
	dtls_collector_exit(&endpoint->collector);
	dtls_crypto_exit(&endpoint->crypto);
	drop_passphrase(endpoint);
	OPENSSL_clear_free(endpoint, sizeof(*endpoint));
}

void dtls_endpoint_put(struct kdtls_endpoint *ep)
{
	if (!--ep->engines && ep->dropped)
		endpoint_free(ep);
}

void kdtls_endpoint_free(struct kdtls_endpoint *endpoint)
{
	if (!endpoint)
		return;
	endpoint->dropped = true;
	/* No new handshake comes here, and nobody would age the keys any more. */
	dtls_tickets_exit(&endpoint->tickets);
	if (!endpoint->engines)
		endpoint_free(endpoint);
}

/*
 * Append an identity to the list. Of equally good identities a handshake uses
 * the one that was given first.
 */
static void add_identity(struct kdtls_endpoint *ep, struct dtls_identity *id)
{
	struct dtls_identity **end = &ep->identities;

	while (*end)
		end = &(*end)->next;
	*end = id;
}

int kdtls_endpoint_set_passphrase(struct kdtls_endpoint *endpoint,
				  const char *passphrase)
{
	char *copy = NULL;

	if (passphrase && strlen(passphrase) > KDTLS_PASSPHRASE_MAX)
		return -KDTLS_EUSAGE;
	if (passphrase) {
		copy = OPENSSL_strdup(passphrase);
		if (!copy)
			return -KDTLS_EMEMORY;
	}
	drop_passphrase(endpoint);
	endpoint->passphrase = copy;
	return 0;
}

static struct dtls_store source_of(const struct kdtls_endpoint *ep,
				   const void *data, size_t len)
{
	return (struct dtls_store){
		.data = { data, len },
		.passphrase = ep->passphrase,
	};
}

int dtls_endpoint_show(struct kdtls_endpoint *ep,
		       const struct dtls_store *chain,
		       const struct dtls_store *key)
{
	struct dtls_identity *id;
	int err;

	ERR_set_mark();
	err = dtls_x509_identity_new(chain, key, &id);
	ERR_pop_to_mark();
	if (!err)
		add_identity(ep, id);
	return err;
}

int kdtls_endpoint_use_certificate(struct kdtls_endpoint *endpoint,
				   const void *chain, size_t chain_len,
				   const void *key, size_t key_len)
{
	struct dtls_store from = source_of(endpoint, chain, chain_len);
	struct dtls_store key_from = source_of(endpoint, key, key_len);

	return dtls_endpoint_show(endpoint, &from, &key_from);
}

int kdtls_endpoint_use_raw_key(struct kdtls_endpoint *endpoint,
			       const void *key, size_t key_len)
{
	struct dtls_store from = source_of(endpoint, key, key_len);
	struct dtls_identity *id;
	int err;

	ERR_set_mark();
	err = dtls_x509_identity_new_raw(&from, &id);
	ERR_pop_to_mark();
	if (!err)
		add_identity(endpoint, id);
	return err;
}

int dtls_endpoint_believe(struct kdtls_endpoint *ep,
			  const struct dtls_store *roots)
{
	int err;

	ERR_set_mark();
	err = dtls_x509_trust_add(&ep->trust, roots);
	ERR_pop_to_mark();
	if (!err)
		ep->trust_x509 = true;
	return err;
}

int kdtls_endpoint_trust(struct kdtls_endpoint *endpoint, const void *roots,
			 size_t len)
{
	struct dtls_store from = source_of(endpoint, roots, len);

	return dtls_endpoint_believe(endpoint, &from);
}

int kdtls_endpoint_trust_system(struct kdtls_endpoint *endpoint)
{
	if (!dtls_x509_trust_add_system(&endpoint->trust))
		return -KDTLS_ECRYPTO;
	endpoint->trust_x509 = true;
	return 0;
}

int kdtls_endpoint_trust_raw_key(struct kdtls_endpoint *endpoint,
				 const void *key, size_t len)
{
	struct dtls_store from = source_of(endpoint, key, len);
	int err;

	ERR_set_mark();
	err = dtls_x509_trust_add_raw(&endpoint->trust, &from);
	ERR_pop_to_mark();
	return err;
}

int dtls_endpoint_share(struct kdtls_endpoint *ep,
			const struct dtls_secret *secret)
{
	/*
	 * Endpoints that share a secret do not share the list of spent tickets,
	 * so each of them would accept the same early data once.
	 */
	if (ep->config.max_early_data || ep->cookie.ready ||
	    ep->tickets.key[0].ctx)
		return -KDTLS_EUSAGE;
	return dtls_shared_set(&ep->cookie.shared, secret->cookies,
			       sizeof(secret->cookies)) &&
	       dtls_tickets_share(&ep->tickets, &secret->tickets) ?
	       0 : -KDTLS_ECRYPTO;
}

int kdtls_endpoint_use_secret(struct kdtls_endpoint *endpoint,
			      const void *secret, size_t len)
{
	struct dtls_secret s;
	int err = -KDTLS_ECRYPTO;

	if (len != KDTLS_SECRET_SIZE)
		return -KDTLS_EUSAGE;
	if (dtls_secret_make(&s, secret))
		err = dtls_endpoint_share(endpoint, &s);
	OPENSSL_cleanse(&s, sizeof(s));
	return err;
}

void dtls_endpoint_age(struct kdtls_endpoint *ep)
{
	dtls_tickets_age(&ep->tickets, &ep->crypto, dtls_endpoint_time(ep, NULL));
}

int64_t dtls_endpoint_time(const struct kdtls_endpoint *ep, void *ctx)
{
	if (ep->config.ops.unix_time)
		return ep->config.ops.unix_time(ctx);
	return time(NULL);
}

const struct dtls_group *dtls_endpoint_group(const struct kdtls_endpoint *ep,
					     u16 id)
{
	size_t i;

	for (i = 0; i < ep->group_count; i++)
		if (ep->groups[i]->id == id)
			return ep->groups[i];
	return NULL;
}

const struct dtls_suite *dtls_endpoint_suite(const struct kdtls_endpoint *ep,
					     u16 id)
{
	size_t i;

	for (i = 0; i < ep->suite_count; i++)
		if (ep->suites[i]->id == id)
			return ep->suites[i];
	return NULL;
}
