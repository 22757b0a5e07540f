/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions give the content of a record to the file that handles its
 * type. Handshake fragments go to hs->in, from where input.c takes messages in
 * their order.
 */
#ifndef _DTLS_CONTENT_H
#define _DTLS_CONTENT_H

#include "state.h"

/**
 * dtls_content_take() - take the content of a record
 * @e:		the engine that the record is for
 * @record:	the record's header. In epoch 0 the content is in the clear; in
 *		any other epoch it was verified
 * @type:	content type, the inner one if it is hidden
 * @content:	the content
 *
 * Return: 0 or an error.
 */
int dtls_content_take(struct kdtls_engine *e, const struct dtls_record *record,
		      u8 type, struct dtls_bytes content);

/**
 * dtls_content_hold() - keep data or a record that came too early
 * @e:		the engine, whose handshake keeps a copy
 * @opened:	true: @data is verified application data; false: @data is a
 *		whole record whose key is not there yet
 * @data:	the bytes to keep
 * @len:	bytes of @data
 *
 * Bytes beyond kdtls_config.max_early are dropped and counted.
 */
void dtls_content_hold(struct kdtls_engine *e, bool opened, const u8 *data,
		       size_t len);

#endif /* _DTLS_CONTENT_H */
