// SPDX-License-Identifier: BSD-3-Clause
/* This file ends a handshake. See complete.h. */
#include "alert.h"
#include "complete.h"
#include "content.h"
#include "early.h"
#include "handout.h"
#include "handshake13.h"

/*
 * struct later is a record of the first epoch of application data that came
 * before its key.
 */
struct later {
	struct later *next;
	struct dtls_record record;
	u8 type;
	size_t len;
	u8 data[];
};

static void free_later(struct later *l)
{
	struct later *next;

	for (; l; l = next) {
		next = l->next;
		OPENSSL_clear_free(l, sizeof(*l) + l->len);
	}
}

/*
 * Open the records that were held, in the order of their arrival, and hand out
 * their content. Return false if there is no memory.
 */
static bool open_early(struct kdtls_engine *e, struct dtls_protection *rx,
		       struct later **list)
{
	struct dtls_record record;
	const struct dtls_held *h;
	struct later *l;
	long n;

	for (h = e->hs->held; h; h = h->next) {
		if (dtls_record_parse(&record, h->data, h->len, h->len,
				      e->cids.len))
			continue;
		l = OPENSSL_malloc(sizeof(*l) + h->len);
		if (!l)
			return false;
		n = dtls_protection_open(rx, &record, h->data, l->data,
					 &l->type);
		l->next = NULL;
		l->record = record;
		l->len = n < 0 ? 0 : (size_t)n;
		if (n < 0) {
			OPENSSL_clear_free(l, sizeof(*l) + h->len);
			e->dropped++;
			continue;
		}
		*list = l;
		list = &l->next;
	}
	return true;
}

/*
 * Hand out the keys of DTLS 1.3. Records that came before their key are opened
 * first and listed in @list: the owner's replay window has to know of them.
 */
static int give_keys(struct kdtls_engine *e, struct later **list)
{
	struct dtls_key_info rx_key, tx_key;
	struct dtls_protection *rx = NULL;
	int err;

	/*
	 * Records of early data may still arrive, so their key is handed out as
	 * well (RFC 9147 5.6).
	 */
	if (e->m->early && dtls_handout_keys(e, e->m->early->key,
					     &e->m->early->info, NULL))
		return -e->error;
	dtls_early_free(e);
	err = dtls_handshake13_data_key(e, DTLS_RX, &rx_key);
	if (!err)
		err = dtls_handshake13_data_key(e, DTLS_TX, &tx_key);
	if (!err) {
		if (e->hs->data_tx)
			tx_key.rec_seq = e->hs->data_tx->seq;
		rx = dtls_protection_new(&e->ep->crypto, DTLS_RX, &rx_key);
		err = rx && open_early(e, rx, list) ?
		      dtls_handout_keys(e, rx, &rx_key, &tx_key) :
		      dtls_fail_internal(e);
	}
	dtls_protection_free(rx);
	OPENSSL_cleanse(&rx_key, sizeof(rx_key));
	OPENSSL_cleanse(&tx_key, sizeof(tx_key));
	return err;
}

static int complete_13(struct kdtls_engine *e)
{
	const struct kdtls_ops *ops = &e->ep->config.ops;
	struct dtls_handshake *hs = e->hs;
	struct dtls13 *d = e->d13;
	struct later *list = NULL, *l;
	int err;

	if (give_keys(e, &list)) {
		free_later(list);
		return -e->error;
	}
	d->send_seq = hs->send_seq;
	d->receive_seq = hs->in.next;
	d->ticket_due = hs->send_ticket;
	e->keys_out = true;
	e->state = KDTLS_ESTABLISHED;
	dtls_state_handshake_drop(e);
	dtls_state_free12(e);
	if (e->server) {
		/*
		 * The read key is kept for a while: a client that has not
		 * received the ACK of its Finished sends it again (RFC 9147
		 * 5.8.1).
		 */
		dtls_protection_free(e->m->tx);
		e->m->tx = NULL;
		e->m->linger = e->m->now + 1000ULL * e->ep->config.linger;
		d->arrived = true;
	}
	for (err = 0, l = list; l && !err; l = l->next) {
		if (e->kept && dtls_alert_is_goodbye(l->type, l->data, l->len))
			continue;
		if (l->type != DTLS_CT_APPLICATION_DATA)
			err = dtls_content_take(e, &l->record, l->type,
						(struct dtls_bytes){
							l->data, l->len });
		else if (ops->early && l->len)
			ops->early(e->ctx, l->data, l->len);
	}
	free_later(list);
	return err;
}

int dtls_complete_handshake(struct kdtls_engine *e)
{
	const struct kdtls_ops *ops = &e->ep->config.ops;
	struct dtls_handshake *hs = e->hs;
	const struct dtls_held *h;

	/*
	 * A message after Finished is an error (RFC 5246 7.3, RFC 8446 4.4.4).
	 * One that came before its time still waits in hs->in.
	 */
	if (dtls_reassembly_has(&hs->in, 1))
		return dtls_fail(e, KDTLS_EPROTOCOL,
				 KDTLS_ALERT_UNEXPECTED_MESSAGE,
				 "a message came after Finished");
	if (e->d13)
		return complete_13(e);
	hs->tx_key.rec_seq = e->m->tx->seq;
	if (dtls_handout_keys(e, e->m->rx, &hs->rx_key, &hs->tx_key))
		return -e->error;
	for (h = hs->held; h; h = h->next)
		if (h->opened && ops->early)
			ops->early(e->ctx, h->data, h->len);
	e->keys_out = true;
	e->state = KDTLS_ESTABLISHED;
	dtls_state_handshake_drop(e);
	dtls_state_drop_keys(e);
	/*
	 * The end that sent the last flight keeps it for a while, to send it
	 * again if the peer repeats its own last flight (RFC 6347 4.2.4).
	 */
	if (e->m->flight.first)
		e->m->timer.expiry = e->m->now + 1000ULL * e->ep->config.linger;
	else
		dtls_timer_stop(&e->m->timer);
	return 0;
}
