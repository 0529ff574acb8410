/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The engine's one gate: every facility from outside that it uses is named
 * here. In user space selftests/shim/gpe_shim.h stands in for the kernel's
 * headers, so that the same engine files build into the module, the unit
 * tests, the simulator and the fuzzers.
 */
#ifndef GPE_ENV_H
#define GPE_ENV_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/bitops.h>
#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/string.h>
#include <linux/stddef.h>
#include <asm/byteorder.h>
#ifdef GSK_HAVE_LINUX_UNALIGNED
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* A broken invariant is our own bug: say so once and go on. */
#define GPE_ASSERT(cond) WARN_ON_ONCE(!(cond))
#else
#include "gpe_shim.h"
#endif

/*
 * Memory, supplied by whoever links the engine. gpe_alloc() returns zeroed
 * memory or NULL and never sleeps. A buffer holds payload that the engine
 * hands around and never looks into; its references are counted by the host.
 */
void *gpe_alloc(size_t size);
void gpe_free(void *mem);
void gpe_buf_get(void *buf);
void gpe_buf_put(void *buf);

/*
 * Deliberate faults, one a rule of the protocol, to show that the checkers
 * can fail; see gpe_fault.h. For the simulator only: with GPE_MUTANT one is
 * built in, with GPE_FAULTS gpe_fault selects it at run time.
 */
#if defined(GPE_MUTANT)
#define GPE_BROKEN(nr) ((nr) == GPE_MUTANT)
#elif defined(GPE_FAULTS)
extern int gpe_fault;
#define GPE_BROKEN(nr) (gpe_fault == (nr))
#else
#define GPE_BROKEN(nr) 0
#endif

#endif /* GPE_ENV_H */
