// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file moves data between a peer and files; see transfer.h. Each direction ends by
 * itself: sending with the end of the input, receiving with the peer's close_notify.
 */
#include "transfer.h"
#include "endpoint.h"
#include "net.h"
#include "stop.h"
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SMALL_MTU	1232	/* bytes of UDP payload that every path of IPv6 takes */
#define BURST		16384	/* bytes that may leave at once */
#define PAUSE_MAX	60000	/* ms */
#define RECEIVE_ROUND	64	/* most records received before the next send */

/**
 * struct transfer - the state of moving data between one peer and files
 * @c:		the association
 * @o:		the options of the command line
 * @in:		the file that is sent; -1: it has come to its end
 * @regular:	@in is a file in the file system
 * @in_ends:	true: a close_notify is sent at the end of @in
 * @sent_close:	this end has sent its close_notify
 * @got_close:	the peer's close_notify has come
 * @blocked:	the socket had no room for the last record
 * @more:	the library may have records that poll() does not tell about
 * @refused:	an ICMP error says that the peer's port is closed
 * @budget:	bytes that may be sent now
 * @filled:	the time at which @budget was last filled up
 * @heard:	the time at which the last record of the peer came
 * @sent:	bytes sent so far
 * @received:	bytes received so far
 */
struct transfer {
	struct conn c;
	const struct options *o;
	int in;
	bool regular;
	bool in_ends;
	bool sent_close;
	bool got_close;
	bool blocked;
	bool more;
	bool refused;
	double budget;
	uint64_t filled;
	uint64_t heard;
	uint64_t sent;
	uint64_t received;
};

/*
 * The file that received data goes to. It is that of all clients of a server, so that none
 * overwrites what another one has sent, and it is emptied when the first one is connected.
 */
static int output = STDOUT_FILENO;
static bool output_begun;

/* The file of stop_open() */
static int stop;

void transfer_prepare(const struct options *o)
{
	struct stat st;

	/* The file is opened for each client. A FIFO may be opened once only. */
	if (o->file && (access(o->file, R_OK) || stat(o->file, &st)))
		err(1, "--file %s", o->file);
	if (o->file && S_ISDIR(st.st_mode))
		errx(1, "--file %s: %s", o->file, strerror(EISDIR));
	if (o->output)
		output = open(o->output, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (output < 0)
		err(1, "--output %s", o->output);
	stop = stop_open();
}

/* Empty the file of --output once, if it is a regular one: no other can be emptied. */
static bool begin_output(const struct options *o)
{
	bool good = !o->output || output_begun || !ftruncate(output, 0) ||
		    errno == EINVAL;

	output_begun = true;
	if (!good)
		warn("--output %s", o->output);
	return good;
}

static bool open_ends(struct transfer *t)
{
	struct stat st;

	t->in = t->o->output ? -1 : STDIN_FILENO;
	if (t->o->file)
		t->in = open(t->o->file, O_RDONLY | O_CLOEXEC);
	if (t->o->file && t->in < 0) {
		warn("--file %s", t->o->file);
		return false;
	}
	t->regular = t->in >= 0 && !fstat(t->in, &st) && S_ISREG(st.st_mode);
	/* A server without input goes on listening. */
	t->in_ends = t->o->file || !t->o->server;

	return begin_output(t->o);
}

/*
 * Write to the output. It may be non-blocking, as the file of another program's, too.
 */
static bool write_all(const struct transfer *t, const char *buf, size_t len)
{
	struct pollfd p = { .fd = output, .events = POLLOUT };
	ssize_t n;

	for (; len; buf += n, len -= n) {
		if (stop_asked())
			return false;
		n = write(output, buf, len);
		if (n < 0 && errno == EAGAIN)
			poll(&p, 1, -1);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			n = 0;
		if (n < 0) {
			warn("%s", t->o->output ?: "standard output");
			return false;
		}
	}
	return true;
}

/*
 * Receive up to RECEIVE_ROUND records. Return false if the transfer has failed.
 */
static bool receive(struct transfer *t)
{
	char buf[DTLS_RECORD_SIZE_MAX];
	ssize_t n;
	int i;

	t->more = false;
	for (i = 0; i < RECEIVE_ROUND && !t->got_close; i++) {
		n = endpoint_recv(t->c.s, buf, sizeof(buf));
		if (n == -EAGAIN || n == -EINTR)
			return true;
		if (n == -ECONNREFUSED && t->sent_close) {
			t->refused = true;
			return true;
		}
		if (n < 0) {
			warnx("receive: %s",
			      endpoint_reason(kdtls_engine(t->c.s), (int)n));
			return false;
		}
		t->heard = net_now();
		t->got_close = !n;
		t->received += n;
		if (!write_all(t, buf, n))
			return false;
	}
	t->more = !t->got_close;
	return true;
}

/* Return the number of bytes that may be sent now. */
static size_t allowance(struct transfer *t)
{
	uint64_t now = net_now();

	if (!t->o->rate)
		return BURST;
	t->budget += (now - t->filled) * t->o->rate / 1e6;
	t->filled = now;
	if (t->budget > BURST)
		t->budget = BURST;
	return t->budget > 0 ? t->budget : 0;
}

/* Return the ms until it is worth asking whether a record may be sent again; 0: now. */
static int pause_ms(struct transfer *t)
{
	size_t want = t->regular ? BURST / 2 : t->c.mtu;
	size_t may = allowance(t);
	double ms;

	if (may >= want)
		return 0;
	ms = (want - may) * 1e3 / t->o->rate + 1;
	return ms < PAUSE_MAX ? (int)ms : PAUSE_MAX;
}

static bool end_of_input(struct transfer *t)
{
	int bad;

	if (t->o->file)
		close(t->in);
	t->in = -1;
	if (!t->in_ends)
		return true;
	bad = kdtls_shutdown(t->c.s);
	if (bad)
		warnx("close_notify: %s", kdtls_strerror(bad));
	t->sent_close = true;
	t->heard = net_now();
	return !bad;
}

/* Send some of the input. Return false if the transfer has failed. */
static bool transmit(struct transfer *t)
{
	char buf[DTLS_RECORD_SIZE_MAX];
	ssize_t n;

	if (t->regular) {
		n = conn_send_file(&t->c, t->in, allowance(t));
	} else {
		n = read(t->in, buf, t->c.mtu);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n < 0) {
			warn("%s", t->o->file ?: "standard input");
			return false;
		}
		/*
		 * Wait for room in the socket, as bytes that were read from a
		 * pipe cannot be put back.
		 */
		while (n > 0) {
			struct pollfd p = { .fd = t->c.fd, .events = POLLOUT };
			ssize_t sent = kdtls_send(t->c.s, buf, n);

			if (sent != -EAGAIN || stop_asked()) {
				n = sent;
				break;
			}
			poll(&p, 1, -1);
		}
	}
	if (!n)
		return end_of_input(t);
	t->blocked = n == -EAGAIN;
	if (t->blocked || n == -EINTR)
		return true;
	if (n < 0) {
		warnx("send: %s", kdtls_strerror((int)n));
		return false;
	}
	t->budget -= n;
	t->sent += n;
	return true;
}

