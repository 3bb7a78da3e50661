"""Each fault goes through its life once, and what never happened is never told as if it had."""

from collections.abc import Mapping

import pytest

from harness.errors import HarnessError, LabError, UsageError
from harness.faults.driver import Evidence, Met
from harness.faults.resolve import FaultError, UnplayableError
from harness.run import gauges, storm
from harness.run.events import Event, Events
from harness.run.gauges import NeverPassed, Tally
from harness.run.storm import Storm
from harness.schedule.values import Fault
from harness.schedule.words import kill, node, producer, relay, stop

MET = {"client:slot1->1": Met(connections=2, bytes_sent=30, bytes_answered=None)}


class FakeDriver:
    """A driver whose every answer is set by the test."""

    what = "kill node 1"
    resolved: Mapping[str, object] = {"node": 1}

    def __init__(self, *, holds: bool = True, bit: bool = True, refuses: bool = False) -> None:
        self.holds = holds
        self.bit = bit
        self.refuses = refuses
        self.calls: list[str] = []

    def apply(self) -> None:
        """Note the call, or refuse."""
        if self.refuses:
            raise LabError("the proxy does not answer")
        self.calls.append("apply")

    def held(self) -> bool:
        """Answer as set."""
        return self.holds

    def heal(self) -> None:
        """Note the call."""
        self.calls.append("heal")

    def healed(self) -> bool:
        """Answer yes."""
        return True

    def evidence(self) -> Evidence:
        """Answer as set."""
        return Evidence(bit=self.bit, sentences=("seen",), met=MET)


Made = FakeDriver | FaultError


class Play:
    """A storm of one fault, or of several, with a tally that the test turns."""

    def __init__(
        self, faults: Fault | tuple[Fault, ...], driver: Made | list[Made], *, load: bool = True
    ) -> None:
        """Make `driver` for a fault; of a list, each in its turn as they are asked."""
        self.told: list[Event] = []
        self.acked = 0
        self.load = load
        self.in_sync = 3

        drivers = driver if isinstance(driver, list) else [driver]

        def make(_: Fault) -> FakeDriver:
            made = drivers.pop(0)
            if isinstance(made, FaultError):
                raise made
            return made

        self.storm = Storm(
            faults if isinstance(faults, tuple) else (faults,),
            make=make,
            events=Events(self.told.append),
            tally=lambda: Tally(committed=0, acked=self.acked, processed=0, log=0, effects=0),
            load_alive=lambda: self.load,
            in_sync=lambda _topic, _partition: self.replicas(),
            hit={},
            verify_s=60.0,
        )
        self.storm.begin()

    def replicas(self) -> int:
        """Return how many replicas are in sync."""
        return self.in_sync

    def states(self) -> list[object]:
        """Return the states that were told, in order."""
        return [event.fields["state"] for event in self.told]


def test_a_fault_waits_for_its_count_and_ends_by_its_count() -> None:
    """It is asked at the 10th acknowledgement, and healed 5 acknowledgements after it held."""
    driver = FakeDriver()
    play = Play(kill(node(1)).after(acked=10).until(acked=5), driver)
    play.acked = 9
    play.storm.tick()
    assert play.states() == []
    play.acked = 10
    play.storm.tick()
    assert play.states() == ["asked", "held"]
    play.acked = 14
    play.storm.tick()
    assert driver.calls == ["apply"]
    play.acked = 15
    play.storm.tick()
    assert play.states() == ["asked", "held", "healed", "verified"]
    assert play.storm.over()
    assert play.told[-1].fields["bit"] is True
    counts = {"connections": 2, "bytes_sent": 30, "bytes_answered": None}
    assert play.told[-1].fields["met"] == {"client:slot1->1": counts}


def test_a_crash_point_is_armed_at_once_and_disarmed_when_it_never_fires() -> None:
    """An abandoned storm heals what was armed, without bite."""
    driver = FakeDriver(holds=False, bit=False)
    play = Play(kill(relay(0)).at("after_send"), driver)
    assert play.states() == ["asked"]
    play.storm.tick()
    play.storm.abandon()
    play.storm.tick()
    assert driver.calls == ["apply", "heal"]
    assert play.states() == ["asked", "healed", "verified"]
    assert play.told[-1].fields["bit"] is False


def test_a_trigger_that_never_came_is_not_told_at_all() -> None:
    """The verdict will find a scheduled fault of which the timeline knows nothing."""
    play = Play(kill(node(1)).after(acked=10), FakeDriver())
    play.storm.tick()
    play.storm.abandon()
    assert play.states() == []
    assert play.storm.over()


