// SPDX-License-Identifier: GPL-2.0
/* Writes histories, for judges of other programs. */
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>
#include "sim.h"
#include "sim_hist.h"

static const char *hist_dir;

/* A history is short enough to be held until it is complete. */
static struct {
	char *text;
	size_t n;
	size_t size;
	size_t try_at;		/* of the line that sim_hist_try() announced */
	size_t try_len;
	bool trying;
	bool on;
} hist;

bool sim_hist_to(const char *dir)
{
	struct stat st;

	if (mkdir(dir, 0777) && errno != EEXIST) {
		perror(dir);
		return false;
	}
	if (stat(dir, &st) || !S_ISDIR(st.st_mode)) {
		fprintf(stderr, "sim: %s is no directory\n", dir);
		return false;
	}
	hist_dir = dir;
	return true;
}

bool sim_hist_on(void)
{
	return hist.on;
}

void sim_hist_start(void)
{
	hist.n = 0;
	hist.try_len = 0;
	hist.trying = false;
	hist.on = hist_dir;
}

void sim_hist_stop(void)
{
	char path[4096];
	FILE *f;

	if (!hist.on)
		return;
	hist.on = false;
	snprintf(path, sizeof(path), "%s/seed-%llu.jsonl", hist_dir, S.seed);
	f = fopen(path, "w");
	if (!f || fwrite(hist.text, 1, hist.n, f) != hist.n || fclose(f)) {
		perror(path);
		_exit(1);
	}
}

void sim_hist(const char *fmt, ...)
{
	va_list ap, again;
	size_t len;

	if (!hist.on)
		return;
	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap) + 1;
	while (hist.n + len + 1 > hist.size) {
		hist.size = hist.size ? 2 * hist.size : 1 << 16;
		hist.text = realloc(hist.text, hist.size);
		if (!hist.text)
			abort();
	}
	vsnprintf(hist.text + hist.n, len, fmt, again);
	va_end(again);
	va_end(ap);
	hist.text[hist.n + len - 1] = '\n';
	if (hist.trying) {
		hist.trying = false;
		hist.try_at = hist.n;
		hist.try_len = len;
	}
	hist.n += len;
}

void sim_hist_try(void)
{
	hist.trying = true;
}

void sim_hist_untry(void)
{
	size_t behind = hist.try_at + hist.try_len;

	if (!hist.on)
		return;
	memmove(hist.text + hist.try_at, hist.text + behind, hist.n - behind);
	hist.n -= hist.try_len;
	hist.try_len = 0;
}
