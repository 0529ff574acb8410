#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Two judges that share no code, one in C and one in Python, about the same
# histories of the simulator. Both must find nothing in good ones, and both
# must condemn a bad one of each mutant (kmod/engine/gpe_fault.h, or those
# named) for the property that the simulator found broken.
#
#	agree.sh JUDGE SIM SIM-FAULTS [MUTANT...]	from the top
#
# GOOD=n: good histories; FIRST=k: the first seed; SEEDS=n: seeds in which a
# mutant has to show. Exit status 1 if they do not agree, 2 if nothing is said.
set -u
judge=$1 sim=$2 faults=$3
shift 3
good=${GOOD:-1000} first=${FIRST:-1} seeds=${SEEDS:-3000}
second=selftests/judge-py/judge.py
# One in a hundred is so large that Python takes minutes.
most=12M
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# What no history shows, however it is read, and why.
unseen() {
	case $1 in
	NO_DOUBT) echo 'when a node acts: a history has no clock' ;;
	CREDIT_ANY) echo 'how much memory is held: a history has no sizes' ;;
	CREDIT_LEAK | WAKE_LOST)
		echo 'that a sender waits for ever: nothing was accepted' ;;
	LINKS_UNSEEN) echo 'who hears whom: a history has no links' ;;
	DECISION_MUTE) echo 'that it takes too long: a history has no clock' ;;
	*) return 1 ;;
	esac
}

# Of a verdict: the properties broken, in one line. Both name them alike.
broken() {
	sed -nE 's/^(.*:[0-9]+: )?(V[0-9]+): .*/\2/p' "$1" | sort -u | xargs
}

# verdicts FILE: sets $c and $p
verdicts() {
	"$judge" --limit 1 "$1" >"$tmp/c" 2>&1
	[ $? -lt 2 ] || { cat "$tmp/c"; exit 2; }
	python3 "$second" --limit 1 "$1" >"$tmp/p" 2>&1
	[ $? -lt 2 ] || { cat "$tmp/p"; exit 2; }
	c=$(broken "$tmp/c")
	p=$(broken "$tmp/p")
}

# ---- good ones ----

agreed=0 judged=0 large=0

# Those in $tmp/h, of which $1 says where they come from.
judge_good() {
	local file
	"$judge" --each "$tmp"/h/*.jsonl >"$tmp/c" 2>&1
	printf '%s\n' "$tmp"/h/*.jsonl |
		xargs -P 2 -n 5 python3 "$second" --each >"$tmp/p" 2>&1
	for file in "$tmp"/h/*.jsonl; do
		judged=$((judged + 1))
		if grep -q "^judge: $file: .* 0 violations$" "$tmp/c" &&
			grep -q "^judge.py: $file: .* 0 violations$" "$tmp/p"; then
			agreed=$((agreed + 1))
			continue
		fi
		echo "# $1, $(basename "$file" .jsonl): not good for both"
		grep -hF "$file" "$tmp/c" "$tmp/p" | grep -v ' 0 violations$' |
			sed "s,$tmp/h/,#   ,g" | head -n 6
	done
}

# make_good COUNT [SCENE]: histories of so many seeds, but for large ones.
make_good() {
	local end=$((judged + $1)) seed=$first scene=${2:-} n
	while [ $judged -lt $end ]; do
		n=$((end - judged < 20 ? end - judged : 20))
		"$sim" --seeds "$n" --first "$seed" ${scene:+--scene "$scene"} \
			--no-shrink --history "$tmp/h" >"$tmp/out" ||
			sed 's/^/# /' "$tmp/out"
		seed=$((seed + n))
		find "$tmp/h" -size +"$most" -delete -print >"$tmp/large"
		large=$((large + $(wc -l <"$tmp/large")))
		compgen -G "$tmp/h/*.jsonl" >/dev/null &&
			judge_good "${scene:-no scene}"
		rm -r "$tmp/h"
	done
}

# ---- bad ones ----

# Does the text $1 have the word $2?
has() {
	[[ " $1 " == *" $2 "* ]]
}

# Both condemn it, and for one reason. What never comes (V11) is not seen as
# such, but as what is missing at the end.
same() {
	local property=$1 each
	has "$c" "$property" && has "$p" "$property" && return
	[ "$property" = V11 ] || return
	for each in $c; do
		has "$p" "$each" && return
	done
	return 1
}

# The histories of seeds $2 to $3 of mutant $1 in which the simulator finds
# property $4 broken, in scene $5 if any, until both judges condemn one.
condemned() {
	local name=$1 seed ok=1
	"$faults" --fault "$name" --seeds $(($3 - $2 + 1)) --first "$2" \
		${5:+--scene "$5"} --no-shrink --history "$tmp/h" >"$tmp/out"
	sed -nE "s/^seed ([0-9]+): $4 violated.*/\1/p" "$tmp/out" |
		sort -n >"$tmp/bad"
	while [ $ok = 1 ] && read -r seed; do
		verdicts "$tmp/h/seed-$seed.jsonl"
		same "$4" && ok=0
	done <"$tmp/bad"
	rm -r "$tmp/h"
	return $ok
}

