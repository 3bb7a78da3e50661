"""Which driver takes which node, the database or a lock service out of service."""

from harness.errors import UsageError
from harness.faults.amnesia import AmnesiaOfNodes
from harness.faults.database import database_outage
from harness.faults.driver import Driver, Surroundings
from harness.faults.lock_service import lock_service_outage
from harness.faults.nodes import NodeOutage
from harness.faults.resolve import resolve_node
from harness.faults.rolling import KillWhileRecovering, RestartOfAll
from harness.schedule.moments import AtPoint
from harness.schedule.processes import (
    Amnesia,
    Kill,
    KillRecovering,
    Pause,
    RollingRestart,
    Stop,
)
from harness.schedule.targets import Database, Instance, LockService, NodeLike, Nodes, Role
from harness.schedule.values import Fault


def make(fault: Fault, around: Surroundings) -> Driver | None:
    """Return the driver of a fault of servers, or None if it is none."""
    if isinstance(fault, Kill | Stop | Pause):
        return _outage(fault, around)
    if isinstance(fault, Amnesia):
        nodes = _resolved(fault.target, around)
        return AmnesiaOfNodes(nodes, loses=fault.loses, keep=fault.keep, around=around)
    if isinstance(fault, KillRecovering):
        node = resolve_node(fault.target, around)
        return KillWhileRecovering(node, times=fault.times, around=around)
    if isinstance(fault, RollingRestart):
        return RestartOfAll(fault.how, around=around)
    return None


def _outage(fault: Kill | Stop | Pause, around: Surroundings) -> Driver | None:
    target = fault.target
    if isinstance(target, Instance | Role):
        return None
    if isinstance(fault.trigger, AtPoint):
        raise UsageError(f"{fault}: only a role passes a crash point")
    if isinstance(target, Database):
        return database_outage(fault.kind, around=around)
    if isinstance(target, LockService):
        return lock_service_outage(fault.kind, target.name, around=around)
    return NodeOutage(fault.kind, _resolved(target, around), around=around)


def _resolved(target: NodeLike | Nodes, around: Surroundings) -> tuple[int, ...]:
    """Return the numbers of the nodes that a target stands for now, each once."""
    members = target.members if isinstance(target, Nodes) else (target,)
    return tuple(dict.fromkeys(resolve_node(member, around) for member in members))
