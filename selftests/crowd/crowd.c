// SPDX-License-Identifier: GPL-2.0
/*
 * A crowd of clients of other people's libraries on one "kdtls server", through a path
 * that loses a tenth of all datagrams each way. The programs beside this one have the
 * clients (see clients.h), some hundred in a process.
 *
 * CROWD_CLIENTS is the number of clients, KDTLS the command, and WOLFSSL_LIBS the folder
 * with the loader and the libraries of a wolfSSL that speaks DTLS 1.3.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../engine/end.h"
#include "harness.h"
#include "clients.h"
#include "path.h"

#define CLIENTS		2000
#define PORT		4433
#define LOSS		10	/* of a hundred datagrams, each way */
#define LIMIT		3600	/* seconds for a test, on the slowest machine */
#define PARTIES_MAX	16

/* Clients of one library with one kind of credential, a part of a crowd of 2,000 */
struct party {
	const char *program;
	bool certificate;
	unsigned int share;
};

static const struct party all_libraries[] = {
	{ "openssl", true, 300 }, { "openssl", false, 300 },
	{ "gnutls", true, 300 }, { "gnutls", false, 300 },
	{ "wolfssl", true, 150 }, { "wolfssl", false, 150 },
	{ "wolfssl13", true, 150 }, { "wolfssl13", false, 150 },
	{ "coap-openssl", true, 50 }, { "coap-openssl", false, 50 },
	{ "coap-gnutls", true, 50 }, { "coap-gnutls", false, 50 },
};

static const struct party two_libraries[] = {
	{ "openssl", true, 250 }, { "openssl", false, 250 },
	{ "gnutls", true, 250 }, { "gnutls", false, 250 },
};

/* A process with the clients of one party */
struct running {
	pid_t pid;
	int orders, answers;
};

FIXTURE(crowd) {
	char folder[32];	/* for certificates and the server's log */
	char programs[256];
	pid_t server;
	struct sockaddr_in at;	/* the server's address */
	struct path path;
	struct running parties[PARTIES_MAX];
	unsigned int party_count;
	unsigned int clients;
};

FIXTURE_VARIANT(crowd) {
	const char *path;
	const char *records;	/* what the server says of its records */
};

FIXTURE_VARIANT_ADD(crowd, user) {
	.path = "user", .records = "records in user space: ",
};

FIXTURE_VARIANT_ADD(crowd, kernel) {
	.path = "kernel", .records = "records in the kernel: ",
};

/* ---- the server ---- */

static void name_file(char *name, size_t size, const char *folder, const char *file)
{
	snprintf(name, size, "%s/%s", folder, file);
}

static void write_file(struct __test_metadata *_metadata, const char *folder,
		       const char *file, const char *text)
{
	char name[64];
	FILE *f;

	name_file(name, sizeof(name), folder, file);
	f = fopen(name, "w");
	ASSERT_NE(NULL, f);
	ASSERT_LE(0, fputs(text, f));
	ASSERT_EQ(0, fclose(f));
}

static void write_certificates(struct __test_metadata *_metadata, const char *folder)
{
	struct cert ca, server;

	cert_make(&ca, &(struct cert_options){ .ca = true });
	cert_make(&server, &(struct cert_options){
		.issuer = &ca, .name = "DNS:" CROWD_NAME });
	write_file(_metadata, folder, "ca", ca.pem);
	write_file(_metadata, folder, "cert", server.pem);
	write_file(_metadata, folder, "key", server.key_pem);
	cert_free(&server);
	cert_free(&ca);
}

__attribute__((noreturn))
static void run_server(const char *folder, const struct sockaddr_in *at,
		       const char *path)
{
	const char *kdtls = getenv("KDTLS");
	char cert[64], key[64], log[64], host[INET_ADDRSTRLEN], listen[32];
	int fd;

	name_file(cert, sizeof(cert), folder, "cert");
	name_file(key, sizeof(key), folder, "key");
	name_file(log, sizeof(log), folder, "log");
	inet_ntop(AF_INET, &at->sin_addr, host, sizeof(host));
	snprintf(listen, sizeof(listen), "%s:%u", host, PORT);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, 2);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execlp(kdtls ?: "kdtls", "kdtls", "server", "--echo", "--path", path,
	       "--listen", listen, "--psk", CROWD_KEY_HEX, "--cert", cert, "--key",
	       key, NULL);
	perror("kdtls");
	_exit(127);
}

/**
 * struct said - what the server has said in its log
 * @listens:	it listens
 * @connected:	handshakes that are done
 * @records:	how many of these have their records made as the variant wants it
 * @anew:	clients that ended as they have started anew
 * @closed:	clients that have said goodbye, or sent a fatal alert, as a library does that
 *		gives its handshake up when the server's part is done
 * @ended:	other clients that ended
 */
struct said {
	bool listens;
	unsigned int connected, records, anew, closed, ended;
};

static struct said read_log(const char *folder, const char *records)
{
	struct said said = { 0 };
	char name[64], line[512];
	FILE *f;

