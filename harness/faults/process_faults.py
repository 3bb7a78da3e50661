"""Which driver kills, stops or pauses which process of the pipeline."""

from harness.faults.driver import Driver, Surroundings
from harness.faults.resolve import require_instance
from harness.faults.roles import KillAtPoint, KillRole, PauseRole
from harness.schedule.moments import AtPoint
from harness.schedule.processes import Kill, Pause
from harness.schedule.targets import Instance
from harness.schedule.values import Fault


def make(fault: Fault, around: Surroundings) -> Driver | None:
    """Return the driver of a fault of the pipeline's processes, or None if it is none."""
    if not isinstance(fault, Kill | Pause) or not isinstance(fault.target, Instance):
        return None
    return _of_role(fault, fault.target, around)


def _of_role(fault: Kill | Pause, target: Instance, around: Surroundings) -> Driver | None:
    role, instance = require_instance(target, around)
    trigger = fault.trigger
    if isinstance(fault, Pause):
        return None if isinstance(trigger, AtPoint) else PauseRole(role, instance, around=around)
    if isinstance(trigger, AtPoint):
        point, passes = trigger.point, trigger.passes
        return KillAtPoint(role, instance, point=point, passes=passes, around=around)
    return KillRole(role, instance, around=around)
