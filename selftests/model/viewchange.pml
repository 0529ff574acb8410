/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One view change: the nodes of an epoch send, crash, flush and agree on who
 * follows and where the epoch ends (protocol.md 5, gpe_ballot, gpe_propose,
 * gpe_accept, gpe_repair).
 *
 * Messages: whatever was sent can be read for ever, by each receiver any
 * number of times or never. So it is lost, late, twice and in any order, also
 * after its sender has crashed, and no channel needs to be kept. Crashed:
 * makes no more moves; a node that comes back has a new incarnation, which is
 * no node of this epoch. What is wrong for a message that was lost is asked of
 * the living only: MAY_COMPLETE.
 *
 * Rules, each of them taken away by -DNO_<rule>:
 *
 * WEDGE		5: who has promised takes nothing in and delivers nothing
 *			until INSTALL, repairs up to the cut excepted
 * EPOCH_CLOSED		5: after INSTALL nothing of the old epoch is taken in
 * REPORT_ALL		5: a promise names all that the node holds and not all
 *			are known to hold
 * REPORT_SINGLES	5: messages of order none that were delivered before
 *			their turn too
 * REPORT_ACCEPTED	5: and the value accepted last
 * CUT_LONGEST_PREFIX	5: of each stream the longest prefix that an old node of
 *			the proposal holds
 * CUT_SINGLES		5: and beyond it singly what of order none one of them
 *			has delivered
 * VOID_WITHOUT_CAUSE	5: a message in the cut whose predecessor is not in it is
 *			dropped by all
 * STABLE_IS_ALL		2: stable is what every node of the region has, not a
 *			quorum of them
 * SAFE_WHEN_STABLE	3: a safe message waits until all are known to hold it
 * PROMISE_HIGHER	5: who has promised a ballot has nothing to do with a
 *			lower one any more
 * TAKE_HIGHEST_ACCEPTED 5: a leader takes over a value accepted that its
 *			promises name
 * TAKE_THE_HIGHEST	5: of several the highest
 * TAKEN_UNCHANGED	5: that value as it is, cut included
 * QUORUM_CLOSING	6: promises and votes are those of a quorum of the
 *			closing view
 * FLUSH_BEFORE_VOTE	5: ACCEPT goes out when all nodes of the proposal hold
 *			all of the cut
 * READY_NAMES_BALLOT	5: READY counts for the proposal it was said for
 * DIRECTORY_OF_CUT	5: a newcomer is ready with the directory as of the cut
 *			of the proposal, not of another
 * OLD_OR_OUT		5: a node that is not in the value starts afresh
 * NEW_INCARNATION	5: who has lost its memory is another node
 * With -DLIVE also
 * ACCEPT_BY_ANY	5: any node of the closing view votes, in the proposal
 *			or not
 * INSTALL_ANSWERS	5: who knows a decision answers with it
 * NEXT_BALLOT		5: a proposal that does not get ready is followed by a
 *			higher ballot without who is missing
 *
 * Checked: AGREEMENT (all decided ballots have one value), V2 (who installs
 * has delivered what all others have that do), NOT_BEYOND (nobody who installs
 * has delivered what is not in the cut), MAY_COMPLETE (a living node of a
 * decided value holds all of the cut), V6 (nothing without its cause), V8
 * (safe messages are in every cut), and with -DLIVE that all the living come
 * to an end when faults do.
 */
#ifndef N
#define N 3			/* nodes of the epoch; rank is number */
#endif
#ifndef B
#define B 2			/* ballots */
#endif
#ifndef S
#define S 1			/* nodes 0 to S - 1 send */
#endif
#ifndef K
#define K 2			/* messages each, at most 2 */
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef VOTES_2
#define VOTES_2 1		/* votes of node 2; all others have one */
#endif
#ifdef NONE
#define SINGLES 2		/* the second message is of order none */
#else
#define SINGLES 0
#endif

#define BIT(i) (1 << (i))
#define COUNT(m) (((m) & 1) + (((m) >> 1) & 1) + (((m) >> 2) & 1) + \
		  (((m) >> 3) & 1))
#define VOTES(m) (COUNT(m) + (((m) >> 2) & 1) * (VOTES_2 - 1))
#define HALF_UP(m) (2 * VOTES(m) > VOTES((1 << N) - 1) || \
		    (2 * VOTES(m) == VOTES((1 << N) - 1) && ((m) & 1)))
