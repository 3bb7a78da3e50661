"""A night: which steps it plays, what it makes of them, and how shards of it add up."""

import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest
from click.testing import CliRunner

from harness.campaign.folder import Asked
from harness.campaign.night import NightPlayer
from harness.campaign.night_plan import Plan, plan_night
from harness.campaign.night_record import Campaigned, Night, judged, merged, read_night, write_night
from harness.campaign.night_summary import summary_md
from harness.campaign.regression import Regression, read_regression, write_regression
from harness.campaign.result import Hit, Job, Result
from harness.cli import main, nightly
from harness.errors import LabError, UsageError
from harness.lab.choice import LabChoice
from harness.ledger.findings import Hop, Kind, Outcome, Total, Verdict
from harness.run.folder import make_run_folder
from harness.schedule.values import Schedule
from harness.schedule.words import kill, leader

from .standing_in import pool_of

ASKED = Asked(pipeline="outbox", seed=3)
LOST = Total(kind=Kind.LOST, hop=Hop.ACKED_NOT_IN_LOG, count=3)
REGRESSION = Regression(
    schedule=Schedule(pipeline="outbox", faults=(kill(leader("orders", 0)),)),
    finding="lost",
    hop="acked-not-in-log",
    failed=5,
    of=5,
    repeats=1,
    kafka="4.3.1",
)
Judge = Callable[[Job], Outcome]


class PretendedLabs:
    """Plays nothing: what comes of a job is what `judge` says; a run folder is left behind.

    As a real pool of so many runs: then its time is up.
    """

    def __init__(self, runs: Path, judge: Judge, *, most: int = 12) -> None:
        self._runs = runs
        self._judge = judge
        self._most = most

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def play(self, jobs: Iterable[Job]) -> Iterator[Result]:
        """Yield a result for each job."""
        for job, _ in zip(jobs, range(self._most), strict=False):
            outcome = self._judge(job)
            totals = (LOST,) if outcome is Outcome.FAILED else ()
            folder = make_run_folder(self._runs, name="outbox", schedule=job.schedule)
            verdict = Verdict(outcome=outcome, reasons=(f"it is {outcome}",), totals=totals)
            (folder / "verdict.json").write_text(json.dumps(verdict.as_json()))
            yield Result(
                index=job.index,
                phase=job.phase,
                fingerprint="1a2b3c4d5e6f",
                schedule=job.schedule,
                outcome=outcome,
                reasons=verdict.reasons,
                totals=totals,
                faults=tuple(
                    Hit(what=str(fault), state="verified", bit=True)
                    for fault in job.schedule.faults
                ),
                messages=100,
                took_s=1.0,
                folder=str(folder),
            )


def plan(tmp_path: Path, *, asked: Asked = ASKED, time_s: float = 3600) -> Plan:
    """Return a night of an hour, with whatever is pinned in tmp_path/pinned."""
    return plan_night(
        tmp_path / "night",
        asked,
        choice=LabChoice(),
        labs=1,
        time_s=time_s,
        regressions=tmp_path / "pinned",
        runs_a_failure=30,
    )


def play(tmp_path: Path, judge: Judge, *, most: int = 12) -> tuple[Night, list[str]]:
    """Play it to its end, and return it with what was said."""
    said: list[str] = []
    player = NightPlayer(
        plan(tmp_path),
        pools=lambda runs: pool_of(PretendedLabs(runs, judge, most=most)),
        tell=lambda result: said.append(result.phase),
        say=said.append,
    )
    player.play()
    return player.record(), said


def passes(_: Job) -> Outcome:
    """Return what a good night is made of."""
    return Outcome.PASSED


def test_a_clean_night_plays_both_budgets_and_then_more_of_the_safe_one(tmp_path: Path) -> None:
    """What the minimiser does not need is played as well; nothing is played twice."""
    night, _ = play(tmp_path, passes)
    assert (night.outcome, night.exit_code, night.finished) == (Outcome.PASSED, 0, True)
    assert [(each.budget, each.outcomes) for each in night.campaigns] == [
        ("safe", {"PASSED": 24}),
        ("over", {"PASSED": 12}),
    ]
    assert night.failures == ()
    assert read_night(tmp_path / "night").outcome is Outcome.PASSED


def test_a_new_failure_is_made_small_and_pinned_beside_the_night(tmp_path: Path) -> None:
    """Ready to be copied to scenarios/regressions."""
    night, _ = play(tmp_path, lambda _: Outcome.FAILED)
    (failed,) = night.failures
    assert night.outcome is Outcome.FAILED
    assert failed.signature == ("lost (acked-not-in-log)",)
    assert failed.runs == 36
    assert failed.smallest is not None
    pinned = read_regression(tmp_path / "night" / failed.smallest.file)
    assert (pinned.finding, pinned.hop) == ("lost", "acked-not-in-log")
    assert pinned.schedule.in_words() == failed.smallest.faults
    assert (tmp_path / "night" / failed.run / "schedule.json").is_file()


