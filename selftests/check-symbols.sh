#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The library's symbols: the version script, the shared object, the header,
# the comments at the functions and the manual page name the same ones.
set -u
cd "$(dirname "$0")/.." || exit
lib=${1:-build/lib/libgsock.so}
tmp=$(mktemp -d)
trap 'rm -r "$tmp"' EXIT
bad=0

# same WHAT FILE: the names in FILE are those of the version script.
same() {
	if ! diff "$tmp/sym" "$2" >"$tmp/diff"; then
		echo "symbols: gsock.sym (<) and $1 (>) differ:"
		grep '^[<>]' "$tmp/diff"
		bad=1
	fi
}

sed -n 's/^\t\(gsock_[a-z_]*\);$/\1/p' libgsock/gsock.sym | sort >"$tmp/sym"
[ -s "$tmp/sym" ] || exit 1
nm -D --defined-only "$lib" | sed -n 's/^[0-9a-f]* T \(.*\)@@GSOCK_0\.1$/\1/p' |
	sort >"$tmp/so"
same "$lib" "$tmp/so"
nm -D --defined-only "$lib" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
	sort >"$tmp/all"
same "$lib, all versions" "$tmp/all"
sed -n 's/^[a-z].*[ *]\(gsock_[a-z_]*\)(.*/\1/p' libgsock/gsock.h | sort >"$tmp/h"
same gsock.h "$tmp/h"
sed -n 's/^ \* \(gsock_[a-z_]*\)() - .*/\1/p' libgsock/*.c | sort >"$tmp/doc"
same 'the comments' "$tmp/doc"
sed -n '/^\.SH SYNOPSIS/,/^\.SH DESC/s/^\.B .*[ *]\(gsock_[a-z_]*\)(.*/\1/p' \
	libgsock/gsock.3 | sort >"$tmp/man"
same gsock.3 "$tmp/man"
exit $bad
