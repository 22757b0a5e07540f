// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file finds the processes that hold UDP sockets; see holders.h. /proc/net/udp and
 * udp6 name the sockets of the network namespace by the numbers of their inodes, and
 * /proc/PID/fd tells which process holds which inode.
 */
#include "holders.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINE_MAX_LEN	256

/*
 * struct inodes is the inodes of sockets, sorted. An inode is set to 0 when its socket was
 * shown, so that a socket of two processes is shown once.
 */
struct inodes {
	unsigned long *number;
	bool *taken;
	size_t count;
	size_t room;
};

static int add_inode(struct inodes *inodes, unsigned long number)
{
	unsigned long *more;

	if (inodes->count == inodes->room) {
		inodes->room = inodes->room ? 2 * inodes->room : 256;
		more = reallocarray(inodes->number, inodes->room,
				    sizeof(*more));
		if (!more)
			return -ENOMEM;
		inodes->number = more;
	}
	inodes->number[inodes->count++] = number;
	return 0;
}

/* Add the inodes of one of the files of /proc/net. Without IPv6 there is no udp6. */
static int read_inodes(struct inodes *inodes, const char *name)
{
	FILE *f = fopen(name, "r");
	char line[LINE_MAX_LEN];
	unsigned long number;
	int err = 0;

	if (!f)
		return errno == ENOENT ? 0 : -errno;
	while (!err && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %lu",
			   &number) == 1)
			err = add_inode(inodes, number);
	fclose(f);
	return err;
}

static int compare(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a;
	unsigned long y = *(const unsigned long *)b;

	return (x > y) - (x < y);
}

static int find_inodes(struct inodes *inodes)
{
	int err = read_inodes(inodes, "/proc/net/udp");

	if (!err)
		err = read_inodes(inodes, "/proc/net/udp6");
	if (err || !inodes->count)
		return err;
	qsort(inodes->number, inodes->count, sizeof(*inodes->number), compare);
	inodes->taken = calloc(inodes->count, sizeof(*inodes->taken));
	return inodes->taken ? 0 : -ENOMEM;
}

/* Return true if @number is one of the inodes and was not taken before. */
static bool take_inode(struct inodes *inodes, unsigned long number)
{
	const unsigned long *found;
	size_t i;

	found = bsearch(&number, inodes->number, inodes->count,
			sizeof(*inodes->number), compare);
	if (!found)
		return false;
	i = found - inodes->number;
	if (inodes->taken[i])
		return false;
	inodes->taken[i] = true;
	return true;
}

static void read_command(pid_t pid, char command[COMMAND_MAX])
{
	char name[32];
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/comm", pid);
	f = fopen(name, "r");
	if (!f || !fgets(command, COMMAND_MAX, f))
		command[0] = 0;
	command[strcspn(command, "\n")] = 0;
	if (f)
		fclose(f);
}

int holder_get(struct holder *holder, pid_t pid, int number)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0), err = 0;

	if (pidfd < 0)
		return -errno;
	holder->pid = pid;
	holder->number = number;
	holder->fd = syscall(SYS_pidfd_getfd, pidfd, number, 0);
	if (holder->fd < 0)
		err = -errno;
	close(pidfd);
	if (!err)
		read_command(pid, holder->command);
	return err;
}

/* Show the UDP sockets that one process holds, if no process before held them. */
static void walk_files(struct inodes *inodes, pid_t pid,
		       void (*take)(const struct holder *holder, void *ctx),
		       void *ctx)
{
	char name[32], target[64];
	unsigned long number;
	struct holder holder;
	struct dirent *e;
	ssize_t n;
	DIR *dir;

	snprintf(name, sizeof(name), "/proc/%d/fd", pid);
	dir = opendir(name);
	if (!dir)
		return;
	while ((e = readdir(dir))) {
		n = readlinkat(dirfd(dir), e->d_name, target,
			       sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = 0;
		if (sscanf(target, "socket:[%lu]", &number) != 1 ||
		    !take_inode(inodes, number) ||
		    holder_get(&holder, pid, atoi(e->d_name)))
			continue;
		take(&holder, ctx);
		close(holder.fd);
	}
	closedir(dir);
}

int holders_each(void (*take)(const struct holder *holder, void *ctx),
		 void *ctx)
{
	struct inodes inodes = { .count = 0 };
	int err = find_inodes(&inodes);
	struct dirent *e;
	DIR *dir;

	dir = err ? NULL : opendir("/proc");
	if (!err && !dir)
		err = -errno;
	while (!err && (e = readdir(dir)))
		if (isdigit((unsigned char)e->d_name[0]))
			walk_files(&inodes, atoi(e->d_name), take, ctx);
	if (dir)
		closedir(dir);
	free(inodes.number);
	free(inodes.taken);
	return err;
}
