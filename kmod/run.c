// SPDX-License-Identifier: GPL-2.0
/*
 * The only caller of the engine. Each input: reserve, lock, step, do what the
 * engine says in its order, unlock, wake, transmit. Nothing here waits.
 */
#include <linux/ktime.h>
#include <linux/slab.h>
#include "gsk.h"
#include "buf.h"

/* Rounds in one go before the rest is left to the worker. */
#define GSK_ROUNDS 32

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

/* The reserve of cells, so that the step itself need not fail. */
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

static void gsk_run_step(struct gsk_net *gn, struct gpe_event *ev)
{
	u32 i;

	lockdep_assert_held(&gn->lock);
	gsk_run_reserve(gn);
	gpe_step(gn->node, ktime_get_boottime_ns(), ev, gn->out);
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
	else
		hrtimer_start(&gn->timer, ns_to_ktime(at),
			      HRTIMER_MODE_ABS_SOFT);
}

void gsk_run(struct gsk_net *gn, struct gpe_event *ev)
{
	struct gpe_event tick = { .type = GPE_EV_TICK };
	int rounds;

	spin_lock_bh(&gn->lock);
	if (!gn->node || gn->dead) {
		spin_unlock_bh(&gn->lock);
		return;
	}
	for (rounds = 0; gn->more && rounds < GSK_ROUNDS; rounds++)
		gsk_run_step(gn, &tick);
	gsk_run_step(gn, ev);
	for (rounds = 0; gn->more && rounds < GSK_ROUNDS; rounds++)
		gsk_run_step(gn, &tick);
	if (gn->more)
		queue_work(gsk_wq, &gn->work);
	gsk_run_rearm(gn);
	spin_unlock_bh(&gn->lock);
	gsk_group_wake_flush(gn);
	gsk_bearer_flush(gn);
}

void gsk_run_rx(struct gsk_net *gn, u32 path, struct sk_buff *skb, u32 off,
		u32 len)
{
	struct gpe_event ev = { .type = GPE_EV_PACKET };
	u32 hdr_len = min_t(u32, len, GPE_HDR_MAX), at = off;
	u8 *hdr, linear[64];
	struct gsk_buf *buf;
	u8 *copy = NULL;

	if (len < sizeof(linear)) {
		if (skb_copy_bits(skb, off, linear, len))
			return;
		hdr = linear;
	} else if (off + hdr_len <= skb_headlen(skb)) {
		hdr = skb->data + off;
	} else {
		copy = kmalloc(hdr_len, GFP_ATOMIC | __GFP_NOWARN);
		if (!copy || skb_copy_bits(skb, off, copy, hdr_len))
			goto out;
		hdr = copy;
	}
	buf = gsk_buf_from_skb(skb, &at, len);
	if (!buf)
		goto out;
	ev.packet.path = path;
	ev.packet.hdr = hdr;
	ev.packet.hdr_len = hdr_len;
	ev.packet.len = len;
	ev.packet.off = at;
	ev.packet.buf = buf;
	gsk_run(gn, &ev);
	gpe_buf_put(buf);
out:
	kfree(copy);
}

static enum hrtimer_restart gsk_run_timer(struct hrtimer *timer)
{
	struct gsk_net *gn = container_of(timer, struct gsk_net, timer);
	struct gpe_event ev = { .type = GPE_EV_TICK };

	gsk_run(gn, &ev);
	return HRTIMER_NORESTART;
}

void gsk_run_timer_init(struct gsk_net *gn)
{
	hrtimer_init(&gn->timer, CLOCK_BOOTTIME, HRTIMER_MODE_ABS_SOFT);
	gn->timer.function = gsk_run_timer;
}
