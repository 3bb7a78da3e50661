"""Recovery times as strips on one logarithmic scale: median to 95 %, and the longest. PURE."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from harness.report.tables import RecoveryRow, Spread

SHORTEST_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """Where a spread stands on the scale, 0 to 1."""

    spread: Spread
    median: float
    late: float
    longest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """The table of recovery times."""

    longest_s: float
    """The right end of the scale; the left one is `SHORTEST_S`."""
    rows: tuple[tuple[RecoveryRow, tuple[Strip | None, ...]], ...]


def recovery(rows: Sequence[RecoveryRow]) -> Recovery:
    """Return the rows with their strips, all on one scale."""
    spreads = [spread for row in rows for spread in _spreads(row) if spread]
    longest_s = max([1.0, *(each.max_s for each in spreads)])
    return Recovery(
        longest_s=longest_s,
        rows=tuple(
            (row, tuple(_strip(spread, longest_s) for spread in _spreads(row))) for row in rows
        ),
    )


def _spreads(row: RecoveryRow) -> tuple[Spread | None, ...]:
    return row.first_ack, row.full_isr, row.zero_lag


def _strip(spread: Spread | None, longest_s: float) -> Strip | None:
    if spread is None:
        return None

    def place(seconds: float) -> float:
        return log10(max(seconds, SHORTEST_S) / SHORTEST_S) / log10(longest_s / SHORTEST_S)

    return Strip(
        spread=spread,
        median=place(spread.p50_s),
        late=place(spread.p95_s),
        longest=place(spread.max_s),
    )
