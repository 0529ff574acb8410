#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# many.sh [GROUPS]: a node with a member in each of 8,192 groups is cut off.
# The members of the two others all have the new view, can send in it, and no
# processor is kept so long that RCU complains at 3 s.
# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

groups=${1:-8192}
limit=${MANYLIMIT:-120}

complete() {
	local i
	for i in 1 2 3; do
		grep -q ^complete "/tmp/crowd$i" || return
	done
}

stalls_after 3
dmesg -c >/dev/null
check 'three nodes' nodes_up 3
# The guest may stand still for longer than nodes are believed to be alive.
for i in 1 2 3; do in_node $i gsockctl node set heartbeat 300 detect 3000; done
for i in 1 2 3; do
	in_node $i group_crowd "$groups" 3 "$limit" >/tmp/crowd$i 2>&1 &
	crowd[i]=$!
done
check "$groups groups with a member on each" wait_for "$limit" complete
group_lag >/tmp/lag &
lag=$!
views=$(counter 1 view_changes)
link_cut 3
for i in 1 2; do
	wait "${crowd[i]}"
	ok "node $i: every group has its new view, and can be used" $?
	sed 's/^c/# c/' /tmp/crowd$i
done
kill -TERM $lag
wait $lag
cat /tmp/lag
check 'in one change' test "$(counter 1 view_changes)" = $((views + 1))
check 'no stall' test "$(dmesg | grep -c stall)" = 0
stalls_back
check 'and all is gone' nodes_down
finish
