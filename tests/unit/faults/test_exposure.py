"""What is seen on damaged links, and when it is a bite."""

import pytest

from harness.faults.driver import Met
from harness.faults.exposure import Exposure
from harness.lab.values import Link, LinkTraffic
from harness.schedule.network import Damage, Flavour, Stream

ONE, OTHER = (Link(plane="client", source="slot1", target=node) for node in "12")


def seen(
    established: int = 0,
    *,
    accepted: int = 0,
    asked: int | None = 0,
    answered: int | None = 0,
) -> LinkTraffic:
    """Return an observation in which nothing was overlooked."""
    return LinkTraffic(
        established=established,
        accepted=accepted,
        terminated=max(0, accepted - established),
        asked_bytes=asked,
        answered_bytes=answered,
    )


def exposed(damage: Damage, before: LinkTraffic, after: LinkTraffic, end: LinkTraffic) -> Exposure:
    """Return one link's exposure from the damage to its end."""
    exposure = Exposure(damage, links=1)
    exposure.begin(before={ONE: before}, after={ONE: after})
    exposure.end({ONE: end})
    return exposure


@pytest.mark.parametrize(
    ("flavour", "before", "end", "bit"),
    [
        ("hold", seen(1, accepted=1), seen(1, accepted=1), True),
        ("hold", seen(0), seen(1, accepted=1), True),
        ("hold", seen(0, accepted=3), seen(0, accepted=3), False),
        ("refuse", seen(1, accepted=1), seen(0, accepted=1), True),
        ("refuse", seen(0), seen(0), False),
        ("reset", seen(1, accepted=1), seen(1, accepted=1), False),
        ("reset", seen(1, accepted=1), seen(0, accepted=1), False),
        ("reset", seen(1, accepted=1), seen(0, accepted=4), True),
        ("limit", seen(1, accepted=1, asked=5), seen(1, accepted=1, asked=9), False),
        ("latency", seen(1, answered=5), seen(1, answered=5), False),
        ("latency", seen(1, answered=5), seen(1, answered=6), True),
        ("slice", seen(1, answered=None), seen(1, answered=None), True),
        ("slice", seen(0, answered=None), seen(0, answered=None), False),
    ],
)
def test_a_damage_bit_when_it_met_what_it_acts_on(
    flavour: Flavour, before: LinkTraffic, end: LinkTraffic, *, bit: bool
) -> None:
    """Cuts need connections, ends need ended ones that came back, slowness needs answers."""
    amount = 10 if flavour in ("latency", "slice", "limit") else None
    exposure = exposed(Damage(flavour=flavour, amount=amount), before, before, end)
    assert exposure.evidence().bit is bit


def test_bytes_are_counted_from_the_moment_the_damage_is_in_force() -> None:
    """What went through while it was being applied was not damaged."""
    exposure = exposed(
        Damage(flavour="latency", amount=10),
        seen(1, accepted=1, asked=10, answered=10),
        seen(1, accepted=1, asked=90, answered=90),
        seen(1, accepted=1, asked=90, answered=90),
    )
    evidence = exposure.evidence()
    assert evidence.bit is False
    assert evidence.sentences == (
        "1 open connection on 1 link met it",
        "nothing was sent on them while it was in force: they were idle",
        "an answer takes 0.02 s under it: let it be in force for longer",
    )


@pytest.mark.parametrize(
    ("stream", "asked", "answered", "bit"),
    [
        ("both", 5, 0, True),
        ("both", 0, 5, True),
        ("requests", 5, 0, True),
        ("requests", 0, 5, False),
        ("answers", 5, 0, False),
        ("answers", 0, 5, True),
    ],
)
def test_a_slow_link_bit_when_bytes_went_its_slow_way(
    stream: Stream, asked: int, answered: int, *, bit: bool
) -> None:
    """A request that went in was delayed, whoever ended the connection before its answer."""
    exposure = exposed(
        Damage(flavour="latency", amount=10, stream=stream),
        seen(1),
        seen(1),
        seen(1, asked=asked, answered=answered),
    )
    assert exposure.evidence().bit is bit


def test_idle_connections_are_called_idle() -> None:
    """A cut of a silent connection is a cut, and the reader is told that it was silent."""
    still = seen(2, accepted=2, asked=7, answered=7)
    evidence = exposed(Damage(flavour="hold"), still, still, still).evidence()
    assert evidence.bit is True
    assert evidence.sentences[1] == (
        "nothing was sent on them while it was in force: they were idle"
    )


def test_a_link_that_another_fault_holds_counts_from_when_it_was_let_go() -> None:
    """And the sentence says how many links never came under this damage."""
    exposure = Exposure(Damage(flavour="hold"), links=3)
    exposure.begin(before={ONE: seen(1, accepted=1)}, after={ONE: seen(1, accepted=1)})
    late = {OTHER: seen(2, accepted=2, asked=100)}
    exposure.extend(before=late, after=late)
    exposure.end(
        {ONE: seen(1, accepted=1, asked=3), OTHER: seen(2, accepted=2, asked=104)},
    )
    evidence = exposure.evidence()
    assert evidence.sentences[0].startswith("3 open connections on 2 of 3 links (")
    assert evidence.sentences[1].startswith("7 bytes were sent into it")
    assert evidence.met == {
        str(ONE): Met(connections=1, bytes_sent=3, bytes_answered=0),
        str(OTHER): Met(connections=2, bytes_sent=4, bytes_answered=0),
    }


def test_flaps_are_counted() -> None:
    """Each time in force adds to the same sums."""
    exposure = Exposure(Damage(flavour="refuse"), links=1)
    for _ in range(3):
        exposure.begin(before={ONE: seen(1, accepted=1)}, after={ONE: seen(0, accepted=1)})
        exposure.end({ONE: seen(0, accepted=1)})
    said = exposure.evidence().sentences
    assert said[0] == "3 open connections on 1 link met it"
    assert said[-1] == "it came into force 3 times"
