/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command that kdtls server --exec runs for a client: it reads what the client
 * sends, and its output goes to the client in records.
 */
#ifndef CHILD_H
#define CHILD_H

#include "options.h"
#include <kdtls/server.h>
#include <stdint.h>
#include <sys/queue.h>

/**
 * struct child - a command and its client
 * @server:	the server of @client
 * @client:	the client; NULL: it is gone, and @list is to be freed of the child
 * @epoll:	waits for @fd, with a pointer to the child
 * @fd:		the command's standard input and output
 * @record:	bytes of content of a record to the client
 * @goodbye:	the client sends nothing more
 * @have:	bytes in @queue
 * @queue:	received, and not taken by the command yet
 * @list:	in the list of all children
 */
struct child {
	struct kdtls_server *server;
	struct kdtls_client *client;
	int epoll;
	int fd;
	size_t record;
	bool goodbye;
	size_t have;
	char *queue;
	LIST_ENTRY(child) list;
};

LIST_HEAD(children, child);

/*
 * Run the command of the options for a client. Return NULL, and say why, if that is not
 * possible.
 */
struct child *child_start(struct children *all, int epoll,
			  struct kdtls_server *server,
			  struct kdtls_client *client, const struct options *o);

/*
 * Give the command what the client has sent. A command that does not read loses it when
 * its queue is full, as datagrams are lost.
 */
void child_take(struct child *child, const void *data, size_t len);

/* Tell the command, by the end of its input, that the client has said goodbye. */
void child_goodbye(struct child *child);

/* Move what there is, when epoll has told of @child->fd. */
void child_attend(struct child *child);

/* Note that the client is gone. */
void child_end(struct child *child);

/* Free the children whose clients are gone, once no event at hand names them. */
void child_bury(struct children *all);

#endif
