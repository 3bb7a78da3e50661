"""Many runs on several labs: they add up, go on after a break, and leave nothing behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.campaign.campaign import Until, play_campaign
from harness.campaign.folder import Asked, CampaignFolder
from harness.campaign.minimising import failure_of, minimise_failure
from harness.campaign.pool import LabPool
from harness.campaign.result import Job
from harness.clock import wait_until
from harness.lab.choice import LabChoice
from harness.schedule.values import Schedule
from harness.schedule.words import consumer, kill, pause, producer

MAIN = "from harness.cli import main; main()"
SEED = 11


@pytest.fixture
def folder(tmp_path: Path) -> CampaignFolder:
    """Make a campaign of the safe reference pipeline."""
    return CampaignFolder.make(tmp_path, Asked(pipeline="outbox", seed=SEED))


@pytest.fixture
def pool(folder: CampaignFolder) -> Iterator[LabPool]:
    """Return two labs."""
    with LabPool(2, choice=LabChoice(), runs=folder.runs, progress=print) as made:
        yield made


def test_a_campaign_goes_on_where_it_stopped(folder: CampaignFolder, pool: LabPool) -> None:
    """Numbers are played once, whichever lab plays them; what was torn is played again."""
    play_campaign(folder, pool, until=Until(runs=3), tell=print)
    with (folder.path / "results.jsonl").open("a") as torn:
        torn.write('{"index": 3, "phase"')  # as a kill leaves it
    play_campaign(folder, pool, until=Until(runs=1), tell=print)

    results = list(folder.results())

    assert sorted(result.index for result in results) == [0, 1, 2, 3]
    assert {str(result.outcome) for result in results} <= {"PASSED", "VACUOUS"}
    assert all((Path(result.folder) / "verdict.json").is_file() for result in results)


def test_a_failure_is_brought_down_to_the_fault_that_causes_it(pool: LabPool) -> None:
    """Of a consumer's sleep and a producer's death, the death is what makes a message up."""
    schedule = Schedule(
        pipeline="outbox",
        variant="dual-write-in-transaction",
        faults=(
            pause(consumer(0)).after(acked=100).for_seconds(1),
            kill(producer(0)).at("in_transaction", passes=50).for_seconds(1),
        ),
    )
    (failed,) = pool.play([Job(index=0, schedule=schedule)])
    assert failed.caught()

    found, shown = minimise_failure(
        failure_of(Path(failed.folder)), pool, labs=2, runs_budget=10, tell=lambda *_: None
    )

    assert [type(fault).__name__ for fault in found.schedule.faults] == ["Kill"]
    assert "phantom" in {kind for kind, _ in shown}
    assert found.rate.hits >= 2


CAMPAIGN = ("campaign", "--schedules", "50", "--campaigns", "campaigns")
NIGHT = ("nightly", "--time", "1h", "-o", "campaigns")
RUNS: dict[tuple[str, ...], str] = {
    CAMPAIGN: "*/runs/*/timeline.jsonl",
    NIGHT: "campaigns/*/runs/*/timeline.jsonl",
}
"""Where each has its runs. Not `**`: it would walk into folders that a PASSED run gives up."""


@pytest.mark.parametrize(
    ("command", "ending"),
    [(CAMPAIGN, signal.SIGINT), (CAMPAIGN, signal.SIGKILL), (NIGHT, signal.SIGTERM)],
    ids=lambda each: each[0] if isinstance(each, tuple) else each.name,
)
def test_what_is_ended_sums_up_and_leaves_no_process(
    tmp_path: Path, labs: Path, command: tuple[str, ...], ending: signal.Signals
) -> None:
    """Ctrl-C and SIGTERM take the labs down; after a SIGKILL the workers do it by themselves."""
    campaigns = tmp_path / "campaigns"
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, *command, "--labs", "2"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(labs)},
        start_new_session=True,
    ) as playing:
        wait_until(
            lambda: len(list(campaigns.glob(RUNS[command]))) > 1,
            deadline_s=240,
            describe="two runs to have begun",
        )
        family = psutil.Process(playing.pid).children(recursive=True)
        assert any("worker" in " ".join(process.cmdline()) for process in family)
        playing.send_signal(ending)
        said, _ = playing.communicate(timeout=60)

    wait_until(
        lambda: not any(process.is_running() for process in family),
        deadline_s=60,
        describe="every process of it to be gone",
        last_seen=lambda: [process for process in family if process.is_running()],
    )
    if ending is not signal.SIGKILL:
        assert playing.returncode == 130
        assert "the labs were taken down" in said
        kept = "go on with it: harness campaign" if command is CAMPAIGN else "It was broken off"
        assert kept in said
    assert not list(labs.glob("harness-*/lab-*"))
