// SPDX-License-Identifier: BSD-3-Clause
/* This file gives keys to the owner of the engine. See handout.h. */
#include "handout.h"

/*
 * Write the engine's replay window for the owner. Return the number below which
 * the engine has seen every record.
 */
static u64 export_window(struct dtls_protection *rx, struct dtls_window *window)
{
	const struct dtls_replay *seen = &dtls_protection_reading(rx)->seen;
	u64 floor = seen->next > seen->size ? seen->next - seen->size : 0;

	memset(window, 0, sizeof(*window));
	window->epoch = rx->epoch;
	window->next = seen->next;
	dtls_replay_export(seen, (u64 *)window->seen);
	while (floor < seen->next && !dtls_replay_check(seen, floor))
		floor++;
	return floor;
}

static int give_key(struct kdtls_engine *e, int direction,
		    const struct dtls_key_info *key,
		    const struct dtls_window *seen)
{
	if (e->ep->config.ops.key(e->ctx, direction, key, seen))
		return dtls_fail(e, KDTLS_ECALLBACK, KDTLS_ALERT_INTERNAL_ERROR,
				 "the keys were not taken");
	return 0;
}

/*
 * Return the limit of forgeries for a read key. Those that the engine has seen under the
 * key, @rx, count.
 */
static u64 limit_of(const struct kdtls_engine *e,
		    const struct dtls_protection *rx)
{
	u64 max = e->ep->config.max_forgeries, left;

	if (!rx || !rx->failed)
		return max;
	left = dtls_protection_forgeries_left(rx, max);
	return left ? left : 1;
}

/*
 * Return true if the record size limits hold for a key. A handshake sets the
 * limits for the keys that it makes, and early data is under a key of the
 * handshake before (RFC 8449 4).
 */
static bool has_record_limit(const struct dtls_key_info *key)
{
	return key->version != DTLS_VERSION_1_3 ||
	       key->epoch >= DTLS13_EPOCH_DATA;
}

int dtls_handout_keys(struct kdtls_engine *e, struct dtls_protection *rx,
		      struct dtls_key_info *rx_key,
		      struct dtls_key_info *tx_key)
{
	struct dtls_window window = { 0 };

	if (tx_key)
		tx_key->max_plaintext = e->peer_record_limit;
	if (rx_key) {
		rx_key->limit = limit_of(e, rx);
		if (has_record_limit(rx_key))
			rx_key->max_plaintext = e->record_limit;
		window.epoch = rx_key->epoch;
		if (rx)
			rx_key->rec_seq = export_window(rx, &window);
		if (give_key(e, DTLS_RX, rx_key, &window))
			return -e->error;
	}
	return tx_key ? give_key(e, DTLS_TX, tx_key, NULL) : 0;
}
