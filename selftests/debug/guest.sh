#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest of a kernel that looks for faults: guest.sh COMMAND...
# Runs the command, the module being loaded; afterwards that goes, and kmemleak,
# where there is one, must find nothing. TAP of both.
set -u
leaks=/sys/kernel/debug/kmemleak
status=0

say() {
	if [ "$2" = 0 ]; then
		echo "ok 1 - $1"
	else
		echo "not ok 1 - $1"
		status=1
	fi
}

# Only what is older than 5 s is taken for leaked, and only what two scans
# agree on.
no_leak() {
	sleep 6
	echo scan >$leaks && echo scan >$leaks
	cat $leaks
	[ ! -s $leaks ] && [ -z "$(cat $leaks)" ]
}

# A processor of an emulated guest that is busy elsewhere is no stall.
echo 300 >/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout
if [ -e $leaks ]; then
	# What the kernel lost while it booted.
	echo scan >$leaks
	echo clear >$leaks
fi
"$@" || status=1
if grep -q '^gsock ' /proc/modules; then
	if [ -e $leaks ]; then
		no_leak
		say 'kmemleak finds nothing while the module is loaded' $?
	fi
	for _ in $(seq 100); do
		rmmod gsock 2>/tmp/rmmod.err && break
		usleep 100000
	done
	! grep -q '^gsock ' /proc/modules
	say 'the module goes' $?
fi
if [ -e $leaks ]; then
	no_leak
	say 'kmemleak finds nothing when it is gone' $?
fi
exit $status
