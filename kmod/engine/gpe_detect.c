// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The failure detector: who is behind which address, who hears whom, who is
 * silent, and whether this node itself has not run.
 *
 * A path, as seen by this node (a path to a node in the view):
 *
 *               beat of a new (id, inc)            1.5 heartbeats silent
 *   [unknown] ------------------------> [up] <----------------------> [probed]
 *       ^                                 ^  any packet                    |
 *       | peer removed                    |                                |
 *       |                                 | any packet     detection time  |
 *       +---------------- [left] <--------+------ [suspected] <------------+
 *                  goodbye, or another          silent
 *                  incarnation on the path
 *                  answers a probe
 *
 * [left] is for good: that incarnation never comes back. [suspected] is taken
 * back when the node is heard again; a ballot under way may still take it in,
 * if it promises.
 *
 * The detector is of the class "eventually perfect" at best (Chandra and
 * Toueg, Unreliable failure detectors for reliable distributed systems, JACM
 * 1996): safety never depends on it. Heartbeats list who is heard, so that
 * links that work in one direction only can be told from dead nodes.
 *
 * The own doubt: a guest that was stopped believes in an epoch that may be
 * over. It asks, and only answers to probes sent after it woke count (Gray and
 * Cheriton, Leases, SOSP 1989, for why time alone does not do). A doubt ends
 * in the epoch it arose in, or in a later one; a node that is in none, but may
 * be about to enter one, doubts that.
 *
 * Probes carry the time they were sent, under a secret mask, so any number of
 * them may be under way and none needs to be remembered.
 */
#include "gpe_wirev.h"

/* Probes go to a silent node for so many detection times, then beats do. */
#define GPE_PROBE_ROUNDS 20
/* Heartbeats between two probes of a node that is heard: round-trip times. */
#define GPE_RTT_EVERY 10
/* A stay shorter than this counts as coming and going. */
#define GPE_FLAP_RESET_NS (60000 * GPE_MS)

/*
 * struct gpe_detect - state of the detector besides the paths
 * @beat_tm: next heartbeat
 * @check_tm: next look at who is silent
 * @beat_due, @probe_due, @echo_due, @refuse_due: paths to send to
 * @new_due: paths where another incarnation is to be asked for
 * @floor_ns: silence before this does not count: a new epoch, or a pause
 * @doubt_ns: when the doubt began; answers to later probes count
 * @silent, @gone, @bye, @answers: ranks of the epoch
 * @beats: heartbeats sent
 * @beat: scratch, too large for the stack
 */
struct gpe_detect {
	struct gpe_timer beat_tm;
	struct gpe_timer check_tm;
	u64 beat_due;
	u64 probe_due;
	u64 echo_due;
	u64 refuse_due;
	u64 new_due;
	u64 floor_ns;
	u64 doubt_ns;
	u64 silent;
	u64 gone;
	u64 bye;
	u64 answers;
	u64 beats;
	struct gpe_pkt_beat beat;
};

static u64 gpe_random64(struct gpe_node *node)
{
	return (u64)gpe_random(node, U32_MAX) << 32 |
	       (gpe_random(node, U32_MAX) + 1);
}

static u64 gpe_probe_gap(const struct gpe_node *node)
{
	return div_u64(node->cfg.detect_ns, 15);
}

/**
 * gpe_expected() - expected votes by this node's own settings
 * @node: the node
 *
 * Return: as configured, or the number of addresses and one; 0 when every part
 * of the cluster is to go on by itself.
 */
u32 gpe_expected(const struct gpe_node *node)
{
	if (node->cfg.partition == GPE_PART_NONE)
		return 0;
	return node->cfg.expected_votes ? node->cfg.expected_votes :
					  1 + node->n_paths;
}

/**
 * gpe_detect_path() - where a node is
 * @node: the node that asks
 * @id: node id
 * @inc: its incarnation
 *
 * Return: the first path that is up, else the first at all, or GPE_NO_PATH.
 */
u8 gpe_detect_path(const struct gpe_node *node, u32 id, u64 inc)
{
	u8 found = GPE_NO_PATH;
	u32 i;

	for (i = 0; i < GPE_PATHS_MAX; i++) {
		const struct gpe_path *p = &node->path[i];

		if (!p->used || p->id != id || p->inc != inc)
			continue;
		if (p->up)
			return i;
		if (found == GPE_NO_PATH)
			found = i;
	}
	return found;
}

