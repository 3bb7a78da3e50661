"""A fresh reader of the log: every record of every partition, from its beginning to its end."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from harness.clock import Deadline
from harness.errors import LabError, PipelineError
from harness.pipeline.record_ids import IdReader
from harness.run.offsets import PartitionEnds

SCAN_DEADLINE_S = 120.0
_AT_ONCE = 10_000
GATHER_S = 0.03
"""How long the client gathers records before it hands them over: it waits it out to the end."""


@dataclass(slots=True, kw_only=True)
class LogBatch:
    """Columns of the log witness, parallel lists."""

    topic: list[str] = field(default_factory=list)
    partition: list[int] = field(default_factory=list)
    offset: list[int] = field(default_factory=list)
    timestamp_ms: list[int] = field(default_factory=list)
    message_id: list[int | str | None] = field(default_factory=list)
    key: list[str | None] = field(default_factory=list)
    payload_sha256: list[bytes] = field(default_factory=list)


def scan_log(
    bootstrap: str,
    ends: Sequence[PartitionEnds],
    *,
    id_of: IdReader,
    group: str,
    declared: Collection[str],
) -> Iterator[LogBatch]:
    """Yield all records between `begin` and `end` of each partition, in batches.

    Only committed records are read (isolation read_committed). LabError when the end of some
    partition is not reached in time. PipelineError for a record without an id on a declared topic;
    elsewhere (on a dead-letter topic, say) such a record has the id None.
    """
    open_until = {(at.topic, at.partition): at.end for at in ends if at.end > at.begin}
    if not open_until:
        return
    consumer = Consumer(reader_settings(bootstrap, group, isolation="read_committed"))
    try:
        consumer.assign(
            [TopicPartition(at.topic, at.partition, at.begin) for at in ends if at.end > at.begin]
        )
        deadline = Deadline(SCAN_DEADLINE_S)
        while open_until:
            if deadline.passed():
                raise LabError(
                    f"The log could not be read to its end: {sorted(open_until)} are left"
                )
            batch = LogBatch()
            for message in consumer.consume(_AT_ONCE, timeout=GATHER_S):
                _take(message, batch, open_until, id_of, declared)
            if batch.offset:
                yield batch
    finally:
        consumer.close()


def _take(
    message: Message,
    batch: LogBatch,
    open_until: dict[tuple[str, int], int],
    id_of: IdReader,
    declared: Collection[str],
) -> None:
    where = (message.topic() or "", message.partition() or 0)
    error = message.error()
    if error is not None:
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  (librdkafka's public code)
            open_until.pop(where, None)
        elif error.fatal() or not error.retriable():
            raise LabError(f"Reading {where[0]}/{where[1]} for the ledger failed: {error}")
        return
    if where not in open_until:
        return  # beyond the end that was recorded
    if (message.offset() or 0) + 1 >= open_until[where]:
        del open_until[where]
    value, key = message.value(), message.key()
    batch.topic.append(where[0])
    batch.partition.append(where[1])
    batch.offset.append(message.offset() or 0)
    batch.timestamp_ms.append(message.timestamp()[1])
    try:
        batch.message_id.append(id_of(_headers(message), key, value))
    except PipelineError as problem:
        if where[0] in declared:
            raise PipelineError(
                f"{where[0]}/{where[1]} offset {message.offset()}: {problem.message}",
                remedy=problem.remedy,
            ) from problem
        batch.message_id.append(None)
    batch.key.append(None if key is None else bytes(key).decode("utf-8", "backslashreplace"))
    batch.payload_sha256.append(hashlib.sha256(value or b"").digest())


def _headers(message: Message) -> list[tuple[str, bytes | None]]:
    """Return the headers; the client always gives a list, whatever its stubs allow."""
    return cast("list[tuple[str, bytes | None]]", message.headers() or [])


def reader_settings(
    bootstrap: str, group: str, *, isolation: Literal["read_committed", "read_uncommitted"]
) -> dict[str, object]:
    """Return the settings of a consumer that is told its partitions, and commits nothing."""
    return {
        "bootstrap.servers": bootstrap,
        "group.id": group,  # never joined: partitions are assigned by hand, nothing is committed
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "isolation.level": isolation,
        "check.crcs": True,
        "fetch.wait.max.ms": 50,
        "log_level": 0,
    }
