// SPDX-License-Identifier: GPL-2.0
/*
 * corpus DIR: inputs to start from, made of handshakes that went well: what a
 * server heard, what a client heard, and each message for the parsers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common.h"

static const char *dir;
static unsigned int files;

static void save(const char *target, const struct dtls_writer *w)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, target);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/%u", dir, target, files++);
	f = fopen(path, "w");
	if (!f || fwrite(w->p, 1, w->len, f) != w->len || fclose(f)) {
		perror(path);
		exit(1);
	}
}

/* The messages of a datagram, for the parsers and for the reassembly */
static void save_messages(const u8 *data, size_t len, struct dtls_writer *parts)
{
	struct dtls_writer w = { 0 };
	struct dtls_record record;
	struct dtls_fragment f;
	struct dtls_bytes r;
	u8 which;

	for (; !dtls_record_parse(&record, data, len, len, 0);
	     data += record.header_len + record.fragment_len,
	     len -= record.header_len + record.fragment_len) {
		if (record.type != DTLS_CT_HANDSHAKE || record.epoch)
			continue;
		r = (struct dtls_bytes){ data + record.header_len,
					 record.fragment_len };
		wr_u16(parts, (u16)(1 + r.len));
		wr_u8(parts, 0);
		wr_bytes(parts, r.p, r.len);
		if (!dtls_fragment_parse(&r, &f))
			continue;
		which = f.type == DTLS_CLIENT_HELLO ? 1 :
			f.type == DTLS_SERVER_HELLO ? 2 :
			f.type == DTLS_CERTIFICATE ? 4 : 0;
		wr_u8(&w, which);
		if (which)
			wr_bytes(&w, f.body.p, f.body.len);
		else
			wr_bytes(&w, data + record.header_len,
				 record.fragment_len);
		save("parsers", &w);
		wr_free(&w);
	}
}

static void record_handshake(u8 version, bool resume, u32 mtu)
{
	static struct end ends[2];
	static u8 buf[END_DATAGRAM];
	static u8 *session;
	static size_t session_len;
	struct dtls_writer heard[2] = { 0 }, parts = { 0 };
	struct dtls_bytes first = { &version, 1 };
	u64 now = 1000000;
	int round, i;
	long n;

	fuzz_version(&first);
	wr_u8(&heard[0], version);
	wr_u8(&heard[1], version);
	fuzz_client(&ends[0]);
	fuzz_server(&ends[1]);
	kdtls_engine_set_mtu(ends[0].e, mtu);
	kdtls_engine_set_mtu(ends[1].e, mtu);
	if (resume) {
		kdtls_engine_set_session(ends[0].e, session, session_len);
		/* DTLS 1.3: epoch 1 */
		kdtls_engine_send_early(ends[0].e, (const u8 *)"early", 5);
	}
	kdtls_engine_start(ends[0].e, now);
	for (round = 0; round < 6; round++) {
		for (i = 0; i < 2; i++) {
			while ((n = end_output(&ends[i], buf, sizeof(buf),
					       now)) > 0) {
				wr_vec(&heard[!i], 2, buf, (size_t)n);
				save_messages(buf, (size_t)n, &parts);
				end_input(&ends[!i], buf, (size_t)n, now);
			}
		}
	}
	if (!end_agree(&ends[0], &ends[1]))
		exit(1);
	save("client", &heard[0]);
	save("server", &heard[1]);
	save("reassembly", &parts);
	if (ends[0].session) {
		free(session);
		session = ends[0].session;
		session_len = ends[0].session_len;
		ends[0].session = NULL;
		wr_free(&parts);
		wr_u8(&parts, 3);
		wr_bytes(&parts, session, session_len);
		save("parsers", &parts);
	}
	wr_free(&parts);
	for (i = 0; i < 2; i++) {
		wr_free(&heard[i]);
		ends[i].ep = NULL;
		end_exit(&ends[i]);
	}
}

/* Files and names as people have them */
static void write_texts(void)
{
	static const char *const names[] = {
		"END.Example.", "192.0.2.1", "fe80::1%eth0", "127.1", ".com",
	};
	struct dtls_writer w = { 0 };
	struct cert cert;
	size_t i;

	cert_make(&cert, &(struct cert_options){ .kind = CERT_ED25519 });
	wr_u8(&w, 6);
	wr_bytes(&w, cert.pem, strlen(cert.pem));
	wr_bytes(&w, cert.public_pem, strlen(cert.public_pem));
	wr_bytes(&w, cert.key_pem, strlen(cert.key_pem));
	save("parsers", &w);
	wr_free(&w);
	cert_free(&cert);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		wr_u8(&w, 7);
		wr_bytes(&w, names[i], strlen(names[i]));
		save("parsers", &w);
		wr_free(&w);
	}
}

