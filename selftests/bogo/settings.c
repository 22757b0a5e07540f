// SPDX-License-Identifier: GPL-2.0
/* The shim's command line; see settings.h. */
#include <argp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

enum kind {
	/* with a value */
	NUMBER,
	STRING,
	NUMBERS,		/* given once for each */
	CERT_FILE,		/* of the credential named last */
	KEY_FILE,
	SIGNING_PREFS,
	/* without */
	FLAG,
	NEW_CREDENTIAL,
	NEW_RAW_CREDENTIAL,
	ONLY_FIRST,		/* the next option is for the first connection */
	ONLY_RESUMED,
};

#define AT(field)	offsetof(struct settings, field)

static const struct {
	const char *name;
	enum kind kind;
	size_t offset;
} known[] = {
	{ "port", NUMBER, AT(port) },
	{ "ipv6", FLAG, AT(ipv6) },
	{ "shim-id", NUMBER, AT(shim_id) },
	{ "is-handshaker-supported", FLAG, AT(handshaker_supported) },
	{ "dtls", FLAG, AT(dtls) },
	{ "resume-count", NUMBER, AT(resume_count) },

	{ "server", FLAG, AT(server) },
	{ "min-version", NUMBER, AT(min_version) },
	{ "max-version", NUMBER, AT(max_version) },
	{ "no-tls1", FLAG, AT(ignored) },
	{ "no-tls11", FLAG, AT(ignored) },
	{ "no-tls12", FLAG, AT(no_12) },
	{ "no-tls13", FLAG, AT(no_13) },
	{ "curves", NUMBERS, AT(groups) },
	{ "verify-prefs", NUMBERS, AT(verify_prefs) },
	{ "new-x509-credential", NEW_CREDENTIAL, 0 },
	{ "new-rpk-credential", NEW_RAW_CREDENTIAL, 0 },
	{ "available-client-cert-types", NUMBERS, AT(client_cert_types) },
	{ "cert-file", CERT_FILE, 0 },
	{ "key-file", KEY_FILE, 0 },
	{ "signing-prefs", SIGNING_PREFS, 0 },
	{ "trust-cert", STRING, AT(trust_cert) },
	{ "verify-peer", FLAG, AT(verify_peer) },
	{ "verify-fail", FLAG, AT(verify_fail) },
	{ "use-custom-verify-callback", FLAG, AT(custom_verify) },
	{ "require-any-client-certificate", FLAG, AT(require_cert) },
	{ "no-ticket", FLAG, AT(no_ticket) },
	{ "host-name", STRING, AT(host_name) },
	{ "advertise-alpn", STRING, AT(advertise_alpn) },
	{ "select-alpn", STRING, AT(select_alpn) },
	{ "reject-alpn", FLAG, AT(reject_alpn) },
	{ "decline-alpn", FLAG, AT(decline_alpn) },
	{ "psk", STRING, AT(psk) },
	{ "psk-identity", STRING, AT(psk_identity) },
	{ "srtp-profiles", STRING, AT(srtp_profiles) },
	{ "mtu", NUMBER, AT(mtu) },
	{ "initial-timeout-duration-ms", NUMBER, AT(timeout) },
	{ "max-cert-list", NUMBER, AT(max_cert_list) },

	{ "shim-writes-first", FLAG, AT(shim_writes_first) },
	{ "shim-shuts-down", FLAG, AT(shim_shuts_down) },
	{ "key-update", FLAG, AT(key_update) },
	{ "key-update-before-read", FLAG, AT(key_update_before_read) },
	{ "export-keying-material", NUMBER, AT(export_len) },
	{ "export-label", STRING, AT(export_label) },
	{ "export-context", STRING, AT(export_context) },
	{ "use-export-context", FLAG, AT(use_export_context) },

	{ "expect-session-miss", FLAG, AT(expect_session_miss) },
	{ "expect-no-session", FLAG, AT(expect_no_session) },
	{ "expect-session-id", FLAG, AT(expect_session_id) },
	{ "expect-no-session-id", FLAG, AT(expect_no_session_id) },
	{ "expect-ticket-renewal", FLAG, AT(expect_ticket_renewal) },
	{ "expect-no-peer-cert", FLAG, AT(expect_no_peer_cert) },
	{ "expect-verify-result", FLAG, AT(ignored) },
	{ "expect-server-name", STRING, AT(expect_server_name) },
	{ "expect-no-server-name", FLAG, AT(expect_no_server_name) },
	{ "expect-alpn", STRING, AT(expect_alpn) },
	{ "expect-advertised-alpn", STRING, AT(expect_advertised_alpn) },
	{ "expect-hrr", FLAG, AT(expect_hrr) },
	{ "expect-no-hrr", FLAG, AT(expect_no_hrr) },
	{ "expect-early-data-reason", STRING, AT(expect_early_reason) },
	{ "expect-selected-credential", NUMBER, AT(expect_credential) },

	{ "async", FLAG, AT(ignored) },
	{ "implicit-handshake", FLAG, AT(ignored) },
	{ "use-early-callback", FLAG, AT(ignored) },
	{ "use-old-client-cert-callback", FLAG, AT(ignored) },
	{ "must-match-issuer", FLAG, AT(ignored) },

	{ "only-first", ONLY_FIRST, 0 },
	{ "only-resumed", ONLY_RESUMED, 0 },
};