/* Answer the peer's close_notify unless more is to be sent. */
static bool answer_close(struct transfer *t)
{
	if (t->sent_close || (t->o->file && t->in >= 0))
		return true;
	t->sent_close = true;
	/* An error is ignored, as the peer may be gone. */
	kdtls_shutdown(t->c.s);
	return true;
}

static bool done(const struct transfer *t)
{
	uint64_t silence = net_now() - t->heard;

	if (!t->sent_close)
		return false;
	return t->got_close || t->refused ||
	       silence > t->o->linger * 1000000ULL;
}

static bool step(struct transfer *t)
{
	struct pollfd p[] = {
		{ .fd = t->got_close ? -1 : t->c.fd,
		  .events = POLLIN | POLLPRI },
		{ .fd = -1, .events = POLLIN },
		{ .fd = stop, .events = POLLIN },
	};
	int timeout = t->sent_close ? 100 : -1, wait;

	if (t->in >= 0) {
		wait = pause_ms(t);
		if (wait) {
			timeout = wait;
		} else if (t->blocked) {
			p[0].fd = t->c.fd;
			p[0].events |= POLLOUT;
		} else if (t->regular) {
			timeout = 0;
		} else {
			p[1].fd = t->in;
		}
	}
	wait = kdtls_timeout(t->c.s);
	if (wait >= 0 && (timeout < 0 || wait < timeout))
		timeout = wait;
	if (t->more)
		timeout = 0;
	if (poll(p, 3, timeout) < 0 && errno != EINTR) {
		warn("poll");
		return false;
	}
	if (stop_asked())
		return false;
	if (p[0].revents & POLLOUT)
		t->blocked = false;
	/* An error is left to the next call that sends or receives, which returns it. */
	if (p[0].revents & POLLPRI || !kdtls_timeout(t->c.s))
		kdtls_process(t->c.s);
	/* A timeout of 0 also means that the library has received records already. */
	if (!kdtls_timeout(t->c.s) && !t->got_close)
		t->more = true;
	if ((t->more || p[0].revents & ~(POLLOUT | POLLPRI)) && !receive(t))
		return false;
	if (t->got_close && !answer_close(t))
		return false;
	if (t->in >= 0 && !t->blocked && !pause_ms(t) &&
	    (t->regular || p[1].revents))
		return transmit(t);
	return true;
}

/*
 * Print a hint if full datagrams were sent and nothing came back: the path may lose all
 * large datagrams, although the small ones of a handshake and of close_notify get through.
 */
static void hint(const struct transfer *t)
{
	if (!t->o->server && !t->received && t->sent >= t->c.mtu &&
	    t->c.mtu > SMALL_MTU)
		warnx("nothing came back: if the path loses large datagrams, --mtu %d helps",
		      SMALL_MTU);
}

int transfer(struct kdtls_socket *s, const struct options *o)
{
	struct transfer t = {
		.o = o,
		.in = -1,
		.more = true,
		.budget = BURST,
		.filled = net_now(),
		.heard = net_now(),
	};
	char peer[ADDRESS_MAX];
	enum kdtls_path path;
	const char *why;
	bool good;

	stop_watch();
	path = kdtls_path(s, &why);
	endpoint_describe(kdtls_engine(s), net_peer(s, peer), path, why);
	conn_init(&t.c, s, o);
	good = open_ends(&t);
	while (good && !done(&t))
		good = step(&t);
	warnx("sent %llu bytes, received %llu",
	      (unsigned long long)t.sent, (unsigned long long)t.received);
	hint(&t);
	if (good && o->output && !t.got_close) {
		warnx("no close_notify came: %s may be cut short", o->output);
		good = false;
	}
	if (o->file && t.in >= 0)
		close(t.in);
	/* An error is ignored, as the peer may be gone. */
	if (stop_asked())
		kdtls_shutdown(s);
	stop_end();
	return good ? 0 : 1;
}