/**
 * gpe_detect_suspects() - ranks that do not count any more
 * @node: the node
 *
 * Return: mask by rank of the current epoch.
 */
u64 gpe_detect_suspects(const struct gpe_node *node)
{
	const struct gpe_detect *det = node->detect;

	return det->silent | det->gone | det->bye;
}

/**
 * gpe_detect_byes() - ranks that said goodbye
 * @node: the node
 *
 * Return: mask by rank of the current epoch.
 */
u64 gpe_detect_byes(const struct gpe_node *node)
{
	return node->detect->bye;
}

/* ---- seats: the current epoch and the paths ---- */

static void gpe_seats_refresh(struct gpe_node *node)
{
	u32 i;

	for (i = 0; i < GPE_PATHS_MAX; i++) {
		struct gpe_path *p = &node->path[i];
		int rank = -1;

		if (p->used && p->id)
			rank = gpe_rank_of(node, p->id, p->inc);
		p->seat = rank < 0 ? GPE_NO_PATH : rank;
	}
	for (i = 0; i < node->ep.n; i++) {
		struct gpe_seat *seat = &node->ep.seat[i];

		seat->path = i == node->ep.self ?
				     GPE_NO_PATH :
				     gpe_detect_path(node, seat->id, seat->inc);
	}
}

/**
 * gpe_detect_hold_off() - a newcomer has to wait before it is let in again
 * @node: the node
 * @p: its path; each time it waits twice as long, up to a bound
 */
void gpe_detect_hold_off(struct gpe_node *node, struct gpe_path *p)
{
	p->flap_ns = clamp_t(u64, 2 * p->flap_ns, GPE_FLAP_MIN_NS,
			     GPE_FLAP_MAX_NS);
	p->hold_until = node->now + p->flap_ns;
}

/* Whoever lost its seat soon after it came has to wait before the next. */
static void gpe_flap_account(struct gpe_node *node, struct gpe_path *p)
{
	bool in = p->seat != GPE_NO_PATH;

	if (in && !p->was_in)
		p->in_ns = node->now;
	if (!in && p->was_in) {
		if (node->now - p->in_ns >= GPE_FLAP_RESET_NS)
			p->flap_ns = 0;
		else
			gpe_detect_hold_off(node, p);
	}
	p->was_in = in;
}

/* Could the epoch have ended without these nodes? Then it may be over. */
static bool gpe_epoch_held(const struct gpe_epoch *ep, u64 mask)
{
	return gpe_quorum(ep, mask) &&
	       (gpe_old_enough(ep, mask) || mask == gpe_all(ep));
}

/**
 * gpe_detect_epoch() - the node view is another one, or there is none
 * @node: the node; node->ep is set
 */
void gpe_detect_epoch(struct gpe_node *node)
{
	struct gpe_detect *det = node->detect;
	u32 i;

	det->silent = 0;
	det->gone = 0;
	det->bye = 0;
	det->answers = 0;
	det->floor_ns = node->now;
	gpe_seats_refresh(node);
	for (i = 0; i < GPE_PATHS_MAX; i++) {
		struct gpe_path *p = &node->path[i];

		if (p->used && node->ep.epoch)
			gpe_flap_account(node, p);
		if (p->used && p->bye && p->seat != GPE_NO_PATH)
			det->bye |= gpe_bit(p->seat);
	}
	/* An epoch that cannot have ended without this very node. */
	if (node->ep.n <= 1 ||
	    gpe_epoch_held(&node->ep, gpe_bit(node->ep.self)))
		node->doubt = false;
	gpe_detect_restart(node);
}

/**
 * gpe_detect_restart() - say at once who we are and how we stand
 * @node: the node
 */
void gpe_detect_restart(struct gpe_node *node)
{
	struct gpe_detect *det = node->detect;

	if (!node->n_bearers && node->ep.n <= 1) {
		gpe_timer_cancel(node, &det->beat_tm);
		gpe_timer_cancel(node, &det->check_tm);
		return;
	}
	gpe_timer_set(node, &det->beat_tm, node->now);
	gpe_timer_sooner(node, &det->check_tm, node->now);
}

