// SPDX-License-Identifier: GPL-2.0
/*
 * Sending: every way to send makes the right records and puts nothing but
 * ciphertext on the wire. The receiver is a plain UDP socket with the second
 * implementation behind it.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "common.h"

#define MARK		"this must never be seen on the wire. "
#define MARK_LEN	((int)sizeof(MARK) - 1)

static __u8 text[1 << 18], buf[1 << 18], wire[DGRAM_MAX];
static struct peer_record rec;

/* Every stretch of it holds the mark, and no two places look the same. */
static void fill_text(void)
{
	unsigned int i;

	for (i = 0; i + 64 <= sizeof(text); i += 64)
		snprintf((char *)text + i, 64, MARK "%025u", i);
}

LINK_FIXTURE(transmit);

LINK_VARIANT(transmit, v4, DTLS_CIPHER_AES_GCM_128, AF_INET, 0);
LINK_VARIANT(transmit, v6, DTLS_CIPHER_CHACHA20_POLY1305, AF_INET6, 0);
LINK_VARIANT(transmit, v4_cid, DTLS_CIPHER_AES_CCM_128, AF_INET, 4);
LINK_VARIANT(transmit, v6_cid, DTLS_CIPHER_AES_GCM_256, AF_INET6, 20);
LINK_VARIANT(transmit, v13_v4, V13(DTLS_CIPHER_AES_GCM_128), AF_INET, 0);
LINK_VARIANT(transmit, v13_v6, V13(DTLS_CIPHER_CHACHA20_POLY1305), AF_INET6, 0);
LINK_VARIANT(transmit, v13_v4_cid, V13(DTLS_CIPHER_AES_CCM_8_128), AF_INET, 4);

FIXTURE_SETUP(transmit)
{
	stay();
	ASSERT_OK(link_raw(&self->l, variant->family, variant->cipher,
			   variant->cid_len));
	ASSERT_OK(deep_queue(self->l.b));
	fill_text();
}

FIXTURE_TEARDOWN(transmit)
{
	link_close(&self->l);
}

/*
 * What arrives at raw @l->b is @want in records numbered from @seq on, in any
 * number of datagrams, and not one byte of it in the clear. Returns the number
 * after the last one.
 */
static __u64 arrives(struct __test_metadata *_metadata, struct link *l,
		     const __u8 *want, size_t len, __u64 seq)
{
	size_t got = 0;
	ssize_t n, at, one;

	while (got < len) {
		n = recv(l->b, wire, sizeof(wire), 0);
		ASSERT_LT(0, n)
			TH_LOG("%zu of %zu bytes came: %s", got, len,
			       strerror(errno));
		ASSERT_NULL(memmem(wire, n, MARK, 12));
		for (at = 0; at < n; at += one, seq++) {
			one = peer_open(&l->ab, wire + at, n - at, &rec);
			ASSERT_LT(0, one);
			ASSERT_EQ(CT_DATA, rec.type);
			ASSERT_EQ(seq, rec.seq);
			ASSERT_LE(got + rec.len, len);
			ASSERT_EQ(0, memcmp(rec.data, want + got, rec.len));
			got += rec.len;
		}
	}
	return seq;
}

/* One datagram of exactly these records, numbered from @seq on */
static void arrives_as(struct __test_metadata *_metadata, struct link *l,
		       __u64 seq, int count, const int *lens)
{
	const __u8 *want = text;
	ssize_t n, one, at = 0;
	int i;

	n = recv(l->b, wire, sizeof(wire), 0);
	ASSERT_LT(0, n);
	for (i = 0; i < count; i++) {
		one = peer_open(&l->ab, wire + at, n - at, &rec);
		ASSERT_LT(0, one);
		ASSERT_EQ(seq + i, rec.seq);
		ASSERT_EQ((size_t)lens[i], rec.len);
		ASSERT_EQ(0, memcmp(rec.data, want, rec.len));
		want += rec.len;
		at += one;
	}
	ASSERT_EQ(n, at);
}

static void nothing_arrives(struct __test_metadata *_metadata, struct link *l)
{
	ASSERT_ERRNO(EAGAIN, recv_now(l->b, wire, sizeof(wire)));
}

static __u64 tx_seq(struct __test_metadata *_metadata, struct link *l)
{
	struct dtls_info info;

	ASSERT_OK(dtls_get_info(l->a, &info));
	return info.tx_seq;
}

TEST_F(transmit, empty_send_is_an_empty_record)
{
	struct link *l = &self->l;

	ASSERT_EQ(0, send(l->a, text, 0, 0));
	ASSERT_EQ(0, link_recv(l, &rec));
	EXPECT_EQ(CT_DATA, rec.type);
	EXPECT_EQ((__u64)0, rec.seq);
	ASSERT_EQ((__u64)1, tx_seq(_metadata, l));
}

TEST_F(transmit, largest_record)
{
	struct link *l = &self->l;

	ASSERT_EQ(PLAIN_MAX, send(l->a, text, PLAIN_MAX, 0));
	arrives(_metadata, l, text, PLAIN_MAX, 0);
}

TEST_F(transmit, too_large_is_refused_without_a_number)
{
	struct link *l = &self->l;

	ASSERT_ERRNO(EMSGSIZE, send(l->a, text, PLAIN_MAX + 1, 0));
	ASSERT_ERRNO(EMSGSIZE, send(l->a, text, 65507, 0));
	ASSERT_ERRNO(EMSGSIZE, send(l->a, text, 70000, 0));
	nothing_arrives(_metadata, l);
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));
	ASSERT_EQ(5, send(l->a, text, 5, 0));
	arrives(_metadata, l, text, 5, 0);
}

TEST_F(transmit, bad_address_is_refused)
{
	struct link *l = &self->l;

	ASSERT_ERRNO(EFAULT, send(l->a, (void *)8, 100, 0));
	nothing_arrives(_metadata, l);
	ASSERT_EQ(5, send(l->a, text, 5, 0));
	ASSERT_EQ(5, link_recv(l, &rec));
	EXPECT_EQ(0, memcmp(text, rec.data, 5));
}

TEST_F(transmit, write_and_writev)
{
	struct link *l = &self->l;
	struct iovec iov[] = {
		{ text + 100, 7 }, { NULL, 0 }, { text + 107, 500 },
		{ text + 607, 1 },
	};

	ASSERT_EQ(100, write(l->a, text, 100));
	ASSERT_EQ(508, writev(l->a, iov, 4));
	ASSERT_EQ((__u64)2, arrives(_metadata, l, text, 608, 0));
}

TEST_F(transmit, sendmsg_gathers_one_record)
{
	struct link *l = &self->l;
	struct iovec iov[64];
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 64 };
	int i;

	/* Pieces of odd sizes on many pages */
	for (i = 0; i < 64; i++) {
		iov[i].iov_base = text + i * 97;
		iov[i].iov_len = 97;
	}
	ASSERT_EQ(64 * 97, sendmsg(l->a, &msg, 0));
	ASSERT_EQ((__u64)1, arrives(_metadata, l, text, 64 * 97, 0));
}

TEST_F(transmit, sendmmsg)
{
	struct mmsghdr msgs[8] = {};
	struct link *l = &self->l;
	struct iovec iov[8];
	int i;

	for (i = 0; i < 8; i++) {
		iov[i].iov_base = text + i * 300;
		iov[i].iov_len = 300;
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	ASSERT_EQ(8, sendmmsg(l->a, msgs, 8, 0));
	for (i = 0; i < 8; i++)
		EXPECT_EQ(300u, msgs[i].msg_len);
	ASSERT_EQ((__u64)8, arrives(_metadata, l, text, 2400, 0));
}

TEST_F(transmit, sendto_the_peer)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	struct link *l = &self->l;

	ASSERT_OK(getsockname(l->b, (struct sockaddr *)&addr, &len));
	ASSERT_EQ(50, sendto(l->a, text, 50, 0, (struct sockaddr *)&addr, len));
	arrives(_metadata, l, text, 50, 0);
}

TEST_F(transmit, sendto_another_address_is_refused)
{
	int other = udp_socket(variant->family);
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	struct link *l = &self->l;

	ASSERT_LE(0, other);
	ASSERT_OK(getsockname(other, (struct sockaddr *)&addr, &len));
	ASSERT_ERRNO(EISCONN, sendto(l->a, text, 50, 0,
				     (struct sockaddr *)&addr, len));
	ASSERT_ERRNO(EAGAIN, recv_now(other, wire, sizeof(wire)));
	nothing_arrives(_metadata, l);
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));
	close(other);
}

TEST_F(transmit, before_the_key_nothing_goes_out)
{
	struct mmsghdr mm = {};
	struct iovec iov = { text, 100 };
	int p[2], file;
	struct link l;

	ASSERT_OK(link_open(&l, variant->family, variant->cipher,
			    variant->cid_len));
	ASSERT_OK(dtls_attach(l.a));
	mm.msg_hdr.msg_iov = &iov;
	mm.msg_hdr.msg_iovlen = 1;
	ASSERT_ERRNO(ENOKEY, send(l.a, text, 100, 0));
	ASSERT_ERRNO(ENOKEY, send(l.a, text, 0, 0));
	ASSERT_ERRNO(ENOKEY, send(l.a, text, 100, MSG_MORE));
	ASSERT_ERRNO(ENOKEY, write(l.a, text, 100));
	ASSERT_ERRNO(ENOKEY, sendmmsg(l.a, &mm, 1, 0));
	ASSERT_ERRNO(ENOKEY, send_segments(l.a, text, 100, 10, 0));
	ASSERT_ERRNO(ENOKEY, send_control(l.a, CT_ALERT, 0, text, 2));

	file = memfd_create("text", 0);
	ASSERT_EQ(5000, write(file, text, 5000));
	ASSERT_EQ(0, lseek(file, 0, SEEK_SET));
	ASSERT_ERRNO(ENOKEY, sendfile(l.a, file, NULL, 5000));
	ASSERT_OK(pipe(p));
	ASSERT_EQ(100, write(p[1], text, 100));
	ASSERT_ERRNO(ENOKEY, splice(p[0], NULL, l.a, NULL, 100, 0));
	nothing_arrives(_metadata, &l);

	/* The read key does not help either. */
	ASSERT_OK(dtls_set_key(l.a, DTLS_RX, &l.ba));
	ASSERT_ERRNO(ENOKEY, send(l.a, text, 100, 0));
	nothing_arrives(_metadata, &l);

	ASSERT_OK(dtls_set_key(l.a, DTLS_TX, &l.ab));
	ASSERT_EQ(100, send(l.a, text, 100, 0));
	ASSERT_EQ((__u64)1, arrives(_metadata, &l, text, 100, 0));
	nothing_arrives(_metadata, &l);
	link_close(&l);
}

