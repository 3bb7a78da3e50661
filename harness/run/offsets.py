"""The end of every partition and where each consumer group stands, through the audit path."""

from collections.abc import Iterable
from dataclasses import dataclass

from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin import OffsetSpec as Spec  # type: ignore[attr-defined]

from harness.clock import Deadline, sleep
from harness.errors import LabError

TIMEOUT_S = 5.0
RETRY_S = 0.2
_EARLIEST = Spec.earliest()  # type: ignore[no-untyped-call]
_LATEST = Spec.latest()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionEnds:
    """The readable range of one partition: offsets from `begin` up to, but without, `end`."""

    topic: str
    partition: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOffset:
    """The next offset a group will read in one partition; -1 when it committed none."""

    group: str
    topic: str
    partition: int
    committed: int


class OffsetReader:
    """Asks the brokers; every question is bounded by `TIMEOUT_S`."""

    def __init__(self, bootstrap: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})

    def ends(self, partitions: Iterable[tuple[str, int]]) -> tuple[PartitionEnds, ...]:
        """Return the begin and the committed end of each partition. LabError if one is silent."""
        wanted = sorted(partitions)
        begins = self._list(wanted, _EARLIEST)
        ends = self._list(wanted, _LATEST)
        return tuple(
            PartitionEnds(
                topic=topic, partition=number, begin=begins[topic, number], end=ends[topic, number]
            )
            for topic, number in wanted
        )

    def groups(self, topics: frozenset[str]) -> tuple[GroupOffset, ...]:
        """Return what every group of the cluster committed on any of `topics`."""
        try:
            listed = self._admin.list_consumer_groups(request_timeout=TIMEOUT_S).result(TIMEOUT_S)
            found: list[GroupOffset] = []
            for group in sorted(item.group_id for item in listed.valid):
                found += self._of_group(group, topics)
        except (KafkaException, TimeoutError) as error:
            raise LabError(f"The groups' committed offsets could not be read: {error}") from error
        return tuple(found)

    def _of_group(self, group: str, topics: frozenset[str]) -> list[GroupOffset]:
        request = [ConsumerGroupTopicPartitions(group)]
        future = self._admin.list_consumer_group_offsets(request, request_timeout=TIMEOUT_S)[group]
        return [
            GroupOffset(
                group=group, topic=at.topic, partition=at.partition, committed=max(at.offset, -1)
            )
            for at in future.result(TIMEOUT_S).topic_partitions
            if at.topic in topics
        ]

    def _list(self, wanted: list[tuple[str, int]], spec: Spec) -> dict[tuple[str, int], int]:
        deadline = Deadline(TIMEOUT_S)
        while True:
            try:
                return self._ask(wanted, spec)
            except LabError:
                if deadline.passed():
                    raise
                sleep(RETRY_S)

    def _ask(self, wanted: list[tuple[str, int]], spec: Spec) -> dict[tuple[str, int], int]:
        answers = self._admin.list_offsets(
            {TopicPartition(topic, number): spec for topic, number in wanted},
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=TIMEOUT_S,
        )
        try:
            return {
                (at.topic, at.partition): _told(at, answer.result(TIMEOUT_S).offset)
                for at, answer in answers.items()
            }
        except (KafkaException, TimeoutError) as error:
            raise LabError(f"The ends of the topics could not be read: {error}") from error


def _told(at: TopicPartition, offset: int) -> int:
    """Return the offset, unless it is librdkafka's way to say that no broker was asked (-1001)."""
    if offset < 0:
        raise LabError(f"No broker told the end of {at.topic}/{at.partition}: it has no leader")
    return offset


def lag(ends: Iterable[PartitionEnds], groups: Iterable[GroupOffset]) -> int | None:
    """Return the records that some group has yet to commit; None when no group has committed."""
    by_group: dict[str, dict[tuple[str, int], int]] = {}
    for at in groups:
        by_group.setdefault(at.group, {})[at.topic, at.partition] = at.committed
    if not by_group:
        return None
    return max(
        sum(
            max(0, end.end - max(committed.get((end.topic, end.partition), -1), end.begin))
            for end in ends
            if any(topic == end.topic for topic, _ in committed)
        )
        for committed in by_group.values()
    )
