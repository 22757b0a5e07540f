// SPDX-License-Identifier: GPL-2.0
/*
 * What a server pays for a client that comes, with others there already: in the kernel
 * for an association with both keys, which is added and deleted, and in the library for
 * a handshake with a pre-shared key and all that follows until the program is told.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "library.h"
#include "servers.h"

#define ROUNDS		64	/* of BATCH newcomers each, in the kernel */
#define HANDSHAKES	8	/* rounds of them in the library */
#define THERE_MAX	5000	/* clients of the library, each of which shakes hands */

#define N(array)	(sizeof(array) / sizeof((array)[0]))

static void print(const char *name, unsigned int there, const struct cost *cost)
{
	struct row row = { .name = name };
	struct ends e = { .row = &row, .cipher_name = "AES-128-GCM" };
	struct json_object *o = figure("newcomer", &e);

	figure_add(o, "clients", there);
	figure_add(o, "come", cost->recv);
	if (cost->send)
		figure_add(o, "go", cost->send);
	figure_print(o);
}

static bool delete(struct service *s, unsigned int client)
{
	__u64 id = client + 1;

	return !setsockopt(s->fd, SOL_DTLS, DTLS_ASSOC_DEL, &id, sizeof(id));
}

/* Add BATCH associations, and delete them. */
static bool come_and_go(struct service *s, struct cost *cost)
{
	uint64_t t[3];
	unsigned int i;

	t[0] = now();
	for (i = 0; i < BATCH; i++)
		if (!server_table_add(s, s->clients + i))
			return false;
	t[1] = now();
	for (i = 0; i < BATCH; i++)
		if (!delete(s, s->clients + i))
			return false;
	t[2] = now();
	*cost = (struct cost){ .recv = t[1] - t[0], .send = t[2] - t[1] };
	return true;
}

static bool associations(unsigned int there)
{
	static const struct server way = { .name = "ours 1.2", .batch = ONE };
	struct service s = { .server = &way, .clients = there, .fd = -1 };
	unsigned int warm = WARM(ROUNDS), i;
	struct cost costs[ROUNDS], cost;
	bool ok = server_table_open(&s);

	for (i = 0; ok && i < warm + ROUNDS; i++)
		ok = come_and_go(&s, &costs[i < warm ? 0 : i - warm]);
	server_udp_close(&s);
	if (!ok)
		return false;
	cost = middle_half(costs, ROUNDS);
	print("an association and its keys", there, &cost);
	return true;
}

/* Let @n clients shake hands. Set @cost to what that cost the server. */
static bool shake_hands(struct kdtls_server *server, unsigned int n,
			struct cost *cost)
{
	bool ok = true;

	*cost = (struct cost){ 0 };
	while (ok && n--)
		ok = library_client(server, &cost->recv);
	return ok;
}

/* Handshakes with one client there, and with THERE_MAX */
static bool handshakes(enum kdtls_path path, const char *name)
{
	static const unsigned int there[] = { 1, THERE_MAX };
	struct kdtls_server_options options = { .path = path };
	struct kdtls_server *server = NULL;
	struct kdtls_server_info info;
	struct cost costs[HANDSHAKES], cost;
	bool ok;
	size_t i, j;

	ok = library_open(KDTLS_PATH_USER) &&
	     library_complain(kdtls_server_on(library_server, "127.0.0.1", "0",
					      &options, &server));
	for (i = 0; ok && i < N(there); i++) {
		kdtls_server_get_info(server, &info);
		ok = info.clients >= there[i] ||
		     shake_hands(server, there[i] - info.clients, &cost);
		for (j = 0; ok && j < HANDSHAKES; j++)
			ok = shake_hands(server, BATCH, &costs[j]);
		if (!ok)
			break;
		cost = middle_half(costs, HANDSHAKES);
		print(name, there[i], &cost);
	}
	kdtls_server_close(server);
	library_close();
	return ok;
}

bool newcomers(void)
{
	static const unsigned int there[] = { 0, 10000, CLIENTS_MAX };
	bool ok = wire_open();
	size_t i;

	for (i = 0; ok && i < N(there); i++) {
		errno = 0;
		ok = associations(there[i]);
	}
	if (!ok)
		fprintf(stderr, "bench: newcomers: %s\n", strerror(errno));
	return ok &&
	       handshakes(KDTLS_PATH_KERNEL, "a handshake, kernel's records") &&
	       handshakes(KDTLS_PATH_USER, "a handshake, library's records");
}
