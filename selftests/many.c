// SPDX-License-Identifier: GPL-2.0
/*
 * A socket with many associations amid what others do to it: floods of strangers, of
 * hellos and of forgeries; readiness as epoll and io_uring tell it; addresses by the
 * thousand and those of a link; and the end of all associations at once.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <liburing.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "clients.h"
#include "common.h"
#include "figures.h"

#define CLIENTS		8
#define PORT		5684

static __u8 text[1 << 16];

SERVER_FIXTURE(many, CLIENTS);

LINK_VARIANT(many, v4, DTLS_CIPHER_AES_GCM_128, AF_INET, 0);
LINK_VARIANT(many, v13_v6_cid, V13(DTLS_CIPHER_CHACHA20_POLY1305), AF_INET6, 4);

SERVER_SETUP(many, text)

/*
 * All UDP sockets together have @before bytes, and as much as the server @fd may hold of
 * what strangers send: a receive buffer each in UDP's queue and in that of raw records, and
 * half of one between them. /proc/net/sockstat does not know of a mebibyte on each
 * processor, then as now.
 */
static void within_budgets(struct __test_metadata *_metadata, int fd, long before)
{
	socklen_t len = sizeof(int);
	int rcvbuf;

	ASSERT_OK(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, &len));
	ASSERT_GE(5L * rcvbuf / 2 + (sysconf(_SC_NPROCESSORS_ONLN) << 21),
		  udp_bytes() - before);
}

/* ---- floods ---- */

#define SEGMENTS	64	/* datagrams a system call */
#define BURST		64	/* system calls until somebody reads */

/*
 * Send SEGMENTS datagrams of @len bytes each at @data to @to, from an address of the
 * loopback device that @n chooses. For IPv6 @fd has IPV6_FREEBIND.
 */
static int send_as(int fd, unsigned int n, const struct sockaddr_storage *to, __u8 *data,
		   size_t len)
{
	bool v4 = to->ss_family == AF_INET;
	struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(INADDR_LOOPBACK + n) };
	struct in6_pktinfo info6 = { .ipi6_addr.s6_addr = { 0xfd, [12] = n >> 24, n >> 16,
							    n >> 8, n } };
	char space[CMSG_SPACE(sizeof(info6)) + CMSG_SPACE(sizeof(__u16))] = "";
	struct iovec iov = { data, SEGMENTS * len };
	struct msghdr msg = { .msg_name = (void *)to, .msg_namelen = sizeof(*to),
			      .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = space,
			      .msg_controllen = sizeof(space) };
	size_t info_len = v4 ? sizeof(info) : sizeof(info6);
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	__u16 size = len;

	cmsg->cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	cmsg->cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO;
	cmsg->cmsg_len = CMSG_LEN(info_len);
	memcpy(CMSG_DATA(cmsg), v4 ? (void *)&info : (void *)&info6, info_len);
	cmsg = CMSG_NXTHDR(&msg, cmsg);
	cmsg->cmsg_level = SOL_UDP;
	cmsg->cmsg_type = UDP_SEGMENT;
	cmsg->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(cmsg), &size, sizeof(size));
	msg.msg_controllen = CMSG_SPACE(info_len) + CMSG_SPACE(sizeof(size));
	return sendmsg(fd, &msg, 0) == (ssize_t)iov.iov_len ? 0 : -1;
}

/*
 * A million datagrams of strangers, of a thousand addresses and more, fill UDP's queue
 * again and again. A record that comes before the queue is full is read, so are all that
 * come after it was, and the strangers take no more memory than their budgets.
 */
