// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that come from a tun device, as those of a virtual machine on this host do.
 * Their sender writes the metadata of the skb, too: no other sender decides whether an skb
 * is one datagram or many, and how long each of them is.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>

#include "common.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4	5
#endif

#define HOST	0x0a4d0001	/* 10.77.0.1 */
#define GUEST	0x0a4d0002

static __u8 text[1 << 14], wire[1 << 17], buf[1 << 17];

FIXTURE(tun) {
	int tun;		/* the guest's end of the device */
	int fd;			/* an attached socket of the host */
	struct sockaddr_in host;
	struct sockaddr_in guest;
	struct peer_key rx;
};

FIXTURE_VARIANT(tun) {
	__u16 cipher;
};

FIXTURE_VARIANT_ADD(tun, v12) { DTLS_CIPHER_AES_GCM_128 };
FIXTURE_VARIANT_ADD(tun, v13) { V13(DTLS_CIPHER_AES_GCM_128) };

/* Make a tun device with the host's address. Return its file, or -1. */
static int open_tun(const struct sockaddr_in *host)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	int fd, any;

	mkdir("/dev/net", 0755);
	mknod("/dev/net/tun", S_IFCHR | 0600, makedev(10, 200));
	fd = open("/dev/net/tun", O_RDWR);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		return -1;
	any = socket(AF_INET, SOCK_DGRAM, 0);
	memcpy(&ifr.ifr_addr, host, sizeof(*host));
	if (ioctl(any, SIOCSIFADDR, &ifr))
		return -1;
	((struct sockaddr_in *)&ifr.ifr_netmask)->sin_addr.s_addr =
		htonl(0xffffff00);
	if (ioctl(any, SIOCSIFNETMASK, &ifr))
		return -1;
	ifr.ifr_flags = IFF_UP;
	if (ioctl(any, SIOCSIFFLAGS, &ifr))
		return -1;
	close(any);
	return fd;
}

FIXTURE_SETUP(tun)
{
	self->host = (struct sockaddr_in){ .sin_family = AF_INET, 1000,
					   { htonl(HOST) } };
	self->guest = (struct sockaddr_in){ .sin_family = AF_INET, 2000,
					    { htonl(GUEST) } };
	fill(text, sizeof(text), 1);
	ASSERT_OK(unshare(CLONE_NEWNET));
	self->tun = open_tun(&self->host);
	ASSERT_LE(0, self->tun) TH_LOG("no tun device: %s", strerror(errno));
	self->fd = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_OK(bind(self->fd, (void *)&self->host, sizeof(self->host)));
	ASSERT_OK(connect(self->fd, (void *)&self->guest,
			  sizeof(self->guest)));
	ASSERT_OK(dtls_attach(self->fd));
	peer_key_init(&self->rx, variant->cipher, nth_epoch(variant->cipher, 1),
		      0, 1);
	ASSERT_OK(dtls_set_key(self->fd, DTLS_RX, &self->rx));
}

FIXTURE_TEARDOWN(tun)
{
	close(self->fd);
	close(self->tun);
}

static __u16 checksum(const void *data, size_t len)
{
	const __u16 *p = data;
	__u32 sum = 0;

	for (; len; len -= 2)
		sum += *p++;
	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16));
}

/* The headers of a packet of the guest */
struct headers {
	struct iphdr ip;
	struct udphdr udp;
};

static struct headers headers_of(FIXTURE_DATA(tun) *self, size_t len)
{
	struct headers h = {
		.ip = {
			.version = 4,
			.ihl = sizeof(h.ip) / 4,
			.tot_len = htons(sizeof(h) + len),
			.ttl = 64,
			.protocol = IPPROTO_UDP,
			.saddr = self->guest.sin_addr.s_addr,
			.daddr = self->host.sin_addr.s_addr,
		},
		.udp = {
			.source = self->guest.sin_port,
			.dest = self->host.sin_port,
			.len = htons(sizeof(h.udp) + len),
		},
	};

