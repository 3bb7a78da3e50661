"""The values of the report's tables: links, recovery, coverage, catalogue, price, history. PURE."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.ledger.findings import Outcome
from harness.report.axis import STRICT

Colour = Literal["passed", "failed", "inconclusive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How often a link was damaged in one flavour."""

    __pydantic_config__ = STRICT
    flavour: str
    times: int
    bit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCell:
    """One directed link: how it was cut, and what met the cuts."""

    __pydantic_config__ = STRICT
    plane: str
    """replication, quorum, client, database, coordination."""
    source: str
    """A node's number, or a role."""
    target: str
    """A node's number, `database`, or a lock service."""
    cuts: tuple[Cut, ...]
    """Empty: it was never cut. A link that has no cell does not exist."""
    connections: float
    """Open connections that met a cut; a fault over several links is shared out evenly."""
    bytes_sent: float
    """Bytes sent into it while it was cut."""
    bytes_answered: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Measured times in seconds."""

    __pydantic_config__ = STRICT
    n: int
    p50_s: float
    p95_s: float
    max_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRow:
    """How long it took to recover from one kind of fault, over the runs with that fault alone."""

    __pydantic_config__ = STRICT
    fault: str
    target: str
    first_ack: Spread | None
    """The longest time between two acknowledgements of a run, by its journals."""
    full_isr: Spread | None
    """From the heal until every partition had all its replicas in sync."""
    zero_lag: Spread | None
    """From the heal until everything committed by then had its effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageCell:
    """One combination of fault, target and phase."""

    __pydantic_config__ = STRICT
    fault: str
    target: str
    phase: str
    plane: str
    scheduled: int
    bit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRow:
    """One crash point of one role."""

    __pydantic_config__ = STRICT
    role: str
    point: str
    scheduled: int
    hit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What was met, and what not."""

    __pydantic_config__ = STRICT
    cells: tuple[CoverageCell, ...]
    """Every cell that was played or is possible; `bit == 0`: it was not tested."""
    points: tuple[PointRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """Second copies on the way, and who absorbed them."""

    __pydantic_config__ = STRICT
    of: Literal["safe", "unsafe"]
    in_log: int
    """Records beyond the first of their message."""
    delivered_again: int
    """Deliveries beyond the first, by the journals."""
    absorbed: int
    """Recognised as seen before, by the journals."""
    doubled: int
    """Findings duplicate-effect: not absorbed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueRow:
    """One variant, and what these runs say of its claim."""

    __pydantic_config__ = STRICT
    name: str
    row: str
    safe: bool
    why: str
    reference: str
    expects: str
    """`lost, acked-not-in-log`, or `holds`."""
    state: Literal["caught", "not caught", "held", "accused", "inconclusive", "not played"]
    runs: int
    hits: int
    """Caught runs of an unsafe variant; PASSED runs of a safe one."""
    example: str | None
    """The key of a run that shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """What one setting costs."""

    __pydantic_config__ = STRICT
    name: str
    messages_per_s: float
    p50_ms: float
    p99_ms: float
    group: str = ""
    """Rows of one group are compared with each other, e.g. `acks`."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The price of safety, measured in one lab; also the file that a benchmark writes."""

    __pydantic_config__ = STRICT
    measured: str
    """When, as ISO 8601."""
    conditions: Mapping[str, str]
    rows: tuple[PriceRow, ...]
    kind: Literal["price-of-safety"] = field(default="price-of-safety")
    format: Literal[1] = field(default=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPoint:
    """An earlier report."""

    __pydantic_config__ = STRICT
    title: str
    made: str
    """When, as ISO 8601."""
    digest: str
    """Equal for reports over the same runs."""
    outcome: Outcome
    colour: Colour
    runs: int
    passed: int
    messages: int
    lost: int
    processed_twice: int
    faults_bit: int
    run_median_s: float | None
    file: str
    """Its page, relative to this one, if it stands beside its data; else empty."""
