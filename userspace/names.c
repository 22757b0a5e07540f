// SPDX-License-Identifier: BSD-3-Clause
/* This file connects and listens by the names of hosts and services. */
#include "driver.h"
#include <kdtls/server.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Return false if @service is empty, which getaddrinfo() would take for port 0, or a number
 * that is no port, of which it would take the low 16 bits. Port 0 is for @flags that ask for
 * an address to bind to.
 */
static bool may_be_port(const char *service, int flags)
{
	char *end;
	unsigned long n = strtoul(service, &end, 10);

	if (*end || end == service)
		return *service;
	return n <= 65535 && (n || flags & AI_PASSIVE);
}

static int resolve(const char *host, const char *service, int flags,
		   struct addrinfo **list)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = flags,
	};

	if (!may_be_port(service, flags))
		return -KDTLS_ENOHOST;
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

/*
 * Make a socket that is connected to @a. @flags is 0 or SOCK_NONBLOCK. Return
 * its file or -errno.
 */
static int connected_socket(const struct addrinfo *a, int flags)
{
	int fd, one = 1, err;

	fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | flags, 0);
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

/* Return true if an error says that there is no server at an address. */
static bool is_absent(int err)
{
	return err == -KDTLS_ETIMEOUT || (err < 0 && -err < KDTLS_ENOMODULE);
}

/*
 * Return the part of the time until @end, in ms, that one of @count tries has.
 */
static int share(uint64_t end, unsigned int count)
{
	uint64_t now = driver_now();

	if (end == KDTLS_NEVER)
		return -1;
	return now < end ? (int)((end - now) / 1000 / count) + 1 : 1;
}

/*
 * Connect to one address, for @timeout ms at most. Return 0 or a negative
 * error.
 */
static int try(struct kdtls_endpoint *endpoint, const struct addrinfo *a,
	       const struct kdtls_socket_options *o, int timeout,
	       struct kdtls_socket **s)
{
	int fd = connected_socket(a, timeout ? 0 : SOCK_NONBLOCK), err;

	if (fd < 0)
		return fd;
	err = socket_connect(endpoint, fd, o, true, timeout, s);
	if (err && err != -EINPROGRESS)
		close(fd);
	return err;
}

int kdtls_connect_to(struct kdtls_endpoint *endpoint, const char *host,
		     const char *service,
		     const struct kdtls_socket_options *options, int timeout,
		     struct kdtls_socket **s)
{
	struct kdtls_socket_options o = { 0 };
	struct addrinfo *list, *a;
	unsigned int count = 0;
	uint64_t end;
	int err;

	if (options)
		o = *options;
	if (!o.name)
		o.name = host;
	err = resolve(host, service, 0, &list);
	if (err)
		return err;
	end = timeout < 0 ? KDTLS_NEVER : driver_now() + timeout * 1000ULL;
	for (a = list; a; a = a->ai_next)
		count++;
	for (a = list; a; a = a->ai_next) {
		err = try(endpoint, a, &o, timeout ? share(end, count--) : 0, s);
		if (!is_absent(err) || err == -EINPROGRESS)
			break;
	}
	freeaddrinfo(list);
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

/* Make a socket that is bound to @a. Return its file or -errno. */
static int bound_socket(const struct addrinfo *a, bool shares_port)
{
	int fd, one = 1, err;

	fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if ((a->ai_family == AF_INET6 &&
	     setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &one, sizeof(one))) ||
	    (shares_port &&
	     setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one))) ||
	    bind(fd, a->ai_addr, a->ai_addrlen)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int kdtls_server_on(struct kdtls_endpoint *endpoint, const char *host,
		    const char *service,
		    const struct kdtls_server_options *options,
		    struct kdtls_server **server)
{
	bool shares_port = options && (options->sharers > 1 || options->turn);
	struct addrinfo *list;
	int fd, err;

	err = resolve(host, service, AI_PASSIVE, &list);
	if (err)
		return err;
	fd = bound_socket(list, shares_port);
	freeaddrinfo(list);
	if (fd < 0)
		return fd;
	err = kdtls_server_new(endpoint, fd, options, server);
	if (err)
		close(fd);
	return err;
}