TEST_F(many, a_million_strangers_datagrams_are_in_nobody_s_way)
{
	unsigned int i, k, n = rounds(1000000 / SEGMENTS, 8 * BURST) / BURST;
	long before = udp_bytes(), full = udp_counter(variant->family, "RcvbufErrors");
	static __u8 hellos[SEGMENTS * 128];
	struct sockaddr_storage name;
	socklen_t name_len = sizeof(name);
	int stranger, on = 1;
	size_t len = 0;
	__u64 id;

	ASSERT_LE(0, before);
	ASSERT_LE(0, full);
	stranger = socket(variant->family, SOCK_DGRAM, 0);
	ASSERT_LE(0, stranger);
	if (variant->family == AF_INET6)
		ASSERT_OK(setsockopt(stranger, SOL_IPV6, IPV6_FREEBIND, &on, sizeof(on)));
	ASSERT_OK(getsockname(self->server, (struct sockaddr *)&name,
			      &name_len));
	for (i = 0; i < SEGMENTS; i++)
		len += plain_record(CT_HANDSHAKE, 0, i, text, 60, hellos + len);
	for (i = 0; i < n; i++) {
		struct client *first = &self->c[i % CLIENTS];

		ASSERT_EQ(50, client_send(first, text, 50));
		for (k = 0; k < BURST; k++)
			ASSERT_OK(send_as(stranger, 1 + i * BURST + k, &name, hellos,
					  len / SEGMENTS));
		settle();
		within_budgets(_metadata, self->server, before);
		ASSERT_EQ(50, server_recv(self->server, &id, NULL, 0));
		ASSERT_EQ(first->id, id);
		ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf, sizeof(buf)));
		within_budgets(_metadata, self->server, before);
		for (k = 0; k < CLIENTS; k++)
			ASSERT_TRUE(client_works(self->server, &self->c[k]));
	}
	/* Each burst was more than UDP's queue takes. */
	EXPECT_LE(full + (long)n, udp_counter(variant->family, "RcvbufErrors"));
	close(stranger);
}

/* Whoever writes from a peer's address spends that peer's budgets alone. */
TEST_F(many, a_flood_of_forgeries_for_one_is_in_nobody_else_s_way)
{
	unsigned int i, k, n = rounds(1000, 100);
	struct dtls_counters counters;
	long before = udp_bytes();
	struct client *c = &self->c[0];
	size_t len, one;

	for (i = 0; i < n; i++) {
		for (len = 0, k = 0; k < SEGMENTS; k++, len += one) {
			one = peer_seal(&c->up, CT_DATA, 1000 + i, text, 60,
					wire + len);
			wire[len + one - 1] ^= 1;
		}
		ASSERT_EQ((ssize_t)len, send_segments(c->fd, wire, len, one, 0));
		if (i % 4)
			continue;
		ASSERT_TRUE(client_works(self->server, &self->c[1 + i / 4 % (CLIENTS - 1)]));
		within_budgets(_metadata, self->server, before);
	}
	ASSERT_OK(get_counters(self->server, c->id, &counters));
	EXPECT_LT(n, counters.rx_auth_failed);
	ASSERT_OK(get_counters(self->server, self->c[1].id, &counters));
	EXPECT_EQ((__u64)0, counters.rx_auth_failed);
	ASSERT_TRUE(client_works(self->server, c));
}

/* ---- readiness ---- */

/* A level says yes as long as there is a record of whomever, and no longer. */
TEST_F(many, epoll_says_yes_for_each_peer_s_record)
{
	int ep = epoll_of(self->server, EPOLLIN);
	struct epoll_event ev;
	unsigned int i, round;
	size_t len;
	__u64 id;

	ASSERT_LE(0, ep);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < CLIENTS; i++) {
			len = peer_seal(&self->c[i].up, CT_DATA, 5000 + round,
					text, 40, wire);
			wire[len - 1] ^= 1;
			ASSERT_EQ((ssize_t)len, send(self->c[i].fd, wire, len, 0));
		}
		settle();
		ASSERT_EQ(0, epoll_wait(ep, &ev, 1, 0));
		for (i = 0; i < CLIENTS; i++)
			ASSERT_EQ(50, client_send(&self->c[i], text, 50));
		for (i = 0; i < CLIENTS; i++) {
			ASSERT_EQ(1, epoll_wait(ep, &ev, 1, SOON_MS));
			ASSERT_EQ(50, server_recv(self->server, &id, NULL, 0));
			ASSERT_EQ(self->c[i].id, id);
		}
		ASSERT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	}
	close(ep);
}

