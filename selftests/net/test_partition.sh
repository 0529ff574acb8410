#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Partitions, bad cables, flapping and restarting nodes: who goes on, who is
# suspended, and that all are one view again before long. Each check begins with
# the name of its scene in selftests/sim/sim_scene.c. TAP.
set -u
# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"
dir=$(mktemp -d)

# member NODE NAME GROUP OPTIONS...: in the background; log in $dir/NAME.
member() {
	local node=$1 name=$2 group=$3
	shift 3
	rm -f "$dir/$name" "$dir/$name".*
	ip netns exec "n$node" member -g "$group" -n "$name" -l "$dir/$name" \
		-t "$dir/$name.time" -s "$@" 2>"$dir/$name.err" &
	pid[$name]=$!
}

# members GROUP NODE...: m1 on node 1 and so on, all in one view.
members() {
	local group=$1 i
	shift
	for i in "$@"; do member "$i" "m$i" "$group"; done
	wait_for 20 views $# "$@"
}

# views HOW_MANY NODE...: the last view of each one's member has so many.
views() {
	local n=$1 i
	shift
	for i in "$@"; do
		[ "$(grep '^view' "$dir/m$i" | tail -n 1 |
			sed 's/ joined.*//; s/ left.*//; s/.* members//' |
			wc -w)" = "$n" ] || return
	done
}
has() { grep -q "$2" "$dir/m$1"; }
count() { grep -c "$2" "$dir/m$1"; }
# How often members of these nodes were suspended.
outs() {
	local i
	for i in "$@"; do cat "$dir/m$i"; done | grep -c '^suspended'
}
quorum() { in_node "$1" gsockctl node show | grep -q "^quorum *$2"; }
state() { in_node "$1" gsockctl node show | grep -q "^state *$2"; }
states() {
	local s=$1 i
	shift
	for i in "$@"; do state "$i" "$s" || return; done
}
epoch() { in_node "$1" gsockctl node show | awk '$1 == "epoch" { print $2 }'; }
ballots() {
	local i sum=0
	for i in "$@"; do
		sum=$((sum + $(in_node "$i" gsockctl -j node show |
			sed -n 's/.*"ballots": *\([0-9]*\).*/\1/p')))
	done
	echo "$sum"
}

# stays SECONDS COMMAND...: it is true all that time.
stays() {
	local t=$1
	shift
	! wait_for "$t" fails "$@"
}
fails() { ! "$@"; }

# flows FROM NODE...: a message of node FROM's new member comes to all these.
flows() {
	local from=$1 i before
	shift
	declare -A seen
	for i in "$@"; do seen[$i]=$(count "$i" '^message'); done
	member "$from" flow "${group:?}" -z 10
	for i in "$@"; do
		before=${seen[$i]}
		wait_for 10 more "$i" "$before" || return
	done
	end flow
}
more() { [ "$(count "$1" '^message')" -gt "$2" ]; }

# lose FROM 'TO...', keep FROM 'TO...': what node FROM sends to TO gets lost, or
# not. It goes to a hardware address that nobody has: as on a bad cable, nobody
# is told.
lose() {
	local to
	for to in $2; do
		echo "neigh replace $(addr "$to") lladdr 02:00:00:00:00:99" \
			"dev eth0 nud permanent"
	done | ip -n "n$1" -batch -
}
keep() {
	local to
	for to in $2; do
		echo "neigh del $(addr "$to") dev eth0"
	done | ip -n "n$1" -batch -
}
# both_ways lose|keep 'NODE...' 'NODE...': each of these and each of those.
both_ways() {
	local a
	for a in $2; do "$1" "$a" "$3" || return; done
	for a in $3; do "$1" "$a" "$2" || return; done
}

explain() {
	local i
	for i in 1 2 3 4 5; do
		[ -e "/run/netns/n$i" ] || continue
		in_node "$i" gsockctl node show | grep -E '^(state|epoch|quo)' |
			tr '\n' ' ' | sed "s/^/node $i: /;s/\$/\n/"
	done
	for i in "$dir"/m?; do
		[ -e "/run/netns/n${i##*/m}" ] || continue
		echo "${i##*/}: $(tail -n 3 "$i" | cut -c 1-120)"
	done
}

