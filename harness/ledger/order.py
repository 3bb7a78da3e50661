"""Order per key, while the log streams by: a running maximum for each key of the partition.

PURE. Owns one question: within each partition, do the first occurrences of a key's messages stand
in the order of their sequence? A message is reordered when a message of its key with a higher
sequence stands before it in the same partition; later copies of a message are not looked at.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from harness.ledger.ids import Coder, Codes, Ints

RADIX_KEYS = 65_535
"""Up to this many keys numpy sorts by radix (16-bit), six times faster than by comparison."""
RUNS_AT_MOST = 4096
LOWEST = np.iinfo(np.int64).min
SORTED_CHUNK = 1 << 20


class OrderCheck:
    """Fed with the log in (partition, offset) order; `disordered` says that it was not.

    A reordered message gets `flag` in `flags`. A disordered log is to be fed again from the start
    through `feed_unsorted`.
    """

    def __init__(self, places: int, *, flags: NDArray[np.uint8], flag: int) -> None:
        self.disordered = False
        self._flags, self._flag = flags, np.uint8(flag)
        self._keys = Coder()
        self._codes: Codes = np.full(places, -1, dtype=np.int32)
        self._key: NDArray[np.integer] = self._codes
        self._keyless = 0
        self._sequence: Ints = np.zeros(places, dtype=np.int64)
        self._last_run: Codes = np.full(places, -1, dtype=np.int32)
        self._seen: set[int] = set()
        self._place, self._offset = LOWEST, LOWEST
        self._carry: Ints = np.zeros(0, dtype=np.int64)

    def expect(self, slots: Ints, *, key: pa.Array, sequence: pa.Array) -> None:
        """Take key and sequence of some intents; without either a message has no order."""
        codes = self._keys.encode(key)
        if sequence.null_count:
            codes = np.where(sequence.is_valid().to_numpy(zero_copy_only=False), codes, -1)
            sequence = pc.fill_null(sequence, 0)
        self._codes[slots] = codes
        self._sequence[slots] = sequence.to_numpy(zero_copy_only=False)

    def begin(self) -> None:
        """Freeze the keys, narrowed to 16 bits where that is enough; no key is the last code."""
        self._keyless = len(self._keys.codes)
        narrow = np.uint16 if self._keyless <= RADIX_KEYS else np.int32
        self._codes[self._codes < 0] = self._keyless
        self._key = self._codes.astype(narrow)
        self._codes = np.zeros(0, dtype=np.int32)
        self._carry = np.full(self._keyless + 1, LOWEST, dtype=np.int64)

    def feed(self, place: Ints, offset: Ints, slots: Ints) -> None:
        """Take rows that count; `place` names topic and partition as one number."""
        if self.disordered or not len(slots):
            return
        turns = np.flatnonzero(place[1:] != place[:-1]) + 1
        if len(turns) > RUNS_AT_MOST:
            self.disordered = True
            return
        for start, stop in zip([0, *turns.tolist()], [*turns.tolist(), len(place)], strict=True):
            if not self._continues(int(place[start]), offset[start:stop]):
                self.disordered = True
                return
            self._take(slots[start:stop])

    def feed_unsorted(self, place: Ints, offset: Ints, slots: Ints) -> None:
        """Take all rows of a disordered log at once, sorted here."""
        self.disordered = False
        self._seen.clear()
        self._place = LOWEST
        self._last_run.fill(-1)
        self._flags &= np.uint8(~self._flag)
        order = np.lexsort((offset, place))
        for start in range(0, len(order), SORTED_CHUNK):
            rows = order[start : start + SORTED_CHUNK]
            self._feed_sorted(place[rows], offset[rows], slots[rows])

    def _feed_sorted(self, place: Ints, offset: Ints, slots: Ints) -> None:
        turns = (np.flatnonzero(place[1:] != place[:-1]) + 1).tolist()
        for start, stop in zip([0, *turns], [*turns, len(place)], strict=True):
            self._continues(int(place[start]), offset[start:stop])
            self._take(slots[start:stop])

    def _continues(self, place: int, offset: Ints) -> bool:
        """Begin or go on with a partition; False if its offsets do not ascend."""
        if place != self._place:
            if place in self._seen:
                return False
            self._seen.add(place)
            self._place, self._offset = place, LOWEST
            self._carry.fill(LOWEST)
        ascends = int(offset[0]) >= self._offset and bool((offset[1:] >= offset[:-1]).all())
        self._offset = int(offset[-1])
        return ascends

    def _take(self, slots: Ints) -> None:
        """Check the next rows of the current partition against the running maxima."""
        run = len(self._seen)
        first = self._last_run[slots] != run
        self._last_run[slots] = run
        if not first.all():
            slots = slots[first]
        keys = self._key[slots]
        order = np.argsort(keys, kind="stable")
        keys, slots = keys[order], slots[order]
        sequence = self._sequence[slots]
        if len(keys) and int(keys[-1]) == self._keyless:
            keyed = int(np.searchsorted(keys, self._keyless))
            keys, slots, sequence = keys[:keyed], slots[:keyed], sequence[:keyed]
        if len(keys):
            self._compare(keys, slots, sequence)

    def _compare(self, keys: NDArray[np.integer], slots: Ints, sequence: Ints) -> None:
        turn = keys[1:] != keys[:-1]
        down = (sequence[1:] < sequence[:-1]) & ~turn
        heads = np.concatenate([[0], np.flatnonzero(turn) + 1])
        tails = np.concatenate([heads[1:] - 1, [len(keys) - 1]])
        if not down.any() and not (sequence[heads] < self._carry[keys[heads]]).any():
            self._carry[keys[tails]] = sequence[tails]
            return
        self._accuse(keys, slots, sequence)

    def _accuse(self, keys: NDArray[np.integer], slots: Ints, sequence: Ints) -> None:
        """Flag exactly the reordered messages: first occurrences below their key's maximum."""
        _, firsts = np.unique(slots, return_index=True)
        keep = np.sort(firsts)
        keys, slots, sequence = keys[keep], slots[keep], sequence[keep]
        heads = np.concatenate([[0], np.flatnonzero(keys[1:] != keys[:-1]) + 1])
        highest = np.maximum(_running_maximum(sequence, heads), self._carry[keys])
        self._flags[slots[sequence < highest]] |= self._flag
        tails = np.concatenate([heads[1:] - 1, [len(keys) - 1]])
        self._carry[keys[tails]] = highest[tails]


def _running_maximum(values: Ints, heads: Ints) -> Ints:
    """Return the maximum so far within each group; `heads` are the groups' first places.

    Works on ranks lifted by the group's number, so that one pass serves all groups.
    """
    ranked, ranks = np.unique(values, return_inverse=True)
    group = np.zeros(len(values), dtype=np.int64)
    group[heads[1:]] = 1
    lift = np.cumsum(group) * len(ranked)
    highest: Ints = ranked[np.maximum.accumulate(ranks + lift) - lift]
    return highest
