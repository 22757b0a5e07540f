// SPDX-License-Identifier: GPL-2.0
/* Records that came before their key wait for it for a minute. */
#include "harness.h"

#include <unistd.h>

#include "common.h"

/* Send one of the next epoch, which is kept. */
static void send_early(struct __test_metadata *_metadata, struct link *l,
		       const struct peer_key *next, __u64 seq, size_t len)
{
	static const char text[] = "too early";
	__u8 buf[64], wire[256];
	size_t n = peer_seal(next, CT_DATA, seq, text, len, wire);

	ASSERT_EQ((ssize_t)n, send(l->b, wire, n, 0));
	ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
}

/* They wait for a minute: as long as a flight is in coming at most. */
TEST(early_records_wait_for_a_minute)
{
	struct dtls_counters counters;
	struct peer_key next;
	struct link l[2];
	char buf[64];
	int i;

	if (slow())
		SKIP(return, "a minute is as long on every kernel");
	for (i = 0; i < 2; i++) {
		ASSERT_OK(link_raw(&l[i], AF_INET, DTLS_CIPHER_AES_GCM_128, 0));
		peer_key_init(&next, DTLS_CIPHER_AES_GCM_128, 2, 0, 2);
		send_early(_metadata, &l[i], &next, 0, 5);
	}
	sleep(31);
	ASSERT_OK(dtls_set_key(l[0].a, DTLS_RX, &next));
	EXPECT_EQ(5, recv_now(l[0].a, buf, sizeof(buf)));
	send_early(_metadata, &l[1], &next, 1, 8);
	sleep(31);
	ASSERT_OK(dtls_set_key(l[1].a, DTLS_RX, &next));
	EXPECT_EQ(8, recv_now(l[1].a, buf, sizeof(buf)));
	ASSERT_ERRNO(EAGAIN, recv_now(l[1].a, buf, sizeof(buf)));
	ASSERT_OK(dtls_get_counters(l[1].a, &counters));
	EXPECT_EQ((__u64)1, counters.rx_no_budget);
	link_close(&l[0]);
	link_close(&l[1]);
}

TEST_HARNESS_MAIN
