# SPDX-License-Identifier: BSD-3-Clause
# What the engine is made of. Paths are relative to the repository's root; the
# includer compiles them with ENGINE_CPPFLAGS and links libcrypto.
ENGINE_SOURCES := $(addprefix userspace/engine/, \
	ack.c alert.c cids.c cids13.c client.c client13.c collect.c cookie.c crypto.c \
	early.c endpoint.c engine.c extensions.c flight.c gate.c handshake.c handshake13.c heartbeat.c \
	input.c kex.c keys12.c keys13.c messages.c name.c output.c peer.c pem.c post13.c psks.c \
	random.c reassembly.c records.c retry.c server.c server13.c session.c sign.c spent.c \
	suites.c ticket.c transcript.c x509.c) \
	kernel/record.c kernel/replay.c
ENGINE_CPPFLAGS := -D_GNU_SOURCE -Iinclude -Iinclude/uapi -Ikernel
ENGINE_LIBS := -lcrypto
