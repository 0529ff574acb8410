/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Chains of epochs: who may decide what follows an epoch, who may form a new
 * chain, and what becomes of those who restart (protocol.md 6, gpe_form,
 * gpe_ballot, gpe_accept, gpe_view). There is no data here, viewchange.pml has
 * it; of the flush READY is left.
 *
 * A ballot b belongs to an instance: the epoch that it closes, or the
 * formation. If it proposes a value of its own this opens epoch b; epoch 1 is
 * there to begin with. Ballots begin in the order of their numbers, or with
 * -DANY_ORDER in any: numbers are above what their makers knew. Packets can be
 * read for ever, or never; a node may stop at any point; to be suspended costs
 * nothing, since nobody has to hear anybody: so any node may take part in a
 * formation at any time, and safety rests on votes alone. A decision is there
 * when the leader has counted the votes; then anybody may know it.
 *
 * Rules, each of them taken away by -DNO_<rule>:
 *
 * QUORUM_CLOSING	6: what follows an epoch is promised and accepted by more
 *			than half of its votes, or half with
 * TIE_LOWEST_RANK	6: its lowest-ranked voting node
 * OLD_HALF_EXPECTED	6: those who stay hold at least half of the expected votes
 * HALF_ONLY_OF_TWO	6: and half is enough only where two are expected, else
 *			two chains could have one half each
 * JOINERS_DO_NOT_COUNT	6: for this newcomers do not count
 * FORMATION_MAJORITY	6: a chain is formed with more than half of the expected
 *			votes, half is not enough
 * FORMATION_LEAVES_OLD	6: who accepts a formation takes no more part in the old
 *			chain
 * LEFT_STAYS_OUT	6: nor does it follow it into what was decided before
 * ACCEPTED_BINDS	6: nor into another formation that began before
 * NEW_INCARNATION	5: who has restarted has no vote in an epoch it was in
 * TAKE_HIGHEST_ACCEPTED 5: a leader takes over what was accepted for the epoch
 * FLUSH_BEFORE_VOTE	5: ACCEPT goes out when all nodes of the proposal are
 *			READY, and who has left the chain never is
 *
 * Checked: AGREEMENT (an epoch has one successor) and V10. A chain goes on as
 * long as nodes are in its last epoch that could decide what follows: at no
 * time do two, and one that another has taken over from never does again.
 * (What is decided in such a chain by votes that were given before is installed
 * by too few to matter.)
 */
#ifndef N
#define N 3
#endif
#ifndef B
#define B 4			/* ballots 2 to B */
#endif
#ifndef RESTARTS
#define RESTARTS 2
#endif
#ifndef FIRST
#define FIRST 7			/* nodes of epoch 1; all others are fresh */
#endif
#ifndef VOTES_2
#define VOTES_2 1		/* votes of node 2; all others have one */
#endif
#ifndef EXPECTED
#define EXPECTED 3
#endif

#define BIT(i) (1 << (i))
#define VOTES(m) (((m) & 1) + (((m) >> 1) & 1) + \
		  (((m) >> 2) & 1) * VOTES_2 + (((m) >> 3) & 1))
#define EN(e, n) ((e) * N + (n))

#define UNUSED 0		/* no ballot yet */
#define FORMATION 100		/* else an epoch, or */
#define GIVEN_UP 101
#define NOBODY N

/* Nodes. Nothing is kept over a restart. */
byte inc[N] = 1;
byte ep[N];			/* epoch, 0: fresh */
byte rprom[N];			/* for the epoch: promised, accepted */
byte racc[N];
byte fprom[N];			/* for the formation */
byte facc[N];
bit left[N];			/* has accepted a formation */
byte restarts;

