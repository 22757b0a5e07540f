// SPDX-License-Identifier: GPL-2.0
/*
 * Control records: out of band and never in a reader's way; what an
 * authenticated alert does and one in the clear does not.
 */
#include "harness.h"

#include <netinet/in.h>
#include <poll.h>

#include "common.h"

static __u8 text[1 << 16], buf[DGRAM_MAX], wire[DGRAM_MAX];
static struct peer_record rec;

static const __u8 close_notify[] = { ALERT_WARNING, ALERT_CLOSE_NOTIFY };
static const __u8 fatal[] = { ALERT_FATAL, ALERT_INTERNAL_ERROR };

LINK_FIXTURE(control);

LINK_VARIANT(control, v4, DTLS_CIPHER_AES_GCM_128, AF_INET, 0);
LINK_VARIANT(control, v6, DTLS_CIPHER_AES_CCM_8_128, AF_INET6, 0);
LINK_VARIANT(control, v4_cid, DTLS_CIPHER_CHACHA20_POLY1305, AF_INET, 3);
LINK_VARIANT(control, v13_v4, V13(DTLS_CIPHER_AES_GCM_256), AF_INET, 0);
LINK_VARIANT(control, v13_v6, V13(DTLS_CIPHER_AES_CCM_8_128), AF_INET6, 0);
LINK_VARIANT(control, v13_v4_cid, V13(DTLS_CIPHER_CHACHA20_POLY1305),
	     AF_INET, 3);

/*
 * Return true if a record that is not verified shows that it is a handshake's.
 */
#define SHOWS_TYPE(v)	(!(v)->cid_len && !IS_V13((v)->cipher))

LINK_SETUP(control, text)

static void nothing_to_read(struct __test_metadata *_metadata, struct link *l)
{
	ASSERT_ERRNO(EAGAIN, recv_now(l->a, buf, sizeof(buf)));
}

static void still_works(struct __test_metadata *_metadata, struct link *l)
{
	ASSERT_EQ(60, link_send(l, CT_DATA, text, 60));
	ASSERT_EQ(60, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_EQ(0, memcmp(buf, text, 60));
}

static int eof_flag(struct __test_metadata *_metadata, struct link *l)
{
	struct dtls_info info;

	ASSERT_OK(dtls_get_info(l->a, &info));
	return info.flags & DTLS_INFO_EOF;
}

TEST_F(control, every_type_comes_out_of_band)
{
	const __u8 types[] = { IS_V13(variant->cipher) ? CT_ACK : CT_CCS,
			       CT_HANDSHAKE, CT_HEARTBEAT };
	struct dtls_record_info info;
	struct link *l = &self->l;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		ASSERT_EQ(50, link_send(l, types[i], text + i, 50));
		nothing_to_read(_metadata, l);
	}
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		ASSERT_EQ(50, recv_control(l->a, &info, buf, sizeof(buf)));
		EXPECT_EQ(types[i], info.type);
		EXPECT_EQ(l->ba.epoch, info.epoch);
		EXPECT_EQ((__u64)i, info.seq);
		EXPECT_EQ(0, info.flags);
		EXPECT_EQ(0, info.event);
		EXPECT_EQ(0u, info.reserved);
		EXPECT_EQ(0, memcmp(buf, text + i, 50));
	}
	ASSERT_ERRNO(EAGAIN, recv_control(l->a, &info, buf, sizeof(buf)));
	still_works(_metadata, l);
}

/* Who reads the control queue alone finds what is there, behind data too. */
TEST_F(control, found_without_a_reader_of_data)
{
	struct dtls_record_info info;
	struct link *l = &self->l;
	int i;

	for (i = 0; i < 5; i++)
		ASSERT_EQ(60 + i, link_send(l, CT_DATA, text, 60 + i));
	ASSERT_EQ(50, link_send(l, CT_HANDSHAKE, text, 50));
	ASSERT_EQ(50, recv_control(l->a, &info, buf, sizeof(buf)));
	EXPECT_EQ(CT_HANDSHAKE, info.type);
	for (i = 0; i < 5; i++)
		ASSERT_EQ(60 + i, recv(l->a, buf, sizeof(buf), 0));
}

