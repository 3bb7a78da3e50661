"""Operations on a running cluster: each is seen to be done by another question than its own."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it exports none of them
    AdminClient,
    ConfigResource,
    ResourceType,
)

from harness.clock import wait_until
from harness.errors import UsageError
from harness.faults.driver import Driver, Lasting, Surroundings
from harness.faults.make import make_driver
from harness.lab.local import LocalLab
from harness.lab.values import TopicSpec
from harness.schedule.values import Fault
from harness.schedule.words import (
    add_partitions,
    configure_nodes,
    configure_topic,
    kill,
    move_leader,
    node,
    reassign,
    recreate_topic,
)

from .conftest import TOPIC, state
from .playing import around, heal, hold, play

__all__ = ["around"]

pytestmark = pytest.mark.usefixtures("whole", "load")


def settings_of(lab: LocalLab, kind: ResourceType, name: str) -> dict[str, str]:
    """Return the settings of a topic or node as another client is told."""
    resource = ConfigResource(kind, name)
    admin = AdminClient({"bootstrap.servers": lab.cluster.bootstrap, "log_level": 0})
    found = admin.describe_configs([resource])[resource].result(10)
    return {key: entry.value for key, entry in found.items()}


def replica_folder(lab: LocalLab, number: int) -> bool:
    """Tell whether a node has a folder for partition 0 of the test topic."""
    return (lab.folder / f"node-{number}" / "data" / f"{TOPIC}-0").is_dir()


def test_a_leader_moves_to_a_follower_and_nobody_leaves_the_isr(
    lab: LocalLab, around: Surroundings
) -> None:
    """A higher epoch, the follower first among the replicas, and the old leader still in sync."""
    before = state(lab)
    evidence = play(move_leader("orders", 0), around)
    after = state(lab)
    assert evidence.bit
    assert after.leader != before.leader
    assert after.leader_epoch > before.leader_epoch
    assert after.replicas[0] == after.leader
    assert set(after.isr) == set(before.isr)
    sizes = {
        len(change.after.isr)
        for change in around.watch.changes_since(0)
        if (change.after.topic, change.after.partition) == (TOPIC, 0)
    }
    assert sizes == {3}


def test_a_reassigned_replica_is_gone_and_is_copied_back(
    lab: LocalLab, around: Surroundings
) -> None:
    """Two replicas, no folder on the third node's disk; afterwards the same log there as before."""
    before = state(lab)

    def look(driver: Driver) -> None:
        number = driver.resolved["node"]
        assert isinstance(number, int)
        assert set(state(lab).replicas) == set(before.replicas) - {number}
        wait_until(
            lambda: not replica_folder(lab, number), deadline_s=10, describe="the folder to go"
        )

    evidence = play(reassign("orders", 0), around, meanwhile=look)
    assert evidence.bit
    assert state(lab).replicas == before.replicas
    assert set(state(lab).isr) == set(before.replicas)
    assert all(replica_folder(lab, number) for number in before.replicas)


@pytest.fixture
def small(lab: LocalLab, around: Surroundings) -> Iterator[Surroundings]:
    """Return surroundings whose topic `small` has two partitions."""
    name = "small-test"
    spec = TopicSpec(name=name, partitions=2, replication_factor=3, config={})
    lab.cluster.create_topics([spec])
    topics = around.topics
    assert isinstance(topics, dict)
    topics["small"] = name
    yield around
    lab.cluster.delete_topics([name])
    wait_until(
        lambda: all(each.topic != name for each in lab.cluster.partitions()),
        deadline_s=15,
        describe="the topic to go",
    )


def test_added_partitions_have_leaders_and_take_records(lab: LocalLab, small: Surroundings) -> None:
    """Five instead of two, in full sync; a client that learns of them writes to the last one."""
    driver = make_driver(add_partitions("small", 3), small)
    assert isinstance(driver, Lasting)
    driver.apply()
    producer = Producer(
        {
            "bootstrap.servers": lab.bootstrap(2),
            "acks": "all",
            "log_level": 0,
            "topic.metadata.refresh.interval.ms": 200,
        }
    )

    def written() -> bool:
        driver.pulse()
        states = [each for each in lab.cluster.partitions() if each.topic == "small-test"]
        if len(states) == 5 and not driver.finished():
            producer.produce("small-test", b"x", partition=4)
            producer.poll(0.1)
        return driver.finished()

    wait_until(written, deadline_s=45, describe="a record in a new partition")
    producer.purge()
    evidence = heal(driver)
    assert evidence.bit
    states = [each for each in lab.cluster.partitions() if each.topic == "small-test"]
    assert len(states) == 5
    assert all(set(each.isr) == {1, 2, 3} for each in states)
    assert lab.cluster.ends([("small-test", 4)])["small-test", 4] > 0


def test_added_partitions_that_nobody_notices_did_not_bite(
    lab: LocalLab, small: Surroundings
) -> None:
    """They are there, and empty: no client has met them."""
    evidence = play(add_partitions("small", 1), small)
    assert not evidence.bit
    assert evidence.sentences[-1] == "0 records were in them"
    assert sum(each.topic == "small-test" for each in lab.cluster.partitions()) == 3


