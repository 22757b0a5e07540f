# SPDX-License-Identifier: GPL-2.0
# Where kselftest_harness.h is: KSELFTEST_DIR, <linux>/tools/testing/selftests.
# TOP is to be set.

ifndef KSELFTEST_DIR
harness_source := $(shell $(TOP)/selftests/vm/kernel source-6.12)
ifeq ($(harness_source),)
$(error no kernel source to take kselftest_harness.h from)
endif
KSELFTEST_DIR := $(harness_source)/tools/testing/selftests
endif

# A warning in the kernel's own headers is not ours.
override CPPFLAGS += -isystem $(KSELFTEST_DIR) -iquote $(TOP)/selftests
