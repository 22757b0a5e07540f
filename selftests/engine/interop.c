// SPDX-License-Identifier: GPL-2.0
/*
 * interop [all]: our engine against other people's DTLS, both roles: what the
 * bytes mean is proven by peers nobody here wrote. Without "all" a part of the
 * table that is quick.
 *
 * Each handshake is a process of its own, some of them at a time. What the
 * network does to it follows from the row alone. A peer may still give up: its
 * tries are few, its timers are long, or it drops its keys for a datagram that
 * comes late. The row is tried anew then, with other losses, as often as the peer
 * needs it (see peer.h), and that is told.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "end.h"
#include "peer.h"

#define JOBS	4	/* they wait for timers most of the time */
#define LIMIT	100	/* seconds an attempt may take: a CoAP client's patience */
#define ATTEMPTS 5	/* with losses, for a peer that names no other number */
#define TIMED_OUT 2	/* exit status: nobody did anything wrong */

enum what {
	FULL, CLIENT_CERT, TICKET,
	SESSION_ID, NO_EMS, BOTH,	/* DTLS 1.2 */
	CID,
	PSK, RETRY, KEY_UPDATE,		/* DTLS 1.3 */
	X25519, SECP256R1, SECP384R1, X25519MLKEM768,
	WHATS
};

static const char *const what_name[WHATS] = {
	"full", "client certificate", "resumed by ticket",
	"resumed by session id", "without EMS, resumed", "both versions offered",
	"connection ids",
	"pre-shared key", "another group, retried", "keys changed by either",
	"group x25519", "group secp256r1", "group secp384r1",
	"group x25519mlkem768",
};

static const struct peer_ops *const peers[] = {
	&peer_openssl, &peer_openssl_memory, &peer_gnutls, &peer_gnutls_usual,
	&peer_gnutls_old,
	&peer_mbedtls, &peer_wolfssl,
	&peer_wolfssl13, &peer_coap_openssl, &peer_coap_gnutls,
};

static const unsigned int mtus[] = { 256, 576, 1280, 1500 };
static const unsigned int losses[] = { 0, 30 };

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define COLUMNS		(COUNT(losses) * COUNT(mtus))

static const char *const protocols[] = { "coap", NULL };
static const u16 small_groups[] = { 29, 23, 24 };
static const u16 profiles[] = { 0x0007 }; /* SRTP_AEAD_AES_128_GCM */
static struct cert ca, certs[CERT_PSS + 1];

/* One handshake to be had */
struct row {
	const struct peer_ops *ops;
	bool peer_is_server;
	enum what what;
	u16 suite;
	enum cert_kind kind;
	unsigned int mtu;
	unsigned int loss;
	unsigned int attempt;
};

/* Both ends of it */
struct pair {
	const struct row *row;
	struct end end;
	struct peer_options options;
	struct peer *peer;
	struct wire to_peer, from_peer;
	u16 suites[2];
	bool end_cid;			/* the engine asks for one */
	unsigned int connections;
	bool timed_out;			/* that is why it failed */
};

#define REQUIRE(condition) do {						\
	if (!(condition)) {						\
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,	\
			__LINE__, #condition);				\
		return false;						\
	}								\
} while (0)

static bool uses_psk(const struct row *row)
{
	return row->what == PSK ||
	       dtls_suite_find(row->suite)->kx & DTLS_KX_PSK;
}

