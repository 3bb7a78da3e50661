"""Pinned failures: a minimised schedule, how often it fails, and how often to repeat it.

`scenarios/regressions/NAME.json`, written by `harness minimise`, played by `pytest scenarios/` and
every night. What their repeats say is judged here, and nowhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from harness import strict
from harness.ledger.findings import Outcome, Total
from harness.run.folder import disk_error
from harness.run.plan import read_schedule, read_text
from harness.schedule.statistics import Rate, repeats_for_detection
from harness.schedule.targets import STRICT
from harness.schedule.values import Schedule

MOST_REPEATS = 60
"""Nobody waits longer for one regression, however rarely it was seen to fail."""

State = Literal["caught", "missed", "back", "mended", "inconclusive"]


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

    @property
    def named(self) -> str:
        """Return what was found, in words: `lost (acked-not-in-log)`."""
        return self.finding if self.hop is None else f"{self.finding} ({self.hop})"

    @property
    def rate(self) -> Rate:
        """Return how often it failed when it was measured."""
        return Rate(hits=self.failed, runs=self.of)

    def repeats_to_clear(self) -> int:
        """Return how many clean runs in a row say that it does not fail any more.

        `repeats` believes the measured rate, which a few runs overestimate easily. These believe
        the lower end of its 95 % interval: 3 of 5 are 0.6, perhaps only 0.23, and so 12 runs.
        """
        wanted = repeats_for_detection(self.rate.interval[0]) or MOST_REPEATS
        return min(MOST_REPEATS, max(self.repeats, wanted))

    def shown_in(self, totals: Sequence[Total]) -> bool:
        """Tell whether a run shows its finding, at its hop."""
        return any(total.kind == self.finding and self.hop in (None, total.hop) for total in totals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """A regression that was played again, and what came of it."""

    name: str
    regression: Regression
    unsafe: bool
    """Its variant must be caught; a pipeline that ought to be safe must not fail any more."""
    outcomes: tuple[Outcome, ...] = ()
    shown: int = 0
    """Runs that FAILED with its finding."""

    @property
    def failed(self) -> int:
        """Return the runs that count as its failure: of what ought to be safe, any that FAILED."""
        return self.shown if self.unsafe else self.outcomes.count(Outcome.FAILED)

    @property
    def state(self) -> State:
        """Return what it has come to; one failure is enough, clean runs are only counted if whole.

        caught: an unsafe variant failed as it must; missed: it did not. back: what ought to be safe
        failed; mended: it did not. inconclusive: no failure, and not every run that it takes was
        played and came to an end.
        """
        if self.failed:
            return "caught" if self.unsafe else "back"
        clean = sum(outcome in (Outcome.PASSED, Outcome.FAILED) for outcome in self.outcomes)
        if not self.over() or clean < len(self.outcomes):
            return "inconclusive"
        return "missed" if self.unsafe else "mended"

    def over(self) -> bool:
        """Tell whether no further run is needed."""
        return bool(self.failed) or len(self.outcomes) >= self.regression.repeats_to_clear()

    def __str__(self) -> str:
        counted = f"regression {self.name}: {self.failed} of {len(self.outcomes)} repeats failed; "
        measured = f"its measured probability was {self.regression.rate.share:.2g}"
        return f"{counted}{measured}: {self._meaning()}"

    def _meaning(self) -> str:
        if self.state == "inconclusive":
            return f"no conclusion, for {self._undecided()}"
        return {
            "caught": "it is still caught",
            "missed": "the harness lost its sight, or Kafka mended it since "
            f"{self.regression.kafka}",
            "back": "it is back, or was never mended",
            "mended": "mended, or the harness lost its sight",
        }[self.state]

    def _undecided(self) -> str:
        others = sorted({str(each) for each in self.outcomes} - {"PASSED", "FAILED"})
        if others:
            return f"some were {', '.join(others)}"
        return f"it was played {len(self.outcomes)} of {self.regression.repeats_to_clear()} times"

    def assert_as_pinned(self) -> None:
        """Assert that an unsafe variant was caught, or that what ought to be safe did not fail."""
        if self.state not in ("caught", "mended"):
            raise AssertionError(f"{self}\nwhat was pinned: {self.regression.named}")


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
    text = read_text(file, what="regression")
    return strict.decode(_REGRESSION, None, source=str(file), json=text)


def schedule_in(what: Path) -> Schedule:
    """Return the schedule of a regression, a schedule file or a run folder."""
    return read_regression(what).schedule if is_regression(what) else read_schedule(what)


def is_regression(file: Path) -> bool:
    """Tell whether a file says of itself that it is a regression and no bare schedule."""
    return file.is_file() and '"kind": "regression"' in read_text(file, what="regression")
