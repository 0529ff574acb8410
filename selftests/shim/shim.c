// SPDX-License-Identifier: GPL-2.0
/* The part of the shim that is not inline: trees, memory, buffers. */
#include <malloc.h>
#include "gpe_env.h"

void (*gpe_shim_panic)(void);
long gpe_shim_allocs;
long gpe_shim_bytes;
bool (*gpe_shim_fail)(void);
long gpe_shim_bufs;
long gpe_shim_fail_in;

#ifdef GPE_FAULTS
int gpe_fault;
#endif

bool gpe_shim_broken(const char *what, const char *file, int line)
{
	fprintf(stderr, "assertion failed: %s at %s:%d\n", what, file, line);
	if (gpe_shim_panic)
		gpe_shim_panic();
	abort();
}

void *gpe_alloc(size_t size)
{
	void *mem;

	if (gpe_shim_fail_in < 0 || (gpe_shim_fail_in && !--gpe_shim_fail_in))
		return NULL;
	if (gpe_shim_fail && gpe_shim_fail())
		return NULL;
	mem = calloc(1, size ? size : 1);
	if (mem) {
		gpe_shim_allocs++;
		gpe_shim_bytes += malloc_usable_size(mem);
	}
	return mem;
}

void gpe_free(void *mem)
{
	if (mem) {
		gpe_shim_allocs--;
		gpe_shim_bytes -= malloc_usable_size(mem);
	}
	free(mem);
}

struct gpe_shim_buf *gpe_shim_buf_new(u32 len)
{
	struct gpe_shim_buf *buf = malloc(sizeof(*buf) + len);

	if (!buf)
		abort();
	buf->refs = 1;
	buf->len = len;
	gpe_shim_bufs++;
	return buf;
}

void gpe_buf_get(void *buf)
{
	struct gpe_shim_buf *b = buf;

	assert(b->refs > 0);
	b->refs++;
}

void gpe_buf_put(void *buf)
{
	struct gpe_shim_buf *b = buf;

	assert(b->refs > 0);
	if (--b->refs)
		return;
	gpe_shim_bufs--;
	free(b);
}

/*
 * Treap (Seidel & Aragon 1996): a heap by priority, drawn from a generator
 * with a fixed seed so that runs repeat.
 */
static u32 rb_prio(void)
{
	static u32 x = 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

static void rb_swap_up(struct rb_node *n, struct rb_root *root)
{
	struct rb_node *p = n->rb_parent, *g = p->rb_parent;

	if (p->rb_left == n) {
		p->rb_left = n->rb_right;
		if (p->rb_left)
			p->rb_left->rb_parent = p;
		n->rb_right = p;
	} else {
		p->rb_right = n->rb_left;
		if (p->rb_right)
			p->rb_right->rb_parent = p;
		n->rb_left = p;
	}
	p->rb_parent = n;
	n->rb_parent = g;
	if (!g)
		root->rb_node = n;
	else if (g->rb_left == p)
		g->rb_left = n;
	else
		g->rb_right = n;
}

void rb_insert_color(struct rb_node *n, struct rb_root *root)
{
	n->prio = rb_prio();
	while (n->rb_parent && n->rb_parent->prio < n->prio)
		rb_swap_up(n, root);
}

void rb_erase(struct rb_node *n, struct rb_root *root)
{
	while (n->rb_left || n->rb_right) {
		struct rb_node *c = n->rb_left;

		if (!c || (n->rb_right && n->rb_right->prio > c->prio))
			c = n->rb_right;
		rb_swap_up(c, root);
	}
	if (!n->rb_parent)
		root->rb_node = NULL;
	else if (n->rb_parent->rb_left == n)
		n->rb_parent->rb_left = NULL;
	else
		n->rb_parent->rb_right = NULL;
}

struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *n = root->rb_node;

	while (n && n->rb_left)
		n = n->rb_left;
	return n;
}

struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *n = root->rb_node;

	while (n && n->rb_right)
		n = n->rb_right;
	return n;
}

struct rb_node *rb_next(const struct rb_node *n)
{
	const struct rb_node *p;

	if (n->rb_right) {
		n = n->rb_right;
		while (n->rb_left)
			n = n->rb_left;
		return (struct rb_node *)n;
	}
	for (p = n->rb_parent; p && p->rb_right == n; p = p->rb_parent)
		n = p;
	return (struct rb_node *)p;
}

struct rb_node *rb_prev(const struct rb_node *n)
{
	const struct rb_node *p;

	if (n->rb_left) {
		n = n->rb_left;
		while (n->rb_right)
			n = n->rb_right;
		return (struct rb_node *)n;
	}
	for (p = n->rb_parent; p && p->rb_left == n; p = p->rb_parent)
		n = p;
	return (struct rb_node *)p;
}
