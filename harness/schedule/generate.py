"""Draws whole schedules: a swarm of kinds, in one of several shapes, within a budget. PURE.

Everything is drawn before the system is touched, and the same seed draws the same schedule. Swarm
testing (Groce et al., ISSTA 2012): leaving kinds out at random finds more than having all of them
all the time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

from hypothesis import strategies as st

from harness.schedule.dice import Dice, from_seed
from harness.schedule.item import Item
from harness.schedule.layout import Layout
from harness.schedule.menu import WEIGHTS, items
from harness.schedule.plans import PLANS, Order
from harness.schedule.shape import FAST, PipelineShape, Timeouts
from harness.schedule.values import Budget, Schedule, Workload

SHAPES: Mapping[Budget, Mapping[str, float]] = {
    "safe": {"independent": 0.4, "overlap": 0.28, "rolling": 0.1, "flap": 0.12, "swizzle": 0.1},
    "over": {"strained": 0.6, "independent": 0.15, "overlap": 0.15, "flap": 0.1},
}
"""How often each shape is drawn."""


class Generator:
    """Draws schedules for one pipeline, one budget and one profile."""

    def __init__(
        self,
        shape: PipelineShape,
        *,
        budget: Budget = "safe",
        timeouts: Timeouts = FAST,
        weights: Mapping[str, float] = WEIGHTS,
    ) -> None:
        """`weights` says how often each kind of fault is drawn; 0: never."""
        self._shape = shape
        self._budget: Budget = budget
        self._timeouts = timeouts
        self._weights = weights
        self._menu = items(shape, budget=budget, weights=weights)

    def draw(self, seed: int) -> Schedule:
        """Return the schedule of a seed: the same one on every machine, today and tomorrow."""
        return self.drawn(from_seed(seed), seed=seed)

    def strategy(self) -> st.SearchStrategy[Schedule]:
        """Return a Hypothesis strategy of the same schedules."""

        def build(random: Random, seed: int) -> Schedule:
            return self.drawn(Dice(random), seed=seed)

        return st.builds(build, st.randoms(use_true_random=False), st.integers(0, 2**63 - 1))

    def drawn(self, dice: Dice, *, seed: int) -> Schedule:
        """Return a schedule of one to eight faults by what the dice say."""
        workload = Workload(
            rate_per_s=dice.weighted((400, 200, 800), (0.7, 0.15, 0.15)),
            batch=dice.weighted((1, 5, 20), (0.7, 0.2, 0.1)),
        )
        shape = replace(self._shape, rate_per_s=float(workload.rate_per_s))
        layout = Layout(dice, shape, budget=self._budget, timeouts=self._timeouts)
        order = Order(dice, _swarm(dice, self._menu), self._weights)
        shapes = SHAPES[self._budget]
        PLANS[dice.weighted(tuple(shapes), tuple(shapes.values()))](dice, layout, order, shape)
        if not layout.faults:
            PLANS["independent"](dice, layout, order, shape)
        return Schedule(
            pipeline=shape.name,
            variant=shape.variant,
            faults=tuple(layout.faults),
            workload=workload,
            budget=self._budget,
            seed=seed,
        )


def draw(
    seed: int,
    shape: PipelineShape,
    *,
    budget: Budget = "safe",
    timeouts: Timeouts = FAST,
    weights: Mapping[str, float] = WEIGHTS,
) -> Schedule:
    """Return the schedule of a seed; see `Generator`, which is cheaper for many."""
    return Generator(shape, budget=budget, timeouts=timeouts, weights=weights).draw(seed)


def schedules(
    shape: PipelineShape,
    *,
    budget: Budget = "safe",
    timeouts: Timeouts = FAST,
    weights: Mapping[str, float] = WEIGHTS,
) -> st.SearchStrategy[Schedule]:
    """Return a Hypothesis strategy of schedules; see `Generator`."""
    return Generator(shape, budget=budget, timeouts=timeouts, weights=weights).strategy()


def _swarm(dice: Dice, menu: Sequence[Item]) -> dict[str, list[Item]]:
    """Leave out each kind with a probability of one half, but never nearly all of them."""
    kinds = list(dict.fromkeys(item.kind for item in menu))
    kept = [kind for kind in kinds if dice.chance(0.5)]
    if len(kept) < min(3, len(kinds)):
        kept = kinds
    return {kind: [item for item in menu if item.kind == kind] for kind in kept}
