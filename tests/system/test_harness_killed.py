"""SIGKILL at any moment of `harness run`: the warden clears the lab, or else the next start does.

A handful of moments by default; `KILLS=20 make system ARGS='-k killed_at'` plays all of them.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from harness.clock import sleep, wait_until
from harness.lab.keeping import warden
from harness.lab.keeping.ports import STEP
from harness.lab.layout import PORTS

MAIN = "from harness.cli import main; main()"
CLEARED = "cleared what the dead lab "
SPANS = {
    "": 1.5,  # before it has said anything
    "starting three nodes": 3.0,
    "phase: warm-up": 1.5,
    "phase: storm": 0.5,
    "held": 2.5,
    "phase: heal": 0.3,
    "phase: drain": 0.2,
}
"""After which line of its progress it is killed, and within how many seconds of it."""
ALL = 20
VARIANTS = ("safe", "lock-redis-fenced", "lock-zookeeper-fenced")
"""What is played: labs with and without lock services."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When the harness is killed, playing what, and whether its warden is, too."""

    variant: str
    said: str
    delay_s: float
    warden_too: bool

    def __str__(self) -> str:
        also = " and the warden" if self.warden_too else ""
        return f"{self.delay_s:.2f} s after {self.said or 'its start'} of {self.variant}{also}"


