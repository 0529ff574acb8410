#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Boots a packaged kernel under QEMU and runs a command in it as root; see
# `make help`. Prints the command's output, ends with its exit status; 124 when
# the time is over, 92 when the kernel's log shows trouble. What the command
# writes to /dev/ttyS3 is in build/vm/NAME.out afterwards, byte for byte.
#
# TCG, not KVM: /dev/kvm may exist where guests hang all the same. VMICOUNT=N:
# processors that take 2^N ns an instruction, and time that stands still when
# the host does not run them: what is measured does not depend on the host.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
ver=${VMKERNEL:-6.1}
name=${VMNAME:-vm-$ver}
build=$top/build
kdir=$build/kernels/$ver
vmdir=$build/vm
mkdir -p "$vmdir"
release=$(cat "$kdir/release")
base=$vmdir/base-$ver.cpio.gz
modules="veth bridge dummy sch_netem sch_tbf udp_tunnel ip6_udp_tunnel tipc"

# put FILE ROOT [DIR]: copies a program and the libraries it needs.
put() {
	local f=$1 root=$2 to=${3:-usr/bin} l
	mkdir -p "$root/$to"
	cp -L "$f" "$root/$to/"
	while read -r l; do
		[ -e "$root$l" ] && continue
		mkdir -p "$root$(dirname "$l")"
		cp -L "$l" "$root$l"
	done < <(LD_LIBRARY_PATH=$build/lib ldd "$f" 2>/dev/null |
		grep -o '/[^ ]*' | grep -v "^$build" || true)
}

pack() {
	(cd "$1" && find . -print0 | cpio -0 -o -H newc --quiet | gzip -1)
}

make_base() {
	local root p
	root=$(mktemp -d)
	mkdir -p "$root"/{bin,sbin,dev,proc,sys,tmp,run,root,etc,var,lib64,lib}
	cp "$(command -v busybox)" "$root/bin/"
	for p in ip tc bash; do
		put "$(command -v $p)" "$root"
	done
	# Tools that check privileges, where the host has them.
	for p in setpriv unshare nsenter; do
		if command -v $p >/dev/null; then put "$(command -v $p)" "$root"; fi
	done
	ln -s ../usr/bin/bash "$root/bin/bash"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >>"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	for p in $modules; do
		modprobe -d "$kdir" -S "$release" -D "$p" 2>/dev/null |
			awk '/^insmod/{print $2}' || true
	done | awk '!s[$0]++' | sed "s,^$kdir,," >"$root/mods"
	while read -r p; do
		mkdir -p "$root$(dirname "$p")"
		cp "$kdir$p" "$root$p"
	done <"$root/mods"
	cp "$top/selftests/vm/init" "$root/init"
	chmod 755 "$root/init"
	pack "$root" >"$base.$$"
	mv "$base.$$" "$base"
	rm -rf "$root"
}

