"""Reads the files of a Kafka log on disk: record batches of a segment, offset checkpoints.

Message format 2 (KIP-98): an 8-byte base offset and a 4-byte length before each batch, the last
offset's distance at byte 23. It changes nothing.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HEAD = struct.Struct(">qiibIhi")
"""Base offset, length, leader epoch, magic, checksum, attributes, distance of the last offset."""
_PREFIX = 12
_CHECKPOINT_FIELDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One whole record batch: where it ends in its file, and the offset after its last record."""

    ends_at: int
    next_offset: int


def batches(segment: Path) -> Iterator[Batch]:
    """Yield the whole batches of a segment, up to its end or the first torn or empty one."""
    data = segment.read_bytes()
    at = 0
    while at + _HEAD.size <= len(data):
        base, length, *_, distance = _HEAD.unpack_from(data, at)
        ends_at = at + _PREFIX + length
        if length <= 0 or ends_at > len(data):
            return
        yield Batch(ends_at=ends_at, next_offset=base + distance + 1)
        at = ends_at


def newest(folder: Path) -> Path:
    """Return the segment that a log appends to: the one with the highest first offset."""
    return max(folder.glob("*.log"))


def read_checkpoint(path: Path) -> dict[tuple[str, int], int]:
    """Return the offset of each (topic, partition) in a checkpoint file; none if there is none."""
    if not path.exists():
        return {}
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    return {
        (topic, int(partition)): int(offset)
        for topic, partition, offset in (row for row in rows if len(row) == _CHECKPOINT_FIELDS)
    }
