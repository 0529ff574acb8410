#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: three nodes; anna on node 1, bert on node 2 and cleo on node 3
# send a file each, at once, in total order, while dora (1) and emil (2) join.
# emil is killed, node 3 is cut off. What the survivors (anna, bert, dora) have
# written down must be the same, byte by byte.
. /selftests/net/lib.sh
cd /tmp || exit
log=/tmp/logs
mkdir -p $log

fail() {
	echo "demo: FAILED: $*"
	for f in "$log"/*.err; do [ -s "$f" ] && cat "$f"; done
	nodes_down
	exit 1
}

now() { awk '{printf "%.3f", $1}' /proc/uptime; }
did() { echo "$(now) -- $*" >>$log/scene.time; }

# member NODE NAME OPTIONS...
member() {
	local node=$1 name=$2
	shift 2
	ip netns exec "n$node" member -g story -n "$name" \
		-l "$log/$name.log" -t "$log/$name.time" -e 'the end' "$@" \
		2>"$log/$name.err" &
	eval "pid_$name=$!"
}

# At least N messages from node NODE in the log of NAME.
heard() {
	[ "$(grep -c "^message [^ ]* [0-9]* total $2/" $log/"$1".log)" -ge "$3" ]
}
saw_view() { grep -q "^view .*$2" $log/"$1".log; }

start=$(now)
nodes_up 3 || fail "three nodes do not form a cluster"
did 'three nodes are one cluster'
member 1 anna -f /root/licences.txt -m /tmp/all-sent
wait_for 20 saw_view anna members || fail "anna has no view"
member 2 bert -f /root/kernel.txt
member 3 cleo -f /root/kvm.txt
wait_for 20 heard anna 2 200 || fail "nothing moves"
member 1 dora
wait_for 20 heard anna 2 500 || fail "nothing moves while dora joins"
member 2 emil
wait_for 20 heard emil '[123]' 100 || fail "emil hears nothing"
did 'emil is killed (SIGKILL)'
# shellcheck disable=SC2154
kill -9 "$pid_emil"
wait "$pid_emil" 2>/dev/null
wait_for 20 heard anna 3 4000 || fail "node 3 is too slow"
did 'node 3 is cut off: its link is down'
link_cut 3
wait_for 20 saw_view anna 'left 3/' || fail "no view without node 3"
wait_for 20 grep -q '^suspended' $log/cleo.log || fail "node 3 is not suspended"
n1=$(wc -l </root/licences.txt) n2=$(wc -l </root/kernel.txt)
wait_for 60 heard anna 1 "$n1" || fail "file of node 1 is not through"
wait_for 60 heard anna 2 "$n2" || fail "file of node 2 is not through"
touch /tmp/all-sent
for name in anna bert dora; do
	p=pid_$name
	wait_for 20 grep -q 'the end$' $log/$name.log || fail "$name sees no end"
	wait "${!p}" || fail "$name: exit status $?"
done
did 'anna, bert and dora have read the last message'

# ---- what they saw ----

echo 'Timeline (seconds; who; what)'
cat $log/*.time | sort -n |
	awk -v s="$start" '{ t = $1 - s; $1 = ""; printf "%7.3f %s\n", t, $0 }'
echo

# What was sent by NODE, as NAME has it, without the last message.
text() {
	grep "^message [^ ]* [0-9]* total $2/" $log/"$1".log |
		sed 's/^message [^ ]* [^ ]* [^ ]* [^ ]* //' | grep -v '^the end$'
}
# anna's log from the first view of NAME on.
from_view_of() {
	tail -n +"$(grep -nxF "$(head -n 1 $log/"$1".log)" $log/anna.log |
		cut -d: -f1)" $log/anna.log
}
echo "anna, the first to join: $(wc -l <$log/anna.log) lines"
for name in bert dora; do
	n=$(wc -l <$log/$name.log)
	tail -n "$n" $log/anna.log | cmp - $log/$name.log ||
		fail "anna and $name differ"
	echo "$name: $n lines from its first view to the end, identical"
done
# emil: from its first view to where SIGKILL found it.
n=$(wc -l <$log/emil.log)
[ "$n" -gt 100 ] || fail "emil wrote too little"
cmp <(from_view_of emil | head -n "$n") $log/emil.log ||
	fail "emil differs before its end"
echo "emil, who was killed: $n lines, a part of the same"
# cleo: all views before its last one whole, of that a common prefix.
sed '/^suspended$/,$d' $log/cleo.log >$log/cleo.before
last=$(grep -n '^view' $log/cleo.before | tail -n 1 | cut -d: -f1)
cmp <(head -n "$last" $log/cleo.before) <(from_view_of cleo | head -n "$last") ||
	fail "cleo differs before its last view"
same=$(cmp $log/cleo.before <(from_view_of cleo) 2>&1 |
	sed -n 's/.*line \([0-9]*\)$/\1/p')
same=$((${same:-$(($(wc -l <$log/cleo.before) + 1))} - 1))
[ "$same" -gt 4000 ] || fail "cleo differs at line $same"
echo "cleo, who was cut off: $same of $(wc -l <$log/cleo.before) lines the same; what it alone has was seen by nobody else"
cmp <(text anna 1) /root/licences.txt || fail "the file of node 1 is damaged"
cmp <(text anna 2) /root/kernel.txt || fail "the file of node 2 is damaged"
n3=$(text anna 3 | wc -l)
cmp <(text anna 3) <(head -n "$n3" /root/kvm.txt) ||
	fail "the file of node 3 is damaged"
echo "files: $n1 and $n2 lines whole, $n3 lines of node 3 before it was cut off"

messages=$(grep -c '^message' $log/anna.log)
views=$(grep -c '^view' $log/anna.log)
nodes_down || fail "a namespace is left over"
echo "demo: 3 nodes, $messages messages, $views views, logs identical"
