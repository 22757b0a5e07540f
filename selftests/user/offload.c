// SPDX-License-Identifier: GPL-2.0
/* Finished sessions moved to the kernel; this needs the module. */
#include "variants.h"
#include <errno.h>
#include <linux/dtls.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "harness.h"

FIXTURE(offload)
{
	struct end a, b;	/* client, server */
	int fd[2];
	char buf[2048];
};

VARIANTS(offload);

FIXTURE_SETUP(offload)
{
	int i;

	ASSERT_EQ(0, kdtls_available());
	socket_pair(self->fd);
	end_init(&self->a, variant->client, false, self->fd[0],
		 &variant->setup);
	end_init(&self->b, variant->server, true, self->fd[1],
		 &variant->setup);
	ASSERT_TRUE(ends_handshake(&self->a, &self->b));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, kdtls_supports(self->fd[i], variant->cipher));
}

FIXTURE_TEARDOWN(offload)
{
	end_fini(&self->a);
	end_fini(&self->b);
	close(self->fd[0]);
	close(self->fd[1]);
}

/* One record, as soon as it is there. Return: as recv(2). */
static ssize_t receive(int fd, void *buf, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	poll(&p, 1, 5000);
	return recv(fd, buf, len, MSG_DONTWAIT);
}

TEST_F(offload, both_ends)
{
	struct dtls_info info;
	struct dtls_counters counters;

	ASSERT_EQ(0, end_offload(&self->a));
	ASSERT_EQ(0, end_offload(&self->b));
	ASSERT_EQ(4, send(self->fd[0], "ping", 4, 0));
	ASSERT_EQ(4, receive(self->fd[1], self->buf, sizeof(self->buf)));
	EXPECT_EQ(0, memcmp(self->buf, "ping", 4));
	ASSERT_EQ(4, send(self->fd[1], "pong", 4, 0));
	ASSERT_EQ(4, receive(self->fd[0], self->buf, sizeof(self->buf)));
	EXPECT_EQ(0, memcmp(self->buf, "pong", 4));

	ASSERT_EQ(0, kdtls_get_info(self->fd[0], &info));
	EXPECT_EQ(variant->cipher, info.tx_cipher);
	ASSERT_EQ(0, kdtls_get_counters(self->fd[0], &counters));
	EXPECT_EQ(1, counters.tx_records);
	EXPECT_EQ(1, counters.rx_records);
	EXPECT_LT(0, kdtls_get_mtu(self->fd[0]));

	ASSERT_EQ(0, kdtls_close_notify(self->fd[0]));
	EXPECT_EQ(0, receive(self->fd[1], self->buf, sizeof(self->buf)));
}

/* One end in the kernel, the other in its library, with data under way */
TEST_F(offload, one_end)
{
	ASSERT_EQ(3, end_write(&self->b, "old", 3));
	ASSERT_EQ(0, end_offload(&self->a));
	ASSERT_EQ(3, receive(self->fd[0], self->buf, sizeof(self->buf)));
	EXPECT_EQ(0, memcmp(self->buf, "old", 3));
	ASSERT_EQ(4, send(self->fd[0], "ping", 4, 0));
	ASSERT_EQ(4, end_read(&self->b, self->buf, sizeof(self->buf)));
	EXPECT_EQ(0, memcmp(self->buf, "ping", 4));
	ASSERT_EQ(4, end_write(&self->b, "pong", 4));
	ASSERT_EQ(4, receive(self->fd[0], self->buf, sizeof(self->buf)));
	EXPECT_EQ(0, memcmp(self->buf, "pong", 4));
}