/* Epochs */
byte einc[(B + 1) * N];		/* incarnation of its nodes, 0: not in it */
byte rank[(B + 1) * N];
byte nodes[B + 1];		/* the same as bits */
byte lowest[B + 1];		/* its voting node that ranks first, as a bit */
byte before[B + 1];		/* epoch it closes, 0: none */
byte root[B + 1];		/* epoch its chain was formed in */
byte succ[B + 1];		/* decided successor */
byte old[B + 1];		/* those who were in the epoch before */
short decided = 2;		/* epochs, as bits */
byte goes_on = 1;		/* root of the chain that did last */
byte over;			/* roots of chains that did before, as bits */

/* Packets of a ballot */
byte inst[B + 1];
byte lead[B + 1] = NOBODY;
byte pm[B + 1];			/* PROMISE: who, */
byte pacc[(B + 1) * N];		/* what it has accepted, */
byte pep[(B + 1) * N];		/* formation: its epoch, */
byte pinc[(B + 1) * N];		/* and as whom it takes part */
byte val[B + 1];		/* PROPOSE: this epoch */
byte rdy[B + 1];		/* READY: who */
bit asked[B + 1];		/* ACCEPT */
byte voted[B + 1];		/* ACCEPTED: who, as long as */
bit counts[B + 1];		/* its leader counts them */

hidden byte i;
hidden byte k;
hidden byte x;
hidden byte best;
hidden byte top;
hidden byte bonds;

/* Named in the assertion that fails; never set. */
hidden byte AGREEMENT;
hidden byte V10;
hidden byte SEEN;

/* ---- quorums ---- */

#define HALF(e, m) (2 * VOTES((m) & nodes[e]) == VOTES(nodes[e]))

#ifdef NO_TIE_LOWEST_RANK
#define TIE(e, m) HALF(e, m)
#else
#define TIE(e, m) (HALF(e, m) && ((m) & lowest[e]))
#endif
#ifdef NO_QUORUM_CLOSING
#define QUORUM(e, m) ((m) != 0)
#else
#define QUORUM(e, m) \
	(2 * VOTES((m) & nodes[e]) > VOTES(nodes[e]) || TIE(e, m))
#endif

#ifdef NO_HALF_ONLY_OF_TWO
#define STAY(m) (2 * VOTES(m) >= EXPECTED)
#else
#define STAY(m) (2 * VOTES(m) > EXPECTED || \
		 (EXPECTED == 2 && VOTES(m) == 1))
#endif
#ifdef NO_OLD_HALF_EXPECTED
#define ENOUGH(p, j) true
#elif defined(NO_JOINERS_DO_NOT_COUNT)
#define ENOUGH(p, j) STAY((p) | (j))
#else
#define ENOUGH(p, j) STAY(p)
#endif

#ifdef NO_FORMATION_MAJORITY
#define MAJORITY(m) (2 * VOTES(m) >= EXPECTED)
#else
#define MAJORITY(m) (2 * VOTES(m) > EXPECTED)
#endif

#define IS_IN(n, e) (ep[n] == (e) && !left[n])
#if N == 3
#define ACTIVE(e) (IS_IN(0, e) + 2 * IS_IN(1, e) + 4 * IS_IN(2, e))
#define ANY(what, x) (what(0, x) || what(1, x) || what(2, x))
#else
#define ACTIVE(e) (IS_IN(0, e) + 2 * IS_IN(1, e) + 4 * IS_IN(2, e) + \
		   8 * IS_IN(3, e))
#define ANY(what, x) (what(0, x) || what(1, x) || what(2, x) || what(3, x))
#endif
#define GOES_ON(e) (QUORUM(e, ACTIVE(e)) && ENOUGH(ACTIVE(e), 0))

/* ---- what the model has to be able to show, asked for one at a time ---- */

#define SAW(what) assert(SEEN || !(what));

#ifdef SEE_TIE			/* half of the votes and the lowest rank go on */
#define SAW_DECISION(v) SAW(before[v] && HALF(before[v], old[v]))
#elif defined(SEE_FORMED_LATE)	/* a chain that was left goes one step on */
#define SAW_DECISION(v) SAW(before[v] && root[v] != goes_on)
#else
#define SAW_DECISION(v)
#endif

