#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The guest's tests in kernels that look for faults, and the walk over all
# allocations of the module; the last line says how many test cases passed and
# failed. A line of trouble in a kernel's log fails the step (vmrun.sh).
set -u
cd "$(dirname "$0")/../.." || exit
logs=build/check-debug
# shellcheck source=selftests/steps.sh
. selftests/steps.sh

# guest NAME SECONDS KERNEL COMMAND [FILES]
guest() {
	local name=$1 limit=$2 kernel=$3 command=$4 files=${5:-}
	step "$name" $((limit + 300)) make -s vm VMKERNEL="$kernel" \
		VMUNLOAD=0 VMTIMEOUT="$limit" VMNAME="$name" VMPYTHON=1 \
		VMFILES="selftests/debug build/readme.py $files" \
		RUN="export TIMESCALE=5; bash /root/debug/guest.sh $command"
}

for kernel in kasan kcsan; do
	step "kernel-$kernel" 7200 make -s "build/kernels/$kernel/release"
	step "module-$kernel" 600 make -s "build/$kernel/gsock.ko"
done
step failsite 300 make -s build/kasan/failsite/failsite.ko build/kasan/sites judge
guest kasan 5400 kasan /selftests/net/run.sh
VMSCARCE=1 guest walk 3600 kasan \
	'bash /root/debug/walk.sh /lib/gsock.ko /root/failsite.ko /root/sites' \
	'build/kasan/failsite/failsite.ko build/kasan/sites'
grep -h '^# .* refused' $logs/walk.log
guest kcsan 5400 kcsan /selftests/net/run.sh
sum_up
