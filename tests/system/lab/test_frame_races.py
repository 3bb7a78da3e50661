"""The rarest races, made certain by the frame proxy on a real lab: K14, K17, K19 and K20.

Each test shows a way in which a log or a transaction goes wrong although every part does as it was
told. What makes it certain: one frame waits on its way while the client, which gave it up, goes on.
"""

import itertools
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from harness.clock import Deadline, sleep, wait_until
from harness.lab.frames.rules import FrameRule, FrameSighting
from harness.lab.local import LocalLab
from harness.lab.values import NODES, Link, PartitionState, TopicSpec
from harness.schedule.network import Damage

from .conftest import await_full_isr

SLOT = 3
PRODUCE, END_TXN = 0, 26
PATIENCE_S = 30.0
HOLD_AT_MOST_S = 0.8
PLAYS = 5
IMPATIENT = {
    "acks": "all",
    "linger.ms": 0,
    "batch.num.messages": 1,
    "max.in.flight.requests.per.connection": 5,
    "request.timeout.ms": 1000,
    "socket.timeout.ms": 1000,
    "message.timeout.ms": 30_000,
    "retry.backoff.ms": 100,
    "retry.backoff.max.ms": 100,
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 100,
    "log_level": 0,
}
_NUMBERS = itertools.count(1)
pytestmark = pytest.mark.usefixtures("whole")


@pytest.fixture
def led(lab: LocalLab) -> Iterator[None]:
    """Lead this client's three links through the frame proxy, and back."""
    lab.frames.lead(Link(plane="client", source=f"slot{SLOT}", target=str(node)) for node in NODES)
    yield
    lab.frames.lead_back()


def topic(lab: LocalLab, partitions: int) -> str:
    """Make a topic that needs two in-sync replicas for every record."""
    name = f"race-{next(_NUMBERS)}"
    spec = TopicSpec(
        name=name,
        partitions=partitions,
        replication_factor=3,
        config={"min.insync.replicas": "2"},
    )
    lab.cluster.create_topics([spec])
    return name


def partition(lab: LocalLab, name: str) -> PartitionState:
    """Return partition 0 as the cluster sees it."""
    return next(
        state for state in lab.cluster.partitions() if (state.topic, state.partition) == (name, 0)
    )


def await_seen(
    lab: LocalLab, rule: int, condition: Callable[[FrameSighting], bool], *, describe: str
) -> None:
    """Wait until a rule has seen that."""
    wait_until(
        lambda: condition(lab.frames.look(rule)),
        deadline_s=PATIENCE_S,
        describe=describe,
        last_seen=lambda: lab.frames.look(rule),
    )


def read(lab: LocalLab, name: str, partitions: int = 1, **settings: str) -> list[list[str]]:
    """Return the values of each partition, from its beginning to its end."""
    consumer = Consumer(
        {
            "bootstrap.servers": lab.cluster.bootstrap,
            "group.id": "nobody",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            **settings,
        }
    )
    consumer.assign([TopicPartition(name, number, 0) for number in range(partitions)])
    found: list[list[str]] = [[] for _ in range(partitions)]
    ended: set[int] = set()
    deadline = Deadline(PATIENCE_S)
    while len(ended) < partitions:
        assert not deadline.passed(), f"read so far: {found}"
        message = consumer.poll(0.2)
        if message is None:
            continue
        number, value = message.partition(), message.value()
        if number is None:
            continue  # trouble of the client, which says nothing of any partition
        if message.error():
            ended.add(number)
        else:
            assert value is not None
            found[number].append(value.decode())
    consumer.close()
    return found


def play_reorder(lab: LocalLab, *, idempotent: bool) -> list[str]:
    """Hold one of five requests in flight while those before it fail; return the log."""
    name = topic(lab, 1)
    leader = partition(lab, name).leader
    producer = Producer(
        {
            **IMPATIENT,
            "bootstrap.servers": lab.bootstrap(SLOT),
            "enable.idempotence": idempotent,
        }
    )

    def send(*values: int) -> None:
        for value in values:
            producer.produce(name, str(value).encode(), partition=0)
        producer.poll(0)

    send(0, 1, 2, 3, 4)
    assert producer.flush(PATIENCE_S) == 0
    replication = [
        Link(plane="replication", source=str(node), target=str(leader))
        for node in NODES
        if node != leader
    ]
    lab.links.cut(replication, damage=Damage(flavour="refuse"))
    send(5)  # appended by the leader alone: an ISR does not shrink without a pending write
    wait_until(
        lambda: partition(lab, name).isr == (leader,),
        deadline_s=PATIENCE_S,
        describe="the ISR to shrink to the leader",
    )
    rule = lab.frames.arm(FrameRule(slot=SLOT, nodes=(leader,), api_key=PRODUCE, nth=3, act="hold"))
    send(6, 7, 8, 9)
    await_seen(lab, rule, lambda seen: seen.caught_count == 1, describe="the third request")
    held_by = Deadline(HOLD_AT_MOST_S)
    while lab.frames.look(rule).waiting < 5 and not held_by.passed():
        sleep(0.01)
    lab.links.heal(replication)
    await_full_isr(lab)
    lab.frames.release(rule)
    producer.flush(PATIENCE_S)
    (log,) = read(lab, name)
    return log


