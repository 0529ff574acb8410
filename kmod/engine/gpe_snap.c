// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The directory as a whole: told to local members when it stands still,
 * serialised for a joiner, and looked into from outside.
 */
#include "gpe_int.h"
#include "gpe_stream.h"

/* ---- suspended and resumed ---- */

static bool gpe_group_seen(const struct gpe_group *grp)
{
	const struct gpe_local *loc;

	list_for_each_entry(loc, &grp->locals, in_grp)
		if (!loc->fresh)
			return true;
	return false;
}

/**
 * gpe_group_notes() - have at hand what members are to be told
 * @grp: the group
 *
 * That nothing moves is told when there may be no memory: whoever does not hear
 * it goes on in another chain without a word. So a member enters a group, and a
 * group an epoch, only with both notes there.
 *
 * Return: false without memory for them.
 */
bool gpe_group_notes(struct gpe_group *grp)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(grp->notes); i++) {
		if (!grp->notes[i])
			grp->notes[i] = gpe_alloc(sizeof(*grp->notes[i]));
		if (!grp->notes[i])
			return false;
	}
	return true;
}

/* @grp's local members hear that nothing moves, or that it does again. */
void gpe_group_note(struct gpe_node *node, struct gpe_group *grp,
		    bool suspended)
{
	struct gpe_note *note = grp->notes[!suspended];

	grp->suspended = suspended;
	if (GPE_ASSERT(note))
		return;
	grp->notes[!suspended] = gpe_alloc(sizeof(*note));
	note->rec.type = suspended ? GPE_REC_SUSPENDED : GPE_REC_RESUMED;
	note->rec.host_u64[0] = (u64)(uintptr_t)grp->host;
	note->vid = grp->latest->id;
	list_add_tail(&note->rec.link, &node->notes);
}

void gpe_groups_suspend(struct gpe_node *node)
{
	struct gpe_group *grp = gpe_group_after(node, 0);

	/* Those that are not open yet have not heard that it was over. */
	node->opening.resume = false;
	for (; grp; grp = gpe_group_succ(grp))
		if (grp->host && !grp->suspended && gpe_group_seen(grp))
			gpe_group_note(node, grp, true);
}

/* ---- the directory of a donor ---- */

/*
 * Head: next gid 8 | last change applied 8 | groups 4 | changes 4, then the
 * groups, then the changes of the log up to the cut that are not applied yet:
 * length 1, the change. The donor is wedged, so it cannot apply them itself.
 */
#define GPE_SNAP_HEAD	24
#define GPE_SNAP_GROUP	40	/* bytes of a group without name, members */
#define GPE_SNAP_MEMBER	16

/* The first change of the log that is not applied, or NULL. */
static struct gpe_msg *gpe_snap_log(struct gpe_node *node,
				    struct gpe_stream **s)
{
	struct gpe_region *rgn =
		gpe_region_find(node, gpe_all(&node->ep), true);

	*s = rgn ? gpe_stream(rgn, 0) : NULL;
	return rgn ? gpe_msg_at(*s, (*s)->next) : NULL;
}

static struct gpe_msg *gpe_snap_next(const struct gpe_stream *s,
				     struct gpe_msg *msg)
{
	if (msg && msg->first_seq > min(s->cum, s->cut))
		return NULL;
	return msg;
}

static u32 gpe_snap_size(struct gpe_node *node, u32 *n_groups, u32 *n_changes)
{
	u32 size = GPE_SNAP_HEAD;
	struct gpe_group *grp;
	struct gpe_stream *s;
	struct gpe_msg *msg;
	u64 gid = 0;

	*n_groups = 0;
	*n_changes = 0;
	while ((grp = gpe_group_after(node, gid))) {
		gid = grp->gid;
		if (grp->dead)
			continue;
		size += GPE_SNAP_GROUP + strlen(grp->name) +
			grp->latest->n * GPE_SNAP_MEMBER;
		++*n_groups;
	}
	msg = gpe_snap_log(node, &s);
	for (; s && (msg = gpe_snap_next(s, msg)); msg = gpe_msg_next(msg)) {
		size += 1 + msg->inl_len;
		++*n_changes;
	}
	return size;
}

