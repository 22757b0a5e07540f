// SPDX-License-Identifier: GPL-2.0
/*
 * clients PORT COUNT FIRST [CA]: COUNT clients of one library, the number of the first of
 * which is FIRST, on one server. With the file CA they make sure of the server's
 * certificate, without it they have the pre-shared key; see clients.h.
 *
 * What the clients are set up with is what their library does by itself, its timers
 * included. A library may give up a handshake that has lost too much. Its client then
 * begins another one on the same port, as a user would, and that is counted.
 */
#include "clients.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LINES		4	/* lines that a client sends before it waits */
#define LINE_SIZE	128
#define TICK		50	/* ms between two looks at the timers of all clients */
#define AGAIN		5000	/* ms after which lines that did not come back go out anew */
#define PATIENCE	90000	/* ms after which a client begins its handshake anew */
#define HANDSHAKES	20	/* that a client begins until one has to succeed */
#define REPEATS		120	/* times that lines go out anew until they have to come back */

static struct crowd crowd;
static struct client *clients;
static struct pollfd *polled;
static unsigned int count, repeated;
static enum order order = ORDER_UP;
static uint64_t nonce;

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

__attribute__((noreturn, format(printf, 2, 3)))
static void fail(const struct client *c, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "# %s, %s: ", library.name,
		crowd.ca ? "certificate" : "pre-shared key");
	if (c)
		fprintf(stderr, "client %u, life %u: ", c->number, c->life);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* ---- one client ---- */

/* Write the line @i that this client alone sends. Return its bytes. */
static size_t line_of(const struct client *c, unsigned int i, char *line)
{
	return (size_t)snprintf(line, LINE_SIZE, "%s: client %u, life %u, line %u of %016llx",
				library.name, c->number, c->life, i,
				(unsigned long long)nonce);
}

/* Begin a handshake. The socket, and so the port, stays from one life to the next. */
static void begin(struct client *c)
{
	if (c->handshakes++ >= HANDSHAKES)
		fail(c, "%d handshakes came to nothing", HANDSHAKES);
	c->up = false;
	c->since = now_ms();
	if (!library.open(c))
		fail(c, "no session: %s", strerror(errno));
}

static void open_client(struct client *c, unsigned int number)
{
	c->crowd = &crowd;
	c->number = number;
	c->life = 1;
	c->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0 ||
	    connect(c->fd, (struct sockaddr *)&crowd.server, sizeof(crowd.server)))
		fail(c, "no socket: %s", strerror(errno));
	begin(c);
}

/* Note a line that came back. Anything but a line that this client has sent is a fault. */
static void hear(struct client *c, const char *got, size_t len)
{
	char line[LINE_SIZE];
	unsigned int i;

	for (i = 0; i < LINES && order == ORDER_TALK; i++)
		if (line_of(c, i, line) == len && !memcmp(line, got, len))
			break;
	if (i == LINES || order != ORDER_TALK)
		fail(c, "got what it has not sent: %.*s", (int)len, got);
	c->heard |= 1U << i;
	c->ready = c->heard == (1U << LINES) - 1;
}

/* Send the lines that have not come back. */
static void talk(struct client *c)
{
	char line[LINE_SIZE];
	unsigned int i;
	size_t len;

	if (c->said)
		repeated++;
	if (c->talks++ > REPEATS)
		fail(c, "lines did not come back, those that did: %#x", c->heard);
	c->said = now_ms();
	for (i = 0; i < LINES; i++) {
		if (c->heard & 1U << i)
			continue;
		len = line_of(c, i, line);
		if (!library.send(c, line, len))
			fail(c, "cannot send");
	}
}

static void shake(struct client *c)
{
	int done = library.step(c);

	if (done > 0) {
		c->up = true;
		c->ready = true;
	} else if (done < 0 || now_ms() > c->since + PATIENCE) {
		library.close(c, false);
		begin(c);
	}
}

/* Let one client do what it can do now. */
static void attend(struct client *c)
{
	char line[1024];
	ssize_t n;

	if (!c->up) {
		shake(c);
		return;
	}
	while ((n = library.receive(c, line, sizeof(line))) > 0)
		hear(c, line, (size_t)n);
	if (n < 0)
		fail(c, "its session has ended");
	if (order == ORDER_TALK && !c->ready && now_ms() >= c->said + AGAIN)
		talk(c);
}

/* ---- all of them ---- */

static bool all_ready(void)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (!clients[i].ready)
			return false;
	return true;
}

static void leave(void)
{
	unsigned int i, tries = 0;

	for (i = 0; i < count; i++) {
		tries += clients[i].handshakes - clients[i].life;
		library.close(&clients[i], true);
	}
	fprintf(stderr, "# %4u clients: %s %s, DTLS %s, %s; %u handshakes begun anew, "
		"lines sent again by %u\n", count, library.name, library.version(),
		library.tls, crowd.ca ? "certificate" : "pre-shared key", tries,
		repeated);
	exit(0);
}

static void take_order(void)
{
	unsigned int i;
	char c = 0;

	if (read(0, &c, 1) != 1)
		exit(1);
	order = (enum order)c;
	if (order == ORDER_LEAVE)
		leave();
	for (i = 0; i < count; i++) {
		clients[i].ready = false;
		clients[i].heard = 0;
		clients[i].said = 0;
		clients[i].talks = 0;
		if (order == ORDER_ANEW) {
			library.close(&clients[i], false);
			clients[i].life++;
			begin(&clients[i]);
		}
	}
}

/* Let clients whose socket has something go on, and from time to time all of them. */
static void turn(void)
{
	static uint64_t ticked;
	bool tick = now_ms() >= ticked + TICK;
	unsigned int i;

	if (poll(polled, count + 1, TICK) < 0 && errno != EINTR)
		fail(NULL, "poll: %s", strerror(errno));
	if (library.turn)
		library.turn();
	for (i = 0; i < count; i++)
		if (tick || polled[i].revents || clients[i].fd < 0)
			attend(&clients[i]);
	if (tick)
		ticked = now_ms();
	if (polled[count].revents)
		take_order();
}

static void begin_all(unsigned int first)
{
	unsigned int i;

	clients = calloc(count, sizeof(*clients));
	polled = calloc(count + 1, sizeof(*polled));
	if (!clients || !polled || !library.init(&crowd))
		fail(NULL, "the library does not begin");
	for (i = 0; i < count; i++) {
		open_client(&clients[i], first + i);
		polled[i].fd = clients[i].fd;
		polled[i].events = POLLIN;
	}
	polled[count].fd = 0;
	polled[count].events = POLLIN;
}

/* Obey one order after the other, and answer each one once all clients have. */
static void obey(void)
{
	bool answered = false;
	enum order last;
	char answer;

	for (;;) {
		last = order;
		turn();
		answered &= order == last;
		if (answered || !all_ready())
			continue;
		answer = (char)order;
		answered = write(1, &answer, 1) == 1;
	}
}

int main(int argc, char **argv)
{
	struct rlimit limit;

	if (argc < 4)
		return 2;
	crowd.server.sin_family = AF_INET;
	crowd.server.sin_port = htons((uint16_t)atoi(argv[1]));
	crowd.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	crowd.ca = argv[4];
	count = (unsigned int)atoi(argv[2]);
	nonce = now_ms() << 20 ^ (uint64_t)getpid();
	/* Each client has a file. */
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	begin_all((unsigned int)atoi(argv[3]));
	obey();
}
