/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions read the name of a server that the owner of a client gives.
 */
#ifndef _DTLS_NAME_H
#define _DTLS_NAME_H

#include <stdbool.h>

#define DTLS_NAME_MAX	253	/* bytes of a host name (RFC 1035 2.3.4) */

/**
 * dtls_name_read() - bring a name into the form that is compared and sent
 * @given:	a host name or an IP address
 * @name:	DTLS_NAME_MAX + 1 bytes
 *
 * A host name loses the dot at its end (RFC 6066 3) and its upper case. An
 * address is written as inet_ntop() does, without the zone of a link-local one
 * (RFC 6874), which means something to this host alone. Bytes beyond ASCII stay
 * as they are.
 *
 * Return: false if @given is neither a host name nor an address: if it has an
 * empty label, a label of more than 63 bytes, a character that host names do
 * not have, or a number as the top-level domain. "127.1" is refused because a
 * resolver takes it for an address while the check of a certificate takes it
 * for a name.
 */
bool dtls_name_read(const char *given, char *name);

/* Return true if @name, from dtls_name_read(), is an address. */
bool dtls_name_is_address(const char *name);

#endif /* _DTLS_NAME_H */
