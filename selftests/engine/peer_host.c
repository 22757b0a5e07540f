// SPDX-License-Identifier: GPL-2.0
/* The process that has the libraries of a peer; see remote.h. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "remote.h"

static struct peer *peer;

static void open_peer(struct remote *r)
{
	const char **strings[] = REMOTE_STRINGS(&r->options);
	size_t i;

	/* Nothing is at 0: that stands for no string. */
	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		if (*strings[i])
			*strings[i] = r->text + (size_t)*strings[i];
	r->options.in = &r->in;
	r->options.out = &r->out;
	peer = peer_wolfssl.open(&r->options);
	r->result = !!peer;
}

static void serve(struct remote *r)
{
	const struct peer_ops *ops = &peer_wolfssl;
	char label[REMOTE_LABEL];
	const char *text;

	switch (r->op) {
	case REMOTE_VERSION:
		snprintf((char *)r->data, sizeof(r->data), "%s",
			 ops->version());
		break;
	case REMOTE_SPEAKS:
		r->result = ops->speaks((u16)r->argument);
		break;
	case REMOTE_OPEN:
		open_peer(r);
		break;
	case REMOTE_START:
		r->result = ops->start(peer, r->argument);
		break;
	case REMOTE_STEP:
		r->result = ops->step(peer);
		break;
	case REMOTE_SEND:
		r->result = ops->send(peer, r->data, r->len);
		break;
	case REMOTE_RECEIVE:
		r->result = (int)ops->receive(peer, r->data, r->len);
		break;
	case REMOTE_GAVE_UP:
		r->result = ops->gave_up(peer);
		break;
	case REMOTE_RESUMED:
		r->result = ops->resumed(peer);
		break;
	case REMOTE_EXPORT:
		memcpy(label, r->data, sizeof(label));
		r->result = ops->export(peer, label, r->data, r->len);
		break;
	case REMOTE_ALPN:
		r->result = (int)ops->alpn(peer, &text);
		memcpy(r->data, text, (size_t)r->result);
		break;
	case REMOTE_UPDATE:
		r->result = ops->update(peer);
		break;
	case REMOTE_STOP:
		ops->stop(peer);
		break;
	}
}

int main(void)
{
	struct remote *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE,
				MAP_SHARED, REMOTE_FD, 0);
	char turn;

	if (r == MAP_FAILED)
		return 1;
	while (read(REMOTE_TURNS, &turn, 1) == 1) {
		serve(r);
		if (write(REMOTE_TURNS, &turn, 1) != 1)
			return 1;
	}
	return 0;
}
