"""A pairwise covering set: few schedules in which every two faults that go together overlap. PURE.

The elements are the menu's representatives, one for each kind and flavour with a class of targets.
Greedy, as in AETG (Cohen et al., IEEE TSE 1997): each schedule starts with a pair that is not yet
covered and takes in whatever covers most besides. Over the safe budget, the second of two dying
nodes is aimed at one that is certainly another.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from harness.schedule.company import is_node_process, server_of
from harness.schedule.dice import Dice, derive, from_seed
from harness.schedule.item import Item
from harness.schedule.layout import DELAYS, Layout, latency_ms, with_latency
from harness.schedule.moments import AfterCount, AfterSeconds, WithFault
from harness.schedule.network import Isolate, Partition
from harness.schedule.plans import rank
from harness.schedule.processes import RollingRestart
from harness.schedule.shape import PipelineShape, Timeouts
from harness.schedule.targets import Former, Leader
from harness.schedule.values import Budget, Fault, Schedule

Pair = frozenset[str]
MOST_TOGETHER = 7
"""Faults of one covering schedule; more would hide one another."""
_TRIES = 8
"""How often the open details (which instance, which partition) are drawn again for one group."""
_APART_S = 0.1
_RESTARTS = 8
_MOST_LATENCY_MS = 400
"""Others begin when an answer has come through it, and it is still in force then."""
_LEAST_S = 1.5
_BACK_S = 1.0
"""A server that is away stays away until a role that died before it is back, and misses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """The covering schedules, what each covers, and which pairs cannot be together."""

    schedules: tuple[Schedule, ...]
    groups: tuple[tuple[str, ...], ...]
    """The names of the items of each schedule."""
    possible: frozenset[Pair]
    impossible: frozenset[Pair]
    """Beyond the budget together, or one would leave the other nothing to meet."""


