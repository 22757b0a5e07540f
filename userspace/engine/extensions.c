// SPDX-License-Identifier: BSD-3-Clause
/* This file writes and reads the extensions of hellos. See extensions.h. */
#include "extensions.h"
#include "name.h"

#define RENEGOTIATION_NONE	0	/* renegotiated_connection is empty */
#define RENEGOTIATION_SCSV	0x00ff	/* RFC 5746 3.3 */
#define HEARTBEAT_ALLOWED	1	/* RFC 6520 2 */
#define HEARTBEAT_REFUSED	2

static bool has_raw_identity(const struct kdtls_endpoint *ep)
{
	const struct dtls_identity *id;

	for (id = ep->identities; id; id = id->next)
		if (!id->leaf)
			return true;
	return false;
}

static bool has_x509_identity(const struct kdtls_endpoint *ep)
{
	const struct dtls_identity *id;

	for (id = ep->identities; id; id = id->next)
		if (id->leaf)
			return true;
	return false;
}

static bool takes_x509(const struct kdtls_endpoint *ep)
{
	return ep->trust_x509 || ep->config.ops.verify;
}

static bool wants_cid(const struct kdtls_engine *e)
{
	return e->cids.len || dtls_endpoint_flag(e->ep, KDTLS_CID);
}

size_t dtls_extensions_offer(struct kdtls_engine *e, struct dtls_writer *w,
			     enum dtls_extension i)
{
	e->hs->offered |= 1ULL << i;
	return dtls_ext_open(w, i);
}

static void offer_empty(struct kdtls_engine *e, struct dtls_writer *w,
			enum dtls_extension i)
{
	wr_close(w, dtls_extensions_offer(e, w, i), 2);
}

static void write_name(struct kdtls_engine *e, struct dtls_writer *w)
{
	size_t ext, list;

	if (!e->name || dtls_name_is_address(e->name))
		return;
	ext = dtls_extensions_offer(e, w, DTLS_EXT_SERVER_NAME);
	list = wr_open(w, 2);
	wr_u8(w, 0); /* host_name */
	wr_vec(w, 2, e->name, strlen(e->name));
	wr_close(w, list, 2);
	wr_close(w, ext, 2);
}

void dtls_extensions_write_schemes(const struct kdtls_engine *e,
				   struct dtls_writer *w)
{
	size_t i, list = wr_open(w, 2);

	for (i = 0; i < e->ep->scheme_count; i++)
		wr_u16(w, e->ep->schemes[i]->id);
	wr_close(w, list, 2);
}

static void write_groups(struct kdtls_engine *e, struct dtls_writer *w)
{
	size_t i, list, ext = dtls_extensions_offer(e, w, DTLS_EXT_GROUPS);

	list = wr_open(w, 2);
	for (i = 0; i < e->ep->group_count; i++)
		if (e->ep->speaks13 || !e->ep->groups[i]->kem)
			wr_u16(w, e->ep->groups[i]->id);
	wr_close(w, list, 2);
	wr_close(w, ext, 2);
}

static void write_alpn(struct kdtls_engine *e, struct dtls_writer *w)
{
	const char *const *p = e->ep->config.alpn;
	size_t ext, list;

	if (!p || !*p)
		return;
	ext = dtls_extensions_offer(e, w, DTLS_EXT_ALPN);
	list = wr_open(w, 2);
	for (; *p; p++)
		wr_vec(w, 1, *p, strlen(*p));
	wr_close(w, list, 2);
	wr_close(w, ext, 2);
}

static void write_srtp(struct kdtls_engine *e, struct dtls_writer *w)
{
	const struct kdtls_config *config = &e->ep->config;
	size_t i, ext, list;

	if (!config->srtp_count)
		return;
	ext = dtls_extensions_offer(e, w, DTLS_EXT_SRTP);
	list = wr_open(w, 2);
	for (i = 0; i < config->srtp_count; i++)
		wr_u16(w, config->srtp[i]);
	wr_close(w, list, 2);
	wr_u8(w, 0); /* no MKI */
	wr_close(w, ext, 2);
}

