// SPDX-License-Identifier: GPL-2.0
/* The system's own figures; see figures.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "figures.h"

#define ROOT	"/sys/fs/cgroup"
#define CGROUP	ROOT "/dtls-test"
#define SLOW	ROOT "/dtls-slow"

int put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);
	ssize_t n = fd < 0 ? -1 : write(fd, value, strlen(value));

	close(fd);
	return n == (ssize_t)strlen(value) ? 0 : -1;
}

long figure(const char *path, const char *line, const char *key)
{
	FILE *f = fopen(path, "r");
	char text[512], *at;
	long value = -1;

	while (f && fgets(text, sizeof(text), f)) {
		if (strncmp(text, line, strlen(line)))
			continue;
		at = strstr(text, key);
		if (at)
			value = atol(at + strlen(key));
	}
	if (f)
		fclose(f);
	return value;
}

int enter_cgroup(const char *limit)
{
	if (put(ROOT "/cgroup.subtree_control", "+memory") ||
	    (mkdir(CGROUP, 0755) && errno != EEXIST) ||
	    put(CGROUP "/memory.max", limit))
		return -1;
	return put(CGROUP "/cgroup.procs", "0");
}

int limit_slow_cgroup(const char *limit)
{
	if (put(ROOT "/cgroup.subtree_control", "+cpu") ||
	    (mkdir(SLOW, 0755) && errno != EEXIST))
		return -1;
	return put(SLOW "/cpu.max", limit);
}

int enter_slow_cgroup(void)
{
	return put(SLOW "/cgroup.procs", "0");
}

long slow_cgroup_stat(const char *key)
{
	return figure(SLOW "/cpu.stat", key, " ");
}

int leave_cgroup(void)
{
	return put(ROOT "/cgroup.procs", "0");
}

long cgroup_bytes(void)
{
	return figure(CGROUP "/memory.current", "", "");
}

long cgroup_bytes_in_use(void)
{
	/* A limit below what is charged lets the kernel look for more that it can take. */
	if (put(CGROUP "/memory.high", "0") || put(CGROUP "/memory.high", "max"))
		return -1;
	return cgroup_bytes();
}

long cgroup_stat(const char *key)
{
	return figure(CGROUP "/memory.stat", key, " ");
}

long udp_bytes(void)
{
	return figure("/proc/net/sockstat", "UDP:", " mem ") *
	       sysconf(_SC_PAGESIZE);
}

unsigned int meminfo(int fd, int what)
{
	__u32 info[SK_MEMINFO_VARS] = {};
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len))
		return ~0u;
	return info[what];
}
