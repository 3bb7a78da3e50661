"""One message's life in order of time, from every witness and journal, beside the faults in force.

Owns the telling. Must not judge: what is wrong with a message is the verdict's business.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from harness.errors import UsageError
from harness.ledger.clocks import set_right
from harness.ledger.details import json_value
from harness.ledger.findings import Row
from harness.ledger.ids import as_string
from harness.ledger.journal import Journal, JournalEvent, read_journals
from harness.ledger.render import row_words
from harness.ledger.timeline import Timeline, TimelineEvent, read_timeline
from harness.ledger.witness import COLUMNS, ParquetWitness, open_witness

ROWS_AT_MOST = 100
MESSAGE_WITNESSES = tuple(name for name, has in COLUMNS.items() if "message_id" in has)
VERBS = {
    "inserted": "wrote it inside a transaction",
    "committed": "committed it",
    "commit-unknown": "tried to commit it and never learnt whether that worked",
    "rolled-back": "rolled it back",
    "claimed": "claimed it from the outbox",
    "sent": "sent it",
    "acked": "had it acknowledged",
    "send-failed": "failed to send it",
    "send-unknown": "sent it and never learnt whether it arrived",
    "marked": "marked it as sent",
    "delivered": "received it",
    "effect": "made its effect",
    "absorbed": "recognised it as seen before and absorbed it",
}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Moment:
    """Something that happened: to the message (`rank` 0 and 1), or around it (2)."""

    at_us: int
    rank: int
    words: str
    who: str = ""
    """The journal that tells it, e.g. `relay-0`; empty for what a witness tells."""

    def __str__(self) -> str:
        return f"{self.who} {self.words}" if self.who else self.words


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One message: what each witness holds of it now, and what happened to it, in order of time."""

    held: tuple[str, ...]
    moments: tuple[Moment, ...]
    known: bool
    """Whether any witness or journal knows it at all."""


def explain(folder: Path, message_id: str) -> str:
    """Return the life of one message in plain words, with times relative to the run's beginning.

    UsageError if no witness and no journal knows the message.
    """
    timeline = read_timeline(folder)
    journals = set_right(read_journals(folder), timeline)
    life = life_of(folder, message_id, journals=journals)
    if not life.known:
        raise UsageError(
            f"no witness and no journal of {folder} knows a message {message_id}",
            remedy="ids are written as in the intents witness; `harness check` lists the accused",
        )
    start_us = _beginning(timeline, journals)
    lines = [f"message {message_id}", "", "what the witnesses hold"]
    lines += [f"  {line}" for line in life.held]
    lines += ["", "what happened, in order of time (seconds since the run began)"]
    lines += _told(life.moments, timeline, start_us=start_us)
    return "\n".join(lines)


def life_of(folder: Path, message_id: str, *, journals: Iterable[Journal]) -> Life:
    """Return the life of one message, by the witnesses of a folder and these journals of it."""
    rows = {name: _rows(folder, name, message_id) for name in MESSAGE_WITNESSES}
    lived = [m for j in journals for m in _journalled(j, message_id)]
    logged = [m for row in rows["log"] or [] for m in _logged(row)]
    return Life(
        held=tuple(line for name in MESSAGE_WITNESSES for line in _held(name, rows[name])),
        moments=tuple(sorted([*lived, *logged])),
        known=bool(lived) or any(rows.values()),
    )


def _rows(folder: Path, name: str, message_id: str) -> list[Row] | None:
    """Return the rows of a message in one witness; None where the run has no such witness."""
    witness = open_witness(folder, name)
    if witness is None:
        return None
    taken = witness.take(_numbers(witness, message_id)[:ROWS_AT_MOST])
    return [
        {"witness": name} | {k: json_value(v) for k, v in row.items() if k != "message_id"}
        for row in taken
    ]


