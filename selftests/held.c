// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that are not there; see held.h.
 */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "common.h"
#include "held.h"

#define PAGE_MAX	65536	/* of the machines that the tests know */

static struct uffdio_range range_of(const struct held *h)
{
	return (struct uffdio_range) {
		.start = (unsigned long)h->page, .len = h->n * h->size,
	};
}

int held_open(struct held *h, unsigned int n)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	__u8 *before;

	h->n = n;
	h->size = sysconf(_SC_PAGESIZE);
	h->fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	before = mmap(NULL, (n + 1) * h->size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (h->fd < 0 || before == MAP_FAILED)
		return -1;
	h->page = before + h->size;
	reg.range = range_of(h);
	memset(before, 0, h->size);
	/* After mlockall() the pages are there. */
	if (munlock(h->page, n * h->size) ||
	    madvise(h->page, n * h->size, MADV_DONTNEED))
		return -1;
	return ioctl(h->fd, UFFDIO_API, &api) ||
	       ioctl(h->fd, UFFDIO_REGISTER, &reg) ? -1 : 0;
}

bool held_somebody(const struct held *h)
{
	struct uffd_msg msg;

	return poll_for(h->fd, POLLIN, SOON_MS) &&
	       read(h->fd, &msg, sizeof(msg)) == sizeof(msg) &&
	       msg.event == UFFD_EVENT_PAGEFAULT;
}

int held_let_go(const struct held *h, const void *data, size_t len)
{
	static __u8 first[PAGE_MAX] __attribute__((aligned(PAGE_MAX)));
	struct uffdio_copy copy = {
		.dst = (unsigned long)h->page,
		.src = (unsigned long)first,
		.len = h->size,
	};
	struct uffdio_zeropage zero = { .range = range_of(h) };

	memset(first, 0, sizeof(first));
	if (len)
		memcpy(first, data, len);
	zero.range.start += h->size;
	zero.range.len -= h->size;
	if (ioctl(h->fd, UFFDIO_COPY, &copy))
		return -1;
	return h->n > 1 ? ioctl(h->fd, UFFDIO_ZEROPAGE, &zero) : 0;
}

int held_fail(const struct held *h)
{
	struct uffdio_range range = range_of(h);

	if (munmap(h->page, range.len))
		return -1;
	return ioctl(h->fd, UFFDIO_WAKE, &range);
}

void held_close(const struct held *h)
{
	close(h->fd);
	munmap(h->page - h->size, (h->n + 1) * h->size);
}