#ifdef SEE_NEWCOMER		/* who restarted is let in again */
#define SAW_GOING(e) SAW(before[e] && (nodes[e] & ~old[e] & FIRST))
#elif defined(SEE_MIXED)	/* a suspended node and a restarted one form */
#define SAW_GOING(e) \
	SAW(!before[e] && (nodes[e] & old[e]) && (nodes[e] & ~old[e]))
#elif defined(SEE_TOTAL)	/* all have restarted, and form again */
#define SAW_GOING(e) SAW(!before[e] && nodes[e] == 7 && !old[e])
#elif defined(SEE_GOES_ON)	/* a formed chain goes on */
#define SAW_GOING(e) SAW(before[e] && root[e] != 1)
#elif defined(SEE_TWICE)	/* the first chain goes on twice */
#define SAW_GOING(e) SAW(before[e] && before[before[e]])
#elif defined(SEE_REFORMED)	/* a third chain goes on after a second */
#define SAW_GOING(e) SAW((over & ~2) != 0)
#else
#define SAW_GOING(e)
#endif

/* ---- what is decided ---- */

inline decide(v)
{
	if
	:: decided & BIT(v)
	:: else ->
		printf("decided: epoch %d after %d, nodes %d\n", v, before[v],
		       nodes[v]);
		SAW_DECISION(v)
		decided = decided | BIT(v);
		if
		:: before[v] ->
			assert(AGREEMENT || !succ[before[v]]);
			succ[before[v]] = v
		:: else
		fi
	fi
}

/* ---- a leader gives up: nothing that was said to it counts ---- */

inline forget(b)
{
	pm[b] = 0;
	k = 0;
	do
	:: k < N -> pacc[EN(b, k)] = 0; pep[EN(b, k)] = 0; k++
	:: else -> break
	od
}

/* Ballots below b that n leads, of instance w or, if that is 0, of any. */
inline give_up(n, b, w)
{
	i = 2;
	do
	:: i < b ->
		if
		:: lead[i] == n && !val[i] && (w == 0 || inst[i] == w) ->
			forget(i);
			k = 0;
			do
			:: k < N -> pinc[EN(i, k)] = 0; k++
			:: else -> break
			od;
			lead[i] = NOBODY;
			inst[i] = GIVEN_UP
		:: lead[i] == n && val[i] && (w == 0 || inst[i] == w) ->
			counts[i] = 0
		:: else
		fi;
		i++
	:: else -> break
	od
}

/* ---- ballots ---- */

inline promise(n, b)
{
	printf("%d.%d promises ballot %d of instance %d\n", n, inc[n], b,
	       inst[b]);
	give_up(n, b, inst[b]);
	if
	:: inst[b] == FORMATION ->
		fprom[n] = b;
		if
		:: !val[b] ->
			pacc[EN(b, n)] = facc[n];
			pep[EN(b, n)] = ep[n]
		:: else
		fi
	:: else ->
		rprom[n] = b;
		if
		:: !val[b] -> pacc[EN(b, n)] = racc[n]
		:: else
		fi
	fi;
	if
	:: !val[b] -> pm[b] = pm[b] | BIT(n)
	:: else
	fi
}

inline begin(n, b, w)
{
	printf("%d.%d leads ballot %d\n", n, inc[n], b);
	give_up(n, B + 1, 0);
	lead[b] = n;
	counts[b] = 1;
	inst[b] = w;
	if	/* those who are asked, as who they are now */
	:: w == FORMATION ->
		k = 0;
		do
		:: k < N -> pinc[EN(b, k)] = inc[k]; k++
		:: else -> break
		od
	:: else
	fi;
	promise(n, b)
}

/* The highest ballot accepted that those in p name, into best; their epochs. */
inline highest(b, p)
{
	i = 0;
	best = 0;
	top = 0;
	do
	:: i < N ->
		if
		:: (p) & BIT(i) ->
			best = (pacc[EN(b, i)] > best -> pacc[EN(b, i)] : best);
			top = (pep[EN(b, i)] > top -> pep[EN(b, i)] : top)
		:: else
		fi;
		i++
	:: else -> break
	od
}

