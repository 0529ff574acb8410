// SPDX-License-Identifier: GPL-2.0
/*
 * The judge, for each property by a small history in which it holds and one in
 * which it does not. A history is a text of words:
 *
 *   a=2abc   member a installs view 2, of members a, b and c
 *   a>5t     a sends message 5, of order n, f, c, t or s, in its view: accepted
 *   a>5t?    the same, and nothing more is heard of it; ! refused
 *   a>5t@b   the same to b alone
 *   b<5      b delivers message 5 in its view; more says what is odd about it:
 *            view=N level=L from=X place=N lamport=N broken
 *   a~ a^    a is suspended, resumed
 *   a# a/    a crashes, leaves
 *   a.       a is still there at the end
 *   E7-6:ab  epoch 7 of nodes a and b, which goes on from 6, or 0; * no quorum
 *
 * Members are bound when they are first named; A is a second one on a's node.
 * Words of a single sign follow each other without a space.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "judge.h"

enum { LETTERS = 128, MSGS = 64 };

/**
 * struct story - a history being told
 * @found: properties found broken, each followed by a space
 */
struct story {
	struct judge *j;
	struct judge_member *m[LETTERS];
	struct judge_vid vid[LETTERS];
	struct judge_send sent[MSGS];
	char sender[MSGS];
	char found[100];
	char text[300];
};

struct trial {
	const char *name;
	const char *words;
	const char *property;	/* that does not hold, or NULL */
};

static void report(void *ctx, const struct judge_report *r)
{
	struct story *st = ctx;
	char mark[8];

	snprintf(mark, sizeof(mark), "%s ", r->property);
	if (!strstr(st->found, mark))
		strcat(st->found, mark);
	snprintf(st->text, sizeof(st->text), "%s", r->text);
}

static const struct judge_ops ops = { .report = report };

static struct judge_addr addr(char who)
{
	u32 node = tolower(who) - 'a' + 1;

	return (struct judge_addr){ .inc = 0x100 + node, .node = node,
				    .port = who };
}

static struct judge_member *member(struct story *st, char who)
{
	char name[2] = { who, 0 };
	u32 i = (u8)who;

	assert_true(isalpha(who));
	if (!st->m[i])
		st->m[i] = judge_join(st->j, 0, name);
	return st->m[i];
}

static enum judge_level level(char c)
{
	static const char signs[] = "nfcts";
	const char *p = strchr(signs, c);

	assert_non_null(p);
	return (enum judge_level)(p - signs);
}

static void view(struct story *st, char who, char *words)
{
	struct judge_addr list[LETTERS];
	struct judge_view_line v = { .self = addr(who), .m = list };

	v.vid.epoch = 1;
	v.vid.seq = strtoul(words, &words, 10);
	for (; *words; words++)
		list[v.n++] = addr(*words);
	st->vid[(u8)who] = v.vid;
	judge_view(st->j, member(st, who), &v);
}

static void send(struct story *st, char who, char *words)
{
	u32 id = strtoul(words, &words, 10);
	struct judge_send *s = &st->sent[id];

	s->len = 10;
	s->level = level(*words++);
	if (*words == '@') {
		s->to_one = true;
		s->dst = addr(words[1]);
		words += 2;
	}
	st->sender[id] = who;
	judge_send(st->j, member(st, who), id, s);
	if (*words == '!')
		judge_refused(st->j, id, false);
	else if (*words != '?')
		judge_sent(st->j, id, st->vid[(u8)who]);
}

static void odd(struct judge_deliver *d, char *word)
{
	char *val = strchr(word, '=');
	u32 n = val ? strtoul(val + 1, NULL, 10) : 0;

	if (!strncmp(word, "view=", 5))
		d->vid.seq = n;
	else if (!strncmp(word, "level=", 6))
		d->level = level(val[1]);
	else if (!strncmp(word, "from=", 5))
		d->from = addr(val[1]);
	else if (!strncmp(word, "place=", 6))
		d->pos = n;
	else if (!strncmp(word, "lamport=", 8))
		d->lamport = n;
	else if (!strcmp(word, "broken"))
		d->ok = false;
	else
		fail_msg("what is \"%s\"?", word);
}

