# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Nodes in network namespaces n1, n2, ... joined by a bridge, for the scripts
# of this directory. Everything waits for conditions, with a deadline.
#
#          n1 eth0      n2 eth0      n3 eth0        10.0.0.N, fd00::N
#             |            |            |
#            v1           v2           v3
#             '------ bridge br0 ------'

tests=0
fails=0
# How much slower than a stock kernel the guest's is: TIMESCALE=4 for one that
# looks for faults. It stretches deadlines and the time after which a node is
# taken for dead, so that what is tested does not depend on speed.
scale=${TIMESCALE:-1}

# ok NAME STATUS: one line of TAP.
ok() {
	tests=$((tests + 1))
	if [ "$2" = 0 ]; then
		echo "ok $tests - $1"
	else
		fails=$((fails + 1))
		echo "not ok $tests - $1"
	fi
}

# What a script has to say when one of its checks has failed.
explain() { :; }

# check NAME COMMAND...: passes when the command does. In this very shell, so
# that what it starts can be waited for.
check() {
	local name=$1 rc out=/tmp/check.$$
	shift
	"$@" >$out 2>&1
	rc=$?
	[ $rc = 0 ] || { cat $out; explain; } | sed 's/^/# /'
	rm -f $out
	ok "$name" $rc
}

# wait_for SECONDS COMMAND...: until it succeeds, or the time is over.
wait_for() {
	local end=$((${EPOCHREALTIME/./} / 1000 + $1 * 1000 * scale))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $((${EPOCHREALTIME/./} / 1000)) -lt $end ] || return 1
		usleep 20000
	done
}

in_node() {
	local n=$1
	shift
	ip netns exec "n$n" "$@"
}

no_link() { ! ip link show "$1"; }

# link_up N [MTU]: namespace nN on the bridge, without a bearer. A link of that
# name may be there still: namespaces are taken down behind one's back.
link_up() {
	local i=$1 mtu=${2:-1500}
	wait_for 20 no_link "v$i" || return
	ip netns add "n$i"
	ip link add "v$i" mtu "$mtu" type veth peer name eth0 mtu "$mtu" \
		netns "n$i"
	ip link set "v$i" master br0 up
	ip -n "n$i" link set lo up
	ip -n "n$i" addr add "10.0.0.$i/24" dev eth0
	ip -n "n$i" addr add "fd00::$i/64" dev eth0 nodad
	ip -n "n$i" link set eth0 up
}

bridge_up() {
	ip link show br0 >/dev/null 2>&1 && return
	ip link add br0 type bridge
	ip link set br0 up
}

# addr N: where node N listens.
addr() {
	if [ "${IPV:-4}" = 6 ]; then echo "fd00::$1"; else echo "10.0.0.$1"; fi
}

# patience N [MS]: node N's time of detection, MS on a stock kernel.
patience() {
	in_node "$1" gsockctl node set detect $((${2:-300} * scale))
}

# node_config N HOW_MANY: its settings, peers and bearer.
node_config() {
	local i=$1 n=$2 j
	in_node "$i" gsockctl node set id "$i" cluster "${CLUSTER:-test}" \
		expected-votes "$n" && patience "$i" || return
	for j in $(seq "$n"); do
		[ "$i" = "$j" ] || in_node "$i" gsockctl peer add "$(addr "$j")" ||
			return
	done
	in_node "$i" gsockctl bearer add "$(addr "$i")"
}

# The node's view has this many nodes.
view_is() {
	[ "$(in_node "$1" gsockctl -j node show |
		sed -n '/"nodes"/,$p' | grep -c '"votes"')" = "$2" ]
}

# all_in_view HOW_MANY NODE...: each of them has a view of so many nodes.
all_in_view() {
	local n=$1 i
	shift
	for i in "$@"; do
		view_is "$i" "$n" || return 1
	done
}

# nodes_up HOW_MANY [MTU]: a cluster; fails if it does not form in time.
nodes_up() {
	local n=$1 i
	bridge_up
	for i in $(seq "$n"); do link_up "$i" "${2:-1500}" || return; done
	for i in $(seq "$n"); do node_config "$i" "$n" || return; done
	# shellcheck disable=SC2046
	wait_for 20 all_in_view "$n" $(seq "$n")
}

# counter N NAME: one of node N's counters.
counter() {
	in_node "$1" cat "/sys/class/group/%node/counters/$2"
}

# For SECONDS at most may RCU wait, until stalls_back. A slow guest keeps its own
# limit: what a processor does in a second there says nothing.
stalls_after() {
	local file=/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout
	old_stall=$(cat $file)
	[ "$scale" != 1 ] || echo "$1" >$file
}
stalls_back() {
	echo "$old_stall" >/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout
}

# Processes by name.
declare -A pid=()

# end NAME...: as if killed; other members see theirs leave.
end() {
	local name
	for name in "$@"; do
		[ -n "${pid[$name]-}" ] || continue
		kill -9 "${pid[$name]}"
		wait "${pid[$name]}" 2>/dev/null
		unset "pid[$name]"
	done
}

link_cut() { ip link set "v$1" down; }
link_heal() { ip link set "v$1" up; }

# nodes_down: all of it away; fails if a namespace does not go.
nodes_down() {
	local i
	# shellcheck disable=SC2046
	kill -9 $(jobs -p) 2>/dev/null
	wait 2>/dev/null
	for i in $(ip netns list | awk '{print $1}'); do ip netns del "$i"; done
	ip link del br0 2>/dev/null
	[ -z "$(ip netns list)" ]
}

# However a script ends, it leaves nothing to the next one.
trap 'nodes_down >/dev/null 2>&1' EXIT

# For the end of a test script.
finish() {
	echo "1..$tests"
	[ $fails = 0 ]
}
