/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM dtls

#if !defined(_DTLS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _DTLS_TRACE_H

#include <linux/tracepoint.h>
#include <net/sock.h>

DECLARE_EVENT_CLASS(dtls_record,
		    TP_PROTO(const struct sock *sk, u64 epoch, u64 seq, u8 type,
			     size_t len),
		    TP_ARGS(sk, epoch, seq, type, len),
		    TP_STRUCT__entry(__field(const void *, sk)
				     __field(u64, epoch)
				     __field(u64, seq)
				     __field(u32, len)
				     __field(u8, type)),
		    TP_fast_assign(__entry->sk = sk;
				   __entry->epoch = epoch;
				   __entry->seq = seq;
				   __entry->len = len;
				   __entry->type = type;),
		    TP_printk("sk=%p epoch=%llu seq=%llu type=%u len=%u",
			      __entry->sk, __entry->epoch, __entry->seq,
			      __entry->type, __entry->len)
);

/* A record was sealed. */
DEFINE_EVENT(dtls_record, dtls_seal,
	     TP_PROTO(const struct sock *sk, u64 epoch, u64 seq, u8 type,
		      size_t len),
	     TP_ARGS(sk, epoch, seq, type, len)
);

/* A record was verified and decrypted. */
DEFINE_EVENT(dtls_record, dtls_open,
	     TP_PROTO(const struct sock *sk, u64 epoch, u64 seq, u8 type,
		      size_t len),
	     TP_ARGS(sk, epoch, seq, type, len)
);

TRACE_DEFINE_ENUM(DTLS_COUNT_RX_REPLAYS);
TRACE_DEFINE_ENUM(DTLS_COUNT_RX_AUTH_FAILED);
TRACE_DEFINE_ENUM(DTLS_COUNT_RX_NO_KEY);
TRACE_DEFINE_ENUM(DTLS_COUNT_RX_MALFORMED);
TRACE_DEFINE_ENUM(DTLS_COUNT_RX_OVERSIZE);
TRACE_DEFINE_ENUM(DTLS_COUNT_RX_EMPTY);
TRACE_DEFINE_ENUM(DTLS_COUNT_RX_NO_BUDGET);
TRACE_DEFINE_ENUM(DTLS_COUNT_RX_EXPIRED);

/* A record, or the rest of a datagram, was dropped on receipt. */
TRACE_EVENT(dtls_drop,
	    TP_PROTO(const struct sock *sk, unsigned int reason),
	    TP_ARGS(sk, reason),
	    TP_STRUCT__entry(__field(const void *, sk)
			     __field(unsigned int, reason)),
	    TP_fast_assign(__entry->sk = sk;
			   __entry->reason = reason;),
	    TP_printk("sk=%p reason=%s", __entry->sk,
		      __print_symbolic(__entry->reason,
				       { DTLS_COUNT_RX_REPLAYS, "replay" },
				       { DTLS_COUNT_RX_AUTH_FAILED, "auth_failed" },
				       { DTLS_COUNT_RX_NO_KEY, "no_key" },
				       { DTLS_COUNT_RX_MALFORMED, "malformed" },
				       { DTLS_COUNT_RX_OVERSIZE, "oversize" },
				       { DTLS_COUNT_RX_EMPTY, "empty" },
				       { DTLS_COUNT_RX_NO_BUDGET, "no_budget" },
				       { DTLS_COUNT_RX_EXPIRED, "expired" }))
);

#endif /* _DTLS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
