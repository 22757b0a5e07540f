/* SPDX-License-Identifier: GPL-2.0 */
/* The system's own figures: of a memory cgroup, of UDP, of one socket. */
#ifndef SELFTESTS_FIGURES_H
#define SELFTESTS_FIGURES_H

/* Write @value to the file at @path. Return 0 or -1. */
int put(const char *path, const char *value);

/*
 * Return the number behind @key in the last line that begins with @line of the file at
 * @path, or -1.
 */
long figure(const char *path, const char *line, const char *key);

/*
 * Go into a memory cgroup of the tests', which is made if it is not there, and out of it.
 * What is made meanwhile is charged to it. A test that goes out of it has no limit itself.
 * Return 0 or -1.
 */
int enter_cgroup(const char *limit);
int leave_cgroup(void);

/*
 * Let the tasks of another cgroup of the tests', which is made if it is not there, have
 * as much of a processor as @limit says, in the form of cpu.max. Return 0; or -1, with
 * ENOENT in errno if the kernel has no such limits.
 */
int limit_slow_cgroup(const char *limit);
/* Go into that cgroup. Return 0 or -1. */
int enter_slow_cgroup(void);
/* Return what cpu.stat of that cgroup has in the line that begins with @key, or -1. */
long slow_cgroup_stat(const char *key);

/* Return the bytes that are charged to the memory cgroup, or -1. */
long cgroup_bytes(void);
/*
 * Return the same without what the processors have charged in advance, which is up to
 * 64 pages each: 4 MiB where pages have 64 KiB. No task may be in the cgroup.
 */
long cgroup_bytes_in_use(void);

/*
 * Return what memory.stat of that cgroup has in the line that begins with @key, such as
 * "kernel " or "sock ", in bytes, or -1. The kernel updates it every two seconds.
 */
long cgroup_stat(const char *key);

/* Return the bytes that are charged to all UDP sockets together, or -1. */
long udp_bytes(void);

/* Return a figure of the socket @fd, SK_MEMINFO_*, or ~0. */
unsigned int meminfo(int fd, int what);

#endif /* SELFTESTS_FIGURES_H */
