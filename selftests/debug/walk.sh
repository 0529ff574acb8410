#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: fails each allocation of the module once, and looks whether it
# gets over that: walk.sh MODULE FAILSITE SITES. TAP.
#
# A round loads the module, forms a cluster, has members talk while paths
# narrow and nodes go and come, and unloads. Whatever is refused for lack of
# memory is tried again; in the end all members must have seen the same. In
# the first rounds each path from the module to an allocator fails at its first
# use, until a round meets no new one; in later ones at its third and its
# eleventh, when all is set up.
set -u
# shellcheck source=selftests/net/lib.sh
. /selftests/net/lib.sh
module=$1 failsite=$2 sites=$3
debug=/sys/kernel/debug/failsite
nth=/sys/module/failsite/parameters/nth
here=$(dirname "$0")
dir=$(mktemp -d)
declare -A pid

# persist COMMAND...: again and again while memory is what it lacks. What was
# done although its answer was lost exists already.
persist() {
	local i out
	for i in $(seq 100); do
		out=$("$@" 2>&1) && return
		case $out in
		*emory* | *'buffer space'* | *'annot open a UDP'*) ;;
		*'xists already'* | *'File exists'*) [ "$i" != 1 ] && return ;;
		esac
		attempts=$out
	done
	echo "$*: $attempts"
	return 1
}
attempts=

in_all() {
	local i
	for i in 1 2 3; do "$1" "$i" "${@:2}" || return; done
}

up() {
	link_up "$1" || return
	configure "$1"
}

configure() {
	local i=$1 j
	persist in_node "$i" gsockctl node set id "$i" cluster walk \
		expected-votes 3 detect $((300 * scale)) || return
	for j in 1 2 3; do
		[ "$i" = "$j" ] ||
			persist in_node "$i" gsockctl peer add "10.0.0.$j" || return
	done
	persist in_node "$i" gsockctl bearer add "10.0.0.$i" &&
		persist in_node "$i" gsockctl bearer add "fd00::$i"
}

# member NODE NAME OPTIONS...
member() {
	local node=$1 name=$2
	shift 2
	rm -f "$dir/$name"
	ip netns exec "n$node" member -p -s -g walk -n "$name" -l "$dir/$name" \
		-b "$dir/go" "$@" 2>"$dir/$name.err" &
	pid[$name]=$!
}

last_view() {
	[ "$(grep '^view' "$dir/$1" | tail -n 1 |
		sed 's/ joined.*//; s/ left.*//; s/.* members//' |
		wc -w)" = "$2" ]
}
views() {
	local n=$1 name
	shift
	for name in "$@"; do last_view "$name" "$n" || return; done
}
got() {
	local n=$1 name
	shift
	for name in "$@"; do
		[ "$(grep -c '^message' "$dir/$name")" = "$n" ] || return
	done
}
got_own() { [ "$(grep -c '^message.* 2000 bytes' "$dir/$1")" = 5 ]; }
# Messages alone: who was out for a while has seen other views.
same() {
	local name
	for name in "${@:2}"; do
		cmp <(grep '^message' "$dir/$1") <(grep '^message' "$dir/$name") ||
			return
	done
}
# The same, whatever the order: with messages that have none.
agree() {
	cmp <(said "$1") <(said "$2")
}
said() { sed -n 's/^message [^ ]* [0-9]*//p' "$dir/$1" | sort; }
end() {
	local name
	for name in "$@"; do
		kill -9 "${pid[$name]}"
		wait "${pid[$name]}" 2>/dev/null
	done
}

explain() {
	local f
	for f in "$dir"/*; do
		echo "${f##*/}: $(wc -l <"$f") lines: $(tail -n 1 "$f" | cut -c 1-150)"
	done
	in_all show_node
}
show_node() { in_node "$1" gsockctl node show | sed "s/^/n$1: /"; }

# ---- one round ----

load() { persist insmod "$module"; }

form() {
	bridge_up
	in_all persist_up && wait_for 30 all_in_view 3 1 2 3
}
persist_up() {
	local i
	for i in $(seq 100); do
		ip netns add "n$1" 2>/dev/null && break
	done
	ip netns del "n$1"
	persist up "$1"
}

# Answers and notifications, of which any may be lacking.
ask() {
	local what
	in_node 1 timeout 600 gsockctl monitor >/dev/null 2>&1 &
	for what in 'node show' 'peer show' 'bearer show' 'group show' \
		'group show walk' 'counters show'; do
		# shellcheck disable=SC2086
		persist in_node 1 gsockctl $what || return
	done
}

talk() {
	rm -f "$dir/go"
	member 1 a -z "$sizes" -r 3
	member 2 b -z "$sizes" -r 3
	member 3 c -z "$sizes" -r 3
	wait_for 30 views 3 a b c || return
	ask || return
	touch "$dir/go"
	narrow $((3 * 3 * 8)) || return
	wide && wait_for 120 got $((3 * 3 * 8)) a b c && same a b c
}
sizes='0 1 100 1400 20000 64 3000 200000'

