// SPDX-License-Identifier: BSD-3-Clause
/*
 * A client that never waits but in its loop, and resumes the session of its last run. It
 * sends a line, and prints what comes back.
 *
 *	nonblocking-client ROOTS HOST PORT SESSION-FILE TEXT
 *
 *	cc -o nonblocking-client nonblocking-client.c \
 *		$(pkg-config --cflags --libs libkdtls)
 */
#include <errno.h>
#include <fcntl.h>
#include <kdtls/socket.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *session_file;

/*
 * Keep a session; the library calls this for each ticket that comes. A session holds
 * keys, so that nobody else may read the file: it is a new one, by mkstemp(), and takes
 * the place of the one before when all is written.
 */
static void save_session(void *ctx, const uint8_t *session, size_t len)
{
	char name[PATH_MAX];
	int fd;

	(void)ctx;
	snprintf(name, sizeof(name), "%s.XXXXXX", session_file);
	fd = mkstemp(name);
	if (fd < 0 || write(fd, session, len) != (ssize_t)len ||
	    rename(name, session_file)) {
		fprintf(stderr, "%s: the session is not kept\n", session_file);
		if (fd >= 0)
			unlink(name);
	}
	close(fd);
}

static size_t load_session(uint8_t *session, size_t size)
{
	int fd = open(session_file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, session, size);

	close(fd);
	return n > 0 ? n : 0;
}

/* Wait for what @s waits for, and let the library do it. */
static int step(struct kdtls_socket *s)
{
	struct pollfd p = {
		.fd = kdtls_fd(s),
		.events = POLLIN | kdtls_events(s),
	};

	if (poll(&p, 1, kdtls_timeout(s)) < 0 && errno != EINTR)
		return -errno;
	return kdtls_process(s);
}

/* Say @text, and print what comes back. A ticket may come first. */
static int talk(struct kdtls_socket *s, const char *text)
{
	char data[DTLS_RECORD_SIZE_MAX];
	ssize_t n = kdtls_send(s, text, strlen(text));

	while (n > 0 || n == -EAGAIN) {
		n = kdtls_recv(s, data, sizeof(data));
		if (n > 0) {
			printf("%.*s\n", (int)n, data);
			return 0;
		}
		if (n == -EAGAIN)
			n = step(s) ?: -EAGAIN;
	}
	return n ? (int)n : -EPIPE;
}

static int run(struct kdtls_endpoint *endpoint, char **argv)
{
	static uint8_t session[65536];
	struct kdtls_socket_options options = {
		.session = session,
		.session_len = load_session(session, sizeof(session)),
	};
	struct kdtls_info info;
	struct kdtls_socket *s;
	int err;

	/* With timeout 0 the file is non-blocking. */
	err = kdtls_connect_to(endpoint, argv[2], argv[3], &options, 0, &s);
	if (err && err != -EINPROGRESS)
		return err;
	while (err == -EINPROGRESS)
		err = step(s);
	if (!err) {
		kdtls_engine_info(kdtls_engine(s), &info);
		fprintf(stderr, "session %s\n", info.resumed ? "resumed" : "new");
		err = talk(s, argv[5]);
	}
	kdtls_close(s);
	return err;
}

int main(int argc, char **argv)
{
	struct kdtls_endpoint *endpoint = NULL;
	struct kdtls_config config;
	int err;

	if (argc != 6) {
		fprintf(stderr,
			"usage: nonblocking-client ROOTS HOST PORT SESSION-FILE TEXT\n");
		return 1;
	}
	session_file = argv[4];
	kdtls_socket_config(&config);
	config.ops.session = save_session;
	err = kdtls_endpoint_new(&config, &endpoint);
	if (!err)
		err = kdtls_trust_file(endpoint, argv[1]);
	if (!err)
		err = run(endpoint, argv);
	if (err)
		fprintf(stderr, "%s\n", kdtls_strerror(err));
	kdtls_endpoint_free(endpoint);
	return err ? 1 : 0;
}
