// SPDX-License-Identifier: BSD-3-Clause
/*
 * Syslog over DTLS (RFC 6012), both ends of it.
 *
 *	syslog receive CERTIFICATE KEY PORT
 *	syslog send ROOTS HOST PORT
 *
 * The first is a collector, which prints what comes. The second is an originator, which
 * sends each line of its input as a message.
 *
 *	cc syslog.c -o syslog $(pkg-config --cflags --libs libkdtls)
 *
 * The registered port is 6514.
 */
#include <errno.h>
#include <kdtls/socket.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_MAX	2048	/* RFC 5424 6.1 asks receivers for this much */
#define FRAME_MAX	(MESSAGE_MAX + 8)
#define NOTICE		13	/* PRI of facility user, severity notice (RFC 5424) */

/*
 * Write a message of RFC 5424 with its length in front (RFC 6012 5.4, RFC 5425 4.3).
 * Return its bytes, or -1 if the line is too long.
 */
static int frame(char *out, const char *line)
{
	char message[MESSAGE_MAX + 1], when[32], host[64];
	time_t now = time(NULL);
	int len;

	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	if (gethostname(host, sizeof(host)))
		strcpy(host, "-");
	len = snprintf(message, sizeof(message), "<%d>1 %s %.63s example %d - - %s",
		       NOTICE, when, host, (int)getpid(), line);
	return len > MESSAGE_MAX ? -1 :
	       snprintf(out, FRAME_MAX, "%d %s", len, message);
}

static int send_lines(struct kdtls_socket *s)
{
	char line[MESSAGE_MAX], out[FRAME_MAX];
	ssize_t n = 0;
	int len;

	while (n >= 0 && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		len = frame(out, line);
		/* A message that does not fit one datagram may be lost as a whole. */
		n = len < 0 ? -EMSGSIZE : kdtls_send(s, out, len);
		if (n == -EMSGSIZE) {
			fprintf(stderr, "a message is too long, and left out\n");
			n = 0;
		}
	}
	return n < 0 ? (int)n : 0;
}

static int originate(struct kdtls_endpoint *endpoint, char **argv)
{
	struct kdtls_socket *s;
	int err = kdtls_trust_file(endpoint, argv[2]);

	if (!err)
		err = kdtls_connect_to(endpoint, argv[3], argv[4], NULL, 10000,
				       &s);
	if (err)
		return err;
	err = send_lines(s);
	kdtls_close(s);		/* sends close_notify (RFC 6012 5.5) */
	return err;
}

/* Print the messages of a record. Each has its length in front. */
static void print_messages(const char *data, size_t len)
{
	const char *end = data + len;
	unsigned long size;
	char *text;

	while (data < end) {
		size = strtoul(data, &text, 10);
		if (text == data || *text != ' ' || size > (size_t)(end - text - 1))
			return;		/* malformed: nothing behind it is found */
		data = text + 1 + size;
		/* A message may hold anything; a terminal shall not obey it. */
		for (text++; text < data; text++)
			putchar((unsigned char)*text < ' ' ? '?' : *text);
		putchar('\n');
	}
	fflush(stdout);
}

/* Take one client after the other, up to its close_notify. */
static int collect(struct kdtls_endpoint *endpoint, char **argv)
{
	/* One byte more than a record, so that the text ends with a NUL. */
	static char data[DTLS_RECORD_SIZE_MAX + 1];
	struct kdtls_listener *listener;
	struct kdtls_socket *s;
	ssize_t n;
	int err;

	err = kdtls_use_certificate_file(endpoint, argv[2], argv[3]);
	if (!err)
		err = kdtls_listen_on(endpoint, "0.0.0.0", argv[4], NULL,
				      &listener);
	if (err)
		return err;
	while (!(err = kdtls_accept(listener, -1, &s))) {
		struct pollfd p = { .fd = kdtls_fd(s) };

		do {
			n = kdtls_recv(s, data, sizeof(data) - 1);
			if (n > 0) {
				data[n] = 0;
				print_messages(data, n);
			} else if (n == -EAGAIN) {
				p.events = POLLIN | kdtls_events(s);
				poll(&p, 1, kdtls_timeout(s));
			}
		} while (n > 0 || n == -EAGAIN);
		kdtls_close(s);
	}
	kdtls_listener_close(listener);
	return err;
}

int main(int argc, char **argv)
{
	struct kdtls_endpoint *endpoint = NULL;
	struct kdtls_config config;
	int err;

	if (argc != 5) {
		fprintf(stderr, "usage: syslog receive CERTIFICATE KEY PORT\n"
			"       syslog send ROOTS HOST PORT\n");
		return 1;
	}
	kdtls_socket_config(&config);
	err = kdtls_endpoint_new(&config, &endpoint);
	if (!err)
		err = strcmp(argv[1], "send") ? collect(endpoint, argv) :
						originate(endpoint, argv);
	if (err)
		fprintf(stderr, "%s\n", kdtls_strerror(err));
	kdtls_endpoint_free(endpoint);
	return err ? 1 : 0;
}
