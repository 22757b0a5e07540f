// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs a server when one address begins handshakes by the thousand and leaves
 * them half open, with the limits that a server has unless it is told others: memory, open
 * files, and what each hello makes it do; and whether a client of another address gets in.
 *
 * Timers have no part in it: library.c makes them so long that no flight is sent again. So a
 * client of whose handshake anything is lost does not get in at all.
 */
#include <dirent.h>
#include <errno.h>
#include <arpa/inet.h>

#include "library.h"
#include "memory.h"
#include "servers.h"

#define ROUNDS		313		/* of BATCH handshakes: 10,016 */
#define BETWEEN		5000		/* of them behind each flight of the other client */
#define STEPS_MAX	8		/* replies that the other client waits for */
#define FLOODER		0x7f030001	/* 127.3.0.1 */
#define FIRST_PORT	20000

/* Begin a handshake from the flooder's next port. */
static bool hostile(struct kdtls_server *server, double cost[2])
{
	static in_port_t port = FIRST_PORT;
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_port = htons(port++),
		.sin_addr.s_addr = htonl(FLOODER),
	};

	return library_half_client(server, &from, cost);
}

/* Let the server take what has come, and forget what it tells. */
static void take_all(struct kdtls_server *server)
{
	struct kdtls_message message;

	while (kdtls_server_recv(server, &message, 1, 0) > 0)
		;
}

/* Return the number of files that the process has open, with the one that tells it. */
static unsigned int files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static struct json_object *row_of(const char *name, struct kdtls_server *server)
{
	struct row row = { .name = name };
	struct ends e = { .row = &row, .cipher_name = "AES-128-GCM" };
	struct json_object *o = figure("flood", &e);
	struct kdtls_server_info info;

	kdtls_server_get_info(server, &info);
	figure_add(o, "half_open", info.half_open);
	return o;
}

static bool begin_all(struct kdtls_server *server)
{
	struct held before = held(), after;
	unsigned int files_before = files(), i, j;
	struct cost costs[ROUNDS] = { 0 }, cost;
	struct json_object *o;

	for (i = 0; i < ROUNDS; i++)
		for (j = 0; j < BATCH; j++) {
			double hello[2] = { 0 };

			if (!hostile(server, hello))
				return false;
			costs[i].recv += hello[0];
			costs[i].send += hello[1];
		}
	after = held();
	cost = middle_half(costs, ROUNDS);
	o = row_of("half-open handshakes of one address", server);
	figure_add(o, "begun", ROUNDS * BATCH);
	figure_add(o, "hello", cost.recv);
	figure_add(o, "hello_with_cookie", cost.send);
	figure_add(o, "heap_bytes", after.heap - before.heap);
	figure_add(o, "files", files() - files_before);
	figure_print(o);
	return true;
}

/*
 * Take the client @s through the handshake that it has begun, with @between handshakes of
 * the flooder's behind each of its flights, which are more than the server has at a time.
 * Count the server's replies that the client needs. Return 0 or a negative error.
 */
static int step_by_step(struct kdtls_server *server, struct kdtls_socket *s,
			unsigned int between, unsigned int *replies)
{
	struct kdtls_server_info before, after;
	int err = -EINPROGRESS;
	double cost[2];
	unsigned int i;

	kdtls_server_get_info(server, &before);
	after = before;
	while (*replies < STEPS_MAX) {
		take_all(server);
		kdtls_server_get_info(server, &after);
		if (!err && after.established > before.established)
			return 0;
		for (i = 0; i < between; i++)
			if (!hostile(server, cost))
				return -EPROTO;
		if (err)
			++*replies;
		err = kdtls_process(s);
		if (err && err != -EINPROGRESS)
			return err;
	}
	return -ETIMEDOUT;
}

/* Let a client of another address in. */
static bool let_in(struct kdtls_server *server, unsigned int between)
{
	struct json_object *o = row_of("a client of another address", server);
	struct kdtls_socket *s = NULL;
	unsigned int replies = 0;
	struct kdtls_info info;
	int err;

	err = library_begin(library_port(server), NULL, &s);
	if (err == -EINPROGRESS)
		err = step_by_step(server, s, between, &replies);
	if (!err) {
		kdtls_engine_info(kdtls_engine(s), &info);
		figure_add(o, "between", between);
		figure_add(o, "replies", replies);
		figure_add(o, "flights_resent", info.flights_resent);
		figure_print(o);
	} else {
		json_object_put(o);
	}
	kdtls_close(s);
	take_all(server);
	return library_complain(err);
}

bool flood(void)
{
	struct kdtls_server_options options = { .path = KDTLS_PATH_USER };
	struct kdtls_server *server = NULL;
	bool ok;

	ok = library_open(KDTLS_PATH_USER) &&
	     library_complain(kdtls_server_on(library_server, "127.0.0.1", "0", &options,
					      &server)) &&
	     let_in(server, 0) && begin_all(server) && let_in(server, BETWEEN);
	kdtls_server_close(server);
	library_close();
	return ok;
}