# The part of the initramfs that changes: our own files and the command.
make_ours() {
	local root=$1 f
	mkdir -p "$root"/{lib,root,usr/bin,usr/lib}
	[ "${VMLOAD:-1}" = 0 ] || cp "$build/$ver/gsock.ko" "$root/lib/gsock.ko"
	if [ -d "$build/bin" ]; then
		for f in "$build"/bin/*; do
			if [ -f "$f" ]; then put "$f" "$root"; fi
		done
	fi
	if compgen -G "$build/lib/*.so*" >/dev/null; then
		mkdir -p "$root/lib/x86_64-linux-gnu"
		cp -a "$build"/lib/*.so* "$root/lib/x86_64-linux-gnu/"
	fi
	if [ -d "$top/selftests/net" ]; then
		mkdir -p "$root/selftests"
		cp -r "$top/selftests/net" "$root/selftests/"
	fi
	for f in ${VMFILES:-}; do
		cp -rL "$f" "$root/root/"
		if [ -f "$f" ] && [ -x "$f" ]; then put "$f" "$root" root; fi
	done
	if [ "${VMPYTHON:-0}" = 1 ]; then put_python "$root"; fi
	printf 'VMLOAD=%s\nVMUNLOAD=%s\nVMPARAM="%s"\n' "${VMLOAD:-1}" \
		"${VMUNLOAD:-1}" "${VMPARAM:-}" >"$root/vm.conf"
	printf '%s\n' "${RUN:?RUN is the command to run}" >"$root/run.sh"
}

put_python() {
	local root=$1 lib f
	put /usr/bin/python3 "$root"
	lib=$(/usr/bin/python3 -c 'import os; print(os.path.dirname(os.__file__))')
	mkdir -p "$root$lib"
	cp -r "$lib"/*.py "$lib"/{collections,encodings,json,re,importlib,ctypes} \
		"$root$lib/"
	mkdir -p "$root$lib/lib-dynload"
	for f in "$lib"/lib-dynload/{_ctypes,_json,_struct,_socket,select,array,math}*; do
		if [ -e "$f" ]; then put "$f" "$root" "${lib#/}/lib-dynload"; fi
	done
}

# own_lines LOG: without data races of the kernel with itself. What KCSAN says
# of one has a line of = before and after it, and names both functions; those
# of the module with "[gsock]".
own_lines() {
	awk '/ =====*$/ { bar = $0; getline
		if (/BUG: KCSAN:/ && !/\[gsock\]/) {
			while (getline > 0 && !/ =====*$/)
				;
			next
		}
		print bar }
		{ print }' "$1"
}

check_log() {
	local log=$1 bad stacks='|Call Trace'
	# With VMSCARCE=1 memory is refused on purpose, and the kernel shows who
	# asked for it; what is wrong has a line of its own.
	[ -z "${VMSCARCE:-}" ] || stacks=
	bad=$(own_lines "$log" | grep -nE 'WARNING:|BUG:|Oops|Kernel panic|rcu.*(stall|self-detected)|blocked for more than|unregister_netdevice: waiting|possible (circular|recursive)|leaked|refcount_t:|general protection|UBSAN:|ODEBUG|INFO: |suspicious|inconsistent lock|kmemleak: [1-9]|kmemleak: (Kernel memory leak detector disabled|Cannot)|lockdep is turned off'"$stacks" |
		head -n 5 || true)
	if [ -n "$bad" ]; then
		echo "vm: trouble in the kernel's log ($log):" >&2
		echo "$bad" >&2
		return 1
	fi
	# What the module says at its end: everything made was given back.
	bad=$(grep -oE 'gsock: objects .* created [0-9]+ destroyed [0-9]+' "$log" |
		awk '$(NF-2) != $NF' || true)
	if [ -n "$bad" ]; then
		echo "vm: objects left over:" >&2
		echo "$bad" >&2
		return 1
	fi
}

if [ ! "$base" -nt "$top/selftests/vm/vmrun.sh" ] ||
	[ ! "$base" -nt "$top/selftests/vm/init" ]; then
	make_base
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/ours"
make_ours "$tmp/ours"
pack "$tmp/ours" >"$tmp/ours.gz"
cat "$base" "$tmp/ours.gz" >"$tmp/initrd"
kmsg=$vmdir/$name.kmsg
console=console=ttyS0
icount=${VMICOUNT:-}
smp=2
case $ver in
# The driver's lock is one that a real-time kernel could not take everywhere:
# lockdep would say so, and then nothing else. So bytes go out without it.
# What takes a second elsewhere may take twenty there. Time passes with the
# guest's instructions, 2 ns each, and where it idles at once: what is slow is
# not late because the host has other things to do, and waiting takes none.
kasan | kcsan)
	console="earlyprintk=ttyS0,keep console=tty0 watchdog_thresh=60"
	icount=1
	;;
esac
accel=(-accel "tcg,thread=multi")
[ -z "$icount" ] ||
	accel=(-accel "tcg,thread=single" -icount "shift=$icount,sleep=off")
# A second processor of this one does not come up beside such a clock.
[ "$ver" != kasan ] || smp=1

set +e
timeout -k 5 "${VMTIMEOUT:-300}" qemu-system-x86_64 \
	"${accel[@]}" -cpu Nehalem -smp "${VMSMP:-$smp}" \
	-m "${VMMEM:-2G}" -display none -no-reboot -nic none -vga none \
	-serial "file:$kmsg" -serial stdio -serial "file:$tmp/status" \
	-serial "file:$vmdir/$name.out" \
	-monitor none -kernel "$kdir/vmlinuz" -initrd "$tmp/initrd" \
	-append "$console quiet loglevel=7 panic=-1 mitigations=off no_timer_check ${VMAPPEND:-}" \
	</dev/null
rc=$?
set -e
[ -z "${VMVERBOSE:-}" ] || cat "$kmsg" >&2
status=$(tr -d '\r' <"$tmp/status" 2>/dev/null | awk '/^vm-status/{print $2}')
if [ -z "$status" ]; then
	if [ $rc = 124 ] || [ $rc = 137 ]; then
		echo "vm: time limit of ${VMTIMEOUT:-300} s" >&2
	else
		echo "vm: the guest ended early" >&2
	fi
	tail -n 30 "$kmsg" >&2
	exit 124
fi
check_log "$kmsg" || { [ "$status" != 0 ] || status=92; }
exit "$status"
