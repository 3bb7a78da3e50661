"""Which driver does what to processes of the pipeline, and to their sessions."""

from harness.faults.clocks import SkewClock
from harness.faults.driver import Driver, Surroundings
from harness.faults.instances import instances_of
from harness.faults.points import KillAtPoint, PauseAtPoint
from harness.faults.resolve import FaultError, require_instance
from harness.faults.restarts import Restarts
from harness.faults.roles import KillRoles, PauseRoles, StopRoles
from harness.faults.scaling import ScaleIn, ScaleOut
from harness.faults.sessions import EndTransactions
from harness.schedule.moments import AtPoint
from harness.schedule.processes import Kill, Pause, RestartStorm, Scale, Skew, Stop, Terminate
from harness.schedule.targets import Instance, Role
from harness.schedule.values import Fault


def make(fault: Fault, around: Surroundings) -> Driver | None:
    """Return the driver of a fault of roles, or None if it is none."""
    if isinstance(fault, Scale):
        return _scale(fault, around)
    if isinstance(fault, RestartStorm):
        who = instances_of(fault.target, around)
        return Restarts(who, every_s=fault.every_s, around=around)
    if isinstance(fault, Skew):
        return SkewClock(require_instance(fault.target, around), by_s=fault.by_s, around=around)
    if isinstance(fault, Terminate):
        return EndTransactions(instances_of(fault.target, around), around=around)
    if isinstance(fault, Kill | Stop | Pause) and isinstance(fault.target, Instance | Role):
        return _of_processes(fault, fault.target, around)
    return None


def _of_processes(
    fault: Kill | Stop | Pause, target: Instance | Role, around: Surroundings
) -> Driver:
    trigger = fault.trigger
    if isinstance(trigger, AtPoint) and isinstance(target, Instance):
        at_point = KillAtPoint if isinstance(fault, Kill) else PauseAtPoint
        return at_point(
            require_instance(target, around),
            point=trigger.point,
            passes=trigger.passes,
            around=around,
        )
    who = instances_of(target, around)
    if isinstance(fault, Kill):
        return KillRoles(who, around=around)
    if isinstance(fault, Stop):
        return StopRoles(who, around=around)
    return PauseRoles(who, around=around)


def _scale(fault: Scale, around: Surroundings) -> Driver:
    role, now = fault.target.role, len(around.supervisor.wanted(fault.target.role))
    if fault.to == now:
        raise FaultError(f"{fault}: so many were there already when it was due")
    scale = ScaleOut if fault.to > now else ScaleIn
    return scale(role, to=fault.to, around=around)
