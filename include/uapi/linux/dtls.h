/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * This header has the user-space interface of the DTLS record layer for UDP sockets.
 *
 * A UDP socket is attached with
 *
 *	setsockopt(fd, SOL_IP, DTLS_ULP, "dtls", 4);
 *
 * (SOL_IP for AF_INET6 sockets too), connected to its peer, and given one key
 * a direction:
 *
 *	setsockopt(fd, SOL_DTLS, DTLS_TX, &tx_key, sizeof(tx_key));
 *	setsockopt(fd, SOL_DTLS, DTLS_RX, &rx_key, sizeof(rx_key));
 *
 * From then on send() and recv() carry one application record each. Between the
 * attach and the keys send() fails with ENOKEY and recv() waits. dtls(7) is a guide
 * with examples.
 *
 * A socket that is bound and not connected can have many associations, one with each
 * peer: see struct dtls_assoc_table.
 *
 * The attach fails with EEXIST (the socket is attached), EBUSY (the socket has
 * corked data, UDP_CORK or UDP_ENCAP, or belongs to a sockmap or a tunnel),
 * EAFNOSUPPORT (an AF_INET6 socket that is connected to a v4-mapped address, or that
 * became an AF_INET one by IPV6_ADDRFORM), EPROTONOSUPPORT or EOPNOTSUPP (no UDP
 * socket, or one of the kernel's own), ENOENT (a name other than "dtls"), EINVAL (its
 * length) and ENOMEM. The socket is unchanged then.
 *
 * A call on the same socket that another thread began before the attach may end
 * after it. Options that such a call sets hold as if they were set afterwards, but
 * UDP_GRO may be as it was before; UDP_ENCAP makes the keys fail with EBUSY. Data that
 * such a call leaves in UDP's cork is dropped, and the next call on the socket fails with
 * EBUSY, once. If such a call connects the socket to a peer that it must not have, the
 * socket is disconnected, and the next call fails with EISCONN, once. A whole datagram
 * that such a call sends goes out in the clear. A recv() that began before the attach may
 * return the next datagram as it came, verified by nobody.
 *
 * connect() of an attached AF_INET6 socket to an IPv4 or v4-mapped address fails with
 * EAFNOSUPPORT.
 *
 * Every structure here may grow at its end. setsockopt() takes a structure that
 * ends early, but not before the field that the structure's description names, as
 * if the rest were zero. It takes a longer one if what the kernel does not know of
 * it is zero (else E2BIG). getsockopt() writes at most the length it is given and
 * returns the length it wrote. No structure has holes, and none differs between
 * 32-bit and 64-bit programs. Integers are in host byte order, byte strings as they
 * are on the wire.
 *
 * A structure that concerns one association begins with its number, @id.
 * getsockopt() reads the number from its buffer too, and fails with EINVAL if the
 * buffer is too short for that. Zero is the one association of a connected socket.
 * Other numbers are those of a socket's table (ENOENT: there is no such association).
 *
 * What a socket holds until it is read is charged as UDP charges its queue: to udp_mem
 * and to the cgroup that made the socket. Application data counts against SO_RCVBUF.
 * Four kinds of records have budgets that are shares of SO_RCVBUF but do not count
 * against it: records whose key is still to come have a half; raw control records,
 * authenticated control records and events an eighth each, and as much as SO_RCVBUF each
 * with a table of associations. One record always fits. Of the first two, which anybody
 * can send, the oldest make room for the newest; of authenticated control records the
 * newest is dropped; an event comes again with the next record of its kind. A record that
 * has waited for its key for a minute is dropped too. Where many associations share the
 * budget of records without a key or that of authenticated control records, each may have
 * as much as is still free, so that no peer uses up all of it.
 *
 * A datagram is not looked at any further once eight records in it were malformed,
 * of no known key, forged, or of a key that has reached its limit, or 32 were kept that
 * nothing has verified, raw or for a key to come; four of these count as one of those.
 * The records behind them are in no count. Each other record that is dropped counts as a
 * drop of the socket (ss -m) and in UDP's InErrors; for want of memory also in
 * RcvbufErrors, for a wrong checksum in InCsumErrors.
 */
#ifndef _UAPI_LINUX_DTLS_H
#define _UAPI_LINUX_DTLS_H

