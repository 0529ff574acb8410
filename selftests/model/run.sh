#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run.sh [DIRECTORY]: checks the models with spin, then each of them with one
# rule taken away, which has to fail in the property named. TAP; the last line
# says how many. Logs, and for what failed a trail to read, in DIRECTORY.
# MODEL_ONLY=word: those cases only whose line has the word in it.
set -u
here=$(realpath "$(dirname "$0")")
work=$(realpath -m "${1:-build/model}")
only=${MODEL_ONLY:-}
memory=3800	# MB, of each of two,
seconds=200	# of processor time

# kind | model | options | what has to come out
#   all	    every state, none bad, and nothing in the model is never reached
#   live    the same, for what has to happen in the end, under weak fairness
#   large   as many states as are marked in a table of bits
#   unfair  must fail without fairness: else "in the end" would mean nothing
#   see	    this can happen
#   not	    the rule is taken away and this property is lost
cases() {
	cat <<'END'
all | viewchange | K=2 |
all | viewchange | K=2 NONE |
all | viewchange | K=1 S=2 CAUSAL |
all | viewchange | K=1 S=2 CAUSAL VOTES_2=3 |
all | viewchange | K=1 SAFE |
all | viewchange | K=1 STABLE |
all | viewchange | K=1 NEWCOMER |
all | quorum | B=3 RESTARTS=2 |
all | quorum | B=3 RESTARTS=2 FIRST=3 |
all | quorum | B=3 RESTARTS=2 FIRST=0 |
all | quorum | B=3 RESTARTS=2 EXPECTED=2 VOTES_2=0 |
all | quorum | B=3 RESTARTS=2 EXPECTED=4 VOTES_2=2 |
live | viewchange | LIVE K=1 CRASHES=1 B=2 |
see | viewchange | K=1 SEE_REPAIRED |
see | viewchange | K=1 SEE_INHERITED |
see | viewchange | K=1 SEE_LAST |
see | viewchange | K=1 SEE_ALONE |
see | viewchange | K=1 SEE_OUT |
see | viewchange | K=2 NONE SEE_SINGLE |
see | viewchange | K=1 S=2 CAUSAL VOTES_2=3 SEE_VOID |
see | viewchange | K=1 SAFE SEE_SAFE |
see | viewchange | K=1 STABLE SEE_STABLE |
see | viewchange | K=1 NEWCOMER SEE_NEWCOMER |
see | quorum | B=3 SEE_NEWCOMER |
see | quorum | B=3 SEE_MIXED |
see | quorum | B=3 RESTARTS=3 SEE_TOTAL |
see | quorum | B=3 SEE_GOES_ON |
see | quorum | B=3 SEE_TWICE |
see | quorum | B=3 SEE_REFORMED |
see | quorum | B=3 SEE_FORMED_LATE |
see | quorum | B=3 EXPECTED=2 VOTES_2=0 SEE_TIE |
unfair | viewchange | LIVE K=1 CRASHES=1 B=2 | decided_in_the_end
not | viewchange | K=1 NO_WEDGE | NOT_BEYOND
not | viewchange | K=1 NO_EPOCH_CLOSED | V2
not | viewchange | K=1 NO_REPORT_ALL | NOT_BEYOND
not | viewchange | K=2 NONE NO_REPORT_SINGLES | NOT_BEYOND
not | viewchange | K=1 NO_REPORT_ACCEPTED | AGREEMENT
not | viewchange | K=1 NO_CUT_LONGEST_PREFIX | NOT_BEYOND
not | viewchange | K=2 NONE NO_CUT_SINGLES | NOT_BEYOND
not | viewchange | K=1 S=2 CAUSAL VOTES_2=3 NO_VOID_WITHOUT_CAUSE | V6
not | viewchange | K=1 STABLE NO_STABLE_IS_ALL | V2
not | viewchange | K=1 SAFE NO_SAFE_WHEN_STABLE | V8
not | viewchange | K=1 NO_PROMISE_HIGHER | AGREEMENT
not | viewchange | K=1 NO_TAKE_HIGHEST_ACCEPTED | AGREEMENT
not | viewchange | K=1 B=3 NO_TAKE_THE_HIGHEST | AGREEMENT
not | viewchange | K=1 NO_TAKEN_UNCHANGED | AGREEMENT
not | viewchange | K=1 NO_QUORUM_CLOSING | AGREEMENT
not | viewchange | K=1 NO_FLUSH_BEFORE_VOTE | MAY_COMPLETE
not | viewchange | K=1 NO_READY_NAMES_BALLOT | MAY_COMPLETE
not | viewchange | K=1 NEWCOMER NO_DIRECTORY_OF_CUT | V2
not | viewchange | K=1 NO_OLD_OR_OUT | NOT_BEYOND
not | viewchange | K=1 NO_NEW_INCARNATION | AGREEMENT
not | viewchange | LIVE K=1 CRASHES=1 B=2 NO_ACCEPT_BY_ANY | decided_in_the_end
not | viewchange | LIVE K=1 CRASHES=1 B=2 NO_INSTALL_ANSWERS | decided_in_the_end
not | viewchange | LIVE K=1 CRASHES=1 B=2 NO_NEXT_BALLOT | decided_in_the_end
not | quorum | B=3 NO_QUORUM_CLOSING | AGREEMENT
not | quorum | B=3 EXPECTED=2 VOTES_2=0 NO_TIE_LOWEST_RANK | AGREEMENT
not | quorum | B=3 FIRST=3 NO_OLD_HALF_EXPECTED | V10
not | quorum | B=3 FIRST=3 NO_JOINERS_DO_NOT_COUNT | V10
not | quorum | B=3 EXPECTED=2 VOTES_2=0 NO_FORMATION_MAJORITY | V10
not | quorum | B=3 EXPECTED=2 VOTES_2=0 NO_FORMATION_LEAVES_OLD | V10
not | quorum | B=3 EXPECTED=2 VOTES_2=0 NO_LEFT_STAYS_OUT | V10
not | quorum | B=3 NO_NEW_INCARNATION | AGREEMENT
not | quorum | B=3 NO_TAKE_HIGHEST_ACCEPTED | AGREEMENT
not | quorum | B=3 EXPECTED=4 VOTES_2=2 NO_HALF_ONLY_OF_TWO | V10
not | quorum | B=3 EXPECTED=2 VOTES_2=0 NO_ACCEPTED_BINDS | V10
not | quorum | B=3 FIRST=3 NO_FLUSH_BEFORE_VOTE | V10
large | viewchange | K=2 B=3 |
large | viewchange | K=2 S=2 N=4 |
large | quorum | B=4 RESTARTS=2 |
large | quorum | B=3 RESTARTS=2 N=4 EXPECTED=4 |
END
}

