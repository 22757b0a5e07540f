// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that were inside UDP's own code when the socket was attached. They do
 * not pass the module's functions, and end on an attached socket.
 *
 * userfaultfd(2) holds a call where it copies from the user: an option's value
 * is copied before any lock is taken, and corked data under the socket's lock,
 * behind which others then queue in the order in which they came.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "clients.h"
#include "common.h"
#include "held.h"
#include "traffic.h"

#ifndef UDP_ENCAP_L2TPINUDP
#define UDP_ENCAP_L2TPINUDP	3
#endif
#ifndef IPV6_ADDRFORM
#define IPV6_ADDRFORM		1
#endif

/* One system call on @fd in a thread of its own */
struct call {
	pthread_t thread;
	pid_t tid;
	long (*run)(struct call *c);
	int fd;
	int level;
	int option;
	const void *data;
	size_t len;
	long ret;
	int error;
};

static void *call_thread(void *arg)
{
	struct call *c = arg;

	__atomic_store_n(&c->tid, gettid(), __ATOMIC_RELEASE);
	c->ret = c->run(c);
	c->error = errno;
	return NULL;
}

static int call_start(struct call *c)
{
	return pthread_create(&c->thread, NULL, call_thread, c);
}

static long call_end(struct call *c)
{
	pthread_join(c->thread, NULL);
	errno = c->error;
	return c->ret;
}

/* Wait until the call sleeps, for the socket's lock or for a page. */
static bool call_sleeps(struct call *c)
{
	int i, seen = 0;
	char state;

	for (i = 0; i < 2000 && seen < 5; i++) {
		usleep(10000);
		state = thread_state(__atomic_load_n(&c->tid, __ATOMIC_ACQUIRE));
		seen = state && state != 'R' ? seen + 1 : 0;
	}
	return seen == 5;
}

static long do_setsockopt(struct call *c)
{
	return setsockopt(c->fd, c->level, c->option, c->data, c->len);
}

static long do_send_more(struct call *c)
{
	return send(c->fd, c->data, c->len, MSG_MORE);
}

static long do_connect(struct call *c)
{
	return connect(c->fd, c->data, c->len);
}

static bool attached(int fd)
{
	char name[16];
	socklen_t len = sizeof(name);

	return !getsockopt(fd, SOL_IP, DTLS_ULP, name, &len) && len;
}

FIXTURE(inflight) {
	struct link l;
	struct held option;		/* what a call's option value is in */
	struct held data;		/* what corked data is in */
	struct held name;		/* what the attach's value is in */
};

FIXTURE_VARIANT(inflight) {
	int family;
};

