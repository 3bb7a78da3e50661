"""What a person gets wrong, before any lab is started: one message, what to do, the exit code."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

STRANGER = Path(__file__).parents[1] / "system" / "stranger"
MAIN = "from harness.cli import main; main()"

Harness = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    """Return the command, run in an empty folder; it must end at once and print no traceback."""

    def call(*arguments: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [sys.executable, "-c", MAIN, *arguments],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert "Traceback" not in done.stderr
        assert "ready after" not in done.stderr, "a lab was started for this"
        return done

    return call


@pytest.fixture
def edited(tmp_path: Path) -> Callable[[str, str], str]:
    """Return a function that writes the stranger's pipeline.toml with one thing replaced."""

    def edit(old: str, new: str) -> str:
        text = (STRANGER / "pipeline.toml").read_text()
        assert old in text
        (tmp_path / "tables.sql").touch()
        (tmp_path / "pipeline.toml").write_text(text.replace(old, new, 1))
        return str(tmp_path)

    return edit


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("schema =", "shcema =", "unknown key pipeline.shcema; did you mean schema?"),
        ("instances = 2", "instnces = 2", "unknown key roles.ledger.instnces; did you mean"),
        ("[message]", "[mesage]", "unknown key mesage; did you mean message?"),
        ('name = "payments"', "name = ", "not TOML"),
        ("tables.sql", "tabels.sql", "there is no file tabels.sql"),
        ("json:/meta/id", "json:meta/id", "must be header:<name>, json:/pointer/to/it, or key"),
        ("pay.py", "${TOPIC_PAYMENT}", "did you mean ${TOPIC_PAYMENTS}?"),
        ('topics = ["payments"]', 'topics = ["payment"]', "there is no topic payment"),
        ("partitions = 3", 'partitions = "three"', "topics.payments.partitions"),
    ],
)
def test_a_mistake_in_a_pipeline_toml_is_named_with_its_place(
    harness: Harness, edited: Callable[[str, str], str], old: str, new: str, said: str
) -> None:
    """The key, what is wrong with it, and the nearest thing that exists."""
    done = harness("run", "--pipeline", edited(old, new))

    assert said in done.stderr
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--pipeline", "nowhere.toml"), "there is no such file"),
        (("run", "--pipeline", str(STRANGER), "--variant", "dedup-shard"), "mean dedup-shared?"),
        (("run", "--schedule", "nowhere.json"), "cannot be read"),
        (("run", "--workload", "3"), "No such option"),
        (("check", "nowhere"), "is no run folder"),
        (("explain", ".", "1"), "is no run folder"),
        (("up", "--port-base", "many"), "not a valid integer"),
        (("run", "--profile", "prodction"), "did you mean production?"),
        (("run", "--kafka", "4.3"), "name one in full"),
        (("up", "--kafka", "2.8.0"), "older than a lab can run"),
        (("up", "--feature", "elr"), "NAME=LEVEL"),
        (("run", "--backend", "moon"), "There is no moon backend"),
        (("up", "--images", "moon"), "There is no moon set of images"),
        (("doctor", "--kafka", "newest"), "newest is no release of Kafka"),
        (("rnu",), "Did you mean 'run'?"),
    ],
)
def test_a_mistake_in_a_command_is_usage(
    harness: Harness, arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2, and what would have been right."""
    done = harness(*arguments)

    assert said in done.stderr
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no", "not JSON"),
        ("[]", "schedule.json"),
        ('{"pipeline": "outbox", "falts": []}', "falts"),
        ('{"pipeline": "outbox", "faults": [{"kind": "kil"}]}', "kil"),
        ('{"pipeline": "outbox", "format": 99}', "format 99"),
    ],
)
def test_a_mistake_in_a_schedule_is_named(
    harness: Harness, tmp_path: Path, text: str, said: str
) -> None:
    """A typo that would make a fault vanish is never ignored."""
    (tmp_path / "schedule.json").write_text(text)

    done = harness("run", "--schedule", "schedule.json")

    assert said in done.stderr
    assert done.returncode == 2
