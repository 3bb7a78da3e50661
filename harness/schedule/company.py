"""Which faults make sense together. PURE.

The budget asks what is still promised; this asks whether both faults could still meet something. A
process that is dead cannot be paused, a link that is cut carries nothing that a second cut could
meet, and an operation needs those whom it asks. A run with such a pair would be vacuous.
"""

from collections.abc import Sequence

from harness.schedule.moments import AtPoint, WithFault
from harness.schedule.network import Cut, Frames, Isolate, Partition, Unreachable
from harness.schedule.operations import AddPartitions, ConfigureNodes, MoveLeader, Reassign
from harness.schedule.overlap import may_overlap
from harness.schedule.processes import (
    Amnesia,
    Kill,
    KillRecovering,
    Pause,
    RestartStorm,
    RollingRestart,
    Scale,
    Skew,
    Stop,
    Terminate,
)
from harness.schedule.targets import (
    Database,
    Follower,
    Instance,
    Leader,
    LockService,
    Node,
    Nodes,
    Role,
)
from harness.schedule.values import Fault, Operation

_NODE_LINKS = (Isolate, Cut, Partition)
_CLIENT_LINKS = (Isolate, Unreachable, Frames)
Server = Database | LockService
"""What roles use beside the cluster."""


def goes_with(faults: Sequence[Fault], one: int, other: int) -> bool:
    """Tell whether two faults of a schedule can both meet something; True if they never overlap."""
    if not may_overlap(faults, one, other):
        return True
    first, second = faults[one], faults[other]
    if _excluded(first, second) or _excluded(second, first):
        return False
    return _in_order(faults, one, other) and _in_order(faults, other, one)


def _excluded(one: Fault, other: Fault) -> bool:
    """Tell whether they exclude each other, whichever comes first; asked both ways round."""
    return (
        _same_role(one, other)
        or _same_server(one, other)
        or _maybe_same_node(one, other)
        or _paused_end(one, other)
        or _same_links(one, other)
        or _unable(one, other)
    )


def _same_role(one: Fault, other: Fault) -> bool:
    mine, theirs = role_of(one), role_of(other)
    if mine is None or theirs is None or mine.role != theirs.role:
        return False
    if isinstance(one, Unreachable | Frames) and isinstance(other, Unreachable | Frames):
        return False  # links are compared as links
    whole = isinstance(one, Scale | RestartStorm | Terminate | Skew)
    links = isinstance(other, Unreachable | Frames)
    if not whole and links:
        return False  # a process may die behind a cut link: in that order
    alike = isinstance(mine, Role) or isinstance(theirs, Role) or mine.number == theirs.number
    return alike or isinstance(one, Scale)


def _same_server(one: Fault, other: Fault) -> bool:
    server = server_of(one)
    if server is None:
        return False
    return server_of(other) == server or (server == Database() and isinstance(other, Terminate))


def _maybe_same_node(one: Fault, other: Fault) -> bool:
    """Tell whether both are about a node's process, and it may be the same one."""
    if not (is_node_process(one) and is_node_process(other)):
        return False
    mine, theirs = getattr(one, "target", None), getattr(other, "target", None)
    return not (_apart(mine, theirs) or _apart(theirs, mine))


def _apart(one: object, other: object) -> bool:
    """Tell whether two targets are certainly two nodes, if `one` is hit first."""
    if isinstance(one, Node) and isinstance(other, Node):
        return one.number != other.number
    return (
        isinstance(one, Leader)
        and isinstance(other, Follower)
        and other.index == 0
        and (one.topic, one.partition) == (other.topic, other.partition)
    )


def _paused_end(one: Fault, other: Fault) -> bool:
    """Tell whether a link of a paused process is touched: it may wedge the proxy (LAB.md 5)."""
    if not isinstance(one, Pause):
        return False
    if is_node_process(one):
        links = isinstance(other, (*_NODE_LINKS, *_CLIENT_LINKS))
        return links and _server_behind(other) is None
    if (server := server_of(one)) is not None:
        return _server_behind(other) == server
    if isinstance(other, Isolate):
        return other.cut_from != "peers"
    mine, theirs = role_of(one), role_of(other)
    links = isinstance(other, Unreachable | Frames)
    return links and mine is not None and theirs is not None and mine.role == theirs.role


