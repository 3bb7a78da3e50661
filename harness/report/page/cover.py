"""The coverage grid: faults by what they hit, plane by plane, empty cells in sight. PURE."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.report.tables import CoverageCell

UNDER_LOAD = "under load"
FLAVOURS = ("hold", "drop", "refuse", "reset", "latency", "bandwidth", "slice", "limit")
PLANES = ("nodes", "node links", "client links", "roles", "database", "operations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The grid of one plane."""

    plane: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[CoverageCell | None, ...]], ...]
    """Each row with a cell for every column; None: there is no such combination."""
    met: int
    cells: int


def sheets(cells: Sequence[CoverageCell]) -> tuple[Sheet, ...]:
    """Return a grid for each plane, in a fixed order."""
    names = {cell.plane for cell in cells}
    ordered = [*(name for name in PLANES if name in names), *sorted(names - set(PLANES))]
    return tuple(_sheet(name, [cell for cell in cells if cell.plane == name]) for name in ordered)


def _sheet(plane: str, cells: Sequence[CoverageCell]) -> Sheet:
    by_flavour = sum("/" in cell.fault for cell in cells) > len(cells) / 2
    placed: dict[tuple[str, str], CoverageCell] = {}
    for cell in cells:
        placed[_place(cell, by_flavour=by_flavour)] = cell
    rows = sorted({row for row, _ in placed})
    ordered = sorted({column for _, column in placed}, key=_column_order)
    return Sheet(
        plane=plane,
        columns=tuple(ordered),
        rows=tuple((row, tuple(placed.get((row, each)) for each in ordered)) for row in rows),
        met=sum(cell.bit > 0 for cell in cells),
        cells=len(cells),
    )


def _place(cell: CoverageCell, *, by_flavour: bool) -> tuple[str, str]:
    """Return the row and the column of a cell: flavours across where there are any."""
    at = "" if cell.phase == UNDER_LOAD else f" at {cell.phase}"
    kind, _, flavour = cell.fault.partition("/")
    if by_flavour:
        return f"{kind} · {cell.target}{at}", flavour or "any"
    return f"{cell.fault}{at}", cell.target


def _column_order(column: str) -> tuple[int, str]:
    return (FLAVOURS.index(column) if column in FLAVOURS else len(FLAVOURS), column)


def looks(cell: CoverageCell) -> str:
    """Return the class of a cell: never scheduled, never bit, or how often it bit."""
    if not cell.scheduled:
        return "never"
    if not cell.bit:
        return "idle"
    return f"met w{sum(cell.bit >= step for step in (1, 4, 16, 64))}"
