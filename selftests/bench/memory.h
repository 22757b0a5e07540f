/* SPDX-License-Identifier: GPL-2.0 */
/* Weighing what peers take, for the files that have peers. */
#ifndef _BENCH_MEMORY_H
#define _BENCH_MEMORY_H

#include <stdbool.h>

#define PEERS	500	/* peers that are opened; pairs where there are two ends */

/*
 * Call @take for all peers, and print what that took for each of a peer's @ends ends.
 * A false return says that @take failed.
 */
bool weigh(const char *name, bool (*take)(unsigned int i), unsigned int ends);

void drop_all(void (*drop)(unsigned int i));

/* Bytes that are in use, in the kernel and in the program's heap */
struct held {
	double kernel;
	double heap;
};

/* Return what is in use when what was closed before is freed. */
struct held held(void);

/* Weigh libkdtls's sockets, and clients of a server. */
bool memory_library(void);

#endif /* _BENCH_MEMORY_H */
