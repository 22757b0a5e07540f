// SPDX-License-Identifier: BSD-3-Clause
/*
 * Many clients on one UDP port: their handshakes, and whom kdtls_accept() gets.
 *
 * While a handshake goes on, sender's addresses are looked at, and a stray goes
 * to its keeper (see keepers.c): nothing is lost, and nobody gets what is
 * somebody else's.
 *
 * What a client sent before it had its socket is in the keeper's queue. It can
 * only be parts of its ClientHello, for nothing else has been answered, and goes
 * from there to its handshake.
 */
#include "listener.h"
#include <errno.h>
#include <openssl/rand.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MAX_SOCKETS	16384
#define MAX_HANDSHAKES	2048
#define SHAKE_MS	30000
#define CID_MAX		20
#define ROUND		64	/* datagrams before it is another file's turn */
#define EVENTS		64
#define STRAYS_MAX	256	/* datagrams */
#define TICK		10000	/* µs: timers are looked at together */

/* A datagram for a keeper that came to a client's socket */
struct stray {
	STAILQ_ENTRY(stray) list;
	struct stranger from;
	size_t len;
	uint8_t data[];
};

TAILQ_HEAD(stage_list, kdtls_socket);

struct kdtls_listener {
	struct kdtls_endpoint *endpoint;
	struct kdtls_listener_options options;
	struct kdtls_listener_info info;
	struct keepers keepers;
	struct clients clients;
	int epoll;
	int timer;
	int wake;		/* readable while somebody is ready */
	uint64_t armed;		/* when the timer goes off, µs */
	struct stage_list shaking;
	struct timers timers;	/* of those */
	struct stage_list ready;
	STAILQ_HEAD(, stray) strays;
	unsigned int stray_count;
};

/* ---- files ---- */

int listener_client_fd(struct kdtls_listener *l, const struct sockaddr *local,
		       const struct sockaddr *peer, socklen_t len)
{
	return keepers_connect(&l->keepers, local, peer, len);
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
	timers_set(&l->timers, &s->timed, KDTLS_NEVER);
	TAILQ_REMOVE(s->stage == CLIENT_SHAKES ? &l->shaking : &l->ready, s,
		     list);
	if (s->stage == CLIENT_READY)
		set_wake(l);
}

struct kdtls_socket *listener_client(struct kdtls_listener *l,
				     const uint8_t *key, size_t key_len)
{
	struct kdtls_socket *s = NULL;

	/* Its hello comes again; with an alert it would be gone for good. */
	if (l->info.sockets < l->options.max_sockets &&
	    l->endpoint->handshakes < l->endpoint->config.max_handshakes)
		s = socket_new(l->endpoint, KDTLS_SERVER, l->options.path,
			       l->options.data, key, key_len);
	if (!s) {
		l->info.limited++;
		return NULL;
	}
	s->listener = l;
	s->stage = CLIENT_SHAKES;
	s->deadline = driver_now() + l->options.handshake_timeout * 1000ULL;
	l->info.sockets++;
	l->info.handshakes++;
	return s;
}

/*
 * Choose a connection ID for @s. Records of @s and of the association that @s
 * replaces arrive at one socket, so their connection IDs differ in the first
 * byte. Return: false: libcrypto failed.
 */
static bool choose_cid(const struct kdtls_socket *s, uint8_t *cid, size_t len)
{
	struct kdtls_info old;

	if (RAND_bytes(cid, (int)len) != 1)
		return false;
	if (s->old) {
		kdtls_engine_info(s->old->owner.engine, &old);
		if (old.cid_rx_len && cid[0] == old.cid_rx[0])
			cid[0] ^= 1;
	}
	return true;
}

/* What a client's engine is to know before it starts */
static void prepare(struct kdtls_socket *s)
{
	const struct kdtls_listener_options *o = &s->listener->options;
	struct kdtls_info info;
	uint8_t cid[CID_MAX];
	int mtu;

	if (o->cid_len && choose_cid(s, cid, o->cid_len))
		kdtls_engine_set_cid(s->owner.engine, cid, o->cid_len);
	mtu = socket_path_mtu(s->fd < 0 ? s->old->fd : s->fd);
	kdtls_engine_info(s->owner.engine, &info);
	if (mtu > 0 && (uint32_t)mtu < info.mtu)
		kdtls_engine_set_mtu(s->owner.engine, mtu);
}

void listener_begin(struct kdtls_socket *s, struct kdtls_hello *hello,
		    const uint8_t *data, size_t len)
{
	const uint8_t *random = kdtls_hello_random(hello);

	prepare(s);
	if (random)
		memcpy(s->random, random, sizeof(s->random));
	kept_add(&s->owner, data, len);
	kdtls_engine_accept(s->owner.engine, hello, driver_now());
}

static void set_keeper(struct kdtls_socket *s, struct keeper *k)
{
	if (k)
		k->clients++;
	if (s->keeper)
		s->keeper->clients--;
	s->keeper = k;
}

