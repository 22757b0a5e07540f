// SPDX-License-Identifier: GPL-2.0
/* Two processors at work, by the clock; see bench.h. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define WINDOW		(8 * BATCH)	/* records under way in a stream */
#define SAMPLES		20000		/* latencies kept */
#define THREADS_MAX	4
#define FILLED		16384		/* records in a queue to be drained */

static double seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* A task beside the main thread's */
struct task {
	pthread_t thread;
	struct ends *e;
	unsigned int cpu;
	atomic_uint *received;
	atomic_bool *stop;
	double *arrival;
	unsigned long records;
	double cpu_time;
	bool ok;
};

static void *stream_receiver(void *arg)
{
	struct task *t = arg;
	double start;

	pin(t->cpu);
	start = seconds(CLOCK_THREAD_CPUTIME_ID);
	t->ok = true;
	/* What the sender has sent when it is told to stop all arrives. */
	while (t->ok && !atomic_load(t->stop)) {
		t->ok = t->e->row->recv(t->e, BATCH);
		atomic_fetch_add(t->received, BATCH);
	}
	t->cpu_time = seconds(CLOCK_THREAD_CPUTIME_ID) - start;
	return NULL;
}

bool stream(struct ends *e, double duration)
{
	atomic_bool stop = false;
	atomic_uint received = 0;
	struct task t = { .e = e, .cpu = 1, .received = &received,
			  .stop = &stop };
	double start, cpu, elapsed;
	unsigned int sent = 0;
	struct json_object *o;
	bool ok = true;

	if (!e->row->open(e) ||
	    pthread_create(&t.thread, NULL, stream_receiver, &t))
		return false;
	pin(0);
	start = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
	while (ok && seconds(CLOCK_MONOTONIC) - start < duration) {
		while (sent - atomic_load(&received) > WINDOW - BATCH)
			sched_yield();
		ok = e->row->send(e, BATCH);
		sent += BATCH;
	}
	elapsed = seconds(CLOCK_MONOTONIC) - start;
	cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
	/* One more for the receiver, who may be waiting already */
	atomic_store(&stop, true);
	ok = ok && e->row->send(e, BATCH);
	pthread_join(t.thread, NULL);
	e->row->close(e);
	if (!ok || !t.ok)
		return false;

	o = figure("stream", e);
	figure_add(o, "records_per_s", sent / elapsed);
	figure_add(o, "mbit_per_s", sent / elapsed * e->size * 8 / 1e6);
	figure_add(o, "send_cpu_ns", cpu * 1e9 / sent);
	figure_add(o, "receive_cpu_ns", t.cpu_time * 1e9 / sent);
	figure_print(o);
	return true;
}

static void *latency_receiver(void *arg)
{
	struct task *t = arg;
	unsigned int i;

	pin(t->cpu);
	for (i = 0; i < SAMPLES; i++) {
		t->ok = t->e->row->recv(t->e, 1);
		if (!t->ok || atomic_load(t->stop))
			break;
		t->arrival[i] = seconds(CLOCK_MONOTONIC);
		atomic_fetch_add(t->received, 1);
	}
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return (d > 0) - (d < 0);
}

/* From before the send to after the recv that was waiting for it */
bool latency(struct ends *e, double duration)
{
	static double arrival[SAMPLES], took[SAMPLES];
	atomic_bool stop = false;
	atomic_uint received = 0;
	struct task t = { .e = e, .cpu = 1, .received = &received,
			  .stop = &stop, .arrival = arrival };
	struct json_object *o;
	unsigned int i;
	double begin;
	bool ok = true;

	if (!e->row->open(e) ||
	    pthread_create(&t.thread, NULL, latency_receiver, &t))
		return false;
	pin(0);
	begin = seconds(CLOCK_MONOTONIC);
	for (i = 0; ok && i < SAMPLES &&
	     seconds(CLOCK_MONOTONIC) - begin < duration; i++) {
		double start;

		usleep(100);	/* let the receiver fall asleep */
		start = seconds(CLOCK_MONOTONIC);
		ok = e->row->send(e, 1);
		while (ok && atomic_load(&received) <= i &&
		       seconds(CLOCK_MONOTONIC) - start < 5)
			sched_yield();
		took[i] = arrival[i] - start;
	}
	atomic_store(&stop, true);
	ok = ok && (i == SAMPLES || e->row->send(e, 1));
	pthread_join(t.thread, NULL);
	e->row->close(e);
	if (!ok || !t.ok || !i)
		return false;

	qsort(took, i, sizeof(took[0]), by_value);
	o = figure("latency", e);
	figure_add(o, "p50_ns", took[i / 2] * 1e9);
	figure_add(o, "p99_ns", took[i - 1 - i / 100] * 1e9);
	figure_print(o);
	return true;
}

