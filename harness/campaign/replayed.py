"""The scenario that `pytest --replay FILE` plays: a schedule that is in a file, and in no test."""

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.campaign.regression import schedule_in
from harness.ledger.findings import Outcome
from harness.run.plan import check_playable, spec_of
from harness.run.result import RunResult
from harness.run.session import LabSession
from harness.schedule.statistics import Rate


class Replay:
    """A schedule from a file, to be played so many times."""

    def __init__(self, what: Path, *, times: int) -> None:
        """Read it; UsageError for a file that is none, or a schedule that cannot be played."""
        self._what = what
        self._times = times
        self._schedule = schedule_in(what)
        self._spec = spec_of(self._schedule.pipeline, self._schedule.variant)
        check_playable(self._schedule, on=self._spec)

    def play(self, lab: LabSession) -> tuple[RunResult, ...]:
        """Play it every time, whatever comes of it."""
        return tuple(
            lab.play(self._spec, self._schedule, name="replay") for _ in range(self._times)
        )

    def told(self, results: Sequence[RunResult]) -> str:
        """Return in a line how often it failed."""
        failed = sum(result.verdict.outcome is Outcome.FAILED for result in results)
        return f"replay of {self._what}: failed {Rate(hits=failed, runs=len(results))}"


def test_a_schedule_from_a_file(
    lab: LabSession, replay: Replay, say: Callable[[str], None]
) -> None:
    """Exactly once, each time; or caught in one of the plays if its variant is an unsafe one."""
    results = replay.play(lab)
    say(replay.told(results))
    if results[0].expects is None:
        for result in results:
            result.assert_exactly_once()
    elif not any(result.caught() for result in results):
        results[-1].assert_caught()