/* ---- identity: who is behind a path ---- */

/* The incarnation that was behind @p is not any more. */
static void gpe_path_leave(struct gpe_node *node, struct gpe_path *p)
{
	u32 id = p->id;
	u64 inc = p->inc;
	u8 seat = p->seat;

	p->id = 0;
	p->inc = 0;
	if (seat == GPE_NO_PATH ||
	    gpe_detect_path(node, id, inc) != GPE_NO_PATH)
		return;
	if (!(node->detect->gone & gpe_bit(seat))) {
		node->detect->gone |= gpe_bit(seat);
		gpe_count(node, GPE_CNT_SUSPICIONS);
	}
}

static void gpe_refuse(struct gpe_node *node, struct gpe_pkt *pkt)
{
	struct gpe_path *p = &node->path[pkt->path];

	gpe_count(node, GPE_CNT_DROP_DUP_ID);
	p->refuse_why = GPE_REFUSE_DUP_ID;
	p->refuse_inc = pkt->src_inc;
	node->detect->refuse_due |= BIT_ULL(pkt->path);
}

/* Does another living node, on another path, use this id? */
static bool gpe_id_taken(const struct gpe_node *node, const struct gpe_pkt *pkt)
{
	u32 i;

	for (i = 0; i < GPE_PATHS_MAX; i++) {
		const struct gpe_path *p = &node->path[i];

		if (i == pkt->path || !p->used || p->id != pkt->src ||
		    p->inc == pkt->src_inc || p->bye)
			continue;
		if (node->now - p->heard_ns <= node->cfg.detect_ns)
			return true;
	}
	return false;
}

static void gpe_path_reset(struct gpe_node *node, struct gpe_path *p)
{
	p->up = false;
	p->bye = false;
	p->hears_me = false;
	p->hears = 0;
	p->fresh_ns = 0;
	p->foreign_ns = 0;
	p->beat_ns = 0;
	p->beat_epoch = 0;
	p->max_epoch = 0;
	p->rtt_ns = 0;
	p->salt = gpe_random64(node);
}

/*
 * A beat of another incarnation than the one known may be a late packet of one
 * that is long gone, and believing it would condemn the living. So it is asked
 * for, and only an answer to that question, which no old packet can be, puts
 * the one in the other's place.
 */
static bool gpe_path_proved(struct gpe_node *node, struct gpe_path *p,
			    const struct gpe_pkt *pkt)
{
	u64 sent = pkt->beat.nonce ^ p->salt;

	if (GPE_BROKEN(GPE_FAULT_INC_UNPROVED) ||
	    (pkt->beat.nonce && p->new_id == pkt->src &&
	     p->new_inc == pkt->src_inc && sent <= node->now &&
	     node->now - sent <= node->cfg.detect_ns))
		return true;
	p->new_id = pkt->src;
	p->new_inc = pkt->src_inc;
	node->detect->new_due |= BIT_ULL(pkt->path);
	gpe_count(node, GPE_CNT_DROP_INC);
	return false;
}

/* A beat tells who is behind its path. False: this one may not be there. */
static bool gpe_learn(struct gpe_node *node, struct gpe_pkt *pkt)
{
	struct gpe_path *p = &node->path[pkt->path];

	if (pkt->src == node->cfg.id) {
		if (node->state == GPE_ST_FRESH)
			gpe_view_refused(node);
		gpe_refuse(node, pkt);
		return false;
	}
	if (p->id == pkt->src && GPE_BROKEN(GPE_FAULT_INC_ANY))
		p->inc = pkt->src_inc;
	if (p->id == pkt->src && p->inc == pkt->src_inc)
		return !p->bye;
	if (gpe_id_taken(node, pkt)) {
		gpe_refuse(node, pkt);
		return false;
	}
	if (p->id && !gpe_path_proved(node, p, pkt))
		return false;
	if (p->id)
		gpe_path_leave(node, p);
	gpe_path_reset(node, p);
	p->id = pkt->src;
	p->inc = pkt->src_inc;
	node->detect->probe_due |= BIT_ULL(pkt->path);
	/* It cannot know us yet: do not let it wait for the next heartbeat. */
	node->detect->beat_due |= BIT_ULL(pkt->path);
	return true;
}

