"""What a report says of known runs: verdict, balance, counterexamples, tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.campaign.regression import Regression, write_regression
from harness.ledger.findings import Hop, Kind, Outcome, Total, Verdict
from harness.ledger.judge import write_verdict
from harness.report import build
from harness.schedule.values import Schedule
from harness.schedule.words import kill, leader, relay

if TYPE_CHECKING:
    from pathlib import Path

    from .run_folders import MakeCampaign, MakeRun

PASSED, FAILED, VACUOUS = Outcome.PASSED, Outcome.FAILED, Outcome.VACUOUS
LOST = Total(kind=Kind.LOST, hop=Hop.ACKED_NOT_IN_LOG, count=300)
DOUBLED = Total(kind=Kind.DUPLICATE_EFFECT, hop=None, count=4)


def test_a_clean_night_says_what_it_is_worth(make_campaign: MakeCampaign) -> None:
    """Messages, faults that met traffic, and the bound of what 20 runs can prove."""
    headline = build([make_campaign(dict.fromkeys(range(20), PASSED)).path]).headline
    assert (headline.outcome, headline.colour) == (PASSED, "passed")
    assert headline.sentence == (
        "0 lost, 0 processed twice of 16,000 messages in 20 runs; 20 of 20 faults met traffic; "
        "with 95 % confidence fewer than 13.91% of schedules like these fail (20 conclusive runs)"
    )
    assert (headline.run_median_s, headline.run_p95_s) == (18.5, 27.0)
    assert any("aborted-effect" in said for said in headline.not_tested)
    assert any("crash points were never hit" in said for said in headline.not_tested)


def test_what_had_not_arrived_over_the_budget_is_said(make_run: MakeRun, tmp_path: Path) -> None:
    """Two shards may have folders of one name; messages of a vacuous run are not counted."""
    for shard in ("one", "two"):
        folder = make_run(into=tmp_path / "runs" / shard)
        judged = Verdict.from_json((folder / "verdict.json").read_bytes())
        write_verdict(folder, replace(judged, figures={**judged.figures, "messages_stuck": 7}))
    make_run("20260101T000009.000-outbox-1a2b3c4d5e6f", outcome=VACUOUS)
    report = build([tmp_path / "runs"])
    assert report.headline.sentence.startswith(
        "0 lost, 0 processed twice of 1,600 messages in 2 of 3 runs; "
        "14 had not arrived where no progress was promised; "
    )
    assert sum(gap.count for gap in report.funnels[0].stages[-1].gaps) == 14


@pytest.mark.parametrize(
    ("outcomes", "whole"),
    [
        ([PASSED] * 19 + [VACUOUS], PASSED),
        ([PASSED] * 9 + [VACUOUS], VACUOUS),
        ([PASSED] * 9 + [Outcome.HANG], Outcome.HANG),
        ([PASSED, Outcome.HARNESS_ERROR, Outcome.UNKNOWN], Outcome.UNKNOWN),
        ([PASSED] * 9 + [FAILED], FAILED),
        ([VACUOUS], VACUOUS),
    ],
)
def test_the_whole_is_its_worst_run_with_what_a_campaign_tolerates(
    outcomes: list[Outcome], whole: Outcome, make_campaign: MakeCampaign
) -> None:
    """One run in twenty may prove nothing."""
    headline = build([make_campaign(dict(enumerate(outcomes))).path]).headline
    assert headline.outcome is whole


def test_a_failing_night_says_how_often(make_campaign: MakeCampaign) -> None:
    """With the interval of the share; the failure stands first in every list."""
    report = build([make_campaign({0: PASSED, 1: PASSED, 2: FAILED, 3: PASSED}).path])
    assert report.headline.failing is not None
    assert (report.headline.failing.hits, report.headline.failing.runs) == (1, 4)
    assert "1 of 4 conclusive runs failed (95 % interval 5% to 70%)" in report.headline.sentence
    assert (report.headline.lost, report.headline.bound) == (2, None)
    assert [run.colour for run in report.runs] == ["failed", "passed", "passed", "passed"]
    assert [story.why for story in report.stories] == ["failed", "a typical run that passed"]


def test_shards_add_up_and_a_number_counts_once(make_campaign: MakeCampaign) -> None:
    """Two machines of one campaign, one of which was given twice."""
    first = make_campaign({0: PASSED, 2: PASSED}, shard=1, of=2, where="one")
    second = make_campaign({1: PASSED, 3: FAILED}, shard=2, of=2, where="two")
    copy = make_campaign({1: PASSED}, shard=2, of=2, where="three")
    report = build([first.path, second.path, copy.path])
    assert report.headline.outcomes == {"FAILED": 1, "PASSED": 3}
    assert any(
        "the same number of the same campaign: 1 run." in said for said in report.headline.warnings
    )


def test_messages_leave_the_funnel_where_they_are_accused(make_run: MakeRun) -> None:
    """Counts are whole, names are capped."""
    run = make_run(
        outcome=FAILED, totals=[LOST, DOUBLED, Total(kind=Kind.PHANTOM, hop=Hop.LOG, count=1)]
    )
    (funnel,) = build([run]).funnels
    assert [(stage.name, stage.count) for stage in funnel.stages] == [
        ("committed", 800),
        ("relayed", 800),
        ("acknowledged", 800),
        ("in the log", 500),
        ("delivered ≥ 1", 500),
        ("effect = 1", 496),
    ]
    (gap,) = funnel.stages[3].gaps
    assert (gap.what, gap.count, len(gap.messages)) == ("lost, acked-not-in-log", 300, 50)
    assert (gap.messages[0].run, gap.messages[0].message) == ("r1", "1")
    assert [gap.what for gap in funnel.beside] == ["phantom, log"]


def test_findings_that_are_not_confirmed_are_held_against_nobody(make_run: MakeRun) -> None:
    """An UNKNOWN run counts neither its messages nor what it seems to have lost."""
    report = build([make_run(outcome=Outcome.UNKNOWN, totals=[LOST])])
    assert (report.headline.messages, report.headline.lost) == (0, 0)
    assert report.funnels[0].stages[0].count == 0
    assert report.counterexamples == ()


def test_an_unsafe_variant_beside_safe_runs_has_to_be_caught(
    make_run: MakeRun, tmp_path: Path
) -> None:
    """Caught: the night is green. Played and never caught: these eyes are in doubt."""
    make_run()
    unsafe = make_run(
        "20260101T000001.000-acks-1-x", variant="acks-1", outcome=FAILED, totals=[LOST]
    )
    report = build([tmp_path / "runs"])
    assert (report.headline.outcome, report.headline.runs, report.headline.lost) == (PASSED, 1, 0)
    assert report.headline.unsafe is not None
    assert (report.headline.unsafe.variants, report.headline.unsafe.variants_caught) == (1, 1)
    assert [(run.caught, run.colour) for run in report.runs] == [
        (True, "passed"),
        (False, "passed"),
    ]
    assert [funnel.of for funnel in report.funnels] == ["safe", "unsafe"]

    other = Total(kind=Kind.STUCK, hop=None, count=1)
    (unsafe / "verdict.json").unlink()
    unsafe.rename(tmp_path / "gone")
    make_run("20260101T000001.000-acks-1-x", variant="acks-1", outcome=FAILED, totals=[other])
    report = build([tmp_path / "runs"])
    assert report.headline.outcome is Outcome.UNKNOWN
    assert "acks-1 was played and never caught" in report.headline.warnings[0]
    rows = {row.name: row.state for row in report.catalogue}
    assert (rows["acks-1"], rows["outbox"], rows["acks-0"]) == ("not caught", "held", "not played")


def test_runs_of_an_unsafe_variant_alone_are_judged_by_themselves(make_run: MakeRun) -> None:
    """Whoever reports on a bad setting wants to see that it fails, how, and against what."""
    report = build([make_run(variant="acks-1", outcome=FAILED, totals=[LOST])])
    assert (report.headline.outcome, report.headline.lost) == (FAILED, 300)
    assert report.runs[0].colour == "failed"
    (found,) = report.counterexamples
    assert (found.title, found.expected) == ("acks-1: lost, acked-not-in-log", True)
    assert [(each.where, each.safe) for each in found.differences] == [
        ("roles.relay.env.KAFKA_PRODUCER_CONFIG", "(not set)")
    ]
    assert found.commands.play.startswith("harness run --schedule ")
    assert found.commands.play.endswith(" --profile fast --kafka 4.3.1")
    assert found.commands.explain.endswith(" 1")
    assert len(found.findings) == 5


def test_the_smallest_schedule_of_each_way_of_failing_is_the_counterexample(
    make_run: MakeRun, tmp_path: Path
) -> None:
    """Others that failed in the same way are named; equal schedules give the probability."""
    small = Schedule(pipeline="outbox", faults=(kill(relay()).after(acked=10),))
    large = Schedule(
        pipeline="outbox", faults=(kill(relay()).after(acked=10), kill(leader("orders", 0)))
    )
    for second, schedule, outcome, totals in (
        (1, large, FAILED, [LOST]),
        (2, small, FAILED, [LOST]),
        (3, small, PASSED, []),
        (4, small, FAILED, [DOUBLED]),
    ):
        name = f"20260101T00000{second}.000-outbox-x"
        make_run(name, schedule=schedule, outcome=outcome, totals=totals)
    lost, doubled = build([tmp_path / "runs"]).counterexamples
    assert (lost.title, doubled.title) == (
        "outbox: lost, acked-not-in-log",
        "outbox: duplicate-effect",
    )
    assert [fault.words for fault in lost.faults] == ["kill relay 0"]
    assert (lost.share.hits, lost.share.runs, lost.repeats) == (1, 3, 8)
    assert len(lost.others) == lost.others_count == 1
    assert not lost.expected


def test_a_minimised_failure_stands_first_and_tells_of_the_run_it_came_from(
    make_run: MakeRun, tmp_path: Path
) -> None:
    """Its own schedule and measured probability; versions, findings and settings of that run."""
    small = Schedule(pipeline="outbox", faults=(kill(relay()).after(acked=10),))
    run = make_run(outcome=FAILED, totals=[LOST])
    make_run("20260101T000005.000-outbox-x", outcome=FAILED, totals=[DOUBLED])
    pinned = Regression(
        schedule=small, finding="lost", hop="acked-not-in-log", failed=3, of=5, repeats=4,
        kafka="4.3.1", found_in=run.name,
    )  # fmt: skip
    write_regression(pinned, tmp_path / "minimised" / "lost.json")
    first, other = build([tmp_path / "runs", tmp_path / "minimised"]).counterexamples
    assert (first.title, first.minimised, first.run) == (
        "outbox: lost, acked-not-in-log",
        True,
        "r1",
    )
    assert [fault.words for fault in first.faults] == ["kill relay 0"]
    assert (first.share.hits, first.share.runs, first.repeats) == (3, 5, 4)
    assert first.commands.play.startswith("harness replay ")
    assert "lost.json --times 4 --profile fast --kafka 4.3.1" in first.commands.play
    assert first.commands.check.endswith(run.name)
    assert len(first.findings) == 5
    assert (other.title, other.minimised) == ("outbox: duplicate-effect", False)

    (alone,) = build([tmp_path / "minimised" / "lost.json"]).counterexamples
    assert (alone.run, alone.findings, alone.minimised) == (None, (), True)


def test_texts_of_the_system_under_test_are_kept_short(make_run: MakeRun) -> None:
    """A 10 kB key does not make a page of 10 MB; what it says is left as it is."""
    (found,) = build([make_run(outcome=FAILED, totals=[LOST])]).counterexamples
    columns = dict(found.findings[0].rows[0].columns)
    assert columns["key"] == "k" * 400 + "… (10,000 characters)"
    assert columns["topic"] == "<script>alert(1)</script>"


def test_the_link_matrix_tells_what_met_a_cut_on_each_link(make_run: MakeRun) -> None:
    """Every link that the pipeline had is there, cut or not; slots stand for their roles.

    A link that carried nothing was cut in vain, though its fault bit on others.
    """
    cells = {(cell.plane, cell.source, cell.target): cell for cell in build([make_run()]).links}
    cut = cells["replication", "1", "2"]
    assert [(each.flavour, each.times, each.bit) for each in cut.cuts] == [("hold", 1, 1)]
    assert (cut.connections, cut.bytes_sent, cut.bytes_answered) == (1, 800, 80)
    idle = cells["quorum", "3", "2"]
    assert [(each.flavour, each.times, each.bit) for each in idle.cuts] == [("hold", 1, 0)]
    assert cells["client", "consumer", "1"].cuts == ()
    assert {source for plane, source, _ in cells if plane == "database"} == {
        "producer",
        "relay",
        "consumer",
    }


def test_recovery_is_measured_over_runs_with_one_fault(make_run: MakeRun, tmp_path: Path) -> None:
    """From the heal at 4.5 s: full ISR at 5.25 s; what was committed by then done at 5.75 s."""
    make_run()
    make_run("20260101T000001.000-outbox-x", bit=False)
    (row,) = build([tmp_path / "runs"]).recovery
    assert (row.fault, row.target) == ("isolate/hold", "leader from peers")
    assert row.first_ack is not None
    assert row.full_isr is not None
    assert row.zero_lag is not None
    assert (row.first_ack.n, row.first_ack.max_s) == (1, 1.9)
    assert (row.full_isr.p50_s, row.zero_lag.p95_s) == (0.75, 1.25)


def test_the_grid_shows_what_was_possible_and_not_met(make_run: MakeRun) -> None:
    """Empty cells come from the menu of this pipeline; crash points from its own file."""
    coverage = build([make_run()]).coverage
    met_cells = [cell for cell in coverage.cells if cell.bit]
    assert [(cell.fault, cell.target, cell.plane) for cell in met_cells] == [
        ("isolate/hold", "leader from peers", "node links")
    ]
    assert ("kill", "leader") in {
        (cell.fault, cell.target) for cell in coverage.cells if not cell.bit
    }
    assert all(cell.plane for cell in coverage.cells)
    assert {point.role for point in coverage.points} == {"producer", "relay", "consumer"}
    assert not any(point.hit for point in coverage.points)


def test_second_copies_are_counted_where_they_appear(make_run: MakeRun) -> None:
    """Records, deliveries, and what became of them."""
    (counted,) = build([make_run()]).duplicates
    assert (counted.in_log, counted.delivered_again, counted.absorbed, counted.doubled) == (
        5,
        3,
        3,
        0,
    )
