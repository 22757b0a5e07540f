// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on a socket with a table, and a model that says what each of them
 * returns: associations are added, moved, peeled off and deleted, get keys, and give
 * their addresses to successors, while records, copies, hellos and junk come from
 * many addresses. A seed makes a run.
 *
 * DTLS_TEST_SEED and DTLS_TEST_STEPS set the seed and the number of operations, and
 * with DTLS_TEST_TRACE each operation is printed.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "clients.h"
#include "common.h"

#define IDS	9		/* numbers 1 to 8 */
#define PORTS	7
#define NOWHERE	PORTS
#define EPOCHS	3		/* keys that an association gets in each direction */
#define EARLY	3

/**
 * struct port - an address where clients are
 * @fd:		plain UDP socket, connected to the server's
 * @now:	the association that has the address, or 0
 * @next:	the one that waits for it, or 0
 * @own:	the connected socket that @now was peeled off to, or -1
 */
struct port {
	int fd;
	unsigned int now;
	unsigned int next;
	int own;
};

/**
 * struct assoc - an association, as it is or was
 * @c:		its client's keys and numbers
 * @there:	it is in the table
 * @peeled:	it was peeled off
 * @port:	where it is or waits, or NOWHERE
 * @rx_keys:	read keys that it has got; the same for @tx_keys
 * @early:	records that wait for its read key
 */
struct assoc {
	struct client c;
	bool there;
	bool peeled;
	unsigned int port;
	unsigned int rx_keys;
	unsigned int tx_keys;
	unsigned int early;
};

static __u8 text[1 << 10];

/**
 * struct model - what the socket is expected to have
 * @server:	the socket
 * @cipher:	of all associations
 * @family:	of all addresses
 * @cid_len:	bytes of the connection IDs that clients use
 * @state:	state of the generator
 * @seeds:	how many keys were made
 * @max:	of associations; 0: there is none
 * @count:	of associations
 * @port:	addresses; the last one is NOWHERE
 * @assoc:	associations, by number
 */
struct model {
	int server;
	__u16 cipher;
	int family;
	unsigned int cid_len;
	__u64 state;
	unsigned int seeds;
	unsigned int max;
	unsigned int count;
	struct port port[PORTS + 1];
	struct assoc assoc[IDS];
};

FIXTURE(random)
{
	struct model m;
};

FIXTURE_VARIANT(random)
{
	__u16 cipher;
	int family;
	unsigned int cid_len;
};

LINK_VARIANT(random, v4, DTLS_CIPHER_AES_GCM_128, AF_INET, 0);
LINK_VARIANT(random, v6_cid, DTLS_CIPHER_CHACHA20_POLY1305, AF_INET6, 5);
LINK_VARIANT(random, v13_v6, V13(DTLS_CIPHER_AES_GCM_256), AF_INET6, 0);
LINK_VARIANT(random, v13_v4_cid, V13(DTLS_CIPHER_AES_GCM_128), AF_INET, 6);

static unsigned long number_of(const char *name, unsigned long otherwise)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 0) : otherwise;
}

/* Return a number below @limit. The generator is splitmix64. */
static unsigned int draw(struct model *m, unsigned int limit)
{
	__u64 z = m->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (z ^ z >> 31) % limit;
}

FIXTURE_SETUP(random)
{
	struct model *m = &self->m;
	unsigned int i;
	int on = 1;

	stay();
	fill(text, sizeof(text), 1);
	m->cipher = variant->cipher;
	m->family = variant->family;
	m->cid_len = variant->cid_len;
	m->state = number_of("DTLS_TEST_SEED", 1);
	m->server = make_server(m->family, m->cid_len);
	ASSERT_LE(0, m->server);
	ASSERT_OK(setsockopt(m->server, SOL_SOCKET, SO_REUSEADDR, &on,
			     sizeof(on)));
	for (i = 0; i < IDS; i++)
		m->assoc[i].port = NOWHERE;
	for (i = 0; i < PORTS; i++) {
		m->port[i].own = -1;
		m->port[i].fd = udp_socket(m->family);
		ASSERT_LE(0, m->port[i].fd);
		ASSERT_OK(udp_connect(m->port[i].fd, m->server));
	}
}

