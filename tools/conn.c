// SPDX-License-Identifier: BSD-3-Clause
/* See conn.h. */
#include "conn.h"
#include <err.h>
#include <errno.h>
#include <kdtls/openssl.h>
#include <netinet/udp.h>
#include <openssl/err.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Content of a record unless --mtu says otherwise. A loopback takes 16 KiB and
 * charges the receiver twice that, so few of them fill its buffer.
 */
#define DEFAULT_RECORD	1400

void conn_init(struct conn *c, SSL *ssl, const struct options *o)
{
	size_t max = o->mtu ? RECORD_MAX : DEFAULT_RECORD;

	*c = (struct conn){
		.fd = SSL_get_fd(ssl),
		.ssl = ssl,
		.mtu = DTLS_get_data_mtu(ssl),
	};
	if (c->mtu > max)
		c->mtu = max;
}

int conn_offload(struct conn *c, const struct options *o)
{
	struct dtls_info info;
	int n, bad;

	if (o->path == PATH_USER) {
		warnx("records in user space: --path user");
		return 0;
	}
	bad = kdtls_offload_openssl(c->ssl);
	if (bad == -KDTLS_EUNREAD)
		return -EAGAIN;
	if (bad == -KDTLS_EHALF || (bad && o->path == PATH_KERNEL)) {
		warnx("no records in the kernel: %s", kdtls_strerror(bad));
		return bad;
	}
	if (bad) {
		warnx("records in user space: %s", kdtls_strerror(bad));
		return 0;
	}

	c->kernel = true;
	n = kdtls_get_mtu(c->fd);
	if (n > 0 && (size_t)n < c->mtu)
		c->mtu = n;
	kdtls_poll_control(c->fd, 1);
	/* Many records for one call: see conn_send_file(). */
	n = (int)c->mtu;
	setsockopt(c->fd, SOL_UDP, UDP_SEGMENT, &n, sizeof(n));
	bad = kdtls_get_info(c->fd, &info);
	warnx("records in the kernel: %s",
	      bad ? kdtls_strerror(bad) : kdtls_cipher_name(info.tx_cipher));
	return 0;
}

/* What OpenSSL's last call failed of, as an errno */
static int user_error(struct conn *c, int ret)
{
	switch (SSL_get_error(c->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return -EAGAIN;
	case SSL_ERROR_SYSCALL:
		if (errno)
			return -errno;
	}
	return -EPROTO;
}

static void user_begin(void)
{
	ERR_clear_error();
	errno = 0;
}

ssize_t conn_send(struct conn *c, const void *buf, size_t len)
{
	ssize_t n;

	if (c->kernel) {
		n = send(c->fd, buf, len, MSG_NOSIGNAL);
		return n < 0 ? -errno : n;
	}
	user_begin();
	n = SSL_write(c->ssl, buf, (int)len);
	return n > 0 ? n : user_error(c, (int)n);
}

ssize_t conn_send_file(struct conn *c, int file, size_t len)
{
	char buf[RECORD_MAX];
	ssize_t n, sent;

	if (c->kernel) {
		n = sendfile(c->fd, file, NULL, len);
		return n < 0 ? -errno : n;
	}
	n = read(file, buf, len < c->mtu ? len : c->mtu);
	if (n <= 0)
		return n < 0 ? -errno : 0;
	sent = conn_send(c, buf, n);
	if (sent < 0)
		lseek(file, -n, SEEK_CUR);
	return sent;
}

ssize_t conn_recv(struct conn *c, void *buf, size_t len)
{
	ssize_t n;

	if (c->kernel) {
		n = recv(c->fd, buf, len, MSG_DONTWAIT);
		return n < 0 ? -errno : n;
	}
	user_begin();
	n = SSL_read(c->ssl, buf, (int)len);
	if (n > 0)
		return n;
	if (SSL_get_shutdown(c->ssl) & SSL_RECEIVED_SHUTDOWN)
		return 0;
	return user_error(c, (int)n);
}

void conn_control(struct conn *c)
{
	struct dtls_record_info info;
	char buf[RECORD_MAX];

	/* Alerts that matter come as the error of the next call. */
	while (c->kernel &&
	       kdtls_recv_record(c->fd, buf, sizeof(buf), &info) >= 0)
		if (kdtls_openssl_answer(c->ssl, &info) > 0)
			warnx("the peer lost our last flight: sent again");
}

int conn_close_notify(struct conn *c)
{
	int ret;

	if (c->kernel)
		return kdtls_close_notify(c->fd);
	user_begin();
	ret = SSL_shutdown(c->ssl);
	return ret < 0 ? user_error(c, ret) : 0;
}
