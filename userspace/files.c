// SPDX-License-Identifier: BSD-3-Clause
/* Read certificates and keys from files. */
#include <errno.h>
#include <fcntl.h>
#include <kdtls/socket.h>
#include <openssl/crypto.h>
#include <unistd.h>

#define FILE_MAX	(1 << 20)

/*
 * Read a file into memory at @data, which the caller frees with
 * OPENSSL_clear_free(). Return its bytes, or -errno.
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

int kdtls_use_certificate_file(struct kdtls_endpoint *endpoint,
			       const char *chain, const char *key)
{
	ssize_t chain_len, key_len;
	char *chain_pem, *key_pem;
	int err;

	chain_len = read_file(chain, &chain_pem);
	if (chain_len < 0)
		return (int)chain_len;
	key_len = read_file(key ? key : chain, &key_pem);
	err = (int)key_len;
	if (key_len >= 0) {
		err = kdtls_endpoint_use_certificate(endpoint, chain_pem,
						     chain_len, key_pem,
						     key_len);
		OPENSSL_clear_free(key_pem, key_len);
	}
	OPENSSL_clear_free(chain_pem, chain_len);
	return err;
}

int kdtls_trust_file(struct kdtls_endpoint *endpoint, const char *roots)
{
	ssize_t len;
	char *pem;
	int err;

	len = read_file(roots, &pem);
	if (len < 0)
		return (int)len;
	err = kdtls_endpoint_trust(endpoint, pem, len);
	OPENSSL_clear_free(pem, len);
	return err;
}
