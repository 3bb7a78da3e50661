"""An unsafe variant is played until it is caught, and nothing else gets a second chance."""

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.ledger.findings import Hop, Kind, Outcome, Total, Verdict
from harness.pipeline.spec import Spec
from harness.run.plan import pipeline, variant
from harness.run.result import RunResult
from harness.run.session import LabSession
from harness.schedule.values import Schedule

from .no_lab import no_lab

LOST = Verdict(
    outcome=Outcome.FAILED,
    reasons=("FAILED: lost",),
    totals=(Total(kind=Kind.LOST, hop=Hop.ACKED_NOT_IN_LOG, count=3),),
)
DOUBLED = Verdict(
    outcome=Outcome.FAILED,
    reasons=("FAILED: duplicate-effect",),
    totals=(Total(kind=Kind.DUPLICATE_EFFECT, hop=None, count=3),),
)
PASSED, VACUOUS, BROKEN = (
    Verdict(outcome=outcome, reasons=(outcome.value,))
    for outcome in (Outcome.PASSED, Outcome.VACUOUS, Outcome.HARNESS_ERROR)
)


class Judged(LabSession):
    """A session whose runs are judged beforehand."""

    def __init__(self, *verdicts: Verdict) -> None:
        self.told: list[str] = []
        super().__init__(start=no_lab, runs=Path("runs"), progress=self.told.append)
        self.left = list(verdicts)

    def play(self, pipeline: Spec, schedule: Schedule, *, name: str | None = None) -> RunResult:
        """Return what is next."""
        assert pipeline.variant == schedule.variant
        number = len(self.left)
        return RunResult(
            folder=Path(f"{name or schedule.variant}-{number}"),
            verdict=self.left.pop(0),
            took_s=1.0,
            expects=("lost", "acked-not-in-log"),
        )


@pytest.mark.parametrize(
    "verdicts", [(LOST,), (PASSED, LOST), (VACUOUS, PASSED, LOST), (DOUBLED, LOST)]
)
def test_it_ends_with_the_run_that_caught_it(verdicts: tuple[Verdict, ...]) -> None:
    """What an earlier one missed, or found beside it, is no reason to stop."""
    session = Judged(*verdicts)
    assert session.catch(variant("acks-1")).verdict is LOST
    assert session.left == []


def test_three_that_miss_it_are_an_error_that_explains_the_last() -> None:
    """The others are named as they come."""
    session = Judged(PASSED, PASSED, VACUOUS, LOST)
    with pytest.raises(AssertionError, match="VACUOUS, expected FAILED with lost"):
        session.catch(variant("acks-1"))
    assert session.left == [LOST]
    assert session.told == [
        "not caught, 2 more plays at the most: acks-1-4",
        "not caught, 1 more plays at the most: acks-1-3",
    ]


def test_a_failure_of_the_harness_is_not_tried_again() -> None:
    """It would be hidden by the run that comes after it."""
    session = Judged(PASSED, BROKEN, LOST)
    with pytest.raises(AssertionError, match="HARNESS_ERROR"):
        session.catch(variant("acks-1"))
    assert session.left == [LOST]


@pytest.mark.parametrize("safe", [pipeline("outbox"), variant("ordered")])
def test_a_safe_pipeline_is_nothing_to_catch(safe: Spec) -> None:
    """Told before anything is played."""
    session = Judged(LOST)
    with pytest.raises(UsageError, match=r"(outbox|ordered) is no unsafe variant"):
        session.catch(safe)
    assert session.left == [LOST]
