#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs every test, cheapest first; the last line says how many test cases
# passed and failed. A step without TAP lines of its own counts as one case.
set -u
cd "$(dirname "$0")/.." || exit
logs=build/check
rm -rf "$logs"
mkdir -p "$logs"
passed=0 failed=0
export MAKEFLAGS=

# begin NAME SECONDS COMMAND...: in the background; finish NAME: its result.
begin() {
	local name=$1 limit=$2
	shift 2
	began[$name]=$SECONDS
	timeout -k 10 "$limit" "$@" >"$logs/$name.log" 2>&1 &
	pid[$name]=$!
}
declare -A began pid
# shellcheck disable=SC2046
trap 'kill $(jobs -p) 2>/dev/null' EXIT

finish() {
	local name=$1 log ok bad rc start
	log=$logs/$name.log
	start=${began[$name]}
	wait "${pid[$name]}"
	rc=$?
	# TAP, also as cmocka and the guests print it (with \r and indent).
	ok=$(tr -d '\r' <"$log" | grep -cE '^ *(ok [0-9]|\[       OK \])')
	bad=$(tr -d '\r' <"$log" | grep -cE '^ *(not ok [0-9]|\[  FAILED  \] [a-z_0-9]+$)')
	[ $rc -ne 0 ] && [ "$bad" = 0 ] && bad=1
	[ $((ok + bad)) = 0 ] && ok=1
	passed=$((passed + ok))
	failed=$((failed + bad))
	if [ "$bad" = 0 ]; then
		echo "ok - $name: $ok passed ($((SECONDS - start)) s)"
	else
		echo "not ok - $name: $ok passed, $bad failed ($((SECONDS - start)) s)"
		tr -d '\r' <"$log" | grep -E '^ *not ok|violated|rror' | head -n 10
		tail -n 20 "$log" | sed 's/^/    /'
	fi
}

# step NAME SECONDS COMMAND...
step() {
	begin "$@"
	finish "$1"
}

have() {
	compgen -G "$1" >/dev/null
}

step deps 1200 make -s build/linux/stamp build/kernels/6.1/release build/kernels/6.12/release
step static 300 make -s static
step module 900 make -s module
step sparse 600 make -s sparse
step build 300 make -s lib tools selftests bench
have 'selftests/unit/test_*.c' && step unit 600 make -s unit
if have 'selftests/sim/*.c'; then
	step sim 900 make -s sim SEEDS=500 FIRST=1
	step sim-scenes 900 make -s sim-scenes
	step sim-slices 900 make -s sim-slices SEEDS=300 FIRST=20001
	step sim-asan 900 make -s sim-asan
	step sim-faults 900 make -s sim-faults
fi
step judge-py 300 make -s judge-py
# The guests wait for time to pass more than for a processor: both at once.
for kernel in 6.1 6.12; do
	begin "guest-$kernel" 1300 make -s vm VMKERNEL=$kernel VMTIMEOUT=1200 \
		VMNAME="check-$kernel" VMPYTHON=1 VMFILES=build/readme.py \
		RUN='/selftests/net/run.sh'
done
for kernel in 6.1 6.12; do
	finish "guest-$kernel"
done
step guest-many 300 make -s vm VMKERNEL=6.12 VMTIMEOUT=280 VMNAME=check-many \
	RUN='bash /selftests/net/many.sh'
have 'selftests/demo/demo.sh' && step demo 600 make -s demo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
