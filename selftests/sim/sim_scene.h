/* SPDX-License-Identifier: GPL-2.0 */
/* Scenes: what sim_main.c has to know of them. */
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
/* Is it one in which this deliberate fault shows? */
bool sim_scene_shows(const struct sim_scene *scene, const char *fault);
/* In the run that was set up. */
void sim_scene_play(const struct sim_scene *scene);

extern const struct sim_scene sim_scenes_vote[];
extern const struct sim_scene sim_scenes_lost[];

/* ---- sim_scene_none.c ---- */

void none_split(void);
void none_clocks(void);
void none_bridge(void);
void none_meet(void);
void none_form(void);

#endif /* SIM_SCENE_H */
