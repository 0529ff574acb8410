#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Fetches a packaged kernel image without installing it (an installation would
# build a boot image for this machine): kernel.sh 6.1|6.12 DIR
# Leaves DIR/vmlinuz, DIR/lib/modules/RELEASE and DIR/release.
set -euo pipefail

series=$1
dir=$2
[ -f "$dir/release" ] && exit 0

case $series in
6.1) meta=linux-image-cloud-amd64 ;;
6.12) meta=linux-image-6.12-cloud-amd64 ;;
*)
	echo "kernel.sh: no such kernel: $series (6.1 or 6.12)" >&2
	exit 2
	;;
esac
# The image must be the one whose headers are installed: same package run.
pkg=$(apt-cache depends "$meta" | awk '/Depends: linux-image-6/{print $2; exit}')
[ -n "$pkg" ] || {
	echo "kernel.sh: apt knows no package behind $meta; run apt-get update" >&2
	exit 1
}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp"
(cd "$tmp" && apt-get download -q "$pkg" >&2)
rm -rf "$dir"
mkdir -p "$dir"
dpkg-deb -x "$tmp"/*.deb "$dir"
release=${pkg#linux-image-}
[ -d "$dir/lib" ] || mv "$dir/usr/lib" "$dir/lib"
cp "$dir/boot/vmlinuz-$release" "$dir/vmlinuz"
depmod -b "$dir" "$release"
echo "$release" >"$dir/release"
