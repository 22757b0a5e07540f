// SPDX-License-Identifier: GPL-2.0
/*
 * Threads on one socket: no sequence number is used twice, no record is lost
 * or delivered twice, and keys may change under all of them.
 */
#include "harness.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/uio.h>

#include "common.h"
#include "traffic.h"

#ifndef MSG_PROBE
#define MSG_PROBE	0x10
#endif

#define THREADS_MAX	8
#define RECORD_LEN	200
#define SEGMENTS	10	/* records of a coalesced send */
#define COPIED		32	/* likewise in a datagram that comes twice */
#define EPOCH_RECORDS	rounds(1000, 200)

/* Unread records under way, and a receive buffer that certainly holds them */
#define WINDOW		60
#define RCVBUF		(4 << 20)

/* A sender's records that another need not have matched yet */
#define AHEAD		(DTLS_REPLAY_WINDOW_MAX / 8)

/* One record's payload: who made it, and which of his it is. */
struct mark {
	__u32 thread;
	__u32 n;
};

/* A run of some senders against some receivers */
struct run {
	struct link *l;
	unsigned int senders;
	unsigned int receivers;
	unsigned int each;	/* records of a sender */
	bool segments;		/* senders coalesce */
	unsigned int sent;	/* by all senders, or about to be */
	unsigned int received;	/* by all receivers */
	unsigned int errors;
	unsigned int begun[THREADS_MAX];	/* by each sender */
	unsigned int got[THREADS_MAX];		/* of each sender's */
	unsigned int changes;	/* of keys that are wanted */
	unsigned int changed;
	unsigned int *seen;	/* times a record was received */
	bool *seqs;		/* sequence numbers that were used */
	bool stop;
};

struct task {
	pthread_t thread;
	struct run *run;
	unsigned int id;
};

