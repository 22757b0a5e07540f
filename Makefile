# SPDX-License-Identifier: GPL-2.0
# The module, the library and the tool; their tests and the demo. "make help"
# lists the targets.

top	:= $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
build	:= $(top)/build
vm	:= $(top)/selftests/vm

KDIR	?= /lib/modules/$(shell uname -r)/build
KERNELS	?= stock-6.12 debug-6.12
KERNEL	?= stock-6.12
PREFIX	?= /usr/local
DESTDIR	?=
export PREFIX DESTDIR

kmod	:= $(build)/kmod/running
parts	:= userspace tools
headers	:= $(wildcard $(KDIR)/Makefile)

all: user $(if $(headers),modules)

help:
	@echo 'make             the library, the tool, and the module where the headers of'
	@echo '                 the running kernel are installed'
	@echo 'make modules     the module alone, for the kernel of KDIR'
	@echo 'make install     all of these, below PREFIX ($(PREFIX)) and DESTDIR'
	@echo 'make test        the library, the engine and the codec: two minutes, without'
	@echo '                 root or a virtual machine'
	@echo 'make check       every test: user space, then a virtual machine with each'
	@echo '                 of KERNELS ($(KERNELS));'
	@echo '                 the others are kcsan-6.12, built-7.2, built-7.3, stock-6.1,'
	@echo '                 and stock-6.1- with i386, arm64 or ppc64le (64 KiB pages)'
	@echo 'make interop     the handshake engine against OpenSSL, GnuTLS, Mbed TLS,'
	@echo '                 wolfSSL and libcoap: every suite, resumption, MTU, and loss'
	@echo 'make demo        the module against OpenSSL and GnuTLS, in a virtual machine'
	@echo 'make bench       what a record costs beside plain UDP, OpenSSL and others, in'
	@echo '                 a virtual machine with KERNEL ($(KERNEL)); with HERE=1, as root,'
	@echo '                 on the running kernel'
	@echo 'make lint        checkpatch, sparse, kernel-doc and shellcheck; no circle among'
	@echo '                 the files; nothing in the guides that is not there'
	@echo 'make clean       removes build/'
	@echo
	@echo 'check, demo, bench and lint install the Debian packages they need, as root.'
	@echo 'selftests/vm/run has the ways to run single tests.'

user:
	@for part in $(parts); do \
		$(MAKE) --no-print-directory -C $(top)/$$part BUILD=$(build) || exit; \
	done

modules:
	$(if $(headers),,$(error no kernel headers in $(KDIR)))
	@mkdir -p $(kmod)
	@cp -rpu $(top)/Kbuild $(top)/dkms.conf $(top)/kernel $(top)/include $(kmod)
	$(MAKE) -C $(KDIR) M=$(kmod) modules

install: all
	@for part in $(parts); do \
		$(MAKE) --no-print-directory -C $(top)/$$part BUILD=$(build) install || exit; \
	done
	$(if $(headers),$(MAKE) -C $(KDIR) M=$(kmod) \
		INSTALL_MOD_PATH=$(DESTDIR) modules_install)

# Built on all processors; the tests themselves come one after the other.
test:
	@for part in user engine; do \
		$(MAKE) -s --no-print-directory -j$(shell nproc) \
			-C $(top)/selftests/$$part BUILD=$(build) test || exit; \
	done

check:
	@$(vm)/check $(KERNELS)

demo:
	@$(top)/selftests/demo/demo

bench:
	@$(top)/selftests/bench/run $(if $(HERE),here,$(KERNEL))

interop:
	@$(vm)/install
	@$(MAKE) -s --no-print-directory -C $(top)/selftests/engine \
		BUILD=$(build) interop

lint:
	@$(vm)/lint

clean:
	rm -rf $(build)

.PHONY: all help user modules install test check demo bench interop lint clean
