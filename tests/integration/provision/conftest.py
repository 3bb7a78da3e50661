"""A cache of its own for these tests, filled by two real starts at the same time."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .starts import PROVIDE, Begin, BeginProvide, PathWithout, Start, begin


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """Return an empty cache home that every account may pass through, as a wheel's server needs."""
    folder = Path(tempfile.mkdtemp(prefix="harness-provision-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def environment(home: Path) -> dict[str, str]:
    """Return the variables that send everything to that cache; Go keeps what it compiled."""
    go = subprocess.run(["go", "env", "GOCACHE"], capture_output=True, text=True, check=True)
    return {"XDG_CACHE_HOME": str(home), "GOCACHE": go.stdout.strip()}


@pytest.fixture(scope="session")
def starts(environment: dict[str, str]) -> tuple[Start, Start]:
    """Return what two starts at the same time on the empty cache said, with a wrong JAVA_HOME."""
    # Maven stops at such a JAVA_HOME by itself; the start must not hand it on.
    nonsense = {**environment, "JAVA_HOME": "/no/such/jdk"}
    both = [begin(PROVIDE, **nonsense) for _ in range(2)]
    first, second = (Start(printed=process.communicate(timeout=300)[0]) for process in both)
    assert [process.returncode for process in both] == [0, 0], first.printed + second.printed
    return first, second


@pytest.fixture
def path_without(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> PathWithout:
    """Return a function that takes programs off PATH and leaves all others on it."""

    def take_off(*programs: str) -> str:
        shadow = tmp_path / "bin"
        shadow.mkdir()
        for folder in os.environ["PATH"].split(os.pathsep):
            for program in sorted(Path(folder).glob("*")):
                link = shadow / program.name
                if program.name not in programs and not link.is_symlink():
                    link.symlink_to(program)
        monkeypatch.setenv("PATH", str(shadow))
        return str(shadow)

    return take_off


@pytest.fixture(name="begin")
def begin_fixture() -> Iterator[Begin]:
    """Return the function that starts a Python process; it is ended with the test."""
    running: list[subprocess.Popen[str]] = []

    def started(script: str, **changed: str) -> "subprocess.Popen[str]":
        running.append(begin(script, **changed))
        return running[-1]

    yield started
    for process in running:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def begin_provide() -> BeginProvide:
    """Return a function that provides everything in a process of its own."""

    def provide(**changed: str) -> Start:
        process = begin(PROVIDE, **changed)
        printed, _ = process.communicate(timeout=300)
        assert process.returncode == 0, printed
        return Start(printed=printed)

    return provide
