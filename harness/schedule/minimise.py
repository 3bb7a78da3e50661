"""From a failing schedule to the fewest and mildest faults that still fail. PURE.

For results that are not deterministic: delta debugging (Zeller, Hildebrandt, TSE 28, 2002) in which
every question is answered by repeated runs, and an early wrong answer is asked again when more is
known of how often the failure shows. It plays nothing itself: it is asked which schedules to play
next, and told what came of them, so that several labs can play at once.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from math import inf

from harness.schedule import budget
from harness.schedule.statistics import Rate, repeats_for_detection
from harness.schedule.subset import without
from harness.schedule.trials import Trials
from harness.schedule.values import Schedule
from harness.schedule.weaken import Weaker, weaker

Plays = Generator[tuple[Schedule, ...], Sequence[bool], None]
Found = Generator[tuple[Schedule, ...], Sequence[bool], "Weaker | None"]
Decided = Generator[tuple[Schedule, ...], Sequence[bool], bool]
_FIRST_HITS = 3
"""Failures of the given schedule that are waited for, to learn how often it fails."""
_FIRST_RUNS = 20
_CONFIRM_RUNS = 5
_WEAKER_HITS = 2
"""A milder schedule has to fail twice: weakening must not trade the probability away."""
_CALM_SHARE = 0.25
"""Of the runs that are left, for playing it without any fault: a rare failure needs the others."""
_BUDGETS = ((0.75, 60), (0.35, 120), (0.0, 300))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One question that was answered."""

    runs: int
    """Runs used so far."""
    kept: bool
    """The milder schedule failed as well, and is the best one from here on."""
    what: str
    rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimised:
    """The best schedule that was found, and what is known of it."""

    schedule: Schedule
    rate: Rate
    """All its runs; they stopped at a failure now and then, so it is a little too high."""
    repeats: int | None
    """Runs that show the failure with 95 % probability, at the measured rate; None: never seen."""
    runs: int
    complete: bool
    """No single fault can be left out, and no step makes it milder, as far as was measured."""
    log: tuple[Step, ...]


def runs_for(probability: float) -> int:
    """Return a budget of runs that suffices for two faults out of eight failing this often."""
    return next(runs for least, runs in _BUDGETS if probability >= least)


def minimise(
    schedule: Schedule,
    fails: Callable[[Schedule], bool],
    *,
    runs_budget: int = 60,
    playable: Callable[[Schedule], bool] | None = None,
) -> Minimised:
    """Minimise with one play after the other; `fails` plays a schedule once."""
    search = Minimiser(schedule, runs_budget=runs_budget, playable=playable)
    while wanted := search.wanted():
        search.told([fails(each) for each in wanted])
    return search.result()