static void write_cert_types(struct kdtls_engine *e, struct dtls_writer *w)
{
	const struct kdtls_endpoint *ep = e->ep;
	size_t ext, list;

	if (ep->trust.raw_count) {
		ext = dtls_extensions_offer(e, w, DTLS_EXT_SERVER_CERT_TYPE);
		list = wr_open(w, 1);
		wr_u8(w, DTLS_CERT_RAW);
		if (takes_x509(ep))
			wr_u8(w, DTLS_CERT_X509);
		wr_close(w, list, 1);
		wr_close(w, ext, 2);
	}
	if (has_raw_identity(ep)) {
		ext = dtls_extensions_offer(e, w, DTLS_EXT_CLIENT_CERT_TYPE);
		list = wr_open(w, 1);
		wr_u8(w, DTLS_CERT_RAW);
		if (has_x509_identity(ep))
			wr_u8(w, DTLS_CERT_X509);
		wr_close(w, list, 1);
		wr_close(w, ext, 2);
	}
}

static void write_record_limit(struct kdtls_engine *e, struct dtls_writer *w)
{
	wr_u16(w, e->ep->config.record_size_limit);
}

static void write_cid(struct kdtls_engine *e, struct dtls_writer *w)
{
	wr_vec(w, 1, dtls_cids_all(&e->cids), e->cids.len);
}

void dtls_extensions_write_client(struct kdtls_engine *e, struct dtls_writer *w)
{
	const struct dtls_handshake *hs = e->hs;
	size_t ext;

	write_name(e, w);
	if (e->ep->speaks12) {
		offer_empty(e, w, DTLS_EXT_EMS);
		ext = dtls_extensions_offer(e, w, DTLS_EXT_RENEGOTIATION);
		wr_u8(w, RENEGOTIATION_NONE);
		wr_close(w, ext, 2);
		ext = dtls_extensions_offer(e, w, DTLS_EXT_POINT_FORMATS);
		wr_vec(w, 1, "", 1); /* uncompressed */
		wr_close(w, ext, 2);
	}
	write_groups(e, w);
	ext = dtls_extensions_offer(e, w, DTLS_EXT_SCHEMES);
	dtls_extensions_write_schemes(e, w);
	wr_close(w, ext, 2);
	write_alpn(e, w);
	write_srtp(e, w);
	write_cert_types(e, w);
	if (dtls_endpoint_flag(e->ep, KDTLS_HEARTBEAT)) {
		ext = dtls_extensions_offer(e, w, DTLS_EXT_HEARTBEAT);
		wr_u8(w, HEARTBEAT_ALLOWED);
		wr_close(w, ext, 2);
	}
	if (e->ep->config.record_size_limit) {
		ext = dtls_extensions_offer(e, w, DTLS_EXT_RECORD_LIMIT);
		write_record_limit(e, w);
		wr_close(w, ext, 2);
	}
	if (wants_cid(e)) {
		ext = dtls_extensions_offer(e, w, DTLS_EXT_CID);
		write_cid(e, w);
		wr_close(w, ext, 2);
	}
	if (e->ep->speaks12 && !dtls_endpoint_flag(e->ep, KDTLS_NO_TICKETS)) {
		ext = dtls_extensions_offer(e, w, DTLS_EXT_TICKET);
		if (hs->has_session &&
		    hs->session.version == DTLS_VERSION_1_2)
			wr_bytes(w, hs->session.ticket.p,
				 hs->session.ticket.len);
		wr_close(w, ext, 2);
	}
}

/* Write those answers of a server that both versions have. */
static void write_answers(struct kdtls_engine *e, struct dtls_writer *w,
			  const struct dtls_extensions *theirs)
{
	size_t ext, list;

	if (e->name && !e->resumed)
		dtls_ext_empty(w, DTLS_EXT_SERVER_NAME);
	if (e->alpn) {
		ext = dtls_ext_open(w, DTLS_EXT_ALPN);
		list = wr_open(w, 2);
		wr_vec(w, 1, e->alpn, strlen(e->alpn));
		wr_close(w, list, 2);
		wr_close(w, ext, 2);
	}
	if (e->srtp_profile) {
		ext = dtls_ext_open(w, DTLS_EXT_SRTP);
		list = wr_open(w, 2);
		wr_u16(w, e->srtp_profile);
		wr_close(w, list, 2);
		wr_u8(w, 0);
		wr_close(w, ext, 2);
	}
	if (e->hs->own_raw) {
		ext = dtls_ext_open(w, DTLS_EXT_SERVER_CERT_TYPE);
		wr_u8(w, DTLS_CERT_RAW);
		wr_close(w, ext, 2);
	}
	if (e->hs->cert_requested && e->hs->peer_raw) {
		ext = dtls_ext_open(w, DTLS_EXT_CLIENT_CERT_TYPE);
		wr_u8(w, DTLS_CERT_RAW);
		wr_close(w, ext, 2);
	}
	if (dtls_ext_has(theirs, DTLS_EXT_HEARTBEAT) &&
	    dtls_endpoint_flag(e->ep, KDTLS_HEARTBEAT)) {
		ext = dtls_ext_open(w, DTLS_EXT_HEARTBEAT);
		wr_u8(w, HEARTBEAT_ALLOWED);
		wr_close(w, ext, 2);
	}
	if (dtls_ext_has(theirs, DTLS_EXT_RECORD_LIMIT) &&
	    e->ep->config.record_size_limit) {
		ext = dtls_ext_open(w, DTLS_EXT_RECORD_LIMIT);
		write_record_limit(e, w);
		wr_close(w, ext, 2);
	}
}