FIXTURE_TEARDOWN(random)
{
	unsigned int i;

	for (i = 0; i < PORTS; i++) {
		close(self->m.port[i].fd);
		close(self->m.port[i].own);
	}
	close(self->m.server);
}

/* ---- the model ---- */

/* Return true if an association waits for the address that it is to have. */
static bool waits(const struct model *m, unsigned int id)
{
	return m->port[m->assoc[id].port].next == id;
}

/* Take the association @id from its address. Who waits for the address has it then. */
static void leave_port(struct model *m, unsigned int id)
{
	struct port *p = &m->port[m->assoc[id].port];

	m->assoc[id].port = NOWHERE;
	if (p == &m->port[NOWHERE])
		return;
	if (p->next != id)
		p->now = p->next;
	p->next = 0;
}

static void enter_port(struct model *m, unsigned int id, unsigned int port)
{
	struct port *p = &m->port[port];

	m->assoc[id].port = port;
	if (p->now)
		p->next = id;
	else
		p->now = id;
}

/* Return the error of adding or moving an association to @port, or 0. */
static int enter_error(const struct model *m, unsigned int port, __u32 flags)
{
	const struct port *p = &m->port[port];

	if (p->now && (!flags || p->next || m->assoc[p->now].peeled))
		return -EADDRINUSE;
	return 0;
}

/* Return true if a record of application data would wait for a key. */
static bool keys_are_missing(const struct model *m, const struct port *p)
{
	return (p->now && !m->assoc[p->now].rx_keys) ||
	       (p->next && !m->assoc[p->next].rx_keys);
}

/* Return true if what the client of @id sends from @port is verified. */
static bool is_heard(const struct model *m, unsigned int id,
		     unsigned int port)
{
	const struct assoc *a = &m->assoc[id];

	if (!a->there || !a->rx_keys)
		return false;
	return m->cid_len || m->port[port].now == id || m->port[port].next == id;
}

/* ---- what is there to be read ---- */

/*
 * Read all control records. Each one is raw, or the event of @old, which has lost its
 * address; if @old is not 0 there is that one event. Return how many raw ones there are.
 */
static unsigned int drain(struct __test_metadata *_metadata, struct model *m,
			  unsigned int old)
{
	struct dtls_record_info info;
	unsigned int raw = 0, events = 0;

	while (recv_control(m->server, &info, buf, sizeof(buf)) >= 0) {
		if (info.flags & DTLS_RECORD_EVENT) {
			EXPECT_EQ(DTLS_EVENT_REPLACED, info.event);
			EXPECT_EQ(old, info.id);
			events++;
		} else {
			EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
			raw++;
		}
	}
	ASSERT_EQ(EAGAIN, errno);
	ASSERT_EQ(!!old, events);
	ASSERT_ERRNO(EAGAIN, recv_now(m->server, buf, sizeof(buf)));
	return raw;
}

/* The socket @fd has one record of @len bytes, of the association @id. */
static void has_record(struct __test_metadata *_metadata, int fd, unsigned int id,
		       size_t len)
{
	__u64 said;

	ASSERT_EQ((ssize_t)len, server_recv(fd, &said, NULL, 0))
		TH_LOG("%s", strerror(errno));
	ASSERT_EQ(id, said);
	ASSERT_EQ(0, memcmp(buf, text, len));
	ASSERT_ERRNO(EAGAIN, recv_now(fd, buf, sizeof(buf)));
}

/* ---- operations ---- */

