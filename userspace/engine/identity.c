// SPDX-License-Identifier: BSD-3-Clause
/* This file chooses the identity that this end shows to the peer. */
#include "identity.h"
#include "sign.h"

/*
 * Return true if the client's list of certificate types has this type (RFC 7250
 * 4.1).
 */
static bool takes_type(const struct dtls_client_hello *ch,
		       enum dtls_extension ext, u8 type)
{
	struct dtls_bytes r = ch->ext.ext[ext], list;

	if (!dtls_ext_has(&ch->ext, ext))
		return type == DTLS_CERT_X509;
	return rd_vec(&r, 1, &list) && list.len &&
	       memchr(list.p, type, list.len);
}

/*
 * Return the first of the endpoint's schemes that the key, the suite and the
 * peer's list allow, or NULL.
 */
static const struct dtls_scheme *
own_scheme(const struct kdtls_endpoint *ep, EVP_PKEY *key, u8 kx,
	   struct dtls_bytes schemes)
{
	const struct dtls_scheme *s;
	size_t i;

	for (i = 0; i < ep->scheme_count; i++) {
		s = ep->schemes[i];
		if (dtls_sign_fits(s, kx, key) &&
		    rd_has_u16(schemes, s->id))
			return s;
	}
	return NULL;
}

/*
 * Return true if the key's curve is one of those that the client takes (RFC
 * 8422 5.3).
 */
static bool curve_fits(EVP_PKEY *key, struct dtls_bytes groups)
{
	char name[32];
	size_t i;

	if (!groups.len || !EVP_PKEY_is_a(key, "EC"))
		return true;
	if (EVP_PKEY_get_group_name(key, name, sizeof(name), NULL) != 1)
		return false;
	for (i = 0; i < dtls_group_count; i++)
		if (!strcmp(name, dtls_groups[i].name))
			return rd_has_u16(groups, dtls_groups[i].id);
	return false;
}

#define BEST	3

/*
 * Return how well the identity @id, which the peer accepts, suits the peer:
 * from 0 to BEST.
 */
static int rank_of(const struct dtls_identity *id,
		   const struct dtls_wanted *wanted)
{
	bool named = !wanted->name ||
		     dtls_x509_identity_named(id, wanted->name);
	bool issued = !wanted->authorities.len ||
		      dtls_x509_identity_issued(id, wanted->authorities);

	return 2 * named + issued;
}

bool dtls_identity_choose(struct kdtls_engine *e,
			  const struct dtls_wanted *wanted)
{
	const struct dtls_scheme *scheme;
	const struct dtls_identity *id;
	int rank, found = -1;

	for (id = e->ep->identities; id && found < BEST; id = id->next) {
		if (!(id->leaf ? wanted->x509 : wanted->raw) ||
		    !curve_fits(id->key, wanted->groups))
			continue;
		rank = rank_of(id, wanted);
		if (rank <= found)
			continue;
		scheme = own_scheme(e->ep, id->key, wanted->kx,
				    wanted->schemes);
		if (!scheme)
			continue;
		e->hs->identity = id;
		e->hs->scheme = scheme;
		e->hs->own_raw = !id->leaf;
		found = rank;
	}
	return found >= 0;
}

bool dtls_identity_for_hello(struct kdtls_engine *e, u8 kx,
			     const struct dtls_client_hello *ch)
{
	struct dtls_bytes schemes = ch->ext.ext[DTLS_EXT_SCHEMES];
	struct dtls_bytes groups = ch->ext.ext[DTLS_EXT_GROUPS];
	struct dtls_bytes authorities = ch->ext.ext[DTLS_EXT_AUTHORITIES];
	enum dtls_extension ext = DTLS_EXT_SERVER_CERT_TYPE;
	struct dtls_wanted wanted = {
		.kx = kx,
		.raw = takes_type(ch, ext, DTLS_CERT_RAW),
		.x509 = takes_type(ch, ext, DTLS_CERT_X509),
		.name = e->name,
	};

	/* In DTLS 1.3 the schemes name the curve (RFC 8446 4.2.3). */
	if (!(kx & DTLS_KX_13) && dtls_ext_has(&ch->ext, DTLS_EXT_GROUPS) &&
	    !rd_vec(&groups, 2, &wanted.groups))
		return false;
	/* Only DTLS 1.3 has the extension certificate_authorities. */
	if (kx & DTLS_KX_13)
		rd_vec(&authorities, 2, &wanted.authorities);
	/*
	 * A hello without schemes means SHA-1 (RFC 5246 7.4.1.4.1), which is
	 * not supported.
	 */
	return dtls_ext_has(&ch->ext, DTLS_EXT_SCHEMES) &&
	       rd_vec(&schemes, 2, &wanted.schemes) &&
	       dtls_identity_choose(e, &wanted);
}

/* Fail, as the ends have no type of certificate in common (RFC 7250 4.2). */
static int no_type(struct kdtls_engine *e, const char *reason)
{
	return dtls_fail(e, KDTLS_ENEGOTIATION,
			 KDTLS_ALERT_UNSUPPORTED_CERTIFICATE, reason);
}

/*
 * Return true if the server has identities, and the client has said that it
 * takes none of their types. A client that says nothing takes certificates, and
 * may know no other type.
 */
static bool is_of_other_types(const struct kdtls_engine *e,
			      const struct dtls_client_hello *ch)
{
	enum dtls_extension ext = DTLS_EXT_SERVER_CERT_TYPE;
	const struct dtls_identity *id;

	for (id = e->ep->identities; id; id = id->next)
		if (takes_type(ch, ext, id->leaf ? DTLS_CERT_X509 :
						   DTLS_CERT_RAW))
			return false;
	return e->ep->identities && dtls_ext_has(&ch->ext, ext);
}

int dtls_identity_none(struct kdtls_engine *e,
		       const struct dtls_client_hello *ch, const char *reason)
{
	if (is_of_other_types(e, ch))
		return no_type(e, "no type of certificate in common");
	return dtls_fail(e, KDTLS_ENEGOTIATION, KDTLS_ALERT_HANDSHAKE_FAILURE,
			 reason);
}

int dtls_identity_ask_client(struct kdtls_engine *e,
			     const struct dtls_client_hello *ch)
{
	enum dtls_extension ext = DTLS_EXT_CLIENT_CERT_TYPE;
	const struct kdtls_endpoint *ep = e->ep;
	struct dtls_handshake *hs = e->hs;

	if (!(ep->config.flags & (KDTLS_REQUEST_CERT | KDTLS_REQUIRE_CERT)))
		return 0;
	hs->peer_raw = ep->trust.raw_count && takes_type(ch, ext, DTLS_CERT_RAW);
	hs->cert_requested = hs->peer_raw ||
			     takes_type(ch, ext, DTLS_CERT_X509);
	if (!hs->cert_requested && ep->config.flags & KDTLS_REQUIRE_CERT)
		return no_type(e, "the client cannot show a certificate");
	return 0;
}
