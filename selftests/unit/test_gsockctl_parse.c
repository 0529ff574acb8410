// SPDX-License-Identifier: GPL-2.0
/* unit: standalone. The words, numbers, names and addresses of gsockctl. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <cmocka.h>
#include "../../tools/parse.c"

static const char *const verbs[] = {
	"show", "set", "add", "del", "monitor", "member", "mem",
};

static const char *verb_at(const void *table, size_t i)
{
	return ((const char *const *)table)[i];
}

static const struct words list = {
	sizeof(verbs) / sizeof(verbs[0]), verb_at, verbs
};

static void test_find_word(void **state)
{
	(void)state;
	assert_int_equal(find_word(&list, "show"), 0);
	assert_int_equal(find_word(&list, "sh"), 0);
	assert_int_equal(find_word(&list, "a"), 2);
	assert_int_equal(find_word(&list, "s"), WORD_AMBIGUOUS);
	assert_int_equal(find_word(&list, "m"), WORD_AMBIGUOUS);
	/* A whole word is not ambiguous, though another begins so. */
	assert_int_equal(find_word(&list, "mem"), 6);
	assert_int_equal(find_word(&list, "memb"), 5);
	assert_int_equal(find_word(&list, ""), WORD_UNKNOWN);
	assert_int_equal(find_word(&list, "shows"), WORD_UNKNOWN);
	assert_int_equal(find_word(&list, "Show"), WORD_UNKNOWN);
}

static void test_edit_distance(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned int d;
	} cases[] = {
		{ "", "", 0 },		 { "", "abc", 3 },
		{ "show", "show", 0 },	 { "shwo", "show", 1 },
		{ "sow", "show", 1 },	 { "shoow", "show", 1 },
		{ "shaw", "show", 1 },	 { "kitten", "sitting", 3 },
		{ "ca", "abc", 3 },	 { "heartbaet", "heartbeat", 1 },
		{ "abcdef", "badcfe", 3 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(edit_distance(cases[i].a, cases[i].b),
				 cases[i].d);
		assert_int_equal(edit_distance(cases[i].b, cases[i].a),
				 cases[i].d);
	}
}

static void test_edit_distance_long(void **state)
{
	char a[5000], b[5000];

	(void)state;
	memset(a, 'a', sizeof(a) - 1);
	memset(b, 'b', sizeof(b) - 1);
	a[sizeof(a) - 1] = 0;
	b[sizeof(b) - 1] = 0;
	assert_int_equal(edit_distance(a, a), 0);
	assert_int_equal(edit_distance(a, b), WORD_MAX);
	assert_int_equal(edit_distance("a", b), WORD_MAX);
}

static void test_closest_word(void **state)
{
	static const struct words none = { 0, verb_at, verbs };

	(void)state;
	assert_string_equal(verbs[closest_word(&list, "shwo")], "show");
	assert_string_equal(verbs[closest_word(&list, "delete")], "del");
	assert_string_equal(verbs[closest_word(&list, "minotor")], "monitor");
	assert_string_equal(verbs[closest_word(&list, "membre")], "member");
	/* Something is named for anything. */
	assert_true(closest_word(&list, "") >= 0);
	assert_true(closest_word(&list, "zzzzzzzzzzzz") >= 0);
	assert_int_equal(closest_word(&none, "x"), WORD_UNKNOWN);
}

static int num_ok(const char *text, uint32_t min, uint32_t max, uint32_t want)
{
	char why[PARSE_WHY_MAX];
	uint32_t num = 0xdead;

	return !parse_num(text, min, max, &num, why) && num == want;
}

static void num_bad(const char *text, uint32_t min, uint32_t max,
		    const char *what)
{
	char why[PARSE_WHY_MAX];
	uint32_t num = 0xdead;
	const char *bad = parse_num(text, min, max, &num, why);

	assert_non_null(bad);
	assert_non_null(strstr(bad, what));
	assert_int_equal(num, 0xdead);
}