# What a check that failed has left in pieces is none of the next one's.
scene() {
	local i was=$fails
	check "$@"
	[ "$fails" != "$was" ] || return
	for i in 1 2 3 4 5; do
		[ -e "/run/netns/n$i" ] || continue
		ip -n "n$i" neigh flush dev eth0 nud permanent
		link_heal "$i"
	done
	wait_for 60 all_in_view 5 1 2 3 4 5
}

# ---- five nodes: links ----

group=five
check 'five nodes form a cluster' nodes_up 5
check 'five members' members five 1 2 3 4 5

others() {
	local i
	for i in 1 2 3 4 5; do [ "$i" = "$1" ] || echo "$i"; done
}

# left_out NODE WAS: the others are a view, and stay it; few ballots for that.
left_out() {
	local out=$1 was=$2 rest e
	rest=$(others "$out")
	# shellcheck disable=SC2086
	wait_for 6 views 4 $rest && wait_for 10 has "$out" '^suspended' ||
		return
	e=$(epoch "${rest%%$'\n'*}")
	# shellcheck disable=SC2086
	stays 2 all_in_view 4 $rest &&
		[ "$(epoch "${rest%%$'\n'*}")" = "$e" ] &&
		[ $(($(ballots $rest) - was)) -le 6 ]
}
all_back() {
	wait_for 60 all_in_view 5 1 2 3 4 5 &&
		wait_for 20 views 5 1 2 3 4 5
}

bad_cable() {
	local was
	was=$(ballots 1 2 3 5)
	both_ways lose 2 4 && left_out 4 "$was" && flows 1 1 2 3 5 &&
		both_ways keep 2 4 && all_back
}
scene 'bad-cable: the junior of the two is out, the rest is calm' bad_cable

asymmetric() {
	local was
	was=$(ballots 1 2 4 5)
	lose 2 3 && left_out 3 "$was" && keep 2 3 && all_back
}
scene 'asymmetric: one direction of one link, the same' asymmetric

# Node 1 is the most senior: it goes, and not all that it cannot talk to.
bad_senior() {
	local was
	was=$(ballots 2 3 4 5)
	both_ways lose 1 '2 3' && left_out 1 "$was" &&
		both_ways keep 1 '2 3' && all_back
}
scene 'bad-senior: it is out, not the two that it does not hear' bad_senior

# Nobody hears the next one: no three hear each other. Nobody goes on, everybody
# is told, and there are no ballots without end. (One may have been left out
# before all links were as bad.)
p3_one_way() {
	local i was out='\(suspended\|fresh\)'
	for i in 1 2 3 4 5; do lose "$i" $((i % 5 + 1)) || return; done
	for i in 1 2 3 4 5; do
		wait_for 10 state "$i" "$out" && has "$i" '^suspended' || return
	done
	was=$(ballots 1 2 3 4 5)
	stays 3 states "$out" 1 2 3 4 5 &&
		[ $(($(ballots 1 2 3 4 5) - was)) -le 15 ] || return
	for i in 1 2 3 4 5; do keep "$i" $((i % 5 + 1)) || return; done
	all_back
}
scene 'p3-one-way: no three hear each other, nobody goes on' p3_one_way

# What node 5 says only node 1 hears: node 5 goes, and it alone.
p7_drop() {
	local was out
	was=$(ballots 1 2 3 4)
	out=$(outs 1 2 3 4)
	lose 5 '2 3 4' && left_out 5 "$was" && [ "$(outs 1 2 3 4)" = "$out" ] &&
		keep 5 '2 3 4' && all_back
}
scene 'p7-drop: a node is heard by one other only, and goes alone' p7_drop

flapping() {
	local n out
	n=$(count 2 '^view')
	out=$(outs 1 2 3 4)
	end m5
	for _ in 1 2 3 4 5 6; do
		link_cut 5
		wait_for 6 all_in_view 4 1 2 3 4 || return
		link_heal 5
		# It is let in or held off; either way the others go on.
		stays 1 states '\(normal\|changing\)' 1 2 3 4 || return
	done
	flows 2 2 3 4 && [ "$(outs 1 2 3 4)" = "$out" ] &&
		[ $(($(count 2 '^view') - n)) -le 20 ] &&
		wait_for 60 all_in_view 5 1 2 3 4 5
}
scene 'flapping: the others are never suspended; it comes back' flapping

