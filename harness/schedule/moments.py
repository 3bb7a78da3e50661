"""When a fault starts and when it ends, as frozen values, and the words for it. PURE."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from harness.errors import UsageError
from harness.schedule.targets import STRICT

POINT_BYTES = 40
"""The longest name of a crash point, in UTF-8: the counter files of roles have no room for more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterSeconds:
    """Seconds since the storm began (as a trigger), or since the fault took hold (as an end)."""

    __pydantic_config__ = STRICT
    seconds: float
    kind: Literal["seconds"] = "seconds"

    def __str__(self) -> str:
        return f"{self.seconds:g} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterCount:
    """A number of events of one kind: since the run began (trigger) or since it bit (end)."""

    __pydantic_config__ = STRICT
    event: Literal["acked", "processed"]
    count: int
    kind: Literal["count"] = "count"

    def __str__(self) -> str:
        return f"{self.count} {self.event}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtPoint:
    """The `passes`-th pass of a named crash point after the storm began.

    For kills and pauses of one process of a role.
    """

    __pydantic_config__ = STRICT
    point: str
    passes: int = 1
    kind: Literal["point"] = "point"

    def __str__(self) -> str:
        return f"pass {self.passes} of {self.point}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WithFault:
    """Seconds after another fault of the schedule reached a state (`held`: it took hold)."""

    __pydantic_config__ = STRICT
    fault: int
    """The other fault's place in the schedule, from 0; a smaller one than this fault's own."""
    state: Literal["held", "healed", "verified"] = "held"
    seconds: float = 0.0
    kind: Literal["fault"] = "fault"

    def __str__(self) -> str:
        later = f"{self.seconds:g} s after " if self.seconds else ""
        return f"{later}fault {self.fault} is {self.state}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtIsr:
    """The moment the in-sync replicas of a partition are so many, or fewer."""

    __pydantic_config__ = STRICT
    topic: str
    partition: int
    at_most: int
    kind: Literal["isr"] = "isr"

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition} has at most {self.at_most} in-sync replica(s)"


Trigger = Annotated[
    AfterSeconds | AfterCount | AtPoint | WithFault | AtIsr, Field(discriminator="kind")
]
End = Annotated[AfterSeconds | AfterCount | WithFault, Field(discriminator="kind")]


class Timed:
    """The words that say when a fault starts and ends; each returns a new value."""

    __slots__ = ()

    def _with(self, **changes: object) -> Self:
        fault: Any = self  # every heir is a frozen dataclass with `trigger` and `end`
        changed: Self = replace(fault, **changes)
        return changed

    def after(
        self,
        *,
        seconds: float | None = None,
        acked: int | None = None,
        processed: int | None = None,
    ) -> Self:
        """Start after seconds of storm, or once so many messages were acked or processed."""
        return self._with(trigger=_moment(seconds=seconds, acked=acked, processed=processed))

    def at(self, point: str, *, passes: int = 1) -> Self:
        """Start at the `passes`-th pass of a crash point after the storm began.

        The process kills or stops itself there: for kills and pauses of one process of a role.
        """
        return self._with(trigger=AtPoint(point=point, passes=passes))

    def when(
        self,
        fault: int,
        state: Literal["held", "healed", "verified"] = "held",
        *,
        seconds: float = 0.0,
    ) -> Self:
        """Start once an earlier fault of the schedule is held, healed or verified healed."""
        return self._with(trigger=WithFault(fault=fault, state=state, seconds=float(seconds)))

    def when_isr(self, topic: str, partition: int, *, at_most: int) -> Self:
        """Start once the in-sync replicas of a partition are so many or fewer."""
        return self._with(trigger=AtIsr(topic=topic, partition=partition, at_most=at_most))

    def for_seconds(self, seconds: float) -> Self:
        """End so many seconds after the fault took hold."""
        return self._with(end=AfterSeconds(seconds=float(seconds)))

    def until(self, *, acked: int | None = None, processed: int | None = None) -> Self:
        """End once so many more messages were acked or processed since the fault took hold."""
        return self._with(end=_moment(seconds=None, acked=acked, processed=processed))

    def until_fault(
        self,
        fault: int,
        state: Literal["held", "healed", "verified"] = "held",
        *,
        seconds: float = 0.0,
    ) -> Self:
        """End once another fault of the schedule is held, healed or verified healed."""
        return self._with(end=WithFault(fault=fault, state=state, seconds=float(seconds)))


def in_seconds(seconds: float) -> AfterSeconds:
    """Return a moment so many seconds later: what faults begin and end with by default."""
    return AfterSeconds(seconds=seconds)


def _moment(
    *, seconds: float | None, acked: int | None, processed: int | None
) -> AfterSeconds | AfterCount:
    given = [
        name
        for name, value in (("seconds", seconds), ("acked", acked), ("processed", processed))
        if value is not None
    ]
    if len(given) != 1:
        raise UsageError(
            f"A moment is one of seconds=, acked= or processed=, not {given or 'none'}"
        )
    if seconds is not None:
        return AfterSeconds(seconds=float(seconds))
    if acked is not None:
        return AfterCount(event="acked", count=acked)
    return AfterCount(event="processed", count=processed or 0)
