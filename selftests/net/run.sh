#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# All tests of the guest, each in turn; TAP of each, and a status for all.
status=0
echo '# group_api'
group_api || status=1
for t in /selftests/net/test_*.sh; do
	[ -e "$t" ] || continue
	echo "# $t"
	bash "$t" || status=1
done
exit $status
