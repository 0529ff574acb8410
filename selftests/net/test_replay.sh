#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Recordings of live nodes run through the simulator's engine and come to the
# same actions: joins, messages of every order, a node that is cut off and
# comes back, leaves.
set -u
# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

dir=/sys/kernel/debug/gsock
tmp=$(mktemp -d)

# The recording of node N, as it is now.
recording() {
	local ino
	ino=$(in_node "$1" stat -L -c %i /proc/self/ns/net) || return
	cat "$dir/$ino"
}

# talk N ORDER: node N's member sends 30 lines and leaves when all came back.
talk() {
	seq 30 | in_node "$1" gsockctl cat -o "$2" room >"$tmp/out.$1.$2" 2>&1
}

every_order() {
	local order n pids=
	for order in none fifo causal total safe; do
		for n in 1 2 3; do
			talk $n $order &
			pids="$pids $!"
		done
	done
	# shellcheck disable=SC2086
	wait $pids
}

replays() {
	recording "$1" >"$tmp/rec.$1" || return
	sim --replay "$tmp/rec.$1"
}

out_of_range() {
	echo 100 >$dir/record 2>/dev/null && return 1
	echo 99999999999 >$dir/record 2>/dev/null && return 1
	[ "$(cat $dir/record)" = 0 ]
}

# A byte of what node 2 did is another one: sim must say so.
differs() {
	local size
	size=$(stat -c %s "$tmp/rec.2")
	cp "$tmp/rec.2" "$tmp/bad"
	printf '\377' | dd of="$tmp/bad" bs=1 seek=$((size - 1)) conv=notrunc \
		2>/dev/null
	! sim --replay "$tmp/bad" >"$tmp/out" && grep -q 'not equal' "$tmp/out"
}

other_version() {
	cp "$tmp/rec.1" "$tmp/old"
	printf '\0\1' | dd of="$tmp/old" bs=1 seek=6 conv=notrunc 2>/dev/null
	sim --replay "$tmp/old" 2>"$tmp/out"
	[ $? = 2 ] && grep -q 'wire version 1, this one has' "$tmp/out"
}

no_recording() {
	sim --replay /proc/cpuinfo 2>"$tmp/out"
	[ $? = 2 ] && grep -q 'not a recording' "$tmp/out"
}

none_left() { [ "$(ls $dir)" = record ]; }

check 'sizes out of range are refused' out_of_range
echo $((16 << 20)) >$dir/record
check 'three nodes are up' nodes_up 3
check 'members talk, in every order' every_order
link_cut 3
check 'node 3 is cut off' wait_for 20 all_in_view 2 1 2
every_order &
link_heal 3
check 'node 3 is back' wait_for 30 all_in_view 3 1 2 3
wait $!
for i in 1 2 3; do
	check "node $i: equal actions" replays $i
done
check 'a byte that differs is found' differs
check 'a recording of another wire version is refused by its number' \
	other_version
check 'what is no recording is refused' no_recording
echo 0 >$dir/record
rm -rf "$tmp"
check 'all namespaces go' nodes_down
check 'no recording is left' wait_for 10 none_left
finish
