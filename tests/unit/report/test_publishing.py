"""The files of a report: data with a schema, history, price; and no harm to whoever asked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cli import main
from harness.errors import HarnessError, UsageError
from harness.ledger.findings import Hop, Kind, Outcome, Total
from harness.report import build, publish, publish_at_the_end
from harness.report.files import read_json, schema, write_json
from harness.report.price import read_price, write_price
from harness.report.tables import Price, PriceRow

if TYPE_CHECKING:
    from .run_folders import MakeRun

ROOT = Path(__file__).parents[3]
LOST = Total(kind=Kind.LOST, hop=Hop.ACKED_NOT_IN_LOG, count=2)
PRICE = Price(
    measured="2026-01-01T00:00:00+00:00",
    conditions={"kafka": "4.3.1"},
    rows=(PriceRow(name="acks=all", messages_per_s=1500.0, p50_ms=4.0, p99_ms=11.0, group="acks"),),
)


def test_the_committed_schema_is_that_of_the_report() -> None:
    """What `harness.report.files.schema()` returns is what stands there."""
    assert (ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8") == schema()


def test_a_report_is_read_back_as_it_was_written(make_run: MakeRun, tmp_path: Path) -> None:
    """With a failing run in it, and its rows."""
    make_run("20260101T000001.000-outbox-x", outcome=Outcome.FAILED, totals=[LOST])
    make_run()
    report = build([tmp_path / "runs"])
    assert read_json(write_json(report, tmp_path / "report.json")) == report


def test_any_text_survives_its_json(make_run: MakeRun, tmp_path: Path) -> None:
    """Whatever a system under test is called, or says."""
    report = build([make_run()])

    @settings(max_examples=50, deadline=None)
    @given(st.text())
    def survives(text: str) -> None:
        named = replace(report, headline=replace(report.headline, title=text, warnings=(text,)))
        assert read_json(write_json(named, tmp_path / "report.json")) == named

    survives()


def test_earlier_reports_are_the_history(make_run: MakeRun, tmp_path: Path) -> None:
    """Those beside the page, those named, and what the replaced one remembered; oldest first."""
    for second in range(3):
        make_run(f"20260101T00000{second}.000-outbox-x")
    page, elsewhere = tmp_path / "reports" / "latest.html", tmp_path / "old"
    runs = sorted((tmp_path / "runs").iterdir())
    publish(runs[:1], elsewhere / "first.html", title="first")
    publish(runs[:2], page, title="second", earlier=[elsewhere])
    (elsewhere / "first.json").unlink()
    (page.parent / "noise.json").write_text('{"kind": "report", "format": 1}')
    report, _ = publish(runs, page, title="third")
    assert [(point.title, point.runs) for point in report.history] == [("first", 1), ("second", 2)]


def test_a_report_over_the_same_runs_is_no_history(make_run: MakeRun, tmp_path: Path) -> None:
    """Making the page again adds nothing."""
    page = tmp_path / "report.html"
    publish([make_run()], page)
    report, _ = publish([tmp_path / "runs"], page)
    assert report.history == ()


def test_the_price_of_safety_is_read_from_its_file(make_run: MakeRun, tmp_path: Path) -> None:
    """As a benchmark wrote it; a wrong key is told by its name."""
    file = tmp_path / "price.json"
    write_price(PRICE, file)
    assert build([make_run()], price=file).price == PRICE
    file.write_text(file.read_text().replace("p50_ms", "p5_ms"))
    with pytest.raises(UsageError, match="did you mean `p50_ms`"):
        read_price(file)
    with pytest.raises(UsageError, match="cannot be read"):
        read_price(tmp_path / "none.json")


def test_the_command_writes_the_data_and_says_where(make_run: MakeRun, tmp_path: Path) -> None:
    """One line of verdict, then the files."""
    page = tmp_path / "out" / "night.html"
    said = CliRunner().invoke(
        main, ["report", str(make_run()), "-o", str(page), "--title", "night"]
    )
    assert said.exit_code == 0, said.output
    assert said.output.startswith("PASSED: 0 lost, 0 processed twice of 800 messages in 1 run;")
    assert str(page.with_suffix(".json")) in said.output.splitlines()
    printed = CliRunner().invoke(main, ["report", str(tmp_path), "-o", str(page), "--json"])
    assert json.loads(printed.stdout)["headline"]["outcome"] == "PASSED"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "There is nothing to report on"),
        (["no-such-folder"], "no-such-folder does not exist"),
        ([".", "-o", "report.json"], "would be both the page and its data"),
    ],
)
def test_bad_input_is_one_usage_error(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong and what to do, exit code 2, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["report", *arguments])
    assert result.exit_code == 2
    assert said in result.stderr
    assert "→" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(make_run: MakeRun, tmp_path: Path) -> None:
    """As an error to who asked for a report, as one line to who asked for something else."""
    (tmp_path / "file").touch()
    page = tmp_path / "file" / "report.html"
    with pytest.raises(HarnessError, match="cannot be written"):
        publish([make_run()], page)
    said = publish_at_the_end([tmp_path / "runs"], page)
    assert said.startswith("warning: no report was written: HarnessError: The report")
    assert "\n" not in said