void dtls_extensions_write_cid(struct kdtls_engine *e, struct dtls_writer *w,
			       const struct dtls_extensions *theirs)
{
	size_t ext;

	if (!dtls_ext_has(theirs, DTLS_EXT_CID) || !wants_cid(e))
		return;
	ext = dtls_ext_open(w, DTLS_EXT_CID);
	write_cid(e, w);
	wr_close(w, ext, 2);
}

/*
 * Return true if the client understands renegotiation_info: it sent the
 * extension, or the suite number that stands for it (RFC 5746 3.6). Any other
 * client would have to refuse the answer (RFC 5246 7.4.1.4).
 */
static bool knows_renegotiation(const struct dtls_client_hello *ch)
{
	return dtls_ext_has(&ch->ext, DTLS_EXT_RENEGOTIATION) ||
	       rd_has_u16(ch->suites, RENEGOTIATION_SCSV);
}

void dtls_extensions_write_server(struct kdtls_engine *e, struct dtls_writer *w,
				  const struct dtls_client_hello *ch)
{
	const struct dtls_extensions *theirs = &ch->ext;
	size_t ext;

	if (knows_renegotiation(ch)) {
		ext = dtls_ext_open(w, DTLS_EXT_RENEGOTIATION);
		wr_u8(w, RENEGOTIATION_NONE);
		wr_close(w, ext, 2);
	}
	if (e->ems)
		dtls_ext_empty(w, DTLS_EXT_EMS);
	if (dtls_ext_has(theirs, DTLS_EXT_POINT_FORMATS) && e->group) {
		ext = dtls_ext_open(w, DTLS_EXT_POINT_FORMATS);
		wr_vec(w, 1, "", 1);
		wr_close(w, ext, 2);
	}
	write_answers(e, w, theirs);
	dtls_extensions_write_cid(e, w, theirs);
	if (e->hs->send_ticket)
		dtls_ext_empty(w, DTLS_EXT_TICKET);
}

void dtls_extensions_write_answers13(struct kdtls_engine *e,
				     struct dtls_writer *w,
				     const struct dtls_extensions *theirs)
{
	size_t mark = wr_open(w, 2);

	write_answers(e, w, theirs);
	if (e->m->early)
		dtls_ext_empty(w, DTLS_EXT_EARLY_DATA);
	wr_close(w, mark, 2);
}

/*
 * The functions below read single extensions. An extension that only one side
 * sends is read by the function of that side further below.
 */

static int read_renegotiation(struct kdtls_engine *e, struct dtls_bytes r)
{
	/* In a first handshake the field is empty (RFC 5746 3.4, 3.6). */
	if (r.len != 1 || r.p[0] != RENEGOTIATION_NONE)
		return dtls_fail(e, KDTLS_EPROTOCOL,
				 KDTLS_ALERT_HANDSHAKE_FAILURE,
				 "renegotiation_info is not empty");
	return 0;
}

static int read_point_formats(struct kdtls_engine *e, struct dtls_bytes r)
{
	struct dtls_bytes list;

	if (!rd_vec(&r, 1, &list) || r.len || !list.len)
		return dtls_fail_decode(e, "malformed ec_point_formats");
	if (!memchr(list.p, 0, list.len))
		return dtls_fail_illegal(e, "no uncompressed points");
	return 0;
}

