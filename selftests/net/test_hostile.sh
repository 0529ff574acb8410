#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Hostile datagrams at three nodes under traffic: see hostile.c.
set -u
# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

check 'three nodes are up' nodes_up 3
while read -r word rest; do
	case $word in
	pass) ok "$rest" 0 ;;
	fail) ok "$rest" 1 ;;
	*) echo "$word $rest" ;;
	esac
done < <(hostile "${1:-1}"; echo "$([ $? -lt 2 ] && echo pass || echo fail) hostile ran to its end")
trouble() { ! dmesg | grep -E 'WARNING:|BUG:|Oops|stall|refcount_t:'; }
check 'nothing in the kernel log' trouble
check 'all namespaces go' nodes_down
finish
