// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file has the BPF programs that choose one of several sockets on a port for each
 * datagram; see server_steer.h. If the number that a program returns is none of a socket,
 * the kernel chooses one by the addresses of the datagram. A program returns 0 for a
 * datagram that is too short for what the program reads.
 */
#include "server_steer.h"
#include <errno.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include "record.h"

/*
 * The connection ID in a record of DTLS 1.2 stands behind type, version, epoch and
 * number (RFC 9146 4).
 */
#define DTLS12_CID_OFFSET	11

#define NO_SOCKET		UINT32_MAX

/*
 * The first instructions of a program: load the first byte of the connection ID and go on
 * behind these; or skip @other instructions there if the datagram does not begin with a
 * connection ID. A record with a connection ID is of the type tls12_cid (RFC 9146 4) or has
 * a unified header with the bit C (RFC 9147 4).
 */
#define LOAD_CID(other)							\
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),				\
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DTLS_CT_TLS12_CID, 0, 2),	\
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, DTLS12_CID_OFFSET),		\
	BPF_STMT(BPF_JMP | BPF_JA, 3),					\
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K,				\
		 DTLS_UNIFIED_FIXED | DTLS_UNIFIED_CID),		\
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,				\
		 DTLS_UNIFIED | DTLS_UNIFIED_CID, 0, 1 + (other)),	\
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 1)

static int attach(int fd, struct sock_filter *code, unsigned short len)
{
	struct sock_fprog program = { .len = len, .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
			  sizeof(program)) ? -errno : 0;
}

int steer_by_cid(int fd)
{
	struct sock_filter code[] = {
		LOAD_CID(1),
		BPF_STMT(BPF_RET | BPF_A, 0),
		BPF_STMT(BPF_RET | BPF_K, NO_SOCKET),
	};

	return attach(fd, code, sizeof(code) / sizeof(code[0]));
}

int steer_newer(int fd, uint8_t share)
{
	struct sock_filter code[] = {
		LOAD_CID(1),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, share, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return attach(fd, code, sizeof(code) / sizeof(code[0]));
}

int steer_alone(int fd)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 0) };

	return attach(fd, code, sizeof(code) / sizeof(code[0]));
}

void steer_no_more(int fd)
{
	int none = 0;

	setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &none, sizeof(none));
}
