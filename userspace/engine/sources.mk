# SPDX-License-Identifier: BSD-3-Clause
# What the engine is made of. Paths are relative to the repository's root; the
# includer compiles them with ENGINE_CPPFLAGS and links libcrypto.
ENGINE_SOURCES := $(addprefix userspace/engine/, \
	alert.c client.c cookie.c crypto.c endpoint.c engine.c extensions.c \
	flight.c handshake.c heartbeat.c input.c kex.c keys12.c messages.c \
	output.c reassembly.c records.c server.c session.c sign.c suites.c \
	ticket.c transcript.c x509.c) \
	kernel/record.c kernel/replay.c
ENGINE_CPPFLAGS := -D_GNU_SOURCE -Iinclude -Iinclude/uapi -Ikernel
ENGINE_LIBS := -lcrypto
