// SPDX-License-Identifier: GPL-2.0
/* libFuzzer: any datagram through the codec, for any connection ID length */
#include "../../kernel/record.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

/* What a key would do, with whatever mask and state the input says */
static void check_unified(const struct dtls_record *parsed, const u8 *data)
{
	u8 header[DTLS_HEADER_SIZE_MAX], aad[DTLS_AAD_SIZE_MAX];
	const u8 *fragment = data + parsed->header_len;
	struct dtls_record rec = *parsed;
	u64 newest, next, epoch;
	const u8 *mask;

	check(!rec.type && rec.epoch == DTLS_EPOCH_UNKNOWN);
	check(rec.fragment_len <= DTLS13_FRAGMENT_SIZE_MAX);
	check(rec.cid_len ? rec.cid == data + 1 : !rec.cid);
	if (rec.fragment_len < DTLS_SAMPLE_SIZE)
		return;
	newest = dtls_get_be(fragment, 6);
	next = dtls_get_be(fragment + 6, 6);
	mask = fragment + 12;

	epoch = dtls_record_epoch(&rec, newest);
	check((epoch & 3) == (rec.unified & 3u));
	check(epoch <= (newest < 2 ? 3 : newest + 1) && epoch + 2 >= newest);
	dtls_record_resolve(&rec, mask, epoch, next);
	check(rec.epoch == epoch && rec.seq <= DTLS_SEQ_MAX);
	check(dtls_record_aad(aad, &rec, 0) == rec.header_len);
	check(dtls_record_write_header(header, &rec) == rec.header_len);
	check(!memcmp(header, aad, rec.header_len));
	dtls_record_mask(header, &rec, mask);
	check(!memcmp(header, data, rec.header_len));
}

/* What is said to follow a record parses to the same, but for its number. */
static void check_next(struct dtls_record rec, const u8 *data, size_t cid_len)
{
	size_t len = rec.header_len + rec.fragment_len;
	struct dtls_record next;
	const u8 *mask = data;

	if (rec.unified) {
		dtls_record_resolve(&rec, mask, rec.unified & 3, rec.seq);
		if (!dtls_record_follows_unified(&rec, 1, data + len, mask))
			return;
	} else if (!dtls_record_follows(&rec, 1, data + len)) {
		return;
	}
	check(!dtls_record_parse(&next, data + len, len, len, cid_len));
	check(next.unified == rec.unified && next.type == rec.type &&
	      next.version == rec.version && next.cid_len == rec.cid_len &&
	      next.header_len == rec.header_len &&
	      next.fragment_len == rec.fragment_len);
	check(!rec.cid_len || !memcmp(next.cid, rec.cid, rec.cid_len));
	if (next.unified)
		dtls_record_resolve(&next, mask, rec.epoch, rec.seq + 1);
	check(next.epoch == rec.epoch && next.seq == rec.seq + 1);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 header[DTLS_HEADER_SIZE_MAX], aad[DTLS_AAD_SIZE_MAX], type;
	struct dtls_record rec;
	size_t cid_len, len;
	const u8 *fragment;
	long inner;

	if (!size)
		return 0;
	cid_len = *data++;
	size--;
	while (!dtls_record_parse(&rec, data, size, size, cid_len)) {
		len = rec.header_len + rec.fragment_len;
		check(len <= size);
		if (size >= 2 * len && (!rec.unified || rec.fragment_len >= 16))
			check_next(rec, data, cid_len);
		if (rec.unified) {
			check_unified(&rec, data);
			goto next;
		}
		check(rec.fragment_len <= DTLS_FRAGMENT_SIZE_MAX);
		check(rec.seq <= DTLS_SEQ_MAX && rec.epoch <= 0xffff);
		check(rec.cid_len == (rec.type == DTLS_CT_TLS12_CID ?
				      cid_len : 0));
		check(dtls_record_write_header(header, &rec) == rec.header_len);
		check(!memcmp(header, data, rec.header_len));
		check(dtls_record_aad(aad, &rec, rec.fragment_len) <=
		      DTLS_AAD_SIZE_MAX);

		fragment = data + rec.header_len;
		inner = dtls_record_inner(fragment, rec.fragment_len, &type);
		check(inner < rec.fragment_len);
		check(inner < 0 || (type && fragment[inner] == type));
next:
		data += len;
		size -= len;
	}
	return 0;
}
