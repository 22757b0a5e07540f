/* SPDX-License-Identifier: BSD-3-Clause */
/* Alerts of the peer (RFC 5246 7.2, RFC 8446 6). */
#ifndef _DTLS_ALERT_H
#define _DTLS_ALERT_H

#include "state.h"

/**
 * dtls_alert_receive() - read an alert
 * @epoch:	of its record; 0: it came in the clear, and anybody may have sent it
 *
 * Return: 0, or an error: the alert ends the association.
 */
int dtls_alert_receive(struct kdtls_engine *e, u64 epoch,
		       struct dtls_bytes content);

#endif /* _DTLS_ALERT_H */