TEST_F(transmit, raw_goes_out_as_it_is)
{
	struct link *l = &self->l;
	ssize_t n;

	n = plain_record(CT_HANDSHAKE, 0, 3, text, 80, buf);
	ASSERT_EQ(n, send_control(l->a, 0, DTLS_RECORD_RAW, buf, n));
	ASSERT_EQ(n, recv(l->b, wire, sizeof(wire), 0));
	EXPECT_EQ(0, memcmp(wire, buf, n));
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));
}

TEST_F(transmit, raw_goes_out_before_the_key)
{
	struct link l;

	ASSERT_OK(link_open(&l, variant->family, variant->cipher,
			    variant->cid_len));
	ASSERT_OK(dtls_attach(l.a));
	ASSERT_EQ(77, send_control(l.a, 0, DTLS_RECORD_RAW, text, 77));
	ASSERT_EQ(77, recv(l.b, wire, sizeof(wire), 0));
	EXPECT_EQ(0, memcmp(wire, text, 77));
	link_close(&l);
}

/* What works on records is refused with a datagram that is none. */
TEST_F(transmit, raw_is_not_cut_nor_packed)
{
	struct link *l = &self->l;
	struct dtls_record_info raw = { .flags = DTLS_RECORD_RAW };
	char ctl[CMSG_SPACE(sizeof(raw)) + CMSG_SPACE(sizeof(__u16))] = {};
	struct iovec iov = { text, 300 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = ctl,
			      .msg_controllen = sizeof(ctl) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int val = 100, one = 1;

	c->cmsg_level = SOL_DTLS;
	c->cmsg_type = DTLS_RECORD_INFO;
	c->cmsg_len = CMSG_LEN(sizeof(raw));
	memcpy(CMSG_DATA(c), &raw, sizeof(raw));
	c = (void *)(ctl + CMSG_SPACE(sizeof(raw)));
	c->cmsg_level = SOL_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(__u16));
	*(__u16 *)CMSG_DATA(c) = 100;
	ASSERT_ERRNO(EINVAL, sendmsg(l->a, &msg, 0));
	msg.msg_controllen = CMSG_SPACE(sizeof(raw));
	ASSERT_ERRNO(EINVAL, sendmsg(l->a, &msg, MSG_MORE));
	nothing_arrives(_metadata, l);

	/* The options are about records, and go on to be. */
	ASSERT_OK(setsockopt(l->a, SOL_UDP, UDP_SEGMENT, &val, sizeof(val)));
	ASSERT_OK(setsockopt(l->a, SOL_UDP, 1 /* CORK */, &one, sizeof(one)));
	ASSERT_EQ(300, sendmsg(l->a, &msg, 0));
	ASSERT_EQ(300, recv(l->b, wire, sizeof(wire), 0));
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));
}

TEST_F(transmit, control_record_is_not_cut)
{
	struct link *l = &self->l;
	struct dtls_record_info info = { .type = CT_HANDSHAKE };
	char ctl[CMSG_SPACE(sizeof(info)) + CMSG_SPACE(sizeof(__u16))] = {};
	struct iovec iov = { text, 300 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = ctl,
			      .msg_controllen = sizeof(ctl) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_DTLS;
	c->cmsg_type = DTLS_RECORD_INFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	c = (void *)(ctl + CMSG_SPACE(sizeof(info)));
	c->cmsg_level = SOL_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(__u16));
	*(__u16 *)CMSG_DATA(c) = 100;
	ASSERT_ERRNO(EINVAL, sendmsg(l->a, &msg, 0));
	nothing_arrives(_metadata, l);
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));
}

/* To cut and to pack at once cannot be had, nor half a datagram's cmsgs. */
TEST_F(transmit, cut_records_are_not_packed)
{
	bool v4 = variant->family == AF_INET;
	char ctl[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { text, 20 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = ctl,
			      .msg_controllen = sizeof(ctl) };
	static const int lens[] = { 20, 20 };
	struct link *l = &self->l;
	struct cmsghdr *c;

	ASSERT_ERRNO(EINVAL, send_segments(l->a, text, 300, 100, MSG_MORE));
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = v4 ? SOL_IP : SOL_IPV6;
	c->cmsg_type = v4 ? IP_TOS : IPV6_TCLASS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	ASSERT_ERRNO(EINVAL, sendmsg(l->a, &msg, MSG_MORE));
	nothing_arrives(_metadata, l);
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));

	/* With the last record they are the datagram's. */
	ASSERT_EQ(20, send(l->a, text, 20, MSG_MORE));
	iov.iov_base = text + 20;
	ASSERT_EQ(20, sendmsg(l->a, &msg, 0));
	arrives_as(_metadata, l, 0, 2, lens);
}

TEST_F(transmit, control_types)
{
	struct link *l = &self->l;
	int type;

	bool v13 = IS_V13(variant->cipher);
	__u64 seq = 0;

	for (type = 0; type < 256; type++) {
		/* RFC 6347 4.1; RFC 9147 4.1 */
		if (type < (v13 ? CT_ALERT : CT_CCS) || type == CT_CID ||
		    type > (v13 ? CT_ACK : CT_HEARTBEAT)) {
			ASSERT_ERRNO(EINVAL,
				     send_control(l->a, type, 0, text, 40));
			continue;
		}
		ASSERT_EQ(40, send_control(l->a, type, 0, text, 40));
		ASSERT_EQ(40, link_recv(l, &rec));
		EXPECT_EQ(type, rec.type);
		EXPECT_EQ(seq++, rec.seq);
		EXPECT_EQ(0, memcmp(rec.data, text, 40));
	}
	nothing_arrives(_metadata, l);
}

/* Room for a DTLS_RECORD_INFO, also for one that is longer than it is now */
union info_room {
	char space[CMSG_SPACE(2 * sizeof(struct dtls_record_info))];
	struct cmsghdr align;
};

static void info_msg(struct msghdr *msg, union info_room *room,
		     const void *info, size_t info_len, struct iovec *iov)
{
	struct cmsghdr *c;

	memset(room, 0, sizeof(*room));
	*msg = (struct msghdr){ .msg_iov = iov, .msg_iovlen = 1,
				.msg_control = room->space,
				.msg_controllen = CMSG_SPACE(info_len) };
	c = CMSG_FIRSTHDR(msg);
	c->cmsg_level = SOL_DTLS;
	c->cmsg_type = DTLS_RECORD_INFO;
	c->cmsg_len = CMSG_LEN(info_len);
	memcpy(CMSG_DATA(c), info, info_len);
}

static ssize_t send_info(int fd, const void *info, size_t info_len)
{
	struct iovec iov = { text, 30 };
	union info_room room;
	struct msghdr msg;

	info_msg(&msg, &room, info, info_len, &iov);
	return sendmsg(fd, &msg, 0);
}

TEST_F(transmit, record_info_names_the_current_epoch)
{
	struct dtls_record_info info = { .type = CT_HANDSHAKE };
	struct link *l = &self->l;

	info.epoch = l->ab.epoch;

	ASSERT_EQ(30, send_info(l->a, &info, sizeof(info)));
	ASSERT_EQ(30, link_recv(l, &rec));
	EXPECT_EQ(CT_HANDSHAKE, rec.type);

	info.epoch++;
	ASSERT_ERRNO(ESTALE, send_info(l->a, &info, sizeof(info)));
	l->ab.epoch++;
	ASSERT_OK(dtls_set_key(l->a, DTLS_TX, &l->ab));
	ASSERT_EQ(30, send_info(l->a, &info, sizeof(info)));
	ASSERT_EQ(30, link_recv(l, &rec));
	EXPECT_EQ(info.epoch, rec.epoch);
	info.epoch--;
	ASSERT_ERRNO(ESTALE, send_info(l->a, &info, sizeof(info)));
	nothing_arrives(_metadata, l);
	ASSERT_EQ((__u64)1, tx_seq(_metadata, l));
}

/* For the ACK that will name them (RFC 9147 7) */
TEST_F(transmit, number_of_a_control_record_is_told)
{
	struct dtls_record_number number = { .epoch = 77, .seq = 77 };
	struct dtls_record_info handshake = {
		.type = CT_HANDSHAKE, .number_ptr = (uintptr_t)&number,
	};
	struct link *l = &self->l;
	int i;

	for (i = 1; i < 4; i++) {
		ASSERT_EQ(10, send(l->a, text, 10, 0));
		ASSERT_EQ(30, send_info(l->a, &handshake, sizeof(handshake)));
		ASSERT_EQ(2000, send_segments(l->a, text, 2000, 1000, 0));
		EXPECT_EQ(l->ab.epoch, number.epoch);
		EXPECT_EQ((__u64)4 * i - 3, number.seq);
		ASSERT_EQ(10, link_recv(l, &rec));
		ASSERT_EQ(30, link_recv(l, &rec));
		EXPECT_EQ(number.seq, rec.seq);
		ASSERT_EQ(1000, link_recv(l, &rec));
		ASSERT_EQ(1000, link_recv(l, &rec));
	}
	l->ab.epoch++;
	ASSERT_OK(dtls_set_key(l->a, DTLS_TX, &l->ab));
	ASSERT_EQ(30, send_info(l->a, &handshake, sizeof(handshake)));
	EXPECT_EQ(l->ab.epoch, number.epoch);
	EXPECT_EQ((__u64)0, number.seq);
}

/* A program that tries again must not use its key up. */
TEST_F(transmit, number_that_cannot_be_told_is_not_spent)
{
	struct dtls_record_info info = { .type = CT_HANDSHAKE };
	struct dtls_record_number *page;
	struct link *l = &self->l;
	long size = getpagesize();
	__u64 wrong[4];
	size_t i;

	page = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)page);
	wrong[0] = 8;
	wrong[1] = (uintptr_t)page;
	wrong[2] = 1ULL << 63;		/* the kernel's half */
	wrong[3] = ~0ULL - 8;		/* wraps */
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		info.number_ptr = wrong[i];
		ASSERT_ERRNO(EFAULT, send_info(l->a, &info, sizeof(info)));
	}
	nothing_arrives(_metadata, l);
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));

	/* What is refused for another reason leaves zeros or nothing there. */
	ASSERT_OK(mprotect(page, size, PROT_READ | PROT_WRITE));
	page->epoch = 77;
	info.number_ptr = (uintptr_t)page;
	info.epoch = l->ab.epoch + 1;
	ASSERT_ERRNO(ESTALE, send_info(l->a, &info, sizeof(info)));
	EXPECT_EQ((__u64)77, page->epoch);
	info.epoch = l->ab.epoch;
	ASSERT_EQ(30, send_info(l->a, &info, sizeof(info)));
	EXPECT_EQ(l->ab.epoch, page->epoch);
	ASSERT_OK(munmap(page, size));
}

