#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs every test, cheapest first; the last line says how many test cases
# passed and failed.
set -u
cd "$(dirname "$0")/.." || exit
logs=build/check
# shellcheck source=selftests/steps.sh
. selftests/steps.sh

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
step judge 300 make -s judge
step judge-py 300 make -s judge-py
step judges 300 make -s judges GOOD=20 \
	MUTANTS='VIEW_RANKS STAMP_OLD CAUSAL_FREE TOTAL_LOCAL MARK_EARLY'
# The guests wait for time to pass more than for a processor: both at once.
for kernel in 6.1 6.12; do
	begin "guest-$kernel" 1300 make -s vm VMKERNEL=$kernel VMTIMEOUT=1200 \
		VMNAME="check-$kernel" VMPYTHON=1 VMFILES=build/readme.py \
		RUN='/selftests/net/run.sh'
done
for kernel in 6.1 6.12; do
	finish "guest-$kernel"
done
# One slow processor, whose time is its own: here the host is no excuse.
for kernel in 6.1 6.12; do
	begin "guest-slow-$kernel" 400 make -s vm VMKERNEL=$kernel \
		VMTIMEOUT=380 VMNAME="check-slow-$kernel" VMICOUNT=6 VMSMP=1 \
		RUN='LOAD_SECONDS=20 LOAD_STILL=100000 bash /selftests/net/load.sh'
done
for kernel in 6.1 6.12; do
	finish "guest-slow-$kernel"
done
step guest-many 300 make -s vm VMKERNEL=6.12 VMTIMEOUT=280 VMNAME=check-many \
	RUN='bash /selftests/net/many.sh'
have 'selftests/demo/demo.sh' && step demo 600 make -s demo
sum_up