def test_what_waits_for_a_fault_that_met_nothing_is_not_waited_for() -> None:
    """The second target was not there, so nothing will ever be held: the first one may end."""
    first, second = FakeDriver(), FaultError("node 1 was not running")
    play = Play(
        (
            kill(node(1)).after(seconds=0).until_fault(1, seconds=6),
            stop(node(1)).when(0).for_seconds(1),
            kill(node(2)).when(1).for_seconds(1),
            kill(node(3)).when(2).for_seconds(1),
        ),
        [first, second],
    )
    for _ in range(3):
        play.storm.tick()
    assert first.calls == ["apply", "heal"]
    assert play.storm.over()
    told = [(event.fields["fault"], event.fields["state"]) for event in play.told]
    assert told == [
        (0, "asked"),
        (0, "held"),
        (1, "asked"),
        (1, "healed"),
        (1, "verified"),
        (0, "healed"),
        (0, "verified"),
    ]


def test_a_target_that_is_not_there_is_a_fault_that_did_not_bite() -> None:
    """No leader, or a process that is down already: not a failure, but no proof either."""
    play = Play(kill(node(1)).after(seconds=0), FaultError("has no leader"))
    play.storm.tick()
    assert play.states() == ["asked", "healed", "verified"]
    assert play.told[1].fields["bit"] is False


def test_a_fault_that_cannot_be_applied_has_failed() -> None:
    """A lab that does not do as it is told makes the run worthless, loudly."""
    play = Play(kill(node(1)).after(seconds=0), FakeDriver(refuses=True))
    play.storm.tick()
    assert play.states() == ["asked", "failed"]


class Stumbling(FakeDriver):
    """A driver that has something to do while it is in force, and cannot at one of its calls."""

    def __init__(self, *, at: str, error: HarnessError) -> None:
        super().__init__()
        self._at = at
        self._error = error

    def _call(self, name: str) -> bool:
        if name == self._at:
            raise self._error
        return True

    def apply(self) -> None:
        """Do it, or raise."""
        self._call("apply")

    def held(self) -> bool:
        """Answer, or raise."""
        return self._call("held")

    def pulse(self) -> None:
        """Do it, or raise."""
        self._call("pulse")

    def finished(self) -> bool:
        """Answer, or raise."""
        return self._call("finished")

    def heal(self) -> None:
        """Note it, and do it, or raise."""
        super().heal()
        self._call("heal")

    def healed(self) -> bool:
        """Answer, or raise."""
        return self._call("healed")

    def evidence(self) -> Evidence:
        """Answer as if it bit, or raise."""
        self._call("evidence")
        return super().evidence()


CALLS = ("apply", "held", "pulse", "finished", "heal", "healed", "evidence")


@pytest.mark.parametrize("at", CALLS)
@pytest.mark.parametrize("error", [LabError("gone"), UsageError("gone")])
def test_an_error_of_a_driver_fails_its_fault_and_not_the_run(at: str, error: HarnessError) -> None:
    """Whatever it is called for, and whatever error of ours it is."""
    driver = Stumbling(at=at, error=error)
    play = Play(kill(node(1)).after(seconds=0).for_seconds(0), driver)
    play.storm.tick()
    assert play.states()[-1] == "failed"
    assert play.told[-1].fields["evidence"] == ["gone"]
    assert play.storm.over()
    if at in ("held", "pulse", "finished"):
        assert "heal" in driver.calls  # nothing of it stays in force while others go on


@pytest.mark.parametrize("at", ["held", "pulse", "finished"])
def test_a_fault_that_cannot_go_on_is_healed_and_did_not_bite(at: str) -> None:
    """A rolling restart finds the next node killed by another fault: no failure, and no proof."""
    driver = Stumbling(at=at, error=FaultError("node 2 was not running"))
    play = Play(kill(node(1)).after(seconds=0), driver)
    play.storm.tick()
    play.storm.tick()
    assert driver.calls == ["heal"]
    assert play.states()[-2:] == ["healed", "verified"]
    for event in play.told[-2:]:
        assert event.fields["bit"] is False
        assert event.fields["evidence"] == ["seen", "node 2 was not running"]


@pytest.mark.parametrize(
    ("at", "told"),
    [(at, at in ("apply", "held", "pulse", "finished")) for at in CALLS],
)
def test_what_kafka_refuses_for_good_is_told_at_once(at: str, *, told: bool) -> None:
    """The schedule can never be played; but what cannot be undone is only this run's failure."""
    driver = Stumbling(at=at, error=UnplayableError("no such setting"))
    play = Play(kill(node(1)).after(seconds=0).for_seconds(0), driver)
    if told:
        with pytest.raises(UsageError, match="no such setting"):
            play.storm.tick()
    else:
        play.storm.tick()
        assert play.states()[-1] == "failed"


