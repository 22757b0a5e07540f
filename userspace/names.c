// SPDX-License-Identifier: BSD-3-Clause
/* Hosts and services by name. */
#include <errno.h>
#include <kdtls/socket.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

static int resolve(const char *host, const char *service, int flags,
		   struct addrinfo **list)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = flags,
	};

	switch (getaddrinfo(host, service, &hints, list)) {
	case 0:
		return 0;
	case EAI_SYSTEM:
		return -errno;
	case EAI_MEMORY:
		return -KDTLS_EMEMORY;
	default:
		return -KDTLS_ENOHOST;
	}
}

/* Return: fd or -errno. */
static int connected_socket(const struct addrinfo *a)
{
	int fd, one = 1, err;

	fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* The kernel attaches no IPv6 socket with an IPv4 peer. */
	if ((a->ai_family == AF_INET6 &&
	     setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &one, sizeof(one))) ||
	    connect(fd, a->ai_addr, a->ai_addrlen)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int kdtls_connect_to(struct kdtls_endpoint *endpoint, const char *host,
		     const char *service,
		     const struct kdtls_socket_options *options, int timeout,
		     struct kdtls_socket **s)
{
	struct kdtls_socket_options o = { 0 };
	struct addrinfo *list, *a;
	int fd = -1, err;

	if (options)
		o = *options;
	if (!o.name)
		o.name = host;
	err = resolve(host, service, 0, &list);
	if (err)
		return err;
	for (a = list; a && fd < 0; a = a->ai_next)
		fd = connected_socket(a);
	freeaddrinfo(list);
	if (fd < 0)
		return fd;
	err = kdtls_connect(endpoint, fd, &o, timeout, s);
	if (err && err != -EINPROGRESS)
		close(fd);
	return err;
}

int kdtls_listen_on(struct kdtls_endpoint *endpoint, const char *host,
		    const char *service,
		    const struct kdtls_listener_options *options,
		    struct kdtls_listener **listener)
{
	struct addrinfo *list;
	int err;

	err = resolve(host, service, AI_PASSIVE, &list);
	if (err)
		return err;
	err = kdtls_listen(endpoint, list->ai_addr, list->ai_addrlen, options,
			   listener);
	freeaddrinfo(list);
	return err;
}