/* An edge comes with each peer's record that comes to an empty queue. */
TEST_F(many, epoll_edge_comes_with_each_peer_s_record)
{
	int ep = epoll_of(self->server, EPOLLIN | EPOLLET);
	struct epoll_event ev;
	unsigned int i, round;
	__u64 id;

	ASSERT_LE(0, ep);
	for (round = 0; round < 20; round++)
		for (i = 0; i < CLIENTS; i++) {
			ASSERT_EQ(50, client_send(&self->c[i], text, 50));
			ASSERT_EQ(1, epoll_wait(ep, &ev, 1, SOON_MS));
			ASSERT_EQ(50, server_recv(self->server, &id, NULL, 0));
			ASSERT_EQ(self->c[i].id, id);
			ASSERT_ERRNO(EAGAIN, recv_now(self->server, buf,
						      sizeof(buf)));
		}
	close(ep);
}

/* One request of io_uring gives record after record, each with its association. */
TEST_F(many, io_uring_gives_each_record_with_its_association)
{
	static __u8 room[16][2048];
	struct msghdr msg = { .msg_namelen = sizeof(struct sockaddr_storage),
			      .msg_controllen = 128 };
	struct io_uring_recvmsg_out *out;
	struct io_uring_cqe *cqe;
	struct io_uring_sqe *sqe;
	struct io_uring ring;
	struct cmsghdr *cmsg;
	unsigned int i;
	__u64 id;

	ASSERT_OK(io_uring_queue_init(4, &ring, 0));
	io_uring_prep_provide_buffers(io_uring_get_sqe(&ring), room,
				      sizeof(room[0]), 16, 0, 0);
	ASSERT_EQ(1, io_uring_submit_and_wait(&ring, 1));
	ASSERT_OK(io_uring_wait_cqe(&ring, &cqe));
	ASSERT_LE(0, cqe->res);
	io_uring_cqe_seen(&ring, cqe);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_recvmsg_multishot(sqe, self->server, &msg, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	ASSERT_EQ(1, io_uring_submit(&ring));
	for (i = 0; i < 2 * CLIENTS; i++) {
		struct client *c = &self->c[i % CLIENTS];

		ASSERT_EQ(900 + i, client_send(c, text + i, 900 + i));
		ASSERT_OK(io_uring_wait_cqe(&ring, &cqe));
		ASSERT_LE(0, cqe->res);
		out = io_uring_recvmsg_validate(room[cqe->flags >> 16],
						cqe->res, &msg);
		ASSERT_NE(NULL, out);
		ASSERT_EQ(900 + i, io_uring_recvmsg_payload_length(out, cqe->res,
								   &msg));
		ASSERT_EQ(0, memcmp(io_uring_recvmsg_payload(out, &msg), text + i,
				    900 + i));
		cmsg = io_uring_recvmsg_cmsg_firsthdr(out, &msg);
		while (cmsg && (cmsg->cmsg_level != SOL_DTLS ||
				cmsg->cmsg_type != DTLS_ASSOC))
			cmsg = io_uring_recvmsg_cmsg_nexthdr(out, &msg, cmsg);
		ASSERT_NE(NULL, cmsg);
		memcpy(&id, CMSG_DATA(cmsg), sizeof(id));
		ASSERT_EQ(c->id, id);
		io_uring_cqe_seen(&ring, cqe);
	}
	io_uring_queue_exit(&ring);
}

/* ---- addresses ---- */

/* Peers and the socket itself have addresses of the socket's family. */
TEST(v4_mapped_addresses_are_refused)
{
	struct dtls_assoc_peer p = { .id = 1, .peer = { .family = AF_INET6,
				     .port = htons(PORT) } };
	int server = make_server(AF_INET6, 0);

	ASSERT_LE(0, server);
	inet_pton(AF_INET6, "::ffff:127.0.0.1", p.peer.addr);
	ASSERT_ERRNO(EAFNOSUPPORT, setsockopt(server, SOL_DTLS, DTLS_ASSOC_ADD,
					      &p, sizeof(p)));
	p.peer.family = AF_INET;
	memset(p.peer.addr, 0, sizeof(p.peer.addr));
	inet_pton(AF_INET, "127.0.0.1", p.peer.addr);
	ASSERT_ERRNO(EAFNOSUPPORT, setsockopt(server, SOL_DTLS, DTLS_ASSOC_ADD,
					      &p, sizeof(p)));
	close(server);
}

/* Add @c's association, whose addresses are those in @p. */
static int add_at(int server, struct dtls_assoc_peer *p, const struct client *c)
{
	p->id = c->id;
	if (setsockopt(server, SOL_DTLS, DTLS_ASSOC_ADD, p, sizeof(*p)) ||
	    set_key(server, c->id, DTLS_RX, &c->up))
		return -1;
	return set_key(server, c->id, DTLS_TX, &c->down);
}

/* Send the first record of @c, of 50 bytes, from the socket @fd to @to. Return 0 or -1. */
static int write_to(int fd, struct client *c, const struct sockaddr *to, socklen_t len)
{
	size_t sealed = peer_seal(&c->up, CT_DATA, 0, text, 50, wire);

	return sendto(fd, wire, sealed, 0, to, len) == (ssize_t)sealed ? 0 : -1;
}

/*
 * One client has an association with each of a thousand addresses of a host, whose
 * wildcard socket answers from that to which the client has written.
 */
TEST(a_thousand_addresses_of_a_host_are_told_apart)
{
	unsigned int i, n = rounds(1000, 100);
	struct sockaddr_in any = { .sin_family = AF_INET }, to, from;
	socklen_t len = sizeof(any);
	struct dtls_assoc_peer p = {};
	struct client c = {};
	int server, fd;
	__u64 id;

	stay();
	fill(text, sizeof(text), 1);
	server = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_OK(bind(server, (struct sockaddr *)&any, sizeof(any)));
	ASSERT_OK(getsockname(server, (struct sockaddr *)&any, &len));
	ASSERT_OK(dtls_attach(server));
	ASSERT_OK(set_table(server, 0, 0));
	fd = udp_socket(AF_INET);
	address_of(fd, &p.peer);
	for (i = 0; i < n; i++) {
		to = any;
		to.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 10 + 7 * i);
		p.local.family = AF_INET;
		memcpy(p.local.addr, &to.sin_addr, sizeof(to.sin_addr));
		c.id = 1 + i;
		make_keys(&c, DTLS_CIPHER_AES_GCM_128, 0, 2 * i + 2);
		ASSERT_OK(add_at(server, &p, &c));
	}
	for (i = 0; i < n; i++) {
		size_t sealed;

		to.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 10 + 7 * i);
		make_keys(&c, DTLS_CIPHER_AES_GCM_128, 0, 2 * i + 2);
		ASSERT_OK(write_to(fd, &c, (struct sockaddr *)&to, sizeof(to)));
		ASSERT_EQ(50, server_recv(server, &id, NULL, 0));
		ASSERT_EQ((__u64)1 + i, id);
		ASSERT_EQ(60, server_send(server, id, text, 60));
		settle();
		len = sizeof(from);
		sealed = recvfrom(fd, wire, sizeof(wire), MSG_DONTWAIT,
				  (struct sockaddr *)&from, &len);
		ASSERT_EQ(to.sin_addr.s_addr, from.sin_addr.s_addr);
		ASSERT_EQ((ssize_t)sealed, peer_open(&c.down, wire, sealed, &rec));
	}
	close(fd);
	close(server);
}

