# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Five nodes, what is done to them, and members that write down what they see
# of it (chaos_member.c). All is drawn from one seed, which is printed; what
# comes of it is not the same twice, since time is not. Used by test_chaos.sh.
#
#	noise	loss, duplicates, reordering, damage, one way
#	mute	nothing comes out of a node; deaf: nothing comes in
#	cut	its link is down
#	pair	one node does not reach another, one way or both
#	split	two sides that do not reach each other
#	kill	a process is gone (SIGKILL); stop: stands still
#	gone	a node is deleted, its processes before, with or after it; a new one
#		takes its place
#	bearer	its bearer is removed, and added
#	cpu	spinners on every processor; mem: nearly no memory is left

nodes=5
groups='red green blue grey'
orders=${CHAOS_ORDERS:-none fifo causal total safe}
faults_max=4
per_node=3
R=0

declare -A pid=() node_of=() ends=() count=()
killed=()
made=0
dir=
seed=1
# Nothing ever comes out of it: for pauses.
exec {never}<> <(:)

# rnd N: 0 to N - 1, in R: not in a shell of its own, which would draw the same
# again and again.
rnd() { R=$(((RANDOM << 15 | RANDOM) % $1)); }

now_ms() { now=$((${EPOCHREALTIME/./} / 1000)); }

# Without a process, which takes long where everything spins.
pause() { read -rt "$1" -u "$never"; }

quietly() { "$@" >/dev/null 2>&1; }

# ---- members ----

member_start() { # member_start NODE
	local i=$1 name
	made=$((made + 1))
	name=n$i-$made
	ip netns exec "n$i" chaos_member -n "$name" -d "$dir" -g "$groups" \
		-o "$orders" -s $((seed * 1000 + made)) 2>>"$dir/errors" &
	pid[$name]=$!
	node_of[$name]=$i
}

member_kill() { # member_kill NAME
	kill -9 "${pid[$1]}" 2>/dev/null
	wait "${pid[$1]}" 2>/dev/null
	unset "pid[$1]" "node_of[$1]" "ends[stop $1]"
	killed+=("$1")
}

members_kill() { # of node $1
	local name
	for name in "${!pid[@]}"; do
		[ "${node_of[$name]}" != "$1" ] || member_kill "$name"
	done
}

any_member() { # in NAME; fails if there is none
	local -a all
	mapfile -t all < <(printf '%s\n' "${!pid[@]}" | sort)
	[ ${#pid[@]} -gt 0 ] || return
	rnd ${#pid[@]}
	name=${all[R]}
}

# New ones in the place of those that are gone; none may end by itself.
members_tend() {
	local i name
	local -A have=()
	for name in "${!pid[@]}"; do
		have[${node_of[$name]}]=$((${have[${node_of[$name]}]-0} + 1))
		kill -0 "${pid[$name]}" 2>/dev/null && continue
		echo "$name has ended by itself" >>"$dir/errors"
		member_kill "$name"
	done
	for i in $(seq $nodes); do
		[ -z "${ends[gone $i]-}" ] || continue
		[ "${have[$i]-0}" -lt $per_node ] || continue
		rnd 10
		[ $R -gt 1 ] || member_start "$i"
	done
}

# ---- faults: each has a key, by which it is ended ----

# side NODE: the device whose queue is one way of its link; "in" or "out".
tc_side() { # tc_side in|out NODE ARGS...
	local side=$1 i=$2 verb=$3
	shift 3
	if [ "$side" = in ]; then
		quietly tc qdisc "$verb" dev "v$i" root "$@"
	else
		quietly ip netns exec "n$i" tc qdisc "$verb" dev eth0 root "$@"
	fi
}

noise() { # noise in|out NODE
	local loss delay damage twice
	rnd 30 && loss=$R
	rnd 8 && delay=$((R + 1))
	rnd 10 && damage=$R
	rnd 10 && twice=$R
	tc_side "$1" "$2" replace netem limit 10000 loss $loss% \
		delay ${delay}ms 1ms reorder 30% duplicate $twice% \
		corrupt 0.$damage%
}

# blackhole add|del FROM TO...
blackhole() {
	local verb=$1 i=$2
	shift 2
	printf "route $verb blackhole 10.0.0.%s\n" "$@" |
		quietly ip -n "n$i" -force -batch -
}

# split add|del ONE_SIDE: a string of digits; the others are the other side.
split() {
	local i
	local -a one=() other=()
	for i in $(seq $nodes); do
		case $2 in
		*$i*) one+=("$i") ;;
		*) other+=("$i") ;;
		esac
	done
	for i in "${one[@]}"; do blackhole "$1" "$i" "${other[@]}"; done
	for i in "${other[@]}"; do blackhole "$1" "$i" "${one[@]}"; done
}

node_gone() { # node_gone NODE
	local i=$1
	rnd 4
	case $R in
	0)	# an orderly end, with a goodbye
		members_kill "$i"
		quietly ip netns del "n$i"
		;;
	1)	# as if the power had failed
		quietly ip link del "v$i"
		members_kill "$i"
		quietly ip netns del "n$i"
		;;
	2)	# it is there until its sockets are closed
		quietly ip netns del "n$i"
		members_kill "$i"
		;;
	3)	# that is: when a new one is wanted
		quietly ip netns del "n$i"
		;;
	esac
}

