/* SPDX-License-Identifier: GPL-2.0 */
/* These functions decide what becomes of a received record. See rx.c. */
#ifndef _DTLS_RX_H
#define _DTLS_RX_H

#include <linux/list.h>
#include <linux/types.h>

struct dtls_assoc;
struct dtls_epoch;
struct dtls_record_info;
struct dtls_run;
struct dtls_scratch;
struct dtls_sock;

/*
 * enum dtls_verdict tells what the caller of dtls_rx_open() does with a record.
 * DTLS_RX_DONE: nothing, as the record was dropped or is in a queue. DTLS_RX_DATA: it
 * gives the record, application data, to the reader or to the ready queue.
 * DTLS_RX_CONTROL: it puts the record, which is verified, into the control queue.
 */
enum dtls_verdict {
	DTLS_RX_DONE,
	DTLS_RX_DATA,
	DTLS_RX_CONTROL,
};

void dtls_rx_open(struct dtls_sock *ds, struct dtls_run *rx,
		  struct dtls_scratch *scratch);
void dtls_rx_info(const struct dtls_run *rx, unsigned int i,
		  struct dtls_record_info *info);
int dtls_rx_keep(struct dtls_sock *ds, const struct dtls_run *rx,
		 unsigned int i);
bool __must_check dtls_rx_import(struct dtls_assoc *assoc,
				 struct dtls_epoch *epoch, u64 next,
				 const u64 *seen);

#endif /* _DTLS_RX_H */
