"""What the checker is given beside the witnesses: journalled evidence and facts about the run.

PURE values, and the one question that needs journal and log side by side: does the log still hold
at an acknowledged offset what was acknowledged there?
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from harness.ledger.findings import MessageId
from harness.ledger.ids import Ints, id_array
from harness.ledger.tally import NO_INTENT, Mask, Tally, log_columns, numbers, place_of
from harness.ledger.witness import Witness

OFFSET_BITS = 44
"""Offsets below 2^44 (17 trillion) share one int64 with the number of their partition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnesses:
    """The witnesses of one run; three are indispensable."""

    intents: Witness
    log: Witness
    effects: Witness
    outbox: Witness | None = None
    sent: Witness | None = None
    offsets: Witness | None = None

    def all(self) -> list[Witness]:
        """Return the witnesses there are, in the order of a message's way, offsets left out."""
        ways = [self.intents, self.outbox, self.sent, self.log, self.effects]
        return [witness for witness in ways if witness is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """One journalled acknowledgement; `offset` is -1 where the broker named none."""

    message_id: MessageId
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What journals say."""

    acks_journalled: bool = False
    """A relay or producer journals its acknowledgements: without one there was none."""
    acks: tuple[Ack, ...] = ()
    delivered: frozenset[MessageId] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the checker must know of the run."""

    drained: bool | None = None
    """True: the pipeline had nothing left to do when the witnesses were read. None: not known."""
    order_promised: bool = False
    topic_names: Mapping[str, str] = field(default_factory=dict)
    """Physical → logical: witnesses may say either."""
    consumers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The logical topics that each consumer must act on; empty: learnt from the effects."""
    copies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Logical topic → those whose messages may stand on it once more: for retries, dead letters."""


def slots_of(tally: Tally, ids: list[MessageId]) -> Ints:
    """Return the slots of journalled ids."""
    return tally.index.slots(id_array(ids))


def mask_of(tally: Tally, ids: list[MessageId]) -> Mask:
    """Return which slots are among journalled ids."""
    mask = np.zeros(len(tally.outcome), dtype=np.bool_)
    if ids:
        mask[slots_of(tally, ids)] = True
        mask[-1] = False
    return mask


def overwritten(tally: Tally, log: Witness, acks: tuple[Ack, ...]) -> Ints:
    """Return the slots acknowledged at a place where the log now holds another record.

    A place that the log no longer holds at all proves nothing here (retention, compaction), and a
    message of no intent is missed by nobody.
    """
    placed = [ack for ack in acks if ack.offset >= 0]
    if not placed or not {"partition", "offset"} <= log.columns:
        return np.zeros(0, dtype=np.int64)
    named = "topic" in log.columns
    places = _Places()
    topic = tally.topics.encode(pa.array([a.topic for a in placed]).dictionary_encode())
    where = np.array([a.partition for a in placed], dtype=np.int64)
    where = where + (topic.astype(np.int64) << 32) if named else where
    wanted = places.join(where, np.array([a.offset for a in placed], dtype=np.int64), learn=True)
    slots = slots_of(tally, [a.message_id for a in placed])
    order = np.argsort(wanted, kind="stable")
    wanted, slots = wanted[order], slots[order]
    accused = np.zeros(len(tally.outcome), dtype=np.bool_)
    for batch in log.batches("message_id", *log_columns(log)):
        topics = tally.topics.encode(batch.column("topic")) if named else None
        held = places.join(place_of(batch, topic=topics), numbers(batch.column("offset")))
        found = tally.index.slots(batch.column("message_id"))
        _compare(held, found, wanted, slots, accused)
    return np.flatnonzero(accused & (tally.outcome != NO_INTENT))


def _compare(held: Ints, found: Ints, wanted: Ints, slots: Ints, accused: Mask) -> None:
    """Mark in `accused` each acknowledged slot whose place in this batch holds another one."""
    order = np.argsort(held, kind="stable")
    held, found = held[order], found[order]
    low, high = np.searchsorted(wanted, [held[0], held[-1] + 1]) if len(held) else (0, 0)
    near = wanted[low:high]
    place = np.minimum(np.searchsorted(held, near), len(held) - 1)
    other = (held[place] == near) & (found[place] != slots[low:high])
    accused[slots[low:high][other]] = True


class _Places:
    """Numbers the partitions that acknowledgements name; all others share the number -1."""

    def __init__(self) -> None:
        self._number: dict[int, int] = {}

    def join(self, place: Ints, offset: Ints, *, learn: bool = False) -> Ints:
        """Return partition number and offset in one int64."""
        distinct, inverse = np.unique(place, return_inverse=True)
        if learn:
            for one in distinct.tolist():
                self._number.setdefault(one, len(self._number))
        numbered = np.array([self._number.get(one, -1) for one in distinct.tolist()], np.int64)
        joined: Ints = (numbered[inverse] << OFFSET_BITS) + offset
        return joined
