"""Which fault holds which link: a link heals when the last fault that damaged it lets go."""

from collections.abc import Iterable

from harness.lab.protocol import Links
from harness.lab.values import Link
from harness.schedule.network import Damage


class LinkBook:
    """Damages and heals links so that overlapping faults do not heal each other's damage.

    A link has one damage at a time: what its first holder asked for. The others wait in the order
    in which they came. When a holder lets go and the next one wants something else, the link is
    healed and damaged anew, some milliseconds apart.
    """

    def __init__(self, links: Links) -> None:
        self._links = links
        self._held: dict[Link, list[tuple[object, Damage]]] = {}

    def cut(self, links: Iterable[Link], *, damage: Damage, owner: object) -> None:
        """Damage `links` for `owner`; a link that is held already keeps its first damage."""
        wanted = tuple(dict.fromkeys(links))
        fresh = [link for link in wanted if not self._held.get(link)]
        for link in wanted:
            self._held.setdefault(link, []).append((owner, damage))
        self._links.cut(fresh, damage=damage)

    def heal(self, *, owner: object) -> None:
        """Let go of everything that `owner` holds; what the others want is then in force.

        If a link cannot be healed, the book stays as it was: whoever heals everything tries again.
        """
        left = {
            link: [holder for holder in holders if holder[0] is not owner]
            for link, holders in self._held.items()
        }
        stale: list[Link] = []
        again: dict[Damage, list[Link]] = {}
        for link, holders in left.items():
            before = [damage for _, damage in self._held[link][:1]]
            after = [damage for _, damage in holders[:1]]
            if before != after:
                stale.append(link)
                for damage in after:
                    again.setdefault(damage, []).append(link)
        self._links.heal(stale)
        self._held = left
        for damage, links in again.items():
            self._links.cut(links, damage=damage)

    def in_force(self, *, owner: object) -> frozenset[Link]:
        """Return the links that are damaged now in just the way that `owner` asked for."""
        return frozenset(
            link
            for link, holders in self._held.items()
            for held_by, damage in holders
            if held_by is owner and damage == holders[0][1]
        )

    def released(self, links: Iterable[Link]) -> tuple[Link, ...]:
        """Return those of `links` that no fault holds."""
        return tuple(link for link in links if not self._held.get(link))

    def heal_everything(self) -> None:
        """Let go of every damage, whoever asked for it."""
        self._links.heal([link for link, holders in self._held.items() if holders])
        self._held.clear()
