"""The fast pass: every witness streamed once, reduced to a few dozen bytes a message.

PURE: batches in, dense arrays out. Owns the counting; must not accuse anyone. Counts are 32-bit
and never sets: what happened twice is counted twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntFlag

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from harness.errors import UsageError
from harness.ledger.hashing import Words, fingerprints
from harness.ledger.ids import Coder, Codes, IdIndex, Ints, build_index
from harness.ledger.order import OrderCheck
from harness.ledger.witness import Witness

Mask = NDArray[np.bool_]
OUTCOMES = {"committed": 1, "failed": 2, "unknown": 3}
NO_INTENT, COMMITTED, FAILED, UNKNOWN = 0, 1, 2, 3


class Flag(IntFlag):
    """What was seen at least once of a message."""

    CORRUPT_LOG = 1
    CORRUPT_EFFECT = 2
    WRONG_TOPIC = 4
    ABORTED = 8
    REORDERED = 16


@dataclass(slots=True, kw_only=True)
class Strangers:
    """Ids that no intent has: their distinct values, and how many rows carry them."""

    rows: int = 0
    ids: set[int | str] = field(default_factory=set)

    def add(self, ids: pa.Array) -> None:
        """Count rows; a null id is nobody's."""
        named = ids.drop_null()
        self.rows += len(named)
        self.ids.update(named.unique().to_pylist())


@dataclass(slots=True, kw_only=True)
class Tally:
    """Everything counted, by slot; the last place of every array is limbo (see `IdIndex`)."""

    index: IdIndex
    repeated_intents: int
    outcome: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    log: Codes
    effects: list[Codes] = field(default_factory=list)
    consumers: Coder = field(default_factory=Coder)
    topics: Coder
    topic: Codes | None = None
    copies: dict[int, Codes] = field(default_factory=dict)
    """Topics that may hold messages of others once more: its own code → theirs."""
    fingerprint: Words | None = None
    order: OrderCheck | None = None
    sent: Mask | None = None
    outbox: Mask | None = None
    log_strangers: Strangers = field(default_factory=Strangers)
    effect_strangers: Strangers = field(default_factory=Strangers)
    log_rows: int = 0
    log_without_id: int = 0
    aborted_rows: int = 0
    effect_rows: int = 0

    def mask(self, outcome: int) -> Mask:
        """Return which slots belong to intents of one outcome."""
        chosen: Mask = self.outcome == outcome
        return chosen

    def allow_copies(self, copies: Mapping[str, Sequence[str]]) -> None:
        """Take in that messages of some topics may stand on another one once more, by its name."""
        for name, originals in copies.items():
            codes = self.topics.encode(pa.array([name, *originals]).dictionary_encode())
            self.copies[int(codes[0])] = codes[1:]


def start_tally(intents: Witness, *, topic_names: Mapping[str, str]) -> Tally:
    """Read the intents: who is expected, on which topic, with which payload, in which order."""
    index, repeated = build_index(b.column(0) for b in intents.batches("message_id"))
    places = index.size + 1
    tally = Tally(
        index=index,
        repeated_intents=repeated,
        outcome=np.zeros(places, dtype=np.uint8),
        flags=np.zeros(places, dtype=np.uint8),
        log=np.zeros(places, dtype=np.int32),
        topics=Coder(rename=topic_names),
    )
    has = intents.columns
    if "topic" in has:
        tally.topic = np.full(places, -1, dtype=np.int32)
    if "payload_sha256" in has:
        tally.fingerprint = np.zeros(places, dtype=np.uint64)
    if {"key", "sequence"} <= has:
        tally.order = OrderCheck(places, flags=tally.flags, flag=int(Flag.REORDERED))
    wanted: list[str] = [c for c in ("topic", "payload_sha256", "outcome") if c in has]
    if tally.order is not None:
        wanted += ["key", "sequence"]
    outcomes = Coder(codes=dict[object, int](OUTCOMES.items()))
    for batch in intents.batches("message_id", *wanted):
        _expect(tally, batch, outcomes=outcomes)
    for word in [w for w in outcomes.words() if w not in OUTCOMES]:
        raise UsageError(
            f"the intents witness holds the outcome {word!r}",
            remedy=f"an outcome is one of {', '.join(OUTCOMES)}",
        )
    if tally.order is not None:
        tally.order.begin()
    return tally


