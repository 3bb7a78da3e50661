"""Reading the witnesses after a run, from a cluster and a database that stand in for real ones."""

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pyarrow.parquet as pq
import pytest

from harness.run import read
from harness.run.offsets import GroupOffset, PartitionEnds
from harness.run.scan import LogBatch

if TYPE_CHECKING:
    from harness.run.stage import Stage


class _Offsets:
    """One partition whose first three records retention took, and what groups committed there."""

    def __init__(self, *groups: GroupOffset) -> None:
        self._groups = groups

    def ends(self, _: object) -> tuple[PartitionEnds, ...]:
        """Return the range of the partition."""
        return (PartitionEnds(topic="orders-17", partition=0, begin=3, end=9),)

    def groups(self, _: object) -> tuple[GroupOffset, ...]:
        """Return the groups."""
        return self._groups


def rows_of(
    witness: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *groups: GroupOffset,
    ids: tuple[int, ...] = (),
) -> list[dict[str, object]]:
    """Write the witnesses of a run with these groups and record ids; return the rows of one."""
    count = len(ids)
    batch = LogBatch(
        topic=["orders-17"] * count,
        partition=[0] * count,
        offset=list(range(count)),
        timestamp_ms=[0] * count,
        message_id=list(ids),
        key=[None] * count,
        payload_sha256=[b"p" * 32] * count,
    )
    monkeypatch.setattr(read, "OffsetReader", lambda _: _Offsets(*groups))
    monkeypatch.setattr(read, "read_tables", lambda *_: {})
    monkeypatch.setattr(read, "scan_log", lambda *_, **__: [batch])
    stage = SimpleNamespace(
        folder=folder,
        own_partitions=list,
        group="g",
        topics={"orders": "orders-17"},
        logical=lambda _: "orders",
        database="run",
        spec=SimpleNamespace(message=SimpleNamespace(id="header:id", id_type="int")),
        lab=SimpleNamespace(
            cluster=SimpleNamespace(bootstrap=""),
            database=SimpleNamespace(url=str),
        ),
    )
    read.read_witnesses(cast("Stage", stage))
    found: list[dict[str, object]] = pq.read_table(
        folder / "witness" / f"{witness}.parquet"
    ).to_pylist()
    return found


def test_a_number_that_no_message_can_have_is_no_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever wrote it into the header, the run is judged all the same."""
    ids = (7, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1)
    rows = rows_of("log", tmp_path, monkeypatch, ids=ids)
    assert [row["message_id"] for row in rows] == [7, 2**63 - 1, None, -(2**63), None]


def test_what_retention_took_is_written_even_where_no_group_commits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipeline may keep its offsets in its database."""
    assert rows_of("offsets", tmp_path, monkeypatch) == [
        {"group": None, "topic": "orders", "partition": 0, "committed": -1, "begin": 3, "end": 9}
    ]


def test_each_group_has_a_row_for_each_partition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it committed nothing."""
    here = GroupOffset(group="b", topic="orders-17", partition=0, committed=5)
    away = GroupOffset(group="a", topic="orders-17", partition=1, committed=2)
    rows = rows_of("offsets", tmp_path, monkeypatch, here, away)
    assert [(row["group"], row["committed"]) for row in rows] == [("a", -1), ("b", 5)]
