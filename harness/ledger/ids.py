"""From message ids to slots of dense arrays, and from words to small codes.

PURE. Owns the three ways to address a message: directly (dense integers), through an exact hash
table (any integers), through 128-bit fingerprints (strings). Must not know what a slot means.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from harness.errors import UsageError
from harness.ledger.hashing import Words, hash_int64, hash_strings

Ints = NDArray[np.int64]
Codes = NDArray[np.int32]

DENSE_FACTOR = 4
DENSE_SLACK = 4096
LOWEST_INT, HIGHEST_INT = -(2**63), 2**63 - 1


def _up_to(highest: int) -> str:
    """Return a pattern for the numbers with as many digits as `highest` that are not above it."""
    digits = str(highest)
    smaller = [
        f"{digits[:place]}[{int(place == 0)}-{int(digit) - 1}][0-9]{{{len(digits) - place - 1}}}"
        for place, digit in enumerate(digits)
        if int(digit) > int(place == 0)
    ]
    return "|".join([*smaller, digits])


CANONICAL_INT = rf"^(0|-?[1-9][0-9]{{0,17}}|{_up_to(HIGHEST_INT)}|-({_up_to(-LOWEST_INT)}))$"
"""Whatever an int64 may be, written in the one way that decimal has for it."""


class IdIndex(Protocol):
    """Gives each id of the intents a slot in 0..size-1; every other id, and null, gets `size`.

    Arrays of length `size + 1` therefore need no bounds test: the last place is limbo.
    """

    @property
    def size(self) -> int:
        """Return how many slots there are."""
        ...

    def slots(self, ids: pa.Array) -> Ints:
        """Return one slot per id."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectIndex:
    """Integers that lie close together: the slot is the distance from the smallest.

    A slot may belong to no intent; whoever counts must remember which ones do.
    """

    low: int
    size: int

    def slots(self, ids: pa.Array) -> Ints:
        """Return `id - low`, or limbo."""
        numbers = as_int64(ids)
        outside = self.low - 1 if self.low > LOWEST_INT else self.low + self.size
        found = _numpy(numbers, fill=outside) - np.int64(self.low)
        strangers = found.view(np.uint64) >= np.uint64(self.size)
        if strangers.any():
            found[strangers] = self.size
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class HashedIndex:
    """Any ids: sorted 64-bit hashes behind a table of buckets, one bucket an intent on average.

    The hash of an int64 is a bijection, so equal hashes are equal ids. A string is held by two
    independent 64-bit hashes: among n = 10^8 ids two different ones agree in all 128 bits with
    probability below n²/2^129, about 10^-23.
    """

    size: int
    of_strings: bool
    hashes: Words
    seconds: Words | None
    rows: NDArray[np.uint32]
    starts: NDArray[np.uint32]
    shift: int

    def slots(self, ids: pa.Array) -> Ints:
        """Return the row that the id has in the intents, or limbo."""
        first, second, known = hashes_of(ids, of_strings=self.of_strings)
        place = self._places(first, second)
        found = np.full(len(first), self.size, dtype=np.int64)
        hit = self.hashes[place] == first
        if self.seconds is not None and second is not None:
            hit &= self.seconds[place] == second
        if known is not None:
            hit &= known
        found[hit] = self.rows[place[hit]]
        return found

    def _places(self, wanted: Words, second: Words | None) -> Ints:
        """Return where each hash stands, or where it would: walk its bucket, all at once."""
        bucket = (wanted >> np.uint64(self.shift)).astype(np.int64)
        place = np.minimum(self.starts[bucket].astype(np.int64), self.size - 1)
        last = self.starts[bucket + 1].astype(np.int64) - 1
        walking = np.flatnonzero((place < last) & self._passes(place, wanted, second))
        while walking.size:
            place[walking] += 1
            here = place[walking]
            rest = None if second is None else second[walking]
            onward = (here < last[walking]) & self._passes(here, wanted[walking], rest)
            walking = walking[onward]
        return place

    def _passes(self, place: Ints, wanted: Words, second: Words | None) -> NDArray[np.bool_]:
        """Tell where the search must go one place on; equal first hashes are told apart."""
        before: NDArray[np.bool_] = self.hashes[place] < wanted
        if self.seconds is not None and second is not None:
            before |= (self.hashes[place] == wanted) & (self.seconds[place] != second)
        return before


def hashes_of(ids: pa.Array, *, of_strings: bool) -> tuple[Words, Words | None, object]:
    """Return (first hash, second hash of strings, mask of the ids that are not null or None)."""
    ids = as_string(ids) if of_strings else as_int64(ids)
    known = None if ids.null_count == 0 else _numpy(ids.is_valid(), fill=0)
    if of_strings:
        first, second = hash_strings(ids)
        return first, second, known
    return hash_int64(_numpy(ids, fill=0)), None, known


