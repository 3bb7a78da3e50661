"""Gather the witnesses of a run that has ended: tables, log and offsets, each read afresh."""

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa

from harness.ledger.ids import HIGHEST_INT, LOWEST_INT
from harness.ledger.witness import write_witness
from harness.pipeline.record_ids import id_reader
from harness.pipeline.witness_queries import connect, stream
from harness.pipeline.witness_queries import read_witnesses as read_tables
from harness.run.offsets import GroupOffset, OffsetReader, PartitionEnds
from harness.run.scan import LogBatch, scan_log
from harness.run.stage import Stage


def look_at_first_records(stage: Stage) -> None:
    """Read the first record of each partition and the first rows of each query, and forget them.

    PipelineError for what would otherwise be found at the end of the run: a record without an id
    where `[message] id` says, or a row that does not fit its witness.
    """
    reader = OffsetReader(stage.lab.cluster)
    physical = frozenset(stage.topics.values())
    ends = reader.ends([place for place in stage.own_partitions() if place[0] in physical])
    first = [replace(at, end=at.begin + 1) for at in ends if at.end > at.begin]
    for _ in _log(stage, tuple(first)):
        pass
    with connect(stage.lab.database.url(stage.database)) as connection:
        for witness in ("intents", "effects"):
            next(stream(stage.spec, witness, connection), None)


def read_witnesses(stage: Stage) -> None:
    """Write every witness file of the run. The roles have ended: nothing moves any more."""
    reader = OffsetReader(stage.lab.cluster)
    ends = reader.ends(stage.own_partitions())
    groups = reader.groups(frozenset(stage.topics.values()))
    url = stage.lab.database.url(stage.database)
    for name, table in read_tables(stage.spec, url).items():
        write_witness(stage.folder, name, table)
    write_witness(stage.folder, "log", _log(stage, ends))
    write_witness(stage.folder, "offsets", [_offsets(stage, ends, groups)])


def _log(stage: Stage, ends: tuple[PartitionEnds, ...]) -> Iterator[pa.RecordBatch]:
    batches = scan_log(
        stage.lab.cluster.bootstrap,
        ends,
        id_of=id_reader(stage.spec.message),
        group=f"{stage.group}-audit",
        declared=frozenset(stage.topics.values()),
    )
    for batch in batches:
        yield _log_batch(stage, batch)


def _log_batch(stage: Stage, batch: LogBatch) -> pa.RecordBatch:
    topics = [stage.logical(topic) for topic in batch.topic]
    numbered = stage.spec.message.id_type == "int"
    return pa.RecordBatch.from_pydict(
        {
            "topic": pa.array(topics, pa.string()),
            "partition": pa.array(batch.partition, pa.int32()),
            "offset": pa.array(batch.offset, pa.int64()),
            "timestamp_ms": pa.array(batch.timestamp_ms, pa.int64()),
            "message_id": _numbers(batch) if numbered else pa.array(batch.message_id, pa.string()),
            "key": pa.array(batch.key, pa.string()),
            "payload_sha256": pa.array(batch.payload_sha256, pa.binary(32)),
        }
    )


def _numbers(batch: LogBatch) -> pa.Array:
    """Return ids that are numbers; beyond int64 a record has none, for no message could bear it."""
    held = [
        one if isinstance(one, int) and LOWEST_INT <= one <= HIGHEST_INT else None
        for one in batch.message_id
    ]
    return pa.array(held, pa.int64())


def _offsets(
    stage: Stage, ends: tuple[PartitionEnds, ...], groups: tuple[GroupOffset, ...]
) -> pa.RecordBatch:
    """Return what each group committed; where there is no group, what is left of each partition."""
    committed: dict[tuple[str | None, str, int], int] = {
        (at.group, at.topic, at.partition): at.committed for at in groups
    }
    names: list[str] | list[None] = sorted({at.group for at in groups}) or [None]
    rows = [
        {
            "group": group,
            "topic": stage.logical(end.topic),
            "partition": end.partition,
            "committed": committed.get((group, end.topic, end.partition), -1),
            "begin": end.begin,
            "end": end.end,
        }
        for group in names
        for end in ends
    ]
    schema = pa.schema(
        [
            ("group", pa.string()),
            ("topic", pa.string()),
            ("partition", pa.int32()),
            ("committed", pa.int64()),
            ("begin", pa.int64()),
            ("end", pa.int64()),
        ]
    )
    return pa.RecordBatch.from_pylist(rows, schema=schema)