#include <linux/types.h>

/* Option of level SOL_IP; the value is "dtls", with or without its NUL. */
#define DTLS_ULP		17484

#define SOL_DTLS		290

/*
 * Options of level SOL_DTLS. Numbers 1 to 15 concern one association. Numbers 16 to
 * 31 add associations to a socket and take them away. Numbers from 32 on concern the
 * socket.
 */
#define DTLS_TX			1	/* set: struct dtls_key_info */
#define DTLS_RX			2	/* set: struct dtls_key_info */
#define DTLS_INFO		3	/* get: struct dtls_info */
#define DTLS_COUNTERS		4	/* get: struct dtls_counters */
#define DTLS_WINDOW		5	/* get, set: struct dtls_window */
#define DTLS_REPLAY_WINDOW	6	/* set: struct dtls_replay_window */
#define DTLS_CID		7	/* get, set: struct dtls_cid */
#define DTLS_FEED		8	/* set: struct dtls_feed */
#define DTLS_ASSOC_TABLE	16	/* get, set: struct dtls_assoc_table */
#define DTLS_ASSOC_ADD		17	/* set: struct dtls_assoc_peer */
#define DTLS_ASSOC_DEL		18	/* set: __u64, the number of the association */
#define DTLS_ASSOC_MOVE		19	/* set: struct dtls_assoc_peer */
#define DTLS_ASSOC_NEXT		20	/* get: struct dtls_assoc_peer */
#define DTLS_ASSOC_PEEL		21	/* set: struct dtls_assoc_peel */
#define DTLS_POLL_CONTROL	32	/* get, set: __u32, 1: EPOLLPRI on control records */
#define DTLS_PASS		33	/* get, set: __u32, 1: recv() gives other protocols too */

/*
 * Reading: recv() takes application records and recvmsg(MSG_OOB) control records.
 * Any number of tasks may do both, peek and poll at once. Each record goes to one of
 * the tasks that take it. recv() returns 0, and EPOLLRDHUP is up, when the peer has
 * said close_notify or after shutdown(SHUT_RD), and all application data that was
 * received before that is read. A call that fails with EFAULT loses the application
 * record that it would have returned, as with UDP, and no other record; a control
 * record stays in its queue.
 *
 * With DTLS_POLL_CONTROL set, EPOLLPRI says that there is a control record, also
 * behind application data that nobody reads: poll() opens that data and keeps it, as
 * long as it fits into the receive buffer. Beyond that recvmsg(MSG_OOB), and MSG_PEEK
 * at an offset, fail with ENOBUFS until application data is read.
 *
 * With DTLS_PASS set, recv() also returns datagrams of other protocols that share the
 * port, which their first byte tells from DTLS, 20 to 63 (RFC 7983): STUN, TURN and RTP,
 * for example. They come as they were received, one a call or with UDP_GRO several, and
 * with a control message DTLS_RECORD_INFO that has DTLS_RECORD_RAW. **Anybody may have
 * sent them.** One of more than 2^14 bytes is dropped and counted in rx_oversize.
 * Without the option all of them are dropped and counted in rx_malformed. With
 * DTLS_RECORD_RAW they are sent, too.
 *
 * Sending: UDP's options work on records. UDP_SEGMENT cuts the plaintext into
 * records of a datagram each; MSG_MORE and UDP_CORK pack records into one datagram.
 * Data that UDP_SEGMENT cuts fails with EINVAL if MSG_MORE is set; with UDP_CORK it
 * goes out before the records that wait. A control message for IP or the socket
 * concerns a datagram and goes with the record that ends it: with a record after
 * which more shall come it fails with EINVAL.
 *
 * If a datagram of several records cannot be sent yet (EAGAIN, EINTR), those that wait go
 * on waiting, without the record that was to end the datagram. If UDP refuses the datagram
 * with any other error all its records are lost, as in UDP. Clearing UDP_CORK waits for room
 * in the send buffer, and fails with EAGAIN where a send would.
 *
 * An error that UDP or the cipher finds only when the record is made may have spent a
 * sequence number. All other errors spend none.
 */

/* Control messages of level SOL_DTLS */
#define DTLS_RECORD_INFO	1	/* struct dtls_record_info */
#define DTLS_ASSOC		2	/* __u64: the number of an association */