#define NUMBERED_EACH	200

struct numbered {
	struct link *l;
	unsigned int who;
	struct dtls_record_number number[NUMBERED_EACH];
};

static void *send_numbered(void *arg)
{
	struct numbered *n = arg;
	unsigned int i, content[2] = { n->who };
	struct iovec iov = { content, sizeof(content) };
	struct dtls_record_info info = { .type = CT_HANDSHAKE };
	union info_room room;
	struct msghdr msg;

	for (i = 0; i < NUMBERED_EACH; i++) {
		content[1] = i;
		info.number_ptr = (uintptr_t)&n->number[i];
		info_msg(&msg, &room, &info, sizeof(info), &iov);
		if (sendmsg(n->l->a, &msg, 0) != sizeof(content))
			return n;
	}
	return NULL;
}

/* Each of several senders learns the numbers of its own records. */
TEST_F(transmit, numbers_are_told_to_who_sent_them)
{
	static struct numbered n[3];
	pthread_t thread[ARRAY_SIZE(n)];
	struct link *l = &self->l;
	unsigned int i, content[2];
	void *failed;

	ASSERT_OK(deep_queue(l->b));
	for (i = 0; i < ARRAY_SIZE(n); i++) {
		n[i] = (struct numbered){ .l = l, .who = i };
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, send_numbered,
					    &n[i]));
	}
	for (i = 0; i < ARRAY_SIZE(n); i++) {
		ASSERT_EQ(0, pthread_join(thread[i], &failed));
		ASSERT_EQ(NULL, failed);
	}
	for (i = 0; i < ARRAY_SIZE(n) * NUMBERED_EACH; i++) {
		ASSERT_EQ((ssize_t)sizeof(content), link_recv(l, &rec));
		memcpy(content, rec.data, sizeof(content));
		ASSERT_GT(ARRAY_SIZE(n), content[0]);
		ASSERT_GT(NUMBERED_EACH, content[1]);
		ASSERT_EQ(rec.seq, n[content[0]].number[content[1]].seq);
		ASSERT_EQ(l->ab.epoch, n[content[0]].number[content[1]].epoch);
	}
}

TEST_F(transmit, wrong_record_info_is_refused)
{
	static const struct dtls_record_info wrong[] = {
		{ .type = 0 },
		{ .type = CT_CID },
		{ .type = CT_ALERT, .seq = 1 },
		{ .type = CT_ALERT, .flags = 0x80 },
		{ .type = CT_ALERT, .flags = DTLS_RECORD_EVENT },
		{ .type = CT_ALERT, .event = DTLS_EVENT_TX_LIMIT },
		{ .type = CT_ALERT, .reserved = 1 },
		{ .type = CT_ALERT, .flags = DTLS_RECORD_RAW },
		{ .flags = DTLS_RECORD_RAW, .epoch = 1 },
		{ .flags = DTLS_RECORD_RAW, .seq = 1 },
	};
	struct dtls_record_info right = { .type = CT_ALERT };
	struct link *l = &self->l;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		ASSERT_EQ(-1, send_info(l->a, &wrong[i], sizeof(wrong[i])))
			TH_LOG("number %u", i);
		ASSERT_EQ(EINVAL, errno);
	}
	nothing_arrives(_metadata, l);
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));
	right.id = 1;
	ASSERT_ERRNO(ENOENT, send_info(l->a, &right, sizeof(right)));
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));
}

/* A program may have been compiled with an older header, or with a newer one. */
TEST_F(transmit, record_info_of_another_length)
{
	static __u8 info[2 * sizeof(struct dtls_record_info)];
	struct dtls_record_info *known = (struct dtls_record_info *)info;
	size_t shortest = offsetof(struct dtls_record_info, reserved);
	struct link *l = &self->l;
	size_t len;

	known->type = CT_HANDSHAKE;
	for (len = 0; len < shortest; len++)
		ASSERT_ERRNO(EINVAL, send_info(l->a, info, len));
	for (; len <= sizeof(info); len++) {
		ASSERT_EQ(30, send_info(l->a, info, len))
			TH_LOG("%zu bytes", len);
		ASSERT_EQ(30, link_recv(l, &rec));
		EXPECT_EQ(CT_HANDSHAKE, rec.type);
	}
	for (len = sizeof(*known); len < sizeof(info); len++) {
		info[len] = 1;
		ASSERT_ERRNO(E2BIG, send_info(l->a, info, sizeof(info)));
		ASSERT_ERRNO(E2BIG, send_info(l->a, info, len + 1));
		info[len] = 0;
	}
	nothing_arrives(_metadata, l);
}

TEST_F(transmit, urgent_is_refused)
{
	struct link *l = &self->l;

	ASSERT_ERRNO(EOPNOTSUPP, send(l->a, text, 100, MSG_OOB));
	nothing_arrives(_metadata, l);
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));
}

TEST_F(transmit, zerocopy_is_refused)
{
	struct link *l = &self->l;
	int one = 1;

	setsockopt(l->a, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one));
	ASSERT_ERRNO(EOPNOTSUPP, send(l->a, text, 100, MSG_ZEROCOPY));
	nothing_arrives(_metadata, l);
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));
}

TEST_F(transmit, probe_makes_no_record)
{
	struct link *l = &self->l;

	ASSERT_EQ(100, send(l->a, text, 100, 0x10 /* PROBE */));
	nothing_arrives(_metadata, l);
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));
}

TEST_F(transmit, confirm_and_dontroute_are_harmless)
{
	struct link *l = &self->l;
	int flags = MSG_CONFIRM | MSG_DONTROUTE | MSG_NOSIGNAL | MSG_DONTWAIT |
		    MSG_EOR;

	ASSERT_EQ(100, send(l->a, text, 100, flags));
	arrives(_metadata, l, text, 100, 0);
}

TEST_F(transmit, after_shutdown_no_number_is_taken)
{
	struct link *l = &self->l;

	ASSERT_OK(shutdown(l->a, SHUT_WR));
	ASSERT_ERRNO(EPIPE, send(l->a, text, 100, MSG_NOSIGNAL));
	nothing_arrives(_metadata, l);
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));
}

/* A pending ICMP error is told by the next send, which takes no number. */
TEST_F(transmit, pending_error_takes_no_number)
{
	struct link *l = &self->l;

	close(l->b);
	ASSERT_EQ(10, send(l->a, text, 10, 0));
	ASSERT_EQ(POLLERR, poll_for(l->a, 0, SOON_MS));
	ASSERT_ERRNO(ECONNREFUSED, send(l->a, text, 10, 0));
	ASSERT_EQ((__u64)1, tx_seq(_metadata, l));
	l->b = -1;
}

TEST_F(transmit, counters)
{
	struct link *l = &self->l;
	struct dtls_info info;
	struct dtls_counters counters;

	ASSERT_EQ(100, send(l->a, text, 100, 0));
	ASSERT_EQ(2500, send_segments(l->a, text, 2500, 1000, 0));
	ASSERT_EQ(2, send_control(l->a, CT_ALERT, 0, text, 2));
	ASSERT_OK(dtls_get_info(l->a, &info));
	ASSERT_OK(dtls_get_counters(l->a, &counters));
	EXPECT_EQ((__u64)5, counters.tx_records);
	EXPECT_EQ((__u64)2602, counters.tx_bytes);
	EXPECT_EQ((__u64)5, info.tx_seq);
	EXPECT_EQ(l->ab.epoch, info.tx_epoch);
	EXPECT_EQ(variant->cipher & ~V13(0), info.tx_cipher);
}

/*
 * UDP_SEGMENT
 */

TEST_F(transmit, segment_option)
{
	struct link *l = &self->l;
	socklen_t len = sizeof(int);
	int val = 1200, got = 0, i, size;

	ASSERT_OK(setsockopt(l->a, SOL_UDP, UDP_SEGMENT, &val, sizeof(val)));
	ASSERT_OK(getsockopt(l->a, SOL_UDP, UDP_SEGMENT, &got, &len));
	EXPECT_EQ(1200, got);
	ASSERT_EQ(5000, send(l->a, text, 5000, 0));
	for (i = 0; i < 5; i++) {
		size = i < 4 ? 1200 : 200;
		ASSERT_EQ(size, link_recv(l, &rec));
		ASSERT_EQ((__u64)i, rec.seq);
		ASSERT_EQ(0, memcmp(text + i * 1200, rec.data, size));
	}

	/* What fits a segment is one record. */
	ASSERT_EQ(1200, send(l->a, text, 1200, 0));
	ASSERT_EQ(1200, link_recv(l, &rec));
	ASSERT_EQ(1, send(l->a, text, 1, 0));
	ASSERT_EQ(1, link_recv(l, &rec));
	/* It is data that is cut. */
	ASSERT_EQ(3000, send_control(l->a, CT_HANDSHAKE, 0, text, 3000));
	ASSERT_EQ(3000, link_recv(l, &rec));
	EXPECT_EQ(CT_HANDSHAKE, rec.type);

	val = 0;
	ASSERT_OK(setsockopt(l->a, SOL_UDP, UDP_SEGMENT, &val, sizeof(val)));
	ASSERT_EQ(5000, send(l->a, text, 5000, 0));
	ASSERT_EQ(5000, link_recv(l, &rec));
}

/* A size set before the attach stays what the user said it is. */
TEST_F(transmit, segment_option_from_before)
{
	socklen_t len = sizeof(int);
	int val = 1000, got = 0, i;
	struct link l;

	ASSERT_OK(link_open(&l, variant->family, variant->cipher,
			    variant->cid_len));
	ASSERT_OK(setsockopt(l.a, SOL_UDP, UDP_SEGMENT, &val, sizeof(val)));
	ASSERT_OK(link_attach_a(&l));
	ASSERT_OK(getsockopt(l.a, SOL_UDP, UDP_SEGMENT, &got, &len));
	EXPECT_EQ(1000, got);
	ASSERT_EQ(3000, send(l.a, text, 3000, 0));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(1000, link_recv(&l, &rec));
	link_close(&l);
}

