"""Nodes, the database and lock services out of service: what is seen of it, and that it heals."""

import signal
import socket
from typing import Any, Literal

import psutil
import psycopg
import pytest

from harness.clock import wait_until
from harness.faults.driver import Driver, Surroundings
from harness.faults.nodes import back_in_sync
from harness.faults.resolve import FaultError, resolve_node
from harness.lab.local import LocalLab
from harness.lab.values import Link
from harness.schedule.targets import Former, LockService
from harness.schedule.words import (
    controller,
    coordinator,
    database,
    follower,
    kill,
    kill_recovering,
    leader,
    node,
    nodes,
    pause,
    redis,
    rolling_restart,
    stop,
    zookeeper,
)

from .conftest import TOPIC, await_state, state
from .playing import GROUP, around, heal, hold, play

__all__ = ["around"]

pytestmark = pytest.mark.usefixtures("whole", "load")


def accepts(lab: LocalLab, number: int) -> bool:
    """Tell whether a node's own port accepts a connection."""
    with socket.socket() as sock:
        sock.settimeout(1)
        return sock.connect_ex(("127.0.0.1", lab.layout.listener(number, "AUDIT"))) == 0


def is_stopped(lab: LocalLab, number: int) -> bool:
    """Tell whether the kernel, or the engine of a container, says that a node stands still."""
    node: Any = lab.nodes[number]
    if isinstance(lab, LocalLab):
        return bool(psutil.Process(node.pid()).status() == psutil.STATUS_STOPPED)
    node.container.reload()
    return bool(node.container.attrs["State"]["Paused"])


def moves(around: Surroundings) -> list[str]:
    """Return all that was seen to change, in words."""
    return [said for change in around.watch.changes_since(0) for said in change.sentences()]


def is_replica_in_sync(lab: LocalLab, number: int) -> bool:
    """Tell whether a node is in the ISR of every partition of the cluster."""
    return all(number in each.isr for each in lab.cluster.partitions())


def test_a_killed_leader_is_gone_and_comes_back_into_every_isr(
    lab: LocalLab, around: Surroundings
) -> None:
    """Status -9, a port that refuses, a new leader with a higher epoch, and the ISR full again."""
    before = state(lab)

    def look(driver: Driver) -> None:
        assert driver.resolved == {"node": before.leader}
        assert not accepts(lab, before.leader)
        await_state(lab, lambda now: now.leader_epoch > before.leader_epoch, describe="an election")

    evidence = play(kill(leader("orders", 0)), around, meanwhile=look)
    assert evidence.bit
    assert f"node {before.leader} ended with status -9" in evidence.sentences
    assert f"leader of {TOPIC}/0: {before.leader} →" in "".join(moves(around))
    assert is_replica_in_sync(lab, before.leader)


def test_a_stopped_leader_hands_over_and_ends_with_the_status_of_its_signal(
    lab: LocalLab, around: Surroundings
) -> None:
    """SIGTERM: status 143, leadership given away before it is gone, a clean shutdown on disk."""
    before = state(lab)
    clean = lab.folder / f"node-{before.leader}" / "data" / ".kafka_cleanshutdown"

    def look(_: Driver) -> None:
        assert not accepts(lab, before.leader)
        assert clean.exists()
        await_state(
            lab, lambda now: now.leader not in (before.leader, -1), describe="another leader"
        )

    evidence = play(stop(leader("orders", 0)), around, meanwhile=look)
    assert evidence.bit
    assert f"node {before.leader} was asked to end and ended with status 143" in evidence.sentences
    assert is_replica_in_sync(lab, before.leader)


def test_a_paused_follower_is_silent_and_catches_up(lab: LocalLab, around: Surroundings) -> None:
    """The kernel says stopped; the same process is back in every ISR afterwards."""
    number = resolve_node(follower("orders", 0), around)
    pid = lab.nodes[number].pid()

    def look(_: Driver) -> None:
        assert is_stopped(lab, number)
        await_state(lab, lambda now: number not in now.isr, describe="the ISR to shrink")

    evidence = play(pause(node(number)), around, meanwhile=look)
    assert evidence.bit
    assert any("answered nothing" in said for said in evidence.sentences)
    assert lab.nodes[number].pid() == pid
    assert is_replica_in_sync(lab, number)


def test_a_set_of_nodes_dies_at_once_and_counts_each_node_once(
    lab: LocalLab, around: Surroundings
) -> None:
    """Three targets that are two nodes: both refuse, a majority is gone, and both come back."""
    first = resolve_node(leader("orders", 0), around)
    second = resolve_node(follower("orders", 0), around)
    fault = kill(nodes(leader("orders", 0), node(first), node(second)))

    def look(driver: Driver) -> None:
        assert driver.resolved == {"nodes": [first, second]}
        assert not accepts(lab, first)
        assert not accepts(lab, second)
        wait_until(
            lambda: lab.cluster.controller() is None, deadline_s=15, describe="no controller"
        )

    evidence = play(fault, around, meanwhile=look)
    assert evidence.bit
    assert sum("ended with status -9" in said for said in evidence.sentences) == 2
    assert is_replica_in_sync(lab, first)
    assert is_replica_in_sync(lab, second)


@pytest.mark.thorough
def test_a_set_with_a_dead_member_is_not_touched(lab: LocalLab, around: Surroundings) -> None:
    """The fault could not be what it says, so it is none."""
    driver = hold(kill(node(1)), around)
    with pytest.raises(FaultError, match="node 1 was not running"):
        hold(kill(nodes(node(1), node(2))), around)
    assert lab.nodes[2].pid() is not None
    heal(driver)


