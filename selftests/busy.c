// SPDX-License-Identifier: GPL-2.0
/*
 * SO_BUSY_POLL: a reader that waits looks for datagrams in the driver itself.
 * The driver is a veth with GRO, which has a NAPI context. The kernel counts
 * what busy polling finds.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#include "common.h"

#ifndef SO_INCOMING_NAPI_ID
#define SO_INCOMING_NAPI_ID	56
#endif

#define RECORDS	20

static char text[] = "found in the driver";

FIXTURE(busy)
{
	struct link l;
};

FIXTURE_VARIANT(busy)
{
	__u16 cipher;
};

FIXTURE_VARIANT_ADD(busy, v12) { .cipher = DTLS_CIPHER_AES_GCM_128 };
FIXTURE_VARIANT_ADD(busy, v13) { .cipher = V13(DTLS_CIPHER_AES_GCM_128) };

/* A socket in a network namespace of its own, which @ns becomes */
static int socket_apart(int *ns)
{
	struct timeval tv = { .tv_sec = SOON_MS / 1000 };
	int fd;

	if (unshare(CLONE_NEWNET))
		return -1;
	*ns = open("/proc/self/ns/net", O_RDONLY);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (*ns < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)))
		return -1;
	return fd;
}

static int connect_to(int fd, const char *from, const char *to)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_port = htons(5684),
		.sin_addr.s_addr = inet_addr(from),
	};

	if (bind(fd, (void *)&addr, sizeof(addr)))
		return -1;
	addr.sin_addr.s_addr = inet_addr(to);
	return connect(fd, (void *)&addr, sizeof(addr));
}

FIXTURE_SETUP(busy)
{
	struct link *l = &self->l;
	char command[256];
	int there, here;

	memset(l, 0, sizeof(*l));
	peer_key_init(&l->ab, variant->cipher, nth_epoch(variant->cipher, 1), 0,
		      1);
	peer_key_init(&l->ba, variant->cipher, nth_epoch(variant->cipher, 1), 0,
		      2);
	l->b = socket_apart(&there);
	l->a = socket_apart(&here);
	ASSERT_LE(0, l->b);
	ASSERT_LE(0, l->a);
	snprintf(command, sizeof(command),
		 "ip link add v0 type veth peer name v1 netns /proc/self/fd/%d && "
		 "ip addr add 192.0.2.1/24 dev v0 && "
		 "ethtool -K v0 gro on rx-udp-gro-forwarding on && "
		 "ip link set v0 up", there);
	ASSERT_EQ(0, system(command));
	ASSERT_OK(setns(there, CLONE_NEWNET));
	ASSERT_EQ(0, system("ip addr add 192.0.2.2/24 dev v1 && "
			    "ip link set v1 up"));
	ASSERT_OK(setns(here, CLONE_NEWNET));
	ASSERT_OK(connect_to(l->a, "192.0.2.1", "192.0.2.2"));
	ASSERT_OK(connect_to(l->b, "192.0.2.2", "192.0.2.1"));
	ASSERT_OK(link_attach_a(l));
}

FIXTURE_TEARDOWN(busy)
{
	link_close(&self->l);
}

/*
 * Let readers poll for @usec µs. The first datagram tells the socket which NAPI context is
 * its own.
 */
static void begin_polling(struct __test_metadata *_metadata, struct link *l,
			  int usec)
{
	char buf[64];

	ASSERT_OK(setsockopt(l->a, SOL_SOCKET, SO_BUSY_POLL, &usec,
			     sizeof(usec)));
	ASSERT_EQ(sizeof(text), link_send(l, CT_DATA, text, sizeof(text)));
	ASSERT_EQ(sizeof(text), recv(l->a, buf, sizeof(buf), 0));
}

static void *read_all(void *arg)
{
	struct link *l = arg;
	char buf[64];
	long n = 0;

	stay_on(1);
	while (n < RECORDS && recv(l->a, buf, sizeof(buf), 0) == sizeof(text))
		n++;
	return (void *)n;
}

/*
 * The reader gets to the driver before the sender's processor does as long as it
 * polls. Of several records it finds one at least so.
 */
TEST_F(busy, a_reader_that_waits_polls_the_driver)
{
	struct link *l = &self->l;
	socklen_t len = sizeof(int);
	pthread_t thread;
	int i, id = 0;
	void *read;
	long found;

	begin_polling(_metadata, l, 1000000);
	ASSERT_OK(getsockopt(l->a, SOL_SOCKET, SO_INCOMING_NAPI_ID, &id, &len));
	ASSERT_NE(0, id);

	found = net_counter("netstat", "TcpExt:", "BusyPollRxPackets");
	ASSERT_LE(0, found);
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_all, l));
	stay_on(0);
	for (i = 0; i < RECORDS; i++) {
		usleep(20000);
		ASSERT_EQ(sizeof(text),
			  link_send(l, CT_DATA, text, sizeof(text)));
	}
	pthread_join(thread, &read);
	EXPECT_EQ(RECORDS, (long)read);
	EXPECT_LT(found, net_counter("netstat", "TcpExt:",
				     "BusyPollRxPackets"));
}

/*
 * Let all that comes to v0 from now on lie in the driver until somebody polls it: for
 * ages no interrupt follows the next one, or for four seconds, which is the longest time
 * that a 32-bit kernel takes. The files are those of the network namespace that mounts
 * them.
 */