static u8 *gpe_snap_put(const struct gpe_group *grp, u8 *p)
{
	const struct gpe_view *view = grp->latest;
	u32 name_len = strlen(grp->name), i;

	put_unaligned_be64(grp->gid, p);
	put_unaligned_be64(view->id.epoch, p + 8);
	put_unaligned_be64(view->id.seq, p + 16);
	put_unaligned_be32(view->n | name_len << 24, p + 24);
	put_unaligned_be32(grp->props.order, p + 28);
	put_unaligned_be32(grp->props.orders, p + 32);
	put_unaligned_be32(grp->props.msg_max, p + 36);
	p += GPE_SNAP_GROUP;
	memcpy(p, grp->name, name_len);
	p += name_len;
	for (i = 0; i < view->n; i++, p += GPE_SNAP_MEMBER) {
		put_unaligned_be32(view->m[i].addr.node, p);
		put_unaligned_be32(view->m[i].addr.port, p + 4);
		put_unaligned_be64(view->m[i].addr.inc, p + 8);
	}
	return p;
}

u8 *gpe_dir_snapshot(struct gpe_node *node, u32 *len)
{
	u32 n_groups, n_changes;
	u32 size = gpe_snap_size(node, &n_groups, &n_changes);
	struct gpe_group *grp;
	struct gpe_stream *s;
	struct gpe_msg *msg;
	u64 gid = 0;
	u8 *buf, *p;

	buf = size <= GPE_BLOB_MAX ? gpe_alloc(size) : NULL;
	if (!buf)
		return NULL;
	put_unaligned_be64(node->next_gid, buf);
	put_unaligned_be64(node->log_k, buf + 8);
	put_unaligned_be32(n_groups, buf + 16);
	put_unaligned_be32(n_changes, buf + 20);
	p = buf + GPE_SNAP_HEAD;
	while ((grp = gpe_group_after(node, gid))) {
		gid = grp->gid;
		if (!grp->dead)
			p = gpe_snap_put(grp, p);
	}
	msg = gpe_snap_log(node, &s);
	for (; s && (msg = gpe_snap_next(s, msg)); msg = gpe_msg_next(msg)) {
		*p++ = msg->inl_len;
		memcpy(p, msg->inl, msg->inl_len);
		p += msg->inl_len;
	}
	*len = size;
	return buf;
}

/* One group: bytes used, or a negative errno. */
static int gpe_snap_group(struct gpe_node *node, const u8 *p, u32 len)
{
	struct gpe_props props;
	struct gpe_group *grp;
	struct gpe_view *view;
	u32 n, name_len, i;
	char name[GPE_NAME_MAX + 1] = "";

	if (len < GPE_SNAP_GROUP)
		return -EINVAL;
	n = get_unaligned_be32(p + 24);
	name_len = n >> 24;
	n &= 0xffffff;
	if (!n || n > GPE_MEMBERS_MAX ||
	    len < GPE_SNAP_GROUP + name_len + n * GPE_SNAP_MEMBER ||
	    !gpe_name_ok(p + GPE_SNAP_GROUP, name_len) ||
	    !gpe_props_ok(p + 28))
		return -EINVAL;
	memcpy(name, p + GPE_SNAP_GROUP, name_len);
	if (gpe_group_by_name(node, name) ||
	    !gpe_gid_free(node, get_unaligned_be64(p)))
		return -EINVAL;
	props.order = get_unaligned_be32(p + 28);
	props.orders = get_unaligned_be32(p + 32);
	props.msg_max = get_unaligned_be32(p + 36);
	view = gpe_view_new(n, 0);
	grp = view ? gpe_group_new(node, get_unaligned_be64(p), name, &props) :
		     NULL;
	if (!grp) {
		gpe_free(view);
		return -ENOMEM;
	}
	view->id.epoch = get_unaligned_be64(p + 8);
	view->id.seq = get_unaligned_be64(p + 16);
	p += GPE_SNAP_GROUP + name_len;
	for (i = 0; i < n; i++, p += GPE_SNAP_MEMBER) {
		view->m[i].addr.node = get_unaligned_be32(p);
		view->m[i].addr.port = get_unaligned_be32(p + 4);
		view->m[i].addr.inc = get_unaligned_be64(p + 8);
	}
	gpe_view_put(grp->latest);
	grp->latest = view;
	return GPE_SNAP_GROUP + name_len + n * GPE_SNAP_MEMBER;
}

