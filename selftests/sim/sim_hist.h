/* SPDX-License-Identifier: GPL-2.0 */
/* The history of a seed, as selftests/judge/hist.h describes it. */
#ifndef SIM_HIST_H
#define SIM_HIST_H

/* Where histories go, seed-N.jsonl each; false: said why not. */
bool sim_hist_to(const char *dir);
void sim_hist_start(void);
void sim_hist_stop(void);
bool sim_hist_on(void);

/* A line of JSON, without its end. */
void sim_hist(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/*
 * The next line says that something is tried; as if nothing had been, when it
 * is found that it was not to be, and will be tried again.
 */
void sim_hist_try(void);
void sim_hist_untry(void);

#endif /* SIM_HIST_H */
