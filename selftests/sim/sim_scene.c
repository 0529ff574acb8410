// SPDX-License-Identifier: GPL-2.0
/*
 * Scenes: faults that people have met, played the same way each time but for
 * the moments at which things happen. Programs work all the while and all
 * checkers look on; besides, each scene says how soon the cluster has to go on
 * without the one at fault, and how many views and ballots that may take.
 */
#include "sim.h"
#include "sim_play.h"
#include "sim_scene.h"

/* ---- links ---- */

/* Two nodes, the senior one first. */
static void draw_pair(u32 *a, u32 *b)
{
	u32 x = sim_rand(S.n_nodes), y = sim_rand(S.n_nodes - 1);

	y += y >= x;
	*a = rank_of(x) < rank_of(y) ? x : y;
	*b = x + y - *a;
}

static void without_junior(u32 junior)
{
	u32 rest = all() & ~bit(junior);
	struct budget b = spend(all());

	settle(rest, BOUND, "the junior of the two is left out");
	calm(rest, 8000, "the rest");
	at_most(&b, 2, 3, "one pair that does not hear each other");
	healed(GPE_FLAP_MIN_NS / SIM_MS);
}

static void asymmetric(void)
{
	u32 a, b;

	cluster();
	draw_pair(&a, &b);
	if (sim_chance(500))
		cut(bit(a), bit(b), true);
	else
		cut(bit(b), bit(a), true);
	without_junior(b);
}

static void bad_cable(void)
{
	u32 a, b;

	cluster();
	draw_pair(&a, &b);
	cut(bit(a), bit(b), true);
	cut(bit(b), bit(a), true);
	without_junior(b);
}

static void one_out(u32 i)
{
	u32 rest = all() & ~bit(i);
	struct budget b = spend(all());

	settle(rest, BOUND, "the others go on");
	calm(rest, 8000, "the others");
	if (state_is(i, GPE_ST_NORMAL) || state_is(i, GPE_ST_WEDGED))
		failed("V10", "it has not noticed");
	at_most(&b, 2, 3, "one node that does not hear, or is not heard");
	healed(GPE_FLAP_MIN_NS / SIM_MS);
}

static void deaf(void)
{
	u32 i = sim_rand(S.n_nodes);

	cluster();
	cut(all() & ~bit(i), bit(i), true);
	one_out(i);
}

static void mute(void)
{
	u32 i = sim_rand(S.n_nodes);

	cluster();
	cut(bit(i), all() & ~bit(i), true);
	one_out(i);
}

/* The first in rank and two others do not hear each other: it goes, not they. */
static void bad_senior(void)
{
	u32 senior, a, b, rest;
	struct budget bud;

	cluster();
	senior = at_rank(0, 0);
	do {
		a = sim_rand(S.n_nodes);
		b = sim_rand(S.n_nodes);
	} while (a == b || a == senior || b == senior);
	rest = all() & ~bit(senior);
	bud = spend(all());
	cut(bit(senior), bit(a) | bit(b), true);
	pass(sim_rand(100));
	cut(bit(a) | bit(b), bit(senior), true);
	settle(rest, BOUND, "the senior is left out");
	calm(rest, 5000, "the rest");
	at_most(&bud, 2, 4, "the senior, and two that do not hear it");
	healed(GPE_FLAP_MIN_NS / SIM_MS);
}

/* It is in for at most as often as its hold-off, doubling, lets it. */
static void flapping(void)
{
	u32 i = sim_rand(S.n_nodes), rest = all() & ~bit(i);
	bool reboots = sim_chance(500);
	struct budget b;
	u64 end;

	cluster();
	b = spend(rest);
	end = S.now + 20000 * SIM_MS;
	while (!S.bad && S.now < end) {
		if (reboots)
			crash(bit(i));
		else
			split(bit(i), true);
		never_out(rest, between(350, 1200), "one of them flaps");
		if (reboots)
			start(bit(i));
		else
			split(bit(i), false);
		never_out(rest, between(50, 1200), "one of them flaps");
	}
	at_most(&b, 14, 20, "20 s of flapping");
	start(bit(i));
	healed(GPE_FLAP_MAX_NS / SIM_MS);
}

