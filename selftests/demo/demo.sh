#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make demo: three nodes in one guest, three files sent at once. See scene.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
texts=build/demo
mkdir -p $texts
linux=build/linux

# Real texts, of some 10,000 lines each.
find /usr/share/common-licenses $linux/LICENSES -type f -print0 | sort -z |
	xargs -0 cat >$texts/licences.txt
cat $linux/Documentation/admin-guide/{kernel-parameters.txt,cgroup-v2.rst} \
	>$texts/kernel.txt
cat $linux/Documentation/{virt/kvm/api.rst,networking/ip-sysctl.rst} \
	>$texts/kvm.txt

exec make -s vm RUN='bash /root/scene.sh' VMTIMEOUT="${VMTIMEOUT:-170}" \
	VMNAME=demo VMFILES="selftests/demo/scene.sh $texts/licences.txt $texts/kernel.txt $texts/kvm.txt"