# Is nothing unreached but the ends of processes?
all_reached() {
	! awk '/^unreached in/ { on = 1; next } /^$/ { on = 0 }
		on && /state [0-9]+/ && !/-end-/ { print; bad = 1 }
		END { exit !bad }' "$1"
}

complete() {
	grep -q 'errors: 0' "$1" &&
		! grep -qE 'max search depth too small|out of memory|not completed' "$1"
}

# verdict KIND WANTED LOG
verdict() {
	case $1 in
	all) complete "$3" && all_reached "$3" ;;
	live) complete "$3" ;;
	large) grep -q 'errors: 0' "$3" && ! grep -q 'depth too small' "$3" ;;
	see) grep -qE 'assertion violated \(*SEEN\|' "$3" ;;
	unfair) grep -q 'acceptance cycle' "$3" ;;
	not)
		if [ "$2" = decided_in_the_end ]; then
			grep -q 'acceptance cycle' "$3"
		else
			grep -qE "assertion violated \(*$2\|" "$3"
		fi
		;;
	esac
}

# one NUMBER KIND MODEL OPTIONS WANTED: its result in NUMBER/line.
one() {
	local kind=$2 wanted=$5 dir=$work/$1 start=$SECONDS states ok=ok
	local options=() compile=(-O1) run=(-m20000)
	read -ra options <<<"$4"
	options=("${options[@]/#/-D}")
	case $kind in
	all) compile=(-O2 -DSAFETY -DNOCLAIM) run+=(-w25) ;;
	live) compile=(-O2) run+=(-a -f -w22) ;;
	unfair) run+=(-a -w20) ;;
	large) compile=(-O2 -DSAFETY -DNOCLAIM -DBITSTATE) run+=(-w30 -k2 -Q1) ;;
	*)
		run+=(-w20)
		if [[ $4 == *LIVE* ]]; then
			run+=(-a -f)
		else
			compile+=(-DSAFETY -DNOCLAIM)
		fi
		;;
	esac
	mkdir -p "$dir"
	if (cd "$dir" && spin -a "${options[@]}" "$here/$3.pml" &&
		gcc -w "${compile[@]}" -DMEMLIM=$memory -o pan pan.c) \
		>"$dir/build" 2>&1; then
		(cd "$dir" && ulimit -t $seconds && ./pan "${run[@]}" >log 2>&1)
	else
		cp "$dir/build" "$dir/log"
	fi
	verdict "$kind" "$wanted" "$dir/log" || ok='not ok'
	states=$(awk '/states, stored/ { print $1; exit }' "$dir/log")
	printf '%s %d - %s: %s: %s%s (%s states, %d s)\n' "$ok" "$1" "$kind" \
		"$3" "$4" "${wanted:+ -> $wanted}" "${states:-no}" \
		$((SECONDS - start)) >"$dir/result"
	if [ "$ok" != ok ]; then
		grep -hE 'violated|cycle|rror|too small|memory|unreached|state [0-9]+,' \
			"$dir/log" | cut -c1-200 | head -n 10 | sed 's/^/# /' \
			>>"$dir/result"
		(cd "$dir" && [ -e "$3.pml.trail" ] &&
			spin -t -T "${options[@]}" -k "$3.pml.trail" \
				"$here/$3.pml" >trail 2>&1)
	fi
	rm -f "$dir"/pan "$dir"/pan.?
	mv "$dir/result" "$dir/line"
}

