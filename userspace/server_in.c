// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file receives: it finds the client that a datagram or a record belongs to, and
 * fills in the messages of kdtls_server_recv(); see server_object.h.
 *
 * A datagram belongs to the client whose connection ID its first record bears, or else
 * to the client at its address. Records in the clear count from that address alone; see
 * moved.c. The content of all messages of one call lies in
 * server_in.plain. If the call has no room for more messages, the rest of the datagram
 * or the batch stays where it is, and the next call goes on there.
 *
 * If the kernel makes the records, data comes as content of records, with the number of
 * the client. Everything else comes as a control record: the whole datagram of a
 * stranger, with the number 0, and records, events and rests of datagrams for the
 * engine of a client.
 */
#include "server_batch.h"
#include <errno.h>

#define BATCHES		8		/* batches received in one round */
#define STRANGERS	4		/* strangers' batches in a row before data */
#define PLAIN_SIZE	(256 * 1024)	/* bytes of content in one round */
#define ALIGN		16		/* alignment of each content, in bytes */

_Static_assert(PLAIN_SIZE >= 2 * DTLS_FRAGMENT_SIZE_MAX, "a record does not fit");
_Static_assert(sizeof(struct stray) <= BATCH_DATAGRAM,
	       "a queue may not fit in the room that strays have for it");

/**
 * struct server_in - state and memory of receiving
 * @data:	the batch of datagrams or, if the kernel makes the records, of the
 *		content of application data
 * @control:	the batch of control records, if the kernel makes the records
 * @current:	the batch that is being read: @data or @control
 * @held:	@control was received, and is read behind the data that the socket had
 *		before that
 * @due:	charge that the socket may still have of that data; see batch_charge()
 * @strangers:	number of control batches in a row that had strangers' datagrams alone
 * @batches:	number of batches received in this round
 * @taken:	charge of the batches of datagrams that were taken, if the library makes
 *		the records. When the socket is empty @taken is set to @mark, if that is
 *		more
 * @mark:	the last mark that server_in_mark() gave
 * @stray:	the last stray that was taken, which @datagram may lie in, or NULL
 * @client:	the client that @datagram came from; NULL: no datagram is being read
 * @datagram:	the part of a datagram whose records were not opened yet
 * @other:	the datagram had something for the engine of @client
 * @plain_used:	bytes of @plain that are in use
 * @plain:	the content of this round's messages
 */
struct server_in {
	struct batch *data;
	struct batch *control;
	struct batch *current;
	bool held;
	size_t due;
	unsigned int strangers;
	unsigned int batches;
	uint64_t taken;
	uint64_t mark;
	struct stray *stray;
	struct kdtls_client *client;
	struct datagram datagram;
	bool other;
	size_t plain_used;
	uint8_t *plain;
};

/**
 * struct round - one call of server_in_collect()
 * @server:	the server
 * @message:	the caller's messages
 * @count:	number of messages that are filled in
 * @room:	number of messages that may be filled in
 * @now:	the time of the call
 */
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
	in->data = batch_new();
	in->control = batch_new();
	in->current = in->data;
	if (in->plain && in->data && in->control)
		return in;
	server_in_free(in);
	return NULL;
}

/* Wipe the content of the messages of the call before. */
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
	OPENSSL_free(in->stray);
	batch_free(in->data);
	batch_free(in->control);
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

	return !TAILQ_EMPTY(&server->news) || in->client || in->held ||
	       !STAILQ_EMPTY(&server->strays) || batch_left(in->current);
}

/* ---- messages ---- */

/* Return true if there is room for one more message and its content. */
static bool has_room(const struct round *r)
{
	return r->count < r->room && r->server->in->plain_used <=
				     PLAIN_SIZE - DTLS_FRAGMENT_SIZE_MAX;
}

/* Return where the content of the next message goes. */
static uint8_t *next_plain(const struct round *r)
{
	return r->server->in->plain + r->server->in->plain_used;
}

/*
 * Add a message about @c, with @len bytes of content at next_plain(), which came in a
 * record with @flags (DTLS_RECORD_*).
 */
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

/* Wipe the @len bytes of content at @plain unless add_message() has taken them. */
static void wipe_unused(const struct round *r, uint8_t *plain, size_t len)
{
	if (next_plain(r) == plain)
		OPENSSL_cleanse(plain, len);
}

