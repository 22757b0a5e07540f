// SPDX-License-Identifier: BSD-3-Clause
/*
 * Receiving: many datagrams in one system call, whose they are, and the messages
 * that their records become; see server_object.h.
 *
 * A datagram is of the client whose connection ID its first record bears, or else
 * of the client at its address. Records are opened into one piece of memory, behind
 * each other. What does not fit into a call's messages waits where it is: a datagram
 * that is half read is gone on with in the next call.
 */
#include "server_object.h"
#include <errno.h>
#include <netinet/udp.h>

#define BATCH		32		/* datagrams in one system call */
#define BATCHES		8		/* system calls in one round */
#define PLAIN_SIZE	(256 * 1024)	/* bytes of content in one round */
#define ALIGN		16		/* bytes that content is aligned to */
#define CONTROL_SIZE	(ADDRESS_CONTROL + CMSG_SPACE(sizeof(int)))

_Static_assert(PLAIN_SIZE >= 2 * DTLS_FRAGMENT_SIZE_MAX, "a record does not fit");

/**
 * struct incoming - one datagram, or several of one sender's that the kernel has
 *	put together (UDP_GRO)
 * @from:	whose they are, and what they were sent to
 * @segment:	bytes of each datagram but the last, which may be shorter
 * @iov:	where the datagrams lie
 * @control:	control messages of the system call
 */
struct incoming {
	struct stranger from;
	size_t segment;
	struct iovec iov;
	union {
		char space[CONTROL_SIZE];
		struct cmsghdr align;
	} control;
};

/**
 * struct server_in - what is being received
 * @header:	one for each of @incoming
 * @incoming:	the datagrams of the last system call
 * @count:	number of these
 * @at:		the one that is being read
 * @offset:	bytes of it that were read
 * @batches:	system calls of this round
 * @client:	whose @datagram is; NULL: nothing is left of it
 * @datagram:	what is left of a datagram with records for the program
 * @other:	something in it was for the engine
 * @plain_used:	bytes of @plain
 * @plain:	content for the program
 * @data:	DATAGRAM_MAX bytes for each of @incoming. The system gives memory
 *		to what datagrams were long enough to use
 */
struct server_in {
	struct mmsghdr header[BATCH];
	struct incoming incoming[BATCH];
	unsigned int count;
	unsigned int at;
	size_t offset;
	unsigned int batches;
	struct kdtls_client *client;
	struct datagram datagram;
	bool other;
	size_t plain_used;
	uint8_t *plain;
	uint8_t *data;
};

/* struct round is the messages of one call. */
struct round {
	struct kdtls_server *server;
	struct kdtls_message *message;
	size_t count;
	size_t room;
	uint64_t now;
};

struct server_in *server_in_new(void)
{
	struct server_in *in = OPENSSL_zalloc(sizeof(*in));

	if (!in)
		return NULL;
	in->plain = OPENSSL_malloc(PLAIN_SIZE);
	in->data = OPENSSL_malloc(BATCH * DATAGRAM_MAX);
	if (in->plain && in->data)
		return in;
	server_in_free(in);
	return NULL;
}

/* Wipe what the program has read. */
static void wipe(struct server_in *in)
{
	OPENSSL_cleanse(in->plain, in->plain_used);
	in->plain_used = 0;
}

void server_in_free(struct server_in *in)
{
	if (!in)
		return;
	if (in->plain)
		wipe(in);
	OPENSSL_free(in->plain);
	OPENSSL_free(in->data);
	OPENSSL_free(in);
}

void server_in_forget(struct kdtls_client *c)
{
	struct server_in *in = c->server->in;

	if (in->client == c)
		in->client = NULL;
}

bool server_in_pending(const struct kdtls_server *server)
{
	const struct server_in *in = server->in;

	return !TAILQ_EMPTY(&server->news) || in->client || in->at < in->count;
}

/* ---- messages ---- */

/* Return true if there is room for one more message and its content. */
static bool has_room(const struct round *r)
{
	return r->count < r->room && r->server->in->plain_used <=
				     PLAIN_SIZE - DTLS_FRAGMENT_SIZE_MAX;
}

static uint8_t *next_plain(const struct round *r)
{
	return r->server->in->plain + r->server->in->plain_used;
}

/* Add a message. Its content, if there is any, is at next_plain(). */
static void add_message(struct round *r, struct kdtls_client *c,
			enum kdtls_news news, size_t len, uint8_t flags)
{
	struct kdtls_message *m = &r->message[r->count++];

	*m = (struct kdtls_message){
		.client = c,
		.data = len ? next_plain(r) : NULL,
		.len = len,
		.news = news,
	};
	if (flags & DTLS_RECORD_REPLAYABLE)
		m->marks |= KDTLS_MARK_REPLAYABLE;
	r->server->in->plain_used += (len + ALIGN - 1) / ALIGN * ALIGN;
}