static bool all_hear(u32 mask)
{
	u32 i, k;

	for (i = 0; i < S.n_nodes; i++)
		for (k = 0; k < S.n_nodes; k++)
			if ((mask & bit(i)) && (mask & bit(k)) &&
			    S.cut[i][k])
				return false;
	return true;
}

/* Are there more than half of the nodes of which all hear each other? */
static bool quorum_hears(void)
{
	u32 mask;

	for (mask = 0; mask <= all(); mask++)
		if (2 * hweight64(mask) > S.n_nodes && all_hear(mask))
			return true;
	return false;
}

/* The nodes that are in a view with a quorum. */
static u32 going_on(void)
{
	u32 i, mask = 0;

	for (i = 0; i < S.n_nodes; i++)
		if (state_is(i, GPE_ST_NORMAL) &&
		    2 * info_of(i).n_nodes >= S.n_nodes)
			mask |= bit(i);
	return mask;
}

/*
 * P3: links that work in one direction only, at random. A quorum that hears
 * each other is found and goes on in peace; if there is none, nobody does and
 * everybody is told.
 */
static void p3_one_way(void)
{
	u32 i, k, rest;

	cluster();
	for (i = 0; i < S.n_nodes; i++)
		for (k = 0; k < S.n_nodes; k++)
			if (i != k && sim_chance(120))
				cut(bit(i), bit(k), true);
	pass(2 * BOUND);
	rest = going_on();
	if (quorum_hears()) {
		if (!rest || !one_view(rest) || !all_hear(rest))
			failed("V11", "a quorum hears each other");
		else
			calm(rest, 5000, "those who hear each other");
	} else if (!rest) {
		struct budget b = spend(all());

		pass(10000);
		at_most(&b, 0, 10 * S.n_nodes, "10 s without a quorum");
		for (i = 0; i < S.n_nodes && !S.bad; i++)
			if (state_is(i, GPE_ST_WEDGED))
				failed("V11", "a node waits and is not told");
	}
	healed(8000);
}

/*
 * P7: all that one node says gets lost but for what one other hears. Those two
 * hear each other, but that must not cost all the rest: the one goes.
 */
static void p7_drop(void)
{
	u32 i = sim_rand(S.n_nodes), k = (i + 1) % S.n_nodes;
	u32 rest = all() & ~bit(i);
	struct budget b;

	cluster();
	b = spend(rest);
	cut(bit(i), rest & ~bit(k), true);
	never_out(rest, 10000, "one node is heard by one other only");
	at_most(&b, 4, 8, "one node that is heard by one other only");
	healed(4000);
}

/* ---- quorum ---- */

static void two_tie(void)
{
	u32 senior, junior;

	cluster();
	senior = at_rank(0, 0);
	junior = 1 - senior;
	split(bit(senior), true);
	settle(bit(senior), BOUND, "the senior of two goes on");
	becomes(junior, GPE_ST_SUSPENDED, BOUND, "the junior is suspended");
	calm(bit(senior), 3000, "the senior");
	if (!state_is(junior, GPE_ST_SUSPENDED))
		failed("V10", "the junior goes on, too");
	healed(GPE_FLAP_MIN_NS / SIM_MS);
}

static void senior_reboots(void)
{
	u32 senior, rest;

	cluster();
	senior = at_rank(0, 0);
	rest = all() & ~bit(senior);
	crash(bit(senior));
	if (S.n_nodes > 2)
		settle(rest, BOUND, "the others go on");
	else
		becomes(1 - senior, GPE_ST_SUSPENDED, BOUND,
			"one of two votes is no quorum");
	pass(sim_rand(2000));
	start(bit(senior));
	healed(FORM + GPE_FLAP_MIN_NS / SIM_MS);
}

static void stays_fresh(u32 mask, u32 ms)
{
	u64 end = S.now + ms * SIM_MS;
	u32 i;

	while (!S.bad && S.now < end) {
		pass(50);
		for (i = 0; i < S.n_nodes && !S.bad; i++)
			if ((mask & bit(i)) && !state_is(i, GPE_ST_FRESH))
				failed("V10", "half of the votes form a cluster");
	}
}

