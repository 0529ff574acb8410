/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libgsock: group sockets and their configuration.
 *
 * Two halves that do not need each other. The socket half works on file
 * descriptors and turns what is read from them into messages and events. The
 * netlink half shows and changes the node, which is the caller's network
 * namespace at the time of gsock_ctx_new().
 *
 * Every function that can fail returns 0 (or what it says) or -errno and
 * leaves errno itself alone. Nothing is printed and nothing is kept between
 * calls but in the objects that the caller made. An object belongs to one
 * thread at a time; different objects may be used by different threads at
 * once. Descriptors follow the rules of sockets.
 *
 * Attributes (GSOCK_A_*), commands (GSOCK_CMD_*) and their units are those of
 * <linux/group_netlink.h>; options, orders and events those of
 * <linux/group.h>.
 */
#ifndef GSOCK_H
#define GSOCK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <linux/group.h>
#include <linux/group_netlink.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- sockets: gsock_sock.c ---- */

/* In place of an order: the socket's own default. */
#define GSOCK_ORDER_DEFAULT	(-1)

int gsock_family(void);
int gsock_open(int flags);
int gsock_join(int fd, const char *name);
int gsock_leave(int fd);
int gsock_self(int fd, struct sockaddr_group *addr);

int gsock_set_events(int fd, unsigned int mask);
int gsock_set_order(int fd, int order);
int gsock_set_loopback(int fd, int on);
int gsock_set_info(int fd, int on);
int gsock_set_props(int fd, const struct group_props *props);
int gsock_get_props(int fd, struct group_props *props);
int gsock_get_status(int fd, struct group_status *status);
int gsock_get_view(int fd, struct group_view *view,
		   struct group_member *members, unsigned int room);

int gsock_send(int fd, const void *data, size_t len, int order, int flags);
int gsock_send_to(int fd, const struct sockaddr_group *member,
		  const void *data, size_t len, int order, int flags);
int gsock_send_in(int fd, const struct group_view_id *view, const void *data,
		  size_t len, int order, int flags);

/* What gsock_recv() read. */
enum gsock_kind {
	GSOCK_END,	/* the member has left; nothing more comes */
	GSOCK_MESSAGE,
	GSOCK_EVENT
};

struct gsock_rx;

int gsock_rx_new(struct gsock_rx **rx, size_t room);
void gsock_rx_free(struct gsock_rx *rx);
int gsock_recv(int fd, struct gsock_rx *rx, int flags);
int gsock_rx_truncated(const struct gsock_rx *rx);
const void *gsock_rx_data(const struct gsock_rx *rx, size_t *len);
const struct sockaddr_group *gsock_rx_sender(const struct gsock_rx *rx);
const struct group_msg_info *gsock_rx_info(const struct gsock_rx *rx);
const struct group_event *gsock_rx_event(const struct gsock_rx *rx);
const struct group_member *gsock_rx_members(const struct gsock_rx *rx,
					    unsigned int *n);
const struct group_member *gsock_rx_left(const struct gsock_rx *rx,
					 unsigned int *n);

const char *gsock_order_name(int order);
int gsock_order_of(const char *name);
const char *gsock_why_name(int why);
const char *gsock_state_name(int state);

/* ---- records of the kernel's answers: gsock_nl_rec.c ---- */

struct gsock_rec;

void gsock_rec_free(struct gsock_rec *rec);
struct gsock_rec *gsock_rec_next(const struct gsock_rec *rec);
struct gsock_rec *gsock_rec_nested(const struct gsock_rec *rec);
int gsock_rec_cmd(const struct gsock_rec *rec);
int gsock_rec_has(const struct gsock_rec *rec, int attr);
uint64_t gsock_rec_num(const struct gsock_rec *rec, int attr);
const char *gsock_rec_str(const struct gsock_rec *rec, int attr);
const void *gsock_rec_addr(const struct gsock_rec *rec, int *family);
const char *gsock_node_state_name(int state);

/* ---- configuration: gsock_nl.c, gsock_nl_conf.c ---- */

struct gsock_ctx;

int gsock_ctx_new(struct gsock_ctx **ctx);
void gsock_ctx_free(struct gsock_ctx *ctx);
const char *gsock_error_text(const struct gsock_ctx *ctx);
int gsock_error_attr(const struct gsock_ctx *ctx);
const char *gsock_attr_name(int attr);

struct gsock_set;

int gsock_set_new(struct gsock_set **set);
void gsock_set_free(struct gsock_set *set);
int gsock_set_num(struct gsock_set *set, int attr, uint32_t value);
int gsock_set_str(struct gsock_set *set, int attr, const char *value);

int gsock_node_get(struct gsock_ctx *ctx, struct gsock_rec **node);
int gsock_node_set(struct gsock_ctx *ctx, const struct gsock_set *set);
int gsock_bearer_add(struct gsock_ctx *ctx, int family, const void *addr,
		     uint16_t port);
int gsock_bearer_del(struct gsock_ctx *ctx, int family, const void *addr,
		     uint16_t port);
int gsock_bearer_list(struct gsock_ctx *ctx, struct gsock_rec **bearers);
int gsock_peer_add(struct gsock_ctx *ctx, int family, const void *addr,
		   uint16_t port);
int gsock_peer_del(struct gsock_ctx *ctx, int family, const void *addr,
		   uint16_t port);
int gsock_peer_list(struct gsock_ctx *ctx, struct gsock_rec **peers);
int gsock_group_get(struct gsock_ctx *ctx, const char *name,
		    struct gsock_rec **group);
int gsock_group_list(struct gsock_ctx *ctx, struct gsock_rec **groups);
int gsock_member_list(struct gsock_ctx *ctx, const char *group,
		      struct gsock_rec **members);
int gsock_counters_get(struct gsock_ctx *ctx, struct gsock_rec **counters);

/* ---- notifications: gsock_nl_mon.c ---- */

struct gsock_mon;

int gsock_mon_new(struct gsock_mon **mon);
void gsock_mon_free(struct gsock_mon *mon);
int gsock_mon_fd(const struct gsock_mon *mon);
int gsock_mon_next(struct gsock_mon *mon, struct gsock_rec **rec);

#ifdef __cplusplus
}
#endif

#endif /* GSOCK_H */
