"""Which fault holds which link: a link heals when the last fault that cut it lets go."""

from collections.abc import Iterable

from harness.lab.protocol import Link, Links
from harness.schedule.network import Damage


class LinkBook:
    """Cuts and heals links so that overlapping faults do not heal each other's cuts."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._held: dict[Link, list[tuple[object, Damage]]] = {}

    def cut(self, links: Iterable[Link], *, damage: Damage, owner: object) -> None:
        """Cut `links` for `owner`; a link that is cut already keeps its first damage."""
        wanted = tuple(links)
        fresh = [link for link in wanted if not self._held.get(link)]
        for link in wanted:
            self._held.setdefault(link, []).append((owner, damage))
        self._links.cut(fresh, damage=damage)

    def heal(self, *, owner: object) -> None:
        """Let go of everything that `owner` cut; links that others still hold stay cut."""
        released: list[Link] = []
        recut: dict[Damage, list[Link]] = {}
        for link, holders in self._held.items():
            if not any(held_by is owner for held_by, _ in holders):
                continue
            before = holders[0][1]
            holders[:] = [holder for holder in holders if holder[0] is not owner]
            if not holders:
                released.append(link)
            elif holders[0][1] != before:
                recut.setdefault(holders[0][1], []).append(link)
        self._links.heal([*released, *(link for links in recut.values() for link in links)])
        for damage, links in recut.items():
            self._links.cut(links, damage=damage)

    def is_healed(self, links: Iterable[Link]) -> bool:
        """Tell whether each link is whole again, or rightly held by another fault."""
        return all(self._held.get(link) or self._links.is_whole(link) for link in links)

    def heal_everything(self) -> None:
        """Let go of every cut, whoever asked for it."""
        links = [link for link, holders in self._held.items() if holders]
        self._held.clear()
        self._links.heal(links)