/* Versions, as they stand on the wire */
#define DTLS_VERSION_1_2	0xfefd
#define DTLS_VERSION_1_3	0xfefc

/*
 * Ciphers. A cipher that linux/tls.h has bears the same number here. The others have
 * numbers from 257 on, which linux/tls.h will not come to.
 */
#define DTLS_CIPHER_AES_GCM_128		51
#define DTLS_CIPHER_AES_GCM_256		52
#define DTLS_CIPHER_AES_CCM_128		53
#define DTLS_CIPHER_CHACHA20_POLY1305	54
#define DTLS_CIPHER_AES_CCM_256		257
#define DTLS_CIPHER_AES_CCM_8_128	258
#define DTLS_CIPHER_AES_CCM_8_256	259

#define DTLS_KEY_SIZE_MAX	32
#define DTLS_IV_SIZE		12
#define DTLS_CID_SIZE_MAX	255

#define DTLS_SEQ_MAX		((1ULL << 48) - 1)	/* RFC 6347 4.1 */
#define DTLS_RECORD_SIZE_MAX	16384			/* plaintext, RFC 6347 4.1 */
#define DTLS_REPLAY_WINDOW_MIN	64			/* RFC 6347 4.1.2.6 */
#define DTLS_REPLAY_WINDOW_MAX	4096

/**
 * struct dtls_key_info - one direction's key for one epoch (set DTLS_TX, DTLS_RX)
 * @id:		association
 * @version:	DTLS_VERSION_*; the same for every key of an association
 * @cipher:	DTLS_CIPHER_*
 * @cid_len:	bytes of @cid; 0: records bear no connection ID
 * @max_plaintext: bytes of content that a record of any type may have, as the
 *		receiver allowed by record_size_limit (RFC 8449); 0: 2^14. With DTLS_TX
 *		send() fails with EMSGSIZE above it. With DTLS_RX a record above it is
 *		dropped and counted in rx_oversize. In DTLS 1.3 the extension counts the
 *		byte of the type, this field does not
 * @epoch:	1 to 65535 (DTLS 1.3: to 2^48 - 1), newer than every epoch that was set
 *		before in this direction
 * @rec_seq:	DTLS_TX: number of the next record to send. DTLS_RX: records with a
 *		lower number count as replays
 * @limit:	0: the cipher's default. DTLS_TX: the key seals this many records,
 *		counted from number 0 on, and send() fails with EKEYEXPIRED then.
 *		DTLS_RX: after this many forgeries the key opens nothing more
 * @key:	the write key; bytes past the cipher's key size are zero
 * @sn_key:	DTLS 1.3: key for the sequence numbers (RFC 9147 4.2.3), as long as
 *		@key; zero for DTLS 1.2
 * @iv:		the write IV. DTLS 1.2 with AES: the 4 bytes of implicit nonce
 *		(RFC 5288, RFC 6655), the rest zero; else 12 bytes
 * @pad:	zero; the structure may end here
 * @cid:	DTLS_TX: the connection ID that the peer asked for; DTLS_RX: the one
 *		that this end asked for (RFC 9146)
 *
 * In DTLS 1.3 keys of epoch 1 are for early data, and those from 3 on for application
 * data. Epoch 2 is the handshake's: the library has its keys, and gets such records
 * raw. A key change is the next epoch, set in the same way. With DTLS_TX later records
 * are made with the new key; with DTLS_RX the new key opens records beside the two keys
 * before it.
 *
 * The defaults of @limit are those of RFC 9147 4.5.3 and RFC 9325 4.4: 2^24.5 records
 * for AES-GCM, 2^23 for AES-CCM, all numbers for ChaCha20-Poly1305; and 2^36
 * forgeries, 2^23.5 with AES-CCM, 2^7 with CCM_8, whose tag is short. Any other number
 * is taken, as the owner may know more of what a key protects. ~0 means no limit: of a
 * write key none but that of the sequence numbers, 2^48 - 1, and of a read key none.
 *
 * A forgery is a record that seems to be of this key and is not authentic. Anybody who
 * can send from the peer's address can make one. When a read key has reached its limit,
 * its records are dropped and counted in rx_expired, which ends the association unless
 * its owner changes the key. DTLS_EVENT_RX_LIMIT tells that the limit is near, and
 * DTLS_EVENT_RX_EXPIRED that it was reached. Several tasks that read at once may each open
 * one record more.
 *
 * setsockopt() may sleep. It fails, with nothing changed, with EINVAL (the length of
 * the structure, epoch, sequence number, @max_plaintext, unused bytes that are not
 * zero, a version that differs from the association's, or, with DTLS_RX, a connection ID
 * of another length than those of the association's other read keys, that of early data
 * excepted, or than @cid_len of struct dtls_assoc_table),
 * EADDRINUSE (the connection ID is that of another association), EOPNOTSUPP (the version),
 * ENOENT (the kernel or the version lacks the cipher, or there is no such
 * association), E2BIG (unknown bytes that are not zero), ENOTCONN (the socket has no
 * peer), EISCONN (the peer is not that of the keys before), EBUSY (UDP_ENCAP), EEXIST
 * (the epoch is not newer) and ENOMEM.
 */
