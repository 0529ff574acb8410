// SPDX-License-Identifier: GPL-2.0
/*
 * Fails each allocation of one module once, in whatever context it is made.
 *
 * The two functions that fault injection asks before memory is given out,
 * should_failslab() and should_fail_alloc_page(), are probed. When the stack
 * leads back into the module, the way from there to the allocator is a path.
 * The parameter "nth" says at which use a path is refused; 0: at none. What was
 * seen is in debugfs, failsite/paths, and outlives the module that is watched:
 * a path is known by offsets, so that it is the same when that is loaded again.
 *
 * FAILSLAB's own filter by stack is not there on x86-64, and a task's fail-nth
 * does not reach softirqs and workers.
 *
 * Probes run as if in an NMI: nothing here takes a lock.
 */
#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/hash.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <asm/unwind.h>

#define SITE_PATHS	(1 << 13)
#define SITE_FRAMES	64
/* Frames of the module that make up a path: wrappers, and who calls them. */
#define SITE_DEPTH	3
#define SITE_NAME	96

static char *watch = "gsock";
module_param(watch, charp, 0444);
MODULE_PARM_DESC(watch, "name of the module whose allocations fail");
static unsigned int nth;
module_param(nth, uint, 0644);
MODULE_PARM_DESC(nth, "which use of each path fails; 0: none");

/**
 * struct site_path - a way from the module to an allocator
 * @key: hash of its addresses; 0: free. Set once, by whoever claims the entry
 * @known: the names are there
 * @ignored: not the module's doing, or the tools' own memory
 * @softirq: was seen first in a softirq
 * @hits: uses
 * @failed: how many of them were refused
 * @frame: the module's return addresses as text, innermost first
 * @callee: the kernel's function that the module called
 */
struct site_path {
	u64 key;
	bool known;
	bool ignored;
	bool softirq;
	atomic_t hits;
	atomic_t failed;
	char frame[SITE_DEPTH][SITE_NAME];
	char callee[SITE_NAME];
};

/**
 * struct site_walk - a stack, from the allocator up
 * @n: addresses below the module's innermost one
 * @n_mod: the module's
 * @addr: all of them
 * @key: their hash
 */
struct site_walk {
	unsigned int n;
	unsigned int n_mod;
	unsigned long addr[SITE_FRAMES];
	u64 key;
};

static struct site_path site_paths[SITE_PATHS];
static atomic_t site_lost;
static struct module *site_mod;
static struct dentry *site_dir;

/* What has memory of its own, and turns itself off for lack of it. */
static const char *const site_tools[] = {
	"kmemleak", "__kmemleak", "kasan", "__kasan", "stack_depot",
	"__stack_depot", "debug_object", "__debug_object", "fill_pool",
	"ref_tracker", "lockdep", "__do_softirq", "save_stack",
};

/* Offset in the watched module from 1 on, 0: not in it. */
static unsigned long site_offset(unsigned long addr)
{
	const struct module *mod = READ_ONCE(site_mod);
	unsigned long core, init;

	if (!mod)
		return 0;
	core = addr - (unsigned long)mod->core_layout.base;
	if (core < mod->core_layout.size)
		return core + 1;
	init = addr - (unsigned long)mod->init_layout.base;
	if (init < mod->init_layout.size)
		return mod->core_layout.size + init + 1;
	return 0;
}

static u64 site_mix(u64 key, u64 val)
{
	return hash_64(key ^ val, 64) + val;
}

/* False when the module is not on this stack. */
static bool site_walk(struct pt_regs *regs, struct site_walk *w)
{
	struct unwind_state state;
	unsigned int n = 0;

	w->n_mod = 0;
	w->key = 1;
	/* At a function's first instruction its caller has no frame yet. */
	w->addr[n++] = *(unsigned long *)regs->sp;
	for (unwind_start(&state, current, regs, NULL);
	     !unwind_done(&state) && n < SITE_FRAMES;
	     unwind_next_frame(&state)) {
		unsigned long addr = unwind_get_return_address(&state), off;

		if (!addr)
			break;
		/* An interrupt: what lies above has not asked for this. */
		if (n > 1 && unwind_get_entry_regs(&state, NULL))
			break;
		off = site_offset(addr);
		if (!off && w->n_mod)
			break;
		w->addr[n++] = addr;
		w->key = site_mix(w->key, off ? off : addr);
		if (!off)
			continue;
		if (!w->n_mod)
			w->n = n - 1;
		if (++w->n_mod == SITE_DEPTH)
			break;
	}
	return w->n_mod;
}

static bool site_is_tool(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(site_tools); i++)
		if (!strncmp(name, site_tools[i], strlen(site_tools[i])))
			return true;
	return false;
}

/* Names are long: room for the longest, cut to what is kept. */
static void site_name(char *to, unsigned long addr, bool offset)
{
	char name[KSYM_SYMBOL_LEN];

	if (offset)
		sprint_symbol(name, addr);
	else
		sprint_symbol_no_offset(name, addr);
	strscpy(to, name, SITE_NAME);
}

