// SPDX-License-Identifier: GPL-2.0
/*
 * A client that lost its state shakes hands anew from the address that its old
 * association has (RFC 6347 4.2.8, RFC 9147 5.11). Two associations stand at that
 * address until the new one has proved that its peer is there: a record that the old
 * one does not open is tried with the new one, and the first record of the new one
 * that is verified gives it the address.
 */
#include <linux/mutex.h>
#include <linux/spinlock.h>

#include "assoc.h"
#include "control.h"
#include "crypt.h"
#include "cut.h"
#include "dgram.h"
#include "early.h"
#include "epoch.h"
#include "path.h"
#include "record.h"
#include "rest.h"
#include "run.h"
#include "scratch.h"
#include "sock.h"
#include "succeed.h"
#include "table.h"

/*
 * find_other() returns the other association that may have sent @rx, with a reference,
 * or NULL. A record with a connection ID belongs to the association that the connection
 * ID tells. Records of longer runs have no other association when they are cut.
 */
static struct dtls_assoc *find_other(struct dtls_sock *ds,
				     const struct dtls_run *rx)
{
	struct dtls_table *table = dtls_sock_table(ds);
	struct dtls_flow flow;

	if (!table || rx->assoc == ds->assoc || rx->has_cid || rx->n > 1 ||
	    rcu_access_pointer(rx->assoc->home) != ds)
		return NULL;
	dtls_path_flow_of(ds->sk, rx->skb, &flow);
	return dtls_table_other(table, &flow, rx->assoc);
}

/*
 * keep_for_other() keeps a record of application data for the read key of @again's
 * association. The association of @rx may have counted the record as a forgery. The
 * count stays, as only the key will tell which association the record belongs to.
 * Returns true if it kept the record, or there was no room for it.
 */
static bool keep_for_other(struct dtls_sock *ds, struct dtls_run *rx,
			   struct dtls_run *again)
{
	const struct dtls_record *rec = &again->rec;
	bool data = rec->type == DTLS_CT_APPLICATION_DATA ||
		    rec->type == DTLS_CT_TLS12_CID ||
		    (rec->unified && rec->epoch != DTLS13_EPOCH_HANDSHAKE);

	if (!data || !dtls_run_early(again) || !dtls_rest_intact(ds, rx))
		return false;
	dtls_early_keep(ds, again);
	return true;
}

/* leave_window() ends the way of @rx to the replay window, as @rx was not opened. */
static void leave_window(struct dtls_run *rx)
{
	spin_lock(&rx->assoc->lock);
	__hlist_del(&rx->under_way);
	spin_unlock(&rx->assoc->lock);
}

/*
 * take_over() turns @rx, a record that its association did not open, into @again, the
 * same record as another association has opened it. @rx takes over the reference to the
 * other association. If the first association has counted the record as a forgery, the
 * count goes down again.
 */
static void take_over(struct dtls_sock *ds, struct dtls_run *rx,
		      struct dtls_run *again)
{
	const struct dtls_opened *o = rx->opened;

	if (rx->epoch) {
		leave_window(rx);
		if (o->content && o->len == -EBADMSG)
			atomic64_dec(&rx->epoch->forged);
		dtls_epoch_put(rx->epoch);
	}
	dtls_assoc_put(dtls_rest_reown(ds, rx, again->assoc));
	rx->rec = again->rec;
	rx->has_cid = again->has_cid;
	rx->newest = again->newest;
	rx->epoch = again->epoch;
	rx->wire[0] = again->wire[0];
	rx->opened[0] = again->opened[0];

	spin_lock(&rx->assoc->lock);
	__hlist_del(&again->under_way);
	rx->fresh = again->fresh;
	hlist_add_head(&rx->under_way, &rx->assoc->under_way);
	spin_unlock(&rx->assoc->lock);
}

/*
 * count_junk() counts @rx against its datagram, if its own association took it for a replay
 * and did not decrypt it. The other association may take each replay for a fresh record.
 */
static void count_junk(struct dtls_sock *ds, const struct dtls_run *rx,
		       unsigned int points)
{
	if (rx->epoch && !rx->opened[0].content)
		dtls_rest_junk(ds, rx, points);
}

/*
 * try_other() opens @again. If @again is authentic, it turns @rx into @again and returns
 * true. A forgery counts for both keys that were tried.
 */
static bool try_other(struct dtls_sock *ds, struct dtls_run *rx,
		      struct dtls_run *again, struct dtls_scratch *scratch)
{
	if (!again->epoch) {
		if (keep_for_other(ds, rx, again))
			count_junk(ds, rx, DTLS_DGRAM_UNVERIFIED);
		return false;
	}
	if (dtls_crypt_open(scratch, again)) {
		take_over(ds, rx, again);
		return true;
	}
	leave_window(again);
	dtls_control_forgeries(ds, again->assoc, again->epoch);
	dtls_epoch_put(again->epoch);
	count_junk(ds, rx, DTLS_DGRAM_USELESS);
	return false;
}

/**
 * dtls_succeed_try() - try to open a record as one of another association
 * @ds:		socket
 * @rx:		a run of which its association did not open any record
 * @scratch:	from dtls_scratch_get(true); @rx is its first run
 *
 * Sleeps. Return: true if the other association has opened the record; @rx is a run of
 * that association then. Else @rx is unchanged, and a copy of the record may be kept for
 * the key of the other association.
 */
bool dtls_succeed_try(struct dtls_sock *ds, struct dtls_run *rx,
		      struct dtls_scratch *scratch)
{
	struct dtls_run *again = &scratch->rx[1];
	struct dtls_assoc *other;
	bool opened;

	if (rx == again)
		return false;
	other = find_other(ds, rx);
	if (!other)
		return false;
	opened = dtls_cut_again(ds, rx, other, again) &&
		 try_other(ds, rx, again, scratch);
	if (!opened)
		dtls_assoc_put(other);
	return opened;
}

/*
 * dtls_succeed() is called for @rx, a verified record of an association that waits for an
 * address. If @rx came from that address, the owner is told that the association which has
 * the address loses it, and the other one gets it. If there is no room to tell the owner,
 * the next record tries again. Sleeps.
 */
void dtls_succeed(struct dtls_sock *ds, struct dtls_run *rx)
{
	struct dtls_table *table = dtls_sock_table(ds);
	struct dtls_assoc *old;
	struct dtls_flow flow;

	dtls_path_flow_of(ds->sk, rx->skb, &flow);
	mutex_lock(&table->lock);
	old = dtls_table_before(table, rx->assoc, &flow);
	if (old && dtls_control_tell(ds, old, 0, DTLS_EVENT_REPLACED))
		dtls_table_succeed(table, rx->assoc);
	mutex_unlock(&table->lock);
}
