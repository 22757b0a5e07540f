// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file has one association on its socket; see kdtls/socket.h and driver.h.
 */
#include "address.h"
#include "driver.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#define ROUND		64	/* One call takes so many datagrams at most. */
#define UDP_HEADER	8
#define DEFAULT_EARLY	65536

_Static_assert(DTLS_HEADER_SIZE_MAX + DTLS_FRAGMENT_SIZE_MAX <= DATAGRAM_MAX,
	       "a record does not fit into scratch");

void kdtls_socket_config(struct kdtls_config *config)
{
	kdtls_config_init(config);
	config->max_early = DEFAULT_EARLY;
	config->ops.key = owner_key;
	config->ops.cid = owner_cid;
	config->ops.peer_cid = owner_peer_cid;
}

uint64_t driver_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

int kdtls_fd(const struct kdtls_socket *s)
{
	return s->fd;
}

int kdtls_peer_address(const struct kdtls_socket *s, struct sockaddr *address,
		       socklen_t *len)
{
	if (s->fd < 0 && s->home) {
		s->home->address(s, address, len);
		return 0;
	}
	if (getpeername(s->fd, address, len))
		return -errno;
	/*
	 * listener.c puts a file of another kind in the place of a socket that
	 * has lost its port.
	 */
	return address->sa_family == AF_UNIX ? -ENOTCONN : 0;
}

struct kdtls_engine *kdtls_engine(const struct kdtls_socket *s)
{
	return s->owner.engine;
}

void *kdtls_data(const struct kdtls_socket *s)
{
	return s->data;
}

void kdtls_set_data(struct kdtls_socket *s, void *data)
{
	s->data = data;
}

enum kdtls_path kdtls_path(const struct kdtls_socket *s, const char **why)
{
	if (why && s->path == KDTLS_PATH_AUTO)
		*why = "the handshake is not finished";
	else if (why && s->path == KDTLS_PATH_KERNEL)
		*why = "the kernel has the module and the cipher";
	else if (why)
		*why = s->owner.why ? kdtls_strerror(s->owner.why) : "asked for";
	return s->path;
}

/* ---- life ---- */

struct kdtls_socket *socket_alloc(enum kdtls_path wanted, void *data)
{
	struct kdtls_socket *s = OPENSSL_zalloc(sizeof(*s));

	if (!s)
		return NULL;
	s->fd = -1;
	s->wanted = wanted;
	s->data = data;
	return s;
}

struct kdtls_socket *socket_new(struct kdtls_endpoint *ep, enum kdtls_role role,
				enum kdtls_path wanted, void *data,
				const uint8_t *key, size_t key_len)
{
	struct kdtls_socket *s = socket_alloc(wanted, data);

	if (!s)
		return NULL;
	s->owner.ops = &handover_ops;
	if (owner_init(&s->owner, ep, role, key, key_len)) {
		OPENSSL_free(s);
		return NULL;
	}
	return s;
}

void socket_adopt(struct kdtls_socket *s, struct owner *owner, int fd)
{
	struct kdtls_info info;
	int mtu = socket_path_mtu(fd);

	owner_move(&s->owner, owner, &handover_ops);
	s->fd = fd;
	/* The handshake has left its keys here if user space makes the records. */
	s->attached = !s->owner.user.tx;
	s->path = s->attached ? KDTLS_PATH_KERNEL : KDTLS_PATH_USER;
	s->heard = true;
	/* The handshake may have found that long datagrams do not get through. */
	kdtls_engine_info(s->owner.engine, &info);
	if (mtu > 0 && (uint32_t)mtu < info.mtu)
		kdtls_engine_set_mtu(s->owner.engine, mtu);
}

void socket_free(struct kdtls_socket *s)
{
	if (!s)
		return;
	if (s->home)
		s->home->leave(s);
	if (s->fd >= 0)
		close(s->fd);
	owner_exit(&s->owner);
	OPENSSL_clear_free(s, sizeof(*s));
}

/* ---- sending ---- */

int socket_path_mtu(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	int mtu;

	if (getpeername(fd, (struct sockaddr *)&peer, &len))
		return errno == ENOTCONN ? -KDTLS_ENOTCONN : -errno;
	len = sizeof(mtu);
	if (peer.ss_family == AF_INET) {
		if (getsockopt(fd, SOL_IP, IP_MTU, &mtu, &len))
			return -errno;
		return mtu - 20 - UDP_HEADER;
	}
	if (getsockopt(fd, SOL_IPV6, IPV6_MTU, &mtu, &len))
		return -errno;
	return mtu - 40 - UDP_HEADER;
}