# narrow MESSAGES: until they have come, paths become narrow and wide again
# while packets wait that no longer fit. At 600 B each datagram is in pieces.
narrow() {
	wait_for 60 came 1
	while ! came "$1"; do
		in_all path 600
		in_all path 1300
		wide
	done
}
came() { [ "$(grep -c '^message' "$dir/a")" -ge "$1" ] || ! kill -0 "${pid[a]}"; }
path() {
	ip -n "n$1" route replace 10.0.0.0/24 dev eth0 src "10.0.0.$1" \
		mtu lock "$2"
}
wide() { in_all path 1500; }

# Out, and back, twice. Of what node 3 said last, in no order, each of the
# others lacks something else.
cut_off() {
	member 3 s -o none -z 100 -r 500
	tc qdisc add dev v3 root netem loss 30%
	in_node 3 tc qdisc add dev eth0 root netem loss 30%
	wait_for 60 heard s || return
	link_cut 3
	tc qdisc del dev v3 root
	in_node 3 tc qdisc del dev eth0 root
	wait_for 30 views 2 a b && wait_for 30 suspended 1 c || return
	member 3 late
	link_heal 3
	wait_for 60 all_in_view 3 1 2 3 &&
		wait_for 30 views 5 a b c s late && resumed 1 c || return
	link_cut 3
	wait_for 30 views 2 a b && wait_for 30 suspended 2 c || return
	link_heal 3
	wait_for 60 all_in_view 3 1 2 3 &&
		wait_for 60 views 5 a b c s late && resumed 2 c
}
heard() { grep -q " 100 bytes" "$dir/$1"; }
suspended() { [ "$(grep -c '^suspended' "$dir/$2")" = "$1" ]; }
resumed() { [ "$(grep -c '^resumed' "$dir/$2")" = "$1" ]; }

# A node that ends, and one that takes its place and learns all groups.
replace() {
	end c s late
	ip netns del n3
	wait_for 30 views 2 a b && wait_for 30 all_in_view 2 1 2 || return
	persist_up 3 && wait_for 60 all_in_view 3 1 2 3 || return
	member 3 c -z '10 2000' -r 5
	wait_for 30 views 3 a b c && wait_for 60 got_own c &&
		wait_for 30 agree a b
}

bearers() {
	in_node 2 gsockctl bearer del fd00::2 &&
		persist in_node 2 gsockctl bearer add fd00::2
}

round() {
	check "$1: loaded" load
	check "$1: three nodes in one view" form
	check "$1: members talk while paths narrow, and agree" talk
	check "$1: a node is cut off and comes back" cut_off
	check "$1: a node is replaced" replace
	check "$1: a bearer goes and comes" bearers
	end a b c
	check "$1: all of it goes" nodes_down
	check "$1: unloaded" wait_for 10 rmmod gsock
}

# ---- how far it has come ----

paths() { tail -n +2 $debug/paths; }
n_paths() { paths | wc -l; }

# Sites on a path that was refused, and those that were not.
reckon() {
	paths | awk '$2 > 0 { for (i = 5; i <= NF; i++) print $i }' |
		sed 's,/0x[0-9a-f]*$,,' | sort -u >"$dir/failed"
	awk '{ print $1 }' "$sites" | sort -u >"$dir/sites"
	grep -xFf "$dir/failed" "$dir/sites" >"$dir/done"
	grep -vxFf "$dir/failed" "$dir/sites" >"$dir/left"
}
all_failed() {
	echo "not refused once:"
	grep -wFf "$dir/left" "$sites"
	[ ! -s "$dir/left" ]
}
no_stranger() {
	paths | awk '{ print $4 }' | sort -u |
		grep -vxFf "$here/allocators" | grep -vxFf "$here/callees" >"$dir/strange"
	echo 'allocate, and are neither in allocators nor in callees:'
	cat "$dir/strange"
	[ ! -s "$dir/strange" ]
}

insmod "$failsite" || exit 1
rmmod gsock 2>/dev/null
echo 1 >$nth
turn=0 seen=-1
while [ "$(n_paths)" != "$seen" ] && [ $turn -lt 4 ]; do
	seen=$(n_paths)
	turn=$((turn + 1))
	round "first use, round $turn"
	reckon
	echo "# round $turn: $(n_paths) paths; $(wc -l <"$dir/done") of" \
		"$(wc -l <"$dir/sites") sites refused"
done
echo 1 >$debug/again
echo 5 >$nth
round 'fifth use'
echo 0 >$nth
echo 1 >$debug/again
round 'memory is back'
reckon
check "every one of $(wc -l <"$dir/sites") allocations was refused once" all_failed
check 'every function that allocates is known' no_stranger
echo "# $(wc -l <"$dir/done") of $(wc -l <"$dir/sites") allocation sites refused;" \
	"$(paths | awk '$2 > 0' | wc -l) of $(n_paths) paths, $(paths |
		awk '$2 > 0 && $3 == "softirq"' | wc -l) of them in softirqs"
paths | sort -n >/tmp/paths
rmmod failsite
rm -rf "$dir"
finish
