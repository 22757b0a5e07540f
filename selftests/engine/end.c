// SPDX-License-Identifier: GPL-2.0
/* One end of an association for tests; see end.h. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "end.h"

u16 end_version = DTLS_VERSION_1_2;
int64_t end_unix_time;

static int take_key(void *ctx, int direction, const struct dtls_key_info *key,
		    const struct dtls_window *seen)
{
	struct end *end = ctx;
	struct dtls_protection *p;

	if (end->fail_key)
		return -1;
	p = dtls_protection_new(&end->ep->crypto, direction, key);
	if (!p)
		return -1;
	end->early_keys += key->version == DTLS_VERSION_1_3 && key->epoch == 1;
	if (direction == DTLS_RX) {
		end->rx_key = *key;
		if (key->cid_len && !end->cids.len)
			dtls_cids_add(&end->cids, key->cid, key->cid_len);
		dtls_replay_import(&dtls_protection_reading(p)->seen, seen->next,
				   (u64 *)seen->seen);
		dtls_protection_free(end->rx_before);
		end->rx_before = end->rx;
		end->rx = p;
	} else {
		end->tx_key = *key;
		dtls_protection_free(end->tx);
		end->tx = p;
	}
	return 0;
}

static int take_cid(void *ctx, uint8_t *cid, size_t len)
{
	struct end *end = ctx;

	return !dtls_cids_add(&end->cids, cid, len);
}

static int take_peer_cid(void *ctx, const uint8_t *cid, size_t len)
{
	struct end *end = ctx;

	if (end->cid_with_key || len != end->tx->cid_len)
		return -1;
	memcpy(dtls_protection_cid(end->tx), cid, len);
	memcpy(end->tx_key.cid, cid, len);
	return 0;
}

static void take_data(void *ctx, const u8 *data, size_t len)
{
	struct end *end = ctx;

	if (end->data) {
		end->data(end, data, len);
		return;
	}
	if (len > END_RECEIVED - end->received_len)
		len = END_RECEIVED - end->received_len;
	memcpy(end->received + end->received_len, data, len);
	end->received_len += len;
}

static void take_replayable(void *ctx, const u8 *data, size_t len)
{
	struct end *end = ctx;

	if (len > sizeof(end->early) - end->early_len)
		len = sizeof(end->early) - end->early_len;
	memcpy(end->early + end->early_len, data, len);
	end->early_len += len;
}

static size_t psk_client(void *ctx, const char *hint, u8 *identity, size_t *len,
			 u8 *key)
{
	const struct end *end = ctx;

	(void)hint;
	*len = strlen(end->identity);
	memcpy(identity, end->identity, *len);
	memcpy(key, end->psk, strlen(end->psk));
	return strlen(end->psk);
}

static size_t psk_server(void *ctx, const u8 *identity, size_t len, u8 *key)
{
	const struct end *end = ctx;

	if (len != strlen(end->identity) || memcmp(identity, end->identity, len))
		return 0;
	memcpy(key, end->psk, strlen(end->psk));
	return strlen(end->psk);
}

static void take_session(void *ctx, const u8 *session, size_t len)
{
	struct end *end = ctx;

	free(end->session);
	end->session = malloc(len);
	memcpy(end->session, session, len);
	end->session_len = len;
	end->sessions++;
}

static void take_line(void *ctx, const char *line)
{
	struct end *end = ctx;

	snprintf(end->keylog, sizeof(end->keylog), "%s", line);
}

static void take_heartbeat(void *ctx, size_t size, uint64_t rtt)
{
	struct end *end = ctx;

	end->heartbeat_size = size;
	end->heartbeat_rtt = rtt;
}

static int64_t tell_time(void *ctx)
{
	const struct end *end = ctx;

	if (end)
		return end->unix_time;
	return end_unix_time ? end_unix_time : time(NULL);
}

static void fill_random(void *ctx, u8 *buf, size_t len)
{
	struct end *end = ctx;

	while (len--) {
		end->random ^= end->random << 13;
		end->random ^= end->random >> 7;
		end->random ^= end->random << 17;
		*buf++ = (u8)end->random;
	}
}

void end_config(struct end *end, const char *psk)
{
	memset(end, 0, sizeof(*end));
	kdtls_config_init(&end->config);
	end->psk = psk;
	end->identity = "Client_identity";
	end->unix_time = time(NULL);
	end->config.version_max = end_version;
	end->config.ops.key = take_key;
	end->config.ops.cid = take_cid;
	end->config.ops.peer_cid = take_peer_cid;
	end->config.ops.early = take_data;
	end->config.ops.replayable = take_replayable;
	end->config.ops.session = take_session;
	end->config.ops.keylog = take_line;
	end->config.ops.heartbeat = take_heartbeat;
	end->config.ops.unix_time = tell_time;
	if (psk) {
		end->config.ops.psk_client = psk_client;
		end->config.ops.psk_server = psk_server;
	}
}

int end_open(struct end *end, enum kdtls_role role)
{
	int err;

	if (end->random)
		end->config.ops.random = fill_random;
	if (!end->ep) {
		err = kdtls_endpoint_new(&end->config, &end->ep);
		if (err)
			return err;
	}
	return kdtls_engine_new(end->ep, role, end, "address", 7, &end->e);
}

void end_close(struct end *end)
{
	/* The engine may be the last that holds the endpoint, which has loans. */
	dtls_protection_free(end->tx);
	dtls_protection_free(end->rx);
	dtls_protection_free(end->rx_before);
	end->tx = NULL;
	end->rx = NULL;
	end->rx_before = NULL;
	kdtls_engine_free(end->e);
	end->e = NULL;
	dtls_cids_free(&end->cids);
	end->received_len = 0;
	end->early_len = 0;
	end->early_keys = 0;
}