/*
 * Return true if udp_sendmsg() gives this error before it makes a datagram:
 * there is no room, the datagram is too long, or the error is one that the
 * network told before. After any other error somebody may have seen the
 * datagram, and its nonce must not be used again.
 */
static bool never_left(ssize_t error)
{
	return error == EAGAIN || error == EMSGSIZE || error == ECONNREFUSED;
}

/*
 * Call send(2), and call it again if a signal ended it. Return how many bytes
 * were sent, or -errno.
 */
static ssize_t send_through(int fd, const void *data, size_t len, int flags)
{
	ssize_t n;

	do {
		n = send(fd, data, len, flags | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Seal a record and send it. Return the record's bytes, or -errno. */
static ssize_t send_sealed(struct kdtls_socket *s, uint8_t type,
			   const void *data, size_t len, int flags)
{
	uint8_t *record = scratch_take(s->owner.endpoint);
	ssize_t n;

	if (!record)
		return -ENOBUFS;
	n = user_records_seal(&s->owner.user, type, data, len, record);
	if (n > 0) {
		n = send_through(s->fd, record, n, flags);
		if (n < 0 && never_left(-n))
			user_records_unseal(&s->owner.user);
	}
	scratch_give(s->owner.endpoint, record);
	return n;
}

ssize_t socket_transmit(struct kdtls_socket *s,
			const struct dtls_record_info *info,
			const uint8_t *data, size_t len,
			struct dtls_record_number *number)
{
	struct dtls_record_info numbered = *info;
	ssize_t n = len;

	memset(number, 0, sizeof(*number));
	if (s->attached) {
		if (!(info->flags & DTLS_RECORD_RAW))
			numbered.number_ptr = (uintptr_t)number;
		n = ulp_send(s->fd, &numbered, data, len, MSG_DONTWAIT);
	} else if (!(info->flags & DTLS_RECORD_RAW)) {
		*number = user_records_next(&s->owner.user);
		n = send_sealed(s, info->type, data, len, MSG_DONTWAIT);
	} else if (send(s->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		n = -errno;
	}
	if (n < 0)
		number->epoch = 0;
	return n;
}

/* Tell the engine how long a datagram may be on the path of the socket now. */
static void learn_mtu(struct kdtls_socket *s)
{
	int mtu = socket_path_mtu(s->fd);

	if (mtu > 0)
		kdtls_engine_set_mtu(s->owner.engine, mtu);
}

/*
 * Return the error that ended the association. An error of the kernel about the
 * keys, or of the network about the peer, tells more than the engine's own
 * error.
 */
static int reason(const struct kdtls_socket *s)
{
	struct kdtls_failure f;

	kdtls_engine_failure(s->owner.engine, &f);
	if (f.error == KDTLS_ECALLBACK && s->owner.why)
		return s->owner.why;
	if (f.error == KDTLS_ETIMEOUT && s->icmp)
		return s->icmp;
	return -f.error;
}

void socket_flush(struct kdtls_socket *s, uint8_t *buf)
{
	struct dtls_record_number number;
	struct dtls_record_info info;
	long n;

	if (s->error)
		return;
	while ((n = kdtls_engine_output(s->owner.engine, buf, DATAGRAM_MAX, &info,
					driver_now())) > 0) {
		if (socket_transmit(s, &info, buf, n, &number) == -EMSGSIZE)
			learn_mtu(s);
		if (info.flags & DTLS_RECORD_RAW)
			continue;
		OPENSSL_cleanse(buf, n);
		kdtls_engine_sent(s->owner.engine, &number);
	}
	switch (kdtls_engine_state(s->owner.engine)) {
	case KDTLS_FAILED:
		s->error = reason(s);
		break;
	case KDTLS_CLOSED:
		s->error = -KDTLS_ECLOSED;
		break;
	default:
		break;
	}
}

/* ---- receiving ---- */

void socket_goodbye(struct kdtls_socket *s, const struct dtls_record_info *info)
{
	s->eof = true;
	s->end.epoch = info->epoch;
	s->end.seq = info->seq;
}

/* Take the content of a verified record that is not application data. */
static void take_content(struct kdtls_socket *s,
			 const struct dtls_record_info *info,
			 const uint8_t *data, size_t len)
{
	/*
	 * The peer's close_notify is not given to the engine, which would close
	 * both directions: this end may go on sending.
	 */
	if (dtls_alert_is_goodbye(info->type, data, len))
		socket_goodbye(s, info);
	else
		kdtls_engine_input(s->owner.engine, data, len, info, driver_now());
}

/*
 * Return true if the reader gets a record of application data. A record that
 * was sent after close_notify is ignored (RFC 5246 7.2.1). A record that
 * close_notify has overtaken is not ignored, unless the reader has been told of
 * the end.
 */
static bool is_wanted(const struct kdtls_socket *s,
		      const struct dtls_record_info *info)
{
	if (!s->eof)
		return true;
	if (s->eof_told || info->epoch > s->end.epoch)
		return false;
	return info->epoch < s->end.epoch || info->seq < s->end.seq;
}

/* Take a record that the keys of this association do not open. */
static void take_raw(struct kdtls_socket *s, const uint8_t *data, size_t len)
{
	if (s->home)
		s->home->unopened(s, data, len);
	else
		kdtls_engine_input(s->owner.engine, data, len, NULL,
				   driver_now());
}

/* Take application data. An empty record is dropped, as 0 means end of file. */
static void take_data_record(struct kdtls_socket *s,
			     const struct dtls_record_info *info,
			     const uint8_t *data, size_t len)
{
	kdtls_engine_confirm(s->owner.engine);
	if (len && is_wanted(s, info) &&
	    (s->inherits || unread_has_room(&s->owner, len)))
		unread_add(&s->owner, data, len, info->flags);
}

void socket_record(struct kdtls_socket *s, const struct dtls_record_info *info,
		   const uint8_t *data, size_t len)
{
	if (info->flags & DTLS_RECORD_RAW)
		take_raw(s, data, len);
	else if (info->flags & DTLS_RECORD_EVENT)
		kdtls_engine_input(s->owner.engine, NULL, 0, info, driver_now());
	else if (info->type == DTLS_CT_APPLICATION_DATA)
		take_data_record(s, info, data, len);
	else
		take_content(s, info, data, len);
}

void socket_records(struct kdtls_socket *s, struct datagram *d)
{
	uint8_t *plain = scratch_take(s->owner.endpoint);
	struct dtls_record_info info;
	struct dtls_bytes raw;
	ssize_t n;

	/* Without memory the datagram is lost, as any datagram may be. */
	if (!plain)
		return;
	while (!s->error &&
	       (n = user_records_open(&s->owner.user,
				      dtls_engine_cids(s->owner.engine), d,
				      plain, &raw, &info)) != -EAGAIN)
		if (n >= 0)
			socket_record(s, &info, info.flags & DTLS_RECORD_RAW ?
				      raw.p : plain, n);
	OPENSSL_cleanse(plain, DTLS_FRAGMENT_SIZE_MAX);
	scratch_give(s->owner.endpoint, plain);
}

void socket_datagram(struct kdtls_socket *s, const uint8_t *data, size_t len)
{
	struct datagram d = { .rest = { data, len } };

	if (s->home)
		s->home->keep(s, data, len);
	if (owner_established(&s->owner)) {
		socket_records(s, &d);
		return;
	}
	kept_add(&s->owner, data, len);
	kdtls_engine_input(s->owner.engine, data, len, NULL, driver_now());
}

static void receive(struct kdtls_socket *s, uint8_t *buf)
{
	ssize_t n;
	int i;

	for (i = 0; i < ROUND && !s->error && !s->attached; i++) {
		if (unread_is_full(&s->owner))
			return;
		n = recv(s->fd, buf, DATAGRAM_MAX, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0) {
			/*
			 * Anybody may have sent the ICMP error, so it ends
			 * nothing, and the timers go on.
			 */
			s->icmp = -errno;
			continue;
		}
		s->heard = true;
		socket_datagram(s, buf, n);
		socket_flush(s, buf);
	}
}

/*
 * Tell the engine that the peer has the last flight of this end, which
 * application data of the peer proves (RFC 6347 4.2.4).
 */
static void confirm_delivered(struct kdtls_socket *s)
{
	struct dtls_counters counters;

	if (s->confirmed || kdtls_get_counters(s->fd, &counters) ||
	    !counters.rx_records)
		return;
	kdtls_engine_confirm(s->owner.engine);
	s->confirmed = true;
}

/*
 * Return how many bytes count of a record in @buf, of @n bytes, that came from @from. Records
 * of a listener's or server's client can come from another address than the client's, by
 * way of the server's socket; see moved.c.
 */
static size_t counting(const struct kdtls_socket *s,
		       const struct dtls_record_info *info,
		       const struct sockaddr_storage *from, const uint8_t *buf,
		       size_t n)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	if (!s->home || !(info->flags & DTLS_RECORD_RAW) ||
	    (!getpeername(s->fd, (struct sockaddr *)&peer, &len) &&
	     address_same((struct sockaddr *)&peer,
			  (const struct sockaddr *)from)))
		return n;
	return moved_len(buf, n, dtls_engine_cids(s->owner.engine)->len);
}

/*
 * Take the control records that the kernel keeps for the library. The kernel
 * opens received records only when a call asks for them. The poll() here does
 * so for a program that sends and does not receive.
 */
static void receive_control(struct kdtls_socket *s, uint8_t *buf)
{
	struct pollfd look = { .fd = s->fd, .events = POLLPRI };
	struct sockaddr_storage from;
	struct dtls_record_info info;
	struct dtls_info state;
	ssize_t n;

	poll(&look, 1, 0);
	while (!s->error && !kdtls_get_info(s->fd, &state)) {
		confirm_delivered(s);
		if (!state.control_queued)
			return;
		n = ulp_recv(s->fd, buf, DATAGRAM_MAX, &info, NULL, &from,
			     MSG_OOB);
		if (n < 0)
			return;
		if (n && !counting(s, &info, &from, buf, n))
			continue;
		socket_record(s, &info, buf, n);
		if (!(info.flags & DTLS_RECORD_RAW))
			OPENSSL_cleanse(buf, n);
	}
}

/* ---- events ---- */

/*
 * On the user path, give the engine the events of keys that are near their
 * limits, as the kernel does on the other path. Return true if there was an
 * event.
 */
static bool take_events(struct kdtls_socket *s)
{
	struct dtls_record_info info;
	bool any = false;

	while (user_records_event(&s->owner.user, &info)) {
		kdtls_engine_input(s->owner.engine, NULL, 0, &info, driver_now());
		any = true;
	}
	return any;
}

short kdtls_events(const struct kdtls_socket *s)
{
	return s->attached ? POLLPRI : POLLIN;
}

int driver_wait_ms(uint64_t expiry)
{
	uint64_t now = driver_now(), ms;

	if (expiry == KDTLS_NEVER)
		return -1;
	if (expiry <= now)
		return 0;
	ms = (expiry - now + 999) / 1000;
	return ms < 1 << 30 ? (int)ms : 1 << 30;
}

/*
 * Return the ms until a timer of @s is due, or until @end if that is earlier, as
 * for poll(2).
 */
static int wait_ms(const struct kdtls_socket *s, uint64_t end)
{
	uint64_t expiry = kdtls_engine_expiry(s->owner.engine);

	return driver_wait_ms(expiry < end ? expiry : end);
}

/*
 * Return true if kdtls_recv() would return something although poll() on the
 * file does not report it, because the library has read the datagram already.
 */
static bool is_pending(const struct kdtls_socket *s)
{
	if (!unread_is_empty(&s->owner))
		return true;
	return s->path == KDTLS_PATH_USER &&
	       (s->icmp || (s->eof && !s->eof_told));
}

int kdtls_timeout(const struct kdtls_socket *s)
{
	if (s->error)
		return -1;
	return is_pending(s) ? 0 : wait_ms(s, KDTLS_NEVER);
}

static void process(struct kdtls_socket *s, uint8_t *buf)
{
	if (s->attached)
		receive_control(s, buf);
	else
		receive(s, buf);
	take_events(s);
	if (s->error)
		return;
	kdtls_engine_expire(s->owner.engine, driver_now());
	socket_flush(s, buf);
}

int kdtls_process(struct kdtls_socket *s)
{
	struct kdtls_endpoint *ep = s->owner.endpoint;
	uint8_t *buf;

	if (s->error)
		return s->error;
	/* Without memory the next call does the work. */
	buf = scratch_take(ep);
	if (buf)
		process(s, buf);
	scratch_give(ep, buf);
	if (s->error)
		return s->error;
	return owner_established(&s->owner) ? 0 : -EINPROGRESS;
}

static bool blocking(const struct kdtls_socket *s)
{
	int flags = fcntl(s->fd, F_GETFL);

	return flags >= 0 && !(flags & O_NONBLOCK);
}

/* ---- data ---- */

ssize_t kdtls_send(struct kdtls_socket *s, const void *data, size_t len)
{
	ssize_t n;

	if (s->error)
		return s->error;
	if (s->shut)
		return -EPIPE;
	if (s->path == KDTLS_PATH_AUTO || !owner_established(&s->owner))
		return -ENOTCONN;
	if (s->attached)
		return send_through(s->fd, data, len, 0);
	n = send_sealed(s, DTLS_CT_APPLICATION_DATA, data, len, 0);
	/* A program that only sends may make no other call than this one. */
	if (take_events(s))
		kdtls_process(s);
	return n < 0 ? n : (ssize_t)len;
}

static ssize_t take_data(struct kdtls_socket *s, void *buf, size_t len,
			 struct dtls_record_info *info, bool *cut)
{
	ssize_t n;

	n = unread_take(&s->owner, buf, len, &info->flags, cut);
	if (n == -EAGAIN && s->attached && !s->error)
		n = ulp_recv(s->fd, buf, len, info, cut, NULL, 0);
	if (n != -EAGAIN)
		return n;
	if (s->error)
		return s->error;
	if (s->eof) {
		s->eof_told = true;
		return 0;
	}
	if (s->path == KDTLS_PATH_USER && s->icmp) {
		n = s->icmp;
		s->icmp = 0;
	}
	return n;
}

/* Return the time at which recv(2) would stop waiting. */
static uint64_t receive_end(const struct kdtls_socket *s)
{
	struct timeval t = { 0 };
	socklen_t len = sizeof(t);

	if (!blocking(s))
		return 0;
	if (getsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &t, &len))
		return KDTLS_NEVER;
	return t.tv_sec || t.tv_usec ?
	       driver_now() + t.tv_sec * 1000000ULL + t.tv_usec : KDTLS_NEVER;
}

static ssize_t receive_data(struct kdtls_socket *s, void *buf, size_t len,
			    struct dtls_record_info *info, bool *cut)
{
	struct pollfd p = { .fd = s->fd };
	uint64_t end = KDTLS_NEVER;
	ssize_t n;

	for (;;) {
		n = take_data(s, buf, len, info, cut);
		if (n >= 0)
			return n;
		/* A fatal alert is an error of the kernel's socket, too. */
		kdtls_process(s);
		if (n != -EAGAIN)
			return s->error ? s->error : n;
		n = take_data(s, buf, len, info, cut);
		if (n != -EAGAIN)
			return n;
		if (end == KDTLS_NEVER)
			end = receive_end(s);
		if (driver_now() >= end)
			return n;
		p.events = POLLIN | kdtls_events(s);
		if (poll(&p, 1, wait_ms(s, end)) < 0 &&
		    errno != EINTR)
			return -errno;
	}
}

ssize_t kdtls_recv_marked(struct kdtls_socket *s, void *buf, size_t len,
			  unsigned int *marks)
{
	struct dtls_record_info info = { 0 };
	bool cut = false;
	ssize_t n = receive_data(s, buf, len, &info, &cut);

	*marks = 0;
	if (n > 0 && info.flags & DTLS_RECORD_REPLAYABLE)
		*marks |= KDTLS_MARK_REPLAYABLE;
	if (n >= 0 && cut)
		*marks |= KDTLS_MARK_CUT;
	return n;
}

ssize_t kdtls_recv(struct kdtls_socket *s, void *buf, size_t len)
{
	unsigned int marks;

	return kdtls_recv_marked(s, buf, len, &marks);
}

int kdtls_payload(const struct kdtls_socket *s)
{
	struct kdtls_info info;
	int mtu, max, overhead;

	if (s->error)
		return s->error;
	if (s->path == KDTLS_PATH_AUTO)
		return -ENOTCONN;
	if (s->attached) {
		mtu = kdtls_get_mtu(s->fd);
	} else {
		mtu = socket_path_mtu(s->fd);
		overhead = (int)user_records_overhead(&s->owner.user);
		if (mtu > 0)
			mtu = mtu > overhead ? mtu - overhead : 0;
	}
	kdtls_engine_info(s->owner.engine, &info);
	max = info.peer_record_limit;
	return mtu > max ? max : mtu;
}

int kdtls_shutdown(struct kdtls_socket *s)
{
	static const uint8_t alert[] = { 1, KDTLS_ALERT_CLOSE_NOTIFY };
	ssize_t n;

	if (s->error)
		return s->error;
	if (s->shut)
		return 0;
	if (!owner_established(&s->owner))
		return -ENOTCONN;
	if (s->attached)
		n = kdtls_close_notify(s->fd);
	else
		n = send_sealed(s, DTLS_CT_ALERT, alert, sizeof(alert), 0);
	if (n < 0)
		return (int)n;
	s->shut = true;
	return 0;
}

/* End a handshake before it is done, and send the peer an alert. */
static void give_up(struct kdtls_socket *s)
{
	uint8_t *buf = scratch_take(s->owner.endpoint);

	kdtls_engine_close(s->owner.engine);
	if (buf)
		socket_flush(s, buf);
	scratch_give(s->owner.endpoint, buf);
}

void kdtls_close(struct kdtls_socket *s)
{
	if (!s)
		return;
	if (!s->error && owner_established(&s->owner))
		kdtls_shutdown(s);
	else if (!s->error)
		give_up(s);
	socket_free(s);
}

/* ---- clients ---- */

static int set_up(struct kdtls_socket *s, const struct kdtls_socket_options *o)
{
	struct kdtls_info info;
	int err, mtu;

	mtu = socket_path_mtu(s->fd);
	if (mtu < 0)
		return mtu;
	kdtls_engine_info(s->owner.engine, &info);
	if ((uint32_t)mtu < info.mtu)
		kdtls_engine_set_mtu(s->owner.engine, mtu);
	if (o->name) {
		err = kdtls_engine_set_name(s->owner.engine, o->name);
		if (err)
			return err;
	}
	if (o->cid) {
		err = kdtls_engine_set_cid(s->owner.engine, o->cid, o->cid_len);
		if (err)
			return err;
	}
	if (o->session)
		kdtls_engine_set_session(s->owner.engine, o->session, o->session_len);
	if (o->early)
		kdtls_engine_send_early(s->owner.engine, o->early, o->early_len);
	return kdtls_engine_start(s->owner.engine, driver_now());
}

/*
 * Return the ICMP error that ends a @hasty handshake, or 0. Anybody who guesses
 * the port may send an ICMP error, so none counts once the peer has been heard.
 */
static int unreachable(const struct kdtls_socket *s, bool hasty)
{
	return hasty && !s->heard ? s->icmp : 0;
}

static int wait_connected(struct kdtls_socket *s, bool hasty, int timeout)
{
	uint64_t end = timeout < 0 ? KDTLS_NEVER :
				     driver_now() + timeout * 1000ULL;
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	int err;

	for (;;) {
		err = kdtls_process(s);
		if (err != -EINPROGRESS || !timeout)
			return err;
		err = unreachable(s, hasty);
		if (err)
			return err;
		if (driver_now() >= end)
			return -ETIMEDOUT;
		if (poll(&p, 1, wait_ms(s, end)) < 0 &&
		    errno != EINTR)
			return -errno;
	}
}

int socket_connect(struct kdtls_endpoint *endpoint, int fd,
		   const struct kdtls_socket_options *o, bool hasty, int timeout,
		   struct kdtls_socket **socket)
{
	socklen_t len = sizeof(int);
	struct kdtls_socket *s;
	int protocol, err;

	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len))
		return errno == ENOTSOCK ? -KDTLS_ENOTUDP : -errno;
	if (protocol != IPPROTO_UDP)
		return -KDTLS_ENOTUDP;
	s = socket_new(endpoint, KDTLS_CLIENT, o->path, o->data, NULL, 0);
	if (!s)
		return -KDTLS_EMEMORY;
	s->fd = fd;
	err = set_up(s, o);
	if (!err)
		err = wait_connected(s, hasty, timeout);
	if (!err || (err == -EINPROGRESS && !timeout)) {
		*socket = s;
		return err;
	}
	if (o->refused)
		o->refused(s, err);
	s->fd = -1;
	socket_free(s);
	return err;
}

int kdtls_connect(struct kdtls_endpoint *endpoint, int fd,
		  const struct kdtls_socket_options *options, int timeout,
		  struct kdtls_socket **socket)
{
	static const struct kdtls_socket_options none;

	return socket_connect(endpoint, fd, options ? options : &none, false,
			      timeout, socket);
}
