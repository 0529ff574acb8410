#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The program: what it takes for a history, several files of one run, and what
# the simulator writes. $1: judge, $2: sim, $3: sim-faults. TAP.
set -u
judge=$1 sim=$2 faults=$3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0 failed=0

result() {
	local rc=$1 name=$2
	n=$((n + 1))
	if [ "$rc" = 0 ]; then
		echo "ok $n - $name"
	else
		failed=1
		sed 's/^/# /' "$tmp/out"
		echo "not ok $n - $name"
	fi
}

# expect NAME STATUS PATTERN ARGUMENTS...: of the judge
expect() {
	local name=$1 status=$2 pattern=$3 rc
	shift 3
	"$judge" "$@" >"$tmp/out" 2>&1
	rc=$?
	[ $rc = "$status" ] && grep -qE -- "$pattern" "$tmp/out"
	result $? "$name"
}

# Two members and a message; a line behind it that is no history.
good() {
	cat <<-'END'
	{"e":"join","m":"a","g":"x"}
	{"g":"x","m":"b","e":"join"}
	{"e":"view","m":"a","g":"x","view":"7.1","self":"1:ab:5","members":["1:ab:5","2:CD:6"]}
	{"e":"view","m":"b","g":"x","view":"7.1","self":"2:cd:6","members":["1:ab:5","2:cd:6"]}
	{"e":"send","m":"a","g":"x","id":"one","order":"total","len":3}
	{"e":"sent","m":"a","id":"one","view":"7.1"}
	{"e":"deliver","m":"a","g":"x","id":"one","from":"1:ab:5","view":"7.1","order":"total","pos":1,"len":3,"ok":true,"lamport":9}
	{"e":"deliver","m":"b","g":"x","id":"one","from":"1:ab:5","view":"7.1","order":"total","pos":1,"len":3,"ok":true,"other":[{}]}
	{"e":"epoch","n":1,"inc":"ab","epoch":7,"before":0,"nodes":["1:ab","2:cd"],"at":5}
	END
}

malformed() {
	good >"$tmp/bad"
	printf '%s\n' "$2" >>"$tmp/bad"
	expect "refused: $1" 2 "^judge: $tmp/bad:10: .*$3" "$tmp/bad"
}

good >"$tmp/good"
expect 'a good history' 0 \
	'^judge: 9 lines, 2 members, 1 messages, 1 views, 0 violations$' \
	"$tmp/good"
expect 'no file' 2 'no-such-file: No such file' "$tmp/no-such-file"
expect 'no argument' 2 '^usage: '
expect 'a limit that is none' 2 'limit wants a number, not "-1"' --limit -1 x
expect 'an option that is none' 2 '^usage: ' --lots x

malformed 'an empty line' '' 'no JSON'
malformed 'half a line' '{"e":"end","m":"a"' 'no JSON'
malformed 'two in a line' '{"e":"end","m":"a"} {}' 'no JSON'
malformed 'a comma too much' '{"e":"end","m":"a",}' 'no JSON'
malformed 'a list' '["e"]' 'no JSON object'
malformed 'no event' '{"m":"a"}' '"e" is missing'
malformed 'an unknown event' '{"e":"jump","m":"a"}' '"jump" is no event'
malformed 'a number for a text' '{"e":"end","m":4}' '"m" is missing or no'
malformed 'an unknown member' '{"e":"end","m":"c"}' '"c" has not joined'
malformed 'a second join' '{"e":"join","m":"a","g":"x"}' 'joins twice'
malformed 'another group' \
	'{"e":"send","m":"a","g":"y","id":"two","order":"none","len":1}' \
	'not in group "y"'
malformed 'no order' \
	'{"e":"send","m":"a","g":"x","id":"two","order":"all","len":1}' \
	'"all" is no order'
malformed 'a negative length' \
	'{"e":"send","m":"a","g":"x","id":"two","order":"none","len":-1}' \
	'"len" is missing'
malformed 'sent twice' \
	'{"e":"send","m":"a","g":"x","id":"one","order":"none","len":1}' \
	'"one" is sent twice'
malformed 'an answer too much' '{"e":"sent","m":"a","id":"one"}' \
	'has not sent message "one"'
malformed 'an address' \
	'{"e":"send","m":"a","g":"x","id":"two","order":"none","len":1,"to":"1:0xab:5"}' \
	'"1:0xab:5" is not node:inc:port'
malformed 'a view number' '{"e":"left","m":"a","view":"7"}' 'not epoch.seq'
malformed 'a member of a view' \
	'{"e":"view","m":"a","g":"x","view":"7.2","self":"1:ab:5","members":["1:ab:5","b"]}' \
	'entry 2 is not'