class Minimiser:
    """Ask it what to play (`wanted`), tell it what failed (`told`), until it wants nothing."""

    def __init__(
        self,
        schedule: Schedule,
        *,
        runs_budget: int = 60,
        labs: int = 1,
        playable: Callable[[Schedule], bool] | None = None,
    ) -> None:
        """`labs` is how many plays may be wanted at once; `playable` refuses a candidate."""
        self._best = schedule
        self._runs_budget = runs_budget
        self._labs = labs
        self._playable = playable or within_budget
        self._trials = Trials()
        self._log: list[Step] = []
        self._complete = False
        self._search = self._steps()
        self._wanted: tuple[Schedule, ...] = ()
        self._advance(None)

    def wanted(self) -> tuple[Schedule, ...]:
        """Return the schedules to play now, the same one more than once perhaps; none: done."""
        return self._wanted

    def told(self, failed: Sequence[bool]) -> None:
        """Take the results of what was wanted, in the same order."""
        for schedule, one in zip(self._wanted, failed, strict=True):
            self._trials.count(schedule, failed=one)
        self._advance(failed)

    def result(self) -> Minimised:
        """Return the best so far; it may be asked for at any time."""
        rate = self._trials.rate(self._best)
        return Minimised(
            schedule=self._best,
            rate=rate,
            repeats=repeats_for_detection(rate.share),
            runs=self._trials.runs,
            complete=self._complete,
            log=tuple(self._log),
        )

    def _advance(self, failed: Sequence[bool] | None) -> None:
        try:
            wanted = next(self._search) if failed is None else self._search.send(failed)
        except StopIteration:
            wanted = ()
        self._wanted = wanted[: max(0, self._runs_budget - self._trials.runs)]

    def _steps(self) -> Plays:
        yield from self._learn()
        if not self._trials.rate(self._best).hits:
            return
        yield from self._leave_out()
        decided = yield from self._leave_all_out(share=_CALM_SHARE)
        yield from self._weaken()
        # Weakening may have changed what is needed, and what is known of the rate has grown.
        yield from self._leave_out()
        if not decided:
            yield from self._leave_all_out(share=1.0)
        self._complete = True
        while self._trials.rate(self._best).runs < _CONFIRM_RUNS:
            yield (self._best,) * self._labs

    def _learn(self) -> Plays:
        """Play the given schedule until it has failed often enough to know how often it does."""
        self._trials.know(self._best)
        rate = self._trials.rate(self._best)
        while rate.hits < _FIRST_HITS and rate.runs < _FIRST_RUNS:
            yield (self._best,) * min(self._labs, _FIRST_RUNS - rate.runs)
            rate = self._trials.rate(self._best)
        self._note(Weaker(schedule=self._best, what="as it was given"), kept=True)

    def _leave_out(self) -> Plays:
        """Leave out half of the faults, then smaller parts, down to single ones."""
        size = max(1, len(self._best.faults) // 2)
        while len(self._best.faults) > 1:
            found = yield from self._first_failing(self._parts(size), hits=1)
            if found is not None:
                self._keep(found)
                size = min(size, max(1, len(self._best.faults) // 2))
            elif size > 1:
                size = max(1, size // 2)
            else:
                return

    def _leave_all_out(self, *, share: float) -> Decided:
        """Ask whether it takes a fault at all, for so much of the runs that are left.

        Returns False if that was too little to decide it.
        """
        if not self._best.faults:
            return True
        every = range(len(self._best.faults))
        calm = Weaker(schedule=without(self._best, every), what="without any fault")
        last = self._trials.runs + share * (self._runs_budget - self._trials.runs)
        found = yield from self._first_failing([calm], hits=1, last=last)
        if found is not None:
            self._keep(found)
        return self._trials.fails(calm.schedule) is not None

    def _parts(self, size: int) -> list[Weaker]:
        places = range(len(self._best.faults))
        parts = [places[first : first + size] for first in range(0, len(places), size)]
        return [
            Weaker(
                schedule=without(self._best, part),
                what="without " + ", ".join(str(self._best.faults[place]) for place in part),
            )
            for part in parts
            if len(part) < len(places)
        ]

    def _weaken(self) -> Plays:
        """Take one step after another that makes it milder, as long as one of them still fails."""
        refused: set[str] = set()
        while True:
            candidates = [each for each in weaker(self._best) if each.what not in refused]
            found = yield from self._first_failing(candidates[:1], hits=_WEAKER_HITS)
            if found is not None:
                self._keep(found)
            elif candidates:
                refused.add(candidates[0].what)
            else:
                return

    def _first_failing(
        self, candidates: Sequence[Weaker], *, hits: int, last: float = inf
    ) -> Found:
        """Play candidates until one of them fails or all are clean; the first ones first.

        What is open after the `last` run is not decided, and is noted so.
        """
        candidates = [each for each in candidates if self._playable(each.schedule)]
        while True:
            verdicts = [self._trials.fails(each.schedule, hits=hits) for each in candidates]
            if True in verdicts:
                return candidates[verdicts.index(True)]
            undecided = [
                each.schedule
                for each, verdict in zip(candidates, verdicts, strict=True)
                if verdict is None
            ]
            if not undecided or self._trials.runs >= last:
                for each, verdict in zip(candidates, verdicts, strict=True):
                    self._note(each, kept=False, decided=verdict is not None)
                return None
            yield tuple(undecided[place % len(undecided)] for place in range(self._labs))

    def _keep(self, found: Weaker) -> None:
        self._best = found.schedule
        self._trials.know(found.schedule)
        self._note(found, kept=True)

    def _note(self, found: Weaker, *, kept: bool, decided: bool = True) -> None:
        rate = self._trials.rate(found.schedule)
        what = found.what if decided else f"{found.what} (not decided)"
        self._log.append(Step(runs=self._trials.runs, kept=kept, what=what, rate=rate))


def within_budget(schedule: Schedule) -> bool:
    """Tell whether a schedule is still within the budget that it states."""
    return not budget.problems(schedule)
