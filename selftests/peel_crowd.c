// SPDX-License-Identifier: GPL-2.0
/*
 * A hundred associations are peeled off, one after the other, while eight threads send
 * for all of them. What epoll's edges and io_uring's completions tell of the table's
 * socket and of the connected sockets is all there is to go by: each record comes once,
 * on the socket that has its association.
 */
#include "harness.h"

#include <liburing.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/epoll.h>

#include "clients.h"
#include "common.h"

#define THREADS	8
#define EACH	13			/* clients of one thread */
#define CLIENTS	(THREADS * EACH)
#define RECORDS	32			/* of each client */
#define ROOM	512			/* bytes for a record with all that comes with it */
#define LAG	150			/* records under way at most, so that none is lost */
#define TABLE	CLIENTS			/* which socket: that with the table */

/* struct said is the content of a record: it names its client and itself. */
struct said {
	__u32 client;
	__u32 number;
};

/**
 * struct crowd - clients, and what was received of them
 * @server:	the socket with the table
 * @n:		how many clients there are, the same number for each thread
 * @c:		the clients
 * @fd:		the sockets that peel their associations off, or -1
 * @cids:	the clients have connection IDs
 * @seen:	how often each record was received
 * @sent:	how many records were sent
 * @count:	how many records were received
 * @wrong:	how many records came on a socket or with a number that is another's
 * @stop:	the reader of the table's socket ends
 */
struct crowd {
	int server;
	unsigned int n;
	struct client c[CLIENTS];
	int fd[CLIENTS];
	bool cids;
	unsigned int seen[CLIENTS][RECORDS];
	unsigned int sent;
	unsigned int count;
	unsigned int wrong;
	bool stop;
};

static struct crowd crowd;

static unsigned int get(const unsigned int *value)
{
	return __atomic_load_n(value, __ATOMIC_RELAXED);
}

static void add_one(unsigned int *value)
{
	__atomic_fetch_add(value, 1, __ATOMIC_RELAXED);
}

/* Note the @len bytes @said that came on the socket @where with the number @id. */
static void note(struct crowd *k, unsigned int where, const void *data,
		 ssize_t len, __u64 id)
{
	const struct said *said = data;

	if (len != sizeof(*said) || said->client >= k->n ||
	    said->number >= RECORDS ||
	    (where == TABLE ? id != k->c[said->client].id :
			      id || where != said->client))
		add_one(&k->wrong);
	else
		add_one(&k->seen[said->client][said->number]);
	add_one(&k->count);
}

/* ---- two ways to be told ---- */

/**
 * struct eyes - what tells one thread of sockets
 * @crowd:	the crowd
 * @ep:		epoll file that tells edges
 * @ring:	io_uring with one request for each socket, if @room is set
 * @msg:	what the requests ask for
 * @room:	buffers for the records, each used once; NULL: @ep is in use
 */
struct eyes {
	struct crowd *crowd;
	int ep;
	struct io_uring ring;
	struct msghdr msg;
	__u8 *room;
};

static int open_eyes(struct eyes *e, struct crowd *k, bool uring)
{
	unsigned int total = k->n * RECORDS + 64;
	struct io_uring_cqe *cqe;
	int err;

	memset(e, 0, sizeof(*e));
	e->crowd = k;
	e->ep = epoll_create1(0);
	if (!uring || e->ep < 0)
		return e->ep < 0 ? -1 : 0;
	e->msg.msg_controllen = 128;
	e->room = malloc(total * ROOM);
	if (!e->room || io_uring_queue_init(512, &e->ring, 0))
		return -1;
	io_uring_prep_provide_buffers(io_uring_get_sqe(&e->ring), e->room, ROOM,
				      total, 0, 0);
	if (io_uring_submit_and_wait(&e->ring, 1) != 1 ||
	    io_uring_wait_cqe(&e->ring, &cqe))
		return -1;
	err = cqe->res;
	io_uring_cqe_seen(&e->ring, cqe);
	return err < 0 ? -1 : 0;
}

static void close_eyes(struct eyes *e)
{
	close(e->ep);
	if (e->room)
		io_uring_queue_exit(&e->ring);
	free(e->room);
}

static int socket_of(const struct crowd *k, unsigned int where)
{
	return where == TABLE ? k->server : k->fd[where];
}

/* Ask to be told of the socket @where from now on. */
static int watch(struct eyes *e, unsigned int where)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET,
				  .data.u32 = where };
	int fd = socket_of(e->crowd, where);
	struct io_uring_sqe *sqe;

	if (!e->room)
		return epoll_ctl(e->ep, EPOLL_CTL_ADD, fd, &ev);
	sqe = io_uring_get_sqe(&e->ring);
	if (!sqe)
		return -1;
	io_uring_prep_recvmsg_multishot(sqe, fd, &e->msg, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	io_uring_sqe_set_data64(sqe, where);
	return io_uring_submit(&e->ring) == 1 ? 0 : -1;
}

