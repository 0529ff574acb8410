#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Lines of the engine that the unit tests run, and with a number of seeds as
# second argument the simulator too: a table by file, and the total.
set -eu
out=$1
seeds=${2:-}
top=$PWD
inc="-Iselftests/shim -Ikmod/engine -Iuapi -Iselftests/unit -Iselftests/sim -Iselftests/judge"
inc="$inc -Itools -Ilibgsock"

rm -rf "$out"
mkdir -p "$out/unit"

objs=
for src in kmod/engine/*.c; do
	obj="$out/$(basename "$src" .c).o"
	# shellcheck disable=SC2086
	gcc -std=gnu11 -O0 -g --coverage $inc -c "$src" -o "$obj"
	objs="$objs $obj"
done

for t in selftests/unit/test_*.c; do
	head -n 3 "$t" | grep -q 'unit: standalone' && continue
	bin="$out/unit/$(basename "$t" .c)"
	# shellcheck disable=SC2086
	gcc -std=gnu11 -O0 -g --coverage $inc "$t" selftests/unit/unit_*.c \
		selftests/shim/*.c $objs -o "$bin" -lcmocka
	"$bin" >"$bin.log" 2>&1 || { cat "$bin.log"; exit 1; }
done

if [ -n "$seeds" ]; then
	# shellcheck disable=SC2086
	gcc -std=gnu11 -O0 -g --coverage $inc selftests/sim/*.c selftests/judge/judge*.c \
		selftests/shim/*.c $objs -o "$out/sim"
	"$out/sim" --seeds "$seeds" --first 1 >"$out/sim.log" ||
		{ tail "$out/sim.log"; exit 1; }
fi

cd "$out"
for obj in $objs; do
	gcov -n -s "$top" -r "$(basename "$obj")" 2>/dev/null
done | awk '
	/^File / { file = $2; gsub(/\047|.*\//, "", file) }
	/^Lines executed/ && file ~ /\.c$/ {
		split($2, part, /[:%]/)
		n = $4
		run[file] = int(part[2] * n / 100 + 0.5)
		all[file] = n
		file = ""
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
	}'