/* Add the content of records that came before their keys. */
static void tell_kept(struct round *r, struct kdtls_client *c)
{
	uint8_t flags;
	ssize_t n;
	bool cut;

	while (has_room(r)) {
		n = user_records_read(c->owner.user, next_plain(r),
				      DTLS_FRAGMENT_SIZE_MAX, &flags, &cut);
		if (n < 0)
			return;
		if (n)
			add_message(r, c, KDTLS_NEWS_DATA, n, flags);
	}
}

/* Tell the program of a client. Return false if there is no room for all of it. */
static bool tell_client(struct round *r, struct kdtls_client *c)
{
	if (c->opened && !c->told) {
		if (!has_room(r))
			return false;
		add_message(r, c, KDTLS_NEWS_OPENED, 0, 0);
		c->told = true;
	}
	if (c->opened) {
		tell_kept(r, c);
		if (user_records_pending(c->owner.user))
			return false;
	}
	if (c->stage != SERVED_GONE)
		return true;
	if (!has_room(r))
		return false;
	add_message(r, c, c->opened ? KDTLS_NEWS_CLOSED : KDTLS_NEWS_REFUSED, 0,
		    0);
	r->message[r->count - 1].error = c->error;
	return true;
}

/* Tell the program all that it is to be told. Return false if there is no room. */
static bool tell_news(struct round *r)
{
	struct kdtls_client *c;

	while ((c = TAILQ_FIRST(&r->server->news))) {
		if (!tell_client(r, c))
			return false;
		if (c->stage == SERVED_GONE)
			server_client_drop(c);
		else
			server_client_hush(c);
	}
	return has_room(r);
}

/* ---- records ---- */

/*
 * Take a verified record that is no application data. A client that says goodbye
 * is answered, and gets nothing more.
 */
static void take_content(struct round *r, struct kdtls_client *c,
			 const struct dtls_record_info *info,
			 const uint8_t *data, size_t len)
{
	if (info->type == DTLS_CT_ALERT && len == 2 &&
	    data[1] == KDTLS_ALERT_CLOSE_NOTIFY)
		kdtls_engine_close(c->owner.engine);
	else
		kdtls_engine_input(c->owner.engine, data, len, info, r->now);
}

/* The client was heard: it is the last one to be idle for too long. */
static void heard(struct round *r, struct kdtls_client *c)
{
	c->since = r->now;
	TAILQ_REMOVE(&r->server->open, c, list);
	TAILQ_INSERT_TAIL(&r->server->open, c, list);
}

/* All of a datagram was read. */
static void end_datagram(struct round *r)
{
	struct server_in *in = r->server->in;
	struct kdtls_client *c = in->client;
	struct dtls_record_info info;

	in->client = NULL;
	if (c->stage != SERVED_OPEN)
		return;
	while (user_records_event(c->owner.user, &info)) {
		kdtls_engine_input(c->owner.engine, NULL, 0, &info, r->now);
		in->other = true;
	}
	if (in->other)
		server_client_settle(c, r->now);
}

/* Take the next record of the datagram that is being read. */
static void take_record(struct round *r)
{
	struct server_in *in = r->server->in;
	struct kdtls_client *c = in->client;
	uint8_t *plain = next_plain(r);
	struct dtls_record_info info;
	struct dtls_bytes raw;
	ssize_t n;

	if (c->stage != SERVED_OPEN ||
	    kdtls_engine_state(c->owner.engine) != KDTLS_ESTABLISHED) {
		end_datagram(r);
		return;
	}
	n = user_records_open(c->owner.user, &in->datagram, plain, &raw, &info);
	if (n == -EAGAIN) {
		end_datagram(r);
		return;
	}
	if (n < 0)
		return;
	if (info.flags & DTLS_RECORD_RAW) {
		in->other = true;
		server_hello_client(c, raw.p, raw.len, r->now);
		return;
	}
	heard(r, c);
	if (info.type != DTLS_CT_APPLICATION_DATA) {
		in->other = true;
		take_content(r, c, &info, plain, n);
		OPENSSL_cleanse(plain, n);
		return;
	}
	if (!c->confirmed) {
		kdtls_engine_confirm(c->owner.engine);
		c->confirmed = true;
		in->other = true;
	}
	if (n)
		add_message(r, c, KDTLS_NEWS_DATA, n, info.flags);
}

/* ---- datagrams ---- */

/*
 * Return the client of a datagram, or NULL if it is a stranger's. @mine is unset if
 * it bears a connection ID that no client has.
 */
static struct kdtls_client *find_client(const struct kdtls_server *server,
					const struct stranger *from,
					const uint8_t *data, size_t len,
					bool *mine)
{
	size_t cid_len = server->options.cid_len;
	struct dtls_record record;
	struct kdtls_client *c;

	*mine = true;
	if (cid_len && !dtls_record_parse(&record, data, len, len, cid_len) &&
	    record.cid_len) {
		c = server_cids_find(server, record.cid);
		*mine = c;
		return c;
	}
	return server_client_find(server, from->key, from->key_len);
}

