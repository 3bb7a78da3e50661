"""What is milder than a schedule by one step: shorter, softer, fewer, smaller. PURE."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.schedule.moments import AfterCount, AfterSeconds
from harness.schedule.network import Damage, Flavour, Isolate
from harness.schedule.processes import Amnesia, Kill, KillRecovering
from harness.schedule.subset import changed
from harness.schedule.targets import Instance, Nodes, Role
from harness.schedule.values import Fault, Schedule

LEAST_S = 0.3
_LEAST_COUNT = 20
_LEAST_RATE = 50
_WARM = 100
_TWO = 2
_SOFTER: Mapping[Flavour, Damage] = {
    "reset": Damage(flavour="refuse"),
    "drop": Damage(flavour="hold"),
    "refuse": Damage(flavour="hold"),
    "hold": Damage(flavour="latency", amount=600),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weaker:
    """A schedule that is milder by one step."""

    schedule: Schedule
    what: str


def weaker(schedule: Schedule) -> Iterator[Weaker]:
    """Yield every schedule that is milder by one step, those that shorten the run first."""
    for place, fault in enumerate(schedule.faults):
        for milder, what in _milder(fault, rate_per_s=schedule.workload.rate_per_s):
            yield Weaker(
                schedule=changed(schedule, place, milder), what=f"fault {place} ({fault}): {what}"
            )
    yield from _smaller(schedule)


def _milder(fault: Fault, *, rate_per_s: int) -> Iterator[tuple[Fault, str]]:
    every: Any = fault
    end, trigger = fault.end, fault.trigger
    if isinstance(end, AfterSeconds) and end.seconds >= 2 * LEAST_S:
        half = AfterSeconds(seconds=round(end.seconds / 2, 2))
        yield replace(every, end=half), f"{half} in place of {end}"
    if isinstance(end, AfterCount) and end.count >= 2 * _LEAST_COUNT:
        fewer = replace(end, count=end.count // 2)
        yield replace(every, end=fewer), f"until {fewer} in place of {end}"
    yield from _softer(fault)
    yield from _fewer(fault)
    if isinstance(trigger, AfterSeconds) and rate_per_s:
        event = AfterCount(event="acked", count=_WARM + int(trigger.seconds * rate_per_s))
        yield replace(every, trigger=event), f"after {event} in place of {trigger}"


def _softer(fault: Fault) -> Iterator[tuple[Fault, str]]:
    every: Any = fault
    damage = getattr(fault, "damage", None)
    if getattr(fault, "flap_s", None) is not None:
        yield replace(every, flap_s=None), "without flapping"
    if isinstance(damage, Damage) and damage.flavour in _SOFTER:
        softer = _SOFTER[damage.flavour]
        yield replace(every, damage=softer), f"{softer} in place of {damage}"
    if isinstance(fault, Isolate) and fault.cut_from == "everyone":
        yield replace(fault, cut_from="peers"), "from peers in place of everyone"
    if isinstance(fault, Amnesia) and fault.loses == "log":
        yield replace(fault, loses="tail"), "only the unflushed tail is lost"
    if isinstance(fault, Amnesia | KillRecovering):
        killed = Kill(target=fault.target, trigger=fault.trigger, end=fault.end)
        yield killed, "a plain kill"


def _fewer(fault: Fault) -> Iterator[tuple[Fault, str]]:
    every: Any = fault
    target = getattr(fault, "target", None)
    if isinstance(target, Nodes) and len(target.members) > 1:
        fewer: object = replace(target, members=target.members[:-1])
        if len(target.members) == _TWO:
            fewer = target.members[0]
        yield replace(every, target=fewer), f"{fewer} in place of {target}"
    # What is scaled is a role as a whole; every other fault of a role can strike one instance.
    if isinstance(target, Role) and fault.kind != "scale":
        one = Instance(role=target.role)
        yield replace(every, target=one), f"{one} in place of {target}"


def _smaller(schedule: Schedule) -> Iterator[Weaker]:
    load = schedule.workload
    if load.batch > 1:
        single = replace(load, batch=1)
        yield Weaker(schedule=replace(schedule, workload=single), what="one message a transaction")
    if load.rate_per_s >= 2 * _LEAST_RATE:
        slower = replace(load, rate_per_s=load.rate_per_s // 2)
        what = f"{slower.rate_per_s} messages a second"
        yield Weaker(schedule=replace(schedule, workload=slower), what=what)
