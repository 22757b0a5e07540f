// SPDX-License-Identifier: GPL-2.0
/*
 * What an idle peer costs in memory: in the kernel, by its slabs, and in the program,
 * by its heap; see bench.h. What is counted are objects in use, so that neither room
 * that an allocator keeps nor memory that other programs take is in it.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "memory.h"
#include "openssl.h"
#include "servers.h"

/* Add up slabinfo's objects. Return the bytes of the slabs they are in. */
static double slab_objects(double *bytes)
{
	FILE *f = fopen("/proc/slabinfo", "r");
	double slabs = 0, active, size, pages, number;
	char line[512];

	*bytes = 0;
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %lf %*f %lf %*f %lf : %*s %*f %*f %*f : %*s %*f %lf",
			   &active, &size, &pages, &number) != 4)
			continue;
		*bytes += active * size;
		slabs += pages * number * sysconf(_SC_PAGESIZE);
	}
	if (f)
		fclose(f);
	return slabs;
}

static double meminfo(const char *name)
{
	FILE *f = fopen("/proc/meminfo", "r");
	size_t len = strlen(name);
	double kib = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len) && line[len] == ':')
			kib = strtod(line + len + 1, NULL);
	if (f)
		fclose(f);
	return kib * 1024;
}

/*
 * meminfo's Slab also has what kmalloc() takes in whole pages, in no cache of
 * slabinfo's. What was closed before is freed after a grace period.
 */
struct held held(void)
{
	struct mallinfo2 heap = mallinfo2();
	double objects, slabs;

	sleep(1);
	slabs = slab_objects(&objects);
	return (struct held){
		.kernel = objects + meminfo("Slab") - slabs + meminfo("Percpu"),
		.heap = (double)(heap.uordblks + heap.hblkhd),
	};
}

static struct ends pairs[PEERS];
static SSL *sessions[PEERS];

static bool take_socket(unsigned int i)
{
	return open_pair(&pairs[i], SOCK_DGRAM);
}

static bool take_attached(unsigned int i)
{
	return ours_attach(&pairs[i]);
}

static bool take_keys(unsigned int i)
{
	return ours_keys(&pairs[i]);
}

static void drop_socket(unsigned int i)
{
	close_pair(&pairs[i]);
}

/* A server's socket with a table, which its associations are added to */
static const struct server way = { .name = "ours 1.2", .batch = ONE };
static struct service table = { .server = &way, .fd = -1 };

static bool take_association(unsigned int i)
{
	return server_table_add(&table, i);
}

static bool weigh_table(void)
{
	bool ok = wire_open() && server_table_open(&table) &&
		  weigh("association of a table, both keys", take_association,
			1);

	server_udp_close(&table);
	return ok;
}

static bool take_session(unsigned int i)
{
	SSL *client;
	bool ok = openssl_pair(DTLS_CIPHER_AES_GCM_128, &client, &sessions[i]);

	SSL_free(client);
	return ok;
}

static void drop_session(unsigned int i)
{
	SSL_free(sessions[i]);
	sessions[i] = NULL;
}

bool weigh(const char *name, bool (*take)(unsigned int i), unsigned int ends)
{
	struct row row = { .name = name };
	struct ends e = { .row = &row, .cipher_name = "AES-128-GCM" };
	struct json_object *o = figure("memory", &e);
	struct held before, after;
	unsigned int i;
	bool ok = true;

	before = held();
	for (i = 0; ok && i < PEERS; i++)
		ok = take(i);
	after = held();
	figure_add(o, "kernel_bytes",
		   (after.kernel - before.kernel) / PEERS / ends);
	figure_add(o, "heap_bytes", (after.heap - before.heap) / PEERS / ends);
	if (ok)
		figure_print(o);
	else
		json_object_put(o);
	return ok;
}

void drop_all(void (*drop)(unsigned int i))
{
	unsigned int i;

	for (i = 0; i < PEERS; i++)
		drop(i);
}

bool memory(const struct ends *e)
{
	unsigned int i;
	bool ok;

	for (i = 0; i < PEERS; i++)
		pairs[i] = *e;
	ok = many_files() && weigh("UDP socket", take_socket, 2) &&
	     weigh("attaching it", take_attached, 2) &&
	     weigh("its association, both keys", take_keys, 2);
	drop_all(drop_socket);
	ok = ok && weigh_table() && take_session(0);
	drop_session(0);
	ok = ok && weigh("OpenSSL session", take_session, 1);
	drop_all(drop_session);
	return ok && memory_library();
}
