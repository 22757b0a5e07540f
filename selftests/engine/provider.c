// SPDX-License-Identifier: GPL-2.0
/*
 * A libcrypto that lacks what others have, as with a FIPS provider: what is
 * missing is not offered, and everything else works.
 */
#include <dlfcn.h>
#include <strings.h>

#include "harness.h"

#include "end.h"

static const char *missing;

static bool is_missing(const char *name)
{
	return missing && !strncasecmp(name, missing, strlen(missing));
}

/* These two stand before libcrypto's. */
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

FIXTURE(provider)
{
	struct end client, server;
};

FIXTURE_VARIANT(provider)
{
	u16 version;
	const char *missing;
};

#define WITHOUT(name_, version_, missing_)				\
FIXTURE_VARIANT_ADD(provider, name_)					\
{									\
	.version = version_,						\
	.missing = missing_,						\
}

WITHOUT(dtls12_without_chacha20, DTLS_VERSION_1_2, "ChaCha20");
WITHOUT(dtls13_without_chacha20, DTLS_VERSION_1_3, "ChaCha20");
WITHOUT(dtls12_without_ccm, DTLS_VERSION_1_2, "AES-128-CCM");
WITHOUT(dtls13_without_aes128_gcm, DTLS_VERSION_1_3, "AES-128-GCM");
WITHOUT(dtls12_without_x25519, DTLS_VERSION_1_2, "X25519");
WITHOUT(dtls13_without_x25519, DTLS_VERSION_1_3, "X25519");

FIXTURE_SETUP(provider)
{
	end_version = variant->version;
	end_config(&self->client, "secret of theirs");
	end_config(&self->server, "secret of theirs");
}

FIXTURE_TEARDOWN(provider)
{
	missing = NULL;
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
	struct kdtls_config config = self->server.config;
	struct kdtls_endpoint *ep = NULL;

	missing = "ChaCha20";
	config.suites = aes256;
	config.suite_count = 2;
	EXPECT_EQ(0, kdtls_endpoint_new(&config, &ep));
	kdtls_endpoint_free(ep);
	config.suites = chacha;
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_endpoint_new(&config, &ep));
}

TEST_HARNESS_MAIN
