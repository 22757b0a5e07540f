// SPDX-License-Identifier: GPL-2.0
/* What a cgroup's BPF programs see and change of an attached socket */
#include "harness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common.h"
#include "traffic.h"

#define MOUNT	"/tmp/cgroup2"
#define GROUP	MOUNT "/dtls"

#define INSN(c, d, s, o, i)						\
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s),	\
			    .off = (o), .imm = (i) })

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* Make a map of one number, in which a program counts how often it ran. */
static int make_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(__u32),
		.value_size = sizeof(__u64),
		.max_entries = 1,
	};

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

/* Return the number in @map, or -1. */
static long long runs(int map)
{
	__u64 value = 0;
	__u32 key = 0;
	union bpf_attr attr = {
		.map_fd = map,
		.key = (unsigned long)&key,
		.value = (unsigned long)&value,
	};

	if (syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)))
		return -1;
	return value;
}

/*
 * Load a program for @type that puts @value at @off of its context, and adds one to the
 * number in @map.
 */
static int load(enum bpf_attach_type type, int off, __u32 value, int map)
{
	struct bpf_insn insns[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, (int)value),
		INSN(BPF_STX | BPF_MEM | BPF_W, 1, 2, off, 0),
		/* Two instructions: the address of the map's number */
		INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_VALUE, 0, map),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 1),
		INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 1, 2, 0, BPF_ADD),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		.insns = (unsigned long)insns,
		.insn_cnt = ARRAY_SIZE(insns),
		.license = (unsigned long)"GPL",
		.expected_attach_type = type,
	};

	return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

static int attach(int group, int program, enum bpf_attach_type type)
{
	union bpf_attr attr = {
		.target_fd = group,
		.attach_bpf_fd = program,
		.attach_type = type,
	};

	return syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr));
}

FIXTURE(cgroup) {
	struct link l;
	struct sockaddr_storage peer;	/* the peer's address as it is */
	struct sockaddr_storage told;	/* as the program makes it */
	socklen_t len;
	int group;
	int map;
	int program;
};

FIXTURE_VARIANT(cgroup) {
	int family;
};

FIXTURE_VARIANT_ADD(cgroup, v4) {
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(cgroup, v6) {
	.family = AF_INET6,
};

FIXTURE_SETUP(cgroup)
{
	bool v4 = variant->family == AF_INET;
	enum bpf_attach_type type = v4 ? BPF_CGROUP_UDP4_RECVMSG :
					 BPF_CGROUP_UDP6_RECVMSG;
	int off = v4 ? offsetof(struct bpf_sock_addr, user_ip4) :
		       offsetof(struct bpf_sock_addr, user_ip6);
	__u32 value = htonl(0x0a010203);
	char pid[16];

	/* What is there of this from another test is as good. */
	mkdir(MOUNT, 0755);
	mount("none", MOUNT, "cgroup2", 0, NULL);
	mkdir(GROUP, 0755);
	self->group = open(GROUP, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, self->group) TH_LOG("%s", strerror(errno));
	snprintf(pid, sizeof(pid), "%d", getpid());
	ASSERT_OK(write_file(GROUP "/cgroup.procs", pid));
	ASSERT_OK(link_raw(&self->l, variant->family, DTLS_CIPHER_AES_GCM_128,
			   0));
	self->len = sizeof(self->peer);
	ASSERT_OK(getpeername(self->l.a, (struct sockaddr *)&self->peer,
			      &self->len));
	self->told = self->peer;
	if (v4)
		memcpy(&((struct sockaddr_in *)&self->told)->sin_addr, &value,
		       sizeof(value));
	else
		memcpy(&((struct sockaddr_in6 *)&self->told)->sin6_addr, &value,
		       sizeof(value));
	self->map = make_map();
	ASSERT_LE(0, self->map) TH_LOG("%s", strerror(errno));
	self->program = load(type, off, value, self->map);
	if (self->program < 0 && errno == EINVAL)
		SKIP(return, "kernel without CONFIG_CGROUP_BPF");
	ASSERT_LE(0, self->program) TH_LOG("%s", strerror(errno));
	ASSERT_OK(attach(self->group, self->program, type));
}

FIXTURE_TEARDOWN(cgroup)
{
	write_file(MOUNT "/cgroup.procs", "0");
	close(self->program);
	close(self->map);
	close(self->group);
	rmdir(GROUP);
	link_close(&self->l);
}

static bool told(FIXTURE_DATA(cgroup) *self, int flags)
{
	struct sockaddr_storage from = {};
	socklen_t len = sizeof(from);
	char buf[64];

	return recvfrom(self->l.a, buf, sizeof(buf), flags,
			(struct sockaddr *)&from, &len) > 0 &&
	       len == self->len && !memcmp(&from, &self->told, len);
}

TEST_F(cgroup, program_changes_the_address_of_data)
{
	ASSERT_EQ(4, link_send(&self->l, CT_DATA, "data", 4));
	EXPECT_TRUE(told(self, MSG_PEEK));
	EXPECT_TRUE(told(self, 0));
	EXPECT_EQ(2, runs(self->map));
}

TEST_F(cgroup, program_changes_the_address_of_control_records)
{
	ASSERT_EQ(4, link_send(&self->l, CT_HANDSHAKE, "data", 4));
	EXPECT_TRUE(told(self, MSG_OOB));
	EXPECT_EQ(1, runs(self->map));
}

/* The kernel gives recvmsg() room for an address always, and recv() none. */
TEST_F(cgroup, program_does_not_run_without_an_address)
{
	char buf[64];

	EXPECT_TRUE(link_raw_works(&self->l));
	ASSERT_EQ(4, link_send(&self->l, CT_HANDSHAKE, "data", 4));
	EXPECT_EQ(4, recv(self->l.a, buf, sizeof(buf), MSG_OOB));
	EXPECT_EQ(0, runs(self->map));
}

TEST_HARNESS_MAIN