static void test_parse_num(void **state)
{
	static const char *const words[] = {
		"", " 1", "1 ", "+1", "0x10", "1e3", "1.5", "-", "-x", "x",
		"1x", "\xd9\xa1",
	};
	size_t i;

	(void)state;
	assert_true(num_ok("0", 0, 16, 0));
	assert_true(num_ok("16", 0, 16, 16));
	assert_true(num_ok("007", 0, 16, 7));
	assert_true(num_ok("2147483647", 1, 2147483647, 2147483647));
	assert_true(num_ok("4294967295", 0, UINT32_MAX, UINT32_MAX));
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		num_bad(words[i], 1, 99, "is not a whole number from 1 to 99");
	num_bad("0", 1, 99, "is out of range: 1 to 99");
	num_bad("100", 1, 99, "is out of range: 1 to 99");
	num_bad("-1", 0, 99, "is out of range: 0 to 99");
	num_bad("4294967296", 0, UINT32_MAX, "0 to 4294967295");
	num_bad("4294967297", 0, 16, "out of range");
	num_bad("18446744073709551617", 0, UINT32_MAX, "out of range");
	num_bad("99999999999999999999999999999999", 0, 16, "out of range");
}

static void test_parse_addr(void **state)
{
	static const char *const none[] = {
		"", "localhost", "10.0.0", "10.0.0.256", "10.0.0.1:7018",
		"10.0.0.1 ", "[::1]", "::1:::", "1::2::3", "010.0.0.1",
	};
	struct inaddr addr;
	size_t i;

	(void)state;
	assert_null(parse_addr("10.0.0.1", &addr));
	assert_int_equal(addr.family, AF_INET);
	assert_memory_equal(addr.bytes, "\x0a\0\0\x01", 4);
	assert_null(parse_addr("fd00::2", &addr));
	assert_int_equal(addr.family, AF_INET6);
	assert_int_equal(addr.bytes[0], 0xfd);
	assert_int_equal(addr.bytes[15], 2);
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_non_null(strstr(parse_addr(none[i], &addr),
				       "is not an IPv4 or IPv6 address"));
	assert_non_null(strstr(parse_addr("fe80::1%eth0", &addr), "device"));
	assert_non_null(strstr(parse_addr("fe80::1", &addr), "link-local"));
	assert_non_null(strstr(parse_addr("febf::1", &addr), "link-local"));
	assert_null(parse_addr("fec0::1", &addr));
}

static void test_parse_names(void **state)
{
	char name[80];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[63] = 0;
	assert_null(parse_group(name));
	assert_null(parse_cluster(name));
	name[63] = 'n';
	name[64] = 0;
	assert_non_null(strstr(parse_group(name), "longer than 63"));
	assert_non_null(strstr(parse_cluster(name), "longer than 63"));
	assert_non_null(strstr(parse_group(""), "empty"));
	assert_non_null(parse_group("a b"));
	assert_non_null(parse_group("a\x7f"));
	assert_non_null(parse_group("caf\xc3\xa9"));
	assert_non_null(parse_group("a/b"));
	assert_null(parse_cluster("a/b"));
	assert_null(parse_group("!~"));
}

static size_t utf8(const char *text, size_t len)
{
	/* A copy of its exact size, so that reading too far shows. */
	unsigned char *p = malloc(len);
	size_t n;

	memcpy(p, text, len);
	n = utf8_len(p, p + len);
	free(p);
	return n;
}

static void test_utf8_len(void **state)
{
	(void)state;
	assert_int_equal(utf8("a", 1), 1);
	assert_int_equal(utf8("", 1), 1);
	assert_int_equal(utf8("\xc3\xa9", 2), 2);
	assert_int_equal(utf8("\xe2\x82\xac", 3), 3);
	assert_int_equal(utf8("\xf0\x9f\x98\x80", 4), 4);
	assert_int_equal(utf8("\xf4\x8f\xbf\xbf", 4), 4);
	/* Cut short, a tail alone, too long for what it says, out of range. */
	assert_int_equal(utf8("\xc3", 1), 0);
	assert_int_equal(utf8("\xe2\x82", 2), 0);
	assert_int_equal(utf8("\xf0\x9f\x98", 3), 0);
	assert_int_equal(utf8("\xa9", 1), 0);
	assert_int_equal(utf8("\xc3" "a", 2), 0);
	assert_int_equal(utf8("\xc0\x80", 2), 0);
	assert_int_equal(utf8("\xe0\x80\x80", 3), 0);
	assert_int_equal(utf8("\xf0\x80\x80\x80", 4), 0);
	assert_int_equal(utf8("\xed\xa0\x80", 3), 0);
	assert_int_equal(utf8("\xf4\x90\x80\x80", 4), 0);
	assert_int_equal(utf8("\xff", 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find_word),
		cmocka_unit_test(test_edit_distance),
		cmocka_unit_test(test_edit_distance_long),
		cmocka_unit_test(test_closest_word),
		cmocka_unit_test(test_parse_num),
		cmocka_unit_test(test_parse_addr),
		cmocka_unit_test(test_parse_names),
		cmocka_unit_test(test_utf8_len),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
