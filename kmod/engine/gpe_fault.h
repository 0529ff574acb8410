/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Deliberate faults for GPE_BROKEN(): X(name, rule broken, property that must
 * be reported broken). Each stands at one rule of the protocol and leaves all
 * others whole. kmod/docs/protocol.rst names them beside the rules.
 */
#ifndef GPE_FAULT_H
#define GPE_FAULT_H

/* Caught within some hundred seeds: make sim-faults, and with the others make
 * sim-mutants, which builds them in one at a time.
 */
#define GPE_FAULT_OFTEN(X) \
	X(FRAG_SWAP, "fragments of a message change places", "V3") \
	X(PART_WHOLE, "a message counts as whole before all of it came", "V3") \
	X(SEND_WEDGED, "a wedged node takes messages from its members", "V9") \
	X(CREDIT_LEAK, "what was read returns no credit", "V11") \
	X(WAKE_LOST, "a blocked sender is not woken", "V11") \
	X(NO_REPAIR, "lost items are not sent again", "V11") \
	X(DUP_DELIVER, "a message is delivered twice", "V3") \
	X(SELF_SKIP, "own messages are not delivered", "V5") \
	X(FIFO_OVERTAKE, "fifo messages pass totals of their sender", "V5") \
	X(CAUSAL_FREE, "causal messages wait for nothing", "V6") \
	X(VEC_SHORT, "vectors name no causal messages", "V6") \
	X(VEC_STREAM, "vectors name prefixes of streams", "V9") \
	X(VEC_KEPT, "vectors are not empty at the start of a view", "V6") \
	X(CLOCK_ALONE, "a delivery does not advance Lamport's clock", "V6") \
	X(TOTAL_LOCAL, "total messages are delivered as they come", "V7") \
	X(SEQ_STOPS, "the sequencer writes no records for a closing view", "V11") \
	X(SAFE_EARLY, "safe messages are delivered like total ones", "V8") \
	X(VIEW_RANKS, "one node ranks the members of a view otherwise", "V1") \
	X(STAMP_OLD, "messages carry the view before", "V4") \
	X(LATER_NOW, "messages of a later view do not wait for it", "V4") \
	X(AHEAD_LOST, "what is ahead of the log is not asked for again", "V2") \
	X(ASKED_ONCE, "what the cut lacks of the log is not asked for again", "V11") \
	X(MARK_EARLY, "a view installs without the markers", "V2") \
	X(MARK_UNSTABLE, "a view installs before all have its markers", "V2") \
	X(CUT_SHORT, "one node installs with less than the cut", "V2") \
	X(REST_ANY, "what no record orders comes in any order", "V7") \
	X(VOTE_FIRST, "the vote does not wait for the flush", "V11") \
	X(DECISION_MUTE, "who knows a decision does not tell", "V11") \
	X(SUSPECT_NEVER, "silence is never noticed", "V11") \
	X(NO_DOUBT, "a node that has not run asks nobody", "pause") \
	X(LINKS_UNSEEN, "a view has nodes that do not hear each other", "V11") \
	X(EPOCH_SHARED, "parts number their chains alike", "V10") \
	X(NEVER_YIELD, "two chains that meet both go on", "V11") \
	X(YIELD_ANY, "a node yields to a chain that it hears a part of", \
	  "duel") \
	X(QUORUM_ANY, "any ballot decides without a quorum", "V10") \
	X(OLD_FEW, "a view goes on with few of the expected votes", "V10")

/* Those that need an unlucky run. */
#define GPE_FAULT_RARE(X) \
	X(EARLY_UNSAID, "promises do not name messages taken early", "V2") \
	X(VOID_NEVER, "what depends on lost messages is delivered", "V6") \
	X(EPOCH_ANY, "packets of another epoch are taken in", "V3") \
	X(ACK_ANY, "confirmations of another epoch count", "V2") \
	X(CREDIT_ANY, "senders ask for no credit", "V13") \
	X(SAFE_ALONE, "safe before its record and predecessors are stable", "V7") \
	X(MARK_LOST, "what stands behind a lost marker is delivered", "V2") \
	X(OPEN_SKIP, "a newcomer does not wait until the view is open", "V2") \
	X(NO_WEDGE, "late data is taken in after the promise", "V2") \
	X(CUT_SHORTEST, "the cut is the shortest prefix", "V2") \
	X(LOG_LAST, "the cut's messages come before its changes", "V2") \
	X(FLUSH_WAITS, "who does not get ready is waited for", "V11") \
	X(READY_BLIND, "READY without what the cut holds", "V11") \
	X(JOIN_BLIND, "a joiner is READY without the directory", "V11") \
	X(PROMISE_LOW, "a ballot below the promise is promised", "V10") \
	X(ACCEPT_LOW, "a ballot below the promise is accepted", "V10") \
	X(VALUE_OWN, "a leader takes over no accepted value", "V10") \
	X(VALUE_LOWEST, "a leader takes over the value of the lowest ballot", "V10") \
	X(VOTE_TWICE, "an answer that comes twice counts twice", "V10") \
	X(INC_ANY, "a restarted node passes for the one before", "V11") \
	X(INC_UNPROVED, "a late beat puts a dead node in the living one's place", "duel") \
	X(HALF_ANY, "half of the votes decide, whichever half", "V10") \
	X(FORM_HALF, "half of the expected votes form a chain", "V10") \
	X(FORM_FRESH, "who is in a chain that cannot go on forms none", "V11") \
	X(EPOCH_WALL, "a first epoch is what the wall clock says", "V11") \
	X(LEAD_ANY, "whoever has a reason leads, and at once", "V11") \
	X(FLAP_FREE, "who comes and goes is let in at once", "duel") \
	X(INC_KEPT, "a node comes back under the incarnation it had", "V11") \
	X(PROMISE_FORGOT, "a suspended node forgets its promise", "V10")

#define GPE_FAULT_LIST(X) GPE_FAULT_OFTEN(X) GPE_FAULT_RARE(X)

enum gpe_fault_nr {
	GPE_FAULT_NONE,
#define GPE_X(name, rule, property) GPE_FAULT_##name,
	GPE_FAULT_OFTEN(GPE_X)
	GPE_FAULT_OFTEN_END,
	GPE_FAULT_BEFORE_RARE = GPE_FAULT_OFTEN_END - 1,
	GPE_FAULT_RARE(GPE_X)
#undef GPE_X
	GPE_FAULT_N
};

#endif /* GPE_FAULT_H */
