// SPDX-License-Identifier: BSD-3-Clause
/* This file catches the signals that end a command; see stop.h. */
#include "stop.h"
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const int signals[] = { SIGHUP, SIGINT, SIGTERM };

#define COUNT	(sizeof(signals) / sizeof(signals[0]))

static int event = -1;
static volatile sig_atomic_t came;

static void note_signal(int number)
{
	const uint64_t one = 1;
	int saved = errno;
	ssize_t done;

	came = number;
	done = write(event, &one, sizeof(one));
	(void)done;		/* The file has room for this. */
	errno = saved;
}

/* Replace the handler of each signal that has the handler @old. */
static void change_handlers(void (*old)(int), void (*handler)(int))
{
	const struct sigaction new = {
		.sa_handler = handler,
		.sa_flags = SA_RESETHAND,
	};
	struct sigaction now;
	size_t i;

	for (i = 0; i < COUNT; i++)
		if (!sigaction(signals[i], NULL, &now) && now.sa_handler == old)
			sigaction(signals[i], &new, NULL);
}

int stop_open(void)
{
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event < 0)
		err(1, "eventfd");
	return event;
}

void stop_watch(void)
{
	change_handlers(SIG_DFL, note_signal);
}

bool stop_asked(void)
{
	return came;
}

void stop_end(void)
{
	change_handlers(note_signal, SIG_DFL);
	if (came)
		raise(came);
}
