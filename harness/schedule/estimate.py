"""How long the faults of a schedule will take, about: for bounds and for plans. PURE."""

from collections.abc import Sequence

from harness.schedule.moments import AfterCount, AfterSeconds, AtPoint, WithFault
from harness.schedule.network import Cut, Isolate, Partition, Unreachable
from harness.schedule.processes import KillRecovering, RollingRestart
from harness.schedule.reach import NODE_NUMBERS
from harness.schedule.shape import PipelineShape
from harness.schedule.values import Fault

BACK_S = 1.7
"""From the start of a node until it is in sync, measured; a link or a role is faster."""
_LINK_BACK_S = 0.4
_POINT_S = 0.5
_WARM = 100
"""Messages that have been acknowledged when the storm begins, about."""


def storm_s(faults: Sequence[Fault], shape: PipelineShape) -> float:
    """Return the seconds from the storm's begin until everything is verified healed, about."""
    return max(
        (healed_s(faults, place, shape) + back_s(faults[place]) for place in range(len(faults))),
        default=0.0,
    )


def start_s(faults: Sequence[Fault], place: int, shape: PipelineShape) -> float:
    """Return the second of the storm at which a fault starts, about."""
    trigger = faults[place].trigger
    if isinstance(trigger, AfterSeconds):
        return trigger.seconds
    if isinstance(trigger, AfterCount):
        return max(0.0, (trigger.count - _WARM) / shape.rate_per_s)
    if isinstance(trigger, AtPoint):
        return _POINT_S
    if isinstance(trigger, WithFault):
        return _state_s(faults, trigger, shape)
    return 1.0


def healed_s(faults: Sequence[Fault], place: int, shape: PipelineShape) -> float:
    """Return the second of the storm at which a fault is healed, about."""
    fault, end = faults[place], faults[place].end
    if isinstance(end, WithFault):
        return _state_s(faults, end, shape)
    lasts_s = end.seconds if isinstance(end, AfterSeconds) else end.count / shape.rate_per_s
    if isinstance(fault, RollingRestart):
        lasts_s += len(NODE_NUMBERS) * (BACK_S + 1.0)
    if isinstance(fault, KillRecovering):
        lasts_s += fault.times * BACK_S / 2
    return start_s(faults, place, shape) + lasts_s


def back_s(fault: Fault) -> float:
    """Return the seconds from healed to verified healed, about."""
    if isinstance(fault, Isolate | Cut | Partition | Unreachable):
        return _LINK_BACK_S
    kind = getattr(getattr(fault, "target", None), "kind", "")
    return _LINK_BACK_S if kind in ("instance", "role") else BACK_S


def _state_s(faults: Sequence[Fault], moment: WithFault, shape: PipelineShape) -> float:
    if moment.state == "held":
        return start_s(faults, moment.fault, shape) + moment.seconds
    at_s = healed_s(faults, moment.fault, shape) + moment.seconds
    return at_s + (back_s(faults[moment.fault]) if moment.state == "verified" else 0.0)
