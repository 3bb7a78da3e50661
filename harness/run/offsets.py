"""The end of every partition and where each consumer group stands, through the audit path."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException
from confluent_kafka.admin import AdminClient

from harness.clock import Deadline, sleep
from harness.errors import LabError
from harness.lab.protocol import Cluster

TIMEOUT_S = 5.0
RETRY_S = 0.1

_Place = tuple[str, int]
_Offsets = dict[_Place, int]


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

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._admin = AdminClient({"bootstrap.servers": cluster.bootstrap, "log_level": 0})

    def ends(self, partitions: Iterable[tuple[str, int]]) -> tuple[PartitionEnds, ...]:
        """Return the begin and the committed end of each partition. LabError if one is silent.

        Not by a client library: librdkafka waits for 3 s whenever it does not know a leader yet.
        """
        wanted = sorted(partitions)
        begins = _whole(wanted, self._cluster.begins)
        ends = _whole(wanted, partial(self._cluster.ends, committed=True))
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


def _whole(wanted: Sequence[_Place], ask: Callable[[Sequence[_Place]], _Offsets]) -> _Offsets:
    """Ask until every partition has been answered for by its leader."""
    deadline = Deadline(TIMEOUT_S)
    found = dict(ask(wanted))
    while missing := [place for place in wanted if place not in found]:
        if deadline.passed():
            places = ", ".join(f"{topic}/{number}" for topic, number in missing)
            raise LabError(f"No leader told the ends of {places} within {TIMEOUT_S:g} s")
        sleep(RETRY_S)
        found |= ask(missing)
    return found


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