/* Others wait for a senior node as long as somebody says that it hears it. */
static void gpe_loss_tell(struct gpe_node *node)
{
	u32 i;

	for (i = 0; i < GPE_PATHS_MAX; i++)
		if (node->path[i].used && node->path[i].up)
			node->detect->beat_due |= BIT_ULL(i);
}

static void gpe_path_up(struct gpe_node *node, u32 path, bool up)
{
	struct gpe_path *p = &node->path[path];

	if (p->up == up)
		return;
	p->up = up;
	if (!up) {
		if (p->seat < node->ep.n)
			gpe_loss_tell(node);
		p->hears_me = false;
		p->hears = 0;
		p->beat_ns = 0;
		p->fresh_ns = 0;
		p->foreign_ns = 0;
	}
	node->act_peers |= BIT_ULL(path);
}

/* ---- packets in ---- */

static bool gpe_drop(struct gpe_node *node, enum gpe_counter c)
{
	gpe_count(node, c);
	return false;
}

/* Stream packets come from a node of the epoch, about the epoch. */
static bool gpe_heard_data(struct gpe_node *node, struct gpe_pkt *pkt)
{
	const struct gpe_path *p = &node->path[pkt->path];

	if (pkt->epoch > node->ep.epoch)
		gpe_view_behind(node, pkt);
	if (p->seat >= node->ep.n || gpe_other_epoch(node, pkt))
		return gpe_drop(node, GPE_CNT_DROP_EPOCH);
	return true;
}

/**
 * gpe_detect_heard() - a packet came: may it be looked at?
 * @node: the node
 * @pkt: decoded, from a path in use
 *
 * Return: false if it was dropped and counted.
 */
bool gpe_detect_heard(struct gpe_node *node, struct gpe_pkt *pkt)
{
	struct gpe_path *p = &node->path[pkt->path];
	bool known = p->id == pkt->src && p->inc == pkt->src_inc && !p->bye;

	if (pkt->src == node->cfg.id && pkt->src_inc == node->inc)
		return gpe_drop(node, GPE_CNT_DROP_SELF);
	if (!pkt->src || !pkt->src_inc || pkt->epoch >= GPE_EPOCH_TOP)
		return gpe_drop(node, GPE_CNT_DROP_MALFORMED);
	if (pkt->dst_inc && pkt->dst_inc != node->inc)
		return gpe_drop(node, GPE_CNT_DROP_INC);
	if (!node->n_bearers)
		return gpe_drop(node, GPE_CNT_DROP_STATE);
	if (known)
		p->heard_ns = node->now;
	if (pkt->type == GPE_PK_BEAT || pkt->type == GPE_PK_PROBE ||
	    pkt->type == GPE_PK_REFUSE)
		return true;
	if (!known)
		return gpe_drop(node, GPE_CNT_DROP_INC);
	if (pkt->type >= GPE_PK_DATA)
		return gpe_heard_data(node, pkt);
	return true;
}

/* Whom it hears, as paths of ours; whether it hears us. */
static void gpe_beat_heard(struct gpe_node *node, struct gpe_path *p,
			   const struct gpe_pkt_beat *beat)
{
	u32 i, j;

	p->hears = 0;
	p->hears_me = false;
	for (i = 0; i < beat->n; i++) {
		u32 id = beat->heard[i].id;
		u64 inc = beat->heard[i].inc;

		if (id == node->cfg.id && inc == node->inc)
			p->hears_me = true;
		for (j = 0; j < GPE_PATHS_MAX; j++)
			if (node->path[j].used && node->path[j].id == id &&
			    node->path[j].inc == inc)
				p->hears |= BIT_ULL(j);
	}
}

/*
 * Only who has promised nothing proves that the epoch is still open. A node
 * that is wedged itself delivers nothing anyway and needs to know less: that
 * a quorum is in its epoch still.
 */
