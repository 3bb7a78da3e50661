"""Which driver damages the links of which fault."""

from harness.faults.driver import Driver, Surroundings
from harness.faults.links import CutLinks, isolation_links
from harness.faults.resolve import FaultError, resolve_node
from harness.lab.protocol import Link
from harness.schedule.network import Cut, Isolate
from harness.schedule.values import Fault


def make(fault: Fault, around: Surroundings) -> Driver | None:
    """Return the driver of a fault of links, or None if it is none."""
    if isinstance(fault, Isolate):
        return _isolate(fault, around)
    if isinstance(fault, Cut):
        return _cut(fault, around)
    return None


def _isolate(fault: Isolate, around: Surroundings) -> Driver:
    node = resolve_node(fault.target, around)
    return CutLinks(
        isolation_links(node, cut_from=fault.cut_from, around=around),
        what=f"isolate node {node} from {fault.cut_from} ({fault.damage})",
        damage=fault.damage,
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
        (Link(plane=fault.plane, source=str(fetcher), target=str(source)),),
        what=f"node {fetcher} cannot fetch from node {source} ({fault.damage})",
        damage=fault.damage,
        node=fetcher,
        resolved={"node": fetcher, "source": source},
        around=around,
    )