TEST_F(transmit, segment_cmsg_wins_over_option)
{
	struct link *l = &self->l;
	int val = 1200, i;

	ASSERT_OK(setsockopt(l->a, SOL_UDP, UDP_SEGMENT, &val, sizeof(val)));
	ASSERT_EQ(2000, send_segments(l->a, text, 2000, 500, 0));
	for (i = 0; i < 4; i++)
		ASSERT_EQ(500, link_recv(l, &rec));
}

TEST_F(transmit, segment_option_out_of_range)
{
	struct link *l = &self->l;
	socklen_t len = sizeof(int);
	int val = -1, got = -1;

	ASSERT_ERRNO(EINVAL, setsockopt(l->a, SOL_UDP, UDP_SEGMENT, &val,
					sizeof(val)));
	val = 65536;
	ASSERT_ERRNO(EINVAL, setsockopt(l->a, SOL_UDP, UDP_SEGMENT, &val,
					sizeof(val)));
	ASSERT_OK(getsockopt(l->a, SOL_UDP, UDP_SEGMENT, &got, &len));
	EXPECT_EQ(0, got);
}

TEST_F(transmit, segments_over_a_record_are_refused)
{
	struct link *l = &self->l;

	ASSERT_ERRNO(EMSGSIZE, send_segments(l->a, text, 40000, 20000, 0));
	nothing_arrives(_metadata, l);
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));
}

/* More ciphertext than one UDP datagram, or one GSO packet, may hold */
TEST_F(transmit, segments_of_64k)
{
	struct link *l = &self->l;
	ssize_t n, at;
	__u64 seq = 0;

	for (at = 0; at < 65000; at += n) {
		n = send_segments(l->a, text + at, 65000 - at, 1400, 0);
		ASSERT_LT(0, n);
		ASSERT_TRUE(n == 65000 - at || n % 1400 == 0);
		seq = arrives(_metadata, l, text + at, n, seq);
	}
	ASSERT_EQ((__u64)47, seq);
	nothing_arrives(_metadata, l);
}

TEST_F(transmit, segments_of_every_size)
{
	static const int segs[] = { 1, 2, 16, 100, 1399, 4096, 16383, 16384 };
	struct link *l = &self->l;
	int count, len, j;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(segs); i++) {
		count = segs[i] < 1000 ? 40 : 60000 / (segs[i] + 60);
		len = segs[i] * count;
		ASSERT_EQ(len, send_segments(l->a, text, len, segs[i], 0));
		for (j = 0; j < count; j++) {
			ASSERT_EQ(segs[i], link_recv(l, &rec));
			ASSERT_EQ(0, memcmp(text + j * segs[i], rec.data,
					    segs[i]));
		}
		nothing_arrives(_metadata, l);
	}
}

/* To a receiver that takes them whole they come as one GSO packet. */
TEST_F(transmit, segments_go_down_in_one_piece)
{
	struct link *l = &self->l;
	size_t overhead = peer_overhead(&l->ab);
	int one = 1, gso, i;
	ssize_t n;

	ASSERT_OK(setsockopt(l->b, SOL_UDP, UDP_GRO, &one, sizeof(one)));
	ASSERT_EQ(10300, send_segments(l->a, text, 10300, 1000, 0));
	n = recv_segments(l->b, wire, sizeof(wire), &gso, 0);
	ASSERT_EQ((ssize_t)(10300 + 11 * overhead), n);
	ASSERT_EQ((int)(1000 + overhead), gso);
	for (i = 0; i < 10; i++)
		ASSERT_EQ(gso, peer_open(&l->ab, wire + i * gso, gso, &rec));
	n -= 10 * gso;
	ASSERT_EQ(n, peer_open(&l->ab, wire + 10 * gso, n, &rec));
	EXPECT_EQ((size_t)300, rec.len);
}

/* No GSO without a checksum: the same records, one by one */
TEST_F(transmit, segments_without_checksum)
{
	struct link *l = &self->l;
	int one = 1, i;

	if (variant->family == AF_INET) {
		ASSERT_OK(setsockopt(l->a, SOL_SOCKET, SO_NO_CHECK, &one,
				     sizeof(one)));
	} else {
		ASSERT_OK(setsockopt(l->a, SOL_UDP, 101 /* NO_CHECK6_TX */,
				     &one, sizeof(one)));
		ASSERT_OK(setsockopt(l->b, SOL_UDP, 102 /* NO_CHECK6_RX */,
				     &one, sizeof(one)));
	}
	ASSERT_EQ(3000, send_segments(l->a, text, 3000, 1000, 0));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1000, link_recv(l, &rec));
		ASSERT_EQ((__u64)i, rec.seq);
	}
}

/* Other control messages still reach UDP, next to ours. */
TEST_F(transmit, other_cmsgs_are_kept)
{
	char ctl[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(__u16))] = {};
	bool v4 = variant->family == AF_INET;
	char in[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { text, 2000 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = ctl,
			      .msg_controllen = sizeof(ctl) };
	struct link *l = &self->l;
	int one = 1, tos = 0x28, i;
	struct cmsghdr *c;
	__u16 seg = 1000;

	ASSERT_OK(setsockopt(l->b, v4 ? SOL_IP : SOL_IPV6,
			     v4 ? IP_RECVTOS : IPV6_RECVTCLASS, &one,
			     sizeof(one)));
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = v4 ? SOL_IP : SOL_IPV6;
	c->cmsg_type = v4 ? IP_TOS : IPV6_TCLASS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &tos, sizeof(tos));
	c = (void *)(ctl + CMSG_SPACE(sizeof(int)));
	c->cmsg_level = SOL_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(seg));
	memcpy(CMSG_DATA(c), &seg, sizeof(seg));
	ASSERT_EQ(2000, sendmsg(l->a, &msg, 0));

	for (i = 0; i < 2; i++) {
		iov.iov_base = wire;
		iov.iov_len = sizeof(wire);
		msg.msg_control = in;
		msg.msg_controllen = sizeof(in);
		ASSERT_EQ((ssize_t)(1000 + peer_overhead(&l->ab)),
			  recvmsg(l->b, &msg, 0));
		c = CMSG_FIRSTHDR(&msg);
		ASSERT_NE(NULL, c);
		EXPECT_EQ(v4 ? IP_TOS : IPV6_TCLASS, c->cmsg_type);
		EXPECT_EQ(0x28, *(__u8 *)CMSG_DATA(c));
	}
}

/*
 * Several records in one datagram
 */

TEST_F(transmit, more_packs_records)
{
	static const int lens[] = { 10, 0, 300, 1 };
	struct link *l = &self->l;

	ASSERT_EQ(10, send(l->a, text, 10, MSG_MORE));
	ASSERT_EQ(0, send(l->a, text, 0, MSG_MORE));
	ASSERT_EQ(300, send(l->a, text + 10, 300, MSG_MORE));
	nothing_arrives(_metadata, l);
	ASSERT_EQ(1, send(l->a, text + 310, 1, 0));
	arrives_as(_metadata, l, 0, 4, lens);
	nothing_arrives(_metadata, l);
}

TEST_F(transmit, more_packs_control_with_data)
{
	struct link *l = &self->l;
	ssize_t n, one;

	ASSERT_EQ(10, send(l->a, text, 10, MSG_MORE));
	ASSERT_EQ(2, send_control(l->a, CT_ALERT, 0, text, 2));
	n = recv(l->b, wire, sizeof(wire), 0);
	one = peer_open(&l->ab, wire, n, &rec);
	ASSERT_LT(0, one);
	EXPECT_EQ(CT_DATA, rec.type);
	ASSERT_EQ(n - one, peer_open(&l->ab, wire + one, n - one, &rec));
	EXPECT_EQ(CT_ALERT, rec.type);
}

TEST_F(transmit, cork_packs_records)
{
	static const int lens[] = { 10, 20, 30 };
	struct link *l = &self->l;
	int one = 1, zero = 0, got = 0;
	socklen_t len = sizeof(got);

	ASSERT_OK(setsockopt(l->a, SOL_UDP, 1 /* CORK */, &one, sizeof(one)));
	ASSERT_OK(getsockopt(l->a, SOL_UDP, 1, &got, &len));
	EXPECT_EQ(1, got);
	ASSERT_EQ(10, send(l->a, text, 10, 0));
	ASSERT_EQ(20, send(l->a, text + 10, 20, 0));
	ASSERT_EQ(30, send(l->a, text + 30, 30, 0));
	nothing_arrives(_metadata, l);
	ASSERT_OK(setsockopt(l->a, SOL_UDP, 1, &zero, sizeof(zero)));
	arrives_as(_metadata, l, 0, 3, lens);
	nothing_arrives(_metadata, l);
	ASSERT_EQ(5, send(l->a, text, 5, 0));
	ASSERT_EQ(5, link_recv(l, &rec));
}

/* An error that waits is neither told nor taken away by the end of a cork, as with UDP. */
TEST_F(transmit, cork_ends_beside_an_error)
{
	struct link *l = &self->l;
	int one = 1, zero = 0, err;
	socklen_t len = sizeof(err);
	long before;

	ASSERT_OK(setsockopt(l->a, SOL_UDP, 1 /* CORK */, &one, sizeof(one)));
	ASSERT_EQ(10, send(l->a, text, 10, 0));
	close(l->b);
	l->b = -1;
	ASSERT_EQ(5, send_control(l->a, 0, DTLS_RECORD_RAW, text, 5));
	settle();
	before = udp_counter(variant->family, "OutDatagrams");
	ASSERT_OK(setsockopt(l->a, SOL_UDP, 1, &zero, sizeof(zero)));
	EXPECT_EQ(before + 1, udp_counter(variant->family, "OutDatagrams"));
	ASSERT_OK(getsockopt(l->a, SOL_SOCKET, SO_ERROR, &err, &len));
	EXPECT_EQ(ECONNREFUSED, err);
}

/* What does not fit is refused or opens a new datagram, but never lost. */
TEST_F(transmit, more_than_a_datagram)
{
	struct link *l = &self->l;
	ssize_t n, at = 0;
	int i;

	for (i = 0; i < 6; i++) {
		n = send(l->a, text + at, 15000, i < 5 ? MSG_MORE : 0);
		if (n < 0) {
			ASSERT_EQ(EMSGSIZE, errno);
			break;
		}
		at += n;
	}
	ASSERT_LE(60000, at);
	if (n < 0) {
		ASSERT_EQ(1, send(l->a, text + at, 1, 0));
		at++;
	}
	arrives(_metadata, l, text, at, 0);
	nothing_arrives(_metadata, l);
}

