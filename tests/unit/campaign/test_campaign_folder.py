"""A campaign's folder: results survive, a torn line is played again, and mistakes are told."""

import errno
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.campaign.campaign import Until, play_campaign, sequence_of
from harness.campaign.folder import Asked, CampaignFolder
from harness.campaign.regression import (
    Regression,
    is_regression,
    read_regression,
    schedule_in,
    write_regression,
)
from harness.campaign.replay import replay_summary, worst
from harness.campaign.result import Job, Result, job_line, job_of, result_line, result_of
from harness.campaign.shapes import shape_of
from harness.campaign.summary import exit_code, summary
from harness.errors import UsageError
from harness.ledger.findings import Hop, Kind, Outcome, Total
from harness.run.plan import spec_of
from harness.schedule.network_words import cannot_fetch, latency
from harness.schedule.shape import OUTBOX
from harness.schedule.values import Schedule
from harness.schedule.words import follower, kill, leader

from .standing_in import pool_of

SCHEDULE = Schedule(
    pipeline="outbox",
    faults=(
        kill(leader("orders", 0)).after(acked=300),
        cannot_fetch(follower("orders", 1), source=leader("orders", 1), flavour=latency(300)),
    ),
    budget="over",
)
RESULT = Result(
    index=7,
    phase="random",
    fingerprint="1a2b3c4d5e6f",
    schedule=SCHEDULE,
    outcome=Outcome.FAILED,
    reasons=("FAILED: lost (no-effect): 3 messages",),
    totals=(Total(kind=Kind.LOST, hop=Hop.NO_EFFECT, count=3),),
    faults=(),
    messages=1000,
    took_s=8.5,
    folder="runs/x",
)
PASSED = replace(RESULT, outcome=Outcome.PASSED, reasons=(), totals=())


@pytest.fixture
def folder(tmp_path: Path) -> CampaignFolder:
    """Make an empty campaign."""
    return CampaignFolder.make(tmp_path, Asked(pipeline="outbox", seed=3))


def test_jobs_and_results_survive_their_line() -> None:
    """What a worker is told and what it answers."""
    job = Job(index=7, schedule=SCHEDULE, phase="pairs")
    assert job_of(job_line(job)) == job
    assert result_of(result_line(RESULT), source="test") == RESULT
    assert "\n" not in result_line(RESULT) + job_line(job)


def test_a_torn_result_is_forgotten_and_the_next_one_stands_alone(folder: CampaignFolder) -> None:
    """A campaign killed while it wrote goes on as if that run had not been."""
    folder.add(RESULT, keep="all")
    with (folder.path / "results.jsonl").open("a") as results:
        results.write('{"index": 8, "pha')
    assert list(folder.results()) == [RESULT]
    folder.add(PASSED, keep="all")
    assert list(CampaignFolder.open(folder.path).results()) == [RESULT, PASSED]
    assert CampaignFolder.open(folder.path).asked == folder.asked


