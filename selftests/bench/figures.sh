#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest, by `make figures`: four nodes in one boot, one sender, three
# receivers, each a namespace. What is compared is measured in turn, so ratios
# hold; absolute figures are those of an emulated machine.
. /selftests/net/lib.sh
dir=/tmp/figures
mkdir -p $dir
seconds=${SECONDS_EACH:-4}

fail() {
	echo "figures: $*" >&2
	nodes_down
	exit 1
}

# The least of the receivers' rates, per second.
rate() { sed -n 's/.*received.* \([0-9]*\)\/s$/\1/p' $dir/recv.* | sort -n | head -n 1; }

group_rate() { # group_rate SIZE
	local i p=()
	for i in 2 3 4; do
		ip netns exec "n$i" pump recv "rate$1" >"$dir/recv.$i" &
		p+=($!)
	done
	in_node 1 pump send "rate$1" "$1" "$seconds" 4 >/dev/null || fail "pump send"
	wait "${p[@]}"
	rate
}

# Node N's receiver is there: 7777 is 1E61.
udp_bound() { in_node "$1" grep -q ':1E61 ' /proc/net/udp; }

udp_rate() {
	local i p=()
	for i in 2 3 4; do
		ip netns exec "n$i" pump udprecv 7777 >"$dir/recv.$i" &
		p+=($!)
	done
	for i in 2 3 4; do wait_for 5 udp_bound "$i" || fail "no receiver"; done
	in_node 1 pump udpsend 7777 "$1" "$seconds" 10.0.0.2 10.0.0.3 10.0.0.4 \
		>/dev/null
	wait "${p[@]}"
	rate
}

rates() {
	local size g u
	for size in 64 1000 8000; do
		g=$(group_rate $size)
		u=$(udp_rate $size)
		echo "$size $g $u" | awk '{ printf "%6d %12d %12d %8.2f\n",
			$1, $2, $3, $3 ? $2 / $3 : 0 }'
	done
}

latency() {
	local i p=()
	for i in 2 3 4; do
		ip netns exec "n$i" lag recv lag 2000 >"$dir/lag.$i" &
		p+=($!)
	done
	in_node 1 lag send lag 2000 4
	wait "${p[@]}"
	cat $dir/lag.*
}

# since WHEN TIMELINE PATTERN: milliseconds from then to that line.
since() {
	awk -v t="$1" -v p="$3" '$0 ~ p { printf "%.1f ms\n", ($1 - t) * 1000; exit }' \
		"$2"
}

members() {
	local i
	for i in 1 2 3 4; do
		ip netns exec "n$i" member -g fail -l "$dir/m$i" -t "$dir/t$i" \
			-s &
		pid[i]=$!
	done
	wait_for 10 grep -q 'view of 4' $dir/t2 || fail "no view of four"
}

nodes_up 4 || fail "no cluster of four"
echo "$(uname -r), $(nproc) CPUs, TCG; one sender, three receivers"
echo " bytes  total order   plain UDP    ratio   (messages/s at the slowest)"
rates
echo
echo "one message of 64 B, total order, idle (median, 99 %; microseconds), each receiver:"
latency
echo
members
lag at kill -9 "${pid[4]}" >$dir/at
wait "${pid[4]}" 2>/dev/null
wait_for 5 grep -q 'left (leave)' $dir/t2 || fail "no view after SIGKILL"
echo "SIGKILL to the view at another node: $(since "$(cat $dir/at)" $dir/t2 'left .leave')"
lag at ip link set v3 down >$dir/at
wait_for 5 grep -q 'left (node down)' $dir/t2 || fail "no view after the cut"
echo "link cut to the view at another node: $(since "$(cat $dir/at)" $dir/t2 'left .node down')"
nodes_down || fail "something is left over"
