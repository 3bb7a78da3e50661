"""However a whole `harness run` ends, nothing of it stays: no server, role or child of a role."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from harness.clock import monotonic_s, wait_until

ANSWER_S = 30.0
"""Roles may use up their grace before they are killed; nobody waits longer for a Ctrl-C."""
PIPELINE = Path(__file__).parent / "stranger" / "pipeline.toml"
MAIN = "from harness.cli import main; main()"
TWIN = """
import subprocess
import runpy
subprocess.Popen(["setsid", "sleep", "3600"])
subprocess.Popen(["sleep", "3600"])
runpy.run_path("audit.py")
"""


def marked(folder: Path) -> list[psutil.Process]:
    """Return the living processes, of whatever session, that were started for this pipeline."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != psutil.Process().pid and process.cwd() == str(folder):
                found.append(process)
        except psutil.Error:
            continue
    return [each for each in found if each.is_running()]


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """Return a copy of the stranger's pipeline, one role of which has children of its own."""
    folder = tmp_path / "stranger"
    folder.mkdir()
    for file in PIPELINE.parent.iterdir():
        if file.is_file():
            (folder / file.name).write_bytes(file.read_bytes())
    (folder / "twin.py").write_text(TWIN)
    toml = (folder / "pipeline.toml").read_text()
    (folder / "pipeline.toml").write_text(toml.replace('"audit.py"', '"twin.py"'))
    return folder


@pytest.mark.parametrize(
    ("number", "phase"),
    [
        (signal.SIGINT, "starting three nodes"),
        (signal.SIGINT, "held"),
        (signal.SIGINT, "drain"),
        (signal.SIGTERM, "warm-up"),
        (signal.SIGKILL, "held"),
    ],
)
def test_nothing_stays_of_a_run_that_was_ended(
    stranger: Path, labs: Path, tmp_path: Path, number: signal.Signals, phase: str
) -> None:
    """At any moment; a role's runaway child is no exception."""
    command = ["-c", MAIN, "run", "--pipeline", str(stranger), "--runs", str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, "TMPDIR": str(labs)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as run:
        assert run.stderr is not None
        said = [next(line for line in run.stderr if phase in line)]
        run.send_signal(number)
        signalled_s = monotonic_s()
        said += list(run.stderr)
        code = run.wait(timeout=60)
        took_s = monotonic_s() - signalled_s

    wait_until(
        lambda: not list(labs.glob("*/lab-*")) and not marked(stranger),
        deadline_s=30,
        describe="everything of the run to be gone",
        last_seen=lambda: (list(labs.glob("*/lab-*")), marked(stranger)),
    )
    assert code == (-signal.SIGKILL if number is signal.SIGKILL else 130)
    assert took_s < ANSWER_S
    assert "Traceback" not in "".join(said)
