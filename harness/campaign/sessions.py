"""Drawn schedules as a scenario plays them: short sessions of Hypothesis, each with its own seed.

Many short sessions instead of a long one, no example database and no shrinking: a run is expensive
and need not end the same way twice, so what failed is told as it was played, and minimised later.
"""

from collections import Counter
from dataclasses import dataclass
from itertools import count

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from harness.campaign.shapes import shape_of
from harness.clock import Deadline
from harness.ledger.findings import Outcome
from harness.pipeline.spec import Spec
from harness.run.result import RunResult
from harness.run.session import LabSession
from harness.schedule.codec import fingerprint
from harness.schedule.dice import derive
from harness.schedule.generate import Generator
from harness.schedule.shape import FAST, Timeouts
from harness.schedule.values import Budget, Schedule

NEW_ONES = 4
"""Schedules that a session draws, after the simplest one, which each begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What a scenario is to draw: one session, or as many as fit into a time."""

    root_seed: int
    session: int = 0
    """The first one, or the only one."""
    time_s: float | None = None
    """For so long new sessions begin; None: one session."""


ENOUGH = 3
"""Failing sessions after which no further one is begun, however much time is left."""


class DrawnSchedules:
    """Plays schedules that nobody wrote, on one lab, and remembers the verdict of each."""

    def __init__(
        self,
        lab: LabSession,
        pipeline: Spec,
        *,
        budget: Budget = "safe",
        timeouts: Timeouts = FAST,
    ) -> None:
        self._lab = lab
        self._pipeline = pipeline
        self._generator = Generator(shape_of(pipeline), budget=budget, timeouts=timeouts)
        self._played: dict[str, RunResult] = {}

    def play(self, drawing: Drawing) -> None:
        """Play one session after the other until the time is up; or one, if there is no time.

        AssertionError for the first run of a session that is neither PASSED nor VACUOUS, and for a
        session of which most runs proved nothing. Until the time is up, the next session is played
        all the same, and what failed is told at the end: at most three of them, then it is enough.
        """
        deadline = Deadline(drawing.time_s or 0.0)
        failures: list[str] = []
        for session in count(drawing.session):
            try:
                self._play(derive(drawing.root_seed, session))
            except AssertionError as error:
                failures.append(f"session {session}: {error}")
            if deadline.passed() or len(failures) >= ENOUGH:
                break
        if failures:
            raise AssertionError("\n\n".join(failures))

    def _play(self, seed: int) -> None:
        outcomes: Counter[Outcome] = Counter()

        def one(schedule: Schedule) -> None:
            result = self._result(schedule)
            outcomes[result.verdict.outcome] += 1
            if result.verdict.outcome is not Outcome.VACUOUS:
                result.assert_exactly_once()

        short = settings(
            max_examples=NEW_ONES + 1,
            phases=(Phase.explicit, Phase.generate),
            database=None,
            deadline=None,
            derandomize=False,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        seeded(seed)(short(given(self._generator.strategy())(one)))()
        if outcomes[Outcome.PASSED] < outcomes[Outcome.VACUOUS]:
            raise AssertionError(f"most of these schedules met nothing: {dict(outcomes)}")

    def _result(self, schedule: Schedule) -> RunResult:
        """Return the verdict of a schedule, played once: Hypothesis asks again for what failed."""
        key = fingerprint(schedule)
        if key not in self._played:
            self._played[key] = self._lab.play(self._pipeline, schedule, name="drawn")
        return self._played[key]
