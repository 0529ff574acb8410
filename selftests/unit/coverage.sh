#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Lines of the engine that the unit tests and so many seeds of the simulator
# (second argument, 0: none) run: each line that is left, a table by file, and
# the total, which must be no less than the third argument says.
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
fi

# gcov counts a line that stands in several functions once for each: the
# annotated source has each line once.
cd "$out"
for obj in $objs; do
	gcov -s "$top" -r "$(basename "$obj")" >/dev/null 2>&1
done
awk -F: -v least="$least" '
	FNR == 1 { file = FILENAME; sub(/.*\//, "", file); sub(/\.gcov$/, "", file) }
	/^ *[-0-9#=*]+:/ {
		count = $1
		gsub(/[ *]/, "", count)
		if (count == "-" || $2 + 0 == 0)
			next
		all[file]++
		if (count !~ /^[#=]/) {
			run[file]++
			next
		}
		text = $0
		sub(/^[^:]*:[^:]*:/, "", text)
		printf "not run: %s:%d:%s\n", file, $2, text
	}
	END {
		for (f in all) {
			printf "%-20s %5d of %5d  %5.1f %%\n", f, run[f],
				all[f], 100 * run[f] / all[f] | "sort"
			r += run[f]
			a += all[f]
		}
		close("sort")
		printf "%-20s %5d of %5d  %5.1f %%\n", "total", r, a,
			a ? 100 * r / a : 0
		if (!a || 100 * r / a < least) {
			printf "less than %s %%\n", least
			exit 1
		}
	}' ./*gpe_*.c.gcov