static void site_learn(struct site_path *p, const struct site_walk *w)
{
	unsigned int i;

	p->softirq = in_serving_softirq();
	for (i = 0; i < w->n; i++) {
		site_name(p->callee, w->addr[i], false);
		if (site_is_tool(p->callee))
			p->ignored = true;
	}
	for (i = 0; i < w->n_mod; i++)
		site_name(p->frame[i], w->addr[w->n + i], true);
	smp_store_release(&p->known, true);
}

static struct site_path *site_find(const struct site_walk *w)
{
	u32 at = hash_64(w->key, 13), i;

	for (i = 0; i < SITE_PATHS; i++) {
		struct site_path *p = &site_paths[(at + i) % SITE_PATHS];
		u64 was = cmpxchg64(&p->key, 0, w->key);

		if (!was)
			site_learn(p, w);
		if (!was || was == w->key)
			return p;
	}
	atomic_inc(&site_lost);
	return NULL;
}

static bool site_refuse(struct pt_regs *regs)
{
	unsigned int when = READ_ONCE(nth);
	struct site_path *p;
	struct site_walk w;

	if (!READ_ONCE(site_mod) || !site_walk(regs, &w))
		return false;
	p = site_find(&w);
	if (!p || !smp_load_acquire(&p->known) || p->ignored)
		return false;
	if (atomic_inc_return(&p->hits) != when)
		return false;
	atomic_inc(&p->failed);
	return true;
}

/* As if the probed function had returned @val. */
static int site_return(struct pt_regs *regs, unsigned long val)
{
	regs->ax = val;
	regs->ip = *(unsigned long *)regs->sp;
	regs->sp += sizeof(unsigned long);
	return 1;
}

static int site_slab(struct kprobe *kp, struct pt_regs *regs)
{
	gfp_t gfp = regs->si;

	if (gfp & __GFP_NOFAIL)
		return 0;
	return site_refuse(regs) ? site_return(regs, -ENOMEM) : 0;
}

static int site_page(struct kprobe *kp, struct pt_regs *regs)
{
	gfp_t gfp = regs->di;

	if (gfp & __GFP_NOFAIL)
		return 0;
	return site_refuse(regs) ? site_return(regs, true) : 0;
}

/* A probe with one is not turned into a jump, from which none could return. */
static void site_after(struct kprobe *kp, struct pt_regs *regs,
		       unsigned long flags)
{
}

static struct kprobe site_probes[] = {
	{
		.symbol_name = "should_failslab",
		.pre_handler = site_slab,
		.post_handler = site_after,
	},
	{
		.symbol_name = "should_fail_alloc_page",
		.pre_handler = site_page,
		.post_handler = site_after,
	},
};

static int site_module(struct notifier_block *nb, unsigned long what, void *mod)
{
	if (strcmp(((struct module *)mod)->name, watch))
		return NOTIFY_DONE;
	if (what == MODULE_STATE_COMING)
		WRITE_ONCE(site_mod, mod);
	else if (what == MODULE_STATE_GOING)
		WRITE_ONCE(site_mod, NULL);
	return NOTIFY_DONE;
}

static struct notifier_block site_notifier = { .notifier_call = site_module };

static int paths_show(struct seq_file *m, void *unused)
{
	unsigned int i, k;

	seq_printf(m, "lost %d\n", atomic_read(&site_lost));
	for (i = 0; i < SITE_PATHS; i++) {
		struct site_path *p = &site_paths[i];

		if (!smp_load_acquire(&p->known) || p->ignored)
			continue;
		seq_printf(m, "%d %d %s %s", atomic_read(&p->hits),
			   atomic_read(&p->failed),
			   p->softirq ? "softirq" : "task", p->callee);
		for (k = 0; k < SITE_DEPTH && *p->frame[k]; k++)
			seq_printf(m, " %s", p->frame[k]);
		seq_putc(m, '\n');
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(paths);

/* Each path begins anew: none was seen or refused. */
static ssize_t again_write(struct file *file, const char __user *buf,
			   size_t len, loff_t *pos)
{
	unsigned int i;

	for (i = 0; i < SITE_PATHS; i++)
		atomic_set(&site_paths[i].hits, 0);
	return len;
}

static const struct file_operations again_fops = {
	.owner = THIS_MODULE,
	.write = again_write,
};

static int __init site_init(void)
{
	int err, i;

	site_dir = debugfs_create_dir("failsite", NULL);
	debugfs_create_file("paths", 0400, site_dir, NULL, &paths_fops);
	debugfs_create_file("again", 0200, site_dir, NULL, &again_fops);
	err = register_module_notifier(&site_notifier);
	if (err)
		goto err_dir;
	for (i = 0; i < ARRAY_SIZE(site_probes); i++) {
		err = register_kprobe(&site_probes[i]);
		if (err)
			goto err_probes;
	}
	return 0;

err_probes:
	while (i--)
		unregister_kprobe(&site_probes[i]);
	unregister_module_notifier(&site_notifier);
err_dir:
	debugfs_remove(site_dir);
	return err;
}

static void __exit site_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(site_probes); i++)
		unregister_kprobe(&site_probes[i]);
	unregister_module_notifier(&site_notifier);
	debugfs_remove(site_dir);
}

module_init(site_init);
module_exit(site_exit);
MODULE_DESCRIPTION("Fails each allocation of a module once");
MODULE_LICENSE("GPL");
