/* SPDX-License-Identifier: BSD-3-Clause */
/* A report is what kdtls info prints, as rows or as JSON. */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>

/**
 * struct report - a report that is being printed
 * @json:	print JSON (RFC 8259) in place of rows
 * @fields:	number of fields of the object that were printed
 * @objects:	number of objects that were printed
 */
struct report {
	bool json;
	unsigned int fields;
	unsigned int objects;
};

/* Begin a list of objects. */
void report_list_begin(const struct report *r);

/* End the list of report_list_begin(). */
void report_list_end(const struct report *r);

/* Begin an object, in a list or alone. */
void report_begin(struct report *r);

/* End the object of report_begin(). */
void report_end(struct report *r);

/* Print a field of the object that is a number. */
void report_number(struct report *r, const char *name,
		   unsigned long long value);

/* Print a field of the object that is a text, which may hold any bytes. */
void report_text(struct report *r, const char *name, const char *value);

/* Print a field of the object that is true or false. */
void report_flag(struct report *r, const char *name, bool value);

#endif
