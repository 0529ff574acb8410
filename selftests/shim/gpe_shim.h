/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stands in for the kernel's headers when the engine is built in user space:
 * the facilities that kmod/engine/gpe_env.h names, and nothing more.
 */
#ifndef GPE_SHIM_H
#define GPE_SHIM_H

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef long long s64;
typedef u16 __be16;
typedef u32 __be32;
typedef u64 __be64;

#define U8_MAX UINT8_MAX
#define U16_MAX UINT16_MAX
#define U32_MAX UINT32_MAX
#define U64_MAX (~0ULL)

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define fallthrough __attribute__((__fallthrough__))

#undef container_of
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define min_t(t, a, b) ((t)(a) < (t)(b) ? (t)(a) : (t)(b))
#define max_t(t, a, b) ((t)(a) > (t)(b) ? (t)(a) : (t)(b))
#define clamp(v, lo, hi) min(max(v, lo), hi)
#define clamp_t(t, v, lo, hi) min_t(t, max_t(t, v, lo), hi)
#define swap(a, b)                                                             \
	do {                                                                   \
		typeof(a) swap_ = (a);                                         \
		(a) = (b);                                                     \
		(b) = swap_;                                                   \
	} while (0)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ALIGN(x, a) (((x) + (a) - 1) / (a) * (a))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
#define BUILD_BUG_ON(c) static_assert(!(c), #c)
#undef static_assert
#define GPE_SA2(c, text, ...) _Static_assert(c, text)
#define static_assert(c, ...) GPE_SA2(c, ##__VA_ARGS__, #c)

static inline u32 hweight64(u64 x)
{
	return __builtin_popcountll(x);
}

static inline u32 __ffs64(u64 x)
{
	return __builtin_ctzll(x);
}

static inline u32 fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

static inline u64 div64_u64(u64 a, u64 b)
{
	return a / b;
}

static inline u64 div_u64(u64 a, u32 b)
{
	return a / b;
}

#define GPE_UNALIGNED(bits)						\
	static inline u##bits get_unaligned_be##bits(const void *p)	\
	{								\
		u##bits v;						\
									\
		memcpy(&v, p, sizeof(v));				\
		return be##bits##toh(v);				\
	}								\
	static inline void put_unaligned_be##bits(u##bits v, void *p)	\
	{								\
		v = htobe##bits(v);					\
		memcpy(p, &v, sizeof(v));				\
	}
GPE_UNALIGNED(16)
GPE_UNALIGNED(32)
GPE_UNALIGNED(64)

/* ---- references ---- */

typedef struct {
	int refs;
} refcount_t;

static inline void refcount_set(refcount_t *r, int n)
{
	r->refs = n;
}

static inline void refcount_inc(refcount_t *r)
{
	assert(r->refs > 0);
	r->refs++;
}

static inline bool refcount_dec_and_test(refcount_t *r)
{
	assert(r->refs > 0);
	return !--r->refs;
}

/* ---- lists ---- */

struct list_head {
	struct list_head *next, *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list_head *l)
{
	return l->next == l;
}

static inline void list_link_(struct list_head *n, struct list_head *prev,
			      struct list_head *next)
{
	next->prev = n;
	n->next = next;
	n->prev = prev;
	prev->next = n;
}

static inline void list_add(struct list_head *n, struct list_head *l)
{
	list_link_(n, l, l->next);
}

static inline void list_add_tail(struct list_head *n, struct list_head *l)
{
	list_link_(n, l->prev, l);
}

static inline void list_del(struct list_head *n)
{
	n->next->prev = n->prev;
	n->prev->next = n->next;
	n->next = n->prev = (struct list_head *)0x100;
}

static inline void list_del_init(struct list_head *n)
{
	n->next->prev = n->prev;
	n->prev->next = n->next;
	INIT_LIST_HEAD(n);
}

static inline void list_move_tail(struct list_head *n, struct list_head *l)
{
	list_del(n);
	list_add_tail(n, l);
}

static inline void list_move(struct list_head *n, struct list_head *l)
{
	list_del(n);
	list_add(n, l);
}