#ifdef NO_QUORUM_CLOSING
#define QUORUM(m) ((m) != 0)
#else
#define QUORUM(m) HALF_UP(m)
#endif

/* Messages are bits: those that nothing before them lacks. */
#define PREFIX(m) (((m) & 1) * (m))
#define IN_ORDER(m) (PREFIX(m) | ((m) & SINGLES))

#define AT(n, s) ((n) * S + (s))
#define BN(b, n) ((b) * N + (n))
#define BNS(b, n, s) (((b) * N + (n)) * S + (s))
#define BS(b, s) ((b) * S + (s))

#define NORMAL 0
#define WEDGED 1
#define INSTALLED 2
#define OUT 3
#define DOWN 4
#define IN_EPOCH(n) (st[n] <= WEDGED)
#define ALIVE(n) (st[n] != DOWN)

#define NOBODY N

byte st[N];
byte prom[N];			/* ballot promised */
byte acc[N];			/* ballot accepted */
byte sent[S];
byte held[N * S];
byte del[N * S];		/* delivered */
byte crashes;
#ifdef CAUSAL
bit cause;			/* what 1 sent came after it delivered */
#endif
#ifdef SAFE
bit safe_seen;			/* message 1 of stream 0 was delivered */
#endif
#ifdef STABLE
byte stab[N * S];		/* known to be held by all */
#endif

/* Packets, by ballot. Ballot 0 is none. */
byte lead[B + 1] = NOBODY;
byte pm[B + 1];			/* PROMISE: who */
byte pacc[(B + 1) * N];		/* its ballot accepted */
byte phas[(B + 1) * N * S];	/* its prefixes and singles */
byte vold[B + 1];		/* PROPOSE: old nodes, */
byte vcut[(B + 1) * S];		/* and the cut */
byte rdy[B + 1];		/* READY: who */
bit asked[B + 1];		/* ACCEPT */
byte voted[B + 1];		/* ACCEPTED: who */
byte chose;			/* first ballot that a quorum accepted */
bit known;			/* DECISION */
#ifdef NEWCOMER
bit vnew[B + 1];		/* a newcomer is in the proposal too */
bit nrdy[B + 1];		/* its READY */
byte nprop;			/* ballot whose proposal it has */
byte ndir;			/* ballot as of whose cut it has the directory */
bit nin;			/* it has installed */
#endif
#ifdef LIVE
bit calm;			/* no more faults */
#endif
#ifdef SEE_INHERITED
bit inherited;
#endif

/* Scratch, never looked at by another step. */
hidden byte i;
hidden byte s;
hidden byte x;
hidden byte best;

/* Named in the assertion that fails; never set. */
hidden byte AGREEMENT;
hidden byte V2;
hidden byte V6;
hidden byte V8;
hidden byte NOT_BEYOND;
hidden byte MAY_COMPLETE;
hidden byte SEEN;

/* ---- what the model has to be able to show, asked for one at a time ---- */

#define SAW(what) assert(SEEN || !(what));

#ifdef SEE_REPAIRED		/* the last two install what one of them fetched */
#define SAW_REPAIRED SAW(COUNT(vold[chose]) == 2 && (x & ~del[AT(n, s)]))
#else
#define SAW_REPAIRED
#endif
#ifdef SEE_SINGLE		/* a message is delivered, the one before is lost */
#define SAW_SINGLE SAW(x == 2 && !(del[AT(n, s)] & 2))
#else
#define SAW_SINGLE
#endif
#ifdef SEE_VOID			/* a message in the cut is dropped */
#define SAW_VOID SAW(best && !x)
#else
#define SAW_VOID
#endif
#ifdef SEE_SAFE			/* a safe message was delivered in time */
#define SAW_INSTALL SAW(safe_seen && chose == B)
#elif defined(SEE_INHERITED)	/* a value is decided that an earlier leader made */
#define SAW_INSTALL SAW(inherited)
#elif defined(SEE_LAST)		/* the last ballot decides */
#define SAW_INSTALL SAW(chose == B)
#elif defined(SEE_ALONE)	/* all others have crashed meanwhile */
#define SAW_INSTALL SAW(!ALIVE((n + 1) % N) && !ALIVE((n + 2) % N))
#elif defined(SEE_STABLE)	/* the cut is what all know to be stable */
#define SAW_INSTALL SAW(stab[n] && !vcut[BS(chose, 0)])
#else
#define SAW_INSTALL
#endif
#ifdef SEE_OUT			/* who is not in it learns so, with what is void */
#define SAW_END SAW(st[n] == OUT && (del[AT(n, 0)] & ~vcut[BS(chose, 0)]))
#else
#define SAW_END
#endif