@pytest.mark.usefixtures("processes")  # it reads the log that a process writes
def test_a_node_is_killed_again_while_it_recovers(lab: LocalLab, around: Surroundings) -> None:
    """Its own log shows three starts, two of which never came to their end."""
    number = resolve_node(leader("orders", 0), around)
    log = lab.folder / f"node-{number}" / "server.log"
    size = log.stat().st_size
    evidence = play(kill_recovering(node(number), times=2), around)
    assert evidence.bit
    said = log.read_bytes()[size:].decode(errors="replace")
    assert said.count("since no clean shutdown file was found") == 3
    assert said.count("Kafka Server started") == 1
    assert is_replica_in_sync(lab, number)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_rolling_restart_is_never_two_nodes_short(
    lab: LocalLab, around: Surroundings, how: Literal["stop", "kill"]
) -> None:
    """Three new processes; at every moment two of three replicas were in sync."""
    before = {number: process.pid() for number, process in lab.nodes.items()}
    evidence = play(rolling_restart(how=how), around)
    assert evidence.bit
    after = {number: process.pid() for number, process in lab.nodes.items()}
    assert all(after[number] not in (None, before[number]) for number in before)
    code = -signal.SIGKILL if how == "kill" else 128 + signal.SIGTERM
    assert sum(said.endswith(f"ended with status {code}") for said in evidence.sentences) == 3
    sizes = [
        len(change.after.isr)
        for change in around.watch.changes_since(0)
        if change.after.topic == TOPIC
    ]
    assert min(sizes) == 2
    assert back_in_sync([1, 2, 3], around)


def test_the_controller_that_dies_is_replaced(lab: LocalLab, around: Surroundings) -> None:
    """The quorum names another one, and a target that says `former` still means the dead one."""
    before = wait_until(lab.cluster.controller, deadline_s=10, describe="a controller")

    def look(driver: Driver) -> None:
        around.hit[0] = before
        assert driver.resolved == {"node": before}
        assert resolve_node(Former(fault=0), around) == before
        wait_until(
            lambda: lab.cluster.controller() not in (None, before),
            deadline_s=15,
            describe="another controller",
        )

    assert play(kill(controller()), around, meanwhile=look).bit


def test_the_coordinator_of_the_group_that_dies_is_replaced(
    lab: LocalLab, around: Surroundings
) -> None:
    """Found over the audit path, by the partition of the offsets topic that it leads."""
    number = resolve_node(coordinator(), around)
    led = {each.leader for each in lab.cluster.partitions() if each.topic == "__consumer_offsets"}
    assert number in led

    def look(driver: Driver) -> None:
        assert driver.resolved == {"node": number}
        wait_until(
            lambda: lab.cluster.coordinator(GROUP, kind="group") not in (None, number),
            deadline_s=15,
            describe="another coordinator",
        )

    assert play(kill(coordinator()), around, meanwhile=look).bit


@pytest.mark.parametrize("make", [kill, stop, pause], ids=["kill", "stop", "pause"])
@pytest.mark.parametrize("service", [redis(), zookeeper()], ids=str)
def test_a_lock_service_is_out_of_service_and_comes_back(
    lab: LocalLab, around: Surroundings, make: object, service: LockService
) -> None:
    """A connection through a slot's link feels it; afterwards the links answer again."""
    server = lab.lock_service(service.name)
    link = Link(plane="coordination", source="slot1", target=service.name)
    pid = server.pid()

    def look(_: Driver) -> None:
        assert not server.serves()
        assert not lab.links.answers(link)

    assert callable(make)
    with socket.create_connection(("127.0.0.1", lab.layout.proxy(link)), timeout=5):
        wait_until(
            lambda: lab.links.traffic([link])[link].established == 1,
            deadline_s=5,
            describe="the connection to be seen",
        )
        evidence = play(make(service), around, meanwhile=look)
    assert evidence.bit
    assert any(said.startswith("1 connections of the pipeline") for said in evidence.sentences)
    assert (server.pid() == pid) == (make is pause)
    assert lab.links.answers(link)


@pytest.mark.parametrize(
    ("make", "code"),
    [(kill, -signal.SIGKILL), (stop, 0), (pause, None)],
    ids=["kill", "stop", "pause"],
)
def test_the_database_is_out_of_service_and_keeps_what_was_committed(
    lab: LocalLab, around: Surroundings, make: object, code: int | None
) -> None:
    """A session through a slot's link feels it; a new one finds the row."""
    lab.database.create("faulty")
    url = lab.database_url(1, "faulty")
    session = psycopg.connect(url, autocommit=True)
    session.execute("CREATE TABLE t AS SELECT 42 AS answer")
    pid = lab.database.pid()

    def look(_: Driver) -> None:
        assert not lab.database.serves()
        assert lab.database.exit_code() == code

    assert callable(make)
    evidence = play(make(database()), around, meanwhile=look)
    assert evidence.bit
    assert any(said.startswith("1 sessions of the pipeline") for said in evidence.sentences)
    assert (lab.database.pid() == pid) == (code is None)
    with psycopg.connect(url) as fresh:
        assert fresh.execute("SELECT answer FROM t").fetchone() == (42,)
    if code is not None:
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    session.close()
    lab.database.drop("faulty")