TEST_F(control, blocking_read)
{
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct timeval tv = { .tv_usec = 50000 };
	struct link *l = &self->l;

	ASSERT_EQ(50, link_send(l, CT_HANDSHAKE, text, 50));
	ASSERT_EQ(50, recvmsg(l->a, &msg, MSG_OOB));
	/* The cmsg had no room. */
	EXPECT_TRUE(msg.msg_flags & MSG_CTRUNC);

	ASSERT_OK(setsockopt(l->a, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	ASSERT_ERRNO(EAGAIN, recvmsg(l->a, &msg, MSG_OOB));
}

TEST_F(control, one_call_reads_many)
{
	struct mmsghdr msg[8] = {};
	struct link *l = &self->l;
	struct iovec iov[8];
	unsigned int i;

	for (i = 0; i < 8; i++) {
		iov[i] = (struct iovec) { buf + i * 64, 64 };
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	for (i = 0; i < 5; i++)
		ASSERT_EQ(40 + i, link_send(l, CT_HANDSHAKE, text + i, 40 + i));
	settle();
	ASSERT_EQ(5, recvmmsg(l->a, msg, 8, MSG_OOB | MSG_DONTWAIT, NULL));
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(40 + i, msg[i].msg_len);
		EXPECT_EQ(0, memcmp(buf + i * 64, text + i, 40 + i));
	}
}

TEST_F(control, short_buffer)
{
	struct iovec iov = { buf, 20 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct dtls_record_info info;
	struct link *l = &self->l;

	ASSERT_EQ(50, link_send(l, CT_HANDSHAKE, text, 50));
	ASSERT_EQ(50, link_send(l, CT_HANDSHAKE, text + 1, 50));
	ASSERT_EQ(20, recv_control(l->a, &info, buf, 20));
	EXPECT_EQ(0, memcmp(buf, text, 20));
	ASSERT_EQ(50, recv_control(l->a, &info, buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, text + 1, 50));

	ASSERT_EQ(50, link_send(l, CT_HANDSHAKE, text + 2, 50));
	ASSERT_EQ(20, recvmsg(l->a, &msg, MSG_OOB | MSG_PEEK));
	EXPECT_TRUE(msg.msg_flags & MSG_TRUNC);
	ASSERT_EQ(50, recvmsg(l->a, &msg, MSG_OOB | MSG_TRUNC));
	EXPECT_TRUE(msg.msg_flags & MSG_TRUNC);
	EXPECT_EQ(0, memcmp(buf, text + 2, 20));
}

TEST_F(control, peek)
{
	struct link *l = &self->l;
	int i;

	ASSERT_EQ(50, link_send(l, CT_HANDSHAKE, text, 50));
	settle();
	for (i = 0; i < 3; i++) {
		memset(buf, 0, 50);
		ASSERT_EQ(50, recv(l->a, buf, sizeof(buf),
				   MSG_OOB | MSG_PEEK | MSG_DONTWAIT));
		ASSERT_EQ(0, memcmp(buf, text, 50));
	}
	ASSERT_EQ(50, recv(l->a, buf, sizeof(buf), MSG_OOB));
	ASSERT_ERRNO(EAGAIN, recv(l->a, buf, sizeof(buf),
				  MSG_OOB | MSG_DONTWAIT));
}

TEST_F(control, largest_record)
{
	struct dtls_record_info info;
	struct link *l = &self->l;

	ASSERT_EQ(PLAIN_MAX, link_send(l, CT_HANDSHAKE, text, PLAIN_MAX));
	ASSERT_EQ(PLAIN_MAX, recv_control(l->a, &info, buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, text, PLAIN_MAX));
}

TEST_F(control, name_is_the_peer)
{
	struct sockaddr_storage peer = {}, from = {};
	socklen_t peer_len = sizeof(peer), len = sizeof(from);
	struct link *l = &self->l;

	ASSERT_OK(getsockname(l->b, (struct sockaddr *)&peer, &peer_len));
	ASSERT_EQ(30, link_send(l, CT_HANDSHAKE, text, 30));
	ASSERT_EQ(30, recvfrom(l->a, buf, sizeof(buf), MSG_OOB,
			       (struct sockaddr *)&from, &len));
	ASSERT_EQ(peer_len, len);
	EXPECT_EQ(0, memcmp(&peer, &from, len));
}

/*
 * Verified, it comes once. What does not verify is shown as it is: a peer that
 * starts anew counts from the beginning (RFC 6347 4.2.8).
 */
TEST_F(control, replayed_handshake_is_raw)
{
	struct dtls_counters counters;
	struct dtls_record_info info;
	struct link *l = &self->l;
	ssize_t len;
	int i;

	len = peer_seal(&l->ba, CT_HANDSHAKE, 0, text, 50, wire);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(len, send(l->b, wire, len, 0));
	ASSERT_EQ(50, recv_control(l->a, &info, buf, sizeof(buf)));
	EXPECT_EQ(0, info.flags);
	for (i = 0; i < 2 && SHOWS_TYPE(variant); i++) {
		ASSERT_EQ(len, recv_control(l->a, &info, buf, sizeof(buf)));
		EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
		EXPECT_EQ(CT_HANDSHAKE, info.type);
		EXPECT_EQ(l->ba.epoch, info.epoch);
		EXPECT_EQ(0, memcmp(buf, wire, len));
	}
	ASSERT_ERRNO(EAGAIN, recv_control(l->a, &info, buf, sizeof(buf)));
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ((__u64)2, counters.rx_replays);
}

TEST_F(control, forged_handshake_is_raw)
{
	struct dtls_counters counters;
	struct dtls_record_info info;
	struct link *l = &self->l;
	ssize_t len;

	len = peer_seal(&l->ba, CT_HANDSHAKE, 7, text, 50, wire);
	wire[len - 1] ^= 1;
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	nothing_to_read(_metadata, l);
	if (!SHOWS_TYPE(variant)) {
		ASSERT_ERRNO(EAGAIN,
			     recv_control(l->a, &info, buf, sizeof(buf)));
	} else {
		ASSERT_EQ(len, recv_control(l->a, &info, buf, sizeof(buf)));
		EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
		EXPECT_EQ(0, memcmp(buf, wire, len));
	}
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ((__u64)1, counters.rx_auth_failed);
	still_works(_metadata, l);
}

/* Expect one raw record, the @len bytes of @wire, if @shown, and no other. */
static void shown_raw(struct __test_metadata *_metadata, struct link *l,
		      ssize_t len, bool shown)
{
	struct dtls_record_info info;

	nothing_to_read(_metadata, l);
	if (shown) {
		ASSERT_EQ(len, recv_control(l->a, &info, buf, sizeof(buf)));
		EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
		EXPECT_EQ(0, memcmp(buf, wire, len));
	}
	ASSERT_ERRNO(EAGAIN, recv_control(l->a, &info, buf, sizeof(buf)));
}

/*
 * A peer that begins anew (RFC 6347 4.2.8) may have been given a connection ID
 * that this association does not know, or one where it has none. Its Finished is
 * of epoch 1, and bears the content type tls12_cid. Such a record is no forgery.
 */
TEST_F(control, handshake_with_a_connection_id_of_a_new_association_is_raw)
{
	struct dtls_counters counters;
	struct link *l = &self->l;
	struct peer_key again;
	__u64 seq;

	peer_key_init(&again, variant->cipher, IS_V13(variant->cipher) ? 2 : 1,
		      l->ba.cid_len ?: 5, 9);
	if (variant->cid_len)
		again.cid[0] = l->ba.cid[0] ^ 1;
	for (seq = 0; seq < 3; seq++) {
		ssize_t len = peer_seal(&again, CT_HANDSHAKE, seq, text, 50,
					wire);

		ASSERT_EQ(len, send(l->b, wire, len, 0));
		shown_raw(_metadata, l, len, true);
	}
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ((__u64)0, counters.rx_auth_failed);
	EXPECT_EQ((__u64)0, counters.rx_replays);
	still_works(_metadata, l);
}

/* What has a connection ID of DTLS 1.2 and is not of such a handshake */
TEST_F(control, other_records_with_a_connection_id_are_not_shown)
{
	struct link *l = &self->l;
	struct peer_key again = l->ba;
	ssize_t len;

	if (IS_V13(variant->cipher) || !variant->cid_len)
		SKIP(return, "no connection ID of DTLS 1.2");
	/* Ours is never of another association, */
	len = peer_seal(&again, CT_HANDSHAKE, 7, text, 50, wire);
	wire[len - 1] ^= 1;
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	shown_raw(_metadata, l, len, false);
	/* and a handshake ends in epoch 1. */
	again.cid[0] ^= 1;
	again.epoch = 2;
	len = peer_seal(&again, CT_HANDSHAKE, 0, text, 50, wire);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	shown_raw(_metadata, l, len, false);
	still_works(_metadata, l);
}

/*
 * A peer that begins anew may speak the other version. Of DTLS 1.3's records
 * those of epoch 2 are a handshake's.
 */
TEST_F(control, handshake_of_the_other_version_is_raw)
{
	bool v13 = IS_V13(variant->cipher);
	struct link *l = &self->l;
	struct peer_key again;
	ssize_t len;

	peer_key_init(&again, v13 ? DTLS_CIPHER_AES_GCM_128 :
				    V13(DTLS_CIPHER_AES_GCM_128),
		      v13 ? 1 : 2, 0, 9);
	len = peer_seal(&again, CT_HANDSHAKE, 0, text, 50, wire);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	shown_raw(_metadata, l, len, true);
	again.epoch = 3;
	len = peer_seal(&again, CT_DATA, 0, text, 50, wire);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	shown_raw(_metadata, l, len, false);
	still_works(_metadata, l);
}

/* Records of epoch 0, as a peer sends whose last flight was lost */
TEST_F(control, clear_records_are_raw)
{
	struct dtls_record_info info;
	struct link *l = &self->l;
	ssize_t len;

	len = plain_record(CT_HANDSHAKE, 0, 5, text, 100, wire);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	nothing_to_read(_metadata, l);
	ASSERT_EQ(len, recv_control(l->a, &info, buf, sizeof(buf)));
	EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
	EXPECT_EQ(CT_HANDSHAKE, info.type);
	EXPECT_EQ((__u64)0, info.epoch);
	EXPECT_EQ((__u64)5, info.seq);
	EXPECT_EQ(0, memcmp(buf, wire, len));
	still_works(_metadata, l);
}

TEST_F(control, works_before_any_key)
{
	struct dtls_record_info info;
	struct link l;
	ssize_t len;
	int one = 1;

	ASSERT_OK(link_open(&l, variant->family, variant->cipher,
			    variant->cid_len));
	ASSERT_OK(dtls_attach(l.a));
	ASSERT_OK(setsockopt(l.a, SOL_DTLS, DTLS_POLL_CONTROL, &one,
			     sizeof(one)));
	len = plain_record(CT_HANDSHAKE, 0, 0, text, 200, wire);
	ASSERT_EQ(len, send(l.b, wire, len, 0));
	ASSERT_EQ(POLLPRI, poll_for(l.a, POLLIN | POLLPRI, SOON_MS));
	ASSERT_EQ(len, recv_control(l.a, &info, buf, sizeof(buf)));
	EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
	EXPECT_EQ(0, memcmp(buf, wire, len));
	link_close(&l);
}

/* 1.0 stands in the record of a ClientHello or HelloVerifyRequest. */
TEST_F(control, clear_record_of_version_1_0)
{
	struct dtls_record_info info;
	struct link *l = &self->l;
	ssize_t len;

	len = plain_record(CT_HANDSHAKE, 0, 0, text, 100, wire);
	wire[2] = 0xff;
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	ASSERT_EQ(len, recv_control(l->a, &info, buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, wire, len));
}

/*
 * Alerts
 */

TEST_F(control, close_notify_is_end_of_file_for_ever)
{
	struct dtls_record_info info;
	struct link *l = &self->l;
	int i;

	EXPECT_FALSE(eof_flag(_metadata, l));
	ASSERT_EQ(2, link_send(l, CT_ALERT, close_notify, 2));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, recv(l->a, buf, sizeof(buf), 0));
		ASSERT_EQ(0, recv_now(l->a, buf, sizeof(buf)));
		ASSERT_EQ(0, recv(l->a, buf, sizeof(buf), MSG_PEEK));
	}
	EXPECT_TRUE(eof_flag(_metadata, l));
	ASSERT_EQ(2, recv_control(l->a, &info, buf, sizeof(buf)));
	EXPECT_EQ(CT_ALERT, info.type);
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(0, memcmp(buf, close_notify, 2));
	ASSERT_EQ(0, recv(l->a, buf, sizeof(buf), 0));

	/* The other direction is still open, for our own close_notify. */
	ASSERT_EQ(2, send_control(l->a, CT_ALERT, 0, close_notify, 2));
	ASSERT_EQ(2, link_recv(l, &rec));
	EXPECT_EQ(CT_ALERT, rec.type);
}

TEST_F(control, data_before_close_notify_is_not_lost)
{
	struct link *l = &self->l;
	int i;

	for (i = 0; i < 5; i++)
		ASSERT_EQ(70 + i, link_send(l, CT_DATA, text, 70 + i));
	ASSERT_EQ(2, link_send(l, CT_ALERT, close_notify, 2));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(70 + i, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_EQ(0, recv(l->a, buf, sizeof(buf), 0));
}

/* Also if the control queue's reader, or poll, came to it first */
TEST_F(control, data_before_close_notify_is_not_lost_to_a_glance)
{
	struct dtls_record_info info;
	struct link *l = &self->l;
	int i;

	for (i = 0; i < 5; i++)
		ASSERT_EQ(70 + i, link_send(l, CT_DATA, text, 70 + i));
	ASSERT_EQ(2, link_send(l, CT_ALERT, close_notify, 2));
	ASSERT_EQ(2, recv_control(l->a, &info, buf, sizeof(buf)));
	for (i = 0; i < 5; i++) {
		ASSERT_TRUE(poll_for(l->a, POLLIN | POLLRDHUP, 0) & POLLIN);
		ASSERT_EQ(70 + i, recv(l->a, buf, sizeof(buf), MSG_PEEK));
		ASSERT_EQ(70 + i, recv(l->a, buf, sizeof(buf), 0));
	}
	ASSERT_EQ(0, recv(l->a, buf, sizeof(buf), 0));
}

TEST_F(control, fatal_alert_is_an_error_once)
{
	struct dtls_record_info info;
	struct link *l = &self->l;

	ASSERT_EQ(60, link_send(l, CT_DATA, text, 60));
	ASSERT_EQ(2, link_send(l, CT_ALERT, fatal, 2));
	ASSERT_EQ(60, recv(l->a, buf, sizeof(buf), 0));
	ASSERT_ERRNO(ECONNRESET, recv(l->a, buf, sizeof(buf), 0));
	nothing_to_read(_metadata, l);
	ASSERT_EQ(2, recv_control(l->a, &info, buf, sizeof(buf)));
	EXPECT_EQ(CT_ALERT, info.type);
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(0, memcmp(buf, fatal, 2));
}

TEST_F(control, fatal_alert_is_pollerr)
{
	struct link *l = &self->l;
	socklen_t len = sizeof(int);
	int err = 0;

	ASSERT_EQ(2, link_send(l, CT_ALERT, fatal, 2));
	ASSERT_TRUE(poll_for(l->a, POLLIN, SOON_MS) & POLLERR);
	ASSERT_OK(getsockopt(l->a, SOL_SOCKET, SO_ERROR, &err, &len));
	EXPECT_EQ(ECONNRESET, err);
}

TEST_F(control, warning_is_only_shown)
{
	static const __u8 warning[] = { ALERT_WARNING, ALERT_USER_CANCELED };
	struct dtls_record_info info;
	struct link *l = &self->l;

	ASSERT_EQ(2, link_send(l, CT_ALERT, warning, 2));
	nothing_to_read(_metadata, l);
	still_works(_metadata, l);
	ASSERT_EQ(2, recv_control(l->a, &info, buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, warning, 2));
}

/* RFC 8446 6: in DTLS 1.3 the level says nothing. */
TEST_F(control, level_of_an_alert)
{
	static const __u8 alerts[][2] = {
		{ ALERT_WARNING, ALERT_INTERNAL_ERROR },
		{ ALERT_FATAL, ALERT_USER_CANCELED },
	};
	bool v13 = IS_V13(variant->cipher);
	struct link *l = &self->l;
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(2, link_send(l, CT_ALERT, alerts[i], 2));
		if (i != v13) {
			ASSERT_ERRNO(ECONNRESET,
				     recv(l->a, buf, sizeof(buf), 0));
		}
		nothing_to_read(_metadata, l);
	}
	still_works(_metadata, l);
}

/* RFC 5246 7.2: two bytes. Anything else means nothing. */
TEST_F(control, alerts_of_wrong_size_do_nothing)
{
	static const __u8 odd[] = { ALERT_FATAL, 0, 0, 0, 0 };
	struct link *l = &self->l;
	int len;

	for (len = 0; len <= 5; len++) {
		if (len == 2)
			continue;
		ASSERT_EQ(len, link_send(l, CT_ALERT, odd, len));
		nothing_to_read(_metadata, l);
	}
	EXPECT_FALSE(eof_flag(_metadata, l));
	still_works(_metadata, l);
}

/* Anybody can write an alert in the clear: it is shown and not obeyed. */
TEST_F(control, clear_alerts_do_nothing)
{
	struct dtls_record_info info;
	const __u8 *alerts[] = { close_notify, fatal };
	struct link *l = &self->l;
	unsigned int i;
	ssize_t len;

	for (i = 0; i < 2; i++) {
		len = plain_record(CT_ALERT, 0, i, alerts[i], 2, wire);
		ASSERT_EQ(len, send(l->b, wire, len, 0));
		nothing_to_read(_metadata, l);
		EXPECT_EQ(0, poll_for(l->a, POLLIN | POLLRDHUP, 0));
		EXPECT_FALSE(eof_flag(_metadata, l));
		ASSERT_EQ(len, recv_control(l->a, &info, buf, sizeof(buf)));
		EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
		EXPECT_EQ(CT_ALERT, info.type);
		EXPECT_EQ(0, memcmp(buf, wire, len));
		still_works(_metadata, l);
	}
}

/*
 * Budgets
 */

TEST_F(control, clear_flood_is_bounded_and_data_flows)
{
	unsigned int i, n = rounds(20000, 500);
	struct dtls_record_info ri;
	struct link *l = &self->l;
	struct dtls_info info;
	struct dtls_counters counters;
	long long dropped;
	ssize_t len;

	dropped = dtls_stat("DtlsRxNoBudget");
	len = plain_record(CT_HANDSHAKE, 0, 0, text, 1000, wire);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(len, send(l->b, wire, len, 0));
		if (i % 50 == 49)
			still_works(_metadata, l);
	}
	still_works(_metadata, l);
	ASSERT_OK(dtls_get_info(l->a, &info));
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_LT((__u64)0, counters.rx_no_budget);
	EXPECT_EQ(dropped + (long long)counters.rx_no_budget,
		  dtls_stat("DtlsRxNoBudget"));
	EXPECT_LT(0u, info.control_queued);
	EXPECT_GT(1u << 20, info.control_queued);

	/* It does not keep out what is authentic. */
	ASSERT_EQ(50, link_send(l, CT_HANDSHAKE, text, 50));
	nothing_to_read(_metadata, l);
	do {
		len = recv_control(l->a, &ri, buf, sizeof(buf));
		ASSERT_LE(0, len);
	} while (ri.flags & DTLS_RECORD_RAW);
	EXPECT_EQ(CT_HANDSHAKE, ri.type);
	EXPECT_EQ(50, len);
	while (recv_control(l->a, &ri, buf, sizeof(buf)) >= 0)
		;
	ASSERT_OK(dtls_get_info(l->a, &info));
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ(0u, info.control_queued);
}

