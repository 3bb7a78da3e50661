"""Which links a fault of links is about, and in which words; `links.py` has their driver."""

from collections.abc import Iterable, Iterator

from harness.faults.driver import Driver, Surroundings
from harness.faults.links import DamageLinks
from harness.faults.resolve import FaultError, require_instance, resolve_node
from harness.lab.values import NODES, Link
from harness.schedule.network import UNITS, Cut, Isolate, Partition, Plane, Unreachable
from harness.schedule.targets import Database, EveryNode, Instance, LockService, Role
from harness.schedule.values import Fault

_NODE_PLANES = ("replication", "quorum")


def make(fault: Fault, around: Surroundings) -> Driver | None:
    """Return the driver of a fault of links, or None if it is none."""
    if isinstance(fault, Isolate):
        return _isolate(fault, around)
    if isinstance(fault, Cut):
        return _cut(fault, around)
    if isinstance(fault, Partition):
        return _partition(fault, around)
    if isinstance(fault, Unreachable):
        return _unreachable(fault, around)
    return None


def _isolate(fault: Isolate, around: Surroundings) -> Driver:
    node = resolve_node(fault.target, around)
    return _driver(
        fault,
        _isolation(node, fault.cut_from, around),
        what=f"isolate node {node} from {fault.cut_from}",
        nodes=(node,),
        resolved={"node": node},
        around=around,
    )


def _isolation(node: int, cut_from: str, around: Surroundings) -> Iterator[Link]:
    slots = {f"slot{slot}" for slot in around.slots.values()}
    for link in around.lab.links.all():
        if link.plane in _NODE_PLANES:
            if cut_from != "clients" and str(node) in (link.source, link.target):
                yield link
        elif cut_from != "peers" and link.target == str(node) and link.source in slots:
            yield link


def _cut(fault: Cut, around: Surroundings) -> Driver:
    node = resolve_node(fault.target, around)
    source = resolve_node(fault.source, around)
    _require_different(fault, node, source)
    return _driver(
        fault,
        (Link(plane=fault.plane, source=str(node), target=str(source)),),
        what=fault.in_words(f"node {node}", f"node {source}"),
        nodes=(node,),
        resolved={"node": node, "source": source},
        around=around,
    )


def _partition(fault: Partition, around: Surroundings) -> Driver:
    named = [resolve_node(target, around) for target in fault.nodes]
    _require_different(fault, *named)
    pairs = [pair for pair in _all_pairs() if _parts(fault.shape, named, *pair)]
    planes = "" if len(fault.planes) > 1 else f" on the {fault.planes[0]} plane"
    return _driver(
        fault,
        (
            Link(plane=plane, source=str(source), target=str(target))
            for plane in fault.planes
            for source, target in pairs
        ),
        what=_shape_in_words(fault.shape, named) + planes,
        nodes=NODES,  # who leaves the in-sync replicas of a node that is named is another one
        resolved={"node": named[0]} if len(named) == 1 else {"nodes": named or list(NODES)},
        around=around,
    )


def _all_pairs() -> Iterator[tuple[int, int]]:
    return ((source, target) for source in NODES for target in NODES if source != target)


def _parts(shape: str, named: list[int], source: int, target: int) -> bool:
    """Tell whether a shape damages the way on which `source` asks `target`."""
    if shape == "pair":
        return {source, target} == set(named)
    if shape == "bridge":
        return not {source, target} & set(named)
    if shape == "ring":
        return target != NODES[(NODES.index(source) + 1) % len(NODES)]
    if shape == "minority":
        return bool({source, target} & set(named))
    return target in named


def _shape_in_words(shape: str, named: list[int]) -> str:
    who = " and ".join(f"node {node}" for node in named)
    rest = " and ".join(f"node {node}" for node in NODES if node not in named)
    return {
        "pair": f"{who} lose each other",
        "bridge": f"{rest} lose each other, {who} still reaches both",
        "ring": "each node can only ask the next one",
        "minority": f"{who} is alone on one side, {rest} on the other",
        "followers": f"nobody can ask {who}, which reaches everybody",
    }[shape]


def _unreachable(fault: Unreachable, around: Surroundings) -> Driver:
    who = _processes(fault.target, around)
    slots = sorted({around.slots[one] for one in who})
    plane, servers, resolved, called = _servers(fault, around)
    sharing = sorted(
        f"{role} {number}"
        for (role, number), slot in around.slots.items()
        if slot in slots and (role, number) not in who
    )
    verb = "can hardly reach" if fault.damage.flavour in UNITS else "cannot reach"
    return _driver(
        fault,
        (
            Link(plane=plane, source=f"slot{slot}", target=server)
            for slot in slots
            for server in servers
        ),
        what=f"{fault.target} {verb} {called}",
        nodes=(),
        resolved={
            **resolved,
            "processes": [f"{role} {number}" for role, number in who],
            **({"sharing the links": sharing} if sharing else {}),
        },
        around=around,
    )


def _processes(target: Instance | Role, around: Surroundings) -> list[tuple[str, int]]:
    if isinstance(target, Instance):
        return [require_instance(target, around)]
    found = sorted(one for one in around.slots if one[0] == target.role)
    # Asked for its first process, a role that does not exist is told of in the usual words.
    return found or [require_instance(Instance(role=target.role), around)]


def _servers(
    fault: Unreachable, around: Surroundings
) -> tuple[Plane, list[str], dict[str, object], str]:
    """Return the plane, the targets of the links, what they are resolved to, and their name."""
    server = fault.server
    if isinstance(server, Database):
        return "database", ["database"], {"database": True}, str(server)
    if isinstance(server, LockService):
        return "coordination", [server.name], {"lock_service": server.name}, str(server)
    if isinstance(server, EveryNode):
        nodes = list(NODES)
        return "client", [str(node) for node in nodes], {"nodes": nodes}, str(server)
    node = resolve_node(server, around)
    return "client", [str(node)], {"node": node}, f"node {node}"


def _require_different(fault: Fault, *nodes: int) -> None:
    if len(set(nodes)) != len(nodes):
        raise FaultError(f"{fault}: both stand for node {nodes[0]} at this moment")


def _driver(
    fault: Isolate | Cut | Partition | Unreachable,
    links: Iterable[Link],
    *,
    what: str,
    nodes: tuple[int, ...] | list[int],
    resolved: dict[str, object],
    around: Surroundings,
) -> DamageLinks:
    flapping = "" if fault.flap_s is None else f", flapping every {fault.flap_s:g} s"
    return DamageLinks(
        links,
        what=f"{what} ({fault.damage}){flapping}",
        damage=fault.damage,
        flap_s=fault.flap_s,
        nodes=nodes,
        resolved=resolved,
        around=around,
    )