	h.ip.check = checksum(&h.ip, sizeof(h.ip));
	return h;
}

/*
 * Let the guest send @len bytes of @wire in one packet: of type @type, VIRTIO_NET_HDR_GSO_*,
 * and with @size bytes in each datagram or, with UFO, in each fragment. The checksum of UDP
 * is said to be left to others. Return false if the kernel does not know the type.
 */
static bool guest_sends(FIXTURE_DATA(tun) *self,
			struct __test_metadata *_metadata, size_t len, int type,
			size_t size)
{
	struct headers h = headers_of(self, len);
	struct virtio_net_hdr hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = type,
		.hdr_len = sizeof(h),
		.gso_size = size,
		.csum_start = sizeof(h.ip),
		.csum_offset = offsetof(struct udphdr, check),
	};
	struct iovec iov[] = {
		{ &hdr, sizeof(hdr) }, { &h, sizeof(h) }, { wire, len },
	};
	ssize_t ret = writev(self->tun, iov, 3);

	if (ret < 0 && errno == EINVAL)
		return false;
	EXPECT_EQ((ssize_t)(sizeof(hdr) + sizeof(h) + len), ret);
	return true;
}

/*
 * Let the guest send @len bytes of @wire in one datagram, without a checksum, in IP
 * fragments that have @size bytes each, a multiple of 8.
 */
static void guest_sends_fragments(FIXTURE_DATA(tun) *self,
				  struct __test_metadata *_metadata, size_t len,
				  size_t size)
{
	size_t total = sizeof(struct udphdr) + len, at, part;
	struct headers h = headers_of(self, len);
	struct virtio_net_hdr hdr = {};
	struct iovec iov[] = {
		{ &hdr, sizeof(hdr) }, { &h.ip, sizeof(h.ip) }, {},
	};

	memmove(wire + sizeof(h.udp), wire, len);
	memcpy(wire, &h.udp, sizeof(h.udp));
	for (at = 0; at < total; at += part) {
		part = total - at < size ? total - at : size;
		h.ip.tot_len = htons(sizeof(h.ip) + part);
		h.ip.frag_off = htons(at / 8 | (at + part < total ? IP_MF : 0));
		h.ip.check = 0;
		h.ip.check = checksum(&h.ip, sizeof(h.ip));
		iov[2] = (struct iovec){ wire + at, part };
		ASSERT_LT(0, writev(self->tun, iov, 3));
	}
}

/* A record in a packet of its own arrives. */
static void record_arrives(FIXTURE_DATA(tun) *self,
			   struct __test_metadata *_metadata, __u64 seq)
{
	size_t len = peer_seal(&self->rx, CT_DATA, seq, text, 1000, wire);

	ASSERT_TRUE(guest_sends(self, _metadata, len, VIRTIO_NET_HDR_GSO_NONE,
				0));
	ASSERT_EQ(1000, recv(self->fd, buf, sizeof(buf), 0));
	ASSERT_EQ(0, memcmp(buf, text, 1000));
}

/* What a guest leaves to the host to make fragments of is one datagram (UFO). */
TEST_F(tun, a_datagram_longer_than_a_packet_is_one_datagram)
{
	size_t len;

	record_arrives(self, _metadata, 0);
	len = peer_seal(&self->rx, CT_DATA, 1, text, 9000, wire);
	ASSERT_TRUE(guest_sends(self, _metadata, len, VIRTIO_NET_HDR_GSO_UDP,
				1448));
	ASSERT_EQ(9000, recv_now(self->fd, buf, sizeof(buf)));
	ASSERT_EQ(0, memcmp(buf, text, 9000));
	record_arrives(self, _metadata, 2);
}

