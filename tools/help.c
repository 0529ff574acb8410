// SPDX-License-Identifier: GPL-2.0
/* What can be said, and what each verb says of itself. */
#include <stdio.h>
#include "gsockctl.h"

static const struct verb node_verbs[] = {
	{ "show", node_show, "", "",
	  "Shows this node: its settings, its state and why it waits, and the\n"
	  "nodes of its view in rank order.",
	  "gsockctl node show" },
	{ "set", node_set, "",
	  "[id N] [cluster NAME] [votes N] [expected-votes N]\n"
	  "                         [partition primary|none] [heartbeat MS] [detect MS]",
	  "Changes settings of this node, all that are given or none.\n"
	  "  id              1 to 2147483647, unique in the cluster\n"
	  "  cluster         1 to 63 bytes; nodes of other clusters are ignored\n"
	  "  votes           0 to 16, weight in quorums\n"
	  "  expected-votes  0 to 1024, of the whole cluster; 0: one and one\n"
	  "                  for each peer\n"
	  "  partition       what nodes without a quorum do: primary, suspend their\n"
	  "                  groups; none, go on as a cluster of their own\n"
	  "  heartbeat       10 to 10000, milliseconds\n"
	  "  detect          30 to 60000, milliseconds of silence until a node\n"
	  "                  is taken for dead; at least 3 heartbeats\n"
	  "Another id or cluster makes it another node: it leaves and joins anew.",
	  "gsockctl node set id 1 cluster demo votes 1 expected-votes 3 heartbeat 100 detect 300" },
};

static const struct verb bearer_verbs[] = {
	{ "add", bearer_add, "", "ADDRESS [port N]",
	  "Sends and listens by this address of the host, over UDP. ADDRESS is\n"
	  "IPv4 or IPv6 in digits, the port is 7018 unless given.",
	  "gsockctl bearer add 10.0.0.1" },
	{ "del", bearer_del, "", "ADDRESS [port N]", "Closes a bearer.",
	  "gsockctl bearer del 10.0.0.1" },
	{ "show", bearer_show, "", "", "Shows all bearers.",
	  "gsockctl bearer show" },
};

static const struct verb peer_verbs[] = {
	{ "add", peer_add, "", "ADDRESS [port N]",
	  "Names an address where another node of the cluster listens.",
	  "gsockctl peer add 10.0.0.2" },
	{ "del", peer_del, "", "ADDRESS [port N]", "Forgets a peer.",
	  "gsockctl peer del fd00::2 port 7018" },
	{ "show", peer_show, "", "",
	  "Shows all peers: node, up or down, when last heard, round trip,\n"
	  "largest datagram, and what was sent and received.",
	  "gsockctl -j peer show" },
};

static const struct verb group_verbs[] = {
	{ "show", group_show, "", "[NAME]",
	  "Shows all groups of the cluster, or one: view, members, members on\n"
	  "this node, order, largest message, messages held back for order, and\n"
	  "records that the slowest reader of this node has before it.",
	  "gsockctl group show" },
};

static const struct verb member_verbs[] = {
	{ "show", member_show, "", "GROUP",
	  "Shows the members of a group in rank order.",
	  "gsockctl member show chat" },
};

static const struct verb counters_verbs[] = {
	{ "show", counters_show, "a", "[-a]",
	  "Shows the counters of this node that are not 0.\n"
	  "  -a, --all  those that are 0, too",
	  "gsockctl counters show" },
};

static const struct verb monitor_verbs[] = {
	{ NULL, monitor, "", "",
	  "Prints a line when the node changes its state or view, when a peer\n"
	  "goes up or down, and when a group with members here has a new view.\n"
	  "Ends with SIGINT or SIGTERM.",
	  "gsockctl -j monitor" },
};

static const struct verb cat_verbs[] = {
	{ NULL, cat, "ko", "GROUP [-k] [-o ORDER]",
	  "Joins a group and sends it the lines of standard input; prints its\n"
	  "messages and views. Leaves when the input is at its end and all lines\n"
	  "have come back. '*' stands behind this member.\n"
	  "  -k, --keep         stays in the group at the end of the input\n"
	  "  -o, --order ORDER  none: as it arrives; fifo: as each sender sent;\n"
	  "                     causal: after what its sender had seen; total: one\n"
	  "                     order for all members; safe: that, and no sooner\n"
	  "                     than all nodes have it. Default: the group's\n"
	  "Control characters are printed as \\xNN; with -j bytes that are not\n"
	  "UTF-8 are in \"hex\" in place of \"text\". A group called help is\n"
	  "joined by: gsockctl cat -- help",
	  "gsockctl cat chat" },
};

#define VERBS(v) sizeof(v) / sizeof((v)[0]), v

const struct noun nouns[] = {
	{ "node", "this host, or this network namespace", VERBS(node_verbs) },
	{ "bearer", "the addresses of this node", VERBS(bearer_verbs) },
	{ "peer", "the addresses of other nodes", VERBS(peer_verbs) },
	{ "group", "the groups of the cluster", VERBS(group_verbs) },
	{ "member", "the members of a group", VERBS(member_verbs) },
	{ "counters", "what this node has counted", VERBS(counters_verbs) },
	{ "monitor", "what changes", VERBS(monitor_verbs) },
	{ "cat", "a group as a pipe", VERBS(cat_verbs) },
};

const size_t n_nouns = sizeof(nouns) / sizeof(nouns[0]);

static void syntax_line(const struct noun *noun, const struct verb *verb)
{
	printf("  gsockctl %s%s%s%s%s\n", noun->name, verb->name ? " " : "",
	       verb->name ? verb->name : "", *verb->syntax ? " " : "",
	       verb->syntax);
}

void help_all(void)
{
	size_t i, v;

	puts("gsockctl shows and changes group sockets (AF_GROUP) of this network namespace.\n");
	for (i = 0; i < n_nouns; i++)
		for (v = 0; v < nouns[i].n; v++)
			syntax_line(&nouns[i], &nouns[i].verb[v]);
	puts("  gsockctl help [NOUN [VERB]], or help behind any of these\n\n"
	     "  -j, --json     JSON: an array or object, one object a line for cat, monitor\n"
	     "  -h, --help     help for the words before it\n"
	     "  -V, --version  the version\n"
	     "  --             what follows is no option, and no call for help\n\n"
	     "A word may be cut short where only one word begins like that.\n"
	     "Looking is open to all; changing needs CAP_NET_ADMIN.\n"
	     "Exit status: 0 done, 1 refused by the kernel, 2 wrong words.");
}

void help_noun(const struct noun *noun)
{
	size_t v;

	if (noun->n == 1 && !noun->verb[0].name) {
		help_verb(noun, &noun->verb[0]);
		return;
	}
	printf("gsockctl %s: %s\n\n", noun->name, noun->what);
	for (v = 0; v < noun->n; v++)
		syntax_line(noun, &noun->verb[v]);
	printf("\nMore: gsockctl %s VERB help\n", noun->name);
}

void help_verb(const struct noun *noun, const struct verb *verb)
{
	syntax_line(noun, verb);
	printf("\n%s\n\nExample:\n  %s\n", verb->what, verb->example);
}
