// SPDX-License-Identifier: GPL-2.0
/*
 * Before a datagram is cut into records, this file finds the association that the
 * datagram belongs to, if the socket has a table, and tells datagrams of strangers and
 * of other protocols apart. A datagram that is not cut on this socket is made one
 * record.
 */
#include <linux/minmax.h>
#include <linux/skbuff.h>

#include "assoc.h"
#include "dgram.h"
#include "path.h"
#include "record.h"
#include "run.h"
#include "sock.h"
#include "sort.h"
#include "table.h"

/*
 * Read the first record's header of the datagram at d->pos. Return true if it has a
 * connection ID of the length that all of @table have; @rx->rec is the header then.
 */
static bool has_cid(const struct dtls_table *table, struct dtls_dgram *d,
		    struct dtls_run *rx)
{
	unsigned int cid_len = table->cid_len, len = d->seg_end - d->pos, head;
	const u8 *p;

	if (!cid_len)
		return false;
	head = min(len, DTLS12_HEADER_SIZE + cid_len);
	p = dtls_dgram_peek_header(d, rx, head);
	return p && !dtls_record_parse(&rx->rec, p, head, len, cid_len) &&
	       rx->rec.cid_len;
}

/*
 * Find the association that the datagram at d->pos belongs to: by the connection ID
 * of its first record if that has one, else by its addresses. All records of the
 * datagram are tried with the keys of that association alone. A datagram that
 * belongs to no association gets dtls_sock.assoc, which stands for strangers.
 */
static noinline void sort_datagram(struct dtls_sock *ds,
				   struct dtls_table *table,
				   struct dtls_dgram *d, struct dtls_run *rx)
{
	struct dtls_assoc *assoc;
	struct dtls_flow flow;

	if (has_cid(table, d, rx)) {
		assoc = dtls_table_by_cid(table, rx->rec.cid, rx->rec.cid_len);
	} else {
		dtls_path_flow_of(ds->sk, d->skb, &flow);
		assoc = dtls_table_by_flow(table, &flow);
	}
	dtls_dgram_set_owner(ds, d, assoc ?: dtls_assoc_get(ds->assoc));
}

/*
 * Look at the datagram at d->pos as a whole before its first record: find its
 * association if the socket has a table, and check whether it is DTLS. Return true if
 * @rx is a datagram of another protocol and the user set DTLS_PASS to read it.
 * RFC 7983 tells protocols that share a port apart by their first byte. A datagram of an
 * association that was peeled off goes to the socket that has the association, whose
 * DTLS_PASS decides.
 */
bool dtls_sort_begin(struct dtls_sock *ds, struct dtls_table *table,
		     struct dtls_dgram *d, struct dtls_run *rx)
{
	const u8 *p;

	d->begun = true;
	if (table) {
		sort_datagram(ds, table, d, rx);
		if (rcu_access_pointer(d->assoc->home) != ds)
			return false;
	}
	p = READ_ONCE(ds->pass) ? dtls_dgram_peek_header(d, rx, 1) : NULL;
	if (!p || dtls_is_dtls(*p))
		return false;
	rx->rec = (struct dtls_record) {
		.fragment_len = d->seg_end - d->pos,
	};
	return true;
}

/*
 * Make the other association at the address of @d the association of @d from d->pos on,
 * as the next record cannot be of d->assoc. Return false if no other association is
 * there. Each call goes from an association to a later one, so the calls come to an end.
 */
bool dtls_sort_pass_on(struct dtls_sock *ds, struct dtls_dgram *d,
		       struct dtls_table *table)
{
	struct dtls_assoc *other;
	struct dtls_flow flow;

	if (!table || d->has_cid)
		return false;
	dtls_path_flow_of(ds->sk, d->skb, &flow);
	other = dtls_table_other(table, &flow, d->assoc);
	if (!other)
		return false;
	dtls_dgram_set_owner(ds, d, other);
	return true;
}

/*
 * Make @rx->rec one record that is the whole datagram at d->pos, which came from a
 * stranger. Its type and epoch are those of the datagram's first record. Return false
 * if that is not a record that a stranger may send.
 */
static bool find_stranger(struct dtls_dgram *d, struct dtls_run *rx,
			  unsigned int cid_len)
{
	unsigned int len = d->seg_end - d->pos;
	unsigned int head = min(len, DTLS12_HEADER_SIZE + cid_len);
	const u8 *p = dtls_dgram_peek_header(d, rx, head);
	struct dtls_record *rec = &rx->rec;

	if (!p)
		return false;
	if (dtls_record_parse(rec, p, head, len, cid_len) &&
	    (cid_len || !dtls_record_unsized(rec, p, len)))
		return false;
	/* Application data is always encrypted, and epoch 0 has no key. */
	if (!rec->epoch && (rec->type == DTLS_CT_APPLICATION_DATA ||
			    rec->type == DTLS_CT_TLS12_CID))
		return false;
	rec->header_len = 0;
	rec->fragment_len = len;
	return true;
}

/*
 * Make @rx the whole datagram at d->pos, on a socket with many associations. It is a
 * stranger's, or of an association that was peeled off, whose socket gets it as it is.
 */
bool dtls_sort_whole(const struct dtls_sock *ds, struct dtls_dgram *d,
		     struct dtls_run *rx, unsigned int cid_len)
{
	if (d->assoc == ds->assoc)
		return find_stranger(d, rx, cid_len);
	rx->rec = (struct dtls_record) {
		.fragment_len = d->seg_end - d->pos,
	};
	return true;
}
