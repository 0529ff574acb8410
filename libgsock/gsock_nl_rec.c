// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Records: what the kernel said, attribute by attribute, behind getters, so
 * that new attributes need no new structures.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include "gsock_nl.h"

/**
 * struct gsock_rec - one answer, one line of a dump, or one nest in it
 * @next: the next of its list
 * @kids: the nests in it
 * @cmd: GSOCK_CMD_*
 * @len: bytes of @data
 * @data: the attributes as they came
 */
struct gsock_rec {
	struct gsock_rec *next;
	struct gsock_recs kids;
	int cmd;
	int len;
	char data[] __attribute__((aligned(NLA_ALIGNTO)));
};

void gsock_recs_init(struct gsock_recs *recs)
{
	recs->head = NULL;
	recs->tail = &recs->head;
}

static int rec_add(struct gsock_recs *recs, int cmd, const void *data, int len)
{
	struct gsock_rec *rec = calloc(1, sizeof(*rec) + len);

	if (!rec)
		return -ENOMEM;
	rec->cmd = cmd;
	rec->len = len;
	memcpy(rec->data, data, len);
	gsock_recs_init(&rec->kids);
	*recs->tail = rec;
	recs->tail = &rec->next;
	return 0;
}

static int add_nests(struct gsock_rec *rec)
{
	struct nlattr *a;
	int left, ret;

	nla_for_each_attr(a, (struct nlattr *)rec->data, rec->len, left) {
		if (!nla_is_nested(a))
			continue;
		ret = rec_add(&rec->kids, rec->cmd, nla_data(a), nla_len(a));
		if (ret)
			return ret;
	}
	return 0;
}

int gsock_recs_add(struct gsock_recs *recs, struct nlmsghdr *nlh)
{
	struct gsock_rec **at = recs->tail;
	struct genlmsghdr *gh;
	int ret;

	if (!genlmsg_valid_hdr(nlh, 0))
		return -EBADMSG;
	gh = nlmsg_data(nlh);
	ret = rec_add(recs, gh->cmd, genlmsg_attrdata(gh, 0),
		      genlmsg_attrlen(gh, 0));
	return ret ? ret : add_nests(*at);
}

struct gsock_rec *gsock_recs_take(struct gsock_recs *recs)
{
	struct gsock_rec *rec = recs->head;

	recs->head = rec->next;
	if (!recs->head)
		recs->tail = &recs->head;
	rec->next = NULL;
	return rec;
}

/**
 * gsock_rec_free() - free a record, what is nested in it, and all after it
 * @rec: the first of the list; may be NULL. Records come in lists, and only
 *	the first of a list may be freed.
 */
void gsock_rec_free(struct gsock_rec *rec)
{
	struct gsock_rec *next, *kid;

	for (; rec; rec = next) {
		next = rec->next;
		/* Nests have no nests. */
		while ((kid = rec->kids.head)) {
			rec->kids.head = kid->next;
			free(kid);
		}
		free(rec);
	}
}

/**
 * gsock_rec_next() - the next record of the list
 * @rec: a record
 *
 * Return: the record, owned by the list; NULL at the end.
 */
struct gsock_rec *gsock_rec_next(const struct gsock_rec *rec)
{
	return rec->next;
}

/**
 * gsock_rec_nested() - first of the nests: nodes of the view, counters
 * @rec: a record
 *
 * Return: a record, owned by @rec, the others by gsock_rec_next(); NULL when
 * there are none.
 */
struct gsock_rec *gsock_rec_nested(const struct gsock_rec *rec)
{
	return rec->kids.head;
}

/**
 * gsock_rec_cmd() - the command that a record belongs to
 * @rec: a record
 *
 * Return: GSOCK_CMD_*; tells notifications apart.
 */
int gsock_rec_cmd(const struct gsock_rec *rec)
{
	return rec->cmd;
}

static const struct nlattr *rec_find(const struct gsock_rec *rec, int attr)
{
	return nla_find((const struct nlattr *)rec->data, rec->len, attr);
}

/**
 * gsock_rec_has() - is the attribute there?
 * @rec: a record
 * @attr: GSOCK_A_*
 *
 * Return: 1 or 0.
 */
int gsock_rec_has(const struct gsock_rec *rec, int attr)
{
	return !!rec_find(rec, attr);
}

/**
 * gsock_rec_num() - a number
 * @rec: a record
 * @attr: GSOCK_A_* of type u32 or u64; its unit is in <linux/group_netlink.h>
 *
 * Return: the number; 0 when it is not there or no number.
 */
uint64_t gsock_rec_num(const struct gsock_rec *rec, int attr)
{
	const struct nlattr *a = rec_find(rec, attr);

	if (a && nla_len(a) == sizeof(uint32_t))
		return nla_get_u32(a);
	if (a && nla_len(a) == sizeof(uint64_t))
		return nla_get_u64(a);
	return 0;
}

/**
 * gsock_rec_str() - a text
 * @rec: a record
 * @attr: GSOCK_A_* of type string
 *
 * Return: the text, owned by @rec; "" when it is not there or no text.
 */
const char *gsock_rec_str(const struct gsock_rec *rec, int attr)
{
	const struct nlattr *a = rec_find(rec, attr);

	if (!a || !memchr(nla_data(a), 0, nla_len(a)))
		return "";
	return nla_data(a);
}

/**
 * gsock_rec_addr() - the address of a bearer or a peer (GSOCK_A_ADDR)
 * @rec: a record
 * @family: set to AF_INET or AF_INET6
 *
 * Return: the address in network byte order, owned by @rec, as inet_ntop(3)
 * takes it; NULL when there is none.
 */
const void *gsock_rec_addr(const struct gsock_rec *rec, int *family)
{
	const struct nlattr *a = rec_find(rec, GSOCK_A_ADDR);

	if (!a || (nla_len(a) != 4 && nla_len(a) != 16))
		return NULL;
	*family = nla_len(a) == 4 ? AF_INET : AF_INET6;
	return nla_data(a);
}

/**
 * gsock_node_state_name() - the word for a node's state
 * @state: enum gsock_node_state
 *
 * Return: a constant, "unknown" for what is no state.
 */
const char *gsock_node_state_name(int state)
{
	switch (state) {
	case GSOCK_NODE_FRESH:
		return "fresh";
	case GSOCK_NODE_NORMAL:
		return "normal";
	case GSOCK_NODE_CHANGING:
		return "changing";
	case GSOCK_NODE_SUSPENDED:
		return "suspended";
	case GSOCK_NODE_STOPPED:
		return "stopped";
	default:
		return "unknown";
	}
}
