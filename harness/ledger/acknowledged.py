"""What an acknowledgement said, put beside the findings that rest on it.

PURE. The journalled ack names a place in the log; the record that stands there now tells the rest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.ledger.evidence import Ack
from harness.ledger.findings import Finding, Hop, Kind, Row
from harness.ledger.witness import Witness

LOOKED_UP_AT_MOST = 500
"""Findings whose place in the log is looked up; the others show the ack alone."""

Place = tuple[str, int, int]


def with_acks(
    findings: tuple[Finding, ...],
    acks: Iterable[Ack],
    log: Witness | None,
    *,
    names: Mapping[str, str],
) -> tuple[Finding, ...]:
    """Add, to findings that rest on an ack, its row and the record that stands at its place now.

    `names` maps physical topic names to logical ones: journals use the former, the log the latter.
    """
    concerned = {f.message_id for f in findings if _rests_on_ack(f)}
    first: dict[int | str, Ack] = {}
    for ack in acks:
        if ack.message_id in concerned:
            first.setdefault(ack.message_id, ack)
    placed = [ack for ack in first.values() if ack.offset >= 0][:LOOKED_UP_AT_MOST]
    standing = _records_at({_place(ack, names) for ack in placed}, log)
    return tuple(
        replace(f, rows=(*f.rows, *_rows(first[f.message_id], standing, names)))
        if _rests_on_ack(f) and f.message_id in first
        else f
        for f in findings
    )


def _rests_on_ack(finding: Finding) -> bool:
    return finding.kind is Kind.OVERWRITTEN_OFFSET or finding.hop is Hop.ACKED_NOT_IN_LOG


def _place(ack: Ack, names: Mapping[str, str]) -> Place:
    return names.get(ack.topic, ack.topic), ack.partition, ack.offset


def _rows(ack: Ack, standing: dict[Place, object], names: Mapping[str, str]) -> list[Row]:
    topic, partition, offset = place = _place(ack, names)
    row: Row = {"witness": "acknowledged", "topic": topic, "partition": partition}
    if ack.offset < 0:
        return [row]
    rows: list[Row] = [{**row, "offset": offset}]
    if place in standing:
        rows.append(
            {
                "witness": "stands there now",
                "message_id": standing[place],
                "topic": topic,
                "partition": partition,
                "offset": offset,
            }
        )
    return rows


def _records_at(places: set[Place], log: Witness | None) -> dict[Place, object]:
    """Return the message id at each of these places, read in one vectorised pass."""
    columns = ("topic", "partition", "offset")
    if not places or log is None or not set(columns) <= log.columns:
        return {}
    offsets = np.array(sorted({offset for _, _, offset in places}), dtype=np.int64)
    found: dict[Place, object] = {}
    for batch in log.batches("message_id", *columns):
        near = pc.is_in(batch.column("offset"), value_set=pa.array(offsets))
        for row in batch.filter(near).to_pylist():
            place = (row["topic"], row["partition"], row["offset"])
            if place in places:
                found[place] = row["message_id"]
    return found
