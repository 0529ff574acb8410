#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The programs that README.md prints, for the guest: build/bin/readme from the
# C program, build/readme.py from the Python one.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/bin

# block FIRST: the indented block whose first line is FIRST, without its indent.
block() {
	awk -v first="$1" '
		!on && $0 == "    " first { on = 1 }
		on && /^[^ ]/ { exit }
		on { sub(/^    /, ""); print }' README.md
}
block '#include <stdio.h>' >build/readme.c
block 'import ctypes, socket' >build/readme.py
[ "$(wc -l <build/readme.c)" -ge 15 ] && [ "$(wc -l <build/readme.py)" -ge 8 ]
${CC:-cc} -Wall -Wextra -Werror -Iuapi build/readme.c -o build/bin/readme