def _expect(tally: Tally, batch: pa.RecordBatch, *, outcomes: Coder) -> None:
    slots = tally.index.slots(batch.column("message_id"))
    has = batch.schema.names
    if "outcome" in has:
        codes = outcomes.encode(batch.column("outcome"))
        tally.outcome[slots] = np.where(codes < 0, COMMITTED, codes)
    else:
        tally.outcome[slots] = COMMITTED
    if tally.topic is not None:
        tally.topic[slots] = tally.topics.encode(batch.column("topic"))
    if tally.fingerprint is not None:
        tally.fingerprint[slots] = fingerprints(batch.column("payload_sha256"))
    if tally.order is not None:
        tally.order.expect(slots, key=batch.column("key"), sequence=batch.column("sequence"))


def read_marks(tally: Tally, witness: Witness) -> Mask:
    """Return which slots stand in `sent` or `outbox`."""
    marks = np.zeros(len(tally.outcome), dtype=np.bool_)
    for batch in witness.batches("message_id"):
        marks[tally.index.slots(batch.column(0))] = True
    marks[-1] = False
    return marks


def count_log(tally: Tally, log: Witness) -> None:
    """Count the log: right topic and not aborted counts as present, anything else is flagged."""
    hashed = "payload_sha256" in log.columns and tally.fingerprint is not None
    wanted = log_columns(log) + (["payload_sha256"] if hashed else [])
    order = tally.order if {"partition", "offset"} <= log.columns else None
    for batch in log.batches("message_id", *wanted):
        ids = batch.column("message_id")
        slots = tally.index.slots(ids)
        tally.log_rows += len(slots)
        tally.log_without_id += ids.null_count
        topic = tally.topics.encode(batch.column("topic")) if "topic" in wanted else None
        present = _present(tally, batch, slots=slots, topic=topic)
        if hashed:
            _compare(tally, batch, slots=slots, flag=Flag.CORRUPT_LOG)
        counted = slots if present is None else slots[present]
        np.add.at(tally.log, counted, np.ones(len(counted), dtype=np.int32))
        if order is not None:
            order.feed(*_placed(batch, slots=slots, topic=topic, present=present))
    if order is not None and order.disordered:
        _sort_log(tally, log, order)


def log_columns(log: Witness) -> list[str]:
    """Return the columns, of those that say where a record stands, which the log has."""
    return [c for c in ("topic", "partition", "offset", "aborted") if c in log.columns]


def _placed(
    batch: pa.RecordBatch, *, slots: Ints, topic: Codes | None, present: Mask | None
) -> tuple[Ints, Ints, Ints]:
    """Return place (topic and partition as one number), offset and slot of the rows that count."""
    place, offset = place_of(batch, topic=topic), numbers(batch.column("offset"))
    if present is None:
        return place, offset, slots
    return place[present], offset[present], slots[present]


def place_of(batch: pa.RecordBatch, *, topic: Codes | None) -> Ints:
    """Return topic and partition of each row as one number."""
    partition = numbers(batch.column("partition"))
    return partition if topic is None else partition + (topic.astype(np.int64) << 32)


def numbers(column: pa.Array) -> Ints:
    """Return an int64 column as numpy; null becomes -1."""
    if column.null_count:
        column = pc.fill_null(column, -1)
    values: Ints = column.to_numpy(zero_copy_only=False)
    return values


def _sort_log(tally: Tally, log: Witness, order: OrderCheck) -> None:
    """Feed the order check once more, from a file whose rows do not stand in offset order."""
    parts = []
    for batch in log.batches("message_id", *log_columns(log)):
        slots = tally.index.slots(batch.column("message_id"))
        topic = tally.topics.encode(batch.column("topic")) if "topic" in log.columns else None
        present = present_rows(tally, batch, slots=slots, topic=topic)
        parts.append(_placed(batch, slots=slots, topic=topic, present=present))
    place, offset, slots = (np.concatenate(column) for column in zip(*parts, strict=True))
    order.feed_unsorted(place, offset, slots)


