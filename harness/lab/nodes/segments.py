"""Reads what Kafka keeps on disk: record batches of a segment, offset checkpoints. Pure.

Message format 2 (KIP-98): an 8-byte base offset and a 4-byte length before each batch, the last
offset's distance at byte 23.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_HEAD = struct.Struct(">qiibIhi")
"""Base offset, length, leader epoch, magic, checksum, attributes, distance of the last offset."""
_PREFIX = 12
_CHECKPOINT_FIELDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One whole record batch: where it ends in its file, and the offset after its last record."""

    ends_at: int
    next_offset: int


def batches(segment: bytes) -> Iterator[Batch]:
    """Yield the whole batches of a segment, up to its end or the first torn or empty one."""
    at = 0
    while at + _HEAD.size <= len(segment):
        base, length, *_, distance = _HEAD.unpack_from(segment, at)
        ends_at = at + _PREFIX + length
        if length <= 0 or ends_at > len(segment):
            return
        yield Batch(ends_at=ends_at, next_offset=base + distance + 1)
        at = ends_at


def checkpoint(text: str) -> dict[tuple[str, int], int]:
    """Return the offset of each (topic, partition) in a checkpoint file."""
    rows = [line.split() for line in text.splitlines()]
    return {
        (topic, int(partition)): int(offset)
        for topic, partition, offset in (row for row in rows if len(row) == _CHECKPOINT_FIELDS)
    }
