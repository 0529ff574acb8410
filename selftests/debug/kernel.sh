#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds a kernel for the guest that looks for faults: kernel.sh kasan|kcsan DIR
# Leaves DIR/vmlinuz, DIR/release and DIR/build, against which modules are
# built. The source is Debian's package linux-source-6.1. What was built is
# kept until its configuration, the source or the compiler changes; a build that
# was interrupted goes on where it was.
set -euo pipefail

variant=$1
dir=$2
here=$(cd "$(dirname "$0")" && pwd)
tarball=/usr/src/linux-source-6.1.tar.xz

case $variant in
kasan | kcsan) ;;
*)
	echo "kernel.sh: no such variant: $variant (kasan or kcsan)" >&2
	exit 2
	;;
esac
options=$(grep -hE '^CONFIG_' "$here/base.config" "$here/$variant.config")
version=$(dpkg-query -W -f '${Version}' linux-source-6.1)
key=$({
	echo "$options"
	echo "$version $(gcc -dumpfullversion)"
} | sha256sum | cut -c 1-16)
if [ "$(cat "$dir/key" 2>/dev/null)" != "$key" ]; then
	rm -rf "$dir"
elif [ -e "$dir/release" ]; then
	exit 0
fi
mkdir -p "$dir"
echo "$key" >"$dir/key"
dir=$(cd "$dir" && pwd)
source=$(dirname "$dir")/source-$version
out=$dir/out

# Without drivers and architectures that no guest has: a tenth of the files.
unpack() {
	local p skip=()
	for p in Documentation sound drivers/gpu drivers/net/ethernet \
		drivers/net/wireless drivers/media drivers/staging \
		drivers/infiniband drivers/scsi drivers/usb drivers/iio \
		tools/perf tools/testing; do
		skip+=("--exclude=linux-source-6.1/$p/*.[chS]"
			"--exclude=linux-source-6.1/$p/*.rst"
			"--exclude=linux-source-6.1/$p/*.json")
	done
	for p in alpha arc arm arm64 csky hexagon ia64 loongarch m68k microblaze \
		mips nios2 openrisc parisc powerpc riscv s390 sh sparc xtensa; do
		skip+=("--exclude=linux-source-6.1/arch/$p/*.[chS]"
			"--exclude=linux-source-6.1/arch/$p/*.dts*")
	done
	rm -rf "$source" "$source.new"
	mkdir -p "$source.new"
	tar -xJf "$tarball" -C "$source.new" --strip-components=1 "${skip[@]}"
	mv "$source.new" "$source"
}

# An option that depends on another one that is off vanishes without a word.
granted() {
	local line bad=0
	while read -r line; do
		case $line in
		*=n) ! grep -q "^${line%n}" "$out/.config" ;;
		*) grep -qxF "$line" "$out/.config" ;;
		esac && continue
		echo "kernel.sh: this source does not grant $line" >&2
		bad=1
	done <<<"$options"
	return $bad
}

[ -d "$source" ] || unpack
mkdir -p "$out"
echo "$options" >"$dir/options"
kbuild() {
	nice -n 10 make -s -C "$source" O="$out" "$@" >>"$dir/build.log" 2>&1 || {
		tail -n 30 "$dir/build.log" >&2
		exit 1
	}
}
: >"$dir/build.log"
echo "building a kernel ($variant): some ten minutes on two processors" >&2
kbuild KCONFIG_ALLCONFIG="$dir/options" allnoconfig
granted
kbuild -j"$(nproc)" bzImage modules
cp "$out/arch/x86/boot/bzImage" "$dir/vmlinuz"
# Modules need headers, scripts and Module.symvers.
find "$out" \( -path "$out/scripts" -o -path "$out/tools" \) -prune -o \
	\( -name '*.[oa]' -o -name '*.cmd' -o -name 'vmlinux*' \
	-o -name bzImage \) -type f -exec rm {} +
ln -sfn "$out" "$dir/build"
cat "$out/include/config/kernel.release" >"$dir/release"