static int read_heartbeat(struct kdtls_engine *e, struct dtls_bytes r)
{
	if (r.len != 1)
		return dtls_fail_decode(e, "malformed heartbeat extension");
	if (r.p[0] != HEARTBEAT_ALLOWED && r.p[0] != HEARTBEAT_REFUSED)
		return dtls_fail_illegal(e, "unknown heartbeat mode");
	e->heartbeats = dtls_endpoint_flag(e->ep, KDTLS_HEARTBEAT);
	e->peer_heartbeat = e->heartbeats && r.p[0] == HEARTBEAT_ALLOWED;
	return 0;
}

static int read_record_limit(struct kdtls_engine *e, struct dtls_bytes r)
{
	/*
	 * In DTLS 1.3 the limit includes the byte of the content type (RFC 8449
	 * 4).
	 */
	u16 type = e->version == DTLS_VERSION_1_3, limit;

	if (!rd_u16(&r, &limit) || r.len)
		return dtls_fail_decode(e, "malformed record_size_limit");
	if (limit < 64)
		return dtls_fail_illegal(e, "record_size_limit below 64");
	if (!e->ep->config.record_size_limit)
		return 0;
	/*
	 * If both ends have sent a limit, each keeps to the limit of the other.
	 */
	if (limit - type < DTLS_RECORD_SIZE_MAX)
		e->peer_record_limit = limit - type;
	e->record_limit = e->ep->config.record_size_limit - type;
	return 0;
}

static int read_cid(struct kdtls_engine *e, struct dtls_bytes r)
{
	struct dtls_bytes cid;

	if (!rd_vec(&r, 1, &cid) || r.len)
		return dtls_fail_decode(e, "malformed connection_id");
	if (!wants_cid(e) || !cid.len)
		return 0;
	e->cid_tx = OPENSSL_memdup(cid.p, cid.len);
	if (!e->cid_tx)
		return dtls_fail_memory(e);
	e->cid_tx_len = (u8)cid.len;
	return 0;
}

/*
 * Call @reader for one extension, if the message has it. Return 0 or an error.
 */
static int read_if(struct kdtls_engine *e, const struct dtls_extensions *x,
		   enum dtls_extension i,
		   int (*reader)(struct kdtls_engine *, struct dtls_bytes))
{
	return dtls_ext_has(x, i) ? reader(e, x->ext[i]) : 0;
}

int dtls_extensions_read_cid(struct kdtls_engine *e,
			     const struct dtls_extensions *x)
{
	if (!dtls_ext_has(x, DTLS_EXT_CID)) {
		/* The peer does not put connection IDs into its records. */
		e->hs->unused = e->cids;
		e->cids = (struct dtls_cids){ 0 };
		return 0;
	}
	return read_cid(e, x->ext[DTLS_EXT_CID]);
}

/*
 * Read the extensions that DTLS 1.3 does not have (RFC 8446 4.1.2, RFC 7627).
 */
static int read_old(struct kdtls_engine *e, const struct dtls_extensions *x)
{
	int err;

	err = read_if(e, x, DTLS_EXT_RENEGOTIATION, read_renegotiation);
	if (!err)
		err = read_if(e, x, DTLS_EXT_POINT_FORMATS, read_point_formats);
	if (!err && dtls_ext_has(x, DTLS_EXT_EMS)) {
		if (x->ext[DTLS_EXT_EMS].len)
			return dtls_fail_decode(e,
				"malformed extended_master_secret");
		e->ems = true;
	}
	if (!err && !e->ems && !dtls_endpoint_flag(e->ep, KDTLS_ALLOW_NO_EMS))
		return dtls_fail(e, KDTLS_ENEGOTIATION,
				 KDTLS_ALERT_HANDSHAKE_FAILURE,
				 "the peer lacks extended master secret");
	return err;
}

/* Read the extensions that client and server send in the same form. */
static int read_common(struct kdtls_engine *e, const struct dtls_extensions *x)
{
	int err;

	err = read_if(e, x, DTLS_EXT_HEARTBEAT, read_heartbeat);
	if (!err)
		err = read_if(e, x, DTLS_EXT_RECORD_LIMIT, read_record_limit);
	return err;
}

