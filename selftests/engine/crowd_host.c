// SPDX-License-Identifier: GPL-2.0
/* The server of a crowd, and the program that owns it; see crowd.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "crowd.h"

#define ROOM_MAX	64

/*
 * The server keeps a last flight for LINGER_MIN ms at least. A guest that has not
 * received it repeats its own flight six times within LINGER_MIN, after which the
 * server's datagrams are as small as any path needs them to be. A server that forgets
 * the flight earlier may leave a guest out for good.
 */
#define LINGER_MIN	25000

static const u16 x25519_only[] = { 29 };

/* All callbacks are for this crowd. */
static struct crowd *here;

/* ---- callbacks ---- */

static int64_t tell_time(void *ctx)
{
	(void)ctx;
	return crowd_time(here);
}

/* Return the guest who has an identity, or NULL. */
static struct guest *find_guest(struct crowd *w, const u8 *identity, size_t len)
{
	unsigned int i;
	char name[KDTLS_PSK_IDENTITY_MAX + 1];

	if (len >= sizeof(name))
		return NULL;
	memcpy(name, identity, len);
	name[len] = 0;
	if (sscanf(name, "guest %u", &i) != 1 || i >= w->guests ||
	    strcmp(name, w->guest[i].identity))
		return NULL;
	return &w->guest[i];
}

static size_t find_key(void *ctx, const u8 *identity, size_t len, u8 *key)
{
	const struct guest *g = find_guest(here, identity, len);

	(void)ctx;
	if (!g)
		return 0;
	memcpy(key, g->key, strlen(g->key));
	return strlen(g->key);
}

static void sent(unsigned int to, const u8 *data, size_t len)
{
	if (!here->host.muted)
		network_send(&here->net, SERVER, (int)to, data, len);
}

/* ---- its life ---- */

static void open_server(struct crowd *w)
{
	struct host *h = &w->host;
	int err = kdtls_endpoint_new(&h->config, &h->ep);

	if (!err && h->keeps)
		err = kdtls_endpoint_use_secret(h->ep, h->secret,
						sizeof(h->secret));
	if (!err)
		err = port_open(h->ep, &h->options, &h->server);
	if (err) {
		fprintf(stderr, "server: %s\n", kdtls_strerror(err));
		exit(1);
	}
	h->wake = w->net.now;
}

static void close_server(struct crowd *w)
{
	struct host *h = &w->host;
	struct witness *t;

	port_clear();
	kdtls_server_close(h->server);
	kdtls_endpoint_free(h->ep);
	while ((t = LIST_FIRST(&h->witnesses))) {
		LIST_REMOVE(t, list);
		free(t);
	}
	h->alive = 0;
}

static void draw_config(struct crowd *w)
{
	struct kdtls_config *c = &w->host.config;
	struct network *n = &w->net;

	kdtls_socket_config(c);
	c->flags = KDTLS_CID;
	if (chance(n, 15))
		c->flags |= KDTLS_NO_COOKIE;
	if (chance(n, 20))
		c->flags |= KDTLS_NO_TICKETS;
	c->groups = x25519_only;
	c->group_count = 1;
	c->mtu = 1400;
	c->timeout_initial = 100 + (u32)below(n, 1000);
	c->timeout_max = 8000;
	c->linger = LINGER_MIN + (u32)below(n, 30000);
	c->max_early_data = chance(n, 50) ? 1024 : 0;
	c->cache_size = chance(n, 50) ? 16 : 0;
	c->ops.psk_server = find_key;
	c->ops.unix_time = tell_time;
}

static void draw_options(struct crowd *w)
{
	struct kdtls_server_options *o = &w->host.options;
	struct network *n = &w->net;

	o->path = KDTLS_PATH_USER;
	if (chance(n, 50))
		o->cid_len = 8 + (u32)below(n, 13);
	o->idle_timeout = 15000 + (u32)below(n, 60000);
	o->handshake_timeout = 10000 + (u32)below(n, 20000);
	o->half_close = chance(n, 25);
	w->host.roomy = chance(n, 75);
	if (w->host.roomy)
		return;
	if (chance(n, 50))
		o->max_clients = 1 + (u32)below(n, w->guests);
	if (chance(n, 50))
		o->max_half_open = 1 + (u32)below(n, w->guests);
	if (chance(n, 50))
		o->max_clients_source = 1 + (u32)below(n, 8);
	if (chance(n, 50))
		o->max_half_open_source = 1 + (u32)below(n, 8);
}

