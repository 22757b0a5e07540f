// SPDX-License-Identifier: GPL-2.0
/* What the fuzz targets share; see common.h. */
#include <stdlib.h>

#include "common.h"

static const char *const protocols[] = { "coap", "h2", NULL };
static const u16 profiles[] = { 7, 8 };
static struct kdtls_endpoint *endpoint[2];

static int accept_all(void *ctx, const struct kdtls_peer *peer)
{
	(void)ctx;
	(void)peer;
	return 0;
}

static void must(int err)
{
	if (err)
		abort();
}

static void add_credentials(struct kdtls_endpoint *ep)
{
	struct cert cert;

	cert_make(&cert, &(struct cert_options){ .kind = CERT_ED25519,
		  .name = "DNS:end.example" });
	must(kdtls_endpoint_trust(ep, cert.pem, strlen(cert.pem)));
	must(kdtls_endpoint_trust_raw_key(ep, cert.public_pem,
					  strlen(cert.public_pem)));
	must(kdtls_endpoint_use_certificate(ep, cert.pem, strlen(cert.pem),
					    cert.key_pem, strlen(cert.key_pem)));
	must(kdtls_endpoint_use_raw_key(ep, cert.key_pem,
					strlen(cert.key_pem)));
	cert_free(&cert);
}

bool fuzz_version(struct dtls_bytes *in)
{
	int role;
	u8 v;

	if (!rd_u8(in, &v))
		return false;
	end_version = v & 1 ? DTLS_VERSION_1_3 : DTLS_VERSION_1_2;
	for (role = 0; role < 2; role++)
		if (endpoint[role])
			endpoint[role]->speaks13 = v & 1;
	return true;
}

struct kdtls_endpoint *fuzz_gate(void)
{
	static struct kdtls_endpoint *gate;
	static struct end end;

	if (gate)
		return gate;
	end_version = DTLS_VERSION_1_3;
	end_config(&end, "secret of theirs");
	must(kdtls_endpoint_new(&end.config, &gate));
	return gate;
}

static void make(struct end *end, enum kdtls_role role)
{
	bool speaks13 = end_version == DTLS_VERSION_1_3;

	end_version = DTLS_VERSION_1_3;
	end_config(end, "secret of theirs");
	end->random = 1 + role;
	end->unix_time = time(NULL);
	end->config.alpn = protocols;
	end->config.srtp = profiles;
	end->config.srtp_count = 2;
	end->config.cache_size = 4;
	end->config.record_size_limit = 1024;
	end->config.max_early_data = 4096;
	end->config.ops.verify = accept_all;
	end->config.flags = KDTLS_ALLOW_NO_EMS | KDTLS_HEARTBEAT | KDTLS_CID |
			    KDTLS_NO_COOKIE | KDTLS_REQUEST_CERT |
			    KDTLS_NO_VERIFY;
	end->ep = endpoint[role];
	must(end_open(end, role));
	if (!endpoint[role]) {
		endpoint[role] = end->ep;
		end->ep->speaks13 = speaks13;
		add_credentials(end->ep);
	}
	must(kdtls_engine_set_cid(end->e, (const u8 *)"cid", 3));
	if (role == KDTLS_CLIENT)
		must(kdtls_engine_set_name(end->e, "end.example"));
}

void fuzz_client(struct end *end)
{
	make(end, KDTLS_CLIENT);
}

void fuzz_server(struct end *end)
{
	make(end, KDTLS_SERVER);
}