static void gpe_doubt_answer(struct gpe_node *node, struct gpe_pkt *pkt,
			     u64 sent)
{
	struct gpe_detect *det = node->detect;
	const struct gpe_path *p = &node->path[pkt->path];
	u64 have;

	if (!node->doubt || sent < det->doubt_ns || p->seat >= node->ep.n ||
	    pkt->epoch != node->ep.epoch)
		return;
	if (pkt->beat.state != GPE_ST_NORMAL && node->state == GPE_ST_NORMAL)
		return;
	det->answers |= gpe_bit(p->seat);
	have = det->answers | gpe_bit(node->ep.self);
	if (!gpe_epoch_held(&node->ep, have))
		return;
	node->doubt = false;
	if (node->state == GPE_ST_NORMAL)
		node->why = "";
	node->act_node = true;
	gpe_group_wake_all(node);
}

static void gpe_beat_answer(struct gpe_node *node, struct gpe_pkt *pkt)
{
	struct gpe_path *p = &node->path[pkt->path];
	u64 sent = pkt->beat.nonce ^ p->salt;

	if (sent > node->now || node->now - sent > 60000 * GPE_MS)
		return;
	p->rtt_ns = p->rtt_ns ? (7 * p->rtt_ns + (node->now - sent)) >> 3 :
				node->now - sent;
	gpe_doubt_answer(node, pkt, sent);
}

/*
 * Epochs follow the wall clock but for one here and there, so a number from
 * far in the future is damaged or forged. Believed once it would spread, and
 * use up the numbers that all later epochs need. Where clocks are wrong by
 * years those who promise say what they know.
 */
static void gpe_epoch_heard(struct gpe_node *node, u64 epoch)
{
	if (epoch <= gpe_wall(node) + GPE_EPOCH_AHEAD)
		node->max_epoch = max(node->max_epoch, epoch);
}

/*
 * How late is a heartbeat? The buckets double, from 64 us. What answers a
 * probe is due at no time.
 */
static void gpe_beat_late(struct gpe_node *node, struct gpe_path *p)
{
	u64 due = p->beat_ns + node->cfg.heartbeat_ns;
	u64 late = node->now > due ? div_u64(node->now - due, 1000) : 0;
	u32 bucket = fls64(late >> 6);

	if (p->beat_ns)
		gpe_count(node, GPE_CNT_BEAT_64US +
				min_t(u32, bucket, GPE_BEAT_LATE_N - 1));
	p->beat_ns = node->now;
}

static void gpe_beat_rx(struct gpe_node *node, struct gpe_pkt *pkt)
{
	const struct gpe_pkt_beat *beat = &pkt->beat;
	struct gpe_path *p = &node->path[pkt->path];

	if (!gpe_learn(node, pkt))
		return;
	p->heard_ns = node->now;
	p->state = beat->state;
	p->rank = beat->rank;
	p->flags = beat->flags;
	p->votes = beat->votes;
	p->expected = beat->expected;
	p->view_votes = beat->view_votes;
	p->beat_epoch = pkt->epoch;
	p->max_epoch = max(beat->max_epoch, pkt->epoch);
	gpe_epoch_heard(node, p->max_epoch);
	gpe_path_up(node, pkt->path, true);
	gpe_seats_refresh(node);
	gpe_beat_heard(node, p, beat);
	if (p->state != GPE_ST_FRESH || !p->hears_me)
		p->fresh_ns = 0;
	else if (!p->fresh_ns)
		p->fresh_ns = node->now;
	if (beat->nonce)
		gpe_beat_answer(node, pkt);
	else
		gpe_beat_late(node, p);
	if (p->seat < node->ep.n)
		node->detect->silent &= ~gpe_bit(p->seat);
	gpe_view_beat(node, pkt);
	gpe_view_consider(node);
}

static void gpe_goodbye_rx(struct gpe_node *node, struct gpe_pkt *pkt)
{
	struct gpe_path *p = &node->path[pkt->path];

	p->bye = true;
	gpe_path_up(node, pkt->path, false);
	if (p->seat < node->ep.n)
		node->detect->bye |= gpe_bit(p->seat);
	gpe_view_consider(node);
}

/**
 * gpe_detect_rx() - BEAT, PROBE, GOODBYE or REFUSE
 * @node: the node
 * @pkt: has passed gpe_detect_heard()
 */
