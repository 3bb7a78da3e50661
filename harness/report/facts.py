"""What a report keeps of one run while it adds up many: small values, whatever the run's size.

PURE values; reading them is `reading`'s business.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.ledger.findings import FaultSeen, Finding, Hop, Kind, NotMade, Outcome, Total
from harness.schedule.values import Schedule

CONCLUSIVE = (Outcome.PASSED, Outcome.FAILED)
Accused = tuple[Kind, Hop | None]
LinkName = tuple[str, str, str]
"""Plane, source (a node's number, or a role), target (a node's number, `database`, …)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantSaid:
    """What a run's variant said of itself when it was played."""

    name: str
    row: str = ""
    safe: bool
    why: str = ""
    reference: str = ""
    expects: tuple[str, str | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a run was played on; runs of one night share a few of them."""

    pipeline: str
    variant: VariantSaid | None = None
    conditions: Mapping[str, str] = field(default_factory=dict)
    """`profile`, `kafka`, `features`: what a lab is asked for."""
    versions: Mapping[str, str] = field(default_factory=dict)
    document: Mapping[str, object] = field(default_factory=dict)
    """The pipeline.toml in force, overrides included."""
    nodes: Mapping[str, str] = field(default_factory=dict)
    """Settings that all nodes share."""
    links: frozenset[LinkName] = frozenset()
    """Links that this pipeline's roles and the nodes used."""

    @property
    def safe(self) -> bool:
        """Return whether nothing may be found."""
        return self.variant is None or self.variant.safe


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The campaign that a run belongs to, if it belongs to one."""

    campaign: str = ""
    identity: str = ""
    """Equal for shards and copies of one campaign."""
    number: int | None = None
    phase: str = "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """What met one fault on one link, by the fault's evidence."""

    fault: int
    link: LinkName
    connections: float = 0.0
    bytes_sent: float = 0.0
    bytes_answered: float = 0.0
    seen: bool = True
    """Whether the link itself carried anything, as far as that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """How long a run's only fault was felt, in seconds; None: it was not, or nobody can say."""

    full_isr_s: float | None = None
    zero_lag_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineFacts:
    """What a report takes from a timeline."""

    began_us: int = 0
    length_s: float | None = None
    last_phase: str = ""
    meetings: tuple[Meeting, ...] = ()
    recovered: Recovered = field(default_factory=Recovered)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """One run, whole or torn."""

    key: str = ""
    """Its name in the report, given when all runs are known."""
    name: str
    path: Path | None
    """None: its folder is not at hand, only its result."""
    origin: Origin = field(default_factory=Origin)
    outcome: Outcome | None
    """None: there is no verdict."""
    incomplete: str = ""
    """Why there is no verdict."""
    unread: str = ""
    """Why its schedule cannot be read."""
    reasons: tuple[str, ...] = ()
    totals: tuple[Total, ...] = ()
    schedule: Schedule | None
    fingerprint: str = ""
    faults: tuple[FaultSeen, ...] = ()
    figures: Mapping[str, int | float] = field(default_factory=dict)
    not_made: tuple[NotMade, ...] = ()
    setting: Setting
    took_s: float | None = None
    timeline: TimelineFacts = field(default_factory=TimelineFacts)
    accused: Mapping[Accused, tuple[str, ...]] = field(default_factory=dict)
    """The first messages of each kind and hop."""
    listed: tuple[Finding, ...] = ()
    """The first findings of each kind and hop, with their rows."""

    @property
    def conclusive(self) -> bool:
        """Return whether its messages were judged: PASSED or FAILED."""
        return self.outcome in CONCLUSIVE

    @property
    def messages(self) -> int:
        """Return how many committed messages it had."""
        return int(self.figures.get("messages_committed", 0))

    @property
    def unpromised(self) -> int:
        """Messages that had not arrived in the end, where no progress was promised."""
        promised = any(total.kind is Kind.STUCK for total in self.totals)
        return 0 if promised else int(self.figures.get("messages_stuck", 0))

    @property
    def caught(self) -> bool:
        """Return whether an unsafe variant FAILED with what it declares."""
        variant = self.setting.variant
        if variant is None or variant.expects is None or self.outcome is not Outcome.FAILED:
            return False
        kind, hop = variant.expects
        return any(total.kind == kind and hop in (None, total.hop) for total in self.totals)

    def total_of(self, *kinds: Kind) -> int:
        """Return how many findings of these kinds are held against the pipeline."""
        if self.outcome is not Outcome.FAILED:
            return 0
        return sum(total.count for total in self.totals if total.kind in kinds)
