// SPDX-License-Identifier: GPL-2.0
/*
 * A server's socket and its clients; see clients.h.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "clients.h"
#include "common.h"

__u8 buf[DGRAM_MAX], wire[DGRAM_MAX];
struct peer_record rec;

/* ---- the options ---- */

void address_of(int fd, struct dtls_addr *addr)
{
	struct sockaddr_storage name;
	struct sockaddr_in6 *sin6 = (void *)&name;
	struct sockaddr_in *sin = (void *)&name;
	socklen_t len = sizeof(name);

	memset(addr, 0, sizeof(*addr));
	if (getsockname(fd, (struct sockaddr *)&name, &len))
		return;
	addr->family = name.ss_family;
	if (name.ss_family == AF_INET) {
		addr->port = sin->sin_port;
		memcpy(addr->addr, &sin->sin_addr, sizeof(sin->sin_addr));
	} else {
		addr->port = sin6->sin6_port;
		addr->scope_id = sin6->sin6_scope_id;
		memcpy(addr->addr, &sin6->sin6_addr, sizeof(sin6->sin6_addr));
	}
}

int set_table(int fd, unsigned int cid_len, unsigned int max)
{
	struct dtls_assoc_table table = { .cid_len = cid_len, .max = max };

	return setsockopt(fd, SOL_DTLS, DTLS_ASSOC_TABLE, &table,
			  sizeof(table));
}

int set_peer_flags(int server, int option, __u64 id, int peer, __u32 flags)
{
	struct dtls_assoc_peer p = { .id = id, .flags = flags };

	address_of(peer, &p.peer);
	return setsockopt(server, SOL_DTLS, option, &p, sizeof(p));
}

int set_peer(int server, int option, __u64 id, int peer)
{
	return set_peer_flags(server, option, id, peer, 0);
}

int delete(int server, __u64 id)
{
	return setsockopt(server, SOL_DTLS, DTLS_ASSOC_DEL, &id, sizeof(id));
}

int set_key(int server, __u64 id, int dir, const struct peer_key *k)
{
	struct dtls_key_info ki;

	key_info(k, &ki);
	ki.id = id;
	return setsockopt(server, SOL_DTLS, dir, &ki, sizeof(ki));
}

int get_info(int server, __u64 id, struct dtls_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	info->id = id;
	settle();
	return getsockopt(server, SOL_DTLS, DTLS_INFO, info, &len);
}

int get_counters(int server, __u64 id, struct dtls_counters *counters)
{
	socklen_t len = sizeof(*counters);

	memset(counters, 0, sizeof(*counters));
	counters->id = id;
	settle();
	return getsockopt(server, SOL_DTLS, DTLS_COUNTERS, counters, &len);
}

int get_peer(int server, __u64 id, struct dtls_assoc_peer *peer)
{
	socklen_t len = sizeof(*peer);

	memset(peer, 0, sizeof(*peer));
	peer->id = id - 1;
	return getsockopt(server, SOL_DTLS, DTLS_ASSOC_NEXT, peer, &len);
}

int connected_socket(int server, int peer)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);
	int fd, on = 1;

	if (getsockname(server, (struct sockaddr *)&name, &len))
		return -1;
	fd = socket(name.ss_family, SOCK_DGRAM, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&name, len) ||
	    udp_connect(fd, peer) || dtls_attach(fd))
		return -1;
	return fd;
}

int peel_off(int fd, int server, __u64 id)
{
	struct dtls_assoc_peel peel = { .id = id, .fd = server };

	return setsockopt(fd, SOL_DTLS, DTLS_ASSOC_PEEL, &peel, sizeof(peel));
}

/* ---- clients ---- */

int make_server(int family, unsigned int cid_len)
{
	int fd = udp_socket(family);

	return fd < 0 || dtls_attach(fd) || set_table(fd, cid_len, 0) ? -1 : fd;
}

void make_keys(struct client *c, __u16 cipher, unsigned int cid_len,
	       unsigned int seed)
{
	peer_key_init(&c->up, cipher, nth_epoch(cipher, 1), cid_len, seed);
	peer_key_init(&c->down, cipher, nth_epoch(cipher, 1),
		      cid_len ? cid_len + 2 : 0, seed + 1);
}

int make_client(struct client *c, int family, __u16 cipher,
		unsigned int cid_len, int server, unsigned int n)
{
	memset(c, 0, sizeof(*c));
	c->id = 1000 + n;
	make_keys(c, cipher, cid_len, 2 * n + 2);
	c->fd = udp_socket(family);
	return c->fd < 0 ? -1 : udp_connect(c->fd, server);
}

int add_client_flags(int server, const struct client *c, __u32 flags)
{
	if (set_peer_flags(server, DTLS_ASSOC_ADD, c->id, c->fd, flags) ||
	    set_key(server, c->id, DTLS_RX, &c->up))
		return -1;
	return set_key(server, c->id, DTLS_TX, &c->down);
}

int add_client(int server, const struct client *c)
{
	return add_client_flags(server, c, 0);
}

int make_clients(struct client *c, unsigned int count, int family, __u16 cipher,
		 unsigned int cid_len, int server)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (make_client(&c[i], family, cipher, cid_len, server, i) ||
		    add_client(server, &c[i]))
			return -1;
	return 0;
}

ssize_t send_from(struct client *c, int fd, __u8 type, const void *data,
		  size_t len)
{
	static __thread __u8 out[DGRAM_MAX];
	size_t n = peer_seal(&c->up, type, c->seq++, data, len, out);

	return send(fd, out, n, 0) == (ssize_t)n ? (ssize_t)len : -1;
}