static unsigned int get(unsigned int *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static unsigned int add(unsigned int *p, unsigned int n)
{
	return __atomic_add_fetch(p, n, __ATOMIC_ACQ_REL);
}

static bool stopped(struct run *r)
{
	return __atomic_load_n(&r->stop, __ATOMIC_ACQUIRE);
}

static unsigned int total(const struct run *r)
{
	return r->senders * r->each;
}

/* Records that arrived of the sender whom most are ahead of */
static unsigned int slowest(struct run *r)
{
	unsigned int i, least = get(&r->got[0]);

	for (i = 1; i < r->senders; i++)
		if (get(&r->got[i]) < least)
			least = get(&r->got[i]);
	return least;
}

static void complain(struct run *r, const char *what)
{
	if (add(&r->errors, 1) < 5)
		printf("# %s: %s\n", what, strerror(errno));
}

/*
 * What sender @id shall send next waits here for its turn: UDP drops what the
 * receiver has no room for, and a sender that was put to sleep between taking a
 * number and sending its record must find it in the replay window afterwards.
 */
static void take_turn(struct run *r, unsigned int id, unsigned int n)
{
	unsigned int mine = add(&r->sent, n);

	while ((mine > get(&r->received) + WINDOW ||
		r->begun[id] > slowest(r) + AHEAD) && !stopped(r))
		usleep(50);
	add(&r->begun[id], n);
}

static void *sender(void *arg)
{
	struct task *t = arg;
	struct run *r = t->run;
	unsigned char buf[SEGMENTS * RECORD_LEN];
	unsigned int i, j, n = r->segments ? SEGMENTS : 1;
	ssize_t len = n * RECORD_LEN, ret;

	fill(buf, sizeof(buf), t->id);
	for (i = 0; i < r->each && !stopped(r); i += n) {
		for (j = 0; j < n; j++) {
			struct mark m = { t->id, i + j };

			memcpy(buf + j * RECORD_LEN, &m, sizeof(m));
		}
		take_turn(r, t->id, n);
		if (r->segments)
			ret = send_segments(r->l->a, buf, len, RECORD_LEN, 0);
		else
			ret = send(r->l->a, buf, len, 0);
		if (ret != len)
			complain(r, "send");
	}
	return NULL;
}

static void got(struct run *r, const void *data, ssize_t len)
{
	struct mark m;

	memcpy(&m, data, sizeof(m));
	if (len != RECORD_LEN || m.thread >= r->senders || m.n >= r->each) {
		complain(r, "strange record");
		return;
	}
	__atomic_add_fetch(&r->seen[m.thread * r->each + m.n], 1,
			   __ATOMIC_RELAXED);
	add(&r->got[m.thread], 1);
	add(&r->received, 1);
}

/* Receive at attached @b, coalesced or not, until the run is stopped. */
static void *receiver(void *arg)
{
	static __thread char buf[65536];
	struct task *t = arg;
	struct run *r = t->run;
	ssize_t n, at;
	int size;

	while ((n = recv_segments(r->l->b, buf, sizeof(buf), &size, 0)) > 0)
		for (at = 0; at < n; at += RECORD_LEN)
			got(r, buf + at, size ? RECORD_LEN : n);
	if (n < 0 && !stopped(r))
		complain(r, "recv");
	return NULL;
}

/*
 * Send from raw @a each datagram of COPIED records twice, and the last ones of
 * every other one once more in the next.
 */
static void *copier(void *arg)
{
	static unsigned char wire[65536];
	struct task *t = arg;
	struct run *r = t->run;
	unsigned char buf[RECORD_LEN];
	ssize_t one = RECORD_LEN + peer_overhead(&r->l->ab);
	unsigned int i, j, n = 0;

	fill(buf, sizeof(buf), 0);
	for (i = 0; i < r->each && !stopped(r); i += COPIED - 5 * (++n % 2)) {
		for (j = 0; j < COPIED; j++) {
			struct mark m = { 0, i + j };

			memcpy(buf, &m, sizeof(m));
			peer_seal(&r->l->ab, CT_DATA, i + j, buf, RECORD_LEN,
				  wire + j * one);
		}
		while (i > get(&r->received) + 10 * COPIED && !stopped(r))
			usleep(50);
		for (j = 0; j < 2; j++)
			if (send_segments(r->l->a, wire, COPIED * one, one,
					  0) != COPIED * one)
				complain(r, "send");
	}
	return NULL;
}

/* Receive at raw @b, and keep account of sequence numbers. */
static void *raw_receiver(void *arg)
{
	static struct peer_record rec;
	struct task *t = arg;
	struct run *r = t->run;
	unsigned char in[2048];
	ssize_t n;

	while ((n = recv(r->l->b, in, sizeof(in), 0)) > 0) {
		if (peer_open(&r->l->ab, in, n, &rec) != n) {
			complain(r, "record that does not open");
			continue;
		}
		if (rec.seq >= total(r) || r->seqs[rec.seq])
			complain(r, "sequence number");
		else
			r->seqs[rec.seq] = true;
		got(r, rec.data, rec.len);
	}
	if (n < 0 && !stopped(r))
		complain(r, "raw recv");
	return NULL;
}

static bool arrived(struct run *r, const unsigned int *begun)
{
	unsigned int i;

	for (i = 0; i < r->senders; i++)
		if (get(&r->got[i]) < begun[i])
			return false;
	return true;
}

/*
 * Install the next epoch after each EPOCH_RECORDS records, reader first. The
 * reader keeps the two before it (DTLS_RX_EPOCHS): a sender may be put to sleep
 * in the midst of a call for as long as many records take, so whatever was
 * begun before the key before last was installed must have arrived.
 */
static void *rekeyer(void *arg)
{
	unsigned int begun[2][THREADS_MAX] = {}, n = 0, i;
	struct task *t = arg;
	struct run *r = t->run;
	struct peer_key k = r->l->ab;

	while (n < r->changes && !stopped(r)) {
		if (get(&r->received) < (n + 1) * EPOCH_RECORDS ||
		    !arrived(r, begun[n % 2])) {
			usleep(100);
			continue;
		}
		peer_key_init(&k, k.cipher, nth_epoch(k.cipher, n + 2),
			      k.cid_len, 1);
		if (dtls_set_key(r->l->b, DTLS_RX, &k) ||
		    dtls_set_key(r->l->a, DTLS_TX, &k)) {
			complain(r, "rekey");
			break;
		}
		for (i = 0; i < r->senders; i++)
			begun[n % 2][i] = get(&r->begun[i]);
		add(&r->changed, 1);
		n++;
	}
	return NULL;
}

/* Everything sent arrives, and arrives once. */
static bool run(struct run *r, void *(*send)(void *), void *(*receive)(void *))
{
	struct task in[THREADS_MAX], out[THREADS_MAX], keys = { .run = r };
	unsigned int i, last, idle = 0;
	int rcvbuf = RCVBUF;
	bool ok;

	if (setsockopt(r->l->b, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf,
		       sizeof(rcvbuf)))
		return false;
	r->seen = calloc(total(r), sizeof(*r->seen));
	r->seqs = calloc(total(r), sizeof(*r->seqs));
	for (i = 0; i < r->receivers; i++) {
		in[i] = (struct task){ .run = r, .id = i };
		pthread_create(&in[i].thread, NULL, receive, &in[i]);
	}
	if (r->changes)
		pthread_create(&keys.thread, NULL, rekeyer, &keys);
	for (i = 0; i < r->senders; i++) {
		out[i] = (struct task){ .run = r, .id = i };
		pthread_create(&out[i].thread, NULL, send, &out[i]);
	}

	for (last = 0; (get(&r->received) < total(r) ||
			get(&r->changed) < r->changes) && idle < SOON_MS;) {
		idle = get(&r->received) == last ? idle + 10 : 0;
		last = get(&r->received);
		usleep(10000);
	}
	/* One more than was sent would come now. */
	usleep(50000);
	__atomic_store_n(&r->stop, true, __ATOMIC_RELEASE);
	shutdown(r->l->b, SHUT_RD);
	for (i = 0; i < r->senders; i++)
		pthread_join(out[i].thread, NULL);
	for (i = 0; i < r->receivers; i++)
		pthread_join(in[i].thread, NULL);
	if (r->changes)
		pthread_join(keys.thread, NULL);

	ok = !r->errors && r->received == total(r);
	for (i = 0; i < total(r); i++)
		ok &= r->seen[i] == 1;
	printf("# %u of %u received, %u errors\n", r->received, total(r),
	       r->errors);
	free(r->seen);
	free(r->seqs);
	return ok;
}

FIXTURE(threads) {
	struct link l;
};

FIXTURE_VARIANT(threads) {
	int family;
	__u16 cipher;
	unsigned int cid_len;
	bool segments;
};

FIXTURE_VARIANT_ADD(threads, v4_gcm) {
	.family = AF_INET,
	.cipher = DTLS_CIPHER_AES_GCM_128,
};

FIXTURE_VARIANT_ADD(threads, v6_gcm_segments) {
	.family = AF_INET6,
	.cipher = DTLS_CIPHER_AES_GCM_256,
	.segments = true,
};

FIXTURE_VARIANT_ADD(threads, v4_chacha_segments) {
	.family = AF_INET,
	.cipher = DTLS_CIPHER_CHACHA20_POLY1305,
	.segments = true,
};

FIXTURE_VARIANT_ADD(threads, v6_ccm_cid) {
	.family = AF_INET6,
	.cipher = DTLS_CIPHER_AES_CCM_128,
	.cid_len = 6,
};

FIXTURE_VARIANT_ADD(threads, v13_v4_gcm) {
	.family = AF_INET,
	.cipher = V13(DTLS_CIPHER_AES_GCM_128),
};

FIXTURE_VARIANT_ADD(threads, v13_v6_gcm_segments) {
	.family = AF_INET6,
	.cipher = V13(DTLS_CIPHER_AES_GCM_256),
	.segments = true,
};

FIXTURE_VARIANT_ADD(threads, v13_v4_chacha_cid) {
	.family = AF_INET,
	.cipher = V13(DTLS_CIPHER_CHACHA20_POLY1305),
	.cid_len = 6,
};

FIXTURE_SETUP(threads)
{
	ASSERT_EQ(0, link_raw(&self->l, variant->family, variant->cipher,
			      variant->cid_len));
}

FIXTURE_TEARDOWN(threads)
{
	link_close(&self->l);
}

/* Raw @b sees every number once, from 0 on and without a gap. */
static bool sends(struct link *l, unsigned int threads, bool segments)
{
	struct run r = {
		.l = l, .senders = threads, .receivers = 1,
		.each = rounds(2000, 100) / SEGMENTS * SEGMENTS,
		.segments = segments,
	};
	struct dtls_info info;
	struct dtls_counters counters;

	if (!run(&r, sender, raw_receiver))
		return false;
	return !dtls_get_info(l->a, &info) && info.tx_seq == total(&r) &&
	       !dtls_get_counters(l->a, &counters) &&
	       counters.tx_records == total(&r);
}

TEST_F(threads, send_from_2)
{
	EXPECT_TRUE(sends(&self->l, 2, variant->segments));
}

TEST_F(threads, send_from_4)
{
	EXPECT_TRUE(sends(&self->l, 4, variant->segments));
}

TEST_F(threads, send_from_8)
{
	EXPECT_TRUE(sends(&self->l, 8, variant->segments));
}

/* Attached @b hands every record to one of its readers. */
static bool receives(struct link *l, unsigned int senders,
		     unsigned int receivers, bool segments, bool rekey)
{
	struct run r = {
		.l = l, .senders = senders, .receivers = receivers,
		.each = rounds(12000, 1200) / senders / SEGMENTS * SEGMENTS,
		.segments = segments,
	};
	/*
	 * Of several senders one may be put to sleep between taking a number
	 * and sending its record, which then comes late in truth.
	 */
	__u32 window = senders > 1 ? DTLS_REPLAY_WINDOW_MAX :
				     DTLS_REPLAY_WINDOW_MIN;
	struct dtls_counters counters, *c = &counters;
	struct dtls_info info;
	bool ok;

	if (rekey)
		r.changes = total(&r) / EPOCH_RECORDS;
	if (dtls_set_replay_window(l->b, window))
		return false;
	ok = run(&r, sender, receiver);
	if (dtls_get_info(l->b, &info) || dtls_get_counters(l->b, c))
		return false;
	ok &= c->rx_records == total(&r) && !c->rx_replays &&
	      !c->rx_auth_failed && !c->rx_no_key && !c->rx_malformed &&
	      !c->rx_no_budget && !info.early_queued &&
	      info.rx_epoch == nth_epoch(l->ab.cipher, r.changes + 1);
	if (!ok) {
		printf("# epoch %llu: %llu records, %u bytes waiting for a key, ",
		       info.rx_epoch, c->rx_records, info.early_queued);
		printf("%llu replays, %llu forgeries, %llu without key, ",
		       c->rx_replays, c->rx_auth_failed, c->rx_no_key);
		printf("%llu malformed, %llu oversize, %llu empty, ",
		       c->rx_malformed, c->rx_oversize, c->rx_empty);
		printf("%llu control, %llu without room\n", c->rx_control,
		       c->rx_no_budget);
	}
	return ok;
}

TEST_F(threads, receive_in_2)
{
	ASSERT_EQ(0, link_attach_b(&self->l));
	EXPECT_TRUE(receives(&self->l, 1, 2, variant->segments, false));
}

TEST_F(threads, receive_in_4)
{
	ASSERT_EQ(0, link_attach_b(&self->l));
	EXPECT_TRUE(receives(&self->l, 2, 4, variant->segments, false));
}

TEST_F(threads, receive_in_8)
{
	ASSERT_EQ(0, link_attach_b(&self->l));
	EXPECT_TRUE(receives(&self->l, 1, 8, variant->segments, false));
}

TEST_F(threads, keys_change_between_one_and_one)
{
	ASSERT_EQ(0, link_attach_b(&self->l));
	EXPECT_TRUE(receives(&self->l, 1, 1, variant->segments, true));
}

TEST_F(threads, keys_change_between_many_and_many)
{
	ASSERT_EQ(0, link_attach_b(&self->l));
	EXPECT_TRUE(receives(&self->l, 4, 4, variant->segments, true));
}

/*
 * The network's copies of coalesced records, in a reader's hands while another
 * one has the originals or has moved the window past them: each comes in once.
 */
TEST_F(threads, copies_in_4)
{
	unsigned int n = rounds(600, 60);
	__u32 window = DTLS_REPLAY_WINDOW_MIN;
	struct link l;
	struct run r = {
		.l = &l, .senders = 1, .receivers = 4,
		.each = n * COPIED - n / 2 * 5,
	};
	struct dtls_counters counters;
	int on = 1;

	ASSERT_EQ(0, link_open(&l, variant->family, variant->cipher,
			       variant->cid_len));
	ASSERT_EQ(0, link_attach_b(&l));
	ASSERT_EQ(0, dtls_set_replay_window(l.b, window));
	ASSERT_EQ(0, setsockopt(l.b, SOL_UDP, UDP_GRO, &on, sizeof(on)));
	EXPECT_TRUE(run(&r, copier, receiver));
	ASSERT_EQ(0, dtls_get_counters(l.b, &counters));
	EXPECT_EQ(r.each, counters.rx_records);
	EXPECT_EQ(2 * n * COPIED - r.each, counters.rx_replays);
	EXPECT_EQ((__u64)0, counters.rx_auth_failed);
	link_close(&l);
}

/*
 * Everything at once. Nothing is promised to any single call here but that it
 * ends; the sockets that are left must work.
 */
struct stress {
	struct link l;
	int family;
	__u16 cipher;
	unsigned int n;
};

static void *stress_send(void *arg)
{
	static const char data[4000];
	struct stress *s = arg;
	unsigned int i;

	for (i = 0; i < s->n; i++) {
		struct iovec iov = { (void *)data, 300 };
		struct mmsghdr mm[3] = {};
		int fd = i & 1 ? s->l.a : s->l.b, j;

		for (j = 0; j < 3; j++) {
			mm[j].msg_hdr.msg_iov = &iov;
			mm[j].msg_hdr.msg_iovlen = 1;
		}
		switch (i % 6) {
		case 0:
			send(fd, data, 100, MSG_DONTWAIT);
			break;
		case 1:
			send_segments(fd, data, sizeof(data), 700,
				      MSG_DONTWAIT);
			break;
		case 2:
			sendmmsg(fd, mm, 3, MSG_DONTWAIT);
			break;
		case 3:
			send(fd, data, 50, MSG_DONTWAIT | MSG_MORE);
			break;
		case 4:
			send_control(fd, CT_HANDSHAKE, 0, data, 20);
			break;
		case 5:
			send(fd, NULL, 0, MSG_DONTWAIT | MSG_PROBE);
			break;
		}
	}
	return NULL;
}

static void *stress_recv(void *arg)
{
	static __thread char data[65536];
	struct stress *s = arg;
	struct dtls_record_info info;
	unsigned int i;
	int gso;

	for (i = 0; i < s->n; i++) {
		int fd = i & 1 ? s->l.a : s->l.b;

		switch (i % 5) {
		case 0:
		case 1:
			recv(fd, data, sizeof(data), MSG_DONTWAIT);
			break;
		case 2:
			recv(fd, data, 10, MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC);
			break;
		case 3:
			recv_control(fd, &info, data, sizeof(data));
			break;
		case 4:
			recv_segments(fd, data, sizeof(data), &gso,
				      MSG_DONTWAIT);
			break;
		}
	}
	return NULL;
}

static void *stress_poll(void *arg)
{
	struct stress *s = arg;
	unsigned int i;

	for (i = 0; i < s->n; i++)
		poll_for(i & 1 ? s->l.a : s->l.b,
			 POLLIN | POLLOUT | POLLPRI | POLLRDHUP, i % 3);
	return NULL;
}

static void *stress_set(void *arg)
{
	struct stress *s = arg;
	struct peer_key ab = s->l.ab, ba = s->l.ba;
	unsigned int i;

	for (i = 0; i < s->n; i++) {
		int fd = i & 1 ? s->l.a : s->l.b;
		__u32 window = 64 << i % 7;
		int on = i & 2, seg = i % 900;

		switch (i % 12 / 2) {
		case 0:
			dtls_set_replay_window(fd, window);
			break;
		case 1:
			setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
			break;
		case 2:
			setsockopt(fd, SOL_UDP, UDP_SEGMENT, &seg, sizeof(seg));
			break;
		case 3:
			on = !!on;
			setsockopt(fd, SOL_DTLS, DTLS_POLL_CONTROL, &on,
				   sizeof(on));
			break;
		case 4:
			ab.epoch++;
			ba.epoch++;
			dtls_set_key(s->l.b, DTLS_RX, &ab);
			dtls_set_key(s->l.a, DTLS_TX, &ab);
			dtls_set_key(s->l.a, DTLS_RX, &ba);
			dtls_set_key(s->l.b, DTLS_TX, &ba);
			break;
		case 5:
			dtls_attach(fd);
			break;
		}
	}
	return NULL;
}

static void *stress_get(void *arg)
{
	struct stress *s = arg;
	unsigned int i;

	for (i = 0; i < s->n; i++) {
		char buf[1024] = { 1 };
		socklen_t len = sizeof(buf);

		getsockopt(i & 1 ? s->l.a : s->l.b, SOL_DTLS, i % 10, buf,
			   &len);
		dtls_stat("DtlsRxRecords");
	}
	return NULL;
}

/* The descriptors get other sockets behind them while they are in use. */
static void *stress_close(void *arg)
{
	struct stress *s = arg;
	unsigned int i;

	for (i = 0; i < s->n / 20; i++) {
		struct link l;

		if (link_dtls(&l, s->family, s->cipher, 0))
			return "link";
		if (dup2(l.a, s->l.a) < 0 || dup2(l.b, s->l.b) < 0)
			return "dup2";
		link_close(&l);
		usleep(500);
	}
	return NULL;
}

TEST_F(threads, stress)
{
	static void *(*const fns[])(void *) = {
		stress_send, stress_send, stress_recv, stress_recv,
		stress_poll, stress_set, stress_get, stress_close,
	};
	struct stress s = {
		.family = variant->family, .cipher = variant->cipher,
		.n = rounds(3000, 300),
	};
	pthread_t threads[ARRAY_SIZE(fns)];
	struct link l;
	void *ret;
	size_t i;

	ASSERT_EQ(0, link_dtls(&s.l, variant->family, variant->cipher, 0));
	for (i = 0; i < ARRAY_SIZE(fns); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, fns[i], &s));
	for (i = 0; i < ARRAY_SIZE(fns); i++) {
		ASSERT_EQ(0, pthread_join(threads[i], &ret));
		EXPECT_EQ(NULL, ret)
			TH_LOG("%s", (char *)ret);
	}
	link_close(&s.l);

	ASSERT_EQ(0, link_dtls(&l, variant->family, variant->cipher, 0));
	EXPECT_TRUE(link_dtls_works(&l));
	link_close(&l);
}

