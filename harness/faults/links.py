"""Cuts of links: a node isolated, or one follower that cannot fetch from one leader."""

from collections.abc import Mapping

from harness.clock import now_us
from harness.faults.driver import Evidence, Surroundings
from harness.faults.evidence import cluster_sentences, connections_met
from harness.lab.protocol import Link
from harness.schedule.network import Damage


class CutLinks:
    """Some links cut in one flavour, together."""

    def __init__(
        self,
        links: tuple[Link, ...],
        *,
        what: str,
        damage: Damage,
        node: int,
        resolved: Mapping[str, object],
        around: Surroundings,
    ) -> None:
        self.what = what
        self.resolved = {**resolved, "links": [str(link) for link in links]}
        self._links = links
        self._damage = damage
        self._node = node
        self._around = around
        self._met = 0
        self._since_us = 0

    def apply(self) -> None:
        """Count who uses the links, then cut them all."""
        self._since_us = now_us()
        self._met = connections_met(self._around.lab, self._links)
        self._around.linkbook.cut(self._links, damage=self._damage, owner=self)

    def held(self) -> bool:
        """Cuts are in force when `apply` returns."""
        return True

    def heal(self) -> None:
        """Let go of the links; those that another fault holds stay cut."""
        self._around.linkbook.heal(owner=self)

    def healed(self) -> bool:
        """Ask the proxy about every link."""
        return self._around.linkbook.is_healed(self._links)

    def evidence(self) -> Evidence:
        """Return how many connections the cut met, and what the cluster did."""
        changes = cluster_sentences(self._around.watch, node=self._node, since_us=self._since_us)
        met = f"{self._met} open connections on {len(self._links)} links were met by the cut"
        return Evidence(bit=self._met > 0, sentences=(met, *changes))


def isolation_links(node: int, *, cut_from: str, around: Surroundings) -> tuple[Link, ...]:
    """Return the links that isolate a node from its peers, from clients, or from everyone."""
    me = str(node)
    slots = {f"slot{slot}" for slot in around.slots.values()}

    def wanted(link: Link) -> bool:
        if link.plane in ("replication", "quorum"):
            return cut_from != "clients" and me in (link.source, link.target)
        return link.plane == "client" and (
            cut_from != "peers" and link.target == me and link.source in slots
        )

    return tuple(link for link in around.lab.links.all() if wanted(link))
