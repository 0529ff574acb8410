# SPDX-License-Identifier: GPL-2.0
"""V2 and V8: who goes on together has delivered the same."""

from __future__ import annotations

from collections import Counter, defaultdict

from finding import Findings, some
from run import SAFE, Address, Delivery, Member, Run, Segment, ViewId, \
    view_text

Course = tuple[str, ViewId, ViewId | None]
"""A group, a view of it, and the next one (None: the end of the run)."""


def check(run: Run, findings: Findings) -> None:
    """Runs the checks of agreement over a history."""
    for course, segments in courses(run).items():
        _check_equal_sets(run, course, segments, findings)
    _check_uniform(run, findings)


def courses(run: Run) -> dict[Course, list[Segment]]:
    """Who took the same way: out of one view into one other, unsuspended.

    Members in good state at the end of the run are taken as going on into
    one view: nothing more happens, so what differs then stays so.
    """
    found: dict[Course, list[Segment]] = defaultdict(list)
    for member in run.members.values():
        for segment in member.segments:
            if segment.goes_on():
                after = segment.next.view if segment.next else None
                found[(member.group, segment.view, after)].append(segment)
    return found


def course_text(course: Course) -> str:
    """The course in words."""
    group, view, after = course
    end = f"to {view_text(after)}" if after else "to the end"
    return f"group {group}, from view {view_text(view)} {end}"


def _check_equal_sets(run: Run, course: Course, segments: list[Segment],
                      findings: Findings) -> None:
    """V2: one set of messages to all. The deviants are named against the set
    that most members have."""
    if all(segment.ids == segments[0].ids for segment in segments):
        return
    sets = Counter(frozenset(segment.ids) for segment in segments)
    most = sets.most_common(1)[0][0]
    model = next(segment for segment in segments if segment.ids == most)
    for segment in segments:
        lacking, extra = most - segment.ids, segment.ids - most
        if lacking or extra:
            parts = []
            if lacking:
                parts.append(f"lacks {some(lacking)}")
            if extra:
                parts.append(f"has besides {some(extra)}")
            findings.add(2, segment.line,
                         f"{course_text(course)}: member"
                         f" {segment.member.name} {' and '.join(parts)},"
                         f" compared with {model.member.name},"
                         f" {run.place.text(model.line)}")


def _check_uniform(run: Run, findings: Findings) -> None:
    """V8: what one member delivers as safe, all who go on deliver.

    "All" are the members that the view lists, also one that goes on from an
    older view past this one: it is bound just as if it had seen it.
    """
    safe: dict[tuple[str, ViewId], dict[str, Delivery]] = defaultdict(dict)
    lists: dict[tuple[str, ViewId], tuple[Address, ...]] = {}
    for member in run.members.values():
        for segment in member.segments:
            key = (member.group, segment.view)
            lists.setdefault(key, segment.members)
            for delivery in segment.deliveries:
                message = delivery.message
                if message is not None and message.order == SAFE:
                    safe[key].setdefault(delivery.id, delivery)
    passed = _passed_views(run, set(safe))
    for member in run.members.values():
        for segment in member.segments:
            due = safe.get((member.group, segment.view))
            if due and segment.goes_on() and not due.keys() <= segment.ids:
                _report_uniform(run, due, segment, segment.view, findings)
    for (group, view), segments in passed.items():
        for segment in segments:
            if segment.self in lists[(group, view)]:
                _report_uniform(run, safe[(group, view)], segment, view,
                                findings)


def _passed_views(run: Run, keys: set[tuple[str, ViewId]]
                  ) -> dict[tuple[str, ViewId], list[Segment]]:
    views: dict[str, list[ViewId]] = defaultdict(list)
    for group, view in keys:
        views[group].append(view)
    passed: dict[tuple[str, ViewId], list[Segment]] = defaultdict(list)
    for member in run.members.values():
        for segment in member.segments:
            if segment.next is None:
                continue
            for view in views[member.group]:
                if segment.view < view < segment.next.view:
                    passed[(member.group, view)].append(segment)
    return passed


def _report_uniform(run: Run, due: dict[str, Delivery], segment: Segment,
                    view: ViewId, findings: Findings) -> None:
    missing = due.keys() - segment.ids
    if not missing:
        return
    witness: Member = due[min(missing)].member
    findings.add(8, segment.line,
                 f"member {segment.member.name} goes on from view"
                 f" {view_text(view)} of group {segment.member.group} without"
                 f" safe {some(missing)}, which {witness.name} delivered at"
                 f" {run.place.text(due[min(missing)].line)}")
