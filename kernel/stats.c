// SPDX-License-Identifier: GPL-2.0
/*
 * This file counts received records for their association, for the network namespace
 * (/proc/net/dtls_stat), for UDP and for the socket.
 */
#include <linux/percpu.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/skbuff.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "compat.h"
#include "sock.h"
#include "stats.h"
#include "trace.h"

static const char * const names[DTLS_STAT_MAX] = {
	[DTLS_STAT_ATTACHED]	   = "DtlsAttached",
	[DTLS_STAT_TX_EPOCHS]	   = "DtlsTxEpochs",
	[DTLS_STAT_RX_EPOCHS]	   = "DtlsRxEpochs",
	[DTLS_STAT_TX_RECORDS]	   = "DtlsTxRecords",
	[DTLS_STAT_TX_BYTES]	   = "DtlsTxBytes",
	[DTLS_STAT_TX_ERRORS]	   = "DtlsTxErrors",
	[DTLS_STAT_TX_EXPIRED]	   = "DtlsTxExpired",
	[DTLS_STAT_RX_RECORDS]	   = "DtlsRxRecords",
	[DTLS_STAT_RX_BYTES]	   = "DtlsRxBytes",
	[DTLS_STAT_RX_CONTROL]	   = "DtlsRxControl",
	[DTLS_STAT_RX_EMPTY]	   = "DtlsRxEmpty",
	[DTLS_STAT_RX_REPLAYS]	   = "DtlsRxReplays",
	[DTLS_STAT_RX_AUTH_FAILED] = "DtlsRxAuthFailed",
	[DTLS_STAT_RX_NO_KEY]	   = "DtlsRxNoKey",
	[DTLS_STAT_RX_MALFORMED]   = "DtlsRxMalformed",
	[DTLS_STAT_RX_OVERSIZE]	   = "DtlsRxOversize",
	[DTLS_STAT_RX_NO_BUDGET]   = "DtlsRxNoBudget",
	[DTLS_STAT_RX_EXPIRED]	   = "DtlsRxExpired",
};

struct dtls_net {
	u64 __percpu *stats;	/* Each CPU has DTLS_STAT_MAX counters. */
};

static unsigned int dtls_net_id __read_mostly;

/* dtls_run.why has one byte for a drop reason. */
static_assert(SKB_DROP_REASON_XFRM_POLICY <= U8_MAX &&
	      SKB_DROP_REASON_INVALID_PROTO <= U8_MAX &&
	      SKB_DROP_REASON_PKT_TOO_BIG <= U8_MAX &&
	      SKB_DROP_REASON_SOCKET_RCVBUFF <= U8_MAX &&
	      SKB_DROP_REASON_UDP_CSUM <= U8_MAX);

/* Return the counters of @net, which live as long as @net. */
u64 __percpu *dtls_stats_of(struct net *net)
{
	struct dtls_net *dn = net_generic(net, dtls_net_id);

	return dn->stats;
}

/*
 * kinds[] tells for each counter of received records which counter of the namespace
 * goes up with it, and whether the record is a drop. A drop is counted as UDP counts a
 * dropped datagram: in InErrors and among the drops of the socket (ss -m); and in
 * RcvbufErrors if there was no room. An empty record and a control record are no
 * drops. A record with a wrong checksum is a malformed one, and dtls_rest_intact()
 * counts it in InCsumErrors as well.
 *
 * @reason is what dropwatch shows for a datagram with no other record in it.
 */
