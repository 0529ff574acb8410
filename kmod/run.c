// SPDX-License-Identifier: GPL-2.0
/*
 * The only caller of the engine. Each input: reserve, lock, step, do what the
 * engine says in its order, unlock, wake, transmit. Nothing here waits.
 */
#include <linux/ktime.h>
#include <linux/slab.h>
#include "gsk.h"
#include "buf.h"

/* Rounds and time in one go before the rest is left to the worker. */
#define GSK_ROUNDS	32
#define GSK_HOLD_NS	(500 * NSEC_PER_USEC)
/* So many goes in a row, before the worker looks at its other work. */
#define GSK_GOES	64

static void gsk_run_act(struct gsk_net *gn, const struct gpe_act *act)
{
	switch (act->type) {
	case GPE_ACT_SEND:
		gsk_bearer_queue(gn, &act->send);
		break;
	case GPE_ACT_DELIVER:
		gsk_group_deliver(gn, act->deliver.host, act->deliver.rec);
		break;
	case GPE_ACT_DELIVER_ONE:
		gsk_group_deliver_one(gn, act->deliver.host,
				      act->deliver.cookie, act->deliver.rec);
		break;
	case GPE_ACT_GONE:
		gsk_group_gone(gn, act->gone.cookie, act->gone.error,
			       act->gone.why);
		break;
	case GPE_ACT_WAKE:
		gsk_group_wake(gn, act->wake.host);
		break;
	case GPE_ACT_NODE:
		gn->node_due = true;
		queue_work(gsk_wq, &gn->work);
		break;
	case GPE_ACT_PEER:
		gn->peers_due |= BIT_ULL(act->peer.path);
		gn->peers_up &= ~BIT_ULL(act->peer.path);
		if (act->peer.up)
			gn->peers_up |= BIT_ULL(act->peer.path);
		queue_work(gsk_wq, &gn->work);
		break;
	}
}

/* ---- the reserve of cells, so that a step itself need not fail ---- */

/* Before the lock, where memory can be waited for: what it lacked last. */
static void gsk_cells_get(struct gsk_net *gn, struct list_head *cells)
{
	u32 n;

	for (n = READ_ONCE(gn->cells_due); n; n--) {
		struct list_head *cell = kmalloc(GPE_CELL_SIZE,
						 GFP_KERNEL | __GFP_NOWARN);

		if (!cell)
			return;
		list_add(cell, cells);
	}
}

static void gsk_cells_free(struct list_head *cells)
{
	struct list_head *cell, *next;

	list_for_each_safe(cell, next, cells)
		kfree(cell);
}

static void gsk_run_fill(struct gsk_net *gn, struct list_head *cells)
{
	lockdep_assert_held(&gn->lock);
	while (!list_empty(cells) && gpe_pool_need(gn->node)) {
		struct list_head *cell = cells->next;

		list_del(cell);
		gpe_pool_add(gn->node, cell);
	}
}

/* What is lacking still, or again. */
static void gsk_run_reserve(struct gsk_net *gn)
{
	u32 need;

	lockdep_assert_held(&gn->lock);
	for (need = gpe_pool_need(gn->node); need; need--) {
		void *cell = kmalloc(GPE_CELL_SIZE, GFP_ATOMIC | __GFP_NOWARN);

		if (!cell)
			return;
		gpe_pool_add(gn->node, cell);
	}
}

static void gsk_run_step(struct gsk_net *gn, u64 now, struct gpe_event *ev)
{
	u32 i;

	lockdep_assert_held(&gn->lock);
	gsk_run_reserve(gn);
	if (unlikely(gn->record))
		gsk_record_event(gn, now, ev);
	gpe_step(gn->node, now, ev, gn->out);
	if (unlikely(gn->record))
		gsk_record_result(gn, ev);
	gn->more = gn->out->more;
	for (i = 0; i < gn->out->n; i++)
		gsk_run_act(gn, &gn->out->act[i]);
}

static void gsk_run_rearm(struct gsk_net *gn)
{
	u64 at = gpe_next_deadline(gn->node);

	if (gn->dead)
		return;
	if (at == U64_MAX)
		hrtimer_try_to_cancel(&gn->timer);
	/* Too early costs one idle step, setting it costs one every step. */
	else if (!hrtimer_is_queued(&gn->timer) ||
		 ktime_to_ns(hrtimer_get_expires(&gn->timer)) > at)
		hrtimer_start(&gn->timer, ns_to_ktime(at),
			      HRTIMER_MODE_ABS_HARD);
}

/*
 * What the engine has to say beside an event, up to a limit. The time counts
 * from @now, so for all that is done under the lock.
 */
static void gsk_run_more(struct gsk_net *gn, u64 now)
{
	struct gpe_event tick = { .type = GPE_EV_TICK };
	int rounds;

	for (rounds = 0; gn->more && rounds < GSK_ROUNDS &&
			 ktime_get_boottime_ns() - now < GSK_HOLD_NS; rounds++)
		gsk_run_step(gn, now, &tick);
}

/* @now is read once under the lock for all that is done under it. */
static void gsk_run_event(struct gsk_net *gn, u64 now, struct gpe_event *ev)
{
	gsk_run_more(gn, now);
	gsk_run_step(gn, now, ev);
	gsk_run_more(gn, now);
}

/* The last of what is done under the lock. */
static void gsk_run_settle(struct gsk_net *gn)
{
	lockdep_assert_held(&gn->lock);
	if (gn->more)
		queue_work(gsk_wq, &gn->work);
	WRITE_ONCE(gn->cells_due, gpe_pool_need(gn->node));
	gsk_run_rearm(gn);
}

