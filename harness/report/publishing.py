"""Builds a report and writes it, and never stands in the way of whoever asked for it at the end."""

from collections.abc import Iterable
from pathlib import Path

from harness.report.building import build
from harness.report.files import write
from harness.report.model import Report


def publish(
    paths: Iterable[Path],
    html: Path,
    *,
    title: str = "",
    price: Path | None = None,
    earlier: Iterable[Path] = (),
    notes: Iterable[str] = (),
) -> tuple[Report, tuple[Path, ...]]:
    """Build a report and write it; return it, and the files that were written.

    Earlier reports are looked for beside the page and in the folders `earlier`. Raises what
    `build` and `write` raise.
    """
    report = build(
        paths,
        title=title,
        price=price,
        earlier=(html.parent, *earlier),
        beside=html.parent,
        notes=notes,
    )
    return report, write(report, html)


def publish_at_the_end(
    paths: Iterable[Path],
    html: Path,
    *,
    title: str = "",
    earlier: Iterable[Path] = (),
    notes: Iterable[str] = (),
) -> str:
    """Write the report of what has just been played; return the one line to be printed.

    What was played keeps its own result, whatever becomes of the report: an error is that line.
    """
    try:
        _, written = publish(paths, html, title=title, earlier=earlier, notes=notes)
    except Exception as error:  # noqa: BLE001  # top of a process at its end: no mistake here may change its result
        why = str(error).partition("\n")[0]
        return f"warning: no report was written: {type(error).__name__}: {why}"
    return f"report: {written[0]}"
