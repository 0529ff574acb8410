// SPDX-License-Identifier: GPL-2.0
/*
 * Recordings of live nodes, for the simulator to run again: debugfs,
 *
 *	/sys/kernel/debug/gsock/record	bytes of memory for the recording of
 *					each node made from now on; 0: none
 *	/sys/kernel/debug/gsock/NET	the recording of the node of namespace
 *					NET (its inode number)
 *
 * A recording that is full ends; what it has is whole. Made of what the engine
 * is given, so it holds names of groups and headers of datagrams, no payload.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "group.h"
#include "gpe_record.h"

#define GSK_RECORD_LEAST	4096
#define GSK_RECORD_MOST		(256UL << 20)

/**
 * struct gsk_record - a recording; written under the node's lock
 * @size: bytes of @buf
 * @used: of those, whole entries
 * @at: where the entry that is being written began
 * @full: it has ended
 * @numbers: records that were delivered, by their address
 * @next: number of the next one
 * @dentry: its file
 * @buf: the bytes; below @used they do not change
 */
struct gsk_record {
	u32 size;
	u32 used;
	u32 at;
	bool full;
	struct xarray numbers;
	u32 next;
	struct dentry *dentry;
	u8 buf[];
};

static struct dentry *gsk_record_dir;
static unsigned long gsk_record_bytes;

static const char *gsk_record_host(const void *host)
{
	return ((const struct gsk_group *)host)->name;
}

static u32 gsk_record_cookie(const void *cookie)
{
	return ((const struct gsk_sock *)cookie)->port;
}

static const struct gpe_record_names gsk_record_names = {
	.host = gsk_record_host,
	.cookie = gsk_record_cookie,
};

/* ---- files ---- */

static ssize_t gsk_record_read(struct file *file, char __user *to, size_t n,
			       loff_t *pos)
{
	const struct gsk_record *rec = file->private_data;
	/* Pairs with smp_store_release() in gsk_record_result(). */
	u32 used = smp_load_acquire(&rec->used);

	return simple_read_from_buffer(to, n, pos, rec->buf, used);
}

static const struct file_operations gsk_record_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = gsk_record_read,
	.llseek = default_llseek,
};

static int gsk_record_get_bytes(void *data, u64 *val)
{
	*val = READ_ONCE(gsk_record_bytes);
	return 0;
}

static int gsk_record_set_bytes(void *data, u64 val)
{
	if (val && (val < GSK_RECORD_LEAST || val > GSK_RECORD_MOST))
		return -ERANGE;
	WRITE_ONCE(gsk_record_bytes, val);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(gsk_record_bytes_fops, gsk_record_get_bytes,
			 gsk_record_set_bytes, "%llu\n");

/**
 * gsk_record_init() - at load
 *
 * Without debugfs nothing can be recorded, and nothing else is missing.
 */
void gsk_record_init(void)
{
	gsk_record_dir = debugfs_create_dir("gsock", NULL);
	debugfs_create_file_unsafe("record", 0600, gsk_record_dir, NULL,
				   &gsk_record_bytes_fops);
}

/**
 * gsk_record_exit() - at unload, after the last node
 */
void gsk_record_exit(void)
{
	debugfs_remove_recursive(gsk_record_dir);
}

/* ---- beginning and end ---- */

/**
 * gsk_record_begin() - a recording of a node that is to be made
 * @made: of what
 *
 * Context: process.
 * Return: the recording, or NULL if none is wanted or there is no memory.
 */
struct gsk_record *gsk_record_begin(const struct gpe_record_made *made)
{
	unsigned long size = READ_ONCE(gsk_record_bytes);
	struct gsk_record *rec;

	if (!size)
		return NULL;
	rec = vzalloc(struct_size(rec, buf, size));
	if (!rec)
		return NULL;
	rec->size = size;
	rec->used = GPE_RECORD_HEAD;
	xa_init_flags(&rec->numbers, XA_FLAGS_LOCK_BH);
	gpe_record_head(rec->buf, made);
	return rec;
}

/**
 * gsk_record_show() - let the recording be read
 * @gn: its node, the recording in place
 *
 * Context: process.
 */
void gsk_record_show(struct gsk_net *gn)
{
	char name[16];

	if (!gn->record || gn->record->dentry)
		return;
	snprintf(name, sizeof(name), "%u", gn->net->ns.inum);
	gn->record->dentry = debugfs_create_file(name, 0400, gsk_record_dir,
						 gn->record,
						 &gsk_record_fops);
}

/**
 * gsk_record_end() - the file goes, then the recording
 * @rec: nobody writes to it any more; NULL: nothing
 *
 * Context: process. Waits for readers.
 */
void gsk_record_end(struct gsk_record *rec)
{
	if (!rec)
		return;
	debugfs_remove(rec->dentry);
	xa_destroy(&rec->numbers);
	vfree(rec);
}

/* ---- entries ---- */

/* Records read, by the numbers under which they were delivered. */
static bool gsk_record_consumed(struct gsk_record *rec, u8 *p, u32 room,
				const struct list_head *recs)
{
	u32 len = get_unaligned_be32(p);
	struct gpe_rec *r;

	list_for_each_entry(r, recs, link) {
		void *nr = xa_erase_bh(&rec->numbers, (unsigned long)r);

		if (len + 8 + GPE_RECORD_RESULT > room)
			return false;
		put_unaligned_be64(nr ? xa_to_value(nr) : 0, p + len);
		len += 8;
	}
	put_unaligned_be32(len, p);
	return true;
}

/**
 * gsk_record_event() - before a step
 * @gn: the node, under its lock, with a recording
 * @now: time of the step
 * @ev: the event
 */
void gsk_record_event(struct gsk_net *gn, u64 now, const struct gpe_event *ev)
{
	struct gsk_record *rec = gn->record;
	u32 room = rec->size - rec->used;
	u8 *p = rec->buf + rec->used;

	lockdep_assert_held(&gn->lock);
	if (rec->full)
		return;
	if (room < GPE_RECORD_MAX + GPE_RECORD_RESULT) {
		rec->full = true;
		return;
	}
	gpe_record_event(p, now, gpe_pool_need(gn->node), ev);
	if (ev->type == GPE_EV_CONSUMED &&
	    !gsk_record_consumed(rec, p, room, ev->consumed))
		rec->full = true;
}

/**
 * gsk_record_result() - after a step, before what it says is done
 * @gn: the node, under its lock, with a recording
 * @ev: the event
 */
void gsk_record_result(struct gsk_net *gn, const struct gpe_event *ev)
{
	struct gsk_record *rec = gn->record;
	u8 *p = rec->buf + rec->used;
	u32 len, i;

	lockdep_assert_held(&gn->lock);
	if (rec->full)
		return;
	len = get_unaligned_be32(p);
	gpe_record_result(p + len, ev, gn->out, &gsk_record_names);
	/* Pairs with smp_load_acquire() in gsk_record_read(). */
	smp_store_release(&rec->used, rec->used + len + GPE_RECORD_RESULT);
	for (i = 0; i < gn->out->n; i++) {
		const struct gpe_act *act = &gn->out->act[i];

		if (act->type != GPE_ACT_DELIVER &&
		    act->type != GPE_ACT_DELIVER_ONE)
			continue;
		/* Without memory its reading cannot be told. */
		if (xa_is_err(xa_store_bh(&rec->numbers,
					  (unsigned long)act->deliver.rec,
					  xa_mk_value(++rec->next),
					  GFP_ATOMIC | __GFP_NOWARN)))
			rec->full = true;
	}
}
