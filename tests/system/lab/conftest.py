"""One real lab for all system tests of the lab, and the load that faults need."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import cast, get_args

import pytest
from confluent_kafka import Producer

from harness.clock import wait_until
from harness.errors import LabError
from harness.lab.local import LocalLab, start_local_lab
from harness.lab.values import PartitionState, TopicSpec
from harness.schedule.targets import LockServiceName

from .talks import SPACE

TOPIC = "lab-test"


@pytest.fixture(scope="package")
def lab(request: pytest.FixtureRequest) -> Iterator[LocalLab]:
    """Return a running lab with every lock service; it is gone before others start theirs.

    A local one, or with `--backend docker` one of containers: whoever asks it for more than every
    lab promises asks for `processes`, too.
    """
    with started(request) as lab:
        for name in get_args(LockServiceName):
            lab.lock_service(name).create(SPACE)
        lab.cluster.create_topics(
            [TopicSpec(name=TOPIC, partitions=3, replication_factor=3, config={})]
        )
        yield lab


def started(request: pytest.FixtureRequest) -> LocalLab:
    """Start the lab that is asked for; one of containers passes for a local one, see `lab`."""
    if request.config.getoption("--backend") != "docker":
        return start_local_lab()
    from harness.lab.docker import start_docker_lab  # noqa: PLC0415  # only where it is asked for

    return cast("LocalLab", start_docker_lab(images=request.getfixturevalue("images")))


@pytest.fixture
def processes(lab: LocalLab) -> None:
    """Skip what looks at servers as processes of this machine, and at their ports there."""
    if not isinstance(lab, LocalLab):
        pytest.skip("the servers of this lab are containers, with networks of their own")


@pytest.fixture
def load(lab: LocalLab) -> Iterator[None]:
    """Produce all the time through slot 1: an ISR does not shrink without a pending write."""
    with producing(lab):
        yield


@contextmanager
def producing(lab: LocalLab) -> Iterator[None]:
    """Produce through slot 1 to every partition of the test topic until left."""
    producer = Producer(
        {
            "bootstrap.servers": lab.bootstrap(1),
            "acks": "all",
            "linger.ms": 5,
            "log_level": 0,
            # By its defaults it would stay for half a minute with a leader that was deposed.
            "request.timeout.ms": 2000,
            "socket.timeout.ms": 3000,
            "topic.metadata.refresh.interval.ms": 500,
        }
    )
    stop = threading.Event()

    def produce() -> None:
        while not stop.wait(0.02):
            for partition in range(3):
                with suppress(BufferError):  # its queue is full while nobody takes anything
                    producer.produce(TOPIC, b"x" * 100, partition=partition)
            producer.poll(0)

    thread = threading.Thread(target=produce)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        producer.purge()
        producer.flush(2)


@pytest.fixture
def whole(lab: LocalLab) -> Iterator[None]:
    """Hold every test to leaving the lab whole: healed, running, and in full sync."""
    yield
    lab.links.heal(lab.links.all())
    await_full_isr(lab)
    assert lab.check_alive() == ()


def state(lab: LocalLab, partition: int = 0) -> PartitionState:
    """Return the test topic's partition as the cluster sees it."""
    states = lab.cluster.partitions()
    return next(each for each in states if (each.topic, each.partition) == (TOPIC, partition))


def await_state(
    lab: LocalLab, condition: Callable[[PartitionState], bool], *, describe: str
) -> None:
    """Wait until partition 0 of the test topic is so."""
    seen: list[object] = []

    def so() -> bool:
        try:
            seen[:] = [now := state(lab), lab.cluster.ends([(TOPIC, 0)])]
        except LabError as error:  # on a busy machine nobody may answer in time, for once
            seen[:] = [error.message]
            return False
        return condition(now)

    wait_until(so, deadline_s=15, describe=describe, last_seen=lambda: seen)


def await_full_isr(lab: LocalLab) -> None:
    """Wait until every replica of every partition is in sync."""
    seen: list[object] = []

    def in_sync() -> bool:
        try:
            states = lab.cluster.partitions()
        except LabError as error:  # on a busy machine nobody may answer in time, for once
            seen[:] = [error.message]
            return False
        seen[:] = states
        return all(set(each.isr) == set(each.replicas) for each in states)

    wait_until(in_sync, deadline_s=30, describe="full in-sync replicas", last_seen=lambda: seen)