TEST_F(control, sealed_flood_is_bounded_and_data_flows)
{
	unsigned int i, n = rounds(6000, 500);
	struct dtls_record_info ri;
	struct link *l = &self->l;
	struct dtls_counters counters;
	unsigned int got = 0;

	for (i = 0; i < n; i++) {
		ASSERT_EQ(1000, link_send(l, CT_HANDSHAKE, text, 1000));
		if (i % 50 == 49)
			still_works(_metadata, l);
	}
	still_works(_metadata, l);
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_LT((__u64)0, counters.rx_no_budget);
	while (recv_control(l->a, &ri, buf, sizeof(buf)) >= 0)
		got++;
	EXPECT_LT(0u, got);
	EXPECT_EQ((__u64)n, got + counters.rx_no_budget);
	still_works(_metadata, l);
}

/* With the queue full, the end of file is still seen. */
TEST_F(control, close_notify_behind_a_flood)
{
	unsigned int i, n = rounds(1000, 500);
	struct link *l = &self->l;

	for (i = 0; i < n; i++) {
		ASSERT_EQ(1000, link_send(l, CT_HANDSHAKE, text, 1000));
		if (i % 50 == 49)
			nothing_to_read(_metadata, l);
	}
	ASSERT_EQ(2, link_send(l, CT_ALERT, close_notify, 2));
	ASSERT_EQ(0, recv(l->a, buf, sizeof(buf), 0));
	EXPECT_TRUE(eof_flag(_metadata, l));
}

