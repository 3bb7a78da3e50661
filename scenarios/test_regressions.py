"""Pinned failures, minimised: each is played until it fails, or has been clean for long enough.

A regression of an unsafe variant must be caught again. One of a pipeline that ought to be safe
must not show any more: it stays here so that it never comes back unnoticed. The summary at the end
of the session says what became of each.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.scenario import LabSession, play_regression, read_regression

PINNED = sorted((Path(__file__).parent / "regressions").glob("*.json"))


@pytest.mark.thorough
@pytest.mark.parametrize("file", PINNED, ids=lambda file: file.stem)
def test_a_pinned_failure_is_still_caught_or_still_mended(
    lab: LabSession, file: Path, say: Callable[[str], None]
) -> None:
    """As often as its measured probability asks for."""
    repeats = play_regression(lab, read_regression(file), name=file.stem)
    say(str(repeats))
    repeats.assert_as_pinned()