void end_exit(struct end *end)
{
	end_close(end);
	kdtls_endpoint_free(end->ep);
	end->ep = NULL;
	free(end->session);
	end->session = NULL;
}

/* What the owner of the keys does with content */
static long protect(struct end *end, const struct dtls_record_info *info,
		    const u8 *content, size_t len, u8 *buf)
{
	struct dtls_record_number number = { end->tx->epoch, end->tx->seq };

	len = dtls_protection_seal(end->tx, info->type, content, len, buf);
	kdtls_engine_sent(end->e, &number);
	return (long)len;
}

long end_output(struct end *end, u8 *buf, size_t size, u64 now)
{
	struct dtls_record_info info;
	u8 *content;
	long n;

	/* No larger than need be: writing over the end does not go unseen. */
	if (size > end->e->mtu && size > KDTLS_OUTPUT_MIN)
		size = end->e->mtu > KDTLS_OUTPUT_MIN ? end->e->mtu :
							KDTLS_OUTPUT_MIN;
	content = malloc(size);
	n = kdtls_engine_output(end->e, content, size, &info, now);
	if (n > 0 && info.flags & DTLS_RECORD_RAW)
		memcpy(buf, content, (size_t)n);
	else if (n > 0)
		n = protect(end, &info, content, (size_t)n, buf);
	free(content);
	return n;
}

/* The key for a record, if it is here */
static struct dtls_protection *key_of(struct end *end,
				      const struct dtls_record *record)
{
	struct dtls_protection *key[] = { end->rx, end->rx_before };
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (key[i] && (record->unified ?
			       !((record->unified ^ key[i]->epoch) &
				 DTLS_UNIFIED_EPOCH) :
			       record->epoch == key[i]->epoch))
			return key[i];
	return NULL;
}

/* Open it; keys of before go in time. Return: bytes, -1: it does not verify. */
static long open_record(struct end *end, struct dtls_protection *key,
			struct dtls_record *record, const u8 *bytes, u8 *out,
			u8 *type, u64 now)
{
	struct dtls_protection *keys[] = { end->rx, end->rx_before };
	long n = dtls_protection_open(key, record, bytes, out, type);

	if (n >= 0)
		dtls_protection_used(keys, 2, key != end->rx, now);
	return n;
}

static void expire_keys(struct end *end, u64 now)
{
	struct dtls_protection *keys[] = { end->rx, end->rx_before };

	dtls_protection_expire(keys, 2, now);
	end->rx_before = keys[1];
}

/* As the kernel does: application data to the reader, the rest to the engine */
static int open_records(struct end *end, const u8 *datagram, size_t len,
			u64 now)
{
	struct dtls_record_info info = { 0 };
	struct dtls_protection *key;
	struct dtls_record record;
	u8 *out = malloc(len + 1);
	bool named = false;
	int err = 0;
	long n;

	expire_keys(end, now);
	while (len && !err &&
	       !dtls_record_parse(&record, datagram, len, len,
				  end->cids.len) &&
	       dtls_cids_fit(&end->cids, &record, &named)) {
		size_t size = record.header_len + record.fragment_len;

		key = key_of(end, &record);
		if (!key) {
			err = kdtls_engine_input(end->e, datagram, size, NULL,
						 now);
		} else {
			n = -1;
			if (named || !record.unified || !key->cid_len)
				n = open_record(end, key, &record, datagram,
						out, &info.type, now);
			info.epoch = record.epoch;
			info.seq = record.seq;
			if (n > 0 && info.type == DTLS_CT_APPLICATION_DATA &&
			    record.unified && record.epoch == 1)
				take_replayable(end, out, (size_t)n);
			else if (n >= 0 &&
				 info.type == DTLS_CT_APPLICATION_DATA)
				take_data(end, out, (size_t)n);
			else if (n >= 0)
				err = kdtls_engine_input(end->e, out, (size_t)n,
							 &info, now);
		}
		datagram += size;
		len -= size;
	}
	free(out);
	return err;
}

