#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Mutants: the simulator with one deliberate fault of the engine built in
# (kmod/engine/gpe_fault.h), for each of them, or for those named. Every one
# must be caught by the checker that its rule names: in a scene that is made for
# it (sim_scene.c says which), in seeds, or in any scene.
#
#	mutants.sh DIR [NAME...]	from the top; SEEDS=n: at most so many
set -u
dir=$1
shift
seeds=${SEEDS:-3000}
flags="-O2 -g -Wall -Wextra -Wno-unused-parameter -Iselftests/shim -Ikmod/engine
	-Iuapi -Iselftests/sim -Iselftests/judge"
read -ra flags <<<"$(echo "$flags" | tr '\n\t' '  ')"
if [ $# = 0 ]; then
	# shellcheck disable=SC2046
	set -- $(sed -n 's/^\tX(\([A-Z_]*\),.*/\1/p' kmod/engine/gpe_fault.h)
fi
mkdir -p "$dir"

compile() { # SOURCE OBJECT FLAG...
	local src=$1 obj=$2
	shift 2
	${CC:-gcc} "${flags[@]}" "$@" -c "$src" -o "$obj"
}

# What no fault touches is built once.
src=(kmod/engine/*.c selftests/shim/*.c selftests/sim/*.c
	selftests/judge/judge*.c)
objects=()
for s in "${src[@]}"; do
	o=$dir/$(echo "$s" | tr / _).o
	objects+=("$o")
	case $s in
	selftests/sim/sim_main.c) ;;
	*) compile "$s" "$o" || exit 2 ;;
	esac
done

mutant() { # NAME: builds and runs it
	local name=$1 nr="-DGPE_MUTANT=GPE_FAULT_$1" i objs=()
	for i in "${!src[@]}"; do
		if [ "${src[i]}" = selftests/sim/sim_main.c ] ||
			grep -q "GPE_FAULT_$name)" "${src[i]}"; then
			compile "${src[i]}" "$dir/$i.o" "$nr" || return 2
			objs+=("$dir/$i.o")
		else
			objs+=("${objects[i]}")
		fi
	done
	${CC:-gcc} "${objs[@]}" -o "$dir/sim" || return 2
	"$dir/sim" --catch "$name" --seeds "$seeds"
}

printf '%-15s %-52s %s\n' MUTANT RULE 'PROPERTY, SEEDS NEEDED'
caught=0
survived=0
start=$(date +%s)
for name in "$@"; do
	line=$(mutant "$name" | tail -n 1)
	case $line in
	'ok '*) caught=$((caught + 1)) ;;
	*) survived=$((survived + 1)) ;;
	esac
	rule=${line#*"$name: "}
	printf '%-15s %-52s %s\n' "$name" "${rule%: *}" "${rule##*: }"
done
echo "# $(($(date +%s) - start)) s"
echo "mutants: $caught caught, $survived survived"
[ $survived = 0 ]