static void *read_to_the_end(void *arg)
{
	static char buf[PLAIN_MAX];
	int fd = *(int *)arg;

	while (recv(fd, buf, sizeof(buf), 0) > 0)
		;
	return NULL;
}

/*
 * A window that comes while a record is being opened refuses that record, too,
 * however far past the record it lies. Records of which most of the time goes
 * into the cipher are imported into; what was delivered after the import shows.
 */
TEST(imported_window_binds_what_is_being_opened)
{
	unsigned int i, j, n = rounds(200, 20), late = 0;
	static struct dtls_window window;
	struct dtls_counters at, after;
	static char data[PLAIN_MAX];
	pthread_t thread;
	struct link l;
	__u64 first;

	ASSERT_OK(link_raw(&l, AF_INET, DTLS_CIPHER_CHACHA20_POLY1305, 0));
	ASSERT_OK(deep_queue(l.a));
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_to_the_end, &l.a));
	for (i = 0; i < n; i++) {
		ASSERT_OK(dtls_get_counters(l.a, &at));
		first = at.rx_records + at.rx_replays;
		for (j = 0; j < 8; j++)
			ASSERT_EQ(sizeof(data), link_send(&l, CT_DATA, data,
							  sizeof(data)));
		window.epoch = l.ba.epoch;
		window.next = l.b_seq + 1000;
		memset(window.seen, 0xff, sizeof(window.seen));
		usleep(i * 37 % 500);
		ASSERT_OK(setsockopt(l.a, SOL_DTLS, DTLS_WINDOW, &window,
				     sizeof(window)));
		ASSERT_OK(dtls_get_counters(l.a, &at));
		l.b_seq = window.next;
		for (j = 0; j < 1000; j++) {
			ASSERT_OK(dtls_get_counters(l.a, &after));
			if (after.rx_records + after.rx_replays == first + 8)
				break;
			usleep(5000);
		}
		ASSERT_EQ(first + 8, after.rx_records + after.rx_replays);
		late += after.rx_records - at.rx_records;
	}
	EXPECT_EQ(0, late);
	shutdown(l.a, SHUT_RD);
	pthread_join(thread, NULL);
	link_close(&l);
}

TEST_HARNESS_MAIN
