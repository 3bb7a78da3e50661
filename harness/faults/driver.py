"""What every driver promises, and what it is given to work on."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from harness.faults.linkbook import LinkBook
from harness.faults.watch import ClusterWatch
from harness.lab.protocol import Lab
from harness.lab.values import TopicSpec
from harness.pipeline.role_state import RoleEvent
from harness.pipeline.supervisor import Supervisor


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """What one link carried while a fault damaged it."""

    connections: int
    """Open ones, each time that the damage came."""
    bytes_sent: int | None
    """Requests that went into it. None: this machine does not count them."""
    bytes_answered: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What shows that a fault met the system: sentences for people, and whether they suffice."""

    bit: bool
    sentences: tuple[str, ...]
    met: Mapping[str, Met] = field(default_factory=dict)
    """By the name of the link; only of faults on links."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The running system that faults are applied to."""

    lab: Lab
    supervisor: Supervisor
    watch: ClusterWatch
    linkbook: LinkBook
    group: str
    """The run's own consumer group, KAFKA_GROUP_ID."""
    topics: Mapping[str, str]
    """Logical topic name → physical name."""
    slots: Mapping[tuple[str, int], int]
    """(role, instance) → client slot."""
    tell: Callable[[Iterable[RoleEvent]], None]
    """Where what happens to roles is told."""
    database_url: str
    """The run's own database: direct, unproxied, the superuser's."""
    hit: dict[int, int]
    """The node that each fault of the schedule hit so far, by the fault's place."""
    specs: Mapping[str, TopicSpec] = field(default_factory=dict)
    """Logical topic name → what its topic was made from."""


class Driver(Protocol):
    """One fault on one resolved target. Calls come from one thread and return within a second."""

    @property
    def what(self) -> str:
        """The fault in words, its target resolved."""
        ...

    @property
    def resolved(self) -> Mapping[str, object]:
        """What the symbolic target turned out to be, for the timeline."""
        ...

    def apply(self) -> None:
        """Ask for the fault. FaultError or LabError when it cannot be applied."""
        ...

    def held(self) -> bool:
        """Tell whether the fault is in force (for a crash point: whether it fired)."""
        ...

    def heal(self) -> None:
        """Undo it."""
        ...

    def healed(self) -> bool:
        """Tell whether an observation, not a wish, shows that it is undone."""
        ...

    def evidence(self) -> Evidence:
        """Return what shows that it bit; asked after it was healed, and again when verified."""
        ...


@runtime_checkable
class AtCrashPoint(Driver, Protocol):
    """A driver whose fault takes hold when a role passes a crash point."""

    def passed(self) -> int:
        """Return how often it was passed so far, in all lives of that role."""
        ...


@runtime_checkable
class Lasting(Driver, Protocol):
    """A driver that has something to do, or to wait for, while its fault is in force."""

    def pulse(self) -> None:
        """Do the next step, if it is time for one; called many times a second while held."""
        ...

    def finished(self) -> bool:
        """Tell whether the fault may end: its end is not asked for before this is true."""
        ...
