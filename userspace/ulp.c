// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file has functions for the socket options of linux/dtls.h, and attaches
 * sockets to the kernel with all keys of a session.
 */
#include "cipher.h"
#include "driver.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define ALERT_LEVEL_WARNING	1	/* RFC 5246 7.2 */

/*
 * Return 0 if the module answers for DTLS_ULP, which IP itself does not know.
 */
static int module_present(int fd)
{
	char name[16];
	socklen_t len = sizeof(name);

	if (!getsockopt(fd, SOL_IP, DTLS_ULP, name, &len))
		return 0;
	return errno == ENOPROTOOPT ? -KDTLS_ENOMODULE : 0;
}

static int socket_is_udp(int fd)
{
	socklen_t len = sizeof(int);
	int protocol;

	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len))
		return errno == ENOTSOCK ? -KDTLS_ENOTUDP : -errno;
	return protocol == IPPROTO_UDP ? 0 : -KDTLS_ENOTUDP;
}

int kdtls_available(void)
{
	int fd, err;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 && errno == EAFNOSUPPORT)
		fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = module_present(fd);
	close(fd);
	return err;
}

int kdtls_attach(int fd)
{
	int err;

	err = socket_is_udp(fd);
	if (err)
		return err;
	if (!setsockopt(fd, SOL_IP, DTLS_ULP, "dtls", 4))
		return 0;
	switch (errno) {
	case ENOPROTOOPT:
		return -KDTLS_ENOMODULE;
	case EPROTONOSUPPORT:
		return -KDTLS_ENOTUDP;
	case EEXIST:
		return -KDTLS_EATTACHED;
	case EBUSY:
		return -KDTLS_EOWNED;
	case EAFNOSUPPORT:
		return -KDTLS_EMAPPED;
	}
	return -errno;
}

int kdtls_set_key(int fd, int direction, const struct dtls_key_info *key)
{
	if (!setsockopt(fd, SOL_DTLS, direction, key, sizeof(*key)))
		return 0;
	switch (errno) {
	case ENOTCONN:
		return -KDTLS_ENOTCONN;
	case ENOENT:
		return -KDTLS_ENOCIPHER;
	}
	return -errno;
}

/*
 * Connect a new socket to @peer, attach it and give it a key, to find out
 * whether the kernel has the cipher. The new socket lacks the options of the user's
 * socket, and so may have no route to the peer: then the cipher counts as available.
 * Return 1 if the kernel has the cipher, 0 if it could not be tried, or -errno.
 */
static int try_cipher(const struct sockaddr *peer, socklen_t len,
		      unsigned int version, unsigned int cipher)
{
	struct dtls_key_info key = {
		.version = version,
		.cipher = cipher,
		.epoch = version == DTLS_VERSION_1_2 ? DTLS12_EPOCH_DATA :
						       DTLS13_EPOCH_DATA,
	};
	int fd, err = 0;

	fd = socket(peer->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, peer, len)) {
		err = kdtls_attach(fd);
		if (!err)
			err = kdtls_set_key(fd, DTLS_TX, &key);
		if (!err)
			err = 1;
	}
	close(fd);
	return err;
}

int ulp_has_cipher(int fd, const struct sockaddr *peer, socklen_t len,
		   unsigned int version, unsigned int cipher)
{
	static unsigned int known[2];	/* Each version has a bit for each cipher. */
	unsigned int *of = &known[version == DTLS_VERSION_1_3];
	unsigned int bit = cipher_bit(cipher);
	int err;

	err = module_present(fd);
	if (err || __atomic_load_n(of, __ATOMIC_RELAXED) & bit)
		return err;
	err = try_cipher(peer, len, version, cipher);
	if (err < 0)
		return err;
	if (err)
		__atomic_fetch_or(of, bit, __ATOMIC_RELAXED);
	return 0;
}

int ulp_supports(int fd, unsigned int version, unsigned int cipher)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	int err;

	err = socket_is_udp(fd);
	if (err)
		return err;
	err = module_present(fd);
	if (err)
		return err;
	if (getpeername(fd, (struct sockaddr *)&peer, &len))
		return errno == ENOTCONN ? -KDTLS_ENOTCONN : -errno;
	return ulp_has_cipher(fd, (struct sockaddr *)&peer, len, version,
			      cipher);
}

int kdtls_supports(int fd, unsigned int cipher)
{
	return ulp_supports(fd, DTLS_VERSION_1_2, cipher);
}

static int get_option(int fd, int name, void *value, socklen_t len)
{
	int err;

	if (!getsockopt(fd, SOL_DTLS, name, value, &len))
		return 0;
	err = -errno;
	return module_present(fd) ? -KDTLS_ENOMODULE : err;
}

int kdtls_get_info(int fd, struct dtls_info *info)
{
	memset(info, 0, sizeof(*info));
	return get_option(fd, DTLS_INFO, info, sizeof(*info));
}

int kdtls_get_counters(int fd, struct dtls_counters *counters)
{
	memset(counters, 0, sizeof(*counters));
	return get_option(fd, DTLS_COUNTERS, counters, sizeof(*counters));
}

int kdtls_get_mtu(int fd)
{
	struct dtls_info info;
	int err;

	err = kdtls_get_info(fd, &info);
	if (err)
		return err;
	if (!info.tx_epoch)
		return -ENOKEY;
	return info.mtu ? (int)info.mtu : -ENOTCONN;
}

int kdtls_get_window(int fd, uint64_t epoch, struct dtls_window *window)
{
	memset(window, 0, sizeof(*window));
	window->epoch = epoch;
	return get_option(fd, DTLS_WINDOW, window, sizeof(*window));
}

