"""A small world of witnesses that tests break on purpose: healthy until something is changed."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from harness.ledger.checker import Checked, check
from harness.ledger.evidence import Ack, Evidence, Facts, Witnesses
from harness.ledger.witness import TableWitness, write_witness

Row = dict[str, Any]
TYPES = {
    "topic": pa.string(),
    "key": pa.string(),
    "sequence": pa.int64(),
    "outcome": pa.string(),
    "payload_sha256": pa.binary(32),
    "partition": pa.int32(),
    "offset": pa.int64(),
    "timestamp_ms": pa.int64(),
    "aborted": pa.bool_(),
    "consumer": pa.string(),
    "group": pa.string(),
    "committed": pa.int64(),
    "begin": pa.int64(),
    "end": pa.int64(),
}
COLUMNS = {
    "intents": ("message_id", "topic", "key", "sequence", "outcome", "payload_sha256"),
    "outbox": ("message_id",),
    "sent": ("message_id",),
    "log": ("topic", "partition", "offset", "message_id", "payload_sha256", "aborted"),
    "effects": ("message_id", "consumer", "payload_sha256"),
    "offsets": ("group", "topic", "partition", "committed", "begin", "end"),
}
PHASES = ("warm-up", "storm", "heal", "drain", "read", "check", "done")


def sha(text: object) -> bytes:
    """Return a payload hash."""
    return hashlib.sha256(str(text).encode()).digest()


@dataclass(slots=True, kw_only=True)
class World:
    """Every witness as plain rows; `name` turns a number into a message id."""

    name: Callable[[int], int | str] = int
    intents: list[Row] = field(default_factory=list)
    outbox: list[Row] | None = None
    sent: list[Row] | None = None
    log: list[Row] = field(default_factory=list)
    effects: list[Row] = field(default_factory=list)
    offsets: list[Row] | None = None
    acks: list[Ack] = field(default_factory=list)
    acks_journalled: bool = False
    delivered: set[int | str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    """Columns that no witness of this world has, as `witness.column`."""

    def has(self, witness: str) -> bool:
        """Tell whether this world has that witness."""
        return getattr(self, witness) is not None

    def rows(self, witness: str) -> list[Row]:
        """Return the rows of a witness that this world has."""
        rows: list[Row] | None = getattr(self, witness)
        assert rows is not None, f"this world has no {witness}"
        return rows

    def table(self, witness: str) -> pa.Table:
        """Return a witness that this world has as a table."""
        id_type = pa.int64() if isinstance(self.name(0), int) else pa.string()
        columns = [c for c in COLUMNS[witness] if f"{witness}.{c}" not in self.absent]
        return pa.table(
            {
                c: pa.array([row.get(c) for row in self.rows(witness)], TYPES.get(c, id_type))
                for c in columns
            }
        )

    def witnesses(self, *, batch_rows: int = 1000) -> Witnesses:
        """Return the witnesses, handed out in batches of this many rows."""
        opened = {
            name: TableWitness(name, self.table(name), batch_rows=batch_rows)
            for name in COLUMNS
            if self.has(name)
        }
        return Witnesses(**opened)

    def check(
        self, *, drained: bool | None = True, order: bool = True, batch_rows: int = 1000
    ) -> Checked:
        """Run the checker over this world."""
        evidence = Evidence(
            acks_journalled=self.acks_journalled,
            acks=tuple(self.acks),
            delivered=frozenset(self.delivered),
        )
        facts = Facts(drained=drained, order_promised=order)
        return check(self.witnesses(batch_rows=batch_rows), evidence=evidence, facts=facts)

    def accused(
        self, *, drained: bool | None = True, batch_rows: int = 1000
    ) -> list[tuple[str, str | None, int | str, str | None]]:
        """Return (kind, hop, message, consumer) of every finding."""
        found = self.check(drained=drained, batch_rows=batch_rows).findings
        return [(f.kind.value, f.hop.value if f.hop else None, f.message_id, f.consumer)
                for f in found]  # fmt: skip

    def drop(self, witness: str, number: int) -> None:
        """Remove every row of a message from one witness."""
        rows = self.rows(witness)
        rows[:] = [row for row in rows if row["message_id"] != self.name(number)]

    def row(self, witness: str, number: int) -> Row:
        """Return the first row of a message in one witness."""
        return next(row for row in self.rows(witness) if row["message_id"] == self.name(number))

    def write(
        self,
        folder: Path,
        *,
        timeline: list[Row] | None = None,
        journals: Mapping[str, bytes] | None = None,
        schedule: Row | None = None,
        environment: Row | None = None,
    ) -> Path:
        """Write a run folder: this world's witnesses and everything beside them."""
        for name in COLUMNS:
            if self.has(name):
                write_witness(folder, name, self.table(name))
        lines = quiet_timeline() if timeline is None else timeline
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / "timeline.jsonl").write_text(text)
        (folder / "schedule.json").write_text(json.dumps(schedule or {"faults": []}))
        (folder / "environment.json").write_text(
            json.dumps(environment or {"topics": {"a": "a"}, "pipeline": {"order": "per-key"}})
        )
        (folder / "journal").mkdir(exist_ok=True)
        for name, content in (journals or {}).items():
            (folder / "journal" / f"{name}.jsonl").write_bytes(content)
        return folder


def quiet_timeline(*, complete: bool = True, until: str = "done") -> list[Row]:
    """Return the timeline of a run in which nothing was broken."""
    events: list[Row] = []
    for second, phase in enumerate(PHASES):
        events.append({"at_us": 1_000_000 * (second + 1), "event": "phase", "phase": phase})
        if phase == "drain":
            events.append(
                {
                    "at_us": 1_000_000 * (second + 1) + 500_000,
                    "event": "drained",
                    "complete": complete,
                    "waited_s": 0.5,
                    "why": "" if complete else "3 rows were left in the outbox",
                }
            )
        if phase == until:
            break
    return events


def healthy(count: int = 6, *, name: Callable[[int], int | str] = int) -> World:
    """Return a world in which `count` messages went through: two keys, each its partition."""
    world = World(name=name, outbox=[], sent=[], offsets=[])
    for number in range(count):
        message = name(number)
        world.intents.append(
            {
                "message_id": message,
                "topic": "a",
                "key": f"k{number % 2}",
                "sequence": number,
                "outcome": "committed",
                "payload_sha256": sha(number),
            }
        )
        world.log.append(
            {
                "topic": "a",
                "partition": number % 2,
                "offset": number // 2,
                "message_id": message,
                "payload_sha256": sha(number),
                "aborted": False,
            }
        )
        world.effects.append(
            {"message_id": message, "consumer": "c", "payload_sha256": sha(number)}
        )
        for marks in ("outbox", "sent"):
            world.rows(marks).append({"message_id": message})
    world.offsets = [
        {"group": "g", "topic": "a", "partition": p, "committed": (count + 1 - p) // 2,
         "begin": 0, "end": (count + 1 - p) // 2}
        for p in range(2)
    ]  # fmt: skip
    return world
