// SPDX-License-Identifier: GPL-2.0
/*
 * One end of an association whose records bear numbers, and whose keys change
 * every so many records, for the scripts in netns/:
 *
 *	numbered send [OPTION]... LOCAL PEER
 *	numbered recv [OPTION]... LOCAL PEER
 *	numbered path LOCAL PEER MTU NEXT-MTU
 *
 * recv watches the records that reach its interface, too, by a packet socket,
 * and so knows what it should have been given. A SIGUSR1 tells it that all was
 * sent. -3 is DTLS 1.3. Without arguments both ends meet on the loopback
 * interface, as a test of their own.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "common.h"
#include "traffic.h"

#define SEND_PORT	4001
#define RECV_PORT	4002
#define SIZE_MAX_	4096
#define SEGMENTS_MAX	16
#define RCVBUF		(48 << 20)
#define EXTRA_MS	100	/* for what comes after the last record */
#define TICK_MS		50	/* after which recv() looks up */
#define BURST		200	/* records: some windows of the usual 64 */

/**
 * struct options - what to send, and how to receive it
 * @cipher:	as for peer_key_init()
 * @n:		records
 * @size:	bytes of content of each
 * @segments:	records a system call; 1: without UDP_SEGMENT
 * @rekey:	records an epoch; 0: one epoch for all
 * @pause:	microseconds after each %BURST records. Of the records of a burst,
 *		those that the path delays are overtaken by the others, however
 *		slow the machine is
 * @delay:	milliseconds a record may be under way; 0: none. The receiver has
 *		three keys, of which one is the next: so a record may be overtaken
 *		by those of the next epoch, not by those of the one after it
 * @window:	replay window
 * @gro:	ask for UDP_GRO
 * @dev:	interface to watch; NULL: none
 * @idle:	milliseconds of silence after which recv gives up on the rest,
 *		once all was sent; counted in ticks, so that time in which the
 *		machine stands still is one tick at most
 */
struct options {
	__u16 cipher;
	unsigned int n;
	unsigned int size;
	unsigned int segments;
	unsigned int rekey;
	unsigned int pause;
	unsigned int delay;
	__u32 window;
	bool gro;
	const char *dev;
	unsigned int idle;
};

static const struct options defaults = {
	.cipher = DTLS_CIPHER_AES_GCM_128,
	.n = 2000, .size = 200, .segments = 1, .idle = 5000,
	/* On its way to another processor, a sender may overtake itself. */
	.window = DTLS_REPLAY_WINDOW_MAX,
};

/* What became of the records, as recv sees it */
struct result {
	unsigned int *on_wire;	/* times each record was seen there */
	unsigned int *given;	/* times it was received */
	unsigned int arrivals;	/* all records on the wire */
	unsigned int late;	/* of them 64 or more behind the newest */
	unsigned int whole;	/* received, and as they were sent */
	unsigned int strange;	/* received, but nothing that was sent */
	unsigned int unwatched;	/* packets the packet socket had no room for */
	unsigned int largest;	/* bytes one recv returned */
	struct dtls_info info;
	struct dtls_counters counters;
};

static volatile sig_atomic_t all_sent;

static void on_all_sent(int sig)
{
	(void)sig;
	all_sent = 1;
}

static void make_key(const struct options *o, unsigned int epoch,
		     struct peer_key *k)
{
	peer_key_init(k, o->cipher, nth_epoch(o->cipher, epoch), 0, 1);
}

static int install(int fd, const struct options *o, int dir, unsigned int epoch)
{
	struct peer_key k;

	make_key(o, epoch, &k);
	return dtls_set_key(fd, dir, &k);
}

static unsigned int epoch_of(const struct options *o, unsigned int number)
{
	return o->rekey ? 1 + number / o->rekey : 1;
}

/* ---- sending ---- */

static void write_record(__u8 *buf, unsigned int size, unsigned int number)
{
	fill(buf, size, number);
	memcpy(buf, &number, sizeof(number));
}