/* Who of epoch e ranks first among those with votes? */
inline name_lowest(e)
{
	k = 0;
	do
	:: k < N ->
		if
		:: (nodes[e] & BIT(k)) && VOTES(BIT(k)) &&
		   (lowest[e] == 0 || rank[EN(e, k)] < x) ->
			lowest[e] = BIT(k);
			x = rank[EN(e, k)]
		:: else
		fi;
		k++
	:: else -> break
	od
}

inline give_ranks(b, p, j)
{
	i = 0;
	do
	:: i < N ->
		x = 0;
		k = 0;
		do
		:: k < N ->
			if
			:: ((p) & BIT(i)) && ((p) & BIT(k)) ->
				x = x + (rank[EN(inst[b], k)] <
					 rank[EN(inst[b], i)])
			:: ((j) & BIT(i)) && (((p) & BIT(k)) ||
			   (((j) & BIT(k)) && k < i)) -> x++
			:: else
			fi;
			k++
		:: else -> break
		od;
		if
		:: ((p) | (j)) & BIT(i) -> rank[EN(b, i)] = x
		:: else
		fi;
		i++
	:: else -> break
	od
}

/* Those in p have promised and stay, those in j come in. */
inline propose(n, b, p, j)
{
	highest(b, p);
#ifdef NO_TAKE_HIGHEST_ACCEPTED
	best = 0;
#endif
	if
	:: best -> val[b] = val[best]; asked[b] = 1
	:: else ->
#ifdef NO_FLUSH_BEFORE_VOTE
		asked[b] = 1;
#endif
		val[b] = b;
		before[b] = inst[b];
		root[b] = root[inst[b]];
		old[b] = p;
		give_ranks(b, p, j);
		i = 0;
		do
		:: i < N ->
			if
			:: (p) & BIT(i) -> einc[EN(b, i)] = einc[EN(inst[b], i)]
			:: (j) & BIT(i) -> einc[EN(b, i)] = inc[i]
			:: else
			fi;
			i++
		:: else -> break
		od;
		nodes[b] = (p) | (j);
		name_lowest(b)
	fi;
	printf("%d.%d proposes in ballot %d epoch %d\n", n, inc[n], b, val[b]);
	forget(b)
}

/* Does i come before k? The younger epoch, in it the rank, then the id. */
#define FORMED_BEFORE(b, k, i) \
	(pep[EN(b, k)] > pep[EN(b, i)] || (pep[EN(b, k)] == pep[EN(b, i)] && \
	 ((pep[EN(b, k)] && rank[EN(pep[EN(b, k)], k)] < \
	   rank[EN(pep[EN(b, i)], i)]) || (!pep[EN(b, k)] && k < i))))

/*
 * A formation accepted binds nobody when one of those who promised is in its
 * epoch or a later one, or when none of them is in it. (V10 holds if it never
 * binds anybody: it spares those who have installed it another formation.)
 */
inline form(n, b, p)
{
	highest(b, p);
	bonds = 0;
	if
	:: best && val[best] > top ->
		i = 0;
		do
		:: i < N ->
			if
			:: ((p) & BIT(i)) &&
			   einc[EN(val[best], i)] == pinc[EN(b, i)] -> bonds = 1
			:: else
			fi;
			i++
		:: else -> break
		od
	:: else
	fi;
	if
	:: bonds -> val[b] = val[best]
	:: else ->
		val[b] = b;
		root[b] = b;
		i = 0;
		do
		:: i < N ->
			x = 0;
			k = 0;
			do
			:: k < N ->
				if
				:: ((p) & BIT(k)) && FORMED_BEFORE(b, k, i) -> x++
				:: else
				fi;
				k++
			:: else -> break
			od;
			if
			:: (p) & BIT(i) ->
				rank[EN(b, i)] = x;
				einc[EN(b, i)] = pinc[EN(b, i)];
				old[b] = old[b] | (pep[EN(b, i)] -> BIT(i) : 0)
			:: else
			fi;
			i++
		:: else -> break
		od;
		nodes[b] = p;
		name_lowest(b)
	fi;
	printf("%d.%d forms in ballot %d epoch %d\n", n, inc[n], b, val[b]);
	asked[b] = 1;
	forget(b)
}

