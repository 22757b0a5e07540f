// SPDX-License-Identifier: GPL-2.0
/*
 * A BIO that stands between OpenSSL and datagrams that the program reads and sends
 * itself, many with a call; see openssl.h. It copies each record once, and keeps
 * nothing.
 */
#include <string.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "openssl.h"

static const unsigned char *in;
static unsigned char *out;
static size_t in_len, out_len, out_room;

void openssl_bio_in(const void *datagram, size_t len)
{
	in = datagram;
	in_len = len;
}

void openssl_bio_out(void *place, size_t room)
{
	out = place;
	out_room = room;
	out_len = 0;
}

size_t openssl_bio_written(void)
{
	return out_len;
}

static int read_datagram(BIO *bio, char *buf, int room)
{
	int len = (int)in_len;

	BIO_clear_retry_flags(bio);
	if (!len || len > room) {
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(buf, in, len);
	in_len = 0;
	return len;
}

static int write_record(BIO *bio, const char *buf, int len)
{
	BIO_clear_retry_flags(bio);
	if (len < 0 || (size_t)len > out_room - out_len)
		return -1;
	memcpy(out + out_len, buf, len);
	out_len += len;
	return len;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static BIO *new_bio(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() |
					  BIO_TYPE_SOURCE_SINK, "datagrams");
	BIO *bio;

	if (!method)
		return NULL;
	BIO_meth_set_read(method, read_datagram);
	BIO_meth_set_write(method, write_record);
	BIO_meth_set_ctrl(method, control);
	bio = BIO_new(method);
	BIO_set_init(bio, 1);
	return bio;
}

bool openssl_bio_use(SSL *ssl)
{
	static BIO *bio;

	if (!bio)
		bio = new_bio();
	if (!bio || !BIO_up_ref(bio))
		return false;
	SSL_set_bio(ssl, bio, bio);
	return true;
}

size_t openssl_seal(SSL *ssl, unsigned int size, unsigned int n, void *place,
		    size_t room)
{
	static const char content[SIZE_MAX_RECORD];

	openssl_bio_out(place, room);
	while (n--)
		if (SSL_write(ssl, content, (int)size) != (int)size)
			return 0;
	return openssl_bio_written();
}

unsigned int openssl_unseal(SSL *ssl, unsigned int size, const void *datagrams,
			    ssize_t len, int segment)
{
	static char content[SIZE_MAX_RECORD];
	const char *next = datagrams;
	unsigned int n = 0;

	if (!segment)
		segment = (int)len;
	for (; len > 0; len -= segment, next += segment, n++) {
		openssl_bio_in(next, len < segment ? len : segment);
		if (SSL_read(ssl, content, sizeof(content)) != (int)size)
			return 0;
	}
	return n;
}