static int read_chosen_alpn(struct kdtls_engine *e, struct dtls_bytes r)
{
	struct dtls_bytes list, name;
	const char *const *p;

	if (!rd_vec(&r, 2, &list) || r.len || !rd_vec(&list, 1, &name) ||
	    list.len || !name.len)
		return dtls_fail_decode(e, "malformed ALPN answer");
	for (p = e->ep->config.alpn; *p; p++)
		if (dtls_bytes_equal(name, *p, strlen(*p)))
			e->alpn = *p;
	if (!e->alpn)
		return dtls_fail_illegal(e, "ALPN protocol was not offered");
	return 0;
}

static int read_chosen_srtp(struct kdtls_engine *e, struct dtls_bytes r)
{
	struct dtls_bytes list, mki;
	u16 profile;
	size_t i;

	if (!rd_vec(&r, 2, &list) || !rd_vec(&r, 1, &mki) || r.len ||
	    !rd_u16(&list, &profile) || list.len)
		return dtls_fail_decode(e, "malformed use_srtp answer");
	for (i = 0; i < e->ep->config.srtp_count; i++)
		if (e->ep->config.srtp[i] == profile)
			e->srtp_profile = profile;
	if (!e->srtp_profile || mki.len)
		return dtls_fail_illegal(e, "SRTP profile was not offered");
	return 0;
}

/*
 * Read the certificate type that a server chose. @x509 tells whether X.509 was
 * offered; @raw is set.
 */
static int read_chosen_type(struct kdtls_engine *e, struct dtls_bytes r,
			    bool x509, bool *raw)
{
	u8 type;

	if (!rd_u8(&r, &type) || r.len)
		return dtls_fail_decode(e, "malformed certificate type");
	if (type != DTLS_CERT_RAW && (type != DTLS_CERT_X509 || !x509))
		return dtls_fail_illegal(e,
					 "certificate type was not offered");
	*raw = type == DTLS_CERT_RAW;
	return 0;
}

static bool is_empty(const struct dtls_extensions *x, enum dtls_extension i)
{
	return !x->ext[i].len;
}

/*
 * Read those answers of a server that both versions have. @cert tells that the
 * server will show a certificate or a raw key. Return 0 or an error.
 */
static int read_answers(struct kdtls_engine *e, const struct dtls_extensions *x,
			bool cert)
{
	struct dtls_handshake *hs = e->hs;
	int err;

	if (!is_empty(x, DTLS_EXT_SERVER_NAME))
		return dtls_fail_decode(e, "extension should be empty");
	err = read_common(e, x);
	if (!err)
		err = read_if(e, x, DTLS_EXT_ALPN, read_chosen_alpn);
	if (!err)
		err = read_if(e, x, DTLS_EXT_SRTP, read_chosen_srtp);
	if (!err && dtls_ext_has(x, DTLS_EXT_SERVER_CERT_TYPE))
		err = read_chosen_type(e, x->ext[DTLS_EXT_SERVER_CERT_TYPE],
				       takes_x509(e->ep), &hs->peer_raw);
	else if (!err && !takes_x509(e->ep) && cert)
		err = dtls_fail(e, KDTLS_ENEGOTIATION,
				KDTLS_ALERT_UNSUPPORTED_CERTIFICATE,
				e->ep->trust.raw_count ?
				"the server has no raw public key" :
				"the server shows a certificate, and this end trusts no authority");
	if (!err && dtls_ext_has(x, DTLS_EXT_CLIENT_CERT_TYPE))
		err = read_chosen_type(e, x->ext[DTLS_EXT_CLIENT_CERT_TYPE],
				       has_x509_identity(e->ep), &hs->own_raw);
	return err;
}

static int not_offered(struct kdtls_engine *e)
{
	return dtls_fail(e, KDTLS_EPROTOCOL,
			 KDTLS_ALERT_UNSUPPORTED_EXTENSION,
			 "the server answers what was not offered");
}