def moments() -> list[Moment]:
    """Draw every moment, always the same ones, and choose as many as were asked for."""
    draw = random.Random(4)  # noqa: S311  # not for secrets
    every = [
        Moment(
            variant=VARIANTS[number // 2 % len(VARIANTS)],
            said=said,
            delay_s=draw.uniform(0, SPANS[said]),
            warden_too=number % 3 != 0,
        )
        for number, said in ((n, list(SPANS)[n % len(SPANS)]) for n in range(ALL))
    ]
    return every[:: max(1, ALL // int(os.environ.get("KILLS", "4")))]


@dataclass(slots=True, kw_only=True)
class Remains:
    """What a dead harness left on this machine."""

    names: set[str]
    processes: list[psutil.Process] = field(default_factory=list)
    segments: set[tuple[str, str]] = field(default_factory=set)


class Ground:
    """A folder of labs with nobody's labs in it but this test's, and those who must not suffer."""

    def __init__(self, folder: Path) -> None:
        self.environment = {**os.environ, "TMPDIR": str(folder)}
        self.root = folder / f"harness-{os.geteuid()}"
        self.neighbour = self.start("up")
        self.heard(self.neighbour, "is ready")
        (self.living,) = self.labs()
        self.living_pids = {process.pid for process in self.marked(self.living)}
        self.notes = self.root / "lab-notes"
        self.notes.mkdir()
        (self.notes / "page").write_text("not a lab")

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start the harness."""
        return subprocess.Popen(
            [sys.executable, "-c", MAIN, *arguments],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def heard(self, harness: "subprocess.Popen[str]", word: str) -> list[str]:
        """Return what it says up to the line with `word`."""
        assert harness.stderr is not None
        said: list[str] = []
        for line in harness.stderr:
            said.append(line)
            if word in line:
                return said
        raise AssertionError(f"it ended without saying {word!r}: {''.join(said)}")

    def labs(self) -> set[str]:
        """Return the names of labs that have a folder or a claim."""
        found = {path.name.removesuffix(".lock") for path in self.root.glob("lab-*")}
        return found - {"lab-notes"}

    def marked(self, name: str) -> list[psutil.Process]:
        """Return the living processes of a lab."""
        return list(warden.processes_of(self.root / name, name=name))

    def wardens(self) -> list[psutil.Process]:
        """Return the wardens of every lab here but the living one."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if warden.__file__ in words and str(self.root) in words[-2] and words[-1] in words[-2]:
                found.append((words[-1], process))
        return [process for name, process in found if name != getattr(self, "living", None)]

    def remains(self) -> Remains:
        """Look at everything that is there of labs other than the living one."""
        names = self.labs() - {self.living}
        return Remains(
            names=names,
            processes=[process for name in names for process in self.marked(name)],
            segments={entry for name in names if (entry := self._segment(name))},
        )

    def _segment(self, name: str) -> tuple[str, str] | None:
        """Return id and creator of the shared memory of a lab's database."""
        file = self.root / name / warden.DATABASE_FOLDER / "postmaster.pid"
        try:
            lines = file.read_text().splitlines()
            return lines[6].split()[1], lines[0]
        except (OSError, IndexError):
            return None

    def unharmed(self) -> bool:
        """Tell whether the living lab, with every process of it, and the notes are still there."""
        return (
            self.neighbour.poll() is None
            and {process.pid for process in self.marked(self.living)} == self.living_pids
            and (self.notes / "page").read_text() == "not a lab"
        )

    def close(self) -> None:
        """End the living lab."""
        self.neighbour.send_signal(signal.SIGINT)
        self.neighbour.communicate(timeout=60)


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """Return a ground with a living lab and a foreign folder on it."""
    folder = Path(tempfile.mkdtemp(prefix="killed-"))
    folder.chmod(0o711)  # the account that runs PostgreSQL must get through
    ground = Ground(folder)
    yield ground
    ground.close()
    assert ground.labs() == set()
    shutil.rmtree(folder)


@pytest.fixture
def bystander(ground: Ground) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a process that looks nearly like one of a lab: by its mark, words and folder."""
    environment = {**ground.environment, warden.MARKER: f"{ground.living}0"}
    word = f"import time; time.sleep(600)  # lab- {warden.MARKER} kafka.Kafka"
    with subprocess.Popen([sys.executable, "-c", word], env=environment, cwd=ground.notes) as one:
        yield one
        one.kill()


def segments() -> set[tuple[str, str]]:
    """Return id and creator of all SysV segments of this machine."""
    rows = [row.split() for row in Path("/proc/sysvipc/shm").read_text().splitlines()]
    at = rows[0].index("cpid")
    return {(row[1], row[at]) for row in rows[1:]}


def listening(processes: list[psutil.Process]) -> set[int]:
    """Return the ports on which these processes listen."""
    found = set()
    for process in processes:
        try:
            connections = process.net_connections("tcp")
        except psutil.Error:
            continue
        found |= {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}
    return found


def holders(ports: set[int]) -> set[int]:
    """Return the processes that listen in the blocks of these ports."""
    blocks = {port // STEP * STEP for port in ports}
    inside = {port for base in blocks for port in range(base, base + PORTS)}
    return {
        each.pid
        for each in psutil.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN
        and each.laddr
        and each.laddr.port in inside
        and each.pid
    }


def kill(harness: "subprocess.Popen[str]", ground: Ground, *, warden_too: bool) -> bool:
    """SIGKILL the harness, its warden first if that is to die; tell whether there was one."""
    wardens = ground.wardens()
    if warden_too:
        end(wardens)
    harness.kill()
    harness.communicate()
    just_started = ground.wardens()
    if warden_too:
        end(just_started)
    return bool(wardens or just_started)


def end(processes: list[psutil.Process]) -> None:
    """SIGKILL each of them."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


@pytest.mark.parametrize("moment", moments(), ids=str)
def test_nothing_but_what_it_left_is_cleared_of_a_harness_killed_at(
    ground: Ground, bystander: "subprocess.Popen[bytes]", tmp_path: Path, moment: Moment
) -> None:
    """By its warden at once; where that died too, by the next start, which says so."""
    harness = ground.start("run", "--runs", str(tmp_path), "--variant", moment.variant)
    if moment.said:
        ground.heard(harness, moment.said)
    sleep(moment.delay_s)
    before = ground.remains()
    ports = listening(before.processes)
    guarded = kill(harness, ground, warden_too=moment.warden_too)
    assert harness.returncode == -signal.SIGKILL
    if guarded and not moment.warden_too:
        wait_until(
            lambda: ground.remains().names == set() and not ground.wardens(),
            deadline_s=30,
            describe="the warden to clear the lab",
            last_seen=ground.remains,
        )
    left = ground.remains()
    assert left.processes or not (moment.said and moment.warden_too)

    following = ground.start("up")
    said = ground.heard(following, "starting three nodes")
    cleared = {line.split(CLEARED)[1].removesuffix(" left\n") for line in said if CLEARED in line}
    assert cleared == left.names
    assert [process for process in before.processes + left.processes if runs(process)] == []
    assert (before.segments | left.segments) & segments() == set()
    assert ground.labs().isdisjoint(before.names | left.names)
    dead = {process.pid for process in before.processes}
    assert holders(ports) & dead == set()
    assert ground.unharmed()
    assert bystander.poll() is None

    following.send_signal(signal.SIGINT)
    following.communicate(timeout=60)
    assert ground.labs() == {ground.living}


def runs(process: psutil.Process) -> bool:
    """Tell whether it is still that process, and no zombie that its parent will collect."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