/*
 * Add the content of records of @c that came before their keys. If the kernel makes
 * the records it gives these itself.
 */
static void tell_kept(struct round *r, struct kdtls_client *c)
{
	uint8_t flags;
	ssize_t n;
	bool cut;

	while (has_room(r)) {
		n = unread_take(c->owner, next_plain(r),
				DTLS_FRAGMENT_SIZE_MAX, &flags, &cut);
		if (n < 0)
			return;
		if (n)
			add_message(r, c, KDTLS_NEWS_DATA, n, flags);
	}
}

/*
 * Tell the program that @c has said goodbye. The call ends here: before the next one
 * ends @c, the program can answer the messages of this one.
 */
static void tell_goodbye(struct round *r, struct kdtls_client *c)
{
	if (r->server->options.half_close) {
		add_message(r, c, KDTLS_NEWS_GOODBYE, 0, 0);
		return;
	}
	add_message(r, c, KDTLS_NEWS_CLOSED, 0, 0);
	r->server->leaving = c;
	r->room = r->count;
}

/* Add all messages about @c. Return false if there is no room for all of them. */
static bool tell_client(struct round *r, struct kdtls_client *c)
{
	if (c->opened && !c->told) {
		if (!has_room(r))
			return false;
		add_message(r, c, KDTLS_NEWS_OPENED, 0, 0);
		c->told = true;
	}
	/* A client with a socket of its own is read from there. */
	if (c->opened && !server_client_socket(c)) {
		tell_kept(r, c);
		if (!unread_is_empty(c->owner))
			return false;
	}
	if (c->stage != SERVED_GONE && !c->goodbye)
		return true;
	if (!has_room(r))
		return false;
	if (c->stage != SERVED_GONE) {
		tell_goodbye(r, c);
		return true;
	}
	add_message(r, c, c->opened ? KDTLS_NEWS_CLOSED : KDTLS_NEWS_REFUSED, 0,
		    0);
	r->message[r->count - 1].error = c->error;
	return true;
}

/* Add messages for all news. Return false if there is no room for one more. */
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

/* Take a verified record of @c that is not application data. */
static void take_content(struct round *r, struct kdtls_client *c,
			 const struct dtls_record_info *info,
			 const uint8_t *data, size_t len)
{
	if (dtls_alert_is_goodbye(info->type, data, len))
		server_client_goodbye(c);
	else
		kdtls_engine_input(c->owner->engine, data, len, info, r->now);
}

/*
 * Take what the record layer has returned for @c: the content of a record, an event,
 * or the part of a datagram that the keys of @c do not open. Return true if it went to
 * the engine, which may have something to send.
 */
static bool take_told(struct round *r, struct kdtls_client *c,
		      const struct dtls_record_info *info, const uint8_t *data,
		      size_t len)
{
	bool first = !c->confirmed;

	if (info->flags & DTLS_RECORD_RAW) {
		server_hello_client(c, data, len, r->now);
		return true;
	}
	if (info->flags & DTLS_RECORD_EVENT) {
		kdtls_engine_input(c->owner->engine, NULL, 0, info, r->now);
		return true;
	}
	/* Data behind a close_notify is ignored (RFC 5246 7.2.1, RFC 8446 6.1). */
	if (c->goodbye)
		return false;
	server_client_heard(c, r->now);
	if (info->type != DTLS_CT_APPLICATION_DATA) {
		take_content(r, c, info, data, len);
		return true;
	}
	if (first)
		kdtls_engine_confirm(c->owner->engine);
	c->confirmed = true;
	if (len)
		add_message(r, c, KDTLS_NEWS_DATA, len, info->flags);
	return first;
}

/* Return true if the association of @c exists: records of @c can be opened. */
static bool is_open(const struct kdtls_client *c)
{
	return c->stage == SERVED_OPEN &&
	       kdtls_engine_state(c->owner->engine) == KDTLS_ESTABLISHED;
}

/*
 * End the datagram that is being read: give the engine the events of the record layer,
 * and send the engine's answer to all records of the datagram at once.
 */