static void set_up(struct pair *p, const struct row *row)
{
	const struct cert *cert = &certs[row->kind];
	bool with_psk = uses_psk(row);
	struct end *end = &p->end;

	p->row = row;
	if (row->ops->can & PEER_13 || row->what == BOTH)
		end_version = DTLS_VERSION_1_3;
	end_config(end, with_psk ? psk : NULL);
	p->suites[0] = row->suite;
	p->suites[1] = 0x1301;
	end->config.suites = p->suites;
	end->config.suite_count = row->what == BOTH ? 2 : 1;
	end->config.max_early_data = 4096; /* its tickets say so */
	end->config.timeout_initial = 50;
	end->config.retransmits = 200;
	end->config.timeout_max = TIMER_MAX / 1000;
	end->config.psk_hint = "hint";
	if (row->ops->can & PEER_NO_RENEGOTIATION)
		end->config.flags |= KDTLS_ALLOW_NO_RENEGOTIATION_INFO;
	end->config.mtu = row->mtu;
	end->config.mtu_min = row->mtu; /* that one is to be tried */
	/* No share of X25519MLKEM768, which leaves no hello in one piece */
	if (row->ops->can & PEER_13 && row->ops->can & PEER_WHOLE_HELLO &&
	    row->peer_is_server && row->mtu < 1500) {
		end->config.groups = small_groups;
		end->config.group_count = COUNT(small_groups);
	}
	p->options = (struct peer_options){
		.server = row->peer_is_server,
		.suite = row->suite,
		.psk = with_psk ? psk : NULL,
		.identity = "Client_identity",
		.ca = with_psk ? NULL : ca.pem,
		.cert = with_psk ? NULL : cert->pem,
		.key = with_psk ? NULL : cert->key_pem,
		.tickets = true,
		.mtu = row->mtu,
		.in = &p->to_peer,
		.out = &p->from_peer,
	};
	p->to_peer.loss = row->loss;
	p->from_peer.loss = row->loss;
}

static void drain(struct pair *p)
{
	u8 buf[WIRE_SIZE];
	long n;

	while ((n = end_output(&p->end, buf, sizeof(buf), now_us())) > 0)
		wire_put(&p->to_peer, buf, (size_t)n);
}

/* Take part in what the peer sends. Return: false when the engine has failed. */
static bool feed(struct pair *p)
{
	u8 buf[WIRE_SIZE];
	size_t n;

	while ((n = wire_get(&p->from_peer, buf, sizeof(buf)))) {
		if (end_input(&p->end, buf, n, now_us()))
			return false;
		drain(p);
	}
	if (kdtls_engine_expire(p->end.e, now_us()))
		return false;
	drain(p);
	return true;
}

/* Return true if the peer has left off, and no word of it came through. */
static bool gave_up(struct pair *p)
{
	const struct peer_ops *ops = p->row->ops;

	p->timed_out = ops->gave_up && ops->gave_up(p->peer);
	return p->timed_out;
}

/* Run until both ends are done. */
static bool run(struct pair *p)
{
	const struct peer_ops *ops = p->row->ops;
	struct kdtls_failure failure;
	u8 buf[WIRE_SIZE];
	int done = 0;

	drain(p);
	for (;;) {
		/* A peer that is done answers for its last flight when it reads. */
		if (done == 1)
			ops->receive(p->peer, buf, sizeof(buf));
		else
			done = ops->step(p->peer);
		if (done < 0)
			return false;
		if (!feed(p)) {
			failure = failure_of(&p->end);
			fprintf(stderr, "engine: %s\n", failure.reason);
			p->timed_out = failure.error == KDTLS_ETIMEOUT;
			return false;
		}
		if (done == 1 && end_established(&p->end))
			return true;
		REQUIRE(!gave_up(p));
		if (p->from_peer.head == p->from_peer.tail &&
		    p->to_peer.head == p->to_peer.tail)
			usleep(2000);
	}
}

static bool open_end(struct pair *p)
{
	const struct peer_options *o = &p->options;
	struct end *end = &p->end;

	REQUIRE(!end_open(end, o->server ? KDTLS_CLIENT : KDTLS_SERVER));
	if (o->cert && !end->ep->identities)
		REQUIRE(!trust(end, &ca) && !show(end, &certs[p->row->kind]));
	if (p->end_cid)
		REQUIRE(!kdtls_engine_set_cid(end->e, (const u8 *)"ours", 4));
	return !o->server || !kdtls_engine_set_name(end->e, PEER_NAME);
}

