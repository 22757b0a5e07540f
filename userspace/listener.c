// SPDX-License-Identifier: BSD-3-Clause
/*
 * Many clients on one UDP port.
 *
 * A listener has keepers: sockets that are bound but never connected, one for
 * each local address (a wildcard listener makes the others as clients come).
 * A client's socket is bound to the same address and port and then connected.
 * In between it could be taken for one more to share the port with; but each
 * keeper heads a SO_REUSEPORT group with a program that chooses the keeper
 * always. That holds up to Linux 6.12. Since then a connected socket leaves its
 * group, the next one bound makes a new group with it that has no program, and
 * strangers may hit the moment before the connect. So while the handshake goes
 * on, sender's addresses are looked at, and a stray goes to its keeper: nothing
 * is lost, and nobody gets what is somebody else's.
 *
 * What the client sent before that is in the keeper's queue. It can only be
 * parts of its ClientHello, for nothing else has been answered, and goes from
 * there to its handshake.
 */
#include "driver.h"
#include <errno.h>
#include <linux/filter.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MAX_SOCKETS	16384
#define SHAKE_MS	30000
#define CID_MAX		20
#define KEEPERS_MAX	64
#define ROUND		64	/* datagrams before it is another file's turn */
#define EVENTS		64
#define STRAYS_MAX	256	/* datagrams */
#define TICK		10000	/* µs: timers are looked at together */

/**
 * struct keeper - a socket that strangers write to
 * @any:	bound to the wildcard address
 */
struct keeper {
	int fd;
	bool any;
	struct sockaddr_storage local;
	socklen_t len;
};

/**
 * struct stranger - where a datagram came from, and what it was sent to
 */
struct stranger {
	struct sockaddr_storage peer;
	struct sockaddr_storage local;
	socklen_t len;
	uint8_t key[ADDRESS_KEY_MAX];
	size_t key_len;
};

/* A datagram for a keeper that came to a client's socket */
struct stray {
	STAILQ_ENTRY(stray) list;
	struct stranger from;
	size_t len;
	uint8_t data[];
};

LIST_HEAD(client_list, kdtls_socket);
TAILQ_HEAD(stage_list, kdtls_socket);

struct kdtls_listener {
	struct kdtls_endpoint *endpoint;
	struct kdtls_listener_options options;
	struct kdtls_listener_info info;
	struct keeper *keepers[KEEPERS_MAX];
	unsigned int keeper_count;
	int epoll;
	int timer;
	int wake;		/* readable while somebody is ready */
	uint64_t armed;		/* when the timer goes off, µs */
	struct stage_list shaking;
	struct stage_list ready;
	STAILQ_HEAD(, stray) strays;
	unsigned int stray_count;
	uint64_t seed;
	size_t buckets;
	struct client_list *table;
};

/* ---- addresses ---- */

/* The same bytes for the same pair of addresses; see ADDRESS_KEY_MAX. */
static size_t make_key(const struct sockaddr *peer, const struct sockaddr *local,
		       uint8_t *key)
{
	const struct sockaddr_in6 *p6 = (const void *)peer, *l6 = (const void *)local;
	const struct sockaddr_in *p4 = (const void *)peer, *l4 = (const void *)local;
	uint8_t *p = key;

	if (peer->sa_family == AF_INET) {
		memcpy(p, &p4->sin_port, 2);
		memcpy(p + 2, &p4->sin_addr, 4);
		memcpy(p + 6, &l4->sin_addr, 4);
		return 10;
	}
	memcpy(p, &p6->sin6_port, 2);
	memcpy(p + 2, &p6->sin6_addr, 16);
	memcpy(p + 18, &p6->sin6_scope_id, 4);
	memcpy(p + 22, &l6->sin6_addr, 16);
	return 38;
}