/* A control record or close must not be stuck behind a cork for ever. */
TEST_F(transmit, key_change_under_cork)
{
	struct link *l = &self->l;
	struct peer_key ab2;
	ssize_t n, one;

	ASSERT_EQ(10, send(l->a, text, 10, MSG_MORE));
	peer_key_init(&ab2, variant->cipher, l->ab.epoch + 1, l->ab.cid_len, 1);
	ASSERT_OK(dtls_set_key(l->a, DTLS_TX, &ab2));
	ASSERT_EQ(20, send(l->a, text, 20, 0));
	n = recv(l->b, wire, sizeof(wire), 0);
	one = peer_open(&l->ab, wire, n, &rec);
	ASSERT_LT(0, one);
	EXPECT_EQ((size_t)10, rec.len);
	if (one == n) {
		n = recv(l->b, wire, sizeof(wire), 0);
		one = 0;
	}
	ASSERT_EQ(n - one, peer_open(&ab2, wire + one, n - one, &rec));
	EXPECT_EQ((size_t)20, rec.len);
}

/*
 * The other ways to send
 */

static int text_file(struct __test_metadata *_metadata, size_t len)
{
	int fd = memfd_create("text", 0);

	ASSERT_LE(0, fd);
	ASSERT_EQ((ssize_t)len, write(fd, text, len));
	ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
	return fd;
}

TEST_F(transmit, sendfile)
{
	static const int lens[] = { 1, 100, 4096, 10000, 65536, 200000 };
	struct link *l = &self->l;
	unsigned int i;
	__u64 seq = 0;
	ssize_t n, at;
	int file;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		file = text_file(_metadata, lens[i]);
		for (at = 0; at < lens[i]; at += n) {
			n = sendfile(l->a, file, NULL, lens[i] - at);
			ASSERT_LT(0, n)
				TH_LOG("%zd of %d: %s", at, lens[i],
				       strerror(errno));
		}
		seq = arrives(_metadata, l, text, lens[i], seq);
		nothing_arrives(_metadata, l);
		close(file);
	}
}

TEST_F(transmit, sendfile_cuts_by_segment_size)
{
	int file = text_file(_metadata, 50000), val = 1000;
	struct link *l = &self->l;
	int got = 0;

	ASSERT_OK(setsockopt(l->a, SOL_UDP, UDP_SEGMENT, &val, sizeof(val)));
	ASSERT_EQ(50000, sendfile(l->a, file, NULL, 50000));
	while (got < 50000) {
		ASSERT_LT(0, link_recv(l, &rec));
		ASSERT_GE((size_t)1000, rec.len);
		ASSERT_EQ(0, memcmp(text + got, rec.data, rec.len));
		got += rec.len;
	}
	nothing_arrives(_metadata, l);
}

TEST_F(transmit, splice)
{
	static const int lens[] = { 1, 1000, 4096, 5000, 60000 };
	struct link *l = &self->l;
	unsigned int i;
	__u64 seq = 0;
	ssize_t n, at;
	int p[2];

	ASSERT_OK(pipe(p));
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		ASSERT_EQ(lens[i], write(p[1], text, lens[i]));
		for (at = 0; at < lens[i]; at += n) {
			n = splice(p[0], NULL, l->a, NULL, lens[i] - at, 0);
			ASSERT_LT(0, n);
		}
		seq = arrives(_metadata, l, text, lens[i], seq);
		nothing_arrives(_metadata, l);
	}
}

TEST_F(transmit, splice_from_a_file)
{
	struct link *l = &self->l;
	int p[2], file;
	ssize_t n, at;

	file = text_file(_metadata, 40000);
	ASSERT_OK(pipe(p));
	ASSERT_EQ(40000, splice(file, NULL, p[1], NULL, 40000, 0));
	for (at = 0; at < 40000; at += n) {
		n = splice(p[0], NULL, l->a, NULL, 40000 - at, 0);
		ASSERT_LT(0, n);
	}
	arrives(_metadata, l, text, 40000, 0);
	ASSERT_EQ(40000, pread(file, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, text, 40000));
}

TEST_F(transmit, vmsplice)
{
	struct iovec iov[2] = { { text, 6000 }, { text + 6000, 9000 } };
	struct link *l = &self->l;
	ssize_t n, at;
	int p[2];

	ASSERT_OK(pipe(p));
	ASSERT_EQ(15000, vmsplice(p[1], iov, 2, 0));
	for (at = 0; at < 15000; at += n) {
		n = splice(p[0], NULL, l->a, NULL, 15000 - at, 0);
		ASSERT_LT(0, n);
	}
	arrives(_metadata, l, text, 15000, 0);
}

/* With SPLICE_F_MORE the rest waits for more, and comes with it. */
TEST_F(transmit, splice_more)
{
	struct link *l = &self->l;
	int p[2];

	ASSERT_OK(pipe(p));
	ASSERT_EQ(500, write(p[1], text, 500));
	ASSERT_EQ(500, splice(p[0], NULL, l->a, NULL, 500, SPLICE_F_MORE));
	ASSERT_EQ(20, send(l->a, text + 500, 20, 0));
	arrives(_metadata, l, text, 520, 0);
	nothing_arrives(_metadata, l);
}

/* A splice is not packed, and its end is not the cork's. */
TEST_F(transmit, splice_leaves_the_cork)
{
	int file = text_file(_metadata, 20), one = 1, zero = 0;
	struct link *l = &self->l;

	ASSERT_OK(setsockopt(l->a, SOL_UDP, 1 /* CORK */, &one, sizeof(one)));
	ASSERT_EQ(10, send(l->a, text, 10, 0));
	ASSERT_EQ(20, sendfile(l->a, file, NULL, 20));
	ASSERT_EQ(20, link_recv(l, &rec));
	EXPECT_EQ((__u64)1, rec.seq);
	nothing_arrives(_metadata, l);
	ASSERT_OK(setsockopt(l->a, SOL_UDP, 1, &zero, sizeof(zero)));
	ASSERT_EQ(10, link_recv(l, &rec));
	EXPECT_EQ((__u64)0, rec.seq);
	close(file);
}

static int uring_one(struct __test_metadata *_metadata, struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int res;

	ASSERT_EQ(1, io_uring_submit(ring));
	ASSERT_OK(io_uring_wait_cqe(ring, &cqe));
	res = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return res;
}

TEST_F(transmit, io_uring)
{
	struct iovec iov[2] = { { text + 2000, 300 }, { text + 2300, 700 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	struct link *l = &self->l;
	struct io_uring ring;
	int p[2];

	ASSERT_OK(io_uring_queue_init(4, &ring, 0));
	io_uring_prep_send(io_uring_get_sqe(&ring), l->a, text, 1000, 0);
	ASSERT_EQ(1000, uring_one(_metadata, &ring));
	io_uring_prep_write(io_uring_get_sqe(&ring), l->a, text + 1000, 1000, 0);
	ASSERT_EQ(1000, uring_one(_metadata, &ring));
	io_uring_prep_sendmsg(io_uring_get_sqe(&ring), l->a, &msg, 0);
	ASSERT_EQ(1000, uring_one(_metadata, &ring));
	iov[0].iov_base = text + 3000;
	iov[1].iov_base = text + 3300;
	io_uring_prep_writev(io_uring_get_sqe(&ring), l->a, iov, 2, 0);
	ASSERT_EQ(1000, uring_one(_metadata, &ring));
	ASSERT_OK(pipe(p));
	ASSERT_EQ(1000, write(p[1], text + 4000, 1000));
	io_uring_prep_splice(io_uring_get_sqe(&ring), p[0], -1, l->a, -1, 1000,
			     0);
	ASSERT_EQ(1000, uring_one(_metadata, &ring));
	ASSERT_EQ((__u64)5, arrives(_metadata, l, text, 5000, 0));
	nothing_arrives(_metadata, l);
	io_uring_queue_exit(&ring);
}

/* The number comes to the program whoever does its work: a thread of io_uring's */
TEST_F(transmit, io_uring_is_told_the_number)
{
	static const unsigned int how[][2] = {
		/* of the ring, of the request */
		{ 0, 0 }, { 0, IOSQE_ASYNC }, { IORING_SETUP_SQPOLL, 0 },
	};
	struct dtls_record_number number;
	struct dtls_record_info info = {
		.type = CT_HANDSHAKE, .number_ptr = (uintptr_t)&number,
	};
	struct iovec iov = { text, 30 };
	struct link *l = &self->l;
	struct io_uring_sqe *sqe;
	union info_room room;
	struct io_uring ring;
	struct msghdr msg;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(how); i++) {
		number = (struct dtls_record_number){ 77, 77 };
		info_msg(&msg, &room, &info, sizeof(info), &iov);
		ASSERT_OK(io_uring_queue_init(4, &ring, how[i][0]));
		sqe = io_uring_get_sqe(&ring);
		io_uring_prep_sendmsg(sqe, l->a, &msg, 0);
		sqe->flags |= how[i][1];
		ASSERT_EQ(30, uring_one(_metadata, &ring));
		ASSERT_EQ(30, link_recv(l, &rec));
		EXPECT_EQ(l->ab.epoch, number.epoch);
		EXPECT_EQ(rec.seq, number.seq);
		io_uring_queue_exit(&ring);
	}
}

TEST_F(transmit, io_uring_registered_buffer)
{
	struct iovec iov = { text, 8192 };
	struct link *l = &self->l;
	struct io_uring ring;

	ASSERT_OK(io_uring_queue_init(4, &ring, 0));
	ASSERT_OK(io_uring_register_buffers(&ring, &iov, 1));
	io_uring_prep_write_fixed(io_uring_get_sqe(&ring), l->a, text, 8192, 0,
				  0);
	ASSERT_EQ(8192, uring_one(_metadata, &ring));
	arrives(_metadata, l, text, 8192, 0);
	io_uring_queue_exit(&ring);
}

TEST_F(transmit, io_uring_zerocopy_is_refused)
{
	struct link *l = &self->l;
	struct io_uring ring;

	ASSERT_OK(io_uring_queue_init(4, &ring, 0));
	io_uring_prep_send_zc(io_uring_get_sqe(&ring), l->a, text, 1000, 0, 0);
	ASSERT_EQ(-EOPNOTSUPP, uring_one(_metadata, &ring));
	nothing_arrives(_metadata, l);
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));
	io_uring_queue_exit(&ring);
}