def test_a_partition_that_is_not_there_has_no_replicas_out_of_sync(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its topic is being made anew: it is asked again, and the fault comes when it is due."""
    play = Play(kill(node(1)).when_isr("orders", 0, at_most=1), FakeDriver())

    def gone() -> int:
        raise FaultError("there is no partition orders/0 at this moment")

    monkeypatch.setattr(play, "replicas", gone)
    play.storm.tick()
    assert play.states() == []
    monkeypatch.undo()
    play.in_sync = 1
    play.storm.tick()
    assert play.states() == ["asked", "held"]


@pytest.mark.parametrize(
    ("load", "acked", "bit"), [(True, 0, True), (False, 1, True), (False, 0, False)]
)
def test_a_fault_without_traffic_did_not_bite(load: bool, acked: int, bit: bool) -> None:  # noqa: FBT001
    """Load must run when it begins, holds or ends, or messages must still move afterwards."""
    play = Play(kill(node(1)).after(seconds=0).for_seconds(0.02), FakeDriver(), load=load)
    play.storm.tick()
    play.acked = acked
    while not play.storm.over():
        play.storm.tick()
    assert play.told[-1].fields["bit"] is bit


def test_load_that_comes_back_while_a_fault_is_in_force_has_met_it() -> None:
    """Though nothing moved: who came back found the server that is away."""
    play = Play(kill(node(1)).after(seconds=0).for_seconds(0.02), FakeDriver(), load=False)
    play.storm.tick()
    play.load = True
    while not play.storm.over():
        play.storm.tick()
    assert play.told[-1].fields["bit"] is True


def test_a_fault_that_takes_the_load_away_has_met_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A producer that is stopped in good order leaves nothing behind that would still move."""
    driver = FakeDriver()
    play = Play(stop(producer(0)).after(seconds=0).for_seconds(0.02), driver, load=True)
    apply = driver.apply

    def end_the_load() -> None:
        play.load = False
        apply()

    monkeypatch.setattr(driver, "apply", end_the_load)
    while not play.storm.over():
        play.storm.tick()
    assert play.told[-1].fields["bit"] is True


class FakePoint(FakeDriver):
    """A driver that waits for a crash point."""

    passes = 0

    def passed(self) -> int:
        """Answer as set."""
        return self.passes


def test_a_storm_that_waits_for_crash_points_alone_tells_how_often_they_were_passed() -> None:
    """So that it need not wait for ever; what is still to come by itself is waited for."""
    driver = FakePoint(holds=False)
    play = Play(kill(relay(0)).at("after_send"), driver)
    assert play.storm.awaited_passes() == (0,)
    driver.passes = 3
    assert play.storm.awaited_passes() == (3,)
    driver.holds = True
    play.storm.tick()
    assert play.states()[-1] != "asked"
    assert Play(kill(node(1)).after(acked=10), FakePoint()).storm.awaited_passes() is None


def test_what_only_waits_for_its_seconds_still_comes_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a point armed beside it or with none: the fault it waits for has done its part."""
    second = kill(node(2)).when(0, "verified", seconds=30)
    first = kill(node(1)).after(seconds=0).for_seconds(0)
    now_s = 100.0
    monkeypatch.setattr(storm, "monotonic_s", lambda: now_s)
    play = Play((first, second), [FakeDriver(), FakeDriver()])
    play.storm.tick()
    assert play.states()[-1] == "verified"
    assert play.storm.awaited_passes() is None

    at_point = kill(relay(0)).at("after_send")
    play = Play((first, second, at_point), [FakePoint(holds=False), FakeDriver(), FakeDriver()])
    play.storm.tick()
    assert play.storm.awaited_passes() is None
    now_s = 131.0
    play.storm.tick()
    assert play.states().count("verified") == 1
    assert play.states()[-1] == "held"


def test_what_waits_for_a_crash_points_fault_comes_only_with_it() -> None:
    """Behind a point that nobody passes there is nothing to wait for."""
    behind = kill(node(1)).when(0, "held", seconds=30)
    play = Play((kill(relay(0)).at("after_send"), behind), FakePoint(holds=False))
    play.storm.tick()
    assert play.storm.awaited_passes() == (0,)


def test_a_crash_point_that_nobody_passes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pass begins the wait anew, and so does anything else that is still to come."""
    now_s, passes = 100.0, None
    monkeypatch.setattr(gauges, "monotonic_s", lambda: now_s)
    never = NeverPassed(lambda: passes, patience_s=20.0)
    for now_s, passes, lasted in (  # noqa: B007  # the lambdas read them
        (110.0, (1,), False),
        (129.0, (1,), False),
        (131.0, (2,), False),
        (150.0, None, False),
        (155.0, (2,), False),
        (174.0, (2,), False),
        (176.0, (2,), True),
    ):
        assert never.lasted() is lasted, now_s