ssize_t client_send(struct client *c, const void *data, size_t len)
{
	return send_from(c, c->fd, CT_DATA, data, len);
}

ssize_t client_recv(struct client *c)
{
	ssize_t n;

	settle();
	n = recv(c->fd, wire, sizeof(wire), MSG_DONTWAIT);
	if (n < 0 || peer_open(&c->down, wire, n, &rec) != n)
		return -1;
	return rec.len;
}

/* ---- the server ---- */

int find_control(struct msghdr *msg, int level, int type, void *to,
		 size_t len)
{
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg))
		if (cmsg->cmsg_level == level && cmsg->cmsg_type == type) {
			memcpy(to, CMSG_DATA(cmsg), len);
			return cmsg->cmsg_len - CMSG_LEN(0);
		}
	return -1;
}

in_port_t port_of(const struct sockaddr_storage *name)
{
	return name->ss_family == AF_INET ?
	       ((const struct sockaddr_in *)name)->sin_port :
	       ((const struct sockaddr_in6 *)name)->sin6_port;
}

ssize_t server_recv(int fd, __u64 *id, struct sockaddr_storage *name,
		    int flags)
{
	char space[256];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_name = name,
			      .msg_namelen = name ? sizeof(*name) : 0,
			      .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = space,
			      .msg_controllen = sizeof(space) };
	ssize_t n;

	settle();
	*id = 0;
	n = recvmsg(fd, &msg, flags | MSG_DONTWAIT);
	if (n >= 0)
		find_control(&msg, SOL_DTLS, DTLS_ASSOC, id, sizeof(*id));
	return n;
}

ssize_t send_cut(int fd, __u64 id, int peer, const void *data, size_t len,
		 __u16 size, int flags)
{
	char space[CMSG_SPACE(sizeof(id)) + CMSG_SPACE(sizeof(size))] = "";
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = space,
			      .msg_controllen = sizeof(space) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	struct sockaddr_storage name;
	socklen_t name_len = sizeof(name);
	size_t used = 0;

	if (id) {
		cmsg->cmsg_level = SOL_DTLS;
		cmsg->cmsg_type = DTLS_ASSOC;
		cmsg->cmsg_len = CMSG_LEN(sizeof(id));
		memcpy(CMSG_DATA(cmsg), &id, sizeof(id));
		used = CMSG_SPACE(sizeof(id));
		cmsg = CMSG_NXTHDR(&msg, cmsg);
	}
	if (size) {
		cmsg->cmsg_level = SOL_UDP;
		cmsg->cmsg_type = UDP_SEGMENT;
		cmsg->cmsg_len = CMSG_LEN(sizeof(size));
		memcpy(CMSG_DATA(cmsg), &size, sizeof(size));
		used += CMSG_SPACE(sizeof(size));
	}
	msg.msg_controllen = used;
	if (peer >= 0 &&
	    !getsockname(peer, (struct sockaddr *)&name, &name_len)) {
		msg.msg_name = &name;
		msg.msg_namelen = name_len;
	}
	return sendmsg(fd, &msg, flags);
}

ssize_t server_send(int fd, __u64 id, const void *data, size_t len)
{
	return send_cut(fd, id, -1, data, len, 0, 0);
}

/* ---- both ---- */

bool client_works(int server, struct client *c)
{
	__u8 up[60], down[70];
	__u64 id;

	fill(up, sizeof(up), c->id);
	fill(down, sizeof(down), c->id + 1);
	return client_send(c, up, sizeof(up)) == sizeof(up) &&
	       server_recv(server, &id, NULL, 0) == sizeof(up) && id == c->id &&
	       !memcmp(buf, up, sizeof(up)) &&
	       server_send(server, id, down, sizeof(down)) == sizeof(down) &&
	       client_recv(c) == sizeof(down) &&
	       !memcmp(rec.data, down, sizeof(down));
}

bool nothing_waits(int fd)
{
	struct dtls_record_info info;

	if (recv_now(fd, buf, sizeof(buf)) >= 0 || errno != EAGAIN)
		return false;
	return recv_control(fd, &info, buf, sizeof(buf)) < 0 && errno == EAGAIN;
}

/* Read one record, and compare the number that it begins with. */
static void take_one(struct takers *t)
{
	char space[256];
	__u64 id = 0, said[16];
	struct iovec iov = { said, sizeof(said) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = space,
			      .msg_controllen = sizeof(space) };

	if (recvmsg(t->server, &msg, MSG_DONTWAIT) < (ssize_t)sizeof(said[0]))
		return;
	find_control(&msg, SOL_DTLS, DTLS_ASSOC, &id, sizeof(id));
	__atomic_fetch_add(&t->received, 1, __ATOMIC_RELAXED);
	if (id != said[0])
		__atomic_fetch_add(&t->mixed, 1, __ATOMIC_RELAXED);
}

static void *take(void *arg)
{
	struct takers *t = arg;
	struct pollfd pfd = { .fd = t->server, .events = POLLIN };

	while (!__atomic_load_n(&t->stop, __ATOMIC_RELAXED)) {
		poll(&pfd, 1, 10);
		take_one(t);
	}
	return NULL;
}

int takers_begin(struct takers *t, int server, unsigned int count)
{
	memset(t, 0, sizeof(*t));
	t->server = server;
	for (; t->count < count; t->count++)
		if (pthread_create(&t->thread[t->count], NULL, take, t))
			return -1;
	return 0;
}

void takers_end(struct takers *t)
{
	unsigned int i;

	__atomic_store_n(&t->stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < t->count; i++)
		pthread_join(t->thread[i], NULL);
}
