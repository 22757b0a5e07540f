// SPDX-License-Identifier: BSD-3-Clause
/* This file says where a server listens; see listen.h. */
#include "listen.h"
#include <err.h>
#include <errno.h>

static const char *place(const struct options *o)
{
	return o->host ?: "any address";
}

void listen_all(const struct options *o, int (*open)(void *ctx, const char *host),
		void *ctx)
{
	static const char *const any[LISTEN_MAX] = { "0.0.0.0", "::" };
	int i, count = 0, bad = 0;

	if (o->host)
		bad = open(ctx, o->host);
	for (i = 0; i < LISTEN_MAX && !o->host; i++) {
		bad = open(ctx, any[i]);
		count += !bad;
		if (bad == -EAFNOSUPPORT || bad == -EADDRNOTAVAIL)
			bad = count ? 0 : bad;
		else if (bad)
			break;
	}
	if (bad)
		errx(1, "%s port %s: %s", place(o), o->port,
		     kdtls_strerror(bad));
}

void listen_tell(const struct options *o)
{
	warnx("listening on %s port %s", place(o), o->port);
}
