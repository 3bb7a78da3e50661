"""Drawn schedules as a scenario plays them: short sessions of Hypothesis, each with its own seed.

Many short sessions instead of a long one, no example database and no shrinking: a run is expensive
and need not end the same way twice, so what failed is told as it was played, and minimised later.
"""

from collections import Counter

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from harness.campaign.shapes import shape_of
from harness.ledger.findings import Outcome
from harness.pipeline.spec import Spec
from harness.run.result import RunResult
from harness.run.session import LabSession
from harness.schedule.codec import fingerprint
from harness.schedule.dice import derive
from harness.schedule.generate import Generator
from harness.schedule.shape import FAST, Timeouts
from harness.schedule.values import Budget, Schedule

EXAMPLES = 5
"""Schedules a session; the first is always the simplest one, so it is played once for all."""


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

    def play(self, *, root_seed: int, session: int) -> None:
        """Play one session; AssertionError for the first run that is neither PASSED nor VACUOUS.

        A session of which most runs proved nothing is an AssertionError as well.
        """
        outcomes: Counter[Outcome] = Counter()

        def one(schedule: Schedule) -> None:
            result = self._result(schedule)
            outcomes[result.verdict.outcome] += 1
            if result.verdict.outcome is not Outcome.VACUOUS:
                result.assert_exactly_once()

        short = settings(
            max_examples=EXAMPLES,
            phases=(Phase.explicit, Phase.generate),
            database=None,
            deadline=None,
            derandomize=False,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        seeded(derive(root_seed, session))(short(given(self._generator.strategy())(one)))()
        if outcomes[Outcome.PASSED] < outcomes[Outcome.VACUOUS]:
            raise AssertionError(f"most of these schedules met nothing: {dict(outcomes)}")

    def _result(self, schedule: Schedule) -> RunResult:
        """Return the verdict of a schedule, played once: Hypothesis asks again for what failed."""
        key = fingerprint(schedule)
        if key not in self._played:
            self._played[key] = self._lab.play(self._pipeline, schedule, name="drawn")
        return self._played[key]
