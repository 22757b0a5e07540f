/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Many clients of another DTLS library in one process. clients.c has what all libraries
 * have in common, and a file for each library defines @library.
 *
 * A program of these gets orders on standard input, each a byte, and answers on standard
 * output when all its clients have followed one.
 */
#ifndef _CROWD_CLIENTS_H
#define _CROWD_CLIENTS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The server's name, and the pre-shared key with its identity */
#define CROWD_NAME	"crowd.example"
#define CROWD_IDENTITY	"Client_identity"
#define CROWD_KEY	"0123456789abcdef"
#define CROWD_KEY_HEX	"30313233343536373839616263646566"

/* Orders of the conductor. Each is answered with one byte, the order itself. */
enum order {
	ORDER_UP = 'u',		/* shake hands; clients do so when they begin */
	ORDER_TALK = 't',	/* send lines, and get them back */
	ORDER_ANEW = 'a',	/* drop all sessions, and shake hands from the same ports */
	ORDER_LEAVE = 'l',	/* say goodbye, and exit */
};

/**
 * struct crowd - what all clients of a process have in common
 * @server:	the address that they connect to
 * @ca:		the file with the certificate of the authority; NULL: the pre-shared key
 */
struct crowd {
	struct sockaddr_in server;
	const char *ca;
};

/**
 * struct client - one client
 * @crowd:	the crowd that it belongs to
 * @fd:		its socket, which is connected and does not block; -1: the library has made
 *		one
 * @session:	the library's object
 * @data:	what else the file of a library keeps
 */
struct client {
	const struct crowd *crowd;
	int fd;
	void *session;
	void *data;

	/* These are clients.c's own. */
	unsigned int number, life, handshakes, talks;
	bool up, ready;
	uint64_t since, said;
	uint32_t heard;
};

/**
 * struct library - a DTLS library, set up as its users have it
 * @name:	its name
 * @version:	returns its version
 * @tls:	the version of DTLS that it speaks
 * @init:	is called once, before all others. Return false if that failed
 * @open:	begin a session. Return false if that failed
 * @step:	go on with the handshake. Return 1 when it is done, 0 if it is not, and -1
 *		if the library has given it up
 * @send:	send a record. Return false if that failed
 * @receive:	receive a record, and run the library's timers. Return its bytes, 0 if
 *		there is none, or -1 if the session has ended
 * @turn:	do what is due for all clients; NULL: the functions above do all
 * @close:	free the session, after a goodbye to the server if @goodbye is set
 */
struct library {
	const char *name;
	const char *(*version)(void);
	const char *tls;
	bool (*init)(const struct crowd *crowd);
	bool (*open)(struct client *c);
	int (*step)(struct client *c);
	bool (*send)(struct client *c, const char *line, size_t len);
	ssize_t (*receive)(struct client *c, char *line, size_t size);
	void (*turn)(void);
	void (*close)(struct client *c, bool goodbye);
};

extern const struct library library;

#endif /* _CROWD_CLIENTS_H */
