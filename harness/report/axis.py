"""The values of one run's time axis: lanes, curves and moments. PURE values, no reading.

Every `…_s` is in seconds since the run's first event; `None` means that it never came.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict

STRICT = ConfigDict(extra="forbid", use_attribute_docstrings=True)

LaneGroup = Literal["node", "link", "role", "database", "topic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One fault in one lane."""

    __pydantic_config__ = STRICT
    fault: int
    """Its place in the schedule: spans of one fault share it over all lanes."""
    what: str
    """The fault in words, its target resolved."""
    asked_s: float
    held_s: float | None
    """When it took hold."""
    healed_s: float | None
    verified_s: float | None
    state: str
    """The last state it reached: asked, held, healed, verified, failed."""
    bit: bool
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """What was broken at one node, link, role, database or topic; in the order of drawing."""

    __pydantic_config__ = STRICT
    group: LaneGroup
    name: str
    """E.g. `node 2`, `replication 1 → 2`, `client consumer-0 → 3`, `relay-0`."""
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseSpan:
    """One phase of the run: warm-up, storm, heal, drain, read, check."""

    __pydantic_config__ = STRICT
    name: str
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleLife:
    """One process of the pipeline, from its start to its end."""

    __pydantic_config__ = STRICT
    role: str
    instance: int
    from_s: float
    to_s: float | None
    """None: its end is not in the timeline."""
    code: int | None
    asked: bool
    """Whether the harness ended it."""
    point: str | None
    """The crash point that ended it."""
    output: str
    """What it printed last, if it ended unasked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One curve, at most 400 points; both tuples have the same length."""

    __pydantic_config__ = STRICT
    name: str
    """`acknowledged`, `effects` (per second); `in flight`, `consumer lag` (messages)."""
    unit: str
    times_s: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionState:
    """A partition from `at_s` on, until the next state of the same partition."""

    __pydantic_config__ = STRICT
    at_s: float
    topic: str
    partition: int
    leader: int
    """The node's number; -1: none."""
    epoch: int
    isr: tuple[int, ...]
    """The nodes in sync."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerState:
    """The active controller from `at_s` on."""

    __pydantic_config__ = STRICT
    at_s: float
    node: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebalance:
    """A consumer was given or lost partitions, by its own journal."""

    __pydantic_config__ = STRICT
    at_s: float
    who: str
    """E.g. `consumer-0`."""
    change: Literal["assigned", "revoked"]
    topic: str
    partitions: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """A process killed itself at a crash point, as the schedule asked."""

    __pydantic_config__ = STRICT
    at_s: float
    who: str
    point: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something went wrong that was no scheduled fault."""

    __pydantic_config__ = STRICT
    at_s: float
    kind: str
    """lab, harness or pipeline."""
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeMoment:
    """One moment of a message's life."""

    __pydantic_config__ = STRICT
    at_s: float
    who: str
    """A process, e.g. `relay-0`; `log` for the record's own time stamp."""
    words: str
    in_force: tuple[int, ...]
    """The faults (by their place in the schedule) that were in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLife:
    """One offending message's life, to be drawn into the axis."""

    __pydantic_config__ = STRICT
    message: str
    accusation: str
    """The finding's sentence."""
    moments: tuple[LifeMoment, ...]
    held: tuple[str, ...]
    """What each witness holds of it now, a line each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStory:
    """One run worth showing on a time axis."""

    __pydantic_config__ = STRICT
    run: str
    """The key of the run in `Report.runs`."""
    why: str
    """Why it is shown: failed, inconclusive, or a typical one that passed."""
    length_s: float
    phases: tuple[PhaseSpan, ...]
    lanes: tuple[Lane, ...]
    roles: tuple[RoleLife, ...]
    series: tuple[Series, ...]
    source: Literal["journals", "progress"]
    """What the curves were made of: journals are exact, progress is sampled twice a second."""
    partitions: tuple[PartitionState, ...]
    controllers: tuple[ControllerState, ...]
    rebalances: tuple[Rebalance, ...]
    crashes: tuple[Crash, ...]
    troubles: tuple[Trouble, ...]
    lives: tuple[MessageLife, ...]
    figures: Mapping[str, float]
    """The verdict's figures, e.g. `messages_committed`, `longest_ack_gap_ms`, `drain_s`."""
