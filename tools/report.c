// SPDX-License-Identifier: BSD-3-Clause
/* This file prints a report; see report.h. */
#include "report.h"
#include <stdio.h>

void report_list_begin(const struct report *r)
{
	if (r->json)
		putchar('[');
}

void report_list_end(const struct report *r)
{
	if (r->json)
		puts(r->objects ? "\n]" : "]");
}

void report_begin(struct report *r)
{
	if (r->json)
		printf(r->objects ? ",\n{" : "{");
	else if (r->objects)
		putchar('\n');
	r->fields = 0;
	r->objects++;
}

void report_end(struct report *r)
{
	if (r->json)
		printf("\n}");
}

/*
 * Print a text from elsewhere, such as the name of a process, which may hold any bytes. A
 * byte that is not printable ASCII becomes an escape in JSON, and a "?" in rows.
 */
static void print_text(const struct report *r, const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	for (; *c; c++) {
		if (*c < ' ' || *c > '~')
			printf(r->json ? "\\u%04x" : "?", *c);
		else if (r->json && (*c == '"' || *c == '\\'))
			printf("\\%c", *c);
		else
			putchar(*c);
	}
}

/* Print the name of a field as JSON. */
static void print_name(struct report *r, const char *name)
{
	printf(r->fields++ ? ",\n  \"%s\": " : "\n  \"%s\": ", name);
}

void report_number(struct report *r, const char *name, unsigned long long value)
{
	if (!r->json) {
		printf("%-20s %20llu\n", name, value);
		return;
	}
	print_name(r, name);
	printf("%llu", value);
}

void report_text(struct report *r, const char *name, const char *value)
{
	if (!r->json) {
		printf("%-20s ", name);
		print_text(r, value);
		putchar('\n');
		return;
	}
	print_name(r, name);
	putchar('"');
	print_text(r, value);
	putchar('"');
}

void report_flag(struct report *r, const char *name, bool value)
{
	if (!r->json) {
		report_text(r, name, value ? "yes" : "no");
		return;
	}
	print_name(r, name);
	printf(value ? "true" : "false");
}
