# SPDX-License-Identifier: BSD-3-Clause
# What the engine is made of, from the ground up: a file uses what stands before
# it and nothing else. Paths are relative to the repository's root; the includer
# compiles them with ENGINE_CPPFLAGS and links libcrypto.
ENGINE_SOURCES := kernel/record.c kernel/replay.c kernel/aead.c \
	$(addprefix userspace/engine/, \
	pool.c loans.c hmac.c name.c timer.c cids.c \
	fragment.c hello.c crypto.c pem.c store.c shared.c tree.c \
	flight.c incoming.c transcript.c cookie.c suites.c secret.c \
	reassembly.c collect.c keys12.c keys13.c kex.c sign.c protection.c datagram.c peer.c \
	x509.c session.c \
	ticket.c cache.c spent.c \
	endpoint.c \
	retry.c gate12.c gate13.c gate.c \
	state.c \
	retransmit.c handout.c alert.c heartbeat.c psks.c extensions.c \
	ack.c auth.c \
	resumption.c identity.c handshake.c \
	handshake12.c handshake13.c early.c \
	client_hello.c cids13.c \
	client12.c client13.c server12.c server13.c post13.c \
	client.c server.c content.c \
	complete.c input.c output.c engine.c)
ENGINE_CPPFLAGS := -D_GNU_SOURCE -Iinclude -Iinclude/uapi -iquotekernel
ENGINE_LIBS := -lcrypto
