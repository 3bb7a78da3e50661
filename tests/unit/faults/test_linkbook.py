"""Overlapping cuts: a link heals when the last fault that holds it lets go."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import LabError
from harness.faults.linkbook import LinkBook
from harness.lab.values import Link, LinkTraffic
from harness.schedule.network import Damage


class FakeLinks:
    """Remembers how each link is cut; refuses to cut a cut link, as a real proxy state would."""

    def __init__(self) -> None:
        self.state: dict[Link, Damage | None] = dict.fromkeys(LINKS)
        self.wedged = False

    def all(self) -> tuple[Link, ...]:
        """Return every link."""
        return tuple(self.state)

    def cut(self, links: Iterable[Link], *, damage: Damage) -> None:
        """Cut links that are whole."""
        for link in links:
            assert self.state[link] is None, "a cut link may not be cut again"
            self.state[link] = damage

    def heal(self, links: Iterable[Link]) -> None:
        """Heal links, unless the server is wedged."""
        if self.wedged:
            raise LabError("no answer")
        for link in links:
            self.state[link] = None

    def is_whole(self, link: Link) -> bool:
        """Tell whether a link is whole."""
        return self.state[link] is None

    def answers(self, link: Link) -> bool:
        """Tell whether a link is whole: everybody behind one answers."""
        return self.is_whole(link)

    def traffic(self, links: Iterable[Link]) -> dict[Link, LinkTraffic]:
        """Return nothing seen."""
        return {link: LinkTraffic(established=0, accepted=0, terminated=0) for link in links}


LINKS = tuple(Link(plane="replication", source=a, target=b) for a in "123" for b in "123" if a != b)
DAMAGES = (
    Damage(flavour="hold"),
    Damage(flavour="drop", stream="answers"),
    Damage(flavour="refuse"),
    Damage(flavour="latency", amount=100),
    Damage(flavour="latency", amount=300),
)
OWNERS = 4
STEPS = st.lists(
    st.tuples(
        st.integers(0, OWNERS - 1),
        st.booleans(),
        st.sets(st.sampled_from(LINKS)),
        st.sampled_from(DAMAGES),
    ),
    max_size=24,
)


@given(STEPS)
def test_a_link_has_the_damage_of_whoever_holds_it_longest(
    steps: list[tuple[int, bool, set[Link], Damage]],
) -> None:
    """Whatever order faults come and go in; and a link is whole exactly when nobody holds it."""
    links = FakeLinks()
    book = LinkBook(links)
    owners = [object() for _ in range(OWNERS)]
    holding: dict[int, tuple[set[Link], Damage]] = {}  # in the order in which they came
    for number, wants_cut, chosen, damage in steps:
        if wants_cut and number not in holding:
            book.cut(chosen, damage=damage, owner=owners[number])
            holding[number] = (chosen, damage)
        elif not wants_cut and number in holding:
            book.heal(owner=owners[number])
            del holding[number]
        first = {
            link: next((wanted for held, wanted in holding.values() if link in held), None)
            for link in LINKS
        }
        assert links.state == first
        assert book.released(LINKS) == tuple(link for link in LINKS if first[link] is None)
        for each, (held, wanted) in holding.items():
            assert book.in_force(owner=owners[each]) == {
                link for link in held if first[link] == wanted
            }


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


def test_a_link_that_could_not_be_healed_is_tried_again_with_everything() -> None:
    """A proxy that does not answer now may do so later; the book does not forget its link."""
    links = FakeLinks()
    book = LinkBook(links)
    owner = object()
    book.cut(LINKS[:1], damage=Damage(flavour="hold"), owner=owner)
    links.wedged = True
    with pytest.raises(LabError):
        book.heal(owner=owner)
    links.wedged = False
    book.heal_everything()
    assert not any(links.state.values())
