# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# The machines that kernels run on; sourced. A kernel's name ends with its
# machine's; without such an end it is for x86-64, as this machine is.

# The kernels that there are.
kernels="stock-6.12 debug-6.12 kcsan-6.12 stock-6.1 stock-6.1-i386
stock-6.1-arm64 stock-6.1-ppc64le built-7.2 built-7.3"

# machine KERNEL: set what depends on the machine of the named kernel:
#   debian	Debian's name of a foreign architecture, or nothing
#   triplet	the folder of its libraries
#   cross	the prefix of a foreign compiler's and its tools' names
#   newest	the Debian package that depends on its newest kernel
#   packages	what this machine needs to build for it and to emulate it
#   qemu	the emulator and its machine, whose second serial port is the
#		character device "result"
#   console	its first serial port, for the kernel's log
#   tty		its second serial port, for everything else
machine()
{
	debian='' triplet=x86_64-linux-gnu cross='' packages=()
	newest=linux-image-cloud-amd64
	# The PCI tables of the q35 machine are quicker to read for a slow
	# kernel.
	qemu=(qemu-system-x86_64 -machine q35 -cpu max -serial chardev:result)
	console=ttyS0 tty=ttyS1
	case $1 in
	*-i386)
		debian=i386
		triplet=i386-linux-gnu
		cross=i686-linux-gnu-
		newest=linux-image-686-pae
		packages=(gcc-12-i686-linux-gnu)
		;;
	*-arm64)
		debian=arm64
		triplet=aarch64-linux-gnu
		cross=$triplet-
		newest=linux-image-cloud-arm64
		packages=(gcc-12-aarch64-linux-gnu qemu-system-arm)
		# The machine has one serial port of its own.
		qemu=(qemu-system-aarch64 -machine virt -cpu neoverse-n1
		      -device pci-serial,chardev=result)
		console=ttyAMA0 tty=ttyS0
		;;
	*-ppc64le)
		debian=ppc64el
		triplet=powerpc64le-linux-gnu
		cross=$triplet-
		newest=linux-image-powerpc64le
		packages=(gcc-12-powerpc64le-linux-gnu qemu-system-ppc)
		# Emulated processors do not speculate.
		qemu=(qemu-system-ppc64 -cpu power9 -machine
		      pseries,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken
		      -serial chardev:result)
		console=hvc0 tty=hvc1
		;;
	esac
}

# machine_make: set, after machine, what programs for it are built with:
#   programs	the folder they are built in
#   make	the arguments of make
machine_make()
{
	local system

	programs=$build${debian:+/$debian}
	make=(BUILD="$programs")
	if [ -n "$debian" ]; then
		system=$("$vm/kernel" "system-$debian")
		make+=(CC="${cross}gcc-12 --sysroot=$system" AR="${cross}ar")
	fi
}