/* ---- what is checked of a decision ---- */

#ifdef CAUSAL
#define VOID_1(a, b) (((b) & 1) && cause && !((a) & 1))
#endif

/* final[s] of node n: what it has delivered of the epoch when it installs. */
inline final(n, cut)
{
	x = cut;
#ifdef CAUSAL
#ifndef NO_VOID_WITHOUT_CAUSE
	if
	:: s == 1 && VOID_1(vcut[BS(chose, 0)], vcut[BS(chose, 1)]) -> x = 0
	:: else
	fi;
#endif
#endif
}

/*
 * Of the living in a decided value, who lacks something? With a flush nobody;
 * without one there has to be somebody who can still give it.
 */
inline may_complete()
{
	if
	:: chose ->
		i = 0;
		do
		:: i < N ->
			s = 0;
			do
			:: s < S ->
				if
				:: IN_EPOCH(i) && (vold[chose] & BIT(i)) ->
					x = vcut[BS(chose, s)] & ~held[AT(i, s)]
				:: else -> x = 0
				fi;
#ifdef NO_FLUSH_BEFORE_VOTE
				best = 0;
				do
				:: best < N ->
					if
					:: ALIVE(best) ->
						x = x & ~held[AT(best, s)]
					:: else
					fi;
					best++
				:: else -> break
				od;
#endif
				assert(MAY_COMPLETE || x == 0);
				s++
			:: else -> break
			od;
			i++
		:: else -> break
		od
	:: else
	fi
}

/* A quorum has accepted b. */
inline decided(b)
{
	if
	:: chose == 0 -> chose = b
	:: else ->
		assert(AGREEMENT || vold[chose] == vold[b]);
#ifdef NEWCOMER
		assert(AGREEMENT || vnew[chose] == vnew[b]);
#endif
		s = 0;
		do
		:: s < S ->
			assert(AGREEMENT ||
			       vcut[BS(chose, s)] == vcut[BS(b, s)]);
			s++
		:: else -> break
		od
	fi
}

/* ---- the epoch while it is open ---- */

inline send(n)
{
	printf("%d sends\n", n);
	sent[n] = (sent[n] << 1) | 1;
	held[AT(n, n)] = sent[n];
	del[AT(n, n)] = sent[n];
#ifdef CAUSAL
	if
	:: n == 1 && (del[AT(1, 0)] & 1) -> cause = 1
	:: else
	fi;
#endif
}

inline deliver(n)
{
	s = 0;
	do
	:: s < S ->
		x = IN_ORDER(held[AT(n, s)]);
#ifdef CAUSAL
		if
		:: s == 1 && VOID_1(del[AT(n, 0)], x) -> x = 0
		:: else
		fi;
#endif
		del[AT(n, s)] = del[AT(n, s)] | x;
		s++
	:: else -> break
	od
}

inline take_in(n, from, m)
{
	printf("%d takes in message %d of %d\n", n, m, from);
	held[AT(n, from)] = held[AT(n, from)] | (m);
	deliver(n)
}

/* ---- the leader forgets a ballot: nothing that was said to it counts ---- */

inline forget(b)
{
	pm[b] = 0;
	rdy[b] = 0;
	i = 0;
	do
	:: i < N ->
		pacc[BN(b, i)] = 0;
		s = 0;
		do
		:: s < S -> phas[BNS(b, i, s)] = 0; s++
		:: else -> break
		od;
		i++
	:: else -> break
	od
}

inline abort_below(n, b)
{
	best = 1;
	do
	:: best < b ->
		if
		:: lead[best] == n && !asked[best] -> forget(best)
		:: else
		fi;
		best++
	:: else -> break
	od
}

/* ---- promise ---- */