static int run_send(int fd, const struct options *o)
{
	static __u8 buf[SEGMENTS_MAX * SIZE_MAX_];
	unsigned int number, epoch = 0, rest = 0, i, n;
	ssize_t len, ret;

	for (number = 0; number < o->n; number += n) {
		if (epoch_of(o, number) != epoch) {
			epoch = epoch_of(o, number);
			if (install(fd, o, DTLS_TX, epoch))
				return -1;
			rest = o->delay;
		}
		if (rest && number % o->rekey >= o->rekey / 2) {
			usleep(2 * rest * 1000);
			rest = 0;
		}
		n = o->segments;
		if (n > o->n - number)
			n = o->n - number;
		if (o->rekey && n > o->rekey - number % o->rekey)
			n = o->rekey - number % o->rekey;
		for (i = 0; i < n; i++)
			write_record(buf + i * o->size, o->size, number + i);
		len = n * o->size;
		if (o->segments > 1)
			ret = send_segments(fd, buf, len, o->size, 0);
		else
			ret = send(fd, buf, len, 0);
		if (ret != len)
			return -1;
		if (o->pause && (number + n) / BURST != number / BURST)
			usleep(o->pause);
	}
	return 0;
}

/* ---- watching ---- */

struct watch {
	pthread_t thread;
	const struct options *o;
	struct result *r;
	int fd;
	int family;
	unsigned int newest;
	unsigned int epoch;	/* of the record seen last; 1.3 only */
	unsigned int seen;	/* records so far */
	bool stop;
};

/* Records name their own lengths, so a coalesced packet needs no more. */
static const __u8 *next_record(struct watch *w, const __u8 *p, const __u8 *end,
			       unsigned int *number)
{
	unsigned int epoch;

	if (end - p < HEADER_LEN)
		return NULL;
	epoch = p[3] << 8 | p[4];
	*number = (p[8] << 16 | p[9] << 8 | p[10]) + (epoch - 1) * w->o->rekey;
	return p + HEADER_LEN + (p[11] << 8 | p[12]);
}

/* Those of DTLS 1.3 hide all that: they have one size, and are opened. */
static const __u8 *next_record_13(struct watch *w, const __u8 *p,
				  const __u8 *end, unsigned int *number)
{
	unsigned int epoch = w->epoch > 2 ? w->epoch - 2 : 1;
	static struct peer_record rec;
	struct peer_key k;
	ssize_t size;

	for (;; epoch++) {
		make_key(w->o, epoch, &k);
		if ((p[0] & 3) == (k.epoch & 3))
			break;
	}
	size = peer_overhead(&k) + w->o->size;
	if (end - p < size || peer_open(&k, p, size, &rec) != size)
		return NULL;
	w->epoch = epoch;
	memcpy(number, rec.data, sizeof(*number));
	return p + size;
}

static void watch_records(struct watch *w, const __u8 *p, const __u8 *end)
{
	bool v13 = IS_V13(w->o->cipher);
	struct result *r = w->r;
	unsigned int number;

	while (p < end) {
		p = v13 ? next_record_13(w, p, end, &number) :
			  next_record(w, p, end, &number);
		if (!p || p > end || number >= w->o->n)
			break;
		r->on_wire[number]++;
		r->arrivals++;
		r->late += number + 64 <= w->newest;
		if (number > w->newest)
			w->newest = number;
		__atomic_add_fetch(&w->seen, 1, __ATOMIC_RELEASE);
	}
}

static void *watch(void *arg)
{
	static __u8 buf[DGRAM_MAX];
	struct watch *w = arg;

	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		const struct udphdr *uh;
		size_t head;
		ssize_t n;

		if (!poll_for(w->fd, POLLIN, 100))
			continue;
		n = recv(w->fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (w->family == AF_INET) {
			if (n < 28 || buf[9] != IPPROTO_UDP)
				continue;
			head = (buf[0] & 15) * 4;
		} else {
			if (n < 48 || buf[6] != IPPROTO_UDP)
				continue;
			head = 40;
		}
		uh = (const struct udphdr *)(buf + head);
		if (uh->dest == htons(RECV_PORT))
			watch_records(w, (const __u8 *)(uh + 1), buf + n);
	}
	return NULL;
}

static int watch_start(struct watch *w, int family)
{
	int proto = htons(family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_protocol = proto };
	int size = RCVBUF;

	w->family = family;
	ll.sll_ifindex = if_nametoindex(w->o->dev);
	w->fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	if (w->fd < 0 ||
	    setsockopt(w->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)) ||
	    bind(w->fd, (struct sockaddr *)&ll, sizeof(ll)))
		return -1;
	return pthread_create(&w->thread, NULL, watch, w);
}

static void watch_stop(struct watch *w)
{
	struct tpacket_stats stats = {};
	socklen_t len = sizeof(stats);

	__atomic_store_n(&w->stop, true, __ATOMIC_RELEASE);
	pthread_join(w->thread, NULL);
	getsockopt(w->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len);
	w->r->unwatched = stats.tp_drops;
	close(w->fd);
}

