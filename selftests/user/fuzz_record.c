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
		data += len;
		size -= len;
	}
	return 0;
}