FIXTURE_VARIANT_ADD(inflight, v4) {
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(inflight, v6) {
	.family = AF_INET6,
};

FIXTURE_SETUP(inflight)
{
	ASSERT_OK(link_open(&self->l, variant->family, DTLS_CIPHER_AES_GCM_128,
			    0));
	ASSERT_OK(held_open(&self->option, 1));
	ASSERT_OK(held_open(&self->data, 1));
	ASSERT_OK(held_open(&self->name, 1));
}

FIXTURE_TEARDOWN(inflight)
{
	held_close(&self->option);
	held_close(&self->data);
	held_close(&self->name);
	link_close(&self->l);
}

static int set_keys(struct link *l)
{
	return dtls_set_key(l->a, DTLS_TX, &l->ab) ||
	       dtls_set_key(l->a, DTLS_RX, &l->ba) ? -1 : 0;
}

/* An option of UDP's whose value comes only after the attach */
static struct call late_option(const struct link *l, const struct held *h,
			       int option)
{
	return (struct call){
		.run = do_setsockopt,
		.fd = l->a,
		.level = SOL_UDP,
		.option = option,
		.data = h->page,
		.len = sizeof(int),
	};
}

TEST_F(inflight, cork_packs_records_and_lets_them_go)
{
	struct call c = late_option(&self->l, &self->option, UDP_CORK);
	static struct peer_record rec;
	char buf[512];
	int one = 1, zero = 0;
	ssize_t n, first;

	ASSERT_OK(call_start(&c));
	ASSERT_TRUE(held_somebody(&self->option));
	ASSERT_OK(dtls_attach(self->l.a));
	ASSERT_OK(held_let_go(&self->option, &one, sizeof(one)));
	ASSERT_OK(call_end(&c));
	ASSERT_OK(set_keys(&self->l));

	ASSERT_EQ(5, send(self->l.a, "first", 5, 0));
	ASSERT_EQ(6, send(self->l.a, "second", 6, 0));
	settle();
	ASSERT_ERRNO(EAGAIN, recv(self->l.b, buf, sizeof(buf), MSG_DONTWAIT));
	ASSERT_OK(setsockopt(self->l.a, SOL_UDP, UDP_CORK, &zero,
			     sizeof(zero)));
	ASSERT_NE(0, poll_for(self->l.b, POLLIN, SOON_MS));
	n = recv(self->l.b, buf, sizeof(buf), 0);
	first = peer_open(&self->l.ab, buf, n, &rec);
	ASSERT_LT(0, first);
	EXPECT_EQ(5, rec.len);
	ASSERT_EQ(n - first, peer_open(&self->l.ab, buf + first, n - first,
				       &rec));
	EXPECT_EQ(6, rec.len);
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(inflight, cork_behind_the_keys_holds_no_record_back)
{
	struct call c = late_option(&self->l, &self->option, UDP_CORK);
	static struct peer_record rec;
	int one = 1, zero = 0;

	ASSERT_OK(call_start(&c));
	ASSERT_TRUE(held_somebody(&self->option));
	ASSERT_OK(link_attach_a(&self->l));
	ASSERT_OK(held_let_go(&self->option, &one, sizeof(one)));
	ASSERT_OK(call_end(&c));

	ASSERT_EQ(5, send(self->l.a, "first", 5, 0));
	ASSERT_OK(setsockopt(self->l.a, SOL_UDP, UDP_CORK, &zero,
			     sizeof(zero)));
	ASSERT_NE(0, poll_for(self->l.b, POLLIN, SOON_MS));
	EXPECT_EQ(5, link_recv(&self->l, &rec));
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(inflight, segment_means_plaintext)
{
	struct call c = late_option(&self->l, &self->option, UDP_SEGMENT);
	static struct peer_record rec;
	socklen_t len = sizeof(int);
	char buf[250] = {};
	int size = 100;

	ASSERT_OK(call_start(&c));
	ASSERT_TRUE(held_somebody(&self->option));
	ASSERT_OK(dtls_attach(self->l.a));
	ASSERT_OK(held_let_go(&self->option, &size, sizeof(size)));
	ASSERT_OK(call_end(&c));
	ASSERT_OK(set_keys(&self->l));

	size = 0;
	ASSERT_OK(getsockopt(self->l.a, SOL_UDP, UDP_SEGMENT, &size, &len));
	EXPECT_EQ(100, size);
	ASSERT_EQ(250, send(self->l.a, buf, 250, 0));
	EXPECT_EQ(100, link_recv(&self->l, &rec));
	EXPECT_EQ(100, link_recv(&self->l, &rec));
	EXPECT_EQ(50, link_recv(&self->l, &rec));
}

TEST_F(inflight, segment_behind_the_keys_cuts_no_record)
{
	struct call c = late_option(&self->l, &self->option, UDP_SEGMENT);
	static struct peer_record rec;
	char buf[250] = {};
	int size = 100;

	ASSERT_OK(call_start(&c));
	ASSERT_TRUE(held_somebody(&self->option));
	ASSERT_OK(link_attach_a(&self->l));
	ASSERT_OK(held_let_go(&self->option, &size, sizeof(size)));
	ASSERT_OK(call_end(&c));

	ASSERT_EQ(250, send(self->l.a, buf, 250, 0));
	ASSERT_NE(0, poll_for(self->l.b, POLLIN, SOON_MS));
	EXPECT_EQ(250, link_recv(&self->l, &rec));
	/* Now it is known. */
	ASSERT_EQ(250, send(self->l.a, buf, 250, 0));
	EXPECT_EQ(100, link_recv(&self->l, &rec));
}

/* What is set later holds, before and after the keys. */
static void later_one_holds(struct __test_metadata *_metadata,
			    FIXTURE_DATA(inflight) *self, int option, int value)
{
	struct call c = late_option(&self->l, &self->option, option);
	static struct peer_record rec;
	int zero = 0, now = -1;
	socklen_t len = sizeof(now);
	char buf[250] = {};

	ASSERT_OK(call_start(&c));
	ASSERT_TRUE(held_somebody(&self->option));
	ASSERT_OK(dtls_attach(self->l.a));
	ASSERT_OK(held_let_go(&self->option, &value, sizeof(value)));
	ASSERT_OK(call_end(&c));
	ASSERT_OK(getsockopt(self->l.a, SOL_UDP, option, &now, &len));
	EXPECT_EQ(value, now);
	ASSERT_OK(setsockopt(self->l.a, SOL_UDP, option, &zero, sizeof(zero)));
	ASSERT_OK(set_keys(&self->l));
	ASSERT_OK(getsockopt(self->l.a, SOL_UDP, option, &now, &len));
	EXPECT_EQ(0, now);
	ASSERT_EQ(250, send(self->l.a, buf, 250, 0));
	ASSERT_NE(0, poll_for(self->l.b, POLLIN, SOON_MS));
	EXPECT_EQ(250, link_recv(&self->l, &rec));
	EXPECT_TRUE(link_raw_works(&self->l));
}

TEST_F(inflight, cork_that_is_pulled_stays_out)
{
	later_one_holds(_metadata, self, UDP_CORK, 1);
}

TEST_F(inflight, segment_that_is_set_later_holds)
{
	later_one_holds(_metadata, self, UDP_SEGMENT, 100);
}

TEST_F(inflight, encap_gets_no_key)
{
	struct call c = late_option(&self->l, &self->option, UDP_ENCAP);
	int type = UDP_ENCAP_L2TPINUDP;

	ASSERT_OK(call_start(&c));
	ASSERT_TRUE(held_somebody(&self->option));
	ASSERT_OK(dtls_attach(self->l.a));
	ASSERT_OK(held_let_go(&self->option, &type, sizeof(type)));
	ASSERT_OK(call_end(&c));
	ASSERT_ERRNO(EBUSY, dtls_set_key(self->l.a, DTLS_TX, &self->l.ab));
	ASSERT_ERRNO(EBUSY, dtls_set_key(self->l.a, DTLS_RX, &self->l.ba));
}

TEST_F(inflight, encap_gets_no_key_in_a_table)
{
	struct call c = late_option(&self->l, &self->option, UDP_ENCAP);
	int type = UDP_ENCAP_L2TPINUDP;
	int fd = udp_socket(variant->family);

	c.fd = fd;
	ASSERT_OK(call_start(&c));
	ASSERT_TRUE(held_somebody(&self->option));
	ASSERT_OK(dtls_attach(fd));
	ASSERT_OK(set_table(fd, 0, 0));
	ASSERT_OK(held_let_go(&self->option, &type, sizeof(type)));
	ASSERT_OK(call_end(&c));
	ASSERT_OK(set_peer(fd, DTLS_ASSOC_ADD, 1, self->l.b));
	ASSERT_ERRNO(EBUSY, set_key(fd, 1, DTLS_TX, &self->l.ab));
	ASSERT_ERRNO(EBUSY, set_key(fd, 1, DTLS_RX, &self->l.ba));
	close(fd);
}

/*
 * Hold the socket's lock with corked data that will come to nothing, and let
 * the attach and then @behind queue up for it. Returns what the attach does.
 */
static int attach_before(FIXTURE_DATA(inflight) *self, struct call *behind,
			 int n)
{
	struct call holder = {
		.run = do_send_more,
		.fd = self->l.a,
		.data = self->data.page,
		.len = 100,
	};
	struct call attach = {
		.run = do_setsockopt,
		.fd = self->l.a,
		.level = SOL_IP,
		.option = DTLS_ULP,
		.data = self->name.page,
		.len = 4,
	};
	int i;

	/* IP itself takes the lock for an option: the attach is past that. */
	if (call_start(&attach) || !held_somebody(&self->name) ||
	    call_start(&holder) || !held_somebody(&self->data) ||
	    held_let_go(&self->name, "dtls", 4) || !call_sleeps(&attach))
		return -1;
	for (i = 0; i < n; i++)
		if (call_start(&behind[i]) || !call_sleeps(&behind[i]))
			return -1;
	if (held_fail(&self->data) || call_end(&holder) != -1)
		return -1;
	return call_end(&attach);
}

TEST_F(inflight, corked_plaintext_never_joins_a_record)
{
	struct call plain = {
		.run = do_send_more,
		.fd = self->l.a,
		.data = "plaintext",
		.len = 9,
	};
	static struct peer_record rec;

	ASSERT_OK(attach_before(self, &plain, 1));
	EXPECT_EQ(9, call_end(&plain));
	ASSERT_TRUE(attached(self->l.a));
	ASSERT_OK(set_keys(&self->l));
	/* It is told, once. */
	ASSERT_ERRNO(EBUSY, send(self->l.a, "secret", 6, 0));
	ASSERT_EQ(6, send(self->l.a, "secret", 6, 0));
	EXPECT_EQ(6, link_recv(&self->l, &rec));
	EXPECT_EQ(0, memcmp(rec.data, "secret", 6));
	EXPECT_TRUE(link_raw_works(&self->l));
}

/* Else the close would not find the module's own, nor let the module go. */
TEST(v4_mapped_peer_and_addrform_change_no_family)
{
	struct sockaddr_in6 peer = { .sin6_family = AF_INET6,
				     .sin6_port = htons(9),
				     .sin6_addr = in6addr_loopback };
	struct sockaddr_in6 mapped = peer;
	int family = AF_INET, refs = module_refs();
	FIXTURE_DATA(inflight) self = {};
	socklen_t len = sizeof(peer);
	struct call calls[] = {
		{ .run = do_connect, .data = &mapped, .len = sizeof(mapped) },
		{ .run = do_setsockopt, .level = SOL_IPV6,
		  .option = IPV6_ADDRFORM, .data = &family,
		  .len = sizeof(family) },
	};

	self.l.a = socket(AF_INET6, SOCK_DGRAM, 0);
	ASSERT_OK(connect(self.l.a, (struct sockaddr *)&peer, len));
	ASSERT_OK(held_open(&self.data, 1));
	ASSERT_OK(held_open(&self.name, 1));
	ASSERT_EQ(1, inet_pton(AF_INET6, "::ffff:127.0.0.1",
			       &mapped.sin6_addr));
	calls[0].fd = self.l.a;
	calls[1].fd = self.l.a;
	ASSERT_OK(attach_before(&self, calls, 2));
	call_end(&calls[0]);
	EXPECT_EQ(-1, call_end(&calls[1]));
	EXPECT_TRUE(attached(self.l.a));
	EXPECT_EQ(-1, getpeername(self.l.a, (struct sockaddr *)&peer, &len));
	close(self.l.a);
	EXPECT_EQ(refs, module_refs());
	held_close(&self.data);
	held_close(&self.name);
}

/* "::" is 127.0.0.1 to a socket bound there. */
TEST(any_address_is_no_way_to_a_v4_mapped_peer)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(9) };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	ASSERT_EQ(1, inet_pton(AF_INET6, "::ffff:127.0.0.1", &in6.sin6_addr));
	in6.sin6_port = 0;
	ASSERT_OK(bind(fd, (struct sockaddr *)&in6, sizeof(in6)));
	ASSERT_OK(dtls_attach(fd));
	in6.sin6_addr = in6addr_any;
	in6.sin6_port = htons(9);
	ASSERT_ERRNO(EAFNOSUPPORT,
		     connect(fd, (struct sockaddr *)&in6, sizeof(in6)));
	close(fd);
}

TEST_HARNESS_MAIN