malformed 'a node' \
	'{"e":"epoch","n":1,"inc":"ab","epoch":8,"before":7,"nodes":["0:ab"]}' \
	'entry 1 is not id:inc'
malformed 'a quorum' \
	'{"e":"epoch","n":1,"inc":"ab","epoch":8,"before":7,"nodes":[],"quorum":0}' \
	'"quorum" is missing or no'
malformed 'an epoch too large' \
	'{"e":"epoch","n":1,"inc":"ab","epoch":99999999999999999999,"before":7,"nodes":[]}' \
	'"epoch" is missing'
{ good; printf '{"e":"end","m":"a"}\n{"e":"crash","m":"a"}\n'; } >"$tmp/two"
expect 'refused: two ends' 2 'two:11: member "a" is out' "$tmp/two"

# A file for each member, the receiver's first; what became of it in a third.
good | grep -v '"m":"b"' >"$tmp/a"
good | grep '"m":"b"' >"$tmp/b"
printf '{"e":"end","m":"a"}\n{"e":"crash","m":"b"}\n' >"$tmp/c"
expect 'one file a member, in any order' 0 '^judge: 11 lines, .* 0 viol' \
	"$tmp/b" "$tmp/a" "$tmp/c"
expect 'each file for itself' 1 "^judge: $tmp/b: 3 lines, 1 members" --each \
	"$tmp/good" "$tmp/b"

# a answers b, and b had sent before it delivered: each needs the other first.
cat >"$tmp/circle" <<'END'
{"e":"join","m":"a","g":"x"}
{"e":"join","m":"b","g":"x"}
{"e":"view","m":"a","g":"x","view":"7.1","self":"1:ab:5","members":["1:ab:5","2:cd:6"]}
{"e":"view","m":"b","g":"x","view":"7.1","self":"2:cd:6","members":["1:ab:5","2:cd:6"]}
{"e":"deliver","m":"a","g":"x","id":"two","from":"2:cd:6","view":"7.1","order":"none","pos":1,"len":3,"ok":true}
{"e":"send","m":"a","g":"x","id":"one","order":"none","len":3}
{"e":"deliver","m":"b","g":"x","id":"one","from":"1:ab:5","view":"7.1","order":"none","pos":1,"len":3,"ok":true}
{"e":"send","m":"b","g":"x","id":"two","order":"none","len":3}
END
expect 'a circle' 1 "^V3: message two at a before it was sent \[$tmp/circle:5\]" \
	"$tmp/circle"

# Lines that say another thing, and which they are.
other() {
	sed "$2" "$tmp/good" >"$tmp/other"
	expect "$1" 1 "^$3 .*$tmp/other:$4\]" "$tmp/other"
}
other 'lines concerned: bytes' '8s/true/false/' 'V3: message one at b has' \
	'8, .*5'
other 'lines concerned: views' '4s/cd:6","m/ce:6","m/;4s/2:cd:6"\]/2:ce:6"]/' \
	'V1: view 7.1 differs at rank 1' '4, .*3'

# What the simulator's own judge says of what it saw, and this one of the file.
"$sim" --seeds 20 --first 501 --history "$tmp/h" >"$tmp/out" 2>&1 &&
	"$judge" --each "$tmp"/h/*.jsonl >"$tmp/out" 2>&1 &&
	[ "$(grep -c ' 0 violations$' "$tmp/out")" = 20 ]
result $? "20 histories of the simulator"

for fault in VIEW_RANKS MARK_EARLY FRAG_SWAP STAMP_OLD FIFO_OVERTAKE \
	CAUSAL_FREE TOTAL_LOCAL QUORUM_ANY; do
	rm -rf "$tmp/h"
	"$faults" --fault "$fault" --seeds 10 --history "$tmp/h" >"$tmp/seeds"
	# V11 leaves no line.
	sed -nE 's/^seed ([0-9]+): (V[0-9]+) violated.*/\1 \2/p' "$tmp/seeds" |
		grep -v ' V11$' >"$tmp/bad"
	rc=0
	[ -s "$tmp/bad" ] || rc=1
	cp "$tmp/seeds" "$tmp/out"
	while read -r seed property; do
		"$judge" "$tmp/h/seed-$seed.jsonl" >"$tmp/out" 2>&1
		if [ $? != 1 ] || ! grep -q "^$property: " "$tmp/out"; then
			echo "seed $seed: not $property" >>"$tmp/out"
			rc=1
			break
		fi
	done <"$tmp/bad"
	result $rc "the same verdict on histories of $fault"
done
echo "1..$n"
exit $failed
