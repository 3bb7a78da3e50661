"""From a fault of the schedule to the driver that applies it, its target resolved now."""

from harness.errors import UsageError
from harness.faults.driver import Driver, Surroundings
from harness.faults.links import CutLinks, isolation_links
from harness.faults.resolve import FaultError, require_instance, resolve_node
from harness.faults.roles import KillAtPoint, KillRole, PauseRole
from harness.faults.servers import KillDatabase, KillNode, PauseNode
from harness.lab.protocol import Link
from harness.schedule.values import (
    AtPoint,
    Cut,
    Database,
    Fault,
    Instance,
    Isolate,
    Kill,
    Pause,
)


def make_driver(fault: Fault, around: Surroundings) -> Driver:
    """Return the driver of a fault; FaultError or UsageError when its target does not exist."""
    if isinstance(fault, Kill):
        return _kill(fault, around)
    if isinstance(fault, Pause):
        if isinstance(fault.target, Instance):
            return PauseRole(*require_instance(fault.target, around), around=around)
        return PauseNode(resolve_node(fault.target, around), around=around)
    if isinstance(fault, Isolate):
        return _isolate(fault, around)
    return _cut(fault, around)


def _kill(fault: Kill, around: Surroundings) -> Driver:
    if isinstance(fault.target, Database):
        return KillDatabase(around=around)
    if isinstance(fault.target, Instance):
        role, instance = require_instance(fault.target, around)
        if isinstance(fault.trigger, AtPoint):
            return KillAtPoint(
                role,
                instance,
                point=fault.trigger.point,
                passes=fault.trigger.passes,
                around=around,
            )
        return KillRole(role, instance, around=around)
    if isinstance(fault.trigger, AtPoint):
        raise UsageError(f"{fault}: a crash point can only kill the role that passes it")
    return KillNode(resolve_node(fault.target, around), around=around)


def _isolate(fault: Isolate, around: Surroundings) -> Driver:
    node = resolve_node(fault.target, around)
    return CutLinks(
        isolation_links(node, cut_from=fault.cut_from, around=around),
        what=f"isolate node {node} from {fault.cut_from} ({fault.flavour})",
        flavour=fault.flavour,
        node=node,
        resolved={"node": node},
        around=around,
    )


def _cut(fault: Cut, around: Surroundings) -> Driver:
    fetcher = resolve_node(fault.target, around)
    source = resolve_node(fault.source, around)
    if fetcher == source:
        raise FaultError(f"{fault}: both stand for node {source} at this moment")
    return CutLinks(
        (Link(plane="replication", source=str(fetcher), target=str(source)),),
        what=f"node {fetcher} cannot fetch from node {source} ({fault.flavour})",
        flavour=fault.flavour,
        node=fetcher,
        resolved={"node": fetcher, "source": source},
        around=around,
    )
