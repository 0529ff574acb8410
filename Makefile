# SPDX-License-Identifier: GPL-2.0
# Two commands to begin with: make demo, make check. All targets: make help.
SHELL := /bin/bash
.DELETE_ON_ERROR:
top := $(CURDIR)
B := build
KERNELS := 6.1 6.12
# Built here from source, to look for faults; see selftests/debug/kernel.sh.
DEBUG_KERNELS := kasan kcsan
VMKERNEL ?= 6.1

CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Werror -std=gnu11
ENGINE_INC := -Iselftests/shim -Ikmod/engine -Iuapi
engine_src := $(wildcard kmod/engine/*.c)
engine_hdr := $(wildcard kmod/engine/*.h selftests/shim/*.h)
shim_src := $(wildcard selftests/shim/*.c)

PACKAGES := gcc gcc-multilib make libc6-dev libelf-dev bc flex bison kmod cpio xz-utils \
	qemu-system-x86 busybox-static iproute2 sparse shellcheck \
	pkg-config libnl-3-dev libnl-genl-3-dev libjson-c-dev libcmocka-dev \
	clang-format spin python3 pyflakes3 perl linux-headers-cloud-amd64 \
	linux-headers-6.12-cloud-amd64 linux-source-6.1

.PHONY: all help deps module sparse lib tools selftests bench unit coverage \
	sim sim-slices sim-asan sim-faults sim-mutants judge-py model vm check \
	demo static judge judges clean install figures check-long sim-scenes check-debug
all: module lib tools

help:
	@echo 'make demo                three nodes in one guest, logs compared'
	@echo 'make check               every test; ends with N passed, N failed'
	@echo 'make check-long          half an hour of chaos and 10 minutes of full load'
	@echo '                         on each kernel; SEED= CHAOS_SECONDS= LOAD_SECONDS='
	@echo 'make check-debug         the same guest in kernels that look for faults, and'
	@echo '                         each allocation failed once; builds two kernels'
	@echo 'make vm RUN=cmd          run a command in a guest; VMKERNEL=6.1|6.12'
	@echo '                         VMFILES=files VMTIMEOUT=s VMMEM= VMSMP='
	@echo '                         VMVERBOSE=1 VMLOAD=0 VMUNLOAD=0 VMPYTHON=1 VMICOUNT='
	@echo 'make sim SEEDS=n FIRST=k the engine in the simulator; sim-slices the same,'
	@echo '                         with epochs opened one group at a time'
	@echo 'make sim-mutants         each rule of the protocol broken once, and caught'
	@echo 'make judge               build/judge FILE..., which judges histories; its tests'
	@echo 'make judge-py            tests of the second judge of histories'
	@echo 'make judges              both judges about the same histories; GOOD=n'
	@echo '                         MUTANTS="NAME ..."'
	@echo 'make sim-scenes          named faults in the simulator; SCENE=name: one'
	@echo 'make module lib tools    build; also unit, sparse, static, bench'
	@echo 'make figures             throughput and latencies, in one boot'
	@echo 'make model               the protocol as a model, every state of it, and without'
	@echo '                         each of its rules; MODEL_ONLY=word: some of it'
	@echo 'make coverage            lines of the engine that unit tests and simulator run,'
	@echo '                         and each that they do not; COVSIM=seeds'
	@echo 'make install DESTDIR=d   library, tools, headers, modprobe.d file'
	@echo 'make clean'

# ---- what the machine lacks ----

deps: $(B)/deps.stamp
$(B)/deps.stamp: Makefile
	@mkdir -p $(B)
	@missing=; for p in $(PACKAGES); do \
		dpkg-query -W -f '$${Status}\n' $$p 2>/dev/null | \
			grep -q '^install ok installed' || missing="$$missing $$p"; \
	done; \
	if [ -n "$$missing" ]; then \
		echo "installing:$$missing"; \
		(apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get \
		 install -y -q --no-install-recommends $$missing) \
			>$(B)/deps.log 2>&1 || { tail $(B)/deps.log; exit 1; }; \
	fi
	@touch $@

$(B)/kernels/%/release: $(B)/deps.stamp selftests/vm/kernel.sh
	@selftests/vm/kernel.sh $* $(B)/kernels/$*
	@touch $@

# Asked each time: whether the configuration or the source changed.
$(DEBUG_KERNELS:%=$(B)/kernels/%/release): $(B)/deps.stamp FORCE
	@selftests/debug/kernel.sh $(notdir $(@D)) $(@D)
FORCE:

# Files of the kernel's source that the headers packages lack.
$(B)/linux/stamp: $(B)/deps.stamp
	@mkdir -p $(B)/linux
	@tar -xJf /usr/src/linux-source-6.1.tar.xz -C $(B)/linux \
		--strip-components=1 \
		linux-source-6.1/scripts/checkpatch.pl \
		linux-source-6.1/scripts/const_structs.checkpatch \
		linux-source-6.1/scripts/spelling.txt \
		linux-source-6.1/tools/testing/selftests/kselftest.h \
		linux-source-6.1/tools/testing/selftests/kselftest_harness.h \
		linux-source-6.1/LICENSES \
		linux-source-6.1/Documentation/admin-guide/kernel-parameters.txt \
		linux-source-6.1/Documentation/admin-guide/cgroup-v2.rst \
		linux-source-6.1/Documentation/virt/kvm/api.rst \
		linux-source-6.1/Documentation/networking/ip-sysctl.rst
	@touch $@

# ---- the module, for each kernel, from a copy of the sources ----

module: $(KERNELS:%=$(B)/%/gsock.ko)
kmod_files := Kbuild $(wildcard kmod/*.[ch] kmod/engine/*.[ch] \
	kmod/compat/*.[ch] uapi/linux/*.h)

# kdir KERNEL: what modules are built against, for the shell.
kdir = $$(readlink -e $(B)/kernels/$(1)/build || \
	echo /lib/modules/$$(cat $(B)/kernels/$(1)/release)/build)
# Every call stays a call: a walk up the stack finds who allocates.
cflags-kasan := -fno-optimize-sibling-calls

define module_rule
$(B)/$(1)/gsock.ko: $$(kmod_files) $(B)/kernels/$(1)/release
	@mkdir -p $(B)/$(1)
	@for f in $$(kmod_files); do mkdir -p $(B)/$(1)/$$$$(dirname $$$$f); \
		cmp -s $$$$f $(B)/$(1)/$$$$f || cp $$$$f $(B)/$(1)/$$$$f; done
	@cd $(B)/$(1) && find kmod -name '*.[ch]' ! -name '*.mod.c' | \
		while read f; do [ -e $(top)/$$$$f ] || rm $$$$f; done
	+@$$(MAKE) --no-print-directory -C $$(call kdir,$(1)) \
		M=$(top)/$(B)/$(1) W=1 GSOCK_CFLAGS='-Werror $$(cflags-$(1))' modules \
		>$(B)/$(1).log 2>&1 || { cat $(B)/$(1).log; exit 1; }
	@! grep -i 'warning' $(B)/$(1).log
endef
$(foreach k,$(KERNELS) $(DEBUG_KERNELS),$(eval $(call module_rule,$(k))))

# What fails allocations, and where the module has any: check-debug's.
failsite := $(wildcard selftests/debug/failsite/*)
$(B)/kasan/failsite/failsite.ko: $(failsite) $(B)/kernels/kasan/release
	@mkdir -p $(@D)
	@cp $(failsite) $(@D)
	+@$(MAKE) --no-print-directory -C $(B)/kernels/kasan/build \
		M=$(top)/$(@D) W=1 KCFLAGS=-Werror modules >$(B)/failsite.log 2>&1 || \
		{ cat $(B)/failsite.log; exit 1; }
$(B)/kasan/sites: $(B)/kasan/gsock.ko selftests/debug/sites.sh selftests/debug/allocators
	@selftests/debug/sites.sh $< >$@

sparse: module
	@for k in $(KERNELS); do \
		touch $(B)/$$k/kmod/*.c $(B)/$$k/kmod/engine/*.c; \
		$(MAKE) --no-print-directory \
			-C /lib/modules/$$(cat $(B)/kernels/$$k/release)/build \
			M=$(top)/$(B)/$$k W=1 C=2 CF='-D__CHECK_ENDIAN__' modules \
			>$(B)/sparse-$$k.log 2>&1 || { cat $(B)/sparse-$$k.log; exit 1; }; \
		if grep -E 'kmod/.*(warning|error):' $(B)/sparse-$$k.log; then exit 1; fi; \
		echo "sparse: $$k clean"; \
	done

# ---- library and tools ----

NL_CFLAGS = $(shell pkg-config --cflags libnl-genl-3.0)
NL_LIBS = $(shell pkg-config --libs libnl-genl-3.0)
lib_src := $(wildcard libgsock/*.c)
lib_obj := $(lib_src:libgsock/%.c=$(B)/obj/lib/%.o)
VERSION := 0.1

ifneq ($(lib_src),)
lib: $(B)/lib/libgsock.so $(B)/lib/libgsock.a $(B)/lib/pkgconfig/gsock.pc
else
lib:
endif

$(B)/obj/lib/%.o: libgsock/%.c $(wildcard libgsock/*.h uapi/linux/*.h) $(B)/deps.stamp
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARN) -fPIC -fvisibility=default -Iuapi -Ilibgsock $(NL_CFLAGS) -c $< -o $@

$(B)/lib/libgsock.a: $(lib_obj)
	@mkdir -p $(@D)
	@rm -f $@
	ar rcs $@ $^

$(B)/lib/libgsock.so: $(lib_obj) libgsock/gsock.sym libgsock/gsock.3 selftests/check-symbols.sh
	@mkdir -p $(@D)
	$(CC) -shared -Wl,-soname,libgsock.so.1 \
		-Wl,--version-script=libgsock/gsock.sym -o $(B)/lib/libgsock.so.1 \
		$(lib_obj) $(NL_LIBS)
	ln -sf libgsock.so.1 $@
	@selftests/check-symbols.sh $@

PREFIX ?= /usr
$(B)/lib/pkgconfig/gsock.pc: libgsock/gsock.pc.in
	@mkdir -p $(@D)
	sed 's,@PREFIX@,$(PREFIX),; s,@VERSION@,$(VERSION),' $< >$@

tools_src := $(wildcard tools/*.c)
tools: $(if $(tools_src),$(B)/bin/gsockctl)
$(B)/bin/gsockctl: $(tools_src) $(wildcard tools/*.h) $(B)/lib/libgsock.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARN) -Iuapi -Ilibgsock -Itools \
		$(shell pkg-config --cflags json-c) $(tools_src) -o $@ \
		$(B)/lib/libgsock.a $(NL_LIBS) $(shell pkg-config --libs json-c)

install: lib tools
	install -d $(DESTDIR)$(PREFIX)/{bin,lib/pkgconfig,include/linux,share/man/man3,share/man/man8}
	install $(B)/bin/gsockctl $(DESTDIR)$(PREFIX)/bin
	cp -a $(B)/lib/libgsock.* $(DESTDIR)$(PREFIX)/lib
	install -m 644 $(B)/lib/pkgconfig/gsock.pc $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 644 libgsock/gsock.h $(DESTDIR)$(PREFIX)/include
	install -m 644 libgsock/gsock.3 $(DESTDIR)$(PREFIX)/share/man/man3
	install -m 644 tools/gsockctl.8 $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 644 uapi/linux/*.h $(DESTDIR)$(PREFIX)/include/linux
	install -d $(DESTDIR)/etc/modprobe.d
	install -m 644 kmod/gsock.conf $(DESTDIR)/etc/modprobe.d

# ---- tests that run in the guest ----

net_src := $(wildcard selftests/net/*.c)
selftests: tools $(net_src:selftests/net/%.c=$(B)/bin/%) $(B)/bin/group_layout32 \
	$(B)/bin/readme $(B)/bin/sim $(B)/bin/judge
# Recordings are run, and histories judged, where they were made.
$(B)/bin/sim $(B)/bin/judge: $(B)/bin/%: $(B)/%
	@mkdir -p $(@D)
	cp $< $@
$(B)/bin/readme: README.md selftests/readme.sh $(wildcard uapi/linux/*.h)
	@selftests/readme.sh
# The same source as a 32-bit program, which needs nothing in the guest.
$(B)/bin/group_layout32: selftests/net/group_layout.c $(B)/linux/stamp $(wildcard uapi/linux/*.h selftests/net/*.h)
	@mkdir -p $(@D)
	$(CC) -m32 -static $(CFLAGS) $(WARN) -Wno-unused-parameter -Wno-sign-compare -Iuapi \
		-I$(B)/linux/tools/testing/selftests $< -o $@
$(B)/bin/%: selftests/net/%.c $(B)/linux/stamp $(wildcard uapi/linux/*.h selftests/net/*.h) $(if $(lib_src),$(B)/lib/libgsock.a)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARN) -Wno-unused-parameter -Wno-sign-compare -Iuapi -Ilibgsock \
		-I$(B)/linux/tools/testing/selftests $< -o $@ \
		$(if $(lib_src),$(B)/lib/libgsock.a $(NL_LIBS)) -lpthread

bench_src := $(wildcard selftests/bench/*.c)
bench: $(bench_src:selftests/bench/%.c=$(B)/bin/%)
$(B)/bin/%: selftests/bench/%.c $(wildcard uapi/linux/*.h) $(B)/deps.stamp
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARN) -Iuapi $< -o $@ -lpthread

# ---- tests that run here ----

SAN := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
unit_src := $(wildcard selftests/unit/test_*.c)
unit_hdr := $(wildcard selftests/unit/*.h selftests/judge/*.h)
unit_bin := $(unit_src:selftests/unit/%.c=$(B)/unit/%)
judge_src := $(wildcard selftests/judge/judge*.c)
unit_obj := $(patsubst %.c,$(B)/unit/obj/%.o,$(engine_src) $(shim_src) \
	$(judge_src) $(wildcard selftests/unit/unit_*.c))
sim_src := $(wildcard selftests/sim/*.c) $(judge_src)
UNIT_INC := $(ENGINE_INC) -Iselftests/unit -Iselftests/sim -Iselftests/judge -Itools -Ilibgsock

$(B)/unit/obj/%.o: %.c $(engine_hdr) $(unit_hdr) $(B)/deps.stamp
	@mkdir -p $(@D)
	@$(CC) $(SAN) $(WARN) $(UNIT_INC) -c $< -o $@
$(B)/unit/engine.a: $(unit_obj)
	@rm -f $@
	@ar rcs $@ $^

# A test whose first line says "unit: standalone" brings its own sources.
$(B)/unit/%: selftests/unit/%.c $(B)/unit/engine.a $(engine_hdr) $(unit_hdr) $(shim_src) $(sim_src) $(wildcard tools/*.[ch]) $(B)/deps.stamp
	@mkdir -p $(@D)
	@if head -n 3 $< | grep -q 'unit: standalone'; then src='$(shim_src)'; else src=$(B)/unit/engine.a; fi; \
	$(CC) $(SAN) $(WARN) $(UNIT_INC) $< $$src -o $@ -lcmocka

unit: $(unit_bin)
	@set -e; for t in $(unit_bin); do $$t; done

# Lines of the engine that the unit tests run; COVSIM=seeds: and the simulator.
COVSIM ?= 300
coverage: $(B)/deps.stamp
	@selftests/unit/coverage.sh $(B)/coverage $(COVSIM) 95

SIM_INC := -Iselftests/sim -Iselftests/judge
sim_dep := $(sim_src) $(wildcard selftests/sim/*.h selftests/judge/*.h) $(engine_src) $(engine_hdr) $(shim_src)
$(B)/sim: $(sim_dep)
	@mkdir -p $(@D)
	$(CC) -O2 -g $(WARN) $(ENGINE_INC) $(SIM_INC) $(sim_src) $(engine_src) $(shim_src) -o $@
# An epoch is opened group by group: all that can come between two of them.
$(B)/sim-slices: $(sim_dep)
	@mkdir -p $(@D)
	$(CC) -O2 -g -DGPE_OPEN_SLICE=1 $(WARN) $(ENGINE_INC) $(SIM_INC) $(sim_src) $(engine_src) $(shim_src) -o $@
$(B)/sim-asan: $(sim_dep)
	@mkdir -p $(@D)
	$(CC) $(SAN) -DGPE_OPEN_SLICE=1 $(WARN) $(ENGINE_INC) $(SIM_INC) $(sim_src) $(engine_src) $(shim_src) -o $@
$(B)/sim-faults: $(sim_dep)
	@mkdir -p $(@D)
	$(CC) -O2 -g -DGPE_FAULTS $(WARN) $(ENGINE_INC) $(SIM_INC) $(sim_src) $(engine_src) $(shim_src) -o $@

# Judges any history, also those of the kernel.
hist_src := $(wildcard selftests/judge/hist_*.c)
judge: $(B)/judge $(B)/sim $(B)/sim-faults
	@selftests/judge/test_judge.sh $^
$(B)/judge: $(judge_src) $(hist_src) selftests/judge/main.c $(wildcard selftests/judge/*.h) $(B)/deps.stamp
	@mkdir -p $(@D)
	$(CC) -O2 -g $(WARN) $(shell pkg-config --cflags json-c) $(judge_src) \
		$(hist_src) selftests/judge/main.c -o $@ \
		$(shell pkg-config --libs json-c)

SEEDS ?= 500
FIRST ?= 1
sim: $(B)/sim
	@$(B)/sim --seeds $(SEEDS) --first $(FIRST)
SCENE ?= all
SCENESEEDS ?= 10
sim-scenes: $(B)/sim
	@$(B)/sim --scene $(SCENE) --seeds $(SCENESEEDS) --first $(FIRST)
sim-slices: $(B)/sim-slices
	@$(B)/sim-slices --seeds $(SEEDS) --first $(FIRST)
sim-asan: $(B)/sim-asan
	@$(B)/sim-asan --seeds 60 --first 10001
sim-faults: $(B)/sim-faults
	@$(B)/sim-faults --faults --seeds 1500
# MUTANTS="NAME ...": those only.
sim-mutants: $(sim_dep)
	@selftests/sim/mutants.sh $(B)/mutants $(MUTANTS)

# ---- the second judge of histories ----

judge-py:
	@python3 -W error selftests/judge-py/tests.py

# Both judges must agree. GOOD=n: good histories; MUTANTS="NAME ...": those only.
GOOD ?= 1000
judges: $(B)/judge $(B)/sim $(B)/sim-faults
	@GOOD=$(GOOD) selftests/judge-py/agree.sh $^ $(MUTANTS)

# Not in check: it takes some minutes.
model: $(B)/deps.stamp
	@MODEL_ONLY='$(MODEL_ONLY)' selftests/model/run.sh $(B)/model

# ---- the guest ----

VMDEPS := $(B)/kernels/$(VMKERNEL)/release lib tools selftests bench
ifneq ($(VMLOAD),0)
VMDEPS += $(B)/$(VMKERNEL)/gsock.ko
endif
export RUN VMKERNEL VMFILES VMTIMEOUT VMMEM VMSMP VMNAME VMVERBOSE VMLOAD \
	VMUNLOAD VMPYTHON VMPARAM VMAPPEND VMSCARCE VMICOUNT
vm:
	+@$(MAKE) --no-print-directory -s $(VMDEPS) >$(B)/vm-build.log 2>&1 || \
		{ cat $(B)/vm-build.log; exit 1; }
	@selftests/vm/vmrun.sh

demo: $(B)/linux/stamp
	@selftests/demo/demo.sh

figures:
	+@$(MAKE) -s vm RUN='bash /root/figures.sh' VMTIMEOUT=200 VMNAME=figures \
		VMFILES=selftests/bench/figures.sh

static: $(B)/linux/stamp
	@selftests/check-static.sh

check: $(B)/deps.stamp
	@selftests/check.sh

check-long: export KERNELS := $(KERNELS)
check-long: $(B)/deps.stamp $(B)/judge
	@selftests/check-long.sh

check-debug: $(B)/deps.stamp $(B)/judge
	@selftests/debug/check.sh

clean:
	rm -rf $(B)