/* The same in every run */
static u64 seed_of(const struct pair *p)
{
	const struct row *r = p->row;
	u64 fields[] = { r->peer_is_server, r->what, r->suite, r->kind, r->mtu,
			 r->attempt, p->connections };
	const char *name = r->ops->name;
	u64 seed = 1;
	size_t i;

	while (*name)
		seed = (seed ^ (u8)*name++) * 0x9e3779b97f4a7c15ULL;
	for (i = 0; i < COUNT(fields); i++)
		seed = (seed ^ fields[i] ^ seed >> 32) * 0x9e3779b97f4a7c15ULL;
	return seed | 1;
}

/* From scratch to keys on both sides */
static bool connect_them(struct pair *p, bool resume)
{
	bool peer_is_server = p->row->peer_is_server;
	struct end *end = &p->end;

	p->to_peer.seed = p->from_peer.seed = 0;
	p->connections++;
	p->timed_out = false;
	if (p->row->loss) {
		p->to_peer.seed = seed_of(p);
		p->from_peer.seed = ~p->to_peer.seed;
	}
	fprintf(stderr, "seed %llx\n", (unsigned long long)p->to_peer.seed);
	REQUIRE(open_end(p));
	if (resume && peer_is_server)
		REQUIRE(!kdtls_engine_set_session(end->e, end->session,
						  end->session_len));
	REQUIRE(p->row->ops->start(p->peer, resume));
	if (peer_is_server)
		REQUIRE(!kdtls_engine_start(end->e, now_us()));
	return run(p);
}

/* A moment in which both see to what has come, and to their timers */
static bool turn(struct pair *p)
{
	u8 buf[WIRE_SIZE];

	p->row->ops->receive(p->peer, buf, sizeof(buf));
	REQUIRE(feed(p));
	usleep(2000);
	return true;
}

static void say(struct pair *p, const void *data, size_t len)
{
	u8 buf[WIRE_SIZE];

	wire_put(&p->to_peer, buf, end_send(&p->end, data, len, buf));
}

/*
 * Wait for what the engine's end is told, and say @request until then: what
 * comes before its Finished a peer may drop (RFC 7252 4.2). Return: bytes.
 */
static size_t hear(struct pair *p, const void *request, size_t len)
{
	u64 next = 0;

	while (!p->end.received_len) {
		if (len && now_us() >= next) {
			say(p, request, len);
			next = now_us() + 1000000;
		}
		REQUIRE(turn(p) && !gave_up(p));
	}
	return p->end.received_len;
}

/* A request and its answer (RFC 7252 3) */
static bool proven_by_coap(struct pair *p)
{
	static const u8 get[] = "\x40\x01\x12\x34\xbb.well-known\x04""core";
	const struct peer_ops *ops = p->row->ops;
	u8 *in = p->end.received, buf[WIRE_SIZE];
	size_t token;
	long n;

	if (p->row->peer_is_server) {
		/* An acknowledgement with content, and a list of links */
		REQUIRE(hear(p, get, sizeof(get) - 1) > 8 &&
			!memcmp(in, "\x60\x45\x12\x34", 4));
		REQUIRE(memmem(in, p->end.received_len, "</", 2));
		return true;
	}
	REQUIRE(hear(p, NULL, 0) >= 4 && in[1] == 1);
	token = in[0] & 15;
	REQUIRE(p->end.received_len >= 4 + token);
	in[0] |= 0x20;
	in[1] = 0x45;
	memcpy(in + 4 + token, "\xff""back", 5);
	say(p, in, 4 + token + 5);
	/* Among the program's own words, which loss makes it say */
	while ((n = ops->receive(p->peer, buf, sizeof(buf))) <= 0 ||
	       !memmem(buf, (size_t)n, "back", 4)) {
		REQUIRE(n > 0 || !gave_up(p));
		usleep(2000);
	}
	return true;
}

