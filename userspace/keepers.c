// SPDX-License-Identifier: BSD-3-Clause
/*
 * The sockets of a port, and whose a datagram is.
 *
 * A listener has keepers: sockets that are bound but never connected, one for
 * each local address (a wildcard listener makes the others as clients come).
 * A client's socket is bound to the same address and port and then connected.
 * In between it could be taken for one more to share the port with; but each
 * keeper heads a SO_REUSEPORT group with a program that chooses the keeper
 * always. That holds up to Linux 6.12. Since then a connected socket leaves its
 * group, the next one bound makes a new group with it that has no program, and
 * strangers may hit the moment before the connect: see listener_stray().
 */
#include "listener.h"
#include <errno.h>
#include <linux/filter.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Return: fd or -errno. */
static int bound_socket(struct keepers *k, const struct sockaddr *local,
			socklen_t len, bool shares_port)
{
	int fd, one = 1, size = k->receive_buffer;

	fd = socket(local->sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	if (fd < 0)
		return -errno;
	if (size && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
			       sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	/* The kernel attaches no IPv6 socket with an IPv4 peer. */
	if ((local->sa_family == AF_INET6 &&
	     setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &one, sizeof(one))) ||
	    (shares_port &&
	     setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one))) ||
	    bind(fd, local, len)) {
		int err = -errno;

		if (err == -EACCES || err == -EADDRINUSE)
			k->denied = err;
		close(fd);
		return err;
	}
	return fd;
}

int keepers_connect(struct keepers *k, const struct sockaddr *local,
		    const struct sockaddr *peer, socklen_t len)
{
	int fd, err;

	fd = bound_socket(k, local, len, true);
	if (fd >= 0 && connect(fd, peer, len)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* Give datagrams that no connected socket takes to the first keeper's socket. */
static int keep_strangers(int fd)
{
	struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
			  sizeof(program)) ? -errno : 0;
}

/*
 * Close one that nobody is a client at; the first is the listener's own. What
 * waits in its socket is lost, as datagrams may be. Return: false: there is none.
 */
static bool retire(struct keepers *ks)
{
	struct keeper *k;
	unsigned int i;

	for (i = 1; i < ks->count && ks->keeper[i]->clients; i++)
		;
	if (i == ks->count)
		return false;
	k = ks->keeper[i];
	ks->keeper[i] = ks->keeper[--ks->count];
	close(k->fd);
	OPENSSL_free(k);
	return true;
}

static int add_keeper(struct keepers *ks, const struct sockaddr *local,
		      socklen_t len)
{
	struct epoll_event e = { .events = EPOLLIN };
	struct keeper *k;
	int err;

	if (ks->count == KEEPERS_MAX && !retire(ks))
		return -ENOBUFS;
	k = OPENSSL_zalloc(sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->any = address_is_any(local);
	k->len = sizeof(k->local);
	k->fd = bound_socket(ks, local, len, true);
	err = k->fd;
	if (k->fd < 0)
		goto free;
	err = keep_strangers(k->fd);
	if (!err && k->any)
		err = address_ask(k->fd, local->sa_family);
	if (!err && getsockname(k->fd, (struct sockaddr *)&k->local, &k->len))
		err = -errno;
	e.data.ptr = k;
	if (!err && epoll_ctl(ks->epoll, EPOLL_CTL_ADD, k->fd, &e))
		err = -errno;
	if (err)
		goto close;
	ks->keeper[ks->count++] = k;
	return 0;
close:
	close(k->fd);
free:
	OPENSSL_free(k);
	return err;
}

int keepers_open(struct keepers *k, const struct sockaddr *local, socklen_t len)
{
	/* Somebody else's socket on this port would share it with us. */
	int fd = bound_socket(k, local, len, false);

	if (fd < 0)
		return fd;
	close(fd);
	return add_keeper(k, local, len);
}

void keepers_close(struct keepers *k)
{
	while (k->count) {
		close(k->keeper[--k->count]->fd);
		OPENSSL_free(k->keeper[k->count]);
	}
}

const struct keeper *keepers_find(const struct keepers *k,
				  const struct sockaddr_storage *local)
{
	unsigned int i;

	for (i = 0; i < k->count; i++)
		if (address_same(&k->keeper[i]->local, local))
			return k->keeper[i];
	return NULL;
}

struct keeper *keepers_need(struct keepers *k,
			    const struct sockaddr_storage *local, socklen_t len)
{
	if (!keepers_find(k, local) &&
	    add_keeper(k, (const struct sockaddr *)local, len))
		return NULL;
	return (struct keeper *)keepers_find(k, local);
}

bool keepers_have(const struct keepers *k, const void *ptr)
{
	unsigned int i;

	for (i = 0; i < k->count; i++)
		if (k->keeper[i] == ptr)
			return true;
	return false;
}

ssize_t keeper_receive(const struct keeper *k, struct stranger *from,
		       uint8_t *buf)
{
	union {
		char space[ADDRESS_CONTROL];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = DATAGRAM_MAX };
	struct msghdr msg = {
		.msg_name = &from->peer,
		.msg_namelen = sizeof(from->peer),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t n;

	n = recvmsg(k->fd, &msg, MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	from->local = k->local;
	from->len = msg.msg_namelen;
	if (k->any && !address_told(&msg, &from->local))
		return -EBADMSG;
	address_key(from);
	return n;
}

void keeper_reply(const struct keeper *k, const struct stranger *to,
		  const uint8_t *data, size_t len)
{
	union {
		char space[ADDRESS_CONTROL];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr msg = {
		.msg_name = (void *)&to->peer,
		.msg_namelen = to->len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};

	if (k->any) {
		msg.msg_control = control.space;
		address_from(&msg, &to->local);
	}
	sendmsg(k->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}