#define COUNT		(sizeof(known) / sizeof(known[0]))
#define FIRST_KEY	256	/* argp takes what is below for a letter */

struct parse {
	struct settings *s;
	bool resume;
	bool skip;		/* the next option is for another connection */
};

static struct credential *current(struct settings *s)
{
	return s->credential_count ? &s->credential[s->credential_count - 1] :
				     &s->credential[CREDENTIALS_MAX];
}

static void add_number(struct numbers *n, const char *arg)
{
	if (n->count == NUMBERS_MAX)
		exit(UNIMPLEMENTED);
	n->v[n->count++] = (uint16_t)strtoul(arg, NULL, 10);
}

static void apply(struct settings *s, unsigned int i, const char *arg)
{
	void *field = (char *)s + known[i].offset;

	switch (known[i].kind) {
	case FLAG:
		*(bool *)field = true;
		break;
	case NUMBER:
		*(long *)field = strtol(arg, NULL, 10);
		break;
	case STRING:
		*(const char **)field = arg;
		break;
	case NUMBERS:
		add_number(field, arg);
		break;
	case CERT_FILE:
		current(s)->cert_file = arg;
		break;
	case KEY_FILE:
		current(s)->key_file = arg;
		break;
	case SIGNING_PREFS:
		add_number(&current(s)->signing_prefs, arg);
		break;
	default:
		if (s->credential_count++ == CREDENTIALS_MAX)
			exit(UNIMPLEMENTED);
		current(s)->raw = known[i].kind == NEW_RAW_CREDENTIAL;
		break;
	}
}

static error_t option(int key, char *arg, struct argp_state *state)
{
	struct parse *p = state->input;
	unsigned int i = (unsigned int)key - FIRST_KEY;

	if (key < FIRST_KEY || i >= COUNT)
		return ARGP_ERR_UNKNOWN;
	if (known[i].kind == ONLY_FIRST)
		p->skip = p->resume;
	else if (known[i].kind == ONLY_RESUMED)
		p->skip = !p->resume;
	else if (p->skip)
		p->skip = false;
	else
		apply(p->s, i, arg);
	return 0;
}

/* -on-resume-x becomes two options, -only-resumed -x; so does -on-initial-x. */
static int split_prefixes(char **argv, char **out)
{
	static const char *const prefix[] = { "-on-initial-", "-on-resume-" };
	static char *const instead[] = { "-only-first", "-only-resumed" };
	unsigned int i;
	int n = 0;
	size_t len;

	for (; *argv; argv++) {
		out[n] = *argv;
		for (i = 0; i < 2; i++) {
			len = strlen(prefix[i]);
			if (strncmp(*argv, prefix[i], len))
				continue;
			out[n++] = instead[i];
			out[n] = *argv + len - 1; /* with its hyphen */
		}
		n++;
	}
	out[n] = NULL;
	return n;
}

void settings_parse(struct settings *s, int argc, char **argv, bool resume)
{
	struct argp_option options[COUNT + 1] = { 0 };
	const struct argp argp = { .options = options, .parser = option };
	struct parse parse = { .s = s, .resume = resume };
	unsigned int i;
	char **split;
	error_t err;

	for (i = 0; i < COUNT; i++) {
		options[i].name = known[i].name;
		options[i].key = (int)(FIRST_KEY + i);
		if (known[i].kind < FLAG)
			options[i].arg = "VALUE";
	}
	memset(s, 0, sizeof(*s));
	s->expect_credential = CREDENTIAL_ANY;
	split = calloc(2 * (size_t)argc + 1, sizeof(*split));
	if (!split)
		exit(EXIT_FAILURE);
	argc = split_prefixes(argv, split);
	argp_err_exit_status = UNIMPLEMENTED;
	err = argp_parse(&argp, argc, split, ARGP_LONG_ONLY | ARGP_NO_HELP,
			 NULL, &parse);
	free(split);
	if (err)
		exit(UNIMPLEMENTED);
}