void host_set_up(struct crowd *w)
{
	struct host *h = &w->host;
	u64 word = draw(&w->net);

	here = w;
	LIST_INIT(&h->witnesses);
	draw_config(w);
	draw_options(w);
	memcpy(h->secret, &word, sizeof(word));
	h->keeps = !h->config.max_early_data && chance(&w->net, 50);
	h->restart = chance(&w->net, 25) ?
		     w->net.now + below(&w->net, 40 * SECOND) : KDTLS_NEVER;
	port.now = w->net.now;
	port.sharers = chance(&w->net, 50) ?
		       1 + (unsigned int)below(&w->net, 64) : 1;
	port.merges = chance(&w->net, 50);
	port.full = 0;
	port.sent = sent;
	open_server(w);
}

void host_free(struct crowd *w)
{
	close_server(w);
}

void host_restart(struct crowd *w)
{
	struct host *h = &w->host;

	h->restart = KDTLS_NEVER;
	h->muted = chance(&w->net, 60);
	note(&w->net, "starts anew", SERVER, h->muted);
	port.now = w->net.now;
	close_server(w);
	h->muted = false;
	open_server(w);
}

/* ---- what the program is told ---- */

static void take_opened(struct crowd *w, const struct kdtls_message *m)
{
	struct witness *t = calloc(1, sizeof(*t));
	struct kdtls_info info;
	const struct guest *g;

	if (kdtls_client_data(m->client))
		crowd_blame(w, "a client is new twice");
	kdtls_engine_info(kdtls_client_engine(m->client), &info);
	g = find_guest(w, info.psk_identity, info.psk_identity_len);
	if (info.auth != KDTLS_AUTH_PSK || !g)
		crowd_blame(w, "a client is nobody");
	else
		t->guest = (u32)(g - w->guest);
	w->resumed += info.resumed;
	LIST_INSERT_HEAD(&w->host.witnesses, t, list);
	w->host.alive++;
	kdtls_client_set_data(m->client, t);
	note(&w->net, "has a client", SERVER, t->guest);
}

static void forget(struct crowd *w, struct kdtls_client *client)
{
	struct witness *t = kdtls_client_data(client);

	if (!t) {
		crowd_blame(w, "a client that was never there is gone");
		return;
	}
	LIST_REMOVE(t, list);
	free(t);
	kdtls_client_set_data(client, NULL);
	w->host.alive--;
}

/* Return the bit of a record that was sent, or 0 if it never was. */
static u64 bit_of(const struct crowd *w, const struct word *word)
{
	if (word->guest >= w->guests || word->life >= LIVES_MAX)
		return 0;
	if (word->number == WORDS_MAX)
		return w->early[word->guest][word->life] ? 1ULL << WORDS_MAX : 0;
	return word->number < w->sent[word->guest][word->life] ?
	       1ULL << word->number : 0;
}

static void take_data(struct crowd *w, const struct kdtls_message *m)
{
	struct witness *t = kdtls_client_data(m->client);
	struct word word;
	bool early;
	u64 bit = 0;

	if (!t) {
		crowd_blame(w, "data came before the news of its client");
		return;
	}
	if (crowd_read_word(m->data, m->len, &word))
		bit = bit_of(w, &word);
	if (!bit) {
		crowd_blame(w, "the host got what nobody has sent");
		return;
	}
	if (word.guest != t->guest)
		crowd_blame(w, "a guest's record came as another's");
	if (t->heard && word.life != t->life)
		crowd_blame(w, "one association has records of two lives");
	if (w->taken[word.guest][word.life] & bit)
		crowd_blame(w, "a record came twice");
	early = word.number == WORDS_MAX;
	if (early != !!(m->marks & KDTLS_MARK_REPLAYABLE))
		crowd_blame(w, "the mark of early data is not right");
	t->heard = true;
	t->life = word.life;
	w->taken[word.guest][word.life] |= bit;
	w->early_taken += early;
	w->records++;
	note(&w->net, "gets data", SERVER, word.guest);
}

