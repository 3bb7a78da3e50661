"""The folder of one run: made before anything starts, filled by everyone, never rewritten."""

import errno
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.errors import HarnessError
from harness.schedule.codec import fingerprint, to_json
from harness.schedule.values import Schedule


def make_run_folder(runs: Path, *, name: str, schedule: Schedule) -> Path:
    """Create `runs/<time>-<name>-<fingerprint>/` with its sub-folders and the schedule."""
    safe = "".join(c if c.isalnum() or c in "-_" else "-" for c in name).strip("-")
    folder = make_dated_folder(runs, f"{safe[:60]}-{fingerprint(schedule)}")
    try:
        for part in ("journal", "stderr", "witness", "counters"):
            (folder / part).mkdir()
        (folder / "schedule.json").write_text(to_json(schedule), encoding="utf-8")
    except OSError as error:
        raise disk_error(folder, error) from error
    return folder


def discard_run_folder(folder: Path) -> None:
    """Remove the folder of a run that did not begin."""
    shutil.rmtree(folder, ignore_errors=True)


def make_dated_folder(parent: Path, name: str) -> Path:
    """Create `parent/<time, to the millisecond>-<name>/`, which no one else has.

    Several labs that repeat one schedule may ask within the same millisecond: the later one takes
    the next that is free. HarnessError if the folder cannot be made.
    """
    now = datetime.now(tz=UTC)
    while True:
        stamp = now.strftime("%Y%m%dT%H%M%S.%f")[:-3]
        folder = parent.absolute() / f"{stamp}-{name}"
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            if not folder.is_dir():
                raise disk_error(folder, error) from error
            now += timedelta(milliseconds=1)
        else:
            return folder


def write_environment(folder: Path, environment: Mapping[str, object]) -> None:
    """Write `environment.json`."""
    text = json.dumps(environment, indent=2, ensure_ascii=False, default=str)
    (folder / "environment.json").write_text(text + "\n", encoding="utf-8")


def disk_error(folder: Path, error: OSError) -> HarnessError:
    """Return the one clear error for a run folder that cannot be written."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return HarnessError(
        f"The run folder {folder} cannot be written: {error.strerror or error}",
        remedy=("free some space there, or " if full else "") + "choose another place with --runs",
    )
