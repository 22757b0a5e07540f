/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A crowd of guests around one server object, for the simulator. A guest has an
 * identity and its pre-shared key, and lives one life after the other, each with an
 * engine, at addresses that other guests have had or will have. What a guest sends
 * says which guest, life and record it is of, and the host's program sends it back.
 */
#ifndef _TEST_CROWD_H
#define _TEST_CROWD_H

#include <kdtls/server.h>
#include <sys/queue.h>

#include "end.h"
#include "network.h"
#include "port.h"

#define GUESTS_MAX	400
#define ADDRESSES_MAX	(GUESTS_MAX + GUESTS_MAX / 8 + 2)
#define LIVES_MAX	64
#define WORDS_MAX	63	/* of one life; the number of early data is more */
#define PADDING_MAX	64
#define SECOND		1000000ULL

/**
 * struct word - what a guest sends, with up to PADDING_MAX bytes behind it, each of
 *	which is @number
 */
struct word {
	u32 guest;
	u32 life;
	u32 number;
	u32 len;		/* of all */
};

/* enum phase is what the schedule is at. */
enum phase {
	STORM,		/* the network has faults, guests come, vanish and move */
	CALM,		/* no faults any more: whoever is there is served */
	EMPTY,		/* all guests have gone */
};

/**
 * struct guest - one client
 * @end:	its engine, if it lives, and its session; the first member
 * @identity:	of its pre-shared key
 * @key:	that key
 * @kind:	which of the crowd's client endpoints it uses
 * @address:	where it lives, or -1
 * @life:	number of this life, or of the next one
 * @sent:	records that it has sent in this life
 * @echoed:	bits of those that came back
 * @act:	when it does something next, µs
 * @due:	when its engine's timer is due, µs
 * @waits:	since when it waits for the handshake or an echo, µs; 0: it does not
 * @served:	an echo has come in the phase CALM
 */
struct guest {
	struct end end;
	char identity[KDTLS_PSK_IDENTITY_MAX + 1];
	char key[32];
	unsigned int kind;
	int address;
	u32 life;
	u32 sent;
	u64 echoed;
	u64 act;
	u64 due;
	u64 waits;
	bool served;
};

#define KINDS	3	/* of clients: DTLS 1.2, DTLS 1.3, both */

/**
 * struct witness - what the host's program knows of a client of the server
 * @guest:	whose identity the client has proven
 * @life:	of its first record
 * @heard:	@life is set
 */
struct witness {
	LIST_ENTRY(witness) list;
	u32 guest;
	u32 life;
	bool heard;
};

/**
 * struct host - the server, and the program that owns it
 * @secret:	shared by the endpoints before and after a restart, if @keeps
 * @wake:	when it takes what has come, µs
 * @restart:	when it crashes or ends, and starts anew on its port, µs
 * @roomy:	no limit of the options keeps a guest out
 * @muted:	it has crashed: nothing that it sends leaves the host
 * @alive:	clients that the program was told of
 * @ended:	clients that the program has closed
 */
struct host {
	struct kdtls_config config;
	struct kdtls_endpoint *ep;
	struct kdtls_server_options options;
	struct kdtls_server *server;
	u8 secret[KDTLS_SECRET_SIZE];
	bool keeps;
	u64 wake;
	u64 restart;
	bool roomy;
	bool muted;
	LIST_HEAD(, witness) witnesses;
	unsigned int alive;
	u64 ended;
};

/**
 * struct crowd - all of it
 * @fault:	what must not be has happened: this; NULL: nothing
 * @kind:	the clients' endpoints, in ends that have no engine
 * @occupant:	the guest at each address, or NULL
 * @addresses:	how many there are
 * @sent:	records that each life of each guest has sent
 * @taken:	bits of those that the host's program was given
 * @early:	each life of each guest has sent early data
 * @peak:	most clients that the server has had
 */
struct crowd {
	const char *fault;
	enum phase phase;
	u64 phase_end;
	struct host host;
	struct end kind[KINDS];
	struct guest guest[GUESTS_MAX];
	unsigned int guests;
	struct guest *occupant[ADDRESSES_MAX];
	unsigned int addresses;
	u32 sent[GUESTS_MAX][LIVES_MAX];
	u64 taken[GUESTS_MAX][LIVES_MAX];
	bool early[GUESTS_MAX][LIVES_MAX];
	u32 peak;
	u64 lives, records, echoes, early_taken, resumed, restarted, moved;
	struct network net;		/* last, as it is large */
};

/* Note a fault: something happened that must not happen. */
static inline void crowd_blame(struct crowd *w, const char *fault)
{
	if (!w->fault)
		w->fault = fault;
}

/* Return the time of tickets, which goes with the crowd's clock. */
int64_t crowd_time(const struct crowd *w);

/* Return true if @data is a word as its guest has written it, and copy it. */
bool crowd_read_word(const u8 *data, size_t len, struct word *word);

/* ---- crowd_guests.c ---- */

/* Draw the guests, and make their endpoints. */
void guests_set_up(struct crowd *w);
void guests_free(struct crowd *w);

/* Return when the next guest does something, and who that is. */
u64 guests_next(struct crowd *w, struct guest **first);

/* Let the guest do what it has to do now. */
void guest_act(struct crowd *w, struct guest *g);

/* Give a guest a datagram. */
void guest_receive(struct crowd *w, struct guest *g, const u8 *data, size_t len);

/* Let the guest go, with a word of goodbye or not. */
void guest_leave(struct crowd *w, struct guest *g, bool goodbye);

/* ---- crowd_host.c ---- */

/* Draw the options of the server, and start it. */
void host_set_up(struct crowd *w);
void host_free(struct crowd *w);

/* Let the host take what has come, and run its timers. */
void host_serve(struct crowd *w);

/* Let the host end or crash, and start anew. */
void host_restart(struct crowd *w);

#endif /* _TEST_CROWD_H */
