"""The values a judgement is made of: findings, facts about faults, the verdict and its order.

Owns the words and their JSON form. Must not read files or decide anything about a message.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cache

from pydantic import TypeAdapter

MessageId = int | str
"""How a message is named in the witnesses: an int64 or a string."""

Row = Mapping[str, object]
"""One witness row as JSON values; its key `witness` says which witness it stands in."""


class Kind(StrEnum):
    """What a finding accuses the system of (DESIGN section 5)."""

    LOST = "lost"
    DUPLICATE_EFFECT = "duplicate-effect"
    PHANTOM = "phantom"
    CORRUPT = "corrupt"
    REORDERED = "reordered"
    OVERWRITTEN_OFFSET = "overwritten-offset"
    ABORTED_EFFECT = "aborted-effect"
    STUCK = "stuck"


class Hop(StrEnum):
    """Where on its way it happened."""

    NEVER_IN_OUTBOX = "never-in-outbox"
    NEVER_PUBLISHED = "never-published"
    ACKED_NOT_IN_LOG = "acked-not-in-log"
    NEVER_DELIVERED = "never-delivered"
    NO_EFFECT = "no-effect"
    LOG = "log"
    EFFECT = "effect"
    TOPIC = "topic"


class Outcome(StrEnum):
    """Outcomes of a run, worst first; only PASSED is green."""

    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"
    HANG = "HANG"
    HARNESS_ERROR = "HARNESS_ERROR"
    VACUOUS = "VACUOUS"
    PASSED = "PASSED"


EXIT_CODES = {
    Outcome.PASSED: 0,
    Outcome.FAILED: 1,
    Outcome.UNKNOWN: 3,
    Outcome.HANG: 3,
    Outcome.VACUOUS: 3,
    Outcome.HARNESS_ERROR: 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One accusation about one message, with the witness rows that it rests on."""

    kind: Kind
    message_id: MessageId
    hop: Hop | None = None
    consumer: str | None = None
    sentence: str
    rows: tuple[Row, ...] = ()
    """At most `details.ROWS_PER_FINDING` rows; lost messages show the rows that do exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """How many findings of one kind and hop there are, listed or not."""

    kind: Kind
    hop: Hop | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSeen:
    """What the timeline says of one scheduled fault."""

    index: int
    what: str
    state: str
    bit: bool
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMade:
    """A check that could not be made, and why."""

    check: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judgement of one run; equal run folders give equal verdicts."""

    outcome: Outcome
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    """The listed findings, capped per kind and hop; `totals` holds the true numbers."""
    totals: tuple[Total, ...] = ()
    confirmed: bool = True
    """False when the lab itself had trouble: the findings are then not held against anyone."""
    faults: tuple[FaultSeen, ...] = ()
    figures: Mapping[str, int | float] = field(default_factory=dict)
    checks_made: tuple[str, ...] = ()
    checks_not_made: tuple[NotMade, ...] = ()
    conditions: Mapping[str, str] = field(default_factory=dict)
    """What it was played on: the lab's `backend`, `profile`, `kafka` release and `features`, as
    far as it says so."""

    @property
    def exit_code(self) -> int:
        """Return what a command exits with: 0 PASSED, 1 FAILED, 3 inconclusive, 4 HARNESS_ERROR."""
        return EXIT_CODES[self.outcome]

    def findings_of(self, kind: str, hop: str | None = None) -> tuple[Finding, ...]:
        """Return the listed findings of one kind, at one hop if it is given."""
        return tuple(f for f in self.findings if f.kind == kind and hop in (None, f.hop))

    def total_of(self, kind: str, hop: str | None = None) -> int:
        """Return the true number of findings of one kind, at one hop if it is given."""
        return sum(t.count for t in self.totals if t.kind == kind and hop in (None, t.hop))

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values; `from_json` is its inverse."""
        return asdict(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Verdict":
        """Read what `as_json` gave, from JSON text; ValueError if it is something else."""
        return _adapter().validate_json(text)


@cache
def _adapter() -> TypeAdapter[Verdict]:
    """Make it once: that takes longer than reading a verdict, and a report reads thousands."""
    return TypeAdapter(Verdict)
