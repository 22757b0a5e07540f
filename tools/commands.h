/* SPDX-License-Identifier: BSD-3-Clause */
/* These are the commands of kdtls. Each gets its own argv and returns an exit status. */
#ifndef COMMANDS_H
#define COMMANDS_H

/* Run "kdtls client": connect, and move data both ways. */
int command_client(int argc, char **argv);

/* Run "kdtls server": take one client, or many at once. */
int command_server(int argc, char **argv);

/* Run "kdtls info": show the counters of a network namespace or of a socket. */
int command_info(int argc, char **argv);

#endif
