"""What a killed start leaves behind: no process, and nothing that a new start takes for whole."""

import os
import shutil
import signal
from pathlib import Path

import psutil
import pytest

from harness import clock
from harness.provision import cache

from .starts import Begin

KAFKA = """
from harness.provision import java, kafka
runtime = java.provide()
print(kafka.provide(java_home=java.home(runtime.path), progress=lambda line: None).path)
"""
# A shell that puts a command into the background lets it ignore SIGINT, and so its children.
RECORD = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from harness.provision import cache, classdata, parts
provided = parts.provide()
target = cache.root() / "class-data-once-more"
def build(part):
    classdata._record(part, java=provided.java, jars=provided.kafka_libs, base_flags=[],
                      checkpoint=provided.bootstrap_checkpoint)
cache.entry(target.name, build)
"""


def _mentioning(text: str) -> list[int]:
    """Return the ids of processes whose command line or environment folder holds `text`."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if any(text in argument for argument in process.info["cmdline"] or [])
    ]


def _repository_without_kafka(folder: Path) -> Path:
    """Give Maven its own tools, so that only what this test is about has to be downloaded."""
    usual = Path.home() / ".m2" / "repository"
    if usual.exists():
        shutil.copytree(usual, folder, ignore=shutil.ignore_patterns("kafka", "*.lock"))
    return folder


def test_a_start_killed_while_maven_downloads_is_followed_by_a_good_one(
    begin: Begin,
    tmp_path: Path,
) -> None:
    """SIGKILL amid the download ends Maven too; the next start, on what is left, succeeds."""
    repository = _repository_without_kafka(tmp_path / "m2")
    environment = {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "MAVEN_OPTS": f"-Dmaven.repo.local={repository}",
    }
    home = tmp_path / "cache" / "zero-loss-harness"
    first = begin(KAFKA, **environment)
    clock.wait_until(
        lambda: list(repository.glob("org/apache/kafka/**/*.jar*")),
        deadline_s=60,
        describe="the first Kafka jar on its way",
        poll_s=0.005,
    )
    first.kill()
    first.communicate()
    clock.wait_until(
        lambda: not _mentioning(str(tmp_path)), deadline_s=5, describe="Maven to end as well"
    )
    assert not cache.is_whole(home / "kafka-4.3.1")
    second = begin(KAFKA, **environment)
    printed, _ = second.communicate(timeout=120)
    assert second.returncode == 0, printed
    assert cache.is_whole(home / "kafka-4.3.1")
    assert len(list((home / "kafka-4.3.1" / "libs").glob("*.jar"))) == 46
    assert list(home.glob("*.part-*")) + list(home.glob(".*.part-*")) == []


@pytest.mark.usefixtures("starts")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_start_ended_while_it_records_leaves_no_node(
    begin: Begin,
    environment: dict[str, str],
    home: Path,
    how: signal.Signals,
) -> None:
    """Neither SIGKILL nor Ctrl-C amid the recording leaves a Kafka node running."""
    recording = begin(RECORD, **environment)
    mark = ".class-data-once-more.part-"
    clock.wait_until(
        lambda: list(home.glob(f"zero-loss-harness/{mark}*/node.log")),
        deadline_s=20,
        describe="the node to start",
    )
    clock.wait_until(lambda: _mentioning(mark), deadline_s=10, describe="the node's process")
    os.kill(recording.pid, how)
    recording.communicate(timeout=10)
    clock.wait_until(lambda: not _mentioning(mark), deadline_s=5, describe="the node to end")
    assert not (home / "zero-loss-harness" / "class-data-once-more").exists()
    after = cache.entry("after", lambda _: None, folder=home / "zero-loss-harness")
    assert list(after.parent.glob(f"{mark}*")) == [], "the next start clears what a dead one left"
    shutil.rmtree(after)