/* ---- receiving ---- */

static int recv_setup(int fd, const struct options *o)
{
	struct timeval tick = { .tv_usec = TICK_MS * 1000 };
	int size = RCVBUF, on = o->gro;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick)) ||
	    setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on)) ||
	    dtls_set_replay_window(fd, o->window))
		return -1;
	return install(fd, o, DTLS_RX, 1);
}

static void take(const struct options *o, struct result *r, const __u8 *buf,
		 size_t len)
{
	__u8 want[SIZE_MAX_];
	unsigned int number;

	memcpy(&number, buf, sizeof(number));
	if (len != o->size || number >= o->n) {
		r->strange++;
		return;
	}
	write_record(want, o->size, number);
	if (memcmp(buf, want, len)) {
		r->strange++;
		return;
	}
	r->given[number]++;
	r->whole++;
}

static int run_recv(int fd, const struct options *o, struct result *r,
		    struct watch *w)
{
	unsigned int number, epochs = 1, quiet = 0, seen = 0, now, limit;
	static __u8 buf[DGRAM_MAX];
	size_t at, part;
	ssize_t n;
	int gso;

	for (;;) {
		n = recv_segments(fd, buf, sizeof(buf), &gso, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			now = __atomic_load_n(&w->seen, __ATOMIC_ACQUIRE);
			quiet = now == seen ? quiet + TICK_MS : 0;
			seen = now;
			limit = r->whole >= o->n ? EXTRA_MS :
				all_sent ? o->idle : 3 * SOON_MS;
			if (quiet > limit)
				break;
			continue;
		}
		if (n < 0)
			return -1;
		quiet = 0;
		if ((unsigned int)n > r->largest)
			r->largest = n;
		part = gso ? gso : n;
		for (at = 0; at < (size_t)n; at += part)
			take(o, r, buf + at,
			     part < n - at ? part : n - at);
		/* As soon as an epoch is in use, be ready for the next. */
		memcpy(&number, buf, sizeof(number));
		if (number < o->n && epoch_of(o, number) == epochs &&
		    o->rekey && install(fd, o, DTLS_RX, ++epochs))
			return -1;
	}
	return dtls_get_info(fd, &r->info) ||
	       dtls_get_counters(fd, &r->counters) ? -1 : 0;
}

static int result_init(struct result *r, const struct options *o)
{
	memset(r, 0, sizeof(*r));
	r->on_wire = calloc(o->n, sizeof(*r->on_wire));
	r->given = calloc(o->n, sizeof(*r->given));
	return r->on_wire && r->given ? 0 : -1;
}

/* As a script wants it: NAME=VALUE */
static void result_print(const struct result *r, const struct options *o)
{
	const struct dtls_counters *c = &r->counters;
	unsigned int i, seen = 0, given = 0, missing = 0, unseen = 0;
	unsigned int repeated = 0;

	for (i = 0; i < o->n; i++) {
		seen += !!r->on_wire[i];
		given += !!r->given[i];
		missing += r->on_wire[i] && !r->given[i];
		unseen += !r->on_wire[i] && r->given[i];
		repeated += r->given[i] > 1;
	}
	printf("arrivals=%u distinct=%u late=%u unwatched=%u\n", r->arrivals,
	       seen, r->late, r->unwatched);
	printf("given=%u missing=%u unseen=%u repeated=%u strange=%u\n", given,
	       missing, unseen, repeated, r->strange);
	printf("largest=%u rx_records=%llu rx_replays=%llu\n", r->largest,
	       c->rx_records, c->rx_replays);
	printf("rx_other=%llu rx_epoch=%llu\n",
	       c->rx_auth_failed + c->rx_no_key + c->rx_malformed +
	       c->rx_oversize + c->rx_empty + c->rx_control + c->rx_no_budget,
	       r->info.rx_epoch);
}

/* ---- path MTU ---- */

static int expect(bool ok, const char *what)
{
	if (!ok)
		printf("failed: %s (%s)\n", what, strerror(errno));
	return ok ? 0 : -1;
}

