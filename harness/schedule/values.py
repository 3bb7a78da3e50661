"""One schedule as a frozen value: faults, workload, seed. PURE: nothing here touches a system.

A schedule is drawn completely before the lab is touched. Targets are symbolic ("the leader of
orders/0") and are resolved when their fault starts; the resolution is recorded in the timeline.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from harness.schedule.network import Cut, Frames, Isolate, Partition, Unreachable
from harness.schedule.operations import (
    AddPartitions,
    ConfigureNodes,
    ConfigureTopic,
    MoveLeader,
    Reassign,
    RecreateTopic,
)
from harness.schedule.processes import (
    Amnesia,
    Kill,
    KillRecovering,
    Pause,
    RestartStorm,
    RollingRestart,
    Scale,
    Skew,
    Stop,
    Terminate,
)
from harness.schedule.targets import STRICT

FORMAT_VERSION: Literal[1] = 1

Budget = Literal["safe", "over"]

NetworkFault = Isolate | Cut | Partition | Unreachable | Frames
ProcessFault = (
    Kill
    | Stop
    | Pause
    | Amnesia
    | KillRecovering
    | RollingRestart
    | RestartStorm
    | Scale
    | Skew
    | Terminate
)
Operation = MoveLeader | Reassign | AddPartitions | RecreateTopic | ConfigureTopic | ConfigureNodes

Fault = Annotated[NetworkFault | ProcessFault | Operation, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What the producers are asked for, through their environment; a pipeline may ignore it."""

    __pydantic_config__ = STRICT
    rate_per_s: int = 400
    """Messages a second over all producer instances; 0 means as fast as they can."""
    batch: int = 1
    """Messages a transaction."""
    keys: int = 32
    payload_bytes: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Everything one run plays. Equal schedules have equal fingerprints."""

    __pydantic_config__ = STRICT
    pipeline: str
    """`outbox` (the reference), or the path of a pipeline.toml."""
    variant: str | None = None
    faults: tuple[Fault, ...] = ()
    workload: Workload = field(default_factory=Workload)
    budget: Budget = "safe"
    seed: int = 0
    format: Literal[1] = FORMAT_VERSION

    def in_words(self) -> tuple[str, ...]:
        """Return each fault with its moments, as people read it."""
        return tuple(
            f"{fault}: starts after {fault.trigger}, ends after {fault.end}"
            for fault in self.faults
        )
