"""Messages in the log that lack an effect: never delivered, delivered in vain, or stuck.

PURE. Rules in `checker`.
"""

from dataclasses import dataclass, field

import numpy as np

from harness.ledger.accusations import Accusation
from harness.ledger.evidence import Evidence, Facts, Witnesses, mask_of
from harness.ledger.findings import Hop, Kind
from harness.ledger.ids import Codes, Ints
from harness.ledger.readers import Reader, readers
from harness.ledger.tally import Mask, Tally, log_columns, numbers, place_of, present_rows
from harness.ledger.witness import Witness

NOWHERE = -1
UNCLAIMED = "every group on its topic committed past it, and none is known to be this consumer's"
PASSED_BY = "its group committed past it; that it was ever handed to the consumer is not journalled"


@dataclass(slots=True, kw_only=True)
class _Standing:
    """Where messages without an effect stand in the log, and how far effects got there."""

    slots: Ints
    place: Ints
    offset: Ints
    reached: dict[int, int] = field(default_factory=dict)
    """The offset that effects got to at least, in each partition."""


def effect_accusations(
    tally: Tally, witnesses: Witnesses, evidence: Evidence, facts: Facts, required: Mask
) -> list[Accusation]:
    """Accuse, for each consumer expected, each required message in the log without its effect."""
    present = required & (tally.log > 0)
    accusations = []
    for reader in readers(tally, facts):
        lacking = present & reader.expected & (reader.counts == 0)
        if lacking.any():
            accusations += _accuse(tally, witnesses, evidence, facts, lacking, reader)
    return accusations


def _accuse(
    tally: Tally,
    witnesses: Witnesses,
    evidence: Evidence,
    facts: Facts,
    lacking: Mask,
    reader: Reader,
) -> list[Accusation]:
    standing = _stand(tally, witnesses.log, lacking, reader.counts)
    read, unclaimed = _read(tally, witnesses, facts, standing, reader)
    told = mask_of(tally, sorted(evidence.delivered, key=str))[standing.slots]
    delivered = read | told
    passed = _beyond(standing, standing.reached)
    stuck = ~read & ~passed & (not facts.drained)
    return [
        Accusation(
            kind=kind, hop=hop, consumer=reader.name, slots=standing.slots[mask], detail=detail
        )
        for kind, hop, mask, detail in (
            (Kind.LOST, Hop.NO_EFFECT, told & ~stuck, ""),
            (Kind.LOST, Hop.NO_EFFECT, delivered & ~told & ~stuck, PASSED_BY),
            (Kind.LOST, Hop.NEVER_DELIVERED, ~delivered & ~stuck, ""),
            (Kind.STUCK, Hop.NEVER_DELIVERED, stuck & ~unclaimed, ""),
            (Kind.STUCK, Hop.NEVER_DELIVERED, stuck & unclaimed, UNCLAIMED),
        )
    ]


def _stand(tally: Tally, log: Witness, lacking: Mask, counts: Codes) -> _Standing:
    """Find the first record of each lacking message, and how far effects reached.

    Which of its copies gave a message its effect, nobody knows: effects reached the first one at
    least, and where copies stand in several partitions, no partition for certain.
    """
    if not {"partition", "offset"} <= log.columns:
        slots = np.flatnonzero(lacking)
        return _Standing(slots=slots, place=np.full(len(slots), NOWHERE), offset=slots * 0)
    found: list[tuple[Ints, Ints, Ints]] = []
    copies: list[tuple[Ints, Ints, Ints]] = []
    reached: dict[int, int] = {}
    for batch in log.batches("message_id", *log_columns(log)):
        slots = tally.index.slots(batch.column("message_id"))
        topic = tally.topics.encode(batch.column("topic")) if "topic" in log.columns else None
        present = present_rows(tally, batch, slots=slots, topic=topic)
        place, offset = place_of(batch, topic=topic), numbers(batch.column("offset"))
        rows = np.flatnonzero(present & lacking[slots])
        found.append((slots[rows], place[rows], offset[rows]))
        done = present & (counts[slots] > 0)
        once = np.flatnonzero(done & (tally.log[slots] == 1))
        _reach(reached, place[once], offset[once])
        again = np.flatnonzero(done & (tally.log[slots] > 1))
        copies.append((slots[again], place[again], offset[again]))
    _, place, offset, together = _firsts(copies)
    _reach(reached, place[together], offset[together])
    slots, place, offset, _ = _firsts(found)
    return _Standing(slots=slots, place=place, offset=offset, reached=reached)


