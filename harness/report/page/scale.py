"""Round numbers for scales and rulers. PURE."""

from math import ceil, floor, log10

MOST_TICKS = 10


def above(value: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, … that is not below a value; 1 for nothing at all."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))


def ticks(length: float, *, most: int = MOST_TICKS) -> tuple[float, ...]:
    """Return round places from 0 up to a length, at most `most` of them after the first."""
    if length <= 0:
        return (0.0,)
    step = above(length / most)
    return tuple(round(step * number, 6) for number in range(ceil(length / step + 1e-9)))
