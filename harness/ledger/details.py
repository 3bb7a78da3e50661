"""The second pass, for the accused only: their names and their rows in every witness.

PURE. Reads the id columns once more to find the rows, then only the row groups that hold them.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.ledger.accusations import Accusation
from harness.ledger.findings import Finding, Hop, Kind, MessageId, Row
from harness.ledger.ids import Ints, as_string, id_array
from harness.ledger.tally import NO_INTENT, Mask, Tally
from harness.ledger.witness import Witness

LISTED_AT_MOST = 10_000
"""Findings listed per kind and hop; totals are never capped."""
ROWS_PER_FINDING = 8
ROWS_FETCHED_AT_MOST = 200_000


def list_findings(
    accusations: list[Accusation], witnesses: Iterable[Witness], *, tally: Tally
) -> tuple[Finding, ...]:
    """Return the findings in order of kind and message, at most LISTED_AT_MOST of each kind."""
    listed = _capped(accusations)
    if not listed:
        return ()
    book = _Book(listed, tally=tally)
    for witness in witnesses:
        book.read(witness)
    findings = [
        _finding(one, *book.entry(slot)) for one in listed for slot in one.slots.tolist()
    ] + [_finding(one, i, book.by_name.get(str(i), [])) for one in listed for i in one.strangers]
    return tuple(sorted(findings, key=_order))


def _capped(accusations: list[Accusation]) -> list[Accusation]:
    room: dict[tuple[Kind, Hop | None], int] = {}
    listed = []
    for one in accusations:
        left = room.setdefault((one.kind, one.hop), LISTED_AT_MOST)
        room[one.kind, one.hop] = max(0, left - one.count)
        listed.append(
            Accusation(
                kind=one.kind,
                hop=one.hop,
                consumer=one.consumer,
                slots=one.slots[:left],
                strangers=one.strangers[:left],
                detail=one.detail,
            )
        )
    return [one for one in listed if one.count]


def _finding(accusation: Accusation, message_id: MessageId, rows: list[Row]) -> Finding:
    return Finding(
        kind=accusation.kind,
        message_id=message_id,
        hop=accusation.hop,
        consumer=accusation.consumer,
        sentence=accusation.sentence(message_id),
        rows=tuple(rows[:ROWS_PER_FINDING]),
    )


def _order(finding: Finding) -> tuple[object, ...]:
    kinds, hops = list(Kind), list(Hop)
    return (
        kinds.index(finding.kind),
        -1 if finding.hop is None else hops.index(finding.hop),
        isinstance(finding.message_id, str),
        finding.message_id,
        finding.consumer or "",
        finding.sentence,
    )


class _Book:
    """The rows of the accused, by slot and (for strangers) by name."""

    def __init__(self, listed: list[Accusation], *, tally: Tally) -> None:
        self._index, self._strange = tally.index, tally.outcome == NO_INTENT
        self._wanted = np.zeros(len(tally.outcome), dtype=np.bool_)
        for one in listed:
            self._wanted[one.slots] = True
        self._strangers = id_array([i for one in listed for i in one.strangers])
        self._by_slot: dict[int, list[Row]] = {}
        self._ids: dict[int, MessageId] = {}
        self.by_name: dict[str, list[Row]] = {}

    def entry(self, slot: int) -> tuple[MessageId, list[Row]]:
        """Return the message's id as the intents write it, and its rows."""
        return self._ids[slot], self._by_slot.get(slot, [])

    def read(self, witness: Witness) -> None:
        """Take the rows of the accused out of one witness."""
        first, numbers, slots = 0, [], []
        for batch in witness.batches("message_id"):
            ids = batch.column(0)
            found = self._index.slots(ids)
            mask = self._wanted[found]
            self._add_strangers(mask, ids, found)
            rows = np.flatnonzero(mask)
            numbers.append(rows + first)
            slots.append(found[rows])
            first += len(found)
        rows = np.concatenate([*numbers, np.zeros(0, np.int64)])[:ROWS_FETCHED_AT_MOST]
        for slot, row in zip(
            np.concatenate([*slots, np.zeros(0, np.int64)]).tolist(),
            witness.take(rows.astype(np.int64).tolist()),
            strict=False,
        ):
            self._note(slot, row, witness=witness.name)

    def _add_strangers(self, mask: Mask, ids: pa.Array, found: Ints) -> None:
        """Add to `mask` the rows of the accused that no intent has."""
        candidates = np.flatnonzero(self._strange[found]) if len(self._strangers) else ()
        if len(candidates):
            names = as_string(ids.take(pa.array(candidates)))
            named = pc.is_in(names, value_set=self._strangers).to_numpy(zero_copy_only=False)
            mask[candidates[named]] = True

    def _note(self, slot: int, row: dict[str, object], *, witness: str) -> None:
        name = row.pop("message_id")
        plain = {"witness": witness} | {k: json_value(v) for k, v in row.items()}
        if slot < self._index.size and self._wanted[slot]:
            if witness == "intents":
                self._ids.setdefault(slot, name if isinstance(name, int) else str(name))
            self._by_slot.setdefault(slot, []).append(plain)
        else:
            self.by_name.setdefault(str(name), []).append(plain)


def json_value(value: object) -> object:
    """Return a witness value as JSON can hold it: bytes as text where they are, else in hex."""
    if not isinstance(value, bytes):
        return value
    try:
        text = value.decode() if len(value) != 32 else ""  # noqa: PLR2004 - a hash is no text
    except UnicodeDecodeError:
        return value.hex()
    return text if text.isprintable() and text else value.hex()