static void take_message(struct crowd *w, const struct kdtls_message *m)
{
	switch (m->news) {
	case KDTLS_NEWS_OPENED:
		take_opened(w, m);
		break;
	case KDTLS_NEWS_DATA:
		take_data(w, m);
		break;
	case KDTLS_NEWS_CLOSED:
		forget(w, m->client);
		break;
	case KDTLS_NEWS_REFUSED:
		if (kdtls_client_data(m->client))
			crowd_blame(w, "a client that was told of is refused");
		break;
	case KDTLS_NEWS_GOODBYE:
		if (!w->host.options.half_close)
			crowd_blame(w, "half a goodbye that was not asked for");
	}
}

/*
 * Close those that have said goodbye, or some of them. One that has started anew at the
 * same time is gone, which another of the messages has told.
 */
static void answer_goodbyes(struct crowd *w, const struct kdtls_message *m,
			    ssize_t n)
{
	ssize_t i;

	for (i = 0; i < n; i++) {
		if (m[i].news != KDTLS_NEWS_GOODBYE ||
		    !kdtls_client_data(m[i].client) || chance(&w->net, 20))
			continue;
		forget(w, m[i].client);
		kdtls_client_close(m[i].client);
	}
}

/* The program closes a client, or lets its engine do something. */
static void meddle(struct crowd *w)
{
	struct kdtls_client *c = NULL;
	struct kdtls_engine *e;
	u64 i;

	if (w->phase != STORM || !chance(&w->net, 3))
		return;
	for (i = below(&w->net, w->guests) + 1; i; i--)
		c = kdtls_server_next(w->host.server, c);
	if (!c || !kdtls_client_data(c))
		return;
	e = kdtls_client_engine(c);
	switch (below(&w->net, 3)) {
	case 0:
		forget(w, c);
		kdtls_client_close(c);
		w->host.ended++;
		break;
	case 1:
		kdtls_engine_update_keys(e, chance(&w->net, 50));
		break;
	default:
		kdtls_engine_give_cids(e, 1, chance(&w->net, 50));
		break;
	}
}

/* What must hold whenever the program has taken all messages. */
static void judge(struct crowd *w)
{
	const struct kdtls_server_options *o = &w->host.options;
	struct kdtls_client *c = NULL;
	struct kdtls_server_info info;
	unsigned int told = 0;

	kdtls_server_get_info(w->host.server, &info);
	if (info.clients > w->peak)
		w->peak = info.clients;
	if (o->max_clients && info.clients - info.half_open > o->max_clients)
		crowd_blame(w, "there are too many clients");
	if (o->max_half_open && info.half_open > o->max_half_open)
		crowd_blame(w, "there are too many half-open handshakes");
	if (info.clients < w->host.alive + info.half_open)
		crowd_blame(w, "the program was not told who is gone");
	if (info.clients > info.half_open + w->host.alive)
		crowd_blame(w, "the program was not told who is there");
	if (!chance(&w->net, 5))
		return;
	while ((c = kdtls_server_next(w->host.server, c)))
		told++;
	if (told != w->host.alive)
		crowd_blame(w, "a walk does not meet each client once");
}

void host_serve(struct crowd *w)
{
	struct kdtls_message m[ROOM_MAX];
	size_t room = chance(&w->net, 30) ? 1 + below(&w->net, 8) : ROOM_MAX;
	int timeout;
	ssize_t n, i;

	port.now = w->net.now;
	if (w->phase == STORM && chance(&w->net, 3))
		port.full = 1 + (unsigned int)below(&w->net, 4);
	while ((n = kdtls_server_recv(w->host.server, m, room, 0)) > 0) {
		for (i = 0; i < n; i++)
			take_message(w, &m[i]);
		kdtls_server_send(w->host.server, m, (size_t)n);
		answer_goodbyes(w, m, n);
		meddle(w);
	}
	port.full = 0;
	if (n != -EAGAIN)
		crowd_blame(w, kdtls_strerror((int)n));
	judge(w);
	timeout = kdtls_server_timeout(w->host.server);
	w->host.wake = timeout < 0 ? KDTLS_NEVER :
				     w->net.now + 1000ULL * (unsigned int)timeout;
}
