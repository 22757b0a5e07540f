// SPDX-License-Identifier: BSD-3-Clause
/* This file reads the name of a server. See name.h. */
#include <arpa/inet.h>
#include <string.h>

#include "name.h"

#define LABEL_MAX	63

static bool read_address(const char *given, char *name)
{
	size_t len = strcspn(given, "%");
	char text[INET6_ADDRSTRLEN];
	unsigned char bytes[16];

	if (len >= sizeof(text) || (given[len] && !given[len + 1]))
		return false;
	memcpy(text, given, len);
	text[len] = '\0';
	if (inet_pton(AF_INET6, text, bytes) == 1)
		return inet_ntop(AF_INET6, bytes, name, DTLS_NAME_MAX + 1);
	return !given[len] && inet_pton(AF_INET, text, bytes) == 1 &&
	       inet_ntop(AF_INET, bytes, name, DTLS_NAME_MAX + 1);
}

/*
 * is_digit() and is_letter() do not depend on the locale, as the functions of
 * libc do. is_letter() takes the bytes beyond ASCII for letters.
 */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c & 0x80;
}

/*
 * Return true if the label is decimal, octal or hexadecimal, as inet_aton()
 * reads numbers.
 */
static bool is_number(const char *label)
{
	if (label[0] == '0' && label[1] == 'x')
		return !label[2 + strspn(label + 2, "0123456789abcdef")];
	return !label[strspn(label, "0123456789")];
}

static bool is_host(const char *name)
{
	size_t len;

	for (;;) {
		for (len = 0; is_digit(name[len]) || is_letter(name[len]);)
			len++;
		if (!len || len > LABEL_MAX)
			return false;
		if (!name[len])
			return !is_number(name);
		if (name[len] != '.')
			return false;
		name += len + 1;
	}
}

bool dtls_name_read(const char *given, char *name)
{
	size_t i, len = strlen(given);

	if (read_address(given, name))
		return true;
	if (len && given[len - 1] == '.')
		len--;
	if (!len || len > DTLS_NAME_MAX)
		return false;
	for (i = 0; i < len; i++)
		name[i] = given[i] >= 'A' && given[i] <= 'Z' ?
			  (char)(given[i] - 'A' + 'a') : given[i];
	name[len] = '\0';
	return is_host(name);
}

bool dtls_name_is_address(const char *name)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, name, bytes) == 1 ||
	       inet_pton(AF_INET6, name, bytes) == 1;
}
