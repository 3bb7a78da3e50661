"""The folder of a run: its own, or one clear error."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.run.folder import make_run_folder
from harness.schedule.values import Schedule


def test_runs_of_one_schedule_at_the_same_moment_get_folders_of_their_own(tmp_path: Path) -> None:
    """Labs side by side repeat one schedule: two of them once asked in the same millisecond."""
    schedule = Schedule(pipeline="outbox")
    with ThreadPoolExecutor(8) as several:
        folders = list(
            several.map(
                lambda _: make_run_folder(tmp_path, name="outbox", schedule=schedule), range(40)
            )
        )
    assert len(set(folders)) == 40
    assert all((folder / "schedule.json").is_file() for folder in folders)


def test_a_place_that_cannot_hold_runs_is_one_clear_error(tmp_path: Path) -> None:
    """It names the folder and what the system said."""
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(HarnessError, match="cannot be written: Not a directory"):
        make_run_folder(tmp_path / "runs", name="outbox", schedule=Schedule(pipeline="outbox"))
