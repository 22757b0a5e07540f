// SPDX-License-Identifier: BSD-3-Clause
/* This file cuts a datagram into records. See datagram.h. */
#include "datagram.h"

/*
 * Return true if the record at @d may have a hello: a handshake message in the
 * clear, with a version 254.x in the record's header.
 */
static bool may_be_hello(struct dtls_bytes d)
{
	return d.p[0] == DTLS_CT_HANDSHAKE && d.p[1] == 0xfe &&
	       !dtls_get_be(d.p + 3, 2);
}

static int parse(struct dtls_bytes d, size_t cid_len,
		 struct dtls_record *record)
{
	int err = dtls_record_parse(record, d.p, d.len, d.len, cid_len);
	u8 header[DTLS12_HEADER_SIZE];

	if (err != DTLS_PARSE_VERSION || !may_be_hello(d))
		return err;
	memcpy(header, d.p, sizeof(header));
	dtls_put_be(header + 1, 2, DTLS_VERSION_1_2);
	return dtls_record_parse(record, header, sizeof(header), d.len, 0);
}

/*
 * Return the length of the unusable record at @d, so that the caller can go on
 * with the next one; or 0 if the length is not known. The first byte of a DTLS
 * record is 20 or more (RFC 7983 7), that of a unified header 32 or more (RFC
 * 9147 4). The place of the length is not known if the record has a connection
 * ID that this end did not ask for.
 */
static size_t unusable_size(struct dtls_bytes d)
{
	size_t size;

	if (d.len < DTLS12_HEADER_SIZE || d.p[0] < 20 || d.p[0] >= 32 ||
	    d.p[0] == DTLS_CT_TLS12_CID)
		return 0;
	size = DTLS12_HEADER_SIZE +
	       (size_t)dtls_get_be(d.p + DTLS12_HEADER_SIZE - 2, 2);
	return size <= d.len ? size : 0;
}

bool dtls_datagram_next(struct dtls_bytes *d, size_t cid_len,
			struct dtls_record *record, struct dtls_bytes *bytes,
			u64 *dropped)
{
	bool usable = false;
	size_t size;

	while (d->len && !usable) {
		usable = !parse(*d, cid_len, record);
		size = usable ? (size_t)record->header_len +
				record->fragment_len : unusable_size(*d);
		*dropped += !usable;
		if (!size)
			size = d->len;
		*bytes = (struct dtls_bytes){ d->p, size };
		d->p += size;
		d->len -= size;
	}
	return usable;
}
