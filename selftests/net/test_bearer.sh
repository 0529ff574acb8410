#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The UDP bearer: both families, path MTU, super-packets whole and cut, loss,
# checksums, bearers that come and go. All, or one: test_bearer.sh link
#
#	n1      n2      n3	one namespace each, eth0
#	 |       |       |
#	 +------br0------+	10.0.0.N/24, fd00::N/64
#
#	n1 ---- r ---- n2	test of a router: 10.0.N.1, fd00:N::1
set -u
# What wait_for calls looks unused.
# shellcheck disable=SC2317
cd "$(dirname "$0")" || exit
# shellcheck source=selftests/net/lib.sh
. ./lib.sh
nr=0 failed=0
nodes='1 2 3'
tmp=$(mktemp -d)

# result STATUS NAME
result() {
	nr=$((nr + 1))
	if [ "$1" = 0 ]; then
		echo "ok $nr - $2"
		return
	fi
	failed=1
	echo "not ok $nr - $2"
	cat "$tmp"/recv* "$tmp"/send 2>/dev/null | sed 's/^/# /'
}

addr() {
	if [ "$1" = 4 ]; then echo "10.0.0.$2"; else echo "fd00::$2"; fi
}

# link_mtu MTU: of every link of the bridge, both ends
link_mtu() {
	local i
	for i in $nodes; do
		ip -n "n$i" link set eth0 mtu "$1"
		ip link set "v$i" mtu "$1"
	done
}

net_up() {
	local i
	sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip link add br0 type bridge
	ip link set br0 up
	for i in $nodes; do
		ip netns add "n$i"
		in_node "$i" sysctl -qw net.ipv6.conf.default.accept_dad=0
		ip link add "v$i" type veth peer name eth0 netns "n$i"
		ip link set "v$i" master br0 up
		ip -n "n$i" addr add "10.0.0.$i/24" dev eth0
		ip -n "n$i" addr add "fd00::$i/64" dev eth0 nodad
		ip -n "n$i" link set eth0 up
		ip -n "n$i" link set lo up
	done
}

net_down() {
	local i
	for i in $nodes r; do
		ip netns del "n$i" 2>/dev/null
	done
	ip link del br0 2>/dev/null
	wait_for 10 not ip link show v1 2>"$tmp/err"
}

not() {
	if "$@" >/dev/null; then return 1; fi
}

# cluster FAMILY: a bearer and the peers of every node
cluster() {
	local i j
	for i in $nodes; do
		in_node "$i" gsockctl node set id "$i" && patience "$i" &&
			in_node "$i" gsockctl bearer add "$(addr "$1" "$i")" || return
		for j in $nodes; do
			[ "$i" = "$j" ] ||
				in_node "$i" gsockctl peer add "$(addr "$1" "$j")" ||
				return
		done
	done
}

# start SIZE COUNT: node 1 sends, the others receive, in the background
start() {
	local i
	name=g$RANDOM members=0 midway=
	rm -f "$tmp"/recv* "$tmp"/send
	for i in $nodes; do
		members=$((members + 1))
		[ "$i" = 1 ] ||
			in_node "$i" pump recv "$name" >"$tmp/recv$i" 2>&1 &
	done
	in_node 1 timeout 90 pump send "$name" "$1" 80 $members "$2" \
		>"$tmp/send" 2>&1 &
}

# finish COUNT: did all of it arrive, and nothing else?
finish() {
	local i bad=0
	wait
	for i in $nodes; do
		[ "$i" = 1 ] ||
			grep -q "received $1, wrong 0" "$tmp/recv$i" || bad=1
	done
	return $bad
}

# Takes note that there is still something to be sent.
running() {
	if ! grep -q sent "$tmp/send"; then midway=yes; fi
}

exchange() {
	start "$1" "$2"
	finish "$2"
}

# figure N NAME: the largest of that column in node N's list of peers
figure() {
	in_node "$1" gsockctl -j peer show | tr ',{}[]' '\n' |
		sed -n "s/^ *\"$2\": *//p" | sort -n | tail -n 1
}

