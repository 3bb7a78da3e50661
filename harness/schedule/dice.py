"""The source of every random choice of a schedule. PURE.

Only `random()` of the generator underneath is used: its results are the same in every Python
version for the same seed, which `choice` and `shuffle` do not promise. Hypothesis can stand
underneath as well, and then shrinks towards the first of several and the smallest of a range.
"""

import hashlib
from collections.abc import Sequence
from math import exp, log
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Choices drawn from one generator."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def chance(self, probability: float) -> bool:
        """Return True with this probability; False is the simpler choice."""
        return self._random.random() >= 1.0 - probability

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices, all equally likely."""
        return choices[self.between(0, len(choices) - 1)]

    def weighted(self, choices: Sequence[T], weights: Sequence[float]) -> T:
        """Return one of the choices, each as likely as its weight says."""
        left = self._random.random() * sum(weights)
        for choice, weight in zip(choices, weights, strict=True):
            left -= weight
            if left < 0:
                return choice
        return choices[-1]

    def between(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return min(high, low + int(self._random.random() * (high - low + 1)))

    def spread(self, low: float, high: float) -> float:
        """Return a number between, log-uniform: every doubling is equally likely."""
        return round(exp(log(low) + self._random.random() * (log(high) - log(low))), 2)

    def shuffled(self, choices: Sequence[T]) -> list[T]:
        """Return the choices in another order."""
        left = list(choices)
        return [left.pop(self.between(0, len(left) - 1)) for _ in range(len(left))]


def from_seed(seed: int) -> Dice:
    """Return dice that fall the same way for the same seed."""
    return Dice(Random(seed))  # noqa: S311  # schedules are to be repeated, not to be secret


def derive(root_seed: int, number: int) -> int:
    """Return the seed of the `number`-th schedule of a root seed: below 2^63, by SHA-256."""
    digest = hashlib.sha256(f"{root_seed}/{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