def build_index(intents: Iterable[pa.Array]) -> tuple[IdIndex, int]:
    """Return the index over the id columns of the intents, and how many rows repeat an id.

    The columns are int64 or string, in row order; all are read before it returns. UsageError if an
    intent has no id.
    """
    arrays = [array for array in intents if len(array)]
    if any(array.null_count for array in arrays):
        raise UsageError(
            "the intents witness holds rows without a message_id",
            remedy="the intents query must name every message",
        )
    if not arrays:
        return DirectIndex(low=0, size=0), 0
    count = sum(len(array) for array in arrays)
    if pa.types.is_integer(arrays[0].type):
        spans = [pc.min_max(array).as_py() for array in arrays]
        low, high = min(s["min"] for s in spans), max(s["max"] for s in spans)
        if high - low < DENSE_FACTOR * count + DENSE_SLACK:
            size = high - low + 1
            return DirectIndex(low=low, size=size), _repeats(arrays, low=low, size=size)
        return _hashed(arrays, of_strings=False)
    return _hashed(arrays, of_strings=True)


def _repeats(arrays: list[pa.Array], *, low: int, size: int) -> int:
    seen = np.zeros(size, dtype=np.bool_)
    for array in arrays:
        seen[_numpy(array, fill=low) - low] = True
    return sum(len(array) for array in arrays) - int(np.count_nonzero(seen))


def _hashed(arrays: list[pa.Array], *, of_strings: bool) -> tuple[HashedIndex, int]:
    parts = [hashes_of(array, of_strings=of_strings)[:2] for array in arrays]
    first = np.concatenate([part[0] for part in parts])
    second = np.concatenate([p[1] for p in parts if p[1] is not None]) if of_strings else None
    del parts
    order = np.argsort(first, kind="stable").astype(np.uint32)
    first = first[order]
    if second is not None:
        second = second[order]
    bits = max(1, len(first).bit_length())
    buckets = np.bincount((first >> np.uint64(64 - bits)).astype(np.int64), minlength=1 << bits)
    starts = np.zeros((1 << bits) + 1, dtype=np.uint32)
    np.cumsum(buckets, out=starts[1:])
    index = HashedIndex(
        size=len(first), of_strings=of_strings, hashes=first, seconds=second,
        rows=order, starts=starts, shift=64 - bits,
    )  # fmt: skip
    same = first[1:] == first[:-1]
    if second is not None:
        same &= second[1:] == second[:-1]
    return index, int(np.count_nonzero(same))


def as_int64(ids: pa.Array) -> pa.Array:
    """Return ids as int64; strings that are not written like one become null."""
    if not pa.types.is_string(ids.type):
        return ids
    fits = pc.fill_null(pc.match_substring_regex(ids, CANONICAL_INT), fill_value=False)
    return pc.cast(pc.if_else(fits, ids, pa.scalar(None, pa.string())), pa.int64())


def as_string(ids: pa.Array) -> pa.Array:
    """Return ids as strings, integers in decimal."""
    return ids if pa.types.is_string(ids.type) else pc.cast(ids, pa.string())


def id_array(ids: Iterable[int | str]) -> pa.Array:
    """Return ids out of a journal or a finding as an Arrow array that any index accepts."""
    return pa.array([str(one) for one in ids], pa.string())


def _numpy(array: pa.Array, *, fill: int) -> Ints:
    if array.null_count:
        array = pc.fill_null(array, fill)
    plain: Ints = array.to_numpy(zero_copy_only=False)
    return plain


@dataclass(slots=True)
class Coder:
    """Numbers words in the order they are first seen; null is -1. `rename` is applied first."""

    rename: Mapping[str, str] = field(default_factory=dict)
    codes: dict[object, int] = field(default_factory=dict)
    _last: pa.Array | None = None
    _table: Codes | None = None

    def encode(self, column: pa.DictionaryArray) -> Codes:
        """Return one code per row."""
        if self._table is None or not column.dictionary.equals(self._last):
            self._table = self._number(column.dictionary)
            self._last = column.dictionary
        indices = column.indices
        if indices.null_count:
            indices = pc.fill_null(indices, len(self._table) - 1)
        codes: Codes = self._table[indices.to_numpy(zero_copy_only=False)]
        return codes

    def _number(self, dictionary: pa.Array) -> Codes:
        """Return a code for each word, -1 behind the last for null.

        Words of the dictionary before (in a file: of the row group before) are looked up by Arrow.
        """
        table = np.full(len(dictionary) + 1, -1, dtype=np.int32)
        last = self._last
        if self._table is not None and last is not None and last.type == dictionary.type:
            before = pc.fill_null(pc.index_in(dictionary, value_set=last), -1)
            table[:-1] = self._table[before.to_numpy(zero_copy_only=False)]
        unseen = np.flatnonzero(table[:-1] < 0)
        for place, word in zip(unseen, dictionary.take(pa.array(unseen)).to_pylist(), strict=True):
            if word is not None:
                name = self.rename.get(word, word) if isinstance(word, str) else word
                table[place] = self.codes.setdefault(name, len(self.codes))
        return table

    def words(self) -> list[object]:
        """Return the words in the order of their codes."""
        return list(self.codes)
