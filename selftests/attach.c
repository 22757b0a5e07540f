// SPDX-License-Identifier: GPL-2.0
/*
 * Attaching: which sockets are taken, which are refused and how, and what an
 * attached socket no longer lets others do to it.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/genetlink.h>
#include <linux/l2tp.h>
#include <linux/netlink.h>
#include <linux/udp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common.h"
#include "traffic.h"

#ifndef IPPROTO_UDPLITE
#define IPPROTO_UDPLITE	136
#endif
#ifndef UDP_ENCAP_L2TPINUDP
#define UDP_ENCAP_L2TPINUDP	3
#endif

#define NOBODY	65534

static bool attached(int fd)
{
	char name[16];
	socklen_t len = sizeof(name);

	return !getsockopt(fd, SOL_IP, DTLS_ULP, name, &len) && len;
}

/* errno of an attach, 0 if it worked */
static int attach_errno(int fd)
{
	return dtls_attach(fd) ? errno : 0;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

static int sockmap_create(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_SOCKMAP,
				.key_size = 4, .value_size = 4,
				.max_entries = 1 };

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static int sockmap_add(int map, int fd)
{
	__u32 key = 0, value = fd;
	union bpf_attr attr = { .map_fd = map,
				.key = (unsigned long)&key,
				.value = (unsigned long)&value };

	return syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}

struct genl_request {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	char attrs[256];
};

static void genl_put(struct genl_request *req, int type, const void *val,
		     size_t len)
{
	struct nlattr *a = (void *)req + NLMSG_ALIGN(req->nlh.nlmsg_len);

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	memcpy((char *)a + NLA_HDRLEN, val, len);
	req->nlh.nlmsg_len = NLMSG_ALIGN(req->nlh.nlmsg_len) +
			     NLA_ALIGN(a->nla_len);
}

/* Send a request; the reply's first message is in @reply. errno, or 0. */
static int genl_talk(int nl, struct genl_request *req, void *reply, size_t len)
{
	struct nlmsghdr *nlh = reply;

	if (send(nl, req, req->nlh.nlmsg_len, 0) < 0 ||
	    recv(nl, reply, len, 0) < (ssize_t)sizeof(*nlh))
		return errno;
	if (nlh->nlmsg_type == NLMSG_ERROR)
		return -((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
	return 0;
}

/* The number of generic netlink family @name, -1 if the kernel has not got it */
static int genl_family(int nl, const char *name)
{
	struct genl_request req = {
		.nlh = { .nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN),
			 .nlmsg_type = GENL_ID_CTRL,
			 .nlmsg_flags = NLM_F_REQUEST },
		.genl = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
	};
	char reply[4096];
	struct nlmsghdr *nlh = (void *)reply;
	struct nlattr *a = (void *)(reply + NLMSG_LENGTH(GENL_HDRLEN));

	genl_put(&req, CTRL_ATTR_FAMILY_NAME, name, strlen(name) + 1);
	if (genl_talk(nl, &req, reply, sizeof(reply)))
		return -1;
	while ((char *)a < reply + nlh->nlmsg_len) {
		if (a->nla_type == CTRL_ATTR_FAMILY_ID)
			return *(__u16 *)((char *)a + NLA_HDRLEN);
		a = (void *)a + NLA_ALIGN(a->nla_len);
	}
	return -1;
}

/* Make @fd the socket of an L2TP tunnel: errno, 0, or -1 if there is no L2TP. */
static int l2tp_take(int fd)
{
	static __u32 id;
	struct genl_request req = {
		.nlh = { .nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN),
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.genl = { .cmd = L2TP_CMD_TUNNEL_CREATE,
			  .version = L2TP_GENL_VERSION },
	};
	__u16 encap = L2TP_ENCAPTYPE_UDP;
	__u32 sock = fd;
	__u8 proto = 3;
	char reply[4096];
	int nl, family, ret = -1;

	nl = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	if (nl < 0)
		return -1;
	family = genl_family(nl, L2TP_GENL_NAME);
	if (family >= 0) {
		id = getpid() << 4 | (id + 1) % 16;
		req.nlh.nlmsg_type = family;
		genl_put(&req, L2TP_ATTR_CONN_ID, &id, sizeof(id));
		genl_put(&req, L2TP_ATTR_PEER_CONN_ID, &id, sizeof(id));
		genl_put(&req, L2TP_ATTR_PROTO_VERSION, &proto, sizeof(proto));
		genl_put(&req, L2TP_ATTR_ENCAP_TYPE, &encap, sizeof(encap));
		genl_put(&req, L2TP_ATTR_FD, &sock, sizeof(sock));
		ret = genl_talk(nl, &req, reply, sizeof(reply));
	}
	close(nl);
	return ret;
}

FIXTURE(attach) {
	struct link l;
};

FIXTURE_VARIANT(attach) {
	int family;
};

FIXTURE_VARIANT_ADD(attach, v4) {
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(attach, v6) {
	.family = AF_INET6,
};

FIXTURE_SETUP(attach)
{
	ASSERT_EQ(0, link_open(&self->l, variant->family,
			       DTLS_CIPHER_AES_GCM_128, 0));
}

FIXTURE_TEARDOWN(attach)
{
	link_close(&self->l);
}

TEST_F(attach, name_can_be_read)
{
	char name[16] = "untouched";
	socklen_t len = sizeof(name);

	ASSERT_EQ(0, getsockopt(self->l.a, SOL_IP, DTLS_ULP, name, &len));
	EXPECT_EQ(0, len);
	EXPECT_STREQ("untouched", name);

	ASSERT_EQ(0, dtls_attach(self->l.a));
	memset(name, 0x55, sizeof(name));
	len = sizeof(name);
	ASSERT_EQ(0, getsockopt(self->l.a, SOL_IP, DTLS_ULP, name, &len));
	ASSERT_GE(len, 4);
	ASSERT_LE(len, 5);
	EXPECT_EQ(0, memcmp(name, "dtls", len));
	EXPECT_EQ(0x55, name[len]);
}

TEST_F(attach, name_read_into_short_buffer)
{
	socklen_t len, want;

	ASSERT_EQ(0, dtls_attach(self->l.a));
	for (want = 0; want < 4; want++) {
		char name[8];

		memset(name, 0x55, sizeof(name));
		len = want;
		ASSERT_EQ(0, getsockopt(self->l.a, SOL_IP, DTLS_ULP, name,
					&len));
		EXPECT_EQ(want, len);
		EXPECT_EQ(0, memcmp(name, "dtls", want));
		EXPECT_EQ(0x55, name[want]);
	}
	len = 8;
	EXPECT_EQ(-1, getsockopt(self->l.a, SOL_IP, DTLS_ULP, NULL, &len));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(attach, name_with_nul)
{
	ASSERT_EQ(0, setsockopt(self->l.a, SOL_IP, DTLS_ULP, "dtls", 5));
	EXPECT_TRUE(attached(self->l.a));
}

TEST_F(attach, wrong_name)
{
	static const char *const names[] = {
		"", "d", "dtl", "DTLS", "dtl5", "tls", "dtlss", "dtls ",
		" dtls", "espintcp",
	};
	char longname[4096] = "dtls";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		ASSERT_EQ(-1, setsockopt(self->l.a, SOL_IP, DTLS_ULP, names[i],
					 strlen(names[i])))
			TH_LOG("attached as '%s'", names[i]);
		EXPECT_TRUE(errno == EINVAL || errno == ENOENT)
			TH_LOG("'%s': %s", names[i], strerror(errno));
		EXPECT_FALSE(attached(self->l.a));
	}
	/* Bytes after the NUL are a wrong name, not a long one. */
	EXPECT_EQ(-1, setsockopt(self->l.a, SOL_IP, DTLS_ULP, longname,
				 sizeof(longname)));
	EXPECT_TRUE(errno == EINVAL || errno == ENOENT);
	EXPECT_EQ(-1, setsockopt(self->l.a, SOL_IP, DTLS_ULP, "dtls\0x", 6));
	EXPECT_TRUE(errno == EINVAL || errno == ENOENT);
	EXPECT_EQ(-1, setsockopt(self->l.a, SOL_IP, DTLS_ULP, (void *)8, 4));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, setsockopt(self->l.a, SOL_IP, DTLS_ULP, "dtls", -1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_FALSE(attached(self->l.a));

	ASSERT_EQ(0, link_attach_a(&self->l));
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(attach, twice)
{
	ASSERT_EQ(0, dtls_attach(self->l.a));
	EXPECT_EQ(EEXIST, attach_errno(self->l.a));
	ASSERT_EQ(0, dtls_set_key(self->l.a, DTLS_TX, &self->l.ab));
	ASSERT_EQ(0, dtls_set_key(self->l.a, DTLS_RX, &self->l.ba));
	EXPECT_EQ(EEXIST, attach_errno(self->l.a));
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(attach, options_need_attach)
{
	struct dtls_info info;
	int opt;

	/* What IPv4 and IPv6 say of a level they do not know. */
	for (opt = 0; opt <= 10; opt++) {
		char val[1024] = {};
		socklen_t len = sizeof(val);

		EXPECT_EQ(-1, getsockopt(self->l.a, SOL_DTLS, opt, val, &len));
		EXPECT_TRUE(errno == ENOPROTOOPT || errno == EOPNOTSUPP);
		EXPECT_EQ(-1, setsockopt(self->l.a, SOL_DTLS, opt, val,
					 sizeof(struct dtls_key_info)));
		EXPECT_TRUE(errno == ENOPROTOOPT || errno == EOPNOTSUPP);
	}
	ASSERT_EQ(0, dtls_attach(self->l.a));
	EXPECT_EQ(0, dtls_get_info(self->l.a, &info));
}

TEST_F(attach, before_bind_and_connect)
{
	struct link l = self->l;

	l.a = socket(variant->family, SOCK_DGRAM, 0);
	ASSERT_LE(0, l.a);
	ASSERT_EQ(0, dtls_attach(l.a));
	ASSERT_EQ(0, udp_connect(l.a, l.b));
	ASSERT_EQ(0, udp_connect(l.b, l.a));
	ASSERT_EQ(0, dtls_set_key(l.a, DTLS_TX, &l.ab));
	ASSERT_EQ(0, dtls_set_key(l.a, DTLS_RX, &l.ba));
	EXPECT_TRUE(link_raw_works(&l));
	close(l.a);
}

TEST_F(attach, between_bind_and_connect)
{
	struct link l = self->l;

	l.a = udp_socket(variant->family);
	ASSERT_LE(0, l.a);
	ASSERT_EQ(0, dtls_attach(l.a));
	ASSERT_EQ(0, udp_connect(l.a, l.b));
	ASSERT_EQ(0, udp_connect(l.b, l.a));
	ASSERT_EQ(0, dtls_set_key(l.a, DTLS_RX, &l.ba));
	ASSERT_EQ(0, dtls_set_key(l.a, DTLS_TX, &l.ab));
	EXPECT_TRUE(link_raw_works(&l));
	close(l.a);
}

TEST_F(attach, keys_need_a_peer)
{
	int fd = udp_socket(variant->family);
	struct dtls_info info;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dtls_attach(fd));
	EXPECT_EQ(-1, dtls_set_key(fd, DTLS_TX, &self->l.ab));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, dtls_set_key(fd, DTLS_RX, &self->l.ba));
	EXPECT_EQ(ENOTCONN, errno);
	ASSERT_EQ(0, dtls_get_info(fd, &info));
	EXPECT_EQ(0, info.version);
	EXPECT_EQ(0, info.tx_epoch);
	EXPECT_EQ(0, info.rx_epoch);
	EXPECT_EQ(0, info.mtu);
	close(fd);
}

TEST_F(attach, send_without_key)
{
	char buf[16];

	ASSERT_EQ(0, dtls_attach(self->l.a));
	EXPECT_EQ(-1, send(self->l.a, "secret", 6, 0));
	EXPECT_EQ(ENOKEY, errno);
	ASSERT_EQ(0, dtls_set_key(self->l.a, DTLS_RX, &self->l.ba));
	EXPECT_EQ(-1, send(self->l.a, "secret", 6, 0));
	EXPECT_EQ(ENOKEY, errno);
	EXPECT_EQ(-1, recv(self->l.b, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(attach, corked_data_pending)
{
	char buf[32];

	ASSERT_EQ(3, send(self->l.a, "cle", 3, MSG_MORE));
	EXPECT_EQ(EBUSY, attach_errno(self->l.a));
	EXPECT_FALSE(attached(self->l.a));
	ASSERT_EQ(2, send(self->l.a, "ar", 2, 0));
	ASSERT_EQ(5, recv(self->l.b, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "clear", 5));

	ASSERT_EQ(0, link_attach_a(&self->l));
	EXPECT_TRUE(link_raw_works(&self->l));
}

/* A socket of ESP or L2TP in UDP leaves sk_user_data NULL. */
TEST_F(attach, after_udp_encap)
{
	static const int types[] = { UDP_ENCAP_ESPINUDP, UDP_ENCAP_L2TPINUDP };
	int fd, type;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		type = types[i];
		fd = udp_socket(variant->family);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, setsockopt(fd, SOL_UDP, UDP_ENCAP, &type,
					sizeof(type)));
		EXPECT_EQ(EBUSY, attach_errno(fd));
		EXPECT_FALSE(attached(fd));
		close(fd);
	}
}

TEST_F(attach, udp_encap_afterwards)
{
	static const int types[] = { UDP_ENCAP_ESPINUDP, UDP_ENCAP_L2TPINUDP };
	socklen_t len;
	int type;
	size_t i;

	ASSERT_EQ(0, link_attach_a(&self->l));
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		type = types[i];
		EXPECT_EQ(-1, setsockopt(self->l.a, SOL_UDP, UDP_ENCAP, &type,
					 sizeof(type)));
		EXPECT_TRUE(errno == EOPNOTSUPP || errno == EBUSY);
		len = sizeof(type);
		ASSERT_EQ(0, getsockopt(self->l.a, SOL_UDP, UDP_ENCAP, &type,
					&len));
		EXPECT_EQ(0, type);
	}
	EXPECT_TRUE(link_raw_works(&self->l));
}

/* Before Linux 7.1 UDP takes its options by the level of UDP-Lite as well. */
TEST_F(attach, level_of_udplite)
{
	static const int names[] = { UDP_ENCAP, UDP_CORK, UDP_SEGMENT, UDP_GRO };
	int value, type = UDP_ENCAP_ESPINUDP;
	socklen_t len;
	size_t i;

	ASSERT_EQ(0, link_attach_a(&self->l));
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_EQ(-1, setsockopt(self->l.a, IPPROTO_UDPLITE, names[i],
					 &type, sizeof(type)));
		EXPECT_EQ(ENOPROTOOPT, errno);
		len = sizeof(value);
		EXPECT_EQ(-1, getsockopt(self->l.a, IPPROTO_UDPLITE, names[i],
					 &value, &len));
		EXPECT_EQ(ENOPROTOOPT, errno);
	}
	len = sizeof(value);
	ASSERT_EQ(0, getsockopt(self->l.a, SOL_UDP, UDP_ENCAP, &value, &len));
	EXPECT_EQ(0, value);
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(attach, tunnel_socket)
{
	int ret = l2tp_take(self->l.a);

	if (ret < 0)
		SKIP(return, "kernel without L2TP");
	ASSERT_EQ(0, ret);
	EXPECT_EQ(EBUSY, attach_errno(self->l.a));
	EXPECT_FALSE(attached(self->l.a));
}

TEST_F(attach, tunnel_afterwards)
{
	int ret;

	ASSERT_EQ(0, link_attach_a(&self->l));
	ret = l2tp_take(self->l.a);
	if (ret < 0)
		SKIP(return, "kernel without L2TP");
	EXPECT_EQ(EBUSY, ret);
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(attach, in_sockmap)
{
	int map = sockmap_create();

	ASSERT_LE(0, map);
	ASSERT_EQ(0, sockmap_add(map, self->l.a));
	EXPECT_EQ(EBUSY, attach_errno(self->l.a));
	EXPECT_FALSE(attached(self->l.a));
	close(map);
}

TEST_F(attach, sockmap_afterwards)
{
	int map = sockmap_create();

	ASSERT_LE(0, map);
	ASSERT_EQ(0, dtls_attach(self->l.a));
	EXPECT_EQ(-1, sockmap_add(map, self->l.a));
	EXPECT_TRUE(errno == EOPNOTSUPP || errno == EBUSY);
	ASSERT_EQ(0, dtls_set_key(self->l.a, DTLS_TX, &self->l.ab));
	ASSERT_EQ(0, dtls_set_key(self->l.a, DTLS_RX, &self->l.ba));
	EXPECT_EQ(-1, sockmap_add(map, self->l.a));
	EXPECT_TRUE(errno == EOPNOTSUPP || errno == EBUSY);
	EXPECT_TRUE(link_raw_works(&self->l));
	/* Others are not affected. */
	EXPECT_EQ(0, sockmap_add(map, self->l.b));
	close(map);
}

/* One's records must not go to another. */
TEST_F(attach, connect_elsewhere)
{
	struct sockaddr_storage before, after;
	socklen_t len = sizeof(before);
	int other = udp_socket(variant->family);
	char buf[16];

	ASSERT_LE(0, other);
	ASSERT_EQ(0, link_attach_a(&self->l));
	ASSERT_EQ(0, getpeername(self->l.a, (struct sockaddr *)&before, &len));
	EXPECT_EQ(-1, udp_connect(self->l.a, other));
	EXPECT_EQ(EISCONN, errno);
	ASSERT_EQ(0, getpeername(self->l.a, (struct sockaddr *)&after, &len));
	EXPECT_EQ(0, memcmp(&before, &after, len));
	EXPECT_TRUE(link_raw_works(&self->l));
	EXPECT_EQ(-1, recv(other, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	close(other);
}

TEST_F(attach, connect_elsewhere_without_keys)
{
	struct link l = self->l;

	l.b = udp_socket(variant->family);
	ASSERT_LE(0, l.b);
	ASSERT_EQ(0, dtls_attach(l.a));
	ASSERT_EQ(0, udp_connect(l.a, l.b));
	ASSERT_EQ(0, udp_connect(l.b, l.a));
	ASSERT_EQ(0, dtls_set_key(l.a, DTLS_TX, &l.ab));
	ASSERT_EQ(0, dtls_set_key(l.a, DTLS_RX, &l.ba));
	EXPECT_TRUE(link_raw_works(&l));
	close(l.b);
}

TEST_F(attach, connect_same_peer)
{
	ASSERT_EQ(0, link_attach_a(&self->l));
	EXPECT_EQ(0, udp_connect(self->l.a, self->l.b));
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(attach, disconnect)
{
	struct sockaddr_in6 addr = { .sin6_family = AF_UNSPEC };

	ASSERT_EQ(0, link_attach_a(&self->l));
	EXPECT_EQ(-1, connect(self->l.a, (void *)&addr, sizeof(addr)));
	EXPECT_EQ(EISCONN, errno);
	EXPECT_EQ(-1, connect(self->l.a, (void *)&addr,
			      sizeof(addr.sin6_family)));
	EXPECT_EQ(EISCONN, errno);
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(attach, disconnect_without_keys)
{
	struct sockaddr_in6 addr = { .sin6_family = AF_UNSPEC };

	ASSERT_EQ(0, dtls_attach(self->l.a));
	EXPECT_EQ(0, connect(self->l.a, (void *)&addr, sizeof(addr)));
	EXPECT_EQ(-1, dtls_set_key(self->l.a, DTLS_TX, &self->l.ab));
	EXPECT_EQ(ENOTCONN, errno);
}

TEST_F(attach, sendto_elsewhere)
{
	int other = udp_socket(variant->family);
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	struct dtls_info before, after;
	static struct peer_record rec;
	char buf[16];

	ASSERT_LE(0, other);
	ASSERT_EQ(0, link_attach_a(&self->l));
	ASSERT_EQ(0, getsockname(other, (struct sockaddr *)&addr, &len));
	ASSERT_EQ(0, dtls_get_info(self->l.a, &before));
	EXPECT_EQ(-1, sendto(self->l.a, "secret", 6, 0,
			     (struct sockaddr *)&addr, len));
	EXPECT_EQ(EISCONN, errno);
	ASSERT_EQ(0, dtls_get_info(self->l.a, &after));
	EXPECT_EQ(before.tx_seq, after.tx_seq);
	EXPECT_EQ(-1, recv(other, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);

	ASSERT_EQ(0, getsockname(self->l.b, (struct sockaddr *)&addr, &len));
	EXPECT_EQ(6, sendto(self->l.a, "secret", 6, 0,
			    (struct sockaddr *)&addr, len));
	EXPECT_EQ(6, link_recv(&self->l, &rec));
	EXPECT_TRUE(link_raw_works(&self->l));
	close(other);
}

TEST_F(attach, segment_and_gro_are_kept)
{
	int seg = 700, gro = 1;
	socklen_t len = sizeof(int);
	static struct peer_record rec;
	char buf[1500] = {};

	ASSERT_EQ(0, setsockopt(self->l.a, SOL_UDP, UDP_SEGMENT, &seg, len));
	ASSERT_EQ(0, setsockopt(self->l.a, SOL_UDP, UDP_GRO, &gro, len));
	ASSERT_EQ(0, link_attach_a(&self->l));
	seg = 0;
	gro = 0;
	ASSERT_EQ(0, getsockopt(self->l.a, SOL_UDP, UDP_SEGMENT, &seg, &len));
	EXPECT_EQ(700, seg);
	ASSERT_EQ(0, getsockopt(self->l.a, SOL_UDP, UDP_GRO, &gro, &len));
	EXPECT_EQ(1, gro);

	ASSERT_EQ(1500, send(self->l.a, buf, 1500, 0));
	EXPECT_EQ(700, link_recv(&self->l, &rec));
	EXPECT_EQ(700, link_recv(&self->l, &rec));
	EXPECT_EQ(100, link_recv(&self->l, &rec));

	/* 700 bytes of plaintext are one record, which UDP must not cut. */
	ASSERT_EQ(700, send(self->l.a, buf, 700, 0));
	EXPECT_EQ(700, link_recv(&self->l, &rec));
}

TEST_F(attach, gro_not_asked_for_is_not_shown)
{
	int gro = -1;
	socklen_t len = sizeof(gro);

	ASSERT_EQ(0, link_attach_a(&self->l));
	ASSERT_EQ(0, getsockopt(self->l.a, SOL_UDP, UDP_GRO, &gro, &len));
	EXPECT_EQ(0, gro);
}

TEST_F(attach, dup)
{
	struct link l = self->l;

	ASSERT_EQ(0, link_attach_a(&l));
	l.a = dup(self->l.a);
	ASSERT_LE(0, l.a);
	EXPECT_TRUE(link_raw_works(&l));
	close(l.a);
	l.a = self->l.a;
	EXPECT_TRUE(link_raw_works(&l));
}

TEST_F(attach, fork)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, link_attach_a(&self->l));
	EXPECT_TRUE(link_raw_works(&self->l));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* Nothing was received here: the child's count is right. */
		_exit(!link_raw_works(&self->l));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	self->l.b_seq++;
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(attach, passed_descriptor)
{
	struct iovec iov = { "x", 1 };
	char ctl[CMSG_SPACE(sizeof(int))] = {};
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = ctl,
			      .msg_controllen = sizeof(ctl) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	char byte;
	int sv[2];

	ASSERT_EQ(0, link_attach_a(&self->l));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, sv));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &self->l.a, sizeof(int));
	ASSERT_EQ(1, sendmsg(sv[0], &msg, 0));
	/* In flight the message holds the only reference. */
	close(self->l.a);

	iov.iov_base = &byte;
	msg.msg_controllen = sizeof(ctl);
	ASSERT_EQ(1, recvmsg(sv[1], &msg, 0));
	c = CMSG_FIRSTHDR(&msg);
	ASSERT_NE(NULL, c);
	memcpy(&self->l.a, CMSG_DATA(c), sizeof(int));
	EXPECT_TRUE(link_raw_works(&self->l));
	close(sv[0]);
	close(sv[1]);
}

TEST_F(attach, reuseport_group)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	struct link l = self->l;
	int one = 1, other;

	l.a = socket(variant->family, SOCK_DGRAM, 0);
	other = socket(variant->family, SOCK_DGRAM, 0);
	ASSERT_EQ(0, setsockopt(l.a, SOL_SOCKET, SO_REUSEPORT, &one,
				sizeof(one)));
	ASSERT_EQ(0, setsockopt(other, SOL_SOCKET, SO_REUSEPORT, &one,
				sizeof(one)));
	/* self->l.a is bound to the same address, another port. */
	ASSERT_EQ(0, getsockname(self->l.a, (struct sockaddr *)&addr, &len));
	((struct sockaddr_in *)&addr)->sin_port = 0;
	ASSERT_EQ(0, bind(l.a, (struct sockaddr *)&addr, len));
	ASSERT_EQ(0, getsockname(l.a, (struct sockaddr *)&addr, &len));
	ASSERT_EQ(0, bind(other, (struct sockaddr *)&addr, len));
	ASSERT_EQ(0, udp_connect(l.b, l.a));
	ASSERT_EQ(0, udp_connect(l.a, l.b));
	ASSERT_EQ(0, dtls_attach(other));
	ASSERT_EQ(0, link_attach_a(&l));
	EXPECT_TRUE(link_raw_works(&l));
	close(other);
	EXPECT_TRUE(link_raw_works(&l));
	close(l.a);
}

static int become_nobody(void)
{
	return setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	       setresuid(NOBODY, NOBODY, NOBODY) ? -1 : 0;
}

TEST_F(attach, unprivileged)
{
	ASSERT_EQ(0, become_nobody());
	ASSERT_EQ(0, link_attach_a(&self->l));
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(attach, user_and_network_namespace)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct link l;
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		SKIP(return, "user namespaces: %s", strerror(errno));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_EQ(0, ioctl(fd, SIOCSIFFLAGS, &ifr));
	close(fd);
	ASSERT_EQ(0, link_raw(&l, variant->family, DTLS_CIPHER_AES_GCM_128, 0));
	EXPECT_TRUE(link_raw_works(&l));
	EXPECT_EQ(1, dtls_stat("DtlsTxRecords"));
	link_close(&l);
}

/* A thread inside the base setsockopt could still change the family. */
TEST(v4_mapped_before_attach)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(9) };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	ASSERT_EQ(1, inet_pton(AF_INET6, "::ffff:127.0.0.1", &in6.sin6_addr));
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&in6, sizeof(in6)));
	EXPECT_EQ(EAFNOSUPPORT, attach_errno(fd));
	EXPECT_FALSE(attached(fd));
	close(fd);
}

TEST(v4_mapped_after_attach)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(9) };
	struct sockaddr_in in4 = { .sin_family = AF_INET,
				   .sin_port = htons(9),
				   .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	ASSERT_EQ(0, dtls_attach(fd));
	ASSERT_EQ(1, inet_pton(AF_INET6, "::ffff:127.0.0.1", &in6.sin6_addr));
	EXPECT_EQ(-1, connect(fd, (struct sockaddr *)&in6, sizeof(in6)));
	EXPECT_EQ(EAFNOSUPPORT, errno);
	EXPECT_EQ(-1, connect(fd, (struct sockaddr *)&in4, sizeof(in4)));
	EXPECT_EQ(EAFNOSUPPORT, errno);
	close(fd);
}