/*
 * The limit of a write key
 */

static __u64 near_limit(struct __test_metadata *_metadata, struct link *l,
			__u64 left)
{
	struct dtls_info info;

	ASSERT_OK(dtls_get_info(l->a, &info));
	l->ab.epoch++;
	l->ab.rec_seq = info.tx_limit - left;
	ASSERT_OK(dtls_set_key(l->a, DTLS_TX, &l->ab));
	return info.tx_limit;
}

/* However many of the peer's control records nobody has read */
TEST_F(transmit, limit_is_told_behind_a_full_control_queue)
{
	struct dtls_counters counters;
	struct dtls_record_info info;
	struct link *l = &self->l;
	int i, told = 0;

	for (i = 0; i < 10000; i++) {
		ASSERT_EQ(1000, link_send(l, CT_HANDSHAKE, text, 1000));
		ASSERT_EQ(-1, recv_now(l->a, buf, sizeof(buf)));
		ASSERT_OK(dtls_get_counters(l->a, &counters));
		if (counters.rx_no_budget)
			break;
	}
	ASSERT_LT(0, counters.rx_no_budget);

	/* Too many for what little room is left, and not for the room of events */
	for (i = 0; i < 20; i++) {
		near_limit(_metadata, l, 10);
		ASSERT_EQ(1, send(l->a, text, 1, 0));
	}
	while (recv_control(l->a, &info, buf, sizeof(buf)) >= 0)
		told += info.flags == DTLS_RECORD_EVENT &&
			info.event == DTLS_EVENT_TX_LIMIT;
	EXPECT_EQ(20, told);
}

TEST_F(transmit, limit_is_told_before_it_is_reached)
{
	struct dtls_record_info info;
	struct link *l = &self->l;
	int one = 1;

	ASSERT_OK(setsockopt(l->a, SOL_DTLS, DTLS_POLL_CONTROL, &one,
			     sizeof(one)));
	ASSERT_EQ(1, send(l->a, text, 1, 0));
	ASSERT_EQ(0, poll_for(l->a, POLLPRI, 0));

	near_limit(_metadata, l, 10);
	ASSERT_EQ(1, send(l->a, text, 1, 0));
	ASSERT_EQ(POLLPRI, poll_for(l->a, POLLPRI, SOON_MS));
	ASSERT_EQ(0, recv_control(l->a, &info, buf, sizeof(buf)));
	EXPECT_EQ(DTLS_RECORD_EVENT, info.flags);
	EXPECT_EQ(DTLS_EVENT_TX_LIMIT, info.event);
	EXPECT_EQ(l->ab.epoch, info.epoch);

	/* Once a key is enough. */
	ASSERT_EQ(1, send(l->a, text, 1, 0));
	ASSERT_ERRNO(EAGAIN, recv_control(l->a, &info, buf, sizeof(buf)));
}

/* A batch stops at the limit, and what went out is what was reported. */
TEST_F(transmit, batch_stops_at_the_limit)
{
	__u64 limit = near_limit(_metadata, &self->l, 3);
	struct link *l = &self->l;
	ssize_t n;

	n = send_segments(l->a, text, 500, 100, 0);
	if (n < 0) {
		ASSERT_EQ(EKEYEXPIRED, errno);
	} else {
		ASSERT_EQ(300, n);
	}
	if (n > 0)
		arrives(_metadata, l, text, n, limit - 3);
	nothing_arrives(_metadata, l);
	ASSERT_GE(limit, tx_seq(_metadata, l));
}

TEST_F(transmit, sendfile_stops_at_the_limit)
{
	__u64 limit = near_limit(_metadata, &self->l, 3);
	int file = text_file(_metadata, 10000), val = 1000;
	struct link *l = &self->l;
	ssize_t n;

	ASSERT_OK(setsockopt(l->a, SOL_UDP, UDP_SEGMENT, &val, sizeof(val)));
	n = sendfile(l->a, file, NULL, 10000);
	if (n < 0) {
		ASSERT_EQ(EKEYEXPIRED, errno);
	}
	while ((n = recv_now(l->b, wire, sizeof(wire))) >= 0) {
		ASSERT_EQ(n, peer_open(&l->ab, wire, n, &rec));
		ASSERT_GT(limit, rec.seq);
	}
	ASSERT_ERRNO(EKEYEXPIRED, send(l->a, text, 1000, 0));
	nothing_arrives(_metadata, l);
}

/*
 * A network of its own, whose devices can be made what a test needs
 */

FIXTURE(transmit_mtu)
{
	struct link l;
};

FIXTURE_VARIANT(transmit_mtu)
{
	int family;
	int ip_header;
	__u16 cipher;
};

FIXTURE_VARIANT_ADD(transmit_mtu, v4)
{
	.family = AF_INET,
	.ip_header = 20,
	.cipher = DTLS_CIPHER_AES_GCM_128,
};

FIXTURE_VARIANT_ADD(transmit_mtu, v6)
{
	.family = AF_INET6,
	.ip_header = 40,
	.cipher = DTLS_CIPHER_AES_GCM_128,
};

FIXTURE_VARIANT_ADD(transmit_mtu, v13_v4)
{
	.family = AF_INET,
	.ip_header = 20,
	.cipher = V13(DTLS_CIPHER_AES_GCM_128),
};

FIXTURE_VARIANT_ADD(transmit_mtu, v13_v6)
{
	.family = AF_INET6,
	.ip_header = 40,
	.cipher = V13(DTLS_CIPHER_AES_CCM_8_128),
};

FIXTURE_SETUP(transmit_mtu)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd, val;

	stay();
	ASSERT_OK(unshare(CLONE_NEWNET));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ifr.ifr_mtu = 1500;
	ASSERT_OK(ioctl(fd, SIOCSIFMTU, &ifr));
	ifr.ifr_flags = IFF_UP;
	ASSERT_OK(ioctl(fd, SIOCSIFFLAGS, &ifr));
	close(fd);
	fill_text();

	ASSERT_OK(link_raw(&self->l, variant->family, variant->cipher, 0));
	ASSERT_OK(deep_queue(self->l.b));
	/* IP_PMTUDISC_DO and IPV6_PMTUDISC_DO: no fragments */
	val = IP_PMTUDISC_DO;
	if (variant->family == AF_INET) {
		ASSERT_OK(setsockopt(self->l.a, SOL_IP, IP_MTU_DISCOVER, &val,
				     sizeof(val)));
	} else {
		ASSERT_OK(setsockopt(self->l.a, SOL_IPV6, IPV6_MTU_DISCOVER,
				     &val, sizeof(val)));
	}
}

FIXTURE_TEARDOWN(transmit_mtu)
{
	link_close(&self->l);
}

TEST_F(transmit_mtu, option_tells_what_fits)
{
	struct link *l = &self->l;
	int want;

	want = 1500 - variant->ip_header - 8 - (int)peer_overhead(&l->ab);
	ASSERT_EQ(want, (int)dtls_mtu(l->a));

	ASSERT_EQ(want, send(l->a, text, want, 0));
	ASSERT_EQ(want, link_recv(l, &rec));
	ASSERT_ERRNO(EMSGSIZE, send(l->a, text, want + 1, 0));
	nothing_arrives(_metadata, l);
}

TEST_F(transmit_mtu, too_large_takes_no_number)
{
	struct link *l = &self->l;
	int i;

	for (i = 0; i < 10; i++)
		ASSERT_ERRNO(EMSGSIZE, send(l->a, text, 1500, 0));
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));
}

/* Options that go before each datagram take room from it. */
TEST_F(transmit_mtu, ip_options_take_room)
{
	/* No-operations; and destination options that are padding */
	static const __u8 v4[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	static const __u8 v6[8] = { 0, 0, 1, 4 };
	struct link *l = &self->l;
	__u32 plain, mtu;

	plain = dtls_mtu(l->a);
	ASSERT_LT(0U, plain);
	if (variant->family == AF_INET) {
		ASSERT_OK(setsockopt(l->a, SOL_IP, IP_OPTIONS, v4, sizeof(v4)));
	} else {
		ASSERT_OK(setsockopt(l->a, SOL_IPV6, IPV6_DSTOPTS, v6,
				     sizeof(v6)));
	}
	/* IPv6 has forgotten its route over that. */
	ASSERT_EQ(1, send(l->a, text, 1, 0));
	ASSERT_EQ(1, link_recv(l, &rec));
	mtu = dtls_mtu(l->a);
	/* Linux counts those of IPv6 twice. */
	ASSERT_EQ(plain - (variant->family == AF_INET ? 8 : 16), mtu);
	ASSERT_ERRNO(EMSGSIZE, send(l->a, text, mtu + 1, 0));
	ASSERT_EQ((ssize_t)mtu, send(l->a, text, mtu, 0));
	ASSERT_EQ((ssize_t)mtu, link_recv(l, &rec));
	ASSERT_EQ((__u64)2, tx_seq(_metadata, l));
	nothing_arrives(_metadata, l);
}

/* The other ways to say that there shall be no fragments */
TEST_F(transmit_mtu, too_large_for_a_probe)
{
	struct link *l = &self->l;
	int val;

	if (variant->family == AF_INET) {
		val = IP_PMTUDISC_PROBE;
		ASSERT_OK(setsockopt(l->a, SOL_IP, IP_MTU_DISCOVER, &val,
				     sizeof(val)));
	} else {
		val = IPV6_PMTUDISC_DONT;
		ASSERT_OK(setsockopt(l->a, SOL_IPV6, IPV6_MTU_DISCOVER, &val,
				     sizeof(val)));
		val = 1;
		ASSERT_OK(setsockopt(l->a, SOL_IPV6, IPV6_DONTFRAG, &val,
				     sizeof(val)));
	}
	ASSERT_ERRNO(EMSGSIZE, send(l->a, text, 1500, 0));
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));
	nothing_arrives(_metadata, l);
}

/* Send 1500 bytes with the control message IPV6_DONTFRAG. */
static ssize_t send_dontfrag(int fd, int val)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { text, 1500 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_IPV6;
	cmsg->cmsg_type = IPV6_DONTFRAG;
	cmsg->cmsg_len = CMSG_LEN(sizeof(val));
	memcpy(CMSG_DATA(cmsg), &val, sizeof(val));
	return sendmsg(fd, &msg, 0);
}

