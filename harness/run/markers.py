"""Where the last record of a partition stands: behind it there may be markers of transactions.

A consumer commits the offset after the last record that it was handed. The marker that ends a
transaction stands behind that and is handed to nobody (KIP-98), so a group of a pipeline with
transactions never comes to the end of a partition, though nothing is left for it to read.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from harness.clock import Deadline
from harness.run.offsets import GroupOffset, PartitionEnds, lag
from harness.run.scan import GATHER_S, reader_settings

LOOK_BACK = 100
"""Offsets, from the end of a partition: whoever is further behind has records to read."""
_LOOK_S = 2.0


class LastRecords:
    """Looks for the last record of partitions at whose end a group does not arrive.

    Records of aborted transactions count as records: whether a group reads them is its own choice.
    """

    def __init__(self, bootstrap: str, *, group: str) -> None:
        """`group` is never joined; the client library wants one."""
        self._settings = reader_settings(bootstrap, group, isolation="read_uncommitted")
        self._known: dict[PartitionEnds, int] = {}
        self._before: object = None

    def without_markers(
        self, ends: Sequence[PartitionEnds], groups: Sequence[GroupOffset]
    ) -> tuple[PartitionEnds, ...]:
        """Return the ends, each after the last record rather than after the markers behind it.

        The log is looked at once all has stood still from one call to the next; until then, and
        where nobody answers, the ends stay what they are.
        """
        still, self._before = (ends, groups) == self._before, (ends, groups)
        if still and (unknown := [at for at in ends if self._is_unknown(at, groups)]):
            self._known |= _last_records(self._settings, unknown)
        return tuple(replace(at, end=self._known.get(at, at.end)) for at in ends)

    def _is_unknown(self, at: PartitionEnds, groups: Iterable[GroupOffset]) -> bool:
        return at not in self._known and 0 < (lag([at], groups) or 0) <= LOOK_BACK


def _last_records(
    settings: dict[str, object], wanted: Iterable[PartitionEnds]
) -> dict[PartitionEnds, int]:
    """Return the offset after the last record for each partition that was read to its end."""
    open_at = {(at.topic, at.partition): at for at in wanted}
    after = {place: max(at.begin, at.end - LOOK_BACK) for place, at in open_at.items()}
    found: dict[PartitionEnds, int] = {}
    deadline = Deadline(_LOOK_S)
    with closing(Consumer(settings)) as consumer:
        consumer.assign([TopicPartition(*place, offset) for place, offset in after.items()])
        while open_at and not deadline.passed():
            for message in consumer.consume(LOOK_BACK, timeout=GATHER_S):
                place = (message.topic() or "", message.partition() or 0)
                if place in open_at and not message.error():
                    after[place] = (message.offset() or 0) + 1
                if place in open_at and (_is_end(message) or after[place] >= open_at[place].end):
                    at = open_at.pop(place)
                    found[at] = min(after[place], at.end)
    return found


def _is_end(message: Message) -> bool:
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001
