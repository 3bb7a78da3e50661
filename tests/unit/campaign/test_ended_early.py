"""Commands whose labs are gone in the middle: what was played is summed up, the error ends them."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Self

import pytest
from click.testing import CliRunner, Result

from harness.campaign.folder import CampaignFolder
from harness.campaign.regression import read_regression
from harness.campaign.result import Job
from harness.campaign.result import Result as RunResult
from harness.cli import main
from harness.errors import LabError
from harness.ledger.findings import Hop, Kind, Outcome, Total
from harness.schedule.codec import to_json
from harness.schedule.values import Schedule
from harness.schedule.words import consumer, kill, leader

SCHEDULE = Schedule(pipeline="outbox", faults=(kill(leader("orders", 0)), kill(consumer(0))))
LOST = Total(kind=Kind.LOST, hop=Hop.ACKED_NOT_IN_LOG, count=3)
GONE = "The process of lab 0 gave no answer"
LASTS = 8
Command = Callable[..., Result]


class Dying:
    """A pool that plays some runs, all of which FAILED, and is gone then."""

    def __init__(self, *_: object, **__: object) -> None:
        self._left = LASTS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def play(self, jobs: Iterable[Job]) -> Iterator[RunResult]:
        """Yield a result for each job until it is gone."""
        for job in jobs:
            if not self._left:
                raise LabError(GONE)
            self._left -= 1
            yield RunResult(
                index=job.index,
                phase=job.phase,
                fingerprint="1a2b3c4d5e6f",
                schedule=job.schedule,
                outcome=Outcome.FAILED,
                reasons=("it lost 3",),
                totals=(LOST,),
                faults=(),
                messages=100,
                took_s=1.0,
                folder="run",
            )


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return the command, run in a folder with a schedule."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("harness.campaign.pool.LabPool", Dying)
    Path("it.json").write_text(to_json(SCHEDULE))
    runner = CliRunner()
    return lambda *words: runner.invoke(main, [*words, "--backend", "local"])


def test_a_campaign_sums_up_what_it_played(harness: Command) -> None:
    """And says how to go on."""
    ended = harness("campaign", "--schedules", "30")
    assert ended.exit_code == LabError.exit_code, ended.output
    assert f"harness: {GONE}" in ended.output
    assert "8 runs: 8 FAILED" in ended.output
    assert "go on with it: harness campaign" in ended.output


def test_a_campaign_that_another_process_plays_is_left_alone(harness: Command) -> None:
    """Nothing was played, so nothing is summed up; it is refused as a usage error."""
    harness("campaign", "--schedules", "1")
    (campaign,) = Path("campaigns").iterdir()
    with CampaignFolder.open(campaign).held():
        ended = harness("campaign", "--schedules", "1", "--resume", str(campaign))
    assert ended.exit_code == 2, ended.output
    assert "is being played by another process" in ended.output
    assert "1 runs" not in ended.output


def test_a_replay_sums_up_what_it_played(harness: Command) -> None:
    """Eight of the ten that were asked for."""
    ended = harness("replay", "it.json", "--times", "10")
    assert ended.exit_code == LabError.exit_code, ended.output
    assert f"harness: {GONE}" in ended.output
    assert "failed 8/8" in ended.output


def test_what_was_found_is_told_and_pinned(harness: Command) -> None:
    """Hours of a search are not for nothing."""
    ended = harness("minimise", "it.json", "-o", "pinned.json")
    assert ended.exit_code == LabError.exit_code, ended.output
    assert f"harness: {GONE}" in ended.output
    assert "it ended before every step was tried" in ended.output
    assert read_regression(Path("pinned.json")).finding == "lost"
