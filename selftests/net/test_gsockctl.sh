#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# libgsock, then gsockctl: every verb, right and wrong. TAP. In nodes of their
# own.
set -u

if [ "${1:-}" != inside ] && [ "${1:-}" != cut ]; then
	ip netns add ctl || exit 1
	ip netns exec ctl ip link set lo up
	ip netns exec ctl gsock_lib
	status=$?
	ip netns exec ctl bash "$0" inside || status=1
	ip netns del ctl
	bash "$0" cut || status=1
	exit $status
fi

tmp=$(mktemp -d)
n=0 failed=0
out='' rc=0

# report NAME STATUS: a TAP line; what was seen goes with a failure.
report() {
	n=$((n + 1))
	if [ "$2" = 0 ]; then
		echo "ok $n - gsockctl: $1"
	else
		echo "not ok $n - gsockctl: $1"
		printf '%s\n' "status $rc: $out" | sed 's/^/# /'
		failed=1
	fi
}

# expect STATUS PATTERN WORDS...: runs gsockctl; status, and a line of output.
expect() {
	local want=$1 pattern=$2
	shift 2
	out=$(gsockctl "$@" 2>&1)
	rc=$?
	if [ "$rc" = "$want" ] && grep -qE -- "$pattern" <<<"$out"; then
		report "$*" 0
	else
		report "$* (wants $want, '$pattern')" 1
	fi
}

# json PATH VALUE WORDS...: the output is JSON and has VALUE at PATH.
json() {
	local path=$1 want=$2
	shift 2
	out=$(gsockctl -j "$@" | json_check "$path" 2>&1)
	rc=$?
	[ $rc = 0 ] && [ "$out" = "$want" ]
	report "-j $*: $path is '$want'" $?
}

# within SECONDS COMMAND...: until it succeeds.
within() {
	local end=$((SECONDS + $1 * ${TIMESCALE:-1}))
	shift
	until "$@"; do
		[ $SECONDS -ge $end ] && return 1
		usleep 20000
	done
}