/*
 * A host has many IPv6 addresses, too. The socket of all of them answers from the one
 * that was written to, and tells its peer's associations apart by it.
 */
TEST(addresses_of_ipv6_are_told_apart)
{
	unsigned int i, n = rounds(200, 20);
	struct sockaddr_in6 any = { .sin6_family = AF_INET6,
				    .sin6_port = htons(PORT) }, to = any, from;
	socklen_t len = sizeof(from);
	struct client c = {};
	int server, fd;
	FILE *ip;
	__u64 id;

	stay();
	fill(text, sizeof(text), 1);
	ASSERT_OK(unshare(CLONE_NEWNET));
	ip = popen("ip -batch -", "w");
	ASSERT_NE(NULL, ip);
	fprintf(ip, "link set lo up\n");
	for (i = 0; i < n; i++)
		fprintf(ip, "addr add fd00::%x/64 dev lo nodad\n", 1 + i);
	ASSERT_EQ(0, pclose(ip));

	server = socket(AF_INET6, SOCK_DGRAM, 0);
	ASSERT_OK(bind(server, (struct sockaddr *)&any, sizeof(any)));
	ASSERT_OK(dtls_attach(server));
	ASSERT_OK(set_table(server, 0, 0));
	fd = udp_socket(AF_INET6);
	for (i = 0; i < n; i++) {
		struct dtls_assoc_peer p = { .local.family = AF_INET6 };

		address_of(fd, &p.peer);
		inet_pton(AF_INET6, "fd00::", p.local.addr);
		p.local.addr[14] = (1 + i) >> 8;
		p.local.addr[15] = 1 + i;
		c.id = 1 + i;
		make_keys(&c, V13(DTLS_CIPHER_AES_GCM_128), 0, 2 * i + 2);
		ASSERT_OK(add_at(server, &p, &c));
	}
	inet_pton(AF_INET6, "fd00::", &to.sin6_addr);
	for (i = 0; i < n; i++) {
		size_t sealed;

		to.sin6_addr.s6_addr[14] = (1 + i) >> 8;
		to.sin6_addr.s6_addr[15] = 1 + i;
		make_keys(&c, V13(DTLS_CIPHER_AES_GCM_128), 0, 2 * i + 2);
		ASSERT_OK(write_to(fd, &c, (struct sockaddr *)&to, sizeof(to)));
		ASSERT_EQ(50, server_recv(server, &id, NULL, 0));
		ASSERT_EQ((__u64)1 + i, id);
		ASSERT_EQ(120, send_cut(server, id, -1, text, 120, 60, 0));
		settle();
		sealed = recvfrom(fd, wire, sizeof(wire), MSG_DONTWAIT,
				  (struct sockaddr *)&from, &len);
		ASSERT_EQ(0, memcmp(&to.sin6_addr, &from.sin6_addr,
				    sizeof(to.sin6_addr)));
		ASSERT_EQ((ssize_t)sealed, peer_open(&c.down, wire, sealed, &rec));
		ASSERT_LT(0, recv_now(fd, wire, sizeof(wire)));
	}
	close(fd);
	close(server);
}