static bool is_any(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		       htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

static bool same_address(const struct sockaddr_storage *a,
			 const struct sockaddr_storage *b)
{
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;

	if (a->ss_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return IN6_ARE_ADDR_EQUAL(&a6->sin6_addr, &b6->sin6_addr) &&
	       a6->sin6_scope_id == b6->sin6_scope_id;
}

/* ---- files ---- */

/* A socket that shares its port. Return: fd or -errno. */
static int shared_socket(const struct kdtls_listener *l,
			 const struct sockaddr *local, socklen_t len)
{
	int fd, one = 1, size = (int)l->options.receive_buffer;

	fd = socket(local->sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	if (fd < 0)
		return -errno;
	if (size && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
			       sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	/* The kernel attaches no IPv6 socket with an IPv4 peer. */
	if ((local->sa_family == AF_INET6 &&
	     setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &one, sizeof(one))) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) ||
	    bind(fd, local, len)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

int listener_client_fd(struct kdtls_listener *l, const struct sockaddr *local,
		       const struct sockaddr *peer, socklen_t len)
{
	int fd, err;

	fd = shared_socket(l, local, len);
	if (fd >= 0 && connect(fd, peer, len)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static int watch(struct kdtls_listener *l, int fd, uint32_t events, void *ptr)
{
	struct epoll_event e = { .events = events, .data.ptr = ptr };

	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

static void unwatch(struct kdtls_listener *l, int fd)
{
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL);
}

/* Whom does a datagram belong to that nobody is connected for? The first. */
static int keep_strangers(int fd)
{
	struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
			  sizeof(program)) ? -errno : 0;
}

static int tell_destination(int fd, int family)
{
	int one = 1, err;

	if (family == AF_INET)
		err = setsockopt(fd, SOL_IP, IP_PKTINFO, &one, sizeof(one));
	else
		err = setsockopt(fd, SOL_IPV6, IPV6_RECVPKTINFO, &one,
				 sizeof(one));
	return err ? -errno : 0;
}

static int add_keeper(struct kdtls_listener *l, const struct sockaddr *local,
		      socklen_t len)
{
	struct keeper *k;
	int err;

	if (l->keeper_count == KEEPERS_MAX)
		return -ENOBUFS;
	k = OPENSSL_zalloc(sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->any = is_any(local);
	k->len = sizeof(k->local);
	k->fd = shared_socket(l, local, len);
	err = k->fd;
	if (k->fd < 0)
		goto free;
	err = keep_strangers(k->fd);
	if (!err && k->any)
		err = tell_destination(k->fd, local->sa_family);
	if (!err && getsockname(k->fd, (struct sockaddr *)&k->local, &k->len))
		err = -errno;
	if (!err)
		err = watch(l, k->fd, EPOLLIN, k);
	if (err)
		goto close;
	l->keepers[l->keeper_count++] = k;
	return 0;
close:
	close(k->fd);
free:
	OPENSSL_free(k);
	return err;
}

/* Clients' sockets need a keeper at their very address. */
static int need_keeper(struct kdtls_listener *l,
		       const struct sockaddr_storage *local, socklen_t len)
{
	unsigned int i;

	for (i = 0; i < l->keeper_count; i++)
		if (same_address(&l->keepers[i]->local, local))
			return 0;
	return add_keeper(l, (const struct sockaddr *)local, len);
}

/* ---- the table ---- */

static struct client_list *bucket(struct kdtls_listener *l, const uint8_t *key,
				  size_t len)
{
	uint64_t hash = l->seed;

	while (len--)
		hash = (hash ^ *key++) * 0x100000001b3;
	return &l->table[(hash ^ hash >> 32) % l->buckets];
}

static struct kdtls_socket *find(struct kdtls_listener *l, const uint8_t *key,
				 size_t len)
{
	struct kdtls_socket *s;

	LIST_FOREACH(s, bucket(l, key, len), hash)
		if (s->key_len == len && !memcmp(s->key, key, len))
			return s;
	return NULL;
}

static void insert(struct kdtls_socket *s)
{
	LIST_INSERT_HEAD(bucket(s->listener, s->key, s->key_len), s, hash);
	s->hashed = true;
}

/* ---- stages ---- */

static void set_wake(struct kdtls_listener *l)
{
	uint64_t n = 1;

	if (TAILQ_EMPTY(&l->ready) && STAILQ_EMPTY(&l->strays)) {
		if (read(l->wake, &n, sizeof(n)) < 0)
			return;	/* it was not up */
	} else if (write(l->wake, &n, sizeof(n)) < 0) {
		return;		/* it is up as far as it goes */
	}
}

static void unlist(struct kdtls_socket *s)
{
	struct kdtls_listener *l = s->listener;

	if (!s->listed)
		return;
	s->listed = false;
	TAILQ_REMOVE(s->stage == CLIENT_SHAKES ? &l->shaking : &l->ready, s,
		     list);
	if (s->stage == CLIENT_READY)
		set_wake(l);
}

struct kdtls_socket *listener_client(struct kdtls_listener *l,
				     const uint8_t *key, size_t key_len,
				     const uint8_t *random)
{
	struct kdtls_socket *s = NULL;

	if (l->info.sockets < l->options.max_sockets)
		s = socket_new(l->endpoint, KDTLS_SERVER, l->options.path,
			       l->options.data, key, key_len);
	if (!s) {
		l->info.limited++;
		return NULL;
	}
	s->listener = l;
	s->stage = CLIENT_SHAKES;
	s->deadline = driver_now() + l->options.handshake_timeout * 1000ULL;
	if (random)
		memcpy(s->random, random, sizeof(s->random));
	l->info.sockets++;
	l->info.handshakes++;
	return s;
}

void listener_prepare(struct kdtls_socket *s)
{
	const struct kdtls_listener_options *o = &s->listener->options;
	uint8_t cid[CID_MAX];
	struct kdtls_info info;
	int mtu;

	if (o->cid_len && RAND_bytes(cid, (int)o->cid_len) == 1)
		kdtls_engine_set_cid(s->engine, cid, o->cid_len);
	mtu = socket_path_mtu(s->fd < 0 ? s->old->fd : s->fd);
	kdtls_engine_info(s->engine, &info);
	if (mtu > 0 && (uint32_t)mtu < info.mtu)
		kdtls_engine_set_mtu(s->engine, mtu);
}

void listener_leave(struct kdtls_socket *s)
{
	struct kdtls_listener *l = s->listener;

	if (!l)
		return;
	unlist(s);
	if (s->hashed)
		LIST_REMOVE(s, hash);
	s->hashed = false;
	l->info.sockets--;
	if (s->stage == CLIENT_SHAKES)
		l->info.handshakes--;
	s->listener = NULL;
}

void listener_replace(struct kdtls_socket *old, struct kdtls_socket *s)
{
	s->listener->info.restarted++;
	if (old->stage == CLIENT_ACCEPTED) {
		listener_leave(old);
	} else {
		LIST_REMOVE(old, hash);
		old->hashed = false;
	}
	insert(s);
}

void listener_refused(struct kdtls_socket *s)
{
	struct kdtls_listener *l = s->listener;

	l->info.refused++;
	if (l->options.refused)
		l->options.refused(s, s->error);
	socket_free(s);
}

void listener_ready(struct kdtls_socket *s)
{
	struct kdtls_listener *l = s->listener;
	/* Only to answer who lost our last flight; data is its owner's. */
	struct epoll_event e = {
		.events = kdtls_events(s) | EPOLLET,
		.data.ptr = s,
	};

	unlist(s);
	s->stage = CLIENT_READY;
	s->deadline = KDTLS_NEVER;
	l->info.handshakes--;
	l->info.established++;
	TAILQ_INSERT_TAIL(&l->ready, s, list);
	s->listed = true;
	if (epoll_ctl(l->epoll, EPOLL_CTL_MOD, s->fd, &e))
		epoll_ctl(l->epoll, EPOLL_CTL_ADD, s->fd, &e);
	set_wake(l);
}

static void arm(struct kdtls_listener *l, uint64_t when)
{
	struct itimerspec t = { 0 };

	if (when >= l->armed)
		return;
	l->armed = when;
	when += TICK;
	t.it_value.tv_sec = (time_t)(when / 1000000);
	t.it_value.tv_nsec = (long)(when % 1000000) * 1000;
	timerfd_settime(l->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

/* What has become of a handshake? May free it. */
static void settle(struct kdtls_listener *l, struct kdtls_socket *s,
		   uint8_t *buf)
{
	socket_flush(s, buf);
	if (s->error)
		listener_refused(s);
	else if (socket_established(s))
		listener_ready(s);
	else
		arm(l, socket_expiry(s));
}

static void expire(struct kdtls_listener *l, uint8_t *buf)
{
	uint64_t now = driver_now(), count;
	struct kdtls_socket *s, *next;

	if (read(l->timer, &count, sizeof(count)) < 0)
		return;
	l->armed = KDTLS_NEVER;
	for (s = TAILQ_FIRST(&l->shaking); s; s = next) {
		next = TAILQ_NEXT(s, list);
		if (s->deadline <= now)
			s->error = -ETIMEDOUT;
		else
			kdtls_engine_expire(s->engine, now);
		settle(l, s, buf);
	}
}

/* ---- datagrams ---- */

/* The address is proven: the client gets its socket. */
static void welcome(struct kdtls_listener *l, const struct stranger *from,
		    uint8_t *buf, size_t len)
{
	const uint8_t *random = restart_random(buf, len);
	struct kdtls_socket *s;

	if (need_keeper(l, &from->local, from->len)) {
		l->info.dropped++;
		return;
	}
	s = listener_client(l, from->key, from->key_len, random);
	if (!s)
		return;
	s->fd = listener_client_fd(l, (const struct sockaddr *)&from->local,
				   (const struct sockaddr *)&from->peer,
				   from->len);
	if (s->fd < 0 || watch(l, s->fd, EPOLLIN, s)) {
		l->info.limited++;
		socket_free(s);
		return;
	}
	insert(s);
	TAILQ_INSERT_TAIL(&l->shaking, s, list);
	s->listed = true;
	listener_prepare(s);
	arm(l, s->deadline);
	socket_datagram(s, buf, len);
	settle(l, s, buf);
}

/* From the address the datagram was sent to */
static void reply(const struct keeper *k, const struct stranger *to,
		  const uint8_t *data, size_t len)
{
	const struct sockaddr_in6 *l6 = (const void *)&to->local;
	const struct sockaddr_in *l4 = (const void *)&to->local;
	union {
		char space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr msg = {
		.msg_name = (void *)&to->peer,
		.msg_namelen = to->len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	struct cmsghdr *c = &control.align;

	if (k->any) {
		msg.msg_control = control.space;
		if (to->local.ss_family == AF_INET) {
			struct in_pktinfo i = { .ipi_spec_dst = l4->sin_addr };

			c->cmsg_level = SOL_IP;
			c->cmsg_type = IP_PKTINFO;
			c->cmsg_len = CMSG_LEN(sizeof(i));
			memcpy(CMSG_DATA(c), &i, sizeof(i));
			msg.msg_controllen = CMSG_SPACE(sizeof(i));
		} else {
			struct in6_pktinfo i = {
				.ipi6_addr = l6->sin6_addr,
				.ipi6_ifindex = l6->sin6_scope_id,
			};

			c->cmsg_level = SOL_IPV6;
			c->cmsg_type = IPV6_PKTINFO;
			c->cmsg_len = CMSG_LEN(sizeof(i));
			memcpy(CMSG_DATA(c), &i, sizeof(i));
			msg.msg_controllen = CMSG_SPACE(sizeof(i));
		}
	}
	sendmsg(k->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void take_datagram(struct kdtls_listener *l, const struct keeper *k,
			  const struct stranger *from, uint8_t *buf, size_t len)
{
	uint8_t answer[KDTLS_GATE_REPLY_SIZE];
	struct kdtls_socket *s;
	size_t answer_len;

	s = find(l, from->key, from->key_len);
	if (s && s->stage == CLIENT_SHAKES && s->listed) {
		socket_datagram(s, buf, len);
		settle(l, s, buf);
		return;
	}
	/* It has its own socket: this is left over from its ClientHello. */
	if (s) {
		l->info.dropped++;
		return;
	}
	switch (kdtls_endpoint_gate(l->endpoint, from->key, from->key_len, buf,
				    len, driver_now(), answer, &answer_len)) {
	case KDTLS_GATE_REPLY:
		l->info.replies++;
		reply(k, from, answer, answer_len);
		break;
	case KDTLS_GATE_ACCEPT:
		welcome(l, from, buf, len);
		break;
	default:
		l->info.dropped++;
	}
}

/* The address a datagram was sent to, for a wildcard keeper */
static bool destination(struct msghdr *msg, struct sockaddr_storage *local)
{
	struct sockaddr_in6 *l6 = (void *)local;
	struct sockaddr_in *l4 = (void *)local;
	struct in6_pktinfo i6;
	struct in_pktinfo i4;
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&i4, CMSG_DATA(c), sizeof(i4));
			l4->sin_addr = i4.ipi_addr;
			return true;
		}
		if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&i6, CMSG_DATA(c), sizeof(i6));
			l6->sin6_addr = i6.ipi6_addr;
			if (IN6_IS_ADDR_LINKLOCAL(&i6.ipi6_addr))
				l6->sin6_scope_id = i6.ipi6_ifindex;
			return true;
		}
	}
	return false;
}

static void read_keeper(struct kdtls_listener *l, const struct keeper *k,
			uint8_t *buf)
{
	union {
		char space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct cmsghdr align;
	} control;
	struct stranger from;
	ssize_t n;
	int i;

	for (i = 0; i < ROUND; i++) {
		struct iovec iov = { .iov_base = buf, .iov_len = DATAGRAM_MAX };
		struct msghdr msg = {
			.msg_name = &from.peer,
			.msg_namelen = sizeof(from.peer),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control.space,
			.msg_controllen = sizeof(control.space),
		};

		n = recvmsg(k->fd, &msg, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		from.local = k->local;
		from.len = msg.msg_namelen;
		if (n < 0 || (k->any && !destination(&msg, &from.local)))
			continue;
		from.key_len = make_key((struct sockaddr *)&from.peer,
					(struct sockaddr *)&from.local,
					from.key);
		take_datagram(l, k, &from, buf, n);
	}
}

bool listener_stray(struct kdtls_socket *s, const struct sockaddr_storage *from,
		    socklen_t len, const uint8_t *data, size_t size)
{
	struct kdtls_listener *l = s->listener;
	struct stray *stray;
	struct stranger f;

	if (s->stage != CLIENT_SHAKES)
		return false;
	f.peer = *from;
	f.len = sizeof(f.local);
	if (getsockname(s->fd, (struct sockaddr *)&f.local, &f.len))
		return false;
	f.len = len;
	f.key_len = make_key((struct sockaddr *)&f.peer,
			     (struct sockaddr *)&f.local, f.key);
	if (f.key_len == s->key_len && !memcmp(f.key, s->key, s->key_len))
		return false;
	stray = l->stray_count < STRAYS_MAX ?
		OPENSSL_malloc(sizeof(*stray) + size) : NULL;
	if (!stray) {
		l->info.dropped++;
		return true;
	}
	stray->from = f;
	stray->len = size;
	memcpy(stray->data, data, size);
	STAILQ_INSERT_TAIL(&l->strays, stray, list);
	l->stray_count++;
	set_wake(l);
	return true;
}

void listener_strays(struct kdtls_socket *s, uint8_t *buf)
{
	struct sockaddr_storage from;
	socklen_t len;
	ssize_t n;

	for (;;) {
		len = sizeof(from);
		n = recvfrom(s->fd, buf, DATAGRAM_MAX, MSG_DONTWAIT | MSG_PEEK,
			     (struct sockaddr *)&from, &len);
		if (n < 0 || !listener_stray(s, &from, len, buf, n))
			return;
		recv(s->fd, buf, DATAGRAM_MAX, MSG_DONTWAIT);
	}
}

static struct stray *next_stray(struct kdtls_listener *l)
{
	struct stray *stray = STAILQ_FIRST(&l->strays);

	if (stray) {
		STAILQ_REMOVE_HEAD(&l->strays, list);
		l->stray_count--;
	}
	return stray;
}

static void take_strays(struct kdtls_listener *l, uint8_t *buf)
{
	struct stray *stray;
	unsigned int i;

	while ((stray = next_stray(l))) {
		for (i = 0; i < l->keeper_count; i++)
			if (same_address(&l->keepers[i]->local,
					 &stray->from.local))
				break;
		/* Client's sockets have one: see welcome(). */
		memcpy(buf, stray->data, stray->len);
		take_datagram(l, l->keepers[i], &stray->from, buf, stray->len);
		OPENSSL_free(stray);
	}
	set_wake(l);
}

/* ---- the interface ---- */

static bool is_keeper(const struct kdtls_listener *l, const void *ptr)
{
	unsigned int i;

	for (i = 0; i < l->keeper_count; i++)
		if (l->keepers[i] == ptr)
			return true;
	return false;
}

static void client_event(struct kdtls_listener *l, struct kdtls_socket *s,
			 uint8_t *buf)
{
	bool shaking = s->stage == CLIENT_SHAKES;

	kdtls_process(s);
	if (shaking)
		settle(l, s, buf);
	else if (s->error)
		socket_free(s);	/* nobody has seen it */
}

/*
 * Clients first: their handlers free nobody but themselves, while a datagram
 * for a keeper may end a handshake that is further down in the list.
 */
static void handle(struct kdtls_listener *l, const struct epoll_event *events,
		   int n)
{
	uint8_t buf[DATAGRAM_MAX];
	int i;

	for (i = 0; i < n; i++)
		if (events[i].data.ptr != l &&
		    !is_keeper(l, events[i].data.ptr))
			client_event(l, events[i].data.ptr, buf);
	for (i = 0; i < n; i++)
		if (is_keeper(l, events[i].data.ptr))
			read_keeper(l, events[i].data.ptr, buf);
	take_strays(l, buf);
	expire(l, buf);
}

int kdtls_accept(struct kdtls_listener *l, int timeout, struct kdtls_socket **s)
{
	uint64_t end = timeout < 0 ? KDTLS_NEVER :
				     driver_now() + timeout * 1000ULL, now;
	struct epoll_event events[EVENTS];
	int n, wait = timeout ? -1 : 0;

	for (;;) {
		*s = TAILQ_FIRST(&l->ready);
		if (*s) {
			unwatch(l, (*s)->fd);
			unlist(*s);
			(*s)->stage = CLIENT_ACCEPTED;
			return 0;
		}
		now = driver_now();
		if (timeout > 0) {
			if (wait >= 0 && now >= end)
				return -EAGAIN;
			wait = (int)((end - now + 999) / 1000);
		}
		n = epoll_wait(l->epoll, events, EVENTS, wait);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			handle(l, events, n);
		if (!timeout && TAILQ_EMPTY(&l->ready))
			return -EAGAIN;
	}
}

/* Somebody else's socket on this port would share it with us. */
static int port_is_free(const struct sockaddr *address, socklen_t len)
{
	int fd, one = 1, err = 0;

	fd = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if ((address->sa_family == AF_INET6 &&
	     setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &one, sizeof(one))) ||
	    bind(fd, address, len))
		err = -errno;
	close(fd);
	return err;
}

static int set_up(struct kdtls_listener *l, const struct sockaddr *address,
		  socklen_t len)
{
	int err;

	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->epoll < 0 || l->timer < 0 || l->wake < 0)
		return -errno;
	err = watch(l, l->timer, EPOLLIN, l);
	if (!err)
		err = watch(l, l->wake, EPOLLIN, l);
	if (!err)
		err = port_is_free(address, len);
	return err ? err : add_keeper(l, address, len);
}

int kdtls_listen(struct kdtls_endpoint *endpoint, const struct sockaddr *address,
		 socklen_t len, const struct kdtls_listener_options *options,
		 struct kdtls_listener **listener)
{
	struct kdtls_listener_options *o;
	struct kdtls_listener *l;
	int err;

	if ((address->sa_family != AF_INET && address->sa_family != AF_INET6) ||
	    (options && options->cid_len > CID_MAX))
		return -KDTLS_EUSAGE;
	l = OPENSSL_zalloc(sizeof(*l));
	if (!l)
		return -KDTLS_EMEMORY;
	l->endpoint = endpoint;
	l->epoll = -1;
	l->timer = -1;
	l->wake = -1;
	l->armed = KDTLS_NEVER;
	TAILQ_INIT(&l->shaking);
	TAILQ_INIT(&l->ready);
	STAILQ_INIT(&l->strays);
	o = &l->options;
	if (options)
		*o = *options;
	if (!o->max_sockets)
		o->max_sockets = MAX_SOCKETS;
	if (!o->handshake_timeout)
		o->handshake_timeout = SHAKE_MS;
	l->buckets = o->max_sockets / 2 + 1;
	l->table = calloc(l->buckets, sizeof(*l->table));
	err = -KDTLS_EMEMORY;
	if (l->table && RAND_bytes((uint8_t *)&l->seed, sizeof(l->seed)) == 1)
		err = set_up(l, address, len);
	if (err) {
		kdtls_listener_close(l);
		return err;
	}
	*listener = l;
	return 0;
}

int kdtls_listener_fd(const struct kdtls_listener *listener)
{
	return listener->epoll;
}

int kdtls_listener_address(const struct kdtls_listener *listener,
			   struct sockaddr *address, socklen_t *len)
{
	return getsockname(listener->keepers[0]->fd, address, len) ? -errno : 0;
}

void kdtls_listener_get_info(const struct kdtls_listener *listener,
			     struct kdtls_listener_info *info)
{
	*info = listener->info;
}

static void close_file(int fd)
{
	if (fd >= 0)
		close(fd);
}

void kdtls_listener_close(struct kdtls_listener *l)
{
	struct kdtls_socket *s;
	struct stray *stray;
	size_t i;

	if (!l)
		return;
	while ((stray = next_stray(l)))
		OPENSSL_free(stray);
	while ((s = TAILQ_FIRST(&l->shaking)) || (s = TAILQ_FIRST(&l->ready)))
		kdtls_close(s);
	for (i = 0; l->table && i < l->buckets; i++) {
		while ((s = LIST_FIRST(&l->table[i]))) {
			socket_free(s->next);
			s->next = NULL;
			listener_leave(s);
		}
	}
	while (l->keeper_count) {
		close(l->keepers[--l->keeper_count]->fd);
		OPENSSL_free(l->keepers[l->keeper_count]);
	}
	close_file(l->epoll);
	close_file(l->timer);
	close_file(l->wake);
	free(l->table);
	OPENSSL_free(l);
}
