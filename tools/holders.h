/* SPDX-License-Identifier: BSD-3-Clause */
/* These functions find the processes that hold the UDP sockets of a network namespace. */
#ifndef HOLDERS_H
#define HOLDERS_H

#include <sys/types.h>

#define COMMAND_MAX	64	/* bytes of the name of a process, with its NUL */

/**
 * struct holder - a process that holds a socket
 * @pid:	the process
 * @number:	the socket's file descriptor in the process @pid
 * @fd:		a file descriptor of the same socket in this process
 * @command:	name of the process, which the process may have set to anything
 */
struct holder {
	pid_t pid;
	int number;
	int fd;
	char command[COMMAND_MAX];
};

/*
 * Set @holder to descriptor @number of process @pid. Return 0; -ESRCH: there is no such
 * process; -EBADF: it has no such descriptor; -EPERM: it is not this user's; or another
 * -errno. The caller closes @holder->fd.
 */
int holder_get(struct holder *holder, pid_t pid, int number);

/*
 * Call @take for each UDP socket of this network namespace that a process holds, once for
 * each socket. Sockets of processes that this one may not trace are left out, and so are
 * those that no process holds by a file descriptor. Return 0 or -errno.
 */
int holders_each(void (*take)(const struct holder *holder, void *ctx),
		 void *ctx);

#endif