static void total_failure(void)
{
	u32 some = bit(S.n_nodes / 2) - 1;

	cluster();
	crash(all());
	pass(sim_rand(3000));
	start(some);
	stays_fresh(some, 3000);
	start(all());
	healed(FORM);
}

static void all_apart(void)
{
	u32 i;

	cluster();
	cut(all(), all(), true);
	for (i = 0; i < S.n_nodes; i++)
		becomes(i, GPE_ST_SUSPENDED, BOUND,
			"nobody hears a quorum, all are suspended");
	pass(sim_rand(3000));
	healed(FORM + GPE_FLAP_MIN_NS / SIM_MS);
}

/*
 * Protocol.md 6: a view of A and B; B reboots and forms one with C, and A,
 * which has half of the votes and the senior, must not go on besides.
 */
static void two_primaries(void)
{
	u32 a = 0, b = 1, c = 2;

	start(bit(a) | bit(b));
	settle(bit(a) | bit(b), FORM + BOUND, "the first view");
	pass(between(500, 1500));
	if (at_rank(0, a) == b) {
		a = 1;
		b = 0;
	}
	split(bit(a), true);
	crash(bit(b));
	pass(sim_rand(400));
	start(bit(b) | bit(c));
	settle(bit(b) | bit(c), FORM + 2 * BOUND, "the other two form a cluster");
	calm(bit(b) | bit(c), 2000, "the other two");
	if (state_is(a, GPE_ST_NORMAL))
		failed("V10", "two chains go on");
	healed(FORM + GPE_FLAP_MIN_NS / SIM_MS);
}

/* A node asks for promises, or the time is over. */
static void ballot_begins(u32 ms)
{
	u64 until = S.now + ms * SIM_MS, was = counted(all(), GPE_CNT_BALLOTS);

	while (S.now < until && counted(all(), GPE_CNT_BALLOTS) == was)
		pass(1);
}

/*
 * Nodes with different votes come and go, and links with them, faster than a
 * view can be agreed on; packets are late: so formations, the end of views and
 * newcomers meet in all ways. One chain goes on at any time, at most.
 */
static void unrest(void)
{
	u32 a, b, turns = between(50, 150);

	S.n_votes = 0;
	for (a = 0; a < S.n_nodes; a++) {
		S.node[a].votes = between(1, 3);
		S.n_votes += S.node[a].votes;
		for (b = 0; b < S.n_nodes; b++)
			S.link[a][b].delay = between(1, 60) * SIM_MS;
	}
	S.mix.loss = sim_rand(300);
	S.mix.dup = sim_rand(300);
	S.mix.reorder = sim_rand(300);
	S.faults = true;
	start(all());
	while (turns-- && !S.bad) {
		a = sim_rand(all() + 1);
		b = bit(sim_rand(S.n_nodes));
		switch (sim_rand(5)) {
		case 0:
			split(a, true);
			break;
		case 1:
			cut(a, b, true);
			break;
		case 2:
			crash(b);
			break;
		case 3:
			memset(S.cut, 0, sizeof(S.cut));
			break;
		default:
			start(a);
		}
		ballot_begins(2000);
		pass_steps(sim_rand(20 * S.n_nodes));
	}
	S.faults = false;
	for (a = 0; a < S.n_nodes; a++)
		for (b = 0; b < S.n_nodes; b++)
			S.link[a][b].delay = between(10, 200) * 1000;
	start(all());
	healed(FORM + GPE_FLAP_MAX_NS / SIM_MS);
}

/* ---- views ---- */

/* P4: some nodes die at once, on a network that loses a tenth. */
static void p4_reform(void)
{
	u32 dead = 0, rest;

	cluster();
	S.faults = true;
	S.mix.loss = between(20, 100);
	S.mix.reorder = between(0, 100);
	while (hweight64(dead) < 1 + sim_rand((S.n_nodes - 1) / 2))
		dead |= bit(sim_rand(S.n_nodes));
	rest = all() & ~dead;
	crash(dead);
	settle(rest, BOUND, "the rest is a view");
	S.faults = false;
	calm(rest, 2000, "the rest");
	start(dead);
	healed(FORM + GPE_FLAP_MIN_NS / SIM_MS);
}

