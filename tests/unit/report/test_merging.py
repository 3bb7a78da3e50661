"""Shards and copies add up: each number of a campaign counts once, in whatever order it comes."""

from dataclasses import replace
from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from harness.ledger.findings import Outcome
from harness.report.facts import Origin, RunFacts, Setting
from harness.report.merging import merge, severity

SETTING = Setting(pipeline="outbox")
CAMPAIGNS = ("", "a", "b")


def played(place: int, outcome: Outcome | None) -> RunFacts:
    """Return the run of one folder: of campaign a or b, or of none; several have equal numbers."""
    identity = CAMPAIGNS[place % 3]
    return RunFacts(
        name=f"run-{place}",
        path=Path(f"folder-{place}"),
        origin=Origin(identity=identity, number=place % 5 if identity else None),
        outcome=outcome,
        schedule=None,
        setting=SETTING,
    )


RUNS = st.builds(played, st.integers(0, 40), st.sampled_from([*Outcome, None]))


@given(st.lists(RUNS), st.randoms(use_true_random=False))
def test_the_order_in_which_folders_are_named_does_not_matter(
    runs: list[RunFacts], random: Random
) -> None:
    """Equal runs, in equal order, under equal keys."""
    shuffled = list(runs)
    random.shuffle(shuffled)
    assert [run.outcome for run in merge(shuffled).runs] == [
        run.outcome for run in merge(runs).runs
    ]
    assert merge(shuffled).copies == merge(runs).copies


@given(st.lists(RUNS))
def test_each_number_of_a_campaign_counts_once_with_its_worst_outcome(runs: list[RunFacts]) -> None:
    """A failure that one machine saw is not undone by another one's pass."""
    once = {run.path: run for run in sorted(runs, key=lambda run: -severity(run.outcome))}.values()
    merged = merge(runs).runs
    numbers = [(run.origin.identity, run.origin.number) for run in merged if run.origin.identity]
    assert len(numbers) == len(set(numbers))
    for run in merged:
        alike = [each for each in once if each.origin == run.origin and run.origin.identity]
        assert severity(run.outcome) <= min(
            (severity(each.outcome) for each in alike), default=severity(run.outcome)
        )


@given(st.lists(RUNS))
def test_merging_what_was_merged_changes_nothing(runs: list[RunFacts]) -> None:
    """And no run is made up or lost: those left and the copies are all there were."""
    merged = merge(runs)
    assert merge(merged.runs).runs == merged.runs
    assert len(merged.runs) + merged.copies == len(runs)
    assert {run.path for run in merged.runs} <= {run.path for run in runs}


@given(st.lists(RUNS), st.lists(RUNS))
def test_shards_add_up(some: list[RunFacts], others: list[RunFacts]) -> None:
    """Merging merged shards is merging everything at once."""
    apart = [*merge(some).runs, *merge(others).runs]
    together = merge([*some, *others])
    assert [run.outcome for run in merge(apart).runs] == [run.outcome for run in together.runs]


def test_a_run_named_twice_counts_once_and_keeps_its_campaign() -> None:
    """By its folder: as a part of its campaign, and by itself."""
    run = RunFacts(
        name="run", path=Path("x"), outcome=Outcome.PASSED, schedule=None, setting=SETTING
    )
    numbered = replace(run, origin=Origin(campaign="c", identity="a", number=3))
    merged = merge([run, numbered, run])
    assert [each.origin.number for each in merged.runs] == [3]
    assert merged.copies == 2
    assert [each.key for each in merged.runs] == ["r1"]
