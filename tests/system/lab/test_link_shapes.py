"""Every fault of links on a real lab: which ways are closed, what the cluster does, what it says.

Nothing here asks Toxiproxy: a way is open when the node behind it answers.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from harness.clock import monotonic_s, wait_until
from harness.faults.driver import Driver, Lasting, Surroundings
from harness.faults.link_faults import make
from harness.lab.local import LocalLab
from harness.lab.values import NODES, Link
from harness.schedule.network import Cut, Isolate, Partition, Unreachable
from harness.schedule.network_words import (
    BOTH_PLANES,
    Planes,
    bridge,
    cannot_ask_controller,
    cannot_fetch,
    cannot_reach,
    isolate,
    latency,
    minority,
    parted,
    ring,
    unfollowed,
)
from harness.schedule.targets import Database, EveryNode, Instance, Leader, LockService, Node, Role
from harness.schedule.words import controller, standby

from .conftest import TOPIC, await_state, state
from .playing import surrounded
from .talks import answers

SLOTS = {("producer", 0): 1, ("relay", 0): 5, ("consumer", 0): 6, ("consumer", 1): 6}
ONE, TWO, THREE = (Node(number=number) for number in NODES)
LinkFault = Cut | Isolate | Partition | Unreachable
pytestmark = pytest.mark.usefixtures("whole")


@pytest.fixture
def around(lab: LocalLab) -> Iterator[Surroundings]:
    """Return what drivers of links work on: no process of a pipeline is among it."""
    with surrounded(lab) as surroundings:
        yield replace(surroundings, slots=SLOTS)


def applied(fault: LinkFault, around: Surroundings) -> Lasting:
    """Return the fault's driver with the fault in force."""
    driver = make(fault, around)
    assert isinstance(driver, Lasting)
    driver.apply()
    assert driver.held()
    return driver


def await_said(driver: Driver, words: str) -> None:
    """Wait until the evidence has these words: the watch samples, and is a moment behind."""
    wait_until(
        lambda: any(words in said for said in driver.evidence().sentences),
        deadline_s=5,
        describe=f"evidence with “{words}”",
        last_seen=driver.evidence,
    )


def closed_ways(lab: LocalLab, plane: str) -> set[tuple[str, str]]:
    """Return the (source, target) of every link between nodes that nobody answers through."""
    return {
        (link.source, link.target)
        for link in lab.links.all()
        if link.plane == plane and not answers(lab, link)
    }


