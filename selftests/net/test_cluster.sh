#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Three nodes: what their members see when all is well, and when processes,
# links and nodes are not. TAP.
set -u
# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"
dir=$(mktemp -d)
sizes='0 1 100 1399 1400 20000 1048576 64 65536'

# member NODE NAME GROUP OPTIONS...: in the background; log in $dir/NAME.
member() {
	local node=$1 name=$2 group=$3
	shift 3
	# What one of that name saw in an earlier test is not to be taken for it.
	rm -f "$dir/$name" "$dir/$name".*
	ip netns exec "n$node" member -g "$group" -n "$name" \
		-l "$dir/$name" -t "$dir/$name.time" "$@" 2>"$dir/$name.err" &
	pid[$name]=$!
}

# A view of so many members is the last one that NAME has.
last_view() {
	[ "$(grep '^view' "$dir/$1" | tail -n 1 |
		sed 's/ joined.*//; s/ left.*//; s/.* members//' |
		wc -w)" = "$2" ]
}

# views HOW_MANY NAME...: each is in a view of so many members.
views() {
	local n=$1 name
	shift
	for name in "$@"; do last_view "$name" "$n" || return 1; done
}

# got NAME HOW_MANY: messages.
got() { [ "$(grep -c '^message' "$dir/$1")" -ge "$2" ]; }
has() { grep -q "$2" "$dir/$1"; }

# same A B: what both have seen since the later one's first view, as far as
# the shorter one goes.
same() {
	local a=$dir/$1 b=$dir/$2 at n
	at=$(grep -nxF "$(head -n 1 "$b")" "$a" | head -n 1 | cut -d: -f1)
	[ -n "$at" ] || return 1
	tail -n +"$at" "$a" >"$dir/tail"
	n=$(($(wc -l <"$dir/tail") < $(wc -l <"$b") ?
		$(wc -l <"$dir/tail") : $(wc -l <"$b")))
	cmp <(head -n "$n" "$dir/tail") <(head -n "$n" "$b")
}

# by_sender A B: messages of each sender in the same order, whatever lies
# between them.
by_sender() {
	cmp <(grep '^message' "$dir/$1" | sed 's/^message [^ ]* [0-9]*//' |
		sort -s -k 2,2) \
		<(grep '^message' "$dir/$2" | sed 's/^message [^ ]* [0-9]*//' |
			sort -s -k 2,2)
}

explain() {
	local f i
	for i in 1 2 3; do
		[ -e "/run/netns/n$i" ] && in_node "$i" grep -H -v '^0$' -r \
			"/sys/class/group/%node/counters" |
			sed 's,.*/,,' | grep -E 'sus|doubt|ballots|nomem|limit' |
			tr '\n' ' ' | sed "s/^/node $i: /;s/\$/\n/"
	done
	for f in "$dir"/*; do
		case $f in *.time | *.err | */tail) continue ;; esac
		echo "${f##*/}: $(wc -l <"$f") lines; $(cat "$f.err" 2>/dev/null)"
		tail -n 2 "$f" | cut -c 1-150
	done
}

# ---- all is well ----

alone() {
	bridge_up
	link_up 9
	member 9 alone solo -z '10 10' -s
	wait_for 5 got alone 2
}
check 'a node without a bearer works alone, at once' alone
end alone
ip netns del n9

check 'three nodes form a cluster' nodes_up 3

three_join() { # three_join GROUP OPTIONS...: a, b and c on nodes 1 to 3
	local group=$1
	shift
	member 1 a "$group" "$@"
	wait_for 20 last_view a 1 || return
	member 2 b "$group" "$@"
	wait_for 20 views 2 a b || return
	member 3 c "$group" "$@"
	wait_for 20 views 3 a b c
}

# all_alike HOW_MANY: a, who was first, has so many messages; all end alike.
all_alike() {
	wait_for 60 got a "$1" && wait_for 20 ends_alike a b c &&
		same a b && same a c && same b c
}
ends_alike() {
	local name first=$1
	for name in "$@"; do
		[ "$(tail -n 1 "$dir/$name")" = "$(tail -n 1 "$dir/$first")" ] ||
			return 1
	done
}

# together GROUP OPTIONS...: a, b and c have joined, and begin to send at once.
together() {
	rm -f "$dir/go"
	three_join "$@" -b "$dir/go" && touch "$dir/go"
}
all_got() {
	local name n=$1
	shift
	for name in "$@"; do wait_for 60 got "$name" "$n" || return; done
}
mixed="10 11 12 13 14 $sizes 15 16 17 18 19"

total() {
	together total -s -z "$mixed" -r 4 && all_got 228 a b c &&
		same a b && same a c && same b c
}
check 'total: messages of 0 B to 1 MiB in one order, in the same views' total
end a b c

fifo() {
	together fifo -s -o fifo -z "$mixed" -r 4 && all_got 228 a b c &&
		by_sender a b && by_sender a c
}
check 'fifo: messages of one sender in the order sent' fifo
end a b c

killed() {
	three_join killed -s
	end b
	wait_for 5 views 2 a c && has a 'left 2/[0-9]* (leave)' && same a c
}
check 'a killed process leaves, by a view at all others' killed