def first_places(log: list[str]) -> list[str]:
    """Return each value once, where it first stands."""
    return list(dict.fromkeys(log))


@pytest.mark.usefixtures("led")
def test_without_idempotence_a_held_request_is_overtaken_by_later_ones(lab: LocalLab) -> None:
    """K17: five in flight, one partition; the log has the messages in another order."""
    log = play_reorder(lab, idempotent=False)
    assert sorted(set(log)) == [str(number) for number in range(10)]
    assert first_places(log) != sorted(set(log)), log


@pytest.mark.usefixtures("led")
def test_with_idempotence_the_same_schedule_leaves_duplicates_in_the_log(lab: LocalLab) -> None:
    """K14: the node answers OutOfOrderSequence, the client bumps its epoch and sends again.

    What else of the client's requests is on its way when it does so is a race of its own: the
    duplicates are asked for within a few plays, and that nothing is missing in every one.
    """
    logs: list[list[str]] = []
    while len(logs) < PLAYS and not any(len(log) > len(set(log)) for log in logs):
        logs.append(play_reorder(lab, idempotent=True))
        assert sorted(set(logs[-1])) == [str(number) for number in range(10)]
    assert len(logs[-1]) > len(set(logs[-1])), logs


def play_transaction(lab: LocalLab, *, first_commits: bool) -> tuple[list[str], list[str]]:
    """Delay the end of the first transaction into the second; return both isolation levels' view.

    The second one ends the other way round, so the record that it sent before the late frame came
    shares the fate of the first.
    """
    name = topic(lab, 2)
    producer = Producer(
        {
            **IMPATIENT,
            "bootstrap.servers": lab.bootstrap(SLOT),
            "transactional.id": f"{name}-transactional",
            "transaction.timeout.ms": 30_000,
        }
    )
    end = (producer.commit_transaction, producer.abort_transaction)
    first, second = end if first_commits else reversed(end)
    producer.init_transactions(PATIENCE_S)
    rule = lab.frames.arm(FrameRule(slot=SLOT, nodes=NODES, api_key=END_TXN, act="hold"))
    producer.begin_transaction()
    producer.produce(name, b"first", partition=0)
    assert producer.flush(PATIENCE_S) == 0
    first(PATIENCE_S)  # its request is held, given up after a second, and made again
    assert lab.frames.look(rule).caught_count == 1
    producer.begin_transaction()
    producer.produce(name, b"second, before", partition=0)
    assert producer.flush(PATIENCE_S) == 0
    lab.frames.release(rule)
    wait_until(
        lambda: lab.cluster.ends([(name, 0)]) == {(name, 0): 4},  # two records, a marker for each
        deadline_s=PATIENCE_S,
        describe="the late end to put its marker behind the second record",
        last_seen=lambda: (lab.cluster.ends([(name, 0)]), lab.frames.look(rule)),
    )
    producer.produce(name, b"second, after", partition=1)
    assert producer.flush(PATIENCE_S) == 0  # an abort would take back what is not yet sent
    second(PATIENCE_S)
    committed = read(lab, name, 2, **{"isolation.level": "read_committed"})
    written = read(lab, name, 2, **{"isolation.level": "read_uncommitted"})
    return [each for one in committed for each in one], [each for one in written for each in one]


@pytest.mark.usefixtures("led")
def test_a_delayed_commit_makes_a_record_of_an_aborted_transaction_visible(lab: LocalLab) -> None:
    """K19: half of the second transaction, which the application aborted, was committed."""
    committed, written = play_transaction(lab, first_commits=True)
    assert sorted(written) == ["first", "second, after", "second, before"]
    assert committed == ["first", "second, before"]


@pytest.mark.usefixtures("led")
def test_a_delayed_abort_loses_a_record_of_a_committed_transaction(lab: LocalLab) -> None:
    """K20: half of the second transaction, which the application committed, was aborted."""
    committed, written = play_transaction(lab, first_commits=False)
    assert sorted(written) == ["first", "second, after", "second, before"]
    assert committed == ["second, after"]