/* Without the lock: what the steps have left to be done. */
static void gsk_run_after(struct gsk_net *gn)
{
	gsk_group_wake_flush(gn);
	gsk_bearer_flush(gn);
}

/* @cells: for the reserve, those that are not needed are left. */
static bool gsk_run_with(struct gsk_net *gn, struct gpe_event *ev,
			 struct list_head *cells)
{
	bool more = false;

	spin_lock_bh(&gn->lock);
	if (gn->node && !gn->dead) {
		gsk_run_fill(gn, cells);
		gsk_run_event(gn, ktime_get_boottime_ns(), ev);
		gsk_run_settle(gn);
		more = gn->more;
	}
	spin_unlock_bh(&gn->lock);
	gsk_run_after(gn);
	return more;
}

void gsk_run(struct gsk_net *gn, struct gpe_event *ev)
{
	LIST_HEAD(none);

	gsk_run_with(gn, ev, &none);
}

bool gsk_run_task(struct gsk_net *gn, struct gpe_event *ev)
{
	LIST_HEAD(cells);
	bool more;

	gsk_cells_get(gn, &cells);
	more = gsk_run_with(gn, ev, &cells);
	gsk_cells_free(&cells);
	return more;
}

void gsk_run_rest(struct gsk_net *gn)
{
	struct gpe_event tick = { .type = GPE_EV_TICK };
	int goes;

	for (goes = 0; gsk_run_task(gn, &tick) && goes < GSK_GOES; goes++)
		cond_resched();
}

/* @len bytes of a packet if they lie in one piece, or NULL. */
static u8 *gsk_rx_linear(const struct sk_buff *skb, u32 off, u32 len)
{
	int i;

	if (off + len <= skb_headlen(skb))
		return skb->data + off;
	if (off < skb_headlen(skb))
		return NULL;
	off -= skb_headlen(skb);
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];
		u8 *at = skb_frag_address_safe(frag);

		if (off + len <= skb_frag_size(frag))
			return at ? at + off : NULL;
		if (off < skb_frag_size(frag))
			return NULL;
		off -= skb_frag_size(frag);
	}
	return NULL;
}

/* One datagram; @whole is the buffer around the packet, NULL: copy it out. */
static void gsk_rx_datagram(struct gsk_net *gn, u64 now, u32 path,
			    struct sk_buff *skb, u32 off, u32 len,
			    struct gsk_buf *whole)
{
	struct gpe_event ev = { .type = GPE_EV_PACKET };
	u32 hdr_len = min_t(u32, len, GPE_HDR_MAX);
	u8 *hdr = gsk_rx_linear(skb, off, hdr_len), *copy = NULL;
	struct gsk_buf *buf = whole;

	if (!hdr) {
		hdr = kmalloc(hdr_len, GFP_ATOMIC | __GFP_NOWARN);
		copy = hdr;
		if (!copy || skb_copy_bits(skb, off, copy, hdr_len))
			goto out;
	}
	if (!buf)
		buf = gsk_buf_copy_skb(skb, off, len);
	if (!buf)
		goto out;
	ev.packet.path = path;
	ev.packet.hdr = hdr;
	ev.packet.hdr_len = hdr_len;
	ev.packet.len = len;
	ev.packet.off = whole ? off : 0;
	ev.packet.buf = buf;
	gsk_run_event(gn, now, &ev);
	if (!whole)
		gpe_buf_put(buf);
out:
	kfree(copy);
}

void gsk_run_rx(struct gsk_net *gn, u32 path, struct sk_buff *skb, u32 seg)
{
	struct gsk_buf *whole = NULL;
	u32 off;
	u64 now;

	if (!gsk_buf_pins(skb)) {
		whole = gsk_buf_from_skb(skb);
		if (!whole)
			return;
	}
	spin_lock_bh(&gn->lock);
	if (gn->node && !gn->dead) {
		now = ktime_get_boottime_ns();
		for (off = 0; off < skb->len; off += seg)
			gsk_rx_datagram(gn, now, path, skb, off,
					min(seg, skb->len - off), whole);
		gsk_run_settle(gn);
	}
	spin_unlock_bh(&gn->lock);
	gsk_run_after(gn);
	if (whole)
		gpe_buf_put(whole);
}

static void gsk_run_tick(struct tasklet_struct *tick)
{
	struct gsk_net *gn = from_tasklet(gn, tick, tick);
	struct gpe_event ev = { .type = GPE_EV_TICK };

	gsk_run(gn, &ev);
}

/*
 * Before Linux 6.5 all softirqs of a processor wait for ksoftirqd while that
 * is running, and it waits for its turn among all programs: a second and more
 * where many spin, and a soft timer with it. A tasklet of high priority is
 * what does not wait. It takes along what else is pending, received packets
 * among it.
 */
static enum hrtimer_restart gsk_run_timer(struct hrtimer *timer)
{
	struct gsk_net *gn = container_of(timer, struct gsk_net, timer);

	tasklet_hi_schedule(&gn->tick);
	return HRTIMER_NORESTART;
}

void gsk_run_timer_init(struct gsk_net *gn)
{
	tasklet_setup(&gn->tick, gsk_run_tick);
	hrtimer_init(&gn->timer, CLOCK_BOOTTIME, HRTIMER_MODE_ABS_HARD);
	gn->timer.function = gsk_run_timer;
}

void gsk_run_timer_exit(struct gsk_net *gn)
{
	hrtimer_cancel(&gn->timer);
	tasklet_kill(&gn->tick);
}
