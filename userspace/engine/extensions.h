/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions write the extensions that a client offers and a server
 * answers with, and read those of the peer. The functions with 13 in their
 * names are for EncryptedExtensions.
 */
#ifndef _DTLS_EXTENSIONS_H
#define _DTLS_EXTENSIONS_H

#include "hello.h"
#include "state.h"

/*
 * Begin an extension of a ClientHello and remember that it was offered. Return:
 * the mark for wr_close(w, mark, 2).
 */
size_t dtls_extensions_offer(struct kdtls_engine *e, struct dtls_writer *w,
			     enum dtls_extension i);

/* Write the signature schemes of the endpoint as a list. */
void dtls_extensions_write_schemes(const struct kdtls_engine *e,
				   struct dtls_writer *w);

/* Write a client's extensions, but for those that only DTLS 1.3 has. */
void dtls_extensions_write_client(struct kdtls_engine *e,
				  struct dtls_writer *w);

/* Write the extensions of a ServerHello of DTLS 1.2 that answers @ch. */
void dtls_extensions_write_server(struct kdtls_engine *e, struct dtls_writer *w,
				  const struct dtls_client_hello *ch);

/*
 * Read the extensions of a ServerHello of DTLS 1.2, which resumes a session if @resumed.
 * The server shows no certificate then. Return: 0 or an error.
 */
int dtls_extensions_read_server(struct kdtls_engine *e,
				const struct dtls_extensions *x, bool resumed);

/* Read a ClientHello's extensions as a server. Return: 0 or an error. */
int dtls_extensions_read_client(struct kdtls_engine *e,
				const struct dtls_extensions *x);

/*
 * Read certificate_authorities of a ClientHello or a CertificateRequest: @list
 * is empty if there are none. Return: 0 or an error.
 */
int dtls_extensions_authorities(struct kdtls_engine *e,
				const struct dtls_extensions *x,
				struct dtls_bytes *list);

/* Write EncryptedExtensions that answer a hello with the extensions @theirs. */
void dtls_extensions_write_answers13(struct kdtls_engine *e,
				     struct dtls_writer *w,
				     const struct dtls_extensions *theirs);

/* Read EncryptedExtensions. Return: 0 or an error. */
int dtls_extensions_read_answers13(struct kdtls_engine *e,
				   const struct dtls_extensions *x);

/**
 * dtls_extensions_check13() - look for extensions that a server must not send
 * @e:		the engine, whose handshake knows what was offered
 * @x:		the extensions of the server's message
 * @allowed:	bits (1 << enum dtls_extension) of the extensions that this
 *		message may have
 *
 * Return: 0; or an error if an extension was not offered, or is in the wrong
 * message (RFC 8446 4.2).
 */
int dtls_extensions_check13(struct kdtls_engine *e,
			    const struct dtls_extensions *x, u64 allowed);

/*
 * Write connection_id into a ServerHello of either version (RFC 9146 3), if it
 * is among @theirs, the hello's extensions, and this end agrees.
 */
void dtls_extensions_write_cid(struct kdtls_engine *e, struct dtls_writer *w,
			       const struct dtls_extensions *theirs);

/* Read the peer's connection_id. Return: 0 or an error. */
int dtls_extensions_read_cid(struct kdtls_engine *e,
			     const struct dtls_extensions *x);

/*
 * Forget what the extensions of a hello of the peer's have said, but for the name that a
 * client has sent.
 */
void dtls_extensions_forget(struct kdtls_engine *e);

#endif /* _DTLS_EXTENSIONS_H */
