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

# step NAME SECONDS COMMAND...
step() {
	local name=$1 limit=$2 log ok bad rc start
	shift 2
	log=$logs/$name.log
	start=$SECONDS
	timeout -k 10 "$limit" "$@" >"$log" 2>&1
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
	step sim-asan 900 make -s sim-asan
	step sim-faults 900 make -s sim-faults
fi
for kernel in 6.1 6.12; do
	step "guest-$kernel" 900 make -s vm VMKERNEL=$kernel VMTIMEOUT=800 \
		VMNAME="check-$kernel" VMPYTHON=1 VMFILES=build/readme.py \
		RUN='/selftests/net/run.sh'
done
have 'selftests/demo/demo.sh' && step demo 600 make -s demo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
