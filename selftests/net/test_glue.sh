#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The module as a part of the system: its parameter, loading and unloading,
# namespaces that come and go, who sees what, many groups. TAP. Leaves the
# module loaded as it found it.
set -u
# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"
n=0 failed=0
ko=/lib/gsock.ko
class=/sys/class/group

ok() { # ok NAME COMMAND...
	local name=$1
	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n - $name"
	else
		failed=1
		echo "not ok $n - $name"
	fi
}

no() { ! "$@"; }

says() { # says TEXT: the kernel's log does, since the mark
	dmesg | sed -n "/glue-mark-$mark/,\$p" | grep -qF "$1"
}

mark=0
set_mark() {
	mark=$((mark + 1))
	echo "glue-mark-$mark" >/dev/kmsg
}

# A program's own TAP, as a part of this one's.
nested() {
	"$@" | sed 's/^/    /'
	return "${PIPESTATUS[0]}"
}

# ---- programs ----

ok 'socket interface and its limits' nested group_limits
ok 'netlink requests' nested group_netlink
ok 'no memory' nested group_fault
ok 'layout of the interface, 64 bits' nested group_layout
ok 'layout of the interface, 32 bits' nested group_layout32

# busy polling finds no device behind the socket, and goes on.
echo 50 >/proc/sys/net/core/busy_read
echo 50 >/proc/sys/net/core/busy_poll
ok 'busy_read and busy_poll' nested group_layout
echo 0 >/proc/sys/net/core/busy_read
echo 0 >/proc/sys/net/core/busy_poll

# ---- namespaces ----

# hold NAME [NETNS]: a member in the background, its process in $held.
hold() {
	rm -f /tmp/held.*
	if [ $# = 2 ]; then
		ip netns exec "$2" group_hold "$1" >/tmp/held.out &
	else
		group_hold "$1" >/tmp/held.out &
	fi
	held=$!
	wait_for 10 grep -q ready /tmp/held.out
}

drop() {
	kill "$held" && wait "$held" 2>/dev/null
}

ip netns add one
ip netns add two
hold alpha one
ok 'a group is seen in its namespace' ip netns exec one test -d $class/alpha
ok 'and not in another' no ip netns exec two test -e $class/alpha
ok 'nor in the first' no test -e $class/alpha
ok 'members' ip netns exec one grep -qx 1 $class/alpha/members
ok 'local_members' ip netns exec one grep -qx 1 $class/alpha/local_members
ok 'order' ip netns exec one grep -qx total $class/alpha/order
ok 'msg_max' ip netns exec one grep -qx 1048576 $class/alpha/msg_max
ok 'view_id' ip netns exec one grep -qxE '[0-9]+\.[0-9]+' $class/alpha/view_id
ok 'counters' ip netns exec one grep -qx 0 "$class/%node/counters/drop_short"
ok 'files are read-only' no ip netns exec one sh -c "echo 1 >$class/alpha/members" 2>/dev/null
ip netns del one
ok 'a namespace with a socket lives on' kill -0 "$held"
ip netns add three
hold_one=$held
hold beta three
ok 'and others are not in its way' ip netns exec three test -d $class/beta
drop
held=$hold_one
drop
ip netns del two
ip netns del three

# Names that mean something in a path, or to sysfs.
for name in '.' '..' 'a!b' '%41' "$(printf 'x%.0s' {1..63})"; do
	esc=${name//%/%25}
	esc=${esc//!/%21}
	case $name in .) esc=%2E ;; ..) esc=%2E%2E ;; esac
	set_mark
	hold "$name"
	ok "directory of '$name'" wait_for 10 test -d "$class/$esc"
	drop
	ok "and gone" wait_for 10 no test -d "$class/$esc"
	ok 'nothing in the log' no says sysfs
done

# A closed member without a quorum is never let go: its namespace goes all the
# same, within a second, and with it the other end of its link.
node() { # node NETNS ID VOTES ADDRESS PEER
	ip netns exec "$1" gsockctl node set id "$2" cluster orphan \
		votes "$3" expected-votes 3 &&
		ip netns exec "$1" gsockctl bearer add "$4" &&
		ip netns exec "$1" gsockctl peer add "$5"
}

state() { # state NETNS TEXT
	ip netns exec "$1" gsockctl node show | grep -qE "$2"
}

ip netns add near
ip netns add far
ip link add v0 netns near type veth peer name v1 netns far
ip -n near addr add 10.9.0.1/24 dev v0
ip -n far addr add 10.9.0.2/24 dev v1
ip -n near link set v0 up
ip -n far link set v1 up
ok 'two nodes' node near 1 1 10.9.0.1 10.9.0.2
ok 'of one cluster' node far 2 2 10.9.0.2 10.9.0.1
ok 'in one view' wait_for 10 state near '^ +1 +2 '
hold orphan near
ip -n far link set v1 down
ok 'suspended' wait_for 10 state near 'suspended'
drop
ip netns del near
ok 'its namespace goes' wait_for 10 no ip -n far link show v1 2>/dev/null
ip netns del far

# ---- user namespaces ----

ok 'in a user namespace of its own' nested unshare -Urn group_layout
ok 'as nobody' nested setpriv --reuid 65534 --regid 65534 --clear-groups \
	unshare -Urn group_layout
ok 'its maximum is the first namespace'"'"'s' no unshare -Urn \
	sh -c 'echo 65537 >/proc/sys/net/group/max_members' 2>/dev/null
echo 100 >/proc/sys/net/group/max_members
ok 'which may be lower' no unshare -Urn \
	sh -c 'echo 101 >/proc/sys/net/group/max_members' 2>/dev/null
ok 'and its own lower still' unshare -Urn \
	sh -c 'echo 99 >/proc/sys/net/group/max_members'
echo 65536 >/proc/sys/net/group/max_members

# ---- many groups ----

stalls_after 3
set_mark
ok '8,192 groups come and go' group_many 8192
dirs() { find "$class" -mindepth 1 -maxdepth 1 ! -name %node | wc -l; }
gone() { [ "$(dirs)" = 0 ]; }
ok 'their directories are gone' wait_for 10 gone
ok 'one more group than there may be' no group_many 8193
ok 'again, after that' group_many 8192
group_many 3000 hold >/tmp/held.out &
held=$!
wait_for 10 grep -q joined /tmp/held.out
full() { [ "$(dirs)" = 1024 ]; }
ok '1,024 of them have a directory' wait_for 10 full
drop
ok 'no stall' no says 'stall'
stalls_back

# ---- unloading and loading ----

hold gamma
ok 'no unloading with a socket' no rmmod gsock 2>/tmp/rmmod.err
drop
ok 'but after it' wait_for 10 rmmod gsock 2>/tmp/rmmod.err

set_mark
ok 'a family number that is taken' no insmod $ko family=2 2>/tmp/insmod.err
ok 'is named' says 'address family 2 is taken'
ok 'and is no reason to think it is loaded' no grep -q 'File exists' /tmp/insmod.err
for f in 0 -1 -5 46 1000; do
	set_mark
	ok "family $f" no insmod $ko family=$f 2>/dev/null
	ok 'is named' says "address family $f is out of range"
done
ok 'another number' insmod $ko family=27
ok 'no socket of the usual one' no group_hold x
ok 'unloads' rmmod gsock
ok 'loads again' insmod $ko
ok 'and works' nested group_layout

# A namespace that has been used, deleted while the module goes.
ip netns add four
hold delta four
drop
ip netns del four &
ok 'unloads while a namespace ends' wait_for 10 rmmod gsock 2>/tmp/rmmod.err
wait
ok 'loads' insmod $ko

echo "1..$n"
exit $failed
