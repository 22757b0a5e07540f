// SPDX-License-Identifier: BSD-3-Clause
/* This file finds the blocks of PEM files (RFC 7468, RFC 1421). See pem.h. */
#include <kdtls/engine.h>

#include "pem.h"

#define DASHES	"-----"
#define BEGIN	"-----BEGIN "
#define END	"-----END "

static const struct {
	const char *label;
	enum dtls_pem_kind kind;
} labels[] = {
	{ "CERTIFICATE", DTLS_PEM_CERTIFICATE },
	{ "X509 CERTIFICATE", DTLS_PEM_CERTIFICATE },
	{ "TRUSTED CERTIFICATE", DTLS_PEM_CERTIFICATE },
	{ "PRIVATE KEY", DTLS_PEM_PRIVATE },
	{ "EC PRIVATE KEY", DTLS_PEM_PRIVATE },
	{ "RSA PRIVATE KEY", DTLS_PEM_PRIVATE },
	{ "DSA PRIVATE KEY", DTLS_PEM_PRIVATE },
	{ "ENCRYPTED PRIVATE KEY", DTLS_PEM_PRIVATE },
	{ "PUBLIC KEY", DTLS_PEM_PUBLIC },
	{ "RSA PUBLIC KEY", DTLS_PEM_OTHER },
	{ "EC PARAMETERS", DTLS_PEM_OTHER },
	{ "DSA PARAMETERS", DTLS_PEM_OTHER },
	{ "DH PARAMETERS", DTLS_PEM_OTHER },
	{ "X9.42 DH PARAMETERS", DTLS_PEM_OTHER },
	{ "X509 CRL", DTLS_PEM_OTHER },
	{ "CERTIFICATE REQUEST", DTLS_PEM_OTHER },
	{ "NEW CERTIFICATE REQUEST", DTLS_PEM_OTHER },
	{ "PKCS7", DTLS_PEM_OTHER },
	{ "CMS", DTLS_PEM_OTHER },
};

/* Take the next line off @r, without white space around it. */
static bool next_line(struct dtls_bytes *r, struct dtls_bytes *line)
{
	const u8 *end;

	if (!r->len)
		return false;
	end = memchr(r->p, '\n', r->len);
	line->p = r->p;
	line->len = end ? (size_t)(end - r->p) : r->len;
	r->p += line->len + !!end;
	r->len -= line->len + !!end;
	while (line->len && line->p[line->len - 1] <= ' ')
		line->len--;
	for (; line->len && *line->p <= ' '; line->p++)
		line->len--;
	return true;
}

static bool starts_with(struct dtls_bytes line, const char *prefix)
{
	size_t len = strlen(prefix);

	return line.len >= len && !memcmp(line.p, prefix, len);
}

/*
 * Return true if the line is a boundary such as @what names, and set the label
 * that it bears.
 */
static bool read_boundary(struct dtls_bytes line, const char *what,
			  struct dtls_bytes *label)
{
	size_t head = strlen(what), tail = strlen(DASHES);

	if (!starts_with(line, what) || line.len < head + tail ||
	    memcmp(line.p + line.len - tail, DASHES, tail))
		return false;
	label->p = line.p + head;
	label->len = line.len - head - tail;
	return true;
}

static bool find_kind(struct dtls_bytes label, enum dtls_pem_kind *kind)
{
	size_t i;

	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (dtls_bytes_equal(label, labels[i].label,
				     strlen(labels[i].label))) {
			*kind = labels[i].kind;
			return true;
		}
	}
	return false;
}

/* Read the lines of a block behind its first one, up to its last. */
static bool read_rest(struct dtls_bytes *r, struct dtls_bytes label,
		      struct dtls_pem_block *b)
{
	struct dtls_bytes line, end;

	while (next_line(r, &line)) {
		if (!starts_with(line, DASHES))
			continue;
		b->text.len = (size_t)(line.p + line.len - b->text.p);
		return read_boundary(line, END, &end) &&
		       dtls_bytes_equal(end, label.p, label.len);
	}
	return false;
}

int dtls_pem_next(struct dtls_bytes *r, struct dtls_pem_block *b)
{
	struct dtls_bytes line, label;

	while (next_line(r, &line)) {
		if (!starts_with(line, DASHES))
			continue;
		b->text = line;
		return read_boundary(line, BEGIN, &label) &&
		       find_kind(label, &b->kind) && read_rest(r, label, b) ?
		       1 : -KDTLS_EDAMAGED;
	}
	return 0;
}
