# SPDX-License-Identifier: GPL-2.0
#
# With ROOT=<dir> programs are built with the headers and libraries below that
# directory, such as the one that selftests/vm/trixie prints. The programs name
# its loader and its libraries, so that they are run like any other.

ifneq ($(ROOT),)
root_loader := $(wildcard $(ROOT)/lib64/ld-linux-*.so.2)
root_libs := $(ROOT)/usr/lib/$(shell gcc -print-multiarch)
override CFLAGS += --sysroot=$(ROOT)
override LDFLAGS += -B$(root_libs) -Wl,--dynamic-linker=$(root_loader) \
	   -Wl,--disable-new-dtags -Wl,-rpath,$(root_libs)
# A program that runs others of ROOT needs these.
override CPPFLAGS += -DPEER_ROOT='"$(ROOT)"' -DPEER_LOADER='"$(root_loader)"' \
	    -DPEER_LIBS='"$(root_libs)"'
endif
