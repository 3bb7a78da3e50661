"""Puts faults into time, one after the other, so that a schedule stays playable. PURE.

Nothing is drawn and thrown away: a fault that may not overlap with an earlier one is chained to it
(`verified`, and a rest), and one that may not stand beside it at all is left out.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Any

from harness.schedule import budget
from harness.schedule.company import goes_with, is_node_process, role_of
from harness.schedule.dice import Dice
from harness.schedule.estimate import storm_s
from harness.schedule.item import Item
from harness.schedule.moments import (
    AfterCount,
    AfterSeconds,
    AtIsr,
    AtPoint,
    End,
    Trigger,
    WithFault,
)
from harness.schedule.network import Cut, Damage, Isolate, Partition
from harness.schedule.overlap import RESYNC_S
from harness.schedule.processes import Kill, RollingRestart
from harness.schedule.reach import NODE_NUMBERS
from harness.schedule.shape import PipelineShape, Timeouts
from harness.schedule.targets import EveryNode, Follower, Former, Leader, Node, Nodes
from harness.schedule.values import Budget, Fault, Operation

MOST_FAULTS = 8
SHORTEST_S = 0.3
_CLASSES = (0.5, 1.2, 3.0)
_CLASS_WEIGHTS = (0.45, 0.4, 0.15)
_BAND = 1.25
_SURELY_FENCED = 1.4
DELAYS = 2.5
"""A drawn latency lasts for so many of its delays at least: there, back, and a rest."""


class Layout:
    """The faults of one schedule as they are put together."""

    def __init__(
        self, dice: Dice, shape: PipelineShape, *, budget: Budget, timeouts: Timeouts
    ) -> None:
        self.faults: list[Fault] = []
        self._dice = dice
        self._shape = shape
        self._budget = budget
        self._timeouts = timeouts

    def left_s(self) -> float:
        """Return how much longer the storm may become, by estimate."""
        return self._timeouts.storm_s - storm_s(self.faults, self._shape)

    def length_s(self, item: Item) -> float:
        """Draw a length: below, just above, or far above the item's time-out."""
        factor = self._dice.weighted(_CLASSES, _CLASS_WEIGHTS)
        drawn_s = self._dice.spread(factor / _BAND, factor * _BAND) * self._timeouts.of(item.pace)
        return round(max(SHORTEST_S, min(drawn_s, self._timeouts.storm_s)), 2)

    def add(self, item: Item, *, beside: int | None = None, fault: Fault | None = None) -> bool:
        """Put a fault after the others, or beside the one at a place; False when nothing fits."""
        if len(self.faults) >= MOST_FAULTS:
            return False
        fault = item.make(self._dice) if fault is None else fault
        if beside is not None:
            fault = self._aimed(fault, beside)
        ended = _with(fault, end=self._end(item, fault))
        asked = self._trigger(ended, beside)
        return self._place(_with(ended, trigger=asked)) or any(
            self._place(_with(ended, trigger=chained)) for chained in self._chains()
        )

    def append(self, fault: Fault) -> bool:
        """Put a fault with its own trigger and end; False when it may not stand there."""
        return len(self.faults) < MOST_FAULTS and self._place(fault)

    def begin(self, faults: Sequence[Fault]) -> None:
        """Start with faults whose moments refer to one another; they are within every budget."""
        self.faults = list(faults)

    def _place(self, fault: Fault) -> bool:
        tried = [*self.faults, fault]
        last = len(tried) - 1
        if self._budget == "safe" and budget.needed(tried) != "safe":
            return False
        if budget.hopeless(tried):
            return False  # a lost disk beside others: a run that could blame nobody
        if not all(goes_with(tried, place, last) for place in range(last)):
            return False
        fitted = self._fitted(tried)
        if fitted is None:
            return False
        self.faults = [*fitted[:-1], self._answerable(fitted[-1])]
        return True

    def _answerable(self, fault: Fault) -> Fault:
        """Return the fault with a delay that is short enough for answers to come through it.

        Whoever asks one thing at a time is silent until the answer is there, two delays later: a
        link that nobody answered on while it was slow is not shown to have been slow.
        """
        lasts_s = _lasts_s(fault.end, self._shape)
        in_force_s = min(lasts_s, getattr(fault, "flap_s", None) or lasts_s)
        return with_latency(fault, at_most_ms=1000 * in_force_s / DELAYS)

    def _fitted(self, tried: list[Fault]) -> list[Fault] | None:
        """Return the faults with the last one shortened to the storm's bound, or None."""
        over_s = storm_s(tried, self._shape) - self._timeouts.storm_s
        if over_s <= 0:
            return tried
        end = tried[-1].end
        if isinstance(end, AfterCount):
            end = AfterSeconds(seconds=_lasts_s(end, self._shape))
        if not isinstance(end, AfterSeconds) or end.seconds - over_s < SHORTEST_S:
            return tried if len(tried) == 1 else None  # a rolling restart takes what it takes
        shorter = AfterSeconds(seconds=round(end.seconds - over_s, 2))
        return [*tried[:-1], _with(tried[-1], end=shorter)]

    def _trigger(self, fault: Fault, beside: int | None) -> Trigger:
        if isinstance(fault.trigger, AtPoint):
            return fault.trigger
        if beside is not None:
            if (shrunk := self._shrunk(fault, beside)) is not None:
                return shrunk
            later_s = self._dice.spread(0.05, 0.8)
            return WithFault(fault=beside, seconds=later_s if self._dice.chance(0.7) else 0.0)
        return self._event()

    def _shrunk(self, fault: Fault, beside: int) -> Trigger | None:
        """Sometimes wait for the in-sync replicas to shrink, where they certainly will."""
        cause = self.faults[beside]
        lasting = isinstance(cause.end, AfterSeconds) and (
            cause.end.seconds >= _SURELY_FENCED * self._timeouts.node_s
        )
        dead = isinstance(cause, Kill) and is_node_process(cause)
        if not (lasting and dead and role_of(fault) is not None and self._dice.chance(0.3)):
            return None
        topic = self._dice.pick(tuple(self._shape.topics))
        return AtIsr(topic=topic, partition=0, at_most=2)

    def _event(self) -> Trigger:
        """Draw a moment of its own; later, the more faults there are."""
        rate, place = self._shape.rate_per_s, len(self.faults)
        if self._dice.chance(0.15):
            return AfterSeconds(seconds=self._dice.spread(0.2, 1.5) + place)
        count = int(_warm(rate) * self._dice.spread(0.6, 2.0) + place * rate)
        return AfterCount(event="processed" if self._dice.chance(0.3) else "acked", count=count)

    def _chains(self) -> list[Trigger]:
        """Return triggers after the recovery of each earlier fault, the last ones first."""
        return [
            WithFault(fault=place, state="verified", seconds=RESYNC_S)
            for place in reversed(range(len(self.faults)))
        ]

    def _end(self, item: Item, fault: Fault) -> End:
        if isinstance(fault, RollingRestart):
            return fault.end  # it is over when it is through
        seconds = self.length_s(item)
        steady = not item.stalls and not isinstance(fault, Operation)
        if steady and self._budget == "safe" and self._dice.chance(0.3):
            return AfterCount(event="acked", count=max(1, int(seconds * self._shape.rate_per_s)))
        return AfterSeconds(seconds=seconds)

    def _aimed(self, fault: Fault, beside: int) -> Fault:
        """Aim a fault of a node's process where it can meet something beside another one.

        Within `safe` that is the very node whose links are damaged, over it a node that no other
        fault kills.
        """
        if self._budget == "safe":
            if not _takes_one_node(fault):
                return fault
            links = isinstance(self.faults[beside], Isolate | Cut | Partition)
            return _with(fault, target=Former(fault=beside)) if links else fault
        return self.elsewhere(fault)

    def elsewhere(self, fault: Fault) -> Fault:
        """Aim a dying node at one that certainly none of the others is, where that can be said."""
        aimed = [getattr(each, "target", None) for each in self.faults if is_node_process(each)]
        if not _takes_one_node(fault):
            return fault
        if len(aimed) == 1 and isinstance(aimed[0], Leader):
            return _with(fault, target=Follower(topic=aimed[0].topic, partition=aimed[0].partition))
        taken = {each.number for each in aimed if isinstance(each, Node)}
        free = [number for number in NODE_NUMBERS if number not in taken]
        if not aimed or len(taken) != len(aimed) or not free:
            return fault
        return _with(fault, target=Node(number=self._dice.pick(free)))