void gpe_detect_rx(struct gpe_node *node, struct gpe_pkt *pkt)
{
	struct gpe_path *p = &node->path[pkt->path];

	switch (pkt->type) {
	case GPE_PK_BEAT:
		gpe_beat_rx(node, pkt);
		break;
	case GPE_PK_PROBE:
		p->echo_nonce = pkt->beat.nonce;
		node->detect->echo_due |= BIT_ULL(pkt->path);
		break;
	case GPE_PK_GOODBYE:
		gpe_goodbye_rx(node, pkt);
		break;
	default:
		/* Meant for this very incarnation, or it says nothing. */
		if (pkt->dst_inc == node->inc && node->state == GPE_ST_FRESH)
			gpe_view_refused(node);
		break;
	}
}

/* ---- time ---- */

static u64 gpe_path_silence(const struct gpe_node *node,
			    const struct gpe_path *p)
{
	if (GPE_BROKEN(GPE_FAULT_SUSPECT_NEVER))
		return 0;
	return node->now - max(p->heard_ns, node->detect->floor_ns);
}

static void gpe_ranks_check(struct gpe_node *node)
{
	struct gpe_detect *det = node->detect;
	u64 heard[GPE_NODES_MAX];
	u64 silent = 0;
	u32 i;

	for (i = 0; i < node->ep.n; i++)
		heard[i] = det->floor_ns;
	for (i = 0; i < GPE_PATHS_MAX; i++) {
		const struct gpe_path *p = &node->path[i];

		if (p->used && p->seat < node->ep.n && !p->bye)
			heard[p->seat] = max(heard[p->seat], p->heard_ns);
	}
	for (i = 0; i < node->ep.n; i++)
		if (i != node->ep.self &&
		    node->now - heard[i] > node->cfg.detect_ns)
			silent |= gpe_bit(i);
	if (GPE_BROKEN(GPE_FAULT_SUSPECT_NEVER))
		silent = 0;
	node->counters[GPE_CNT_SUSPICIONS] += hweight64(silent & ~det->silent);
	det->silent = silent;
}

static void gpe_check(struct gpe_node *node)
{
	struct gpe_detect *det = node->detect;
	u64 detect = node->cfg.detect_ns;
	bool busy = node->doubt;
	u32 i;

	for (i = 0; i < GPE_PATHS_MAX; i++) {
		struct gpe_path *p = &node->path[i];
		u64 silence = gpe_path_silence(node, p);

		if (!p->used || !p->id || p->bye)
			continue;
		if (silence > detect)
			gpe_path_up(node, i, false);
		if (node->doubt && p->seat < node->ep.n)
			det->probe_due |= BIT_ULL(i);
		if (2 * silence < 3 * node->cfg.heartbeat_ns ||
		    silence > GPE_PROBE_ROUNDS * detect)
			continue;
		det->probe_due |= BIT_ULL(i);
		busy = true;
	}
	gpe_ranks_check(node);
	gpe_view_consider(node);
	gpe_timer_sooner(node, &det->check_tm, node->now +
			 (busy ? gpe_probe_gap(node) :
				 div_u64(node->cfg.heartbeat_ns, 2)));
}

/**
 * gpe_detect_timer() - a heartbeat is due, or a look at who is silent
 * @node: the node
 * @tm: which
 */
void gpe_detect_timer(struct gpe_node *node, struct gpe_timer *tm)
{
	struct gpe_detect *det = node->detect;
	u32 i;

	if (node->state == GPE_ST_STOPPED)
		return;
	if (tm->kind == GPE_TM_CHECK) {
		gpe_check(node);
		return;
	}
	gpe_timer_set(node, &det->beat_tm,
		      node->now + node->cfg.heartbeat_ns);
	if (!node->n_bearers)
		return;
	det->beats++;
	for (i = 0; i < GPE_PATHS_MAX; i++) {
		if (!node->path[i].used)
			continue;
		det->beat_due |= BIT_ULL(i);
		if (node->path[i].up && det->beats % GPE_RTT_EVERY == 0)
			det->probe_due |= BIT_ULL(i);
	}
}

/**
 * gpe_detect_ran() - a step begins: has this node not run for too long?
 * @node: the node
 * @now_ns: the time
 */