static void defer_interrupts(struct __test_metadata *_metadata)
{
	ASSERT_EQ(0, system("mkdir -p /tmp/busy && "
			    "mount -t sysfs none /tmp/busy && "
			    "cd /tmp/busy/class/net/v0 && "
			    "echo 2147483647 >napi_defer_hard_irqs && "
			    "{ echo 1000000000000 >gro_flush_timeout || "
			    "  echo 4000000000 >gro_flush_timeout; } && "
			    "cd / && umount /tmp/busy"));
}

/*
 * A reader that does not wait polls the driver, although its queue is empty, and does so
 * once: the time to poll is half an hour. What the driver hands over may lie in GRO for a
 * moment yet.
 */
TEST_F(busy, a_reader_that_does_not_wait_polls_the_driver_once)
{
	struct link *l = &self->l;
	char buf[64];
	ssize_t n;
	long found;
	__u64 end;
	int i;

	begin_polling(_metadata, l, 1800 * 1000000);
	defer_interrupts(_metadata);

	found = net_counter("netstat", "TcpExt:", "BusyPollRxPackets");
	ASSERT_LE(0, found);
	for (i = 0; i < RECORDS; i++) {
		ASSERT_ERRNO(EAGAIN,
			     recv(l->a, buf, sizeof(buf), MSG_DONTWAIT));
		ASSERT_EQ(sizeof(text),
			  link_send(l, CT_DATA, text, sizeof(text)));
		end = now_ms() + SOON_MS;
		do {
			n = recv(l->a, buf, sizeof(buf), MSG_DONTWAIT);
		} while (n < 0 && errno == EAGAIN && now_ms() < end);
		ASSERT_EQ((ssize_t)sizeof(text), n)
			TH_LOG("record %d stays in the driver", i);
	}
	EXPECT_LT(found, net_counter("netstat", "TcpExt:",
				     "BusyPollRxPackets"));
}

static void *read_one(void *arg)
{
	struct link *l = arg;
	char buf[64];

	stay_on(1);
	return (void *)(long)recv(l->a, buf, sizeof(buf), 0);
}

/* A record that comes another way ends the polling, which has half an hour here. */
TEST_F(busy, a_reader_that_polls_sees_what_it_is_fed)
{
	struct link *l = &self->l;
	pthread_t thread;
	char buf[128];
	void *read;
	ssize_t n;

	begin_polling(_metadata, l, 1800 * 1000000);
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_one, l));
	stay_on(0);
	/* The reader polls by now, or finds the record at once. */
	usleep(200000);
	n = peer_seal(&l->ba, CT_DATA, 1, text, sizeof(text), (__u8 *)buf);
	ASSERT_OK(dtls_feed(l->a, buf, n));
	pthread_join(thread, &read);
	EXPECT_EQ(sizeof(text), (size_t)read);
}

/* What two threads do with a socket, and the number of records that were read */
struct both {
	int fd;
	bool stop;
	unsigned int got;
};

static void *read_and_wait(void *arg)
{
	struct both *both = arg;
	char buf[64];

	while (!__atomic_load_n(&both->stop, __ATOMIC_ACQUIRE))
		if (recv(both->fd, buf, sizeof(buf), 0) > 0)
			__atomic_add_fetch(&both->got, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* Open what there is, as whoever asks how much that is. */
static void *ask_for_bytes(void *arg)
{
	struct both *both = arg;
	int n;

	while (!__atomic_load_n(&both->stop, __ATOMIC_ACQUIRE))
		ioctl(both->fd, FIONREAD, &n);
	return NULL;
}

/*
 * A reader whose time to poll ends has not looked for a while. If a task that reads
 * nothing is opening the record just then, the reader sleeps, and has to be woken. The
 * time between two records is another each time, so that some come then.
 */
TEST_F(busy, a_reader_that_polled_misses_no_record)
{
	unsigned int i, j, n = rounds(4000, 400);
	struct both both = { .fd = self->l.a };
	volatile unsigned int spun = 0;
	struct link *l = &self->l;
	pthread_t reader, other;
	__u64 end;
	int usec;

	roam();
	ASSERT_EQ(0, pthread_create(&reader, NULL, read_and_wait, &both));
	ASSERT_EQ(0, pthread_create(&other, NULL, ask_for_bytes, &both));
	for (i = 0; i < n; i++) {
		usec = 100 << i % 8;
		ASSERT_OK(setsockopt(l->a, SOL_SOCKET, SO_BUSY_POLL, &usec,
				     sizeof(usec)));
		for (j = 0; j < i * 37 % 5000; j++)
			spun++;
		ASSERT_EQ(sizeof(text),
			  link_send(l, CT_DATA, text, sizeof(text)));
		end = now_ms() + SOON_MS / 2;
		while (__atomic_load_n(&both.got, __ATOMIC_ACQUIRE) == i &&
		       now_ms() < end)
			;
		ASSERT_EQ(i + 1, __atomic_load_n(&both.got, __ATOMIC_ACQUIRE));
	}
	__atomic_store_n(&both.stop, true, __ATOMIC_RELEASE);
	ASSERT_OK(shutdown(l->a, SHUT_RD));
	pthread_join(reader, NULL);
	pthread_join(other, NULL);
}

TEST_HARNESS_MAIN
