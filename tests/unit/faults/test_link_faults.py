"""Which links each fault of links is about, and in which words."""

from types import SimpleNamespace

import pytest

from harness.errors import UsageError
from harness.faults.driver import Driver, Surroundings
from harness.faults.link_faults import make
from harness.faults.resolve import FaultError
from harness.lab.layout import LINKS
from harness.schedule.network_words import (
    bridge,
    cannot_ask_controller,
    cannot_fetch,
    cannot_reach,
    damage,
    isolate,
    latency,
    minority,
    parted,
    ring,
    unfollowed,
)
from harness.schedule.targets import (
    Controller,
    Database,
    EveryNode,
    Instance,
    LockService,
    Node,
    Role,
    Standby,
)
from harness.schedule.values import Fault

from .standing_in import surroundings_of

SLOTS = {("producer", 0): 1, ("relay", 0): 2, ("consumer", 0): 3, ("consumer", 1): 3}
ONE, TWO, THREE = (Node(number=number) for number in (1, 2, 3))


@pytest.fixture
def around() -> Surroundings:
    """Return a lab that has links, node numbers and a quorum, and is never touched."""
    lab = SimpleNamespace(
        links=SimpleNamespace(all=lambda: LINKS),
        nodes=dict.fromkeys((1, 2, 3)),
        cluster=SimpleNamespace(controller=lambda: 2, registered=lambda: frozenset({2, 3})),
    )
    return surroundings_of(lab=lab, watch=None, linkbook=None, slots=SLOTS)


def links_of(driver: Driver | None) -> list[str]:
    """Return the links that a driver is about."""
    assert driver is not None
    links = driver.resolved["links"]
    assert isinstance(links, list)
    return links


@pytest.mark.parametrize(
    ("fault", "links", "what"),
    [
        (parted(ONE, THREE), "1->3 3->1", "node 1 and node 3 lose each other (hold)"),
        (
            bridge(TWO),
            "1->3 3->1",
            "node 1 and node 3 lose each other, node 2 still reaches both (hold)",
        ),
        (ring(), "1->3 2->1 3->2", "each node can only ask the next one (hold)"),
        (
            minority(TWO),
            "1->2 2->1 2->3 3->2",
            "node 2 is alone on one side, node 1 and node 3 on the other (hold)",
        ),
        (isolate(TWO, flavour="drop"), "1->2 2->1 2->3 3->2", "isolate node 2 from peers (drop)"),
    ],
    ids=str,
)
def test_a_shape_names_its_links_on_both_planes(
    around: Surroundings, fault: Fault, links: str, what: str
) -> None:
    """By who can no longer ask whom."""
    driver = make(fault, around)
    assert driver is not None
    assert sorted(links_of(driver)) == sorted(
        f"{plane}:{way}" for plane in ("replication", "quorum") for way in links.split()
    )
    assert driver.what == what


@pytest.mark.parametrize(
    ("fault", "links", "what"),
    [
        (
            unfollowed(ONE),
            ["replication:2->1", "replication:3->1"],
            "nobody can ask node 1, which reaches everybody on the replication plane (refuse)",
        ),
        (
            cannot_fetch(TWO, source=ONE, flap_s=0.5),
            ["replication:2->1"],
            "node 2 cannot fetch from node 1 (hold), flapping every 0.5 s",
        ),
        (
            cannot_ask_controller(TWO, source=ONE),
            ["quorum:2->1"],
            "node 2 cannot ask node 1 in the quorum (hold)",
        ),
        (
            cannot_ask_controller(Standby(), source=Controller()),
            ["quorum:3->2"],
            "node 3 cannot ask node 2 in the quorum (hold)",
        ),
        (
            cannot_ask_controller(Standby(index=1), source=Controller()),
            ["quorum:1->2"],
            "node 1 cannot ask node 2 in the quorum (hold)",
        ),
        (
            isolate(ONE, cut_from="clients"),
            ["client:slot1->1", "client:slot2->1", "client:slot3->1"],
            "isolate node 1 from clients (hold)",
        ),
        (
            cannot_reach(Instance(role="relay"), THREE, flavour=latency(600, stream="answers")),
            ["client:slot2->3"],
            "relay 0 can hardly reach node 3 (latency of 600 ms, answers only)",
        ),
        (
            cannot_reach(Role(role="consumer"), EveryNode(), flavour="refuse"),
            ["client:slot3->1", "client:slot3->2", "client:slot3->3"],
            "every consumer cannot reach any node (refuse)",
        ),
        (
            cannot_reach(
                Instance(role="producer"), Database(), flavour=damage("drop", stream="answers")
            ),
            ["database:slot1->database"],
            "producer 0 cannot reach the database (drop, answers only)",
        ),
        (
            cannot_reach(Role(role="consumer"), LockService(name="zookeeper"), flap_s=0.5),
            ["coordination:slot3->zookeeper"],
            "every consumer cannot reach ZooKeeper (hold), flapping every 0.5 s",
        ),
    ],
    ids=str,
)
def test_a_fault_of_one_way_names_its_links(
    around: Surroundings, fault: Fault, links: list[str], what: str
) -> None:
    """By effect, in words that a reader understands."""
    driver = make(fault, around)
    assert driver is not None
    assert (driver.resolved["links"], driver.what) == (links, what)


def test_isolation_from_everyone_is_that_from_peers_and_clients(around: Surroundings) -> None:
    """Eight links with peers, and one for each slot in use."""
    found = {
        cut_from: set(links_of(make(isolate(ONE, cut_from=cut_from), around)))
        for cut_from in ("peers", "clients", "everyone")
    }
    assert found["everyone"] == found["peers"] | found["clients"]
    assert [len(links) for links in found.values()] == [8, 3, 11]


def test_who_shares_the_links_of_a_process_is_told(around: Surroundings) -> None:
    """More instances than slots: who else is hit stands in the timeline."""
    driver = make(cannot_reach(Instance(role="consumer", number=1), ONE), around)
    assert driver is not None
    assert driver.resolved["processes"] == ["consumer 1"]
    assert driver.resolved["sharing the links"] == ["consumer 0"]
    alone = make(cannot_reach(Role(role="consumer"), ONE), around)
    assert alone is not None
    assert "sharing the links" not in alone.resolved


def test_two_targets_that_are_one_node_are_no_fault(around: Surroundings) -> None:
    """A leader that moved onto the follower, say: there is nothing between a node and itself."""
    with pytest.raises(FaultError, match="both stand for node 1"):
        make(parted(ONE, ONE), around)


def test_a_third_standby_does_not_exist(around: Surroundings) -> None:
    """Of three voters one is active; the error names the others."""
    with pytest.raises(FaultError, match=r"standby controller 2 does not exist: .* \[3, 1\]"):
        make(cannot_ask_controller(Standby(index=2), source=Controller()), around)


def test_a_role_that_does_not_exist_is_a_mistake(around: Surroundings) -> None:
    """The message names those that do."""
    with pytest.raises(UsageError, match="no process packer 0"):
        make(cannot_reach(Role(role="packer"), ONE), around)
