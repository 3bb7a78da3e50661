"""The ends of partitions: a partition that nobody leads has no end, least of all a negative one."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import pytest

from harness.errors import LabError
from harness.run import offsets
from harness.run.offsets import OffsetReader, PartitionEnds

if TYPE_CHECKING:
    from harness.lab.protocol import Cluster


class _Cluster:
    """A cluster in which one more partition finds a leader each time it is asked."""

    bootstrap = "127.0.0.1:1"

    def __init__(self, *, leaders: int) -> None:
        self._leaders = leaders

    def begins(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Return 3 for every partition that has a leader now."""
        return {place: 3 for place in partitions if place[1] < self._leaders}

    def ends(
        self, partitions: Iterable[tuple[str, int]], *, committed: bool = False
    ) -> dict[tuple[str, int], int]:
        """Return 7, the last stable offset, or 9, the high watermark."""
        self._leaders += 1
        return dict.fromkeys(self.begins(partitions), 7 if committed else 9)


def _reader(cluster: _Cluster) -> OffsetReader:
    return OffsetReader(cast("Cluster", cluster))


def test_a_partition_without_a_leader_is_never_read_as_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its end is not 0, nor negative: the scan would skip it and accuse for what stands there."""
    monkeypatch.setattr(offsets, "TIMEOUT_S", 0.0)
    with pytest.raises(LabError, match="payments/2"):
        _reader(_Cluster(leaders=1)).ends([("payments", 0), ("payments", 2)])


def test_a_leader_that_is_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what nobody has told yet is asked again; the ends are those of finished transactions."""
    cluster = _Cluster(leaders=1)
    monkeypatch.setattr(cluster, "begins", lambda partitions: dict.fromkeys(partitions, 3))
    assert _reader(cluster).ends([("payments", 0)]) == (
        PartitionEnds(topic="payments", partition=0, begin=3, end=7),
    )
