/* SPDX-License-Identifier: GPL-2.0 */
/* What becomes of a record */
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

/* What became of a record */
enum dtls_verdict {
	DTLS_RX_DONE,		/* dropped, or in a queue already */
	DTLS_RX_DATA,		/* application data for the reader */
	DTLS_RX_CONTROL,	/* verified, for the control queue */
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