/* The router's word reaches the socket as on plain UDP. */
static int expect_icmp(int fd, __u32 next_mtu)
{
	char ctl[512], quoted[2048];
	struct iovec iov = { quoted, sizeof(quoted) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = ctl,
			      .msg_controllen = sizeof(ctl) };
	struct sock_extended_err ee = {};
	struct cmsghdr *c;
	ssize_t n;

	poll_for(fd, POLLERR, SOON_MS);
	n = recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);
	if (expect(n >= 0, "error queue"))
		return -1;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_type == IP_RECVERR ||
		    c->cmsg_type == IPV6_RECVERR)
			memcpy(&ee, CMSG_DATA(c), sizeof(ee));
	/* What it quotes is ciphertext: a record's header at least. */
	return expect(ee.ee_errno == EMSGSIZE && ee.ee_info == next_mtu,
		      "EMSGSIZE with the MTU in the error queue") ||
	       expect(n >= HEADER_LEN && quoted[0] == CT_DATA,
		      "quoted record") ? -1 : 0;
}

static int run_path(int fd, int family, const struct options *o, __u32 mtu,
		    __u32 next_mtu)
{
	bool v4 = family == AF_INET;
	int probe = v4 ? IP_PMTUDISC_DO : IPV6_PMTUDISC_DO, on = 1;
	static char buf[65536];
	struct peer_key k;
	__u32 head;

	make_key(o, 1, &k);
	head = (v4 ? 28 : 48) + peer_overhead(&k);
	if (install(fd, o, DTLS_TX, 1) ||
	    setsockopt(fd, v4 ? SOL_IP : SOL_IPV6,
		       v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &probe,
		       sizeof(probe)) ||
	    setsockopt(fd, v4 ? SOL_IP : SOL_IPV6,
		       v4 ? IP_RECVERR : IPV6_RECVERR, &on, sizeof(on)))
		return expect(false, "options");

	if (expect(dtls_mtu(fd) == mtu - head, "the MTU at first") ||
	    expect(send(fd, buf, mtu - head, 0) == (ssize_t)(mtu - head),
		   "send of a record of the MTU") ||
	    expect_icmp(fd, next_mtu) ||
	    expect(dtls_mtu(fd) == next_mtu - head, "the MTU after ICMP"))
		return -1;
	if (expect(send(fd, buf, next_mtu - head + 1, 0) == -1 &&
		   errno == EMSGSIZE, "EMSGSIZE over the new MTU"))
		return -1;
	/* IP_RECVERR has a local error for that, too. */
	recv(fd, buf, sizeof(buf), MSG_ERRQUEUE | MSG_DONTWAIT);
	return expect(send(fd, buf, next_mtu - head, 0) ==
		      (ssize_t)(next_mtu - head),
		      "send of a record of the new MTU");
}

/* ---- as a program ---- */

static socklen_t address(struct sockaddr_storage *to, const char *text,
			 int port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;
	struct sockaddr_in *in4 = (struct sockaddr_in *)to;

	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, text, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(port);
		return sizeof(*in4);
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
		return 0;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	return sizeof(*in6);
}

/* An attached socket between two addresses, or -1 */
static int between(const char *local, int lport, const char *peer, int pport,
		   int *family)
{
	struct sockaddr_storage addr;
	socklen_t len = address(&addr, local, lport);
	int fd;

	*family = addr.ss_family;
	fd = socket(addr.ss_family, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, len))
		return -1;
	len = address(&addr, peer, pport);
	if (connect(fd, (struct sockaddr *)&addr, len))
		return -1;
	return dtls_attach(fd) ? -1 : fd;
}

static int recv_main(int fd, int family, const struct options *o)
{
	struct result r;
	struct watch w = { .o = o, .r = &r };
	struct sigaction act = { .sa_handler = on_all_sent };

	if (result_init(&r, o) || recv_setup(fd, o) ||
	    sigaction(SIGUSR1, &act, NULL) ||
	    (o->dev && watch_start(&w, family)))
		return expect(false, "setup");
	/* The other end may begin. */
	printf("ready\n");
	fflush(stdout);
	if (run_recv(fd, o, &r, &w))
		return expect(false, "recv");
	if (o->dev)
		watch_stop(&w);
	result_print(&r, o);
	return 0;
}

