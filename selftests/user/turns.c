// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that follow each other on a port: see kdtls_turn_take(). Each is a process of
 * its own, with a letter, which sends back every record behind that letter. The clients are
 * this program's. Loopback loses nothing, and no record is sent twice: a record without
 * an answer was lost by the processes. The program turns has the processes' records in user
 * space, turns_kernel has them in the kernel.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <kdtls/server.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "harness.h"

struct dtls_secret;

#define CLIENTS_MAX	60
#define SOME		20		/* clients that come together */
#define SOON		60000		/* ms, on the slowest machine */
#define LOOKED		1500		/* ms, in which a process looks for others often */
#define RECORD		64
#define PORT		4433

#ifdef KERNEL_PATH
#define PATH		KDTLS_PATH_KERNEL
#else
#define PATH		KDTLS_PATH_USER
#endif

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

/* The last session that a server has given a client */
static uint8_t session[4096];
static size_t session_len;

static void take_session(void *ctx, const uint8_t *data, size_t len)
{
	(void)ctx;
	session_len = len < sizeof(session) ? len : 0;
	memcpy(session, data, session_len);
}

/* How often the process 'A' has asked an engine for its state; all processes share it */
static unsigned int *looks;
static bool counts;

void __real_kdtls_engine_info(const struct kdtls_engine *engine, struct kdtls_info *info);
void __wrap_kdtls_engine_info(const struct kdtls_engine *engine, struct kdtls_info *info);

void __wrap_kdtls_engine_info(const struct kdtls_engine *engine, struct kdtls_info *info)
{
	if (counts)
		__atomic_fetch_add(looks, 1, __ATOMIC_RELAXED);
	__real_kdtls_engine_info(engine, info);
}

/* Whether the process 'A' stops each time when it has forgotten; all processes share it */
static bool *stops;

bool __real_dtls_secret_age(struct dtls_secret *s, uint32_t life, int64_t now);
bool __wrap_dtls_secret_age(struct dtls_secret *s, uint32_t life, int64_t now);

bool __wrap_dtls_secret_age(struct dtls_secret *s, uint32_t life, int64_t now)
{
	bool ok = __real_dtls_secret_age(s, life, now);

	if (counts && __atomic_load_n(stops, __ATOMIC_RELAXED))
		raise(SIGSTOP);
	return ok;
}

static unsigned int looked_up(void)
{
	return __atomic_load_n(looks, __ATOMIC_RELAXED);
}

static void (*attaching)(void *arg);	/* called for the next attachment, which fails then */
static void *attaching_arg;

int __real_server_kernel_attach(struct kdtls_server *server);
int __wrap_server_kernel_attach(struct kdtls_server *server);

int __wrap_server_kernel_attach(struct kdtls_server *server)
{
	void (*call)(void *arg) = attaching;

	if (!call)
		return __real_server_kernel_attach(server);
	attaching = NULL;
	call(attaching_arg);
	return -KDTLS_ENOMODULE;
}

FIXTURE(turns)
{
	char folder[32];
	char file[48];			/* by which the processes take turns */
	struct sockaddr_in at;
	struct kdtls_config config;
	struct kdtls_endpoint *endpoint;	/* the clients' */
	struct kdtls_socket *c[CLIENTS_MAX];
	unsigned int sent[CLIENTS_MAX];	/* records */
	unsigned int clients;
	pid_t process[26];		/* by letter */
	int ready[26];			/* readable when the process serves */
};

FIXTURE_VARIANT(turns)
{
	uint16_t version;
};

FIXTURE_VARIANT_ADD(turns, dtls12) {
	.version = DTLS_VERSION_1_2,
};

FIXTURE_VARIANT_ADD(turns, dtls13) {
	.version = DTLS_VERSION_1_3,
};

