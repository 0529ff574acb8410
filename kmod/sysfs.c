// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/class/group: a directory for each group with members on this node, and
 * "%node" for the node itself, in the namespace's own view of sysfs. One value
 * a file. The netlink interface is the ABI; this is for eyes and scripts.
 *
 * A device that outlives its namespace brings the kernel down, so all of them
 * go in the namespace's exit, before the engine that they look into.
 */
#include <linux/device.h>
#include <linux/slab.h>
#include "group.h"

#define GSK_SYSFS_MAX 1024
#define GSK_NODE_NAME "%node"

/**
 * struct gsk_dev - a directory
 * @dev: the device; its last reference frees this
 * @list: in gn->sysfs, under sysfs_lock
 * @gn: the node; outlives the device
 * @name: of the group, empty for the node
 */
struct gsk_dev {
	struct device dev;
	struct list_head list;
	struct gsk_net *gn;
	char name[GROUP_NAME_MAX + 1];
};

static struct gsk_dev *to_gsk_dev(const struct device *dev)
{
	return container_of(dev, struct gsk_dev, dev);
}

/* ---- what the files say ---- */

enum gsk_figure {
	GSK_FIG_VIEW_ID,
	GSK_FIG_MEMBERS,
	GSK_FIG_ORDER,
	GSK_FIG_MSG_MAX,
	GSK_FIG_LOCALS,
	GSK_FIG_BACKLOG,
	GSK_FIG_QUEUE_LEN,
	GSK_FIG_QUEUE_BYTES,
	GSK_FIG_DELIVERED,
	GSK_FIG_SENT,
};

struct gsk_group_attr {
	struct device_attribute attr;
	enum gsk_figure what;
};

static ssize_t gsk_figure_text(const struct gpe_group_info *g,
			       const struct gsk_group_figures *f,
			       enum gsk_figure what, char *buf)
{
	switch (what) {
	case GSK_FIG_VIEW_ID:
		return sysfs_emit(buf, "%llu.%llu\n", g->installed.epoch,
				  g->installed.seq);
	case GSK_FIG_MEMBERS:
		return sysfs_emit(buf, "%u\n", g->view->n);
	case GSK_FIG_ORDER:
		return sysfs_emit(buf, "%s\n",
				  g->props.order == GROUP_ORDER_FIFO ?
					  "fifo" : "total");
	case GSK_FIG_MSG_MAX:
		return sysfs_emit(buf, "%u\n", g->props.msg_max ?
						       g->props.msg_max :
						       GROUP_MSG_MAX);
	case GSK_FIG_LOCALS:
		return sysfs_emit(buf, "%u\n", f->locals);
	case GSK_FIG_BACKLOG:
		return sysfs_emit(buf, "%u\n", g->backlog);
	case GSK_FIG_QUEUE_LEN:
		return sysfs_emit(buf, "%u\n", f->queued);
	case GSK_FIG_QUEUE_BYTES:
		return sysfs_emit(buf, "%llu\n", f->queued_bytes);
	case GSK_FIG_DELIVERED:
		return sysfs_emit(buf, "%llu\n", g->delivered);
	case GSK_FIG_SENT:
		return sysfs_emit(buf, "%llu\n", g->sent);
	}
	return -EINVAL;
}

static ssize_t gsk_group_show(struct device *dev,
			      struct device_attribute *attr, char *buf)
{
	struct gsk_dev *gd = to_gsk_dev(dev);
	struct gsk_net *gn = gd->gn;
	struct gpe_group_info info;
	struct gsk_group_figures f;
	ssize_t ret = -ENOENT;

	spin_lock_bh(&gn->lock);
	if (gn->node && !gpe_group_find(gn->node, gd->name, &info)) {
		gsk_group_figures(gn, info.host, &f);
		ret = gsk_figure_text(&info, &f,
				      container_of(attr, struct gsk_group_attr,
						   attr)->what, buf);
	}
	spin_unlock_bh(&gn->lock);
	return ret;
}

