"""The values that tell one failure: schedule, findings with witness rows, commands. PURE."""

from dataclasses import dataclass

from harness.report.axis import STRICT, MessageLife


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A probability measured by counting, with its 95 % Wilson interval (0 to 1)."""

    __pydantic_config__ = STRICT
    hits: int
    runs: int
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A name and what it is; several values where the runs differ."""

    __pydantic_config__ = STRICT
    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultLine:
    """One fault of a schedule in words."""

    __pydantic_config__ = STRICT
    words: str
    """What was scheduled, symbolic: `kill leader of orders/0`."""
    starts: str
    """`300 acknowledged messages`, to stand after `starts after`."""
    ends: str
    what: str
    """What it became when its target was resolved; empty if it never began."""
    state: str
    bit: bool
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingTotal:
    """How many findings of one kind and hop there are."""

    __pydantic_config__ = STRICT
    kind: str
    hop: str | None
    count: int
    """0: they were not counted, as of a pinned failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessRow:
    """One row of one witness."""

    __pydantic_config__ = STRICT
    witness: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingShown:
    """One accusation with its witness rows."""

    __pydantic_config__ = STRICT
    kind: str
    hop: str | None
    message: str
    consumer: str | None
    sentence: str
    rows: tuple[WitnessRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One setting in which a variant differs from the safe pipeline."""

    __pydantic_config__ = STRICT
    where: str
    """E.g. `roles.relay.env.PRODUCER_ACKS`."""
    safe: str
    here: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """Commands to copy."""

    __pydantic_config__ = STRICT
    play: str
    """Plays the same schedule again, on the same kind of lab."""
    replay: str
    minimise: str
    check: str
    explain: str
    """With the first offending message filled in, if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterexample:
    """One way of failing: the smallest schedule that shows it. The smallest stand first."""

    __pydantic_config__ = STRICT
    key: str
    title: str
    """`acks-1: lost, acked-not-in-log`."""
    run: str | None
    """The run that shows it; None for a pinned schedule of which no run is among these."""
    expected: bool
    """True: an unsafe variant that has to fail so. False: nobody expected this."""
    pipeline: str
    variant: str | None
    why: str
    """Why the variant is unsafe; empty without one."""
    reference: str
    """The public source of the variant's claim."""
    totals: tuple[FindingTotal, ...]
    faults: tuple[FaultLine, ...]
    workload: str
    """In words: `400 messages/s, 1 a transaction, 32 keys, 200 bytes`."""
    schedule: str
    """`schedule.json` as it is played again."""
    minimised: bool
    """Whether it is what `harness minimise` left."""
    share: Share
    """How often schedules with the same fingerprint (or the pinned one) failed so."""
    share_of: str
    """What was counted for it, in words."""
    repeats: int | None
    """Runs that show it with 95 % probability, at that share."""
    others: tuple[str, ...]
    """Keys of other runs that failed in the same way, at most 50."""
    others_count: int
    commands: Commands
    versions: tuple[Fact, ...]
    configuration: tuple[Fact, ...]
    """Topics, roles and guarantees in force, and the lab's time-outs."""
    differences: tuple[Difference, ...]
    findings: tuple[FindingShown, ...]
    """At most 5 of each kind and hop."""
    life: MessageLife | None
    """The life of one offending message."""