/* A socket of @addr on the link @link, bound to @port */
static int socket_on(const char *link, const char *addr, in_port_t port)
{
	struct sockaddr_in6 name = { .sin6_family = AF_INET6,
				     .sin6_port = htons(port),
				     .sin6_scope_id = if_nametoindex(link) };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	inet_pton(AF_INET6, addr, &name.sin6_addr);
	return bind(fd, (struct sockaddr *)&name, sizeof(name)) ? -1 : fd;
}

/*
 * On two links there are hosts of the same link-local address and port. The socket
 * tells them apart by the link, and answers each on its own.
 */
TEST(link_local_peers_are_of_their_links)
{
	static const char *const here[] = { "v0", "w0" };
	static const char *const there[] = { "v1", "w1" };
	struct sockaddr_in6 to = { .sin6_family = AF_INET6,
				   .sin6_port = htons(PORT) };
	struct client c[2] = {};
	int server, ns, apart, i;
	char command[512];
	size_t sealed;
	__u64 id;

	stay();
	fill(text, sizeof(text), 1);
	ASSERT_OK(unshare(CLONE_NEWNET));
	apart = open("/proc/self/ns/net", O_RDONLY);
	ASSERT_OK(unshare(CLONE_NEWNET));
	ns = open("/proc/self/ns/net", O_RDONLY);
	for (i = 0; i < 2; i++) {
		snprintf(command, sizeof(command),
			 "ip link add %s type veth peer name %s netns /proc/self/fd/%d && "
			 "ip addr add fe80::1/64 dev %s nodad && ip link set %s up",
			 here[i], there[i], apart, here[i], here[i]);
		ASSERT_EQ(0, system(command));
	}
	ASSERT_OK(setns(apart, CLONE_NEWNET));
	for (i = 0; i < 2; i++) {
		snprintf(command, sizeof(command),
			 "ip addr add fe80::2/64 dev %s nodad && ip link set %s up",
			 there[i], there[i]);
		ASSERT_EQ(0, system(command));
		c[i].fd = socket_on(there[i], "fe80::2", 40000);
		ASSERT_LE(0, c[i].fd);
		inet_pton(AF_INET6, "fe80::1", &to.sin6_addr);
		to.sin6_scope_id = if_nametoindex(there[i]);
		ASSERT_OK(connect(c[i].fd, (struct sockaddr *)&to, sizeof(to)));
	}
	ASSERT_OK(setns(ns, CLONE_NEWNET));
	server = socket(AF_INET6, SOCK_DGRAM, 0);
	memset(&to.sin6_addr, 0, sizeof(to.sin6_addr));
	to.sin6_scope_id = 0;
	ASSERT_OK(bind(server, (struct sockaddr *)&to, sizeof(to)));
	ASSERT_OK(dtls_attach(server));
	ASSERT_OK(set_table(server, 0, 0));
	for (i = 0; i < 2; i++) {
		struct dtls_assoc_peer p = {
			.peer = { .family = AF_INET6, .port = htons(40000) },
			.local = { .family = AF_INET6 },
		};

		c[i].id = 1 + i;
		inet_pton(AF_INET6, "fe80::2", p.peer.addr);
		inet_pton(AF_INET6, "fe80::1", p.local.addr);
		make_keys(&c[i], DTLS_CIPHER_AES_GCM_128, 0, 2 + 2 * i);
		ASSERT_ERRNO(EINVAL, add_at(server, &p, &c[i]));
		p.peer.scope_id = if_nametoindex(here[i]);
		ASSERT_OK(add_at(server, &p, &c[i]));
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(50, client_send(&c[i], text, 50));
		ASSERT_NE(0, poll_for(server, POLLIN, SOON_MS));
		ASSERT_EQ(50, server_recv(server, &id, NULL, 0));
		ASSERT_EQ(c[i].id, id);
		ASSERT_EQ(60, server_send(server, id, text, 60));
		ASSERT_NE(0, poll_for(c[i].fd, POLLIN, SOON_MS));
		ASSERT_EQ(60, client_recv(&c[i]));
	}
	/* So does a datagram that is given back. */
	for (i = 0; i < 2; i++) {
		struct { struct dtls_feed head; __u8 data[500]; } feed = {
			.head.id = c[i].id,
		};
		struct sockaddr_storage name;

		sealed = peer_seal(&c[i].up, CT_DATA, c[i].seq++, text, 66, feed.data);
		ASSERT_OK(setsockopt(server, SOL_DTLS, DTLS_FEED, &feed,
				     sizeof(feed.head) + sealed));
		ASSERT_EQ(66, server_recv(server, &id, &name, 0));
		ASSERT_EQ(c[i].id, id);
		EXPECT_EQ(if_nametoindex(here[i]),
			  ((struct sockaddr_in6 *)&name)->sin6_scope_id);
	}
	close(server);
}

