"""Whoever clears a lab finds all of its processes, those that hide their mark included."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.clock import wait_until
from harness.lab.keeping import warden

NAME = "lab-of-a-test"
HIDES = """
import ctypes, subprocess, sys, time
fields = open("/proc/self/stat").read().rpartition(")")[2].split()
begin, end = int(fields[47]), int(fields[48])
ctypes.memset(begin, 0, end - begin)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], env={})
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def hidden() -> Iterator[psutil.Process]:
    """Start a process in a session of its own, with a child, that writes over its environment."""
    with subprocess.Popen(
        [sys.executable, "-c", HIDES],
        env={**os.environ, warden.MARKER: NAME},
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"ready\n"
        process = psutil.Process(started.pid)
        family = [process, *process.children(recursive=True)]
        yield process
        for each in family:
            if each.is_running():
                each.kill()


def alive(process: psutil.Process) -> bool:
    """Tell whether it runs; one that waits to be collected does not."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_that_hides_its_mark_is_cleared_with_its_session(
    hidden: psutil.Process, tmp_path: Path
) -> None:
    """A title that was written over the environment makes no orphan, nor does a leader's death."""
    folder = tmp_path / NAME
    folder.mkdir()
    (child,) = hidden.children()
    assert list(warden.processes_of(folder, name=NAME)) == []
    warden.adopt(folder, hidden.pid)
    assert {each.pid for each in warden.processes_of(folder, name=NAME)} == {hidden.pid, child.pid}
    hidden.kill()
    wait_until(lambda: not alive(hidden), deadline_s=10, describe="the leader to end")
    warden.orphan(folder, hidden.pid)
    assert [each.pid for each in warden.processes_of(folder, name=NAME)] == [child.pid]
    assert warden.clear(folder, name=NAME) == []
    assert not alive(child)
    assert not folder.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_number_that_went_to_somebody_else_is_left_alone(
    hidden: psutil.Process, tmp_path: Path
) -> None:
    """A session is known by its leader, and by when that began and ended."""
    began_s = hidden.create_time() - 60
    (tmp_path / warden.SESSIONS).write_text(f"{hidden.pid} {began_s} inf\n{hidden.pid}")  # torn
    assert list(warden.processes_of(tmp_path, name=NAME)) == []
    (child,) = hidden.children()
    hidden.kill()
    os.waitpid(hidden.pid, 0)
    for ended_s, found in (("inf", [child.pid]), (began_s + 30, [])):
        (tmp_path / warden.SESSIONS).write_text(f"{hidden.pid} {began_s} {ended_s}\n")
        assert [each.pid for each in warden.processes_of(tmp_path, name=NAME)] == found


def test_a_process_that_is_gone_already_is_not_adopted(tmp_path: Path) -> None:
    """It ended before anybody could note it."""
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()
    warden.adopt(tmp_path, ended.pid)
    assert not (tmp_path / warden.SESSIONS).exists()
