// SPDX-License-Identifier: GPL-2.0
/*
 * A peer that drops the rest of a record which begins with a message it already
 * has, and acknowledges nothing before the handshake is done. Some libraries do.
 * It gets what it dropped only if that comes in a record of its own.
 */
#include "../../userspace/engine/ack.h"
#include "../../userspace/engine/content.h"
#include "../../userspace/engine/reassembly.h"
#include "pair.h"

#define MTU		300
#define LOSS		15	/* percent of datagrams */
#define HANDSHAKES	200
#define ROUNDS		2000

enum dtls_reassembly_result
__real_dtls_reassembly_add(struct dtls_reassembly *r,
			   const struct dtls_fragment *f, u64 epoch,
			   size_t max_message, size_t max_held);
enum dtls_reassembly_result
__wrap_dtls_reassembly_add(struct dtls_reassembly *r,
			   const struct dtls_fragment *f, u64 epoch,
			   size_t max_message, size_t max_held);
size_t __real_dtls_ack_write(struct kdtls_engine *e, u8 *out, size_t size);
size_t __wrap_dtls_ack_write(struct kdtls_engine *e, u8 *out, size_t size);
int __real_dtls_content_take(struct kdtls_engine *e,
			     const struct dtls_record *record, u8 type,
			     struct dtls_bytes content);
int __wrap_dtls_content_take(struct kdtls_engine *e,
			     const struct dtls_record *record, u8 type,
			     struct dtls_bytes content);

/* The end that drops the rest, whether it does so now, and how often it has */
static const struct end *skipper;
static bool skipping, first;
static unsigned int skipped;

int __wrap_dtls_content_take(struct kdtls_engine *e,
			     const struct dtls_record *record, u8 type,
			     struct dtls_bytes content)
{
	first = e == skipper->e;
	skipping = false;
	return __real_dtls_content_take(e, record, type, content);
}

size_t __wrap_dtls_ack_write(struct kdtls_engine *e, u8 *out, size_t size)
{
	size_t n = __real_dtls_ack_write(e, out, size);

	return e == skipper->e && e->state != KDTLS_ESTABLISHED ? 0 : n;
}

enum dtls_reassembly_result
__wrap_dtls_reassembly_add(struct dtls_reassembly *r,
			   const struct dtls_fragment *f, u64 epoch,
			   size_t max_message, size_t max_held)
{
	enum dtls_reassembly_result result;

	if (skipping) {
		skipped++;
		return DTLS_REASSEMBLY_DROPPED;
	}
	result = __real_dtls_reassembly_add(r, f, epoch, max_message, max_held);
	skipping = first && result == DTLS_REASSEMBLY_OLD;
	first = false;
	return result;
}

PAIR_OF_BOTH(skips);

FIXTURE_SETUP(skips)
{
	PAIR_SETUP(variant->version);
	cert_make(&self->cert, &(struct cert_options){ .kind = CERT_P256,
		  .issuer = &self->ca, .name = "DNS:end.example" });
}

static u32 drawn;

static bool is_lost(void)
{
	drawn = drawn * 1664525 + 1013904223;
	return (drawn >> 16) % 100 < LOSS;
}

static bool carry(struct end *from, struct end *to, u8 *buf, u64 now)
{
	bool any = false;
	long n;

	while ((n = end_output(from, buf, END_DATAGRAM, now)) > 0) {
		any = true;
		if (!is_lost())
			end_input(to, buf, (size_t)n, now);
	}
	return any;
}

static bool is_over(const struct end *end)
{
	enum kdtls_state state = kdtls_engine_state(end->e);

	return state == KDTLS_ESTABLISHED || state == KDTLS_FAILED;
}

static u64 next_timer(const struct end *a, const struct end *b)
{
	u64 x = kdtls_engine_expiry(a->e), y = kdtls_engine_expiry(b->e);

	return x < y ? x : y;
}

/* Shake hands over a path that loses datagrams. */
static bool shakes_hands(struct end *client, struct end *server, u8 *buf,
			 u64 *now)
{
	unsigned int i;
	bool any;

	if (kdtls_engine_start(client->e, *now))
		return false;
	for (i = 0; i < ROUNDS && !(is_over(client) && is_over(server)); i++) {
		any = carry(client, server, buf, *now);
		any |= carry(server, client, buf, *now);
		if (any)
			continue;
		if (next_timer(client, server) == KDTLS_NEVER)
			break;
		*now = next_timer(client, server);
		kdtls_engine_expire(client->e, *now);
		kdtls_engine_expire(server->e, *now);
	}
	return end_established(client) && end_established(server);
}

/* Both show a certificate, so that each flight is of several datagrams. */
static void configure(struct end *end)
{
	end->config.ops.psk_client = NULL;
	end->config.ops.psk_server = NULL;
	end->config.mtu = MTU;
	end->config.max_certificates = 102400;
}

static void all_of_them(struct __test_metadata *_metadata,
			struct _test_data_skips *self, const struct end *who)
{
	unsigned int i, done = 0;

	skipper = who;
	skipped = 0;
	configure(&self->client);
	configure(&self->server);
	self->server.config.flags |= KDTLS_REQUIRE_CERT;
	for (i = 0; i < HANDSHAKES; i++) {
		drawn = i;
		ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
		ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
		if (!i) {
			ASSERT_EQ(0, show(&self->client, &self->cert));
			ASSERT_EQ(0, show(&self->server, &self->cert));
			ASSERT_EQ(0, trust(&self->client, &self->ca));
			ASSERT_EQ(0, trust(&self->server, &self->ca));
		}
		ASSERT_EQ(0, kdtls_engine_set_name(self->client.e,
						   "end.example"));
		done += shakes_hands(&self->client, &self->server, self->buf,
				     &self->now);
		end_close(&self->client);
		end_close(&self->server);
	}
	EXPECT_EQ(HANDSHAKES, done);
	TH_LOG("the rest of a record was dropped %u times", skipped);
}

TEST_F(skips, client_that_drops_the_rest_of_a_record_gets_through)
{
	all_of_them(_metadata, self, &self->client);
}

TEST_F(skips, server_that_drops_the_rest_of_a_record_gets_through)
{
	all_of_them(_metadata, self, &self->server);
}

TEST_HARNESS_MAIN
