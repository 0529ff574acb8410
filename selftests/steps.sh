# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Runs steps and counts test cases, for the scripts behind `make check` and its
# kin: each sets $logs, a directory that is made anew, before. A step without
# TAP lines of its own counts as one case.
rm -rf "${logs:?}"
mkdir -p "$logs"
passed=0 failed=0
export MAKEFLAGS=

# begin NAME SECONDS COMMAND...: in the background; finish NAME: its result.
begin() {
	local name=$1 limit=$2
	shift 2
	began[$name]=$SECONDS
	timeout -k 10 "$limit" "$@" >"$logs/$name.log" 2>&1 &
	pid[$name]=$!
}
declare -A began pid
# shellcheck disable=SC2046
trap 'kill $(jobs -p) 2>/dev/null' EXIT

finish() {
	local name=$1 log ok bad rc start
	log=$logs/$name.log
	start=${began[$name]}
	wait "${pid[$name]}"
	rc=$?
	# TAP, also as cmocka and the guests print it (with \r and indent).
	ok=$(tr -d '\r' <"$log" | grep -cE '^ *(ok [0-9]|\[       OK \])')
	bad=$(tr -d '\r' <"$log" | grep -cE '^ *(not ok [0-9]|\[  FAILED  \] [a-z_0-9]+$)')
	[ $rc -ne 0 ] && [ "$bad" = 0 ] && bad=1
	[ $((ok + bad)) = 0 ] && ok=1
	passed=$((passed + ok))
	failed=$((failed + bad))
	if [ "$bad" = 0 ]; then
		echo "ok - $name: $ok passed ($((SECONDS - start)) s)"
	else
		echo "not ok - $name: $ok passed, $bad failed ($((SECONDS - start)) s)"
		tr -d '\r' <"$log" | grep -E '^ *not ok|violated|rror' | head -n 10
		tail -n 20 "$log" | sed 's/^/    /'
	fi
}

# step NAME SECONDS COMMAND...
step() {
	begin "$@"
	finish "$1"
}

# The last line.
sum_up() {
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ]
}
