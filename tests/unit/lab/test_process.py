"""A server that will not go, though the kernel was told: one error, and its lab is cleared."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import LabError
from harness.lab.keeping import warden
from harness.lab.local import lab
from harness.lab.process import GONE_S, Command, ServerProcess


class Undying:
    """A child that never ends, as one that waits for a disk that is gone."""

    pid = 7

    def poll(self) -> None:
        """Answer that it runs."""

    def wait(self, timeout: float) -> None:
        """Wait in vain."""
        raise subprocess.TimeoutExpired("server", timeout)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServerProcess:
    """Return a server that was started and never ends."""
    command = Command(
        argv=("server",), folder=tmp_path, log=tmp_path / "log", environment={}, ports=()
    )
    made = ServerProcess("node 1", command, answers=lambda: True)
    monkeypatch.setattr(made, "_child", Undying())
    monkeypatch.setattr(made, "family", list)
    return made


@pytest.mark.parametrize("call", [ServerProcess.kill, ServerProcess.reap])
def test_who_does_not_end_is_an_error_of_the_lab(
    server: ServerProcess, call: Callable[[ServerProcess], None]
) -> None:
    """So that a fault, or a run, fails by it, and nothing is torn down by a strange error."""
    with pytest.raises(LabError, match=rf"node 1 \(process 7\) was not gone {GONE_S:g} s after"):
        call(server)


def test_a_lab_is_cleared_though_one_server_does_not_end(
    server: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its warden is dismissed all the same; who survives is told by its number."""
    dismissed: list[bool] = []
    guardian: Any = type("Guardian", (), {"dismiss": lambda _: dismissed.append(True)})()
    monkeypatch.setattr(warden, "clear", lambda _folder, **_: [7])
    assert lab.end(tmp_path, servers=(server,), guardian=guardian) == [7]
    assert dismissed == [True]