node_again() { # node_again NODE
	members_kill "$1"
	link_up "$1" >>"$dir/errors" 2>&1 || echo "v$1 does not go" >>"$dir/errors"
	node_config "$1" $nodes >>"$dir/errors" 2>&1
}

# begin KIND: draws its node and the rest of it; sets key, or fails.
begin() {
	local i j name
	rnd $nodes && i=$((R + 1))
	rnd $((nodes - 1)) && j=$((R + 1))
	[ $j -lt $i ] || j=$((j + 1))
	[ -z "${ends[gone $i]-}" ] || return
	key="$1 $i"
	case $1 in
	noise | mute | deaf)
		local side=in
		rnd 2
		[ $R = 0 ] || side=out
		[ "$1" != deaf ] || side=in
		[ "$1" != mute ] || side=out
		key="queue $side $i"
		[ -z "${ends[$key]-}" ] || return
		if [ "$1" = noise ]; then
			noise $side $i
		else
			tc_side $side $i replace netem loss 100%
		fi
		;;
	cut)	quietly ip link set "v$i" down ;;
	pair)
		key="pair $i $j"
		blackhole add $i $j
		rnd 2
		[ $R = 0 ] || blackhole add $j $i
		;;
	split)
		rnd 2
		key="split $i"
		[ $R = 0 ] || key="split $i$j"
		split add "${key#split }"
		;;
	kill)
		any_member || return
		member_kill "$name"
		key="kill $name"
		;;
	stop)
		any_member || return
		kill -STOP "${pid[$name]}"
		key="stop $name"
		;;
	gone)
		[ -z "${ends[$key]-}" ] || return
		node_gone $i
		;;
	bearer)	quietly in_node $i gsockctl bearer del "$(addr $i)" ;;
	cpu)	chaos_hog cpu 8 $((length / 1000 + 1)) & key=cpu ;;
	mem)	chaos_hog mem 48 $((length / 1000 + 1)) & key=mem ;;
	esac
}

# end_fault KEY
end_fault() {
	# shellcheck disable=SC2086
	set -- $1
	case $1 in
	queue)	tc_side "$2" "$3" del ;;
	cut)	quietly ip link set "v$2" up ;;
	pair)
		blackhole del "$2" "$3"
		blackhole del "$3" "$2"
		;;
	split)	split del "$2" ;;
	stop)	[ -z "${pid[$2]-}" ] || kill -CONT "${pid[$2]}" ;;
	gone)	node_again "$2" ;;
	bearer)	quietly in_node "$2" gsockctl bearer add "$(addr "$2")" ;;
	esac
}

kinds=(noise noise noise noise mute deaf cut pair pair split kill kill kill
	stop stop stop gone bearer cpu mem)

