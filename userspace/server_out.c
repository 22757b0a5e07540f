// SPDX-License-Identifier: BSD-3-Clause
/*
 * Sending: records of many clients in few system calls; see server_object.h.
 *
 * Entries that follow each other and are of one client and one length become one
 * message to the kernel, which cuts it into datagrams (UDP_SEGMENT). A number that
 * was sealed with is never used again, whatever becomes of the record: what the
 * socket has no room for is sealed anew the next time.
 */
#include "server_object.h"
#include <errno.h>
#include <netinet/udp.h>

#define GROUPS_MAX	32		/* messages to the kernel in one call */
#define SEGMENTS_MAX	64		/* as many as every kernel takes */
#define GROUP_BYTES_MAX	DTLS_DATAGRAM_MAX
#define SEALED_SIZE	(256 * 1024)	/* bytes of records in one call */
#define CONTROL_SIZE	(ADDRESS_CONTROL + CMSG_SPACE(sizeof(uint16_t)))

_Static_assert(SEALED_SIZE >= 2 * (DTLS_HEADER_SIZE_MAX + DTLS_FRAGMENT_SIZE_MAX),
	       "a record does not fit");

/**
 * struct group - entries that go out as one message
 * @first:	the first entry
 * @end:	the entry behind the last one
 * @to:		whose they are
 * @segment:	bytes of each record but the last, which may be shorter
 * @count:	number of records
 * @name:	where they go, and where they come from
 * @iov:	where the records lie
 * @control:	control messages of the system call
 */
struct group {
	size_t first;
	size_t end;
	struct kdtls_client *to;
	size_t segment;
	unsigned int count;
	struct stranger name;
	struct iovec iov;
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
	OPENSSL_free(out);
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
 * CONTROL_SIZE bytes.
 */
static void put_address(const struct kdtls_server *server, struct msghdr *msg,
			struct stranger *name, void *control)
{
	msg->msg_name = &name->peer;
	msg->msg_namelen = name->len;
	msg->msg_control = control;
	msg->msg_controllen = 0;
	if (server->any)
		address_from(msg, &name->local);
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
	ssize_t n;

	address_of_key(key, key_len, &name);
	put_address(server, &msg, &name, control.space);
	do {
		n = sendmsg(server->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Return true if the next record of @c, of @size bytes, can go with @g. */
static bool joins(const struct group *g, const struct kdtls_client *c,
		  size_t size)
{
	return g->to == c && g->count < SEGMENTS_MAX &&
	       g->iov.iov_len == g->count * g->segment && size <= g->segment &&
	       g->iov.iov_len + size <= GROUP_BYTES_MAX;
}

static void begin_group(struct server_out *out, size_t first,
			struct kdtls_client *c, uint8_t *record)
{
	struct group *g = &out->group[out->groups];

	memset(&out->header[out->groups], 0, sizeof(out->header[0]));
	memset(g, 0, sizeof(*g));
	g->first = first;
	g->to = c;
	g->iov.iov_base = record;
	out->groups++;
}

/*
 * Seal one entry and put its record into the last group, or into a new one. Return
 * false if there is no room for it in this call.
 */
static bool add_record(struct server_out *out, struct kdtls_message *m,
		       size_t index)
{
	struct group *g = out->groups ? &out->group[out->groups - 1] : NULL;
	uint8_t *record = out->sealed + out->used;
	struct user_records *u = m->client->owner.user;
	size_t size = m->len + user_records_overhead(u);
	ssize_t n;

	if (size > SEALED_SIZE - out->used ||
	    ((!g || !joins(g, m->client, 0)) && out->groups == GROUPS_MAX))
		return false;
	n = user_records_seal(u, DTLS_CT_APPLICATION_DATA, m->data, m->len,
			      record);
	if (n < 0) {
		m->error = (int)n;
		return true;
	}
	if (!g || !joins(g, m->client, n)) {
		if (out->groups == GROUPS_MAX)
			return false;
		begin_group(out, index, m->client, record);
		g = &out->group[out->groups - 1];
		g->segment = n;
	}
	g->iov.iov_len += n;
	g->count++;
	g->end = index + 1;
	out->used += n;
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

		address_of_key(g->to->key, g->to->key_len, &g->name);
		put_address(server, msg, &g->name, g->control.space);
		msg->msg_iov = &g->iov;
		msg->msg_iovlen = 1;
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
static bool send_singly(const struct kdtls_server *server,
			struct kdtls_message *m, struct group *g)
{
	const uint8_t *p = g->iov.iov_base;
	size_t left = g->iov.iov_len, len, i = g->first;
	ssize_t n;

	for (; left; left -= len, p += len, i++) {
		while (!m[i].len || m[i].error || m[i].client != g->to)
			i++;
		len = left < g->segment ? left : g->segment;
		n = server_out_datagram(server, g->to->key, g->to->key_len, p,
					len);
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
			if (!send_singly(server, m, g))
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

		while (user_records_event(c->owner.user, &info)) {
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
