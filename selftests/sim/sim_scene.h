/* SPDX-License-Identifier: GPL-2.0 */
/* Scenes: what sim_main.c has to know of them, and what they are made of. */
#ifndef SIM_SCENE_H
#define SIM_SCENE_H

/**
 * struct sim_scene - faults that people have met
 * @name: for --scene
 * @text: what happens
 * @least, @most: how many nodes there may be
 * @play: begins with all nodes down, ends with all links whole
 */
struct sim_scene {
	const char *name;
	const char *text;
	u32 least;
	u32 most;
	void (*play)(void);
};

/* The one after @scene, NULL: the first; NULL after the last. */
const struct sim_scene *sim_scene_next(const struct sim_scene *scene);
/* In the run that was set up. */
void sim_scene_play(const struct sim_scene *scene);

/* ---- what scenes are made of; nodes are masks, times in milliseconds ---- */

/* The bound of V11: ten times detection, and the repair of one window. */
enum { BOUND = 3500, FORM = 1000 };

struct budget {
	u32 mask;
	u64 views[SIM_NODES];
	u64 ballots;
};

u32 bit(u32 i);
u32 all(void);
u32 between(u32 least, u32 most);
void pass(u32 ms);
/* They are one view before so much time is over. */
void settle(u32 mask, u32 ms, const char *what);
/* All that time they stay the view they are. */
void stays(u32 mask, u32 ms, const char *what);
struct budget spend(u32 mask);
/* No node has had more views since, nor all of them more ballots. */
void at_most(const struct budget *b, u32 views, u32 ballots, const char *what);
void start(u32 mask);
/* From each of @from to each of @to. */
void cut(u32 from, u32 to, bool off);
void split(u32 side, bool off);
/* Of all nodes; programs work. */
void cluster(void);
/* Links are whole: all are one view, and work. */
void healed(u32 ms);
void wall_set(u32 i, s64 ms);

/* ---- sim_scene_none.c ---- */

void none_split(void);
void none_clocks(void);
void none_bridge(void);
void none_meet(void);

#endif /* SIM_SCENE_H */
