"""Finds what a report is made of: run folders, campaign folders, pinned failures.

Owns what counts as which. Must not read what is inside.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.campaign.regression import is_regression
from harness.errors import UsageError

DEPTH = 4
"""How deep run folders may stand below a folder that is named."""
_SIGNS = ("schedule.json", "timeline.jsonl", "verdict.json", "environment.json", "witness")
_DATED = re.compile(r"\d{8}T\d{6}\.\d{3}-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is below the paths that were named, each once, in order of its name."""

    runs: tuple[Path, ...] = ()
    """Run folders that belong to no campaign, whole or torn."""
    campaigns: tuple[Path, ...] = ()
    regressions: tuple[Path, ...] = ()
    """Files that `harness minimise` wrote."""


def discover(paths: Iterable[Path]) -> Found:
    """Return what stands at or below these paths.

    UsageError for a path that does not exist, and if nothing at all is found.
    """
    asked = list(paths)
    found: dict[str, dict[Path, None]] = {"run": {}, "campaign": {}, "regression": {}}
    for path in asked:
        if not path.exists():
            raise UsageError(
                f"{path} does not exist",
                remedy="name run folders, campaign folders, or a folder of them",
            )
        for kind, place in _walk(path, depth=DEPTH):
            found[kind][place.absolute()] = None
    if not any(found.values()):
        named = ", ".join(map(str, asked)) or "nothing"
        raise UsageError(
            f"There is no run to report in {named}",
            remedy="name run folders (runs/…), campaign folders (campaigns/…), or a folder of them",
        )
    runs, campaigns, regressions = (
        tuple(sorted(found[kind])) for kind in ("run", "campaign", "regression")
    )
    return Found(runs=runs, campaigns=campaigns, regressions=regressions)


def _walk(path: Path, *, depth: int) -> Iterator[tuple[str, Path]]:
    if path.is_file():
        if path.suffix == ".json" and is_regression(path):
            yield "regression", path
    elif (path / "campaign.json").is_file():
        yield "campaign", path
        for below in ("minimised", "regressions"):
            yield from _children(path / below, depth=1)
    elif is_run_folder(path):
        yield "run", path
    elif depth:
        yield from _children(path, depth=depth)


def _children(path: Path, *, depth: int) -> Iterator[tuple[str, Path]]:
    for child in sorted(path.iterdir()) if path.is_dir() else ():
        if not child.name.startswith("."):
            yield from _walk(child, depth=depth - 1)


def is_run_folder(path: Path) -> bool:
    """Tell whether a folder is one of a run, be it torn: by what is in it, or by its name."""
    if any((path / sign).exists() for sign in _SIGNS):
        return True
    return bool(_DATED.match(path.name)) and not (path / "runs").exists()
