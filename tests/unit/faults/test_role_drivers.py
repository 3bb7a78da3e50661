"""What drivers of roles claim, on a supervisor whose every answer is set by the test."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.faults import restarts, scaling
from harness.faults.driver import Surroundings
from harness.faults.make import make_driver
from harness.faults.points import KillAtPoint, PauseAtPoint
from harness.faults.resolve import FaultError
from harness.faults.restarts import Restarts
from harness.faults.roles import KillRoles, PauseRoles
from harness.faults.scaling import ScaleIn, ScaleOut
from harness.schedule.values import Fault
from harness.schedule.words import every, restart_storm, terminate

from .standing_in import surroundings_of

ONE = ("worker", 0)
Who = tuple[str, int]


@dataclass
class FakeCounters:
    """Counters of one process, and one crash point."""

    passes: dict[str, int] = field(default_factory=dict)
    fired_at: int = 0

    def read(self) -> dict[str, int]:
        """Return what was set."""
        return dict(self.passes)

    def arm(self, _name: str, *, passes: int, stop: bool = False) -> None:
        """Take any arming."""

    def disarm(self, _name: str) -> None:
        """Take any disarming."""

    def fired(self, _name: str) -> int:
        """Return what was set."""
        return self.fired_at


@dataclass
class FakeSupervisor:
    """Processes that run until they are killed or asked to end; nothing of them is real."""

    alive: set[Who]
    asleep: tuple[int, ...] = ()
    ending: set[Who] = field(default_factory=set)
    """Those that end just before they would be paused."""
    counts: dict[Who, FakeCounters] = field(default_factory=dict)
    codes: dict[Who, list[int]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    held_by: dict[Who, set[object]] = field(default_factory=dict)
    points: dict[str, int] = field(default_factory=dict)
    """The status of the life that each crash point ended."""

    def instances(self) -> tuple[Who, ...]:
        """Return those that run."""
        return tuple(sorted(self.alive))

    def wanted(self, role: str) -> tuple[int, ...]:
        """Return those of a role that run."""
        return tuple(number for name, number in sorted(self.alive) if name == role)

    def pid(self, role: str, instance: int) -> int | None:
        """Return a number for each that runs."""
        return 100 + instance if (role, instance) in self.alive else None

    def stopped(self, _role: str, _instance: int) -> tuple[int, ...]:
        """Return what was set."""
        return self.asleep

    def counters(self, role: str, instance: int) -> FakeCounters:
        """Return the counters of one."""
        return self.counts.setdefault((role, instance), FakeCounters())

    def exit_codes(self, role: str, instance: int) -> tuple[int, ...]:
        """Return how its lives ended."""
        return tuple(self.codes.get((role, instance), ()))

    def journal(self, role: str, instance: int) -> Path:
        """Return a place where there is none."""
        return Path("nowhere") / f"{role}-{instance}.jsonl"

    def hold_down(self, role: str, instance: int, *, owner: object) -> None:
        """Note for whom."""
        self.held_by.setdefault((role, instance), set()).add(owner)

    def held(self, role: str, instance: int) -> bool:
        """Tell whether somebody holds it down."""
        return bool(self.held_by.get((role, instance)))

    def hold_at(self, role: str, instance: int, *, point: str) -> None:
        """Note it."""
        self.calls.append(f"hold {role} {instance} at {point}")

    def ended_at(self, _role: str, _instance: int, *, point: str) -> int | None:
        """Return what was set."""
        return self.points.get(point)

    def pause(self, role: str, instance: int) -> bool:
        """Note it, unless it ends at this very moment."""
        if (role, instance) in self.ending:
            self.alive.discard((role, instance))
            return False
        self.calls.append(f"pause {role} {instance}")
        return True

    def resume(self, _role: str, _instance: int) -> None:
        """Wake everything."""
        self.asleep = ()

    def kill(self, role: str, instance: int) -> tuple[()]:
        """End it by SIGKILL."""
        self.alive.discard((role, instance))
        self.codes.setdefault((role, instance), []).append(-9)
        self.calls.append(f"kill {role} {instance}")
        return ()

    def start(self, role: str, instance: int, *, owner: object = None) -> tuple[()]:
        """Let go of it, and let it run again unless somebody else holds it."""
        holders = self.held_by.setdefault((role, instance), set())
        holders.discard(owner)
        if not holders:
            self.alive.add((role, instance))
        return ()

    def terminate(self, role: str, instance: int, *, owner: object = None) -> None:
        """End it in good order, at once."""
        self.hold_down(role, instance, owner=owner)
        self.alive.discard((role, instance))
        self.codes.setdefault((role, instance), []).append(0)
        self.calls.append(f"terminate {role} {instance}")

    def retire(self, role: str, instance: int) -> None:
        """End it for good."""
        self.terminate(role, instance)

    def add(self, role: str) -> tuple[int, tuple[()]]:
        """Let one more run."""
        number = len(self.wanted(role))
        return number, self.start(role, number)


def surroundings(supervisor: FakeSupervisor) -> Surroundings:
    """Return as much as these drivers ask; all processes share the links of slot 1."""
    slots = {("worker", number): 1 for number in range(4)}
    return surroundings_of(supervisor=supervisor, tell=lambda _events: None, slots=slots)


def pause_at_point(supervisor: FakeSupervisor) -> PauseAtPoint:
    """Return the driver for pass 3 of `here`, applied."""
    fault = PauseAtPoint(ONE, point="here", passes=3, around=surroundings(supervisor))
    fault.apply()
    return fault


def test_a_point_that_fired_holds_once_the_kernel_calls_the_process_stopped() -> None:
    """Its last word is no proof; then the rest of its group is stopped, too."""
    supervisor = FakeSupervisor(alive={ONE})
    fault = pause_at_point(supervisor)
    assert not fault.held()
    supervisor.counters(*ONE).fired_at = 3
    assert not fault.held()
    assert supervisor.calls == []

    supervisor.asleep = (100,)

    assert fault.held()
    assert supervisor.calls == ["pause worker 0"]
    fault.heal()
    assert fault.healed()
    assert fault.evidence().bit


def test_a_process_that_was_woken_by_another_was_not_stopped_all_the_time() -> None:
    """The kernel no longer calls it stopped when it is to be healed: no bite is claimed."""
    supervisor = FakeSupervisor(alive={ONE}, asleep=(100,))
    fault = pause_at_point(supervisor)
    supervisor.counters(*ONE).fired_at = 3
    assert fault.held()
    supervisor.asleep = ()

    fault.heal()

    assert not fault.evidence().bit


def test_a_point_that_fires_while_it_is_disarmed_is_woken_all_the_same() -> None:
    """Nothing stays stopped, and nothing is claimed."""
    supervisor = FakeSupervisor(alive={ONE})
    fault = pause_at_point(supervisor)
    fault.heal()
    supervisor.asleep = (100,)

    assert not fault.healed()
    assert fault.healed()
    assert not fault.evidence().bit


def test_a_kill_at_a_point_holds_when_the_point_ended_the_process() -> None:
    """Not when another fault did, though the point fired just before or long ago."""
    supervisor = FakeSupervisor(alive={ONE})
    fault = KillAtPoint(ONE, point="here", passes=3, around=surroundings(supervisor))
    fault.apply()
    assert supervisor.calls == ["hold worker 0 at here"]
    assert supervisor.held_by == {}
    supervisor.kill(*ONE)
    supervisor.start(*ONE)
    supervisor.counters(*ONE).fired_at = 3
    assert not fault.held()

    supervisor.points["here"] = -9

    assert fault.held()
    fault.heal()
    assert fault.healed()
    assert fault.evidence().bit


def test_a_process_that_two_kills_want_down_comes_back_with_the_last_of_them() -> None:
    """The first one that ends is healed all the same: nothing of it is left."""
    supervisor = FakeSupervisor(alive={ONE, ("worker", 1)})
    short = KillRoles((ONE,), around=surroundings(supervisor))
    long = KillRoles((ONE, ("worker", 1)), around=surroundings(supervisor))
    short.apply()
    long.apply()

    short.heal()

    assert short.healed()
    assert long.held()
    long.heal()
    assert long.healed()
    assert supervisor.alive == {ONE, ("worker", 1)}


def test_who_ends_just_before_a_pause_is_left_out_of_it() -> None:
    """The others are stopped; where nobody is left, nothing was met."""
    supervisor = FakeSupervisor(alive={ONE, ("worker", 1)}, ending={ONE})
    fault = PauseRoles((ONE, ("worker", 1)), around=surroundings(supervisor))
    fault.apply()
    assert supervisor.calls == ["pause worker 1"]
    fault.heal()
    assert fault.healed()
    assert fault.evidence().bit

    with pytest.raises(FaultError, match="ended just before its pause"):
        PauseRoles((ONE,), around=surroundings(FakeSupervisor(alive={ONE}, ending={ONE}))).apply()


def test_a_storm_takes_turns_and_is_none_before_the_second_death(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One death alone is a kill; each kill is followed by a start."""
    now_s = [0.0]
    monkeypatch.setattr(restarts, "monotonic_s", lambda: now_s[0])
    supervisor = FakeSupervisor(alive={("worker", 0), ("worker", 1)})
    who = (("worker", 0), ("worker", 1))
    storm = Restarts(who, every_s=1.0, around=surroundings(supervisor))
    storm.apply()
    assert not storm.finished()
    assert not storm.evidence().bit
    for now_s[0] in (0.5, 1.0, 1.5, 2.0):
        storm.pulse()

    assert supervisor.calls == ["kill worker 0", "kill worker 1", "kill worker 0"]
    assert supervisor.alive == set(who)
    assert storm.evidence().bit