TEST_F(transmit_mtu, too_large_for_a_control_message)
{
	struct link *l = &self->l;
	int val = IPV6_PMTUDISC_DONT;

	if (variant->family == AF_INET)
		SKIP(return, "IPv4 has no such control message");
	ASSERT_OK(setsockopt(l->a, SOL_IPV6, IPV6_MTU_DISCOVER, &val,
			     sizeof(val)));
	ASSERT_ERRNO(EMSGSIZE, send_dontfrag(l->a, 1));
	ASSERT_ERRNO(EINVAL, send_dontfrag(l->a, 2));
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));
	nothing_arrives(_metadata, l);

	/* What a call says counts more than the option. */
	val = 1;
	ASSERT_OK(setsockopt(l->a, SOL_IPV6, IPV6_DONTFRAG, &val, sizeof(val)));
	ASSERT_EQ(1500, send_dontfrag(l->a, 0));
	ASSERT_EQ(1500, link_recv(l, &rec));
	ASSERT_EQ((__u64)1, tx_seq(_metadata, l));
}

TEST_F(transmit_mtu, sendfile_fits_the_path)
{
	int file = text_file(_metadata, 30000);
	struct link *l = &self->l;
	ssize_t n, at;

	for (at = 0; at < 30000; at += n) {
		n = sendfile(l->a, file, NULL, 30000 - at);
		ASSERT_LT(0, n);
	}
	arrives(_metadata, l, text, 30000, 0);
}

/* Without "don't fragment" a segment over the path MTU goes in fragments. */
TEST_F(transmit_mtu, segments_over_the_mtu)
{
	struct link *l = &self->l;
	int val = IP_PMTUDISC_DONT, i;

	if (variant->family == AF_INET) {
		ASSERT_OK(setsockopt(l->a, SOL_IP, IP_MTU_DISCOVER, &val,
				     sizeof(val)));
	} else {
		ASSERT_OK(setsockopt(l->a, SOL_IPV6, IPV6_MTU_DISCOVER, &val,
				     sizeof(val)));
	}
	ASSERT_EQ(8000, send_segments(l->a, text, 8000, 2000, 0));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(2000, link_recv(l, &rec));
		ASSERT_EQ((__u64)i, rec.seq);
		ASSERT_EQ(0, memcmp(text + i * 2000, rec.data, 2000));
	}
}

/* The path to the loopback address takes @mtu, whatever its device does. */
static int path_mtu(int family, int mtu)
{
	const char *addr = family == AF_INET ? "127.0.0.1" : "::1";
	char cmd[160];

	snprintf(cmd, sizeof(cmd),
		 "bash -c 'ip route del local %s dev lo table local && "
		 "ip route add local %s dev lo table local mtu %d'",
		 addr, addr, mtu);
	return system(cmd);
}

static int mtu_discover(int fd, int family, int val)
{
	return setsockopt(fd, family == AF_INET ? SOL_IP : SOL_IPV6,
			  family == AF_INET ? IP_MTU_DISCOVER :
					      IPV6_MTU_DISCOVER,
			  &val, sizeof(val));
}

/* What the path takes is less than the device: a probe may try the latter. */
TEST_F(transmit_mtu, probe_goes_over_the_path_mtu)
{
	int plain[2], family = variant->family, i;
	struct link *l = &self->l;

	link_close(l);
	ASSERT_OK(path_mtu(family, 1300));
	ASSERT_OK(link_raw(l, family, variant->cipher, 0));
	ASSERT_OK(udp_pair(family, &plain[0], &plain[1]));
	for (i = 0; i < 2; i++) {
		ASSERT_OK(mtu_discover(plain[0], family, IP_PMTUDISC_DO));
		ASSERT_OK(mtu_discover(l->a, family, IP_PMTUDISC_DO));
		ASSERT_ERRNO(EMSGSIZE, send(plain[0], text, 1350, 0));
		ASSERT_ERRNO(EMSGSIZE, send(l->a, text, 1350, 0));
		ASSERT_EQ((__u64)i, tx_seq(_metadata, l));

		ASSERT_OK(mtu_discover(plain[0], family, IP_PMTUDISC_PROBE));
		ASSERT_OK(mtu_discover(l->a, family, IP_PMTUDISC_PROBE));
		EXPECT_EQ(1500 - variant->ip_header - 8 -
			  peer_overhead(&l->ab), (size_t)dtls_mtu(l->a));
		ASSERT_EQ(1350, send(plain[0], text, 1350, 0));
		ASSERT_EQ(1350, send(l->a, text, 1350, 0));
		ASSERT_EQ(1350, link_recv(l, &rec));
		ASSERT_ERRNO(EMSGSIZE, send(l->a, text, 1500, 0));
		ASSERT_EQ((__u64)i + 1, tx_seq(_metadata, l));
	}
	close(plain[0]);
	close(plain[1]);
}

/* IP_PMTUDISC_INTERFACE makes no fragments either; OMIT does. */
TEST_F(transmit_mtu, every_discovery_as_on_plain_udp)
{
	int plain[2], family = variant->family, how;
	struct link *l = &self->l;
	ssize_t want, got;
	__u64 seq = 0;

	ASSERT_OK(udp_pair(family, &plain[0], &plain[1]));
	for (how = IP_PMTUDISC_DONT; how <= IP_PMTUDISC_OMIT; how++) {
		ASSERT_OK(mtu_discover(plain[0], family, how));
		ASSERT_OK(mtu_discover(l->a, family, how));
		want = send(plain[0], text, 2000, 0);
		got = send(l->a, text, 2000, 0);
		ASSERT_EQ(want, got) TH_LOG("discovery %d", how);
		if (got > 0) {
			ASSERT_EQ(2000, link_recv(l, &rec));
			seq++;
		} else {
			ASSERT_EQ(EMSGSIZE, errno);
		}
		ASSERT_EQ(seq, tx_seq(_metadata, l));
	}
	close(plain[0]);
	close(plain[1]);
}

/* Some options make a socket forget its route: then it is looked up. */
TEST_F(transmit_mtu, known_after_the_route_was_forgotten)
{
	int file = text_file(_metadata, 30000), val = 0x10, n = 0;
	struct link *l = &self->l;
	ssize_t at, one;
	int before;
	__u64 seq;

	before = dtls_mtu(l->a);
	ASSERT_LT(1000, before);
	ASSERT_OK(setsockopt(l->a, SOL_SOCKET, SO_MARK, &val, sizeof(val)));
	if (variant->family == AF_INET) {
		ASSERT_OK(setsockopt(l->a, SOL_IP, IP_TOS, &val, sizeof(val)));
	}
	EXPECT_EQ(before, (int)dtls_mtu(l->a));
	ASSERT_ERRNO(EMSGSIZE, send(l->a, text, before + 1, 0));
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));

	/* And sendfile's records fit the path. */
	for (at = 0; at < 30000; at += one) {
		val++;
		ASSERT_OK(setsockopt(l->a, SOL_SOCKET, SO_MARK, &val,
				     sizeof(val)));
		one = sendfile(l->a, file, NULL, 30000 - at);
		ASSERT_LT(0, one);
		n++;
	}
	seq = arrives(_metadata, l, text, 30000, 0);
	EXPECT_LE((__u64)30000 / before, seq);
	close(file);
}

/* IPV6_MTU, which can only be less than the path's */
TEST_F(transmit_mtu, own_mtu_counts)
{
	struct link *l = &self->l;
	int val = 1300, want;

	if (variant->family != AF_INET6)
		return;
	want = val - variant->ip_header - 8 - (int)peer_overhead(&l->ab);
	ASSERT_OK(setsockopt(l->a, SOL_IPV6, IPV6_MTU, &val, sizeof(val)));
	ASSERT_EQ(want, (int)dtls_mtu(l->a));
	ASSERT_ERRNO(EMSGSIZE, send(l->a, text, want + 1, 0));
	ASSERT_EQ((__u64)0, tx_seq(_metadata, l));
	ASSERT_EQ(want, send(l->a, text, want, 0));
	ASSERT_EQ(want, link_recv(l, &rec));
}

/* One address on two links is two peers. */
TEST(link_local_peer_is_of_its_link)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6,
				   .sin6_port = htons(5684) };
	struct peer_key key;
	struct dtls_info info;
	unsigned int scope;
	int fd;

	ASSERT_OK(unshare(CLONE_NEWNET));
	ASSERT_EQ(0, system("bash -c 'ip link add v0 type veth peer name v1 && "
			    "ip addr add fe80::1/64 dev v0 nodad && "
			    "ip addr add fe80::1/64 dev v1 nodad && "
			    "ip link set v0 up && ip link set v1 up'"));
	scope = if_nametoindex("v0");
	inet_pton(AF_INET6, "fe80::2", &to.sin6_addr);	/* nobody's */
	to.sin6_scope_id = scope;
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	ASSERT_OK(connect(fd, (void *)&to, sizeof(to)));
	peer_key_init(&key, DTLS_CIPHER_AES_GCM_128, 1, 0, 1);
	ASSERT_OK(dtls_attach(fd));
	ASSERT_OK(dtls_set_key(fd, DTLS_TX, &key));

	ASSERT_EQ(5, sendto(fd, "hello", 5, 0, (void *)&to, sizeof(to)));
	to.sin6_scope_id = 0;
	ASSERT_EQ(5, sendto(fd, "hello", 5, 0, (void *)&to, sizeof(to)));
	to.sin6_scope_id = if_nametoindex("v1");
	ASSERT_ERRNO(EISCONN, sendto(fd, "hello", 5, 0, (void *)&to,
				     sizeof(to)));
	ASSERT_ERRNO(EISCONN, connect(fd, (void *)&to, sizeof(to)));
	ASSERT_OK(dtls_get_info(fd, &info));
	EXPECT_EQ((__u64)2, info.tx_seq);
	close(fd);
}

FIXTURE(transmit_full)
{
	int fd;
};

FIXTURE_VARIANT(transmit_full)
{
	int family;
	const char *addr;
	const char *peer;
	__u16 cipher;
};

FIXTURE_VARIANT_ADD(transmit_full, v4)
{
	.family = AF_INET,
	.addr = "192.0.2.1/24",
	.peer = "192.0.2.2",
	.cipher = DTLS_CIPHER_AES_GCM_128,
};