static void take_datagram(struct round *r, const struct stranger *from,
			  const uint8_t *data, size_t len)
{
	struct kdtls_server *server = r->server;
	struct server_in *in = server->in;
	struct kdtls_client *c;
	bool mine;

	c = find_client(server, from, data, len, &mine);
	if (!mine) {
		server->info.dropped++;
	} else if (!c) {
		server_hello_stranger(server, from, data, len, r->now);
	} else if (c->stage == SERVED_SHAKES) {
		server_hello_client(c, data, len, r->now);
	} else {
		/* Records that the keys of @c do not open may be the other's. */
		if (c->next)
			kept_add(&c->next->owner, data, len);
		in->client = c;
		in->datagram = (struct datagram){ .rest = { data, len } };
		in->other = false;
	}
}

/* Take the next datagram of the batch. Return false if there is none. */
static bool next_datagram(struct round *r)
{
	struct server_in *in = r->server->in;
	struct incoming *i = &in->incoming[in->at];
	size_t left, len, at = in->offset;

	if (in->at == in->count)
		return false;
	left = in->header[in->at].msg_len - at;
	if (!left) {
		in->at++;
		return true;
	}
	len = left < i->segment ? left : i->segment;
	if (len == left) {
		in->at++;
		in->offset = 0;
	} else {
		in->offset += len;
	}
	take_datagram(r, &i->from, (uint8_t *)i->iov.iov_base + at, len);
	return true;
}

/* ---- the socket ---- */

static void prepare(struct server_in *in)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		struct incoming *one = &in->incoming[i];

		one->iov.iov_base = in->data + i * (size_t)DATAGRAM_MAX;
		one->iov.iov_len = DATAGRAM_MAX;
		in->header[i].msg_hdr = (struct msghdr){
			.msg_name = &one->from.peer,
			.msg_namelen = sizeof(one->from.peer),
			.msg_iov = &one->iov,
			.msg_iovlen = 1,
			.msg_control = one->control.space,
			.msg_controllen = sizeof(one->control.space),
		};
	}
}

/* Return the size of the datagrams that the kernel has put together. */
static size_t segment_size(struct msghdr *msg, size_t len)
{
	struct cmsghdr *c;
	int size;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_UDP || c->cmsg_type != UDP_GRO)
			continue;
		memcpy(&size, CMSG_DATA(c), sizeof(size));
		if (size > 0)
			return size;
	}
	return len;
}

/*
 * Read where datagrams came from, and what they were sent to. One that does not
 * tell is of no use.
 */
static void read_addresses(struct kdtls_server *server)
{
	struct server_in *in = server->in;
	unsigned int i;

	for (i = 0; i < in->count; i++) {
		struct incoming *one = &in->incoming[i];
		struct msghdr *msg = &in->header[i].msg_hdr;

		one->from.local = server->local;
		one->from.len = msg->msg_namelen;
		if ((server->any && !address_told(msg, &one->from.local)) ||
		    one->from.peer.ss_family != server->local.ss_family) {
			in->header[i].msg_len = 0;	/* it is passed over */
			server->info.dropped++;
			continue;
		}
		address_key(&one->from);
		one->segment = segment_size(msg, in->header[i].msg_len);
	}
}

/* Receive a batch. Return 0; -EAGAIN if there is nothing; or another -errno. */
static int receive(struct kdtls_server *server)
{
	struct server_in *in = server->in;
	int n;

	in->at = 0;
	in->offset = 0;
	in->count = 0;
	in->batches++;
	prepare(in);
	n = recvmmsg(server->fd, in->header, BATCH, MSG_DONTWAIT, NULL);
	if (n >= 0) {
		in->count = n;
		read_addresses(server);
		return 0;
	}
	switch (errno) {
	case EINTR:
	case ECONNREFUSED:	/* ICMP errors, which anybody can send */
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EMSGSIZE:
	case EPROTO:
	case EOPNOTSUPP:
		return 0;
	case EWOULDBLOCK:
		return -EAGAIN;
	default:
		return -errno;
	}
}

/* ---- a round ---- */

static void run_timers(struct round *r)
{
	struct kdtls_server *server = r->server;
	uint64_t life = 1000ULL * server->options.idle_timeout;
	struct kdtls_client *c;
	struct timed *t;

	while ((t = timers_first(&server->timers)) && t->when <= r->now) {
		c = (struct kdtls_client *)((char *)t -
			offsetof(struct kdtls_client, timed));
		server_client_expire(c, r->now);
	}
	while (life && (c = TAILQ_FIRST(&server->open)) &&
	       c->since + life <= r->now)
		server_client_idle(c, r->now);
}

ssize_t server_in_collect(struct kdtls_server *server,
			  struct kdtls_message *messages, size_t count,
			  bool *more)
{
	struct server_in *in = server->in;
	struct round r = {
		.server = server,
		.message = messages,
		.room = count,
		.now = driver_now(),
	};
	int err = 0;

	wipe(in);
	in->batches = 0;
	run_timers(&r);
	while (!err && tell_news(&r)) {
		if (in->client)
			take_record(&r);
		else if (!next_datagram(&r)) {
			if (in->batches == BATCHES)
				break;
			err = receive(server);
		}
	}
	*more = !err;
	if (r.count || err == -EAGAIN)
		return r.count;
	return err;
}