void gpe_detect_ran(struct gpe_node *node, u64 now_ns)
{
	struct gpe_detect *det = node->detect;
	u64 gap = now_ns - node->last_run;
	u64 half = div_u64(node->cfg.detect_ns, 2);

	node->last_run = now_ns;
	if (gap <= half || !node->n_bearers ||
	    GPE_BROKEN(GPE_FAULT_NO_DOUBT))
		return;
	/*
	 * Nothing can have been decided without this very node. In no epoch it
	 * doubts that of which it finds the decision waiting: that may be over.
	 */
	if (node->ep.n && gpe_epoch_held(&node->ep, gpe_bit(node->ep.self)))
		return;
	gpe_count(node, GPE_CNT_DOUBTS);
	/*
	 * The last-heard stamps are as old as the pause, and what came
	 * meanwhile is still to be read: half a detection time for that.
	 */
	det->floor_ns = max(det->floor_ns, now_ns - half);
	node->doubt = true;
	if (node->state == GPE_ST_NORMAL)
		node->why = "has not run: asks whether its epoch is open";
	node->act_node = true;
	det->doubt_ns = now_ns;
	det->answers = 0;
	gpe_timer_set(node, &det->check_tm, now_ns);
	gpe_timer_set(node, &det->beat_tm, now_ns);
}

/* ---- packets out ---- */

static u32 gpe_votes_all(const struct gpe_epoch *ep)
{
	u32 i, votes = 0;

	for (i = 0; i < ep->n; i++)
		votes += ep->seat[i].votes;
	return votes;
}

static void gpe_beat_fill(struct gpe_node *node)
{
	struct gpe_pkt_beat *beat = &node->detect->beat;
	u32 i;

	beat->max_epoch = max(node->max_epoch, node->ep.epoch);
	beat->nonce = 0;
	beat->votes = node->cfg.votes;
	beat->expected = gpe_expected(node);
	beat->view_votes = gpe_votes_all(&node->ep);
	beat->state = node->state;
	beat->rank = node->ep.epoch ? node->ep.self : 0;
	beat->flags = (node->quorate ? GPE_BF_QUORATE : 0) |
		      (gpe_view_left(node) ? GPE_BF_LEFT : 0);
	beat->n = 0;
	for (i = 0; i < GPE_PATHS_MAX; i++) {
		const struct gpe_path *p = &node->path[i];

		if (!p->used || !p->up ||
		    gpe_path_silence(node, p) > node->cfg.detect_ns)
			continue;
		beat->heard[beat->n].id = p->id;
		beat->heard[beat->n++].inc = p->inc;
	}
}

static bool gpe_beat_send(struct gpe_node *node, u64 paths, u64 nonce)
{
	u8 *p = gpe_send_begin(node, paths, GPE_HDR_MAX);
	u32 len;

	if (!p)
		return false;
	node->detect->beat.nonce = nonce;
	len = gpe_wire_open(node, p, GPE_PK_BEAT, 0);
	len += gpe_wirev_beat(p + len, &node->detect->beat);
	gpe_wire_close(p, len);
	gpe_send_end(node, len);
	return true;
}

static bool gpe_small_send(struct gpe_node *node, u32 path,
			   enum gpe_pkt_type type, u64 dst_inc)
{
	const struct gpe_path *to = &node->path[path];
	u8 *p = gpe_send_begin(node, BIT_ULL(path), GPE_WIRE_HDR + 8);
	u32 len;

	if (!p)
		return false;
	len = gpe_wire_open(node, p, type, dst_inc);
	if (type == GPE_PK_PROBE)
		len += gpe_wirev_probe(p + len, node->now ^ to->salt);
	else
		len += gpe_wirev_refuse(p + len, to->refuse_why);
	gpe_wire_close(p, len);
	gpe_send_end(node, len);
	return true;
}

/* Whom a probe or a refusal is for: that depends on why it is due. */
static u64 gpe_small_dst(const struct gpe_node *node, const u64 *due, u32 path)
{
	if (due == &node->detect->new_due)
		return node->path[path].new_inc;
	if (due == &node->detect->refuse_due)
		return node->path[path].refuse_inc;
	return node->path[path].inc;
}

/* One kind, path by path. True: all sent. */
static bool gpe_pump_each(struct gpe_node *node, u64 *due,
			  enum gpe_pkt_type type)
{
	while (*due) {
		u32 path = __ffs64(*due);
		bool sent;

		if (type == GPE_PK_BEAT)
			sent = gpe_beat_send(node, BIT_ULL(path),
					     node->path[path].echo_nonce);
		else
			sent = gpe_small_send(node, path, type,
					      gpe_small_dst(node, due, path));
		if (!sent)
			return false;
		*due &= *due - 1;
	}
	return true;
}

