"""What repeats of a pinned failure are taken to say, and how many are asked for."""

from collections.abc import Sequence

import pytest

from harness.campaign.regression import Regression, Repeats
from harness.campaign.replay import repeats_of, with_run
from harness.errors import UsageError
from harness.ledger.findings import Hop, Kind, Outcome, Total
from harness.schedule.values import Schedule
from harness.schedule.words import kill, leader

LOST = (Total(kind=Kind.LOST, hop=Hop.ACKED_NOT_IN_LOG, count=3),)
PHANTOM = (Total(kind=Kind.PHANTOM, hop=None, count=1),)


def pinned(variant: str | None = None, *, topic: str = "orders", failed: int = 3) -> Regression:
    """Return one that failed so often in five runs."""
    faults = (kill(leader(topic, 0)),)
    return Regression(
        schedule=Schedule(pipeline="outbox", variant=variant, faults=faults),
        finding="lost",
        hop="acked-not-in-log",
        failed=failed,
        of=5,
        repeats=4,
        kafka="4.3.1",
    )


def repeats(variant: str | None, runs: Sequence[tuple[Outcome, tuple[Total, ...]]]) -> Repeats:
    """Return one that was played again until it is over, through these runs."""
    played = repeats_of(pinned(variant), name="pinned")
    for outcome, totals in runs:
        assert not played.over()
        played = with_run(played, outcome, totals)
    assert played.over()
    return played


@pytest.mark.parametrize(
    ("failed", "wanted"),
    [(5, 4), (4, 7), (3, 12), (1, 60)],
)
def test_clean_runs_are_believed_at_the_lower_end_of_the_measured_interval(
    failed: int, wanted: int
) -> None:
    """Five of five may be 57 %, so one clean run says nothing; nobody waits for more than sixty."""
    assert pinned(failed=failed).repeats_to_clear() == wanted


@pytest.mark.parametrize(
    ("variant", "runs", "state", "said"),
    [
        (None, [(Outcome.PASSED, ())] * 12, "mended", "mended, or the harness lost its sight"),
        (
            None,
            [(Outcome.PASSED, ()), (Outcome.FAILED, PHANTOM)],
            "back",
            "1 of 2 repeats failed; its measured probability was 0.6: it is back",
        ),
        (None, [(Outcome.VACUOUS, ())] * 12, "inconclusive", "some were VACUOUS"),
        ("acks-1", [(Outcome.PASSED, ()), (Outcome.FAILED, LOST)], "caught", "still caught"),
        ("acks-1", [(Outcome.FAILED, PHANTOM)] * 12, "missed", "0 of 12 repeats failed"),
        ("acks-1", [(Outcome.PASSED, ())] * 12, "missed", "lost its sight, or Kafka mended it"),
        (
            "acks-1",
            [(Outcome.PASSED, ())] * 11 + [(Outcome.UNKNOWN, LOST)],
            "inconclusive",
            "some were UNKNOWN",
        ),
    ],
)
def test_what_became_of_a_regression(
    variant: str | None,
    runs: list[tuple[Outcome, tuple[Total, ...]]],
    state: str,
    said: str,
) -> None:
    """An unsafe variant has to show its own finding; what ought to be safe must not fail at all."""
    played = repeats(variant, runs)
    assert played.state == state
    assert said in str(played)
    if state in ("caught", "mended"):
        played.assert_as_pinned()
    else:
        with pytest.raises(AssertionError, match=r"what was pinned: lost \(acked-not-in-log\)"):
            played.assert_as_pinned()


@pytest.mark.parametrize("variant", [None, "acks-1"])
@pytest.mark.parametrize(
    ("runs", "why"),
    [
        (0, "it was played 0 of 12 times"),
        (1, "it was played 1 of 12 times"),
        (11, "it was played 11 of 12 times"),
    ],
)
def test_what_the_clock_cut_off_is_not_decided(variant: str | None, runs: int, why: str) -> None:
    """A few clean runs neither mend what ought to be safe nor take the harness's sight."""
    played = repeats_of(pinned(variant), name="pinned")
    for _ in range(runs):
        played = with_run(played, Outcome.PASSED, ())
    assert played.state == "inconclusive"
    assert f"no conclusion, for {why}" in str(played)


def test_a_regression_that_cannot_be_played_is_refused_at_once() -> None:
    """Before any lab is started for it."""
    with pytest.raises(UsageError, match="there is no topic order"):
        repeats_of(pinned(topic="order"), name="pinned")
