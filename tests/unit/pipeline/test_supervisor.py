"""What the supervisor decides about lives, on lives whose every end is set by the test."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.pipeline.loader import load_pipeline
from harness.pipeline.probe import FIRED_AT, KILL_AT, CounterFile
from harness.pipeline.supervisor import Supervisor
from harness.role_life import ContainerOrder

FILE = """
[pipeline]
name = "tiny"
[roles.worker]
image = "worker"
{worker}
[roles.maker]
image = "maker"
kind = "load"
{maker}
[message]
id = "key"
[queries]
intents = "SELECT 1 AS message_id"
effects = "SELECT 1 AS message_id"
"""
LATER = 1e12
"""A moment at which every restart is due."""


class FakeLife:
    """A life that goes on until the test, or a signal, ends it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.code: int | None = None

    def exit_code(self) -> int | None:
        """Return what was set."""
        return self.code

    def signal_group(self, number: signal.Signals) -> None:
        """End it by SIGTERM in good order."""
        if number is signal.SIGTERM and self.code is None:
            self.code = 0

    def kill(self) -> int:
        """End it, unless it has ended."""
        self.code = -signal.SIGKILL if self.code is None else self.code
        return self.code

    def pause(self) -> None:
        """Take it."""

    def stopped(self) -> tuple[int, ...]:
        """Return none."""
        return ()

    def resume(self) -> None:
        """Take it."""


class World:
    """A supervisor, and the newest life of each instance by its name."""

    def __init__(self, folder: Path, *, worker: str, maker: str) -> None:
        file = folder / "pipeline.toml"
        file.write_text(FILE.format(worker=worker, maker=maker), encoding="utf-8")
        self.lives: dict[str, FakeLife] = {}
        self.begun = 0
        self.supervisor = Supervisor(
            load_pipeline(file),
            environment=lambda _role, _instance: {},
            run_folder=folder / "run",
            start_container=self._start,
        )
        self.supervisor.start_all()

    def _start(self, order: ContainerOrder) -> FakeLife:
        self.begun += 1
        self.lives[order.name] = FakeLife(self.begun)
        return self.lives[order.name]

    def end(self, name: str, code: int) -> None:
        """Let an instance end by itself, and the supervisor notice."""
        self.lives[name].code = code
        self.supervisor.poll(0.0)

    def pass_point(self, role: str, name: str) -> None:
        """Let the first instance of a role kill itself at a crash point."""
        counters = self.supervisor.counters(role)
        counters.arm(name)
        file = CounterFile(str(counters.path))
        where = file.record(name)
        file.words[where + FIRED_AT], file.words[where + KILL_AT] = 1, 0
        file.close()
        self.end(f"{role} 0", -signal.SIGKILL)


Make = Callable[..., World]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Make]:
    """Give a function that makes a world with these lines for its roles."""
    made: list[World] = []

    def make(*, worker: str = "", maker: str = "") -> World:
        made.append(World(tmp_path, worker=worker, maker=maker))
        return made[-1]

    yield make
    for each in made:
        each.supervisor.close()


def test_load_that_a_fault_took_away_is_still_to_come(world: Make) -> None:
    """And load that crashed, until it is started again; only what has finished is over."""
    it = world()
    assert it.supervisor.load_to_come()
    it.supervisor.hold_down("maker")
    it.supervisor.kill("maker")
    assert it.supervisor.load_to_come()
    it.supervisor.start("maker")
    it.end("maker 0", 1)
    assert it.supervisor.load_to_come()
    it.supervisor.poll(LATER)
    it.end("maker 0", 0)
    assert not it.supervisor.load_to_come()


def test_load_that_is_never_restarted_is_over_when_it_crashes(world: Make) -> None:
    """Nobody starts it again."""
    it = world(maker="restart = false")
    it.end("maker 0", 1)
    assert not it.supervisor.load_to_come()


def test_load_that_was_added_and_left_again_is_over(world: Make) -> None:
    """It is held down, but for good."""
    it = world(maker="instances = 0")
    assert it.supervisor.load_to_come()
    it.supervisor.add("maker")
    it.supervisor.retire("maker", 0)
    it.supervisor.poll(0.0)
    assert not it.supervisor.load_to_come()


def test_a_crash_point_holds_its_role_down_only_once_it_has_fired(world: Make) -> None:
    """Before, a role that ends by itself is restarted, or the point could never be passed."""
    it = world()
    it.supervisor.hold_at("worker", 0, point="here")
    it.end("worker 0", 1)
    assert it.supervisor.poll(LATER)[0].state == "started"
    assert it.supervisor.ended_at("worker", 0, point="here") is None

    it.pass_point("worker", "here")

    assert it.supervisor.ended_at("worker", 0, point="here") == -signal.SIGKILL
    assert it.supervisor.held("worker")
    assert it.supervisor.poll(LATER) == ()
    assert it.supervisor.start("worker", owner="another fault") == ()
    (started,) = it.supervisor.start("worker", owner="here")
    assert started.state == "started"


def test_a_crash_point_that_fires_after_its_fault_let_go_holds_nobody(world: Make) -> None:
    """It was passed in the very moment in which it was disarmed."""
    it = world()
    it.supervisor.hold_at("worker", 0, point="here")
    assert it.supervisor.start("worker", owner="here") == ()
    it.pass_point("worker", "here")
    assert it.supervisor.poll(LATER)[0].state == "started"


def test_a_role_is_held_down_until_the_last_owner_lets_go(world: Make) -> None:
    """Whoever comes first."""
    it = world()
    short, long = object(), object()
    it.supervisor.hold_down("worker", owner=short)
    it.supervisor.hold_down("worker", owner=long)
    it.supervisor.kill("worker")
    assert it.supervisor.start("worker", owner=short) == ()
    assert it.supervisor.poll(LATER) == ()
    assert it.supervisor.missing() == (("worker", 0),)
    (started,) = it.supervisor.start("worker", owner=long)
    assert started.pid == it.supervisor.pid("worker")
    it.end("worker 0", 1)
    assert it.supervisor.poll(LATER)[0].state == "started"


def test_who_is_added_again_is_held_by_nobody(world: Make) -> None:
    """Whoever held the one that had the number before."""
    it = world()
    it.supervisor.add("worker")
    it.supervisor.hold_down("worker", 1, owner=it)
    it.supervisor.retire("worker", 1)
    it.supervisor.poll(0.0)
    number, (started,) = it.supervisor.add("worker")
    assert (number, started.state) == (1, "started")


def test_who_is_not_restarted_by_its_specification_is_not_missing(world: Make) -> None:
    """The pipeline gave it up, not the harness; what a fault took is missing until it is back."""
    it = world(worker="restart = false")
    it.end("worker 0", 1)
    assert it.supervisor.poll(LATER) == ()
    assert it.supervisor.missing() == ()

    it.supervisor.start("worker")
    it.supervisor.kill("worker")
    assert it.supervisor.missing() == (("worker", 0),)
    it.supervisor.start("worker")
    it.supervisor.pause("worker")
    assert it.supervisor.missing() == (("worker", 0),)


def test_who_will_be_restarted_is_missing_until_then(world: Make) -> None:
    """So the run waits for it."""
    it = world()
    it.end("worker 0", 1)
    assert it.supervisor.missing() == (("worker", 0),)
    it.supervisor.poll(LATER)
    assert it.supervisor.missing() == ()
