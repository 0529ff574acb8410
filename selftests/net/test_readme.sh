#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The programs of README.md, built from it (selftests/readme.sh), as printed.
set -u
# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

c_program() { [ "$(readme)" = '5 bytes' ]; }
check 'the C program of the README' c_program
python_program() {
	[ "$(python3 /root/readme.py)" = 'hello from python' ]
}
if [ -e /root/readme.py ]; then
	check 'the Python program of the README' python_program
else
	ok 'the Python program # SKIP: this guest has none' 0
fi
finish
