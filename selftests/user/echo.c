// SPDX-License-Identifier: GPL-2.0
/*
 * kdtls server --echo, on either path of its records: a record comes back as one
 * record with the same content, whatever its size. And what kdtls info tells of it.
 */
#include <arpa/inet.h>
#include <json-c/json.h>
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

/* Return what a command prints as JSON, or NULL. The caller frees it. */
static struct json_object *json_of(const char *command)
{
	static char text[1 << 16];
	FILE *f = popen(command, "r");
	size_t n = 0;

	if (!f)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = 0;
	return pclose(f) ? NULL : json_tokener_parse(text);
}

/* Return the number with this name in @object, or -1. */
static long number_of(struct json_object *object, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value))
		return -1;
	return json_object_get_int64(value);
}

/* Return true if @object has a text of this name that ends with @end. */
static bool text_ends(struct json_object *object, const char *name,
		      const char *end)
{
	struct json_object *value;
	const char *text;

	if (!json_object_object_get_ex(object, name, &value))
		return false;
	text = json_object_get_string(value);
	return strlen(text) >= strlen(end) &&
	       !strcmp(text + strlen(text) - strlen(end), end);
}

TEST_F(echo, info_lists_both_ends_with_their_records)
{
	struct json_object *all, *one;
	int i, ends = 0;
	char got[16];

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(5, kdtls_send(self->s, "hello", 5));
		ASSERT_EQ(5, kdtls_recv(self->s, got, sizeof(got)));
	}
	all = json_of("kdtls info --all --json");
	ASSERT_NE(NULL, all);
	for (i = 0; i < (int)json_object_array_length(all); i++) {
		one = json_object_array_get_idx(all, i);
		/* With DTLS 1.3 tickets and ACKs are records, too. */
		EXPECT_LE(3, number_of(one, "tx_records"));
		EXPECT_EQ(3, number_of(one, "rx_records"));
		EXPECT_EQ(15, number_of(one, "rx_bytes"));
		if (text_ends(one, "local", ":" PORT) &&
		    text_ends(one, "command", "kdtls")) {
			EXPECT_EQ(self->server, number_of(one, "pid"));
			ends++;
		} else if (text_ends(one, "peer", ":" PORT)) {
			EXPECT_EQ(getpid(), number_of(one, "pid"));
			EXPECT_EQ(kdtls_fd(self->s), number_of(one, "fd"));
			ends++;
		}
	}
	/* The kernel knows nothing of a server with its records in user space. */
	EXPECT_EQ(i, ends);
	EXPECT_EQ(strcmp(variant->path, "user") ? 2 : 1, ends);
	json_object_put(all);
	all = json_of("kdtls info --json");
	ASSERT_NE(NULL, all);
	EXPECT_LE(ends, number_of(all, "DtlsAttached"));
	json_object_put(all);
}

/* The example has two ends, which it attaches and gives keys itself. */
TEST(the_loop_with_recvmmsg_sends_each_record_back)
{
	EXPECT_EQ(0, system("recvmmsg-loop"));
}

TEST_HARNESS_MAIN