# Looks for a bad history of mutant $1, and for what the judges say of it.
judge_bad() {
	local name=$1 line property scene='' seed
	line=$("$faults" --catch "$name" --seeds "$seeds" | tail -n 1)
	if [[ $line != "ok "* ]]; then
		result "$name" - '' '' "the simulator does not find it: $line"
		return 1
	fi
	line=${line##*: }
	property=${line%%,*} seed=${line##* }
	if [[ $property != V* ]]; then
		result "$name" "$property" '' '' \
			'not seen: time and number: a history has no bounds'
		return 3
	fi
	[[ $line == *,*,* ]] && scene=${line#*, } && scene=${scene%,*}
	if condemned "$name" "$seed" "$seed" "$property" "$scene" ||
		condemned "$name" $((seed + 1)) $((seed + 40)) "$property" \
			"$scene"; then
		result "$name" "$property" "$c" "$p" ''
		return
	fi
	result "$name" "$property" "$c" "$p" 'they do not agree'
	return 1
}

result() {
	printf '%-16s %-10s %-16s %-16s %s\n' "$1" "$2" "${3:--}" "${4:--}" "$5"
}

start=$SECONDS
if [ "$good" -ge 100 ]; then
	mapfile -t scenes < <("$sim" --scene '?' 2>&1 |
		sed -nE 's/^  ([a-z0-9-]+) .*/\1/p')
	for scene in "${scenes[@]}"; do
		make_good $((good / 100)) "$scene"
	done
fi
make_good $((good - judged))
if [ "$agreed" = "$good" ]; then
	echo "good: $good histories, both say good"
else
	echo "good: $good histories, both say good of $agreed"
fi
echo "# $((SECONDS - start)) s, $large larger than $most left out"

start=$SECONDS
if [ $# = 0 ]; then
	# shellcheck disable=SC2046
	set -- $(sed -n 's/^\tX(\([A-Z_]*\),.*/\1/p' kmod/engine/gpe_fault.h)
fi
bad=0 hits=0 blind=0
result MUTANT SIMULATOR 'C SAYS' 'PYTHON SAYS' ''
for name in "$@"; do
	if why=$(unseen "$name"); then
		blind=$((blind + 1))
		result "$name" '' '' '' "not seen: $why"
		continue
	fi
	judge_bad "$name"
	case $? in
	0) hits=$((hits + 1)) bad=$((bad + 1)) ;;
	3) blind=$((blind + 1)) ;;
	*) bad=$((bad + 1)) ;;
	esac
done
echo "# $((SECONDS - start)) s, $blind not to be seen in a history"
echo "bad: $bad mutants, both condemn $hits"
[ "$agreed" = "$good" ] && [ "$hits" = "$bad" ]
