/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bench: rows that all do the same, send records from one end and take
 * them at the other, each in its own way.
 */
#ifndef _BENCH_H
#define _BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>
#include <linux/dtls.h>

#define BATCH		32	/* records sent, then received, at a time */
#define SIZE_MAX_RECORD	1400

/* enum batch is how the system calls are shared out among BATCH records. */
enum batch {
	ONE,		/* one send and one recv each */
	MMSG,		/* sendmmsg, recvmmsg */
	GSO,		/* UDP_SEGMENT, recvmmsg */
	GSO_GRO,	/* UDP_SEGMENT, UDP_GRO */
	STREAM,		/* one send each, a recv of all there is; TCP */
	BATCHES
};

enum path {
	LOOPBACK,
	VETH,		/* between the namespaces that net.sh made */
	TUNNEL,		/* through WireGuard, between the same */
};

/**
 * struct ends - both ends of what is measured
 * @row:	what it is
 * @path:	what is between them
 * @cipher:	DTLS_CIPHER_*
 * @cipher_name: "none" for what protects nothing
 * @size:	bytes of payload in a record
 * @tx:		socket of the sender
 * @rx:		socket of the receiver
 * @tx_session:	OpenSSL's or GnuTLS's
 * @rx_session:	likewise
 */
struct ends {
	const struct row *row;
	enum path path;
	__u16 cipher;
	const char *cipher_name;
	unsigned int size;
	int tx;
	int rx;
	void *tx_session;
	void *rx_session;
};

/**
 * struct row - a way to bring records over
 * @name:	of it
 * @batch:	which of its ways
 * @tunnel:	goes through WireGuard; @ciphers says nothing of its cipher
 * @plain:	protects nothing: measured once, whatever the cipher
 * @v13:	ours: of DTLS 1.3
 * @open:	fill in @tx, @rx and sessions; false: errno or a line on stderr
 * @send:	send @n records (any number if @batch is ONE, else a multiple of
 *		BATCH); false: it went wrong
 * @recv:	receive @n records, waiting
 * @close:	undo @open
 */
struct row {
	const char *name;
	enum batch batch;
	bool tunnel;
	bool plain;
	bool v13;
	bool (*open)(struct ends *e);
	bool (*send)(struct ends *e, unsigned int n);
	bool (*recv)(struct ends *e, unsigned int n);
	void (*close)(struct ends *e);
};

/*
 * counter.c counts: "tsc", which in a QEMU guest with -icount shift=0 counts
 * executed instructions; "cycles" and "instructions" of the processor; "time" in
 * ns.
 */
bool counter_open(const char *name);
uint64_t now(void);

#define ROUNDS_MAX	1024

/*
 * The first rounds are not counted. They set up what lasts: memory, routes, a
 * window of TCP's.
 */
#define WARM(rounds)	((rounds) / 4 + 2)

/**
 * struct cost - what the counter says of one round, or of one record
 * @deliver:	of clients that send to a server
 * @send:	of sending
 * @recv:	of receiving
 */
struct cost {
	double deliver;
	double send;
	double recv;
};

/*
 * Return what a record costs on average over the middle half of @n rounds of BATCH
 * records, which are put in order. The kernel's own threads and timers come between
 * some of the others, and may have much to do, like verifying a module's signature.
 */
struct cost middle_half(struct cost *rounds, unsigned int n);

/*
 * figures.c prints a line of output, made of what is measured and of its
 * figures.
 */
const char *batch_name(enum batch batch);
struct json_object *figure(const char *what, const struct ends *e);
void figure_add(struct json_object *o, const char *name, double value);
void figure_print(struct json_object *o);

/*
 * parallel.c uses two processors, each of which opens and closes @e, for
 * @seconds.
 */
bool stream(struct ends *e, double seconds);
bool latency(struct ends *e, double seconds);
bool send_threads(struct ends *e, double seconds);
bool drain_threads(struct ends *e);

/* scale.c uses many sockets. */
bool many_sockets(struct ends *e);

/* memory.c tells what peers of the kinds that there are take, over @e's path. */
bool memory(const struct ends *e);

/*
 * sockets.c makes two sockets of @type that are connected over the path. A wait
 * for too long is an error.
 */
bool open_pair(struct ends *e, int type);
void close_pair(struct ends *e);

/* Let the program have all the files that the bench opens at a time. */
bool many_files(void);

/*
 * udp.c has plain UDP, and sockets of the module, which are used in the same
 * way.
 */
bool ours_attach(struct ends *e);
bool ours_keys(struct ends *e);
bool udp_open(struct ends *e);
bool ours_open(struct ends *e);
bool udp_send(struct ends *e, unsigned int n);
bool udp_recv(struct ends *e, unsigned int n);

/* openssl.c has DTLS in user space, and TLS handed to the kernel. */
bool openssl_open(struct ends *e);
bool openssl_send(struct ends *e, unsigned int n);
bool openssl_recv(struct ends *e, unsigned int n);
bool openssl_batch_open(struct ends *e);
bool openssl_batch_send(struct ends *e, unsigned int n);
bool openssl_batch_recv(struct ends *e, unsigned int n);
void openssl_close(struct ends *e);
bool ktls_open(struct ends *e);
bool ktls_send(struct ends *e, unsigned int n);
bool ktls_recv(struct ends *e, unsigned int n);

/* gnutls.c has DTLS in user space. */
bool gnutls_dtls_open(struct ends *e);
bool gnutls_dtls_send(struct ends *e, unsigned int n);
bool gnutls_dtls_recv(struct ends *e, unsigned int n);
void gnutls_dtls_close(struct ends *e);

/*
 * floor.c measures what the kernel's AEAD costs for a record's content, sealed
 * (send) and opened (recv), with @rekey also what it costs to set the key for each
 * record. A false return has written to stderr.
 */
bool floor_cost(__u16 cipher, unsigned int size, bool rekey,
		unsigned int rounds, struct cost *cost);

#endif /* _BENCH_H */