static const struct {
	u8 stat;
	u8 reason;
	bool drop;
	bool buffer;
} kinds[DTLS_COUNT_MAX] = {
	[DTLS_COUNT_RX_REPLAYS] = {
		DTLS_STAT_RX_REPLAYS, SKB_DROP_REASON_XFRM_POLICY, true },
	[DTLS_COUNT_RX_AUTH_FAILED] = {
		DTLS_STAT_RX_AUTH_FAILED, SKB_DROP_REASON_XFRM_POLICY, true },
	[DTLS_COUNT_RX_NO_KEY] = {
		DTLS_STAT_RX_NO_KEY, SKB_DROP_REASON_XFRM_POLICY, true },
	[DTLS_COUNT_RX_MALFORMED] = {
		DTLS_STAT_RX_MALFORMED, SKB_DROP_REASON_INVALID_PROTO, true },
	[DTLS_COUNT_RX_OVERSIZE] = {
		DTLS_STAT_RX_OVERSIZE, SKB_DROP_REASON_PKT_TOO_BIG, true },
	[DTLS_COUNT_RX_NO_BUDGET] = {
		DTLS_STAT_RX_NO_BUDGET, SKB_DROP_REASON_SOCKET_RCVBUFF, true,
		true },
	[DTLS_COUNT_RX_EXPIRED] = {
		DTLS_STAT_RX_EXPIRED, SKB_DROP_REASON_XFRM_POLICY, true },
	[DTLS_COUNT_RX_EMPTY] = { DTLS_STAT_RX_EMPTY },
	[DTLS_COUNT_RX_CONTROL] = { DTLS_STAT_RX_CONTROL },
};

/*
 * Count a record as @what for @assoc and for the network namespace and, if that is a
 * drop, for UDP and the socket. The function may be called in any context.
 */
void dtls_stats_count(struct dtls_sock *ds, struct dtls_assoc *assoc,
		      enum dtls_count what)
{
	dtls_stats_inc(ds, kinds[what].stat);
	atomic64_inc(&assoc->count[what]);
	if (what != DTLS_COUNT_RX_CONTROL)
		trace_dtls_drop(ds->sk, what);
	if (!kinds[what].drop)
		return;
	dtls_sk_drop(ds->sk);
	dtls_udp_count(ds->sk, UDP_MIB_INERRORS);
	if (kinds[what].buffer)
		dtls_udp_count(ds->sk, UDP_MIB_RCVBUFERRORS);
}

/*
 * Count an application record that was opened and is lost, because the user's buffer could
 * not be written to, as UDP counts such a datagram.
 */
void dtls_stats_lost(const struct dtls_sock *ds)
{
	dtls_sk_drop(ds->sk);
	dtls_udp_count(ds->sk, UDP_MIB_INERRORS);
}

/*
 * Return the enum skb_drop_reason of a record that is counted as @what, or 0 if that is
 * no drop.
 */
u8 dtls_stats_drop_reason(enum dtls_count what)
{
	return kinds[what].reason;
}

static int stat_show(struct seq_file *seq, void *v)
{
	struct dtls_net *dn = net_generic(seq_file_single_net(seq), dtls_net_id);
	unsigned int i;
	int cpu;

	for (i = 0; i < DTLS_STAT_MAX; i++) {
		u64 sum = 0;

		for_each_possible_cpu(cpu)
			sum += per_cpu_ptr(dn->stats, cpu)[i];
		seq_printf(seq, "%-32s%llu\n", names[i], sum);
	}
	return 0;
}

static int __net_init dtls_net_init(struct net *net)
{
	struct dtls_net *dn = net_generic(net, dtls_net_id);

	dn->stats = __alloc_percpu(sizeof(u64) * DTLS_STAT_MAX, sizeof(u64));
	if (!dn->stats)
		return -ENOMEM;
	if (!proc_create_net_single("dtls_stat", 0444, net->proc_net, stat_show,
				    NULL)) {
		free_percpu(dn->stats);
		return -ENOMEM;
	}
	return 0;
}

static void __net_exit dtls_net_exit(struct net *net)
{
	struct dtls_net *dn = net_generic(net, dtls_net_id);

	remove_proc_entry("dtls_stat", net->proc_net);
	free_percpu(dn->stats);
}

static struct pernet_operations dtls_net_ops = {
	.init = dtls_net_init,
	.exit = dtls_net_exit,
	.id   = &dtls_net_id,
	.size = sizeof(struct dtls_net),
};

int dtls_stats_init(void)
{
	return register_pernet_subsys(&dtls_net_ops);
}

void dtls_stats_exit(void)
{
	unregister_pernet_subsys(&dtls_net_ops);
}