static void *sender(void *arg)
{
	struct task *t = arg;

	pin(t->cpu);
	t->ok = true;
	while (t->ok && !atomic_load(t->stop)) {
		t->ok = t->e->row->send(t->e, BATCH);
		t->records += BATCH;
	}
	return NULL;
}

/* 1, 2 and 4 threads send on one socket; nobody reads at the other end. */
bool send_threads(struct ends *e, double duration)
{
	unsigned int n, i;

	for (n = 1; n <= THREADS_MAX; n *= 2) {
		struct task t[THREADS_MAX] = { 0 };
		atomic_bool stop = false;
		int shallow = 4096;
		struct json_object *o;
		double start, elapsed;
		unsigned long sum = 0;
		bool ok = true;

		if (!e->row->open(e) ||
		    setsockopt(e->rx, SOL_SOCKET, SO_RCVBUF, &shallow,
			       sizeof(shallow)))
			return false;
		start = seconds(CLOCK_MONOTONIC);
		for (i = 0; i < n; i++) {
			t[i].e = e;
			t[i].cpu = i;
			t[i].stop = &stop;
			if (pthread_create(&t[i].thread, NULL, sender, &t[i]))
				return false;
		}
		usleep((useconds_t)(duration * 1e6));
		atomic_store(&stop, true);
		elapsed = seconds(CLOCK_MONOTONIC) - start;
		for (i = 0; i < n; i++) {
			pthread_join(t[i].thread, NULL);
			ok = ok && t[i].ok;
			sum += t[i].records;
		}
		e->row->close(e);
		if (!ok)
			return false;
		o = figure("send_threads", e);
		figure_add(o, "threads", n);
		figure_add(o, "records_per_s", (double)sum / elapsed);
		figure_print(o);
	}
	return true;
}

static void *drainer(void *arg)
{
	struct task *t = arg;
	char buf[2048];

	pin(t->cpu);
	while (!atomic_load(t->stop))
		;
	while (recv(t->e->rx, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		t->records++;
	t->ok = errno == EAGAIN;
	return NULL;
}

/* 1, 2 and 4 threads take what was put into a queue before. */
bool drain_threads(struct ends *e)
{
	unsigned int n, i;

	for (n = 1; n <= THREADS_MAX; n *= 2) {
		struct task t[THREADS_MAX] = { 0 };
		atomic_bool go = false;
		int deep = 256 << 20;
		struct json_object *o;
		double start, elapsed;
		unsigned long sum = 0;
		bool ok = true;

		if (!e->row->open(e) ||
		    setsockopt(e->rx, SOL_SOCKET, SO_RCVBUFFORCE, &deep,
			       sizeof(deep)) ||
		    !e->row->send(e, FILLED))
			return false;
		for (i = 0; i < n; i++) {
			t[i].e = e;
			t[i].cpu = i;
			t[i].stop = &go;
			if (pthread_create(&t[i].thread, NULL, drainer, &t[i]))
				return false;
		}
		usleep(100000);	/* until all stand at the start */
		start = seconds(CLOCK_MONOTONIC);
		atomic_store(&go, true);
		for (i = 0; i < n; i++) {
			pthread_join(t[i].thread, NULL);
			ok = ok && t[i].ok;
			sum += t[i].records;
		}
		elapsed = seconds(CLOCK_MONOTONIC) - start;
		e->row->close(e);
		if (!ok || sum != FILLED)
			return false;
		o = figure("drain_threads", e);
		figure_add(o, "threads", n);
		figure_add(o, "records_per_s", (double)sum / elapsed);
		figure_print(o);
	}
	return true;
}
