"""Pinned failures, minimised: each is played as often as it takes to see it with 95 % probability.

A regression of an unsafe variant must be caught again. One of a pipeline that ought to be safe must
not show any more: it stays here so that it never comes back unnoticed.
"""

from pathlib import Path

import pytest

from harness.scenario import LabSession, Regression, play_regression, read_regression

PINNED = sorted((Path(__file__).parent / "regressions").glob("*.json"))


@pytest.mark.thorough
@pytest.mark.parametrize("file", PINNED, ids=lambda file: file.stem)
def test_a_pinned_failure_is_still_caught_or_still_mended(lab: LabSession, file: Path) -> None:
    """As often as its measured probability asks for."""
    regression: Regression = read_regression(file)
    play_regression(lab, regression)
