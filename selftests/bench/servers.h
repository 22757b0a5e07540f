/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bench's servers: rows that each serve many clients on one port in a way of
 * its own. The clients are the same for all servers: wire.c.
 */
#ifndef _BENCH_SERVERS_H
#define _BENCH_SERVERS_H

#include <netinet/in.h>

#include "bench.h"
#include "../common.h"

#define CLIENTS_MAX	100000
#define DATAGRAM_ROOM	2048	/* bytes that any record of the bench fits into */

/**
 * struct service - a server while it is measured
 * @server:	way it works
 * @address:	address and port that the server's sockets are bound to
 * @clients:	number of clients
 * @size:	bytes of content in a record
 * @fd:		the one socket of a server that has one
 * @fds:	a connected socket for each client of a server that has those
 */
struct service {
	const struct server *server;
	struct sockaddr_in address;
	unsigned int clients;
	unsigned int size;
	int fd;
	int *fds;
};

/**
 * struct server - a way to serve many clients on one port
 * @name:	name of the row
 * @batch:	how system calls are shared out. ONE and MMSG carry the records of
 *		different clients, GSO_GRO those of one client
 * @plain:	the server protects nothing: client_key() is not called
 * @v13:	records are those of DTLS 1.3
 * @most:	most clients
 * @floor:	name of the row that adds the bare AEAD to this one; NULL: none
 * @rekey:	the AEAD of @floor gets its key for each record
 * @open:	make sockets and sessions for all clients
 * @client_key:	tell the key with which a client seals its records
 * @recv:	receive BATCH records, of which the ith comes from clients[i]; only a
 *		server with a socket for each client may look at @clients
 * @send:	send BATCH records, the ith of them to clients[i]
 * @close:	undo @open, also where it failed half-way
 *
 * Functions that return false have set errno or written to stderr.
 */
struct server {
	const char *name;
	enum batch batch;
	bool plain;
	bool v13;
	unsigned int most;
	const char *floor;
	bool rekey;
	bool (*open)(struct service *s);
	void (*client_key)(struct service *s, unsigned int client,
			   struct peer_key *k);
	bool (*recv)(struct service *s, const unsigned int *clients);
	bool (*send)(struct service *s, const unsigned int *clients);
	void (*close)(struct service *s);
};

/*
 * wire.c is the other end of the network. All clients share one socket, and each
 * has an address of its own out of 127.0.0.0/8, so that a client costs the same
 * however many there are.
 */
bool wire_open(void);
struct sockaddr_in wire_client(unsigned int client);

/*
 * Send BATCH datagrams of @len bytes that lie at @datagrams one behind the other,
 * the ith from clients[i]; if @one_client with UDP_SEGMENT.
 */
bool wire_send(const struct service *s, const unsigned int *clients,
	       const unsigned char *datagrams, size_t len, bool one_client);

/* Take BATCH datagrams of @len bytes each from the socket of the clients. */
bool wire_take(size_t len);

/*
 * server_udp.c has servers that leave the records to the kernel, or do without:
 * one socket for all clients, or a connected socket for each.
 */
bool server_udp_open(struct service *s);
bool server_udp_open_each(struct service *s);
bool server_ours_open_each(struct service *s);
void server_ours_key(struct service *s, unsigned int client,
		     struct peer_key *k);
void server_ours_back_key(struct service *s, unsigned int client,
			  struct peer_key *k);
bool server_udp_recv(struct service *s, const unsigned int *clients);
bool server_udp_send(struct service *s, const unsigned int *clients);
void server_udp_close(struct service *s);

/* Send @len bytes with one call as datagrams of @segment bytes; @to may be NULL. */
bool server_udp_send_segments(int fd, const struct sockaddr_in *to,
			      const void *data, size_t len, uint16_t segment);

/*
 * Receive with one call what is at the head of the socket's queue. With @segment
 * that may be many datagrams of so many bytes each, or 0 for one datagram.
 */
ssize_t server_udp_recv_segments(int fd, struct sockaddr_in *from, void *buf,
				 size_t room, int *segment);

/*
 * server_pktinfo.c has plain UDP on one socket with a control message for each
 * datagram, as a server needs that answers from the address that a client wrote to.
 */
bool server_pktinfo_open(struct service *s);
bool server_pktinfo_recv(struct service *s, const unsigned int *clients);
bool server_pktinfo_send(struct service *s, const unsigned int *clients);

/* server_table.c has servers with all associations on one attached socket. */
bool server_table_open(struct service *s);
bool server_table_add(struct service *s, unsigned int client);
bool server_table_recv(struct service *s, const unsigned int *clients);
bool server_table_send(struct service *s, const unsigned int *clients);

/*
 * server_openssl.c has servers with one socket, a hash table of OpenSSL's sessions
 * by the client's address. One record a call goes through OpenSSL's memory BIOs,
 * those of a batch through the BIO of openssl_bio.c.
 */
bool server_openssl_open(struct service *s);
void server_openssl_key(struct service *s, unsigned int client,
			struct peer_key *k);
bool server_openssl_recv(struct service *s, const unsigned int *clients);
bool server_openssl_send(struct service *s, const unsigned int *clients);

/* Measure all servers. @only is a pattern for NAME/BATCH/CIPHER/SIZE. */
bool servers(const char *only, unsigned int rounds);

/*
 * newcomers.c measures what a server pays for a client that comes, with none or one, with
 * thousands and with CLIENTS_MAX there.
 */
bool newcomers(void);

/*
 * flood.c measures what handshakes cost a server that one address begins by the thousand and
 * leaves half open, and what they are to a client of another address.
 */
bool flood(void);

/*
 * Weigh a million idle associations of one socket, and measure a record from each of
 * 100,000 of them beside those of a single one. Wants a machine with 6 GiB.
 */
bool million(void);

#endif /* _BENCH_SERVERS_H */
