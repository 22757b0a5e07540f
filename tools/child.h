/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions run the command of kdtls server --exec for each client: the command
 * reads what the client sends, and what it writes goes to the client in records.
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
 * @client:	the client; NULL: the client is gone, and child_bury() frees the child
 * @epoll:	the epoll file that waits for @fd, with a pointer to the child
 * @fd:		the command's standard input and output
 * @record:	bytes of content of the largest record to the client
 * @goodbye:	the client has said goodbye and sends nothing more
 * @have:	bytes in @queue
 * @queue:	data from the client that the command has not taken yet
 * @list:	link of the list of all children
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
 * Run the command of the options for a client. Return the child, or NULL after a message
 * if the command cannot be run.
 */
struct child *child_start(struct children *all, int epoll,
			  struct kdtls_server *server,
			  struct kdtls_client *client, const struct options *o);

/*
 * Give the command data that the client has sent. If the command does not read and its
 * queue is full, the data is lost, as datagrams are.
 */
void child_take(struct child *child, const void *data, size_t len);

/* Tell the command, by the end of its input, that the client has said goodbye. */
void child_goodbye(struct child *child);

/* Move data both ways when epoll has an event of @child->fd. */
void child_attend(struct child *child);

/* Note that the client is gone. child_bury() frees the child later. */
void child_end(struct child *child);

/*
 * Free the children whose clients are gone. Called when all events of one epoll_wait()
 * were read, as an event may point to such a child.
 */
void child_bury(struct children *all);

#endif
