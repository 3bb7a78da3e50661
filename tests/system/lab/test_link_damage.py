"""Every flavour on every plane, seen by who uses the link: on an old connection and on a new one.

Nothing here asks Toxiproxy.
"""

from dataclasses import dataclass

import psycopg
import pytest
from confluent_kafka import Producer

from harness.clock import wait_until
from harness.lab.local import LocalLab
from harness.lab.values import Link
from harness.schedule.network import Damage

from .conftest import TOPIC, state
from .talks import Asker, Outcome, answers, await_at_once, open_talk

LINKS = (
    Link(plane="replication", source="1", target="2"),
    Link(plane="quorum", source="1", target="2"),
    Link(plane="client", source="slot8", target="1"),
    Link(plane="database", source="slot8", target="database"),
    Link(plane="coordination", source="slot8", target="redis"),
    Link(plane="coordination", source="slot8", target="zookeeper"),
)
pytestmark = pytest.mark.usefixtures("whole")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What becomes of a question under a damage."""

    during: Outcome
    """On a connection from before, and on a fresh one."""
    survives: bool
    """Whether the connection from before is of use once the link is healed."""


EXPECTED = {
    Damage(flavour="hold"): Expected(during="silent", survives=True),
    Damage(flavour="drop"): Expected(during="silent", survives=False),
    Damage(flavour="refuse"): Expected(during="ended", survives=False),
    Damage(flavour="reset"): Expected(during="ended", survives=False),
    Damage(flavour="latency", amount=150): Expected(during="late", survives=True),
    Damage(flavour="bandwidth", amount=1): Expected(during="late", survives=True),
    Damage(flavour="slice", amount=1): Expected(during="late", survives=True),
    Damage(flavour="limit", amount=40): Expected(during="ended", survives=False),
}


@pytest.mark.parametrize("link", LINKS, ids=str)
@pytest.mark.parametrize("damage", EXPECTED, ids=str)
def test_a_damage_does_what_it_says_until_it_is_healed(
    lab: LocalLab, link: Link, damage: Damage
) -> None:
    """Answered at once before and after; silent, late or ended in between."""
    expected = EXPECTED[damage]
    within_s = 0.4 if expected.during == "silent" else 10.0
    talk = open_talk(lab, link)
    await_at_once(lab, link, talk)
    with Asker(lab) as asker:
        lab.links.cut([link], damage=damage)
        old, fresh = asker.ask(link, talk), asker.ask(link)
        during = (old.outcome(within_s=within_s), fresh.outcome(within_s=within_s))
        assert during == (expected.during, expected.during)
        lab.links.heal([link])
        if expected.during == "silent":
            answered = "late" if expected.survives else "ended"
            assert (old.outcome(within_s=10), fresh.outcome(within_s=10)) == (answered, answered)
        after = asker.ask(link, talk).outcome(within_s=10)
    assert (after != "ended") is expected.survives
    await_at_once(lab, link)
    talk.close()


@pytest.mark.parametrize("link", LINKS, ids=str)
def test_the_lab_itself_can_tell_by_an_answer(lab: LocalLab, link: Link) -> None:
    """What faults verify their healing with: the target's own answer through the link."""
    assert lab.links.answers(link)
    lab.links.cut([link], damage=Damage(flavour="drop"))
    assert not lab.links.answers(link)
    lab.links.heal([link])
    assert lab.links.answers(link)


def test_a_damage_of_one_slot_leaves_its_neighbours_alone(lab: LocalLab) -> None:
    """Eight slots share one node and one database, not their links."""
    cut = [Link(plane="client", source="slot8", target="1"), LINKS[3]]
    lab.links.cut(cut, damage=Damage(flavour="refuse"))
    beside = [
        Link(plane="client", source="slot7", target="1"),
        Link(plane="client", source="slot8", target="2"),
        Link(plane="database", source="slot7", target="database"),
    ]
    assert [answers(lab, link) for link in (*cut, *beside)] == [False, False, True, True, True]


def test_a_record_arrives_whose_acknowledgement_does_not(lab: LocalLab) -> None:
    """`drop`, answers only, on a producer's link with the leader: in the log, and unconfirmed."""
    leader = state(lab).leader
    place = (TOPIC, 0)
    producer = Producer(
        {
            "bootstrap.servers": lab.bootstrap(8),
            "acks": "all",
            "message.timeout.ms": 2000,
            "message.send.max.retries": 0,
            "log_level": 0,
        }
    )
    told: list[object] = []

    def send() -> None:
        producer.produce(TOPIC, b"x", partition=0, on_delivery=lambda error, _: told.append(error))

    send()
    producer.flush(10)
    assert told == [None]
    before = wait_until(
        lambda: lab.cluster.ends([place]).get(place), deadline_s=10, describe="the leader's end"
    )
    link = Link(plane="client", source="slot8", target=str(leader))
    lab.links.cut([link], damage=Damage(flavour="drop", stream="answers"))
    send()
    wait_until(
        lambda: lab.cluster.ends([place]).get(place, 0) > before,
        deadline_s=10,
        describe="the record to be in the log",
    )
    assert told == [None]
    producer.flush(10)
    assert [error is None for error in told] == [True, False]
    lab.links.heal([link])


def test_a_query_is_executed_whose_result_does_not_arrive(lab: LocalLab) -> None:
    """The same on the database's link: the commit happened, and its client does not know."""
    direct = lab.database.url("postgres")
    link = LINKS[3]
    with (
        psycopg.connect(direct, autocommit=True) as reader,
        psycopg.connect(lab.database_url(8, "postgres"), autocommit=True) as writer,
        Asker(lab) as asker,
    ):
        reader.execute("CREATE TABLE unheard (n int)")
        reader.execute("GRANT INSERT ON unheard TO PUBLIC")
        lab.links.cut([link], damage=Damage(flavour="limit", amount=3, stream="answers"))
        with pytest.raises(psycopg.OperationalError):
            writer.execute("INSERT INTO unheard VALUES (1)")
        assert reader.execute("SELECT n FROM unheard").fetchone() == (1,)
        reader.execute("DROP TABLE unheard")
        assert asker.ask(link).outcome(within_s=10) == "ended"
