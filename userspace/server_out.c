// SPDX-License-Identifier: BSD-3-Clause
/*
 * Sending: records of many clients in few system calls; see server_object.h.
 *
 * Entries that follow each other and are of one client and one length become one
 * message to the kernel, which cuts it into datagrams (UDP_SEGMENT). A number that
 * was sealed with is never used again, whatever becomes of the record: what the
 * socket has no room for is sealed anew the next time.
 *
 * Where the kernel makes the records, a message has their content and the number of
 * the client.
 */
#include "server_object.h"
#include <errno.h>
#include <netinet/udp.h>

#define GROUPS_MAX	32		/* messages to the kernel in one call */
#define SEGMENTS_MAX	64		/* as many as every kernel takes */
#define GROUP_BYTES_MAX	DTLS_DATAGRAM_MAX
#define SEALED_SIZE	(256 * 1024)	/* bytes of records in one call */
#define CONTROL_SIZE							\
	(ADDRESS_CONTROL + CMSG_SPACE(sizeof(uint16_t)) +		\
	 CMSG_SPACE(sizeof(struct dtls_record_info)))

_Static_assert(SEALED_SIZE >= 2 * (DTLS_HEADER_SIZE_MAX + DTLS_FRAGMENT_SIZE_MAX),
	       "a record does not fit");

/**
 * struct group - entries that go out as one message
 * @first:	the first entry
 * @end:	the entry behind the last one
 * @to:		whose they are
 * @segment:	bytes of each record, or of its content, but the last, which may be
 *		shorter
 * @count:	number of records
 * @bytes:	bytes of all of them
 * @name:	where they go, and where they come from
 * @pieces:	number of @iov
 * @iov:	where the records lie, or their content: one or more whole ones in each
 * @control:	control messages of the system call
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
 * struct server_out - what is being sent
 * @header:	one for each of @groups
 * @group:	messages to the kernel
 * @groups:	how many there are
 * @used:	bytes of @sealed
 * @sealed:	records
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

/* Append a control message. */
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
 * Address a message by the address key in @name. @control is zeroed, of
 * CONTROL_SIZE bytes. A socket whose records the kernel makes sends it as it is.
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

/* Address a message to a client. @control is zeroed, of CONTROL_SIZE bytes. */
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

/* Send a message without waiting. Return its bytes or -errno. */
static ssize_t send_message(int fd, const struct msghdr *msg)
{
	ssize_t n;

	do {
		n = sendmsg(fd, msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
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

/* Send one record, or content that the kernel makes one of. */
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

/* Append a record, or its content, to a group that it joins. */
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
 * Seal one entry and put its record into the last group, or into a new one. The
 * kernel gets the content as it is. Return false if there is no room for it in this
 * call.
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
		n = user_records_seal(c->owner.user, DTLS_CT_APPLICATION_DATA,
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

/* Seal entries until there is no room. Return how many were dealt with. */
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
		if (m[i].client->stage != SERVED_OPEN)
			m[i].error = -ENOTCONN;
		else if (m[i].len > DTLS_RECORD_SIZE_MAX)
			m[i].error = -EMSGSIZE;
		else if (!add_record(out, &m[i], i))
			break;
	}
	return i;
}

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

static void set_error(struct kdtls_message *m, const struct group *g,
		      size_t from, int error)
{
	size_t i;

	for (i = from; i < g->end; i++)
		if (m[i].len && !m[i].error && m[i].client == g->to)
			m[i].error = error;
}

/*
 * Send the records of a group one by one: the kernel does not cut messages on this
 * path. Return false if the socket has no more room; entries of the records that
 * went out are behind @g->first then.
 */
static bool send_singly(struct kdtls_message *m, struct group *g)
{
	const struct iovec *iov = g->iov;
	size_t at = 0, len, i;
	ssize_t n;

	for (i = g->first; i < g->end; i++) {
		if (!m[i].len || m[i].error || m[i].client != g->to)
			continue;
		len = iov->iov_len - at;
		if (len > g->segment)
			len = g->segment;
		n = send_one(g->to, (const uint8_t *)iov->iov_base + at, len);
		at += len;
		if (at == iov->iov_len) {
			iov++;
			at = 0;
		}
		g->first = i;
		if (n == -EAGAIN)
			return false;
		if (n < 0)
			m[i].error = (int)n;
	}
	return true;
}

/* Return true if the kernel may take the records of a group one by one. */
static bool is_uncut(int error)
{
	return error == EINVAL || error == EIO || error == EMSGSIZE ||
	       error == ENOPROTOOPT;
}

/*
 * Send the groups. Return the first entry that did not go out for want of room, or
 * @end.
 */
static size_t send_groups(struct kdtls_server *server, struct kdtls_message *m,
			  size_t end)
{
	struct server_out *out = server->out;
	unsigned int done = 0;
	int n;

	while (done < out->groups) {
		struct group *g = &out->group[done];

		n = sendmmsg(server->fd, &out->header[done], out->groups - done,
			     MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			done += n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN)
			return g->first;
		if (g->count > 1 && is_uncut(errno)) {
			if (!send_singly(m, g))
				return g->first;
		} else {
			set_error(m, g, g->first, -errno);
		}
		done++;
	}
	return end;
}

/* Tell engines of keys that near their limits; the timers do what follows. */
static void look_at_limits(struct kdtls_server *server)
{
	struct server_out *out = server->out;
	struct dtls_record_info info;
	unsigned int i;

	for (i = 0; i < out->groups; i++) {
		struct kdtls_client *c = out->group[i].to;

		/* The kernel tells of its keys by itself. */
		while (c->owner.user &&
		       user_records_event(c->owner.user, &info)) {
			kdtls_engine_input(c->owner.engine, NULL, 0, &info,
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
