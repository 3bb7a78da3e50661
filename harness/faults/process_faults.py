"""Which driver kills, stops or pauses which process."""

from harness.errors import UsageError
from harness.faults.driver import Driver, Surroundings
from harness.faults.resolve import require_instance, resolve_node
from harness.faults.roles import KillAtPoint, KillRole, PauseRole
from harness.faults.servers import KillDatabase, KillNode, PauseNode
from harness.schedule.moments import AtPoint
from harness.schedule.processes import Kill, Pause
from harness.schedule.targets import Database, Instance, Nodes, Role
from harness.schedule.values import Fault


def make(fault: Fault, around: Surroundings) -> Driver | None:
    """Return the driver of a fault of processes, or None if it is none."""
    if not isinstance(fault, Kill | Pause):
        return None
    target = fault.target
    if isinstance(target, Nodes | Role):
        return None
    if isinstance(target, Database):
        return KillDatabase(around=around) if isinstance(fault, Kill) else None
    if isinstance(target, Instance):
        return _of_role(fault, target, around)
    if isinstance(fault.trigger, AtPoint):
        raise UsageError(f"{fault}: only a role passes a crash point")
    node = resolve_node(target, around)
    return (
        KillNode(node, around=around) if isinstance(fault, Kill) else PauseNode(node, around=around)
    )


def _of_role(fault: Kill | Pause, target: Instance, around: Surroundings) -> Driver | None:
    role, instance = require_instance(target, around)
    trigger = fault.trigger
    if isinstance(fault, Pause):
        return None if isinstance(trigger, AtPoint) else PauseRole(role, instance, around=around)
    if isinstance(trigger, AtPoint):
        point, passes = trigger.point, trigger.passes
        return KillAtPoint(role, instance, point=point, passes=passes, around=around)
    return KillRole(role, instance, around=around)