mtu_is() {
	[ "$(figure 1 mtu)" = "$1" ]
}

# moving N PACKETS: node N has sent that many to one peer at least
moving() {
	[ "$(figure "$1" tx_packets)" -ge "$2" ]
}

# udp N FIELD: a counter of the namespace's UDP
udp() {
	# shellcheck disable=SC2016
	in_node "$1" awk -v f="$2" '$1 == "Udp:" { if (h) print $h;
		for (i = 2; i <= NF; i++) if ($i == f) h = i }' /proc/net/snmp
}

each_size() {
	exchange 1 100 && exchange 7 300 && exchange 64 3000 &&
		exchange 1000 1000 && exchange 1001 400 &&
		exchange 8000 300 && exchange 60000 40 &&
		exchange 1048576 4
}

test_family() {
	net_up
	cluster "$1" && each_size
	result $? "IPv$1: messages of 1 B to 1 MiB"
	start 8000 12000
	wait_for 20 moving 1 $(($(figure 1 tx_packets) + 300))
	link_mtu 1280
	running
	finish 12000 && [ "$midway" ]
	result $? "IPv$1: MTU falls from 1500 to 1280 while messages run"
	wait_for 5 mtu_is "$2"
	result $? "IPv$1: datagrams of $2 B on a link of MTU 1280"
	each_size
	result $? "IPv$1: messages of all sizes on a link of MTU 1280"
	link_mtu 9000
	exchange 1048576 4 && wait_for 5 mtu_is "$3"
	result $? "IPv$1: MTU rises to 9000"
	net_down
}

segs() {
	local i
	for i in $nodes; do
		ip -n "n$i" link set eth0 gso_max_segs "$1"
		ip link set "v$i" gso_max_segs "$1"
	done
}

netem() {
	local i
	for i in $nodes; do
		in_node "$i" tc qdisc del dev eth0 root 2>"$tmp/err"
		in_node "$i" tc qdisc add dev eth0 root netem "$@"
	done
}

test_link() {
	local n
	net_up
	cluster 4
	segs 1
	each_size
	result $? 'super-packets cut up by the sending host'
	netem loss 10%
	exchange 8000 200 && exchange 1048576 3
	result $? '10 % of single datagrams lost'
	segs 64
	exchange 8000 200 && exchange 1048576 3
	result $? '10 % of super-packets lost'
	netem corrupt 5%
	n=$(udp 2 InCsumErrors)
	exchange 64 1000 && exchange 8000 100 && exchange 100000 20
	result $? 'a bit flipped in 5 % of datagrams: nothing wrong delivered'
	[ "$(udp 2 InCsumErrors)" -gt "$n" ]
	result $? 'and counted'
	netem limit 100000
	for n in $nodes; do
		in_node "$n" offload eth0 off
	done
	n=$(udp 2 InCsumErrors)
	each_size && [ "$(udp 2 InCsumErrors)" = "$n" ]
	result $? 'no checksum offload: all checksums are right'
	netem corrupt 5%
	exchange 1000 1000 && [ "$(udp 2 InCsumErrors)" -gt "$n" ]
	result $? 'no checksum offload, flipped bits: counted, nothing wrong'
	net_down
}

test_busy() {
	local old
	old=$(sysctl -n net.core.busy_read)
	sysctl -qw net.core.busy_read=50 net.core.busy_poll=50
	net_up
	cluster 4
	exchange 64 1000 && exchange 8000 200
	result $? 'net.core.busy_read=50 before the bearer'
	sysctl -qw net.core.busy_read=0
	in_node 2 gsockctl bearer del 10.0.0.2
	in_node 2 gsockctl bearer add 10.0.0.2
	sysctl -qw net.core.busy_read=50
	exchange 64 1000 && exchange 8000 200
	result $? 'net.core.busy_read=50 after it'
	sysctl -qw net.core.busy_read="$old" net.core.busy_poll=0
	net_down
}

told_by_router() {
	mtu_is "$1" || { exchange 8000 20 && mtu_is "$1"; }
}

