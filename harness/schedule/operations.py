"""Operations, as frozen values: what an operator does on a good day, and on a bad one. PURE.

Each is over as soon as it is done; what is said of its `end` is when it is undone, where there is
anything to undo.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.schedule.moments import End, Timed, Trigger, in_seconds
from harness.schedule.targets import STRICT


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveLeader(Timed):
    """Make an in-sync follower the preferred leader and elect it: a planned move, no crash."""

    __pydantic_config__ = STRICT
    topic: str
    partition: int
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(0.5))
    kind: Literal["move-leader"] = "move-leader"

    def __str__(self) -> str:
        return f"move the leader of {self.topic}/{self.partition}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reassign(Timed):
    """Take one follower away from a partition's replicas, and give it back at the end: a copy."""

    __pydantic_config__ = STRICT
    topic: str
    partition: int
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(1.0))
    kind: Literal["reassign"] = "reassign"

    def __str__(self) -> str:
        return f"reassign a replica of {self.topic}/{self.partition}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPartitions(Timed):
    """Give a topic more partitions; they stay."""

    __pydantic_config__ = STRICT
    topic: str
    add: int = 1
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(0.5))
    kind: Literal["add-partitions"] = "add-partitions"

    def __str__(self) -> str:
        return f"add {self.add} partition(s) to {self.topic}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecreateTopic(Timed):
    """Delete a topic, and make it anew at the end: out of contract, its records are gone."""

    __pydantic_config__ = STRICT
    topic: str
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(0.5))
    kind: Literal["recreate-topic"] = "recreate-topic"

    def __str__(self) -> str:
        return f"delete {self.topic} and make it anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigureTopic(Timed):
    """Change settings of a topic; what they were before comes back at the end."""

    __pydantic_config__ = STRICT
    topic: str
    settings: Mapping[str, str]
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(3.0))
    kind: Literal["configure-topic"] = "configure-topic"

    def __str__(self) -> str:
        changed = ", ".join(f"{key}={value}" for key, value in self.settings.items())
        return f"set {changed} on {self.topic}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigureNodes(Timed):
    """Change dynamic settings of every node, one after the other; they come back at the end."""

    __pydantic_config__ = STRICT
    settings: Mapping[str, str]
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(3.0))
    kind: Literal["configure-nodes"] = "configure-nodes"

    def __str__(self) -> str:
        changed = ", ".join(f"{key}={value}" for key, value in self.settings.items())
        return f"set {changed} on every node in turn"