/* What the library delivered does not come again; what it did not, does. */
TEST_F(offload, replay_state)
{
	char wire[3][2048];
	struct dtls_counters counters;
	ssize_t len[3];
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, end_write(&self->a, &"012"[i], 1));
		len[i] = recv(self->fd[1], wire[i], sizeof(wire[i]), 0);
		ASSERT_LT(0, len[i]);
	}
	send(self->fd[0], wire[2], len[2], 0);
	ASSERT_EQ(1, end_read(&self->b, self->buf, sizeof(self->buf)));
	ASSERT_EQ('2', self->buf[0]);
	ASSERT_EQ(0, end_offload(&self->b));

	for (i = 0; i < 3; i++)
		send(self->fd[0], wire[i], len[i], 0);
	ASSERT_EQ(1, receive(self->fd[1], self->buf, sizeof(self->buf)));
	EXPECT_EQ('0', self->buf[0]);
	ASSERT_EQ(1, receive(self->fd[1], self->buf, sizeof(self->buf)));
	EXPECT_EQ('1', self->buf[0]);
	EXPECT_EQ(-1, recv(self->fd[1], self->buf, sizeof(self->buf),
			   MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, kdtls_get_counters(self->fd[1], &counters));
	EXPECT_EQ(1, counters.rx_replays);
}

TEST_F(offload, twice)
{
	ASSERT_EQ(0, end_offload(&self->a));
	EXPECT_EQ(-KDTLS_EATTACHED, end_offload(&self->a));
}

/* The server's last flight is lost; by then the kernel has its session. */
TEST(lost_last_flight)
{
	static const enum library clients[] = { OPENSSL, GNUTLS };
	static const struct setup setup = {
		.openssl = "PSK-AES128-GCM-SHA256",
		.gnutls = GNUTLS_PRIORITY("AES-128-GCM"),
		.watch = true,
	};
	struct dtls_record_info info;
	struct end client, server;
	int i, k, fd[2], asked, done;
	struct pollfd p;
	char buf[2048];

	for (i = 0; i < 2; i++) {
		socket_pair(fd);
		end_init(&client, clients[i], false, fd[0], &setup);
		end_init(&server, OPENSSL, true, fd[1], &setup);
		for (k = 0; k < 100 && !end_handshake(&server); k++) {
			end_handshake(&client);
			usleep(10000);
		}
		while (recv(fd[0], buf, sizeof(buf), 0) >= 0)
			;
		ASSERT_EQ(0, end_offload(&server));
		ASSERT_EQ(0, kdtls_poll_control(fd[1], 1));

		for (k = 0, asked = 0, done = 0; k < 200 && !done; k++) {
			done = end_handshake(&client);
			ASSERT_LE(0, done);
			p = (struct pollfd){ .fd = fd[1], .events = POLLPRI };
			if (poll(&p, 1, 50) <= 0)
				continue;
			while (kdtls_recv_record(fd[1], buf, sizeof(buf),
						 &info) >= 0)
				asked += kdtls_openssl_answer(server.ssl,
							      &info);
		}
		EXPECT_EQ(1, done);
		EXPECT_LT(0, asked);
		ASSERT_EQ(4, end_write(&client, "ping", 4));
		ASSERT_EQ(4, receive(fd[1], buf, sizeof(buf)));
		ASSERT_EQ(4, send(fd[1], "pong", 4, 0));
		for (k = 0; k < 50 && end_read(&client, buf, 4) < 0; k++)
			usleep(10000);
		EXPECT_EQ(0, memcmp(buf, "pong", 4));

		/* Nothing that is not verified makes it send. */
		info.flags = DTLS_RECORD_RAW;
		EXPECT_EQ(0, kdtls_openssl_answer(server.ssl, &info));
		end_fini(&client);
		end_fini(&server);
		close(fd[0]);
		close(fd[1]);
	}
}

TEST(attach_errors)
{
	int udp = socket(AF_INET, SOCK_DGRAM, 0);

	EXPECT_EQ(-KDTLS_ENOTCONN,
		  kdtls_supports(udp, DTLS_CIPHER_AES_GCM_128));
	ASSERT_EQ(0, kdtls_attach(udp));
	EXPECT_EQ(-KDTLS_EATTACHED, kdtls_attach(udp));
	EXPECT_EQ(-1, send(udp, "x", 1, 0));
}

TEST_HARNESS_MAIN
