"""Which frames are caught, and what became of them. Pure: it counts, and moves no byte."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from harness.clock import monotonic_s, now_us
from harness.lab.frames.codec import Frame, Part

Act = Literal["hold", "drop", "delay", "close"]
Fate = Literal["waits", "passed", "dropped", "closed", "gone"]

MOST_TOLD = 50
"""So many caught frames are told one by one; the rest only counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRule:
    """What to catch from the moment it is armed: counted over all connections that it is about."""

    slot: int
    nodes: tuple[int, ...]
    api_key: int
    part: Part = "request"
    nth: int = 1
    """The first frame that is caught, from 1."""
    count: int | None = 1
    """How many are caught from there on; None: every one until the rule is released."""
    act: Act = "hold"
    delay_ms: int = 0

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "FrameRule":
        """Read what `asdict` and JSON made of a rule."""
        return cls(**{**fields, "nodes": tuple(fields["nodes"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class CaughtFrame:
    """One frame that a rule caught."""

    number: int
    """Its place among the frames that the rule counts, from 1."""
    node: int
    connection: int
    """The proxy's own number of the connection, so that two frames can be told to share one."""
    correlation_id: int
    size_bytes: int
    at_us: int
    fate: Fate
    """`gone`: the connection ended before the frame could pass."""
    waited_ms: float
    """How long it was kept back, so far or until its fate; 0 for what was dropped or closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSighting:
    """What a rule saw and did so far."""

    in_force: bool
    seen: int
    """Frames of that kind since it was armed, caught ones too."""
    caught_count: int
    caught: tuple[CaughtFrame, ...]
    """The first of them, MOST_TOLD at most."""
    behind: int
    """Frames that came to wait behind a caught one on its connection."""
    waiting: int
    """Frames that wait at this moment because of the rule, caught or behind."""
    opaque: tuple[str, ...]
    """Why no frames can be seen on open connections that the rule is about, for each of them."""

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "FrameSighting":
        """Read what `asdict` and JSON made of a sighting."""
        caught = tuple(CaughtFrame(**each) for each in fields["caught"])
        return cls(**{**fields, "caught": caught, "opaque": tuple(fields["opaque"])})


@dataclass(slots=True, kw_only=True)
class Catch:
    """A caught frame on its way: the proxy moves it on, and says what became of it."""

    rule: "ArmedRule"
    number: int
    node: int
    connection: int
    correlation_id: int
    size_bytes: int
    at_us: int
    since_s: float
    fate: Fate = "waits"
    waited_s: float = 0.0

    def due_s(self) -> float | None:
        """Return the monotonic moment at which it may pass; None: not before its release."""
        if not self.rule.in_force or self.rule.rule.act == "close":
            return 0.0  # what is to be closed in its place waits for nothing but its turn
        if self.rule.rule.act == "hold":
            return None
        return self.since_s + self.rule.rule.delay_ms / 1000

    def settle(self, fate: Fate) -> None:
        """Say what became of it; the first word counts."""
        if self.fate == "waits":
            self.fate = fate
            self.waited_s = 0.0 if fate in ("dropped", "closed") else self._so_far_s()

    def told(self) -> CaughtFrame:
        """Return it as a value."""
        waited_s = self._so_far_s() if self.fate == "waits" else self.waited_s
        return CaughtFrame(
            number=self.number,
            node=self.node,
            connection=self.connection,
            correlation_id=self.correlation_id,
            size_bytes=self.size_bytes,
            at_us=self.at_us,
            fate=self.fate,
            waited_ms=round(waited_s * 1000, 1),
        )

    def _so_far_s(self) -> float:
        return monotonic_s() - self.since_s


class ArmedRule:
    """A rule in force, and its counts."""

    def __init__(self, rule: FrameRule) -> None:
        self.rule = rule
        self.in_force = True
        self.seen = 0
        self.caught_count = 0
        self.behind = 0
        self.waiting = 0
        self._told: list[Catch] = []

    def concerns(self, *, slot: int, node: int) -> bool:
        """Tell whether the rule is about connections of that slot to that node."""
        return slot == self.rule.slot and node in self.rule.nodes

    def meet(
        self, frame: Frame, *, part: Part, slot: int, node: int, connection: int, free: bool
    ) -> Catch | None:
        """Count a frame that arrived; return its catch if this rule is to have it.

        One that is not `free` was caught by a rule that was armed earlier: it is only counted.
        """
        rule = self.rule
        if not (
            self.in_force
            and frame.api_key == rule.api_key
            and part == rule.part
            and self.concerns(slot=slot, node=node)
        ):
            return None
        self.seen += 1
        end = None if rule.count is None else rule.nth + rule.count
        if not free or self.seen < rule.nth or (end is not None and self.seen >= end):
            return None
        self.caught_count += 1
        catch = Catch(
            rule=self,
            number=self.seen,
            node=node,
            connection=connection,
            correlation_id=frame.correlation_id,
            size_bytes=len(frame.data),
            at_us=now_us(),
            since_s=monotonic_s(),
        )
        if len(self._told) < MOST_TOLD:
            self._told.append(catch)
        return catch

    def sighting(self, opaque: tuple[str, ...] = ()) -> FrameSighting:
        """Return what it saw and did so far; `opaque` is what its connections say of themselves."""
        return FrameSighting(
            in_force=self.in_force,
            seen=self.seen,
            caught_count=self.caught_count,
            caught=tuple(catch.told() for catch in self._told),
            behind=self.behind,
            waiting=self.waiting,
            opaque=opaque,
        )


def as_json(value: FrameRule | FrameSighting) -> dict[str, Any]:
    """Return a value as JSON can carry it."""
    return asdict(value)