has() {
	grep -qE -- "$2" "$1"
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# ---- three nodes, of which one is cut off ----

at() {
	local node=$1
	shift
	ip netns exec "cut$node" "$@"
}

# is NODE PATH VALUE: what node show says.
is() {
	[ "$(at "$1" gsockctl -j node show | json_check "$2")" = "$3" ]
}

three_nodes() {
	local i j
	ip link add cutbr type bridge
	ip link set cutbr up
	for i in 1 2 3; do
		ip netns add cut$i
		ip link add cutv$i type veth peer name e0 netns cut$i
		ip link set cutv$i master cutbr up
		at $i ip addr add 10.7.0.$i/24 dev e0
		at $i ip link set e0 up
		at $i ip link set lo up
		at $i gsockctl node set id $i cluster cut expected-votes 3
		at $i gsockctl bearer add 10.7.0.$i
	done
	for i in 1 2 3; do
		for j in 1 2 3; do
			[ $i = $j ] || at $i gsockctl peer add 10.7.0.$j
		done
	done
}

cut_test() {
	local i c1 c3 mon
	three_nodes
	for i in 1 2 3; do
		within 20 is $i nodes.2.votes 1
		report "node $i sees three" $?
	done
	out=$(at 1 gsockctl node show)
	grep -qE '^  [0-2] +1 +1 +[0-9]+ +\* this node$' <<<"$out"
	report 'node show: marks itself' $?
	out=$(at 1 gsockctl peer show)
	grep -qE '^10.7.0.3 +7018 +3 +up +[0-9]+ ms ' <<<"$out"
	report 'peer show: up' $?
	at 1 gsockctl monitor >"$tmp/mon" &
	mon=$!
	mkfifo "$tmp/in1" "$tmp/in3"
	at 1 gsockctl cat chat <"$tmp/in1" >"$tmp/c1" 2>&1 &
	c1=$!
	exec 3>"$tmp/in1"
	within 10 has "$tmp/c1" '1 member:'
	at 3 gsockctl cat chat <"$tmp/in3" >"$tmp/c3" 2>&1 &
	c3=$!
	exec 4>"$tmp/in3"
	within 10 has "$tmp/c1" '2 members: 1/[0-9]+\* 3/[0-9]+ joined 3/'
	out=$(cat "$tmp/c1")
	report 'cat: a member of another node' $?
	out=$(at 2 gsockctl member show chat)
	grep -qE '^1 +3 +[0-9]+ +[0-9]+$' <<<"$out"
	report 'member show: on a node without members' $?
	echo before >&4
	within 10 has "$tmp/c1" '^3/[0-9]+: before$'
	out=$(cat "$tmp/c1")
	report 'cat: a line from another node' $?

	ip link set cutv3 down
	# In flight when the node does not yet know that it is alone.
	echo lost >&4
	within 10 has "$tmp/c1" '1 member: 1/[0-9]+\* left 3/[0-9]+ \(node down\)'
	out=$(cat "$tmp/c1")
	report 'cat: the view without the node that is down' $?
	within 10 has "$tmp/c3" '^suspended: no quorum$'
	out=$(cat "$tmp/c3")
	report 'cat: suspended' $?
	within 10 has "$tmp/mon" 'peer 10.7.0.3 port 7018: down, node 3'
	out=$(cat "$tmp/mon")
	report 'monitor: a peer goes down' $?
	has "$tmp/mon" ' node 1: normal, epoch [0-9]+, quorum yes, nodes 1 2$' ||
		has "$tmp/mon" ' nodes 2 1$'
	report 'monitor: a view of nodes' $?
	is 3 state suspended && is 3 quorate false
	report 'node show: suspended' $?

	ip link set cutv3 up
	within 20 has "$tmp/c3" '^gsockctl: cat: 1 line was lost'
	out=$(cat "$tmp/c3")
	report 'cat: tells what was lost' $?
	tr '\n' ' ' <"$tmp/c3" | grep -qE 'suspended: no quorum resumed view [0-9.]+: 2 members'
	report 'cat: resumed, then the view' $?
	echo after >&4
	exec 4>&-
	within 10 has "$tmp/c1" '^3/[0-9]+: after$'
	out=$(cat "$tmp/c1")
	report 'cat: goes on after it is back' $?
	wait $c3
	rc=$?
	out=$(cat "$tmp/c3")
	[ $rc = 1 ] && has "$tmp/c3" '^3/[0-9]+: after$'
	report 'cat: ends with 1 when lines were lost' $?
	exec 3>&-
	wait $c1
	rc=$?
	report 'cat: ends with 0 when none were' $rc
	kill $mon
	wait $mon
	for i in 1 2 3; do
		ip netns del cut$i
	done
	ip link del cutbr
}

if [ "$1" = cut ]; then
	cut_test
	rm -r "$tmp"
	echo "1..$n"
	exit $failed
fi

# ---- words ----

expect 0 'gsockctl peer add ADDRESS' help
expect 0 'gsockctl node set' node help
expect 0 'Example' node set help
expect 0 'Example' bearer add --help
expect 0 'Example' help peer del
for noun in node bearer peer group member counters monitor cat; do
	expect 0 "gsockctl $noun" "$noun" help
done
expect 2 'what to do is missing' -j
expect 2 "did you mean 'bearer'" baerer show
expect 2 "did you mean 'show'" peer shwo
expect 2 "did you mean 'heartbeat'" node set heartbaet 100
expect 2 "did you mean '--json'" --jsno node show
expect 2 'more than one noun: member monitor' m show
expect 2 'a verb is missing' bearer
expect 2 'takes no option -a' node show -a
expect 2 'unknown option' -z node show
expect 2 'too many words' node show now
expect 0 'gsockctl 0' --version

# ---- node ----

expect 0 '^state +normal' node show
expect 0 '^quorum +yes' n sh
expect 2 'more than one verb: show set' n s
expect 0 '' node set id 7 cluster demo votes 2 expected-votes 3 \
	heartbeat 50 detect 200
json id 7 node show
json cluster demo node show
json votes 2 node show
json expected_votes 3 node show
json heartbeat_ms 50 node show
json detect_ms 200 node show
expect 0 '^node +7$' node show
expect 2 'what to set is missing' node set
expect 2 "'id' needs a value" node set id
expect 2 "'id' is given twice" node set id 1 id 2
expect 2 "id: 'x' is not a whole number from 1 to 2147483647" node set id x
expect 2 "id: '0' is out of range: 1 to 2147483647" node set id 0
expect 2 "id: '-1' is out of range" node set id -1
expect 2 "id: '2147483648' is out of range" node set id 2147483648
expect 2 "votes: '17' is out of range: 0 to 16" node set votes 17
expect 2 'expected-votes: .* 0 to 1024' node set expected-votes 1025
expect 2 'heartbeat: .* 10 to 10000' node set heartbeat 9
expect 2 'detect: .* 30 to 60000' node set detect 60001
expect 2 'not a whole number' node set votes 1x
expect 2 'not a whole number' node set votes ''
expect 2 "cluster: 'a b' has a byte" node set cluster 'a b'
expect 2 'cluster: .* is empty' node set cluster ''
expect 2 'longer than 63' node set cluster "$(printf '%064d' 0)"
expect 1 'detect: .*3 heartbeats' node set heartbeat 100 detect 200
json heartbeat_ms 50 node show
expect 2 "partition: 'some' is not primary or none" node set partition some
expect 0 '^partition +primary' node show
expect 0 '' node set partition none
expect 0 '^partition +none' node show
json partition none node show
expect 0 '' node set partition primary
expect 0 '' node set expected-votes 0 votes 1
within 10 sh -c 'gsockctl node show | grep -q "^state  *normal"'
report 'node: normal again with one vote' $?

# ---- bearers and peers ----

expect 0 '' bearer add 127.0.0.1
expect 0 '' bearer add 127.0.0.1 port 7020
expect 0 '' bearer add ::1 port 7021
expect 0 '127.0.0.1 +7020' bearer show
json 2.address ::1 bearer show
json 2.port 7021 bearer show
expect 1 'exists already \(File exists\)' bearer add 127.0.0.1
expect 1 'Cannot assign requested address' bearer add 192.0.2.1
expect 1 'address: the unspecified address' bearer add 0.0.0.0
expect 0 '' bearer add 127.0.0.1 port 7022
expect 1 'at most 4 bearers' bearer add 127.0.0.1 port 7023
expect 2 'an address is missing' bearer add
expect 2 "'localhost' is not an IPv4 or IPv6 address" bearer add localhost
expect 2 "'127.0.0.1:7018' is not an IPv4 or IPv6 address" \
	bearer add 127.0.0.1:7018
expect 2 'names a device' bearer add fe80::1%lo
expect 2 'is link-local' peer add fe80::1
expect 2 "port: '0' is out of range: 1 to 65535" bearer add 127.0.0.1 port 0
expect 2 "port: '65536' is out of range" bearer add 127.0.0.1 port 65536
expect 2 "did you mean 'port'" bearer add 127.0.0.1 prot 7018
expect 2 "'port' needs a value" bearer add 127.0.0.1 port
expect 1 'no such bearer' bearer del 127.0.0.1 port 9
expect 0 '' bearer del 127.0.0.1 port 7022
expect 0 '' peer add 127.0.0.1 port 7100
expect 0 '' peer add ::1 port 7100
expect 1 'peer exists already' peer add 127.0.0.1 port 7100
expect 1 'an address of this node' peer add 127.0.0.1
expect 0 '::1 +7100 +- +down +never' peer show
json 0.address 127.0.0.1 peer show
json 0.up false peer show
expect 1 'no such peer' peer del 127.0.0.1 port 9
expect 0 '' peer del 127.0.0.1 port 7100
expect 0 '' peer del ::1 port 7100
out=$(gsockctl peer show) && [ -z "$out" ]
report 'peer show: nothing without peers' $?
out=$(gsockctl -j peer show | json_check 2>&1)
report '-j peer show: JSON without peers' $?

# ---- without privilege: look, but do not change ----

if command -v setpriv >/dev/null; then
	low() {
		setpriv --reuid 65534 --regid 65534 --clear-groups \
			--bounding-set=-net_admin "$@"
	}
	for words in 'bearer add 127.0.0.1 port 7030' 'bearer del 127.0.0.1' \
		'peer add 127.0.0.1 port 9' 'peer del 127.0.0.1' 'node set votes 3'; do
		# shellcheck disable=SC2086
		out=$(low gsockctl $words 2>&1)
		rc=$?
		verb=$(cut -d ' ' -f 1-2 <<<"$words")
		[ $rc = 1 ] && [ "$out" = "gsockctl: $verb: needs CAP_NET_ADMIN (Operation not permitted)" ]
		report "not permitted: $verb" $?
	done
	for words in 'node show' 'bearer show' 'peer show' 'group show' \
		'counters show'; do
		# shellcheck disable=SC2086
		out=$(low gsockctl $words 2>&1)
		rc=$?
		report "permitted: $words" $rc
	done
fi

# ---- groups: monitor and cat ----

expect 1 'group: no such group' group show nobody
expect 1 'no such group' member show nobody
expect 2 'the name of a group is missing' member show
expect 2 'the name of a group is missing' cat
expect 2 "'a/b' has a byte" cat a/b
expect 2 "'total.' is not an order: none, fifo, causal, total or safe" \
	cat -o total. room
expect 2 'nothing is not an order' cat room -o

gsockctl monitor >"$tmp/mon" 2>&1 &
mon=$!
gsockctl -j monitor >"$tmp/mon.json" 2>&1 &
monj=$!
# They listen when a new bearer's news reach them.
heard() {
	gsockctl node set votes 2 && gsockctl node set votes 1
	[ -s "$tmp/mon" ] && [ -s "$tmp/mon.json" ]
}
within 10 heard
report 'monitor: hears of the node' $?

mkfifo "$tmp/in.a" "$tmp/in.b"
gsockctl cat room <"$tmp/in.a" >"$tmp/a" 2>&1 &
a=$!
exec 3>"$tmp/in.a"
within 10 has "$tmp/a" '^view [0-9]+\.[0-9]+: 1 member: 7/[0-9]+\* joined 7/[0-9]+$'
out=$(cat "$tmp/a")
report 'cat: the first view' $?
gsockctl -j cat -o fifo room <"$tmp/in.b" >"$tmp/b" 2>&1 &
b=$!
exec 4>"$tmp/in.b"
within 10 has "$tmp/a" '^view .*: 2 members: .* joined 7/[0-9]+$'
out=$(cat "$tmp/a")
report 'cat: the second view' $?

printf 'one\n\ntw\too\n\033[31m\n' >&3
printf 'caf\303\251 "\\\\"\n\377\n' >&4
within 10 has "$tmp/a" '^7/[0-9]+: \\xff$'
out=$(cat "$tmp/a")
report 'cat: bytes that are not UTF-8 as text' $?
within 10 has "$tmp/b" '"hex":"ff"'
out=$(cat "$tmp/b")
report 'cat: the same in JSON' $?
has "$tmp/a" '^7/[0-9]+: one$' && has "$tmp/a" '^7/[0-9]+: $' &&
	has "$tmp/a" "^7/[0-9]+: tw	oo\$" &&
	has "$tmp/a" '^7/[0-9]+: \\x1b\[31m$'
out=$(cat "$tmp/a")
report 'cat: tabs pass, escapes do not, empty lines come' $?
out=$(json_check text <"$tmp/b" | grep -c .) && [ "$out" = 4 ]
report 'cat -j: each line is JSON' $?
[ "$(json_check order <"$tmp/b" | tr '\n' ' ')" = 'total total total total fifo fifo ' ]
out=$(cat "$tmp/b")
report 'cat: -o fifo orders what it sends' $?

expect 0 '^room +[0-9]+\.[0-9]+ +2 +2 +total +1048576' group show
json name room group show room
json 0.members 2 group show
json 1.rank 1 member show room
json 1.local true member show room
expect 0 '^1 +7 +[0-9]+ +[0-9]+ +\* this node$' member show room

within 10 has "$tmp/mon" '^[0-9-]+ [0-9:.]+ group room: view [0-9]+\.[0-9]+, 2 members'
out=$(cat "$tmp/mon")
report 'monitor: a line when a group has a view' $?
within 10 has "$tmp/mon.json" '"event":"group".*"name":"room"'
out=$(json_check event <"$tmp/mon.json" 2>&1)
report 'monitor -j: each line is JSON' $?

# The last line has no end; all lines come back before it leaves.
seq 1 2000 >&4
printf 'last' >&4
exec 4>&-
wait $b
rc=$?
out=$(tail -n 3 "$tmp/b")
[ $rc = 0 ] && [ "$(json_check text <"$tmp/b" | tail -n 2001 | md5sum)" = \
	"$( (seq 1 2000; echo last) | md5sum)" ]
report 'cat: leaves when all its lines have come back' $?
within 10 has "$tmp/a" '^view .*: 1 member: 7/[0-9]+\* left 7/[0-9]+ \(leave\)$'
out=$(grep -v '^7/' "$tmp/a")
report 'cat: the view without the one who left' $?

gsockctl cat room </dev/null >"$tmp/c" 2>&1
rc=$?
out=$(cat "$tmp/c")
[ $rc = 0 ] && has "$tmp/c" '^view .*: 2 members'
report 'cat: with nothing to send it joins and leaves' $?

gsockctl cat -k room </dev/null >"$tmp/k" 2>&1 &
k=$!
within 10 has "$tmp/k" '2 members'
printf 'kept\n' >&3
within 10 has "$tmp/k" 'kept'
out=$(cat "$tmp/k")
report 'cat -k: stays at the end of its input' $?
kill -TERM $k
wait $k
rc=$?
out=$(cat "$tmp/k")
report 'cat: SIGTERM ends it with 0' $rc

head -c 1100000 /dev/zero | tr '\0' x >"$tmp/long"
out=$(gsockctl cat room <"$tmp/long" 2>&1 | cut -c 1-100)
rc=${PIPESTATUS[0]}
grep -q 'more than 1048576 bytes' <<<"$out"
report 'cat: a line that is too long' $?
(head -c 1048576 "$tmp/long"; echo) >"$tmp/max"
gsockctl cat room <"$tmp/max" >"$tmp/max.out" 2>&1
rc=$?
out=$(cut -c 1-100 "$tmp/max.out")
[ $rc = 0 ] && [ "$(grep -E '^7/[0-9]+: x' "$tmp/max.out" | sed 's/^[^ ]* //' |
	md5sum)" = "$(md5sum <"$tmp/max")" ]
report 'cat: the longest line' $?

exec 3>&-
wait $a
rc=$?
out=$(grep -v '^7/' "$tmp/a" | cut -c 1-100)
report 'cat: the last one leaves' $rc

kill -INT $mon
kill -TERM $monj
within 10 gone $mon && within 10 gone $monj
report 'monitor: told to stop' $?
wait $mon
rc=$?
out=$(tail -n 3 "$tmp/mon")
report 'monitor: ends with 0' $rc

expect 0 '' counters show
expect 0 ' 0$' counters show -a
out=$(gsockctl -j -a counters show | json_check 2>&1)
report '-j -a counters show: JSON' $?

rm -r "$tmp"
echo "1..$n"
exit $failed
