/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The content of a record: it goes where it belongs, by its type. Handshake
 * fragments go to hs->in, from where input.c takes messages in their order.
 */
#ifndef _DTLS_CONTENT_H
#define _DTLS_CONTENT_H

#include "state.h"

/**
 * dtls_content_take() - take the content of a record
 * @e:		the engine that the record is for
 * @record:	epoch 0: the content is in the clear; else it was verified
 * @type:	of the content
 * @content:	the content
 *
 * Return: 0 or an error.
 */
int dtls_content_take(struct kdtls_engine *e, const struct dtls_record *record,
		      u8 type, struct dtls_bytes content);

/**
 * dtls_content_hold() - keep what comes before its time
 * @e:		the engine, whose handshake keeps a copy
 * @opened:	@data is verified application data; else it is a whole record whose
 *		key is not there yet
 * @data:	what is kept
 * @len:	bytes of @data
 *
 * What exceeds kdtls_config.max_early is dropped and counted.
 */
void dtls_content_hold(struct kdtls_engine *e, bool opened, const u8 *data,
		       size_t len);

#endif /* _DTLS_CONTENT_H */