/**
 * gpe_detect_pump() - heartbeats, answers, probes, refusals that are due
 * @node: the node
 */
void gpe_detect_pump(struct gpe_node *node)
{
	struct gpe_detect *det = node->detect;

	if (!node->n_bearers || node->state == GPE_ST_STOPPED) {
		det->beat_due = 0;
		det->probe_due = 0;
		det->echo_due = 0;
		det->refuse_due = 0;
		det->new_due = 0;
		return;
	}
	if (!(det->beat_due | det->echo_due | det->probe_due |
	      det->refuse_due | det->new_due))
		return;
	gpe_beat_fill(node);
	if (det->beat_due) {
		if (!gpe_beat_send(node, det->beat_due, 0))
			return;
		det->beat_due = 0;
	}
	if (gpe_pump_each(node, &det->echo_due, GPE_PK_BEAT) &&
	    gpe_pump_each(node, &det->probe_due, GPE_PK_PROBE) &&
	    gpe_pump_each(node, &det->new_due, GPE_PK_PROBE))
		gpe_pump_each(node, &det->refuse_due, GPE_PK_REFUSE);
}

/* ---- configuration ---- */

static void gpe_frag_update(struct gpe_node *node)
{
	u32 i, mtu, frag = GPE_FRAG_MAX;

	node->n_paths = 0;
	for (i = 0; i < GPE_PATHS_MAX; i++) {
		if (!node->path[i].used)
			continue;
		node->n_paths++;
		mtu = node->path[i].mtu;
		frag = min_t(u32, frag, mtu > 160 ? mtu - 160 : 0);
	}
	node->frag_len = max_t(u32, frag, GPE_FRAG_MIN) & ~7U;
}

/**
 * gpe_detect_peer() - a remote address comes, changes or goes
 * @node: the node
 * @ev: which
 * @add: comes or changes
 */
void gpe_detect_peer(struct gpe_node *node, const struct gpe_ev_peer *ev,
		     bool add)
{
	struct gpe_detect *det = node->detect;
	u32 before = node->n_paths;
	struct gpe_path *p;

	if (ev->path >= GPE_PATHS_MAX)
		return;
	p = &node->path[ev->path];
	if (!add && p->used) {
		u64 keep = ~BIT_ULL(ev->path);
		u32 i;

		/* Gone from our settings, not condemned: silence decides. */
		memset(p, 0, sizeof(*p));
		det->beat_due &= keep;
		det->probe_due &= keep;
		det->echo_due &= keep;
		det->refuse_due &= keep;
		det->new_due &= keep;
		node->act_peers &= keep;
		for (i = 0; i < GPE_PATHS_MAX; i++)
			node->path[i].hears &= keep;
	}
	if (add && !p->used) {
		memset(p, 0, sizeof(*p));
		p->used = true;
		p->seat = GPE_NO_PATH;
	}
	if (add)
		p->mtu = ev->mtu;
	gpe_frag_update(node);
	gpe_seats_refresh(node);
	gpe_view_peers(node, before);
	gpe_detect_restart(node);
}

/**
 * gpe_detect_init() - make the detector's state
 * @node: the node
 *
 * Return: 0 or -ENOMEM.
 */
int gpe_detect_init(struct gpe_node *node)
{
	struct gpe_detect *det = gpe_alloc(sizeof(*det));

	if (!det)
		return -ENOMEM;
	gpe_timer_init(&det->beat_tm, GPE_TM_BEAT);
	gpe_timer_init(&det->check_tm, GPE_TM_CHECK);
	node->detect = det;
	return 0;
}

/**
 * gpe_detect_destroy() - free the detector's state
 * @node: the node
 */
void gpe_detect_destroy(struct gpe_node *node)
{
	if (!node->detect)
		return;
	gpe_timer_cancel(node, &node->detect->beat_tm);
	gpe_timer_cancel(node, &node->detect->check_tm);
	gpe_free(node->detect);
	node->detect = NULL;
}
