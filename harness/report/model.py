"""What a report says, as one frozen value: `Report`, in the order in which it is read.

PURE values. Texts come from systems under test and are never trusted: whoever renders them escapes
them. Message ids are text here, because a browser's numbers end at 2^53.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.ledger.findings import Outcome
from harness.report.axis import STRICT, RunStory
from harness.report.cases import Counterexample, Fact, FaultLine, FindingTotal, Share
from harness.report.tables import (
    CatalogueRow,
    Colour,
    Coverage,
    Duplicates,
    HistoryPoint,
    LinkCell,
    Price,
    RecoveryRow,
)

FORMAT: Literal[1] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsafeTally:
    """Runs of unsafe variants: each has to be caught with what it declares."""

    __pydantic_config__ = STRICT
    runs: int
    caught: int
    variants: int
    variants_caught: int
    """Variants of which at least one run was caught."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The verdict of the whole, with its limits."""

    __pydantic_config__ = STRICT
    title: str
    outcome: Outcome
    """The worst of the runs that claim to be safe; of all, where every run is of an unsafe variant.

    Runs that proved nothing (VACUOUS, or incomplete) are tolerated up to 5 %, as by a campaign.
    """
    colour: Colour
    """PASSED, FAILED, or neither."""
    sentence: str
    """`0 lost, 0 processed twice of 48,211 messages in 37 runs, …`: counts of the safe runs."""
    runs: int
    """Runs that claim to be safe, incomplete ones included (all, where all are unsafe)."""
    outcomes: Mapping[str, int]
    """Of those, how many had each outcome; `incomplete` counts those without a verdict."""
    messages: int
    """Committed messages that were judged in them."""
    lost: int
    processed_twice: int
    other_findings: int
    faults_scheduled: int
    faults_bit: int
    bound: float | None
    """Upper 95 % bound of the share of such schedules that fail, if none of them failed."""
    failing: Share | None
    """The share of conclusive runs that failed, if any did."""
    run_median_s: float | None
    run_p95_s: float | None
    conditions: tuple[Fact, ...]
    """What it was played on: Kafka, profile, Java, Toxiproxy, PostgreSQL, backend."""
    unsafe: UnsafeTally | None
    """The harness's own eyesight: unsafe variants among the runs, and how many were caught."""
    not_tested: tuple[str, ...]
    """Sentences: checks not made, cells never met, crash points never hit, and the contract."""
    warnings: tuple[str, ...]
    """What the reader must know before believing: incomplete folders, mixed versions, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRef:
    """One message of one run."""

    __pydantic_config__ = STRICT
    run: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Messages that leave the funnel at one stage, for one reason."""

    __pydantic_config__ = STRICT
    what: str
    """In words: `lost, acked-not-in-log`."""
    kind: str
    hop: str | None
    count: int
    messages: tuple[MessageRef, ...]
    """The first of them, at most 50 a run and 200 in all; `count` is never capped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of the funnel: how many messages came so far, and who fell out before it."""

    __pydantic_config__ = STRICT
    name: str
    """committed, relayed, acknowledged, in the log, delivered ≥ 1, effect = 1."""
    meaning: str
    count: int
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """The balance of messages. A message falls out at the hop at which the verdict accuses."""

    __pydantic_config__ = STRICT
    of: Literal["safe", "unsafe"]
    """Over runs that claim to be safe, or over those of unsafe variants."""
    runs: int
    stages: tuple[Stage, ...]
    beside: tuple[Gap, ...]
    """Findings that are no gap: phantom, corrupt, reordered, overwritten-offset, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """One run in the list; unexpected failures first."""

    __pydantic_config__ = STRICT
    key: str
    """Unique in this report and fit for an anchor: `r17`."""
    name: str
    """The name of its folder."""
    folder: str
    """Where it is, as commands name it; empty where only a result is known of it."""
    outcome: Outcome | None
    """None: incomplete, see `incomplete`."""
    colour: Colour
    """By what its variant declares: an unsafe variant that was caught is `passed`."""
    incomplete: str
    """Why there is no verdict; empty if there is one."""
    reasons: tuple[str, ...]
    totals: tuple[FindingTotal, ...]
    pipeline: str
    variant: str | None
    expects: str | None
    """What an unsafe variant must lead to, e.g. `lost, acked-not-in-log`; None: nothing."""
    caught: bool
    faults: tuple[FaultLine, ...]
    """Without evidence; that is in the stories."""
    messages: int
    took_s: float | None
    began: str
    """As ISO 8601; empty if not known."""
    campaign: str
    """The name of its campaign, or empty."""
    number: int | None
    """Its number in the campaign."""
    phase: str
    """The part of a campaign: single, pair, drawn; or `run`."""
    budget: str
    fingerprint: str
    story: bool
    """Whether `Report.stories` shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that a page shows, in reading order; `report.json` is this value as JSON."""

    __pydantic_config__ = STRICT
    made: str
    """When, as ISO 8601 in UTC."""
    harness: str
    """The version of the harness that made the report."""
    digest: str
    """Equal for reports over the same runs."""
    headline: Headline
    funnels: tuple[Funnel, ...]
    """Safe runs first; one for the unsafe ones, if there are any."""
    counterexamples: tuple[Counterexample, ...]
    stories: tuple[RunStory, ...]
    links: tuple[LinkCell, ...]
    recovery: tuple[RecoveryRow, ...]
    coverage: Coverage
    duplicates: tuple[Duplicates, ...]
    catalogue: tuple[CatalogueRow, ...]
    price: Price | None
    history: tuple[HistoryPoint, ...]
    """Oldest first, this report not included."""
    runs: tuple[RunLine, ...]
    kind: Literal["report"] = field(default="report")
    format: Literal[1] = FORMAT
