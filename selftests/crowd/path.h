/* SPDX-License-Identifier: GPL-2.0 */
/* A path between clients and a server on this machine, which loses datagrams. */
#ifndef _CROWD_PATH_H
#define _CROWD_PATH_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct path - a process that carries datagrams between clients and one server
 * @port:	where clients write to, on 127.0.0.1
 * @pid:	the process
 * @counts:	what it has carried and lost, in shared memory
 */
struct path {
	uint16_t port;
	pid_t pid;
	struct path_counts {
		uint64_t carried[2];	/* to the server, to clients */
		uint64_t lost[2];
		uint64_t clients;
	} *counts;
};

/*
 * Begin to carry datagrams to @server, of which @loss of a hundred are lost each way. The
 * server sees another port for each port of a client, and always the same one. Return 0 or
 * -1.
 */
int path_start(struct path *p, const struct sockaddr_in *server, unsigned int loss);

/* End the process. @counts stays. */
void path_stop(struct path *p);

#endif /* _CROWD_PATH_H */