/* Data both ways, and the same exporter */
static bool proven(struct pair *p)
{
	static const char label[] = "EXTRACTOR-dtls_srtp";
	const struct peer_ops *ops = p->row->ops;
	u8 buf[256], ours[60], theirs[60];
	struct end *end = &p->end;
	long n;

	REQUIRE(p->to_peer.largest <= p->row->mtu);
	p->to_peer.seed = 0;
	p->from_peer.seed = 0;
	if (ops->can & PEER_COAP)
		return proven_by_coap(p);
	say(p, "over", 4);
	/* What was sent again in the handshake may have to be looked at first. */
	while ((n = ops->receive(p->peer, buf, sizeof(buf))) <= 0) {
		REQUIRE(!gave_up(p));
		usleep(2000);
	}
	REQUIRE(n == 4 && !memcmp(buf, "over", 4));
	REQUIRE(ops->send(p->peer, "back", 4) && feed(p));
	REQUIRE(end->received_len == 4 && !memcmp(end->received, "back", 4));
	/* Without extended master secret there is no exporter: RFC 7627 5.4 */
	if (p->options.no_ems) {
		REQUIRE(kdtls_engine_export(end->e, label, NULL, 0, ours,
					    sizeof(ours)) == -KDTLS_EUSAGE);
		return true;
	}
	REQUIRE(!kdtls_engine_export(end->e, label, NULL, 0, ours,
				     sizeof(ours)));
	REQUIRE(ops->export(p->peer, label, theirs, sizeof(theirs)) &&
		!memcmp(ours, theirs, sizeof(ours)));
	return true;
}

static bool open_peer(struct pair *p)
{
	p->peer = p->row->ops->open(&p->options);
	REQUIRE(p->peer);
	return true;
}

/* A whole association */
static bool once(struct pair *p)
{
	return open_peer(p) && connect_them(p, false) && proven(p);
}

/* DTLS 1.3: a ticket that was lost comes again when its timer has run. */
static bool settle(struct pair *p)
{
	u64 end = now_us() + 1000000;

	while (now_us() < end)
		REQUIRE(turn(p));
	return true;
}

/* Once in full, and once more with what is left of that */
static bool twice(struct pair *p)
{
	REQUIRE(once(p));
	if (p->row->ops->can & PEER_13 && p->row->loss)
		REQUIRE(settle(p));
	p->row->ops->stop(p->peer);
	end_close(&p->end);
	REQUIRE(connect_them(p, true));
	REQUIRE(p->end.e->resumed && p->row->ops->resumed(p->peer));
	return proven(p);
}

static bool full(struct pair *p)
{
	struct end *end = &p->end;
	struct kdtls_info info;
	const char *alpn;

	/* A PSK suite has no certificates: they must not be asked for. */
	if (uses_psk(p->row))
		end->config.flags |= KDTLS_REQUEST_CERT;
	if (p->row->ops->alpn) {
		end->config.alpn = protocols;
		p->options.alpn = "coap";
	}
	if (p->row->ops->can & PEER_SRTP_AEAD) {
		end->config.srtp = profiles;
		end->config.srtp_count = 1;
		p->options.srtp = "SRTP_AEAD_AES_128_GCM";
	}
	REQUIRE(once(p));
	info = info_of(end);
	REQUIRE(info.suite == p->row->suite);
	if (!p->row->ops->alpn)
		return true;
	REQUIRE(info.alpn && !strcmp(info.alpn, "coap"));
	REQUIRE(p->row->ops->alpn(p->peer, &alpn) == 4 &&
		!memcmp(alpn, "coap", 4));
	REQUIRE(info.srtp_profile == (p->options.srtp ? profiles[0] : 0));
	REQUIRE(info.name && !strcmp(info.name, PEER_NAME));
	return true;
}

static bool client_cert(struct pair *p)
{
	p->end.config.flags |= KDTLS_REQUIRE_CERT;
	p->options.request_cert = true;
	REQUIRE(once(p));
	REQUIRE(info_of(&p->end).peer_verified);
	return true;
}

static bool by_session_id(struct pair *p)
{
	p->options.tickets = false;
	p->end.config.cache_size = 16;
	p->end.config.flags |= KDTLS_NO_TICKETS;
	return twice(p);
}