/* Hellos as the gate gets them: see gate.c. */
static void write_gates(void)
{
	/* The version; then pieces, each after two bytes of its length. */
	static const u8 halves[] = { 1,
		0, 5, 0x80, 0, 0, 0, 100,	/* honest: the first 100 bytes */
		0, 8, 0x03, 0, 7, 208, 0, 0, 1, 3, /* somebody's first two */
		0, 5, 0x80, 0, 100, 15, 160,	/* and the rest */
	};
	static const u8 backwards[] = { 0,
		0, 5, 0x80, 0, 60, 15, 160,
		0, 1, 0xc8,			/* two seconds */
		0, 5, 0x80, 0, 0, 0, 60,
		0, 1, 0xff, 0, 1, 0xff,		/* long enough to forget */
		0, 5, 0x80, 0, 0, 15, 160,
	};
	static const u8 hostile[] = { 1,
		0, 16, 0x41, 22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0,
		0, 7, 0x05, 0, 255, 255, 0, 0, 1,
		0, 7, 0x05, 0, 0, 100, 0, 99, 1,
		0, 7, 0x06, 1, 0, 100, 0, 101, 1,
	};
	static const struct dtls_bytes seeds[] = {
		{ halves, sizeof(halves) }, { backwards, sizeof(backwards) },
		{ hostile, sizeof(hostile) },
	};
	struct dtls_writer w = { 0 };
	size_t i;

	for (i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		wr_bytes(&w, seeds[i].p, seeds[i].len);
		save("gate", &w);
		wr_free(&w);
	}
}

/* Clients of a server object, and what is sent in their names: see served.c. */
static void write_served(void)
{
	static const u8 steps[] = { 0x80, 0x81, 0x82, 0x83 };
	static const u8 changed[] = { 0x40, 0x05, 0x03, 0x00 };
	struct dtls_writer w = { 0 };
	unsigned int i, kind;

	for (kind = 0; kind < 4; kind++) {
		wr_u8(&w, kind & 1);		/* version */
		for (i = 0; i < 24; i++) {
			wr_vec(&w, 2, &steps[i % 4], 1);
			if (kind & 2 && i % 3)
				wr_vec(&w, 2, changed, sizeof(changed));
		}
		save("served", &w);
		wr_free(&w);
	}
}

/* Each session at each pair of endpoints, see resume.c: by its ticket, by ours */
static void write_resumptions(void)
{
	struct dtls_writer w = { 0 };
	unsigned int kinds, how;

	for (kinds = 0; kinds < 64; kinds++) {
		for (how = 0; how < 8; how++) {
			wr_u8(&w, how & 1 ? 3 : 0);	/* versions */
			wr_u8(&w, (u8)kinds);
			wr_u8(&w, how >> 1 & 1);
			wr_u16(&w, 0);
			wr_u8(&w, how >> 2);		/* bytes to alter */
			wr_u16(&w, 7);
			wr_u8(&w, 1);
			save("resume", &w);
			wr_free(&w);
		}
	}
}

int main(int argc, char **argv)
{
	static const u8 heartbeat[] = { 0, 0, 36, 24 - 20, 1, 0, 16 };
	static const u8 alert[] = { 0, 3, 2, 1, 0 };
	static const u8 key_update[] = { 1, 0, 14, 4, 24, 0, 0, 1, 0, 5, 0, 0, 0,
					 0, 0, 1, 1, 0, 19, 12, 0, 16, 0, 0, 0,
					 0, 0, 0, 0, 3 };
	static const u8 tamper[] = { 1, 0, 30, 1, 2, 0, 0, 0, 3, 0, 0, 0, 5, 0,
				     0, 0, 4, 0, 40, 0 };
	struct dtls_writer w = { 0 };
	u8 version;

	if (argc != 2)
		return 2;
	dir = argv[1];
	mkdir(dir, 0777);
	for (version = 0; version < 2; version++) {
		record_handshake(version, false, 1400);
		record_handshake(version, true, 1400);
		record_handshake(version, false, 256);
	}
	write_texts();
	write_gates();
	write_resumptions();
	write_served();
	wr_bytes(&w, heartbeat, sizeof(heartbeat));
	wr_bytes(&w, tamper, sizeof(tamper));
	wr_bytes(&w, tamper, 12);
	wr_bytes(&w, alert, sizeof(alert));
	save("established", &w);
	wr_free(&w);
	wr_bytes(&w, key_update, sizeof(key_update));
	save("established", &w);
	wr_free(&w);
	wr_bytes(&w, tamper, sizeof(tamper));
	save("pair", &w);
	wr_free(&w);
	return 0;
}