void listener_leave(struct kdtls_socket *s)
{
	struct kdtls_listener *l = s->listener;

	if (!l)
		return;
	set_keeper(s, NULL);
	unlist(s);
	clients_remove(s);
	l->info.sockets--;
	if (s->stage == CLIENT_SHAKES)
		l->info.handshakes--;
	s->listener = NULL;
}

void listener_replace(struct kdtls_socket *old, struct kdtls_socket *s)
{
	s->listener->info.restarted++;
	set_keeper(s, old->keeper);
	if (old->stage == CLIENT_ACCEPTED)
		listener_leave(old);
	else
		clients_remove(old);
	clients_add(&s->listener->clients, s);
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

/* Let the timer go off at @when if it would go off later. */
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

/* Let the handshake of @s be attended to when it is due, but not before @from. */
static void set_timer(struct kdtls_listener *l, struct kdtls_socket *s,
		      uint64_t from)
{
	uint64_t when = socket_expiry(s);

	if (when < from)
		when = from;
	timers_set(&l->timers, &s->timed, when);
	arm(l, when);
}

/*
 * Do what follows from the state of a handshake: it has failed, which frees @s,
 * or it is done, or it goes on.
 */
static void settle(struct kdtls_listener *l, struct kdtls_socket *s,
		   uint64_t from, uint8_t *buf)
{
	socket_flush(s, buf);
	if (s->error)
		listener_refused(s);
	else if (owner_established(&s->owner))
		listener_ready(s);
	else
		set_timer(l, s, from);
}

/* Attend to the handshakes that are due now, and to each of them once. */
static void expire(struct kdtls_listener *l, uint8_t *buf)
{
	uint64_t now = driver_now(), count;
	struct timed *t;

	if (read(l->timer, &count, sizeof(count)) < 0)
		return;
	l->armed = KDTLS_NEVER;
	while ((t = timers_first(&l->timers)) && t->when <= now) {
		struct kdtls_socket *s = (struct kdtls_socket *)
			((char *)t - offsetof(struct kdtls_socket, timed));

		if (s->deadline <= now)
			s->error = -ETIMEDOUT;
		else
			kdtls_engine_expire(s->owner.engine, now);
		settle(l, s, now + 1, buf);
	}
	if (t)
		arm(l, t->when);
}

/* ---- datagrams ---- */

/*
 * One more handshake is to begin. Whoever proves an address and then is silent
 * holds a file for as long as a handshake may take, so the oldest handshake makes
 * room: of the same source if that has half of what there may be. The walk costs
 * little beside a handshake, as MAX_HANDSHAKES bounds the list.
 */
static void make_room(struct kdtls_listener *l, const struct stranger *from)
{
	struct kdtls_sender sender = address_sender(from->key, from->key_len);
	unsigned int max = l->options.max_handshakes, all = 0, same = 0;
	struct kdtls_socket *s, *oldest = NULL;

	TAILQ_FOREACH(s, &l->shaking, list) {
		all++;
		if (s->key_len != from->key_len ||
		    memcmp(s->key, from->key, sender.source_len))
			continue;
		if (!same++)
			oldest = s;
	}
	if (same < (max + 1) / 2)
		oldest = all < max ? NULL : TAILQ_FIRST(&l->shaking);
	if (!oldest)
		return;
	l->info.limited++;
	oldest->error = -ENOBUFS;
	listener_refused(oldest);
}

/* The address is proven: the client gets its socket. @hello is freed. */
static void welcome(struct kdtls_listener *l, const struct stranger *from,
		    struct kdtls_hello *hello, uint8_t *buf, size_t len)
{
	struct kdtls_socket *s = NULL;
	struct keeper *k;

	make_room(l, from);
	k = keepers_need(&l->keepers, &from->local, from->len);
	if (!k)
		l->info.limited++;
	else
		s = listener_client(l, from->key, from->key_len);
	if (!s) {
		kdtls_hello_free(hello);
		return;
	}
	set_keeper(s, k);
	s->fd = listener_client_fd(l, (const struct sockaddr *)&from->local,
				   (const struct sockaddr *)&from->peer,
				   from->len);
	if (s->fd < 0 || watch(l, s->fd, EPOLLIN, s)) {
		l->info.limited++;
		kdtls_hello_free(hello);
		socket_free(s);
		return;
	}
	clients_add(&l->clients, s);
	TAILQ_INSERT_TAIL(&l->shaking, s, list);
	s->listed = true;
	listener_begin(s, hello, buf, len);
	settle(l, s, 0, buf);
}

static void take_datagram(struct kdtls_listener *l, const struct keeper *k,
			  const struct stranger *from, uint8_t *buf, size_t len)
{
	struct kdtls_sender sender = address_sender(from->key, from->key_len);
	struct kdtls_verdict v;
	struct kdtls_socket *s;

	s = clients_find(&l->clients, from->key, from->key_len);
	if (s && s->stage == CLIENT_SHAKES && s->listed) {
		socket_datagram(s, buf, len);
		settle(l, s, 0, buf);
		return;
	}
	/* It has its own socket: this is left over from its ClientHello. */
	if (s) {
		l->info.dropped++;
		return;
	}
	switch (kdtls_endpoint_gate(l->endpoint, &sender, buf, len,
				    driver_now(), &v)) {
	case KDTLS_GATE_REPLY:
		l->info.replies++;
		keeper_reply(k, from, v.reply, v.reply_len);
		break;
	case KDTLS_GATE_ACCEPT:
		welcome(l, from, v.hello, buf, len);
		break;
	default:
		l->info.dropped++;
	}
}

static void read_keeper(struct kdtls_listener *l, const struct keeper *k,
			uint8_t *buf)
{
	struct stranger from;
	ssize_t n;
	int i;

	for (i = 0; i < ROUND; i++) {
		n = keeper_receive(k, &from, buf);
		if (n == -EAGAIN)
			return;
		if (n >= 0)
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
	address_key(&f);
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
	const struct keeper *k;
	struct stray *stray;

	while ((stray = next_stray(l))) {
		/* There was one when it came: see welcome(). */
		k = keepers_find(&l->keepers, &stray->from.local);
		memcpy(buf, stray->data, stray->len);
		if (k)
			take_datagram(l, k, &stray->from, buf, stray->len);
		OPENSSL_free(stray);
	}
	set_wake(l);
}

/* ---- the interface ---- */

static void client_event(struct kdtls_listener *l, struct kdtls_socket *s,
			 uint8_t *buf)
{
	bool shaking = s->stage == CLIENT_SHAKES;

	kdtls_process(s);
	if (shaking)
		settle(l, s, 0, buf);
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
	uint8_t *buf = scratch_take(l->endpoint);
	int i;

	/* Without memory it is done the next time. */
	if (!buf)
		return;
	for (i = 0; i < n; i++)
		if (events[i].data.ptr != l &&
		    !keepers_have(&l->keepers, events[i].data.ptr))
			client_event(l, events[i].data.ptr, buf);
	for (i = 0; i < n; i++)
		if (keepers_have(&l->keepers, events[i].data.ptr))
			read_keeper(l, events[i].data.ptr, buf);
	take_strays(l, buf);
	expire(l, buf);
	scratch_give(l->endpoint, buf);
}

/* Return why a client got no socket, if that is the same for all clients, or 0. */
static int take_denied(struct kdtls_listener *l)
{
	int err = l->keepers.denied;

	l->keepers.denied = 0;
	return err;
}

int kdtls_accept(struct kdtls_listener *l, int timeout, struct kdtls_socket **s)
{
	uint64_t end = timeout < 0 ? KDTLS_NEVER :
				     driver_now() + timeout * 1000ULL, now;
	struct epoll_event events[EVENTS];
	int n, err, wait = timeout ? -1 : 0;

	for (;;) {
		*s = TAILQ_FIRST(&l->ready);
		if (*s) {
			unwatch(l, (*s)->fd);
			unlist(*s);
			(*s)->stage = CLIENT_ACCEPTED;
			return 0;
		}
		err = take_denied(l);
		if (err)
			return err;
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
		if (!timeout && TAILQ_EMPTY(&l->ready)) {
			err = take_denied(l);
			return err ? err : -EAGAIN;
		}
	}
}

/* Half of the process's files are for those whose handshake is done. */
static unsigned int default_handshakes(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) ||
	    files.rlim_cur / 2 > MAX_HANDSHAKES)
		return MAX_HANDSHAKES;
	return (unsigned int)files.rlim_cur / 2;
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
	l->keepers.epoll = l->epoll;
	l->keepers.receive_buffer = (int)l->options.receive_buffer;
	err = watch(l, l->timer, EPOLLIN, l);
	if (!err)
		err = watch(l, l->wake, EPOLLIN, l);
	return err ? err : keepers_open(&l->keepers, address, len);
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
	if (!o->max_handshakes)
		o->max_handshakes = default_handshakes();
	if (!o->handshake_timeout)
		o->handshake_timeout = SHAKE_MS;
	err = -KDTLS_EMEMORY;
	if (clients_init(&l->clients, o->max_sockets))
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
	int fd = listener->keepers.keeper[0]->fd;

	return getsockname(fd, address, len) ? -errno : 0;
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

	if (!l)
		return;
	while ((stray = next_stray(l)))
		OPENSSL_free(stray);
	while ((s = TAILQ_FIRST(&l->shaking)) || (s = TAILQ_FIRST(&l->ready)))
		kdtls_close(s);
	while ((s = clients_first(&l->clients))) {
		socket_free(s->next);
		s->next = NULL;
		listener_leave(s);
	}
	clients_exit(&l->clients);
	keepers_close(&l->keepers);
	close_file(l->epoll);
	close_file(l->timer);
	close_file(l->wake);
	OPENSSL_free(l);
}
