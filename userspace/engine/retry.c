// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file chooses suite and group, and writes HelloRetryRequest. See retry.h.
 */
#include "retry.h"

static bool usable(const struct dtls_suite *s,
		   const struct dtls_client_hello *ch)
{
	return dtls_suite_is_13(s) && rd_has_u16(ch->suites, s->id);
}

/*
 * Choose a suite. An external pre-shared key is used with SHA-256 (RFC 8446
 * 4.2.11). So suites with SHA-256 are preferred if the client may have such a
 * key. Return NULL if no suite is in common.
 */
static const struct dtls_suite *choose_suite(const struct kdtls_endpoint *ep,
					     const struct dtls_client_hello *ch)
{
	bool psk = dtls_ext_has(&ch->ext, DTLS_EXT_PSK) &&
		   ep->config.ops.psk_server;
	size_t i;

	for (i = 0; psk && i < ep->suite_count; i++)
		if (usable(ep->suites[i], ch) && !ep->suites[i]->sha384)
			return ep->suites[i];
	for (i = 0; i < ep->suite_count; i++)
		if (usable(ep->suites[i], ch))
			return ep->suites[i];
	return NULL;
}

bool dtls_retry_choose(const struct kdtls_endpoint *ep,
		       const struct dtls_client_hello *ch, bool again,
		       struct dtls_choice *choice)
{
	struct dtls_bytes r = ch->ext.ext[DTLS_EXT_GROUPS], list, share;
	const struct dtls_group *g;
	bool has;
	size_t i;

	memset(choice, 0, sizeof(*choice));
	choice->suite = choose_suite(ep, ch);
	if (!choice->suite)
		return false;
	if (!rd_vec(&r, 2, &list))
		return true;
	for (i = 0; i < ep->group_count; i++) {
		g = ep->groups[i];
		if (!rd_has_u16(list, g->id))
			continue;
		has = dtls_hello_share(ch, g->id, &share);
		if (!choice->group || (has && !choice->share.len && !again)) {
			choice->group = g;
			choice->share = has ? share : (struct dtls_bytes){ 0 };
		}
	}
	return true;
}

void dtls_retry_write(struct dtls_writer *w, u16 suite, u16 group,
		      struct dtls_bytes cookie)
{
	size_t list = dtls_hello_open13(w, dtls_hello_retry_random, suite), ext;

	if (group) {
		ext = dtls_ext_open(w, DTLS_EXT_KEY_SHARE);
		wr_u16(w, group);
		wr_close(w, ext, 2);
	}
	if (cookie.len) {
		ext = dtls_ext_open(w, DTLS_EXT_COOKIE);
		wr_vec(w, 2, cookie.p, cookie.len);
		wr_close(w, ext, 2);
	}
	wr_close(w, list, 2);
}
