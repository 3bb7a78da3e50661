"""What a fault does to the nodes of the cluster, in words that can be compared. PURE.

The question is always: is there ONE node whose absence alone explains everything that this fault
does between nodes? A dead node explains its own death; either end of a cut link explains the cut;
nothing explains three links in a ring. Two targets are the same node only where that is certain:
the same number, or `Former`. The leader of a partition may be another one a second later.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.schedule.network import Cut, Isolate, Partition
from harness.schedule.operations import Reassign
from harness.schedule.processes import Amnesia, Kill, KillRecovering, Pause, RollingRestart, Stop
from harness.schedule.targets import (
    Database,
    Former,
    Instance,
    LockService,
    Node,
    NodeLike,
    Nodes,
    Role,
)
from harness.schedule.values import Fault

NODE_NUMBERS = (1, 2, 3)
_ONE_NODE = (Kill, Stop, Pause, Amnesia, KillRecovering, Isolate, Cut)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a fault does to nodes, to the links between them, or to replicas."""

    explained_by: frozenset[str]
    """Names of nodes, each of which being away would explain the fault; none: no single one."""
    loses_disk: bool = False


def reach(faults: Sequence[Fault], place: int) -> Reach | None:
    """Return what the fault at that place does to nodes; None: it leaves them in sync.

    Roles, the database, lock services, links of clients, and operations that move no replica are
    None.
    """
    fault = faults[place]
    explained_by = _of_process(faults, place)
    if explained_by is None:
        explained_by = _of_links(faults, place)
    if explained_by is None:
        return None
    return Reach(explained_by=explained_by, loses_disk=isinstance(fault, Amnesia))


def _of_process(faults: Sequence[Fault], place: int) -> frozenset[str] | None:
    fault = faults[place]
    if isinstance(fault, RollingRestart | Reassign):
        return frozenset({f"whichever node fault {place} takes"})
    if not isinstance(fault, Kill | Stop | Pause | Amnesia | KillRecovering):
        return None
    target = fault.target
    if isinstance(target, Instance | Role | Database | LockService):
        return None
    return _of_target(faults, target, place)


def _of_links(faults: Sequence[Fault], place: int) -> frozenset[str] | None:
    fault = faults[place]
    if isinstance(fault, Isolate) and fault.cut_from != "clients":
        return _of_target(faults, fault.target, place)
    if isinstance(fault, Cut):
        ends = (fault.target, fault.source)
        return frozenset(_name(faults, end, place) for end in ends)
    return _of_shape(faults, fault, place) if isinstance(fault, Partition) else None


def _of_target(faults: Sequence[Fault], target: NodeLike | Nodes, place: int) -> frozenset[str]:
    members = target.members if isinstance(target, Nodes) else (target,)
    named = frozenset(_name(faults, member, place) for member in members)
    return named if len(named) == 1 else frozenset()


def _of_shape(faults: Sequence[Fault], fault: Partition, place: int) -> frozenset[str]:
    named = [_name(faults, node, place) for node in fault.nodes]
    if fault.shape == "ring":
        return frozenset()
    if fault.shape != "bridge":
        return frozenset(named)
    kept = fault.nodes[0]
    if isinstance(kept, Node):
        return frozenset(str(Node(number=n)) for n in NODE_NUMBERS if n != kept.number)
    return frozenset({f"a node that fault {place} does not name"})


def _name(faults: Sequence[Fault], target: NodeLike, place: int) -> str:
    """Return a name that two targets share only if they are certainly the same node."""
    if isinstance(target, Node):
        return str(target)
    if isinstance(target, Former):
        earlier = sole_node(faults[target.fault])
        if earlier is not None:
            return _name(faults, earlier, target.fault)
    return f"{target} as of fault {place}"


def sole_node(fault: Fault) -> NodeLike | None:
    """Return the one node that a fault names, which is what `Former` then stands for."""
    if isinstance(fault, Partition):
        return fault.nodes[0] if len(fault.nodes) == 1 else None
    if not isinstance(fault, _ONE_NODE):
        return None
    target = fault.target
    aside = Instance | Role | Database | LockService | Nodes
    return None if isinstance(target, aside) else target