int dtls_extensions_read_server(struct kdtls_engine *e,
				const struct dtls_extensions *x, bool resumed)
{
	struct dtls_handshake *hs = e->hs;
	int err, i;

	for (i = 0; i < DTLS_EXT_COUNT; i++)
		if (dtls_ext_has(x, i) && !(hs->offered & 1ULL << i))
			break;
	if (i < DTLS_EXT_COUNT || x->unknown)
		return not_offered(e);
	/*
	 * A server that lacks the extension cannot tell an attack by
	 * renegotiation; only the client can refuse such a server (RFC 5746
	 * 4.1).
	 */
	if (!dtls_ext_has(x, DTLS_EXT_RENEGOTIATION) &&
	    !dtls_endpoint_flag(e->ep, KDTLS_ALLOW_NO_RENEGOTIATION_INFO))
		return dtls_fail(e, KDTLS_ENEGOTIATION,
				 KDTLS_ALERT_HANDSHAKE_FAILURE,
				 "the server lacks renegotiation_info");
	if (!is_empty(x, DTLS_EXT_TICKET))
		return dtls_fail_decode(e, "extension should be empty");
	/*
	 * A server must not send the extensions of DTLS 1.3 here, nor the list
	 * of signature schemes (RFC 5246 7.4.1.4.1). The list of groups is for
	 * clients alone too, but some servers send it.
	 */
	for (i = DTLS_EXT_VERSIONS; i < DTLS_EXT_COUNT; i++)
		if (dtls_ext_has(x, i))
			break;
	if (dtls_ext_has(x, DTLS_EXT_SCHEMES) || i < DTLS_EXT_COUNT)
		return dtls_fail(e, KDTLS_EPROTOCOL,
				 KDTLS_ALERT_UNSUPPORTED_EXTENSION,
				 "extension in the wrong message");
	err = read_old(e, x);
	if (!err)
		err = dtls_extensions_read_cid(e, x);
	if (!err)
		err = read_answers(e, x, !resumed &&
				   e->suite->kx & DTLS_KX_CERT);
	hs->ticket_due = dtls_ext_has(x, DTLS_EXT_TICKET);
	return err;
}

int dtls_extensions_check13(struct kdtls_engine *e,
			    const struct dtls_extensions *x, u64 allowed)
{
	int i;

	/*
	 * An extension that was not offered ends the handshake with one alert,
	 * and an extension in the wrong message with another (RFC 8446 4.2).
	 */
	for (i = 0; i < DTLS_EXT_COUNT; i++)
		if (dtls_ext_has(x, i) && !(e->hs->offered & 1ULL << i))
			return not_offered(e);
	if (x->unknown)
		return not_offered(e);
	for (i = 0; i < DTLS_EXT_COUNT; i++)
		if (dtls_ext_has(x, i) && !(allowed & 1ULL << i))
			return dtls_fail_illegal(e,
				"extension in the wrong message");
	return 0;
}

int dtls_extensions_read_answers13(struct kdtls_engine *e,
				   const struct dtls_extensions *x)
{
	if (dtls_extensions_check13(e, x, 1ULL << DTLS_EXT_SERVER_NAME |
				    1ULL << DTLS_EXT_GROUPS |
				    1ULL << DTLS_EXT_SRTP |
				    1ULL << DTLS_EXT_HEARTBEAT |
				    1ULL << DTLS_EXT_ALPN |
				    1ULL << DTLS_EXT_CLIENT_CERT_TYPE |
				    1ULL << DTLS_EXT_SERVER_CERT_TYPE |
				    1ULL << DTLS_EXT_RECORD_LIMIT |
				    1ULL << DTLS_EXT_EARLY_DATA))
		return -e->error;
	return read_answers(e, x, !e->hs->psk_chosen);
}

static int read_name(struct kdtls_engine *e, struct dtls_bytes r)
{
	struct dtls_bytes list, name;
	u8 type;

	/*
	 * The list has one entry of the only kind there is, host_name (RFC 6066
	 * 3).
	 */
	if (!rd_vec(&r, 2, &list) || r.len || !rd_u8(&list, &type) ||
	    !rd_vec(&list, 2, &name) || list.len || type || !name.len ||
	    name.len > 255 || memchr(name.p, 0, name.len))
		return dtls_fail_decode(e, "malformed server name");
	e->name = OPENSSL_strndup((const char *)name.p, name.len);
	return e->name ? 0 : dtls_fail_memory(e);
}

