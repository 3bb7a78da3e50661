"""`.ci/engine.py` looks before it installs and says why there is no engine; it starts none here."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / ".ci" / "engine.py"


def _script(*arguments: str, address: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-I", "-S", SCRIPT, *arguments],
        env={"PATH": os.environ["PATH"], "DOCKER_HOST": address, "HOME": "/"},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("arguments", [("--find",), ()])
@pytest.mark.parametrize("kind", ["nothing", "dead", "tcp"])
def test_without_an_engine_it_says_so_and_what_to_do(
    tmp_path: Path, arguments: tuple[str, ...], kind: str
) -> None:
    """Where DOCKER_HOST names the engine, none is started in its place."""
    path = tmp_path / "docker.sock"
    if kind == "dead":
        with socket.socket(socket.AF_UNIX) as killed:
            killed.bind(str(path))
    address = "tcp://127.0.0.1:1" if kind == "tcp" else f"unix://{path}"
    done = _script(*arguments, address=address)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("no engine: ")
    assert "apt-get install docker.io" in done.stderr
    assert arguments or address in done.stderr


def test_it_names_the_engine_that_answers() -> None:
    """By the version that it says itself."""
    done = _script("--find", address="unix:///var/run/docker.sock")
    if done.returncode:
        pytest.skip(done.stderr.splitlines()[0])

    assert done.stdout.startswith("an engine answers: Docker ")
    assert done.stdout.endswith(" at unix:///var/run/docker.sock\n")
