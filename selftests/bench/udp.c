// SPDX-License-Identifier: GPL-2.0
/* UDP, plain or with the records made in the kernel; see bench.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "bench.h"
#include "../common.h"

static char out[BATCH * 2048], in[BATCH * 2048];
static struct iovec out_iov[BATCH], in_iov[BATCH];
static struct mmsghdr out_msg[BATCH], in_msg[BATCH];

static bool prepare(struct ends *e)
{
	int size = e->size, on = 1, i;

	for (i = 0; i < BATCH; i++) {
		out_iov[i] = (struct iovec){ out + i * size, size };
		in_iov[i] = (struct iovec){ in + i * 2048, 2048 };
		out_msg[i].msg_hdr = (struct msghdr){ .msg_iov = &out_iov[i],
						      .msg_iovlen = 1 };
		in_msg[i].msg_hdr = (struct msghdr){ .msg_iov = &in_iov[i],
						     .msg_iovlen = 1 };
	}
	if (e->row->batch >= GSO &&
	    setsockopt(e->tx, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)))
		return false;
	return e->row->batch != GSO_GRO ||
	       !setsockopt(e->rx, SOL_UDP, UDP_GRO, &on, sizeof(on));
}

bool udp_open(struct ends *e)
{
	return open_pair(e, SOCK_DGRAM) && prepare(e);
}

bool ours_attach(struct ends *e)
{
	return !dtls_attach(e->tx) && !dtls_attach(e->rx);
}

bool ours_keys(struct ends *e)
{
	__u16 cipher = e->row->v13 ? V13(e->cipher) : e->cipher;
	__u64 epoch = nth_epoch(cipher, 1);
	struct peer_key to, back;

	peer_key_init(&to, cipher, epoch, 0, 1);
	peer_key_init(&back, cipher, epoch, 0, 2);
	return !dtls_set_key(e->tx, DTLS_TX, &to) &&
	       !dtls_set_key(e->tx, DTLS_RX, &back) &&
	       !dtls_set_key(e->rx, DTLS_TX, &back) &&
	       !dtls_set_key(e->rx, DTLS_RX, &to);
}

bool ours_open(struct ends *e)
{
	return open_pair(e, SOCK_DGRAM) && ours_attach(e) && ours_keys(e) &&
	       prepare(e);
}

bool udp_send(struct ends *e, unsigned int n)
{
	size_t all = BATCH * e->size;

	if (e->row->batch == ONE) {
		while (n--)
			if (send(e->tx, out, e->size, 0) < 0)
				return false;
		return true;
	}
	for (; n; n -= BATCH) {
		if (e->row->batch == MMSG ?
		    sendmmsg(e->tx, out_msg, BATCH, 0) != BATCH :
		    send(e->tx, out, all, 0) != (ssize_t)all)
			return false;
	}
	return true;
}

/* Records in what one recvmsg with UDP_GRO gave, 0 on errors */
static unsigned int recv_coalesced(struct ends *e)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { in, sizeof(in) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	ssize_t len = recvmsg(e->rx, &msg, 0);

	return len > 0 ? len / e->size : 0;
}

bool udp_recv(struct ends *e, unsigned int n)
{
	int got;

	for (; n; n -= got) {
		switch (e->row->batch) {
		case ONE:
			got = recv(e->rx, in, 2048, 0) == (ssize_t)e->size;
			break;
		case MMSG:
		case GSO:
			got = recvmmsg(e->rx, in_msg, n < BATCH ? n : BATCH, 0,
				       NULL);
			break;
		default:
			got = recv_coalesced(e);
		}
		if (got <= 0)
			return false;
	}
	return true;
}
