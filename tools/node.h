/* SPDX-License-Identifier: GPL-2.0 */
/* What the monitor shows in the same way as the verbs. */
#ifndef GSOCKCTL_NODE_H
#define GSOCKCTL_NODE_H

#include "print.h"

extern const struct field node_fields[];
extern const struct field peer_fields[];
extern const struct field group_fields[];

/* The node with the nodes of its view. */
struct json_object *node_json(const struct gsock_rec *node);

#endif /* GSOCKCTL_NODE_H */
