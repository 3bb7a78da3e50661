"""Addressing messages: dense, sparse and textual ids, strangers and nulls."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.ledger.hashing import hash_int64, hash_strings
from harness.ledger.ids import Coder, DirectIndex, HashedIndex, as_int64, build_index

INT64 = st.integers(-(2**63), 2**63 - 1)


@given(ids=st.lists(INT64, unique=True, max_size=50), others=st.lists(INT64, max_size=10))
def test_integers_find_their_row_and_strangers_limbo(ids: list[int], others: list[int]) -> None:
    """Each known id has a slot of its own; every other id, and null, has the last."""
    known = pa.array(ids, pa.int64())
    index, repeated = build_index([known])
    slots = index.slots(known)
    strangers = pa.array([*(o for o in others if o not in ids), None], pa.int64())
    assert len(set(slots.tolist())) == len(ids)
    assert (repeated, all(slots < index.size)) == (0, True)
    if isinstance(index, HashedIndex):
        assert index.slots(strangers).tolist() == [index.size] * len(strangers)


@given(ids=st.lists(st.text(max_size=30), unique=True, min_size=1, max_size=50))
def test_strings_find_their_row(ids: list[str]) -> None:
    """Any text, of any length, with any characters; also cut out of a longer array."""
    whole = pa.array(["before", *ids], pa.string())
    index, repeated = build_index([whole.slice(1)])
    assert (index.slots(pa.array(ids)).tolist(), repeated) == (list(range(len(ids))), 0)
    assert index.slots(pa.array([None, "a stranger " * 9])).tolist() == [len(ids)] * 2


def test_close_integers_are_addressed_directly() -> None:
    """No hash where the distance from the smallest does."""
    index, _ = build_index([pa.array([100, 102, 101])])
    assert index == DirectIndex(low=100, size=3)


@pytest.mark.parametrize("ids", [[1, 2, 1], [1, 10**15, 1], ["a", "b", "a"]])
def test_repeated_ids_are_counted(ids: list[int | str]) -> None:
    """An intent stands once."""
    assert build_index([pa.array(ids)])[1] == 1


def test_equal_first_hashes_of_different_strings_are_told_apart() -> None:
    """The second hash decides, and the search goes on past the first."""
    ids = pa.array(["a", "b"])
    first, second = hash_strings(ids)
    clash = np.array([first[0], first[0]])
    index = HashedIndex(
        size=2, of_strings=True, hashes=clash, seconds=second,
        rows=np.array([0, 1], np.uint32), shift=63,
        starts=np.array([0, 0, 2] if first[0] >> np.uint64(63) else [0, 2, 2], np.uint32),
    )  # fmt: skip
    assert index._places(clash, second).tolist() == [0, 1]  # noqa: SLF001 - hashes are not to be had


def test_integer_hashes_are_a_bijection_on_a_sample() -> None:
    """Different ids never share a hash."""
    assert len(np.unique(hash_int64(np.arange(-50_000, 50_000)))) == 100_000


def test_text_that_is_no_canonical_number_is_nobodys() -> None:
    """`007` and `7.0` are not the message 7."""
    index, _ = build_index([pa.array([6, 7])])
    assert index.slots(pa.array(["7", "007", "7.0", "-", None])).tolist() == [1, 2, 2, 2, 2]


EDGES = [10**17, 10**18, 9 * 10**18, 2**63, 10**19, 10**20]


@pytest.mark.parametrize(
    "number", [s * (e + d) for e in EDGES for s in (1, -1) for d in (-1, 0, 1)]
)
def test_text_is_a_number_as_far_as_int64_reaches(number: int) -> None:
    """Snowflakes have 19 digits; what lies beyond is nobody's, and so is a number in disguise."""
    held = number if -(2**63) <= number < 2**63 else None
    texts = pa.array([f"{number}", f"0{number}", f"+{number}", f"{number}\n", f"-0{abs(number)}"])
    assert as_int64(texts).to_pylist() == [held, None, None, None, None]


@given(number=INT64)
def test_every_int64_survives_its_text(number: int) -> None:
    """Journals name messages as text."""
    assert as_int64(pa.array([str(number)])).to_pylist() == [number]


@pytest.mark.parametrize("low", [-(2**63), 2**63 - 3])
def test_no_id_is_nobodys_at_the_edges_of_int64(low: int) -> None:
    """There is no number before the first one, and none behind the last."""
    index, _ = build_index([pa.array([low, low + 1, low + 2])])
    assert index.slots(pa.array([low, None, low + 2])).tolist() == [0, 3, 2]


def test_words_keep_their_code_over_changing_dictionaries() -> None:
    """Each batch may bring another dictionary."""
    coder = Coder(rename={"x-17": "x"})
    batches = [["x", None, "y"], ["y", "x-17"]]
    codes = [coder.encode(pa.array(b, pa.string()).dictionary_encode()).tolist() for b in batches]
    assert (codes, coder.words()) == ([[0, -1, 1], [1, 0]], ["x", "y"])
