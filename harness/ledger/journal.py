"""Reading journals: append-only JSON lines whose writer may have died at any byte.

Owns the rules of lives, torn lines and holes (ARCHITECTURE, "Journal"). Must not write journals,
and must not let a torn line become an event.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from harness.ledger.evidence import Ack, Evidence
from harness.ledger.findings import MessageId

RELAY_EVENTS = frozenset({"claimed", "sent", "acked", "marked", "send-failed", "send-unknown"})
"""Events that only a process writes which journals its sending, and so its acknowledgements."""

FIRST_OF_A_LIFE = b'{"n":1,'


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEvent:
    """One whole line of one journal; `journal` is the file's stem, e.g. `relay-0`."""

    journal: str
    line: int
    n: int
    at_us: int
    event: str
    ids: tuple[MessageId, ...] = ()
    fields: Mapping[str, object] = field(default_factory=dict)

    def place(self, number: int) -> str:
        """Return `topic/partition@offset` of the `number`-th id, or nothing where not given."""
        partitions, offsets = self.fields.get("partitions"), self.fields.get("offsets")
        if not (isinstance(partitions, list) and isinstance(offsets, list)):
            return ""
        if number >= min(len(partitions), len(offsets)):
            return ""
        return f"{self.fields.get('topic')}/{partitions[number]}@{offsets[number]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """What one journal file holds; `holes` are sentences, and empty for a sound journal."""

    name: str
    events: tuple[JournalEvent, ...]
    holes: tuple[str, ...]


def read_journals(folder: Path) -> tuple[Journal, ...]:
    """Read every journal of a run folder, in order of their names."""
    return tuple(
        read_journal(path.stem, path.read_bytes())
        for path in sorted((folder / "journal").glob("*.jsonl"))
    )


def read_journal(name: str, content: bytes) -> Journal:
    """Read one journal; never raises, whatever byte the file ends at.

    Within a life `n` counts from 1 without a gap. A torn line is fine as the last of the file and
    where the next life follows it (whose `start` may be torn in turn); anywhere else, like a gap
    in `n`, it is a hole.
    """
    lines = [(i, raw) for i, raw in enumerate(content.split(b"\n"), start=1) if raw.strip()]
    events: list[JournalEvent] = []
    holes: list[str] = []
    torn_at, last_n = 0, 0
    for number, raw in lines:
        event = _event(name, number, raw)
        if event is None:
            if torn_at and not _could_begin_a_life(raw):
                holes.append(f"{name}: line {torn_at} is torn and no new life follows it")
            torn_at = number
            continue
        begins = event.event == "start" and event.n == 1
        if torn_at and not begins:
            holes.append(f"{name}: line {torn_at} is torn and no new life follows it")
        elif not begins and event.n != last_n + 1:
            holes.append(f"{name}: line {number} has n={event.n} after n={last_n}")
        torn_at, last_n = 0, event.n
        events.append(event)
    return Journal(name=name, events=tuple(events), holes=tuple(holes))


def _could_begin_a_life(torn: bytes) -> bool:
    """Tell whether a torn line may be what is left of a `start`."""
    plain = torn.replace(b" ", b"")
    return plain.startswith(FIRST_OF_A_LIFE) or FIRST_OF_A_LIFE.startswith(plain)


def _event(journal: str, line: int, raw: bytes) -> JournalEvent | None:
    """Return the event of a whole line, None for a torn one."""
    try:
        value = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    n, at_us, event = value.pop("n", None), value.pop("at_us", None), value.pop("event", None)
    if not (isinstance(n, int) and isinstance(at_us, int) and isinstance(event, str)):
        return None
    ids = value.pop("ids", None)
    named = tuple(i for i in ids if isinstance(i, int | str)) if isinstance(ids, list) else ()
    return JournalEvent(
        journal=journal, line=line, n=n, at_us=at_us, event=event, ids=named, fields=value
    )


def events_of(journals: Iterable[Journal]) -> Iterator[JournalEvent]:
    """Yield every event of every journal."""
    for journal in journals:
        yield from journal.events


def evidence_of(journals: Iterable[Journal]) -> Evidence:
    """Return what the checker may use of journals: acknowledgements and deliveries."""
    acks: list[Ack] = []
    delivered: set[MessageId] = set()
    relays = False
    for event in events_of(journals):
        relays |= event.event in RELAY_EVENTS
        if event.event == "acked":
            acks += _acks(event)
        elif event.event == "delivered":
            delivered.update(event.ids)
    return Evidence(acks_journalled=relays, acks=tuple(acks), delivered=frozenset(delivered))


def _acks(event: JournalEvent) -> Iterator[Ack]:
    topic, count = str(event.fields.get("topic", "")), len(event.ids)
    partitions = _column(event, "partitions", count)
    offsets = _column(event, "offsets", count)
    for one, partition, offset in zip(event.ids, partitions, offsets, strict=True):
        known = partition >= 0
        yield Ack(message_id=one, topic=topic, partition=partition, offset=offset if known else -1)


def _column(event: JournalEvent, name: str, count: int) -> list[int]:
    """Return a list parallel to the ids; -1 throughout where it is absent or of another length."""
    column = event.fields.get(name)
    if isinstance(column, list) and len(column) == count:
        return [value if isinstance(value, int) else -1 for value in column]
    return [-1] * count


def figures_of(journals: Iterable[Journal]) -> dict[str, int | float]:
    """Return what only journals tell: redeliveries absorbed, sends of unknown fate, ack gaps."""
    counts = {"absorbed": 0, "send-unknown": 0, "send-failed": 0, "delivered": 0, "start": 0}
    ack_times: list[int] = []
    for event in events_of(journals):
        if event.event in counts:
            counts[event.event] += len(event.ids) if event.event != "start" else 1
        if event.event == "acked":
            ack_times.append(event.at_us)
    ack_times.sort()
    gaps = [after - before for before, after in pairwise(ack_times)]
    return {
        "deliveries_journalled": counts["delivered"],
        "redeliveries_absorbed": counts["absorbed"],
        "sends_unknown": counts["send-unknown"],
        "sends_failed": counts["send-failed"],
        "lives_journalled": counts["start"],
        "longest_ack_gap_ms": round(max(gaps, default=0) / 1000, 1),
    }
