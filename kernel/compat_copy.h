/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An attached socket's struct proto and struct proto_ops are made from UDP's
 * own, as compat_copy_proto.h and compat_copy_ops.h list their members. ulp.c
 * includes this file behind the functions that the lists name.
 *
 * The lists have all members of the structures of Linux 6.1 to 7.3. A structure
 * of another kernel that is larger than its list has members for which nobody
 * has decided whether they move data. The size assertions below make such a
 * build fail. They say nothing with CONFIG_RANDSTRUCT, as the holes between
 * members then depend on the members' order; builds of that version without it
 * make the check instead.
 */
#ifndef _DTLS_COMPAT_COPY_H
#define _DTLS_COMPAT_COPY_H

#include "compat.h"

#define NONE(type, member)	type member

#define OURS(member, value)	typeof_member(struct proto, member) member
#define BASE(member)		typeof_member(struct proto, member) member
struct dtls_seen_proto {
#include "compat_copy_proto.h"
};

#undef OURS
#undef BASE
#define OURS(member, value)	typeof_member(struct proto_ops, member) member
#define BASE(member)		typeof_member(struct proto_ops, member) member
struct dtls_seen_ops {
#include "compat_copy_ops.h"
};

#ifndef CONFIG_RANDSTRUCT
static_assert(sizeof(struct proto) <= sizeof(struct dtls_seen_proto));
static_assert(sizeof(struct proto_ops) <= sizeof(struct dtls_seen_ops));
#endif

#undef NONE
#undef OURS
#undef BASE
#define NONE(type, member)	do { } while (0)
#define OURS(member, value)	(to->member = (value))
#define BASE(member)		memcpy(&to->member, &from->member, \
				       sizeof(to->member))

/*
 * make_proto() fills in @to, which is zero, from @from. Members that the list
 * has as NONE stay zero.
 */
static inline void make_proto(struct proto *to, const struct proto *from)
{
#include "compat_copy_proto.h"
}

static inline void make_proto_ops(struct proto_ops *to,
				  const struct proto_ops *from)
{
#include "compat_copy_ops.h"
}

#undef NONE
#undef OURS
#undef BASE

#endif /* _DTLS_COMPAT_COPY_H */
