#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Lists the allocations of a module: sites.sh MODULE.ko
# One a line: the address a call returns to, as the kernel prints it, and what
# is called. Taken from the machine code, so none can be forgotten: what is
# inlined in three places is three sites.
set -euo pipefail

dir=$(cd "$(dirname "$0")" && pwd)
pattern=$(grep -v '^#' "$dir/allocators" | awk '{print $1}' | paste -sd '|')
objdump -dr --no-show-raw-insn "$1" | awk -v pattern="^($pattern)\$" '
	# "  1b: call 20 <name+0x20>": without its relocation, the next address.
	/\tcall / {
		at = $0
		sub(/.*</, "", at)
		sub(/>.*/, "", at)
		next
	}
	/R_X86_64_(PLT|PC)32/ && at {
		to = $NF
		sub(/[-+]0x[0-9a-f]+$/, "", to)
		if (to ~ pattern)
			print at, to
	}
	{ at = "" }'
