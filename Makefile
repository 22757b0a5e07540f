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
# What vermagic names; "make kernelrelease" of Debian's headers names another.
release	= $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
		$(KDIR)/include/generated/utsrelease.h)
version	:= $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' $(top)/dkms.conf)

all: user $(if $(headers),modules,no-module)

help:
	@echo 'make             the library, the tool, and the module where the headers of'
	@echo '                 the running kernel are installed'
	@echo 'make modules     the module alone, for the kernel of KDIR'
	@echo 'make install     all of these, below PREFIX ($(PREFIX)) and DESTDIR;'
	@echo '                 make uninstall, with the same PREFIX, removes them'
	@echo 'make install-dkms  the sources of the module below /usr/src, for DKMS'
	@echo 'make deb         packages for Debian, in build/deb'
	@echo 'make test        the library, the engine and the codec: two minutes, without'
	@echo '                 root or a virtual machine'
	@echo 'make check       every test: user space, then a virtual machine with each'
	@echo '                 of KERNELS ($(KERNELS));'
	@echo '                 the others are kcsan-6.12, built-7.2, built-7.3, stock-6.1,'
	@echo '                 and stock-6.1- with i386, arm64 or ppc64le (64 KiB pages)'
	@echo 'make interop     the handshake engine against OpenSSL, GnuTLS, Mbed TLS,'
	@echo '                 wolfSSL and libcoap: every suite, resumption, MTU, and loss;'
	@echo '                 and 2,000 clients of these on one server at once, with records'
	@echo '                 in user space, and 400 with records in the kernel, in a virtual'
	@echo '                 machine with KERNEL'
	@echo 'make demo        the module against OpenSSL and GnuTLS, in a virtual machine'
	@echo 'make bench       what a record costs beside plain UDP, OpenSSL and others, in'
	@echo '                 a virtual machine with KERNEL ($(KERNEL)); with HERE=1, as root,'
	@echo '                 on the running kernel'
	@echo 'make lint        checkpatch, sparse, kernel-doc and shellcheck; no circle among'
	@echo '                 the files; nothing in the guides that is not there'
	@echo 'make clean       removes build/'
	@echo
	@echo 'check, interop, demo, bench and lint install the Debian packages they need,'
	@echo 'as root.'
	@echo 'selftests/vm/run has the ways to run single tests.'

user:
	@for part in $(parts); do \
		$(MAKE) --no-print-directory -C $(top)/$$part BUILD=$(build) || exit; \
	done

advice	= on Debian: apt install linux-headers-$(shell uname -r); \
	  for another kernel: make modules KDIR=FOLDER

no-module:
	@echo 'The module dtls is left out: there are no kernel headers in $(KDIR)'
	@echo '($(advice)).'

modules:
	$(if $(headers),,$(error there are no kernel headers in $(KDIR) ($(advice))))
	@mkdir -p $(kmod)
	@cp -rpu $(top)/Kbuild $(top)/dkms.conf $(top)/kernel $(top)/include $(kmod)
	$(MAKE) -C $(KDIR) M=$(kmod) modules

install: install-user $(if $(headers),install-modules,no-module)

# ldconfig and depmod are for the running system, and for root.
staged	:= [ -n "$(DESTDIR)" ] || [ "$$(id -u)" -ne 0 ]

install-user: user
	@for part in $(parts); do \
		$(MAKE) --no-print-directory -C $(top)/$$part BUILD=$(build) install || exit; \
	done
	$(staged) || ldconfig

# The headers of a distribution name the key that signs its modules, and do not have it.
key	= $(shell sed -n 's/^CONFIG_MODULE_SIG_KEY="\(.*\)"/\1/p' \
		$(KDIR)/include/config/auto.conf)
keys	= $(filter pkcs11:%,$(key)) $(wildcard $(key) $(addprefix $(KDIR)/,$(key)))

install-modules: modules
	$(MAKE) -C $(KDIR) M=$(kmod) INSTALL_MOD_PATH=$(DESTDIR) \
		$(if $(strip $(keys)),,CONFIG_MODULE_SIG_ALL=) \
		INSTALL_MOD_DIR=updates modules_install
	$(staged) || depmod $(release)

source	:= $(DESTDIR)/usr/src/dtls-$(version)

install-dkms:
	install -d $(source)/include/uapi/linux $(source)/kernel
	install -m 644 $(top)/Kbuild $(top)/dkms.conf $(source)
	install -m 644 $(wildcard $(top)/kernel/*.[ch]) $(source)/kernel
	install -m 644 $(top)/include/uapi/linux/dtls.h $(source)/include/uapi/linux

# What "make install" installs elsewhere is what there is to remove.
uninstall:
	rm -rf $(build)/uninstall
	$(MAKE) --no-print-directory install-user DESTDIR=$(build)/uninstall
	cd $(build)/uninstall && find . ! -type d | while read -r file; do \
		rm -f "$(DESTDIR)/$$file" || exit; \
	done
	cd $(build)/uninstall && find . -type d -name kdtls | while read -r dir; do \
		[ ! -d "$(DESTDIR)/$$dir" ] || \
			rmdir --ignore-fail-on-non-empty "$(DESTDIR)/$$dir" || exit; \
	done
	rm -rf $(build)/uninstall
	$(staged) || ldconfig
	$(if $(headers),rm -f $(DESTDIR)/lib/modules/$(release)/updates/dtls.ko*)
	$(if $(headers),$(staged) || depmod $(release))

# The packages are built from a copy, as the build begins with "make clean". Those with
# the symbols for debuggers are left out.
deb:
	rm -rf $(build)/deb
	mkdir -p $(build)/deb/kernel-dtls-$(version)
	tar -C $(top) --exclude=./build --exclude=./.git -cf - . | \
		tar -C $(build)/deb/kernel-dtls-$(version) -xf -
	cd $(build)/deb/kernel-dtls-$(version) && \
		DEB_BUILD_OPTIONS="noautodbgsym parallel=$(shell nproc)" \
		dpkg-buildpackage -us -uc -b
	@ls $(build)/deb/*.deb

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
	@$(vm)/install $(KERNEL)
	@$(MAKE) -s --no-print-directory -C $(top)/selftests/engine \
		BUILD=$(build) interop
	@$(MAKE) -s --no-print-directory -C $(top)/selftests/crowd \
		BUILD=$(build) KERNEL=$(KERNEL) check check-kernel

lint:
	@$(vm)/lint

clean:
	rm -rf $(build)

.PHONY: all help user modules no-module install install-user install-modules \
	install-dkms uninstall deb test check demo bench interop lint clean