inline report(n, b)
{
	s = 0;
	do
	:: s < S ->
		x = IN_ORDER(held[AT(n, s)]);
#ifdef NO_REPORT_SINGLES
		x = PREFIX(held[AT(n, s)]);
#endif
#ifdef NO_REPORT_ALL
		if	/* one's own stream, say, others know best */
		:: s == n -> x = 0
		:: else
		fi;
#endif
#ifdef STABLE
		if
		:: x == stab[AT(n, s)] -> x = 0
		:: else
		fi;
#endif
		phas[BNS(b, n, s)] = x;
		s++
	:: else -> break
	od;
	pacc[BN(b, n)] = acc[n];
#ifdef NO_REPORT_ACCEPTED
	pacc[BN(b, n)] = 0;
#endif
	pm[b] = pm[b] | BIT(n)
}

inline promise(n, b)
{
	printf("%d promises ballot %d of %d\n", n, b, lead[b]);
	prom[n] = b;
	st[n] = WEDGED;
	abort_below(n, b);
	if	/* else nobody looks at it */
	:: !vold[b] && ALIVE(lead[b]) && prom[lead[b]] == b ->
		report(n, b)
	:: else
	fi
}

/* ---- proposal ---- */

/* The cut of what the nodes in p said to b. */
inline make_cut(b, p)
{
	s = 0;
	do
	:: s < S ->
		i = 0;
		best = 0;
		x = 0;
		do
		:: i < N ->
			if
			:: ((p) & BIT(i)) ->
#ifdef NO_CUT_LONGEST_PREFIX
				if
				:: x == 0 || PREFIX(phas[BNS(b, i, s)]) < best ->
					best = PREFIX(phas[BNS(b, i, s)]);
				:: else
				fi;
				x = 4;
#else
				if
				:: PREFIX(phas[BNS(b, i, s)]) > best ->
					best = PREFIX(phas[BNS(b, i, s)])
				:: else
				fi;
#ifndef NO_CUT_SINGLES
				x = x | (phas[BNS(b, i, s)] & SINGLES);
#endif
#endif
			:: else
			fi;
			i++
		:: else -> break
		od;
		vcut[BS(b, s)] = best | (x & SINGLES);
		printf("cut of ballot %d: stream %d: %d\n", b, s, vcut[BS(b, s)]);
		s++
	:: else -> break
	od;
}

/* The highest ballot that those in p have accepted, into best. */
inline highest(b, p)
{
	i = 0;
	best = 0;
	do
	:: i < N ->
		if
		:: ((p) & BIT(i)) && pacc[BN(b, i)] ->
#ifdef NO_TAKE_THE_HIGHEST
			if
			:: best == 0 || pacc[BN(b, i)] < best ->
				best = pacc[BN(b, i)]
			:: else
			fi
#else
			if
			:: pacc[BN(b, i)] > best -> best = pacc[BN(b, i)]
			:: else
			fi
#endif
		:: else
		fi;
		i++
	:: else -> break
	od
#ifdef NO_TAKE_HIGHEST_ACCEPTED
	;
	best = 0
#endif
}

/* Node n, which leads b, has heard those in p, a quorum, n among them. */
inline propose(n, b, p, w)
{
	printf("%d proposes in ballot %d nodes %d\n", n, b, p);
	highest(b, p);
	if
	:: best ->
		vold[b] = vold[best];
#ifdef NEWCOMER
		vnew[b] = vnew[best];
#endif
#ifdef SEE_INHERITED
		inherited = 1;
#endif
#ifdef NO_TAKEN_UNCHANGED
		make_cut(b, p);
#else
		s = 0;
		do
		:: s < S ->
			vcut[BS(b, s)] = vcut[BS(best, s)];
			s++
		:: else -> break
		od;
#endif
		/* All were ready when it was accepted. */
		asked[b] = 1;
	:: else ->
		vold[b] = p;
#ifdef NEWCOMER
		vnew[b] = w;
#endif
		make_cut(b, p);
	fi;
	forget(b)
}

/* ---- flush ---- */

/* What the proposal that n has promised wants of stream s, and n lacks. */
#define WANTS(n, s) (vcut[BS(prom[n], s)] & ~held[AT(n, s)])
#define IN_PROPOSAL(n, b) ((vold[b] & BIT(n)) && prom[n] == (b))

#if S == 1
#define LACKS(n) WANTS(n, 0)
#elif S == 2
#define LACKS(n) (WANTS(n, 0) | WANTS(n, 1))
#else
#define LACKS(n) (WANTS(n, 0) | WANTS(n, 1) | WANTS(n, 2))
#endif