def _numbers(witness: ParquetWitness, message_id: str) -> list[int]:
    numbers: list[int] = []
    first = 0
    for batch in witness.batches("message_id"):
        same = pc.fill_null(pc.equal(as_string(batch.column(0)), message_id), False)  # noqa: FBT003
        numbers += (np.flatnonzero(same.to_numpy(zero_copy_only=False)) + first).tolist()
        first += batch.num_rows
    return numbers


def _held(name: str, rows: list[Row] | None) -> list[str]:
    if rows is None:
        return [f"{name}: this run has no such witness"]
    return [row_words(row) for row in rows] or [f"{name}: nothing"]


def _journalled(journal: Journal, message_id: str) -> Iterator[Moment]:
    """Tell each journalled event of the message, with its place where the journal gives one."""
    for event in journal.events:
        for number, one in enumerate(event.ids):
            if str(one) == message_id:
                yield Moment(
                    at_us=event.at_us, rank=1, words=_words(event, number), who=event.journal
                )


def _words(event: JournalEvent, number: int) -> str:
    what = VERBS.get(event.event, event.event)
    place = event.place(number)
    error = event.fields.get("error")
    return f"{what}{f' at {place}' if place else ''}{f' ({error})' if error else ''}"


def _logged(row: Row) -> Iterator[Moment]:
    """Tell when a record was stamped (by the clock of its producer, as Kafka's default is)."""
    stamp = row.get("timestamp_ms")
    if isinstance(stamp, int):
        place = f"{row.get('topic')}/{row.get('partition')}@{row.get('offset')}"
        yield Moment(at_us=stamp * 1000, rank=0, words=f"stamped: the record at {place}")


def _beginning(timeline: Timeline, journals: tuple[Journal, ...]) -> int:
    stamps = [_at_us(e) for e in timeline.events] + [e.at_us for j in journals for e in j.events]
    return min((stamp for stamp in stamps if stamp), default=0)


def _at_us(event: TimelineEvent) -> int:
    value = event.get("at_us")
    return value if isinstance(value, int) else 0


def _told(moments: tuple[Moment, ...], timeline: Timeline, *, start_us: int) -> list[str]:
    """Return one line a moment, faults and phases between them, faults in force beside."""
    events = [*moments, *_around(timeline)]
    if not moments:
        return ["  no journal and no record says when"]
    return [
        f"  {(moment.at_us - start_us) / 1e6:10.3f}  {moment}{_beside(moment, timeline)}"
        for moment in sorted(events)
    ]


def _around(timeline: Timeline) -> Iterator[Moment]:
    for event in timeline.of("phase"):
        yield Moment(at_us=_at_us(event), rank=2, words=f"— {event.get('phase')} —")
    for event in timeline.of("fault"):
        words = f"* fault {event.get('fault')} {event.get('state')}: {_what(event, timeline)}"
        yield Moment(at_us=_at_us(event), rank=2, words=words)
    for event in timeline.of("role"):
        if event.get("state") == "exited":
            words = f"* {event.get('role')}-{event.get('instance')} exited ({event.get('code')})"
            yield Moment(at_us=_at_us(event), rank=2, words=words)


def _what(event: TimelineEvent, timeline: Timeline) -> str:
    index = event.get("fault")
    return next((f.what for f in timeline.faults() if f.index == index), "")


def _beside(moment: Moment, timeline: Timeline) -> str:
    """Name the faults that were in force at a moment of the message's own life."""
    if moment.rank > 1:
        return ""
    held = [
        f"{f.index} ({f.what})" for f in timeline.faults() if _in_force(f.index, moment, timeline)
    ]
    return f"   [in force: fault {', fault '.join(held)}]" if held else ""


def _in_force(index: int, moment: Moment, timeline: Timeline) -> bool:
    states = [
        e.get("state")
        for e in timeline.of("fault")
        if e.get("fault") == index and _at_us(e) <= moment.at_us
    ]
    return bool(states) and states[-1] == "held"
