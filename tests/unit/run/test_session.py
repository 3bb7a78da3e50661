"""A session whose lab does not come up."""

from pathlib import Path

import pytest

from harness.errors import LabError
from harness.lab.protocol import Lab
from harness.pipeline.spec import Needs
from harness.run.plan import pipeline
from harness.run.session import NOTHING_SPECIAL, LabSession


def no_lab(needs: Needs = NOTHING_SPECIAL) -> Lab:
    """Fail as a lab does that cannot be booted."""
    raise LabError(f"Nobody came up, {needs}")


def test_a_run_whose_lab_does_not_come_up_leaves_no_folder(tmp_path: Path) -> None:
    """There is nothing to judge in it, and a report would call it a run."""
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    with LabSession(start=no_lab, runs=tmp_path) as session:
        with pytest.raises(LabError, match="Nobody came up"):
            session.run(pipeline("outbox"))
        assert session.played == []
    assert list(tmp_path.iterdir()) == [earlier]
