// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Markers and opens, written into the streams. A MARK "through k" says that
 * its sender stamps with the views up to change k from here on; it is the
 * flush message of Birman & Joseph (1987), one for all groups that the changes
 * touch. An OPEN says that a view is open at its sender, to those who were not
 * in the view before.
 */
#include "gpe_int.h"

static bool gpe_mark_write(struct gpe_node *node, struct gpe_region *rgn)
{
	struct gpe_msg *msg;

	if (!gpe_region_room(rgn, 1, true))
		return false;
	msg = gpe_msg_new(node, GPE_IT_MARK);
	if (!msg)
		return false;
	put_unaligned_be64(rgn->mark_want, msg->inl);
	msg->inl_len = 8;
	rgn->mark_sent = rgn->mark_want;
	list_del_init(&rgn->mark_work);
	gpe_region_append(node, rgn, msg);
	return true;
}

static bool gpe_open_write(struct gpe_node *node, struct gpe_stage *st)
{
	struct gpe_region *rgn = gpe_region_get(node, st->region, false);
	struct gpe_msg *msg;

	if (!rgn || !gpe_region_room(rgn, 1, true))
		return false;
	msg = gpe_msg_new(node, GPE_IT_OPEN);
	if (!msg)
		return false;
	put_unaligned_be64(st->grp->gid, msg->inl);
	put_unaligned_be64(st->k, msg->inl + 8);
	msg->inl_len = 16;
	list_del_init(&st->open_link);
	gpe_group_work(node, st->grp);
	gpe_region_append(node, rgn, msg);
	return true;
}

bool gpe_marks_flush(struct gpe_node *node)
{
	struct gpe_region *rgn, *next;
	struct gpe_stage *st, *st_next;
	bool all = true;

	if (!gpe_moving(node))
		return false;
	list_for_each_entry_safe(rgn, next, &node->mark_regions, mark_work)
		all &= gpe_mark_write(node, rgn);
	list_for_each_entry_safe(st, st_next, &node->opens, open_link)
		gpe_open_write(node, st);
	return all;
}
