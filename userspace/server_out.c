// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file sends records to many clients in few system calls; see server_object.h.
 *
 * Entries of kdtls_server_send() that follow each other and have the same client and
 * the same length become one message of sendmmsg(), which the kernel cuts into
 * datagrams (UDP_SEGMENT). The number that a record was sealed with is spent, also if
 * the socket has no room for the record: the next call seals the content anew.
 *
 * If the kernel makes the records, a message has their content and the number of the
 * client.
 */
#include "server_batch.h"
#include <errno.h>
#include <netinet/udp.h>

#define GROUPS_MAX	32		/* messages of one sendmmsg() */
#define SEGMENTS_MAX	64		/* UDP_MAX_SEGMENTS of the oldest kernels */
#define GROUP_BYTES_MAX	DTLS_DATAGRAM_MAX
#define SEALED_SIZE	(256 * 1024)	/* bytes of records of one sendmmsg() */
/* CONTROL_SIZE is the room for the control messages of one message. */
#define CONTROL_SIZE							\
	(ADDRESS_CONTROL + CMSG_SPACE(sizeof(uint16_t)) +		\
	 CMSG_SPACE(sizeof(struct dtls_record_info)))

_Static_assert(SEALED_SIZE >= 2 * (DTLS_HEADER_SIZE_MAX + DTLS_FRAGMENT_SIZE_MAX),
	       "a record does not fit");

/**
 * struct group - entries that go out as one message of sendmmsg()
 * @first:	index of the first entry whose record is not sent yet
 * @end:	index of the entry behind the last one
 * @to:		the client that all entries are for
 * @segment:	bytes of each record, or of its content, but the last, which may be
 *		shorter
 * @count:	number of records that are not sent yet
 * @bytes:	bytes of these records, or of their content
 * @name:	the client's address, and the local address to send from
 * @pieces:	number of elements of @iov that are in use
 * @iov:	pieces of memory, each with one or more whole records, or contents
 * @control:	control messages of the message
 */
struct group {
	size_t first;
	size_t end;
	struct kdtls_client *to;
	size_t segment;
	unsigned int count;
	size_t bytes;
	struct stranger name;
	unsigned int pieces;
	struct iovec iov[SEGMENTS_MAX];
	union {
		char space[CONTROL_SIZE];
		struct cmsghdr align;
	} control;
};

/**
 * struct server_out - memory of sending
 * @header:	the header of each group, for sendmmsg()
 * @group:	the messages of one sendmmsg()
 * @groups:	number of groups
 * @used:	bytes of @sealed that are in use
 * @sealed:	the records that the groups send, if the library makes the records
 */
struct server_out {
	struct mmsghdr header[GROUPS_MAX];
	struct group group[GROUPS_MAX];
	unsigned int groups;
	size_t used;
	uint8_t sealed[SEALED_SIZE];
};

struct server_out *server_out_new(void)
{
	return OPENSSL_malloc(sizeof(struct server_out));
}

void server_out_free(struct server_out *out)
{
	OPENSSL_clear_free(out, sizeof(*out));
}

/* Append a control message to those of @msg, which has room for it. */
static void add_control(struct msghdr *msg, int level, int type,
			const void *value, size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)((char *)msg->msg_control +
					       msg->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), value, len);
	msg->msg_controllen += CMSG_SPACE(len);
}

/*
 * Let @msg be a datagram to the peer in @name, from the local address in @name if the
 * server is on a wildcard address. @control is zeroed, and has CONTROL_SIZE bytes. If
 * the kernel makes the records, DTLS_RECORD_RAW lets it send the datagram as it is.
 */
static void put_address(const struct kdtls_server *server, struct msghdr *msg,
			struct stranger *name, void *control)
{
	static const struct dtls_record_info raw = { .flags = DTLS_RECORD_RAW };

	msg->msg_name = &name->peer;
	msg->msg_namelen = name->len;
	msg->msg_control = control;
	msg->msg_controllen = 0;
	if (server->any)
		address_from(msg, &name->local);
	if (server->path->kernel)
		add_control(msg, SOL_DTLS, DTLS_RECORD_INFO, &raw, sizeof(raw));
}

/*
 * Let @msg go to a client: by the number of its association if the kernel makes the
 * records, else by its address, which is written to @name. @control is zeroed, and has
 * CONTROL_SIZE bytes.
 */
static void put_client(const struct kdtls_client *c, struct msghdr *msg,
		       struct stranger *name, void *control)
{
	if (c->server->path->kernel) {
		msg->msg_control = control;
		msg->msg_controllen = 0;
		add_control(msg, SOL_DTLS, DTLS_ASSOC, &c->id, sizeof(c->id));
		return;
	}
	address_of_key(c->key, c->key_len, name);
	put_address(c->server, msg, name, control);
}

/*
 * Return true, once, if @error may be about a datagram that was sent before, and the call is
 * to be made again.
 */
static bool is_told(int error, bool *again)
{
	bool told = *again && batch_is_icmp(error);

	if (told)
		*again = false;
	return told;
}

