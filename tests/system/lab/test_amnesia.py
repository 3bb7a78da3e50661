"""A disk that forgets: what is really gone from it, and that the other replicas give it back."""

from pathlib import Path
from typing import Literal

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from harness.clock import wait_until
from harness.errors import LabError
from harness.faults.driver import Driver, Surroundings
from harness.faults.resolve import resolve_node
from harness.lab.local import LocalLab
from harness.lab.nodes import segments
from harness.lab.nodes.disk import newest_segment
from harness.schedule.words import amnesia, follower, leader, node, nodes

from .conftest import TOPIC, await_full_isr, await_state, state
from .playing import around, heal, hold, play

__all__ = ["around"]

pytestmark = pytest.mark.usefixtures("whole")


def log_of(lab: LocalLab, number: int) -> Path:
    """Return the folder of partition 0 of the test topic on a node."""
    return lab.folder / f"node-{number}" / "data" / f"{TOPIC}-0"


def end_on_disk(lab: LocalLab, number: int) -> int:
    """Return the offset after the last whole record of that log, read off the disk."""
    folder = log_of(lab, number)
    if not folder.is_dir():
        return 0
    newest = newest_segment(folder)
    return max(
        (each.next_offset for each in segments.batches(newest.read_bytes())),
        default=int(newest.stem),
    )


def write(lab: LocalLab, count: int) -> int:
    """Write records to partition 0, acknowledged by all; return its end."""
    producer = Producer(
        {"bootstrap.servers": lab.bootstrap(2), "acks": "all", "linger.ms": 2, "log_level": 0}
    )
    refused: list[object] = []
    for _ in range(count):
        producer.produce(
            TOPIC, b"x" * 500, partition=0, on_delivery=lambda error, _: refused.append(error)
        )
        producer.poll(0)
    assert producer.flush(30) == 0
    assert refused == [None] * count
    return lab.cluster.ends([(TOPIC, 0)])[TOPIC, 0]


def read_back(lab: LocalLab) -> int:
    """Count the records of partition 0 with a fresh reader over the audit path."""
    consumer = Consumer(
        {"bootstrap.servers": lab.cluster.bootstrap, "group.id": "amnesia", "log_level": 0}
    )
    place = TopicPartition(TOPIC, 0, 0)
    _, end = consumer.get_watermark_offsets(place, timeout=10)
    consumer.assign([place])
    count = 0
    while consumer.position([place])[0].offset < end:
        count += sum(message.error() is None for message in consumer.consume(500, timeout=10))
    consumer.close()
    return count


@pytest.mark.parametrize("loses", ["log", "tail"])
def test_a_follower_that_forgot_gets_everything_back_from_its_leader(
    lab: LocalLab, around: Surroundings, loses: Literal["log", "tail"]
) -> None:
    """Nothing left on its disk, then the same end as its leader, and every record is read back."""
    end = write(lab, 400)
    number = resolve_node(follower("orders", 0), around)

    def look(_: Driver) -> None:
        assert end_on_disk(lab, number) == 0

    assert end_on_disk(lab, number) == end
    evidence = play(amnesia(node(number), loses=loses), around, meanwhile=look)
    assert evidence.bit
    assert f"node {number} ended with status -9" in evidence.sentences
    assert any(
        said.startswith(f"its log of {TOPIC}/0 lost ") and said.endswith(f"offsets 0 to {end - 1}")
        for said in evidence.sentences
    )
    assert end_on_disk(lab, number) == end
    assert lab.cluster.ends([(TOPIC, 0)]) == {(TOPIC, 0): end}
    assert read_back(lab) == end


def test_a_cut_in_the_middle_of_a_batch_is_recovered_from(
    lab: LocalLab, around: Surroundings
) -> None:
    """A share of the tail stays, and its torn end is cut off by Kafka's own recovery."""
    end = write(lab, 400)
    number = resolve_node(follower("orders", 0), around)
    newest = newest_segment(log_of(lab, number))
    size = newest.stat().st_size

    def look(_: Driver) -> None:
        assert newest.stat().st_size == int(size * 0.37)
        whole = [each.ends_at for each in segments.batches(newest.read_bytes())]
        assert max(whole) < newest.stat().st_size

    evidence = play(amnesia(node(number), keep=0.37), around, meanwhile=look)
    assert evidence.bit
    assert "truncat" in lab.nodes[number].log_tail(4000).lower()
    assert end_on_disk(lab, number) == end
    assert read_back(lab) == end


def test_a_leader_that_forgot_is_replaced_and_loses_nothing(
    lab: LocalLab, around: Surroundings
) -> None:
    """Two others have every acknowledged record: a new leader, and the old one copies from it."""
    end = write(lab, 200)
    before = state(lab)

    def look(_: Driver) -> None:
        await_state(
            lab, lambda now: now.leader not in (before.leader, -1), describe="another leader"
        )

    evidence = play(amnesia(leader("orders", 0), loses="log"), around, meanwhile=look)
    assert evidence.bit
    assert state(lab).leader != before.leader
    assert end_on_disk(lab, before.leader) == end
    assert read_back(lab) == end


def test_all_nodes_that_forget_at_once_forget_for_good(lab: LocalLab, around: Surroundings) -> None:
    """Power that fails everywhere: nobody is left to give back what was acknowledged by all."""
    end = write(lab, 200)
    evidence = play(amnesia(nodes(node(1), node(2), node(3))), around)
    assert evidence.bit
    assert all(f"node {number} ended with status -9" in evidence.sentences for number in (1, 2, 3))
    await_full_isr(lab)
    assert lab.cluster.ends([(TOPIC, 0)])[TOPIC, 0] < end


def test_the_identity_and_the_quorum_survive_a_lost_log(
    lab: LocalLab, around: Surroundings
) -> None:
    """Only what holds messages is gone; even the active controller starts again."""
    number = wait_until(lab.cluster.controller, deadline_s=10, describe="a controller")
    data = lab.folder / f"node-{number}" / "data"
    identity = (data / "meta.properties").read_bytes()

    def look(_: Driver) -> None:
        left = {path.name for path in data.iterdir()}
        assert {"meta.properties", "bootstrap.checkpoint", "__cluster_metadata-0"} <= left
        assert not any(path.is_dir() for path in data.iterdir() if path.name[:9] != "__cluster")

    write(lab, 10)
    assert play(amnesia(node(number), loses="log"), around, meanwhile=look).bit
    assert (data / "meta.properties").read_bytes() == identity


def test_a_disk_that_was_flushed_forgets_nothing_and_says_so(lab: LocalLab) -> None:
    """Everything is below the recovery point after a clean stop."""
    write(lab, 10)
    lab.nodes[2].terminate()
    wait_until(lambda: lab.nodes[2].pid() is None, deadline_s=45, describe="the end of node 2")
    assert lab.disk(2).forget_tail(keep=0.0) == ()
    lab.nodes[2].start()
    await_full_isr(lab)


def test_a_disk_in_use_forgets_nothing(lab: LocalLab) -> None:
    """Files are not pulled from under a running node."""
    with pytest.raises(LabError, match="node 1 runs"):
        lab.disk(1).forget_log()


def test_a_disk_that_kept_everything_did_not_bite(lab: LocalLab, around: Surroundings) -> None:
    """Nothing was lost, so it was no amnesia; the node is back all the same."""
    write(lab, 5)
    driver = hold(amnesia(follower("orders", 0), keep=1.0), around)
    assert not heal(driver).bit