# ---- five nodes: parts ----

again() {
	local i
	for i in 1 2 3 4 5; do end "m$i"; done
	group=$1
	members "$1" 1 2 3 4 5
}

p5_merge() {
	local n
	again minority && both_ways lose '1 2 3' '4 5' || return
	wait_for 6 views 3 1 2 3 && wait_for 10 has 4 '^suspended' &&
		wait_for 10 has 5 '^suspended' &&
		quorum 5 no && quorum 4 no && quorum 1 yes && flows 1 1 2 3 ||
		return
	wait_for 6 views 3 1 2 3 || return
	n=$(count 1 '^view')
	both_ways keep '1 2 3' '4 5' && all_back &&
		has 4 '^resumed' && has 5 '^resumed' &&
		[ $(($(count 1 '^view') - n)) -le 2 ] && flows 5 1 2 3 4 5
}
scene 'p5-merge: two of five are suspended, and come back at once' p5_merge

p14_merge() {
	local i
	again parts || return
	both_ways lose '1 4' '2 5' && both_ways lose 3 '1 2 4 5' || return
	for i in 1 2 3 4 5; do wait_for 10 has "$i" '^suspended' || return; done
	both_ways keep '1 4' '2 5' && both_ways keep 3 '1 2 4 5' && all_back ||
		return
	for i in 1 2 3 4 5; do has "$i" '^resumed' || return; done
	flows 2 1 2 3 4 5
}
scene 'p14-merge: three parts, none with a quorum, are one again' p14_merge

all_apart() {
	local i
	for i in 1 2 3 4 5; do link_cut "$i"; done
	for i in 1 2 3 4 5; do wait_for 10 state "$i" suspended || return; done
	for i in 1 2 3 4 5; do link_heal "$i"; done
	all_back && flows 3 1 2 3 4 5
}
scene 'all-apart: all are suspended, all together again' all_apart

# ---- five nodes: each part goes on by itself ----

partition() {
	local i
	for i in 1 2 3 4 5; do
		in_node "$i" gsockctl node set partition "$1" || return
	done
	for i in 1 2 3 4 5; do wait_for 10 quorum "$i" "$2" || return; done
	all_back
}
check 'policy none: no quorum is asked for' partition none none

none_split() {
	again split && both_ways lose '1 2 3' '4 5' || return
	wait_for 10 all_in_view 3 1 2 3 && wait_for 10 all_in_view 2 4 5 &&
		wait_for 10 views 3 1 2 3 && wait_for 10 views 2 4 5 &&
		[ "$(epoch 1)" != "$(epoch 4)" ] && flows 1 1 2 3 && flows 4 4 5
}
scene 'none-split: both parts go on, each by itself' none_split

# Nodes 1 and 4 hear each other, no others do: neither has a place for the other.
none_bridge() {
	local a b
	both_ways keep 1 4 || return
	a=$(epoch 1)
	b=$(epoch 4)
	stays 3 states normal 1 2 3 4 5 &&
		[ "$(epoch 1)" = "$a" ] && [ "$(epoch 4)" = "$b" ]
}
scene 'none-bridge: where parts touch at one node, none yields' none_bridge
none_merge() {
	local out
	out=$(outs 1 2 3)
	both_ways keep 1 5 && both_ways keep '2 3' '4 5' && all_back &&
		[ "$(outs 1 2 3)" = "$out" ] && flows 4 1 2 3 4 5
}
scene 'none-split: they merge, the fewer yield' none_merge
check 'policy primary again' partition primary yes
for i in 1 2 3 4 5; do end "m$i"; done

# ---- five nodes: crashes ----

# reboot NODE HOW_MANY: it is gone without a goodbye, and comes as another.
crash() { link_cut "$1" && ip netns del "n$1"; }
boot() { link_up "$1" && node_config "$1" "$2"; }
reboot() { crash "$1" && boot "$1" "$2"; }