#define GSK_FIGURE(_name, _what)					\
	static struct gsk_group_attr gsk_attr_##_name = {		\
		.attr = __ATTR(_name, 0444, gsk_group_show, NULL),	\
		.what = _what,						\
	}

GSK_FIGURE(view_id, GSK_FIG_VIEW_ID);
GSK_FIGURE(members, GSK_FIG_MEMBERS);
GSK_FIGURE(order, GSK_FIG_ORDER);
GSK_FIGURE(msg_max, GSK_FIG_MSG_MAX);
GSK_FIGURE(local_members, GSK_FIG_LOCALS);
GSK_FIGURE(backlog, GSK_FIG_BACKLOG);
GSK_FIGURE(queue_len, GSK_FIG_QUEUE_LEN);
GSK_FIGURE(queue_bytes, GSK_FIG_QUEUE_BYTES);
GSK_FIGURE(delivered, GSK_FIG_DELIVERED);
GSK_FIGURE(sent, GSK_FIG_SENT);

static struct attribute *gsk_group_attrs[] = {
	&gsk_attr_view_id.attr.attr,
	&gsk_attr_members.attr.attr,
	&gsk_attr_order.attr.attr,
	&gsk_attr_msg_max.attr.attr,
	&gsk_attr_local_members.attr.attr,
	&gsk_attr_backlog.attr.attr,
	&gsk_attr_queue_len.attr.attr,
	&gsk_attr_queue_bytes.attr.attr,
	&gsk_attr_delivered.attr.attr,
	&gsk_attr_sent.attr.attr,
	NULL
};

static const struct attribute_group gsk_group_attr_group = {
	.attrs = gsk_group_attrs,
};

static const struct attribute_group *gsk_group_groups[] = {
	&gsk_group_attr_group, NULL
};

struct gsk_counter_attr {
	struct device_attribute attr;
	enum gpe_counter nr;
};

static ssize_t gsk_counter_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	enum gpe_counter nr =
		container_of(attr, struct gsk_counter_attr, attr)->nr;
	u64 val[GPE_CNT_N];

	gsk_net_counters(to_gsk_dev(dev)->gn, val);
	return sysfs_emit(buf, "%llu\n", val[nr]);
}

static struct gsk_counter_attr gsk_counters[GPE_CNT_N];
static struct attribute *gsk_counter_attrs[GPE_CNT_N + 1];

static const struct attribute_group gsk_counter_group = {
	.name = "counters",
	.attrs = gsk_counter_attrs,
};

static ssize_t node_id_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	struct gsk_net *gn = to_gsk_dev(dev)->gn;
	struct gpe_addr self = {};

	spin_lock_bh(&gn->lock);
	if (gn->node)
		gpe_self(gn->node, &self);
	spin_unlock_bh(&gn->lock);
	return sysfs_emit(buf, "%u\n", self.node);
}
static DEVICE_ATTR_RO(node_id);

static struct attribute *gsk_node_attrs[] = { &dev_attr_node_id.attr, NULL };
static const struct attribute_group gsk_node_attr_group = {
	.attrs = gsk_node_attrs,
};

static const struct attribute_group *gsk_node_groups[] = {
	&gsk_node_attr_group, &gsk_counter_group, NULL
};

/* ---- the class ---- */

static const void *gsk_class_namespace(gsk_const_device *dev)
{
	return to_gsk_dev(dev)->gn->net;
}

static void gsk_dev_release(struct device *dev)
{
	kfree(to_gsk_dev(dev));
}

static struct class gsk_class = {
	.name = "group",
	.dev_release = gsk_dev_release,
	.ns_type = &net_ns_type_operations,
	.namespace = gsk_class_namespace,
};

/* Bytes that mean something in a path, or to sysfs, become %XX. */
static void gsk_sysfs_name(const char *name, char *out)
{
	bool dots = !strcmp(name, ".") || !strcmp(name, "..");

	for (; *name; name++) {
		if (*name == '!' || *name == '%' || (dots && *name == '.'))
			out += sprintf(out, "%%%02X", (u8)*name);
		else
			*out++ = *name;
	}
	*out = '\0';
}