static bool without_ems(struct pair *p)
{
	struct kdtls_failure failure;

	p->options.no_ems = true;
	REQUIRE(open_peer(p) && !connect_them(p, false));
	failure = failure_of(&p->end);
	REQUIRE(failure.error == KDTLS_ENEGOTIATION);
	REQUIRE(failure.alert_sent == KDTLS_ALERT_HANDSHAKE_FAILURE);
	p->row->ops->close(p->peer);
	end_exit(&p->end);
	wire_clear(&p->to_peer);
	wire_clear(&p->from_peer);
	p->end.config.flags |= KDTLS_ALLOW_NO_EMS;
	return twice(p);
}

/* One hello for both, and a peer that knows the older one alone */
static bool both_offered(struct pair *p)
{
	struct kdtls_info info;

	REQUIRE(once(p));
	REQUIRE(p->end.ep->speaks12 && p->end.ep->speaks13);
	info = info_of(&p->end);
	REQUIRE(info.version == DTLS_VERSION_1_2);
	REQUIRE(info.suite == p->row->suite);
	return true;
}

/* The group that the client thinks best is none of the server's. */
static bool retried(struct pair *p)
{
	static const u16 ours[] = { 29, 24 }, only[] = { 24 };

	p->end.config.groups = p->row->peer_is_server ? ours : only;
	p->end.config.group_count = p->row->peer_is_server ? 2 : 1;
	p->options.group = p->row->peer_is_server ? 24 : 0;
	REQUIRE(once(p));
	REQUIRE(p->end.e->group == 24);
	return true;
}

/* One group, and the client's share is of it. */
static bool of_group(struct pair *p)
{
	static const u16 groups[] = { 29, 23, 24, 0x11ec };
	const u16 *group = &groups[p->row->what - X25519];

	p->end.config.groups = group;
	p->end.config.group_count = 1;
	p->options.group = *group;
	REQUIRE(once(p));
	REQUIRE(p->end.e->group == *group);
	return true;
}

/* Until the engine writes and reads under these epochs, or later ones */
static bool reach(struct pair *p, u64 tx, u64 rx)
{
	p->end.received_len = 0;
	while (p->end.tx_key.epoch < tx || p->end.rx_key.epoch < rx)
		REQUIRE(turn(p));
	return proven(p);
}

static bool keys_changed(struct pair *p)
{
	struct end *end = &p->end;

	REQUIRE(once(p));
	REQUIRE(!kdtls_engine_update_keys(end->e, false));
	REQUIRE(reach(p, 4, 3));
	REQUIRE(p->row->ops->update(p->peer));
	REQUIRE(reach(p, 4, 4));
	REQUIRE(!kdtls_engine_update_keys(end->e, true));
	return reach(p, 5, 5);
}

static bool with_cids(struct pair *p)
{
	struct kdtls_info info;

	p->end.config.flags |= KDTLS_CID;
	p->end_cid = true;
	p->options.cid = "theirs";
	REQUIRE(once(p));
	info = info_of(&p->end);
	REQUIRE(info.cid_rx_len == 4 && !memcmp(info.cid_rx, "ours", 4));
	REQUIRE(info.cid_tx_len == 6 && !memcmp(info.cid_tx, "theirs", 6));
	return true;
}

static bool (*const try[WHATS])(struct pair *p) = {
	full, client_cert, twice, by_session_id, without_ems, both_offered,
	with_cids, full, retried, keys_changed, of_group, of_group, of_group,
	of_group,
};

/* The processes at work */

struct job {
	pid_t pid;
	int log;
	struct row row;
};

/* One line of the table */
struct tally {
	unsigned int good[COLUMNS], tried[COLUMNS];
};

static struct job jobs[JOBS];
static struct tally tallies[COUNT(peers)][2][WHATS];
static unsigned int good, tried, again, lines;

static struct tally *tally_of(const struct row *r, size_t *column)
{
	size_t peer = 0, mtu = 0, loss = 0;

	while (peers[peer] != r->ops)
		peer++;
	while (mtus[mtu] != r->mtu)
		mtu++;
	while (losses[loss] != r->loss)
		loss++;
	*column = loss * COUNT(mtus) + mtu;
	return &tallies[peer][r->peer_is_server][r->what];
}