struct dtls_key_info {
	__u64	id;
	__u16	version;
	__u16	cipher;
	__u16	cid_len;
	__u16	max_plaintext;
	__u64	epoch;
	__u64	rec_seq;
	__u64	limit;
	__u8	key[DTLS_KEY_SIZE_MAX];
	__u8	sn_key[DTLS_KEY_SIZE_MAX];
	__u8	iv[DTLS_IV_SIZE];
	__u8	pad[4];
	__u8	cid[256];
};

/**
 * struct dtls_assoc_table - a socket's associations (get, set DTLS_ASSOC_TABLE)
 * @max:	how many associations there may be; 0: any number
 * @cid_len:	bytes of every connection ID that this end gives to a peer; 0: it
 *		gives none
 * @reserved:	zero; the structure may end here
 * @count:	get: how many associations there are; set: zero
 * @reserved2:	zero
 *
 * The option gives a socket a table of associations, for good. The socket has to be
 * bound, and may neither be connected nor have a key. Setting the option again changes
 * @max. Setting fails with EINVAL (the socket is not bound, or @cid_len differs from
 * the table's), EISCONN (the socket is connected or has a key), EBUSY (it has UDP_CORK
 * or UDP_ENCAP) and ENOMEM. Getting fails with EOPNOTSUPP if the socket has no table.
 * On a socket with a table connect(), UDP_CORK and MSG_MORE fail with EOPNOTSUPP.
 *
 * Associations are added, moved, deleted and listed by number with struct dtls_assoc_peer.
 * Each has keys, windows, counters and connection IDs of its own, which the options of
 * one association set and get by its number.
 *
 * A datagram belongs to the association that the connection ID of its first record
 * names or, if that record has none, to the association of its addresses. All records
 * of the datagram are tried with the keys of that association alone.
 *
 * Sending: a control message DTLS_ASSOC, the number in struct dtls_record_info, or the
 * peer's address as msg_name names the association. The address alone is enough only if
 * the socket is bound to one address. A message fails with EDESTADDRREQ if nothing names
 * the association, with ENOENT if no association has the number, with ENOTCONN if no
 * association has the address, with EISCONN if address and number do not match, and with
 * EINVAL if DTLS_ASSOC and struct dtls_record_info tell different numbers.
 * Datagrams leave from the local address of the association.
 *
 * Reading: each application record comes with the peer's address and a control message
 * DTLS_ASSOC. With UDP_GRO all records of one call are of one association. A control
 * record has the number in struct dtls_record_info. A peer does not change the state of
 * the socket: after a close_notify recv() does not return 0, and a fatal alert is no
 * error of the socket. Both alerts are control records.
 *
 * Some datagrams belong to no association, such as the hellos of new clients. A datagram
 * of this kind that begins with a DTLS record comes whole, as one raw control record with
 * number 0, with the sender's address and, if asked for, IP_PKTINFO or IPV6_PKTINFO. Type
 * and epoch are those of its first record. All others are dropped. Answers go out with
 * DTLS_RECORD_RAW, number 0 and the address as msg_name. DTLS_COUNTERS of number 0 counts
 * such datagrams, and DTLS_INFO of number 0 tells about the queues of all associations.
 * DTLS_REPLAY_WINDOW of number 0 is for associations that are added later.
 */