def test_a_topic_made_anew_is_empty_and_has_its_own_settings(
    lab: LocalLab, around: Surroundings
) -> None:
    """Gone for a while by another client's word, then there with new replicas; nothing in it."""
    spec = TopicSpec(
        name="short-lived",
        partitions=2,
        replication_factor=3,
        config={"max.message.bytes": "65432"},
    )
    lab.cluster.create_topics([spec])
    producer = Producer({"bootstrap.servers": lab.bootstrap(2), "acks": "all", "log_level": 0})
    for number in range(10):
        producer.produce("short-lived", b"x", partition=number % 2)
    assert producer.flush(10) == 0
    seen = replace(around, specs={"short": spec}, topics={"short": "short-lived"})
    seen.watch.refresh()
    admin = AdminClient({"bootstrap.servers": lab.cluster.bootstrap, "log_level": 0})

    def look(_: Driver) -> None:
        assert "short-lived" not in admin.list_topics(timeout=5).topics

    evidence = play(recreate_topic("short"), seen, meanwhile=look)
    assert evidence.bit
    assert evidence.sentences == (
        "10 records were in it when it was deleted",
        "it was seen to be gone, and is there again",
    )
    seen.watch.refresh()
    states = [each for each in seen.watch.partitions() if each.topic == "short-lived"]
    assert [set(each.isr) for each in states] == [{1, 2, 3}] * 2
    assert set(lab.cluster.ends([("short-lived", 0), ("short-lived", 1)]).values()) == {0}
    kind = ConfigResource.Type.TOPIC
    assert settings_of(lab, kind, "short-lived")["max.message.bytes"] == "65432"
    lab.cluster.delete_topics(["short-lived"])


def test_an_empty_topic_made_anew_is_no_bite(lab: LocalLab, around: Surroundings) -> None:
    """Nothing was in it, so nothing is gone."""
    spec = TopicSpec(name="empty-topic", partitions=1, replication_factor=3, config={})
    lab.cluster.create_topics([spec])
    assert not play(recreate_topic("empty"), replace(around, specs={"empty": spec})).bit
    lab.cluster.delete_topics(["empty-topic"])


def test_a_topics_settings_change_and_come_back(lab: LocalLab, around: Surroundings) -> None:
    """Another client is told the new value, and the old one afterwards."""
    kind = ConfigResource.Type.TOPIC
    before = settings_of(lab, kind, TOPIC)
    assert before["max.message.bytes"] != "54321"

    def look(_: Driver) -> None:
        assert settings_of(lab, kind, TOPIC)["max.message.bytes"] == "54321"

    evidence = play(
        configure_topic("orders", {"max.message.bytes": "54321"}), around, meanwhile=look
    )
    assert evidence.bit
    was = before["max.message.bytes"]
    assert evidence.sentences == (f"max.message.bytes of orders: {was} → 54321",)
    assert settings_of(lab, kind, TOPIC) == before


def test_a_setting_that_was_there_already_is_no_change(lab: LocalLab, around: Surroundings) -> None:
    """It is seen in force, but nothing became different: no bite."""
    value = settings_of(lab, ConfigResource.Type.TOPIC, TOPIC)["max.message.bytes"]
    evidence = play(configure_topic("orders", {"max.message.bytes": value}), around)
    assert not evidence.bit
    assert evidence.sentences == (f"max.message.bytes of orders: {value} → {value}",)


def test_every_nodes_settings_change_in_turn_and_come_back(
    lab: LocalLab, around: Surroundings
) -> None:
    """Each node is asked for its own word, before, meanwhile and afterwards."""
    kind, key = ConfigResource.Type.BROKER, "num.replica.fetchers"
    before = {number: settings_of(lab, kind, str(number)) for number in lab.nodes}

    def look(_: Driver) -> None:
        values = [settings_of(lab, kind, str(number))[key] for number in lab.nodes]
        assert values == ["2"] * 3

    evidence = play(configure_nodes({key: "2"}), around, meanwhile=look)
    assert evidence.bit
    assert evidence.sentences == tuple(f"{key} of node {number}: 1 → 2" for number in (1, 2, 3))
    assert {number: settings_of(lab, kind, str(number)) for number in lab.nodes} == before


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (configure_topic("orders", {"min.insync.replicas": "many"}), "min.insync.replicas"),
        (configure_topic("orders", {"no.such.setting": "1"}), "no.such.setting"),
        (configure_nodes({"process.roles": "broker"}), "process.roles"),
    ],
    ids=["value", "topic", "node"],
)
def test_a_setting_that_kafka_refuses_is_told_in_its_words(
    around: Surroundings, fault: Fault, words: str
) -> None:
    """It can never be played: the schedule is wrong."""
    with pytest.raises(UsageError, match=words):
        play(fault, around)


def test_operations_go_on_while_a_node_is_dead(lab: LocalLab, around: Surroundings) -> None:
    """Another node is asked, whichever it is that died."""
    for number in lab.nodes:
        driver = hold(kill(node(number)), around)
        value = str(54330 + number)
        assert play(configure_topic("orders", {"max.message.bytes": value}), around).bit
        heal(driver)