	name_file(name, sizeof(name), folder, "log");
	f = fopen(name, "r");
	while (f && fgets(line, sizeof(line), f)) {
		const char *text = strstr(line, "kdtls: ");

		text = text ? text + 7 : line;
		if (!strncmp(text, "listening on", 12))
			said.listens = true;
		else if (!strncmp(text, "connected with", 14))
			said.connected++;
		else if (!strncmp(text, records, strlen(records)))
			said.records++;
		else if (strstr(text, "started anew"))
			said.anew++;
		else if (strstr(text, ": closed\n") ||
			 strstr(text, "sent a fatal alert"))
			said.closed++;
		else if (!strncmp(text, "127.0.0.1", 9))
			said.ended++;
	}
	if (f)
		fclose(f);
	return said;
}

static void tell_log(struct _test_data_crowd *self)
{
	char command[128];

	snprintf(command, sizeof(command),
		 "tail -n 20 %s/log | sed 's/^/# the server: /' >&2", self->folder);
	if (system(command))
		fprintf(stderr, "# the server has no log\n");
}

/* Tell how often the server has said what of clients that are not there any more. */
static void tell_ends(struct _test_data_crowd *self)
{
	char command[160];

	snprintf(command, sizeof(command),
		 "sed -n 's/^kdtls: 127[0-9.:]*/# the server/p' %s/log | sort | "
		 "uniq -c | sed 's/^/# /' >&2", self->folder);
	if (system(command))
		fprintf(stderr, "# the server has no log\n");
}