struct dtls_assoc_table {
	__u32	max;
	__u16	cid_len;
	__u16	reserved;
	__u32	count;
	__u32	reserved2;
};

/**
 * struct dtls_addr - an address of an association
 * @family:	AF_INET or AF_INET6, that of the socket
 * @port:	in network byte order
 * @scope_id:	the interface of an IPv6 link-local address; else zero
 * @addr:	in network byte order; the rest of an IPv4 address is zero
 */
struct dtls_addr {
	__u16	family;
	__be16	port;
	__u32	scope_id;
	__u8	addr[16];
};

/* struct dtls_assoc_peer, flags */
#define DTLS_PEER_SUCCEED	0x01	/* another association may have the addresses */
#define DTLS_PEER_PEELED	0x02	/* get: another socket has the association */

/**
 * struct dtls_assoc_peer - an association of a table
 * @id:		the number of the association, which its owner chooses; not zero
 * @flags:	DTLS_PEER_*
 * @reserved:	zero
 * @peer:	the peer's address; the structure may end here
 * @local:	the address that the peer writes to; its port is that of the socket, or
 *		zero. All zero: the one address that the socket is bound to. A socket
 *		that is bound to all addresses must be told
 *
 * The options DTLS_ASSOC_ADD and DTLS_ASSOC_MOVE set it, DTLS_ASSOC_NEXT gets it.
 *
 * DTLS_ASSOC_ADD adds an association without keys; records that come are kept for
 * their key, as before the first key of a connected socket. It fails with EOPNOTSUPP
 * (the socket has no table), EINVAL (a field), EAFNOSUPPORT (an address of another
 * family, or a v4-mapped one), EEXIST (the number is taken), EADDRINUSE (the addresses
 * are), ENOSPC (@max is reached) and ENOMEM.
 *
 * DTLS_ASSOC_MOVE gives the association @id other addresses. It fails in the same way,
 * with ENOENT, and with EBUSY (another socket has the association, see struct
 * dtls_assoc_peel).
 *
 * A client that lost its state begins anew from the address that its old association has.
 * With DTLS_PEER_SUCCEED one association may be added, or moved, to an address that
 * another one has. A record without a connection ID that the old association does not open
 * is tried with the new one, and data that comes before the read key of the new one is
 * kept for it. Such data counts as forgeries of the old one, so the new one should get
 * its read key as soon as the peer's Finished, and a certificate that the peer has to
 * show, are verified; but not before: what the key opens goes to readers, and gives its
 * sender the address. The first record of the new association that is verified and
 * came from the address gives it the address, and the old association has an event,
 * DTLS_EVENT_REPLACED; while there is no room for the event, nothing changes, and the next
 * such record tries again. The old one has no address from then on: sending fails with
 * ENOTCONN, and a list shows zeros. Its number and connection IDs stay until it is
 * deleted, and DTLS_ASSOC_MOVE gives it an address again. Until then raw records from the
 * address come with the number of the old association, and it is the one that the address
 * names. If the old one is deleted or moved, the new one has the address at once. A list
 * shows the flag while an association waits.
 *
 * DTLS_ASSOC_DEL, whose value is the number alone, deletes an association with all that
 * is queued of it. Number, addresses and connection IDs are free when setsockopt()
 * returns. A call of another thread that had found the association before may still end as
 * if it had come before the deletion.
 *
 * DTLS_ASSOC_NEXT reads a number from the buffer and tells the association with the
 * lowest number above it, or fails with ENOENT. A list that begins with number 0 has
 * every association that was there all the time, whatever is added and deleted
 * meanwhile.
 */
struct dtls_assoc_peer {
	__u64	id;
	__u32	flags;
	__u32	reserved;
	struct dtls_addr peer;
	struct dtls_addr local;
};

