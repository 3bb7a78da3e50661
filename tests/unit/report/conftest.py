"""Run folders and campaigns below the test's own folder."""

from pathlib import Path

import pytest

from .run_folders import MakeCampaign, MakeRun


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Return what writes the folder of one run."""
    return MakeRun(tmp_path)


@pytest.fixture
def make_campaign(tmp_path: Path, make_run: MakeRun) -> MakeCampaign:
    """Return what writes a campaign."""
    return MakeCampaign(tmp_path, make_run)