static int program(int argc, char **argv)
{
	struct options o = defaults;
	bool recv = !strcmp(argv[1], "recv");
	int fd, opt, family;

	optind = 2;
	while ((opt = getopt(argc, argv, "3n:s:g:k:p:d:w:Gi:t:")) != -1) {
		switch (opt) {
		case '3':
			o.cipher = V13(o.cipher);
			break;
		case 'n':
			o.n = atoi(optarg);
			break;
		case 's':
			o.size = atoi(optarg);
			break;
		case 'g':
			o.segments = atoi(optarg);
			break;
		case 'k':
			o.rekey = atoi(optarg);
			break;
		case 'p':
			o.pause = atoi(optarg);
			break;
		case 'd':
			o.delay = atoi(optarg);
			break;
		case 'w':
			o.window = atoi(optarg);
			break;
		case 'G':
			o.gro = true;
			break;
		case 'i':
			o.dev = optarg;
			break;
		case 't':
			o.idle = atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	if (argc - optind < 2 || o.size < sizeof(unsigned int) ||
	    o.size > SIZE_MAX_ || !o.segments || o.segments > SEGMENTS_MAX ||
	    (o.delay && !o.rekey)) {
		fprintf(stderr, "usage: see the head of numbered.c\n");
		return 2;
	}
	fd = between(argv[optind], recv ? RECV_PORT : SEND_PORT,
		     argv[optind + 1], recv ? SEND_PORT : RECV_PORT, &family);
	if (fd < 0)
		return !!expect(false, "socket");
	if (recv)
		return !!recv_main(fd, family, &o);
	if (!strcmp(argv[1], "send"))
		return !!expect(!run_send(fd, &o), "send");
	if (argc - optind < 4)
		return 2;
	return !!run_path(fd, family, &o, atoi(argv[optind + 2]),
			  atoi(argv[optind + 3]));
}

/* ---- as a test: both ends here ---- */

FIXTURE(numbered) {
	struct link l;
	struct options o;
};

FIXTURE_VARIANT(numbered) {
	int family;
	unsigned int segments;
	bool gro;
	__u16 cipher;
};

#define NUMBERED(name, f, s, g, c)					\
	FIXTURE_VARIANT_ADD(numbered, name) {				\
		.family = f, .segments = s, .gro = g, .cipher = c,	\
	}

#define NUMBERED_ALL(prefix, c)						\
	NUMBERED(prefix##v4, AF_INET, 1, false, c);			\
	NUMBERED(prefix##v4_segments, AF_INET, 10, false, c);		\
	NUMBERED(prefix##v4_segments_gro, AF_INET, 10, true, c);	\
	NUMBERED(prefix##v6, AF_INET6, 1, false, c);			\
	NUMBERED(prefix##v6_segments, AF_INET6, 10, false, c);		\
	NUMBERED(prefix##v6_segments_gro, AF_INET6, 10, true, c)

NUMBERED_ALL(, DTLS_CIPHER_AES_GCM_128);
NUMBERED_ALL(v13_, V13(DTLS_CIPHER_AES_GCM_128));

FIXTURE_SETUP(numbered)
{
	self->o = defaults;
	self->o.n = rounds(20000, 1100);
	self->o.segments = variant->segments;
	self->o.gro = variant->gro;
	self->o.cipher = variant->cipher;
	ASSERT_EQ(0, link_open(&self->l, variant->family, variant->cipher, 0));
	ASSERT_EQ(0, dtls_attach(self->l.a));
	ASSERT_EQ(0, dtls_attach(self->l.b));
	ASSERT_EQ(0, recv_setup(self->l.b, &self->o));
}

FIXTURE_TEARDOWN(numbered)
{
	link_close(&self->l);
}

struct send_task {
	int fd;
	const struct options *o;
};

static void *send_task(void *arg)
{
	struct send_task *t = arg;

	const char *ret = run_send(t->fd, t->o) ? "send" : NULL;

	all_sent = 1;
	return (void *)ret;
}

static bool all_arrive(struct link *l, const struct options *o)
{
	struct send_task t = { l->a, o };
	struct watch w = { .o = o };
	struct result r;
	pthread_t thread;
	unsigned int i;
	bool ok = true;
	void *ret;

	if (result_init(&r, o) ||
	    pthread_create(&thread, NULL, send_task, &t))
		return false;
	if (run_recv(l->b, o, &r, &w))
		ok = false;
	pthread_join(thread, &ret);
	for (i = 0; i < o->n; i++)
		ok &= r.given[i] == 1;
	ok &= !ret && !r.strange && r.counters.rx_records == o->n;
	if (!ok)
		result_print(&r, o);
	free(r.on_wire);
	free(r.given);
	return ok;
}

TEST_F(numbered, all_arrive)
{
	EXPECT_TRUE(all_arrive(&self->l, &self->o));
}

TEST_F(numbered, all_arrive_while_keys_change)
{
	self->o.rekey = 500;
	self->o.delay = 10;
	EXPECT_TRUE(all_arrive(&self->l, &self->o));
}

int main(int argc, char **argv)
{
	if (argc > 1 && argv[1][0] != '-')
		return program(argc, argv);
	return test_harness_run(argc, argv);
}
