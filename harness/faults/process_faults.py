"""Which driver kills, stops or pauses which server of the lab."""

from harness.errors import UsageError
from harness.faults.driver import Driver, Surroundings
from harness.faults.resolve import resolve_node
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
    if isinstance(target, Nodes | Role | Instance):
        return None
    if isinstance(target, Database):
        return KillDatabase(around=around) if isinstance(fault, Kill) else None
    if isinstance(fault.trigger, AtPoint):
        raise UsageError(f"{fault}: only a role passes a crash point")
    node = resolve_node(target, around)
    return (
        KillNode(node, around=around) if isinstance(fault, Kill) else PauseNode(node, around=around)
    )