static void tell(const struct job *job, int status, bool anew)
{
	const struct row *r = &job->row;
	char line[256];
	FILE *log = fdopen(job->log, "r");

	printf("# %s: %s as %s, suite %04x, %s, MTU %u, %u %% loss (status %x)\n",
	       anew ? "given up, tried anew" : "failed", r->ops->name,
	       r->peer_is_server ? "server" : "client", r->suite,
	       what_name[r->what], r->mtu, r->loss, (unsigned int)status);
	rewind(log);
	while (fgets(line, sizeof(line), log))
		printf("#   %s", line);
	fclose(log);
}

static void run_job(struct job *job);

/* Nobody did anything wrong, only not in time. */
static bool timed_out(int status)
{
	return (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) ||
	       (WIFEXITED(status) && WEXITSTATUS(status) == TIMED_OUT);
}

/* How often a row may be begun */
static unsigned int attempts(const struct row *r)
{
	if (!r->loss)
		return 1;
	return r->ops->tries ? r->ops->tries : ATTEMPTS;
}

/* Wait for one of them. Return: false: there is none. */
static bool reap(void)
{
	struct tally *t;
	size_t column;
	int i, status;
	pid_t pid = wait(&status);

	if (pid < 0)
		return false;
	for (i = 0; jobs[i].pid != pid; i++)
		;
	if (timed_out(status) &&
	    ++jobs[i].row.attempt < attempts(&jobs[i].row)) {
		again++;
		tell(&jobs[i], status, true);
		run_job(&jobs[i]);
		return true;
	}
	t = tally_of(&jobs[i].row, &column);
	tried++;
	t->tried[column]++;
	if (status) {
		tell(&jobs[i], status, false);
	} else {
		good++;
		t->good[column]++;
		close(jobs[i].log);
	}
	jobs[i].pid = 0;
	return true;
}

static struct job *free_job(void)
{
	int i;

	for (;;) {
		for (i = 0; i < JOBS; i++)
			if (!jobs[i].pid)
				return &jobs[i];
		reap();
	}
}

static void run_job(struct job *job)
{
	static struct pair pair;
	bool right;

	job->log = memfd_create("log", MFD_CLOEXEC);
	fflush(stdout);
	job->pid = fork();
	if (job->pid < 0 || job->log < 0) {
		perror("interop");
		exit(1);
	}
	if (job->pid)
		return;
	alarm(LIMIT);
	dup2(job->log, 1);
	dup2(job->log, 2);
	set_up(&pair, &job->row);
	right = try[job->row.what](&pair);
	_exit(right ? 0 : pair.timed_out ? TIMED_OUT : 1);
}

static void begin(const struct row *row)
{
	struct job *job = free_job();

	job->row = *row;
	job->row.attempt = 0;
	run_job(job);
}

/* What is worth trying, and what of it is quick */

static bool of_version(const struct peer_ops *ops, enum what what)
{
	if (what == CID)
		return ops->can & PEER_CID;
	if (ops->can & PEER_13)
		return what < SESSION_ID || what > BOTH;
	return what <= BOTH;
}

/* Return true if the libcrypto at hand has the newest of the groups. */
static bool has_kem(void)
{
	EVP_KEYMGMT *kem = EVP_KEYMGMT_fetch(NULL, "X25519MLKEM768", NULL);

	EVP_KEYMGMT_free(kem);
	return kem;
}

static bool has_sense(const struct row *r)
{
	u8 kx = dtls_suite_find(r->suite)->kx;

	if (!of_version(r->ops, r->what))
		return false;
	if (r->ops->can & PEER_OTHERWISE && r->what > TICKET && r->what != BOTH)
		return false;
	/* A key from outside goes with SHA-256: RFC 8446 4.2.11. */
	if (r->what == PSK && (r->suite == 0x1302 || r->kind == CERT_ED25519))
		return false;
	if (r->kind == CERT_ED25519 && r->what >= X25519)
		return false;
	if (r->what == X25519MLKEM768 && !has_kem())
		return false;
	if (r->kind == CERT_ED25519 &&
	    !(r->ops->can & (r->peer_is_server ? PEER_ED25519_SERVER :
						 PEER_ED25519_CLIENT)))
		return false;
	/* Of its programs only one server resumes. */
	if (r->ops->can & PEER_COAP && r->what != FULL &&
	    r->what != CLIENT_CERT && r->what != BOTH &&
	    (!r->peer_is_server || r->ops != &peer_coap_openssl))
		return false;
	if (r->what == NO_EMS && r->peer_is_server &&
	    !(r->ops->can & PEER_NO_EMS_SERVER))
		return false;
	return r->what != CLIENT_CERT || !(kx & DTLS_KX_PSK);
}