/*
 * RFC 9147 4.5.3 sets a limit on forgeries; where it is near, the library is
 * told. For CCM_8 that is soon, and 128 forgeries are its limit.
 */
TEST_F(control, forgeries_near_the_limit_are_told)
{
	bool ccm_8 = (variant->cipher & ~V13(0)) == DTLS_CIPHER_AES_CCM_8_128;
	struct dtls_record_info info;
	struct link *l = &self->l;
	int i, one = 1;
	ssize_t len;

	ASSERT_OK(setsockopt(l->a, SOL_DTLS, DTLS_POLL_CONTROL, &one,
			     sizeof(one)));
	len = peer_seal(&l->ba, CT_DATA, 0, text, 20, wire);
	wire[len - 1] ^= 1;
	for (i = 0; i < 127; i++) {
		ASSERT_EQ(len, send(l->b, wire, len, 0));
		nothing_to_read(_metadata, l);
	}
	ASSERT_EQ(ccm_8 ? POLLPRI : 0, poll_for(l->a, POLLIN | POLLPRI, 0));
	if (ccm_8) {
		ASSERT_EQ(0, recv_control(l->a, &info, buf, sizeof(buf)));
		EXPECT_EQ(DTLS_RECORD_EVENT, info.flags);
		EXPECT_EQ(DTLS_EVENT_RX_LIMIT, info.event);
		EXPECT_EQ(l->ba.epoch, info.epoch);
	}
	ASSERT_ERRNO(EAGAIN, recv_control(l->a, &info, buf, sizeof(buf)));
	still_works(_metadata, l);
}

TEST_F(control, counted)
{
	struct link *l = &self->l;
	struct dtls_info info;
	struct dtls_counters counters;
	ssize_t len;

	ASSERT_EQ(50, link_send(l, CT_HANDSHAKE, text, 50));
	len = plain_record(CT_HANDSHAKE, 0, 0, text, 100, wire);
	ASSERT_EQ(len, send(l->b, wire, len, 0));
	nothing_to_read(_metadata, l);
	ASSERT_OK(dtls_get_info(l->a, &info));
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ((__u64)2, counters.rx_control);
	EXPECT_EQ((__u64)0, counters.rx_records);
	EXPECT_LT(0u, info.control_queued);
}

TEST_HARNESS_MAIN