/* The words about a delivery are the ones that follow it, each with a comma. */
static void deliver(struct story *st, char who, char *words)
{
	u32 id = strtoul(words, &words, 10);
	struct judge_send *s = &st->sent[id];
	struct judge_deliver d = {
		.vid = st->vid[(u8)who], .len = s->len, .level = s->level,
		.to_one = s->to_one, .ok = true, .from = addr(st->sender[id] ?
							      st->sender[id] :
							      'z'),
	};
	char *save = NULL, *word;

	for (word = strtok_r(words, ",", &save); word;
	     word = strtok_r(NULL, ",", &save))
		odd(&d, word);
	judge_deliver(st->j, member(st, who), id, &d);
}

static void epoch(struct story *st, char *words)
{
	struct judge_node list[LETTERS];
	struct judge_epoch_line e = { .node = list, .timed = true };

	e.epoch = strtoul(words, &words, 10);
	e.before = strtoul(words + 1, &words, 10);
	for (words++; *words && *words != '*'; words++) {
		list[e.n].id = *words - 'a' + 1;
		list[e.n++].inc = 0x100 + *words;
	}
	e.free = *words == '*';
	judge_epoch(st->j, &e);
}

static void signs(struct story *st, char *word)
{
	for (; *word; word += 2) {
		struct judge_member *m = member(st, word[0]);

		switch (word[1]) {
		case '~':
			judge_suspended(st->j, m);
			break;
		case '^':
			judge_resumed(st->j, m);
			break;
		case '#':
			judge_out(st->j, m, JUDGE_CRASHED);
			break;
		case '/':
			judge_out(st->j, m, JUDGE_LEFT);
			break;
		case '.':
			judge_stays(st->j, m);
			break;
		default:
			fail_msg("what is \"%s\"?", word);
		}
	}
}

static void tell(struct story *st, char *word)
{
	if (word[0] == 'E')
		epoch(st, word + 1);
	else if (word[1] == '=')
		view(st, word[0], word + 2);
	else if (word[1] == '>')
		send(st, word[0], word + 2);
	else if (word[1] == '<')
		deliver(st, word[0], word + 2);
	else
		signs(st, word);
}

