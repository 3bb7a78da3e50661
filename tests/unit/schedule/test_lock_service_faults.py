"""Faults of lock services: on the menu of pipelines that use them, and in company that fits."""

from dataclasses import replace

import pytest

from harness.schedule import budget
from harness.schedule.codec import from_json, to_json
from harness.schedule.company import goes_with, server_of
from harness.schedule.menu import items
from harness.schedule.network_words import cannot_reach
from harness.schedule.shape import OUTBOX, Peer, PipelineShape
from harness.schedule.targets import LockServiceName
from harness.schedule.values import Fault, Schedule
from harness.schedule.words import (
    consumer,
    database,
    every,
    kill,
    leader,
    pause,
    redis,
    relay,
    restart,
    stop,
    terminate,
    zookeeper,
)


def locking(*services: LockServiceName) -> PipelineShape:
    """Return the reference with a consumer that uses these lock services."""
    peers = frozenset[Peer]({"kafka", "database", *services})
    return replace(OUTBOX, speaks={"consumer": peers})


@pytest.mark.parametrize("used", [(), ("redis",), ("zookeeper",), ("redis", "zookeeper")])
def test_only_a_lock_service_that_is_used_is_on_the_menu(used: tuple[LockServiceName, ...]) -> None:
    """Three ways to take it out, and every flavour on the links of the roles that use it."""
    menu = {item.name for item in items(locking(*used))}
    for service in ("redis", "zookeeper"):
        expected = {f"{word} {service}" for word in ("kill", "stop", "pause")}
        links = {name for name in menu if name.endswith(f"to {service}")}
        if service in used:
            assert expected <= menu
            assert len(links) == 8
            assert all("consumer" in name for name in links)
        else:
            assert not expected & menu
            assert not links


@pytest.mark.parametrize(
    "fault", [kill(redis()), pause(zookeeper()), cannot_reach(every("consumer"), redis())], ids=str
)
def test_a_fault_of_a_lock_service_is_read_back_as_it_was(fault: Fault) -> None:
    """And holds no node: it may stand beside the death of one, within the safe budget."""
    schedule = Schedule(pipeline="outbox", faults=(kill(leader("orders", 0)), fault))
    assert from_json(to_json(schedule), source="here") == schedule
    assert budget.problems(schedule) == []


@pytest.mark.parametrize(
    ("one", "other", "fits"),
    [
        (kill(redis()), pause(redis()), False),
        (kill(redis()), kill(zookeeper()), True),
        (stop(redis()), stop(database()), True),
        (pause(redis()), cannot_reach(consumer(0), redis()), False),
        (pause(redis()), cannot_reach(consumer(0), zookeeper()), True),
        (pause(redis()), cannot_reach(consumer(0), database()), True),
        (kill(redis()), terminate(every("consumer")), False),  # who waits for a lock is in none
        (cannot_reach(consumer(0), redis()), cannot_reach(every("consumer"), redis()), False),
        (cannot_reach(consumer(0), redis()), cannot_reach(consumer(0), database()), True),
        (cannot_reach(consumer(0), redis()), cannot_reach(relay(0), redis()), True),
        (cannot_reach(consumer(0), redis()), cannot_reach(consumer(0), zookeeper()), True),
    ],
    ids=str,
)
def test_whether_two_faults_can_both_meet_something(
    one: Fault, other: Fault, *, fits: bool
) -> None:
    """A server that is out cannot be taken out again; one link is damaged once at a time."""
    assert goes_with((one, other), 0, 1) is fits


def test_which_server_is_out_is_told_by_its_name() -> None:
    """Two lock services are two servers."""
    assert server_of(restart(redis())) == redis()
    assert server_of(stop(database())) == database()
    assert server_of(kill(consumer(0))) is None
    assert redis() != zookeeper()
    assert (str(redis()), str(zookeeper())) == ("Redis", "ZooKeeper")