/* A packet that is said to be many datagrams is many (USO). */
TEST_F(tun, a_packet_of_many_datagrams_is_many)
{
	size_t len = 0, one, i;

	for (i = 0; i < 5; i++)
		len += one = peer_seal(&self->rx, CT_DATA, i, text + i, 1000,
				       wire + len);
	if (!guest_sends(self, _metadata, len, VIRTIO_NET_HDR_GSO_UDP_L4, one))
		SKIP(return, "kernel without USO");
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(1000, recv_now(self->fd, buf, sizeof(buf)));
		ASSERT_EQ(0, memcmp(buf, text + i, 1000));
	}
}

/* Records are found and opened however many pieces of memory each of them lies in. */
TEST_F(tun, a_datagram_of_small_fragments_is_read)
{
	static const size_t sizes[] = { 8, 40, 104, 1480 };
	static const size_t records[] = { 1, 30, 500, 5000, 100 };
	__u64 seq = 0;
	size_t i, j, len;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		for (j = len = 0; j < 5; j++)
			len += peer_seal_more(&self->rx, CT_DATA, seq++,
					      text + j, records[j], wire + len);
		guest_sends_fragments(self, _metadata, len, sizes[i]);
		for (j = 0; j < 5; j++) {
			ASSERT_EQ((ssize_t)records[j],
				  recv_now(self->fd, buf, sizeof(buf)));
			ASSERT_EQ(0, memcmp(buf, text + j, records[j]));
		}
	}
}

/* ---- jumbograms ---- */

#define HOST6	"2001:db8:77::1"
#define GUEST6	"2001:db8:77::2"

FIXTURE(jumbogram) {
	int tun;
	int fd;
	struct sockaddr_in6 host;
	struct sockaddr_in6 guest;
};

FIXTURE_VARIANT(jumbogram) {
	bool table;		/* the socket has many associations */
	bool pass;		/* it reads other protocols, too */
};

FIXTURE_VARIANT_ADD(jumbogram, connected) { false, false };
FIXTURE_VARIANT_ADD(jumbogram, connected_pass) { false, true };
FIXTURE_VARIANT_ADD(jumbogram, table) { true, false };
FIXTURE_VARIANT_ADD(jumbogram, table_pass) { true, true };

/*
 * Give tun0 the address HOST6. The kernel makes the address's local route in a work item,
 * later than ip returns, and drops what comes to the address until then.
 */
static bool add_host6(void)
{
	__u64 end = now_ms() + SOON_MS;

	if (system("ip addr add " HOST6 "/64 dev tun0 nodad"))
		return false;
	while (system("ip -6 route show table local | grep -q 'local " HOST6 " '")) {
		if (now_ms() > end)
			return false;
		usleep(10000);
	}
	return true;
}

FIXTURE_SETUP(jumbogram)
{
	const struct sockaddr_in host = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(HOST),
	};
	struct dtls_assoc_table table = { .max = 0 };
	int one = 1;

	self->host = (struct sockaddr_in6){ .sin6_family = AF_INET6,
					    .sin6_port = 1000 };
	self->guest = (struct sockaddr_in6){ .sin6_family = AF_INET6,
					     .sin6_port = 2000 };
	inet_pton(AF_INET6, HOST6, &self->host.sin6_addr);
	inet_pton(AF_INET6, GUEST6, &self->guest.sin6_addr);
	fill(text, sizeof(text), 1);
	ASSERT_OK(unshare(CLONE_NEWNET));
	self->tun = open_tun(&host);
	ASSERT_LE(0, self->tun) TH_LOG("no tun device: %s", strerror(errno));
	ASSERT_TRUE(add_host6());
	self->fd = socket(AF_INET6, SOCK_DGRAM, 0);
	ASSERT_OK(bind(self->fd, (void *)&self->host, sizeof(self->host)));
	if (!variant->table)
		ASSERT_OK(connect(self->fd, (void *)&self->guest,
				  sizeof(self->guest)));
	ASSERT_OK(dtls_attach(self->fd));
	if (variant->table)
		ASSERT_OK(setsockopt(self->fd, SOL_DTLS, DTLS_ASSOC_TABLE, &table,
				     sizeof(table)));
	if (variant->pass)
		ASSERT_OK(setsockopt(self->fd, SOL_DTLS, DTLS_PASS, &one,
				     sizeof(one)));
}