storm() {
	local i
	member 2 s storm -s -z '500 1000' -r 2000
	wait_for 5 got s 10 || return
	for i in 1 2 3 4 5 6; do
		member $((i % 3 + 1)) "j$i" storm -s
		wait_for 10 has "j$i" '^view' || return
		[ $((i % 2)) = 0 ] || end "j$i"
	done
	wait_for 60 got s 4000 || return
	wait_for 20 ends_alike s j2 j4 j6 || return
	for i in 2 4 6; do same s "j$i" || return; done
	for i in 1 3 5; do same s "j$i" || return; done
}
check 'joins and leaves do not stop a sender, nor break its order' storm
end s j2 j4 j6
end a c

# ---- slow readers ----

slow() {
	three_join slow -s
	kill -STOP "${pid[b]}"
	member 1 s slow -s -z 100000 -r 100
	# Held back before all is sent: b has room for about 1 MiB.
	wait_for 20 got c 1 || return
	wait_for 5 blocked || return
	member 3 d slow -s
	# A view is not held up by who does not read.
	wait_for 10 views 5 a c d || return
	kill -CONT "${pid[b]}"
	wait_for 30 got b 100 && wait_for 30 got a 100 && same a b && same a c
}
blocked() {
	[ "$(counter 1 blocked_credit)" -gt 0 ] &&
		[ "$(grep -c '^message' "$dir/a")" -lt 100 ]
}
check 'a stopped reader holds senders back, but no views' slow
end a b c s d

killed_blocked() {
	three_join blocked -s
	kill -STOP "${pid[b]}"
	member 3 s blocked -s -w -z 100000 -r 100
	wait_for 10 views 4 a c || return
	wait_for 10 sleeps s || return
	end s
	wait_for 5 views 3 a c
}
# The process waits in the kernel, in its send.
sleeps() { grep -q 'gsk_send\|sendmsg' "/proc/${pid[$1]}/stack"; }
check 'SIGKILL ends a send that waits' killed_blocked
kill -CONT "${pid[b]}"
end a b c

# ---- links ----

cut_off() {
	three_join cut -s
	member 3 d cut -s
	# Sends one message when told to, and ends when it comes back.
	member 3 f cut -s -e late -m "$dir/mark"
	wait_for 5 views 5 a b c d f || return
	link_cut 3
	wait_for 10 views 2 a b || return
	has a 'left\( 3/[0-9]* (node down)\)\{3\}$' || return
	wait_for 10 has c '^suspended' && wait_for 10 has d '^suspended' &&
		wait_for 10 has f '^suspended' &&
		[ "$(in_node 3 cat /sys/class/group/cut/members)" = 5 ]
}
check 'a node that is cut off is out; its members are suspended' cut_off
suspended_send() {
	member 3 e cut -s -z 10
	touch "$dir/mark"
	wait_for 5 has f.time 'cannot send (EAGAIN)' || return
	# Neither joined nor sent while there is no quorum.
	in_node 3 gsockctl node show | grep -q 'quorum *no' &&
		! got e 1 && ! got c 1 && ! got f 1 &&
		in_node 3 gsockctl node show | grep -q 'suspended'
}
check 'without a quorum a send gives EAGAIN, and node show says why' suspended_send
healed() {
	link_heal 3
	wait_for 20 all_in_view 3 1 2 3 || return
	wait "${pid[f]}" || return
	wait_for 10 views 5 a b c d e || return
	has c '^resumed' && has d '^resumed' && has f '^resumed' &&
		wait_for 5 got a 2 && same a b &&
		[ "$(grep -c ' 4 bytes ' "$dir/a")" = 1 ]
}
check 'healed: members are resumed, one view holds all, what waited is sent' healed
end a b c d e

deaf() { # node 3 is heard, but hears nothing
	three_join deaf -s
	tc qdisc add dev v3 root netem loss 100%
	wait_for 10 views 2 a b || return
	tc qdisc del dev v3 root
	wait_for 30 all_in_view 3 1 2 3 && wait_for 10 views 3 a b c && same a b
}
check 'a node that hears nothing is left out, and comes back' deaf
mute() {
	in_node 3 tc qdisc add dev eth0 root netem loss 100%
	wait_for 10 views 2 a b || return
	in_node 3 tc qdisc del dev eth0 root
	wait_for 30 all_in_view 3 1 2 3 && wait_for 10 views 3 a b c && same a b
}
check 'so does one that is not heard' mute
end a b c

# ---- clocks and processors ----

epoch() { in_node "$1" gsockctl node show | awk '$1 == "epoch" { print $2 }'; }
clock() {
	local was now
	was=$(epoch 1)
	now=$(date +%s)
	three_join clock -s -z 10 -r 20
	date -s "@$((now + 86400))" && date -s "@$((now - 86400))" || return
	all_alike 60 && [ "$(epoch 1)" = "$was" ] && date -s "@$now"
}
check 'a wall clock that jumps changes nothing' clock
end a b c
hogs() { # the worker gets what real-time throttling leaves
	local h
	three_join hogs -s
	member 2 s hogs -s -z '100 1000' -r 2000
	for h in 1 2; do
		chrt -f 50 sh -c 'while :; do :; done' &
		pid[hog$h]=$!
	done
	wait_for 30 got b 1000
	end hog1 hog2
	wait_for 30 all_in_view 3 1 2 3 && wait_for 60 got a 4000 &&
		wait_for 20 ends_alike a b c s && same a b && same a c
}
check 'real-time hogs on every processor: order stands, the view is whole' hogs
end a b c s