class Coverer:
    """Builds the covering set of one pipeline within one budget; the same one every time."""

    def __init__(
        self,
        shape: PipelineShape,
        menu: Iterable[Item],
        *,
        budget: Budget,
        timeouts: Timeouts,
    ) -> None:
        self._shape = shape
        self._budget: Budget = budget
        self._timeouts = timeouts
        self._items = {item.name: item for item in menu if item.paired}

    def cover(self) -> Cover:
        """Return the set; one or two seconds of work."""
        pairs = [frozenset(pair) for pair in combinations(self._items, 2)]
        possible = frozenset(pair for pair in pairs if self._together(sorted(pair)))
        left = set(possible)
        made: dict[tuple[str, ...], list[Fault]] = {}
        while left:
            for group in _fewest(left, possible):
                names, faults = self._largest(group)
                if _pairs_of(names) & left:
                    made[names] = faults
                    left -= _pairs_of(names)
        return Cover(
            schedules=tuple(self._schedule(faults) for faults in made.values()),
            groups=tuple(made),
            possible=possible,
            impossible=frozenset(pairs) - possible,
        )

    def _largest(self, group: tuple[str, ...]) -> tuple[tuple[str, ...], list[Fault]]:
        """Return as much of a group as can be laid out: each pair could, all need not."""
        for size in range(len(group), 2, -1):
            if faults := self._together(group[:size]):
                return group[:size], faults
        return group[:2], self._together(group[:2]) or []

    def _together(self, names: Sequence[str]) -> list[Fault] | None:
        """Return faults of these items that overlap, or None when they cannot."""
        for number in range(_TRIES):
            faults = self._laid_out(names, seed=derive(number, len(names)))
            if faults is not None:
                return faults
        return None

    def _laid_out(self, names: Sequence[str], *, seed: int) -> list[Fault] | None:
        dice = from_seed(seed)
        layout = Layout(dice, self._shape, budget=self._budget, timeouts=self._timeouts)
        made = [(self._items[name], self._items[name].make(dice)) for name in names]
        shown_s = 0.0
        for place, (item, fault) in enumerate(sorted(made, key=self._order)):
            aimed = self._aimed(layout, fault)
            after_s = shown_s + _APART_S * place
            if not layout.append(self._timed(aimed, item, place, after_s=after_s)):
                return None
            shown_s = max(shown_s, latency_ms(layout.faults[-1]) * DELAYS / 1000)
        return layout.faults

    def _order(self, made: tuple[Item, Fault]) -> tuple[bool, int, bool]:
        """Return who goes first: by rank, and leaders before nodes that are then followers.

        Before all of them a latency, which is seen only once an answer has come through it.
        """
        leads = isinstance(getattr(made[1], "target", None), Leader)
        return not latency_ms(made[1]), rank(made[1], self._shape), not leads

    def _aimed(self, layout: Layout, fault: Fault) -> Fault:
        """Let the leader that dies be the one that is cut off, where both are leaders."""
        if self._budget == "over":
            return layout.elsewhere(fault)
        target: Any = fault
        for place, earlier in enumerate(layout.faults):
            nodes = (
                earlier.nodes
                if isinstance(earlier, Partition)
                else (earlier.target,)
                if isinstance(earlier, Isolate) and earlier.cut_from != "clients"
                else ()
            )
            led = len(nodes) == 1 and isinstance(nodes[0], Leader)
            if led and is_node_process(fault) and isinstance(target.target, Leader):
                aimed: Fault = replace(target, target=Former(fault=place))
                return aimed
        return fault

    def _timed(self, fault: Fault, item: Item, place: int, *, after_s: float) -> Fault:
        timed: Any = with_latency(fault, at_most_ms=_MOST_LATENCY_MS)
        lasts_s = max(_LEAST_S, 1.2 * self._timeouts.of(item.pace))
        if server_of(fault) is not None:
            lasts_s += _BACK_S
        trigger = (
            WithFault(fault=0, seconds=round(after_s, 2))
            if place
            else AfterCount(event="acked", count=int(0.75 * self._shape.rate_per_s))
        )
        end = fault.end if isinstance(fault, RollingRestart) else AfterSeconds(seconds=lasts_s)
        changed: Fault = replace(timed, trigger=trigger, end=end)
        return changed

    def _schedule(self, faults: Sequence[Fault]) -> Schedule:
        return Schedule(
            pipeline=self._shape.name,
            variant=self._shape.variant,
            faults=tuple(faults),
            budget=self._budget,
        )


def _fewest(left: set[Pair], possible: frozenset[Pair]) -> list[tuple[str, ...]]:
    """Return the smallest of many greedy covers of `left`, each with its own way with ties."""
    return min(
        (_greedy(left, possible, from_seed(derive(number, 0))) for number in range(_RESTARTS)),
        key=len,
    )


def _greedy(pairs: set[Pair], possible: frozenset[Pair], dice: Dice) -> list[tuple[str, ...]]:
    left, groups = set(pairs), []
    names = sorted({name for pair in pairs for name in pair})
    friends = {name: {other for other in names if {name, other} in possible} for name in names}
    while left:
        group = _group(left, friends, dice)
        left -= _pairs_of(group)
        groups.append(group)
    return groups


def _group(left: set[Pair], friends: Mapping[str, set[str]], dice: Dice) -> tuple[str, ...]:
    """Return a group that covers a pair of `left`, and with each further member most besides."""
    wanted = {name: sum(name in pair for pair in left) for name in friends}
    luck = {name: dice.spread(1.0, 1.3) for name in sorted(friends)}
    first = max(sorted(left, key=sorted), key=lambda pair: sum(wanted[n] * luck[n] for n in pair))
    group = sorted(first)
    while len(group) < MOST_TOGETHER:
        gains = {
            name: sum(frozenset({name, other}) in left for other in group) * luck[name]
            for name in sorted(set.intersection(*(friends[other] for other in group)))
        }
        best = max(gains, key=lambda name: (gains[name], wanted[name]), default=None)
        if best is None or not gains[best]:
            break
        group.append(best)
    return tuple(group)


def _pairs_of(names: Sequence[str]) -> set[Pair]:
    return {frozenset(pair) for pair in combinations(names, 2)}