def present_rows(tally: Tally, batch: pa.RecordBatch, *, slots: Ints, topic: Codes | None) -> Mask:
    """Return which log rows count as their message being in the log: known, kept, right topic."""
    present: Mask = tally.outcome[slots] != NO_INTENT
    aborted = _aborted(batch)
    if aborted is not None:
        present &= ~aborted
    if topic is not None and tally.topic is not None:
        wanted = tally.topic[slots]
        present &= (topic == wanted) | (wanted < 0) | (topic < 0)
    return present


def _present(
    tally: Tally, batch: pa.RecordBatch, *, slots: Ints, topic: Codes | None
) -> Mask | None:
    """Return `present_rows`, None where all are, and note what is wrong with the others."""
    present = present_rows(tally, batch, slots=slots, topic=topic)
    aborted = _aborted(batch)
    if aborted is not None:
        tally.aborted_rows += int(np.count_nonzero(aborted))
        tally.flags[slots[aborted]] |= np.uint8(Flag.ABORTED)
    if present.all():
        return None
    known = tally.outcome[slots] != NO_INTENT
    kept = np.ones(len(slots), dtype=np.bool_) if aborted is None else ~aborted
    if not known.all():
        tally.log_strangers.add(batch.column("message_id").filter(pa.array(~known & kept)))
    elsewhere = known & kept & ~present & ~_copied(tally, slots=slots, topic=topic)
    tally.flags[slots[elsewhere]] |= np.uint8(Flag.WRONG_TOPIC)
    return present


def _copied(tally: Tally, *, slots: Ints, topic: Codes | None) -> Mask:
    """Return which rows stand on a topic that may hold copies: for retries, or as dead letters."""
    copied = np.zeros(len(slots), dtype=np.bool_)
    if topic is not None and tally.topic is not None:
        for there, originals in tally.copies.items():
            copied |= (topic == there) & np.isin(tally.topic[slots], originals)
    return copied


def _aborted(batch: pa.RecordBatch) -> Mask | None:
    if "aborted" not in batch.schema.names:
        return None
    column = pc.fill_null(batch.column("aborted"), fill_value=False)
    aborted: Mask = column.to_numpy(zero_copy_only=False)
    return aborted if aborted.any() else None


def _compare(tally: Tally, batch: pa.RecordBatch, *, slots: Ints, flag: Flag) -> None:
    if tally.fingerprint is None:
        return
    given, wanted = fingerprints(batch.column("payload_sha256")), tally.fingerprint[slots]
    differs = given != wanted
    if differs.any():
        differs &= (wanted != 0) & (given != 0)
        tally.flags[slots[differs]] |= np.uint8(flag)


def count_effects(tally: Tally, effects: Witness) -> None:
    """Count effects per message and consumer; without a consumer column there is one consumer."""
    wanted = [c for c in ("consumer",) if c in effects.columns]
    if "payload_sha256" in effects.columns and tally.fingerprint is not None:
        wanted.append("payload_sha256")
    for batch in effects.batches("message_id", *wanted):
        ids = batch.column("message_id")
        slots = tally.index.slots(ids)
        tally.effect_rows += len(slots)
        known = tally.outcome[slots] != NO_INTENT
        if not known.all():
            tally.effect_strangers.add(ids.filter(pa.array(~known)))
        if "payload_sha256" in wanted:
            _compare(tally, batch, slots=slots, flag=Flag.CORRUPT_EFFECT)
        _count_effects(tally, slots, batch.column("consumer") if "consumer" in wanted else None)


def _count_effects(tally: Tally, slots: Ints, consumer: pa.DictionaryArray | None) -> None:
    if consumer is None:
        codes = np.full(len(slots), -1, dtype=np.int32)
    else:
        codes = tally.consumers.encode(consumer)
    if (codes < 0).any():
        unnamed = tally.consumers.codes.setdefault(None, len(tally.consumers.codes))
        codes = np.where(codes < 0, np.int32(unnamed), codes)
    while len(tally.effects) < len(tally.consumers.codes):
        tally.effects.append(np.zeros(len(tally.outcome), dtype=np.int32))
    seen = np.flatnonzero(np.bincount(codes))
    for code in seen:
        rows = slots if len(seen) == 1 else slots[codes == code]
        np.add.at(tally.effects[code], rows, np.ones(len(rows), dtype=np.int32))