# lossy NETEM...: on every link, both ways.
lossy() {
	local i
	for i in 1 2 3; do
		tc qdisc replace dev "v$i" root netem "$@" limit 100000
		in_node "$i" tc qdisc replace dev eth0 root netem "$@" \
			limit 100000
	done
}
lossless() {
	local i
	for i in 1 2 3; do
		tc qdisc del dev "v$i" root
		in_node "$i" tc qdisc del dev eth0 root
	done
}
# An emulated guest may stand still for longer than a heartbeat; with lost
# packets besides, that is silence enough to be taken for dead, and these tests
# are of streams, not of the detector.
all_patient() {
	local i
	for i in 1 2 3; do patience "$i" "$1"; done
}
bad_links() {
	three_join "$1" -s -z "$sizes" -r 2 && all_alike 54
}
all_patient 2000
lossy loss 10%
check 'loss of 10 % of packets, super-packets whole' bad_links loss
end a b c
for i in 1 2 3; do
	ip link set "v$i" gso_max_segs 1
	ip -n "n$i" link set eth0 gso_max_segs 1
done
lossy loss 10% duplicate 5% delay 1ms reorder 10%
check 'loss of single datagrams, duplicates, reordering' bad_links single
lossless
all_patient 300
end a b c

# ---- nodes ----

goodbye() {
	three_join bye -s
	in_node 3 gsockctl bearer del "$(addr 3)" || return
	wait_for 10 views 2 a b && has a 'left 3/[0-9]* (node left)' && same a b
}
check 'a node without bearers has said goodbye' goodbye
back() {
	in_node 3 gsockctl bearer add "$(addr 3)" &&
		wait_for 20 all_in_view 3 1 2 3 && wait_for 10 views 3 a b c
}
check 'and comes back with its bearer' back
# Node 3 goes twice; what c had not read is there afterwards. Who comes and goes
# is held off, by up to 30 s.
away_unread() {
	local i
	kill -STOP "${pid[c]}"
	member 1 s bye -s -z 100 -r 5
	wait_for 10 views 4 a b s && wait_for 10 got a 5 || return
	for i in 1 2; do
		in_node 3 gsockctl bearer del "$(addr 3)" || return
		wait_for 20 views 3 a b s || return
		in_node 3 gsockctl bearer add "$(addr 3)" || return
		wait_for 90 views 4 a b s || return
	done
	kill -CONT "${pid[c]}"
	wait_for 10 got c 5 && wait_for 10 views 4 c || return
	[ "$(grep -c '^suspended' "$dir/c")" = 6 ] &&
		[ "$(grep -c '^resumed' "$dir/c")" = 6 ]
}
check 'one who was away twice reads what it had not read before' away_unread
end s

gone() {
	ip netns del n3
	# The socket of c holds the namespace.
	wait_for 5 views 3 a b || return
	end c
	wait_for 10 views 2 a b && wait_for 20 all_in_view 2 1 2
}
check 'a deleted namespace lives as long as a socket in it' gone
link_up 3
check 'a new node in its place' node_config 3 3
check 'takes it' wait_for 60 all_in_view 3 1 2 3
end a b

twice() {
	link_up 4
	in_node 4 gsockctl node set id 2 cluster test expected-votes 3 || return
	in_node 4 gsockctl peer add "$(addr 1)" || return
	in_node 1 gsockctl peer add "$(addr 4)" || return
	in_node 4 gsockctl bearer add "$(addr 4)" || return
	wait_for 10 refused && all_in_view 3 1 2 3 &&
		[ "$(counter 1 drop_dup_id)" -gt 0 ]
}
refused() { in_node 4 gsockctl node show | grep -q 'id is in use'; }
# The counters are there while the node has had a group.
member 1 a dup -s
wait_for 5 has a '^view'
check 'a node id that is in use is refused by name' twice
stranger() {
	local before
	before=$(counter 1 drop_cluster)
	in_node 4 gsockctl node set id 4 cluster other || return
	wait_for 10 more_than "$before" drop_cluster && all_in_view 3 1 2 3
}
more_than() { [ "$(counter 1 "$2")" -gt "$1" ]; }
check 'another cluster is not heard, and counted' stranger
ip netns del n4
in_node 1 gsockctl peer del "$(addr 4)"
end a
check 'all of it goes' nodes_down

# ---- IPv6, and a small MTU ----

export IPV=6
check 'IPv6, MTU 1280: three nodes' nodes_up 3 1280
small() { three_join six -s -z "$sizes" -r 2 && all_alike 54; }
check 'messages of 0 B to 1 MiB' small
end a b c
check 'all of that goes, too' nodes_down
rm -rf "$dir"
finish