static void judged(void **state)
{
	const struct trial *t = *state;
	struct story st = { 0 };
	char *words = strdup(t->words), *save = NULL, *word, want[8] = "";

	st.j = judge_new(&ops, &st);
	for (word = strtok_r(words, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		tell(&st, word);
	judge_finish(st.j);
	if (t->property)
		snprintf(want, sizeof(want), "%s ", t->property);
	if (strcmp(st.found, want))
		print_error("found %s(%s), not %s\n", st.found, st.text, want);
	assert_string_equal(st.found, want);
	judge_free(st.j);
	free(words);
}

#define AB "a=1ab b=1ab "
#define ABC "a=1abc b=1abc c=1abc "

static const struct trial trials[] = {
	{ "V1: views grow and are equal", AB "a=2a a.b#", NULL },
	{ "V1: not in its own view", "a=1b", "V1" },
	{ "V1: not in its last view", AB "a>1n a<1 b<1 a=2b b=2b a/b.",
	  NULL },
	{ "V4: nor is anything of it delivered there",
	  AB "a=2b b=2b b>1n a<1 b<1", "V4" },
	{ "V1: twice in its own view", "a=1aa", "V1" },
	{ "V1: the number does not grow", "a=2ab a=1ab", "V1" },
	{ "V1: nor over a suspension", "a=2ab a~a^ a=1ab", "V1" },
	{ "V1: another number of members", "a=1ab b=1abc", "V1" },
	{ "V1: another rank", "a=1ab b=1ba", "V1" },

	{ "V2: the same set in another order",
	  AB "a>1f b>2f a<1 a<2 b<2 b<1 a=2ab b=2ab a.b.", NULL },
	{ "V2: one lacks a message", AB "a>1n b<1 a=2ab b=2ab", "V2" },
	{ "V2: who goes on lacks a message",
	  ABC "c>1n a<1 c# a=2ab b=2ab a.b.", "V2" },
	{ "V2: who is there at the end lacks one", ABC "c>1n a<1 c# a.b.",
	  "V2" },
	{ "V2: not for one that was suspended",
	  ABC "c>1n a<1 c# b~b^ a=2ab b=2ab a.b.", NULL },
	{ "V2: not for one that crashed", AB "a>1n a<1 b# a.", NULL },

	{ "V3: nobody sent it", AB "a<9", "V3" },
	{ "V3: refused", AB "a>1n! b<1", "V3" },
	{ "V3: refused, then sent", AB "a>1n! a>1n a<1 b<1 a.b.", NULL },
	{ "V3: delivered, then refused", AB "a>1n? b<1 a>1n!", "V3" },
	{ "V3: twice", AB "a>1n b<1 b<1", "V3" },
	{ "V3: other bytes", AB "a>1n b<1,broken", "V3" },
	{ "V3: another order", AB "a>1n b<1,level=t", "V3" },
	{ "V3: another sender", AB "a>1n b<1,from=b", "V3" },
	{ "V3: a sender that nobody is", AB "a>1n a<1 b<1,from=z a.b.", "V3" },
	{ "V3: to one, and that one", AB "a>1f@b b<1 a.b.", NULL },
	{ "V3: to one, and another", ABC "a>1f@b c<1 a.b#c.", "V3" },

	{ "V4: of a view to come", AB "a=2ab a>1n b<1,view=2", "V4" },
	{ "V4: stamped otherwise", AB "a>1n a=2ab b=2ab b<1", "V4" },
	{ "V4: stamped when it was delivered already",
	  AB "a>1n? b<1 a=2ab a>1n?", NULL },
	{ "V4: in no view", "a=1ab a>1n b<1,view=1", "V4" },
	{ "V4: to one, later", AB "a>1f@b a=2ab b=2ab b<1,view=1 a.b.", NULL },
	{ "V4: to one, too early", AB "a=2ab a>1f@b b<1,view=2", "V4" },
	{ "V4: while suspended", AB "a>1n b~ b<1", "V4" },
	{ "V4: resumed", AB "a>1n b~b^ b<1", NULL },
	{ "V4: its place is right", AB "a>1n a<1,place=1 b<1,place=1", NULL },
	{ "V4: its place is wrong", AB "a>1n a<1,place=2 b<1,place=1", "V4" },

	{ "V5: in order, whatever the levels",
	  AB "a>1f a>2t a>3c b<1 b<2 b<3", NULL },
	{ "V5: late", AB "a>1f a>2t b<2 b<1", "V5" },
	{ "V5: none has no order", AB "a>1n a>2f a>3n b<3 b<2 b<1", NULL },
	{ "V5: a gap", AB "a>1f a>2f b<2", "V5" },
	{ "V5: to one, late", AB "a>1f@b a>2f@b b<2 b<1", "V5" },
	{ "V5: to one and to all are apart", AB "a>1f@b a>2f b<2 b<1", NULL },
	{ "V5: a gap in a view before",
	  AB "a>1f a=2ab b=2ab a>2f b<2 a#b.", NULL },

	{ "V6: an answer after what it answers",
	  ABC "a>1c b<1 b>2c c<1 c<2", NULL },
	{ "V6: an answer before", ABC "a>1c b<1 b>2c c<2", "V6" },
	{ "V6: by way of another member",
	  "a=1abcd b=1abcd c=1abcd d=1abcd "
	  "a>1c b<1 b>2c c<1 c<2 c>3c d<1 d<3", "V6" },
	{ "V6: total and safe too", ABC "a>1t b<1 b>2s c<2", "V6" },
	{ "V6: fifo passes nothing on", ABC "a>1f b<1 b>2f c<2 c<1", NULL },
	{ "V6: an answer of order none", ABC "a>1c b<1 b>2n c<2 c<1", NULL },
	{ "V6: to one is no part of it", ABC "a>1c@b b<1 b>2c c<2", NULL },
	{ "V6: delivered after it was sent", ABC "a>1c b>2c b<1 c<2 c<1",
	  NULL },
	{ "V6: of the view before",
	  "a=1abc b=1abc a>1c a<1 b<1 a=2abcd b=2abcd d=2abcd b>2c d<2", NULL },
	{ "V6: Lamport stamps grow",
	  ABC "a>1c b<1,lamport=4 b>2c c<1,lamport=4 c<2,lamport=5", NULL },
	{ "V6: a Lamport stamp does not grow",
	  ABC "a>1c b<1,lamport=4 b>2c c<1,lamport=4 c<2,lamport=4", "V6" },
	{ "V6: nor among a sender's own",
	  AB "a>1c a>2c b<1,lamport=4 b<2,lamport=3", "V6" },
	{ "V6: it differs", ABC "a>1c b<1,lamport=4 c<1,lamport=5", "V6" },

	{ "V7: one order of totals",
	  AB "a>1t b>2t a<2 a<1 b<2 b<1 a=2ab b=2ab", NULL },
	{ "V7: two orders of totals",
	  AB "a>1t b>2t a<1 a<2 b<2 b<1 a=2ab b=2ab", "V7" },
	{ "V7: fifo comes between them anywhere",
	  AB "a>1t b>2t a>3f a<1 a<2 a<3 b<1 b<3 b<2 a.b.", NULL },
	{ "V7: another order at one that crashed",
	  AB "a>1t b>2t a<1 a<2 b<2 b<1 b# a.", NULL },
	{ "V7: but not before a safe one",
	  AB "a>1t b>2t b>3s a<1 a<2 a<3 b<2 b<1 b<3 b# a.", "V7" },
	{ "V7: nor with a gap before it",
	  AB "a>1t b>3s a<1 a<3 b<3 b# a.", "V7" },
	{ "V7: behind the last safe one",
	  AB "b>3s a>1t b>2t a<3 a<1 a<2 b<3 b<2 b<1 b# a.", NULL },

	{ "V8: safe, delivered by all who go on",
	  AB "b>1s b<1 b# a<1 a=2a a.", NULL },
	{ "V8: safe, delivered by one that crashed", AB "b>1s b<1 b# a=2a a.",
	  "V8" },
	{ "V8: total, delivered by one that crashed", AB "b>1t b<1 b# a=2a a.",
	  NULL },
	{ "V8: not for one that was suspended", AB "b>1s b<1 a~a^ a=2a b#",
	  NULL },

	{ "V9: its own", AB "a>1n a<1 b<1 a.b.", NULL },
	{ "V9: not its own", "a=1a a>1n a.", "V9" },
	{ "V9: sent before a suspension", "a=1a a>1n a~a^ a=2a a.", NULL },
	{ "V9: sent after a suspension", "a=1a a~a^ a=2a a>1n a.", "V9" },
	{ "V9: nothing is known of it", "a=1a a>1n? a.", NULL },

	{ "V10: one chain", "E5-0:ab E5-0:ab E6-5:a E6-5:a", NULL },
	{ "V10: two views of one epoch", "E5-0:ab E5-0:abc", "V10" },
	{ "V10: two that follow", "E5-0:ab E6-5:a E7-5:b", "V10" },
	{ "V10: it follows two", "E5-0:ab E6-0:cd E7-5:abcd E7-6:abcd",
	  "V10" },
	{ "V10: an old chain goes on",
	  "E5-0:ab E9-0:cd E6-5:ab E7-6:ab", "V10" },
	{ "V10: an old chain is heard of", "E5-0:ab E9-0:cd E6-5:ab", NULL },
	{ "V10: beside one that starts alone",
	  "E5-0:abc E9-0:c E6-5:ab E7-6:ab", NULL },
	{ "V10: each part goes on without a quorum",
	  "E5-0:abcd* E9-0:cd* E6-5:ab* E7-6:ab*", NULL },
	{ "V10: not with the same number", "E5-0:abcd* E9-0:cd* E9-5:ab*",
	  "V10" },
	{ "V10: two views that follow one",
	  AB "a=2ab b=3ab", "V10" },

	{ "V11: one view at the end", AB "a=2ab b=2ab a.b.", NULL },
	{ "V11: two views at the end", AB "a=2ab a.b.", "V11" },
	{ "V11: no view at the end", "a=1a b.", "V11" },
	{ "V11: suspended at the end", AB "a.b~b.", "V11" },
	{ "V11: resumed in its view", AB "b~b^a.b.", NULL },
	{ "V11: resumed in an old view", AB "b~b^ a=2ab a.b.", "V11" },

	{ "V13: to one", AB "a>1f@b b<1 a.b.", NULL },
	{ "V13: to one, never", AB "a>1f@b a.b.", "V13" },
	{ "V13: to one that was suspended",
	  AB "a>1f@b b~b^ a=2ab b=2ab a.b.", NULL },
	{ "V13: to one that left", AB "a>1f@b b/ a.", NULL },
	{ "V13: of one that left, alone on its node", AB "a>1f a/ b.", NULL },
	{ "V13: of one that left",
	  "a=1aAb A=1aAb b=1aAb a>1f a/ A<1 b<1 A=2Ab b=2Ab A.b.", NULL },
	{ "V13: of one that left, never",
	  "a=1aAb A=1aAb b=1aAb a>1f a/ A=2Ab b=2Ab A.b.", "V13" },
	{ "V13: of one that left, at a node that was suspended",
	  "a=1aAb A=1aAb b=1aAb a>1f a/ A~A^ A=2Ab b=2Ab A.b.", NULL },
};

int main(void)
{
	struct CMUnitTest tests[sizeof(trials) / sizeof(trials[0])];
	size_t i;

	for (i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
		tests[i] = (struct CMUnitTest){
			.name = trials[i].name, .test_func = judged,
			.initial_state = (void *)&trials[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