/* Receive all that @where has, after an edge. */
static void drain(struct crowd *k, unsigned int where)
{
	char in[ROOM], space[256];
	struct iovec iov = { in, sizeof(in) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;
	__u64 id;

	for (;;) {
		msg.msg_control = space;
		msg.msg_controllen = sizeof(space);
		n = recvmsg(socket_of(k, where), &msg, MSG_DONTWAIT);
		if (n < 0)
			return;
		id = 0;
		find_control(&msg, SOL_DTLS, DTLS_ASSOC, &id, sizeof(id));
		note(k, where, in, n, id);
	}
}

static int look_at_edges(struct eyes *e, int ms)
{
	struct epoll_event ev[16];
	int i, n = epoll_wait(e->ep, ev, 16, ms);

	for (i = 0; i < n; i++)
		drain(e->crowd, ev[i].data.u32);
	return n;
}

/* Take one completion. A request that has ended is made again. */
static void take(struct eyes *e, const struct io_uring_cqe *cqe)
{
	unsigned int where = io_uring_cqe_get_data64(cqe);
	struct io_uring_recvmsg_out *out;
	struct cmsghdr *cmsg;
	__u64 id = 0;

	if (cqe->res >= 0) {
		out = io_uring_recvmsg_validate(e->room +
						ROOM * (cqe->flags >> 16),
						cqe->res, &e->msg);
		cmsg = io_uring_recvmsg_cmsg_firsthdr(out, &e->msg);
		while (cmsg && (cmsg->cmsg_level != SOL_DTLS ||
				cmsg->cmsg_type != DTLS_ASSOC))
			cmsg = io_uring_recvmsg_cmsg_nexthdr(out, &e->msg, cmsg);
		if (cmsg)
			memcpy(&id, CMSG_DATA(cmsg), sizeof(id));
		note(e->crowd, where, io_uring_recvmsg_payload(out, &e->msg),
		     io_uring_recvmsg_payload_length(out, cqe->res, &e->msg),
		     id);
	}
	if (!(cqe->flags & IORING_CQE_F_MORE))
		watch(e, where);
}

static int look_at_ring(struct eyes *e, int ms)
{
	struct __kernel_timespec ts = { .tv_nsec = ms * 1000000L };
	struct io_uring_cqe *cqe, copy;
	int n = 0, err = io_uring_wait_cqe_timeout(&e->ring, &cqe, &ts);

	while (!err) {
		copy = *cqe;
		io_uring_cqe_seen(&e->ring, cqe);
		take(e, &copy);
		n++;
		err = io_uring_peek_cqe(&e->ring, &cqe);
	}
	return n;
}

/* Receive what there is news of. Wait for @ms at most if there is none. */
static int look(struct eyes *e, int ms)
{
	return e->room ? look_at_ring(e, ms) : look_at_edges(e, ms);
}

/* The thread makes its request itself, as io_uring works in the task that asks. */
static void *read_table(void *arg)
{
	struct eyes *e = arg;

	if (watch(e, TABLE))
		return NULL;
	while (!__atomic_load_n(&e->crowd->stop, __ATOMIC_RELAXED))
		look(e, 10);
	return NULL;
}

/* ---- the crowd ---- */

/*
 * A new socket has the address of the table's socket for itself between bind() and
 * connect(), so nothing is under way then.
 */
static pthread_rwlock_t silence =
	PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

struct sender {
	struct crowd *crowd;
	unsigned int first;
	int elsewhere;
	pthread_t thread;
};

/*
 * Send the records of the thread's clients in turn. With connection IDs one in four comes
 * from an address that is nobody's, so that the table's socket gets it in any case.
 */
static void *send_for_clients(void *arg)
{
	struct sender *s = arg;
	struct crowd *k = s->crowd;
	unsigned int last = s->first + k->n / THREADS, i;
	struct said said;
	__u64 until = now_ms() + 10 * SOON_MS;
	int from;

	stay_on(s->first / (k->n / THREADS) % 2);
	for (said.number = 0; said.number < RECORDS; said.number++)
		for (i = s->first; i < last; i++) {
			while (get(&k->sent) > get(&k->count) + LAG &&
			       now_ms() < until)
				usleep(100);
			said.client = i;
			from = k->cids && said.number % 4 == 0 ?
			       s->elsewhere : k->c[i].fd;
			pthread_rwlock_rdlock(&silence);
			send_from(&k->c[i], from, CT_DATA, &said, sizeof(said));
			settle();
			pthread_rwlock_unlock(&silence);
			add_one(&k->sent);
		}
	return NULL;
}

FIXTURE(peel_crowd)
{
	struct eyes table, peeled;
	struct sender senders[THREADS];
	pthread_t reader;
};

FIXTURE_VARIANT(peel_crowd)
{
	bool uring;
	__u16 cipher;
	int family;
	unsigned int cid_len;
};

FIXTURE_VARIANT_ADD(peel_crowd, edges)
{
	false, DTLS_CIPHER_AES_GCM_128, AF_INET, 0
};

FIXTURE_VARIANT_ADD(peel_crowd, edges_v13_cid)
{
	false, V13(DTLS_CIPHER_CHACHA20_POLY1305), AF_INET6, 4
};

FIXTURE_VARIANT_ADD(peel_crowd, io_uring)
{
	true, DTLS_CIPHER_AES_GCM_128, AF_INET6, 0
};

FIXTURE_VARIANT_ADD(peel_crowd, io_uring_v13_cid)
{
	true, V13(DTLS_CIPHER_AES_GCM_256), AF_INET, 4
};

/* Make a socket with a table and @n clients. */
static int make_crowd(struct crowd *k, unsigned int n, __u16 cipher, int family,
		      unsigned int cid_len)
{
	unsigned int i;
	int on = 1;

	memset(k, 0, sizeof(*k));
	k->n = n;
	k->cids = cid_len;
	k->server = udp_socket(family);
	for (i = 0; i < CLIENTS; i++)
		k->fd[i] = -1;
	if (setsockopt(k->server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    dtls_attach(k->server) || set_table(k->server, cid_len, 0) ||
	    deep_queue(k->server))
		return -1;
	for (i = 0; i < n; i++)
		if (make_client(&k->c[i], family, cipher, cid_len, k->server,
				i) ||
		    add_client(k->server, &k->c[i]))
			return -1;
	return 0;
}

static void close_crowd(struct crowd *k)
{
	unsigned int i;

	close(k->server);
	for (i = 0; i < k->n; i++) {
		close(k->c[i].fd);
		close(k->fd[i]);
	}
}

FIXTURE_SETUP(peel_crowd)
{
	ASSERT_OK(make_crowd(&crowd, THREADS * rounds(EACH, 2), variant->cipher,
			     variant->family, variant->cid_len));
	ASSERT_OK(open_eyes(&self->table, &crowd, variant->uring));
	ASSERT_OK(open_eyes(&self->peeled, &crowd, variant->uring));
}

FIXTURE_TEARDOWN(peel_crowd)
{
	close_eyes(&self->table);
	close_eyes(&self->peeled);
	close_crowd(&crowd);
}

static void begin(struct __test_metadata *_metadata,
		  struct _test_data_peel_crowd *self, int family)
{
	unsigned int i;

	ASSERT_EQ(0, pthread_create(&self->reader, NULL, read_table,
				    &self->table));
	for (i = 0; i < THREADS; i++) {
		self->senders[i].crowd = &crowd;
		self->senders[i].first = i * (crowd.n / THREADS);
		self->senders[i].elsewhere = udp_socket(family);
		ASSERT_OK(udp_connect(self->senders[i].elsewhere, crowd.server));
		ASSERT_EQ(0, pthread_create(&self->senders[i].thread, NULL,
					    send_for_clients,
					    &self->senders[i]));
	}
}

/* Peel the association of the client @i off. Its new socket is watched before. */
static void peel_one(struct __test_metadata *_metadata,
		     struct _test_data_peel_crowd *self, unsigned int i)
{
	pthread_rwlock_wrlock(&silence);
	crowd.fd[i] = connected_socket(crowd.server, crowd.c[i].fd);
	pthread_rwlock_unlock(&silence);
	ASSERT_LE(0, crowd.fd[i]);
	ASSERT_OK(deep_queue(crowd.fd[i]));
	ASSERT_OK(watch(&self->peeled, i));
	ASSERT_OK(peel_off(crowd.fd[i], crowd.server, crowd.c[i].id));
}

TEST_F(peel_crowd, each_record_comes_once_while_a_hundred_are_peeled_off)
{
	unsigned int total = crowd.n * RECORDS, i, n, turn;
	int refs = module_refs();
	__u64 until;

	begin(_metadata, self, variant->family);
	/* Those of one thread after those of another, over all the time of sending */
	for (n = 0; n < crowd.n; n++) {
		turn = n % THREADS * (crowd.n / THREADS) + n / THREADS;
		until = now_ms() + SOON_MS;
		while (get(&crowd.sent) < (n + 1) * (total / (crowd.n + 4)) &&
		       now_ms() < until)
			look(&self->peeled, 1);
		peel_one(_metadata, self, turn);
	}
	until = now_ms() + SOON_MS;
	while (get(&crowd.count) < total && now_ms() < until)
		look(&self->peeled, 10);
	for (i = 0; i < THREADS; i++) {
		pthread_join(self->senders[i].thread, NULL);
		close(self->senders[i].elsewhere);
	}
	look(&self->peeled, 50);
	__atomic_store_n(&crowd.stop, true, __ATOMIC_RELAXED);
	pthread_join(self->reader, NULL);

	EXPECT_EQ(0u, crowd.wrong);
	EXPECT_EQ(total, crowd.count);
	for (i = 0; i < crowd.n * RECORDS; i++)
		ASSERT_EQ(1u, crowd.seen[i / RECORDS][i % RECORDS]);
	for (i = 0; i < crowd.n; i++) {
		ASSERT_OK(close(crowd.fd[i]));
		crowd.fd[i] = -1;
	}
	/* io_uring may hold a file for a moment. */
	if (!variant->uring)
		EXPECT_EQ(refs, module_refs());
}

TEST_HARNESS_MAIN