/* The changes behind the groups: 0 or a negative errno. */
static int gpe_snap_changes(struct gpe_node *node, const u8 *p, u32 len, u32 n,
			    u64 closing, u64 k)
{
	u32 off = 0;
	int ret;

	for (; n; n--) {
		if (off >= len || p[off] > len - off - 1)
			return -EINVAL;
		ret = gpe_dir_replay(node, p + off + 1, p[off], closing, &k);
		if (ret)
			return ret;
		off += 1 + p[off];
	}
	return off == len ? 0 : -EINVAL;
}

/**
 * gpe_dir_load() - the directory as of the cut of a closing epoch
 * @node: a joiner, whose directory is empty
 * @p: from gpe_dir_snapshot() of the donor: hostile until checked
 * @len: bytes
 * @closing: that epoch
 *
 * Return: 0, -EINVAL or -ENOMEM; the caller drops the epoch on failure.
 */
int gpe_dir_load(struct gpe_node *node, const u8 *p, u32 len, u64 closing)
{
	u32 n, off = GPE_SNAP_HEAD;
	u64 next_gid;
	int ret;

	if (len < GPE_SNAP_HEAD)
		return -EINVAL;
	next_gid = get_unaligned_be64(p);
	n = get_unaligned_be32(p + 16);
	if (n > GPE_GROUPS_MAX)
		return -EINVAL;
	for (; n; n--) {
		ret = gpe_snap_group(node, p + off, len - off);
		if (ret < 0)
			return ret;
		off += ret;
	}
	/* A number in use is never below the next one. */
	node->next_gid = max(node->next_gid, next_gid);
	return gpe_snap_changes(node, p + off, len - off,
				get_unaligned_be32(p + 20), closing,
				get_unaligned_be64(p + 8));
}

/* ---- looking in ---- */

static void gpe_group_fill(struct gpe_group *grp, struct gpe_group_info *info)
{
	struct gpe_stage *st;

	memset(info, 0, sizeof(*info));
	info->gid = grp->gid;
	memcpy(info->name, grp->name, sizeof(info->name));
	info->props = grp->props;
	info->view = grp->latest;
	info->host = grp->host;
	info->delivered = grp->delivered;
	info->sent = grp->sent;
	list_for_each_entry(st, &grp->stages, list) {
		info->backlog += st->held;
		if (st->installed)
			info->installed = st->vid;
	}
}

int gpe_group_find(const struct gpe_node *node, const char *name,
		   struct gpe_group_info *info)
{
	struct gpe_group *grp = gpe_group_by_name(node, name);

	if (!grp)
		return -ENOENT;
	gpe_group_fill(grp, info);
	return 0;
}

int gpe_group_next(const struct gpe_node *node, u64 after_gid,
		   struct gpe_group_info *info)
{
	struct gpe_group *grp = gpe_group_after(node, after_gid);

	while (grp && grp->dead)
		grp = gpe_group_after(node, grp->gid);
	if (!grp)
		return -ENOENT;
	gpe_group_fill(grp, info);
	return 0;
}