/* P5: those who come back do not come one by one. */
static void p5_merge(void)
{
	u32 side = 0, rest;
	struct budget b;

	cluster();
	while (hweight64(side) < (S.n_nodes - 1) / 2)
		side |= bit(sim_rand(S.n_nodes));
	rest = all() & ~side;
	split(side, true);
	settle(rest, BOUND, "the majority goes on");
	pass(between(1000, 4000));
	b = spend(rest);
	healed(FORM + GPE_FLAP_MIN_NS / SIM_MS);
	at_most(&b, 2, 4, "a minority comes back");
}

/* P6: a node joins, and so many steps later one node crashes. */
static void p6_join_crash(void)
{
	u32 joiner = sim_rand(S.n_nodes), victim, round;
	u32 rest = all() & ~bit(joiner), left;

	start(rest);
	settle(rest, FORM + BOUND, "a cluster forms");
	pass(between(500, 1000));
	for (round = 0; round < 6 && !S.bad; round++) {
		sim_trace("-- round %u", round);
		start(bit(joiner));
		/* From the first hello until it is in, and a little beyond. */
		pass_steps(sim_rand(600));
		victim = sim_chance(600) ? joiner : sim_rand(S.n_nodes);
		crash(bit(victim));
		left = all() & ~bit(victim);
		settle(left, FORM + BOUND + GPE_FLAP_MAX_NS / SIM_MS,
		       "one joins, one crashes, the rest is a view");
		if (victim == joiner)
			continue;
		joiner = victim;
	}
	start(all());
	healed(FORM + GPE_FLAP_MAX_NS / SIM_MS);
}

/*
 * P7: the script of corosync's issue 660. Of three nodes one restarts every
 * 30 s, the others write and read all the time; what nobody may see is that
 * any of the other two stops.
 */
static void p7_restarts(void)
{
	u32 i = sim_rand(S.n_nodes), rest = all() & ~bit(i), round;
	struct budget b;

	/* There is no end of messages to last for so long. */
	S.mix.send = 5;
	cluster();
	b = spend(rest);
	for (round = 0; round < 5 && !S.bad; round++) {
		crash(bit(i));
		never_out(rest, between(200, 1500), "one of three restarts");
		start(bit(i));
		never_out(rest, 30000, "one of three has restarted");
		settle(all(), 1, "it is back before it restarts again");
	}
	at_most(&b, 12, 16, "five restarts");
}

/* P14: a cluster in two parts, or in three, is one again before long. */
static void p14_merge(void)
{
	u32 parts = S.n_nodes > 4 ? between(2, 3) : 2, i, k;

	cluster();
	for (i = 0; i < S.n_nodes; i++)
		for (k = 0; k < S.n_nodes; k++)
			if (i % parts != k % parts)
				cut(bit(i), bit(k), true);
	pass(between(1500, 20000));
	healed(FORM + GPE_FLAP_MIN_NS / SIM_MS);
}

/* ---- clocks ---- */

static void stand_still(u32 mask, u32 ms)
{
	u32 i;

	sim_trace("-- %x stands still for %u ms", mask, ms);
	for (i = 0; i < S.n_nodes; i++)
		if (mask & bit(i))
			S.node[i].paused_until = S.now + ms * SIM_MS;
}

static void paused(void)
{
	u32 i = sim_rand(S.n_nodes), rest = all() & ~bit(i);
	u64 doubts;

	cluster();
	doubts = counted(bit(i), GPE_CNT_DOUBTS);
	stand_still(bit(i), 10000);
	settle(rest, BOUND, "the others go on");
	calm(rest, 5000, "the others");
	pass(10000 - BOUND);
	if (counted(bit(i), GPE_CNT_DOUBTS) == doubts)
		failed("pause", "it has no doubt");
	healed(GPE_FLAP_MIN_NS / SIM_MS);
}