/*
 * Return true if the peer takes a ClientHello with a ticket, and a flight in
 * disorder.
 */
static bool fits(const struct row *r)
{
	if (!r->peer_is_server)
		return true;
	if (r->ops->can & PEER_WHOLE_HELLO && r->mtu == 256 &&
	    (r->what == TICKET || r->what == NO_EMS || r->what == BOTH ||
	     r->what == PSK))
		return false;
	/* The share alone has 1,216 bytes. */
	if (r->ops->can & PEER_WHOLE_HELLO && r->mtu < 1500 &&
	    r->what == X25519MLKEM768)
		return false;
	/* A server's ticket that was lost need not come again. */
	if (r->ops->can & PEER_13 && r->what == TICKET && r->loss)
		return false;
	return !(r->ops->can & PEER_CCS_IN_ORDER) || !r->loss ||
	       r->mtu > 576 || r->what != CLIENT_CERT;
}

/* Its timers begin at a second: with loss there is one network for each. */
static bool is_patient(const struct row *r)
{
	return !(r->ops->can & PEER_COAP) || !r->loss || r->mtu == 576;
}

static bool is_quick(const struct row *r)
{
	/* What every CoAP device has to have: RFC 7252 9.1.3 */
	if (r->ops->can & PEER_COAP &&
	    (r->loss || (r->suite != 0xc0a8 && r->suite != 0xc0ae)))
		return false;
	if (r->ops->can & PEER_OTHERWISE && r->suite != 0xc02b &&
	    r->suite != 0x00a8)
		return false;
	if (r->what == FULL)
		return r->loss ? r->mtu == 576 : r->mtu == 256 || r->mtu == 1500;
	return !r->loss && r->mtu == (r->what == X25519MLKEM768 ? 1500 : 1280);
}

static void every_network(struct row *row, bool all)
{
	size_t mtu, loss;

	for (loss = 0; loss < COUNT(losses); loss++) {
		for (mtu = 0; mtu < COUNT(mtus); mtu++) {
			row->loss = losses[loss];
			row->mtu = mtus[mtu];
			if (fits(row) && is_patient(row) &&
			    (all || is_quick(row)))
				begin(row);
		}
	}
}

static bool speaks(const struct peer_ops *ops, const struct dtls_suite *suite)
{
	return dtls_suite_is_13(suite) == !!(ops->can & PEER_13) &&
	       (ops->library ? : ops)->speaks(suite->id);
}

static void every_suite(struct row *row, bool all)
{
	size_t i;

	for (i = 0; i < dtls_suite_count; i++) {
		row->suite = dtls_suites[i].id;
		if (!speaks(row->ops, &dtls_suites[i]))
			continue;
		row->kind = dtls_suites[i].kx & DTLS_KX_RSA ? CERT_RSA :
			    row->suite == 0xc02c ? CERT_P384 : CERT_P256;
		if (has_sense(row))
			every_network(row, all);
		row->kind = CERT_ED25519;
		if ((row->suite == 0xc02b || row->suite == 0x1301) &&
		    has_sense(row))
			every_network(row, all);
	}
}

static void every_peer(bool all)
{
	struct row row;
	size_t i;
	int role;

	for (i = 0; i < COUNT(peers); i++) {
		for (role = 0; role < 2 && peers[i]->version(); role++) {
			row.ops = peers[i];
			row.peer_is_server = role;
			printf("# %s %s as %s, after %u handshakes\n",
			       peers[i]->name, peers[i]->version(),
			       role ? "server" : "client", tried);
			for (row.what = 0; row.what < WHATS; row.what++)
				every_suite(&row, all);
		}
	}
	while (reap())
		;
}

