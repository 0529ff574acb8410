#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The walls between the parts: who may include, call or name what.
set -u
cd "${1:-$(dirname "$0")/..}" || exit
bad=0

# forbid WHAT PATTERN FILES...: no line of FILES may match.
forbid() {
	local what=$1 pattern=$2 hits
	shift 2
	[ $# -gt 0 ] || return 0
	hits=$(grep -nE "$pattern" "$@" /dev/null)
	if [ -n "$hits" ]; then
		echo "$hits" | sed "s/^/$what: /"
		bad=1
	fi
}
shopt -s nullglob
engine=(kmod/engine/*.[ch])
engine_inner=()
for f in "${engine[@]}"; do
	case $f in */gpe_env.h) ;; *) engine_inner+=("$f") ;; esac
done
glue=(kmod/*.[ch])
glue_only=()
not_run=()
not_bearer=()
for f in "${glue[@]}"; do
	case $f in kmod/run.c) ;; *) not_run+=("$f") ;; esac
	case $f in kmod/bearer*) ;; *) not_bearer+=("$f") ;; esac
	glue_only+=("$f")
done
outside=(uapi/linux/*.h libgsock/*.[ch] tools/*.[ch])

forbid 'engine includes only its own headers' \
	'^#include ([<]|"(\.|[^g]|g[^p]))' "${engine_inner[@]}"
forbid 'engine names a kernel object' \
	'struct sk_buff|struct sock[^a-z_]|struct net[^a-z_]|jiffies|spin_lock|printk|pr_(err|warn|info)|GFP_|ktime_|kmalloc|kfree' \
	"${engine[@]}"
forbid 'glue sees the engine only by gpe.h' \
	'#include "(gpe_int|gpe_fault|gpe_env)\.h"|#include "engine/' \
	"${glue_only[@]}"
forbid 'only run.c calls the engine' 'gpe_step\(' "${not_run[@]}"
forbid 'only the bearers know UDP' \
	'net/udp|linux/udp|udp_tunnel|udp_sk\(' "${not_bearer[@]}"
forbid 'only kmod/compat names kernel versions' \
	'LINUX_VERSION_CODE|KERNEL_VERSION|linux/version\.h' \
	"${glue[@]}" "${engine[@]}"
for f in uapi/linux/*.h; do
	hits=$(grep -n '#include' "$f" |
		grep -vE '<linux/(types|socket|group|group_netlink)\.h>')
	if [ -n "$hits" ]; then
		echo "uapi includes only the basic headers: $f:$hits"
		bad=1
	fi
done
forbid 'user space includes nothing of kmod' \
	'#include .*(kmod|engine|gpe)' "${outside[@]}"
forbid 'the tools leave netlink to the library' \
	'#include <netlink/' tools/*.[ch]
forbid 'nothing includes the selftests' '#include .*selftests' \
	"${glue[@]}" "${outside[@]}"
[ $bad = 0 ] && echo 'includes: ok'
exit $bad