# A path whose narrow link is not this host's: only ICMP tells.
test_router() {
	local nodes='1 2' family=$1 i j
	for i in 1 2 r; do
		ip netns add "n$i"
		ip -n "n$i" link set lo up
		in_node "$i" sysctl -qw net.ipv6.conf.default.accept_dad=0
	done
	in_node r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	for i in $nodes; do
		ip link add eth0 netns "n$i" type veth peer name "v$i" netns nr
		ip -n "n$i" addr add "10.0.$i.1/24" dev eth0
		ip -n "n$i" addr add "fd00:$i::1/64" dev eth0 nodad
		ip -n nr addr add "10.0.$i.254/24" dev "v$i"
		ip -n nr addr add "fd00:$i::fe/64" dev "v$i" nodad
		ip -n "n$i" link set eth0 up
		ip -n nr link set "v$i" up
		ip -n "n$i" route add default via "10.0.$i.254"
		ip -n "n$i" -6 route add default via "fd00:$i::fe"
	done
	for i in $nodes; do
		j=$((3 - i))
		in_node "$i" gsockctl node set id "$i"
		if [ "$family" = 4 ]; then
			in_node "$i" gsockctl bearer add "10.0.$i.1"
			in_node "$i" gsockctl peer add "10.0.$j.1"
		else
			in_node "$i" gsockctl bearer add "fd00:$i::1"
			in_node "$i" gsockctl peer add "fd00:$j::1"
		fi
	done
	exchange 8000 100
	result $? "IPv$family: through a router"
	start 8000 20000
	wait_for 20 moving 1 $(($(figure 1 tx_packets) + 300))
	ip -n nr link set v2 mtu 1300
	ip -n n2 link set eth0 mtu 1300
	running
	finish 20000 && [ "$midway" ]
	result $? "IPv$family: the router's link narrows while messages run"
	# Routers limit how often they say so: large ones until it has been heard.
	wait_for 30 told_by_router "$2"
	result $? "IPv$family: the path is known to be narrow"
	exchange 64 1000 && exchange 1048576 4
	result $? "IPv$family: messages through the narrow link"
	ip netns del nr
	net_down
}

# Within the time of detection: nobody is suspected, nothing is lost. Another
# bearer stays, since a node without any leaves its cluster.
test_come_and_go() {
	local i
	net_up
	cluster 4
	for i in $nodes; do
		in_node "$i" gsockctl node set detect 20000
	done
	in_node 2 gsockctl bearer add fd00::2
	start 1000 20000
	for i in 1 2 3; do
		wait_for 20 moving 1 $(($(figure 1 tx_packets) + 200))
		in_node 2 gsockctl bearer del 10.0.0.2
		in_node 2 gsockctl bearer add 10.0.0.2
		in_node 3 gsockctl bearer add fd00::3
		in_node 3 gsockctl bearer del fd00::3
	done
	running
	finish 20000 && [ "$midway" ]
	result $? 'bearers deleted and added under traffic'
	net_down
}

in_use() {
	! unused
}

unused() {
	grep -q '^gsock [0-9]* 0 ' /proc/modules
}

test_unload() {
	net_up
	cluster 4
	ip netns exec n2 pump recv idle >"$tmp/err" 2>&1 &
	wait_for 10 in_use
	not rmmod gsock 2>"$tmp/err"
	result $? 'unloading is refused with an open socket'
	kill $!
	wait_for 10 unused
	result $? 'a killed program lets go of the module'
	in_node 1 pump udpsend 7018 100 3 10.0.0.2 10.0.0.3 >"$tmp/send" &
	wait_for 5 rmmod gsock 2>"$tmp/err"
	result $? 'unloading with bearers under traffic'
	wait
	insmod /lib/gsock.ko
	cluster 4 && exchange 1000 500
	result $? 'loaded again'
	net_down
}

if [ $# -gt 0 ]; then
	"test_$1" "${@:2}"
else
	test_family 4 1252 8972
	test_family 6 1232 8952
	test_router 4 1272
	test_router 6 1252
	test_link
	test_busy
	test_come_and_go
	test_unload
fi
echo "1..$nr"
rm -rf "$tmp"
exit $failed