static void end_datagram(struct round *r)
{
	struct server_in *in = r->server->in;
	struct kdtls_client *c = in->client;
	struct dtls_record_info info;

	in->client = NULL;
	if (c->stage != SERVED_OPEN)
		return;
	while (user_records_event(&c->owner->user, &info)) {
		kdtls_engine_input(c->owner->engine, NULL, 0, &info, r->now);
		in->other = true;
	}
	if (in->other)
		server_client_settle(c, r->now);
}

/* Open and take the next record of the datagram that is being read, or end it. */
static void take_record(struct round *r)
{
	struct server_in *in = r->server->in;
	struct kdtls_client *c = in->client;
	uint8_t *plain = next_plain(r);
	struct dtls_record_info info;
	struct dtls_bytes raw;
	ssize_t n;

	if (!is_open(c)) {
		end_datagram(r);
		return;
	}
	n = user_records_open(&c->owner->user, dtls_engine_cids(c->owner->engine),
			      &in->datagram, plain, &raw, &info);
	if (n == -EAGAIN) {
		end_datagram(r);
		return;
	}
	if (n < 0)
		return;
	if (take_told(r, c, &info, info.flags & DTLS_RECORD_RAW ? raw.p : plain,
		      n))
		in->other = true;
	if (!(info.flags & DTLS_RECORD_RAW))
		wipe_unused(r, plain, n);
}

/* ---- datagrams ---- */

/* Return true if @from is not the address of @c. */
static bool is_moved(const struct kdtls_client *c, const struct stranger *from)
{
	return from->key_len != c->key_len ||
	       memcmp(from->key, c->key, c->key_len);
}

/*
 * Cut off what does not count of a datagram or a part of one that came from @from and
 * belongs to @c.
 */
static void cut_moved(const struct kdtls_client *c, const struct stranger *from,
		      struct dtls_bytes *d)
{
	if (is_moved(c, from))
		d->len = moved_len(d->p, d->len, c->server->options.cid_len);
}

/*
 * Return the client that the datagram @d belongs to, or NULL, and cut off what does not
 * count of @d. With NULL @mine tells whether the datagram may come from a stranger: it is
 * false if the datagram bears a connection ID that no client has.
 */
static struct kdtls_client *find_client(const struct kdtls_server *server,
					const struct stranger *from,
					struct dtls_bytes *d, bool *mine)
{
	size_t cid_len = server->options.cid_len;
	struct dtls_record record;
	struct kdtls_client *c;

	*mine = true;
	if (cid_len &&
	    !dtls_record_parse(&record, d->p, d->len, d->len, cid_len) &&
	    record.cid_len) {
		c = server_cids_find(server, record.cid);
		*mine = c;
		if (c)
			cut_moved(c, from, d);
		return c;
	}
	return server_client_find(server, from->key, from->key_len);
}

/* Take a datagram: find its client, and pass it on by how far the client has come. */
static void take_datagram(struct round *r, const struct stranger *from,
			  const uint8_t *data, size_t len)
{
	struct kdtls_server *server = r->server;
	struct dtls_bytes d = { data, len };
	struct server_in *in = server->in;
	struct kdtls_client *c;
	bool mine;

	c = find_client(server, from, &d, &mine);
	if (!mine || !d.len) {
		server->info.dropped++;
	} else if (!c) {
		server_hello_stranger(server, from, d.p, d.len, r->now);
	} else if (c->stage == SERVED_SHAKES) {
		server_hello_client(c, d.p, d.len, r->now);
	} else if (server_client_path(c)->take) {
		server_client_path(c)->take(c, d.p, d.len);
	} else {
		/* Records that the keys of @c do not open may be c->next's. */
		server_client_keep(c, d.p, d.len);
		in->client = c;
		in->datagram = (struct datagram){ .rest = d };
		in->other = false;
	}
}

/* Take the next stray. Return false if there is none. */
static bool take_stray(struct round *r)
{
	struct server_in *in = r->server->in;

	OPENSSL_free(in->stray);
	in->stray = server_stray_next(r->server);
	if (in->stray)
		take_datagram(r, &in->stray->from, in->stray->data,
			      in->stray->len);
	return in->stray;
}

/* ---- records that the kernel has opened ---- */

/*
 * Take the part of a datagram of @from that the kernel could not open, and gave to the
 * association of @c. The association may have ended since then, and @c is NULL: the client
 * that is at the address now may have sent this. If the handshake of @c goes on this is a
 * part of it. Return false if @c is open, and nothing was done.
 */
