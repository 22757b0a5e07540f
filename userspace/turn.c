// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file lets processes follow each other on a port; see turn.h and kdtls_turn_take().
 *
 * At most two processes are on the port. The sockets of both form a group (SO_REUSEPORT),
 * in which the kernel numbers sockets in the order in which they were bound. So the older
 * process has socket 0 and the newer one socket 1. When the older one has gone, the socket
 * of the other one becomes socket 0. A BPF program chooses the socket for each datagram:
 * by the first byte of the connection ID, or else the newer process's.
 *
 * Locks on bytes of the file tell the processes apart. They end with their process,
 * however it ends:
 *
 *	0, 1	the process that has this byte in its connection IDs
 *	2	the newer process, until the older one has gone
 *
 * So nobody else comes to the port before the newer process has said that it is alone
 * there. Of a third socket nobody would know the number.
 */
#include "turn.h"
#include "driver.h"
#include "server_steer.h"
#include <errno.h>
#include <fcntl.h>
#include <kdtls/server.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEWER		2		/* the byte of the newer process */
#define SOCKETS_MAX	16
#define LOOK		250000		/* µs between two looks */
/*
 * The files of a process that is killed may be closed in any order. The port is this
 * process's when that process's lock was not there at two looks in a row.
 */
#define LOOKS		2

/**
 * struct kdtls_turn - the turn of this process
 * @fd:		the file, whose locks say who is on the port
 * @share:	the first byte of connection IDs of this process, 0 or 1
 * @beside:	the older process may be there
 * @over:	a newer process is there
 * @looks:	looks in a row that did not find the older process
 * @due:	the time of the next look
 * @count:	number of @sockets
 * @sockets:	the sockets of this process, each in a group of its own
 * @secret:	the secret that all processes have
 */
struct kdtls_turn {
	int fd;
	uint8_t share;
	bool beside;
	bool over;
	unsigned int looks;
	uint64_t due;
	unsigned int count;
	int sockets[SOCKETS_MAX];
	uint8_t secret[KDTLS_SECRET_SIZE];
};

/* ---- the file ---- */

/* Lock or unlock (F_WRLCK, F_UNLCK) a byte of the file, without waiting. */
static bool set_lock(const struct kdtls_turn *t, unsigned int byte, short type)
{
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1,
	};

	return !fcntl(t->fd, F_OFD_SETLK, &lock);
}

/* Return true if another process has locked a byte of the file. */
static bool is_locked(const struct kdtls_turn *t, unsigned int byte)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1,
	};

	return !fcntl(t->fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}

/* Read the secret, or make it if the file is new. The byte NEWER is locked. */
static int read_secret(struct kdtls_turn *t)
{
	ssize_t n = pread(t->fd, t->secret, sizeof(t->secret), 0);

	if (n == (ssize_t)sizeof(t->secret))
		return 0;
	if (n)
		return n < 0 ? -errno : -EINVAL;
	if (RAND_bytes(t->secret, sizeof(t->secret)) != 1)
		return -KDTLS_ECRYPTO;
	n = pwrite(t->fd, t->secret, sizeof(t->secret), 0);
	if (n == (ssize_t)sizeof(t->secret))
		return 0;
	n = n < 0 ? -errno : -ENOSPC;
	/* What was written of a secret would be taken for one that is damaged. */
	return ftruncate(t->fd, 0) ? -errno : (int)n;
}

/* Open the file, which nobody else may read or have made. Return 0 or -errno. */
static int open_file(struct kdtls_turn *t, const char *file)
{
	struct stat st;

	t->fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (t->fd < 0 || fstat(t->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return st.st_mode & 0077 || st.st_uid != geteuid() ? -EPERM : 0;
}

static int take_turn(struct kdtls_turn *t, const char *file)
{
	int err = open_file(t, file);

	if (err)
		return err;
	if (!set_lock(t, NEWER, F_WRLCK))
		return errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
	err = read_secret(t);
	if (err)
		return err;
	while (!set_lock(t, t->share, F_WRLCK))
		if (++t->share == TURN_SHARES)
			return -EBUSY;
	return 0;
}

/* ---- the sockets ---- */

/* Say to the kernel which datagrams are for the socket @fd. */
static int steer(const struct kdtls_turn *t, int fd)
{
	return t->beside ? steer_newer(fd, t->share) : steer_alone(fd);
}

uint8_t turn_share(const struct kdtls_turn *turn)
{
	return turn->share;
}

int turn_add(struct kdtls_turn *turn, int fd)
{
	int err;

	if (turn->count == SOCKETS_MAX)
		return -KDTLS_EUSAGE;
	err = steer(turn, fd);
	if (!err)
		turn->sockets[turn->count++] = fd;
	return err;
}

void turn_remove(struct kdtls_turn *turn, int fd)
{
	unsigned int i;

	for (i = 0; i < turn->count; i++)
		if (turn->sockets[i] == fd)
			turn->sockets[i--] = turn->sockets[--turn->count];
}

/* Return true if the lock of the older process was not there for long enough. */
static bool has_older_gone(struct kdtls_turn *t)
{
	t->looks = is_locked(t, !t->share) ? 0 : t->looks + 1;
	return t->looks >= LOOKS;
}

/*
 * The older process has gone: say so to the kernel, and then let a newer one come. If the
 * kernel has no memory for that, the next look tries it again.
 */
static void be_alone(struct kdtls_turn *t)
{
	unsigned int i;

	for (i = 0; i < t->count; i++)
		if (steer_alone(t->sockets[i]))
			return;
	t->beside = false;
	set_lock(t, NEWER, F_UNLCK);
}

void turn_look(struct kdtls_turn *turn, uint64_t now)
{
	if (now < turn->due)
		return;
	turn->due = now + LOOK;
	if (!turn->beside)
		turn->over = is_locked(turn, NEWER);
	else if (has_older_gone(turn))
		be_alone(turn);
}

uint64_t turn_due(const struct kdtls_turn *turn)
{
	return turn->due;
}

/* ---- the interface ---- */

int kdtls_turn_take(const char *file, struct kdtls_turn **turn)
{
	struct kdtls_turn *t = OPENSSL_zalloc(sizeof(*t));
	int err;

	if (!t)
		return -KDTLS_EMEMORY;
	t->beside = true;
	t->due = driver_now() + LOOK;
	err = take_turn(t, file);
	if (err)
		kdtls_turn_end(t);
	else
		*turn = t;
	return err;
}

const void *kdtls_turn_secret(const struct kdtls_turn *turn)
{
	return turn->secret;
}

bool kdtls_turn_is_over(const struct kdtls_turn *turn)
{
	return turn->over;
}

void kdtls_turn_end(struct kdtls_turn *turn)
{
	if (!turn)
		return;
	if (turn->fd >= 0)
		close(turn->fd);
	OPENSSL_clear_free(turn, sizeof(*turn));
}