/* ---- the end ---- */

#define CROWD	rounds(100000, 2000)

/**
 * struct figures - what the end of a crowd gives back
 * @refs:	how many sockets hold the module
 * @charged:	bytes that are charged to the tests' cgroup
 */
struct figures {
	int refs;
	long charged;
};

/* Get what there is before a crowd, and go into the tests' cgroup. */
static void before_crowd(struct __test_metadata *_metadata, struct figures *before)
{
	ASSERT_OK(enter_cgroup("max"));
	ASSERT_OK(leave_cgroup());
	before->refs = module_refs();
	before->charged = cgroup_bytes_in_use();
	ASSERT_LE(0, before->charged);
	ASSERT_OK(enter_cgroup("max"));
}

/*
 * Make a socket with CROWD associations, each with both keys. Return the socket; or -1 if
 * it cannot be made, or if the cgroup is not charged for what it takes.
 */
static int crowded(const struct figures *before)
{
	struct dtls_assoc_peer p = { .peer = { .family = AF_INET,
					       .addr = { 127, 0, 0, 1 } } };
	int server = make_server(AF_INET, 0);
	unsigned int i, n = CROWD;
	struct peer_key key;

	if (server < 0)
		return -1;
	for (i = 0; i < n; i++) {
		p.id = i + 1;
		p.peer.addr[2] = i / 60000;
		p.peer.port = htons(1 + i % 60000);
		peer_key_init(&key, DTLS_CIPHER_AES_GCM_128, 1, 0, i + 1);
		if (setsockopt(server, SOL_DTLS, DTLS_ASSOC_ADD, &p, sizeof(p)) ||
		    set_key(server, p.id, DTLS_RX, &key) ||
		    set_key(server, p.id, DTLS_TX, &key))
			return -1;
	}
	return cgroup_bytes() - before->charged > (long)n * 500 ? server : -1;
}