static inline bool list_is_last(const struct list_head *n,
				const struct list_head *l)
{
	return n->next == l;
}

static inline void list_splice_at_(struct list_head *from,
				   struct list_head *prev,
				   struct list_head *next)
{
	if (list_empty(from))
		return;
	from->next->prev = prev;
	prev->next = from->next;
	from->prev->next = next;
	next->prev = from->prev;
}

static inline void list_splice(struct list_head *from, struct list_head *l)
{
	list_splice_at_(from, l, l->next);
}

static inline void list_splice_tail(struct list_head *from,
				    struct list_head *l)
{
	list_splice_at_(from, l->prev, l);
}

static inline void list_splice_init(struct list_head *from,
				    struct list_head *l)
{
	list_splice(from, l);
	INIT_LIST_HEAD(from);
}

static inline void list_splice_tail_init(struct list_head *from,
					 struct list_head *l)
{
	list_splice_tail(from, l);
	INIT_LIST_HEAD(from);
}

#define list_entry container_of
#define list_first_entry(l, type, m) list_entry((l)->next, type, m)
#define list_last_entry(l, type, m) list_entry((l)->prev, type, m)
#define list_first_entry_or_null(l, type, m) \
	(list_empty(l) ? NULL : list_first_entry(l, type, m))
#define list_next_entry(p, m) list_entry((p)->m.next, __typeof__(*(p)), m)
#define list_prev_entry(p, m) list_entry((p)->m.prev, __typeof__(*(p)), m)
#define list_for_each_entry(p, l, m)                                   \
	for (p = list_first_entry(l, __typeof__(*p), m); &p->m != (l); \
	     p = list_next_entry(p, m))
#define list_for_each_entry_safe(p, n, l, m)                           \
	for (p = list_first_entry(l, __typeof__(*p), m),               \
	    n = list_next_entry(p, m);                                 \
	     &p->m != (l); p = n, n = list_next_entry(n, m))

/* ---- ordered trees: a treap behind the interface of rbtree ---- */

struct rb_node {
	struct rb_node *rb_left, *rb_right, *rb_parent;
	u32 prio;
};

struct rb_root {
	struct rb_node *rb_node;
};

#define RB_ROOT ((struct rb_root){ NULL })
#define RB_EMPTY_ROOT(r) (!(r)->rb_node)
#define RB_CLEAR_NODE(n) ((n)->rb_parent = (n))
#define RB_EMPTY_NODE(n) ((n)->rb_parent == (n))
#define rb_entry container_of

static inline void rb_link_node(struct rb_node *n, struct rb_node *parent,
				struct rb_node **link)
{
	n->rb_parent = parent;
	n->rb_left = n->rb_right = NULL;
	*link = n;
}

void rb_insert_color(struct rb_node *n, struct rb_root *root);
void rb_erase(struct rb_node *n, struct rb_root *root);
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *n);
struct rb_node *rb_prev(const struct rb_node *n);

/* ---- invariants, memory ---- */

/* Says where, lets gpe_shim_panic (if set) say which seed, and aborts. */
extern void (*gpe_shim_panic)(void);
bool gpe_shim_broken(const char *what, const char *file, int line);
#define GPE_ASSERT(c) \
	((c) ? false : gpe_shim_broken(#c, __FILE__, __LINE__))

/* Allocations alive, and their bytes; the n-th from now fails if
 * @gpe_shim_fail_in is n, each one while it is negative, and any for which
 * gpe_shim_fail (if set) says so.
 */
extern long gpe_shim_allocs;
extern long gpe_shim_bytes;
extern bool (*gpe_shim_fail)(void);
extern long gpe_shim_bufs;
extern long gpe_shim_fail_in;

/* A payload buffer with one reference, its bytes behind the head. */
struct gpe_shim_buf {
	u32 refs;
	u32 len;
	u64 sent;	/* the simulator's: when */
	u8 data[];
};

struct gpe_shim_buf *gpe_shim_buf_new(u32 len);

#endif /* GPE_SHIM_H */