FIXTURE_SETUP(crowd)
{
	const char *clients = getenv("CROWD_CLIENTS");
	struct rlimit limit;
	pid_t ended;
	ssize_t n;

	/* The path has a file for each client. */
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	signal(SIGPIPE, SIG_IGN);
	self->clients = clients ? (unsigned int)atoi(clients) : CLIENTS;
	n = readlink("/proc/self/exe", self->programs, sizeof(self->programs) - 1);
	ASSERT_LT(0, n);
	*strrchr(self->programs, '/') = '\0';
	strcpy(self->folder, "/tmp/crowd.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->folder));
	write_certificates(_metadata, self->folder);
	/* An address of loopback that is this process's alone */
	self->at.sin_family = AF_INET;
	self->at.sin_port = htons(PORT);
	self->at.sin_addr.s_addr = htonl(0x7f400000 | (getpid() & 0x3fffff));
	self->server = fork();
	ASSERT_LE(0, self->server);
	if (!self->server)
		run_server(self->folder, &self->at, variant->path);
	while (!read_log(self->folder, variant->records).listens) {
		ended = waitpid(self->server, NULL, WNOHANG);
		if (ended)
			tell_log(self);
		ASSERT_EQ(0, ended);
		usleep(100000);
	}
	ASSERT_EQ(0, path_start(&self->path, &self->at, LOSS));
}

static void end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

FIXTURE_TEARDOWN(crowd)
{
	char command[64];
	unsigned int i;

	for (i = 0; i < self->party_count; i++)
		end(self->parties[i].pid);
	path_stop(&self->path);
	end(self->server);
	snprintf(command, sizeof(command), "rm -rf %s", self->folder);
	EXPECT_EQ(0, system(command));
}

/* ---- clients ---- */

__attribute__((noreturn))
static void run_party(const struct _test_data_crowd *self, const struct party *party,
		      unsigned int count, unsigned int first)
{
	const char *libs = getenv("WOLFSSL_LIBS") ?: "";
	char program[300], loader[300], port[8], counts[16], firsts[16], ca[64];
	bool later = !strcmp(party->program, "wolfssl13");
	const char *args[] = {
		loader, "--library-path", libs, program, port, counts, firsts, NULL,
		NULL,
	};

	snprintf(program, sizeof(program), "%s/%s", self->programs, party->program);
	snprintf(loader, sizeof(loader), "%s/ld-linux-x86-64.so.2", libs);
	snprintf(port, sizeof(port), "%u", self->path.port);
	snprintf(counts, sizeof(counts), "%u", count);
	snprintf(firsts, sizeof(firsts), "%u", first);
	name_file(ca, sizeof(ca), self->folder, "ca");
	if (party->certificate)
		args[7] = ca;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execv(later ? loader : program, (char **)(later ? args : args + 3));
	perror(later ? loader : program);
	_exit(127);
}

static void start_party(struct __test_metadata *_metadata,
			struct _test_data_crowd *self, const struct party *party,
			unsigned int count, unsigned int first)
{
	struct running *r = &self->parties[self->party_count++];
	int orders[2], answers[2];

	ASSERT_EQ(0, pipe2(orders, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(answers, O_CLOEXEC));
	r->pid = fork();
	ASSERT_LE(0, r->pid);
	if (!r->pid) {
		dup2(orders[0], 0);
		dup2(answers[1], 1);
		run_party(self, party, count, first);
	}
	close(orders[0]);
	close(answers[1]);
	r->orders = orders[1];
	r->answers = answers[0];
}

/* Start parties with @clients clients in all. */
static void start(struct __test_metadata *_metadata, struct _test_data_crowd *self,
		  const struct party *parties, size_t party_count,
		  unsigned int clients)
{
	unsigned int shares = 0, begun = 0, before;
	size_t i;

	for (i = 0; i < party_count; i++)
		shares += parties[i].share;
	self->clients = clients;
	for (i = 0, before = 0; i < party_count; i++) {
		unsigned int until;

		before += parties[i].share;
		until = clients * before / shares;
		start_party(_metadata, self, &parties[i], until - begun, begun);
		begun = until;
	}
}

static void command(struct __test_metadata *_metadata, struct _test_data_crowd *self,
		    enum order order)
{
	const char byte = (char)order;
	unsigned int i;

	for (i = 0; i < self->party_count; i++)
		ASSERT_EQ(1, write(self->parties[i].orders, &byte, 1));
}

/*
 * Wait until all clients have followed the order. A party whose clients are not all
 * served ends, and then the wait does.
 */
static void await(struct __test_metadata *_metadata, struct _test_data_crowd *self,
		  enum order order)
{
	unsigned int i, left = self->party_count;
	struct pollfd p[PARTIES_MAX];
	char byte = 0;

	for (i = 0; i < self->party_count; i++)
		p[i] = (struct pollfd){ self->parties[i].answers, POLLIN, 0 };
	while (left && poll(p, self->party_count, -1) > 0) {
		for (i = 0; i < self->party_count; i++) {
			if (p[i].fd < 0 || !p[i].revents)
				continue;
			if (read(p[i].fd, &byte, 1) != 1)
				byte = 0;
			if (byte != (char)order)
				tell_log(self);
			ASSERT_EQ((char)order, byte);
			p[i].fd = -1;
			left--;
		}
	}
}

/* Let all clients go, and wait until the last one has. */
static void dismiss(struct __test_metadata *_metadata, struct _test_data_crowd *self)
{
	unsigned int i;
	int status;

	command(_metadata, self, ORDER_LEAVE);
	for (i = 0; i < self->party_count; i++) {
		EXPECT_EQ(self->parties[i].pid,
			  waitpid(self->parties[i].pid, &status, 0));
		EXPECT_EQ(0, status);
	}
	self->party_count = 0;
}

/*
 * Make sure that all clients are connected at the same time, by what the server says:
 * only a client has ended an association, by a goodbye or a new association.
 */
static void all_are_there(struct __test_metadata *_metadata,
			  struct _test_data_crowd *self,
			  const struct _fixture_variant_crowd *variant)
{
	struct said said = read_log(self->folder, variant->records);

	if (said.ended)
		tell_ends(self);
	EXPECT_EQ(self->clients, said.connected - said.anew - said.closed);
	EXPECT_EQ(said.connected, said.records);
	EXPECT_EQ(0, said.ended);
	EXPECT_EQ(self->clients, self->path.counts->clients);
}

/* Make sure that the path has lost what it should, within a half. */
static void losses_are_real(struct __test_metadata *_metadata,
			    const struct _test_data_crowd *self)
{
	const struct path_counts *c = self->path.counts;
	unsigned int way;
	uint64_t all;

	for (way = 0; way < 2; way++) {
		all = c->carried[way] + c->lost[way];
		EXPECT_LT(all * LOSS / 2, c->lost[way] * 100);
		EXPECT_GT(all * LOSS * 3 / 2, c->lost[way] * 100);
	}
	TH_LOG("to the server %llu datagrams and %llu lost, to clients %llu and %llu lost",
	       (unsigned long long)c->carried[0], (unsigned long long)c->lost[0],
	       (unsigned long long)c->carried[1], (unsigned long long)c->lost[1]);
}

TEST_F_TIMEOUT(crowd, clients_of_every_library_are_served_at_once_and_none_is_mixed_up,
	       LIMIT)
{
	start(_metadata, self, all_libraries,
	      sizeof(all_libraries) / sizeof(all_libraries[0]), self->clients);
	await(_metadata, self, ORDER_UP);
	all_are_there(_metadata, self, variant);
	command(_metadata, self, ORDER_TALK);
	await(_metadata, self, ORDER_TALK);
	all_are_there(_metadata, self, variant);
	dismiss(_metadata, self);
	losses_are_real(_metadata, self);
}

TEST_F_TIMEOUT(crowd, half_of_the_clients_start_anew_at_once_and_all_are_served, LIMIT)
{
	struct said said;

	start(_metadata, self, two_libraries,
	      sizeof(two_libraries) / sizeof(two_libraries[0]), self->clients / 2);
	await(_metadata, self, ORDER_UP);
	command(_metadata, self, ORDER_TALK);
	await(_metadata, self, ORDER_TALK);
	all_are_there(_metadata, self, variant);
	command(_metadata, self, ORDER_ANEW);
	await(_metadata, self, ORDER_ANEW);
	all_are_there(_metadata, self, variant);
	said = read_log(self->folder, variant->records);
	EXPECT_LE(self->clients, said.anew);
	command(_metadata, self, ORDER_TALK);
	await(_metadata, self, ORDER_TALK);
	all_are_there(_metadata, self, variant);
	dismiss(_metadata, self);
	losses_are_real(_metadata, self);
}

TEST_HARNESS_MAIN
