"""Folders into facts: whole ones, torn ones, and none; nothing is dropped in silence."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from harness.errors import UsageError
from harness.ledger.findings import Outcome
from harness.report import build
from harness.report.reading import read
from harness.report.sources import discover

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.report.facts import RunFacts

    from .run_folders import MakeCampaign, MakeRun


def facts(*paths: Path) -> list[RunFacts]:
    """Return what is read at these paths."""
    return read(discover(paths)).runs


def test_a_run_folder_is_read(make_run: MakeRun) -> None:
    """Outcome, schedule, setting, and what the timeline says."""
    (run,) = facts(make_run())
    assert (run.outcome, run.messages, run.took_s) == (Outcome.PASSED, 800, 7.0)
    assert run.schedule is not None
    assert [str(fault) for fault in run.schedule.faults] == [
        "isolate the leader of orders/0 from peers (hold)"
    ]
    assert run.setting.conditions == {"backend": "local", "profile": "fast", "kafka": "4.3.1"}
    assert run.setting.versions["java"] == "17.0.15 (PATH)"
    assert run.timeline.last_phase == "done"


def test_equal_settings_are_kept_once(make_run: MakeRun, tmp_path: Path) -> None:
    """Thousands of runs of one night share them."""
    for number in range(3):
        make_run(f"20260101T00000{number}.000-outbox-1a2b3c4d5e6f")
    make_run("20260101T000009.000-acks-1-1a2b3c4d5e6f", variant="acks-1")
    runs = facts(tmp_path / "runs")
    assert len({id(run.setting) for run in runs}) == 2
    assert [run.setting.safe for run in runs] == [True, True, True, False]


@pytest.mark.parametrize(
    ("torn", "said"),
    [
        (
            lambda run: (run / "verdict.json").unlink(),
            "there is no verdict.json; its timeline ends",
        ),
        (lambda run: (run / "verdict.json").write_text('{"outc'), "verdict.json is torn"),
        (lambda run: [f.unlink() for f in run.iterdir()], "it has no timeline"),
    ],
)
def test_a_torn_run_is_listed_with_the_reason_and_is_no_pass(
    torn: Callable[[Path], object], said: str, make_run: MakeRun, tmp_path: Path
) -> None:
    """Whatever is missing: the harness was killed before it could judge."""
    torn(make_run())
    report = build([tmp_path / "runs"])
    assert [run.outcome for run in report.runs] == [None]
    assert said in report.runs[0].incomplete
    assert report.headline.outcomes == {"incomplete": 1}
    assert report.headline.colour == "inconclusive"
    assert report.runs[0].name in report.headline.warnings[0]


def test_a_torn_timeline_tells_as_much_as_it_holds(make_run: MakeRun) -> None:
    """The verdict stands; what comes after the torn line is not known."""
    run = make_run()
    text = (run / "timeline.jsonl").read_text()
    (run / "timeline.jsonl").write_text(text[: text.index('"phase": "drain"')])
    (read_,) = facts(run)
    assert (read_.outcome, read_.timeline.last_phase) == (Outcome.PASSED, "heal")


def test_a_schedule_of_another_format_costs_the_coverage_only(make_run: MakeRun) -> None:
    """The verdict counts, and a warning names the run and what is wrong."""
    run = make_run()
    schedule = json.loads((run / "schedule.json").read_text())
    schedule["faults"][0]["kind"] = "earthquake"
    (run / "schedule.json").write_text(json.dumps(schedule))
    report = build([run])
    assert report.headline.outcomes == {"PASSED": 1}
    assert not any(cell.scheduled for cell in report.coverage.cells)
    assert (
        "schedule.json is not one that this version reads: faults.0" in report.headline.warnings[0]
    )


def test_a_campaign_is_read_by_its_results(make_campaign: MakeCampaign) -> None:
    """Its folders add what results do not hold; journals are not needed."""
    campaign = make_campaign({0: Outcome.PASSED, 1: Outcome.FAILED, 2: Outcome.VACUOUS})
    runs = facts(campaign.path)
    assert [run.outcome for run in runs] == [Outcome.PASSED, Outcome.FAILED, Outcome.VACUOUS]
    assert [run.origin.number for run in runs] == [0, 1, 2]
    assert [run.took_s for run in runs] == [9.0, 10.0, 11.0]
    assert all(run.figures["log_duplicates"] == 5 for run in runs)


def test_a_campaign_that_was_moved_finds_its_folders(
    make_campaign: MakeCampaign, tmp_path: Path
) -> None:
    """Results name where a run was played; an artifact is read elsewhere."""
    campaign = make_campaign({0: Outcome.PASSED})
    moved = campaign.path.rename(tmp_path / "moved")
    (run,) = facts(moved)
    assert run.path == moved / "runs" / run.name


def test_a_result_without_its_folder_counts(make_campaign: MakeCampaign) -> None:
    """Only what its line holds is known then."""
    campaign = make_campaign({0: Outcome.FAILED})
    shutil.rmtree(campaign.runs)
    (run,) = facts(campaign.path)
    assert (run.outcome, run.path, run.messages) == (Outcome.FAILED, None, 800)
    report = build([campaign.path])
    assert report.counterexamples[0].commands.play == ""
    assert report.headline.lost == 2


def test_a_run_that_its_campaign_never_recorded_is_listed(
    make_campaign: MakeCampaign, make_run: MakeRun
) -> None:
    """The campaign was killed while it was played."""
    campaign = make_campaign({0: Outcome.PASSED})
    torn = make_run("20260101T000100.000-outbox-ffffffffffff", into=campaign.runs)
    (torn / "verdict.json").unlink()
    assert [run.outcome for run in facts(campaign.path)] == [Outcome.PASSED, None]


def test_a_broken_line_of_results_is_told(make_campaign: MakeCampaign) -> None:
    """A torn last line is the run that was being written: its folder speaks for it."""
    campaign = make_campaign({0: Outcome.PASSED, 1: Outcome.PASSED})
    results = campaign.path / "results.jsonl"
    first, second = results.read_text().splitlines(keepends=True)
    results.write_text("{}\n" + first + second[:40])
    report = build([campaign.path])
    assert report.headline.outcomes == {"PASSED": 2}
    assert any("results.jsonl:1: not a result" in said for said in report.headline.warnings)


def test_nothing_to_report_is_one_error(tmp_path: Path, make_campaign: MakeCampaign) -> None:
    """A path that is not there, a folder without runs, an empty campaign."""
    with pytest.raises(UsageError, match="does not exist"):
        build([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="There is no run to report in"):
        build([tmp_path / "empty"])
    with pytest.raises(UsageError, match="an empty campaign"):
        build([make_campaign({}).path])
