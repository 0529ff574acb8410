#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What takes longer than `make check` has time for: half an hour of chaos, then
# ten minutes of full load, on both kernels at once. Load is measured on slow
# processors whose time is their own (VMICOUNT). Progress is printed as it comes; the last line says how many test cases passed and failed.
# SEED draws the chaos, CHAOS_SECONDS and LOAD_SECONDS say how long, KERNELS
# where. The histories of rounds that a judge condemned are in
# build/check-long/*.out.
set -u
cd "$(dirname "$0")/.." || exit
chaos=${CHAOS_SECONDS:-1800}
load=${LOAD_SECONDS:-600}
# Another storm every day, the same one all day.
seed=${SEED:-$(date +%Y%m%d)00}
for n in "$chaos" "$load" "$seed"; do
	[[ $n =~ ^[0-9]+$ ]] || {
		echo "check-long: not a number: $n" >&2
		exit 2
	}
done
logs=build/check-long
rm -rf "$logs"
mkdir -p "$logs"
passed=0 failed=0
export MAKEFLAGS=

# guest KERNEL NAME LIMIT COMMAND [VARIABLE...]
guest() {
	make -s vm VMKERNEL="$1" VMNAME="long-$2-$1" VMTIMEOUT="$3" RUN="$4" \
		"${@:5}" 2>&1 |
		stdbuf -oL tr -d '\r' | tee "$logs/$2-$1.log" | sed -u "s/^/$1: /"
	echo "${PIPESTATUS[0]}" >"$logs/$2-$1.rc"
	cp "build/vm/long-$2-$1.kmsg" "$logs/$2-$1.kmsg"
	[ ! -s "build/vm/long-$2-$1.out" ] ||
		cp "build/vm/long-$2-$1.out" "$logs/$2-$1.out"
}

# count KERNEL NAME
count() {
	local ok bad
	ok=$(grep -cE '^ok [0-9]' "$logs/$2-$1.log")
	bad=$(grep -cE '^not ok [0-9]' "$logs/$2-$1.log")
	[ "$(cat "$logs/$2-$1.rc")" != 0 ] && [ "$bad" = 0 ] && bad=1
	passed=$((passed + ok))
	failed=$((failed + bad))
}

kernels=${KERNELS:-6.1 6.12}
make -s module lib tools selftests >/dev/null || exit
start=$SECONDS
if [ "$chaos" != 0 ]; then
	for kernel in $kernels; do
		guest "$kernel" chaos $((3 * chaos + 300)) \
			"CHAOS_SECONDS=$chaos CHAOS_SEED=$seed bash /selftests/net/test_chaos.sh" &
	done
	wait
	for kernel in $kernels; do count "$kernel" chaos; done
fi
if [ "$load" != 0 ]; then
	for kernel in $kernels; do
		guest "$kernel" load $((10 * load + 300)) \
			"LOAD_SECONDS=$load LOAD_STILL=100000 bash /selftests/net/load.sh" \
			VMICOUNT=6 VMSMP=1 &
	done
	wait
	for kernel in $kernels; do count "$kernel" load; done
fi
echo "# $((SECONDS - start)) s"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