def test_a_failure_that_is_pinned_already_is_not_made_small_again(tmp_path: Path) -> None:
    """Its regression is named instead, and it is back."""
    write_regression(REGRESSION, tmp_path / "pinned" / "lost-order.json")
    night, said = play(tmp_path, lambda _: Outcome.FAILED)
    assert [(each.name, each.state) for each in night.regressions] == [("lost-order", "back")]
    assert [(each.known, each.smallest) for each in night.failures] == [("lost-order", None)]
    assert "reduce" not in said
    assert said.count("pinned") == 1  # once it has failed, nothing more is to be known


def test_a_regression_that_is_mended_is_told_and_leaves_the_night_green(tmp_path: Path) -> None:
    """After as many clean runs as it takes to believe it."""
    write_regression(REGRESSION, tmp_path / "pinned" / "lost-order.json")
    night, said = play(tmp_path, passes)
    assert night.outcome is Outcome.PASSED
    assert said.count("pinned") == REGRESSION.repeats_to_clear() == 4
    assert "0 of 4 repeats failed" in night.regressions[0].said
    assert "mended, or the harness lost its sight" in summary_md(night)


def test_a_regression_that_its_share_of_the_night_cut_off_leaves_it_undecided(
    tmp_path: Path,
) -> None:
    """Three clean runs of the four that it takes mend nothing, and the night is not green."""
    write_regression(REGRESSION, tmp_path / "pinned" / "lost-order.json")
    night, _ = play(tmp_path, passes, most=3)
    assert night.outcome is Outcome.UNKNOWN
    assert [each.state for each in night.regressions] == ["inconclusive"]
    assert "it was played 3 of 4 times" in summary_md(night)


def test_trouble_in_one_step_does_not_end_the_night(tmp_path: Path) -> None:
    """It is tried again on new labs, and the night is no longer green."""

    def troubled(job: Job) -> Outcome:
        if job.schedule.budget == "over":
            raise LabError("node 2 did not start")
        return Outcome.PASSED

    night, said = play(tmp_path, troubled)
    assert night.outcome is Outcome.HARNESS_ERROR
    assert night.troubles == ("over budget: node 2 did not start",) * 3
    assert night.outcomes() == {"PASSED": 24}
    assert any(line.startswith("safe budget, on") for line in said)


def test_a_night_that_is_broken_off_leaves_what_there_is(tmp_path: Path) -> None:
    """At its start already, and after every step; it is never green."""

    def broken(job: Job) -> Outcome:
        if job.schedule.budget == "over":
            raise KeyboardInterrupt
        return Outcome.PASSED

    with pytest.raises(KeyboardInterrupt):
        play(tmp_path, broken)
    night = read_night(tmp_path / "night")
    assert (night.finished, night.outcome) == (False, Outcome.UNKNOWN)
    assert night.outcomes() == {"PASSED": 12}
    assert "It was broken off" in summary_md(night)


@pytest.mark.parametrize("error", [KeyboardInterrupt, LabError("node 2 did not start")])
def test_what_was_made_small_until_it_was_broken_off_is_pinned(
    tmp_path: Path, error: BaseException | type[BaseException]
) -> None:
    """By somebody or by a lab that is gone: the runs that it took are not thrown away."""
    played = 0

    def broken(job: Job) -> Outcome:
        nonlocal played
        if job.phase == "reduce":
            played += 1
            if played > 5:
                raise error
        return Outcome.FAILED

    with suppress(KeyboardInterrupt):
        play(tmp_path, broken)
    night = read_night(tmp_path / "night")
    (failed,) = night.failures
    assert failed.smallest is not None
    assert not failed.smallest.complete
    assert read_regression(tmp_path / "night" / failed.smallest.file).failed > 0
    assert night.finished == (error is not KeyboardInterrupt)


def test_one_that_was_broken_off_at_once_says_so(tmp_path: Path) -> None:
    """It has nothing to pin."""

    def broken(job: Job) -> Outcome:
        if job.phase == "reduce":
            raise LabError("node 2 did not start")
        return Outcome.FAILED

    night, _ = play(tmp_path, broken)
    assert [each.why_not for each in night.failures] == ["minimising it was broken off"]


def test_a_folder_that_holds_a_night_is_not_written_over(tmp_path: Path) -> None:
    """A night is a document."""
    play(tmp_path, passes)
    with pytest.raises(UsageError, match="holds a night already"):
        plan(tmp_path)


def test_shards_share_the_pinned_regressions(tmp_path: Path) -> None:
    """Each is played on one machine."""
    for number in range(5):
        write_regression(REGRESSION, tmp_path / "pinned" / f"{number}.json")
    shards = [
        [each.name for each in plan(tmp_path, asked=replace(ASKED, shard=one, of=2)).regressions]
        for one in (1, 2)
    ]
    assert shards == [["0", "2", "4"], ["1", "3"]]


def shard(number: int, of: int, outcome: Outcome = Outcome.PASSED) -> Night:
    """Return the night of one shard that played ten runs of this outcome."""
    return judged(
        Night(
            finished=True,
            began=f"2026-11-26T0{number}:00:00+00:00",
            time_s=60,
            labs=1,
            asked=replace(ASKED, shard=number, of=of),
            shards=(number,),
            campaigns=(
                Campaigned(
                    budget="safe",
                    outcomes={str(outcome): 10},
                    parts={"single": 10},
                    asked_parts={"single": 21},
                    messages=1000,
                    faults=12,
                    bit=11,
                ),
            ),
        )
    )