@pytest.mark.parametrize("fault", [restart_storm(every("worker")), terminate(every("worker"))])
def test_a_role_that_was_scaled_away_is_no_target(fault: Fault) -> None:
    """Whatever would be done to its processes: none is meant to be there."""
    with pytest.raises(FaultError, match="no process of worker"):
        make_driver(fault, surroundings(FakeSupervisor(alive=set())))


def test_a_storm_on_nobody_is_refused() -> None:
    """Where none runs there is nobody to kill."""
    storm = Restarts((ONE,), every_s=1.0, around=surroundings(FakeSupervisor(alive=set())))

    with pytest.raises(FaultError, match="worker 0 was not running"):
        storm.apply()


def test_an_added_process_is_waited_for_until_it_has_done_something(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To run is not to work: only a count of its own lets the fault end with a bite."""
    monkeypatch.setattr(scaling, "ARRIVAL_S", 60.0)
    supervisor = FakeSupervisor(alive={ONE})
    supervisor.counters(*ONE).passes["done"] = 5
    out = ScaleOut("worker", to=2, around=surroundings(supervisor))
    out.apply()
    assert out.held()
    out.pulse()
    assert not out.finished()
    assert not out.evidence().bit

    supervisor.counters("worker", 1).passes["done"] = 1

    assert out.finished()
    assert out.evidence().bit
    out.heal()
    assert out.healed()
    assert supervisor.alive == {ONE}


def test_the_highest_number_leaves_first() -> None:
    """And all come back."""
    supervisor = FakeSupervisor(alive={("worker", number) for number in range(3)})
    scale = ScaleIn("worker", to=1, around=surroundings(supervisor))
    scale.apply()
    assert supervisor.calls == ["terminate worker 2", "terminate worker 1"]
    assert scale.held()
    scale.heal()
    assert len(supervisor.alive) == 3
    assert scale.evidence().bit
