"""Overlapping cuts: a link heals when the last fault that holds it lets go."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from harness.faults.linkbook import LinkBook
from harness.lab.protocol import Link, LinkTraffic
from harness.schedule.network import Damage, Flavour


class FakeLinks:
    """Remembers how each link is cut; refuses to cut a cut link, as a real proxy state would."""

    def __init__(self) -> None:
        self.state: dict[Link, Damage | None] = dict.fromkeys(LINKS)

    def all(self) -> tuple[Link, ...]:
        """Return every link."""
        return tuple(self.state)

    def cut(self, links: Iterable[Link], *, damage: Damage) -> None:
        """Cut links that are whole."""
        for link in links:
            assert self.state[link] is None, "a cut link may not be cut again"
            self.state[link] = damage

    def heal(self, links: Iterable[Link]) -> None:
        """Heal links."""
        for link in links:
            self.state[link] = None

    def is_whole(self, link: Link) -> bool:
        """Tell whether a link is whole."""
        return self.state[link] is None

    def traffic(self, links: Iterable[Link]) -> dict[Link, LinkTraffic]:
        """Return nothing seen."""
        return {link: LinkTraffic(established=0, accepted=0, terminated=0) for link in links}


LINKS = tuple(Link(plane="replication", source=a, target=b) for a in "123" for b in "123" if a != b)
FLAVOURS: list[Flavour] = ["hold", "drop", "refuse"]
STEPS = st.lists(
    st.tuples(
        st.integers(0, 2), st.booleans(), st.sets(st.sampled_from(LINKS)), st.sampled_from(FLAVOURS)
    ),
    max_size=12,
)


@given(STEPS)
def test_a_link_is_cut_exactly_while_some_fault_holds_it(
    steps: list[tuple[int, bool, set[Link], Flavour]],
) -> None:
    """Whatever order faults come and go in, a link is whole when nobody holds it, and only then."""
    links = FakeLinks()
    book = LinkBook(links)
    owners = [object(), object(), object()]
    holding: dict[int, set[Link]] = {}
    for number, wants_cut, chosen, flavour in steps:
        if wants_cut and number not in holding:
            book.cut(chosen, damage=Damage(flavour=flavour), owner=owners[number])
            holding[number] = chosen
        elif not wants_cut and number in holding:
            book.heal(owner=owners[number])
            healed = holding.pop(number)
            assert book.is_healed(healed)
        held = set().union(*holding.values()) if holding else set()
        assert {link for link, state in links.state.items() if state} == held


def test_the_remaining_fault_gets_its_own_flavour() -> None:
    """When the first of two holders lets go, the link is cut in the way the second asked for."""
    links = FakeLinks()
    book = LinkBook(links)
    first, second = object(), object()
    book.cut(LINKS[:1], damage=Damage(flavour="hold"), owner=first)
    book.cut(LINKS[:1], damage=Damage(flavour="refuse"), owner=second)
    book.heal(owner=first)
    assert links.state[LINKS[0]] == Damage(flavour="refuse")


def test_everything_can_be_healed_at_once() -> None:
    """An abandoned run leaves no cut behind."""
    links = FakeLinks()
    book = LinkBook(links)
    book.cut(LINKS, damage=Damage(flavour="drop"), owner=object())
    book.heal_everything()
    assert not any(links.state.values())