def test_shards_add_up() -> None:
    """Runs, messages and faults; and what none of them played is said."""
    night = merged({"a": shard(1, 2), "b": shard(2, 2)})
    (campaign,) = night.campaigns
    assert night.outcome is Outcome.PASSED
    assert (campaign.outcomes, campaign.messages, campaign.bit) == ({"PASSED": 20}, 2000, 22)
    assert "1 of 21 schedules of part `single`, safe budget" in summary_md(night)


@pytest.mark.parametrize(
    ("nights", "outcome"),
    [
        ({"a": shard(1, 2)}, Outcome.HARNESS_ERROR),
        ({"a": shard(1, 2, Outcome.FAILED)}, Outcome.FAILED),
        ({"a": shard(1, 2), "b": shard(2, 2, Outcome.FAILED)}, Outcome.FAILED),
        ({"a": shard(1, 2), "b": shard(2, 2, Outcome.HANG)}, Outcome.HANG),
    ],
)
def test_the_whole_is_as_bad_as_its_worst_shard_and_worse_if_one_is_missing(
    nights: dict[str, Night], outcome: Outcome
) -> None:
    """A machine that died is not a pass."""
    assert merged(nights).outcome is outcome


@pytest.mark.parametrize(
    ("nights", "said"),
    [
        ({}, "no night to add up"),
        ({"a": shard(1, 2), "b": shard(1, 2)}, "A shard is there twice"),
        (
            {"a": shard(1, 2), "b": replace(shard(2, 2), asked=Asked(pipeline="outbox", seed=4))},
            "b is not a shard of the same night",
        ),
    ],
)
def test_what_does_not_belong_together_is_not_added_up(nights: dict[str, Night], said: str) -> None:
    """Another seed would have played other schedules."""
    with pytest.raises(UsageError, match=said):
        merged(nights)


def test_merge_is_a_command_that_ends_as_the_night_did(tmp_path: Path) -> None:
    """It leaves a summary and a record of the whole."""
    for number, outcome in ((1, Outcome.PASSED), (2, Outcome.FAILED)):
        folder = tmp_path / f"shard-{number}"
        folder.mkdir()
        write_night(shard(number, 2, outcome), folder)
    shards = [str(tmp_path / "shard-1"), str(tmp_path / "shard-2")]
    ended = CliRunner().invoke(main, ["merge", *shards, "-o", str(tmp_path / "whole")])
    assert ended.exit_code == 1, ended.output
    assert read_night(tmp_path / "whole").shards == (1, 2)
    assert (tmp_path / "whole" / "summary.md").read_text().startswith("## FAILED")


def test_failing_runs_are_packed_below_a_link_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their place in the night, however its folder was named."""
    (tmp_path / "disk" / "night").mkdir(parents=True)
    (tmp_path / "linked").symlink_to("disk")
    monkeypatch.chdir(tmp_path)
    output = Path("linked/night")
    run = make_run_folder(output / "runs", name="outbox", schedule=REGRESSION.schedule)
    assert nightly._pack([run], output) == nightly.PACKED  # noqa: SLF001  # a red night's last step
    with tarfile.open(output / nightly.PACKED) as archive:
        assert f"runs/{run.name}/schedule.json" in archive.getnames()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--time", "5"], "write 90s, 30m or 2h"),
        (["--time", "-5m"], "write 90s, 30m or 2h"),
        (["--time", "3m"], "A night of 180 s is too short for all its steps"),
        (["--time", "5m", "--shard", "1/2"], "say --seed 42, the same on every machine"),
        (["--time", "5m", "--shard", "3/2"], "write 1/8 to 8/8"),
        (["--time", "5m", "--variant", "nope"], "There is no variant 'nope'"),
        (["--time", "5m", "--backend", "moon"], "There is no moon backend"),
        (["--time", "5m", "--regressions", "bad"], "bad/torn.json"),
        (["--time", "5m", "--regressions", "nowhere"], "'nowhere' does not exist"),
    ],
)
def test_a_wrong_option_is_said_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    """A usage error, and no folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "torn.json").write_text('{"kind": "regression", "sch')
    ended = CliRunner().invoke(main, ["nightly", *options, "-o", "night"])
    assert ended.exit_code == 2
    assert said in ended.output
    assert not (tmp_path / "night").exists()


def test_what_a_pipeline_said_cannot_format_a_summary(tmp_path: Path) -> None:
    """It stands in a fence that it cannot end."""
    night, _ = play(tmp_path, lambda _: Outcome.FAILED)
    (failed,) = night.failures
    evil = replace(failed, reasons=("```\n# <script>alert(1)</script>",), smallest=None)
    text = summary_md(replace(night, failures=(evil,)))
    assert "````\n```\n# <script>alert(1)</script>\n````" in text
