// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file reads certificates and keys from files, and from URIs by libcrypto.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "driver.h"

#define FILE_MAX	(1 << 20)

/*
 * Read a file into memory at @data, which the caller frees with
 * OPENSSL_clear_free(). Return how many bytes the file has, or -errno.
 */
static ssize_t read_file(const char *name, char **data)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC), err = 0;
	ssize_t n = 0, len = 0;
	char *buf;

	if (fd < 0)
		return -errno;
	buf = OPENSSL_malloc(FILE_MAX);
	if (!buf)
		err = -ENOMEM;
	while (!err && len < FILE_MAX &&
	       (n = read(fd, buf + len, FILE_MAX - len)) > 0)
		len += n;
	if (n < 0)
		err = -errno;
	if (len == FILE_MAX)
		err = -EFBIG;
	close(fd);
	if (err) {
		OPENSSL_clear_free(buf, len);
		return err;
	}
	*data = buf;
	return len;
}

/* Return true if @name begins with the scheme of a URI (RFC 3986 3.1). */
static bool has_scheme(const char *name)
{
	size_t len = 0;

	while (isalnum((unsigned char)name[len]) ||
	       (name[len] && strchr("+-.", name[len])))
		len++;
	return len > 1 && name[len] == ':';
}

/*
 * Return the path that a URI of the scheme "file" names (RFC 8089 2), or @name.
 */
static const char *path_of(const char *name)
{
	static const char *const heads[] = { "file://localhost/", "file:///",
					     "file:" };
	size_t i, len;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		len = strlen(heads[i]);
		if (!strncasecmp(name, heads[i], len))
			return name + len - (heads[i][len - 1] == '/');
	}
	return name;
}

/*
 * Open what @name says: a file, whose bytes drop_source() frees; or a URI, if
 * there is no such file. Return 0 or -errno.
 */
static int open_source(const struct kdtls_endpoint *ep, const char *name,
		       struct dtls_store *s)
{
	const char *path = path_of(name);
	char *data = NULL;
	ssize_t len;

	*s = (struct dtls_store){ .passphrase = ep->passphrase };
	len = read_file(path, &data);
	if (len == -ENOENT && path == name && has_scheme(name)) {
		s->uri = name;
		return 0;
	}
	if (len < 0)
		return (int)len;
	s->data = (struct dtls_bytes){ (const u8 *)data, (size_t)len };
	return 0;
}

static void drop_source(struct dtls_store *s)
{
	OPENSSL_clear_free((void *)s->data.p, s->data.len);
}

int kdtls_use_certificate_file(struct kdtls_endpoint *endpoint,
			       const char *chain, const char *key)
{
	struct dtls_store chain_from, key_from;
	int err;

	err = open_source(endpoint, chain, &chain_from);
	if (err)
		return err;
	if (!key) {
		err = dtls_endpoint_show(endpoint, &chain_from, &chain_from);
	} else {
		err = open_source(endpoint, key, &key_from);
		if (!err) {
			err = dtls_endpoint_show(endpoint, &chain_from,
						 &key_from);
			drop_source(&key_from);
		}
	}
	drop_source(&chain_from);
	return err;
}

int kdtls_trust_file(struct kdtls_endpoint *endpoint, const char *roots)
{
	struct dtls_store from;
	int err;

	err = open_source(endpoint, roots, &from);
	if (err)
		return err;
	err = dtls_endpoint_believe(endpoint, &from);
	drop_source(&from);
	return err;
}