static bool take_unopened(struct round *r, struct kdtls_client *c,
			  const struct stranger *from, const uint8_t *data,
			  size_t len)
{
	if (!c && from->key_len)
		take_datagram(r, from, data, len);
	else if (c && c->stage == SERVED_SHAKES)
		server_hello_client(c, data, len, r->now);
	else
		return !c;
	return true;
}

/*
 * Take a record of @from that the kernel has opened, an event, or the part of a datagram
 * that the kernel could not open.
 */
static void take_opened(struct round *r, const struct dtls_record_info *info,
			const struct stranger *from, const uint8_t *data,
			size_t len)
{
	struct kdtls_client *c = server_kernel_find(r->server, info->id);
	struct dtls_bytes d = { data, len };
	uint8_t *plain = next_plain(r);
	size_t copied = 0;
	bool other;

	if (info->flags & DTLS_RECORD_RAW) {
		/* The kernel has found @c by address or by connection ID. */
		if (c)
			cut_moved(c, from, &d);
		len = d.len;
		if (!len) {
			r->server->info.dropped++;
			return;
		}
		if (take_unopened(r, c, from, data, len))
			return;
		/* Records behind a header of unknown length may be c->next's. */
		server_client_keep(c, data, len);
	}
	/* The client may have ended after the system call that received this. */
	if (!c || !is_open(c))
		return;
	if (!(info->flags & (DTLS_RECORD_RAW | DTLS_RECORD_EVENT)) &&
	    info->type == DTLS_CT_APPLICATION_DATA) {
		if (len > DTLS_FRAGMENT_SIZE_MAX)
			return;
		copied = len;
		memcpy(plain, data, copied);
	}
	other = take_told(r, c, info, data, len);
	wipe_unused(r, plain, copied);
	if (!other || c->stage != SERVED_OPEN)
		return;
	/*
	 * An answer to a record waits for the rest of its datagram, which may end
	 * the client for one that starts anew.
	 */
	if (info->flags & DTLS_RECORD_RAW)
		timers_set(&r->server->timers, &c->timed, 0);
	else
		server_client_settle(c, r->now);
}

/* Take the next piece of the batch, or the next stray. Return false if there is none. */
static bool next_piece(struct round *r)
{
	const struct incoming *i;
	struct dtls_bytes piece;

	i = batch_next(r->server->in->current, &piece);
	if (!i)
		return take_stray(r);
	if (i->info.id) {
		take_opened(r, &i->info, &i->from, piece.p, piece.len);
		OPENSSL_cleanse((void *)piece.p, piece.len);
	} else if (piece.len) {
		take_datagram(r, &i->from, piece.p, piece.len);
	}
	return true;
}

/* ---- the socket ---- */

/*
 * Return what all that the socket has in its queues can be charged at most; see
 * batch_charge(). UDP takes one more datagram, however long it is, as long as the charge is
 * not above the receive buffer.
 */
static size_t queue_charge(const struct kdtls_server *server)
{
	int size = 0;
	socklen_t len = sizeof(size);

	getsockopt(server->fd, SOL_SOCKET, SO_RCVBUF, &size, &len);
	return (size_t)(size > 0 ? size : 0) + DATAGRAM_MAX + BATCH_DATAGRAM;
}

/* Return true if all messages of @b are datagrams of strangers. */
static bool is_nobodys(const struct batch *b)
{
	unsigned int i;

	for (i = 0; i < b->count; i++)
		if (b->incoming[i].info.id)
			return false;
	return true;
}

/*
 * Receive from the kernel, which has data and control records in two queues. A
 * goodbye or a new handshake ends a client, with all that the kernel has of its data.
 * So control records of clients are received first and read last, behind all data that
 * was there by then.
 *
 * A look for data moves strangers' datagrams into the kernel's queue of control records,
 * where the oldest are lost if there are too many. So they are read before that, up to a
 * bound: a flood of them does not keep the server from data.
 */