static const char *version_of(const struct peer_ops *ops)
{
	return ops->version() ? : "missing";
}

static void print_line(const struct peer_ops *ops, int role, enum what what,
		       const struct tally *t)
{
	unsigned int right = 0, all = 0;
	char cells[16 * COLUMNS] = "", *cell = cells;
	size_t i;

	for (i = 0; i < COLUMNS; i++) {
		char figure[16] = "-";

		if (t->tried[i])
			snprintf(figure, sizeof(figure), "%u/%u", t->good[i],
				 t->tried[i]);
		cell += sprintf(cell, "%s%6s", i % COUNT(mtus) ? "" : "  ",
				figure);
		right += t->good[i];
		all += t->tried[i];
	}
	printf("%-6s %2u %-12s %-7s %-6s %-22s%s%s\n",
	       right == all ? "ok" : "not ok", ++lines, ops->name,
	       version_of(ops), role ? "server" : "client", what_name[what],
	       cells, all ? "" : " # SKIP");
}

static void print_head(void)
{
	size_t i, mtu;

	printf("#         handshakes that were right, of those tried         ");
	for (i = 0; i < COUNT(losses); i++)
		printf("  %3u %% loss, MTU         ", losses[i]);
	printf("\n#         peer                 role                         ");
	for (i = 0; i < COUNT(losses); i++)
		for (mtu = 0; mtu < COUNT(mtus); mtu++)
			printf("%s%6u", mtu ? "" : "  ", mtus[mtu]);
	printf("\n");
}

static void print_table(void)
{
	enum what what;
	size_t i;
	int role;

	print_head();
	for (i = 0; i < COUNT(peers); i++)
		for (role = 0; role < 2; role++)
			for (what = 0; what < WHATS; what++)
				if (of_version(peers[i], what))
					print_line(peers[i], role, what,
						   &tallies[i][role][what]);
	for (i = 0; i < COUNT(peers); i++)
		if (peers[i]->note)
			printf("# %s %s: %s\n", peers[i]->name,
			       version_of(peers[i]), peers[i]->note);
}

/* A suite that no peer has is a row nobody tried. */
static void print_suites(void)
{
	size_t i, n;
	bool spoken;

	for (n = 0; n < COUNT(peers); n++) {
		printf("# %s %s does not speak:", peers[n]->name,
		       version_of(peers[n]));
		for (i = 0; i < dtls_suite_count; i++)
			if (dtls_suite_is_13(&dtls_suites[i]) ==
			    !!(peers[n]->can & PEER_13) &&
			    !speaks(peers[n], &dtls_suites[i]))
				printf(" %04x", dtls_suites[i].id);
		printf("\n");
	}
	for (i = 0; i < dtls_suite_count; i++) {
		spoken = false;
		for (n = 0; n < COUNT(peers); n++)
			spoken |= speaks(peers[n], &dtls_suites[i]);
		if (!spoken)
			printf("ok     %2u suite %04x # SKIP no peer speaks it\n",
			       ++lines, dtls_suites[i].id);
	}
}

int main(int argc, char **argv)
{
	enum cert_kind kind;

	cert_make(&ca, &(struct cert_options){ .ca = true });
	for (kind = 0; kind < COUNT(certs); kind++)
		cert_make(&certs[kind], &(struct cert_options){
			.kind = kind, .issuer = &ca, .name = "DNS:" PEER_NAME,
			.key_usage = "digitalSignature" });
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	every_peer(argc > 1 && !strcmp(argv[1], "all"));
	print_table();
	print_suites();
	printf("1..%u\n", lines);
	for (kind = 0; kind < COUNT(certs); kind++)
		cert_free(&certs[kind]);
	cert_free(&ca);
	if (again)
		printf("# %u handshakes were given up and tried anew\n",
		       again);
	printf("interop: %u of %u\n", good, tried);
	return good != tried;
}
