"""Which faults of a schedule may be in force at the same time: decided on the safe side. PURE.

Two faults overlap unless their triggers and ends prove that they cannot. A node that was just
healed is still away: it has to catch up before it is in sync.
"""

from collections.abc import Sequence
from math import inf

from harness.schedule.moments import AfterSeconds, WithFault
from harness.schedule.processes import KillRecovering, RollingRestart
from harness.schedule.values import Fault

RESYNC_S = 1.5
"""From `verified` (it serves, its links carry) until it is in sync again; about 0.4 s measured."""
RECOVERY_S = 6.0
"""From `healed` until it is in sync again: a start and a catch-up, 1.7 s on a quiet machine."""
HOLD_S = 3.0
"""From its trigger until a fault has taken hold, at the most."""
_OPEN_ENDED = (KillRecovering, RollingRestart)


def may_overlap(faults: Sequence[Fault], one: int, other: int) -> bool:
    """Tell whether two faults, by their places, may be in force at once, recovery included."""
    return not (over_before(faults, one, other) or over_before(faults, other, one))


def over_before(faults: Sequence[Fault], first: int, second: int) -> bool:
    """Tell whether `first` is certainly healed and recovered when `second` starts."""
    trigger = faults[second].trigger
    if isinstance(trigger, WithFault):
        if trigger.fault == first and trigger.seconds >= _rest_s(trigger.state):
            return True
        if trigger.fault != first and over_before(faults, first, trigger.fault):
            return True  # it waits for one that waited
    return _recovered_by_s(faults, first) <= _not_before_s(faults, second)


def _rest_s(state: str) -> float:
    """Return the seconds after a state of a fault that suffice for its recovery."""
    return {"verified": RESYNC_S, "healed": RECOVERY_S}.get(state, inf)


def _not_before_s(faults: Sequence[Fault], place: int) -> float:
    """Return the earliest second of the storm at which a fault may start."""
    trigger = faults[place].trigger
    if isinstance(trigger, AfterSeconds):
        return trigger.seconds
    if isinstance(trigger, WithFault):
        lasted_s = 0.0 if trigger.state == "held" else _shortest_s(faults[trigger.fault])
        return _not_before_s(faults, trigger.fault) + lasted_s + trigger.seconds
    return 0.0


def _recovered_by_s(faults: Sequence[Fault], place: int) -> float:
    """Return the latest second of the storm at which a fault may still be felt."""
    return _begun_by_s(faults, place) + HOLD_S + _longest_s(faults[place]) + RECOVERY_S


def _begun_by_s(faults: Sequence[Fault], place: int) -> float:
    trigger = faults[place].trigger
    if isinstance(trigger, AfterSeconds):
        return trigger.seconds
    if not isinstance(trigger, WithFault):
        return inf
    before_s = _begun_by_s(faults, trigger.fault) + HOLD_S
    if trigger.state != "held":
        before_s += _longest_s(faults[trigger.fault])
    if trigger.state == "verified":
        before_s += RECOVERY_S
    return before_s + trigger.seconds


def _shortest_s(fault: Fault) -> float:
    return fault.end.seconds if isinstance(fault.end, AfterSeconds) else 0.0


def _longest_s(fault: Fault) -> float:
    timed = isinstance(fault.end, AfterSeconds) and not isinstance(fault, _OPEN_ENDED)
    return fault.end.seconds if timed and isinstance(fault.end, AfterSeconds) else inf
