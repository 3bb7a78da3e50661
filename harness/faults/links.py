"""The driver of every fault of links: some links damaged together, once or again and again."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from harness.clock import monotonic_s, now_us
from harness.faults.driver import Evidence, Surroundings
from harness.faults.evidence import cluster_sentences
from harness.faults.exposure import Exposure
from harness.lab.values import Link
from harness.schedule.network import Damage

if TYPE_CHECKING:
    from harness.schedule.targets import LockServiceName

LOOK_EVERY_S = 0.2
"""How often bytes are read while a damage is in force: what ends in between is not counted."""


class DamageLinks:
    """Some links damaged in one way, together; with `flap_s`, every so many seconds in turn."""

    def __init__(
        self,
        links: Iterable[Link],
        *,
        what: str,
        damage: Damage,
        flap_s: float | None,
        nodes: Collection[int],
        resolved: Mapping[str, object],
        around: Surroundings,
    ) -> None:
        """`nodes`: whose leadership and in-sync replicas are told of in the evidence."""
        self._links = tuple(links)
        self.what = what
        self.resolved = {**resolved, "links": [str(link) for link in self._links]}
        self._damage = damage
        self._flap_s = flap_s
        self._nodes = nodes
        self._lab = around.lab
        self._book = around.linkbook
        self._watch = around.watch
        self._exposure = Exposure(damage, links=len(self._links))
        self._since_us = 0
        self._in_force = False
        self._turned_s = 0.0
        self._looked_s = 0.0

    def apply(self) -> None:
        """Damage all the links that no other fault holds; the rest wait for that one to let go."""
        self._since_us = now_us()
        self._damage_all()

    def held(self) -> bool:
        """Damage is in force when `apply` returns."""
        return True

    def pulse(self) -> None:
        """Look at the links now and then; flap when it is time."""
        now_s = monotonic_s()
        if self._flap_s is not None and now_s - self._turned_s >= self._flap_s:
            if self._in_force:
                self._let_go()
            else:
                self._damage_all()
        elif self._in_force and now_s - self._looked_s >= LOOK_EVERY_S:
            self._look()

    def finished(self) -> bool:
        """Let it end at any time."""
        return True

    def heal(self) -> None:
        """Let go of the links; those that another fault holds stay damaged."""
        if self._in_force:
            self._let_go()

    def healed(self) -> bool:
        """Ask each link's target for an answer through it, and the proxy for what it still does.

        Links that another fault holds, and targets that another fault keeps away, are not asked.
        """
        return all(
            self._lab.links.is_whole(link)
            and (self._lab.links.answers(link) or not self._target_serves(link))
            for link in self._book.released(self._links)
        )

    def evidence(self) -> Evidence:
        """Return what the links carried while damaged, and what the cluster did."""
        seen = self._exposure.evidence()
        changes = [
            sentence
            for node in self._nodes
            for sentence in cluster_sentences(self._watch, node=node, since_us=self._since_us)
        ]
        return replace(seen, sentences=(*seen.sentences, *dict.fromkeys(changes)))

    def _damage_all(self) -> None:
        before = self._lab.links.traffic(self._links)
        self._book.cut(self._links, damage=self._damage, owner=self)
        ours = self._book.in_force(owner=self)
        self._exposure.begin(before=before, after=self._lab.links.traffic(ours))
        self._in_force = True
        self._turned_s = self._looked_s = monotonic_s()

    def _look(self) -> None:
        self._looked_s = monotonic_s()
        seen = self._lab.links.traffic(self._links)
        late = self._book.in_force(owner=self) - self._exposure.links()
        if late:
            taken = {link: seen[link] for link in late}
            self._exposure.extend(before=taken, after=taken)

    def _let_go(self) -> None:
        self._look()
        self._exposure.end(self._lab.links.traffic(self._exposure.links()))
        self._in_force = False
        self._turned_s = monotonic_s()
        self._book.heal(owner=self)

    def _target_serves(self, link: Link) -> bool:
        if link.plane == "database":
            return self._lab.database.serves()
        if link.plane == "coordination":
            return self._lab.lock_service(cast("LockServiceName", link.target)).serves()
        return self._lab.nodes[int(link.target)].serves()