@pytest.mark.parametrize(
    ("fault", "closed", "planes", "what"),
    [
        (
            parted(ONE, TWO, flavour="refuse"),
            {"12", "21"},
            BOTH_PLANES,
            "node 1 and node 2 lose each other (refuse)",
        ),
        (
            bridge(THREE, flavour="refuse"),
            {"12", "21"},
            BOTH_PLANES,
            "node 1 and node 2 lose each other, node 3 still reaches both (refuse)",
        ),
        (
            ring(flavour="refuse", planes=("replication",)),
            {"13", "21", "32"},
            ("replication",),
            "each node can only ask the next one on the replication plane (refuse)",
        ),
        (
            minority(ONE, flavour="refuse"),
            {"12", "13", "21", "31"},
            BOTH_PLANES,
            "node 1 is alone on one side, node 2 and node 3 on the other (refuse)",
        ),
        (
            unfollowed(TWO),
            {"12", "32"},
            ("replication",),
            "nobody can ask node 2, which reaches everybody on the replication plane (refuse)",
        ),
        (
            isolate(THREE, flavour="refuse"),
            {"13", "23", "31", "32"},
            BOTH_PLANES,
            "isolate node 3 from peers (refuse)",
        ),
        (
            cannot_fetch(TWO, source=ONE, flavour="refuse"),
            {"21"},
            ("replication",),
            "node 2 cannot fetch from node 1 (refuse)",
        ),
        (
            cannot_ask_controller(TWO, source=ONE, flavour="refuse"),
            {"21"},
            ("quorum",),
            "node 2 cannot ask node 1 in the quorum (refuse)",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, LinkFault) else "",
)
def test_a_shape_closes_its_ways_and_no_others(
    lab: LocalLab,
    around: Surroundings,
    fault: LinkFault,
    closed: set[str],
    planes: Planes,
    what: str,
) -> None:
    """Each of the twelve ways between nodes is tried; and all are open again after healing."""
    driver = applied(fault, around)
    assert driver.what == what
    for plane in BOTH_PLANES:
        wanted = {(pair[0], pair[1]) for pair in closed} if plane in planes else set()
        assert closed_ways(lab, plane) == wanted
    driver.heal()
    assert driver.healed()
    assert closed_ways(lab, "replication") | closed_ways(lab, "quorum") == set()


@pytest.mark.usefixtures("load")
def test_a_leader_that_nobody_follows_is_alone_in_its_in_sync_replicas(
    lab: LocalLab, around: Surroundings
) -> None:
    """And keeps its leadership: the controller still hears it."""
    leader = state(lab).leader
    driver = applied(unfollowed(Leader(topic=TOPIC, partition=0), flavour="hold"), around)
    assert driver.resolved["node"] == leader
    await_state(lab, lambda now: now.isr == (leader,), describe=f"leader {leader} to be alone")
    await_said(driver, "in-sync replicas of lab-test/")
    driver.heal()
    assert driver.evidence().bit


@pytest.mark.usefixtures("load")
def test_a_leader_in_the_minority_loses_its_leadership(lab: LocalLab, around: Surroundings) -> None:
    """The majority elects another one; the sentence names both."""
    leader = state(lab).leader
    driver = applied(minority(Leader(topic=TOPIC, partition=0)), around)
    await_state(lab, lambda now: now.leader not in (leader, -1), describe="another leader")
    await_said(driver, f": {leader} → ")
    driver.heal()
    assert driver.evidence().bit


@pytest.mark.parametrize(
    ("fault", "closed", "what"),
    [
        (
            cannot_reach(Instance(role="relay"), ONE, flavour="refuse"),
            {"client:slot5->1"},
            "relay 0 cannot reach node 1 (refuse)",
        ),
        (
            cannot_reach(Role(role="consumer"), EveryNode(), flavour="refuse"),
            {"client:slot6->1", "client:slot6->2", "client:slot6->3"},
            "every consumer cannot reach any node (refuse)",
        ),
        (
            cannot_reach(Instance(role="producer"), Database(), flavour="refuse"),
            {"database:slot1->database"},
            "producer 0 cannot reach the database (refuse)",
        ),
        (
            cannot_reach(Role(role="consumer"), LockService(name="redis"), flavour="refuse"),
            {"coordination:slot6->redis"},
            "every consumer cannot reach Redis (refuse)",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, Unreachable) else "",
)
def test_a_role_loses_what_it_cannot_reach_and_nothing_else(
    lab: LocalLab, around: Surroundings, fault: Unreachable, closed: set[str], what: str
) -> None:
    """Every client link of the three slots in use is tried, and those of the servers beside."""
    mine = {f"slot{slot}" for slot in SLOTS.values()}
    links = [link for link in lab.links.all() if link.source in mine]
    driver = applied(fault, around)
    assert driver.what == what
    assert {str(link) for link in links if not answers(lab, link)} == closed
    driver.heal()
    assert driver.healed()
    assert all(answers(lab, link) for link in links)


def test_processes_that_share_links_are_named(around: Surroundings) -> None:
    """A lab has eight slots; where instances share one, the timeline says who else is hit."""
    driver = make(cannot_reach(Instance(role="consumer"), Node(number=1)), around)
    assert driver is not None
    assert driver.resolved["processes"] == ["consumer 0"]
    assert driver.resolved["sharing the links"] == ["consumer 1"]


@pytest.mark.usefixtures("load")
def test_a_slow_link_bites_only_if_bytes_go_through_it(around: Surroundings) -> None:
    """The producer's links are in use, the relay's are not: one bit, the other did not."""
    slow = latency(100)
    drivers = [
        applied(cannot_reach(Instance(role=role), EveryNode(), flavour=slow), around)
        for role in ("producer", "relay")
    ]
    _pulse(drivers, seconds=1.5)
    for driver in drivers:
        driver.heal()
        assert driver.healed()
    busy, idle = (driver.evidence() for driver in drivers)
    assert (busy.bit, idle.bit) == (True, False), (busy, idle)
    assert "they were idle" in idle.sentences[1]


@pytest.mark.parametrize("index", [0, 1])
def test_a_standby_always_has_something_to_ask_the_active_controller(
    around: Surroundings, index: int
) -> None:
    """Whichever node is which: the one quorum link that is never idle."""
    driver = applied(cannot_ask_controller(standby(index), source=controller()), around)
    _pulse([driver], seconds=1)
    driver.heal()
    assert driver.healed()
    assert driver.evidence().bit, driver.evidence().sentences


@pytest.mark.usefixtures("load")
def test_a_flapping_fault_comes_and_goes_and_ends_healed(
    lab: LocalLab, around: Surroundings
) -> None:
    """Three times in force at least; the way is closed when it is, and open when it is not."""
    link = Link(plane="replication", source="1", target="2")
    driver = applied(cannot_fetch(ONE, source=TWO, flavour="refuse", flap_s=0.4), around)
    seen = [lab.links.answers(link)]

    def turned() -> bool:
        driver.pulse()
        return lab.links.answers(link) is not seen[-1]

    while len(seen) < 5:
        wait_until(turned, deadline_s=5, describe="the link to flap")
        seen.append(not seen[-1])
    driver.heal()
    assert seen == [False, True, False, True, False]
    assert driver.healed()
    assert lab.links.answers(link)
    assert "it came into force 3 times" in driver.evidence().sentences


@pytest.mark.usefixtures("load")
def test_two_faults_on_one_link_wait_for_each_other(lab: LocalLab, around: Surroundings) -> None:
    """The first one's damage is in force until it lets go; then the second's; then none."""
    link = Link(plane="client", source="slot1", target="1")
    who = Instance(role="producer")
    first = applied(cannot_reach(who, ONE, flavour="refuse"), around)
    second = applied(cannot_reach(who, EveryNode(), flavour=latency(50)), around)
    assert not lab.links.answers(link)
    first.heal()
    assert first.healed()  # rightly held by another fault
    assert lab.links.answers(link)
    assert not lab.links.is_whole(link)
    _pulse([second], seconds=1)
    second.heal()
    assert second.healed()
    assert "on 3 links" in second.evidence().sentences[0]


def _pulse(drivers: list[Lasting], *, seconds: float) -> None:
    """Pulse for a while, as a run does."""
    until_s = monotonic_s() + seconds

    def over() -> bool:
        for driver in drivers:
            driver.pulse()
        return monotonic_s() > until_s

    wait_until(over, deadline_s=seconds + 5, describe="some time of the fault")
