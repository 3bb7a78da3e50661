"""Minimises a failing run on real labs: asks the minimiser what to play, and plays it.

A schedule fails only if it shows one of the findings that the run showed: another failure on the
way is told, but it is not the one that is looked for.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

from harness.campaign.pool import LabPool
from harness.campaign.regression import Regression, is_regression, read_regression
from harness.campaign.result import Job, Result
from harness.campaign.shapes import shape_of
from harness.clock import Deadline
from harness.errors import HarnessError, UsageError
from harness.lab.choice import LabChoice
from harness.ledger.findings import Verdict
from harness.run.plan import check_playable, read_schedule, spec_of
from harness.schedule.minimise import Minimised, Minimiser, within_budget
from harness.schedule.statistics import Rate, repeats_for_detection
from harness.schedule.validate import check_schedule
from harness.schedule.values import Schedule

Finding = tuple[str, str | None]
Signature = frozenset[Finding]
Shown = Mapping[Finding, int]
"""How many plays of the smallest schedule showed each of the findings that are looked for."""


class BrokenOff(KeyboardInterrupt):
    """Somebody ended the search; it carries what was found so far."""

    def __init__(self, found: Minimised, shown: Shown) -> None:
        super().__init__()
        self.found = found
        self.shown = shown


class GivenUpError(HarnessError):
    """An error ended the search; it says the same, and carries what was found so far."""

    def __init__(self, error: HarnessError, found: Minimised, shown: Shown) -> None:
        super().__init__(error.message, remedy=error.remedy)
        self.exit_code = error.exit_code
        self.found = found
        self.shown = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What is minimised: a schedule, and the findings by which its failure is known."""

    schedule: Schedule
    signature: Signature
    """Empty: those of the first run that fails."""
    found_in: str


def failure_of(what: Path) -> Failure:
    """Read a run folder, a regression or a schedule file; UsageError if it did not fail."""
    if is_regression(what):
        pinned = read_regression(what)
        check_playable(
            pinned.schedule, on=spec_of(pinned.schedule.pipeline, pinned.schedule.variant)
        )
        signature = frozenset({(pinned.finding, pinned.hop)})
        return Failure(schedule=pinned.schedule, signature=signature, found_in=pinned.found_in)
    schedule = read_schedule(what)
    check_playable(schedule, on=spec_of(schedule.pipeline, schedule.variant))
    file = what / "verdict.json"
    if not file.is_file():
        return Failure(schedule=schedule, signature=frozenset(), found_in=str(what))
    verdict = _verdict(file)
    if not verdict.totals:
        raise UsageError(
            f"{what} is {verdict.outcome} and shows no finding: there is nothing to minimise",
            remedy="name a run that FAILED",
        )
    signature = frozenset((str(total.kind), total.hop) for total in verdict.totals)
    return Failure(schedule=schedule, signature=signature, found_in=what.name)


def _verdict(file: Path) -> Verdict:
    try:
        return Verdict.from_json(file.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"The verdict {file} cannot be read: {str(error).splitlines()[0]}",
            remedy=f"judge the run again: harness check {file.parent} --json > {file}",
        ) from error


def minimise_failure(
    failure: Failure,
    pool: LabPool,
    *,
    labs: int,
    runs_budget: int,
    tell: Callable[[Result, bool], None],
    time_s: float = inf,
) -> tuple[Minimised, Shown]:
    """Play until the fewest and mildest faults are found, or runs or time are used up.

    Returns what was found, and which of the findings its plays showed; BrokenOff, with the same,
    if somebody ends it, and GivenUpError if an error does.
    """
    search = Minimiser(
        failure.schedule, runs_budget=runs_budget, labs=labs, playable=playable_on(failure.schedule)
    )
    signature, deadline = failure.signature, Deadline(time_s)
    plays: list[tuple[Schedule, Signature]] = []
    try:
        while (wanted := search.wanted()) and not deadline.passed():
            jobs = [
                Job(index=len(plays) + place, schedule=schedule, phase="reduce")
                for place, schedule in enumerate(wanted)
            ]
            shown = [Signature()] * len(jobs)
            for result in pool.play(jobs):
                seen = shown_by(result, signature)
                signature = signature or seen
                shown[result.index - len(plays)] = seen
                tell(result, bool(seen))
            plays += zip(wanted, shown, strict=True)
            search.told([bool(seen) for seen in shown])
    except KeyboardInterrupt:
        raise BrokenOff(search.result(), _shown(search.result(), plays)) from None
    except HarnessError as error:
        raise GivenUpError(error, search.result(), _shown(search.result(), plays)) from error
    return search.result(), _shown(search.result(), plays)


def _shown(found: Minimised, plays: Sequence[tuple[Schedule, Signature]]) -> Shown:
    smallest = repr(found.schedule)  # by which the runs of its rate are counted too
    return Counter(
        finding for schedule, seen in plays if repr(schedule) == smallest for finding in seen
    )


def shown_by(result: Result, signature: Signature) -> Signature:
    """Return which of these findings a run that FAILED shows (all of its own, if none is named)."""
    if result.outcome != "FAILED":
        return Signature()
    own = result.signature()
    return frozenset(
        (wanted, hop)
        for wanted, hop in signature or own
        if any(kind == wanted and hop in (None, at) for kind, at in own)
    )


def playable_on(schedule: Schedule) -> Callable[[Schedule], bool]:
    """Return what tells whether a candidate can be played on the same pipeline at all."""
    shape = shape_of(spec_of(schedule.pipeline, schedule.variant))

    def playable(candidate: Schedule) -> bool:
        try:
            check_schedule(
                candidate,
                topics=shape.topics,
                roles=shape.roles,
                lock_services=shape.lock_services,
            )
        except UsageError:
            return False
        return within_budget(candidate)

    return playable


def regression_of(
    found: Minimised, shown: Shown, *, found_in: str, choice: LabChoice
) -> Regression | None:
    """Return what is pinned, by what it shows most often; None when it never failed again."""
    failed = max(shown.values(), default=0)
    rate = Rate(hits=failed, runs=found.rate.runs)
    repeats = repeats_for_detection(rate.share)
    if repeats is None:
        return None
    finding, hop = min((each for each in shown if shown[each] == failed), key=str)
    return Regression(
        schedule=found.schedule,
        finding=finding,
        hop=hop,
        failed=rate.hits,
        of=rate.runs,
        repeats=repeats,
        kafka=choice.kafka_version,
        profile=choice.profile.name,
        found_in=found_in,
    )


def story(found: Minimised) -> str:
    """Return what was found, in words: the faults, the rate, and the steps that led there."""
    if not found.runs:
        return "nothing was played to its end"
    faults: Sequence[object] = found.schedule.faults
    lines = [
        f"{len(faults)} fault(s) after {found.runs} runs"
        + ("" if found.complete else "; it ended before every step was tried")
    ]
    lines += [f"  {words}" for words in found.schedule.in_words() or ("no fault at all",)]
    lines.append(f"failed {found.rate}")
    if found.repeats is not None:
        lines.append(f"{found.repeats} repeat(s) show it with 95 % certainty")
    lines.append("steps:")
    lines += [
        f"  {step.runs:4} {'kept' if step.kept else 'not'}  {step.what}  {step.rate}"
        for step in found.log
    ]
    return "\n".join(lines)
