"""One node, or several at once, out of service: killed, stopped or paused, and put back."""

from collections.abc import Iterable, Sequence

from harness.clock import now_us
from harness.errors import LabError
from harness.faults.driver import Evidence, Surroundings
from harness.faults.evidence import cluster_sentences, connections_met, node_links
from harness.faults.outages import How, outage, take_all


class NodeOutage:
    """Nodes out of service together; healed when each is back in every ISR it belongs to."""

    def __init__(self, how: How, nodes: Sequence[int], *, around: Surroundings) -> None:
        """`nodes` are different ones, at least one."""
        self.what = f"{how} {named(nodes)}"
        self.resolved = resolution(nodes)
        self._nodes = tuple(nodes)
        self._around = around
        self._outages = [outage(how, around.lab.nodes[node]) for node in nodes]
        self._connections = {"kill": "met by its death", "stop": "met by its end"}.get(
            how, "left hanging"
        )
        self._met: dict[int, int] = {}
        self._since_us = 0

    def apply(self) -> None:
        """Take them all out at the same moment; FaultError when one is not running."""
        self._since_us = now_us()
        lab = self._around.lab
        self._met = {node: connections_met(lab, node_links(lab, node)) for node in self._nodes}
        take_all(self._outages)

    def held(self) -> bool:
        """Tell whether every one of them is out; each is asked, for each has a time to keep."""
        taken = [each.taken() for each in self._outages]
        return all(taken)

    def heal(self) -> None:
        """Put them back."""
        for each in self._outages:
            each.give_back()

    def healed(self) -> bool:
        """Tell whether each serves, and is in sync wherever it is a replica."""
        return back_in_sync(self._nodes, self._around)

    def evidence(self) -> Evidence:
        """Return how each was out, the connections that felt it, and what the cluster did."""
        bits, said = [], []
        for node, each in zip(self._nodes, self._outages, strict=True):
            shown, met = each.shown(), self._met.get(node, 0)
            bits.append(shown.bit and met > 0)
            said += [*shown.sentences, f"{met} open connections were {self._connections}"]
        for node in self._nodes:
            said += cluster_sentences(self._around.watch, node=node, since_us=self._since_us)
        return Evidence(bit=all(bits), sentences=tuple(dict.fromkeys(said)))


def back_in_sync(nodes: Iterable[int], around: Surroundings) -> bool:
    """Tell whether each node serves and is in the ISR of every partition that it is a replica of.

    Asked of the cluster now; a cluster of which nobody answers says nothing of the kind.
    """
    wanted = set(nodes)
    if not all(around.lab.nodes[node].serves() for node in wanted):
        return False
    try:
        states = around.lab.cluster.partitions()
    except LabError:
        return False
    return wanted <= around.lab.cluster.registered() and all(
        wanted & set(state.replicas) <= set(state.isr) for state in states
    )


def named(nodes: Sequence[int]) -> str:
    """Name nodes in words."""
    numbers = " and ".join(str(node) for node in nodes)
    return f"node {numbers}" if len(nodes) == 1 else f"nodes {numbers}"


def resolution(nodes: Sequence[int]) -> dict[str, object]:
    """Return what the timeline holds of a fault's nodes."""
    return {"node": nodes[0]} if len(nodes) == 1 else {"nodes": list(nodes)}