/**
 * struct dtls_assoc_peel - take an association from a table (set DTLS_ASSOC_PEEL)
 * @id:		the number of the association in the table
 * @fd:		the socket with the table; the structure may end here
 * @reserved:	zero
 *
 * The option is set on a second socket that is attached, has no key, and is connected to
 * the association's peer from the address and port that the peer writes to. The second
 * socket has the association as its number 0 from then on, with keys, windows,
 * numbers and counters, and with all records, control records, events and datagrams of
 * the association that waited on @fd. If the peer has sent close_notify or a fatal alert
 * already, recv() returns 0 in the end, or fails with ECONNRESET once, as if the connected
 * socket had received the alert.
 *
 * Between bind() and connect() the second socket may receive datagrams of all peers, which
 * are lost. With SO_REUSEPORT on both sockets, and a classic BPF program on @fd that chooses
 * the first socket of the port, @fd receives these.
 *
 * The network gives the peer's datagrams to the connected socket. A datagram that still
 * reaches @fd, for example with a connection ID and from another address, is passed on
 * when somebody reads or polls @fd, and counts against the receive buffer of the connected
 * socket. A datagram of another protocol is passed on, too: DTLS_PASS of the connected
 * socket decides whether it is read. The number stays taken on @fd: a list shows it with
 * DTLS_PEER_PEELED, DTLS_ASSOC_MOVE fails with EBUSY, and DTLS_ASSOC_DEL ends the passing
 * on and frees number, address and connection IDs. All else fails as if the number were
 * not there. When the connected socket is closed, the association leaves the table. Either
 * socket may be closed first. A call that another thread has begun on @fd may still return
 * a record of the association.
 *
 * Setting fails with EBADF or ENOTSOCK (@fd is not a socket), EOPNOTSUPP (@fd is not
 * attached, is of another family, or has no table), EXDEV (@fd is of another network
 * namespace), ENOENT (there is no such number), ENOTCONN (the socket is not connected, or
 * the association has lost its address), EISCONN (the socket has a key, or its addresses
 * are not the association's), ENOKEY (the association has no key), EBUSY (the association
 * is peeled off already, it waits for an address, another one waits for its address, or
 * the socket has UDP_ENCAP) and EINVAL.
 */
struct dtls_assoc_peel {
	__u64	id;
	__s32	fd;
	__u32	reserved;
};

/* struct dtls_record_info, flags */
#define DTLS_RECORD_RAW		0x01	/* the record is as on the wire, not authenticated */
#define DTLS_RECORD_EVENT	0x02	/* there is no record: event says what happened */
#define DTLS_RECORD_REPLAYABLE	0x04	/* DTLS 1.3 early data (RFC 8446 8) */

/* struct dtls_record_info, event */
#define DTLS_EVENT_TX_LIMIT	1	/* 7/8 of the write key's limit are used up */
#define DTLS_EVENT_RX_LIMIT	2	/* forgeries are at 7/8 of the read key's limit */
#define DTLS_EVENT_RX_EXPIRED	3	/* forgeries are at the limit: the key opens nothing more */
#define DTLS_EVENT_REPLACED	4	/* another association has the addresses now */

/**
 * struct dtls_record_number - epoch and number of one record
 * @epoch:	the record's epoch; 0: there is no record
 * @seq:	the record's sequence number
 */
struct dtls_record_number {
	__u64	epoch;
	__u64	seq;
};