#ifdef STABLE
/* A stream that the cut does not name ends where it is stable. */
#define CUT_AT(n, b, s) (vcut[BS(b, s)] -> vcut[BS(b, s)] : stab[AT(n, s)])
#else
#define CUT_AT(n, b, s) vcut[BS(b, s)]
#endif

#ifdef LIVE
#define HOLDER(s, m) \
	((ALIVE(0) && (held[AT(0, s)] & (m))) || \
	 (ALIVE(1) && (held[AT(1, s)] & (m))) || \
	 (ALIVE(2) && (held[AT(2, s)] & (m))))
#else
#define HOLDER(s, m) true	/* or the sender's own packet, late */
#endif

#ifdef NO_READY_NAMES_BALLOT
byte once_ready;
#define ALL_READY(b) ((vold[b] & ~once_ready) == 0)
#else
#define ALL_READY(b) ((vold[b] & ~rdy[b]) == 0)
#endif

inline fetch(n, s, m)
{
	printf("%d fetches message %d of %d\n", n, m, s);
	held[AT(n, s)] = held[AT(n, s)] | (m)
}

inline ready(n, b)
{
	printf("%d is ready for ballot %d\n", n, b);
#ifdef NO_READY_NAMES_BALLOT
	once_ready = once_ready | BIT(n);
#endif
	rdy[b] = rdy[b] | BIT(n)
}

/* ---- vote and installation ---- */

#ifdef NO_PROMISE_HIGHER
#define MAY_VOTE(n, b) (acc[n] != (b))
#else
#define MAY_VOTE(n, b) (prom[n] <= (b) && acc[n] < (b))
#endif
#ifdef NO_ACCEPT_BY_ANY
#define VOTER(n, b) (vold[b] & BIT(n))
#else
#define VOTER(n, b) true
#endif

inline vote(n, b)
{
	printf("%d accepts ballot %d\n", n, b);
	abort_below(n, b);
	st[n] = WEDGED;
	prom[n] = b;
	acc[n] = b;
	voted[b] = voted[b] | BIT(n);
	if
	:: QUORUM(voted[b]) -> decided(b)
	:: else
	fi;
	may_complete()
}

#define LED(n, b) (lead[b] == n && asked[b] && QUORUM(voted[b]) && \
		   prom[n] == (b))
#if B == 1
#define LED_ANY(n) LED(n, 1)
#elif B == 2
#define LED_ANY(n) (LED(n, 1) || LED(n, 2))
#else
#define LED_ANY(n) (LED(n, 1) || LED(n, 2) || LED(n, 3))
#endif

#ifdef LIVE
#ifdef NO_INSTALL_ANSWERS
#define TOLD false
#else
#define KNOWER(n) (st[n] == INSTALLED || st[n] == OUT)
#define TOLD (KNOWER(0) || KNOWER(1) || KNOWER(2))
#endif
#else
#define TOLD known
#endif

inline install(n)
{
	printf("%d learns the decision of ballot %d\n", n, chose);
	known = 1;
	if
#ifdef NO_OLD_OR_OUT
	:: true ->
#else
	:: !(vold[chose] & BIT(n)) -> st[n] = OUT
	:: else ->
#endif
		st[n] = INSTALLED;
		s = 0;
		do
		:: s < S ->
			best = CUT_AT(n, chose, s);
			final(n, best);
			SAW_REPAIRED
			SAW_SINGLE
			SAW_VOID
#ifndef NO_FLUSH_BEFORE_VOTE
			assert(MAY_COMPLETE || !(best & ~held[AT(n, s)]));
#endif
			assert(NOT_BEYOND || !(del[AT(n, s)] & ~x));
			del[AT(n, s)] = x;
			i = 0;
			do
			:: i < N ->
				assert(V2 || st[i] != INSTALLED ||
				       del[AT(i, s)] == x);
				i++
			:: else -> break
			od;
			s++
		:: else -> break
		od;
#ifdef CAUSAL
		assert(V6 || !VOID_1(del[AT(n, 0)], del[AT(n, 1)]));
#endif
#ifdef SAFE
		assert(V8 || !safe_seen || (del[AT(n, 0)] & 1));
#endif
		SAW_INSTALL
	fi;
	SAW_END
}