def _firsts(found: list[tuple[Ints, Ints, Ints]]) -> tuple[Ints, Ints, Ints, Mask]:
    """Return slot, place and offset of each message's first record, and if all are in one place."""
    slots, place, offset = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((offset, place, slots))
    slots, heads, records = np.unique(slots[order], return_index=True, return_counts=True)
    first, last = order[heads], order[heads + records - 1]
    return slots, place[first], offset[first], place[first] == place[last]


def _reach(reached: dict[int, int], place: Ints, offset: Ints) -> None:
    if not len(place):
        return
    order = np.argsort(place, kind="stable")
    heads = np.concatenate([[0], np.flatnonzero(np.diff(place[order])) + 1])
    highest = np.maximum.reduceat(offset[order], heads)
    for where, top in zip(place[order][heads].tolist(), highest.tolist(), strict=True):
        reached[where] = max(top, reached.get(where, NOWHERE))


def _beyond(standing: _Standing, limits: dict[int, int]) -> Mask:
    """Return which messages stand below the limit of their partition."""
    below: Mask = standing.offset < _at(standing, limits)
    return below


def _at(standing: _Standing, values: dict[int, int]) -> Ints:
    """Return the value of each message's partition."""
    distinct, inverse = np.unique(standing.place, return_inverse=True)
    found = np.array([values.get(one, NOWHERE) for one in distinct.tolist()], dtype=np.int64)
    spread: Ints = found[inverse]
    return spread


def _read(
    tally: Tally, witnesses: Witnesses, facts: Facts, standing: _Standing, reader: Reader
) -> tuple[Mask, Mask]:
    """Return which messages the reader's group committed an offset beyond, and which others did.

    A group that is named like a reader is its own. Which of the others is whose, is the pipeline's
    secret: the slowest on the topic counts, and none while they are fewer than the readers that
    have no group of their name, for then one of these may keep its offsets elsewhere. What all of
    them are beyond then is returned apart.
    """
    groups, everyone = _groups(tally, witnesses), list(readers(tally, facts))
    owned = {one.name for one in everyone if one.name is not None} & groups.keys()
    if reader.name in owned:
        read = _beyond(standing, groups[reader.name])
        return read, np.zeros_like(read)
    others = [
        (committed, {place >> 32 for place in committed})
        for name, committed in groups.items()
        if name not in owned
    ]
    lowest, number = {}, {}
    for place in np.unique(standing.place).tolist():
        here = [committed for committed, topics in others if place >> 32 in topics]
        lowest[place] = min((one.get(place, NOWHERE) for one in here), default=NOWHERE)
        number[place] = len(here)
    wanted = np.zeros(len(standing.slots), dtype=np.int64)
    for one in everyone:
        if one.name not in owned:
            wanted += one.expected[standing.slots]
    beyond, enough = _beyond(standing, lowest), _at(standing, number) >= wanted
    return beyond & enough, beyond & ~enough


def _groups(tally: Tally, witnesses: Witnesses) -> dict[str | None, dict[int, int]]:
    """Return what each group committed, by partition.

    Where the log does not name topics, partitions alone are compared, and a group's lowest counts.
    """
    offsets = witnesses.offsets
    if offsets is None:
        return {}
    named, grouped = "topic" in witnesses.log.columns, "group" in offsets.columns
    groups: dict[str | None, dict[int, int]] = {}
    for batch in offsets.batches("topic", "partition", "committed", *["group"] * grouped):
        topic = tally.topics.encode(batch.column("topic")) if named else None
        places = place_of(batch, topic=topic).tolist()
        committed = numbers(batch.column("committed")).tolist()
        names = batch.column("group").to_pylist() if grouped else [None] * len(places)
        for name, place, offset in zip(names, places, committed, strict=True):
            group = groups.setdefault(name, {})
            if offset >= 0:
                group[place] = min(offset, group.get(place, offset))
    return groups
