"""The history strip: headlines of earlier reports, read from their `report.json` files."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from harness.report.claims import colour_of
from harness.report.model import FORMAT, Headline
from harness.report.tables import HistoryPoint

SHOWN_AT_MOST = 60
_POINTS = TypeAdapter(tuple[HistoryPoint, ...])
_HEADLINE = TypeAdapter(Headline)


def history(folders: Iterable[Path], *, beside: Path, digest: str) -> tuple[HistoryPoint, ...]:
    """Return earlier reports, oldest first: those in these folders, and what those knew themselves.

    A report over the same runs (of the same `digest`) is no history. `beside`: the folder of the
    new page, from which links to the old ones lead. What is no report is passed over.
    """
    points: dict[tuple[str, str], HistoryPoint] = {}
    for folder in dict.fromkeys(folder.absolute() for folder in folders):
        for file in sorted(folder.glob("*.json")) if folder.is_dir() else ():
            for point in _points(file, beside=beside):
                if point.digest != digest:
                    points.setdefault((point.made, point.digest), point)
    return tuple(sorted(points.values(), key=lambda one: one.made))[-SHOWN_AT_MOST:]


def _points(file: Path, *, beside: Path) -> Iterator[HistoryPoint]:
    try:
        report = from_json(file.read_bytes())
    except (OSError, ValueError):
        return
    is_report = isinstance(report, dict) and report.get("kind") == "report"
    if not is_report or report.get("format") != FORMAT:
        return
    try:
        headline = _HEADLINE.validate_python(report.get("headline"))
        earlier = _POINTS.validate_python(report.get("history"))
    except ValidationError:
        return
    yield _point(report, headline, file, beside=beside)
    yield from earlier


def _point(
    report: dict[str, object], headline: Headline, file: Path, *, beside: Path
) -> HistoryPoint:
    page = file.with_suffix(".html")
    return HistoryPoint(
        title=headline.title,
        made=str(report.get("made")),
        digest=str(report.get("digest")),
        outcome=headline.outcome,
        colour=colour_of(headline.outcome),
        runs=headline.runs,
        passed=headline.outcomes.get("PASSED", 0),
        messages=headline.messages,
        lost=headline.lost,
        processed_twice=headline.processed_twice,
        faults_bit=headline.faults_bit,
        run_median_s=headline.run_median_s,
        file=os.path.relpath(page, beside) if page.is_file() else "",
    )