FIXTURE_VARIANT_ADD(transmit_full, v6)
{
	.family = AF_INET6,
	.addr = "2001:db8::1/64",
	.peer = "2001:db8::2",
	.cipher = DTLS_CIPHER_AES_GCM_128,
};

FIXTURE_VARIANT_ADD(transmit_full, v13)
{
	.family = AF_INET,
	.addr = "192.0.2.1/24",
	.peer = "192.0.2.2",
	.cipher = V13(DTLS_CIPHER_AES_GCM_128),
};

/*
 * A peer whose link-layer address nobody tells: what is sent waits for it and
 * fills the send buffer.
 */
FIXTURE_SETUP(transmit_full)
{
	struct peer_key key;
	char cmd[256];
	int size = 1;

	snprintf(cmd, sizeof(cmd),
		 "bash -c 'ip link add v0 type veth peer name v1 && "
		 "ip addr add %s dev v0 %s && "
		 "ip link set v0 up && ip link set v1 up arp off'",
		 variant->addr, variant->family == AF_INET6 ? "nodad" : "");
	ASSERT_OK(unshare(CLONE_NEWNET));
	ASSERT_EQ(0, system(cmd));
	self->fd = socket(variant->family, SOCK_DGRAM, 0);
	if (variant->family == AF_INET) {
		struct sockaddr_in a = { .sin_family = AF_INET,
					 .sin_port = htons(5684) };

		inet_pton(AF_INET, variant->peer, &a.sin_addr);
		ASSERT_OK(connect(self->fd, (void *)&a, sizeof(a)));
	} else {
		struct sockaddr_in6 a = { .sin6_family = AF_INET6,
					  .sin6_port = htons(5684) };

		inet_pton(AF_INET6, variant->peer, &a.sin6_addr);
		ASSERT_OK(connect(self->fd, (void *)&a, sizeof(a)));
	}
	ASSERT_OK(setsockopt(self->fd, SOL_SOCKET, SO_SNDBUF, &size,
			     sizeof(size)));
	peer_key_init(&key, variant->cipher, nth_epoch(variant->cipher, 1), 0,
		      1);
	ASSERT_OK(dtls_attach(self->fd));
	ASSERT_OK(dtls_set_key(self->fd, DTLS_TX, &key));
}

FIXTURE_TEARDOWN(transmit_full)
{
	close(self->fd);
}

TEST_F(transmit_full, eagain_takes_no_number)
{
	struct dtls_info info;
	struct dtls_counters counters;
	__u64 sent = 0;
	int i, refused = 0;
	ssize_t n;

	for (i = 0; i < 1000; i++) {
		n = send(self->fd, text, 200, MSG_DONTWAIT);
		if (n < 0) {
			ASSERT_EQ(EAGAIN, errno);
			refused++;
		} else {
			sent++;
		}
	}
	ASSERT_LT(0, refused);
	ASSERT_LT((__u64)0, sent);
	ASSERT_OK(dtls_get_info(self->fd, &info));
	ASSERT_OK(dtls_get_counters(self->fd, &counters));
	EXPECT_EQ(sent, info.tx_seq);
	EXPECT_EQ(sent, counters.tx_records);
	ASSERT_EQ(0, poll_for(self->fd, POLLOUT, 0));
}

/*
 * What waits for the peer's link-layer address waits for as long as the test takes, and is
 * not sent in fragments then.
 */
static int be_patient(int family)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd),
		 "ip link set v0 mtu 9000 && ip link set v1 mtu 9000 && "
		 "echo 600000 >/proc/sys/net/ipv%d/neigh/v0/retrans_time_ms",
		 family == AF_INET ? 4 : 6);
	return system(cmd);
}

/* Let the kernel know the peer's link-layer address, so that what waits goes to v1. */
static int tell_neighbour(const char *peer)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd),
		 "ip neigh replace %s lladdr 02:00:00:00:00:01 dev v0", peer);
	return system(cmd);
}

/* Wait for a UDP datagram of @len bytes at @fd, a packet socket. @ip: bytes of IP's header */
static bool datagram_comes(int fd, size_t ip, size_t len)
{
	while (poll_for(fd, POLLIN, SOON_MS))
		if (recv_now(fd, wire, sizeof(wire)) == (ssize_t)(ip + 8 + len) &&
		    wire[ip == 20 ? 9 : 6] == IPPROTO_UDP)
			return true;
	return false;
}

#define TRIES	40

/*
 * A datagram that cannot go yet waits in the cork with all records that send() has taken,
 * for the caller to try again: by send(), or by the end of UDP_CORK.
 */
TEST_F(transmit_full, a_cork_outlives_a_full_buffer)
{
	size_t ip = variant->family == AF_INET ? 20 : 40, one, length;
	struct timeval moment = { .tv_usec = 10000 }, never = {};
	struct sockaddr_ll v1 = { .sll_family = AF_PACKET };
	struct dtls_counters before, after;
	int packets = socket(AF_PACKET, SOCK_DGRAM, 0), i, cork;
	struct peer_key key;

	v1.sll_protocol = htons(ip == 20 ? ETH_P_IP : ETH_P_IPV6);
	v1.sll_ifindex = if_nametoindex("v1");
	ASSERT_OK(bind(packets, (void *)&v1, sizeof(v1)));
	peer_key_init(&key, variant->cipher, nth_epoch(variant->cipher, 1), 0, 1);
	one = 100 + peer_overhead(&key);
	/* In DTLS 1.3 the last record of a datagram need not tell its length. */
	length = IS_V13(variant->cipher) ? 2 : 0;

	ASSERT_EQ(0, be_patient(variant->family));
	while (send(self->fd, text, 10, MSG_DONTWAIT) > 0)
		;
	ASSERT_EQ(EAGAIN, errno);
	ASSERT_OK(dtls_get_counters(self->fd, &before));
	ASSERT_OK(setsockopt(self->fd, SOL_SOCKET, SO_SNDTIMEO, &moment,
			     sizeof(moment)));
	/* However often that is tried, the records in the cork lie side by side. */
	for (i = 0; i < TRIES; i++) {
		ASSERT_EQ(100, send(self->fd, text, 100, MSG_MORE));
		ASSERT_ERRNO(EAGAIN, send(self->fd, text, 100, 0));
	}
	cork = 0;
	ASSERT_ERRNO(EAGAIN, setsockopt(self->fd, SOL_UDP, 1 /* CORK */, &cork,
					sizeof(cork)));
	/* The end of the cork does not wait where send() would not. */
	ASSERT_OK(setsockopt(self->fd, SOL_SOCKET, SO_SNDTIMEO, &never,
			     sizeof(never)));
	ASSERT_OK(fcntl(self->fd, F_SETFL, O_NONBLOCK));
	ASSERT_ERRNO(EAGAIN, setsockopt(self->fd, SOL_UDP, 1 /* CORK */, &cork,
					sizeof(cork)));
	ASSERT_EQ(0, tell_neighbour(variant->peer));
	ASSERT_NE(0, poll_for(self->fd, POLLOUT, SOON_MS));
	ASSERT_EQ(100, send(self->fd, text, 100, 0));
	EXPECT_TRUE(datagram_comes(packets, ip,
				   (TRIES + 1) * one + TRIES * length));
	ASSERT_OK(dtls_get_counters(self->fd, &after));
	EXPECT_EQ(before.tx_records + TRIES + 1, after.tx_records);
	EXPECT_EQ(before.tx_bytes + (TRIES + 1) * 100, after.tx_bytes);
	close(packets);
}

/* Without GSO, room for a part of a batch: so much is said to be sent. */
TEST_F(transmit_full, part_of_a_batch_is_told)
{
	bool v4 = variant->family == AF_INET;
	long before = udp_counter(variant->family, "OutDatagrams");
	struct dtls_counters counters;
	int one = 1;
	ssize_t n;

	if (v4) {
		ASSERT_OK(setsockopt(self->fd, SOL_SOCKET, SO_NO_CHECK, &one,
				     sizeof(one)));
	} else {
		ASSERT_OK(setsockopt(self->fd, SOL_UDP, 101 /* NO_CHECK6_TX */,
				     &one, sizeof(one)));
	}
	n = send_segments(self->fd, text, 4000, 100, MSG_DONTWAIT);
	ASSERT_LT(0, n);
	ASSERT_GT(4000, n);
	ASSERT_EQ(0, n % 100);
	EXPECT_EQ(before + n / 100,
		  udp_counter(variant->family, "OutDatagrams"));
	ASSERT_OK(dtls_get_counters(self->fd, &counters));
	EXPECT_EQ((__u64)n / 100, counters.tx_records);
	EXPECT_EQ((__u64)n, counters.tx_bytes);
}

/*
 * Who was refused, and who was told by poll that there is no room, is sent the
 * signal he asked for when there is.
 */
static void signal_for_room(struct __test_metadata *_metadata, int fd,
			    bool polls)
{
	const struct timespec soon = { .tv_sec = SOON_MS / 1000 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	ASSERT_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	ASSERT_OK(fcntl(fd, F_SETSIG, SIGRTMIN));
	ASSERT_OK(fcntl(fd, F_SETOWN, getpid()));
	ASSERT_OK(fcntl(fd, F_SETFL, O_ASYNC));

	while (!polls || poll_for(fd, POLLOUT, 0))
		if (send(fd, text, 200, MSG_DONTWAIT) < 0)
			break;
	if (!polls)
		ASSERT_EQ(EAGAIN, errno);
	/* What waits is dropped. */
	ASSERT_EQ(0, system("ip link del v0"));
	ASSERT_EQ(SIGRTMIN, sigtimedwait(&set, NULL, &soon));
}

TEST_F(transmit_full, refused_then_signalled)
{
	signal_for_room(_metadata, self->fd, false);
}

TEST_F(transmit_full, polled_then_signalled)
{
	signal_for_room(_metadata, self->fd, true);
}

TEST_F(transmit_full, eagain_of_a_batch_takes_no_number)
{
	struct dtls_info info;
	__u64 sent = 0;
	int i, refused = 0;
	ssize_t n;

	for (i = 0; i < 1000; i++) {
		n = send_segments(self->fd, text, 1000, 200, MSG_DONTWAIT);
		if (n < 0) {
			ASSERT_EQ(EAGAIN, errno);
			refused++;
		} else {
			sent += n / 200;
		}
	}
	ASSERT_LT(0, refused);
	ASSERT_OK(dtls_get_info(self->fd, &info));
	EXPECT_EQ(sent, info.tx_seq);
}

TEST_HARNESS_MAIN