def _same_links(one: Fault, other: Fault) -> bool:
    if _of_two_nodes(one, other):
        return False
    if isinstance(one, _NODE_LINKS) and isinstance(other, _NODE_LINKS):
        return bool(_planes(one) & _planes(other))
    if isinstance(one, Isolate) and isinstance(other, Unreachable | Frames):
        return one.cut_from != "peers" and _server_behind(other) is None
    if isinstance(one, Unreachable | Frames) and isinstance(other, Unreachable | Frames):
        alike = _server_behind(one) == _server_behind(other)
        return one.target.role == other.target.role and alike
    return False


def _of_two_nodes(one: Fault, other: Fault) -> bool:
    """Tell whether both are links of clients, to two nodes that are certainly not the same."""
    if isinstance(one, Isolate) and isinstance(other, Isolate):
        clients = one.cut_from == other.cut_from == "clients"
        return clients and _apart(one.target, other.target)
    links = isinstance(one, Unreachable) and isinstance(other, Unreachable)
    return links and _apart(getattr(one, "server", None), getattr(other, "server", None))


def _planes(fault: Fault) -> frozenset[str]:
    if isinstance(fault, Cut):
        return frozenset({fault.plane})
    if isinstance(fault, Partition):
        return frozenset(fault.planes)
    if not isinstance(fault, Isolate):
        return frozenset()
    inner = frozenset({"replication", "quorum"})
    return {"peers": inner, "clients": frozenset({"client"})}.get(
        fault.cut_from, inner | {"client"}
    )


def _unable(one: Fault, other: Fault) -> bool:
    """Tell whether `one` needs what `other` takes away."""
    if isinstance(one, Operation) and isinstance(other, Operation):
        return True  # they may be about the same partitions, one undoing the other
    if isinstance(one, RollingRestart | Reassign):
        return is_node_process(other) or isinstance(other, _NODE_LINKS)
    if isinstance(one, Operation) and isinstance(other, _NODE_LINKS):
        return "quorum" in _planes(other)
    several = isinstance(getattr(other, "target", None), Nodes)
    return (
        isinstance(one, Operation)
        and is_node_process(other)
        and (several or isinstance(one, ConfigureNodes))
    )


def _in_order(faults: Sequence[Fault], late: int, early: int) -> bool:
    """Tell whether `late` may start while `early` is in force, or certainly started before it."""
    if _follows(faults, early, late):
        return True
    fault, before = faults[late], faults[early]
    if is_node_process(before):
        links = isinstance(fault, (*_NODE_LINKS, *_CLIENT_LINKS)) and _server_behind(fault) is None
        return not links and not isinstance(fault, MoveLeader | AddPartitions)
    if (server := server_of(before)) is not None:
        if isinstance(fault, Unreachable):
            return _server_behind(fault) != server
        return role_of(fault) is None or isinstance(fault.trigger, AtPoint)
    if _is_client_link(before) or not _is_client_link(fault):
        return True
    mine, theirs = role_of(fault), role_of(before)
    return mine is None or theirs is None or mine.role != theirs.role


def _is_client_link(fault: Fault) -> bool:
    return isinstance(fault, Unreachable | Frames)


def _server_behind(fault: Fault) -> Server | None:
    """Return the server that the damaged links lead to; None: nodes, or no links at all."""
    if isinstance(fault, Unreachable) and isinstance(fault.server, Server):
        return fault.server
    return None


def _follows(faults: Sequence[Fault], late: int, early: int) -> bool:
    """Tell whether `late` waits for `early`, or both for the same moment and `late` for longer."""
    trigger, other = faults[late].trigger, faults[early].trigger
    if not isinstance(trigger, WithFault):
        return False
    if isinstance(other, WithFault) and (trigger.fault, trigger.state) == (
        other.fault,
        other.state,
    ):
        return trigger.seconds > other.seconds
    return trigger.fault == early or _follows(faults, trigger.fault, early)


def role_of(fault: Fault) -> Instance | Role | None:
    """Return the role that a fault is about, as a process or by its links."""
    target = getattr(fault, "target", None)
    return target if isinstance(target, Instance | Role) else None


def server_of(fault: Fault) -> Server | None:
    """Return the database or the lock service that is killed, stopped or paused."""
    if isinstance(fault, Kill | Stop | Pause) and isinstance(fault.target, Server):
        return fault.target
    return None


def is_node_process(fault: Fault) -> bool:
    """Tell whether nodes are what is killed, stopped, paused or restarted."""
    if isinstance(fault, Amnesia | KillRecovering | RollingRestart):
        return True
    return isinstance(fault, Kill | Stop | Pause) and not isinstance(
        fault.target, Instance | Role | Server
    )
