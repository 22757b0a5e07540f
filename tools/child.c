// SPDX-License-Identifier: BSD-3-Clause
/* This file runs a command for each client of a server; see child.h. */
#include "child.h"
#include "conn.h"
#include "net.h"
#include "serve.h"
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE_MAX	(256 * 1024)	/* bytes that wait for a command */
#define RECORDS		16		/* records of a command's output in one call */
#define VARIABLE	"KDTLS_PEER="

/*
 * Return the environment of this process with the string @peer added, which sets
 * KDTLS_PEER; or NULL without memory. The caller frees the array and not its strings.
 */
static char **environment(char *peer)
{
	size_t n = 0, i;
	char **env;

	while (environ[n])
		n++;
	env = calloc(n + 2, sizeof(*env));
	if (!env)
		return NULL;
	env[0] = peer;
	for (n = 1, i = 0; environ[i]; i++)
		if (strncmp(environ[i], VARIABLE, strlen(VARIABLE)))
			env[n++] = environ[i];
	return env;
}

/*
 * Run @command with @fd as its standard input and output. It has standard error and no
 * other descriptor of this process: a descriptor that this process was given may be that
 * of a passphrase or of a key. Return 0 or an error number.
 */
static int spawn(const char *command, char **env, int fd)
{
	char *const argv[] = { "sh", "-c", (char *)command, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t defaults;
	pid_t pid;
	int bad;

	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGCHLD);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&actions);
	bad = posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO) ?:
	      posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO) ?:
	      posix_spawn_file_actions_addclosefrom_np(&actions,
						       STDERR_FILENO + 1) ?:
	      posix_spawn(&pid, "/bin/sh", &actions, &attr, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return bad;
}

/*
 * Run a command for a client. Return the other end of the socket that is its standard
 * input and output, or -1.
 */
static int run(const char *command, const struct kdtls_client *client)
{
	char peer[sizeof(VARIABLE) + ADDRESS_MAX] = VARIABLE;
	int pair[2], bad = ENOMEM;
	char **env;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	net_client(client, peer + strlen(VARIABLE));
	env = environment(peer);
	if (env)
		bad = spawn(command, env, pair[1]);
	free(env);
	close(pair[1]);
	if (!bad)
		return pair[0];
	close(pair[0]);
	errno = bad;
	return -1;
}

static void watch(const struct child *child, int op, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = (void *)child };

	epoll_ctl(child->epoll, op, child->fd, &e);
}

struct child *child_start(struct children *all, int epoll,
			  struct kdtls_server *server,
			  struct kdtls_client *client, const struct options *o)
{
	struct child *child = calloc(1, sizeof(*child));

	if (child) {
		child->server = server;
		child->client = client;
		child->epoll = epoll;
		child->record = conn_record(o, kdtls_client_payload(client),
					    kdtls_client_engine(client));
		child->fd = run(o->command, client);
	}
	if (!child || child->fd < 0) {
		warn("--exec %s", o->command);
		free(child);
		return NULL;
	}
	watch(child, EPOLL_CTL_ADD, EPOLLIN);
	LIST_INSERT_HEAD(all, child, list);
	return child;
}

/*
 * Write to the command. Return the bytes that are done with: those that it took, or all
 * of them if the command reads no more.
 */
static size_t write_some(const struct child *child, const char *data, size_t len)
{
	ssize_t n = send(child->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN ? 0 : len;
	return n;
}

/*
 * Write the queue to the command and, if the client has said goodbye and all is written,
 * end the command's input.
 */
static void feed(struct child *child)
{
	size_t n = child->have;

	if (n)
		n = write_some(child, child->queue, n);
	child->have -= n;
	memmove(child->queue, child->queue + n, child->have);
	if (!child->have && child->goodbye)
		shutdown(child->fd, SHUT_WR);
	watch(child, EPOLL_CTL_MOD, EPOLLIN | (child->have ? EPOLLOUT : 0));
}

void child_take(struct child *child, const void *data, size_t len)
{
	size_t n = child->have ? 0 : write_some(child, data, len);
	char *queue;

	if (n == len || child->have + len - n > QUEUE_MAX)
		return;
	queue = realloc(child->queue, child->have + len - n);
	if (!queue)
		return;
	memcpy(queue + child->have, (const char *)data + n, len - n);
	child->queue = queue;
	child->have += len - n;
	feed(child);
}

void child_goodbye(struct child *child)
{
	child->goodbye = true;
	feed(child);
}

/* Send the client what the command has written, in records. */
static void send_output(struct child *child, const char *data, size_t len)
{
	struct kdtls_message m[RECORDS];
	size_t n, left = len;

	for (n = 0; left; n++) {
		m[n] = (struct kdtls_message){
			.client = child->client,
			.data = data + len - left,
			.len = left < child->record ? left : child->record,
		};
		left -= m[n].len;
	}
	serve_send(child->server, m, n);
}

void child_attend(struct child *child)
{
	char buf[RECORDS * DTLS_RECORD_SIZE_MAX];
	ssize_t n;

	if (!child->client)
		return;
	if (child->have)
		feed(child);
	n = recv(child->fd, buf, RECORDS * child->record, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0) {
		send_output(child, buf, n);
		return;
	}
	serve_end(child->client, "the command has ended");
}

void child_end(struct child *child)
{
	child->client = NULL;
}

void child_bury(struct children *all)
{
	struct child *child = LIST_FIRST(all), *next;

	for (; child; child = next) {
		next = LIST_NEXT(child, list);
		if (child->client)
			continue;
		LIST_REMOVE(child, list);
		/*
		 * A command that another thread is starting has a copy of the descriptor
		 * until its execve(), and epoll would go on waiting for the file.
		 */
		watch(child, EPOLL_CTL_DEL, 0);
		close(child->fd);
		free(child->queue);
		free(child);
	}
}