/* Send a message without waiting. Return the bytes that were sent or -errno. */
static ssize_t send_message(int fd, const struct msghdr *msg)
{
	bool again = true;
	ssize_t n;

	do {
		n = sendmsg(fd, msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && (errno == EINTR || is_told(errno, &again)));
	return n < 0 ? -errno : n;
}

ssize_t server_out_datagram(const struct kdtls_server *server,
			    const uint8_t *key, size_t key_len,
			    const uint8_t *data, size_t len)
{
	union {
		char space[CONTROL_SIZE];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct stranger name;

	address_of_key(key, key_len, &name);
	put_address(server, &msg, &name, control.space);
	return send_message(server->fd, &msg);
}

/* Send one record to @c, or content that the kernel makes a record of. */
static ssize_t send_one(const struct kdtls_client *c, const uint8_t *data,
			size_t len)
{
	union {
		char space[CONTROL_SIZE];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct stranger name;

	put_client(c, &msg, &name, control.space);
	return send_message(c->server->fd, &msg);
}

/* Return true if the next record of @c, of @size bytes, can go with @g. */
static bool joins(const struct group *g, const struct kdtls_client *c,
		  size_t size)
{
	return g->to == c && g->count < SEGMENTS_MAX &&
	       g->bytes == g->count * g->segment && size <= g->segment &&
	       g->bytes + size <= GROUP_BYTES_MAX;
}

/* Begin a group of records for @c, each of @segment bytes. */
static struct group *begin_group(struct server_out *out, size_t first,
				 struct kdtls_client *c, size_t segment)
{
	struct group *g = &out->group[out->groups];

	memset(&out->header[out->groups], 0, sizeof(out->header[0]));
	memset(&g->control, 0, sizeof(g->control));
	g->first = first;
	g->to = c;
	g->segment = segment;
	g->count = 0;
	g->bytes = 0;
	g->pieces = 0;
	out->groups++;
	return g;
}

/* Append a record, or its content, to @g; see joins(). */
static void append(struct group *g, const uint8_t *data, size_t len)
{
	struct iovec *last = &g->iov[g->pieces];

	if (g->pieces && (uint8_t *)last[-1].iov_base + last[-1].iov_len ==
			 data) {
		last[-1].iov_len += len;
	} else {
		last->iov_base = (void *)data;
		last->iov_len = len;
		g->pieces++;
	}
	g->bytes += len;
	g->count++;
}

/*
 * Seal the entry @m and append the record to the last group, or to a new one. If the
 * kernel makes the records the content is appended as it is. Return false if this
 * sendmmsg() has no room for the entry.
 */
static bool add_record(struct server_out *out, struct kdtls_message *m,
		       size_t index)
{
	struct group *g = out->groups ? &out->group[out->groups - 1] : NULL;
	struct kdtls_client *c = m->client;
	bool kernel = c->server->path->kernel;
	const uint8_t *record = kernel ? m->data : out->sealed + out->used;
	ssize_t n = m->len;

	if ((!kernel && m->len + c->overhead > SEALED_SIZE - out->used) ||
	    ((!g || !joins(g, c, 0)) && out->groups == GROUPS_MAX))
		return false;
	if (!kernel)
		n = user_records_seal(&c->owner->user, DTLS_CT_APPLICATION_DATA,
				      m->data, m->len,
				      out->sealed + out->used);
	if (n < 0) {
		m->error = (int)n;
		return true;
	}
	if (!g || !joins(g, c, n)) {
		if (out->groups == GROUPS_MAX)
			return false;
		g = begin_group(out, index, c, n);
	}
	append(g, record, n);
	g->end = index + 1;
	out->used += kernel ? 0 : n;
	return true;
}

/*
 * Seal the entries of @m from @from on, until this sendmmsg() has no room for one
 * more. Return the index of the first entry that was not sealed.
 */
static size_t seal_entries(struct kdtls_server *server, struct kdtls_message *m,
			   size_t from, size_t count)
{
	struct server_out *out = server->out;
	size_t i;

	out->groups = 0;
	out->used = 0;
	for (i = from; i < count; i++) {
		m[i].error = 0;
		if (!m[i].len)
			continue;
		if (m[i].client->server != server ||
		    m[i].client->stage != SERVED_OPEN)
			m[i].error = -ENOTCONN;
		else if (m[i].len > DTLS_RECORD_SIZE_MAX)
			m[i].error = -EMSGSIZE;
		else if (!add_record(out, &m[i], i))
			break;
	}
	return i;
}

/* Write the headers and control messages of all groups. */
static void prepare(const struct kdtls_server *server)
{
	struct server_out *out = server->out;
	uint16_t segment;
	unsigned int i;

	for (i = 0; i < out->groups; i++) {
		struct group *g = &out->group[i];
		struct msghdr *msg = &out->header[i].msg_hdr;

		put_client(g->to, msg, &g->name, g->control.space);
		msg->msg_iov = g->iov;
		msg->msg_iovlen = g->pieces;
		segment = (uint16_t)g->segment;
		if (g->count > 1)
			add_control(msg, SOL_UDP, UDP_SEGMENT, &segment,
				    sizeof(segment));
	}
}

/* Return true if the record of @m, an entry from @first to @end of @g, is in @g. */
static bool is_in(const struct group *g, const struct kdtls_message *m)
{
	return m->len && !m->error && m->client == g->to;
}

/* Set the error of all entries of @g. */
static void set_error(struct kdtls_message *m, const struct group *g, int error)
{
	size_t i;

	for (i = g->first; i < g->end; i++)
		if (is_in(g, &m[i]))
			m[i].error = error;
}

/*
 * Take the first @bytes of the group number @index out of it, which are whole records whose
 * sending is over. @first of the group is the entry of the next record then.
 */
static void advance(struct server_out *out, const struct kdtls_message *m,
		    unsigned int index, size_t bytes)
{
	struct msghdr *msg = &out->header[index].msg_hdr;
	struct group *g = &out->group[index];
	size_t part;

	for (; bytes; bytes -= part) {
		part = msg->msg_iov->iov_len;
		if (part > bytes)
			part = bytes;
		if (part > g->segment)
			part = g->segment;
		msg->msg_iov->iov_base = (uint8_t *)msg->msg_iov->iov_base + part;
		msg->msg_iov->iov_len -= part;
		if (!msg->msg_iov->iov_len) {
			msg->msg_iov++;
			msg->msg_iovlen--;
		}
		g->bytes -= part;
		g->count--;
		do
			g->first++;
		while (g->first < g->end && !is_in(g, &m[g->first]));
	}
}

/*
 * Send the records of the group number @index one by one, as UDP_SEGMENT does not work on
 * the path to this client. Return false if the socket has no room for the next record, whose
 * entry is @first of the group then.
 */
static bool send_singly(struct server_out *out, struct kdtls_message *m,
			unsigned int index)
{
	const struct msghdr *msg = &out->header[index].msg_hdr;
	struct group *g = &out->group[index];
	size_t len;
	ssize_t n;

	for (; g->count; advance(out, m, index, len)) {
		len = g->bytes < g->segment ? g->bytes : g->segment;
		n = send_one(g->to, msg->msg_iov->iov_base, len);
		if (n == -EAGAIN)
			return false;
		if (n < 0)
			m[g->first].error = (int)n;
	}
	return true;
}

/*
 * Return true if @error may be about UDP_SEGMENT, so that the records of a group can
 * still go out one by one.
 */
static bool is_uncut(int error)
{
	return error == EINVAL || error == EIO || error == EMSGSIZE ||
	       error == ENOPROTOOPT;
}

/*
 * Note that @n messages went out, from that of the group number @from on. The kernel makes
 * several GSO packets of a message whose records do not fit one, and if the first of these
 * went out alone, the message is sent in part. sendmmsg() ends with such a message, so only
 * the last one can be. The group of that message keeps the records that are left, for the
 * next sendmmsg() to send or to tell the error of. Return how many groups are done.
 */
static unsigned int note_sent(struct server_out *out,
			      const struct kdtls_message *m, unsigned int from,
			      unsigned int n)
{
	unsigned int last = from + n - 1;

	if (out->header[last].msg_len >= out->group[last].bytes)
		return n;
	advance(out, m, last, out->header[last].msg_len);
	return n - 1;
}

/*
 * Send all groups. Return the index of the first entry that the socket had no room
 * for, or @end.
 */
static size_t send_groups(struct kdtls_server *server, struct kdtls_message *m,
			  size_t end)
{
	struct server_out *out = server->out;
	unsigned int done = 0;
	bool again = true;
	int n;

	while (done < out->groups) {
		struct group *g = &out->group[done];

		n = sendmmsg(server->fd, &out->header[done], out->groups - done,
			     MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			done += note_sent(out, m, done, n);
			again = true;
			continue;
		}
		if (errno == EINTR || is_told(errno, &again))
			continue;
		if (errno == EAGAIN)
			return g->first;
		if (g->count > 1 && is_uncut(errno)) {
			if (!send_singly(out, m, done))
				return g->first;
		} else {
			set_error(m, g, -errno);
		}
		done++;
		again = true;
	}
	return end;
}

/*
 * Tell the engines of clients that were sent to when a key is near its limit. The
 * timers, which are due at once then, send what the engines have to send.
 */
static void look_at_limits(struct kdtls_server *server)
{
	struct server_out *out = server->out;
	struct dtls_record_info info;
	unsigned int i;

	for (i = 0; i < out->groups; i++) {
		struct kdtls_client *c = out->group[i].to;

		/* For its own keys the kernel sends events. */
		while (user_records_event(&c->owner->user, &info)) {
			kdtls_engine_input(c->owner->engine, NULL, 0, &info,
					   driver_now());
			timers_set(&server->timers, &c->timed, 0);
		}
	}
}

size_t kdtls_server_send(struct kdtls_server *server,
			 struct kdtls_message *messages, size_t count)
{
	size_t done = 0, end;

	while (done < count) {
		end = seal_entries(server, messages, done, count);
		prepare(server);
		done = send_groups(server, messages, end);
		look_at_limits(server);
		if (done < end)
			break;
	}
	return done;
}
