// SPDX-License-Identifier: BSD-3-Clause
/* This file reads and writes hellos and their extensions. See hello.h. */
#include "hello.h"

static const u16 ext_number[DTLS_EXT_COUNT] = {
	[DTLS_EXT_SERVER_NAME] = 0,
	[DTLS_EXT_GROUPS] = 10,
	[DTLS_EXT_POINT_FORMATS] = 11,
	[DTLS_EXT_SCHEMES] = 13,
	[DTLS_EXT_SRTP] = 14,
	[DTLS_EXT_HEARTBEAT] = 15,
	[DTLS_EXT_ALPN] = 16,
	[DTLS_EXT_CLIENT_CERT_TYPE] = 19,
	[DTLS_EXT_SERVER_CERT_TYPE] = 20,
	[DTLS_EXT_EMS] = 23,
	[DTLS_EXT_RECORD_LIMIT] = 28,
	[DTLS_EXT_TICKET] = 35,
	[DTLS_EXT_CID] = 54,
	[DTLS_EXT_RENEGOTIATION] = 0xff01,
	[DTLS_EXT_VERSIONS] = 43,
	[DTLS_EXT_COOKIE] = 44,
	[DTLS_EXT_KEY_SHARE] = 51,
	[DTLS_EXT_PSK_MODES] = 45,
	[DTLS_EXT_EARLY_DATA] = 42,
	[DTLS_EXT_AUTHORITIES] = 47,
	[DTLS_EXT_PSK] = 41,
};

size_t dtls_ext_open(struct dtls_writer *w, enum dtls_extension i)
{
	wr_u16(w, ext_number[i]);
	return wr_open(w, 2);
}

void dtls_ext_empty(struct dtls_writer *w, enum dtls_extension i)
{
	wr_u16(w, ext_number[i]);
	wr_u16(w, 0);
}

/*
 * Read a list of extensions. No extension may come twice, known or not (RFC
 * 5246 7.4.1.4).
 */
static bool read_list(struct dtls_extensions *e, struct dtls_bytes list)
{
	/*
	 * Each unknown extension has a bit. The first of them zeroes the array.
	 */
	u64 seen[65536 / 64];
	struct dtls_bytes body;
	unsigned int i;
	u16 number;

	while (list.len) {
		if (!rd_u16(&list, &number) || !rd_vec(&list, 2, &body))
			return false;
		e->last = number;
		for (i = 0; i < DTLS_EXT_COUNT; i++)
			if (ext_number[i] == number)
				break;
		if (i < DTLS_EXT_COUNT) {
			if (dtls_ext_has(e, i))
				return false;
			e->ext[i] = body;
			continue;
		}
		if (!e->unknown)
			memset(seen, 0, sizeof(seen));
		e->unknown = true;
		if (seen[number / 64] & 1ULL << number % 64)
			return false;
		seen[number / 64] |= 1ULL << number % 64;
	}
	return true;
}

bool dtls_ext_parse(struct dtls_extensions *e, struct dtls_bytes r)
{
	struct dtls_bytes list;

	memset(e, 0, sizeof(*e));
	if (!r.len)
		return true;
	return rd_vec(&r, 2, &list) && !r.len && read_list(e, list);
}

bool dtls_hello_front(struct dtls_client_hello *ch,
		      struct dtls_bytes *body)
{
	return rd_u16(body, &ch->version) &&
	       rd_bytes(body, 32, &ch->random) &&
	       rd_vec(body, 1, &ch->session_id) && ch->session_id.len <= 32 &&
	       rd_vec(body, 1, &ch->cookie);
}

bool dtls_hello_parse_client(struct dtls_client_hello *ch,
			     struct dtls_bytes body)
{
	return dtls_hello_front(ch, &body) &&
	       rd_vec(&body, 2, &ch->suites) && ch->suites.len &&
	       !(ch->suites.len % 2) &&
	       rd_vec(&body, 1, &ch->compressions) && ch->compressions.len &&
	       dtls_ext_parse(&ch->ext, body);
}

bool dtls_hello_parse_server(struct dtls_server_hello *sh,
			     struct dtls_bytes body)
{
	return rd_u16(&body, &sh->version) &&
	       rd_bytes(&body, 32, &sh->random) &&
	       rd_vec(&body, 1, &sh->session_id) && sh->session_id.len <= 32 &&
	       rd_u16(&body, &sh->suite) &&
	       rd_u8(&body, &sh->compression) &&
	       dtls_ext_parse(&sh->ext, body);
}

const u8 dtls_hello_retry_random[32] = {
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
	0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
	0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

size_t dtls_hello_open13(struct dtls_writer *w, const u8 *random, u16 suite)
{
	size_t list, ext;

	wr_u16(w, DTLS_VERSION_1_2);
	wr_bytes(w, random, sizeof(dtls_hello_retry_random));
	wr_u8(w, 0);	/* No session id is echoed (RFC 9147 5). */
	wr_u16(w, suite);
	wr_u8(w, 0);
	list = wr_open(w, 2);
	ext = dtls_ext_open(w, DTLS_EXT_VERSIONS);
	wr_u16(w, DTLS_VERSION_1_3);
	wr_close(w, ext, 2);
	return list;
}

bool dtls_hello_offers(const struct dtls_client_hello *ch, u16 version)
{
	struct dtls_bytes r = ch->ext.ext[DTLS_EXT_VERSIONS], list;

	return dtls_ext_has(&ch->ext, DTLS_EXT_VERSIONS) &&
	       rd_vec(&r, 1, &list) && rd_has_u16(list, version);
}

bool dtls_hello_share(const struct dtls_client_hello *ch, u16 group,
		      struct dtls_bytes *share)
{
	struct dtls_bytes r = ch->ext.ext[DTLS_EXT_KEY_SHARE], list;
	u16 id;

	if (!rd_vec(&r, 2, &list))
		return false;
	while (rd_u16(&list, &id) && rd_vec(&list, 2, share))
		if (id == group)
			return true;
	return false;
}

bool dtls_hello_are_names(struct dtls_bytes list)
{
	struct dtls_bytes name;

	while (list.len)
		if (!rd_vec(&list, 2, &name) || !name.len)
			return false;
	return true;
}
