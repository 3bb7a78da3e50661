"""A search that somebody or the clock ends keeps the smallest schedule that it has found so far."""

from collections.abc import Callable, Iterable, Iterator

import pytest

from harness.campaign.minimising import (
    BrokenOff,
    Failure,
    GivenUpError,
    minimise_failure,
    regression_of,
    story,
)
from harness.campaign.regression import Regression
from harness.campaign.result import Job, Result
from harness.errors import PipelineError
from harness.lab.choice import LabChoice
from harness.ledger.findings import Hop, Kind, Outcome, Total
from harness.schedule.minimise import Minimised
from harness.schedule.values import Schedule
from harness.schedule.words import consumer, kill, leader, relay

from .standing_in import pool_of

GUILTY = kill(leader("orders", 0)).after(acked=300)
SCHEDULE = Schedule(
    pipeline="outbox",
    faults=(
        kill(consumer(0)).after(acked=100),
        GUILTY,
        kill(relay(0)).after(acked=500),
    ),
)
LOST = frozenset({("lost", "acked-not-in-log")})
LOST_TOTAL = Total(kind=Kind.LOST, hop=Hop.ACKED_NOT_IN_LOG, count=3)
TWICE = Total(kind=Kind.DUPLICATE_EFFECT, hop=None, count=2)


class PretendedLab:
    """Fails whenever the guilty kind of fault is played, and calls `at` before each run.

    What it shows then is what `shows` says of the number of faults and the number of the run.
    """

    def __init__(
        self,
        at: Callable[[int], None] = lambda _: None,
        *,
        shows: Callable[[int, int], tuple[Total, ...]] = lambda *_: (LOST_TOTAL,),
    ) -> None:
        self.played = 0
        self._at = at
        self._shows = shows

    def play(self, jobs: Iterable[Job]) -> Iterator[Result]:
        """Yield a result for each job."""
        for job in jobs:
            self._at(self.played)
            self.played += 1
            failed = any(str(fault) == str(GUILTY) for fault in job.schedule.faults)
            yield Result(
                index=job.index,
                phase=job.phase,
                fingerprint="1a2b3c4d5e6f",
                schedule=job.schedule,
                outcome=Outcome.FAILED if failed else Outcome.PASSED,
                reasons=(),
                totals=self._shows(len(job.schedule.faults), self.played) if failed else (),
                faults=(),
                messages=100,
                took_s=1.0,
                folder="run",
            )


def minimise(lab: PretendedLab, *, time_s: float = 3600) -> str:
    """Return the story of what was found."""
    found, _ = minimise_failure(
        Failure(schedule=SCHEDULE, signature=LOST, found_in="run"),
        pool_of(lab),
        labs=1,
        runs_budget=60,
        tell=lambda *_: None,
        time_s=time_s,
    )
    return story(found)


def test_undisturbed_it_finds_the_guilty_fault() -> None:
    """And says that every step was tried."""
    said = minimise(PretendedLab())
    assert said.startswith("1 fault(s)")
    assert "it ended before" not in said


def test_somebody_who_ends_it_gets_what_was_found() -> None:
    """Forty runs are not thrown away by a Ctrl-C in the next one."""

    def interrupt(played: int) -> None:
        if played == 12:
            raise KeyboardInterrupt

    with pytest.raises(BrokenOff) as ended:
        minimise(PretendedLab(interrupt))
    assert ended.value.found.runs in range(5, 13)
    assert str(GUILTY) in story(ended.value.found)
    assert "it ended before every step was tried" in story(ended.value.found)
    assert set(ended.value.shown) == LOST


def test_a_worker_that_ends_leaves_what_was_found() -> None:
    """Nor are they thrown away by a lab that is gone in the next one; its error is told."""

    def gone(played: int) -> None:
        if played == 12:
            raise PipelineError("the process of lab 0 gave no answer", remedy="look at its log")

    with pytest.raises(GivenUpError, match="lab 0 gave no answer\n  → look at its log") as ended:
        minimise(PretendedLab(gone))
    assert ended.value.exit_code == PipelineError.exit_code
    assert str(GUILTY) in story(ended.value.found)
    pinned = regression_of(ended.value.found, ended.value.shown, found_in="run", choice=LabChoice())
    assert pinned is not None
    assert pinned.of == ended.value.found.rate.runs


def test_one_that_was_ended_at_once_has_nothing_to_tell() -> None:
    """No rate out of no runs."""

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(BrokenOff) as ended:
        minimise(PretendedLab(interrupt))
    assert story(ended.value.found) == "nothing was played to its end"


def test_a_search_without_time_plays_nothing() -> None:
    """A night that is over begins no further one."""
    lab = PretendedLab()
    minimise(lab, time_s=0)
    assert lab.played == 0


BOTH = LOST | {("duplicate-effect", None)}


@pytest.mark.parametrize("signature", [BOTH, frozenset[tuple[str, str | None]]()])
def test_what_is_pinned_is_what_the_smallest_schedule_showed(
    signature: frozenset[tuple[str, str | None]],
) -> None:
    """Not the other finding of the run that it came from, however the two are called."""
    lab = PretendedLab(shows=lambda faults, _: (LOST_TOTAL, TWICE) if faults > 1 else (LOST_TOTAL,))
    found, pinned = pinned_of(lab, signature)
    assert len(pinned.schedule.faults) == 1
    assert (pinned.finding, pinned.hop) == ("lost", "acked-not-in-log")
    assert pinned.rate == found.rate
    assert pinned.repeats == found.repeats


def test_what_is_pinned_is_measured_by_its_own_runs() -> None:
    """The finding that most runs of the smallest schedule showed; the others are not counted."""
    lab = PretendedLab(shows=lambda _, run: (LOST_TOTAL,) if run % 3 else (TWICE,))
    found, pinned = pinned_of(lab, BOTH)
    assert (pinned.finding, pinned.hop) == ("lost", "acked-not-in-log")
    assert found.rate.hits == found.rate.runs == pinned.of
    assert pinned.failed == 3
    assert found.repeats == 1
    assert pinned.repeats == 4


def pinned_of(
    lab: PretendedLab, signature: frozenset[tuple[str, str | None]]
) -> tuple[Minimised, Regression]:
    """Return what was found and what is pinned of it."""
    failure = Failure(schedule=SCHEDULE, signature=signature, found_in="run")
    found, shown = minimise_failure(
        failure, pool_of(lab), labs=1, runs_budget=60, tell=lambda *_: None
    )
    pinned = regression_of(found, shown, found_in="run", choice=LabChoice())
    assert pinned is not None
    return found, pinned
