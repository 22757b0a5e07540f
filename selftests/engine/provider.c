// SPDX-License-Identifier: GPL-2.0
/*
 * A libcrypto that lacks what others have, as with a FIPS provider: what is
 * missing is not offered, and everything else works.
 */
#include <dlfcn.h>
#include <strings.h>

#include "harness.h"

#include "end.h"

/* Bytes of a key of HMAC at least, if a provider is strict (SP 800-131A 10) */
#define HMAC_KEY_MIN	14

/* Names of what libcrypto lacks, ended by NULL; NULL: nothing */
static const char *const *missing;
static bool strict;

static bool is_missing(const char *name)
{
	const char *const *m;

	for (m = missing; m && *m; m++)
		if (!strcasecmp(name, *m))
			return true;
	return false;
}

/* These three stand before libcrypto's. */
EVP_CIPHER *EVP_CIPHER_fetch(OSSL_LIB_CTX *ctx, const char *name,
			     const char *properties)
{
	EVP_CIPHER *(*fetch)(OSSL_LIB_CTX *ctx, const char *name,
			     const char *properties);

	fetch = (typeof(fetch))dlsym(RTLD_NEXT, "EVP_CIPHER_fetch");
	return is_missing(name) ? NULL : fetch(ctx, name, properties);
}

EVP_KEYMGMT *EVP_KEYMGMT_fetch(OSSL_LIB_CTX *ctx, const char *name,
			       const char *properties)
{
	EVP_KEYMGMT *(*fetch)(OSSL_LIB_CTX *ctx, const char *name,
			      const char *properties);

	fetch = (typeof(fetch))dlsym(RTLD_NEXT, "EVP_KEYMGMT_fetch");
	return is_missing(name) ? NULL : fetch(ctx, name, properties);
}

int EVP_MAC_init(EVP_MAC_CTX *ctx, const unsigned char *key, size_t len,
		 const OSSL_PARAM params[])
{
	int (*init)(EVP_MAC_CTX *ctx, const unsigned char *key, size_t len,
		    const OSSL_PARAM params[]);

	init = (typeof(init))dlsym(RTLD_NEXT, "EVP_MAC_init");
	if (strict && key && len < HMAC_KEY_MIN)
		return 0;
	return init(ctx, key, len, params);
}

FIXTURE(provider)
{
	struct end client, server;
};

FIXTURE_VARIANT(provider)
{
	u16 version;
	const char *missing[3];
};

#define WITHOUT(name_, version_, ...)					\
FIXTURE_VARIANT_ADD(provider, name_)					\
{									\
	.version = version_,						\
	.missing = { __VA_ARGS__ },					\
}

#define CHACHA20	"ChaCha20", "ChaCha20-Poly1305"
#define EVERY_X25519	"X25519", "X25519MLKEM768"

WITHOUT(dtls12_without_chacha20, DTLS_VERSION_1_2, CHACHA20);
WITHOUT(dtls13_without_chacha20, DTLS_VERSION_1_3, CHACHA20);
WITHOUT(dtls12_without_ccm, DTLS_VERSION_1_2, "AES-128-CCM");
WITHOUT(dtls13_without_aes128_gcm, DTLS_VERSION_1_3, "AES-128-GCM");
WITHOUT(dtls12_without_x25519, DTLS_VERSION_1_2, EVERY_X25519);
WITHOUT(dtls13_without_x25519, DTLS_VERSION_1_3, EVERY_X25519);
/* OpenSSL's FIPS provider has the hybrid group, and X25519 itself no more. */
WITHOUT(dtls13_with_the_hybrid_alone, DTLS_VERSION_1_3, "X25519");

FIXTURE_SETUP(provider)
{
	end_version = variant->version;
	end_config(&self->client, "secret of theirs");
	end_config(&self->server, "secret of theirs");
}

FIXTURE_TEARDOWN(provider)
{
	missing = NULL;
	strict = false;
	end_close(&self->client);
	end_close(&self->server);
	end_exit(&self->client);
	end_exit(&self->server);
}

/* Either end lacks it, then both. */
TEST_F(provider, what_is_missing_is_not_offered)
{
	int lacks;

	for (lacks = 1; lacks <= 3; lacks++) {
		missing = lacks & 1 ? variant->missing : NULL;
		ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
		missing = lacks & 2 ? variant->missing : NULL;
		ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
		/* The end that has it uses it, through the same symbols. */
		missing = NULL;
		ASSERT_EQ(0, end_handshake(&self->client, &self->server));
		EXPECT_TRUE(end_agree(&self->client, &self->server));
		end_close(&self->client);
		end_close(&self->server);
		kdtls_endpoint_free(self->client.ep);
		kdtls_endpoint_free(self->server.ep);
		self->client.ep = NULL;
		self->server.ep = NULL;
	}
}

/* Suites of AES alone are all that such a program needs. */
TEST_F(provider, what_is_configured_has_to_be_there)
{
	static const u16 aes256[] = { 0x1302, 0xc02c };
	static const u16 chacha[] = { 0x1303, 0xccac };
	static const char *const chacha20[] = { CHACHA20, NULL };
	struct kdtls_config config = self->server.config;
	struct kdtls_endpoint *ep = NULL;

	missing = chacha20;
	config.suites = aes256;
	config.suite_count = 2;
	EXPECT_EQ(0, kdtls_endpoint_new(&config, &ep));
	kdtls_endpoint_free(ep);
	config.suites = chacha;
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_endpoint_new(&config, &ep));
}

/*
 * A strict FIPS provider refuses shorter keys of HMAC, such as the empty salt
 * of RFC 8446 7.1, which has to come as zeros.
 */
TEST_F(provider, keys_of_hmac_are_long_enough_for_a_strict_provider)
{
	struct end *c = &self->client;
	int i;

	strict = true;
	for (i = 0; i < 2; i++) {
		missing = variant->missing;
		ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
		ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
		missing = NULL;
		if (i)
			ASSERT_EQ(0, kdtls_engine_set_session(c->e, c->session,
							      c->session_len));
		ASSERT_EQ(0, end_handshake(&self->client, &self->server));
		EXPECT_TRUE(end_agree(&self->client, &self->server));
		EXPECT_EQ(i, info_of(&self->server).resumed);
		end_close(&self->client);
		end_close(&self->server);
	}
}

TEST_HARNESS_MAIN