static int choose_alpn(struct kdtls_engine *e, struct dtls_bytes r)
{
	const char *const *p = e->ep->config.alpn;
	struct dtls_bytes all, list, name;

	if (!rd_vec(&r, 2, &all) || r.len || !all.len)
		return dtls_fail_decode(e, "malformed ALPN offer");
	for (list = all; list.len;)
		if (!rd_vec(&list, 1, &name) || !name.len)
			return dtls_fail_decode(e, "malformed ALPN offer");
	if (!p || !*p)
		return 0;
	for (; *p; p++) {
		for (list = all; rd_vec(&list, 1, &name);) {
			if (dtls_bytes_equal(name, *p, strlen(*p))) {
				e->alpn = *p;
				return 0;
			}
		}
	}
	return dtls_fail(e, KDTLS_ENEGOTIATION,
			 KDTLS_ALERT_NO_APPLICATION_PROTOCOL,
			 "no ALPN protocol in common");
}

static int choose_srtp(struct kdtls_engine *e, struct dtls_bytes r)
{
	const struct kdtls_config *config = &e->ep->config;
	struct dtls_bytes list, mki;
	size_t i;

	if (!rd_vec(&r, 2, &list) || !rd_vec(&r, 1, &mki) || r.len ||
	    !list.len || list.len % 2)
		return dtls_fail_decode(e, "malformed use_srtp offer");
	for (i = 0; i < config->srtp_count && !e->srtp_profile; i++)
		if (rd_has_u16(list, config->srtp[i]))
			e->srtp_profile = config->srtp[i];
	return 0;
}

static int check_u16_list(struct kdtls_engine *e, struct dtls_bytes r)
{
	struct dtls_bytes list;

	if (!rd_vec(&r, 2, &list) || r.len || !list.len || list.len % 2)
		return dtls_fail_decode(e, "malformed list in ClientHello");
	return 0;
}

static int check_type_list(struct kdtls_engine *e, struct dtls_bytes r)
{
	struct dtls_bytes list;

	if (!rd_vec(&r, 1, &list) || r.len || !list.len)
		return dtls_fail_decode(e, "malformed certificate types");
	return 0;
}

int dtls_extensions_authorities(struct kdtls_engine *e,
				const struct dtls_extensions *x,
				struct dtls_bytes *list)
{
	struct dtls_bytes r = x->ext[DTLS_EXT_AUTHORITIES];

	*list = (struct dtls_bytes){ 0 };
	if (!dtls_ext_has(x, DTLS_EXT_AUTHORITIES))
		return 0;
	if (!rd_vec(&r, 2, list) || r.len || !list->len ||
	    !dtls_hello_are_names(*list))
		return dtls_fail_decode(e, "malformed certificate_authorities");
	return 0;
}

int dtls_extensions_read_client(struct kdtls_engine *e,
				const struct dtls_extensions *x)
{
	int err = e->d13 ? 0 : read_old(e, x);
	struct dtls_bytes authorities;

	if (!err)
		err = read_common(e, x);
	if (!err)
		err = dtls_extensions_read_cid(e, x);
	if (!err)
		err = read_if(e, x, DTLS_EXT_SERVER_NAME, read_name);
	if (!err)
		err = read_if(e, x, DTLS_EXT_ALPN, choose_alpn);
	if (!err)
		err = read_if(e, x, DTLS_EXT_SRTP, choose_srtp);
	if (!err)
		err = read_if(e, x, DTLS_EXT_GROUPS, check_u16_list);
	if (!err)
		err = read_if(e, x, DTLS_EXT_SCHEMES, check_u16_list);
	if (!err)
		err = read_if(e, x, DTLS_EXT_SERVER_CERT_TYPE, check_type_list);
	if (!err)
		err = read_if(e, x, DTLS_EXT_CLIENT_CERT_TYPE, check_type_list);
	/* The list is read again when an identity is chosen. */
	if (!err && e->d13)
		err = dtls_extensions_authorities(e, x, &authorities);
	return err;
}

void dtls_extensions_forget(struct kdtls_engine *e)
{
	struct dtls_handshake *hs = e->hs;

	if (hs->unused.len) {
		e->cids = hs->unused;
		hs->unused = (struct dtls_cids){ 0 };
	}
	OPENSSL_free(e->cid_tx);
	e->cid_tx = NULL;
	e->cid_tx_len = 0;
	e->heartbeats = false;
	e->peer_heartbeat = false;
	e->peer_record_limit = DTLS_RECORD_SIZE_MAX;
	e->record_limit = 0;
	e->alpn = NULL;
	e->srtp_profile = 0;
	hs->peer_raw = false;
	hs->own_raw = false;
	hs->ticket_due = false;
	wr_free(&hs->ticket);
}
