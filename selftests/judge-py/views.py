# SPDX-License-Identifier: GPL-2.0
"""V1 and V10: what a member may see as its views, and what nodes may."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from finding import Findings, some
from run import (Address, Member, NodeView, Run, Segment, ViewId,
                 address_text, view_text)


def check(run: Run, findings: Findings) -> None:
    """Runs the checks of views over a history."""
    _check_own_views(run, findings)
    _check_equal_lists(run, findings)
    _check_addresses(run, findings)
    _check_node_views(run, findings)
    _check_members_in_node_view(run, findings)
    # Views without a quorum are of no chain, says the property.
    if run.has_quorums():
        _check_node_chain(run, findings)
        _check_group_chain(run, findings)
    _check_one_chain_at_end(run, findings)
    _check_one_view_at_end(run, findings)


def _check_own_views(run: Run, findings: Findings) -> None:
    """V1 at one member: its views contain it and their ids grow.

    The property asks the first view to contain the member. Of the later ones
    all do but that which a leaver, or one that is put out, is shown as its
    last: the one without it. Its address stays the same from view to view,
    or the view would contain another member; after a suspension its node may
    have come back as a new incarnation.
    """
    for member in run.members.values():
        last: Segment | None = None
        for segment in member.segments:
            what = f"member {member.name}, view {view_text(segment.view)}"
            if segment.self not in segment.members and (
                    last is None or member.closed == "end" or
                    segment is not member.segment):
                findings.add(1, segment.line, f"{what}: does not contain it"
                             f" ({address_text(segment.self)})")
            if segment.barred in ("left", "evicted"):
                findings.add(1, segment.line, f"{what}: comes after"
                             f" {segment.barred!r}")
            if last is not None:
                if segment.view <= last.view:
                    findings.add(1, segment.line, f"{what}: does not grow,"
                                 f" view {view_text(last.view)} came before")
                if segment.self != last.self and not last.suspended:
                    findings.add(1, segment.line, f"{what}: its address went"
                                 f" from {address_text(last.self)} to"
                                 f" {address_text(segment.self)} without a"
                                 " suspension")
            last = segment


def _check_equal_lists(run: Run, findings: Findings) -> None:
    """V1 across members: one id, one list in one rank order, no one twice."""
    known: dict[tuple[str, ViewId], Segment] = {}
    for member in run.members.values():
        for segment in member.segments:
            first = known.setdefault((member.group, segment.view), segment)
            what = f"group {member.group}, view {view_text(segment.view)}"
            if first is segment:
                if len(set(segment.members)) != len(segment.members):
                    findings.add(1, segment.line,
                                 f"{what}: member {member.name} sees a member"
                                 " listed twice")
            elif segment.members != first.members:
                findings.add(1, segment.line,
                             f"{what}: members {member.name} and"
                             f" {first.member.name} see different lists, the"
                             f" other at {run.place.text(first.line)}")


def _check_addresses(run: Run, findings: Findings) -> None:
    """V1: an address within a group names one member, whoever lists it."""
    owner: dict[tuple[str, Address], Member] = {}
    for member in run.members.values():
        for segment in member.segments:
            first = owner.setdefault((member.group, segment.self), member)
            if first is not member:
                findings.add(1, segment.line,
                             f"members {first.name} and {member.name} of group"
                             f" {member.group} both are"
                             f" {address_text(segment.self)}")
                break


def _check_node_views(run: Run, findings: Findings) -> None:
    """V10: one epoch, one view, that goes on from one; a node's epochs grow.

    What a view goes on from is said of the view: who is let in has not been
    there. Where no time is told, that numbers grow is taken for granted
    (run.in_order).
    """
    first: dict[int, NodeView] = {}
    went_on: dict[int, NodeView] = {}
    last: dict[int, NodeView] = {}
    for view in run.node_views:
        what = f"epoch {view.epoch} at node {view.node}"
        other = first.setdefault(view.epoch, view)
        if view.nodes != other.nodes:
            findings.add(10, view.line,
                         f"{what}: another view than at node {other.node},"
                         f" {run.place.text(other.line)}")
        if (view.node, view.inc) not in view.nodes:
            findings.add(10, view.line, f"{what}: the node is not in it")
        if len(set(view.nodes)) != len(view.nodes):
            findings.add(10, view.line, f"{what}: a node is listed twice")
        if view.before:
            other = went_on.setdefault(view.epoch, view)
            if view.before != other.before:
                findings.add(10, view.line,
                             f"{what}: goes on from {view.before}, at node"
                             f" {other.node} from {other.before},"
                             f" {run.place.text(other.line)}")
        previous = last.get(view.node)
        last[view.node] = view
        if previous is None:
            continue
        if view.epoch <= previous.epoch:
            findings.add(10, view.line, f"{what}: does not grow, epoch"
                         f" {previous.epoch} came before")


def _check_node_chain(run: Run, findings: Findings) -> None:
    """V10: no view goes on from another past one that was installed.

    Whatever was installed anywhere was decided, so the next of the chain goes
    on from it. This finds two views that go on from one, and a chain that
    goes on when a later one has been formed. That the earlier of two chains
    went on by itself in time, with lower numbers, no history without a clock
    can show; see _check_one_chain_at_end for its end.

    The property speaks of views with quorum. A node that starts is alone in a
    view that follows no other: nobody agreed to it, and it is of no chain.
    """
    installed = sorted({view.epoch for view in run.node_views
                        if view.before or len(view.nodes) > 1})
    for view in run.node_views:
        if not view.before:
            continue
        what = f"epoch {view.epoch} at node {view.node}"
        if view.before >= view.epoch:
            findings.add(10, view.line, f"{what}: goes on from {view.before}")
            continue
        between = installed[bisect_right(installed, view.before):
                            bisect_left(installed, view.epoch)]
        if between:
            findings.add(10, view.line,
                         f"{what}: goes on from {view.before}, though others"
                         f" installed {' '.join(map(str, between[:5]))}")


def _check_members_in_node_view(run: Run, findings: Findings) -> None:
    """V10: a group view belongs to a node view that holds all its nodes.

    Only nodes are compared, and only for epochs whose installation is in the
    history: not every history has those lines for every node.
    """
    nodes = {view.epoch: {node for node, _ in view.nodes}
             for view in run.node_views}
    seen: set[tuple[str, ViewId]] = set()
    for member in run.members.values():
        for segment in member.segments:
            key = (member.group, segment.view)
            known = nodes.get(segment.view[0])
            if key in seen or known is None:
                continue
            seen.add(key)
            strangers = [address_text(address) for address in segment.members
                         if address[0] not in known]
            if strangers:
                findings.add(10, segment.line,
                             f"group {member.group}, view"
                             f" {view_text(segment.view)} (member"
                             f" {member.name}): {some(strangers)} not in node"
                             f" view {segment.view[0]}")


def _check_group_chain(run: Run, findings: Findings) -> None:
    """V10 as groups see it: nobody goes past a view that others lived in.

    A view that only crashed or suspended members saw need not be one of the
    others' (V2 speaks of those who go on). One member that took it into a
    later epoch, or to the end of the run, makes it a view of the chain:
    others that go on past it are in another chain.
    """
    lived: dict[str, set[ViewId]] = {}
    for member in run.members.values():
        views = lived.setdefault(member.group, set())
        last = member.segments[-1] if member.segments else None
        in_chain = False
        for segment in reversed(member.segments):
            if segment.next is None:
                in_chain = segment is last and segment.stays
            elif segment.next.view[0] > segment.view[0]:
                in_chain = True
            if in_chain:
                views.add(segment.view)
    chains = {group: sorted(views) for group, views in lived.items()}
    for member in run.members.values():
        chain = chains[member.group]
        for segment in member.segments:
            if segment.next is None:
                continue
            between = chain[bisect_right(chain, segment.view):
                            bisect_left(chain, segment.next.view)]
            if between:
                findings.add(10, segment.next.line,
                             f"member {member.name} goes from view"
                             f" {view_text(segment.view)} to"
                             f" {view_text(segment.next.view)}, others of"
                             f" group {member.group} live in"
                             f" {some(map(view_text, between))}")


def _check_one_chain_at_end(run: Run, findings: Findings) -> None:
    """V10: members in good state at the end are on nodes of one view."""
    last: dict[int, NodeView] = {view.node: view for view in run.node_views}
    first: tuple[Member, NodeView] | None = None
    for member in run.members.values():
        if not member.correct() or member.segment is None:
            continue
        view = last.get(member.segment.self[0])
        if view is None:
            continue
        if first is None:
            first = (member, view)
        elif view.epoch != first[1].epoch:
            findings.add(10, view.line,
                         f"at the end node {view.node} of member"
                         f" {member.name} goes on in epoch {view.epoch}, node"
                         f" {first[1].node} of {first[0].name} in"
                         f" {first[1].epoch},"
                         f" {run.place.text(first[1].line)}")


def _check_one_view_at_end(run: Run, findings: Findings) -> None:
    """V11: when all is quiet, a group's members share one view.

    That the time is over in which they had to get there is what the end of a
    member says: nothing is under way any more. So it is not one that still
    waits for its first view, or to be resumed. One that was resumed without a
    view after that is in the one it had.
    """
    first: dict[str, Segment] = {}
    for member in run.members.values():
        if member.closed != "end":
            continue
        segment = member.segment
        if segment is None or not member.correct():
            findings.add(11, segment.line if segment else member.line,
                         f"at the end member {member.name} of group"
                         f" {member.group} is in no view")
            continue
        other = first.setdefault(member.group, segment)
        if segment.view != other.view:
            findings.add(11, segment.line,
                         f"at the end member {member.name} of group"
                         f" {member.group} is in view"
                         f" {view_text(segment.view)},"
                         f" {other.member.name} in {view_text(other.view)},"
                         f" {run.place.text(other.line)}")
