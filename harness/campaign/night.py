"""Plays a night: pinned regressions, campaigns of both budgets, and every new failure made small.

Each step has labs of its own, so that trouble in one does not end the night. What there is so far
can be asked for at any moment, also after a step was broken off.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from harness.campaign.campaign import Until, play_campaign
from harness.campaign.folder import CampaignFolder, keep_story
from harness.campaign.minimising import (
    BrokenOff,
    GivenUpError,
    Shown,
    failure_of,
    minimise_failure,
    regression_of,
    story,
)
from harness.campaign.night_plan import Plan
from harness.campaign.night_record import (
    Counterexample,
    Failed,
    Night,
    Pinned,
    judged,
    write_night,
)
from harness.campaign.night_sums import (
    campaigned,
    failed_as,
    groups_of,
    known,
    others,
    signature_of,
)
from harness.campaign.pool import LabPool
from harness.campaign.regression import Regression, write_regression
from harness.campaign.replay import with_run
from harness.campaign.result import Job, Result
from harness.clock import Deadline, monotonic_s
from harness.errors import HarnessError
from harness.ledger.findings import Outcome
from harness.schedule.minimise import Minimised
from harness.schedule.values import Budget

REGRESSIONS_SHARE = 0.25
"""Of the night, at the most."""
CAMPAIGN_SHARE = 0.8
"""Of what is left then; the rest is for making failures small, or for more schedules."""
SAFE_SHARE = 2 / 3
"""Of the campaigns' time; the other third goes over the safe budget."""
MOST_TRIES = 3
WORTH_S = 45.0
"""For less than this no labs are started."""
MOST_MINIMISED = 3
MOST_PACKED = 3
"""Failing runs of one signature whose folders are kept beside the rest."""


class Pools(Protocol):
    """What makes labs that keep their run folders in one place."""

    def __call__(self, runs: Path) -> LabPool:
        """Return a pool of them."""