def _takes_one_node(fault: Fault) -> bool:
    target = getattr(fault, "target", None)
    return is_node_process(fault) and not isinstance(target, Nodes | EveryNode)


def _with(fault: Fault, **changes: object) -> Fault:
    every: Any = fault  # every fault is a frozen dataclass with `trigger` and `end`
    changed: Fault = replace(every, **changes)
    return changed


def latency_ms(fault: Fault) -> int:
    """Return by how much a fault delays every byte of its links; 0 for any other fault."""
    damage = _damage(fault)
    return (damage.amount or 0) if damage is not None and damage.flavour == "latency" else 0


def with_latency(fault: Fault, *, at_most_ms: float) -> Fault:
    """Return the fault with no longer delay than that; one that delays nothing as it is."""
    damage = _damage(fault)
    if damage is None or latency_ms(fault) <= at_most_ms:
        return fault
    return _with(fault, damage=replace(damage, amount=max(1, int(at_most_ms))))


def _damage(fault: Fault) -> Damage | None:
    damage = getattr(fault, "damage", None)
    return damage if isinstance(damage, Damage) else None


def _lasts_s(end: End, shape: PipelineShape) -> float:
    """Return how long a fault lasts at the workload's own rate; one that others end, endlessly."""
    if isinstance(end, AfterSeconds):
        return end.seconds
    return end.count / shape.rate_per_s if isinstance(end, AfterCount) else inf


def _warm(rate_per_s: float) -> float:
    return max(40.0, 0.75 * rate_per_s)
