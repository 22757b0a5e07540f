// SPDX-License-Identifier: BSD-3-Clause
/*
 * PEM; see pem.h. The blocks are told apart here, because libcrypto passes over
 * those that it cannot read. What is in a block is read by libcrypto.
 */
#include <openssl/pem.h>

#include <kdtls/engine.h>

#include "pem.h"

#define DASHES	"-----"
#define BEGIN	"-----BEGIN "
#define END	"-----END "

#define DER_SEQUENCE	0x30

enum pem_kind {
	PEM_OTHER,		/* a known block that is passed over */
	PEM_CERTIFICATE,
	PEM_PRIVATE,
	PEM_ENCRYPTED,
	PEM_PUBLIC,
};

struct pem_block {
	enum pem_kind kind;
	struct dtls_bytes text;	/* the block, from its first dash to its last */
};

static const struct {
	const char *label;
	enum pem_kind kind;
} labels[] = {
	{ "CERTIFICATE", PEM_CERTIFICATE },
	{ "X509 CERTIFICATE", PEM_CERTIFICATE },
	{ "TRUSTED CERTIFICATE", PEM_CERTIFICATE },
	{ "PRIVATE KEY", PEM_PRIVATE },
	{ "EC PRIVATE KEY", PEM_PRIVATE },
	{ "RSA PRIVATE KEY", PEM_PRIVATE },
	{ "DSA PRIVATE KEY", PEM_PRIVATE },
	{ "ENCRYPTED PRIVATE KEY", PEM_ENCRYPTED },
	{ "PUBLIC KEY", PEM_PUBLIC },
	{ "RSA PUBLIC KEY", PEM_OTHER },
	{ "EC PARAMETERS", PEM_OTHER },
	{ "DSA PARAMETERS", PEM_OTHER },
	{ "DH PARAMETERS", PEM_OTHER },
	{ "X9.42 DH PARAMETERS", PEM_OTHER },
	{ "X509 CRL", PEM_OTHER },
	{ "CERTIFICATE REQUEST", PEM_OTHER },
	{ "NEW CERTIFICATE REQUEST", PEM_OTHER },
	{ "PKCS7", PEM_OTHER },
	{ "CMS", PEM_OTHER },
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

static bool find_kind(struct dtls_bytes label, enum pem_kind *kind)
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

/*
 * Read the lines of a block behind its first one, up to its last (RFC 1421 4.6
 * for headers).
 */
static bool read_rest(struct dtls_bytes *r, struct dtls_bytes label,
		      struct pem_block *b)
{
	struct dtls_bytes line, end;

	while (next_line(r, &line)) {
		if (starts_with(line, "Proc-Type: 4,ENCRYPTED"))
			b->kind = PEM_ENCRYPTED;
		if (!starts_with(line, DASHES))
			continue;
		b->text.len = (size_t)(line.p + line.len - b->text.p);
		return read_boundary(line, END, &end) &&
		       dtls_bytes_equal(end, label.p, label.len);
	}
	return false;
}

/*
 * Take the next block off @r. Text between blocks has no line that begins with
 * five dashes. Return: 1; 0: there is none; or -KDTLS_EDAMAGED.
 */
static int next_block(struct dtls_bytes *r, struct pem_block *b)
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

/*
 * Return why a file has no block of use: -KDTLS_EDER for DER, which is a sequence whose
 * length fits, and @empty for anything else.
 */
static int no_block(struct dtls_bytes pem, int empty)
{
	bool der = pem.len > 2 && pem.p[0] == DER_SEQUENCE &&
		   (pem.p[1] & 0x80 || pem.p[1] == pem.len - 2);

	return der ? -KDTLS_EDER : empty;
}

static BIO *bio_of(const struct pem_block *b)
{
	return b->text.len > INT_MAX ?
	       NULL : BIO_new_mem_buf(b->text.p, (int)b->text.len);
}

static int add_certificate(STACK_OF(X509) *certs, const struct pem_block *b)
{
	BIO *bio = bio_of(b);
	X509 *cert;

	if (!bio)
		return -KDTLS_EMEMORY;
	cert = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
	BIO_free(bio);
	if (!cert)
		return -KDTLS_EDAMAGED;
	if (sk_X509_push(certs, cert))
		return 0;
	X509_free(cert);
	return -KDTLS_EMEMORY;
}

int dtls_pem_certificates(struct dtls_bytes pem, STACK_OF(X509) **certs)
{
	STACK_OF(X509) *list = sk_X509_new_null();
	struct dtls_bytes rest = pem;
	struct pem_block b;
	int err = list ? 0 : -KDTLS_EMEMORY;
	int n = 0;

	while (!err && (n = next_block(&rest, &b)) > 0)
		if (b.kind == PEM_CERTIFICATE)
			err = add_certificate(list, &b);
	if (!err)
		err = n;
	if (!err && !sk_X509_num(list))
		err = no_block(pem, -KDTLS_EEMPTY);
	if (err)
		sk_X509_pop_free(list, X509_free);
	else
		*certs = list;
	return err;
}

static int read_key(const struct pem_block *b, EVP_PKEY **key)
{
	/* With an empty pass phrase libcrypto asks for none on a terminal. */
	static char none[] = "";
	BIO *bio = bio_of(b);

	if (!bio)
		return -KDTLS_EMEMORY;
	*key = b->kind == PEM_PUBLIC ?
	       PEM_read_bio_PUBKEY(bio, NULL, NULL, none) :
	       PEM_read_bio_PrivateKey(bio, NULL, NULL, none);
	BIO_free(bio);
	return *key ? 0 : -KDTLS_EDAMAGED;
}

/* Find the first key of a kind. All blocks of the file have to be in order. */
static int find_key(struct dtls_bytes pem, enum pem_kind kind, EVP_PKEY **key)
{
	struct dtls_bytes rest = pem;
	struct pem_block b;
	int err = 0, n;

	*key = NULL;
	while ((n = next_block(&rest, &b)) > 0 && !err) {
		if (b.kind == kind && !*key)
			err = read_key(&b, key);
		else if (b.kind == PEM_ENCRYPTED && kind == PEM_PRIVATE &&
			 !*key)
			err = -KDTLS_EENCRYPTED;
	}
	if (!err)
		err = n;
	if (!err && !*key)
		err = no_block(pem, kind == PEM_PRIVATE ? -KDTLS_EKEYLESS :
							  -KDTLS_EEMPTY);
	if (err) {
		EVP_PKEY_free(*key);
		*key = NULL;
	}
	return err;
}

int dtls_pem_private_key(struct dtls_bytes pem, EVP_PKEY **key)
{
	return find_key(pem, PEM_PRIVATE, key);
}

int dtls_pem_public_key(struct dtls_bytes pem, EVP_PKEY **key)
{
	return find_key(pem, PEM_PUBLIC, key);
}
