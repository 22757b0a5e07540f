/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of kdtls; each gets its own argv and returns an exit status. */
#ifndef COMMANDS_H
#define COMMANDS_H

int command_client(int argc, char **argv);
int command_server(int argc, char **argv);
int command_info(int argc, char **argv);

#endif
