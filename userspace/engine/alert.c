// SPDX-License-Identifier: BSD-3-Clause
/* This file reads the alerts of the peer (RFC 5246 7.2, RFC 6347 4.1.2.7). */
#include "alert.h"

/*
 * ALERT() makes an entry of the table of alerts: the number of the alert, its
 * name in the RFCs, and the reason that an engine gives that has received it.
 * @hint says what a peer usually means by the alert.
 */
#define ALERT(number, name, hint)					\
	{ KDTLS_ALERT_ ## number, name, "the peer sent the alert " name hint }

static const struct {
	u8 number;
	const char *name;
	const char *reason;
} alerts[] = {
	ALERT(CLOSE_NOTIFY, "close_notify", ""),
	ALERT(UNEXPECTED_MESSAGE, "unexpected_message", ""),
	ALERT(BAD_RECORD_MAC, "bad_record_mac", ""),
	ALERT(RECORD_OVERFLOW, "record_overflow", ""),
	ALERT(HANDSHAKE_FAILURE, "handshake_failure",
	      ": no suite, group or kind of key in common, or it wants a certificate"),
	ALERT(BAD_CERTIFICATE, "bad_certificate",
	      ": it refuses our certificate, or its name"),
	ALERT(UNSUPPORTED_CERTIFICATE, "unsupported_certificate",
	      ": it does not take our kind of key"),
	ALERT(CERTIFICATE_REVOKED, "certificate_revoked", ""),
	ALERT(CERTIFICATE_EXPIRED, "certificate_expired",
	      ": our certificate, by its clock"),
	ALERT(CERTIFICATE_UNKNOWN, "certificate_unknown", ""),
	ALERT(ILLEGAL_PARAMETER, "illegal_parameter", ""),
	ALERT(UNKNOWN_CA, "unknown_ca",
	      ": it does not trust the issuer of our certificate"),
	ALERT(ACCESS_DENIED, "access_denied", ""),
	ALERT(DECODE_ERROR, "decode_error", ""),
	ALERT(DECRYPT_ERROR, "decrypt_error",
	      ": its key is another one, or it knows none of this name"),
	ALERT(PROTOCOL_VERSION, "protocol_version", ": no version in common"),
	ALERT(INSUFFICIENT_SECURITY, "insufficient_security", ""),
	ALERT(INTERNAL_ERROR, "internal_error", ""),
	ALERT(USER_CANCELED, "user_canceled", ""),
	ALERT(NO_RENEGOTIATION, "no_renegotiation", ""),
	ALERT(MISSING_EXTENSION, "missing_extension", ""),
	ALERT(UNSUPPORTED_EXTENSION, "unsupported_extension", ""),
	ALERT(UNKNOWN_PSK_IDENTITY, "unknown_psk_identity",
	      ": it knows no key of this name"),
	ALERT(CERTIFICATE_REQUIRED, "certificate_required",
	      ": it wants a certificate of us"),
	ALERT(NO_APPLICATION_PROTOCOL, "no_application_protocol",
	      ": no application protocol in common"),
};

#define N_ALERTS	(sizeof(alerts) / sizeof(alerts[0]))

const char *kdtls_alert_name(unsigned int alert)
{
	size_t i;

	for (i = 0; i < N_ALERTS; i++)
		if (alerts[i].number == alert)
			return alerts[i].name;
	return "unknown";
}

/* Return the reason why an engine that has received @alert ends. */
static const char *received_reason(u8 alert)
{
	size_t i;

	for (i = 0; i < N_ALERTS; i++)
		if (alerts[i].number == alert)
			return alerts[i].reason;
	return "the peer sent an alert that is not known";
}

int dtls_alert_receive(struct kdtls_engine *e, u64 epoch,
		       struct dtls_bytes content)
{
	u8 level, alert;

	if (!rd_u8(&content, &level) || !rd_u8(&content, &alert) ||
	    content.len || (level != DTLS_ALERT_WARNING && level != DTLS_ALERT_FATAL)) {
		/*
		 * The record was verified, so the peer itself has sent a
		 * malformed alert.
		 */
		if (epoch)
			return dtls_fail_illegal(e, "malformed alert");
		e->dropped++;
		return 0;
	}
	/*
	 * Anybody could have sent an alert in the clear. Such an alert counts
	 * only during a handshake and before its last flight, as long as the
	 * peer may have no key yet: no record of it has verified.
	 */
	if (!epoch && (!e->hs || e->hs->step >= DTLS_STEP_FLUSH ||
		       dtls_state_peer_has_keys(e))) {
		e->dropped++;
		return 0;
	}
	if (alert == KDTLS_ALERT_CLOSE_NOTIFY && epoch) {
		if (e->state == KDTLS_ESTABLISHED)
			dtls_state_alert(e, DTLS_ALERT_WARNING, KDTLS_ALERT_CLOSE_NOTIFY);
		e->state = KDTLS_CLOSED;
		dtls_state_stop(e);
		return 0;
	}
	/* DTLS 1.3 ignores the level of an alert (RFC 8446 6). */
	if (e->d13 ? alert == KDTLS_ALERT_USER_CANCELED :
		     level != DTLS_ALERT_FATAL && alert != KDTLS_ALERT_CLOSE_NOTIFY)
		return 0;
	e->alert_received = alert;
	return dtls_fail(e, KDTLS_EALERT, KDTLS_ALERT_NONE,
			 received_reason(alert));
}