inline crash(n)
{
	printf("%d crashes\n", n);
	crashes++;
#ifdef NO_NEW_INCARNATION
	/* It is back at once, as if it had never done anything. */
	st[n] = NORMAL;
	prom[n] = 0;
	acc[n] = 0;
	s = 0;
	do
	:: s < S -> held[AT(n, s)] = 0; del[AT(n, s)] = 0; s++
	:: else -> break
	od;
#else
	st[n] = DOWN;
#endif
	abort_below(n, B + 1);
	may_complete()
}

/* ---- a node ---- */

#ifdef LIVE
/* When all is calm the first of the living leads, in the last ballot. */
#ifdef NO_NEXT_BALLOT
#define MAY_LEAD(n, b) (b != B)
#else
#define MAY_LEAD(n, b) ((b == B) == calm && (b < B || FIRST(n)))
#endif
#define FIRST(n) ((n) == 0 || (!ALIVE(0) && ((n) == 1 || !ALIVE(1))))
#define LIVING ((ALIVE(0) * 1) | (ALIVE(1) * 2) | (ALIVE(2) * 4))
#define HEARD(b, p) (b < B || (p) == LIVING)
#else
#define MAY_LEAD(n, b) true
#define HEARD(b, p) true
#endif

/* A step: what it waits for and what it does, in one. */
#define STEP(when, what) :: d_step { (when) -> what; skip }

#define LEADS(n, b) (IN_EPOCH(n) && lead[b] == (n) && prom[n] == (b))

#define PROPOSE_WITH(b, p, w) \
	STEP(LEADS(_pid, b) && !vold[b] && QUORUM(p) && ((p) & BIT(_pid)) && \
	     (pm[b] & (p)) == (p) && HEARD(b, p), propose(_pid, b, p, w))
#ifdef NEWCOMER
#define PROPOSE(b, p) PROPOSE_WITH(b, p, 0) PROPOSE_WITH(b, p, 1)
#else
#define PROPOSE(b, p) PROPOSE_WITH(b, p, 0)
#endif

#if defined(NO_QUORUM_CLOSING) || VOTES_2 > 1
#define PROPOSE_FEW(b) PROPOSE(b, 1) PROPOSE(b, 2) PROPOSE(b, 4)
#else
#define PROPOSE_FEW(b)
#endif
#if N == 3
#define PROPOSE_MORE(b)
#else
#define PROPOSE_MORE(b) PROPOSE(b, 9) PROPOSE(b, 11) PROPOSE(b, 13) \
	PROPOSE(b, 14) PROPOSE(b, 15)
#endif

#ifdef NO_FLUSH_BEFORE_VOTE
#define FLUSHED(b) true
#elif defined(NEWCOMER)
#define FLUSHED(b) (ALL_READY(b) && (!vnew[b] || nrdy[b]))
#else
#define FLUSHED(b) ALL_READY(b)
#endif

#define BALLOT(b) \
	STEP(IN_EPOCH(_pid) && lead[b] == NOBODY && prom[_pid] < b && \
	     MAY_LEAD(_pid, b), lead[b] = _pid; promise(_pid, b)) \
	STEP(IN_EPOCH(_pid) && lead[b] != NOBODY && prom[_pid] < b, \
	     promise(_pid, b)) \
	PROPOSE(b, 3) PROPOSE(b, 5) PROPOSE(b, 6) PROPOSE(b, 7) \
	PROPOSE_FEW(b) PROPOSE_MORE(b) \
	STEP(IN_EPOCH(_pid) && IN_PROPOSAL(_pid, b) && !asked[b] && \
	     !(rdy[b] & BIT(_pid)) && LACKS(_pid) == 0, ready(_pid, b)) \
	STEP(LEADS(_pid, b) && vold[b] && !asked[b] && FLUSHED(b), \
	     asked[b] = 1; rdy[b] = 0) \
	STEP(IN_EPOCH(_pid) && asked[b] && MAY_VOTE(_pid, b) && \
	     VOTER(_pid, b), vote(_pid, b))

#ifdef NO_WEDGE
#define OPEN(n) (st[n] == NORMAL || st[n] == WEDGED)
#elif defined(NO_EPOCH_CLOSED)
#define OPEN(n) (st[n] == NORMAL || st[n] == INSTALLED)
#else
#define OPEN(n) (st[n] == NORMAL)
#endif

#define ITEM(s, m) \
	STEP(OPEN(_pid) && (sent[s] & (m)) && !(held[AT(_pid, s)] & (m)), \
	     take_in(_pid, s, m)) \
	STEP(st[_pid] == WEDGED && IN_PROPOSAL(_pid, prom[_pid]) && \
	     (WANTS(_pid, s) & (m)) && HOLDER(s, m), fetch(_pid, s, m))