p4_reform() {
	local i
	group=reform
	members reform 1 2 3 || return
	for i in 1 2 3 4 5; do
		tc -n "n$i" qdisc add dev eth0 root netem loss 5% || return
	done
	crash 4 && crash 5 && wait_for 6 all_in_view 3 1 2 3 &&
		! has 1 '^suspended' && flows 1 1 2 3 || return
	for i in 1 2 3; do tc -n "n$i" qdisc del dev eth0 root || return; done
	boot 4 5 && boot 5 5 && wait_for 60 all_in_view 5 1 2 3 4 5
}
scene 'p4-reform: two of five die at once, on a network with losses' p4_reform

# As soon as a ballot is seen that is to let it in it dies: in the midst of its
# join, or just after.
tries() {
	local n=$1
	shift
	[ "$(ballots "$@")" -gt "$n" ]
}
p6_join_crash() {
	local i n rest
	for i in 5 4; do
		rest=$(others "$i")
		crash "$i" || return
		# shellcheck disable=SC2086
		wait_for 6 all_in_view 4 $rest && n=$(ballots $rest) || return
		echo "node $i is to be let in"
		# shellcheck disable=SC2086
		boot "$i" 5 && wait_for 40 tries "$n" $rest && crash "$i" ||
			return
		echo "it died"
		# shellcheck disable=SC2086
		wait_for 6 all_in_view 4 $rest && ! has 1 '^suspended' ||
			return
		echo "it is to come back"
		boot "$i" 5 && wait_for 60 all_in_view 5 1 2 3 4 5 || return
	done
	flows 1 1 2 3
}
scene 'p6-join-crash: a newcomer dies, the others go on' p6_join_crash

total_failure() {
	local i
	for i in 1 2 3; do end "m$i"; done
	for i in 1 2 3 4 5; do crash "$i" || return; done
	for i in 1 2; do boot "$i" 5 || return; done
	wait_for 10 states fresh 1 2 && stays 3 states fresh 1 2 || return
	for i in 3 4 5; do boot "$i" 5 || return; done
	wait_for 20 all_in_view 5 1 2 3 4 5
}
check 'total-failure: all die; not two of five form a cluster' total_failure
check 'all of it goes' nodes_down

# ---- three nodes ----

group=three
p7_restarts() {
	nodes_up 3 && members three 2 3 || return
	for _ in 1 2 3; do
		reboot 1 3 || return
		stays 1 states '\(normal\|changing\)' 2 3 || return
		flows 3 2 3 || return
		wait_for 40 all_in_view 3 1 2 3 || return
	done
	! has 2 '^suspended' && ! has 3 '^suspended'
}
check 'p7-restarts: one of three, again and again; the others never stop' \
	p7_restarts
end m2 m3
check 'all of that goes' nodes_down

# A and B are a view; B restarts and forms one with C: A must not go on besides.
two_primaries() {
	local i
	bridge_up
	for i in 1 2 3; do link_up "$i" || return; done
	for i in 1 2; do node_config "$i" 3 || return; done
	wait_for 20 all_in_view 2 1 2 || return
	link_cut 1
	reboot 2 3 && node_config 3 3 || return
	wait_for 20 all_in_view 2 2 3 && wait_for 10 state 1 suspended &&
		stays 1 state 1 suspended || return
	link_heal 1 && wait_for 20 all_in_view 3 1 2 3
}
check 'two-primaries: half does not go on beside a formation' two_primaries
check 'all of them go' nodes_down

# ---- two nodes ----

group=two
two_tie() {
	nodes_up 2 && members two 1 2 || return
	link_cut 2
	wait_for 6 views 1 1 && wait_for 10 state 2 suspended &&
		quorum 1 yes && quorum 2 no && flows 1 1 || return
	link_heal 2 && wait_for 20 views 2 1 2 && has 2 '^resumed'
}
check 'two-tie: the senior goes on, the junior is suspended' two_tie
senior_reboots() {
	end m1
	reboot 1 2 || return
	wait_for 20 all_in_view 2 1 2 || return
	member 1 m1 two
	wait_for 10 views 2 1 2 && has 2 '^resumed' && flows 1 1 2
}
check 'senior-reboots: both of two form a cluster anew' senior_reboots
end m1 m2
check 'both go' nodes_down
rm -rf "$dir"
finish
