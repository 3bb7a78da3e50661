"""A group that has read everything, in a log that does not end with a record."""

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from harness.clock import wait_until
from harness.lab.local import LocalLab
from harness.lab.values import TopicSpec
from harness.run.markers import LastRecords
from harness.run.offsets import OffsetReader, lag


@pytest.fixture
def topic(lab: LocalLab, request: pytest.FixtureRequest) -> str:
    """Return a topic of the test's own, of one partition."""
    name: str = "markers-" + request.node.name.replace("_", "-")
    lab.cluster.create_topics([TopicSpec(name=name, partitions=1, replication_factor=3, config={})])
    return name


def write(lab: LocalLab, topic: str, *, aborted: int = 0) -> None:
    """Write three transactions of a record each, and some more that are aborted, and their ends."""
    expected = lab.cluster.ends([(topic, 0)])[topic, 0] + 2 * (3 + aborted)
    producer = Producer(
        {"bootstrap.servers": lab.bootstrap(3), "transactional.id": topic, "log_level": 0}
    )
    producer.init_transactions(20)
    for number in range(3 + aborted):
        producer.begin_transaction()
        producer.produce(topic, b"x", partition=0)
        assert producer.flush(20) == 0
        if number < 3:
            producer.commit_transaction(20)
        else:
            producer.abort_transaction(20)
    wait_until(  # the client is answered before the marker is written
        lambda: lab.cluster.ends([(topic, 0)], committed=True)[topic, 0] == expected,
        deadline_s=15,
        describe="the last marker to be written",
    )


def commit(lab: LocalLab, topic: str, offset: int) -> None:
    """Commit a position for a group that is called like the topic."""
    consumer = Consumer({"bootstrap.servers": lab.bootstrap(3), "group.id": topic, "log_level": 0})
    consumer.commit(offsets=[TopicPartition(topic, 0, offset)], asynchronous=False)
    consumer.close()


def lags(lab: LocalLab, topic: str, *, times: int) -> list[int | None]:
    """Ask so many times for the lag of the group without markers."""
    reader = OffsetReader(lab.cluster)
    records = LastRecords(lab.cluster.bootstrap, group=f"{topic}-drain")
    found = []
    for _ in range(times):
        groups = reader.groups(frozenset({topic}))
        found.append(lag(records.without_markers(reader.ends([(topic, 0)]), groups), groups))
    return found


def test_a_marker_at_the_end_is_nothing_to_read(lab: LocalLab, topic: str) -> None:
    """Record and marker, three times: the position after the last record is 5, the end is 6."""
    write(lab, topic)
    commit(lab, topic, 5)
    assert lags(lab, topic, times=3) == [1, 0, 0]


def test_a_record_before_the_marker_is_still_to_be_read(lab: LocalLab, topic: str) -> None:
    """The markers are left out, the third record counts."""
    write(lab, topic)
    commit(lab, topic, 3)
    assert lags(lab, topic, times=3) == [3, 2, 2]


def test_a_record_of_an_aborted_transaction_counts(lab: LocalLab, topic: str) -> None:
    """Some group may read it: nobody knows of another's isolation level."""
    write(lab, topic, aborted=1)
    commit(lab, topic, 5)
    assert lags(lab, topic, times=3) == [3, 2, 2]


def test_whoever_is_far_behind_is_not_looked_after(lab: LocalLab, topic: str) -> None:
    """There is more to read than markers, and a look would be for nothing."""
    producer = Producer({"bootstrap.servers": lab.bootstrap(3), "log_level": 0})
    for _ in range(120):
        producer.produce(topic, b"x", partition=0)
    assert producer.flush(20) == 0
    write(lab, topic)
    commit(lab, topic, 10)
    assert lags(lab, topic, times=3) == [116, 116, 116]
    commit(lab, topic, 125)
    assert lags(lab, topic, times=2) == [1, 0]
