"""How long a storm is waited for, on a stage whose every answer is set by the test."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from harness.lab.profile import FAST, Profile
from harness.run import engine
from harness.run.engine import Run
from harness.run.events import Events
from harness.run.gauges import Tally
from harness.schedule.values import Schedule

NOTHING = Tally(committed=0, acked=0, processed=0, log=0, effects=0)


def stage(*, drain_s: float, profile: Profile = FAST) -> Any:  # noqa: ANN401  # as much of a stage as a run's storm asks
    """Return a stage of a pipeline that may take so long to drain."""
    return SimpleNamespace(
        lab=SimpleNamespace(profile=profile),
        spec=SimpleNamespace(liveness=SimpleNamespace(drain_s=drain_s, warmup_s=1.0)),
        supervisor=SimpleNamespace(),
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