#ifdef STABLE
#if N != 3
#error STABLE is for three nodes
#endif
#ifdef NO_STABLE_IS_ALL
#define COMMON(s) (PREFIX(held[AT(0, s)]) & PREFIX(held[AT(1, s)]))
#else
#define COMMON(s) (PREFIX(held[AT(0, s)]) & PREFIX(held[AT(1, s)]) & \
		   PREFIX(held[AT(2, s)]))
#endif
#define STREAM_STABLE(s) \
	STEP(st[_pid] == NORMAL && stab[AT(_pid, s)] != COMMON(s), \
	     stab[AT(_pid, s)] = COMMON(s))
#else
#define STREAM_STABLE(s)
#endif

#ifdef NO_SAFE_WHEN_STABLE
#define HELD_BY_ALL true
#else
#define HELD_BY_ALL (held[AT(0, 0)] & held[AT(1, 0)] & held[AT(2, 0)] & 1)
#endif

#if K == 1
#define STREAM(s) ITEM(s, 1) STREAM_STABLE(s)
#else
#define STREAM(s) ITEM(s, 1) ITEM(s, 2) STREAM_STABLE(s)
#endif

#ifdef LIVE
#define FAULTS !calm
#else
#define FAULTS true
#endif

active [N] proctype node()
{
end:	do
	STEP(_pid < S && OPEN(_pid) && st[_pid] != INSTALLED &&
	     sent[_pid] < (1 << K) - 1, send(_pid))
	STREAM(0)
#if S > 1
	STREAM(1)
#endif
#if S > 2
	STREAM(2)
#endif
	BALLOT(1)
#if B > 1
	BALLOT(2)
#endif
#if B > 2
	BALLOT(3)
#endif
#ifdef SAFE
	STEP(st[_pid] == NORMAL && (held[AT(_pid, 0)] & 1) && !safe_seen &&
	     HELD_BY_ALL, safe_seen = 1)
#endif
	STEP(IN_EPOCH(_pid) && chose && (TOLD || LED_ANY(_pid)), install(_pid))
	STEP(ALIVE(_pid) && crashes < CRASHES && FAULTS, crash(_pid))
	od
}

#ifdef NEWCOMER
#if S != 1
#error NEWCOMER is for one stream, the log
#endif
/* Takes the newest proposal, and the directory as of its cut. */
inline take_proposal(b)
{
	printf("newcomer takes the proposal of ballot %d\n", b);
	nprop = b;
#ifndef NO_DIRECTORY_OF_CUT
	if
	:: ndir && (vold[ndir] != vold[b] || vcut[ndir] != vcut[b]) -> ndir = 0
	:: else
	fi
#endif
}

inline take_directory(b)
{
	printf("newcomer is ready for ballot %d\n", b);
	if
	:: ndir == 0 -> ndir = b
	:: else
	fi;
	nrdy[b] = 1
}

inline come_in()
{
	printf("newcomer installs\n");
	nin = 1;
	assert(MAY_COMPLETE || ndir);
	assert(V2 || vcut[ndir] == vcut[chose]);
#ifdef SEE_NEWCOMER
	SAW(chose == B && vcut[chose])
#endif
}

#define NEWCOMER_BALLOT(b) \
	STEP(!nin && vold[b] && vnew[b] && nprop < b, take_proposal(b)) \
	STEP(!nin && nprop == b && !nrdy[b] && !asked[b] && \
	     (ndir || (rdy[b] & BIT(lead[b]))), take_directory(b))

active proctype newcomer()
{
end:	do
	NEWCOMER_BALLOT(1)
#if B > 1
	NEWCOMER_BALLOT(2)
#endif
#if B > 2
	NEWCOMER_BALLOT(3)
#endif
	STEP(!nin && known && vnew[chose], come_in())
	od
}
#endif

#ifdef LIVE
/* Loses packets for ever, each of which is sent again. */
active proctype network()
{
end:	do
	:: chose <= B		/* always */
	:: !calm -> calm = 1
	od
}

#define DONE(n) (!IN_EPOCH(n))
ltl decided_in_the_end { [] (calm -> <> (DONE(0) && DONE(1) && DONE(2))) }
#endif