def test_a_torn_result_is_cut_off_and_the_others_are_not_written_again(
    folder: CampaignFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk nothing can be written, and hours of results must not be what is lost."""
    folder.add(RESULT, keep="all")
    with (folder.path / "results.jsonl").open("a") as results:
        results.write('{"index": 8, "pha')

    def full(file: Path, _: bytes) -> None:
        file.open("wb").close()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    folder.add(PASSED, keep="all")
    assert list(folder.results()) == [RESULT, PASSED]


@pytest.mark.parametrize("odd", ["\u2028", "\x85", "\x0b", "→"])
def test_whatever_a_reason_holds_its_result_is_one_line(folder: CampaignFolder, odd: str) -> None:
    """Only a newline ends a line; a line torn in the middle of a character is forgotten."""
    said = replace(RESULT, reasons=(f"it said {odd}!",))
    folder.add(said, keep="all")
    folder.add(PASSED, keep="all")
    with (folder.path / "results.jsonl").open("ab") as results:
        results.write('{"index": 8, "reasons": ["→'.encode()[:-1])
    assert list(folder.results()) == [said, PASSED]


def test_a_campaign_is_played_by_one_process_at_a_time(folder: CampaignFolder) -> None:
    """Two would play every number twice, and cut each other's lines."""
    second = CampaignFolder.open(folder.path)
    pool = FakePool()
    with folder.held(), pytest.raises(UsageError, match="is being played by another process"):
        play_campaign(second, pool_of(pool), until=Until(runs=3), tell=lambda _: None)
    assert pool.played == []
    with pytest.raises(UsageError, match="is being played by another process"):
        play_campaign(folder, pool_of(pool), until=Until(runs=3), tell=lambda _: hold(second))
    play_campaign(second, pool_of(pool), until=Until(runs=3), tell=lambda _: None)
    assert pool.played == [0, 1, 2, 3]


def hold(folder: CampaignFolder) -> None:
    """Ask for it, as another process that begins to play it."""
    with folder.held():
        pass


def test_of_a_passed_run_only_its_story_is_kept(folder: CampaignFolder, tmp_path: Path) -> None:
    """Witnesses and journals of thousands of passed runs would fill a disk."""
    for name in ("witness", "journal", "stderr", "counters"):
        (tmp_path / "run" / name).mkdir(parents=True)
    (tmp_path / "run" / "timeline.jsonl").touch()
    folder.add(replace(RESULT, folder=str(tmp_path / "run")), keep="failed")
    assert (tmp_path / "run" / "witness").is_dir()
    folder.add(replace(PASSED, folder=str(tmp_path / "run")), keep="failed")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["timeline.jsonl"]


def test_a_folder_that_is_no_campaign_is_told(tmp_path: Path) -> None:
    """What, where, and what to name instead."""
    with pytest.raises(UsageError, match=r"is no campaign: campaign\.json cannot be read"):
        CampaignFolder.open(tmp_path)
    (tmp_path / "campaign.json").write_text('{"pipeline": "outbox", "sed": 1}')
    with pytest.raises(UsageError, match="did you mean `seed`"):
        CampaignFolder.open(tmp_path)


class FakePool:
    """Plays nothing, and says that every job PASSED."""

    def __init__(self) -> None:
        self.played: list[int] = []

    def play(self, jobs: Iterable[Job]) -> Iterator[Result]:
        """Yield a result for each job."""
        for job in jobs:
            self.played.append(job.index)
            yield replace(PASSED, index=job.index, schedule=job.schedule, phase=job.phase)


def test_a_campaign_plays_each_number_of_its_shard_once(folder: CampaignFolder) -> None:
    """However often it is called; and it ends where it was asked to."""
    pool = FakePool()
    for _ in range(2):
        play_campaign(folder, pool_of(pool), until=Until(runs=3), tell=lambda _: None)
    assert pool.played == [0, 1, 2, 3, 4, 5]
    with pytest.raises(UsageError, match="needs an end"):
        play_campaign(folder, pool_of(pool), until=Until(), tell=lambda _: None)


def test_equal_campaigns_play_equal_schedules() -> None:
    """The root seed is all that is needed to play them again."""
    asked = Asked(pipeline="outbox", seed=3)
    assert sequence_of(asked).schedule(500) == sequence_of(asked).schedule(500)
    other = sequence_of(replace(asked, seed=4))
    assert other.schedule(500) != sequence_of(asked).schedule(500)


def test_the_reference_pipeline_tells_the_generator_what_it_is() -> None:
    """Its crash points and whom its roles talk to stand in its pipeline.toml."""
    shape = shape_of(spec_of("outbox", None))
    assert (shape.topics, shape.roles) == (dict(OUTBOX.topics), dict(OUTBOX.roles))
    assert dict(shape.points) == dict(OUTBOX.points)
    assert shape.talking_to("kafka") == OUTBOX.talking_to("kafka")
    assert "relay" not in shape_of(spec_of("outbox", "dual-write-after-commit")).roles


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([Outcome.PASSED] * 20, 0),
        ([Outcome.PASSED] * 19 + [Outcome.VACUOUS], 0),
        ([Outcome.PASSED] * 9 + [Outcome.VACUOUS], 3),
        ([Outcome.PASSED, Outcome.HANG], 3),
        ([Outcome.PASSED, Outcome.HARNESS_ERROR], 4),
        ([Outcome.PASSED, Outcome.FAILED, Outcome.HARNESS_ERROR], 1),
        ([Outcome.VACUOUS], 3),
    ],
)
def test_a_campaign_ends_with_the_code_of_what_it_proved(
    outcomes: list[Outcome], code: int
) -> None:
    """Green needs conclusive runs; a few that met nothing do not spoil it."""
    results = [replace(PASSED, index=n, outcome=each) for n, each in enumerate(outcomes)]
    assert exit_code(results) == code
    assert f"{len(results)} runs" in summary(results)


def test_a_campaign_over_an_unsafe_variant_succeeds_by_catching_it() -> None:
    """The finding it declares, at the hop it declares."""
    expects = ("lost", "no-effect")
    caught = replace(RESULT, expects=expects)
    assert exit_code([replace(PASSED, expects=expects), caught]) == 0
    assert exit_code([replace(PASSED, expects=expects)]) == 3
    assert not replace(caught, expects=("phantom", None)).caught()


def test_a_replay_says_how_often_it_failed() -> None:
    """With the interval, what was found, and how many repeats are needed."""
    said = replay_summary([RESULT, PASSED, PASSED, RESULT])
    assert "failed 2/4" in said
    assert "lost (no-effect) in 2 of them" in said
    assert "5 repeat(s) show it" in said
    assert worst([RESULT, PASSED]) == 1


def test_a_regression_survives_its_file(tmp_path: Path) -> None:
    """And its schedule is found wherever a schedule may be named."""
    pinned = Regression(
        schedule=SCHEDULE, finding="lost", failed=9, of=10, repeats=2, kafka="4.3.1"
    )
    file = tmp_path / "regressions" / "lost.json"
    write_regression(pinned, file)
    assert is_regression(file)
    assert read_regression(file) == pinned
    assert schedule_in(file) == SCHEDULE
    file.write_text(file.read_text().replace('"repeats"', '"repeat"'))
    with pytest.raises(UsageError, match="did you mean `repeats`"):
        read_regression(file)
