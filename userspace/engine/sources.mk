# SPDX-License-Identifier: BSD-3-Clause
# What the engine is made of. Paths are relative to the repository's root; the
# includer compiles them with ENGINE_CPPFLAGS and links libcrypto.
ENGINE_SOURCES := $(addprefix userspace/engine/, \
	ack.c alert.c auth.c cache.c cids.c cids13.c client.c client13.c collect.c cookie.c \
	crypto.c datagram.c early.c endpoint.c engine.c extensions.c flight.c fragment.c gate.c \
	handshake.c handshake13.c heartbeat.c hello.c hmac.c incoming.c input.c kex.c keys12.c \
	keys13.c name.c output.c peer.c pem.c pool.c post13.c protection.c psks.c reassembly.c \
	resumption.c retry.c server.c server13.c session.c sign.c spent.c suites.c ticket.c \
	timer.c transcript.c x509.c) \
	kernel/record.c kernel/replay.c
ENGINE_CPPFLAGS := -D_GNU_SOURCE -Iinclude -Iinclude/uapi -Ikernel
ENGINE_LIBS := -lcrypto