/*
 * All that a crowd held is given back, which the cgroup knows after a grace period. The rest
 * are pages that the test has touched itself.
 */
static void all_is_back(struct __test_metadata *_metadata, const struct figures *before)
{
	long bound = (1 << 19) + 64 * sysconf(_SC_PAGESIZE);
	__u64 until = now_ms() + SOON_MS;
	long left;

	ASSERT_OK(leave_cgroup());
	while ((left = cgroup_bytes_in_use() - before->charged) > bound && now_ms() < until)
		usleep(100000);
	TH_LOG("%ld bytes are left", left);
	EXPECT_GE(bound, left);
	EXPECT_EQ(before->refs, module_refs());
}

TEST(a_hundred_thousand_end_with_a_close)
{
	struct figures before;
	int server;

	before_crowd(_metadata, &before);
	server = crowded(&before);
	ASSERT_LE(0, server);
	EXPECT_LT(before.refs, module_refs());
	close(server);
	all_is_back(_metadata, &before);
}

TEST(a_hundred_thousand_end_with_a_destroyed_socket)
{
	struct figures before;
	int server, ret;
	__u64 id;

	before_crowd(_metadata, &before);
	server = crowded(&before);
	ASSERT_LE(0, server);
	ret = destroy(server);
	if (ret == EOPNOTSUPP || ret == ENOENT)
		SKIP(return, "kernel without INET_DIAG_DESTROY");
	ASSERT_EQ(0, ret);
	ASSERT_ERRNO(ECONNABORTED, server_recv(server, &id, NULL, 0));
	close(server);
	all_is_back(_metadata, &before);
}

TEST(a_hundred_thousand_end_with_their_namespace)
{
	struct figures before;
	int status;
	pid_t child;

	before_crowd(_metadata, &before);
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (unshare(CLONE_NEWNET) || system("ip link set lo up"))
			_exit(1);
		_exit(crowded(&before) < 0 ? 2 : 0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(0, status);
	all_is_back(_metadata, &before);
}

TEST_HARNESS_MAIN
