"""How long a storm is waited for, on a stage whose every answer is set by the test."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from harness.lab.profile import FAST, Profile
from harness.run import engine, gauges
from harness.run.engine import Run
from harness.run.events import Events
from harness.run.gauges import Standstill, Tally
from harness.schedule.values import Schedule

NOTHING = Tally(committed=0, acked=0, processed=0, log=0, effects=0)


def stage(*, drain_s: float, profile: Profile = FAST) -> Any:  # noqa: ANN401  # as much of a stage as a run's storm asks
    """Return a stage of a pipeline that may take so long to drain."""
    return SimpleNamespace(
        lab=SimpleNamespace(profile=profile),
        spec=SimpleNamespace(liveness=SimpleNamespace(drain_s=drain_s, warmup_s=1.0)),
        supervisor=SimpleNamespace(load_to_come=lambda: True),
        around=lambda: SimpleNamespace(hit={}),
        gauges=SimpleNamespace(tally=lambda: NOTHING),
        load_alive=lambda: True,
    )


@pytest.mark.parametrize(("drain_s", "patience_s"), [(8.0, 20.0), (20.0, 20.0), (60.0, 60.0)])
def test_a_crash_point_is_waited_for_as_long_as_a_dead_consumer_may_be_missed(
    monkeypatch: pytest.MonkeyPatch, drain_s: float, patience_s: float
) -> None:
    """A consumer that takes over from a dead one may pass the point only 45 s later."""
    waited: list[float] = []

    class NeverPassed:
        """Notes how patient it is asked to be."""

        def __init__(self, _passes: Callable[[], object], *, patience_s: float) -> None:
            waited.append(patience_s)

    monkeypatch.setattr(engine, "NeverPassed", NeverPassed)
    run = Run(stage(drain_s=drain_s), Schedule(pipeline="outbox"), Events())
    run._weather()  # noqa: SLF001  # the one phase, without a lab
    assert waited == [patience_s]


def test_load_that_a_fault_holds_down_is_no_standstill(monkeypatch: pytest.MonkeyPatch) -> None:
    """The storm asks who is still to come, not only who runs: what comes later is played."""
    asked: list[Callable[[], bool]] = []

    class Standstill:
        """Notes whom it asks."""

        def __init__(self, _tally: object, *, alive: Callable[[], bool], patience_s: float) -> None:
            assert patience_s == FAST.patience.standstill_s
            asked.append(alive)

    monkeypatch.setattr(engine, "Standstill", Standstill)
    set_up = stage(drain_s=20.0)
    run = Run(set_up, Schedule(pipeline="outbox"), Events())
    run._weather()  # noqa: SLF001  # the one phase, without a lab
    assert asked == [set_up.supervisor.load_to_come]


def test_a_standstill_is_quiet_for_long_without_any_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever moves, and load that lives, begins the wait anew."""
    now_s, alive, acked = 100.0, True, 0
    monkeypatch.setattr(gauges, "monotonic_s", lambda: now_s)
    standstill = Standstill(
        lambda: replace(NOTHING, acked=acked), alive=lambda: alive, patience_s=5.0
    )
    for now_s, alive, acked, lasted in (  # noqa: B007  # the lambdas read them
        (110.0, True, 0, False),
        (111.0, False, 0, False),
        (114.9, False, 0, False),
        (115.0, False, 1, False),
        (119.9, False, 1, False),
        (120.0, True, 1, False),
        (125.0, False, 1, False),
        (125.1, False, 1, True),
    ):
        assert standstill.lasted() is lasted, now_s