/* The call returns @want, or fails with the negative error @want. */
#define ASSERT_RETURNS(want, call)					\
	do {								\
		long got_;						\
									\
		errno = 0;						\
		got_ = (call);						\
		ASSERT_EQ((want), got_ < 0 ? -errno : got_)		\
			TH_LOG("%s", #call);				\
	} while (0)

/* An operation is about the association @id and the address @port, or one of them. */
#define OPERATION(name)							\
static void name(struct __test_metadata *_metadata, struct model *m,	\
		 unsigned int id __attribute__((unused)),		\
		 unsigned int port __attribute__((unused)))

/* Make the key that is the next one after @n keys. */
static void make_key(struct model *m, struct peer_key *k, unsigned int n, int dir)
{
	unsigned int cid_len = m->cid_len;

	if (cid_len && dir == DTLS_TX)
		cid_len += 2;
	peer_key_init(k, m->cipher, nth_epoch(m->cipher, n + 1), cid_len,
		      ++m->seeds << 7);
}

OPERATION(get_write_key)
{
	struct assoc *a = &m->assoc[id];
	struct peer_key k;
	int err = a->there && !a->peeled ? 0 : -ENOENT;

	if (a->tx_keys == EPOCHS)
		return;
	make_key(m, &k, a->tx_keys, DTLS_TX);
	ASSERT_RETURNS(err, set_key(m->server, id, DTLS_TX, &k));
	if (err)
		return;
	a->c.down = k;
	a->tx_keys++;
}

/* The first read key was made before, as records may have come. */
OPERATION(get_read_key)
{
	struct assoc *a = &m->assoc[id];
	struct peer_key k = a->c.up;
	int err = a->there && !a->peeled ? 0 : -ENOENT;
	__u64 said;

	if (a->rx_keys == EPOCHS)
		return;
	if (a->rx_keys || !a->c.up.cipher)
		make_key(m, &k, a->rx_keys, DTLS_RX);
	ASSERT_RETURNS(err, set_key(m->server, id, DTLS_RX, &k));
	if (err)
		return;
	a->c.up = k;
	if (a->rx_keys++)
		a->c.seq = 0;
	for (; a->early; a->early--) {
		ASSERT_EQ(50, server_recv(m->server, &said, NULL, 0));
		ASSERT_EQ(id, said);
	}
}

OPERATION(add)
{
	__u32 flags = draw(m, 2) ? DTLS_PEER_SUCCEED : 0;
	struct assoc *a = &m->assoc[id];
	int err = m->max && m->count >= m->max ? -ENOSPC :
		  a->there ? -EEXIST :
		  enter_error(m, port, flags);

	ASSERT_RETURNS(err, set_peer_flags(m->server, DTLS_ASSOC_ADD, id,
					   m->port[port].fd, flags));
	if (err)
		return;
	*a = (struct assoc){ .there = true, .c.id = id };
	m->count++;
	enter_port(m, id, port);
	make_key(m, &a->c.up, 0, DTLS_RX);
	if (draw(m, 4))
		get_read_key(_metadata, m, id, port);
	if (draw(m, 4))
		get_write_key(_metadata, m, id, port);
}

OPERATION(move)
{
	__u32 flags = draw(m, 2) ? DTLS_PEER_SUCCEED : 0;
	struct assoc *a = &m->assoc[id];
	bool same = a->there && a->port == port;
	int err = !a->there ? -ENOENT : a->peeled ? -EBUSY :
		  same ? 0 : enter_error(m, port, flags);

	ASSERT_RETURNS(err, set_peer_flags(m->server, DTLS_ASSOC_MOVE, id,
					   m->port[port].fd, flags));
	if (err || same)
		return;
	leave_port(m, id);
	enter_port(m, id, port);
}

/* An association that was peeled off works on the socket of @p, if it has keys. */
static void works_alone(struct __test_metadata *_metadata, struct model *m,
			const struct port *p, struct assoc *a)
{
	if (a->rx_keys) {
		ASSERT_EQ(50, send_from(&a->c, p->fd, CT_DATA, text, 50));
		has_record(_metadata, p->own, 0, 50);
		drain(_metadata, m, 0);
	}
	if (!a->tx_keys)
		return;
	a->c.fd = p->fd;
	ASSERT_EQ(60, send(p->own, text, 60, 0));
	ASSERT_EQ(60, client_recv(&a->c));
}

OPERATION(del)
{
	struct assoc *a = &m->assoc[id];
	struct port *p = &m->port[a->port];

	if (!a->there) {
		ASSERT_ERRNO(ENOENT, delete(m->server, id));
		return;
	}
	ASSERT_OK(delete(m->server, id));
	if (a->peeled) {
		works_alone(_metadata, m, p, a);
		close(p->own);
		p->own = -1;
	}
	leave_port(m, id);
	a->there = false;
	m->count--;
}

/* Close the socket that @id was peeled off to: @id leaves the table. */
OPERATION(close_own)
{
	struct assoc *a = &m->assoc[id];
	struct port *p = &m->port[a->port];

	if (!a->there || !a->peeled)
		return;
	if (draw(m, 2))
		works_alone(_metadata, m, p, a);
	ASSERT_OK(close(p->own));
	p->own = -1;
	leave_port(m, id);
	a->there = false;
	m->count--;
}

static int peel_error(const struct model *m, unsigned int id, unsigned int port)
{
	const struct assoc *a = &m->assoc[id];

	if (!a->there)
		return -ENOENT;
	if (a->peeled || waits(m, id) || m->port[a->port].next)
		return -EBUSY;
	if (a->port == NOWHERE)
		return -ENOTCONN;
	if (!a->rx_keys && !a->tx_keys)
		return -ENOKEY;
	return a->port == port ? 0 : -EISCONN;
}

OPERATION(peel)
{
	int err = peel_error(m, id, port), fd;
	struct assoc *a = &m->assoc[id];

	/* Two sockets of one peer are not told apart. */
	if (m->port[port].own >= 0)
		return;
	fd = connected_socket(m->server, m->port[port].fd);
	ASSERT_LE(0, fd);
	ASSERT_RETURNS(err, peel_off(fd, m->server, id));
	if (err) {
		close(fd);
		return;
	}
	a->peeled = true;
	m->port[port].own = fd;
	works_alone(_metadata, m, &m->port[port], a);
}

/* The client of @id sends a record of data or of a handshake from @port. */
static void talk(struct __test_metadata *_metadata, struct model *m,
		 unsigned int id, unsigned int port, __u8 type)
{
	unsigned int len = type == CT_DATA ? 40 + draw(m, 200) : 30, old = 0;
	struct assoc *a = &m->assoc[id];
	struct port *p = &m->port[port];
	bool heard = is_heard(m, id, port);
	struct dtls_record_info info;

	if (!a->c.up.cipher || (!m->cid_len && keys_are_missing(m, p)) ||
	    (p->own >= 0 && p->now != id))
		return;
	if (a->peeled && a->there && (type != CT_DATA || !a->rx_keys))
		return;
	ASSERT_EQ(len, send_from(&a->c, p->fd, type, text, len));
	if (heard && a->peeled) {
		/* The table's socket passes it on, if it came from elsewhere. */
		drain(_metadata, m, 0);
		has_record(_metadata, m->port[a->port].own, 0, len);
		return;
	}
	if (!heard) {
		drain(_metadata, m, 0);
		return;
	}
	if (p->next == id) {
		old = p->now;
		leave_port(m, old);
	}
	if (type == CT_DATA) {
		has_record(_metadata, m->server, id, len);
		drain(_metadata, m, old);
		/* A copy is not delivered. */
		a->c.seq--;
		ASSERT_EQ(len, send_from(&a->c, p->fd, type, text, len));
		drain(_metadata, m, 0);
		return;
	}
	ASSERT_ERRNO(EAGAIN, recv_now(m->server, buf, sizeof(buf)));
	if (old) {
		ASSERT_EQ(0, recv_control(m->server, &info, buf, sizeof(buf)));
		EXPECT_EQ(DTLS_EVENT_REPLACED, info.event);
		EXPECT_EQ(old, info.id);
	}
	ASSERT_EQ(len, recv_control(m->server, &info, buf, sizeof(buf)));
	EXPECT_EQ(id, info.id);
	EXPECT_EQ(0, info.flags);
	drain(_metadata, m, 0);
}

OPERATION(talk_data)
{
	talk(_metadata, m, id, port, CT_DATA);
}

OPERATION(talk_handshake)
{
	talk(_metadata, m, id, port, CT_HANDSHAKE);
}

/* A forged record is not delivered, and spends no number. */
OPERATION(forge)
{
	struct assoc *a = &m->assoc[id];
	struct port *p = &m->port[port];
	size_t len;

	if (!a->c.up.cipher || p->own >= 0 ||
	    (!m->cid_len && keys_are_missing(m, p)))
		return;
	len = peer_seal(&a->c.up, CT_DATA, a->c.seq, text, 50, wire);
	wire[len - 1] ^= 1;
	ASSERT_EQ((ssize_t)len, send(p->fd, wire, len, 0));
	drain(_metadata, m, 0);
	if (a->peeled && a->there)
		ASSERT_ERRNO(EAGAIN, recv_now(m->port[a->port].own, buf,
					      sizeof(buf)));
}

/* Data comes before the read key. */
OPERATION(talk_early)
{
	struct assoc *a = &m->assoc[id];
	struct port *p = &m->port[a->port];

	if (m->cid_len || !a->there || a->peeled || a->rx_keys ||
	    p->now != id || p->next || a->early == EARLY)
		return;
	ASSERT_EQ(50, send_from(&a->c, p->fd, CT_DATA, text, 50));
	a->early++;
	drain(_metadata, m, 0);
}

/* A hello comes: it is of whoever has the address, or a stranger's. */
OPERATION(hello)
{
	size_t len = plain_record(CT_HANDSHAKE, 0, 3, text, 90, wire);
	struct port *p = &m->port[port];
	struct dtls_record_info info;

	if (p->own >= 0)
		return;
	ASSERT_EQ((ssize_t)len, send(p->fd, wire, len, 0));
	ASSERT_ERRNO(EAGAIN, recv_now(m->server, buf, sizeof(buf)));
	ASSERT_EQ((ssize_t)len, recv_control(m->server, &info, buf,
					     sizeof(buf)));
	EXPECT_EQ(p->now, info.id);
	EXPECT_EQ(DTLS_RECORD_RAW, info.flags);
	ASSERT_EQ(0, drain(_metadata, m, 0));
}

OPERATION(junk)
{
	unsigned int len = 1 + draw(m, 100), i;
	struct port *p = &m->port[port];

	if (p->own >= 0 || keys_are_missing(m, p))
		return;
	for (i = 0; i < len; i++)
		wire[i] = draw(m, 256);
	/* The first byte is often that of a record. */
	if (draw(m, 2))
		wire[0] = IS_V13(m->cipher) ? 0x20 | wire[0] >> 3 :
					      20 + wire[0] % 7;
	ASSERT_EQ(len, send(p->fd, wire, len, 0));
	drain(_metadata, m, 0);
}

/* The server sends to the association @id, by its number or its address. */
OPERATION(answer)
{
	struct assoc *a = &m->assoc[id];
	bool by_name = a->port != NOWHERE && draw(m, 2);
	int fd = m->port[a->port].fd, want;

	if (by_name) {
		id = m->port[a->port].now;
		a = &m->assoc[id];
	}
	if (!a->there || a->peeled)
		want = by_name ? -ENOTCONN : -ENOENT;
	else if (a->port == NOWHERE)
		want = -ENOTCONN;
	else
		want = a->tx_keys ? 70 : -ENOKEY;
	ASSERT_RETURNS(want, send_cut(m->server, by_name ? 0 : id,
				      by_name ? fd : -1, text, 70, 0, 0));
	if (want < 0)
		return;
	a->c.fd = fd;
	ASSERT_EQ(70, client_recv(&a->c));
	ASSERT_EQ(0, memcmp(rec.data, text, 70));
}

OPERATION(set_maximum)
{
	m->max = draw(m, 2) ? 1 + draw(m, IDS) : 0;
	ASSERT_OK(set_table(m->server, m->cid_len, m->max));
}

/* The list has what the model has. */
OPERATION(list)
{
	struct dtls_assoc_peer peer = {};
	struct dtls_assoc_table table;
	socklen_t len = sizeof(table);
	struct dtls_addr addr;
	__u32 flags;

	ASSERT_OK(getsockopt(m->server, SOL_DTLS, DTLS_ASSOC_TABLE, &table, &len));
	ASSERT_EQ(m->count, table.count);
	ASSERT_EQ(m->max, table.max);
	for (id = 1; id < IDS; id++) {
		const struct assoc *a = &m->assoc[id];

		if (!a->there)
			continue;
		len = sizeof(peer);
		ASSERT_OK(getsockopt(m->server, SOL_DTLS, DTLS_ASSOC_NEXT, &peer,
				     &len));
		ASSERT_EQ(id, peer.id);
		flags = (waits(m, id) ? DTLS_PEER_SUCCEED : 0) |
			(a->peeled ? DTLS_PEER_PEELED : 0);
		ASSERT_EQ(flags, peer.flags);
		memset(&addr, 0, sizeof(addr));
		if (a->port != NOWHERE)
			address_of(m->port[a->port].fd, &addr);
		ASSERT_EQ(0, memcmp(&addr, &peer.peer, sizeof(addr)));
	}
	len = sizeof(peer);
	ASSERT_ERRNO(ENOENT, getsockopt(m->server, SOL_DTLS, DTLS_ASSOC_NEXT,
					&peer, &len));
}

/* ---- the test ---- */

static const struct operation {
	const char *name;
	unsigned int share;	/* of all operations */
	void (*run)(struct __test_metadata *_metadata, struct model *m,
		    unsigned int id, unsigned int port);
} operations[] = {
	{ "add", 2, add },
	{ "move", 1, move },
	{ "delete", 1, del },
	{ "peel", 1, peel },
	{ "close", 1, close_own },
	{ "read key", 1, get_read_key },
	{ "write key", 1, get_write_key },
	{ "data", 8, talk_data },
	{ "handshake", 1, talk_handshake },
	{ "early data", 1, talk_early },
	{ "forgery", 1, forge },
	{ "hello", 1, hello },
	{ "junk", 1, junk },
	{ "answer", 6, answer },
	{ "maximum", 1, set_maximum },
	{ "list", 1, list },
	{ },
};

/* Most of what happens is about an association and the address that it has. */
static void step(struct __test_metadata *_metadata, struct model *m, bool trace)
{
	unsigned int id = 1 + draw(m, IDS - 1), port = m->assoc[id].port;
	unsigned int all = 0, i;

	if (port == NOWHERE || !draw(m, 3))
		port = draw(m, PORTS);
	for (i = 0; operations[i].run; i++)
		all += operations[i].share;
	all = draw(m, all);
	for (i = 0; all >= operations[i].share; i++)
		all -= operations[i].share;
	if (trace)
		printf("# %s %u at %u\n", operations[i].name, id, port);
	operations[i].run(_metadata, m, id, port);
}

TEST_F_TIMEOUT(random, operations_do_what_a_model_says, 3600)
{
	unsigned long steps = number_of("DTLS_TEST_STEPS", rounds(6000, 600));
	bool trace = getenv("DTLS_TEST_TRACE");
	unsigned long i;

	for (i = 0; i < steps; i++)
		step(_metadata, &self->m, trace);
	list(_metadata, &self->m, 0, 0);
	for (i = 1; i < IDS; i++)
		if (self->m.assoc[i].there)
			del(_metadata, &self->m, i, 0);
	list(_metadata, &self->m, 0, 0);
}

TEST_HARNESS_MAIN
