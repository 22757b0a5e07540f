/* SPDX-License-Identifier: BSD-3-Clause */
/* These functions read the alerts of the peer (RFC 5246 7.2, RFC 8446 6). */
#ifndef _DTLS_ALERT_H
#define _DTLS_ALERT_H

#include "state.h"

/* Return true if a record of @type with this content is close_notify. */
static inline bool dtls_alert_is_goodbye(u8 type, const u8 *data, size_t len)
{
	return type == DTLS_CT_ALERT && len == 2 &&
	       data[1] == KDTLS_ALERT_CLOSE_NOTIFY;
}

/**
 * dtls_alert_receive() - read an alert
 * @e:		the engine that the alert is for
 * @epoch:	epoch of the alert's record; 0 says that the alert came in the
 *		clear, so that anybody may have sent it
 * @content:	the content of that record
 *
 * Return: 0, or an error if the alert ends the association.
 */
int dtls_alert_receive(struct kdtls_engine *e, u64 epoch,
		       struct dtls_bytes content);

#endif /* _DTLS_ALERT_H */
