/* SPDX-License-Identifier: GPL-2.0 */
/* The shim's command line says what one connection shall be like. */
#ifndef _BOGO_SETTINGS_H
#define _BOGO_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

/* This exit status tells the runner that something is not offered here. */
#define UNIMPLEMENTED	89

#define CREDENTIALS_MAX	8
#define NUMBERS_MAX	16

struct numbers {
	uint16_t v[NUMBERS_MAX];
	unsigned int count;
};

struct credential {
	const char *cert_file;
	const char *key_file;
	bool raw;			/* a raw public key: no certificate */
	struct numbers signing_prefs;
};

struct settings {
	/* the runner */
	long port;
	bool ipv6;
	long shim_id;
	bool handshaker_supported;	/* a question, to be answered on stdout */
	bool dtls;
	long resume_count;

	/* policy */
	bool server;
	long min_version;
	long max_version;
	bool no_12;
	bool no_13;
	struct numbers groups;
	struct numbers verify_prefs;
	struct credential credential[CREDENTIALS_MAX + 1]; /* last: default */
	unsigned int credential_count;		/* without the default */
	struct numbers client_cert_types;	/* what credentials say, too */
	const char *trust_cert;
	bool verify_peer;
	bool verify_fail;
	bool custom_verify;
	bool require_cert;
	bool no_ticket;
	const char *host_name;
	const char *advertise_alpn;
	const char *select_alpn;
	bool reject_alpn;
	bool decline_alpn;
	const char *psk;
	const char *psk_identity;
	const char *srtp_profiles;
	long mtu;
	long timeout;
	long max_cert_list;

	/* what to do */
	bool shim_writes_first;
	bool shim_shuts_down;
	bool key_update;		/* after each message */
	bool key_update_before_read;
	long export_len;
	const char *export_label;
	const char *export_context;
	bool use_export_context;

	/* what to find */
	bool expect_session_miss;
	bool expect_no_session;
	bool expect_session_id;
	bool expect_no_session_id;
	bool expect_ticket_renewal;
	bool expect_no_peer_cert;
	const char *expect_server_name;
	bool expect_no_server_name;
	const char *expect_alpn;
	const char *expect_advertised_alpn;
	bool expect_hrr;
	bool expect_no_hrr;
	const char *expect_early_reason;
	long expect_credential;			/* CREDENTIAL_ANY: not asked */

	/*
	 * The option is accepted, as an engine without I/O has one way for all
	 * of these.
	 */
	bool ignored;
};

#define CREDENTIAL_ANY	(-2)			/* -1 is the default one */

/*
 * Read the command line for the first connection or for those that resume it.
 * Exits with UNIMPLEMENTED over an option that is not known.
 */
void settings_parse(struct settings *s, int argc, char **argv, bool resume);

#endif /* _BOGO_SETTINGS_H */