# Prints what is done, in order, and counts it.
show() {
	local line
	while [ -s "$work/$shown/line" ]; do
		cat "$work/$shown/line"
		line=$(head -n 1 "$work/$shown/line")
		case $line in
		not\ ok*) failed=$((failed + 1)) ;;
		*\ -\ not:*) refuted=$((refuted + 1)) ;;
		*) checked=$((checked + 1)) ;;
		esac
		shown=$((shown + 1))
	done
}

rm -rf "$work"
mkdir -p "$work"
# shellcheck disable=SC2046
trap 'kill $(jobs -p) 2>/dev/null' EXIT
n=0 shown=1 running=0 checked=0 refuted=0 failed=0
while IFS='|' read -r kind model options wanted; do
	[ -n "$only" ] && [[ "$kind $model $options" != *"$only"* ]] && continue
	n=$((n + 1))
	if [ $running = 2 ]; then
		wait -n
		running=$((running - 1))
		show
	fi
	options=${options# }
	one $n "${kind// /}" "${model// /}" "${options% }" "${wanted// /}" \
		</dev/null &
	running=$((running + 1))
done < <(cases)
wait
show
if [ "$n" = 0 ]; then
	echo "model: no case has '$only' in it" >&2
	exit 2
fi
echo "model: $checked checked, $refuted mutants refuted, $failed failed"
[ "$failed" = 0 ] && [ $((checked + refuted)) = "$n" ]
