/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An attached socket's struct proto and struct proto_ops, made from UDP's own
 * as compat_copy_proto.h and compat_copy_ops.h list it. ulp.c includes this
 * file behind the functions that the lists name.
 *
 * The lists hold every member of Linux 6.1 to 7.3 that was looked at. A kernel
 * whose structs are larger has members that nobody decided about, and does not
 * build. With CONFIG_RANDSTRUCT the holes between members depend on their
 * order, and sizes say nothing; other kernels of that version are the check.
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
 * Make @to, which is zero, of @from: what the list has neither as OURS nor as
 * BASE stays zero.
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
