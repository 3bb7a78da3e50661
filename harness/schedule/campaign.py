"""The order of a campaign: every single fault, then every pair that goes together, then by seed.

PURE. An endless sequence indexed by whole numbers: a campaign that was broken off goes on at its
next number, and of eight machines each plays every eighth one.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import count
from typing import Literal

from harness.errors import UsageError
from harness.schedule.covering import Cover, Coverer
from harness.schedule.dice import derive, from_seed
from harness.schedule.generate import Generator
from harness.schedule.item import Item
from harness.schedule.layout import Layout
from harness.schedule.menu import WEIGHTS, items
from harness.schedule.shape import FAST, PipelineShape, Timeouts
from harness.schedule.values import Budget, Schedule

Part = Literal["single", "pairs", "random"]


class Campaign:
    """All schedules of one campaign, by number; the same ones for the same root seed."""

    def __init__(
        self,
        shape: PipelineShape,
        *,
        root_seed: int,
        budget: Budget = "safe",
        timeouts: Timeouts = FAST,
        weights: Mapping[str, float] = WEIGHTS,
    ) -> None:
        self._shape = shape
        self._root_seed = root_seed
        self._budget: Budget = budget
        self._timeouts = timeouts
        self._menu = items(shape, budget=budget, weights=weights)
        self._generator = Generator(shape, budget=budget, timeouts=timeouts, weights=weights)

    @cached_property
    def singles(self) -> tuple[Item, ...]:
        """Return every item of the menu, in this campaign's own order.

        One of each family comes before the second of any, so that whatever is seen by one family
        alone is seen soon; over the safe budget, what only that budget allows comes first.
        """
        before: Counter[str] = Counter()
        placed: list[tuple[bool, int, Item]] = []
        for item in from_seed(self._root_seed).shuffled(self._menu):
            placed.append((item.budget == "safe", before[item.family], item))
            before[item.family] += 1
        return tuple(item for *_, item in sorted(placed, key=lambda each: each[:2]))

    @cached_property
    def cover(self) -> Cover:
        """Return the pairwise covering set, the same one for every root seed."""
        return Coverer(
            self._shape, self._menu, budget=self._budget, timeouts=self._timeouts
        ).cover()

    def part(self, number: int) -> Part:
        """Return which part of the campaign a number falls into."""
        if number < len(self.singles):
            return "single"
        return "pairs" if number < len(self.singles) + len(self.cover.schedules) else "random"

    def schedule(self, number: int) -> Schedule:
        """Return the schedule of a number, from 0 without an end."""
        part = self.part(number)
        if part == "single":
            return self._single(number)
        if part == "pairs":
            return self.cover.schedules[number - len(self.singles)]
        return self._generator.draw(derive(self._root_seed, number))

    def _single(self, number: int) -> Schedule:
        seed = derive(self._root_seed, number)
        layout = Layout(from_seed(seed), self._shape, budget=self._budget, timeouts=self._timeouts)
        layout.add(self.singles[number])
        return Schedule(
            pipeline=self._shape.name,
            variant=self._shape.variant,
            faults=tuple(layout.faults),
            budget=self._budget,
            seed=seed,
        )


def numbers(*, shard: int = 1, of: int = 1, start: int = 0) -> Iterator[int]:
    """Return the numbers that shard `shard` of `of` plays, from `start` on, without an end.

    Shards are counted from 1, as in `--shard 2/8`; together they play every number once.
    """
    if not 1 <= shard <= of:
        raise UsageError(
            f"There is no shard {shard} of {of}", remedy="shards are counted from 1: 1/8 to 8/8"
        )
    first = start + (shard - 1 - start) % of
    return count(first, of)
