/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Deliberate faults for GPE_BROKEN(): X(name, rule broken, property that must
 * be reported broken). Each stands at one place in the engine.
 */
#ifndef GPE_FAULT_H
#define GPE_FAULT_H

#define GPE_FAULT_LIST(X)						\
	X(VIEW_RANKS, "one node ranks the members of a view otherwise", "V1") \
	X(MARK_EARLY, "a view installs without the markers", "V2")	\
	X(MARK_UNSTABLE, "a view installs before all have its markers", "V2") \
	X(CUT_SHORT, "one node installs with less than the cut", "V2")	\
	X(NO_WEDGE, "late data is taken in after the promise", "V2")	\
	X(FRAG_SWAP, "fragments of a message change places", "V3")	\
	X(DUP_DELIVER, "a message is delivered twice", "V3")		\
	X(STAMP_OLD, "messages carry the view before", "V4")		\
	X(FIFO_OVERTAKE, "fifo messages pass totals of their sender", "V5") \
	X(CAUSAL_FREE, "causal messages wait for nothing", "V6")	\
	X(VEC_SHORT, "vectors name no causal messages", "V6")		\
	X(REC_UNSAID, "vectors name no order record", "V6")		\
	X(VOID_NEVER, "what depends on lost messages is delivered", "V6") \
	X(EARLY_UNSAID, "promises do not name messages taken early", "V2") \
	X(SAFE_EARLY, "safe messages are delivered like total ones", "V8") \
	X(SAFE_ALONE, "safe before its record and predecessors are stable", "V8") \
	X(SAFE_UNOPENED, "safe before its view is open everywhere", "V8") \
	X(TOTAL_LOCAL, "total messages are delivered as they come", "V7") \
	X(SELF_SKIP, "own messages are not delivered", "V9")		\
	X(QUORUM_ANY, "any ballot decides without a quorum", "V10")	\
	X(OLD_FEW, "a view goes on with few of the expected votes", "V10") \
	X(LINKS_UNSEEN, "a view has nodes that do not hear each other", "V11") \
	X(NO_REPAIR, "lost items are not sent again", "V11")		\
	X(SUSPECT_NEVER, "silence is never noticed", "V11")		\
	X(WAKE_LOST, "a blocked sender is not woken", "V11")		\
	X(CREDIT_ANY, "senders ask for no credit", "V13")

enum gpe_fault_nr {
	GPE_FAULT_NONE,
#define GPE_X(name, rule, property) GPE_FAULT_##name,
	GPE_FAULT_LIST(GPE_X)
#undef GPE_X
	GPE_FAULT_N
};

#endif /* GPE_FAULT_H */
