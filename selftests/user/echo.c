// SPDX-License-Identifier: GPL-2.0
/*
 * kdtls server --echo, on either path of its records: a record comes back as one
 * record with the same content, whatever its size.
 */
#include <arpa/inet.h>
#include <kdtls/socket.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "harness.h"

#define PORT	"14440"
#define TRIES	200

FIXTURE(echo)
{
	pid_t server;
	struct kdtls_endpoint *endpoint;
	struct kdtls_socket *s;
};

FIXTURE_VARIANT(echo)
{
	const char *path;
	uint16_t version;
};

FIXTURE_VARIANT_ADD(echo, kernel_dtls12)
{
	.path = "kernel",
	.version = DTLS_VERSION_1_2,
};

FIXTURE_VARIANT_ADD(echo, kernel_dtls13)
{
	.path = "kernel",
	.version = DTLS_VERSION_1_3,
};

FIXTURE_VARIANT_ADD(echo, user_dtls12)
{
	.path = "user",
	.version = DTLS_VERSION_1_2,
};

FIXTURE_VARIANT_ADD(echo, user_dtls13)
{
	.path = "user",
	.version = DTLS_VERSION_1_3,
};

FIXTURE_SETUP(echo)
{
	struct kdtls_config config;
	int i, err = -1;

	self->server = fork();
	ASSERT_LE(0, self->server);
	if (!self->server) {
		execlp("kdtls", "kdtls", "server", "--psk",
		       "30313233343536373839616263646566", "--path",
		       variant->path, "--listen", "127.0.0.1:" PORT, "--echo",
		       NULL);
		_exit(127);
	}
	kdtls_socket_config(&config);
	config.version_min = variant->version;
	config.version_max = variant->version;
	ASSERT_EQ(0, kdtls_endpoint_new(&config, &self->endpoint));
	ASSERT_EQ(0, kdtls_use_psk(self->endpoint, "Client_identity",
				   "0123456789abcdef", 16));
	/* The port may not be open yet. */
	for (i = 0; i < TRIES && err; i++) {
		err = kdtls_connect_to(self->endpoint, "127.0.0.1", PORT, NULL,
				       30000, &self->s);
		usleep(err ? 100000 : 0);
	}
	ASSERT_EQ(0, err) TH_LOG("%s", kdtls_strerror(err));
}

FIXTURE_TEARDOWN(echo)
{
	kdtls_close(self->s);
	kdtls_endpoint_free(self->endpoint);
	kill(self->server, SIGTERM);
	waitpid(self->server, NULL, 0);
}

TEST_F(echo, a_record_comes_back_as_one_record)
{
	static const size_t sizes[] = { 1, 1399, 1400, 1401, 2800, 5000, 9000,
					16384, 2 };
	static char sent[16384], got[16384];
	unsigned int marks;
	size_t i, j;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (j = 0; j < sizes[i]; j++)
			sent[j] = (char)(i + j * 7);
		ASSERT_EQ((ssize_t)sizes[i],
			  kdtls_send(self->s, sent, sizes[i]));
		ASSERT_EQ((ssize_t)sizes[i],
			  kdtls_recv_marked(self->s, got, sizeof(got), &marks));
		EXPECT_EQ(0, marks);
		ASSERT_EQ(0, memcmp(sent, got, sizes[i]));
	}
}

TEST_HARNESS_MAIN
