#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Chaos for CHAOS_SECONDS (60), in rounds of CHAOS_ROUND seconds (60) at most;
# after each all must be in one view again, and a judge reads what the members
# saw. CHAOS_SEED (1) draws the first round, the next numbers the others.
# CHAOS_ORDERS: orders of messages. CHAOS_KEEP=1: all histories are kept, else
# those that were found bad. CHAOS_VERBOSE=1: each fault. TAP.
set -u
# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/net/chaos.sh
. "$(dirname "$0")/chaos.sh"
total=${CHAOS_SECONDS:-60}
round=${CHAOS_ROUND:-60}
seed=${CHAOS_SEED:-1}

explain() {
	local name said i
	views_shown
	for i in $(seq $nodes); do
		in_node "$i" gsockctl peer show
		in_node "$i" gsockctl counters show | grep -E 'drop|refus|ballot'
	done
	for name in "${!pid[@]}"; do
		for said in calm 'done' ended; do
			[ -e "$dir/$said.$name" ] || break
		done
		echo "$name: not $said"
	done | sort
}

tell() {
	local kind
	printf '# seed %s:' "$seed"
	for kind in $(printf '%s\n' "${kinds[@]}" | sort -u); do
		[ -z "${count[$kind]-}" ] || printf ' %s %s' "${count[$kind]}" "$kind"
	done
	printf '; one view after %s ms, at rest after %s ms\n' "$healed" \
		"$rested"
}

healed() {
	heals >"$dir/healing" && return
	cat "$dir/healing"
	false
}

no_errors() { [ ! -s "$dir/errors" ] || { cat "$dir/errors"; false; }; }

judged() {
	judge "$dir/history" && return
	[ -n "${CHAOS_KEEP-}" ] || keep "$dir/history"
	false
}

# Out of the guest, for those who want to look at it (selftests/vm/vmrun.sh).
keep() { [ ! -e /dev/ttyS3 ] || gzip -c "$1" >/dev/ttyS3; }

one_round() { # one_round SECONDS
	dir=$(mktemp -d)
	: >"$dir/errors"
	count=()
	RANDOM=$seed
	storm "$1"
	touch "$dir/calm"
	now_ms
	began=$now
	check "seed $seed: faults end, all nodes are in one view" healed
	now_ms
	healed=$((now - began))
	check "seed $seed: the last message of each member comes to all" \
		come_to_rest
	now_ms
	rested=$((now - began - healed))
	members_end
	check "seed $seed: no member had an error" no_errors
	tell
	[ -z "${CHAOS_VERBOSE-}" ] || sed 's/^/# /' "$dir/healing"
	cat "$dir"/*.log >"$dir/history"
	[ -z "${CHAOS_KEEP-}" ] || keep "$dir/history"
	if command -v judge >/dev/null; then
		check "seed $seed: the judge" judged
	fi
	rm -rf "$dir"
}

echo "# chaos: seed $seed, $total s, orders $orders"
check "$nodes nodes form a cluster" nodes_up $nodes
while [ "$total" -gt 0 ]; do
	one_round $((total < round ? total : round))
	total=$((total - round))
	seed=$((seed + 1))
done
check 'all of it goes' nodes_down
finish