/**
 * struct dtls_record_info - what a control record is (control message DTLS_RECORD_INFO)
 * @id:		association
 * @epoch:	the record's epoch
 * @seq:	the record's sequence number
 * @type:	content type (RFC 6347 4.1; DTLS 1.3: the inner one)
 * @flags:	DTLS_RECORD_*
 * @event:	DTLS_EVENT_*, with DTLS_RECORD_EVENT; there is no data then
 * @reserved:	zero
 * @number_ptr:	sendmsg(): address of a struct dtls_record_number, or zero
 *
 * A control message may end after @event, with the rest counting as zero. It may be
 * longer than the kernel's if the rest is zero (else E2BIG). The kernel's own are as
 * long as the kernel knows the structure.
 *
 * From recvmsg(MSG_OOB) the control message describes the record that is returned. A
 * record with DTLS_RECORD_RAW is returned with its header, as it arrived, and nothing in
 * it is authenticated. A handshake record that does not verify is returned raw, as it may
 * belong to a handshake that begins anew (RFC 6347 4.2.8). Of a record without that flag,
 * which was decrypted and verified, the content alone is returned.
 *
 * A raw record with a unified header (RFC 9147 4) is returned with epoch 2, of this
 * association or of a new one. The header has only two bits of the epoch, so a record of
 * epoch 6, for example, that does not verify may be of epoch 2 (RFC 9147 5.11). @type and
 * @seq are zero, since they are encrypted. A header does not tell the length of its
 * connection ID. If the socket does not know the length either, the rest of the datagram
 * is returned with the record. That is so before the first read key, and if the peer of an
 * association without connection IDs begins anew and has connection IDs. Records of a later
 * epoch in that rest can be given back with DTLS_FEED.
 *
 * From recvmsg() without MSG_OOB the control message comes with datagrams of other
 * protocols, see DTLS_PASS, and with early data, which has DTLS_RECORD_REPLAYABLE: an
 * attacker can have the same record delivered to another server, or here again.
 *
 * With sendmsg() the control message lets the data go out as one record of @type under
 * the current write key. @epoch is 0 or the epoch of that key, else the call fails with
 * ESTALE; @seq is zero. With DTLS_RECORD_RAW the data goes out as one datagram, as it is;
 * all other members are zero. The option UDP_SEGMENT does not cut the data, and a control
 * message UDP_SEGMENT fails with EINVAL. MSG_MORE with a raw datagram fails with EINVAL,
 * too. A raw datagram does not wait in a cork.
 *
 * An ACK names records by their numbers (RFC 9147 7). sendmsg() writes epoch and number
 * of the record to @number_ptr. Before it spends a number it writes zeros there. If it
 * fails with EFAULT nothing was sent. If another error leaves a number at @number_ptr, that
 * number is spent.
 */
struct dtls_record_info {
	__u64	id;
	__u64	epoch;
	__u64	seq;
	__u8	type;
	__u8	flags;
	__u16	event;
	__u32	reserved;
	__u64	number_ptr;
};

/* struct dtls_info, flags */
#define DTLS_INFO_EOF		0x01	/* the peer has said close_notify */
#define DTLS_INFO_GRO		0x02	/* coalesced datagrams are taken in */

/**
 * struct dtls_info - state of an association (get DTLS_INFO)
 * @id:		association; read from the buffer
 * @version:	DTLS_VERSION_*; 0: no key was set yet
 * @tx_cipher:	DTLS_CIPHER_* of the write key; 0: there is none yet
 * @rx_cipher:	DTLS_CIPHER_* of the newest read key; 0: there is none yet
 * @flags:	DTLS_INFO_*
 * @tx_epoch:	current write epoch
 * @tx_seq:	number of the next record to send
 * @tx_limit:	number at which send() fails with EKEYEXPIRED
 * @rx_epoch:	newest epoch with a read key
 * @rx_seq:	number after the highest record that was verified in @rx_epoch
 * @rx_forged:	forgeries under the key of @rx_epoch
 * @rx_limit:	number of forgeries at which that key opens nothing more
 * @replay_window: size of the replay window in records
 * @mtu:	bytes of plaintext of the longest record that fits one datagram on the path
 *		now, within max_plaintext of the write key; 0: no record with content fits,
 *		or that is not known, as there is no write key, no peer or no route
 * @control_queued: bytes of memory in the control queue
 * @early_queued: bytes of memory of records that wait for a key
 * @heard:	when the last record was verified, in milliseconds of CLOCK_MONOTONIC;
 *		0: none was
 *
 * Of a table's association @control_queued counts the verified records alone.
 */
struct dtls_info {
	__u64	id;
	__u16	version;
	__u16	tx_cipher;
	__u16	rx_cipher;
	__u16	flags;
	__u64	tx_epoch;
	__u64	tx_seq;
	__u64	tx_limit;
	__u64	rx_epoch;
	__u64	rx_seq;
	__u64	rx_forged;
	__u64	rx_limit;
	__u32	replay_window;
	__u32	mtu;
	__u32	control_queued;
	__u32	early_queued;
	__u64	heard;
};

