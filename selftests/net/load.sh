#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# No node is taken for dead because programs want all there is: LOAD_SECONDS
# (60) of 64 spinners, of UDP senders and of members in every node, no other
# fault. Prints how late heartbeats came. For a guest whose time is its own
# (VMICOUNT, see vmrun.sh). Elsewhere suspicions count for nothing if a processor
# of the guest stood still for more than LOAD_STILL ms (200: with a heartbeat
# lost to it that is the detection time), which is the host's doing. TAP.
set -u
# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"
seconds=${LOAD_SECONDS:-60}
nodes=3
senders=8
still=0
dir=$(mktemp -d)

# counters FILE: those of all nodes, added up.
counters() {
	local i
	for i in $(seq $nodes); do in_node "$i" gsockctl counters show -a; done |
		awk '{ n[$1] += $2 } END { for (c in n) print c, n[c] }' |
		sort >"$dir/$1"
}

# grown NAME: by how much, from "before" to "after".
grown() {
	awk -v c="$1" '$1 == c { n = $2 - n } END { print n + 0 }' \
		"$dir/before" "$dir/after"
}

epochs() {
	local i
	for i in $(seq $nodes); do in_node "$i" gsockctl node show; done |
		awk '$1 == "epoch" { print $2 }'
}

full_load() {
	local i
	local -a pids=()
	for i in $(seq $nodes); do
		ip netns exec "n$i" chaos_member -n "n$i" -d "$dir" -g load \
			-o 'fifo total' -s "$i" 2>>"$dir/errors" &
		for _ in $(seq $senders); do
			in_node "$i" chaos_hog udp \
				"$(addr $((i % nodes + 1)))" "$seconds" &
			pids+=($!)
		done
	done
	chaos_hog cpu 64 "$seconds" &
	pids+=($!)
	chaos_hog watch "${LOAD_STILL:-200}" "$seconds" >"$dir/watch"
	still=$?
	wait "${pids[@]}"
	cat "$dir/errors"
	[ "$still" -lt 2 ] && [ ! -s "$dir/errors" ]
}

histogram() {
	local us=64 n
	echo '# heartbeats, by how late they came:'
	while [ $us -le 1048576 ]; do
		n=$(grown beat_late_${us}us)
		[ "$n" = 0 ] || printf '# %9s us  %s\n' "< $us" "$n"
		us=$((us * 2))
	done
	printf '# %9s     %s\n' later "$(grown beat_late_more)"
}

# It is the guest that is tested, not the machine below it.
unchanged() {
	[ "$(grown suspicions)" = 0 ] && [ "$(epochs)" = "$was" ]
}

beats_came() { # of ten a second from each to each, nine
	local n=0 us=64
	while [ $us -le 1048576 ]; do
		n=$((n + $(grown beat_late_${us}us)))
		us=$((us * 2))
	done
	[ $n -ge $((seconds * 9 * nodes * (nodes - 1))) ]
}

check "$nodes nodes form a cluster" nodes_up $nodes
was=$(epochs)
counters before
check "64 spinners and $((nodes * senders)) senders for $seconds s" full_load
counters after
cat "$dir/watch"
histogram
echo "# suspicions $(grown suspicions), doubts $(grown doubts)"
if [ "$still" = 1 ] && ! unchanged; then
	ok 'no node was suspected # SKIP the machine itself stood still' 0
else
	check 'no node was suspected, and the view is the same' unchanged
	check 'heartbeats went on' beats_came
fi
check 'all of it goes' nodes_down
rm -rf "$dir"
finish