FIXTURE_TEARDOWN(jumbogram)
{
	close(self->fd);
	close(self->tun);
}

/*
 * Let the guest send @len bytes of @wire in one datagram. If that is too long for an IPv6
 * packet, the packet is a jumbogram (RFC 2675): its length is in a hop-by-hop option, and
 * the length of the UDP header is 0.
 */
static void guest6_sends(FIXTURE_DATA(jumbogram) *self,
			 struct __test_metadata *_metadata, size_t len)
{
	struct {
		__be32 version;
		__be16 len;
		__u8 next, hops;
		struct in6_addr from, to;
	} ip = { htonl(6u << 28), 0, IPPROTO_UDP, 64, self->guest.sin6_addr,
		 self->host.sin6_addr };
	struct {
		__u8 next, len, type, size;
		__be32 jumbo;
	} option = { IPPROTO_UDP, 0, 0xc2, 4,
		     htonl(sizeof(option) + sizeof(struct udphdr) + len) };
	bool jumbo = sizeof(struct udphdr) + len > 0xffff;
	size_t options = jumbo ? sizeof(option) : 0;
	struct udphdr udp = {
		.source = self->guest.sin6_port,
		.dest = self->host.sin6_port,
		.check = 1,		/* any but 0, which IPv6 does not allow */
	};
	struct virtio_net_hdr hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = sizeof(ip) + options,
		.csum_offset = offsetof(struct udphdr, check),
	};
	struct iovec iov[] = {
		{ &hdr, sizeof(hdr) }, { &ip, sizeof(ip) }, { &option, options },
		{ &udp, sizeof(udp) }, { wire, len },
	};

	if (jumbo) {
		ip.next = IPPROTO_HOPOPTS;
	} else {
		ip.len = htons(sizeof(udp) + len);
		udp.len = ip.len;
	}
	ASSERT_EQ((ssize_t)(sizeof(hdr) + sizeof(ip) + options + sizeof(udp) + len),
		  writev(self->tun, iov, 5));
}

/*
 * A datagram that is longer than any other on a network is of no use: neither a record nor
 * a stranger's datagram nor one of another protocol is cut out of it. What comes behind it
 * is read, a hello or a datagram of another protocol.
 */
TEST_F(jumbogram, is_dropped_whole)
{
	static const size_t lens[] = { 1 << 16, (1 << 16) + 100, (1 << 16) + 2000 };
	struct dtls_record_info info;
	size_t i, len;
	long before;

	for (i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		memset(wire, 0, sizeof(wire));
		plain_record(CT_HANDSHAKE, 0, i, text, 80, wire);
		memcpy(wire + (1 << 16), wire, 93);
		if (variant->pass)
			wire[0] = 0;
		before = udp_counter(AF_INET6, "InDatagrams");
		guest6_sends(self, _metadata, lens[i]);
		ASSERT_EQ(-1, recv_now(self->fd, buf, sizeof(buf)));
		ASSERT_EQ(EAGAIN, errno);
		ASSERT_EQ(-1, recv_control(self->fd, &info, buf, sizeof(buf)));
		ASSERT_EQ(EAGAIN, errno);
		/* It came so far. */
		EXPECT_EQ(before + 1, udp_counter(AF_INET6, "InDatagrams"));

		len = plain_record(CT_HANDSHAKE, 0, i, text, 80, wire);
		guest6_sends(self, _metadata, len);
		ASSERT_EQ((ssize_t)len,
			  recv_control(self->fd, &info, buf, sizeof(buf)));
		EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
		if (!variant->pass)
			continue;
		wire[0] = 0;
		guest6_sends(self, _metadata, len);
		ASSERT_EQ((ssize_t)len, recv_now(self->fd, buf, sizeof(buf)));
	}
}

TEST_HARNESS_MAIN
