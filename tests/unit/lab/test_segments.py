"""What is read off a log on disk: whole batches only, and every offset of a checkpoint."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from harness.lab.nodes.segments import Batch, batches, checkpoint

SIZES = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 80)), max_size=6)


def batch(base: int, count: int, payload: int) -> bytes:
    """Encode a batch of `count` records, all head and no sense."""
    rest = struct.pack(">ibIhi", 0, 2, 0, 0, count - 1) + bytes(payload)
    return struct.pack(">qi", base, len(rest)) + rest


def segment(sizes: list[tuple[int, int]]) -> tuple[bytes, list[Batch]]:
    """Return a segment from offset 7 on, and what is in it."""
    data, offset, found = b"", 7, []
    for count, payload in sizes:
        data += batch(offset, count, payload)
        offset += count
        found.append(Batch(ends_at=len(data), next_offset=offset))
    return data, found


@given(sizes=SIZES, cut=st.integers(0, 1000))
def test_a_segment_cut_anywhere_has_its_whole_batches(
    sizes: list[tuple[int, int]], cut: int
) -> None:
    """A batch counts from its last byte on, and none that is torn does."""
    data, found = segment(sizes)
    left = data[:cut]
    assert list(batches(left)) == [each for each in found if each.ends_at <= len(left)]


def test_zeros_after_the_last_batch_are_no_batch() -> None:
    """A file may be longer than what was written to it."""
    data, found = segment([(3, 10)])
    assert list(batches(data + bytes(500))) == found


def test_a_checkpoint_names_partitions_with_their_offsets() -> None:
    """Version and count stand alone in the first two lines."""
    text = "0\n2\norders-4f 0 17\n__consumer_offsets 2 0\n"
    assert checkpoint(text) == {("orders-4f", 0): 17, ("__consumer_offsets", 2): 0}