static struct gsk_dev *gsk_dev_find(struct gsk_net *gn, const char *name)
{
	struct gsk_dev *gd;

	lockdep_assert_held(&gn->sysfs_lock);
	list_for_each_entry(gd, &gn->sysfs, list)
		if (!strcmp(gd->name, name))
			return gd;
	return NULL;
}

static int gsk_dev_add(struct gsk_net *gn, const char *name)
{
	char dir[3 * GROUP_NAME_MAX + 1];
	struct gsk_dev *gd = kzalloc(sizeof(*gd), GFP_KERNEL);
	int err;

	if (!gd)
		return -ENOMEM;
	gsk_sysfs_name(name, dir);
	strscpy(gd->name, name, sizeof(gd->name));
	gd->gn = gn;
	device_initialize(&gd->dev);
	gd->dev.class = &gsk_class;
	gd->dev.groups = *name ? gsk_group_groups : gsk_node_groups;
	dev_set_uevent_suppress(&gd->dev, true);
	err = dev_set_name(&gd->dev, "%s", *name ? dir : GSK_NODE_NAME);
	if (!err)
		err = device_add(&gd->dev);
	if (err) {
		put_device(&gd->dev);
		return err;
	}
	list_add_tail(&gd->list, &gn->sysfs);
	gn->n_sysfs += !!*name;
	return 0;
}

/**
 * gsk_sysfs_add() - show a group, and the node if it is the first
 * @gn: the node
 * @name: of the group
 *
 * Context: the worker.
 * Return: 0, or a negative errno: it is not shown. -ENOSPC: there are 1,024.
 */
int gsk_sysfs_add(struct gsk_net *gn, const char *name)
{
	int err = 0;

	mutex_lock(&gn->sysfs_lock);
	if (!gsk_dev_find(gn, ""))
		err = gsk_dev_add(gn, "");
	if (!err && !gsk_dev_find(gn, name))
		err = gn->n_sysfs < GSK_SYSFS_MAX ? gsk_dev_add(gn, name) :
						    -ENOSPC;
	mutex_unlock(&gn->sysfs_lock);
	return err;
}

static void gsk_dev_del(struct gsk_net *gn, struct gsk_dev *gd)
{
	list_del(&gd->list);
	gn->n_sysfs -= !!*gd->name;
	device_unregister(&gd->dev);
}

/**
 * gsk_sysfs_del() - show it no more
 * @gn: the node
 * @name: of the group; nothing happens if it is not shown
 *
 * Context: the worker.
 */
void gsk_sysfs_del(struct gsk_net *gn, const char *name)
{
	struct gsk_dev *gd;

	mutex_lock(&gn->sysfs_lock);
	gd = gsk_dev_find(gn, name);
	if (gd)
		gsk_dev_del(gn, gd);
	mutex_unlock(&gn->sysfs_lock);
}

/**
 * gsk_sysfs_net_exit() - the namespace ends: take all away
 * @gn: the node; the worker has stopped
 */
void gsk_sysfs_net_exit(struct gsk_net *gn)
{
	struct gsk_dev *gd, *next;

	mutex_lock(&gn->sysfs_lock);
	list_for_each_entry_safe(gd, next, &gn->sysfs, list)
		gsk_dev_del(gn, gd);
	mutex_unlock(&gn->sysfs_lock);
}

/**
 * gsk_sysfs_init() - at load: the class
 *
 * Return: 0 or a negative errno.
 */
int gsk_sysfs_init(void)
{
	int i;

	for (i = 0; i < GPE_CNT_N; i++) {
		struct device_attribute *attr = &gsk_counters[i].attr;

		sysfs_attr_init(&attr->attr);
		attr->attr.name = gpe_counter_names[i];
		attr->attr.mode = 0444;
		attr->show = gsk_counter_show;
		gsk_counters[i].nr = i;
		gsk_counter_attrs[i] = &attr->attr;
	}
	return class_register(&gsk_class);
}

/**
 * gsk_sysfs_exit() - at unload, after the last namespace's exit
 */
void gsk_sysfs_exit(void)
{
	class_unregister(&gsk_class);
}