static int receive_opened(struct kdtls_server *server)
{
	struct server_in *in = server->in;
	int err;

	if (!in->held) {
		err = batch_receive(in->control, server, MSG_OOB);
		if (err && err != -EAGAIN)
			return err;
		if (batch_left(in->control) && is_nobodys(in->control) &&
		    in->strangers < STRANGERS) {
			in->strangers++;
			in->current = in->control;
			return 0;
		}
		in->strangers = 0;
		in->held = batch_left(in->control);
		in->due = in->held ? queue_charge(server) : SIZE_MAX;
	}
	err = in->due ? batch_receive(in->data, server, 0) : -EAGAIN;
	if (!err) {
		size_t charge = batch_charge(in->data);

		in->current = in->data;
		in->due -= charge < in->due ? charge : in->due;
	} else if (err == -EAGAIN && in->held) {
		in->held = false;
		in->current = in->control;
		err = 0;
	}
	return err;
}

/*
 * Receive a batch, when the one before was read. Return 0; -EAGAIN if there is nothing; or
 * another -errno.
 */
static int receive(struct kdtls_server *server)
{
	struct server_in *in = server->in;
	int err;

	in->batches++;
	if (server->path->kernel) {
		err = receive_opened(server);
	} else {
		in->taken += batch_charge(in->data);
		err = batch_receive(in->data, server, 0);
	}
	if (err == -EAGAIN && in->taken < in->mark)
		in->taken = in->mark;
	return err;
}

uint64_t server_in_mark(const struct kdtls_server *server)
{
	struct server_in *in = server->in;

	in->mark = in->taken + batch_charge(in->data) + queue_charge(server);
	return in->mark;
}

bool server_in_passed(const struct kdtls_server *server, uint64_t mark)
{
	return server->in->taken >= mark && STAILQ_EMPTY(&server->strays);
}

/* ---- a client that gets a socket ---- */

/* Give the socket of @c, if it still has one, what @b has of @c. */
static void give_rest(struct kdtls_client *c, struct batch *b)
{
	const struct incoming *i;
	struct dtls_bytes piece, d;

	while (server_client_socket(c) && (i = batch_next_of(b, &piece, c))) {
		if (!c->id) {
			server_client_path(c)->take(c, piece.p, piece.len);
			continue;
		}
		d = piece;
		if (i->info.flags & DTLS_RECORD_RAW)
			cut_moved(c, &i->from, &d);
		if (d.len || !piece.len)
			socket_record(server_client_socket(c), &i->info, d.p,
				      d.len);
		OPENSSL_cleanse((void *)piece.p, piece.len);
	}
}

/*
 * Read what the server's socket has received: the socket of @c gets what is of @c, and the
 * rest become strays. The batch of control records is not in use if the library makes the
 * records. There is room for all that the socket had in its queue, but perhaps not if
 * UDP_GRO puts what goes on coming together: what is left is read later.
 */
static void drain(struct kdtls_client *c)
{
	struct kdtls_server *server = c->server;
	struct batch *b = server->in->control;
	size_t all = queue_charge(server), left = all, charge;
	const struct incoming *i;
	struct dtls_bytes piece, d;
	bool mine;

	while (left && server_stray_has_room(server, all) &&
	       !batch_receive(b, server, 0)) {
		/* Without a message there was an error that ICMP reported. */
		charge = b->count ? batch_charge(b) : BATCH_DATAGRAM;
		left -= charge < left ? charge : left;
		while ((i = batch_next(b, &piece))) {
			d = piece;
			if (find_client(server, &i->from, &d, &mine) == c)
				server_client_path(c)->take(c, d.p, d.len);
			else if (piece.len)
				server_stray_add(server, &i->from, piece.p,
						 piece.len);
		}
	}
}

void server_in_peel(struct kdtls_client *c)
{
	struct server_in *in = c->server->in;

	if (in->client == c) {
		in->client = NULL;
		socket_records(server_client_socket(c), &in->datagram);
	}
	give_rest(c, in->data);
	give_rest(c, in->control);
	if (!c->id)
		drain(c);
}

/* ---- a round ---- */

/* Run the timers that are due. */
static void run_timers(struct round *r)
{
	struct kdtls_server *server = r->server;
	struct kdtls_client *c;
	struct timed *t;

	while ((t = timers_first(&server->timers)) && t->when <= r->now) {
		c = (struct kdtls_client *)((char *)t -
			offsetof(struct kdtls_client, timed));
		server_client_expire(c, r->now);
	}
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
	while (!err && tell_news(&r) && !server_client_reap_due(server)) {
		if (in->client)
			take_record(&r);
		else if (!next_piece(&r)) {
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
