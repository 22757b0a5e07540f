// SPDX-License-Identifier: GPL-2.0
/* Lines of JSON; see bench.h. */
#include <stdio.h>
#include <json-c/json.h>

#include "bench.h"

static const char *const batch_names[BATCHES] = {
	[ONE] = "1", [MMSG] = "mmsg", [GSO] = "gso", [GSO_GRO] = "gso+gro",
	[STREAM] = "stream",
};

const char *batch_name(enum batch batch)
{
	return batch_names[batch];
}

struct json_object *figure(const char *what, const struct ends *e)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "what", json_object_new_string(what));
	json_object_object_add(o, "row", json_object_new_string(e->row->name));
	json_object_object_add(o, "batch",
			       json_object_new_string(batch_names[e->row->batch]));
	json_object_object_add(o, "cipher",
			       json_object_new_string(e->cipher_name));
	json_object_object_add(o, "size", json_object_new_int((int)e->size));
	return o;
}

void figure_add(struct json_object *o, const char *name, double value)
{
	json_object_object_add(o, name,
			       json_object_new_int64((int64_t)(value + 0.5)));
}

void figure_print(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	fflush(stdout);
	json_object_put(o);
}
