"""What a person gets wrong about many runs: one sentence, exit code 2, and nothing was started."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.campaign.folder import Asked, CampaignFolder
from harness.cli import main
from harness.ledger.findings import Outcome, Verdict
from harness.schedule.codec import to_json
from harness.schedule.values import Schedule
from harness.schedule.words import kill, leader, node

KILL = Schedule(pipeline="outbox", faults=(kill(leader("orders", 0)),))
APART = kill(node(1)).after(seconds=1), kill(node(2)).after(seconds=2)
Command = Callable[..., Result]


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return the command, run in an empty folder, where no lab may be started."""
    monkeypatch.chdir(tmp_path)

    def started(*_: object, **__: object) -> None:
        raise AssertionError("a lab was started for this")

    monkeypatch.setattr("harness.campaign.pool.LabPool.__init__", started)
    runner = CliRunner()
    return lambda *words: runner.invoke(main, list(words))


def edited(**changes: object) -> str:
    """Return the schedule as JSON with some keys changed, of its first fault or of itself."""
    data = json.loads(to_json(KILL))
    for key, value in changes.items():
        (data["faults"][0] if key in data["faults"][0] else data)[key] = value
    return json.dumps(data)


NOWHERE = {"kind": "leader", "topic": "order", "partition": 0}
WRONG: dict[str, tuple[str | bytes, str]] = {
    "torn": (to_json(KILL)[:80], "not JSON"),
    "empty": ("", "not JSON"),
    "binary": (b"\xff\xfe\x00", "it is no text"),
    "list": ("[1]", "should be an object"),
    "format": (edited(format=2), "schedule format 2 is not the one this version reads (1)"),
    "kind": (edited(kind="kil"), "'kil'"),
    "typo": (edited(worklod={}), "did you mean `workload`?"),
    "topic": (edited(target=NOWHERE), "there is no topic order"),
    "partition": (edited(target={"kind": "leader", "topic": "orders", "partition": 77}), "77"),
    "pipeline": (edited(pipeline="nope.toml"), "nope.toml: there is no such file"),
    "variant": (edited(variant="ack-1"), "did you mean acks-1?"),
    "apart": (to_json(Schedule(pipeline="outbox", faults=APART)), "beyond the safe budget"),
    "pinned": ('{"kind": "regression", "schedule": {}}', "Field required"),
    "pinned-torn": ('{"kind": "regression", "sch', "Invalid JSON"),
}  # fmt: skip


@pytest.mark.parametrize("command", ["replay", "minimise"])
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_told_before_a_lab_is_started(
    harness: Command, command: str, name: str
) -> None:
    """What is wrong, and in which file or with which fault."""
    text, said = WRONG[name]
    Path("it.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    ended = harness(command, "it.json")
    assert ended.exit_code == 2, ended.output
    assert said in ended.output
    assert not Path("runs").exists()


@pytest.mark.parametrize("command", ["replay", "minimise"])
@pytest.mark.parametrize("what", ["nowhere", "nowhere.json", "."])
def test_a_place_without_a_schedule_is_told(harness: Command, command: str, what: str) -> None:
    """And what to name instead."""
    ended = harness(command, what)
    assert ended.exit_code == 2
    assert "cannot be read: No such file or directory" in ended.output
    assert "name a schedule.json, or the folder that holds it" in ended.output


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ('{"outcome": "FAIL', "it.run/verdict.json cannot be read"),
        (
            json.dumps(Verdict(outcome=Outcome.PASSED, reasons=()).as_json()),
            "is PASSED and shows no finding",
        ),
    ],
)
def test_a_run_without_a_failure_cannot_be_made_small(
    harness: Command, verdict: str, said: str
) -> None:
    """A verdict that is torn, or a run that passed."""
    Path("it.run").mkdir()
    Path("it.run/schedule.json").write_text(to_json(KILL))
    Path("it.run/verdict.json").write_text(verdict)
    ended = harness("minimise", "it.run")
    assert ended.exit_code == 2, ended.output
    assert said in ended.output


def test_a_campaign_that_goes_on_says_by_itself_what_it_plays(harness: Command) -> None:
    """Another variant typed beside it would be ignored, so it is refused."""
    campaign = CampaignFolder.make(Path("campaigns"), Asked(pipeline="outbox", seed=3))
    words = ("campaign", "--schedules", "1", "--resume", str(campaign.path))
    ended = harness(*words, "--variant", "acks-1", "--seed", "4")
    assert ended.exit_code == 2, ended.output
    assert "--variant, --seed beside --resume" in ended.output


@pytest.mark.parametrize(
    ("campaign", "results", "said"),
    [
        (None, None, "is no campaign: campaign.json cannot be read (No such file or directory)"),
        (b"\xff\xfe", None, "is no campaign: campaign.json cannot be read (it is no text)"),
        (b'{"pipeline": "outb', None, "Invalid JSON"),
        (b'{"pipeline": "outbox", "format": 2}', None, "`format`"),
        (b'{"pipeline": "gone.toml"}', None, "gone.toml: there is no such file"),
        (b'{"pipeline": "outbox"}', '{"index": 1}\n', "results.jsonl:1: not a result of a run"),
    ],
)
def test_a_folder_that_cannot_go_on_is_told(
    harness: Command, campaign: bytes | None, results: str | None, said: str
) -> None:
    """Which file of it, and what is wrong there."""
    Path("it").mkdir()
    if campaign is not None:
        Path("it/campaign.json").write_bytes(campaign)
    if results is not None:
        Path("it/results.jsonl").write_text(results)
    ended = harness("campaign", "--schedules", "1", "--resume", "it")
    assert ended.exit_code == 2, ended.output
    assert said in ended.output