inline ready(n, b)
{
	printf("%d.%d is ready for ballot %d\n", n, inc[n], b);
	rdy[b] = rdy[b] | BIT(n);
	if
	:: (rdy[b] & nodes[b]) == nodes[b] -> asked[b] = 1; rdy[b] = 0
	:: else
	fi
}

inline accept(n, b)
{
	printf("%d.%d accepts ballot %d\n", n, inc[n], b);
	give_up(n, b, inst[b]);
	voted[b] = voted[b] | BIT(n);
	if
	:: inst[b] == FORMATION ->
		facc[n] = b;
		fprom[n] = b;
#ifndef NO_FORMATION_LEAVES_OLD
		if
		:: ep[n] -> left[n] = 1; racc[n] = 0
		:: else
		fi
#endif
	:: else ->
		racc[n] = b;
		rprom[n] = b
	fi
}

/* ---- installation, and the opposite ---- */

inline enter(n, e)
{
	printf("%d.%d installs epoch %d\n", n, inc[n], e);
	give_up(n, B + 1, 0);
	ep[n] = e;
	rprom[n] = 0;
	racc[n] = 0;
	facc[n] = 0;
	left[n] = 0;
	if
	:: GOES_ON(e) ->
		assert(V10 || !(over & BIT(root[e])));
		i = 1;
		do
		:: i <= B ->
			x = root[i] != root[e] && GOES_ON(i);
			assert(V10 || !x);
			i++
		:: else -> break
		od;
		if
		:: goes_on != root[e] ->
			over = over | BIT(goes_on);
			goes_on = root[e]
		:: else
		fi;
		SAW_GOING(e)
	:: else
	fi
}

inline restart(n)
{
	printf("%d.%d restarts\n", n, inc[n]);
	restarts++;
	give_up(n, B + 1, 0);
#ifndef NO_NEW_INCARNATION
	inc[n] = inc[n] + 1;
	ep[n] = 0;
#endif
	rprom[n] = 0;
	racc[n] = 0;
	fprom[n] = 0;
	facc[n] = 0;
	left[n] = 0
}

/* A leader that has left the chain meanwhile starts afresh. */
inline count(n, b)
{
	decide(val[b]);
	counts[b] = 0;
	if
	:: inst[b] != FORMATION && left[n] -> restart(n)
	:: else
	fi
}

/* ---- what a node may do ---- */

#ifdef NO_LEFT_STAYS_OUT
#define FOLLOWS(n) true
#else
#define FOLLOWS(n) (!left[n])
#endif

#define OPEN(n, b) (inst[b] == ep[n] && ep[n] && !left[n])

#ifdef ANY_ORDER
#define NEXT(b) (inst[b] == UNUSED)
#else
#define NEXT(b) (inst[b] == UNUSED && inst[b - 1] != UNUSED)
#endif

/* A newcomer promises nothing. */
#define IS_READY(n, b) \
	(((old[b] & BIT(n)) && OPEN(n, b) && rprom[n] == b) || \
	 (!(old[b] & BIT(n)) && einc[EN(b, n)] == inc[n] && ep[n] == 0))

#ifdef NO_ACCEPTED_BINDS
#define FREE(n, v) true
#else
#define FREE(n, v) (facc[n] == 0 || val[facc[n]] == (v) || facc[n] < (v))
#endif

#define MAY_ACCEPT(n, b) \
	((OPEN(n, b) && rprom[n] <= b && racc[n] < b) || \
	 (inst[b] == FORMATION && fprom[n] <= b && facc[n] < b && \
	  pinc[EN(b, n)] == inc[n]))

