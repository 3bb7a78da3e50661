"""The minimised failures among the counterexamples, and all of them in order, smallest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.campaign.regression import Regression
from harness.ledger.findings import Outcome
from harness.report.axis import RunStory
from harness.report.cases import Commands, Counterexample, Fact, FindingTotal
from harness.report.claims import words_of
from harness.report.counterexamples import example, named, representatives
from harness.report.facts import RunFacts
from harness.report.headline import share
from harness.report.words import fault_line, plural, workload_words
from harness.run.result import lab_options
from harness.schedule.codec import fingerprint, to_json

SHOWN_AT_MOST = 12
REPLAYED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A minimised failure and the file it stands in."""

    file: Path
    regression: Regression

    @property
    def fingerprint(self) -> str:
        """Return what its schedule is known by."""
        return fingerprint(self.regression.schedule)


def counterexamples(
    runs: Sequence[RunFacts], pinned: Sequence[Pinned], *, stories: Sequence[RunStory]
) -> tuple[Counterexample, ...]:
    """Return what nobody expected first; in that the minimised ones, then the smallest others."""
    told = {story.run: story for story in stories}
    minimised = [_minimised(each, runs, told) for each in pinned]
    minimised.sort(key=lambda one: len(one.faults))
    behind = {one.run for one in minimised}
    ways = [failed for failed in representatives(runs).values() if failed[0].key not in behind]
    found = [example(failed, runs, told) for failed in ways[:SHOWN_AT_MOST]]
    ordered = sorted([*minimised, *found], key=lambda one: (one.expected, not one.minimised))
    return tuple(ordered[:SHOWN_AT_MOST])


def _minimised(
    pinned: Pinned, runs: Sequence[RunFacts], told: Mapping[str, RunStory]
) -> Counterexample:
    """Return a pinned failure; a run of its schedule, or the one it came from, tells the rest."""
    regression, schedule = pinned.regression, pinned.regression.schedule
    origin = _origin(pinned, runs)
    known = example([origin], runs, told) if origin else _bare(regression)
    measured = share(regression.failed, regression.of)
    found = words_of(regression.finding, regression.hop)
    return replace(
        known,
        key=f"m-{pinned.fingerprint}",
        title=f"{schedule.variant or schedule.pipeline}: {found}",
        faults=tuple(fault_line(fault, None) for fault in schedule.faults),
        workload=workload_words(schedule.workload),
        schedule=to_json(schedule),
        minimised=True,
        share=measured,
        share_of=f"of {plural(measured.runs, 'run')} when it was minimised",
        repeats=regression.repeats,
        commands=_commands(pinned, known.commands),
    )


def _origin(pinned: Pinned, runs: Sequence[RunFacts]) -> RunFacts | None:
    failed = [run for run in runs if run.outcome is Outcome.FAILED]
    same = [run for run in failed if run.fingerprint == pinned.fingerprint]
    came_from = Path(pinned.regression.found_in).name
    candidates = [*same, *(run for run in failed if run.name == came_from)]
    return candidates[0] if candidates else None


def _commands(pinned: Pinned, known: Commands) -> Commands:
    regression, file = pinned.regression, named(pinned.file)
    options = lab_options({"profile": regression.profile, "kafka": regression.kafka})
    times = max(regression.repeats, REPLAYED)
    return replace(
        known,
        play=f"harness replay {file} --times {regression.repeats}{options}",
        replay=f"harness replay {file} --times {times}{options}",
        minimise="",
    )


def _bare(regression: Regression) -> Counterexample:
    """Return what a pinned failure says by itself, without any run."""
    schedule = regression.schedule
    return Counterexample(
        key="",
        title="",
        run=None,
        expected=schedule.variant is not None,
        pipeline=schedule.pipeline,
        variant=schedule.variant,
        why="",
        reference="",
        totals=(FindingTotal(kind=regression.finding, hop=regression.hop, count=0),),
        faults=(),
        workload="",
        schedule="",
        minimised=True,
        share=share(regression.failed, regression.of),
        share_of="",
        repeats=regression.repeats,
        others=(),
        others_count=0,
        commands=Commands(play="", replay="", minimise="", check="", explain=""),
        versions=(
            Fact(name="kafka", values=(regression.kafka,)),
            Fact(name="profile", values=(regression.profile,)),
        ),
        configuration=(),
        differences=(),
        findings=(),
        life=None,
    )
