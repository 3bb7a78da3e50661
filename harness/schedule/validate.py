"""Refuse what cannot be played before anything is touched. PURE."""

from collections.abc import Iterator, Mapping

from harness.errors import UsageError
from harness.schedule.values import (
    AfterCount,
    AfterSeconds,
    AtPoint,
    Cut,
    Fault,
    Follower,
    Instance,
    Kill,
    Leader,
    Node,
    Pause,
    Schedule,
    Target,
)

NODE_NUMBERS = (1, 2, 3)


def check_schedule(
    schedule: Schedule, *, topics: Mapping[str, int], roles: Mapping[str, int]
) -> None:
    """Raise one UsageError that names every impossible fault.

    `topics` maps logical names to partition counts, `roles` maps names to instance counts.
    """
    problems = [
        f"fault {number} ({fault}): {problem}"
        for number, fault in enumerate(schedule.faults)
        for problem in _problems(fault, topics, roles)
    ]
    if problems:
        raise UsageError(
            "The schedule cannot be played on this pipeline:\n  " + "\n  ".join(problems),
            remedy=f"its topics are {dict(topics)}, its roles {dict(roles)}, its nodes 1 to 3",
        )


def _problems(fault: Fault, topics: Mapping[str, int], roles: Mapping[str, int]) -> Iterator[str]:
    targets: list[Target] = [fault.target]
    if isinstance(fault, Cut):
        targets.append(fault.source)
    for target in targets:
        yield from _target_problems(target, topics, roles)
    if isinstance(fault.trigger, AtPoint):
        if not (isinstance(fault, Kill) and isinstance(fault.target, Instance)):
            yield "only the kill of a role can wait for a crash point"
        if fault.trigger.passes < 1:
            yield f"a crash point is passed once or more, not {fault.trigger.passes} times"
    for moment in (fault.trigger, fault.end):
        if isinstance(moment, AfterSeconds) and moment.seconds < 0:
            yield f"{moment.seconds:g} s lie in the past"
        if isinstance(moment, AfterCount) and moment.count < 0:
            yield f"{moment.count} {moment.event} cannot be"
    if isinstance(fault, Kill | Pause) and isinstance(fault.target, Instance):
        yield from _own_end_problems(fault, roles)


def _target_problems(
    target: Target, topics: Mapping[str, int], roles: Mapping[str, int]
) -> Iterator[str]:
    if isinstance(target, Node) and target.number not in NODE_NUMBERS:
        yield f"there is no {target}"
    if isinstance(target, Leader | Follower):
        if target.topic not in topics:
            yield f"there is no topic {target.topic}"
        elif not 0 <= target.partition < topics[target.topic]:
            yield f"{target.topic} has no partition {target.partition}"
    if isinstance(target, Instance):
        if target.role not in roles:
            yield f"there is no role {target.role}"
        elif not 0 <= target.number < roles[target.role]:
            yield f"there is no {target}: {target.role} has {roles[target.role]} instance(s)"


def _own_end_problems(fault: Kill | Pause, roles: Mapping[str, int]) -> Iterator[str]:
    """Yield an end that only the absent role could bring about."""
    target, end = fault.target, fault.end
    alone = isinstance(target, Instance) and roles.get(target.role) == 1
    if alone and isinstance(target, Instance) and isinstance(end, AfterCount):
        counts = {"acked": "relay", "processed": "consumer"}[end.event]
        if target.role == counts:
            yield f"it ends after {end}, but its only {target.role} is away"