/* What was queued meanwhile is not believed. */
static void paused_join(void)
{
	u32 i = sim_rand(S.n_nodes), rest = all() & ~bit(i), round, k;

	start(rest);
	settle(rest, FORM + BOUND, "a cluster forms");
	for (round = 0; round < 4 && !S.bad; round++) {
		start(bit(i));
		/* Its view is about to be decided. */
		k = (i + 1 + sim_rand(S.n_nodes - 1)) % S.n_nodes;
		becomes(k, GPE_ST_WEDGED, GPE_FLAP_MAX_NS / SIM_MS,
			"it is to be taken in");
		pass_steps(sim_rand(30));
		stand_still(bit(i), between(1000, 4000));
		pass(6000);
		settle(all(), BOUND + GPE_FLAP_MAX_NS / SIM_MS,
		       "it stood still while it joined");
		crash(bit(i));
		pass(1000);
	}
	start(bit(i));
	healed(FORM + GPE_FLAP_MAX_NS / SIM_MS);
}

/* The same when a cluster forms: it could be the first in rank. */
static void paused_form(void)
{
	u32 i = sim_rand(2), k;
	u64 end;

	start(all());
	/* The first one is about to have it decided, or just had. */
	end = S.now + FORM * SIM_MS;
	for (k = 0; !S.bad && S.now < end; k++) {
		pass_steps(1);
		if (state_is(0, GPE_ST_NORMAL) ||
		    counted(1, GPE_CNT_BALLOTS))
			break;
	}
	pass_steps(sim_rand(30));
	stand_still(bit(i), between(1000, 4000));
	pass(6000);
	healed(GPE_FLAP_MAX_NS / SIM_MS);
}

static void all_paused(void)
{
	struct budget b;

	cluster();
	b = spend(all());
	stand_still(all(), between(200, 10000));
	pass(11000);
	at_most(&b, 3, 4, "all stand still together");
	healed(GPE_FLAP_MIN_NS / SIM_MS);
}

/* Wall clocks that jump change nothing; epochs grow all the same. */
static void wall_clock(void)
{
	s64 year = 365LL * 86400 * 1000;
	struct budget b;
	u32 i;

	cluster();
	b = spend(all());
	for (i = 0; i < S.n_nodes && !S.bad; i++)
		wall_set(i, ((s64)sim_rand(20) - 10) * year);
	calm(all(), 2000, "clocks have jumped");
	at_most(&b, 0, 0, "clocks have jumped");
	for (i = 0; i < S.n_nodes; i++)
		wall_set(i, -(s64)sim_rand(10) * year);
	cut(all(), all(), true);
	pass(2000);
	healed(FORM + GPE_FLAP_MIN_NS / SIM_MS);
}

/* ---- all of them ---- */

static const struct sim_scene scenes[] = {
	{ "asymmetric", "one of two nodes does not hear the other", 3, 7,
	  asymmetric },
	{ "bad-cable", "two nodes do not hear each other", 3, 7, bad_cable },
	{ "deaf", "a node hears nothing", 3, 7, deaf },
	{ "mute", "a node is not heard", 3, 7, mute },
	{ "bad-senior", "the senior does not hear two others", 4, 7,
	  bad_senior },
	{ "flapping", "a node, or its link, comes and goes", 3, 7, flapping },
	{ "two-tie", "two nodes, the cable between them cut", 2, 2, two_tie },
	{ "senior-reboots", "the most senior node restarts", 2, 5,
	  senior_reboots },
	{ "total-failure", "all nodes restart", 2, 7, total_failure },
	{ "all-apart", "no node hears another for a while", 3, 7, all_apart },
	{ "two-primaries", "half goes on, half restarts and forms", 3, 3,
	  two_primaries },
	{ "unrest", "nodes and links come and go all the time", 2, 5, unrest },
	{ "p3-one-way", "many links work in one direction only", 3, 7,
	  p3_one_way },
	{ "p4-reform", "nodes die on a network with losses", 3, 7, p4_reform },
	{ "p5-merge", "a minority comes back, views are agreed", 3, 7,
	  p5_merge },
	{ "p6-join-crash", "a crash at any step of a join", 3, 5,
	  p6_join_crash },
	{ "p7-restarts", "one of three restarts again and again", 3, 3,
	  p7_restarts },
	{ "p7-drop", "a node is heard by one other only", 4, 7, p7_drop },
	{ "p14-merge", "parts of a cluster merge", 4, 7, p14_merge },
	{ "paused", "a node stands still for 10 s", 3, 7, paused },
	{ "paused-join", "a node stands still while it joins", 3, 5,
	  paused_join },
	{ "paused-form", "a node stands still while a cluster forms", 3, 5,
	  paused_form },
	{ "all-paused", "all nodes stand still", 2, 7, all_paused },
	{ "none-split", "policy none: all parts go on, and merge", 2, 7,
	  none_split },
	{ "none-clocks", "policy none, wall clocks are behind", 2, 5,
	  none_clocks },
	{ "none-bridge", "policy none, parts touch at one node", 4, 7,
	  none_bridge },
	{ "none-form", "policy none, bad cables as clusters form", 3, 7,
	  none_form },
	{ "none-meet", "policy none, clusters of one meet", 2, 7, none_meet },
	{ "wall-clock", "wall clocks jump by years", 2, 7, wall_clock },
	{ 0 }
};

