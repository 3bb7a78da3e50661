"""A schedule without some of its faults, or with one of them changed, still in one piece. PURE.

Faults refer to one another by place. What waited for a fault that is gone waits for what that fault
waited for; what was aimed at the node of a fault that is gone is aimed at that fault's own target.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

from harness.schedule.moments import AfterSeconds, AtPoint, WithFault
from harness.schedule.processes import Kill, Pause
from harness.schedule.reach import sole_node
from harness.schedule.targets import Former, Instance, Node, NodeLike, Nodes
from harness.schedule.values import Fault, Schedule

_LOST_S = 2.0
"""How long a fault lasts whose end was the state of one that is gone."""


def without(schedule: Schedule, places: Iterable[int]) -> Schedule:
    """Return the schedule without the faults at these places."""
    faults = list(schedule.faults)
    for place in sorted(places, reverse=True):
        faults = _without_one(faults, place)
    return replace(schedule, faults=tuple(faults))


def changed(schedule: Schedule, place: int, fault: Fault) -> Schedule:
    """Return the schedule with another fault at that place."""
    faults = (*schedule.faults[:place], fault, *schedule.faults[place + 1 :])
    return replace(schedule, faults=faults)


def _without_one(faults: Sequence[Fault], gone: int) -> list[Fault]:
    lost = faults[gone]
    kept = (fault for place, fault in enumerate(faults) if place != gone)
    return [_reaimed(_retimed(fault, lost, gone), lost, gone) for fault in kept]


def _retimed(fault: Fault, lost: Fault, gone: int) -> Fault:
    trigger, end = fault.trigger, fault.end
    if isinstance(trigger, WithFault):
        trigger = _earlier(trigger, fault, lost) if trigger.fault == gone else _moved(trigger, gone)
    if isinstance(end, WithFault):
        instead = lost.end if isinstance(lost.end, AfterSeconds) else AfterSeconds(seconds=_LOST_S)
        end = instead if end.fault == gone else _moved(end, gone)
    timed: Any = fault
    result: Fault = replace(timed, trigger=trigger, end=end)
    return result


def _earlier(trigger: WithFault, fault: Fault, lost: Fault) -> Any:  # noqa: ANN401  # any trigger
    """Return when a fault starts whose trigger was a state of a fault that is gone."""
    before = lost.trigger
    if isinstance(before, AfterSeconds | WithFault):
        return replace(before, seconds=before.seconds + trigger.seconds)
    strikes = isinstance(fault, Kill | Pause) and isinstance(fault.target, Instance)
    if isinstance(before, AtPoint) and not strikes:
        return AfterSeconds(seconds=0.5 + trigger.seconds)
    return before


def _moved(moment: WithFault, gone: int) -> WithFault:
    return replace(moment, fault=moment.fault - (moment.fault > gone))


def _reaimed(fault: Fault, lost: Fault, gone: int) -> Fault:
    """Return the fault with every `Former` of it naming the right place, or the lost target."""

    def aimed(target: NodeLike) -> NodeLike:
        if not isinstance(target, Former):
            return target
        if target.fault == gone:
            return sole_node(lost) or Node(number=1)
        return replace(target, fault=target.fault - (target.fault > gone))

    changes: dict[str, Any] = {}
    for each in fields(fault):
        value = getattr(fault, each.name)
        if isinstance(value, Former):
            changes[each.name] = aimed(value)
        elif isinstance(value, Nodes):
            members = tuple(aimed(member) for member in value.members)
            changes[each.name] = replace(value, members=members)
        elif each.name == "nodes":
            changes[each.name] = tuple(aimed(node) for node in value)
    every: Any = fault
    result: Fault = replace(every, **changes) if changes else fault
    return result
