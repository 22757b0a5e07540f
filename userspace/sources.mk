# SPDX-License-Identifier: BSD-3-Clause
# What the socket driver is made of, beside the engine. Paths are relative to this folder;
# the includer compiles them, and links cipher.c, the engine and libcrypto.
DRIVER_SOURCES := ulp.c error.c files.c psk.c names.c socket.c owner.c kept.c \
	handover.c scratch.c unread.c user_records.c moved.c address.c timers.c hello_piece.c table.c \
	server_limits.c server_cids.c server_client.c server_user.c server_kernel.c \
	server_hello.c server_stray.c server_batch.c server_in.c server_out.c \
	server_steer.c turn.c server_object.c server_socket.c \
	server_peel.c listener.c