static const struct sim_scene *const tables[] = {
	scenes, sim_scenes_vote, sim_scenes_lost
};

const struct sim_scene *sim_scene_next(const struct sim_scene *scene)
{
	const struct sim_scene *sc;
	bool found = !scene;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (sc = tables[i]; sc->name; sc++) {
			if (found)
				return sc;
			found = sc == scene;
		}
	return NULL;
}

/* The shortest way to see them. */
static const struct {
	const char *fault;
	const char *scene;
} shown[] = {
	{ "PROMISE_LOW", "old-prepare" },
	{ "ACCEPT_LOW", "old-accept" },
	{ "VALUE_OWN", "inherited" },
	{ "PROMISE_FORGOT", "kept" },
	{ "VALUE_LOWEST", "two-values" },
	{ "VOTE_TWICE", "said-twice" },
	{ "EPOCH_WALL", "clocks-back" },
	{ "EPOCH_ANY", "late-data" },
	{ "ACK_ANY", "late-acks" },
	{ "NO_WEDGE", "late-wedged" },
	{ "CUT_SHORTEST", "uneven" },
	{ "READY_BLIND", "uneven" },
	{ "FLUSH_WAITS", "never-ready" },
	{ "EARLY_UNSAID", "early-read" },
	{ "LOG_LAST", "log-behind" },
	{ "VOID_NEVER", "cause-lost" },
	{ "SAFE_EARLY", "safe-lost" },
	{ "SAFE_ALONE", "record-lost" },
	{ "MARK_LOST", "mark-lost" },
	{ "OPEN_SKIP", "mark-lost" },
	{ "MARK_UNSTABLE", "mark-alone" },
	{ "AHEAD_LOST", "log-behind" },
	{ "ASKED_ONCE", "p5-merge" },
	{ "LINKS_UNSEEN", "asymmetric" },
	{ "DECISION_MUTE", "untold" },
	{ "CREDIT_ANY", "slow-readers" },
	{ "NEVER_YIELD", "none-meet" },
	{ "YIELD_ANY", "none-bridge" },
	{ "EPOCH_SHARED", "none-meet" },
	{ "FLAP_FREE", "flapping" },
	{ "LEAD_ANY", "bad-cable" },
	{ "INC_KEPT", "unplugged" },
	{ "INC_ANY", "quick-restart" },
	{ "INC_UNPROVED", "old-beats" },
	{ "HALF_ANY", "two-tie" },
	{ "FORM_HALF", "total-failure" },
	{ "FORM_FRESH", "senior-reboots" },
	{ "JOIN_BLIND", "p6-join-crash" },
	{ "OLD_FEW", "two-primaries" },
};

bool sim_scene_shows(const struct sim_scene *scene, const char *fault)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(shown); i++)
		if (!strcmp(shown[i].fault, fault) &&
		    !strcmp(shown[i].scene, scene->name))
			return true;
	return false;
}

void sim_scene_play(const struct sim_scene *scene)
{
	S.mix.loss = 0;
	S.mix.dup = 0;
	S.mix.reorder = 0;
	S.mix.stale = 0;
	S.mix.big = sim_rand(10);
	S.mix.send = 20 + sim_rand(60);
	S.faults = false;
	S.none = false;
	/* Whoever is left has somebody to talk to. */
	S.spans[0] = all();
	sim_trace("-- scene %s, %u nodes", scene->name, S.n_nodes);
	scene->play();
}
