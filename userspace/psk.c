// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file has the callbacks of an endpoint with one pre-shared key for all
 * peers.
 */
#include "driver.h"

static size_t give_psk(const struct kdtls_endpoint *ep, uint8_t *key)
{
	memcpy(key, ep->psk, ep->psk_len);
	return ep->psk_len;
}

static size_t client_psk(void *ctx, const char *hint, uint8_t *identity,
			 size_t *identity_len, uint8_t *key)
{
	const struct owner *o = ctx;

	(void)hint;
	*identity_len = o->endpoint->psk_identity_len;
	memcpy(identity, o->endpoint->psk_identity, *identity_len);
	return give_psk(o->endpoint, key);
}

static size_t server_psk(void *ctx, const uint8_t *identity, size_t len,
			 uint8_t *key)
{
	const struct owner *o = ctx;

	if (len != o->endpoint->psk_identity_len ||
	    memcmp(identity, o->endpoint->psk_identity, len))
		return 0;
	return give_psk(o->endpoint, key);
}

int kdtls_use_psk(struct kdtls_endpoint *endpoint, const char *identity,
		  const void *key, size_t len)
{
	size_t identity_len = strlen(identity);

	if (!identity_len || identity_len > KDTLS_PSK_IDENTITY_MAX || !len ||
	    len > KDTLS_PSK_MAX)
		return -KDTLS_EUSAGE;
	if (len < KDTLS_PSK_MIN && !dtls_endpoint_flag(endpoint, KDTLS_SHORT_PSK))
		return -KDTLS_EPSK;
	memcpy(endpoint->psk_identity, identity, identity_len);
	endpoint->psk_identity_len = (uint8_t)identity_len;
	memcpy(endpoint->psk, key, len);
	endpoint->psk_len = (uint8_t)len;
	endpoint->config.ops.psk_client = client_psk;
	endpoint->config.ops.psk_server = server_psk;
	return 0;
}