#define MAY_ENTER(n, v) \
	((decided & BIT(v)) && v > ep[n] && einc[EN(v, n)] == inc[n] && \
	 (before[v] -> \
	  (ep[n] == before[v] && FOLLOWS(n)) || \
	  (ep[n] == 0 && !(old[v] & BIT(n))) : FREE(n, v)))

/* ---- forget what nobody will look at: fewer states ---- */

#define NAMES(n, b) (racc[n] == (b) || facc[n] == (b))
#define TOLD(n, b) (pacc[EN(k, n)] == (b))
#define IN_IT(n, e) (ep[n] == (e))

inline tidy_ballot(b)
{
	x = 0;			/* who can still say READY, or vote */
	k = 0;
	do
	:: k < N ->
		if
		:: !asked[b] && (rdy[b] & BIT(k) || IS_READY(k, b)) ->
			x = x | BIT(k)
		:: asked[b] && MAY_ACCEPT(k, b) -> x = x | BIT(k)
		:: else
		fi;
		k++
	:: else -> break
	od;
	bonds = ANY(NAMES, b);
	k = 2;
	do
	:: k <= B -> bonds = bonds || ANY(TOLD, b); k++
	:: else -> break
	od;
	if
	:: !asked[b] ->
		if
		:: (nodes[b] & ~x) || !counts[b] -> val[b] = 0
		:: else
		fi
	:: else ->
		top = x | voted[b];
		if
		:: (decided & BIT(val[b])) || !counts[b] ||
		   (inst[b] == FORMATION && !MAJORITY(top)) ||
		   (inst[b] != FORMATION && !QUORUM(inst[b], top)) ->
			voted[b] = 0;
			counts[b] = 0
		:: else
		fi;
		if
		:: x == 0 && !counts[b] ->
			lead[b] = NOBODY;
			k = 0;
			do
			:: k < N -> pinc[EN(b, k)] = 0; k++
			:: else -> break
			od;
			val[b] = (bonds -> val[b] : 0)
		:: else
		fi
	fi;
	if
	:: val[b] == 0 ->
		inst[b] = GIVEN_UP;
		lead[b] = NOBODY;
		asked[b] = 0;
		counts[b] = 0;
		rdy[b] = 0
	:: else
	fi
}

inline tidy()
{
	i = 2;
	do
	:: i <= B ->
		if
		:: val[i] -> tidy_ballot(i)
		:: else
		fi;
		i++
	:: else -> break
	od;
	/* Epochs that nobody is in, comes to or proposes. */
	i = 1;
	do
	:: i <= B ->
		x = ANY(IN_IT, i) || ANY(MAY_ENTER, i);
		k = 2;
		do
		:: k <= B -> x = x || val[k] == i; k++
		:: else -> break
		od;
		k = 0;
		do
		:: !x && k < N -> einc[EN(i, k)] = 0; rank[EN(i, k)] = 0; k++
		:: else -> break
		od;
		if
		:: !x ->
			nodes[i] = 0;
			lowest[i] = 0;
			old[i] = 0;
			before[i] = 0;
			root[i] = 0
		:: else
		fi;
		i++
	:: else -> break
	od
}

/* ---- a node ---- */

#define LEADS(n, b) (lead[b] == (n) && !val[b] && \
	(inst[b] == FORMATION -> fprom[n] : rprom[n]) == (b))
#define BELOW(b, q, n) (!((q) & BIT(n)) || pep[EN(b, n)] < b)
#if N == 3
#define NEW(b, q) (BELOW(b, q, 0) && BELOW(b, q, 1) && BELOW(b, q, 2))
#else
#define NEW(b, q) (BELOW(b, q, 0) && BELOW(b, q, 1) && BELOW(b, q, 2) && \
		   BELOW(b, q, 3))
#endif

