#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Lines of the engine that the unit tests and so many seeds of the simulator
# (second argument, 0: none) run, and its scenes: a table by file, why lines are
# left (selftests/unit/unrun), and the total, which must be no less than the
# third argument says. Lines left of which nothing is said fail.
set -eu
out=$1
seeds=${2:-0}
least=${3:-0}
top=$PWD
inc="-Iselftests/shim -Ikmod/engine -Iuapi -Iselftests/unit -Iselftests/sim -Iselftests/judge"
inc="$inc -Itools -Ilibgsock"

rm -rf "$out"
mkdir -p "$out/unit"

objs=
for src in kmod/engine/*.c; do
	obj="$out/$(basename "$src" .c).o"
	# shellcheck disable=SC2086
	gcc -std=gnu11 -O0 -g --coverage $inc -c "$top/$src" -o "$obj"
	objs="$objs $obj"
done

# What tests and simulator share, not measured itself.
mkdir -p "$out/lib"
for src in selftests/unit/unit_*.c selftests/shim/*.c selftests/judge/judge*.c; do
	# shellcheck disable=SC2086
	gcc -std=gnu11 -O1 -g $inc -c "$src" \
		-o "$out/lib/$(basename "$src" .c).o"
done
ar rcs "$out/lib.a" "$out"/lib/*.o

for t in selftests/unit/test_*.c; do
	head -n 3 "$t" | grep -q 'unit: standalone' && continue
	bin="$out/unit/$(basename "$t" .c)"
	# shellcheck disable=SC2086
	gcc -std=gnu11 -O0 -g --coverage $inc "$t" $objs "$out/lib.a" \
		-o "$bin" -lcmocka
	"$bin" >"$bin.log" 2>&1 || { cat "$bin.log"; exit 1; }
done

if [ "$seeds" != 0 ]; then
	# shellcheck disable=SC2086
	gcc -std=gnu11 -O1 -g $inc -fprofile-arcs selftests/sim/*.c $objs \
		"$out/lib.a" -o "$out/sim"
	"$out/sim" --seeds "$seeds" --first 1 >"$out/sim.log" ||
		{ tail "$out/sim.log"; exit 1; }
	"$out/sim" --seeds 5 --scene all >"$out/scenes.log" ||
		{ tail "$out/scenes.log"; exit 1; }
fi

# gcov counts a line that stands in several functions once for each: the
# annotated source has each line once.
cd "$out"
for obj in $objs; do
	gcov -s "$top" -r "$(basename "$obj")" >/dev/null 2>&1
done
awk -F: -v least="$least" '
	# Reasons, by file, function and text.
	FNR == NR {
		if (/^= /)
			reason = substr($0, 3)
		else if (/^[^#].*: /)
			why[$0] = reason
		next
	}
	FNR == 1 {
		file = FILENAME
		sub(/.*\//, "", file)
		sub(/\.gcov$/, "", file)
	}
	{
		text = $0
		sub(/^[^:]*:[^:]*:/, "", text)
	}
	text ~ /^[a-z_].*\(/ {
		fn = text
		sub(/\(.*/, "", fn)
		sub(/.*[ *]/, "", fn)
	}
	/^ *[-0-9#=*]+:/ {
		sub(/^[ \t]+/, "", text)
		whole = file " " fn ": *"
		line = file " " fn ": " text
		there[whole] = there[line] = 1
		count = $1
		gsub(/[ *]/, "", count)
		if (count == "-" || $2 + 0 == 0)
			next
		all[file]++
		if (count !~ /^[#=]/) {
			run[file]++
			next
		}
		if (line in why || whole in why) {
			n[line in why ? why[line] : why[whole]]++
			next
		}
		printf "not run, not explained: %s:%d: %s\n", file, $2, text
		open++
	}
	END {
		for (f in all) {
			printf "%-20s %5d of %5d  %5.1f %%\n", f, run[f],
				all[f], 100 * run[f] / all[f] | "sort"
			r += run[f]
			a += all[f]
		}
		close("sort")
		for (w in n)
			printf "%4d not run: %s\n", n[w], w | "sort -rn"
		close("sort -rn")
		for (line in why)
			if (!there[line]) {
				print "explained, and not there: " line
				open++
			}
		printf "%-20s %5d of %5d  %5.1f %%, %d lines not explained\n",
			"total", r, a, a ? 100 * r / a : 0, open
		if (!a || 100 * r / a < least) {
			printf "less than %s %%\n", least
			exit 1
		}
		exit open > 0
	}' "$top/selftests/unit/unrun" ./*gpe_*.c.gcov
