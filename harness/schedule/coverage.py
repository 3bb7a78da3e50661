"""What a campaign met, by fault, what it hit and phase, with its empty cells. PURE."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.schedule.dice import from_seed
from harness.schedule.item import Item
from harness.schedule.moments import AtPoint
from harness.schedule.network import Cut, Frames, Isolate, Partition, Unreachable
from harness.schedule.operations import (
    AddPartitions,
    ConfigureTopic,
    MoveLeader,
    Reassign,
    RecreateTopic,
)
from harness.schedule.processes import Amnesia, RollingRestart
from harness.schedule.targets import (
    Database,
    EveryNode,
    Instance,
    LockService,
    NodeLike,
    Nodes,
    Role,
)
from harness.schedule.values import Fault, Schedule

Phase = str
"""Where in the pipeline a fault met it: a crash point, or the stage that it stands beside."""
STORM: Phase = "under load"
"""The phase of a fault that waits for no crash point."""
Tag = tuple[str, str]
"""What a fault is (`kill`, `isolate/hold`, `amnesia/tail`), and the class of what it hits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """How one fault of one run ended."""

    bit: bool
    phase: Phase | None = None
    """Where the pipeline was, if a run knows better than the schedule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One combination: how often it was scheduled, and how often it really met the system."""

    fault: str
    target: str
    phase: Phase
    scheduled: int = 0
    bit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Every cell that was possible or was played, in order."""

    cells: tuple[Cell, ...]

    @property
    def empty(self) -> tuple[Cell, ...]:
        """Return the cells in which no fault ever met the system: what was not tested."""
        return tuple(cell for cell in self.cells if not cell.bit)

    @property
    def share(self) -> float:
        """Return the share of cells that were met, 0 to 1."""
        return 1.0 - len(self.empty) / len(self.cells) if self.cells else 0.0


def grid(
    played: Iterable[tuple[Schedule, Sequence[Met]]],
    *,
    possible: Iterable[tuple[str, str, Phase]] = (),
) -> Grid:
    """Count what was played; `possible` names cells that are shown though nothing fell into them.

    Each run brings how its faults ended, in the schedule's order; a missing one met nothing.
    """
    scheduled: Counter[tuple[str, str, Phase]] = Counter()
    bit: Counter[tuple[str, str, Phase]] = Counter()
    for schedule, ended in played:
        for place, fault in enumerate(schedule.faults):
            met = ended[place] if place < len(ended) else Met(bit=False)
            key = (*tag(fault), met.phase or phase(fault))
            scheduled[key] += 1
            bit[key] += met.bit
    keys = sorted({*possible, *scheduled})
    return Grid(
        cells=tuple(
            Cell(fault=key[0], target=key[1], phase=key[2], scheduled=scheduled[key], bit=bit[key])
            for key in keys
        )
    )


def possible(menu: Iterable[Item]) -> list[tuple[str, str, Phase]]:
    """Return the cells that the items of a menu may fill."""
    made = [item.make(from_seed(0)) for item in menu]
    return sorted({(*tag(fault), phase(fault)) for fault in made})


def tag(fault: Fault) -> Tag:
    """Return what a fault is, with its flavour, and the class of its target, with its plane."""
    return _kind(fault), _class(fault)


def phase(fault: Fault) -> Phase:
    """Return the phase that the schedule itself names."""
    return fault.trigger.point if isinstance(fault.trigger, AtPoint) else STORM


def _kind(fault: Fault) -> str:
    if isinstance(fault, Isolate | Cut | Unreachable):
        return f"{fault.kind}/{fault.damage.flavour}"
    if isinstance(fault, Partition):
        return f"{fault.shape}/{fault.damage.flavour}"
    if isinstance(fault, Frames):
        return f"frames/{fault.act}"
    if isinstance(fault, Amnesia):
        return f"{fault.kind}/{fault.loses}"
    return f"{fault.kind}/{fault.how}" if isinstance(fault, RollingRestart) else fault.kind


def _class(fault: Fault) -> str:
    if isinstance(fault, Isolate):
        return f"{fault.target.kind} from {fault.cut_from}"
    if isinstance(fault, Cut):
        return f"{fault.target.kind} to {fault.source.kind}, {fault.plane}"
    if isinstance(fault, Partition):
        return " and ".join(fault.planes)
    if isinstance(fault, Unreachable | Frames):
        return f"{fault.target.role} to {_server(fault.server)}"
    if isinstance(fault, MoveLeader | Reassign | AddPartitions | RecreateTopic | ConfigureTopic):
        return "topic"
    return _process(fault)


def _server(target: Database | LockService | NodeLike | EveryNode) -> str:
    return target.name if isinstance(target, LockService) else target.kind


def _process(fault: Fault) -> str:
    target = getattr(fault, "target", None)
    if isinstance(target, Instance | Role):
        return target.role
    if isinstance(target, Database | LockService):
        return _server(target)
    if isinstance(target, Nodes):
        return f"{len(target.members)} nodes"
    return str(getattr(target, "kind", "every-node"))


Plane = Literal[
    "nodes", "roles", "database", "coordination", "client links", "node links", "operations"
]


_PLANES: Mapping[type, Plane] = {
    Instance: "roles",
    Role: "roles",
    Database: "database",
    LockService: "coordination",
    type(None): "operations",
}
"""By what a fault of processes is aimed at; everything else is nodes."""


def plane(fault: Fault) -> Plane:
    """Return the plane of the system on which a fault acts, for a grid of a few rows."""
    if isinstance(fault, Cut | Partition):
        return "node links"
    if isinstance(fault, Isolate):
        return "client links" if fault.cut_from == "clients" else "node links"
    if isinstance(fault, Unreachable | Frames):
        return "client links"
    return _PLANES.get(type(getattr(fault, "target", None)), "nodes")