TEST(addrform_afterwards)
{
	struct link l;
	int family = AF_INET;
	socklen_t len = sizeof(family);

	ASSERT_EQ(0, link_raw(&l, AF_INET6, DTLS_CIPHER_AES_GCM_128, 0));
	EXPECT_EQ(-1, setsockopt(l.a, SOL_IPV6, IPV6_ADDRFORM, &family, len));
	EXPECT_TRUE(errno == EOPNOTSUPP || errno == EBUSY);
	EXPECT_TRUE(attached(l.a));
	EXPECT_TRUE(link_raw_works(&l));
	link_close(&l);
}

/* Sockets that are not UDP's */
FIXTURE(refused) {
	int fd;
};

FIXTURE_VARIANT(refused) {
	int family;
	int type;
	int protocol;
};

#define REFUSED(name, f, t, p)						\
	FIXTURE_VARIANT_ADD(refused, name) {				\
		.family = f, .type = t, .protocol = p,			\
	}

REFUSED(tcp_v4, AF_INET, SOCK_STREAM, 0);
REFUSED(tcp_v6, AF_INET6, SOCK_STREAM, 0);
REFUSED(raw_v4, AF_INET, SOCK_RAW, IPPROTO_UDP);
REFUSED(raw_v6, AF_INET6, SOCK_RAW, IPPROTO_UDP);
REFUSED(ping_v4, AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
REFUSED(ping_v6, AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6);
REFUSED(udplite_v4, AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
REFUSED(udplite_v6, AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE);
REFUSED(unix_dgram, AF_UNIX, SOCK_DGRAM, 0);
REFUSED(netlink, AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE);
REFUSED(packet, AF_PACKET, SOCK_DGRAM, 0);

FIXTURE_SETUP(refused)
{
	int udp = udp_socket(AF_INET);

	/* Without the module everything would be refused. */
	ASSERT_EQ(0, dtls_attach(udp));
	close(udp);
	/* The group may make ping sockets; nobody may at first. */
	if (variant->protocol == IPPROTO_ICMP ||
	    variant->protocol == IPPROTO_ICMPV6)
		ASSERT_EQ(0, write_file("/proc/sys/net/ipv4/ping_group_range",
					"0 2147483647"));
	self->fd = socket(variant->family, variant->type, variant->protocol);
}

FIXTURE_TEARDOWN(refused)
{
	close(self->fd);
}

TEST_F(refused, by_errno)
{
	int ret;

	if (self->fd < 0)
		SKIP(return, "kernel without this kind of socket");
	ret = attach_errno(self->fd);
	EXPECT_TRUE(ret == EOPNOTSUPP || ret == ENOPROTOOPT ||
		    ret == EPROTONOSUPPORT)
		TH_LOG("errno %d", ret);
	EXPECT_FALSE(attached(self->fd));
}

TEST(connected_tcp)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int l = socket(AF_INET, SOCK_STREAM, 0);
	int c = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(addr);
	char buf[8];
	int s, ret;

	ASSERT_EQ(0, bind(l, (struct sockaddr *)&addr, len));
	ASSERT_EQ(0, listen(l, 1));
	ASSERT_EQ(0, getsockname(l, (struct sockaddr *)&addr, &len));
	ASSERT_EQ(0, connect(c, (struct sockaddr *)&addr, len));
	s = accept(l, NULL, NULL);
	ASSERT_LE(0, s);
	ret = attach_errno(c);
	EXPECT_TRUE(ret == EOPNOTSUPP || ret == ENOPROTOOPT ||
		    ret == EPROTONOSUPPORT);
	EXPECT_FALSE(attached(c));
	ASSERT_EQ(5, send(c, "clear", 5, 0));
	EXPECT_EQ(5, recv(s, buf, sizeof(buf), 0));
	close(c);
	close(s);
	close(l);
}

TEST_HARNESS_MAIN
