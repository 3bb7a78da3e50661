"""The links by plane: source by target, how each was cut and what met it. PURE."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.report.page.wording import count, size
from harness.report.tables import LinkCell
from harness.report.words import plural

PLANES = ("replication", "quorum", "client", "database", "coordination")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """One plane of links."""

    name: str
    targets: tuple[str, ...]
    rows: tuple[tuple[str, tuple[LinkCell | None, ...]], ...]
    """Each source with its cell for every target; None: there is no such link."""
    cut: int
    """Links that were cut at least once."""
    links: int


def planes(cells: Sequence[LinkCell]) -> tuple[Plane, ...]:
    """Return the planes in a fixed order, those of which nothing is known left out."""
    names = {cell.plane for cell in cells}
    known = [name for name in PLANES if name in names]
    return tuple(_plane(name, cells) for name in [*known, *sorted(names - set(PLANES))])


def _plane(name: str, cells: Sequence[LinkCell]) -> Plane:
    mine = {(cell.source, cell.target): cell for cell in cells if cell.plane == name}
    targets = sorted({target for _, target in mine})
    return Plane(
        name=name,
        targets=tuple(targets),
        rows=tuple(
            (source, tuple(mine.get((source, target)) for target in targets))
            for source in sorted({source for source, _ in mine})
        ),
        cut=sum(bool(cell.cuts) for cell in mine.values()),
        links=len(mine),
    )


def met(cell: LinkCell) -> list[str]:
    """Return what met the cuts of a link, in words; empty if nothing did."""
    said = []
    if cell.connections:
        said.append(plural(max(1, round(cell.connections)), "connection"))
    if cell.bytes_sent:
        said.append(f"{size(cell.bytes_sent)} sent")
    if cell.bytes_answered:
        said.append(f"{size(cell.bytes_answered)} answered")
    return said


def weight(cell: LinkCell) -> int:
    """Return how dark a link is drawn by how often a cut of it bit: 0 (never) to 4."""
    bit = sum(cut.bit for cut in cell.cuts)
    return sum(bit >= step for step in (1, 4, 16, 64))


def times(cell: LinkCell) -> str:
    """Return how often a link was cut, and of those how often that bit: `3` or `2 of 3`."""
    cuts = sum(cut.times for cut in cell.cuts)
    bit = sum(cut.bit for cut in cell.cuts)
    return count(cuts) if bit == cuts else f"{bit} of {cuts}"