int end_input(struct end *end, const u8 *datagram, size_t len, u64 now)
{
	/* A copy of exact size: reading over the end does not go unseen. */
	u8 *copy = malloc(len ? len : 1);
	int err;

	memcpy(copy, datagram, len);
	if (end->rx)
		err = open_records(end, copy, len, now);
	else
		err = kdtls_engine_input(end->e, copy, len, NULL, now);
	free(copy);
	return err;
}

size_t end_send(struct end *end, const void *data, size_t len, u8 *out)
{
	return dtls_protection_seal(end->tx, DTLS_CT_APPLICATION_DATA, data,
				    len, out);
}

int end_exchange(struct end *a, struct end *b, u64 *now, int rounds)
{
	static u8 buf[END_DATAGRAM];
	struct end *from = a, *to = b, *swap;
	int err = 0, idle = 0;
	long n;

	while (rounds-- && idle < 2) {
		idle++;
		while ((n = end_output(from, buf, sizeof(buf), *now)) > 0) {
			idle = 0;
			*now += 1000;
			err = end_input(to, buf, (size_t)n, *now) ? : err;
		}
		if (n < 0)
			err = (int)n;
		swap = from;
		from = to;
		to = swap;
	}
	return err;
}

int end_handshake(struct end *client, struct end *server)
{
	u64 now = 1000000;
	int err;

	if (!client->e) {
		err = end_open(client, KDTLS_CLIENT);
		if (err)
			return err;
	}
	if (!server->e) {
		err = end_open(server, KDTLS_SERVER);
		if (err)
			return err;
	}
	err = kdtls_engine_start(client->e, now);
	return err ? err : end_exchange(client, server, &now, 20);
}

static bool same_key(const struct end *from, const struct end *to)
{
	const struct dtls_key_info *tx = &from->tx_key, *rx = &to->rx_key;
	struct dtls_record record = {
		.unified = DTLS_UNIFIED,
		.cid_len = (u8)tx->cid_len,
		.cid = tx->cid,
	};
	bool named = false;

	return tx->version == rx->version && tx->cipher == rx->cipher &&
	       tx->epoch == rx->epoch && tx->cid_len == rx->cid_len &&
	       !memcmp(tx->key, rx->key, sizeof(tx->key)) &&
	       !memcmp(tx->iv, rx->iv, sizeof(tx->iv)) &&
	       !memcmp(tx->sn_key, rx->sn_key, sizeof(tx->sn_key)) &&
	       dtls_cids_fit(&to->cids, &record, &named) && named;
}

bool end_agree(const struct end *a, const struct end *b)
{
	u8 x[40], y[40];

	if (!end_established(a) || !end_established(b) ||
	    !same_key(a, b) || !same_key(b, a))
		return false;
	if (!a->e->ems)
		return true;
	return !kdtls_engine_export(a->e, "EXTRACTOR-dtls_srtp", NULL, 0, x,
				    sizeof(x)) &&
	       !kdtls_engine_export(b->e, "EXTRACTOR-dtls_srtp", NULL, 0, y,
				    sizeof(y)) &&
	       !memcmp(x, y, sizeof(x));
}

u64 end_proven;

enum kdtls_gate end_gate(struct kdtls_endpoint *ep, const void *address,
			 size_t address_len, const u8 *datagram, size_t len,
			 u64 now, u8 *reply, size_t *reply_len)
{
	struct kdtls_sender from = { .address = address, .len = address_len };
	struct kdtls_verdict v;
	enum kdtls_gate gate;

	gate = kdtls_endpoint_gate(ep, &from, datagram, len, now, &v);
	memcpy(reply, v.reply, v.reply_len);
	*reply_len = v.reply_len;
	if (gate == KDTLS_GATE_ACCEPT)
		end_proven = kdtls_hello_proven(v.hello);
	kdtls_hello_free(v.hello);
	return gate;
}
