// SPDX-License-Identifier: BSD-3-Clause
/* Alerts (RFC 5246 7.2, RFC 6347 4.1.2.7); see alert.h. */
#include "alert.h"

const char *kdtls_alert_name(unsigned int alert)
{
	switch (alert) {
	case KDTLS_ALERT_CLOSE_NOTIFY:
		return "close_notify";
	case KDTLS_ALERT_UNEXPECTED_MESSAGE:
		return "unexpected_message";
	case KDTLS_ALERT_BAD_RECORD_MAC:
		return "bad_record_mac";
	case KDTLS_ALERT_RECORD_OVERFLOW:
		return "record_overflow";
	case KDTLS_ALERT_HANDSHAKE_FAILURE:
		return "handshake_failure";
	case KDTLS_ALERT_BAD_CERTIFICATE:
		return "bad_certificate";
	case KDTLS_ALERT_UNSUPPORTED_CERTIFICATE:
		return "unsupported_certificate";
	case KDTLS_ALERT_CERTIFICATE_REVOKED:
		return "certificate_revoked";
	case KDTLS_ALERT_CERTIFICATE_EXPIRED:
		return "certificate_expired";
	case KDTLS_ALERT_CERTIFICATE_UNKNOWN:
		return "certificate_unknown";
	case KDTLS_ALERT_ILLEGAL_PARAMETER:
		return "illegal_parameter";
	case KDTLS_ALERT_UNKNOWN_CA:
		return "unknown_ca";
	case KDTLS_ALERT_ACCESS_DENIED:
		return "access_denied";
	case KDTLS_ALERT_DECODE_ERROR:
		return "decode_error";
	case KDTLS_ALERT_DECRYPT_ERROR:
		return "decrypt_error";
	case KDTLS_ALERT_PROTOCOL_VERSION:
		return "protocol_version";
	case KDTLS_ALERT_INSUFFICIENT_SECURITY:
		return "insufficient_security";
	case KDTLS_ALERT_INTERNAL_ERROR:
		return "internal_error";
	case KDTLS_ALERT_USER_CANCELED:
		return "user_canceled";
	case KDTLS_ALERT_NO_RENEGOTIATION:
		return "no_renegotiation";
	case KDTLS_ALERT_MISSING_EXTENSION:
		return "missing_extension";
	case KDTLS_ALERT_UNSUPPORTED_EXTENSION:
		return "unsupported_extension";
	case KDTLS_ALERT_UNKNOWN_PSK_IDENTITY:
		return "unknown_psk_identity";
	case KDTLS_ALERT_CERTIFICATE_REQUIRED:
		return "certificate_required";
	case KDTLS_ALERT_NO_APPLICATION_PROTOCOL:
		return "no_application_protocol";
	}
	return "unknown";
}

int dtls_alert_receive(struct kdtls_engine *e, u64 epoch,
		       struct dtls_bytes content)
{
	u8 level, alert;

	if (!rd_u8(&content, &level) || !rd_u8(&content, &alert) ||
	    content.len || (level != DTLS_ALERT_WARNING && level != DTLS_ALERT_FATAL)) {
		/*
		 * Only the peer can have sent this: it has the key and does not
		 * keep to the protocol.
		 */
		if (epoch)
			return dtls_fail_illegal(e, "malformed alert");
		e->dropped++;
		return 0;
	}
	/*
	 * Anybody could have sent an alert in the clear. It counts while the
	 * handshake has no better word of the peer, but neither before the
	 * handshake nor after its last flight.
	 */
	if (!epoch && (!e->hs || e->hs->step >= DTLS_STEP_FLUSH)) {
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
			 "the peer sent a fatal alert");
}
