"""Pinned failures: a minimised schedule, how often it fails, and how often to repeat it.

`scenarios/regressions/NAME.json`, written by `harness minimise` and played by `pytest scenarios/`.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from harness import strict
from harness.errors import UsageError
from harness.run.folder import disk_error
from harness.run.plan import read_schedule
from harness.schedule.targets import STRICT
from harness.schedule.values import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """One schedule that has failed, and what it takes to see it fail again."""

    __pydantic_config__ = STRICT
    schedule: Schedule
    finding: str
    """What was found, e.g. `lost`."""
    hop: str | None = None
    failed: int
    """Runs that failed when it was measured, …"""
    of: int
    """… of so many."""
    repeats: int
    """Runs that show it with 95 % probability, at the measured rate."""
    kafka: str
    profile: str = "fast"
    found_in: str = ""
    """The run that it was minimised from."""
    kind: Literal["regression"] = field(default="regression")
    format: Literal[1] = field(default=1)


_REGRESSION = TypeAdapter(Regression)


def write_regression(regression: Regression, file: Path) -> None:
    """Write it as indented JSON."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_REGRESSION.dump_json(regression, indent=2) + b"\n")
    except OSError as error:
        raise disk_error(file, error) from error


def read_regression(file: Path) -> Regression:
    """Read one; UsageError that names the file and what is wrong with it."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"The regression {file} cannot be read: {error.strerror}") from error
    return strict.decode(_REGRESSION, None, source=str(file), json=text)


def schedule_in(what: Path) -> Schedule:
    """Return the schedule of a regression, a schedule file or a run folder."""
    return read_regression(what).schedule if is_regression(what) else read_schedule(what)


def is_regression(file: Path) -> bool:
    """Tell whether a file says of itself that it is a regression and no bare schedule."""
    return file.is_file() and '"kind": "regression"' in file.read_text(encoding="utf-8")
