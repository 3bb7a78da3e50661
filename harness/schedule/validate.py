"""Refuse what cannot be played before anything is touched. PURE."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from harness.errors import UsageError
from harness.schedule import budget
from harness.schedule.moments import (
    POINT_BYTES,
    AfterCount,
    AfterSeconds,
    AtIsr,
    AtPoint,
    WithFault,
)
from harness.schedule.network import UNITS, Damage, Frames, Partition
from harness.schedule.operations import (
    AddPartitions,
    ConfigureNodes,
    ConfigureTopic,
    MoveLeader,
    Reassign,
)
from harness.schedule.overlap import RESYNC_S
from harness.schedule.processes import (
    Amnesia,
    Kill,
    KillRecovering,
    Pause,
    RestartStorm,
    Scale,
    Skew,
    Stop,
)
from harness.schedule.reach import NODE_NUMBERS
from harness.schedule.targets import (
    Follower,
    Former,
    Instance,
    Leader,
    LockService,
    Node,
    Nodes,
    Role,
)
from harness.schedule.values import Fault, Operation, Schedule

SLOTS = 8
_NODES_OF_SHAPE = {"pair": 2, "bridge": 1, "ring": 0, "minority": 1, "followers": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pipeline:
    """What faults can be aimed at: partition counts by topic, instance counts by role, servers."""

    topics: Mapping[str, int]
    roles: Mapping[str, int]
    lock_services: Collection[str]


def check_schedule(
    schedule: Schedule,
    *,
    topics: Mapping[str, int],
    roles: Mapping[str, int],
    lock_services: Collection[str] = (),
) -> None:
    """Raise one UsageError that names every impossible fault, or what is beyond the budget.

    `topics` maps logical names to partition counts, `roles` maps names to instance counts;
    `lock_services` are those that its roles use.
    """
    pipeline = _Pipeline(topics=topics, roles=roles, lock_services=lock_services)
    problems = [
        f"fault {place} ({fault}): {problem}"
        for place, fault in enumerate(schedule.faults)
        for problem in _problems(place, schedule.faults, pipeline)
    ]
    if problems:
        raise UsageError(
            "The schedule cannot be played on this pipeline:\n  " + "\n  ".join(problems),
            remedy=f"its topics are {dict(topics)}, its roles {dict(roles)}, its nodes 1 to 3",
        )
    if beyond := budget.problems(schedule):
        raise UsageError(
            f"The schedule is beyond the {schedule.budget} budget:\n  " + "\n  ".join(beyond),
            remedy='state budget="over", or let the later one start `.when(…, "verified", '
            f"seconds={RESYNC_S:g})`",
        )


def most_instances(role: str, roles: Mapping[str, int]) -> int:
    """Return to how many instances a role can be scaled: each that is added has its own links."""
    others = sum(count for name, count in roles.items() if name != role)
    return max(roles.get(role, 0), SLOTS - others)


def _problems(place: int, faults: Sequence[Fault], pipeline: _Pipeline) -> Iterator[str]:
    fault = faults[place]
    for part in _parts(fault):
        yield from _target_problems(part, place, pipeline)
        if isinstance(part, Damage):
            yield from _damage_problems(part)
        yield from _moment_problems(part, place, len(faults), pipeline)
    yield from _nobody_problems(fault, faults, pipeline)
    yield from _trigger_problems(fault, place)
    yield from _point_problems(fault, faults[:place])
    yield from _own_problems(fault, pipeline)
    yield from _own_end_problems(fault, pipeline.roles)


def _parts(fault: object) -> Iterator[object]:
    """Yield every value inside a fault: targets, moments, damage; members of tuples too."""
    for each in fields(fault):  # type: ignore[arg-type]  # every fault is a dataclass
        value = getattr(fault, each.name)
        if isinstance(value, tuple):
            yield from value
        elif isinstance(value, Nodes):
            yield value
            yield from value.members
        else:
            yield value


def _target_problems(target: object, place: int, pipeline: _Pipeline) -> Iterator[str]:
    if isinstance(target, Node) and target.number not in NODE_NUMBERS:
        yield f"there is no {target}"
    if isinstance(target, Nodes) and not target.members:
        yield "it names no node"
    if isinstance(target, Former) and not 0 <= target.fault < place:
        yield f"there is no earlier fault {target.fault}"
    if isinstance(target, LockService) and target.name not in pipeline.lock_services:
        yield f"no role uses {target}: one that does says so under `uses`"
    if isinstance(target, Leader | Follower):
        yield from _partition_problems(target.topic, target.partition, pipeline)
    if isinstance(target, Instance | Role):
        if target.role not in pipeline.roles:
            yield f"there is no role {target.role}"
        elif isinstance(target, Instance) and not 0 <= target.number < pipeline.roles[target.role]:
            has = pipeline.roles[target.role]
            yield f"there is no {target}: {target.role} has {has} instance(s)"


def _partition_problems(topic: str, partition: int, pipeline: _Pipeline) -> Iterator[str]:
    if topic.startswith("__"):
        return  # an internal topic: the lab has it, whatever the pipeline is
    if topic not in pipeline.topics:
        yield f"there is no topic {topic}"
    elif not 0 <= partition < pipeline.topics[topic]:
        yield f"{topic} has no partition {partition}"


def _damage_problems(damage: Damage) -> Iterator[str]:
    unit = UNITS.get(damage.flavour)
    if unit is None and damage.amount is not None:
        yield f"{damage.flavour} takes no amount"
    if unit is not None and (damage.amount is None or damage.amount < 1):
        yield f"{damage.flavour} needs an amount of at least 1 {unit}"
    if damage.flavour == "refuse" and damage.stream != "both":
        yield "a connection is refused as a whole, not in one direction"


def _moment_problems(moment: object, place: int, count: int, pipeline: _Pipeline) -> Iterator[str]:
    if isinstance(moment, AfterSeconds) and moment.seconds < 0:
        yield f"{moment.seconds:g} s lie in the past"
    if isinstance(moment, AfterCount) and moment.count < 0:
        yield f"{moment.count} {moment.event} cannot be"
    if isinstance(moment, WithFault):
        if not 0 <= moment.fault < count or moment.fault == place:
            yield f"there is no other fault {moment.fault}"
        if moment.seconds < 0:
            yield f"{moment.seconds:g} s lie in the past"
    if isinstance(moment, AtIsr):
        yield from _partition_problems(moment.topic, moment.partition, pipeline)


def _trigger_problems(fault: Fault, place: int) -> Iterator[str]:
    trigger = fault.trigger
    if isinstance(trigger, AtPoint):
        if not (isinstance(fault, Kill | Pause) and isinstance(fault.target, Instance)):
            yield "only the kill or pause of one process of a role can wait for a crash point"
        if trigger.passes < 1:
            yield f"a crash point is passed once or more, not {trigger.passes} times"
    if isinstance(trigger, WithFault) and trigger.fault > place:
        yield f"it waits for fault {trigger.fault}, which comes later in the schedule"


def _point_problems(fault: Fault, earlier: Sequence[Fault]) -> Iterator[str]:
    """Yield what keeps a crash point from being armed, which all of them are from the beginning."""
    if not isinstance(fault.trigger, AtPoint):
        return
    point, target = fault.trigger.point, getattr(fault, "target", None)
    if not 1 <= len(point.encode()) <= POINT_BYTES:
        yield f"a crash point's name has 1 to {POINT_BYTES} bytes"
    for place, other in enumerate(earlier):
        same = isinstance(other.trigger, AtPoint) and other.trigger.point == point
        if same and getattr(other, "target", None) == target:
            yield f"fault {place} waits for {point} of {target} as well"


def _nobody_problems(fault: Fault, faults: Sequence[Fault], pipeline: _Pipeline) -> Iterator[str]:
    """Yield a whole role as a target, of which no process runs and none is ever added."""
    target = getattr(fault, "target", None)
    if not isinstance(target, Role) or pipeline.roles.get(target.role) != 0:
        return
    if not any(isinstance(each, Scale) and each.target == target for each in faults):
        yield f"there is no process of {target.role}"


def _own_problems(fault: Fault, pipeline: _Pipeline) -> Iterator[str]:
    """Yield what is wrong with the fields that only this kind of fault has."""
    if isinstance(fault, Partition):
        yield from _shape_problems(fault)
    elif isinstance(fault, Frames):
        yield from _frames_problems(fault)
    elif isinstance(fault, Operation):
        yield from _operation_problems(fault, pipeline)
    elif isinstance(fault, Scale):
        most = most_instances(fault.target.role, pipeline.roles)
        if not 0 <= fault.to <= most:
            yield f"{fault.to} instances are not between 0 and {most}"
    elif isinstance(fault, Amnesia) and not 0.0 <= fault.keep <= 1.0:
        yield f"a share of {fault.keep:g} cannot be kept"
    elif isinstance(fault, Skew) and not (abs(fault.by_s) >= 1 and fault.by_s % 1 == 0):
        yield f"a clock is wrong by one or more whole seconds, not by {fault.by_s:g}"
    elif isinstance(fault, KillRecovering) and fault.times < 1:
        yield "it is killed again at least once"
    every_s = fault.every_s if isinstance(fault, RestartStorm) else getattr(fault, "flap_s", None)
    if every_s is not None and every_s <= 0:
        yield f"every {every_s:g} s is no pace"


def _operation_problems(fault: Operation, pipeline: _Pipeline) -> Iterator[str]:
    if isinstance(fault, MoveLeader | Reassign):
        yield from _partition_problems(fault.topic, fault.partition, pipeline)
    elif not isinstance(fault, ConfigureNodes) and fault.topic not in pipeline.topics:
        yield f"there is no topic {fault.topic}"
    if isinstance(fault, AddPartitions) and fault.add < 1:
        yield "one partition is the least that can be added"
    if isinstance(fault, ConfigureTopic | ConfigureNodes) and not fault.settings:
        yield "it names no setting"


def _shape_problems(fault: Partition) -> Iterator[str]:
    wanted = _NODES_OF_SHAPE[fault.shape]
    if len(fault.nodes) != wanted:
        yield f"the shape {fault.shape} names {wanted} node(s), not {len(fault.nodes)}"
    if not fault.planes:
        yield "it names no plane"


def _frames_problems(fault: Frames) -> Iterator[str]:
    if fault.nth < 1:
        yield "frames are counted from 1"
    if fault.count is not None and fault.count < 1:
        yield "it catches no frame"
    if (fault.act == "delay") != (fault.delay_ms > 0):
        yield "delay_ms belongs to act `delay`, and to no other"


def _own_end_problems(fault: Fault, roles: Mapping[str, int]) -> Iterator[str]:
    """Yield an end that only the absent role could bring about."""
    role, end = _emptied(fault, roles), fault.end
    if role is not None and isinstance(end, AfterCount):
        counts = {"acked": "relay", "processed": "consumer"}[end.event]
        if role == counts:
            yield f"it ends after {end}, but every {role} is away"


def _emptied(fault: Fault, roles: Mapping[str, int]) -> str | None:
    """Return the role of which no process is left while the fault is in force."""
    if isinstance(fault, Scale):
        return fault.target.role if fault.to == 0 else None
    if not isinstance(fault, Kill | Pause | Stop):
        return None
    target = fault.target
    if isinstance(target, Instance):
        return target.role if roles.get(target.role) == 1 else None
    return target.role if isinstance(target, Role) else None