fault() {
	local kind key length
	rnd ${#kinds[@]}
	kind=${kinds[R]}
	rnd 3000
	length=$((R + 300))
	rnd 5
	[ $R != 0 ] || length=$((2 * length))
	begin "$kind" || return
	now_ms
	ends[$key]=$((now + length))
	count[$kind]=$((${count[$kind]-0} + 1))
	[ -z "${CHAOS_VERBOSE-}" ] ||
		echo "# $((now - began)) ms: $kind: $key, $length ms"
}

faults_end() { # those whose time is over; all: every one
	local key
	for key in "${!ends[@]}"; do
		# The end of one may have been that of others.
		[ -n "${ends[$key]-}" ] || continue
		[ "${1-}" = all ] || [ "${ends[$key]}" -le "$now" ] || continue
		unset "ends[$key]"
		end_fault "$key"
	done
}

# storm SECONDS
storm() {
	local end next
	now_ms
	began=$now
	next=$now
	end=$((now + $1 * 1000))
	while [ "$now" -lt $end ]; do
		members_tend
		faults_end
		if [ "$now" -ge "$next" ] && [ ${#ends[@]} -lt $faults_max ]
		then
			fault
			rnd 800
			next=$((now + R))
		fi
		pause 0.05
		now_ms
	done
	faults_end all
}

# ---- afterwards ----

# What every node shows, a line each.
views_shown() {
	local i
	for i in $(seq $nodes); do
		in_node "$i" gsockctl node show | awk -v i="$i" '
			$1 == "state" || $1 == "epoch" || $1 == "quorum" {
				$1 = $1; text = text $0 " " }
			/^  [0-9]/ { nodes = nodes " " $2 }
			END { print "node " i ": " text "nodes" nodes }'
	done
}

one_view() {
	local shown
	shown=$(views_shown | sed 's/^node [0-9]*: //' | sort -u)
	[ "$(echo "$shown" | wc -l)" = 1 ] &&
		[ "$(echo "${shown##*nodes}" | wc -w)" = $nodes ]
}

# Where memory is scarce an `ip` that should have ended a fault may have ended
# itself. What is not there any more is no error.
links_whole() {
	local i
	for i in $(seq $nodes); do
		quietly ip -n "n$i" route flush type blackhole
		quietly tc qdisc del dev "v$i" root
		quietly ip netns exec "n$i" tc qdisc del dev eth0 root
		quietly ip link set "v$i" up
	done
}

# One view of all; what it looks like where that takes long. Looking is work
# itself, so not all the time. Nodes that came and went are held off by each of
# the others for up to 30 s, and a failed try to come in begins that anew.
heals() {
	local end told
	links_whole
	now_ms
	end=$((now + 240000))
	told=$((now + 5000))
	until one_view; do
		now_ms
		[ "$now" -lt $end ] || return
		if [ "$now" -ge $told ]; then
			links_whole
			echo "after $(((240000 - end + now) / 1000)) s:"
			views_shown
			told=$((told + 5000))
		fi
		pause 0.3
	done
	return 0
}

# all_said WORD: each process has said it.
all_said() {
	local name
	for name in "${!pid[@]}"; do
		[ -e "$dir/$1.$name" ] || return
	done
}

# Everyone comes to rest, sees the last messages of all, and stays to the end.
# The file "calm" is there.
come_to_rest() {
	wait_for 90 all_said calm || return
	touch "$dir/fence"
	wait_for 90 all_said 'done' || return
	touch "$dir/end"
	wait_for 20 all_said ended
}

members_end() {
	local name
	for name in "${!pid[@]}"; do
		# Those who wrote their last line are not to be marked.
		kill -9 "${pid[$name]}" 2>/dev/null
		wait "${pid[$name]}" 2>/dev/null
		[ -e "$dir/ended.$name" ] || killed+=("$name")
	done
	pid=()
	node_of=()
	for name in "${killed[@]}"; do
		chaos_member -k -n "$name" -d "$dir"
	done
	killed=()
}