/**
 * struct dtls_counters - what became of an association's records (get DTLS_COUNTERS)
 * @id:		association; read from the buffer
 * @tx_records:	records that were sent
 * @tx_bytes:	bytes of plaintext of the records in @tx_records
 * @rx_records:	application records that were delivered or are ready to be
 * @rx_bytes:	bytes of plaintext of the records in @rx_records
 * @rx_replays:	records that were received before, or are older than the window
 * @rx_auth_failed: records that are not authentic
 * @rx_no_key:	records of an epoch without a key, or without a known connection ID
 * @rx_malformed: bytes that are not a record, records with an impossible type or length,
 *		and datagrams with a wrong UDP checksum
 * @rx_oversize: records with more content than max_plaintext of the read key
 * @rx_empty:	application records without content
 * @rx_control:	records and events that were put into the control queue
 * @rx_no_budget: records, and rests of datagrams, that were dropped for want of memory
 * @rx_expired:	records under a read key that has reached its limit
 *
 * The counters start with the association. /proc/net/dtls_stat has those of a network
 * namespace.
 */
struct dtls_counters {
	__u64	id;
	__u64	tx_records;
	__u64	tx_bytes;
	__u64	rx_records;
	__u64	rx_bytes;
	__u64	rx_replays;
	__u64	rx_auth_failed;
	__u64	rx_no_key;
	__u64	rx_malformed;
	__u64	rx_oversize;
	__u64	rx_empty;
	__u64	rx_control;
	__u64	rx_no_budget;
	__u64	rx_expired;
};

/**
 * struct dtls_window - replay state of one read epoch (get, set DTLS_WINDOW)
 * @id:		association; read from the buffer
 * @epoch:	the read epoch; read from the buffer. ENOENT: it has no key
 * @next:	number after the highest record that was seen; the structure may end here
 * @seen:	bit 0 of word 0: record @next - 1 was seen, bit 1: @next - 2, and so on
 *
 * Setting it marks records as seen and unmarks none. @next can only move forward (else
 * EINVAL).
 */
struct dtls_window {
	__u64	id;
	__u64	epoch;
	__u64	next;
	__u64	seen[DTLS_REPLAY_WINDOW_MAX / 64];
};

/**
 * struct dtls_replay_window - size of the replay window (set DTLS_REPLAY_WINDOW)
 * @id:		association; zero is taken before the first key too, and with a table
 * @records:	DTLS_REPLAY_WINDOW_MIN to DTLS_REPLAY_WINDOW_MAX (else EINVAL), rounded
 *		up to a power of two; the structure may end here
 * @reserved:	zero
 *
 * Records that were seen stay seen. struct dtls_info tells the size that holds.
 */
struct dtls_replay_window {
	__u64	id;
	__u32	records;
	__u32	reserved;
};

#define DTLS_CIDS_MAX		8

/**
 * struct dtls_cid - connection IDs (get, set DTLS_CID)
 * @id:		association; read from the buffer
 * @tx_len:	bytes of @tx
 * @rx_len:	bytes of @rx
 * @reserved:	zero; the structure may end here
 * @tx:		connection ID in the records that are sent
 * @rx:		the newest connection ID that records which arrive may have
 *
 * Setting is for DTLS 1.3 (RFC 9147 9). @tx, if it has a length, replaces the connection
 * ID of the current write key, for the records that are sealed from then on. @rx, if it
 * has a length, is taken beside those of the read keys and the last DTLS_CIDS_MAX - 1
 * that were set before. A new connection ID is as long as the one before it. Setting
 * fails with EINVAL (the length, or bytes past it that are not zero), ENOKEY (there is no
 * key), EOPNOTSUPP (the version), EADDRINUSE (@rx is that of another association) and
 * ENOMEM.
 */
struct dtls_cid {
	__u64	id;
	__u16	tx_len;
	__u16	rx_len;
	__u32	reserved;
	__u8	tx[256];
	__u8	rx[256];
};

/**
 * struct dtls_feed - a datagram that was read before the attach (set DTLS_FEED)
 * @id:		association
 * @reserved:	zero
 * @datagram:	the datagram, up to the end of the option
 *
 * The datagram counts as the peer's. It is served as if it had just arrived, before what
 * waits in the queue, and has to verify like any other. Setting fails with ENOTCONN (the
 * association has no peer), EINVAL (the datagram is empty, or @reserved is not zero),
 * EMSGSIZE (it has more than 65535 bytes), ENOMEM and ENOBUFS (the receive buffer is full).
 */
struct dtls_feed {
	__u64	id;
	__u64	reserved;
	__u8	datagram[];
};

#endif /* _UAPI_LINUX_DTLS_H */
