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
 *	3	the process that reads or writes the secret, for a moment
 *	4	the newer process as long as it serves on the port too, until the older
 *		one has gone
 *
 * So nobody else comes to the port before the newer process has said that it is alone
 * there. Of a third socket nobody would know the number.
 *
 * The file holds the secret of all these processes, struct dtls_secret, which forgets: each
 * process takes the keys of past tickets out of its copy, and writes that over the file. It
 * leaves those of the last two to three lives of a ticket, so that a process that begins can
 * open all tickets that are still good, whatever the time of the last writing.
 */
#include "turn.h"
#include "driver.h"
#include "engine/endpoint.h"
#include "server_steer.h"
#include <errno.h>
#include <fcntl.h>
#include <kdtls/server.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NEWER		2		/* the byte of the newer process */
#define SECRET		3		/* the byte of who reads or writes the secret */
#define PORT		4		/* the byte of the newer process that serves on the port */
#define SECRET_TRIES	1000		/* to lock that byte, a millisecond apart */
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
 * @serves:	this process has locked the byte PORT
 * @over:	a newer process has the port
 * @looks:	looks in a row that did not find the older process
 * @due:	the time of the next look
 * @count:	number of @sockets
 * @sockets:	the sockets of this process, each in a group of its own
 * @life:	seconds of life of tickets, the longest of the endpoints'; 0: not known
 * @stale:	the file holds more of the secret than @secret does
 * @secret:	the secret that all processes have, without what was forgotten
 */
struct kdtls_turn {
	int fd;
	uint8_t share;
	bool beside;
	bool serves;
	bool over;
	unsigned int looks;
	uint64_t due;
	unsigned int count;
	int sockets[SOCKETS_MAX];
	uint32_t life;
	bool stale;
	struct dtls_secret secret;
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

/* Let the byte PORT go, if this process has it. */
static void leave_port(struct kdtls_turn *t)
{
	if (t->serves)
		set_lock(t, PORT, F_UNLCK);
	t->serves = false;
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

/* Write the secret to the disk, over what is in the file. Return 0 or -errno. */
static int write_secret(const struct kdtls_turn *t)
{
	ssize_t n = pwrite(t->fd, &t->secret, sizeof(t->secret), 0);

	if (n != (ssize_t)sizeof(t->secret))
		return n < 0 ? -errno : -ENOSPC;
	return fdatasync(t->fd) ? -errno : 0;
}

/* Make a secret, and write it to the file. */
static int make_secret(struct kdtls_turn *t)
{
	uint8_t random[DTLS_TREE_NODE_SIZE];
	int err = -KDTLS_ECRYPTO;

	if (RAND_bytes(random, sizeof(random)) == 1 &&
	    dtls_secret_make(&t->secret, random) &&
	    dtls_secret_age(&t->secret, DTLS_SESSION_LIFE_MAX, time(NULL)))
		err = write_secret(t);
	OPENSSL_cleanse(random, sizeof(random));
	/* What was written of a secret would be taken for one that is damaged. */
	return err && ftruncate(t->fd, 0) ? -errno : err;
}

/*
 * Return true if the secret has forgotten the present, as the clock went back far, and no
 * other process has it.
 */
static bool is_useless(const struct kdtls_turn *t)
{
	return (int64_t)t->secret.tickets.least > time(NULL) &&
	       !is_locked(t, 0) && !is_locked(t, 1);
}

/* Read the secret, or make it if the file is new. The byte SECRET is locked. */
static int read_secret(struct kdtls_turn *t)
{
	ssize_t n = pread(t->fd, &t->secret, sizeof(t->secret), 0);

	if (n < 0)
		return -errno;
	if (n && (n != (ssize_t)sizeof(t->secret) || !dtls_secret_valid(&t->secret)))
		return -EINVAL;
	return !n || is_useless(t) ? make_secret(t) : 0;
}

/* Get the secret. The byte NEWER is locked. */
static int get_secret(struct kdtls_turn *t)
{
	unsigned int tries = 0;
	int err;

	/* The older process may write just now, or may have been stopped when it did. */
	while (!set_lock(t, SECRET, F_WRLCK)) {
		if (errno != EACCES && errno != EAGAIN)
			return -errno;
		if (++tries == SECRET_TRIES)
			return -EBUSY;
		usleep(1000);
	}
	err = read_secret(t);
	set_lock(t, SECRET, F_UNLCK);
	return err;
}

/* Return true if the other process has written a secret that has forgotten more. */
static bool is_behind(const struct kdtls_turn *t)
{
	struct dtls_secret s;
	bool behind;

	behind = pread(t->fd, &s, sizeof(s), 0) == (ssize_t)sizeof(s) &&
		 dtls_secret_valid(&s) &&
		 !memcmp(s.cookies, t->secret.cookies, sizeof(s.cookies)) &&
		 s.tickets.least > t->secret.tickets.least;
	OPENSSL_cleanse(&s, sizeof(s));
	return behind;
}

/*
 * Write the secret if the file holds more. If that fails, the next look tries it again. A
 * process that was stopped for long, before it had the lock, writes nothing.
 */
static void refresh_file(struct kdtls_turn *t)
{
	if (!t->stale || !set_lock(t, SECRET, F_WRLCK))
		return;
	t->stale = !is_behind(t) && write_secret(t);
	set_lock(t, SECRET, F_UNLCK);
}

/* Forget what no ticket needs that is still good, once in the life of a ticket. */
static void forget_past(struct kdtls_turn *t)
{
	int64_t now = time(NULL);

	if (!t->life || now - (int64_t)t->secret.tickets.least <= 3 * (int64_t)t->life)
		return;
	if (dtls_secret_age(&t->secret, t->life, now))
		t->stale = true;
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
	err = get_secret(t);
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
	if (!turn->count)
		leave_port(turn);
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
	leave_port(t);
	set_lock(t, NEWER, F_UNLCK);
}

void turn_look(struct kdtls_turn *turn, uint64_t now)
{
	/*
	 * Until its first look the process may have loaded certificates, waited for a
	 * passphrase, or failed to make one of its servers, and the older one has served
	 * on. If the lock cannot be had, the next look tries it again.
	 */
	if (turn->beside && turn->count && !turn->serves)
		turn->serves = set_lock(turn, PORT, F_WRLCK);
	if (now < turn->due)
		return;
	turn->due = now + LOOK;
	forget_past(turn);
	refresh_file(turn);
	if (!turn->beside)
		turn->over = is_locked(turn, PORT);
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

int kdtls_turn_use_secret(struct kdtls_turn *turn, struct kdtls_endpoint *endpoint)
{
	if (endpoint->tickets.life > turn->life)
		turn->life = endpoint->tickets.life;
	forget_past(turn);
	refresh_file(turn);
	return dtls_endpoint_share(endpoint, &turn->secret);
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