int kdtls_set_window(int fd, const struct dtls_window *window)
{
	if (!setsockopt(fd, SOL_DTLS, DTLS_WINDOW, window, sizeof(*window)))
		return 0;
	return -errno;
}

int kdtls_set_replay_window(int fd, unsigned int records)
{
	struct dtls_replay_window window = { .records = records };

	if (!setsockopt(fd, SOL_DTLS, DTLS_REPLAY_WINDOW, &window,
			sizeof(window)))
		return 0;
	return -errno;
}

int kdtls_poll_control(int fd, int on)
{
	__u32 value = on;

	if (!setsockopt(fd, SOL_DTLS, DTLS_POLL_CONTROL, &value, sizeof(value)))
		return 0;
	return -errno;
}

static int set_cid(int fd, const struct dtls_cid *cid)
{
	if (!setsockopt(fd, SOL_DTLS, DTLS_CID, cid, sizeof(*cid)))
		return 0;
	return -errno;
}

int ulp_add_cid(int fd, uint64_t id, const uint8_t *cid, size_t len)
{
	struct dtls_cid option = { .id = id, .rx_len = (__u16)len };

	memcpy(option.rx, cid, len);
	return set_cid(fd, &option);
}

int ulp_change_cid(int fd, uint64_t id, const uint8_t *cid, size_t len)
{
	struct dtls_cid option = { .id = id, .tx_len = (__u16)len };

	memcpy(option.tx, cid, len);
	return set_cid(fd, &option);
}

ssize_t ulp_send(int fd, const struct dtls_record_info *info, const void *data,
		 size_t len, int flags)
{
	union {
		char space[CMSG_SPACE(sizeof(struct dtls_record_info))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	cmsg->cmsg_level = SOL_DTLS;
	cmsg->cmsg_type = DTLS_RECORD_INFO;
	cmsg->cmsg_len = CMSG_LEN(sizeof(*info));
	memcpy(CMSG_DATA(cmsg), info, sizeof(*info));
	n = sendmsg(fd, &msg, MSG_NOSIGNAL | flags);
	return n < 0 ? -errno : n;
}

ssize_t kdtls_send_record(int fd, uint8_t type, const void *data, size_t len)
{
	struct dtls_record_info info = { .type = type };

	return ulp_send(fd, &info, data, len, 0);
}

ssize_t kdtls_send_raw(int fd, const void *data, size_t len)
{
	struct dtls_record_info info = { .flags = DTLS_RECORD_RAW };

	return ulp_send(fd, &info, data, len, 0);
}

int ulp_feed(int fd, uint64_t id, const void *datagram, size_t len)
{
	size_t size = sizeof(struct dtls_feed) + len;
	struct dtls_feed *feed = calloc(1, size);
	int err;

	if (!feed)
		return -ENOMEM;
	feed->id = id;
	memcpy(feed->datagram, datagram, len);
	err = setsockopt(fd, SOL_DTLS, DTLS_FEED, feed, size) ? -errno : 0;
	free(feed);
	return err;
}

/*
 * Copy the record information of a control message. The kernel's structure may
 * be shorter or longer than this file's, as another version of the module may
 * have other members at its end.
 */
static void take_info(const struct cmsghdr *cmsg, struct dtls_record_info *info)
{
	size_t len = cmsg->cmsg_len - CMSG_LEN(0);

	memcpy(info, CMSG_DATA(cmsg), len < sizeof(*info) ? len : sizeof(*info));
}

ssize_t ulp_recv(int fd, void *buf, size_t len, struct dtls_record_info *info,
		 bool *cut, struct sockaddr_storage *from, int flags)
{
	union {
		char space[CMSG_SPACE(sizeof(struct dtls_record_info))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
		.msg_name = from,
		.msg_namelen = from ? sizeof(*from) : 0,
	};
	struct cmsghdr *cmsg;
	ssize_t n;

	if (from)
		from->ss_family = AF_UNSPEC;
	n = recvmsg(fd, &msg, MSG_DONTWAIT | flags);
	if (n < 0)
		return -errno;
	if (cut)
		*cut = msg.msg_flags & MSG_TRUNC;
	memset(info, 0, sizeof(*info));
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg))
		if (cmsg->cmsg_level == SOL_DTLS &&
		    cmsg->cmsg_type == DTLS_RECORD_INFO)
			take_info(cmsg, info);
	return n;
}

ssize_t kdtls_recv_record(int fd, void *buf, size_t len,
			  struct dtls_record_info *info)
{
	return ulp_recv(fd, buf, len, info, NULL, NULL, MSG_OOB);
}

int kdtls_close_notify(int fd)
{
	static const u8 alert[] = { ALERT_LEVEL_WARNING, KDTLS_ALERT_CLOSE_NOTIFY };
	ssize_t n;

	n = kdtls_send_record(fd, DTLS_CT_ALERT, alert, sizeof(alert));
	return n < 0 ? (int)n : 0;
}

int kdtls_install(int fd, const struct kdtls_keys *keys)
{
	int err;

	err = kdtls_supports(fd, keys->tx.cipher);
	if (err)
		return err;
	err = kdtls_attach(fd);
	if (err)
		return err;

	/*
	 * The replay window is set before the write key, as the peer may
	 * answer as soon as this end can send.
	 */
	if (kdtls_set_key(fd, DTLS_RX, &keys->rx) ||
	    (keys->seen.next && kdtls_set_window(fd, &keys->seen)) ||
	    kdtls_set_key(fd, DTLS_TX, &keys->tx))
		return -KDTLS_EHALF;
	return 0;
}

void kdtls_keys_wipe(struct kdtls_keys *keys)
{
	explicit_bzero(keys, sizeof(*keys));
}