class NightPlayer:
    """Plays one night; `record` tells at any time what it came to so far."""

    def __init__(
        self,
        plan: Plan,
        *,
        pools: Pools,
        tell: Callable[[Result], None],
        say: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._pools = pools
        self._tell = tell
        self._say = say
        self._began, self._began_s = datetime.now(tz=UTC), monotonic_s()
        self._campaigns: dict[Budget, CampaignFolder] = {}
        self._repeats = list(plan.regressions)
        self._smallest: dict[tuple[str, ...], Counterexample | str] = {}
        self._back: list[Path] = []
        self._troubles: list[str] = []
        self._finished = False
        write_night(self.record(), plan.folder)

    def play(self) -> None:
        """Play every step until the time is up; trouble in one is told, and the next one begins."""
        night = Deadline(self._plan.time_s)
        self._step("regressions", self._regressions, self._plan.time_s * REGRESSIONS_SHARE)
        storm_s = night.remaining_s() * CAMPAIGN_SHARE
        self._step("safe budget", lambda s: self._campaign("safe", s), storm_s * SAFE_SHARE)
        self._step("over budget", lambda s: self._campaign("over", s), storm_s * (1 - SAFE_SHARE))
        self._step("minimising", self._minimise, night.remaining_s())
        self._step("safe budget, on", lambda s: self._campaign("safe", s), night.remaining_s())
        self._finished = True
        write_night(self.record(), self._plan.folder)

    def record(self) -> Night:
        """Return what the night has come to so far."""
        plan = self._plan
        unplayed = [each.name for each in self._repeats if not each.outcomes]
        results = self._results()
        return judged(
            Night(
                finished=self._finished,
                began=self._began.isoformat(timespec="seconds"),
                took_s=round(monotonic_s() - self._began_s, 1),
                time_s=plan.time_s,
                labs=plan.labs,
                asked=plan.asked,
                shards=(plan.asked.shard,),
                campaigns=tuple(map(campaigned, self._campaigns.values())),
                regressions=tuple(
                    Pinned(name=each.name, state=each.state, said=str(each))
                    for each in self._repeats
                    if each.outcomes
                ),
                failures=tuple(self._failures(results)),
                others=others(results, root=plan.folder),
                troubles=tuple(self._troubles),
                not_tested=tuple(f"regression {name} was not played" for name in unplayed),
            )
        )

    def campaigns(self) -> tuple[Path, ...]:
        """Return the folders of the campaigns that were begun."""
        return tuple(campaign.path for campaign in self._campaigns.values())

    def failing_runs(self) -> tuple[Path, ...]:
        """Return the folders of failing runs: of regressions, and the simplest of each failure."""
        groups = groups_of(self._results())
        simplest = (each for group in groups.values() for each in group[:MOST_PACKED])
        return (*self._back, *(Path(each.folder) for each in simplest))

    def _step(self, name: str, play: Callable[[float], None], time_s: float) -> None:
        """Play a step; after trouble once more on new labs, while tries and time are left."""
        deadline = Deadline(time_s)
        for _ in range(MOST_TRIES):
            if deadline.remaining_s() < WORTH_S:
                return
            self._say(f"{name}: {deadline.remaining_s() / 60:.1f} minutes at the most")
            try:
                play(deadline.remaining_s())
            except HarnessError as error:
                self._troubles.append(f"{name}: {error}")
                self._say(self._troubles[-1])
            else:
                return
            finally:
                write_night(self.record(), self._plan.folder)

    def _regressions(self, time_s: float) -> None:
        if not self._repeats:
            return
        with self._pools(self._plan.folder / "regressions" / "runs") as pool:
            for result in pool.play(self._repeated(Deadline(time_s))):
                place = result.index
                self._repeats[place] = with_run(self._repeats[place], result.outcome, result.totals)
                if result.outcome is Outcome.PASSED:
                    keep_story(Path(result.folder))
                elif self._repeats[place].state == "back":
                    self._back.append(Path(result.folder))
                self._tell(result)

    def _repeated(self, deadline: Deadline) -> Iterator[Job]:
        """Yield one regression's runs until it is decided; then the next one's."""
        for place, before in enumerate(self._repeats):
            for _ in range(before.regression.repeats_to_clear()):
                if deadline.passed() or self._repeats[place].over():
                    break
                yield Job(index=place, schedule=before.regression.schedule, phase="pinned")

    def _campaign(self, budget: Budget, time_s: float) -> None:
        plan = self._plan
        if budget not in self._campaigns:
            self._campaigns[budget] = CampaignFolder.make(
                plan.folder / "campaigns", replace(plan.asked, budget=budget)
            )
        folder = self._campaigns[budget]
        with self._pools(folder.runs) as pool:
            play_campaign(folder, pool, until=Until(time_s=time_s), tell=self._tell)

    def _minimise(self, time_s: float) -> None:
        """Bring each new failure down to its smallest schedule, the most frequent one first."""
        deadline = Deadline(time_s)
        groups = groups_of(self._results())
        new = [group for group in groups.values() if self._known(group[0]) is None]
        new.sort(key=len, reverse=True)
        for place, group in enumerate(new):
            signature = signature_of(group[0])
            if signature in self._smallest or place >= MOST_MINIMISED:
                continue
            if deadline.remaining_s() < WORTH_S:
                self._smallest[signature] = "there was no time left to minimise it"
                continue
            self._say(f"minimising {', '.join(signature)}")
            self._smallest[signature] = "minimising it was broken off"
            try:
                found, shown = self._smaller(group[0], deadline)
            except (BrokenOff, GivenUpError) as ended:
                if small := self._pinned(group[0], ended.found, ended.shown):
                    self._smallest[signature] = small
                raise
            small = self._pinned(group[0], found, shown)
            self._smallest[signature] = small or f"it did not fail again in {found.runs} runs"

    def _smaller(self, result: Result, deadline: Deadline) -> tuple[Minimised, Shown]:
        failure = failure_of(Path(result.folder))
        with self._pools(self._plan.folder / "minimised" / "runs") as pool:
            return minimise_failure(
                failure,
                pool,
                labs=self._plan.labs,
                runs_budget=self._plan.runs_a_failure,
                tell=self._tell_smaller,
                time_s=deadline.remaining_s(),
            )

    def _pinned(self, result: Result, found: Minimised, shown: Shown) -> Counterexample | None:
        """Pin what was found, and tell it; None if it did not fail again."""
        pinned = regression_of(
            found, shown, found_in=Path(result.folder).name, choice=self._plan.choice
        )
        if pinned is None:
            return None
        self._say(story(found))
        return self._pin(pinned, f"{result.index}-{result.schedule.budget}", found.complete)

    def _tell_smaller(self, result: Result, shown: bool) -> None:  # noqa: FBT001  # its caller's form
        if not shown:
            keep_story(Path(result.folder))
        self._tell(result)

    def _pin(self, pinned: Regression, name: str, complete: bool) -> Counterexample:  # noqa: FBT001
        words = "-".join(filter(None, (pinned.finding, pinned.hop, name)))
        file = Path("minimised") / f"{words}.json"
        write_regression(pinned, self._plan.folder / file)
        return Counterexample(
            file=str(file),
            faults=pinned.schedule.in_words(),
            failed=pinned.failed,
            of=pinned.of,
            repeats=pinned.repeats,
            complete=complete,
        )

    def _failures(self, results: Sequence[Result]) -> Iterator[Failed]:
        for signature, group in groups_of(results).items():
            smaller = self._smallest.get(signature, "")
            failed = failed_as(group[0], runs=len(group), root=self._plan.folder)
            if isinstance(smaller, str):
                yield replace(failed, known=self._known(group[0]), why_not=smaller)
            else:
                yield replace(failed, smallest=smaller)

    def _known(self, result: Result) -> str | None:
        """Return the pinned regression of the same pipeline that shows one of its findings."""
        return known(result, ((each.name, each.regression) for each in self._plan.regressions))

    def _results(self) -> tuple[Result, ...]:
        return tuple(each for one in self._campaigns.values() for each in one.results())
