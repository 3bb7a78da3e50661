"""The counterexamples: for each way of failing the smallest schedule that shows it."""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.ledger.findings import Outcome
from harness.report.axis import RunStory
from harness.report.cases import Commands, Counterexample, Share
from harness.report.claims import shown, words_of
from harness.report.documents import configuration, differences, safe_document
from harness.report.facts import RunFacts
from harness.report.headline import conditions, share
from harness.report.words import (
    fault_lines,
    finding_shown,
    plural,
    schedule_size,
    workload_words,
)
from harness.run.result import lab_options
from harness.schedule.codec import to_json
from harness.schedule.statistics import repeats_for_detection

SHOWN_AT_MOST = 12
OTHERS_AT_MOST = 50
Way = tuple[str, str, frozenset[tuple[str, str | None]]]
"""Pipeline, variant, and the kinds and hops of what was found."""


def representatives(runs: Sequence[RunFacts]) -> dict[Way, list[RunFacts]]:
    """Return the runs of each way of failing, the one with the smallest schedule first."""
    ways: defaultdict[Way, list[RunFacts]] = defaultdict(list)
    for run in runs:
        if run.outcome is Outcome.FAILED:
            ways[_way(run)].append(run)
    for failed in ways.values():
        failed.sort(key=lambda run: (run.path is None, schedule_size(run.schedule), run.key))
    return dict(sorted(ways.items(), key=lambda way: _rank(way[1][0])))


def _way(run: RunFacts) -> Way:
    variant = run.setting.variant
    found = frozenset((str(t.kind), None if t.hop is None else str(t.hop)) for t in run.totals)
    return run.setting.pipeline, "" if variant is None else variant.name, found


def _rank(run: RunFacts) -> tuple[object, ...]:
    """Return what ways are sorted by: those that nobody expected first, then the smallest."""
    return not run.setting.safe, schedule_size(run.schedule), run.key


def example(
    failed: Sequence[RunFacts], runs: Sequence[RunFacts], told: Mapping[str, RunStory]
) -> Counterexample:
    """Return the counterexample that the first of `failed` is; the others failed in the same way.

    `told`: the stories there are, by run.
    """
    run, variant = failed[0], failed[0].setting.variant
    measured = _measured(run, runs)
    lives = told[run.key].lives if run.key in told else ()
    return Counterexample(
        key=f"c-{run.key}",
        title=_title(run),
        run=run.key,
        expected=not run.setting.safe,
        pipeline=run.setting.pipeline,
        variant=None if variant is None else variant.name,
        why="" if variant is None else variant.why,
        reference="" if variant is None else variant.reference,
        totals=shown(run.totals),
        faults=fault_lines(run, evidence=True),
        workload="" if run.schedule is None else workload_words(run.schedule.workload),
        schedule="" if run.schedule is None else to_json(run.schedule),
        minimised=False,
        share=measured,
        share_of=f"of {plural(measured.runs, 'run')} of this very schedule in this report",
        repeats=repeats_for_detection(measured.hits / measured.runs) if measured.runs else None,
        others=tuple(one.key for one in failed[1 : OTHERS_AT_MOST + 1]),
        others_count=len(failed) - 1,
        commands=commands(run),
        versions=conditions([run]),
        configuration=configuration(run.setting),
        differences=differences(run.setting.document, safe_document(run, runs)),
        findings=tuple(finding_shown(finding) for finding in run.listed),
        life=lives[0] if lives else None,
    )


def _measured(run: RunFacts, runs: Sequence[RunFacts]) -> Share:
    """Return how often this very schedule failed in this very way."""
    same = [one for one in runs if _equal(one, run) and one.conclusive]
    return share(sum(_way(one) == _way(run) for one in same), len(same))


def _equal(one: RunFacts, other: RunFacts) -> bool:
    """Tell whether two runs played the same schedule; one that cannot be read is like no other."""
    return one is other or (bool(one.fingerprint) and one.fingerprint == other.fingerprint)


def _title(run: RunFacts) -> str:
    variant = run.setting.variant
    found = "; ".join(
        words_of(str(total.kind), None if total.hop is None else str(total.hop))
        for total in run.totals
    )
    return f"{variant.name if variant else run.setting.pipeline}: {found}"


def commands(run: RunFacts) -> Commands:
    """Return what may be typed about a run; nothing where its folder is not at hand."""
    if run.path is None:
        return Commands(play="", replay="", minimise="", check="", explain="")
    folder, options = named(run.path), lab_options(run.setting.conditions)
    offender = str(run.listed[0].message_id) if run.listed else "MESSAGE"
    return Commands(
        play=f"harness run --schedule {folder}{options}",
        replay=f"harness replay {folder} --times 20{options}",
        minimise=f"harness minimise {folder}{options}",
        check=f"harness check {folder}",
        explain=f"harness explain {folder} {offender}",
    )


def named(path: Path) -> str:
    """Return a path as a command typed here names it: relative where it stands below."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
