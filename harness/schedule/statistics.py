"""What counted runs allow to say: intervals, bounds, and how often to repeat. PURE arithmetic."""

from dataclasses import dataclass
from math import ceil, log, log1p, sqrt

CONFIDENCE = 0.95
_Z = 1.959963984540054
"""The two-sided 95 % quantile of the normal distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A probability measured by counting: `hits` of `runs`, and its 95 % interval."""

    hits: int
    runs: int

    @property
    def share(self) -> float:
        """Return hits / runs, or 0 without a run."""
        return self.hits / self.runs if self.runs else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Return the Wilson interval (E. B. Wilson, JASA 1927): right at 0 and at 1, too."""
        return wilson(self.hits, self.runs)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.hits}/{self.runs} ({low:.0%} to {high:.0%})"


def wilson(hits: int, runs: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a probability; (0, 1) without a run."""
    if runs == 0:
        return 0.0, 1.0
    share = hits / runs
    spread = _Z * sqrt(share * (1 - share) / runs + _Z**2 / (4 * runs**2))
    middle = share + _Z**2 / (2 * runs)
    scale = 1 + _Z**2 / runs
    low = 0.0 if hits == 0 else (middle - spread) / scale
    high = 1.0 if hits == runs else (middle + spread) / scale
    return low, high


def clean_bound(runs: int) -> float:
    """Return the 95 % upper bound of a probability after no failure in `runs` runs, exactly.

    1 - 0.05^(1/n), the one-sided bound of Clopper and Pearson; 1 without a run.
    """
    return 1.0 if runs == 0 else 1.0 - (1.0 - CONFIDENCE) ** (1.0 / runs)


def rule_of_three(runs: int) -> float:
    """Return 3/n, what `clean_bound` comes to for many runs (Hanley, Lippman-Hand, JAMA 1983)."""
    return 1.0 if runs == 0 else min(1.0, 3.0 / runs)


def repeats_for_detection(probability: float, *, confidence: float = CONFIDENCE) -> int | None:
    """Return how many runs show a failure of this probability at least once; None: never."""
    if probability <= 0.0:
        return None
    if probability >= 1.0:
        return 1
    # A share of exactly 0.95 is one run; floating point would make it two.
    return max(1, ceil(log(1.0 - confidence) / log1p(-probability) - 1e-9))