/* What may come next, and in which ballot: one is taken. */
#define MAY(when, a, w) :: d_step { (when) -> what = a; b = w }
#define BALLOT(w) \
	MAY(NEXT(w) && ep[me] && !left[me] && ep[me] < w && rprom[me] < w, \
	    LEAD, w) \
	MAY(NEXT(w) && ep[me] < w && fprom[me] < w, LEAD_FORMATION, w) \
	MAY(lead[w] != NOBODY && OPEN(me, w) && rprom[me] < w, PROMISE, w) \
	MAY(lead[w] != NOBODY && inst[w] == FORMATION && fprom[me] < w && \
	    pinc[EN(w, me)] == inc[me], PROMISE, w) \
	MAY(LEADS(me, w) && OPEN(me, w) && QUORUM(inst[w], pm[w]), PROPOSE, w) \
	MAY(LEADS(me, w) && inst[w] == FORMATION && MAJORITY(pm[w]), FORM, w) \
	MAY(val[w] && !asked[w] && IS_READY(me, w) && !(rdy[w] & BIT(me)), \
	    READY, w) \
	MAY(val[w] && lead[w] != NOBODY && asked[w] && MAY_ACCEPT(me, w), \
	    ACCEPT, w) \
	MAY(val[w] && lead[w] == me && counts[w] && \
	    (inst[w] == FORMATION -> MAJORITY(voted[w]) : \
	     QUORUM(inst[w], voted[w])), COUNT_VOTES, w) \
	MAY(MAY_ENTER(me, w), ENTER, w)

/* Of those who promised any may stay, and any who are fresh come in. */
#define PICK(n) \
	if \
	:: what != PROPOSE && what != FORM \
	:: (what == PROPOSE || what == FORM) && (pm[b] & BIT(n)) -> \
		p = p | BIT(n) \
	:: what == PROPOSE && ep[n] == 0 -> j = j | BIT(n) \
	:: what == PROPOSE || what == FORM -> skip \
	fi;

mtype = { LEAD, LEAD_FORMATION, PROMISE, PROPOSE, FORM, READY, ACCEPT,
	  COUNT_VOTES, ENTER, RESTART };

proctype node(byte me)
{
	mtype what;
	byte b, p, j;

end:	do
	:: atomic {
		if
		BALLOT(2)
#if B > 2
		BALLOT(3)
#endif
#if B > 3
		BALLOT(4)
#endif
#if B > 4
		BALLOT(5)
#endif
		MAY(restarts < RESTARTS, RESTART, 0)
		fi;
		PICK(0) PICK(1) PICK(2)
#if N > 3
		PICK(3)
#endif
		d_step {
			if
			:: what == LEAD -> begin(me, b, ep[me])
			:: what == LEAD_FORMATION -> begin(me, b, FORMATION)
			:: what == PROMISE -> promise(me, b)
			:: what == PROPOSE && (p & BIT(me)) &&
			   QUORUM(inst[b], p) && ENOUGH(p, j) ->
				propose(me, b, p, j)
			:: what == FORM && (p & BIT(me)) && MAJORITY(p) &&
			   NEW(b, p) -> form(me, b, p)
			:: what == READY -> ready(me, b)
			:: what == ACCEPT -> accept(me, b)
			:: what == COUNT_VOTES -> count(me, b)
			:: what == ENTER -> enter(me, b)
			:: what == RESTART -> restart(me)
			:: else
			fi;
			tidy();
			what = 0;
			b = 0;
			p = 0;
			j = 0
		}
	}
	od
}

init {
	d_step {
		root[1] = 1;
		inst[1] = GIVEN_UP;
		i = 0;
		do
		:: i < N ->
			rank[EN(1, i)] = i;
			if
			:: FIRST & BIT(i) -> einc[EN(1, i)] = 1; ep[i] = 1
			:: else
			fi;
			i++
		:: else -> break
		od;
		nodes[1] = FIRST;
		name_lowest(1)
	};
	atomic {
		run node(0);
		run node(1);
		run node(2);
#if N > 3
		run node(3)
#endif
	}
}