FIXTURE_SETUP(turns)
{
	struct kdtls_config *c = &self->config;

	signal(SIGPIPE, SIG_IGN);
	session_len = 0;
	looks = mmap(NULL, sizeof(*looks), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, looks);
	stops = mmap(NULL, sizeof(*stops), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, stops);
	strcpy(self->folder, "/tmp/turns.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->folder));
	snprintf(self->file, sizeof(self->file), "%s/port", self->folder);
	/* An address of loopback that is this process's alone */
	self->at.sin_family = AF_INET;
	self->at.sin_port = htons(PORT);
	self->at.sin_addr.s_addr = htonl(0x7f400000 | (getpid() & 0x3fffff));
	kdtls_socket_config(c);
	c->version_min = variant->version;
	c->version_max = variant->version;
	c->flags |= KDTLS_CID;
	ASSERT_EQ(0, kdtls_endpoint_new(c, &self->endpoint));
	ASSERT_EQ(0, kdtls_use_psk(self->endpoint, "me", "0123456789abcdef", 16));
}

static void kill_process(struct _test_data_turns *self, char letter)
{
	pid_t *pid = &self->process[letter - 'A'];

	if (!*pid)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

FIXTURE_TEARDOWN(turns)
{
	unsigned int i;
	char letter;

	for (i = 0; i < self->clients; i++)
		kdtls_close(self->c[i]);
	for (letter = 'A'; letter <= 'Z'; letter++)
		kill_process(self, letter);
	kdtls_endpoint_free(self->endpoint);
	unlink(self->file);
	rmdir(self->folder);
}

/* ---- a process ---- */

/* Send back the records of @m behind the letter. */
static void answer(struct kdtls_server *server, const struct kdtls_message *m, ssize_t n,
		   char letter)
{
	struct kdtls_message reply;
	char text[RECORD + 1];
	ssize_t i;

	for (i = 0; i < n; i++) {
		if (m[i].news != KDTLS_NEWS_DATA || m[i].len > RECORD)
			continue;
		text[0] = letter;
		memcpy(text + 1, m[i].data, m[i].len);
		reply = (struct kdtls_message){
			.client = m[i].client, .data = text, .len = m[i].len + 1,
		};
		kdtls_server_send(server, &reply, 1);
	}
}

static void must(int err)
{
	if (!err)
		return;
	fprintf(stderr, "# a process: %s\n", kdtls_strerror(err));
	_exit(2);
}

/* Make a server on the port. */
static int serve(const struct _test_data_turns *self, struct kdtls_endpoint *endpoint,
		 const struct kdtls_server_options *options, struct kdtls_server **server)
{
	char host[INET_ADDRSTRLEN], port[8];

	inet_ntop(AF_INET, &self->at.sin_addr, host, sizeof(host));
	snprintf(port, sizeof(port), "%u", PORT);
	return kdtls_server_on(endpoint, host, port, options, server);
}

/* Wait for the turn, and serve until it is over and the last client has left. */
__attribute__((noreturn))
static void run_process(const struct _test_data_turns *self, char letter, int ready)
{
	struct kdtls_server_options options = { .path = PATH, .cid_len = 8 };
	struct kdtls_config config = self->config;
	struct kdtls_server_info info = { 0 };
	struct kdtls_endpoint *endpoint;
	struct kdtls_message m[16];
	struct kdtls_server *server;
	ssize_t n;
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	counts = letter == 'A';
	while ((err = kdtls_turn_take(self->file, &options.turn)) == -EBUSY)
		usleep(10000);
	must(err);
	must(kdtls_endpoint_new(&config, &endpoint));
	must(kdtls_use_psk(endpoint, "me", "0123456789abcdef", 16));
	must(kdtls_turn_use_secret(options.turn, endpoint));
	must(serve(self, endpoint, &options, &server));
	if (write(ready, "", 1) != 1)
		_exit(1);
	while (info.clients || !kdtls_turn_is_over(options.turn)) {
		n = kdtls_server_recv(server, m, 16, 1000);
		answer(server, m, n, letter);
		kdtls_server_get_info(server, &info);
	}
	kdtls_server_close(server);
	kdtls_turn_end(options.turn);
	kdtls_endpoint_free(endpoint);
	_exit(0);
}

/* Start a process, which waits for its turn. */
static void start(struct __test_metadata *_metadata, struct _test_data_turns *self,
		  char letter)
{
	int i = letter - 'A', ready[2];

	ASSERT_EQ(0, pipe(ready));
	self->process[i] = fork();
	ASSERT_LE(0, self->process[i]);
	if (!self->process[i]) {
		close(ready[0]);
		run_process(self, letter, ready[1]);
	}
	close(ready[1]);
	self->ready[i] = ready[0];
}

static bool serves(const struct _test_data_turns *self, char letter, int wait)
{
	struct pollfd p = { .fd = self->ready[letter - 'A'], .events = POLLIN };

	return poll(&p, 1, wait) == 1 && p.revents & POLLIN;
}

static bool has_gone(struct _test_data_turns *self, char letter)
{
	pid_t *pid = &self->process[letter - 'A'];
	int status;

	if (!*pid || waitpid(*pid, &status, WNOHANG) != *pid)
		return !*pid;
	*pid = 0;
	return true;
}

/* ---- clients ---- */

/* Return true if all clients from @first on have finished their handshakes. */
static bool shaken(const struct _test_data_turns *self, unsigned int first)
{
	bool all = true;
	unsigned int i;

	for (i = first; i < self->clients; i++)
		all &= !kdtls_process(self->c[i]);
	return all;
}

/* Let so many more clients come. Return the number of the first. */
static unsigned int come(struct __test_metadata *_metadata, struct _test_data_turns *self,
			 unsigned int count, struct kdtls_endpoint *endpoint)
{
	struct kdtls_socket_options options = {
		.path = KDTLS_PATH_USER,
		.session = session_len ? session : NULL,
		.session_len = session_len,
	};
	unsigned int first = self->clients;
	uint64_t end = now_ms() + SOON;
	int fd;

	while (count--) {
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		ASSERT_EQ(0, connect(fd, (struct sockaddr *)&self->at,
				     sizeof(self->at)));
		ASSERT_EQ(-EINPROGRESS, kdtls_connect(endpoint, fd, &options, 0,
						      &self->c[self->clients]));
		self->sent[self->clients++] = 0;
	}
	while (!shaken(self, first) && now_ms() < end)
		usleep(1000);
	ASSERT_TRUE(shaken(self, first));
	return first;
}

static void leave(struct _test_data_turns *self, unsigned int first, unsigned int count)
{
	unsigned int i;

	for (i = first; i < first + count; i++) {
		kdtls_close(self->c[i]);
		self->c[i] = NULL;
	}
}

/* Wait for a record. Return its bytes, 0 at the end of file, or a negative error. */
static ssize_t wait_for(struct kdtls_socket *s, char *text, size_t size)
{
	struct pollfd p = { .fd = kdtls_fd(s), .events = POLLIN };
	uint64_t end = now_ms() + SOON;
	ssize_t n;

	while ((n = kdtls_recv(s, text, size)) == -EAGAIN && now_ms() < end)
		poll(&p, 1, 10);
	return n;
}

/* Let each of these clients send a record, which the process @letter has to answer. */
static void talk(struct __test_metadata *_metadata, struct _test_data_turns *self,
		 unsigned int first, unsigned int count, char letter)
{
	char text[RECORD], want[RECORD];
	unsigned int i;
	int len;

	for (i = first; i < first + count; i++) {
		len = snprintf(text, sizeof(text), "client %u, record %u", i,
			       ++self->sent[i]);
		ASSERT_EQ(len, kdtls_send(self->c[i], text, len));
	}
	for (i = first; i < first + count; i++) {
		len = snprintf(want, sizeof(want), "%cclient %u, record %u", letter, i,
			       self->sent[i]);
		ASSERT_EQ(len, wait_for(self->c[i], text, sizeof(text)));
		ASSERT_EQ(0, memcmp(want, text, len));
	}
}

/* Start the process @letter, and let the clients of another one talk until it serves. */
static void start_beside(struct __test_metadata *_metadata, struct _test_data_turns *self,
			 char letter, unsigned int first, char other)
{
	uint64_t end = now_ms() + SOON;
	unsigned int i;

	start(_metadata, self, letter);
	while (!serves(self, letter, 0)) {
		ASSERT_GT(end, now_ms());
		talk(_metadata, self, first, SOME, other);
	}
	for (i = 0; i < 10; i++)
		talk(_metadata, self, first, SOME, other);
}

static void start_alone(struct __test_metadata *_metadata, struct _test_data_turns *self)
{
	start(_metadata, self, 'A');
	ASSERT_TRUE(serves(self, 'A', SOON));
}

/* ---- tests ---- */

TEST_F(turns, no_record_is_lost_when_processes_follow_each_other)
{
	unsigned int old, new;
	uint64_t end;
	char letter;

	start_alone(_metadata, self);
	old = come(_metadata, self, SOME, self->endpoint);
	for (letter = 'A'; letter < 'E'; letter++) {
		start_beside(_metadata, self, letter + 1, old, letter);
		self->clients = letter % 2 ? SOME : 0;
		new = come(_metadata, self, SOME, self->endpoint);
		talk(_metadata, self, old, SOME, letter);
		talk(_metadata, self, new, SOME, letter + 1);
		leave(self, old, SOME);
		end = now_ms() + SOON;
		while (!has_gone(self, letter)) {
			ASSERT_GT(end, now_ms());
			talk(_metadata, self, new, SOME, letter + 1);
		}
		old = new;
	}
	self->clients = 2 * SOME;
}

TEST_F(turns, a_client_without_a_connection_id_is_told_goodbye_and_comes_again)
{
	struct kdtls_config config = self->config;
	struct kdtls_endpoint *plain;
	unsigned int old;
	char text[RECORD];

	config.flags &= ~KDTLS_CID;
	ASSERT_EQ(0, kdtls_endpoint_new(&config, &plain));
	ASSERT_EQ(0, kdtls_use_psk(plain, "me", "0123456789abcdef", 16));
	start_alone(_metadata, self);
	old = come(_metadata, self, 1, plain);
	talk(_metadata, self, old, 1, 'A');
	start(_metadata, self, 'B');
	ASSERT_TRUE(serves(self, 'B', SOON));
	EXPECT_EQ(0, wait_for(self->c[old], text, sizeof(text)));
	leave(self, old, 1);
	old = come(_metadata, self, 1, plain);
	talk(_metadata, self, old, 1, 'B');
	kdtls_endpoint_free(plain);
}

/* Make an endpoint for clients that keep their sessions. */
static struct kdtls_endpoint *keeper(struct __test_metadata *_metadata,
				     struct _test_data_turns *self)
{
	struct kdtls_config config = self->config;
	struct kdtls_endpoint *ep = NULL;

	config.ops.session = take_session;
	ASSERT_EQ(0, kdtls_endpoint_new(&config, &ep));
	ASSERT_EQ(0, kdtls_use_psk(ep, "me", "0123456789abcdef", 16));
	return ep;
}

/* Let one client come, and talk to the process @letter. Return true if it resumed. */
static bool resumes(struct __test_metadata *_metadata, struct _test_data_turns *self,
		    struct kdtls_endpoint *ep, char letter)
{
	unsigned int i = come(_metadata, self, 1, ep);
	struct kdtls_info info;

	talk(_metadata, self, i, 1, letter);
	EXPECT_NE(0, session_len);
	kdtls_engine_info(kdtls_engine(self->c[i]), &info);
	leave(self, i, 1);
	return info.resumed;
}

TEST_F(turns, a_session_is_resumed_by_later_processes)
{
	struct kdtls_endpoint *ep = keeper(_metadata, self);

	start_alone(_metadata, self);
	EXPECT_FALSE(resumes(_metadata, self, ep, 'A'));
	EXPECT_TRUE(resumes(_metadata, self, ep, 'A'));
	start(_metadata, self, 'B');
	ASSERT_TRUE(serves(self, 'B', SOON));
	EXPECT_TRUE(resumes(_metadata, self, ep, 'B'));
	/* The next one finds nobody there, and has the secret out of the file. */
	kill_process(self, 'A');
	kill_process(self, 'B');
	start(_metadata, self, 'C');
	ASSERT_TRUE(serves(self, 'C', SOON));
	EXPECT_TRUE(resumes(_metadata, self, ep, 'C'));
	kdtls_endpoint_free(ep);
}

/* Return the bytes of the file, which fit in @size. */
static ssize_t read_secret(const struct _test_data_turns *self, uint8_t *buf, size_t size)
{
	int fd = open(self->file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size);

	if (fd >= 0)
		close(fd);
	return n;
}

TEST_F(turns, the_file_forgets_the_secret_of_the_past)
{
	uint8_t before[4096], after[4096];
	uint64_t end = now_ms() + SOON;
	ssize_t n;

	self->config.ticket_life = 1;
	start_alone(_metadata, self);
	n = read_secret(self, before, sizeof(before));
	ASSERT_LE(KDTLS_SECRET_SIZE, n);
	do {
		usleep(100000);
		ASSERT_EQ(n, read_secret(self, after, sizeof(after)));
	} while (!memcmp(before, after, n) && now_ms() < end);
	EXPECT_NE(0, memcmp(before, after, n));
	/* So does one that finds a file that was left long ago. */
	kill_process(self, 'A');
	ASSERT_EQ(n, read_secret(self, before, sizeof(before)));
	sleep(4);
	start(_metadata, self, 'B');
	ASSERT_TRUE(serves(self, 'B', SOON));
	ASSERT_EQ(n, read_secret(self, after, sizeof(after)));
	EXPECT_NE(0, memcmp(before, after, n));
}

/* Wait until the process 'A', which has been sent no signal, has stopped. */
static void wait_stopped(struct __test_metadata *_metadata,
			 const struct _test_data_turns *self)
{
	int status;

	ASSERT_EQ(self->process[0], waitpid(self->process[0], &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
}

/* A process is stopped when it has forgotten, and before it has written that to the file. */
TEST_F(turns, a_process_that_was_stopped_gives_the_file_no_past_back)
{
	uint8_t before[4096], after[4096];
	uint64_t end = now_ms() + SOON;
	ssize_t n;
	int i;

	self->config.ticket_life = 1;
	start_alone(_metadata, self);
	/* The process 'A' stays for this client. */
	come(_metadata, self, 1, self->endpoint);
	start(_metadata, self, 'B');
	ASSERT_TRUE(serves(self, 'B', SOON));
	__atomic_store_n(stops, true, __ATOMIC_RELAXED);
	wait_stopped(_metadata, self);
	/* What the process 'B' has forgotten before its second writing is more. */
	for (i = 0; i < 2; i++) {
		n = read_secret(self, before, sizeof(before));
		ASSERT_LE(KDTLS_SECRET_SIZE, n);
		do {
			ASSERT_GT(end, now_ms());
			usleep(100000);
			ASSERT_EQ(n, read_secret(self, after, sizeof(after)));
		} while (!memcmp(before, after, n));
	}
	kill_process(self, 'B');
	ASSERT_EQ(n, read_secret(self, before, sizeof(before)));
	/* The process writes now, and then comes to its next look. */
	ASSERT_EQ(0, kill(self->process[0], SIGCONT));
	wait_stopped(_metadata, self);
	ASSERT_EQ(n, read_secret(self, after, sizeof(after)));
	EXPECT_EQ(0, memcmp(before, after, n));
}

TEST_F(turns, a_third_process_is_refused_until_the_first_has_gone)
{
	struct kdtls_turn *turn = NULL;
	unsigned int old;
	uint64_t end;

	start_alone(_metadata, self);
	old = come(_metadata, self, SOME, self->endpoint);
	start_beside(_metadata, self, 'B', old, 'A');
	EXPECT_EQ(-EBUSY, kdtls_turn_take(self->file, &turn));
	start(_metadata, self, 'C');
	EXPECT_FALSE(serves(self, 'C', 1000));
	talk(_metadata, self, old, SOME, 'A');
	leave(self, old, SOME);
	EXPECT_TRUE(serves(self, 'C', SOON));
	/* The process ends its turn, and then ends. */
	end = now_ms() + SOON;
	while (!has_gone(self, 'A'))
		ASSERT_GT(end, now_ms());
}

TEST_F(turns, the_older_process_serves_on_if_the_newer_one_dies)
{
	unsigned int old, new;

	start_alone(_metadata, self);
	old = come(_metadata, self, SOME, self->endpoint);
	start_beside(_metadata, self, 'B', old, 'A');
	kill_process(self, 'B');
	talk(_metadata, self, old, SOME, 'A');
	new = come(_metadata, self, SOME, self->endpoint);
	talk(_metadata, self, new, SOME, 'A');
	/* The next process takes over from the first one again. */
	start_beside(_metadata, self, 'C', old, 'A');
	new = come(_metadata, self, SOME, self->endpoint);
	talk(_metadata, self, new, SOME, 'C');
	talk(_metadata, self, old, SOME, 'A');
}

/* Take the turn in this process, after an older one has had a moment to begin. */
static struct kdtls_turn *take_turn(struct __test_metadata *_metadata,
				    const struct _test_data_turns *self)
{
	uint64_t end = now_ms() + SOON;
	struct kdtls_turn *turn = NULL;
	int err;

	while ((err = kdtls_turn_take(self->file, &turn)) == -EBUSY && now_ms() < end)
		usleep(10000);
	EXPECT_EQ(0, err);
	return turn;
}

/* A process that takes its turn may have much to do before it has the port, or fail. */
TEST_F(turns, the_older_process_has_the_port_until_the_newer_one_has_it)
{
	struct kdtls_config config = self->config;
	struct kdtls_endpoint *plain;
	struct kdtls_turn *turn;
	unsigned int old, new;
	uint64_t end;

	config.flags &= ~KDTLS_CID;
	ASSERT_EQ(0, kdtls_endpoint_new(&config, &plain));
	ASSERT_EQ(0, kdtls_use_psk(plain, "me", "0123456789abcdef", 16));
	start_alone(_metadata, self);
	old = come(_metadata, self, 1, plain);
	turn = take_turn(_metadata, self);
	ASSERT_NE(NULL, turn);
	for (end = now_ms() + LOOKED; now_ms() < end; usleep(10000))
		talk(_metadata, self, old, 1, 'A');
	new = come(_metadata, self, SOME, self->endpoint);
	talk(_metadata, self, new, SOME, 'A');
	kdtls_turn_end(turn);
	/* The process 'A' stays although nobody is left. */
	leave(self, old, 1 + SOME);
	EXPECT_FALSE(has_gone(self, 'A'));
	new = come(_metadata, self, 1, plain);
	talk(_metadata, self, new, 1, 'A');
	kdtls_endpoint_free(plain);
}

/* A server of this process that is the older one of two, and what its turn says */
struct older {
	struct kdtls_turn *turn;
	struct kdtls_server *server;
	unsigned int seen;		/* calls of see_older() */
	bool over;
};

/* Let the older server look whether its turn is over, at least once. */
static void see_older(void *arg)
{
	struct older *o = arg;
	struct kdtls_message m;

	kdtls_server_recv(o->server, &m, 1, LOOKED);
	o->over = kdtls_turn_is_over(o->turn);
	o->seen++;
}

/*
 * Both servers are this process's. Each has opened the file of turns by itself, so the locks
 * of one are another process's for the other.
 */
TEST_F(turns, the_older_process_has_the_port_until_the_newer_one_receives)
{
	struct kdtls_server_options options = { .path = PATH, .cid_len = 8 };
	struct kdtls_turn *turn = NULL;
	struct kdtls_server *server;
	struct older older = { 0 };
	struct kdtls_message m;
	int err;

	ASSERT_EQ(0, kdtls_turn_take(self->file, &older.turn));
	options.turn = older.turn;
	ASSERT_EQ(0, serve(self, self->endpoint, &options, &older.server));
	do {
		see_older(&older);
		err = kdtls_turn_take(self->file, &turn);
	} while (err == -EBUSY && older.seen < SOON / LOOKED);
	ASSERT_EQ(0, err);
	older.seen = 0;
	attaching = see_older;
	attaching_arg = &older;
	options.turn = turn;
	options.path = KDTLS_PATH_KERNEL;
	EXPECT_EQ(-KDTLS_ENOMODULE, serve(self, self->endpoint, &options, &server));
	EXPECT_EQ(1, older.seen);
	EXPECT_FALSE(older.over);
	options.path = PATH;
	ASSERT_EQ(0, serve(self, self->endpoint, &options, &server));
	see_older(&older);
	EXPECT_FALSE(older.over);
	kdtls_server_recv(server, &m, 1, 0);
	see_older(&older);
	EXPECT_TRUE(older.over);
	kdtls_server_close(server);
	kdtls_turn_end(turn);
	kdtls_server_close(older.server);
	kdtls_turn_end(older.turn);
}

/* A process that has made one of its servers may fail to make the next. */
TEST_F(turns, the_older_process_has_the_port_until_the_newer_one_has_all_its_servers)
{
	struct kdtls_server_options options = { .path = PATH, .cid_len = 8 };
	struct kdtls_config config = self->config;
	struct kdtls_endpoint *plain, *endpoint;
	struct kdtls_server *server;
	unsigned int old, new;
	uint64_t end;

	config.flags &= ~KDTLS_CID;
	ASSERT_EQ(0, kdtls_endpoint_new(&config, &plain));
	ASSERT_EQ(0, kdtls_use_psk(plain, "me", "0123456789abcdef", 16));
	ASSERT_EQ(0, kdtls_endpoint_new(&self->config, &endpoint));
	start_alone(_metadata, self);
	old = come(_metadata, self, 1, plain);
	new = come(_metadata, self, 1, self->endpoint);
	options.turn = take_turn(_metadata, self);
	ASSERT_NE(NULL, options.turn);
	ASSERT_EQ(0, serve(self, endpoint, &options, &server));
	for (end = now_ms() + LOOKED; now_ms() < end; usleep(10000))
		talk(_metadata, self, new, 1, 'A');
	kdtls_server_close(server);
	kdtls_turn_end(options.turn);
	/* No client was told goodbye, and the process 'A' stays although nobody is left. */
	talk(_metadata, self, old, 1, 'A');
	leave(self, old, 2);
	EXPECT_FALSE(has_gone(self, 'A'));
	new = come(_metadata, self, 1, plain);
	talk(_metadata, self, new, 1, 'A');
	kdtls_endpoint_free(endpoint);
	kdtls_endpoint_free(plain);
}

TEST_F(turns, clients_that_stay_are_looked_at_once)
{
	unsigned int old, looked;
	uint64_t end;

	start_alone(_metadata, self);
	old = come(_metadata, self, SOME, self->endpoint);
	talk(_metadata, self, old, SOME, 'A');
	looked = looked_up();
	start(_metadata, self, 'B');
	end = now_ms() + SOON;
	while (looked_up() < looked + SOME && now_ms() < end)
		usleep(10000);
	usleep(1000 * LOOKED);
	EXPECT_EQ(looked + SOME, looked_up());
	talk(_metadata, self, old, SOME, 'A');
}

TEST_F(turns, the_newer_process_serves_on_if_the_older_one_dies)
{
	unsigned int old, new;

	start_alone(_metadata, self);
	start(_metadata, self, 'B');
	ASSERT_TRUE(serves(self, 'B', SOON));
	old = come(_metadata, self, SOME, self->endpoint);
	talk(_metadata, self, old, SOME, 'B');
	kill_process(self, 'A');
	talk(_metadata, self, old, SOME, 'B');
	new = come(_metadata, self, SOME, self->endpoint);
	talk(_metadata, self, new, SOME, 'B');
	start_beside(_metadata, self, 'C', old, 'B');
	new = come(_metadata, self, SOME, self->endpoint);
	talk(_metadata, self, new, SOME, 'C');
	talk(_metadata, self, old, SOME, 'B');
}

TEST_F(turns, a_file_that_others_have_made_or_can_read_is_refused)
{
	struct kdtls_turn *turn = NULL;
	struct stat st;

	ASSERT_EQ(0, kdtls_turn_take(self->file, &turn));
	ASSERT_EQ(0, stat(self->file, &st));
	EXPECT_EQ(0600, st.st_mode & 0777);
	EXPECT_LT(KDTLS_SECRET_SIZE, st.st_size);
	kdtls_turn_end(turn);
	ASSERT_EQ(0, chmod(self->file, 0640));
	EXPECT_EQ(-EPERM, kdtls_turn_take(self->file, &turn));
	ASSERT_EQ(0, chmod(self->file, 0600));
	if (!geteuid()) {
		ASSERT_EQ(0, chown(self->file, 1, -1));
		EXPECT_EQ(-EPERM, kdtls_turn_take(self->file, &turn));
		ASSERT_EQ(0, chown(self->file, 0, -1));
	}
	ASSERT_EQ(0, truncate(self->file, 7));
	EXPECT_EQ(-EINVAL, kdtls_turn_take(self->file, &turn));
}

/* As a process does that was stopped while it read or wrote the secret */
TEST_F(turns, the_secret_is_not_waited_for_without_end)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = 3,
		.l_len = 1,
	};
	struct kdtls_turn *turn = NULL;
	int fd;

	ASSERT_EQ(0, kdtls_turn_take(self->file, &turn));
	kdtls_turn_end(turn);
	fd = open(self->file, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fcntl(fd, F_OFD_SETLK, &lock));
	turn = NULL;
	EXPECT_EQ(-EBUSY, kdtls_turn_take(self->file, &turn));
	EXPECT_EQ(NULL, turn);
	close(fd);
	ASSERT_EQ(0, kdtls_turn_take(self->file, &turn));
	kdtls_turn_end(turn);
}

TEST_HARNESS_MAIN
