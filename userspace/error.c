// SPDX-License-Identifier: BSD-3-Clause
/* This file turns error numbers into words. */
#include <kdtls/engine.h>
#include <kdtls/kdtls.h>
#include <string.h>

static const char *engine_error(int err)
{
	switch ((enum kdtls_engine_error)err) {
	case KDTLS_EMEMORY:
		return "out of memory, or a limit of the configuration was reached";
	case KDTLS_EUSAGE:
		return "wrong argument, or called at the wrong moment";
	case KDTLS_ECRYPTO:
		return "libcrypto failed";
	case KDTLS_ETIMEOUT:
		return "the peer does not answer: is it there, and is the key the right one?";
	case KDTLS_EALERT:
		return "the peer sent a fatal alert: kdtls_engine_failure() tells which";
	case KDTLS_EPROTOCOL:
		return "the peer broke the protocol";
	case KDTLS_ENEGOTIATION:
		return "nothing in common with the peer: compare suites, groups and versions";
	case KDTLS_EPEER:
		return "the peer's certificate, name or key is refused";
	case KDTLS_ECALLBACK:
		return "the keys were not taken";
	case KDTLS_ENAME:
		return "neither a host name nor an address: write it in full";
	case KDTLS_EEMPTY:
		return "no certificate, or public key, in it: is it the right file?";
	case KDTLS_EKEYLESS:
		return "no private key in it: is it the right file?";
	case KDTLS_EDAMAGED:
		return "a block of PEM in it is damaged: none of it is used";
	case KDTLS_EENCRYPTED:
		return "encrypted: give its passphrase";
	case KDTLS_EPASSPHRASE:
		return "it does not open with this passphrase: is that the right one?";
	case KDTLS_EURI:
		return "neither a file nor a URI that OpenSSL opens: check provider, object, PIN";
	case KDTLS_EMISMATCH:
		return "the private key is not that of the first certificate";
	case KDTLS_EKIND:
		return "not a kind of key for DTLS: take P-256, P-384, Ed25519 or RSA";
	case KDTLS_EPSK:
		return "a pre-shared key is too short, or used in both roles: take another";
	case KDTLS_EFORGERIES:
		return "too many forged records: somebody attacks, or a key is not the right one";
	}
	return NULL;
}

const char *kdtls_strerror(int err)
{
	if (err < 0)
		err = -err;
	switch ((enum kdtls_error)err) {
	case KDTLS_ENOMODULE:
		return "the kernel has no DTLS record layer here: load the module dtls";
	case KDTLS_ENOTUDP:
		return "not a UDP socket: records can move only to one of those";
	case KDTLS_ENOTCONN:
		return "the socket is not connected: connect(2) it to its peer first";
	case KDTLS_EATTACHED:
		return "the socket has the record layer already: attach it once";
	case KDTLS_EOWNED:
		return "a tunnel, a sockmap or corked data has the socket: use one of your own";
	case KDTLS_EMAPPED:
		return "an IPv6 socket with an IPv4 peer: use an IPv4 socket";
	case KDTLS_ENOCIPHER:
		return "the kernel has not this cipher: load its module or choose another suite";
	case KDTLS_EHALF:
		return "the kernel took the socket but not its keys: close it and connect anew";
	case KDTLS_EVERSION:
		return "the session is not DTLS 1.2: allow no older version";
	case KDTLS_ESUITE:
		return "the suite is none of AES-GCM, AES-CCM, ChaCha20-Poly1305: choose another";
	case KDTLS_EHANDSHAKE:
		return "the handshake is not finished: finish it first";
	case KDTLS_ECLOSED:
		return "the session was shut down already: open a new one";
	case KDTLS_EEXTENSION:
		return "the session uses compression or a smaller record size: do not offer them";
	case KDTLS_ERENEGOTIATED:
		return "the session was renegotiated: open a new one";
	case KDTLS_EUNWATCHED:
		return "the session is not watched: call kdtls_*_watch() before the handshake";
	case KDTLS_ELATE:
		return "too late to watch the session: do it once, before the handshake";
	case KDTLS_EUNREAD:
		return "received data waits inside the session: read it, then try again";
	case KDTLS_EMISSED:
		return "too many records came in before the handshake ended: open a new session";
	case KDTLS_EKEYS:
		return "the keys do not fit the session's records: report this as a fault";
	case KDTLS_ERESTARTED:
		return "the peer started anew: accept its new association, close this one";
	case KDTLS_ENOHOST:
		return "no address is known for this host and port: check their names";
	case KDTLS_EUNSENT:
		return "data for the peer waits inside the session: send it, then try again";
	case KDTLS_ETURN:
		return "another process serves the port now: begin anew with that one";
	}
	return engine_error(err) ?: strerror(err);
}
