#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: refuses each allocation of the module once, and looks whether it
# gets over that: walk.sh MODULE FAILSITE SITES. WALK_SECONDS (30): of a storm.
# TAP.
#
# A round loads the module, forms a cluster, lets a storm of faults loose on
# its members (chaos.sh), and unloads; a judge reads what they saw. What is
# refused for lack of memory is tried again. In the first rounds each path from
# the module to an allocator is refused at its first use, until none of the
# module's allocations is left and of the paths a round meets less than one in
# twenty is new; then at its fifth, when all is set up; then memory is back.
set -u
# shellcheck source=selftests/net/lib.sh
. /selftests/net/lib.sh
# shellcheck source=selftests/net/chaos.sh
. /selftests/net/chaos.sh
module=$1 failsite=$2 sites=$3
debug=/sys/kernel/debug/failsite
nth=/sys/module/failsite/parameters/nth
here=$(dirname "$0")
work=$(mktemp -d)
rounds_max=8
nodes=3
per_node=2
# Processors and memory of the guest itself are not what this is about.
kinds=(noise noise noise mute deaf cut cut cut pair split kill kill stop gone
	bearer)

# ---- what is refused is tried again ----

# persist COMMAND...: while memory is what it lacks. What was done although its
# answer was lost exists already, or does not any more.
persist() {
	local i out
	for i in $(seq 100); do
		out=$("$@" 2>&1) && {
			[ -z "$out" ] || echo "$out"
			return
		}
		case $out in
		*emory* | *'buffer space'* | *'cannot open a UDP'*) continue ;;
		*'exists already'* | *'no such bearer'*) [ "$i" = 1 ] || return 0 ;;
		esac
		break
	done
	echo "$*: $out"
	return 1
}

in_node() {
	local i=$1
	shift
	if [ "$1" = gsockctl ]; then
		persist ip netns exec "n$i" "$@"
	else
		ip netns exec "n$i" "$@"
	fi
}

# As in lib.sh, but made in one piece or not at all.
eval "$(declare -f link_up | sed '1s/link_up/link_up_once/')"
link_up() {
	local i
	for i in $(seq 100); do
		link_up_once "$@" >"$work/link" 2>&1 && return
		quietly ip netns del "n$1"
		quietly ip link del "v$1"
	done
	cat "$work/link"
	return 1
}

# A socket of IPv6 as well.
eval "$(declare -f node_config | sed '1s/node_config/node_config_v4/')"
node_config() {
	node_config_v4 "$@" && in_node "$1" gsockctl bearer add "fd00::$1"
}

# ---- one round ----

load() { persist insmod "$module"; }

# Answers and notifications: who listens may miss any of these.
ask() {
	local what
	quietly ip netns exec n1 timeout $((seconds * 3)) gsockctl monitor &
	for what in 'node show' 'peer show' 'bearer show' 'group show' \
		'counters show'; do
		# shellcheck disable=SC2086
		in_node 1 gsockctl $what || return
	done
}

# Paths become narrow and wide again while packets wait that no longer fit. At
# 600 B each datagram is in pieces.
narrow() {
	local i mtu
	while [ ! -e "$dir/calm" ]; do
		for mtu in 600 1500 1300 1500; do
			for i in $(seq $nodes); do
				quietly ip -n "n$i" route replace 10.0.0.0/24 \
					dev eth0 src "10.0.0.$i" mtu lock $mtu
			done
			pause 0.1
		done
	done
}

weather() {
	local narrowing
	narrow &
	narrowing=$!
	storm "$seconds"
	touch "$dir/calm"
	wait $narrowing
}

no_errors() {
	cat "$dir/errors"
	[ ! -s "$dir/errors" ]
}

judged() {
	cat "$dir"/*.log >"$work/history"
	judge "$work/history"
}

explain() { [ ! -e /sys/class/group ] || views_shown; }

round() {
	local was=$fails
	dir=$(mktemp -d)
	: >"$dir/errors"
	ends=()
	seed=$((seed + 1))
	RANDOM=$seed
	check "$1: loaded" load
	check "$1: three nodes in one view" nodes_up $nodes
	check "$1: all questions are answered" ask
	weather
	check "$1: after the storm, three nodes in one view" wait_for 60 one_view
	check "$1: the last message of each member comes to all" come_to_rest
	members_end
	check "$1: no member had an error" no_errors
	check "$1: the judge" judged
	check "$1: all of it goes" nodes_down
	check "$1: unloaded" wait_for 10 rmmod gsock
	[ $fails = "$was" ] || keep
	rm -rf "$dir"
}

# Out of the guest, for those who want to look at it (selftests/vm/vmrun.sh).
keep() { [ ! -e /dev/ttyS3 ] || gzip -c "$work/history" >/dev/ttyS3; }

# ---- how far it has come ----

paths() { tail -n +2 $debug/paths; }
n_paths() { paths | wc -l; }

# Sites on a path that was refused, and those that were not.
reckon() {
	paths | awk '$2 > 0 { for (i = 5; i <= NF; i++) print $i }' |
		sed 's,/0x[0-9a-f]*$,,' | sort -u >"$work/refused"
	awk '{ print $1 }' "$sites" | sort -u >"$work/sites"
	grep -xFf "$work/refused" "$work/sites" >"$work/done"
	grep -vxFf "$work/refused" "$work/sites" >"$work/left"
	echo "# $(wc -l <"$work/done") of $(wc -l <"$work/sites") allocation" \
		"sites refused, on $(paths | awk '$2 > 0' | wc -l) of" \
		"$(n_paths) paths, $(paths |
			awk '$2 > 0 && $3 == "softirq"' | wc -l) in softirqs"
	grep -wFf "$work/left" "$sites" | sed 's/^/# left: /'
}
all_refused() {
	echo "not refused once:"
	grep -wFf "$work/left" "$sites"
	[ ! -s "$work/left" ]
}
no_stranger() {
	paths | awk '{ print $4 }' | sort -u | grep -vxFf "$here/allocators" |
		grep -vxFf "$here/callees" >"$work/strange"
	echo 'allocate, and are neither in allocators nor in callees:'
	cat "$work/strange"
	[ ! -s "$work/strange" ]
}

seconds=${WALK_SECONDS:-30}
seed=0
insmod "$failsite" || exit 1
rmmod gsock 2>/dev/null
echo 1 >$nth
turn=0
while [ $turn -lt $rounds_max ]; do
	turn=$((turn + 1))
	seen=$(n_paths)
	round "first use, round $turn"
	reckon
	met=$(n_paths)
	[ -s "$work/left" ] || [ $((20 * (met - seen))) -ge "$met" ] || break
done
echo 1 >$debug/again
echo 5 >$nth
round 'fifth use'
echo 0 >$nth
round 'memory is back'
explain() { :; }
check "each of $(wc -l <"$sites") allocations was refused once" all_refused
check 'every function that allocates is known' no_stranger
reckon
paths | sort -n >/tmp/paths
rmmod failsite
rm -rf "$work"
finish
