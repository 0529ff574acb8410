#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# All tests of the guest, each in turn; TAP of each, and a status for all.
status=0

# run COMMAND...: and says how long it took.
run() {
	local began=$SECONDS
	echo "# $*"
	"$@" || status=1
	echo "# $*: $((SECONDS - began)) s"
}

run group_api
for t in /selftests/net/test_*.sh; do
	[ ! -e "$t" ] || run bash "$t"
done
exit $status
