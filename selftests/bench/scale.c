// SPDX-License-Identifier: GPL-2.0
/* What a record costs where there are many sockets; see bench.h. */
#include <stdlib.h>

#include "bench.h"

#define PAIRS_MAX	10000

/* A record over each of 1 to 10,000 pairs of sockets in turn */
bool many_sockets(struct ends *e)
{
	struct ends *pairs = calloc(PAIRS_MAX, sizeof(*pairs));
	unsigned int open = 0, n, round, i;
	bool ok = pairs && many_files();

	for (n = 1; ok && n <= PAIRS_MAX; n *= 10) {
		unsigned int rounds = PAIRS_MAX / n;
		uint64_t start, spent = 0;
		struct json_object *o;

		for (; ok && open < n; open++) {
			pairs[open] = *e;
			ok = e->row->open(&pairs[open]);
		}
		for (round = 0; ok && round <= rounds; round++) {
			start = now();
			for (i = 0; ok && i < n; i++)
				ok = e->row->send(&pairs[i], 1);
			for (i = 0; ok && i < n; i++)
				ok = e->row->recv(&pairs[i], 1);
			if (round)
				spent += now() - start;
		}
		if (!ok)
			break;
		o = figure("sockets", e);
		figure_add(o, "pairs", n);
		figure_add(o, "sum", (double)spent / rounds / n);
		figure_print(o);
	}
	while (open--)
		e->row->close(&pairs[open]);
	free(pairs);
	return ok;
}
