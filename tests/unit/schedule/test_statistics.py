"""Figures against values from tables and from other people's software."""

import pytest

from harness.schedule.statistics import (
    Rate,
    clean_bound,
    repeats_for_detection,
    rule_of_three,
    wilson,
)


@pytest.mark.parametrize(
    ("hits", "runs", "low", "high"),
    [
        (0, 0, 0.0, 1.0),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (1, 20, 0.0089, 0.2361),
        (15, 148, 0.0624, 0.1605),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_the_wilson_interval_is_the_published_one(
    hits: int, runs: int, low: float, high: float
) -> None:
    """The last two rows are from Newcombe, Statistics in Medicine 17 (1998), table I."""
    assert wilson(hits, runs) == pytest.approx((low, high), abs=6e-5)


@pytest.mark.parametrize(("runs", "bound"), [(0, 1.0), (1, 0.95), (10, 0.2589), (100, 0.02951)])
def test_no_failure_in_n_runs_bounds_the_probability(runs: int, bound: float) -> None:
    """The exact bound, which the rule of three approaches from above."""
    assert clean_bound(runs) == pytest.approx(bound, abs=5e-5)
    assert rule_of_three(runs) >= clean_bound(runs)


def test_the_rule_of_three_is_near_for_many_runs() -> None:
    """Within half a percent from a thousand runs on."""
    assert rule_of_three(1000) == pytest.approx(clean_bound(1000), rel=5e-3)


@pytest.mark.parametrize(
    ("probability", "repeats"),
    [(1.0, 1), (0.95, 1), (0.9, 2), (0.5, 5), (0.2, 14), (0.01, 299), (0.0, None)],
)
def test_repeats_show_a_failure_19_times_in_20(probability: float, repeats: int | None) -> None:
    """So many runs miss a failure of this probability in 5 % of cases at the most."""
    assert repeats_for_detection(probability) == repeats
    if repeats is not None:
        assert (1 - probability) ** repeats <= 0.05 + 1e-9


def test_a_rate_says_itself_with_its_interval() -> None:
    """What stands in a report."""
    assert str(Rate(hits=5, runs=10)) == "5/10 (24% to 76%)"
